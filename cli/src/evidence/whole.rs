//! `sluis evidence export --agreement NAME [--year Y]`: all that both parties said, in a folder that proves itself.
//!
//! The same ledger gives the same bytes: nothing here looks at a clock, and every order is that of the ledger or of
//! the names.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};
use sluis_config::agreements;
use sluis_core::control::{AskSaid, AskTerms, Said, SaidOnce, TermsText};
use sluis_core::evidence::Terms;
use sluis_core::id::{AgreementId, Digest, PartyId, Time};
use sluis_core::ledger::Head;
use sluis_core::statement::{Signed, Statement};
use sluis_core::words;

use super::{folder, name, pair, signers};
use crate::failure::{Failure, Result};
use crate::init::file;
use crate::language::Lang;
use crate::output;
use crate::report::{self, Line, Report};
use crate::socket::Socket;

/// What is here, for whoever verifies it.
pub(super) const MANIFEST: &str = "manifest.json";
/// The script that verifies the folder without Sluis.
const SCRIPT: &str = include_str!("../../../docs/verify-evidence.sh");

/// Which statements are in the folder. It is not signed: it only says what a whole folder would have, and what it
/// says is held against the signatures.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    agreement: AgreementId,
    /// Of each party the unbroken run of its numbers.
    pub(super) issuers: BTreeMap<PartyId, Run>,
    /// Whose ledger.
    ledger: PartyId,
    /// In its order: when each was entered there, and whether it had an effect.
    statements: Vec<Entered>,
    /// The texts of the agreement that they rest on.
    texts: BTreeMap<String, Digest>,
    version: u8,
    /// The year of entry; nothing where all years are here.
    year: Option<i16>,
}

/// The numbers of one party, from the first to the last without a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Run {
    /// Digest of the statement before the first.
    pub(super) before: Digest,
    pub(super) first: u64,
    pub(super) last: u64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entered {
    effect: bool,
    entered: Time,
    file: String,
}

/// `sluis evidence export --agreement NAME [--year Y] --to DIR`
pub(crate) fn export(
    socket: &Socket,
    agreement: &AgreementId,
    year: Option<i16>,
    to: &Path,
    json: bool,
) -> Result<()> {
    let Gathered { all, keys, head } = gather(socket, agreement)?;
    let (from, until) = run(&all, year).ok_or_else(|| {
        let when = year.map(|year| format!(" in {year}")).unwrap_or_default();
        Failure::refused(words!(
            "onder {agreement} werd niets gezegd{when}",
            "nothing was said under {agreement}{when}"
        ))
    })?;
    // What came before the run is read too: cases go on over new year. It is not written.
    let known = &all[..until];
    let texts = texts(socket, known, keys)?;
    let lines = known.iter().map(|once| line(once, &texts)).collect::<Result<Vec<_>>>()?;
    folder(to)?;
    let mut names = Vec::new();
    let digits = (until - from).to_string().len().max(4);
    for (place, (once, line)) in known.iter().zip(&lines).skip(from).enumerate() {
        let name = name(place, digits, &line.statement);
        pair(&to.join(&name), &once.signed)?;
        names.push(name);
    }
    let written = &lines[from..];
    let versions: Vec<Terms> = texts.values().map(|(_, terms)| terms.clone()).collect();
    let versions: Vec<&Terms> = versions.iter().collect();
    let texts: BTreeMap<_, _> = texts
        .into_iter()
        .filter(|(digest, _)| {
            *digest == keys || written.iter().any(|line| line.statement.header.terms == *digest)
        })
        .collect();
    let read: Head = serde_json::from_str(&head.statement).map_err(|e| {
        Failure::refused(words!(
            "de kern gaf iets dat geen hoofd is: {e}",
            "the core gave something that is no head: {e}"
        ))
    })?;
    let manifest = manifest(agreement, year, &read.party, written, &names, &texts);
    let put = |name: &str, bytes: &[u8]| file(&to.join(name), bytes, 0o644);
    pair(&to.join("ledger/head"), &head)?;
    for (digest, (text, _)) in &texts {
        put(&file_of(digest), text.as_bytes())?;
    }
    let (_, newest) = texts.get(&keys).ok_or_else(lost)?;
    put("allowed_signers", signers(newest).as_bytes())?;
    put(MANIFEST, &pretty(&manifest))?;
    put("verify.sh", SCRIPT.as_bytes())?;
    let last = lines.last().map(|line| line.statement.header.terms);
    let (_, terms) = last.and_then(|digest| texts.get(&digest)).ok_or_else(lost)?;
    for (lang, language) in [(Lang::Nl, "nl"), (Lang::En, "en")] {
        let report =
            Report { terms, versions: &versions, lines: &lines, from, year, head: &read, lang };
        put(&format!("report.{language}.html"), report::render(&report)?.as_bytes())?;
    }
    told(to, &names, json)
}

fn told(to: &Path, names: &[String], json: bool) -> Result<()> {
    if json {
        return output::json(&serde_json::json!({ "folder": to, "statements": names }));
    }
    let to = to.display();
    output::line(format!("{} statements in {to}; for people: report.nl.html", names.len()))?;
    output::line(format!("  sluis evidence verify {to} --trust FILE"))?;
    output::line(format!("  sh {to}/verify.sh {to} FILE"))
}

fn lost() -> Failure {
    Failure::refused(words!(
        "de kern heeft de tekst van de overeenkomst niet waarop een verklaring rust",
        "the core does not have the agreement's text that a statement rests on"
    ))
}

/// Everything that was said, as of one moment, which version's keys count then, and the head.
struct Gathered {
    all: Vec<SaidOnce>,
    keys: Digest,
    head: Signed,
}

fn gather(socket: &Socket, agreement: &AgreementId) -> Result<Gathered> {
    let mut ask = AskSaid { agreement: agreement.clone(), after: 0, until: None };
    let (mut all, mut first) = (Vec::new(), None);
    loop {
        let part: Said = socket.post("said", &ask)?;
        all.extend(part.statements);
        let (keys, head) = first.get_or_insert((part.keys, part.head)).clone();
        match all.last() {
            Some(SaidOnce { entry, .. }) if part.more && *entry > ask.after => ask.after = *entry,
            _ => return Ok(Gathered { all, keys, head }),
        }
        let read: Head = serde_json::from_str(&head.statement).map_err(|e| {
            Failure::refused(words!("de kern gaf geen hoofd: {e}", "the core gave no head: {e}"))
        })?;
        ask.until = Some(read.ledger.number);
    }
}

/// The last number that each party has said under an agreement, as far as this core knows.
pub(crate) fn last_numbers(
    socket: &Socket,
    agreement: &AgreementId,
) -> Result<BTreeMap<PartyId, u64>> {
    let mut last = BTreeMap::new();
    for once in &gather(socket, agreement)?.all {
        let header = read(once)?.header;
        last.insert(header.issuer, header.number);
    }
    Ok(last)
}

/// From which to before which they were entered in that year. What a clock that was set back dates otherwise stays
/// between: numbers have no gap.
fn run(all: &[SaidOnce], year: Option<i16>) -> Option<(usize, usize)> {
    let within = |once: &SaidOnce| year.is_none_or(|year| once.entered.date().year() == year);
    let from = all.iter().position(within)?;
    let last = all.iter().rposition(within)?;
    Some((from, last + 1))
}

type Texts = BTreeMap<Digest, (String, Terms)>;

/// Every text of the agreement that these rest on, and that of the version whose keys count.
fn texts(socket: &Socket, known: &[SaidOnce], keys: Digest) -> Result<Texts> {
    let mut texts = Texts::new();
    let mut named = known
        .iter()
        .map(|once| Ok(read(once)?.header.terms))
        .collect::<Result<BTreeSet<Digest>>>()?;
    named.insert(keys);
    for digest in named {
        let TermsText { text } = socket.post("terms", &AskTerms { terms: digest })?;
        let (terms, _) = agreements::parse(Path::new("(core)"), &text)?;
        if terms.digest != digest {
            return Err(lost());
        }
        texts.insert(digest, (text, terms));
    }
    Ok(texts)
}

fn read(once: &SaidOnce) -> Result<Statement> {
    Statement::read(once.signed.statement.as_bytes()).map_err(|e| {
        Failure::refused(words!(
            "de kern gaf iets dat geen verklaring is: {e}",
            "the core gave something that is no statement: {e}"
        ))
    })
}

fn line(once: &SaidOnce, texts: &Texts) -> Result<Line> {
    let statement = read(once)?;
    let (_, terms) = texts.get(&statement.header.terms).ok_or_else(lost)?;
    let side = terms.agreement.side_of(&statement.header.issuer).ok_or_else(lost)?;
    let (digest, at, effect) = (once.signed.digest(), once.entered, once.effect);
    Ok(Line { statement, digest, side, at, effect })
}

/// A text's file: named by the beginning of its digest.
pub(super) fn file_of(digest: &Digest) -> String {
    format!("agreement-{}.toml", sluis_core::notice::short(digest))
}

fn manifest(
    agreement: &AgreementId,
    year: Option<i16>,
    ledger: &PartyId,
    lines: &[Line],
    names: &[String],
    texts: &Texts,
) -> Manifest {
    let mut issuers: BTreeMap<PartyId, Run> = BTreeMap::new();
    for line in lines {
        let header = &line.statement.header;
        let run = Run { before: header.previous, first: header.number, last: header.number };
        issuers.entry(header.issuer.clone()).or_insert(run).last = header.number;
    }
    let entered = |(line, name): (&Line, &String)| Entered {
        effect: line.effect,
        entered: line.at,
        file: name.clone(),
    };
    Manifest {
        agreement: agreement.clone(),
        issuers,
        ledger: ledger.clone(),
        statements: lines.iter().zip(names).map(entered).collect(),
        texts: texts.keys().map(|digest| (file_of(digest), *digest)).collect(),
        version: 1,
        year,
    }
}

/// Keys sorted, two spaces, a line end: for people and for comparing.
fn pretty(manifest: &Manifest) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(manifest).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}
