//! What holds for any bytes, with `csv` on the whole text and `calamine` on the whole range as further readers.

use calamine::{Data, Reader};
use proptest::prelude::*;
use rust_xlsxwriter::Workbook;

use super::*;

/// A cell: right, nearly right, or hostile.
fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => (0..990_u64).prop_map(nth),
        6 => prop::sample::select(vec!["ja", "nee", "ja ", "1", "0", "WAAR", "", " ", "\"ja\"", "\"\""])
            .prop_map(str::to_owned),
        1 => "[0-9]{6,12}",
        1 => "[0-9]{2}[. ][0-9]{2}[. ][0-9]{2}[- ][0-9]{3}[. ][0-9]{2}",
        1 => "\\PC{0,8}",
        1 => "[=+;,\"\\r\\n\t@-]{0,3}[0-9a-z]{0,12}",
    ]
}

/// A row: mostly a person, else any cells.
fn row() -> impl Strategy<Value = Vec<String>> {
    let word = || prop::sample::select(vec!["ja".to_owned(), "nee".to_owned()]);
    prop_oneof![
        4 => (0..990_u64, word(), word()).prop_map(|(n, a, b)| vec![nth(n), a, b]),
        1 => prop::collection::vec(cell(), 0..5),
    ]
}

fn table() -> impl Strategy<Value = Vec<Vec<String>>> {
    prop_oneof![
        3 => prop::collection::vec(row(), 0..6).prop_map(|mut rows| {
            rows.insert(0, HEADER.split(';').map(str::to_owned).collect());
            rows
        }),
        1 => prop::collection::vec(row(), 0..4),
    ]
}

fn as_csv(table: &[Vec<String>]) -> String {
    table.iter().map(|row| row.join(";")).collect::<Vec<_>>().join("\r\n")
}

/// As text, and as numbers where a cell looks like one.
fn as_xlsx(table: &[Vec<String>], numeric: bool) -> Vec<u8> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (at, row) in (0..).zip(table) {
        for (column, text) in (0..).zip(row) {
            match text.parse::<f64>() {
                Ok(value) if numeric && value.is_finite() => sheet.write_number(at, column, value),
                _ => sheet.write_string(at, column, text),
            }
            .unwrap();
        }
    }
    book.save_to_buffer().unwrap()
}

/// No run of six digits of any cell stands in any finding.
fn says_nothing(outcome: &Result<Summary, Vec<Finding>>, cells: &str) {
    let Err(findings) = outcome else { return };
    let texts = findings.iter().flat_map(|f| [Language::Nl, Language::En].map(|l| f.text(l)));
    let told = serde_json::to_string(findings).unwrap()
        + &format!("{findings:?}")
        + &texts.collect::<String>();
    let bytes = cells.as_bytes();
    for run in bytes.windows(6).filter(|run| run.iter().all(u8::is_ascii_digit)) {
        assert!(!told.contains(str::from_utf8(run).unwrap()), "{told}");
    }
}

/// How many say yes, per column, in what another reader made of the file.
fn yes(rows: &[Vec<String>]) -> Vec<u32> {
    let is_yes =
        |text: &String| ["ja", "1", "waar", "true"].contains(&&*text.trim().to_lowercase());
    (1..3)
        .map(|at| rows.iter().filter(|row| is_yes(&row[at])).count().try_into().unwrap())
        .collect()
}

/// A list that passes is, to the other reader, this many persons with these answers.
fn agrees(summary: &Summary, rows: &[Vec<String>]) {
    let persons: Vec<_> = rows[1..]
        .iter()
        .filter(|row| row.iter().any(|cell| !cell.trim().is_empty()))
        .cloned()
        .collect();
    assert_eq!(persons.len(), usize::try_from(summary.rows).unwrap());
    assert_eq!(summary.counts.iter().map(|count| count.yes).collect::<Vec<_>>(), yes(&persons));
    for person in &persons {
        assert!(nrn::NationalNumber::parse(person[0].trim(), TODAY).is_ok());
    }
}

fn by_csv_crate(text: &str) -> Vec<Vec<String>> {
    let mut reader = ::csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(b';')
        .from_reader(text.as_bytes());
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

fn by_calamine(bytes: &[u8]) -> Vec<Vec<String>> {
    let mut book = calamine::Xlsx::new(Cursor::new(bytes)).unwrap();
    let range = book.worksheet_range_at(0).unwrap().unwrap();
    range.rows().map(|row| row.iter().map(Data::to_string).collect()).collect()
}

proptest! {
    #[test]
    fn any_list_is_judged_and_findings_say_nothing(table in table(), numeric: bool) {
        let cells = table.concat().join(" ");
        let text = as_csv(&table);
        let outcome = look("a.csv", text.as_bytes(), &rules());
        says_nothing(&outcome, &cells);
        if let Ok(summary) = outcome {
            agrees(&summary, &by_csv_crate(&text));
        }
        let book = as_xlsx(&table, numeric);
        let outcome = look("a.xlsx", &book, &rules());
        says_nothing(&outcome, &cells);
        if let Ok(summary) = outcome {
            agrees(&summary, &by_calamine(&book));
        }
    }

    #[test]
    fn right_lists_pass_in_both_kinds(
        persons in prop::collection::hash_set(0..990_u64, 2..30), answers: [bool; 2], dotted: bool,
    ) {
        let word = |yes| if yes { "Ja" } else { "nee" }.to_owned();
        let shown = |n: u64| {
            let n = nth(n);
            let dots = || format!("{}.{}.{}-{}.{}", &n[..2], &n[2..4], &n[4..6], &n[6..9], &n[9..]);
            if dotted { dots() } else { n }
        };
        let mut table = vec![HEADER.split(';').map(str::to_owned).collect::<Vec<_>>()];
        table.extend(persons.iter().map(|n| vec![shown(*n), word(answers[0]), word(answers[1])]));
        let expected = u32::try_from(persons.len()).unwrap();
        prop_assert_eq!(look("a.csv", as_csv(&table).as_bytes(), &rules()).unwrap().rows, expected);
        let summary = look("a.xlsx", &as_xlsx(&table, true), &rules()).unwrap();
        prop_assert_eq!(summary.rows, expected);
        prop_assert_eq!(summary.counts[1].yes, if answers[1] { expected } else { 0 });
    }

    #[test]
    fn any_bytes_are_judged(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        for name in ["a.csv", "a.xlsx"] {
            prop_assert!(look(name, &bytes, &rules()).is_err());
        }
        let under = [HEADER.as_bytes(), b"\n", &bytes].concat();
        let _ = look("a.csv", &under, &rules());
    }

    #[test]
    fn any_damage_to_a_workbook_is_judged(at in any::<prop::sample::Index>(), byte: u8, cut: bool) {
        let mut book = xlsx::workbook(|_| {});
        let at = at.index(book.len());
        if cut { book.truncate(at) } else { book[at] = byte }
        let _ = look("a.xlsx", &book, &rules());
    }
}
