//! A gate's end of its core's local socket: `next`, `exposing`, `done`, the feed, and the envelope's bytes.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering};
use std::time::Duration;

use reqwest::{Client, Method, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sluis_core::control::{
    Cursor, Done, Exposing, Job, Kept, Lane, Letter, Letters, Next, Outcome, Refused, Reported,
};
use sluis_core::id::{AgreementId, TransferId};
use sluis_core::words;
use sluis_core::words::Words;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;
use tokio_util::sync::CancellationToken;

use crate::way::{Broken, Way};

/// What went wrong between a gate and its core.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// The core does not answer.
    #[error("the core does not answer on its socket: {0}")]
    Away(#[from] Broken),
    /// The core refuses.
    #[error("the core refuses: {0}")]
    Refused(Refused),
}

impl DeskError {
    /// For people.
    #[must_use]
    pub fn words(&self) -> Words {
        match self {
            Self::Away(Broken::Unsent(why) | Broken::Unanswered(why)) => words!(
                "de kern antwoordt niet op haar socket: {}",
                "the core does not answer on its socket: {}";
                why.clone()
            ),
            Self::Refused(refused) => {
                words!("de kern weigert: {}", "the core refuses: {}"; refused.words.clone())
            }
        }
    }
}

impl From<reqwest::Error> for DeskError {
    fn from(error: reqwest::Error) -> Self {
        Self::Away(error.into())
    }
}

/// A gate's connection to its core.
#[derive(Debug, Clone)]
pub struct Desk {
    way: Way,
    instance: TransferId,
    /// Tasks of this process so far, and what this one asked.
    tasks: Arc<AtomicU16>,
    task: u16,
    asks: Arc<AtomicU64>,
    /// How long the core may wait with its answer where there is no work, in seconds.
    wait: u64,
    /// Told when the core went away.
    lost: Arc<Notify>,
    /// The core said that it stops, and was not there since.
    stops: Arc<AtomicBool>,
}

/// How long a connection that nothing is said on is kept.
const IDLE: Duration = Duration::from_secs(10);
/// How long a gate waits for its core before it asks again; the same for all of its tasks.
const PAUSE: Duration = Duration::from_millis(500);
/// How often a core that stays away is told of.
const TELL_EVERY: u32 = 60;
/// The code by which a core that stops ends what waits at it.
const STOPS: &str = "stops";

impl Desk {
    /// To the core whose socket for this gate lies at `socket`.
    ///
    /// # Errors
    /// [`DeskError::Away`] where no client can be made.
    pub fn new(socket: &Path) -> Result<Self, DeskError> {
        // Nothing of TLS on a local socket: without this, the machine's authorities would be loaded for it.
        let no_tls = rustls::ClientConfig::builder()
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        let client = Client::builder()
            .tls_backend_preconfigured(no_tls)
            .unix_socket(socket)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(Duration::from_secs(5))
            // Before the core takes an idle connection for one that nobody needs.
            .pool_idle_timeout(IDLE)
            .build()?;
        Ok(Self::over(client.into(), 25))
    }

    /// The desk of one gate's process; the core waits so many seconds for work.
    #[must_use]
    pub fn over(way: Way, wait: u64) -> Self {
        let instance = TransferId::random();
        let (tasks, asks, lost, stops) = Default::default();
        Self { way, instance, tasks, task: 0, asks, wait, lost, stops }
    }

    /// Ends when the core goes away: who waits elsewhere on its behalf hears it by that.
    pub fn lost(&self) -> Notified<'_> {
        self.lost.notified()
    }

    /// Whether the core said that it stops: it being away is no surprise.
    pub fn stops(&self) -> bool {
        self.stops.load(Ordering::SeqCst)
    }

    /// What an answer says of whether the core stops.
    fn note<T>(&self, answer: &Result<T, DeskError>) {
        match answer {
            Ok(_) => self.stops.store(false, Ordering::SeqCst),
            Err(DeskError::Refused(refused)) if refused.code == STOPS => {
                self.stops.store(true, Ordering::SeqCst);
            }
            Err(_) => {}
        }
    }

    /// The same desk for a task of its own.
    fn of_a_task(&self) -> Self {
        let task = self.tasks.fetch_add(1, Ordering::Relaxed) + 1;
        Self { task, asks: Arc::default(), ..self.clone() }
    }

    /// The next job, or nothing after a while.
    ///
    /// # Errors
    /// [`DeskError`].
    pub async fn next(
        &self,
        agreement: Option<&AgreementId>,
        lane: Lane,
    ) -> Result<Option<Job>, DeskError> {
        let (agreement, instance) = (agreement.cloned(), self.instance);
        let (task, ask) = (self.task, self.asks.fetch_add(1, Ordering::Relaxed) + 1);
        let ask = Next { agreement, lane, instance, task, ask, wait: self.wait };
        let answer = self.post("next", &ask, Duration::from_secs(self.wait + 15)).await?;
        Ok(if answer.status() == StatusCode::NO_CONTENT {
            None
        } else {
            Some(answer.json().await?)
        })
    }

    /// Whether the share of this job may leave now: it counts as exposed from here on.
    ///
    /// # Errors
    /// [`DeskError`].
    pub async fn exposing(&self, job: i64, lease: i64) -> Result<bool, DeskError> {
        match self.post("exposing", &Exposing { job, lease }, Duration::from_secs(30)).await {
            Ok(_) => Ok(true),
            Err(DeskError::Refused(refused)) if refused.code == "conflict" => Ok(false),
            Err(other) => Err(other),
        }
    }

    /// Reports what became of a job, once.
    ///
    /// # Errors
    /// [`DeskError`].
    pub async fn done(&self, word: &Done) -> Result<(), DeskError> {
        self.post("done", word, Duration::from_secs(30)).await.map(drop)
    }

    /// Reports until the core has it, or the process stops: a report that is lost would leave the job leased.
    async fn bring(&self, word: &Done, stop: &CancellationToken) {
        let job = word.job;
        loop {
            match self.done(word).await {
                Ok(()) => return,
                // Its own trouble: the report stays true and is brought again.
                Err(DeskError::Refused(refused)) if ["failed", STOPS].contains(&&*refused.code) => {
                }
                Err(DeskError::Refused(refused)) => {
                    tracing::warn!(job, code = refused.code, "the core does not take a report");
                    return;
                }
                Err(DeskError::Away(error)) if stop.is_cancelled() || self.stops() => {
                    tracing::info!(job, %error, "the core stops; the report waits");
                }
                Err(DeskError::Away(error)) => {
                    tracing::warn!(job, %error, "the core is away; the report waits");
                }
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    }

    /// Hands in what an operator reports.
    ///
    /// # Errors
    /// [`DeskError`].
    pub async fn report(&self, word: &Reported) -> Result<(), DeskError> {
        self.post("report", word, Duration::from_secs(15)).await.map(drop)
    }

    /// How far the other party's feed was entered.
    ///
    /// # Errors
    /// [`DeskError`].
    pub async fn cursor(&self, agreement: &AgreementId) -> Result<Cursor, DeskError> {
        let request = self.way.request(Method::GET, &url(&format!("feed/{agreement}")));
        let answer = self.way.send(request.timeout(Duration::from_secs(30))).await?;
        Ok(read(checked(answer).await?).await?)
    }

    /// How far this core has heard the other party, for the drop zone.
    ///
    /// # Errors
    /// [`DeskError`].
    pub async fn seen(&self, agreement: &AgreementId) -> Result<Letter, DeskError> {
        let request = self.way.request(Method::GET, &url(&format!("seen/{agreement}")));
        let answer = self.way.send(request.timeout(Duration::from_secs(30))).await?;
        Ok(read(checked(answer).await?).await?)
    }

    /// Hands letters in.
    ///
    /// # Errors
    /// [`DeskError`].
    pub async fn feed(
        &self,
        agreement: &AgreementId,
        letters: &Letters,
    ) -> Result<Cursor, DeskError> {
        let answer =
            self.post(&format!("feed/{agreement}"), letters, Duration::from_secs(60)).await?;
        Ok(read(answer).await?)
    }

    /// The bytes of an envelope from this offset on.
    ///
    /// # Errors
    /// [`DeskError`].
    pub async fn envelope(
        &self,
        transfer: &TransferId,
        offset: u64,
    ) -> Result<Response, DeskError> {
        let url = url(&format!("envelope/{transfer}?offset={offset}"));
        checked(self.way.send(self.way.request(Method::GET, &url)).await?).await
    }

    /// How much of an envelope the core has.
    ///
    /// # Errors
    /// [`DeskError`].
    pub async fn kept(&self, transfer: &TransferId) -> Result<Kept, DeskError> {
        let request = self.way.request(Method::GET, &url(&format!("envelope/{transfer}")));
        let answer = self.way.send(request.timeout(Duration::from_secs(1800))).await?;
        Ok(read(checked(answer).await?).await?)
    }

    /// Hands bytes of an envelope in, from this offset on.
    ///
    /// # Errors
    /// [`DeskError`].
    pub async fn keep(
        &self,
        transfer: &TransferId,
        offset: u64,
        body: reqwest::Body,
    ) -> Result<Kept, DeskError> {
        let url = url(&format!("envelope/{transfer}?offset={offset}"));
        let request = self.way.request(Method::PUT, &url).body(body);
        Ok(read(checked(self.way.send(request).await?).await?).await?)
    }

    #[track_caller]
    fn post<T: Serialize + Sync>(
        &self,
        verb: &str,
        body: &T,
        most: Duration,
    ) -> impl Future<Output = Result<Response, DeskError>> + Send {
        let request = self.way.request(Method::POST, &url(verb)).json(body).timeout(most);
        let answer = self.way.send(request);
        async move { checked(answer.await?).await }
    }
}

/// What a gate does with a job.
pub trait Worker: Send + Sync {
    /// Does it, and says what became of it.
    fn work(&self, job: Job) -> impl Future<Output = Outcome> + Send;
}

/// Has a worker do each job of a lane until stopped; a core that is away is waited for.
pub async fn work_off(
    desk: &Desk,
    agreement: Option<&AgreementId>,
    lane: Lane,
    stop: &CancellationToken,
    worker: &impl Worker,
) {
    let desk = &desk.of_a_task();
    let mut away = 0_u32;
    loop {
        let next = tokio::select! {
            () = stop.cancelled() => return,
            next = desk.next(agreement, lane) => next,
        };
        away = if next.is_ok() { 0 } else { away + 1 };
        desk.note(&next);
        match next {
            Ok(Some(job)) => {
                let (id, lease) = (job.id, job.lease);
                // A job that has begun ends, or is dropped with the process when the drain's deadline is over.
                let outcome = worker.work(job).await;
                desk.bring(&Done { job: id, lease, outcome }, stop).await;
            }
            Ok(None) => {}
            Err(error) => {
                if away == 1 {
                    desk.lost.notify_waiters();
                }
                // Who stops on purpose is waited for a while, and is missed after that.
                let stops = stop.is_cancelled() || desk.stops() && away < TELL_EVERY;
                if away % TELL_EVERY != 1 {
                } else if stops {
                    tracing::info!(?lane, "the core stops; waiting for it");
                } else {
                    tracing::warn!(%error, ?lane, "no work can be asked for; waiting for the core");
                }
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(PAUSE) => {}
                }
            }
        }
    }
}

fn url(path: &str) -> String {
    format!("http://core/{path}")
}

async fn checked(answer: Response) -> Result<Response, DeskError> {
    if answer.status().is_success() {
        return Ok(answer);
    }
    let code = match answer.status() {
        StatusCode::CONFLICT => "conflict",
        StatusCode::SERVICE_UNAVAILABLE => STOPS,
        _ => "refused",
    };
    let words = Words::same(format_args!("status {}", answer.status()));
    let refused = answer.json().await.unwrap_or_else(|_| Refused::new(code, words));
    Err(DeskError::Refused(refused))
}

async fn read<T: DeserializeOwned>(answer: Response) -> Result<T, reqwest::Error> {
    answer.json().await
}
