//! The private keys that a party holds. One credential holds the newest key first and those before it below: which of
//! them signs is said by the agreement, number by number, and what was sealed to a former one still opens.

use std::fmt;

use crate::agreement::keys::is_same_key;
use crate::statement::{SignatureError, Signer};

/// How an OpenSSH private key file ends.
const END: &str = "-----END OPENSSH PRIVATE KEY-----";

/// Statement keys with their public halves, the newest first; at least one.
pub struct Signers {
    newest: Held,
    former: Vec<Held>,
}

struct Held {
    public: String,
    signer: Signer,
}

impl fmt::Debug for Signers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signers({})", self.former.len() + 1)
    }
}

impl Held {
    fn new(signer: Signer) -> Result<Self, SignatureError> {
        Ok(Self { public: signer.public()?, signer })
    }
}

impl Signers {
    /// From the text of OpenSSH private key files, one after the other.
    ///
    /// # Errors
    /// [`SignatureError::Key`] where there is none, or one of them does not serve.
    pub fn from_openssh(text: &str) -> Result<Self, SignatureError> {
        let mut held = text
            .split_inclusive(END)
            .map(str::trim)
            .filter(|block| !block.is_empty())
            .map(|block| Signer::from_openssh(&format!("{block}\n")).and_then(Held::new))
            .collect::<Result<Vec<_>, _>>()?
            .into_iter();
        let newest = held.next().ok_or_else(|| SignatureError::Key("there is none".into()))?;
        Ok(Self { newest, former: held.collect() })
    }
    /// Its public half: `ssh-ed25519 AAAA...`, what the party's card shows.
    #[must_use]
    pub fn public(&self) -> &str {
        &self.newest.public
    }
    /// All of them, the newest first.
    pub fn iter(&self) -> impl Iterator<Item = &Signer> {
        [&self.newest].into_iter().chain(&self.former).map(|held| &held.signer)
    }
    /// The one whose public half this is.
    #[must_use]
    pub fn of(&self, public: &str) -> Option<&Signer> {
        let mut all = [&self.newest].into_iter().chain(&self.former);
        all.find(|held| is_same_key(&held.public, public)).map(|held| &held.signer)
    }
}

impl TryFrom<Signer> for Signers {
    type Error = SignatureError;
    fn try_from(signer: Signer) -> Result<Self, SignatureError> {
        Ok(Self { newest: Held::new(signer)?, former: Vec::new() })
    }
}

/// age X25519 identities, the newest first; at least one.
pub struct Identities(Vec<age::x25519::Identity>);

impl fmt::Debug for Identities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identities({})", self.0.len())
    }
}

impl Identities {
    /// From the text of an age identity file. Nothing where a line is no identity, or there is none.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let lines = text.lines().filter(|line| line.starts_with("AGE-SECRET-KEY-"));
        let all: Vec<_> = lines.map(str::parse).collect::<Result<_, _>>().ok()?;
        (!all.is_empty()).then_some(Self(all))
    }
    /// The recipients `age1...` that belong to them, the newest first.
    pub fn recipients(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|identity| identity.to_public().to_string())
    }
    /// What was sealed to one of them.
    ///
    /// # Errors
    /// [`age::DecryptError`] where it was sealed to none of them, or is damaged.
    pub fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, age::DecryptError> {
        let mut failed = age::DecryptError::NoMatchingKeys;
        for identity in &self.0 {
            match age::decrypt(identity, sealed) {
                Ok(opened) => return Ok(opened),
                Err(age::DecryptError::NoMatchingKeys) => {}
                Err(other) => failed = other,
            }
        }
        Err(failed)
    }
}

impl From<age::x25519::Identity> for Identities {
    fn from(identity: age::x25519::Identity) -> Self {
        Self(vec![identity])
    }
}

#[cfg(test)]
mod tests {
    use age::x25519::Identity;
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn the_newest_key_stands_first_and_each_is_found_by_its_public_half() {
        let keys = [1, 2, 3].map(|byte| Signer::from_seed(&[byte; 32]));
        let publics = [0, 1, 2].map(|place: usize| keys[place].public().unwrap());
        let text: String = keys.iter().map(|key| key.to_openssh().unwrap().to_string()).collect();
        let signers = Signers::from_openssh(&text).unwrap();
        assert_eq!(signers.public(), publics[0]);
        assert_eq!(signers.iter().count(), 3);
        for public in &publics {
            let found = signers.of(&format!("{public} with a comment")).unwrap();
            assert_eq!(found.public().unwrap(), *public);
        }
        assert!(signers.of(&Signer::from_seed(&[4; 32]).public().unwrap()).is_none());
        for bad in ["", "\n", &text[..text.len() - 40], &format!("{text}rubbish")] {
            assert!(Signers::from_openssh(bad).is_err(), "{bad}");
        }
        assert_eq!(format!("{signers:?}"), "Signers(3)");
    }

    #[test]
    fn what_was_sealed_to_any_of_them_opens_and_nothing_else() {
        let made = [Identity::generate(), Identity::generate()];
        let line =
            |identity: &Identity| format!("# made\n{}\n", identity.to_string().expose_secret());
        let identities = Identities::read(&made.each_ref().map(line).concat()).unwrap();
        let recipients: Vec<String> = identities.recipients().collect();
        assert_eq!(recipients, made.each_ref().map(|one| one.to_public().to_string()));
        for one in &made {
            let sealed = age::encrypt(&one.to_public(), b"letter").unwrap();
            assert_eq!(identities.open(&sealed).unwrap(), b"letter");
            assert!(identities.open(&sealed[..sealed.len() - 1]).is_err(), "cut short");
        }
        let foreign = age::encrypt(&Identity::generate().to_public(), b"letter").unwrap();
        assert!(matches!(identities.open(&foreign), Err(age::DecryptError::NoMatchingKeys)));
        for bad in ["", "# nothing", "AGE-SECRET-KEY-1NOBODY"] {
            assert!(Identities::read(bad).is_none(), "{bad}");
        }
    }
}
