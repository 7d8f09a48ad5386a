//! What a person is told, in Dutch and in English: who hears it chooses, not who says it.

use serde::{Deserialize, Serialize};

mod system;

/// The languages in which custodians and persons are addressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Dutch.
    #[default]
    Nl,
    /// French.
    Fr,
    /// English.
    En,
    /// German.
    De,
}

/// One message in both languages; made by [`words!`](crate::words!), so that neither is forgotten.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words {
    /// In English; what logs and machines are given.
    #[serde(rename = "message")]
    pub en: String,
    /// In Dutch.
    pub nl: String,
}

/// Whether a character is no text but tells a terminal or a reader what to do: control and direction.
#[must_use]
pub(crate) fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// What a stranger wrote, for people: no character of it speaks to a terminal.
#[must_use]
pub fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hidden(c) { shown.extend(c.escape_unicode()) } else { shown.push(c) }
    }
    shown
}

impl Words {
    /// What a library or the system says, which has one language: the same for everybody.
    #[must_use]
    pub fn same(text: impl std::fmt::Display) -> Self {
        let en = text.to_string();
        Self { nl: en.clone(), en }
    }
    /// What the system says of a file or a connection; in Dutch by its kind, with the name of the error.
    #[must_use]
    pub fn io(error: &std::io::Error) -> Self {
        Self { nl: system::in_dutch(error), en: error.to_string() }
    }
    /// The same message as `text` says it in each language.
    #[must_use]
    pub fn of(text: impl Fn(Language) -> String) -> Self {
        Self { nl: text(Language::Nl), en: text(Language::En) }
    }
    /// Several messages as one.
    #[must_use]
    pub fn join(all: &[Self], between: &str) -> Self {
        Self::of(|language| {
            all.iter().map(|it| it.text(language)).collect::<Vec<_>>().join(between)
        })
    }
    /// Whether there is nothing to say.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.en.is_empty()
    }
    /// In this language; Dutch where it is neither.
    #[must_use]
    pub fn text(&self, language: Language) -> &str {
        if language == Language::En { &self.en } else { &self.nl }
    }
}

/// As a log has it.
impl std::fmt::Display for Words {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.en)
    }
}

/// [`Words`] from two forms as `format!` has them, Dutch first; what they name is written into both. Behind a `;` stands
/// a message that is part of this one.
#[macro_export]
macro_rules! words {
    ($nl:literal, $en:literal; $words:expr) => {{
        let words: $crate::words::Words = $words;
        $crate::words::Words { nl: format!($nl, words.nl), en: format!($en, words.en) }
    }};
    ($nl:literal, $en:literal $(, $value:expr)* $(,)?) => {
        $crate::words::Words { nl: format!($nl $(, $value)*), en: format!($en $(, $value)*) }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_hears_their_own_and_both_name_the_same() {
        let count = 3;
        let words = words!("nog {count} van {}", "{count} of {} more", 5);
        assert_eq!(words.text(Language::Nl), "nog 3 van 5");
        assert_eq!(words.text(Language::Fr), "nog 3 van 5");
        assert_eq!(words.text(Language::En), "3 of 5 more");
        assert_eq!(words.to_string(), "3 of 5 more");
        let longer = words!("a.csv: {}", "a.csv: {}!"; words);
        assert_eq!(
            (longer.nl.as_str(), longer.en.as_str()),
            ("a.csv: nog 3 van 5", "a.csv: 3 of 5 more!")
        );
        let both = Words::join(&[longer, Words::same("x")], "; ");
        assert_eq!((both.nl.as_str(), both.is_empty()), ("a.csv: nog 3 van 5; x", false));
        assert!(Words::default().is_empty());
    }

    #[test]
    fn both_are_kept_and_a_store_of_before_has_one_text_for_everybody() {
        let words = words!("ja", "yes");
        let json = serde_json::to_string(&words).unwrap();
        assert_eq!(json, r#"{"message":"yes","nl":"ja"}"#);
        assert_eq!(serde_json::from_str::<Words>(&json).unwrap(), words);
        assert!(serde_json::from_str::<Words>(r#"{"message":"yes"}"#).is_err());
    }
}
