//! The judgement of one list, row by row, whatever file it came from (art. 2, 3, 7).
//!
//! Wiped: the numbers kept to find doubles. Nothing else is kept: a cell is judged where it stands.

use jiff::civil::Date;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::finding::{Finding, Findings, Rule};
use super::nrn::{Fault, NationalNumber};
use super::{Column, ColumnKind, Count, Rules};
use crate::id::Digest;

/// A cell with more bytes is refused: none of the three kinds needs them.
pub(super) const MAX_CELL: usize = 64;
/// Cells of a row that are told apart; whatever stands further on is taken as part of the last, so that
/// it is seen. No agreement has as many columns: such a row is always refused.
pub(super) const MAX_COLUMNS: usize = 26;

/// How yes and no may be written, in either case of letters; one pair per column.
const SPELLINGS: [(&str, &str); 5] =
    [("ja", "nee"), ("j", "n"), ("waar", "onwaar"), ("true", "false"), ("1", "0")];
/// A header with one of these in it names persons: naam, voornaam, familienaam, prénom ...
const NAMES: [&str; 4] = ["naam", "name", "prenom", "prénom"];
/// A number in the list of doubles stands above its row, which is below 2^27.
const ROW_BITS: u32 = 27;

/// A cell as it was stored.
#[derive(Clone, Copy)]
pub(super) struct Cell<'a> {
    pub(super) text: &'a str,
    /// A number to the workbook, so that leading zeros may be gone.
    pub(super) numeric: bool,
}

/// What is known of one column of the agreement.
struct Tally<'r> {
    column: &'r Column,
    spelling: Option<usize>,
    yes: u32,
    no: u32,
}

/// A list under judgement.
pub(super) struct List<'r> {
    rules: &'r Rules,
    today: Date,
    pub(super) findings: Findings,
    tallies: Vec<Tally<'r>>,
    /// Which tally each column of the file feeds; `None` until there is a header that can be used.
    columns: Option<Vec<Option<usize>>>,
    numbers: Zeroizing<Vec<u64>>,
    /// All that was read, cell by cell: two readings of one file are held against each other by it.
    read: Sha256,
    rows: u32,
    last: u32,
    done: bool,
}

impl<'r> List<'r> {
    /// How many cells a list within its rules has, with those of its header.
    pub(super) fn most_cells(&self) -> usize {
        let rows = usize::try_from(self.rules.max_rows).unwrap_or(usize::MAX);
        rows.saturating_add(1).saturating_mul(self.rules.columns.len())
    }

    pub(super) fn new(rules: &'r Rules, today: Date) -> Self {
        let tally = |column| Tally { column, spelling: None, yes: 0, no: 0 };
        // Room for all of them at once: a vector that grows leaves copies behind.
        let room = usize::try_from(rules.max_rows).unwrap_or(0);
        Self {
            rules,
            today,
            findings: Findings::default(),
            tallies: rules.columns.iter().map(tally).collect(),
            columns: None,
            numbers: Zeroizing::new(Vec::with_capacity(room)),
            read: Sha256::new(),
            rows: 0,
            last: 0,
            done: false,
        }
    }

    /// Another reading of the same file, from its beginning.
    pub(super) fn anew(&self) -> Self {
        Self::new(self.rules, self.today)
    }

    /// Holds another reading of the same file against this one: what it finds counts here too.
    ///
    /// # Errors
    /// [`Rule::Unreadable`] where it found nothing, and came to other persons or answers, or to the same in other rows.
    pub(super) fn agrees(&mut self, other: Self) -> Result<(), Rule> {
        let found = !other.findings.is_empty();
        self.findings.add(other.findings);
        let same = (self.rows, self.last, self.done) == (other.rows, other.last, other.done)
            && self.columns == other.columns
            && Digest::finish(self.read.clone()) == Digest::finish(other.read);
        if same || found { Ok(()) } else { Err(Rule::Unreadable) }
    }

    /// Whether more rows change nothing.
    pub(super) fn done(&self) -> bool {
        self.done
    }

    /// The next row that the file has. Rows without any text count only where another follows.
    pub(super) fn row(&mut self, number: u32, cells: &[Cell<'_>]) {
        if self.done || cells.iter().all(|cell| bare(cell.text).is_empty()) {
            return;
        }
        let Some(columns) = self.columns.take() else {
            return self.header(number, cells);
        };
        if self.counts(number) {
            if cells.len() == columns.len() {
                for (cell, tally) in cells.iter().zip(&columns) {
                    if let Some(tally) = *tally {
                        self.cell(number, tally, *cell);
                    }
                }
            } else {
                self.findings.row(Rule::RowWidth, number);
            }
        }
        self.columns = Some(columns);
    }

    /// A row that cannot be taken apart.
    pub(super) fn broken(&mut self, number: u32, rule: Rule) {
        self.findings.row(rule, number);
        if self.columns.is_none() {
            self.done = true;
        } else {
            self.counts(number);
        }
    }

    /// Nothing further can be said.
    pub(super) fn stop(&mut self, rule: Rule) {
        self.findings.file(rule);
        self.done = true;
    }

    /// Counts a row and the gap before it; false if it is one too many.
    fn counts(&mut self, number: u32) -> bool {
        if number - 1 > self.rules.max_rows {
            self.stop(Rule::TooManyRows);
            return false;
        }
        (self.last + 1..number).for_each(|empty| self.findings.row(Rule::EmptyRow, empty));
        self.last = number;
        self.rows += 1;
        true
    }

    fn header(&mut self, number: u32, cells: &[Cell<'_>]) {
        let place = |cell: &Cell<'_>| {
            let name = Zeroizing::new(bare(cell.text).to_lowercase());
            self.tallies.iter().position(|tally| tally.column.name.to_lowercase() == *name)
        };
        let columns: Vec<_> = cells.iter().map(place).collect();
        if number != 1 || columns.iter().all(Option::is_none) {
            self.findings.row(Rule::HeaderMissing, 1);
            self.done = true;
            return;
        }
        let strange = ('A'..='Z').zip(cells).zip(&columns).filter(|(_, place)| place.is_none());
        for ((letter, cell), _) in strange {
            let name = Zeroizing::new(bare(cell.text).to_lowercase());
            let named = NAMES.iter().any(|part| name.contains(part));
            let rule = if named { Rule::NameColumn } else { Rule::ColumnNotAllowed };
            let rule = fault(cell.text).unwrap_or(rule);
            self.findings.cell(rule, letter.encode_utf8(&mut [0; 4]), number);
        }
        for (index, tally) in self.tallies.iter().enumerate() {
            let rule = match columns.iter().filter(|place| **place == Some(index)).count() {
                0 => Rule::ColumnMissing,
                1 => continue,
                _ => Rule::ColumnTwice,
            };
            self.findings.cell(rule, &tally.column.name, number);
        }
        self.last = number;
        self.columns = Some(columns);
    }

    fn cell(&mut self, row: u32, index: usize, cell: Cell<'_>) {
        let text = bare(cell.text);
        let column = self.tallies[index].column;
        let rule = match (fault(cell.text), column.kind) {
            (Some(rule), _) => Some(rule),
            (None, _) if text.is_empty() => Some(Rule::EmptyCell),
            (None, ColumnKind::NationalNumber) => self.number(row, text, cell.numeric),
            (None, ColumnKind::Boolean) => self.boolean(index, text),
            (None, ColumnKind::Nis) => {
                let ours = self.rules.municipality_nis.as_deref() == Some(text);
                (!ours).then_some(Rule::OtherMunicipality)
            }
            // A name, where the signed text lists names: nothing in it can be checked.
            (None, ColumnKind::Text) => None,
        };
        match rule {
            Some(rule) => self.findings.cell(rule, &column.name, row),
            None => self.reads(row, index, text),
        }
    }

    /// A cell, by what it says.
    fn reads(&mut self, row: u32, index: usize, text: &str) {
        let tally = &self.tallies[index];
        let yes = tally.spelling.map(|spelling| SPELLINGS[spelling].0.eq_ignore_ascii_case(text));
        self.read.update(row.to_le_bytes());
        self.read.update(index.to_le_bytes());
        match (tally.column.kind, yes) {
            (ColumnKind::Boolean, yes) => self.read.update([u8::from(yes == Some(true))]),
            _ => self.read.update(text.as_bytes()),
        }
        self.read.update([0]);
    }

    fn number(&mut self, row: u32, text: &str, numeric: bool) -> Option<Rule> {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let scientific = text.contains(['e', 'E'])
            && text.starts_with(|c: char| c.is_ascii_digit())
            && text.bytes().all(|byte| byte.is_ascii_digit() || b"eE+-.,".contains(&byte));
        let short = digits && text.len() < 11;
        if scientific
            || short
            || (numeric && !(digits && text.len() == 11 && !text.starts_with('0')))
        {
            return Some(Rule::NumberStored);
        }
        match NationalNumber::parse(text, self.today) {
            Ok(number) => {
                self.numbers.push(number.value() << ROW_BITS | u64::from(row));
                None
            }
            Err(Fault::Form) => Some(Rule::NumberForm),
            Err(Fault::Check) => Some(Rule::NumberCheck),
            Err(Fault::Bis) => Some(Rule::NumberBis),
            Err(Fault::Date) => Some(Rule::NumberDate),
            Err(Fault::Serial) => Some(Rule::NumberSerial),
        }
    }

    fn boolean(&mut self, index: usize, text: &str) -> Option<Rule> {
        let tally = &mut self.tallies[index];
        let is = |word: &str| word.eq_ignore_ascii_case(text);
        let Some(spelling) = SPELLINGS.iter().position(|(yes, no)| is(yes) || is(no)) else {
            return Some(Rule::BooleanValue);
        };
        let count = if is(SPELLINGS[spelling].0) { &mut tally.yes } else { &mut tally.no };
        *count += 1;
        (*tally.spelling.get_or_insert(spelling) != spelling).then_some(Rule::BooleanMixed)
    }

    /// What the whole list says: its rows, its counts, its findings.
    pub(super) fn finish(mut self) -> (u32, Vec<Count>, Vec<Finding>) {
        match (&self.columns, self.rows) {
            _ if self.done => {}
            (None, _) => self.findings.file(Rule::Empty),
            (Some(_), 0) => self.findings.file(Rule::NoRows),
            (Some(_), 1) => self.findings.file(Rule::SingleRow),
            _ => {}
        }
        self.numbers.sort_unstable();
        let same = |one: &u64, other: &u64| one >> ROW_BITS == other >> ROW_BITS;
        let (column, mask) = (self.rules.number_column(), (1 << ROW_BITS) - 1);
        for group in self.numbers.chunk_by(same).filter(|group| group.len() > 1) {
            for row in group.iter().filter_map(|entry| u32::try_from(entry & mask).ok()) {
                self.findings.cell(Rule::NumberTwice, column, row);
            }
        }
        let counts = self.tallies.iter().filter(|tally| tally.column.kind == ColumnKind::Boolean);
        let count = |tally: &Tally<'_>| Count {
            column: tally.column.name.clone(),
            yes: tally.yes,
            no: tally.no,
        };
        (self.rows, counts.map(count).collect(), self.findings.into_vec())
    }
}

/// The text without the spaces around it. Only U+0020: any other kind of space is a fault.
pub(super) fn bare(text: &str) -> &str {
    text.trim_matches(' ')
}

/// What is wrong with a text whatever it should say. Printable ASCII and the Latin letters to U+024F
/// may stand in a cell; so controls, no-break spaces, soft hyphens, zero-width characters, changes of
/// direction, byte order marks and lookalikes of other scripts may not.
pub(super) fn fault(text: &str) -> Option<Rule> {
    let usual = |c: char| matches!(c, ' '..='~' | '\u{a1}'..='\u{ac}' | '\u{ae}'..='\u{24f}');
    let breaks = ['\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'];
    if text.len() > MAX_CELL {
        Some(Rule::CellTooLong)
    } else if text.contains(breaks) {
        Some(Rule::LineBreak)
    } else if bare(text).starts_with(['=', '+', '-', '@', '\t', '＝', '＋', '－', '＠']) {
        Some(Rule::FormulaCharacter)
    } else {
        text.contains(|c| !usual(c)).then_some(Rule::Character)
    }
}
