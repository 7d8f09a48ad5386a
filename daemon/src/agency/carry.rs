//! The carrier: brings envelopes to the drop zones, looks whether they are gone, carries letters both ways.
//!
//! It has no disk: envelopes come through the socket of its core. Each agreement has tasks of its own, so a
//! drop zone that is down holds up nobody else.

use std::sync::Arc;

use sluis_core::control::{Job, Lane, Outcome, Task};
use sluis_core::id::{AgreementId, TransferId, UploadId};
use sluis_core::statement::Look;
use sluis_core::words;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::desk::{Desk, Worker, work_off};
use crate::medium::client::{ZoneClient, ZoneError};
use crate::medium::poll::{self, again, never};

/// How many transfers of one agreement are carried at the same time.
const AT_ONCE: usize = 4;

/// Works for one agreement until stopped.
pub async fn serve(desk: Desk, zone: ZoneClient, agreement: AgreementId, stop: CancellationToken) {
    let mut tasks = JoinSet::new();
    tasks.spawn(poll::post(desk.clone(), zone.clone(), agreement.clone(), stop.clone()));
    tasks.spawn(poll::feed(desk.clone(), zone.clone(), agreement.clone(), stop.clone()));
    let carrier = Arc::new(Carrier { desk, zone });
    for _ in 0..AT_ONCE {
        let (carrier, agreement, stop) = (Arc::clone(&carrier), agreement.clone(), stop.clone());
        tasks.spawn(async move {
            work_off(&carrier.desk, Some(&agreement), Lane::Jobs, &stop, &*carrier).await;
        });
    }
    tasks.join_all().await;
}

/// Does the work of the carrier under one agreement.
#[derive(Debug)]
pub struct Carrier {
    /// Its core.
    pub desk: Desk,
    /// The drop zone of the agreement.
    pub zone: ZoneClient,
}

impl Worker for Carrier {
    async fn work(&self, job: Job) -> Outcome {
        match (job.task, job.transfer) {
            (Task::Place { size }, Some(transfer)) => {
                match self.zone.upload_for(&transfer, size).await {
                    Ok(upload) => Outcome::Moved { upload },
                    Err(error) => again(error.words()),
                }
            }
            (Task::Carry { upload, size }, Some(transfer)) => {
                self.carry(&transfer, upload, size).await.unwrap_or_else(|outcome| outcome)
            }
            (Task::Probe { upload }, _) => poll::look(&self.zone, &upload).await,
            (Task::Terminate { upload }, _) => self.end(upload).await,
            _ => never("task", "not work for a carrier"),
        }
    }
}

impl Carrier {
    /// Ends an upload that nobody waits for. Proves nothing to anybody: a server may say 404 of what it ended itself.
    async fn end(&self, upload: UploadId) -> Outcome {
        let ended = match self.zone.terminate(&upload).await {
            Ok(ended) => ended,
            Err(error) => return again(error.words()),
        };
        match self.zone.look(&upload).await {
            Ok(Look { head: 404, get: 404, .. }) if ended => Outcome::Moved { upload },
            Ok(look) => Outcome::Looked { look },
            Err(error) => again(error.words()),
        }
    }

    /// From where it was left, in one request.
    async fn carry(
        &self,
        transfer: &TransferId,
        upload: UploadId,
        size: u64,
    ) -> Result<Outcome, Outcome> {
        let offset = match self.zone.offset(&upload).await {
            Ok(offset) => offset,
            // Either the municipality was quicker than our report, and its word will say so; or it expired there.
            Err(ZoneError::Status(410, _)) => {
                return Err(again(words!(
                    "de opgeladen zending is weg uit de sluiskom; als de gemeente niet zegt dat ze de lijst heeft: sluis redeliver",
                    "the upload is gone from the drop zone; if the municipality does not say that it has the file: sluis redeliver"
                )));
            }
            Err(ZoneError::Status(404, _)) => {
                return Err(never("upload-lost", "the drop zone knows nothing of the upload"));
            }
            Err(error) => return Err(again(error.words())),
        };
        if offset < size {
            let bytes = self.desk.envelope(transfer, offset).await.map_err(|e| again(e.words()))?;
            let reached =
                self.zone.append(&upload, offset, bytes).await.map_err(|e| again(e.words()))?;
            if reached != size {
                return Err(again(words!(
                    "{reached} van {size} bytes liggen in de sluiskom",
                    "{reached} of {size} bytes are in the drop zone"
                )));
            }
        }
        Ok(Outcome::Moved { upload })
    }
}
