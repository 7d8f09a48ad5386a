//! `sluis open` and `sluis take`: lines in, the list out.

use std::io::{BufRead, IsTerminal, Write};

use sluis_core::control::{ByCode, LineAnswer, TypedLine};
use sluis_core::id::{TransferCode, called};
use sluis_core::words;
use zeroize::Zeroizing;

use crate::failure::{Failure, Result};
use crate::language::Lang;
use crate::output;
use crate::socket::Socket;

/// The longest line that is read.
const MAX_LINE: u64 = 1000;

/// Asks for lines one at a time, from the terminal or standard input, until the envelope opens.
pub(crate) fn open(socket: &Socket, code: TransferCode, lang: Lang, json: bool) -> Result<()> {
    takes_lines(socket, code)?;
    let terminal = std::io::stdin().is_terminal();
    let mut failure = None;
    while let Some(text) = read_line(terminal, lang)? {
        if text.trim().is_empty() {
            continue;
        }
        match socket.post::<LineAnswer>("line", &TypedLine { code, text: text.to_string() }) {
            Ok(answer) if json => output::json(&answer)?,
            Ok(answer) => tell(code, &answer, lang)?,
            Err(refused) if terminal && is_about_the_line(refused.code()) => {
                output::line(format!("  {}", refused.message(lang)))?;
                continue;
            }
            Err(refused) if is_about_the_line(refused.code()) => {
                if json {
                    output::json(refused.refused_as())?;
                } else {
                    output::line(format!("  {}", refused.message(lang)))?;
                }
                failure = Some(refused);
                continue;
            }
            Err(other) => return Err(other),
        }
        if is_open(socket, code)? {
            return Ok(());
        }
    }
    Err(failure.unwrap_or_else(|| {
        Failure::coded(
            "too-few-lines",
            words!(
                "er zijn nog te weinig regels; de envelop blijft dicht",
                "there are too few lines yet; it stays shut"
            ),
        )
    }))
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

fn tell(code: TransferCode, answer: &LineAnswer, lang: Lang) -> Result<()> {
    let good = lang.pick("juist", "right");
    let of = if answer.rehearsal { called(code, true) + ", " } else { String::new() };
    output::line(format!(
        "  {of}{good}: {} ({}), {} / {}",
        answer.index, answer.custodian, answer.have, answer.needed
    ))?;
    match &answer.opened {
        Some(path) => output::line(format!(
            "{} {path}",
            lang.pick("Open. De bestanden staan in", "Open. The files stand in")
        )),
        None => Ok(()),
    }
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
