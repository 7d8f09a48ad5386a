//! What the agreement itself says was done: days, digests and functions that stand in it. It names no person.

use jiff::civil::Date;
use sluis_core::agreement::Side;
use sluis_core::statement::Body;

use super::Report;
use super::articles::Done;
use crate::language::Lang;

const SIDES: [Side; 2] = [Side::Agency, Side::Municipality];

impl Report<'_> {
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

    /// The signed original, as each party keeps it (R80).
    pub(super) fn original(&self) -> Vec<Done> {
        let signed = &self.terms.agreement.signed;
        let digest = signed.original.map(|digest| format!("SHA-256 {digest}"));
        digest.map(|what| self.agreed(signed.drawn_up_on, what)).into_iter().collect()
    }

    /// What both parties laid down.
    fn agreed(&self, on: Option<Date>, what: String) -> Done {
        let version = self.terms.agreement.version;
        let who = self.lang.pick("de overeenkomst, versie", "the agreement, version");
        Done { who: format!("{who} {version}"), ..self.of(Side::Agency, on, what) }
    }

    fn of(&self, side: Side, on: Option<Date>, what: String) -> Done {
        Done {
            when: on.map(|on| on.to_string()).unwrap_or_default(),
            what,
            who: self.party(side).to_owned(),
            role: String::new(),
            late: false,
        }
    }
}
