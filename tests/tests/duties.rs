//! Who may do what: duties by Unix user on every verb of both sockets, and second persons.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::process::{Command, Output};

use sluis_core::control::MakeNotice;
use sluis_core::duty::{Duty, VERBS};
use sluis_core::id::Digest;
use sluis_core::notice::{Notice, Sort};
use sluis_core::words::Language;
use sluis_tests::persons::{Gate, NOTIFIER, did, with_duties};
use sluis_tests::world::{Plan, sluis, somewhere};
use sluis_tests::{World, stderr, stdout, until};

/// Numbers that belong to nobody, with right check digits.
const HEAD: &str = "rijksregisternummer;contract;attest\n";
const ONE: &str = "85073003328;1;1\n";
const TWO: &str = "90020199704;1;0\n00010100105;0;0\n";
/// Somebody who is neither who offers lists nor who installs agreements here.
const SECOND: &str = "61001";

/// The user of the tests that has this duty alone.
fn holder(duty: Duty) -> u32 {
    let place = Duty::ALL.iter().position(|known| *known == duty).unwrap();
    62_000 + u32::try_from(place).unwrap()
}

fn succeeds(output: &Output) {
    assert!(output.status.success(), "{}", stderr(output));
}

fn refuses(output: &Output, expected: &str) {
    assert_eq!(output.status.code(), Some(1), "{}", stderr(output));
    assert!(stderr(output).contains(expected), "{}", stderr(output));
}

/// The status of a request on a socket, by this user.
fn asks(socket: &std::path::Path, uid: u32, path: &str) -> u16 {
    tells(socket, uid, path, "{}")
}

/// The same, with this body.
fn tells(socket: &std::path::Path, uid: u32, path: &str, body: &str) -> u16 {
    let mut command = Command::new("setpriv");
    command.args([&format!("--reuid={uid}"), "--regid=0", "--clear-groups", "curl", "-s"]);
    command.args(["-o", "/dev/null", "-w", "%{http_code}", "--max-time", "20"]);
    command.args(["-H", "content-type: application/json", "-d", body, "--unix-socket"]);
    let answer = command.arg(socket).arg(format!("http://core/{path}")).output().unwrap();
    String::from_utf8(answer.stdout).unwrap().parse().unwrap()
}

/// What `init` writes: nobody but who made the host may do anything, until the operator names others.
#[test]
fn a_new_host_lets_nobody_in_but_who_made_it_and_no_core_starts_without_duties() {
    let mut world = World::make(&Plan::default());
    let dir = world.path("new");
    let made = sluis(
        &["init", "agency", "--id", "agentschap-ii", "--name", "Agentschap", "--dir"],
        [dir.as_os_str()],
    );
    assert!(made.status.success(), "{}", stderr(&made));
    let new = fs::read_to_string(dir.join("sluis.toml")).unwrap();
    let from = new.find("# Who may do what").unwrap();
    let written = &new[from..new.find("[sealer]").unwrap()];
    for duty in Duty::ALL {
        let of_agency = !matches!(duty, Duty::Custodian | Duty::Take | Duty::Destroy);
        assert_eq!(written.contains(&format!("\n{} = [0]", duty.name())), of_agency, "{written}");
    }
    // Without the section nothing starts: `config check` says so before, in either language.
    world.edit("agency", |text| with_duties(&text, "").replace("\n[duties]\n", "\n"));
    for (lang, said) in [("en", "duties: missing"), ("nl", "duties: ontbreekt")] {
        let checked = world.cli("agency", &["--lang", lang, "config", "check"]);
        assert_eq!(checked.status.code(), Some(78));
        assert!(stderr(&checked).contains(said), "{}", stderr(&checked));
    }
    let started = world.command("sealer").output().unwrap();
    assert_eq!(started.status.code(), Some(78), "{}", stderr(&started));
    assert!(stderr(&started).contains("duties: missing"), "{}", stderr(&started));
    let with = |text: String| text.replace("\n[sealer]", &format!("\n{written}[sealer]"));
    world.edit("agency", with);
    assert_eq!(world.json("agency", &["config", "check"])["notes"], serde_json::json!([]));
    world.start("sealer");
    // Nor is anybody missed for what only the municipality does.
    assert!(!world.log("sealer").contains("nobody has this duty"), "{}", world.log("sealer"));
    succeeds(&world.cli("agency", &["list"]));
    refuses(&world.cli_as(SECOND, "agency", &["list"]), "asks for the duty `view`");
    // A group that is not there is told before the core refuses to start.
    world.edit("agency", |text| text.replace("\nspeak = [0]", "\nspeak = [\"@niemand-hier\"]"));
    let checked = world.cli("agency", &["--lang", "nl", "config", "check"]);
    assert_eq!(checked.status.code(), Some(78));
    let said = stderr(&checked);
    assert!(said.contains("duties.speak: er is geen groep niemand-hier op deze machine"), "{said}");
}

/// The outbox takes files of the members of a group, and of nobody else.
#[test]
fn whose_files_may_leave_is_said_by_group_too() {
    let mut world = World::make(&Plan::default());
    let group = ["daemon", "bin", "games"]
        .into_iter()
        .find(|it| fs::read_to_string("/etc/group").unwrap().contains(&format!("\n{it}:")))
        .unwrap();
    world.edit("agency", |text| {
        let text = with_duties(&text, &format!("view = [0]\nsubmit = [\"@{group}\"]\n"));
        text.replace("owners = [0]", &format!("owners = [\"@{group}\"]"))
    });
    for role in ["dropzone", "sealer", "carrier"] {
        world.start(role);
    }
    world.put("van-root.csv".as_ref(), b"a list");
    let status = world.status_says("mechelen", "REFUSED");
    assert!(status.contains("art. 6") && status.contains("sealer.owners"), "{status}");
    let passwd = fs::read_to_string("/etc/passwd").unwrap();
    let member = passwd.lines().find(|line| line.starts_with(&format!("{group}:"))).unwrap();
    let uid: u32 = member.split(':').nth(2).unwrap().parse().unwrap();
    let ready = world.path("van-de-groep.csv");
    fs::write(&ready, b"a list").unwrap();
    std::os::unix::fs::chown(&ready, Some(uid), None).unwrap();
    fs::rename(&ready, world.outbox().join("van-de-groep.csv")).unwrap();
    until("the member's list to be sealed", || {
        let rows = world.json("agency", &["list"]);
        rows.as_array()
            .unwrap()
            .iter()
            .any(|row| row["state"] == "Sealed" || row["state"] == "Carried")
            .then_some(())
    });
}

/// Whoever stands in `sealer.owners` and has not the duty offers nothing by a file either.
#[test]
fn a_file_of_whoever_may_not_submit_stays() {
    let mut world = World::make(&Plan::default());
    let mut duties = String::new();
    for duty in Duty::ALL {
        let who = if duty == Duty::Submit { 61_777 } else { 0 };
        duties += &format!("{} = [{who}]\n", duty.name());
    }
    world.edit("agency", |text| with_duties(&text, &duties));
    for role in ["dropzone", "sealer", "carrier"] {
        world.start(role);
    }
    world.put("van-root.csv".as_ref(), b"a list");
    let status = world.status_says("mechelen", "REFUSED");
    assert!(status.contains("art. 6") && status.contains("submit"), "{status}");
    // Before it is offered, whoever asks hears that somebody else has to.
    let file = world.path("lijst.csv");
    fs::write(&file, b"a list").unwrap();
    let tried = world.cli("agency", &["send", "mechelen", file.to_str().unwrap(), "--dry-run"]);
    succeeds(&tried);
    assert!(stdout(&tried).contains("user 0 is not on the list"), "{}", stdout(&tried));
}

#[test]
fn every_verb_of_both_cores_is_held_against_the_duties_of_its_caller() {
    let mut world = World::make(&Plan::default());
    let mut duties = String::new();
    for duty in Duty::ALL {
        duties += &format!("{} = [{}]\n", duty.name(), holder(duty));
    }
    for host in ["agency", "municipality"] {
        world.edit(host, |text| with_duties(&text, &duties) + NOTIFIER);
    }
    world.start("sealer");
    world.start("keeper");
    let stranger = 62_999;
    let mut tried = 0;
    for (verb, asked) in VERBS {
        let mut known = 0;
        for core in ["sealer", "keeper"] {
            let socket = world.socket(core);
            let answers: Vec<(u32, u16)> = Duty::ALL
                .iter()
                .map(|duty| holder(*duty))
                .chain([0, stranger])
                .map(|uid| (uid, asks(&socket, uid, verb)))
                .collect();
            tried += answers.len();
            if answers.iter().all(|(_, status)| *status == 404) {
                continue;
            }
            known += 1;
            for (uid, status) in answers {
                let looks = asked == Duty::View && uid != stranger && uid != 0;
                let may = looks || uid == holder(asked);
                assert!(![0, 404].contains(&status), "{verb} at the {core} by {uid}: {status}");
                assert_eq!(status != 403, may, "{verb} at the {core} by {uid}: {status}");
            }
        }
        assert!(known > 0, "{verb} is on no socket");
    }
    assert_eq!(tried, VERBS.len() * 2 * (Duty::ALL.len() + 2));
    // What gates ask is on no person's socket, and what persons ask on no gate's.
    for core in ["sealer", "keeper"] {
        let verbs = ["next", "exposing", "done", "feed/mechelen", "seen/mechelen", "report"];
        for verb in verbs.into_iter().chain(["envelope/x"]) {
            assert_eq!(asks(&world.socket(core), holder(Duty::Operate), verb), 404, "{verb}");
        }
    }
    for gate in Gate::all() {
        let of_persons = VERBS.iter().filter(|(verb, _)| !gate.verbs.iter().any(|it| it == verb));
        for (verb, _) in of_persons {
            assert_eq!(asks(&gate.socket(&world), 0, verb), 404, "{verb} at {gate:?}");
        }
    }
    let log = world.log("sealer");
    assert!(log.contains("a verb is refused to this person"), "{log}");
}

/// "I never did that": whoever changed something stands in the ledger for it, by each verb. `agree` below, `clock`,
/// `number` and `restored` where they are walked: `clocks`, `numbers`, `restore`.
#[test]
fn each_verb_that_changes_something_names_in_the_ledger_who_used_it() {
    let mut plan = approved();
    plan.agreement = plan
        .agreement
        .replace("release = \"after-removal\"", "release = \"when-ready\"")
        .replace("max-size-mib = 10240", "max-size-mib = 1");
    let world = World::running_as(&plan);
    let mut next = 61_100;
    // Each time another one, so that no entry is taken for another.
    let mut does_with = |host: &str, arguments: &[&str], input: &str| {
        next += 1;
        let user = next.to_string();
        let answer = world.cli_as_with(&user, host, arguments, input);
        (answer, user)
    };
    let named = |host: &str, (answer, user): (Output, String), kind: &str| {
        succeeds(&answer);
        assert_eq!(did(&world, host, &user), [kind], "{host} {}", stdout(&answer));
    };
    let own = world.path("eigen.csv");
    fs::write(&own, "a list").unwrap();
    succeeds(&world.cli("agency", &["send", "mechelen", own.to_str().unwrap()]));
    assert_eq!(did(&world, "agency", "root"), ["send"]);
    let code = world.codes().remove(0);
    world.wait("agency", &code, "Admitted");
    named("agency", does_with("agency", &["approve", &code], ""), "approve");
    world.wait("municipality", &code, "Removed");
    named("municipality", does_with("municipality", &["ready", &code], ""), "ready");
    world.wait("agency", &code, "Released");
    named("agency", does_with("agency", &["retry", &code, "--share", "1"], ""), "retry");
    let lines = world.lines(&code);
    let (typed, user) = does_with("municipality", &["open", &code], &lines[0]);
    assert!(!typed.status.success(), "one line opens nothing");
    assert_eq!(did(&world, "municipality", &user), ["line"]);
    named("municipality", does_with("municipality", &["open", &code], &lines[1]), "line");
    named("municipality", does_with("municipality", &["take", &code], ""), "taken");
    world.wait("agency", &code, "Closed");
    named("municipality", does_with("municipality", &["destroy", &code], ""), "destroy-asked");
    named("municipality", does_with("municipality", &["destroy", &code], ""), "destroy-confirmed");

    let code = world.send("terug.csv", b"another list");
    world.wait("agency", &code, "Admitted");
    named("agency", does_with("agency", &["withdraw", &code], ""), "withdraw");
    let known = world.codes();
    named("agency", does_with("agency", &["redeliver", &code], ""), "redeliver");
    let again = until("it to be offered again", || {
        world.codes().into_iter().find(|code| !known.contains(code))
    });
    world.wait("agency", &again, "Admitted");
    let reject = ["reject", &again, "--reason", "de verkeerde"];
    named("agency", does_with("agency", &reject, ""), "reject");
    let large = world.send("groot.csv", &vec![b'x'; (1 << 20) + 1]);
    world.wait("agency", &large, "Refused");
    let let_pass = ["override", &large, "--reason", "een uitzondering"];
    named("agency", does_with("agency", &let_pass, ""), "override-asked");
    named("agency", does_with("agency", &let_pass, ""), "override-confirmed");
    for host in ["agency", "municipality"] {
        let say = ["security-info", "mechelen", "--text", "een bericht"];
        named(host, does_with(host, &say, ""), "security-info");
        let again = ["say-again", "mechelen", "--from", "1"];
        named(host, does_with(host, &again, ""), "said-again");
    }
}

#[test]
fn the_table_of_duties_in_the_manual_is_the_one_that_is_held() {
    let text = include_str!("../../docs/operations.md");
    let row = |line: &str| {
        let mut cells = line.split('|').map(str::trim).skip(1);
        let (duty, verbs) = (cells.next()?.strip_prefix('`')?.strip_suffix('`')?, cells.nth(1)?);
        Some((duty.to_owned(), verbs.split(", ").map(|verb| verb.replace('`', "")).collect()))
    };
    let head = "| duty | for whom | verbs of the socket |";
    let table = text.lines().skip_while(|line| *line != head).skip(2);
    let written: Vec<(String, Vec<String>)> = table.map_while(row).collect();
    let held: Vec<(String, Vec<String>)> = Duty::ALL
        .iter()
        .map(|duty| {
            let verbs = VERBS.iter().filter(|(_, asked)| asked == duty);
            (duty.name().to_owned(), verbs.map(|(verb, _)| (*verb).to_owned()).collect())
        })
        .collect();
    assert_eq!(written, held);
}

/// An agreement where a second person lets each list go.
fn approved() -> Plan {
    let mut plan = Plan::default();
    plan.agreement = plan.agreement.replace("[file]\n", "[file]\napproval = \"second-person\"\n");
    plan
}

#[test]
fn a_list_leaves_when_a_second_person_lets_it_go_and_not_before() {
    let mut world = World::running_as(&approved());
    let code = world.send("lijst.csv", b"a list");
    world.wait("agency", &code, "Admitted");
    world.status_says("mechelen", "ADMITTED");
    refuses(&world.cli("agency", &["approve", &code]), "whoever offered it does not approve it");
    refuses(&world.cli("agency", &["retry", &code]), "not possible");
    succeeds(&world.cli_as(SECOND, "agency", &["approve", &code]));
    world.wait("municipality", &code, "Removed");
    refuses(&world.cli_as(SECOND, "agency", &["approve", &code]), "not possible");
    // Whoever sends it again offers it too, and so does whose file it is.
    let known = world.codes();
    succeeds(&world.cli_as(SECOND, "agency", &["redeliver", &code]));
    let again = until("the list to be offered again", || {
        world.codes().into_iter().find(|code| !known.contains(code))
    });
    world.wait("agency", &again, "Admitted");
    let approve = ["approve", &again];
    refuses(&world.cli_as(SECOND, "agency", &approve), "whoever offered it does not approve it");
    refuses(&world.cli("agency", &approve), "whoever offered it does not approve it");
    succeeds(&world.cli_as("61002", "agency", &approve));
    world.wait("municipality", &again, "Removed");
    // Nobody else renames what was rejected, to offer it in its owner's name.
    let mode = fs::metadata(world.outbox()).unwrap().permissions();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o1000, 0o1000, "sticky");
    // What somebody changes after it was admitted is not what was approved.
    let code = world.send("anders.csv", b"seen");
    world.wait("agency", &code, "Admitted");
    let held = somewhere(&world.path("agency/private"), b"seen");
    fs::write(&held[0], "unseen").unwrap();
    let known = world.codes();
    succeeds(&world.cli_as(SECOND, "agency", &["approve", &code]));
    let again = until("the changed list to be taken again", || {
        world.codes().into_iter().find(|code| !known.contains(code))
    });
    world.wait("agency", &code, "Refused");
    world.wait("agency", &again, "Admitted");
    // Rejected, with a reason for whoever offered it; also after a restart it is not taken again.
    let reject = ["reject", &again, "--reason", "de verkeerde selectie"];
    succeeds(&world.cli_as(SECOND, "agency", &reject));
    assert_eq!(fs::read(world.outbox().join("anders.csv.rejected")).unwrap(), b"unseen");
    let status = world.status_says("mechelen", "de verkeerde selectie");
    assert!(status.starts_with("REFUSED") && status.contains("art. 6"), "{status}");
    assert!(world.stop("sealer").success());
    world.start("sealer");
    let next = world.send("volgende.csv", b"next");
    world.wait("agency", &next, "Admitted");
    let open = world.json("agency", &["list"]);
    let admitted = open.as_array().unwrap().iter().filter(|row| row["state"] == "Admitted");
    assert_eq!(admitted.count(), 1, "{open}");
    succeeds(&world.cli("agency", &["withdraw", &next]));
}

#[test]
fn a_new_version_counts_when_a_second_person_says_so() {
    let mut world = World::running();
    let file = world.path("nieuw.toml");
    let text = fs::read_to_string(world.path("agency/agreements/mechelen.toml")).unwrap();
    fs::write(&file, text.replace("version = 1", "version = 2")).unwrap();
    for host in ["agency", "municipality", "dropzone"] {
        succeeds(&world.cli(host, &["agreement", "add", file.to_str().unwrap()]));
    }
    for role in ["dropzone", "sealer", "keeper", "carrier", "fetcher", "releaser"] {
        assert!(world.stop(role).success());
        world.start(role);
    }
    world.put("lijst.csv".as_ref(), b"a list");
    let status = world.status_says("mechelen", "REFUSED");
    assert!(status.contains("version 2 of the agreement waits for two persons"), "{status}");
    // What is no list is said under the version that counts.
    succeeds(&world.cli("agency", &["reviewed", "mechelen", "--text", "nagekeken"]));
    let approve = ["agreement", "approve", "mechelen"];
    let approved = |host| {
        let asked = world.cli(host, &approve);
        assert!(String::from_utf8_lossy(&asked.stdout).contains("a second person confirms"));
        refuses(&world.cli(host, &approve), "a second person confirms it");
        succeeds(&world.cli_as(SECOND, host, &approve));
        assert_eq!(
            did(&world, host, SECOND),
            ["agreement-approve-confirmed", "agreement-approved"]
        );
    };
    // Whoever put the file there, here root, is nobody's second person.
    approved("agency");
    let code = world.send("andere.csv", b"a list");
    // A list under a version that does not count at the other side is announced there, and not fetched.
    world.wait("municipality", &code, "Announced");
    approved("municipality");
    world.wait("municipality", &code, "Removed");
    // The first version is no way back without a second person.
    assert!(world.stop("sealer").success());
    fs::write(world.path("agency/agreements/mechelen.toml"), &text).unwrap();
    world.start("sealer");
    let about = world.cli("agency", &["list"]);
    assert!(String::from_utf8_lossy(&about.stdout).contains("sluis agreement approve mechelen"));
}

/// Whether a list with these rows might leave.
fn looked_at(world: &World, rows: &str) -> Output {
    let file = world.path("nagekeken.csv");
    fs::write(&file, format!("{HEAD}{rows}")).unwrap();
    world.cli("agency", &["send", "mechelen", file.to_str().unwrap(), "--dry-run"])
}

#[test]
fn what_a_list_breaks_is_let_pass_by_two_persons_with_a_reason_and_once() {
    let agreement = include_str!("../../config/examples/demo/mechelen.toml").to_owned();
    let mut world = World::running_as(&Plan { agreement, ..Plan::default() });
    let refused = |world: &World, name: &str, rows: &str| {
        let known = world.codes();
        world.put(name.as_ref(), format!("{HEAD}{rows}").as_bytes());
        until("the refusal", || world.codes().into_iter().find(|code| !known.contains(code)))
    };
    // What was refused once and lies there still is offered by nobody while another one is let pass.
    refused(&world, "ongevraagd.csv", &format!("{ONE}{TWO}"));
    let asked = world.json("municipality", &["request", "mechelen", "--text", "de lijst"]);
    assert!(asked["digest"].is_string());
    until("the request to be heard", || {
        let rows = world.json("agency", &["notices"]);
        (!rows.as_array().unwrap().is_empty()).then_some(())
    });
    world.stop("fetcher");
    let code = refused(&world, "een.csv", ONE);
    let reason = "één dossier, niet te krijgen via MAGDA";
    let first = ["override", &code, "--reason", reason];
    succeeds(&world.cli("agency", &first));
    refuses(&world.cli("agency", &first), "a second person confirms");
    let waiting = world.json("agency", &["waiting"]);
    assert!(waiting[0]["subject"].as_str().unwrap().contains("single-row"), "{waiting}");
    let known = world.codes();
    succeeds(&world.cli_as(SECOND, "agency", &first));
    let taken = until("the list to be taken", || {
        world.codes().into_iter().find(|code| !known.contains(code))
    });
    world.wait("agency", &taken, "Carried");
    // Stopped, so that the year's request is free again; but what was let pass is that list, by whatever name.
    succeeds(&world.cli("agency", &["withdraw", &taken]));
    succeeds(&looked_at(&world, ONE));
    refuses(&looked_at(&world, "90020199704;1;0\n"), "[single-row]");
    let other = refused(&world, "nog.csv", "90020199704;1;0\n");
    let shown = world.json("agency", &["show", &other]);
    let why = shown["row"]["note"]["message"].as_str().unwrap();
    assert!(shown["row"]["state"] == "Refused" && why.contains("[single-row]"), "{why}");
    let taken = refused(&world, "zelfde.csv", ONE);
    world.start("fetcher");
    world.wait("municipality", &taken, "Removed");
    for host in ["agency", "municipality"] {
        let notice = until("the override to be in the ledger", || {
            let rows = world.json(host, &["notices"]);
            rows.as_array().unwrap().iter().find(|row| row["sort"] == "override").cloned()
        });
        let text = notice["notice"]["text"].as_str().unwrap();
        assert_eq!(text, format!("single-row: {reason}"));
        let to = world.path(&format!("evidence-{host}"));
        succeeds(&world.cli(host, &["evidence", "export", &taken, "--to", to.to_str().unwrap()]));
        let named = somewhere(&to, notice["digest"].as_str().unwrap().as_bytes());
        assert!(!named.is_empty(), "`sent` names what let it pass");
        let let_pass = fs::read_dir(&to).unwrap().flatten().map(|entry| entry.file_name());
        let let_pass = let_pass.filter(|name| name.to_string_lossy().ends_with("-override.json"));
        assert_eq!(let_pass.count(), 1, "and it is there");
    }
    assert!(world.outbox().join("ongevraagd.csv").exists());
    // No one person says it by the verb for notices.
    let alone = MakeNotice {
        agreement: "mechelen".parse().unwrap(),
        code: None,
        sort: Sort::Override,
        notice: Notice { case: Some(Digest::of(b"x")), ..Notice::of("single-row: ik alleen") },
        language: Language::Nl,
    };
    let alone = serde_json::to_string(&alone).unwrap();
    assert_eq!(tells(&world.socket("sealer"), 0, "notice", &alone), 409);
    let names = refused(&world, "naam.csv", &format!("{ONE}{TWO}x;1;1\n"));
    let no = world.cli("agency", &["override", &names, "--reason", "toch maar"]);
    refuses(&no, "nobody lets this pass");
}

/// Whoever lost the duty since has asked for nothing: the second one is the first then.
#[test]
fn a_first_person_who_lost_the_duty_has_asked_for_nothing() {
    let mut world = World::running();
    let code = world.send("lijst.csv", b"a list");
    world.wait("agency", &code, "Released");
    let lines = world.lines(&code);
    let _ = world.cli_as_with("61003", "municipality", &["open", &code], &lines[0]);
    succeeds(&world.cli_as_with("61004", "municipality", &["open", &code], &lines[1]));
    world.wait("municipality", &code, "Opened");
    let destroy = ["destroy", &code];
    let waiting = |world: &World| {
        let waiting = world.json("municipality", &["waiting"]);
        waiting.as_array().unwrap().iter().map(|it| it["by"].clone()).collect::<Vec<_>>()
    };
    succeeds(&world.cli_as("61001", "municipality", &destroy));
    assert_eq!(waiting(&world), ["61001"]);
    assert!(world.stop("keeper").success());
    world.edit("municipality", |text| {
        let line = text.lines().find(|line| line.starts_with("destroy = [")).unwrap();
        text.replace(line, &line.replace("61001, ", ""))
    });
    world.start("keeper");
    assert_eq!(waiting(&world), [""; 0]);
    succeeds(&world.cli_as("61002", "municipality", &destroy));
    assert_eq!(did(&world, "municipality", "61002"), ["destroy-asked"]);
    assert_eq!(did(&world, "municipality", "61001"), ["destroy-asked", "destroy-lapsed"]);
    assert_eq!(world.json("municipality", &["show", &code])["row"]["state"], "Opened");
    succeeds(&world.cli("municipality", &destroy));
    world.wait("municipality", &code, "Destroyed");
}

#[test]
fn a_custodians_line_is_typed_by_that_custodians_user() {
    let mut world = World::make(&Plan::default());
    let custodians = "\n[keeper.custodians]\nan = 61001\nbart = 61002\nchantal = 61003\n";
    let is_noted = |world: &World, lang: &str, said: &str| {
        let checked = world.cli("municipality", &["--lang", lang, "config", "check"]);
        succeeds(&checked);
        stdout(&checked).contains(&format!("[keeper.custodians] {said}"))
    };
    let notes = [("en", "is missing"), ("nl", "ontbreekt")];
    assert!(notes.iter().all(|(lang, said)| is_noted(&world, lang, said)));
    world.edit("municipality", |text| text + custodians);
    assert!(notes.iter().all(|(lang, said)| !is_noted(&world, lang, said)));
    for role in ["dropzone", "sealer", "keeper", "carrier", "releaser", "fetcher"] {
        world.start(role);
    }
    let code = world.send("lijst.csv", b"a list");
    world.wait("agency", &code, "Released");
    let lines = world.lines(&code);
    refuses(&world.cli_with("municipality", &["open", &code], &lines[0]), "keeper.custodians");
    let typed =
        |uid: &str, line: &str| world.cli_as_with(uid, "municipality", &["open", &code], line);
    refuses(&typed("61002", &lines[0]), "art. 6");
    let _ = typed("61001", &lines[0]);
    succeeds(&typed("61002", &lines[1]));
    world.wait("municipality", &code, "Opened");
}
