//! What `toml` and `serde` say of a file, in Dutch.

use sluis_core::id::Malformed;
use sluis_core::words::Words;

/// What they say in an error, and the same in Dutch; longer ones before those they begin with or hold.
const SAID: [(&str, &str); 83] = [
    ("TOML parse error at line ", "TOML-fout op regel "),
    (", column ", ", kolom "),
    ("unknown field ", "onbekende sleutel "),
    ("unknown variant ", "onbekende waarde "),
    ("missing field ", "er ontbreekt een sleutel: "),
    ("duplicate field ", "tweemaal dezelfde sleutel: "),
    ("duplicate key", "tweemaal dezelfde sleutel"),
    ("invalid type: ", "een ander soort waarde: "),
    ("invalid value: ", "een waarde die niet kan: "),
    ("invalid length ", "een lengte die niet kan: "),
    (", expected one of ", "; het kan zijn: "),
    (", there are no fields", "; er zijn er geen"),
    ("key with no value", "een sleutel zonder waarde"),
    ("carriage return must be followed by newline", "na een carriage return komt een nieuwe regel"),
    ("missing opening quote", "er ontbreekt een aanhalingsteken vooraan"),
    ("missing comma between array elements", "er ontbreekt een komma in de lijst"),
    ("missing comma between key-value pairs", "er ontbreekt een komma tussen twee sleutels"),
    ("missing assignment between key-value pairs", "er ontbreekt een = tussen sleutel en waarde"),
    ("extra assignment between key-value pairs", "een = te veel"),
    ("extra comma in inline table", "een komma te veel in de tabel"),
    ("extra comma in array", "een komma te veel in de lijst"),
    ("extra `=`", "een = te veel"),
    ("unexpected `=` in array", "een = in een lijst"),
    ("missing key for inline table element", "er ontbreekt een sleutel in de tabel"),
    ("missing value for key", "er ontbreekt een waarde bij de sleutel"),
    ("missing value", "er ontbreekt een waarde"),
    ("missing escaped value", "na een \\ ontbreekt een teken"),
    ("missing array opening", "er ontbreekt een ["),
    ("missing inline table opening", "er ontbreekt een {"),
    ("missing table open", "er ontbreekt een ["),
    ("missing comment start", "er ontbreekt een #"),
    ("unclosed array table", "een [[ zonder ]]"),
    ("unclosed inline table", "een { zonder }"),
    ("unclosed array", "een [ zonder ]"),
    ("unclosed table", "een [ zonder ]"),
    ("integers with a radix cannot be signed", "een getal met 0x, 0o of 0b heeft geen teken"),
    ("radix must be lowercase", "0x, 0o en 0b worden klein geschreven"),
    ("redundant integer number prefix", "tweemaal 0x, 0o of 0b"),
    ("redundant numeric sign", "tweemaal + of -"),
    ("unexpected leading zero", "een nul te veel vooraan"),
    ("unexpected sign", "een + of - die hier niet hoort"),
    ("`_` may only go between digits", "een _ staat alleen tussen cijfers"),
    ("too few unicode value digits", "te weinig cijfers na \\u"),
    ("string values must be quoted", "een tekst staat tussen aanhalingstekens"),
    ("keys cannot be multi-line literal strings", "een sleutel is geen tekst over meer regels"),
    ("keys cannot be multi-line basic strings", "een sleutel is geen tekst over meer regels"),
    ("unquoted keys cannot be empty", "een sleutel zonder naam"),
    ("invalid unquoted key", "een sleutel met tekens die niet kunnen"),
    (
        "unexpected content between comment and newline",
        "er staat iets tussen een opmerking en de nieuwe regel",
    ),
    ("unexpected key or value", "hier hoort geen sleutel of waarde"),
    ("unexpected content", "hier staat iets dat er niet hoort"),
    ("cannot recurse further; max recursion depth met", "te diep genest"),
    ("recursion limit", "te diep genest"),
    ("invalid key-value pair", "geen sleutel met een waarde"),
    ("invalid inline table element", "dat hoort niet in een tabel"),
    ("invalid comment character", "een teken dat niet in een opmerking kan"),
    ("invalid multi-line basic string", "een tekst over meer regels die niet klopt"),
    ("invalid multi-line literal string", "een tekst over meer regels die niet klopt"),
    ("invalid basic string", "een tekst die niet klopt"),
    ("invalid literal string", "een tekst die niet klopt"),
    ("invalid string", "een tekst die niet klopt"),
    ("invalid octal number", "geen octaal getal"),
    ("invalid hexadecimal number", "geen hexadecimaal getal"),
    ("invalid binary number", "geen binair getal"),
    ("invalid integer number", "geen geheel getal"),
    ("invalid mantissa", "geen getal"),
    ("invalid fraction", "geen getal met een komma"),
    ("invalid float", "geen getal met een komma"),
    ("invalid exponent", "geen exponent"),
    ("invalid boolean", "geen true of false"),
    ("invalid table", "een tabel die niet klopt"),
    ("invalid key", "een sleutel die niet klopt"),
    ("invalid value", "een waarde die niet klopt"),
    ("integer number overflowed", "een getal dat te groot is"),
    ("floating-point number overflowed", "een getal dat te groot is"),
    ("wanted string or table", "hier hoort een tekst of een tabel"),
    ("expected empty array", "hier hoort een lege lijst"),
    ("expected empty table", "hier hoort een lege tabel"),
    ("cannot extend value of type ", "daar staat al een waarde: "),
    ("could not allocate for string", "de tekst is te lang"),
    (" with a dotted key", ""),
    ("unexpected keys in table: ", "sleutels die er niet horen: "),
    (", expected ", "; verwacht: "),
];

/// What may be expected, where it is a word.
const EXPECTED: [(&str, &str); 31] = [
    ("unicode hexadecimal value", "hexadecimale cijfers"),
    ("non-single-quote visible characters", "tekens"),
    ("non-single-quote characters", "tekens"),
    ("non-double-quote visible characters", "tekens"),
    ("printable characters", "leesbare tekens"),
    ("multi-line basic string", "een tekst over meer regels"),
    ("literal string", "een tekst"),
    ("characters", "tekens"),
    ("date-time", "een datum of tijdstip"),
    ("newline", "een nieuwe regel"),
    ("whitespace", "een spatie"),
    ("digits", "cijfers"),
    ("letters", "letters"),
    ("numbers", "cijfers"),
    ("comment", "een opmerking"),
    ("key", "een sleutel"),
    ("value", "een waarde"),
    ("a string", "een tekst"),
    ("a boolean", "true of false"),
    ("a sequence", "een lijst"),
    ("a map", "een tabel"),
    ("a borrowed string", "een tekst"),
    ("an integer", "een geheel getal"),
    ("nothing", "niets"),
    ("content", "inhoud"),
    ("boolean", "true of false"),
    ("u8", "een geheel getal van 0 tot en met 255"),
    ("u16", "een geheel getal van 0 tot en met 65535"),
    ("u32", "een geheel getal van 0 tot en met 4294967295"),
    ("u64", "een geheel getal vanaf 0"),
    ("f64", "een getal"),
];

/// `toml`'s report in both languages: what it shows of the file stays as it is.
pub(super) fn of_toml(report: &str) -> Words {
    Words { nl: report.split_inclusive('\n').map(of_line).collect(), en: report.to_owned() }
}

fn of_line(line: &str) -> String {
    let excerpt = |(number, _): (&str, &str)| number.trim().bytes().all(|b| b.is_ascii_digit());
    let text = line.trim_end_matches('\n');
    if text.is_empty() || line.split_once('|').is_some_and(excerpt) {
        return line.to_owned();
    }
    let end = &line[text.len()..];
    // What the library of dates says has a hundred forms, and one cause.
    if ["invalid date", "invalid time", "invalid offset"].iter().any(|it| text.starts_with(it)) {
        return format!("geen datum of tijdstip, zoals 2026-05-31{end}");
    }
    let said = SAID.iter().fold(text.to_owned(), |line, (en, nl)| line.replace(en, nl));
    let said = Malformed::in_dutch(&expected(&said));
    if said == text {
        // A word of a later version of the parser: what is known is where.
        return format!("hier staat iets dat niet gelezen kan worden (\"{text}\"){end}");
    }
    said + end
}

/// The words behind what is expected; what stands in quotes is typed as it is.
fn expected(line: &str) -> String {
    let Some((before, list)) = line.split_once("; verwacht: ") else { return line.to_owned() };
    let one = |it: &str| {
        let known = EXPECTED.iter().find(|(en, _)| *en == it);
        known.map_or(it, |(_, nl)| nl).replace("` or `", "` of `")
    };
    let list: Vec<String> = list.split(", ").map(one).collect();
    format!("{before}; verwacht: {}", list.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Files that are no TOML, one of each kind that the parser tells apart; then what does not fit its key.
    const WRONG: [&str; 49] = [
        "a",
        "a =",
        "a = ",
        "= 1",
        "a = 1 b = 2",
        "a == 1",
        "a = [1 2]",
        "a = [1,, 2]",
        "a = [1",
        "a = {b = 1",
        "a = {b = 1 c = 2}",
        "a = {b = 1,, c = 2}",
        "a = {= 1}",
        "a = {b}",
        "[a",
        "[[a]",
        "[]",
        "[a.]",
        "a. = 1",
        "a = \"b",
        "a = 'b",
        "a = \"\"\"b",
        "a = '''b",
        "a = b",
        "a = \"\\q\"",
        "a = \"\\u12\"",
        "a = 0X1",
        "a = -0x1",
        "a = 01",
        "a = ++1",
        "a = 1__2",
        "a = 1.",
        "a = 1e",
        "a = 0b2",
        "a = 0o8",
        "a = 0xg",
        "a = tru",
        "a = 2026-13-01",
        "a = 10:99:00",
        "a = 2026-01-01T",
        "a = 2026-01-01T10:00:00+99:00",
        "a = 1\na = 2",
        "\"\"\"a\"\"\" = 1",
        "'''a''' = 1",
        "a = 1 # \u{1}",
        "a = \"\u{1}\"",
        "a\rb = 1",
        "] = 1",
        "[a]\n[a]",
    ];

    /// Words that no Dutch sentence has.
    const ENGLISH: [&str; 22] = [
        "expected",
        "invalid",
        "missing",
        "unclosed",
        "unexpected",
        "must ",
        "extra ",
        "keys ",
        "cannot",
        "with ",
        "between",
        "duplicate",
        "error",
        " line ",
        "string ",
        "value",
        "newline",
        "digits",
        "characters",
        "gelezen kan worden",
        "redundant",
        "quote",
    ];

    #[test]
    fn whatever_is_wrong_with_a_file_is_told_in_dutch_with_its_line_and_column() {
        let mut left = Vec::new();
        for text in WRONG {
            let error = toml::from_str::<toml::Table>(text).expect_err(text);
            let words = of_toml(&error.to_string());
            assert!(words.nl.contains("TOML-fout op regel "), "{}", words.nl);
            let own = |line: &&str| !line.contains('|');
            let said: Vec<&str> = words.nl.lines().filter(own).collect();
            assert!(said.len() == 2, "{}", words.nl);
            let english: Vec<_> =
                ENGLISH.iter().filter(|it| said.concat().contains(**it)).collect();
            if !english.is_empty() {
                left.push(format!("{english:?}: {}\n{}", words.nl, words.en));
            }
        }
        assert!(left.is_empty(), "{}", left.join("\n"));
        let strange = of_toml("something new\n").nl;
        assert_eq!(strange, "hier staat iets dat niet gelezen kan worden (\"something new\")\n");
    }
}
