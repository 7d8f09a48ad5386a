//! Lists as CSV: `;` or `,`, UTF-8 with or without a byte order mark, or Windows-1252.
//!
//! Stricter than RFC 4180 on purpose, and so not the `csv` crate, which mends in silence: one line is
//! one row, so that row numbers are those of a spreadsheet and nothing hides in a break; a cell is bare
//! or wholly between quotes. Whatever passes here, that crate reads the same (a test holds it).

use zeroize::Zeroizing;

use super::finding::Rule;
use super::list::{Cell, List, MAX_COLUMNS};
use super::{Encoding, Format};

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
    let mut cells = Vec::with_capacity(MAX_COLUMNS);
    for (number, line) in (1..).zip(text.split('\n')) {
        match split(line.strip_suffix('\r').unwrap_or(line), delimiter, &mut cells) {
            Ok(()) => list.row(number, &cells),
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

/// Takes a line apart.
fn split<'a>(line: &'a str, delimiter: char, cells: &mut Vec<Cell<'a>>) -> Result<(), Rule> {
    cells.clear();
    let mut rest = line;
    while cells.len() < MAX_COLUMNS - 1 {
        let (text, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').ok_or(Rule::LineBreak)?,
            None => rest.split_at(rest.find(delimiter).unwrap_or(rest.len())),
        };
        if text.contains('"') {
            return Err(Rule::Quotes);
        }
        cells.push(Cell { text, numeric: false });
        if after.is_empty() {
            return Ok(());
        }
        rest = after.strip_prefix(delimiter).ok_or(Rule::Quotes)?;
    }
    cells.push(Cell { text: rest, numeric: false });
    Ok(())
}
