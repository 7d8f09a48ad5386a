//! Claiming: a settled drop is taken by rename, or told why not; what a crash left goes back.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use sluis_core::control::Send;
use sluis_core::id::{AgreementId, Digest, Nis, Time, TransferCode, TransferId};
use sluis_core::policy::{self, Reason};
use sluis_core::transfer::{Event, Illegal, State, Work};
use sluis_core::words;
use sluis_core::words::Words;

use super::request::Known;
use super::{Agency, admission, outbox, queue, status};
use crate::books::{NOT_HEARD, find};
use crate::error::{CoreError, Result};
use crate::store::{Record, Tx, detail};
use crate::threads::blocking;
use crate::{durable, files};

/// The file in a private folder that keeps the drop's name; names are never in the store.
const NAME: &str = ".name";
/// The file in the private folder of a redelivery that says which transfer the plaintext was taken from.
const REPLACES: &str = ".replaces";
/// The file in a private folder that keeps for whose residents the list was drawn, by the word of whoever offered it.
const DRAWN_FOR: &str = ".drawn-for";
const OFFERED_BY: &str = ".offered-by";

/// The code of what was taken, or why it was not; no reason where its owner took it away meanwhile.
pub type Claim = std::result::Result<TransferCode, Vec<Reason>>;

impl Agency {
    /// Events of the outbox were lost.
    pub fn lost(&self, outbox: &mut outbox::Outbox) {
        outbox.lost(Time(self.books.clock.up()));
    }

    /// Looks through the outbox, and takes what has settled. `true`: something still settles.
    pub async fn look(&self, outbox: &mut outbox::Outbox) -> bool {
        if let Err(error) = self.bring_back_later().await {
            tracing::error!(%error, "what lies in the private folder cannot be looked through");
        }
        self.returned().into_iter().for_each(|path| outbox.returned(path));
        let untold = self.tell_later();
        // How long something lies still is no matter of what time it is said to be.
        let (found, settling) = match outbox.look(Time(self.books.clock.up())) {
            Ok(looked) => looked,
            Err(error) => {
                tracing::error!(%error, "the outbox cannot be read");
                return false;
            }
        };
        self.tell_misplaced(outbox.misplaced());
        for found in found {
            match self.claim(&found).await {
                Ok(Ok(code)) => tracing::info!(%code, "a drop was taken"),
                Ok(Err(_)) => outbox.refused(found.path()),
                Err(CoreError::Refused(waits)) if waits.code == NOT_HEARD => {
                    tracing::info!("a drop waits until the other party was heard");
                    outbox.told(found.path());
                }
                Err(error) => {
                    tracing::error!(%error, "a drop cannot be taken; it is looked at again at the next rescan");
                    outbox.told(found.path());
                }
            }
        }
        settling || untold
    }

    /// Takes what has settled. An entry that cannot leave stays where it lies, with its status beside it.
    ///
    /// # Errors
    /// [`CoreError`].
    pub async fn claim(&self, found: &outbox::Found) -> Result<Claim> {
        let _turn = self.claiming.lock().await;
        self.claim_now(found, Word::default()).await
    }

    /// Moves what a person laid ready to its place in the outbox, and takes it before anybody else does.
    /// The hidden folder must be that person's own and no link: nobody moves what is not theirs.
    pub(super) async fn claim_ready(&self, ask: &Send, uid: u32) -> Result<Claim> {
        let _turn = self.claiming.lock().await;
        let refused = |why| CoreError::refused("not-placed", why);
        let name = OsStr::new(&ask.name);
        if !sluis_core::envelope::is_plain_name(name) || outbox::is_left_alone(name) {
            return Err(refused(words!(
                "een bestand met zo'n naam wordt nooit uit de outbox genomen; verzend het onder een andere",
                "a name like that is never taken from the outbox; send it under another"
            )));
        }
        // Where a person says that it is another municipality's, it never lies where it would be taken without that word.
        let installed = self.books.agreements.get(&ask.agreement);
        let agreement = installed.map(|installed| &installed.terms.agreement);
        let whose = agreement.map(|it| policy::residents(it, ask.drawn_for.as_ref()));
        if let Some(Err(reason @ Reason::DrawnForAnother { .. })) = whose {
            let words = Words::of(|language| reason.text(language));
            self.enter_refusal(Some((&ask.agreement, false)), vec![reason], None).await?;
            return Err(CoreError::refused("drawn-for-another", words));
        }
        // While nothing is taken it stays its owner's: it would be taken later, without that word.
        if installed.is_some() {
            let mut tx = self.books.store.begin().await?;
            self.books.may_go_on(&mut tx, &ask.agreement).await?;
        }
        let parent = self.settings.outbox.join(ask.agreement.as_str());
        let failed = || CoreError::io("looking into the outbox");
        let outbox = std::fs::File::open(&parent).map_err(failed())?;
        let ready = admission::open_beneath(&outbox, Path::new(&ask.folder())).map_err(|_| {
            refused(words!(
                "onder die naam werd niets klaargelegd",
                "nothing was laid ready under that name"
            ))
        })?;
        let meta = ready.metadata().map_err(failed())?;
        if !meta.is_dir() || meta.uid() != uid {
            return Err(refused(words!(
                "wat klaargelegd werd is niet van u",
                "what was laid ready is not yours"
            )));
        }
        let name_at = Path::new(name);
        let over = lies_refused(&parent.join(name), uid);
        durable::rename_below((&ready, name_at), (&outbox, name_at), over).map_err(|error| {
            refused(words!(
                "het kan niet in de outbox: {}; ligt er al iets met die naam, haal dat weg of verzend onder een andere",
                "it cannot be put into the outbox: {}; where something lies there by that name, take it away or send under another";
                Words::io(&error)
            ))
        })?;
        let _ = durable::remove_folder(&parent.join(ask.folder()));
        let found = outbox::Found::Settled(parent.join(name));
        let word = Word { drawn_for: ask.drawn_for.as_ref(), by: Some(uid) };
        self.claim_now(&found, word).await
    }

    async fn claim_now(&self, found: &outbox::Found, word: Word<'_>) -> Result<Claim> {
        if found.path().symlink_metadata().is_err() {
            return Ok(Err(Vec::new()));
        }
        let (path, growing) = match found {
            outbox::Found::Settled(path) => (path, false),
            outbox::Found::Growing(path) => (path, true),
        };
        let Some((folder, name)) = outbox::parts(&self.settings.outbox, path) else {
            return Ok(Err(Vec::new()));
        };
        let parent = self.settings.outbox.join(&folder);
        let agreement = folder.parse().ok().filter(|id| self.books.agreements.get(id).is_some());
        let Some(agreement) = agreement else {
            return self.refuse(None, (&parent, &name), vec![Reason::UnknownAgreement], word).await;
        };
        if growing {
            let of = Some((&agreement, false));
            return self.refuse(of, (&parent, &name), vec![Reason::Unsettled], word).await;
        }
        let owners = self.owners.clone();
        let (at, what) = (parent.clone(), PathBuf::from(&name));
        let survey = blocking(move || admission::survey(&at, &what, &owners)).await?;
        let items = match survey {
            Ok(items) => items,
            Err(reasons) => {
                let of = Some((&agreement, false));
                return self.refuse(of, (&parent, &name), reasons, word).await;
            }
        };
        let mut tx = self.books.store.begin().await?;
        self.books.may_go_on(&mut tx, &agreement).await?;
        drop(tx);
        let exercise = self.is_exercise(&parent, &items).await?;
        let of = Some((&agreement, exercise));
        let known = Known { replaces: None, drawn_for: word.drawn_for.cloned(), exercise };
        if let Err(reasons) = self.admit(&agreement, &parent, items.clone(), known).await? {
            return self.refuse(of, (&parent, &name), reasons, word).await;
        }
        // Whoever put it there may not have: from here on it is ours to keep.
        let at = parent.clone();
        if let Err(error) = blocking(move || admission::sync(&at, &items)).await? {
            // The disk did not take its bytes, and a second try would say that it did: whoever has them offers them again.
            tracing::error!(%error, "the bytes of a drop cannot be made durable");
            return self.refuse(of, (&parent, &name), vec![Reason::Unreadable], word).await;
        }
        self.begin((&agreement, exercise), &parent, &name, word).await.map(Ok)
    }

    /// Claims by rename, then enters it. A crash in between is mended by [`Agency::put_in_order`].
    async fn begin(
        &self,
        (agreement, exercise): (&AgreementId, bool),
        parent: &Path,
        name: &OsStr,
        word: Word<'_>,
    ) -> Result<TransferCode> {
        let id = TransferId::random();
        let private = self.private(agreement, &id);
        let entered = match take(&private, parent, name, word) {
            Ok(()) => self.enter_claim((agreement, exercise), id).await,
            Err(error) => Err(error),
        };
        if entered.is_err() {
            // What no transfer knows goes back to the outbox now, not only at the next start.
            self.bring_back().await?;
        }
        entered
    }

    async fn enter_claim(&self, of: (&AgreementId, bool), id: TransferId) -> Result<TransferCode> {
        let mut tx = self.books.store.begin().await?;
        let code = self.enter_claimed(&mut tx, of, id, None).await?;
        self.books.commit(tx).await?;
        Ok(code)
    }

    /// The transfer, its work and its entry. An exercise is marked from here on.
    async fn enter_claimed(
        &self,
        tx: &mut Tx,
        (agreement, exercise): (&AgreementId, bool),
        id: TransferId,
        replaces: Option<TransferId>,
    ) -> Result<TransferCode> {
        let record = self.enter(tx, agreement, id, State::Claimed, replaces).await?;
        if exercise {
            tx.rehearses(&id, agreement).await?;
        }
        let now = self.books.now();
        queue(tx, (agreement, Some(id)), &Work::Seal, now).await?;
        let detail = match replaces {
            Some(old) => detail([("replaces", old.to_string())]),
            None => detail([("agreement", agreement.to_string())]),
        };
        tx.enter(now, "claimed", Some(id), detail).await?;
        self.touch(id);
        Ok(record.code)
    }

    /// A new transfer under the agreement's present version, with a code that no open transfer has.
    pub(super) async fn enter(
        &self,
        tx: &mut Tx,
        agreement: &AgreementId,
        id: TransferId,
        state: State,
        replaces: Option<TransferId>,
    ) -> Result<Record<State>> {
        let installed = self.books.installed(agreement)?;
        let mut code = TransferCode::random();
        while tx.is_taken(&code).await? {
            code = TransferCode::random();
        }
        let now = self.books.now();
        let mut record = Record {
            id,
            code,
            agreement: agreement.clone(),
            terms: installed.terms.digest,
            replaces,
            created: now,
            state,
            changed: now,
            version: 0,
        };
        tx.put(&mut record).await?;
        Ok(record)
    }

    /// Says why a drop will not leave, marked where it is an exercise; once, not at every look. A file that `sluis send`
    /// copied here goes again, unless two persons may let it pass: whoever sent it has it, and is told.
    async fn refuse(
        &self,
        of: Option<(&AgreementId, bool)>,
        (parent, name): (&Path, &OsStr),
        reasons: Vec<Reason>,
        word: Word<'_>,
    ) -> Result<Claim> {
        // Its owner took it away while it was looked at: there is nothing to refuse.
        if parent.join(name).symlink_metadata().is_err() {
            return Ok(Err(Vec::new()));
        }
        let text = status::refused(self.language, &reasons);
        let told = status::told_before(&status::path(parent, name), &text);
        if let Some(told) = told.filter(|_| word.by.is_none()) {
            self.tell_refusal(parent, name, &told);
            return Ok(Err(reasons));
        }
        let list = self.mark_of(parent, name, &reasons).await?;
        let entered = self.enter_refusal(of, reasons.clone(), list).await?;
        if let (Some(uid), None) = (word.by, list)
            && take_away(&parent.join(name), uid)
        {
            status::over(&status::path(parent, name));
            return Ok(Err(reasons));
        }
        // After the books: a kill in between tells it again, and never only here.
        let Some((id, code)) = entered else {
            self.tell_refusal(parent, name, &text);
            return Ok(Err(reasons));
        };
        self.lies(id, parent.join(name));
        self.tell_refusal(parent, name, &status::with_code(self.language, &text, &code, &reasons));
        Ok(Err(reasons))
    }

    /// Where a refused drop lies.
    fn lies(&self, id: TransferId, drop: PathBuf) {
        if let Ok(mut lying) = self.lying.lock() {
            lying.insert(id, drop);
        }
    }

    /// The name of a refused drop, as long as it lies in the outbox.
    pub(super) fn lying_as(&self, id: &TransferId) -> Option<OsString> {
        let drop = self.lying.lock().ok()?.get(id)?.clone();
        drop.symlink_metadata().is_ok().then(|| drop.file_name().map(OsStr::to_owned)).flatten()
    }

    /// What lies refused in a folder of the outbox, by what stands beside it.
    async fn find_lying(&self, folder: &Path) -> Result<()> {
        let mut tx = self.books.store.begin().await?;
        for (code, drop) in status::lying(folder) {
            if let Some(record) = tx.by_code::<State>(&code).await? {
                self.lies(record.id, drop);
            }
        }
        Ok(())
    }

    /// A refusal in the books, marked where it is of an exercise. A drop of no agreement is no transfer.
    async fn enter_refusal(
        &self,
        of: Option<(&AgreementId, bool)>,
        reasons: Vec<Reason>,
        list: Option<Digest>,
    ) -> Result<Option<(TransferId, TransferCode)>> {
        let codes: Vec<String> =
            reasons.iter().map(|r| format!("{}: {}", r.article(), r.code())).collect();
        tracing::warn!(
            agreement = of.map(|(agreement, _)| agreement.as_str()),
            reasons = codes.join(", "),
            "a drop is refused"
        );
        let installed = of.and_then(|(name, _)| self.books.agreements.get(name));
        let known = match installed {
            Some(installed) => policy::refusal(&installed.terms.agreement, &reasons),
            // Of no agreement, and so of no version.
            None => vec![("outcome", "refuse".to_owned()), ("reasons", codes.join(", "))],
        };
        let mut tx = self.books.store.begin().await?;
        let id = TransferId::random();
        let mut entered = None;
        if let Some((agreement, exercise)) = of {
            let state = State::Refused { reasons, list };
            entered = Some((id, self.enter(&mut tx, agreement, id, state, None).await?.code));
            if exercise {
                tx.rehearses(&id, agreement).await?;
            }
        }
        tx.enter(self.books.now(), "refused", Some(id), detail(known)).await?;
        self.books.commit(tx).await?;
        Ok(entered)
    }

    /// What a crash left in the private folder goes back to the outbox: a drop that no transfer knows, or one
    /// that was refused after it was claimed. What cannot be put back is told, and stays.
    ///
    /// # Errors
    /// [`CoreError::Store`].
    pub(super) async fn put_in_order(&self) -> Result<()> {
        // Also while it runs, when two persons went on from an older store: what is just being claimed is no stray.
        let _turn = self.claiming.lock().await;
        let mut tx = self.books.store.begin().await?;
        tx.renew_all(self.books.up()).await?;
        self.books.commit(tx).await?;
        status::clear(&self.settings.outbox, self.books.now());
        for folder in list(&self.settings.outbox) {
            status::clear(&folder, self.books.now());
            clear_ready(&folder);
            self.find_lying(&folder).await?;
        }
        // Half an envelope or bundle of a transfer that was ended while it was sealed: nobody writes it to its end.
        for half in
            [&self.settings.spool, &self.settings.bundles].into_iter().flat_map(|it| list(it))
        {
            if half.extension() == Some(OsStr::new("part")) {
                files::erase(&half).map_err(CoreError::io("clearing what is half sealed"))?;
            }
        }
        self.bring_back().await
    }

    /// Looks again for what could not be put back when it should have been.
    async fn bring_back_later(&self) -> Result<()> {
        if !self.astray.load(Ordering::SeqCst) {
            return Ok(());
        }
        // What is just being claimed is no stray.
        let _turn = self.claiming.lock().await;
        self.bring_back().await
    }

    async fn bring_back(&self) -> Result<()> {
        self.astray.store(true, Ordering::SeqCst);
        let mut stays = false;
        for folder in list(&self.settings.private) {
            for private in list(&folder) {
                let Some(id) = transfer_of(&private) else { continue };
                let mut tx = self.books.store.begin().await?;
                let known = tx.transfer::<State>(&id).await?;
                let given = self.is_given_back(&mut tx, &id).await?;
                drop(tx);
                let back = match &known {
                    Some(record) => match &record.state {
                        State::Refused { reasons, .. } => self.hand_back(record, reasons),
                        _ => continue,
                    },
                    None if given => self.return_unknown(&private, &id),
                    // It was sealed, and may have left: an older store was put back, and two persons go on from it.
                    None if self.was_sealed(&id) => {
                        tracing::error!(private = %private.display(), "sealed, and unknown to the store: an older one was put back (sluis restored)");
                        continue;
                    }
                    None => self
                        .put_back(&folder, &private, None)
                        .map(drop)
                        .map_err(CoreError::io("putting a drop back")),
                };
                if let Err(error) = back {
                    tracing::error!(private = %private.display(), %error, "a drop cannot be put back");
                    stays = true;
                }
            }
        }
        self.astray.store(stays, Ordering::SeqCst);
        Ok(())
    }

    /// Gives what a redelivery took back to the transfer that it was of. `false`: it was of none.
    fn given_back(&self, folder: &Path, private: &Path) -> std::io::Result<bool> {
        let Some(name) = kept_name(private) else { return Ok(false) };
        let Ok(id) = std::fs::read_to_string(private.join(REPLACES)) else { return Ok(false) };
        let Ok(id) = id.parse::<TransferId>() else { return Ok(false) };
        let old = folder.join(id.to_string());
        if private.join(&name).try_exists()? {
            durable::rename(&private.join(&name), &old.join(&name))?;
            files::sync_folder(&old)?;
        }
        files::erase(private)?;
        Ok(true)
    }

    /// Moves a claimed drop back to where it was found, never over something else. The name under which it lies there; none
    /// where nothing went there.
    pub(super) fn put_back(
        &self,
        folder: &Path,
        private: &Path,
        state: Option<&State>,
    ) -> std::io::Result<Option<OsString>> {
        if state.is_none() && self.given_back(folder, private)? {
            return Ok(None);
        }
        let outbox = self.settings.outbox.join(folder.file_name().unwrap_or_default());
        let name = match std::fs::read(private.join(NAME)) {
            Ok(name) => OsString::from_vec(name),
            // Made, and nothing was moved into it: what is not empty stays.
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                return cleared(private).map(|()| None);
            }
            Err(e) => return Err(e),
        };
        let from = private.join(&name);
        if !sluis_core::envelope::is_plain_name(&name) || !from.try_exists()? {
            return cleared(private).map(|()| None);
        }
        let is_rejected = matches!(state, Some(State::Refused { reasons, .. }) if reasons.iter().any(Reason::is_final));
        // Whoever sees it there knows that nobody moved it in.
        let mut returned = self.returned.lock().unwrap_or_else(PoisonError::into_inner);
        let to = moved_beside(&from, &outbox, &name, is_rejected)?;
        returned.push(outbox.join(&to));
        files::sync_folder(&outbox)?;
        drop(returned);
        if let Some(id) = transfer_of(private) {
            self.lies(id, outbox.join(&to));
        }
        cleared(private).map(|()| Some(to))
    }

    /// Whether what is kept in a private folder is the exercise.
    async fn holds_exercise(&self, private: &Path, name: &OsStr) -> Result<bool> {
        let (at, what, owners) = (private.to_owned(), PathBuf::from(name), self.owners.clone());
        let items = blocking(move || admission::survey(&at, &what, &owners)).await?;
        self.is_exercise(private, &items.unwrap_or_default()).await
    }

    /// Takes a redelivery's plaintext over from the transfer it replaces.
    ///
    /// # Errors
    /// [`CoreError::Refused`] where the plaintext is gone.
    pub(super) async fn redeliver(&self, code: &TransferCode, uid: u32) -> Result<TransferCode> {
        let mut tx = self.books.store.begin().await?;
        let mut record = find::<State>(&mut tx, code).await?;
        if matches!(record.state, State::Refused { .. }) {
            return Err(Illegal::new(record.state.name(), "Supersede").of(record.code).into());
        }
        self.books.may_go_on(&mut tx, &record.agreement).await?;
        let terms = self.books.terms(&mut tx, &record.terms).await?;
        let old = self.private(&record.agreement, &record.id);
        let name = kept_name(&old).filter(|name| old.join(name).symlink_metadata().is_ok());
        let Some(name) = name else {
            let why = words!(
                "de klare tekst ervan is hier niet meer: maak een nieuwe export en bied die aan",
                "its plaintext is no longer here: make a new export and offer that"
            );
            return Err(CoreError::refused("no-plaintext", why));
        };
        let id = TransferId::random();
        let exercise = self.holds_exercise(&old, &name).await?;
        self.advance(&mut tx, &mut record, &terms, Event::Supersede(id), None).await?;
        // After a crash before the commit, `put_in_order` gives it back to the transfer that it was of.
        let new = self.private(&record.agreement, &id);
        let entered = match take_over(&old, (&record.id, uid), &name, &new) {
            Ok(()) => {
                let of = (&record.agreement, exercise);
                self.enter_claimed(&mut tx, of, id, Some(record.id)).await
            }
            Err(error) => Err(error),
        };
        let done = match entered {
            Ok(code) => self.books.commit(tx).await.map(|()| code),
            Err(error) => {
                drop(tx);
                Err(error)
            }
        };
        if done.is_err() {
            // What the store does not know as a new transfer is still the old one's.
            self.astray.store(true, Ordering::SeqCst);
            self.bring_back_later().await?;
        }
        done
    }
}

/// What a person said of a drop that is not in it.
#[derive(Clone, Copy, Default)]
struct Word<'a> {
    /// For whose residents it was drawn.
    drawn_for: Option<&'a Nis>,
    /// Who offered it.
    by: Option<u32>,
}

/// How many drops of one name are put back beside each other.
const MOST_OF_ONE_NAME: usize = 100;

/// Moves a drop into a folder of the outbox under its own name, or a longer one where that is taken; the name.
fn moved_beside(
    from: &Path,
    outbox: &Path,
    name: &OsStr,
    is_rejected: bool,
) -> std::io::Result<OsString> {
    let cwd = rustix::fs::CWD;
    for taken in 0..MOST_OF_ONE_NAME {
        let to = status::lies_as(name, taken, is_rejected);
        match durable::rename_below((cwd, from), (cwd, &outbox.join(&to)), false) {
            Ok(()) => return Ok(to),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(std::io::ErrorKind::AlreadyExists.into())
}

/// Whether what lies there is a file of this user that was refused as it lies: its owner may send another in its place.
fn lies_refused(drop: &Path, uid: u32) -> bool {
    let own = |meta: &std::fs::Metadata| meta.is_file() && meta.uid() == uid;
    drop.symlink_metadata().is_ok_and(|meta| own(&meta) && status::stands_refused(drop, &meta))
}

/// Takes a drop into a private folder of its own, with its name beside it.
fn take(private: &Path, parent: &Path, name: &OsStr, word: Word<'_>) -> Result<()> {
    files::private_folder(private).map_err(CoreError::io("making the private folder"))?;
    files::write_durable(&private.join(NAME), name.as_bytes())
        .map_err(CoreError::io("keeping the name"))?;
    keep_drawn_for(private, word.drawn_for)?;
    keep_offered_by(private, word.by)?;
    durable::rename(&parent.join(name), &private.join(name))
        .and_then(|()| files::sync_folder(private))
        .and_then(|()| files::sync_folder(parent))
        .map_err(CoreError::io("claiming the drop"))
}

/// Takes the plaintext of an earlier transfer over, with its name and whose it was.
fn take_over(old: &Path, (of, uid): (&TransferId, u32), name: &OsStr, new: &Path) -> Result<()> {
    files::private_folder(new).map_err(CoreError::io("making the private folder"))?;
    files::write_durable(&new.join(NAME), name.as_bytes())
        .map_err(CoreError::io("keeping the name"))?;
    files::write_durable(&new.join(REPLACES), of.to_string().as_bytes())
        .map_err(CoreError::io("keeping whose it was"))?;
    keep_drawn_for(new, drawn_for(old).as_ref())?;
    keep_offered_by(new, offered_by(old).into_iter().chain([uid]))?;
    durable::rename(&old.join(name), &new.join(name))
        .and_then(|()| files::sync_folder(new))
        .and_then(|()| files::sync_folder(old))
        .map_err(CoreError::io("taking the plaintext over"))
}

/// Removes the hidden folders that a kill of us or of `sluis send` left empty in an agreement's folder. At a start nobody
/// has one in use but who is just making it, and is told then. What is not empty is its owner's.
fn clear_ready(folder: &Path) {
    for ready in list(folder) {
        let is_ready = ready.file_name().and_then(OsStr::to_str).is_some_and(Send::is_folder);
        if !is_ready || ready.symlink_metadata().is_ok_and(|meta| !meta.is_dir()) {
            continue;
        }
        let gone = durable::remove_folder(&ready);
        if gone.is_err_and(|e| e.kind() == std::io::ErrorKind::DirectoryNotEmpty) {
            tracing::warn!(folder = %ready.display(), "what was laid ready here was never sent; its owner may remove it");
        }
    }
}

/// Removes a private folder with what is ours in it; what else lies there stays, and the folder with it.
fn cleared(private: &Path) -> std::io::Result<()> {
    for name in [NAME, REPLACES, DRAWN_FOR, OFFERED_BY] {
        let own = private.join(name);
        files::remove(&own.with_extension("part"))?;
        files::remove(&own)?;
    }
    durable::remove_folder(private)
}

/// The name of the drop in a private folder.
pub(super) fn kept_name(private: &Path) -> Option<OsString> {
    std::fs::read(private.join(NAME))
        .ok()
        .map(OsString::from_vec)
        .filter(|name| sluis_core::envelope::is_plain_name(name))
}

/// For whose residents the list in a private folder was drawn, where a person said so.
pub(super) fn drawn_for(private: &Path) -> Option<Nis> {
    std::fs::read_to_string(private.join(DRAWN_FOR)).ok()?.parse().ok()
}

fn keep_drawn_for(private: &Path, nis: Option<&Nis>) -> Result<()> {
    let Some(nis) = nis else { return Ok(()) };
    files::write_durable(&private.join(DRAWN_FOR), nis.as_str().as_bytes())
        .map_err(CoreError::io("keeping for whose residents it was drawn"))
}

/// Who offered what lies in a private folder, by a verb: whose the files are is known from themselves.
pub(super) fn offered_by(private: &Path) -> BTreeSet<u32> {
    let text = std::fs::read_to_string(private.join(OFFERED_BY)).unwrap_or_default();
    text.lines().filter_map(|line| line.parse().ok()).collect()
}

fn keep_offered_by(private: &Path, users: impl IntoIterator<Item = u32>) -> Result<()> {
    let lines: String = users.into_iter().map(|uid| format!("{uid}\n")).collect();
    if lines.is_empty() {
        return Ok(());
    }
    files::write_durable(&private.join(OFFERED_BY), lines.as_bytes())
        .map_err(CoreError::io("keeping who offered it"))
}

/// The transfer that a private folder is of.
pub(super) fn transfer_of(private: &Path) -> Option<TransferId> {
    private.file_name().and_then(OsStr::to_str).and_then(|name| name.parse().ok())
}

pub(super) fn list(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

/// Takes a refused copy away: one file of whoever sent it, by its name alone. A folder is its sender's to change while it is
/// walked, and is left to him.
fn take_away(copy: &Path, uid: u32) -> bool {
    let own = copy.symlink_metadata().is_ok_and(|meta| meta.is_file() && meta.uid() == uid);
    own && durable::remove_file(copy)
        .inspect_err(
            |error| tracing::warn!(%error, "the copy of a refused list stays in the outbox"),
        )
        .is_ok()
}
