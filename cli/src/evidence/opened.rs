//! A folder of evidence as it is read: its head, the list that the head signs, texts and statements, each held against
//! the verifier's own keys.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;

use sluis_config::agreements;
use sluis_core::agreement::Side;
use sluis_core::agreement::keys::is_same_key;
use sluis_core::evidence::{Terms, Verified};
use sluis_core::export::{self, Listed};
use sluis_core::id::{Digest, PartyId};
use sluis_core::ledger::{self, Head};
use sluis_core::statement::{self, Header, Signed, Statement};
use sluis_core::words;
use sluis_core::words::Words;

use super::facts::Held;
use super::folder::{DECISIONS, HEAD, LIST, SIGNERS, file_of};
use super::trust::Trust;
use crate::failure::{Failure, Result, exit};

/// The largest signature that is read, in bytes.
const SIGNATURE: usize = 4096;
/// The largest list, in bytes.
const LARGEST: usize = 256 << 20;
/// The largest text of an agreement, and file of keys, in bytes.
const TEXT: usize = 1 << 20;

/// What the folder says it has.
pub(super) struct Folder<'a> {
    path: &'a Path,
    trust: Trust,
    signed: Signed,
    pub(super) head: Head,
    list: Vec<Listed>,
}

pub(super) fn broken(what: Words) -> Failure {
    Failure::new(exit::REFUSED, "broken", words!("het klopt niet: {}", "{}"; what))
}

/// What is wrong with a file of the folder.
fn at(file: &str, what: Words) -> Failure {
    let file = words::shown(file);
    broken(words!("{file}: {}", "{file}: {}"; what))
}

impl<'a> Folder<'a> {
    /// Reads the head, which a key must have signed that the verifier has for its party: nothing else is read before
    /// that. Then the list and the keys that it names.
    pub(super) fn open(path: &'a Path, trust: &Path) -> Result<Self> {
        std::fs::read_dir(path).map_err(|error| {
            let path = path.display();
            let why = words!("de map {path}: {}", "the folder {path}: {}"; Words::io(&error));
            Failure::new(exit::IO, "io", why)
        })?;
        let trust = Trust::read(trust)?;
        let signed = pair(path, HEAD)?;
        let head = Head::read(&signed.statement);
        let head = head.ok_or_else(|| at(HEAD, words!("dit is geen hoofd", "this is no head")))?;
        let keys = trust.keys(&head.party).map_err(|why| at(HEAD, why))?;
        if !keys.iter().any(|key| key.counts_for(ledger::NAMESPACE) && is_by(key, &head, &signed)) {
            return Err(unsigned(&head.party));
        }
        let other = || words!("niet wat het hoofd noemt", "not what the head names");
        let text = read(path, LIST, LARGEST)?;
        if Digest::of(text.as_bytes()) != head.list {
            return Err(at(LIST, other()));
        }
        let list = export::read(&text).ok_or_else(|| {
            at(LIST, words!("dit is geen lijst van verklaringen", "this is no list of statements"))
        })?;
        if Digest::of(read(path, DECISIONS, LARGEST)?.as_bytes()) != head.decisions {
            return Err(at(DECISIONS, other()));
        }
        if Digest::of(read(path, SIGNERS, TEXT)?.as_bytes()) != head.signers {
            return Err(at(SIGNERS, other()));
        }
        let folder = Self { path, trust, signed, head, list };
        let listed: BTreeSet<&str> = folder.list.iter().map(|it| it.file.as_str()).collect();
        let there = folder.files(|name| name.ends_with(".json"))?;
        match there.iter().find(|file| !listed.contains(file.as_str())) {
            Some(file) => Err(at(file, unnamed())),
            None => Ok(folder),
        }
    }

    /// Whether a file of this name lies there.
    pub(super) fn has(&self, file: &str) -> bool {
        self.path.join(file).symlink_metadata().is_ok()
    }

    /// The texts of the agreement, each with the keys of the version that counts: that one tells which key signed which
    /// number.
    pub(super) fn texts(&self) -> Result<Vec<Terms>> {
        let mut all = Vec::new();
        for file in self.files(|name| name.starts_with("agreement") && name.ends_with(".toml"))? {
            let text = read(self.path, &file, TEXT)?;
            if file_of(&Digest::of(text.as_bytes())) != file {
                let name =
                    words!("het heet niet naar wat erin staat", "its name is not what is in it");
                return Err(at(&file, name));
            }
            let terms = agreements::parse(&self.path.join(&file), &text)?.0;
            let sides = [&terms.agreement.agency.id, &terms.agreement.municipality.id];
            if sides != [&self.head.agency, &self.head.municipality] {
                let other = words!(
                    "het noemt andere partijen dan het hoofd",
                    "it names other parties than the head"
                );
                return Err(at(&file, other));
            }
            all.push(terms);
        }
        let counting = all.iter().find(|terms| terms.digest == self.head.terms);
        let keys = counting.map(|terms| terms.agreement.keys.clone()).ok_or_else(|| {
            broken(words!(
                "de tekst van de overeenkomst waarvan de sleutels tellen, is er niet of is een andere",
                "the agreement's text whose keys count is not here, or is another one"
            ))
        })?;
        Ok(all.into_iter().map(|terms| terms.under(&keys)).collect())
    }

    /// No text lies here that neither the head nor a statement names.
    pub(super) fn has_no_other(
        &self,
        texts: &[Terms],
        statements: &[(Listed, Held<'_>)],
    ) -> Result<()> {
        let said = statements.iter().map(|(_, (said, _))| said.statement().header.terms);
        let named: BTreeSet<Digest> = said.chain([self.head.terms]).collect();
        match texts.iter().find(|terms| !named.contains(&terms.digest)) {
            Some(terms) => Err(at(&file_of(&terms.digest), unnamed())),
            None => Ok(()),
        }
    }

    /// Every statement with the terms that it holds under, in the order of the list.
    pub(super) fn statements<'t>(&self, texts: &'t [Terms]) -> Result<Vec<(Listed, Held<'t>)>> {
        let (mut statements, mut places) = (Vec::new(), [0, 0]);
        for listed in &self.list {
            let file = &listed.file;
            let place = &mut places[usize::from(listed.is_earlier())];
            *place += 1;
            let signed = pair(self.path, file)?;
            let signature = Digest::of(signed.signature.as_bytes());
            if [signed.digest(), signature] != [listed.statement, listed.signature] {
                let other =
                    words!("andere bytes dan het hoofd noemt", "other bytes than the head names");
                return Err(at(file, other));
            }
            let held = self.held(&signed, texts).map_err(|why| at(file, why))?;
            if export::file_of(listed.is_earlier(), *place, held.0.statement()) != *file {
                let name =
                    words!("het heet niet naar wat erin staat", "its name is not what is in it");
                return Err(at(file, name));
            }
            statements.push((listed.clone(), held));
        }
        Ok(statements)
    }

    fn held<'t>(
        &self,
        signed: &Signed,
        texts: &'t [Terms],
    ) -> std::result::Result<Held<'t>, Words> {
        let said = Statement::read(signed.statement.as_bytes()).map_err(|e| e.words())?;
        let terms = texts.iter().find(|terms| terms.digest == said.header.terms);
        let terms = terms.ok_or_else(|| {
            words!(
                "gemaakt onder een andere tekst van de overeenkomst",
                "it was made under another text of the agreement"
            )
        })?;
        let side = terms.agreement.side_of(&said.header.issuer).ok_or_else(|| {
            words!(
                "wie het zegt, is geen partij van de overeenkomst",
                "its issuer is no party of the agreement"
            )
        })?;
        self.is_trusted(&said.header, terms, side)?;
        let verified = Verified::check(signed, terms, side).map_err(|e| e.words())?;
        Ok((verified, terms))
    }

    /// Whether the verifier trusts the key that the agreement gives this number. The verifier's keys count, not those
    /// that came with the evidence.
    fn is_trusted(
        &self,
        header: &Header,
        terms: &Terms,
        side: Side,
    ) -> std::result::Result<(), Words> {
        let (id, number) = (&header.issuer, header.number);
        let key = terms.agreement.party_keys(side).statement_key(number);
        self.trust.has(id, key, statement::NAMESPACE)?.then_some(()).ok_or_else(|| {
            let path = &self.trust;
            words!(
                "volgens de overeenkomst ondertekent {key} nummer {number} van {id}, en {path} geeft die sleutel niet",
                "by the agreement {key} signs number {number} of {id}, and {path} does not give it"
            )
        })
    }

    /// The head is signed by its party, with a key that may sign after the last of its statements here, and which the
    /// verifier trusts.
    pub(super) fn is_signed(&self, texts: &[Terms], own: &[&Held<'_>]) -> Result<()> {
        let party = &self.head.party;
        let no_party = || {
            let no = words!(
                "{party} is geen partij van de overeenkomst",
                "{party} is no party of the agreement"
            );
            at(HEAD, no)
        };
        let counting = texts.iter().find(|terms| terms.digest == self.head.terms);
        let terms = counting.filter(|it| it.agreement.agreement == self.head.agreement);
        let terms = terms.ok_or_else(no_party)?;
        let side = terms.agreement.side_of(party).ok_or_else(no_party)?;
        let said = own.iter().map(|(said, _)| &said.statement().header);
        let last = said.filter(|header| header.issuer == *party).map(|header| header.number).max();
        let keys = terms.agreement.party_keys(side);
        let next = keys.statement_key(last.unwrap_or(0) + 1);
        for (_, key) in keys.history().skip_while(|(_, key)| !is_same_key(key, next)) {
            let trusted = self.trust.has(party, key, ledger::NAMESPACE);
            if is_by(key, &self.head, &self.signed) && trusted.map_err(|why| at(HEAD, why))? {
                return Ok(());
            }
        }
        Err(unsigned(party))
    }

    /// The names in the folder that are wanted, sorted.
    fn files(&self, wanted: impl Fn(&str) -> bool) -> Result<Vec<String>> {
        let entries = std::fs::read_dir(self.path).map_err(Failure::io(self.path.display()))?;
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut names: Vec<String> = names.filter(|name| wanted(name)).collect();
        names.sort();
        Ok(names)
    }
}

fn unnamed() -> Words {
    words!("het hoofd noemt het niet", "the head does not name it")
}

fn unsigned(party: &PartyId) -> Failure {
    let no = words!(
        "niet ondertekend met een sleutel van {party} die u vertrouwt",
        "it is not signed by a key of {party} that you trust"
    );
    at(HEAD, no)
}

/// Whether this key of its party signed the head.
fn is_by(key: &str, head: &Head, signed: &Signed) -> bool {
    let Signed { statement, signature } = signed;
    let party = head.party.as_str();
    statement::verify(key, ledger::NAMESPACE, statement.as_bytes(), signature, party).is_ok()
}

/// A file of the folder, of at most so many bytes. One that is not there, or is no text, is evidence that does not
/// hold; a link, a pipe or a device is none either.
fn read(folder: &Path, file: &str, most: usize) -> Result<String> {
    let path = folder.join(file);
    let is = match std::fs::symlink_metadata(&path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            return Err(at(
                file,
                words!(
                    "het is er niet; is {} een map die `sluis evidence export` schreef?",
                    "it is not here; is {} a folder that `sluis evidence export` wrote?",
                    folder.display()
                ),
            ));
        }
        is => is.map_err(Failure::io(path.display()))?,
    };
    if !is.is_file() {
        return Err(at(file, words!("dit is geen gewoon bestand", "this is no regular file")));
    }
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(&path).map_err(Failure::io(path.display()))?;
    let bound = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    opened.take(bound).read_to_end(&mut bytes).map_err(Failure::io(path.display()))?;
    if bytes.len() > most {
        let large = words!("het is groter dan {most} bytes", "it is larger than {most} bytes");
        return Err(at(file, large));
    }
    String::from_utf8(bytes).map_err(|_| at(file, words!("dit is geen tekst", "this is no text")))
}

fn pair(folder: &Path, file: &str) -> Result<Signed> {
    let statement = read(folder, file, statement::MAX_BYTES)?;
    Ok(Signed { statement, signature: read(folder, &format!("{file}.sig"), SIGNATURE)? })
}
