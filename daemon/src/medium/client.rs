//! The client of a drop zone, shared by carrier and fetcher: tus, a look, the mailbox.
//!
//! It follows no redirect, uses no proxy, repeats nothing by itself, and takes no `Location` off its origin.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use reqwest::header::{CONTENT_TYPE, LOCATION, RANGE};
use reqwest::{Client, Method, Response, StatusCode};
use rustls::ClientConfig;
use sluis_core::control::{Letters, Listed, Place};
use sluis_core::id::{AgreementId, TransferId, UploadId};
use sluis_core::statement::Look;
use sluis_core::words::Words;
use sluis_core::{tus, words};

use crate::way::{Broken, Way};

/// What went wrong between a gate and its drop zone.
#[derive(Debug, thiserror::Error)]
pub enum ZoneError {
    /// It cannot be reached, the connection broke, or it fell silent.
    #[error("the drop zone cannot be reached: {0}")]
    Unreachable(Words),
    /// It is full: the quota of the agreement or the disk.
    #[error("the drop zone is full (507): wait, or let its operator raise the quota")]
    Full,
    /// It answered with a status that says no.
    #[error("the drop zone answered {0} to {1}")]
    Status(u16, &'static str),
    /// It has another letter of ours by that number.
    #[error(
        "the drop zone has another letter {0} of ours: was an older store put back here? It shows when the other party says something; ask it to (sluis security-info)"
    )]
    OtherLetter(u64),
    /// It answered something that tus does not know.
    #[error("the drop zone does not speak tus 1.0.0 here: {0}")]
    Nonsense(&'static str),
}

impl ZoneError {
    /// For people.
    #[must_use]
    pub fn words(&self) -> Words {
        match self {
            Self::Unreachable(why) => words!(
                "de sluiskom is niet bereikbaar: {}",
                "the drop zone cannot be reached: {}";
                why.clone()
            ),
            Self::Full => words!(
                "de sluiskom is vol (507): wacht, of laat de beheerder ervan het quotum verhogen",
                "{self}"
            ),
            Self::Status(status, what) => {
                words!("de sluiskom antwoordde {status} ({what})", "{self}")
            }
            Self::OtherLetter(number) => words!(
                "de sluiskom heeft een andere brief {number} van ons: werd hier een oudere databank teruggezet? Dat blijkt \
                 wanneer de andere partij iets zegt; vraag het haar (sluis security-info)",
                "{self}"
            ),
            Self::Nonsense(what) => {
                words!("de sluiskom spreekt hier geen tus 1.0.0: {what}", "{self}")
            }
        }
    }
}

impl From<Broken> for ZoneError {
    fn from(broken: Broken) -> Self {
        Self::Unreachable(broken.words())
    }
}

impl From<reqwest::Error> for ZoneError {
    fn from(error: reqwest::Error) -> Self {
        Broken::from(error).into()
    }
}

type Result<T> = std::result::Result<T, ZoneError>;

/// One agreement's place in its drop zone.
#[derive(Debug, Clone)]
pub struct ZoneClient {
    way: Way,
    /// For uploads: their answer comes only after the last byte, so silence is measured on the bytes that leave.
    uploads: Way,
    idle: Duration,
    base: String,
}

/// How long a short request may take.
const SHORT: Duration = Duration::from_secs(30);
/// How long a poll waits at the server at most, in seconds.
const POLL_S: u64 = 25;
/// How long a fetch waits for its envelope at most before another gets its turn, in seconds.
const FETCH_S: u64 = 8;

impl ZoneClient {
    /// To `host:port`, over this TLS, for this agreement.
    ///
    /// # Errors
    /// [`ZoneError`] where no client can be made.
    pub fn new(
        tls: ClientConfig,
        host: &str,
        agreement: &AgreementId,
        idle: Duration,
    ) -> Result<Self> {
        let builder = |tls: ClientConfig| {
            Client::builder()
                .tls_backend_preconfigured(tls)
                .https_only(true)
                .http1_only()
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .retry(reqwest::retry::never())
                .connect_timeout(Duration::from_secs(15))
                .tcp_keepalive(Duration::from_secs(20))
        };
        let uploads = builder(tls.clone()).build()?;
        let client = builder(tls).read_timeout(idle).build()?;
        Ok(Self::over(client.into(), uploads.into(), host, agreement, idle))
    }

    /// Over these ways, the second one for uploads.
    #[must_use]
    pub fn over(
        way: Way,
        uploads: Way,
        host: &str,
        agreement: &AgreementId,
        idle: Duration,
    ) -> Self {
        Self { way, uploads, idle, base: format!("https://{host}/{agreement}") }
    }

    /// The upload that carries this transfer; made if there is none.
    ///
    /// # Errors
    /// [`ZoneError`].
    pub async fn upload_for(&self, transfer: &TransferId, size: u64) -> Result<UploadId> {
        if let Some(known) =
            self.list(transfer, 0).await?.into_iter().find(|listed| listed.length == size)
        {
            return Ok(known.upload);
        }
        let request = self
            .way
            .request(Method::POST, &format!("{}/files", self.base))
            .header("Tus-Resumable", tus::VERSION)
            .header("Upload-Length", size)
            .header("Upload-Metadata", tus::naming(transfer))
            .timeout(SHORT);
        let answer =
            expect(self.way.send(request).await?, StatusCode::CREATED, "creating an upload")?;
        let location = answer.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        let upload = location.and_then(|location| self.own(location));
        upload.ok_or(ZoneError::Nonsense("a Location that is not its own"))
    }

    /// The upload in a `Location`, which must stay on this origin and under this agreement.
    fn own(&self, location: &str) -> Option<UploadId> {
        let base = reqwest::Url::parse(&format!("{}/files/", self.base)).ok()?;
        let joined = base.join(location).ok()?;
        if joined.origin() != base.origin() {
            return None;
        }
        joined.path().strip_prefix(base.path())?.parse().ok()
    }

    /// The uploads that carry this transfer; waits for a complete one for `wait` seconds.
    ///
    /// # Errors
    /// [`ZoneError`].
    pub async fn list(&self, transfer: &TransferId, wait: u64) -> Result<Vec<Listed>> {
        let url = format!("{}/files?transfer={transfer}&wait={wait}", self.base);
        let request =
            self.way.request(Method::GET, &url).timeout(SHORT + Duration::from_secs(wait));
        read(expect(self.way.send(request).await?, StatusCode::OK, "listing")?).await
    }

    /// A complete upload of this transfer, if one comes within a while.
    ///
    /// # Errors
    /// [`ZoneError`].
    pub async fn complete(&self, transfer: &TransferId) -> Result<Option<Listed>> {
        let listed = self.list(transfer, self.wait(FETCH_S)).await?;
        Ok(listed.into_iter().find(|listed| listed.offset == listed.length))
    }

    /// How much of an upload is there.
    ///
    /// # Errors
    /// [`ZoneError`]; status 410 where it is gone.
    pub async fn offset(&self, upload: &UploadId) -> Result<u64> {
        let request = self.way.request(Method::HEAD, &self.file(upload));
        let request = request.header("Tus-Resumable", tus::VERSION).timeout(SHORT);
        let answer = self.way.send(request).await?;
        // tus leaves a server the choice between the two.
        if answer.status() == StatusCode::NO_CONTENT {
            return reached(&answer);
        }
        reached(&expect(answer, StatusCode::OK, "looking for an upload")?)
    }

    /// Sends bytes from this offset on; the answer is the new offset.
    ///
    /// # Errors
    /// [`ZoneError`]; also where no byte leaves for as long as a connection may be idle.
    pub async fn append(&self, upload: &UploadId, offset: u64, bytes: Response) -> Result<u64> {
        let moved = Arc::new(Mutex::new(Instant::now()));
        let moving = Arc::clone(&moved);
        let body = reqwest::Body::wrap_stream(bytes.bytes_stream().inspect(move |_| {
            if let Ok(mut moved) = moving.lock() {
                *moved = Instant::now();
            }
        }));
        let request = self
            .uploads
            .request(Method::PATCH, &self.file(upload))
            .header("Tus-Resumable", tus::VERSION)
            .header("Upload-Offset", offset)
            .header(CONTENT_TYPE, tus::CONTENT_TYPE)
            .body(body);
        let request = self.uploads.send(request);
        // After the last byte the other side makes all of it durable, which may take longer than any pause.
        let silent = async {
            loop {
                let still = moved.lock().map_or(Duration::ZERO, |moved| moved.elapsed());
                let most = self.idle * 5;
                if still >= most {
                    return;
                }
                tokio::time::sleep(most - still).await;
            }
        };
        tokio::select! {
            answer = request => reached(&expect(answer?, StatusCode::NO_CONTENT, "appending")?),
            () = silent => Err(ZoneError::Unreachable(words!("er beweegt niets meer", "nothing moves any more"))),
        }
    }

    /// The bytes of a complete upload from this offset on.
    ///
    /// # Errors
    /// [`ZoneError`].
    pub async fn download(&self, upload: &UploadId, offset: u64) -> Result<Response> {
        let request = self.way.request(Method::GET, &self.file(upload));
        let answer = self.way.send(request.header(RANGE, format!("bytes={offset}-"))).await?;
        match (answer.status(), offset) {
            (StatusCode::PARTIAL_CONTENT, _) | (StatusCode::OK, 0) => Ok(answer),
            (status, _) => Err(ZoneError::Status(status.as_u16(), "fetching")),
        }
    }

    /// Ends an upload. Gone already is fine; `true` where this ended it.
    ///
    /// # Errors
    /// [`ZoneError`].
    pub async fn terminate(&self, upload: &UploadId) -> Result<bool> {
        match self.status(Method::DELETE, upload).await? {
            204 => Ok(true),
            410 => Ok(false),
            status => Err(ZoneError::Status(status, "ending an upload")),
        }
    }

    /// Looks for an upload, and for one that never was.
    ///
    /// # Errors
    /// [`ZoneError`]: then nothing was seen, which is not "gone".
    pub async fn look(&self, upload: &UploadId) -> Result<Look> {
        Ok(Look {
            head: self.status(Method::HEAD, upload).await?,
            get: self.status(Method::GET, upload).await?,
            control: self.status(Method::HEAD, &UploadId::random()).await?,
        })
    }

    #[track_caller]
    fn status(
        &self,
        method: Method,
        upload: &UploadId,
    ) -> impl Future<Output = Result<u16>> + Send {
        let request = self.way.request(method, &self.file(upload));
        let request = request.header("Tus-Resumable", tus::VERSION).timeout(SHORT);
        let answer = self.way.send(request);
        async move { Ok(answer.await?.status().as_u16()) }
    }

    /// Puts a letter into the other party's mailbox; the same letter again is fine.
    ///
    /// # Errors
    /// [`ZoneError`].
    pub async fn post(&self, number: u64, letter: Vec<u8>, place: Place) -> Result<()> {
        let query = match place {
            Place::Next => "",
            Place::Anew => "?anew=true",
            Place::Again => "?again=true",
        };
        let url = format!("{}/mailbox/{number}{query}", self.base);
        let request = self.way.request(Method::PUT, &url).body(letter).timeout(SHORT);
        let answer = self.way.send(request).await?;
        match answer.status() {
            StatusCode::CREATED | StatusCode::NO_CONTENT => Ok(()),
            StatusCode::INSUFFICIENT_STORAGE => Err(ZoneError::Full),
            StatusCode::CONFLICT => Err(ZoneError::OtherLetter(number)),
            status => Err(ZoneError::Status(status.as_u16(), "posting a letter")),
        }
    }

    /// Lays down how far the other party was heard.
    ///
    /// # Errors
    /// [`ZoneError`].
    pub async fn seen(&self, letter: Vec<u8>) -> Result<()> {
        let url = format!("{}/mailbox/seen", self.base);
        let request = self.way.request(Method::PUT, &url).body(letter).timeout(SHORT);
        let answer = self.way.send(request).await?;
        expect(answer, StatusCode::NO_CONTENT, "saying how far it was heard").map(drop)
    }

    /// Letters for us after this number; on request, waits for one for a while.
    ///
    /// # Errors
    /// [`ZoneError`].
    pub async fn letters(&self, after: u64, waits: bool) -> Result<Letters> {
        let wait = if waits { self.wait(POLL_S) } else { 0 };
        let url = format!("{}/mailbox?after={after}&wait={wait}", self.base);
        let request =
            self.way.request(Method::GET, &url).timeout(SHORT + Duration::from_secs(wait));
        let answer = expect(self.way.send(request).await?, StatusCode::OK, "reading the mailbox")?;
        read(answer).await
    }

    /// A poll that waits is silent, and must end before silence counts as a broken connection.
    fn wait(&self, most: u64) -> u64 {
        most.min(self.idle.as_secs() / 2)
    }

    fn file(&self, upload: &UploadId) -> String {
        format!("{}/files/{upload}", self.base)
    }
}

fn reached(answer: &Response) -> Result<u64> {
    let offset = answer.headers().get("Upload-Offset").and_then(|value| value.to_str().ok());
    offset
        .and_then(|offset| tus::number("Upload-Offset", offset).ok())
        .ok_or(ZoneError::Nonsense("no Upload-Offset"))
}

/// An answer as JSON, of which no more than a limit is read.
async fn read<T: serde::de::DeserializeOwned>(mut answer: Response) -> Result<T> {
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await? {
        body.extend_from_slice(&piece);
        if body.len() > sluis_core::control::MAX_BYTES {
            return Err(ZoneError::Nonsense("an answer that is too large"));
        }
    }
    serde_json::from_slice(&body).map_err(|_| ZoneError::Nonsense("an answer that cannot be read"))
}

fn expect(answer: Response, status: StatusCode, doing: &'static str) -> Result<Response> {
    match answer.status() {
        got if got == status => Ok(answer),
        StatusCode::INSUFFICIENT_STORAGE => Err(ZoneError::Full),
        got => Err(ZoneError::Status(got.as_u16(), doing)),
    }
}
