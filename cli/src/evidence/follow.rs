//! Whether statements follow one from the other, and whether one of them was left out.

use std::collections::BTreeMap;

use sluis_core::evidence::Verified;
use sluis_core::id::{Digest, PartyId};
use sluis_core::ledger::{Head, Part};
use sluis_core::statement::{Body, Header, Tip};
use sluis_core::words;

use super::facts::Held;
use super::opened::broken;
use crate::failure::{Failure, Result};

/// Which numbers of a party a folder has.
#[derive(serde::Serialize)]
pub(super) struct Span {
    pub(super) party: String,
    pub(super) from: u64,
    pub(super) to: u64,
}

/// One party's statements as far as they were read.
struct Line {
    first: u64,
    tip: Tip,
}

/// Each party's statements follow one from the other, from its first one on where the folder has all, and what either
/// had seen of the other is what stands here: nobody can leave one out between the first and the last. A cut beginning
/// shows in the numbers that are returned; of one transfer none are.
pub(super) fn follow(statements: &[&Held<'_>], head: &Head) -> Result<Vec<Span>> {
    let mut lines: BTreeMap<&PartyId, Line> = BTreeMap::new();
    let mut known: BTreeMap<(&PartyId, u64), Digest> = BTreeMap::new();
    for party in [&head.agency, &head.municipality] {
        known.insert((party, 0), Digest::none());
        if head.of == Part::All {
            lines.insert(party, Line { first: 1, tip: Tip::start() });
        }
    }
    for (one, _) in statements {
        let header = &one.statement().header;
        let before = before(header);
        // Before the first number there is nothing.
        let start = if header.number == 1 { Tip::start() } else { before };
        let new = Line { first: header.number, tip: start };
        let tip = &mut lines.entry(&header.issuer).or_insert(new).tip;
        if goes_on(one, tip) || (is_one(head) && header.number > tip.number + 1) {
            *tip = before;
        }
        let next = one.follows(tip).map_err(|e| {
            let (issuer, why) = (&header.issuer, e.words());
            broken(words!("{issuer}: {}", "{issuer}: {}"; why))
        })?;
        // Nothing stands here twice.
        *tip = next.ok_or_else(|| unseen(one))?;
        known.insert((&header.issuer, before.number), before.digest);
        known.insert((&header.issuer, header.number), one.digest());
    }
    // In the ledger of the head's party all that it saw after its own first statement here came after that one.
    let own = |(said, _): &&&Held<'_>| is_own(said, head);
    let start = statements.iter().find(own).map(|(said, _)| said.statement().header.seen.number);
    for (one, _) in statements {
        let Header { audience, seen, .. } = &one.statement().header;
        let other = known.get(&(audience, seen.number)).is_some_and(|it| *it != seen.digest);
        if other
            || (!is_one(head)
                && is_beyond(one, lines.get(audience), start.filter(|_| is_own(one, head))))
        {
            return Err(unseen(one));
        }
    }
    let span = |(party, line): (&&PartyId, &Line)| Span {
        party: party.to_string(),
        from: line.first,
        to: line.tip.number,
    };
    let spans = lines.iter().filter(|(_, line)| !is_one(head) && line.tip.number > 0).map(span);
    Ok(spans.collect())
}

/// Whether a statement had seen one of the other party that had to be here: of that one these are here, and the
/// head's party had seen so far where its own begin.
fn is_beyond(one: &Verified, other: Option<&Line>, start: Option<u64>) -> bool {
    let seen = one.statement().header.seen.number;
    match (other, start) {
        (Some(line), start) => {
            let cut = start.is_some_and(|start| line.first > start.saturating_add(1));
            seen > line.tip.number || cut
        }
        (None, Some(start)) => seen > start,
        // What the head's party said before the folder begins, the other one may have seen since.
        (None, None) => false,
    }
}

fn is_own(one: &Verified, head: &Head) -> bool {
    one.statement().header.issuer == head.party
}

fn unseen(one: &Verified) -> Failure {
    let statement = one.statement();
    let Header { issuer, number, audience, .. } = &statement.header;
    let kind = statement.body.kind();
    broken(words!(
        "{issuer} {number} ({kind}) had een verklaring van {audience} gezien die hier niet is, of een andere is",
        "{issuer} {number} ({kind}) had seen a statement of {audience} that is not here, or is another one"
    ))
}

/// The place before a statement, as it has it.
fn before(header: &Header) -> Tip {
    Tip { number: header.number.saturating_sub(1), digest: header.previous }
}

/// The folder of one transfer has gaps where something else was said.
fn is_one(head: &Head) -> bool {
    matches!(head.of, Part::Transfer(_))
}

/// After an older store was put back, what lies between is the other party's to show.
fn goes_on(one: &Verified, tip: &Tip) -> bool {
    let header = &one.statement().header;
    matches!(&one.statement().body, Body::Restored(body)
        if header.number > tip.number && body.kept == *tip && body.from == before(header))
}
