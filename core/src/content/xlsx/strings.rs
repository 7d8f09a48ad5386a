//! The strings that cells refer to.

use zeroize::Zeroizing;

use super::beside::MAX_OTHER;
use super::xml::{Node, SHEET, walk};
use crate::content::finding::Rule;
use crate::content::list::List;

/// The part that holds them.
pub(super) const STRINGS: &str = "xl/sharedStrings.xml";

/// How a piece of a string looks, in a cell too.
const LOOKS: [&str; 19] = [
    "r",
    "rPr",
    "rPh",
    "phoneticPr",
    "rFont",
    "charset",
    "family",
    "b",
    "i",
    "strike",
    "outline",
    "shadow",
    "condense",
    "extend",
    "color",
    "sz",
    "u",
    "vertAlign",
    "scheme",
];

/// All of them, one after the other.
#[derive(Default)]
pub(super) struct Strings {
    text: Zeroizing<String>,
    /// Where each string ends.
    ends: Vec<usize>,
    /// Whether a cell shows it. One that none shows is a remain of something deleted.
    used: Vec<bool>,
}

impl Strings {
    /// Reads the part; what is no string of a cell is a finding.
    ///
    /// # Errors
    /// [`Rule::Unreadable`], [`Rule::WorkbookText`].
    pub(super) fn read(&mut self, xml: &str, list: &mut List<'_>) -> Result<(), Rule> {
        self.text.reserve(xml.len());
        let (mut reading, mut phonetic, mut looks) = (false, false, 0);
        walk(xml, &SHEET, |node| {
            match node {
                Node::Open(element) => {
                    let known = match element.name {
                        "sst" => {
                            // Room for as many is reserved by whoever believes it.
                            let claims = element.get("uniqueCount")?;
                            let claims = claims.and_then(|claims| claims.trim().parse().ok());
                            if claims.is_some_and(|claims: usize| claims > list.most_cells()) {
                                return Err(Rule::WorkbookExtras);
                            }
                            element.depth == 1
                        }
                        "si" => element.depth == 2,
                        name => name == "t" || is_look(name),
                    };
                    if !known || !element.own {
                        list.findings.file(Rule::WorkbookExtras);
                    }
                    element.check_words()?;
                    let is_bare =
                        matches!(element.name, "si" | "t") && element.has_only(&["xml:space"])?;
                    looks += if is_bare { 0 } else { element.length() };
                    if looks > MAX_OTHER {
                        return Err(Rule::WorkbookText);
                    }
                    phonetic |= element.name == "rPh";
                    reading = element.name == "t" && element.depth > 2 && !phonetic;
                }
                Node::Text(text) if reading => self.text.push_str(text),
                // How it is spoken is not shown either.
                Node::Text(text) if !text.trim().is_empty() => {
                    list.findings.file(Rule::WorkbookText);
                }
                Node::Text(_) => {}
                Node::Close(name) => {
                    reading = false;
                    phonetic &= name != "rPh";
                    if name == "si" {
                        // More than a list can show: some are shown nowhere.
                        if self.ends.len() == list.most_cells() {
                            return Err(Rule::WorkbookExtras);
                        }
                        self.ends.push(self.text.len());
                    }
                }
            }
            Ok(())
        })?;
        self.used = vec![false; self.ends.len()];
        Ok(())
    }

    /// The string with this number.
    pub(super) fn get(&mut self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)?;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.used[index] = true;
        self.text.get(start..end)
    }

    /// Whether one of them is shown nowhere.
    pub(super) fn has_remains(&self) -> bool {
        self.used.contains(&false)
    }
}

/// Whether an element of this name says how a text looks.
pub(super) fn is_look(name: &str) -> bool {
    LOOKS.contains(&name)
}
