//! The sealer's own work: the queue of the core, and what its gates are told and report.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use data_encoding::BASE64;
use sluis_config::Installed;
use sluis_core::agreement::{Approval, KeepPlaintext, Side};
use sluis_core::control::{Lane, Named, Outcome, Row, Task};
use sluis_core::evidence::Verified;
use sluis_core::id::{AgreementId, TransferCode, TransferId, called};
use sluis_core::notice::Sort;
use sluis_core::policy::Reason;
use sluis_core::statement::{Body, Sent, Signer};
use sluis_core::transfer::{Envelope, Event, Stands, State, Work};
use sluis_core::words;

use super::claim::{drawn_for, kept_name, offered_by};
use super::outcome::{event_of, plain};
use super::request::Known;
use super::seal::{self, Order, SealError};
use super::{Agency, admission, queue, status};
use crate::books::{Books, NOT_HEARD, UNHEARD_MS, backoff_ms};
use crate::error::{CoreError, Effect, Result};
use crate::gatehouse::Core;
use crate::role::Role;
use crate::store::{Holder, JobRow, Record, Tx};
use crate::threads::blocking;
use crate::{files, threads};

impl Agency {
    pub(super) async fn finish(&self, job: &JobRow) -> Result<()> {
        let mut tx = self.books.store.begin().await?;
        tx.finish(job.id).await?;
        self.books.commit(tx).await
    }

    async fn erase_job(&self, job: &JobRow) -> Result<()> {
        let mut tx = self.books.store.begin().await?;
        match self.erase(&mut tx, job).await? {
            Some(later) => {
                let why = words!("bewaard voor een nieuwe levering", "kept for a redelivery");
                tx.again(job, later, &why).await?;
            }
            None => tx.finish(job.id).await?,
        }
        self.books.commit(tx).await
    }

    async fn seal(&self, job: &JobRow) -> Result<()> {
        let Some(id) = job.transfer else { return self.finish(job).await };
        let mut tx = self.books.store.begin().await?;
        let (mut record, terms) = self.books.load::<State>(&mut tx, &id).await?;
        if !is_to_seal(&record.state) {
            drop(tx);
            return self.finish(job).await;
        }
        self.books.may_go_on(&mut tx, &record.agreement).await?;
        drop(tx);
        let order = match self.order(&record).await {
            Ok(order) => order,
            Err(CoreError::Refused(refused)) => {
                return self.settle(job, &mut record, &terms, Event::Held(refused.words)).await;
            }
            Err(other) => return Err(other),
        };
        let order = match order {
            Ok(order) => order,
            Err(reasons) => return self.give_back(job, &mut record, &terms, reasons).await,
        };
        let approval = order.agreement.file.approval == Approval::SecondPerson;
        if approval && record.state == State::Claimed {
            let mut by = offered_by(&self.private(&record.agreement, &id));
            by.extend(order.items.iter().map(|item| item.stamp.owner));
            let seen = admission::seen(&order.items, order.bytes);
            let admitted = Event::Admitted { by, rows: order.rows, seen };
            return self.settle(job, &mut record, &terms, admitted).await;
        }
        let signer = order.signer.clone();
        match threads::apart(move || seal::seal(order)).await? {
            Ok((envelope, sent)) => self.sealed(job, envelope, sent, &signer).await,
            Err(SealError::Changed) => {
                self.give_back(job, &mut record, &terms, vec![Reason::Changed]).await
            }
            Err(SealError::Setup(why)) => {
                self.settle(job, &mut record, &terms, Event::Held(why)).await
            }
            Err(SealError::Io(what, error)) => Err(CoreError::Io(what.to_owned(), error)),
        }
    }

    /// The envelope is durable: now it counts, unless a person stopped the transfer while it was sealed.
    async fn sealed(
        &self,
        job: &JobRow,
        envelope: Envelope,
        sent: Sent,
        signer: &Signer,
    ) -> Result<()> {
        let Some(id) = job.transfer else { return self.finish(job).await };
        let mut tx = self.books.store.begin().await?;
        let (mut record, terms) = self.books.load::<State>(&mut tx, &id).await?;
        if is_to_seal(&record.state) {
            // One key signs the bundle and `sent`; where it was another one's turn meanwhile, it is sealed again.
            let next = self.books.next_signer(&mut tx, &terms).await?;
            if next.public()? != signer.public()? {
                return Err(CoreError::to_gate("keys", "the statement key was changed meanwhile"));
            }
            self.rehearses(&mut tx, &record, &sent).await?;
            self.advance(&mut tx, &mut record, &terms, Event::Sealed(envelope), Some(sent)).await?;
            if terms.agreement.file.keep_plaintext == KeepPlaintext::UntilSealed {
                let of = (&record.agreement, Some(id));
                queue(&mut tx, of, &Work::Forget, self.books.now()).await?;
            }
        } else {
            files::remove(&self.spooled(&id)).map_err(CoreError::io("discarding the envelope"))?;
            files::remove(&self.bundled(&id)).map_err(CoreError::io("discarding the bundle"))?;
        }
        tx.finish(job.id).await?;
        self.books.commit(tx).await
    }

    /// Nobody said what became of a share for a while.
    async fn resend(&self, job: &JobRow, index: u8) -> Result<()> {
        let Some(id) = job.transfer else { return self.finish(job).await };
        let mut tx = self.books.store.begin().await?;
        let (mut record, terms) = self.books.load::<State>(&mut tx, &id).await?;
        match self.advance(&mut tx, &mut record, &terms, Event::Resend(index), None).await {
            // A report, a person or an end was quicker.
            Ok(()) | Err(CoreError::Illegal(_)) => {}
            Err(other) => return Err(other),
        }
        tx.finish(job.id).await?;
        self.books.commit(tx).await
    }

    /// The agreement keeps no plaintext once it is sealed; its name stays for the status.
    async fn forget(&self, job: &JobRow) -> Result<()> {
        if let Some(id) = job.transfer {
            let private = self.private(&job.agreement, &id);
            if let Some(name) = kept_name(&private) {
                files::erase(&private.join(name))
                    .map_err(CoreError::io("erasing the plaintext"))?;
            }
        }
        self.finish(job).await
    }

    /// Work that failed is tried again, later each time; what waits for the other party's word, in a moment.
    async fn put_off(&self, job: &JobRow, error: &CoreError) -> Result<()> {
        let mut tx = self.books.store.begin().await?;
        if matches!(error, CoreError::Refused(refused) if refused.code == NOT_HEARD) {
            tx.untried(job, self.books.now().plus_ms(UNHEARD_MS), &error.words()).await?;
        } else {
            tracing::warn!(transfer = ?job.transfer, %error, "work of the sealer is tried again");
            let later = self.books.now().plus_ms(backoff_ms(job.attempts));
            tx.again(job, later, &error.words()).await?;
        }
        self.books.commit(tx).await?;
        job.transfer.into_iter().for_each(|id| self.touch(id));
        Ok(())
    }

    async fn settle(
        &self,
        job: &JobRow,
        record: &mut Record<State>,
        terms: &sluis_core::evidence::Terms,
        event: Event,
    ) -> Result<()> {
        let mut tx = self.books.store.begin().await?;
        self.advance(&mut tx, record, terms, event, None).await?;
        tx.finish(job.id).await?;
        self.books.commit(tx).await
    }

    /// Refused after it was claimed: the drop goes back to the outbox, where its owner finds it.
    async fn give_back(
        &self,
        job: &JobRow,
        record: &mut Record<State>,
        terms: &sluis_core::evidence::Terms,
        reasons: Vec<Reason>,
    ) -> Result<()> {
        let private = self.private(&record.agreement, &record.id);
        let list = match kept_name(&private) {
            Some(name) => self.mark_of(&private, &name, &reasons).await?,
            None => None,
        };
        let settled = self.settle(job, record, terms, Event::Refused(reasons.clone(), list)).await;
        self.after_refusal(settled, record, &reasons)
    }

    /// Its refusal was entered, or it is not known whether: the drop goes back.
    pub(super) fn after_refusal(
        &self,
        entered: Result<()>,
        record: &Record<State>,
        reasons: &[Reason],
    ) -> Result<()> {
        if entered.is_err() {
            // It may stand in the store all the same.
            self.astray.store(true, Ordering::SeqCst);
        }
        entered?;
        self.hand_back(record, reasons)
    }

    /// Puts a refused drop back, with its status beside it, once nothing is left of what it was sealed into.
    pub(super) fn hand_back(&self, record: &Record<State>, reasons: &[Reason]) -> Result<()> {
        self.erase_sealed(&record.id)?;
        let private = self.private(&record.agreement, &record.id);
        self.return_drop((&record.agreement, Some(record.code)), &private, &record.state, reasons)
    }

    /// The same for a private folder, whatever the store knows of it.
    pub(super) fn return_drop(
        &self,
        (agreement, code): (&AgreementId, Option<TransferCode>),
        private: &Path,
        state: &State,
        reasons: &[Reason],
    ) -> Result<()> {
        let told = status::refused(self.language, reasons);
        let text = match code {
            Some(code) => status::with_code(self.language, &told, &code, reasons),
            None => told,
        };
        let folder = private.parent().unwrap_or(&self.settings.private).to_owned();
        // Where a kill came after the move, it is known by its own name.
        let kept = kept_name(private);
        let back = self.put_back(&folder, private, Some(state)).map_err(|error| {
            self.astray.store(true, Ordering::SeqCst);
            CoreError::Io("putting a drop back".into(), error)
        })?;
        if let Some(name) = back.or(kept) {
            let outbox = self.settings.outbox.join(agreement.as_str());
            self.tell_refusal(&outbox, status::offered_as(&name), &text);
        }
        Ok(())
    }

    /// The agreement under which the drop was taken, where it is still the one that is installed.
    fn taken_under(&self, record: &Record<State>) -> Result<&Installed> {
        let installed = self.books.agreements.get(&record.agreement);
        let installed = installed.filter(|installed| installed.terms.digest == record.terms);
        installed.ok_or_else(|| {
            CoreError::refused(
                "held",
                words!(
                    "de overeenkomst werd gewijzigd nadat dit bestand genomen was: sluis withdraw, dan sluis redeliver",
                    "the agreement was changed after this drop was taken: sluis withdraw, then sluis redeliver"
                ),
            )
        })
    }

    /// What sealing needs, or the reasons why the drop may not leave after all.
    async fn order(
        &self,
        record: &Record<State>,
    ) -> Result<std::result::Result<Order, Vec<Reason>>> {
        let held = |why| CoreError::refused("held", why);
        let installed = self.taken_under(record)?;
        let contacts = installed.contacts.clone().ok_or_else(|| {
            held(words!(
                "het contactenbestand van de overeenkomst ontbreekt ernaast (<overeenkomst>.contacts.toml)",
                "the contacts file of the agreement is missing beside it (<agreement>.contacts.toml)"
            ))
        })?;
        let private = self.private(&record.agreement, &record.id);
        let name = kept_name(&private).ok_or_else(|| {
            held(words!(
                "het bestand ligt niet meer in de private map",
                "the drop is no longer in the private folder"
            ))
        })?;
        let (from, owners) = (private.clone(), self.owners.clone());
        let items =
            match blocking(move || admission::survey(&from, Path::new(&name), &owners)).await? {
                Ok(items) => items,
                Err(reasons) => return Ok(Err(reasons)),
            };
        let exercise = self.is_exercise(&private, &items).await?;
        // What was claimed as an exercise is no list later: it goes back, and is taken anew as what it is.
        if !exercise && self.books.store.begin().await?.is_rehearsal(&record.id).await? {
            return Ok(Err(vec![Reason::Changed]));
        }
        let known = Known { replaces: record.replaces, drawn_for: drawn_for(&private), exercise };
        let admitted = self.admit(&record.agreement, &private, items.clone(), known).await?;
        let granted = match admitted {
            Ok(granted) => granted,
            Err(reasons) => return Ok(Err(reasons)),
        };
        if matches!(record.state, State::Approved { seen } if seen != admission::seen(&items, granted.bytes))
        {
            return Ok(Err(vec![Reason::Changed]));
        }
        let (request, mends) = granted.requested.by();
        let signer = self.ready_to_sign(installed, exercise).await?;
        let mut routes = installed.plan.routes.iter();
        let folders = routes.all(|route| self.folders.contains(&route.channel));
        Ok(Ok(Order {
            transfer: record.id,
            code: record.code,
            replaces: record.replaces,
            request,
            mends,
            waived: granted.waived,
            rows: granted.rows,
            residents: granted.residents,
            bytes: granted.bytes,
            agreement: installed.terms.agreement.clone(),
            terms: record.terms,
            plan: installed.plan.clone(),
            contacts,
            rehearsal: exercise || folders,
            exercise,
            again: (self.settings.resends, self.settings.deferrals),
            from: private,
            items,
            owners: self.owners.clone(),
            envelope: self.spooled(&record.id),
            bundle: self.bundled(&record.id),
            releaser: self.settings.releaser.clone(),
            signer,
            now: self.books.now(),
        }))
    }

    /// The key that signs the bundle, once no changed number and no exercise is waited for.
    async fn ready_to_sign(&self, installed: &Installed, exercise: bool) -> Result<Signer> {
        let mut tx = self.books.store.begin().await?;
        let mut waits = None;
        if !exercise {
            waits = self.changed_numbers(&mut tx, installed).await?;
            waits = waits.or(self.unrehearsed(&mut tx, installed).await?);
        }
        let signer = self.books.next_signer(&mut tx, &installed.terms).await?.clone();
        self.books.commit(tx).await?;
        waits.map_or(Ok(signer), |why| Err(CoreError::refused("held", why)))
    }

    /// Where the custodian of a share is reached, as the contacts have it now.
    fn number_of(&self, record: &Record<State>, index: u8) -> Option<&str> {
        let routes = &record.state.envelope()?.routes;
        let custodian = &routes.iter().find(|route| route.index == index)?.custodian;
        let (contacts, _) = self.books.agreements.get(&record.agreement)?.contacts.as_ref()?;
        contacts.numbers.get(custodian).map(String::as_str)
    }

    /// How far a running upload is: bytes gone and bytes in all.
    fn upload_progress(&self, record: &Record<State>) -> Option<(u64, u64)> {
        let mut progress = self.progress.lock().ok()?;
        let State::Sealed { envelope, .. } = &record.state else {
            progress.remove(&record.id);
            return None;
        };
        Some((progress.get(&record.id).copied().unwrap_or(0), envelope.size))
    }

    /// Entries that were put back since the last look.
    pub fn returned(&self) -> Vec<PathBuf> {
        self.returned.lock().map(|mut returned| std::mem::take(&mut *returned)).unwrap_or_default()
    }

    /// Waits until something that lay in the outbox may leave.
    pub async fn offered(&self) {
        self.offered.notified().await;
    }

    pub(super) fn touch(&self, id: TransferId) {
        if let Ok(mut touched) = self.touched.lock() {
            touched.insert(id);
        }
    }

    /// Writes the status files of what has changed.
    pub(super) async fn statuses(&self) {
        let touched = self
            .touched
            .lock()
            .map(|mut touched| std::mem::take(&mut *touched))
            .unwrap_or_default();
        for id in touched {
            let Ok(mut tx) = self.books.store.begin().await else { return };
            if let Ok(Some(record)) = tx.transfer::<State>(&id).await {
                let _ = self.write_status(&mut tx, &record).await;
            }
        }
    }

    /// A status that cannot be written stops nothing.
    pub(super) async fn write_status(&self, tx: &mut Tx, record: &Record<State>) -> Result<()> {
        let kept = kept_name(&self.private(&record.agreement, &record.id));
        let Some(name) = kept else { return Ok(()) };
        let waiting = tx.waiting(&record.id).await?;
        let rehearsal = tx.is_rehearsal(&record.id).await?;
        let folder = self.settings.outbox.join(record.agreement.as_str());
        let named = (&record.code, &*called(record.code, rehearsal));
        let text = status::taken(self.language, named, &record.state, &waiting, record.changed);
        if let Err(error) = status::write(&status::path(&folder, &name), &text) {
            tracing::warn!(transfer = ?record.id, %error, "a status file cannot be written");
        }
        Ok(())
    }
}

impl Core for Agency {
    type State = State;

    fn books(&self) -> &Books {
        &self.books
    }

    fn about(&self) -> (Role, PathBuf) {
        (Role::Sealer, self.settings.outbox.clone())
    }

    async fn row(&self, _: &mut Tx, record: &Record<State>) -> Result<Row> {
        let refused = matches!(record.state, State::Refused { .. });
        let name = match refused {
            true => self.lying_as(&record.id),
            false => kept_name(&self.private(&record.agreement, &record.id)),
        };
        let mover = match &name {
            // Nothing of it is here any more.
            None if refused => "nobody",
            _ => record.state.mover(),
        };
        Ok(Row {
            transfer: record.id,
            code: record.code,
            agreement: record.agreement.clone(),
            state: record.state.name().to_owned(),
            note: super::note::note(&record.state, &record.code),
            mover: mover.to_owned(),
            name: name.map(|name| files::shown(&name)),
            since: record.changed,
            progress: self.upload_progress(record),
            rehearsal: false,
        })
    }

    async fn heard(&self, tx: &mut Tx, said: &Verified) -> Effect {
        self.hear(tx, said).await
    }

    async fn noted(
        &self,
        tx: &mut Tx,
        agreement: &AgreementId,
        sort: Sort,
    ) -> Result<(Vec<Named>, Vec<Named>)> {
        match sort {
            Sort::TerminateAtOnce if self.books.heard.once(agreement) => {
                self.end_at_once(tx, agreement, sort).await
            }
            Sort::TerminateAtOnce | Sort::BasisGone => {
                self.will_end(tx, agreement).await?;
                Ok(Default::default())
            }
            _ => Ok(Default::default()),
        }
    }

    async fn task(&self, tx: &mut Tx, job: &JobRow) -> Result<Option<Task>> {
        let Some(id) = job.transfer else { return self.old_number_task(tx, job).await };
        let (record, terms) = self.books.load::<State>(tx, &id).await?;
        let work: Work = job.read()?;
        Ok(match (work, &record.state) {
            (Work::Place, State::Sealed { envelope, .. }) => {
                Some(Task::Place { size: envelope.size })
            }
            // Begun before the end: made or found, so that it can be ended.
            (Work::Place, state) if state.is_over() => {
                let sent = self.books.required(tx, &terms, &id, "sent", Side::Agency).await?;
                match &sent.statement().body {
                    Body::Sent(sent) => Some(Task::Place { size: sent.size }),
                    _ => None,
                }
            }
            (Work::Carry { upload }, State::Sealed { envelope, .. }) => {
                Some(Task::Carry { upload, size: envelope.size })
            }
            (Work::Probe { upload }, State::Removed { .. }) => Some(Task::Probe { upload }),
            (Work::Terminate { upload }, _) => Some(Task::Terminate { upload }),
            (Work::Release { .. }, State::Releasing { .. })
                if !self.books.heard.is_all(&job.agreement) =>
            {
                let why = "the other party's mailbox was not read to its end yet";
                return Err(CoreError::to_gate(NOT_HEARD, why));
            }
            // It ended, and what is under way ends with it in a moment.
            (Work::Release { index }, state @ State::Releasing { .. })
                if !is_shut(state, index) && self.has_ended(tx, &job.agreement).await? =>
            {
                return Err(CoreError::to_gate("ended", "the agreement has ended"));
            }
            // Let go under an earlier lease, and the agreement ended since: its bundle is gone, and nobody knows whether it left.
            (Work::Release { index }, state @ State::Releasing { .. })
                if under_way(state, index) && is_shut(state, index) =>
            {
                let lost = Stands::Unknown { driver: "?".into() };
                let mut record = record;
                self.advance(tx, &mut record, &terms, Event::Shipped(index, lost), None).await?;
                None
            }
            (Work::Release { index }, state @ State::Releasing { .. })
                if under_way(state, index) =>
            {
                // A database row alone never frees a key: the bytes are verified again, here and at the gate.
                let (_, [sent, delivered, removed]) =
                    self.removal_with_its_words(tx, &terms, &id).await?;
                let bundle = std::fs::read(self.bundled(&id)).map_err(CoreError::io(
                    "reading the bundle; without it only `sluis redeliver` helps",
                ))?;
                Some(Task::Release {
                    index,
                    sent: sent.signed().clone(),
                    delivered: delivered.signed().clone(),
                    removed: removed.signed().clone(),
                    bundle: BASE64.encode(&bundle),
                })
            }
            _ => None,
        })
    }

    async fn exposing(&self, tx: &mut Tx, job: &JobRow) -> Result<bool> {
        let Some(id) = job.transfer else { return self.old_number_exposing(tx, job).await };
        let Ok(Work::Release { index }) = job.read() else {
            return Ok(false);
        };
        let (mut record, terms) = self.books.load::<State>(tx, &id).await?;
        // What was let go before its custodian's right ended is in doubt as any other.
        let share = record.state.share(index);
        let leaves = matches!(record.state, State::Releasing { .. })
            && share.is_some_and(|share| share.stands == Stands::Leaving);
        if self.left_before(tx, (&mut record, &terms), index).await? {
            return Ok(false);
        }
        if !leaves && self.is_barred(&record, &terms.agreement, index) {
            let (driver, code) = ("none".into(), "custodian-expired".into());
            let barred = Event::Shipped(index, Stands::Rejected { driver, code });
            return match self.advance(tx, &mut record, &terms, barred, None).await {
                Ok(()) | Err(CoreError::Illegal(_)) => Ok(false),
                Err(other) => Err(other),
            };
        }
        if !leaves && self.has_ended(tx, &record.agreement).await? {
            return Err(CoreError::to_gate("ended", "the agreement has ended"));
        }
        let removal = self.removal(tx, &terms, &id).await?;
        let exposing = Event::Exposing(index, removal);
        match self.advance(tx, &mut record, &terms, exposing, None).await {
            Ok(()) => {
                tx.grant(job.id).await?;
                return Ok(true);
            }
            // Under way by another job, or not to leave at all: nothing of this one's doing is in doubt.
            Err(CoreError::Illegal(_)) if job.granted.is_none() => return Ok(false),
            Err(CoreError::Illegal(_)) => {}
            Err(other) => return Err(other),
        }
        // Let go under an earlier lease, and nobody reported: after a crash nobody knows whether it left. Not a
        // second time.
        let lost = Stands::Unknown { driver: "?".into() };
        match self.advance(tx, &mut record, &terms, Event::Shipped(index, lost), None).await {
            Ok(()) | Err(CoreError::Illegal(_)) => Ok(false),
            Err(other) => Err(other),
        }
    }

    async fn exposed(&self, job: &JobRow) -> Result<()> {
        let Some(id) = job.transfer else { return Ok(()) };
        let Ok(Work::Release { index }) = job.read() else { return Ok(()) };
        self.keep_let_go(&id, index)
    }

    async fn done(&self, tx: &mut Tx, job: &JobRow, outcome: Outcome) -> Result<bool> {
        let Some(id) = job.transfer else { return self.old_number_done(tx, job, outcome).await };
        let (mut record, terms) = self.books.load::<State>(tx, &id).await?;
        let work: Work = job.read()?;
        // What is in the way stands in the status file too.
        self.touch(id);
        let (event, finished) = match (work, outcome) {
            (Work::Place, Outcome::Moved { upload }) if record.state.is_over() => {
                let of = (&record.agreement, Some(id));
                queue(tx, of, &Work::Terminate { upload }, self.books.now()).await?;
                return Ok(true);
            }
            (Work::Place, Outcome::Moved { upload }) => (Event::Placed(upload), true),
            (Work::Carry { .. }, Outcome::Never { code, .. }) => {
                (Event::Fail { step: "carry", code: plain(&code) }, true)
            }
            (Work::Carry { .. }, Outcome::Moved { upload }) => (Event::Carried(upload), true),
            (Work::Probe { .. }, Outcome::Looked { look }) => (Event::Probed(look), look.is_gone()),
            (Work::Terminate { .. }, Outcome::Looked { look }) => return Ok(look.is_gone()),
            (Work::Terminate { .. }, Outcome::Moved { .. }) => return Ok(true),
            // Not a word on one share: the bundle or its evidence serves for none.
            (Work::Release { .. }, Outcome::Never { code, .. }) => {
                (Event::Fail { step: "release", code: plain(&code) }, true)
            }
            // A word on a share that was not let go under this lease: it says nothing of one that left before.
            (Work::Release { .. }, _) if job.granted != Some(job.attempts) => return Ok(false),
            (Work::Release { index }, outcome) => {
                let number = self.number_of(&record, index);
                let Some(event) = event_of(index, outcome, number) else { return Ok(false) };
                self.not_let_go(&record, index, &event)?;
                let finished =
                    !matches!(event, Event::PutOff(..) | Event::Shipped(_, Stands::Waiting));
                (event, finished)
            }
            _ => return Ok(false),
        };
        let put_off = if let Event::PutOff(index, _) = event { Some(index) } else { None };
        match self.advance(tx, &mut record, &terms, event, None).await {
            // Said too often: it waits no more.
            Ok(()) => Ok(finished || put_off.is_some_and(|index| !waits(&record.state, index))),
            // A word that comes late or twice changes nothing; a look at what is still there is made again.
            Err(CoreError::Illegal(_)) => Ok(finished),
            Err(other) => Err(other),
        }
    }

    async fn at_risk(&self, tx: &mut Tx, agreement: &AgreementId) -> Result<u64> {
        self.shares_at_risk(tx, agreement).await
    }

    async fn go_on(&self, tx: &mut Tx, agreement: &AgreementId) -> Result<Vec<Named>> {
        self.go_on_from_older(tx, agreement).await
    }

    async fn recover(&self) -> Result<()> {
        self.put_in_order().await
    }

    async fn step(&self) -> Result<bool> {
        if let Some(now) = self.books.believed().await? {
            self.expire(now).await?;
        }
        let mut tx = self.books.store.begin_unsynced().await?;
        let own = Holder { instance: &self.holder, task: 0, up: self.books.up() };
        let job = tx.lease(Role::Sealer, Lane::Jobs, None, own, self.books.now()).await?;
        let Some(job) = job else { return Ok(false) };
        self.books.commit(tx).await?;
        let done = match job.read() {
            Ok(Work::Seal) => self.seal(&job).await,
            Ok(Work::Erase) => self.erase_job(&job).await,
            Ok(Work::Forget) => self.forget(&job).await,
            Ok(Work::Shred) => self.shred(&job).await,
            Ok(Work::Resend { index }) => self.resend(&job, index).await,
            Ok(Work::End) => self.end_in_time(&job).await,
            _ => self.finish(&job).await,
        };
        if let Err(error) = done {
            self.put_off(&job, &error).await?;
        }
        self.statuses().await;
        Ok(true)
    }

    async fn after(&self) {
        self.statuses().await;
    }
}

/// Whether it may be sealed, as far as persons are asked.
fn is_to_seal(state: &State) -> bool {
    matches!(state, State::Claimed | State::Approved { .. })
}

/// Whether a share is still to be handed over, or was and nobody said what became of it.
fn under_way(state: &State, index: u8) -> bool {
    let share = state.share(index);
    share.is_some_and(|share| matches!(share.stands, Stands::Waiting | Stands::Leaving))
}

/// Whether it waits for its channel.
fn waits(state: &State, index: u8) -> bool {
    state.share(index).is_some_and(|share| share.stands == Stands::Waiting)
}

/// Whether it may not leave, nor go again.
fn is_shut(state: &State, index: u8) -> bool {
    state.share(index).is_some_and(|share| share.shut)
}
