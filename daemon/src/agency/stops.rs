//! What holds or ends transfers beside their own course: an agreement that ends at once, and a way that nobody tried.

use sluis_config::agreements::Installed;
use sluis_core::agreement::Agreement;
use sluis_core::control::Named;
use sluis_core::deadline::civil;
use sluis_core::evidence::Terms;
use sluis_core::id::AgreementId;
use sluis_core::notice::Sort;
use sluis_core::statement::Sent;
use sluis_core::transfer::{Event, State, Work};
use sluis_core::words::Words;
use sluis_core::{exercise, words};

use super::{Agency, queue};
use crate::error::{CoreError, Result};
use crate::store::{Due, JobRow, Record, Tx, detail};

/// How soon it is looked at again whether the clock is believed.
const LOOK_MS: i64 = 10_000;

impl Agency {
    /// The agency ended it at once and the other party was not heard yet (R64), or the legal basis is gone from a day on, by
    /// the word of either party (art. 12; R78): then what is under way ends. After an end by notice it goes on, see
    /// `docs/articles.md`.
    pub(super) async fn will_end(&self, tx: &mut Tx, agreement: &AgreementId) -> Result<()> {
        let register = self.books.notices(tx, agreement).await?;
        let now = self.books.now();
        let due = match (register.ended_at_once(), register.basis_gone()) {
            (Some(_), _) => Due::from(now),
            (None, Some(day)) => Due::late(now, civil::start_of_day(day).max(now)),
            (None, None) => return Ok(()),
        };
        queue(tx, (agreement, None), &Work::End, due).await
    }

    /// Whether it ended, so that no share leaves any more; a basis is gone on its day, by a clock that is believed.
    pub(super) async fn has_ended(&self, tx: &mut Tx, agreement: &AgreementId) -> Result<bool> {
        let register = self.books.notices(tx, agreement).await?;
        let today = self.books.now().date();
        let gone = register.basis_gone().is_some_and(|day| day <= today);
        Ok(register.ended_at_once().is_some() || gone && !self.books.clock_is_held())
    }

    /// It ended at once, or the day may have come on which its basis is gone. Not by a clock that nobody believes, nor before
    /// the other party was heard: an older store does not know what was opened since.
    pub(super) async fn end_in_time(&self, job: &JobRow) -> Result<()> {
        let (held, agreement) = (self.books.believed().await?.is_none(), &job.agreement);
        let mut tx = self.books.store.begin().await?;
        let (now, gone) = (self.books.now(), self.books.notices(&mut tx, agreement).await?);
        match gone.basis_gone() {
            _ if gone.ended_at_once().is_some() => {
                self.books.may_go_on(&mut tx, agreement).await?;
                self.end_at_once(&mut tx, agreement, Sort::TerminateAtOnce).await?;
                tx.finish(job.id).await?;
            }
            Some(_) if held => {
                let why = words!(
                    "de klok sprong: ze wacht op twee personen",
                    "the clock jumped: it waits for two persons"
                );
                tx.untried(job, now.plus_ms(LOOK_MS), &why).await?;
            }
            Some(day) if now.date() < day => {
                let why = words!("de dag is er nog niet", "the day has not come yet");
                tx.untried(job, Due::late(now, civil::start_of_day(day)), &why).await?;
            }
            Some(_) => {
                self.books.may_go_on(&mut tx, agreement).await?;
                self.end_at_once(&mut tx, agreement, Sort::BasisGone).await?;
                tx.finish(job.id).await?;
            }
            None => tx.finish(job.id).await?,
        }
        self.books.commit(tx).await
    }

    /// The agreement ends at once, by the agency's word or because its legal basis is gone (R64, R78): whatever fewer shares
    /// are out of than open it is withdrawn. Of the rest no other share leaves, they are destroyed, and that it stays is told.
    pub(super) async fn end_at_once(
        &self,
        tx: &mut Tx,
        agreement: &AgreementId,
        word: Sort,
    ) -> Result<(Vec<Named>, Vec<Named>)> {
        let (mut withdrawn, mut stays) = (Vec::new(), Vec::new());
        for mut record in tx.open_under::<State>(agreement).await? {
            let terms = self.books.terms(tx, &record.terms).await?;
            match self.advance(tx, &mut record, &terms, Event::Withdraw, None).await {
                Ok(()) if record.state.is_over() => withdrawn.push(tx.named(&record).await?),
                // More left than the store knew: it failed, and all of it counts as out.
                Ok(()) => {
                    self.shut(tx, &mut record, &terms).await?;
                    stays.push(tx.named(&record).await?);
                }
                // Opened, it only waits to be erased.
                Err(CoreError::Illegal(_)) if record.state == State::Opened => {}
                Err(CoreError::Illegal(_)) => {
                    self.shut(tx, &mut record, &terms).await?;
                    stays.push(tx.named(&record).await?);
                }
                Err(other) => return Err(other),
            }
        }
        let codes =
            |all: &[Named]| all.iter().map(|it| it.code.to_string()).collect::<Vec<_>>().join(" ");
        let known = detail([
            ("agreement", agreement.to_string()),
            ("notice", word.kind().to_owned()),
            ("withdrawn", codes(&withdrawn)),
            ("stays", codes(&stays)),
        ]);
        tx.enter(self.books.now(), "ended-at-once", None, known).await?;
        Ok((withdrawn, stays))
    }

    /// Enough shares are out to open it: the others never leave.
    pub(super) async fn shut(
        &self,
        tx: &mut Tx,
        record: &mut Record<State>,
        terms: &Terms,
    ) -> Result<()> {
        match self.advance(tx, record, terms, Event::Shut, None).await {
            // Where it failed meanwhile none leaves any more, and the bundle is still there.
            Ok(()) | Err(CoreError::Illegal(_)) => {}
            Err(other) => return Err(other),
        }
        let of = (&record.agreement, Some(record.id));
        queue(tx, of, &Work::Shred, self.books.now()).await
    }

    /// The agreement ended at once: the shares that had not left are in the bundle, and go with it.
    pub(super) async fn shred(&self, job: &JobRow) -> Result<()> {
        if let Some(id) = job.transfer {
            self.erase_bundle(&id)?;
        }
        self.finish(job).await
    }

    /// Whether this share's custodian has no right to it any more, by the version that the transfer began under or by
    /// the one that counts now (art. 6; R41): it is looked at again when the share would leave.
    pub(super) fn is_barred(&self, record: &Record<State>, terms: &Agreement, index: u8) -> bool {
        let routes = record.state.envelope().map(|envelope| &envelope.routes);
        let route = routes.and_then(|routes| routes.iter().find(|route| route.index == index));
        let Some(route) = route else { return false };
        let counts = self.books.unapproved(&record.agreement).is_none();
        let now = self.books.agreements.get(&record.agreement).filter(|_| counts);
        let now = now.map(|installed| &installed.terms.agreement);
        let today = self.books.now().date();
        let may = |version: &Agreement| version.gets_shares(&route.custodian, today);
        !may(terms) || now.is_some_and(|version| !may(version))
    }

    /// Why no list is sealed under this agreement now: who has not typed the share of an exercise lately, as it came over
    /// the channel and to the number of today (R88).
    pub(super) async fn unrehearsed(
        &self,
        tx: &mut Tx,
        installed: &Installed,
    ) -> Result<Option<Words>> {
        let agreement = &installed.terms.agreement;
        let Some(days) = agreement.rehearsal.within() else { return Ok(None) };
        let confirmed = self.tried(tx, installed).await?;
        let missing = exercise::missing(agreement, &confirmed, self.books.now());
        if missing.is_empty() {
            return Ok(None);
        }
        let (who, name) = (missing.join(", "), &agreement.agreement);
        Ok(Some(words!(
            "art. 6: niet geoefend binnen {days} dagen door {who}. Oefen: sluis rehearse {name}; het gaat vanzelf verder als elk van hen het deel heeft ingetypt",
            "art. 6: not rehearsed within {days} days by {who}. Rehearse: sluis rehearse {name}; it goes on by itself when each of them has typed the share"
        )))
    }

    /// What is sealed is kept as a rehearsal where it is one, and an exercise with whom it reaches.
    pub(super) async fn rehearses(
        &self,
        tx: &mut Tx,
        record: &Record<State>,
        sent: &Sent,
    ) -> Result<()> {
        if sent.rehearsal {
            tx.rehearses(&record.id, &record.agreement).await?;
        }
        if sent.exercise { self.exercises(tx, record).await } else { Ok(()) }
    }

    /// A share of a rehearsal was typed: where that was the last one that a list waited for, the list goes on.
    pub(super) async fn rehearsed(&self, tx: &mut Tx, agreement: &AgreementId) -> Result<()> {
        let Some(installed) = self.books.agreements.get(agreement) else { return Ok(()) };
        let asks = installed.terms.agreement.rehearsal.within().is_some();
        if !asks || self.unrehearsed(tx, installed).await?.is_some() {
            return Ok(());
        }
        for mut record in tx.open_under::<State>(agreement).await? {
            if matches!(record.state, State::Held { .. }) {
                let terms = self.books.terms(tx, &record.terms).await?;
                self.advance(tx, &mut record, &terms, Event::Retry(None), None).await?;
            }
        }
        Ok(())
    }
}
