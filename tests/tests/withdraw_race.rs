//! A withdrawal that races with the release, in process, through the real core and the real releaser: one of the two, never
//! half. `SLUIS_RACES` says how often.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::VecDeque;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use sluis_core::agreement::Side;
use sluis_core::control::{Done, Job, Lane, Row};
use sluis_core::id::{Time, TransferId};
use sluis_daemon::clock::Clock;
use sluis_daemon::desk::Worker;
use sluis_tests::dice::Dice;
use sluis_tests::sim::Sim;
use sluis_tests::sim::parts::{self, Parts};
use sluis_tests::sim::people::OFFICERS;
use sluis_tests::world::Plan;
use tempfile::TempDir;

const START: Time = Time(1_700_000_000_000);
/// How many transfers one world has at the gate.
const AT_THE_GATE: usize = 50;

/// What came of the races: withdrawn with no share out, withdrawn with one, released.
#[derive(Debug, Default)]
struct Came {
    shut: usize,
    one_out: usize,
    released: usize,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_withdrawal_that_races_with_the_release_is_one_of_the_two_and_never_half() {
    let races = std::env::var("SLUIS_RACES").ok().and_then(|text| text.parse().ok());
    let races: usize = races.unwrap_or(1000);
    let plan = Plan::default().over("");
    let parts = Arc::new(Parts::of(&plan.agreement, &plan.contacts));
    let (ready, now) = at_the_gate(&parts).await;
    let mut came = Came::default();
    let mut dice = Dice::of(7);
    for seed in 0..races.div_ceil(AT_THE_GATE) {
        let sim = Sim::over(copy(ready.path()), Arc::clone(&parts), now, seed as u64).await;
        // A core that has just begun lets no share leave before it has heard what lies there.
        while sim.read_feed(Side::Agency).await.unwrap() > 0 {}
        let sim = Arc::new(sim);
        let mut jobs = VecDeque::new();
        let rows = sim.rows(Side::Agency).await;
        // Whose share is next: that transfer's person comes now.
        while let Some(job) = next(&sim, &mut jobs).await {
            let row = rows.iter().find(|row| Some(row.transfer) == job.transfer).unwrap();
            jobs.push_front(job);
            race(&sim, row, &mut jobs, (dice.below(4), dice.below(6)), &mut came).await;
        }
        assert_eq!(sim.net.phones.faults(), Vec::<String>::new());
    }
    eprintln!("{races} races: {came:?}");
    assert!(came.shut > 0 && came.one_out > 0 && came.released > 0, "no race: {came:?}");
}

/// A world whose transfers all wait for their shares to leave, as it lies on the disk.
async fn at_the_gate(parts: &Arc<Parts>) -> (TempDir, Time) {
    let mut sim = Sim::new(Arc::clone(parts), START, 1).await;
    sim.no_releaser = true;
    for at in 0..AT_THE_GATE {
        sim.put(&format!("lijst-{at}.csv"), format!("lijst {at}").as_bytes());
    }
    sim.settle().await;
    let rows = sim.rows(Side::Agency).await;
    assert!(rows.len() == AT_THE_GATE && rows.iter().all(|row| row.state == "Releasing"));
    let now = sim.clocks[0].now();
    (sim.close().await, now)
}

fn copy(from: &Path) -> TempDir {
    fn into(from: &Path, to: &Path) {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap().flatten() {
            match entry.file_type().unwrap().is_dir() {
                true => into(&entry.path(), &to.join(entry.file_name())),
                false => _ = fs::copy(entry.path(), to.join(entry.file_name())).unwrap(),
            }
        }
    }
    let dir = parts::folder();
    into(from, dir.path());
    dir
}

/// How many shares of a transfer were handed to their operators.
fn out(sim: &Sim, transfer: &TransferId) -> usize {
    sim.net.phones.all().iter().filter(|sms| sms.transfer == *transfer).count()
}

/// The releaser hands the shares of one transfer over, while a person withdraws it: once so many shares are out, and a few
/// looks later.
async fn race(
    sim: &Arc<Sim>,
    row: &Row,
    jobs: &mut VecDeque<Job>,
    (after, looks): (usize, usize),
    came: &mut Came,
) {
    let code = row.code;
    let person = {
        let (sim, transfer) = (Arc::clone(sim), row.transfer);
        tokio::spawn(async move {
            let look = async || {
                let _: Value = sim.ask(Side::Agency, OFFICERS[0], "about", ()).await.unwrap();
            };
            while out(&sim, &transfer) < after {
                look().await;
            }
            for _ in 0..looks {
                look().await;
            }
            sim.of(Side::Agency, OFFICERS[0], "withdraw", &code).await
        })
    };
    let gate = {
        let (sim, transfer, mut left) = (Arc::clone(sim), row.transfer, std::mem::take(jobs));
        tokio::spawn(async move {
            // What the core gives of other transfers waits for their turn.
            let mut later = VecDeque::new();
            while let Some(job) = next(&sim, &mut left).await {
                if job.transfer != Some(transfer) {
                    later.push_back(job);
                    break;
                }
                let (id, lease) = (job.id, job.lease);
                let outcome = sim.releaser().work(job).await;
                // Of work that is void no word is taken.
                let _ = sim.releaser().desk.done(&Done { job: id, lease, outcome }).await;
            }
            later.extend(left);
            later
        })
    };
    let withdrawn = person.await.unwrap();
    *jobs = gate.await.unwrap();
    let rows = sim.rows(Side::Agency).await;
    let state = &rows.iter().find(|it| it.transfer == row.transfer).unwrap().state;
    match (withdrawn.is_ok(), state.as_str(), out(sim, &row.transfer)) {
        (true, "Withdrawn", 0) => came.shut += 1,
        (true, "Withdrawn", 1) => came.one_out += 1,
        (false, "Released", 3) => came.released += 1,
        half => panic!("{code}: withdrawn, state, shares out: {half:?} ({withdrawn:?})"),
    }
}

async fn next(sim: &Sim, left: &mut VecDeque<Job>) -> Option<Job> {
    match left.pop_front() {
        Some(job) => Some(job),
        None => sim.releaser().desk.next(None, Lane::Jobs).await.unwrap(),
    }
}
