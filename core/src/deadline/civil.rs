//! Counting (R82): hours in UTC, where a day of 23 or 25 hours does not exist; days, months and years as
//! civil dates in Brussels, where the last hour of a day is still that day.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use crate::id::Time;

/// So many hours of UTC later (R43: the 24 hours of an incident).
#[must_use]
pub(crate) fn hours_after(start: Time, hours: u32) -> Time {
    start.plus_ms(i64::from(hours) * 3_600_000)
}

/// So many days later (R60: the two weeks of article 7). The day of the start is not counted.
#[must_use]
pub fn days_after(start: Date, days: u32) -> Date {
    Span::new().try_days(days).map_or(Date::MAX, |span| start.saturating_add(span))
}

/// So many days earlier.
#[must_use]
pub(crate) fn days_before(day: Date, days: u32) -> Date {
    Span::new().try_days(days).map_or(Date::MIN, |span| day.saturating_sub(span))
}

/// The same day so many months later, or the last of that month where it has no such day (R76).
#[must_use]
pub(crate) fn months_after(start: Date, months: u32) -> Date {
    Span::new().try_months(months).map_or(Date::MAX, |span| start.saturating_add(span))
}

/// As [`months_after`], but only once the last of them is whole: the day after where that month has no such day. So counts
/// what may be done again (R6).
#[must_use]
pub(crate) fn whole_months_after(start: Date, months: u32) -> Date {
    let day = months_after(start, months);
    if day.day() < start.day() { days_after(day, 1) } else { day }
}

/// The same day so many years later; 28 February for 29 February in a common year (R8, R17, R82).
#[must_use]
pub(crate) fn years_after(start: Date, years: u32) -> Date {
    months_after(start, years.saturating_mul(12))
}

/// The first millisecond of that day in Brussels.
#[must_use]
pub fn start_of_day(day: Date) -> Time {
    in_brussels(day.at(0, 0, 0, 0))
}

/// The last millisecond of that day in Brussels: a term in dates ends there, after 23, 24 or 25 hours.
#[must_use]
pub fn end_of_day(day: Date) -> Time {
    day.tomorrow().map_or(in_brussels(DateTime::MAX), |next| start_of_day(next).plus_ms(-1))
}

/// Nine in the morning in Brussels, when a reminder of a date finds somebody at work.
#[must_use]
pub(crate) fn morning(day: Date) -> Time {
    in_brussels(day.at(9, 0, 0, 0))
}

/// The first day on which the next request is allowed: the later of 1 January of the year after the last one
/// and twelve whole months after it: of 29 February that is 1 March (R6). Nothing where there was none: then any day is.
///
/// The twelve months never end before that 1 January. Both rules are written out all the same: the text says
/// "maximaal 1 keer per jaar" and leaves open which year, so the code must not rest on one reading.
#[must_use]
pub fn next_allowed(previous: &[Date]) -> Option<Date> {
    let last = previous.iter().copied().max()?;
    Some(whole_months_after(last, 12).max(years_after(last.first_of_year(), 1)))
}

/// The first day on which the agreement no longer binds when notice is given on this day: what `ends` in the
/// agreement then says. Twelve full months, whole days (R76).
#[must_use]
pub fn ends_after_notice(given: Date, months: u32) -> Date {
    days_after(months_after(given, months), 1)
}

fn in_brussels(at: DateTime) -> Time {
    // The zone is compiled in; were it missing, UTC still orders events rightly (as `Time::date` does).
    let stamp = at
        .in_tz("Europe/Brussels")
        .or_else(|_| at.to_zoned_datetime(TimeZone::UTC))
        .map_or(Timestamp::MAX, |zoned| zoned.timestamp());
    Time(stamp.as_millisecond())
}
