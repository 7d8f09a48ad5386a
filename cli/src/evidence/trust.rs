//! The verifier's own keys of the parties, in an `allowed_signers` file (`ssh-keygen(1)`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sluis_core::agreement::keys::is_same_key;
use sluis_core::id::PartyId;
use sluis_core::words;
use sluis_core::words::Words;

use crate::failure::{Failure, Result, exit};

/// The only kind of key that signs here.
const KIND: &str = "ssh-ed25519";

/// The keys of each principal.
pub(super) struct Trust {
    path: PathBuf,
    keys: BTreeMap<String, Vec<Key>>,
}

/// A key, and for what it counts: anything, where nothing is said.
pub(super) struct Key {
    text: String,
    namespaces: Option<Vec<String>>,
}

impl std::ops::Deref for Key {
    type Target = str;
    fn deref(&self) -> &str {
        &self.text
    }
}

impl std::fmt::Display for Trust {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.path.display().fmt(f)
    }
}

impl Trust {
    /// Reads the file. A pattern is no principal here, and another kind of key is none.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let text = sluis_config::strict::read(path)
            .map_err(|error| Failure::new(exit::IO, "io", error.words()))?;
        let mut keys: BTreeMap<String, Vec<Key>> = BTreeMap::new();
        for (number, line) in text.lines().map(str::trim).enumerate() {
            let Some((principal, rest)) = line.split_once(char::is_whitespace) else { continue };
            let Ok(principal) = principal.parse::<PartyId>() else { continue };
            let Some((options, text)) = parted(rest.trim_start()) else { continue };
            let namespaces = namespaces(options).map_err(|option| {
                let (path, number) = (path.display(), number + 1);
                Failure::coded("trust-file", words!(
                    "{path}, regel {number}: de optie {option} wordt hier niet begrepen; alleen namespaces=\"…\", zonder patronen",
                    "{path}, line {number}: the option {option} is not understood here; only namespaces=\"…\", without patterns"
                ))
            })?;
            keys.entry(principal.to_string()).or_default().push(Key { text, namespaces });
        }
        if keys.is_empty() {
            return Err(Failure::coded(
                "trust-file",
                words!(
                    "{} is geen bestand met sleutels: daarin staat voor elke partij een regel, zoals `stad-mechelen {KIND} AAAA...`, \
                 uit haar kaart die u per telefoon vergeleek (id en statement)",
                    "{} is no file of keys: it has a line for each party, such as `stad-mechelen {KIND} AAAA...`, \
                 from its card that you compared by telephone (id and statement)",
                    path.display()
                ),
            ));
        }
        Ok(Self { path: path.to_owned(), keys })
    }

    /// The keys of this party.
    pub(super) fn keys(&self, id: &PartyId) -> std::result::Result<&[Key], Words> {
        let known = self.keys.get(id.as_str()).ok_or_else(|| {
            words!(
                "{self} geeft geen sleutel voor {id}: vraag hem aan die partij, langs een andere weg dan deze map",
                "{self} gives no key for {id}: ask that party for it, by another way than this folder"
            )
        })?;
        Ok(known)
    }

    /// Whether this is a key of that party for this.
    pub(super) fn has(
        &self,
        id: &PartyId,
        key: &str,
        namespace: &str,
    ) -> std::result::Result<bool, Words> {
        let known = self.keys(id)?;
        Ok(known.iter().any(|known| is_same_key(known, key) && known.counts_for(namespace)))
    }
}

impl Key {
    /// Whether it counts for this namespace.
    pub(super) fn counts_for(&self, namespace: &str) -> bool {
        self.namespaces.as_ref().is_none_or(|all| all.iter().any(|one| one == namespace))
    }
}

/// Options, which may be none, and the key behind them.
fn parted(rest: &str) -> Option<(&str, String)> {
    let mut quoted = false;
    let end = rest.find(|c: char| {
        quoted ^= c == '"';
        c.is_whitespace() && !quoted
    })?;
    let (options, key) = match &rest[..end] {
        KIND => ("", rest),
        options => (options, rest[end..].trim_start()),
    };
    let mut words = key.split_whitespace();
    (words.next() == Some(KIND)).then_some(())?;
    Some((options, format!("{KIND} {}", words.next()?)))
}

/// The namespaces that the options give, or the option that is not understood.
fn namespaces(options: &str) -> std::result::Result<Option<Vec<String>>, String> {
    if options.is_empty() {
        return Ok(None);
    }
    let value = options.strip_prefix("namespaces=\"").and_then(|rest| rest.strip_suffix('"'));
    let plain = |c: char| c.is_ascii_alphanumeric() || "@.,-".contains(c);
    match value {
        Some(value) if value.chars().all(plain) => {
            Ok(Some(value.split(',').map(str::to_owned).collect()))
        }
        _ => Err(options.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_is_heeded_or_refused() {
        let read = |options: &str| {
            let line = format!("{options}ssh-ed25519 AAAA a comment");
            parted(&line).map(|(options, key)| (namespaces(options), key))
        };
        let key = || "ssh-ed25519 AAAA".to_owned();
        assert_eq!(read(""), Some((Ok(None), key())));
        let two = vec!["one@sluis".to_owned(), "two@sluis".to_owned()];
        let options = "namespaces=\"one@sluis,two@sluis\" ";
        assert_eq!(read(options), Some((Ok(Some(two)), key())));
        for other in [
            "cert-authority",
            "valid-before=\"20260101\"",
            "namespaces=\"one@sluis\",valid-before=\"20260101\"",
            "cert-authority,namespaces=\"one@sluis\"",
            "namespaces=\"*\"",
            "namespaces=\"!one@sluis\"",
            "namespaces=\"one two\"",
            "anything",
        ] {
            let refused = read(&format!("{other} "));
            assert_eq!(refused, Some((Err(other.to_owned()), key())), "{other}");
        }
        assert_eq!(parted("ssh-rsa AAAA"), None);
    }
}
