//! What monitoring reads of a core: counts, ages, and how bad it is. No code of a transfer, no name, no data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::agreement::{Language, Side};
use crate::deadline::{Clock, Deadline, Standing};
use crate::id::{AgreementId, PartyId, Time};

/// A gate whose work waits longer than this, or that did not ask for so long, is worth a look, in seconds.
const WORK_WAITS_S: u64 = 3600;
const GATE_AWAY_S: u64 = 300;

/// `health`: how a core stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Health {
    /// Whose core.
    pub party: PartyId,
    /// `sealer` or `keeper`.
    pub role: String,
    /// Its time.
    pub at: Time,
    /// Whether the clock is not believed.
    pub clock_held: bool,
    /// Under how many agreements this store is older than what its party has said.
    #[serde(default)]
    pub set_back: u64,
    /// Each clock that runs.
    pub clocks: Vec<Count>,
    /// How many transfers are in each state.
    pub transfers: BTreeMap<String, u64>,
    /// How many of them wait for a person: held or failed, and not ended.
    pub stuck: u64,
    /// Each gate.
    pub gates: Vec<Gate>,
}

/// How many deadlines of one clock are missed or near.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Count {
    /// Which clock.
    pub clock: Clock,
    /// Whether this party must act on it.
    pub ours: bool,
    /// Not met, and late.
    pub overdue: u64,
    /// Near.
    pub soon: u64,
    /// Ended, and no list leaves before somebody renews it: a custodian's entry, an exercise.
    #[serde(default)]
    pub lapsed: u64,
}

/// A gate, as its core sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// Its name.
    pub gate: String,
    /// How much work waits for it.
    pub waiting: u64,
    /// How long the oldest of that waits, in seconds.
    pub oldest_s: Option<u64>,
    /// How long ago it last asked for work, in seconds; none where it has not since the core started.
    pub seen_s: Option<u64>,
}

/// How bad it is. The number is the exit code that monitoring expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Nothing to do.
    Ok = 0,
    /// Worth a look.
    Warning = 1,
    /// Somebody must act.
    Critical = 2,
}

/// The counts of these deadlines, in the order of the clocks; every clock has its line, so that none goes missing.
#[must_use]
pub fn count(deadlines: &[(AgreementId, Deadline)], side: Side, now: Time) -> Vec<Count> {
    let number = |clock, standing| {
        let of =
            |it: &&(AgreementId, Deadline)| it.1.clock == clock && it.1.standing(now) == standing;
        u64::try_from(deadlines.iter().filter(of).count()).unwrap_or(u64::MAX)
    };
    let line = |clock: Clock| Count {
        clock,
        ours: clock.concerns(side),
        overdue: number(clock, Standing::Overdue),
        soon: number(clock, Standing::Soon),
        lapsed: match clock {
            Clock::Custodian | Clock::Rehearsal => number(clock, Standing::Reached),
            _ => 0,
        },
    };
    Clock::ALL.into_iter().map(line).collect()
}

impl Health {
    /// How bad it is.
    #[must_use]
    pub fn level(&self) -> Level {
        self.findings(Language::En).into_iter().map(|(level, _)| level).max().unwrap_or(Level::Ok)
    }

    /// What is not as it should be, the worst first.
    #[must_use]
    pub fn findings(&self, language: Language) -> Vec<(Level, String)> {
        let english = language == Language::En;
        let say = |en: String, nl: String| if english { en } else { nl };
        let mut found = Vec::new();
        if self.clock_held {
            let text = say(
                "the clock is held: sluis clock".into(),
                "de klok wordt niet geloofd: sluis clock".into(),
            );
            found.push((Level::Critical, text));
        }
        if self.set_back > 0 {
            let text = say(
                "an older store was put back: sluis restored".into(),
                "een oudere databank werd teruggezet: sluis restored".into(),
            );
            found.push((Level::Critical, text));
        }
        if self.stuck > 0 {
            let n = self.stuck;
            let text = say(
                format!("{n} transfers held or failed: sluis list"),
                format!("{n} zendingen wachten op een persoon of mislukten: sluis list"),
            );
            found.push((Level::Critical, text));
        }
        for count in self.clocks.iter().filter(|count| count.ours) {
            let (clock, late, near) = (count.clock, count.overdue, count.soon);
            if late > 0 {
                let text = say(
                    format!("{late} overdue: {clock} (sluis deadlines)"),
                    format!("{late} te laat: {clock} (sluis deadlines)"),
                );
                found.push((Level::Critical, text));
            }
            if count.lapsed > 0 {
                let n = count.lapsed;
                let text = say(
                    format!("{n} lapsed, and no list leaves: {clock} (sluis deadlines)"),
                    format!("{n} verlopen, en er vertrekt geen lijst: {clock} (sluis deadlines)"),
                );
                found.push((Level::Warning, text));
            }
            if near > 0 {
                let text =
                    say(format!("{near} due soon: {clock}"), format!("{near} binnenkort: {clock}"));
                found.push((Level::Warning, text));
            }
        }
        for gate in &self.gates {
            found.extend(gate.finding(english).map(|text| (Level::Warning, text)));
        }
        found.sort_by_key(|(level, _)| std::cmp::Reverse(*level));
        found
    }
}

impl Gate {
    fn finding(&self, english: bool) -> Option<String> {
        let name = &self.gate;
        match (self.seen_s, self.oldest_s) {
            (None, _) if english => {
                Some(format!("{name} has not asked for work since the core started"))
            }
            (None, _) => Some(format!("{name} vroeg nog geen werk sinds de kern gestart is")),
            (Some(seen), _) if seen > GATE_AWAY_S && english => {
                Some(format!("{name} last asked for work {seen} s ago"))
            }
            (Some(seen), _) if seen > GATE_AWAY_S => {
                Some(format!("{name} vroeg {seen} s geleden voor het laatst werk"))
            }
            (_, Some(oldest)) if oldest > WORK_WAITS_S && english => {
                Some(format!("work of {name} waits since {oldest} s"))
            }
            (_, Some(oldest)) if oldest > WORK_WAITS_S => {
                Some(format!("werk van {name} wacht sinds {oldest} s"))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
