//! What a provider's answer means, by its template: one of four outcomes, and "unknown" is one of them. What it says is
//! another's text.

use std::collections::BTreeSet;

use serde_json::Value;
use sluis_core::control::Outcome;
use sluis_core::words;
use sluis_core::words::Words;
use zeroize::Zeroizing;

use super::{Answer, Http};

/// The driver's name in statements.
const DRIVER: &str = "http";
/// So many symbols in a row of a message are no number of a provider's own by chance.
const PIECE: usize = 8;

impl Http {
    /// What this answer to a message of this text to `number` means. What fits no class is unknown; nothing of it repeats
    /// the number, or a share in the text.
    #[must_use]
    pub fn outcome(&self, status: u16, body: &[u8], (number, text): (&str, &str)) -> Outcome {
        without(classify(self, status, body), number, text)
    }
}

/// Nobody knows whether the provider took it.
#[must_use]
pub fn unknown() -> Outcome {
    Outcome::Unknown { driver: DRIVER.into() }
}

/// The outcome with `-` for what repeats the number that the message went to, abroad or at home, or a piece of its text,
/// however grouped: what a provider says is kept, and these are not.
fn without(outcome: Outcome, number: &str, text: &str) -> Outcome {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let number = digits(number);
    // Without the country and the zero that stands for it.
    let own = &number[number.len().saturating_sub(8)..];
    let sent = symbols(text);
    let sent: BTreeSet<&[u8]> = sent.windows(PIECE).collect();
    let echoes = |said: &str| symbols(said).windows(PIECE).any(|piece| sent.contains(piece));
    let repeats = |said: &String| own.len() == 8 && digits(said).contains(own) || echoes(said);
    let none = |text: String| if repeats(&text) { "-".to_owned() } else { text };
    match outcome {
        Outcome::Accepted { driver, message } => {
            Outcome::Accepted { driver, message: message.map(none) }
        }
        Outcome::Rejected { driver, code } => Outcome::Rejected { driver, code: none(code) },
        Outcome::PutOff { driver, why } if repeats(&why.en) => {
            Outcome::PutOff { driver, why: Words::same("-") }
        }
        other => other,
    }
}

/// Letters and digits alone, in capitals; wiped, as a share is among them.
fn symbols(text: &str) -> Zeroizing<Vec<u8>> {
    let mut symbols = Zeroizing::new(Vec::with_capacity(text.len()));
    let plain = text.bytes().filter(u8::is_ascii_alphanumeric);
    symbols.extend(plain.map(|b| b.to_ascii_uppercase()));
    symbols
}

fn classify(http: &Http, status: u16, body: &[u8]) -> Outcome {
    let json: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let is = |answer: &Answer| fits(answer, status, &json);
    if is(&http.permanent) {
        return Outcome::Rejected {
            driver: DRIVER.into(),
            code: code_of(&http.permanent, status, &json),
        };
    }
    if is(&http.retryable) {
        let code = code_of(&http.retryable, status, &json);
        return Outcome::PutOff {
            driver: DRIVER.into(),
            why: words!("de aanbieder zei {code}", "the provider said {code}"),
        };
    }
    if is(&http.success) {
        let message =
            http.message_id.as_deref().and_then(|pointer| json.pointer(pointer)).map(as_text);
        return Outcome::Accepted { driver: DRIVER.into(), message };
    }
    unknown()
}

fn fits(answer: &Answer, status: u16, json: &Value) -> bool {
    let by_status = answer.status.is_empty() || answer.status.contains(&status);
    let by_value = match &answer.pointer {
        None => true,
        Some(pointer) => {
            json.pointer(pointer).is_some_and(|value| answer.values.contains(&as_text(value)))
        }
    };
    let says_anything = !answer.status.is_empty() || answer.pointer.is_some();
    says_anything && by_status && by_value
}

/// The status, or the code that the class looks at: never the body, which may repeat the message.
fn code_of(answer: &Answer, status: u16, json: &Value) -> String {
    let pointed = answer.pointer.as_deref().and_then(|pointer| json.pointer(pointer)).map(as_text);
    pointed.unwrap_or_else(|| status.to_string()).chars().take(40).collect()
}

fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vonage() -> Http {
        toml::from_str(
            r#"
            url = "https://provider.example/sms"
            message-id = "/messages/0/message-id"
            [body.form]
            to = "{to}"
            text = "{text}"
            [success]
            status = [200]
            pointer = "/messages/0/status"
            values = ["0"]
            [retryable]
            pointer = "/messages/0/status"
            values = ["1", "5"]
            [permanent]
            pointer = "/messages/0/status"
            values = ["2", "3", "4"]
            "#,
        )
        .unwrap()
    }

    #[test]
    fn a_status_of_200_is_not_enough_where_the_template_asks_for_more() {
        let http = vonage();
        let of = |status, body: &str| http.outcome(status, body.as_bytes(), ("", ""));
        let answer =
            |code: &str| format!(r#"{{"messages":[{{"status":"{code}","message-id":"0A1"}}]}}"#);
        assert!(
            matches!(of(200, &answer("0")), Outcome::Accepted { message: Some(id), .. } if id == "0A1")
        );
        assert!(matches!(of(200, &answer("1")), Outcome::PutOff { .. }));
        assert!(matches!(of(200, &answer("3")), Outcome::Rejected { code, .. } if code == "3"));
        for nonsense in ["", "{}", "<html>", "[[[", &answer("99")] {
            assert!(matches!(of(200, nonsense), Outcome::Unknown { .. }), "{nonsense}");
        }
        assert!(matches!(of(500, &answer("0")), Outcome::Unknown { .. }));
    }

    #[test]
    fn nothing_of_an_answer_repeats_the_share_that_was_sent() {
        let http = vonage();
        let text = "Sluis 7K3F-9QX deel 1: 121G-DXQ8-0GH7-XRMC-9511-J5QX-SYS5-M8T5-VQ8";
        let said = |id: &str| {
            let answer = format!(r#"{{"messages":[{{"status":"0","message-id":"{id}"}}]}}"#);
            match http.outcome(200, answer.as_bytes(), ("", text)) {
                Outcome::Accepted { message, .. } => message.unwrap(),
                other => panic!("{other:?}"),
            }
        };
        for echo in ["121G-DXQ8-0GH7", "id 0gh7xrmc", "x-9511 J5QX-y", text] {
            assert_eq!(said(echo), "-", "{echo}");
        }
        for own in ["0A00000012345678", "DXQ8-0GH", "7f4e1b2c-9d3a-4a5b-8c6d-0e1f2a3b4c5d"] {
            assert_eq!(said(own), own);
        }
    }

    #[test]
    fn an_empty_class_holds_nothing() {
        assert!(!fits(&Answer::default(), 200, &Value::Null));
    }
}
