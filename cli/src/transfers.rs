//! Verbs about transfers, and about what holds them up: a number, the clock.

use std::fs::Metadata;
use std::io::IsTerminal;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use sluis_core::control::{
    About, ByCode, ClockWord, Detail, NumberWord, OfCustodian, Over, Pending, Retry, Row, Send,
    Under,
};
use sluis_core::id::{AgreementId, DRILL, Nis, TransferCode, TransferId};
use sluis_core::transfer::states;
use sluis_core::{exercise, kinds, words};

use crate::agreement::not_here;
use crate::failure::{Failure, Result};
use crate::language::Lang;
use crate::socket::Socket;
use crate::{output, restored, second};

/// `sluis send AGREEMENT PATH`: copies into the outbox, then has it taken.
pub(crate) fn send(
    socket: &Socket,
    agreement: &AgreementId,
    (path, drawn_for): (&Path, Option<Nis>),
    lang: Lang,
    json: bool,
) -> Result<()> {
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| {
        Failure::coded("not-to-send", words!(
            "een naam die geen UTF-8 is kan zo niet verzonden worden: verplaats het naar de outbox",
            "a name that is not UTF-8 cannot be sent like this: move it into the outbox"
        ))
    })?;
    offer(socket, agreement, (name, drawn_for), |to| copy(path, to), lang, json).map(drop)
}

/// `sluis rehearse AGREEMENT`: sends the exercise, in which there is no list.
pub(crate) fn rehearse(
    socket: &Socket,
    agreement: &AgreementId,
    lang: Lang,
    json: bool,
) -> Result<()> {
    let write = |to: &Path| crate::init::file(to, exercise::TEXT.as_bytes(), 0o640);
    let row = offer(socket, agreement, (exercise::NAME, None), write, lang, json)?;
    if json {
        return Ok(());
    }
    let told = words!(
        "OEFENING: als de berichten er zijn, typt elke bewaarder op de host van de gemeente zijn regel in (sluis open {}), ook als ze al open is.",
        "OEFENING, a rehearsal: when the messages have come, every custodian types the line on the municipality's host (sluis open {}), also when it is open already.",
        row.code
    );
    output::line(told.text(lang.core()))
}

/// Lays something ready in the outbox and has it taken.
fn offer(
    socket: &Socket,
    agreement: &AgreementId,
    (name, drawn_for): (&str, Option<Nis>),
    put: impl FnOnce(&Path) -> Result<()>,
    lang: Lang,
    json: bool,
) -> Result<Row> {
    let about: About = socket.get("about")?;
    let (ready, name) = (TransferId::random(), name.to_owned());
    let ask = Send { agreement: agreement.clone(), ready, name, drawn_for };
    let folder = Path::new(&about.folder).join(agreement.as_str());
    if !folder.is_dir() {
        return Err(not_here(agreement));
    }
    let ready = folder.join(ask.folder());
    // The sealer may be another user: it moves on by the group that the outbox hands down.
    crate::init::folder_with(&ready, 0o770)?;
    let sent = put(&ready.join(&ask.name)).and_then(|()| socket.post::<Row>("send", &ask));
    let _ = std::fs::remove_dir_all(&ready);
    let row = sent?;
    if json {
        output::json(&row)?;
        return Ok(row);
    }
    output::line(
        lang.pick("Aangenomen als zending", "Taken as transfer").to_owned()
            + &format!(" {}", row.called()),
    )?;
    let mark = if row.rehearsal { format!("{DRILL}: ") } else { String::new() };
    output::line(format!("  {mark}sluis follow {}", row.code))?;
    Ok(row)
}

/// Whether it is a file or a folder.
pub(crate) fn can_copy(from: &Path) -> Result<Metadata> {
    let meta = std::fs::symlink_metadata(from).map_err(Failure::io(from.display()))?;
    if meta.is_dir() || meta.is_file() {
        return Ok(meta);
    }
    Err(Failure::coded(
        "not-to-send",
        words!(
            "{}: alleen gewone bestanden kunnen verzonden worden",
            "{}: only plain files can be sent",
            from.display()
        ),
    ))
}

/// Copies a file or a folder of plain files; links are not followed.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    let failed = || Failure::io(from.display());
    let meta = can_copy(from)?;
    if meta.is_dir() {
        crate::init::folder_with(to, 0o770)?;
        for entry in std::fs::read_dir(from).map_err(failed())? {
            let entry = entry.map_err(failed())?;
            copy(&entry.path(), &to.join(entry.file_name()))?;
        }
        return Ok(());
    }
    std::fs::copy(from, to).map_err(failed())?;
    let mode = meta.permissions().mode() | 0o440;
    std::fs::set_permissions(to, std::fs::Permissions::from_mode(mode))
        .map_err(Failure::io(to.display()))
}

/// `sluis list`
pub(crate) fn list(socket: &Socket, of: &Under, lang: Lang, json: bool) -> Result<()> {
    let rows: Vec<Row> = socket.get(&of.verb("list"))?;
    if json {
        return output::json(&rows);
    }
    if rows.is_empty() {
        output::line(lang.pick("Er zijn nog geen zendingen.", "There are no transfers yet."))?;
    } else {
        table(&rows, lang)?;
    }
    let about: About = socket.get("about")?;
    for name in about.unapproved.iter().filter(|it| of.has(it)) {
        output::line(format!(
            "{name}: {} sluis agreement approve {name}",
            lang.pick(
                "een nieuwe versie wacht op twee personen:",
                "a new version waits for two persons:",
            )
        ))?;
    }
    let set_back: Vec<_> = about.set_back.into_iter().filter(|it| of.has(it)).collect();
    restored::held(&set_back, lang)?;
    let unheard = about.unheard.iter().filter(|it| of.has(it) && !set_back.contains(it));
    unheard.into_iter().try_for_each(|name| restored::unheard(name, lang))?;
    clock_held(about.clock_held, lang)
}

fn table(rows: &[Row], lang: Lang) -> Result<()> {
    let head = match lang {
        Lang::Nl => {
            ["CODE", "OVEREENKOMST", "STAAT", "AAN ZET", "SINDS (BRUSSEL)", "NAAM", "OPMERKING"]
        }
        Lang::En => ["CODE", "AGREEMENT", "STATE", "WHO ACTS", "SINCE (BRUSSELS)", "NAME", "NOTE"],
    };
    let cells = |row: &Row| {
        vec![
            row.called(),
            row.agreement.to_string(),
            states::shown(&row.state, lang.core()).to_owned(),
            mover(lang, &row.mover).to_owned(),
            row.since.local(),
            row.name.clone().unwrap_or_default(),
            row.note.text(lang.core()).to_owned(),
        ]
    };
    output::table(&head, rows.iter().map(cells).collect())
}

/// Says that the clock jumped, where it did.
pub(crate) fn clock_held(held: bool, lang: Lang) -> Result<()> {
    if !held {
        return Ok(());
    }
    output::line(lang.pick(
        "De klok sprong vooruit: er vervalt niets tot twee personen ze bevestigen (sluis clock), of tot ze juist staat.",
        "The clock jumped ahead: nothing expires until two persons confirm it (sluis clock), or it is set right.",
    ))
}

/// `sluis show CODE`
pub(crate) fn show(socket: &Socket, code: TransferCode, lang: Lang, json: bool) -> Result<()> {
    let detail: Detail = socket.post("show", &ByCode { code })?;
    if json {
        return output::json(&detail);
    }
    let row = &detail.row;
    output::line(format!(
        "{}  {}  {}",
        row.called(),
        row.agreement,
        states::shown(&row.state, lang.core())
    ))?;
    output::line(format!("{}: {}", lang.pick("aan zet", "who acts"), mover(lang, &row.mover)))?;
    if let Some(name) = &row.name {
        output::line(format!("{}: {name}", lang.pick("naam", "name")))?;
    }
    if !row.note.is_empty() {
        output::line(row.note.text(lang.core()))?;
    }
    let said = row.note.text(lang.core());
    let waiting = detail.waiting.iter().map(Pending::words);
    for pending in waiting.filter(|it| !said.contains(it.text(lang.core()))) {
        output::line(format!("  {}", pending.text(lang.core())))?;
    }
    output::line("")?;
    for entry in &detail.timeline {
        let what = match entry.detail.get("kind") {
            Some(kind) => {
                let issuer = entry.detail.get("issuer").map_or("", String::as_str);
                let what = kinds::statement(kind, lang.core()).unwrap_or(kind);
                format!("{}: {what}  {issuer}", lang.pick("verklaring", "statement"))
            }
            None => kinds::entry(&entry.kind, lang.core()),
        };
        let by = entry.detail.get("by").map(|who| format!("  ({who})")).unwrap_or_default();
        output::line(format!("{:>6}  {}  {what}{by}", entry.number, entry.time.local_hour()))?;
    }
    Ok(())
}

/// `sluis follow CODE`: each change as it comes, until nothing more can happen.
pub(crate) fn follow(socket: &Socket, code: TransferCode, lang: Lang, json: bool) -> Result<()> {
    let mut last = String::new();
    loop {
        let detail: Detail = socket.post("show", &ByCode { code })?;
        let row = &detail.row;
        let progress = row.progress.filter(|(_, all)| *all > 0).map(|(here, all)| here * 100 / all);
        let state = states::shown(&row.state, lang.core());
        let text = match progress {
            Some(percent) => format!("{}  {state} {percent} %", row.called()),
            None => format!("{}  {state}  {}", row.called(), row.note.text(lang.core())),
        };
        if text != last {
            if json {
                output::json(row)?;
            } else if progress.is_some() && std::io::stdout().is_terminal() {
                output::write(format!("\r\x1b[K{text}").as_bytes())?;
            } else {
                let gone =
                    if last.contains('%') && std::io::stdout().is_terminal() { "\n" } else { "" };
                output::line(format!("{gone}{}  {}", row.since.local_hour(), text.trim_end()))?;
            }
            last = text;
        }
        if row.mover == "nobody" {
            return Ok(());
        }
        if row.mover == "agency" && !json {
            return output::line(format!(
                "{}: sluis show {code}",
                lang.pick(
                    "Een persoon bij het agentschap is aan zet",
                    "A person at the agency must act",
                )
            ));
        }
        std::thread::sleep(Duration::from_millis(300));
    }
}

/// `sluis withdraw | redeliver | ready CODE`
pub(crate) fn act(
    socket: &Socket,
    verb: &str,
    code: TransferCode,
    lang: Lang,
    json: bool,
) -> Result<()> {
    moved(&socket.post(verb, &ByCode { code })?, lang, json)
}

/// `sluis retry CODE [--share NUMBER]`
pub(crate) fn retry(
    socket: &Socket,
    code: TransferCode,
    share: Option<u8>,
    lang: Lang,
    json: bool,
) -> Result<()> {
    moved(&socket.post("retry", &Retry { code, share })?, lang, json)
}

/// `sluis number confirm AGREEMENT CUSTODIAN`
pub(crate) fn number(socket: &Socket, ask: &OfCustodian, lang: Lang, json: bool) -> Result<()> {
    let word: NumberWord = socket.post("number", ask)?;
    if json {
        return output::json(&word);
    }
    let (Some(_), from) = (&word.first, word.from) else {
        output::line(second::asked(lang))?;
        return second::beside(&word.others, lang);
    };
    let Some(from) = from else {
        return output::line(format!("{}: {}", ask.custodian, untold(lang)));
    };
    output::line(format!(
        "{}: {} {}; {}",
        ask.custodian,
        lang.pick("het nieuwe nummer geldt vanaf", "the new number is used from"),
        from.local_hour(),
        lang.pick("daarna: sluis retry", "then: sluis retry"),
    ))
}

/// Confirmed, and the old number does not know yet.
fn untold(lang: Lang) -> &'static str {
    lang.pick(
        "bevestigd; eerst gaat er een bericht naar het oude nummer, daarna loopt de bedenktijd. Zie: sluis show",
        "confirmed; a message goes to the old number first, then the cooling-off runs. See: sluis show",
    )
}

/// `sluis clock`
pub(crate) fn clock(socket: &Socket, lang: Lang, json: bool) -> Result<()> {
    let word: ClockWord = socket.post("clock", &())?;
    if json {
        return output::json(&word);
    }
    let said = match (word.held, &word.first) {
        (true, _) => second::asked(lang),
        (false, Some(_)) => lang
            .pick("bevestigd: wat vervallen is, vervalt nu", "confirmed: what is over expires now"),
        (false, None) => {
            let right =
                lang.pick("de klok is niet vooruitgesprongen", "the clock did not jump ahead");
            return output::line(right);
        }
    };
    output::line(said)?;
    output::line(over(&word.over, lang))
}

/// What a word on the clock does: the counts that are not none.
fn over(over: &Over, lang: Lang) -> String {
    let counts = [
        (over.expire, lang.pick("zendingen die vervallen", "transfers that expire")),
        (over.destroy, lang.pick("lijsten die vernietigd worden", "lists that are destroyed")),
        (
            over.announce,
            lang.pick(
                "lijsten waarvan de vernietiging aangekondigd wordt",
                "lists whose destruction is announced",
            ),
        ),
    ];
    let told = counts.iter().filter(|(count, _)| *count > 0);
    let told: Vec<String> = told.map(|(count, what)| format!("{what}: {count}")).collect();
    if told.is_empty() {
        let none =
            lang.pick("niets vervalt of wordt vernietigd", "nothing expires or is destroyed");
        return format!("{} {none}", lang.pick("op deze klok:", "by this clock:"));
    }
    format!("{} {}", lang.pick("op deze klok:", "by this clock:"), told.join("; "))
}

fn moved(row: &Row, lang: Lang, json: bool) -> Result<()> {
    if json {
        return output::json(row);
    }
    output::line(moved_line(row, lang))
}

/// Where a transfer stands after a person's word, in one line.
pub(crate) fn moved_line(row: &Row, lang: Lang) -> String {
    let note = row.note.text(lang.core());
    let line = format!("{}  {}  {note}", row.called(), states::shown(&row.state, lang.core()));
    line.trim_end().to_owned()
}

fn mover(lang: Lang, mover: &str) -> &str {
    match (lang, mover) {
        (Lang::Nl, "agency") => "het agentschap",
        (Lang::Nl, "municipality") => "de gemeente",
        (Lang::Nl, "nobody") => "niemand",
        (Lang::Nl, "itself") => "gaat vanzelf",
        (Lang::En, "agency") => "the agency",
        (Lang::En, "municipality") => "the municipality",
        (Lang::En, "itself") => "moves on by itself",
        (_, other) => other,
    }
}
