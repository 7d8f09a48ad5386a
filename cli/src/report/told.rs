//! What a statement says, in a sentence for people.

use sluis_core::agreement::Agreement;
use sluis_core::id::{Digest, Time};
use sluis_core::kinds;
use sluis_core::notice::{Notice, Sort};
use sluis_core::statement::{Body, Destroyed, Failed, Look, Residents, Shipped, Word};

use super::{Line, Report, short};
use crate::language::Lang;

/// A kind's name; one for all that are not known here.
pub(super) fn kind(kind: &str, lang: Lang) -> &'static str {
    let other = || lang.pick("andere verklaring", "another statement");
    kinds::statement(kind, lang.core()).unwrap_or_else(other)
}

/// A length of time: the two largest units.
pub(super) fn span(ms: i64, lang: Lang) -> String {
    let seconds = ms / 1000;
    let (days, hours) = (seconds / 86_400, seconds % 86_400 / 3600);
    let (minutes, seconds) = (seconds % 3600 / 60, seconds % 60);
    let (day, hour) = (lang.pick("d", "d"), lang.pick("u", "h"));
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {seconds} s"),
        (0, ..) => format!("{hours} {hour} {minutes} min"),
        _ => format!("{days} {day} {hours} {hour}"),
    }
}

/// How long the file was on the transport medium, against the target.
pub(super) fn removal(sent: Time, removed: Time, agreement: &Agreement, lang: Lang) -> String {
    let target = i64::from(agreement.targets.removal_target_hours) * 60;
    format!(
        "{} {} ({} {target} min)",
        // By two clocks.
        span(removed.0.saturating_sub(sent.0).max(0), lang),
        lang.pick("op het transportmedium", "on the transport medium"),
        lang.pick("streefdoel", "target"),
    )
}

/// Whose residents the list is about, and on whose word (art. 2).
fn residents(said: &Residents, lang: Lang) -> String {
    let word = match said.word {
        Word::Agreement => lang.pick(
            "zoals de overeenkomst elke lijst laat selecteren",
            "as the agreement has every list selected",
        ),
        Word::Person => {
            lang.pick("volgens wie de lijst aanbood", "by the word of whoever offered it")
        }
    };
    let of = lang.pick("getrokken voor inwoners van NIS-code", "drawn for residents of NIS code");
    format!("{of} {}, {word}", said.nis)
}

/// Which report of an error in an earlier list a corrected one mends, and that no such one is here where it is not.
fn mends(report: &Report<'_>, line: &Line, case: &Digest) -> String {
    let lang = report.lang;
    let of = report.register().reported_in(case);
    let lacks = match of.is_some_and(|of| line.about() != Some(of)) {
        true => "",
        false => lang.pick(" (daarvan is hier geen melding)", " (no report of that is here)"),
    };
    format!("{} {}{lacks}", lang.pick("verbetert dossier", "mends case"), short(case))
}

/// What this statement says.
pub(super) fn sentence(report: &Report<'_>, line: &Line) -> String {
    let lang = report.lang;
    let name = kind(line.kind(), lang);
    let list = line.about().map(|id| report.called(id)).unwrap_or_default();
    let more = match &line.statement.body {
        Body::Notice(sort, notice) => return noticed(report, line, *sort, notice),
        Body::Sent(body) => {
            let asked = body.request.as_ref().map(|request| {
                let paper = match report.is_from_paper(request) {
                    true => lang.pick(" (op papier)", " (on paper)"),
                    false => "",
                };
                format!("{} {}{paper}", lang.pick("op aanvraag", "at request"), short(request))
            });
            let again = body.replaces.map(|id| {
                format!("{} {}", lang.pick("in plaats van", "in place of"), report.called(id))
            });
            let drill = body.rehearsal.then(|| lang.pick("een oefening", "a rehearsal").to_owned());
            let drawn = body.residents.as_ref().map(|it| residents(it, lang));
            let size = Some(format!("{} bytes", body.size));
            let waived = body.waived.as_ref().map(|it| {
                format!("{} {}", lang.pick("doorgelaten door", "let pass by"), short(it))
            });
            let mends = body.mends.as_ref().map(|it| mends(report, line, it));
            [size, asked, mends, drawn, again, waived, drill]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(", ")
        }
        Body::Removed(body) => {
            let sent = line.about().and_then(|id| Some((id, report.when(id, "sent")?)));
            let span =
                sent.map(|(id, sent)| removal(sent, line.said(), report.agreement(id), lang));
            let looked = Some(seen(&body.seen, lang));
            let all = [span, looked, unknown(&body.unknown, lang)];
            all.into_iter().flatten().collect::<Vec<_>>().join(", ")
        }
        Body::Probed(body) => seen(&body.seen, lang),
        Body::Released(body) => shares(&body.shares, lang),
        Body::ShareAccepted(body) => format!("{} ({})", body.index, body.custodian),
        Body::Opened(body) => {
            let shares: Vec<_> = body.shares.iter().map(ToString::to_string).collect();
            format!("{} {}", lang.pick("met de delen", "with shares"), shares.join(", "))
        }
        Body::Closed(body) => {
            format!("{}: {}", lang.pick("gewist", "erased"), things(&body.erased, lang))
        }
        Body::Destroyed(body) => destroyed(body, lang),
        Body::Failed(body) => failed(body, lang),
        Body::Restored(body) => match lang {
            Lang::Nl => format!(
                "een oudere databank; verder na verklaring {}, {} sleuteldelen tellen als verzonden",
                body.from.number, body.exposed
            ),
            Lang::En => format!(
                "an older store; on after statement {}, {} shares count as exposed",
                body.from.number, body.exposed
            ),
        },
        Body::Contradicted(body) => match lang {
            Lang::Nl => format!("verklaring {} kwam in twee vormen", body.number),
            Lang::En => format!("statement {} came in two forms", body.number),
        },
        Body::Unknown(kind, _) => kind.clone(),
        _ => String::new(),
    };
    let more = if more.is_empty() { more } else { format!(": {more}") };
    format!("{list} {name}{more}{}", void(line, lang)).trim().to_owned()
}

/// What of a list was erased, what was asked to be, and what nobody knows (art. 3; R24).
fn destroyed(body: &Destroyed, lang: Lang) -> String {
    let erased = format!("{}: {}", lang.pick("gewist", "erased"), things(&body.erased, lang));
    let asked = match body.asked.is_empty() {
        true => lang
            .pick(
                "niemand schreef in dat de bewaarders gevraagd is hun berichten te wissen",
                "nobody entered that the custodians were asked to delete their messages",
            )
            .to_owned(),
        false => {
            let asked = lang.pick("de bewaarders gevraagd te wissen", "custodians asked to delete");
            format!("{asked}: {}", things(&body.asked, lang))
        }
    };
    let until = match (body.backups_until, lang) {
        (Some(day), Lang::Nl) => format!("back-ups kunnen ze hebben tot {day}"),
        (Some(day), Lang::En) => format!("backups may hold it until {day}"),
        (None, Lang::Nl) => "van de kluis zijn er geen back-ups".to_owned(),
        (None, Lang::En) => "of the vault there are no backups".to_owned(),
    };
    let all = [Some(erased), Some(asked), unknown(&body.unknown, lang), Some(until)];
    all.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// Of which copies the statement says that nothing is known.
fn unknown(copies: &[String], lang: Lang) -> Option<String> {
    let what = lang.pick("niet bekend", "not known");
    (!copies.is_empty()).then(|| format!("{what}: {}", things(copies, lang)))
}

/// What statements name by a word of their own.
fn things(all: &[String], lang: Lang) -> String {
    let name = |it: &String| {
        let (nl, en) = match it.as_str() {
            "envelope" => ("de envelop", "the envelope"),
            "opened" => ("wat eruit kwam", "what came out of it"),
            "messages" => ("hun berichten", "their messages"),
            "taken" => ("wat uit de kluis meegenomen werd", "what was taken from the vault"),
            "snapshots" => ("momentopnamen", "snapshots"),
            "backups" => ("back-ups", "backups"),
            "plaintext" => ("de lijst", "the list"),
            "bundle" => ("de sleuteldelen", "the shares"),
            other => (other, other),
        };
        lang.pick(nl, en).to_owned()
    };
    all.iter().map(name).collect::<Vec<_>>().join(", ")
}

fn void(line: &Line, lang: Lang) -> &'static str {
    if line.effect { "" } else { lang.pick(" (zonder gevolg)", " (without effect)") }
}

fn noticed(report: &Report<'_>, line: &Line, sort: Sort, notice: &Notice) -> String {
    let lang = report.lang;
    let numbered = sort.opens() || notice.received.is_some();
    let case = notice.case.as_ref().or(numbered.then_some(&line.digest));
    let what = match sort == Sort::Contradiction || notice.received.is_some() && !sort.opens() {
        true => lang.pick("inschrijving", "entry"),
        false => lang.pick("dossier", "case"),
    };
    let case = case.map(|case| format!("{what} {}", short(case)));
    let found =
        notice.found.map(|at| format!("{} {}", lang.pick("vastgesteld", "found"), at.local_hour()));
    let on = notice.on.map(|on| format!("{} {on}", lang.pick("dag", "day")));
    let ends = report.ends_otherwise(line).map(|ends| {
        let here = lang.pick("hier eindigt het op", "here it ends on");
        format!("{here} {ends}")
    });
    let paper = match (notice.received, notice.paper) {
        (_, Some(digest)) if sort == Sort::Publication => Some(format!(
            "{} {}, SHA-256 {digest}",
            lang.pick("versie", "version"),
            report.version(line)
        )),
        (Some(day), _) => Some(format!(
            "{} {day}",
            lang.pick(
                "op papier: woord van de andere partij, uit haar brief van",
                "on paper: the other party's word, from its letter of"
            )
        )),
        (None, paper) => paper.map(|_| lang.pick("op papier", "on paper").to_owned()),
    };
    let none = notice.unpapered.as_ref().map(|why| {
        format!(
            "{}: {why}",
            lang.pick("geen eigen overeenkomst nodig", "needs no agreement of its own")
        )
    });
    let against = report.is_contradicted(&line.digest).then(|| {
        lang.pick(
            "tegengesproken door wie het gezegd zou hebben",
            "contradicted by whose word it would be",
        )
        .to_owned()
    });
    let known = [case, found, on, ends, paper, against, none];
    let known: Vec<_> = known.into_iter().flatten().collect();
    let known = if known.is_empty() { String::new() } else { format!(" ({})", known.join(", ")) };
    format!("{}{known}{}: {}", kind(sort.kind(), lang), void(line, lang), notice.text)
}

/// What was found where the file had been.
fn seen(look: &Look, lang: Lang) -> String {
    match (look.is_gone(), lang) {
        (true, Lang::Nl) => "niet meer te vinden (HTTP 410)".to_owned(),
        (true, Lang::En) => "not to be found any more (HTTP 410)".to_owned(),
        (false, _) => format!("HEAD {}, GET {}", look.head, look.get),
    }
}

fn shares(shares: &[Shipped], lang: Lang) -> String {
    let one = |it: &Shipped| {
        let (nl, en) = match it.outcome.as_str() {
            "accepted" => ("aanvaard", "accepted"),
            "rejected" => ("geweigerd", "refused"),
            "unknown" => ("onbekend", "unknown"),
            other => (other, other),
        };
        format!("{} {} {}", it.index, it.channel, lang.pick(nl, en))
    };
    shares.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// In which step a transfer failed, by the word of who says so, and its code.
fn failed(failed: &Failed, lang: Lang) -> String {
    let (nl, en) = match failed.step.as_str() {
        "carry" => ("bij het wegbrengen", "in carrying"),
        "release" => ("bij het vrijgeven van sleuteldelen", "in letting shares go"),
        "fetch" => ("bij het ophalen", "in fetching"),
        "municipality" => ("bij de gemeente", "at the municipality"),
        "restore" => ("na het terugzetten van een databank", "after a store was put back"),
        other => (other, other),
    };
    format!("{} (code {})", lang.pick(nl, en), failed.code)
}
