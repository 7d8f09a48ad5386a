//! The folder that proves itself: of one transfer, of a year, or of all that was said under an agreement.
//!
//! The same ledger gives the same bytes: nothing here looks at a clock, and every order is that of the ledger or of
//! the names.

use std::collections::BTreeSet;
use std::path::Path;

use sluis_core::control::AskHead;
use sluis_core::evidence::Terms;
use sluis_core::id::Digest;
use sluis_core::ledger::Part;
use sluis_core::statement::Signed;
use sluis_core::{export, words};

use super::gathered::{Gathered, Texts, line, lost, texts};
use crate::failure::{Failure, Result};
use crate::init::file;
use crate::language::Lang;
use crate::report::{self, Line, Report};
use crate::socket::Socket;

/// The script that verifies the folder without Sluis.
const SCRIPT: &str = include_str!("../../../docs/verify-evidence.sh");
/// The signed head.
pub(super) const HEAD: &str = "ledger/head";
/// The list that it signs.
pub(super) const LIST: &str = "ledger/list";
/// What its party decided and found, which it signs too.
pub(super) const DECISIONS: &str = "ledger/decisions";
/// The keys of both parties.
pub(super) const SIGNERS: &str = "allowed_signers";

/// Writes what a core has into a folder; gives the names of the statements, in the order of the list.
pub(crate) fn write(socket: &Socket, ask: &AskHead, to: &Path) -> Result<Vec<String>> {
    let gathered = Gathered::ask(socket, ask)?;
    let Gathered { head, signed, all, chosen, .. } = &gathered;
    // What came before a part is read too: cases go on over new year. It is not written.
    let own = chosen.iter().rfind(|(_, listed)| !listed.is_earlier());
    let until = own.map_or(all.len(), |(place, _)| place + 1);
    let texts = texts(socket, &all[..until], head.terms)?;
    let lines = all[..until].iter().map(|once| line(once, &texts)).collect::<Result<Vec<_>>>()?;
    folder(to)?;
    let put = |name: &str, bytes: &[u8]| file(&to.join(name), bytes, 0o644);
    let mut named = BTreeSet::from([head.terms]);
    for (place, listed) in chosen {
        pair(&to.join(&listed.file), &all[*place].signed)?;
        named.insert(lines[*place].statement.header.terms);
    }
    pair(&to.join(HEAD), signed)?;
    put(LIST, gathered.list().as_bytes())?;
    put(DECISIONS, gathered.decisions().as_bytes())?;
    for digest in &named {
        let (text, _) = texts.get(digest).ok_or_else(lost)?;
        put(&file_of(digest), text.as_bytes())?;
    }
    let (_, newest) = texts.get(&head.terms).ok_or_else(lost)?;
    put(SIGNERS, export::signers(newest).as_bytes())?;
    put("verify.sh", SCRIPT.as_bytes())?;
    if !matches!(head.of, Part::Transfer(_)) {
        reports(&gathered, &texts, &lines, put)?;
    }
    Ok(chosen.iter().map(|(_, listed)| listed.file.clone()).collect())
}

/// The page for people, in both languages.
fn reports(
    gathered: &Gathered,
    texts: &Texts,
    lines: &[Line],
    put: impl Fn(&str, &[u8]) -> Result<()>,
) -> Result<()> {
    let Gathered { head, chosen, decided, .. } = gathered;
    let own = chosen.iter().find(|(_, listed)| !listed.is_earlier());
    let from = own.map_or(lines.len(), |(place, _)| *place);
    let year = if let Part::Year(year) = head.of { Some(year) } else { None };
    let versions: Vec<&Terms> = texts.values().map(|(_, terms)| terms).collect();
    let last = lines.last().map_or(head.terms, |line| line.statement.header.terms);
    let (_, terms) = texts.get(&last).ok_or_else(lost)?;
    for (lang, language) in [(Lang::Nl, "nl"), (Lang::En, "en")] {
        let report = Report { terms, versions: &versions, lines, from, year, decided, head, lang };
        put(&format!("report.{language}.html"), report::render(&report)?.as_bytes())?;
    }
    Ok(())
}

/// The folder that evidence goes into: new, or empty.
fn folder(to: &Path) -> Result<()> {
    std::fs::create_dir_all(to.join("ledger")).map_err(Failure::io(to.display()))?;
    if std::fs::read_dir(to).map_err(Failure::io(to.display()))?.count() > 1 {
        return Err(Failure::coded(
            "exists",
            words!(
                "{} is niet leeg: bewijs komt in een eigen map",
                "{} is not empty: evidence goes into a folder of its own",
                to.display()
            ),
        ));
    }
    Ok(())
}

fn pair(path: &Path, signed: &Signed) -> Result<()> {
    file(path, signed.statement.as_bytes(), 0o644)?;
    let mut signature = path.as_os_str().to_owned();
    signature.push(".sig");
    file(Path::new(&signature), signed.signature.as_bytes(), 0o644)
}

/// A text's file: named by its whole digest, so that no two texts have one name.
pub(super) fn file_of(digest: &Digest) -> String {
    format!("agreement-{digest}.toml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_texts_whose_digests_begin_alike_have_two_names() {
        let named = |end: char| file_of(&format!("{}{end}", "0".repeat(63)).parse().unwrap());
        assert_ne!(named('1'), named('2'));
    }
}
