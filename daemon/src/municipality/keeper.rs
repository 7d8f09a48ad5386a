//! The keeper's own work: what it hears, what its gate is told and reports, and discarding.

use std::path::PathBuf;
use std::sync::atomic::Ordering;

use sluis_core::control::{Lane, MakeNotice, Named, Outcome, Over, Row, Task};
use sluis_core::evidence::Verified;
use sluis_core::id::{AgreementId, Digest, TransferCode};
use sluis_core::notice::Sort;
use sluis_core::receipt::{Event, State, Work};
use sluis_core::statement::Body;
use sluis_core::words;
use sluis_core::words::Words;

use super::Municipality;
use super::retain::HOLD;
use crate::books::{Books, backoff_ms};
use crate::error::{CoreError, Effect, Result};
use crate::files;
use crate::gatehouse::Core;
use crate::role::Role;
use crate::store::{Holder, JobRow, Record, Tx, detail};

/// Whether the vault holds a list by this code: by its code it is shown, taken and destroyed, for years.
async fn is_held(tx: &mut Tx, code: &TransferCode) -> Result<bool> {
    for state in HOLD {
        if tx.is_called(code, state).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Municipality {
    /// An ended transfer's envelope will never be opened: it goes.
    async fn discard(&self, tx: &mut Tx, job: &JobRow) -> Result<()> {
        let Some(id) = job.transfer else { return Ok(()) };
        let (record, _) = self.books.load::<State>(tx, &id).await?;
        self.forget(&id);
        if !matches!(record.state, State::Ended { .. } | State::Failed { .. }) {
            return Ok(());
        }
        self.its_vault(tx).await?;
        // Whoever still brings bytes of it would put them where this has cleared.
        let turn = self.turn(&id);
        let Ok(_turn) = turn.try_lock() else {
            let why = words!("ze wordt nog opgehaald", "a fetch of it is still under way");
            return Err(CoreError::refused("busy", why));
        };
        let folder = self.vault(&record.agreement, &id, &record.code);
        files::erase(&folder).map_err(CoreError::io("discarding the envelope"))?;
        tx.enter(self.books.now(), "discarded", Some(id), detail([("what", "envelope".into())]))
            .await?;
        Ok(())
    }

    async fn announced(&self, tx: &mut Tx, said: &Verified) -> Effect {
        let (Ok(id), Body::Sent(sent)) = (said.transfer(), &said.statement().body) else {
            return Ok(Ok(()));
        };
        if tx.transfer::<State>(&id).await?.is_some() {
            return Ok(Err(words!(
                "deze zending werd al aangekondigd",
                "this transfer was announced before"
            )));
        }
        if tx.is_taken(&sent.code).await? || is_held(tx, &sent.code).await? {
            return Ok(Err(words!(
                "de code {} is van een andere zending, die open is of in de kluis",
                "the code {} belongs to another transfer, which is open or in the vault",
                sent.code
            )));
        }
        let consistent = sent.routes.len() <= usize::from(sluis_core::share::MAX_SHARES)
            && sent.routes.len() == sent.commitments.len()
            && (1..).zip(&sent.routes).all(|(index, route): (u8, _)| route.index == index)
            && u8::try_from(sent.routes.len()).is_ok_and(|shares| {
                sluis_core::share::check_bounds(sent.threshold, shares).is_ok()
            });
        if !consistent {
            return Ok(Err(words!(
                "haar plan spreekt zichzelf tegen",
                "its plan contradicts itself"
            )));
        }
        let header = &said.statement().header;
        let now = self.books.now();
        let terms = self.books.terms(tx, &header.terms).await?;
        // Sealing adds at most an eighth, and little to that.
        let most = terms.agreement.file.max_size_mib.saturating_mul(1 << 20).saturating_mul(5) / 4;
        if sent.size > most.saturating_add(1 << 20) {
            return Ok(Err(words!(
                "ze is groter dan de overeenkomst toelaat",
                "it is larger than the agreement allows"
            )));
        }
        let mut record = Record {
            id,
            code: sent.code,
            agreement: header.agreement.clone(),
            terms: header.terms,
            replaces: sent.replaces,
            created: now,
            state: State::Announced { sent: sent.clone() },
            changed: now,
            version: 0,
        };
        tx.put(&mut record).await?;
        if sent.rehearsal {
            tx.rehearses(&id, &record.agreement).await?;
        }
        tx.enter(now, "announced", Some(id), detail([("code", sent.code.to_string())])).await?;
        if let Some(report) = &sent.mends
            && !self.is_reported(tx, &record, report).await?
        {
            tracing::warn!(transfer = %id, case = %report, "it mends no list that is known here");
            let known = [("statement", said.digest().to_string()), ("case", report.to_string())];
            tx.enter(now, "mends-unknown", Some(id), detail(known)).await?;
        }
        self.queue(tx, &record, &Work::Fetch).await?;
        Ok(Ok(()))
    }

    /// Whether this report, which a list says that it mends, tells of an error in an earlier one under the same agreement
    /// (R63). Where it does not people read so, and the list is fetched all the same: an older store that was put back may
    /// have lost the report.
    async fn is_reported(
        &self,
        tx: &mut Tx,
        list: &Record<State>,
        report: &Digest,
    ) -> Result<bool> {
        let register = self.books.notices(tx, &list.agreement).await?;
        let Some(earlier) = register.reported_in(report).filter(|it| *it != list.id) else {
            return Ok(false);
        };
        let earlier = tx.transfer::<State>(&earlier).await?;
        Ok(earlier.is_some_and(|it| it.agreement == list.agreement))
    }

    async fn ended(&self, tx: &mut Tx, said: &Verified, how: &str) -> Effect {
        let Ok(id) = said.transfer() else { return Ok(Ok(())) };
        let (mut record, terms) = match self.books.spoken_of::<State>(tx, said, &id).await? {
            Ok(found) => found,
            Err(why) => return Ok(Err(why)),
        };
        match self.advance(tx, &mut record, &terms, Event::Ended(how.to_owned())).await {
            Ok(()) => Ok(Ok(())),
            Err(CoreError::Illegal(illegal)) => Ok(Err(illegal.words())),
            Err(other) => Err(other),
        }
    }

    async fn collected(
        &self,
        tx: &mut Tx,
        record: &mut Record<State>,
        outcome: Outcome,
    ) -> Result<bool> {
        let terms = self.books.terms(tx, &record.terms).await?;
        let event = match (&record.state, outcome) {
            (State::Announced { .. }, Outcome::Moved { upload }) => {
                // The fetcher's word is not enough: what lies in the vault was read again.
                let whole =
                    self.vault(&record.agreement, &record.id, &record.code).join("envelope.age");
                if !self.holds(&record.id, &whole) {
                    return Ok(false);
                }
                Event::Collected(upload)
            }
            (State::Announced { .. }, Outcome::Never { code, .. }) if code == "mismatch" => {
                Event::Mismatch(code)
            }
            (State::Announced { .. }, _) => return Ok(false),
            _ => return Ok(true),
        };
        self.advance(tx, record, &terms, event).await.map(|()| true)
    }
}

impl Core for Municipality {
    type State = State;

    fn books(&self) -> &Books {
        &self.books
    }

    fn about(&self) -> (Role, PathBuf) {
        (Role::Keeper, self.settings.vault.clone())
    }

    async fn row(&self, tx: &mut Tx, record: &Record<State>) -> Result<Row> {
        let note = match &record.state {
            State::Removed { sent, accepted, .. } => {
                let (have, needed, code) = (accepted.len(), sent.threshold, record.code);
                // The agency says so after the last share: before that, who has a message may type.
                let said = tx.said_when(&record.id).await?;
                if have > 0 || said.iter().any(|(kind, _)| kind == "released") {
                    words!(
                        "{have} van {needed} regels zijn er; typ de uwe: sluis open {code}",
                        "{have} of {needed} lines are in; type yours: sluis open {code}"
                    )
                } else {
                    words!(
                        "wacht op de sleuteldelen; elke bewaarder typt de regel zodra het bericht met code {code} er is",
                        "waits for the shares; each custodian types the line once the message with code {code} has come"
                    )
                }
            }
            State::Opened { sent, accepted, .. } if sent.exercise => words!(
                "{} van {} bewaarders hebben getypt; de andere typen ook hun regel: sluis open {}",
                "{} of {} custodians have typed; the others type theirs too: sluis open {}",
                accepted.len(),
                sent.routes.len(),
                record.code
            ),
            State::Opened { .. } => words!(
                "{}; één bestand haalt u op met: sluis take {} > BESTAND",
                "{}; take one file with: sluis take {} > FILE",
                self.opened_folder(record).display(),
                record.code
            ),
            State::Destroying { .. } | State::Destroyed { .. } => Words::default(),
            State::Ended { .. } | State::Failed { .. } => super::open::not_now(&record.state),
            State::Announced { .. } | State::Collected { .. } => Words::default(),
        };
        let folder = self.vault(&record.agreement, &record.id, &record.code);
        let progress = match &record.state {
            State::Announced { sent } => {
                let here =
                    std::fs::metadata(folder.join("envelope.part")).map_or(0, |meta| meta.len());
                Some((here, sent.size))
            }
            _ => None,
        };
        Ok(Row {
            transfer: record.id,
            code: record.code,
            agreement: record.agreement.clone(),
            state: record.state.name().to_owned(),
            note,
            mover: record.state.mover().to_owned(),
            name: None,
            since: record.changed,
            progress,
            rehearsal: false,
        })
    }

    async fn heard(&self, tx: &mut Tx, said: &Verified) -> Effect {
        match &said.statement().body {
            Body::Sent(_) => self.announced(tx, said).await,
            Body::Unknown(kind, _) => Ok(Err(words!(
                "deze versie kent {kind} niet",
                "{kind} is not known to this version"
            ))),
            Body::Notice(sort, notice) => self.books.hear_notice(tx, said, *sort, notice).await,
            Body::Withdrawn(_) | Body::Expired(_) | Body::Superseded(_) | Body::Failed(_) => {
                self.ended(tx, said, said.statement().body.kind()).await
            }
            // `probed`, `released` and `closed` are for the record.
            _ => Ok(Ok(())),
        }
    }

    async fn noted(
        &self,
        _: &mut Tx,
        _: &AgreementId,
        _: Sort,
    ) -> Result<(Vec<Named>, Vec<Named>)> {
        // Nothing is under way that this party could stop by its word.
        Ok(Default::default())
    }

    async fn task(&self, tx: &mut Tx, job: &JobRow) -> Result<Option<Task>> {
        let Some(id) = job.transfer else { return Ok(None) };
        let (record, terms) = self.books.load::<State>(tx, &id).await?;
        let work: Work = job.read()?;
        if work == Work::Fetch {
            self.books.may_fetch(tx, &terms).await?;
        }
        Ok(match (work, &record.state) {
            (Work::Fetch, State::Announced { sent }) => Some(Task::Fetch { size: sent.size }),
            (Work::Terminate { upload }, State::Collected { .. }) => {
                Some(Task::Terminate { upload })
            }
            _ => None,
        })
    }

    async fn exposing(&self, _: &mut Tx, _: &JobRow) -> Result<bool> {
        // Nothing leaves from here.
        Ok(false)
    }

    async fn done(&self, tx: &mut Tx, job: &JobRow, outcome: Outcome) -> Result<bool> {
        let Some(id) = job.transfer else { return Ok(true) };
        let (mut record, terms) = self.books.load::<State>(tx, &id).await?;
        let work: Work = job.read()?;
        match (work, outcome) {
            (Work::Fetch, outcome) => self.collected(tx, &mut record, outcome).await,
            (Work::Terminate { .. }, Outcome::Looked { look }) if look.is_gone() => {
                if matches!(record.state, State::Collected { .. }) {
                    self.advance(tx, &mut record, &terms, Event::Terminated(look)).await?;
                }
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    async fn go_on(&self, tx: &mut Tx, agreement: &AgreementId) -> Result<Vec<Named>> {
        self.go_on_from_older(tx, agreement).await
    }

    async fn recover(&self) -> Result<()> {
        self.in_order.store(false, Ordering::SeqCst);
        let mut tx = self.books.store.begin().await?;
        match self.its_vault(&mut tx).await {
            Ok(()) => self.books.commit(tx).await,
            // Persons and the other party are answered all the same; what needs the vault waits.
            Err(error @ CoreError::Refused(_)) => {
                tracing::error!(%error, "nothing is kept, opened or destroyed");
                Ok(())
            }
            Err(other) => Err(other),
        }
    }

    async fn worded(&self, tx: &mut Tx, ask: &mut MakeNotice) -> Result<()> {
        if ask.sort == Sort::Attestation { self.attested(tx, ask).await } else { Ok(()) }
    }

    async fn over(&self, tx: &mut Tx) -> Result<Over> {
        self.due(tx).await
    }

    async fn step(&self) -> Result<bool> {
        self.forget_old();
        // Nothing is destroyed on a jump of the clock alone.
        if let Some(now) = self.books.believed().await? {
            self.retire(now).await?;
        }
        let mut tx = self.books.store.begin().await?;
        let own = Holder { instance: &self.holder, task: 0, up: self.books.up() };
        let Some(job) = tx.lease(Role::Keeper, Lane::Jobs, None, own, self.books.now()).await?
        else {
            return Ok(false);
        };
        let done = match job.read() {
            Ok(Work::Destroy) => self.destroy(&mut tx, &job).await,
            _ => self.discard(&mut tx, &job).await,
        };
        match done {
            Ok(()) => tx.finish(job.id).await?,
            // Nothing of what was begun stays: it would be done, and nobody be told.
            Err(error) => {
                tracing::warn!(transfer = ?job.transfer, %error, "work of the keeper is tried again");
                drop(tx);
                tx = self.books.store.begin().await?;
                let due = self.books.now().plus_ms(backoff_ms(job.attempts));
                tx.given_up(&job, due, &error.words()).await?;
            }
        }
        self.books.commit(tx).await?;
        Ok(true)
    }

    async fn after(&self) {}
}
