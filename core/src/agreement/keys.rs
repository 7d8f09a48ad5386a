//! Whose keys count under an agreement, and which statement key counts for which number.
//!
//! Keys are changed by a new version of the agreement. Its `[keys]` keep the history: every number of a party's
//! statements has exactly one key, never a claimed time. What began under a former version is verified under the keys
//! of the version that counts, so a stolen key ends for all of it at one number.

use serde::{Deserialize, Serialize};

use super::Side;
use crate::id::Digest;
use crate::words;
use crate::words::Words;

/// The most statement keys, and the most former TLS keys, that one party has had.
const MOST: usize = 64;

/// The public keys of a party, as its card gives them, and those before them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PartyKeys {
    /// OpenSSH Ed25519 public key: `ssh-ed25519 AAAA...`.
    pub statement: String,
    /// The first number that it signs; those before it are signed by the former keys.
    #[serde(default = "first", skip_serializing_if = "is_first")]
    pub statement_from: u64,
    /// age X25519 recipient of its mailbox: `age1...`.
    pub mailbox: String,
    /// SHA-256 over the public key of its TLS certificate.
    pub tls: Digest,
    /// TLS keys before that one which are still let in. A stolen one does not stand here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former_tls: Vec<Digest>,
    /// Statement keys before that one, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former: Vec<FormerKey>,
}

/// A statement key that signed until the next one did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FormerKey {
    /// OpenSSH Ed25519 public key.
    pub statement: String,
    /// The first number that it signed.
    pub from: u64,
}

/// The public keys of the drop zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DropZoneKeys {
    /// SHA-256 over the public key of its TLS certificate.
    pub tls: Digest,
    /// TLS keys before that one which are still taken for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former_tls: Vec<Digest>,
}

/// Whose keys count under an agreement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Keys {
    /// The agency's.
    pub agency: PartyKeys,
    /// The municipality's.
    pub municipality: PartyKeys,
    /// The drop zone's.
    pub drop_zone: DropZoneKeys,
}

/// What is wrong with a party's keys, for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("keys.{0}: {1}")]
pub struct KeysError(pub &'static str, pub Words);

impl KeysError {
    /// The same for people.
    #[must_use]
    pub fn words(&self) -> Words {
        let Self(whose, why) = self;
        words!("keys.{whose}: {}", "keys.{whose}: {}"; why.clone())
    }
}

/// What becomes of the TLS key before the new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// It is let in until a later version leaves it out.
    Stays,
    /// It was stolen: it and all before it are let in no longer.
    Ends,
}

const fn first() -> u64 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_first(from: &u64) -> bool {
    *from == 1
}

/// Whether two OpenSSH public keys are one, whatever their comments.
#[must_use]
pub fn is_same_key(one: &str, other: &str) -> bool {
    one.split_whitespace().take(2).eq(other.split_whitespace().take(2))
}

fn is_same_history(one: &[(u64, &str)], other: &[(u64, &str)]) -> bool {
    let same = |(one, other): (&(u64, &str), &(u64, &str))| {
        one.0 == other.0 && is_same_key(one.1, other.1)
    };
    one.len() == other.len() && one.iter().zip(other).all(same)
}

impl PartyKeys {
    /// Each statement key with the first number that it signs, the oldest first.
    pub fn history(&self) -> impl DoubleEndedIterator<Item = (u64, &str)> {
        let former = self.former.iter().map(|key| (key.from, key.statement.as_str()));
        former.chain([(self.statement_from, self.statement.as_str())])
    }
    /// The one key that signs this number.
    #[must_use]
    pub fn statement_key(&self, number: u64) -> &str {
        let key = self.history().rev().find(|(from, _)| *from <= number.max(1));
        key.map_or(&self.statement, |(_, key)| key)
    }
    /// The TLS keys that are let in, the newest first.
    pub fn let_in(&self) -> impl Iterator<Item = Digest> {
        [self.tls].into_iter().chain(self.former_tls.iter().copied())
    }
    /// Whether it says of every number before the newest key's first one what `before` said.
    #[must_use]
    pub(crate) fn continues(&self, before: &Self) -> bool {
        let (now, then): (Vec<_>, Vec<_>) = (self.history().collect(), before.history().collect());
        let kept = then.iter().take_while(|(from, _)| *from < self.statement_from).count();
        is_same_history(&now, &then) || is_same_history(&now[..self.former.len()], &then[..kept])
    }
    /// The keys after a change to those of `new`, which has no history: its statement key signs from that number on.
    ///
    /// # Errors
    /// [`KeysError`] where the number is none that a second key may begin at.
    pub fn renewed(&self, new: &Self, from: u64, before: Before) -> Result<Self, KeysError> {
        let mut keys = Self { mailbox: new.mailbox.clone(), ..self.clone() };
        if !is_same_key(&self.statement, &new.statement) {
            let kept = self.history().take_while(|(began, _)| *began < from);
            let former = |(from, key): (u64, &str)| FormerKey { statement: key.to_owned(), from };
            keys.former = kept.map(former).collect();
            keys.statement.clone_from(&new.statement);
            keys.statement_from = from;
        }
        (keys.tls, keys.former_tls) =
            renewed_tls(&keys.let_in().collect::<Vec<_>>(), new.tls, before);
        keys.check("*")?;
        Ok(keys)
    }
    fn check(&self, whose: &'static str) -> Result<(), KeysError> {
        let wrong = |why: Words| Err(KeysError(whose, why));
        if self.former.len() >= MOST {
            return wrong(words!(
                "hoogstens {MOST} sleutels voor verklaringen",
                "at most {MOST} statement keys"
            ));
        }
        if self.mailbox.parse::<age::x25519::Recipient>().is_err() {
            return wrong(words!(
                "mailbox is geen age X25519-ontvanger",
                "mailbox is no age X25519 recipient"
            ));
        }
        let mut due = 1;
        for (place, (from, key)) in self.history().enumerate() {
            if super::signing_key(key).is_err() {
                return wrong(words!(
                    "statement is geen publieke OpenSSH Ed25519-sleutel",
                    "statement is no OpenSSH Ed25519 public key"
                ));
            }
            if place == 0 && from != 1 {
                return wrong(words!(
                    "geen sleutel ondertekent de nummers voor {from}: de oudste begint bij 1",
                    "no statement key signs the numbers before {from}: the oldest one begins at 1"
                ));
            }
            if from < due {
                return wrong(words!(
                    "een sleutel begint bij nummer {from}, waar ook een oudere begint: elk nummer heeft één sleutel",
                    "a statement key begins at number {from}, where an older one begins too: each number has one key"
                ));
            }
            if self.history().take(place).any(|(_, older)| is_same_key(older, key)) {
                return wrong(words!(
                    "een vroegere sleutel staat er opnieuw: maak een nieuwe",
                    "a former statement key stands there again: make a new one"
                ));
            }
            due = from.saturating_add(1);
        }
        distinct(whose, self.let_in())
    }
}

/// The TLS key of now and those before it.
fn renewed_tls(known: &[Digest], new: Digest, before: Before) -> (Digest, Vec<Digest>) {
    let former = known.iter().copied().filter(|key| *key != new);
    (new, if before == Before::Ends { Vec::new() } else { former.collect() })
}

fn distinct(whose: &'static str, keys: impl Iterator<Item = Digest>) -> Result<(), KeysError> {
    let mut seen = Vec::new();
    for key in keys {
        if seen.contains(&key) {
            return Err(KeysError(
                whose,
                words!(
                    "de TLS-sleutel {key} staat er tweemaal",
                    "the TLS key {key} stands there twice"
                ),
            ));
        }
        seen.push(key);
    }
    if seen.len() > MOST {
        return Err(KeysError(
            whose,
            words!(
                "hoogstens {MOST} TLS-sleutels worden binnengelaten",
                "at most {MOST} TLS keys are let in"
            ),
        ));
    }
    Ok(())
}

impl DropZoneKeys {
    /// The TLS keys that are taken for its own, the newest first.
    pub fn let_in(&self) -> impl Iterator<Item = Digest> {
        [self.tls].into_iter().chain(self.former_tls.iter().copied())
    }
    /// After a change to this TLS key.
    #[must_use]
    pub fn renewed(&self, new: Digest, before: Before) -> Self {
        let (tls, former_tls) = renewed_tls(&self.let_in().collect::<Vec<_>>(), new, before);
        Self { tls, former_tls }
    }
}

impl Keys {
    /// Those of the party on this side.
    #[must_use]
    pub fn party(&self, side: Side) -> &PartyKeys {
        match side {
            Side::Agency => &self.agency,
            Side::Municipality => &self.municipality,
        }
    }
    /// Whether they are keys, each number has one, and no TLS key is of two hosts.
    ///
    /// # Errors
    /// [`KeysError`], naming whose.
    pub fn check(&self) -> Result<(), KeysError> {
        self.agency.check("agency")?;
        self.municipality.check("municipality")?;
        distinct("drop-zone", self.drop_zone.let_in())?;
        let all = self.agency.let_in().chain(self.municipality.let_in());
        distinct("*", all.chain(self.drop_zone.let_in())).map_err(|_| {
            let why = words!(
                "de drie hosts delen een TLS-sleutel; elk heeft een eigen nodig",
                "the three hosts have one TLS key between them; each needs its own"
            );
            KeysError("*", why)
        })
    }
    /// Whether they say of the past what `before` said, for both parties.
    ///
    /// # Errors
    /// [`KeysError`], naming whose history differs.
    pub fn continue_those(&self, before: &Self) -> Result<(), KeysError> {
        let pairs = [
            ("agency", &self.agency, &before.agency),
            ("municipality", &self.municipality, &before.municipality),
        ];
        match pairs.into_iter().find(|(_, now, then)| !now.continues(then)) {
            None => Ok(()),
            Some((whose, now, _)) => Err(KeysError(
                whose,
                words!(
                    "de sleutels van de nummers voor {} zijn niet die van de versie die geldt: behoud haar geschiedenis \
                     (`sluis agreement rekey` doet dat)",
                    "the statement keys of the numbers before {} are not those of the version that counts: keep its \
                     history (`sluis agreement rekey` does)",
                    now.statement_from
                ),
            )),
        }
    }
}

#[cfg(test)]
mod tests;
