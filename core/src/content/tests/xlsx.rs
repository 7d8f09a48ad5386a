//! Lists as workbooks: what a plain one is, and all that is refused beside it.

use std::io::Write;

use rust_xlsxwriter::{Format as Look, Formula, Note, Table, Workbook, Worksheet};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;

/// A workbook with the usual header and three persons on its first sheet, and what is done to it.
pub(super) fn workbook(change: impl FnOnce(&mut Workbook)) -> Vec<u8> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (column, name) in (0..).zip(HEADER.split(';')) {
        sheet.write_string(0, column, name).unwrap();
    }
    for row in 1..=3 {
        sheet.write_string(row, 0, nth(row.into())).unwrap();
        sheet.write_string(row, 1, "ja").unwrap();
        sheet.write_string(row, 2, if row == 1 { "ja" } else { "nee" }).unwrap();
    }
    change(&mut book);
    book.save_to_buffer().unwrap()
}

fn with(change: impl FnOnce(&mut Workbook)) -> Vec<String> {
    broken(look("a.xlsx", &workbook(change), &rules()))
}

fn sheet(change: impl FnOnce(&mut Worksheet)) -> Vec<String> {
    with(|book| change(book.worksheet_from_index(0).unwrap()))
}

const GOOD: Vec<String> = Vec::new();

#[test]
fn a_plain_workbook_passes() {
    let bytes = workbook(|_| {});
    let summary = look("Lijst.XLSX", &bytes, &rules()).unwrap();
    let count = |column: &str, yes, no| Count { column: column.into(), yes, no };
    let counts = vec![count("contract", 3, 0), count("attest", 1, 2)];
    let (format, content) = (Format::Xlsx, Digest::of(&bytes));
    assert_eq!(summary, Summary { rows: 3, format, counts, waived: vec![], content });
}

#[test]
fn looks_do_not_matter() {
    assert_eq!(with(|book| _ = book.add_worksheet()), GOOD, "an empty second sheet");
    let bold = Look::new().set_bold();
    assert_eq!(
        sheet(|s| {
            s.write_blank(9, 0, &bold).unwrap();
            s.write_blank(1, 40, &bold).unwrap();
            s.set_freeze_panes(1, 0).unwrap();
            s.autofilter(0, 0, 3, 2).unwrap();
            s.set_landscape();
        }),
        GOOD
    );
    let table = Table::new().set_header_row(false);
    assert_eq!(sheet(|s| _ = s.add_table(1, 0, 3, 2, &table).unwrap()), GOOD);
}

#[test]
fn numbers_stored_as_numbers() {
    assert_eq!(sheet(|s| _ = s.write_number(1, 0, 93_051_822_361_f64).unwrap()), GOOD);
    let stored = ["number-stored Rijksregisternummer[2]"];
    for lost in [1_010_001_234_f64, 101.0, 93_051_822_361.5, 9.3e24] {
        assert_eq!(sheet(|s| _ = s.write_number(1, 0, lost).unwrap()), stored, "{lost}");
    }
    assert_eq!(sheet(|s| _ = s.write_string(1, 0, "8,5E+10").unwrap()), stored);
    let zero = rows("").replace(&inline(&nth(1)), "<c><v>01010100123</v></c>");
    let found = by_hand(&zero, "<sst/>", &[]);
    assert!(found.contains(&"number-stored Rijksregisternummer[3]".to_owned()), "{found:?}");
}

#[test]
fn booleans_of_the_workbook_are_true_and_false() {
    let all = |s: &mut Worksheet| {
        for row in 1..=3 {
            s.write_boolean(row, 1, row != 2).unwrap();
            s.write_number(row, 2, f64::from(row % 2)).unwrap();
        }
    };
    assert_eq!(sheet(all), GOOD);
    assert_eq!(sheet(|s| _ = s.write_boolean(2, 1, true).unwrap()), ["boolean-mixed contract[3]"]);
}

#[test]
fn rows_and_cells_stand_where_the_sheet_shows_them() {
    assert_eq!(
        sheet(|s| _ = s.write_string(6, 0, nth(9)).unwrap()),
        ["empty-row[5, 6]", "empty-cell attest[7]", "empty-cell contract[7]",]
    );
    assert_eq!(sheet(|s| _ = s.write_string(1, 3, "Janssens").unwrap()), ["row-width[2]"]);
    assert_eq!(sheet(|s| _ = s.write_string(0, 3, "Naam").unwrap()), ["name-column D[1]"]);
    for far in [24, 25, 26, 27, 700, 16_383] {
        assert_eq!(
            sheet(|s| _ = s.write_string(4, far, "Janssens").unwrap()),
            ["row-width[5]"],
            "{far}"
        );
    }
    assert_eq!(sheet(|s| _ = s.write_string(2, 1, "ja\nnee").unwrap()), ["line-break contract[3]"]);
    assert_eq!(
        sheet(|s| _ = s.write_string(2, 1, "=1").unwrap()),
        ["formula-character contract[3]"]
    );
    let long = "é".repeat(32_000);
    assert_eq!(sheet(|s| _ = s.write_string(2, 1, long).unwrap()), ["cell-too-long contract[3]"]);
}

#[test]
fn what_a_sheet_does_not_show_is_refused() {
    assert_eq!(with(|b| _ = b.add_worksheet().write_string(0, 0, "x").unwrap()), ["more-sheets[]"]);
    assert_eq!(with(|b| _ = b.add_worksheet().set_hidden(true)), ["hidden[]"]);
    assert_eq!(with(|b| _ = b.add_worksheet().set_very_hidden(true)), ["hidden[]"]);
    assert_eq!(sheet(|s| _ = s.set_row_hidden(2).unwrap()), ["hidden[3]"]);
    assert_eq!(sheet(|s| _ = s.set_column_hidden(1).unwrap()), ["hidden[]"]);
    let merged = |s: &mut Worksheet| _ = s.merge_range(5, 0, 5, 2, "", &Look::new()).unwrap();
    assert_eq!(sheet(merged), ["merged-cells[]"]);
    let formula = |s: &mut Worksheet| {
        s.write_formula(2, 1, Formula::new("=IF(1,\"ja\",\"nee\")").set_result("ja")).unwrap();
    };
    assert_eq!(sheet(formula), ["formula B[3]"]);
}

#[test]
fn what_stands_beside_the_list_is_refused() {
    let extras = ["workbook-extras[]"];
    assert_eq!(sheet(|s| _ = s.insert_note(1, 1, &Note::new("Jan")).unwrap()), extras);
    assert_eq!(with(|b| _ = b.define_name("geheim", "=\"Jan\"").unwrap()), extras);
    let link = |s: &mut Worksheet| _ = s.write_url(1, 1, "https://example.org").unwrap();
    assert_eq!(sheet(link), ["workbook-extras[]", "boolean-value contract[2]"]);
}

const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const RELATIONS: &str = "<Relationships xmlns='http://schemas.openxmlformats.org/package/2006/relationships'>\
     <Relationship Id='r1' Type='x/relationships/worksheet' Target='/xl/worksheets/sheet1.xml'/></Relationships>";
const PACKAGE: &str = "<Relationships xmlns='http://schemas.openxmlformats.org/package/2006/relationships'>\
     <Relationship Id='r1' Type='x/relationships/officeDocument' Target='xl/workbook.xml'/></Relationships>";

/// A workbook by hand: this sheet, these strings, and further parts.
fn parts(sheet: &str, strings: &str, more: &[(&str, &str)]) -> Vec<u8> {
    let mut all = vec![
        ("_rels/.rels", PACKAGE),
        ("xl/workbook.xml", "<workbook><sheets><sheet name='a' r:id='r1'/></sheets></workbook>"),
        ("xl/_rels/workbook.xml.rels", RELATIONS),
        ("xl/worksheets/sheet1.xml", sheet),
        ("xl/sharedStrings.xml", strings),
    ];
    let named = |text: &str| {
        let names = format!("xmlns='{MAIN}' xmlns:r='{OFFICE}'");
        let text = text.replacen("<workbook", &format!("<workbook {names}"), 1);
        text.replacen("<sst", &format!("<sst {names}"), 1)
    };
    all.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in all.iter().chain(more) {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(named(text).as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// The usual header and two persons as XML, with this in place of the last cell.
fn rows(last: &str) -> String {
    format!(
        "<x:worksheet xmlns='{MAIN}' xmlns:x='{MAIN}'><x:sheetData><x:row>{}</x:row><x:row>{}</x:row><x:row r='3'>{}{last}</x:row>\
         </x:sheetData></x:worksheet>",
        HEADER.split(';').map(inline).collect::<String>(),
        [&nth(0), "ja", "nee"].map(inline).concat(),
        [&nth(1), "ja"].map(inline).concat(),
    )
}

fn inline(text: &str) -> String {
    format!("<x:c t='inlineStr'><x:is><x:t>{text}</x:t></x:is></x:c>")
}

fn by_hand(sheet: &str, strings: &str, more: &[(&str, &str)]) -> Vec<String> {
    broken(look("a.xlsx", &parts(sheet, strings, more), &rules()))
}

#[test]
fn cells_in_every_way_they_are_written() {
    let strings = "<sst><si><r><t>n</t></r><r><t>e&#101;</t></r></si></sst>";
    for last in ["<c r='C3' t='s'><v>0</v></c>", "<c t='s'><v>0</v></c><c/><c t='s'/>"] {
        assert_eq!(by_hand(&rows(last), strings, &[]), GOOD, "{last}");
    }
    let attest = |last: &str| by_hand(&rows(last), "<sst/>", &[]);
    assert_eq!(attest("<c t='str'><v>nee</v></c>"), GOOD);
    assert_eq!(attest("<c t='str'><v>n&lt;e</v></c>"), ["boolean-value attest[3]"]);
    assert_eq!(attest("<c t='e'><v>#N/A</v></c>"), ["boolean-value attest[3]"]);
    assert_eq!(attest("<c t='b'/>"), ["empty-cell attest[3]"]);
    assert_eq!(attest("<c t='b'><v>0</v></c>"), ["boolean-mixed attest[3]"]);
    assert_eq!(attest("<c><f/><v>0</v></c>"), ["formula C[3]", "boolean-mixed attest[3]"]);
    assert_eq!(
        attest("<v>x</v><c t='str'><v>nee</v></c>"),
        ["workbook-text[]"],
        "no cell, not shown"
    );
}

/// Excel shows it; `calamine` reads nothing there.
#[test]
fn what_another_reader_reads_otherwise_stays() {
    let strings = "<sst><si><t>nee</t></si></sst>";
    assert_eq!(by_hand(&rows("<c t='s'><v>0</v></c>"), strings, &[]), GOOD);
    let hidden = rows("<c t='s'><v><![CDATA[0]]></v></c>");
    assert_eq!(by_hand(&hidden, strings, &[]), ["empty-cell attest[3]"]);
}

/// Of three persons the first two answers are exchanged: the sums are the same.
#[test]
fn answers_that_another_reader_gives_to_others_stay() {
    let strings = "<sst><si><t>onwaar</t></si><si><t>waar</t></si></sst>";
    let text = |text: &str| format!("<c t='str'><v>{text}</v></c>");
    let list = |answers: [&str; 3]| {
        let row = |at: u64| {
            let number = inline(&nth(at));
            let contract = answers[usize::try_from(at).unwrap()];
            format!("<x:row>{number}{contract}{}</x:row>", inline("nee"))
        };
        let rows: String = (0..3).map(row).collect();
        let head: String = HEADER.split(';').map(inline).collect();
        let sheet = format!("<x:sheetData><x:row>{head}</x:row>{rows}</x:sheetData>");
        format!("<x:worksheet xmlns='{MAIN}' xmlns:x='{MAIN}'>{sheet}</x:worksheet>")
    };
    let of = |answers: [&str; 3]| by_hand(&list(answers), strings, &[]);
    let shared = |index: &str| format!("<c t='s'><v>{index}</v></c>");
    assert_eq!(of([&text("onwaar"), &shared("1"), &shared("0")]), GOOD);
    let hidden = text("<![CDATA[on]]>waar");
    assert_eq!(of([&hidden, &shared("1"), &shared("0")]), ["unreadable[]"]);
    assert_eq!(of([&text("onwaar"), &shared("+1"), &shared("0")]), ["unreadable[]"]);
}

/// A name behind seventy blanks is beyond what is looked at of a long string; and a long string of blanks that a million
/// cells show would be copied a million times.
#[test]
fn nothing_stands_behind_blanks() {
    let blanks = " ".repeat(70);
    for behind in ["Janssens Jan", ""] {
        let strings = format!("<sst><si><t xml:space='preserve'>{blanks}{behind}</t></si></sst>");
        let beside = format!("{}<c t='s'><v>0</v></c>", inline("nee"));
        assert_eq!(by_hand(&rows(&beside), &strings, &[]), ["cell-too-long[3]"], "{behind}");
    }
}

#[test]
fn a_string_that_no_cell_shows_is_a_remain() {
    let strings = "<sst><si><t>nee</t></si><si><t>Janssens</t></si></sst>";
    let shown = rows("<c t='s'><v>0</v></c>");
    assert_eq!(by_hand(&shown, strings, &[]), ["workbook-extras[]"]);
}

#[test]
fn parts_that_nobody_lists_are_seen() {
    let good = rows(&inline("nee"));
    for extra in [
        "xl/worksheets/sheet2.xml",
        "xl/pivotCache/pivotCacheRecords1.xml",
        "x",
        "XL/workbook.xml",
        "xl/empty/",
    ] {
        assert_eq!(by_hand(&good, "<sst/>", &[(extra, "<a/>")]), ["workbook-extras[]"], "{extra}");
    }
    for (usual, text) in [
        ("xl/theme/theme1.xml", "<a/>"),
        ("xl/styles.xml", "<styleSheet/>"),
        ("[Content_Types].xml", "<a/>"),
    ] {
        assert_eq!(by_hand(&good, "<sst/>", &[(usual, text)]), GOOD, "{usual}");
    }
}

#[test]
fn what_is_not_in_order_is_not_guessed_at() {
    let attest = |last: &str| by_hand(&rows(last), "<sst/>", &[]);
    let unreadable = ["unreadable[]"];
    for bad in [
        "<c r='C4' t='str'><v>nee</v></c>",               // another row
        "<c r='A3' t='str'><v>nee</v></c>",               // back
        "<c r='AAAA3'><v>1</v></c>",                      // beyond the sheet
        "<c r='EEEEEEEEEEEEEEEEEEEEEEEEE3'><v>1</v></c>", // what it would count to has no number
        "<c r='c3'><v>1</v></c>",
        "<c t='s'><v>0</v></c>", // no such string
        "<c t='s'><v>-1</v></c>",
        "<c t='b'><v>2</v></c>",
        "<c><v>&unknown;</v></c>",
        "<c><v>&#0;</v></c>",
        "<c></row>",
        "<c t='str'><v>nee</v></c></x:row><x:row r='3'><c><v>1</v></c>", // the same row again
        "<c t='str'><v>nee</v></c></x:row><x:row r='1048577'><c><v>1</v></c>",
        "<c t='str'><v>nee</v></c></x:row><x:row r='x'><c><v>1</v></c>",
    ] {
        assert_eq!(attest(bad), unreadable, "{bad}");
    }
    let good = rows(&inline("nee"));
    assert_eq!(by_hand(&good[..good.len() - 9], "<sst/>", &[]), unreadable, "cut short");
    let bomb = format!("<!DOCTYPE a [<!ENTITY b 'c'>]>{good}");
    assert_eq!(by_hand(&bomb, "<sst/>", &[]), unreadable, "document type");
    for (part, text) in [
        ("xl/workbook.xml", "<workbook><sheets><sheet r:id='r2'/></sheets></workbook>"),
        ("xl/sharedStrings.xml", "<sst>"),
    ] {
        assert_eq!(by_hand(&good, "<sst/>", &[(part, text)]), unreadable, "{part}");
    }
    let none = [("xl/_rels/workbook.xml.rels", "<Relationships/>"), ("xl/workbook.xml", "<a/>")];
    assert_eq!(by_hand(&good, "<sst/>", &none), ["empty[]", "workbook-extras[]"]);
}

#[test]
fn a_claim_costs_nothing() {
    let good = rows(&inline("nee"));
    // calamine reserves what this claims, and aborts: it is not asked.
    for claims in [u64::MAX / 64, 1 << 30] {
        let strings = format!("<sst count='{claims}' uniqueCount='{claims}'/>");
        assert_eq!(by_hand(&good, &strings, &[]), ["workbook-extras[]"]);
    }
    let mut file = parts(&good, "<sst/>", &[]);
    let end = file.len() - 22;
    file[end + 8..end + 20].fill(0xff);
    assert_eq!(broken(look("a.xlsx", &file, &rules())), ["unreadable[]"], "zip64");
    let many: Vec<_> = (0..260).map(|n| format!("xl/theme/{n}")).collect();
    let many: Vec<_> = many.iter().map(|name| (name.as_str(), "")).collect();
    assert_eq!(by_hand(&good, "<sst/>", &many), ["unreadable[]"], "parts");
}

#[test]
fn a_formula_outside_any_cell_names_no_column() {
    let good = rows(&inline("nee"));
    let beside = good.replacen("<x:row>", "<x:f>A1</x:f><x:row>", 1);
    assert_eq!(by_hand(&beside, "<sst/>", &[]), ["formula[]"]);
}

#[test]
fn a_part_that_claims_more_than_deflate_can_give_has_no_room_reserved() {
    let good = rows(&inline("nee"));
    let file = parts(&good, "<sst/>", &[]);
    assert_eq!(lie(file.clone(), good.len(), 200 << 20), ["unreadable[]"]);
    // What compresses well is taken: spaces between the rows.
    let airy = good.replace("<x:row", &format!("{}<x:row", " ".repeat(1 << 20)));
    assert_eq!(by_hand(&airy, "<sst/>", &[]), GOOD);
}

/// Every length of this many bytes that the archive gives says `says` instead.
fn lie(mut file: Vec<u8>, length: usize, says: u32) -> Vec<String> {
    let length = u32::try_from(length).unwrap().to_le_bytes();
    let at: Vec<_> = (0..file.len() - 4).filter(|at| file[*at..*at + 4] == length).collect();
    assert!(at.len() >= 2, "local and central");
    at.iter().for_each(|at| file[*at..*at + 4].copy_from_slice(&says.to_le_bytes()));
    broken(look("a.xlsx", &file, &rules()))
}

#[test]
fn a_bomb_is_not_unpacked() {
    let good = rows(&inline("nee"));
    let looks = "x".repeat(54_321);
    let file = |more: &[(&str, &str)]| parts(&good, "<sst/>", more);
    let with_looks = file(&[("xl/styles.xml", &looks)]);
    assert_eq!(lie(with_looks, looks.len(), 256 << 20), ["too-large[]"]);
    // One that says it is smaller than it is.
    let less = u32::try_from(good.len()).unwrap() - 1;
    assert_eq!(lie(file(&[]), good.len(), less), ["unreadable[]"]);
}
