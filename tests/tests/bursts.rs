//! Many drops at once while roles are killed, and two persons who want different things at the same moment.
//!
//! `SLUIS_BURST` says how many drops; the seed of what is killed when stands in the output.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use sluis_tests::dice::Dice;
use sluis_tests::exposures::{in_folders, of_agency, twice};
use sluis_tests::faults::half_made;
use sluis_tests::mail::MailServer;
use sluis_tests::world::{Plan, ROLES, line_in};
use sluis_tests::{World, stderr, until};

/// Drops of a burst, where nobody asks for more.
const DROPS: usize = 60;
const KILLS: usize = 20;
const SEED: u64 = 0x51_07_15;

/// The messages in the telephones, as (code, telephone) to the lines.
fn messages(world: &World) -> BTreeMap<(String, String), Vec<String>> {
    let mut found: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for phone in fs::read_dir(world.path("phones")).into_iter().flatten().flatten() {
        for message in fs::read_dir(phone.path()).unwrap().flatten() {
            // It may not have its name yet.
            let Ok(text) = fs::read_to_string(message.path()) else { continue };
            let code = text.split_whitespace().find(|word| is_code(word.trim_end_matches('.')));
            let Some(code) = code else { continue };
            let of = (
                code.trim_end_matches('.').to_owned(),
                phone.file_name().to_string_lossy().into_owned(),
            );
            found.entry(of).or_default().push(line_in(&text));
        }
    }
    found
}

fn is_code(word: &str) -> bool {
    word.len() == 8
        && word.as_bytes()[4] == b'-'
        && word.chars().all(|c| c == '-' || c.is_ascii_digit() || c.is_ascii_uppercase())
}

fn codes_in(messages: &BTreeMap<(String, String), Vec<String>>) -> BTreeMap<String, usize> {
    let mut count = BTreeMap::new();
    messages.keys().for_each(|(code, _)| *count.entry(code.clone()).or_default() += 1);
    count
}

/// How many transfers have reached all three telephones: no message is read for it.
fn complete(world: &World) -> usize {
    let arrived = in_folders(world);
    let has = |index| arrived.keys().filter(|(_, share)| *share == index).count();
    [1, 2, 3].map(has).into_iter().min().unwrap()
}

/// No share left more often than the agency's ledger says why.
fn none_left_twice_in_silence(world: &World) {
    let twice = twice(&of_agency(world), &in_folders(world));
    assert_eq!(twice, Vec::<String>::new());
}

/// The number of the list in a transfer, which is opened by the lines that its custodians got.
fn opened(world: &World, code: &str, messages: &BTreeMap<(String, String), Vec<String>>) -> usize {
    let of_it = messages.iter().filter(|((of, _), _)| of == code);
    let lines: Vec<&str> = of_it.map(|(_, lines)| lines[0].as_str()).collect();
    let open = world.cli_with("municipality", &["open", code], &lines.join("\n"));
    assert!(open.status.success(), "{code}: {}", stderr(&open));
    let file = fs::read_dir(world.vault(code).join("opened")).unwrap().next().unwrap().unwrap();
    let name = file.file_name().into_string().unwrap();
    let at = name.strip_prefix("lijst-").and_then(|it| it.strip_suffix(".csv")).unwrap();
    assert_eq!(fs::read_to_string(file.path()).unwrap(), list(at), "{code}");
    at.parse().unwrap()
}

fn list(at: &str) -> String {
    format!("rijksregisternummer;contract;attest\n85073003328;1;{at}\n")
}

#[test]
fn a_burst_with_roles_killed_at_random_loses_no_file_and_sends_none_twice() {
    let drops = std::env::var("SLUIS_BURST").map_or(DROPS, |text| text.parse().unwrap());
    let mut world =
        World::make(&Plan { dropzone: "max-uploads = 100000\n".into(), ..Plan::default() });
    ROLES.iter().for_each(|(role, _)| world.start(role));
    let began = Instant::now();
    for at in 0..drops {
        world.put(format!("lijst-{at}.csv").as_ref(), list(&at.to_string()).as_bytes());
    }
    let mut dice = Dice::of(SEED);
    let mut moments: Vec<usize> = (0..KILLS).map(|_| dice.below(drops)).collect();
    moments.sort_unstable();
    let mut killed = BTreeMap::new();
    let mut done = 0;
    while done < drops {
        done = until("one more to arrive", || Some(complete(&world)).filter(|now| *now > done));
        // By how far it is, not by a clock: a slow machine is killed at the same points.
        while moments.first().is_some_and(|moment| *moment <= done) {
            moments.remove(0);
            let (role, _) = ROLES[dice.below(ROLES.len())];
            world.kill(role);
            world.start(role);
            *killed.entry(role).or_insert(0) += 1;
        }
    }
    let took = began.elapsed();
    eprintln!(
        "{drops} drops in {took:?}, {:?} each; seed {SEED:#x} killed {killed:?}",
        took / u32::try_from(drops).unwrap()
    );

    let messages = messages(&world);
    assert_eq!(codes_in(&messages).len(), drops, "as many transfers as drops");
    for ((code, phone), lines) in &messages {
        let different: BTreeSet<_> = lines.iter().collect();
        assert_eq!(different.len(), 1, "{code} at {phone}: one split, one line");
    }
    none_left_twice_in_silence(&world);
    // Nothing is left where it was dropped or where it was on its way.
    let left = fs::read_dir(world.outbox()).unwrap().flatten();
    let left: Vec<_> = left
        .map(|it| it.file_name())
        .filter(|it| it.to_string_lossy().starts_with("lijst"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    let envelopes = fs::read_dir(world.path("municipality/vault/mechelen")).unwrap().flatten();
    assert_eq!(envelopes.filter(|it| it.path().join("envelope.age").exists()).count(), drops);
    until("the drop zone to be empty", || {
        (fs::read_dir(world.path("dropzone/medium/mechelen/files")).unwrap().count() == 0)
            .then_some(())
    });
    for host in ["agency", "municipality"] {
        let verified = world.cli(host, &["ledger", "verify"]);
        assert!(verified.status.success(), "{}", stderr(&verified));
    }
    // One `sent` and one `removed` of each, and a list of its own in it; where they are many, of a hundred that the dice show.
    let mut codes: Vec<String> = codes_in(&messages).into_keys().collect();
    while codes.len() > 100 {
        codes.swap_remove(dice.below(codes.len()));
    }
    let mut lists = BTreeSet::new();
    for code in &codes {
        assert!(lists.insert(opened(&world, code, &messages)), "{code} has the list of another");
        let said = world.statements("agency", code);
        for kind in ["sent", "removed"] {
            assert_eq!(said.iter().filter(|it| *it == kind).count(), 1, "{code}: {said:?}");
        }
    }
}

#[test]
fn a_role_that_is_stopped_in_the_middle_ends_in_order_and_what_it_began_is_whole() {
    let mut world = World::running();
    let mut drops = 0;
    for (role, _) in ROLES.iter().chain(ROLES.iter().rev()) {
        let known = world.codes().len();
        for _ in 0..3 {
            // What takes a while to seal, to carry and to fetch.
            let mut content = sluis_tests::bytes(600_000);
            content.extend(format!("{drops}").bytes());
            world.put(format!("lijst-{drops}.csv").as_ref(), &content);
            drops += 1;
        }
        until("the first of them to be taken", || (world.codes().len() > known).then_some(()));
        assert!(world.stop(role).success(), "{role}: {}", world.log(role));
        assert!(!world.log(role).contains("drained=false"), "{role} did not end what it had begun");
        world.start(role);
    }
    until("every drop to reach three telephones", || (complete(&world) == drops).then_some(()));
    for ((code, phone), lines) in messages(&world) {
        assert_eq!(lines.len(), 1, "{code} at {phone}: nothing was killed, and nothing goes again");
    }
    for (role, _) in ROLES {
        assert_eq!(
            world.log(role).matches("drained=true").count(),
            2,
            "{role} ended twice, in order"
        );
    }
    for host in ["agency", "municipality"] {
        assert!(world.cli(host, &["ledger", "verify"]).status.success());
    }
    // The last words may still be on their way into a mailbox.
    until("nothing to be half made", || half_made(&world.path("")).is_empty().then_some(()));
}

/// Asks a role to stop, and does not wait for it.
fn asked_to_stop(world: &World, role: &str) {
    let pid = rustix::process::Pid::from_raw(world.pid(role).try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
}

/// What the role ended with after that.
fn ends_in_order(world: &mut World, role: &str) {
    assert!(world.stop(role).success(), "{role}: {}", world.log(role));
    let log = world.log(role);
    assert_eq!(log.matches("drained=true").count(), 1, "{log}");
}

const REPORTS: &str = "\n[reports.channels.voice]\nreference = { json = \"/ref\" }\n\
    state = { json = \"/status\" }\ndelivered = [\"delivered\"]\nfailed = []\npending = []\n";

/// The two roles that no list passes.
#[test]
fn a_report_and_a_mail_that_are_under_way_are_ended_when_their_role_is_stopped() {
    let mut world = World::make(&Plan::default());
    let heard = world.hears(&["voice"], REPORTS);
    let mut mail = MailServer::new();
    mail.start("wrapper", "right");
    mail.serves(&world, "agency", "");
    world.edit("agency", |text| text.replace("officer@party.example", "waits@party.example"));
    let every = ROLES.iter().map(|(role, _)| *role).chain(["reports", "notifier"]);
    every.for_each(|role| world.start(role));

    // Half a report: its reader has begun where it asks for the rest.
    let body = r#"{"ref":"R-1","status":"delivered"}"#;
    let mut operator = TcpStream::connect(&heard.address).unwrap();
    let (path, length) = (heard.url("voice"), body.len());
    let path = path.strip_prefix(&format!("http://{}", heard.address)).unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\nExpect: 100-continue\r\n\r\n"
    );
    operator.write_all(head.as_bytes()).unwrap();
    let mut answer = BufReader::new(operator.try_clone().unwrap()).lines().map(Result::unwrap);
    assert_eq!(answer.next().unwrap(), "HTTP/1.1 100 Continue");
    asked_to_stop(&world, "reports");
    until("its door to be shut", || TcpStream::connect(&heard.address).err());
    operator.write_all(body.as_bytes()).unwrap();
    let status = answer.find(|line| line.starts_with("HTTP/1.1 "));
    assert_eq!(status.unwrap(), "HTTP/1.1 200 OK");
    ends_in_order(&mut world, "reports");

    let incident = ["incident", "report", "mechelen", "--found", "2026-01-05T10:00", "--text", "x"];
    let said = world.cli("municipality", &incident);
    assert!(said.status.success(), "{}", stderr(&said));
    let begun = |line: &String| line == "rcpt waits@party.example";
    until("a mail to be under way", || mail.said().iter().find(|line| begun(line)).cloned());
    asked_to_stop(&world, "notifier");
    fs::write(mail.path("go"), "").unwrap();
    ends_in_order(&mut world, "notifier");
    assert_eq!(mail.mails().len(), 1, "{:?}", mail.said());
}

#[test]
fn a_withdrawal_that_races_with_the_release_is_one_or_the_other() {
    let mut plan = Plan::default();
    plan.agreement =
        plan.agreement.replace("release = \"after-removal\"", "release = \"when-ready\"");
    let world = World::running_as(&plan);
    let rounds = 40;
    let codes: Vec<String> = (0..rounds)
        .map(|at| world.send(&format!("lijst-{at}.csv"), format!("{at}").as_bytes()))
        .collect();
    let (mut withdrawn, mut released) = (0, 0);
    for (at, code) in codes.iter().enumerate() {
        world.wait("municipality", code, "Removed");
        until("the agency to wait for the custodians", || {
            world
                .row("agency", code)
                .filter(|row| row["state"] == "Removed" && row["mover"] == "municipality")
        });
        let ready = world.cli("municipality", &["ready", code]);
        assert!(ready.status.success(), "{}", stderr(&ready));
        // No wait for anything: the two are let go closer to and further from each other. From right now to about when the last share leaves.
        std::thread::sleep(Duration::from_millis(u64::try_from(at).unwrap() * 4));
        let answer = world.cli("agency", &["withdraw", code]);
        if answer.status.success() {
            withdrawn += 1;
            assert_eq!(world.row("agency", code).unwrap()["state"], "Withdrawn");
            world.wait("municipality", code, "Ended");
        } else {
            released += 1;
            world.wait("agency", code, "Released");
        }
    }
    let sent = codes_in(&messages(&world));
    for code in &codes {
        let state = world.row("agency", code).unwrap()["state"].as_str().unwrap().to_owned();
        let shares = sent.get(code).copied().unwrap_or_default();
        match state.as_str() {
            "Withdrawn" => assert!(shares < 2, "{code} was withdrawn, and {shares} shares left"),
            "Released" => assert_eq!(shares, 3, "{code}"),
            other => panic!("{code} is {other}"),
        }
    }
    none_left_twice_in_silence(&world);
    eprintln!("{withdrawn} withdrawn, {released} released");
    assert_eq!(withdrawn + released, rounds);
}
