//! What a clock that was wrong leaves behind: words of persons, lists that go by themselves, reboots; in virtual time.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::sync::Arc;

use jiff::civil::Date;
use serde_json::{Value, json};
use sluis_core::agreement::Side::{self, Agency, Municipality};
use sluis_core::deadline::civil;
use sluis_core::id::Time;
use sluis_core::notice::{self, Notice, Sort};
use sluis_daemon::clock::Clock;
use sluis_tests::sim::net::Place;
use sluis_tests::sim::parts::Parts;
use sluis_tests::sim::people::OFFICERS;
use sluis_tests::sim::{DAY, Sim};
use sluis_tests::world::Plan;

/// A day in autumn.
const START: Time = Time(1_700_000_000_000);
const HOUR: i64 = DAY / 24;
/// Numbers that belong to nobody, with right check digits.
const LIST: &[u8] =
    b"rijksregisternummer;contract;attest\n85073003328;1;1\n90020199704;1;0\n00010100105;0;0\n";

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

/// As where the municipality hears of it two days later: how long a list lay there counts from when it was sealed.
#[test]
fn the_clocks_of_removal_run_from_the_time_that_was_signed() {
    run(async {
        let mut sim = sim(ALONE).await;
        jump(&mut sim, Agency, -2 * DAY).await;
        let code = opened(&mut sim).await;
        let due: Value = sim.ask(Municipality, OFFICERS[0], "deadlines", ()).await.unwrap();
        let of = |it: &&Value| it["clock"] == "removal-target" && it["subject"] == code.as_str();
        let removal = due.as_array().unwrap().iter().map(|it| &it[1]).find(of).unwrap();
        let [starts, met] = ["starts", "met"].map(|it| removal[it].as_i64().unwrap());
        assert!((2 * DAY..2 * DAY + HOUR).contains(&(met - starts)), "{removal}");
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
        let command = format!("sluis destroy {code} --messages-asked");
        assert_eq!(waiting[0]["wanted"]["command"], command);
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

/// A list leaves here only when it was asked for, once a year.
async fn strict() -> Sim {
    let agreement = include_str!("../../config/examples/demo/mechelen.toml").to_owned();
    let plan = Plan { agreement, ..Plan::default() }.over("");
    let mut sim = Sim::new(Arc::new(Parts::of(&plan.agreement, &plan.contacts)), START, 1).await;
    sim.settle().await;
    sim
}

async fn ask_for_a_list(sim: &mut Sim) {
    sim.say(Municipality, Sort::Request, Notice::of("de lijst van dit jaar")).await.unwrap();
    sim.settle().await;
}

/// All shares are out, and the municipality's word that it opened the list is not heard before its time is over: another one
/// does not leave on that request until it is known that the first was not opened, and not at all where it was.
#[test]
fn r6_a_list_that_may_have_been_opened_when_it_expired_is_the_list_of_its_year() {
    run(async {
        for opens in [true, false] {
            let mut sim = strict().await;
            ask_for_a_list(&mut sim).await;
            sim.put("een.csv", LIST);
            sim.settle().await;
            let row = sim.rows(Agency).await.remove(0);
            sim.net.leaves(Place::Zone, sim.clocks[2].up() + 9 * DAY);
            if opens {
                sim.type_lines(&row.code, &row).await;
                assert_eq!(sim.rows(Municipality).await[0].state, "Opened");
            }
            sim.pass(8 * DAY);
            // What lay in the mailbox is heard before the drop is looked at, and how far the municipality heard is too.
            let became = |mut sim: Sim, name: &'static str| async move {
                sim.settle().await;
                sim.round().await;
                sim.put(name, LIST);
                sim.settle().await;
                let rows = sim.rows(Agency).await;
                let state = |code| rows.iter().find(|it| it.code == code).unwrap().state.clone();
                let first = state(row.code);
                let last = rows.iter().max_by_key(|it| it.since).unwrap();
                let said = (first, last.state.clone(), last.note.en.clone());
                (sim, said)
            };
            let (sim, (first, state, why)) = became(sim, "twee.csv").await;
            assert_eq!((first.as_str(), state.as_str()), ("Expired", "Refused"), "{why}");
            assert!(why.contains("may have been opened"), "{why}");
            sim.pass(2 * DAY);
            let (_, (first, state, why)) = became(sim, "drie.csv").await;
            match opens {
                true => {
                    assert_eq!((first.as_str(), state.as_str()), ("Closed", "Refused"), "{why}");
                    assert!(why.contains("this year's list was delivered"), "{why}");
                }
                false => {
                    assert_eq!((first.as_str(), state.as_str()), ("Expired", "Released"), "{why}");
                }
            }
        }
    });
}

/// The notices of a sort that have an effect at a party.
async fn counting(sim: &Sim, side: Side, sort: &str) -> Vec<Value> {
    let known: Vec<Value> = sim.ask(side, OFFICERS[0], "notices", ()).await.unwrap();
    known.into_iter().filter(|it| it["sort"] == sort && it["void"].is_null()).collect()
}

#[test]
fn who_sets_its_clock_back_gets_one_list_a_year() {
    run(async {
        let mut sim = strict().await;
        let year = 366 * DAY;
        jump(&mut sim, Municipality, -4 * year).await;
        for at in 0..5 {
            ask_for_a_list(&mut sim).await;
            assert_eq!(counting(&sim, Municipality, "request").await.len(), at + 1, "by its clock");
            sim.put(&format!("lijst-{at}.csv"), LIST);
            sim.settle().await;
            jump(&mut sim, Municipality, year).await;
        }
        let requests = counting(&sim, Agency, "request").await;
        assert_eq!(requests.len(), 1, "{requests:?}");
        assert_eq!(requests[0]["at"], START.0 - 14 * DAY, "two weeks on its way at the most");
        assert!(requests[0]["said"].as_i64().unwrap() < START.0 - 4 * year + DAY);
        let left = sim.rows(Agency).await;
        assert_eq!(left.iter().filter(|row| row.state != "Refused").count(), 1, "{left:?}");
        let known: Vec<Value> = sim.ask(Agency, OFFICERS[0], "notices", ()).await.unwrap();
        let why = known[1]["void"]["message"].as_str().unwrap();
        assert!(why.contains("from 2024-10-31 on, and this one counts from 2023-11-14"), "{why}");
    });
}

#[test]
fn a_request_is_no_older_than_what_it_saw_and_as_old_as_it_says_where_clocks_are_right() {
    run(async {
        let mut sim = strict().await;
        sim.say(Agency, Sort::PolicyReview, Notice::of("nagezien")).await.unwrap();
        sim.settle().await;
        jump(&mut sim, Municipality, -10 * DAY).await;
        ask_for_a_list(&mut sim).await;
        let requests = counting(&sim, Agency, "request").await;
        assert_eq!(requests[0]["at"], START.0 - 600_000, "the clocks may differ by ten minutes");
        // Another pair, whose letters are long on their way.
        let mut sim = strict().await;
        sim.say(Municipality, Sort::Request, Notice::of("de lijst")).await.unwrap();
        sim.pass(13 * DAY);
        sim.settle().await;
        for side in [Agency, Municipality] {
            let requests = counting(&sim, side, "request").await;
            assert_eq!((&requests[0]["at"], &requests[0]["said"]), (&json!(START.0), &Value::Null));
        }
    });
}

/// An end by notice on the first day that is possible by its party's clock.
async fn end_by_notice(sim: &Sim, by: Side) -> Date {
    let on = civil::ends_after_notice(sim.now(by).date(), 12);
    sim.say(by, Sort::Terminate, Notice { on: Some(on), ..Notice::of("opzegging") }).await.unwrap();
    on
}

/// The first day without lists, by the clock of the agreement's end; and what the notice says of it.
async fn ends(sim: &Sim, side: Side) -> (Date, Value) {
    let known = counting(sim, side, "terminate").await;
    assert_eq!(known.len(), 1, "it counts at the {side:?}");
    let due: Value = sim.ask(side, OFFICERS[0], "deadlines", ()).await.unwrap();
    let end = due.as_array().unwrap().iter().find(|it| it[1]["clock"] == "notice").unwrap();
    let last = Time(end[1]["due"].as_i64().unwrap()).date();
    (last.tomorrow().unwrap(), known[0]["ends"].clone())
}

#[test]
fn who_sets_its_clock_back_takes_nothing_off_the_term_of_notice() {
    run(async {
        for by in [Agency, Municipality] {
            let mut sim = strict().await;
            jump(&mut sim, by, -366 * DAY).await;
            let on = end_by_notice(&sim, by).await;
            assert!(on <= START.date(), "its year was over");
            sim.settle().await;
            let whole = civil::ends_after_notice(START.plus_ms(-14 * DAY).date(), 12);
            assert_eq!(ends(&sim, by.other()).await, (whole, json!(whole)), "{by:?}");
            // Whoever says it goes by its own word.
            assert_eq!(ends(&sim, by).await, (on, Value::Null), "{by:?}");
            if by == Municipality {
                jump(&mut sim, by, 366 * DAY).await;
                let refused = sim.say(by, Sort::Request, Notice::of("nog een lijst")).await;
                let why = refused.unwrap_err().words.en;
                assert!(why.contains("ended on"), "{why}");
            }
        }
    });
}

#[test]
fn an_end_by_notice_that_is_two_weeks_on_its_way_is_on_the_same_day_at_both_parties() {
    run(async {
        for (by, days) in [(Agency, 13), (Municipality, 13), (Agency, 15), (Municipality, 15)] {
            let mut sim = strict().await;
            let on = end_by_notice(&sim, by).await;
            sim.pass(days * DAY);
            sim.settle().await;
            assert_eq!(ends(&sim, by).await, (on, Value::Null));
            let later = on.saturating_add(jiff::ToSpan::days(1));
            let (day, told) = if days < 14 { (on, Value::Null) } else { (later, json!(later)) };
            assert_eq!(ends(&sim, by.other()).await, (day, told), "{by:?}, after {days} days");
        }
    });
}

#[test]
fn what_was_heard_by_a_clock_that_was_ahead_counts_from_its_own_day_when_that_is_set_right() {
    run(async {
        let mut sim = strict().await;
        jump(&mut sim, Agency, 400 * DAY).await;
        ask_for_a_list(&mut sim).await;
        jump(&mut sim, Agency, -400 * DAY).await;
        sim.say(Agency, Sort::PolicyReview, Notice::of("nagezien")).await.unwrap();
        sim.pass(366 * DAY);
        ask_for_a_list(&mut sim).await;
        let requests = counting(&sim, Agency, "request").await;
        let days: Vec<i64> = requests.iter().map(|it| it["at"].as_i64().unwrap()).collect();
        assert_eq!(days, [START.0, START.0 + 366 * DAY]);
    });
}

#[test]
fn a_report_counts_though_its_partys_clock_is_ahead() {
    run(async {
        for minutes in [5, 30, 90] {
            let mut sim = strict().await;
            jump(&mut sim, Municipality, minutes * HOUR / 60).await;
            let found = Some(sim.now(Municipality).plus_ms(-1000));
            for (report, rest) in [
                (Sort::IncidentReport, [Sort::IncidentUpdate, Sort::IncidentClose]),
                (Sort::QualityReport, [Sort::QualityAnswer, Sort::QualityClose]),
            ] {
                let notice = Notice { found, ..Notice::of("iemand zag het scherm") };
                let case = sim.say(Municipality, report, notice).await.unwrap();
                sim.settle().await;
                for sort in rest {
                    let side =
                        if sort.by().contains(&Municipality) { Municipality } else { Agency };
                    let notice = Notice { case: Some(case), ..Notice::of("wachtwoord vernieuwd") };
                    sim.say(side, sort, notice).await.unwrap();
                    sim.settle().await;
                }
                for side in [Agency, Municipality] {
                    for sort in [report, rest[0], rest[1]] {
                        let known = counting(&sim, side, sort.kind()).await;
                        assert_eq!(known.len(), 1, "{minutes}: {sort:?} at the {side:?}");
                        assert_eq!(known[0]["late"], false);
                    }
                    let due: Value = sim.ask(side, OFFICERS[0], "deadlines", ()).await.unwrap();
                    let of = notice::short(&case);
                    let due = due.as_array().unwrap().iter().find(|it| it[1]["subject"] == of);
                    assert!(!due.unwrap()[1]["met"].is_null(), "{minutes}: {due:?}");
                }
            }
        }
    });
}
