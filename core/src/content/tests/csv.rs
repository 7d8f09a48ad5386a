//! Lists as CSV: header, rows, cells.

use super::*;

const RRN: &str = "Rijksregisternummer";

/// A list with these lines under the usual header, and what breaks.
fn lines(lines: &[&str]) -> Vec<String> {
    let text = format!("{HEADER}\n{}\n", lines.join("\n"));
    broken(look("a.csv", text.as_bytes(), &rules()))
}

/// What the middle line breaks, of three.
fn line(line: &str) -> Vec<String> {
    lines(&[&format!("{};ja;nee", nth(0)), line, &format!("{};nee;ja", nth(1))])
}

/// What this header breaks, above a line as wide.
fn header(header: &str) -> Vec<String> {
    let line = vec!["ja"; header.split(';').count()].join(";");
    let found = broken(look("a.csv", format!("{header}\n{line}\n{line}\n").as_bytes(), &rules()));
    found.into_iter().filter(|code| code.ends_with("[1]")).collect()
}

#[test]
fn what_would_leave_in_counts() {
    let (a, b, c) = (nth(0), nth(1), nth(2));
    let text = format!("Attest ;RIJKSREGISTERNUMMER;contract\r\nNee;{a};1\r\nja;{b};0\r\nJA;{c};1");
    let summary = look("a.csv", text.as_bytes(), &rules()).unwrap();
    let count = |column: &str, yes, no| Count { column: column.into(), yes, no };
    let format = Format::Csv { delimiter: ';', encoding: Encoding::Utf8 };
    let counts = vec![count("contract", 2, 1), count("attest", 2, 1)];
    let content = Digest::of(text.as_bytes());
    assert_eq!(summary, Summary { rows: 3, format, counts, waived: vec![], content });
    let json = serde_json::to_value(&summary).unwrap();
    assert_eq!(
        json["format"],
        serde_json::json!({"kind": "csv", "delimiter": ";", "encoding": "utf8"})
    );
}

#[test]
fn delimiters_quotes_and_encodings() {
    let columns = vec![
        column("nummer, rijksregister", ColumnKind::NationalNumber),
        column("geïntegreerd", ColumnKind::Boolean),
        column("reëel - e", ColumnKind::Boolean),
    ];
    let rules = Rules::new(columns, 10, None).unwrap();
    let text = format!(
        "\"nummer, rijksregister\";geïntegreerd;reëel - e\n{};ja;\"nee\"\n{};ja;nee\n",
        nth(0),
        nth(1)
    );
    let latin: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    let marked = [b"\xef\xbb\xbf", text.as_bytes()].concat();
    for (bytes, expected) in [
        (text.as_bytes(), Encoding::Utf8),
        (&marked, Encoding::Utf8),
        (&latin, Encoding::Windows1252),
    ] {
        let format = look("a.csv", bytes, &rules).unwrap().format;
        assert_eq!(format, Format::Csv { delimiter: ';', encoding: expected });
    }
    let comma = text.replace(", ", " ").replace(';', ",");
    assert_eq!(
        broken(look("a.csv", comma.as_bytes(), &rules))[0],
        "column-missing nummer, rijksregister[1]"
    );
}

#[test]
fn other_encodings_are_refused() {
    let text = format!("{HEADER}\n{};ja;nee\n", nth(0));
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked = [b"\xff\xfe", wide.as_slice()].concat();
    let undefined = [text.as_bytes(), b"\x81"].concat();
    let false_mark = [b"\xef\xbb\xbf", text.as_bytes(), b"\xeb"].concat();
    for bytes in [&wide, &marked, &undefined, &false_mark] {
        assert_eq!(broken(look("a.csv", bytes, &rules())), ["encoding[]"]);
    }
}

#[test]
fn nothing_or_nobody_in_it() {
    for nothing in ["", "\n\n", "\r\n", " ; ;\n", "\u{feff}"] {
        assert_eq!(broken(look("a.csv", nothing.as_bytes(), &rules())), ["empty[]"], "{nothing:?}");
    }
    assert_eq!(lines(&[]), ["no-rows[]"]);
    assert_eq!(lines(&["", ";;", " "]), ["no-rows[]"]);
}

#[test]
fn the_columns_are_exactly_those_of_the_agreement() {
    assert_eq!(header(HEADER), Vec::<String>::new());
    assert_eq!(header("contract;attest;rijksregisternummer"), Vec::<String>::new());
    assert_eq!(header("contract;attest"), [format!("column-missing {RRN}[1]")]);
    assert_eq!(header(&format!("{HEADER};geslacht")), ["column-not-allowed D[1]"]);
    assert_eq!(header(&format!("{HEADER};")), ["column-not-allowed D[1]"]);
    assert_eq!(header(&format!("{HEADER};Attest")), ["column-twice attest[1]"]);
    for name in ["Naam", "voornaam", "familienaam inburgeraar", "last_name", "Prénom"] {
        assert_eq!(header(&format!("{HEADER};{name}")), ["name-column D[1]"], "{name}");
    }
    assert_eq!(header(&format!("{HEADER};a\u{200b}")), ["character D[1]"]);
    let wide = format!("{HEADER}{}", ";x".repeat(99));
    assert_eq!(header(&wide).len(), 23, "up to Z");
}

#[test]
fn a_header_is_there_and_first() {
    for bad in ["a;b;c", "Lijst 2026;;", &format!("{};ja;nee", nth(0)), &format!("\n{HEADER}")] {
        assert_eq!(header(bad), ["header-missing[1]"], "{bad}");
    }
    assert_eq!(header("\"rijksregisternummer;contract;attest"), ["line-break[1]"]);
}

#[test]
fn rows_are_whole() {
    let good = format!("{};ja;nee", nth(9));
    assert_eq!(line(&good), Vec::<String>::new());
    assert_eq!(line(&format!("{good};")), ["row-width[3]"]);
    assert_eq!(line(&format!("{};ja", nth(9))), ["row-width[3]"]);
    assert_eq!(line(""), ["empty-row[3]"]);
    assert_eq!(line(" ;;"), ["empty-row[3]"]);
    assert_eq!(line(&format!("{};;nee", nth(9))), ["empty-cell contract[3]"]);
    assert_eq!(line(&format!("{good}\r\n\r\n;;\r\n{};ja;ja", nth(8))), ["empty-row[4, 5]"]);
    // What stands far to the right is seen, also in the last row.
    for far in [25, 26, 27, 400] {
        let far = format!("{}Janssens", ";".repeat(far));
        assert_eq!(lines(&[&good, &format!("{};ja;ja", nth(1)), &far]), ["row-width[4]"]);
    }
}

#[test]
fn quotes_and_breaks() {
    let number = nth(9);
    assert_eq!(line(&format!("\"{number}\";\"ja\";\"nee\"")), Vec::<String>::new());
    assert_eq!(line(&format!("{number};j\"a;nee")), ["quotes[3]"]);
    assert_eq!(line(&format!("{number};\"j\"\"a\";nee")), ["quotes[3]"]);
    assert_eq!(line(&format!("{number};\"ja\"x;nee")), ["quotes[3]"]);
    assert_eq!(line(&format!("{number};ja;\"ne\ne\"")), ["line-break[3]", "quotes[4]"]);
    assert_eq!(line(&format!("{number};ja;ne\re")), ["line-break attest[3]"]);
    let mac: String = (0..600).map(|n| format!("\r{};ja;nee", nth(n))).collect();
    assert_eq!(header(&format!("{HEADER}{mac}")), ["line-break[1]"]);
    assert_eq!(line(&format!("\u{feff}{number};ja;nee")), ["character[3]"]);
    assert_eq!(line(&format!("{number};{};nee", "j".repeat(9000))), ["cell-too-long[3]"]);
    assert_eq!(line(&format!("{number}{}", ";x".repeat(9000))), ["row-width[3]"]);
}

#[test]
fn no_cell_is_more_than_a_value() {
    let contract = |text: &str| line(&format!("{};{text};nee", nth(9)));
    for start in ["=1+1", "+32", "-1", "@a", "\tja", " =1", "＝1", "＋1", "－1", "＠1"] {
        assert_eq!(contract(start), ["formula-character contract[3]"], "{start:?}");
    }
    let odd =
        ['\u{0}', '\t', '\u{a0}', '\u{ad}', '\u{200b}', '\u{202e}', '\u{2066}', '\u{feff}', 'а'];
    for odd in &odd[1..] {
        assert_eq!(contract(&format!("j{odd}a")), ["character contract[3]"], "{odd:?}");
    }
    assert_eq!(contract(&format!("j{}a", odd[0])), ["encoding[]"]);
    for brk in ['\u{b}', '\u{c}', '\u{85}', '\u{2028}'] {
        assert_eq!(contract(&format!("ja{brk}")), ["line-break contract[3]"], "{brk:?}");
    }
    assert_eq!(contract(&"j".repeat(64)), ["boolean-value contract[3]"]);
    assert_eq!(contract(&"j".repeat(65)), ["cell-too-long contract[3]"]);
}

#[test]
fn yes_and_no_have_one_spelling() {
    for (yes, no) in [("ja", "nee"), ("J", "N"), ("waar", "ONWAAR"), ("True", "false"), ("1", "0")]
    {
        let row = |n, text: &str| format!("{};{text};{text}", nth(n));
        assert_eq!(lines(&[&row(0, yes), &row(1, no)]), Vec::<String>::new(), "{yes}");
    }
    for bad in ["oui", "yes", "x", "2", "ja.", "01"] {
        assert_eq!(line(&format!("{};{bad};nee", nth(9))), ["boolean-value contract[3]"], "{bad}");
    }
    assert_eq!(line(&format!("{};1;nee", nth(9))), ["boolean-mixed contract[3]"]);
    assert_eq!(
        line(&format!("{};j;N", nth(9))),
        ["boolean-mixed attest[3]", "boolean-mixed contract[3]"]
    );
}

#[test]
fn numbers_are_of_the_register() {
    let with = |text: &str| {
        let found = line(&format!("{text};ja;nee"));
        assert!(found.len() < 2, "{text}: {found:?}");
        found.first().map(|code| code.replace(&format!(" {RRN}[3]"), "")).unwrap_or_default()
    };
    assert_eq!(with(&nth(9)), "");
    assert_eq!(with("93.05.18-223.61"), "");
    assert_eq!(with("93 05 18 223 61"), "");
    for stored in ["8,50505E+10", "8.50505e10", "101000123", "1010001234"] {
        assert_eq!(with(stored), "number-stored", "{stored}");
    }
    for form in ["onbekend", "850730033280", "85-07/30", "een", "e"] {
        assert_eq!(with(form), "number-form", "{form}");
    }
    assert_eq!(with("93051822362"), "number-check");
    assert_eq!(with(&number(931_318_223, false)), "number-date");
    assert_eq!(with(&number(930_518_999, false)), "number-serial");
    assert_eq!(with(&number(932_518_223, false)), "number-bis");
    assert_eq!(with(&number(934_518_223, false)), "number-bis");
}

#[test]
fn nobody_is_there_twice() {
    let dotted = "85.07.30-001.60";
    assert_eq!(nth(0), dotted.replace(['.', '-'], ""));
    let rows: Vec<_> = [&nth(3), dotted, &nth(3), &nth(2), &nth(0), &nth(3)]
        .iter()
        .map(|number| format!("{number};ja;nee"))
        .collect();
    let rows: Vec<_> = rows.iter().map(String::as_str).collect();
    assert_eq!(lines(&rows), [format!("number-twice {RRN}[2, 3, 4, 6, 7]")]);
    assert_eq!(lines(&rows[1..4]), Vec::<String>::new());
}

#[test]
fn persons_of_another_municipality_stay() {
    let columns = vec![column("rrn", ColumnKind::NationalNumber), column("nis", ColumnKind::Nis)];
    let rules = Rules::new(columns, 10, Some("12025".into())).unwrap();
    let with = |nis: &str| {
        let text = format!("nis;rrn\n12025;{}\n{nis};{}\n", nth(0), nth(1));
        broken(look("a.csv", text.as_bytes(), &rules))
    };
    assert_eq!(with("12025"), Vec::<String>::new());
    assert_eq!(with("11002"), ["other-municipality nis[3]"]);
    assert_eq!(with("Mechelen"), ["other-municipality nis[3]"]);
    assert_eq!(with(""), ["empty-cell nis[3]"]);
}

#[test]
fn no_more_rows_than_agreed() {
    let rules = Rules::new(rules().columns, 3, None).unwrap();
    let with = |rows: u64, tail: &str| {
        let rows: String = (0..rows).map(|n| format!("{};ja;nee\n", nth(n))).collect();
        broken(look("a.csv", format!("{HEADER}\n{rows}{tail}").as_bytes(), &rules))
    };
    assert_eq!(with(3, "\n\n;;\n"), Vec::<String>::new());
    assert_eq!(with(4, ""), ["too-many-rows[]"]);
    assert_eq!(with(900, "\n"), ["too-many-rows[]"]);
    assert_eq!(with(3, &"\n".repeat(1 << 20)), ["too-many-rows[]"], "more than a sheet has");
}
