//! The old number of a custodian is told that there is a new one: the work, and what became of it.
//!
//! In the store there is only that it is to be done. The number is sealed for the releaser when that asks, from the
//! contacts file; each attempt is durable before it leaves, as with a share.

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use sluis_config::agreements::Installed;
use sluis_core::control::{Lane, Outcome, Task};
use sluis_core::id::{AgreementId, CustodianId};
use sluis_core::old_number::{OldNumber, Telling, Told};

use super::Agency;
use super::outcome::plain;
use crate::error::{CoreError, Result};
use crate::role::Role;
use crate::store::{Due, JobRow, Number, Tx};

/// After so many attempts in one go, a day and a half, nobody waits for the provider any more.
const MOST: i64 = 100;

/// The work, as it is queued.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Errand {
    /// Whose old number.
    old_number_of: CustodianId,
}

impl Agency {
    /// Queues the word to the old number.
    pub(super) async fn tell_old(
        &self,
        tx: &mut Tx,
        name: &AgreementId,
        custodian: &CustodianId,
        due: Due,
    ) -> Result<()> {
        let errand = Errand { old_number_of: custodian.clone() };
        let work = serde_json::to_string(&errand).unwrap_or_default();
        tx.queue(Role::Releaser, Lane::Jobs, name, None, &work, due).await?;
        Ok(())
    }

    /// What the releaser is told to do; nothing where it has become void.
    pub(super) async fn old_number_task(&self, tx: &mut Tx, job: &JobRow) -> Result<Option<Task>> {
        let Some((custodian, mut known)) = self.errand(tx, job).await? else { return Ok(None) };
        let installed = self.books.installed(&job.agreement)?;
        let Some(word) = self.word(installed, &custodian, &known)? else {
            // The contacts file has it no more; whoever offers a list is told so.
            known.told = None;
            tx.keep_number(&job.agreement, &custodian, &known).await?;
            return Ok(None);
        };
        let signer = self.books.next_signer(tx, &installed.terms).await?;
        let sealed = word.seal(signer, &self.settings.releaser);
        let sealed = sealed.map_err(|e| CoreError::to_gate("old-number", e))?;
        Ok(Some(Task::TellOld { terms: word.terms, sealed: BASE64.encode(&sealed) }))
    }

    /// It is about to leave; or it was, under an earlier lease, and nobody said what became of it.
    pub(super) async fn old_number_exposing(&self, tx: &mut Tx, job: &JobRow) -> Result<bool> {
        let Some((custodian, known)) = self.errand(tx, job).await? else { return Ok(false) };
        let Some(told) = known.told.clone() else { return Ok(false) };
        if told.stands != Told::Waiting {
            // Under way by another job: nothing of this one's doing is in doubt.
            if job.granted.is_none() {
                return Ok(false);
            }
            self.stands(tx, job, (&custodian, known), Told::Unknown).await?;
            return Ok(false);
        }
        let leaving = Telling { stands: Told::Leaving, ..told };
        tx.keep_number(&job.agreement, &custodian, &Number { told: Some(leaving), ..known })
            .await?;
        self.enter_number(tx, "number-telling", &job.agreement, &custodian, []).await?;
        tx.grant(job.id).await?;
        Ok(true)
    }

    /// The releaser's word. `true`: the job is finished.
    pub(super) async fn old_number_done(
        &self,
        tx: &mut Tx,
        job: &JobRow,
        outcome: Outcome,
    ) -> Result<bool> {
        let Some((custodian, mut known)) = self.errand(tx, job).await? else { return Ok(true) };
        let granted = job.granted == Some(job.attempts);
        let stands = match outcome {
            // It never left: what is wrong with it is wrong each time.
            Outcome::Never { code, .. } => Told::Rejected(plain(&code)),
            Outcome::Accepted { .. } if granted => Told::Sent(self.books.now()),
            Outcome::Rejected { code, .. } if granted => Told::Rejected(plain(&code)),
            Outcome::Unknown { .. } if granted => Told::Unknown,
            // Whoever cannot be told for so long is told by a person, or is let pass by two.
            Outcome::Again { .. } if granted && job.attempts >= MOST => {
                known.told.iter_mut().for_each(|told| told.resends = 0);
                Told::Unknown
            }
            Outcome::Again { .. } | Outcome::PutOff { .. } => {
                let Some(told) = known.told.clone().filter(|_| granted) else { return Ok(false) };
                let told = match outcome {
                    Outcome::PutOff { .. } => told.put_off(self.settings.deferrals),
                    _ => Telling { stands: Told::Waiting, ..told },
                };
                let waits = told.stands == Told::Waiting;
                known.told = Some(told);
                if waits {
                    tx.keep_number(&job.agreement, &custodian, &known).await?;
                    return Ok(false);
                }
                Told::Unknown
            }
            _ => return Ok(false),
        };
        self.stands(tx, job, (&custodian, known), stands).await?;
        Ok(true)
    }

    /// Keeps and enters what became of it; where nobody knows, it goes again by itself as often as a share does.
    async fn stands(
        &self,
        tx: &mut Tx,
        job: &JobRow,
        (custodian, mut known): (&CustodianId, Number),
        stands: Told,
    ) -> Result<()> {
        let Some(told) = known.told.take() else { return Ok(()) };
        let (outcome, code) = match &stands {
            Told::Sent(_) | Told::Passed(_) => ("accepted", None),
            Told::Rejected(code) => ("rejected", Some(code.clone())),
            Told::Unknown | Told::Waiting | Told::Leaving => ("unknown", None),
        };
        let told = match stands {
            Told::Unknown => told.lost(),
            stands => Telling { stands, ..told },
        };
        if told.stands == Told::Waiting {
            let due = self.resend_due(self.books.now());
            self.tell_old(tx, &job.agreement, custodian, due).await?;
        }
        known.told = Some(told);
        tx.keep_number(&job.agreement, custodian, &known).await?;
        let more = [("outcome", outcome.to_owned())].into_iter();
        let more = more.chain(code.map(|code| ("code", code)));
        self.enter_number(tx, "number-told", &job.agreement, custodian, more).await
    }

    /// Whose number this job is about, as long as it is to be told.
    async fn errand(&self, tx: &mut Tx, job: &JobRow) -> Result<Option<(CustodianId, Number)>> {
        let Ok(Errand { old_number_of }) = job.read() else {
            return Ok(None);
        };
        let known = tx.known_number(&job.agreement, &old_number_of).await?;
        let known = known.filter(|known| {
            known
                .told
                .as_ref()
                .is_some_and(|told| matches!(told.stands, Told::Waiting | Told::Leaving))
        });
        Ok(known.map(|known| (old_number_of, known)))
    }

    /// What is to be said, from the contacts file.
    fn word(
        &self,
        installed: &Installed,
        custodian: &CustodianId,
        known: &Number,
    ) -> Result<Option<OldNumber>> {
        let agreement = &installed.terms.agreement;
        let entry = agreement.key.custodians.iter().find(|it| it.id == *custodian);
        let call = installed.contacts.as_ref().and_then(|(contacts, _)| contacts.call.clone());
        let former = self.former(installed, custodian, known)?;
        let (Some(entry), Some(former), Some(call), Some(next)) = (entry, former, call, known.next)
        else {
            return Ok(None);
        };
        // The same for every attempt, and it says nothing of the number.
        let reference: String = next.to_string().chars().take(32).collect();
        let reference =
            reference.parse().map_err(|_| CoreError::to_gate("old-number", "no reference"))?;
        Ok(Some(OldNumber {
            reference,
            terms: installed.terms.digest,
            custodian: custodian.clone(),
            number: former.to_owned(),
            language: entry.language,
            channel: entry.channel.clone(),
            call,
        }))
    }
}
