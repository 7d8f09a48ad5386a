//! The folder of agreements: `<name>.toml`, and at the agency `<name>.contacts.toml`.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use sluis_core::agreement::{Agreement, Contacts, Side};
use sluis_core::evidence::Terms;
use sluis_core::id::{AgreementId, Digest, PartyId};
use sluis_core::plan::{self, Plan};
use sluis_core::words;
use sluis_core::words::Words;

use crate::schema::Config;
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
pub struct Agreements {
    present: BTreeMap<AgreementId, Installed>,
    /// Versions before the present ones, by digest: transfers that began under them end under them (R83).
    former: BTreeMap<Digest, Terms>,
}

/// The folder of former versions, below that of the agreements.
pub const FORMER: &str = "former";

impl Agreements {
    /// Reads every agreement in the folder, without the contacts: gates may not read those.
    ///
    /// # Errors
    /// [`ConfigError`] of the first that is wrong: a role with half of its agreements would mislead.
    pub fn load(folder: &Path) -> Result<Self, ConfigError> {
        let mut present = BTreeMap::new();
        for path in files(folder)? {
            let installed = read(&path)?;
            present.insert(installed.terms.agreement.agreement.clone(), installed);
        }
        let mut former = BTreeMap::new();
        if folder.join(FORMER).is_dir() {
            for path in files(&folder.join(FORMER))? {
                let (terms, _) = parse(&path, &strict::read(&path)?)?;
                former.insert(terms.digest, terms);
            }
        }
        Ok(Self { present, former })
    }
    /// As [`Agreements::load`], with the contacts beside them: for the sealer alone, and nobody else may read them.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn load_with_contacts(folder: &Path) -> Result<Self, ConfigError> {
        let mut all = Self::load(folder)?;
        for (name, installed) in &mut all.present {
            let path = folder.join(format!("{name}.toml"));
            private(&contacts_path(&path))?;
            installed.contacts = read_contacts(&path, &installed.plan)?;
        }
        Ok(all)
    }
    /// The agreements of a host, where it is an agency's with their contacts: whoever is reached by telephone has a number
    /// that every channel reads alike.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn of(config: &Config) -> Result<Self, ConfigError> {
        let folder = &config.paths.agreements;
        if config.sealer.is_none() {
            return Self::load(folder);
        }
        let all = Self::load_with_contacts(folder)?;
        let folders = config.folders();
        for (name, installed) in &all.present {
            let Some((contacts, _)) = &installed.contacts else { continue };
            installed.plan.check_telephones(contacts, &folders).map_err(|e| {
                let path = contacts_path(&folder.join(format!("{name}.toml")));
                ConfigError::Agreement { path, why: e.words() }
            })?;
        }
        Ok(all)
    }
    /// The agreement of this name.
    #[must_use]
    pub fn get(&self, id: &AgreementId) -> Option<&Installed> {
        self.present.get(id)
    }
    /// Whether each is one of this party, on this side.
    ///
    /// # Errors
    /// [`ConfigError::Agreement`] of the first that is not.
    pub fn are_of(&self, party: &PartyId, side: Side) -> Result<(), ConfigError> {
        let all = self.iter().map(|installed| &installed.terms.agreement);
        let Some(other) = all.into_iter().find(|it| it.party(side).id != *party) else {
            return Ok(());
        };
        let (name, theirs) = (&other.agreement, &other.party(side).id);
        let why = words!(
            "deze host is `{party}` (party.id in sluis.toml), maar in deze overeenkomst heet de partij aan deze kant `{theirs}`: \
             verbeter party.id, of haal de overeenkomst hier weg",
            "this host is `{party}` (party.id in sluis.toml), but the party on this side of this agreement is called `{theirs}`: \
             mend party.id, or take the agreement away here"
        );
        Err(ConfigError::Agreement { path: format!("{name}.toml").into(), why })
    }
    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Installed> {
        self.present.values()
    }
    /// The version with this digest, present or former, with the keys of the present one: a former version's own say
    /// nothing of keys that were changed since.
    #[must_use]
    pub fn version(&self, digest: &Digest) -> Option<Terms> {
        let present = self.present.values().map(|installed| &installed.terms);
        let terms = present.chain(self.former.values()).find(|terms| terms.digest == *digest)?;
        let newest = self.get(&terms.agreement.agreement);
        let keys = newest.map_or(&terms.agreement.keys, |it| &it.terms.agreement.keys);
        Some(terms.clone().under(keys))
    }
}

/// The agreement files in a folder.
fn files(folder: &Path) -> Result<Vec<PathBuf>, ConfigError> {
    let unreadable =
        |e: std::io::Error| ConfigError::Unreadable { path: folder.to_owned(), why: Words::io(&e) };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let hidden = name.starts_with('.') || name.ends_with(".contacts.toml");
        if name.ends_with(".toml") && !hidden {
            found.push(path);
        }
    }
    Ok(found)
}

/// Reads one agreement and checks it.
///
/// # Errors
/// [`ConfigError`].
pub fn read(path: &Path) -> Result<Installed, ConfigError> {
    let text = strict::read(path)?;
    let (terms, plan) = parse(path, &text)?;
    let name = terms.agreement.agreement.as_str();
    if path.file_stem().and_then(|stem| stem.to_str()) != Some(name) {
        let why = words!(
            "het is overeenkomst `{name}`: het bestand moet {name}.toml heten",
            "it is agreement `{name}`: the file must be called {name}.toml"
        );
        return Err(ConfigError::Agreement { path: path.to_owned(), why });
    }
    Ok(Installed { terms, text, plan, contacts: None })
}

/// Reads the contacts beside an agreement, where there are any, and holds them against its plan.
///
/// # Errors
/// [`ConfigError`].
pub fn read_contacts(
    agreement: &Path,
    plan: &Plan,
) -> Result<Option<(Contacts, Digest)>, ConfigError> {
    let path = contacts_path(agreement);
    if !path.exists() {
        return Ok(None);
    }
    let text = strict::read(&path)?;
    parse_contacts(&path, &text, plan).map(Some)
}

/// Parses a contacts file's text, and holds it against the agreement's plan.
///
/// # Errors
/// [`ConfigError`].
pub fn parse_contacts(
    path: &Path,
    text: &str,
    plan: &Plan,
) -> Result<(Contacts, Digest), ConfigError> {
    let contacts: Contacts = strict::parse(path, text)?;
    plan.check_contacts(&contacts)
        .map_err(|e| ConfigError::Agreement { path: path.to_owned(), why: e.words() })?;
    Ok((contacts, Digest::of(text.as_bytes())))
}

/// Whether nobody but its owner can read a file of telephone numbers, where there is one.
fn private(path: &Path) -> Result<(), ConfigError> {
    let Ok(meta) = std::fs::metadata(path) else { return Ok(()) };
    let mode = meta.mode() & 0o777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    let why = words!(
        "rechten {mode:03o}: anderen kunnen de telefoonnummers lezen; chmod 600",
        "mode {mode:03o}: others can read the telephone numbers; chmod 600"
    );
    Err(ConfigError::Agreement { path: path.to_owned(), why })
}

/// Parses and checks an agreement's text.
///
/// # Errors
/// [`ConfigError`].
pub fn parse(path: &Path, text: &str) -> Result<(Terms, Plan), ConfigError> {
    let agreement: Agreement = strict::parse(path, text)?;
    let plan = plan::check(&agreement)
        .map_err(|e| ConfigError::Agreement { path: path.to_owned(), why: e.words() })?;
    Ok((Terms { agreement, digest: Digest::of(text.as_bytes()) }, plan))
}

/// Where the contacts of an agreement file are.
#[must_use]
pub fn contacts_path(agreement: &Path) -> PathBuf {
    agreement.with_extension("contacts.toml")
}
