//! Who may say what: every sort, by each party, as the table in `docs/formats.md` has it.

use std::collections::BTreeMap;

use super::*;
use crate::words::Language;

const FORMATS: &str = include_str!("../../../../docs/formats.md");

/// The rows of the table: who may say a kind, and its article.
fn table() -> BTreeMap<&'static str, (&'static str, &'static str)> {
    let (_, rows) =
        FORMATS.split_once("| kind | by | must have, beside `text` | article |\n").unwrap();
    let rows = rows.lines().skip(1).take_while(|row| row.starts_with('|'));
    let cells = |row: &'static str| -> Vec<&'static str> {
        row.trim_matches('|').split('|').map(str::trim).collect()
    };
    let one = |row| match cells(row)[..] {
        [kind, by, _, article] => (kind.trim_matches('`'), (by, article)),
        _ => panic!("{row}"),
    };
    rows.map(one).collect()
}

/// A register in which `side` began one case of each sort, and the other party entered one from its letter: the other
/// one may answer, `side` may contradict.
fn begun(side: Side) -> (Register, impl Fn(Sort) -> Option<Digest>) {
    let found = || Notice { found: Some(NOON), ..notice("x") };
    let paper = Notice { received: Some(NOON.date()), paper: Some(Digest::none()), ..found() };
    let quality = entered(side, Sort::QualityReport, NOON, found());
    let answer = Notice { case: Some(quality.digest), ..notice("x") };
    let incident = entered(side, Sort::IncidentReport, NOON, found());
    let asked = entered(side, Sort::InformationRequest, NOON, notice("x"));
    let entry = entered(side.other(), Sort::IncidentReport, NOON, paper);
    let of = [&quality, &incident, &asked, &entry].map(|it| it.digest);
    let answer = entered(Side::Agency, Sort::QualityAnswer, NOON, answer);
    let case = move |sort: Sort| match sort.needs() {
        Needs::Case(Sort::QualityReport) => Some(of[0]),
        Needs::Case(Sort::IncidentReport) => Some(of[1]),
        Needs::Case(_) => Some(of[2]),
        Needs::Entry => Some(of[3]),
        Needs::List => Some(Digest::none()),
        _ => None,
    };
    (Register(vec![quality, answer, incident, asked, entry]), case)
}

#[test]
fn each_sort_is_said_by_whom_the_table_of_the_formats_has_it_and_by_nobody_else() {
    let table = table();
    assert_eq!(table.len(), Sort::ALL.len(), "a row for each sort");
    for side in [Side::Agency, Side::Municipality] {
        let (register, case) = begun(side);
        for sort in Sort::ALL.iter().copied() {
            let (by, article) = table[sort.kind()];
            let allowed: &[Side] = match by {
                "agency" => &[Side::Agency],
                "municipality" => &[Side::Municipality],
                "either" => &[Side::Agency, Side::Municipality],
                "the other party" => &[side.other()],
                "the party in whose name it was entered" => &[side],
                other => panic!("{other}"),
            };
            let ends = sort == Sort::Terminate;
            let said = Notice {
                text: (if sort == Sort::Publication { "https://x.example" } else { "x" }).into(),
                case: case(sort),
                found: Some(NOON),
                on: Some(if ends { date(2028, 1, 1) } else { NOON.date() }),
                paper: Some(Digest::none()),
                ..notice("x")
            };
            for speaks in [Side::Agency, Side::Municipality] {
                let may = register.may(&agreement(), speaks, sort, &said, NOON);
                assert_eq!(may.is_ok(), allowed.contains(&speaks), "{sort:?} {speaks:?}: {may:?}");
            }
            let label = sort.article().label(Language::En);
            assert_eq!(label.trim_start_matches("art. "), article, "{sort:?}");
        }
    }
}
