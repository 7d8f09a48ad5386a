//! How far one share is on its channel: handed over, lost from sight, sent again, reported on.
//!
//! What an operator reports is a hint (sms.md: a "delivered" may only mean that the network took it). It can end a
//! doubt or show a loss; it never makes a share count as less exposed, and it frees nothing.

use serde::{Deserialize, Serialize};

/// One share's way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shipment {
    /// Where it is.
    pub stands: Stands,
    /// Whether an earlier attempt may have exposed it; once it may have, it stays so.
    pub exposed: bool,
    /// How many more times it goes again by itself, word for word over the same channel, when an answer is lost.
    pub resends: u8,
    /// How often its provider got it and said "later", since it was to leave or a person asked for it. Each of these may
    /// have left, whatever was said.
    pub deferred: u8,
    /// Whether a person asked for the attempt that it waits for: no report of an earlier one takes its place.
    pub asked: bool,
    /// What the operator reported of it, at its strongest.
    pub report: Option<Report>,
    /// The agreement ended at once: it leaves no more, nor again (R64).
    pub shut: bool,
}

/// Where a share is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stands {
    /// To be handed to its channel.
    Waiting,
    /// Handed over, answer outstanding. Counts as exposed.
    Leaving,
    /// The provider took it, by its answer or by a report.
    Accepted {
        /// `http`, `smsd` or `spool`; `?` where only a report says so.
        driver: String,
        /// The provider's number, where it gave one.
        message: Option<String>,
    },
    /// The provider will not take it.
    Rejected {
        /// As above.
        driver: String,
        /// What it said: a status or code, never a body.
        code: String,
    },
    /// Nobody knows. Counts as exposed.
    Unknown {
        /// As above, or `?` after a crash.
        driver: String,
    },
}

/// What an operator reports of a message, weakest first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "report", rename_all = "kebab-case")]
pub enum Report {
    /// It has it.
    Pending,
    /// It could not bring it.
    Failed {
        /// Its code: short, printable.
        code: String,
    },
    /// It brought it, as far as it knows. After "failed" this is a contradiction, and both are in the ledger.
    Delivered,
}

impl Report {
    /// Its name, as the ledger has it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Failed { .. } => "failed",
            Self::Delivered => "delivered",
        }
    }
    fn weight(&self) -> u8 {
        match self {
            Self::Pending => 0,
            Self::Failed { .. } => 1,
            Self::Delivered => 2,
        }
    }
}

impl Shipment {
    /// Before its first attempt.
    #[must_use]
    pub fn new(resends: u8) -> Self {
        Self {
            stands: Stands::Waiting,
            exposed: false,
            resends,
            deferred: 0,
            asked: false,
            report: None,
            shut: false,
        }
    }

    /// Nobody knows whether it left, and it does not go again.
    pub(super) fn lost_from_sight() -> Self {
        let stands = Stands::Unknown { driver: "?".into() };
        Self { stands, exposed: true, ..Self::new(0) }
    }

    /// It left, and this store knows nothing of it.
    pub(super) fn left_before(&self) -> Option<Self> {
        let untried = self.stands == Stands::Waiting && !self.is_exposed();
        untried.then(|| Self { report: self.report.clone(), ..Self::lost_from_sight() })
    }

    /// Its custodian typed it: it was out. Where this store thought that it waits, it does not go again.
    pub(super) fn typed(&self) -> Self {
        match self.stands {
            Stands::Waiting if !self.exposed => {
                Self { report: self.report.clone(), shut: self.shut, ..Self::lost_from_sight() }
            }
            Stands::Rejected { .. } => Self { exposed: true, ..self.clone() },
            _ => self.clone(),
        }
    }

    /// Whether it may be out: unknown counts (rule 2), and an attempt that its provider put off, for it may have sent it.
    #[must_use]
    pub fn is_exposed(&self) -> bool {
        self.has_left() || self.deferred > 0
    }

    /// Whether it left by what is known, or nobody knows.
    pub(super) fn has_left(&self) -> bool {
        let out = matches!(
            self.stands,
            Stands::Leaving | Stands::Accepted { .. } | Stands::Unknown { .. }
        );
        self.exposed || out
    }

    /// Whether nothing more happens to it by itself.
    pub(super) fn is_settled(&self) -> bool {
        match self.stands {
            Stands::Accepted { .. } | Stands::Rejected { .. } => true,
            Stands::Unknown { .. } => self.resends == 0,
            Stands::Waiting | Stands::Leaving => false,
        }
    }

    /// Whether it may still reach its custodian without anybody's doing.
    #[must_use]
    pub(crate) fn may_arrive(&self) -> bool {
        let lost = matches!(self.stands, Stands::Rejected { .. })
            || matches!(self.report, Some(Report::Failed { .. }));
        !lost
    }

    /// Whether a person should try it again: refused, unknown for good, or reported as failed.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.is_settled() && (!self.may_arrive() || matches!(self.stands, Stands::Unknown { .. }))
    }

    /// It is about to be handed over.
    pub(super) fn leave(&self) -> Option<Self> {
        let waits = self.stands == Stands::Waiting;
        waits.then(|| Self { stands: Stands::Leaving, ..self.clone() })
    }

    /// What became of the attempt; only what is leaving has an outcome. What waits may be kept from leaving: its
    /// custodian has no right to it any more.
    pub(super) fn ship(&self, outcome: Stands) -> Option<Self> {
        let barred = self.stands == Stands::Waiting && matches!(outcome, Stands::Rejected { .. });
        if !(barred || self.stands == Stands::Leaving) || outcome == Stands::Leaving {
            return None;
        }
        let mut next = self.clone();
        let outcome =
            if self.shut && outcome == Stands::Waiting { self.stopped() } else { outcome };
        next.stands = match outcome {
            // This attempt surely failed; what an earlier one did stays unknown, and no other will help.
            Stands::Rejected { driver, .. } if self.exposed || self.deferred > 0 => {
                next.resends = 0;
                Stands::Unknown { driver }
            }
            other => other,
        };
        next.exposed = next.has_left();
        next.asked &= next.stands == Stands::Waiting;
        // The report may have been quicker than the answer that was lost.
        match self.report.clone() {
            Some(report) => Some(next.resolved(&report)),
            None => Some(next),
        }
    }

    /// Its provider got it and says "later". So many times that is believed, and it waits again; then nobody knows how
    /// often it left, and a person decides.
    pub(super) fn put_off(&self, driver: String, most: u8) -> Option<Self> {
        if self.shut || self.deferred >= most {
            let lost = self.ship(Stands::Unknown { driver })?;
            return Some(Self { resends: 0, ..lost });
        }
        let waits = self.ship(Stands::Waiting)?;
        // The attempt that a person asked for was made: a report may be of it.
        Some(Self { deferred: self.deferred + 1, asked: false, ..waits })
    }

    /// It is to go again by itself, if it may.
    pub(super) fn resend(&self) -> Option<Self> {
        if !matches!(self.stands, Stands::Unknown { .. }) || self.resends == 0 {
            return None;
        }
        let resends = self.resends - 1;
        Some(Self { stands: Stands::Waiting, exposed: true, resends, asked: false, ..self.clone() })
    }

    /// A person says: again. What was reported of the attempts before is history.
    pub(super) fn again(&self) -> Option<Self> {
        if self.shut || matches!(self.stands, Stands::Waiting | Stands::Leaving) {
            return None;
        }
        let exposed = self.is_exposed();
        let again = Self { exposed, asked: true, report: None, deferred: 0, ..self.clone() };
        Some(Self { stands: Stands::Waiting, ..again })
    }

    /// From here on it does not leave, nor go again. Of what may be out nobody takes anything back.
    pub(super) fn shut(&self) -> Self {
        let mut next = Self { shut: true, resends: 0, ..self.clone() };
        if self.stands == Stands::Waiting {
            next.stands = self.stopped();
        }
        next
    }

    /// As it is after a report: idempotent, in any order; a weaker word than the one it has changes nothing.
    pub(super) fn reported(&self, report: &Report) -> Self {
        // Of what never left, or surely did not, nobody can report but a liar or a provider that erred. That it failed is
        // no news of what was put off.
        let known = self.report.as_ref().is_some_and(|has| has.weight() >= report.weight());
        let failed = matches!(report, Report::Failed { .. });
        let can_be = if failed { self.has_left() } else { self.is_exposed() };
        if known || !can_be {
            return self.clone();
        }
        let mut next = self.resolved(report);
        next.report = Some(report.clone());
        next
    }

    /// A doubt that a report ends.
    fn resolved(&self, report: &Report) -> Self {
        let mut next = self.clone();
        let driver = match &self.stands {
            Stands::Unknown { driver } => driver.clone(),
            Stands::Waiting if !self.asked => "?".to_owned(),
            _ => return next,
        };
        next.stands = match report {
            Report::Pending | Report::Delivered => Stands::Accepted { driver, message: None },
            // It was there, and was lost on the way: another attempt is a person's to make.
            Report::Failed { code } => Stands::Rejected { driver, code: code.clone() },
        };
        next.exposed = true;
        next
    }

    /// What becomes of one that is not to leave any more: where an attempt before may have, nobody knows.
    fn stopped(&self) -> Stands {
        match self.exposed || self.deferred > 0 {
            true => Stands::Unknown { driver: "?".into() },
            false => Stands::Rejected { driver: "none".into(), code: "ended-at-once".into() },
        }
    }
}
