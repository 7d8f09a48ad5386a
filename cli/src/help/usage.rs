//! What was typed wrong, in Dutch; what this has no words for is told as clap tells it.

use clap::Error;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use sluis_core::id::Malformed;
use sluis_core::words::Words;

use crate::failure::{Failure, exit};
use crate::language::Lang;

/// Says it as clap does, help on standard output and errors on standard error, and ends the program. A machine is given
/// both languages.
#[expect(clippy::print_stderr, reason = "this is where it is said")]
pub(super) fn exit(error: &Error, lang: Lang, json: bool) -> ! {
    if json && error.use_stderr() {
        let said = error.to_string();
        let en = said.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        let nl = sentence(error).unwrap_or_else(|| en.clone());
        let _ = Failure::new(exit::USAGE, "usage", Words { nl, en }).tell(lang, json);
        std::process::exit(i32::from(exit::USAGE))
    }
    match sentence(error).filter(|_| lang == Lang::Nl) {
        None => error.exit(),
        Some(said) => {
            let usage = of(error, ContextKind::Usage);
            let usage = usage.strip_prefix("Usage: ").map(|it| format!("Gebruik: {it}\n"));
            eprintln!("sluis: {said}\n{}Meer met: --help", usage.unwrap_or_default());
            std::process::exit(i32::from(exit::USAGE))
        }
    }
}

/// What is wrong, and where clap knows it, what was meant.
fn sentence(error: &Error) -> Option<String> {
    let (what, value) = (of(error, ContextKind::InvalidArg), of(error, ContextKind::InvalidValue));
    let known = of(error, ContextKind::ValidValue);
    let said = match error.kind() {
        ErrorKind::UnknownArgument => format!("onbekend argument: {what}"),
        ErrorKind::InvalidSubcommand => {
            format!("onbekend commando: {}", of(error, ContextKind::InvalidSubcommand))
        }
        ErrorKind::InvalidValue if value.is_empty() => {
            format!("er ontbreekt een waarde bij {what}")
        }
        ErrorKind::InvalidValue => format!("{value} past niet bij {what}; het kan zijn: {known}"),
        ErrorKind::ValueValidation => match std::error::Error::source(error) {
            Some(why) => {
                format!("{value} past niet bij {what}: {}", Malformed::in_dutch(&why.to_string()))
            }
            None => format!("{value} past niet bij {what}"),
        },
        ErrorKind::TooManyValues => format!("{what} neemt geen waarde: {value}"),
        ErrorKind::MissingRequiredArgument => format!("er ontbreekt: {what}"),
        ErrorKind::ArgumentConflict => {
            format!("{what} gaat niet samen met {}", of(error, ContextKind::PriorArg))
        }
        _ => return None,
    };
    let meant =
        [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand].map(|it| of(error, it));
    let meant = meant.into_iter().find(|it| !it.is_empty());
    Some(meant.map_or(said.clone(), |it| format!("{said}; bedoelde u {it}?")))
}

fn of(error: &Error, kind: ContextKind) -> String {
    match error.get(kind) {
        Some(ContextValue::String(one)) => one.clone(),
        Some(ContextValue::Strings(all)) => all.join(", "),
        Some(ContextValue::StyledStr(text)) => text.to_string(),
        _ => String::new(),
    }
}
