//! How bad it is.

use super::*;
use crate::deadline::civil;

fn well() -> Health {
    let gate = Gate {
        gate: "carrier".into(),
        waiting: 0,
        oldest_s: None,
        in_vain_s: None,
        seen_s: Some(20),
    };
    Health {
        party: "agentschap-ii".parse().unwrap(),
        role: "sealer".into(),
        at: Time(0),
        clock_held: false,
        set_back: 0,
        unheard: 0,
        versions: 0,
        asked: 0,
        clocks: count(&[], Side::Agency, Time(0)),
        transfers: BTreeMap::from([("Closed".into(), 3), ("Failed".into(), 1)]),
        stuck: 0,
        gates: vec![gate],
    }
}

#[test]
fn nothing_to_do_is_in_order_also_with_what_failed_long_ago() {
    assert_eq!((well().level(), well().findings().len()), (Level::Ok, 0));
    assert_eq!(well().clocks.len(), Clock::ALL.len(), "no clock goes missing from a graph");
}

#[test]
fn each_trouble_has_its_level_and_words_and_the_worst_comes_first() {
    let with = |change: fn(&mut Health)| {
        let mut health = well();
        change(&mut health);
        health
    };
    let due = |health: &mut Health, clock, (overdue, soon): (u64, u64)| {
        let line = health.clocks.iter_mut().find(|it| it.clock == clock).unwrap();
        (line.overdue, line.soon) = (overdue, soon);
    };
    for (health, level) in [
        (with(|it| it.clock_held = true), Level::Critical),
        (with(|it| it.set_back = 1), Level::Critical),
        (with(|it| it.unheard = 1), Level::Warning),
        (with(|it| it.stuck = 2), Level::Critical),
        (with(|it| it.versions = 1), Level::Critical),
        (with(|it| it.asked = 1), Level::Warning),
        (with(|it| it.clocks.iter_mut().for_each(|it| it.lapsed = 1)), Level::Warning),
        (with(|it| it.gates[0].seen_s = None), Level::Warning),
        (with(|it| it.gates[0].seen_s = Some(301)), Level::Warning),
        (with(|it| it.gates[0].oldest_s = Some(3601)), Level::Warning),
        (with(|it| it.gates[0].oldest_s = Some(3600)), Level::Ok),
        (with(|it| it.gates[0].in_vain_s = Some(901)), Level::Warning),
        (with(|it| it.gates[0].in_vain_s = Some(900)), Level::Ok),
    ] {
        assert_eq!(health.level(), level, "{health:?}");
        let first = health.findings().into_iter().next();
        let told =
            first.as_ref().is_some_and(|it| it.words.nl != it.words.en && !it.code.is_empty());
        assert_eq!(told, level != Level::Ok, "{health:?}");
    }
    let mut health = well();
    due(&mut health, Clock::Quality, (0, 1));
    assert_eq!(health.level(), Level::Warning);
    health.gates[0].seen_s = None;
    due(&mut health, Clock::Quality, (1, 1));
    assert_eq!(health.level(), Level::Critical);
    let found = health.findings();
    let late = "1 te laat: Fout in de gegevens behandelen [quality] (sluis quality answer)";
    assert_eq!((found[0].code.as_str(), found[0].words.nl.as_str()), ("overdue", late));
    let levels: Vec<_> = found.into_iter().map(|it| it.level).collect();
    assert_eq!(levels, [Level::Critical, Level::Warning, Level::Warning]);
    let mut theirs = well();
    due(&mut theirs, Clock::Attestation, (5, 0));
    assert_eq!(theirs.level(), Level::Ok, "what the other party must do is counted, no alarm");
    due(&mut theirs, Clock::RemovalAlarm, (1, 0));
    assert_eq!(theirs.level(), Level::Critical, "but for a file that stays");
}

#[test]
fn deadlines_are_counted_by_clock() {
    let start = civil::morning(jiff::civil::date(2026, 3, 2));
    let met = Deadline::new(Clock::Quality, "a", start).meet(start);
    let late = Deadline::new(Clock::Quality, "b", start);
    let near = Deadline::new(Clock::Quality, "c", start.plus_days(10));
    let now = start.plus_days(22);
    let deadlines = [met, late, near].map(|it| ("mechelen".parse().unwrap(), it));
    let counts = count(&deadlines, Side::Agency, now);
    let quality = counts.iter().find(|it| it.clock == Clock::Quality).unwrap();
    assert_eq!((quality.overdue, quality.soon, quality.ours), (1, 1, true));
    assert_eq!(counts.iter().map(|it| it.overdue + it.soon + it.lapsed).sum::<u64>(), 2);
    // What has ended is no lateness; where no list leaves for it, it is told.
    let ended = [Clock::Rehearsal, Clock::Backups].map(|it| Deadline::new(it, "d", start));
    let ended = ended.map(|it| ("mechelen".parse().unwrap(), it));
    let counts = count(&ended, Side::Agency, start.plus_days(40));
    let lapsed: Vec<_> = counts.iter().filter(|it| it.lapsed > 0).map(|it| it.clock).collect();
    assert_eq!(lapsed, [Clock::Rehearsal]);
    assert_eq!(counts.iter().map(|it| it.overdue).sum::<u64>(), 0);
}
