//! The secret of one transfer, and the passphrase it is as text.

use std::fmt;

use age_core::secrecy::SecretString;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{crockford, id};

/// 128 random bits: the secret of one transfer. Wiped when dropped, mute in `Debug`.
///
/// 128 because age's own file key has 128: more would add typing, not strength. On the heap, as a value that is moved
/// leaves its bytes behind on every stack that it was on.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct TransferKey(Box<[u8; 16]>);

impl TransferKey {
    /// A new key from the system's random numbers.
    #[must_use]
    pub fn random() -> Self {
        let mut key = Self(Box::new([0; 16]));
        id::fill_random(&mut *key.0);
        key
    }
    /// The key with these bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 16]) -> Self {
        let mut key = Self(Box::new([0; 16]));
        key.0.copy_from_slice(bytes);
        key
    }
    /// The bytes, for the splitting.
    #[must_use]
    pub fn expose(&self) -> &[u8; 16] {
        &self.0
    }
    /// The age passphrase: 26 Crockford symbols in capitals.
    #[must_use]
    pub fn passphrase(&self) -> SecretString {
        SecretString::from(crockford::text(&crockford::pack(&self.0)))
    }
    /// The salt of the commitment to the plaintext: known to whoever ever held the key, to nobody else.
    #[must_use]
    pub fn plaintext_salt(&self) -> [u8; 32] {
        age_core::primitives::hkdf(&[], b"sluis/plaintext-salt/v1", &*self.0)
    }
}

impl fmt::Debug for TransferKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TransferKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use age_core::secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn the_passphrase_is_26_symbols_and_comes_back() {
        let key = TransferKey::random();
        let passphrase = key.passphrase();
        assert_eq!(passphrase.expose_secret().len(), 26);
        let values = crockford::read(passphrase.expose_secret()).unwrap();
        assert_eq!(
            crockford::unpack(&values).map(|bytes| TransferKey::from_bytes(&bytes)),
            Some(key)
        );
    }

    #[test]
    fn nothing_is_printed_and_dropping_wipes() {
        // What a dropped value left behind only unsafe code can read: that its type wipes it is held here, that nothing is
        // left in a process by the canary run.
        fn wipes_when_dropped<T: ZeroizeOnDrop>(_: &T) {}
        let mut key = TransferKey::from_bytes(&[0xAB; 16]);
        wipes_when_dropped(&key);
        assert_eq!(format!("{key:?}"), "TransferKey(..)");
        key.zeroize();
        assert_eq!(key.expose(), &[0; 16]);
    }
}
