//! The calendar, as RFC 5545 has it.

use jiff::civil::date;
use proptest::prelude::*;

use super::super::tests::at;
use super::*;
use crate::agreement::Side;
use crate::deadline::{Clock, Finding};
use crate::id::AgreementId;

/// The content lines as a reader sees them (RFC 5545, 3.1).
fn unfold(text: &str) -> Vec<String> {
    text.replace("\r\n ", "").split_terminator("\r\n").map(str::to_owned).collect()
}

fn unescape(text: &str) -> String {
    let mut symbols = text.chars();
    let mut plain = String::new();
    while let Some(symbol) = symbols.next() {
        plain.push(match symbol {
            '\\' => match symbols.next().unwrap() {
                'n' | 'N' => '\n',
                other => other,
            },
            other => other,
        });
    }
    plain
}

/// Under an agreement of that name.
fn of(name: &str, deadlines: &[Deadline]) -> Vec<(AgreementId, Deadline)> {
    let name: AgreementId = name.parse().unwrap();
    deadlines.iter().map(|it| (name.clone(), it.clone())).collect()
}

#[test]
fn the_same_clock_of_two_agreements_is_two_events_and_each_says_whose() {
    let review = [Deadline::new(Clock::Custodian, "anna", at("2026-01-01T10:00:00Z"))];
    let both = [of("mechelen", &review), of("gent", &review)].concat();
    let lines = unfold(&ics(&both, at("2026-02-01T10:00:00Z"), Language::Nl));
    let of = |name: &str| lines.iter().filter(|l| l.starts_with(name)).cloned().collect::<Vec<_>>();
    let (numbers, titles) = (of("UID:"), of("SUMMARY:"));
    assert_eq!((numbers.len(), titles.len()), (2, 2));
    assert_ne!(numbers[0], numbers[1], "a calendar keeps one of two events with one UID");
    for (title, name) in titles.iter().zip(["mechelen", "gent"]) {
        assert!(title.ends_with(&format!("anna ({name})")), "{title}");
    }
}

#[test]
fn an_incident_is_an_instant_with_alarms_still_to_come() {
    let found = at("2026-10-25T01:30:00Z");
    let deadline = Finding { found, reported: None }.incident(Side::Municipality, "case-1");
    let text = ics(&of("mechelen", &[deadline]), at("2026-10-25T14:00:00Z"), Language::En);
    assert!(text.ends_with("END:VCALENDAR\r\n"));
    let expected = "BEGIN:VCALENDAR\n\
        VERSION:2.0\n\
        PRODID:-//Sluis//sluis deadlines//NL\n\
        CALSCALE:GREGORIAN\n\
        METHOD:PUBLISH\n\
        BEGIN:VEVENT\n\
        UID:mechelen.incident-municipality.case-1.1792891800000@sluis\n\
        DTSTAMP:20261025T140000Z\n\
        DTSTART:20261026T013000Z\n\
        SUMMARY:Report the incident to the agency: case-1 (mechelen)\n\
        DESCRIPTION:art. 6: report the incident\\, or the attempt\\, at once and at latest 24 hours after it was found. (R43)\n\
        TRANSP:TRANSPARENT\n\
        BEGIN:VALARM\n\
        ACTION:DISPLAY\n\
        TRIGGER;VALUE=DATE-TIME:20261025T213000Z\n\
        DESCRIPTION:Report the incident to the agency: case-1 (mechelen)\n\
        END:VALARM\n\
        END:VEVENT\n\
        END:VCALENDAR";
    assert_eq!(unfold(&text).join("\n"), expected);
}

#[test]
fn a_date_is_a_whole_day_and_lateness_stays_in_its_title() {
    let review = Clock::PolicyReview(Side::Agency);
    let missed = Deadline::new(review, "mechelen", at("2025-01-31T10:00:00Z"))
        .meet(at("2026-02-02T10:00:00Z"));
    let next = Deadline::new(review, "mechelen", at("2026-02-02T10:00:00Z"));
    let text = ics(&of("gent", &[missed, next]), at("2026-03-01T10:00:00Z"), Language::Nl);
    let lines = unfold(&text);
    let of = |name: &str| lines.iter().filter(|l| l.starts_with(name)).cloned().collect::<Vec<_>>();
    assert_eq!(of("DTSTART"), ["DTSTART;VALUE=DATE:20260131", "DTSTART;VALUE=DATE:20270202"]);
    assert_eq!(
        of("SUMMARY")[0],
        "SUMMARY:[te laat nagekomen] Veiligheidsbeleid en -plan herzien: mechelen (gent)"
    );
    assert!(of("DESCRIPTION")[0].ends_with("\\nte laat nagekomen: 2026-02-02 11:00:00"));
    assert_eq!(
        of("TRIGGER"),
        ["TRIGGER;VALUE=DATE-TIME:20270103T080000Z", "TRIGGER;VALUE=DATE-TIME:20270126T080000Z"]
    );
    assert_ne!(of("UID")[0], of("UID")[1], "this year's does not overwrite last year's");
}

#[test]
fn text_is_escaped_as_section_3_3_11_asks() {
    assert_eq!(escape("a;b,c\\d\ne:\"f\"\r"), "a\\;b\\,c\\\\d\\ne:\"f\" ");
}

#[test]
fn a_subject_forges_no_line() {
    let subject = "x\r\nEND:VEVENT\r\nBEGIN:VEVENT;a,b\\n\u{1b}";
    let deadline =
        Deadline::on(Clock::Custodian, subject, at("2026-01-01T00:00:00Z"), date(2026, 6, 1));
    let lines =
        unfold(&ics(&of("mechelen", &[deadline]), at("2026-01-01T00:00:00Z"), Language::Nl));
    assert_eq!(lines.iter().filter(|line| *line == "END:VEVENT").count(), 1);
    assert!(lines.iter().all(|line| !line.contains(char::is_control)));
}

proptest! {
    #[test]
    fn lines_are_short_and_unfold_to_what_was_written(value in "[^\r\n]{0,400}") {
        let mut lines = Lines(String::new());
        lines.put("X", &value);
        prop_assert!(lines.0.split("\r\n").all(|line| line.len() <= 75));
        prop_assert_eq!(unfold(&lines.0), [format!("X:{value}")]);
    }

    #[test]
    fn text_reads_back(text in "[^\\p{Cc}]{0,80}(\n[^\\p{Cc}]{0,80})?") {
        prop_assert_eq!(unescape(&escape(&text)), text);
    }

    #[test]
    fn a_calendar_of_anything_keeps_its_form(
        subjects in prop::collection::vec(any::<String>(), 0..8),
        stamp in 0_i64..4_000_000_000_000,
        dutch in any::<bool>(),
    ) {
        let deadlines: Vec<_> = subjects.iter().zip(Clock::ALL.into_iter().cycle())
            .map(|(subject, clock)| Deadline::new(clock, subject, Time(1_800_000_000_000)))
            .collect();
        let language = if dutch { Language::Nl } else { Language::En };
        let text = ics(&of("mechelen", &deadlines), Time(stamp), language);
        prop_assert!(text.split("\r\n").all(|line| line.len() <= 75));
        let lines = unfold(&text);
        prop_assert!(lines.iter().all(|line| !line.contains(char::is_control)));
        for (subject, uid) in subjects.iter().zip(lines.iter().filter(|l| l.starts_with("UID:"))) {
            let clean: String = subject
                .chars()
                .map(|c| if c.is_control() && c != '\n' { ' ' } else { c })
                .collect();
            prop_assert!(unescape(uid).contains(&clean));
        }
        let count = |what: &str| lines.iter().filter(|line| *line == what).count();
        prop_assert_eq!(count("BEGIN:VEVENT"), subjects.len());
        prop_assert_eq!(count("END:VEVENT"), subjects.len());
        prop_assert_eq!(count("BEGIN:VALARM"), count("END:VALARM"));
    }
}
