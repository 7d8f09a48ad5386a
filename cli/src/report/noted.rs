//! What the agreement itself says was done: reasons, days, digests and functions that stand in it. It names no person.

use jiff::civil::Date;
use sluis_core::agreement::articles::{Column, Destruction, Profile};
use sluis_core::agreement::{Agreement, Party, Side};
use sluis_core::deadline::{Clock, Deadline, civil};
use sluis_core::statement::Body;

use super::Report;
use super::articles::Done;
use crate::language::Lang;

pub(super) const SIDES: [Side; 2] = [Side::Agency, Side::Municipality];

impl Report<'_> {
    /// Where the data come from (R3).
    pub(super) fn source(&self) -> Vec<Done> {
        let source = self.terms.agreement.basis.source.as_deref();
        vec![self.fact(self.lang.pick("bron", "source"), source)]
    }

    /// Why they may be communicated: the ground, what they were collected for, who answers for it, and that the one fits
    /// the other (R12, R13, R18, R19).
    pub(super) fn basis(&self) -> Vec<Done> {
        let (basis, pick) = (&self.terms.agreement.basis, |nl, en| self.lang.pick(nl, en));
        let ground = pick("rechtsgrond", "legal basis");
        let first = pick("oorspronkelijk verzameld voor", "originally collected for");
        let controller =
            pick("verantwoordelijke voor het meedelen", "controller for communicating");
        let fits = pick("verenigbaar", "compatible");
        let mut all = vec![self.fact(ground, basis.legal_basis.as_deref())];
        match basis.original_purposes.as_slice() {
            [] => all.push(self.fact(first, None)),
            each => all.extend(each.iter().map(|it| self.fact(first, Some(it)))),
        }
        all.push(self.fact(controller, basis.controller.map(|side| self.party(side))));
        all.push(self.fact(fits, basis.compatibility.as_deref()));
        all
    }

    /// How it is seen to that a list is about the municipality's own residents (R15).
    pub(super) fn selection(&self) -> Vec<Done> {
        let Agreement { data, municipality, .. } = &self.terms.agreement;
        let nis = municipality.nis.as_ref().map(ToString::to_string);
        vec![
            self.fact(self.lang.pick("NIS-code", "NIS code"), nis.as_deref()),
            self.fact(self.lang.pick("selectie", "selection"), data.selection.as_deref()),
        ]
    }

    /// Who destroys a list at its last day (R17).
    pub(super) fn destruction(&self) -> Vec<Done> {
        let who = match self.terms.agreement.retention.destroy {
            Destruction::TwoPersons => self.lang.pick("twee personen", "two persons"),
            Destruction::Automatic => {
                self.lang.pick("de keeper, op de laatste dag", "the keeper, on the last day")
            }
        };
        vec![self.fact(self.lang.pick("wie vernietigt", "who destroys"), Some(who))]
    }

    /// Why each datum is needed, and for how many persons (R21).
    pub(super) fn proportionality(&self) -> Vec<Done> {
        let data = &self.terms.agreement.data;
        let one = |it: &Column| self.fact(&it.name, given(&it.why));
        let most = data.max_rows.map(|rows| rows.to_string());
        let label =
            self.lang.pick("grootste aantal personen op een lijst", "most persons on a list");
        let names = self.lang.pick("namen toegelaten door", "names allowed by");
        let names = data.names_allowed_by.as_deref().map(|by| self.fact(names, Some(by)));
        let columns = data.columns.iter().map(one);
        columns.chain([self.fact(label, most.as_deref())]).chain(names).collect()
    }

    /// The parties' word on data that have a protection of their own (R22).
    pub(super) fn special(&self) -> Vec<Done> {
        let label = self.lang.pick("zulke gegevens op de lijsten", "such data on the lists");
        vec![self.fact(label, Some(self.yes(self.terms.agreement.data.special_categories)))]
    }

    /// Which functions have access, and why they need it (R25, R26).
    pub(super) fn profiles(&self) -> Vec<Done> {
        let one = |it: &Profile| self.fact(profile(it), given(&it.why));
        self.terms.agreement.access.profiles.iter().map(one).collect()
    }

    /// When the list of them was looked through, by the agreement (R26).
    pub(super) fn listed(&self, deadlines: &[Deadline]) -> Vec<Done> {
        let clock = |day| self.is_noted_late(deadlines, Clock::Profiles, day);
        let days = self.noted_days(|it| it.access.listed_on);
        let what = self
            .lang
            .pick("lijst nagekeken, zegt de overeenkomst", "list gone through, says the agreement");
        let one = |day| Done {
            late: clock(day).then(|| self.late()),
            ..self.of(Side::Municipality, Some(day), what.to_owned())
        };
        days.into_iter().map(one).collect()
    }

    /// Where errors in the data are reported (R62).
    pub(super) fn contacts(&self) -> Vec<Done> {
        let one = |side| {
            let Party { contact, .. } = self.terms.agreement.party(side);
            let persons = self.lang.pick(
                "contactpersonen, gekend door de andere partij",
                "contact persons, known to the other party",
            );
            let persons = (!contact.persons.is_empty()).then_some(persons);
            let label = self.lang.pick("aanspreekpunt", "contact point");
            self.fact_of(side, label, contact.web_form.as_deref().or(persons))
        };
        SIDES.map(one).into()
    }

    /// Since when MAGDA offers these lists (R8).
    pub(super) fn magda(&self) -> Vec<Done> {
        let since = self.terms.agreement.magda_service_since;
        let what = match since {
            Some(_) => self.lang.pick("MAGDA biedt deze lijsten aan", "MAGDA offers these lists"),
            None => self.lang.pick(
                "de overeenkomst noemt geen dag waarop MAGDA deze lijsten aanbiedt",
                "the agreement names no day on which MAGDA offers these lists",
            ),
        };
        vec![self.agreed(since, what.to_owned())]
    }

    /// The advice of each data protection officer (R10).
    pub(super) fn advice(&self) -> Vec<Done> {
        let given = |side| {
            let on = *self.terms.agreement.advice.of(side);
            let what = self.lang.pick("advies gegeven", "advice given");
            let role =
                self.lang.pick("functionaris voor gegevensbescherming", "data protection officer");
            on.map(|_| Done { role: role.to_owned(), ..self.of(side, on, what.to_owned()) })
        };
        SIDES.into_iter().filter_map(given).collect()
    }

    /// Each list of the period with the version under which it was let go (art. 1; R11).
    pub(super) fn permitted(&self) -> Vec<Done> {
        let let_go =
            |line: &&super::Line| line.effect && matches!(line.statement.body, Body::Sent(_));
        let sent = self.period().iter().filter(let_go);
        let one = |line| {
            let code = super::Line::about(line).map(|id| self.called(id)).unwrap_or_default();
            let (version, digest) = (self.version(line), line.statement.header.terms);
            let what = match self.lang {
                Lang::Nl => format!("{code} toegelaten onder versie {version}, SHA-256 {digest}"),
                Lang::En => format!("{code} let go under version {version}, SHA-256 {digest}"),
            };
            Done {
                when: line.at.local(),
                role: super::who::role(self, line),
                ..self.of(line.side, None, what)
            }
        };
        sent.map(one).collect()
    }

    /// For how long it was agreed (art. 5; R29, R30).
    pub(super) fn term(&self) -> Vec<Done> {
        let agreement = &self.terms.agreement;
        let what = match (agreement.ends, self.lang) {
            (Some(ends), Lang::Nl) => format!("in werking; eindigt op {ends}"),
            (Some(ends), Lang::En) => format!("in force; ends on {ends}"),
            (None, Lang::Nl) => "in werking, zonder einddag".to_owned(),
            (None, Lang::En) => "in force, without a last day".to_owned(),
        };
        vec![self.agreed(Some(agreement.in_force), what)]
    }

    /// Where each party published the text (R71, R72).
    pub(super) fn published(&self) -> Vec<Done> {
        let noted = SIDES.into_iter().filter_map(|side| {
            let at = self.terms.agreement.publication.of(side);
            Some(self.of(side, at.on, at.url.clone()?))
        });
        noted.collect()
    }

    /// Who signed: in which function, for which party, when (R79).
    pub(super) fn signatures(&self) -> Vec<Done> {
        let signed = &self.terms.agreement.signed;
        let one = |it: &sluis_core::agreement::articles::Signatory| {
            let mut known = signed.representatives.iter();
            let head = known.find(|known| known.party == it.party && known.name == it.name);
            let capacity = it.capacity.clone().or_else(|| head.map(|head| head.capacity.clone()));
            let what = match (it.on, head) {
                (None, _) => self.lang.pick("ondertekend, zonder datum", "signed, without a date"),
                (_, None) => self.lang.pick(
                    "ondertekend, door iemand die de tekst niet als vertegenwoordiger noemt",
                    "signed, by somebody whom the text does not name as a representative",
                ),
                _ => self.lang.pick("ondertekend", "signed"),
            };
            Done { role: capacity.unwrap_or_default(), ..self.of(it.party, it.on, what.to_owned()) }
        };
        signed.signatories.iter().map(one).collect()
    }

    /// When it was drawn up, and the signed original, as each party keeps it (R80).
    pub(super) fn original(&self) -> Vec<Done> {
        let signed = &self.terms.agreement.signed;
        let drawn_up = self.lang.pick("opgemaakt", "drawn up");
        let drawn_up = signed.drawn_up_on.map(|on| self.agreed(Some(on), drawn_up.to_owned()));
        let digest = signed.original.map(|digest| self.agreed(None, format!("SHA-256 {digest}")));
        drawn_up.into_iter().chain(digest).collect()
    }

    /// What both parties laid down.
    fn agreed(&self, on: Option<Date>, what: String) -> Done {
        let version = self.terms.agreement.version;
        let who = self.lang.pick("de overeenkomst, versie", "the agreement, version");
        Done { who: format!("{who} {version}"), ..self.of(Side::Agency, on, what) }
    }

    /// What it says of something, or that it says nothing.
    pub(super) fn fact(&self, label: &str, value: Option<&str>) -> Done {
        self.agreed(None, self.labelled(label, value))
    }

    /// The same of one party.
    pub(super) fn fact_of(&self, side: Side, label: &str, value: Option<&str>) -> Done {
        self.of(side, None, self.labelled(label, value))
    }

    fn labelled(&self, label: &str, value: Option<&str>) -> String {
        format!("{label}: {}", value.unwrap_or(self.lang.pick("niet vermeld", "not stated")))
    }

    pub(super) fn yes(&self, yes: bool) -> &'static str {
        match (yes, self.lang) {
            (true, Lang::Nl) => "ja",
            (false, Lang::Nl) => "nee",
            (true, Lang::En) => "yes",
            (false, Lang::En) => "no",
        }
    }

    /// The days in the period that the agreement and its former versions have for something.
    pub(super) fn noted_days(&self, day: impl Fn(&Agreement) -> Option<Date>) -> Vec<Date> {
        let known = self.versions.iter().map(|terms| &terms.agreement);
        let known = known.filter(|it| it.version < self.terms.agreement.version);
        let all = known.chain([&self.terms.agreement]).filter_map(day);
        let year = |day: &Date| self.year.is_none_or(|year| day.year() == year);
        let mut all: Vec<Date> =
            all.filter(|day| *day <= self.as_of().date() && year(day)).collect();
        all.sort();
        all.dedup();
        all
    }

    /// Whether what was done on such a day was late, by its clock.
    pub(super) fn is_noted_late(&self, deadlines: &[Deadline], clock: Clock, day: Date) -> bool {
        let (at, now) = (Some(civil::start_of_day(day)), self.as_of());
        let mut all = deadlines.iter();
        all.any(|it| it.clock == clock && it.met == at && super::is_late(it, now))
    }

    pub(super) fn of(&self, side: Side, on: Option<Date>, what: String) -> Done {
        Done {
            when: on.map(|on| on.to_string()).unwrap_or_default(),
            what,
            who: self.party(side).to_owned(),
            role: String::new(),
            late: None,
        }
    }
}

/// What was written, if something was.
fn given(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// How people call a function.
pub(super) fn profile(it: &Profile) -> &str {
    if it.title.is_empty() { &it.id } else { &it.title }
}
