//! Five gibibytes, in constant memory: a program of its own, so that no other test shares the disk with it.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use sluis_tests::world::ROLES;
use sluis_tests::{World, stderr, until};

/// What any role may ever have in memory while it passes, in KiB.
const MOST: u64 = 64 * 1024;

#[test]
fn five_gibibytes_cross_in_constant_memory() {
    let size: u64 = 5 << 30;
    let world = World::running();
    let part = world.outbox().join(".groot");
    File::create(&part).unwrap().set_len(size).unwrap();
    fs::rename(part, world.outbox().join("groot.bin")).unwrap();
    let code = until("it to be taken", || world.codes().into_iter().next());
    // On a slow disk this takes its time; what counts is that it arrives and what it took.
    for state in ["Carried", "Delivered", "Removed", "Released"] {
        until_passed(&world, &code, state);
    }
    let opened = world.cli_with("municipality", &["open", &code], &world.lines(&code).join("\n"));
    assert!(opened.status.success(), "{}", stderr(&opened));
    let there = world.vault(&code).join("opened/groot.bin");
    assert_eq!(fs::metadata(there).unwrap().len(), size);
    for (role, _) in ROLES {
        let peak = world.status(role, "VmHWM");
        assert!(peak <= MOST, "{role} took {peak} KiB");
    }
}

/// As long as bytes move it may take: there is patience with a slow disk, and none with what stands still.
fn until_passed(world: &World, code: &str, state: &str) {
    let order = ["Claimed", "Sealed", "Carried", "Delivered", "Removed", "Releasing", "Released"];
    let place = |name: &str| {
        order.iter().position(|known| *known == name).unwrap_or_else(|| panic!("{name}"))
    };
    let passed = || {
        let row = world.row("agency", code)?;
        (place(row["state"].as_str()?) >= place(state)).then_some(())
    };
    let mut there = 0;
    loop {
        let moved = until(&format!("{code} to pass {state}, or bytes of it to move"), || {
            let now = size_below(&world.path(""));
            (now != there || passed().is_some()).then_some(now)
        });
        if passed().is_some() {
            return;
        }
        there = moved;
    }
}

/// What the disk has given to all files below; holes are not counted.
fn size_below(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let size = |entry: fs::DirEntry| match entry.metadata() {
        Ok(meta) if meta.is_dir() => size_below(&entry.path()),
        Ok(meta) => meta.blocks(),
        Err(_) => 0,
    };
    entries.map(size).sum()
}
