//! What a releaser's word makes of a share, and how a gate's texts may stand in a statement.

use sluis_core::control::Outcome;
use sluis_core::transfer::{Event, Stands};

/// What a releaser's word on a share is an event of; with its texts as they may stand in a statement.
///
/// `number` is the custodian's.
pub(super) fn event_of(index: u8, outcome: Outcome, number: Option<&str>) -> Option<Event> {
    let said = |text: &str| if repeats(text, number) { "-".into() } else { plain(text) };
    let stands = match outcome {
        Outcome::Accepted { driver, message } => {
            Stands::Accepted { driver: said(&driver), message: message.map(|m| said(&m)) }
        }
        Outcome::Rejected { driver, code } => {
            Stands::Rejected { driver: said(&driver), code: said(&code) }
        }
        Outcome::Unknown { driver } => Stands::Unknown { driver: said(&driver) },
        Outcome::PutOff { driver, .. } => return Some(Event::PutOff(index, said(&driver))),
        Outcome::Again { .. } => Stands::Waiting,
        _ => return None,
    };
    Some(Event::Shipped(index, stands))
}

/// Whether a text repeats this telephone number, in whatever form: its last eight digits, which a national form and an
/// international one share.
fn repeats(text: &str, number: Option<&str>) -> bool {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let number = number.map(digits).unwrap_or_default();
    let last = number.len().checked_sub(8).map(|from| &number[from..]);
    last.is_some_and(|last| digits(text).contains(last))
}

/// A gate's text as it may stand in a statement: printable ASCII, short, and no number of a telephone. A provider
/// may repeat the one that the message went to: eleven digits with no letter between them are said as `-`.
pub(super) fn plain(text: &str) -> String {
    let words = text.split(|c: char| c.is_ascii_alphabetic());
    let longest = words.map(|word| word.matches(|c: char| c.is_ascii_digit()).count()).max();
    if longest >= Some(11) {
        return "-".to_owned();
    }
    text.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_of_a_provider_brings_a_telephone_number_into_a_statement() {
        let number = Some("+32475123456");
        for text in ["+32475123456", "0475123456", "id 0475/12.34.56", "32475123456-7"] {
            let outcome = Outcome::Accepted { driver: "http".into(), message: Some(text.into()) };
            let stands = Stands::Accepted { driver: "http".into(), message: Some("-".into()) };
            let event = event_of(1, outcome, number);
            assert!(matches!(event, Some(Event::Shipped(1, it)) if it == stands), "{text}");
        }
        // A landline has ten digits with its country.
        assert!(repeats("to 3215298000", Some("+3215298000")));
        let kept = Outcome::Rejected { driver: "http".into(), code: "1234567890".into() };
        let rejected = Stands::Rejected { driver: "http".into(), code: "1234567890".into() };
        let event = event_of(1, kept, number);
        assert!(
            matches!(event, Some(Event::Shipped(1, it)) if it == rejected),
            "a number of theirs"
        );
        assert!(!repeats("anything", Some("an")), "the name of a folder's owner");
    }

    #[test]
    fn eleven_digits_are_nobodys_word() {
        assert_eq!(plain("85.07.30-033.28"), "-");
        assert_eq!(plain("a1b2c3d4e5f6a7b8c9d0e1f2"), "a1b2c3d4e5f6a7b8c9d0e1f2");
    }
}
