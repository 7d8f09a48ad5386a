//! Opening: typed lines, one by one; t of them open the envelope.
//!
//! Lines live in memory alone. The opened file is built apart and renamed: it is absent or whole.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use sluis_config::schema::Owner;
use sluis_core::control::{LineAnswer, TypedLine};
use sluis_core::envelope::{self, OpenError};
use sluis_core::id::{Digest, TransferId};
use sluis_core::receipt::{Event, State};
use sluis_core::share::{self, LineError, Share};
use sluis_core::statement::Sent;
use sluis_core::words::Words;
use sluis_core::{kinds, words};

use super::Municipality;
use crate::books::find;
use crate::error::{CoreError, Result};
use crate::gatehouse::{Caller, Core};
use crate::store::{Record, Tx, detail};
use crate::{accounts, durable, files, threads};

/// Lines that wait for more.
#[derive(Debug, Default)]
pub struct Typed {
    shares: BTreeMap<u8, Share>,
    by: BTreeMap<u8, u32>,
    /// When the last one came, in milliseconds of being up.
    last: i64,
}

impl Municipality {
    /// Takes a typed line: says at once whether it is mistyped, of another transfer, or not this share.
    ///
    /// # Errors
    /// [`CoreError::Refused`] with what is wrong and where.
    pub async fn line(&self, caller: Caller, typed: &TypedLine) -> Result<LineAnswer> {
        let mut tx = self.books.store.begin().await?;
        let id = find::<State>(&mut tx, &typed.code).await?.id;
        // Before the turn: what a crash left of it is put in order only where nobody is at it.
        self.its_vault(&mut tx).await?;
        self.books.commit(tx).await?;
        // The turn before the transaction: an opening holds the one while it wants the other.
        let turn = self.turn(&id);
        let _turn = turn.lock().await;
        let mut tx = self.books.store.begin().await?;
        let (mut record, terms) = self.books.load::<State>(&mut tx, &id).await?;
        let others = tx.open_codes().await?;
        let (sent, accepted, open) = match record.state.clone() {
            State::Removed { sent, accepted, .. } => (sent, accepted, false),
            // Of an exercise every custodian types, also those whom it does not need to open.
            State::Opened { sent, accepted, .. } if sent.exercise => (sent, accepted, true),
            State::Opened { .. } => {
                let note = self.row(&mut tx, &record).await?.note;
                let why = words!("het is al open: {}", "it is open already: {}"; note);
                return Err(CoreError::refused("not-now", why));
            }
            other => return Err(CoreError::refused("not-now", not_now(&other))),
        };
        self.books.may_go_on(&mut tx, &record.agreement).await?;
        self.its_vault(&mut tx).await?;
        let share = read(&typed.text, &record, &sent, &others)?;
        let index = share.index();
        self.is_own_line(caller, &sent, index)?;
        if open && accepted.contains(&index) {
            return Err(same_line(index));
        }
        if sent.exercise {
            confirms_one(&mut tx, caller, &record.id, index).await?;
        }
        if !accepted.contains(&index) {
            self.advance(&mut tx, &mut record, &terms, Event::ShareAccepted(index)).await?;
            let who = detail([("by", caller.name()), ("index", index.to_string())]);
            tx.enter(self.books.now(), "line", Some(record.id), who).await?;
        }
        let custodian = sent.routes.iter().find(|route| route.index == index);
        let custodian = custodian.map(|route| route.custodian.to_string()).unwrap_or_default();
        let (needed, rehearsal) = (sent.threshold, sent.rehearsal);
        if open {
            self.books.commit(tx).await?;
            let have = u8::try_from(accepted.len() + 1).unwrap_or(u8::MAX);
            return Ok(LineAnswer { index, custodian, have, needed, opened: None, rehearsal });
        }
        // Held last: what is refused here is not said, and what cannot be said is not held.
        self.may_hold(caller, &record, &sent, index)?;
        self.books.commit(tx).await?;
        let have = self.hold(caller, &record, share)?;
        let mut answer = LineAnswer { index, custodian, have, needed, opened: None, rehearsal };
        if have >= sent.threshold {
            answer.opened = Some(self.unlock(&record, &sent).await?.display().to_string());
        }
        Ok(answer)
    }

    /// Where the configuration says which user a custodian is, nobody else types that line.
    fn is_own_line(&self, caller: Caller, sent: &Sent, index: u8) -> Result<()> {
        let route = sent.routes.iter().find(|route| route.index == index);
        let Some(custodian) = route.map(|route| &route.custodian) else { return Ok(()) };
        let user = match self.settings.custodians.get(custodian) {
            None => return Ok(()),
            Some(Owner::Uid(uid)) => Some(*uid),
            Some(Owner::Name(name)) => accounts::user_id(name),
        };
        if user == Some(caller.uid) {
            return Ok(());
        }
        let why = words!(
            "art. 6: deze regel is van bewaarder {custodian}, en {} is een andere gebruiker (keeper.custodians)",
            "art. 6: this line is custodian {custodian}'s, and {} is another user (keeper.custodians)",
            caller.name()
        );
        Err(CoreError::refused("not-your-line", why))
    }

    /// One user may not type enough to open alone, unless all channels are folders; no line counts twice. An exercise
    /// is typed as a delivery is.
    fn may_hold(
        &self,
        caller: Caller,
        record: &Record<State>,
        sent: &Sent,
        index: u8,
    ) -> Result<()> {
        self.forget_old();
        let mut lines = self.lines.lock().map_err(|_| lost())?;
        let typed = lines.entry(record.id).or_default();
        let own =
            typed.by.iter().filter(|(other, uid)| **other != index && **uid == caller.uid).count();
        let alone = sent.rehearsal && !sent.exercise;
        if !alone && own + 1 >= usize::from(sent.threshold) {
            let why = words!(
                "art. 6: {} typte al {own} regels in, en met nog één zou één persoon alleen openen. Laat een andere bewaarder aanmelden en die intypen",
                "art. 6: {} has typed {own} lines already, and one more would let one person open alone. Let another custodian log in and type it",
                caller.name()
            );
            return Err(CoreError::refused("one-person", why));
        }
        if typed.shares.contains_key(&index) {
            return Err(same_line(index));
        }
        Ok(())
    }

    /// Keeps a line in memory; the answer is how many there are.
    fn hold(&self, caller: Caller, record: &Record<State>, share: Share) -> Result<u8> {
        let mut lines = self.lines.lock().map_err(|_| lost())?;
        let typed = lines.entry(record.id).or_default();
        typed.by.insert(share.index(), caller.uid);
        typed.shares.insert(share.index(), share);
        typed.last = self.books.up();
        Ok(u8::try_from(typed.shares.len()).unwrap_or(u8::MAX))
    }

    /// Combines exactly t shares, opens, and forgets them.
    async fn unlock(&self, record: &Record<State>, sent: &Sent) -> Result<PathBuf> {
        let shares: Vec<Share> = {
            let mut lines = self.lines.lock().map_err(|_| lost())?;
            let typed = lines.remove(&record.id).unwrap_or_default();
            typed.shares.into_values().take(usize::from(sent.threshold)).collect()
        };
        let used: Vec<u8> = shares.iter().map(Share::index).collect();
        let folder = self.vault(&record.agreement, &record.id, &record.code);
        let group = self.settings.groups.get(record.agreement.as_str());
        let group = group.map(|name| {
            accounts::group_id(name).ok_or_else(|| {
                CoreError::refused(
                    "group",
                    words!(
                        "keeper.groups: er is geen groep {name}",
                        "keeper.groups: there is no group {name}"
                    ),
                )
            })
        });
        let (group, at, size) = (group.transpose()?, folder.clone(), sent.size);
        // The key begins and ends on that thread.
        let open = move || {
            let key = share::combine(&shares);
            drop(shares);
            let key = key.map_err(|e| CoreError::refused("shares", e.words()))?;
            open_into(&key, &at, size, group).map_err(refusal)
        };
        let plaintext = threads::apart(open).await??;
        if plaintext != sent.plaintext {
            let _ = files::remove(&folder.join("opening"));
            let why = words!(
                "wat eruit kwam is niet wat het agentschap vastlegde; bel het",
                "what came out is not what the agency committed to; call them"
            );
            return Err(CoreError::refused("commitment", why));
        }
        let opened = folder.join("opened");
        let told = match publish(&folder, &opened).and_then(|()| self.clear_aside(record)) {
            Ok(()) => self.enter_opened(&record.id, plaintext, used).await,
            Err(error) => {
                Err(CoreError::Io("putting the opened file into the vault".into(), error))
            }
        };
        if let Err(error) = told {
            self.not_entered(record, error).await?;
        }
        Ok(opened)
    }

    /// What was opened and could not be entered goes again, unless it was all the same: what counts is in the store,
    /// whatever was heard of it. Where the store does not say, nobody reads it until the next start knows.
    async fn not_entered(&self, record: &Record<State>, error: CoreError) -> Result<()> {
        let folder = self.vault(&record.agreement, &record.id, &record.code);
        let halves = [folder.join("opening"), self.opened_folder(record)];
        let gone = match self.is_opened(&record.id).await {
            Ok(true) => return Ok(()),
            Ok(false) => &halves[..],
            Err(_) => {
                if let Err(error) = self.put_aside(record) {
                    tracing::error!(%error, "an opened list that is in no book cannot be put aside");
                }
                &halves[..1]
            }
        };
        for half in gone {
            let _ = files::remove(half);
        }
        Err(error)
    }

    /// The agency may have ended it meanwhile: then nothing was opened.
    async fn enter_opened(
        &self,
        id: &TransferId,
        plaintext: Digest,
        shares: Vec<u8>,
    ) -> Result<()> {
        let mut tx = self.books.store.begin().await?;
        let (mut now, terms) = self.books.load::<State>(&mut tx, id).await?;
        let event = Event::Opened { at: self.books.now(), plaintext, shares };
        self.advance(&mut tx, &mut now, &terms, event).await?;
        self.books.commit(tx).await
    }

    async fn is_opened(&self, id: &TransferId) -> Result<bool> {
        let mut tx = self.books.store.begin().await?;
        Ok(matches!(self.books.load::<State>(&mut tx, id).await?.0.state, State::Opened { .. }))
    }

    /// The opened files of a transfer.
    pub(super) fn opened_folder(&self, record: &Record<State>) -> PathBuf {
        self.vault(&record.agreement, &record.id, &record.code).join("opened")
    }

    /// What a crash left is what the books say of it: an envelope that is shut for them is shut, what is open for them
    /// stands open, and of what has ended nothing is kept.
    ///
    /// # Errors
    /// [`CoreError`].
    pub(super) async fn put_in_order(&self, tx: &mut Tx) -> Result<()> {
        for installed in self.books.agreements.iter() {
            let own = self.settings.vault.join(installed.terms.agreement.agreement.as_str());
            files::private_folder(&own).map_err(CoreError::io(own.display()))?;
        }
        for record in tx.recent::<State>(100_000).await? {
            // Whoever is at it leaves it as the books will say; it was another agreement that two persons went on with.
            let may_open = matches!(record.state, State::Collected { .. } | State::Removed { .. });
            let turn = may_open.then(|| self.turn(&record.id));
            let busy = turn.as_ref().map(|turn| turn.try_lock());
            if matches!(busy, Some(Err(_))) {
                continue;
            }
            let folder = self.vault(&record.agreement, &record.id, &record.code);
            let half = folder.join("opening");
            files::remove(&half).map_err(CoreError::io("clearing a half-opened file"))?;
            match record.state {
                State::Opened { .. } => self.put_back(&record)?,
                State::Ended { .. } | State::Failed { .. } => {
                    files::remove(&folder).map_err(CoreError::io("discarding an envelope"))?;
                }
                _ => self
                    .put_aside(&record)
                    .map_err(CoreError::io("putting aside what is not open"))?,
            }
        }
        Ok(())
    }

    /// Forgets the lines to which none was added for as long as they are kept, whatever the clock says.
    pub(super) fn forget_old(&self) {
        let keep = self.settings.forget_lines_s.saturating_mul(1000);
        let (now, keep) = (self.books.up(), i64::try_from(keep).unwrap_or(i64::MAX));
        if let Ok(mut lines) = self.lines.lock() {
            lines.retain(|_, typed| now.saturating_sub(typed.last) < keep);
        }
    }

    /// Forgets the lines of a transfer.
    pub(super) fn forget(&self, id: &TransferId) {
        if let Ok(mut lines) = self.lines.lock() {
            lines.remove(id);
        }
    }
}

/// Each custodian confirms an exercise: one user types one line of it, whenever that was and whatever was forgotten since.
async fn confirms_one(tx: &mut Tx, caller: Caller, exercise: &TransferId, index: u8) -> Result<()> {
    let (by, index) = (caller.name(), index.to_string());
    let typed = tx.timeline(exercise).await?;
    let mut typed = typed.iter().filter(|entry| entry.kind == "line").map(|entry| &entry.detail);
    let other = typed.find(|it| it.get("by") == Some(&by) && it.get("index") != Some(&index));
    let Some(other) = other.and_then(|line| line.get("index")) else { return Ok(()) };
    let why = words!(
        "art. 6: {by} typte in deze oefening al regel {other} in, en één gebruiker bevestigt één bewaarder. Laat de bewaarder van regel {index} zelf aanmelden en die intypen",
        "art. 6: {by} has typed line {other} of this exercise already, and one user confirms one custodian. Let the custodian of line {index} log in and type it"
    );
    Err(CoreError::refused("one-person", why))
}

fn same_line(index: u8) -> CoreError {
    let why = words!(
        "regel {index} is er al; typ die van een andere bewaarder in",
        "line {index} is in already; type one of another custodian"
    );
    CoreError::refused("same-line", why)
}

fn lost() -> CoreError {
    let why = words!(
        "de bewaardienst is zijn regels kwijt; herstart hem en typ ze opnieuw in",
        "the keeper has lost its lines; restart it and type them again"
    );
    CoreError::refused("failed", why)
}

/// Reads a line and holds it against its commitment in `sent`.
fn read(
    text: &str,
    record: &Record<State>,
    sent: &Sent,
    others: &[sluis_core::id::TransferCode],
) -> Result<Share> {
    let share = share::read_line(text, &record.code, others).map_err(|error| {
        let code = match error {
            LineError::OtherTransfer(_) => "other-transfer",
            LineError::Typo { .. }
            | LineError::Swapped { .. }
            | LineError::Symbol(_)
            | LineError::Whole
            | LineError::Garbled(_) => "mistyped",
            LineError::Length(_) => "length",
            LineError::Content => "not-a-share",
        };
        CoreError::refused(code, error.words())
    })?;
    let count = u8::try_from(sent.routes.len()).unwrap_or(u8::MAX);
    let committed = share::place(share.index()).and_then(|place| sent.commitments.get(place));
    if share.threshold() != sent.threshold
        || committed != Some(&share.commitment(&record.id, count))
    {
        let why = words!(
            "regel {} is juist getypt, maar het is niet het sleuteldeel dat het agentschap vastlegde; vraag het na bij het agentschap",
            "line {} is well typed, but it is not the share that the agency committed to; ask the agency",
            share.index()
        );
        return Err(CoreError::refused("not-this-share", why));
    }
    Ok(share)
}

/// Why it cannot be opened in this state.
pub(super) fn not_now(state: &State) -> Words {
    match state {
        State::Announced { .. } | State::Collected { .. } => words!(
            "de envelop is nog op weg naar de kluis: wacht tot `sluis list` `weg uit de sluiskom` zegt",
            "the envelope is still on its way into the vault: wait until `sluis list` says `Gone from the drop zone`"
        ),
        State::Opened { .. } => words!(
            "het is al open: het bestand staat in de kluis",
            "it is open already: the file stands in the vault"
        ),
        State::Ended { how, .. } => words!(
            "het agentschap beëindigde deze zending ({}); wie daar werkt kan ze opnieuw verzenden (sluis redeliver)",
            "the agency ended this transfer ({}); who works there can send it again (sluis redeliver)";
            Words::of(|language| kinds::statement(how, language).unwrap_or(how).to_owned())
        ),
        State::Failed { what, .. } => words!(
            "wat kwam was niet wat aangekondigd was ({what}); vraag een herlevering",
            "what came was not what was announced ({what}); ask for a redelivery"
        ),
        State::Destroying { .. } | State::Destroyed { .. } => words!(
            "het werd vernietigd, op het woord van twee personen; vraag een nieuwe lijst",
            "it was destroyed, on the word of two persons; ask for a new list"
        ),
        State::Removed { .. } => words!("nu niet", "not now"),
    }
}

/// Opens the envelope into the folder `opening`, each file fsynced; nothing of it counts before the end.
fn open_into(
    key: &sluis_core::key::TransferKey,
    folder: &Path,
    size: u64,
    group: Option<u32>,
) -> std::result::Result<Digest, OpenError> {
    let envelope = files::open_plain(&folder.join("envelope.age"))?;
    // "Cut short" and "damaged" are told apart by the length.
    let length = envelope.metadata()?.len();
    if length != size {
        return Err(OpenError::Damaged(format!(
            "cut short: {length} of {size} bytes are in the vault"
        )));
    }
    let apart = folder.join("opening");
    files::remove(&apart)?;
    make_folder(&apart, group)?;
    let opened = envelope::unpack(
        key,
        std::io::BufReader::with_capacity(256 * 1024, envelope),
        |path, content| place(&apart, path, content, group),
    );
    if opened.is_err() {
        let _ = files::remove(&apart);
    }
    opened
}

fn place(
    apart: &Path,
    path: &Path,
    content: &mut dyn Read,
    group: Option<u32>,
) -> std::io::Result<()> {
    let to = apart.join(path);
    let mut folder = apart.to_owned();
    for part in path.parent().into_iter().flat_map(Path::components) {
        folder.push(part);
        if !folder.is_dir() {
            make_folder(&folder, group)?;
        }
    }
    let mut file = durable::create_new(&to, 0o600)?;
    std::io::copy(content, &mut file)?;
    files::give_to_group(&to, group)?;
    file.mode(0o640)?;
    file.sync()
}

fn make_folder(path: &Path, group: Option<u32>) -> std::io::Result<()> {
    durable::folder(path, 0o700)?;
    files::give_to_group(path, group)?;
    durable::mode(path, 0o750)
}

/// From apart to its place, in one step; the folders above let the group through to it.
fn publish(folder: &Path, opened: &Path) -> std::io::Result<()> {
    files::remove(opened)?;
    sync_folders(&folder.join("opening"))?;
    durable::rename(&folder.join("opening"), opened)?;
    durable::mode(folder, 0o711)?;
    if let Some(agreement) = folder.parent() {
        durable::mode(agreement, 0o711)?;
    }
    files::sync_folder(folder)
}

fn sync_folders(folder: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_folders(&entry.path())?;
        }
    }
    files::sync_folder(folder)
}

fn refusal(error: OpenError) -> CoreError {
    match error {
        OpenError::Io(error) => CoreError::Io("opening the envelope".into(), error),
        OpenError::WrongKey => CoreError::refused("wrong-key", error.words()),
        OpenError::Damaged(_) => CoreError::refused("damaged", error.words()),
        OpenError::Forbidden(_) => CoreError::refused("forbidden-content", error.words()),
    }
}
