//! The gate for what operators report: it listens, reads a few named fields, and hands them to the core.
//!
//! It holds no share and no key, and opens no file. A body may repeat the text of a message (smsd and Ring Ring do,
//! SMPP its first 20 characters), so no body, address or field is ever logged.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::StatusCode;
use axum::routing::any;
use secrecy::ExposeSecret;
use sluis_config::ConfigError;
use sluis_config::credentials::Credentials;
use sluis_core::control::Reported;
use sluis_core::id::{ChannelId, Digest};
use sluis_core::report::{self, Reporter};
use sluis_core::words;

use crate::desk::{Desk, DeskError};

/// The largest report that is read, in bytes.
const MAX_BODY: usize = 64 * 1024;
/// How long its body may take.
const MOST: Duration = Duration::from_secs(10);

/// What the role works with.
#[derive(Debug)]
pub struct Reports {
    desk: Desk,
    channels: BTreeMap<ChannelId, Known>,
}

/// A channel whose operator reports.
#[derive(Debug)]
struct Known {
    reporter: Reporter,
    /// Of the last part of the address. Digests are compared: how long that takes says nothing of the token.
    token: Digest,
}

impl Reports {
    /// Over these channels; the address of each ends in the credential `reports-<channel>`.
    ///
    /// # Errors
    /// [`ConfigError`] where a credential is missing or could be guessed.
    pub fn new(
        desk: Desk,
        channels: BTreeMap<ChannelId, Reporter>,
        credentials: &Credentials,
    ) -> Result<Self, ConfigError> {
        let known = |(id, reporter): (ChannelId, Reporter)| {
            let name = format!("reports-{id}");
            let token = credentials.secret(&name)?;
            let token = token.expose_secret();
            let plain = |c: u8| c.is_ascii_alphanumeric() || c == b'-' || c == b'_';
            if token.len() < 22 || !token.bytes().all(plain) {
                let why = words!(
                    "het staat in een adres: 22 of meer letters, cijfers, - of _, willekeurig gemaakt (openssl rand -hex 16)",
                    "it stands in an address: 22 or more letters, digits, - or _, made at random (openssl rand -hex 16)"
                );
                return Err(ConfigError::Credential { name, why });
            }
            Ok((id, Known { reporter, token: Digest::of(token.as_bytes()) }))
        };
        let channels = channels.into_iter().map(known).collect::<Result<_, _>>()?;
        Ok(Self { desk, channels })
    }
}

/// The addresses: `/<channel>/<token>`, GET or POST. Everything else is 404.
pub fn router(reports: Arc<Reports>) -> Router {
    Router::new().route("/{channel}/{token}", any(heard)).with_state(reports)
}

/// 200 for whatever could be read, known here or not; 503 where the core is away, so that it comes again.
async fn heard(
    State(reports): State<Arc<Reports>>,
    Path((channel, token)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    request: Request,
) -> StatusCode {
    let known = channel.parse::<ChannelId>().ok();
    let known = known.and_then(|id| reports.channels.get_key_value(&id));
    let Some((id, known)) = known.filter(|(_, it)| it.token == Digest::of(token.as_bytes())) else {
        return StatusCode::NOT_FOUND;
    };
    if request.method() != "GET" && request.method() != "POST" {
        return StatusCode::METHOD_NOT_ALLOWED;
    }
    let body = match tokio::time::timeout(MOST, body(request.into_body())).await {
        Ok(Ok(body)) => body,
        Ok(Err(status)) => return status,
        Err(_) => return StatusCode::REQUEST_TIMEOUT,
    };
    let Some((reference, report)) = report::read(&known.reporter, query.as_deref(), &body) else {
        tracing::info!(channel = %id, "a report that cannot be read");
        return StatusCode::BAD_REQUEST;
    };
    // A state that means nothing to us: taken, so that it does not come again.
    let Some(report) = report else { return StatusCode::OK };
    let word = Reported { channel: id.clone(), reference, report };
    match reports.desk.report(&word).await {
        Ok(()) => StatusCode::OK,
        Err(DeskError::Refused(refused)) => {
            tracing::warn!(channel = %id, code = refused.code, "the core does not take a report");
            StatusCode::SERVICE_UNAVAILABLE
        }
        Err(DeskError::Away(error)) => {
            tracing::warn!(channel = %id, %error, "the core is away; the operator is asked to come again");
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}

async fn body(body: Body) -> Result<Bytes, StatusCode> {
    to_bytes(body, MAX_BODY).await.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)
}
