//! What a party says that it did not say: entries from paper that it contradicts.

use super::*;

const OURS: Side = Side::Agency;
const THEIRS: Side = Side::Municipality;

/// An entry in the other party's name, from its letter of that day.
fn from_paper(by: Side, sort: Sort, day: Date, notice: Notice) -> Entered {
    entered(by, sort, NOON, Notice { paper: Some(Digest::none()), received: Some(day), ..notice })
}

/// What names that case or entry, said then.
fn naming(by: Side, sort: Sort, at: Time, of: &Entered) -> Entered {
    entered(by, sort, at, Notice { case: Some(of.digest), ..notice("x") })
}

fn denial(by: Side, of: &Entered) -> Entered {
    naming(by, Sort::Contradiction, NOON.plus_ms(DAY), of)
}

#[test]
fn r63_a_report_that_its_party_contradicts_is_not_answered_by_that_and_lets_no_list_leave() {
    for (by, whose) in [(OURS, THEIRS), (THEIRS, OURS)] {
        let list = TransferId::random();
        let found = Notice { found: Some(Time(NOON.0 - DAY)), ..notice("een verkeerde rij") };
        let report = Entered {
            transfer: Some(list),
            ..from_paper(by, Sort::QualityReport, date(2026, 3, 1), found)
        };
        let mut register = Register(vec![report.clone()]);
        assert_eq!(register.errors(&list).count(), 1);
        register.0.push(denial(whose, &report));
        assert_eq!(register.errors(&list).count(), 0, "it was never made");
        assert!(register.cases().all(|case| case.answered.is_none() && case.closed.is_none()));
        // The clock goes on, and nobody closes what nobody answered.
        let due = register.deadlines(&agreement(), &[]);
        let quality = due.iter().find(|it| it.clock == Clock::Quality).unwrap();
        assert_eq!(quality.standing(NOON.plus_ms(15 * DAY)), Standing::Overdue);
        let close = Notice { case: Some(report.digest), ..notice("x") };
        let closes = |register: &Register| {
            register.may(&agreement(), OURS, Sort::QualityClose, &close, NOON)
        };
        assert_eq!(closes(&register), Err(Fault::Unanswered));
        let at = NOON.plus_ms(2 * DAY);
        let answer = naming(OURS, Sort::QualityAnswer, at, &report);
        register.0.push(answer.clone());
        assert_eq!(register.cases().next().unwrap().answered, Some(at));
        assert_eq!(closes(&register), Ok(()));
        assert_eq!(register.late(&answer), None);
    }
}

#[test]
fn each_sort_of_case_is_answered_and_closed_by_its_own_words_alone() {
    for (begins, answer, close) in [
        (Sort::QualityReport, Sort::QualityAnswer, Some(Sort::QualityClose)),
        (Sort::IncidentReport, Sort::IncidentUpdate, Some(Sort::IncidentClose)),
        (Sort::InformationRequest, Sort::InformationAnswer, None),
    ] {
        let begun = entered(THEIRS, begins, NOON, notice("x"));
        for sort in Sort::ALL.iter().copied().filter(|it| !it.opens()) {
            let register = Register(vec![begun.clone(), naming(OURS, sort, NOON, &begun)]);
            let case = register.cases().next().unwrap();
            assert_eq!(case.answered.is_some(), sort == answer, "{begins:?} {sort:?}");
            assert_eq!(case.closed.is_some(), Some(sort) == close, "{begins:?} {sort:?}");
        }
    }
}

#[test]
fn r76_a_letter_that_its_party_contradicts_ends_nothing_before_the_whole_term_from_its_entry() {
    let whole = civil::ends_after_notice(NOON.date(), 12);
    for (by, whose) in [(OURS, THEIRS), (THEIRS, OURS)] {
        // A letter of a year ago, of which the term is over today.
        let letter = |on| {
            let day = date(2025, 3, 1);
            from_paper(by, Sort::Terminate, day, Notice { on: Some(on), ..notice("x") })
        };
        let today = NOON.date();
        let said = letter(today);
        let may = Register::default().may(&agreement(), by, said.sort, &said.notice, NOON);
        assert_eq!(may, Ok(()), "{by:?}");
        let mut register = Register(vec![said.clone()]);
        assert_eq!(register.over(&agreement(), today), Some(today), "unless that party says no");
        register.0.push(denial(whose, &said));
        assert_eq!(register.ends(&agreement()), Some(whole), "{by:?}");
        assert_eq!(register.over(&agreement(), civil::days_before(whole, 1)), None);
        assert_eq!(register.over(&agreement(), whole), Some(whole));
        let ask = register.may(&agreement(), THEIRS, Sort::Request, &notice("x"), NOON);
        assert_eq!(ask, Ok(()));
        let due = register.deadlines(&agreement(), &[]);
        let clock = due.iter().find(|it| it.clock == Clock::Notice).unwrap();
        let last = civil::end_of_day(civil::days_before(whole, 1));
        assert_eq!((clock.starts, clock.due), (NOON, last));
        // A yearly duty is one still where the letter alone would have ended it.
        let yearly = Clock::PolicyReview(whose);
        assert!(due.iter().any(|it| it.clock == yearly), "{by:?}");
        // An own word for an earlier day counts, and a later day of the letter stays what it is.
        let own = Notice { on: Some(date(2026, 6, 1)), ..notice("x") };
        register.0.push(entered(by, Sort::Terminate, NOON.plus_ms(1), own));
        assert_eq!(register.ends(&agreement()), Some(date(2026, 6, 1)));
        let far = letter(date(2029, 1, 1));
        let denied = Register(vec![far.clone(), denial(whose, &far)]);
        assert_eq!(denied.ends(&agreement()), Some(date(2029, 1, 1)));
    }
    // The term is the agreement's, where that is longer.
    let mut long = agreement();
    long.term.notice_months = Some(18);
    let on = Notice { on: Some(NOON.date()), ..notice("x") };
    let said = from_paper(OURS, Sort::Terminate, date(2025, 3, 1), on);
    let denied = Register(vec![said.clone(), denial(THEIRS, &said)]);
    assert_eq!(denied.ends(&long), Some(civil::ends_after_notice(NOON.date(), 18)));
}
