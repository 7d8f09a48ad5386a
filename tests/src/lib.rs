//! The harness: three hosts on loopback, made by `sluis init`, run by the real binaries.
//!
//! Nothing here sleeps for a fixed time or depends on the machine's speed: it waits for a state, with a
//! deadline that only a fault reaches. Each world has folders, a loopback address and processes of its own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot be set up has failed"
)]
#![allow(clippy::missing_panics_doc)]

pub mod about_nobody;
pub mod canary;
pub mod cutter;
pub mod exposures;
pub mod faults;
pub mod insider;
pub mod kannel;
pub mod mail;
pub mod netns;
pub mod older;
pub mod persons;
pub mod points;
pub mod power;
pub mod provider;
pub mod sbom;
pub mod smsd;
pub mod stock;
pub mod walk;
pub mod world;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

pub use cutter::Cutter;
pub use kannel::Kannel;
pub use provider::Provider;
pub use sluis_sim as sim;
pub use sluis_sim::{PATIENCE, dice, until};
pub use smsd::Smsd;
pub use world::World;

/// A binary of this build, beside the test's own folder.
#[must_use]
pub fn binary(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.parent().and_then(Path::parent).unwrap().join(name);
    assert!(path.exists(), "{} is missing: run tests/run, which builds it first", path.display());
    path
}

/// `sluis` as a person starts it: where cargo has started it, `sluis demo` builds `sluisd` anew.
#[must_use]
pub fn sluis() -> Command {
    let mut sluis = Command::new(binary("sluis"));
    sluis.env_remove("CARGO_MANIFEST_DIR");
    sluis
}

/// Bytes that repeat nowhere near.
#[must_use]
pub fn bytes(length: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let words = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    words.flatten().take(length).collect()
}

/// The root of the workspace.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// What a command wrote to standard output.
#[must_use]
pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What it wrote to standard error.
#[must_use]
pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs a program of this machine; a missing one fails the test, it is never skipped.
#[must_use]
pub fn tool(command: &mut Command) -> Output {
    let name = command.get_program().to_string_lossy().into_owned();
    command.output().unwrap_or_else(|e| panic!("{name} cannot be run ({e}): tests/run installs it"))
}
