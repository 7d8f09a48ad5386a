//! When the agreement ends by what was said: on its day, at once, or by law (R64, R76, R78).

use jiff::civil::Date;

use super::{Entered, Register, Sort};
use crate::agreement::Agreement;
use crate::deadline::civil;
use crate::id::Time;

/// What ends it.
const ENDING: [Sort; 3] = [Sort::Terminate, Sort::TerminateAtOnce, Sort::BasisGone];

impl Register {
    /// The first day on which nothing is sent any more, where the agreement was ended or lost its basis (R64, R76, R78).
    #[must_use]
    pub fn ends(&self, agreement: &Agreement) -> Option<Date> {
        self.ending().map(|said| self.end_by(said, agreement)).min()
    }

    /// The first day on which its end had come and had been said.
    pub(super) fn stops(&self, agreement: &Agreement) -> Option<Date> {
        self.ending().map(|said| self.end_by(said, agreement).max(said.at.date())).min()
    }

    /// From when the first word that ended it counts.
    pub(super) fn ended_from(&self) -> Option<Time> {
        ENDING.into_iter().find_map(|sort| self.of(sort).next()).map(|said| self.given(said))
    }

    /// The first day without lists by an end by notice, where that is not the one that it names.
    #[must_use]
    pub fn ends_otherwise(&self, said: &Entered, agreement: &Agreement) -> Option<Date> {
        let named = said.notice.on.filter(|_| said.sort == Sort::Terminate)?;
        Some(self.end_by(said, agreement)).filter(|ends| *ends != named)
    }

    /// On which day the agency ended it at once (R64).
    #[must_use]
    pub fn ended_at_once(&self) -> Option<Date> {
        self.of(Sort::TerminateAtOnce).map(|entered| entered.at.date()).min()
    }

    /// The first day without a legal basis (R78).
    #[must_use]
    pub fn basis_gone(&self) -> Option<Date> {
        self.of(Sort::BasisGone).filter_map(|entered| entered.notice.on).min()
    }

    /// The day on which it ended, where that is over; an end at once stays one whatever a clock says.
    #[must_use]
    pub fn over(&self, agreement: &Agreement, today: Date) -> Option<Date> {
        self.ended_at_once().or(self.last(agreement).filter(|ends| today >= *ends))
    }

    /// The first day on which nothing is sent any more, by a word or by the agreement's own text (R77).
    #[must_use]
    pub fn last(&self, agreement: &Agreement) -> Option<Date> {
        [self.ends(agreement), agreement.ends].into_iter().flatten().min()
    }

    fn ending(&self) -> impl Iterator<Item = &Entered> {
        ENDING.into_iter().flat_map(|sort| self.of(sort))
    }

    /// The first day without lists by this word: the one that it names. A letter that its party contradicts gives the other
    /// one no shorter term than its own word would: the whole of it, from the entry. Nor does a word that its hearer's books
    /// do not bear out: the whole of it, from when that counts.
    fn end_by(&self, said: &Entered, agreement: &Agreement) -> Date {
        let on = said.notice.on.unwrap_or_else(|| said.at.date());
        let late = said.sort == Sort::Terminate && said.at.date() > said.said.date();
        if !late && !self.is_contradicted(&said.digest) {
            return on;
        }
        let months = u32::from(agreement.term.notice_months());
        on.max(civil::ends_after_notice(self.given(said).date(), months))
    }

    /// From when it counts: from the day of its letter, and from its entry where that letter is contradicted.
    fn given(&self, said: &Entered) -> Time {
        if self.is_contradicted(&said.digest) { said.at } else { said.told() }
    }
}
