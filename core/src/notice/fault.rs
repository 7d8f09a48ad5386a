//! Why a notice is not made or has no effect, and what is said of it in Dutch and English.

use jiff::civil::Date;

use super::{MAX_A_DAY, MAX_TEXT, Sort};
use crate::words::Language;

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
    /// It was found after now.
    Future,
    /// No address of a public page.
    Address,
    /// A page that is not there yet.
    Ahead,
    /// No open case by that digest.
    NoCase,
    /// A case is closed after it was answered (R61).
    Unanswered,
    /// The next request is possible on that day (R6).
    TooSoon(Date),
    /// The term of notice ends on that day at the earliest (R76).
    Notice(Date),
    /// The agreement ended on that day.
    Ended(Date),
    /// It is not entered for another party, not even from paper.
    NotOnPaper(Sort),
    /// The letter is of another day than one of the last year.
    Letter,
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
    pub fn text(&self, language: Language) -> String {
        if language == Language::En { self.english() } else { self.dutch() }
    }

    fn dutch(&self) -> String {
        match self {
            Self::NotYours(sort) => {
                format!("{}: {} is aan de andere partij", sort.article().label(Language::Nl), sort.kind())
            }
            Self::Text => format!("een tekst van 1 tot {MAX_TEXT} tekens, zonder stuurtekens of onzichtbare tekens"),
            Self::Personal => {
                "elf cijfers in de tekst kunnen een rijksregisternummer zijn: laat ze weg".into()
            }
            Self::Missing(what) => format!("geef {what} op"),
            Self::Alone => "art. 4: geef --paper op, of --no-agreement-needed".into(),
            Self::Future => "een vaststelling ligt in het verleden: kijk --found na".into(),
            Self::Address => {
                "art. 10: het adres van een openbare bladzijde: https://, de naam van een website, geen spaties".into()
            }
            Self::Ahead => {
                "art. 10: een bladzijde wordt ingeschreven als ze er staat: kijk --on na".into()
            }
            Self::NoCase => "geen open dossier met dat nummer: sluis notices".into(),
            Self::Unanswered => {
                "art. 7: breng eerst de gemeente op de hoogte: sluis quality answer".into()
            }
            Self::TooSoon(on) => format!(
                "{}: één aanvraag per jaar; de volgende kan vanaf {on}. Een verbetering (art. 7) vraagt er geen: sluis quality report",
                Sort::Request.article().label(Language::Nl)
            ),
            Self::Notice(on) => {
                format!("art. 12: de opzegtermijn; de eerste dag zonder lijsten is {on} of later")
            }
            Self::Ended(on) => {
                format!("art. 12: de overeenkomst eindigde op {on}; sluit eerst een nieuwe")
            }
            Self::NotOnPaper(sort) => {
                format!("{}: {} zegt alleen de partij zelf", sort.article().label(Language::Nl), sort.kind())
            }
            Self::Letter => "een brief van het voorbije jaar: kijk --received na".into(),
            Self::OwnCase => "art. 6: de partij aan wie het gevraagd is, antwoordt".into(),
            Self::NoEntry => "geen inschrijving met dat nummer die de andere partij op papier in uw naam deed, of ze is al tegengesproken: sluis notices".into(),
            Self::NotYet => "die dag is nog niet gekomen: kijk --on na".into(),
            Self::TooMany => {
                format!("{MAX_A_DAY} berichten op één dag volstaan; meld het morgen, of bel")
            }
        }
    }

    fn english(&self) -> String {
        match self {
            Self::NotYours(sort) => {
                format!("{}: {} is the other party's to say", sort.article(), sort.kind())
            }
            Self::Text => {
                format!("a text of 1 to {MAX_TEXT} characters, without control or invisible characters")
            }
            Self::Personal => {
                "eleven digits in the text could be a national register number: leave it out".into()
            }
            Self::Missing(what) => format!("give {what}"),
            Self::Alone => "art. 4: give --paper, or --no-agreement-needed".into(),
            Self::Future => "what was found lies in the past: look at --found".into(),
            Self::Address => {
                "art. 10: the address of a public page: https://, the name of a website, no spaces"
                    .into()
            }
            Self::Ahead => "art. 10: a page is recorded once it is there: look at --on".into(),
            Self::NoCase => "no open case by that number: sluis notices".into(),
            Self::Unanswered => {
                "art. 7: first inform the municipality: sluis quality answer".into()
            }
            Self::TooSoon(on) => format!(
                "{}: one request a year; the next is possible from {on} on. A correction (art. 7) needs none: sluis quality report",
                Sort::Request.article()
            ),
            Self::Notice(on) => {
                format!("art. 12: the term of notice; the first day without lists is {on} or later")
            }
            Self::Ended(on) => {
                format!("art. 12: the agreement ended on {on}; conclude a new one first")
            }
            Self::NotOnPaper(sort) => {
                format!("{}: {} is only said by its own party", sort.article(), sort.kind())
            }
            Self::Letter => "a letter of the last year: look at --received".into(),
            Self::OwnCase => "art. 6: the party that was asked answers".into(),
            Self::NoEntry => "no entry by that number which the other party made from paper in your name, or it was contradicted before: sluis notices".into(),
            Self::NotYet => "that day has not come yet: look at --on".into(),
            Self::TooMany => {
                format!("{MAX_A_DAY} notices on one day are enough; say it tomorrow, or call")
            }
        }
    }
}
