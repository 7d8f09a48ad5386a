//! What carrier and fetcher do alike: post letters in order, read the feed, end an upload and look.

use std::pin::pin;
use std::time::Duration;

use data_encoding::BASE64;
use sluis_core::control::{Job, Lane, Outcome, Task};
use sluis_core::id::{AgreementId, UploadId};
use tokio_util::sync::CancellationToken;

use super::client::ZoneClient;
use crate::books::backoff_ms;
use crate::desk::{Desk, Worker, work_off};
use sluis_core::words::Words;

/// Posts letters, strictly in order, until stopped.
pub async fn post(desk: Desk, zone: ZoneClient, agreement: AgreementId, stop: CancellationToken) {
    work_off(&desk, Some(&agreement), Lane::Post, &stop, &Postman(zone)).await;
}

/// Puts letters into the other party's mailbox.
pub struct Postman(pub ZoneClient);

impl Worker for Postman {
    async fn work(&self, job: Job) -> Outcome {
        let Task::Post { number, letter, anew } = job.task else {
            return never("task", "not work for this lane");
        };
        match BASE64.decode(letter.as_bytes()) {
            Ok(letter) => {
                let posted = self.0.post(number, letter, anew).await;
                posted.map_or_else(|e| again(e.words()), |()| Outcome::Posted)
            }
            Err(_) => never("letter", "a letter is not base64"),
        }
    }
}

/// The least time between two readings.
const BREATH: Duration = Duration::from_millis(50);

/// Reads the other party's letters and hands them to the core, until stopped.
pub async fn feed(desk: Desk, zone: ZoneClient, agreement: AgreementId, stop: CancellationToken) {
    let (mut failures, mut told) = (0, 0);
    loop {
        let began = tokio::time::Instant::now();
        let done = tokio::select! {
            () = stop.cancelled() => return,
            done = round(&desk, &zone, &agreement, &mut told) => done,
        };
        let Err(why) = done else {
            failures = 0;
            // A drop zone that does not wait is not asked without a pause.
            if began.elapsed() < BREATH {
                tokio::time::sleep(BREATH).await;
            }
            continue;
        };
        tracing::warn!(%agreement, why, "the feed cannot be read");
        let pause = Duration::from_millis(u64::try_from(backoff_ms(failures)).unwrap_or(1000))
            .min(Duration::from_secs(30));
        failures += 1;
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Reads once, and hands over what came since; how many letters that were. The other party finds how far it was heard:
/// `told` is how far it was told, 0 at first.
///
/// # Errors
/// What stood in the way, for people.
pub async fn round(
    desk: &Desk,
    zone: &ZoneClient,
    agreement: &AgreementId,
    told: &mut u64,
) -> Result<usize, String> {
    let mut lost = pin!(desk.lost());
    lost.as_mut().enable();
    let cursor = desk.cursor(agreement).await.map_err(|e| e.to_string())?;
    if cursor.after != *told {
        match tell(desk, zone, agreement).await {
            Ok(number) => *told = number,
            // It is told the next time; what comes is heard all the same.
            Err(why) => tracing::warn!(%agreement, why, "how far it was heard cannot be told"),
        }
    }
    // A core that has just begun is told at once that nothing more lies there; one that begins anew while this waits for
    // letters too, or it would let nothing leave until one comes.
    let letters = tokio::select! {
        letters = zone.letters(cursor.after, cursor.heard) => letters.map_err(|e| e.to_string())?,
        () = lost => return Err("the core went away".to_owned()),
    };
    if !letters.letters.is_empty() || !cursor.heard {
        desk.feed(agreement, &letters).await.map_err(|e| e.to_string())?;
    }
    Ok(letters.letters.len())
}

/// Lays down how far the core has heard the other party; how far that is.
async fn tell(desk: &Desk, zone: &ZoneClient, agreement: &AgreementId) -> Result<u64, String> {
    let seen = desk.seen(agreement).await.map_err(|e| e.to_string())?;
    let bytes = BASE64.decode(seen.letter.as_bytes()).map_err(|e| e.to_string())?;
    zone.seen(bytes).await.map_err(|e| e.to_string())?;
    Ok(seen.number)
}

/// Looks for an upload.
pub async fn look(zone: &ZoneClient, upload: &UploadId) -> Outcome {
    zone.look(upload).await.map_or_else(|e| again(e.words()), |look| Outcome::Looked { look })
}

/// Ends an upload, and looks whether it is gone.
pub async fn terminate(zone: &ZoneClient, upload: &UploadId) -> Outcome {
    match zone.terminate(upload).await {
        Ok(_) => look(zone, upload).await,
        Err(error) => again(error.words()),
    }
}

/// To be tried again.
#[must_use]
pub const fn again(why: Words) -> Outcome {
    Outcome::Again { why }
}

/// Not to be tried again.
#[must_use]
pub fn never(code: &str, why: &str) -> Outcome {
    Outcome::Never { code: code.to_owned(), why: why.to_owned() }
}
