//! One sheet of a workbook, as its XML passes by.

use zeroize::Zeroizing;

use super::{Node, Strings, attribute};
use crate::content::finding::Rule;
use crate::content::list::{Cell, List, MAX_CELL, MAX_COLUMNS, bare};

/// The last row a sheet can have.
const MAX_ROW: u32 = 1 << 20;

/// The columns of a list, as a sheet calls them.
const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// How a cell's value is to be read (its attribute `t`).
#[derive(Clone, Copy)]
enum Kind {
    Number,
    Text,
    Shared,
    Boolean,
}

/// Where a sheet has been read to.
pub(super) struct Sheet<'a, 'r> {
    strings: &'a mut Strings,
    list: &'a mut List<'r>,
    /// Another sheet is the list.
    taken: bool,
    /// How wide the first row with text is; further rows end where their last text does.
    width: usize,
    row: u32,
    /// The texts of this row, one after the other, and per cell where its text ends and whether it
    /// was stored as a number.
    text: Zeroizing<String>,
    cells: Vec<(usize, bool)>,
    column: usize,
    kind: Kind,
    reading: bool,
    phonetic: bool,
}

impl<'a, 'r> Sheet<'a, 'r> {
    pub(super) fn new(strings: &'a mut Strings, list: &'a mut List<'r>, taken: bool) -> Self {
        Self {
            strings,
            list,
            taken,
            width: 0,
            row: 0,
            text: Zeroizing::new(String::with_capacity(4096)),
            cells: Vec::new(),
            column: 0,
            kind: Kind::Number,
            reading: false,
            phonetic: false,
        }
    }

    /// Whether any cell has text in it.
    pub(super) fn has_data(&self) -> bool {
        self.width > 0
    }

    pub(super) fn visit(&mut self, node: Node<'_>) -> Result<(), Rule> {
        let hidden = |element| {
            attribute(element, "hidden")
                .map(|value| !matches!(value.as_deref(), None | Some("0" | "false")))
        };
        match node {
            Node::Open("row", element) => {
                let row = attribute(element, "r")?.map_or(Ok(self.row + 1), |row| row.parse());
                self.open_row(row.map_err(|_| Rule::Unreadable)?)?;
                if hidden(element)? {
                    self.list.findings.row(Rule::Hidden, self.row);
                }
            }
            Node::Open("c", element) => {
                let place = attribute(element, "r")?;
                let kind = match attribute(element, "t")?.as_deref() {
                    None | Some("n") => Kind::Number,
                    Some("s") => Kind::Shared,
                    Some("b") => Kind::Boolean,
                    Some(_) => Kind::Text,
                };
                self.open_cell(place.as_deref(), kind)?;
            }
            Node::Open("hyperlink" | "scenario", _) => {
                self.list.findings.file(Rule::WorkbookExtras);
            }
            // Not of a cell: of something beside them.
            Node::Open("f", _) if self.column == 0 => self.list.findings.file(Rule::Formula),
            Node::Open("f", _) => {
                let letter = LETTERS.get(self.column - 1..self.column);
                self.list.findings.cell(Rule::Formula, letter.unwrap_or("Z+"), self.row);
            }
            Node::Open("mergeCell", _) => self.list.findings.file(Rule::Merged),
            Node::Open("col", element) if hidden(element)? => {
                self.list.findings.file(Rule::Hidden);
            }
            Node::Open("v" | "t", _) => self.reading = !self.phonetic,
            Node::Close("v" | "t") => self.reading = false,
            Node::Open("rPh", _) => self.phonetic = true,
            Node::Close("rPh") => self.phonetic = false,
            Node::Text(text) if self.reading => self.text.push_str(text),
            Node::Close("c") => self.close_cell()?,
            Node::Close("row") => self.close_row(),
            _ => {}
        }
        Ok(())
    }

    /// Rows come in order, each once: a second meaning of the same file has no place to hide.
    fn open_row(&mut self, row: u32) -> Result<(), Rule> {
        if row <= self.row || row > MAX_ROW {
            return Err(Rule::Unreadable);
        }
        self.row = row;
        self.column = 0;
        self.text.clear();
        self.cells.clear();
        Ok(())
    }

    /// So do the cells of a row.
    fn open_cell(&mut self, place: Option<&str>, kind: Kind) -> Result<(), Rule> {
        let column = match place {
            Some(place) => column(place, self.row).ok_or(Rule::Unreadable)?,
            None => self.column,
        };
        if column < self.column || self.row == 0 {
            return Err(Rule::Unreadable);
        }
        let start = self.start();
        self.text.truncate(start);
        self.cells.resize(column.min(MAX_COLUMNS), (start, false));
        self.column = column + 1;
        self.kind = kind;
        Ok(())
    }

    /// Where the text of the cell after the last begins.
    fn start(&self) -> usize {
        self.cells.last().map_or(0, |(end, _)| *end)
    }

    fn close_cell(&mut self) -> Result<(), Rule> {
        let start = self.start();
        let shown = match (self.kind, &self.text[start..]) {
            (Kind::Number | Kind::Text, _) | (_, "") => None,
            (Kind::Boolean, "1") => Some("true"),
            (Kind::Boolean, "0") => Some("false"),
            (Kind::Boolean, _) => return Err(Rule::Unreadable),
            (Kind::Shared, index) => {
                let text = index.parse().ok().and_then(|index| self.strings.get(index));
                let text = text.ok_or(Rule::Unreadable)?;
                // Enough to see that it is too long, however often a long one is shown.
                Some(&text[..text.floor_char_boundary(MAX_CELL + 4)])
            }
        };
        if let Some(shown) = shown {
            self.text.truncate(start);
            self.text.push_str(shown);
        }
        let cell = (self.text.len(), matches!(self.kind, Kind::Number));
        match self.cells.get_mut(MAX_COLUMNS - 1) {
            Some(last) => *last = cell,
            None => self.cells.push(cell),
        }
        Ok(())
    }

    fn close_row(&mut self) {
        let starts = [0].into_iter().chain(self.cells.iter().map(|(end, _)| *end));
        let mut cells: Vec<_> = starts
            .zip(&self.cells)
            .map(|(start, (end, numeric))| Cell {
                text: &self.text[start..*end],
                numeric: *numeric,
            })
            .collect();
        let width =
            cells.iter().rposition(|cell| !bare(cell.text).is_empty()).map_or(0, |at| at + 1);
        if width == 0 {
            return;
        }
        if self.width == 0 {
            self.width = width;
        }
        if self.taken {
            return self.list.findings.file(Rule::MoreSheets);
        }
        cells.resize(width.max(self.width), Cell { text: "", numeric: false });
        self.list.row(self.row, &cells);
    }
}

/// The column of a place such as `B7`, from 0, if it is in this row.
fn column(place: &str, row: u32) -> Option<usize> {
    let digits = place.find(|c: char| c.is_ascii_digit())?;
    let (letters, number) = place.split_at(digits);
    let fits = (1..=3).contains(&letters.len()) && number.parse() == Ok(row);
    // Three letters at most, before they are counted.
    let mut letters = fits.then_some(letters)?.bytes();
    let column = letters.try_fold(0, |sum, letter| {
        letter.is_ascii_uppercase().then(|| sum * 26 + usize::from(letter - b'A') + 1)
    })?;
    Some(column - 1)
}
