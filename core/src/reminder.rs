//! What a party is told by e-mail: decided from what stands now and what was told already.
//!
//! A reminder is told once. It names agreement, transfer code, case, clock and article; never a file, a person, a
//! number or a word of the other party, because mail is read by whoever keeps it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::agreement::Side;
use crate::deadline::{Deadline, Standing, Who};
use crate::id::{AgreementId, Digest, Time, TransferCode};
use crate::notice::Sort;
use crate::waiting::Waiting;

mod text;

pub use text::Mail;

/// So long after its end a duty of the other party is not said to be missed: the word that met it may be on its way.
const ON_ITS_WAY_MS: i64 = 86_400_000;
/// How many are told at one look: whoever floods a ledger does not flood a mailbox as fast.
pub const AT_ONCE: usize = 20;

/// One reminder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reminder {
    /// Under which agreement; none where it is about the whole host.
    pub agreement: Option<AgreementId>,
    /// What it is about.
    pub about: About,
}

/// What a reminder is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "about", rename_all = "kebab-case", deny_unknown_fields)]
pub enum About {
    /// A clock.
    Clock {
        /// As it ran when this was decided.
        deadline: Deadline,
        /// Which of its reminders; none where it has run out.
        coming: Option<Time>,
    },
    /// A transfer that waits for a person.
    Stuck(Stuck),
    /// Something waits for a second person.
    Waits(Waits),
    /// The other party said something.
    Heard(Heard),
    /// The store is older than what this party has said: nothing is said or leaves under this agreement.
    SetBack {
        /// When that was seen.
        since: Time,
    },
    /// The clock is not believed: nothing expires, and of no other clock anything is told.
    ClockHeld {
        /// When that was seen.
        since: Time,
    },
}

/// A transfer that waits for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stuck {
    /// Its code.
    pub code: TransferCode,
    /// Whether it failed; else it is held.
    pub failed: bool,
    /// Since when.
    pub since: Time,
    /// Whether it is a rehearsal and no delivery (R88).
    #[serde(default)]
    pub rehearsal: bool,
}

/// What waits for a second person, or for two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waits {
    /// The verb, as `sluis waiting` shows it.
    pub verb: String,
    /// About which transfer, where it is about one.
    pub code: Option<TransferCode>,
    /// Since when.
    pub since: Time,
    /// When it lapses; none for a version of an agreement of which nobody has said so yet.
    pub until: Option<Time>,
    /// Whether it lapses within a day.
    pub last: bool,
    /// Whether it is about a rehearsal and no delivery (R88).
    pub rehearsal: bool,
}

/// How long before it lapses it is told again.
const LAST_MS: i64 = 86_400_000;

impl Waits {
    /// As it stands now.
    #[must_use]
    pub fn of(row: &Waiting, now: Time) -> Self {
        Self {
            verb: row.verb.clone(),
            code: row.wanted.code,
            since: row.at,
            until: row.until,
            last: row.until.is_some_and(|until| now >= until.plus_ms(-LAST_MS)),
            rehearsal: row.rehearsal,
        }
    }
}

/// A notice of the other party.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heard {
    /// What it is about.
    pub sort: Sort,
    /// The digest of its statement.
    pub digest: Digest,
    /// The case that it begins or belongs to.
    pub case: Option<Digest>,
    /// When it was said.
    pub at: Time,
    /// Whether the other party entered it from a letter or mail, in this party's name.
    #[serde(default)]
    pub paper: bool,
}

/// What stands now at one party.
#[derive(Debug, Clone)]
pub struct Situation {
    /// On which side.
    pub side: Side,
    /// The time here.
    pub now: Time,
    /// Since when the clock is not believed, where it is not.
    pub clock_held: Option<Time>,
    /// Every clock.
    pub deadlines: Vec<(AgreementId, Deadline)>,
    /// Transfers that wait for a person.
    pub stuck: Vec<(AgreementId, Stuck)>,
    /// What waits for a second person.
    pub waits: Vec<(Option<AgreementId>, Waits)>,
    /// What the other party said.
    pub heard: Vec<(AgreementId, Heard)>,
    /// Under which agreements the other party was heard to its end since the start; whether nothing shows that there is more.
    pub heard_to_its_end: BTreeMap<AgreementId, bool>,
    /// Under which agreements the store is an older one, and since when that is known.
    pub set_back: Vec<(AgreementId, Time)>,
}

impl Situation {
    /// Everything that is to be told and was not, by the keys of what was.
    #[must_use]
    pub fn untold(&self, told: &BTreeSet<Digest>) -> Vec<Reminder> {
        // By a clock that is not believed nothing is early and nothing is late.
        let all: Vec<Reminder> = match self.clock_held {
            Some(since) => vec![Reminder { agreement: None, about: About::ClockHeld { since } }],
            None => {
                let set_back = self.set_back().chain(self.heard());
                set_back.chain(self.stuck()).chain(self.waits()).chain(self.clocks()).collect()
            }
        };
        all.into_iter().filter(|reminder| !told.contains(&reminder.key())).collect()
    }

    /// The duties that nobody met in time and that the ledger does not say so of yet, each with the key of that entry:
    /// of both parties, whoever is told of them. None before the other party was heard, for what is known here may be
    /// old; one of the other party a day later, when nothing of it is on its way any more.
    #[must_use]
    pub fn missed(&self, told: &BTreeSet<Digest>) -> Vec<(Digest, AgreementId, Deadline)> {
        let is_missed = |(agreement, deadline): &&(AgreementId, Deadline)| {
            let heard = self.heard_to_its_end.get(agreement);
            let known = match deadline.clock.rule().who {
                Who::Both => heard.is_some(),
                Who::Agency if self.side == Side::Agency => heard.is_some(),
                Who::Municipality if self.side == Side::Municipality => heard.is_some(),
                _ => heard == Some(&true) && self.now > deadline.due.plus_ms(ON_ITS_WAY_MS),
            };
            let set_back = self.set_back.iter().any(|(name, _)| name == agreement);
            known && !set_back && deadline.standing(self.now) == Standing::Overdue
        };
        // By a clock that is not believed nothing is late.
        let missed = self.deadlines.iter().filter(|_| self.clock_held.is_none()).filter(is_missed);
        let keyed = missed.map(|(agreement, deadline)| {
            let Deadline { clock, subject, due, .. } = deadline;
            let text = format!("sluis/missed/v1|{agreement}|{clock}|{subject}|{}", due.0);
            (Digest::of(text.as_bytes()), agreement.clone(), deadline.clone())
        });
        keyed.filter(|(key, ..)| !told.contains(key)).take(AT_ONCE).collect()
    }

    /// What the other party said so far.
    fn heard(&self) -> impl Iterator<Item = Reminder> {
        self.heard.iter().map(|(agreement, heard)| Reminder {
            agreement: Some(agreement.clone()),
            about: About::Heard(heard.clone()),
        })
    }

    /// The same, as far as it was said until then.
    pub fn heard_until(&self, then: Time) -> impl Iterator<Item = Reminder> {
        let old = move |it: &Reminder| matches!(&it.about, About::Heard(heard) if heard.at <= then);
        self.heard().filter(old)
    }

    fn set_back(&self) -> impl Iterator<Item = Reminder> {
        self.set_back.iter().map(|(agreement, since)| Reminder {
            agreement: Some(agreement.clone()),
            about: About::SetBack { since: *since },
        })
    }

    fn stuck(&self) -> impl Iterator<Item = Reminder> {
        self.stuck.iter().map(|(agreement, stuck)| Reminder {
            agreement: Some(agreement.clone()),
            about: About::Stuck(stuck.clone()),
        })
    }

    fn waits(&self) -> impl Iterator<Item = Reminder> {
        self.waits.iter().map(|(agreement, waits)| Reminder {
            agreement: agreement.clone(),
            about: About::Waits(waits.clone()),
        })
    }

    /// Of each clock that concerns this side the last point that has passed.
    fn clocks(&self) -> impl Iterator<Item = Reminder> {
        let ours = self.deadlines.iter().filter(|(_, it)| it.clock.concerns(self.side));
        ours.filter_map(|(agreement, deadline)| {
            let coming = match deadline.standing(self.now) {
                Standing::Met | Standing::MetLate => return None,
                Standing::Overdue | Standing::Reached => None,
                Standing::Ahead | Standing::Soon => {
                    Some(deadline.reminders().into_iter().rfind(|at| *at <= self.now)?)
                }
            };
            let about = About::Clock { deadline: deadline.clone(), coming };
            Some(Reminder { agreement: Some(agreement.clone()), about })
        })
    }

    /// When the next clock reminds or runs out.
    #[must_use]
    pub fn next(&self) -> Option<Time> {
        let running = self.deadlines.iter().filter(|(_, deadline)| deadline.met.is_none());
        let points = running.flat_map(|(_, deadline)| {
            deadline.reminders().into_iter().chain([deadline.due.plus_ms(1)])
        });
        points.filter(|at| *at > self.now).min()
    }
}

impl Reminder {
    /// What makes it this one: it is told once, and a mail that comes twice has the same number.
    #[must_use]
    pub fn key(&self) -> Digest {
        let what = match &self.about {
            About::Clock { deadline: Deadline { clock, subject, starts, due, .. }, coming } => {
                let point = coming.map_or_else(|| "over".to_owned(), |at| at.0.to_string());
                format!("clock|{clock}|{subject}|{}|{}|{point}", starts.0, due.0)
            }
            About::Stuck(Stuck { code, failed, since, .. }) => {
                format!("stuck|{code}|{failed}|{}", since.0)
            }
            About::Waits(Waits { verb, code, since, last, .. }) => {
                let code = code.map_or_else(String::new, |it| it.to_string());
                format!("waits|{verb}|{code}|{}|{last}", since.0)
            }
            About::Heard(heard) => format!("heard|{}", heard.digest),
            About::SetBack { since } => format!("set-back|{}", since.0),
            About::ClockHeld { since } => format!("clock-held|{}", since.0),
        };
        let agreement = self.agreement.as_ref().map_or("", AgreementId::as_str);
        Digest::of(format!("sluis/reminder/v1|{agreement}|{what}").as_bytes())
    }

    /// Whether it goes to the data protection officer too (art. 6 and 9: from one to the other).
    #[must_use]
    pub fn for_dpo(&self) -> bool {
        match &self.about {
            About::Heard(heard) => heard.sort.is_incident(),
            About::Clock { deadline, .. } => deadline.clock.is_incident(),
            About::Stuck(_) | About::Waits(_) | About::SetBack { .. } | About::ClockHeld { .. } => {
                false
            }
        }
    }
}

#[cfg(test)]
mod tests;
