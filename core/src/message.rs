//! The text message that carries a share line: one GSM-7 segment, whatever the values.
//!
//! No link, no personal data, and no share material in the first 20 characters: delivery reports of
//! gateways repeat those (SMPP 3.4, appendix B).

use std::fmt;
use std::str::FromStr;

use zeroize::Zeroizing;

use crate::id::{DRILL, TransferCode, TransferId};
use crate::words::Language;

/// Septets of one segment of GSM 03.38.
pub(crate) const SEGMENT: usize = 160;

/// The basic table of GSM 03.38, without the escape.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// Its extension: each costs two septets.
const EXTENDED: &str = "^{}\\[~]|€\u{c}";

/// A text that does not go into one segment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// A character outside GSM-7 would turn the whole message into UCS-2.
    #[error("{0:?} is not in the GSM 7-bit alphabet")]
    Alphabet(char),
    /// More than 160 septets.
    #[error("{0} septets, one message holds 160")]
    TooLong(usize),
}

/// Our own number for a message, the same for every attempt: `<transfer>-<index>`. It travels to the operator and
/// comes back in its reports, and says nothing to anybody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reference {
    /// The transfer.
    pub transfer: TransferId,
    /// The share's number.
    pub index: u8,
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.transfer, self.index)
    }
}

impl FromStr for Reference {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let (transfer, index) = text.split_once('-').ok_or(())?;
        let reference = Self {
            transfer: transfer.parse().map_err(|_| ())?,
            index: index.parse().map_err(|_| ())?,
        };
        // One way to write it.
        if reference.to_string() == text { Ok(reference) } else { Err(()) }
    }
}

/// The message for one custodian. That of a rehearsal says so before anything else (R88).
#[must_use]
pub fn compose(
    (language, rehearsal): (Language, bool),
    index: u8,
    shares: u8,
    threshold: u8,
    code: &TransferCode,
    line: &str,
) -> Zeroizing<String> {
    let first = if rehearsal { format!("{DRILL}. ") } else { String::new() };
    Zeroizing::new(match language {
        Language::Nl => format!(
            "{first}Sluis sleuteldeel {index} van {shares} ({threshold} nodig). Zending {code}. Typ in bij de ontvangst:\n{line}\nDeel dit met niemand."
        ),
        Language::Fr => format!(
            "{first}Sluis part de clé {index} sur {shares} ({threshold} requises). Envoi {code}. A saisir chez vous:\n{line}\nNe partagez pas."
        ),
        Language::En => format!(
            "{first}Sluis share of the key {index} of {shares} ({threshold} needed). Transfer {code}. Type it in:\n{line}\nShare it with nobody."
        ),
        Language::De => format!(
            "{first}Sluis Schlüsselteil {index} von {shares} ({threshold} nötig). Sendung {code}. Bitte eintippen:\n{line}\nNicht weitergeben."
        ),
    })
}

/// How many septets a text takes.
///
/// # Errors
/// [`TextError`] where it does not fit one GSM-7 segment.
pub fn septets(text: &str) -> Result<usize, TextError> {
    let mut count = 0;
    for character in text.chars() {
        count += match character {
            c if BASIC.contains(c) => 1,
            c if EXTENDED.contains(c) => 2,
            c => return Err(TextError::Alphabet(c)),
        };
    }
    if count > SEGMENT { Err(TextError::TooLong(count)) } else { Ok(count) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::TransferKey;
    use crate::share;

    #[test]
    fn the_longest_message_of_each_language_is_one_segment_and_begins_without_a_share() {
        let code = TransferCode::random();
        let shares = share::split(TransferKey::random(), 16, 16).unwrap();
        let line = shares[15].line(&code);
        for language in [Language::Nl, Language::Fr, Language::En, Language::De] {
            for rehearsal in [false, true] {
                let text = compose((language, rehearsal), 16, 16, 16, &code, &line);
                let length = septets(&text).unwrap_or_else(|e| panic!("{language:?}: {e}"));
                assert!(length <= SEGMENT);
                let head: String = text.chars().take(20).collect();
                assert!(!head.contains(&line[..4]), "{head}");
                assert!(!text.contains("http"));
                assert_eq!(text.starts_with("OEFENING. Sluis "), rehearsal, "{head}");
                assert_eq!(text.starts_with("Sluis "), !rehearsal, "{head}");
            }
        }
    }

    #[test]
    fn a_reference_reads_back_and_nothing_else_does() {
        let reference = Reference { transfer: TransferId::random(), index: 16 };
        let text = reference.to_string();
        assert_eq!(text.parse(), Ok(reference));
        let others = [format!("{text}0"), text.replace('-', "-+"), text[1..].to_owned()];
        for other in others.iter().map(String::as_str).chain(["", "-", "1", "a-1"]) {
            assert_ne!(other.parse(), Ok(reference), "{other}");
        }
    }

    #[test]
    fn what_would_become_ucs2_is_refused() {
        assert_eq!(septets("België"), Err(TextError::Alphabet('ë')));
        assert_eq!(septets("€"), Ok(2));
        assert_eq!(septets(&"a".repeat(161)), Err(TextError::TooLong(161)));
    }
}
