//! Whether the version of an agreement that lies here counts: the core of this host knows, the file does not (art. 6).

use sluis_config::{Agreements, Config, Installed};
use sluis_core::control::About;
use sluis_core::words;
use sluis_core::words::Words;

use crate::failure::Failure;
use crate::socket::Socket;

/// How a version stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counts {
    /// Transfers begin under it.
    Yes,
    /// Two persons have not said so.
    Waits,
    /// The core began with another one.
    NotLoaded,
    /// The core does not answer.
    Unknown,
    /// This host has no core: what lies here is what it goes by.
    NoCore,
}

/// What the core of this host says of its agreements.
pub(crate) struct Core(Result<About, Failure>);

impl Core {
    /// Asks it.
    pub(crate) fn of(config: &Config) -> Option<Self> {
        config.core()?;
        Some(Self(Socket::of(config).and_then(|socket| socket.get("about"))))
    }

    fn says(&self, installed: &Installed) -> Counts {
        let Ok(about) = &self.0 else { return Counts::Unknown };
        let terms = &installed.terms;
        if !about.installed.contains(&terms.digest) {
            Counts::NotLoaded
        } else if about.unapproved.contains(&terms.agreement.agreement) {
            Counts::Waits
        } else {
            Counts::Yes
        }
    }
}

impl Counts {
    /// As the core has it, where there is one.
    pub(crate) fn of(core: Option<&Core>, installed: &Installed) -> Self {
        core.map_or(Self::NoCore, |core| core.says(installed))
    }

    /// For machines: yes, no, or nobody knows.
    pub(crate) fn known(self) -> Option<bool> {
        match self {
            Self::Yes | Self::NoCore => Some(true),
            Self::Waits | Self::NotLoaded => Some(false),
            Self::Unknown => None,
        }
    }

    /// In a table.
    pub(crate) fn words(self) -> Words {
        match self {
            Self::Yes | Self::NoCore => words!("ja", "yes"),
            Self::Waits => words!("nee: wacht op twee personen", "no: waits for two persons"),
            Self::NotLoaded => words!("nee: herstart de kern", "no: restart the core"),
            Self::Unknown => words!("? de kern antwoordt niet", "? the core does not answer"),
        }
    }
}

/// The versions that wait, as `config check` notes them.
pub(crate) fn notes(config: &Config, agreements: &Agreements) -> Vec<Words> {
    let core = Core::of(config);
    let waits = agreements.iter().filter(|it| Counts::of(core.as_ref(), it) == Counts::Waits);
    let note = |installed: &Installed| {
        let agreement = &installed.terms.agreement;
        let (name, version) = (&agreement.agreement, agreement.version);
        words!(
            "let op: versie {version} van {name} wacht op twee personen, en er vertrekt niets onder (art. 6): sluis agreement approve {name}",
            "note: version {version} of {name} waits for two persons, and nothing leaves under it (art. 6): sluis agreement approve {name}"
        )
    };
    waits.map(note).collect()
}
