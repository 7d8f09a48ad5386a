//! Why a notice is not made or has no effect, and what is said of it in Dutch and English.

use jiff::civil::Date;

use super::{MAX_A_DAY, MAX_TEXT, Sort};
use crate::words;
use crate::words::Words;

/// Why a notice is not made or has no effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It is not this party's to make.
    NotYours(Sort),
    /// No text, too much of it, or characters that no text has.
    Text,
    /// A number that could be a person's.
    Personal,
    /// A field that it must have is missing.
    Missing(&'static str),
    /// A disclosure with no agreement of its own, and without a word why it needs none (art. 4; R28).
    Alone,
    /// It was found after now, or after the letter that tells of it.
    Future,
    /// No address of a public page.
    Address,
    /// A page that is not there yet.
    Ahead,
    /// No open case by that digest.
    NoCase,
    /// A case is closed after it was answered (R61).
    Unanswered,
    /// It counts from a day before the one on which the next request is possible (R6).
    TooSoon {
        /// The first day on which it is.
        on: Date,
        /// The day from which this one counts.
        said: Date,
    },
    /// The term of notice ends on that day at the earliest (R76).
    Notice(Date),
    /// The agreement ended on that day.
    Ended(Date),
    /// It is not entered for another party, not even from paper.
    NotOnPaper(Sort),
    /// The letter is of another day than one of the last so many.
    Letter(u32),
    /// Who asked answers itself.
    OwnCase,
    /// No entry by that number which the other party made from paper, or it was contradicted before.
    NoEntry,
    /// A day that has not come yet.
    NotYet,
    /// More than a party says in a day.
    TooMany,
}

impl Fault {
    /// What is wrong and what to do, for people.
    #[must_use]
    #[expect(clippy::too_many_lines, reason = "a table: a message an arm")]
    pub fn words(&self) -> Words {
        match self {
            Self::NotYours(sort) => of(
                sort,
                words!("{} is aan de andere partij", "{} is the other party's to say", sort.kind()),
            ),
            Self::Text => words!(
                "een tekst van 1 tot {MAX_TEXT} tekens, zonder stuurtekens of onzichtbare tekens",
                "a text of 1 to {MAX_TEXT} characters, without control or invisible characters"
            ),
            Self::Personal => words!(
                "elf cijfers in de tekst kunnen een rijksregisternummer zijn: laat ze weg",
                "eleven digits in the text could be a national register number: leave it out"
            ),
            Self::Missing(what) => words!("geef {what} op", "give {what}"),
            Self::Alone => words!(
                "art. 4: geef --paper op, of --no-agreement-needed",
                "art. 4: give --paper, or --no-agreement-needed"
            ),
            Self::Future => words!(
                "een vaststelling ligt in het verleden: kijk --found na",
                "what was found lies in the past: look at --found"
            ),
            Self::Address => words!(
                "art. 10: het adres van een openbare bladzijde: https://, de naam van een website, geen spaties",
                "art. 10: the address of a public page: https://, the name of a website, no spaces"
            ),
            Self::Ahead => words!(
                "art. 10: een bladzijde wordt ingeschreven als ze er staat: kijk --on na",
                "art. 10: a page is recorded once it is there: look at --on"
            ),
            Self::NoCase => words!(
                "geen open dossier met dat nummer: sluis notices",
                "no open case by that number: sluis notices"
            ),
            Self::Unanswered => words!(
                "art. 7: breng eerst de gemeente op de hoogte: sluis quality answer",
                "art. 7: first inform the municipality: sluis quality answer"
            ),
            Self::TooSoon { on, said } => of(
                &Sort::Request,
                words!(
                    "één aanvraag per jaar; de volgende kan vanaf {on}, en deze telt van {said}. Een verbetering (art. 7) vraagt er geen: sluis quality report",
                    "one request a year; the next is possible from {on} on, and this one counts from {said}. A correction (art. 7) needs none: sluis quality report"
                ),
            ),
            Self::Notice(on) => words!(
                "art. 12: de opzegtermijn; de eerste dag zonder lijsten is {on} of later",
                "art. 12: the term of notice; the first day without lists is {on} or later"
            ),
            Self::Ended(on) => words!(
                "art. 12: de overeenkomst eindigde op {on}; sluit eerst een nieuwe",
                "art. 12: the agreement ended on {on}; conclude a new one first"
            ),
            Self::NotOnPaper(sort) => of(
                sort,
                words!(
                    "{} zegt alleen de partij zelf",
                    "{} is only said by its own party",
                    sort.kind()
                ),
            ),
            Self::Letter(days) => words!(
                "een brief van de laatste {days} dagen: kijk --received na",
                "a letter of the last {days} days: look at --received"
            ),
            Self::OwnCase => words!(
                "art. 6: de partij aan wie het gevraagd is, antwoordt",
                "art. 6: the party that was asked answers"
            ),
            Self::NoEntry => words!(
                "geen inschrijving met dat nummer die de andere partij op papier in uw naam deed, of ze is al tegengesproken: sluis notices",
                "no entry by that number which the other party made from paper in your name, or it was contradicted before: sluis notices"
            ),
            Self::NotYet => words!(
                "die dag is nog niet gekomen: kijk --on na",
                "that day has not come yet: look at --on"
            ),
            Self::TooMany => words!(
                "{MAX_A_DAY} berichten op één dag volstaan; meld het morgen, of bel",
                "{MAX_A_DAY} notices on one day are enough; say it tomorrow, or call"
            ),
        }
    }
}

/// What is wrong with a notice of this sort, at its article.
fn of(sort: &Sort, what: Words) -> Words {
    let article = Words::of(|language| sort.article().label(language));
    Words::join(&[article, what], ": ")
}
