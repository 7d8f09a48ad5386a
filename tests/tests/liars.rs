//! Gates that were taken over: what they say is refused where it is not their own work, and it is seen.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};
use sluis_tests::persons::{Gate, NOTIFIER};
use sluis_tests::world::Plan;
use sluis_tests::{World, stdout, tool, until};

const LIST: &[u8] = b"rijksregisternummer;contract;attest\n85073003328;1;1\n";
/// The number of a process that is no gate.
const LIAR: &str = "00112233445566778899aabbccddeeff";
/// Every verb that some gate has.
const VERBS: [&str; 8] = [
    "next",
    "exposing",
    "done",
    "feed/mechelen",
    "seen/mechelen",
    "report",
    "envelope/x",
    "health",
];

fn socket(world: &World, host: &str, name: &str) -> PathBuf {
    world.path(host).join("run").join(format!("{name}.sock"))
}

/// Says this on a socket; the status, and what was answered.
fn says(socket: &PathBuf, verb: &str, body: &str) -> (u16, Value) {
    let mut curl = Command::new("curl");
    curl.args(["-s", "-m", "60", "-w", "\n%{http_code}", "--unix-socket"]).arg(socket);
    curl.args(["-H", "content-type: application/json", "-d", body]);
    let answer = stdout(&tool(curl.arg(format!("http://core/{verb}"))));
    let (text, status) = answer.rsplit_once('\n').unwrap();
    (status.parse().unwrap(), serde_json::from_str(text).unwrap_or_default())
}

fn asks(socket: &PathBuf, wait: u64) -> (u16, Value) {
    let ask = json!({ "agreement": null, "lane": "jobs", "instance": LIAR, "task": 0, "ask": 1, "wait": wait });
    says(socket, "next", &ask.to_string())
}

fn refused(world: &World, core: &str) -> usize {
    world.log(core).matches("what a gate says is refused").count()
}

/// Ledger and states of a host.
fn stands(world: &World, host: &str) -> (String, Value) {
    let states = world.json(host, &["list"]);
    (stdout(&world.cli(host, &["ledger", "export"])), states)
}

#[test]
fn what_a_gate_says_beyond_its_work_is_refused_and_seen() {
    let mut world = World::running();
    // Both gates of the agency are taken over, with work in their hands.
    world.stop("releaser");
    let code = world.send("lijst.csv", LIST);
    world.wait("agency", &code, "Releasing");
    world.stop("carrier");
    let releaser = socket(&world, "agency", "sealer-releaser");
    let carrier = socket(&world, "agency", "sealer-carrier");
    let (status, job) = asks(&releaser, 5);
    assert_eq!(status, 200, "{job}");
    let (id, lease) = (job["id"].as_i64().unwrap(), job["lease"].as_i64().unwrap());
    let before = stands(&world, "agency");
    let accepted = json!({ "outcome": "accepted", "driver": "http", "message": null });
    let word = |job: i64, lease: i64, outcome: &Value| {
        json!({ "job": job, "lease": lease, "outcome": outcome }).to_string()
    };
    let lies = [
        // Another's work, an earlier lease, a later one, work that there is none of.
        (&carrier, "done", word(id, lease, &accepted)),
        (&releaser, "done", word(id, lease - 1, &accepted)),
        (&releaser, "done", word(id, lease + 1, &accepted)),
        (&releaser, "done", word(i64::MAX, lease, &accepted)),
        (&releaser, "exposing", json!({ "job": -1, "lease": 0 }).to_string()),
    ];
    for (socket, verb, body) in &lies {
        let (status, answer) = says(socket, verb, body);
        assert_eq!((status, answer["code"].as_str()), (409, Some("no-such-job")), "{verb} {body}");
    }
    let go = json!({ "job": id, "lease": lease }).to_string();
    assert_eq!(says(&carrier, "exposing", &go).0, 404, "shares leave by another gate");
    // A share that was not let go is none that left.
    assert_eq!(says(&releaser, "done", &word(id, lease, &accepted)).0, 204);
    let shares = world.shares(&code);
    assert!(shares.iter().all(|share| share["exposed"] == false), "{shares:?}");

    let nonsense = [
        "",
        "{",
        "[]",
        "null",
        "{\"job\":\"x\"}",
        "\u{1b}[2J",
        "{\"job\":1,\"lease\":1,\"more\":1}",
    ];
    for verb in ["done", "exposing", "next", "feed/mechelen"] {
        for body in nonsense {
            let (status, _) = says(&releaser, verb, body);
            assert!((400..500).contains(&status), "{verb} {body:?}: {status}");
        }
    }
    let large = world.path("large");
    fs::write(&large, vec![b'x'; 5 << 20]).unwrap();
    assert_eq!(says(&releaser, "done", &format!("@{}", large.display())).0, 413);
    let letters = json!({ "letters": [{ "number": 1, "letter": "AAAA" }] }).to_string();
    assert_eq!(says(&carrier, "feed/mechelen", &letters).0, 422);
    assert_eq!(says(&carrier, "feed/gent", r#"{"letters":[]}"#).0, 404);
    let seen = json!({ "letters": [], "seen": "AAAA" }).to_string();
    assert_eq!(
        says(&carrier, "feed/mechelen", &seen).0,
        200,
        "who lies about that is not believed"
    );
    let after = stands(&world, "agency");
    assert_eq!(after, before, "nothing that was said changed anything");
    assert!(refused(&world, "sealer") >= lies.len() + nonsense.len() * 4 + 3);

    // It goes on as if nothing had been.
    world.start("carrier");
    world.start("releaser");
    world.wait("agency", &code, "Released");
    assert_eq!(world.lines(&code).len(), 3);
}

#[test]
fn a_letter_that_is_brought_again_or_out_of_turn_changes_nothing() {
    let mut world = World::running();
    let code = world.send("lijst.csv", LIST);
    world.wait("municipality", &code, "Removed");
    world.wait("agency", &code, "Released");
    until("`released` to be heard", || {
        world.statements("municipality", &code).contains(&"released".to_owned()).then_some(())
    });
    // What the gate of the municipality could keep: all letters of the agency, as the drop zone has them.
    let folder = world.path("dropzone/medium/mechelen/mailbox/municipality");
    let mut letters: Vec<(u64, String)> = fs::read_dir(folder)
        .unwrap()
        .flatten()
        .filter_map(|it| Some((it.file_name().to_str()?.parse().ok()?, it.path())))
        .map(|(number, path)| {
            let bytes = fs::read(path).unwrap();
            (number, data_encoding_base64(&bytes))
        })
        .collect();
    letters.sort();
    assert!(letters.len() >= 3, "sent, probed, released");
    world.stop("fetcher");
    let fetcher = socket(&world, "municipality", "keeper-fetcher");
    let before = stands(&world, "municipality");
    let bring = |which: Vec<&(u64, String)>| {
        let letters: Vec<Value> = which
            .iter()
            .map(|(number, letter)| json!({ "number": number, "letter": letter }))
            .collect();
        says(&fetcher, "feed/mechelen", &json!({ "letters": letters }).to_string())
    };
    for _ in 0..20 {
        assert_eq!(bring(letters.iter().collect()).0, 200, "they are known");
        assert_eq!(bring(letters.iter().rev().collect()).0, 200);
        assert_eq!(bring(vec![&letters[0], &letters[0]]).0, 200);
    }
    assert_eq!(stands(&world, "municipality"), before);
    world.start("fetcher");
}

#[test]
fn a_gate_that_floods_its_core_holds_up_no_person() {
    let mut world = World::running();
    world.stop("fetcher");
    let fetcher = socket(&world, "municipality", "keeper-fetcher");
    // What it says that it is would be kept for each of its tasks.
    let long = json!({ "agreement": null, "lane": "jobs", "instance": "x".repeat(100_000), "task": 0, "ask": 1, "wait": 0 });
    let before = refused(&world, "keeper");
    assert_eq!(says(&fetcher, "next", &long.to_string()).0, 422);
    assert_eq!(refused(&world, "keeper"), before + 1, "and it is seen");
    // Polls that wait and are never ended, words without work, all at once, and bounded.
    let flood: Vec<_> = (0..200)
        .map(|at| {
            let mut curl = Command::new("curl");
            curl.args(["-s", "-m", "20", "-o", "/dev/null", "--unix-socket"]).arg(&fetcher);
            curl.args(["-H", "content-type: application/json", "-d"]);
            let (verb, body) = match at % 2 {
                0 => ("next", json!({ "agreement": null, "lane": "jobs", "instance": LIAR, "task": at, "ask": 1, "wait": 20 })),
                _ => ("done", json!({ "job": at, "lease": at, "outcome": { "outcome": "posted" } })),
            };
            curl.arg(body.to_string()).arg(format!("http://core/{verb}")).spawn().unwrap()
        })
        .collect();
    until("the flood to be there", || (refused(&world, "keeper") >= 50).then_some(()));
    assert!(world.cli("municipality", &["list"]).status.success(), "a person is answered");
    assert!(world.cli("municipality", &["ledger", "verify"]).status.success());
    for mut curl in flood {
        let _ = curl.kill();
        curl.wait().unwrap();
    }
    world.start("fetcher");
    let code = world.send("lijst.csv", LIST);
    world.wait("agency", &code, "Released");
}

#[test]
fn each_gate_has_its_own_verbs_and_no_other() {
    let mut world = World::make(&Plan::default());
    for (core, host) in [("sealer", "agency"), ("keeper", "municipality")] {
        world.edit(host, |text| text + NOTIFIER);
        world.start(core);
    }
    for gate in Gate::all() {
        for verb in VERBS {
            let name = verb.split('/').next().unwrap();
            let (status, _) = says(&gate.socket(&world), verb, "{}");
            assert_ne!(status, 0, "nobody listens at {gate:?}");
            let has = gate.verbs.iter().any(|it| it == name);
            assert_eq!(status != 404, has, "{verb} at {gate:?}: {status}");
        }
    }
}

fn data_encoding_base64(bytes: &[u8]) -> String {
    let mut base64 = Command::new("base64");
    let path = tempfile::NamedTempFile::new().unwrap();
    fs::write(path.path(), bytes).unwrap();
    stdout(&tool(base64.arg("-w0").arg(path.path())))
}
