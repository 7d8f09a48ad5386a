//! What is said over the local socket of a core: by its gates, and by persons through the CLI.
//!
//! HTTP over a Unix socket, JSON bodies; `docs/operations.md` has which gate has which verbs. What a gate hands in is
//! untrusted input. Everything here has a bounded size.

use serde::{Deserialize, Serialize};

use crate::id::{AgreementId, ChannelId, Digest, TransferId, UploadId};
use crate::policy::Told;
use crate::reminder::Reminder;
use crate::statement::{Look, Signed};
use crate::transfer::Report;
use crate::words::Words;

mod persons;

pub use persons::*;

pub use crate::waiting::*;

/// The largest JSON request or answer on the socket, in bytes.
pub const MAX_BYTES: usize = 4 << 20;
/// The longest that `next` waits for work, in seconds.
pub const MAX_WAIT_S: u64 = 30;

/// Which queue of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lane {
    /// Transfers, in any order.
    Jobs,
    /// Letters to the other party, strictly in order.
    Post,
    /// Reminders to persons, in any order.
    Mail,
}

impl Lane {
    /// Its name in the store.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Jobs => "jobs",
            Self::Post => "post",
            Self::Mail => "mail",
        }
    }

    /// The lane of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Jobs, Self::Post, Self::Mail].into_iter().find(|lane| lane.name() == name)
    }
}

/// A gate asks for work; the answer is a [`Job`], or 204 when there was none for a while.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Next {
    /// Only work under this agreement; any where it is missing.
    pub agreement: Option<AgreementId>,
    /// Which queue.
    pub lane: Lane,
    /// This process, by a number of its own: what an earlier one had under lease is free again.
    pub instance: TransferId,
    /// Which of its tasks: each does one job at a time, so what it had under lease is free again when it asks.
    pub task: u16,
    /// Counts what this task asked: an older question that arrives later gets nothing.
    pub ask: u64,
    /// How long to wait, in seconds.
    pub wait: u64,
}

/// Work under lease.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// To be named in `exposing` and `done`.
    pub id: i64,
    /// Which lease of it this is: a word under an earlier lease is not taken.
    pub lease: i64,
    /// Under which agreement.
    pub agreement: AgreementId,
    /// For which transfer, where it is for one.
    pub transfer: Option<TransferId>,
    /// What to do.
    pub task: Task,
}

/// What a gate can be asked to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "task", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Task {
    /// Carrier: make an upload for the envelope, or find the one that was made.
    Place {
        /// Its size in bytes.
        size: u64,
    },
    /// Carrier: bring the envelope to its upload, from where it was left.
    Carry {
        /// Which upload.
        upload: UploadId,
        /// Its size in bytes.
        size: u64,
    },
    /// Carrier, fetcher: look whether this upload is gone.
    Probe {
        /// Which.
        upload: UploadId,
    },
    /// Carrier, fetcher: end this upload and look again.
    Terminate {
        /// Which.
        upload: UploadId,
    },
    /// Carrier, fetcher: put a letter into the other party's mailbox.
    Post {
        /// The statement's number.
        number: u64,
        /// The sealed statement, base64.
        letter: String,
        /// How it takes its place there.
        #[serde(default)]
        place: Place,
    },
    /// Releaser: check the evidence, open the bundle, hand one share to its channel.
    Release {
        /// The share's number.
        index: u8,
        /// The agency's `sent`.
        sent: Signed,
        /// The municipality's `delivered`.
        delivered: Signed,
        /// The municipality's `removed`.
        removed: Signed,
        /// The bundle, base64.
        bundle: String,
    },
    /// Releaser: tell a custodian's old number, over the custodian's channel, that there is a new one.
    TellOld {
        /// Digest of the agreement file under which.
        terms: Digest,
        /// What to say and to whom, signed and sealed, base64.
        sealed: String,
    },
    /// Notifier: tell persons by e-mail.
    Remind {
        /// Of what.
        reminder: Reminder,
    },
    /// Fetcher: bring the envelope to the keeper, from where it was left.
    Fetch {
        /// Its size in bytes.
        size: u64,
    },
}

/// A gate is about to hand the share of this job to its channel. 204: go; 409: do not.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exposing {
    /// The job.
    pub job: i64,
    /// Its lease.
    pub lease: i64,
}

/// A gate's word on what became of a job.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Done {
    /// The job.
    pub job: i64,
    /// Its lease.
    pub lease: i64,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a job.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Outcome {
    /// The upload was made; or it is whole in the drop zone; or the envelope came from it.
    Moved {
        /// Which upload.
        upload: UploadId,
    },
    /// This was seen.
    Looked {
        /// HTTP statuses.
        look: Look,
    },
    /// The letter lies in the mailbox, or the mail server took the mail.
    Posted,
    /// The provider took the share.
    Accepted {
        /// `http`, `smsd` or `spool`.
        driver: String,
        /// The provider's number of the message.
        message: Option<String>,
    },
    /// The provider will never take it.
    Rejected {
        /// `http`, `smsd` or `spool`.
        driver: String,
        /// A status or code.
        code: String,
    },
    /// Nobody knows whether it took it.
    Unknown {
        /// `http`, `smsd` or `spool`.
        driver: String,
    },
    /// The provider got it and says: later. By its word it was not taken, and that word is believed so many times.
    PutOff {
        /// `http`, `smsd` or `spool`.
        driver: String,
        /// What it said, for people.
        why: Words,
    },
    /// Surely not done; try again later.
    Again {
        /// What is in the way, for people.
        why: Words,
    },
    /// Not done, and no repetition will help.
    Never {
        /// A stable code.
        code: String,
        /// What is wrong, for logs.
        why: String,
    },
}

/// `report`: what an operator says became of a message. A hint, and the only verb of the gate `reports`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reported {
    /// Over which channel it left, by the address at which the report came in.
    pub channel: ChannelId,
    /// Our own number for it, as the operator repeats it.
    pub reference: String,
    /// What became of it.
    pub report: Report,
}

/// How far a core has read the other party's feed.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cursor {
    /// The last number that is in its ledger.
    pub after: u64,
    /// Whether this core has heard all that lay there since it began: until then no share leaves, because its store may
    /// be an older one.
    pub heard: bool,
    /// Of the keys that count: the word on how far it was heard is said anew under other ones.
    pub keys: Digest,
}

/// One sealed statement.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Letter {
    /// The number under which it lies in the mailbox.
    pub number: u64,
    /// The letter, base64.
    pub letter: String,
    /// As in [`Task::Post`]; a mailbox never says so.
    #[serde(default, skip_serializing_if = "Place::is_next")]
    pub place: Place,
}

/// How a letter takes its place in a mailbox.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// As the next one: another letter that lies there by its number stays.
    #[default]
    Next,
    /// A new beginning: what lies unread from its number on is void.
    Anew,
    /// Once more: whatever lies there by its number goes, read or not.
    Again,
}

impl Place {
    fn is_next(&self) -> bool {
        *self == Self::Next
    }
}

/// What a mailbox gave.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Letters {
    /// In the order of their numbers.
    pub letters: Vec<Letter>,
    /// How far the other party has heard this one: [`crate::epoch::Seen`], sealed, base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<String>,
}

/// An upload as the drop zone lists it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Listed {
    /// Its id.
    pub upload: UploadId,
    /// The transfer that its metadata names.
    pub transfer: Option<TransferId>,
    /// Its whole length.
    pub length: u64,
    /// How much of it is there.
    pub offset: u64,
}

/// Why a verb was refused; the body of every answer that is not 2xx.
#[derive(Debug, Clone, Serialize, Deserialize, thiserror::Error)]
#[error("{words}")]
pub struct Refused {
    /// A stable code.
    pub code: String,
    /// What, where, why, and what to do next.
    #[serde(flatten)]
    pub words: Words,
    /// Each reason, where a list is refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Told>,
}

impl Refused {
    /// With no more than its code and words.
    #[must_use]
    pub fn new(code: impl Into<String>, words: Words) -> Self {
        Self { code: code.into(), words, reasons: Vec::new() }
    }
}

/// What the keeper answers after a piece of an envelope came.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// How much of it is on the disk.
    pub offset: u64,
    /// Its digest, once it is whole.
    pub ciphertext: Option<Digest>,
}
