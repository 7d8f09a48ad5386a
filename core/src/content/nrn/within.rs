//! Register numbers inside other text, however they are written there. Without a clock: what is said of a text today
//! is said of it in ten years.

use zeroize::Zeroizing;

/// Between two groups of digits of one number stand at most so many characters.
const MAX_GAP: usize = 3;
/// In how many digits a number is written.
const LENGTH: usize = 11;
/// A digit of another script: it counts, and says nothing.
const FOREIGN: u8 = u8::MAX;

/// Whether a text may hold a person's number: eleven digits or more in one piece, eleven grouped as such numbers are
/// (6 3 2, 2 2 2 5 and the like), or eleven in groups of any kind with a right check number.
///
/// Between groups stands anything that is neither letter nor digit, three characters at most.
#[must_use]
pub(crate) fn may_stand_in(text: &str) -> bool {
    any(text, |groups| {
        groups.in_one_piece() || groups.windows().any(|it| it.is_shaped() || it.checks())
    })
}

/// Whether a text holds eleven digits with a right check number: for text that has long numbers of its own.
#[must_use]
pub(crate) fn stands_in(text: &str) -> bool {
    any(text, |groups| groups.windows().any(|it| it.checks()))
}

/// Digits with what stands between them, up to a letter or a wide gap.
#[derive(Default)]
struct Groups {
    digits: Zeroizing<Vec<u8>>,
    /// Where each group begins.
    starts: Vec<usize>,
}

/// Eleven digits that begin and end where groups do.
struct Window<'a> {
    digits: &'a [u8],
    /// Where the groups after the first begin.
    inner: Vec<usize>,
}

/// Whether any groups of the text are such.
fn any(text: &str, is: impl Fn(&Groups) -> bool) -> bool {
    if text.len() < LENGTH {
        return false;
    }
    // Room for all at once: a vector that grows leaves copies behind.
    let digits = Zeroizing::new(Vec::with_capacity(text.len()));
    let (mut groups, mut gap) = (Groups { digits, starts: Vec::new() }, 1);
    for c in text.chars() {
        if c.is_numeric() {
            groups.push(c, gap > 0);
            gap = 0;
            continue;
        }
        gap += 1;
        if c.is_alphabetic() || gap > MAX_GAP {
            if is(&groups) {
                return true;
            }
            groups.clear();
        }
    }
    is(&groups)
}

impl Groups {
    fn push(&mut self, c: char, begins: bool) {
        if begins || self.digits.is_empty() {
            self.starts.push(self.digits.len());
        }
        let digit = c.to_digit(10).and_then(|digit| u8::try_from(digit).ok());
        self.digits.push(digit.unwrap_or(FOREIGN));
    }

    fn clear(&mut self) {
        self.digits.clear();
        self.starts.clear();
    }

    fn bounds(&self) -> impl Iterator<Item = usize> + Clone {
        self.starts.iter().copied().chain([self.digits.len()])
    }

    fn in_one_piece(&self) -> bool {
        self.starts.iter().zip(self.bounds().skip(1)).any(|(start, end)| end - start >= LENGTH)
    }

    fn windows(&self) -> impl Iterator<Item = Window<'_>> {
        self.starts.iter().enumerate().filter_map(|(at, start)| {
            let mut ahead = self.bounds().skip(at + 1).map(|bound| bound - start);
            let mut inner = Vec::new();
            let end = loop {
                match ahead.next()? {
                    bound if bound < LENGTH => inner.push(bound),
                    bound => break bound,
                }
            };
            let digits = &self.digits[*start..start + end];
            (end == LENGTH).then_some(Window { digits, inner })
        })
    }
}

impl Window<'_> {
    /// Grouped as a number is: the birth date apart, and nowhere else than between its parts.
    fn is_shaped(&self) -> bool {
        self.inner.contains(&6) && self.inner.iter().all(|bound| [2, 4, 6, 9].contains(bound))
    }

    /// A right check number, and a date that a number can begin with, BIS numbers too.
    fn checks(&self) -> bool {
        if self.digits.contains(&FOREIGN) {
            return false;
        }
        let value = self.digits.iter().fold(0, |sum, digit| sum * 10 + u64::from(*digit));
        let pair = |at: usize| self.digits[at] * 10 + self.digits[at + 1];
        let (nine, check) = (value / 100, value % 100);
        let fits = |lead: u64| 97 - (lead + nine) % 97 == check;
        let month = matches!(pair(2), 0..=12 | 20..=32 | 40..=52);
        month && pair(4) <= 31 && (fits(0) || fits(2_000_000_000))
    }
}
