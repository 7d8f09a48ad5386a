//! Sealing: plaintext to envelope, key to shares, shares to bundle, key forgotten.
//!
//! Everything here may run twice: a second run writes the same names under another key, and nothing of the
//! first has left.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use sluis_core::agreement::{Agreement, Contacts};
use sluis_core::bundle::{Bundle, Item as BundleItem};
use sluis_core::envelope::{Packer, Sealed};
use sluis_core::id::{Digest, Time, TransferCode, TransferId};
use sluis_core::key::TransferKey;
use sluis_core::plan::Plan;
use sluis_core::statement::{Residents, Sent, Signer};
use sluis_core::transfer::Envelope;
use sluis_core::words::Words;
use sluis_core::{share, words};

use super::admission::{Bytes, Item, inspect, open_beneath};
use crate::durable::{self, Out};
use crate::files;
use crate::holders::Holders;

/// Why nothing was sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// A file changed while it was read: it is not sent, and taken again later under a new key.
    #[error("a file changed while it was read")]
    Changed,
    /// Reading or writing failed, with what was being done.
    #[error("{0}: {1}")]
    Io(&'static str, #[source] io::Error),
    /// The agreement, its contacts or the releaser's identity do not serve.
    #[error("{0}")]
    Setup(Words),
}

/// All that sealing needs.
pub struct Order {
    /// The transfer.
    pub transfer: TransferId,
    /// Its code.
    pub code: TransferCode,
    /// The transfer it redelivers.
    pub replaces: Option<TransferId>,
    /// The request it answers.
    pub request: Option<Digest>,
    /// The report whose errors it mends.
    pub mends: Option<Digest>,
    /// The `override` by which it may leave.
    pub waived: Option<Digest>,
    /// How many persons it is about, where it was read.
    pub rows: Option<u32>,
    /// For whose residents it was drawn.
    pub residents: Option<Residents>,
    /// The bytes that were judged, where any were.
    pub bytes: Option<Bytes>,
    /// The agreement.
    pub agreement: Agreement,
    /// Digest of its file.
    pub terms: Digest,
    /// Who gets which share.
    pub plan: Plan,
    /// Where they are reached, and the digest of that file.
    pub contacts: (Contacts, Digest),
    /// How often a share goes again by itself: where its answer was lost, and where its provider says "later".
    pub again: (u8, u8),
    /// Whether it is no delivery: every channel is a folder, or it is an exercise.
    pub rehearsal: bool,
    /// Whether it is the exercise.
    pub exercise: bool,
    /// Where the plaintext lies.
    pub from: PathBuf,
    /// Its files, as they were seen.
    pub items: Vec<Item>,
    /// Users whose files may leave.
    pub owners: Holders,
    /// Where the envelope goes.
    pub envelope: PathBuf,
    /// Where the bundle goes.
    pub bundle: PathBuf,
    /// The releaser's age recipient.
    pub releaser: String,
    /// Signs the bundle.
    pub signer: Signer,
    /// Now.
    pub now: Time,
}

/// Seals: when this returns, envelope and bundle are durable and the key is gone.
///
/// # Errors
/// [`SealError`]; no envelope is left behind then.
pub fn seal(order: Order) -> Result<(Envelope, Sent), SealError> {
    let key = TransferKey::random();
    let sealed = write_envelope(&order, key.clone())?;
    let expires = order.now.plus_days(order.agreement.file.expires_after_days);
    let (bundle, commitments) = split(&order, key, &sealed)?;
    let bytes = bundle.seal(&order.signer, &order.releaser).map_err(|e| setup(Words::same(e)))?;
    drop(bundle);
    files::write_durable(&order.bundle, &bytes).map_err(io_error("writing the bundle"))?;
    let sent = Sent {
        code: order.code,
        ciphertext: sealed.ciphertext,
        size: sealed.size,
        plaintext: sealed.plaintext,
        threshold: order.plan.threshold,
        routes: order.plan.routes.clone(),
        commitments,
        contacts: order.contacts.1,
        expires,
        replaces: order.replaces,
        request: order.request,
        waived: order.waived,
        residents: order.residents,
        rehearsal: order.rehearsal,
        exercise: order.exercise,
        mends: order.mends,
    };
    let release = order.agreement.key.release;
    let (digest, size) = (sealed.ciphertext, sealed.size);
    Ok((Envelope::new(digest, size, order.plan, release, order.again, expires), sent))
}

fn io_error(what: &'static str) -> impl FnOnce(io::Error) -> SealError {
    move |error| SealError::Io(what, error)
}

/// Temporary name, fsync, rename, fsync of the folder.
fn write_envelope(order: &Order, key: TransferKey) -> Result<Sealed, SealError> {
    let part = order.envelope.with_extension("part");
    let written = files::create_private(&part)
        .map_err(io_error("making the envelope in the spool"))
        .and_then(|file| pack(order, key, file));
    let spool = order.envelope.parent().unwrap_or(Path::new("."));
    let durable = written.and_then(|(file, sealed)| {
        file.sync()
            .and_then(|()| durable::rename(&part, &order.envelope))
            .and_then(|()| files::sync_folder(spool))
            .map_err(io_error("making the envelope durable"))?;
        Ok(sealed)
    });
    if durable.is_err() {
        // Under another key next time, and so from the first byte.
        let _ = files::remove(&part);
    }
    durable
}

fn pack(order: &Order, key: TransferKey, out: Out) -> Result<(Out, Sealed), SealError> {
    let folder = File::open(&order.from).map_err(io_error("opening the drop"))?;
    let mut packer = Packer::new(key, out).map_err(io_error("writing the envelope"))?;
    let mut digests = Vec::new();
    for item in &order.items {
        let file = open_beneath(&folder, &item.path).map_err(|_| SealError::Changed)?;
        let same =
            |file: &File| inspect(file, &order.owners).is_ok_and(|stamp| stamp == item.stamp);
        if !same(&file) {
            return Err(SealError::Changed);
        }
        let mtime = u64::try_from(item.stamp.mtime.0).unwrap_or_default();
        let mut read = Watched { file: &file, failed: None, bytes: Sha256::new() };
        let added = packer.add(&item.path, item.stamp.size, mtime, &mut read);
        digests.push(Digest::finish(read.bytes));
        match (added, read.failed) {
            (_, Some(error)) => return Err(SealError::Io("reading the drop", error)),
            (Err(e), None) if e.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(SealError::Changed);
            }
            (Err(e), None) => return Err(SealError::Io("writing the envelope to the spool", e)),
            (Ok(()), None) => {}
        }
        if !same(&file) {
            return Err(SealError::Changed);
        }
    }
    // A file that somebody keeps mapped changes, and its stamp does not.
    if order.bytes.is_some_and(|judged| judged != Bytes::of(&digests)) {
        return Err(SealError::Changed);
    }
    packer.finish().map_err(io_error("writing the envelope to the spool"))
}

/// Remembers what was read, and an error of reading, so that it is not taken for one of writing.
struct Watched<'a> {
    file: &'a File,
    failed: Option<io::Error>,
    bytes: Sha256,
}
impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.file.read(buffer) {
            Ok(length) => {
                self.bytes.update(&buffer[..length]);
                Ok(length)
            }
            Err(error) => {
                let kind = error.kind();
                self.failed = Some(error);
                Err(kind.into())
            }
        }
    }
}

fn setup(why: Words) -> SealError {
    SealError::Setup(words!("er kan niet verzegeld worden: {}", "it cannot be sealed: {}"; why))
}

/// Splits the key, once, and writes each share's line for its custodian.
fn split(
    order: &Order,
    key: TransferKey,
    sealed: &Sealed,
) -> Result<(Bundle, Vec<Digest>), SealError> {
    order.plan.check_contacts(&order.contacts.0).map_err(|e| setup(e.words()))?;
    let count = order.plan.shares();
    let shares = share::split(key, order.plan.threshold, count).map_err(|e| setup(e.words()))?;
    let mut items = Vec::new();
    for (share, route) in shares.iter().zip(&order.plan.routes) {
        let custodian = order.agreement.key.custodians.iter().find(|c| c.id == route.custodian);
        let number = order.contacts.0.numbers.get(&route.custodian);
        let (Some(custodian), Some(number)) = (custodian, number) else {
            return Err(setup(words!(
                "bewaarder {} is niet te bereiken",
                "custodian {} cannot be reached",
                route.custodian
            )));
        };
        items.push(BundleItem {
            index: route.index,
            custodian: route.custodian.clone(),
            number: number.clone(),
            language: custodian.language,
            channel: route.channel.clone(),
            line: share.line(&order.code).to_string(),
            commitment: share.commitment(&order.transfer, count),
        });
    }
    let commitments = items.iter().map(|item| item.commitment).collect();
    let bundle = Bundle {
        transfer: order.transfer,
        code: order.code,
        terms: order.terms,
        ciphertext: sealed.ciphertext,
        size: sealed.size,
        plaintext: sealed.plaintext,
        threshold: order.plan.threshold,
        shares: count,
        items,
    };
    Ok((bundle, commitments))
}
