//! What the articles ask of one list beyond its columns: whose residents it is about, by whose word.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;

use serde_json::Value;
use sluis_tests::world::Plan;
use sluis_tests::{World, stderr, stdout, until};

/// Numbers that belong to nobody, with right check digits.
const LIST: &[u8] =
    b"rijksregisternummer;contract;attest\n85073003328;1;1\n90020199704;1;0\n00010100105;0;0\n";

/// The demonstration's agreement as it is: lists, and only when asked for.
fn strict() -> Plan {
    let agreement = include_str!("../../config/examples/demo/mechelen.toml").to_owned();
    Plan { agreement, ..Plan::default() }
}

fn ask(world: &World) {
    let _ = world.json("municipality", &["request", "mechelen", "--text", "de lijst van 2026"]);
    until("the request to be heard", || {
        let rows = world.json("agency", &["notices"]);
        (!rows.as_array().unwrap().is_empty()).then_some(())
    });
}

/// The agency's `sent` of a transfer, from what it exports.
fn sent(world: &World, code: &str) -> Value {
    let to = world.path(&format!("evidence-{code}"));
    let made = world.cli("agency", &["evidence", "export", code, "--to", to.to_str().unwrap()]);
    assert!(made.status.success(), "{}", stderr(&made));
    let texts = fs::read_dir(&to).unwrap().flatten().map(|entry| entry.path());
    let texts = texts.filter(|path| path.extension().is_some_and(|it| it == "json"));
    let mut said = texts.map(|path| serde_json::from_slice(&fs::read(path).unwrap()).unwrap());
    said.find(|it: &Value| it["kind"] == "sent").unwrap()
}

fn verified(world: &World, code: &str) -> String {
    let to = world.path(&format!("evidence-{code}"));
    let trust = to.join("allowed_signers");
    let (to, trust) = (to.to_str().unwrap(), trust.to_str().unwrap());
    stdout(&world.cli("agency", &["evidence", "verify", to, "--trust", trust]))
}

#[test]
fn whose_residents_a_list_is_about_is_said_under_the_agencys_signature_or_it_stays() {
    let world = World::running_as(&strict());
    ask(&world);
    let list = world.path("lijst.csv");
    fs::write(&list, LIST).unwrap();
    let list = list.to_str().unwrap();
    // Drawn for another municipality: refused, whatever the agreement says about lists.
    for more in [&["--dry-run"][..], &[]] {
        let wrong = [&["send", "mechelen", list, "--drawn-for", "11002"], more].concat();
        let refused = world.cli("agency", &wrong);
        assert_eq!(refused.status.code(), Some(1), "{}", stdout(&refused));
        let text = match more {
            [] => world.status_says("mechelen", "REFUSED"),
            _ => stderr(&refused),
        };
        assert!(text.contains("drawn for NIS code 11002, the municipality has 12025"), "{text}");
    }
    let nonsense = world.cli("agency", &["send", "mechelen", list, "--drawn-for", "Mechelen"]);
    assert_eq!(nonsense.status.code(), Some(2));
    fs::remove_file(world.outbox().join("lijst.csv")).unwrap();
    // A list that is dropped rests on the agreement, and `sent` says so.
    let code = world.send("lijst-2026.csv", LIST);
    world.wait("agency", &code, "Released");
    let word = serde_json::json!({ "nis": "12025", "word": "agreement" });
    assert_eq!(sent(&world, &code)["body"]["residents"], word);
    assert!(verified(&world, &code).contains("drew the list as the agreement has it"));
    // Sent again it rests on what it rested on.
    let again = world.json("agency", &["redeliver", &code])["code"].as_str().unwrap().to_owned();
    world.wait("agency", &again, "Released");
    assert_eq!(sent(&world, &again)["body"]["residents"], word);
}

#[test]
fn where_the_agreement_does_not_say_how_lists_are_selected_a_persons_word_is_asked_for() {
    let mut plan = strict();
    plan.agreement = plan
        .agreement
        .lines()
        .filter(|line| !line.starts_with("selection"))
        .collect::<Vec<_>>()
        .join("\n");
    let mut world = World::running_as(&plan);
    ask(&world);
    world.put("lijst.csv".as_ref(), LIST);
    let text = world.status_says("mechelen", "REFUSED");
    assert!(text.contains("art. 2") && text.contains("sluis send --drawn-for 12025"), "{text}");
    fs::remove_file(world.outbox().join("lijst.csv")).unwrap();
    // The word outlives the process that heard it.
    world.stop("carrier");
    let list = world.path("lijst.csv");
    fs::write(&list, LIST).unwrap();
    let arguments = ["send", "mechelen", list.to_str().unwrap(), "--drawn-for", "12025"];
    let code = world.json("agency", &arguments)["code"].as_str().unwrap().to_owned();
    world.stop("sealer");
    world.start("sealer");
    world.start("carrier");
    world.wait("agency", &code, "Released");
    let word = serde_json::json!({ "nis": "12025", "word": "person" });
    assert_eq!(sent(&world, &code)["body"]["residents"], word);
    assert!(verified(&world, &code).contains("whoever offered the list said"));
    let again = world.json("agency", &["redeliver", &code])["code"].as_str().unwrap().to_owned();
    world.wait("agency", &again, "Released");
    assert_eq!(sent(&world, &again)["body"]["residents"], word);
    let to = world.path("bundel");
    let folder = to.to_str().unwrap();
    let arguments = ["evidence", "export", "--agreement", "mechelen", "--to", folder];
    assert!(world.cli("agency", &arguments).status.success());
    let report = fs::read_to_string(to.join("report.en.html")).unwrap();
    assert!(report.contains("drawn for residents of NIS code 12025, by the word of whoever"));
}
