//! What somebody new does with the programs, and what is printed: it works when it is pasted, and verbs agree.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use sluis_tests::persons::with_duties;
use sluis_tests::world::{Plan, answer};
use sluis_tests::{World, binary, sluis, stderr, stdout, until};

const LIST: &[u8] = b"een lijst";

/// With the option before the verb, as the README types it.
fn typed(world: &World, host: &str, arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(binary("sluis"));
    command.args(["--lang", "en", "--config"]).arg(world.path(host).join("sluis.toml"));
    command.args(arguments);
    answer(command, input)
}

/// The row of a refused drop.
fn refused(world: &World, code: &str) -> serde_json::Value {
    let row = world.row("agency", code).unwrap();
    assert_eq!(row["state"], "Refused");
    row
}

#[test]
fn a_refused_drop_is_named_while_it_lies_there_and_waits_for_nobody_once_it_is_gone() {
    let mut world = World::running();
    let code = world.send("leeg.csv", b"");
    let told = world.status_says("mechelen", "REFUSED");
    assert!(told.contains(&format!("\n{code}: mend the file and offer it again")), "{told}");
    for start in ["before", "after a start"] {
        let row = refused(&world, &code);
        assert_eq!(
            (&row["mover"], &row["name"]),
            (&"agency".into(), &"leeg.csv".into()),
            "{start}"
        );
        // The verbs say the same.
        for verb in ["withdraw", "retry", "redeliver", "approve"] {
            let told = world.cli("agency", &[verb, &code]);
            assert_eq!(told.status.code(), Some(1));
            let next = "mend it and offer it again, or take it away";
            assert!(stderr(&told).contains(next), "{verb}: {}", stderr(&told));
        }
        assert!(world.stop("sealer").success());
        world.start("sealer");
    }
    fs::remove_file(world.outbox().join("leeg.csv")).unwrap();
    let row = refused(&world, &code);
    assert_eq!((&row["mover"], &row["name"]), (&"nobody".into(), &serde_json::Value::Null));
    assert!(world.json("agency", &["show", &code])["timeline"].to_string().contains("refused"));
}

#[test]
fn what_was_rejected_keeps_its_reason_and_its_name_when_the_sealer_starts_anew() {
    let mut plan = Plan::default();
    plan.agreement = plan.agreement.replace("[file]\n", "[file]\napproval = \"second-person\"\n");
    let mut world = World::running_as(&plan);
    let code = world.send("lijst.csv", LIST);
    world.wait("agency", &code, "Admitted");
    let rejected =
        world.cli_as("61001", "agency", &["reject", &code, "--reason", "van vorig jaar"]);
    assert!(rejected.status.success(), "{}", stderr(&rejected));
    for _ in 0..2 {
        assert_eq!(refused(&world, &code)["name"], "lijst.csv.rejected");
        assert!(world.status_says("mechelen", "van vorig jaar").starts_with("REFUSED"));
        assert!(world.stop("sealer").success());
        world.start("sealer");
    }
}

#[test]
fn a_rejected_list_comes_back_whatever_it_is_called_and_is_not_taken_again() {
    let mut plan = Plan::default();
    plan.agreement = plan.agreement.replace("[file]\n", "[file]\napproval = \"second-person\"\n");
    let world = World::running_as(&plan);
    // As long as a name may be, with a letter of two bytes where it is cut.
    let long = format!("{}é{}", "l".repeat(245), ".lijst").to_owned() + "xx";
    assert_eq!(long.len(), 255);
    let cut = format!("{}.rejected", "l".repeat(245));
    let lies = ["lijst.csv.rejected", "lijst.csv_.rejected", cut.as_str()];
    for (name, at) in ["lijst.csv", "lijst.csv", long.as_str()].into_iter().zip(lies) {
        let code = world.send(name, LIST);
        world.wait("agency", &code, "Admitted");
        let reject = ["reject", &code, "--reason", "van vorig jaar"];
        let rejected = world.cli_as("61001", "agency", &reject);
        assert!(rejected.status.success(), "{}", stderr(&rejected));
        assert_eq!(refused(&world, &code)["name"], at);
    }
    let known = world.codes();
    let next = world.send("volgende.csv", LIST);
    assert_eq!(world.codes().len(), known.len() + 1, "{next} alone");
    assert!(lies.iter().all(|at| world.outbox().join(at).exists()));
}

#[test]
fn a_refused_send_leaves_nothing_behind_and_no_word_over_that_of_another() {
    let world = World::running();
    let first = world.send("lijst.csv", LIST);
    world.wait("agency", &first, "Released");
    let stands = world.status_says("mechelen", "municipality's turn");
    assert!(stands.contains(&first), "{stands}");
    assert!(stands.contains(" (UTC+"), "a time says how far it is from UTC: {stands}");
    let own = world.path("own");
    fs::create_dir(&own).unwrap();
    fs::write(own.join("lijst.csv"), "").unwrap();
    let folder = own.join("map");
    fs::create_dir_all(folder.join("leeg")).unwrap();
    for (path, lies) in [(own.join("lijst.csv"), 1), (folder, 3)] {
        let sent = world.cli("agency", &["send", "mechelen", path.to_str().unwrap()]);
        assert!(
            stderr(&sent).starts_with("sluis[not-sent]: nothing was sent:"),
            "{}",
            stderr(&sent)
        );
        assert!(path.exists(), "whoever sent it has it");
        let names = fs::read_dir(world.outbox()).unwrap().flatten().map(|it| it.file_name());
        // A status that is being written is nobody's drop.
        let names: Vec<_> =
            names.filter(|it| !it.to_string_lossy().starts_with(".status-")).collect();
        // A folder is its sender's to take away: nothing walks what he may change meanwhile.
        assert_eq!(names.len(), lies, "{names:?}");
    }
    assert_eq!(world.status_says("mechelen", &first), stands);
    let rows = world.json("agency", &["list"]);
    let refused = rows.as_array().unwrap().iter().filter(|row| row["state"] == "Refused");
    assert_eq!(refused.filter(|row| row["mover"] == "nobody").count(), 1, "{rows}");
}

#[test]
fn what_is_printed_works_when_it_is_pasted() {
    let world = World::running();
    let list = world.path("lijst.csv");
    fs::write(&list, LIST).unwrap();
    let sent = typed(&world, "agency", &["send", "mechelen", list.to_str().unwrap()], "");
    let said = stdout(&sent);
    let command = said.lines().last().unwrap().rsplit(": ").next().unwrap().trim();
    assert!(command.starts_with("sluis --config "), "{said}");
    let program = binary("sluis");
    let shown = command.replace("sluis --config", &format!("{} --config", program.display()));
    let pasted = Command::new("sh").args(["-c", &shown.replace(" follow ", " show ")]).output();
    let pasted = pasted.unwrap();
    assert!(pasted.status.success(), "{shown}: {}", stderr(&pasted));
    // Wherever it is told: in an error of the core, and in a table.
    let config = world.path("municipality/sluis.toml");
    let inline = format!("look with: sluis --config {} list", config.display());
    let none = typed(&world, "municipality", &["show", "7K3F-9QX"], "");
    assert!(stderr(&none).contains(&inline), "{}", stderr(&none));
    // Not where the environment has it, nor to a machine.
    let none = world.cli("municipality", &["show", "7K3F-9QX"]);
    assert!(stderr(&none).contains("look with: sluis list"), "{}", stderr(&none));
    let none = typed(&world, "municipality", &["--json", "show", "7K3F-9QX"], "");
    assert!(stderr(&none).contains("look with: sluis list"), "{}", stderr(&none));
}

#[test]
fn nobody_types_a_line_for_what_takes_none() {
    let mut world = World::make(&Plan::default());
    let line = "121G-DXQ8-0GH7-XRMC-9511-J5QX-SYS5-M8T5-VQ8";
    world.edit("municipality", |text| with_duties(&text, "view = [61001]\ncustodian = [0]\n"));
    for role in ["dropzone", "sealer", "keeper", "carrier", "releaser", "fetcher"] {
        world.start(role);
    }
    let code = world.send("lijst.csv", LIST);
    world.wait("agency", &code, "Released");
    let says = |told: &Output, code: &str| {
        assert!(stderr(told).starts_with(&format!("sluis[{code}]: ")), "{}", stderr(told));
    };
    for input in ["", line] {
        says(&world.cli_with("municipality", &["open", "7K3F-9QX"], input), "no-such-transfer");
        let other = world.cli_as_with("61001", "municipality", &["open", &code], input);
        says(&other, "not-your-duty");
    }
    says(&world.cli("municipality", &["open", &code]), "too-few-lines");
    let lines = world.lines(&code).join("\n");
    let opened = world.cli_with("municipality", &["open", &code], &lines);
    assert!(opened.status.success(), "{}", stderr(&opened));
    says(&world.cli("municipality", &["open", &code]), "not-now");
}

#[test]
fn a_transfer_that_was_sent_again_names_the_code_that_took_its_place() {
    let world = World::running();
    let old = world.send("lijst.csv", LIST);
    world.wait("agency", &old, "Released");
    let new = world.json("agency", &["redeliver", &old])["code"].as_str().unwrap().to_owned();
    for note in [
        world.row("agency", &old).unwrap()["note"].clone(),
        world.json("agency", &["show", &old])["row"]["note"].clone(),
    ] {
        let both =
            serde_json::json!({ "message": format!("by {new}"), "nl": format!("door {new}") });
        assert_eq!(note, both);
    }
}

#[test]
fn a_demonstration_looks_for_its_file_before_it_begins() {
    let dir = tempfile::tempdir().unwrap();
    let demo = |arguments: &[&str], to: &Path| {
        let mut command = sluis();
        command
            .stdin(Stdio::null())
            .args(["--lang", "en", "demo", "--dir"])
            .arg(to)
            .args(arguments)
            .output()
            .unwrap()
    };
    let to = dir.path().join("demo");
    for (file, code) in [("nope", 74), ("/dev/null", 1)] {
        let told = demo(&["--file", file], &to);
        assert_eq!((told.status.code(), stdout(&told)), (Some(code), String::new()));
        assert!(stderr(&told).contains(file) && !to.exists(), "{}", stderr(&told));
    }
    // Stopped before it is opened, what is exported has all that was said until then.
    let told = demo(&["--stop-before-open"], &to);
    assert!(told.status.success(), "{}", stderr(&told));
    let evidence = fs::read_dir(to.join("evidence")).unwrap().flatten();
    let names: Vec<String> =
        evidence.map(|it| it.file_name().to_string_lossy().into_owned()).collect();
    assert!(names.iter().any(|name| name.contains("released")), "{names:?}");
}

#[test]
fn a_list_in_the_outbox_itself_is_told_that_it_lies_in_no_folder() {
    let world = World::running();
    fs::write(world.path("agency/outbox/lijst.csv"), LIST).unwrap();
    let told = world.status_says("", "nothing leaves from there");
    assert!(told.starts_with("REFUSED. ") && told.contains("Move it into the folder"), "{told}");
    fs::rename(world.path("agency/outbox/lijst.csv"), world.outbox().join("lijst.csv")).unwrap();
    world.status_says("mechelen", "Transfer ");
    until("the word on it goes", || {
        (!world.path("agency/outbox/STATUS-lijst.csv.txt").exists()).then_some(())
    });
}

#[test]
fn a_share_line_that_was_typed_as_an_argument_is_not_told_again() {
    let world = World::running();
    let line = "121G-DXQ8-0GH7-XRMC-9511-J5QX-SYS5-M8T5-VQ8";
    for arguments in [&["open", "7K3F-9QX", line][..], &["open", line]] {
        let told = world.cli("municipality", arguments);
        let said = stdout(&told) + &stderr(&told);
        assert_eq!(told.status.code(), Some(2));
        assert!(said.contains("never an argument") && !said.contains("121G"), "{said}");
    }
}

#[test]
fn nothing_is_called_sent_or_asked_for_before_its_time_and_a_verb_is_of_one_host() {
    let mut world = World::running();
    world.stop("dropzone");
    world.stop("releaser");
    let code = world.send("lijst.csv", LIST);
    let told = world.status_says("mechelen", "- carrier: ");
    assert!(told.starts_with("SEALED. ") && told.matches("- carrier: ").count() == 1, "{told}");
    let note = |world: &World, host: &str, code: &str| {
        world.row(host, code).unwrap()["note"]["message"].as_str().unwrap().to_owned()
    };
    assert!(note(&world, "agency", &code).contains("carrier: "));
    let shown = stdout(&world.cli("agency", &["show", &code]));
    assert_eq!(shown.matches("carrier: ").count(), 1, "{shown}");
    world.start("dropzone");
    world.wait("municipality", &code, "Removed");
    world.wait("agency", &code, "Releasing");
    let waits = note(&world, "municipality", &code);
    assert!(waits.contains("has come") && !waits.contains("type yours"), "{waits}");
    assert!(world.status_says("mechelen", "on their way").starts_with("SENT. "));

    // The agency's verb, told at the municipality, has not the municipality's configuration.
    assert!(world.cli("agency", &["withdraw", &code]).status.success());
    world.wait("municipality", &code, "Ended");
    let told = typed(&world, "municipality", &["list"], "");
    assert!(stdout(&told).contains("(sluis redeliver)"), "{}", stdout(&told));

    world.start("releaser");
    let code = world.send("lijst2.csv", LIST);
    world.wait("agency", &code, "Released");
    until("the lines are asked for", || {
        let told = note(&world, "municipality", &code);
        told.contains("0 of 2 lines are in; type yours").then_some(())
    });
    let told = world.status_says("mechelen", "municipality's turn");
    assert!(told.starts_with("SENT. "), "{told}");
}

#[test]
fn what_is_missing_is_said_with_what_to_do() {
    let world = World::running();
    let told = |host: &str, arguments: &[&str], parts: &[&str]| {
        let told = world.cli(host, arguments);
        let said = stdout(&told) + &stderr(&told);
        parts.iter().for_each(|part| assert!(said.contains(part), "{part}: {said}"));
    };
    told("municipality", &["request", "mechelen"], &["sluis[no-text]", "--text 'TEXT'"]);
    told("municipality", &["--lang", "nl", "request", "mechelen"], &["--text 'TEKST'"]);
    for verb in ["list", "health"] {
        told("dropzone", &[verb], &["sluis[no-core]", "sluis config check", "sluis-dropzone"]);
    }
    told("agency", &["ready", "7K3F-9QX"], &["sluis[not-this-side]"]);
    let options = "--agreement, --config, --json, --lang";
    told("agency", &["list", "--opne"], &["Options here: ", options]);
    told("agency", &["--lang", "nl", "list", "--opne"], &["Opties hier: ", options]);
    told("agency", &["list", "--agreemnt", "x"], &["a similar argument exists: '--agreement'"]);
}

#[test]
fn no_status_says_of_what_was_sent_again_and_refused_again_that_it_lies_there() {
    let world = World::running();
    world.put("leeg.csv".as_ref(), b"");
    world.status_says("mechelen", "REFUSED");
    let own = world.path("leeg.csv");
    fs::write(&own, "").unwrap();
    let sent = world.cli("agency", &["send", "mechelen", own.to_str().unwrap()]);
    assert!(stderr(&sent).starts_with("sluis[not-sent]"), "{}", stderr(&sent));
    let left: Vec<_> = fs::read_dir(world.outbox()).unwrap().flatten().collect();
    assert!(left.is_empty() && own.exists(), "{left:?}");
}
