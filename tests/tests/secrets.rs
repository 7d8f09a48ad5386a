//! A canary run: a whole journey of a list, a key and telephones that are known, every log at `trace`; then none of it
//! is anywhere but where it belongs. Files of all hosts by their raw bytes, what the system shows of each process, what
//! was answered, and the memory of each role.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use sluis_tests::canary::Secrets;
use sluis_tests::mail::{Mail, MailServer, PASSWORD};
use sluis_tests::provider::{Mood, Provider};
use sluis_tests::world::{Heard, Plan, ROLES, line_in};
use sluis_tests::{World, binary, root, stderr, stdout, tool, until};

/// A birthday that no calendar has: it is nobody's.
const NUMBER: &str = "99333399942";
const NAME: &str = "kanarie-in-de-mijn.csv";
const PHONES: [&str; 3] = ["+32487111222", "+32487333444", "+32487555666"];
const SECOND: &str = "65534";

/// What an operator reports, over the address that only it knows.
const REPORTS: &str = "\n[reports.channels.voice]\nreference = { json = \"/ref\" }\n\
    state = { json = \"/status\" }\ndelivered = [\"delivered\"]\nfailed = []\npending = []\n";

/// Every role that a host may run.
fn every_role() -> impl Iterator<Item = &'static str> {
    ROLES.map(|(role, _)| role).into_iter().chain(["reports", "notifier"])
}

/// What stands beside the hosts.
struct Talkative {
    world: World,
    provider: Provider,
    heard: Heard,
    mail: MailServer,
}

/// A world over a provider of text messages that reports, with somebody who is mailed; every role telling all it can.
fn talkative(mood: Mood) -> Talkative {
    let provider = Provider::new(mood);
    let channels = ["sms-a", "sms-b", "voice"].map(|id| provider.channel(id)).concat();
    let mut plan = Plan::default().over(&channels);
    for (at, phone) in PHONES.iter().enumerate() {
        plan.contacts =
            plan.contacts.replace(&format!("\"+3247000000{at}\""), &format!("\"{phone}\""));
    }
    let mut world = World::make(&plan);
    let heard = world.hears(&["voice"], REPORTS);
    let mut mail = MailServer::new();
    mail.start("wrapper", "right");
    mail.serves(&world, "agency", "");
    for role in every_role() {
        let mut command = world.command(role);
        command.env("SLUIS_LOG_LEVEL", "trace");
        world.start_as(role, command);
    }
    Talkative { world, provider, heard, mail }
}

impl Talkative {
    /// An operator reports with all that it knows of a message; an incident is told by mail.
    fn gates_have_work(&self, code: &str) {
        let (world, url) = (&self.world, self.heard.url("voice"));
        let shares = || world.shares(code);
        until("a report to be entered", || {
            for body in self.provider.seen() {
                let message: serde_json::Value = serde_json::from_str(&body).unwrap();
                let (to, reference, text) = (&message["to"], &message["ref"], &message["text"]);
                let report = format!(
                    "{{\"ref\":{reference},\"status\":\"delivered\",\"to\":{to},\"text\":{text}}}"
                );
                let mut curl = Command::new("curl");
                curl.args(["-s", "-o", "/dev/null", "--max-time", "5", "-d", &report, &url]);
                let _ = tool(&mut curl);
            }
            shares().iter().any(|share| share["report"]["report"] == "delivered").then_some(())
        });
        let found = "2026-01-05T10:00";
        let say = ["incident", "report", "mechelen", "--found", found, "--text", "een poging"];
        let said = world.cli("municipality", &say);
        assert!(said.status.success(), "{}", stderr(&said));
        let is_about = |it: &Mail| it.header("subject").contains("incident");
        until("a mail about it", || self.mail.mails().iter().any(is_about).then_some(()));
    }

    /// The mails, as what somebody was told.
    fn mailed(&self) -> Vec<(String, Vec<u8>)> {
        let mails = self.mail.mails().into_iter();
        mails.map(|mail| ("a mail".to_owned(), (mail.raw + &mail.body).into_bytes())).collect()
    }
}

/// What the system shows of every role to who may look: its arguments and its environment.
fn shown(world: &World) -> Vec<(String, Vec<u8>)> {
    let mut shown = Vec::new();
    for role in every_role() {
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

/// Drops of that name that go nowhere: one in the outbox itself, and one beside which its refusal cannot be told.
fn refused_by_name(world: &World) {
    let outbox = world.path("agency/outbox");
    let misplaced = outbox.join(NAME);
    fs::write(&misplaced, "1").unwrap();
    until("it to be told beside it", || {
        outbox.join(format!("STATUS-{NAME}.txt")).exists().then_some(())
    });
    let name = format!("leeg-{NAME}");
    fs::create_dir(world.outbox().join(format!("STATUS-{name}.txt"))).unwrap();
    world.put(OsStr::new(&name), b"");
    for what in ["a file in the outbox itself is never taken", "a refusal cannot be told yet"] {
        until(what, || world.log("sealer").contains(what).then_some(()));
    }
    fs::remove_file(misplaced).unwrap();
    fs::remove_file(world.outbox().join(name)).unwrap();
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

/// Everything that a person may ask of the two cores about it: where the file may be named, and the rest, where it may not.
fn answers(world: &World, code: &str) -> [Vec<(String, Vec<u8>)>; 2] {
    let ask = |host: &str, arguments: &[&str]| {
        let answer = world.cli(host, arguments);
        (format!("{host} {arguments:?}"), [answer.stdout, answer.stderr].concat())
    };
    let (mut named, mut rest) = (Vec::new(), Vec::new());
    for host in ["agency", "municipality"] {
        let to = world.path(&format!("evidence-{host}"));
        let export = ["evidence", "export", code, "--to", to.to_str().unwrap()];
        for arguments in
            [&["show", code][..], &["--json", "show", code], &["list"], &["--json", "list"]]
        {
            named.push(ask(host, arguments));
        }
        for arguments in [
            &export[..],
            &["deadlines"],
            &["--json", "deadlines"],
            &["notices"],
            &["--json", "notices"],
            &["waiting"],
            &["--json", "waiting"],
            &["retention"],
            &["health"],
            &["health", "--prometheus"],
            &["--json", "health"],
            &["ledger", "verify"],
            &["--json", "ledger", "verify"],
            &["ledger", "export"],
        ] {
            rest.push(ask(host, arguments));
        }
        assert!(to.join("verify.sh").exists(), "evidence is handed over, and looked through");
    }
    [named, rest]
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
    let hosts = talkative(Mood::Busy);
    let (world, provider) = (&hosts.world, &hosts.provider);
    let list = format!("rijksregisternummer;contract;attest\n{NUMBER};1;1\n");
    let code = world.send(NAME, list.as_bytes());
    // The provider is busy: shares are on their way, and tried again.
    until("shares to be on their way", || (provider.seen().len() >= 3).then_some(()));
    let mut places = shown(world);
    provider.set(Mood::Takes);
    world.wait("agency", &code, "Released");
    let lines = until("all lines", || Some(lines(provider)).filter(|lines| lines.len() == 3));
    hosts.gates_have_work(&code);
    refused_by_name(world);
    let combined =
        world.cli_with("municipality", &["key", "combine", &code], &lines[..2].join("\n"));
    let passphrase = stdout(&combined).trim().to_owned();
    assert_eq!(passphrase.len(), 26, "{}", stderr(&combined));

    let mut keys = Secrets::default();
    keys.symbols("the passphrase", &passphrase, 0..26);
    for (at, line) in lines.iter().enumerate() {
        keys.symbols(&format!("share line {}", at + 1), line, 3..29);
    }
    let (mut people, mut named) = (Secrets::default(), Secrets::default());
    people.text("a number of the list", NUMBER);
    PHONES.iter().for_each(|phone| people.text("a telephone", &phone[1..]));
    named.text("the name of the drop", NAME);
    // What opens a way in: of an operator's reports, and of the mail server.
    let mut ways = Secrets::default();
    ways.text("the address of reports", &hosts.heard.tokens["voice"]);
    ways.text("the mail server's password", PASSWORD);
    ways.base64("the mail server's password", format!("\0sluis\0{PASSWORD}").as_bytes());
    let credentials = ["agency/credentials/"];
    // What is kept until it is opened is the list; what is told at the outbox is its name.
    let contacts = ["agency/agreements: a telephone", "mechelen.contacts.toml: a telephone"];
    let status = ["agency/outbox/mechelen/STATUS-", "agency/outbox/STATUS-"];
    let hidden = |of_people: &[&str], of_names: &[&str]| {
        assert_eq!(astray(world, &keys, &[]), []);
        assert_eq!(astray(world, &people, &[&contacts[..], of_people].concat()), []);
        assert_eq!(astray(world, &named, &[&status[..], of_names].concat()), []);
        assert_eq!(astray(world, &ways, &credentials), []);
    };
    hidden(&["agency/private"], &["agency/private"]);

    places.extend(wrong_words(world, &code, &lines));
    places.extend(shown(world));
    let first = world.cli_with("municipality", &["open", &code], &lines[0]);
    assert_eq!(first.status.code(), Some(1));
    let second = world.cli_as_with(SECOND, "municipality", &["open", &code], &lines[1]);
    assert!(second.status.success(), "{}{}", stdout(&second), stderr(&second));
    world.wait("agency", &code, "Closed");
    places.push(("what `open` says".into(), [first.stdout, second.stdout].concat()));
    let [told_of_it, told] = answers(world, &code);
    places.extend(told);
    places.extend(shown(world));
    places.extend(hosts.mailed());
    none_in(&named, &places);
    places.extend(told_of_it);
    [&keys, &people, &ways].into_iter().for_each(|secrets| none_in(secrets, &places));
    hidden(&["municipality/vault"], &["municipality/vault"]);

    let asked = world.cli("municipality", &["destroy", &code]);
    assert!(asked.status.success(), "{}", stderr(&asked));
    let confirmed = world.cli_as(SECOND, "municipality", &["destroy", &code]);
    assert!(confirmed.status.success(), "{}", stderr(&confirmed));
    world.wait("municipality", &code, "Destroyed");
    hidden(&[], &[]);
    for role in every_role() {
        let log = world.log(role);
        assert!(log.contains("ready"), "{role} has logged");
    }
}

#[test]
fn when_a_transfer_is_closed_no_process_has_its_key_its_lines_or_its_list_in_memory() {
    let hosts = talkative(Mood::Takes);
    let (world, provider) = (&hosts.world, &hosts.provider);
    let list = format!("rijksregisternummer;contract;attest\n{NUMBER};1;1\n");
    let code = world.send(NAME, list.as_bytes());
    world.wait("agency", &code, "Released");
    let lines = until("all lines", || Some(lines(provider)).filter(|lines| lines.len() == 3));
    hosts.gates_have_work(&code);
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
    for role in every_role() {
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
    let (program, pipe) = (|name| dir.path().join(name), dir.path().join("pipe"));
    let programs = ["sluis", "sluisd"].map(|name| {
        fs::copy(binary(name), program(name)).unwrap();
        program(name)
    });
    assert!(tool(Command::new("mkfifo").arg(&pipe)).status.success());
    for path in programs.iter().map(PathBuf::as_path).chain([dir.path(), &pipe]) {
        fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    // Nor can the `sluis` of a custodian who types.
    for role in every_role().chain(["open"]) {
        let mut command = Command::new(program(if role == "open" { "sluis" } else { "sluisd" }));
        command.arg(role).args((role == "open").then_some("W714-096"));
        command.arg("--config").arg(&pipe).uid(61_009).gid(61_009);
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
        if role == "open" {
            continue;
        }
        let name = if role == "notifier" { "notifier@" } else { role };
        let unit =
            fs::read_to_string(root().join(format!("systemd/sluis-{name}.service"))).unwrap();
        for rule in ["LimitCORE=0", "MemorySwapMax=0"] {
            assert!(unit.lines().any(|line| line == rule), "{rule} in the unit of {role}");
        }
    }
}
