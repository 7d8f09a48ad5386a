//! What is drawn: the lock of one transfer, two gates that are never open together; and a year.

use jiff::civil::Date;
use sluis_core::deadline::civil;
use sluis_core::id::Time;
use sluis_core::notice::Sort;

use super::{Line, Report, told};
use crate::language::Lang;

/// The width of every drawing, in its own units.
const WIDTH: i64 = 760;
/// Where what is drawn begins, right of the names of the lanes.
const LEFT: i64 = 120;
/// A bar that is shorter could not be seen.
const LEAST: i64 = 6;

/// Two gates, and what happened between them, in order; not to scale.
pub(super) struct Lock {
    pub(super) file: Option<Bar>,
    pub(super) key: Option<Bar>,
    pub(super) marks: Vec<Mark>,
    /// What it shows, for who cannot see it.
    pub(super) said: String,
}

pub(super) struct Bar {
    pub(super) x: i64,
    pub(super) width: i64,
    pub(super) title: String,
}

pub(super) struct Mark {
    pub(super) x: i64,
    pub(super) label: &'static str,
    pub(super) date: String,
    pub(super) time: String,
}

/// What ends a transfer otherwise than by opening.
const ENDS: [&str; 4] = ["withdrawn", "expired", "failed", "superseded"];

/// The lock of one transfer, from all that was said of it.
pub(super) fn lock(moves: &[&Line], lang: Lang) -> Lock {
    let mut firsts: Vec<&Line> = Vec::new();
    for line in moves.iter().filter(|line| line.kind() != "share-accepted") {
        if firsts.iter().all(|first| first.kind() != line.kind()) {
            firsts.push(line);
        }
    }
    let count = i64::try_from(firsts.len()).unwrap_or(1).max(1);
    let step = (WIDTH - LEFT) / count;
    let at = |place: usize| LEFT + step / 2 + step * i64::try_from(place).unwrap_or(0);
    let place = |kinds: &[&str]| firsts.iter().position(|line| kinds.contains(&line.kind()));
    let end = WIDTH - LEAST;
    let bar = |from: usize, to: Option<usize>, title: &str| {
        let (x, until) = (at(from), to.map_or(end, at));
        Bar { x, width: (until - x).max(LEAST), title: title.to_owned() }
    };
    let ended = place(&ENDS);
    let file = place(&["sent"]).map(|sent| {
        bar(sent, place(&["removed"]).or(ended), lang.pick("bestand onderweg", "file under way"))
    });
    // Lines may be typed in before the word that they were released has come.
    let key = place(&["released", "opened"]).map(|out| {
        bar(out, place(&["opened"]).or(ended), lang.pick("sleutel onderweg", "key under way"))
    });
    let mark = |(place, line): (usize, &&Line)| Mark {
        x: at(place),
        label: told::kind(line.kind(), lang),
        date: line.at.date().to_string(),
        time: line.at.local().split_off(11),
    };
    let marks: Vec<Mark> = firsts.iter().enumerate().map(mark).collect();
    let said = marks.iter().map(|it| format!("{} {} {}", it.label, it.date, it.time));
    Lock { file, key, said: said.collect::<Vec<_>>().join("; "), marks }
}

/// A year, to scale.
pub(super) struct Year {
    pub(super) year: i16,
    pub(super) months: Vec<Month>,
    pub(super) lanes: Vec<Lane>,
}

pub(super) struct Month {
    pub(super) x: i64,
    pub(super) name: &'static str,
}

pub(super) struct Lane {
    pub(super) name: &'static str,
    pub(super) class: &'static str,
    pub(super) y: i64,
    pub(super) bars: Vec<Bar>,
}

const MONTHS: [(&str, &str); 12] = [
    ("jan", "Jan"),
    ("feb", "Feb"),
    ("mrt", "Mar"),
    ("apr", "Apr"),
    ("mei", "May"),
    ("jun", "Jun"),
    ("jul", "Jul"),
    ("aug", "Aug"),
    ("sep", "Sep"),
    ("okt", "Oct"),
    ("nov", "Nov"),
    ("dec", "Dec"),
];

/// Each year of the period.
pub(super) fn years(report: &Report<'_>) -> Vec<Year> {
    let year_of = |line: Option<&Line>| line.map(|line| line.at.date().year());
    let last = report.year.or_else(|| year_of(report.period().last()));
    let first = report.year.or_else(|| year_of(report.period().first()));
    let (Some(first), Some(last)) = (first, last) else { return Vec::new() };
    (first..=last).filter_map(|year| one(report, year)).collect()
}

fn one(report: &Report<'_>, year: i16) -> Option<Year> {
    let day = |year, month| Date::new(year, month, 1).ok().map(civil::start_of_day);
    let (begin, end) = (day(year, 1)?, day(year.checked_add(1)?, 1)?);
    let x = |at: Time| {
        let whole = (end.0 - begin.0).max(1);
        LEFT + (at.0.clamp(begin.0, end.0) - begin.0) * (WIDTH - LEFT) / whole
    };
    let bar = |(from, to, title): (Time, Time, String)| {
        let outside = to < begin || from >= end;
        let width = (x(to) - x(from)).max(LEAST);
        (!outside).then(|| Bar { x: x(from).min(WIDTH - width), width, title })
    };
    let lane = |place: i64, name, class, spans: Vec<(Time, Time, String)>| Lane {
        name,
        class,
        y: 24 + 26 * place,
        bars: spans.into_iter().filter_map(bar).collect(),
    };
    let lang = report.lang;
    let lanes = vec![
        lane(0, lang.pick("aanvragen", "requests"), "asked", requests(report)),
        lane(1, lang.pick("lijsten", "lists"), "list", lists(report)),
        lane(
            2,
            lang.pick("incidenten", "incidents"),
            "incident",
            cases(report, Sort::IncidentReport),
        ),
        lane(3, lang.pick("fouten", "errors"), "error", cases(report, Sort::QualityReport)),
    ];
    let month = |(place, (nl, en)): (i8, &(&'static str, &'static str))| {
        Some(Month { x: x(day(year, place)?), name: lang.pick(nl, en) })
    };
    let months = (1_i8..).zip(MONTHS.iter()).filter_map(month).collect();
    Some(Year { year, months, lanes })
}

fn requests(report: &Report<'_>) -> Vec<(Time, Time, String)> {
    let register = report.register();
    register.requests().map(|it| (it.at, it.at, it.at.local())).collect()
}

/// From sealing until it was closed or ended, or until now.
fn lists(report: &Report<'_>) -> Vec<(Time, Time, String)> {
    let span = |id| {
        let sent = report.when(id, "sent")?;
        let over = ["closed"].iter().chain(&ENDS).find_map(|kind| report.when(id, kind));
        let to = over.unwrap_or_else(|| report.as_of());
        Some((sent, to, format!("{} {}", report.called(id), sent.local())))
    };
    report.told().into_iter().filter_map(span).collect()
}

/// From the finding until it was closed, or until now.
fn cases(report: &Report<'_>, sort: Sort) -> Vec<(Time, Time, String)> {
    let register = report.register();
    let of = register.cases().filter(|case| case.begun.sort == sort);
    of.map(|case| {
        let found = case.begun.notice.found.unwrap_or(case.begun.at);
        let number = super::short(&case.begun.digest);
        (
            found,
            case.closed.unwrap_or_else(|| report.as_of()),
            format!("{number} {}", found.local_hour()),
        )
    })
    .collect()
}
