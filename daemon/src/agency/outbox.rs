//! The outbox: which entries have settled. Events are hints; the rescan is the truth.
//!
//! A file is taken when it was renamed in, or closed and unchanged for a while; a folder when it was renamed
//! in or sent by `sluis send`. On shares that other machines write there are no events, only rescans.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use notify::event::{AccessKind, AccessMode, ModifyKind, RenameMode};
use notify::{Event, EventKind};
use sluis_core::id::Time;

use super::status;

/// The most entries of one folder that are looked at in one go.
const MAX_ENTRIES: usize = 200_000;

/// Of so many files that lie in the outbox itself it is told that they do.
const MAX_MISPLACED: usize = 100;

/// An entry that is to be taken, or told why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// It has settled.
    Settled(PathBuf),
    /// A folder that nobody renamed in: it never settles by itself.
    Growing(PathBuf),
}

impl Found {
    /// Which entry.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Settled(path) | Self::Growing(path) => path,
        }
    }
}

/// What an event says about an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hint {
    /// Renamed in: complete.
    Moved,
    /// Its writer closed it.
    Closed,
    /// It is being written.
    Open,
    /// It was being written when events were lost: it may be still.
    Unsure,
    /// We put it back: it is taken again once it lies still.
    Returned,
}

/// How long what may still be written has to lie still, in milliseconds.
const UNSURE_MS: i64 = 60_000;

/// What identifies the content of an entry without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    size: u64,
    mtime: (i64, i64),
}

#[derive(Debug)]
struct Seen {
    stamp: Stamp,
    since: Time,
    hint: Option<Hint>,
    /// It was looked at and will not leave as it is.
    told: bool,
    /// Told why not for good: it is looked at again only when it changes.
    refused: bool,
}

/// What an event asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Heard {
    /// Nothing has changed.
    Nothing,
    /// Something has: look.
    Change,
    /// Events were lost: look at everything.
    Lost,
}

/// What is known of the entries under the outbox.
#[derive(Debug)]
pub struct Outbox {
    root: PathBuf,
    settle_ms: i64,
    seen: BTreeMap<PathBuf, Seen>,
    hints: BTreeMap<PathBuf, Hint>,
    /// What lies in the outbox itself, in no agreement's folder: it is never taken.
    misplaced: BTreeSet<PathBuf>,
    /// Put back by us: that rename says nothing about whether its writer is done.
    returned: BTreeSet<PathBuf>,
}

impl Outbox {
    /// Nothing known yet.
    #[must_use]
    pub fn new(root: PathBuf, settle_ms: u64) -> Self {
        let settle_ms = i64::try_from(settle_ms).unwrap_or(i64::MAX);
        Self {
            root,
            settle_ms,
            seen: BTreeMap::new(),
            hints: BTreeMap::new(),
            misplaced: BTreeSet::new(),
            returned: BTreeSet::new(),
        }
    }

    /// Takes the hint in an event.
    pub fn hear(&mut self, event: &Event) -> Heard {
        if event.need_rescan() {
            return Heard::Lost;
        }
        // What is no drop, our own status files above all, changes nothing here.
        let no_drop = |path: &PathBuf| path.file_name().is_some_and(is_left_alone);
        if !event.paths.is_empty() && event.paths.iter().all(no_drop) {
            return Heard::Nothing;
        }
        let hint = match event.kind {
            EventKind::Modify(ModifyKind::Name(RenameMode::To)) => Some(Hint::Moved),
            EventKind::Access(AccessKind::Close(AccessMode::Write)) => Some(Hint::Closed),
            // Only a writer that wrote has something to close: a link or pipe is made and never closed.
            EventKind::Modify(ModifyKind::Data(_)) => Some(Hint::Open),
            // Our own looks open folders: an answer to those would never end.
            EventKind::Access(_) => return Heard::Nothing,
            _ => None,
        };
        if let (Some(hint), Some(path)) = (hint, event.paths.last()) {
            self.hints.insert(path.clone(), hint);
        }
        Heard::Change
    }

    /// This entry could not be taken: it is looked at again when it changes, or at the next rescan.
    pub fn told(&mut self, path: &Path) {
        if let Some(seen) = self.seen.get_mut(path) {
            seen.told = true;
        }
    }

    /// This entry was refused as it is: it never leaves by itself later, but when somebody offers it again.
    pub fn refused(&mut self, path: &Path) {
        self.returned.remove(path);
        if let Some(seen) = self.seen.get_mut(path) {
            seen.refused = true;
        }
    }

    /// This entry was put back by us, or may leave now: it settles, and is looked at again. One that settles already goes
    /// on: however often it is said, it is taken.
    pub fn returned(&mut self, path: PathBuf) {
        let settles =
            |seen: &Seen| seen.hint == Some(Hint::Returned) && !seen.told && !seen.refused;
        if !self.seen.get(&path).is_some_and(settles) {
            self.seen.remove(&path);
        }
        self.returned.insert(path);
    }

    /// Events were lost by `now`, and among them may be the one that a writer closed: what was being written is taken when
    /// it has lain still for long from now on.
    pub fn lost(&mut self, now: Time) {
        let open = |hint: &Hint| *hint == Hint::Open;
        self.hints.values_mut().filter(|hint| open(hint)).for_each(|hint| *hint = Hint::Unsure);
        for seen in self.seen.values_mut().filter(|seen| seen.hint.as_ref().is_some_and(open)) {
            (seen.hint, seen.since) = (Some(Hint::Unsure), now);
        }
    }

    /// A rescan looks at everything again that was not refused.
    pub fn look_again(&mut self) {
        self.seen.values_mut().for_each(|seen| seen.told = false);
    }

    /// Looks through the outbox: what has settled by `now`, by a clock that nobody sets, and whether something is still
    /// settling.
    ///
    /// # Errors
    /// Those of reading the folders.
    pub fn look(&mut self, now: Time) -> io::Result<(Vec<Found>, bool)> {
        let mut found = Vec::new();
        let mut present = BTreeMap::new();
        let mut misplaced = BTreeSet::new();
        for folder in std::fs::read_dir(&self.root)? {
            let folder = folder?;
            if is_left_alone(&folder.file_name()) {
                continue;
            }
            if !folder.file_type()?.is_dir() {
                if misplaced.len() < MAX_MISPLACED {
                    misplaced.insert(folder.path());
                }
                continue;
            }
            for entry in std::fs::read_dir(folder.path())?.take(MAX_ENTRIES) {
                let entry = entry?;
                if is_left_alone(&entry.file_name()) {
                    continue;
                }
                // It may be gone again by now.
                let Ok(meta) = std::fs::symlink_metadata(entry.path()) else { continue };
                let path = entry.path();
                let seen = self.update(&path, &meta, now);
                found.extend(judge(&seen, &path, meta.is_dir(), now, self.settle_ms));
                present.insert(path, seen);
            }
        }
        let settling = present
            .values()
            .any(|seen: &Seen| !seen.told && !seen.refused && seen.hint != Some(Hint::Open));
        self.seen = present;
        for gone in self.misplaced.difference(&misplaced) {
            status::over(&status::path(&self.root, gone.file_name().unwrap_or_default()));
        }
        self.misplaced = misplaced;
        self.hints.retain(|path, _| path.exists());
        self.returned.retain(|path| path.exists());
        Ok((found, settling))
    }

    /// What lies in the outbox itself, as of the last look.
    #[must_use]
    pub fn misplaced(&self) -> &BTreeSet<PathBuf> {
        &self.misplaced
    }

    fn update(&mut self, path: &Path, meta: &std::fs::Metadata, now: Time) -> Seen {
        let stamp = Stamp {
            inode: meta.ino(),
            size: meta.size(),
            mtime: (meta.mtime(), meta.mtime_nsec()),
        };
        let before = self.seen.remove(path).filter(|seen| seen.stamp == stamp);
        let fresh = self.hints.remove(path).map(|hint| match hint {
            Hint::Moved if self.returned.contains(path) => Hint::Returned,
            other => other,
        });
        let back = self.returned.contains(path).then_some(Hint::Returned);
        let hint = fresh.or(before.as_ref().and_then(|seen| seen.hint)).or(back);
        let told = fresh.is_none() && before.as_ref().is_some_and(|seen| seen.told);
        // After a restart the status file remembers it.
        let known = before.as_ref().map(|seen| seen.refused);
        let refused = fresh.is_none()
            && back.is_none()
            && known.unwrap_or_else(|| status::stands_refused(path, meta));
        let since = before.filter(|_| fresh.is_none()).map_or(now, |seen| seen.since);
        Seen { stamp, since, hint, told, refused }
    }
}

/// Whether an entry is to be taken or told now.
fn judge(seen: &Seen, path: &Path, folder: bool, now: Time, settle_ms: i64) -> Option<Found> {
    if seen.told || seen.refused {
        return None;
    }
    let lain = now.0 - seen.since.0;
    let still = lain >= settle_ms;
    match seen.hint {
        Some(Hint::Moved) => Some(Found::Settled(path.to_owned())),
        Some(Hint::Returned) => still.then(|| Found::Settled(path.to_owned())),
        // The event that it was moved here may still be on its way.
        _ if folder => still.then(|| Found::Growing(path.to_owned())),
        Some(Hint::Closed) | None => still.then(|| Found::Settled(path.to_owned())),
        Some(Hint::Unsure) => {
            (lain >= settle_ms.max(UNSURE_MS)).then(|| Found::Settled(path.to_owned()))
        }
        Some(Hint::Open) => None,
    }
}

/// Names that are no drops: hidden files, files under way, what desktops leave behind, our own status files.
#[must_use]
pub fn is_left_alone(name: &OsStr) -> bool {
    let bytes = name.as_bytes();
    bytes.starts_with(b".")
        || bytes.ends_with(b".part")
        || bytes.ends_with(status::REJECTED.as_bytes())
        || bytes.starts_with(b"~$")
        || status::is_status(name)
        || [&b"Thumbs.db"[..], b"desktop.ini"].contains(&bytes)
}

/// The agreement's folder and the entry's name in a path of the outbox.
#[must_use]
pub fn parts(root: &Path, path: &Path) -> Option<(String, OsString)> {
    let inside = path.strip_prefix(root).ok()?;
    let mut parts = inside.components();
    let folder = parts.next()?.as_os_str().to_str()?.to_owned();
    let name = parts.next()?.as_os_str().to_owned();
    parts.next().is_none().then_some((folder, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outbox() -> (tempfile::TempDir, Outbox) {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("mechelen")).unwrap();
        let outbox = Outbox::new(dir.path().to_owned(), 2000);
        (dir, outbox)
    }

    #[test]
    fn a_file_is_taken_when_it_lay_still() {
        let (dir, mut outbox) = outbox();
        let path = dir.path().join("mechelen/lijst.csv");
        std::fs::write(&path, "1").unwrap();
        assert_eq!(outbox.look(Time(0)).unwrap(), (vec![], true));
        assert_eq!(outbox.look(Time(1999)).unwrap().0, vec![]);
        std::fs::write(&path, "12").unwrap();
        assert_eq!(outbox.look(Time(2000)).unwrap().0, vec![]);
        assert_eq!(outbox.look(Time(4000)).unwrap().0, vec![Found::Settled(path)]);
    }

    #[test]
    fn a_renamed_file_or_folder_is_taken_at_once_and_an_open_one_never() {
        let (dir, mut outbox) = outbox();
        let (moved, open) = (dir.path().join("mechelen/map"), dir.path().join("mechelen/open.csv"));
        std::fs::create_dir(&moved).unwrap();
        std::fs::write(&open, "1").unwrap();
        let event = |kind, path: &PathBuf| Event::new(kind).add_path(path.clone());
        outbox.hear(&event(EventKind::Modify(ModifyKind::Name(RenameMode::To)), &moved));
        outbox.hear(&event(
            EventKind::Modify(ModifyKind::Data(notify::event::DataChange::Any)),
            &open,
        ));
        assert_eq!(outbox.look(Time(0)).unwrap().0, vec![Found::Settled(moved.clone())]);
        std::fs::remove_dir(&moved).unwrap();
        assert_eq!(outbox.look(Time(1_000_000)).unwrap().0, vec![]);
        outbox.hear(&event(EventKind::Access(AccessKind::Close(AccessMode::Write)), &open));
        assert_eq!(outbox.look(Time(1_000_001)).unwrap().0, vec![]);
        assert_eq!(outbox.look(Time(1_002_001)).unwrap().0, vec![Found::Settled(open)]);
    }

    #[test]
    fn what_lies_in_the_outbox_itself_is_seen_and_what_is_said_of_it_goes_with_it() {
        let (dir, mut outbox) = outbox();
        let (drop, status) =
            (dir.path().join("lijst.csv"), dir.path().join("STATUS-lijst.csv.txt"));
        std::fs::write(&drop, "1").unwrap();
        assert_eq!(outbox.look(Time(0)).unwrap(), (vec![], false));
        assert_eq!(outbox.misplaced().iter().collect::<Vec<_>>(), [&drop]);
        std::fs::write(&status, "REFUSED. It lies there.").unwrap();
        std::fs::rename(&drop, dir.path().join("mechelen/lijst.csv")).unwrap();
        outbox.look(Time(0)).unwrap();
        assert!(outbox.misplaced().is_empty() && !status.exists());
    }

    #[test]
    fn our_own_looks_are_no_change() {
        let (dir, mut outbox) = outbox();
        let event = |kind| Event::new(kind).add_path(dir.path().join("mechelen"));
        use notify::event::CreateKind;
        for (kind, heard) in [
            (EventKind::Access(AccessKind::Open(AccessMode::Any)), Heard::Nothing),
            (EventKind::Access(AccessKind::Close(AccessMode::Read)), Heard::Nothing),
            (EventKind::Access(AccessKind::Close(AccessMode::Write)), Heard::Change),
            (EventKind::Create(CreateKind::File), Heard::Change),
        ] {
            assert_eq!(outbox.hear(&event(kind)), heard, "{kind:?}");
        }
    }

    #[test]
    fn what_is_no_drop_is_no_change_and_leaves_nothing_behind() {
        let (dir, mut outbox) = outbox();
        let path = |name: &str| dir.path().join("mechelen").join(name);
        let moved = |mode, names: &[&str]| {
            let event = Event::new(EventKind::Modify(ModifyKind::Name(mode)));
            names.iter().fold(event, |event, name| event.add_path(path(name)))
        };
        std::fs::write(path("STATUS-x.csv.txt"), "TAKEN").unwrap();
        let status = [".status-1.part", "STATUS-x.csv.txt"];
        assert_eq!(outbox.hear(&moved(RenameMode::Both, &status)), Heard::Nothing);
        assert_eq!(outbox.hear(&moved(RenameMode::To, &status[1..])), Heard::Nothing);
        outbox.look(Time(0)).unwrap();
        assert!(outbox.hints.is_empty());
        assert_eq!(outbox.hear(&moved(RenameMode::Both, &[".x", "x.csv"])), Heard::Change);
        assert_eq!(outbox.hear(&moved(RenameMode::From, &["x.csv"])), Heard::Change);
    }

    #[test]
    fn a_file_whose_closing_was_lost_is_taken_when_it_lay_still() {
        let (dir, mut outbox) = outbox();
        let path = dir.path().join("mechelen/lijst.csv");
        std::fs::write(&path, "1").unwrap();
        let data = EventKind::Modify(ModifyKind::Data(notify::event::DataChange::Any));
        // One that was looked at while it was open, and one of which the hint has not been looked at yet.
        for at in [0, 200_000] {
            outbox.hear(&Event::new(data).add_path(path.clone()));
            if at == 0 {
                outbox.look(Time(at)).unwrap();
                assert_eq!(outbox.look(Time(at + 50_000)).unwrap(), (vec![], false));
            }
            let overflow = Event::new(EventKind::Other).set_flag(notify::event::Flag::Rescan);
            assert_eq!(outbox.hear(&overflow), Heard::Lost);
            outbox.lost(Time(at + 60_000));
            assert_eq!(outbox.look(Time(at + 60_000)).unwrap(), (vec![], true));
            assert_eq!(outbox.look(Time(at + 119_999)).unwrap(), (vec![], true));
            let found = outbox.look(Time(at + 120_000)).unwrap().0;
            assert_eq!(found, vec![Found::Settled(path.clone())]);
            std::fs::write(&path, "another").unwrap();
        }
    }

    #[test]
    fn what_may_leave_now_is_taken_however_often_that_is_said() {
        let (dir, mut outbox) = outbox();
        let path = dir.path().join("mechelen/lijst.csv");
        std::fs::write(&path, "1").unwrap();
        outbox.look(Time(0)).unwrap();
        assert_eq!(outbox.look(Time(2000)).unwrap().0, vec![Found::Settled(path.clone())]);
        outbox.refused(&path);
        assert_eq!(outbox.look(Time(9000)).unwrap(), (vec![], false));
        for at in [10_000, 11_000] {
            outbox.returned(path.clone());
            assert_eq!(outbox.look(Time(at)).unwrap(), (vec![], true));
        }
        outbox.returned(path.clone());
        assert_eq!(outbox.look(Time(12_000)).unwrap().0, vec![Found::Settled(path.clone())]);
        outbox.refused(&path);
        assert_eq!(outbox.look(Time(20_000)).unwrap(), (vec![], false), "refused again");
    }

    #[test]
    fn a_folder_that_grows_in_place_is_told() {
        let (dir, mut outbox) = outbox();
        let map = dir.path().join("mechelen/map");
        std::fs::create_dir(&map).unwrap();
        // Not at once: it may have been moved here, and the event that says so is on its way.
        assert_eq!(outbox.look(Time(0)).unwrap().0, vec![]);
        assert_eq!(outbox.look(Time(2000)).unwrap().0, vec![Found::Growing(map)]);
    }

    #[test]
    fn what_desktops_leave_behind_is_left_alone() {
        for name in [
            ".hidden",
            "x.part",
            "~$lijst.xlsx",
            "Thumbs.db",
            "desktop.ini",
            ".DS_Store",
            "STATUS-x.txt",
        ] {
            assert!(is_left_alone(OsStr::new(name)), "{name}");
        }
        assert!(!is_left_alone(OsStr::new("lijst.xlsx")));
    }
}
