//! What carrier and fetcher do alike: post letters in order, read the feed, end an upload and look.

use std::pin::pin;
use std::time::Duration;

use data_encoding::BASE64;
use sluis_core::control::{Cursor, Job, Lane, Outcome, Task};
use sluis_core::id::{AgreementId, Digest, UploadId};
use sluis_core::words::Words;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::client::ZoneClient;
use crate::books::backoff_ms;
use crate::desk::{Desk, Worker, work_off};

/// Posts letters, strictly in order, until stopped.
pub async fn post(desk: Desk, zone: ZoneClient, agreement: AgreementId, stop: CancellationToken) {
    work_off(&desk, Some(&agreement), Lane::Post, &stop, &Postman(zone)).await;
}

/// Puts letters into the other party's mailbox.
pub struct Postman(pub ZoneClient);

impl Worker for Postman {
    async fn work(&self, job: Job) -> Outcome {
        let Task::Post { number, letter, place } = job.task else {
            return never("task", "not work for this lane");
        };
        match BASE64.decode(letter.as_bytes()) {
            Ok(letter) => {
                let posted = self.0.post(number, letter, place).await;
                posted.map_or_else(|e| again(e.words()), |()| Outcome::Posted)
            }
            Err(_) => never("letter", "a letter is not base64"),
        }
    }
}

/// The least time between two readings.
const BREATH: Duration = Duration::from_millis(50);
/// The same, where the core knows that more is to come: it waits for the other party's word on how far it was heard.
const SOON: Duration = Duration::from_secs(1);
/// How often the other party is told how far it was heard, where that stays the same: a drop zone that was made anew has
/// nothing of it, and its core lets nothing leave until it knows.
const TELL_EVERY: Duration = Duration::from_secs(3600);

/// What a gate knows of its reading of one feed.
#[derive(Debug, Default)]
pub struct Reading {
    /// How far the other party was told that it was heard, under which keys, and how long the gate was up then.
    told: Option<(u64, Digest, Duration)>,
    /// The core was told what lies there, and says that this is not all: now it is waited for.
    waits: bool,
    /// The other party's word on how far it heard, as the core was last given it.
    given: Option<Digest>,
}

impl Reading {
    /// Whether the core is to be given this word of the other party: another one than before.
    fn gives(&self, word: Option<Digest>) -> bool {
        word.is_some() && word != self.given
    }

    /// Whether the other party is to be told that it was heard so far.
    fn tells(&self, cursor: &Cursor, up: Duration) -> bool {
        let told = self.told.filter(|(.., at)| up.saturating_sub(*at) < TELL_EVERY);
        let same = |(after, keys, _)| (after, keys) == (cursor.after, cursor.keys);
        cursor.after > 0 && !told.is_some_and(same)
    }
}

/// Reads the other party's letters and hands them to the core, until stopped.
pub async fn feed(desk: Desk, zone: ZoneClient, agreement: AgreementId, stop: CancellationToken) {
    let (mut failures, mut reading, start) = (0, Reading::default(), Instant::now());
    loop {
        let began = Instant::now();
        let done = tokio::select! {
            () = stop.cancelled() => return,
            done = round(&desk, &zone, &agreement, &mut reading, began - start) => done,
        };
        let Err(why) = done else {
            failures = 0;
            // A drop zone that does not wait is not asked without a pause; what the other party has seen of us ends no wait.
            let pause = if reading.waits { SOON } else { BREATH };
            if began.elapsed() < pause {
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(pause) => {}
                }
            }
            continue;
        };
        // A drop zone that comes back may be another one: the other party is told once more.
        reading = Reading::default();
        if stop.is_cancelled() || desk.stops() {
            tracing::info!(%agreement, why, "the core stops; the feed waits");
        } else {
            tracing::warn!(%agreement, why, "the feed cannot be read");
        }
        let pause = Duration::from_millis(u64::try_from(backoff_ms(failures)).unwrap_or(1000))
            .min(Duration::from_secs(30));
        failures += 1;
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Reads once, and hands over what came since; how many letters that were. The other party finds how far it was heard.
/// `up`: for how long the gate reads by now.
///
/// # Errors
/// What stood in the way, for people.
pub async fn round(
    desk: &Desk,
    zone: &ZoneClient,
    agreement: &AgreementId,
    reading: &mut Reading,
    up: Duration,
) -> Result<usize, String> {
    let mut lost = pin!(desk.lost());
    lost.as_mut().enable();
    let cursor = desk.cursor(agreement).await.map_err(|e| e.to_string())?;
    let mut told = Ok(());
    if reading.tells(&cursor, up) {
        let told_now = tell(desk, zone, agreement).await;
        told = told_now.map(|number| reading.told = Some((number, cursor.keys, up)));
    }
    // A core that has just begun is told at once that nothing more lies there; one that begins anew while this waits for
    // letters too, or no list would move on there until one comes.
    let waits = cursor.heard && told.is_ok();
    let letters = tokio::select! {
        letters = zone.letters(cursor.after, waits) => letters.map_err(|e| e.to_string())?,
        () = lost => return Err("the core went away".to_owned()),
    };
    let mut heard = cursor.heard;
    let word = letters.seen.as_ref().map(|word| Digest::of(word.as_bytes()));
    if !letters.letters.is_empty() || !heard || reading.gives(word) {
        heard = desk.feed(agreement, &letters).await.map_err(|e| e.to_string())?.heard;
        reading.given = word;
    }
    reading.waits = letters.letters.is_empty() && !heard;
    // What came is heard all the same; it is told again soon, for the other party's core may wait for it.
    told.map_err(|why| format!("how far it was heard cannot be told: {why}"))?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_is_told_again_when_there_is_more_and_every_hour() {
        let up = Duration::from_secs(60);
        let keys = Digest::of(b"keys");
        let at = |after| Cursor { after, heard: true, keys };
        assert!(!Reading::default().tells(&at(0), up), "nothing was heard");
        assert!(Reading::default().tells(&at(7), up));
        let reading = Reading { told: Some((7, keys, up)), ..Reading::default() };
        let (soon, later) = (TELL_EVERY / 2, TELL_EVERY);
        assert!(!reading.tells(&at(7), up + soon));
        assert!(reading.tells(&at(8), up + soon));
        let others = Cursor { keys: Digest::of(b"others"), ..at(7) };
        assert!(
            reading.tells(&others, up),
            "the other party believes the keys of before no longer"
        );
        assert!(reading.tells(&at(7), up + later), "what lies there may be another word, or none");
    }
}
