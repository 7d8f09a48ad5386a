//! `docs/articles.md` has every number of the requirements once, and the tests that it and `docs/threat-model.md` name are there.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::path::{Path, PathBuf};

use sluis_tests::root;

/// How many numbers the requirements have.
const NUMBERS: usize = 88;
/// Crates whose own tests are named by module; anything else is a program in `tests/tests`.
const CRATES: [&str; 5] = ["core", "config", "daemon", "cli", "fuzz"];

fn page(name: &str) -> String {
    fs::read_to_string(root().join("docs").join(name)).unwrap()
}

/// The cells of each row of the tables on a page.
fn rows(page: &str) -> Vec<Vec<&str>> {
    page.lines()
        .filter_map(|line| line.strip_prefix('|')?.strip_suffix('|'))
        .map(|line| line.split('|').map(str::trim).collect())
        .collect()
}

/// The rows of the articles: those whose first cell is a number.
fn articles(page: &str) -> Vec<Vec<&str>> {
    let numbered = |row: &Vec<&str>| row.first().is_some_and(|cell| number(cell).is_some());
    rows(page).into_iter().filter(numbered).collect()
}

fn number(cell: &str) -> Option<usize> {
    cell.strip_prefix('R')?.parse().ok()
}

/// What stands between backticks, but not in brackets.
fn named(cell: &str) -> Vec<String> {
    let mut depth = 0_usize;
    let bare: String = cell
        .chars()
        .filter(|c| {
            depth += usize::from(*c == '(');
            let outside = depth == 0;
            depth = depth.saturating_sub(usize::from(*c == ')'));
            outside
        })
        .collect();
    bare.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The names of the tests in a file; none where there is no such file.
fn tests_in(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let (mut names, mut marked) = (Vec::new(), false);
    for line in text.lines().map(str::trim) {
        if line.starts_with("//") {
            continue;
        }
        if line.starts_with("#[") {
            marked |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
            continue;
        }
        let after = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ");
        if let Some(name) = after.filter(|_| marked).and_then(|rest| rest.split('(').next()) {
            names.push(name.to_owned());
        }
        marked = false;
    }
    names
}

/// The files in which the tests of a module may stand: its own, the one beside it, a program of the crate.
fn files(package: &str, module: &[&str]) -> Vec<PathBuf> {
    let place = |folder: &str, module: &[&str]| {
        root().join(package).join(folder).join(module.join("/")).with_extension("rs")
    };
    let mut files = vec![place("src", module), place("tests", module)];
    match module {
        [above @ .., "tests"] if !above.is_empty() => files.push(place("src", above)),
        _ => files.push(place("src", &[module, &["tests"]].concat())),
    }
    files
}

/// Whether a name fits; `...` stands for what was left out at either end.
fn fits(name: &str, pattern: &str) -> bool {
    let (end, begin) = (pattern.strip_prefix("..."), pattern.strip_suffix("..."));
    match (end, begin) {
        (Some(_), Some(_)) => name.contains(pattern.trim_matches('.')),
        (Some(end), None) => name.ends_with(end),
        (None, Some(begin)) => name.starts_with(begin),
        (None, None) => name == pattern,
    }
}

/// The tests of a program, or of a module of a crate.
fn tests_of(package: &str, module: &[&str]) -> Vec<String> {
    let files = match CRATES.contains(&package) {
        true => files(package, module),
        false if module.is_empty() => vec![root().join(format!("tests/tests/{package}.rs"))],
        false => Vec::new(),
    };
    files.iter().flat_map(|file| tests_in(file)).collect()
}

/// Whether this path leads to a test.
fn is_test(package: &str, path: &[&str]) -> bool {
    path.split_last().is_some_and(|(name, module)| {
        tests_of(package, module).iter().any(|known| fits(known, name))
    })
}

/// Whether it does, or to a module that has some.
fn is_there(package: &str, path: &[&str]) -> bool {
    is_test(package, path) || !tests_of(package, path).is_empty()
}

#[test]
fn every_number_has_one_row_in_the_order_of_the_articles() {
    let page = page("articles.md");
    let numbers: Vec<_> = articles(&page).iter().filter_map(|row| number(row[0])).collect();
    let missing: Vec<_> = (1..=NUMBERS).filter(|number| !numbers.contains(number)).collect();
    assert!(missing.is_empty(), "no row has {missing:?}");
    assert_eq!(numbers, (1..=NUMBERS).collect::<Vec<_>>(), "each once, in order");
}

#[test]
fn each_row_says_how_far_it_is_held_and_names_a_test_or_says_why_there_is_none() {
    let page = page("articles.md");
    let mut counts = [("Held", 0), ("Partly", 0), ("Not yet", 0), ("Outside", 0)];
    for row in articles(&page) {
        let [at, _, asked, how, test] = row[..] else { panic!("five cells: {row:?}") };
        assert!(!asked.is_empty() && how.len() > 20, "{at} says too little");
        let known = counts.iter_mut().find(|(known, _)| how.starts_with(known));
        let (held, count) = known.unwrap_or_else(|| panic!("{at}: held, or not? {how}"));
        *count += 1;
        let (tests, not_yet) = (!named(test).is_empty(), test.starts_with("not yet"));
        let outside = test.starts_with("outside the software: ");
        assert_eq!(
            [tests, not_yet, outside].iter().filter(|it| **it).count(),
            1,
            "{at}: a test, or not yet, or outside the software and why: {test}"
        );
        let fits = match *held {
            "Held" => tests,
            "Partly" => tests || not_yet,
            "Not yet" => not_yet,
            _ => outside,
        };
        assert!(fits, "{at} is {held}, and yet: {test}");
    }
    assert_eq!(counts.iter().map(|(_, count)| count).sum::<usize>(), NUMBERS, "{counts:?}");
}

#[test]
fn every_test_that_an_article_names_is_there() {
    let page = page("articles.md");
    let mut lost = Vec::new();
    for row in articles(&page) {
        for name in row.last().map(|cell| named(cell)).unwrap_or_default() {
            let (package, path) = name.split_once(": ").unwrap_or((&name, ""));
            let path: Vec<&str> = path.split("::").collect();
            // An article names tests, not modules, and in full.
            if name.contains("...") || !is_test(package, &path) {
                lost.push(format!("{}: {name}", row[0]));
            }
        }
    }
    assert!(lost.is_empty(), "no such test: {lost:#?}");
}

#[test]
fn every_test_that_the_threat_model_names_is_there() {
    let page = page("threat-model.md");
    let (mut lost, mut count, mut before) = (Vec::new(), 0, String::new());
    let mut unnamed = Vec::new();
    for row in rows(&page).into_iter().skip(2) {
        let mut tests = 0;
        for name in row.last().map(|cell| named(cell)).unwrap_or_default() {
            // What begins with dots belongs to the program named before it.
            let full = match name.strip_prefix("...") {
                Some(_) => format!("{before}::{name}"),
                None => name.clone(),
            };
            let full = full.replacen(' ', "::", 1);
            let parts: Vec<&str> = full.split("::").collect();
            if !is_there(parts[0], &parts[1..]) {
                lost.push(name);
            }
            tests += usize::from(is_test(parts[0], &parts[1..]));
            before = parts[0].to_owned();
            count += 1;
        }
        if tests == 0 {
            unnamed.push(row[1].to_owned());
        }
    }
    assert!(unnamed.is_empty(), "these rows name no test, at most a program of them: {unnamed:#?}");
    assert!(count > 50, "the table is read: {count}");
    assert!(lost.is_empty(), "no such test: {lost:#?}");
}

#[test]
fn what_is_nowhere_is_noticed() {
    for (package, path) in [
        ("articles", vec!["what_is_nowhere_is_noticed"]),
        ("articles", vec!["what_is_..."]),
        ("articles", vec!["..._is_noticed"]),
        ("articles", vec![]),
        ("core", vec!["plan", "tests", "an_accepted_plan_obeys_rule_two"]),
        ("core", vec!["evidence", "tests"]),
        ("config", vec!["loading"]),
    ] {
        assert!(is_there(package, &path), "{package} {path:?}");
    }
    for (package, path) in [
        // A function, and no test.
        ("articles", vec!["is_there"]),
        ("articles", vec!["what_is_nowhere"]),
        ("nowhere", vec![]),
        ("core", vec!["plan", "tests", "an_accepted_plan"]),
        ("core", vec!["share", "tests", "an_accepted_plan_obeys_rule_two"]),
        ("core", vec!["nowhere"]),
    ] {
        assert!(!is_there(package, &path), "{package} {path:?}");
    }
    assert!(!is_test("core", &["evidence", "tests"]), "a module is no test");
    assert_eq!(named("`a: b`, see (`c`) and `d`"), ["a: b", "d"]);
}
