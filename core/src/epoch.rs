//! An older store that was put back (R86): how it shows, and from where its party goes on.
//!
//! Each statement names the last one of the other party that its issuer had. If that one is not here, or is another one,
//! this store is older than what its own party has said. Nothing is said then until two persons begin a new epoch: its
//! first statement, `restored`, follows the last one that the other party has. What lies between is the other party's to
//! show.

use serde::{Deserialize, Serialize};

use crate::agreement::Side;
use crate::evidence::Terms;
use crate::id::{AgreementId, Digest, PartyId};
use crate::statement::{self, SignatureError, Signed, Tip};

/// SSHSIG namespace of what a party has seen of the other one.
pub const NAMESPACE: &str = "seen-v1@sluis";

/// How far a party has heard the other one. It lies in the drop zone, replaced whenever there is more, so that an older
/// store is noticed also where the other party is quiet. No statement: it has no number and stands in no ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// Under which agreement.
    pub agreement: AgreementId,
    /// Who says so.
    pub issuer: PartyId,
    /// The last statement of its own.
    pub said: Tip,
    /// The last one of the other party that it has.
    pub seen: Tip,
}

impl Seen {
    /// The number whose key signs it: that of the next statement, since the key of the last one may be lost.
    #[must_use]
    pub fn signed_as(&self) -> u64 {
        self.said.number.saturating_add(1)
    }

    /// What the party on side `from` has seen, where it is that party's word.
    ///
    /// # Errors
    /// [`SignatureError`] where it is not.
    pub fn check(signed: &Signed, terms: &Terms, from: Side) -> Result<Self, SignatureError> {
        let (agreement, issuer) = (&terms.agreement, &terms.agreement.party(from).id);
        let bytes = signed.statement.as_bytes();
        let bad = || SignatureError::Bad(issuer.to_string());
        let this: Self = serde_json::from_slice(bytes).map_err(|_| bad())?;
        let public = agreement.party_keys(from).statement_key(this.signed_as());
        statement::verify(public, NAMESPACE, bytes, &signed.signature, issuer.as_str())?;
        let ours = this.agreement == agreement.agreement && this.issuer == *issuer;
        if ours { Ok(this) } else { Err(bad()) }
    }
}

/// A new beginning after an older store was put back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Epoch {
    /// The last of our own statements that was kept.
    pub kept: Tip,
    /// The last one that the other party had: the new epoch's first follows it.
    pub from: Tip,
}

impl Epoch {
    /// Whether the statement by this number was lost with the newer store.
    fn lost(&self, seen: &Tip) -> bool {
        (self.kept.number < seen.number && seen.number < self.from.number) || *seen == self.from
    }
}

/// Whether the other party has seen more of us than stands here, or something else: `own` is the digest of our own
/// statement by the number that it names.
#[must_use]
pub fn is_behind(seen: &Tip, own: Option<Digest>, epochs: &[Epoch]) -> bool {
    match own {
        _ if *seen == Tip::start() => false,
        Some(own) => own != seen.digest,
        None => !epochs.iter().any(|epoch| epoch.lost(seen)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tip(number: u64) -> Tip {
        Tip { number, digest: Digest::of(&number.to_le_bytes()) }
    }

    #[test]
    fn what_is_not_here_or_is_another_one_shows_that_the_store_is_older() {
        let own = Some(tip(7).digest);
        assert!(!is_behind(&Tip::start(), None, &[]));
        assert!(!is_behind(&tip(7), own, &[]));
        assert!(is_behind(&Tip { number: 7, digest: tip(8).digest }, own, &[]));
        assert!(is_behind(&tip(8), None, &[]));
        assert!(is_behind(&Tip { number: 0, digest: tip(1).digest }, None, &[]));
    }

    #[test]
    fn after_a_new_beginning_what_was_lost_is_known_to_be_and_nothing_else() {
        let epochs = [Epoch { kept: tip(4), from: tip(9) }];
        for number in 5..=9 {
            assert!(!is_behind(&tip(number), None, &epochs), "{number}");
        }
        let other = Tip { number: 9, digest: tip(1).digest };
        for seen in [tip(4), tip(10), other] {
            assert!(is_behind(&seen, None, &epochs), "{seen:?}");
        }
    }
}
