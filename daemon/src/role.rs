//! The eight roles, each its own process, unit and user.

use clap::ValueEnum;

/// The roles, as the command line names them. A core is a role with a queue of its own; what its gates do waits there too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Role {
    /// The agency's core.
    Sealer,
    /// The agency's gate to the drop zones.
    Carrier,
    /// The agency's gate to the SMS providers.
    Releaser,
    /// The agency's gate for what operators report.
    Reports,
    /// The transport medium.
    Dropzone,
    /// The municipality's core.
    Keeper,
    /// The municipality's gate to the drop zone.
    Fetcher,
    /// The gate of either party to its mail server.
    Notifier,
}

impl Role {
    /// Its name: on the command line, of its unit, and in the queue of work.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sealer => "sealer",
            Self::Carrier => "carrier",
            Self::Releaser => "releaser",
            Self::Reports => "reports",
            Self::Dropzone => "dropzone",
            Self::Keeper => "keeper",
            Self::Fetcher => "fetcher",
            Self::Notifier => "notifier",
        }
    }

    /// The role of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::value_variants().iter().find(|role| role.name() == name).copied()
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
