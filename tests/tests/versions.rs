//! A version of the agreement that waits for two persons: it keeps nobody from an incident or an end, and changes no rule.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::BTreeSet;
use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;
use sluis_core::id::Time;
use sluis_tests::world::Plan;
use sluis_tests::{World, stderr, stdout, until};

/// Installs version 2 at both parties, with these changes, and has each core and gate read it.
fn next_version(world: &mut World, changes: &[(&str, &str)]) {
    install(world, 2, changes);
}

fn install(world: &mut World, version: u32, changes: &[(&str, &str)]) {
    let text = fs::read_to_string(world.path("agency/agreements/mechelen.toml")).unwrap();
    let before = format!("version = {}\n", version - 1);
    assert!(text.contains(&before));
    let mut next = text.replace(&before, &format!("version = {version}\n"));
    for (before, after) in changes {
        assert!(next.contains(before), "{before}");
        next = next.replace(before, after);
    }
    let file = world.path(&format!("v{version}.toml"));
    fs::write(&file, next).unwrap();
    for host in ["agency", "municipality"] {
        let added = world.cli(host, &["agreement", "add", file.to_str().unwrap()]);
        assert!(added.status.success(), "{}", stderr(&added));
    }
    for role in ["sealer", "keeper", "carrier", "fetcher", "releaser"] {
        assert!(world.stop(role).success());
        world.start(role);
    }
    ["agency", "municipality"].iter().for_each(|host| world.has_heard(host));
}

fn says(world: &World, host: &str, words: &[&str]) {
    let said = world.cli(host, words);
    assert!(said.status.success(), "{words:?}: {}", stderr(&said));
}

/// By two persons.
fn two_say(world: &World, host: &str, words: &[&str]) {
    says(world, host, words);
    let second = world.cli_as("61001", host, words);
    assert!(second.status.success(), "{words:?}: {}", stderr(&second));
}

/// Waits until a host has so many notices of this sort, each with an effect.
fn has(world: &World, host: &str, sort: &str, count: usize) {
    until(&format!("{count} {sort} at the {host}"), || {
        let rows = world.json(host, &["notices"]);
        let known = rows.as_array().unwrap().iter().filter(|row| row["sort"] == sort);
        let known: Vec<_> = known.collect();
        assert!(known.iter().all(|row| row["void"].is_null()), "{rows}");
        (known.len() == count).then_some(())
    });
}

const INCIDENT: [&str; 7] =
    ["incident", "report", "mechelen", "--found", "2026-01-05T08:00Z", "--text", "een poging"];

#[test]
fn while_a_version_waits_at_both_an_incident_and_the_end_are_said_under_the_one_that_counts() {
    let mut plan = Plan::default();
    plan.agreement =
        plan.agreement.replace("release = \"after-removal\"", "release = \"when-ready\"");
    let mut world = World::running_as(&plan);
    let code = world.send("een.txt", b"een");
    world.wait("agency", &code, "Removed");
    next_version(&mut world, &[]);
    // Nobody waits for two persons of a text: the 24 hours run over a weekend.
    for (from, to) in [("municipality", "agency"), ("agency", "municipality")] {
        says(&world, from, &INCIDENT);
        has(&world, to, "incident-report", if from == "agency" { 2 } else { 1 });
    }
    // A page is of one text, and that one does not count.
    let (url, page) = ("https://mechelen.example/protocol", world.path("v2.toml"));
    let page = ["--url", url, "--page", page.to_str().unwrap()];
    let publishes =
        world.cli("municipality", &[&["agreement", "publish", "mechelen"], &page[..]].concat());
    assert_eq!(publishes.status.code(), Some(1), "{}", stdout(&publishes));
    assert!(stderr(&publishes).contains("waits for two persons"), "{}", stderr(&publishes));
    // Sealed under the version before, it is withdrawn; no share leaves.
    two_say(&world, "agency", &["terminate", "mechelen", "--at-once", "--reason", "een inbreuk"]);
    has(&world, "municipality", "terminate-at-once", 1);
    assert_eq!(world.row("agency", &code).unwrap()["state"], "Withdrawn");
    world.wait("municipality", &code, "Ended");
    assert!(!world.path("phones").exists(), "no share of it left");
}

#[test]
fn what_is_said_under_a_version_that_waits_here_is_heard_by_the_rules_that_count_and_nothing_is_fetched()
 {
    let mut plan = Plan::default();
    plan.agreement = plan.agreement.replace("notice-months = 12", "notice-months = 24");
    let mut world = World::running_as(&plan);
    next_version(&mut world, &[("notice-months = 24", "notice-months = 12")]);
    two_say(&world, "agency", &["agreement", "approve", "mechelen"]);
    let code = world.send("een.txt", b"een");
    world.wait("agency", &code, "Carried");
    says(&world, "agency", &INCIDENT);
    // The list stands before it in the feed, and does not hold it up.
    has(&world, "municipality", "incident-report", 1);
    assert_eq!(world.row("municipality", &code).unwrap()["state"], "Announced");
    // Thirteen months are enough by the text that waits, and too few by the one that counts.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let day = Time(i64::try_from(now).unwrap()).date();
    let on = day.saturating_add(jiff::ToSpan::months(13)).to_string();
    says(&world, "agency", &["terminate", "mechelen", "--on", &on, "--text", "opzegging"]);
    until("the notice to be heard", || {
        let rows = world.json("municipality", &["notices"]);
        let end =
            rows.as_array().unwrap().iter().find(|row| row["sort"] == "terminate").cloned()?;
        assert!(end["void"].to_string().contains("the term of notice"), "{end}");
        Some(())
    });
    let shown = world.json("municipality", &["show", &code])["waiting"].to_string();
    assert!(shown.contains("waits for two persons"), "{shown}");
    let vault = fs::read_dir(world.path("municipality/vault/mechelen"));
    assert_eq!(vault.map_or(0, Iterator::count), 0, "nothing of it is here");
    two_say(&world, "municipality", &["agreement", "approve", "mechelen"]);
    world.wait("municipality", &code, "Removed");
    // Now that its text counts the notice has its effect, on the day that it names.
    has(&world, "municipality", "terminate", 1);
    for host in ["agency", "municipality"] {
        let due = world.json(host, &["deadlines"]);
        let end = due.as_array().unwrap().iter().find(|it| it["clock"] == "notice").cloned();
        let last = Time(end.unwrap()["due"].as_i64().unwrap()).date();
        assert_eq!(last.tomorrow().unwrap().to_string(), on, "{host}");
    }
    let entries = stdout(&world.cli("municipality", &["ledger", "export"]));
    let after: Vec<_> = entries.lines().filter(|it| it.contains("takes-effect")).collect();
    assert!(after.len() == 1 && after[0].contains(r#""version":"2""#), "{after:?}");
}

#[test]
fn a_list_under_a_version_that_never_counted_here_is_not_fetched_when_a_later_one_counts() {
    let mut world = World::running();
    install(&mut world, 2, &[]);
    two_say(&world, "agency", &["agreement", "approve", "mechelen"]);
    let code = world.send("een.txt", b"een");
    world.wait("agency", &code, "Carried");
    world.wait("municipality", &code, "Announced");
    install(&mut world, 3, &[]);
    for host in ["agency", "municipality"] {
        two_say(&world, host, &["agreement", "approve", "mechelen"]);
    }
    // What is sealed under the one that counts goes its way, past it.
    let other = world.send("twee.txt", b"twee");
    world.wait("municipality", &other, "Removed");
    assert_eq!(world.row("municipality", &code).unwrap()["state"], "Announced");
    for (lang, why) in [
        ("en", "version 2, never counted here, and version 3 does now"),
        ("nl", "versie 2, telde hier nooit, en versie 3 nu wel"),
    ] {
        until("people to read why", || {
            let shown = stdout(&world.cli("municipality", &["--lang", lang, "show", &code]));
            let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
            shown.contains(why).then_some(())
        });
    }
    let kept = fs::read_dir(world.path("municipality/vault/mechelen")).unwrap();
    assert_eq!(kept.count(), 1, "nothing of it is here");
    // The agency takes it back, as any other that nobody fetched.
    says(&world, "agency", &["withdraw", &code]);
    world.wait("municipality", &code, "Ended");
}

/// The clocks of a host: which, of whom or what, until when, and whether met.
fn clocks(world: &World, host: &str) -> BTreeSet<String> {
    let due = world.json(host, &["deadlines"]);
    let row = |it: &Value| format!("{} {} {} {}", it["clock"], it["subject"], it["due"], it["met"]);
    due.as_array().unwrap().iter().map(row).collect()
}

#[test]
fn a_text_that_nobody_approved_moves_no_clock() {
    let mut world = World::running();
    says(&world, "agency", &["processors", "mechelen", "--text", "een andere host"]);
    has(&world, "municipality", "processors", 1);
    let before = ["agency", "municipality"].map(|host| clocks(&world, host));
    assert!(before[0].iter().any(|it| it.starts_with("\"processors\"")), "{before:?}");
    let valid = "channel = \"voice\"\nvalid-until = \"2099-01-05\"\n";
    let changes = [
        ("channel = \"voice\"\n", valid),
        ("renew-after-months = 1200", "renew-after-months = 12"),
    ];
    next_version(&mut world, &changes);
    assert_eq!(["agency", "municipality"].map(|host| clocks(&world, host)), before);
    two_say(&world, "agency", &["agreement", "approve", "mechelen"]);
    let after = clocks(&world, "agency");
    // When the clock was met is known to both: the core said so.
    has(&world, "municipality", "processors", 2);
    let is = |name: &str| after.iter().any(|it| it.starts_with(&format!("\"{name}\"")));
    assert!(is("custodian") && !is("processors"), "{after:?}");
    assert_eq!(clocks(&world, "municipality"), before[1]);
}
