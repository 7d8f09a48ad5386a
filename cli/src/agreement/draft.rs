//! The text of a new agreement: the annotated template with the answers in it.
//!
//! A line whose answer is blank stays, commented out, so that the file shows what can be filled in later.

use super::new::{Answers, items};
use super::questions::pairs;

const TEMPLATE: &str = include_str!("template.toml");

/// The file.
pub(super) fn text(answers: &Answers) -> String {
    TEMPLATE.lines().map(|line| filled(line, answers)).collect()
}

/// One line of the template, which has one place to fill at most.
fn filled(line: &str, answers: &Answers) -> String {
    let Some((before, rest)) = line.split_once('{') else { return format!("{line}\n") };
    let Some((place, after)) = rest.split_once('}') else { return format!("{line}\n") };
    let value = match place.split_once(' ').unwrap_or(("", place)) {
        (_, "columns") => return columns(answers),
        (_, "profiles") => return profiles(answers),
        (_, "shares") => return shares(answers),
        (_, "processors") => return processors(answers),
        (_, "signatures") => return signatures(answers),
        (_, key) if answers.get(key).is_empty() => return format!("# {before}\"...\"{after}\n"),
        ("number", key) => answers.get(key).to_owned(),
        ("list", key) => {
            let items = items(answers.get(key)).into_iter().map(quoted);
            format!("[{}]", items.collect::<Vec<_>>().join(", "))
        }
        (_, key) => quoted(answers.get(key)),
    };
    format!("{before}{value}{after}\n")
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// A table of an array of tables; blank values are left out.
fn table(name: &str, rows: &[(&str, &str)]) -> String {
    let row = |(key, value): &(&str, &str)| format!("{key} = {}\n", quoted(value));
    let rows = rows.iter().filter(|(_, value)| !value.is_empty()).map(row);
    format!("\n[[{name}]]\n{}", rows.collect::<String>())
}

fn columns(answers: &Answers) -> String {
    let column = |name: &str| {
        let kind = if name == "rijksregisternummer" { "national-number" } else { "boolean" };
        table("data.columns", &[("name", name), ("kind", kind), ("why", answers.get("data.why"))])
    };
    items(answers.get("data.columns")).into_iter().map(column).collect::<String>() + "\n"
}

fn profiles(answers: &Answers) -> String {
    let profiles = pairs(answers.get("access.profiles")).unwrap_or_default();
    let informed = ["gdpr", "privacy", "other"].map(|rules| {
        let on = answers.get(&format!("access.informed.{rules}"));
        if on.is_empty() { String::new() } else { format!("informed.{rules} = {}\n", quoted(on)) }
    });
    let profile =
        |(id, why)| table("access.profiles", &[("id", id), ("why", why)]) + &informed.concat();
    profiles.into_iter().map(profile).collect::<String>() + "\n"
}

/// The routes, then the persons: the first person gets share 1.
fn shares(answers: &Answers) -> String {
    let turns = || 1..=answers.number("shares");
    let get = |turn: usize, key: &str| answers.get(&key.replace('#', &turn.to_string())).to_owned();
    let channel = |turn| {
        let get = |field| get(turn, &format!("channel.#.{field}"));
        table(
            "key.channels",
            &[
                ("id", &get("id")),
                ("provider", &get("provider")),
                ("group", &get("group")),
                ("kind", &get("kind")),
                ("reason", &get("reason")),
            ],
        )
    };
    let custodian = |turn| {
        let get = |field| get(turn, &format!("custodian.#.{field}"));
        table(
            "key.custodians",
            &[
                ("id", &get("id")),
                ("profile", &get("profile")),
                ("channel", answers.get(&format!("channel.{turn}.id"))),
                ("language", &get("language")),
                ("phone-group", &get("phone-group")),
                ("valid-until", &get("valid-until")),
            ],
        )
    };
    let channels: String = turns().map(channel).collect();
    let custodians: String = turns().map(custodian).collect();
    format!("{channels}{custodians}\n")
}

/// Whoever was asked for the day of a contract is a processor.
fn processors(answers: &Answers) -> String {
    let processor = |of: &str, name: &str, service: &str, side: &str| {
        let get = |field: &str| answers.get(&format!("{of}.{field}"));
        let contract = get("contract");
        if contract.is_empty() {
            return String::new();
        }
        let known = [("name", name), ("service", service), ("for", side), ("contract", contract)];
        let hosts: Vec<String> = items(get("hosts")).into_iter().map(quoted).collect();
        let hosts = match hosts.as_slice() {
            [] => String::new(),
            some => format!("hosts = [{}]\n", some.join(", ")),
        };
        table("processors", &[&known[..], &[("guarantees", get("guarantees"))]].concat()) + &hosts
    };
    let operator = answers.get("drop-zone.operator");
    let zone = processor("drop-zone", operator, "drop zone", "municipality");
    let channel = |turn: usize| {
        let of = format!("channel.{turn}");
        let get = |field: &str| answers.get(&format!("{of}.{field}"));
        processor(&of, get("provider"), get("kind"), "agency")
    };
    let channels: String = (1..=answers.number("shares")).map(channel).collect();
    format!("{zone}{channels}\n")
}

/// Who may bind each party, and who signed for it.
fn signatures(answers: &Answers) -> String {
    let mut text = String::new();
    for (array, which, last) in
        [("signed.representatives", "heads", "capacity"), ("signed.signatories", "hands", "on")]
    {
        for side in ["agency", "municipality"] {
            let people = pairs(answers.get(&format!("{side}.{which}"))).unwrap_or_default();
            for (name, what) in people {
                text += &table(array, &[("party", side), ("name", name), (last, what)]);
            }
        }
    }
    text
}
