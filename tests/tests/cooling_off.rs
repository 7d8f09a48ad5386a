//! A custodian's number that changed, in virtual time: how long a list waits, and that somebody tried the new one.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::sync::Arc;

use serde_json::json;
use sluis_core::agreement::Side;
use sluis_core::control::{NumberWord, Row};
use sluis_core::exercise;
use sluis_core::id::Time;
use sluis_tests::sim::parts::Parts;
use sluis_tests::sim::people::OFFICERS;
use sluis_tests::sim::{DAY, Sim};
use sluis_tests::world::Plan;

/// A day in autumn.
const START: Time = Time(1_700_000_000_000);
const MINUTE: i64 = 60_000;
/// The number of an in `Plan::over`, and a new one.
const OLD: &str = "+32470000000";
const NEW: &str = "+32470000009";

/// The demonstration's agreement over telephones; with exercises, or without.
fn plan(rehearsed: bool) -> Plan {
    let mut plan = Plan::default().over("");
    if rehearsed {
        plan.agreement = plan.agreement.replace("unasked = \"", "# unasked = \"");
    }
    plan
}

/// The contacts with the new number, and who is told of it.
fn changed(contacts: &str) -> String {
    let numbers = contacts.replace(OLD, NEW);
    format!("call = \"02 555 00 00\"\n{numbers}\n[former]\nan = \"{OLD}\"\n")
}

/// Somebody offers a drop; where it stands when nobody has anything to do any more.
async fn offered(sim: &mut Sim, name: &str, content: &[u8]) -> Row {
    let known: Vec<_> = sim.rows(Side::Agency).await.into_iter().map(|row| row.code).collect();
    sim.put(name, content);
    sim.settle().await;
    let mut rows = sim.rows(Side::Agency).await.into_iter();
    rows.find(|row| !known.contains(&row.code)).unwrap()
}

/// A drop goes the whole way, and each custodian types.
async fn goes(sim: &mut Sim, name: &str, content: &[u8]) {
    let row = offered(sim, name, content).await;
    assert_eq!(row.state, "Released", "{row:?}");
    sim.type_lines(&row.code, &row).await;
    sim.settle().await;
    sim.pass(MINUTE);
}

/// Somebody offers what is held again; what it is held for now.
async fn held(sim: &mut Sim, list: &Row) -> String {
    let word = json!({ "code": list.code, "share": null });
    let _: serde_json::Value = sim.ask(Side::Agency, OFFICERS[0], "retry", word).await.unwrap();
    sim.settle().await;
    let row = sim.rows(Side::Agency).await.into_iter().find(|row| row.code == list.code).unwrap();
    match row.state.as_str() {
        "Held" => row.note.en,
        other => other.to_owned(),
    }
}

/// Two persons say that the number of an is right; from when on it is used.
async fn confirmed(sim: &Sim) -> Time {
    let word = json!({ "agreement": "mechelen", "custodian": "an", "old_is_dead": false });
    let mut from = None;
    for uid in OFFICERS {
        let said: NumberWord = sim.ask(Side::Agency, uid, "number", &word).await.unwrap();
        from = said.from;
    }
    from.unwrap()
}

/// Two persons say that the agency's clock is right.
async fn believed(sim: &Sim) {
    for uid in OFFICERS {
        let _: serde_json::Value = sim.ask(Side::Agency, uid, "clock", ()).await.unwrap();
    }
}

/// A list has gone to the numbers of the plan.
async fn begun() -> (Sim, Plan) {
    let plan = plan(false);
    let parts = Arc::new(Parts::of(&plan.agreement, &plan.contacts));
    let mut sim = Sim::new(parts, START, 1).await;
    goes(&mut sim, "een.csv", b"een").await;
    (sim, plan)
}

/// Where the last message of an's channel went.
fn last_to(sim: &Sim) -> String {
    let all = sim.net.phones.all();
    all.iter().rfind(|sms| sms.channel.as_str() == "sms-a").unwrap().to.clone()
}

fn run(test: impl Future<Output = ()>) {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap().block_on(test);
}

#[test]
fn a_new_number_is_used_a_day_after_two_persons_and_not_a_minute_before_whatever_a_clock_says() {
    run(async {
        let (mut sim, plan) = begun().await;
        assert_eq!(last_to(&sim), OLD);
        sim.reach_at(&changed(&plan.contacts)).await;
        let list = offered(&mut sim, "twee.csv", b"twee").await;
        assert!(held(&mut sim, &list).await.contains("the old one was told. Two persons confirm"));
        assert_eq!(last_to(&sim), OLD, "the word");
        // A day from the later of the two: these hours count for nothing.
        sim.pass(DAY / 4);
        let from = confirmed(&sim).await;
        assert_eq!(from, sim.now(Side::Agency).plus_ms(DAY));
        sim.pass(DAY - MINUTE);
        assert!(held(&mut sim, &list).await.contains("is used from"), "23 hours and 59 minutes");
        // It is only a clock that says so.
        sim.clocks[0].jump_ms(DAY);
        assert!(held(&mut sim, &list).await.contains("is used from"), "a clock that jumped");
        sim.clocks[0].jump_ms(-DAY);
        assert!(held(&mut sim, &list).await.contains("is used from"), "and back");
        assert_eq!(last_to(&sim), OLD);
        sim.pass(MINUTE);
        assert_eq!(held(&mut sim, &list).await, "Released");
        assert_eq!(last_to(&sim), NEW);
        sim.type_lines(&list.code, &list).await;
        sim.settle().await;
        assert_eq!(sim.broken().await, Vec::<String>::new());
    });
}

#[test]
fn what_was_confirmed_by_a_clock_that_was_years_ahead_waits_a_day_and_no_longer() {
    run(async {
        let (mut sim, plan) = begun().await;
        sim.clocks[0].jump_ms(700 * DAY);
        sim.settle().await;
        sim.reach_at(&changed(&plan.contacts)).await;
        let list = offered(&mut sim, "twee.csv", b"twee").await;
        assert_eq!(list.state, "Held", "the word to the old number has left: {list:?}");
        assert_eq!(last_to(&sim), OLD);
        confirmed(&sim).await;
        sim.clocks[0].jump_ms(-700 * DAY);
        assert!(held(&mut sim, &list).await.contains("is used from"));
        sim.pass(DAY - MINUTE);
        assert!(held(&mut sim, &list).await.contains("is used from"), "23 hours and 59 minutes");
        sim.pass(MINUTE);
        assert_eq!(held(&mut sim, &list).await, "Released");
        assert_eq!(last_to(&sim), NEW);
    });
}

#[test]
fn a_clock_that_was_behind_for_a_moment_makes_the_wait_no_shorter() {
    run(async {
        let (mut sim, plan) = begun().await;
        sim.reach_at(&changed(&plan.contacts)).await;
        let list = offered(&mut sim, "twee.csv", b"twee").await;
        confirmed(&sim).await;
        sim.clocks[0].jump_ms(-2 * DAY);
        assert!(held(&mut sim, &list).await.contains("is used from"), "behind");
        sim.clocks[0].jump_ms(2 * DAY);
        sim.settle().await;
        // Two persons believe it again, and rightly.
        believed(&sim).await;
        sim.settle().await;
        assert!(held(&mut sim, &list).await.contains("is used from"), "that day has not passed");
        assert_eq!(last_to(&sim), OLD);
        sim.pass(DAY);
        assert_eq!(held(&mut sim, &list).await, "Released");
        assert_eq!(last_to(&sim), NEW);
    });
}

#[test]
fn what_was_confirmed_by_a_clock_that_was_behind_waits_its_day_from_when_that_was_set_right() {
    run(async {
        let (mut sim, plan) = begun().await;
        sim.reach_at(&changed(&plan.contacts)).await;
        let list = offered(&mut sim, "twee.csv", b"twee").await;
        assert_eq!(last_to(&sim), OLD, "the word");
        sim.pass(2 * DAY);
        sim.clocks[0].jump_ms(-300 * DAY);
        sim.settle().await;
        confirmed(&sim).await;
        sim.clocks[0].jump_ms(300 * DAY);
        sim.settle().await;
        believed(&sim).await;
        sim.settle().await;
        let note = held(&mut sim, &list).await;
        assert!(note.contains("is used from"), "confirmed minutes ago: {note}");
        assert_eq!(last_to(&sim), OLD);
        sim.pass(DAY);
        assert_eq!(held(&mut sim, &list).await, "Released");
        assert_eq!(last_to(&sim), NEW);
    });
}

#[test]
fn a_list_leaves_to_a_number_that_somebody_tried_and_to_no_other() {
    run(async {
        let plan = plan(true);
        let parts = Arc::new(Parts::of(&plan.agreement, &plan.contacts));
        let mut sim = Sim::new(parts, START, 1).await;
        // Before anything was sent nobody's number is a new one; and an exercise makes none.
        goes(&mut sim, exercise::NAME, exercise::TEXT.as_bytes()).await;
        goes(&mut sim, "een.csv", b"een").await;
        sim.reach_at(&changed(&plan.contacts)).await;
        let list = offered(&mut sim, "twee.csv", b"twee").await;
        confirmed(&sim).await;
        sim.pass(DAY);
        let why = held(&mut sim, &list).await;
        assert!(
            why.contains("not rehearsed within 30 days by an (integratieambtenaar). Rehearse"),
            "{why}"
        );
        assert_eq!(last_to(&sim), OLD, "no share left to a telephone that nobody tried");
        goes(&mut sim, exercise::NAME, exercise::TEXT.as_bytes()).await;
        assert_eq!(held_now(&sim, &list).await, "Released", "it goes on by itself");
        assert_eq!(last_to(&sim), NEW);
        sim.type_lines(&list.code, &list).await;
        sim.settle().await;
        // Back to the number of before, which was tried: that change waits, and no exercise is asked for anew.
        let back = changed(&plan.contacts)
            .replace(OLD, "x")
            .replace(NEW, OLD)
            .replace("\"x\"", &format!("\"{NEW}\""));
        sim.reach_at(&back).await;
        let list = offered(&mut sim, "drie.csv", b"drie").await;
        confirmed(&sim).await;
        sim.pass(DAY);
        assert_eq!(held(&mut sim, &list).await, "Released");
        assert_eq!(last_to(&sim), OLD);
        sim.type_lines(&list.code, &list).await;
        sim.settle().await;
        assert_eq!(sim.broken().await, Vec::<String>::new());
    });
}

async fn held_now(sim: &Sim, list: &Row) -> String {
    let rows = sim.rows(Side::Agency).await;
    rows.into_iter().find(|row| row.code == list.code).unwrap().state
}
