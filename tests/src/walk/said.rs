//! Journeys on which no list goes anywhere: a drop that may not leave, what is said beside the lists, a later version.

use std::fs;

use serde_json::Value;

use super::{SECOND, quiet};
use crate::faults::{Tended, says};
use crate::{World, stderr};

pub(super) fn refused(on: &mut Tended, at: usize) {
    let link = on.world.outbox().join(format!("link-{at}.csv"));
    std::os::unix::fs::symlink("/etc/hostname", &link).unwrap();
    let status = on.world.outbox().join(format!("STATUS-link-{at}.csv.txt"));
    on.until("a refusal", |_| {
        fs::read_to_string(&status).ok().filter(|text| text.starts_with("REFUSED"))
    });
    assert!(link.symlink_metadata().is_ok(), "a refused drop stays where it is");
    fs::remove_file(link).unwrap();
    // Of what is sent by a verb nothing stays, but where the core was killed before it said so; and no word of what lay
    // refused by its name.
    let empty = on.world.path(&format!("own/leeg-{at}.csv"));
    fs::create_dir_all(empty.parent().unwrap()).unwrap();
    fs::write(&empty, "").unwrap();
    on.world.put(empty.file_name().unwrap(), b"");
    let status = on.world.outbox().join(format!("STATUS-leeg-{at}.csv.txt"));
    on.until("a refusal", |_| {
        fs::read_to_string(&status).ok().filter(|text| text.starts_with("REFUSED"))
    });
    on.until("what was sent to be refused", |world| {
        let sent = world.cli("agency", &["send", "mechelen", empty.to_str().unwrap()]);
        stderr(&sent).starts_with("sluis[not-sent]").then_some(())
    });
    assert!(empty.exists(), "whoever sent it has it");
    let _ = fs::remove_file(on.world.outbox().join(empty.file_name().unwrap()));
}

/// The municipality says something, and the agency hears it, once.
pub(super) fn noticed(on: &mut Tended, at: usize) {
    let text = format!("de lijst, {at}");
    let has = |world: &World, host: &str| {
        let notices = says(world, host, "notices", None)?;
        Some(notices.as_array()?.iter().filter(|it| it.to_string().contains(&text)).count())
    };
    let say = ["quality", "report", "mechelen", "--found", "2026-01-05T10:00", "--text", &text];
    on.until("a notice to be heard", |world| {
        if has(world, "municipality")? == 0 {
            let _ = world.cli("municipality", &say);
        }
        (has(world, "agency")? > 0).then_some(())
    });
    let said = on.until("the notices", |world| has(world, "municipality"));
    let heard = on.until("the notices", |world| has(world, "agency"));
    assert_eq!((said, heard), (1, 1), "said once, heard once");
}

/// The agency enters what the municipality said on paper, by two persons.
pub(super) fn on_paper(on: &mut Tended, at: usize) {
    let (letter, text) = (on.world.path("brief.pdf"), format!("op papier, {at}"));
    fs::write(&letter, &text).unwrap();
    let say = ["quality", "report", "mechelen", "--found", "2026-01-05T10:00", "--text", &text];
    let say =
        [&say[..], &["--paper", letter.to_str().unwrap(), "--received", "2026-01-06"]].concat();
    for host in ["agency", "municipality"] {
        let notices = on.until("a letter to be entered", |world| {
            let notices = says(world, host, "notices", None)?;
            let found: Vec<_> = notices.as_array()?.iter().map(Value::to_string).collect();
            let found = found.iter().filter(|it| it.contains(&text)).count();
            if found == 0 && host == "agency" {
                let _ = world.cli("agency", &say);
                let _ = world.cli_as(SECOND, "agency", &say);
            }
            (found > 0).then_some(found)
        });
        assert_eq!(notices, 1, "entered once, heard once");
    }
}

pub(super) fn version(on: &mut Tended) {
    let file = on.world.path("agency/agreements/mechelen.toml");
    let text = fs::read_to_string(&file).unwrap();
    let version = |text: &str| {
        let line = text.lines().find(|line| line.starts_with("version = ")).unwrap().to_owned();
        (line.clone(), line["version = ".len()..].parse::<u32>().unwrap())
    };
    let (line, number) = version(&text);
    let next = on.world.path("nieuw.toml");
    fs::write(&next, text.replace(&line, &format!("version = {}", number + 1))).unwrap();
    for host in ["agency", "municipality", "dropzone"] {
        let added = on.world.cli(host, &["agreement", "add", next.to_str().unwrap()]);
        assert!(added.status.success(), "{}", stderr(&added));
    }
    // Whose drop was refused, and is gone: its status goes at the next start.
    refused(on, usize::try_from(number).unwrap() + 1_000_000);
    // What a kill left of `sluis send`, empty.
    fs::create_dir(on.world.outbox().join(format!(".send-{number:032x}"))).unwrap();
    for role in on.roles.clone() {
        on.restart(role);
    }
    for host in ["agency", "municipality"] {
        on.until(&format!("the new version to count at the {host}"), |world| {
            let about = says(world, host, "about", None)?;
            let waits = about["unapproved"].as_array().is_some_and(|names| !names.is_empty());
            if waits {
                let _ = world.two_persons(host, &["agreement", "approve", "mechelen"]);
            }
            (!waits).then_some(())
        });
    }
    noticed(on, usize::try_from(number).unwrap() + 1_000_000);
    quiet(on);
}
