//! What monitoring reads of a core: counts, ages, and how bad it is. No code of a transfer, no name, no data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::agreement::Side;
use crate::deadline::{Clock, Deadline, Standing};
use crate::id::{AgreementId, PartyId, Time};
use crate::words;
use crate::words::Words;

/// A gate whose work waits longer than this, also where it was tried in vain, or that did not ask for so long, is worth a
/// look, in seconds.
const WORK_WAITS_S: u64 = 3600;
const IN_VAIN_S: u64 = 900;
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
    /// Under how many agreements no list moves on, because the other party was not heard since the start.
    #[serde(default)]
    pub unheard: u64,
    /// Of how many agreements a new version waits for two persons: no list leaves under it.
    #[serde(default)]
    pub versions: u64,
    /// How much a first person asked for and no second one confirmed.
    #[serde(default)]
    pub asked: u64,
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
    /// How long the oldest waits of what was tried already and met something in the way, in seconds.
    #[serde(default)]
    pub in_vain_s: Option<u64>,
    /// How long ago it last asked for work, in seconds; none where it has not since the core started.
    pub seen_s: Option<u64>,
}

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// A stable code.
    pub code: String,
    /// What it is, and the verb for it.
    #[serde(flatten)]
    pub words: Words,
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
        self.findings().into_iter().map(|it| it.level).max().unwrap_or(Level::Ok)
    }

    /// What is not as it should be, the worst first.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        use Level::{Critical, Warning};
        let mut found = Vec::new();
        let mut tell =
            |level, code: &str, words| found.push(Finding { level, code: code.to_owned(), words });
        if self.clock_held {
            let words =
                words!("de klok wordt niet geloofd: sluis clock", "the clock is held: sluis clock");
            tell(Critical, "clock-held", words);
        }
        if self.set_back > 0 {
            let words = words!(
                "een oudere databank werd teruggezet: sluis restored",
                "an older store was put back: sluis restored"
            );
            tell(Critical, "set-back", words);
        }
        if self.unheard > 0 {
            let words = words!(
                "overeenkomsten waaronder de postbus van de andere partij sinds de start nog niet tot het einde gelezen werd, en er geen lijst beweegt: {}. Is de sluiskom te bereiken, en draait de andere kant? sluis list zegt onder welke",
                "agreements under which the other party's mailbox was not read to its end since the start, and no list moves: {}. Can the drop zone be reached, and does the other side run? sluis list says under which",
                self.unheard
            );
            tell(Warning, "not-heard", words);
        }
        if self.versions > 0 {
            let words = words!(
                "nieuwe versies van een overeenkomst die op twee personen wachten, en waaronder niets vertrekt: {} (sluis waiting)",
                "new versions of an agreement that wait for two persons, and under which nothing leaves: {} (sluis waiting)",
                self.versions
            );
            tell(Critical, "version-waits", words);
        }
        if self.asked > 0 {
            let words = words!(
                "wat een eerste persoon vroeg, en zonder een tweede na zeven dagen vervalt: {} (sluis waiting)",
                "what a first person asked for, and lapses after seven days without a second one: {} (sluis waiting)",
                self.asked
            );
            tell(Warning, "second-person-waits", words);
        }
        if self.stuck > 0 {
            let words = words!(
                "zendingen die op een persoon wachten of mislukten: {} (sluis list)",
                "transfers held or failed: {} (sluis list)",
                self.stuck
            );
            tell(Critical, "stuck", words);
        }
        found.extend(self.clocks.iter().filter(|count| count.ours).flat_map(Count::findings));
        found.extend(self.gates.iter().filter_map(Gate::finding));
        found.sort_by_key(|it| std::cmp::Reverse(it.level));
        found
    }
}

impl Count {
    fn findings(&self) -> Vec<Finding> {
        let mut found = Vec::new();
        let mut tell =
            |level, code: &str, words| found.push(Finding { level, code: code.to_owned(), words });
        let clock = named(self.clock);
        if self.overdue > 0 {
            let n = self.overdue;
            let words = words!("{n} te laat: {}", "{n} overdue: {}"; clock.clone());
            tell(Level::Critical, "overdue", words);
        }
        if self.lapsed > 0 {
            let n = self.lapsed;
            let words = words!(
                "{n} verlopen, en er vertrekt geen lijst: {}",
                "{n} lapsed, and no list leaves: {}";
                clock.clone()
            );
            tell(Level::Warning, "lapsed", words);
        }
        if self.soon > 0 {
            let n = self.soon;
            tell(Level::Warning, "soon", words!("{n} binnenkort: {}", "{n} due soon: {}"; clock));
        }
        found
    }
}

/// A clock as `sluis deadlines` has it, and the verb that meets it.
fn named(clock: Clock) -> Words {
    let verb = clock.verb().unwrap_or("deadlines");
    Words::of(|language| format!("{} [{clock}] (sluis {verb})", clock.title(language)))
}

impl Gate {
    fn finding(&self) -> Option<Finding> {
        let name = &self.gate;
        let (code, words) = match (self.seen_s, self.oldest_s) {
            (None, _) => (
                "gate-never-asked",
                words!(
                    "{name} vroeg nog geen werk sinds de kern gestart is: start zijn dienst, of kijk in haar log",
                    "{name} has not asked for work since the core started: start its service, or look into its log"
                ),
            ),
            (Some(seen), _) if seen > GATE_AWAY_S => (
                "gate-away",
                words!(
                    "{name} vroeg {seen} s geleden voor het laatst werk: herstart zijn dienst, of kijk in haar log",
                    "{name} last asked for work {seen} s ago: restart its service, or look into its log"
                ),
            ),
            (_, Some(oldest)) if oldest > WORK_WAITS_S => (
                "work-waits",
                words!(
                    "werk van {name} wacht sinds {oldest} s: sluis list zegt waarop",
                    "work of {name} waits since {oldest} s: sluis list says for what"
                ),
            ),
            _ => match self.in_vain_s.filter(|since| *since > IN_VAIN_S) {
                Some(since) => (
                    "work-in-vain",
                    words!(
                        "werk van {name} stuit sinds {since} s op iets: sluis list zegt waarop",
                        "work of {name} meets something in its way since {since} s: sluis list says what"
                    ),
                ),
                None => return None,
            },
        };
        Some(Finding { level: Level::Warning, code: code.to_owned(), words })
    }
}

#[cfg(test)]
mod tests;
