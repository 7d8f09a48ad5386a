//! The folder of agreements: `<name>.toml`, and at the agency `<name>.contacts.toml`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sluis_core::agreement::{Agreement, Contacts};
use sluis_core::evidence::Terms;
use sluis_core::id::{AgreementId, Digest};
use sluis_core::plan::{self, Plan};

use crate::strict::{self, ConfigError};

/// An agreement as it is installed here.
#[derive(Debug, Clone)]
pub struct Installed {
    /// What it says, and the digest of its file.
    pub terms: Terms,
    /// The file's text, to be kept as long as transfers rest on it.
    pub text: String,
    /// Who gets which share.
    pub plan: Plan,
    /// Where they are reached, at the agency.
    pub contacts: Option<(Contacts, Digest)>,
}

/// All agreements of a host.
#[derive(Debug, Clone, Default)]
pub struct Agreements(BTreeMap<AgreementId, Installed>);

impl Agreements {
    /// Reads every agreement in the folder.
    ///
    /// # Errors
    /// [`ConfigError`] of the first that is wrong: a core with half of its agreements would mislead.
    pub fn load(folder: &Path) -> Result<Self, ConfigError> {
        let unreadable = |e: std::io::Error| ConfigError::Unreadable {
            path: folder.to_owned(),
            why: e.to_string(),
        };
        let mut found = BTreeMap::new();
        for entry in std::fs::read_dir(folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if !name.ends_with(".toml") || name.ends_with(".contacts.toml") || name.starts_with('.')
            {
                continue;
            }
            let installed = read(&path)?;
            found.insert(installed.terms.agreement.agreement.clone(), installed);
        }
        Ok(Self(found))
    }
    /// The agreement of this name.
    #[must_use]
    pub fn get(&self, id: &AgreementId) -> Option<&Installed> {
        self.0.get(id)
    }
    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Installed> {
        self.0.values()
    }
}

/// Reads one agreement, checks it, and reads its contacts where there are any.
///
/// # Errors
/// [`ConfigError`].
pub fn read(path: &Path) -> Result<Installed, ConfigError> {
    let text = strict::read(path)?;
    let wrong = |why: String| ConfigError::Agreement { path: path.to_owned(), why };
    let (terms, plan) = parse(path, &text)?;
    let name = terms.agreement.agreement.as_str();
    if path.file_stem().and_then(|stem| stem.to_str()) != Some(name) {
        return Err(wrong(format!(
            "it is agreement `{name}`: the file must be called {name}.toml"
        )));
    }
    let contacts = contacts_path(path);
    let contacts = if contacts.exists() {
        let text = strict::read(&contacts)?;
        let read: Contacts = strict::parse(&contacts, &text)?;
        plan.check_contacts(&read)
            .map_err(|e| ConfigError::Agreement { path: contacts, why: e.to_string() })?;
        Some((read, Digest::of(text.as_bytes())))
    } else {
        None
    };
    Ok(Installed { terms, text, plan, contacts })
}

/// Parses and checks an agreement's text.
///
/// # Errors
/// [`ConfigError`].
pub fn parse(path: &Path, text: &str) -> Result<(Terms, Plan), ConfigError> {
    let agreement: Agreement = strict::parse(path, text)?;
    let plan = plan::check(&agreement)
        .map_err(|e| ConfigError::Agreement { path: path.to_owned(), why: e.to_string() })?;
    Ok((Terms { agreement, digest: Digest::of(text.as_bytes()) }, plan))
}

/// Where the contacts of an agreement file are.
#[must_use]
pub fn contacts_path(agreement: &Path) -> PathBuf {
    agreement.with_extension("contacts.toml")
}
