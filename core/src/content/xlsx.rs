//! Lists as an Excel workbook: sheets of plain values, one of them with any, and nothing beside it.
//!
//! A reader that skips what it does not know would let it leave unseen. So this one knows which parts and which
//! elements a plain workbook has, and refuses any other; it asks no more memory than the bytes take. Not wiped: windows
//! of inflate. What passes is read once more, by `calamine`, which skips and reserves whatever a file says: both have to
//! come to the same persons and answers.
//!
//! | in reading order | |
//! |---|---|
//! | `archive` | the parts out of the zip, each byte of which belongs to one |
//! | `xml` | elements with their namespaces |
//! | `beside` | the parts beside the sheets: which there may be, and that they say nothing |
//! | `book` | which sheets there are |
//! | `strings`, `sheet` | the list itself |
//! | `header` | what a header or footer says: codes, and no words |
//! | `again` | the list once more, by another reader |

use archive::Part;
use sheet::Sheet;
use strings::Strings;
use xml::{SHEET, walk};

use super::Format;
use super::finding::Rule;
use super::list::List;

mod again;
mod archive;
mod beside;
mod book;
mod header;
mod sheet;
mod strings;
mod xml;

/// Reads all rows of the one sheet into the list.
///
/// # Errors
/// Where no list can be made out: [`Rule::Unreadable`], [`Rule::TooLarge`], [`Rule::WorkbookText`].
pub(super) fn read(bytes: &[u8], list: &mut List<'_>) -> Result<Format, Rule> {
    let parts = archive::open(bytes)?;
    let sheets = book::sheets(&parts, list)?;
    let read = |name: &str| [book::BOOK, book::RELATIONS, strings::STRINGS].contains(&name);
    let beside =
        parts.iter().filter(|part| !read(part.name) && !sheets.iter().any(|it| it == part.name));
    for rule in beside.filter_map(|part| beside::read(part).err()) {
        list.findings.file(rule);
    }
    let mut strings = Strings::default();
    if let Some(part) = find(&parts, strings::STRINGS) {
        strings.read(&part.text()?, list)?;
    }
    let mut taken = false;
    for name in &sheets {
        let xml = find(&parts, name).ok_or(Rule::Unreadable)?.text()?;
        let mut sheet = Sheet::new(&mut strings, list, taken);
        walk(&xml, &SHEET, |node| sheet.visit(node))?;
        taken |= sheet.has_data();
    }
    if strings.has_remains() {
        list.findings.file(Rule::WorkbookExtras);
    }
    if list.findings.is_empty() {
        let mut second = list.anew();
        again::read(bytes, &mut second)?;
        list.agrees(second)?;
    }
    Ok(Format::Xlsx)
}

fn find<'p, 'a>(parts: &'p [Part<'a>], name: &str) -> Option<&'p Part<'a>> {
    parts.iter().find(|part| part.name == name)
}
