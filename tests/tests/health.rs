//! `sluis health`: what monitoring reads, by its exit code, as JSON, and with Prometheus' own parser.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use serde_json::Value;
use sluis_core::id::Time;
use sluis_tests::world::Plan;
use sluis_tests::{World, root, stderr, stdout, tool, until};

const LIST: &[u8] = b"nummer;contract\n1;1\n";

/// An agreement that binds since so many days: its yearly clocks run from there.
fn in_force_since(days: i64) -> Plan {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let now = i64::try_from(now.as_millis()).unwrap();
    let since = Time(now - days * 86_400_000).date().to_string();
    let mut plan = Plan::default();
    for key in ["in-force", "listed-on"] {
        plan.agreement = plan
            .agreement
            .replace(&format!("{key} = \"2020-12-18\""), &format!("{key} = \"{since}\""));
    }
    plan
}

fn level(world: &World, host: &str) -> (Option<i32>, Value) {
    let asked = world.cli(host, &["--json", "health"]);
    let text = stdout(&asked);
    (asked.status.code(), serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}")))
}

/// The metrics, as Prometheus' own parser reads them: `name{labels}` and value.
fn parsed(text: &str) -> BTreeMap<String, f64> {
    const PARSER: &str = "import json, sys\n\
        from prometheus_client.parser import text_string_to_metric_families as read\n\
        found = {}\n\
        for family in read(sys.stdin.read()):\n \
            assert family.type == 'gauge' and family.documentation, family\n \
            for it in family.samples:\n  \
                key = it.name + ''.join(f' {k}={v}' for k, v in sorted(it.labels.items()))\n  \
                assert key not in found, key\n  \
                found[key] = it.value\n\
        print(json.dumps(found))";
    let python = root().join("target/tools/venv/bin/python");
    assert!(python.exists(), "tests/run installs Python packages into target/tools/venv");
    let read = sluis_tests::stock::run(Command::new(python).args(["-c", PARSER]), text.as_bytes());
    assert!(read.status.success(), "{}\n{text}", stderr(&read));
    serde_json::from_slice(&read.stdout).unwrap()
}

#[test]
fn a_host_on_which_nobody_must_act_is_in_order_and_a_term_that_comes_near_is_a_warning() {
    for (days, code, word) in [(5, 0, "ok"), (350, 1, "warning"), (400, 2, "critical")] {
        let world = World::running_as(&in_force_since(days));
        for host in ["agency", "municipality"] {
            let found = until("the gates to have asked", || {
                let (_, found) = level(&world, host);
                let gates = found["health"]["gates"].as_array().unwrap().clone();
                gates.iter().all(|gate| gate["seen_s"].is_u64()).then_some(found)
            });
            assert_eq!(
                (level(&world, host).0, &found["level"]),
                (Some(code), &word.into()),
                "{found}"
            );
            let line = world.cli(host, &["health"]);
            assert_eq!(stdout(&line).lines().count(), 1, "one line: {}", stdout(&line));
            let word = format!("SLUIS {}", word.to_uppercase());
            assert!(stdout(&line).starts_with(&word), "{}", stdout(&line));
        }
    }
}

#[test]
fn what_waits_for_a_person_is_critical_and_metrics_are_read_by_prometheus_own_parser() {
    let mut world = World::make(&in_force_since(5));
    fs::remove_file(world.path("agency/agreements/mechelen.contacts.toml")).unwrap();
    for role in ["dropzone", "sealer", "carrier", "releaser"] {
        world.start(role);
    }
    let code = world.send("lijst 85073003328.csv", LIST);
    world.wait("agency", &code, "Held");
    let (exit, found) = level(&world, "agency");
    assert_eq!((exit, &found["health"]["transfers"]["Held"]), (Some(2), &1.into()), "{found}");
    let file = world.path("metrics/agency.prom");
    fs::create_dir(world.path("metrics")).unwrap();
    let write = ["health", "--prometheus", "--to", file.to_str().unwrap()];
    let said = world.cli("agency", &write);
    assert!(said.status.success() && said.stdout.is_empty(), "{}", stderr(&said));
    let text = fs::read_to_string(&file).unwrap();
    let metrics = parsed(&text);
    for (name, value) in [
        ("sluis_up", 1.0),
        ("sluis_health", 2.0),
        ("sluis_clock_held", 0.0),
        ("sluis_transfers state=Held", 1.0),
        ("sluis_transfers_stuck", 1.0),
        ("sluis_deadlines clock=attestation ours=false standing=overdue", 0.0),
        ("sluis_deadlines clock=policy-review-agency ours=true standing=soon", 0.0),
        ("sluis_gate_waiting gate=carrier", 0.0),
    ] {
        assert_eq!(metrics.get(name), Some(&value), "{name}: {text}");
    }
    assert!(metrics.contains_key("sluis_gate_last_asked_seconds gate=carrier"), "{text}");
    for personal in ["85073003328", "lijst", &code] {
        assert!(!text.contains(personal) && !found.to_string().contains(personal), "{text}");
    }
    let inode = std::os::unix::fs::MetadataExt::ino(&fs::metadata(&file).unwrap());
    world.stop("sealer");
    // Gone is told too, in whichever form it is asked.
    assert!(world.cli("agency", &write).status.success());
    assert_eq!(parsed(&fs::read_to_string(&file).unwrap()).get("sluis_up"), Some(&0.0));
    assert_ne!(
        inode,
        std::os::unix::fs::MetadataExt::ino(&fs::metadata(&file).unwrap()),
        "replaced whole"
    );
    assert_eq!(fs::read_dir(world.path("metrics")).unwrap().count(), 1);
    let gone = world.cli("agency", &["health"]);
    assert_eq!(gone.status.code(), Some(2));
    assert!(
        stdout(&gone).starts_with("SLUIS CRITICAL: the core does not answer"),
        "{}",
        stdout(&gone)
    );
    assert_eq!(stdout(&gone).lines().count(), 1);
    assert_eq!(level(&world, "agency").0, Some(2));
    // A drop zone has no core to ask.
    assert_eq!(world.cli("dropzone", &["health"]).status.code(), Some(78));
}

#[test]
fn monitoring_has_a_socket_of_its_own_on_which_nothing_can_be_done() {
    let mut world = World::make(&Plan::default());
    world.start("sealer");
    let ask = |socket: &str, verb: &str| {
        let path = world.path(&format!("agency/run/{socket}.sock"));
        let mut curl = Command::new("curl");
        curl.args(["-s", "-o", "/dev/null", "-w", "%{http_code}", "--unix-socket"]).arg(path);
        stdout(&tool(curl.arg(format!("http://core/{verb}"))))
    };
    assert_eq!(ask("sealer-health", "health"), "200");
    assert_eq!(ask("sealer", "health"), "200");
    for verb in ["list", "ledger?after=0", "about", "notices", "deadlines", "clock", "withdraw"] {
        assert_eq!(ask("sealer-health", verb), "404", "{verb}");
    }
    // Who may not use that socket may use the one of persons, if they may.
    fs::remove_file(world.path("agency/run/sealer-health.sock")).unwrap();
    assert_eq!(level(&world, "agency").0, Some(2), "missed since 2021");
}
