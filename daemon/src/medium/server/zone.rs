//! What the drop zone holds: for each agreement a space of its own, with its own locks, limits and signals.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use sluis_core::id::{AgreementId, Time, TransferId, UploadId};
use tokio::sync::{Notify, Semaphore};
use tokio::time::{Instant, timeout_at};

use super::clock::Looks;
use super::mailbox::Mailbox;
use super::refusal::Refusal;
use super::upload::{Info, Upload};
use super::{Peer, Settings, Tenant, disk};
use crate::clock::SharedClock;
use crate::durable;

/// For how long it is remembered that an upload was here and is gone.
const GONE_DAYS: u32 = 400;

/// The drop zone's state: the folder on disk, and what is known of it in memory.
#[derive(Debug)]
pub struct Zone {
    pub(super) spaces: BTreeMap<AgreementId, Arc<Space>>,
    clock: SharedClock,
    looks: Looks,
    expires_ms: i64,
    letters_keep_ms: i64,
    pub(super) idle: Duration,
}

/// Which party of an agreement asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// It sends files.
    Agency,
    /// It fetches and removes them.
    Municipality,
}

impl Zone {
    /// Opens the folder, making it where it is not there, and finishes what a kill left half done.
    ///
    /// # Errors
    /// The disk's, or `InvalidInput` where two tenants have one agreement or both parties have one key, or
    /// `InvalidData` where a file is not what the drop zone wrote.
    pub fn open(settings: Settings, clock: SharedClock) -> io::Result<Arc<Self>> {
        let bad = |why| Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        if !settings.folder.is_dir() {
            disk::folder(&settings.folder)?;
        }
        let mut spaces = BTreeMap::new();
        for tenant in &settings.tenants {
            if tenant.agency.iter().any(|key| tenant.municipality.contains(key)) {
                return bad("the two parties of an agreement must have different keys");
            }
            let agreement = tenant.agreement.clone();
            let space = Space::open(&settings, tenant.clone())?;
            if spaces.insert(agreement, Arc::new(space)).is_some() {
                return bad("an agreement has one tenant");
            }
        }
        for agreement in left_behind(&settings)? {
            match Space::open(&settings, Tenant::nobody(agreement.clone())) {
                Ok(space) => _ = spaces.insert(agreement, Arc::new(space)),
                // It holds up no other.
                Err(error) => tracing::warn!(%agreement, %error, "left behind, and not to be read"),
            }
        }
        Ok(Arc::new(Self {
            spaces,
            clock,
            looks: Looks::of(settings.folder),
            expires_ms: settings.expires_ms,
            letters_keep_ms: settings.letters_keep_ms,
            idle: settings.idle,
        }))
    }

    /// Removes what expired: uploads, old letters that were read, and the memory of uploads long gone. It works on the
    /// disk and blocks. Nothing goes while the clock is not believed.
    ///
    /// # Errors
    /// The first that the disk gave; everything else was removed all the same.
    pub fn sweep(&self) -> io::Result<()> {
        let (believed, mut outcome) = self.looks.now(&*self.clock);
        let Some(now) = believed else { return outcome };
        for space in self.spaces.values() {
            outcome = outcome.and(space.sweep(now));
            for mailbox in [&space.for_agency, &space.for_municipality] {
                outcome = outcome.and(mailbox.sweep(now, self.letters_keep_ms));
            }
        }
        outcome
    }

    /// The space of an agreement and the peer's part in it. A stranger learns nothing, not even that it exists.
    pub(super) fn admit(
        &self,
        agreement: &str,
        peer: Option<&Peer>,
    ) -> Result<(Arc<Space>, Role), Refusal> {
        let Peer(key) = peer.ok_or(Refusal::NotFound)?;
        let agreement: AgreementId = agreement.parse().map_err(|_| Refusal::NotFound)?;
        let space = self.spaces.get(&agreement).ok_or(Refusal::NotFound)?;
        let role = match key {
            key if space.tenant.agency.contains(key) => Role::Agency,
            key if space.tenant.municipality.contains(key) => Role::Municipality,
            _ => return Err(Refusal::NotFound),
        };
        Ok((Arc::clone(space), role))
    }

    pub(super) fn now(&self) -> Time {
        self.clock.now()
    }

    /// When an upload that begins now expires.
    pub(super) fn expiry(&self) -> Time {
        self.now().plus_ms(self.expires_ms)
    }
}

/// The agreements whose files were taken away, and of which something lies here still: it goes when its time is over.
fn left_behind(settings: &Settings) -> io::Result<Vec<AgreementId>> {
    let known = |id: &AgreementId| settings.tenants.iter().any(|it| it.agreement == *id);
    let mut left = Vec::new();
    for entry in std::fs::read_dir(&settings.folder)? {
        let entry = entry?;
        let id = entry.file_name().to_str().and_then(|name| name.parse().ok());
        left.extend(id.filter(|id| !known(id) && entry.path().join("files").is_dir()));
    }
    Ok(left)
}

/// The longest that a list waits for an upload that is being made.
const MAKING: Duration = Duration::from_secs(10);

/// How many threads work for one agreement at once, of the sixteen that a drop zone has for its disk.
pub(super) const TURNS: usize = 4;

/// One tenant: nothing in here is shared with another.
#[derive(Debug)]
pub(super) struct Space {
    pub(super) tenant: Tenant,
    pub(super) for_agency: Arc<Mailbox>,
    pub(super) for_municipality: Arc<Mailbox>,
    /// An upload was made, or not; or became complete.
    pub(super) changed: Notify,
    /// So many threads of the process work for it at once: others find one too.
    pub(super) turns: Arc<Semaphore>,
    files: PathBuf,
    gone: PathBuf,
    holdings: Mutex<Holdings>,
    max_gone: usize,
}

#[derive(Debug, Default)]
struct Holdings {
    living: BTreeMap<UploadId, Arc<Upload>>,
    gone: BTreeMap<UploadId, Time>,
    /// Room of uploads that are just being made.
    reserved: BTreeMap<UploadId, u64>,
}

/// An upload as a list shows it.
#[derive(Debug, Serialize)]
pub(super) struct Listed {
    upload: UploadId,
    transfer: Option<TransferId>,
    length: u64,
    offset: u64,
}

impl Space {
    fn open(settings: &Settings, tenant: Tenant) -> io::Result<Self> {
        let max_letters = settings.max_letters;
        let own = settings.folder.join(tenant.agreement.as_str());
        let (files, gone) = (own.join("files"), own.join("gone"));
        let letters = own.join("mailbox");
        for folder in [&own, &files, &gone, &letters] {
            disk::folder(folder)?;
        }
        let mut holdings = Holdings::default();
        for name in disk::names(&gone)? {
            if let Ok(id) = name.parse() {
                holdings.gone.insert(id, disk::stamp(&gone.join(&name))?);
            }
        }
        for name in disk::names(&files)? {
            let Ok(id) = name.parse() else { continue };
            if holdings.gone.contains_key(&id) {
                // Its end was decided before the kill.
                disk::remove_folder(&files, &name)?;
            } else {
                let upload = Upload::load(&files, id).map_err(|error| {
                    io::Error::new(error.kind(), format!("upload {id} of {own:?}: {error}"))
                })?;
                holdings.living.insert(id, Arc::new(upload));
            }
        }
        // A removal that a kill cut short may not be on the disk for good yet.
        durable::sync_folder(&files)?;
        Ok(Self {
            tenant,
            for_agency: Arc::new(Mailbox::open(&letters.join("agency"), max_letters)?),
            for_municipality: Arc::new(Mailbox::open(&letters.join("municipality"), max_letters)?),
            changed: Notify::new(),
            files,
            gone,
            turns: Arc::new(Semaphore::new(TURNS)),
            holdings: Mutex::new(holdings),
            max_gone: settings.max_gone,
        })
    }

    /// Begins an upload. Its whole length is reserved now, so that what was begun can be finished.
    pub(super) fn create(&self, info: Info) -> Result<Arc<Upload>, Refusal> {
        let id = UploadId::random();
        self.reserve(id, info.length)?;
        let made = Upload::create(&self.files, id, info);
        let mut holdings = hold(&self.holdings);
        holdings.reserved.remove(&id);
        let made = made.map(Arc::new);
        if let Ok(upload) = &made {
            holdings.living.insert(id, Arc::clone(upload));
        }
        drop(holdings);
        self.changed.notify_waiters();
        Ok(made?)
    }

    fn reserve(&self, id: UploadId, length: u64) -> Result<(), Refusal> {
        if length > self.tenant.quota {
            return Err(Refusal::TooLarge);
        }
        let mut holdings = hold(&self.holdings);
        let living = holdings.living.values().map(|upload| upload.info.length);
        let used = living.chain(holdings.reserved.values().copied()).fold(0, u64::saturating_add);
        let count = holdings.living.len() + holdings.reserved.len();
        if count >= self.tenant.max_uploads || used.saturating_add(length) > self.tenant.quota {
            return Err(Refusal::Full);
        }
        // Each leaves a file behind when it goes, and the disk is for all tenants.
        if holdings.gone.len() + count >= self.max_gone {
            return Err(Refusal::TooManyGone);
        }
        holdings.reserved.insert(id, length);
        Ok(())
    }

    /// An upload that is here.
    pub(super) fn living(&self, id: UploadId) -> Result<Arc<Upload>, Refusal> {
        let upload = self.find(id)?;
        // Not gone yet: that is only said when it is true.
        if upload.is_ending() { Err(Refusal::Locked) } else { Ok(upload) }
    }

    fn find(&self, id: UploadId) -> Result<Arc<Upload>, Refusal> {
        let holdings = hold(&self.holdings);
        if holdings.gone.contains_key(&id) {
            return Err(Refusal::Gone);
        }
        holdings.living.get(&id).cloned().ok_or(Refusal::NotFound)
    }

    /// Removes an upload for good. When it returns, the bytes have no name on the disk any more and it is remembered that
    /// they were here; before that, nobody is told that they are gone. May be repeated after a failure.
    pub(super) fn remove(&self, id: UploadId, now: Time) -> Result<(), Refusal> {
        let upload = self.find(id)?;
        let _alone = hold(&upload.removal);
        // Somebody else may have done it in the meantime.
        self.find(id)?;
        disk::put(&self.gone, &id.to_string(), b"", now)?;
        upload.erase()?;
        let mut holdings = hold(&self.holdings);
        holdings.living.remove(&id);
        holdings.gone.insert(id, now);
        Ok(())
    }

    /// Takes back an upload whose creation failed: nobody was told its name.
    pub(super) fn take_back(&self, upload: &Upload) -> Result<(), Refusal> {
        let _alone = hold(&upload.removal);
        upload.erase()?;
        hold(&self.holdings).living.remove(&upload.id);
        Ok(())
    }

    /// The uploads here, of one transfer if it is given, in the order in which they expire; as soon as one of them is
    /// complete, or else when `wait` is over.
    pub(super) async fn list(&self, transfer: Option<TransferId>, wait: Duration) -> Vec<Listed> {
        self.made().await;
        let deadline = Instant::now() + wait;
        loop {
            // Listening begins before looking, so that nothing falls in between.
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            let listed = self.listed(transfer);
            if wait.is_zero() || listed.iter().any(|one| one.offset == one.length) {
                return listed;
            }
            if timeout_at(deadline, changed).await.is_err() {
                return self.listed(transfer);
            }
        }
    }

    /// Waits for the uploads that are being made: whoever died while one was would make another one, and nobody would end
    /// the first.
    async fn made(&self) {
        let making: Vec<UploadId> = hold(&self.holdings).reserved.keys().copied().collect();
        let deadline = Instant::now() + MAKING;
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            let is_made = |id| !hold(&self.holdings).reserved.contains_key(id);
            if making.iter().all(is_made) || timeout_at(deadline, changed).await.is_err() {
                return;
            }
        }
    }

    fn listed(&self, transfer: Option<TransferId>) -> Vec<Listed> {
        let holdings = hold(&self.holdings);
        let mut uploads: Vec<_> = holdings
            .living
            .values()
            .filter(|upload| !upload.is_ending())
            .filter(|upload| transfer.is_none() || upload.transfer == transfer)
            .collect();
        uploads.sort_by_key(|upload| (upload.info.expires, upload.id));
        let listed = uploads.into_iter().map(|upload| Listed {
            upload: upload.id,
            transfer: upload.transfer,
            length: upload.info.length,
            offset: upload.offset(),
        });
        listed.collect()
    }

    fn sweep(&self, now: Time) -> io::Result<()> {
        let holdings = hold(&self.holdings);
        let living = holdings.living.values().filter(|upload| upload.info.expires <= now);
        let expired: Vec<_> = living.map(|upload| upload.id).collect();
        let old = holdings.gone.iter().filter(|(_, at)| at.plus_days(GONE_DAYS) <= now);
        let forgotten: Vec<_> = old.map(|(id, _)| *id).collect();
        drop(holdings);
        let mut outcome = Ok(());
        for id in expired {
            match self.remove(id, now) {
                Err(Refusal::Disk(error)) => outcome = outcome.and(Err(error)),
                // Whatever else is in the way, it is that somebody else removed it.
                _ => tracing::info!(agreement = %self.tenant.agreement, upload = %id, "expired"),
            }
        }
        for id in forgotten {
            match disk::remove(&self.gone.join(id.to_string())) {
                Ok(_) => _ = hold(&self.holdings).gone.remove(&id),
                Err(error) => outcome = outcome.and(Err(error)),
            }
        }
        outcome
    }
}

/// Locks. What asynchronous code locks is never held over the disk, so nobody waits long; what stands behind a lock is
/// whole between any two statements, so a panic elsewhere is no reason to stop.
pub(super) fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_list_waits_for_an_upload_that_is_being_made() {
        let dir = tempfile::tempdir().unwrap();
        let tenant = Tenant {
            agreement: "mechelen".parse().unwrap(),
            agency: Vec::new(),
            municipality: Vec::new(),
            quota: 100,
            max_uploads: 3,
        };
        let settings = Settings {
            folder: dir.path().to_owned(),
            tenants: Vec::new(),
            expires_ms: 1,
            letters_keep_ms: 1,
            max_letters: 3,
            max_gone: 20,
            idle: Duration::ZERO,
        };
        let space = Space::open(&settings, tenant).unwrap();
        let info = || Info { length: 5, expires: Time(1), metadata: String::new() };
        let making = UploadId::random();
        space.reserve(making, 5).unwrap();
        let mut list = std::pin::pin!(space.list(None, Duration::ZERO));
        assert!(futures_util::poll!(list.as_mut()).is_pending(), "one is being made");
        // Another one ends no wait, and what was begun after the list is not waited for.
        space.create(info()).unwrap();
        space.reserve(UploadId::random(), 5).unwrap();
        assert!(futures_util::poll!(list.as_mut()).is_pending());
        hold(&space.holdings).reserved.remove(&making);
        space.changed.notify_waiters();
        assert_eq!(list.await.len(), 1);
    }
}
