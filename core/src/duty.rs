//! Who may do what: the duties of persons, and which of them each verb of a core's socket asks for (art. 6:
//! separation of duties; R47).
//!
//! Duties are given to Unix users and groups in `sluis.toml`; the core holds every verb against [`of`] at one place.
//! Beside that, one transfer has several persons whatever duties they have: who offers a list does not approve it, and
//! one user never types enough lines to open.

use serde::{Deserialize, Serialize};

use crate::agreement::Side;
use crate::notice::Sort;

/// What somebody may be there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Duty {
    /// Looks: transfers, ledger, evidence, deadlines. Whoever has any duty may look.
    View,
    /// Offers lists: `send`, `redeliver`.
    Submit,
    /// Lets go what somebody else offered: `approve`, `reject`, `override`.
    Approve,
    /// Keeps transfers going: `withdraw`, `retry`, `ready`.
    Operate,
    /// Speaks for the party beside its transfers: every notice; says again what the other party lost.
    Speak,
    /// Types share lines.
    Custodian,
    /// Takes an opened list out of the vault.
    Take,
    /// Destroys a list; two persons with this duty.
    Destroy,
    /// Says that the clock is right; two persons with this duty.
    Clock,
    /// Lets a new version of an agreement count; says, as one of two, how to go on after an older store was put back.
    Agree,
}

impl Duty {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::View,
        Self::Submit,
        Self::Approve,
        Self::Operate,
        Self::Speak,
        Self::Custodian,
        Self::Take,
        Self::Destroy,
        Self::Clock,
        Self::Agree,
    ];

    /// Whether there is something to do for it at this side's core.
    #[must_use]
    pub fn is_of(self, side: Side) -> bool {
        match self {
            Self::Submit | Self::Approve => side == Side::Agency,
            Self::Custodian | Self::Take | Self::Destroy => side == Side::Municipality,
            Self::View | Self::Operate | Self::Speak | Self::Clock | Self::Agree => true,
        }
    }

    /// As it stands in `[duties]`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Submit => "submit",
            Self::Approve => "approve",
            Self::Operate => "operate",
            Self::Speak => "speak",
            Self::Custodian => "custodian",
            Self::Take => "take",
            Self::Destroy => "destroy",
            Self::Clock => "clock",
            Self::Agree => "agree",
        }
    }
}

/// Every verb of the sockets for persons, with the duty it asks for; `docs/operations.md` shows the same table.
pub const VERBS: [(&str, Duty); 31] = [
    ("about", Duty::View),
    ("list", Duty::View),
    ("show", Duty::View),
    ("ledger", Duty::View),
    ("head", Duty::View),
    ("said", Duty::View),
    ("terms", Duty::View),
    ("notices", Duty::View),
    ("deadlines", Duty::View),
    ("waiting", Duty::View),
    ("retention", Duty::View),
    ("stock", Duty::View),
    ("health", Duty::View),
    ("may", Duty::View),
    ("notice", Duty::Speak),
    ("say-again", Duty::Speak),
    ("clock", Duty::Clock),
    ("agree", Duty::Agree),
    ("restored", Duty::Agree),
    ("send", Duty::Submit),
    ("redeliver", Duty::Submit),
    ("approve", Duty::Approve),
    ("reject", Duty::Approve),
    ("override", Duty::Approve),
    ("number", Duty::Approve),
    ("withdraw", Duty::Operate),
    ("retry", Duty::Operate),
    ("ready", Duty::Operate),
    ("line", Duty::Custodian),
    ("take", Duty::Take),
    ("destroy", Duty::Destroy),
];

/// The word by which two persons let a version of an agreement count.
pub const APPROVE: &str = "agreement-approve";

/// The duty of who says this as one of two: a verb, a notice by its kind, or the word on a version.
#[must_use]
pub fn of_word(word: &str) -> Option<Duty> {
    let notice = || Sort::ALL.iter().any(|sort| sort.kind() == word).then_some(Duty::Speak);
    of(word).or_else(notice).or_else(|| (word == APPROVE).then_some(Duty::Agree))
}

/// The duty that a verb asks for; a verb that is not in the table is nobody's.
#[must_use]
pub fn of(verb: &str) -> Option<Duty> {
    VERBS.iter().find(|(known, _)| *known == verb).map(|(_, duty)| *duty)
}
