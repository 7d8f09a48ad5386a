//! `sluis restored`: two persons go on after an older store was put back.

use sluis_core::control::{GoOn, Restored};
use sluis_core::id::AgreementId;

use crate::failure::Result;
use crate::language::Lang;
use crate::output;
use crate::second;
use crate::socket::Socket;

/// `sluis restored AGREEMENT`
pub(crate) fn go_on(socket: &Socket, ask: &GoOn, lang: Lang, json: bool) -> Result<()> {
    let word: Restored = socket.post("restored", ask)?;
    let agreement = &ask.agreement;
    if json {
        return output::json(&word);
    }
    let Restored { kept, theirs, exposed, .. } = word;
    output::line(match lang {
        Lang::Nl => format!(
            "{agreement}: hier staan {kept} van onze verklaringen; de andere partij heeft er {theirs}. {exposed} sleuteldelen tellen als verzonden."
        ),
        Lang::En => format!(
            "{agreement}: {kept} of our statements are here; the other party has {theirs}. {exposed} shares count as exposed."
        ),
    })?;
    let Some(first) = &word.first else { return output::line(second::asked(lang)) };
    output::line(match lang {
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
