//! Stores of before that are put back: a backup, and what shows of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::{World, stderr, stdout, tool, until};

/// A list that may leave.
pub const LIST: &[u8] = b"rijksregisternummer;contract;attest\n85073003328;1;1\n";

/// Where the store of a host lies.
#[must_use]
pub fn store(world: &World, host: &str) -> PathBuf {
    let name = if host == "agency" { "agency.db" } else { "municipality.db" };
    world.path(host).join("state").join(name)
}

/// What a backup of a host's store has: everything but payload, keys and shares.
#[must_use]
pub fn backup(world: &mut World, role: &'static str, host: &str) -> Vec<u8> {
    world.stop(role);
    let store = store(world, host);
    let kept = copy(&store);
    world.start(role);
    kept
}

/// All that a store has, as one file.
#[must_use]
pub fn copy(store: &Path) -> Vec<u8> {
    let copied = tool(Command::new("python3").args(["-c", COPY]).arg(store));
    holds(&copied);
    copied.stdout
}

/// SQLite's own way to copy a store, write-ahead log and all.
const COPY: &str = "import sqlite3, sys\n\
    to = sqlite3.connect(':memory:')\n\
    sqlite3.connect(sys.argv[1]).backup(to)\n\
    sys.stdout.buffer.write(to.serialize())";

/// The core is killed, and begins again with this store.
pub fn put_back(world: &mut World, role: &'static str, host: &str, kept: &[u8]) {
    world.kill(role);
    write(&store(world, host), kept);
    world.start(role);
}

/// Puts a store in the place of the one that lies there.
pub fn write(store: &Path, content: &[u8]) {
    for more in ["db-wal", "db-shm"] {
        let _ = fs::remove_file(store.with_extension(more));
    }
    fs::write(store, content).unwrap();
}

/// Waits until a core knows its store for an older one, and says so.
pub fn is_held(world: &World, host: &str) {
    until(&format!("the {host} to notice its older store"), || {
        let health = world.cli(host, &["health"]);
        let noticed = stdout(&health).contains("an older store was put back");
        (noticed && health.status.code() == Some(2)).then_some(())
    });
    let list = stdout(&world.cli(host, &["list"]));
    assert!(list.contains("sluis restored mechelen"), "{list}");
}

/// Two custodians type, and it is open.
pub fn open(world: &World, code: &str) {
    world.wait("municipality", code, "Removed");
    world.wait("agency", code, "Released");
    let opened = world.cli_with("municipality", &["open", code], &world.lines(code).join("\n"));
    assert!(opened.status.success(), "{}", stderr(&opened));
}

/// A list that goes the whole way.
pub fn delivered(world: &World, name: &str) -> String {
    let code = world.send(name, LIST);
    open(world, &code);
    world.wait("agency", &code, "Closed");
    code
}

/// A list whose shares have left, and the store from before they did. The carrier stands still: nobody hears that they are
/// released, and so nobody can say it to the older store.
#[must_use]
pub fn left_since(world: &mut World) -> (String, Vec<u8>) {
    world.stop("releaser");
    let code = world.send("lijst.csv", LIST);
    world.wait("agency", &code, "Releasing");
    let kept = copy(&store(world, "agency"));
    world.stop("carrier");
    world.start("releaser");
    world.wait("agency", &code, "Released");
    (code, kept)
}

/// A command that did what it was to do.
pub fn holds(output: &Output) {
    assert!(output.status.success(), "{}\n{}", stdout(output), stderr(output));
}
