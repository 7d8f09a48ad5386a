//! `sluis deadlines`: every clock, as a table, for machines, or as a calendar.

use sluis_core::control::Under;
use sluis_core::deadline::{self, Deadline, Standing, ics};
use sluis_core::id::{AgreementId, Time};

use crate::failure::Result;
use crate::language::Lang;
use crate::output;
use crate::socket::Socket;

/// `sluis deadlines`
pub(crate) fn list(
    socket: &Socket,
    (of, as_ics): (&Under, bool),
    lang: Lang,
    json: bool,
) -> Result<()> {
    let due: Vec<(AgreementId, Deadline)> = socket.get(&of.verb("deadlines"))?;
    let now = Time(jiff::Timestamp::now().as_millisecond());
    let language = lang.core();
    if as_ics {
        return output::write(ics(&due, now, language).as_bytes());
    }
    if json {
        return output::json(&due.iter().map(|it| row(it, now)).collect::<Vec<_>>());
    }
    let cells = due.iter().map(|(agreement, it)| {
        vec![
            it.shown(it.due),
            it.standing(now).text(language).to_owned(),
            agreement.to_string(),
            format!("{} [{}]", it.clock.marked(language), it.clock),
            it.of(),
            it.clock.rule().article.label(language),
        ]
    });
    let head = match lang {
        Lang::Nl => ["TEN LAATSTE", "STAND", "OVEREENKOMST", "KLOK", "WAARVAN", "ARTIKEL"],
        Lang::En => ["DUE", "STANDING", "AGREEMENT", "CLOCK", "OF", "ARTICLE"],
    };
    output::wide_table(&head, cells.collect())?;
    let clocks = due.iter().map(|(_, it)| it.clock);
    deadline::footnote(clocks, language).map_or(Ok(()), output::line)?;
    let late = due.iter().filter(|(_, it)| it.standing(now) == Standing::Overdue).count();
    if late > 0 {
        output::line(format!("{late} {}", lang.pick("te laat", "overdue")))?;
    }
    Ok(())
}

/// One for machines.
fn row((agreement, it): &(AgreementId, Deadline), now: Time) -> serde_json::Value {
    let rule = it.clock.rule();
    serde_json::json!({
        "agreement": agreement, "clock": it.clock, "subject": it.subject, "rehearsal": it.rehearsal,
        "article": rule.article, "requirement": rule.requirement, "in_the_text": rule.in_the_text, "starts": it.starts, "due": it.due,
        "met": it.met, "standing": it.standing(now),
        "late_s": it.late_by(now).map(|late| late.as_secs()),
    })
}
