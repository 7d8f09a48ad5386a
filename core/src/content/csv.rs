//! Lists as CSV: `;` or `,`, UTF-8 with or without a byte order mark, or Windows-1252.
//!
//! Stricter than RFC 4180 on purpose, for the crate `csv` mends in silence: it is given one line after the other, so that
//! row numbers are those of a spreadsheet and nothing hides in a break, and what it makes of a line is held against the
//! line: a cell is bare or wholly between quotes.

use ::csv::{ReaderBuilder, StringRecord, Terminator};
use zeroize::Zeroizing;

use super::finding::Rule;
use super::list::{Cell, List, MAX_COLUMNS, bare};
use super::{Encoding, Format, MAX_ROWS};

/// A longer line has too many cells, or one that is too long, whatever stands in it; in bytes.
const MAX_LINE: usize = 8 << 10;

/// 0x80 to 0x9f in Windows-1252; NUL where it has nothing.
const WINDOWS_1252: [char; 32] = [
    '€', '\0', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\0', 'Ž', '\0', '\0', '‘',
    '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\0', 'ž', 'Ÿ',
];

/// Reads all rows into the list.
///
/// # Errors
/// [`Rule::Encoding`] where the bytes are no text of these two kinds.
pub(super) fn read(bytes: &[u8], list: &mut List<'_>) -> Result<Format, Rule> {
    let mut room = Zeroizing::default();
    let (text, encoding) = decode(bytes, &mut room).ok_or(Rule::Encoding)?;
    let first = text.split('\n').next().unwrap_or_default();
    let delimiter = if first.matches(',').count() > first.matches(';').count() { ',' } else { ';' };
    let mut lines = Lines::new(delimiter);
    for (number, line) in (1..).zip(text.split('\n')) {
        if number > MAX_ROWS + 1 {
            list.stop(Rule::TooManyRows);
            break;
        }
        if line.is_empty() {
            continue;
        }
        match lines.take_apart(line.strip_suffix('\r').unwrap_or(line)) {
            Ok(()) => list.row(number, &lines.cells()),
            Err(rule) => list.broken(number, rule),
        }
        if list.done() {
            break;
        }
    }
    Ok(Format::Csv { delimiter, encoding })
}

/// The text, and what it was written in; what has to be rewritten goes into `room`.
fn decode<'a>(bytes: &'a [u8], room: &'a mut Zeroizing<String>) -> Option<(&'a str, Encoding)> {
    let marked = bytes.strip_prefix(b"\xef\xbb\xbf");
    let (text, encoding) = match (str::from_utf8(marked.unwrap_or(bytes)), marked) {
        (Ok(text), _) => (text, Encoding::Utf8),
        (Err(_), Some(_)) => return None,
        (Err(_), None) => {
            room.reserve(2 * bytes.len());
            room.extend(bytes.iter().map(|byte| match byte {
                0x80..=0x9f => WINDOWS_1252[usize::from(byte - 0x80)],
                _ => char::from(*byte),
            }));
            (room.as_str(), Encoding::Windows1252)
        }
    };
    // UTF-16 shows itself by these, and what Windows-1252 does not know became one.
    (!text.contains('\0')).then_some((text, encoding))
}

/// Lines, taken apart one after the other.
struct Lines {
    delimiter: char,
    reader: ReaderBuilder,
    row: StringRecord,
}

impl Lines {
    fn new(delimiter: char) -> Self {
        let mut reader = ReaderBuilder::new();
        reader.has_headers(false).flexible(true).delimiter(if delimiter == ',' {
            b','
        } else {
            b';'
        });
        reader.terminator(Terminator::Any(b'\n')).buffer_capacity(1 << 10);
        Self { delimiter, reader, row: StringRecord::new() }
    }

    fn take_apart(&mut self, line: &str) -> Result<(), Rule> {
        if line.starts_with('\u{feff}') {
            // `csv` would skip it.
            return Err(Rule::Character);
        }
        if line.len() > MAX_LINE {
            let is_wide = line.matches(self.delimiter).count() >= MAX_COLUMNS;
            return Err(match line.contains('\r') {
                true => Rule::LineBreak,
                false if is_wide => Rule::RowWidth,
                false => Rule::CellTooLong,
            });
        }
        let read = self.reader.from_reader(line.as_bytes()).read_record(&mut self.row);
        read.map_err(|_| Rule::Encoding)?;
        self.spells(line)
    }

    /// Whether the cells, each bare or between quotes, are the line to the letter.
    fn spells(&self, line: &str) -> Result<(), Rule> {
        let mut rest = line;
        for (at, text) in self.row.iter().enumerate() {
            if at > 0 {
                rest = rest.strip_prefix(self.delimiter).ok_or(Rule::Quotes)?;
            }
            let quoted = rest.strip_prefix('"');
            let after = quoted.unwrap_or(rest).strip_prefix(text).ok_or(Rule::Quotes)?;
            rest = match quoted {
                Some(_) if after.is_empty() => return Err(Rule::LineBreak),
                Some(_) => after.strip_prefix('"').ok_or(Rule::Quotes)?,
                None => after,
            };
            if text.contains('"') {
                return Err(Rule::Quotes);
            }
        }
        rest.is_empty().then_some(()).ok_or(Rule::Quotes)
    }

    /// What stands beyond the columns that are told apart is seen in the last of these.
    fn cells(&self) -> Vec<Cell<'_>> {
        let (mut near, mut far) = (Vec::with_capacity(MAX_COLUMNS), self.row.iter());
        near.extend(far.by_ref().take(MAX_COLUMNS - 1));
        let last = far.reduce(|last, text| if bare(last).is_empty() { text } else { last });
        near.into_iter().chain(last).map(|text| Cell { text, numeric: false }).collect()
    }
}
