//! The parts of the agreement that ask for something, and how each is cited: one label for one part in each language.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::id::Malformed;
use crate::words::Language;

/// A part of the agreement. Its text is its English label, for logs, ledgers and machines; its Dutch one is read too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Article {
    /// Who the parties are.
    Preamble,
    /// A recital, by its letter.
    Recital(char),
    /// An article, by its number.
    Art(u8),
    /// Who signed.
    Signatures,
}

impl Article {
    /// How people are told of it.
    #[must_use]
    pub fn label(self, language: Language) -> String {
        match (self, language) {
            (Self::Art(number), _) => format!("art. {number}"),
            (Self::Recital(letter), Language::En) => format!("recital {letter}"),
            (Self::Recital(letter), _) => format!("overweging {letter}"),
            (Self::Preamble, Language::En) => "preamble".to_owned(),
            (Self::Preamble, _) => "aanhef".to_owned(),
            (Self::Signatures, Language::En) => "signatures".to_owned(),
            (Self::Signatures, _) => "slot".to_owned(),
        }
    }
}

/// In English.
impl fmt::Display for Article {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.label(Language::En))
    }
}
impl From<Article> for String {
    fn from(article: Article) -> Self {
        article.to_string()
    }
}
impl TryFrom<String> for Article {
    type Error = Malformed;
    fn try_from(text: String) -> Result<Self, Malformed> {
        text.parse()
    }
}
impl FromStr for Article {
    type Err = Malformed;
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let recitals = ('A'..='Z').map(Self::Recital);
        let mut all =
            (1..=99).map(Self::Art).chain(recitals).chain([Self::Preamble, Self::Signatures]);
        let found =
            all.find(|it| [Language::Nl, Language::En].iter().any(|of| it.label(*of) == text));
        found.ok_or(Malformed { what: "article", why: "such as art. 6 or recital C" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_part_has_one_label_in_each_language_and_is_read_back_from_both() {
        for (article, nl, en) in [
            (Article::Preamble, "aanhef", "preamble"),
            (Article::Recital('C'), "overweging C", "recital C"),
            (Article::Art(6), "art. 6", "art. 6"),
            (Article::Signatures, "slot", "signatures"),
        ] {
            assert_eq!(article.label(Language::Nl), nl);
            assert_eq!(article.label(Language::Fr), nl);
            assert_eq!((article.label(Language::En), article.to_string()), (en.into(), en.into()));
            assert_eq!((nl.parse(), en.parse()), (Ok(article), Ok(article)));
            assert_eq!(serde_json::to_string(&article).unwrap(), format!("\"{en}\""));
        }
        for other in ["", "art. 0", "art. 06", "Art. 6", "recital c", "overw. C"] {
            assert!(other.parse::<Article>().is_err(), "{other}");
        }
    }
}
