//! The mailbox: numbered letters from one party to the other, sealed, and kept until they were read and are old.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::CACHE_CONTROL;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use sluis_core::control::Place;
use sluis_core::id::Time;
use sluis_core::mailbox::MAX_BYTES;
use sluis_core::tus as rules;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use super::receive::{Pieces, blocking};
use super::refusal::Refusal;
use super::zone::{Role, Space, Zone, hold};
use super::{disk, query, waiting};

/// What stands where a letter has its number: how far the other party was heard.
const SEEN: &str = "seen";
/// The most letters in one answer.
const AT_ONCE: usize = 64;
/// Where an answer has so many bytes of letters, no other is put into it: a reader may be slow, and there are many.
const ANSWER: usize = 1 << 20;

/// The letters to one party.
#[derive(Debug)]
pub(super) struct Mailbox {
    folder: PathBuf,
    /// The most that nobody read; of all letters twice as many.
    max_letters: usize,
    contents: Mutex<Contents>,
    /// Held while a letter is put on the disk, so that one number is given once.
    putting: Mutex<()>,
    arrived: Notify,
}

#[derive(Debug, Default)]
struct Contents {
    /// When each came.
    letters: BTreeMap<u64, Time>,
    /// Up to here the recipient said that it has them. After a restart it says so again.
    read: u64,
}

#[derive(Debug, Serialize)]
struct Letters {
    letters: Vec<Letter>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seen: Option<String>,
}

#[derive(Debug, Serialize)]
struct Letter {
    number: u64,
    letter: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    #[serde(default)]
    after: u64,
    #[serde(default)]
    wait: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Put {
    /// The sender begins anew here: its own letters from this number on that nobody read are void.
    #[serde(default)]
    anew: bool,
    /// The sender says it once more: whatever lies there by this number goes.
    #[serde(default)]
    again: bool,
}

impl Put {
    fn place(&self) -> Result<Place, Refusal> {
        match (self.anew, self.again) {
            (false, false) => Ok(Place::Next),
            (true, false) => Ok(Place::Anew),
            (false, true) => Ok(Place::Again),
            (true, true) => Err(Refusal::Query("a letter is put anew or again, not both")),
        }
    }
}

/// `/{agreement}/mailbox`: the letters to the one who asks.
pub(super) async fn letters(
    space: &Space,
    role: Role,
    method: &Method,
    uri: &Uri,
) -> Result<Response, Refusal> {
    if method != Method::GET {
        return Err(Refusal::Method("GET"));
    }
    let Asked { after, wait } = query(uri, "after and wait are whole numbers")?;
    let mailbox = match role {
        Role::Agency => &space.for_agency,
        Role::Municipality => &space.for_municipality,
    };
    let numbers = mailbox.after(after, waiting(wait)).await;
    let mailbox = Arc::clone(mailbox);
    let read = move || Ok(Letters { letters: mailbox.read(&numbers)?, seen: mailbox.seen()? });
    Ok(([(CACHE_CONTROL, "no-store")], Json(blocking(space, read).await?)).into_response())
}

/// `/{agreement}/mailbox/{number}`: a letter to the other party; `seen` in place of a number: how far it was heard.
pub(super) async fn letter(
    zone: &Zone,
    space: &Space,
    role: Role,
    number: &str,
    request: Request,
) -> Result<Response, Refusal> {
    if request.method() != Method::PUT {
        return Err(Refusal::Method("PUT"));
    }
    let number = match number {
        SEEN => None,
        number => Some(rules::number("number", number)?),
    };
    if number == Some(0) {
        return Err(Refusal::Query("letters are numbered from 1"));
    }
    let put: Put = query(request.uri(), "anew and again are true or false")?;
    let place = put.place()?;
    let bytes = whole(request.into_body(), zone.idle).await?;
    let mailbox = match role {
        Role::Agency => Arc::clone(&space.for_municipality),
        Role::Municipality => Arc::clone(&space.for_agency),
    };
    let now = zone.now();
    let put = move || match number {
        Some(number) => mailbox.put(number, &bytes, now, place),
        None => mailbox.put_seen(&bytes, now),
    };
    let is_new = blocking(space, put).await?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::NO_CONTENT };
    Ok(status.into_response())
}

async fn whole(body: Body, idle: Duration) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::new();
    let mut pieces = Pieces::of(body, idle);
    while let Some(piece) = pieces.next().await? {
        if bytes.len() + piece.len() > MAX_BYTES {
            return Err(Refusal::TooLarge);
        }
        bytes.extend_from_slice(&piece);
    }
    if bytes.is_empty() { Err(Refusal::Query("a letter is not empty")) } else { Ok(bytes) }
}

impl Mailbox {
    /// Opens the folder of one party's letters.
    pub(super) fn open(folder: &Path, max_letters: usize) -> io::Result<Self> {
        disk::folder(folder)?;
        let mut contents = Contents::default();
        for name in disk::names(folder)? {
            let number = name.parse().ok().filter(|number| file_name(*number) == name);
            if let Some(number) = number {
                contents.letters.insert(number, disk::stamp(&folder.join(name))?);
            }
        }
        Ok(Self {
            folder: folder.to_owned(),
            max_letters,
            contents: Mutex::new(contents),
            putting: Mutex::default(),
            arrived: Notify::new(),
        })
    }

    /// Keeps a letter durably; tells whether it is a new one.
    fn put(&self, number: u64, letter: &[u8], now: Time, place: Place) -> Result<bool, Refusal> {
        let _alone = hold(&self.putting);
        if place == Place::Anew {
            self.void(number, letter)?;
        }
        let contents = hold(&self.contents);
        let known = contents.letters.contains_key(&number);
        let unread = contents.letters.range((Bound::Excluded(contents.read), Bound::Unbounded));
        let is_full = unread.count() >= self.max_letters
            || contents.letters.len() >= self.max_letters.saturating_mul(2);
        drop(contents);
        if known && self.one(number)? == letter {
            return Ok(false);
        }
        if known && place != Place::Again {
            return Err(Refusal::OtherLetter);
        }
        if !known && is_full {
            return Err(Refusal::Full);
        }
        disk::put(&self.folder, &file_name(number), letter, now)?;
        hold(&self.contents).letters.insert(number, now);
        self.arrived.notify_waiters();
        Ok(true)
    }

    /// Keeps how far the other party was heard, in place of what it was before.
    fn put_seen(&self, bytes: &[u8], now: Time) -> Result<bool, Refusal> {
        let _alone = hold(&self.putting);
        disk::put(&self.folder, SEEN, bytes, now)?;
        Ok(false)
    }

    fn seen(&self) -> io::Result<Option<String>> {
        match disk::open_to_read(&self.folder.join(SEEN)) {
            Ok(file) => {
                let mut bytes = Vec::new();
                file.take(MAX_BYTES as u64).read_to_end(&mut bytes)?;
                Ok(Some(BASE64.encode(&bytes)))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes the letters from this number on that nobody read. What was read stays, and so does this very letter.
    fn void(&self, from: u64, letter: &[u8]) -> Result<(), Refusal> {
        let contents = hold(&self.contents);
        if from <= contents.read {
            return Ok(());
        }
        let void: Vec<u64> = contents.letters.range(from..).map(|(number, _)| *number).collect();
        drop(contents);
        if void.first() == Some(&from) && self.one(from)? == letter {
            return Ok(());
        }
        for number in void {
            disk::remove(&self.folder.join(file_name(number)))?;
            hold(&self.contents).letters.remove(&number);
        }
        Ok(())
    }

    /// The numbers after `after`, as soon as there is one, or else when `wait` is over.
    pub(super) async fn after(&self, after: u64, wait: Duration) -> Vec<u64> {
        let deadline = Instant::now() + wait;
        loop {
            let mut arrived = std::pin::pin!(self.arrived.notified());
            arrived.as_mut().enable();
            let numbers = self.numbers(after);
            if wait.is_zero() || !numbers.is_empty() {
                return numbers;
            }
            if timeout_at(deadline, arrived).await.is_err() {
                return self.numbers(after);
            }
        }
    }

    fn numbers(&self, after: u64) -> Vec<u64> {
        let mut contents = hold(&self.contents);
        // Who asks beyond the end did not read what is still to come.
        let last = contents.letters.keys().next_back().copied().unwrap_or(0);
        contents.read = contents.read.max(after.min(last));
        let later = contents.letters.range((Bound::Excluded(after), Bound::Unbounded));
        later.take(AT_ONCE).map(|(number, _)| *number).collect()
    }

    /// As many of these as one answer holds; the reader asks for what follows.
    fn read(&self, numbers: &[u64]) -> io::Result<Vec<Letter>> {
        let (mut letters, mut size) = (Vec::new(), 0);
        for number in numbers {
            if size >= ANSWER {
                break;
            }
            match self.one(*number) {
                Ok(bytes) => {
                    size += bytes.len();
                    letters.push(Letter { number: *number, letter: BASE64.encode(&bytes) });
                }
                // Swept just now: it was read long ago.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(letters)
    }

    fn one(&self, number: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let file = disk::open_to_read(&self.folder.join(file_name(number)))?;
        file.take(MAX_BYTES as u64).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Removes letters that were read and are older than `keep_ms`.
    pub(super) fn sweep(&self, now: Time, keep_ms: i64) -> io::Result<()> {
        let _alone = hold(&self.putting);
        let contents = hold(&self.contents);
        let read = contents.letters.range(..=contents.read);
        let old = read.filter(|(_, came)| came.plus_ms(keep_ms) <= now);
        let old: Vec<u64> = old.map(|(number, _)| *number).collect();
        drop(contents);
        let mut outcome = Ok(());
        for number in old {
            match disk::remove(&self.folder.join(file_name(number))) {
                Ok(_) => _ = hold(&self.contents).letters.remove(&number),
                Err(error) => outcome = outcome.and(Err(error)),
            }
        }
        outcome
    }
}

fn file_name(number: u64) -> String {
    format!("{number:020}")
}
