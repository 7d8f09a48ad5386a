//! The agency's side: the sealer (its core), and its gates: carrier, releaser and reports.
//!
//! The straight line: [`outbox`] -> [`claim`] -> [`admission`] -> [`seal`] -> [`carry`] -> [`confirm`] -> [`release`] ->
//! [`close`]. Beside it, [`reports`] -> [`report`]: what operators say became of a message.

pub mod admission;
pub mod approval;
pub mod carry;
pub mod claim;
pub mod close;
pub mod confirm;
pub mod envelopes;
pub mod let_go;
pub mod note;
pub mod numbers;
pub mod old_number;
pub mod outbox;
mod outcome;
pub mod persons;
pub mod release;
pub mod report;
pub mod reports;
pub mod request;
pub mod restore;
pub mod seal;
pub mod sealer;
pub mod status;
pub mod stops;
mod yearly;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use sluis_config::schema::Sealer;
use sluis_core::agreement::Side;
use sluis_core::control::Lane;
use sluis_core::duty::Duty;
use sluis_core::evidence::Terms;
use sluis_core::id::{AgreementId, ChannelId, Digest, Time, TransferId};
use sluis_core::policy;
use sluis_core::statement::{
    Body, Closed, Expired, Failed, Probed, Released, Sent, Superseded, Withdrawn,
};
use sluis_core::transfer::{Event, Say, State, Work};
use sluis_core::words::Language;

use crate::books::Books;
use crate::error::{CoreError, Result};
use crate::holders::Holders;
use crate::role::Role;
use crate::store::{Due, Record, Stored, Tx, detail};

/// The agency's core.
#[derive(Debug)]
pub struct Agency {
    /// Its books.
    pub books: Books,
    settings: Sealer,
    owners: Holders,
    language: Language,
    /// Channels that are folders: a transfer over nothing else is a rehearsal.
    folders: BTreeSet<ChannelId>,
    /// One claim at a time: the watcher and `sluis send` never take the same drop.
    claiming: tokio::sync::Mutex<()>,
    /// This process, where work is leased.
    holder: String,
    /// How far running uploads are, in bytes of the envelope.
    progress: Mutex<HashMap<TransferId, u64>>,
    /// Entries that were put back into the outbox: they settle before they are taken again.
    returned: Mutex<Vec<PathBuf>>,
    /// Something was put there that may leave now: it is looked at before the next rescan.
    offered: tokio::sync::Notify,
    /// Transfers whose status file is to be written again.
    touched: Mutex<BTreeSet<TransferId>>,
    /// Where refused drops lie, by their transfers.
    lying: Mutex<BTreeMap<TransferId, PathBuf>>,
    /// Refusals that the disk did not take beside their drops: they are told as soon as it does.
    untold: Mutex<status::Untold>,
    /// Something may lie in the private folder that belongs into the outbox.
    astray: AtomicBool,
}

impl Stored for State {
    fn name(&self) -> &'static str {
        Self::name(self)
    }
    fn is_open(&self) -> bool {
        !self.is_over()
    }
    fn expires(&self) -> Option<Time> {
        self.envelope().map(|envelope| envelope.expires)
    }
    fn replaced_by(&self) -> Option<TransferId> {
        match self {
            Self::Superseded { by } => Some(*by),
            _ => None,
        }
    }
}

/// Which role does which work.
fn gate_of(work: &Work) -> Role {
    match work {
        Work::Seal | Work::Forget | Work::Shred | Work::Erase | Work::End | Work::Resend { .. } => {
            Role::Sealer
        }
        Work::Place | Work::Carry { .. } | Work::Probe { .. } | Work::Terminate { .. } => {
            Role::Carrier
        }
        Work::Release { .. } => Role::Releaser,
    }
}

/// Work waits for whose it is.
async fn queue(
    tx: &mut Tx,
    (agreement, transfer): (&AgreementId, Option<TransferId>),
    work: &Work,
    due: impl Into<Due>,
) -> Result<()> {
    let json = serde_json::to_string(work).unwrap_or_default();
    Ok(tx.queue(gate_of(work), Lane::Jobs, agreement, transfer, &json, due).await?)
}

impl Agency {
    /// The core over these books.
    ///
    /// # Errors
    /// [`CoreError::Refused`] where an owner is no user or group here.
    pub fn new(
        books: Books,
        settings: Sealer,
        language: Language,
        folders: BTreeSet<ChannelId>,
    ) -> Result<Self> {
        let owners = Holders::of("sealer.owners", &settings.owners)?;
        let owners = books.duties.narrow(owners, Duty::Submit);
        let claiming = tokio::sync::Mutex::default();
        Ok(Self {
            books,
            settings,
            owners,
            language,
            folders,
            claiming,
            holder: TransferId::random().to_string(),
            progress: Mutex::default(),
            returned: Mutex::default(),
            offered: tokio::sync::Notify::default(),
            touched: Mutex::default(),
            lying: Mutex::default(),
            untold: Mutex::default(),
            astray: AtomicBool::default(),
        })
    }

    /// Where the plaintext of a transfer is kept.
    fn private(&self, agreement: &AgreementId, id: &TransferId) -> PathBuf {
        self.settings.private.join(agreement.as_str()).join(id.to_string())
    }
    fn spooled(&self, id: &TransferId) -> PathBuf {
        self.settings.spool.join(format!("{id}.age"))
    }
    fn bundled(&self, id: &TransferId) -> PathBuf {
        self.settings.bundles.join(format!("{id}.bundle"))
    }

    /// When what nobody knows the end of goes again: a report may still come.
    fn resend_due(&self, now: Time) -> Due {
        let wait = self.settings.resend_after_s.saturating_mul(1000);
        Due::late(now, now.plus_ms(i64::try_from(wait).unwrap_or(i64::MAX / 2)))
    }

    /// Applies an event: state, ledger, statement and work change in one transaction.
    ///
    /// # Errors
    /// [`CoreError::Illegal`] where the table knows no such step; nothing has changed then.
    async fn advance(
        &self,
        tx: &mut Tx,
        record: &mut Record<State>,
        terms: &Terms,
        event: Event,
        sent: Option<Sent>,
    ) -> Result<()> {
        let (now, event) = (self.books.now(), self.counted(record, event)?);
        let (name, mut known) = (event.name(), event.detail());
        // What a gate decided, by which rules of which version (R81).
        match (&event, &sent) {
            (Event::Refused(reasons, _), _) => {
                known.extend(policy::refusal(&terms.agreement, reasons));
            }
            (Event::Sealed(_), Some(sent)) => known.extend(policy::permit(&terms.agreement, sent)),
            _ => {}
        }
        let step = record.state.apply(event).map_err(|it| it.of(record.code))?;
        let was_over = record.state.is_over();
        let told = step.state != record.state || !step.say.is_empty();
        record.state = step.state;
        record.changed = now;
        tx.put(record).await?;
        if told {
            known.push(("state", record.state.name().to_owned()));
            tx.enter(now, &name.to_lowercase(), Some(record.id), detail(known)).await?;
        }
        // On the way into an end only: what an end itself asks for is done to its end.
        if record.state.is_over() && !was_over {
            for gate in [Role::Sealer, Role::Releaser] {
                tx.void(&record.id, gate).await?;
            }
            // An upload that is being made is known only when the carrier says so; then it is ended.
            tx.void_waiting(&record.id, Role::Carrier).await?;
        }
        for say in step.say {
            let body = self.body(tx, terms, record.id, say, sent.as_ref()).await?;
            self.books.say(tx, terms, Some(record.id), body).await?;
        }
        for work in step.work {
            let due = match work {
                Work::Resend { .. } => self.resend_due(now),
                _ => now.into(),
            };
            queue(tx, (&record.agreement, Some(record.id)), &work, due).await?;
        }
        if let Ok(mut touched) = self.touched.lock() {
            touched.insert(record.id);
        }
        Ok(())
    }

    /// The body of a statement, with the references that only the store knows.
    async fn body(
        &self,
        tx: &mut Tx,
        terms: &Terms,
        id: TransferId,
        say: Say,
        sent: Option<&Sent>,
    ) -> Result<Body> {
        Ok(match say {
            Say::Sent => sent
                .cloned()
                .ok_or_else(|| CoreError::to_gate("sent", "nothing was sealed"))?
                .into(),
            Say::Probed(upload, seen) => {
                let removed = self.theirs(tx, terms, &id, "removed").await?;
                Probed { removed, upload, seen, word: "carrier".into() }.into()
            }
            Say::Released(shares) => Released {
                removed: self.theirs(tx, terms, &id, "removed").await?,
                probed: self.books.required(tx, terms, &id, "probed", Side::Agency).await?.digest(),
                shares,
            }
            .into(),
            Say::Closed => {
                let erased = ["plaintext", "envelope", "bundle"].map(str::to_owned).to_vec();
                Closed { opened: self.theirs(tx, terms, &id, "opened").await?, erased }.into()
            }
            Say::Withdrawn(exposed) => Withdrawn { exposed }.into(),
            Say::Expired(exposed) => Expired { exposed }.into(),
            Say::Failed(step, code) => Failed { step, code }.into(),
            Say::Superseded(by) => Superseded { by }.into(),
        })
    }

    async fn theirs(
        &self,
        tx: &mut Tx,
        terms: &Terms,
        id: &TransferId,
        kind: &str,
    ) -> Result<Digest> {
        Ok(self.books.required(tx, terms, id, kind, Side::Municipality).await?.digest())
    }
}
