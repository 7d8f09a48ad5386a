//! The report for people: what was required, what was done, when, by whom, article by article; one HTML page.
//!
//! Computed from the statements and the texts of the agreement alone, as of the last entry of the ledger (or the end
//! of its year): the same evidence gives the same page. It shows ids of custodians, functions, and what notices say, no names.

mod articles;
mod decided;
mod drawn;
mod noted;
mod required;
mod safeguards;
mod told;
mod who;

use articles::Article;
use askama::Template;
use decided::Decision;
use drawn::{Lock, Year};
use sluis_core::agreement::{Agreement, Side};
use sluis_core::deadline::{self, Deadline, Standing, civil};
use sluis_core::evidence::Terms;
use sluis_core::exercise::{self, Confirmed};
use sluis_core::export::decisions::Decided;
use sluis_core::id::{Digest, Time, TransferId, called};
use sluis_core::ledger::Head;
use sluis_core::notice::{self, Entered, Register, Sort, short};
use sluis_core::statement::{Body, Sent, Statement};
use sluis_core::words;

use crate::failure::{Failure, Result};
use crate::language::Lang;
use crate::look;

/// A statement as it stands in a ledger.
pub(crate) struct Line {
    pub(crate) statement: Statement,
    pub(crate) digest: Digest,
    pub(crate) side: Side,
    pub(crate) at: Time,
    pub(crate) effect: bool,
}

impl Line {
    fn kind(&self) -> &str {
        self.statement.body.kind()
    }
    fn about(&self) -> Option<TransferId> {
        self.statement.header.transfer
    }
    /// When it was said, as the cores count it: by the time that was signed, and not after it was heard.
    fn said(&self) -> Time {
        self.statement.header.time.heard(self.at)
    }
    /// Whose word it is: the other party's where it was entered from its letter.
    fn whose(&self) -> Side {
        match &self.statement.body {
            Body::Notice(_, notice) if notice.received.is_some() => self.side.other(),
            _ => self.side,
        }
    }
}

/// What is reported on.
pub(crate) struct Report<'a> {
    /// The last text of the agreement in the period.
    pub(crate) terms: &'a Terms,
    /// All texts that statements rest on.
    pub(crate) versions: &'a [&'a Terms],
    /// What was said until the end of the period.
    pub(crate) lines: &'a [Line],
    /// Where in it the period begins.
    pub(crate) from: usize,
    pub(crate) year: Option<i16>,
    /// What its party decided and found beside that.
    pub(crate) decided: &'a [Decided],
    pub(crate) head: &'a Head,
    pub(crate) lang: Lang,
}

#[derive(Template)]
#[template(path = "report.html")]
struct Page {
    lang: Lang,
    language: &'static str,
    policy: String,
    style: &'static str,
    name: String,
    title: String,
    head: Vec<(&'static str, Vec<String>)>,
    articles: Vec<Article>,
    years: Vec<Year>,
    transfers: Vec<Transfer>,
    deadlines: Vec<Clock>,
    footnote: Option<&'static str>,
    decisions: Vec<Decision>,
}

/// One transfer: its steps and their drawing.
struct Transfer {
    code: String,
    steps: Vec<Step>,
    span: Option<String>,
    lock: Lock,
}

struct Step {
    what: &'static str,
    kind: String,
    when: String,
    who: String,
    role: String,
}

struct Clock {
    due: String,
    title: String,
    of: String,
    article: String,
    met: String,
    standing: &'static str,
    late: Option<String>,
}

/// The page.
pub(crate) fn render(report: &Report<'_>) -> Result<String> {
    let lang = report.lang;
    let deadlines = report.deadlines();
    let page = Page {
        lang,
        language: lang.pick("nl", "en"),
        policy: look::policy(),
        style: look::STYLE,
        name: report.terms.agreement.agreement.to_string(),
        title: report.terms.agreement.title.clone(),
        head: report.head(),
        articles: articles::all(report, &deadlines),
        years: drawn::years(report),
        transfers: report.transfers(),
        deadlines: deadlines.iter().map(|it| report.clock(it)).collect(),
        footnote: deadline::footnote(deadlines.iter().map(|it| it.clock), lang.core()),
        decisions: decided::all(report),
    };
    page.render()
        .map_err(|e| Failure::coded("not-rendered", words!("het verslag: {e}", "the report: {e}")))
}

impl Report<'_> {
    /// What was said in the period.
    fn period(&self) -> &[Line] {
        &self.lines[self.from..]
    }

    /// As of when it is told how things stand: the last entry of the ledger, or the end of the year.
    fn as_of(&self) -> Time {
        let end = self.year.and_then(|year| jiff::civil::Date::new(year, 12, 31).ok());
        end.map_or(self.head.time, |day| civil::end_of_day(day).min(self.head.time))
    }

    /// When the year begins, where it is one.
    fn begins(&self) -> Time {
        let first = self.year.and_then(|year| jiff::civil::Date::new(year, 1, 1).ok());
        first.map_or(Time::default(), civil::start_of_day)
    }

    /// What a transfer is called.
    fn code(&self, transfer: TransferId) -> String {
        let code = self.sent(transfer).map(|body| body.code.to_string());
        code.unwrap_or_else(|| transfer.to_string().chars().take(8).collect())
    }

    /// The same, marked where it is no delivery (R88).
    fn called(&self, transfer: TransferId) -> String {
        let drill = self.sent(transfer).is_some_and(|sent| sent.rehearsal);
        called(self.code(transfer), drill)
    }

    /// The agreement under which a transfer began: its rules count to the end (R83).
    fn agreement(&self, transfer: TransferId) -> &Agreement {
        let sent = self.lines.iter().find(|it| it.about() == Some(transfer) && it.kind() == "sent");
        let terms = sent.and_then(|line| {
            self.versions.iter().find(|terms| terms.digest == line.statement.header.terms)
        });
        &terms.copied().unwrap_or(self.terms).agreement
    }

    fn party(&self, side: Side) -> &str {
        &self.terms.agreement.party(side).name
    }

    /// The notices that had an effect, and so the cases.
    fn register(&self) -> Register {
        Register(self.lines.iter().filter_map(|line| self.entered(line)).collect())
    }

    /// A notice that had an effect.
    fn entered(&self, line: &Line) -> Option<Entered> {
        match &line.statement.body {
            Body::Notice(sort, notice) if line.effect => Some(Entered {
                digest: line.digest,
                by: line.side,
                at: self.counts_from(line, *sort),
                said: line.statement.header.time,
                version: self.version(line),
                transfer: line.about(),
                sort: *sort,
                notice: notice.clone(),
            }),
            _ => None,
        }
    }

    /// The first day without lists by an end by notice, where the books here do not bear out the one that it names.
    fn ends_otherwise(&self, line: &Line) -> Option<jiff::civil::Date> {
        let entered = self.entered(line)?;
        self.register().ends_otherwise(&entered, &self.terms.agreement)
    }

    /// From when a notice counts: what has a term, of the other party, from the day that the core counts it from (R6, R76).
    fn counts_from(&self, line: &Line, sort: Sort) -> Time {
        let own = self.terms.agreement.side_of(&self.head.party);
        if !sort.has_a_term() || own == Some(line.side) {
            return line.said();
        }
        let header = &line.statement.header;
        let seen = self.lines.iter().find(|it| it.digest == header.seen.digest);
        let seen = seen.map(|it| it.statement.header.time);
        // What was heard before another notice was not heard after it.
        let notices = self.lines.iter().filter(|it| matches!(it.statement.body, Body::Notice(..)));
        let later = notices.skip_while(|it| it.digest != line.digest).map(|it| it.at);
        let heard = later.min().unwrap_or(line.at).max(header.time.min(line.at));
        notice::counts_from(sort, header.time, seen, heard)
    }

    /// The version of the agreement under which something was said.
    fn version(&self, line: &Line) -> u32 {
        let of = |terms: &&&Terms| terms.digest == line.statement.header.terms;
        self.versions.iter().find(of).copied().unwrap_or(self.terms).agreement.version
    }

    /// What was said when a transfer was sealed.
    fn sent(&self, transfer: TransferId) -> Option<&Sent> {
        self.lines.iter().find_map(|line| match &line.statement.body {
            Body::Sent(body) if line.about() == Some(transfer) => Some(body),
            _ => None,
        })
    }

    /// Whether a notice came after the day that it had to come before.
    fn is_late(&self, line: &Line) -> bool {
        self.entered(line).is_some_and(|it| it.is_late())
    }

    /// Whether a request is the agency's entry of the municipality's letter, and not its signature.
    fn is_from_paper(&self, request: &Digest) -> bool {
        self.lines.iter().filter(|line| line.digest == *request).any(|line| {
            matches!(&line.statement.body, Body::Notice(_, notice) if notice.received.is_some())
        })
    }

    /// Whether what was entered from paper is denied by the party in whose name it was.
    fn is_contradicted(&self, entry: &Digest) -> bool {
        self.lines.iter().filter(|line| line.effect).any(|line| match &line.statement.body {
            Body::Notice(Sort::Contradiction, notice) => notice.case.as_ref() == Some(entry),
            _ => false,
        })
    }

    /// Whose incident a word about one belongs to: of the party that found it.
    fn whose_case(&self, line: &Line) -> Side {
        let begun = match &line.statement.body {
            Body::Notice(_, notice) => notice.case.unwrap_or(line.digest),
            _ => line.digest,
        };
        let found = self.lines.iter().find(|it| it.digest == begun).unwrap_or(line);
        found.whose()
    }

    /// How what came late is marked.
    fn late(&self) -> String {
        self.lang.pick("te laat", "late").to_owned()
    }

    /// The transfers of which something was said in the period, in that order.
    fn told(&self) -> Vec<TransferId> {
        let mut told = Vec::new();
        for line in self.period() {
            let moves = !matches!(line.statement.body, Body::Notice(..));
            if let Some(id) = line.about().filter(|id| moves && !told.contains(id)) {
                told.push(id);
            }
        }
        told
    }

    /// When a kind was first said of a transfer.
    fn when(&self, transfer: TransferId, kind: &str) -> Option<Time> {
        let found = self
            .lines
            .iter()
            .find(|line| line.effect && line.about() == Some(transfer) && line.kind() == kind);
        found.map(Line::said)
    }

    /// Every clock that ran in the period.
    fn deadlines(&self) -> Vec<Deadline> {
        let former = self.versions.iter().map(|terms| &terms.agreement);
        let former = former.filter(|it| it.version < self.terms.agreement.version);
        let former: Vec<&Agreement> = former.collect();
        let mut due = self.register().deadlines(&self.terms.agreement, &former);
        let mut seen = Vec::new();
        for id in self.lines.iter().filter_map(Line::about) {
            if !seen.contains(&id) {
                seen.push(id);
                let (agreement, code) = (self.agreement(id), self.code(id));
                // Of an exercise no list is kept.
                let drill = self.sent(id).is_some_and(|sent| sent.exercise);
                let told = |kind: &str| kind != "delivered" || !drill;
                let when = |kind: &str| self.when(id, kind).filter(|_| told(kind));
                let mut lines = self.lines.iter();
                let opened = lines.any(|it| it.about() == Some(id) && it.kind() == "opened");
                let side = Side::Municipality;
                let clocks = deadline::of_transfer(agreement, &code, side, opened, when);
                let rehearsal = self.sent(id).is_some_and(|sent| sent.rehearsal);
                due.extend(clocks.into_iter().map(|it| Deadline { rehearsal, ..it }));
                let destroyed = self.lines.iter().find_map(|line| match &line.statement.body {
                    Body::Destroyed(body) if line.effect && line.about() == Some(id) => {
                        Some((line.said(), body.backups_until))
                    }
                    _ => None,
                });
                let backups = destroyed.and_then(|(at, until)| deadline::backups(&code, at, until));
                due.extend(backups.map(|it| Deadline { rehearsal, ..it }));
            }
        }
        due.extend(deadline::of_rehearsal(&self.terms.agreement, self.tried_since()));
        let begins = self.period().first().map_or_else(|| self.begins(), |line| line.at);
        // What was said in the year before, by letter too, and entered in this one, is of this one.
        let told = |line: &Line| self.entered(line).map(|it| it.told());
        let meets = |line: &Line, met: Time| line.said() == met || told(line) == Some(met);
        let heard = |met: Time| self.period().iter().any(|line| meets(line, met));
        due.retain(|it| it.met.is_none_or(|met| met >= begins || heard(met)));
        let mut due: Vec<_> =
            due.iter().filter(|it| !deadline::is_done(it, due.iter())).cloned().collect();
        due.sort_by_key(|it| it.due);
        due
    }

    /// Since when each custodian has typed a share of an exercise.
    fn tried_since(&self) -> Option<Time> {
        let confirmed = self.lines.iter().filter(|line| line.effect).filter_map(|line| {
            let sent = line.about().and_then(|id| self.sent(id))?;
            match &line.statement.body {
                Body::ShareAccepted(accepted) => Confirmed::of(sent, accepted, line.at),
                _ => None,
            }
        });
        exercise::tried_since(&self.terms.agreement, &confirmed.collect::<Vec<_>>(), self.as_of())
    }

    fn clock(&self, it: &Deadline) -> Clock {
        let (now, language) = (self.as_of(), self.lang.core());
        let late = it.late_by(now).map(|late| {
            let ms = i64::try_from(late.as_millis()).unwrap_or(i64::MAX);
            told::span(ms, self.lang)
        });
        Clock {
            due: it.shown(it.due),
            title: it.clock.marked(language),
            of: it.of(),
            article: it.clock.rule().article.label(language),
            met: it.met.map(|at| it.shown(at)).unwrap_or_default(),
            standing: it.standing(now).text(language),
            late,
        }
    }

    fn transfers(&self) -> Vec<Transfer> {
        let one = |id: TransferId| {
            let moves: Vec<&Line> = self
                .lines
                .iter()
                .filter(|line| line.about() == Some(id) && line.effect)
                .filter(|line| !matches!(line.statement.body, Body::Notice(..)))
                .collect();
            let step = |line: &&Line| Step {
                what: told::kind(line.kind(), self.lang),
                kind: line.kind().to_owned(),
                when: line.at.local(),
                who: self.party(line.side).to_owned(),
                role: who::role(self, line),
            };
            Transfer {
                code: self.called(id),
                steps: moves.iter().map(step).collect(),
                span: self.when(id, "sent").zip(self.when(id, "removed")).map(|(sent, removed)| {
                    told::removal(sent, removed, self.agreement(id), self.lang)
                }),
                lock: drawn::lock(&moves, self.lang),
            }
        };
        self.told().into_iter().map(one).collect()
    }

    /// What the report is about.
    fn head(&self) -> Vec<(&'static str, Vec<String>)> {
        let (agreement, lang) = (&self.terms.agreement, self.lang);
        let party = |side| {
            let party = agreement.party(side);
            let kbo = party.kbo.as_ref().map(|kbo| format!(", KBO {kbo}")).unwrap_or_default();
            let seat = party.address.as_ref().map(|seat| format!(", {seat}")).unwrap_or_default();
            format!("{} ({}{kbo}{seat})", party.name, party.id)
        };
        let used = |terms: &&&Terms| {
            self.period().iter().any(|line| line.statement.header.terms == terms.digest)
        };
        let versions = self.versions.iter().filter(used).map(|terms| {
            format!(
                "{} {}, SHA-256 {}",
                lang.pick("versie", "version"),
                terms.agreement.version,
                terms.digest
            )
        });
        let period = match (self.year, self.period().first(), self.period().last()) {
            (Some(year), ..) => year.to_string(),
            (None, Some(first), Some(last)) => {
                format!("{} {} {}", first.at.date(), lang.pick("tot", "to"), last.at.date())
            }
            _ => String::new(),
        };
        let numbers = [Side::Agency, Side::Municipality].into_iter().filter_map(|side| {
            let mut all = self.period().iter().filter(|line| line.side == side);
            let first = all.next()?.statement.header.number;
            let last = all.next_back().map_or(first, |line| line.statement.header.number);
            let id = &agreement.party(side).id;
            Some(format!("{id}: {} {first}-{last}", lang.pick("nummers", "numbers")))
        });
        let count = self.period().len().to_string();
        let ledger = &self.head.ledger;
        let of = format!("{} {}", lang.pick("logboek van", "ledger of"), self.head.party);
        let head = format!(
            "{of}: {} {}, SHA-256 {}",
            lang.pick("regel", "entry"),
            ledger.number,
            ledger.digest
        );
        vec![
            (lang.pick("Agentschap", "Agency"), vec![party(Side::Agency)]),
            (lang.pick("Gemeente", "Municipality"), vec![party(Side::Municipality)]),
            (lang.pick("Overeenkomst", "Agreement"), versions.collect()),
            (lang.pick("Periode", "Period"), vec![period]),
            (
                lang.pick("Ondertekende verklaringen", "Signed statements"),
                std::iter::once(count).chain(numbers).collect(),
            ),
            (lang.pick("Hoofd van de keten", "Head of the chain"), vec![head]),
            (lang.pick("Stand op", "As of"), vec![self.as_of().local()]),
        ]
    }
}

/// Whether it was or is late.
fn is_late(deadline: &Deadline, now: Time) -> bool {
    matches!(deadline.standing(now), Standing::MetLate | Standing::Overdue)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
