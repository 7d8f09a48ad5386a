//! The files of an agreement: tus 1.0.0 for the agency, and fetching and removing for the municipality.

use std::io;
use std::sync::Arc;

use axum::Json;
use axum::body::{Body, HttpBody as _};
use axum::extract::Request;
use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, RANGE,
};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{AppendHeaders, IntoResponse, Response};
use futures_util::StreamExt as _;
use serde::Deserialize;
use sluis_core::id::{Time, TransferId, UploadId};
use sluis_core::tus as rules;
use sluis_core::tus::BadHeader;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;

use super::receive::{blocking, receive};
use super::refusal::Refusal;
use super::upload::{Info, Upload};
use super::zone::{Role, Space, Zone};
use super::{query, waiting};

/// How much of a file is in memory while it is fetched.
const PIECE: usize = 256 * 1024;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    transfer: Option<TransferId>,
    #[serde(default)]
    wait: u64,
}

/// `/{agreement}/files`.
pub(super) async fn files(
    zone: &Zone,
    space: Arc<Space>,
    role: Role,
    request: Request,
) -> Result<Response, Refusal> {
    match *request.method() {
        Method::OPTIONS => Ok(options(&space)),
        Method::GET => list(&space, request.uri()).await,
        Method::POST if role != Role::Agency => Err(Refusal::Forbidden),
        Method::POST => create(zone, space, request).await,
        _ => Err(Refusal::Method("OPTIONS, GET, POST")),
    }
}

/// `/{agreement}/files/{id}`.
pub(super) async fn file(
    zone: &Zone,
    space: Arc<Space>,
    role: Role,
    id: &str,
    request: Request,
) -> Result<Response, Refusal> {
    let method = request.method();
    let allowed = match *method {
        // The agency may ask for what it may not have: it looks whether an upload is gone.
        Method::HEAD | Method::DELETE | Method::GET => true,
        Method::PATCH => role == Role::Agency,
        _ => return Err(Refusal::Method("HEAD, PATCH, DELETE, GET")),
    };
    if !allowed {
        return Err(Refusal::Forbidden);
    }
    // A plain HTTP client may fetch; everything else is tus.
    if method != Method::GET {
        speaks_tus(request.headers())?;
    }
    let id: UploadId = id.parse().map_err(|_| Refusal::NotFound)?;
    match *method {
        Method::HEAD => head(&*space.living(id)?),
        Method::PATCH => patch(zone, space, id, request).await,
        Method::DELETE => remove(zone, space, id).await,
        _ => match (space.living(id)?, role) {
            (upload, Role::Municipality) => fetch(&space, upload, request.headers()).await,
            (_, Role::Agency) => Err(Refusal::Forbidden),
        },
    }
}

fn options(space: &Space) -> Response {
    let headers = AppendHeaders([
        ("tus-version", rules::VERSION.to_owned()),
        ("tus-extension", rules::EXTENSIONS.to_owned()),
        ("tus-checksum-algorithm", rules::ALGORITHMS.to_owned()),
        ("tus-max-size", space.tenant.quota.to_string()),
    ]);
    (StatusCode::NO_CONTENT, headers).into_response()
}

async fn list(space: &Space, uri: &Uri) -> Result<Response, Refusal> {
    let asked: Asked = query(uri, "transfer is an id, wait a whole number of seconds")?;
    let listed = space.list(asked.transfer, waiting(asked.wait)).await;
    Ok(([(CACHE_CONTROL, "no-store")], Json(listed)).into_response())
}

async fn create(zone: &Zone, space: Arc<Space>, request: Request) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let headers = parts.headers;
    speaks_tus(&headers)?;
    if headers.contains_key("upload-defer-length") {
        return Err(BadHeader { header: "Upload-Defer-Length", why: "is not offered" }.into());
    }
    let length = number(&headers, "Upload-Length")?;
    let metadata = text(&headers, "Upload-Metadata")?.unwrap_or("").to_owned();
    rules::metadata(&metadata)?;
    let checksum = text(&headers, "Upload-Checksum")?.map(rules::checksum).transpose()?;
    let has_body = !body.is_end_stream();
    if has_body {
        is_upload(&headers)?;
        fits(&headers, 0, length)?;
    }
    let info = Info { length, expires: zone.expiry(), metadata };
    let making = Arc::clone(&space);
    let upload = blocking(&space, move || making.create(info)).await?;
    let mut offset = 0;
    if has_body {
        let writer = upload.lock()?;
        let parties = (Arc::clone(&space), Arc::clone(&upload));
        match receive(parties.0, parties.1, writer, body, checksum, zone.idle).await {
            Ok(reached) => offset = reached,
            // An interrupted one is found again in the list; any other is not to hold room without a name.
            Err(refusal) => {
                if !refusal.is_interruption() {
                    let taking = Arc::clone(&space);
                    blocking(&space, move || taking.take_back(&upload)).await?;
                }
                return Err(refusal);
            }
        }
    }
    let headers = AppendHeaders([
        ("location", format!("/{}/files/{}", space.tenant.agreement, upload.id)),
        ("upload-offset", offset.to_string()),
        ("upload-expires", http_date(upload.info.expires)),
    ]);
    Ok((StatusCode::CREATED, headers).into_response())
}

fn head(upload: &Upload) -> Result<Response, Refusal> {
    let mut response = AppendHeaders([
        ("upload-offset", upload.offset().to_string()),
        ("upload-length", upload.info.length.to_string()),
        ("upload-expires", http_date(upload.info.expires)),
        ("cache-control", "no-store".to_owned()),
    ])
    .into_response();
    if !upload.info.metadata.is_empty() {
        let metadata = upload.info.metadata.parse().map_err(io::Error::other)?;
        response.headers_mut().insert("upload-metadata", metadata);
    }
    Ok(response)
}

async fn patch(
    zone: &Zone,
    space: Arc<Space>,
    id: UploadId,
    request: Request,
) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let headers = parts.headers;
    is_upload(&headers)?;
    let offset = number(&headers, "Upload-Offset")?;
    let checksum = text(&headers, "Upload-Checksum")?.map(rules::checksum).transpose()?;
    let upload = space.living(id)?;
    // Locked first: the offset says nothing while somebody else moves it.
    let writer = upload.lock()?;
    if offset != upload.offset() {
        return Err(Refusal::Offset);
    }
    fits(&headers, offset, upload.info.length)?;
    let expires = http_date(upload.info.expires);
    let offset = receive(space, upload, writer, body, checksum, zone.idle).await?;
    let headers =
        AppendHeaders([("upload-offset", offset.to_string()), ("upload-expires", expires)]);
    Ok((StatusCode::NO_CONTENT, headers).into_response())
}

async fn remove(zone: &Zone, space: Arc<Space>, id: UploadId) -> Result<Response, Refusal> {
    let now = zone.now();
    let removing = Arc::clone(&space);
    blocking(&space, move || removing.remove(id, now)).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn fetch(
    space: &Space,
    upload: Arc<Upload>,
    headers: &HeaderMap,
) -> Result<Response, Refusal> {
    if !upload.is_complete() {
        return Err(Refusal::Incomplete);
    }
    let length = upload.info.length;
    let from = range(headers);
    let start = from.unwrap_or(0);
    if from.is_some_and(|from| from >= length) {
        return Err(Refusal::Range(length));
    }
    let opening = Arc::clone(&upload);
    let file = blocking(space, move || match opening.open_to_read() {
        // A removal overtook this.
        Err(_) if opening.is_ending() => Err(Refusal::Locked),
        opened => Ok(opened?),
    });
    let mut file = tokio::fs::File::from_std(file.await?);
    file.seek(io::SeekFrom::Start(start)).await?;
    let left = length - start;
    let pieces = ReaderStream::with_capacity(file.take(left), PIECE).map(move |piece| {
        // What was removed is not read any further, not even by who had it open.
        if upload.is_ending() { Err(io::Error::other("removed")) } else { piece }
    });
    let headers = [
        (CONTENT_TYPE, "application/octet-stream".to_owned()),
        (CONTENT_LENGTH, left.to_string()),
        (ACCEPT_RANGES, "bytes".to_owned()),
        (CACHE_CONTROL, "no-store".to_owned()),
    ];
    let body = Body::from_stream(pieces);
    Ok(match from {
        None => (headers, body).into_response(),
        Some(_) => {
            let range = format!("bytes {start}-{}/{length}", length - 1);
            (StatusCode::PARTIAL_CONTENT, headers, [(CONTENT_RANGE, range)], body).into_response()
        }
    })
}

/// Where `bytes=N-` begins. HTTP lets a server pass over every other form, and so over the header.
fn range(headers: &HeaderMap) -> Option<u64> {
    let from = headers.get(RANGE)?.to_str().ok()?.strip_prefix("bytes=")?.strip_suffix('-')?;
    rules::number("Range", from).ok()
}

fn speaks_tus(headers: &HeaderMap) -> Result<(), Refusal> {
    let spoken = headers.get("tus-resumable").is_some_and(|version| version == rules::VERSION);
    if spoken { Ok(()) } else { Err(Refusal::Version) }
}

fn is_upload(headers: &HeaderMap) -> Result<(), Refusal> {
    let is = headers.get(CONTENT_TYPE).is_some_and(|kind| kind == rules::CONTENT_TYPE);
    if is { Ok(()) } else { Err(Refusal::ContentType) }
}

/// Refuses before the first byte what says of itself that it is too long.
fn fits(headers: &HeaderMap, offset: u64, length: u64) -> Result<(), Refusal> {
    match text(headers, "Content-Length")? {
        Some(more) if rules::number("Content-Length", more)? > length.saturating_sub(offset) => {
            Err(Refusal::TooLarge)
        }
        _ => Ok(()),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a str>, BadHeader> {
    let value = headers.get(name).map(|value| value.to_str());
    value.transpose().map_err(|_| BadHeader { header: name, why: "is not text" })
}

fn number(headers: &HeaderMap, name: &'static str) -> Result<u64, BadHeader> {
    let value = text(headers, name)?.ok_or(BadHeader { header: name, why: "is missing" })?;
    rules::number(name, value)
}

/// A date as RFC 9110 section 5.6.7 wants it.
fn http_date(time: Time) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    // 1970-01-01 was a Thursday.
    let day = usize::try_from(time.0.div_euclid(86_400_000).rem_euclid(7)).unwrap_or(0);
    let text = time.to_string();
    let (date, clock) = text.split_once('T').unwrap_or((&text, ""));
    let mut parts = date.split('-');
    let mut part = || parts.next().unwrap_or("");
    let (year, month, date) = (part(), part(), part());
    let month = month.parse::<usize>().unwrap_or(1).saturating_sub(1) % 12;
    format!("{}, {date} {} {year} {} GMT", DAYS[day], MONTHS[month], clock.trim_end_matches('Z'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_http() {
        // The example of RFC 9110.
        assert_eq!(http_date(Time(784_111_777_000)), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(http_date(Time(0)), "Thu, 01 Jan 1970 00:00:00 GMT");
    }
}
