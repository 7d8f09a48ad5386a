//! Five gibibytes, in constant memory: a program of its own, so that no other test shares the disk with it.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs::{self, File};

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

/// Each step of five gibibytes has the patience of one.
fn until_passed(world: &World, code: &str, state: &str) {
    let order = ["Claimed", "Sealed", "Carried", "Delivered", "Removed", "Releasing", "Released"];
    let place = |name: &str| {
        order.iter().position(|known| *known == name).unwrap_or_else(|| panic!("{name}"))
    };
    until(&format!("{code} to pass {state}"), || {
        let row = world.row("agency", code)?;
        (place(row["state"].as_str()?) >= place(state)).then_some(())
    });
}
