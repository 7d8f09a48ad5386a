//! What a clock that was wrong leaves behind: words of persons, lists that go by themselves, reboots; in virtual time.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::sync::Arc;

use serde_json::{Value, json};
use sluis_core::agreement::Side::{self, Agency, Municipality};
use sluis_core::id::Time;
use sluis_tests::sim::parts::Parts;
use sluis_tests::sim::people::OFFICERS;
use sluis_tests::sim::{DAY, Sim};
use sluis_tests::world::Plan;

/// A day in autumn.
const START: Time = Time(1_700_000_000_000);
const HOUR: i64 = DAY / 24;

async fn sim(retention: &str) -> Sim {
    let plan = Plan::default().over("");
    let with = format!("[retention]\n{retention}");
    let agreement = plan.agreement.replace("[retention]\nyears = 5\n", &with);
    assert!(agreement.contains(&with));
    let mut sim = Sim::new(Arc::new(Parts::of(&agreement, &plan.contacts)), START, 1).await;
    sim.settle().await;
    sim
}

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}

/// Clocks of one party are set, ahead or back, and its core looks.
async fn jump(sim: &mut Sim, side: Side, ms: i64) {
    sim.clocks[side as usize].jump_ms(ms);
    sim.settle().await;
}

async fn clock(sim: &Sim, side: Side, person: usize) -> Value {
    sim.ask(side, OFFICERS[person], "clock", ()).await.unwrap()
}

/// A list that stands in the vault, opened.
async fn opened(sim: &mut Sim) -> String {
    sim.put("lijst.csv", b"een lijst");
    sim.settle().await;
    let row = sim.rows(Agency).await.pop().unwrap();
    sim.type_lines(&row.code, &row).await;
    sim.settle().await;
    row.code.to_string()
}

async fn destroy(sim: &Sim, code: &str, person: usize) -> Value {
    let word = json!({ "code": code, "messages_asked": false });
    sim.ask(Municipality, OFFICERS[person], "destroy", word).await.unwrap()
}

#[test]
fn a_word_asked_while_the_clock_was_ahead_is_gone_when_it_is_set_right() {
    run(async {
        let mut sim = sim("years = 5\n").await;
        let code = opened(&mut sim).await;
        for side in [Agency, Municipality] {
            jump(&mut sim, side, 3 * 365 * DAY).await;
            assert_eq!(clock(&sim, side, 0).await["first"], Value::Null);
        }
        destroy(&sim, &code, 0).await;
        for side in [Agency, Municipality] {
            jump(&mut sim, side, -3 * 365 * DAY).await;
            let waiting: Value = sim.ask(side, OFFICERS[0], "waiting", ()).await.unwrap();
            assert_eq!(waiting, json!([]), "{side:?}");
        }
        // Another jump, and another person alone.
        for side in [Agency, Municipality] {
            jump(&mut sim, side, 2 * DAY).await;
            let word = clock(&sim, side, 1).await;
            assert_eq!((&word["held"], &word["first"]), (&json!(true), &Value::Null), "{side:?}");
        }
        assert_eq!(destroy(&sim, &code, 1).await["first"], Value::Null, "one person alone");
        assert_eq!(sim.rows(Municipality).await[0].state, "Opened");
        // Nor does it come back when that time has come.
        jump(&mut sim, Municipality, -2 * DAY).await;
        sim.pass(3 * 365 * DAY - 2 * DAY);
        sim.settle().await;
        assert_eq!(destroy(&sim, &code, 1).await["first"], Value::Null, "years later");
    });
}

#[test]
fn a_word_on_one_jump_is_none_on_another() {
    run(async {
        let mut sim = sim("years = 5\n").await;
        jump(&mut sim, Agency, 2 * DAY).await;
        assert_eq!(clock(&sim, Agency, 0).await["held"], true);
        jump(&mut sim, Agency, -2 * DAY).await;
        jump(&mut sim, Agency, 2 * DAY).await;
        assert_eq!(clock(&sim, Agency, 1).await["first"], Value::Null, "it was set right between");
        jump(&mut sim, Agency, DAY).await;
        assert_eq!(clock(&sim, Agency, 0).await["first"], Value::Null, "it jumped again between");
        assert_eq!(clock(&sim, Agency, 1).await["held"], false, "two persons on the same one");
    });
}

/// Both machines are up for so long that the core keeps a look.
async fn up(sim: &mut Sim) {
    sim.pass(HOUR / 6);
    sim.settle().await;
}

/// The machine of a party starts again, and says that it was off for so long.
async fn reboot(sim: &mut Sim, side: Side, off: i64) {
    sim.clocks[side as usize].reboot_ms(off);
    sim.crash(side).await;
    sim.settle().await;
    up(sim).await;
}

async fn held(sim: &Sim, side: Side) -> bool {
    let about: Value = sim.ask(side, OFFICERS[0], "about", ()).await.unwrap();
    about["clock_held"] == true
}

#[test]
fn starting_again_and_again_brings_no_clock_ahead() {
    run(async {
        let mut sim = sim("years = 5\n").await;
        for side in [Agency, Municipality] {
            up(&mut sim).await;
            let mut believed = 0;
            while !held(&sim, side).await {
                reboot(&mut sim, side, 23 * HOUR).await;
                believed += 1;
                assert!(believed <= 10, "{side:?}");
            }
            assert_eq!(believed, 4, "{side:?}");
            // More of the same, or dying, makes it believed no more; nor does setting it right by a part.
            reboot(&mut sim, side, HOUR).await;
            jump(&mut sim, side, -2 * DAY).await;
            assert!(held(&sim, side).await);
            jump(&mut sim, side, -2 * DAY).await;
            assert!(!held(&sim, side).await, "set right");
            for _ in 0..4 {
                reboot(&mut sim, side, 23 * HOUR).await;
            }
            assert!(held(&sim, side).await);
            assert_eq!(clock(&sim, side, 0).await["held"], true);
            assert_eq!(clock(&sim, side, 1).await["held"], false);
            reboot(&mut sim, side, 23 * HOUR).await;
            assert!(!held(&sim, side).await, "two persons begin a new count");
        }
    });
}

const ALONE: &str = "years = 1\ndestroy = \"automatic\"\n";

async fn state(sim: &Sim) -> String {
    sim.rows(Municipality).await[0].state.clone()
}

/// What the ledger has of a destruction, in order.
async fn destruction(sim: &Sim, code: &str) -> Vec<String> {
    let shown: Value =
        sim.ask(Municipality, OFFICERS[0], "show", json!({ "code": code })).await.unwrap();
    let timeline = shown["timeline"].as_array().unwrap().iter();
    let kinds = timeline.map(|entry| entry["kind"].as_str().unwrap().to_owned());
    kinds.filter(|kind| kind.starts_with("destr")).collect()
}

#[test]
fn a_list_whose_last_day_passed_unseen_is_announced_a_day_before_it_goes_and_is_late() {
    run(async {
        let mut sim = sim(ALONE).await;
        let code = opened(&mut sim).await;
        // Nobody looks for a year and more; then the keeper comes back.
        sim.pass(400 * DAY);
        sim.settle().await;
        for hours in [23, 0] {
            assert_eq!(state(&sim).await, "Opened", "announced and not destroyed");
            assert_eq!(destruction(&sim, &code).await, ["destruction-planned"]);
            sim.pass(hours * HOUR);
            sim.settle().await;
        }
        sim.pass(HOUR);
        sim.settle().await;
        assert_eq!(state(&sim).await, "Destroyed");
        let all = ["destruction-planned", "destruction-due", "destroy", "destroyed"];
        assert_eq!(destruction(&sim, &code).await, all);
        let due: Value = sim.ask(Municipality, OFFICERS[0], "deadlines", ()).await.unwrap();
        let of = |it: &&Value| it["clock"] == "retention" && it["subject"] == code.as_str();
        let kept = due.as_array().unwrap().iter().map(|it| &it[1]).find(of).unwrap();
        assert!(kept["met"].as_i64() > kept["due"].as_i64(), "late, and it stays: {kept}");
    });
}

#[test]
fn two_persons_see_what_their_word_on_the_clock_does_and_destroy_nothing_unannounced() {
    run(async {
        let mut sim = sim(ALONE).await;
        let code = opened(&mut sim).await;
        let none = json!({ "expire": 0, "announce": 0, "destroy": 0 });
        assert_eq!(clock(&sim, Municipality, 0).await["over"], none, "not held");
        jump(&mut sim, Municipality, 500 * DAY).await;
        for person in [0, 1] {
            assert_eq!(destruction(&sim, &code).await, [""; 0]);
            let told = clock(&sim, Municipality, person).await;
            assert_eq!(told["over"], json!({ "expire": 0, "announce": 1, "destroy": 0 }));
        }
        sim.settle().await;
        assert_eq!(state(&sim).await, "Opened", "announced by their word, and not destroyed");
        assert_eq!(destruction(&sim, &code).await, ["destruction-planned"]);
        jump(&mut sim, Municipality, 2 * DAY).await;
        for person in [0, 1] {
            assert_eq!(state(&sim).await, "Opened", "on a jump alone");
            let told = clock(&sim, Municipality, person).await;
            assert_eq!(told["over"], json!({ "expire": 0, "announce": 0, "destroy": 1 }));
        }
        sim.settle().await;
        assert_eq!(state(&sim).await, "Destroyed");
    });
}

#[test]
fn what_was_announced_in_a_time_that_never_came_is_announced_again() {
    run(async {
        let mut sim = sim(ALONE).await;
        let code = opened(&mut sim).await;
        // Two persons are wrong about the clock, and it is set right later.
        jump(&mut sim, Municipality, 10 * 365 * DAY).await;
        for person in [0, 1] {
            clock(&sim, Municipality, person).await;
        }
        sim.settle().await;
        jump(&mut sim, Municipality, -10 * 365 * DAY).await;
        sim.pass(400 * DAY);
        sim.settle().await;
        assert_eq!(destruction(&sim, &code).await, ["destruction-planned"; 2]);
        assert_eq!(state(&sim).await, "Opened");
        sim.pass(DAY);
        sim.settle().await;
        assert_eq!(state(&sim).await, "Destroyed", "it does not wait for that time");
    });
}

#[test]
fn the_agency_is_told_how_many_transfers_expire_by_a_word_on_the_clock() {
    run(async {
        let mut sim = sim(ALONE).await;
        sim.no_releaser = true;
        for name in ["een.csv", "twee.csv"] {
            sim.put(name, b"een lijst");
        }
        sim.settle().await;
        jump(&mut sim, Agency, 8 * DAY).await;
        for person in [0, 1] {
            let told = clock(&sim, Agency, person).await;
            assert_eq!(told["over"], json!({ "expire": 2, "announce": 0, "destroy": 0 }));
        }
        sim.settle().await;
        let rows = sim.rows(Agency).await;
        assert_eq!(rows.iter().filter(|row| row.state == "Expired").count(), 2, "{rows:?}");
    });
}

/// Nobody confirms: it waits no more after seven days, and the ledger says so.
#[test]
fn what_no_second_person_confirms_lapses_after_seven_days_and_is_entered() {
    run(async {
        let mut sim = sim("years = 5\n").await;
        let code = opened(&mut sim).await;
        destroy(&sim, &code, 0).await;
        let waiting: Value = sim.ask(Municipality, OFFICERS[0], "waiting", ()).await.unwrap();
        assert_eq!(waiting[0]["wanted"]["command"], format!("sluis destroy {code}"));
        sim.pass(7 * DAY + HOUR);
        sim.settle().await;
        let waiting: Value = sim.ask(Municipality, OFFICERS[0], "waiting", ()).await.unwrap();
        assert_eq!(waiting, json!([]));
        let word = json!({ "code": code });
        let shown: Value = sim.ask(Municipality, OFFICERS[0], "show", word).await.unwrap();
        let timeline = shown["timeline"].as_array().unwrap();
        assert!(timeline.iter().any(|it| it["kind"] == "destroy-lapsed"), "{shown}");
    });
}
