//! What ends a clock beside a word: the agreement's own last day, a letter that was denied; and a letter that runs ahead.

use super::*;

#[test]
fn r77_the_last_day_of_the_text_counts_beside_a_word_that_names_a_later_one() {
    let (municipality, today) = (Side::Municipality, NOON.date());
    let ended = Agreement { ends: Some(today), ..agreement() };
    let later = Notice { on: Some(civil::ends_after_notice(today, 12)), ..notice("opzegging") };
    let given = entered(municipality, Sort::Terminate, NOON, later);
    let looked = entered(municipality, Sort::Profiles, NOON.plus_ms(-DAY), notice("nagezien"));
    for register in [Register(vec![looked.clone()]), Register(vec![looked, given])] {
        let ask = register.may(&ended, municipality, Sort::Request, &notice("x"), NOON);
        assert_eq!(ask, Err(Fault::Ended(today)));
        let due = register.deadlines(&ended, &[]);
        let last = due.iter().find(|it| it.clock == Clock::Notice).unwrap();
        assert_eq!(last.due.date(), civil::days_before(today, 1));
        let again = |it: &Deadline| it.clock == Clock::Profiles && it.met.is_none();
        assert!(!due.iter().any(again), "{due:?}");
    }
    let before = Agreement { ends: Some(today.tomorrow().unwrap()), ..agreement() };
    let ask = Register::default().may(&before, municipality, Sort::Request, &notice("x"), NOON);
    assert_eq!(ask, Ok(()));
}

#[test]
fn no_letter_tells_of_what_was_found_after_it() {
    let letter = |found: i64| Notice {
        paper: Some(Digest::none()),
        received: Some(civil::days_before(NOON.date(), 3)),
        found: Some(NOON.plus_ms(found * DAY)),
        ..notice("uit een brief")
    };
    let may = |found| {
        Register::default().may(
            &agreement(),
            Side::Agency,
            Sort::IncidentReport,
            &letter(found),
            NOON,
        )
    };
    assert_eq!((may(-4), may(-3), may(-2)), (Ok(()), Ok(()), Err(Fault::Future)));
    // Heard from a party that makes one all the same it is not void: it counts from its letter's day at the latest.
    let heard = entered(Side::Agency, Sort::IncidentReport, NOON, letter(-2));
    let found = heard.found().unwrap();
    assert_eq!(found.date(), civil::days_before(NOON.date(), 3));
    let told = Notice { found: Some(found), ..letter(-2) };
    let judged = heard.judged();
    let may = Register::default().may(&agreement(), Side::Agency, heard.sort, &told, judged);
    assert_eq!(may, Ok(()));
}

/// The agency enters a letter that the municipality never wrote: it was not late with it either.
#[test]
fn r43_who_denies_the_letter_of_an_incident_met_no_clock_by_it() {
    let letter = Notice {
        paper: Some(Digest::none()),
        received: Some(NOON.date()),
        found: Some(NOON.plus_ms(-10 * DAY)),
        ..notice("uit een brief")
    };
    let told = entered(Side::Agency, Sort::IncidentReport, NOON, letter);
    let of = Notice { case: Some(told.digest), ..notice("niet van ons") };
    let mut register = Register(vec![told]);
    let late = |register: &Register| {
        let due = register.deadlines(&agreement(), &[]);
        let late = |it: &&Deadline| it.clock == Clock::Incident(Side::Municipality);
        due.iter().filter(late).map(|it| it.standing(NOON)).collect::<Vec<_>>()
    };
    assert_eq!(late(&register), [Standing::MetLate]);
    register.0.push(entered(Side::Municipality, Sort::Contradiction, NOON, of));
    assert_eq!(late(&register), []);
}
