//! The drop zone: a tus 1.0.0 server and a mailbox. It holds ciphertext for a while, and no key of anything.
//!
//! | address | agency | municipality |
//! |---|---|---|
//! | `/{agreement}/files` | OPTIONS, POST, GET (list) | OPTIONS, GET (list) |
//! | `/{agreement}/files/{id}` | HEAD, PATCH, DELETE | HEAD, GET, DELETE |
//! | `/{agreement}/mailbox` | GET: letters to it | GET: letters to it |
//! | `/{agreement}/mailbox/{number}` | PUT: a letter to the municipality | PUT: a letter to the agency |
//!
//! Who asks is the key of the TLS connection, told by [`Peer`]; who is no party of an agreement gets 404 for everything
//! in it. An upload that was here and was removed, or expired, answers 410, and only when its bytes are off the disk.
//!
//! ```text
//! <folder>/<agreement>/files/<id>/{data,info.json}      an upload; its offset is the length of data
//! <folder>/<agreement>/files/<id>/verified              up to where data counts, while a checksum is awaited
//! <folder>/<agreement>/gone/<id>                        that it was here; when it went is the file's time
//! <folder>/<agreement>/mailbox/{agency,municipality}/<number>   a letter to that party; its time is when it came
//! <folder>/.clock                                       the last look at the clock
//! ```

mod checksum;
mod clock;
mod disk;
mod mailbox;
mod receive;
mod refusal;
#[cfg(test)]
mod tests;
mod tus;
mod upload;
mod zone;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderValue, Uri};
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::any;
use refusal::Refusal;
use serde::de::DeserializeOwned;
use sluis_core::id::{AgreementId, Digest};
pub use zone::Zone;
use zone::{Role, Space};

use crate::accept::Peer;

/// The longest that a request may wait for something to happen.
const MAX_WAIT_SECONDS: u64 = 60;

/// An agreement, its two parties, and how much they may have here.
#[derive(Debug, Clone)]
pub struct Tenant {
    /// The agreement.
    pub agreement: AgreementId,
    /// The TLS keys of the agency.
    pub agency: Vec<Digest>,
    /// The TLS keys of the municipality.
    pub municipality: Vec<Digest>,
    /// Bytes of all its uploads together, by the lengths that were announced.
    pub quota: u64,
    /// Uploads at once, open and complete.
    pub max_uploads: usize,
}

impl Tenant {
    /// Of an agreement that nobody is served under any more.
    fn nobody(agreement: AgreementId) -> Self {
        Self { agreement, agency: Vec::new(), municipality: Vec::new(), quota: 0, max_uploads: 0 }
    }
}

/// What a drop zone is told at its start.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where everything is kept.
    pub folder: PathBuf,
    /// Who is served.
    pub tenants: Vec<Tenant>,
    /// How long an upload lives from its creation, in milliseconds.
    pub expires_ms: i64,
    /// How long a letter is kept at least, in milliseconds. An unread one stays.
    pub letters_keep_ms: i64,
    /// The most unread letters to one party; twice as many with those that were read and are not old yet.
    pub max_letters: usize,
    /// The most uploads of one tenant that are remembered as gone, with those that are here.
    pub max_gone: usize,
    /// A body that sends nothing for so long is cut.
    pub idle: Duration,
}

/// The drop zone's addresses. Each request must carry its [`Peer`].
pub fn router(zone: Arc<Zone>) -> Router {
    Router::new()
        .route("/{agreement}/files", any(files))
        .route("/{agreement}/files/{id}", any(file))
        .route("/{agreement}/mailbox", any(letters))
        .route("/{agreement}/mailbox/{number}", any(letter))
        .fallback(async || Refusal::NotFound)
        .layer(map_response(speak_tus))
        .with_state(zone)
}

type Segments<T> = Result<Path<T>, PathRejection>;

async fn files(
    State(zone): State<Arc<Zone>>,
    path: Segments<String>,
    request: Request,
) -> Result<Response, Refusal> {
    let agreement = segments(path)?;
    let (space, role) = admit(&zone, &agreement, &request)?;
    tus::files(&zone, space, role, request).await
}

async fn file(
    State(zone): State<Arc<Zone>>,
    path: Segments<(String, String)>,
    request: Request,
) -> Result<Response, Refusal> {
    let (agreement, id) = segments(path)?;
    let (space, role) = admit(&zone, &agreement, &request)?;
    tus::file(&zone, space, role, &id, request).await
}

async fn letters(
    State(zone): State<Arc<Zone>>,
    path: Segments<String>,
    request: Request,
) -> Result<Response, Refusal> {
    let agreement = segments(path)?;
    let (space, role) = admit(&zone, &agreement, &request)?;
    mailbox::letters(&space, role, request.method(), request.uri()).await
}

async fn letter(
    State(zone): State<Arc<Zone>>,
    path: Segments<(String, String)>,
    request: Request,
) -> Result<Response, Refusal> {
    let (agreement, number) = segments(path)?;
    let (space, role) = admit(&zone, &agreement, &request)?;
    mailbox::letter(&zone, &space, role, &number, request).await
}

/// What cannot even be decoded is no address here.
fn segments<T>(path: Segments<T>) -> Result<T, Refusal> {
    path.map(|Path(segments)| segments).map_err(|_| Refusal::NotFound)
}

fn admit(zone: &Zone, agreement: &str, request: &Request) -> Result<(Arc<Space>, Role), Refusal> {
    zone.admit(agreement, request.extensions().get::<Peer>())
}

async fn speak_tus(mut response: Response) -> Response {
    let version = HeaderValue::from_static(sluis_core::tus::VERSION);
    response.headers_mut().insert("tus-resumable", version);
    response
}

fn query<T: DeserializeOwned>(uri: &Uri, hint: &'static str) -> Result<T, Refusal> {
    Query::try_from_uri(uri).map(|Query(asked)| asked).map_err(|_| Refusal::Query(hint))
}

fn waiting(seconds: u64) -> Duration {
    Duration::from_secs(seconds.min(MAX_WAIT_SECONDS))
}
