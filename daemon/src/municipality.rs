//! The municipality's side: the keeper (its core), and its gate, the fetcher.
//!
//! The straight line: [`fetch`] -> [`collect`] -> removal -> [`open`] -> [`retain`]; all but the first in the one vault that
//! `vault` knows.

pub mod collect;
pub mod fetch;
pub mod keeper;
pub mod open;
pub mod persons;
pub mod restore;
pub mod retain;
pub mod take;
mod vault;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI64};

use sluis_config::schema::Keeper;
use sluis_core::agreement::Side;
use sluis_core::control::Lane;
use sluis_core::deadline::civil;
use sluis_core::evidence::Terms;
use sluis_core::id::{AgreementId, Time, TransferCode, TransferId};
use sluis_core::receipt::{Event, Say, State, Work};
use sluis_core::share::place;
use sluis_core::statement::{
    Body, Delivered, Destroyed, Failed, Opened, Ready, Removed, Sent, ShareAccepted,
};

use crate::books::Books;
use crate::error::{CoreError, Result};
use crate::role::Role;
use crate::store::{Record, Stored, Tx, detail};

/// The municipality's core.
#[derive(Debug)]
pub struct Municipality {
    /// Its books.
    pub books: Books,
    settings: Keeper,
    /// Lines that were typed and wait for more: in memory alone, wiped when they are used or forgotten.
    lines: Mutex<HashMap<TransferId, open::Typed>>,
    /// Which files in the vault were digested and found right.
    held: Mutex<HashMap<TransferId, collect::Stamp>>,
    /// This process, where work is leased.
    holder: String,
    /// One opening or fetch of a transfer at a time; taken before a transaction, never in one.
    busy: Mutex<HashMap<TransferId, std::sync::Arc<tokio::sync::Mutex<()>>>>,
    /// Whether what a crash left in the vault was put in order.
    in_order: AtomicBool,
    /// When it was last looked whose last day has come.
    looked: AtomicI64,
}

impl Stored for State {
    fn name(&self) -> &'static str {
        Self::name(self)
    }
    fn is_open(&self) -> bool {
        matches!(self, Self::Announced { .. } | Self::Collected { .. } | Self::Removed { .. })
    }
    fn expires(&self) -> Option<Time> {
        None
    }
}

impl Municipality {
    /// The core over these books.
    #[must_use]
    pub fn new(books: Books, settings: Keeper) -> Self {
        Self {
            books,
            settings,
            lines: Mutex::default(),
            held: Mutex::default(),
            holder: TransferId::random().to_string(),
            busy: Mutex::default(),
            in_order: AtomicBool::default(),
            looked: AtomicI64::default(),
        }
    }

    /// The folder of one transfer in the vault. Codes come back after years; ids never do.
    fn vault(&self, agreement: &AgreementId, id: &TransferId, code: &TransferCode) -> PathBuf {
        let short: String = id.to_string().chars().take(6).collect();
        self.settings.vault.join(agreement.as_str()).join(format!("{code}-{short}"))
    }

    /// One at a time per transfer.
    fn turn(&self, id: &TransferId) -> std::sync::Arc<tokio::sync::Mutex<()>> {
        let turn = self.busy.lock().map(|mut busy| busy.entry(*id).or_default().clone());
        turn.unwrap_or_default()
    }

    /// Applies an event: state, ledger, statement and work change in one transaction.
    async fn advance(
        &self,
        tx: &mut Tx,
        record: &mut Record<State>,
        terms: &Terms,
        event: Event,
    ) -> Result<()> {
        let now = self.books.now();
        let name = event.name();
        let sent = record.state.sent().cloned();
        let step = record.state.apply(event).map_err(|it| it.of(record.code))?;
        let changed = step.state != record.state;
        record.state = step.state;
        record.changed = now;
        tx.put(record).await?;
        if changed {
            let detail = detail([("state", record.state.name().to_owned())]);
            tx.enter(now, &name.to_lowercase(), Some(record.id), detail).await?;
        }
        if !record.state.is_open() {
            tx.void(&record.id, Role::Fetcher).await?;
        }
        if let (Some(say), Some(sent)) = (step.say, sent) {
            let body = self.body(tx, record.id, terms, say, &sent).await?;
            self.books.say(tx, terms, Some(record.id), body).await?;
        }
        if let Some(work) = step.work {
            self.queue(tx, record, &work).await?;
        }
        Ok(())
    }

    async fn queue(&self, tx: &mut Tx, record: &Record<State>, work: &Work) -> Result<()> {
        let gate = match work {
            Work::Fetch | Work::Terminate { .. } => Role::Fetcher,
            Work::Discard | Work::Destroy => Role::Keeper,
        };
        let json = serde_json::to_string(work).unwrap_or_default();
        Ok(tx
            .queue(gate, Lane::Jobs, &record.agreement, Some(record.id), &json, self.books.now())
            .await?)
    }

    /// The body of a statement, with the references that only the store knows.
    async fn body(
        &self,
        tx: &mut Tx,
        id: TransferId,
        terms: &Terms,
        say: Say,
        sent: &Sent,
    ) -> Result<Body> {
        let sent_digest = self.books.required(tx, terms, &id, "sent", Side::Agency).await?.digest();
        let ours = async |tx: &mut Tx, kind| {
            Ok::<_, CoreError>(
                self.books.required(tx, terms, &id, kind, Side::Municipality).await?.digest(),
            )
        };
        Ok(match say {
            Say::Delivered(upload) => Delivered {
                sent: sent_digest,
                ciphertext: sent.ciphertext,
                size: sent.size,
                upload,
            }
            .into(),
            Say::Removed(upload, seen) => Removed {
                sent: sent_digest,
                delivered: ours(tx, "delivered").await?,
                ciphertext: sent.ciphertext,
                upload,
                host: terms.agreement.drop_zone.host.to_string(),
                done: "tus-termination".into(),
                seen,
                // Nobody outside the drop zone's host can see these; silence would claim too much.
                unknown: ["snapshots", "backups"].map(str::to_owned).to_vec(),
            }
            .into(),
            Say::Ready => Ready { removed: ours(tx, "removed").await? }.into(),
            Say::ShareAccepted(index) => {
                let missing = || CoreError::to_gate("share", "no such share");
                let place = place(index).ok_or_else(missing)?;
                ShareAccepted {
                    index,
                    custodian: sent.routes.get(place).ok_or_else(missing)?.custodian.clone(),
                    commitment: *sent.commitments.get(place).ok_or_else(missing)?,
                }
                .into()
            }
            Say::Opened(plaintext, shares) => {
                Opened { sent: sent_digest, plaintext, shares }.into()
            }
            Say::Destroyed(opened) => {
                // Only what somebody said was asked; else nobody knows what became of the messages.
                let asked = retain::messages_asked(tx, &id).await?;
                let messages = |holds: bool| holds.then(|| "messages".to_owned());
                let unknown = retain::out_of_reach(tx, &id).await?;
                Destroyed {
                    sent: sent_digest,
                    unknown: messages(!asked).into_iter().chain(unknown).collect(),
                    erased: if opened { &["envelope", "opened"][..] } else { &["envelope"] }
                        .iter()
                        .map(|what| (*what).to_owned())
                        .collect(),
                    asked: messages(asked).into_iter().collect(),
                    backups_until: (self.settings.backups_keep_days > 0).then(|| {
                        civil::days_after(self.books.now().date(), self.settings.backups_keep_days)
                    }),
                }
            }
            .into(),
            Say::Failed(code) => Failed { step: "fetch".into(), code }.into(),
        })
    }
}
