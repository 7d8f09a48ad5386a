//! `sluis evidence export` and `sluis evidence verify`: the second needs no daemon and no network.

mod facts;
mod folder;
mod follow;
mod gathered;
mod opened;
mod trust;
mod verify;

use std::path::Path;

pub(crate) use folder::write;
pub(crate) use gathered::last_numbers;
use sluis_core::control::AskHead;
use sluis_core::words;
pub(crate) use verify::verify;

use crate::failure::Result;
use crate::language::Lang;
use crate::output;
use crate::socket::Socket;

/// `sluis evidence export CODE --to DIR`, or with `--agreement NAME [--year Y]`
pub(crate) fn export(
    socket: &Socket,
    ask: &AskHead,
    to: &Path,
    lang: Lang,
    json: bool,
) -> Result<()> {
    let names = write(socket, ask, to)?;
    if json {
        return output::json(&serde_json::json!({ "folder": to, "statements": names }));
    }
    let (count, to) = (names.len(), to.display());
    let written = match ask {
        AskHead::Transfer(_) => {
            words!("{count} verklaringen in {to}", "{count} statements in {to}")
        }
        AskHead::Agreement(..) => words!(
            "{count} verklaringen in {to}; voor mensen: report.nl.html",
            "{count} statements in {to}; for people: report.en.html"
        ),
    };
    output::line(written.text(lang.core()))?;
    output::line(lang.pick(
        "Zo gaat u het na, met uw eigen bestand met de sleutels van beide partijen (FILE) en, zonder Sluis, uw eigen kopie van docs/verify-evidence.sh; niet met wat in de map ligt:",
        "To check it, with your own file of both parties' keys (FILE) and, without Sluis, your own copy of docs/verify-evidence.sh; not with what lies in the folder:",
    ))?;
    output::line(format!("  sluis evidence verify {to} --trust FILE"))?;
    output::line(format!("  sh verify-evidence.sh {to} FILE"))
}
