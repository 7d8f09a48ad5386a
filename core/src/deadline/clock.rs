//! The clocks: which there are, what they rest on, how long they run, when they remind.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::agreement::Side;
use crate::article::Article;
use crate::id::Malformed;

/// Every clock of the agreement; the set is closed. Its text is a stable code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Clock {
    /// From sealing, by `sent`, which both parties have: the file is in the municipality's own environment and gone from the medium (R35, R36).
    RemovalTarget,
    /// The same, when the target has long passed (R35, R36).
    RemovalAlarm,
    /// From sealing: what was not opened is withdrawn (R36, R87).
    Expiry,
    /// From the finding: the other side hears of an incident, and of an attempt (R43; for the agency R66).
    Incident(Side),
    /// From the finding, not the report: wrong data are investigated and acted upon (R60).
    Quality,
    /// From the notice: the agreement ends (R76).
    Notice,
    /// From production of MAGDA's list service: after this the agency sends no files (R8).
    Magda,
    /// From delivery: the list is destroyed (R17).
    Retention,
    /// From `destroyed`: until when backups may still hold the list (R24).
    Backups,
    /// From the last one: the municipality states what it still keeps and what is destroyed (R24).
    Attestation,
    /// From the last one: security policy and plan are reviewed (R38, R42).
    PolicyReview(Side),
    /// From the last one: the list of function profiles is confirmed (R26).
    Profiles,
    /// From the last confirmation: a custodian's entry lapses (R41).
    Custodian,
    /// From when the custodian whose share of an exercise came longest ago typed it: what that showed counts no more,
    /// and no list leaves before the next one (R88).
    Rehearsal,
    /// From the last request: the next one is allowed (R6).
    RequestAllowed,
    /// From the word that the register of processors changed: a new version of the agreement has it (R58, R70).
    Processors,
}

/// Who must act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Who {
    /// The agency.
    Agency,
    /// The municipality.
    Municipality,
    /// Each of them.
    Both,
}

/// What happens when a clock has run out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Nature {
    /// Somebody is late, and that stays visible.
    Duty,
    /// Something ends; nobody is late.
    Stop,
    /// Something may be done from then on.
    Opening,
}

/// How long a clock runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Term {
    /// Hours of UTC, to an instant.
    Hours(u32),
    /// Days in Brussels, to the end of the last.
    Days(u32),
    /// Months in Brussels, to the end of the last day.
    Months(u32),
}

/// What there is to know of a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Its stable code, for machines.
    pub code: &'static str,
    /// The article of the agreement it rests on.
    pub article: Article,
    /// The numbers of its requirements.
    pub requirement: &'static str,
    /// Who must act before it runs out.
    pub who: Who,
    /// What happens when it has run out.
    pub nature: Nature,
    /// How long it runs where the agreement file says nothing else.
    pub term: Term,
    /// Whether the agreement's text gives the term. Where it does not, the term is the product's own, and says
    /// so wherever it shows.
    pub in_the_text: bool,
    /// How long before the end it reminds: hours where it counts hours, else days.
    pub reminds: &'static [u32],
}

impl Clock {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 18] = [
        Self::RemovalTarget,
        Self::RemovalAlarm,
        Self::Expiry,
        Self::Incident(Side::Agency),
        Self::Incident(Side::Municipality),
        Self::Quality,
        Self::Notice,
        Self::Magda,
        Self::Retention,
        Self::Backups,
        Self::Attestation,
        Self::PolicyReview(Side::Agency),
        Self::PolicyReview(Side::Municipality),
        Self::Profiles,
        Self::Custodian,
        Self::Rehearsal,
        Self::RequestAllowed,
        Self::Processors,
    ];

    /// The table.
    #[must_use]
    #[rustfmt::skip] // a table, three lines a clock
    pub fn rule(self) -> Rule {
        use {Article::{Art, Recital}, Nature::*, Term::*, Who::*};
        match self {
            Self::RemovalTarget => Rule { code: "removal-target",
                article: Art(6), requirement: "R35, R36", who: Municipality, nature: Duty,
                term: Hours(1), in_the_text: false, reminds: &[0] },
            Self::RemovalAlarm => Rule { code: "removal-alarm",
                article: Art(6), requirement: "R35, R36", who: Municipality, nature: Duty,
                term: Hours(24), in_the_text: false, reminds: &[0] },
            Self::Expiry => Rule { code: "expiry",
                article: Art(6), requirement: "R36, R87", who: Agency, nature: Duty,
                term: Hours(7 * 24), in_the_text: false, reminds: &[48, 24] },
            Self::Incident(Side::Agency) => Rule { code: "incident-agency",
                article: Art(9), requirement: "R66", who: Agency, nature: Duty,
                term: Hours(24), in_the_text: false, reminds: &[12, 4] },
            Self::Incident(Side::Municipality) => Rule { code: "incident-municipality",
                article: Art(6), requirement: "R43", who: Municipality, nature: Duty,
                term: Hours(24), in_the_text: true, reminds: &[12, 4] },
            Self::Quality => Rule { code: "quality",
                article: Art(7), requirement: "R60", who: Agency, nature: Duty,
                term: Days(14), in_the_text: true, reminds: &[7, 2] },
            Self::Notice => Rule { code: "notice",
                article: Art(12), requirement: "R76", who: Both, nature: Stop,
                term: Months(12), in_the_text: true, reminds: &[90, 30, 7] },
            Self::Magda => Rule { code: "magda",
                article: Recital('C'), requirement: "R8", who: Municipality, nature: Stop,
                term: Months(24), in_the_text: true, reminds: &[90, 30, 7] },
            Self::Retention => Rule { code: "retention",
                article: Art(2), requirement: "R17", who: Municipality, nature: Duty,
                term: Months(60), in_the_text: true, reminds: &[90, 30, 7] },
            Self::Backups => Rule { code: "backups",
                article: Art(3), requirement: "R24", who: Municipality, nature: Stop,
                term: Days(30), in_the_text: false, reminds: &[0] },
            Self::Attestation => Rule { code: "attestation",
                article: Art(3), requirement: "R24", who: Municipality, nature: Duty,
                term: Months(12), in_the_text: false, reminds: &[30, 7] },
            Self::PolicyReview(Side::Agency) => Rule { code: "policy-review-agency",
                article: Art(6), requirement: "R38", who: Agency, nature: Duty,
                term: Months(12), in_the_text: true, reminds: &[30, 7] },
            Self::PolicyReview(Side::Municipality) => Rule { code: "policy-review-municipality",
                article: Art(6), requirement: "R42", who: Municipality, nature: Duty,
                term: Months(12), in_the_text: true, reminds: &[30, 7] },
            Self::Profiles => Rule { code: "profiles",
                article: Art(4), requirement: "R26", who: Municipality, nature: Duty,
                term: Months(12), in_the_text: false, reminds: &[30, 7] },
            Self::Custodian => Rule { code: "custodian",
                article: Art(6), requirement: "R41", who: Municipality, nature: Stop,
                term: Months(12), in_the_text: false, reminds: &[30, 7] },
            Self::Rehearsal => Rule { code: "rehearsal",
                article: Art(6), requirement: "R88", who: Both, nature: Stop,
                term: Days(30), in_the_text: false, reminds: &[7, 1] },
            Self::RequestAllowed => Rule { code: "request-allowed",
                article: Recital('C'), requirement: "R6", who: Municipality, nature: Opening,
                term: Months(12), in_the_text: false, reminds: &[0] },
            Self::Processors => Rule { code: "processors",
                article: Art(6), requirement: "R58, R70", who: Both, nature: Duty,
                term: Days(30), in_the_text: false, reminds: &[7, 1] },
        }
    }

    /// Its stable code, for machines.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.rule().code
    }

    /// The verb of `sluis` by which somebody meets it; none where no verb does.
    #[must_use]
    pub fn verb(self) -> Option<&'static str> {
        match self {
            Self::RemovalTarget | Self::RemovalAlarm | Self::Expiry => Some("list"),
            Self::Incident(_) => Some("incident report"),
            Self::Quality => Some("quality answer"),
            Self::Retention => Some("destroy"),
            Self::Attestation => Some("attest"),
            Self::PolicyReview(_) => Some("reviewed"),
            Self::Profiles => Some("profiles"),
            Self::Custodian | Self::Processors => Some("agreement add"),
            Self::Rehearsal => Some("rehearse"),
            Self::RequestAllowed => Some("request"),
            Self::Notice | Self::Magda | Self::Backups => None,
        }
    }

    /// Whether this side must act before it runs out, or hear that it has: of a file that still lies on the
    /// transport medium both do.
    #[must_use]
    pub(crate) fn concerns(self, side: Side) -> bool {
        match self.rule().who {
            Who::Both => true,
            _ if self == Self::RemovalAlarm => true,
            Who::Agency => side == Side::Agency,
            Who::Municipality => side == Side::Municipality,
        }
    }

    /// Whether it is about telling of an incident.
    #[must_use]
    pub(crate) fn is_incident(self) -> bool {
        matches!(self, Self::Incident(_))
    }

    /// Whether it ends at an instant; otherwise it ends with a day.
    #[must_use]
    pub(crate) fn in_hours(self) -> bool {
        matches!(self.rule().term, Term::Hours(_))
    }
}

impl FromStr for Clock {
    type Err = Malformed;
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let found = Self::ALL.into_iter().find(|clock| clock.code() == text);
        found.ok_or(Malformed { what: "clock", why: "a code such as removal-target or quality" })
    }
}
impl TryFrom<String> for Clock {
    type Error = Malformed;
    fn try_from(text: String) -> Result<Self, Malformed> {
        text.parse()
    }
}
impl From<Clock> for String {
    fn from(clock: Clock) -> Self {
        clock.code().to_owned()
    }
}
impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}
