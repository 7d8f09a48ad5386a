//! A provider's HTTP interface, as data: one template, four outcomes.
//!
//! A message is sent again only when it was surely not taken. An answer that does not come, or that fits no
//! class, is "unknown": a text message cannot be called back, and the share counts as exposed.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::{Client, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use sluis_config::ConfigError;
use sluis_config::credentials::Credentials;
use sluis_config::schema::{Answer, Auth, Body, Http, Method};
use sluis_core::control::Outcome;
use sluis_core::id::ChannelId;
use sluis_core::words;
use sluis_core::words::Words;
use zeroize::Zeroizing;

use super::Message;
use crate::way::{Broken, Way};

/// The most of an answer that is read, in bytes.
const MAX_ANSWER: usize = 64 * 1024;
/// The driver's name in statements.
const DRIVER: &str = "http";

/// A provider with its account.
#[derive(Debug)]
pub struct Provider {
    http: Http,
    secret: Option<SecretString>,
    /// Where the operator's reports go; its last part is a secret too.
    callback: Option<SecretString>,
    way: Way,
}

impl Provider {
    /// The provider behind a channel; its secret is the credential `provider-<channel>`.
    ///
    /// # Errors
    /// [`ConfigError`] where the URL is not https, or the secret is missing.
    pub fn new(
        id: &ChannelId,
        http: &Http,
        callback: Option<&str>,
        credentials: &Credentials,
    ) -> Result<Self, ConfigError> {
        let timeout = Duration::from_secs(http.timeout_s);
        let client = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            // A connection that is kept keeps what was written to it.
            .pool_max_idle_per_host(0)
            // Well before the whole: what never got through is told apart from an answer that is lost.
            .connect_timeout(Duration::from_secs(10).min(timeout / 2))
            .timeout(timeout)
            .build()
            .map_err(|e| ConfigError::Channel { id: id.to_string(), why: Words::same(e) })?;
        Self::over(client.into(), id, http, callback, credentials)
    }

    /// The same, over this way.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn over(
        way: Way,
        id: &ChannelId,
        http: &Http,
        callback: Option<&str>,
        credentials: &Credentials,
    ) -> Result<Self, ConfigError> {
        let wrong = |why: Words| ConfigError::Channel { id: id.to_string(), why };
        http.check().map_err(wrong)?;
        let secret = match http.needs_secret() {
            true => Some(credentials.secret(&format!("provider-{id}"))?),
            false => None,
        };
        let callback = match (http.calls_back(), callback) {
            (false, _) => None,
            (true, Some(base)) => {
                let token = credentials.secret(&format!("reports-{id}"))?;
                let base = base.trim_end_matches('/');
                Some(SecretString::from(format!("{base}/{id}/{}", token.expose_secret())))
            }
            (true, None) => {
                return Err(wrong(words!(
                    "het sjabloon heeft {{callback}}, maar releaser.callback zegt niet waar operatoren de rol `reports` bereiken",
                    "its template has {{callback}}, but releaser.callback does not say where operators reach the role `reports`"
                )));
            }
        };
        Ok(Self { http: http.clone(), secret, callback, way })
    }

    /// Its template.
    #[must_use]
    pub fn template(&self) -> &Http {
        &self.http
    }

    /// Hands the message over, once.
    pub async fn send(&self, message: &Message<'_>) -> Outcome {
        let mut answer = match self.way.send(self.request(message)).await {
            Ok(answer) => answer,
            // No connection, no message: it may be tried again.
            Err(Broken::Unsent(_)) => {
                let why =
                    words!("de aanbieder is niet bereikbaar", "the provider cannot be reached");
                return Outcome::Again { why };
            }
            Err(Broken::Unanswered(_)) => return unknown(),
        };
        let status = answer.status().as_u16();
        let mut body = Vec::new();
        loop {
            match answer.chunk().await {
                Ok(Some(piece)) if body.len() + piece.len() <= MAX_ANSWER => {
                    body.extend_from_slice(&piece);
                }
                Ok(None) => break,
                // Cut short or endless: what came is not what it meant to say.
                Ok(Some(_)) | Err(_) => return unknown(),
            }
        }
        without(classify(&self.http, status, &body), message.to)
    }

    fn request(&self, message: &Message<'_>) -> RequestBuilder {
        let method = match self.http.method {
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
        };
        let mut request = self.way.request(method, &self.http.url);
        for (name, value) in &self.http.headers {
            request = request.header(name, self.fill(value, message).as_str());
        }
        let secret = self.secret.as_ref().map(ExposeSecret::expose_secret).unwrap_or_default();
        request = match &self.http.auth {
            Some(Auth::Basic { user }) => request.basic_auth(user, Some(secret)),
            Some(Auth::Bearer) => request.bearer_auth(secret),
            Some(Auth::Header(name)) => request.header(name, secret),
            None => request,
        };
        match &self.http.body {
            Body::Form(fields) => {
                let filled: BTreeMap<&str, Zeroizing<String>> = fields
                    .iter()
                    .map(|(name, value)| (name.as_str(), self.fill(value, message)))
                    .collect();
                let filled: BTreeMap<_, &str> =
                    filled.iter().map(|(name, value)| (name, value.as_str())).collect();
                request.form(&filled)
            }
            Body::Json(table) => {
                request.json(&self.fill_json(&toml::Value::Table(table.clone()), message))
            }
            Body::Text(text) => request
                .header("content-type", "text/plain; charset=utf-8")
                .body(self.fill(text, message).to_string()),
        }
    }

    /// Fills the placeholders in. The secrets come last, and none of the other values holds a brace.
    fn fill(&self, template: &str, message: &Message<'_>) -> Zeroizing<String> {
        let shown = |secret: &Option<SecretString>| {
            secret.as_ref().map(ExposeSecret::expose_secret).unwrap_or_default().to_owned()
        };
        let mut text = Zeroizing::new(template.to_owned());
        for (placeholder, value) in [
            ("{to}", message.to.to_owned()),
            ("{digits}", message.to.trim_start_matches('+').to_owned()),
            ("{text}", message.text.to_owned()),
            ("{reference}", message.reference.to_owned()),
            ("{callback}", shown(&self.callback)),
            ("{secret}", shown(&self.secret)),
        ] {
            let value = Zeroizing::new(value);
            if text.contains(placeholder) {
                text = Zeroizing::new(text.replace(placeholder, &value));
            }
        }
        text
    }

    fn fill_json(&self, value: &toml::Value, message: &Message<'_>) -> Value {
        match value {
            toml::Value::String(text) => self.fill(text, message).as_str().into(),
            toml::Value::Integer(number) => (*number).into(),
            toml::Value::Float(number) => (*number).into(),
            toml::Value::Boolean(yes) => (*yes).into(),
            toml::Value::Datetime(time) => time.to_string().into(),
            toml::Value::Array(items) => {
                items.iter().map(|item| self.fill_json(item, message)).collect()
            }
            toml::Value::Table(table) => {
                let filled =
                    table.iter().map(|(key, item)| (key.clone(), self.fill_json(item, message)));
                Value::Object(filled.collect())
            }
        }
    }
}

fn unknown() -> Outcome {
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
        Outcome::Again { why } if repeats(&why.en) => Outcome::Again { why: Words::same("-") },
        other => other,
    }
}

/// What an answer means. What fits no class is unknown.
#[must_use]
pub fn classify(http: &Http, status: u16, body: &[u8]) -> Outcome {
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
        return Outcome::Again {
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
        let of = |status, body: &str| classify(&http, status, body.as_bytes());
        let answer =
            |code: &str| format!(r#"{{"messages":[{{"status":"{code}","message-id":"0A1"}}]}}"#);
        assert!(
            matches!(of(200, &answer("0")), Outcome::Accepted { message: Some(id), .. } if id == "0A1")
        );
        assert!(matches!(of(200, &answer("1")), Outcome::Again { .. }));
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
