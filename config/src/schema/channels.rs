//! How each channel is reached, and how its operator's reports are read.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use sluis_core::agreement::Agreement;
use sluis_core::agreement::carriers::is_among;
use sluis_core::id::{Address, ChannelId};
use sluis_core::report::Reporter;
use sluis_core::words;
use sluis_core::words::Words;

/// How a channel is reached.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "driver", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Driver {
    /// A folder: rehearsals and tests. Statements say so.
    Spool {
        /// One folder a custodian is made in it.
        folder: PathBuf,
    },
    /// The outgoing folder of the SMS Server Tools (`smsd`): a modem of one's own, no provider in between.
    Smsd {
        /// smsd takes each file from it.
        outgoing: PathBuf,
    },
    /// A provider's HTTP interface.
    Http(Box<Http>),
}

/// A provider's HTTP interface, as data.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Http {
    /// `https://...`; plain http only to this machine.
    pub url: String,
    /// How it is asked; never GET, which would put a share into the URL.
    #[serde(default)]
    pub method: Method,
    /// Headers; never a secret, never the text. `{to}`, `{digits}`, `{reference}` and `{callback}` are filled in.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// How the account is shown.
    pub auth: Option<Auth>,
    /// What is sent. `{to}` (`+32...`), `{digits}` (`32...`), `{text}`, `{reference}` (our own number for it),
    /// `{callback}` (where reports go) and `{secret}` (the account's) are filled in.
    pub body: Body,
    /// When the message was taken.
    pub success: Answer,
    /// Where the provider's number of the message stands: a JSON pointer.
    pub message_id: Option<String>,
    /// When it was not taken, by its word, and is sent again: `sealer.deferrals`.
    #[serde(default)]
    pub retryable: Answer,
    /// When it never will be.
    #[serde(default)]
    pub permanent: Answer,
    /// How long an answer may take.
    #[serde(default = "twenty")]
    pub timeout_s: u64,
}

impl Http {
    /// What a template must be: https (plain http goes no further than this machine), the text in the body and
    /// nowhere else, and the number somewhere.
    ///
    /// # Errors
    /// What is wrong, for people.
    pub fn check(&self) -> Result<(), Words> {
        let local = ["http://127.0.0.1:", "http://127.0.0.1/", "http://[::1]:", "http://[::1]/"];
        // No user before the host: `http://127.0.0.1:x@elsewhere/` goes elsewhere.
        if self.address().contains('@') {
            return Err(words!(
                "{}: een adres zonder gebruiker erin; `auth` noemt de account",
                "{}: an address without a user in it; `auth` shows the account",
                self.url
            ));
        }
        if !(1..=60).contains(&self.timeout_s) {
            return Err(words!(
                "timeout-s is 1 tot 60: een deel mag niet langer onderweg zijn",
                "timeout-s is 1 to 60: a share may not be on its way for longer"
            ));
        }
        if !self.url.starts_with("https://") && !local.iter().any(|it| self.url.starts_with(it)) {
            return Err(words!(
                "{}: een deel vertrekt alleen over https",
                "{}: a share leaves over https only",
                self.url
            ));
        }
        if self.url.contains(['{', '}']) {
            return Err(words!(
                "in een url wordt niets ingevuld: ze staat in logs",
                "nothing is filled into a url: it stands in logs"
            ));
        }
        if self.headers.values().any(|value| value.contains("{text}") || value.contains("{secret}"))
        {
            return Err(words!(
                "de tekst en het geheim horen in de body, nooit in een header: headers staan in logs (`auth` toont een geheim)",
                "the text and the secret belong into the body, never into a header: headers stand in logs (`auth` shows a secret)"
            ));
        }
        if !self.body.holds("{text}") {
            return Err(words!("in de body staat geen {{text}}", "the body has no {{text}}"));
        }
        let number =
            |it: &str| self.body.holds(it) || self.headers.values().any(|value| value.contains(it));
        if number("{to}") || number("{digits}") {
            Ok(())
        } else {
            Err(words!(
                "geen {{to}} of {{digits}} zegt wie het krijgt",
                "neither {{to}} nor {{digits}} says who gets it"
            ))
        }
    }
    /// Where the url goes: `host` or `host:port`.
    #[must_use]
    pub fn address(&self) -> &str {
        let authority = self.url.split("://").nth(1).unwrap_or_default();
        authority.split(['/', '?', '#']).next().unwrap_or_default()
    }
    /// Why this is not the way of the agreement's channel: whoever carries it has other hosts in the register of processors,
    /// or none (art. 6, R58). A party that carries a channel itself names its gateway there too.
    #[must_use]
    pub fn strays(&self, agreement: &Agreement, id: &ChannelId) -> Option<Words> {
        let (hosts, address) = (agreement.hosts_of(id), self.address());
        if agreement.channel(id).is_none() || is_among(&hosts, address) {
            return None;
        }
        let (name, hosts) = (&agreement.agreement, hosts.join(", "));
        if hosts.is_empty() {
            return Some(words!(
                "art. 6: kanaal {id} gaat naar {address}, en in overeenkomst {name} geeft wie het draagt geen hosts (processors.hosts): spreek een nieuwe versie af die ze noemt",
                "art. 6: channel {id} goes to {address}, and in agreement {name} whoever carries it gives no hosts (processors.hosts): agree on a new version that names them"
            ));
        }
        Some(words!(
            "art. 6: kanaal {id} gaat naar {address}, en overeenkomst {name} kent voor wie het draagt enkel {hosts} (processors.hosts): zet releaser.channels.{id} juist, of spreek een nieuwe versie af",
            "art. 6: channel {id} goes to {address}, and agreement {name} has only {hosts} for whoever carries it (processors.hosts): set releaser.channels.{id} right, or agree on a new version"
        ))
    }
    /// Whether the credential `provider-<channel>` is needed.
    #[must_use]
    pub fn needs_secret(&self) -> bool {
        self.auth.is_some() || self.body.holds("{secret}")
    }
    /// Whether reports come by an address that the template names.
    #[must_use]
    pub fn calls_back(&self) -> bool {
        self.body.holds("{callback}")
            || self.headers.values().any(|value| value.contains("{callback}"))
    }
}

/// How a provider is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// As nearly all of them.
    #[default]
    Post,
    /// As few.
    Put,
}

/// How an account is shown; the secret is a credential named `provider-<channel>`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Auth {
    /// HTTP Basic; the password is the credential.
    Basic {
        /// The user's name.
        user: String,
    },
    /// `Authorization: Bearer <credential>`
    Bearer,
    /// A header of the provider's own, with the credential as its value.
    Header(String),
}

/// The request's body.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Body {
    /// `application/x-www-form-urlencoded`
    Form(BTreeMap<String, String>),
    /// `application/json`: the table as an object; placeholders in its texts are filled in.
    Json(toml::Table),
    /// `text/plain`
    Text(String),
}

impl Body {
    /// Whether a placeholder stands in it.
    fn holds(&self, placeholder: &str) -> bool {
        match self {
            Self::Form(fields) => fields.values().any(|value| value.contains(placeholder)),
            Self::Json(table) => table.values().any(|value| value_holds(value, placeholder)),
            Self::Text(text) => text.contains(placeholder),
        }
    }
}

fn value_holds(value: &toml::Value, placeholder: &str) -> bool {
    match value {
        toml::Value::String(text) => text.contains(placeholder),
        toml::Value::Array(items) => items.iter().any(|item| value_holds(item, placeholder)),
        toml::Value::Table(table) => table.values().any(|item| value_holds(item, placeholder)),
        _ => false,
    }
}

/// A class of answers. Where both lists are empty nothing is in it; where both are given both must hold.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Answer {
    /// HTTP statuses.
    pub status: Vec<u16>,
    /// A JSON pointer into the answer.
    pub pointer: Option<String>,
    /// What stands there, as text.
    pub values: Vec<String>,
}

/// `[reports]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Reports {
    /// Where it listens, unless it inherits a socket.
    pub listen: Address,
    /// Whether it speaks TLS itself, with the credentials `reports-certificate` and `reports-key`; without, it
    /// listens on this machine only, behind a server that does.
    #[serde(default)]
    pub tls: bool,
    /// How many connections at once.
    #[serde(default = "connections")]
    pub max_connections: usize,
    /// How the reports of each channel are read. A channel that is not here has none.
    pub channels: BTreeMap<ChannelId, Reporter>,
}

fn twenty() -> u64 {
    20
}
fn connections() -> usize {
    64
}
