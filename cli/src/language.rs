//! Dutch and English.

use std::ffi::OsString;

use clap::ValueEnum;

/// The language in which persons are addressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Lang {
    /// Nederlands.
    Nl,
    /// English.
    En,
}

impl Lang {
    /// As it was typed, before anything is parsed: help and usage errors have a language too.
    pub(crate) fn typed(typed: &[OsString]) -> Option<Self> {
        let words: Vec<&str> = typed.iter().filter_map(|word| word.to_str()).collect();
        let after = words.windows(2).filter(|pair| pair[0] == "--lang").map(|pair| pair[1]);
        let value =
            words.iter().filter_map(|word| word.strip_prefix("--lang=")).chain(after).last();
        value.and_then(|value| Self::from_str(value, false).ok())
    }
    /// As the terminal says, English where it says something else.
    pub(crate) fn of_terminal() -> Self {
        let set = ["LC_ALL", "LC_MESSAGES", "LANG"]
            .into_iter()
            .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
        if set.is_some_and(|value| value.starts_with("nl")) { Self::Nl } else { Self::En }
    }
    /// As the core calls it.
    pub(crate) fn core(self) -> sluis_core::words::Language {
        match self {
            Self::Nl => sluis_core::words::Language::Nl,
            Self::En => sluis_core::words::Language::En,
        }
    }
    /// How often something may be each year.
    pub(crate) fn a_year(self, count: u32) -> String {
        match (self, count) {
            (Self::Nl, _) => format!("hoogstens {count} keer per jaar"),
            (Self::En, 1) => "at most once a year".to_owned(),
            (Self::En, _) => format!("at most {count} times a year"),
        }
    }
    /// One of the two.
    pub(crate) fn pick<'a>(self, nl: &'a str, en: &'a str) -> &'a str {
        match self {
            Self::Nl => nl,
            Self::En => en,
        }
    }
}
