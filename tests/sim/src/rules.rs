//! What must hold when the storm is over and persons did what there was to do (trust.md, section 2: nothing lost, nothing
//! twice, no word without its deed).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use sluis_core::agreement::Side;
use sluis_core::id::TransferId;
use sluis_core::ledger::{self, Entry};
use sluis_core::statement::{Body, Statement, Tip};
use sluis_core::{receipt, transfer};
use sluis_daemon::agency::status;
use sluis_daemon::books::Books;
use sluis_daemon::store::Record;

use crate::Sim;
use crate::exposures::{Share, exposures, twice};
use crate::storm::ZONE_AHEAD;

/// What a host knows of its transfers.
struct Known<S> {
    records: Vec<Record<S>>,
    /// Of each transfer the kinds that this party said; of a share that was accepted with its number.
    said: BTreeMap<TransferId, Vec<String>>,
    entries: Vec<Entry>,
}

impl Sim {
    fn books(&self, side: Side) -> &Books {
        match side {
            Side::Agency => &self.agency().core.books,
            Side::Municipality => &self.municipality().core.books,
        }
    }

    /// Remembers which drop each transfer holds.
    pub(crate) fn follow(&mut self) {
        let folder = self.path("private/mechelen");
        let taken = folder.is_dir().then(|| files(&folder));
        for path in taken.unwrap_or_default() {
            let Ok(content) = fs::read(&path) else { continue };
            let dropped = self.dropped.iter().filter(|(_, it)| **it == content);
            let id = path.iter().rev().find_map(|part| part.to_str()?.parse::<TransferId>().ok());
            for (name, _) in dropped {
                self.became.entry(name.clone()).or_default().extend(id);
            }
        }
    }

    /// Remembers how far both ledgers are: from here on that part never changes.
    pub async fn note(&mut self) {
        for side in [Side::Agency, Side::Municipality] {
            let head = self.books(side).store.begin().await.unwrap().head().await.unwrap();
            self.heads.push((side, head));
        }
    }

    /// Holds everything against the rules; what is broken.
    pub async fn broken(&self) -> Vec<String> {
        let mut broken = self.net.phones.faults();
        let agency = self.known::<transfer::State>(Side::Agency, &mut broken).await;
        let municipality = self.known::<receipt::State>(Side::Municipality, &mut broken).await;
        self.shares(&agency, &mut broken);
        agency.records.iter().for_each(|record| words(&agency.said, record, &mut broken));
        municipality
            .records
            .iter()
            .for_each(|record| deeds(&municipality.said, record, &mut broken));
        agency.records.iter().for_each(|record| releases(&agency, &record.id, &mut broken));
        agree(&agency, &municipality, &mut broken);
        self.feeds(&mut broken).await;
        self.files(&agency, &municipality, &mut broken);
        broken
    }

    async fn known<S: sluis_daemon::store::Stored>(
        &self,
        side: Side,
        broken: &mut Vec<String>,
    ) -> Known<S> {
        let books = self.books(side);
        let mut tx = books.store.begin().await.unwrap();
        let lines = tx.ledger(0, 1_000_000).await.unwrap();
        if let Err(error) = ledger::verify(Tip::start(), lines.iter().map(String::as_str)) {
            broken.push(format!("{side:?}: {error}"));
        }
        let entries: Vec<Entry> =
            lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        for (_, head) in self.heads.iter().filter(|(of, head)| *of == side && head.number > 0) {
            let at = usize::try_from(head.number).unwrap() - 1;
            if entries.get(at).is_none_or(|entry| entry.tip().unwrap() != *head) {
                broken.push(format!("{side:?}: entry {} of the ledger changed", head.number));
            }
        }
        let records: Vec<Record<S>> = tx.recent(100_000).await.unwrap();
        let mut said = BTreeMap::new();
        for record in &records {
            let statements = tx.statements(&record.id).await.unwrap();
            let own = statements.iter().map(|s| Statement::read(s.statement.as_bytes()).unwrap());
            let own = own.filter(|it| {
                it.header.issuer == books.party && !matches!(it.body, Body::Notice(..))
            });
            said.insert(record.id, own.map(|own| word(&own.body)).collect());
        }
        Known { records, said, entries }
    }

    /// A share is the same text over the same channel each time; it goes again only where the ledger says so.
    fn shares(&self, agency: &Known<transfer::State>, broken: &mut Vec<String>) {
        let (ledger, mut arrived) = (exposures(&agency.entries), BTreeMap::new());
        let mut handed: BTreeMap<Share, Vec<_>> = BTreeMap::new();
        // What has the number 0 is a word to an old telephone, and no share.
        for sms in self.net.phones.all().into_iter().filter(|sms| sms.index > 0) {
            handed.entry((sms.transfer, sms.index)).or_default().push(sms);
        }
        for ((transfer, index), all) in handed {
            let one: BTreeSet<_> = all.iter().map(|sms| (&sms.text, &sms.channel)).collect();
            if one.len() != 1 {
                broken.push(format!("{transfer:?}: share {index} went as {} texts", one.len()));
            }
            let entered = ledger.get(&(transfer, index)).map_or(0, |share| share.entered);
            if all.len() > entered {
                let handed = all.len();
                broken.push(format!(
                    "{transfer:?}: share {index}: {handed} messages, {entered} entered"
                ));
            }
            let taken = all.iter().filter(|sms| !sms.refused).count();
            arrived.insert((transfer, index), taken);
        }
        broken.extend(twice(&ledger, &arrived));
    }

    /// Each has read all that the other said.
    async fn feeds(&self, broken: &mut Vec<String>) {
        for side in [Side::Agency, Side::Municipality] {
            let (here, there) = (self.books(side), self.books(side.other()));
            let mut tx = here.store.begin().await.unwrap();
            let heard = here.cursor(&mut tx, &self.parts.name).await.unwrap();
            drop(tx);
            let mut tx = there.store.begin().await.unwrap();
            let said = tx.last_statement(&there.party, &self.parts.name).await.unwrap();
            if heard != said {
                let (heard, said) = (heard.number, said.number);
                let why = self.read_feed(side).await;
                broken.push(format!("{side:?} has heard {heard} of {said} statements: {why:?}"));
            }
        }
    }

    /// No file is lost, and nothing is left over.
    fn files(
        &self,
        agency: &Known<transfer::State>,
        municipality: &Known<receipt::State>,
        broken: &mut Vec<String>,
    ) {
        let every = files(self.dir.path());
        let place = |path: &Path, folder: &str| path.starts_with(self.path(folder));
        // What was never opened and is over for good may be gone, and what was destroyed: its owner was told.
        let ended = |id: &TransferId| {
            let expired = agency.records.iter().any(|it| {
                let over =
                    matches!(it.state, transfer::State::Expired | transfer::State::Withdrawn);
                it.id == *id && over
            });
            let there = municipality.records.iter().find(|it| it.id == *id);
            expired || there.is_some_and(|it| it.state.name() == "Destroyed")
        };
        let kept = |content: &Vec<u8>| {
            every.iter().any(|path| {
                let ours = place(path, "outbox") || place(path, "private") || place(path, "vault");
                ours && fs::read(path).is_ok_and(|found| found == *content)
            })
        };
        for (name, _) in self.dropped.iter().filter(|(_, content)| !kept(content)) {
            let became = self.became.get(name).cloned().unwrap_or_default();
            if !became.iter().any(ended) {
                broken.push(format!(
                    "{name} is nowhere, and none of its transfers ended: {became:?}"
                ));
            }
        }
        for path in &every {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let half = name.ends_with(".part") || name.starts_with(".aside-");
            let half = half || path.iter().any(|part| part == "opening");
            let left = ["private", "spool", "bundles"].iter().any(|folder| place(path, folder));
            // What it got while its clock was ahead, and believed, it keeps until then: that is not held (threat model, time).
            let was_ahead = self.net.met().contains_key(ZONE_AHEAD);
            let upload = place(path, "zone/mechelen/files") && !was_ahead;
            if half || left || upload {
                broken.push(format!("{} is left over", path.display()));
            }
            // What lies in the outbox was refused, and its owner is told.
            let told = name.starts_with("STATUS-") || every.contains(&status(path));
            if place(path, "outbox") && !told {
                broken.push(format!("{} was never taken nor refused", path.display()));
            }
        }
    }
}

/// The status of a drop.
fn status(drop: &Path) -> PathBuf {
    status::path(drop.parent().unwrap(), drop.file_name().unwrap())
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        match entry.file_type().unwrap().is_dir() {
            true => found.extend(files(&entry.path())),
            false => found.push(entry.path()),
        }
    }
    found
}

/// A statement as it may be said once of a transfer, or of a share of it.
fn word(body: &Body) -> String {
    match body {
        Body::ShareAccepted(accepted) => format!("share-accepted {}", accepted.index),
        body => body.kind().to_owned(),
    }
}

/// What became of the shares is said each time that none is under way any more: once, and once more after each word of a
/// person. What a custodian typed is entered once for each share.
fn releases(agency: &Known<transfer::State>, id: &TransferId, broken: &mut Vec<String>) {
    let mut fails = |what: String| broken.push(format!("{id:?}: {what}"));
    let said = agency.said[id].iter().filter(|kind| *kind == "released").count();
    let entries: Vec<_> = agency.entries.iter().filter(|it| it.transfer == Some(*id)).collect();
    let detail = |entry: &Entry, key: &str| entry.detail.get(key).cloned().unwrap_or_default();
    let states = entries.iter().map(|entry| (entry.kind.as_str(), detail(entry, "state")));
    let states: Vec<_> = states.filter(|(_, state)| !state.is_empty()).collect();
    let came_to_rest = states.windows(2).filter(|pair| {
        pair[0].1 == "Releasing" && ["Released", "Opened"].contains(&pair[1].1.as_str())
    });
    let failed = states.iter().any(|(_, state)| state == "Failed");
    let (rests, asked) =
        (came_to_rest.count(), states.iter().filter(|(kind, _)| *kind == "retry").count());
    if said > 1 + asked || !failed && said != rests {
        fails(format!("came to rest {rests} times, `released` was said {said} times: {states:?}"));
    }
    let typed: Vec<_> = entries.iter().filter(|it| it.kind == "shareaccepted").collect();
    let shares: BTreeSet<_> = typed.iter().map(|it| detail(it, "share")).collect();
    if shares.len() != typed.len() {
        fails(format!("a share that was typed is entered twice: {states:?}"));
    }
}

/// Each word once, and exactly those that go with where the transfer stands.
fn told(
    said: &BTreeMap<TransferId, Vec<String>>,
    record: (&TransferId, &str),
    must: &[&str],
    may: &[&str],
    broken: &mut Vec<String>,
) {
    let (id, state) = record;
    let said = &said[id];
    let kind = |word: &str| word.split(' ').next().unwrap_or_default().to_owned();
    let known = |word: &String| [must, may].concat().contains(&kind(word).as_str());
    // After a person's word the release is said once more: [`releases`].
    let once = || said.iter().filter(|word| *word != "released");
    let twice = once().count() != once().collect::<BTreeSet<_>>().len();
    let missing = must.iter().any(|must| !said.iter().any(|it| kind(it) == *must));
    if missing || twice || !said.iter().all(known) {
        broken.push(format!("{id:?} is {state}, and was said: {said:?}"));
    }
}

/// The agency's words and where its transfers stand.
fn words(
    said: &BTreeMap<TransferId, Vec<String>>,
    record: &Record<transfer::State>,
    broken: &mut Vec<String>,
) {
    let way = ["sent", "probed", "released"];
    let (must, may): (&[&str], &[&str]) = match record.state.name() {
        "Refused" => (&[], &[]),
        // Its time was over while shares left: what became of them nobody said any more.
        "Closed" if said[&record.id].iter().any(|it| it == "expired") => {
            (&["sent", "probed", "expired", "closed"], &["released", "failed"])
        }
        "Closed" => (&["sent", "probed", "released", "closed"], &["failed"]),
        "Expired" => (&["sent", "expired"], &["probed", "released", "failed"]),
        "Withdrawn" => (&["withdrawn"], &["sent", "probed", "released", "failed"]),
        "Superseded" => {
            (&["superseded"], &["sent", "probed", "released", "failed", "expired", "withdrawn"])
        }
        other => {
            // What is held says what for.
            let why = match &record.state {
                held @ transfer::State::Held { .. } => format!(": {held:?}"),
                _ => String::new(),
            };
            broken.push(format!("{:?} is {other} for ever{why}", record.code));
            (&[], &way)
        }
    };
    told(said, (&record.id, record.state.name()), must, may, broken);
}

/// The municipality's.
fn deeds(
    said: &BTreeMap<TransferId, Vec<String>>,
    record: &Record<receipt::State>,
    broken: &mut Vec<String>,
) {
    let (must, may): (&[&str], &[&str]) = match record.state.name() {
        "Opened" => (&["delivered", "removed", "share-accepted", "opened"], &["ready"]),
        "Destroyed" => {
            (&["delivered", "removed", "destroyed"], &["share-accepted", "opened", "ready"])
        }
        "Ended" => (&[], &["delivered", "removed", "ready", "share-accepted"]),
        "Failed" => (&["failed"], &[]),
        other => {
            broken.push(format!("{:?} is {other} for ever", record.code));
            (&[], &["delivered", "removed", "ready", "share-accepted"])
        }
    };
    told(said, (&record.id, record.state.name()), must, may, broken);
}

/// Both know the same of each transfer.
fn agree(
    agency: &Known<transfer::State>,
    municipality: &Known<receipt::State>,
    broken: &mut Vec<String>,
) {
    for record in &agency.records {
        let there = municipality.records.iter().find(|there| there.id == record.id);
        let there = there.map_or("nothing", |there| there.state.name());
        let (here, sent) =
            (record.state.name(), agency.said[&record.id].iter().any(|it| it == "sent"));
        let fits = match here {
            "Closed" => matches!(there, "Opened" | "Destroyed"),
            "Expired" | "Withdrawn" if sent => matches!(there, "Ended" | "Failed"),
            // Whoever opened it before the word came keeps it: the new one is what counts.
            "Superseded" if sent => matches!(there, "Ended" | "Failed" | "Opened"),
            _ => there == "nothing",
        };
        if !fits {
            broken.push(format!("{:?} is {here} here and {there} there", record.code));
        }
    }
    let unknown = municipality
        .records
        .iter()
        .filter(|there| !agency.records.iter().any(|here| here.id == there.id));
    unknown.for_each(|there| broken.push(format!("{:?} is unknown to the agency", there.code)));
}
