//! By which role of Sluis, or in which function, something was done: as far as the statement and its agreement know it.
//! Nobody is named.

use sluis_core::agreement::articles::Destruction;
use sluis_core::agreement::{Agreement, Side};
use sluis_core::id::CustodianId;
use sluis_core::notice::Sort;
use sluis_core::statement::{Body, Sent};

use super::{Line, Report};
use crate::language::Lang;

/// By whom at the party that said this; nothing where it is not known.
pub(super) fn role(report: &Report<'_>, line: &Line) -> String {
    let lang = report.lang;
    let agreement = line.about().map(|id| report.agreement(id));
    let sent = line.about().and_then(|id| report.sent(id));
    match &line.statement.body {
        Body::Probed(body) => gate(&body.word, lang),
        Body::Released(_) => gate("releaser", lang),
        // The core counts whether enough custodians are there; a person says that they are ready.
        Body::Ready(_) => {
            lang.pick("een persoon, door de keeper", "a person, by the keeper").into()
        }
        Body::ShareAccepted(body) => {
            agreement.map(|it| custodian(it, &body.custodian, lang)).unwrap_or_default()
        }
        Body::Opened(body) => sent
            .zip(agreement)
            .map(|(sent, it)| custodians(it, sent, &body.shares, lang))
            .unwrap_or_default(),
        Body::Destroyed(_) => match agreement.map(|it| it.retention.destroy) {
            Some(Destruction::TwoPersons) => {
                lang.pick("de keeper, op het woord van twee personen", "the keeper, by two persons")
            }
            _ => lang.pick(
                "de keeper, zoals de overeenkomst zegt of op het woord van twee personen",
                "the keeper, by the agreement or by two persons",
            ),
        }
        .into(),
        // A person withdraws and redelivers; an end at once takes two.
        Body::Withdrawn(_) | Body::Superseded(_) => lang
            .pick("een persoon die beslist, door de sealer", "a person who decides, by the sealer")
            .into(),
        Body::Restored(_) => lang.pick("twee personen", "two persons").into(),
        Body::Notice(sort, notice) => match sort {
            // What a new version says of processors the core tells by itself, and a person may too.
            Sort::Processors => String::new(),
            Sort::Override => {
                lang.pick("twee personen die goedkeuren", "two persons who approve").into()
            }
            _ if notice.takes_two(*sort, line.side) => {
                lang.pick("twee personen", "two persons").into()
            }
            _ => lang
                .pick("een persoon die voor de partij spreekt", "a person who speaks for the party")
                .into(),
        },
        Body::Unknown(..) => String::new(),
        _ => gate(if line.side == Side::Agency { "sealer" } else { "keeper" }, lang),
    }
}

/// A role of Sluis, by its name.
fn gate(name: &str, lang: Lang) -> String {
    format!("{} {name}", lang.pick("de", "the"))
}

/// A custodian, with the function for which the agreement has an entry.
fn custodian(agreement: &Agreement, id: &CustodianId, lang: Lang) -> String {
    let entry = agreement.key.custodians.iter().find(|it| it.id == *id);
    let function = entry.map(|it| format!(" ({})", it.profile)).unwrap_or_default();
    format!("{} {id}{function}", lang.pick("bewaarder", "custodian"))
}

/// The custodians whose shares were used.
fn custodians(agreement: &Agreement, sent: &Sent, shares: &[u8], lang: Lang) -> String {
    let routes = sent.routes.iter().filter(|route| shares.contains(&route.index));
    let all = routes.map(|route| custodian(agreement, &route.custodian, lang));
    all.collect::<Vec<_>>().join(", ")
}
