//! New keys, as the credentials that hold them.

use std::path::Path;

use age::secrecy::ExposeSecret;
use clap::ValueEnum;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use sluis_core::id::{self, PartyId};
use sluis_core::statement::Signer;
use sluis_core::words;
use zeroize::Zeroizing;

use crate::failure::{Failure, Result};
use crate::init::file;

/// The keys that a host may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// Signs what a core says.
    Statement,
    /// Opens letters to a core.
    Mailbox,
    /// Opens bundles, at the releaser.
    Bundle,
    /// Says who a host is to the drop zone, or the drop zone to its parties.
    Tls,
}

/// A file of the credentials folder.
pub(super) struct Credential {
    pub(super) name: &'static str,
    pub(super) text: Zeroizing<String>,
    pub(super) mode: u32,
}

/// A new key: its files, in the order in which they are written, and its public half where others need it as text.
pub(crate) struct Made {
    pub(super) files: Vec<Credential>,
    pub(super) public: String,
}

impl Kind {
    /// Makes one.
    pub(crate) fn make(self, party: &PartyId) -> Result<Made> {
        match self {
            Self::Statement => statement(),
            Self::Mailbox => Ok(age_identity("mailbox-identity")),
            Self::Bundle => Ok(age_identity("bundle-identity")),
            Self::Tls => tls(party.as_str()),
        }
    }
}

impl Made {
    /// Writes its files into a folder that has none of them; gives the public half.
    pub(crate) fn write(self, folder: &Path) -> Result<String> {
        for Credential { name, text, mode } in &self.files {
            file(&folder.join(name), text.as_bytes(), *mode)?;
        }
        Ok(self.public)
    }
}

fn secret(name: &'static str, text: Zeroizing<String>) -> Credential {
    Credential { name, text, mode: 0o600 }
}

fn statement() -> Result<Made> {
    let failed =
        |e: sluis_core::statement::SignatureError| Failure::coded("no-key-made", e.words());
    let mut seed = Zeroizing::new([0; 32]);
    id::fill_random(&mut *seed);
    let signer = Signer::from_seed(&seed);
    let text = signer.to_openssh().map_err(failed)?;
    Ok(Made {
        files: vec![secret("statement-key", text)],
        public: signer.public().map_err(failed)?,
    })
}

fn age_identity(name: &'static str) -> Made {
    let identity = age::x25519::Identity::generate();
    let text = Zeroizing::new(format!("{}\n", identity.to_string().expose_secret()));
    Made { files: vec![secret(name, text)], public: identity.to_public().to_string() }
}

/// A self-signed certificate; what counts is its public key, which the other side pins. The certificate comes first: a
/// key without one is refused, a certificate without a key is not looked at.
fn tls(name: &str) -> Result<Made> {
    let failed = |e: rcgen::Error| {
        Failure::coded(
            "no-key-made",
            words!("de TLS-sleutel maken: {e}", "making the TLS key: {e}"),
        )
    };
    let key = KeyPair::generate().map_err(failed)?;
    let mut params =
        CertificateParams::new(vec![format!("{name}.sluis.invalid")]).map_err(failed)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    let certificate = params.self_signed(&key).map_err(failed)?.pem();
    let public = Credential {
        name: "tls-certificate",
        text: Zeroizing::new(certificate.clone()),
        mode: 0o644,
    };
    let files = vec![public, secret("tls-key", Zeroizing::new(key.serialize_pem()))];
    Ok(Made { files, public: certificate })
}
