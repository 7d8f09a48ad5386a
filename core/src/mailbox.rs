//! Statements on their way: sealed to the other core, so that the medium learns nothing but their number.

use std::str::FromStr;

use crate::keyring::Identities;
use crate::statement::{self, Signed};
use crate::words;
use crate::words::Words;

/// The largest sealed statement that a mailbox takes, in bytes.
pub const MAX_BYTES: usize = 40 * 1024;

/// A letter that cannot be written or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a letter of the mailbox: {0}")]
pub struct LetterError(String);

impl LetterError {
    /// For people. What the library of the envelope says has one language.
    #[must_use]
    pub fn words(&self) -> Words {
        words!("een brief van de brievenbus: {}", "a letter of the mailbox: {}", self.0)
    }
}

/// Seals a statement and its signature to the mailbox `age1...`.
///
/// # Errors
/// [`LetterError`] where the recipient is not one.
pub fn seal(signed: &Signed, mailbox: &str) -> Result<Vec<u8>, LetterError> {
    let recipient =
        age::x25519::Recipient::from_str(mailbox).map_err(|e| LetterError(e.to_string()))?;
    let whole = [signed.statement.as_bytes(), b"\n", signed.signature.as_bytes()].concat();
    age::encrypt(&recipient, &whole).map_err(|e| LetterError(e.to_string()))
}

/// Opens a letter. What is in it is still only somebody's claim.
///
/// # Errors
/// [`LetterError`] where it is for none of these identities, damaged, or too large.
pub fn open(letter: &[u8], identities: &Identities) -> Result<Signed, LetterError> {
    if letter.len() > MAX_BYTES {
        return Err(LetterError("too large".into()));
    }
    let whole = identities.open(letter).map_err(|e| LetterError(e.to_string()))?;
    let text = String::from_utf8(whole).map_err(|_| LetterError("not text".into()))?;
    let (statement, signature) =
        text.split_once('\n').ok_or_else(|| LetterError("no signature in it".into()))?;
    if statement.len() > statement::MAX_BYTES || signature.len() > 4096 {
        return Err(LetterError("too large".into()));
    }
    Ok(Signed { statement: statement.to_owned(), signature: signature.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_opens_for_its_recipient_alone() {
        let (me, other) = (age::x25519::Identity::generate(), age::x25519::Identity::generate());
        let signed = Signed { statement: "{}".into(), signature: "sig\nnature\n".into() };
        let letter = seal(&signed, &me.to_public().to_string()).unwrap();
        let (me, other) = (Identities::from(me), Identities::from(other));
        assert_eq!(open(&letter, &me).unwrap(), signed);
        assert!(open(&letter, &other).is_err());
        assert!(open(&letter[..50], &me).is_err());
        assert!(seal(&signed, "age1nobody").is_err());
    }
}
