//! Every clock of the agreement: when it runs out, how it stands, when it reminds (R82).
//!
//! Nothing here acts, and nothing here knows what time it is: `now` is an argument. A deadline that was missed
//! stays missed, also once it is met, for its lateness is evidence itself. The table of the clocks is
//! [`Clock::rule`]; the counting is in [`civil`].

use std::time::Duration;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::agreement::{Agreement, Side};
use crate::id::{Time, called};

pub mod civil;
mod clock;
mod ics;
mod text;

pub use clock::{Clock, Nature, Rule, Term, Who};
pub use ics::ics;
pub use text::footnote;

/// One clock that runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deadline {
    /// Which clock.
    pub clock: Clock,
    /// What it is about: a transfer code, a case, a custodian's id; never personal data.
    pub subject: String,
    /// When it began to run.
    pub starts: Time,
    /// The last millisecond in time; for an opening the first one of its day.
    pub due: Time,
    /// When it was met, if it was.
    pub met: Option<Time>,
    /// Whether it is about a rehearsal and no delivery (R88).
    #[serde(default)]
    pub rehearsal: bool,
}

/// How a deadline stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Met in time.
    Met,
    /// Nothing to do yet.
    Ahead,
    /// The first reminder has gone out, or the last quarter has begun (at most 30 days).
    Soon,
    /// What ends has ended, what opens is open; nobody is late.
    Reached,
    /// Met, but late; this never goes away.
    MetLate,
    /// Not met, and late.
    Overdue,
}

impl Deadline {
    /// A clock that starts now and runs as long as its rule says.
    #[must_use]
    pub fn new(clock: Clock, subject: impl Into<String>, starts: Time) -> Self {
        Self::with_term(clock, subject.into(), starts, clock.rule().term)
    }

    /// The same where the agreement file says how long: so many hours, days or months, whichever the clock's
    /// rule counts. Five years of retention can be made shorter, never longer (R17).
    #[must_use]
    pub fn within(clock: Clock, subject: impl Into<String>, starts: Time, count: u32) -> Self {
        let term = match clock.rule().term {
            Term::Hours(_) => Term::Hours(count),
            Term::Days(_) => Term::Days(count),
            Term::Months(_) => Term::Months(count),
        };
        Self::with_term(clock, subject.into(), starts, term)
    }

    /// The same where the date itself is given: the last day in time, or the first of an opening (R41: the date
    /// in a custodian's entry). Retention ends after five years all the same.
    #[must_use]
    pub fn on(clock: Clock, subject: impl Into<String>, starts: Time, day: Date) -> Self {
        Self::ending(clock, subject.into(), starts, day)
    }

    /// When a municipality with these requests may make its next one; nothing where it made none (R6).
    #[must_use]
    pub fn next_request(subject: impl Into<String>, previous: &[Date]) -> Option<Self> {
        let starts = civil::start_of_day(previous.iter().copied().max()?);
        Some(Self::on(Clock::RequestAllowed, subject, starts, civil::next_allowed(previous)?))
    }

    fn with_term(clock: Clock, subject: String, starts: Time, term: Term) -> Self {
        let day = match term {
            Term::Hours(hours) => {
                let due = civil::hours_after(starts, hours);
                return Self { clock, subject, starts, due, met: None, rehearsal: false };
            }
            Term::Days(days) => civil::days_after(starts.date(), days),
            Term::Months(months) if clock.rule().nature == Nature::Opening => {
                civil::whole_months_after(starts.date(), months)
            }
            Term::Months(months) => civil::months_after(starts.date(), months),
        };
        // "Niet langer dan": a maximum ends before its anniversary, so that no way of counting finds a day too
        // many.
        let maximum = matches!(clock, Clock::Retention | Clock::Magda);
        let day = if maximum { civil::days_before(day, 1) } else { day };
        Self::ending(clock, subject, starts, day)
    }

    fn ending(clock: Clock, subject: String, starts: Time, day: Date) -> Self {
        let day = match clock {
            Clock::Retention => {
                day.min(civil::days_before(civil::years_after(starts.date(), 5), 1))
            }
            _ => day,
        };
        let due = match clock.rule().nature {
            Nature::Opening => civil::start_of_day(day),
            Nature::Duty | Nature::Stop => civil::end_of_day(day),
        };
        Self { clock, subject, starts, due, met: None, rehearsal: false }
    }

    /// What it is about, for people: a rehearsal is marked as one.
    #[must_use]
    pub fn of(&self) -> String {
        called(&self.subject, self.rehearsal)
    }

    /// A moment of it for people: where hours count, with the distance from UTC (R82).
    #[must_use]
    pub fn shown(&self, at: Time) -> String {
        if self.clock.in_hours() { at.local_hour() } else { at.local() }
    }

    /// The same deadline, met at that time. The first time counts.
    #[must_use]
    pub fn meet(mut self, at: Time) -> Self {
        self.met = Some(self.met.map_or(at, |met| met.min(at)));
        self
    }

    /// How it stands.
    #[must_use]
    pub fn standing(&self, now: Time) -> Standing {
        let over = match self.clock.rule().nature {
            Nature::Opening => now >= self.due,
            Nature::Duty | Nature::Stop => now > self.due,
        };
        match (self.met, self.late_by(now)) {
            (Some(_), Some(_)) => Standing::MetLate,
            (Some(_), None) => Standing::Met,
            (None, Some(_)) => Standing::Overdue,
            (None, None) if over => Standing::Reached,
            (None, None) if now >= self.soon() => Standing::Soon,
            (None, None) => Standing::Ahead,
        }
    }

    /// By how much it is or was late; nothing where it is not, or where nobody can be.
    #[must_use]
    pub fn late_by(&self, now: Time) -> Option<Duration> {
        let late = self.met.unwrap_or(now).0.saturating_sub(self.due.0);
        let duty = self.clock.rule().nature == Nature::Duty;
        u64::try_from(late).ok().filter(|late| duty && *late > 0).map(Duration::from_millis)
    }

    /// When it reminds, in order: hours before an instant, or at nine in the morning some days before a date.
    /// Nothing before it starts or once it is met.
    #[must_use]
    pub fn reminders(&self) -> Vec<Time> {
        let at = |before: u32| {
            if self.clock.in_hours() {
                self.due.plus_ms(i64::from(before) * -3_600_000)
            } else {
                civil::morning(civil::days_before(self.due.date(), before))
            }
        };
        let runs = |at: &Time| *at > self.starts && self.met.is_none_or(|met| *at < met);
        self.clock.rule().reminds.iter().copied().map(at).filter(runs).collect()
    }

    fn soon(&self) -> Time {
        const MONTH: i64 = 30 * 86_400_000;
        let quarter = self.due.0.saturating_sub(self.starts.0) / 4;
        let last_quarter = self.due.plus_ms(-quarter.clamp(0, MONTH));
        self.reminders().into_iter().min().map_or(last_quarter, |first| first.min(last_quarter))
    }
}

/// The clocks of one transfer: removal from the medium, expiry, and at the municipality the years that it keeps it.
/// `when` says when a kind was first said of it with an effect; nothing runs before `sent`. `opened` is whether the
/// municipality ever said that it opened it, also where that had no effect here.
#[must_use]
pub fn of_transfer(
    agreement: &Agreement,
    code: &str,
    at: Side,
    opened: bool,
    when: impl Fn(&str) -> Option<Time>,
) -> Vec<Deadline> {
    let Some(sent) = when("sent") else { return Vec::new() };
    let over = ["withdrawn", "expired", "superseded", "failed"].iter().find_map(|kind| when(kind));
    let met = |deadline: Deadline, by: Option<Time>| match by.or(over) {
        Some(at) => deadline.meet(at),
        None => deadline,
    };
    let targets = &agreement.targets;
    let (hours, days) = (targets.removal_target_hours, agreement.file.expires_after_days);
    let removed = when("removed");
    let mut due = vec![
        met(Deadline::within(Clock::RemovalTarget, code, sent, hours), removed),
        met(Deadline::within(Clock::RemovalAlarm, code, sent, targets.alarm_after_hours), removed),
        // The clock counts hours, the agreement days.
        met(Deadline::within(Clock::Expiry, code, sent, days.saturating_mul(24)), when("opened")),
    ];
    if let (Side::Municipality, Some(delivered)) = (at, when("delivered")) {
        // What ended before it was opened is discarded then: nothing of it is kept. What was opened stays until it is
        // destroyed, also where the words crossed and the agency's end counts.
        let gone = when("destroyed").or(over.filter(|_| !opened));
        let kept = retention(agreement, code, delivered);
        due.push(Deadline { met: gone, ..kept });
    }
    due
}

/// How long a list that was delivered then may be kept: the agreement's years, and never more than the law's.
#[must_use]
pub fn retention(agreement: &Agreement, code: &str, delivered: Time) -> Deadline {
    let months = u32::from(agreement.retention.years()) * 12;
    Deadline::within(Clock::Retention, code, delivered, months)
}

/// Until when backups may still hold a list that was destroyed, where `destroyed` says so.
#[must_use]
pub fn backups(code: &str, destroyed: Time, until: Option<Date>) -> Option<Deadline> {
    until.map(|day| Deadline::on(Clock::Backups, code, destroyed, day))
}

/// What comes back: the times that it was done late, which stays, and the one that runs from when it was last done. What
/// was done, was so under a version of the agreement, whose term it had to meet; the last runs under the version of today.
#[must_use]
pub(crate) fn recurring(
    from: Time,
    done: impl IntoIterator<Item = (Time, u32)>,
    today: u32,
    clock: impl Fn(Time, u32) -> Deadline,
) -> Vec<Deadline> {
    let (mut from, mut all) = (from, Vec::new());
    for (at, version) in done {
        let past = clock(from, version).meet(at);
        all.extend(Some(past).filter(|it| it.standing(at) == Standing::MetLate));
        from = from.max(at);
    }
    all.push(clock(from, today));
    all
}

/// The clock of the exercise: from when each custodian had typed a share of one
/// ([`tried_since`](crate::exercise::tried_since)), else from the first day. It runs where the agreement asks for one.
#[must_use]
pub fn of_rehearsal(agreement: &Agreement, tried: Option<Time>) -> Option<Deadline> {
    let days = agreement.rehearsal.within()?;
    let from = tried.unwrap_or_else(|| civil::start_of_day(agreement.in_force));
    Some(Deadline::within(Clock::Rehearsal, agreement.agreement.as_str(), from, days.get().into()))
}

/// Something that one side found: an incident (art. 6, 9) or wrong data (art. 7). The clocks run from the
/// finding; when the other side was told changes nothing about them (R43, R60).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// When it was found.
    pub found: Time,
    /// When the other side was told, if it was.
    pub reported: Option<Time>,
}

impl Finding {
    /// The 24 hours in which this side reports; the report meets them (R43, R66).
    #[must_use]
    pub fn incident(self, side: Side, subject: impl Into<String>) -> Deadline {
        Deadline { met: self.reported, ..Deadline::new(Clock::Incident(side), subject, self.found) }
    }

    /// The two weeks in which the agency acts; only its measures meet them, not the report (R60).
    #[must_use]
    pub fn quality(self, subject: impl Into<String>) -> Deadline {
        Deadline::new(Clock::Quality, subject, self.found)
    }
}

/// Whether a clock of an agreement runs no more by what the others of it say: what is kept is attested every year (R24), also
/// after the agreement's end; once it was attested after that, and after the last list went, there is nothing more to say.
pub fn is_done<'a>(it: &Deadline, others: impl Iterator<Item = &'a Deadline>) -> bool {
    if it.clock != Clock::Attestation || it.met.is_some() {
        return false;
    }
    let (mut ended, mut kept, mut gone) = (None, false, Time(i64::MIN));
    for other in others {
        match other.clock {
            Clock::Notice => ended = Some(other.due),
            Clock::Retention => {
                kept |= other.met.is_none();
                gone = gone.max(other.met.unwrap_or(gone));
            }
            _ => {}
        }
    }
    !kept && ended.is_some_and(|ended| it.starts > ended) && it.starts >= gone
}

#[cfg(test)]
mod tests;
