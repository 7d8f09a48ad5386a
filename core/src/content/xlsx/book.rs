//! The workbook itself: which sheets it has, in which parts, and that it has nothing else.

use zeroize::Zeroizing;

use super::archive::Part;
use super::beside::{self, Relation};
use super::find;
use super::xml::{Element, Node, SHEET, walk};
use crate::content::finding::Rule;
use crate::content::list::List;

/// The workbook, and where its relations lead.
pub(super) const BOOK: &str = "xl/workbook.xml";
pub(super) const RELATIONS: &str = "xl/_rels/workbook.xml.rels";

/// What Excel and LibreOffice write there beside the sheets: windows, how it is calculated.
const OWN: [&str; 12] = [
    "workbook",
    "fileVersion",
    "workbookPr",
    "workbookProtection",
    "bookViews",
    "workbookView",
    "sheets",
    "definedNames",
    "calcPr",
    "fileRecoveryPr",
    "extLst",
    "ext",
];
/// The same of their extensions: in which folder it was, which revision it is.
const FOREIGN: [&str; 9] = [
    "AlternateContent",
    "Choice",
    "absPath",
    "revisionPtr",
    "workbookPr",
    "calcFeatures",
    "feature",
    "extCalcPr",
    "version",
];
/// Names that programs give to places of the list by themselves.
const NAMES: [&str; 3] = ["_xlnm._FilterDatabase", "_xlnm.Print_Area", "_xlnm.Print_Titles"];

/// The parts that hold sheets, in the workbook's order. Hidden ones and what stands beside them are findings.
///
/// # Errors
/// [`Rule::Unreadable`], [`Rule::WorkbookExtras`], [`Rule::WorkbookText`].
pub(super) fn sheets(parts: &[Part<'_>], list: &mut List<'_>) -> Result<Vec<String>, Rule> {
    let relations = find(parts, RELATIONS).ok_or(Rule::Unreadable)?;
    let relations = beside::relations(relations, "xl", beside::of_workbook)?;
    let xml = beside::bounded(find(parts, BOOK).ok_or(Rule::Unreadable)?, beside::MAX_OTHER)?;
    let mut book = Book { relations, list, sheets: Vec::new(), titles: Vec::new(), place: None };
    walk(&xml, &SHEET, |node| book.visit(node))?;
    Ok(book.sheets)
}

struct Book<'a, 'r> {
    relations: Vec<Relation>,
    list: &'a mut List<'r>,
    /// Their parts, and how they are called.
    sheets: Vec<String>,
    titles: Vec<String>,
    /// What the name that is being read stands for.
    place: Option<Zeroizing<String>>,
}

impl Book<'_, '_> {
    fn visit(&mut self, node: Node<'_>) -> Result<(), Rule> {
        match node {
            Node::Open(element) => {
                element.check_words()?;
                match element.name {
                    "sheet" if element.own && element.depth == 3 => self.sheet(element)?,
                    "definedName" if element.own && element.depth == 3 => self.name(element)?,
                    name if element.own && OWN.contains(&name) => {}
                    name if !element.own && FOREIGN.contains(&name) => {}
                    _ => self.list.findings.file(Rule::WorkbookExtras),
                }
            }
            Node::Text(text) => match &mut self.place {
                Some(place) => place.push_str(text),
                None if text.trim().is_empty() => {}
                None => self.list.findings.file(Rule::WorkbookText),
            },
            Node::Close(_) => {
                if self.place.take().is_some_and(|place| !is_place(&place, &self.titles)) {
                    self.list.findings.file(Rule::WorkbookExtras);
                }
            }
        }
        Ok(())
    }

    fn sheet(&mut self, element: &Element<'_>) -> Result<(), Rule> {
        let id = element.relation()?.ok_or(Rule::Unreadable)?;
        let of_it = |it: &&Relation| it.id == id && it.kind == "worksheet";
        let relation = self.relations.iter().find(of_it).ok_or(Rule::Unreadable)?;
        if self.sheets.contains(&relation.path) {
            return Err(Rule::Unreadable);
        }
        self.sheets.push(relation.path.clone());
        self.titles.push(element.get("name")?.unwrap_or_default().into_owned());
        if element.get("state")?.is_some_and(|state| state != "visible") {
            self.list.findings.file(Rule::Hidden);
        }
        Ok(())
    }

    fn name(&mut self, element: &Element<'_>) -> Result<(), Rule> {
        let named = element.get("name")?.is_some_and(|name| NAMES.contains(&&*name));
        if !named
            || !element.has_only(&["name", "localSheetId", "hidden", "function", "vbProcedure"])?
        {
            self.list.findings.file(Rule::WorkbookExtras);
        }
        self.place = Some(Zeroizing::default());
        Ok(())
    }
}

/// Whether it is cells of these sheets, such as `'Blad 1'!$A$1:$C$4`, and nothing else.
fn is_place(text: &str, titles: &[String]) -> bool {
    let cell = |cell: &str| {
        let cell = cell.strip_prefix('$').unwrap_or(cell);
        let letters = cell.bytes().take_while(u8::is_ascii_uppercase).count();
        let digits = cell[letters..].strip_prefix('$').unwrap_or(&cell[letters..]);
        letters <= 3
            && digits.len() <= 7
            && digits.bytes().all(|b| b.is_ascii_digit())
            && letters + digits.len() > 0
    };
    text.split(',').all(|piece| {
        let Some((title, cells)) = piece.rsplit_once('!') else { return false };
        let quoted = title.strip_prefix('\'').and_then(|title| title.strip_suffix('\''));
        let title = quoted.map_or(title.to_owned(), |title| title.replace("''", "'"));
        titles.contains(&title) && cells.contains('$') && cells.split(':').all(cell)
    })
}
