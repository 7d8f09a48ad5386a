//! When a notice counts as said: by its party's clock, as far as the books of who heard it bear that out. The other side's
//! time is data.

use super::{Entered, Sort};
use crate::id::{SKEW_MS, Time};

/// So long a request may have been on its way: a drop zone that went down before Christmas and that nobody mends before
/// the new year. What says that it is older counts from so long before it was heard.
const ON_ITS_WAY_MS: i64 = 14 * 86_400_000;

/// When a notice counts as said. Both ledgers judge by the signed time, but nothing was said after it was heard. A request
/// (R6) was not made before the hearer's own statement that it names as seen either, nor long before it was heard: who sets
/// a clock back gains no list by it.
#[must_use]
pub fn said_at(sort: Sort, said: Time, seen: Option<Time>, heard: Time) -> Time {
    let latest = heard.plus_ms(SKEW_MS);
    if sort != Sort::Request {
        return said.min(latest);
    }
    let seen = seen.map_or(Time(i64::MIN), |seen| seen.plus_ms(-SKEW_MS));
    said.max(seen).max(heard.plus_ms(-ON_ITS_WAY_MS)).min(latest)
}

impl Entered {
    /// When it was found: not after it was said. A clock that is ahead makes no report void.
    #[must_use]
    pub fn found(&self) -> Option<Time> {
        self.notice.found.map(|found| found.min(self.at))
    }
}
