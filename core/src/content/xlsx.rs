//! Lists as an Excel workbook: one visible sheet of plain values, and nothing beside it.
//!
//! A reader that skips what it does not know would let it leave unseen. So this one knows which parts a
//! plain workbook has and refuses any other; and it asks of the two formats below (`zip`, `quick-xml`)
//! no more memory than their bytes take. `calamine`, the oracle of the tests, skips, and reserves what
//! a shared string table claims to hold. Not wiped: what those crates buffer (windows of inflate).

use std::borrow::Cow;
use std::io::{Cursor, Read};

use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use zeroize::Zeroizing;
use zip::ZipArchive;

use super::finding::Rule;
use super::list::List;
use sheet::Sheet;

mod sheet;

/// All parts together, unpacked.
const MAX_UNPACKED: u64 = 256 << 20;
/// Deflate makes of one byte no more than these: who claims more has room reserved, and wiped, for nothing.
const MAX_RATIO: u64 = 1032;
/// A plain workbook has about ten.
const MAX_PARTS: usize = 256;
/// What a plain workbook consists of, beside its sheets.
const PARTS: [&str; 12] = [
    "[Content_Types].xml",
    "_rels/.rels",
    "docProps/app.xml",
    "docProps/core.xml",
    "docProps/custom.xml",
    "docMetadata/LabelInfo.xml",
    "xl/calcChain.xml",
    "xl/metadata.xml",
    "xl/sharedStrings.xml",
    "xl/styles.xml",
    "xl/workbook.xml",
    "xl/_rels/workbook.xml.rels",
];
/// Folders with looks, and names that the header has too.
const FOLDERS: [&str; 4] =
    ["xl/theme/", "xl/worksheets/_rels/", "xl/printerSettings/", "xl/tables/"];

type Archive<'a> = ZipArchive<Cursor<&'a [u8]>>;

/// Reads all rows of the one sheet into the list.
///
/// # Errors
/// [`Rule::Unreadable`] or [`Rule::TooLarge`], where no list can be made out.
pub(super) fn read(bytes: &[u8], list: &mut List<'_>) -> Result<(), Rule> {
    let mut archive = open(bytes)?;
    let sheets = sheets(&mut archive, list)?;
    for name in archive.file_names() {
        let name = name.map_err(|_| Rule::Unreadable)?;
        let known = PARTS.contains(&&*name)
            || FOLDERS.iter().any(|folder| name.starts_with(folder))
            || sheets.iter().any(|sheet| *sheet == *name);
        if !known && !name.ends_with('/') {
            list.findings.file(Rule::WorkbookExtras);
        }
    }
    let mut strings = Strings::default();
    if let Some(xml) = part(&mut archive, "xl/sharedStrings.xml")? {
        strings.read(&xml)?;
    }
    let mut taken = false;
    for name in &sheets {
        let xml = part(&mut archive, name)?.ok_or(Rule::Unreadable)?;
        let mut sheet = Sheet::new(&mut strings, list, taken);
        walk(&xml, |node| sheet.visit(node))?;
        taken |= sheet.has_data();
    }
    if strings.used.contains(&false) {
        list.findings.file(Rule::WorkbookExtras);
    }
    Ok(())
}

/// The archive, within bounds by its own word. ZIP64 is for larger files than these, and a false one
/// would have room reserved for as many parts as it claims.
fn open(bytes: &[u8]) -> Result<Archive<'_>, Rule> {
    let end = bytes.len().saturating_sub(usize::from(u16::MAX) + 64);
    if bytes[end..].windows(4).any(|signature| signature == b"PK\x06\x07") {
        return Err(Rule::Unreadable);
    }
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| Rule::Unreadable)?;
    if archive.has_duplicate_names() || archive.len() > MAX_PARTS {
        return Err(Rule::Unreadable);
    }
    let mut unpacked = 0_u64;
    for index in 0..archive.len() {
        let size = archive.by_index_raw(index).map_err(|_| Rule::Unreadable)?.size();
        unpacked = unpacked.saturating_add(size);
    }
    match unpacked {
        _ if unpacked > MAX_UNPACKED => Err(Rule::TooLarge),
        _ if unpacked > MAX_RATIO * bytes.len() as u64 => Err(Rule::Unreadable),
        _ => Ok(archive),
    }
}

/// A part as text, if it is there; refused where it is longer than the archive said.
fn part(archive: &mut Archive<'_>, name: &str) -> Result<Option<Zeroizing<String>>, Rule> {
    if archive.index_for_name(name).is_none() {
        return Ok(None);
    }
    let file = archive.by_name(name).map_err(|_| Rule::Unreadable)?;
    let size = file.size();
    let room = usize::try_from(size).map_err(|_| Rule::TooLarge)?;
    let mut text = Zeroizing::new(String::with_capacity(room + 1));
    file.take(size + 1).read_to_string(&mut text).map_err(|_| Rule::Unreadable)?;
    if text.len() > room { Err(Rule::Unreadable) } else { Ok(Some(text)) }
}

/// The parts that hold sheets, in the workbook's order.
fn sheets(archive: &mut Archive<'_>, list: &mut List<'_>) -> Result<Vec<String>, Rule> {
    let relations = part(archive, "xl/_rels/workbook.xml.rels")?.ok_or(Rule::Unreadable)?;
    let mut targets = Vec::new();
    walk(&relations, |node| {
        if let Node::Open("Relationship", element) = node {
            let target = attribute(element, "Target")?.ok_or(Rule::Unreadable)?;
            let path = match target.strip_prefix('/') {
                Some(path) => path.to_owned(),
                None => format!("xl/{target}"),
            };
            targets.push((attribute(element, "Id")?.map(Cow::into_owned), path));
        }
        Ok(())
    })?;
    let workbook = part(archive, "xl/workbook.xml")?.ok_or(Rule::Unreadable)?;
    let mut sheets = Vec::new();
    walk(&workbook, |node| {
        match node {
            Node::Open("sheet", element) => {
                let id = attribute(element, "id")?.map(Cow::into_owned);
                let target = targets.iter().find(|(other, _)| *other == id);
                sheets.push(target.ok_or(Rule::Unreadable)?.1.clone());
                if attribute(element, "state")?.is_some_and(|state| state != "visible") {
                    list.findings.file(Rule::Hidden);
                }
            }
            Node::Open("definedName", element)
                if !attribute(element, "name")?.is_some_and(|name| name.starts_with("_xlnm.")) =>
            {
                list.findings.file(Rule::WorkbookExtras);
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok(sheets)
}

/// The strings that cells refer to.
#[derive(Default)]
struct Strings {
    text: Zeroizing<String>,
    /// Where each string ends.
    ends: Vec<usize>,
    /// Whether a cell shows it. One that none shows is a remain of something deleted.
    used: Vec<bool>,
}

impl Strings {
    fn read(&mut self, xml: &str) -> Result<(), Rule> {
        self.text.reserve(xml.len());
        let (mut reading, mut phonetic) = (false, false);
        walk(xml, |node| {
            match node {
                Node::Open("t", _) => reading = !phonetic,
                Node::Close("t") => reading = false,
                Node::Open("rPh", _) => phonetic = true,
                Node::Close("rPh") => phonetic = false,
                Node::Text(text) if reading => self.text.push_str(text),
                Node::Close("si") => self.ends.push(self.text.len()),
                _ => {}
            }
            Ok(())
        })?;
        self.used = vec![false; self.ends.len()];
        Ok(())
    }

    /// The string with this number.
    fn get(&mut self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)?;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.used[index] = true;
        self.text.get(start..end)
    }
}

/// What there is in XML, by names without prefix.
#[derive(Clone, Copy)]
enum Node<'a> {
    Open(&'a str, &'a BytesStart<'a>),
    Text(&'a str),
    Close(&'a str),
}

/// Shows each node in turn. No document types: so no entities but the five, and nothing that unfolds.
fn walk(xml: &str, mut visit: impl FnMut(Node<'_>) -> Result<(), Rule>) -> Result<(), Rule> {
    let mut reader = quick_xml::Reader::from_str(xml);
    reader.config_mut().expand_empty_elements = true;
    let mut depth = 0_usize;
    loop {
        match reader.read_event().map_err(|_| Rule::Unreadable)? {
            Event::Start(element) => {
                depth += 1;
                visit(Node::Open(element.local_name().as_ref(), &element))?;
            }
            Event::End(element) => {
                depth -= 1;
                visit(Node::Close(element.local_name().as_ref()))?;
            }
            Event::Text(text) => visit(Node::Text(&text))?,
            Event::CData(text) => visit(Node::Text(&text))?,
            Event::GeneralRef(name) => {
                let named = resolve_predefined_entity(&name);
                let numbered = name.resolve_char_ref().map_err(|_| Rule::Unreadable)?;
                match (named, numbered) {
                    (Some(text), _) => visit(Node::Text(text))?,
                    (None, Some(c)) => visit(Node::Text(c.encode_utf8(&mut [0; 4])))?,
                    (None, None) => return Err(Rule::Unreadable),
                }
            }
            Event::Eof if depth == 0 => return Ok(()),
            Event::Eof | Event::DocType(_) => return Err(Rule::Unreadable),
            Event::Empty(_) | Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
        }
    }
}

/// An attribute's value, by its name without prefix.
fn attribute<'a>(element: &'a BytesStart<'_>, name: &str) -> Result<Option<Cow<'a, str>>, Rule> {
    for attribute in element.attributes().with_checks(false) {
        let attribute = attribute.map_err(|_| Rule::Unreadable)?;
        if attribute.key.local_name().as_ref() == name {
            let value = attribute.normalized_value(XmlVersion::Implicit1_0);
            return value.map(Some).map_err(|_| Rule::Unreadable);
        }
    }
    Ok(None)
}
