//! A custodian's number that changes: who is told, who confirms, what waits.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;

use serde_json::Value;
use sluis_tests::persons::did;
use sluis_tests::provider::{Mood, Provider};
use sluis_tests::world::{Plan, ROLES, somewhere};
use sluis_tests::{World, stderr, stdout, until};

/// The numbers of `Plan::over`, and a new one.
const OLD: &str = "+32470000000";
const NEW: &str = "+32470000009";

/// Three providers, each the channel of one custodian: the first is an's.
fn providers() -> [Provider; 3] {
    [(); 3].map(|()| Provider::new(Mood::Takes))
}

fn over(providers: &[Provider; 3]) -> Plan {
    let channels = ["sms-a", "sms-b", "voice"];
    let channels = channels.iter().zip(providers).map(|(id, provider)| provider.channel(id));
    let mut plan = Plan::default().over(&channels.collect::<String>());
    plan.sealer += "number-cooling-off-hours = 0\n";
    plan
}

fn running(providers: &[Provider; 3]) -> World {
    World::running_as(&over(providers))
}

/// Puts a new number for an into the contacts file, with this beside it.
fn change(world: &mut World, more: &str) {
    let contacts = world.path("agency/agreements/mechelen.contacts.toml");
    let text = fs::read_to_string(&contacts).unwrap();
    let numbers = text.split("[former]").next().unwrap().replace(OLD, NEW);
    let numbers = numbers.lines().filter(|line| !line.starts_with("call")).collect::<Vec<_>>();
    let numbers = numbers.join("\n");
    let call = if more.is_empty() { "" } else { "call = \"02 555 00 00\"\n" };
    fs::write(&contacts, format!("{call}{numbers}\n{more}")).unwrap();
    world.stop("sealer");
    world.start("sealer");
}

fn note(world: &World, code: &str) -> String {
    world.row("agency", code).unwrap()["note"]["message"].as_str().unwrap().to_owned()
}

/// Offers it again until it says this.
fn held(world: &World, code: &str, why: &str) {
    until(&format!("{code} to wait, {why:?} (now {:?})", note(world, code)), || {
        let row = world.row("agency", code).unwrap();
        if row["state"] == "Held" {
            let note = row["note"]["message"].as_str().unwrap();
            if note.contains(why) {
                return Some(());
            }
            let _ = world.cli("agency", &["retry", code]);
        }
        None
    });
}

/// The first person asks, the second one confirms with the same command.
fn two(world: &World, arguments: &[&str]) -> String {
    let one = world.cli("agency", arguments);
    assert!(one.status.success() && stdout(&one).contains("second person"), "{}", stderr(&one));
    let alone = world.cli("agency", arguments);
    assert!(stderr(&alone).contains("a second person confirms"), "{}", stderr(&alone));
    let second = world.cli_as("65534", "agency", arguments);
    assert!(second.status.success(), "{}", stderr(&second));
    assert_eq!(did(world, "agency", "nobody").pop().as_deref(), Some("number-confirmed"));
    stdout(&second)
}

/// The entries about numbers in the agency's ledger: kind and outcome.
fn entries(world: &World) -> Vec<(String, String)> {
    let exported = stdout(&world.cli("agency", &["ledger", "export"]));
    let entries = exported.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let about = entries.filter(|it| it["kind"].as_str().unwrap().starts_with("number-"));
    let told = |it: Value| {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (text(&it["kind"]), text(&it["detail"]["outcome"]))
    };
    about.map(told).collect()
}

fn count(world: &World, kind: &str, outcome: &str) -> usize {
    entries(world).iter().filter(|it| **it == (kind.to_owned(), outcome.to_owned())).count()
}

#[test]
fn the_old_number_is_told_before_the_new_one_gets_a_share() {
    let providers = providers();
    let mut world = running(&providers);
    let first = world.send("een.txt", b"een");
    world.wait("agency", &first, "Released");
    let confirm = ["number", "confirm", "mechelen", "an"];
    let unchanged = world.cli("agency", &confirm);
    assert!(stderr(&unchanged).contains("did not change"), "{}", stderr(&unchanged));
    change(&mut world, &format!("[former]\nan = \"{OLD}\"\n"));
    let list = world.send("twee.txt", b"twee");
    held(&world, &list, "the old one was told. Two persons confirm it");
    // One share of the first list, and one word without a share, both to the old number.
    let seen = providers[0].seen();
    assert_eq!(seen.len(), 2, "{seen:?}");
    let word: Value = serde_json::from_str(&seen[1]).unwrap();
    let text = word["text"].as_str().unwrap();
    assert_eq!(word["to"], OLD);
    assert!(text.starts_with("Sluis: berichten met uw sleuteldeel gaan voortaan"), "{text}");
    assert!(text.contains("bel dan 02 555 00 00"), "{text}");
    assert!(!text.contains("http") && !text.contains(NEW), "{text}");
    assert!(sluis_core::message::septets(text).is_ok(), "{text}");
    assert!(providers[1..].iter().all(|it| it.seen().len() == 1), "nobody else is told");
    let told = two(&world, &confirm);
    assert!(told.contains("the new number is used from"), "{told}");
    assert!(world.cli("agency", &["retry", &list]).status.success());
    world.wait("agency", &list, "Released");
    let share: Value = serde_json::from_str(providers[0].seen().last().unwrap()).unwrap();
    assert_eq!(share["to"], NEW);
    for (kind, outcome) in [
        ("number-changed", ""),
        ("number-telling", ""),
        ("number-told", "accepted"),
        ("number-asked", ""),
        ("number-confirmed", ""),
        ("number-used", ""),
    ] {
        assert_eq!(count(&world, kind, outcome), 1, "{kind}: {:?}", entries(&world));
    }
    assert!(world.cli("agency", &["ledger", "verify"]).status.success());
    // A third list asks nobody anything.
    let third = world.send("drie.txt", b"drie");
    world.wait("agency", &third, "Released");
    assert_eq!(count(&world, "number-telling", ""), 1);
    for number in [OLD, NEW, "02 555 00 00"] {
        for folder in ["agency/state", "municipality"] {
            let left = somewhere(&world.path(folder), number.as_bytes());
            assert!(left.is_empty(), "{number} in {left:?}");
        }
        for role in ["sealer", "releaser"] {
            assert!(!world.log(role).contains(number), "{number} in the log of the {role}");
        }
    }
}

#[test]
fn a_word_whose_answer_is_lost_goes_again_a_few_times_and_then_two_persons_let_it_pass() {
    let providers = providers();
    let mut world = running(&providers);
    let first = world.send("een.txt", b"een");
    world.wait("agency", &first, "Released");
    providers[0].set(Mood::Hangs);
    change(&mut world, &format!("[former]\nan = \"{OLD}\"\n"));
    let list = world.send("twee.txt", b"twee");
    held(&world, &list, "nobody knows whether the message to the old number left");
    // As a share: once, and `sealer.resends` times more, word for word.
    let seen = providers[0].seen();
    let words: Vec<_> =
        seen.iter().filter(|it| it.contains("berichten met uw sleuteldeel")).collect();
    assert_eq!(words.len(), 3, "{seen:?}");
    assert!(words.iter().all(|it| *it == words[0]), "{words:?}");
    assert_eq!(count(&world, "number-told", "unknown"), 3);
    // Confirmed, it still waits.
    let confirm = ["number", "confirm", "mechelen", "an"];
    let told = two(&world, &confirm);
    assert!(told.contains("a message goes to the old number first"), "{told}");
    held(&world, &list, "changed and is confirmed; nobody knows");
    let told = two(&world, &["number", "confirm", "mechelen", "an", "--old-is-dead"]);
    assert!(told.contains("the new number is used from"), "{told}");
    assert_eq!(count(&world, "number-untold", ""), 1);
    providers[0].set(Mood::Takes);
    assert!(world.cli("agency", &["retry", &list]).status.success());
    world.wait("agency", &list, "Released");
}

#[test]
fn a_word_that_is_put_off_each_time_goes_a_few_times_and_then_two_persons_let_it_pass() {
    let providers = providers();
    let mut plan = over(&providers);
    plan.sealer += "deferrals = 2\n";
    let mut world = World::running_as(&plan);
    let first = world.send("een.txt", b"een");
    world.wait("agency", &first, "Released");
    providers[0].set(Mood::Busy);
    change(&mut world, &format!("[former]\nan = \"{OLD}\"\n"));
    let list = world.send("twee.txt", b"twee");
    held(&world, &list, "nobody knows whether the message to the old number left");
    let seen = providers[0].seen();
    let words = seen.iter().filter(|it| it.contains("berichten met uw sleuteldeel"));
    assert_eq!(words.count(), 3, "once, and twice again: {seen:?}");
    assert_eq!(count(&world, "number-told", "unknown"), 1);
}

#[test]
fn a_number_that_changed_waits_as_long_as_nobody_knows_the_right_old_one() {
    let providers = providers();
    let mut world = running(&providers);
    let first = world.send("een.txt", b"een");
    world.wait("agency", &first, "Released");
    change(&mut world, "");
    let list = world.send("twee.txt", b"twee");
    held(&world, &list, "the old number is not known: put it under [former]");
    // A stranger's number in its place is not told: it is not the one that was used.
    change(&mut world, "[former]\nan = \"+32470000055\"\n");
    held(&world, &list, "the old number is not known");
    assert_eq!(providers[0].seen().len(), 1, "nothing left");
    // The right one, which the provider will not take.
    providers[0].set(Mood::Refuses);
    change(&mut world, &format!("[former]\nan = \"{OLD}\"\n"));
    held(&world, &list, "the message to the old number was rejected (400)");
    assert_eq!(count(&world, "number-told", "rejected"), 1);
    assert_eq!(count(&world, "number-changed", ""), 1, "one change, whatever was beside it");
    // Back to the old one: nothing changed after all.
    providers[0].set(Mood::Takes);
    let contacts = world.path("agency/agreements/mechelen.contacts.toml");
    let text = fs::read_to_string(&contacts).unwrap().replace(NEW, OLD);
    fs::write(&contacts, text).unwrap();
    world.stop("sealer");
    world.start("sealer");
    assert!(world.cli("agency", &["retry", &list]).status.success());
    world.wait("agency", &list, "Released");
    // Whom to call belongs to it: without that the contacts are not taken.
    let text = fs::read_to_string(&contacts).unwrap();
    let mute: Vec<_> = text.lines().filter(|line| !line.starts_with("call")).collect();
    fs::write(&contacts, mute.join("\n")).unwrap();
    let checked = world.cli("agency", &["config", "check"]);
    assert_eq!(checked.status.code(), Some(78));
    assert!(stderr(&checked).contains("say in `call` whom to call"), "{}", stderr(&checked));
}

#[test]
fn a_releaser_that_was_killed_while_it_told_tells_again_and_the_doubt_is_entered() {
    let providers = providers();
    let mut world = running(&providers);
    let first = world.send("een.txt", b"een");
    world.wait("agency", &first, "Released");
    providers[0].set(Mood::Silent);
    change(&mut world, &format!("[former]\nan = \"{OLD}\"\n"));
    let list = world.send("twee.txt", b"twee");
    until("the word to be at the provider", || (providers[0].seen().len() == 2).then_some(()));
    world.kill("releaser");
    providers[0].set(Mood::Takes);
    world.start("releaser");
    held(&world, &list, "the old one was told. Two persons confirm it");
    assert!(count(&world, "number-told", "unknown") >= 1, "{:?}", entries(&world));
    assert_eq!(count(&world, "number-told", "accepted"), 1, "{:?}", entries(&world));
}

/// Two ways to write one telephone are two to the plan and one to whoever dials: there is one way.
#[test]
fn what_is_dialled_is_written_in_one_form_and_a_new_number_at_once_is_noted() {
    let providers = providers();
    let mut world = World::make(&over(&providers));
    let contacts = world.path("agency/agreements/mechelen.contacts.toml");
    let right = fs::read_to_string(&contacts).unwrap();
    for wrong in ["32470000000", "+32-470000000", "+32 470 00 00 00", "+0032470000000", "an"] {
        fs::write(&contacts, right.replace(OLD, wrong)).unwrap();
        for (lang, said) in [("en", "is no telephone number"), ("nl", "is geen telefoonnummer")] {
            let checked = world.cli("agency", &["--lang", lang, "config", "check"]);
            assert_eq!(checked.status.code(), Some(78), "{}", stdout(&checked));
            let told = stderr(&checked);
            assert!(told.starts_with("sluis[config]: ") && told.contains(said), "{told}");
            for part in ["mechelen.contacts.toml", " an ", "sms-a", "+32470123456"] {
                assert!(told.contains(part), "{part}: {told}");
            }
            assert!(!told.contains("470000000"), "{told}");
        }
    }
    let command = world.command("sealer");
    world.launch("sealer", command);
    until("the sealer to refuse", || world.ended("sealer").then_some(()));
    assert!(world.log("sealer").contains("is no telephone number"), "{}", world.log("sealer"));
    // Into a folder, any name will do.
    let dialled = providers[0].channel("sms-a");
    world.edit("agency", |text| {
        let folder = "\n[releaser.channels.sms-a]\ndriver = \"spool\"\nfolder = \"../phones\"\n";
        text.replace(&dialled, folder)
    });
    for (lang, said) in [
        ("en", "so a share goes to a new number as soon as"),
        ("nl", "zodra twee personen het bevestigen"),
    ] {
        let checked = world.cli("agency", &["--lang", lang, "config", "check"]);
        assert!(checked.status.success(), "{}", stderr(&checked));
        assert!(
            stdout(&checked).contains("sealer.number-cooling-off-hours"),
            "{}",
            stdout(&checked)
        );
        assert!(stdout(&checked).contains(said), "{}", stdout(&checked));
    }
    world.edit("agency", |text| text.replace("number-cooling-off-hours = 0\n", ""));
    let checked = world.cli("agency", &["config", "check"]);
    assert!(!stdout(&checked).contains("cooling-off"), "{}", stdout(&checked));
}

/// Who has another name has no number that was used: where shares have left already it takes two persons all the same.
#[test]
fn a_custodian_under_another_name_gets_no_share_before_two_persons_said_so() {
    let providers = providers();
    let mut world = running(&providers);
    let first = world.send("een.txt", b"een");
    world.wait("agency", &first, "Released");
    assert!(entries(&world).is_empty(), "the first numbers of an agreement are nobody's new ones");
    let (file, contacts) = (world.path("nieuw.toml"), "agency/agreements/mechelen.contacts.toml");
    let text = fs::read_to_string(world.path("agency/agreements/mechelen.toml")).unwrap();
    let renamed = text.replace("version = 1", "version = 2").replace("\"an\"", "\"anna\"");
    fs::write(&file, renamed).unwrap();
    let numbers = fs::read_to_string(world.path(contacts)).unwrap();
    let numbers = numbers.replace(&format!("an = \"{OLD}\""), &format!("anna = \"{NEW}\""));
    fs::write(world.path(contacts), numbers).unwrap();
    for host in ["agency", "municipality", "dropzone"] {
        let added = world.cli(host, &["agreement", "add", file.to_str().unwrap()]);
        assert!(added.status.success(), "{}", stderr(&added));
    }
    for (role, _) in ROLES {
        assert!(world.stop(role).success());
        world.start(role);
    }
    for host in ["agency", "municipality"] {
        for uid in ["65534", "65533"] {
            let _ = world.cli_as(uid, host, &["agreement", "approve", "mechelen"]);
        }
    }
    let list = world.send("twee.txt", b"twee");
    held(
        &world,
        &list,
        "anna had no share under mechelen before, and some left for this municipality",
    );
    assert_eq!(providers[0].seen().len(), 1, "nobody is told, and nothing left");
    let told = two(&world, &["number", "confirm", "mechelen", "anna"]);
    assert!(told.contains("the new number is used from"), "{told}");
    assert!(world.cli("agency", &["retry", &list]).status.success());
    world.wait("agency", &list, "Released");
    let share: Value = serde_json::from_str(providers[0].seen().last().unwrap()).unwrap();
    assert_eq!(share["to"], NEW);
}

#[test]
fn the_first_numbers_of_an_agreement_whose_parties_had_another_one_wait_for_two_persons() {
    let providers = providers();
    let mut world = running(&providers);
    let first = world.send("een.txt", b"een");
    world.wait("agency", &first, "Released");
    // The same agreement under another name, with another number for an.
    let contacts = world.path("gent.contacts.toml");
    let numbers = fs::read_to_string(world.path("mechelen.contacts.toml")).unwrap();
    assert!(numbers.contains(OLD));
    fs::write(&contacts, numbers.replace(OLD, NEW)).unwrap();
    for host in ["agency", "municipality", "dropzone"] {
        world.adds_second(host, "gent", &contacts);
    }
    for (role, _) in ROLES {
        assert!(world.stop(role).success());
        world.start(role);
    }
    ["agency", "municipality"].iter().for_each(|host| world.has_heard(host));
    let list = world.path("twee.txt");
    fs::write(&list, b"twee").unwrap();
    let sent = world.json("agency", &["send", "gent", list.to_str().unwrap()]);
    let code = sent["code"].as_str().unwrap();
    held(&world, code, "an had no share under gent before, and some left for this municipality");
    assert_eq!(providers[0].seen().len(), 1, "nothing left to the new number");
    for custodian in ["an", "bart", "chantal"] {
        let _ = two(&world, &["number", "confirm", "gent", custodian]);
    }
    assert!(world.cli("agency", &["retry", code]).status.success());
    world.wait("agency", code, "Released");
    let share: Value = serde_json::from_str(providers[0].seen().last().unwrap()).unwrap();
    assert_eq!(share["to"], NEW);
}
