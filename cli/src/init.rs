//! `sluis init`: folders, keys and a configuration for one host. Nothing that is there is ever replaced.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use secrecy::ExposeSecret;
use sluis_core::id::{self, PartyId};
use sluis_core::statement::Signer;
use zeroize::Zeroizing;

use crate::card::Role;
use crate::failure::{Failure, Result};

/// What a host is to be.
pub(crate) struct Order<'a> {
    pub(crate) role: Role,
    pub(crate) folder: &'a Path,
    pub(crate) id: &'a PartyId,
    pub(crate) name: &'a str,
    pub(crate) language: &'a str,
    /// Where a drop zone listens.
    pub(crate) listen: &'a str,
}

/// Makes it.
pub(crate) fn make(order: &Order<'_>) -> Result<()> {
    let config = order.folder.join("sluis.toml");
    if config.exists() {
        return Err(Failure::refused(format!(
            "{} is there already: nothing was changed",
            config.display()
        )));
    }
    // Others pass through to the sockets, whose own modes say who may use them; secrets stay shut.
    for folder in ["", "agreements", "run"] {
        folder_with(&order.folder.join(folder), 0o755)?;
    }
    folder_private(&order.folder.join("credentials"))?;
    let credentials = order.folder.join("credentials");
    tls(&credentials, order.id.as_str())?;
    let mut releaser = String::new();
    if order.role != Role::DropZone {
        let mut seed = Zeroizing::new([0; 32]);
        id::fill_random(&mut *seed);
        let signer = Signer::from_seed(&seed);
        let failed = |e: sluis_core::statement::SignatureError| Failure::refused(e.to_string());
        secret(
            &credentials.join("statement-key"),
            signer.to_openssh().map_err(failed)?.as_bytes(),
        )?;
        age_identity(&credentials.join("mailbox-identity"))?;
    }
    if order.role == Role::Agency {
        releaser = age_identity(&credentials.join("bundle-identity"))?;
    }
    let text = match order.role {
        Role::Agency => AGENCY,
        Role::Municipality => MUNICIPALITY,
        Role::DropZone => DROPZONE,
    };
    let text = text
        .replace("{id}", order.id.as_str())
        .replace("{name}", &order.name.replace(['"', '\\', '\n'], " "))
        .replace("{language}", order.language)
        .replace("{owner}", &rustix::process::getuid().as_raw().to_string())
        .replace("{listen}", order.listen)
        .replace("{releaser}", &releaser);
    file(&config, text.as_bytes(), 0o644)
}

/// A self-signed certificate; what counts is its public key, which the other side pins.
fn tls(folder: &Path, name: &str) -> Result<()> {
    let failed = |e: rcgen::Error| Failure::refused(format!("making the TLS key: {e}"));
    let key = KeyPair::generate().map_err(failed)?;
    let mut params =
        CertificateParams::new(vec![format!("{name}.sluis.invalid")]).map_err(failed)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    let certificate = params.self_signed(&key).map_err(failed)?;
    secret(&folder.join("tls-key"), Zeroizing::new(key.serialize_pem()).as_bytes())?;
    file(&folder.join("tls-certificate"), certificate.pem().as_bytes(), 0o644)
}

fn age_identity(path: &Path) -> Result<String> {
    let identity = age::x25519::Identity::generate();
    let text = Zeroizing::new(format!("{}\n", identity.to_string().expose_secret()));
    secret(path, text.as_bytes())?;
    Ok(identity.to_public().to_string())
}

fn secret(path: &Path, bytes: &[u8]) -> Result<()> {
    file(path, bytes, 0o600)
}

/// A new file with its mode from the first moment on.
pub(crate) fn file(path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    let made = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    made.and_then(|mut file| file.write_all(bytes)).map_err(Failure::io(path.display()))
}

/// A folder that only its owner reads.
pub(crate) fn folder_private(path: &Path) -> Result<()> {
    folder_with(path, 0o700)
}

pub(crate) fn folder_with(path: &Path, mode: u32) -> Result<()> {
    let made = std::fs::DirBuilder::new().recursive(true).mode(mode).create(path);
    made.map_err(Failure::io(path.display()))
}

const AGENCY: &str = r#"# Sluis at an agency. Made by `sluis init agency`; every key is explained in config/examples/.
[party]
id = "{id}"
name = "{name}"
language = "{language}"

[sealer]
outbox = "outbox"
private = "private"
spool = "spool"
bundles = "bundles"
store = "state/agency.db"
# Users whose files may leave: names or numbers.
owners = [{owner}]
# The releaser's age recipient; its identity is the credential `bundle-identity`.
releaser = "{releaser}"

[carrier]

# One table for each channel that the agreements name, for example:
# [releaser.channels.sms-a]
# driver = "http"
# url = "https://provider.example/sms"
# ...
[releaser.channels]
"#;

const MUNICIPALITY: &str = r#"# Sluis at a municipality. Made by `sluis init municipality`; every key is explained in config/examples/.
[party]
id = "{id}"
name = "{name}"
language = "{language}"

[keeper]
vault = "vault"
store = "state/municipality.db"

[fetcher]
"#;

const DROPZONE: &str = r#"# A Sluis drop zone. Made by `sluis init dropzone`; every key is explained in config/examples/.
[party]
id = "{id}"
name = "{name}"
language = "{language}"

[dropzone]
listen = "{listen}"
folder = "medium"
"#;
