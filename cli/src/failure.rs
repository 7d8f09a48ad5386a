//! How a verb fails: a message that says what, where, why and what next, a stable code, an exit code.

use std::process::ExitCode;

use sluis_config::ConfigError;
use sluis_core::control::Refused;
use sluis_core::words;
use sluis_core::words::Words;

use crate::language::Lang;
use crate::output;

/// Exit codes; `docs/operations.md` has the table.
pub(crate) mod exit {
    /// Refused, or evidence that does not hold.
    pub(crate) const REFUSED: u8 = 1;
    /// What was typed is no command; as clap has it.
    pub(crate) const USAGE: u8 = 2;
    /// `sluis health`, as monitoring knows it: worth a look.
    pub(crate) const WARNING: u8 = 1;
    /// The same: somebody must act, or the core does not answer.
    pub(crate) const CRITICAL: u8 = 2;
    /// Evidence that holds but is not complete.
    pub(crate) const INCOMPLETE: u8 = 3;
    /// The core does not answer (sysexits: `EX_UNAVAILABLE`).
    pub(crate) const UNAVAILABLE: u8 = 69;
    /// A file cannot be read or written (sysexits: `EX_IOERR`).
    pub(crate) const IO: u8 = 74;
    /// The configuration (sysexits: `EX_CONFIG`).
    pub(crate) const CONFIG: u8 = 78;
}

/// A failed verb.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: u8,
    refused: Refused,
}

/// The result of every verb.
pub(crate) type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    pub(crate) fn new(exit: u8, code: &str, words: Words) -> Self {
        Self { exit, refused: Refused::new(code, words) }
    }
    /// Refused for a reason that a script tells apart; docs/operations.md has every code.
    pub(crate) fn coded(code: &'static str, words: Words) -> Self {
        Self::new(exit::REFUSED, code, words)
    }
    pub(crate) fn io(what: impl std::fmt::Display) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.to_string();
        move |error| {
            Self::new(exit::IO, "io", words!("{what}: {}", "{what}: {}"; Words::io(&error)))
        }
    }
    /// The same, and what can be done about it.
    pub(crate) fn and(mut self, next: &Words) -> Self {
        let Words { nl, en } = &mut self.refused.words;
        nl.push_str(&format!("\n  {}", next.nl));
        en.push_str(&format!("\n  {}", next.en));
        self
    }
    /// Whoever read our output has seen enough; no failure to the shell.
    pub(crate) fn unread() -> Self {
        Self::new(0, "unread", Words::default())
    }
    /// An exit code alone: why was said on standard output.
    pub(crate) fn said(exit: u8) -> Self {
        Self::new(exit, "said", Words::default())
    }
    /// Whether the core did not answer.
    pub(crate) fn is_away(&self) -> bool {
        self.exit == exit::UNAVAILABLE
    }
    /// The stable code.
    pub(crate) fn code(&self) -> &str {
        &self.refused.code
    }
    /// As a machine is given it.
    pub(crate) fn refused_as(&self) -> &Refused {
        &self.refused
    }
    /// The message.
    pub(crate) fn message(&self, lang: Lang) -> &str {
        self.refused.words.text(lang.core())
    }

    /// Says it on standard error, for people or as JSON.
    #[expect(clippy::print_stderr, reason = "this is where it is said")]
    pub(crate) fn tell(&self, lang: Lang, json: bool) -> ExitCode {
        if self.exit == 0 || self.refused.words.en.is_empty() {
            return ExitCode::from(self.exit);
        }
        if json {
            eprintln!("{}", serde_json::to_string(&self.refused).unwrap_or_default());
        } else {
            let said = output::pasted(self.message(lang));
            let lines: Vec<String> = said.split('\n').map(words::shown).collect();
            eprintln!("sluis[{}]: {}", self.code(), lines.join("\n"));
        }
        ExitCode::from(self.exit)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::new(exit::CONFIG, "config", error.words())
    }
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        Self { exit: exit::REFUSED, refused }
    }
}
