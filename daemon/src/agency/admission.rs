//! Admission: what a drop is, seen without following anything, and what the agreement says to it.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::os::linux::fs::MetadataExt as _;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use jiff::civil::Date;
use rustix::fs::{Access, AtFlags, CWD, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use sha2::{Digest as _, Sha256};
use sluis_core::agreement::Agreement;
use sluis_core::content::{self, Rule, Rules, Summary};
use sluis_core::envelope::MAX_FILES;
use sluis_core::exercise;
use sluis_core::id::{Digest, Nis, Time};
use sluis_core::notice::{Reviewed, Waiver};
use sluis_core::policy::{self, Decision, Drop, Reason, Requested};
use sluis_core::statement::Residents;

use crate::durable;
use crate::holders::Holders;

/// How deep folders may go.
const MAX_DEPTH: usize = 17;
/// How many files and folders a drop may have together: folders without a file in them are walked too.
const MAX_ENTRIES: usize = 2 * MAX_FILES;

/// One file of a drop, as it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its path below the drop's parent, so with the drop's own name.
    pub path: PathBuf,
    /// Its stamp.
    pub stamp: Stamp,
}

/// What tells whether a file is still the one that was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Device and inode.
    pub file: (u64, u64),
    /// Whose it is.
    pub owner: u32,
    /// Bytes.
    pub size: u64,
    /// Modification time in seconds and nanoseconds.
    pub mtime: (i64, i64),
    /// Change time: unlike the other, nobody can set it back.
    pub ctime: (i64, i64),
}

/// Opens a file below a folder: no link on the way, no way out, no waiting for a pipe.
///
/// # Errors
/// Those of the system; `ELOOP`, `ENOTDIR` or `EXDEV` where the path leads elsewhere.
pub fn open_beneath(folder: &File, path: &Path) -> io::Result<File> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    match rustix::fs::openat2(folder, path, PLAIN, Mode::empty(), resolve) {
        // A unit with RestrictSUIDSGID= may not call it.
        Err(Errno::NOSYS | Errno::PERM) => open_by_steps(folder, path),
        opened => Ok(opened?.into()),
    }
}

/// How a drop's file is opened.
const PLAIN: OFlags =
    OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);

/// The same, one name at a time, none of them a link.
fn open_by_steps(folder: &File, path: &Path) -> io::Result<File> {
    let mut names = path.components().peekable();
    let mut at = folder.try_clone()?;
    while let Some(name) = names.next() {
        let Component::Normal(name) = name else { return Err(Errno::XDEV.into()) };
        let more = if names.peek().is_some() { OFlags::DIRECTORY } else { OFlags::empty() };
        at = rustix::fs::openat(&at, name, PLAIN | more, Mode::empty())?.into();
    }
    Ok(at)
}

/// The stamp of an open file, or why it may not leave: only plain files with one name, put there by an owner
/// on the list.
///
/// # Errors
/// The reason.
pub fn inspect(file: &File, owners: &Holders) -> Result<Stamp, Reason> {
    let meta = file.metadata().map_err(|_| Reason::Unreadable)?;
    if !meta.file_type().is_file() || meta.nlink() != 1 {
        return Err(Reason::NotPlain);
    }
    if !owners.has(meta.uid()) {
        return Err(Reason::Owner { uid: meta.uid() });
    }
    Ok(Stamp {
        file: (meta.dev(), meta.ino()),
        owner: meta.uid(),
        size: meta.size(),
        mtime: (meta.mtime(), meta.mtime_nsec()),
        ctime: (meta.ctime(), meta.ctime_nsec()),
    })
}

/// All files of the drop `name` in `parent`, in a fixed order.
///
/// # Errors
/// Every reason why it may not leave, each once.
pub fn survey(parent: &Path, name: &Path, owners: &Holders) -> Result<Vec<Item>, Vec<Reason>> {
    let folder = File::open(parent).map_err(|_| vec![Reason::Unreadable])?;
    let (mut left, mut paths) = (MAX_ENTRIES, Vec::new());
    walk(parent, name, 0, &mut left, &mut paths).map_err(|reason| vec![reason])?;
    paths.sort();
    let (mut items, mut reasons) = (Vec::new(), Vec::new());
    for path in paths {
        let seen =
            open_beneath(&folder, &path).map_err(|e| refusal(&e)).and_then(|f| inspect(&f, owners));
        match seen {
            Ok(stamp) => items.push(Item { path, stamp }),
            Err(reason) if reasons.contains(&reason) => {}
            Err(reason) => reasons.push(reason),
        }
    }
    if reasons.is_empty() { Ok(items) } else { Err(reasons) }
}

/// Makes the bytes of a drop durable, and the names inside it.
///
/// # Errors
/// Those of the system.
pub fn sync(parent: &Path, items: &[Item]) -> io::Result<()> {
    let folder = File::open(parent)?;
    let mut folders = BTreeSet::new();
    for item in items {
        durable::sync(&open_beneath(&folder, &item.path)?)?;
        folders.extend(item.path.ancestors().skip(1).filter(|it| *it != Path::new("")));
    }
    folders.iter().try_for_each(|inside| durable::sync(&open_beneath(&folder, inside)?))
}

fn refusal(error: &io::Error) -> Reason {
    match error.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::LOOP | Errno::XDEV | Errno::NXIO | Errno::NOTDIR) => Reason::NotPlain,
        _ => Reason::Unreadable,
    }
}

/// Every file from here on, with `left` files and folders at the most.
fn walk(
    parent: &Path,
    name: &Path,
    depth: usize,
    left: &mut usize,
    found: &mut Vec<PathBuf>,
) -> Result<(), Reason> {
    let meta = std::fs::symlink_metadata(parent.join(name)).map_err(|_| Reason::Unreadable)?;
    // What could not be opened over there is not sent.
    if depth >= MAX_DEPTH || found.len() >= MAX_FILES || *left == 0 {
        return Err(Reason::NotPlain);
    }
    *left -= 1;
    if !meta.is_dir() {
        found.push(name.to_owned());
        return Ok(());
    }
    for entry in std::fs::read_dir(parent.join(name)).map_err(|_| Reason::Unreadable)? {
        if !can_be_emptied(&parent.join(name), &meta) {
            return Err(Reason::Unerasable);
        }
        let entry = entry.map_err(|_| Reason::Unreadable)?;
        walk(parent, &name.join(entry.file_name()), depth + 1, left, found)?;
    }
    Ok(())
}

/// Whether what lies in a folder can be removed by this process. In a sticky one only by an owner.
fn can_be_emptied(folder: &Path, meta: &std::fs::Metadata) -> bool {
    let sticky = meta.st_mode() & Mode::SVTX.bits() != 0;
    let ours = meta.uid() == rustix::process::geteuid().as_raw();
    let access = Access::WRITE_OK | Access::EXEC_OK;
    (ours || !sticky) && rustix::fs::accessat(CWD, folder, access, AtFlags::EACCESS).is_ok()
}

/// What is known of an agreement beside its file: who asked for a list, and whether it was ended.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Whether somebody asked for it.
    pub requested: Requested,
    /// The first day on which nothing is sent any more.
    pub ends: Option<Date>,
    /// What two persons let pass, each for the list that they saw.
    pub waivers: Vec<Waiver>,
    /// What was looked through since the agreement's file was written.
    pub reviewed: Reviewed,
    /// For whose residents it was drawn, by a person's word.
    pub drawn_for: Option<Nis>,
}

impl Facts {
    /// What was let pass for the list with one of these marks stays, and nothing that was for another one.
    pub fn of_list(&mut self, marks: &[Digest]) {
        self.waivers.retain(|waiver| marks.contains(&waiver.list));
    }
    /// Whether this reason was let pass.
    fn passes(&self, reason: &Reason) -> bool {
        let waived = |rule: &str| self.waivers.iter().any(|it| it.rules.iter().any(|r| r == rule));
        reason.overridable().is_some_and(waived)
    }
    /// The rules about lists among them.
    pub fn waived(&self) -> Vec<Rule> {
        let codes = self.waivers.iter().flat_map(|waiver| &waiver.rules);
        codes
            .filter_map(|code| Rule::ALL.iter().find(|rule| rule.code() == code))
            .copied()
            .collect()
    }
}

/// A drop that may leave.
#[derive(Debug, Clone)]
pub struct Granted {
    /// At whose request.
    pub requested: Requested,
    /// The `override` by which it may, where it breaks a rule.
    pub waived: Option<Digest>,
    /// How many persons it is about, where it was read.
    pub rows: Option<u32>,
    /// Whose residents they are, and on whose word.
    pub residents: Option<Residents>,
    /// The bytes that something hangs on: no others are sealed. A stamp does not tell them: who keeps a file mapped changes
    /// it, and no time of it.
    pub bytes: Option<Bytes>,
}

/// What was admitted, so that what is sealed is what somebody approved: a digest of stamps and bytes, without a name.
/// It is kept in the store alone: who knows the stamps could guess a short list from it.
#[must_use]
pub fn seen(items: &[Item], bytes: Option<Bytes>) -> Digest {
    let stamps = items.iter().map(|item| format!("{:?}", item.stamp));
    let bytes = bytes.map(|bytes| bytes.0.to_string());
    Digest::of(stamps.chain(bytes).collect::<Vec<_>>().join("\n").as_bytes())
}

/// All bytes of a drop, whatever it is called: the digest of its files' digests, in their order. A list is guessed from it:
/// it is kept and told only under a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bytes(Digest);

impl Bytes {
    /// Of files with these digests.
    #[must_use]
    pub fn of(files: &[Digest]) -> Self {
        Self(Digest::of(&files.iter().flat_map(Digest::as_bytes).copied().collect::<Vec<_>>()))
    }

    /// Reads them.
    ///
    /// # Errors
    /// Those of the system; where it is no longer what was surveyed too.
    pub fn read(parent: &Path, items: &[Item]) -> io::Result<Self> {
        let folder = File::open(parent)?;
        let mut files = Vec::with_capacity(items.len());
        for item in items {
            let (file, mut hasher) = (open_beneath(&folder, &item.path)?, Sha256::new());
            let read = io::copy(&mut file.take(item.stamp.size + 1), &mut hasher)?;
            if read != item.stamp.size {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            files.push(Digest::finish(hasher));
        }
        Ok(Self::of(&files))
    }

    /// Those of the exercise.
    #[must_use]
    pub fn of_exercise() -> Self {
        Self::of(&[Digest::of(exercise::TEXT.as_bytes())])
    }

    /// As what a mark is made of.
    #[must_use]
    pub fn text(&self) -> String {
        self.0.to_string()
    }
}

/// What the agreement says to so many files with so many bytes, beside what was let pass: whether anything was.
///
/// # Errors
/// Every other reason why it may not leave.
pub fn decide(
    agreement: &Agreement,
    (files, size): (usize, u64),
    facts: &Facts,
    now: Time,
) -> Result<bool, Vec<Reason>> {
    let Facts { requested, ends, reviewed, .. } = *facts;
    let drawn_for = facts.drawn_for.as_ref();
    let drop = Drop { now, size, files, requested, ends, reviewed, drawn_for };
    match policy::decide(agreement, drop) {
        Decision::Permit => Ok(false),
        Decision::Deny(mut reasons) => {
            reasons.retain(|reason| !facts.passes(reason));
            if reasons.is_empty() { Ok(true) } else { Err(reasons) }
        }
    }
}

/// Whether a drop is the exercise: its one file by that name, to the byte, as it was surveyed.
#[must_use]
pub fn is_exercise(parent: &Path, items: &[Item], owners: &Holders) -> bool {
    let [item] = items else { return false };
    let length = u64::try_from(exercise::TEXT.len()).unwrap_or(u64::MAX);
    if item.path != Path::new(exercise::NAME) || item.stamp.size != length {
        return false;
    }
    let opened = File::open(parent).and_then(|folder| open_beneath(&folder, &item.path));
    let Ok(file) = opened else { return false };
    let mut text = String::new();
    let read = (&file).take(length + 1).read_to_string(&mut text);
    // Changed since it was seen, it is not what was read.
    let same = inspect(&file, owners).is_ok_and(|stamp| stamp == item.stamp);
    read.is_ok() && same && text == exercise::TEXT
}

/// Holds the list in a drop against the agreement: the very file that was surveyed, as it was then.
///
/// # Errors
/// Every reason why it may not leave.
pub fn read_list(
    parent: &Path,
    items: &[Item],
    agreement: &Agreement,
    owners: &Holders,
    now: Time,
    waive: &[Rule],
) -> Result<Option<Summary>, Vec<Reason>> {
    let unusable = |_| vec![Reason::NotOneList];
    let Some(rules) = Rules::of(agreement).map_err(unusable)? else { return Ok(None) };
    let [item] = items else { return Err(vec![Reason::NotOneList]) };
    let name = match item.path.to_str() {
        Some(name) if item.path.components().count() == 1 => name,
        _ => return Err(vec![Reason::NotOneList]),
    };
    let folder = File::open(parent).map_err(|_| vec![Reason::Unreadable])?;
    let file = open_beneath(&folder, &item.path).map_err(|e| vec![refusal(&e)])?;
    let same = || inspect(&file, owners).is_ok_and(|stamp| stamp == item.stamp);
    let checked = content::check(name, &file, &rules, now.date(), waive);
    // What changed meanwhile was not read as it is now.
    match checked {
        _ if !same() => Err(vec![Reason::Changed]),
        Ok(summary) => Ok(Some(summary)),
        Err(findings) => Err(findings.into_iter().map(Reason::List).collect()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use sluis_config::schema::Owner;

    use super::*;

    fn me() -> Holders {
        users(rustix::process::getuid().as_raw())
    }

    fn users(uid: u32) -> Holders {
        Holders::of("sealer.owners", &[Owner::Uid(uid)]).unwrap()
    }

    #[test]
    fn a_plain_folder_is_surveyed_in_order() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("map/b")).unwrap();
        std::fs::write(dir.path().join("map/b/2"), "22").unwrap();
        std::fs::write(dir.path().join("map/a"), "1").unwrap();
        let items = survey(dir.path(), Path::new("map"), &me()).unwrap();
        let paths: Vec<_> = items.iter().map(|item| item.path.to_str().unwrap()).collect();
        assert_eq!(paths, ["map/a", "map/b/2"]);
        assert_eq!(items[1].stamp.size, 2);
    }

    /// A drop of folders alone would hold up whoever walks it, and with it the lists of all agreements.
    #[test]
    fn folders_count_like_files_also_where_nothing_is_in_them() {
        let dir = tempfile::tempdir().unwrap();
        for (a, b) in (0..3).flat_map(|a| (0..3).map(move |b| (a, b))) {
            std::fs::create_dir_all(dir.path().join(format!("map/{a}/{b}"))).unwrap();
        }
        let within = |most: usize| {
            let (mut left, mut found) = (most, Vec::new());
            walk(dir.path(), Path::new("map"), 0, &mut left, &mut found).map(|()| left)
        };
        assert_eq!(within(13), Ok(0));
        assert_eq!(within(12), Err(Reason::NotPlain));
    }

    #[test]
    fn both_ways_of_opening_go_where_the_path_says_and_nowhere_else() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("map/b")).unwrap();
        std::fs::write(dir.path().join("map/b/2"), "22").unwrap();
        symlink("b", dir.path().join("map/link")).unwrap();
        let folder = File::open(dir.path()).unwrap();
        for open in [open_beneath, open_by_steps] {
            assert!(open(&folder, Path::new("map/b/2")).is_ok());
            for bad in ["map/link/2", "map/link", "../x", "/etc/passwd", "map/../map/b/2/x", "gone"]
            {
                assert!(open(&folder, Path::new(bad)).is_err(), "{bad}");
            }
        }
    }

    #[test]
    fn links_pipes_second_names_and_foreign_owners_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        std::fs::write(path("plain"), "x").unwrap();
        symlink("/etc/passwd", path("link")).unwrap();
        rustix::fs::mknodat(CWD, path("pipe"), rustix::fs::FileType::Fifo, Mode::RUSR, 0).unwrap();
        std::fs::write(path("one"), "x").unwrap();
        std::fs::hard_link(path("one"), path("two")).unwrap();
        std::fs::create_dir(path("map")).unwrap();
        symlink("/etc", path("map/etc")).unwrap();
        for name in ["link", "pipe", "one", "map"] {
            assert_eq!(
                survey(dir.path(), Path::new(name), &me()),
                Err(vec![Reason::NotPlain]),
                "{name}"
            );
        }
        let foreign = survey(dir.path(), Path::new("plain"), &users(4_000_000));
        assert_eq!(foreign, Err(vec![Reason::Owner { uid: rustix::process::getuid().as_raw() }]));
        assert!(survey(dir.path(), Path::new("gone"), &me()).is_err());
    }
}
