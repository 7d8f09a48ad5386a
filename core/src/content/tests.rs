//! Each rule, broken and kept. No test knows today's date.

use std::io::Cursor;

use jiff::civil::{Date, date};

use super::*;
use crate::words::Language;

mod beside;
mod csv;
mod properties;
mod xlsx;

pub(super) const TODAY: Date = date(2026, 6, 1);
pub(super) const HEADER: &str = "rijksregisternummer;contract;attest";

/// The number with these nine first digits and its check number, for a birth before or from 2000 on.
pub(super) fn number(nine: u64, from_2000: bool) -> String {
    let lead = if from_2000 { 2_000_000_000 } else { 0 };
    format!("{nine:09}{:02}", 97 - (lead + nine) % 97)
}

/// The `n`th of many valid numbers, for n below 998.
pub(super) fn nth(n: u64) -> String {
    number(850_730_001 + n, false)
}

pub(super) fn column(name: &str, kind: ColumnKind) -> Column {
    Column { name: name.to_owned(), kind, why: String::new() }
}

pub(super) fn rules() -> Rules {
    let columns = vec![
        column("Rijksregisternummer", ColumnKind::NationalNumber),
        column("contract", ColumnKind::Boolean),
        column("attest", ColumnKind::Boolean),
    ];
    Rules::new(columns, DEFAULT_ROWS, None).unwrap()
}

pub(super) fn look(name: &str, bytes: &[u8], rules: &Rules) -> Result<Summary, Vec<Finding>> {
    check(name, Cursor::new(bytes), rules, TODAY, &[])
}

/// What breaks, as `code[rows]`, or `code column[rows]`.
pub(super) fn broken(outcome: Result<Summary, Vec<Finding>>) -> Vec<String> {
    let show = |finding: Finding| {
        let column = finding.column.map(|name| format!(" {name}")).unwrap_or_default();
        let rows = finding.rows.spans.iter().flat_map(|(from, to)| *from..=*to);
        format!("{}{column}{:?}", finding.rule.code(), rows.collect::<Vec<_>>())
    };
    outcome.err().unwrap_or_default().into_iter().map(show).collect()
}

#[test]
fn every_rule_has_a_code_an_article_and_two_texts() {
    for rule in Rule::ALL {
        let json = serde_json::to_string(rule).unwrap();
        assert_eq!(json, format!("\"{}\"", rule.code()));
        assert_eq!(serde_json::from_str::<Rule>(&json).unwrap(), *rule);
        assert!(rule.code().bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{json}");
        for language in [Language::Nl, Language::En] {
            // What is wrong, and what to do.
            assert!(rule.text(language).matches(". ").count() >= 1, "{json}");
        }
        assert_eq!(rule.overridable(), *rule == Rule::SingleRow);
    }
}

#[test]
fn a_finding_shows_its_rows_as_spans_and_counts_all() {
    let mut findings = finding::Findings::default();
    let rows = (21..=40).rev().chain([7]).chain(2..=5).chain([300, 9, 8, 2, 30, 40]);
    rows.for_each(|row| findings.cell(Rule::NumberTwice, "rrn", row));
    // No two of these follow one another.
    (1..=250).rev().for_each(|row| findings.cell(Rule::NumberForm, "rrn", row * 2));
    findings.file(Rule::Empty);
    let all = findings.into_vec();
    assert_eq!(all[0].text(Language::En), format!("art. 7: {}", Rule::Empty.text(Language::En)));
    assert_eq!((all[1].rows.spans.len(), all[1].rows.total), (Rows::SPANS, 250));
    assert!(all[1].text(Language::Nl).contains("[kolom rrn; rij 2, 4, 6, "));
    assert!(all[1].text(Language::Nl).ends_with(" 198, 200; en nog 150]"));
    assert_eq!(all[2].rows.spans, [(2, 5), (7, 9), (21, 40), (300, 300)]);
    assert_eq!(all[2].rows.total, 28);
    assert!(all[2].text(Language::En).ends_with("[column rrn; row 2-5, 7-9, 21-40, 300]"));
    let json = serde_json::to_string(&all).unwrap();
    assert_eq!(serde_json::from_str::<Vec<Finding>>(&json).unwrap(), all);
}

#[test]
fn rules_are_what_a_list_can_be_held_against() {
    use ColumnKind::{Boolean, NationalNumber, Nis};
    let new = |kinds: &[ColumnKind], rows, nis: Option<&str>| {
        let columns = kinds.iter().enumerate();
        let named = |(i, kind): (usize, &ColumnKind)| column(&format!("k{i}"), *kind);
        Rules::new(columns.map(named).collect(), rows, nis.map(str::to_owned)).map(|_| ())
    };
    assert_eq!(new(&[NationalNumber], 1, None), Ok(()));
    assert_eq!(new(&[NationalNumber, Boolean, Boolean, Nis], MAX_ROWS, Some("12025")), Ok(()));
    assert_eq!(new(&[Boolean], 1, None), Err(RulesError::Numbers));
    assert_eq!(new(&[NationalNumber, NationalNumber], 1, None), Err(RulesError::Numbers));
    let three = [NationalNumber, Boolean, Boolean, Boolean];
    assert_eq!(new(&three, 1, None), Err(RulesError::Booleans), "R16");
    for nis in [Some("12025"), Some("1202"), Some("1202x")] {
        assert_eq!(new(&[NationalNumber], 1, nis), Err(RulesError::Nis));
    }
    assert_eq!(new(&[NationalNumber, Nis], 1, None), Err(RulesError::Nis));
    assert_eq!(new(&[NationalNumber, Nis, Nis], 1, Some("12025")), Err(RulesError::Nis));
    for rows in [0, MAX_ROWS + 1] {
        assert_eq!(new(&[NationalNumber], rows, None), Err(RulesError::MaxRows));
    }
    for name in ["", " rrn", "=rrn", "r\u{200b}n", &"r".repeat(65)] {
        let rules = Rules::new(vec![column(name, NationalNumber)], 1, None);
        assert_eq!(rules, Err(RulesError::Name), "{name:?}");
    }
    let twice = ["A", "a"].map(|name| column(name, NationalNumber));
    let [one, mut other] = twice;
    other.kind = Boolean;
    assert_eq!(Rules::new(vec![one, other], 1, None), Err(RulesError::Name));
}

#[test]
fn only_csv_and_xlsx_are_opened() {
    let text = format!("{HEADER}\n{};ja;nee\n{};nee;nee\n", nth(0), nth(1));
    assert!(look("LIJST.CSV", text.as_bytes(), &rules()).is_ok());
    for name in ["lijst.txt", "lijst.xls", "lijst", "csv", "lijst.csv.gz", "lijst.xlsm"] {
        assert_eq!(broken(look(name, text.as_bytes(), &rules())), ["format[]"], "{name}");
    }
    assert_eq!(broken(look("lijst.xlsx", text.as_bytes(), &rules())), ["unreadable[]"]);
}

#[test]
fn a_file_beyond_the_limit_is_not_read() {
    let zeros = vec![b'\n'; usize::try_from(MAX_FILE).unwrap() + 1];
    assert_eq!(broken(look("a.csv", &zeros, &rules())), ["too-large[]"]);
    assert_eq!(broken(look("a.xlsx", &zeros, &rules())), ["too-large[]"]);
}

#[test]
fn one_person_needs_a_reason() {
    let text = format!("{HEADER}\n{};ja;nee\n", nth(0));
    let ask = |text: &str, waive: &[Rule]| {
        check("a.csv", Cursor::new(text.as_bytes().to_vec()), &rules(), TODAY, waive)
    };
    assert_eq!(broken(ask(&text, &[])), ["single-row[]"]);
    let summary = ask(&text, &[Rule::SingleRow]).unwrap();
    assert_eq!((summary.rows, summary.waived), (1, vec![Rule::SingleRow]));
    // Nothing else can be let pass, and a waiver that is not needed leaves no trace.
    let twice = text.clone() + &text[HEADER.len() + 1..];
    assert_eq!(broken(ask(&twice, Rule::ALL)), ["number-twice Rijksregisternummer[2, 3]"]);
    let two = format!("{text}{};ja;nee\n", nth(1));
    assert!(ask(&two, &[Rule::SingleRow]).unwrap().waived.is_empty());
}
