//! A canary run: a whole journey of a list, a key and telephones that are known, every log at `trace`; then none of it
//! is anywhere but where it belongs. Files of all hosts by their raw bytes, what the system shows of each process, what
//! was answered, and the memory of each role.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use sluis_tests::canary::Secrets;
use sluis_tests::provider::{Mood, Provider};
use sluis_tests::world::{Plan, ROLES, line_in};
use sluis_tests::{World, binary, root, stderr, stdout, tool, until};

/// A birthday that no calendar has: it is nobody's.
const NUMBER: &str = "99333399942";
const NAME: &str = "kanarie-in-de-mijn.csv";
const PHONES: [&str; 3] = ["+32487111222", "+32487333444", "+32487555666"];
const SECOND: &str = "65534";

/// A world over a provider of text messages, every role telling all it can.
fn talkative(provider: &Provider) -> World {
    let channels = ["sms-a", "sms-b", "voice"].map(|id| provider.channel(id)).concat();
    let mut plan = Plan::default().over(&channels);
    for (at, phone) in PHONES.iter().enumerate() {
        plan.contacts =
            plan.contacts.replace(&format!("\"+3247000000{at}\""), &format!("\"{phone}\""));
    }
    let mut world = World::make(&plan);
    for (role, _) in ROLES {
        let mut command = world.command(role);
        command.env("SLUIS_LOG_LEVEL", "trace");
        world.start_as(role, command);
    }
    world
}

/// What the system shows of every role to who may look: its arguments and its environment.
fn shown(world: &World) -> Vec<(String, Vec<u8>)> {
    let mut shown = Vec::new();
    for (role, _) in ROLES {
        for file in ["environ", "cmdline"] {
            let bytes = fs::read(format!("/proc/{}/{file}", world.pid(role))).unwrap();
            assert!(!bytes.is_empty(), "{file} of {role}");
            shown.push((format!("{file} of {role}"), bytes));
        }
    }
    shown
}

fn lines(provider: &Provider) -> Vec<String> {
    let mut lines: Vec<String> = provider
        .seen()
        .iter()
        .map(|body| {
            let body: serde_json::Value = serde_json::from_str(body).unwrap();
            line_in(body["text"].as_str().unwrap())
        })
        .collect();
    lines.sort();
    lines.dedup();
    lines
}

/// What is wrong to type, with every answer that it gets.
fn wrong_words(world: &World, code: &str, lines: &[String]) -> Vec<(String, Vec<u8>)> {
    let mut typo: Vec<char> = lines[0].chars().collect();
    typo[6] = if typo[6] == '7' { '8' } else { '7' };
    let typo: String = typo.into_iter().collect();
    let halves = format!("{}{}", &lines[0][..20], &lines[1][20..]);
    let mut answers = Vec::new();
    for arguments in [
        &["open", code][..],
        &["--json", "open", code],
        &["open", "ZZZZ-ZZZ"],
        &["key", "combine", code],
    ] {
        for typed in [&typo, &halves, &lines[0][..30].to_owned(), &format!("{} x", lines[0])] {
            let answer = world.cli_with("municipality", arguments, typed);
            assert!(!answer.status.success(), "{arguments:?}");
            answers.push((format!("{arguments:?}, output"), answer.stdout));
            answers.push((format!("{arguments:?}, error"), answer.stderr));
        }
    }
    answers
}

/// Everything that a person may ask of the two cores about it. It may name the file, and nothing else.
fn answers(world: &World, code: &str) -> Vec<(String, Vec<u8>)> {
    let mut answers = Vec::new();
    for host in ["agency", "municipality"] {
        for arguments in [
            &["show", code][..],
            &["--json", "show", code],
            &["list"],
            &["--json", "list"],
            &["evidence", code],
            &["deadlines"],
            &["notices"],
            &["waiting"],
            &["retention"],
            &["health", "--prometheus"],
            &["--json", "health"],
            &["--json", "ledger", "verify"],
        ] {
            let answer = world.cli(host, arguments);
            answers
                .push((format!("{host} {arguments:?}"), [answer.stdout, answer.stderr].concat()));
        }
    }
    answers
}

fn none_in(secrets: &Secrets, places: &[(String, Vec<u8>)]) {
    for (place, bytes) in places {
        let found = secrets.within(bytes);
        assert!(found.is_empty(), "{place} has {found:?}");
    }
}

/// Where something secret lies on a host, without the places where it belongs.
fn astray(world: &World, secrets: &Secrets, belongs: &[&str]) -> Vec<(PathBuf, String)> {
    let root = world.path("");
    let mut found = secrets.below(&root);
    found.retain(|(path, what)| {
        let place = path.strip_prefix(&root).unwrap().display().to_string();
        let rule = |rule: &&str| match rule.split_once(": ") {
            Some((folder, secret)) => place.starts_with(folder) && what.contains(secret),
            None => place.starts_with(*rule),
        };
        !belongs.iter().any(rule)
    });
    found
}

#[test]
fn a_journey_leaves_nothing_secret_in_logs_answers_databases_processes_or_files() {
    let provider = Provider::new(Mood::Busy);
    let world = talkative(&provider);
    let list = format!("rijksregisternummer;contract;attest\n{NUMBER};1;1\n");
    let code = world.send(NAME, list.as_bytes());
    // The provider is busy: shares are on their way, and tried again.
    until("shares to be on their way", || (provider.seen().len() >= 3).then_some(()));
    let mut places = shown(&world);
    provider.set(Mood::Takes);
    world.wait("agency", &code, "Released");
    let lines = until("all lines", || Some(lines(&provider)).filter(|lines| lines.len() == 3));
    let combined =
        world.cli_with("municipality", &["key", "combine", &code], &lines[..2].join("\n"));
    let passphrase = stdout(&combined).trim().to_owned();
    assert_eq!(passphrase.len(), 26, "{}", stderr(&combined));

    let mut keys = Secrets::default();
    keys.symbols("the passphrase", &passphrase, 0..26);
    for (at, line) in lines.iter().enumerate() {
        keys.symbols(&format!("share line {}", at + 1), line, 3..29);
    }
    let mut people = Secrets::default();
    people.text("a number of the list", NUMBER);
    people.text("the name of the drop", NAME);
    PHONES.iter().for_each(|phone| people.text("a telephone", &phone[1..]));
    // What is kept until it is opened is the list; what is told at the outbox is its name.
    let contacts = ["agency/agreements: a telephone", "mechelen.contacts.toml: a telephone"];
    let names = ["agency/outbox/mechelen/STATUS-: the name"];
    let before = ["agency/private", "agency/outbox/mechelen/STATUS-: the name"];
    assert_eq!(astray(&world, &keys, &[]), []);
    assert_eq!(astray(&world, &people, &[&contacts[..], &before].concat()), []);

    places.extend(wrong_words(&world, &code, &lines));
    places.extend(shown(&world));
    let first = world.cli_with("municipality", &["open", &code], &lines[0]);
    assert_eq!(first.status.code(), Some(1));
    let second = world.cli_as_with(SECOND, "municipality", &["open", &code], &lines[1]);
    assert!(second.status.success(), "{}{}", stdout(&second), stderr(&second));
    world.wait("agency", &code, "Closed");
    places.push(("what `open` says".into(), [first.stdout, second.stdout].concat()));
    let told = answers(&world, &code);
    none_in(&keys, &told);
    places.extend(shown(&world));
    none_in(&keys, &places);
    none_in(&people, &places);
    let opened = [&contacts[..], &names, &["municipality/vault"]].concat();
    assert_eq!(astray(&world, &keys, &[]), []);
    assert_eq!(astray(&world, &people, &opened), []);

    let asked = world.cli("municipality", &["destroy", &code]);
    assert!(asked.status.success(), "{}", stderr(&asked));
    let confirmed = world.cli_as(SECOND, "municipality", &["destroy", &code]);
    assert!(confirmed.status.success(), "{}", stderr(&confirmed));
    world.wait("municipality", &code, "Destroyed");
    assert_eq!(astray(&world, &keys, &[]), []);
    assert_eq!(astray(&world, &people, &[&contacts[..], &names].concat()), []);
    for (role, _) in ROLES {
        assert!(world.log(role).contains("ready"), "{role} has logged");
    }
}

#[test]
fn when_a_transfer_is_closed_no_process_has_its_key_its_lines_or_its_list_in_memory() {
    let provider = Provider::new(Mood::Takes);
    let world = talkative(&provider);
    let list = format!("rijksregisternummer;contract;attest\n{NUMBER};1;1\n");
    let code = world.send(NAME, list.as_bytes());
    world.wait("agency", &code, "Released");
    let lines = until("all lines", || Some(lines(&provider)).filter(|lines| lines.len() == 3));
    let mut typed = Secrets::default();
    typed.symbols("a typed line", &lines[0], 3..29);
    let first = world.cli_with("municipality", &["open", &code], &lines[0]);
    assert_eq!(first.status.code(), Some(1), "{}", stderr(&first));
    // What is held until there are enough is found: the look can see.
    let held = typed.in_memory(world.pid("keeper"));
    assert!(held.iter().any(|it| it.contains("its bytes")), "{held:?}");
    let second = world.cli_as_with(SECOND, "municipality", &["open", &code], &lines[1]);
    assert!(second.status.success(), "{}{}", stdout(&second), stderr(&second));
    world.wait("agency", &code, "Closed");

    let combined =
        world.cli_with("municipality", &["key", "combine", &code], &lines[..2].join("\n"));
    let mut secrets = Secrets::default();
    secrets.symbols("the passphrase", stdout(&combined).trim(), 0..26);
    for (at, line) in lines.iter().enumerate() {
        secrets.symbols(&format!("share line {}", at + 1), line, 3..29);
    }
    secrets.text("a number of the list", NUMBER);
    for (role, _) in ROLES {
        // A thread that has nothing to do gives its stack back after a while.
        let mut last = Vec::new();
        until(&format!("{role} to have forgotten"), || {
            let found = secrets.in_memory(world.pid(role));
            if found != last {
                eprintln!("{role} has {found:?}");
            }
            last = found;
            last.is_empty().then_some(())
        });
    }
}

/// A role that has not read its configuration yet: that is a pipe into which nobody writes.
struct Waiting(Child);

impl Drop for Waiting {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn no_role_can_be_dumped_or_looked_into_by_its_own_user() {
    let dir = tempfile::Builder::new().prefix("sluis-").tempdir().unwrap();
    let (program, pipe) = (dir.path().join("sluisd"), dir.path().join("pipe"));
    fs::copy(binary("sluisd"), &program).unwrap();
    assert!(tool(Command::new("mkfifo").arg(&pipe)).status.success());
    for path in [dir.path(), &program, &pipe] {
        fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    for (role, _) in ROLES {
        let mut command = Command::new(&program);
        command.arg(role).arg("--config").arg(&pipe).uid(61_009).gid(61_009);
        let role_of = Waiting(command.stdin(Stdio::null()).spawn().unwrap());
        let proc = PathBuf::from(format!("/proc/{}", role_of.0.id()));
        // The files of a process that may be dumped belong to its user, those of any other to root.
        until("its files to be root's", || {
            (fs::metadata(proc.join("mem")).unwrap().uid() == 0).then_some(())
        });
        let status = fs::read_to_string(proc.join("status")).unwrap();
        assert!(status.contains("\nUid:\t61009\t"), "{status}");
        let limits = fs::read_to_string(proc.join("limits")).unwrap();
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        assert_eq!(
            core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(),
            ["0", "0"],
            "{role}"
        );
        let unit =
            fs::read_to_string(root().join(format!("systemd/sluis-{role}.service"))).unwrap();
        assert!(unit.lines().any(|line| line == "LimitCORE=0"), "the unit of {role}");
    }
}
