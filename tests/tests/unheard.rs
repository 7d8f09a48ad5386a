//! Before a core has heard the other party once since its start, nobody knows whether its store is an older one: no list
//! moves on, and none ends. What tells or destroys goes on.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::process::Command;
use std::sync::Arc;

use serde_json::json;
use sluis_core::agreement::Side::{Agency, Municipality};
use sluis_core::control::Noted;
use sluis_core::id::Time;
use sluis_core::notice::Notice;
use sluis_tests::older::{
    LIST, backup, delivered, holds, is_held, left_since, open, put_back, store,
};
use sluis_tests::sim::Sim;
use sluis_tests::sim::parts::Parts;
use sluis_tests::sim::people::OFFICERS;
use sluis_tests::world::Plan;
use sluis_tests::{World, stderr, stdout, tool, until};

/// A day in autumn.
const START: Time = Time(1_700_000_000_000);

/// That no list moves on at a host yet is said where people and monitoring look.
fn says_that_it_has_not_heard(world: &World, host: &str) {
    let said = "was not read to its end since the start";
    let list = stdout(&world.cli(host, &["list"]));
    assert!(list.contains(said), "{list}");
    let health = world.cli(host, &["health"]);
    assert!(stdout(&health).contains(said), "{}", stdout(&health));
    assert_ne!(health.status.code(), Some(0));
}

#[test]
fn an_older_store_takes_no_drop_and_sends_none_before_the_other_party_was_heard() {
    let mut world = World::running();
    let kept = backup(&mut world, "sealer", "agency");
    delivered(&world, "lijst-1.csv");
    world.stop("carrier");
    put_back(&mut world, "sealer", "agency", &kept);
    world.put("lijst-2.csv".as_ref(), LIST);
    until("the drop to be looked at", || {
        world.log("sealer").contains("a drop waits until the other party was heard").then_some(())
    });
    let own = world.path("own.csv");
    fs::write(&own, LIST).unwrap();
    let sent = world.cli("agency", &["send", "mechelen", own.to_str().unwrap()]);
    assert!(stderr(&sent).contains("not-heard"), "{}", stderr(&sent));
    assert!(
        world.outbox().join("lijst-2.csv").exists() && !world.outbox().join("own.csv").exists()
    );
    assert_eq!(world.codes(), Vec::<String>::new(), "this store knows of none, and takes none");
    says_that_it_has_not_heard(&world, "agency");
    // What tells goes on: nobody is kept from it by a drop zone that is down.
    holds(&world.cli("agency", &["security-info", "mechelen", "--text", "de kom is weg"]));
    world.start("carrier");
    is_held(&world, "agency");
    assert!(world.outbox().join("lijst-2.csv").exists());
}

#[test]
fn what_was_taken_before_a_start_is_sealed_once_the_other_party_was_heard() {
    let mut world = World::running();
    let contacts = world.path("agency/agreements/mechelen.contacts.toml");
    let aside = world.path("contacts.toml");
    fs::rename(&contacts, &aside).unwrap();
    world.stop("sealer");
    world.start("sealer");
    let code = world.send("lijst.csv", LIST);
    world.wait("agency", &code, "Held");
    world.stop("carrier");
    world.stop("sealer");
    fs::rename(&aside, &contacts).unwrap();
    world.start("sealer");
    holds(&world.cli("agency", &["retry", &code]));
    until("it to be tried", || {
        let shown = world.json("agency", &["show", &code]);
        shown.to_string().contains("was not read to its end").then_some(())
    });
    assert_eq!(world.row("agency", &code).unwrap()["state"], "Claimed");
    world.start("carrier");
    world.wait("agency", &code, "Released");
}

#[test]
fn a_keeper_takes_no_line_before_the_other_party_was_heard() {
    let mut world = World::running();
    let code = world.send("lijst.csv", LIST);
    world.wait("agency", &code, "Released");
    let kept = backup(&mut world, "keeper", "municipality");
    open(&world, &code);
    world.wait("agency", &code, "Closed");
    world.stop("fetcher");
    put_back(&mut world, "keeper", "municipality", &kept);
    let known = world.statements("municipality", &code);
    let lines = world.lines(&code).join("\n");
    let refused = world.cli_with("municipality", &["open", &code], &lines);
    assert!(stderr(&refused).contains("not-heard"), "{}", stderr(&refused));
    assert_eq!(world.statements("municipality", &code), known, "nothing was said");
    says_that_it_has_not_heard(&world, "municipality");
    world.start("fetcher");
    is_held(&world, "municipality");
}

/// The host of the agency burned down: a store of before, and nothing beside it that says what left since. What the
/// custodians typed says it.
#[test]
fn a_share_that_was_typed_counts_as_out_whatever_the_store_says() {
    let mut world = World::running();
    let (code, kept) = left_since(&mut world);
    let typed = world.cli_with("municipality", &["open", &code], &world.lines(&code)[0]);
    assert!(stdout(&typed).contains("1 / 2"), "{}\n{}", stdout(&typed), stderr(&typed));
    world.stop("releaser");
    put_back(&mut world, "sealer", "agency", &kept);
    let beside = world.path("agency/bundles");
    fs::remove_dir_all(&beside).unwrap();
    fs::create_dir(&beside).unwrap();
    world.start("carrier");
    until("the typed line to be heard", || {
        let said = world.statements("agency", &code);
        said.iter().any(|kind| kind == "share-accepted").then_some(())
    });
    let row = world.row("agency", &code).unwrap();
    assert_eq!(row["state"], "Releasing", "{row}");
    let shares = world.shares(&code);
    let out = shares.iter().filter(|share| share["exposed"] == true).count();
    assert_eq!(out, 1, "{shares:?}");
}

/// The list was opened since this store was kept, and its bundle is erased: nothing here shows that a share is out.
#[test]
fn an_older_store_ends_nothing_of_which_it_does_not_know_what_became() {
    let mut world = World::running();
    let (code, kept) = left_since(&mut world);
    world.start("carrier");
    open(&world, &code);
    world.wait("agency", &code, "Closed");
    world.stop("carrier");
    put_back(&mut world, "sealer", "agency", &kept);
    // Its last day is over by now, too.
    world.kill("sealer");
    let past = "import sqlite3, sys\n\
        store = sqlite3.connect(sys.argv[1])\n\
        store.execute('UPDATE transfers SET expires = 1')\n\
        store.commit()";
    holds(&tool(Command::new("python3").args(["-c", past]).arg(store(&world, "agency"))));
    let said = |world: &World| world.statements("agency", &code);
    world.start("sealer");
    let before = said(&world);
    world.put("lijst-2.csv".as_ref(), LIST);
    until("the drop to be looked at", || {
        world.log("sealer").contains("a drop waits until the other party was heard").then_some(())
    });
    let refused = world.cli("agency", &["withdraw", &code]);
    assert!(stderr(&refused).contains("not-heard"), "{}", stderr(&refused));
    assert_eq!(world.row("agency", &code).unwrap()["state"], "Releasing");
    assert_eq!(said(&world), before, "nothing was said");
    world.start("carrier");
    is_held(&world, "agency");
}

/// The end at once is said whoever can be heard (R64); what is under way ends as soon as it is known how far that is, and no
/// share leaves between.
#[test]
fn the_end_at_once_is_said_before_the_other_party_was_heard_and_no_share_leaves_after() {
    let run = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    run.block_on(async {
        let plan = Plan::default().over("");
        let mut sim =
            Sim::new(Arc::new(Parts::of(&plan.agreement, &plan.contacts)), START, 1).await;
        sim.settle().await;
        sim.no_releaser = true;
        sim.put("lijst.csv", LIST);
        sim.settle().await;
        let row = sim.rows(Agency).await.remove(0);
        assert_eq!(row.state, "Releasing");
        sim.crash(Agency).await;
        let mut said = Vec::new();
        for person in OFFICERS {
            let word = json!({
                "agreement": sim.parts.name, "code": null, "sort": "terminate-at-once",
                "notice": Notice::of("de lijst werd doorgegeven"), "language": "en",
            });
            said.push(sim.ask::<Noted>(Agency, person, "notice", word).await.unwrap());
        }
        assert!(said[0].row.is_none(), "one person alone");
        assert!(said[1].row.is_some() && said[1].waits && said[1].withdrawn.is_empty());
        assert_eq!(sim.rows(Agency).await[0].state, "Releasing", "nobody knows how far it is");
        sim.no_releaser = false;
        sim.settle().await;
        let states = [sim.rows(Agency).await, sim.rows(Municipality).await];
        assert_eq!(states.map(|rows| rows[0].state.clone()), ["Withdrawn", "Ended"]);
        assert!(sim.net.phones.all().is_empty(), "a share left after the end");
    });
}

/// A drop zone that is gone for good keeps nobody from what is his: two persons who know that the store is no older one go
/// on without the other party, and no share leaves by that.
#[test]
fn two_persons_go_on_where_the_other_party_cannot_be_heard() {
    let mut world = World::running();
    world.stop("carrier");
    world.stop("sealer");
    world.start("sealer");
    world.put("lijst.csv".as_ref(), LIST);
    let go_on = ["restored", "mechelen", "--unheard"];
    let one = world.cli("agency", &go_on);
    assert!(stdout(&one).contains("second person"), "{}{}", stdout(&one), stderr(&one));
    let waiting = stdout(&world.cli("agency", &["waiting"]));
    assert!(waiting.contains("sluis restored mechelen --unheard"), "{waiting}");
    let alone = world.cli("agency", &go_on);
    assert!(stderr(&alone).contains("same-person"), "{}", stderr(&alone));
    says_that_it_has_not_heard(&world, "agency");
    holds(&world.two_persons("agency", &go_on));
    let code = until("the drop to be taken and sealed", || {
        let codes = world.codes();
        let code = codes.first()?;
        (world.row("agency", code)?["state"] == "Sealed").then(|| code.clone())
    });
    let ledger = stdout(&world.cli("agency", &["ledger", "export"]));
    assert!(ledger.contains("\"kind\":\"unheard\""), "{ledger}");
    holds(&world.cli("agency", &["withdraw", &code]));
    let again = world.cli("agency", &go_on);
    assert!(stderr(&again).contains("[heard]"), "{}", stderr(&again));
}

/// The agreement that a gate asks for is its own word.
#[test]
fn a_gate_that_asks_for_any_agreement_gets_no_work_before_the_other_party_was_heard() {
    let mut world = World::running();
    world.stop("carrier");
    let code = world.send("lijst.csv", LIST);
    world.wait("agency", &code, "Sealed");
    world.stop("sealer");
    world.start("sealer");
    let socket = world.path("agency/run/sealer-carrier.sock");
    let asks = |agreement: &str| {
        let ask = format!(
            r#"{{"agreement":{agreement},"lane":"jobs","instance":"00112233445566778899aabbccddeeff","task":0,"ask":{},"wait":0}}"#,
            agreement.len()
        );
        let mut curl = Command::new("curl");
        curl.args(["-s", "-m", "60", "-o", "/dev/null", "-w", "%{http_code}", "--unix-socket"]);
        curl.arg(&socket).args(["-H", "content-type: application/json", "-d", &ask]);
        stdout(&tool(curl.arg("http://core/next")))
    };
    assert_eq!((asks("null"), asks("\"mechelen\"")), ("204".into(), "204".into()));
    // A second one, which waits in the outbox, goes without another look around.
    world.put("lijst-2.csv".as_ref(), LIST);
    until("the drop to be looked at", || {
        world.log("sealer").contains("a drop waits until the other party was heard").then_some(())
    });
    world.start("carrier");
    world.wait("agency", &code, "Released");
    until("the other one to be taken", || (world.codes().len() == 2).then_some(()));
}
