//! The fetcher: carrier's mirror image. Downloads, hands bytes to the keeper, ends the upload, looks again.
//!
//! It has no disk: bytes go through the socket of its core, which digests them itself.

use std::sync::Arc;

use sluis_core::control::{Job, Lane, Outcome, Task};
use sluis_core::id::{AgreementId, TransferId};
use sluis_core::words;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::desk::{Desk, DeskError, Worker, work_off};
use crate::medium::client::ZoneClient;
use crate::medium::poll::{self, again, never};

/// How many transfers of one agreement are fetched at the same time.
const AT_ONCE: usize = 4;

/// Works for one agreement until stopped.
pub async fn serve(desk: Desk, zone: ZoneClient, agreement: AgreementId, stop: CancellationToken) {
    let mut tasks = JoinSet::new();
    tasks.spawn(poll::post(desk.clone(), zone.clone(), agreement.clone(), stop.clone()));
    tasks.spawn(poll::feed(desk.clone(), zone.clone(), agreement.clone(), stop.clone()));
    let fetcher = Arc::new(Fetcher { desk, zone, stop });
    for _ in 0..AT_ONCE {
        let (fetcher, agreement) = (Arc::clone(&fetcher), agreement.clone());
        tasks.spawn(async move {
            work_off(&fetcher.desk, Some(&agreement), Lane::Jobs, &fetcher.stop, &*fetcher).await;
        });
    }
    tasks.join_all().await;
}

/// Does the work of the fetcher under one agreement.
#[derive(Debug)]
pub struct Fetcher {
    /// Its core.
    pub desk: Desk,
    /// The drop zone of the agreement.
    pub zone: ZoneClient,
    /// When it stops: it may wait for an envelope.
    pub stop: CancellationToken,
}

impl Worker for Fetcher {
    async fn work(&self, job: Job) -> Outcome {
        match (job.task, job.transfer) {
            (Task::Fetch { size }, Some(transfer)) => {
                self.fetch(&transfer, size).await.unwrap_or_else(|outcome| outcome)
            }
            (Task::Terminate { upload }, _) => poll::terminate(&self.zone, &upload).await,
            (Task::Probe { upload }, _) => poll::look(&self.zone, &upload).await,
            _ => never("task", "not work for a fetcher"),
        }
    }
}

impl Fetcher {
    async fn fetch(&self, transfer: &TransferId, size: u64) -> Result<Outcome, Outcome> {
        // A fetch waits long for its envelope: a stop does not wait with it.
        let listed = tokio::select! {
            () = self.stop.cancelled() => return Err(again(words!("de rol fetcher stopt", "the fetcher stops"))),
            listed = self.zone.complete(transfer) => listed.map_err(|e| again(e.words()))?,
        };
        let listed = listed.ok_or_else(|| {
            again(words!("ze ligt nog niet in de sluiskom", "it is not in the drop zone yet"))
        })?;
        if listed.length != size {
            return Err(never("mismatch", "the drop zone holds another size than was announced"));
        }
        let kept = self.desk.kept(transfer).await.map_err(|e| refused(&e))?;
        if kept.ciphertext.is_none() {
            let bytes = self
                .zone
                .download(&listed.upload, kept.offset)
                .await
                .map_err(|e| again(e.words()))?;
            let body = reqwest::Body::wrap_stream(bytes.bytes_stream());
            let kept =
                self.desk.keep(transfer, kept.offset, body).await.map_err(|e| refused(&e))?;
            if kept.ciphertext.is_none() {
                let offset = kept.offset;
                return Err(again(words!(
                    "afgebroken bij {offset} van {size} bytes",
                    "cut at {offset} of {size} bytes"
                )));
            }
        }
        Ok(Outcome::Moved { upload: listed.upload })
    }
}

/// What the keeper's refusal means: other bytes than announced are final, all else is tried again.
fn refused(error: &DeskError) -> Outcome {
    match error {
        DeskError::Refused(refused) if refused.code == "mismatch" => {
            never("mismatch", &refused.words.en)
        }
        other => again(other.words()),
    }
}
