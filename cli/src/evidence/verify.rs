//! `sluis evidence verify DIR --trust FILE`: signatures under the verifier's own keys, that nothing was left out of
//! what the head of the ledger names, changed or put in, and that what the statements say fits together.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use sluis_core::evidence::Verified;
use sluis_core::export::Listed;
use sluis_core::id::{Digest, PartyId};
use sluis_core::ledger::{Head, Part};
use sluis_core::statement::{Body, Tip};
use sluis_core::words;
use sluis_core::words::Words;

use super::facts::{self, Facts, Held};
use super::opened::{Folder, broken};
use crate::failure::{Failure, Result, exit};
use crate::language::Lang;
use crate::output;

/// What holds of an exported folder.
#[derive(serde::Serialize)]
struct Report {
    statements: Vec<Line>,
    #[serde(flatten)]
    found: Found,
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
}

/// `sluis evidence verify DIR --trust FILE`
pub(crate) fn verify(folder: &Path, trust: &Path, lang: Lang, json: bool) -> Result<()> {
    let folder = Folder::open(folder, trust)?;
    let texts = folder.texts()?;
    let statements = folder.statements(&texts)?;
    let (earlier, own): (Vec<_>, Vec<_>) =
        statements.iter().partition(|(listed, _)| listed.is_earlier());
    let own: Vec<&Held<'_>> = own.into_iter().map(|(_, held)| held).collect();
    follow(&own, &folder.head)?;
    folder.is_signed(&texts, &own)?;
    named(earlier.iter().map(|(_, held)| held), &own)?;
    let found = match folder.head.of {
        Part::Transfer(_) => Found::One(judge(&own)?),
        Part::All | Part::Year(_) => Found::Whole { transfers: each(&own)? },
    };
    let report = Report { statements: statements.iter().map(line).collect(), found };
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
    }
}

/// Each party's statements follow one from the other, from its first one on where the folder has all, and what either
/// had seen of the other is what stands here: nobody can leave one out.
fn follow(statements: &[&Held<'_>], head: &Head) -> Result<()> {
    let mut tips: BTreeMap<&PartyId, Tip> = BTreeMap::new();
    let mut known: BTreeMap<(&PartyId, u64), Digest> = BTreeMap::new();
    for (one, _) in statements {
        let header = &one.statement().header;
        known.insert((&header.issuer, header.number), one.digest());
        let before = Tip { number: header.number.saturating_sub(1), digest: header.previous };
        let start = if head.of == Part::All { Tip::start() } else { before };
        let tip = tips.entry(&header.issuer).or_insert(start);
        if goes_on(one, tip) || (is_one(head) && header.number > tip.number + 1) {
            *tip = before;
        }
        let next = one.follows(tip).map_err(|e| {
            let (issuer, why) = (&header.issuer, e.words());
            broken(words!("{issuer}: {}", "{issuer}: {}"; why))
        })?;
        *tip = next.unwrap_or(*tip);
    }
    for (one, _) in statements {
        let (header, kind) = (&one.statement().header, one.statement().body.kind());
        let seen = known.get(&(&header.audience, header.seen.number));
        let none = (head.of == Part::All).then(Tip::start);
        let last = tips.get(&header.audience).copied().or(none).filter(|_| !is_one(head));
        let beyond = last.is_some_and(|last| header.seen.number > last.number);
        if beyond || seen.is_some_and(|digest| *digest != header.seen.digest) {
            let (issuer, number, audience) = (&header.issuer, header.number, &header.audience);
            return Err(broken(words!(
                "{issuer} {number} ({kind}) had een verklaring van {audience} gezien die hier niet is, of een andere is",
                "{issuer} {number} ({kind}) had seen a statement of {audience} that is not here, or is another one"
            )));
        }
    }
    Ok(())
}

/// The folder of one transfer has gaps where something else was said.
fn is_one(head: &Head) -> bool {
    matches!(head.of, Part::Transfer(_))
}

/// After an older store was put back, what lies between is the other party's to show.
fn goes_on(one: &Verified, tip: &Tip) -> bool {
    let header = &one.statement().header;
    matches!(&one.statement().body, Body::Restored(body)
        if body.kept == *tip
            && body.from == Tip { number: header.number.saturating_sub(1), digest: header.previous })
}

/// What two persons let pass stands here where a list needed it (R84), and nothing else was said earlier.
fn named<'a>(earlier: impl Iterator<Item = &'a Held<'a>>, own: &[&'a Held<'a>]) -> Result<()> {
    let is_override = |said: &Verified| said.statement().body.kind() == "override";
    let mut overrides = BTreeSet::new();
    for (said, _) in earlier {
        if !is_override(said) {
            let kind = said.statement().body.kind();
            return Err(broken(words!(
                "van vroeger staan hier alleen override, geen {kind}",
                "of earlier only override stands here, no {kind}"
            )));
        }
        overrides.insert(said.digest());
    }
    overrides
        .extend(own.iter().filter(|(said, _)| is_override(said)).map(|(said, _)| said.digest()));
    for (said, _) in own {
        if let Body::Sent(body) = &said.statement().body
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
        Ok(Facts { transfer: name, ..judge(&about)? })
    };
    transfers.into_iter().map(of).collect()
}

/// What the statements of one transfer prove together.
fn judge(statements: &[&Held<'_>]) -> Result<Facts> {
    facts::prove(statements).map_err(|e| broken(e.words()))
}

fn tell(report: &Report, lang: Lang) -> Result<()> {
    let say = |words: Words| output::line(words.text(lang.core()));
    for Line { number, issuer, kind, time, earlier } in &report.statements {
        let good = lang.pick("goed", "good");
        let earlier = if *earlier { lang.pick("  (van vroeger)", "  (said earlier)") } else { "" };
        output::line(format!("{good}  {number:>4}  {issuer:<20} {kind:<15} {time}{earlier}"))?;
    }
    say(words!(
        "klopt: geen verklaring is weggelaten, veranderd, verplaatst of toegevoegd",
        "holds: no statement was left out, changed, moved or put in"
    ))?;
    let transfers = match &report.found {
        Found::One(facts) => std::slice::from_ref(facts),
        Found::Whole { transfers } => transfers,
    };
    for Facts { transfer, facts, missing } in transfers {
        let name = transfer.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
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
