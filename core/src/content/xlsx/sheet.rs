//! One sheet of a workbook, as its XML passes by.

use zeroize::Zeroizing;

use super::beside::MAX_OTHER;
use super::header;
use super::strings::{Strings, is_look};
use super::xml::{Element, Node};
use crate::content::finding::Rule;
use crate::content::list::{Cell, List, MAX_CELL, MAX_COLUMNS, bare};

/// The last row a sheet can have.
const MAX_ROW: u32 = 1 << 20;

/// The columns of a list, as a sheet calls them.
const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// What a sheet has beside its cells where it is no more than a list: where it is looked at and how it is printed, what
/// is filtered by (not for which words), which warnings were waved away. Breaks, columns and tables are numbers.
const LOOKS: [&str; 32] = [
    "worksheet",
    "sheetPr",
    "tabColor",
    "outlinePr",
    "pageSetUpPr",
    "dimension",
    "sheetViews",
    "sheetView",
    "pane",
    "selection",
    "sheetFormatPr",
    "cols",
    "col",
    "autoFilter",
    "sortState",
    "sortCondition",
    "mergeCells",
    "mergeCell",
    "printOptions",
    "pageMargins",
    "pageSetup",
    "headerFooter",
    "rowBreaks",
    "colBreaks",
    "brk",
    "ignoredErrors",
    "ignoredError",
    "tableParts",
    "tablePart",
    "phoneticPr",
    "sheetCalcPr",
    "f",
];
/// What is printed above and below it.
const HEADERS: [&str; 6] =
    ["oddHeader", "oddFooter", "evenHeader", "evenFooter", "firstHeader", "firstFooter"];

/// Where the text goes that comes next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Nowhere: there is to be none.
    None,
    /// Into the cell.
    Cell,
    /// Into a header or footer.
    Header,
    /// Into a formula, which is refused already.
    Formula,
}

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
    /// Inside the rows, a row, a cell; and whether its value was there already.
    in_rows: bool,
    in_row: bool,
    in_cell: bool,
    has_value: bool,
    has_rows: bool,
    place: Place,
    phonetic: bool,
    header: Zeroizing<String>,
    /// How long all that is no cell is together, in bytes.
    looks: usize,
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
            in_rows: false,
            in_row: false,
            in_cell: false,
            has_value: false,
            has_rows: false,
            place: Place::None,
            phonetic: false,
            header: Zeroizing::default(),
            looks: 0,
        }
    }

    /// Whether any cell has text in it.
    pub(super) fn has_data(&self) -> bool {
        self.width > 0
    }

    pub(super) fn visit(&mut self, node: Node<'_>) -> Result<(), Rule> {
        match node {
            Node::Open(element) => {
                self.place = Place::None;
                match (element.own, element.depth, element.name) {
                    (true, 3, "row") => self.row(element)?,
                    (true, 4, "c") => self.cell(element)?,
                    _ => {
                        element.check_words()?;
                        self.open(element)?;
                    }
                }
            }
            Node::Text(text) => match self.place {
                Place::Cell => self.text.push_str(text),
                Place::Header => self.header.push_str(text),
                Place::None if !text.trim().is_empty() => {
                    self.list.findings.file(Rule::WorkbookText);
                }
                Place::None | Place::Formula => {}
            },
            Node::Close(name) => self.close(name)?,
        }
        Ok(())
    }

    fn row(&mut self, element: &Element<'_>) -> Result<(), Rule> {
        let row = element.get("r")?.map_or(Ok(self.row + 1), |row| row.parse());
        if !self.in_rows {
            return Err(Rule::Unreadable);
        }
        self.open_row(row.map_err(|_| Rule::Unreadable)?)?;
        self.in_row = true;
        if !element.is_numeric(&[])? {
            self.list.findings.file(Rule::WorkbookText);
        }
        if is_hidden(element)? {
            self.list.findings.row(Rule::Hidden, self.row);
        }
        Ok(())
    }

    fn cell(&mut self, element: &Element<'_>) -> Result<(), Rule> {
        let kind = match element.get("t")?.as_deref() {
            None | Some("n") => Kind::Number,
            Some("s") => Kind::Shared,
            Some("b") => Kind::Boolean,
            Some("str" | "inlineStr" | "e" | "d") => Kind::Text,
            Some(_) => return Err(Rule::Unreadable),
        };
        if !self.in_row {
            return Err(Rule::Unreadable);
        }
        self.open_cell(element.get("r")?.as_deref(), kind)?;
        if !element.is_numeric(&["r", "t"])? {
            self.list.findings.file(Rule::WorkbookText);
        }
        (self.in_cell, self.has_value) = (true, false);
        Ok(())
    }

    /// Whatever is neither a row nor a cell.
    fn open(&mut self, element: &Element<'_>) -> Result<(), Rule> {
        let is_bare =
            matches!(element.name, "v" | "is" | "t") && element.has_only(&["xml:space"])?;
        self.looks += if is_bare { 0 } else { element.length() };
        if self.looks > MAX_OTHER {
            self.list.findings.file(Rule::WorkbookText);
        }
        match element.name {
            _ if !element.own => self.list.findings.file(Rule::WorkbookExtras),
            // A second one would be another list.
            "sheetData" if self.has_rows || element.depth != 2 => return Err(Rule::Unreadable),
            "sheetData" => (self.has_rows, self.in_rows) = (true, true),
            "v" | "is" if self.in_cell && element.depth == 5 => {
                if self.has_value {
                    return Err(Rule::Unreadable);
                }
                self.has_value = true;
                self.place = if element.name == "v" { Place::Cell } else { Place::None };
            }
            "t" if self.in_cell && !self.phonetic => self.place = Place::Cell,
            "v" | "is" | "t" => {}
            // How it is spoken is not shown.
            "rPh" => self.phonetic = true,
            "f" => {
                self.place = Place::Formula;
                self.formula();
            }
            "mergeCell" => self.list.findings.file(Rule::Merged),
            "col" if is_hidden(element)? => self.list.findings.file(Rule::Hidden),
            name if HEADERS.contains(&name) => {
                self.header.clear();
                self.place = Place::Header;
            }
            name if LOOKS.contains(&name) || (self.in_cell && is_look(name)) => {}
            _ => self.list.findings.file(Rule::WorkbookExtras),
        }
        Ok(())
    }

    fn formula(&mut self) {
        // Not of a cell: of something beside them.
        let Some(column) = self.column.checked_sub(1) else {
            return self.list.findings.file(Rule::Formula);
        };
        let letter = LETTERS.get(column..=column).unwrap_or("Z+");
        self.list.findings.cell(Rule::Formula, letter, self.row);
    }

    fn close(&mut self, name: &str) -> Result<(), Rule> {
        self.place = Place::None;
        match name {
            "rPh" => self.phonetic = false,
            "c" if self.in_cell => {
                self.in_cell = false;
                self.close_cell()?;
            }
            "row" if self.in_row => {
                self.in_row = false;
                self.close_row();
            }
            "sheetData" => self.in_rows = false,
            name if HEADERS.contains(&name) && !header::is_plain(&self.header) => {
                self.list.findings.file(Rule::WorkbookText);
            }
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
                let plain = index.bytes().all(|byte| byte.is_ascii_digit());
                let index = index.parse().ok().filter(|_| plain);
                let text = index.and_then(|index| self.strings.get(index));
                let text = text.ok_or(Rule::Unreadable)?;
                // Enough to see that it is too long, however often a long one is shown.
                let start = &text[..text.floor_char_boundary(MAX_CELL + 4)];
                // What follows on so many blanks would not be seen; nor is it copied each time by the other reader.
                if start.len() > MAX_CELL && bare(start).is_empty() {
                    self.list.findings.row(Rule::CellTooLong, self.row);
                }
                Some(start)
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

fn is_hidden(element: &Element<'_>) -> Result<bool, Rule> {
    let hidden = element.get("hidden")?;
    Ok(!matches!(hidden.as_deref(), None | Some("0" | "false")))
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
