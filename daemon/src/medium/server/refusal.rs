//! Why a request is refused, and the status that says so.

use std::io;

use axum::http::header::{ALLOW, CONTENT_RANGE, HeaderName};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use sluis_core::tus::{self, BadHeader};

/// Every way in which the drop zone says no.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("there is nothing here")]
    NotFound,
    #[error("this is for the other party of the agreement")]
    Forbidden,
    #[error("removed or expired; what was here is gone")]
    Gone,
    #[error("the method is not one of: {0}")]
    Method(&'static str),
    #[error("speak tus 1.0.0: send Tus-Resumable")]
    Version,
    #[error(transparent)]
    Header(#[from] BadHeader),
    #[error("the address or its query is malformed: {0}")]
    Query(&'static str),
    #[error("send application/offset+octet-stream")]
    ContentType,
    #[error("the offset is another; ask with HEAD and go on from there")]
    Offset,
    #[error("the upload is not complete yet")]
    Incomplete,
    #[error("another letter has this number already")]
    OtherLetter,
    #[error("larger than what was announced or can ever be taken")]
    TooLarge,
    #[error("no room now; try again when something was removed")]
    Full,
    #[error(
        "too many uploads came and went; a new one is taken when the oldest is forgotten, 400 days after it went"
    )]
    TooManyGone,
    #[error("the checksum does not agree; nothing of it was kept, send it again")]
    Checksum,
    #[error("another request is at this upload; try again later")]
    Locked,
    #[error("the range begins beyond the end")]
    Range(u64),
    #[error("nothing came for too long; go on from the offset that HEAD tells")]
    Idle,
    #[error("the body was cut; go on from the offset that HEAD tells")]
    Cut,
    #[error("the drop zone could not do it; its log says why")]
    Disk(#[from] io::Error),
}

impl Refusal {
    /// The status that tells it.
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::Gone => StatusCode::GONE,
            Self::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Version => StatusCode::PRECONDITION_FAILED,
            Self::Header(_) | Self::Query(_) | Self::Cut => StatusCode::BAD_REQUEST,
            Self::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Offset | Self::Incomplete | Self::OtherLetter => StatusCode::CONFLICT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Full | Self::TooManyGone => StatusCode::INSUFFICIENT_STORAGE,
            Self::Checksum => {
                StatusCode::from_u16(tus::CHECKSUM_MISMATCH).unwrap_or(StatusCode::BAD_REQUEST)
            }
            Self::Locked => StatusCode::LOCKED,
            Self::Range(_) => StatusCode::RANGE_NOT_SATISFIABLE,
            Self::Idle => StatusCode::REQUEST_TIMEOUT,
            Self::Disk(error) if is_full(error) => StatusCode::INSUFFICIENT_STORAGE,
            Self::Disk(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Whether what arrived before stays good: the sender did nothing wrong, it was only interrupted.
    pub(super) fn is_interruption(&self) -> bool {
        matches!(self, Self::Cut | Self::Idle | Self::Disk(_))
    }

    fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        match self {
            Self::Method(allowed) => Some((ALLOW, HeaderValue::from_static(allowed))),
            Self::Version => Some((
                HeaderName::from_static("tus-version"),
                HeaderValue::from_static(tus::VERSION),
            )),
            Self::Range(length) => HeaderValue::try_from(format!("bytes */{length}"))
                .ok()
                .map(|value| (CONTENT_RANGE, value)),
            _ => None,
        }
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        if let Self::Disk(error) = &self {
            tracing::error!(%error, "the drop zone's disk");
        }
        let mut response = (self.status(), format!("{self}\n")).into_response();
        if let Some((name, value)) = self.header() {
            response.headers_mut().insert(name, value);
        }
        response
    }
}
