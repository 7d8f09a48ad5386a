//! What an operator's delivery report says: a few named fields of an address and a body that strangers wrote.

use serde::Deserialize;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::transfer::Report;

/// How an operator's reports are read. They come to `/<channel>/<credential reports-<channel>>`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Reporter {
    /// Where our own number for the message stands.
    pub reference: Field,
    /// Where it says what became of it.
    pub state: Field,
    /// Where a code for the failure stands.
    pub code: Option<Field>,
    /// States that mean: brought, as far as the operator knows.
    pub delivered: Vec<String>,
    /// States that mean: it will not be brought.
    pub failed: Vec<String>,
    /// States that mean: the operator has it.
    #[serde(default)]
    pub pending: Vec<String>,
}

/// A place in a report.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Field {
    /// A name in the address.
    Query(String),
    /// A name in a form.
    Form(String),
    /// A JSON pointer into the body.
    Json(String),
}

/// Our reference and what is reported of it, if that says anything; nothing where a field is missing.
#[must_use]
pub fn read(
    reporter: &Reporter,
    query: Option<&str>,
    body: &[u8],
) -> Option<(String, Option<Report>)> {
    let json: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let of = |field: &Field| -> Option<Zeroizing<String>> {
        let found = match field {
            Field::Query(name) => form_value(query?.as_bytes(), name),
            Field::Form(name) => form_value(body, name),
            Field::Json(pointer) => match json.pointer(pointer)? {
                Value::String(text) => Some(text.clone()),
                Value::Number(number) => Some(number.to_string()),
                _ => None,
            },
        };
        found.filter(|text| text.len() <= 256).map(Zeroizing::new)
    };
    let reference = of(&reporter.reference)?;
    let state = of(&reporter.state)?;
    let among = |states: &[String]| states.iter().any(|it| it.eq_ignore_ascii_case(&state));
    let report = if among(&reporter.delivered) {
        Some(Report::Delivered)
    } else if among(&reporter.failed) {
        let code = reporter.code.as_ref().and_then(of);
        // A code, not a sentence: what comes from a body never stands anywhere as it came.
        let code = code.filter(|code| code.len() <= 40 && code.bytes().all(is_code));
        let code = code.map_or_else(|| state.to_string(), |code| code.to_string());
        Some(Report::Failed { code })
    } else {
        among(&reporter.pending).then_some(Report::Pending)
    };
    Some((reference.to_string(), report))
}

fn is_code(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

fn form_value(text: &[u8], name: &str) -> Option<String> {
    let pairs = form_urlencoded::parse(text).take(64);
    pairs.into_iter().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests;
