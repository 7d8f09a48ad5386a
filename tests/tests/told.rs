//! What people are told, so that they can act on it: whose a clock is where a host has several agreements, what waits for
//! a second person and what that one types, and what came too late.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;
use sluis_tests::world::Plan;
use sluis_tests::{World, stderr, stdout};

/// The demonstration's agreement as it is.
fn strict() -> Plan {
    let agreement = include_str!("../../config/examples/demo/mechelen.toml").to_owned();
    Plan { agreement, ..Plan::default() }
}

/// What a verb shows to a person, with blanks as one.
fn shown(world: &World, host: &str, arguments: &[&str]) -> String {
    let said = world.cli(host, arguments);
    assert!(said.status.success(), "{arguments:?}: {}", stderr(&said));
    stdout(&said).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn of_two_agreements_every_clock_and_word_says_whose_it_is_and_either_is_shown_alone() {
    let mut world = World::make(&strict());
    let contacts = world.path("mechelen.contacts.toml");
    for host in ["agency", "municipality"] {
        world.adds_second(host, "gent", &contacts);
    }
    world.start("sealer");
    let due = world.json("agency", &["deadlines"]);
    let due = due.as_array().unwrap();
    let of = |rows: &[Value], name: &str| rows.iter().filter(|it| it["agreement"] == name).count();
    let (all, half) = (due.len(), due.len() / 2);
    assert!(half > 3 && of(due, "mechelen") == half && of(due, "gent") == half, "{due:?}");
    // A calendar keeps one of two events with one UID.
    let calendar = stdout(&world.cli("agency", &["deadlines", "--ics"])).replace("\r\n ", "");
    let lines = |name: &str| calendar.lines().filter(|it| it.starts_with(name)).collect::<Vec<_>>();
    let numbers: BTreeSet<&str> = lines("UID:").into_iter().collect();
    assert_eq!((lines("UID:").len(), numbers.len()), (all, all), "{calendar}");
    let titles = lines("SUMMARY:");
    for name in ["(mechelen)", "(gent)"] {
        assert_eq!(titles.iter().filter(|it| it.ends_with(name)).count(), half, "{titles:?}");
    }
    let table = shown(&world, "agency", &["--lang", "nl", "deadlines"]);
    assert!(table.contains("OVEREENKOMST") && table.contains(" gent "), "{table}");
    let only = world.json("agency", &["deadlines", "--agreement", "gent"]);
    assert_eq!(
        (only.as_array().unwrap().len(), of(only.as_array().unwrap(), "gent")),
        (half, half)
    );
    let table = shown(&world, "agency", &["deadlines", "--agreement", "gent"]);
    assert!(table.contains(" gent ") && !table.contains(" mechelen "), "{table}");
    for name in ["gent", "mechelen"] {
        let _ = world.json("agency", &["reviewed", name, "--text", "beleid herzien"]);
    }
    let only = world.json("agency", &["notices", "--agreement", "gent"]);
    assert_eq!((only.as_array().unwrap().len(), of(only.as_array().unwrap(), "gent")), (1, 1));
    assert_eq!(world.json("agency", &["notices"]).as_array().unwrap().len(), 2);
    for role in ["dropzone", "carrier"] {
        world.start(role);
    }
    let code = world.send("een.txt", b"een");
    let listed = |name: &str| stdout(&world.cli("agency", &["list", "--agreement", name]));
    assert!(listed("mechelen").contains(&code), "{}", listed("mechelen"));
    assert!(!listed("gent").contains(&code), "{}", listed("gent"));
    for verb in ["deadlines", "notices", "list"] {
        let none = world.cli("agency", &[verb, "--agreement", "luik"]);
        assert_eq!(none.status.code(), Some(1), "{verb}: {}", stdout(&none));
        assert!(stderr(&none).contains("luik"), "{verb}: {}", stderr(&none));
        for lang in ["nl", "en"] {
            let help = stdout(&world.cli("agency", &["--lang", lang, verb, "--help"]));
            assert!(help.contains(&format!("sluis {verb} --agreement mechelen")), "{help}");
        }
    }
}

/// What `health` finds, and how it ends.
fn health(world: &World, host: &str) -> (Option<i32>, Vec<String>) {
    let said = world.cli(host, &["--json", "health"]);
    let health: Value = serde_json::from_slice(&said.stdout).unwrap();
    let found = health["findings"].as_array().unwrap().iter();
    (said.status.code(), found.map(|it| it["code"].as_str().unwrap().to_owned()).collect())
}

#[test]
fn a_version_that_waits_for_two_persons_is_an_alarm_and_stands_wherever_people_look() {
    let mut world = World::make(&strict());
    world.start("sealer");
    let listed = |world: &World| shown(world, "agency", &["agreement", "list"]);
    assert!(listed(&world).contains("mechelen 1 yes"), "{}", listed(&world));
    let text = fs::read_to_string(world.path("agency/agreements/mechelen.toml")).unwrap();
    let file = world.path("v2.toml");
    fs::write(&file, text.replace("version = 1\n", "version = 2\n")).unwrap();
    let added = world.cli("agency", &["agreement", "add", file.to_str().unwrap()]);
    assert!(added.status.success(), "{}", stderr(&added));
    assert!(listed(&world).contains("mechelen 2 no: restart the core"), "{}", listed(&world));
    world.stop("sealer");
    assert!(listed(&world).contains("2 ? the core does not answer"), "{}", listed(&world));
    world.start("sealer");
    let waits = "note: version 2 of mechelen waits for two persons";
    assert!(listed(&world).contains("mechelen 2 no: waits for two persons"), "{}", listed(&world));
    assert_eq!(world.json("agency", &["agreement", "list"])[0]["counts"], false);
    assert!(shown(&world, "agency", &["config", "check"]).contains(waits));
    let (code, found) = health(&world, "agency");
    assert!(code == Some(2) && found.contains(&"version-waits".to_owned()), "{found:?}");
    let table = shown(&world, "agency", &["waiting"]);
    for part in ["mechelen v2", "nobody yet", "confirm with: sluis agreement approve mechelen"] {
        assert!(table.contains(part), "{part}: {table}");
    }
    let approve = ["agreement", "approve", "mechelen"];
    assert!(world.cli("agency", &approve).status.success());
    let rows = world.json("agency", &["waiting"]);
    assert!(rows.as_array().unwrap().len() == 1 && rows[0]["by"].is_string(), "{rows}");
    let (code, found) = health(&world, "agency");
    assert!(code == Some(2) && found.contains(&"second-person-waits".to_owned()), "{found:?}");
    assert!(world.cli_as("61001", "agency", &approve).status.success());
    assert!(listed(&world).contains("mechelen 2 yes"), "{}", listed(&world));
    assert!(!shown(&world, "agency", &["config", "check"]).contains(waits));
    assert!(!health(&world, "agency").1.contains(&"version-waits".to_owned()));
}

/// What a shell makes of a command.
fn words(command: &str) -> Vec<String> {
    let script = format!("sluis() {{ printf '%s\\0' \"$@\"; }}\n{command}");
    let out = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
    let text = String::from_utf8(out.stdout).unwrap();
    text.split_terminator('\0').map(str::to_owned).collect()
}

#[test]
fn a_second_person_sees_what_was_asked_and_types_what_is_shown() {
    let mut world = World::make(&strict());
    world.start("sealer");
    let letter = world.path("brief.pdf");
    fs::write(&letter, "de lijst van 2026, graag").unwrap();
    let letter = letter.to_str().unwrap();
    let day = sluis_core::id::Time(now_ms()).date().to_string();
    let text = "'t is de lijst van 2026; $HOME";
    let asked = ["request", "mechelen", "--text", text, "--paper", letter, "--received", &day];
    let said = world.cli("agency", &asked);
    assert!(said.status.success(), "{}", stderr(&said));
    for lang in ["nl", "en"] {
        let table = shown(&world, "agency", &["--lang", lang, "waiting"]);
        let digest = sluis_core::id::Digest::of(b"de lijst van 2026, graag").to_string();
        for part in [text, &day, &digest, "sluis request mechelen", "request mechelen"] {
            assert!(table.contains(part), "{part}: {table}");
        }
    }
    // Other words are another request, and whoever says them hears it.
    let other =
        ["request", "mechelen", "--text", "de lijst", "--paper", letter, "--received", &day];
    let beside = world.cli_as("61001", "agency", &other);
    assert!(stdout(&beside).contains("this is a new request"), "{}", stdout(&beside));
    assert!(stdout(&beside).contains("sluis request mechelen --paper FILE"), "{}", stdout(&beside));
    let rows = world.json("agency", &["waiting"]);
    let first = rows.as_array().unwrap().iter().find(|it| it["wanted"]["notice"]["text"] == text);
    let command = first.unwrap()["wanted"]["command"].as_str().unwrap();
    let mut typed = words(command);
    typed.iter_mut().filter(|it| *it == "FILE").for_each(|it| letter.clone_into(it));
    let typed: Vec<&str> = typed.iter().map(String::as_str).collect();
    let confirmed = world.cli_as("61001", "agency", &typed);
    assert!(confirmed.status.success(), "{}", stderr(&confirmed));
    assert!(stdout(&confirmed).contains("confirmed after"), "{}", stdout(&confirmed));
    assert_eq!(world.json("agency", &["notices"])[0]["notice"]["text"], text);
    // What may not stand in a ledger is not kept for a second person either.
    let number = ["request", "mechelen", "--text", "85.07.30-033.28", "--paper", letter];
    let refused = world.cli("agency", &[&number[..], &["--received", &day]].concat());
    assert_eq!(refused.status.code(), Some(1), "{}", stdout(&refused));
}

fn now_ms() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(now.as_millis()).unwrap()
}

/// Found 31 hours ago, and a quality report of three weeks ago: said at once, and wherever people look.
#[test]
fn what_is_reported_or_answered_late_is_told_at_once_and_marked_at_both_parties() {
    let world = World::running_as(&strict());
    let ago = |hours: i64| {
        let at = sluis_core::id::Time(now_ms()).plus_ms(-hours * 3_600_000);
        at.to_string()
    };
    let found = ago(31);
    let late = ["incident", "report", "mechelen", "--found", &found, "--text", "een poging"];
    for (lang, say) in [("nl", "te laat: 7 volle uren na de 24 uur"), ("en", "late: 7 full hours")]
    {
        let said = world.cli("municipality", &[&["--lang", lang][..], &late].concat());
        assert!(stdout(&said).contains(say), "{}{}", stdout(&said), stderr(&said));
    }
    let found = ago(23);
    let timely = ["incident", "report", "mechelen", "--found", &found, "--text", "op tijd"];
    assert_eq!(world.json("municipality", &timely)["late"], false);
    let found = ago(22 * 24);
    let wrong = ["quality", "report", "mechelen", "--found", &found, "--text", "rij 2"];
    let said = stdout(&world.cli("municipality", &wrong));
    assert!(said.contains("note: without --transfer"), "R63: {said}");
    let case = said.lines().last().unwrap().rsplit(' ').next().unwrap().to_owned();
    sluis_tests::until("the report to be heard", || {
        let rows = world.json("agency", &["notices"]);
        rows.as_array().unwrap().iter().any(|it| it["sort"] == "quality-report").then_some(())
    });
    let answer = ["quality", "answer", "mechelen", "--case", &case, "--text", "hersteld"];
    let said = stdout(&world.cli("agency", &answer));
    assert!(said.contains("late: 7 full days after the two weeks"), "{said}");
    let again = world.json("agency", &answer);
    assert_eq!(again["late"], false, "only the first answer meets the clock: {again}");
    for host in ["agency", "municipality"] {
        let rows = sluis_tests::until("all to be heard", || {
            let rows = world.json(host, &["notices"]);
            (rows.as_array().unwrap().len() == 6).then_some(rows)
        });
        let lates: Vec<_> =
            rows.as_array().unwrap().iter().filter(|it| it["late"] == true).collect();
        assert_eq!(lates.len(), 3, "{rows}");
        assert!(lates.iter().all(|it| it["late_s"].as_u64().unwrap() >= 7 * 3600), "{rows}");
        let table = shown(&world, host, &["--lang", "nl", "notices"]);
        assert!(table.contains("[te laat: 7"), "{table}");
        let exported = stdout(&world.cli(host, &["ledger", "export"]));
        let entered = exported.lines().filter(|line| line.contains("\"kind\":\"late\"")).count();
        assert_eq!(entered, 3, "{host}: {exported}");
    }
    // R82: hours say their distance from UTC; what the clock never showed is not guessed at.
    let clocks = shown(&world, "municipality", &["deadlines"]);
    assert!(clocks.contains("(UTC+"), "{clocks}");
    let never = ["incident", "report", "mechelen", "--found", "2026-03-29T02:30", "--text", "x"];
    let refused = world.cli("municipality", &never);
    assert!(stderr(&refused).contains("sluis[no-such-moment]"), "{}", stderr(&refused));
    assert!(stderr(&refused).contains("2026-03-29T02:30+01:00"), "{}", stderr(&refused));
}
