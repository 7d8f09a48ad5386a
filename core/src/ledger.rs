//! A party's ledger: an append-only chain of its own statements, the other party's, and its decisions.
//!
//! An entry is one line of JSON in fixed order; each holds the digest of the line before it. A statement
//! commits to the head of its issuer's ledger, so every signature is also a signed head; `evidence export`
//! has it signed once more, together with what the folder holds, in the namespace [`NAMESPACE`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::{AgreementId, Digest, PartyId, Time, TransferId};
use crate::statement::{Signed, Tip};
use crate::words::Words;

/// SSHSIG namespace of signed heads.
pub const NAMESPACE: &str = "head-v2@sluis";
/// SSHSIG namespace of the end of a ledger, as its core signs it for itself.
pub const END: &str = "end-v1@sluis";

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Counts from 1 without a gap.
    pub number: u64,
    /// Digest of the entry before.
    pub previous: Digest,
    /// When, by this party's clock.
    pub time: Time,
    /// `statement`, or the name of a decision.
    pub kind: String,
    /// The transfer it is about, if it is about one.
    pub transfer: Option<TransferId>,
    /// What else there is to say: digests, codes, users; never personal data of the list.
    pub detail: BTreeMap<String, String>,
}

impl Entry {
    /// The line that is digested and exported.
    ///
    /// # Errors
    /// Never for these fields; the error is serde's.
    pub fn line(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }
    /// The place after this entry.
    ///
    /// # Errors
    /// As [`Entry::line`].
    pub fn tip(&self) -> serde_json::Result<Tip> {
        Ok(Tip { number: self.number, digest: Digest::of(self.line()?.as_bytes()) })
    }
}

/// A statement as it stands in a ledger.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SaidOnce {
    /// The entry's number.
    pub entry: u64,
    /// When it was entered, by this party's own clock.
    pub entered: Time,
    /// Whether it had an effect here.
    pub effect: bool,
    /// Its bytes.
    pub signed: Signed,
}

/// Which part of what was said under an agreement a folder of evidence is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// All of it, from the first statement of both parties on.
    All,
    /// What was entered in this year, as Brussels counts it.
    Year(i16),
    /// What is about this transfer.
    Transfer(TransferId),
}

/// The head of a ledger, and all that a folder of evidence holds: what its party signs when it hands one over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Under which agreement.
    pub agreement: AgreementId,
    /// Whose ledger.
    pub party: PartyId,
    /// Who is the agency: which kinds of statements are whose to say.
    pub agency: PartyId,
    /// Who is the municipality.
    pub municipality: PartyId,
    /// What the folder is about.
    pub of: Part,
    /// Digest of the version of the agreement whose keys count.
    pub terms: Digest,
    /// Digest of its keys as `allowed_signers`.
    pub signers: Digest,
    /// Digest of the list of statements.
    pub list: Digest,
    /// Digest of what its party decided and found beside them ([`crate::export::decisions`]).
    pub decisions: Digest,
    /// Its last entry.
    pub ledger: Tip,
    /// When that entry was made: the same ledger has the same head, whenever it is signed.
    pub time: Time,
}

impl Head {
    /// The line that is signed.
    ///
    /// # Errors
    /// Never for these fields; the error is serde's.
    pub fn line(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }
    /// Reads the one form; nothing else is a head.
    #[must_use]
    pub fn read(line: &str) -> Option<Self> {
        let head: Self = serde_json::from_str(line).ok()?;
        (head.line().ok()? == line).then_some(head)
    }
}

/// The first entry that does not follow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// Not an entry in the one form.
    #[error("line {line} is not a ledger entry in its one form")]
    Form {
        /// Which line, from 1.
        line: u64,
    },
    /// Its number is not the next.
    #[error("entry {expected} is missing: line {expected} is entry {got}")]
    Number {
        /// The number that was due.
        expected: u64,
        /// The number that stands there.
        got: u64,
    },
    /// The entry before it was changed.
    #[error("entry {number} does not follow from the entry before it: one of the two was changed")]
    Link {
        /// Its number.
        number: u64,
    },
    /// A statement is kept of which its entry says nothing.
    #[error("entry {number} does not name the statement that was entered there")]
    Entered {
        /// The entry's number.
        number: u64,
    },
    /// A statement of this party names another head than the ledger has.
    #[error("entry {number} is another one than the one that a statement of ours was signed after")]
    Head {
        /// Of the entry that it names.
        number: u64,
    },
    /// The ledger does not end as it did when its end was signed.
    #[error(
        "entry {number} is not as it was when the end of the ledger was signed: it was cut, changed or added without a key of \
         this party, or the key that signed is not known here any more"
    )]
    End {
        /// The first that is not: missing, another one, or too many.
        number: u64,
    },
}

/// What is signed of where a party's ledger ends.
#[must_use]
pub fn end(party: &PartyId, tip: &Tip) -> String {
    format!("{party} {} {}", tip.number, tip.digest)
}

/// Whether a ledger ends at `tip`, by the end that its party signed last; `holds` says whether a signature over a text is one
/// of its keys'.
///
/// # Errors
/// [`ChainError::End`].
pub fn ends(
    party: &PartyId,
    tip: &Tip,
    signed: Option<(Tip, Vec<String>)>,
    holds: impl Fn(&str, &str) -> bool,
) -> Result<(), ChainError> {
    let Some((said, signatures)) = signed else {
        return if tip.number == 0 { Ok(()) } else { Err(ChainError::End { number: 1 }) };
    };
    let text = end(party, &said);
    if said == *tip && signatures.iter().any(|signature| holds(&text, signature)) {
        return Ok(());
    }
    let first = said.number.min(tip.number);
    Err(ChainError::End { number: if said.number == tip.number { first } else { first + 1 } })
}

impl ChainError {
    /// The same for people.
    #[must_use]
    pub fn words(&self) -> Words {
        let nl = match self {
            Self::Form { line } => format!("regel {line} is geen inschrijving in haar ene vorm"),
            Self::Number { expected, got } => {
                format!("inschrijving {expected} ontbreekt: regel {expected} is inschrijving {got}")
            }
            Self::Link { number } => format!(
                "inschrijving {number} volgt niet uit die ervoor: een van de twee werd veranderd"
            ),
            Self::Entered { number } => {
                format!("inschrijving {number} noemt niet de verklaring die daar werd ingeschreven")
            }
            Self::Head { number } => format!(
                "inschrijving {number} is een andere dan die waarna een verklaring van ons werd ondertekend"
            ),
            Self::End { number } => format!(
                "inschrijving {number} is niet zoals ze was toen het einde van het logboek werd ondertekend: ze werd geschrapt, veranderd of toegevoegd zonder sleutel van deze partij, of de sleutel die tekende is hier niet meer gekend"
            ),
        };
        Words { nl, en: self.to_string() }
    }
}

/// Follows the chain from `tip` through these lines.
///
/// # Errors
/// [`ChainError`], naming the first bad entry.
pub fn verify<'a>(mut tip: Tip, lines: impl Iterator<Item = &'a str>) -> Result<Tip, ChainError> {
    for line in lines {
        let expected = tip.number + 1;
        let form = || ChainError::Form { line: expected };
        let entry: Entry = serde_json::from_str(line).map_err(|_| form())?;
        if entry.line().ok().as_deref() != Some(line) {
            return Err(form());
        }
        if entry.number != expected {
            return Err(ChainError::Number { expected, got: entry.number });
        }
        if entry.previous != tip.digest {
            return Err(ChainError::Link { number: entry.number });
        }
        tip = entry.tip().map_err(|_| form())?;
    }
    Ok(tip)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(count: u64) -> Vec<String> {
        let mut tip = Tip::start();
        let mut lines = Vec::new();
        for number in 1..=count {
            let entry = Entry {
                number,
                previous: tip.digest,
                time: Time(1000),
                kind: "claimed".into(),
                transfer: None,
                detail: BTreeMap::from([("n".into(), number.to_string())]),
            };
            tip = entry.tip().unwrap();
            lines.push(entry.line().unwrap());
        }
        lines
    }

    #[test]
    fn a_ledger_ends_where_its_party_signed_that_it_does() {
        let party: PartyId = "stad-mechelen".parse().unwrap();
        let tip = |number: u64| Tip { number, digest: Digest::of(&number.to_be_bytes()) };
        let holds = |text: &str, signature: &str| text == signature;
        let signed = |of: &Tip| Some((*of, vec!["another".to_owned(), end(&party, of)]));
        let ends = |at: &Tip, signed| ends(&party, at, signed, holds);
        let bad = |number| Err(ChainError::End { number });
        assert_eq!(ends(&Tip::start(), None), Ok(()));
        assert_eq!(ends(&tip(6), signed(&tip(6))), Ok(()));
        assert_eq!(ends(&tip(6), None), bad(1));
        assert_eq!(ends(&tip(4), signed(&tip(6))), bad(5), "cut");
        assert_eq!(ends(&tip(6), signed(&tip(4))), bad(5), "added");
        let other = Tip { digest: Digest::none(), ..tip(6) };
        assert_eq!(ends(&other, signed(&tip(6))), bad(6), "rewritten");
        assert_eq!(ends(&tip(6), Some((tip(6), vec![end(&party, &tip(5))]))), bad(6), "not signed");
    }

    #[test]
    fn every_change_to_a_chain_is_found() {
        let good = chain(6);
        let check = |lines: &[String]| verify(Tip::start(), lines.iter().map(String::as_str));
        assert_eq!(check(&good).unwrap().number, 6);
        let mut flipped = good.clone();
        flipped[2] = flipped[2].replace("\"n\":\"3\"", "\"n\":\"4\"");
        assert_eq!(check(&flipped), Err(ChainError::Link { number: 4 }));
        let mut dropped = good.clone();
        dropped.remove(3);
        assert_eq!(check(&dropped), Err(ChainError::Number { expected: 4, got: 5 }));
        let mut swapped = good.clone();
        swapped.swap(1, 2);
        assert!(check(&swapped).is_err());
        let mut spaced = good;
        spaced[0] = spaced[0].replace(",\"previous", ", \"previous");
        assert_eq!(check(&spaced), Err(ChainError::Form { line: 1 }));
    }
}
