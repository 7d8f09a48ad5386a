//! `sluis open` and `sluis take`: lines in, the list out.

use std::io::{BufRead, IsTerminal, Write};

use sluis_core::control::{ByCode, LineAnswer, TypedLine};
use sluis_core::id::{TransferCode, called};
use sluis_core::words;
use zeroize::Zeroizing;

use crate::failure::{Failure, Result};
use crate::language::Lang;
use crate::socket::Socket;
use crate::{output, retention};

/// The longest line that is read.
const MAX_LINE: u64 = 1000;

/// Asks for lines one at a time, from the terminal or standard input, until the envelope opens.
pub(crate) fn open(socket: &Socket, code: TransferCode, lang: Lang, json: bool) -> Result<()> {
    takes_lines(socket, code)?;
    let terminal = std::io::stdin().is_terminal();
    let (mut failure, mut count) = (None, None);
    while let Some(text) = read_line(terminal, lang)? {
        if text.trim().is_empty() {
            continue;
        }
        match socket.post::<LineAnswer>("line", &TypedLine { code, text: text.to_string() }) {
            Ok(answer) => {
                count = Some((answer.have, answer.needed));
                if json { output::json(&answer)? } else { tell(socket, code, &answer, lang)? }
            }
            Err(refused) if terminal && is_about_the_line(refused.code()) => {
                output::line(format!("  {}", refused.message(lang)))?;
                continue;
            }
            Err(refused) if is_about_the_line(refused.code()) => {
                // The last one is told at the end, on standard error.
                if let Some(before) = failure.replace(refused) {
                    told(&before, lang, json)?;
                }
                continue;
            }
            Err(other) => return Err(other),
        }
        if is_open(socket, code)? {
            return Ok(());
        }
    }
    Err(failure.unwrap_or_else(|| too_few(code, count)))
}

/// One that is not the last.
fn told(refused: &Failure, lang: Lang, json: bool) -> Result<()> {
    if json {
        return output::json(refused.refused_as());
    }
    output::line(format!("  {}", refused.message(lang)))
}

/// No more lines come, and it is not open.
fn too_few(code: TransferCode, count: Option<(u8, u8)>) -> Failure {
    let have = match count {
        Some((have, needed)) => {
            words!("{have} van {needed} regels zijn er", "{have} of {needed} lines are in")
        }
        None => words!("er werd geen regel getypt", "no line was typed"),
    };
    Failure::coded(
        "too-few-lines",
        words!(
            "{}: de envelop blijft dicht. De andere bewaarders typen de hunne met: sluis open {code}",
            "{}: it stays shut. The other custodians type theirs with: sluis open {code}";
            have
        ),
    )
}

/// Whether this transfer takes a line, and of this person: by one in which nothing stands. Nobody types a share for what
/// is not there.
fn takes_lines(socket: &Socket, code: TransferCode) -> Result<()> {
    match socket.post::<LineAnswer>("line", &TypedLine { code, text: String::new() }) {
        Err(refused) if !is_about_the_line(refused.code()) => Err(refused),
        _ => Ok(()),
    }
}

/// What a person at the keyboard can mend by typing again.
fn is_about_the_line(code: &str) -> bool {
    matches!(
        code,
        "mistyped" | "length" | "not-a-share" | "other-transfer" | "same-line" | "not-this-share"
    )
}

fn tell(socket: &Socket, code: TransferCode, answer: &LineAnswer, lang: Lang) -> Result<()> {
    let good = lang.pick("juist", "right");
    let of = if answer.rehearsal { called(code, true) + ", " } else { String::new() };
    output::line(format!(
        "  {of}{good}: {} ({}), {} / {}",
        answer.index, answer.custodian, answer.have, answer.needed
    ))?;
    let Some(path) = &answer.opened else { return Ok(()) };
    output::line(format!(
        "{} {path}",
        lang.pick("Open. De bestanden staan in", "Open. The files stand in")
    ))?;
    output::line(format!(
        "  {}: sluis take {code} > {}",
        lang.pick("één bestand haalt u op met", "take one file with"),
        lang.pick("BESTAND", "FILE")
    ))?;
    // Of an exercise the vault keeps no list.
    let Some(kept) = retention::kept(socket, code) else { return Ok(()) };
    let until = words!(
        "  de kluis bewaart ze tot en met {}: sluis retention",
        "  the vault keeps it until {}: sluis retention",
        kept.last_day
    );
    output::line(until.text(lang.core()))
}

fn is_open(socket: &Socket, code: TransferCode) -> Result<bool> {
    let detail: sluis_core::control::Detail = socket.post("show", &ByCode { code })?;
    Ok(detail.row.state == "Opened")
}

/// A line, or nothing at the end.
pub(crate) fn read_line(terminal: bool, lang: Lang) -> Result<Option<Zeroizing<String>>> {
    if terminal {
        output::write(lang.pick("Sleuteldeel: ", "Share line: ").as_bytes())?;
        let _ = std::io::stdout().flush();
    }
    let mut line = Zeroizing::new(String::with_capacity(256));
    let mut input = std::io::Read::take(std::io::stdin().lock(), MAX_LINE);
    let read = input.read_line(&mut line).map_err(Failure::io("standard input"))?;
    Ok((read > 0).then_some(line))
}

/// `sluis take CODE > FILE`
pub(crate) fn take(socket: &Socket, code: TransferCode) -> Result<()> {
    if std::io::stdout().is_terminal() {
        return Err(Failure::coded(
            "not-on-a-screen",
            words!(
                "een lijst hoort niet op een scherm: sluis take {code} > BESTAND",
                "a list does not belong on a screen: sluis take {code} > FILE"
            ),
        ));
    }
    socket.stream("take", &ByCode { code }, output::write)
}
