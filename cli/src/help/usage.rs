//! What was typed wrong, in Dutch; what this has no words for is told as clap tells it.

use clap::Error;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use sluis_core::id::Malformed;
use sluis_core::words;
use sluis_core::words::Words;

use crate::failure::{Failure, exit};
use crate::language::Lang;

/// Says it as clap does, help on standard output and errors on standard error, and ends the program. A machine is given
/// both languages. Where an option is none, and none is like it, those that there are stand below.
#[expect(clippy::print_stderr, reason = "this is where it is said")]
pub(super) fn exit(error: &Error, options: &str, lang: Lang, json: bool) -> ! {
    if [ContextKind::InvalidArg, ContextKind::InvalidValue]
        .iter()
        .any(|it| is_line(&of(error, *it)))
    {
        let why = words!(
            "een regel van een sleuteldeel is nooit een argument: andere gebruikers van deze machine zien die, en de geschiedenis van de shell bewaart ze. Typ hem na: sluis open CODE",
            "a share line is never an argument: other users of this machine see those, and the history of the shell keeps them. Type it after: sluis open CODE"
        );
        let _ = Failure::new(exit::USAGE, "usage", why).tell(lang, json);
        std::process::exit(i32::from(exit::USAGE))
    }
    if json && error.use_stderr() {
        let said = error.to_string();
        let en = said.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        let nl = sentence(error).unwrap_or_else(|| en.clone());
        let _ = Failure::new(exit::USAGE, "usage", Words { nl, en }).tell(lang, json);
        std::process::exit(i32::from(exit::USAGE))
    }
    let stray = error.kind() == ErrorKind::UnknownArgument
        && of(error, ContextKind::InvalidArg).starts_with('-')
        && of(error, ContextKind::SuggestedArg).is_empty();
    match sentence(error).filter(|_| lang == Lang::Nl) {
        None if stray => {
            eprintln!("{}\nOptions here: {options}", error.to_string().trim_end());
            std::process::exit(i32::from(exit::USAGE))
        }
        None => error.exit(),
        Some(said) => {
            let usage = of(error, ContextKind::Usage);
            let usage = usage.strip_prefix("Usage: ").map(|it| format!("Gebruik: {it}\n"));
            eprintln!("sluis: {said}\n{}", usage.unwrap_or_default().trim_end());
            if stray {
                eprintln!("Opties hier: {options}");
            }
            eprintln!("Meer met: --help");
            std::process::exit(i32::from(exit::USAGE))
        }
    }
}

/// Whether this may be a share line: a secret, and not told again.
fn is_line(typed: &str) -> bool {
    let symbols = typed.chars().filter(char::is_ascii_alphanumeric).count();
    let group = |it: &str| it.len() <= 4 && it.chars().all(|c| c.is_ascii_alphanumeric());
    (30..=40).contains(&symbols)
        && (typed.split(['-', ' ']).all(group) || symbols == typed.chars().count())
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
            Some(cause) => format!("{value} past niet bij {what}: {}", why(&cause.to_string())),
            None => format!("{value} past niet bij {what}"),
        },
        ErrorKind::TooManyValues => format!("{what} neemt geen waarde: {value}"),
        ErrorKind::MissingRequiredArgument => format!("er ontbreekt: {what}"),
        ErrorKind::ArgumentConflict if what == of(error, ContextKind::PriorArg) => {
            format!("{what} staat er tweemaal")
        }
        ErrorKind::ArgumentConflict => {
            format!("{what} gaat niet samen met {}", of(error, ContextKind::PriorArg))
        }
        ErrorKind::NoEquals => format!("bij {what} hoort een = voor de waarde"),
        ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => {
            format!("{what} neemt een ander aantal waarden")
        }
        ErrorKind::MissingSubcommand => format!("er ontbreekt een commando na {what}"),
        ErrorKind::InvalidUtf8 => "wat getypt werd is geen UTF-8".to_owned(),
        ErrorKind::Io | ErrorKind::Format => "de hulptekst kan niet geschreven worden".to_owned(),
        // No faults: what was asked for, in Dutch already.
        ErrorKind::DisplayHelp
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
        | ErrorKind::DisplayVersion => return None,
        _ => "dat is zo geen commando".to_owned(),
    };
    let meant =
        [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand].map(|it| of(error, it));
    let meant = meant.into_iter().find(|it| !it.is_empty());
    Some(meant.map_or(said.clone(), |it| format!("{said}; bedoelde u {it}?")))
}

/// Why a value does not fit: our own words, and those of what reads numbers.
fn why(english: &str) -> String {
    let dutch = Malformed::in_dutch(english);
    if dutch != english {
        return dutch;
    }
    match english {
        it if it.starts_with("invalid digit") => "geen geheel getal".to_owned(),
        it if it.starts_with("cannot parse integer") => "er staat niets".to_owned(),
        it if it.starts_with("number too") => "dat getal is te groot of te klein".to_owned(),
        it => match it.split_once(" is not in ") {
            Some((_, range)) => format!("het ligt niet in {range}"),
            None => "zo wordt het niet geschreven".to_owned(),
        },
    }
}

fn of(error: &Error, kind: ContextKind) -> String {
    match error.get(kind) {
        Some(ContextValue::String(one)) => one.clone(),
        Some(ContextValue::Strings(all)) => all.join(", "),
        Some(ContextValue::StyledStr(text)) => text.to_string(),
        _ => String::new(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_share_line_is_known_and_nothing_else_is() {
        let line = "121G-DXQ8-0GH7-XRMC-9511-J5QX-SYS5-M8T5-VQ8";
        assert!(is_line(line) && is_line(&line.replace('-', "")) && is_line(&line.to_lowercase()));
        let digest = "0".repeat(64);
        for other in
            ["7K3F-9QX", "--messages-asked", "lijst-2026-van-de-stad-mechelen-januari", &digest]
        {
            assert!(!is_line(other), "{other}");
        }
    }

    /// Every kind that a fault can have, by what is typed, and the rest as clap would make it.
    #[test]
    fn whatever_is_typed_wrong_is_told_in_dutch() {
        let mut command = super::super::command(Lang::Nl);
        let mut kinds = Vec::new();
        for typed in [
            "sluis shwo",
            "sluis show",
            "sluis show 7K",
            "sluis list --lists",
            "sluis --lang",
            "sluis --lang fr list",
            "sluis --json=ja list",
            "sluis deadlines --agreement MECHELEN",
            "sluis say-again mechelen --from twee",
            "sluis say-again mechelen --from=",
            "sluis say-again mechelen --from -- 99999999999999999999999",
            "sluis retry 7K3F-9QX --share 700",
            "sluis evidence export --agreement mechelen --year 1900 --to x",
            "sluis evidence export 7K3F-9QX --agreement mechelen --to x",
            "sluis terminate mechelen --on morgen",
            "sluis request mechelen --received 2026-01-01",
            "sluis --config a --config b list",
        ] {
            let error = command.try_get_matches_from_mut(typed.split(' ')).unwrap_err();
            let said = sentence(&error).unwrap_or_else(|| panic!("{typed}: {error}"));
            kinds.push(error.kind());
            for english in
                ["invalid", "error", "expected", " is not ", "required", "number", "digit"]
            {
                assert!(!said.contains(english), "{typed}: {said}");
            }
        }
        for kind in [
            ErrorKind::NoEquals,
            ErrorKind::TooFewValues,
            ErrorKind::WrongNumberOfValues,
            ErrorKind::MissingSubcommand,
            ErrorKind::InvalidUtf8,
            ErrorKind::Io,
            ErrorKind::Format,
        ] {
            assert!(sentence(&Error::new(kind)).is_some(), "{kind:?}");
        }
        kinds.sort_by_key(|kind| format!("{kind:?}"));
        kinds.dedup();
        assert!(kinds.len() >= 7, "{kinds:?}");
    }
}
