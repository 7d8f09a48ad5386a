//! What the articles ask of one list beyond its columns: whose residents it is about, who gets its shares, whether its
//! basis still stands; and what the ledger keeps of each decision.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;
use sluis_core::id::Time;
use sluis_tests::provider::{Mood, Provider};
use sluis_tests::world::{GROUPS, Plan};
use sluis_tests::{World, stderr, stdout, until};

/// Numbers that belong to nobody, with right check digits.
const LIST: &[u8] =
    b"rijksregisternummer;contract;attest\n85073003328;1;1\n90020199704;1;0\n00010100105;0;0\n";

/// The demonstration's agreement as it is: lists, and only when asked for.
fn strict() -> Plan {
    let agreement = include_str!("../../config/examples/demo/mechelen.toml").to_owned();
    Plan { agreement, ..Plan::default() }
}

fn ask(world: &World) {
    let _ = world.json("municipality", &["request", "mechelen", "--text", "de lijst van 2026"]);
    until("the request to be heard", || {
        let rows = world.json("agency", &["notices"]);
        (!rows.as_array().unwrap().is_empty()).then_some(())
    });
}

/// The agency's `sent` of a transfer, from what it exports.
fn sent(world: &World, code: &str) -> Value {
    let to = world.path(&format!("evidence-{code}"));
    let made = world.cli("agency", &["evidence", "export", code, "--to", to.to_str().unwrap()]);
    assert!(made.status.success(), "{}", stderr(&made));
    let texts = fs::read_dir(&to).unwrap().flatten().map(|entry| entry.path());
    let texts = texts.filter(|path| path.extension().is_some_and(|it| it == "json"));
    let mut said = texts.map(|path| serde_json::from_slice(&fs::read(path).unwrap()).unwrap());
    said.find(|it: &Value| it["kind"] == "sent").unwrap()
}

fn verified(world: &World, code: &str) -> String {
    let to = world.path(&format!("evidence-{code}"));
    let trust = to.join("allowed_signers");
    let (to, trust) = (to.to_str().unwrap(), trust.to_str().unwrap());
    stdout(&world.cli("agency", &["evidence", "verify", to, "--trust", trust]))
}

#[test]
fn whose_residents_a_list_is_about_is_said_under_the_agencys_signature_or_it_stays() {
    let world = World::running_as(&strict());
    ask(&world);
    let list = world.path("lijst.csv");
    fs::write(&list, LIST).unwrap();
    let list = list.to_str().unwrap();
    // Drawn for another municipality: refused, whatever the agreement says about lists.
    for more in [&["--dry-run"][..], &[]] {
        let wrong = [&["send", "mechelen", list, "--drawn-for", "11002"], more].concat();
        let refused = world.cli("agency", &wrong);
        assert_eq!(refused.status.code(), Some(1), "{}", stdout(&refused));
        let text = stderr(&refused);
        assert!(text.contains("drawn for NIS code 11002, the municipality has 12025"), "{text}");
    }
    let nonsense = world.cli("agency", &["send", "mechelen", list, "--drawn-for", "Mechelen"]);
    assert_eq!(nonsense.status.code(), Some(2));
    // It never lay where it would have been taken without that word; the refusal is entered.
    assert!(!world.outbox().join("lijst.csv").exists());
    let refused = world.json("agency", &["list"]);
    let states: Vec<_> = refused.as_array().unwrap().iter().map(|row| &row["state"]).collect();
    assert_eq!(states, ["Refused"]);
    // A list that is dropped rests on the agreement, and `sent` says so.
    let code = world.send("lijst-2026.csv", LIST);
    world.wait("agency", &code, "Released");
    let word = serde_json::json!({ "nis": "12025", "word": "agreement" });
    assert_eq!(sent(&world, &code)["body"]["residents"], word);
    assert!(verified(&world, &code).contains("drew the list as the agreement has it"));
    // Sent again it rests on what it rested on.
    let again = world.json("agency", &["redeliver", &code])["code"].as_str().unwrap().to_owned();
    world.wait("agency", &again, "Released");
    assert_eq!(sent(&world, &again)["body"]["residents"], word);
}

#[test]
fn where_the_agreement_does_not_say_how_lists_are_selected_a_persons_word_is_asked_for() {
    let mut plan = strict();
    plan.agreement = plan
        .agreement
        .lines()
        .filter(|line| !line.starts_with("selection"))
        .collect::<Vec<_>>()
        .join("\n");
    let mut world = World::running_as(&plan);
    ask(&world);
    world.put("lijst.csv".as_ref(), LIST);
    let text = world.status_says("mechelen", "REFUSED");
    assert!(text.contains("art. 2") && text.contains("sluis send --drawn-for 12025"), "{text}");
    fs::remove_file(world.outbox().join("lijst.csv")).unwrap();
    // The word outlives the process that heard it.
    world.stop("carrier");
    let list = world.path("lijst.csv");
    fs::write(&list, LIST).unwrap();
    let arguments = ["send", "mechelen", list.to_str().unwrap(), "--drawn-for", "12025"];
    let code = world.json("agency", &arguments)["code"].as_str().unwrap().to_owned();
    world.stop("sealer");
    world.start("sealer");
    world.start("carrier");
    world.wait("agency", &code, "Released");
    let word = serde_json::json!({ "nis": "12025", "word": "person" });
    assert_eq!(sent(&world, &code)["body"]["residents"], word);
    assert!(verified(&world, &code).contains("whoever offered the list said"));
    let again = world.json("agency", &["redeliver", &code])["code"].as_str().unwrap().to_owned();
    world.wait("agency", &again, "Released");
    assert_eq!(sent(&world, &again)["body"]["residents"], word);
    let to = world.path("bundel");
    let folder = to.to_str().unwrap();
    let arguments = ["evidence", "export", "--agreement", "mechelen", "--to", folder];
    assert!(world.cli("agency", &arguments).status.success());
    let report = fs::read_to_string(to.join("report.en.html")).unwrap();
    assert!(report.contains("drawn for residents of NIS code 12025, by the word of whoever"));
}

/// The entries of the agency's ledger.
fn ledger(world: &World) -> Vec<Value> {
    let exported = stdout(&world.cli("agency", &["ledger", "export"]));
    exported.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn each_decision_of_the_gate_is_entered_with_its_outcome_version_and_rules() {
    let world = World::running_as(&strict());
    world.put("ongevraagd.csv".as_ref(), b"naam;contract;attest\nJan;1;1\nAn;1;0\n");
    let _ = world.status_says("mechelen", "REFUSED");
    fs::remove_file(world.outbox().join("ongevraagd.csv")).unwrap();
    ask(&world);
    world.put("namen.csv".as_ref(), b"naam;contract;attest\nJan;1;1\nAn;1;0\n");
    until("the second refusal", || {
        let entries = ledger(&world);
        (entries.iter().filter(|it| it["kind"] == "refused").count() == 2).then_some(())
    });
    fs::remove_file(world.outbox().join("namen.csv")).unwrap();
    let code = world.send("lijst.csv", LIST);
    world.wait("agency", &code, "Released");
    let entries = ledger(&world);
    let of = |kind: &str| entries.iter().filter(|it| it["kind"] == kind).collect::<Vec<_>>();
    let refused = of("refused");
    for entry in &refused {
        assert_eq!(entry["detail"]["outcome"], "refuse", "{entry}");
        assert_eq!(entry["detail"]["version"], "1", "{entry}");
    }
    // All at once: what stands around the list, and what is wrong in it.
    let reasons = refused[0]["detail"]["reasons"].as_str().unwrap();
    assert!(reasons.starts_with("recital C: not-requested, art. 3: "), "{reasons}");
    let reasons = refused[1]["detail"]["reasons"].as_str().unwrap();
    assert!(reasons.split(", ").all(|reason| reason.starts_with("art. 3: ")), "{reasons}");
    let [permit] = of("sealed")[..] else { panic!("one list was sealed") };
    assert_eq!(permit["detail"]["outcome"], "permit");
    assert_eq!(permit["detail"]["version"], "1");
    let asked = sent(&world, &code)["body"]["request"].as_str().unwrap()[..8].to_owned();
    assert_eq!(
        permit["detail"]["rules"],
        format!(
            "art. 12: in-force, art. 1: gaps, recital C: request {asked}, art. 2: residents by agreement, art. 3: list, art. 3: size"
        )
    );
    // Of nobody on a list.
    let all = entries.iter().map(ToString::to_string).collect::<String>();
    for value in ["85073003328", "Jan", "lijst.csv", "namen.csv"] {
        assert!(!all.contains(value), "{value}");
    }
}

/// It ends everything: one person alone says nothing by it, not even twice.
fn two_say(world: &World, host: &str, said: &[&str]) {
    let notices = || world.json(host, &["notices"]).as_array().unwrap().len();
    let before = notices();
    let one = world.cli(host, said);
    assert!(one.status.success() && stdout(&one).contains("second person"), "{}", stderr(&one));
    assert_eq!(world.cli(host, said).status.code(), Some(1), "one person is not two");
    assert_eq!(notices(), before, "nothing is said by one");
    let two = world.cli_as("65534", host, said);
    assert!(two.status.success(), "{}", stderr(&two));
    assert_eq!(notices(), before + 1);
}

#[test]
fn a_basis_that_is_gone_stops_lists_from_its_day_on_and_not_before() {
    let world = World::running_as(&strict());
    ask(&world);
    let later = ["legal-change", "mechelen", "--on", "2999-01-01", "--basis-gone", "--text", "x"];
    two_say(&world, "municipality", &later);
    until("the end to be heard", || {
        let due = world.json("agency", &["deadlines"]);
        due.as_array().unwrap().iter().any(|it| it["clock"] == "notice").then_some(())
    });
    let code = world.send("lijst.csv", LIST);
    world.wait("agency", &code, "Released");
    // By either party: nobody may send without one.
    let gone = ["legal-change", "mechelen", "--on", "2026-01-05", "--basis-gone", "--text", "x"];
    two_say(&world, "agency", &gone);
    world.put("nog-een.csv".as_ref(), LIST);
    let text = world.status_says("mechelen", "REFUSED");
    assert!(text.contains("art. 12") && text.contains("ended on 2026-01-05"), "{text}");
    until("the municipality to hear it", || {
        let ask = ["request", "mechelen", "--text", "toch nog een lijst"];
        let said = world.cli("municipality", &ask);
        stderr(&said).contains("the agreement ended on 2026-01-05").then_some(())
    });
}

/// In so many days.
fn day(days: i64) -> jiff::civil::Date {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    Time(i64::try_from(now).unwrap()).date().saturating_add(jiff::ToSpan::days(days))
}

/// Whatever is dropped leaves, and its shares when the custodians are ready.
fn when_ready() -> Plan {
    let mut plan = Plan::default();
    plan.agreement =
        plan.agreement.replace("release = \"after-removal\"", "release = \"when-ready\"");
    plan
}

#[test]
fn what_is_under_way_when_its_basis_is_gone_ends_on_that_day_whoever_says_so() {
    for says in ["municipality", "agency"] {
        let mut world = World::running_as(&when_ready());
        let code = world.send("een.txt", b"een");
        world.wait("agency", &code, "Removed");
        let gone = |on: &str| {
            two_say(
                &world,
                says,
                &["legal-change", "mechelen", "--on", on, "--basis-gone", "--text", "x"],
            );
        };
        // A day that is to come ends nothing; nor does a clock that nobody believes.
        gone(&day(2).to_string());
        until("the agency to know it", || {
            (world.json("agency", &["notices"]).as_array().unwrap().len() == 1).then_some(())
        });
        assert!(world.row("agency", &code).unwrap()["state"] == "Removed", "{says}");
        world.jump("sealer", "+3d");
        until("the clock to be held", || {
            stdout(&world.cli("agency", &["health"])).contains("the clock is held").then_some(())
        });
        world.has_heard("agency");
        assert!(world.row("agency", &code).unwrap()["state"] == "Removed", "{says}");
        let believed = world.two_persons("agency", &["clock"]);
        assert!(believed.status.success(), "{}", stderr(&believed));
        world.wait("agency", &code, "Withdrawn");
        world.wait("municipality", &code, "Ended");
        assert!(!world.path("phones").exists(), "no share of it left");
        let entries = ledger(&world);
        let ended = entries.iter().find(|it| it["kind"] == "ended-at-once").unwrap();
        assert_eq!(ended["detail"]["notice"], "basis-gone");
        assert_eq!(ended["detail"]["withdrawn"], code.as_str());
    }
}

#[test]
fn what_was_sealed_before_an_end_by_notice_goes_on_and_can_be_ended_at_once() {
    let world = World::running_as(&when_ready());
    let codes = ["een.txt", "twee.txt"].map(|name| world.send(name, name.as_bytes()));
    codes.iter().for_each(|code| world.wait("agency", code, "Removed"));
    // Its letter was a year on its way: it ends today.
    let letter = world.path("brief.pdf");
    fs::write(&letter, "opzegging").unwrap();
    let (given, today) = (day(-366).to_string(), day(0).to_string());
    let end = ["terminate", "mechelen", "--on", &today, "--text", "opzegging", "--paper"];
    let end = [&end[..], &[letter.to_str().unwrap(), "--received", &given]].concat();
    two_say(&world, "agency", &end);
    world.put("drie.txt".as_ref(), b"drie");
    let text = world.status_says("mechelen", "REFUSED");
    assert!(text.contains(&format!("ended on {today}")), "{text}");
    let [goes, stays] = &codes;
    let ready = world.cli("municipality", &["ready", goes]);
    assert!(ready.status.success(), "{}", stderr(&ready));
    world.wait("agency", goes, "Released");
    // A breach shows only now: what is not out never leaves.
    two_say(&world, "agency", &["terminate", "mechelen", "--at-once", "--reason", "een inbreuk"]);
    assert_eq!(world.row("agency", stays).unwrap()["state"], "Withdrawn");
    assert!(world.lines(stays).is_empty());
}

#[test]
fn a_custodian_whose_right_ended_meanwhile_gets_no_share() {
    let mut plan = Plan::default();
    plan.agreement =
        plan.agreement.replace("release = \"after-removal\"", "release = \"when-ready\"");
    let mut world = World::running_as(&plan);
    let code = world.send("een.txt", b"een");
    world.wait("municipality", &code, "Removed");
    // A new version counts, in which chantal's right is over; the list began under the one before.
    let text = fs::read_to_string(world.path("agency/agreements/mechelen.toml")).unwrap();
    let new = text
        .replace("version = 1\n", "version = 2\n")
        .replace("channel = \"voice\"\n", "channel = \"voice\"\nvalid-until = \"2026-01-05\"\n");
    let file = world.path("versie/mechelen.toml");
    fs::create_dir(world.path("versie")).unwrap();
    fs::write(&file, new).unwrap();
    let added = world.cli("agency", &["agreement", "add", file.to_str().unwrap()]);
    assert!(added.status.success(), "{}", stderr(&added));
    for role in ["sealer", "releaser"] {
        world.stop(role);
        world.start(role);
    }
    let approved = world.two_persons("agency", &["agreement", "approve", "mechelen"]);
    assert!(approved.status.success(), "{}", stderr(&approved));
    let ready = world.cli("municipality", &["ready", &code]);
    assert!(ready.status.success(), "{}", stderr(&ready));
    world.wait("agency", &code, "Released");
    let note = world.row("agency", &code).unwrap()["note"]["message"].as_str().unwrap().to_owned();
    assert!(note.contains("share 3 rejected (custodian-expired)"), "{note}");
    assert_eq!(world.lines(&code).len(), 2);
    assert!(!world.path("phones/chantal").exists(), "nothing went to chantal");
    // A person who tries again changes nothing; the other two open it.
    assert!(world.cli("agency", &["retry", &code, "--share", "3"]).status.success());
    world.wait("agency", &code, "Released");
    assert_eq!(world.lines(&code).len(), 2);
    let opened = world.cli_with("municipality", &["open", &code], &world.lines(&code).join("\n"));
    assert!(opened.status.success(), "{}", stderr(&opened));
}

/// The register of processors says who carries a share: where the url goes elsewhere, none leaves.
#[test]
fn a_channel_goes_to_the_hosts_of_who_carries_it_and_to_no_other() {
    let providers = [(); 4].map(|()| Provider::new(Mood::Takes));
    let [stranger, named @ ..] = &providers;
    let address = |it: &Provider| it.url.split('/').nth(2).unwrap().to_owned();
    let channels = ["sms-a", "sms-b", "voice"].iter().zip(named);
    let right: String = channels.map(|(id, provider)| provider.channel(id)).collect();
    let mut plan = Plan::default().over(&right.replace(&address(&named[0]), &address(stranger)));
    let all = plan.agreement.split_once(GROUPS).unwrap().1.lines().next().unwrap().to_owned();
    let with = |hosts: &str| plan.agreement.replace(&format!("{all}\n"), hosts);
    // Where the register gives no hosts a channel goes nowhere.
    let none = World::make(&Plan { agreement: with(""), ..plan.clone() });
    for (lang, said) in [("en", "gives no hosts"), ("nl", "geen hosts")] {
        let checked = none.cli("agency", &["--lang", lang, "config", "check"]);
        let told = stderr(&checked);
        assert_eq!(checked.status.code(), Some(78), "{told}");
        assert!(told.contains("sms-a") && told.contains("voice") && told.contains(said), "{told}");
    }
    let hosts: Vec<_> = named.iter().map(address).collect();
    plan.agreement = with(&format!("hosts = {hosts:?}\n"));
    let mut world = World::running_as(&plan);
    let goes = address(stranger);
    for (lang, said) in [("en", "goes to"), ("nl", "gaat naar")] {
        let checked = world.cli("agency", &["--lang", lang, "config", "check"]);
        assert_eq!(checked.status.code(), Some(78));
        let told = stderr(&checked);
        assert!(
            told.contains(&format!("sms-a {said} {goes}")) && told.contains("art. 6"),
            "{told}"
        );
        assert!(!told.contains("sms-b") && !told.contains("note:"), "{told}");
    }
    let code = world.send("lijst.csv", LIST);
    until("the share to wait for a right url", || {
        let waiting = world.json("agency", &["show", &code])["waiting"].to_string();
        waiting.contains(&format!("channel sms-a goes to {goes}")).then_some(())
    });
    until("the other shares to be out", || {
        named[1..].iter().all(|it| it.seen().len() == 1).then_some(())
    });
    assert!(stranger.seen().is_empty(), "nothing left to a host that the agreement does not name");
    assert!(world.stop("releaser").success());
    world.edit("agency", |text| text.replace(&goes, &address(&named[0])));
    let checked = world.cli("agency", &["config", "check"]);
    assert!(
        checked.status.success() && !stdout(&checked).contains("hosts"),
        "{}",
        stdout(&checked)
    );
    world.start("releaser");
    world.wait("agency", &code, "Released");
    assert_eq!((stranger.seen().len(), named[0].seen().len()), (0, 1));
}
