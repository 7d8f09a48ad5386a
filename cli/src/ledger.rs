//! `sluis ledger verify`: the whole chain, checked here and not by the core that keeps it.

use clap::Subcommand;
use sluis_core::control::About;
use sluis_core::ledger::{self, ChainError};
use sluis_core::statement::Tip;
use sluis_core::words;

use crate::failure::{Failure, Result};
use crate::language::Lang;
use crate::output;
use crate::socket::Socket;

/// `sluis ledger`
#[derive(Subcommand)]
pub(crate) enum LedgerVerb {
    /// Follow the whole chain.
    #[command(after_help = "Example:\n  sluis ledger verify")]
    Verify,
    /// Write the whole chain, one entry a line.
    #[command(after_help = "Example:\n  sluis ledger export > logboek.jsonl")]
    Export,
}

/// `sluis ledger verify | export`
pub(crate) fn verify(socket: &Socket, verb: &LedgerVerb, lang: Lang, json: bool) -> Result<()> {
    let export = matches!(verb, LedgerVerb::Export);
    let about: About = socket.get("about")?;
    let mut tip = Tip::start();
    loop {
        let more: Vec<String> = socket.get(&format!("ledger?after={}", tip.number))?;
        if more.is_empty() {
            break;
        }
        tip = ledger::verify(tip, more.iter().map(String::as_str)).map_err(broken)?;
        if export {
            more.iter().try_for_each(output::line)?;
        }
    }
    if tip.number < about.entries {
        return Err(Failure::coded(
            "ledger-broken",
            words!(
                "het logboek eindigt bij inschrijving {} van {}",
                "the ledger ends at entry {} of {}",
                tip.number,
                about.entries
            ),
        ));
    }
    if export {
        return Ok(());
    }
    if json {
        return output::json(&serde_json::json!({ "ok": true, "party": about.party, "head": tip }));
    }
    let holds = words!(
        "{}: {} inschrijvingen, elke volgt uit de vorige\nhoofd {}",
        "{}: {} entries, each follows from the one before it\nhead {}",
        about.party,
        tip.number,
        tip.digest
    );
    output::line(holds.text(lang.core()))
}

#[expect(clippy::needless_pass_by_value, reason = "map_err gives it away")]
fn broken(error: ChainError) -> Failure {
    Failure::coded(
        "ledger-broken",
        words!(
            "het logboek klopt niet: {}",
            "the ledger does not hold: {}";
            error.words()
        ),
    )
}
