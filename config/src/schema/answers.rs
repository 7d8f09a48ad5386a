//! What a provider's answer means, by its template: one of four outcomes, and "unknown" is one of them. What it says is
//! another's text.

use serde_json::Value;
use sluis_core::control::Outcome;
use sluis_core::words;
use sluis_core::words::Words;

use super::{Answer, Http};

/// The driver's name in statements.
const DRIVER: &str = "http";

impl Http {
    /// What this answer to a message to `number` means. What fits no class is unknown; nothing of it repeats the number.
    #[must_use]
    pub fn outcome(&self, status: u16, body: &[u8], number: &str) -> Outcome {
        without(classify(self, status, body), number)
    }
}

/// Nobody knows whether the provider took it.
#[must_use]
pub fn unknown() -> Outcome {
    Outcome::Unknown { driver: DRIVER.into() }
}

/// The outcome with `-` for what repeats the number that the message went to, abroad or at home, however grouped: what
/// a provider says is kept, and that number is not.
fn without(outcome: Outcome, number: &str) -> Outcome {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let number = digits(number);
    // Without the country and the zero that stands for it.
    let own = &number[number.len().saturating_sub(8)..];
    let repeats = |text: &String| own.len() == 8 && digits(text).contains(own);
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
        let of = |status, body: &str| http.outcome(status, body.as_bytes(), "");
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
    fn an_empty_class_holds_nothing() {
        assert!(!fits(&Answer::default(), 200, &Value::Null));
    }
}
