//! Files: the agreement that both parties put into use, and lists.

use std::io::Cursor;

use jiff::civil::{Date, date};
use sluis_core::agreement::articles::{Column, ColumnKind};
use sluis_core::content::{Finding, Rules, Summary, check};
use sluis_core::words::Language;

/// The day on which everything is judged.
const TODAY: Date = date(2026, 6, 1);

/// The text of an agreement.
pub mod agreement {
    use std::collections::BTreeMap;
    use std::path::Path;

    use sluis_config::agreements::parse;
    use sluis_core::agreement::gaps::gaps;
    use sluis_core::content::Rules;
    use sluis_core::notice::Register;
    use sluis_core::words::Language;

    use super::TODAY;
    use crate::world::WORLD;

    /// An agreement that loads obeys rule 2, and everything that is computed from it can be.
    #[must_use]
    pub fn take(bytes: &[u8]) -> bool {
        let Ok(text) = std::str::from_utf8(bytes) else { return false };
        let Ok((terms, plan)) = parse(Path::new("x.toml"), text) else { return false };
        let agreement = &terms.agreement;
        let (needed, shares) = (usize::from(plan.threshold), plan.routes.len());
        assert!((2..=shares).contains(&needed) && shares <= 16);
        // Counted again, from what the file says of each custodian.
        let mut carried: BTreeMap<(&str, String), usize> = BTreeMap::new();
        for custodian in &agreement.key.custodians {
            let channel = agreement.channel(&custodian.channel).unwrap();
            for carrier in [
                ("channel", channel.id.to_string()),
                ("provider", channel.provider.to_lowercase()),
                ("group", channel.group.to_string()),
            ] {
                *carried.entry(carrier).or_default() += 1;
            }
        }
        assert_eq!(agreement.key.custodians.len(), shares);
        assert!(carried.values().all(|count| *count < needed), "{carried:?}");
        for gap in gaps(agreement, TODAY) {
            for language in [Language::Nl, Language::En] {
                assert!(!gap.text(language).is_empty() && !gap.next(language).is_empty());
            }
        }
        let _ = Rules::of(agreement);
        let _ = Register(Vec::new()).deadlines(agreement, &[]);
        true
    }

    /// The demonstration's, and with a part of it left out or far away.
    #[must_use]
    pub fn seeds() -> Vec<Vec<u8>> {
        let text = &WORLD.text;
        crate::texts([
            text.clone(),
            text.replace("2020-12-18", "9999-12-31").replace("per-year = 1", "per-year = 12"),
            text.replace("renew-after-months = 1200", "renew-after-months = 65535"),
            text.replace("threshold = 2", "threshold = 3"),
        ])
    }
}

fn rules() -> Rules {
    let column = |name: &str, kind| Column { name: name.to_owned(), kind, why: String::new() };
    let columns = vec![
        column("rijksregisternummer", ColumnKind::NationalNumber),
        column("contract", ColumnKind::Boolean),
        column("attest", ColumnKind::Boolean),
        column("nis", ColumnKind::Nis),
    ];
    Rules::new(columns, 1000, Some("12025".into())).unwrap()
}

/// Judges a list, and holds what is said about it: counts that fit, findings without a value.
fn judge(name: &str, bytes: &[u8]) -> Result<Summary, Vec<Finding>> {
    let outcome = check(name, Cursor::new(bytes), &rules(), TODAY, &[]);
    match &outcome {
        Ok(summary) => {
            assert!((1..=1000).contains(&summary.rows) && summary.counts.len() == 2);
            for count in &summary.counts {
                assert_eq!(count.yes + count.no, summary.rows, "{}", count.column);
            }
        }
        Err(findings) => {
            assert!(!findings.is_empty());
            for finding in findings {
                let known = |name: &String| {
                    rules().columns().iter().any(|column| column.name == *name)
                        || matches!(name.as_bytes(), [b'A'..=b'Z'] | b"Z+")
                };
                assert!(finding.column.iter().all(known), "{:?}", finding.column);
                assert!(finding.rows.spans.len() <= finding.rows.total as usize);
                for language in [Language::Nl, Language::En] {
                    let text = finding.text(language);
                    let digits = text.split(|c: char| !c.is_ascii_digit()).map(str::len).max();
                    assert!(digits < Some(8), "{text}");
                }
            }
        }
    }
    outcome
}

const HEADER: &str = "rijksregisternummer;contract;attest;nis";
/// Numbers of nobody, that check.
const ROWS: [&str; 2] = ["85073003328;ja;nee;12025", "85073000259;nee;nee;12025"];

/// A list as CSV.
pub mod csv {
    use super::{HEADER, ROWS, judge};

    /// What passes has as many rows as lines, the header and the empty end apart.
    #[must_use]
    pub fn take(bytes: &[u8]) -> bool {
        let Ok(summary) = judge("lijst.csv", bytes) else { return false };
        let is_row = |line: &&[u8]| {
            line.iter().any(|byte| !matches!(byte, b' ' | b'\r' | b';' | b',' | b'"'))
        };
        let lines = bytes.split(|byte| *byte == b'\n').filter(is_row).count();
        assert_eq!(lines, summary.rows as usize + 1);
        true
    }

    /// Good ones and bad ones.
    #[must_use]
    pub fn seeds() -> Vec<Vec<u8>> {
        let [one, other] = ROWS;
        crate::texts([
            format!("{HEADER}\n{one}\n{other}\n"),
            format!("\u{feff}{HEADER}\r\n{one}\r\n{other}").replace(';', ","),
            format!("{HEADER}\n{one};\"x\"\n\n=1+1;{one}\n").replace("nee", "\"nee\""),
        ])
    }
}

/// The namespace of sheets.
const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";

/// The parts of a workbook, zipped.
fn workbook(sheet: &str, strings: &str) -> Vec<u8> {
    use std::io::Write as _;
    let parts = [
        (
            "_rels/.rels",
            r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="x/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#.to_owned(),
        ),
        (
            "xl/workbook.xml",
            format!(r#"<workbook xmlns="{MAIN}" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="a" sheetId="1" r:id="rId1"/></sheets></workbook>"#),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="x/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#.to_owned(),
        ),
        ("xl/worksheets/sheet1.xml", sheet.to_owned()),
        ("xl/sharedStrings.xml", strings.to_owned()),
    ];
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Stored)
        .last_modified_time(zip::DateTime::default());
    for (name, text) in parts {
        zip.start_file(name, options).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A sheet with the good rows, and the strings that its cells refer to.
fn good_sheet() -> (String, String) {
    let (mut rows, mut strings) = (String::new(), String::new());
    let mut count = 0;
    for (number, row) in (1..).zip([HEADER, ROWS[0], ROWS[1]]) {
        rows += &format!("<row r=\"{number}\">");
        for (letter, text) in ('A'..).zip(row.split(';')) {
            rows += &format!("<c r=\"{letter}{number}\" t=\"s\"><v>{count}</v></c>");
            strings += &format!("<si><t>{text}</t></si>");
            count += 1;
        }
        rows += "</row>";
    }
    (
        format!("<worksheet xmlns=\"{MAIN}\"><sheetData>{rows}</sheetData></worksheet>"),
        format!("<sst xmlns=\"{MAIN}\">{strings}</sst>"),
    )
}

/// Bytes as a workbook.
pub mod xlsx {
    use super::{good_sheet, judge, workbook};

    /// As [`super::judge`] has it.
    #[must_use]
    pub fn take(bytes: &[u8]) -> bool {
        judge("lijst.xlsx", bytes).is_ok()
    }

    /// A plain one, and one that ends in the middle of its directory.
    #[must_use]
    pub fn seeds() -> Vec<Vec<u8>> {
        let (sheet, strings) = good_sheet();
        let good = workbook(&sheet, &strings);
        let cut = good[..good.len() - 60].to_vec();
        vec![good, cut]
    }
}

/// Bytes as the XML of a workbook's one sheet; after a NUL, as its strings.
pub mod sheet {
    use super::{good_sheet, judge, workbook};

    /// As [`super::judge`] has it.
    #[must_use]
    pub fn take(bytes: &[u8]) -> bool {
        let Ok(text) = std::str::from_utf8(bytes) else { return false };
        let (sheet, strings) = text.split_once('\0').unwrap_or((text, "<sst/>"));
        judge("lijst.xlsx", &workbook(sheet, strings)).is_ok()
    }

    /// The plain one; with inline strings, numbers, booleans, hidden rows.
    #[must_use]
    pub fn seeds() -> Vec<Vec<u8>> {
        let (sheet, strings) = good_sheet();
        let other = r#"<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1" hidden="1"><c r="A1" t="inlineStr"><is><t>rijks&#x72;egisternummer</t></is></c><c t="b"><v>1</v></c></row><row><c r="A2"><v>85073003328</v></c><c r="B2" t="b"><f>TRUE()</f><v>1</v></c></row></sheetData><mergeCells><mergeCell ref="A1:B1"/></mergeCells></worksheet>"#;
        crate::texts([format!("{sheet}\0{strings}"), other.to_owned()])
    }
}
