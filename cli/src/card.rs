//! Cards: what a party shows of itself so that the other can write the agreement; public keys only.

use std::path::Path;

use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use sluis_config::credentials::Credentials;
use sluis_config::{Config, strict};
use sluis_core::agreement::keys::{DropZoneKeys, PartyKeys};
use sluis_core::id::{Digest, PartyId};
use sluis_core::keyring::{Identities, Signers};
use sluis_core::{crockford, words};

use crate::failure::{Failure, Result};
use crate::language::Lang;
use crate::output;

/// Who shows the card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Role {
    Agency,
    Municipality,
    DropZone,
}

/// A card.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Card {
    pub(crate) role: Role,
    pub(crate) id: PartyId,
    pub(crate) name: String,
    /// OpenSSH public key; a drop zone signs nothing and has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) statement: Option<String>,
    /// age recipient; a drop zone reads nothing and has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mailbox: Option<String>,
    pub(crate) tls: Digest,
}

impl Card {
    /// The card of this host.
    pub(crate) fn of(config: &Config) -> Result<Self> {
        let credentials = Credentials::new(&config.paths.credentials);
        let role = match (&config.sealer, &config.keeper) {
            (Some(_), _) => Role::Agency,
            (None, Some(_)) => Role::Municipality,
            (None, None) => Role::DropZone,
        };
        let core = role != Role::DropZone;
        let statement = core.then(|| statement_key(&credentials)).transpose()?;
        let mailbox = core.then(|| age_recipient(&credentials, "mailbox-identity")).transpose()?;
        let none = || {
            Failure::coded(
                "credential",
                words!(
                    "credential tls-certificate: er zit geen certificaat in",
                    "credential tls-certificate: no certificate in it"
                ),
            )
        };
        let tls = tls_pins(config)?.first().copied().ok_or_else(none)?;
        let party = &config.party;
        Ok(Self { role, id: party.id.clone(), name: party.name.clone(), statement, mailbox, tls })
    }

    /// From a file that the other party gave.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = strict::read(path)?;
        Ok(strict::parse(path, &text)?)
    }

    /// As text, one form.
    pub(crate) fn text(&self) -> String {
        toml::to_string(self).unwrap_or_default()
    }

    /// 125 bits of SHA-256 over the text, to be compared by telephone.
    pub(crate) fn fingerprint(&self) -> String {
        let digest = Digest::of(self.text().as_bytes());
        let mut half = [0; 16];
        half.copy_from_slice(&digest.as_bytes()[..16]);
        let symbols = crockford::text(&crockford::pack(&half));
        let groups: Vec<&str> = (0..5).map(|group| &symbols[group * 5..group * 5 + 5]).collect();
        groups.join("-")
    }

    /// As the keys of a party.
    pub(crate) fn party_keys(&self) -> Option<PartyKeys> {
        Some(PartyKeys {
            statement: self.statement.clone()?,
            statement_from: 1,
            mailbox: self.mailbox.clone()?,
            tls: self.tls,
            former_tls: Vec::new(),
            former: Vec::new(),
        })
    }

    /// As the keys of a drop zone.
    pub(crate) fn drop_zone_keys(&self) -> DropZoneKeys {
        DropZoneKeys { tls: self.tls, former_tls: Vec::new() }
    }
}

/// `sluis identity`
pub(crate) fn show(config: &Config, lang: Lang, json: bool) -> Result<()> {
    let card = Card::of(config)?;
    if json {
        return output::json(
            &serde_json::json!({ "card": card, "fingerprint": card.fingerprint() }),
        );
    }
    let compare = lang
        .pick("Vergelijk per telefoon voor u ze gebruikt", "Compare by telephone before using it");
    output::line(format!("# {compare}: {}", card.fingerprint()))?;
    output::write(card.text().as_bytes())
}

fn statement_key(credentials: &Credentials) -> Result<String> {
    let keys = credentials.secret("statement-key")?;
    Signers::from_openssh(keys.expose_secret()).map(|signers| signers.public().to_owned()).map_err(
        |e| {
            Failure::coded(
                "credential",
                words!("credential statement-key: {}", "credential statement-key: {}"; e.words()),
            )
        },
    )
}

/// The recipient that belongs to the newest age identity of a credential.
pub(crate) fn age_recipient(credentials: &Credentials, name: &str) -> Result<String> {
    let text = credentials.secret(name)?;
    let newest = Identities::read(text.expose_secret()).and_then(|all| all.recipients().next());
    newest.ok_or_else(|| {
        Failure::coded(
            "credential",
            words!(
                "credential {name}: geen age-identiteit",
                "credential {name}: not an age identity"
            ),
        )
    })
}

/// The pins of this host's certificates, the newest first.
pub(crate) fn tls_pins(config: &Config) -> Result<Vec<Digest>> {
    use rustls_pki_types::CertificateDer;
    use rustls_pki_types::pem::PemObject;
    let wrong = |why: &dyn std::fmt::Display| {
        Failure::coded(
            "credential",
            words!(
                "credential tls-certificate: geen leesbaar certificaat («{why}»)",
                "credential tls-certificate: no certificate that can be read (\"{why}\")"
            ),
        )
    };
    let text = Credentials::new(&config.paths.credentials).public("tls-certificate")?;
    let pin = |certificate: std::result::Result<CertificateDer<'_>, _>| {
        let certificate = certificate.map_err(|e: rustls_pki_types::pem::Error| wrong(&e))?;
        let parsed = webpki::EndEntityCert::try_from(&certificate).map_err(|e| wrong(&e))?;
        Ok(Digest::of(&parsed.subject_public_key_info()))
    };
    CertificateDer::pem_slice_iter(text.as_bytes()).map(pin).collect()
}
