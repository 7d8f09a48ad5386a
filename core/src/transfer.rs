//! A transfer at the agency: states, events, and the one table that joins them.
//!
//! | state | event | next | says | work |
//! |---|---|---|---|---|
//! | Claimed | Sealed | Sealed | `sent` | place |
//! | Sealed | Placed | Sealed, upload known | | carry |
//! | Claimed | Refused | Refused | | |
//! | Claimed | Held | Held | | |
//! | Claimed | Admitted (who offered it) | Admitted | | |
//! | Admitted | Approve, by somebody else | Approved | | seal |
//! | Admitted | Refused, by a person | Refused | | |
//! | Approved | Sealed, Refused, Held | as from Claimed | | |
//! | Held | Retry | Claimed | | seal |
//! | Sealed | Carried | Carried | | |
//! | Sealed, Carried | Delivered (evidence, of that upload) | Delivered | | |
//! | Delivered | Removed (evidence) | Removed | | probe |
//! | Removed | Probed, gone | Removed or Releasing | `probed` | release, where nothing else is waited for |
//! | Removed | Ready | Removed or Releasing | | release, where the look was made |
//! | Releasing | Exposing (evidence) | Releasing, one more exposed | | |
//! | Releasing | LeftBefore, of a share that never left as far as this store knows | Releasing or Released, it is unknown for good | `released`, after the last | |
//! | Releasing | Shipped | Releasing or Released | `released`, after the last | resend, after a while, of what is unknown |
//! | Releasing | PutOff | Releasing, one waits again; where that was said too often, it is unknown for good | `released`, after the last | |
//! | Releasing | Resend | Releasing, one waits again | | release, of what is still unknown |
//! | Releasing, Released | Reported | Releasing or Released, a doubt less | `released`, after the last | |
//! | Releasing, Released, or failed there | ShareAccepted | the same or Released, that share is exposed | `released`, after the last | |
//! | Released | Retry | Releasing | | release, of what failed or is unknown |
//! | Releasing, Released | Retry of one share | Releasing | | release |
//! | Releasing, Released | Opened (evidence) | Opened | `released`, where not said yet | erase |
//! | Opened | Erased | Closed | `closed` | |
//! | before Opened, fewer than t exposed | Withdraw | Withdrawn | `withdrawn` | erase, terminate |
//! | Releasing, Released, t or more exposed | Shut | Releasing or Released, what is not out never leaves | `released`, after the last | |
//! | Held, Failed before it was sealed | Retry | Claimed | | seal |
//! | Failed after shares left | Opened (evidence) | Opened | `released`, where not said yet | erase |
//! | Expired | Opened (evidence) | Closed | `closed` | |
//! | from Sealed, before Opened | Expire | Expired | `expired` | erase, terminate |
//! | any open state | Fail | Failed | `failed` | |
//! | from Sealed until Opened, and after Failed, Expired, Withdrawn | Supersede | Superseded | `superseded` | erase |
//! | before Sealed, or failed there | PutBack | Refused | | |
//! | from Sealed until Opened, or failed there | PutBack | Failed, every share exposed | `failed` | terminate |
//!
//! Words that come twice or late (Carried, Ready, ShareAccepted, Reported, Erased) are taken in silence; everything else is [`Illegal`]. "Exposed" is set before a share is sent; unknown counts as exposed (rule 2).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::agreement::ReleaseRule;
use crate::evidence::{Delivery, Opening, Removal};
use crate::id::{Digest, Time, TransferCode, TransferId, UploadId};
use crate::plan::{Plan, Route};
use crate::policy::Reason;
use crate::share::place;
use crate::statement::{Look, Shipped};
use crate::words;
use crate::words::Words;

/// What was sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// Digest of the age file.
    pub ciphertext: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// How many shares open it.
    pub threshold: u8,
    /// Who gets which.
    pub routes: Vec<Route>,
    /// When the shares leave.
    pub release: ReleaseRule,
    /// How often a share whose answer was lost goes again by itself.
    pub resends: u8,
    /// How often its provider may say "later" of a share, and it goes again by itself.
    pub deferrals: u8,
    /// When it expires.
    pub expires: Time,
}

impl Envelope {
    /// What the plan of an agreement makes of sealed bytes.
    #[must_use]
    pub fn new(
        ciphertext: Digest,
        size: u64,
        plan: Plan,
        release: ReleaseRule,
        (resends, deferrals): (u8, u8),
        expires: Time,
    ) -> Self {
        let Plan { threshold, routes } = plan;
        Self { ciphertext, size, threshold, routes, release, resends, deferrals, expires }
    }
}

/// Where a transfer stands, with the data that is valid there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state")]
pub enum State {
    /// Taken from the outbox, not yet sealed. Moves on by itself.
    Claimed,
    /// Waits for a second person, as the agreement says: `sluis approve` or `sluis reject` (R47).
    Admitted {
        /// The Unix users whose files they are, and who offered them by a verb; none of them approves.
        by: BTreeSet<u32>,
        /// How many persons the list is about, where it was read.
        rows: Option<u32>,
        /// What was admitted: a digest of the stamps of its files.
        seen: Digest,
    },
    /// A second person let it go; sealed if it is still what that person saw. Moves on by itself.
    Approved {
        /// What was approved.
        seen: Digest,
    },
    /// Waits for a person: `sluis retry` after mending what it says.
    Held {
        /// What it waits for.
        why: Words,
    },
    /// Will not leave; the drop lies in the outbox again.
    Refused {
        /// Every reason.
        reasons: Vec<Reason>,
        /// What only this party can tell of its bytes, where two persons may let it pass.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        list: Option<Digest>,
    },
    /// The envelope is written, the key split and forgotten.
    Sealed {
        /// The envelope.
        envelope: Envelope,
        /// The upload that was made for it; no byte goes before it is known here.
        upload: Option<UploadId>,
    },
    /// In the drop zone.
    Carried {
        /// The envelope.
        envelope: Envelope,
        /// Where it lies there.
        upload: UploadId,
    },
    /// In the vault, by the municipality's word.
    Delivered {
        /// The envelope.
        envelope: Envelope,
        /// Where it lay.
        upload: UploadId,
    },
    /// Gone from the drop zone, by the municipality's word.
    Removed {
        /// The envelope.
        envelope: Envelope,
        /// Where it lay.
        upload: UploadId,
        /// Whether the carrier looked and saw it gone.
        probed: bool,
        /// Whether the custodians are at their desks.
        ready: bool,
    },
    /// Shares are leaving.
    Releasing {
        /// The envelope.
        envelope: Envelope,
        /// How far each is.
        shares: Vec<Shipment>,
    },
    /// Every share left or is known not to.
    Released {
        /// The envelope.
        envelope: Envelope,
        /// What became of each.
        shares: Vec<Shipment>,
        /// Which ones the municipality has accepted.
        accepted: BTreeSet<u8>,
    },
    /// Opened in the vault.
    Opened,
    /// Opened, and erased here.
    Closed,
    /// It went wrong; `sluis retry` where it was not sealed yet, else `sluis redeliver`.
    Failed {
        /// Which step.
        step: String,
        /// A stable code.
        code: String,
        /// Where it stood: what was exposed stays exposed.
        was: Box<State>,
    },
    /// Not opened in time.
    Expired,
    /// Stopped by the agency before enough shares left.
    Withdrawn,
    /// Redelivered as another transfer.
    Superseded {
        /// That one.
        by: TransferId,
    },
}

/// What can happen to a transfer.
#[derive(Debug)]
pub enum Event {
    /// The envelope is durable.
    Sealed(Envelope),
    /// Policy refused.
    Refused(Vec<Reason>, Option<Digest>),
    /// A person has to mend something first.
    Held(Words),
    /// It may leave once a second person approves.
    Admitted {
        /// The Unix users whose files they are.
        by: BTreeSet<u32>,
        /// How many persons it is about.
        rows: Option<u32>,
        /// A digest of the stamps of its files.
        seen: Digest,
    },
    /// This Unix user approves it.
    Approve(u32),
    /// An upload was made in the drop zone.
    Placed(UploadId),
    /// The upload is whole in the drop zone.
    Carried(UploadId),
    /// The municipality's word that it has it.
    Delivered(Delivery),
    /// The municipality's word that it is gone from the medium.
    Removed(Removal),
    /// The carrier's look.
    Probed(Look),
    /// The municipality's word that its custodians are ready.
    Ready,
    /// This share is about to be handed to its channel.
    Exposing(u8, Removal),
    /// It left before, by what lies beside the bundle: this store is an older one. It does not go again.
    LeftBefore(u8),
    /// What became of it.
    Shipped(u8, Stands),
    /// Its provider got it and said "later", by this driver.
    PutOff(u8, String),
    /// Its answer was lost, and no report came: it goes again.
    Resend(u8),
    /// What the operator reports of it.
    Reported(u8, Report),
    /// The municipality accepted this share.
    ShareAccepted(u8),
    /// The municipality's word that it is open.
    Opened(Opening),
    /// Plaintext, spool and bundle are erased.
    Erased,
    /// A person stops it.
    Withdraw,
    /// The agreement ended at once where enough shares are out to open it: no other leaves, and none goes again (R64).
    Shut,
    /// A person says: try again. What failed or is unknown; or this share, whatever became of it.
    Retry(Option<u8>),
    /// Its time is over.
    Expire,
    /// It cannot go on.
    Fail {
        /// Which step.
        step: &'static str,
        /// A stable code.
        code: String,
    },
    /// It is redelivered as another transfer.
    Supersede(TransferId),
    /// The store that says this is an older one: nobody knows how far it came since.
    PutBack,
}

/// A statement to make; the store fills in numbers and references.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Say {
    /// `sent`, whose body the sealing gives.
    Sent,
    /// `probed`
    Probed(UploadId, Look),
    /// `released`
    Released(Vec<Shipped>),
    /// `closed`
    Closed,
    /// `withdrawn`, with the count of exposed shares.
    Withdrawn(u8),
    /// `expired`, with the count of exposed shares.
    Expired(u8),
    /// `failed`
    Failed(String, String),
    /// `superseded`
    Superseded(TransferId),
}

/// Work for a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "work", rename_all = "kebab-case")]
pub enum Work {
    /// Sealer: admit and seal.
    Seal,
    /// Carrier: make an upload.
    Place,
    /// Carrier: bring the envelope to it.
    Carry {
        /// Which.
        upload: UploadId,
    },
    /// Sealer: the plaintext goes once it is sealed.
    Forget,
    /// Carrier: look whether this upload is gone.
    Probe {
        /// Which.
        upload: UploadId,
    },
    /// Carrier: end this upload, if it is still there.
    Terminate {
        /// Which.
        upload: UploadId,
    },
    /// Releaser: hand this share to its channel.
    Release {
        /// Its number.
        index: u8,
    },
    /// Sealer, after a while: a share that is still unknown goes again.
    Resend {
        /// Its number.
        index: u8,
    },
    /// Sealer: the bundle goes with the shares in it that never leave.
    Shred,
    /// Sealer: erase plaintext, spool and bundle.
    Erase,
    /// Sealer, of no transfer: from this day on the agreement has no legal basis, and what is under way ends (R78).
    End,
}

/// What an event leads to.
#[derive(Debug, PartialEq, Eq)]
pub struct Step {
    /// The next state.
    pub state: State,
    /// The statements to make in the same transaction, in this order.
    pub say: Vec<Say>,
    /// The work to queue in the same transaction.
    pub work: Vec<Work>,
}

/// An event that this state does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.words())]
pub struct Illegal {
    /// The state's name.
    pub state: &'static str,
    /// The event's name.
    pub event: &'static str,
    /// The code that people know the transfer by, where it is known.
    pub code: Option<TransferCode>,
}

/// What a person asked for, in Dutch.
fn dutch(event: &'static str) -> &'static str {
    match event {
        "Retry" => "opnieuw proberen",
        "Withdraw" => "intrekken",
        "Supersede" => "opnieuw verzenden",
        "Approve" => "goedkeuren",
        "Reject" => "afwijzen",
        "Ready" => "klaarmelden",
        "Override" => "doorlaten",
        other => other,
    }
}

/// The same in English: as it is typed.
fn english(event: &'static str) -> &'static str {
    match event {
        "Retry" => "retry",
        "Withdraw" => "withdraw",
        "Supersede" => "redeliver",
        "Approve" => "approve",
        "Reject" => "reject",
        "Ready" => "ready",
        "Override" => "override",
        other => other,
    }
}

impl Illegal {
    /// Of a transfer that is not named yet.
    #[must_use]
    pub fn new(state: &'static str, event: &'static str) -> Self {
        Self { state, event, code: None }
    }
    /// Of this one: its code stands in the commands that are told.
    #[must_use]
    pub fn of(self, code: TransferCode) -> Self {
        Self { code: Some(code), ..self }
    }
    /// The same for people, with what whoever asked for it can do instead.
    #[must_use]
    pub fn words(&self) -> Words {
        if (self.event, self.state) == ("Ready", "Removed") {
            return words!(
                "dat de bewaarders klaar zijn, werd al gezegd: elk typt zijn regel als het bericht er is",
                "that the custodians are ready was said already: each types the line when the message has come"
            );
        }
        let (nl, en) = (dutch(self.event), english(self.event));
        let stands = Words::of(|language| states::shown(self.state, language).to_owned());
        let next = self.next();
        Words {
            nl: format!("{nl} kan niet: de zending is {}{}", stands.nl, next.nl),
            en: format!("{en} is not possible: the transfer is {}{}", stands.en, next.en),
        }
    }
    fn next(&self) -> Words {
        let of = self.code.map_or_else(String::new, |code| format!(" {code}"));
        match (self.event, self.state) {
            ("Retry", "Releasing" | "Released") => words!(
                ". Niets ervan wacht op een persoon, of de overeenkomst is meteen beëindigd; kijk met sluis show{of}",
                ". Nothing of it waits for a person, or the agreement was ended at once; look at sluis show{of}"
            ),
            ("Retry", "Failed") => words!(
                ". De gemeente werd verwittigd; sluis redeliver{of} verzendt ze opnieuw",
                ". The municipality was told; sluis redeliver{of} sends it anew"
            ),
            ("Retry", "Closed" | "Expired" | "Withdrawn" | "Superseded") => words!(
                ". Ze is afgelopen, er valt niets opnieuw te proberen",
                ". It has ended, there is nothing to try again"
            ),
            (_, "Refused") => words!(
                ". Er vertrok niets van. Ligt het bestand nog in de outbox, verbeter het en bied het opnieuw aan, of haal het weg",
                ". Nothing of it left. Where the file lies in the outbox still, mend it and offer it again, or take it away"
            ),
            ("Retry", _) => words!(
                ". Niets ervan wacht op een persoon; sluis show{of} zegt waarop ze wacht",
                ". Nothing of it waits for a person; sluis show{of} says what it waits for"
            ),
            ("Withdraw", "Releasing" | "Released") => words!(
                ". Er kunnen genoeg sleuteldelen buiten zijn om ze te openen; bel de gemeente, en zo nodig sluis redeliver{of}",
                ". Enough shares may be out to open it; call the municipality, and sluis redeliver{of} if need be"
            ),
            ("Approve", "Admitted") => words!(
                ". Art. 6: wie het aanbood keurt het niet goed; dat doet een tweede persoon",
                ". Art. 6: whoever offered it does not approve it; a second person does"
            ),
            ("Withdraw" | "Supersede" | "Ready" | "Approve", _) => {
                words!(". Kijk met sluis show{of}", ". Look at sluis show{of}")
            }
            _ => words!("", ""),
        }
    }
}

impl State {
    /// Its name, as it is stored and shown.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Claimed => "Claimed",
            Self::Admitted { .. } => "Admitted",
            Self::Approved { .. } => "Approved",
            Self::Held { .. } => "Held",
            Self::Refused { .. } => "Refused",
            Self::Sealed { .. } => "Sealed",
            Self::Carried { .. } => "Carried",
            Self::Delivered { .. } => "Delivered",
            Self::Removed { .. } => "Removed",
            Self::Releasing { .. } => "Releasing",
            Self::Released { .. } => "Released",
            Self::Opened => "Opened",
            Self::Closed => "Closed",
            Self::Failed { .. } => "Failed",
            Self::Expired => "Expired",
            Self::Withdrawn => "Withdrawn",
            Self::Superseded { .. } => "Superseded",
        }
    }
    /// Whether nothing can happen to it any more but a redelivery.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(
            self,
            Self::Refused { .. }
                | Self::Closed
                | Self::Expired
                | Self::Withdrawn
                | Self::Superseded { .. }
        )
    }
    /// Whether nothing of it was sealed yet.
    fn is_unsealed(&self) -> bool {
        matches!(
            self,
            Self::Claimed | Self::Admitted { .. } | Self::Approved { .. } | Self::Held { .. }
        )
    }
    /// Who can move it on, for people: `agency`, `municipality`, `nobody` or `itself`.
    #[must_use]
    pub fn mover(&self) -> &'static str {
        match self {
            Self::Admitted { .. }
            | Self::Held { .. }
            | Self::Failed { .. }
            | Self::Refused { .. } => "agency",
            // With fewer shares on their way than open it, only a retry or redelivery helps.
            Self::Released { envelope, shares, .. }
                if count(shares, Shipment::may_arrive) < envelope.threshold =>
            {
                "agency"
            }
            Self::Carried { .. } | Self::Delivered { .. } | Self::Released { .. } => "municipality",
            Self::Removed { envelope, probed: true, ready: false, .. }
                if envelope.release == ReleaseRule::WhenReady =>
            {
                "municipality"
            }
            state if state.is_over() => "nobody",
            _ => "itself",
        }
    }
    /// The envelope, where there is one.
    #[must_use]
    pub fn envelope(&self) -> Option<&Envelope> {
        match self {
            Self::Sealed { envelope, .. }
            | Self::Carried { envelope, .. }
            | Self::Delivered { envelope, .. }
            | Self::Removed { envelope, .. }
            | Self::Releasing { envelope, .. }
            | Self::Released { envelope, .. } => Some(envelope),
            Self::Failed { was, .. } => was.envelope(),
            _ => None,
        }
    }
    /// Where it lies in the drop zone, as far as known and not known to be gone.
    #[must_use]
    pub fn upload(&self) -> Option<UploadId> {
        match self {
            Self::Carried { upload, .. } | Self::Delivered { upload, .. } => Some(*upload),
            Self::Sealed { upload, .. } => *upload,
            Self::Failed { was, .. } => was.upload(),
            _ => None,
        }
    }
    /// How far the shares are, also where it failed meanwhile.
    pub fn shares(&self) -> Option<&[Shipment]> {
        match self {
            Self::Releasing { shares, .. } | Self::Released { shares, .. } => Some(shares),
            Self::Failed { was, .. } => was.shares(),
            _ => None,
        }
    }
    /// How far one share is, likewise.
    #[must_use]
    pub fn share(&self, index: u8) -> Option<&Shipment> {
        self.shares()?.get(place(index)?)
    }
    /// How many shares count as exposed.
    #[must_use]
    pub fn exposed(&self) -> u8 {
        self.shares().map_or(0, |shares| count(shares, Shipment::is_exposed))
    }
    /// How many of them are known to have left, or unknown: the word of a provider that put one off is believed.
    #[must_use]
    pub fn left(&self) -> u8 {
        self.shares().map_or(0, |shares| count(shares, Shipment::has_left))
    }
    /// Whether what was put off decides: with it enough may be out to open the list, and without it fewer are.
    #[must_use]
    pub fn is_in_doubt(&self) -> bool {
        let enough = |count: u8| self.envelope().is_some_and(|it| count >= it.threshold);
        enough(self.exposed()) && !enough(self.left())
    }
}

/// How many shares are so.
fn count(shares: &[Shipment], so: impl Fn(&Shipment) -> bool) -> u8 {
    u8::try_from(shares.iter().filter(|share| so(share)).count()).unwrap_or(u8::MAX)
}

impl Event {
    /// What the ledger keeps of it beside its name: numbers and codes, never a body.
    #[must_use]
    pub fn detail(&self) -> Vec<(&'static str, String)> {
        let share = |index: &u8| ("share", index.to_string());
        match self {
            Self::Exposing(index, _)
            | Self::LeftBefore(index)
            | Self::Resend(index)
            | Self::ShareAccepted(index) => vec![share(index)],
            Self::Retry(Some(index)) => vec![share(index)],
            Self::Shipped(index, stands) => match stands {
                Stands::Waiting => vec![share(index), ("outcome", "again".into())],
                Stands::Leaving => vec![share(index)],
                Stands::Accepted { .. } => vec![share(index), ("outcome", "accepted".into())],
                Stands::Rejected { code, .. } => {
                    vec![share(index), ("outcome", "rejected".into()), ("code", code.clone())]
                }
                Stands::Unknown { .. } => vec![share(index), ("outcome", "unknown".into())],
            },
            Self::PutOff(index, _) => vec![share(index), ("outcome", "deferred".into())],
            Self::Reported(index, report) => {
                let mut detail = vec![share(index), ("report", report.name().to_owned())];
                if let Report::Failed { code } = report {
                    detail.push(("code", code.clone()));
                }
                detail
            }
            _ => Vec::new(),
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Sealed(_) => "Sealed",
            Self::Refused(..) => "Refused",
            Self::Held(_) => "Held",
            Self::Admitted { .. } => "Admitted",
            Self::Approve(_) => "Approve",
            Self::Placed(_) => "Placed",
            Self::Carried(_) => "Carried",
            Self::Delivered(_) => "Delivered",
            Self::Removed(_) => "Removed",
            Self::Probed(_) => "Probed",
            Self::Ready => "Ready",
            Self::Exposing(..) => "Exposing",
            Self::LeftBefore(_) => "LeftBefore",
            Self::Shipped(..) | Self::PutOff(..) => "Shipped",
            Self::Resend(_) => "Resend",
            Self::Reported(..) => "Reported",
            Self::ShareAccepted(_) => "ShareAccepted",
            Self::Opened(_) => "Opened",
            Self::Erased => "Erased",
            Self::Withdraw => "Withdraw",
            Self::Shut => "Shut",
            Self::Retry(_) => "Retry",
            Self::Expire => "Expire",
            Self::Fail { .. } => "Fail",
            Self::Supersede(_) => "Supersede",
            Self::PutBack => "PutBack",
        }
    }
}

mod shipment;
pub mod states;
mod table;
pub use shipment::{Report, Shipment, Stands};
#[cfg(test)]
mod tests;
