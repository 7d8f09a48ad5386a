//! What a second person does: lets go or rejects, lets pass, lets a version count; and what waits for one.

use sluis_config::{Agreements, Config};
use sluis_core::control::{Agree, Agreed, Overridden, Override, Reject, Row, Waiting};
use sluis_core::id::{AgreementId, TransferCode, called};

use crate::agreement::not_here;
use crate::failure::Result;
use crate::language::Lang;
use crate::output;
use crate::socket::Socket;
use crate::transfers::moved_line;

/// What is said where a first person asked.
pub(crate) fn asked(lang: Lang) -> &'static str {
    lang.pick(
        "gevraagd; een tweede persoon bevestigt met hetzelfde bevel, binnen zeven dagen",
        "asked; a second person confirms with the same command, within seven days",
    )
}

/// `sluis reject CODE --reason WHY`
pub(crate) fn reject(
    socket: &Socket,
    code: TransferCode,
    why: String,
    lang: Lang,
    json: bool,
) -> Result<()> {
    let row: Row = socket.post("reject", &Reject { code, why })?;
    if json {
        return output::json(&row);
    }
    output::line(moved_line(&row, lang))
}

/// `sluis override CODE --reason WHY`
pub(crate) fn let_pass(
    socket: &Socket,
    code: TransferCode,
    why: String,
    lang: Lang,
    json: bool,
) -> Result<()> {
    let answer: Overridden = socket.post("override", &Override { code, why })?;
    if json {
        return output::json(&answer);
    }
    let of = answer.row.called();
    match &answer.first {
        None => output::line(format!("{of}  {}", asked(lang))),
        Some(first) => output::line(format!(
            "{of}  {} {first}. {}",
            lang.pick("bevestigd na", "confirmed after"),
            lang.pick(
                "Het bestand wordt opnieuw bekeken; het geldt voor één lijst, zeven dagen lang.",
                "The file is looked at again; this holds for one list, for seven days.",
            )
        )),
    }
}

/// `sluis agreement approve NAME [--stolen]`
pub(crate) fn agree(
    config: &Config,
    socket: &Socket,
    (name, stolen): (&AgreementId, bool),
    lang: Lang,
    json: bool,
) -> Result<()> {
    let agreements = Agreements::load(&config.paths.agreements)?;
    let installed = agreements.get(name).ok_or_else(|| not_here(name))?;
    let ask = Agree { agreement: name.clone(), digest: installed.terms.digest, stolen };
    let agreed: Agreed = socket.post("agree", &ask)?;
    if json {
        return output::json(&agreed);
    }
    let version = lang.pick("versie", "version");
    let stands = if agreed.waits { asked(lang) } else { lang.pick("geldt", "counts") };
    output::line(format!("{name}: {version} {} {stands}", agreed.version))
}

/// `sluis waiting`
pub(crate) fn waiting(socket: &Socket, lang: Lang, json: bool) -> Result<()> {
    let rows: Vec<Waiting> = socket.get("waiting")?;
    if json {
        return output::json(&rows);
    }
    if rows.is_empty() {
        return output::line(
            lang.pick("Niets wacht op een tweede persoon.", "Nothing waits for a second person."),
        );
    }
    let head = match lang {
        Lang::Nl => ["BEVEL", "WAARVAN", "GEVRAAGD DOOR", "OP", "TOT"],
        Lang::En => ["COMMAND", "OF", "ASKED BY", "AT", "UNTIL"],
    };
    let cells = |row: &Waiting| {
        vec![
            row.verb.clone(),
            called(&row.subject, row.rehearsal),
            row.by.clone(),
            row.at.local(),
            row.until.local(),
        ]
    };
    output::table(&head, rows.iter().map(cells).collect())
}
