//! What is wrong with a statement or its signature, for people.

use super::{FormError, MAX_BYTES, SignatureError};
use crate::words;
use crate::words::Words;

impl FormError {
    /// For people; what a library says stays as it is.
    #[must_use]
    pub fn words(&self) -> Words {
        match self {
            Self::TooLarge(bytes) => words!(
                "een verklaring heeft ten hoogste {MAX_BYTES} bytes, deze heeft er {bytes}",
                "{self}"
            ),
            Self::Json(error) => words!("geen verklaring: {error}", "{self}"),
            Self::Version(version) => words!(
                "versie {version} van een verklaring is hier niet gekend; werk Sluis bij",
                "{self}"
            ),
            Self::Form => words!(
                "niet in de ene vorm van een verklaring (volgorde, spaties, tekens)",
                "{self}"
            ),
        }
    }
}

impl SignatureError {
    /// For people.
    #[must_use]
    pub fn words(&self) -> Words {
        match self {
            Self::Key(why) => {
                words!("geen OpenSSH-sleutel Ed25519 zonder wachtwoord: {why}", "{self}")
            }
            Self::Bad(who) => {
                words!("de handtekening klopt niet onder de sleutel van {who}", "{self}")
            }
        }
    }
}
