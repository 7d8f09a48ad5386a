//! Journeys on which an older store is put back, and two persons go on from there.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::{closed, destroyed, quiet, released, two_persons};
use crate::faults::{Tended, entries, lines, says};
use crate::world::somewhere;
use crate::{World, tool};

/// SQLite's own way to copy a store, write-ahead log and all.
const COPY: &str = "import sqlite3, sys\n\
    to = sqlite3.connect(':memory:')\n\
    sqlite3.connect(sys.argv[1]).backup(to)\n\
    sys.stdout.buffer.write(to.serialize())";

/// The municipality's store is put back to when the list was shut.
pub(super) fn city(on: &mut Tended, name: &str, content: &[u8]) {
    let code = on.offer(name, content);
    released(on, &code);
    on.reaches("municipality", &code, &["Removed"]);
    let kept = kept(on, "keeper", "municipality");
    let typed = lines(&on.world, &code).into_values().collect::<Vec<_>>().join("\n");
    on.does("municipality", &code, "Opened", |world| {
        let _ = world.cli_with("municipality", &["open", &code], &typed);
    });
    on.reaches("agency", &code, &["Closed"]);
    put_back(on, "keeper", "municipality", &kept);
    go_on(on, "municipality");
    // What it has already it passes over.
    for host in ["agency", "municipality"] {
        on.until(&format!("the {host} to say everything again"), |world| {
            let said = world.cli(host, &["say-again", "mechelen", "--from", "1"]);
            said.status.success().then_some(())
        });
    }
    on.reaches("municipality", &code, &["Opened"]);
    closed(on, &code, content);
    destroyed(on, &code, content);
    quiet(on);
}

/// The agency's store is put back to before the list was offered: it goes back to its owner.
pub(super) fn agency(on: &mut Tended, name: &str, content: &[u8]) {
    let kept = kept(on, "sealer", "agency");
    on.rest("releaser");
    let code = on.offer(name, content);
    on.reaches("agency", &code, &["Releasing"]);
    let last = unread(on, &code);
    put_back(on, "sealer", "agency", &kept);
    go_on(on, "agency");
    // That it goes on has the number of the last letter, and what comes of the list stands after it.
    on.until("what was not read to be void", |world| {
        (letters(world).last()? > &last).then_some(())
    });
    on.wake("fetcher");
    on.until("the list to be its owner's again", |world| {
        let outbox = somewhere(&world.outbox(), content);
        outbox.iter().any(|path| path.ends_with(format!("{name}.rejected"))).then_some(())
    });
    on.guarded = None;
    on.reaches("municipality", &code, &["Ended"]);
    on.wake("releaser");
    assert!(lines(&on.world, &code).is_empty(), "{code} is known to nobody, and no share left");
    // What the ledger had beyond this store is gone with the store that was there.
    on.forget_ledger("agency");
    quiet(on);
}

/// The agency says something that nobody reads, after what the municipality says that it has heard: what goes on from an
/// older store has its number, which is given.
fn unread(on: &mut Tended, code: &str) -> u64 {
    on.until("the municipality to have heard all", |world| {
        entries(world, "municipality", code)?.contains(&"said probed".to_owned()).then_some(())
    });
    let has = |world: &World, host: &str, text: &str| {
        let notices = says(world, host, "notices", None)?;
        Some(notices.as_array()?.iter().any(|it| it.to_string().contains(text)))
    };
    let info = |text| ["security-info", "mechelen", "--text", text];
    on.until("the agency to hear how far it is", |world| {
        if !has(world, "municipality", "tot hier")? {
            let _ = world.cli("municipality", &info("tot hier"));
        }
        has(world, "agency", "tot hier")?.then_some(())
    });
    on.rest("fetcher");
    let read = letters(&on.world).len();
    on.until("a letter that nobody reads", |world| {
        if !has(world, "agency", "ongelezen")? {
            let _ = world.cli("agency", &info("ongelezen"));
        }
        letters(world).last().copied().filter(|_| letters(world).len() > read)
    })
}

/// The numbers of the letters to the municipality, in order.
fn letters(world: &World) -> Vec<u64> {
    let letters = world.path("dropzone/medium/mechelen/mailbox/municipality");
    let names = fs::read_dir(letters).unwrap().flatten().map(|it| it.file_name());
    let mut numbers: Vec<_> = names.filter_map(|it| it.to_str()?.parse().ok()).collect();
    numbers.sort_unstable();
    numbers
}

fn store(on: &Tended, host: &str) -> PathBuf {
    on.world.path(&format!("{host}/state/{host}.db"))
}

/// What a backup has.
fn kept(on: &mut Tended, role: &'static str, host: &str) -> Vec<u8> {
    on.rest(role);
    let copied = tool(Command::new("python3").args(["-c", COPY]).arg(store(on, host)));
    assert!(copied.status.success(), "{}", crate::stderr(&copied));
    on.wake(role);
    copied.stdout
}

fn put_back(on: &mut Tended, role: &'static str, host: &str, kept: &[u8]) {
    on.rest(role);
    let store = store(on, host);
    for more in ["db-wal", "db-shm"] {
        let _ = fs::remove_file(store.with_extension(more));
    }
    fs::write(store, kept).unwrap();
    on.forget_ledger(host);
    on.wake(role);
}

/// It is noticed, and two persons go on.
fn go_on(on: &mut Tended, host: &str) {
    let held = |world: &World| {
        let about = says(world, host, "about", None)?;
        Some(about["set_back"].as_array().is_some_and(|names| !names.is_empty()))
    };
    on.until("an older store to be noticed", |world| held(world).filter(|held| *held));
    two_persons(on, host, &["restored", "mechelen"], |world| held(world).filter(|held| !held));
}
