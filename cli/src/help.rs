//! Help in Dutch: the commands of `args`, with a Dutch text in place of each English one. Examples stay.

mod dutch;
pub(crate) mod sides;
mod usage;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{PossibleValue, Resettable, StyledStr};
use clap::parser::ValueSource;
use clap::{Arg, Command, CommandFactory, FromArgMatches};
use dutch::{DUTCH, PLACEHOLDERS};

use crate::args::Arguments;
use crate::language::Lang;

/// As clap's own, with the one heading that is in it.
const TEMPLATE: &str =
    "{before-help}{about-with-newline}\nGebruik: {usage}\n\n{all-args}{after-help}";

/// What was typed; help and usage errors are told here, in the language of who typed, and end the program.
pub(crate) fn parse() -> Arguments {
    let typed: Vec<OsString> = std::env::args_os().collect();
    let lang = Lang::typed(&typed).unwrap_or_else(Lang::of_terminal);
    let json = typed.iter().any(|word| word == "--json");
    let mut command = command(lang);
    let read = command.try_get_matches_from_mut(&typed);
    if let Some(verb) = read.as_ref().ok().and_then(|matches| matches.subcommand_name()) {
        sides::typed(verb);
    }
    if let Ok(matches) = &read
        && matches.value_source("config") == Some(ValueSource::CommandLine)
        && let Some(config) = matches.get_one::<PathBuf>("config")
    {
        let verbs = command.get_subcommands().map(Command::get_name);
        sides::tell_with(config, verbs.filter(|verb| !["demo", "help", "init"].contains(verb)));
    }
    let read = read.and_then(|matches| Arguments::from_arg_matches(&matches));
    read.unwrap_or_else(|error| usage::exit(&error, &options(&command, &typed), lang, json))
}

/// The options of the command that was typed.
fn options(command: &Command, typed: &[OsString]) -> String {
    let meant = typed.iter().filter_map(|word| word.to_str());
    let command =
        meant.fold(command, |command, word| command.find_subcommand(word).unwrap_or(command));
    let long = command.get_arguments().filter_map(Arg::get_long);
    long.map(|name| format!("--{name}")).collect::<Vec<_>>().join(", ")
}

fn command(lang: Lang) -> Command {
    let mut command = Arguments::command();
    // Only then it has its own help, and what is global everywhere.
    command.build();
    if lang == Lang::Nl { translated(command) } else { command }
}

fn translated(command: Command) -> Command {
    // First: the usage line names them.
    let mut command = command.mut_args(placeholder);
    let usage = command.render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").replace("[OPTIONS]", "[OPTIES]");
    let about = command.get_about().map(text);
    let after = command.get_after_help().map(after);
    command
        .override_usage(usage.replace("COMMAND", "COMMANDO"))
        .help_template(TEMPLATE)
        .subcommand_help_heading("Commando's")
        .about(about.unwrap_or_default())
        .long_about(Resettable::Reset)
        .after_help(after.unwrap_or_default())
        .mut_args(argument)
        .mut_subcommands(translated)
}

/// What stands for a value, such as `<FILE>`.
fn placeholder(arg: Arg) -> Arg {
    let name = arg.get_value_names().and_then(|names| names.first()).map(ToString::to_string);
    let known = PLACEHOLDERS.iter().find(|(en, _)| Some(*en) == name.as_deref());
    match known {
        Some((_, nl)) => arg.value_name(nl),
        None => arg,
    }
}

fn argument(arg: Arg) -> Arg {
    let mut help = arg.get_help().map(text).unwrap_or_default();
    let list = |values: Vec<&str>| values.join(", ");
    let (values, default) = match arg.get_action().takes_values() {
        true => (arg.get_possible_values(), arg.get_default_values()),
        false => (Vec::new(), &[][..]),
    };
    let values = list(values.iter().map(PossibleValue::get_name).collect());
    let default = list(default.iter().filter_map(|it| it.to_str()).collect());
    let env = arg.get_env().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
    for (name, value) in [("keuze", values), ("standaard", default), ("omgeving", env)] {
        if !value.is_empty() {
            help += &format!(" [{name}: {value}]");
        }
    }
    let heading = if arg.is_positional() { "Argumenten" } else { "Opties" };
    arg.help(help)
        .long_help(Resettable::Reset)
        .help_heading(heading)
        .hide_possible_values(true)
        .hide_default_value(true)
        .hide_env(true)
}

/// What stands below: lines that are indented are examples.
fn after(english: &StyledStr) -> String {
    let line = |line: &str| if line.starts_with("  ") { line.to_owned() } else { dutch(line) };
    english.to_string().split('\n').map(line).collect::<Vec<_>>().join("\n")
}

fn text(english: &StyledStr) -> String {
    dutch(&english.to_string())
}

/// The Dutch text; where there is none, which a test does not let be, the English one.
fn dutch(english: &str) -> String {
    let found = DUTCH.iter().find(|(en, _)| *en == english);
    found.map_or(english, |(_, nl)| nl).to_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Every text of a command and of those below it, with what has none.
    fn texts(command: &Command, all: &mut Vec<String>) {
        let name = command.get_bin_name().unwrap_or_default();
        let mut told = |what: &str, text: Option<&StyledStr>| {
            all.push(text.unwrap_or_else(|| panic!("{name} {what}: no help")).to_string());
        };
        told("", command.get_about());
        for arg in command.get_arguments() {
            told(arg.get_id().as_str(), arg.get_help());
        }
        if let Some(after) = command.get_after_help().map(ToString::to_string) {
            let prose =
                after.split('\n').filter(|line| !line.starts_with("  ") && !line.is_empty());
            all.extend(prose.map(str::to_owned));
        }
        command.get_subcommands().for_each(|command| texts(command, all));
    }

    #[test]
    fn every_verb_and_every_argument_has_its_dutch_text_and_no_other_is_there() {
        let mut said = Vec::new();
        texts(&command(Lang::En), &mut said);
        let said: BTreeSet<&str> = said.iter().map(String::as_str).collect();
        let known: BTreeSet<&str> = DUTCH.iter().map(|(en, _)| *en).collect();
        assert_eq!(known.len(), DUTCH.len(), "a text stands there twice");
        let missing: Vec<_> = said.difference(&known).collect();
        let unused: Vec<_> = known.difference(&said).collect();
        assert!(
            missing.is_empty() && unused.is_empty(),
            "no Dutch: {missing:#?}\nnowhere: {unused:#?}"
        );
        for (en, nl) in DUTCH {
            assert!(!nl.is_empty() && nl != en, "{en}");
        }
    }

    #[test]
    fn every_verb_has_an_example() {
        fn lacking(command: &Command, found: &mut Vec<String>) {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let name = command.get_bin_name().unwrap_or_default();
            // The first of all speaks of all.
            if !help.contains(&format!("\n  {name}")) {
                found.push(name.to_owned());
            }
            command
                .get_subcommands()
                .filter(|it| it.get_name() != "help")
                .for_each(|it| lacking(it, found));
        }
        let mut found = Vec::new();
        lacking(&command(Lang::En), &mut found);
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn no_english_placeholder_is_left() {
        fn all(command: &Command, names: &mut BTreeSet<String>) {
            let values = command.get_arguments().filter(|arg| arg.get_action().takes_values());
            names.extend(
                values
                    .flat_map(|arg| arg.get_value_names().unwrap_or_default())
                    .map(ToString::to_string),
            );
            command.get_subcommands().for_each(|command| all(command, names));
        }
        let (mut en, mut nl) = (BTreeSet::new(), BTreeSet::new());
        all(&command(Lang::En), &mut en);
        all(&command(Lang::Nl), &mut nl);
        let same = ["CODE", "HOST", "ID", "NIS", "https://..."].map(str::to_owned);
        let (english, dutch): (BTreeSet<_>, BTreeSet<_>) =
            PLACEHOLDERS.iter().map(|(en, nl)| ((*en).to_owned(), (*nl).to_owned())).unzip();
        assert_eq!(en, english.into_iter().chain(same.clone()).collect());
        assert_eq!(nl, dutch.into_iter().chain(same).collect());
    }

    /// The whole help of a command and of those below it, as it is shown.
    fn shown(command: &mut Command, all: &mut String) {
        *all += &command.render_long_help().to_string();
        command.get_subcommands_mut().for_each(|command| shown(command, all));
    }

    #[test]
    fn no_english_heading_is_left_and_the_examples_are_the_same() {
        let (mut nl, mut en) = (String::new(), String::new());
        shown(&mut command(Lang::Nl), &mut nl);
        shown(&mut command(Lang::En), &mut en);
        for heading in [
            "Usage",
            "Options",
            "OPTIONS",
            "Commands",
            "Arguments",
            "Possible",
            "default:",
            "Print",
        ] {
            assert!(en.contains(heading) && !nl.contains(heading), "{heading}: {nl}");
        }
        let examples = |help: &str| -> Vec<String> {
            let lines = help.lines().filter(|line| line.starts_with("  sluis "));
            lines.map(str::to_owned).collect()
        };
        assert!(examples(&en).len() > 30);
        assert_eq!(examples(&nl), examples(&en));
        for said in
            ["Gebruik: sluis agreement check [OPTIES] <BESTAND>", "Commando's:", "[keuze: nl, en]"]
        {
            assert!(nl.contains(said), "{said}: {nl}");
        }
    }
}
