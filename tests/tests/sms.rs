//! The key channel over gateways that nobody here wrote, and what their operators report.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::process::Command;

use serde_json::Value;
use sluis_tests::kannel::PASSWORD;
use sluis_tests::provider::{Mood, Provider};
use sluis_tests::world::{Heard, Plan, ROLES, line_in};
use sluis_tests::{Kannel, Smsd, World, root, stderr, stdout, tool, until};

const LIST: &[u8] = b"rijksregisternummer;contract;attest\n85073003328;1;1\n";

/// A preset of `config/providers/`, its two tables, under the channel's own name.
fn preset(name: &str, channel: &str) -> (String, String) {
    let text = fs::read_to_string(root().join(format!("config/providers/{name}.toml"))).unwrap();
    let text = text.replace(&format!("channels.{name}"), &format!("channels.{channel}"));
    let (releaser, reports) = text.split_once("[reports.channels").unwrap();
    (releaser.to_owned(), format!("[reports.channels{reports}"))
}

/// As operators that report in a JSON body.
const JSON_REPORTS: &str = r#"
reference = { json = "/ref" }
state = { json = "/status" }
code = { json = "/code" }
delivered = ["delivered"]
failed = ["failed"]
pending = ["sent"]
"#;

/// Three providers of the tests, and `reports` for all of their channels.
fn hearing(mood: Mood, sealer: &str) -> (World, Heard, [Provider; 3]) {
    let providers = [mood, Mood::Takes, Mood::Takes].map(Provider::new);
    let channels = ["sms-a", "sms-b", "voice"];
    let tables: Vec<String> =
        channels.iter().zip(&providers).map(|(id, provider)| provider.channel(id)).collect();
    let mut plan = Plan::default().over(&tables.concat());
    plan.sealer = format!("settle-ms = 100\nrescan-s = 2\n{sealer}");
    let mut world = World::make(&plan);
    let reporters: Vec<String> =
        channels.iter().map(|id| format!("\n[reports.channels.{id}]{JSON_REPORTS}")).collect();
    let heard = world.hears(&channels, &reporters.concat());
    start(&mut world);
    (world, heard, providers)
}

fn start(world: &mut World) {
    ROLES.iter().for_each(|(role, _)| world.start(role));
    world.start("reports");
}

/// The status that `reports` answers.
fn report(url: &str, body: &str) -> String {
    let mut curl = Command::new("curl");
    curl.args(["-s", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "30"]);
    curl.args(["-H", "content-type: application/json", "-d", body, url]);
    stdout(&tool(&mut curl))
}

fn reference(provider: &Provider) -> String {
    let sent: Value = serde_json::from_str(&provider.seen()[0]).unwrap();
    sent["ref"].as_str().unwrap().to_owned()
}

fn is(share: &Value, stands: &str) -> bool {
    share["stands"] == stands || share["stands"].get(stands).is_some()
}

fn wait_share(world: &World, code: &str, at: usize, what: &str, so: impl Fn(&Value) -> bool) {
    until(&format!("share {at} to be {what}"), || {
        world.shares(code).get(at - 1).is_some_and(&so).then_some(())
    });
}

/// Events about one share in the agency's ledger.
fn events(world: &World, code: &str, kind: &str, share: &str) -> usize {
    let detail = world.json("agency", &["show", code]);
    let of = |entry: &&Value| entry["kind"] == kind && entry["detail"]["share"] == share;
    detail["timeline"].as_array().unwrap().iter().filter(of).count()
}

fn over_kannel(kannel: &Kannel) -> (World, Heard, Provider) {
    let other = Provider::new(Mood::Takes);
    let (table, reporter) = preset("kannel", "sms-a");
    let table = table.replace("http://127.0.0.1:13013/cgi-bin/sendsms", &kannel.url);
    let channels = table + &other.channel("sms-b") + &other.channel("voice");
    let mut world = World::make(&Plan::default().over(&channels));
    world.credential("agency", "provider-sms-a", PASSWORD);
    let heard = world.hears(&["sms-a"], &reporter);
    start(&mut world);
    (world, heard, other)
}

#[test]
fn two_gateways_that_nobody_here_wrote_carry_the_shares_of_one_transfer() {
    let (kannel, third) = (Kannel::start(), Provider::new(Mood::Takes));
    let (table, kannel_reports) = preset("kannel", "sms-a");
    let table = table.replace("http://127.0.0.1:13013/cgi-bin/sendsms", &kannel.url);
    let (modem, modem_reports) = preset("smsd", "sms-b");
    let mut plan = Plan::default();
    // Letters that GSM-7 has and ASCII has not.
    plan.agreement = plan.agreement.replacen("language = \"nl\"", "language = \"fr\"", 1);
    let mut world = World::make(&plan.over(&(table + &modem + &third.channel("voice"))));
    world.credential("agency", "provider-sms-a", PASSWORD);
    let heard = world.hears(&["sms-a", "sms-b"], &(kannel_reports + "\n" + &modem_reports));
    let smsd = Smsd::start(&heard.url("sms-b"));
    world.edit("agency", |text| {
        text.replace("/var/spool/sms/outgoing", smsd.outgoing().to_str().unwrap())
    });
    start(&mut world);
    let code = world.send("lijst.csv", LIST);
    world.wait("agency", &code, "Released");
    let taken = |messages: Vec<Value>| {
        assert_eq!(messages.len(), 1, "{messages:?}");
        messages[0].clone()
    };
    let first =
        until("the message centre to take it", || Some(kannel.taken()).filter(|it| !it.is_empty()));
    let second = until("the modem to take it", || Some(smsd.taken()).filter(|it| !it.is_empty()));
    let (first, second) = (taken(first), taken(second));
    assert_eq!((&first["segments"], &first["coding"]), (&Value::from(1), &Value::from(0)));
    assert_eq!(second["alphabet"], "gsm7");
    let lines = [&first, &second].map(|message| line_in(message["text"].as_str().unwrap()));
    for at in [1, 2] {
        wait_share(&world, &code, at, "reported as delivered", |share| {
            share["report"]["report"] == "delivered"
        });
    }
    let drivers = world.shares(&code)[1]["stands"]["Accepted"]["driver"].clone();
    assert_eq!(drivers, "smsd");
    // One person may not type them both: they came over real channels.
    let refused = world.cli_with("municipality", &["--json", "open", &code], &lines.join("\n"));
    assert!(stderr(&refused).contains("one-person"), "{}", stderr(&refused));
}

#[test]
fn a_rejection_that_comes_after_the_202_is_seen_and_can_be_mended() {
    let kannel = Kannel::start();
    kannel.mood("reject");
    let (world, _, _) = over_kannel(&kannel);
    let code = world.send("lijst.csv", LIST);
    world.wait("agency", &code, "Released");
    wait_share(&world, &code, 1, "reported as failed", |share| {
        is(share, "Accepted") && share["report"]["report"] == "failed"
    });
    let row = world.row("agency", &code).unwrap();
    assert!(
        row["note"]["message"].as_str().unwrap().contains("share 1 reported as failed (16)"),
        "{row}"
    );
    assert!(kannel.taken().is_empty());
    kannel.mood("deliver");
    let retried = world.cli("agency", &["retry", &code]);
    assert!(retried.status.success(), "{}", stderr(&retried));
    wait_share(&world, &code, 1, "reported as delivered", |share| {
        share["report"]["report"] == "delivered"
    });
    assert_eq!(kannel.taken().len(), 1);
    assert_eq!(
        world.statements("agency", &code).iter().filter(|kind| *kind == "released").count(),
        2,
        "what was sent again is said again"
    );
}

#[test]
fn a_gateway_that_sends_twice_by_itself_shows_as_one_share() {
    let kannel = Kannel::start();
    kannel.mood("lose");
    let (world, _, _) = over_kannel(&kannel);
    let code = world.send("lijst.csv", LIST);
    world.wait("agency", &code, "Released");
    until("Kannel to send it again", || (kannel.taken().len() == 2).then_some(()));
    let taken = kannel.taken();
    assert_eq!(taken[0]["text"], taken[1]["text"]);
    wait_share(&world, &code, 1, "reported as delivered", |share| {
        share["report"]["report"] == "delivered"
    });
    assert_eq!(events(&world, &code, "exposing", "1"), 1, "it left here once");
    assert_eq!(world.shares(&code).len(), 3);
}

#[test]
fn a_lost_answer_is_resolved_by_a_report_and_then_nothing_goes_again() {
    let (world, heard, providers) = hearing(Mood::Hangs, "resend-after-s = 3600\n");
    let code = world.send("lijst.csv", LIST);
    wait_share(&world, &code, 1, "unknown", |share| is(share, "Unknown"));
    wait_share(&world, &code, 2, "accepted", |share| is(share, "Accepted"));
    wait_share(&world, &code, 3, "accepted", |share| is(share, "Accepted"));
    assert_eq!(world.row("agency", &code).unwrap()["state"], "Releasing", "a doubt is under way");
    let word = format!(r#"{{"ref":"{}","status":"sent"}}"#, reference(&providers[0]));
    // Twice, and again later: a report is idempotent.
    assert_eq!(report(&heard.url("sms-a"), &word), "200");
    world.wait("agency", &code, "Released");
    let entries = world.json("agency", &["show", &code])["timeline"].as_array().unwrap().len();
    assert_eq!(report(&heard.url("sms-a"), &word), "200");
    let after = world.json("agency", &["show", &code])["timeline"].as_array().unwrap().len();
    assert_eq!(after, entries);
    assert!(is(&world.shares(&code)[0], "Accepted"));
    assert_eq!(providers[0].seen().len(), 1);
}

#[test]
fn without_a_report_it_goes_again_word_for_word_and_not_for_ever() {
    let (world, _, providers) = hearing(Mood::Hangs, "resend-after-s = 0\n");
    let code = world.send("lijst.csv", LIST);
    world.wait("agency", &code, "Released");
    let sent = providers[0].seen();
    assert_eq!(sent.len(), 3, "once, and twice again");
    assert!(sent.iter().all(|body| *body == sent[0]), "the same text, over the same channel");
    assert_eq!(events(&world, &code, "resend", "1"), 2, "each is in the ledger");
    assert_eq!(events(&world, &code, "exposing", "1"), 3);
    assert!(is(&world.shares(&code)[0], "Unknown"));
    // A person may still send it again, also a share that was taken.
    providers[0].set(Mood::Takes);
    for share in ["1", "2"] {
        let retried = world.cli("agency", &["retry", &code, "--share", share]);
        assert!(retried.status.success(), "{}", stderr(&retried));
        world.wait("agency", &code, "Released");
    }
    assert_eq!((providers[0].seen().len(), providers[1].seen().len()), (4, 2));
}

#[test]
fn a_provider_that_says_later_each_time_gets_it_a_few_times_and_then_a_person_decides() {
    let (world, _, providers) = hearing(Mood::Busy, "deferrals = 2\n");
    let code = world.send("lijst.csv", LIST);
    world.wait("agency", &code, "Released");
    let sent = providers[0].seen();
    assert_eq!(sent.len(), 3, "once, and twice again");
    assert!(sent.iter().all(|body| *body == sent[0]), "the same text, over the same channel");
    for kind in ["exposing", "shipped"] {
        assert_eq!(events(&world, &code, kind, "1"), 3, "each is in the ledger");
    }
    assert!(is(&world.shares(&code)[0], "Unknown"));
    let row = world.row("agency", &code).unwrap();
    let note = row["note"]["message"].as_str().unwrap();
    assert!(note.contains("share 1 unknown, its provider said \"later\" each time"), "{row}");
    let waits = world.json("agency", &["show", &code])["waiting"].clone();
    assert!(!waits.to_string().contains("releaser"), "it is not tried again: {waits}");
    providers[0].set(Mood::Takes);
    let retried = world.cli("agency", &["retry", &code, "--share", "1"]);
    assert!(retried.status.success(), "{}", stderr(&retried));
    world.wait("agency", &code, "Released");
    assert!(is(&world.shares(&code)[0], "Accepted"));
    assert_eq!(providers[0].seen().len(), 4);
}

/// Share 3 left, and 1 and 2 may have: two open the list, so it is too late to withdraw it; what waits is kept back.
#[test]
fn a_withdrawal_that_comes_too_late_for_what_was_put_off_keeps_back_what_waits() {
    let (world, _, providers) = hearing(Mood::Busy, "");
    providers[1].set(Mood::Busy);
    let code = world.send("lijst.csv", LIST);
    for at in [1, 2] {
        wait_share(&world, &code, at, "put off", |share| share["deferred"].as_u64() > Some(0));
    }
    wait_share(&world, &code, 3, "taken", |share| is(share, "Accepted"));
    let note = world.row("agency", &code).unwrap()["note"]["message"].to_string();
    assert!(
        note.contains("1 of 3 shares sent") && note.contains("share 2 may have left"),
        "{note}"
    );
    let told = world.cli("agency", &["withdraw", &code]);
    assert!(stderr(&told).contains("sluis[may-be-out]"), "{}", stderr(&told));
    world.wait("agency", &code, "Released");
    assert!(world.shares(&code)[..2].iter().all(|share| is(share, "Unknown")));
    assert!(!world.cli("agency", &["retry", &code]).status.success(), "none goes again");
    let before = providers.each_ref().map(|it| it.seen().len());
    providers.iter().for_each(|it| it.set(Mood::Takes));
    let other = world.send("andere.csv", b"een andere lijst");
    world.wait("agency", &other, "Released");
    assert_eq!(providers.each_ref().map(|it| it.seen().len()), before.map(|sent| sent + 1));
}

#[test]
fn what_was_sent_although_its_provider_said_later_goes_no_more_once_its_operator_reports_it() {
    let (world, heard, providers) = hearing(Mood::Busy, "");
    let code = world.send("lijst.csv", LIST);
    wait_share(&world, &code, 1, "put off", |share| share["deferred"].as_u64() > Some(0));
    let word = format!(r#"{{"ref":"{}","status":"delivered"}}"#, reference(&providers[0]));
    assert_eq!(report(&heard.url("sms-a"), &word), "200");
    world.wait("agency", &code, "Released");
    assert!(is(&world.shares(&code)[0], "Accepted"));
}

#[test]
fn a_report_is_a_hint_from_its_own_channel_and_in_any_order() {
    let (world, heard, providers) = hearing(Mood::Takes, "");
    let code = world.send("lijst.csv", LIST);
    world.wait("agency", &code, "Released");
    let own = reference(&providers[0]);
    let word = |reference: &str, status: &str| {
        format!(r#"{{"ref":"{reference}","status":"{status}","code":"28"}}"#)
    };
    // Another operator's word on it, a transfer that is not here, and a share that is not.
    let zeros = "0".repeat(32);
    for (channel, reference) in [
        ("sms-b", own.clone()),
        ("sms-a", format!("{zeros}-1")),
        ("sms-a", own.replace("-1", "-9")),
    ] {
        assert_eq!(report(&heard.url(channel), &word(&reference, "failed")), "200");
        assert!(world.shares(&code).iter().all(|share| share["report"].is_null()));
    }
    let says = |status: &str| {
        assert_eq!(report(&heard.url("sms-a"), &word(&own, status)), "200");
        world.shares(&code)[0]["report"]["report"].as_str().unwrap().to_owned()
    };
    assert_eq!(says("failed"), "failed");
    assert_eq!(says("sent"), "failed", "a weaker word that comes late changes nothing");
    assert_eq!(says("delivered"), "delivered", "a contradiction, and both stand in the ledger");
    assert_eq!(says("failed"), "delivered");
    assert_eq!(events(&world, &code, "reported", "1"), 2);
    assert_eq!(world.row("agency", &code).unwrap()["state"], "Released", "it frees nothing");
}

#[test]
fn whoever_does_not_know_the_address_reports_nothing_and_no_body_is_logged() {
    let (mut world, heard, providers) = hearing(Mood::Takes, "");
    world.stop("reports");
    let mut loud = world.command("reports");
    loud.env("SLUIS_LOG_LEVEL", "trace");
    world.start_as("reports", loud);
    let code = world.send("lijst.csv", LIST);
    world.wait("agency", &code, "Released");
    let own = reference(&providers[0]);
    let url = heard.url("sms-a");
    let word = format!(r#"{{"ref":"{own}","status":"failed","Message":"121Y-RQDH-VYVQ"}}"#);
    for wrong in [
        url.replace("ijkl", "ijkm"),
        url.replace("/sms-a/", "/sms-b/"),
        url.replace("/sms-a/", "/none/"),
        format!("http://{}/", heard.address),
        format!("{url}/more"),
    ] {
        assert_eq!(report(&wrong, &word), "404", "{wrong}");
    }
    for nonsense in ["", "{}", "[", "\u{1}", r#"{"status":"failed"}"#] {
        assert_eq!(report(&url, nonsense), "400", "{nonsense}");
    }
    assert_eq!(report(&url, &"x".repeat(70_000)), "413");
    assert!(world.shares(&code).iter().all(|share| share["report"].is_null()));
    // While the core is away the operator is asked to come again.
    world.stop("sealer");
    assert_eq!(report(&url, &word), "503");
    world.start("sealer");
    assert_eq!(report(&url, &word), "200");
    wait_share(&world, &code, 1, "reported", |share| share["report"]["report"] == "failed");
    let log = world.log("reports");
    for hidden in ["121Y-RQDH-VYVQ", &own, "0123456789abcdefghijkl"] {
        assert!(!log.contains(hidden), "{hidden} in {log}");
    }
}

#[test]
fn what_left_before_a_crash_stays_exposed_whatever_the_releaser_says_after_it() {
    let (mut world, _, providers) = hearing(Mood::Takes, "resend-after-s = 3600\n");
    providers.iter().for_each(|provider| provider.set(Mood::Silent));
    let code = world.send("lijst.csv", LIST);
    until("each provider to be asked", || {
        providers.iter().all(|provider| provider.seen().len() == 1).then_some(())
    });
    world.kill("releaser");
    // It comes back without its channels: all that it can say is "again".
    let config = fs::read_to_string(world.path("agency/sluis.toml")).unwrap();
    world.edit("agency", |text| text.replace("releaser.channels.", "releaser.channels.x-"));
    world.start("releaser");
    until("the releaser to say so", || {
        let detail = world.json("agency", &["show", &code]);
        detail["waiting"].to_string().contains("is not in [releaser.channels]").then_some(())
    });
    let note = world.row("agency", &code).unwrap()["note"]["message"].as_str().unwrap().to_owned();
    assert!(note.starts_with("3 of 3 shares sent"), "{note}");
    let late = world.cli("agency", &["withdraw", &code]);
    assert_eq!(late.status.code(), Some(1), "enough is out to open it: {}", stdout(&late));
    world.kill("releaser");
    fs::write(world.path("agency/sluis.toml"), config).unwrap();
    world.start("releaser");
    for at in 1..=3 {
        wait_share(&world, &code, at, "unknown", |share| is(share, "Unknown"));
    }
    assert!(providers.iter().all(|provider| provider.seen().len() == 1), "nothing left twice");
}
