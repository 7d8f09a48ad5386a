//! The same workbook once more, by `calamine`: what two readers do not read alike says two things, and stays.
//!
//! Only for one in which nothing was found: then it holds a plain list and nothing beside it, and what `calamine` reserves
//! for it is bounded by what was counted before ([`Strings`](super::strings::Strings)).

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{Cell as Read, DataRef, Reader, Xlsx};
use zeroize::Zeroizing;

use crate::content::finding::Rule;
use crate::content::list::{Cell, List, MAX_COLUMNS, bare};

/// Reads all rows of all sheets into the list.
///
/// # Errors
/// [`Rule::Unreadable`].
pub(super) fn read(bytes: &[u8], list: &mut List<'_>) -> Result<(), Rule> {
    let read = catch_unwind(AssertUnwindSafe(|| sheets(bytes, list)));
    read.ok().flatten().ok_or(Rule::Unreadable)
}

fn sheets(bytes: &[u8], list: &mut List<'_>) -> Option<()> {
    let mut book = Xlsx::new(Cursor::new(bytes)).ok()?;
    for name in book.sheet_names() {
        let mut cells = book.worksheet_cells_reader(&name).ok()?;
        let mut row = Row::default();
        while let Some(cell) = cells.next_cell().ok()? {
            row.take(&cell, list)?;
        }
        row.end(list);
    }
    Some(())
}

/// A row, as its cells pass by.
#[derive(Default)]
struct Row {
    number: u32,
    /// How wide the first row with text is.
    width: usize,
    /// The text of each cell, and whether it was stored as a number.
    cells: Vec<(Zeroizing<String>, bool)>,
}

impl Row {
    fn take(&mut self, cell: &Read<DataRef<'_>>, list: &mut List<'_>) -> Option<()> {
        let (row, column) = cell.get_position();
        let number = row.checked_add(1)?;
        if number != self.number {
            self.end(list);
            self.number = number;
        }
        let (text, numeric) = match cell.get_value() {
            DataRef::Empty => return Some(()),
            DataRef::Int(value) => (value.to_string(), true),
            DataRef::Float(value) => (value.to_string(), true),
            // How it is shown does not matter.
            DataRef::DateTime(value) => (value.as_f64().to_string(), true),
            DataRef::String(text) => (text.clone(), false),
            DataRef::SharedString(text) => ((*text).to_owned(), false),
            DataRef::Bool(value) => (value.to_string(), false),
            DataRef::DateTimeIso(_) | DataRef::DurationIso(_) | DataRef::Error(_) => return None,
        };
        let column = usize::try_from(column).ok()?.min(MAX_COLUMNS - 1);
        if self.cells.len() <= column {
            self.cells.resize_with(column + 1, Default::default);
        }
        self.cells[column] = (Zeroizing::new(text), numeric);
        Some(())
    }

    fn end(&mut self, list: &mut List<'_>) {
        let with_text = self.cells.iter().rposition(|(text, _)| !bare(text).is_empty());
        if let Some(last) = with_text {
            self.width = if self.width == 0 { last + 1 } else { self.width };
            self.cells.truncate(last + 1);
            self.cells.resize_with(self.width.max(last + 1), Default::default);
            let cells = self.cells.iter().map(|it| Cell { text: &it.0, numeric: it.1 });
            list.row(self.number, &cells.collect::<Vec<_>>());
        }
        self.cells.clear();
    }
}
