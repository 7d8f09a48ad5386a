//! An older store that was put back (R86): how it shows, and from where its party goes on.
//!
//! Each statement names the last one of the other party that its issuer had. If that one is not here, or is another one,
//! this store is older than what its own party has said. Nothing is said then until two persons begin a new epoch: its
//! first statement, `restored`, follows the last one that the other party has. What lies between is the other party's to
//! show.
//!
//! What the other party has seen of us is its own claim. It is taken where it is signed by the key of a number that was
//! not heard yet, and where it can be: see [`standing`]. Two persons may refuse it.

use serde::{Deserialize, Serialize};

use crate::agreement::Side;
use crate::evidence::Terms;
use crate::id::{AgreementId, Digest, PartyId};
use crate::statement::{self, SignatureError, Signed, Tip};

/// SSHSIG namespace of what a party has seen of the other one.
pub const NAMESPACE: &str = "seen-v1@sluis";
/// The most statements that a store may have lost: a number far beyond is a fault of the other party, or worse.
const LOST: u64 = 1_000_000;

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

    /// Whether it was said after all that was heard of its party, or with the last of it: an older one shows nothing.
    #[must_use]
    pub fn is_newest(&self, heard: &Tip) -> bool {
        self.said.number > heard.number || self.said == *heard
    }

    /// What the party on side `from` has seen, where it is that party's word: `heard` is its last statement that is here.
    /// The key is that of a number which was not heard yet, whatever the word says of itself: a key that ended before
    /// says nothing more.
    ///
    /// # Errors
    /// [`SignatureError`] where it is not.
    pub fn check(
        signed: &Signed,
        terms: &Terms,
        from: Side,
        heard: &Tip,
    ) -> Result<Self, SignatureError> {
        let (agreement, issuer) = (&terms.agreement, &terms.agreement.party(from).id);
        let bytes = signed.statement.as_bytes();
        let bad = || SignatureError::Bad(issuer.to_string());
        let this: Self = serde_json::from_slice(bytes).map_err(|_| bad())?;
        let number = this.signed_as().max(heard.number.saturating_add(1));
        let public = agreement.party_keys(from).statement_key(number);
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

/// How what the other party says that it has seen of us stands to what is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is here, or is known to be lost.
    Known,
    /// It is not here, or is another one: this store is older.
    Behind,
    /// No store of ours can have said that.
    NotPlausible,
}

/// How `seen` stands to what is here: `own` is the digest of our own statement by the number that it names, `last` the
/// number of our last one.
#[must_use]
pub fn standing(seen: &Tip, own: Option<Digest>, last: u64, epochs: &[Epoch]) -> Standing {
    let is_lost = || own.is_none() && epochs.iter().any(|epoch| epoch.lost(seen));
    if *seen == Tip::start() || own == Some(seen.digest) || is_lost() {
        Standing::Known
    } else if seen.number == 0 || seen.number > last.saturating_add(LOST) {
        Standing::NotPlausible
    } else {
        Standing::Behind
    }
}

#[cfg(test)]
mod tests {
    use super::Standing::{Behind, Known, NotPlausible};
    use super::*;
    use crate::agreement::keys::FormerKey;
    use crate::statement::Signer;

    fn tip(number: u64) -> Tip {
        Tip { number, digest: Digest::of(&number.to_le_bytes()) }
    }

    #[test]
    fn what_is_not_here_or_is_another_one_shows_that_the_store_is_older() {
        let own = Some(tip(7).digest);
        let stands = |seen: &Tip, own| standing(seen, own, 7, &[]);
        assert_eq!(stands(&Tip::start(), None), Known);
        assert_eq!(stands(&tip(7), own), Known);
        assert_eq!(stands(&Tip { number: 7, digest: tip(8).digest }, own), Behind);
        assert_eq!(stands(&tip(8), None), Behind);
    }

    #[test]
    fn a_number_that_no_store_of_ours_can_have_given_holds_nothing() {
        let stands = |seen: &Tip| standing(seen, None, 7, &[]);
        assert_eq!(stands(&tip(LOST + 7)), Behind);
        assert_eq!(stands(&tip(LOST + 8)), NotPlausible);
        assert_eq!(stands(&tip(u64::MAX)), NotPlausible);
        assert_eq!(stands(&Tip { number: 0, digest: tip(1).digest }), NotPlausible);
    }

    #[test]
    fn after_a_new_beginning_what_was_lost_is_known_to_be_and_nothing_else() {
        let epochs = [Epoch { kept: tip(4), from: tip(9) }];
        for number in 5..=9 {
            assert_eq!(standing(&tip(number), None, 4, &epochs), Known, "{number}");
        }
        let other = Tip { number: 9, digest: tip(1).digest };
        for seen in [tip(4), tip(10), other] {
            assert_eq!(standing(&seen, None, 4, &epochs), Behind, "{seen:?}");
        }
    }

    #[test]
    fn a_key_that_ended_says_nothing_more_whatever_number_it_gives_itself() {
        let text = include_str!("../../config/examples/agreements/mechelen.toml");
        let mut agreement: crate::agreement::Agreement = toml::from_str(text).unwrap();
        let (ended, counts) = (Signer::from_seed(&[1; 32]), Signer::from_seed(&[2; 32]));
        let keys = &mut agreement.keys.municipality;
        keys.former = vec![FormerKey { statement: ended.public().unwrap(), from: 1 }];
        (keys.statement, keys.statement_from) = (counts.public().unwrap(), 7);
        let (name, issuer) = (agreement.agreement.clone(), agreement.municipality.id.clone());
        let terms = Terms { agreement, digest: Digest::none() };
        let word = |said: Tip, signer: &Signer| {
            let (agreement, issuer) = (name.clone(), issuer.clone());
            let word = Seen { agreement, issuer, said, seen: tip(9) };
            let statement = serde_json::to_string(&word).unwrap();
            let signature = signer.sign(NAMESPACE, statement.as_bytes()).unwrap();
            Signed { statement, signature }
        };
        let heard = |said, signer| {
            let word = Seen::check(&word(said, signer), &terms, Side::Municipality, &tip(6));
            word.map(|word| word.is_newest(&tip(6)))
        };
        assert!(heard(Tip::start(), &ended).is_err());
        assert!(heard(tip(6), &ended).is_err());
        assert_eq!(heard(tip(6), &counts), Ok(true));
        assert_eq!(heard(tip(7), &counts), Ok(true));
        // What lies there still of before, and what was said beside it.
        assert_eq!(heard(tip(5), &counts), Ok(false));
        assert_eq!(heard(Tip { number: 6, digest: tip(1).digest }, &counts), Ok(false));
    }
}
