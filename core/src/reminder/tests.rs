//! What is told, when, to which side, and once.

use std::collections::BTreeSet;

use super::*;
use crate::deadline::{Clock, civil};
use crate::words::Language;

const HOUR: i64 = 3_600_000;

fn name() -> AgreementId {
    "mechelen".parse().unwrap()
}

fn at(side: Side, now: Time, deadlines: Vec<Deadline>) -> Situation {
    let deadlines = deadlines.into_iter().map(|it| (name(), it)).collect();
    Situation {
        side,
        now,
        clock_held: None,
        deadlines,
        stuck: Vec::new(),
        waits: Vec::new(),
        heard: Vec::new(),
        heard_to_its_end: BTreeMap::new(),
        set_back: Vec::new(),
    }
}

#[test]
fn a_duty_is_entered_as_missed_by_who_surely_knows_and_never_by_a_clock_that_is_not_believed() {
    let deadline = Deadline::new(Clock::Quality, "case", start());
    let after = |hours: i64| deadline.due.plus_ms(hours * HOUR + 1);
    let missed = |situation: &Situation| situation.missed(&BTreeSet::new()).len();
    let heard = |side, now, all: bool| {
        let known = BTreeMap::from([(name(), all)]);
        Situation { heard_to_its_end: known, ..at(side, now, vec![deadline.clone()]) }
    };
    let (ours, theirs) = (Side::Agency, Side::Municipality);
    assert_eq!(missed(&heard(ours, deadline.due, true)), 0, "not yet");
    assert_eq!(missed(&heard(ours, after(0), false)), 1, "its own, once it heard the other");
    assert_eq!(missed(&at(ours, after(0), vec![deadline.clone()])), 0, "this store may be old");
    assert_eq!(missed(&heard(theirs, after(23), true)), 0, "the answer may be on its way");
    assert_eq!(missed(&heard(theirs, after(24), true)), 1);
    assert_eq!(missed(&heard(theirs, after(24), false)), 0, "there is more to hear");
    let doubted = Situation { clock_held: Some(start()), ..heard(ours, after(0), true) };
    assert_eq!(missed(&doubted), 0);
    let older = Situation { set_back: vec![(name(), start())], ..heard(ours, after(0), true) };
    assert_eq!(missed(&older), 0);
    let met = deadline.clone().meet(after(2));
    let met = Situation { deadlines: vec![(name(), met)], ..heard(ours, after(3), true) };
    assert_eq!(missed(&met), 0, "what met it says how late it was");
    // Once, also where another version has it begin on another day.
    let late = heard(ours, after(0), true);
    let told: BTreeSet<Digest> = late.missed(&BTreeSet::new()).into_iter().map(|it| it.0).collect();
    let moved = Deadline { starts: start().plus_ms(HOUR), ..deadline.clone() };
    let moved = Situation { deadlines: vec![(name(), moved)], ..heard(ours, after(9), true) };
    assert!(moved.missed(&told).is_empty() && late.missed(&told).is_empty());
}

fn start() -> Time {
    civil::morning(jiff::civil::date(2026, 3, 2))
}

/// The points that are told when somebody looks every hour for so many days; `None` is the end.
fn told_over(clock: Clock, side: Side, days: i64, met: Option<i64>) -> Vec<Option<i64>> {
    let mut told = BTreeSet::new();
    let mut points = Vec::new();
    for hour in 0..days * 24 {
        let now = start().plus_ms(hour * HOUR);
        let mut deadline = Deadline::new(clock, "case", start());
        if let Some(met) = met.filter(|met| *met <= hour) {
            deadline = deadline.meet(start().plus_ms(met * HOUR));
        }
        for reminder in at(side, now, vec![deadline]).untold(&told) {
            told.insert(reminder.key());
            let About::Clock { coming, .. } = reminder.about else { panic!("{reminder:?}") };
            points.push(coming.map(|at| (at.0 - start().0) / HOUR));
        }
    }
    points
}

#[test]
fn a_clock_is_told_at_each_of_its_points_and_when_it_is_missed_each_once() {
    // Two weeks: reminders seven and two days before, and the end; nothing for 40 days after.
    assert_eq!(
        told_over(Clock::Quality, Side::Agency, 54, None),
        [Some(7 * 24), Some(12 * 24), None]
    );
    assert_eq!(told_over(Clock::Expiry, Side::Agency, 9, None), [Some(5 * 24), Some(6 * 24), None]);
    assert_eq!(told_over(Clock::Quality, Side::Agency, 54, Some(9 * 24)), [Some(7 * 24)]);
    assert_eq!(told_over(Clock::Quality, Side::Agency, 54, Some(20 * 24)).len(), 3, "late is told");
}

#[test]
fn whoever_looks_late_is_told_where_it_stands_and_not_everything_before() {
    let deadline = Deadline::new(Clock::Quality, "case", start());
    let late = at(Side::Agency, start().plus_ms(40 * 24 * HOUR), vec![deadline]);
    let told = late.untold(&BTreeSet::new());
    assert!(matches!(told[..], [Reminder { about: About::Clock { coming: None, .. }, .. }]));
    assert_eq!(late.next(), None);
}

#[test]
fn each_side_is_told_of_what_it_must_do_and_both_of_a_file_that_stays() {
    for (clock, sides) in [
        (Clock::Quality, &[Side::Agency][..]),
        (Clock::Attestation, &[Side::Municipality]),
        (Clock::RemovalTarget, &[Side::Municipality]),
        (Clock::RemovalAlarm, &[Side::Agency, Side::Municipality]),
        (Clock::Rehearsal, &[Side::Agency, Side::Municipality]),
    ] {
        for side in [Side::Agency, Side::Municipality] {
            let told = told_over(clock, side, 500, None);
            assert_eq!(!told.is_empty(), sides.contains(&side), "{clock} {side:?}: {told:?}");
        }
    }
}

#[test]
fn by_a_clock_that_is_not_believed_only_that_is_told() {
    let missed = Deadline::new(Clock::Quality, "case", start());
    let now = start().plus_ms(400 * 24 * HOUR);
    let mut situation = at(Side::Agency, now, vec![missed]);
    situation.clock_held = Some(now);
    let told = situation.untold(&BTreeSet::new());
    assert_eq!(told, [Reminder { agreement: None, about: About::ClockHeld { since: now } }]);
    let keys: BTreeSet<_> = told.iter().map(Reminder::key).collect();
    assert!(situation.untold(&keys).is_empty());
    // Believed again, and held once more later: both are news.
    situation.clock_held = Some(now.plus_ms(HOUR));
    assert_eq!(situation.untold(&keys).len(), 1);
    situation.clock_held = None;
    assert_eq!(situation.untold(&keys).len(), 1);
}

#[test]
fn the_next_look_is_at_the_next_point() {
    let deadline = Deadline::new(Clock::Expiry, "7K3F-9QX", start());
    let next = |hours: i64| {
        let now = start().plus_ms(hours * HOUR);
        at(Side::Agency, now, vec![deadline.clone()]).next().map(|at| at.0 - start().0)
    };
    assert_eq!(next(0), Some(5 * 24 * HOUR));
    assert_eq!(next(5 * 24), Some(6 * 24 * HOUR));
    assert_eq!(next(6 * 24), Some(7 * 24 * HOUR + 1));
    assert_eq!(next(8 * 24), None);
}

#[test]
fn an_older_store_is_told_once_for_each_time_that_it_is_seen() {
    let mut situation = at(Side::Agency, start(), Vec::new());
    assert!(situation.untold(&BTreeSet::new()).is_empty());
    situation.set_back.push((name(), start()));
    let told = situation.untold(&BTreeSet::new());
    let about = About::SetBack { since: start() };
    assert_eq!(told, [Reminder { agreement: Some(name()), about }]);
    let keys: BTreeSet<_> = told.iter().map(Reminder::key).collect();
    assert!(situation.untold(&keys).is_empty());
    situation.set_back[0].1 = start().plus_ms(HOUR);
    assert_eq!(situation.untold(&keys).len(), 1);
}

/// What the other party entered from a letter, in our name.
fn on_paper(sort: Sort) -> Reminder {
    let digest = Digest::of(format!("paper {}", sort.kind()).as_bytes());
    let about = About::Heard(Heard { sort, digest, case: None, at: start(), paper: true });
    Reminder { agreement: Some(name()), about }
}

/// One of each kind.
fn samples() -> Vec<Reminder> {
    let code = "7K3F-9QX".parse().unwrap();
    let agreed = |about| Reminder { agreement: Some(name()), about };
    let clock = |clock, subject: &str| {
        let deadline = Deadline::new(clock, subject, start());
        agreed(About::Clock { deadline, coming: None })
    };
    let heard = |sort: Sort| {
        let digest = Digest::of(sort.kind().as_bytes());
        agreed(About::Heard(Heard { sort, digest, case: None, at: start(), paper: false }))
    };
    let mut all: Vec<Reminder> = Clock::ALL.into_iter().map(|it| clock(it, "7K3F-9QX")).collect();
    all.extend(Sort::ALL.iter().map(|sort| heard(*sort)));
    all.extend([Sort::Request, Sort::IncidentReport].map(on_paper));
    all.extend([false, true].map(|failed| {
        agreed(About::Stuck(Stuck { code, failed, since: start(), rehearsal: false }))
    }));
    all.push(agreed(About::SetBack { since: start() }));
    all.push(Reminder { agreement: None, about: About::ClockHeld { since: start() } });
    all
}

#[test]
fn every_mail_is_one_subject_and_plain_lines_with_an_article_and_a_command() {
    let mut numbers = BTreeSet::new();
    for reminder in samples() {
        for language in [Language::Nl, Language::En, Language::Fr, Language::De] {
            let mail = reminder.mail(("Stad Mechelen", "stad-mechelen"), language);
            let Mail { number, subject, body } = &mail;
            assert!(subject.starts_with("[Sluis] ") && subject.chars().count() < 120, "{subject}");
            assert!(!subject.chars().any(char::is_control), "{subject}");
            assert!(body.contains("  sluis "), "{body}");
            let recital = if language == Language::En { "recital " } else { "overweging " };
            assert!(["art. ", recital].iter().any(|it| body.contains(it)), "{body}");
            let dutch = body.contains("Dit bericht komt van Sluis bij Stad Mechelen");
            assert_eq!(dutch, language != Language::En, "{body}");
            // A state and a kind are told in the reader's language.
            let english = ["Held", "Failed"].iter().any(|state| body.contains(state));
            assert!(!(dutch && english), "{body}");
            assert!(number.ends_with(".stad-mechelen"), "{number}");
            assert!(!number.chars().any(|c| c.is_ascii_digit()), "{number}");
            if language == Language::Nl {
                assert!(numbers.insert(mail.number), "{reminder:?} has the number of another");
            }
        }
        let json = serde_json::to_string(&reminder).unwrap();
        assert_eq!(
            serde_json::from_str::<Reminder>(&json).unwrap(),
            reminder,
            "it keeps in a queue"
        );
    }
}

#[test]
fn what_was_entered_from_paper_in_our_name_is_marked_and_is_nobodys_signature() {
    let signed = ["has said this under its signature", "heeft dit ondertekend gemeld"];
    for sort in [Sort::Request, Sort::IncidentReport] {
        let reminder = on_paper(sort);
        let About::Heard(heard) = &reminder.about else { panic!("{reminder:?}") };
        let said = Reminder {
            about: About::Heard(Heard { paper: false, ..heard.clone() }),
            ..reminder.clone()
        };
        for (language, mark) in [
            (Language::Nl, "op papier, in uw naam ingeschreven"),
            (Language::En, "on paper, entered in your name"),
        ] {
            let mail = reminder.mail(("Stad Mechelen", "stad-mechelen"), language);
            assert!(mail.subject.contains(mark) && mail.body.contains(mark), "{}", mail.body);
            assert!(!signed.iter().any(|it| mail.body.contains(it)), "{}", mail.body);
            let number = crate::notice::short(&heard.digest);
            let against = format!("  sluis contradict mechelen --entry {number}\n");
            assert!(mail.body.contains(&against), "{}", mail.body);
            assert_eq!(mail.body.contains("art. 9: "), sort.is_incident(), "{}", mail.body);
            let mail = said.mail(("Stad Mechelen", "stad-mechelen"), language);
            assert!(
                !mail.body.contains(mark) && !mail.body.contains("contradict"),
                "{}",
                mail.body
            );
        }
        // What a core queued before it knew the difference is read still.
        let mut old = serde_json::to_value(&said).unwrap();
        assert!(old["about"].as_object_mut().unwrap().remove("paper").is_some());
        assert_eq!(serde_json::from_value::<Reminder>(old).unwrap(), said);
    }
}

#[test]
fn no_header_and_no_line_can_be_forged_from_within() {
    let forged = "x\r\nBcc: thief@evil.example\r\n\r\nhello\u{0}\u{85}";
    let deadline = Deadline::new(Clock::Quality, forged, start());
    let reminder =
        Reminder { agreement: Some(name()), about: About::Clock { deadline, coming: None } };
    let mail = reminder.mail((forged, "stad-mechelen"), Language::En);
    assert!(!mail.subject.chars().any(char::is_control), "{:?}", mail.subject);
    assert!(
        mail.body.lines().all(|line| !line.starts_with("Bcc") && line != "hello"),
        "{}",
        mail.body
    );
    assert!(mail.body.chars().all(|c| c == '\n' || !c.is_control()), "{:?}", mail.body);
}

#[test]
fn only_incidents_go_to_the_data_protection_officer_too() {
    for reminder in samples() {
        let about = match &reminder.about {
            About::Heard(heard) => heard.sort.kind().starts_with("incident"),
            About::Clock { deadline, .. } => deadline.clock.code().starts_with("incident"),
            _ => false,
        };
        assert_eq!(reminder.for_dpo(), about, "{reminder:?}");
    }
}

fn asked(until: Option<Time>) -> Waiting {
    Waiting {
        verb: "terminate-at-once".into(),
        subject: "mechelen x".into(),
        by: until.map(|_| "an".into()),
        at: start(),
        until,
        rehearsal: false,
        wanted: crate::waiting::Wanted {
            agreement: Some(name()),
            // As a code this name would be read too.
            of: "hasselt".into(),
            command: "sluis terminate mechelen --at-once --reason 'een geheime reden'".into(),
            ..crate::waiting::Wanted::default()
        },
    }
}

#[test]
fn what_waits_for_a_second_person_is_told_when_it_is_asked_and_before_it_lapses() {
    let until = start().plus_days(7);
    for (row, told_at) in [(asked(Some(until)), vec![0, 6 * 24]), (asked(None), vec![0])] {
        let (mut told, mut hours) = (BTreeSet::new(), Vec::new());
        for hour in 0..7 * 24 {
            let now = start().plus_ms(hour * HOUR);
            let mut situation = at(Side::Agency, now, Vec::new());
            let waits = Waits::of(&row, now);
            assert_eq!(waits.code, None, "the name of an agreement is no transfer");
            situation.waits = vec![(Some(name()), waits)];
            for reminder in situation.untold(&told) {
                told.insert(reminder.key());
                hours.push(hour);
                for (language, say) in [(Language::Nl, "twee"), (Language::En, "second person")] {
                    let mail = reminder.mail(("Stad", "stad-mechelen"), language);
                    let all = format!("{} {}", mail.subject, mail.body);
                    assert!(all.contains("sluis waiting") && all.contains("art. 6"), "{all}");
                    assert!(all.contains(say) || row.until.is_none(), "{all}");
                    assert!(!all.contains("geheime") && !all.contains("Vervalt op: \n"), "{all}");
                }
                assert!(!reminder.for_dpo());
            }
        }
        assert_eq!(hours, told_at);
    }
}
