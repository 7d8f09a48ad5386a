//! `sluis.toml`: one file a host; each role reads its own section.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sluis_core::duty::Duty;
use sluis_core::id::{Address, ChannelId, CustodianId, PartyId};
use sluis_core::words;
use sluis_core::words::{Language, Words};

use crate::strict::{self, ConfigError};

pub mod answers;
mod channels;
mod notifier;
pub use channels::{Answer, Auth, Body, Driver, Http, Method, Reports};
pub use notifier::{Addresses, Notifier, SmtpTls};

/// The file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Whose host this is.
    pub party: Party,
    /// Where things are.
    #[serde(default)]
    pub paths: Paths,
    /// How the program speaks and logs.
    #[serde(default)]
    pub log: Log,
    /// Who may do what at this core, which does not start without: users by name or number, groups as `@group`. A duty
    /// that is left out is nobody's.
    pub duties: Option<BTreeMap<Duty, Vec<Owner>>>,
    /// The agency's core.
    pub sealer: Option<Sealer>,
    /// The agency's gate to the drop zones.
    pub carrier: Option<Gate>,
    /// The agency's gate to the SMS providers.
    pub releaser: Option<Releaser>,
    /// The agency's gate for what operators report.
    pub reports: Option<Reports>,
    /// The transport medium.
    pub dropzone: Option<DropZone>,
    /// The municipality's core.
    pub keeper: Option<Keeper>,
    /// The municipality's gate to the drop zone.
    pub fetcher: Option<Gate>,
    /// The gate of either party to its mail server.
    pub notifier: Option<Notifier>,
}

/// `[party]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Party {
    /// The id that agreements know it by.
    pub id: PartyId,
    /// Its name for people.
    pub name: String,
    /// The language of status files and messages.
    #[serde(default)]
    pub language: Language,
}

/// `[paths]`, relative to the file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Paths {
    /// Agreements, `<name>.toml` and `<name>.contacts.toml`.
    pub agreements: PathBuf,
    /// Secrets, 0600, where `$CREDENTIALS_DIRECTORY` does not have them.
    pub credentials: PathBuf,
    /// Local sockets.
    pub run: PathBuf,
    /// The group whose members may use the socket for persons; the core's own where it is missing.
    pub persons: Option<String>,
    /// The group whose members may use a gate's socket, `{gate}` standing for the gate's name; the core's own
    /// where it is missing.
    pub gates: Option<String>,
}

impl Default for Paths {
    fn default() -> Self {
        Self {
            agreements: "agreements".into(),
            credentials: "credentials".into(),
            run: "run".into(),
            persons: None,
            gates: None,
        }
    }
}

/// `[log]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Log {
    /// From where on something is logged.
    pub level: Level,
    /// One JSON object a line.
    pub json: bool,
}

/// How grave what is logged must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names that every log has")]
pub enum Level {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

impl Default for Log {
    fn default() -> Self {
        Self { level: Level::Info, json: false }
    }
}

/// `[sealer]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Sealer {
    /// The watched folder: one folder an agreement.
    pub outbox: PathBuf,
    /// Sealed plaintext, on the same file system as the outbox.
    pub private: PathBuf,
    /// Envelopes on their way.
    pub spool: PathBuf,
    /// Bundles.
    pub bundles: PathBuf,
    /// `postgres://...`, or the path of an SQLite file.
    pub store: String,
    /// Whose files may leave: users by name or number, groups as `@group`.
    pub owners: Vec<Owner>,
    /// A file is taken when it was closed and unchanged for so long.
    #[serde(default = "two_seconds")]
    pub settle_ms: u64,
    /// How often the whole outbox is looked through.
    #[serde(default = "sixty")]
    pub rescan_s: u64,
    /// The releaser's age recipient.
    pub releaser: String,
    /// How long a share whose answer was lost waits for a report before it goes again.
    #[serde(default = "ten_minutes")]
    pub resend_after_s: u64,
    /// How often it does; 0: a person decides.
    #[serde(default = "two")]
    pub resends: u8,
    /// How often a provider may say "later" of a share, which goes again by itself then; after that a person decides.
    #[serde(default = "thirty")]
    pub deferrals: u8,
    /// A custodian's number that changed is used so many hours after two persons confirmed it.
    #[serde(default = "a_day")]
    pub number_cooling_off_hours: u32,
}

impl Sealer {
    /// Drops are claimed by rename, which works inside one file system only. Folders that are not there yet will lie on
    /// that of what is above them.
    ///
    /// # Errors
    /// [`ConfigError::Value`].
    pub fn claims_by_rename(&self) -> Result<(), ConfigError> {
        let device =
            |path: &Path| path.ancestors().find_map(|at| Some(std::fs::metadata(at).ok()?.dev()));
        if device(&self.outbox) == device(&self.private) {
            return Ok(());
        }
        let why = words!(
            "moet op hetzelfde bestandssysteem liggen als sealer.outbox: wat daar ligt, wordt opgenomen door het te hernoemen",
            "must lie on the same file system as sealer.outbox: drops are claimed by rename"
        );
        Err(ConfigError::Value { key: "sealer.private", why })
    }
}

impl Config {
    /// Who may do what at this core.
    ///
    /// # Errors
    /// [`ConfigError::Value`] where nothing says so: nobody has a duty because nobody thought of it.
    pub fn who_may(&self) -> Result<&BTreeMap<Duty, Vec<Owner>>, ConfigError> {
        let why = words!(
            "ontbreekt: zeg wie wat mag aan deze kern (art. 6: functiescheiding). `sluis init` schrijft de sectie, docs/operations.md heeft de tabel",
            "missing: say who may do what at this core (art. 6: separation of duties). `sluis init` writes the section, docs/operations.md has the table"
        );
        self.duties.as_ref().ok_or(ConfigError::Value { key: "duties", why })
    }
}

/// A Unix user; a name that begins with `@` is a group.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Owner {
    /// By number.
    Uid(u32),
    /// By name, as in `/etc/passwd`, or `@` and the name of a group, as in `/etc/group`.
    Name(String),
}

/// `[carrier]` and `[fetcher]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Gate {
    /// Whether the hybrid post-quantum key exchange is required.
    #[serde(default = "yes")]
    pub require_post_quantum: bool,
    /// A connection on which nothing moves for so long is given up.
    #[serde(default = "sixty")]
    pub idle_s: u64,
}

/// `[releaser]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Releaser {
    /// `https://...` where operators reach the role `reports`; what `{callback}` of a template begins with.
    pub callback: Option<String>,
    /// How each channel of the agreements is reached.
    pub channels: BTreeMap<ChannelId, Driver>,
}

/// `[dropzone]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DropZone {
    /// Where it listens, unless it inherits a socket.
    pub listen: Address,
    /// Uploads and mailboxes.
    pub folder: PathBuf,
    /// What one agreement may hold at once, in MiB.
    #[serde(default = "quota")]
    pub quota_mib: u64,
    /// How many uploads one agreement may have at once.
    #[serde(default = "uploads")]
    pub max_uploads: usize,
    /// How long an upload lives, in hours.
    #[serde(default = "week")]
    pub expires_hours: u32,
    /// A body that sends nothing for so long is cut.
    #[serde(default = "sixty")]
    pub idle_s: u64,
    /// How many connections at once.
    #[serde(default = "connections")]
    pub max_connections: usize,
}

/// `[keeper]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Keeper {
    /// The environment that the municipality controls.
    pub vault: PathBuf,
    /// `postgres://...`, or the path of an SQLite file.
    pub store: String,
    /// The group that may read opened files, per agreement; the keeper's own where it is missing.
    #[serde(default)]
    pub groups: BTreeMap<String, String>,
    /// The Unix user of a custodian: only this one types that custodian's line. Any custodian's where it is missing.
    #[serde(default)]
    pub custodians: BTreeMap<CustodianId, Owner>,
    /// How long backups of the vault are kept: `destroyed` says until when they may hold a list. 0 where there are none.
    pub backups_keep_days: u32,
    /// Accepted lines are forgotten when nobody types for so long.
    #[serde(default = "hour")]
    pub forget_lines_s: u64,
}

fn two_seconds() -> u64 {
    2000
}
fn sixty() -> u64 {
    60
}
fn a_day() -> u32 {
    24
}
fn ten_minutes() -> u64 {
    600
}
fn two() -> u8 {
    2
}
fn thirty() -> u8 {
    30
}
fn hour() -> u64 {
    3600
}
fn yes() -> bool {
    true
}
fn quota() -> u64 {
    20 * 1024
}
fn uploads() -> usize {
    64
}
fn week() -> u32 {
    7 * 24
}
fn connections() -> usize {
    512
}

/// Scalars that the environment may set, as `SLUIS_<NAME>`.
const FROM_ENVIRONMENT: [(&str, &str); 3] =
    [("log.level", "SLUIS_LOG_LEVEL"), ("log.json", "SLUIS_LOG_JSON"), ("paths.run", "SLUIS_RUN")];

/// What the library of layers says of a value, with its own words behind.
fn unfit(error: &config::ConfigError) -> Words {
    words!("een waarde die niet dient («{error}»)", "a value that does not serve (\"{error}\")")
}

impl Config {
    /// Reads the file strictly, lays the allowed environment over it, makes its paths absolute.
    ///
    /// # Errors
    /// [`ConfigError`], with line, column and caret.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        Self::load_with(path, |name| std::env::var(name).ok())
    }

    /// As [`Config::load`], with the environment as an argument.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn load_with(
        path: &Path,
        env: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        if let Err(error) = std::fs::metadata(path)
            && error.kind() == std::io::ErrorKind::NotFound
        {
            let why = words!(
                "{}\n  een host wordt gemaakt met `sluis init`; een andere noemt u met --config",
                "{}\n  a host is made with `sluis init`; another one is named with --config";
                Words::io(&error)
            );
            return Err(ConfigError::Unreadable { path: path.to_owned(), why });
        }
        let text = strict::read(path)?;
        let _: Self = strict::parse(path, &text)?;
        let mut layered = config::Config::builder()
            .add_source(config::File::from_str(&text, config::FileFormat::Toml));
        for (key, name) in FROM_ENVIRONMENT {
            layered = layered
                .set_override_option(key, env(name))
                .map_err(|e| ConfigError::Environment(name, unfit(&e)))?;
        }
        let mut config: Self = layered
            .build()
            .and_then(config::Config::try_deserialize)
            .map_err(|e| ConfigError::Environment("SLUIS_*", unfit(&e)))?;
        config.anchor(path.parent().unwrap_or(Path::new(".")));
        Ok(config)
    }

    fn anchor(&mut self, base: &Path) {
        let base = std::path::absolute(base).unwrap_or_else(|_| base.to_owned());
        let fix = |path: &mut PathBuf| *path = base.join(&*path);
        let fix_all = |paths: Vec<&mut PathBuf>| paths.into_iter().for_each(fix);
        fix_all(vec![&mut self.paths.agreements, &mut self.paths.credentials, &mut self.paths.run]);
        if let Some(sealer) = &mut self.sealer {
            fix_all(vec![
                &mut sealer.outbox,
                &mut sealer.private,
                &mut sealer.spool,
                &mut sealer.bundles,
            ]);
            sealer.store = anchored_store(&base, &sealer.store);
        }
        if let Some(keeper) = &mut self.keeper {
            fix(&mut keeper.vault);
            keeper.store = anchored_store(&base, &keeper.store);
        }
        if let Some(dropzone) = &mut self.dropzone {
            fix(&mut dropzone.folder);
        }
        if let Some(ca) = self.notifier.as_mut().and_then(|notifier| notifier.ca.as_mut()) {
            fix(ca);
        }
        for driver in self.releaser.iter_mut().flat_map(|releaser| releaser.channels.values_mut()) {
            if let Driver::Spool { folder } | Driver::Smsd { outgoing: folder } = driver {
                fix(folder);
            }
        }
    }

    /// The core of this host, `sealer` or `keeper`; none at a drop zone.
    #[must_use]
    pub fn core(&self) -> Option<&'static str> {
        match (&self.sealer, &self.keeper) {
            (Some(_), _) => Some("sealer"),
            (None, Some(_)) => Some("keeper"),
            (None, None) => None,
        }
    }

    /// The channels that are folders.
    #[must_use]
    pub fn folders(&self) -> BTreeSet<ChannelId> {
        let channels = self.releaser.iter().flat_map(|releaser| &releaser.channels);
        let folders = channels.filter(|(_, driver)| matches!(driver, Driver::Spool { .. }));
        folders.map(|(id, _)| id.clone()).collect()
    }

    /// The local socket of this name.
    #[must_use]
    pub fn socket(&self, name: &str) -> PathBuf {
        self.paths.run.join(format!("{name}.sock"))
    }
}

fn anchored_store(base: &Path, store: &str) -> String {
    if store.contains("://") { store.to_owned() } else { base.join(store).display().to_string() }
}
