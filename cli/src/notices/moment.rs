//! A moment as a person types it: with its distance from UTC, or as the clock in Brussels has it.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use sluis_core::id::Time;
use sluis_core::words;
use sluis_core::words::Words;

use crate::failure::{Failure, Result};

/// The moment. What the clock in Brussels never showed, or showed twice, is not guessed at: clocks in hours run from it.
pub(crate) fn read(text: &str) -> Result<Time> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(Time(at.as_millisecond()));
    }
    let wrong = || {
        refused(words!(
            "{text}: een tijdstip ziet eruit als 2026-11-23T14:00 (Brussel), 2026-11-23T14:00+01:00 of 2026-11-23T13:00Z",
            "{text}: a moment looks like 2026-11-23T14:00 (Brussels), 2026-11-23T14:00+01:00 or 2026-11-23T13:00Z"
        ))
    };
    let local: DateTime = text.parse().map_err(|_| wrong())?;
    let zone = TimeZone::get("Europe/Brussels").map_err(|_| wrong())?;
    let typed = |offset: Offset| format!("{text}{}", distance(offset));
    let offset = match zone.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset,
        AmbiguousOffset::Gap { before, after } => {
            return Err(refused(words!(
                "{text} was er niet in Brussel: de klok werd toen vooruit gezet. Typ de afstand tot UTC erbij: {0} of {1}",
                "{text} was never there in Brussels: the clock was set forward then. Type the distance from UTC too: {0} or {1}",
                typed(before),
                typed(after)
            )));
        }
        AmbiguousOffset::Fold { before, after } => {
            return Err(refused(words!(
                "{text} was er tweemaal in Brussel: de klok werd toen teruggezet. Typ de afstand tot UTC erbij: {0} is het eerste, {1} het tweede",
                "{text} was there twice in Brussels: the clock was set back then. Type the distance from UTC too: {0} is the first, {1} the second",
                typed(before),
                typed(after)
            )));
        }
    };
    let at = offset.to_timestamp(local).map_err(|_| wrong())?;
    Ok(Time(at.as_millisecond()))
}

fn refused(words: Words) -> Failure {
    Failure::coded("no-such-moment", words)
}

/// `+01:00`
fn distance(offset: Offset) -> String {
    let minutes = offset.seconds() / 60;
    let sign = if minutes < 0 { '-' } else { '+' };
    format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::language::Lang;

    #[test]
    fn a_moment_is_taken_as_it_was_and_one_that_the_clock_did_not_show_once_is_not_guessed_at() {
        for (typed, utc) in [
            ("2026-11-23T14:00", "2026-11-23T13:00:00Z"),
            ("2026-07-23T14:00", "2026-07-23T12:00:00Z"),
            ("2026-11-23T13:00Z", "2026-11-23T13:00:00Z"),
            ("2026-10-25T02:30+02:00", "2026-10-25T00:30:00Z"),
            ("2026-10-25T02:30+01:00", "2026-10-25T01:30:00Z"),
            ("2026-03-29T01:59", "2026-03-29T00:59:00Z"),
            ("2026-03-29T03:00", "2026-03-29T01:00:00Z"),
        ] {
            assert_eq!(read(typed).unwrap().to_string(), utc, "{typed}");
        }
        for (typed, say) in [
            ("2026-03-29T02:30", ["2026-03-29T02:30+01:00", "2026-03-29T02:30+02:00"]),
            ("2026-10-25T02:30", ["2026-10-25T02:30+02:00 is", "2026-10-25T02:30+01:00 "]),
            ("gisteren", ["2026-11-23T14:00+01:00", "2026-11-23T13:00Z"]),
        ] {
            let refused = read(typed).unwrap_err();
            assert_eq!(refused.code(), "no-such-moment");
            for lang in [Lang::Nl, Lang::En] {
                let message = refused.message(lang).to_owned() + " ";
                assert!(say.iter().all(|it| message.contains(it)), "{message}");
            }
        }
        // Each of the two that are typed is taken.
        assert!(read("2026-03-29T02:30+01:00").is_ok() && read("2026-03-29T02:30+02:00").is_ok());
    }
}
