//! `sluis demo`: one list, the whole way, through the six real processes, told step by step.

mod picture;
mod world;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use picture::Gates;
use sluis_core::control::{
    AskHead, ByCode, Detail, LineAnswer, MakeNotice, Noted, NoticeRow, Row, TypedLine,
};
use sluis_core::id::{TransferCode, called};
use sluis_core::notice::{Notice, Sort};
use sluis_core::words;
use sluis_core::words::Words;
use world::World;

use crate::failure::{Failure, Result};
use crate::language::Lang;
use crate::socket::Socket;
use crate::{evidence, open, output, transfers};

/// What the demonstration is asked for.
pub(crate) struct Order {
    pub(crate) unattended: bool,
    pub(crate) dir: Option<PathBuf>,
    pub(crate) file: Option<PathBuf>,
    pub(crate) stop_before_open: bool,
    pub(crate) lang: Lang,
    pub(crate) json: bool,
}

/// The demonstration does not go on: what its processes said lies in the folder `logs`.
fn failed(words: Words) -> Failure {
    Failure::coded("demo-failed", words)
}

/// How long any one step may take before the demonstration gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs it.
pub(crate) fn run(order: &Order) -> Result<()> {
    let lang = order.lang;
    if order.json {
        output::be_quiet();
    }
    if let Some(file) = &order.file {
        transfers::can_copy(file)?;
    }
    let sluisd = world::sluisd()?;
    let began = Instant::now();
    let world = World::build(&sluisd, order, lang)?;
    say(
        lang,
        "Zes processen draaien: sealer, carrier, releaser | dropzone | fetcher, keeper",
        "Six processes run: sealer, carrier, releaser | dropzone | fetcher, keeper",
    )?;
    let agency = Socket::at(&world.agency_socket())?;
    let municipality = Socket::at(&world.municipality_socket())?;
    let code = file_gate(&world, &agency, &municipality, order)?;
    let lines = key_gate(&world, &agency, code, lang)?;
    if order.stop_before_open {
        step(
            6,
            lang,
            "Gestopt voor het openen: de envelop ligt dicht in de kluis",
            "Stopped before opening: the envelope lies shut in the vault",
        )?;
        settle(&municipality, code, "released")?;
    } else {
        let opened = type_lines(order, &municipality, code, &lines)?;
        let shown = world.shown(Path::new(&opened));
        step(7, lang, &format!("Open: {shown}"), &format!("Open: {shown}"))?;
        wait_for(&agency, code, &["Closed"])?;
        step(
            8,
            lang,
            "Het agentschap wiste klare tekst, envelop en bundel, en tekende `closed`",
            "The agency erased plaintext, envelope and bundle, and signed `closed`",
        )?;
        settle(&municipality, code, "closed")?;
    }
    prove(&world, &municipality, code, lang, order.stop_before_open)?;
    let seconds = began.elapsed().as_secs_f32();
    say(lang, &format!("Klaar in {seconds:.1} s."), &format!("Done in {seconds:.1} s."))?;
    if order.json {
        output::json(&serde_json::json!({
            "code": code, "opened": !order.stop_before_open, "seconds": seconds, "folder": order.dir,
        }))?;
    }
    world.end(lang, code)
}

/// The sealed file crosses: outbox, drop zone, vault; then it is gone from the drop zone.
fn file_gate(
    world: &World,
    agency: &Socket,
    municipality: &Socket,
    order: &Order,
) -> Result<TransferCode> {
    let lang = order.lang;
    request(agency, municipality, lang)?;
    let name = world.drop(order.file.as_deref())?;
    step(
        1,
        lang,
        &format!(
            "Mechelen vraagt de lijst op, getekend; de dienst legt {name} in outbox/mechelen/"
        ),
        &format!(
            "Mechelen asks for the list, signed; the officer puts {name} into outbox/mechelen/"
        ),
    )?;
    let code = taken(agency)?;
    // Every channel of the demonstration is a folder.
    let drill = called(code, true);
    step(
        2,
        lang,
        &format!(
            "Aangenomen als zending {drill}, verzegeld onder een nieuwe sleutel, de sleutel verdeeld en vergeten"
        ),
        &format!("Taken as transfer {drill}, sealed under a new key, the key split and forgotten"),
    )?;
    output::line(Gates::FileOpen.draw(lang))?;
    wait_for(municipality, code, &["Collected", "Removed"])?;
    step(
        3,
        lang,
        "In de kluis van Mechelen, de digest vergeleken met die in `sent`",
        "In Mechelen's vault, digested and held against `sent`",
    )?;
    wait_for(municipality, code, &["Removed"])?;
    step(
        4,
        lang,
        "Uit de sluiskom gewist en opnieuw gekeken: 410. Mechelen tekent `removed`",
        "Deleted from the drop zone and looked at again: 410. Mechelen signs `removed`",
    )?;
    output::line(Gates::BothShut.draw(lang))?;
    Ok(code)
}

/// Nothing leaves unasked: the municipality's request, until it stands in the agency's ledger.
fn request(agency: &Socket, municipality: &Socket, lang: Lang) -> Result<()> {
    let notice = Notice::of(lang.pick("de lijst van 2026", "the list of 2026"));
    let agreement = "mechelen".parse().map_err(|e| failed(Words::same(e)))?;
    let language = lang.core();
    let ask = MakeNotice { agreement, code: None, sort: Sort::Request, notice, language };
    let _: Noted = municipality.post("notice", &ask)?;
    until("the request", || {
        let known: Vec<NoticeRow> = agency.get("notices")?;
        Ok((!known.is_empty()).then_some(()))
    })
}

/// The shares leave, each to its phone; gives the lines.
fn key_gate(world: &World, agency: &Socket, code: TransferCode, lang: Lang) -> Result<Vec<String>> {
    wait_for(agency, code, &["Released"])?;
    step(
        5,
        lang,
        "Het agentschap rekende de handtekening na, keek zelf, en gaf toen de sleuteldelen vrij",
        "The agency checked the signature, looked for itself, and only then let the shares go",
    )?;
    output::line(Gates::KeyOpen.draw(lang))?;
    phones(world)
}

fn say(lang: Lang, nl: &str, en: &str) -> Result<()> {
    output::line(lang.pick(nl, en))
}

fn step(number: u8, lang: Lang, nl: &str, en: &str) -> Result<()> {
    output::line(format!(" {number}  {}", lang.pick(nl, en)))
}

fn taken(agency: &Socket) -> Result<TransferCode> {
    until("the outbox", || {
        let rows: Vec<Row> = agency.get("list")?;
        match rows.first() {
            Some(row) if row.state == "Refused" => {
                Err(Failure::coded("not-sent", row.note.clone()))
            }
            row => Ok(row.map(|row| row.code)),
        }
    })
}

fn wait_for(core: &Socket, code: TransferCode, states: &[&str]) -> Result<()> {
    let passed = ["Opened", "Closed"];
    until(states[0], || {
        let rows: Vec<Row> = core.get("list")?;
        let row = rows.into_iter().find(|row| row.code == code);
        match row {
            Some(row) if row.state == "Failed" || row.state == "Held" => {
                let state = row.state;
                Err(failed(words!("{state}: {}", "{state}: {}"; row.note)))
            }
            Some(row)
                if states.contains(&row.state.as_str()) || passed.contains(&row.state.as_str()) =>
            {
                Ok(Some(()))
            }
            _ => Ok(None),
        }
    })
}

/// Waits until the other party's last word has arrived too.
fn settle(core: &Socket, code: TransferCode, kind: &str) -> Result<()> {
    until(kind, || {
        let detail: Detail = core.post("show", &ByCode { code })?;
        let here =
            detail.timeline.iter().any(|entry| entry.detail.get("kind").is_some_and(|k| k == kind));
        Ok(here.then_some(()))
    })
}

fn until<T>(what: &str, mut look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        if Instant::now() > deadline {
            return Err(failed(words!(
                "{what} kwam niet binnen {} s; kijk in de map `logs`",
                "{what} did not come within {} s; look into the folder `logs`",
                PATIENCE.as_secs()
            )));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Shows the messages as phones; gives the lines in them.
fn phones(world: &World) -> Result<Vec<String>> {
    let messages = world.messages()?;
    output::line(picture::phones(&messages))?;
    let line = |text: &String| {
        text.lines().find(|line| line.len() > 30 && !line.contains(' ')).map(str::to_owned)
    };
    Ok(messages.iter().filter_map(|(_, text)| line(text)).collect())
}

fn type_lines(
    order: &Order,
    municipality: &Socket,
    code: TransferCode,
    lines: &[String],
) -> Result<String> {
    let terminal = std::io::stdin().is_terminal() && !order.unattended;
    let lang = order.lang;
    step(
        6,
        lang,
        "Twee van de drie bewaarders typen hun regel over",
        "Two of the three custodians type their lines",
    )?;
    let mut given = lines.iter();
    loop {
        let text = if terminal {
            open::read_line(true, lang)?.map(|line| line.to_string())
        } else {
            given
                .next()
                .inspect(|line| {
                    let _ = output::line(format!("    > {line}"));
                })
                .cloned()
        };
        let text = text.ok_or_else(|| {
            Failure::coded(
                "too-few-lines",
                words!("er waren te weinig regels", "there were too few lines"),
            )
        })?;
        match municipality.post::<LineAnswer>("line", &TypedLine { code, text }) {
            Ok(LineAnswer { opened: Some(path), .. }) => return Ok(path),
            Ok(answer) => output::line(format!(
                "      {} / {}  ({})",
                answer.have, answer.needed, answer.custodian
            ))?,
            Err(refused) if terminal => output::line(format!("      {}", refused.message(lang)))?,
            Err(refused) => return Err(refused),
        }
    }
}

/// Exports what the municipality holds, and verifies it as an outsider would.
fn prove(
    world: &World,
    municipality: &Socket,
    code: TransferCode,
    lang: Lang,
    shut: bool,
) -> Result<()> {
    let folder = world.evidence();
    let names = evidence::write(municipality, &AskHead::Transfer(code), &folder)?;
    let checked = world.verify_with_ssh_keygen(&names)?;
    step(
        9,
        lang,
        &format!("{} verklaringen; {}", names.len(), checked.nl),
        &format!("{} statements; {}", names.len(), checked.en),
    )?;
    if shut {
        return Ok(());
    }
    evidence::verify(&folder, &world.trust(), lang, false)
}
