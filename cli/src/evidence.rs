//! `sluis evidence export` and `sluis evidence verify`: the second needs no daemon and no network.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sluis_config::agreements;
use sluis_core::agreement::Side;
use sluis_core::control::{ByCode, Evidence};
use sluis_core::evidence::{Delivery, Opening, Removal, Terms, Verified};
use sluis_core::id::TransferCode;
use sluis_core::ledger;
use sluis_core::statement::{self, Signed, Statement};

use crate::failure::{Failure, Result, exit};
use crate::init::file;
use crate::output;
use crate::socket::Socket;

/// `sluis evidence export CODE --to DIR`
pub(crate) fn export(socket: &Socket, code: TransferCode, to: &Path, json: bool) -> Result<()> {
    let evidence: Evidence = socket.post("evidence", &ByCode { code })?;
    let names = write(&evidence, to)?;
    if json {
        return output::json(&serde_json::json!({ "folder": to, "statements": names }));
    }
    output::line(format!("{} statements in {}", names.len(), to.display()))?;
    output::line(format!("  sluis evidence verify {} --trust FILE", to.display()))
}

/// Writes evidence as files: one pair a statement, the agreement, the signers, the head.
pub(crate) fn write(evidence: &Evidence, to: &Path) -> Result<Vec<String>> {
    std::fs::create_dir_all(to.join("ledger")).map_err(Failure::io(to.display()))?;
    if std::fs::read_dir(to).map_err(Failure::io(to.display()))?.count() > 1 {
        return Err(Failure::refused(format!(
            "{} is not empty: evidence goes into a folder of its own",
            to.display()
        )));
    }
    let mut names = Vec::new();
    for (place, signed) in evidence.statements.iter().enumerate() {
        let read = Statement::read(signed.statement.as_bytes());
        let read = read.map_err(|e| {
            Failure::refused(format!("the core gave something that is no statement: {e}"))
        })?;
        let (header, kind) = (&read.header, read.body.kind());
        let name = format!("{:02}-{}-{:04}-{kind}.json", place + 1, header.issuer, header.number);
        pair(&to.join(&name), signed)?;
        names.push(name);
    }
    pair(&to.join("ledger/head"), &evidence.head)?;
    file(&to.join("agreement.toml"), evidence.agreement.as_bytes(), 0o644)?;
    let (terms, _) = agreements::parse(Path::new("agreement.toml"), &evidence.agreement)?;
    file(&to.join("allowed_signers"), signers(&terms).as_bytes(), 0o644)?;
    Ok(names)
}

fn pair(path: &Path, signed: &Signed) -> Result<()> {
    file(path, signed.statement.as_bytes(), 0o644)?;
    let mut signature = path.as_os_str().to_owned();
    signature.push(".sig");
    file(Path::new(&signature), signed.signature.as_bytes(), 0o644)
}

/// Both parties' keys in the form of `ssh-keygen -Y verify -f`.
pub(crate) fn signers(terms: &Terms) -> String {
    let line = |side| {
        let agreement = &terms.agreement;
        format!(
            "{} namespaces=\"{},{}\" {}\n",
            agreement.party(side).id,
            statement::NAMESPACE,
            ledger::NAMESPACE,
            agreement
                .party_keys(side)
                .statement
                .split_whitespace()
                .take(2)
                .collect::<Vec<_>>()
                .join(" ")
        )
    };
    [Side::Agency, Side::Municipality].map(line).concat()
}

/// What holds of one exported folder.
#[derive(serde::Serialize)]
struct Report {
    statements: Vec<Line>,
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

/// `sluis evidence verify DIR --trust FILE`: signatures under the verifier's own keys, and that what the
/// statements say fits together.
pub(crate) fn verify(folder: &Path, trust: &Path, json: bool) -> Result<()> {
    let broken = |what: String| Failure::new(exit::REFUSED, "broken", what);
    let trusted = read_trust(trust)?;
    let agreement = folder.join("agreement.toml");
    let text = sluis_config::strict::read(&agreement)?;
    let (mut terms, _) = agreements::parse(&agreement, &text)?;
    for side in [Side::Agency, Side::Municipality] {
        let id = terms.agreement.party(side).id.to_string();
        let key = trusted.get(&id).ok_or_else(|| {
            broken(format!(
                "{} gives no key for {id}: ask that party for it, by another way than this folder",
                trust.display()
            ))
        })?;
        let keys = match side {
            Side::Agency => &mut terms.agreement.keys.agency,
            Side::Municipality => &mut terms.agreement.keys.municipality,
        };
        // The verifier's key counts, not the one that came with the evidence.
        keys.statement.clone_from(key);
    }
    let statements = load(folder, &terms)?;
    let report = judge(&terms, &statements).map_err(|e| broken(e.to_string()))?;
    if json {
        output::json(&report)?;
    } else {
        tell(&report)?;
    }
    if report.missing.is_empty() {
        return Ok(());
    }
    Err(Failure::new(
        exit::INCOMPLETE,
        "incomplete",
        format!("what is here holds; not here: {}", report.missing.join(", ")),
    ))
}

fn load(folder: &Path, terms: &Terms) -> Result<Vec<Verified>> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .map_err(Failure::io(folder.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .collect();
    paths.sort();
    let mut verified = Vec::new();
    for path in paths {
        let mut signature = path.as_os_str().to_owned();
        signature.push(".sig");
        let read = |path: &Path| std::fs::read_to_string(path).map_err(Failure::io(path.display()));
        let signed = Signed { statement: read(&path)?, signature: read(Path::new(&signature))? };
        let bad = |e: &dyn std::fmt::Display| {
            Failure::new(exit::REFUSED, "broken", format!("{}: {e}", path.display()))
        };
        let claimed = Statement::read(signed.statement.as_bytes()).map_err(|e| bad(&e))?;
        let side = terms.agreement.side_of(&claimed.header.issuer);
        let side = side.ok_or_else(|| bad(&"its issuer is no party of the agreement"))?;
        if claimed.header.terms != terms.digest {
            return Err(bad(&"it was made under another text of the agreement"));
        }
        verified.push(Verified::check(&signed, terms, side).map_err(|e| bad(&e))?);
    }
    Ok(verified)
}

/// What the statements prove together.
fn judge(
    terms: &Terms,
    statements: &[Verified],
) -> std::result::Result<Report, sluis_core::evidence::Refusal> {
    // The first of a kind is the one that had an effect, but shares may have been sent again later.
    let of = |kind: &str| {
        let mut all = statements.iter().filter(|said| said.statement().body.kind() == kind);
        if kind == "released" { all.next_back() } else { all.next() }
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
    let removed = match (sent, of("delivered"), of("removed")) {
        (Some(sent), Some(delivered), Some(removed)) => {
            Some(Removal::check(terms, sent, delivered, removed)?)
        }
        _ => None,
    };
    fact(removed.as_ref().map(|_| ()), "it is gone from the transport medium", "removed");
    let released =
        removed.zip(of("released")).map(|(removed, released)| match &released.statement().body {
            statement::Body::Released(body) if body.removed == removed.statement() => Ok(()),
            _ => Err(sluis_core::evidence::Refusal::Mismatch {
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
    if statements.iter().any(is_rehearsal) {
        facts.push("OEFENING, a rehearsal: shares went into a folder, not to a telephone");
    }
    let line = |said: &Verified| Line {
        number: said.statement().header.number,
        issuer: said.statement().header.issuer.to_string(),
        kind: said.statement().body.kind().to_owned(),
        time: said.statement().header.time.to_string(),
    };
    Ok(Report { statements: statements.iter().map(line).collect(), facts, missing })
}

/// A folder is no telephone, whatever the agreement calls the channel (R88).
fn is_rehearsal(said: &Verified) -> bool {
    match &said.statement().body {
        statement::Body::Sent(body) => body.rehearsal,
        statement::Body::Released(body) => body.shares.iter().any(|share| share.driver == "spool"),
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
    report.facts.iter().try_for_each(|fact| output::line(format!("holds: {fact}")))
}

/// Principals and keys of an `allowed_signers` file; a pattern is no principal here.
fn read_trust(path: &Path) -> Result<BTreeMap<String, String>> {
    let text = sluis_config::strict::read(path)?;
    let mut keys = BTreeMap::new();
    for line in
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let words: Vec<&str> = line.split_whitespace().collect();
        let place = words.iter().position(|word| *word == "ssh-ed25519");
        let (Some(principal), Some(place)) = (words.first(), place) else { continue };
        let principal: std::result::Result<sluis_core::id::PartyId, _> = principal.parse();
        if let (Ok(principal), Some(key)) = (principal, words.get(place + 1)) {
            keys.insert(principal.to_string(), format!("ssh-ed25519 {key}"));
        }
    }
    Ok(keys)
}
