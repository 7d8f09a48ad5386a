//! Whether a store is what was written into it: looked at before a core says or does anything. A ledger that was cut,
//! rewritten or put together anew is refused by the first entry that is wrong; to its end, which each commit signs.

use std::collections::BTreeMap;

use sluis_core::id::{Digest, PartyId};
use sluis_core::ledger::{self, ChainError, Entry};
use sluis_core::statement::{Statement, Tip, verify};

use crate::error::Result;
use crate::store::Tx;

/// Lines of the ledger that are read at once.
const PAGE: i64 = 5000;

/// Follows the whole ledger, and holds every statement that is kept against its entry; our own, against the head that
/// each of them names; and its end against the one that was signed, by one of these public keys, once it has said anything.
///
/// # Errors
/// [`ChainError`], the first that is wrong.
pub async fn check(tx: &mut Tx, party: &PartyId, keys: &[String]) -> Result<()> {
    // Of each entry its digest, and that of the statement that it enters.
    let mut heads = vec![Digest::none()];
    let mut entered: BTreeMap<u64, String> = BTreeMap::new();
    let mut tip = Tip::start();
    loop {
        let lines = tx.ledger(tip.number, PAGE).await?;
        for line in &lines {
            tip = ledger::verify(tip, std::iter::once(line.as_str()))?;
            heads.push(tip.digest);
            if let Ok(mut entry) = serde_json::from_str::<Entry>(line)
                && entry.kind == "statement"
            {
                entered.insert(tip.number, entry.detail.remove("digest").unwrap_or_default());
            }
        }
        if lines.is_empty() {
            break;
        }
    }
    let (mut after, mut has_spoken) = (0, false);
    loop {
        let kept = tx.kept_statements(after, PAGE).await?;
        let Some(last) = kept.last() else { break };
        after = last.0;
        for (entry, statement) in &kept {
            let named = entered
                .get(entry)
                .is_some_and(|digest| *digest == Digest::of(statement.as_bytes()).to_string());
            if !named {
                return Err(ChainError::Entered { number: *entry }.into());
            }
            has_spoken |= own_head(statement, party.as_str(), &heads)?;
        }
    }
    let by = |text: &str, signature: &str| {
        let by =
            |key: &String| verify(key, ledger::END, text.as_bytes(), signature, party.as_str());
        keys.iter().any(|key| by(key).is_ok())
    };
    // Who said nothing yet under any key may still be given another one.
    if has_spoken {
        ledger::ends(party, &tip, tx.signed_tip().await?, by)?;
    }
    tx.ends_at(tip);
    Ok(())
}

/// Holds it against the head that it names, where it is our own: whether it is.
fn own_head(statement: &str, party: &str, heads: &[Digest]) -> Result<bool> {
    let Ok(statement) = Statement::read(statement.as_bytes()) else { return Ok(false) };
    let head = statement.header.ledger;
    let stands = usize::try_from(head.number).ok().and_then(|at| heads.get(at));
    let own = statement.header.issuer.as_str() == party;
    if own && stands != Some(&head.digest) {
        return Err(ChainError::Head { number: head.number }.into());
    }
    Ok(own)
}
