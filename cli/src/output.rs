//! Everything that goes to standard output goes through here; a reader that went away is no error.

use std::fmt::Display;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};

use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};
use serde::Serialize;

use crate::failure::{Failure, Result};

/// Whether people are told nothing, because a machine waits for one object at the end.
static QUIET: AtomicBool = AtomicBool::new(false);

/// From now on only [`json`] speaks.
pub(crate) fn be_quiet() {
    QUIET.store(true, Ordering::Relaxed);
}

/// A line for people.
pub(crate) fn line(text: impl Display) -> Result<()> {
    if QUIET.load(Ordering::Relaxed) {
        return Ok(());
    }
    write(format!("{text}\n").as_bytes())
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
        table.add_row(row);
    }
    line(table.trim_fmt())
}
