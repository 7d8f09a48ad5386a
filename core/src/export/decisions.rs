//! What a party's ledger has beside the statements: what persons decided, and what its core found, such as a clock that was
//! not met. It is that party's own word, and its head signs it with the rest of the folder.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::{Time, TransferId};
use crate::ledger::{Entry, Part};

/// Kinds of entries that are a decision or a finding; the steps of a transfer are in its statements.
const KINDS: [&str; 22] = [
    "admitted",
    "agreement-approved",
    "agreement-installed",
    "approve",
    "destruction-due",
    "destruction-planned",
    "ended-at-once",
    "messages-asked",
    "missed",
    "no-effect",
    "not-plausible",
    "number-changed",
    "number-told",
    "number-untold",
    "refused",
    "reject",
    "sealed",
    "set-back",
    "set-back-refused",
    "shut",
    "takes-effect",
    "withdraw",
];
/// How the kinds of what takes two persons end.
const OF_TWO: [&str; 3] = ["-asked", "-confirmed", "-lapsed"];
/// What of an entry shows: codes, rules, times. Who it was is that party's to know (art. 6; R47), and so is a free text.
const SHOWN: [&str; 14] = [
    "clock",
    "custodian",
    "day",
    "due",
    "kind",
    "notice",
    "outcome",
    "reasons",
    "rules",
    "starts",
    "statement",
    "state",
    "subject",
    "version",
];

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decided {
    /// The entry's number.
    pub entry: u64,
    /// When it was entered, by this party's clock.
    pub time: Time,
    /// What it is.
    pub kind: String,
    /// The transfer that it is about.
    pub transfer: Option<TransferId>,
    /// What else it says; nobody's name.
    pub detail: BTreeMap<String, String>,
}

impl Decided {
    /// What an entry shows in a folder; nothing where it is neither a decision nor a finding.
    #[must_use]
    pub fn of(entry: Entry) -> Option<Self> {
        let Entry { number, time, kind, transfer, mut detail, .. } = entry;
        let shown = KINDS.contains(&kind.as_str()) || OF_TWO.iter().any(|end| kind.ends_with(end));
        detail.retain(|key, _| SHOWN.contains(&key.as_str()));
        shown.then_some(Self { entry: number, time, kind, transfer, detail })
    }
    /// Whether it belongs in the folder of this part.
    #[must_use]
    pub fn is_within(&self, of: Part) -> bool {
        match of {
            Part::All => true,
            Part::Year(year) => self.time.date().year() == year,
            Part::Transfer(id) => self.transfer == Some(id),
        }
    }
}

/// Those that belong in the folder of this part, as a file: one line of JSON each, in the order of the ledger.
#[must_use]
pub fn decisions(all: &[Decided], of: Part) -> String {
    let within = all.iter().filter(|it| it.is_within(of));
    within.filter_map(|it| serde_json::to_string(it).ok()).fold(String::new(), |mut text, line| {
        text.push_str(&line);
        text.push('\n');
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Digest;

    fn entry(number: u64, year: i64, kind: &str, transfer: Option<TransferId>) -> Entry {
        let known =
            [("by", "jan"), ("after", "an"), ("of", "mechelen: Jan zei het"), ("clock", "quality")];
        Entry {
            number,
            previous: Digest::none(),
            time: Time((year - 1970) * 31_556_952_000 + 14_000_000_000),
            kind: kind.into(),
            transfer,
            detail: known.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
        }
    }

    #[test]
    fn a_folder_shows_what_was_decided_and_missed_in_its_part_and_names_nobody() {
        let id = TransferId::random();
        let list = Some(id);
        let entries = [
            entry(1, 2026, "statement", list),
            entry(2, 2026, "carried", list),
            entry(3, 2026, "approve", list),
            entry(4, 2027, "missed", None),
            entry(5, 2027, "override-confirmed", list),
        ];
        let all: Vec<Decided> = entries.into_iter().filter_map(Decided::of).collect();
        let numbers = |of| {
            let text = decisions(&all, of);
            assert!(!text.contains("jan") && !text.contains("Jan"), "{text}");
            let read = |line| serde_json::from_str::<Decided>(line).unwrap().entry;
            text.lines().map(read).collect::<Vec<_>>()
        };
        assert_eq!(numbers(Part::All), [3, 4, 5]);
        assert_eq!(numbers(Part::Year(2027)), [4, 5]);
        assert_eq!(numbers(Part::Transfer(id)), [3, 5]);
    }
}
