//! Everything that goes to standard output goes through here; a reader that went away is no error.

use std::fmt::Display;
use std::io::Write;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};
use serde::Serialize;
use sluis_core::control::typed;

use crate::failure::{Failure, Result};

/// Whether people are told nothing, because a machine waits for one object at the end.
static QUIET: AtomicBool = AtomicBool::new(false);

/// What stands behind `sluis` in a command that is told: the `--config` that was typed, and the verbs that take it.
static TYPED: OnceLock<(String, Vec<String>)> = OnceLock::new();

/// From now on commands for this host are told with the `--config` that was typed: what is told works when it is pasted.
pub(crate) fn tell_with(config: &str, verbs: Vec<String>) {
    let _ = TYPED.set((typed(["--config", config]), verbs));
}

/// A text for people, with its commands as they work here.
pub(crate) fn pasted(text: &str) -> String {
    TYPED.get().map_or_else(|| text.to_owned(), |(config, verbs)| with(text, config, verbs))
}

fn with(text: &str, config: &str, verbs: &[String]) -> String {
    let mut parts = text.split("sluis ");
    let mut told = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let verb = part.split(|c: char| !c.is_ascii_lowercase() && c != '-').next();
        told += "sluis ";
        if verbs.iter().any(|known| Some(known.as_str()) == verb) {
            told += config;
            told.push(' ');
        }
        told += part;
    }
    told
}

/// From now on only [`json`] speaks.
pub(crate) fn be_quiet() {
    QUIET.store(true, Ordering::Relaxed);
}

/// A line for people.
pub(crate) fn line(text: impl Display) -> Result<()> {
    if QUIET.load(Ordering::Relaxed) {
        return Ok(());
    }
    write(format!("{}\n", pasted(&text.to_string())).as_bytes())
}

/// A question to a person, who answers on the same line.
pub(crate) fn prompt(text: &str) -> Result<()> {
    if QUIET.load(Ordering::Relaxed) { Ok(()) } else { write(text.as_bytes()) }
}

/// An object for machines, on one line.
pub(crate) fn json(value: &impl Serialize) -> Result<()> {
    write(format!("{}\n", serde_json::to_string(value).unwrap_or_default()).as_bytes())
}

/// Bytes as they are.
pub(crate) fn write(bytes: &[u8]) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        // Nobody reads on: what was begun is ended in order, and nothing is said.
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Err(Failure::unread()),
        other => other.map_err(Failure::io("standard output")),
    }
}

/// How wide a table with sentences in it is.
const WIDTH: u16 = 110;

/// A table for people.
pub(crate) fn table(head: &[&str], rows: Vec<Vec<String>>) -> Result<()> {
    fill(Table::new(), head, rows)
}

/// A table with sentences in it, which are wrapped.
pub(crate) fn wide_table(head: &[&str], rows: Vec<Vec<String>>) -> Result<()> {
    let mut table = Table::new();
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(WIDTH);
    fill(table, head, rows)
}

fn fill(mut table: Table, head: &[&str], rows: Vec<Vec<String>>) -> Result<()> {
    table.load_style(NOTHING).set_header(head.to_vec());
    for row in rows {
        // Before they are laid out: the columns are as wide as what stands in them.
        table.add_row(row.iter().map(|cell| pasted(cell)));
    }
    if QUIET.load(Ordering::Relaxed) {
        return Ok(());
    }
    write(format!("{}\n", table.trim_fmt()).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_told_with_the_configuration_that_was_typed_and_prose_is_left_alone() {
        let verbs = ["list".to_owned(), "say-again".to_owned()];
        let told = |text| with(text, "--config a/sluis.toml", &verbs);
        assert_eq!(told("kijk met: sluis list"), "kijk met: sluis --config a/sluis.toml list");
        assert_eq!(
            told("(sluis say-again x), `sluis list`"),
            "(sluis --config a/sluis.toml say-again x), `sluis --config a/sluis.toml list`"
        );
        for prose in ["de sluis gaat open", "sluis.toml", "sluis lists", "sluis --config b list"] {
            assert_eq!(told(prose), prose);
        }
    }
}
