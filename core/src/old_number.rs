//! A word to a custodian's old number before shares go to a new one (art. 6): signed by the sealer, sealed to the releaser.
//!
//! It has no share in it and no personal data. The number comes from the contacts file and is nowhere else: the core
//! seals it when the releaser asks for the work.

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::bundle::{self, BundleError};
use crate::id::{ChannelId, CustodianId, Digest, Time, TransferId};
use crate::keyring::Identities;
use crate::statement::Signer;
use crate::words::Language;

/// SSHSIG namespace of such words.
const NAMESPACE: &str = "old-number-v1@sluis";

/// What the releaser needs to say it.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
pub struct OldNumber {
    /// Our own number for the message, the same for every attempt.
    #[zeroize(skip)]
    pub reference: TransferId,
    /// Digest of the agreement file.
    #[zeroize(skip)]
    pub terms: Digest,
    /// Whose number it was.
    #[zeroize(skip)]
    pub custodian: CustodianId,
    /// The number.
    pub number: String,
    /// The language of the message.
    #[zeroize(skip)]
    pub language: Language,
    /// Over which route: that of the custodian.
    #[zeroize(skip)]
    pub channel: ChannelId,
    /// Whom to call.
    pub call: String,
}

impl fmt::Debug for OldNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OldNumber({} over {})", self.custodian, self.channel)
    }
}

impl OldNumber {
    /// Signs, then seals to `age1...`.
    ///
    /// # Errors
    /// [`BundleError::Foreign`] where a key does not serve.
    pub fn seal(&self, signer: &Signer, recipient: &str) -> Result<Vec<u8>, BundleError> {
        bundle::seal(self, NAMESPACE, signer, recipient)
    }

    /// Opens, and checks that the sealer signed it under this agreement.
    ///
    /// # Errors
    /// [`BundleError`].
    pub fn open(
        sealed: &[u8],
        identities: &Identities,
        sealer: &str,
        terms: Digest,
    ) -> Result<Self, BundleError> {
        let word: Self = bundle::open(sealed, identities, NAMESPACE, sealer)?;
        if word.terms == terms { Ok(word) } else { Err(BundleError::Mismatch("agreement")) }
    }

    /// The message: one GSM-7 segment, no link.
    #[must_use]
    pub fn text(&self) -> String {
        let call = &self.call;
        match self.language {
            Language::Nl => format!(
                "Sluis: berichten met uw sleuteldeel gaan voortaan naar een ander nummer. Hebt u dat niet gevraagd, bel dan {call}."
            ),
            Language::Fr => format!(
                "Sluis: les messages avec votre part de clé iront à un autre numéro. Si vous ne l'avez pas demandé, appelez le {call}."
            ),
            Language::En => format!(
                "Sluis: messages with your share of the key will go to another number. If you did not ask for that, call {call}."
            ),
            Language::De => format!(
                "Sluis: Nachrichten mit Ihrem Schlüsselteil gehen an eine andere Nummer. Wenn Sie das nicht wollten, rufen Sie {call} an."
            ),
        }
    }
}

/// How far the word is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Telling {
    /// Where it is.
    pub stands: Told,
    /// How many more times it goes again by itself when an answer is lost.
    pub resends: u8,
    /// How often its provider got it and said "later": each of these may have been a message all the same.
    #[serde(default)]
    pub deferred: u8,
}

/// Where the word is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Told {
    /// To be handed to its channel.
    Waiting,
    /// Handed over, answer outstanding.
    Leaving,
    /// The provider took it.
    Sent(Time),
    /// Nobody knows.
    Unknown,
    /// The provider will not take it: its code.
    Rejected(String),
    /// Two persons let it pass: the number is dead.
    Passed(Time),
}

impl Telling {
    /// Before the first attempt.
    #[must_use]
    pub fn new(resends: u8) -> Self {
        Self { stands: Told::Waiting, resends, deferred: 0 }
    }

    /// Since when nothing has to be waited for any more.
    #[must_use]
    pub fn over(&self) -> Option<Time> {
        match self.stands {
            Told::Sent(at) | Told::Passed(at) => Some(at),
            _ => None,
        }
    }

    /// After an answer that was lost: it goes again, as often as it may, and then stays unknown.
    #[must_use]
    pub fn lost(&self) -> Self {
        match self.resends.checked_sub(1) {
            Some(resends) => Self { stands: Told::Waiting, resends, ..self.clone() },
            None => Self { stands: Told::Unknown, resends: 0, ..self.clone() },
        }
    }

    /// After "later": it goes again as often as that is believed, and then stays unknown.
    #[must_use]
    pub fn put_off(&self, most: u8) -> Self {
        match self.deferred < most {
            true => Self { stands: Told::Waiting, deferred: self.deferred + 1, ..self.clone() },
            false => Self { stands: Told::Unknown, resends: 0, ..self.clone() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agreement::is_to_call;
    use crate::message;

    fn word(language: Language, call: &str) -> OldNumber {
        OldNumber {
            reference: TransferId::random(),
            terms: Digest::of(b"terms"),
            custodian: "an".parse().unwrap(),
            number: "+32470000001".into(),
            language,
            channel: "sms-a".parse().unwrap(),
            call: call.into(),
        }
    }

    #[test]
    fn the_longest_word_is_one_segment_in_each_language_without_a_link_or_a_name() {
        let longest = "+32 15 29 75 70 1234";
        assert!(is_to_call(longest) && longest.len() == 20);
        for language in [Language::Nl, Language::Fr, Language::En, Language::De] {
            let text = word(language, longest).text();
            assert!(
                message::septets(&text).is_ok_and(|length| length <= message::SEGMENT),
                "{text}"
            );
            assert!(text.starts_with("Sluis: ") && text.contains(longest), "{text}");
            for never in ["http", "://", "470000001", "mechelen"] {
                assert!(!text.contains(never), "{never}: {text}");
            }
        }
        for bad in
            ["", "+", "privacy@mechelen.be", "123", "+3215297570; 0800", "015297570015297570015"]
        {
            assert!(!is_to_call(bad), "{bad}");
        }
    }

    #[test]
    fn it_opens_for_the_releaser_under_its_agreement_and_the_sealers_key_alone() {
        let signer = Signer::from_seed(&[7; 32]);
        let identity = age::x25519::Identity::generate();
        let sealed = word(Language::Nl, "015297570")
            .seal(&signer, &identity.to_public().to_string())
            .unwrap();
        assert!(!sealed.windows(9).any(|part| part == b"470000001"));
        let sealer = signer.public().unwrap();
        let identity = Identities::from(identity);
        let open =
            |identity, sealer: &str, terms| OldNumber::open(&sealed, identity, sealer, terms);
        let terms = Digest::of(b"terms");
        assert_eq!(open(&identity, &sealer, terms).unwrap().number, "+32470000001");
        let other = Identities::from(age::x25519::Identity::generate());
        assert!(matches!(open(&other, &sealer, terms), Err(BundleError::Shut)));
        let stranger = Signer::from_seed(&[8; 32]).public().unwrap();
        assert!(matches!(open(&identity, &stranger, terms), Err(BundleError::Foreign(_))));
        let elsewhere = Digest::of(b"other terms");
        assert!(matches!(open(&identity, &sealer, elsewhere), Err(BundleError::Mismatch(_))));
    }

    #[test]
    fn a_lost_answer_goes_again_as_often_as_it_may_and_then_waits_for_persons() {
        let mut telling = Telling::new(2);
        for _ in 0..2 {
            telling = telling.lost();
            assert_eq!(telling.stands, Told::Waiting);
        }
        telling = telling.lost();
        assert_eq!((telling.stands.clone(), telling.over()), (Told::Unknown, None));
        let sent = Telling { stands: Told::Sent(Time(7)), ..Telling::new(0) };
        assert_eq!(sent.over(), Some(Time(7)));
    }
}
