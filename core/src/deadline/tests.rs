//! The clocks, on days where counting is not obvious.

use jiff::Timestamp;
use jiff::civil::date;
use proptest::prelude::*;

use super::civil::*;
use super::*;
use crate::words::Language;

const HOUR: i64 = 3_600_000;

pub(super) fn at(text: &str) -> Time {
    Time(text.parse::<Timestamp>().unwrap().as_millisecond())
}

fn hours_of(day: Date) -> i64 {
    (end_of_day(day).0 + 1 - start_of_day(day).0) / HOUR
}

#[test]
fn r24_what_is_kept_is_attested_until_it_was_attested_after_the_end_that_nothing_is() {
    let end =
        Deadline::on(Clock::Notice, "mechelen", at("2026-01-01T00:00:00Z"), date(2027, 1, 31));
    let kept = Deadline::new(Clock::Retention, "K7Q2-M9X", at("2025-03-01T00:00:00Z"));
    let went = kept.clone().meet(at("2029-05-01T00:00:00Z"));
    let attested = |day: &str| Deadline::new(Clock::Attestation, "mechelen", at(day));
    let after = attested("2029-06-01T00:00:00Z");
    let done = |it: &Deadline, others: &[&Deadline]| is_done(it, others.iter().copied());
    assert!(done(&after, &[&end, &went]));
    assert!(!done(&after, &[&end, &kept]), "one is kept");
    assert!(!done(&after, &[&went]), "it has not ended");
    assert!(!done(&attested("2029-04-01T00:00:00Z"), &[&end, &went]), "one went since");
    assert!(!done(&attested("2026-06-01T00:00:00Z"), &[&end]), "before the end");
    assert!(!done(&after.clone().meet(after.due), &[&end, &went]), "it was met");
    assert!(!done(&went, &[&end, &went]));
}

#[test]
fn a_day_ends_where_it_ends_in_brussels() {
    for (day, end, hours) in [
        (date(2026, 3, 28), "2026-03-28T22:59:59.999Z", 24),
        (date(2026, 3, 29), "2026-03-29T21:59:59.999Z", 23),
        (date(2026, 3, 30), "2026-03-30T21:59:59.999Z", 24),
        (date(2026, 10, 24), "2026-10-24T21:59:59.999Z", 24),
        (date(2026, 10, 25), "2026-10-25T22:59:59.999Z", 25),
        (date(2026, 12, 31), "2026-12-31T22:59:59.999Z", 24),
    ] {
        assert_eq!((end_of_day(day), hours_of(day)), (at(end), hours), "{day}");
    }
    assert_eq!(morning(date(2026, 3, 29)), at("2026-03-29T07:00:00Z"));
    assert_eq!(morning(date(2026, 10, 25)), at("2026-10-25T08:00:00Z"));
}

#[test]
fn r43_a_day_of_hours_is_24_hours_of_utc_whatever_the_clocks_on_the_wall_do() {
    for (found, due) in [
        ("2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z"),
        ("2026-03-29T00:30:00Z", "2026-03-30T00:30:00Z"),
        ("2026-03-29T01:30:00Z", "2026-03-30T01:30:00Z"),
        // 02:30 in Brussels, the first and the second time that night.
        ("2026-10-25T00:30:00Z", "2026-10-26T00:30:00Z"),
        ("2026-10-25T01:30:00Z", "2026-10-26T01:30:00Z"),
    ] {
        let finding = Finding { found: at(found), reported: None };
        for side in [Side::Agency, Side::Municipality] {
            assert_eq!(finding.incident(side, "case-1").due, at(due), "{found}");
        }
    }
}

#[test]
fn r60_two_weeks_are_days_on_the_calendar_across_a_change_of_the_clocks() {
    let finding = Finding { found: at("2026-03-20T16:00:00Z"), reported: None };
    let deadline = finding.quality("case-2");
    assert_eq!(deadline.due, at("2026-04-03T21:59:59.999Z"));
    assert_eq!(
        deadline.reminders(),
        [at("2026-03-27T08:00:00Z"), at("2026-04-01T07:00:00Z")],
        "day 7 in winter time, day 12 in summer time, both at nine"
    );
    // 23:30 UTC is the next day in Brussels, and the two weeks start there.
    let late = Finding { found: at("2026-10-24T22:30:00Z"), reported: None };
    assert_eq!(late.quality("case-3").due.date(), date(2026, 11, 8));
}

#[test]
fn r60_the_two_weeks_run_from_the_finding_and_not_from_the_report() {
    let found = at("2026-03-01T09:00:00Z");
    let told = |reported| Finding { found, reported }.quality("case-4");
    let silent = told(None);
    assert_eq!(silent.due.date(), date(2026, 3, 15));
    for reported in ["2026-03-01T09:05:00Z", "2026-03-05T09:00:00Z", "2026-04-01T09:00:00Z"] {
        assert_eq!(told(Some(at(reported))), silent, "reported {reported}");
    }
    // An incident is the other way about: the report is what is owed.
    let incident = |reported| {
        Finding { found, reported: Some(at(reported)) }.incident(Side::Municipality, "case-5")
    };
    let now = at("2026-06-01T00:00:00Z");
    assert_eq!(incident("2026-03-02T09:00:00Z").standing(now), Standing::Met);
    let late = incident("2026-03-02T09:00:00.001Z");
    assert_eq!(late.standing(now), Standing::MetLate);
    assert_eq!(late.late_by(now), Some(Duration::from_millis(1)));
}

#[test]
fn r82_29_february_and_the_ends_of_months() {
    for (start, months, end) in [
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2024, 2, 29), 48, date(2028, 2, 29)),
        (date(2024, 2, 29), 60, date(2029, 2, 28)),
        (date(2028, 2, 29), 24, date(2030, 2, 28)),
        (date(2096, 2, 29), 48, date(2100, 2, 28)),
        (date(2027, 2, 28), 12, date(2028, 2, 28)),
        (date(2026, 8, 31), 6, date(2027, 2, 28)),
        (date(2027, 8, 31), 6, date(2028, 2, 29)),
        (date(2026, 12, 31), 12, date(2027, 12, 31)),
    ] {
        assert_eq!(months_after(start, months), end, "{start} + {months} months");
        if months % 12 == 0 {
            assert_eq!(years_after(start, months / 12), end);
        }
    }
    assert_eq!(days_after(date(2028, 2, 15), 14), date(2028, 2, 29));
    assert_eq!(days_after(date(2027, 2, 15), 14), date(2027, 3, 1));
    assert_eq!(days_before(date(2028, 3, 1), 1), date(2028, 2, 29));
    assert_eq!(years_after(date(2026, 1, 1), u32::MAX), Date::MAX);
    assert_eq!(days_after(date(2026, 1, 1), u32::MAX), Date::MAX);
    assert_eq!(hours_after(Time(i64::MAX), u32::MAX), Time(i64::MAX));
    assert!(end_of_day(Date::MAX) > end_of_day(date(9999, 12, 1)));
}

#[test]
fn r17_five_years_are_a_maximum_that_no_way_of_counting_exceeds() {
    let kept = |from: &str| Deadline::new(Clock::Retention, "7K3F-9QX", at(from)).due.date();
    assert_eq!(kept("2026-03-01T10:00:00Z"), date(2031, 2, 28));
    assert_eq!(kept("2024-02-29T10:00:00Z"), date(2029, 2, 27));
    let from = at("2026-03-01T10:00:00Z");
    let within = |months| Deadline::within(Clock::Retention, "7K3F-9QX", from, months).due.date();
    assert_eq!(within(6), date(2026, 8, 31));
    assert_eq!(within(600), date(2031, 2, 28));
    let on = |day| Deadline::on(Clock::Retention, "7K3F-9QX", from, day).due.date();
    assert_eq!(on(date(2030, 1, 1)), date(2030, 1, 1));
    assert_eq!(on(date(2099, 1, 1)), date(2031, 2, 28));
}

#[test]
fn r76_twelve_months_of_notice_are_whole() {
    let given = at("2026-03-15T13:00:00Z");
    let deadline = Deadline::new(Clock::Notice, "mechelen", given);
    assert_eq!(deadline.due.date(), date(2027, 3, 15));
    assert_eq!(ends_after_notice(given.date(), 12), date(2027, 3, 16));
    assert_eq!(ends_after_notice(date(2024, 2, 29), 12), date(2025, 3, 1));
    assert_eq!(deadline.standing(deadline.due), Standing::Soon);
    assert_eq!(deadline.standing(deadline.due.plus_ms(1)), Standing::Reached);
    assert_eq!(deadline.late_by(Time(i64::MAX)), None);
}

#[test]
fn r8_two_years_for_magda_warn_and_then_stop() {
    let deadline = Deadline::new(Clock::Magda, "mechelen", at("2026-06-30T22:30:00Z"));
    assert_eq!(deadline.due, at("2028-06-30T21:59:59.999Z"), "since 1 July in Brussels");
    let days: Vec<_> = deadline.reminders().into_iter().map(|at| at.date().to_string()).collect();
    assert_eq!(days, ["2028-04-01", "2028-05-31", "2028-06-23"]);
    assert_eq!(deadline.standing(at("2028-03-31T12:00:00Z")), Standing::Ahead);
    assert_eq!(deadline.standing(at("2028-04-01T12:00:00Z")), Standing::Soon);
    assert_eq!(deadline.standing(at("2028-07-01T12:00:00Z")), Standing::Reached);
}

#[test]
fn r6_a_year_is_the_stricter_of_the_calendar_and_twelve_months() {
    for (previous, next) in [
        (&[date(2026, 12, 31)][..], date(2027, 12, 31)),
        (&[date(2026, 1, 1)], date(2027, 1, 1)),
        (&[date(2024, 2, 29)], date(2025, 3, 1)),
        (&[date(2023, 2, 28)], date(2024, 2, 28)),
        (&[date(2026, 6, 15), date(2025, 1, 1)], date(2027, 6, 15)),
    ] {
        assert_eq!(next_allowed(previous), Some(next), "{previous:?}");
        let opening = Deadline::next_request("mechelen", previous).unwrap();
        assert_eq!(opening.due, start_of_day(next));
        assert_eq!(opening.standing(opening.due.plus_ms(-1)), Standing::Soon);
        assert_eq!(opening.standing(opening.due), Standing::Reached);
        assert_eq!(opening.late_by(Time(i64::MAX)), None);
    }
    assert_eq!(next_allowed(&[]), None);
    assert_eq!(Deadline::next_request("mechelen", &[]), None);
}

#[test]
fn what_was_missed_stays_missed() {
    let sent = at("2026-11-23T10:00:00Z");
    let target = Deadline::new(Clock::RemovalTarget, "7K3F-9QX", sent);
    for (now, standing) in [
        (0, Standing::Ahead),
        (44 * 60_000, Standing::Ahead),
        (45 * 60_000, Standing::Soon),
        (HOUR, Standing::Soon),
        (HOUR + 1, Standing::Overdue),
    ] {
        assert_eq!(target.standing(sent.plus_ms(now)), standing, "after {now} ms");
    }
    assert_eq!(target.late_by(sent.plus_ms(HOUR)), None);
    assert_eq!(target.late_by(sent.plus_ms(3 * HOUR)), Some(Duration::from_secs(7200)));
    let late = target.clone().meet(sent.plus_ms(2 * HOUR)).meet(sent.plus_ms(9 * HOUR));
    for now in [sent.plus_ms(2 * HOUR), Time(i64::MAX)] {
        assert_eq!(late.standing(now), Standing::MetLate);
        assert_eq!(late.late_by(now), Some(Duration::from_secs(3600)));
    }
    let met = target.meet(sent.plus_ms(HOUR));
    assert_eq!(met.standing(Time(i64::MAX)), Standing::Met);
    assert_eq!(met.late_by(Time(i64::MAX)), None);
}

#[test]
fn reminders_come_when_the_plan_says() {
    let start = at("2026-11-23T10:00:00Z");
    let hours = |clock| {
        let reminders = Deadline::new(clock, "x", start).reminders();
        reminders.into_iter().map(|at| (at.0 - start.0) / HOUR).collect::<Vec<_>>()
    };
    assert_eq!(hours(Clock::RemovalTarget), [1]);
    assert_eq!(hours(Clock::RemovalAlarm), [24]);
    assert_eq!(hours(Clock::Expiry), [120, 144]);
    assert_eq!(hours(Clock::Incident(Side::Municipality)), [12, 20]);
    let dates = |clock| {
        let reminders = Deadline::new(clock, "x", start).reminders();
        reminders.into_iter().map(|at| at.date().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(dates(Clock::Quality), ["2026-11-30", "2026-12-05"]);
    assert_eq!(dates(Clock::PolicyReview(Side::Agency)), ["2027-10-24", "2027-11-16"]);
    assert_eq!(dates(Clock::Notice), ["2027-08-25", "2027-10-24", "2027-11-16"]);
    assert_eq!(dates(Clock::RequestAllowed), ["2027-11-23"]);
    // The agreement file may give other terms, and reminders follow.
    let target = Deadline::within(Clock::RemovalTarget, "x", start, 4);
    assert_eq!(target.reminders(), [start.plus_ms(4 * HOUR)]);
    // Nothing before the start, nothing once it is met.
    let soon = Deadline::on(Clock::Custodian, "anna", start, date(2026, 12, 3));
    assert_eq!(soon.reminders(), [at("2026-11-26T08:00:00Z")]);
    assert_eq!(soon.meet(start.plus_ms(HOUR)).reminders(), []);
}

#[test]
fn every_clock_has_its_code_article_requirement_and_words() {
    let start = at("2026-11-23T10:00:00Z");
    for (index, clock) in Clock::ALL.into_iter().enumerate() {
        let rule = clock.rule();
        assert!(rule.code.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{clock}");
        assert_eq!(rule.code.parse(), Ok(clock), "codes are unique");
        assert_eq!(serde_json::to_string(&clock).unwrap(), format!("\"{clock}\""));
        assert!(rule.requirement.split(", ").all(|number| {
            number.strip_prefix('R').is_some_and(|n| (1..=88).contains(&n.parse::<u8>().unwrap()))
        }));
        for language in [Language::Nl, Language::En] {
            assert!(clock.text(language).starts_with(&rule.article.label(language)));
            assert!(!clock.title(language).is_empty());
        }
        let labelled = clock.text(Language::En).contains("Product default");
        assert_eq!(labelled, !rule.in_the_text, "a term of ours says so: {clock}");
        let marked = clock.marked(Language::Nl).ends_with('*');
        assert_eq!(marked, !rule.in_the_text, "in a table too: {clock}");
        let note = footnote([clock].into_iter(), Language::Nl);
        assert_eq!(note.is_some(), marked, "{clock}");
        let deadline = Deadline::new(clock, format!("subject-{index}"), start);
        let reminders = deadline.reminders();
        assert!(!reminders.is_empty() && reminders.is_sorted(), "{clock}");
        assert_eq!(deadline.standing(start), Standing::Ahead, "{clock}");
        let json = serde_json::to_string(&deadline).unwrap();
        assert_eq!(serde_json::from_str::<Deadline>(&json).unwrap(), deadline);
    }
    assert!("nothing".parse::<Clock>().is_err());
}

fn any_date() -> impl Strategy<Value = Date> {
    (1900_i16..2200, 1_i8..=12, 1_i8..=31).prop_map(|(year, month, day)| {
        let first = date(year, month, 1);
        date(year, month, day.min(first.days_in_month()))
    })
}

proptest! {
    #[test]
    fn the_end_of_a_day_is_the_last_millisecond_before_the_next(day in any_date()) {
        let next = day.tomorrow().unwrap();
        prop_assert_eq!(end_of_day(day).date(), day);
        prop_assert_eq!(end_of_day(day).plus_ms(1).date(), next);
        prop_assert_eq!(end_of_day(day).plus_ms(1), start_of_day(next));
        prop_assert_eq!(start_of_day(day).date(), day);
        prop_assert_eq!(start_of_day(day).plus_ms(-1).date(), day.yesterday().unwrap());
    }

    #[test]
    fn the_next_request_is_never_earlier_than_either_rule(
        mut previous in prop::collection::vec(any_date(), 1..6),
        more in any_date(),
    ) {
        let next = next_allowed(&previous).unwrap();
        for day in &previous {
            prop_assert!(next.year() > day.year());
            prop_assert!(next >= years_after(*day, 1));
        }
        previous.push(more);
        prop_assert!(next_allowed(&previous).unwrap() >= next, "another request never helps");
        prop_assert_eq!(
            Deadline::next_request("x", &[more]),
            Some(Deadline::new(Clock::RequestAllowed, "x", start_of_day(more)))
        );
    }

    #[test]
    fn the_next_request_is_monotone(one in any_date(), other in any_date()) {
        let (early, late) = (one.min(other), one.max(other));
        prop_assert!(next_allowed(&[early]) <= next_allowed(&[late]));
    }

    #[test]
    fn adding_months_never_leaves_the_month_and_never_goes_back(
        day in any_date(),
        months in 0_u32..1200,
    ) {
        let end = months_after(day, months);
        prop_assert_eq!(end.day(), day.day().min(end.days_in_month()));
        prop_assert!(end >= day && months_after(day.tomorrow().unwrap(), months) >= end);
    }

    #[test]
    fn time_only_makes_a_deadline_worse(
        index in 0..Clock::ALL.len(),
        start in any_date(),
        steps in prop::collection::vec(0..400_i64 * 24 * HOUR, 2..8),
    ) {
        let deadline = Deadline::new(Clock::ALL[index], "x", start_of_day(start));
        let mut now = deadline.starts;
        let mut before = deadline.standing(now);
        for step in steps {
            now = now.plus_ms(step);
            let standing = deadline.standing(now);
            prop_assert!(standing >= before);
            prop_assert_eq!(deadline.late_by(now).is_some(), standing == Standing::Overdue);
            before = standing;
        }
    }
}
