//! Whether a text is about somebody: looks for numbers of the national register.

use sluis_core::content::nrn::NationalNumber;
use sluis_core::id::Time;

/// A time in milliseconds is no number of a person: from 2015 on, and until 2045.
const FIRST: i64 = 1_420_000_000_000;
const LAST: i64 = 2_367_000_000_000;

/// The numbers in a text that could be a person's: eleven digits or more in a row, whatever stands before and behind
/// them, or eleven in groups with a right check number. Digests and times have such runs of their own.
#[must_use]
pub fn national_numbers(text: &str) -> usize {
    let today = Time(LAST).date();
    let is_hex = |word: &str| word.len() >= 32 && word.bytes().all(|b| b.is_ascii_hexdigit());
    let is_time = |word: &str| word.parse().is_ok_and(|it| (FIRST..LAST).contains(&it));
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let own = words.filter(|word| !is_hex(word) && !is_time(word));
    let runs = own.flat_map(|word| word.split(|c: char| !c.is_ascii_digit()));
    let bare = runs.filter(|run| run.len() >= 11).count();
    let grouped = text.split(char::is_alphabetic).map(|between| {
        let groups: Vec<&str> = between.split(|c: char| !c.is_ascii_digit()).collect();
        let groups: Vec<&str> = groups.into_iter().filter(|group| !group.is_empty()).collect();
        let starts = (0..groups.len()).filter(|at| {
            let mut number = String::new();
            let more = groups[*at..].iter().position(|group| {
                number += group;
                number.len() >= 11
            });
            more > Some(0) && NationalNumber::parse(&number, today).is_ok()
        });
        starts.count()
    });
    bare + grouped.sum::<usize>()
}
