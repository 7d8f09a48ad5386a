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

/// Puts a second agreement between the same parties into use, `gent`.
fn with_gent(world: &World) {
    let text = fs::read_to_string(world.path("mechelen.toml")).unwrap();
    let file = world.path("gent.toml");
    fs::write(&file, text.replace("agreement = \"mechelen\"", "agreement = \"gent\"")).unwrap();
    let contacts = world.path("mechelen.contacts.toml");
    let cards = ["agency", "municipality", "dropzone"].map(|it| world.path(&format!("{it}.card")));
    for host in ["agency", "municipality"] {
        let mut add = vec!["agreement", "add", file.to_str().unwrap()];
        cards.iter().for_each(|card| add.extend(["--card", card.to_str().unwrap()]));
        if host == "agency" {
            add.extend(["--contacts", contacts.to_str().unwrap()]);
        }
        let added = world.cli(host, &add);
        assert!(added.status.success(), "{}", stderr(&added));
    }
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
    with_gent(&world);
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
