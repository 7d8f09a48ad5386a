//! Per article: what was required, and which statements of the period say that it was done.

use sluis_core::agreement::Side;
use sluis_core::deadline::{Clock, Deadline, Standing, Who};
use sluis_core::notice::Sort;
use sluis_core::statement::Body;

use super::required::{self, Asked};
use super::{Line, Report, is_late, short, told, who};
use crate::language::Lang;

/// An article with its duties.
pub(super) struct Article {
    pub(super) id: String,
    pub(super) title: &'static str,
    pub(super) duties: Vec<Duty>,
}

/// One thing that it asks.
pub(super) struct Duty {
    pub(super) required: String,
    pub(super) done: Vec<Done>,
    /// What is said where nothing was.
    pub(super) none: &'static str,
}

/// One thing that was done about it.
pub(super) struct Done {
    pub(super) when: String,
    pub(super) what: String,
    /// Which party, or the agreement.
    pub(super) who: String,
    /// By which role or in which function, where that is known.
    pub(super) role: String,
    /// That it came late, or did not come.
    pub(super) late: Option<String>,
}

/// Every article, in the order of the text.
pub(super) fn all(report: &Report<'_>, deadlines: &[Deadline]) -> Vec<Article> {
    let mut listed: Vec<&str> = Vec::new();
    let mut articles = Vec::new();
    for (part, title, asked) in required::all(report, deadlines) {
        listed.extend(asked.iter().flat_map(|it| it.kinds));
        let duties = asked.into_iter().map(|it| duty(report, it, deadlines)).collect();
        articles.push(Article { id: part.label(report.lang.core()), title, duties });
    }
    // What a later version says is shown, though nothing here knows what it answers.
    let other = report.period().iter().filter(|line| !listed.contains(&line.kind()));
    let done: Vec<_> = other.map(|line| one(report, line, deadlines)).collect();
    if !done.is_empty() {
        let title = report.lang.pick("Andere verklaringen", "Other statements");
        articles.push(Article {
            id: String::new(),
            title,
            duties: vec![Duty { required: String::new(), done, none: "" }],
        });
    }
    articles
}

/// What was done about one thing that was asked, and what was not and is late.
fn duty(report: &Report<'_>, asked: Asked, deadlines: &[Deadline]) -> Duty {
    let Asked { required, noted, kinds, whose } = asked;
    // What two persons let pass shows in every later year too (R84).
    let told = match kinds.contains(&Sort::Override.kind()) {
        true => report.lines,
        false => report.period(),
    };
    let answers = |line: &&Line| {
        kinds.contains(&line.kind()) && whose.is_none_or(|side| report.whose_case(line) == side)
    };
    let done = told.iter().filter(answers).map(|line| one(report, line, deadlines));
    let missed =
        deadlines.iter().filter(|it| answer(it.clock).is_some_and(|it| kinds.contains(&it)));
    let missed = missed.filter_map(|it| overdue(report, it));
    let none = match kinds.is_empty() {
        true => report.lang.pick("staat niet in de overeenkomst", "not in the agreement"),
        false => {
            report.lang.pick("niets gemeld in deze periode", "nothing reported in this period")
        }
    };
    Duty { required, done: noted.into_iter().chain(done).chain(missed).collect(), none }
}

/// The kind of statement that a clock waits for, where somebody can be late with it.
fn answer(clock: Clock) -> Option<&'static str> {
    match clock {
        Clock::RemovalTarget => Some("removed"),
        Clock::Expiry => Some("expired"),
        Clock::Quality => Some(Sort::QualityAnswer.kind()),
        Clock::Retention => Some("destroyed"),
        Clock::Attestation => Some(Sort::Attestation.kind()),
        Clock::PolicyReview(_) => Some(Sort::PolicyReview.kind()),
        Clock::Profiles => Some(Sort::Profiles.kind()),
        Clock::Processors => Some(Sort::Processors.kind()),
        // The alarm is the target's; an incident's clock begins with its report; the others stop or open something.
        Clock::RemovalAlarm
        | Clock::Incident(_)
        | Clock::Notice
        | Clock::Magda
        | Clock::Backups
        | Clock::Custodian
        | Clock::Rehearsal
        | Clock::RequestAllowed => None,
    }
}

/// What was to be done and was not.
fn overdue(report: &Report<'_>, it: &Deadline) -> Option<Done> {
    (it.standing(report.as_of()) == Standing::Overdue).then(|| {
        let (since, lang) = (it.due.plus_ms(1).date(), report.lang);
        let who = match it.clock.rule().who {
            Who::Agency => report.party(Side::Agency).to_owned(),
            Who::Municipality => report.party(Side::Municipality).to_owned(),
            Who::Both => {
                [Side::Agency, Side::Municipality].map(|side| report.party(side)).join(", ")
            }
        };
        let late = match lang {
            Lang::Nl => format!("niet gedaan; te laat sinds {since}"),
            Lang::En => format!("not done; overdue since {since}"),
        };
        // What comes back every year is about the party itself.
        let of = matches!(
            it.clock,
            Clock::RemovalTarget | Clock::Expiry | Clock::Quality | Clock::Retention
        );
        let what = if of { it.of() } else { String::new() };
        Done { when: String::new(), what, who, role: String::new(), late: Some(late) }
    })
}

fn one(report: &Report<'_>, line: &Line, deadlines: &[Deadline]) -> Done {
    // The clock that this statement meets, if it meets one.
    let clock = match &line.statement.body {
        Body::Removed(_) => line.about().map(|id| (Clock::RemovalTarget, report.code(id))),
        Body::Opened(_) => line.about().map(|id| (Clock::Expiry, report.code(id))),
        Body::Destroyed(_) => line.about().map(|id| (Clock::Retention, report.code(id))),
        Body::Notice(Sort::IncidentReport, _) => {
            Some((Clock::Incident(line.whose()), short(&line.digest)))
        }
        Body::Notice(Sort::QualityAnswer, notice) => {
            notice.case.map(|case| (Clock::Quality, short(&case)))
        }
        _ => None,
    };
    // Reported beforehand, or not (R27).
    let unannounced = report.is_late(line);
    let met = clock
        .and_then(|(clock, of)| deadlines.iter().find(|it| it.clock == clock && it.subject == of));
    // Of what comes back every year, the clock that ended with this very word.
    let yearly = yearly(line).and_then(|clock| {
        deadlines.iter().find(|it| it.clock == clock && it.met == Some(line.said()))
    });
    let met = met.or(yearly);
    let late = unannounced || met.is_some_and(|it| is_late(it, report.as_of()));
    Done {
        when: line.at.local(),
        what: told::sentence(report, line),
        who: report.party(line.side).to_owned(),
        role: who::role(report, line),
        late: (line.effect && late).then(|| report.late()),
    }
}

/// The clock of a word that is said again every year.
fn yearly(line: &Line) -> Option<Clock> {
    match &line.statement.body {
        Body::Notice(Sort::PolicyReview, _) => Some(Clock::PolicyReview(line.side)),
        Body::Notice(Sort::Profiles, _) => Some(Clock::Profiles),
        Body::Notice(Sort::Attestation, _) => Some(Clock::Attestation),
        _ => None,
    }
}
