//! What simulations share: one agreement with keys made for it, as both parties have it installed.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use age::secrecy::ExposeSecret;
use reqwest::Client;
use sluis_config::Agreements;
use sluis_core::agreement::Side;
use sluis_core::evidence::Terms;
use sluis_core::id::{AgreementId, Digest};
use sluis_core::statement::Signer;
use tempfile::TempDir;

/// The drop zone's name in the agreement; nobody listens there.
pub const HOST: &str = "sluiskom.invalid:8443";

/// The keys of both parties, and the agreement with their public halves.
pub struct Parts {
    /// The agreement's name.
    pub name: AgreementId,
    pub(crate) agency: Agreements,
    pub(crate) municipality: Agreements,
    pub(crate) signers: [Signer; 2],
    pub(crate) mailboxes: [age::x25519::Identity; 2],
    pub(crate) bundle: age::x25519::Identity,
    /// Makes requests; it opens no connection.
    pub(crate) client: Client,
    /// Where the agreement's file is; another version of it may be put there.
    pub folder: TempDir,
}

/// The TLS key of a party or of the drop zone: nothing but its name is looked at here.
#[must_use]
pub fn tls(whose: &str) -> Digest {
    Digest::of(whose.as_bytes())
}

/// A folder in memory, where there is one.
#[must_use]
pub fn folder() -> TempDir {
    let memory = PathBuf::from("/dev/shm");
    let mut builder = tempfile::Builder::new();
    let builder = builder.prefix("sluis-sim-");
    if memory.is_dir() { builder.tempdir_in(memory) } else { builder.tempdir() }.unwrap()
}

impl Parts {
    /// For this agreement, without its keys; `{host}` stands for the drop zone.
    #[must_use]
    pub fn of(agreement: &str, contacts: &str) -> Self {
        let signers = [1_u8, 2].map(|seed| Signer::from_seed(&[seed; 32]));
        let mailboxes = [(); 2].map(|()| age::x25519::Identity::generate());
        let mut text = agreement.split("\n[keys.").next().unwrap().replace("{host}", HOST);
        for (at, whose) in ["agency", "municipality"].into_iter().enumerate() {
            text += &format!(
                "\n[keys.{whose}]\nstatement = \"{}\"\nmailbox = \"{}\"\ntls = \"{}\"\n",
                signers[at].public().unwrap(),
                mailboxes[at].to_public(),
                tls(whose)
            );
        }
        text += &format!("\n[keys.drop-zone]\ntls = \"{}\"\n", tls("drop-zone"));
        let folder = folder();
        fs::write(folder.path().join("mechelen.toml"), text).unwrap();
        let numbers = folder.path().join("mechelen.contacts.toml");
        fs::write(&numbers, contacts).unwrap();
        fs::set_permissions(numbers, fs::Permissions::from_mode(0o600)).unwrap();
        let no_tls = rustls::ClientConfig::builder()
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        Self {
            name: "mechelen".parse().unwrap(),
            agency: Agreements::load_with_contacts(folder.path()).unwrap(),
            municipality: Agreements::load(folder.path()).unwrap(),
            signers,
            mailboxes,
            bundle: age::x25519::Identity::generate(),
            client: Client::builder().tls_backend_preconfigured(no_tls).build().unwrap(),
            folder,
        }
    }

    /// The same, with other contacts at the agency.
    #[must_use]
    pub fn reached_at(&self, contacts: &str) -> Self {
        let folder = folder();
        let agreement = self.folder.path().join("mechelen.toml");
        fs::copy(agreement, folder.path().join("mechelen.toml")).unwrap();
        let numbers = folder.path().join("mechelen.contacts.toml");
        fs::write(&numbers, contacts).unwrap();
        fs::set_permissions(numbers, fs::Permissions::from_mode(0o600)).unwrap();
        Self {
            name: self.name.clone(),
            agency: Agreements::load_with_contacts(folder.path()).unwrap(),
            municipality: self.municipality.clone(),
            signers: self.signers.clone(),
            mailboxes: self.mailboxes.each_ref().map(again),
            bundle: again(&self.bundle),
            client: self.client.clone(),
            folder,
        }
    }

    /// The agreement as it counts.
    #[must_use]
    pub fn terms(&self) -> &Terms {
        &self.agency.get(&self.name).unwrap().terms
    }

    pub(crate) fn agreements(&self, side: Side) -> Agreements {
        match side {
            Side::Agency => self.agency.clone(),
            Side::Municipality => self.municipality.clone(),
        }
    }

    pub(crate) fn mailbox(&self, side: Side) -> age::x25519::Identity {
        again(&self.mailboxes[side as usize])
    }
}

/// The same identity once more.
pub(crate) fn again(identity: &age::x25519::Identity) -> age::x25519::Identity {
    identity.to_string().expose_secret().parse().unwrap()
}
