//! Days around the last one, and what may be attested.

use jiff::civil::date;

use super::Destruction::{Automatic, TwoPersons};
use super::*;
use crate::agreement::Side;
use crate::deadline::{Clock, Standing, civil};
use crate::notice::{Entered, Fault, Notice, Register, Sort};

fn agreement(years: u8, destroy: Destruction) -> Agreement {
    let worked = include_str!("../../../config/examples/agreements/mechelen.toml");
    let mut agreement: Agreement = toml::from_str(worked).unwrap();
    assert_eq!(agreement.retention.destroy, TwoPersons, "as the example has it");
    (agreement.retention.years, agreement.retention.destroy) = (Some(years), destroy);
    agreement
}

fn noon(day: Date) -> Time {
    civil::start_of_day(day).plus_ms(12 * 3_600_000)
}

/// A list that was delivered at noon on 2 March 2026, on a day.
fn kept(agreement: &Agreement, today: Date) -> Retained {
    let delivered = noon(date(2026, 3, 2));
    let (last_day, days_left) = last_day(agreement, delivered, noon(today));
    Retained {
        code: "7K3F-9QX".parse().unwrap(),
        agreement: agreement.agreement.clone(),
        state: "Opened".into(),
        delivered,
        opened: None,
        last_day,
        days_left,
        destroy: agreement.retention.destroy,
        announced: None,
        asked_by: None,
        rehearsal: false,
    }
}

#[test]
fn r17_what_goes_by_itself_is_announced_and_goes_on_its_last_day_neither_earlier_nor_later() {
    let alone = agreement(5, Automatic);
    let persons = agreement(5, TwoPersons);
    for (today, left, untold, told) in [
        (date(2026, 3, 2), 1825, Due::Nothing, Due::Nothing),
        (date(2031, 1, 29), 31, Due::Nothing, Due::Nothing),
        (date(2031, 1, 30), 30, Due::Announce, Due::Nothing),
        (date(2031, 2, 28), 1, Due::Announce, Due::Nothing),
        (date(2031, 3, 1), 0, Due::Announce, Due::Destroy),
        (date(2031, 3, 2), -1, Due::Announce, Due::Destroy),
        (date(2040, 1, 1), -3228, Due::Announce, Due::Destroy),
    ] {
        let (list, now) = (kept(&alone, today), noon(today));
        assert_eq!((list.days_left, list.due(now)), (left, untold), "{today}");
        assert_eq!(kept(&persons, today).due(now), Due::Nothing, "{today}: by persons");
        let announced = |ms| Retained { announced: Some(now.plus_ms(ms)), ..list.clone() };
        assert_eq!(announced(-86_400_000).due(now), told, "{today}: a day later");
        assert_eq!(announced(1 - 86_400_000).due(now), Due::Nothing, "{today}: not before");
        assert_eq!(announced(400 * 86_400_000).due(now), untold, "{today}: not yet");
    }
    let list = kept(&alone, date(2031, 3, 1));
    let clock = deadline::retention(&alone, "7K3F-9QX", list.delivered);
    assert_eq!(clock.due.date(), list.last_day);
    let met = clock.meet(noon(list.last_day));
    assert_eq!(met.standing(noon(date(2040, 1, 1))), Standing::Met, "nobody is late");
    let short = kept(&agreement(1, Automatic), date(2027, 3, 1));
    assert_eq!(short.last_day, date(2027, 3, 1));
}

#[test]
fn r24_what_contradicts_the_vault_is_not_attested() {
    let persons = agreement(5, TwoPersons);
    let stock = |today| Stock::of(&[kept(&persons, today)]);
    let now = Stock { destroyed: 2, since: Some(date(2025, 1, 5)), ..stock(date(2031, 3, 1)) };
    assert_eq!(now.contradicts(), None, "its last day is in time");
    assert_eq!(
        now.text(Language::En),
        "Kept: 1, the oldest delivered on 2026-03-02, the next to go by 2031-03-01. Destroyed since 2025-01-05: 2."
    );
    for language in [Language::En, Language::Nl] {
        let late = stock(date(2031, 3, 2)).contradicts().unwrap();
        assert!(late.text(language).contains("sluis destroy 7K3F-9QX"), "{late}");
        let code = vec!["7K3F-9QX".parse().unwrap()];
        let gone = Stock { missing: code, ..Stock::default() }.contradicts().unwrap();
        assert!(gone.text(language).contains("7K3F-9QX"), "{gone}");
        let more = Stock { stray: vec!["kopie".into()], ..Stock::default() };
        assert!(more.contradicts().unwrap().text(language).contains("kopie"));
        // No date or number in it is taken for a person's.
        for stock in [&now, &Stock::default()] {
            let notice = attested(&stock.text(language));
            let may = Register::default().may(
                &persons,
                Side::Municipality,
                Sort::Attestation,
                &notice,
                noon(date(2031, 3, 1)),
            );
            assert_eq!(may, Ok::<(), Fault>(()), "{}", notice.text);
        }
    }
}

fn attested(text: &str) -> Notice {
    Notice::of(text)
}

#[test]
fn r24_an_attestation_winds_its_clock_again_and_only_the_municipalitys() {
    let persons = agreement(5, TwoPersons);
    let clock = |register: &Register| {
        let all = register.deadlines(&persons, &[]);
        all.into_iter().find(|it| it.clock == Clock::Attestation && it.met.is_none()).unwrap()
    };
    let mut register = Register::default();
    assert_eq!(clock(&register).starts, civil::start_of_day(persons.in_force));
    for (by, day, due) in [
        (Side::Municipality, date(2027, 3, 2), date(2028, 3, 2)),
        (Side::Agency, date(2027, 9, 1), date(2028, 3, 2)),
        (Side::Municipality, date(2028, 2, 29), date(2029, 2, 28)),
    ] {
        let digest = crate::id::Digest::of(format!("{day}").as_bytes());
        let (sort, notice) = (Sort::Attestation, attested("Bewaard: niets."));
        register.0.push(Entered {
            digest,
            by,
            at: noon(day),
            said: noon(day),
            version: 1,
            transfer: None,
            sort,
            notice,
        });
        assert_eq!(clock(&register).due.date(), due, "{day}");
    }
}

#[test]
fn r17_what_was_discarded_unopened_is_kept_by_nobody() {
    let persons = agreement(5, TwoPersons);
    let (sent, later) = (noon(date(2026, 3, 2)), noon(date(2040, 1, 1)));
    let kept = |over: Option<&str>| {
        let said = |kind: &str| {
            (["sent", "delivered"].contains(&kind) || over == Some(kind)).then_some(sent)
        };
        let all = deadline::of_transfer(&persons, "7K3F-9QX", Side::Municipality, false, said);
        all.into_iter().find(|it| it.clock == Clock::Retention).unwrap().standing(later)
    };
    assert_eq!(kept(None), Standing::Overdue);
    for over in ["destroyed", "withdrawn", "expired", "superseded", "failed"] {
        assert_eq!(kept(Some(over)), Standing::Met, "{over}");
    }
}

#[test]
fn r17_what_was_opened_is_kept_until_it_is_destroyed_whatever_the_agency_said_of_its_end() {
    let persons = agreement(5, TwoPersons);
    let (sent, later) = (noon(date(2026, 3, 2)), noon(date(2026, 3, 9)));
    let of = |over: &str, destroyed: bool| {
        let said = |kind: &str| {
            let kinds = ["sent", "delivered", over];
            let gone = (destroyed && kind == "destroyed").then_some(later);
            kinds.contains(&kind).then_some(sent).or(gone)
        };
        deadline::of_transfer(&persons, "7K3F-9QX", Side::Municipality, true, said)
    };
    for over in ["withdrawn", "expired", "superseded", "failed"] {
        let met = |destroyed, clock| {
            of(over, destroyed).into_iter().find(|it| it.clock == clock).unwrap().met
        };
        assert_eq!(met(false, Clock::Retention), None, "{over}");
        assert_eq!(met(true, Clock::Retention), Some(later), "{over}");
        // Nothing of it is under way any more: those clocks are met by its end.
        assert_eq!(met(false, Clock::Expiry), Some(sent), "{over}");
    }
}

#[test]
fn r24_backups_have_a_day_after_which_they_hold_nothing_and_nobody_is_late() {
    let destroyed = noon(date(2026, 3, 2));
    assert_eq!(deadline::backups("7K3F-9QX", destroyed, None), None);
    let clock = deadline::backups("7K3F-9QX", destroyed, Some(date(2026, 4, 1))).unwrap();
    assert_eq!(clock.standing(noon(date(2026, 3, 3))), Standing::Ahead);
    assert_eq!(clock.standing(noon(date(2026, 4, 1))), Standing::Soon);
    assert_eq!(clock.standing(noon(date(2026, 4, 2))), Standing::Reached);
    assert_eq!(clock.late_by(noon(date(2030, 1, 1))), None);
}
