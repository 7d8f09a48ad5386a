//! `sluis key`: `renew` makes new keys of this host; `combine` breaks the glass: lines in, the age passphrase out, no
//! daemon, no network.

mod made;
mod renew;

use std::io::IsTerminal;
use std::path::Path;

use age::secrecy::ExposeSecret;
use clap::Subcommand;
pub(crate) use made::Kind;
use sluis_config::Config;
use sluis_core::id::TransferCode;
use sluis_core::share::{self, Share};
use sluis_core::words;

use crate::failure::{Failure, Result};
use crate::language::Lang;
use crate::{open, output};

#[derive(Subcommand)]
pub(crate) enum KeyVerb {
    /// Combine share lines from the terminal or standard input into the age passphrase.
    #[command(
        after_help = "Example:\n  sluis key combine 7K3F-9QX\n  age -d -o lijst.tar envelope.age"
    )]
    Combine {
        /// The transfer's code.
        code: TransferCode,
    },
    /// Make new keys of this host, before the old ones in the same credentials. They sign and are let in when a version
    /// of the agreement names them: `sluis identity`, `sluis agreement rekey`.
    #[command(after_help = "Examples:\n  sluis key renew\n  sluis key renew tls")]
    Renew {
        /// Only these; all of this host where none is named.
        which: Vec<Kind>,
    },
}

/// `sluis key`
pub(crate) fn run(verb: KeyVerb, path: &Path, lang: Lang, json: bool) -> Result<()> {
    match verb {
        KeyVerb::Combine { code } => combine(code, lang, json),
        KeyVerb::Renew { which } => renew::renew((path, &Config::load(path)?), &which, lang, json),
    }
}

/// Reads lines until there are enough, and prints the passphrase that `age -d` asks for.
fn combine(code: TransferCode, lang: Lang, json: bool) -> Result<()> {
    let terminal = std::io::stdin().is_terminal();
    let mut shares: Vec<Share> = Vec::new();
    while let Some(text) = open::read_line(terminal, lang)? {
        if text.trim().is_empty() {
            continue;
        }
        let share = match share::read_line(&text, &code, &[]) {
            Ok(share) => share,
            Err(error) if terminal => {
                output::line(format!("  {}", error.words().text(lang.core())))?;
                continue;
            }
            Err(error) => return Err(Failure::coded("share-line", error.words())),
        };
        if shares.iter().all(|known| known.index() != share.index()) {
            shares.push(share);
        }
        if shares.len() == usize::from(shares[0].threshold()) {
            let key =
                share::combine(&shares).map_err(|e| Failure::coded("share-line", e.words()))?;
            let passphrase = key.passphrase();
            let passphrase = passphrase.expose_secret();
            return match json {
                true => output::json(&serde_json::json!({ "passphrase": passphrase })),
                false => output::line(passphrase),
            };
        }
    }
    let needed = shares.first().map_or(2, Share::threshold);
    Err(Failure::coded(
        "too-few-lines",
        words!("{} van {needed} regels: te weinig", "{} of {needed} lines: too few", shares.len()),
    ))
}
