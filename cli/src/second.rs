//! What a second person does: lets go or rejects, lets pass, lets a version count; and what waits for one.

use sluis_config::{Agreements, Config};
use sluis_core::control::{Agree, Agreed, Overridden, Override, Reject, Row, Waiting};
use sluis_core::id::{AgreementId, Time, TransferCode, called};
use sluis_core::words;

use crate::agreement::not_here;
use crate::failure::Result;
use crate::language::Lang;
use crate::notices::shown;
use crate::output;
use crate::socket::Socket;
use crate::transfers::moved_line;

/// What is said where a first person asked.
pub(crate) fn asked(lang: Lang) -> &'static str {
    lang.pick(
        "gevraagd; een tweede persoon bevestigt met hetzelfde commando, binnen zeven dagen",
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
        None => {
            output::line(format!("{of}  {}", asked(lang)))?;
            beside(&answer.others, lang)
        }
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
    let (lies, core) = (installed.terms.agreement.version, agreed.version);
    if agreed.digest != ask.digest {
        let told = words!(
            "{name}: de dienst draait met versie {core}; versie {lies}, die hier ligt, leest ze bij haar start. Herstart de diensten van deze host, en typ dit dan opnieuw",
            "{name}: the service runs with version {core}; version {lies}, which lies here, it reads at its start. Restart the services of this host, and type this again then"
        );
        return output::line(told.text(lang.core()));
    }
    let version = lang.pick("versie", "version");
    let stands = if agreed.waits { asked(lang) } else { lang.pick("geldt", "counts") };
    output::line(format!("{name}: {version} {} {stands}", agreed.version))?;
    beside(&agreed.others, lang)
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
        Lang::Nl => ["COMMANDO", "WAARVAN", "GEVRAAGD DOOR", "OP (BRUSSEL)", "TOT"],
        Lang::En => ["COMMAND", "OF", "ASKED BY", "AT (BRUSSELS)", "UNTIL"],
    };
    let nobody = lang.pick("nog niemand: het vraagt er twee", "nobody yet: it takes two");
    let cells = |row: &Waiting| {
        vec![
            row.verb.clone(),
            of(row),
            row.by.clone().unwrap_or_else(|| nobody.to_owned()),
            row.at.local(),
            row.until.map(Time::local).unwrap_or_default(),
        ]
    };
    output::table(&head, rows.iter().map(cells).collect())?;
    rows.iter().try_for_each(|row| detail(row, lang))
}

/// What it is about, for people.
fn of(row: &Waiting) -> String {
    called(&row.wanted.of, row.rehearsal)
}

/// All that was asked, and what is typed to confirm it: whoever confirms reads it first.
fn detail(row: &Waiting, lang: Lang) -> Result<()> {
    let wanted = &row.wanted;
    if wanted.command.is_empty() {
        return Ok(());
    }
    output::line(format!("\n{}  {}", row.verb, of(row)))?;
    if let Some(notice) = &wanted.notice {
        let facts = [
            ("tekst", "text", Some(shown(&notice.text))),
            ("dag", "day", notice.on.map(|day| day.to_string())),
            ("vastgesteld", "found", notice.found.map(Time::local_hour)),
            ("brief van", "letter of", notice.received.map(|day| day.to_string())),
            ("brief, SHA-256", "letter, SHA-256", notice.paper.map(|it| it.to_string())),
        ];
        for (nl, en, value) in facts {
            if let Some(value) = value {
                output::line(format!("  {}: {value}", lang.pick(nl, en)))?;
            }
        }
    }
    if wanted.command.ends_with(" --messages-asked") {
        output::line(lang.pick(
            "  vraag eerst de bewaarders hun bericht te wissen: dat zegt --messages-asked",
            "  first ask the custodians to delete their messages: --messages-asked says so",
        ))?;
    }
    output::line(format!("  {}: {}", lang.pick("bevestig met", "confirm with"), wanted.command))
}

/// What else was asked of the same: whoever meant to confirm that has begun something new.
pub(crate) fn beside(others: &[Waiting], lang: Lang) -> Result<()> {
    for other in others {
        let by = other.by.as_deref().unwrap_or_default();
        output::line(match lang {
            Lang::Nl => format!(
                "let op: dit is een nieuw verzoek. Wat {by} vroeg, in andere woorden, wacht ernaast; wie dat bevestigt typt: {}",
                other.wanted.command
            ),
            Lang::En => format!(
                "note: this is a new request. What {by} asked, in other words, waits beside it; whoever confirms that types: {}",
                other.wanted.command
            ),
        })?;
    }
    Ok(())
}
