//! What may leave: the list is read and held against the agreement before anything is sealed (art. 2,
//! 3, 7; R4, R15, R16, R20, R23).
//!
//! Bytes in, findings out: no clock and no file of its own. A finding names a rule, a column and rows,
//! never a value (R85). What is read is wiped after; what is not, each reader says.
//!
//! | in reading order | |
//! |---|---|
//! | `finding` | the rules, their texts, where they were broken |
//! | `nrn` | national register numbers |
//! | `list` | header and rows against the agreement |
//! | `csv`, `xlsx` | the two kinds of file, refused where they hold anything but a list |
//!
//! What a list does not show: whether these persons live in the municipality. The decree has no column for it, so an
//! agreement with one is blocked; it rests on the agency's signed word (R15, [`crate::policy::residents`]).

use std::io::{Read, Seek, SeekFrom};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::agreement::Agreement;
use crate::agreement::articles::{Column, ColumnKind};
use crate::id::Digest;
use crate::words::Words;

mod csv;
pub mod finding;
mod list;
pub mod nrn;
mod xlsx;

#[cfg(test)]
mod tests;

pub use finding::{Finding, Rows, Rule};
use list::List;

/// A larger file is not opened, in bytes.
pub(crate) const MAX_FILE: u64 = 64 << 20;
/// No agreement can allow more rows: a sheet has 1 048 576, one of them the header.
pub(crate) const MAX_ROWS: u32 = (1 << 20) - 1;

/// What the agreement says about the list, from its table `[data]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    columns: Vec<Column>,
    max_rows: u32,
    municipality_nis: Option<String>,
}

/// Persons on one list where the agreement names no number.
const DEFAULT_ROWS: u32 = 200_000;

/// Rules that no list could be held against, or wider than the law.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// Doubles are found by the number, so there is one.
    #[error("data.columns: exactly one column has kind \"national-number\" (art. 3)")]
    Numbers,
    /// Beside the number: contract signed, certificate obtained.
    #[error(
        "data.columns: the decree allows two yes-or-no columns beside the number (art. 2, R16)"
    )]
    Booleans,
    /// One without the other checks nothing.
    #[error(
        "data: one column of kind \"nis\" and municipality-nis with 5 digits, both or neither (art. 2, R15)"
    )]
    Nis,
    /// A name that no header could have, or two columns with one.
    #[error(
        "data.columns: a name is 1 to 64 bytes of plain Latin text, and each stands there once (art. 3)"
    )]
    Name,
    /// Nothing, or more than a sheet holds.
    #[error("data.max-rows: 1 to {MAX_ROWS} (art. 3)")]
    MaxRows,
}

impl RulesError {
    /// The same for people.
    #[must_use]
    pub fn words(&self) -> Words {
        let nl = match self {
            Self::Numbers => {
                "data.columns: precies één kolom heeft kind \"national-number\" (art. 3)".to_owned()
            }
            Self::Booleans => {
                "data.columns: het decreet laat twee ja-neekolommen toe naast het nummer (art. 2, R16)".to_owned()
            }
            Self::Nis => "data: één kolom van kind \"nis\" en municipality.nis met 5 cijfers, beide of geen van beide \
                 (art. 2, R15)"
                .to_owned(),
            Self::Name => "data.columns: een naam is 1 tot 64 bytes gewone Latijnse tekst, en elk staat er één keer \
                 (art. 3)"
                .to_owned(),
            Self::MaxRows => format!("data.max-rows: 1 tot {MAX_ROWS} (art. 3)"),
        };
        Words { nl, en: self.to_string() }
    }
}

impl Rules {
    /// What this agreement says; nothing where it lets whatever is dropped leave unread.
    ///
    /// # Errors
    /// [`RulesError`].
    pub fn of(agreement: &Agreement) -> Result<Option<Self>, RulesError> {
        let data = &agreement.data;
        if data.any_file.as_deref().is_some_and(|why| !why.trim().is_empty()) {
            return Ok(None);
        }
        let rows = data.max_rows.map_or(DEFAULT_ROWS, |rows| u32::try_from(rows).unwrap_or(0));
        let has_nis = data.columns.iter().any(|column| column.kind == ColumnKind::Nis);
        let nis = agreement.municipality.nis.as_ref().filter(|_| has_nis);
        Self::new(data.columns.clone(), rows, nis.map(ToString::to_string)).map(Some)
    }

    /// Columns in any order; at most `max_rows` persons; `municipality_nis` where a column has that kind.
    ///
    /// # Errors
    /// [`RulesError`].
    pub fn new(
        columns: Vec<Column>,
        max_rows: u32,
        municipality_nis: Option<String>,
    ) -> Result<Self, RulesError> {
        let count = |kind| columns.iter().filter(|column| column.kind == kind).count();
        let nis = municipality_nis.as_deref();
        let five = nis.is_some_and(|nis| nis.len() == 5 && nis.bytes().all(|b| b.is_ascii_digit()));
        let mut names: Vec<_> = columns.iter().map(|column| column.name.to_lowercase()).collect();
        names.sort_unstable();
        let twice = names.windows(2).any(|pair| pair[0] == pair[1]);
        let plain = |name: &String| {
            !name.is_empty() && list::bare(name) == name && list::fault(name).is_none()
        };
        let nis_columns = count(ColumnKind::Nis);
        if count(ColumnKind::NationalNumber) != 1 {
            Err(RulesError::Numbers)
        } else if count(ColumnKind::Boolean) > 2 {
            Err(RulesError::Booleans)
        } else if nis_columns > 1 || (nis_columns == 1) != five || five != nis.is_some() {
            Err(RulesError::Nis)
        } else if twice || !columns.iter().all(|column| plain(&column.name)) {
            Err(RulesError::Name)
        } else if !(1..=MAX_ROWS).contains(&max_rows) {
            Err(RulesError::MaxRows)
        } else {
            Ok(Self { columns, max_rows, municipality_nis })
        }
    }

    /// The columns.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The name of the column with the numbers.
    fn number_column(&self) -> &str {
        let number = self.columns.iter().find(|column| column.kind == ColumnKind::NationalNumber);
        number.map_or("", |column| &column.name)
    }
}

/// The kind of file that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Format {
    /// Text.
    Csv {
        /// `;` or `,`.
        delimiter: char,
        /// What its bytes are.
        encoding: Encoding,
    },
    /// An Excel workbook.
    Xlsx,
}

/// The characters of a text file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// UTF-8, with or without a byte order mark.
    Utf8,
    /// Windows-1252, as Excel writes "CSV" in Western Europe.
    #[serde(rename = "windows-1252")]
    Windows1252,
}

/// The answers in one yes-or-no column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// Its name in the agreement.
    pub column: String,
    /// How many say yes.
    pub yes: u32,
    /// How many say no.
    pub no: u32,
}

/// What would leave, in counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Persons.
    pub rows: u32,
    /// The kind of file.
    pub format: Format,
    /// Per yes-or-no column, in the agreement's order.
    pub counts: Vec<Count>,
    /// Rules that the list breaks and a person let pass; the reason belongs in the ledger.
    pub waived: Vec<Rule>,
    /// Of the very bytes that were judged. Kept to this process: a list is guessed from it.
    #[serde(skip, default = "Digest::none")]
    pub content: Digest,
}

/// Whether this list may leave under these rules.
///
/// `name` is the file's, of which only the extension counts. `today` is the agency's date in Brussels.
/// `waive` names rules that a person overrides with a recorded reason; only one that is
/// [`Rule::overridable`] has any effect. Reads to the end at most [`MAX_FILE`] bytes, once; the caller seals
/// bytes with the digest that the answer has, and no others.
///
/// # Errors
/// All that is wrong at once, at most one [`Finding`] per rule and column, in the order of [`Rule::ALL`].
pub fn check(
    name: &str,
    content: impl Read + Seek,
    rules: &Rules,
    today: Date,
    waive: &[Rule],
) -> Result<Summary, Vec<Finding>> {
    let mut list = List::new(rules, today);
    let judged = reader(name).and_then(|read| {
        let bytes = bytes(content)?;
        Ok((read(&bytes, &mut list)?, Digest::of(&bytes)))
    });
    if let Err(rule) = judged {
        list.stop(rule);
    }
    let (rows, counts, findings) = list.finish();
    let passes = |finding: &Finding| finding.rule.overridable() && waive.contains(&finding.rule);
    match judged {
        Ok((format, content)) if findings.iter().all(passes) => {
            let waived = findings.into_iter().map(|finding| finding.rule).collect();
            Ok(Summary { rows, format, counts, waived, content })
        }
        _ => Err(findings),
    }
}

/// Reads the bytes of a file into the list.
type Reader = fn(&[u8], &mut List<'_>) -> Result<Format, Rule>;

/// As what its name says it is.
fn reader(name: &str) -> Result<Reader, Rule> {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    match extension.as_deref() {
        Some("csv") => Ok(csv::read),
        Some("xlsx") => Ok(xlsx::read),
        _ => Err(Rule::Format),
    }
}

/// The whole file, in one piece of memory that is wiped.
fn bytes(mut content: impl Read + Seek) -> Result<Zeroizing<Vec<u8>>, Rule> {
    let size = content.seek(SeekFrom::End(0)).map_err(|_| Rule::Unreadable)?;
    content.rewind().map_err(|_| Rule::Unreadable)?;
    let room = usize::try_from(size.min(MAX_FILE)).map_err(|_| Rule::TooLarge)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(room + 1));
    let length = content.take(MAX_FILE + 1).read_to_end(&mut bytes);
    match length {
        Ok(length) if length as u64 > MAX_FILE => Err(Rule::TooLarge),
        Ok(_) => Ok(bytes),
        Err(_) => Err(Rule::Unreadable),
    }
}
