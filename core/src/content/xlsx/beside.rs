//! The parts of a workbook beside its sheets: which there may be, and that they say nothing of their own.
//!
//! Known by their exact names, bounded in size, and read. Left to them are short words that any workbook has: names of
//! fonts, styles and colours, who made it, in which folder it was. What cannot be read is refused: so are the settings of
//! a printer, a block of bytes that only its driver knows.

use zeroize::Zeroizing;

use super::archive::Part;
use super::xml::{Node, walk};
use crate::content::finding::Rule;
use crate::content::nrn;

/// Of relations, in both kinds of the format.
const RELATIONS: [&str; 1] = ["http://schemas.openxmlformats.org/package/2006/relationships"];
/// Of the properties of a workbook and of any document.
const PROPERTIES_OF: [&str; 7] = [
    "http://schemas.openxmlformats.org/officeDocument/2006/extended-properties",
    "http://schemas.openxmlformats.org/officeDocument/2006/docPropsVTypes",
    "http://purl.oclc.org/ooxml/officeDocument/extendedProperties",
    "http://purl.oclc.org/ooxml/officeDocument/docPropsVTypes",
    "http://schemas.openxmlformats.org/package/2006/metadata/core-properties",
    "http://purl.org/dc/elements/1.1/",
    "http://purl.org/dc/terms/",
];

/// Styles unpacked, in bytes; a plain workbook's have about two thousand.
const MAX_STYLES: usize = 256 << 10;
/// Any other of these parts unpacked, and the looks of a sheet, in bytes; Excel's themes have eight thousand.
pub(super) const MAX_OTHER: usize = 64 << 10;
/// A property of the workbook, in characters; the program's name with its version may take twice that.
const MAX_PROPERTY: usize = 64;
/// All properties of a part together, in bytes.
const MAX_PROPERTIES: usize = 512;

/// Where programs leave an entry for a folder.
const FOLDERS: [&str; 9] = [
    "_rels/",
    "docProps/",
    "docMetadata/",
    "xl/",
    "xl/_rels/",
    "xl/theme/",
    "xl/tables/",
    "xl/worksheets/",
    "xl/worksheets/_rels/",
];

/// The properties that programs write by themselves or ask for (ECMA-376 part 2, 11; part 1, 22.2), and their frames.
const PROPERTIES: [&str; 41] = [
    "AppVersion",
    "Application",
    "Characters",
    "CharactersWithSpaces",
    "Company",
    "DocSecurity",
    "HeadingPairs",
    "HyperlinkBase",
    "HyperlinksChanged",
    "Lines",
    "LinksUpToDate",
    "Manager",
    "Pages",
    "Paragraphs",
    "Properties",
    "ScaleCrop",
    "SharedDoc",
    "Template",
    "TitlesOfParts",
    "TotalTime",
    "Words",
    "category",
    "contentStatus",
    "coreProperties",
    "created",
    "creator",
    "description",
    "i4",
    "identifier",
    "keywords",
    "language",
    "lastModifiedBy",
    "lastPrinted",
    "lpstr",
    "modified",
    "revision",
    "subject",
    "title",
    "variant",
    "vector",
    "version",
];

/// Reads a part beside the sheets.
///
/// # Errors
/// [`Rule::WorkbookExtras`] where a plain workbook has no such part, [`Rule::WorkbookText`] where it says more than
/// there belongs, [`Rule::Unreadable`].
pub(super) fn read(part: &Part<'_>) -> Result<(), Rule> {
    match part.name {
        folder if FOLDERS.contains(&folder) => {
            if part.size == 0 && part.text()?.is_empty() {
                Ok(())
            } else {
                Err(Rule::WorkbookText)
            }
        }
        "_rels/.rels" => relations(part, "", of_package).map(drop),
        "docProps/app.xml" | "docProps/core.xml" => properties(&bounded(part, MAX_OTHER)?),
        "xl/styles.xml" => looks(&bounded(part, MAX_STYLES)?),
        "[Content_Types].xml"
        | "docMetadata/LabelInfo.xml"
        | "xl/calcChain.xml"
        | "xl/metadata.xml" => looks(&bounded(part, MAX_OTHER)?),
        name if is_theme(name) || is_table(name) => looks(&bounded(part, MAX_OTHER)?),
        name if is_numbered(name, "xl/worksheets/_rels/sheet", ".xml.rels") => {
            let is_table = |kind: &str, path: &str| kind == "table" && is_table(path);
            relations(part, "xl/worksheets", is_table).map(drop)
        }
        _ => Err(Rule::WorkbookExtras),
    }
}

/// What the package itself leads to: one workbook, and what is known of it.
fn of_package(kind: &str, path: &str) -> bool {
    match kind {
        "officeDocument" => path == "xl/workbook.xml",
        "core-properties" => path == "docProps/core.xml",
        "extended-properties" | "extendedProperties" => path == "docProps/app.xml",
        "classificationlabels" => path == "docMetadata/LabelInfo.xml",
        _ => false,
    }
}

/// What the workbook leads to. The path is the one that is read as that: a program may go by either.
pub(super) fn of_workbook(kind: &str, path: &str) -> bool {
    match kind {
        "worksheet" => is_numbered(path, "xl/worksheets/sheet", ".xml"),
        "sharedStrings" => path == "xl/sharedStrings.xml",
        "styles" => path == "xl/styles.xml",
        "theme" => is_theme(path),
        "calcChain" => path == "xl/calcChain.xml",
        "sheetMetadata" => path == "xl/metadata.xml",
        _ => false,
    }
}

/// A workbook has one.
fn is_theme(name: &str) -> bool {
    name == "xl/theme/theme1.xml"
}

fn is_table(name: &str) -> bool {
    is_numbered(name, "xl/tables/table", ".xml")
}

/// Whether it is `before`, a number of one or two digits, `after`.
fn is_numbered(name: &str, before: &str, after: &str) -> bool {
    let number = name.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
    number.is_some_and(|it| matches!(it.len(), 1 | 2) && it.bytes().all(|b| b.is_ascii_digit()))
}

/// Its text, unless it is longer than such a part is.
pub(super) fn bounded(part: &Part<'_>, most: usize) -> Result<Zeroizing<String>, Rule> {
    if part.size > most { Err(Rule::WorkbookText) } else { part.text() }
}

/// What has no text but short attributes.
fn looks(xml: &str) -> Result<(), Rule> {
    walk(xml, &[], |node| match node {
        Node::Open(element) => element.check_words(),
        Node::Text(text) if !text.trim().is_empty() => Err(Rule::WorkbookText),
        Node::Text(_) | Node::Close(_) => Ok(()),
    })
}

/// A relation: its name, and the path it leads to.
pub(super) struct Relation {
    pub(super) id: String,
    /// The end of its type, such as `worksheet`.
    pub(super) kind: String,
    pub(super) path: String,
}

/// The relations of a part in this folder, each of a kind and to a path that is known.
///
/// # Errors
/// As [`read`].
pub(super) fn relations(
    part: &Part<'_>,
    folder: &str,
    is_known: impl Fn(&str, &str) -> bool,
) -> Result<Vec<Relation>, Rule> {
    let mut relations: Vec<Relation> = Vec::new();
    let xml = bounded(part, MAX_OTHER)?;
    looks(&xml)?;
    walk(&xml, &RELATIONS, |node| {
        let Node::Open(element) = node else { return Ok(()) };
        if element.depth == 1 {
            return Ok(());
        }
        let get = |name| element.get(name)?.ok_or(Rule::Unreadable);
        let (id, kind, target) = (get("Id")?.into_owned(), get("Type")?, get("Target")?);
        let kind = kind.rsplit('/').next().unwrap_or_default().to_owned();
        let path = path(folder, &target);
        if relations.iter().any(|it| it.id == id) {
            return Err(Rule::Unreadable);
        }
        let known = ["Id", "Type", "Target"];
        if !element.own || !element.has_only(&known)? || !is_known(&kind, &path) {
            return Err(Rule::WorkbookExtras);
        }
        relations.push(Relation { id, kind, path });
        Ok(())
    })?;
    Ok(relations)
}

/// Where a target leads from a folder.
fn path(folder: &str, target: &str) -> String {
    let from = if target.starts_with('/') { "" } else { folder };
    let mut path: Vec<&str> = Vec::new();
    for piece in from.split('/').chain(target.split('/')) {
        match piece {
            "" | "." => {}
            ".." => drop(path.pop()),
            name => path.push(name),
        }
    }
    path.join("/")
}

/// Properties: those that programs have, short, and nobody's number.
fn properties(xml: &str) -> Result<(), Rule> {
    let (mut name, mut text, mut all) = (String::new(), Zeroizing::new(String::new()), 0);
    walk(xml, &PROPERTIES_OF, |node| {
        match node {
            Node::Open(element) => {
                element.check_words()?;
                if !element.own || !PROPERTIES.contains(&element.name) {
                    return Err(Rule::WorkbookExtras);
                }
                element.name.clone_into(&mut name);
                text.clear();
            }
            Node::Text(more) => {
                all += more.trim().len();
                text.push_str(more);
                if all > MAX_PROPERTIES || !is_property(&name, text.trim()) {
                    return Err(Rule::WorkbookText);
                }
            }
            // Between two properties is no text.
            Node::Close(_) => {
                name.clear();
                text.clear();
            }
        }
        Ok(())
    })
}

/// Whether this may be what a property says.
fn is_property(name: &str, text: &str) -> bool {
    let frame = matches!(
        name,
        "" | "coreProperties"
            | "Properties"
            | "HeadingPairs"
            | "TitlesOfParts"
            | "variant"
            | "vector"
    );
    match name {
        _ if frame => text.is_empty(),
        "created" | "modified" | "lastPrinted" => {
            text.len() <= 35 && text.bytes().all(|b| b.is_ascii_digit() || b"TZ:.+-".contains(&b))
        }
        // With a version, which LibreOffice gives as a digest.
        "Application" => text.chars().count() <= 2 * MAX_PROPERTY && !nrn::stands_in(text),
        _ => text.chars().count() <= MAX_PROPERTY && !nrn::may_stand_in(text),
    }
}
