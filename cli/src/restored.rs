//! `sluis restored`, two persons go on after an older store was put back, or refuse the word that says so; `sluis say-again`,
//! what the other party lost is said to it once more.

use sluis_core::control::{GoOn, Restored, SaidAgain, SayAgain};
use sluis_core::id::AgreementId;

use crate::failure::Result;
use crate::language::Lang;
use crate::socket::Socket;
use crate::{output, second};

/// `sluis restored AGREEMENT`
pub(crate) fn go_on(socket: &Socket, ask: &GoOn, lang: Lang, json: bool) -> Result<()> {
    let word: Restored = socket.post("restored", ask)?;
    let (agreement, refused) = (&ask.agreement, ask.refuse.is_some());
    if json {
        return output::json(&word);
    }
    if ask.unheard {
        output::line(lang.pick(
            "Er werd geen oudere databank teruggezet: lijsten bewegen tot de volgende start zonder dat de andere partij gehoord werd. Geen sleuteldeel vertrekt voor ze gehoord is.",
            "No older store was put back: until the next start lists move without the other party having been heard. No share leaves before it was.",
        ))?;
        return match &word.first {
            Some(first) => output::line(match lang {
                Lang::Nl => format!("bevestigd na {first}."),
                Lang::En => format!("confirmed after {first}."),
            }),
            None => {
                output::line(second::asked(lang))?;
                second::beside(&word.others, lang)
            }
        };
    }
    if let Some(of) = &word.word {
        let digest = of.digest();
        output::line(match lang {
            Lang::Nl => format!(
                "{agreement}: dat blijkt uit hun ondertekend woord {digest} (--json toont het). Klopt het niet? Bel hen; twee personen weigeren het: sluis restored {agreement} --refuse REDEN"
            ),
            Lang::En => format!(
                "{agreement}: it shows by their signed word {digest} (--json shows it). Is it not so? Call them; two persons refuse it: sluis restored {agreement} --refuse REASON"
            ),
        })?;
    }
    let Restored { kept, theirs, exposed, .. } = word;
    output::line(match lang {
        Lang::Nl if refused => format!(
            "{agreement}: ze noemt onze verklaring {theirs}; onze laatste hier is {kept}. Dat wordt geweigerd."
        ),
        Lang::En if refused => format!(
            "{agreement}: it names our statement {theirs}; our last one here is {kept}. That is refused."
        ),
        Lang::Nl => format!(
            "{agreement}: hier staan {kept} van onze verklaringen; de andere partij heeft er {theirs}. {exposed} sleuteldelen tellen als verzonden."
        ),
        Lang::En => format!(
            "{agreement}: {kept} of our statements are here; the other party has {theirs}. {exposed} shares count as exposed."
        ),
    })?;
    let Some(first) = &word.first else {
        output::line(second::asked(lang))?;
        return second::beside(&word.others, lang);
    };
    output::line(match lang {
        Lang::Nl if refused => {
            format!("bevestigd na {first}; we gaan verder na onze eigen verklaring {kept}.")
        }
        Lang::En if refused => {
            format!("confirmed after {first}; we go on after our own statement {kept}.")
        }
        Lang::Nl => format!("bevestigd na {first}; we gaan verder na verklaring {theirs}."),
        Lang::En => format!("confirmed after {first}; we go on after statement {theirs}."),
    })?;
    for ended in &word.ended {
        let code = ended.code;
        output::line(match lang {
            Lang::Nl => format!("{ended}  gaat niet verder zoals het was: sluis show {code}"),
            Lang::En => format!("{ended}  does not go on as it was: sluis show {code}"),
        })?;
    }
    Ok(())
}

/// `sluis say-again AGREEMENT --from N`
pub(crate) fn say_again(socket: &Socket, ask: &SayAgain, lang: Lang, json: bool) -> Result<()> {
    let word: SaidAgain = socket.post("say-again", ask)?;
    if json {
        return output::json(&word);
    }
    let (agreement, SaidAgain { from, until, last }) = (&ask.agreement, word);
    output::line(match lang {
        Lang::Nl => format!("{agreement}: verklaringen {from} tot {until} gaan opnieuw."),
        Lang::En => format!("{agreement}: statements {from} to {until} go again."),
    })?;
    if until == last {
        return Ok(());
    }
    let next = until.saturating_add(1);
    output::line(match lang {
        Lang::Nl => format!(
            "Er zijn er {last}. Zijn deze gehoord: sluis say-again {agreement} --from {next}"
        ),
        Lang::En => format!(
            "There are {last}. When these were heard: sluis say-again {agreement} --from {next}"
        ),
    })
}

/// Says under which agreements an older store is held.
pub(crate) fn held(agreements: &[AgreementId], lang: Lang) -> Result<()> {
    for name in agreements {
        output::line(match lang {
            Lang::Nl => format!(
                "{name}: er werd een oudere databank teruggezet: ze zegt en zendt niets tot twee personen verdergaan (sluis restored {name})"
            ),
            Lang::En => format!(
                "{name}: an older store was put back: it says and sends nothing until two persons go on (sluis restored {name})"
            ),
        })?;
    }
    Ok(())
}

/// Says that no list moves on under an agreement yet.
pub(crate) fn unheard(name: &AgreementId, lang: Lang) -> Result<()> {
    output::line(match lang {
        Lang::Nl => format!(
            "{name}: de postbus van de andere partij werd sinds de start nog niet tot het einde gelezen; tot dan beweegt geen lijst. Duurt het, kijk dan of de sluiskom te bereiken is en de andere kant draait; is ze weg: sluis restored {name} --unheard"
        ),
        Lang::En => format!(
            "{name}: the other party's mailbox was not read to its end since the start; until then no list moves. If it lasts, see whether the drop zone can be reached and the other side runs; where it is gone: sluis restored {name} --unheard"
        ),
    })
}
