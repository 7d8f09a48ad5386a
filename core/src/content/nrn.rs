//! The national register number: read, checked, wiped, never shown (art. 3; R20, R23, R85).
//!
//! Eleven digits, `YYMMDD NNN CC`: birth date, counter of that day (odd 001-997 for men, even 002-998
//! for women), and a check number, 97 less the remainder of the first nine by 97; for births from 2000
//! on a 2 is put before those nine. Month 00 or day 00 stand where the date is not fully known or the
//! counters of a day ran out (the sixth digit then counts on), `000001` where nothing of it is known; a
//! month raised by 20 or 40 is a BIS number, which is not of the register.
//!
//! Second-hand: this is how python-stdnum (`be.nn`, which names IBZ's instruction IT000), Wikipedia and
//! municipal pages tell it; IT000 itself was not at hand.
//!
//! What the check number does not catch: a year's last digit off by 6 that also changes the century
//! (1907 for 2001), since 6 * 10^7 and 2 * 10^9 leave the same remainder. The date catches most of it.

use std::fmt;

use jiff::civil::Date;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

mod within;

#[cfg(test)]
mod tests;

pub(crate) use within::{may_stand_in, stands_in};

/// In how many calendar years a person can have been born before this one.
const OLDEST: i16 = 120;

/// What is wrong with a text as a national register number. Holds nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Not eleven digits, with at most one dot, dash or space between the groups.
    #[error("not the form of a national register number")]
    Form,
    /// The check number fits neither century.
    #[error("the check number is wrong")]
    Check,
    /// A BIS number.
    #[error("a BIS number")]
    Bis,
    /// No such day, in the future, or more than 120 years ago.
    #[error("no plausible birth date")]
    Date,
    /// The counter is 000 or 999.
    #[error("no such serial")]
    Serial,
}

/// A national register number in its one form, wiped when it is dropped.
#[derive(PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct NationalNumber(u64);

impl NationalNumber {
    /// Reads `85073003328`, `85.07.30-033.28` or `85 07 30 033 28`.
    ///
    /// # Errors
    /// The first [`Fault`] in the order in which they are listed.
    pub fn parse(text: &str, today: Date) -> Result<Self, Fault> {
        let digits = digits(text).ok_or(Fault::Form)?;
        let number = Self(digits.iter().fold(0, |sum, digit| sum * 10 + u64::from(*digit)));
        let pair = |at: usize| digits[at] * 10 + digits[at + 1];
        let (year, month, day) = (pair(0), pair(2), pair(4));
        let (nine, check) = (number.0 / 100, number.0 % 100);
        // Never both: 2 * 10^9 is no multiple of 97.
        let century = [(0, 1900), (2_000_000_000, 2000)]
            .into_iter()
            .find_map(|(lead, century)| (97 - (lead + nine) % 97 == check).then_some(century))
            .ok_or(Fault::Check)?;
        if matches!(month, 20..=32 | 40..=52) {
            return Err(Fault::Bis);
        }
        if (year, month, day) != (0, 0, 1) && !plausible(century, year, month, day, today) {
            return Err(Fault::Date);
        }
        if !(1..=998).contains(&(nine % 1000)) {
            return Err(Fault::Serial);
        }
        Ok(number)
    }

    /// The eleven digits as a number below 2^37, to find doubles; never for showing.
    pub(super) fn value(&self) -> u64 {
        self.0
    }
}

impl fmt::Debug for NationalNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NationalNumber(..)")
    }
}

/// The eleven digits, if the text has the form.
fn digits(text: &str) -> Option<Zeroizing<[u8; 11]>> {
    let mut digits = Zeroizing::new([0; 11]);
    let (mut count, mut gap) = (0, false);
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' if count < 11 => {
                digits[count] = byte - b'0';
                count += 1;
                gap = false;
            }
            b'.' | b'-' | b' ' if matches!(count, 2 | 4 | 6 | 9) && !gap => gap = true,
            _ => return None,
        }
    }
    (count == 11).then_some(digits)
}

/// Whether somebody can have been born then; what is unknown is taken as early as it can be.
fn plausible(century: i16, year: u8, month: u8, day: u8, today: Date) -> bool {
    let year = century + i16::from(year);
    let (month, day) = if month == 0 { (1, 1) } else { (month, day.max(1)) };
    Date::new(year, month.cast_signed(), day.cast_signed())
        .is_ok_and(|birth| birth <= today && year >= today.year() - OLDEST)
}
