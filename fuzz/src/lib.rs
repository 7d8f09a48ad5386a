//! Every parser that reads what the other side wrote, and what must hold of whatever it takes.
//!
//! A target takes bytes, panics where a property is broken, and says whether they were taken. `fuzz/run` gives
//! them to libFuzzer; `tests/replay.rs` tries the seeds, and what becomes of them, on every `cargo test`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a panic is what a target reports with"
)]

pub mod files;
pub mod seals;
pub mod typed;
pub mod wire;
pub mod words;
pub mod world;

/// A parser under trial.
#[derive(Debug)]
pub struct Target {
    /// What `fuzz/run` calls it.
    pub name: &'static str,
    /// Tries these bytes; whether they were taken.
    pub take: fn(&[u8]) -> bool,
    /// Where to begin: at least one of them is taken.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

macro_rules! targets {
    ($($module:ident :: $name:ident),* $(,)?) => {
        /// All of them.
        pub const TARGETS: &[Target] = &[$(Target {
            name: stringify!($name),
            take: $module::$name::take,
            seeds: $module::$name::seeds,
        },)*];
    };
}

targets![
    wire::tus,
    wire::control,
    wire::report,
    wire::answer,
    words::statement,
    words::evidence,
    words::signature,
    words::ledger,
    words::head,
    words::seen,
    seals::envelope,
    seals::payload,
    seals::letter,
    seals::bundle,
    seals::items,
    typed::share_line,
    typed::names,
    files::agreement,
    files::csv,
    files::xlsx,
    files::sheet,
];

/// The target of this name.
#[must_use]
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

/// Texts as seeds.
fn texts<T: Into<Vec<u8>>>(texts: impl IntoIterator<Item = T>) -> Vec<Vec<u8>> {
    texts.into_iter().map(Into::into).collect()
}
