//! Both parties in virtual time: seeds of faults, and years. `SLUIS_SEEDS` and `SLUIS_YEARS` say how many seeds from which
//! (`SLUIS_FIRST`); `SLUIS_SEED` runs one.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::BTreeMap;
use std::fs;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::ToSpan;
use jiff::civil::date;
use sluis_core::agreement::Side;
use sluis_core::deadline::civil::start_of_day;
use sluis_core::id::Time;
use sluis_core::notice::{Notice, Sort};
use sluis_tests::dice::Dice;
use sluis_tests::root;
use sluis_tests::sim::parts::Parts;
use sluis_tests::sim::people::OFFICERS;
use sluis_tests::sim::{DAY, Sim};
use sluis_tests::world::Plan;

/// A day in autumn.
const START: Time = Time(1_700_000_000_000);

/// The agreement over real channels, as it is and as agreements may be.
fn agreements() -> Vec<Arc<Parts>> {
    let plan = Plan::default().over("");
    let other = plan
        .agreement
        .replace("release = \"after-removal\"", "release = \"when-ready\"")
        .replace("[file]\n", "[file]\napproval = \"second-person\"\n");
    assert_ne!(plan.agreement, other);
    [&plan.agreement, &other]
        .map(|agreement| Arc::new(Parts::of(agreement, &plan.contacts)))
        .to_vec()
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn a_list_crosses_the_lock_in_virtual_time() {
    let parts = agreements().remove(0);
    runtime().block_on(async {
        let mut sim = Sim::new(parts, START, 1).await;
        sim.put("lijst.csv", b"een lijst");
        while sim.round().await {}
        let row = sim.rows(Side::Agency).await.pop().unwrap();
        assert_eq!(row.state, "Released", "{row:?}");
        sim.type_lines(&row.code, &row).await;
        while sim.round().await {}
        assert_eq!(sim.rows(Side::Municipality).await[0].state, "Opened");
        assert_eq!(sim.rows(Side::Agency).await[0].state, "Closed");
        assert_eq!(sim.broken().await, Vec::<String>::new());
    });
}

/// Found by seed 679: a drop that was seen before the clock ran back waited until the clock was there again.
#[test]
fn a_clock_that_ran_back_keeps_no_drop_waiting() {
    let parts = agreements().remove(0);
    runtime().block_on(async {
        let mut sim = Sim::new(parts, START, 1).await;
        sim.put("lijst.csv", b"een lijst");
        assert!(sim.look().await, "it settles");
        sim.clocks[0].jump_ms(-365 * DAY);
        sim.settle().await;
        assert_eq!(sim.rows(Side::Agency).await[0].state, "Released");
    });
}

/// Found by seed 430: what was withdrawn while the clock was six years ahead was kept for six years when it was set right,
/// and what was sent then had six years until it expired.
#[test]
fn what_began_in_a_time_that_never_came_ends_in_time() {
    let parts = agreements().remove(0);
    runtime().block_on(async {
        let mut sim = Sim::new(parts, START, 1).await;
        sim.clocks[0].jump_ms(6 * 365 * DAY);
        sim.put("vergeten.csv", b"een lijst");
        sim.settle().await;
        sim.no_releaser = true;
        sim.put("ingetrokken.csv", b"een andere");
        sim.settle().await;
        let rows = sim.rows(Side::Agency).await;
        let waits = rows.iter().find(|row| row.state == "Releasing").unwrap();
        sim.of(Side::Agency, OFFICERS[0], "withdraw", &waits.code).await.unwrap();
        sim.settle().await;
        sim.clocks[0].jump_ms(-6 * 365 * DAY);
        for _ in 0..8 {
            sim.settle().await;
            sim.pass(DAY);
        }
        sim.settle().await;
        let states: Vec<_> = sim.rows(Side::Agency).await.into_iter().map(|it| it.state).collect();
        assert!(states.contains(&"Expired".to_owned()), "{states:?}");
        assert_eq!(fs::read_dir(sim.path("private/mechelen")).unwrap().count(), 0);
    });
}

/// Found by reading, after seed 2838 of ten thousand had left letters unheard: what was said while the clock was a year
/// ahead, by a core that died before it looked at its clock, was brought a year later, and all that it said afterwards
/// waited behind it.
#[test]
fn what_was_said_in_a_time_that_never_came_is_heard_now() {
    let parts = agreements().remove(0);
    runtime().block_on(async {
        let mut sim = Sim::new(parts, START, 1).await;
        sim.settle().await;
        sim.clocks[1].jump_ms(365 * DAY);
        sim.say(Side::Municipality, Sort::SecurityInfo, Notice::of("een")).await.unwrap();
        sim.crash(Side::Municipality).await;
        sim.clocks[1].jump_ms(-365 * DAY);
        sim.say(Side::Municipality, Sort::SecurityInfo, Notice::of("twee")).await.unwrap();
        sim.settle().await;
        assert_eq!(sim.broken().await, Vec::<String>::new());
    });
}

/// What became of transfers, and what was met on the way.
type Tally = BTreeMap<String, usize>;

async fn tally(sim: &Sim) -> Tally {
    let mut tally = Tally::new();
    let mut count = |what: &str, often| *tally.entry(what.to_owned()).or_default() += often;
    sim.rows(Side::Agency).await.iter().for_each(|row| count(&row.state, 1));
    sim.net.met().into_iter().for_each(|(what, often)| count(what, often));
    count("messages", sim.net.phones.all().len());
    tally
}

/// One seed: a storm over a transfer or two, the calm after it, and the rules.
fn storm(parts: &[Arc<Parts>], seed: u64) -> (Vec<String>, Tally) {
    let mut dice = Dice::of(seed);
    let parts = Arc::clone(dice.pick(parts));
    runtime().block_on(async {
        let mut sim = Sim::new(parts, START, seed).await;
        let (moments, drops) = (6 + dice.below(14), 1 + dice.below(2));
        sim.storm(&mut dice, moments, drops).await;
        sim.calm().await;
        (sim.broken().await, tally(&sim).await)
    })
}

/// So many seeds, or the one that is asked for, two at a time; each that breaks a rule is told.
fn each((more, usual): (&str, u64), one: impl Fn(u64) -> (Vec<String>, Tally) + Sync) {
    let asked = number("SLUIS_SEED");
    let first = asked.or(number("SLUIS_FIRST")).unwrap_or(1);
    let seeds = asked.map_or(number(more).unwrap_or(usual), |_| 1);
    let next = AtomicU64::new(first);
    let work = || {
        let (mut failed, mut all) = (Vec::new(), Tally::new());
        loop {
            let seed = next.fetch_add(1, Ordering::SeqCst);
            if seed >= first + seeds || failed.len() > 4 {
                return (failed, all);
            }
            let came = std::panic::catch_unwind(AssertUnwindSafe(|| one(seed)));
            let (broken, tally) =
                came.unwrap_or_else(|_| (vec!["a panic".into()], Tally::default()));
            tally.into_iter().for_each(|(what, often)| *all.entry(what).or_default() += often);
            if !broken.is_empty() {
                failed.push(format!("SLUIS_SEED={seed}\n  {}", broken.join("\n  ")));
            }
        }
    };
    let (mut failed, mut all) = (Vec::new(), Tally::new());
    std::thread::scope(|scope| {
        for thread in [(); 2].map(|()| scope.spawn(work)) {
            let (bad, tally) = thread.join().unwrap();
            failed.extend(bad);
            tally.into_iter().for_each(|(what, often)| *all.entry(what).or_default() += often);
        }
    });
    eprintln!("{seeds} seeds from {first}: {all:?}");
    assert!(failed.is_empty(), "of {seeds} seeds these broke a rule:\n{}", failed.join("\n"));
}

#[test]
fn whatever_a_storm_does_nothing_is_lost_and_nothing_goes_twice() {
    let parts = agreements();
    each(("SLUIS_SEEDS", 250), |seed| storm(&parts, seed));
}

/// What a year under the worked case has: a request, a list and now and then a second or a wrong one, exercises, notices
/// of every sort, and a storm in each month.
fn year(parts: &Arc<Parts>, seed: u64) -> (Vec<String>, Tally) {
    let mut dice = Dice::of(seed);
    runtime().block_on(async {
        let january = Time(start_of_day(date(2021, 1, 1)).0);
        let mut sim = Sim::new(Arc::clone(parts), january, seed).await;
        let mut broken = Vec::new();
        let asked = i64::try_from(dice.below(6)).unwrap();
        for month in 0..12_i64 {
            if month == 0 {
                let _ = sim.say(Side::Municipality, Sort::Profiles, Notice::of("nagezien")).await;
            }
            if month == asked || dice.percent(10) {
                let _ = sim.say(Side::Municipality, Sort::Request, Notice::of("de lijst")).await;
            }
            notices(&sim, &mut dice).await;
            sim.storm(&mut dice, 4, 0).await;
            if month > asked && dice.percent(50) || month == asked {
                sim.put(&format!("lijst-{month}.csv"), &list(&mut dice));
            }
            sim.storm(&mut dice, 12, 0).await;
            sim.set_clocks_right();
            sim.calm().await;
            let now = sim.broken().await;
            broken.extend(now.into_iter().map(|what| format!("month {}: {what}", month + 1)));
            let end = start_of_day(date(2021, 1, 1).saturating_add((month + 1).months()));
            sim.pass((end.0 - sim.now(Side::Agency).0).max(0));
        }
        (broken, tally(&sim).await)
    })
}

/// Some notice or other, by either party.
async fn notices(sim: &Sim, dice: &mut Dice) {
    let side = *dice.pick(&[Side::Agency, Side::Municipality]);
    let found = Some(sim.now(side));
    let codes: Vec<_> = sim.rows(side).await.into_iter().map(|row| row.code).collect();
    let about = (!codes.is_empty()).then(|| *dice.pick(&codes));
    let plain = || Notice::of("een bericht");
    let (sort, notice, about) = match dice.below(6) {
        0 => (Sort::QualityReport, Notice { found, ..plain() }, about),
        1 => (Sort::IncidentReport, Notice { found, ..plain() }, None),
        2 => (Sort::PolicyReview, plain(), None),
        3 => (Sort::Attestation, plain(), None),
        4 => (Sort::InformationRequest, plain(), None),
        _ => (Sort::SecurityInfo, plain(), None),
    };
    if sim.say_of(side, sort, notice, about).await.is_ok() {
        sim.net.count("notice");
    }
}

/// A list of some persons that are nobody, or now and then one that is none.
fn list(dice: &mut Dice) -> Vec<u8> {
    let mut text = "rijksregisternummer;contract;attest\n".to_owned();
    for _ in 0..2 + dice.below(6) {
        let nine = 600_101_990 + 10_000_000 * dice.below(30) + dice.below(9);
        let check = 97 - nine % 97 - usize::from(dice.percent(3));
        text += &format!("{nine}{check:02};{};{}\n", dice.below(2), dice.below(2));
    }
    text.into_bytes()
}

#[test]
fn ten_years_of_storms_leave_both_parties_of_one_mind() {
    let agreement = fs::read_to_string(root().join("config/examples/agreements/mechelen.toml"));
    // Both have published the text.
    let page = "url = \"https://www.mechelen.be/protocol\"\non = \"2020-12-18\"\n\
                digest = \"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"\n";
    let pages = ["agency", "municipality"].map(|side| format!("[publication.{side}]\n{page}"));
    let agreement =
        agreement.unwrap().replacen("[term]\n", &format!("{}[term]\n", pages.concat()), 1);
    let contacts = "salt = \"0123456789abcdef0123456789abcdef\"\n[numbers]\ncustodian-a = \"+32470000001\"\n\
                    custodian-b = \"+32470000002\"\ncustodian-c = \"+32470000003\"\n";
    let parts = Arc::new(Parts::of(&agreement, contacts));
    each(("SLUIS_YEARS", 10), |seed| year(&parts, seed));
}
