//! `sluis demo` and the command line, as a newcomer meets them.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use sluis_tests::world::{Plan, somewhere};
use sluis_tests::{World, binary, root, sluis, stderr, stdout};

fn demo(arguments: &[&str], dir: &Path) -> Output {
    let mut command = sluis();
    command.args(["--lang", "en", "demo", "--dir"]).arg(dir).args(arguments).stdin(Stdio::null());
    command.output().unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .flatten()
        .map(|e| e.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn the_demonstration_goes_the_whole_way_and_keeps_everything() {
    let temp = tempfile::tempdir().unwrap();
    // A folder with a name far longer than a socket's may be.
    let dir = temp.path().join("x".repeat(150));
    let done = demo(&["--unattended"], &dir);
    assert!(done.status.success(), "{}{}", stdout(&done), stderr(&done));
    let told = stdout(&done);
    for part in [
        "FILE GATE",
        "KEY GATE",
        "410",
        "chantal",
        "ssh-keygen accepts each",
        "holds: it is gone from the transport medium",
        "Have a look at",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(!told.contains("evidence/allowed_signers"), "not the keys that came along: {told}");
    assert_eq!(
        names(&dir),
        ["agency", "dropzone", "evidence", "logs", "municipality", "phones", "trust"]
    );
    assert_eq!(names(&dir.join("phones")), ["an", "bart", "chantal"]);
    let evidence = names(&dir.join("evidence"));
    assert_eq!(evidence.iter().filter(|name| name.ends_with(".json")).count(), 9);
    assert_eq!(evidence.iter().filter(|name| name.ends_with(".json.sig")).count(), 9);
    assert!(evidence.contains(&"allowed_signers".to_owned()));
    let opened = somewhere(&dir, b"85073003328");
    assert_eq!(opened.len(), 1, "{opened:?}");
    assert!(opened[0].starts_with(dir.join("municipality/vault")));
    let envelope = opened[0].parent().unwrap().with_file_name("envelope.age");
    assert!(fs::read(envelope).unwrap().starts_with(b"age-encryption.org/v1\n-> scrypt "));
    // Nothing of it was to be done before it began.
    let agreement = fs::read_to_string(dir.join("municipality/agreements/mechelen.toml")).unwrap();
    assert!(!agreement.contains("in-force = \"2020"), "{agreement}");
    assert_eq!(agreement.matches("policy-reviewed-on = ").count(), 2, "{agreement}");
    let again = demo(&["--unattended"], &dir);
    assert_eq!(again.status.code(), Some(1), "it never writes over a demonstration");
}

#[test]
fn your_own_folder_can_stay_shut() {
    let temp = tempfile::tempdir().unwrap();
    let own = temp.path().join("mijn map");
    fs::create_dir(&own).unwrap();
    fs::write(own.join("a.txt"), "eigen inhoud").unwrap();
    let dir = temp.path().join("demo");
    let done = demo(&["--unattended", "--stop-before-open", "--file", own.to_str().unwrap()], &dir);
    assert!(done.status.success(), "{}{}", stdout(&done), stderr(&done));
    let still = somewhere(&dir.join("municipality"), b"eigen inhoud");
    assert!(still.is_empty(), "{still:?}");
    assert!(own.join("a.txt").exists());
}

#[test]
fn without_a_folder_nothing_is_left_behind() {
    let temp = tempfile::tempdir().unwrap();
    let done = sluis()
        .args(["--lang", "nl", "demo", "--unattended"])
        .env("TMPDIR", temp.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", stderr(&done));
    assert!(
        stdout(&done).contains("BESTANDSDEUR") && stdout(&done).contains("Alles is weer gewist"),
        "{}",
        stdout(&done)
    );
    assert_eq!(names(temp.path()), Vec::<String>::new());
}

#[test]
fn every_verb_has_help_and_the_exit_codes_are_told() {
    let help = |words: &[&str]| {
        let shown = sluis().args(words).arg("--help").output().unwrap();
        assert!(shown.status.success(), "{words:?}");
        stdout(&shown)
    };
    let all = help(&[]);
    assert!(all.contains("Exit codes: 0 done, 1 refused"), "{all}");
    for verb in [
        "init",
        "identity",
        "agreement",
        "send",
        "list",
        "show",
        "follow",
        "withdraw",
        "retry",
        "redeliver",
        "ready",
        "open",
        "take",
        "evidence",
        "ledger",
        "key",
        "config",
        "demo",
    ] {
        assert!(all.contains(&format!("\n  {verb}")), "{verb}");
        help(&[verb]);
    }
    for verb in ["init", "send", "open", "take", "demo"] {
        assert!(help(&[verb]).contains("Example"), "{verb}");
    }
    let usage = sluis().arg("fly").output().unwrap();
    assert_eq!(usage.status.code(), Some(2));
    let roles = Command::new(binary("sluisd")).arg("--help").output().unwrap();
    for role in ["sealer", "carrier", "releaser", "dropzone", "keeper", "fetcher"] {
        assert!(stdout(&roles).contains(role), "{role}");
    }
}

#[test]
fn a_core_that_is_not_there_and_a_host_that_exists_are_told_apart() {
    let world = World::make(&Plan::default());
    let away = world.cli("agency", &["list"]);
    assert_eq!(away.status.code(), Some(69), "{}", stderr(&away));
    let there = sluis()
        .args(["init", "agency", "--id", "x", "--name", "X", "--dir"])
        .arg(world.path("agency"))
        .output()
        .unwrap();
    assert_eq!(there.status.code(), Some(1));
    assert!(stderr(&there).contains("nothing was changed"));
    for host in ["agency", "municipality", "dropzone"] {
        let checked = world.cli(host, &["config", "check"]);
        assert!(checked.status.success(), "{host}: {}", stderr(&checked));
    }
    let listed = world.json("municipality", &["agreement", "list"]);
    assert_eq!(listed[0]["agreement"], "mechelen");
    let (ours, theirs) = (
        world.json("agency", &["agreement", "show", "mechelen"]),
        world.json("municipality", &["agreement", "show", "mechelen"]),
    );
    assert_eq!(ours["digest"], theirs["digest"], "both parties have the same bytes");
    let card = world.json("agency", &["identity"]);
    assert_eq!(card["fingerprint"].as_str().unwrap().replace('-', "").len(), 25, "125 bits");
    fs::remove_file(world.path("agency/agreements/mechelen.contacts.toml")).unwrap();
    world.edit("agency", |text| text.replace("owners = [", "owners = [\"niemand-hier\", "));
    let gaps = world.cli("agency", &["config", "check"]);
    assert_eq!(gaps.status.code(), Some(78));
    assert!(
        stderr(&gaps).contains("contacts file is missing")
            && stderr(&gaps).contains("no user niemand-hier"),
        "{}",
        stderr(&gaps)
    );
}

#[test]
fn the_shipped_examples_are_read_by_the_shipped_program() {
    let examples = root().join("config/examples");
    let agreement = sluis()
        .args(["agreement", "check"])
        .arg(examples.join("agreements/mechelen.toml"))
        .output()
        .unwrap();
    // All that keeps a list of the worked case from leaving is that its text is still to be published.
    assert_eq!(agreement.status.code(), Some(1), "{}", stderr(&agreement));
    let told = stdout(&agreement);
    assert!(told.contains("2 of 3 shares") && told.contains("2 block"), "{told}");
    for host in ["agency.toml", "municipality.toml", "dropzone.toml"] {
        let checked = sluis()
            .arg("--config")
            .arg(examples.join(host))
            .args(["config", "check"])
            .output()
            .unwrap();
        assert_eq!(checked.status.code(), Some(78));
        assert!(
            stderr(&checked).contains("credential"),
            "only its secrets are missing: {}",
            stderr(&checked)
        );
    }
}

#[test]
fn a_demonstration_that_nobody_reads_to_its_end_leaves_no_process_behind() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = sluis()
        .args(["demo", "--unattended", "--lang", "en"])
        .env("TMPDIR", folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // One line, and then nobody listens.
    let mut out = std::io::BufReader::new(demo.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut out, &mut String::new()).unwrap();
    drop(out);
    assert!(demo.wait().unwrap().success());
    let ours = folder.path().to_str().unwrap().as_bytes().to_owned();
    let left = fs::read_dir("/proc").unwrap().flatten().filter(|process| {
        let line = fs::read(process.path().join("cmdline")).unwrap_or_default();
        line.windows(ours.len()).any(|part| part == ours)
    });
    assert_eq!(left.count(), 0, "its six processes have ended");
}

/// Whoever leaves at the prompt by Ctrl-C, a hangup or SIGTERM leaves no key, no line and no list behind.
#[test]
fn a_demonstration_that_is_left_at_its_prompt_erases_everything() {
    // A terminal of its own, as a person has; what it is sent when it asks for a line, and how it ended.
    let script = r#"
import os, pty, sys
number, program = int(sys.argv[1]), sys.argv[2]
pid, terminal = pty.fork()
if pid == 0:
    os.execv(program, [program, "--lang", "en", "demo"])
said = b""
while b"Share line" not in said:
    said += os.read(terminal, 4096)
assert os.listdir(os.environ["TMPDIR"]), "its folder is there"
os.kill(pid, number)
try:
    while os.read(terminal, 4096):
        pass
except OSError:
    pass
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), os.listdir(os.environ["TMPDIR"]))
"#;
    for number in [1, 2, 15] {
        let folder = tempfile::tempdir().unwrap();
        let mut left = Command::new("python3");
        left.args(["-c", script, &number.to_string()]).arg(binary("sluis"));
        left.env_remove("CARGO_MANIFEST_DIR");
        let left = left.env("TMPDIR", folder.path()).output().unwrap();
        assert_eq!(stdout(&left).trim(), format!("{} []", 128 + number), "{}", stderr(&left));
    }
}
