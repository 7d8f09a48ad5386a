//! A transfer at the municipality: states, events, and the table that joins them.
//!
//! | state | event | next | says | work |
//! |---|---|---|---|---|
//! | (none) | Announced (evidence) | Announced | | fetch |
//! | Announced | Collected | Collected | `delivered` | terminate |
//! | Collected | Terminated, gone | Removed | `removed` | |
//! | Removed | Ready | Removed | `ready` | |
//! | Removed | ShareAccepted | Removed, one more | `share-accepted` | |
//! | Removed | Opened | Opened | `opened` | |
//! | Opened, an exercise | ShareAccepted | Opened, one more | `share-accepted` | |
//! | Removed, Opened | Destroy (two persons, or its last day) | Destroying | | destroy |
//! | Destroying | Destroyed | Destroyed | `destroyed` | |
//! | before Opened | Ended (their word) | Ended | | discard |
//! | before Opened | Mismatch | Failed | `failed` | discard |
//! | before Opened | PutBack, the vault has it open | Opened | | |
//! | Removed | PutBack, the vault has the envelope | Removed | | |
//! | before Opened | PutBack, otherwise | Failed | `failed` | discard |
//!
//! A share that was accepted before, or that there is none of, is taken in silence.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::id::{Digest, Time, TransferCode, UploadId};
use crate::statement::{Look, Sent};
use crate::transfer::Illegal;

/// Where a transfer stands at the municipality.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state")]
pub enum State {
    /// The agency sent it; it is being fetched.
    Announced {
        /// What `sent` says.
        sent: Sent,
    },
    /// Whole in the vault, still in the drop zone.
    Collected {
        /// What `sent` says.
        sent: Sent,
        /// Where it lies in the drop zone.
        upload: UploadId,
    },
    /// In the vault, gone from the drop zone; waits for lines.
    Removed {
        /// What `sent` says.
        sent: Sent,
        /// Which shares were accepted so far.
        accepted: BTreeSet<u8>,
        /// Whether the custodians were said to be at their desks.
        ready: bool,
    },
    /// Open in the vault.
    Opened {
        /// What `sent` says.
        sent: Sent,
        /// Since when.
        at: Time,
        /// Which shares were accepted: of an exercise the others too, so that every custodian has tried it.
        accepted: BTreeSet<u8>,
    },
    /// It is to be destroyed, on the word of two persons or by the agreement; what the vault holds of it goes.
    Destroying {
        /// What `sent` says.
        sent: Sent,
        /// Whether it was ever open: then there is more than the envelope.
        opened: bool,
    },
    /// Nothing of it is in the vault any more (art. 3; R17, R24).
    Destroyed {
        /// The code that people know it by.
        code: TransferCode,
    },
    /// The agency stopped it, or its time is over; the envelope stays shut and is discarded.
    Ended {
        /// The code that people know it by.
        code: TransferCode,
        /// `withdrawn`, `expired`, `superseded` or `failed`.
        how: String,
    },
    /// What came is not what was announced.
    Failed {
        /// The code that people know it by.
        code: TransferCode,
        /// A stable code of what is wrong.
        what: String,
    },
}

/// What can happen to it.
#[derive(Debug)]
pub enum Event {
    /// The envelope is durable in the vault and is what `sent` says.
    Collected(UploadId),
    /// The drop zone was asked to end the upload; this was seen after.
    Terminated(Look),
    /// A person said the custodians are at their desks.
    Ready,
    /// A typed share met its commitment.
    ShareAccepted(u8),
    /// t shares opened it.
    Opened {
        /// When.
        at: Time,
        /// The commitment computed from what came out.
        plaintext: Digest,
        /// Which shares were used.
        shares: Vec<u8>,
    },
    /// Two persons said so, or its retention ends and the agreement leaves it to the keeper.
    Destroy,
    /// The vault holds nothing of it any more.
    Destroyed,
    /// The agency ended it.
    Ended(String),
    /// It is not what was announced.
    Mismatch(String),
    /// The store that says this is an older one: what the vault holds is what counts.
    PutBack {
        /// When, by our own clock.
        at: Time,
        /// What the vault holds of it.
        vault: Held,
    },
}

/// What a vault holds of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// Nothing, or less than the envelope.
    Nothing,
    /// The whole envelope.
    Envelope,
    /// What came out of it.
    Opened,
}

/// A statement to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Say {
    /// `delivered`
    Delivered(UploadId),
    /// `removed`
    Removed(UploadId, Look),
    /// `ready`
    Ready,
    /// `share-accepted`
    ShareAccepted(u8),
    /// `opened`
    Opened(Digest, Vec<u8>),
    /// `destroyed`, and whether it was ever open
    Destroyed(bool),
    /// `failed`
    Failed(String),
}

/// Work for a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "work", rename_all = "kebab-case")]
pub enum Work {
    /// Fetcher: bring it from the drop zone.
    Fetch,
    /// Fetcher: end the upload and look again.
    Terminate {
        /// Which.
        upload: UploadId,
    },
    /// Keeper: discard the envelope.
    Discard,
    /// Keeper: erase all that the vault holds of it.
    Destroy,
}

/// What an event leads to.
#[derive(Debug, PartialEq, Eq)]
pub struct Step {
    /// The next state.
    pub state: State,
    /// The statement to make in the same transaction.
    pub say: Option<Say>,
    /// The work to queue in the same transaction.
    pub work: Option<Work>,
}

impl State {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Announced { .. } => "Announced",
            Self::Collected { .. } => "Collected",
            Self::Removed { .. } => "Removed",
            Self::Opened { .. } => "Opened",
            Self::Destroying { .. } => "Destroying",
            Self::Destroyed { .. } => "Destroyed",
            Self::Ended { .. } => "Ended",
            Self::Failed { .. } => "Failed",
        }
    }
    /// What `sent` says, as long as it matters.
    #[must_use]
    pub fn sent(&self) -> Option<&Sent> {
        match self {
            Self::Announced { sent }
            | Self::Collected { sent, .. }
            | Self::Removed { sent, .. }
            | Self::Opened { sent, .. }
            | Self::Destroying { sent, .. } => Some(sent),
            Self::Ended { .. } | Self::Failed { .. } | Self::Destroyed { .. } => None,
        }
    }
    /// The code that people know it by.
    #[must_use]
    pub fn code(&self) -> TransferCode {
        match self {
            Self::Ended { code, .. } | Self::Failed { code, .. } | Self::Destroyed { code } => {
                *code
            }
            Self::Announced { sent }
            | Self::Collected { sent, .. }
            | Self::Removed { sent, .. }
            | Self::Opened { sent, .. }
            | Self::Destroying { sent, .. } => sent.code,
        }
    }
    /// Whether it was announced and not opened.
    fn is_shut(&self) -> bool {
        matches!(self, Self::Announced { .. } | Self::Collected { .. } | Self::Removed { .. })
    }
    /// Whether the vault holds it whole and it is gone from the medium: only that is destroyed.
    #[must_use]
    pub fn can_be_destroyed(&self) -> bool {
        matches!(self, Self::Removed { .. } | Self::Opened { .. })
    }
    /// Who can move it on.
    #[must_use]
    pub fn mover(&self) -> &'static str {
        match self {
            Self::Announced { .. } | Self::Collected { .. } | Self::Destroying { .. } => "itself",
            Self::Removed { .. } => "municipality",
            Self::Failed { .. } => "agency",
            Self::Opened { .. } | Self::Ended { .. } | Self::Destroyed { .. } => "nobody",
        }
    }

    /// The table at the head of this module.
    ///
    /// # Errors
    /// [`Illegal`]; the state is as it was.
    pub fn apply(&self, event: Event) -> Result<Step, Illegal> {
        let illegal = Illegal::new(self.name(), event.name());
        self.next(event).ok_or(illegal)
    }

    fn next(&self, event: Event) -> Option<Step> {
        let step = |state, say, work| Some(Step { state, say, work });
        match (self.clone(), event) {
            (Self::Announced { sent }, Event::Collected(upload)) => step(
                Self::Collected { sent, upload },
                Some(Say::Delivered(upload)),
                Some(Work::Terminate { upload }),
            ),
            (Self::Collected { sent, upload }, Event::Terminated(look)) if look.is_gone() => step(
                Self::Removed { sent, accepted: BTreeSet::new(), ready: false },
                Some(Say::Removed(upload, look)),
                None,
            ),
            (Self::Removed { sent, accepted, ready: false }, Event::Ready) => {
                step(Self::Removed { sent, accepted, ready: true }, Some(Say::Ready), None)
            }
            (Self::Removed { sent, mut accepted, ready }, Event::ShareAccepted(index)) => {
                let known = sent.routes.iter().any(|route| route.index == index);
                let new = known && accepted.insert(index);
                let say = new.then_some(Say::ShareAccepted(index));
                step(Self::Removed { sent, accepted, ready }, say, None)
            }
            (Self::Removed { sent, accepted, .. }, Event::Opened { at, plaintext, shares })
                if plaintext == sent.plaintext
                    && shares.len() == usize::from(sent.threshold)
                    && shares.iter().collect::<BTreeSet<_>>().len() == shares.len()
                    && shares.iter().all(|index| accepted.contains(index)) =>
            {
                let say = Say::Opened(plaintext, shares);
                step(Self::Opened { sent, at, accepted }, Some(say), None)
            }
            (Self::Opened { sent, at, mut accepted }, Event::ShareAccepted(index))
                if sent.exercise =>
            {
                let known = sent.routes.iter().any(|route| route.index == index);
                let new = known && accepted.insert(index);
                let say = new.then_some(Say::ShareAccepted(index));
                step(Self::Opened { sent, at, accepted }, say, None)
            }
            (Self::Removed { sent, .. }, Event::Destroy) => {
                step(Self::Destroying { sent, opened: false }, None, Some(Work::Destroy))
            }
            (Self::Opened { sent, .. }, Event::Destroy) => {
                step(Self::Destroying { sent, opened: true }, None, Some(Work::Destroy))
            }
            (Self::Destroying { sent, opened }, Event::Destroyed) => {
                step(Self::Destroyed { code: sent.code }, Some(Say::Destroyed(opened)), None)
            }
            (
                Self::Announced { sent }
                | Self::Collected { sent, .. }
                | Self::Removed { sent, .. },
                Event::PutBack { at, vault: Held::Opened },
            ) => step(Self::Opened { sent, at, accepted: BTreeSet::new() }, None, None),
            (state @ Self::Removed { .. }, Event::PutBack { vault: Held::Envelope, .. }) => {
                step(state, None, None)
            }
            (_, Event::PutBack { .. }) => self.next(Event::Mismatch("store-put-back".into())),
            (state, Event::Ended(how)) if state.is_shut() => {
                step(Self::Ended { code: state.code(), how }, None, Some(Work::Discard))
            }
            (state, Event::Mismatch(what)) if state.is_shut() => {
                let say = Say::Failed(what.clone());
                step(Self::Failed { code: state.code(), what }, Some(say), Some(Work::Discard))
            }
            _ => None,
        }
    }
}

impl Event {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Collected(_) => "Collected",
            Self::Terminated(_) => "Terminated",
            Self::Ready => "Ready",
            Self::ShareAccepted(_) => "ShareAccepted",
            Self::Opened { .. } => "Opened",
            Self::Destroy => "Destroy",
            Self::Destroyed => "Destroyed",
            Self::Ended(_) => "Ended",
            Self::Mismatch(_) => "Mismatch",
            Self::PutBack { .. } => "PutBack",
        }
    }
}

#[cfg(test)]
mod tests;
