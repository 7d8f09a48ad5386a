//! Seeds: a squall, a storm, a year, each with the calm after it and the rules; and thousands of them in a run.
//!
//! Each is begun here, in a runtime of its own: what is asynchronous is compiled with this crate, which is optimised.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::ToSpan;
use jiff::civil::date;
use sluis_core::agreement::Side;
use sluis_core::control::NoticeRow;
use sluis_core::deadline::civil::start_of_day;
use sluis_core::id::{Time, TransferCode};
use sluis_core::notice::{Notice, Sort};

use crate::Sim;
use crate::dice::Dice;
use crate::net::ZONE_AWAY;
use crate::parts::Parts;
use crate::people::OFFICERS;
use crate::storm::{KINDS, WRONG_CLOCK, YEARS_AHEAD};

/// A municipality asked for a list.
const ASKED: &str = "request said";
/// Any other notice was said.
const SAID: &str = "notice said";
/// A notice of either sort was heard by the other party.
const HEARD: &str = "notices heard";

/// A day in autumn.
pub const START: Time = Time(1_700_000_000_000);

/// What a seed broke, and what it met.
pub type Came = (Vec<String>, Tally);

/// Time alone: nothing here waits for a socket.
#[must_use]
pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap()
}

/// What became of transfers, and what was met on the way.
pub type Tally = BTreeMap<String, usize>;

async fn tally(sim: &Sim) -> Tally {
    let mut tally = Tally::new();
    let mut count = |what: &str, often| *tally.entry(what.to_owned()).or_default() += often;
    sim.rows(Side::Agency).await.iter().for_each(|row| count(&row.state, 1));
    sim.net.met().into_iter().for_each(|(what, often)| count(what, often));
    count("messages", sim.net.phones.all().len());
    for side in [Side::Agency, Side::Municipality] {
        let own = &sim.parts.terms().agreement.party(side).id;
        let rows: Vec<NoticeRow> = sim.ask(side, OFFICERS[0], "notices", ()).await.unwrap();
        count(HEARD, rows.iter().filter(|row| row.by != *own).count());
    }
    tally
}

/// One seed: a storm over a transfer or two, the calm after it, and the rules.
#[must_use]
pub fn storm(parts: &[Arc<Parts>], seed: u64) -> Came {
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

/// How long the way of a list is, in rounds of everybody; beyond it nothing is left to do.
const WAY: usize = 12;

/// A short seed: one file, a moment or a few of storm somewhere on its way, the calm after it, and the same rules.
#[must_use]
pub fn squall(parts: &[Arc<Parts>], seed: u64) -> Came {
    let mut dice = Dice::of(seed);
    let parts = Arc::clone(dice.pick(parts));
    runtime().block_on(async {
        let mut sim = Sim::new(parts, START, seed).await;
        let (rounds, moments) = (dice.below(WAY), 1 + dice.below(4));
        sim.way(&mut dice, rounds).await;
        sim.storm(&mut dice, moments, 1).await;
        let expired = sim.expired().await;
        sim.calm().await;
        let mut broken = sim.broken().await;
        // Nothing is away for as long as a list has: work that was lost ends so, and what is judged by a clock that is
        // ahead by as much.
        let excused = sim.net.met().contains_key(YEARS_AHEAD);
        for id in sim.expired().await.difference(&expired).filter(|_| !excused) {
            broken.push(format!("{id:?} expired in calm weather: {:?}", sim.net.met()));
        }
        (broken, tally(&sim).await)
    })
}

/// What a year under the worked case has: a request, a list and now and then a second or a wrong one, exercises, notices
/// of every sort, and a storm in each month.
#[must_use]
pub fn year(parts: &Arc<Parts>, seed: u64) -> Came {
    let mut dice = Dice::of(seed);
    runtime().block_on(async {
        let january = Time(start_of_day(date(2021, 1, 1)).0);
        let mut sim = Sim::new(Arc::clone(parts), january, seed).await;
        let mut broken = Vec::new();
        let asked = i64::try_from(dice.below(6)).unwrap();
        for month in 0..12_i64 {
            if month == 0 {
                say(&sim, Side::Municipality, Sort::Profiles, Notice::of("nagezien"), None).await;
            }
            if month == asked || dice.percent(10) {
                say(&sim, Side::Municipality, Sort::Request, Notice::of("de lijst"), None).await;
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
    say(sim, side, sort, notice, about).await;
}

/// Says it, and counts whether it was taken.
async fn say(sim: &Sim, side: Side, sort: Sort, notice: Notice, about: Option<TransferCode>) {
    let said = sim.say_of(side, sort, notice, about).await;
    sim.net.count(match (sort, said.is_ok()) {
        (Sort::Request, true) => ASKED,
        (Sort::Request, false) => "request refused",
        (_, true) => SAID,
        (_, false) => "notice refused",
    });
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

/// What came at least in a whole run, and how often.
pub type Floor = (&'static str, usize);

/// What ten years hold at the least: a third of what is usual, so that only a rule that lets less happen falls below. What
/// is seldom in them (an operator's odd answers) comes in storms.
pub const TEN_YEARS: [Floor; 17] = [
    ("Closed", 30),
    ("Refused", 10),
    (ASKED, 5),
    (SAID, 40),
    (HEARD, 40),
    ("messages", 90),
    ("request kept back", 150),
    ("request cut", 80),
    ("answer lost", 200),
    ("answer cut", 80),
    ("request once more", 40),
    ("death on the way", 15),
    ("core dies", 70),
    ("gates die", 50),
    ("drop zone dies", 25),
    (ZONE_AWAY, 700),
    (WRONG_CLOCK, 25),
];

/// Every kind of fault comes in a whole run of storms.
#[must_use]
pub fn every_fault() -> Vec<Floor> {
    KINDS.map(|kind| (kind, 1)).into()
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

/// So many seeds, or the one that is asked for, two at a time; each that breaks a rule is told. A whole run has met at least
/// what is asked for: one in which nothing happened breaks no rule.
pub fn each((more, usual): (&str, u64), floors: &[Floor], one: impl Fn(u64) -> Came + Sync) {
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
    let came = |what: &str| all.get(what).copied().unwrap_or_default();
    let seldom: Vec<_> = floors
        .iter()
        .filter(|(what, floor)| came(what) < *floor)
        .map(|(what, floor)| format!("{what}: {} of {floor}", came(what)))
        .collect();
    assert!(seeds < usual || seldom.is_empty(), "in {seeds} seeds came too seldom: {seldom:?}");
}
