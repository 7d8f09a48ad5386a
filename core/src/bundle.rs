//! The bundle: the shares of one transfer, signed by the sealer, sealed to the releaser.
//!
//! Signed inside the envelope: whoever knows the releaser's public identity could otherwise forge one.

use std::fmt;
use std::str::FromStr;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::id::{ChannelId, CustodianId, Digest, TransferCode, TransferId};
use crate::keyring::Identities;
use crate::share;
use crate::statement::{self, Sent, Signer};
use crate::words::Language;

/// SSHSIG namespace of bundles.
pub const NAMESPACE: &str = "bundle-v1@sluis";
/// The largest bundle that is read, in bytes.
pub const MAX_BYTES: usize = 64 * 1024;

/// One share on its way to its custodian.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// The share's number.
    pub index: u8,
    /// Whose it is.
    #[zeroize(skip)]
    pub custodian: CustodianId,
    /// Where the custodian is reached.
    pub number: String,
    /// The language of the message.
    #[zeroize(skip)]
    pub language: Language,
    /// Over which route.
    #[zeroize(skip)]
    pub channel: ChannelId,
    /// The share line.
    pub line: String,
    /// Its commitment, as in `sent`.
    #[zeroize(skip)]
    pub commitment: Digest,
}

impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Item(share {} over {})", self.index, self.channel)
    }
}

/// All shares of one transfer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// The transfer.
    pub transfer: TransferId,
    /// Its code.
    pub code: TransferCode,
    /// Digest of the agreement file.
    pub terms: Digest,
    /// Digest of the envelope.
    pub ciphertext: Digest,
    /// Its size.
    pub size: u64,
    /// Commitment to the payload: with it, the bundle belongs to one `sent` and no other.
    pub plaintext: Digest,
    /// How many shares open it.
    pub threshold: u8,
    /// How many there are.
    pub shares: u8,
    /// The shares.
    pub items: Vec<Item>,
}

/// A bundle that is not to be used.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// Sealed to somebody else, damaged, or too large.
    #[error("the bundle does not open under the releaser's identity")]
    Shut,
    /// Not signed by the sealer, or not a bundle.
    #[error("the bundle is not the sealer's: {0}")]
    Foreign(String),
    /// Of another transfer, agreement or envelope than the evidence.
    #[error("the bundle's {0} is not that of the statement `sent`")]
    Mismatch(&'static str),
}

impl Bundle {
    /// Signs, then seals to `age1...`.
    ///
    /// # Errors
    /// [`BundleError::Foreign`] where a key does not serve.
    pub fn seal(&self, signer: &Signer, recipient: &str) -> Result<Vec<u8>, BundleError> {
        seal(self, NAMESPACE, signer, recipient)
    }

    /// Opens, and checks the signature and every field that `sent` has too.
    ///
    /// # Errors
    /// [`BundleError`].
    pub fn open(
        sealed: &[u8],
        identities: &Identities,
        sealer: &str,
        transfer: TransferId,
        terms: Digest,
        sent: &Sent,
    ) -> Result<Self, BundleError> {
        let bundle: Self = open(sealed, identities, NAMESPACE, sealer)?;
        bundle.check(transfer, terms, sent)?;
        Ok(bundle)
    }

    fn check(&self, transfer: TransferId, terms: Digest, sent: &Sent) -> Result<(), BundleError> {
        let same = |what, same: bool| if same { Ok(()) } else { Err(BundleError::Mismatch(what)) };
        same("transfer", self.transfer == transfer)?;
        same("agreement", self.terms == terms)?;
        same("envelope", self.ciphertext == sent.ciphertext && self.size == sent.size)?;
        same("payload", self.plaintext == sent.plaintext)?;
        same("code", self.code == sent.code)?;
        same(
            "split",
            self.threshold == sent.threshold && usize::from(self.shares) == sent.routes.len(),
        )?;
        let routes = self.items.len() == sent.routes.len()
            && sent.commitments.len() == sent.routes.len()
            && self.items.iter().zip(&sent.routes).zip(&sent.commitments).all(
                |((item, route), commitment)| {
                    item.index == route.index
                        && item.custodian == route.custodian
                        && item.channel == route.channel
                        && item.commitment == *commitment
                },
            );
        same("plan", routes)?;
        let committed = |item: &Item| {
            share::read_line(&item.line, &self.code, &[])
                .is_ok_and(|share| share.commitment(&transfer, self.shares) == item.commitment)
        };
        same("share", self.items.iter().all(committed))
    }
}

/// Signs in this namespace, then seals to `age1...`: for the releaser alone.
pub(crate) fn seal<T: Serialize>(
    content: &T,
    namespace: &str,
    signer: &Signer,
    recipient: &str,
) -> Result<Vec<u8>, BundleError> {
    let foreign = |e: &dyn fmt::Display| BundleError::Foreign(e.to_string());
    let recipient = age::x25519::Recipient::from_str(recipient).map_err(|e| foreign(&e))?;
    let text = Zeroizing::new(serde_json::to_string(content).map_err(|e| foreign(&e))?);
    let signature = signer.sign(namespace, text.as_bytes()).map_err(|e| foreign(&e))?;
    let whole = Zeroizing::new([text.as_bytes(), b"\n", signature.as_bytes()].concat());
    age::encrypt(&recipient, &whole).map_err(|e| foreign(&e))
}

/// Opens what [`seal`] sealed, and checks that the sealer signed it in this namespace.
pub(crate) fn open<T: DeserializeOwned>(
    sealed: &[u8],
    identities: &Identities,
    namespace: &str,
    sealer: &str,
) -> Result<T, BundleError> {
    if sealed.len() > MAX_BYTES {
        return Err(BundleError::Shut);
    }
    let whole = Zeroizing::new(identities.open(sealed).map_err(|_| BundleError::Shut)?);
    let foreign = |e: &dyn fmt::Display| BundleError::Foreign(e.to_string());
    let text = std::str::from_utf8(&whole).map_err(|e| foreign(&e))?;
    let (json, signature) = text.split_once('\n').ok_or_else(|| foreign(&"no signature"))?;
    statement::verify(sealer, namespace, json.as_bytes(), signature, "the sealer")
        .map_err(|e| foreign(&e))?;
    serde_json::from_str(json).map_err(|_| foreign(&"not what it should be"))
}

#[cfg(test)]
mod tests;
