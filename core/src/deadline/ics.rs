//! Deadlines as a calendar that people subscribe to or import: iCalendar (RFC 5545).
//!
//! By hand: the crate `icalendar` (0.17.17) brings chrono into a core that counts with jiff, and folds its last
//! lines at 76 octets where section 3.1 allows 75.

use std::fmt::Display;

use jiff::Timestamp;

use super::{Deadline, Standing};
use crate::id::{AgreementId, Time};
use crate::words::Language;

/// The calendar of these deadlines as it stands at `stamp`, reminders still to come as alarms.
///
/// An event's UID is its agreement, clock, subject and start: of two agreements each has its own, and this year's review
/// does not overwrite last year's.
#[must_use]
pub fn ics(deadlines: &[(AgreementId, Deadline)], stamp: Time, language: Language) -> String {
    let mut calendar = Lines(String::new());
    calendar.put("BEGIN", "VCALENDAR");
    calendar.put("VERSION", "2.0");
    calendar.put("PRODID", "-//Sluis//sluis deadlines//NL");
    calendar.put("CALSCALE", "GREGORIAN");
    calendar.put("METHOD", "PUBLISH");
    for (agreement, deadline) in deadlines {
        event(&mut calendar, (agreement, deadline), stamp, language);
    }
    calendar.put("END", "VCALENDAR");
    calendar.0
}

fn event(
    calendar: &mut Lines,
    (agreement, deadline): (&AgreementId, &Deadline),
    stamp: Time,
    language: Language,
) {
    let Deadline { clock, subject, starts, due, .. } = deadline;
    let standing = deadline.standing(stamp);
    let title = format!("{}: {} ({agreement})", clock.title(language), deadline.of());
    let summary = match standing {
        Standing::Ahead | Standing::Soon => title,
        other => format!("[{}] {title}", other.text(language)),
    };
    let mut description = format!("{} ({})", clock.text(language), clock.rule().requirement);
    if let Some(met) = deadline.met {
        description += &format!("\n{}: {}", standing.text(language), deadline.shown(met));
    }
    calendar.put("BEGIN", "VEVENT");
    calendar.put("UID", escape(&format!("{agreement}.{clock}.{subject}.{}@sluis", starts.0)));
    calendar.put("DTSTAMP", utc(stamp));
    if clock.in_hours() {
        calendar.put("DTSTART", utc(*due));
    } else {
        calendar.put("DTSTART;VALUE=DATE", due.date().strftime("%Y%m%d"));
    }
    calendar.put("SUMMARY", escape(&summary));
    calendar.put("DESCRIPTION", escape(&description));
    calendar.put("TRANSP", "TRANSPARENT");
    for reminder in deadline.reminders().into_iter().filter(|reminder| *reminder > stamp) {
        calendar.put("BEGIN", "VALARM");
        calendar.put("ACTION", "DISPLAY");
        calendar.put("TRIGGER;VALUE=DATE-TIME", utc(reminder));
        calendar.put("DESCRIPTION", escape(&summary));
        calendar.put("END", "VALARM");
    }
    calendar.put("END", "VEVENT");
}

/// Content lines, each folded before its 76th octet and never inside a character.
struct Lines(String);

impl Lines {
    fn put(&mut self, name: &str, value: impl Display) {
        let mut room = 75;
        for symbol in format!("{name}:{value}").chars() {
            if symbol.len_utf8() > room {
                self.0.push_str("\r\n ");
                room = 74;
            }
            self.0.push(symbol);
            room -= symbol.len_utf8();
        }
        self.0.push_str("\r\n");
    }
}

/// A value of type TEXT: no line of the calendar can be forged from within it.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for symbol in text.chars() {
        match symbol {
            '\\' | ';' | ',' => escaped.extend(['\\', symbol]),
            '\n' => escaped.push_str("\\n"),
            control if control.is_control() => escaped.push(' '),
            other => escaped.push(other),
        }
    }
    escaped
}

fn utc(time: Time) -> String {
    let stamp = Timestamp::from_millisecond(time.0).unwrap_or_default();
    stamp.strftime("%Y%m%dT%H%M%SZ").to_string()
}

#[cfg(test)]
mod tests;
