//! On which side of the lock a verb is typed, and what was typed here: a text that names a verb says by itself where it works.

use std::path::Path;
use std::sync::OnceLock;

use sluis_config::Config;
use sluis_core::agreement::Side;
use sluis_core::words;
use sluis_core::words::Words;

use crate::output;

/// The verbs that only the agency's host has. `sluis --help` names the same.
const AGENCY: [&str; 9] = [
    "send",
    "rehearse",
    "withdraw",
    "retry",
    "redeliver",
    "approve",
    "reject",
    "override",
    "number",
];
/// Those of the municipality's.
const MUNICIPALITY: [&str; 9] = [
    "request",
    "ready",
    "open",
    "take",
    "retention",
    "destroy",
    "attest",
    "disclosure",
    "profiles",
];

/// The verb that was typed, for what must name it.
static TYPED: OnceLock<String> = OnceLock::new();

/// The one side that has a verb; none where both have it, or any machine.
fn of(verb: &str) -> Option<Side> {
    let on = |verbs: &[&str], side| verbs.contains(&verb).then_some(side);
    on(&AGENCY, Side::Agency).or_else(|| on(&MUNICIPALITY, Side::Municipality))
}

/// Keeps which verb was typed.
pub(crate) fn typed(verb: &str) {
    let _ = TYPED.set(verb.to_owned());
}

/// From now on commands are told with this `--config`: those that are typed on its host, and no other party's.
pub(crate) fn tell_with<'a>(config: &Path, verbs: impl Iterator<Item = &'a str>) {
    let side = match Config::load(config).ok().as_ref().and_then(Config::core) {
        Some("sealer") => Some(Side::Agency),
        Some(_) => Some(Side::Municipality),
        None => None,
    };
    let here = verbs.filter(|verb| is_here(verb, side)).map(str::to_owned);
    output::tell_with(&config.to_string_lossy(), here.collect());
}

/// Whether a verb works on this side; where that is not known, only what works on both.
fn is_here(verb: &str, side: Option<Side>) -> bool {
    of(verb).is_none_or(|of| side == Some(of))
}

/// Why a core knows nothing of what was asked.
pub(crate) fn not_here(asked: &str) -> Words {
    let verb = TYPED.get().map_or(asked, String::as_str);
    let where_it_is = match of(verb) {
        Some(Side::Agency) => words!("het agentschap", "the agency"),
        Some(Side::Municipality) => words!("de gemeente", "the municipality"),
        None => {
            return words!(
                "de dienst van deze host kent niet wat `sluis {verb}` vraagt (`{asked}`); is ze van dezelfde versie als sluis? Herstart ze na een nieuwe versie",
                "the service of this host does not know what `sluis {verb}` asks (`{asked}`); is it of the same version as sluis? Restart it after a new version"
            );
        }
    };
    words!(
        "`sluis {verb}` wordt getypt op de host van {}, en dit is die van de andere partij",
        "`sluis {verb}` is typed on the host of {}, and this is the other party's";
        where_it_is
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_help_names_the_verbs_of_each_side() {
        let command = crate::args::Arguments::command();
        let help = command.get_after_help().unwrap().to_string();
        for (side, verbs) in [("agency", AGENCY), ("municipality", MUNICIPALITY)] {
            let said = help.split(&format!("At the {side} alone: ")).nth(1).unwrap();
            assert_eq!(said.split('.').next().unwrap(), verbs.join(", "));
            verbs.iter().for_each(|verb| {
                assert!(command.find_subcommand(verb).is_some(), "{verb}");
            });
        }
    }

    #[test]
    fn a_verb_of_the_other_side_is_not_of_this_host() {
        let here = |side| ["list", "send", "open"].map(|verb| is_here(verb, side));
        assert_eq!(here(Some(Side::Agency)), [true, true, false]);
        assert_eq!(here(Some(Side::Municipality)), [true, false, true]);
        assert_eq!(here(None), [true, false, false]);
    }
}
