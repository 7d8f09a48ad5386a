//! What the vault keeps, until when, and how it goes: years later, after a kill, and what is attested of it (art. 2 and 3).

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;

use serde_json::Value;
use sluis_tests::world::Plan;
use sluis_tests::{World, stderr, stdout, until};

const LIST: &[u8] = b"nummer;contract\n1;1\n";
const CITY: &str = "municipality";
/// Another person at the municipality.
const OTHER: &str = "65534";

/// A world whose agreement says this of retention.
fn world(retention: &str) -> World {
    let mut plan = Plan::default();
    let text =
        plan.agreement.replace("[retention]\nyears = 5\n", &format!("[retention]\n{retention}"));
    assert!(text.contains(retention));
    plan.agreement = text;
    World::running_as(&plan)
}

fn opened(world: &World, name: &str) -> String {
    let code = world.send(name, LIST);
    world.wait("agency", &code, "Released");
    let opened = world.cli_with(CITY, &["open", &code], &world.lines(&code).join("\n"));
    assert!(opened.status.success(), "{}", stderr(&opened));
    world.wait("agency", &code, "Closed");
    code
}

/// A list in the plan; nothing where it is not kept.
fn planned(world: &World, code: &str) -> Option<Value> {
    let plan = world.json(CITY, &["retention"]);
    plan["lists"].as_array().unwrap().iter().find(|list| list["code"] == code).cloned()
}

fn entries(world: &World, code: &str) -> Vec<(String, Value)> {
    let shown = world.json(CITY, &["show", code]);
    let timeline = shown["timeline"].as_array().unwrap();
    timeline
        .iter()
        .map(|entry| (entry["kind"].as_str().unwrap().to_owned(), entry["detail"].clone()))
        .collect()
}

fn kinds(world: &World, code: &str) -> Vec<String> {
    let known = |kind: &str| kind.starts_with("destr") || kind == "messages-asked";
    entries(world, code).into_iter().map(|(kind, _)| kind).filter(|kind| known(kind)).collect()
}

/// The body of the one `destroyed` of a list, as a host exports it.
fn destroyed(world: &World, host: &str, code: &str) -> Value {
    until(&format!("`destroyed` at the {host}"), || {
        world.statements(host, code).contains(&"destroyed".to_owned()).then_some(())
    });
    let to = world.path(&format!("evidence-{host}-{code}"));
    let made = world.cli(host, &["evidence", "export", code, "--to", to.to_str().unwrap()]);
    assert!(made.status.success(), "{}", stderr(&made));
    let files = fs::read_dir(&to).unwrap().flatten().map(|entry| entry.path());
    let said: Vec<_> =
        files.filter(|path| path.to_string_lossy().ends_with("-destroyed.json")).collect();
    assert_eq!(said.len(), 1, "said once: {said:?}");
    let text = fs::read_to_string(&said[0]).unwrap();
    serde_json::from_str::<Value>(&text).unwrap()["body"].clone()
}

/// The keeper's clock jumps; nothing moves before two persons confirm it, who are told what that does.
fn jump_and_confirm(world: &mut World, days: i64, code: &str, does: &str) {
    let before = kinds(world, code);
    world.jump("keeper", &format!("+{days}d"));
    until("the jump to be seen", || {
        let plan = world.json(CITY, &["retention"]);
        plan["clock_held"].as_bool().unwrap().then_some(())
    });
    let shown = world.cli(CITY, &["retention"]);
    assert!(stdout(&shown).contains("clock jumped ahead"), "{}", stdout(&shown));
    // The core works meanwhile: this is said, heard, and nothing is destroyed by it.
    let said = world.cli(CITY, &["profiles", "mechelen", "--text", "nagekeken"]);
    assert!(said.status.success(), "{}", stderr(&said));
    let one = world.cli(CITY, &["clock"]);
    assert!(one.status.success() && stdout(&one).contains("second person"), "{}", stderr(&one));
    assert_eq!(world.cli(CITY, &["clock"]).status.code(), Some(1), "one person is not two");
    assert_eq!(kinds(world, code), before, "nothing is destroyed or announced on a jump");
    assert!(world.vault(code).join("envelope.age").exists());
    let two = world.cli_as(OTHER, CITY, &["clock"]);
    assert!(two.status.success(), "{}", stderr(&two));
    for told in [one, two] {
        assert!(stdout(&told).contains(does), "{}", stdout(&told));
    }
}

#[test]
fn what_goes_by_itself_is_announced_and_goes_on_its_last_day_but_never_on_a_jump() {
    let mut world = world("years = 5\ndestroy = \"automatic\"\n");
    let code = opened(&world, "lijst.csv");
    let list = planned(&world, &code).unwrap();
    let days = list["days_left"].as_i64().unwrap();
    assert!((1824..=1826).contains(&days), "{list}");
    assert_eq!((&list["destroy"], &list["announced"]), (&"automatic".into(), &Value::Null));
    let shown = stdout(&world.cli(CITY, &["retention"]));
    let day = list["last_day"].as_str().unwrap();
    assert!(shown.contains(day) && shown.contains("by itself"), "{shown}");
    jump_and_confirm(
        &mut world,
        days - 20,
        &code,
        "by this clock: lists whose destruction is announced: 1\n",
    );
    let told = until("it to be announced", || {
        planned(&world, &code).filter(|list| !list["announced"].is_null())
    });
    assert!((19..=20).contains(&told["days_left"].as_i64().unwrap()), "{told}");
    assert_eq!(kinds(&world, &code), ["destruction-planned"]);
    let vault = world.vault(&code);
    assert!(vault.join("opened/lijst.csv").exists(), "announced is not destroyed");
    jump_and_confirm(&mut world, days, &code, "by this clock: lists that are destroyed: 1\n");
    world.wait(CITY, &code, "Destroyed");
    assert!(!vault.exists());
    let all = ["destruction-planned", "destruction-due", "destroy", "destroyed"];
    assert_eq!(kinds(&world, &code), all, "announced once");
    let due = entries(&world, &code).into_iter().find(|(kind, _)| kind == "destruction-due");
    assert_eq!(due.unwrap().1["on"], day);
    for host in ["agency", CITY] {
        let body = destroyed(&world, host, &code);
        assert_eq!(body["erased"], serde_json::json!(["envelope", "opened"]));
        assert_eq!(body["asked"], serde_json::json!([]), "nobody was asked, and nothing says so");
        assert!(world.cli(host, &["ledger", "verify"]).status.success());
    }
    assert_eq!(planned(&world, &code), None);
}

#[test]
fn what_two_persons_destroy_stays_after_its_day_and_no_attestation_passes_it_over() {
    let mut world = world("years = 1\n");
    let code = opened(&world, "lijst.csv");
    assert_eq!(world.cli(CITY, &["take", &code]).stdout, LIST);
    jump_and_confirm(&mut world, 400, &code, "by this clock: nothing expires or is destroyed\n");
    let other = world.send("ander.csv", LIST);
    world.wait("agency", &other, "Released");
    let late = planned(&world, &code).unwrap();
    assert!(late["days_left"].as_i64().unwrap() < 0, "{late}");
    assert_eq!((&late["state"], &late["destroy"]), (&"Opened".into(), &"two-persons".into()));
    assert!(stdout(&world.cli(CITY, &["retention"])).contains("overdue"));
    for arguments in [&["attest", "mechelen"][..], &["attest", "mechelen", "--yes"]] {
        let refused = world.cli(CITY, arguments);
        assert_eq!(refused.status.code(), Some(1), "{}", stdout(&refused));
        assert!(
            stderr(&refused).contains(&format!("{code} is still here")),
            "{}",
            stderr(&refused)
        );
        assert!(!stderr(&refused).contains(&other), "{}", stderr(&refused));
    }
    let one = world.cli(CITY, &["destroy", &code]);
    assert!(stdout(&one).contains("an, bart, chantal"), "whom to ask: {}", stdout(&one));
    assert!(planned(&world, &code).unwrap()["asked_by"].is_string());
    let two = world.cli_as(OTHER, CITY, &["destroy", &code, "--messages-asked"]);
    assert!(two.status.success(), "{}", stderr(&two));
    world.wait(CITY, &code, "Destroyed");
    let body = destroyed(&world, CITY, &code);
    assert_eq!(body["asked"], serde_json::json!(["messages"]));
    let unknown = serde_json::json!(["taken", "snapshots"]);
    assert_eq!(body["unknown"], unknown, "somebody has a copy");
    let made = world.cli(CITY, &["attest", "mechelen", "--yes"]);
    assert!(made.status.success(), "{}", stderr(&made));
    let deadlines = world.json(CITY, &["deadlines"]);
    let of = |it: &&Value| it["clock"] == "retention" && it["subject"] == code.as_str();
    let kept = deadlines.as_array().unwrap().iter().find(of).cloned().unwrap();
    assert_eq!(kept["standing"], "met-late", "what was late stays late: {kept}");
}

#[test]
fn an_attestation_counts_what_is_kept_and_destroyed_and_winds_its_clock() {
    let world = world("years = 5\n");
    let (first, second) = (opened(&world, "een.csv"), opened(&world, "twee.csv"));
    let attestation = || {
        let due = world.json(CITY, &["deadlines"]);
        due.as_array().unwrap().iter().rfind(|it| it["clock"] == "attestation").unwrap().clone()
    };
    let before = attestation();
    assert_eq!(before["standing"], "overdue", "the worked case is of 2020");
    let unsure = world.cli(CITY, &["attest", "mechelen"]);
    assert_eq!(unsure.status.code(), Some(1), "nobody said yes");
    assert!(stdout(&unsure).contains("Kept: 2, the oldest"), "{}", stdout(&unsure));
    assert!(stderr(&unsure).contains("--yes"), "{}", stderr(&unsure));
    assert_eq!(attestation()["starts"], before["starts"], "nothing was said");
    let said =
        world.json(CITY, &["attest", "mechelen", "--yes", "--text", "nagekeken door de DPO"]);
    let text = said["notice"]["text"].as_str().unwrap();
    assert!(text.starts_with("Kept: 2, the oldest delivered on 20"), "{text}");
    assert!(text.ends_with("Destroyed so far: 0.\nnagekeken door de DPO"), "{text}");
    let after = attestation();
    assert_eq!(after["standing"], "ahead", "{after}");
    assert!(after["starts"].as_i64() > before["starts"].as_i64(), "{after}");
    // The years in which it was not done stay late.
    let late = || {
        let due = world.json(CITY, &["deadlines"]);
        due.as_array().unwrap().iter().find(|it| it["clock"] == "attestation").unwrap().clone()
    };
    assert_eq!((&late()["standing"], &late()["starts"]), (&"met-late".into(), &before["starts"]));
    until("the agency to have it", || {
        let rows = world.json("agency", &["notices"]);
        rows.as_array().unwrap().iter().any(|row| row["notice"]["text"] == text).then_some(())
    });
    for person in ["0", OTHER] {
        assert!(world.cli_as(person, CITY, &["destroy", &first]).status.success());
    }
    world.wait(CITY, &first, "Destroyed");
    let said = world.json(CITY, &["attest", "mechelen", "--yes"]);
    let text = said["notice"]["text"].as_str().unwrap();
    assert!(text.starts_with("Kept: 1,") && text.contains("Destroyed since 20"), "{text}");
    assert!(text.ends_with(": 1."), "{text}");
    // What the books and the vault do not agree on is named.
    let vault = world.vault(&second);
    let elsewhere = vault.with_file_name("kopie");
    fs::rename(&vault, &elsewhere).unwrap();
    let refused = world.cli(CITY, &["attest", "mechelen", "--yes"]);
    assert_eq!(refused.status.code(), Some(1));
    let why = stderr(&refused);
    assert!(
        why.contains(&format!("{second} stands in the books")) && why.contains("kopie"),
        "{why}"
    );
    fs::rename(&elsewhere, &vault).unwrap();
    let _ = world.json(CITY, &["attest", "mechelen", "--yes"]);
}

#[test]
fn a_list_that_was_never_opened_is_destroyed_too_and_says_so() {
    let world = world("years = 5\n");
    let code = world.send("lijst.csv", LIST);
    world.wait("agency", &code, "Released");
    let lines = world.lines(&code);
    let typed = world.cli_with(CITY, &["open", &code], &lines[0]);
    assert_eq!(typed.status.code(), Some(1), "too few lines");
    let vault = world.vault(&code);
    let one = world.cli(CITY, &["destroy", &code, "--messages-asked"]);
    assert!(one.status.success(), "{}", stderr(&one));
    let two = world.cli_as(OTHER, CITY, &["destroy", &code]);
    assert!(two.status.success(), "{}", stderr(&two));
    world.wait(CITY, &code, "Destroyed");
    assert!(!vault.exists());
    for host in ["agency", CITY] {
        let body = destroyed(&world, host, &code);
        assert_eq!(body["erased"], serde_json::json!(["envelope"]), "there was nothing else");
        assert_eq!(body["asked"], serde_json::json!(["messages"]), "the first person said so");
    }
    let late = world.cli_with(CITY, &["open", &code], &lines.join("\n"));
    assert!(stderr(&late).contains("destroyed"), "{}", stderr(&late));
    let again = world.cli(CITY, &["destroy", &code]);
    assert_eq!(again.status.code(), Some(1), "there is nothing left to ask");
    assert!(stderr(&again).contains("Destroyed"), "{}", stderr(&again));
}

#[test]
fn a_kill_between_the_steps_of_a_destruction_converges_and_nothing_is_said_before_it_is_gone() {
    let mut world = world("years = 5\n");
    let code = opened(&world, "lijst.csv");
    let vault = world.vault(&code);
    let folder = vault.parent().unwrap().to_owned();
    let away = world.path("niet-aangekoppeld");
    // A vault that is not there has nothing in it: that is no destruction.
    fs::rename(&folder, &away).unwrap();
    for person in ["0", OTHER] {
        let asked = world.cli_as(person, CITY, &["destroy", &code]);
        assert!(asked.status.success(), "{}", stderr(&asked));
    }
    until("the keeper to have tried", || {
        let shown = world.json(CITY, &["show", &code]);
        shown["waiting"].to_string().contains("destruction").then_some(())
    });
    assert_eq!(world.row(CITY, &code).unwrap()["state"], "Destroying");
    world.kill("keeper");
    // As a kill in the middle leaves it: the opened file is gone, the envelope is not.
    fs::remove_dir_all(away.join(vault.file_name().unwrap()).join("opened")).unwrap();
    fs::rename(&away, &folder).unwrap();
    world.start("keeper");
    world.wait(CITY, &code, "Destroyed");
    assert!(!vault.exists());
    let body = destroyed(&world, CITY, &code);
    assert_eq!(body["erased"], serde_json::json!(["envelope", "opened"]));
    world.kill("keeper");
    world.start("keeper");
    let said = world.statements(CITY, &code);
    assert_eq!(said.iter().filter(|kind| *kind == "destroyed").count(), 1, "{said:?}");
    assert!(world.cli(CITY, &["ledger", "verify"]).status.success());
}
