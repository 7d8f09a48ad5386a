//! Disks that fill in the middle of the work, at each place that holds something: nothing is lost, nothing is half, the
//! state says what is in the way, and when there is room it goes on by itself. The spool's is in `bad_input`. And a role
//! that is told to end while an upload stands still.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use sluis_tests::world::{Plan, ROLES};
use sluis_tests::{World, bytes, stderr, stdout, tool, until};

/// A disk of its own under a folder of a world. It is taken away before the world is.
struct Disk(PathBuf);

impl Disk {
    fn at(path: PathBuf, mode: &str) -> Self {
        fs::create_dir_all(&path).unwrap();
        let disk = Self(path);
        disk.mount(&format!("size=64m,mode={mode}"));
        disk
    }
    fn mount(&self, options: &str) {
        let mounted =
            tool(Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(&self.0));
        let why = stderr(&mounted);
        assert!(mounted.status.success(), "this test mounts small disks, which takes root: {why}");
    }
    /// From now on there is so much room on it, in KiB, beside what is there.
    fn room(&self, kib: u64) {
        let stat = rustix::fs::statvfs(&self.0).unwrap();
        let used = (stat.f_blocks - stat.f_bfree) * stat.f_frsize / 1024;
        self.mount(&format!("remount,size={}k", used + kib));
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Processes still use it: it goes when the last of them has.
        let _ = tool(Command::new("umount").arg("--lazy").arg(&self.0));
    }
}

const ENOUGH: u64 = 60 << 10;

/// Waits until what a host shows of a transfer says that this is in the way.
fn waits(world: &World, host: &str, code: &str, what: &str) {
    until(&format!("the {host} to say {what:?}"), || {
        // The other side may not have heard of it yet.
        world.row(host, code)?;
        let waiting = world.json(host, &["show", code])["waiting"].to_string();
        waiting.contains(what).then_some(())
    });
}

/// Holds that a transfer arrives as it was, with one `sent`, and that both ledgers verify.
fn arrives(world: &World, code: &str, name: &str, content: &[u8]) {
    world.wait("agency", code, "Released");
    let opened = world.cli_with("municipality", &["open", code], &world.lines(code).join("\n"));
    assert!(opened.status.success(), "{}{}", stdout(&opened), stderr(&opened));
    assert!(fs::read(world.vault(code).join("opened").join(name)).unwrap() == content);
    world.wait("agency", code, "Closed");
    let said = world.statements("agency", code);
    assert_eq!(said.iter().filter(|kind| *kind == "sent").count(), 1, "{said:?}");
    for host in ["agency", "municipality"] {
        let verified = world.cli(host, &["ledger", "verify"]);
        assert!(verified.status.success(), "{}", stderr(&verified));
    }
}

#[test]
fn a_drop_zone_whose_disk_fills_in_the_middle_of_an_upload_goes_on_where_it_was() {
    let mut world = World::make(&Plan::default());
    let disk = Disk::at(world.path("dropzone/medium"), "700");
    ROLES.iter().for_each(|(role, _)| world.start(role));
    disk.room(1024);
    let content = bytes(3 << 20);
    let code = world.send("groot.bin", &content);
    waits(&world, "agency", &code, "507");
    let row = world.row("agency", &code).unwrap();
    assert_eq!(row["state"], "Sealed", "{row}");
    disk.room(ENOUGH);
    arrives(&world, &code, "groot.bin", &content);
    drop(disk);
}

#[test]
fn a_vault_that_fills_in_the_middle_of_a_fetch_or_of_an_opening_loses_nothing() {
    let mut world = World::make(&Plan::default());
    let disk = Disk::at(world.path("municipality/vault"), "711");
    ROLES.iter().for_each(|(role, _)| world.start(role));
    disk.room(1024);
    let content = bytes(3 << 20);
    let code = world.send("groot.bin", &content);
    waits(&world, "municipality", &code, "No space left");
    // What is not whole in the vault is still in the drop zone, and no share has left.
    let row = world.row("municipality", &code).unwrap();
    assert_eq!(row["state"], "Announced", "{row}");
    assert_eq!(fs::read_dir(world.path("dropzone/medium/mechelen/files")).unwrap().count(), 1);
    assert!(!world.path("phones").exists());
    disk.room(ENOUGH);
    world.wait("agency", &code, "Released");

    disk.room(1024);
    let lines = world.lines(&code).join("\n");
    let full = world.cli_with("municipality", &["open", &code], &lines);
    assert!(!full.status.success());
    assert!(stderr(&full).contains("No space left"), "{}{}", stdout(&full), stderr(&full));
    assert_eq!(world.row("municipality", &code).unwrap()["state"], "Removed");
    let left: Vec<_> = fs::read_dir(world.vault(&code)).unwrap().flatten().collect();
    assert_eq!(left.len(), 1, "the envelope, and nothing half beside it: {left:?}");
    disk.room(ENOUGH);
    arrives(&world, &code, "groot.bin", &content);
    drop(disk);
}

#[test]
fn a_store_that_is_full_holds_up_its_side_and_converges() {
    let mut world = World::make(&Plan::default());
    let disks = ["agency/state", "municipality/state"].map(|at| Disk::at(world.path(at), "700"));
    ROLES.iter().for_each(|(role, _)| world.start(role));
    let first = world.send("een.csv", b"een");
    world.wait("agency", &first, "Released");
    for (disk, core) in disks.iter().zip(["sealer", "keeper"]) {
        world.stop("carrier");
        let name = format!("{core}.csv");
        let under_way = world.send(&name, core.as_bytes());
        world.wait("agency", &under_way, "Sealed");
        // Not a page more, in the database or beside it.
        disk.room(0);
        world.start("carrier");
        let later = format!("later-{core}.csv");
        world.put(later.as_ref(), b"later");
        until(&format!("{core} to say that it is full"), || {
            world.revive(core);
            let log = world.log(core);
            (log.contains("full") || log.contains("I/O error")).then_some(())
        });
        disk.room(ENOUGH);
        world.revive(core);
        arrives(&world, &under_way, &name, core.as_bytes());
        let codes =
            until("both drops to be taken", || Some(world.codes()).filter(|it| it.len() % 2 == 1));
        let other = codes.iter().find(|code| {
            world.row("agency", code).is_some_and(|row| row["name"] == later.as_str())
        });
        arrives(&world, other.unwrap(), &later, b"later");
    }
    world.wait("agency", &first, "Released");
    drop(disks);
}

#[test]
fn a_role_that_is_told_to_end_while_an_upload_stands_still_ends_in_time() {
    let mut world = World::running();
    let content = bytes(64 << 20);
    let code = world.send("groot.bin", &content);
    let files = world.path("dropzone/medium/mechelen/files");
    // As soon as the first bytes are there, the drop zone stands still.
    until("the first bytes", || {
        let upload = fs::read_dir(&files).ok()?.flatten().next()?;
        fs::metadata(upload.path().join("data")).ok().filter(|meta| meta.len() > 0)
    });
    let pid = Pid::from_raw(i32::try_from(world.pid("dropzone")).unwrap()).unwrap();
    kill_process(pid, Signal::STOP).unwrap();
    let began = Instant::now();
    assert!(world.stop("carrier").success(), "{}", world.log("carrier"));
    let took = began.elapsed();
    kill_process(pid, Signal::CONT).unwrap();
    eprintln!("the carrier ended after {took:?}");
    // Its unit gives it 30 seconds (TimeoutStopSec).
    assert!(took < Duration::from_secs(30), "{took:?}");
    world.start("carrier");
    arrives(&world, &code, "groot.bin", &content);
}
