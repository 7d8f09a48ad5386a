//! What the vault keeps and how it goes: `retention`, `destroy`, and the yearly `attest`.

use std::io::{BufRead, IsTerminal, Read};
use std::path::PathBuf;

use clap::Args;
use sluis_core::agreement::articles::Destruction;
use sluis_core::control::{AskStock, Asked, Destroy, Retention};
use sluis_core::id::{AgreementId, TransferCode, called};
use sluis_core::retention::{Retained, Stock};
use sluis_core::words;
use sluis_core::words::Words;

use crate::failure::{Failure, Result};
use crate::language::Lang;
use crate::notices::{self, Wording};
use crate::output;
use crate::socket::Socket;
use crate::transfers::clock_held;

/// `sluis retention`
pub(crate) fn list(socket: &Socket, lang: Lang, json: bool) -> Result<()> {
    let plan: Retention = socket.get("retention")?;
    if json {
        return output::json(&plan);
    }
    if plan.lists.is_empty() {
        output::line(lang.pick("De kluis bewaart geen lijst.", "The vault keeps no list."))?;
        return clock_held(plan.clock_held, lang);
    }
    let head = match lang {
        Lang::Nl => [
            "CODE",
            "OVEREENKOMST",
            "GELEVERD",
            "GEOPEND",
            "TEN LAATSTE",
            "DAGEN",
            "WIE",
            "OPMERKING",
        ],
        Lang::En => {
            ["CODE", "AGREEMENT", "DELIVERED", "OPENED", "DESTROY BY", "DAYS", "BY WHOM", "NOTE"]
        }
    };
    let cells = |list: &Retained| {
        vec![
            called(list.code, list.rehearsal),
            list.agreement.to_string(),
            list.delivered.date().to_string(),
            list.opened.map_or_else(|| "-".to_owned(), |at| at.date().to_string()),
            list.last_day.to_string(),
            list.days_left.to_string(),
            match list.destroy {
                Destruction::TwoPersons => lang.pick("twee personen", "two persons"),
                Destruction::Automatic => lang.pick("vanzelf", "by itself"),
            }
            .to_owned(),
            note(list, lang),
        ]
    };
    output::wide_table(&head, plan.lists.iter().map(cells).collect())?;
    clock_held(plan.clock_held, lang)
}

fn note(list: &Retained, lang: Lang) -> String {
    let late = (list.days_left < 0).then(|| lang.pick("te laat", "overdue").to_owned());
    let going = (list.state == "Destroying")
        .then(|| lang.pick("wordt vernietigd", "being destroyed").to_owned());
    let asked = list
        .asked_by
        .as_ref()
        .map(|who| format!("{} {who}", lang.pick("gevraagd door", "asked by")));
    let announced = list
        .announced
        .map(|at| format!("{} {}", lang.pick("aangekondigd op", "announced on"), at.date()));
    [late, going, asked, announced].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// What the vault keeps of a transfer, where this person may see that.
pub(crate) fn kept(socket: &Socket, code: TransferCode) -> Option<Retained> {
    let plan: Retention = socket.get("retention").ok()?;
    plan.lists.into_iter().find(|it| it.code == code)
}

/// That it may stay longer than this.
fn early(kept: &Retained) -> Words {
    words!(
        "Deze lijst mag blijven tot en met {}: nog {} dagen.",
        "This list may stay until {}: {} days more.",
        kept.last_day,
        kept.days_left
    )
}

/// `sluis destroy CODE`
pub(crate) fn destroy(
    socket: &Socket,
    code: TransferCode,
    messages_asked: bool,
    lang: Lang,
    json: bool,
) -> Result<()> {
    let kept = kept(socket, code);
    if let Some(kept) = kept.as_ref().filter(|it| it.days_left > 0 && !json) {
        output::line(early(kept).text(lang.core()))?;
        let question = lang.pick("Toch vernietigen? [j/N] ", "Destroy it all the same? [y/N] ");
        if std::io::stdin().is_terminal() && !agreed(question)? {
            let nothing = words!("niets gevraagd", "nothing was asked");
            return Err(Failure::coded("not-destroyed", nothing));
        }
    }
    let asked: Asked = socket.post("destroy", &Destroy { code, messages_asked })?;
    if json {
        return output::json(&asked);
    }
    let of = asked.row.called();
    match &asked.first {
        None => output::line(format!(
            "{of}  {}",
            lang.pick(
                "gevraagd; een tweede persoon bevestigt binnen zeven dagen met: sluis destroy",
                "asked; a second person confirms within seven days with: sluis destroy",
            )
            .to_owned()
                + &format!(" {code}. ")
                + lang.pick(
                    "Tot dan wordt niets vernietigd, en zonder die tweede vervalt het",
                    "Nothing is destroyed before that, and without that second person it lapses",
                )
        ))?,
        Some(first) => {
            output::line(format!(
                "{of}  {} {first}",
                lang.pick("bevestigd na", "confirmed after")
            ))?;
        }
    }
    let custodians: Vec<_> = asked.custodians.iter().map(ToString::to_string).collect();
    let custodians = custodians.join(", ");
    match (asked.messages_asked, &asked.first) {
        (true, _) => Ok(()),
        (false, None) => output::line(format!(
            "{}: {custodians}\n{}: sluis destroy {code} --messages-asked",
            lang.pick(
                "Vraag deze bewaarders hun bericht te wissen",
                "Ask these custodians to delete their message",
            ),
            lang.pick(
                "Is dat gevraagd, dan bevestigt de tweede persoon met",
                "Once they were asked, the second person confirms with",
            )
        )),
        (false, Some(_)) => output::line(format!(
            "{}: {custodians}",
            lang.pick(
                "De verklaring zegt niet dat deze bewaarders gevraagd werd hun bericht te wissen. Vraag het hun nog",
                "The statement does not say that these custodians were asked to delete their message. Ask them still",
            )
        )),
    }
}

/// What is attested.
#[derive(Debug, Args)]
pub(crate) struct Attest {
    /// Under which agreement.
    agreement: AgreementId,
    /// What there is to add to the counts. No personal data: it stands in both ledgers.
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,
    /// The letter or mail that it is entered from: its digest is kept, not its content.
    #[arg(long, value_name = "FILE")]
    paper: Option<PathBuf>,
    /// I have seen the counts: do not ask.
    #[arg(long)]
    yes: bool,
}

/// `sluis attest AGREEMENT`: first what the vault says, then, on a person's word, the notice.
pub(crate) fn attest(socket: &Socket, ask: Attest, lang: Lang, json: bool) -> Result<()> {
    let stock: Stock = socket.post("stock", &AskStock { agreement: ask.agreement.clone() })?;
    match json {
        true if ask.yes => {}
        true => output::json(&stock)?,
        false => output::line(format!("{}: {}", ask.agreement, stock.text(lang.core())))?,
    }
    // The core refuses it all the same; who is asked is told before.
    if let Some(why) = stock.contradicts().filter(|_| !ask.yes) {
        return Err(Failure::coded("not-attested", why));
    }
    let question = lang.pick("Verklaart u dit? [j/N] ", "Do you attest this? [y/N] ");
    if !ask.yes && !agreed(question)? {
        return Err(Failure::coded(
            "not-attested",
            words!(
                "niets verklaard; als het klopt: hetzelfde met --yes",
                "nothing was attested; if it is right: the same with --yes"
            ),
        ));
    }
    let text = ask.text.unwrap_or_default();
    notices::make(socket, Wording::attestation(ask.agreement, text, ask.paper), lang, json)
}

/// A person's yes, at the terminal alone.
fn agreed(question: &str) -> Result<bool> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return Ok(false);
    }
    output::prompt(question)?;
    let mut answer = String::new();
    stdin.lock().take(100).read_line(&mut answer).map_err(Failure::io("standard input"))?;
    Ok(["j", "ja", "y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
}
