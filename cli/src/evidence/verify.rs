//! `sluis evidence verify DIR --trust FILE`: signatures under the verifier's own keys, that nothing was left out of
//! what the head of the ledger names, changed or put in, and that what the statements say fits together.

use std::collections::BTreeSet;
use std::path::Path;

use sluis_core::evidence::Verified;
use sluis_core::export::Listed;
use sluis_core::id::{TransferId, called};
use sluis_core::ledger::Part;
use sluis_core::statement::Body;
use sluis_core::words;
use sluis_core::words::Words;

use super::facts::{self, Facts, Held};
use super::follow::{Span, follow};
use super::opened::{Folder, broken};
use crate::failure::{Failure, Result, exit};
use crate::language::Lang;
use crate::output;

/// What may lie beside the statements for people, and nobody signed.
const UNSIGNED: [&str; 3] = ["report.nl.html", "report.en.html", "verify.sh"];

/// What holds of an exported folder.
#[derive(serde::Serialize)]
struct Report {
    statements: Vec<Line>,
    /// From which number to which each party's statements stand here; none in the folder of one transfer.
    spans: Vec<Span>,
    /// Files of the folder that nothing here vouches for.
    unverified: Vec<&'static str>,
    /// The year in which nothing was said, by the word of the head's party alone.
    silent: Option<Silent>,
    #[serde(flatten)]
    found: Found,
}

#[derive(serde::Serialize)]
struct Silent {
    year: i16,
    party: String,
}

#[derive(serde::Serialize)]
#[serde(untagged)]
enum Found {
    /// The folder of one transfer.
    One(Facts),
    /// All that was said under an agreement.
    Whole { transfers: Vec<Facts> },
}

#[derive(serde::Serialize)]
struct Line {
    number: u64,
    issuer: String,
    kind: String,
    time: String,
    earlier: bool,
    /// Whether this kind is its issuer's to say; what is not proves nothing.
    theirs: bool,
}

/// `sluis evidence verify DIR --trust FILE`
pub(crate) fn verify(folder: &Path, trust: &Path, lang: Lang, json: bool) -> Result<()> {
    let folder = Folder::open(folder, trust)?;
    let texts = folder.texts()?;
    let statements = folder.statements(&texts)?;
    let (earlier, own): (Vec<_>, Vec<_>) =
        statements.iter().partition(|(listed, _)| listed.is_earlier());
    let own: Vec<&Held<'_>> = own.into_iter().map(|(_, held)| held).collect();
    folder.has_no_other(&texts, &statements)?;
    let spans = follow(&own, &folder.head)?;
    folder.is_signed(&texts, &own)?;
    named(earlier.iter().map(|(_, held)| held), &own)?;
    let silent = match folder.head.of {
        Part::Year(year) if own.is_empty() => {
            Some(Silent { year, party: folder.head.party.to_string() })
        }
        // Where nothing was ever said there is no evidence.
        Part::All if own.is_empty() => {
            return Err(broken(words!("hier is niets", "nothing is here")));
        }
        _ => None,
    };
    let found = match folder.head.of {
        Part::Transfer(id) => {
            about(id, &own)?;
            Found::One(judge(&own, &own)?)
        }
        Part::All | Part::Year(_) => Found::Whole { transfers: each(&own)? },
    };
    let statements = statements.iter().map(line).collect();
    let unverified = UNSIGNED.into_iter().filter(|file| folder.has(file)).collect();
    let report = Report { statements, spans, unverified, silent, found };
    if json {
        output::json(&report)?;
    } else {
        tell(&report, lang)?;
    }
    match &report.found {
        Found::One(facts) if !facts.missing.is_empty() => Err(Failure::new(
            exit::INCOMPLETE,
            "incomplete",
            words!(
                "wat er is klopt; dit is er niet: {}",
                "what is here holds; not here: {}",
                facts.missing.join(", ")
            ),
        )),
        _ => Ok(()),
    }
}

fn line((listed, (said, _)): &(Listed, Held<'_>)) -> Line {
    let statement = said.statement();
    Line {
        number: statement.header.number,
        issuer: statement.header.issuer.to_string(),
        kind: statement.body.kind().to_owned(),
        time: statement.header.time.to_string(),
        earlier: listed.is_earlier(),
        theirs: said.is_theirs(),
    }
}

/// The folder of one transfer is about that one.
fn about(id: TransferId, own: &[&Held<'_>]) -> Result<()> {
    let other = |(said, _): &&&Held<'_>| said.statement().header.transfer != Some(id);
    match own.iter().find(other) {
        Some((said, _)) => {
            let statement = said.statement();
            let (issuer, number) = (&statement.header.issuer, statement.header.number);
            let kind = statement.body.kind();
            Err(broken(words!(
                "{issuer} {number} ({kind}) gaat niet over de zending die het hoofd noemt",
                "{issuer} {number} ({kind}) is not about the transfer that the head names"
            )))
        }
        None => Ok(()),
    }
}

/// What two persons let pass stands here where a list needed it (R84), and nothing else was said earlier.
fn named<'a>(earlier: impl Iterator<Item = &'a Held<'a>>, own: &[&'a Held<'a>]) -> Result<()> {
    let is_override = |said: &Verified| said.statement().body.kind() == "override";
    let mut overrides = BTreeSet::new();
    for (said, _) in earlier {
        if !(is_override(said) && said.is_theirs()) {
            let kind = said.statement().body.kind();
            return Err(broken(words!(
                "van vroeger staan hier alleen override, geen {kind}",
                "of earlier only override stands here, no {kind}"
            )));
        }
        overrides.insert(said.digest());
    }
    let theirs = own.iter().filter(|(said, _)| is_override(said) && said.is_theirs());
    overrides.extend(theirs.map(|(said, _)| said.digest()));
    for (said, _) in own {
        if let Body::Sent(body) = &said.statement().body
            && said.is_theirs()
            && let Some(waived) = &body.waived
            && !overrides.contains(waived)
        {
            let (issuer, number) =
                (&said.statement().header.issuer, said.statement().header.number);
            return Err(broken(words!(
                "{issuer} {number} (sent) noemt een override die hier niet is",
                "{issuer} {number} (sent) names an override that is not here"
            )));
        }
    }
    Ok(())
}

/// What the statements prove of each transfer, in the order in which they begin.
fn each(statements: &[&Held<'_>]) -> Result<Vec<Facts>> {
    let mut transfers = Vec::new();
    for (one, _) in statements {
        let transfer = one.statement().header.transfer;
        if transfer.is_some() && !transfers.contains(&transfer) {
            transfers.push(transfer);
        }
    }
    let of = |transfer| {
        let about = |held: &&&Held<'_>| held.0.statement().header.transfer == transfer;
        let about: Vec<_> = statements.iter().filter(about).copied().collect();
        // A notice about a transfer makes no evidence of it.
        let code = about.iter().find_map(|(one, _)| match &one.statement().body {
            Body::Sent(body) => Some(body.code.to_string()),
            _ => None,
        });
        let name = code.or(transfer.map(|id| id.to_string()));
        Ok(Facts { transfer: name, ..judge(&about, statements)? })
    };
    transfers.into_iter().map(of).collect()
}

/// What the statements of one transfer prove together.
fn judge(statements: &[&Held<'_>], all: &[&Held<'_>]) -> Result<Facts> {
    facts::prove(statements, all).map_err(|e| broken(e.words()))
}

fn tell(report: &Report, lang: Lang) -> Result<()> {
    let say = |words: Words| output::line(words.text(lang.core()));
    for Line { number, issuer, kind, time, earlier, theirs } in &report.statements {
        let good = if *theirs { lang.pick("goed", "good") } else { lang.pick("leeg", "void") };
        let earlier = if *earlier { lang.pick("  (van vroeger)", "  (said earlier)") } else { "" };
        let void = lang.pick(
            "  (niet aan deze partij om te zeggen: het bewijst niets)",
            "  (not theirs to say: it proves nothing)",
        );
        let void = if *theirs { "" } else { void };
        output::line(format!(
            "{good}  {number:>4}  {issuer:<20} {kind:<15} {time}{earlier}{void}"
        ))?;
    }
    say(words!(
        "klopt: geen van deze verklaringen is veranderd, verplaatst of toegevoegd",
        "holds: none of these statements was changed, moved or put in"
    ))?;
    if let Some(Silent { year, party }) = &report.silent {
        say(words!(
            "niets: volgens het hoofd van {party} werd er in {year} niets gezegd; de nummers van het jaar ervoor en erna tonen of dat klopt",
            "nothing: by the head of {party} nothing was said in {year}; the numbers of the year before and after show whether that is so"
        ))?;
    }
    for Span { party, from, to } in &report.spans {
        say(words!(
            "klopt: van {party} staan hier de nummers {from} tot {to}; wat ervoor of erna kwam, toont deze map niet",
            "holds: of {party} the numbers from {from} to {to} are here; what came before or after this folder does not show"
        ))?;
    }
    let unverified = report.unverified.join(", ");
    if !unverified.is_empty() {
        say(words!(
            "niet ondertekend, en niets hier steunt erop: {unverified}, om te lezen of na te rekenen",
            "not signed, and nothing here rests on it: {unverified}, to read or to check with"
        ))?;
    }
    let transfers = match &report.found {
        Found::One(facts) => std::slice::from_ref(facts),
        Found::Whole { transfers } => transfers,
    };
    for of in transfers {
        let Facts { transfer, facts, missing } = of;
        let name = transfer.as_ref().map(|name| called(name, of.is_rehearsal()) + ": ");
        let name = name.unwrap_or_default();
        for fact in facts {
            say(words!("{name}klopt: {}", "{name}holds: {}"; fact.words.clone()))?;
        }
        if transfer.is_some() && !missing.is_empty() {
            let missing = missing.join(", ");
            say(words!("{name}niet hier: {missing}", "{name}not here: {missing}"))?;
        }
    }
    Ok(())
}
