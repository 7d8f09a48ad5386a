//! What may be said after what, and which clocks run.

use jiff::ToSpan;
use jiff::civil::date;

use super::*;
use crate::deadline::Standing;
use crate::statement::{Body, Statement};

mod denied;
mod running;
mod sides;

const DAY: i64 = 86_400_000;
/// Noon in Brussels on 2 March 2026.
const NOON: Time = Time(1_772_449_200_000);

fn notice(text: &str) -> Notice {
    Notice::of(text)
}

fn entered(by: Side, sort: Sort, at: Time, notice: Notice) -> Entered {
    let digest = Digest::of(format!("{by:?} {sort:?} {at:?}").as_bytes());
    Entered { digest, by, at, said: at, version: 1, transfer: None, sort, notice }
}

fn agreement() -> Agreement {
    toml::from_str(include_str!("../../../config/examples/agreements/mechelen.toml")).unwrap()
}

#[test]
fn one_request_a_year_by_the_stricter_reading_and_only_by_the_municipality() {
    let mut register = Register::default();
    let ask = notice("de lijst van 2026");
    let may =
        |register: &Register, by, now| register.may(&agreement(), by, Sort::Request, &ask, now);
    assert_eq!(may(&register, Side::Municipality, NOON), Ok(()));
    assert_eq!(may(&register, Side::Agency, NOON), Err(Fault::NotYours(Sort::Request)));
    register.0.push(entered(Side::Municipality, Sort::Request, NOON, ask.clone()));
    let next = date(2027, 3, 2);
    let before = Time(NOON.0 + 364 * DAY);
    assert_eq!(
        may(&register, Side::Municipality, before),
        Err(Fault::TooSoon { on: next, said: before.date() })
    );
    assert_eq!(may(&register, Side::Municipality, Time(NOON.0 + 365 * DAY)), Ok(()));
}

#[test]
fn what_has_a_term_counts_from_its_own_day_as_far_as_the_hearers_books_bear_that_out() {
    let at = |days: i64| Time(NOON.0 + days * DAY);
    let skew = crate::id::SKEW_MS;
    for (said, seen, counts) in [
        (at(0), None, at(0)),
        (at(-14), None, at(-14)),
        (at(-15), None, at(-14)),
        (at(-1000), None, at(-14)),
        (at(-1000), Some(at(-3)), at(-3).plus_ms(-skew)),
        (at(-3).plus_ms(-1), Some(at(-3)), at(-3).plus_ms(-1)),
        (at(-3), Some(at(-1000)), at(-3)),
        (at(5), None, NOON.plus_ms(skew)),
        // What the hearer's own clock wrote into the future binds nobody.
        (at(-3), Some(at(400)), NOON.plus_ms(skew)),
    ] {
        for sort in [Sort::Request, Sort::Terminate] {
            assert_eq!(counts_from(sort, said, seen, NOON), counts, "{said:?} {seen:?}");
        }
        let other = counts_from(Sort::IncidentReport, said, seen, NOON);
        assert_eq!(other, said.min(NOON.plus_ms(skew)), "nobody gains by it");
    }
}

#[test]
fn r76_an_end_that_the_hearers_books_do_not_bear_out_comes_after_the_whole_term() {
    let today = NOON.date();
    for by in [Side::Agency, Side::Municipality] {
        // A year ago by its clock; heard today.
        let ends = Notice { on: Some(today), ..notice("opzegging") };
        let at = NOON.plus_ms(-14 * DAY);
        let said =
            Entered { said: NOON.plus_ms(-366 * DAY), ..entered(by, Sort::Terminate, at, ends) };
        let may = |now| Register::default().may(&agreement(), by, said.sort, &said.notice, now);
        assert_eq!(may(said.judged()), Ok(()), "it is not void: it ends it later");
        let whole = civil::ends_after_notice(at.date(), 12);
        let register = Register(vec![said.clone()]);
        assert_eq!(register.ends(&agreement()), Some(whole), "{by:?}");
        assert_eq!(register.ends_otherwise(&said, &agreement()), Some(whole));
        // A later day that it names stays, and so does one that is borne out: also under a version with a longer term.
        let mut long = agreement();
        long.term.notice_months = Some(18);
        let far = Some(date(2029, 1, 1));
        let far = Entered { notice: Notice { on: far, ..notice("x") }, ..said.clone() };
        let right = Entered { said: at, ..said.clone() };
        for said in [far, right] {
            let register = Register(vec![said.clone()]);
            assert_eq!(register.ends(&long), said.notice.on);
            assert_eq!(register.ends_otherwise(&said, &long), None);
        }
    }
    // A clock that was ahead: nothing was said after it was heard, and that makes no end void.
    let ahead = Entered {
        said: NOON.plus_ms(DAY),
        ..entered(Side::Agency, Sort::Terminate, NOON, notice("x"))
    };
    assert_eq!(ahead.judged(), NOON);
    let asked = Entered { sort: Sort::Request, said: NOON.plus_ms(-DAY), ..ahead };
    assert_eq!(asked.judged(), NOON, "a request is judged by when it counts");
}

#[test]
fn what_was_published_counts_for_as_long_as_the_signed_original_is_the_same() {
    let page =
        |by, version| Entered { version, ..entered(by, Sort::Publication, NOON, notice("")) };
    let register = Register(vec![page(Side::Agency, 1), page(Side::Municipality, 2)]);
    let version = |version, original: Option<&[u8]>| {
        let mut agreement = Agreement { version, ..agreement() };
        agreement.signed.original = original.map(Digest::of);
        agreement
    };
    let published = |agreement: &Agreement, former: &[&Agreement]| {
        register.reviewed(agreement, former).published
    };
    let [one, two, three] = [1, 2, 3].map(|it| version(it, Some(b"the text")));
    assert_eq!(published(&one, &[]), [true, false], "nothing is known of a version to come");
    assert_eq!(published(&three, &[&one, &two]), [true, true], "other keys, the same text");
    assert_eq!(published(&version(3, Some(b"another")), &[&one, &two]), [false, false]);
    assert_eq!(published(&two, &[&version(1, Some(b"another"))]), [false, true]);
    assert_eq!(published(&three, &[&version(1, None), &two]), [false, true]);
    // Where nobody says which text was signed, no two versions are of one text.
    let [one, three] = [1, 3].map(|it| version(it, None));
    assert_eq!(published(&three, &[&one, &two]), [false, false]);
    assert_eq!(published(&one, &[]), [true, false]);
}

#[test]
fn a_case_is_answered_before_it_is_closed_and_closed_once() {
    let mut register = Register::default();
    let report = Notice { found: Some(Time(NOON.0 - DAY)), ..notice("een verkeerde rij") };
    let may = |register: &Register, by, sort, notice: &Notice| {
        register.may(&agreement(), by, sort, notice, NOON)
    };
    let unfound = notice("een verkeerde rij");
    let refused = may(&register, Side::Municipality, Sort::QualityReport, &unfound);
    assert_eq!(refused, Err(Fault::Missing("--found")));
    let ahead = Notice { found: Some(Time(NOON.0 + DAY)), ..unfound };
    assert_eq!(may(&register, Side::Agency, Sort::IncidentReport, &ahead), Err(Fault::Future));
    assert_eq!(may(&register, Side::Municipality, Sort::QualityReport, &report), Ok(()));
    let begun = entered(Side::Municipality, Sort::QualityReport, NOON, report);
    let of = Notice { case: Some(begun.digest), ..notice("nagekeken") };
    let agency = Side::Agency;
    assert_eq!(may(&register, agency, Sort::QualityAnswer, &of), Err(Fault::NoCase));
    register.0.push(begun);
    assert_eq!(may(&register, agency, Sort::QualityClose, &of), Err(Fault::Unanswered));
    assert_eq!(may(&register, agency, Sort::IncidentUpdate, &of), Err(Fault::NoCase));
    assert_eq!(may(&register, agency, Sort::QualityAnswer, &of), Ok(()));
    for sort in [Sort::QualityAnswer, Sort::QualityClose] {
        register.0.push(entered(agency, sort, NOON, of.clone()));
    }
    assert_eq!(may(&register, agency, Sort::QualityClose, &of), Err(Fault::NoCase));
}

#[test]
fn a_notice_of_twelve_months_ends_the_agreement_on_its_day() {
    let register = Register::default();
    let end = |on| Notice { on: Some(on), ..notice("opzegging") };
    let may = |on| register.may(&agreement(), Side::Municipality, Sort::Terminate, &end(on), NOON);
    assert_eq!(may(date(2027, 3, 2)), Err(Fault::Notice(date(2027, 3, 3))));
    assert_eq!(may(date(2027, 3, 3)), Ok(()));
    let said = entered(Side::Municipality, Sort::Terminate, NOON, end(date(2027, 3, 3)));
    assert_eq!(Register(vec![said]).ends(&agreement()), Some(date(2027, 3, 3)));
}

#[test]
fn the_end_at_once_is_the_agencys_and_stays_whatever_the_clock_says() {
    let mut register = Register::default();
    let breach = notice("doorgifte zonder melding");
    let may = |register: &Register, by, sort, text: &str, now| {
        register.may(&agreement(), by, sort, &notice(text), now)
    };
    let (end, agency, municipality) = (Sort::TerminateAtOnce, Side::Agency, Side::Municipality);
    assert_eq!(may(&register, municipality, end, "x", NOON), Err(Fault::NotYours(end)));
    assert_eq!(may(&register, agency, end, " ", NOON), Err(Fault::Text));
    assert_eq!(may(&register, agency, end, "x", NOON), Ok(()));
    let two = |sort| breach.takes_two(sort, agency);
    assert!(two(end) && !two(Sort::Terminate));
    assert!(two(Sort::BasisGone) && !two(Sort::LegalChange));
    // By its own word that a list has errors it may send another one.
    assert!(two(Sort::QualityReport) && !breach.takes_two(Sort::QualityReport, municipality));
    register.0.push(entered(agency, end, NOON, breach));
    let on = date(2026, 3, 2);
    assert_eq!(register.ends(&agreement()), Some(on));
    // A clock that runs back does not open it again.
    for now in [NOON, Time(NOON.0 - 40 * DAY), Time(NOON.0 + 400 * DAY)] {
        assert_eq!(may(&register, municipality, Sort::Request, "x", now), Err(Fault::Ended(on)));
        assert_eq!(may(&register, agency, end, "x", now), Err(Fault::Ended(on)));
    }
    assert_eq!(may(&register, municipality, Sort::Attestation, "x", NOON), Ok(()));
}

#[test]
fn a_letter_is_the_other_partys_word_from_its_day() {
    let register = Register::default();
    let from = |day| Notice {
        paper: Some(Digest::none()),
        received: Some(day),
        found: Some(Time(NOON.0 - 3 * DAY)),
        ..notice("uit een brief")
    };
    let may = |by, sort, notice: &Notice| register.may(&agreement(), by, sort, notice, NOON);
    let (agency, municipality) = (Side::Agency, Side::Municipality);
    let letter = from(date(2026, 2, 27));
    assert_eq!(may(agency, Sort::Request, &letter), Ok(()));
    assert!(letter.takes_two(Sort::Request, Side::Agency));
    let mine = Err(Fault::NotYours(Sort::Request));
    assert_eq!(may(municipality, Sort::Request, &letter), mine, "nobody enters its own");
    let bare = Notice { paper: None, ..letter.clone() };
    assert_eq!(may(agency, Sort::Request, &bare), Err(Fault::Missing("--paper")));
    for sort in [Sort::QualityAnswer, Sort::Attestation, Sort::TerminateAtOnce] {
        assert_eq!(may(municipality, sort, &letter), Err(Fault::NotOnPaper(sort)));
    }
    // A request is from a letter of the last month: of one of a year ago the next would be possible today (R6).
    for (sort, days, oldest) in
        [(Sort::Request, 31, date(2026, 1, 30)), (Sort::QualityReport, 366, date(2025, 3, 1))]
    {
        for day in [date(2026, 3, 3), civil::days_before(oldest, 1)] {
            assert_eq!(may(agency, sort, &from(day)), Err(Fault::Letter(days)), "{day}");
        }
        // It tells of what was found before it.
        let found = Some(civil::start_of_day(oldest));
        assert_eq!(may(agency, sort, &Notice { found, ..from(oldest) }), Ok(()));
    }
    // The term of notice and the clock of the incident run from the letter.
    let end = Notice { on: Some(date(2027, 2, 28)), ..letter.clone() };
    assert_eq!(may(municipality, Sort::Terminate, &end), Ok(()));
    let begun = entered(agency, Sort::IncidentReport, NOON, letter);
    let due = Register(vec![begun]).deadlines(&agreement(), &[]);
    let clock = Clock::Incident(municipality);
    let incident = due.iter().find(|it| it.clock == clock).unwrap();
    assert_eq!(incident.met, Some(civil::end_of_day(date(2026, 2, 27))));
}

#[test]
fn what_was_let_pass_in_a_time_that_has_not_come_is_not_let_pass() {
    let week = 7 * DAY;
    for (at, counts) in [
        (-week - 1, false),
        (-week, true),
        (0, true),
        (crate::id::SKEW_MS, true),
        (crate::id::SKEW_MS + 1, false),
        (3 * 365 * DAY, false),
    ] {
        let list = Some(Digest::none());
        let word = Notice { case: list, ..notice("single-row: het is de enige") };
        let said = entered(Side::Agency, Sort::Override, NOON.plus_ms(at), word);
        let digest = said.digest;
        let register = Register(vec![said]);
        let waivers = register.waivers(&[], NOON);
        assert_eq!(waivers.first().map(|it| it.notice), counts.then_some(digest), "{at}");
        assert_eq!(register.waivers(&[digest], NOON), [], "once");
    }
}

#[test]
fn a_day_has_its_measure_of_notices_and_what_is_late_is_marked() {
    let mut register = Register::default();
    let say = notice("x");
    let may = |register: &Register, by, now| {
        register.may(&agreement(), by, Sort::SecurityInfo, &say, now)
    };
    for at in 0..200 {
        assert_eq!(may(&register, Side::Agency, NOON), Ok(()));
        let one = entered(Side::Agency, Sort::SecurityInfo, Time(NOON.0 + at), say.clone());
        register.0.push(one);
    }
    assert_eq!(may(&register, Side::Agency, NOON), Err(Fault::TooMany));
    assert_eq!(may(&register, Side::Municipality, NOON), Ok(()), "each has its own");
    // An incident and an end at once are told all the same, each up to its own measure.
    let found = Notice { found: Some(NOON), ..notice("ingebroken") };
    let incident = |register: &Register| {
        register.may(&agreement(), Side::Agency, Sort::IncidentReport, &found, NOON)
    };
    for _ in 0..200 {
        assert_eq!(incident(&register), Ok(()));
        register.0.push(entered(Side::Agency, Sort::IncidentReport, NOON, found.clone()));
    }
    assert_eq!(incident(&register), Err(Fault::TooMany));
    let end = register.may(&agreement(), Side::Agency, Sort::TerminateAtOnce, &say, NOON);
    assert_eq!(end, Ok(()));
    assert_eq!(may(&register, Side::Agency, Time(NOON.0 + DAY)), Ok(()));
    let onward = |on| {
        let notice = Notice { on: Some(on), ..notice("aan het OCMW") };
        entered(Side::Municipality, Sort::Disclosure, NOON, notice)
    };
    assert!(onward(date(2026, 3, 2)).is_late() && !onward(date(2026, 3, 3)).is_late());
    let open = onward(date(2026, 3, 3)).notice;
    let told = register.may(&agreement(), Side::Municipality, Sort::Disclosure, &open, NOON);
    assert!(matches!(told, Err(Fault::Alone)), "{told:?}");
}

#[test]
fn no_text_names_a_person_by_number() {
    let register = Register::default();
    let may = |text: &str| {
        register.may(&agreement(), Side::Agency, Sort::Processors, &notice(text), NOON)
    };
    for bad in [
        "85073003328",
        "nr. 85.07.30-033.28 is fout",
        "8 5 0 7 3 0 0 3 3 2 8",
        "85.07.30–033.28",
        "85\u{a0}07\u{a0}30\u{a0}033\u{a0}28",
        "85,07,30,033,28",
        "(85) 07 (30) 033 (28)",
        "8\u{200b}5073003328",
        "85073003328x, nr85.07.30-033.28bis",
        "rij 2: 850730 / 033 / 28, 1 maal",
        "85.07.30 – 033.29: een verkeerd controlegetal",
        "85.27.30:033 + 71, een bisnummer",
        "８５０７３００３３２８",
    ] {
        assert_eq!(may(bad), Err(Fault::Personal), "{bad}");
    }
    for bad in ["", " \n", "\u{1b}[31m", &"x".repeat(1001)] {
        assert_eq!(may(bad), Err(Fault::Text), "{bad}");
    }
    for good in [
        "vanaf 2026-03-02, besluit nr. 12.345/6",
        "bel +32 470 12 34 56 of 015 29 76 11",
        "tussen 2026-03-02, 10:30:15 en 2026-03-05, 11:45",
        "2026-03-02 – 2026-03-05",
        "BE68 5390 0754 7034; 0403.170.701",
        "85.07.30 .... 033.28",
    ] {
        assert_eq!(may(good), Ok(()), "{good}");
    }
}

#[test]
fn clocks_run_from_the_finding_and_lateness_stays() {
    let found = Time(NOON.0 - 15 * DAY);
    let report = Notice { found: Some(found), ..notice("een verkeerde rij") };
    let begun = entered(Side::Municipality, Sort::QualityReport, NOON, report.clone());
    let answer = Notice { case: Some(begun.digest), ..notice("verbeterd") };
    let late = Notice { found: Some(Time(NOON.0 - 2 * DAY)), ..notice("een poging") };
    let register = Register(vec![
        begun,
        entered(Side::Agency, Sort::QualityAnswer, Time(NOON.0 + 1), answer),
        entered(Side::Municipality, Sort::IncidentReport, NOON, late),
    ]);
    let due = register.deadlines(&agreement(), &[]);
    let stands =
        |clock| due.iter().find(|it| it.clock == clock).map(|it| it.standing(Time(NOON.0 + 2)));
    assert_eq!(stands(Clock::Quality), Some(Standing::MetLate), "from the finding (R60)");
    assert_eq!(stands(Clock::Incident(Side::Municipality)), Some(Standing::MetLate));
    assert_eq!(stands(Clock::RequestAllowed), None);
    let reviews = due.iter().filter(|it| matches!(it.clock, Clock::PolicyReview(_))).count();
    assert_eq!(reviews, 2);
    assert!(register.cases().count() == 2 && register.errors(&TransferId::random()).count() == 0);
}

#[test]
fn a_yearly_duty_that_was_done_late_stays_late_when_it_was_done_again() {
    let (agreement, side) = (agreement(), Side::Municipality);
    let start = civil::start_of_day(agreement.in_force);
    let at = |days: i64| Time(start.0 + days * DAY);
    let reviews = |days: &[i64], noted: Option<i64>| {
        let mut agreement = agreement.clone();
        agreement.security.municipality.policy_reviewed_on = noted.map(|day| at(day).date());
        let said =
            days.iter().map(|day| entered(side, Sort::PolicyReview, at(*day), notice("herzien")));
        let mut due = Register(said.collect()).deadlines(&agreement, &[]);
        due.retain(|it| it.clock == Clock::PolicyReview(side));
        due.iter().map(|it| (it.starts, it.standing(at(2_000)))).collect::<Vec<_>>()
    };
    let (late, overdue) = (Standing::MetLate, Standing::Overdue);
    // In time, 50 days late, in time; and the one that runs now.
    assert_eq!(reviews(&[300, 715, 1_000], None), [(at(300), late), (at(1_000), overdue)]);
    assert_eq!(reviews(&[300, 600, 900], None), [(at(900), overdue)]);
    // The first one counts from the beginning, but where the agreement itself tells of another day.
    assert_eq!(reviews(&[500], None), [(at(0), late), (at(500), overdue)]);
    assert_eq!(reviews(&[500], Some(200)), [(at(500), overdue)]);
    let day = civil::start_of_day(at(500).date());
    assert_eq!(reviews(&[], Some(500)), [(day, overdue)], "nobody knows what was before");
    assert_eq!(reviews(&[500], Some(1_400)).len(), 3, "two were late, one runs");
    // A new version that notes a later day takes nothing back of what the one before it noted.
    let noting = |day: i64| {
        let mut agreement = agreement.clone();
        agreement.security.municipality.policy_reviewed_on = Some(at(day).date());
        agreement
    };
    let mut due = Register(Vec::new()).deadlines(&noting(700), &[&noting(100)]);
    due.retain(|it| it.clock == Clock::PolicyReview(side));
    let stands: Vec<_> = due.iter().map(|it| it.standing(at(2_000))).collect();
    assert_eq!(stands, [late, overdue]);
}

#[test]
fn what_was_in_time_under_its_own_version_stays_so_under_a_stricter_one_and_what_was_late_stays_late()
 {
    let side = Side::Municipality;
    let mut old = agreement();
    old.access.listed_on = None;
    old.access.renew_after_months = 18;
    let mut new = old.clone();
    (new.version, new.access.renew_after_months) = (old.version + 1, 12);
    new.in_force = civil::months_after(old.in_force, 36);
    let at = |months| civil::start_of_day(civil::months_after(old.in_force, months));
    let looked = |said: &[(u32, u32)]| {
        let said = said.iter().map(|(version, months)| Entered {
            version: *version,
            ..entered(side, Sort::Profiles, at(*months), notice("nagekeken"))
        });
        let mut due = Register(said.collect()).deadlines(&new, &[&old]);
        due.retain(|it| it.clock == Clock::Profiles);
        due.iter().map(|it| (it.starts, it.standing(at(54)))).collect::<Vec<_>>()
    };
    let (first, second) = (old.version, new.version);
    let (late, ahead) = (Standing::MetLate, Standing::Ahead);
    assert_eq!(looked(&[(first, 17), (first, 34), (second, 46)]), [(at(46), ahead)]);
    assert_eq!(looked(&[(first, 17), (second, 31), (second, 43), (second, 50)])[0], (at(17), late));
    // The first one counts from the first version, whatever day the second begins.
    assert_eq!(looked(&[(first, 20), (first, 36), (second, 48)]), [(at(0), late), (at(48), ahead)]);
}

#[test]
fn a_change_of_processors_is_due_in_a_new_version_and_what_was_late_stays() {
    let mut agreement = agreement();
    let at = |days: i64| Time(civil::start_of_day(agreement.in_force).0 + days * DAY);
    let said = |by, version, day| Entered {
        version,
        ..entered(by, Sort::Processors, at(day), notice("een andere host"))
    };
    let (ours, theirs) = (Side::Agency, Side::Municipality);
    let all = [said(ours, 1, 10), said(theirs, 1, 20), said(ours, 1, 15), said(theirs, 1, 90)];
    let register = Register(all.to_vec());
    let stands = |agreement: &Agreement| {
        let mut due = register.deadlines(agreement, &[]);
        due.retain(|it| it.clock == Clock::Processors);
        due.iter().map(|it| (it.starts, it.standing(at(60)))).collect::<Vec<_>>()
    };
    assert_eq!(stands(&agreement), [(at(10), Standing::Overdue)], "the first of them runs");
    agreement.version = 2;
    // The agency's core said it five days later; the municipality's after seventy.
    assert_eq!(stands(&agreement), [(at(20), Standing::MetLate)]);
}

#[test]
fn what_would_come_back_after_the_end_does_not() {
    let (mut agreement, side) = (agreement(), Side::Municipality);
    let running = |agreement: &Agreement| {
        let due = Register(Vec::new()).deadlines(agreement, &[]);
        let yearly = |it: &&Deadline| {
            matches!(it.clock, Clock::PolicyReview(by) if by == side) || it.clock == Clock::Profiles
        };
        (due.iter().filter(yearly).count(), due.iter().any(|it| it.clock == Clock::Attestation))
    };
    assert_eq!(running(&agreement), (2, true));
    agreement.ends = Some(agreement.in_force.saturating_add(ToSpan::months(6)));
    assert_eq!(running(&agreement), (0, true), "what is kept is still attested");
}

#[test]
fn a_backdated_end_takes_nothing_back_of_what_was_overdue_when_it_was_said() {
    let (agreement, side) = (agreement(), Side::Municipality);
    let at = |days: i64| Time(civil::start_of_day(agreement.in_force).0 + days * DAY);
    let ended = |sort, named: i64, said: i64| {
        let gone = Notice { on: Some(at(named).date()), ..notice("het decreet verviel") };
        entered(side, sort, at(said), gone)
    };
    let missed = |words: &[Entered]| {
        let due = Register(words.to_vec()).deadlines(&agreement, &[]);
        due.iter().filter(|it| it.clock == Clock::PolicyReview(side)).count()
    };
    // The review of the first year was never made, and then its party says that the basis was gone before.
    assert_eq!(missed(&[ended(Sort::BasisGone, 30, 900)]), 1);
    assert_eq!(missed(&[ended(Sort::BasisGone, 30, 31)]), 0);
    assert_eq!(missed(&[ended(Sort::BasisGone, 100, 31)]), 0);
    // An end that was said long ago for a later day hides it neither.
    let both = [ended(Sort::Terminate, 2_000, 100), ended(Sort::BasisGone, 30, 900)];
    assert_eq!(missed(&both), 1);
}

#[test]
fn a_notice_reads_back_from_its_statement_with_every_letter() {
    let said = Notice {
        on: Some(date(2028, 2, 29)),
        ..notice("coördinatie – \"ë\" 😀 \\u00e9\n\u{7f}")
    };
    let said = Notice { text: said.text.replace('\u{7f}', ""), ..said };
    for sort in Sort::ALL {
        let body = Body::Notice(*sort, said.clone());
        let header = crate::statement::tests::header("agentschap-ii", "stad-mechelen", 1);
        let statement = Statement { header, body };
        let bytes = statement.bytes().unwrap();
        assert!(bytes.is_ascii());
        assert_eq!(Statement::read(&bytes).unwrap(), statement);
    }
}

#[test]
fn r48_what_is_entered_in_a_partys_name_it_may_contradict_once_and_a_request_then_counts_no_more() {
    let (agency, municipality) = (Side::Agency, Side::Municipality);
    let letter = Notice {
        paper: Some(Digest::none()),
        received: Some(date(2026, 3, 1)),
        ..notice("uit een brief")
    };
    let asked = entered(agency, Sort::Request, NOON, letter);
    let own = entered(municipality, Sort::QualityReport, NOON, notice("x"));
    let of = |entry: &Entered| Notice { case: Some(entry.digest), ..notice("niet van ons") };
    let mut register = Register(vec![asked.clone(), own.clone()]);
    let may = |register: &Register, by, notice: &Notice| {
        register.may(&agreement(), by, Sort::Contradiction, notice, NOON)
    };
    assert_eq!(may(&register, municipality, &notice("x")), Err(Fault::Missing("--entry")));
    // Not who entered it, nor of what a party said itself.
    assert_eq!(may(&register, agency, &of(&asked)), Err(Fault::NoEntry));
    assert_eq!(may(&register, municipality, &of(&own)), Err(Fault::NoEntry));
    assert_eq!(may(&register, agency, &of(&own)), Err(Fault::NoEntry));
    assert_eq!(may(&register, municipality, &of(&asked)), Ok(()));
    assert!(register.next_request().is_some());
    let no = entered(municipality, Sort::Contradiction, NOON, of(&asked));
    register.0.push(no);
    assert!(register.is_contradicted(&asked.digest) && !register.is_contradicted(&own.digest));
    assert_eq!(may(&register, municipality, &of(&asked)), Err(Fault::NoEntry));
    assert_eq!((register.requests().count(), register.unasked().count()), (0, 1));
    // It was never asked: the municipality asks for itself.
    let ask = register.may(&agreement(), municipality, Sort::Request, &notice("x"), NOON);
    assert_eq!(ask, Ok(()));
}

#[test]
fn r78_it_ends_on_the_day_on_which_its_basis_is_gone_by_either_partys_word() {
    for by in [Side::Agency, Side::Municipality] {
        let register = Register::default();
        let bare = register.may(&agreement(), by, Sort::BasisGone, &notice("x"), NOON);
        assert_eq!(bare, Err(Fault::Missing("--on")));
        // No term of notice: it ends by law.
        let gone = Notice { on: Some(date(2026, 5, 1)), ..notice("het decreet vervalt") };
        assert_eq!(register.may(&agreement(), by, Sort::BasisGone, &gone, NOON), Ok(()));
        let register = Register(vec![entered(by, Sort::BasisGone, NOON, gone)]);
        assert_eq!(register.ends(&agreement()), Some(date(2026, 5, 1)));
        assert_eq!(register.over(&agreement(), date(2026, 4, 30)), None);
        assert_eq!(register.over(&agreement(), date(2026, 5, 1)), Some(date(2026, 5, 1)));
        let due = register.deadlines(&agreement(), &[]);
        let end = due.iter().find(|it| it.clock == Clock::Notice).unwrap();
        assert_eq!(end.starts, NOON);
        // Also then the agency may end it at once.
        let late = Time(NOON.0 + 400 * DAY);
        let (at_once, breach) = (Sort::TerminateAtOnce, notice("een inbreuk"));
        assert_eq!(register.may(&agreement(), Side::Agency, at_once, &breach, late), Ok(()));
    }
}

#[test]
fn r46_a_patch_has_a_day_that_has_come() {
    let register = Register::default();
    let on = |day| Notice { on: Some(day), ..notice("OpenSSL 3.5.4") };
    let may = |notice| register.may(&agreement(), Side::Municipality, Sort::Patch, &notice, NOON);
    assert_eq!(may(notice("x")), Err(Fault::Missing("--on")));
    assert_eq!(may(on(date(2026, 3, 3))), Err(Fault::NotYet));
    assert_eq!(may(on(date(2026, 3, 2))), Ok(()));
}
