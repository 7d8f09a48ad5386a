//! What came too late: a word that had to come before a day, a report after its 24 hours, a first answer after its two weeks.

use std::time::Duration;

use super::{Entered, Register, Sort};
use crate::deadline::{Clock, Finding};
use crate::words;
use crate::words::Words;

/// How late a notice was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Late {
    /// It had to be said before the day that it names (art. 4; R27).
    Day,
    /// It met this clock, so long after its end (R43, R60, R66).
    Clock(Clock, Duration),
}

impl Register {
    /// How late this was said, if it was; the case that it is in is in the register, itself or not.
    #[must_use]
    pub fn late(&self, entered: &Entered) -> Option<Late> {
        if entered.is_late() {
            return Some(Late::Day);
        }
        let deadline = match entered.sort {
            Sort::IncidentReport => {
                let found = entered.found()?;
                let finding = Finding { found, reported: Some(entered.told()) };
                finding.incident(entered.whose(), "")
            }
            Sort::QualityAnswer => {
                let case =
                    self.cases().find(|case| Some(case.begun.digest) == entered.notice.case)?;
                // Only the first answer meets the clock.
                case.answered.is_none_or(|first| first >= entered.at).then_some(())?;
                let found = case.begun.found().unwrap_or(case.begun.at);
                Finding { found, reported: None }.quality("").meet(entered.at)
            }
            _ => return None,
        };
        deadline.late_by(entered.at).map(|late| Late::Clock(deadline.clock, late))
    }
}

impl Late {
    /// By how much, in whole seconds; a day has no hours.
    #[must_use]
    pub fn seconds(self) -> Option<u64> {
        match self {
            Self::Day => None,
            Self::Clock(_, late) => Some(late.as_secs()),
        }
    }

    /// For people.
    #[must_use]
    pub fn words(self) -> Words {
        match self {
            Self::Day => words!(
                "te laat: het moest vooraf gemeld zijn",
                "late: it had to be said beforehand"
            ),
            Self::Clock(Clock::Quality, late) => {
                let days = late.as_secs() / 86_400;
                words!(
                    "te laat: {days} volle dagen na de twee weken",
                    "late: {days} full days after the two weeks"
                )
            }
            Self::Clock(_, late) => {
                let hours = late.as_secs() / 3600;
                words!(
                    "te laat: {hours} volle uren na de 24 uur",
                    "late: {hours} full hours after the 24 hours"
                )
            }
        }
    }
}
