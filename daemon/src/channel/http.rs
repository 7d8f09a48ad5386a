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
use sluis_config::schema::{Auth, Body, Http, Method, answers};
use sluis_core::control::Outcome;
use sluis_core::id::ChannelId;
use sluis_core::words;
use sluis_core::words::Words;
use zeroize::Zeroizing;

use super::Message;
use crate::way::{Broken, Way};

/// The most of an answer that is read, in bytes.
const MAX_ANSWER: usize = 64 * 1024;

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
            .map_err(|e| {
                let why = words!(
                    "hiervoor is geen verbinding te maken («{e}»)",
                    "no connection can be made for this (\"{e}\")"
                );
                ConfigError::Channel { id: id.to_string(), why }
            })?;
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
            Err(Broken::Unanswered(_)) => return answers::unknown(),
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
                Ok(Some(_)) | Err(_) => return answers::unknown(),
            }
        }
        self.http.outcome(status, &body, (message.to, message.text))
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
