//! How often each share may have left, by the agency's ledger, and how often it lies where it was to arrive: once, and
//! once more for each word in the ledger that it goes again.

use std::collections::BTreeMap;

use sluis_core::id::TransferId;
use sluis_core::ledger::Entry;
use sluis_core::message::Reference;

/// A transfer's share by its number; what has the number 0 is a word to an old telephone, and no share.
pub type Share = (TransferId, u8);

/// What the ledger has of one share.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Exposures {
    /// How often it was entered that it is about to leave.
    pub entered: usize,
    /// How many of these surely did not: the channel refused it, or did not get it.
    pub surely_not: usize,
    /// How many words there are that it goes again: by itself after an answer that was lost or that said "later", or by a
    /// person.
    pub again: usize,
    /// Whether the last one has no outcome yet.
    leaving: bool,
}

/// The exposures of every share in a ledger.
#[must_use]
pub fn exposures(entries: &[Entry]) -> BTreeMap<Share, Exposures> {
    let mut found: BTreeMap<Share, Exposures> = BTreeMap::new();
    for entry in entries {
        let Some(transfer) = entry.transfer else { continue };
        let word = |key: &str| entry.detail.get(key).map(String::as_str);
        let share: Option<u8> = word("share").map(|it| it.parse().unwrap());
        let of_shares = word("state").is_some_and(|it| ["Releasing", "Released"].contains(&it));
        match (entry.kind.as_str(), share) {
            ("exposing", Some(index)) => {
                let share = found.entry((transfer, index)).or_default();
                share.entered += 1;
                share.leaving = true;
            }
            ("shipped", Some(index)) => {
                let share = found.entry((transfer, index)).or_default();
                let surely_not = matches!(word("outcome"), Some("again" | "rejected"));
                share.surely_not += usize::from(share.leaving && surely_not);
                share.again += usize::from(word("outcome") == Some("deferred"));
                share.leaving = false;
            }
            ("resend" | "retry", Some(index)) if of_shares => {
                found.entry((transfer, index)).or_default().again += 1;
            }
            ("retry", None) if of_shares => {
                let all = found.range_mut((transfer, 0)..=(transfer, u8::MAX));
                all.for_each(|(_, share)| share.again += 1);
            }
            _ => {}
        }
    }
    found
}

/// The lines of a ledger, read.
#[must_use]
pub fn read(lines: &[String]) -> Vec<Entry> {
    lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The share that a reference names.
#[must_use]
pub fn share(reference: &str) -> Share {
    let reference: Reference = reference.parse().unwrap();
    (reference.transfer, reference.index)
}

/// The shares that left, or lie there, more often than the ledger allows.
#[must_use]
pub fn twice(ledger: &BTreeMap<Share, Exposures>, arrived: &BTreeMap<Share, usize>) -> Vec<String> {
    let mut broken = Vec::new();
    for ((transfer, index), share) in ledger {
        let left = share.entered - share.surely_not;
        if left > 1 + share.again {
            broken.push(format!("{transfer:?}: share {index} left {left} times: {share:?}"));
        }
    }
    for (of, arrived) in arrived.iter().filter(|((_, index), _)| *index > 0) {
        let share = ledger.get(of).copied().unwrap_or_default();
        if *arrived > share.entered.min(1 + share.again) {
            broken.push(format!("{of:?} arrived {arrived} times: {share:?}"));
        }
    }
    broken
}
