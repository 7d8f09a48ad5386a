//! From when a notice counts: from its party's clock, as far as the books of who heard it bear that out. The other side's
//! time is data.

use super::{Entered, Sort};
use crate::deadline::civil;
use crate::id::{SKEW_MS, Time};

/// So long a notice may have been on its way: a drop zone that went down before Christmas and that nobody mends before
/// the new year. What says that it is older counts from so long before it was heard.
const ON_ITS_WAY_MS: i64 = 14 * 86_400_000;

/// From when a notice counts. Both ledgers judge by the signed time, but nothing was said after it was heard. A request (R6)
/// and an end by notice (R76) were not said before the hearer's own statement that they name as seen either, nor long
/// before they were heard: who sets a clock back gains no list by it, and takes nothing off the term of notice.
#[must_use]
pub fn counts_from(sort: Sort, said: Time, seen: Option<Time>, heard: Time) -> Time {
    if !sort.has_a_term() {
        return said.heard(heard);
    }
    let seen = seen.map_or(Time(i64::MIN), |seen| seen.plus_ms(-SKEW_MS));
    said.max(seen).max(heard.plus_ms(-ON_ITS_WAY_MS)).heard(heard)
}

impl Sort {
    /// Whether a year or a term is counted from it: to have said it earlier brings something.
    #[must_use]
    pub fn has_a_term(self) -> bool {
        matches!(self, Self::Request | Self::Terminate)
    }
}

impl Entered {
    /// By when it is judged whether it might be said. An end by notice is one also where its hearer's books do not bear its
    /// time out: it ends the agreement later, and is not void.
    #[must_use]
    pub fn judged(&self) -> Time {
        if self.sort == Sort::Terminate { self.at.min(self.said) } else { self.at }
    }

    /// When it was found: not after it was said, nor after the day of the letter that tells of it. A clock that is ahead
    /// makes no report void.
    #[must_use]
    pub fn found(&self) -> Option<Time> {
        let day = self.notice.received.and_then(|day| day.tomorrow().ok());
        let letter = day.map_or(self.at, |next| civil::start_of_day(next).plus_ms(-1));
        self.notice.found.map(|found| found.min(self.at).min(letter))
    }
}
