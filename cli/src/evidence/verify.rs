//! `sluis evidence verify DIR --trust FILE`: signatures under the verifier's own keys, that nothing was left out of
//! a run, and that what the statements say fits together.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sluis_config::agreements;
use sluis_core::agreement::Side;
use sluis_core::agreement::keys::is_same_key;
use sluis_core::evidence::{Delivery, Opening, Refusal, Removal, Terms, Verified};
use sluis_core::id::{Digest, PartyId};
use sluis_core::statement::{Body, Header, Sent, Signed, Statement, Tip, Word};
use sluis_core::words;

use super::whole::{MANIFEST, Manifest, Run};
use crate::failure::{Failure, Result, exit};
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
struct Facts {
    #[serde(skip_serializing_if = "Option::is_none")]
    transfer: Option<String>,
    facts: Vec<&'static str>,
    missing: Vec<&'static str>,
}

#[derive(serde::Serialize)]
struct Line {
    number: u64,
    issuer: String,
    kind: String,
    time: String,
}

/// The keys of each principal.
type Trusted = BTreeMap<String, Vec<String>>;

fn broken(what: impl std::fmt::Display) -> Failure {
    Failure::new(exit::REFUSED, "broken", words!("het klopt niet: {what}", "{what}"))
}

/// `sluis evidence verify DIR --trust FILE`
pub(crate) fn verify(folder: &Path, trust: &Path, json: bool) -> Result<()> {
    let terms = texts(folder)?;
    let statements = load(folder, &terms, trust)?;
    let path = folder.join(MANIFEST);
    let found = if path.exists() {
        let text = std::fs::read(&path).map_err(Failure::io(path.display()))?;
        let manifest: Manifest = serde_json::from_slice(&text).map_err(broken)?;
        follow(&statements, &manifest)?;
        Found::Whole { transfers: each(&statements)? }
    } else {
        Found::One(judge(&statements.iter().collect::<Vec<_>>())?)
    };
    let line = |(said, _): &(Verified, _)| Line {
        number: said.statement().header.number,
        issuer: said.statement().header.issuer.to_string(),
        kind: said.statement().body.kind().to_owned(),
        time: said.statement().header.time.to_string(),
    };
    let report = Report { statements: statements.iter().map(line).collect(), found };
    if json {
        output::json(&report)?;
    } else {
        tell(&report)?;
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

/// The texts of the agreement in the folder, each with the keys of the newest: that one tells which key signed which
/// number.
fn texts(folder: &Path) -> Result<Vec<Terms>> {
    let mut all = Vec::new();
    for path in files(folder, |name| name.starts_with("agreement") && name.ends_with(".toml"))? {
        let text = sluis_config::strict::read(&path)?;
        all.push(agreements::parse(&path, &text)?.0);
    }
    let newest = all.iter().max_by_key(|terms| terms.agreement.version);
    let Some(keys) = newest.map(|terms| terms.agreement.keys.clone()) else { return Ok(all) };
    Ok(all.into_iter().map(|terms| terms.under(&keys)).collect())
}

/// Whether the verifier trusts the key that the agreement gives this number. The verifier's keys count, not those that
/// came with the evidence.
fn is_trusted(
    header: &Header,
    terms: &Terms,
    side: Side,
    (path, trusted): (&Path, &Trusted),
) -> std::result::Result<(), String> {
    let (id, path) = (&header.issuer, path.display());
    let Some(known) = trusted.get(id.as_str()) else {
        return Err(format!(
            "{path} gives no key for {id}: ask that party for it, by another way than this folder"
        ));
    };
    let key = terms.agreement.party_keys(side).statement_key(header.number);
    if known.iter().any(|known| is_same_key(known, key)) {
        return Ok(());
    }
    Err(format!(
        "by the agreement {key} signs number {} of {id}, and {path} does not give it",
        header.number
    ))
}

fn files(folder: &Path, wanted: impl Fn(&str) -> bool) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).map_err(Failure::io(folder.display()))?;
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.file_name().and_then(|name| name.to_str()).is_some_and(&wanted))
        .collect();
    paths.sort();
    Ok(paths)
}

/// Every statement with the terms that it holds under.
fn load<'a>(folder: &Path, terms: &'a [Terms], trust: &Path) -> Result<Vec<(Verified, &'a Terms)>> {
    let trusted = read_trust(trust)?;
    let wanted =
        |name: &str| name.starts_with(|c: char| c.is_ascii_digit()) && name.ends_with(".json");
    let mut verified = Vec::new();
    for path in files(folder, wanted)? {
        let mut signature = path.as_os_str().to_owned();
        signature.push(".sig");
        let read = |path: &Path| std::fs::read_to_string(path).map_err(Failure::io(path.display()));
        let signed = Signed { statement: read(&path)?, signature: read(Path::new(&signature))? };
        let bad = |e: &dyn std::fmt::Display| broken(format!("{}: {e}", path.display()));
        let header = Statement::read(signed.statement.as_bytes()).map_err(|e| bad(&e))?.header;
        let terms = terms.iter().find(|terms| terms.digest == header.terms);
        let terms = terms.ok_or_else(|| bad(&"it was made under another text of the agreement"))?;
        let side = terms.agreement.side_of(&header.issuer);
        let side = side.ok_or_else(|| bad(&"its issuer is no party of the agreement"))?;
        is_trusted(&header, terms, side, (trust, &trusted)).map_err(|e| bad(&e))?;
        let good = Verified::check(&signed, terms, side).map_err(|e| bad(&e))?;
        verified.push((good, terms));
    }
    Ok(verified)
}

/// Each party's statements are the whole run that the manifest names, each follows from the one before it, and what
/// either had seen of the other is what stands here: nobody can leave one out.
fn follow(statements: &[(Verified, &Terms)], manifest: &Manifest) -> Result<()> {
    let mut said: BTreeMap<&PartyId, Vec<&Verified>> = BTreeMap::new();
    let mut known: BTreeMap<(&PartyId, u64), Digest> = BTreeMap::new();
    for (one, _) in statements {
        let header = &one.statement().header;
        said.entry(&header.issuer).or_default().push(one);
        known.insert((&header.issuer, header.number), one.digest());
    }
    let mut runs = BTreeMap::new();
    for (issuer, all) in &mut said {
        all.sort_by_key(|one| one.statement().header.number);
        let first = &all[0].statement().header;
        let mut tip = Tip { number: first.number.saturating_sub(1), digest: first.previous };
        let run = Run { before: tip.digest, first: first.number, last: 0 };
        for one in all {
            // After an older store was put back, what lies between is the other party's to show.
            if let Body::Restored(body) = &one.statement().body
                && body.kept == tip
                && body.from.number + 1 == one.statement().header.number
            {
                tip = body.from;
            }
            let next = one.follows(&tip).map_err(|e| broken(format!("{issuer}: {e}")))?;
            tip = next.unwrap_or(tip);
        }
        runs.insert((*issuer).clone(), Run { last: tip.number, ..run });
    }
    if runs != manifest.issuers {
        return Err(broken(format!("what is here is not all that {MANIFEST} names")));
    }
    for (one, _) in statements {
        let (header, kind) = (&one.statement().header, one.statement().body.kind());
        let seen = known.get(&(&header.audience, header.seen.number));
        let beyond = runs.get(&header.audience).is_some_and(|run| header.seen.number > run.last);
        if beyond || seen.is_some_and(|digest| *digest != header.seen.digest) {
            return Err(broken(format!(
                "{} {} ({kind}) had seen a statement of {} that is not here, or is another one",
                header.issuer, header.number, header.audience
            )));
        }
    }
    Ok(())
}

/// What the statements prove of each transfer, in the order in which they begin.
fn each(statements: &[(Verified, &Terms)]) -> Result<Vec<Facts>> {
    let mut transfers = Vec::new();
    for (one, _) in statements {
        let transfer = one.statement().header.transfer;
        if transfer.is_some() && !transfers.contains(&transfer) {
            transfers.push(transfer);
        }
    }
    let of = |transfer| {
        let about = |(one, _): &&(Verified, _)| one.statement().header.transfer == transfer;
        let about: Vec<_> = statements.iter().filter(about).collect();
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
fn judge(statements: &[&(Verified, &Terms)]) -> Result<Facts> {
    prove(statements).map_err(broken)
}

fn prove(statements: &[&(Verified, &Terms)]) -> std::result::Result<Facts, Refusal> {
    // The first of a kind is the one that had an effect, but shares may have been sent again later.
    let of = |kind: &str| {
        let mut all = statements.iter().filter(|(said, _)| said.statement().body.kind() == kind);
        if kind == "released" { all.next_back() } else { all.next() }.map(|(said, _)| said)
    };
    let (mut facts, mut missing) = (Vec::new(), Vec::new());
    let mut fact = |holds: Option<()>, yes, no| match holds {
        Some(()) => facts.push(yes),
        None => missing.push(no),
    };
    let sent = of("sent");
    fact(sent.map(|_| ()), "the agency sealed one envelope under one key", "sent");
    let delivered = sent
        .zip(of("delivered"))
        .map(|(sent, delivered)| Delivery::check(sent, delivered))
        .transpose()?;
    fact(delivered.map(|_| ()), "the municipality holds exactly that envelope", "delivered");
    let terms = statements.iter().find(|(said, _)| said.statement().body.kind() == "sent");
    let drawn = terms.and_then(|(said, terms)| residents(said, terms).transpose()).transpose()?;
    facts.extend(drawn);
    let mut fact = |holds: Option<()>, yes, no| match holds {
        Some(()) => facts.push(yes),
        None => missing.push(no),
    };
    let removed = match (terms, of("delivered"), of("removed")) {
        (Some((sent, terms)), Some(delivered), Some(removed)) => {
            Some(Removal::check(terms, sent, delivered, removed)?)
        }
        _ => None,
    };
    fact(removed.as_ref().map(|_| ()), "it is gone from the transport medium", "removed");
    let released =
        removed.zip(of("released")).map(|(removed, released)| match &released.statement().body {
            Body::Released(body) if body.removed == removed.statement() => Ok(()),
            _ => Err(Refusal::Mismatch {
                kind: "released".into(),
                number: released.statement().header.number,
                what: "removed",
            }),
        });
    fact(released.transpose()?, "the shares left after that, and rest on it", "released");
    let opened =
        sent.zip(of("opened")).map(|(sent, opened)| Opening::check(sent, opened)).transpose()?;
    fact(opened.map(|_| ()), "what came out is what went in", "opened");
    // What the agency ended was never to be released or opened.
    if ["withdrawn", "expired", "superseded", "failed"].iter().any(|kind| of(kind).is_some()) {
        facts.push("the transfer was ended before it was opened");
        missing.clear();
    }
    if statements.iter().any(|(said, _)| is_exercise(said)) {
        facts.push("OEFENING, a rehearsal: its content was made up, there is no list in it");
    } else if statements.iter().any(|(said, _)| is_rehearsal(said)) {
        facts.push("OEFENING, a rehearsal: shares went into a folder, not to a telephone");
    }
    Ok(Facts { transfer: None, facts, missing })
}

/// For whose residents the agency said that the list was drawn: a word, and of the right municipality (R15).
fn residents(sent: &Verified, terms: &Terms) -> std::result::Result<Option<&'static str>, Refusal> {
    let Body::Sent(Sent { residents: Some(said), .. }) = &sent.statement().body else {
        return Ok(None);
    };
    if terms.agreement.municipality.nis.as_ref() != Some(&said.nis) {
        let number = sent.statement().header.number;
        return Err(Refusal::Mismatch { kind: "sent".into(), number, what: "residents" });
    }
    Ok(Some(match said.word {
        Word::Agreement => {
            "the agency said that it drew the list as the agreement has it, for the municipality's residents"
        }
        Word::Person => {
            "whoever offered the list said that it was drawn for the municipality's residents"
        }
    }))
}

/// Made by `sluis rehearse`, over whatever channels.
fn is_exercise(said: &Verified) -> bool {
    matches!(&said.statement().body, Body::Sent(body) if body.exercise)
}

/// A folder is no telephone, whatever the agreement calls the channel (R88).
fn is_rehearsal(said: &Verified) -> bool {
    match &said.statement().body {
        Body::Sent(body) => body.rehearsal,
        Body::Released(body) => body.shares.iter().any(|share| share.driver == "spool"),
        _ => false,
    }
}

fn tell(report: &Report) -> Result<()> {
    for line in &report.statements {
        output::line(format!(
            "good  {:>4}  {:<20} {:<15} {}",
            line.number, line.issuer, line.kind, line.time
        ))?;
    }
    let transfers = match &report.found {
        Found::One(facts) => std::slice::from_ref(facts),
        Found::Whole { transfers } => {
            output::line("holds: no statement was left out of the run, changed or put in")?;
            transfers
        }
    };
    for Facts { transfer, facts, missing } in transfers {
        let name = transfer.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
        facts.iter().try_for_each(|fact| output::line(format!("{name}holds: {fact}")))?;
        if transfer.is_some() && !missing.is_empty() {
            output::line(format!("{name}not here: {}", missing.join(", ")))?;
        }
    }
    Ok(())
}

/// Principals and their keys in an `allowed_signers` file; a pattern is no principal here.
fn read_trust(path: &Path) -> Result<Trusted> {
    let text = sluis_config::strict::read(path)?;
    let mut keys = Trusted::new();
    for line in
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let words: Vec<&str> = line.split_whitespace().collect();
        let place = words.iter().position(|word| *word == "ssh-ed25519");
        let (Some(principal), Some(place)) = (words.first(), place) else { continue };
        let principal: std::result::Result<PartyId, _> = principal.parse();
        if let (Ok(principal), Some(key)) = (principal, words.get(place + 1)) {
            keys.entry(principal.to_string()).or_default().push(format!("ssh-ed25519 {key}"));
        }
    }
    Ok(keys)
}
