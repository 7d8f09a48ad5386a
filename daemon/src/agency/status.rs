//! The status file beside a drop: what became of it, for the person who put it there.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::io::{Read, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use sluis_core::control::Pending;
use sluis_core::id::{Digest, Time, TransferCode, TransferId};
use sluis_core::policy::Reason;
use sluis_core::transfer::State;
use sluis_core::words;
use sluis_core::words::{Language, Words};

use crate::{durable, files};

/// The most of a status file that is read.
const MAX_STATUS: u64 = 64 * 1024;
/// Added to the name of a drop that a person rejected: it is offered again under another one.
pub const REJECTED: &str = ".rejected";

/// How the status of a refused drop begins, in English and in Dutch.
const REFUSED: (&str, &str) = ("REFUSED.", "GEWEIGERD.");

/// Where the status of a drop stands. The name is escaped, and cut where it would become too long.
#[must_use]
pub fn path(folder: &Path, name: &OsStr) -> PathBuf {
    let mut shown: String = files::shown(name).replace('/', "_");
    if shown.len() > 180 {
        let digest = Digest::of(name.as_bytes()).to_string();
        let cut = (0..=160).rev().find(|at| shown.is_char_boundary(*at)).unwrap_or(0);
        shown = format!("{}...{}", &shown[..cut], &digest[..8]);
    }
    folder.join(format!("STATUS-{shown}.txt"))
}

/// What a status says of a refusal already, where it gives these very reasons; with the code that it has there.
#[must_use]
pub fn told_before(path: &Path, text: &str) -> Option<String> {
    before(path).filter(|before| without_code(before) == text)
}

/// A refusal with the code under which `sluis list` has it, and what can be done: a file is mended only where something is
/// wrong with it.
#[must_use]
pub fn with_code(
    language: Language,
    text: &str,
    code: &TransferCode,
    reasons: &[Reason],
) -> String {
    let next = if reasons.iter().any(Reason::is_of_the_file) {
        words!(
            "verbeter het bestand en bied het opnieuw aan, of haal het hier weg",
            "mend the file and offer it again, or take it away from here"
        )
    } else {
        words!(
            "aan het bestand ligt het niet; bied het opnieuw aan als het kan, of haal het hier weg",
            "the file is not at fault; offer it again when it may leave, or take it away from here"
        )
    };
    format!("{text}{code}: {}\n", next.text(language))
}

/// The code in the last line of a refusal, where one stands there.
fn code_of(text: &str) -> Option<TransferCode> {
    text.lines().last()?.split_once(": ")?.0.parse().ok()
}

fn without_code(text: &str) -> &str {
    let last = text.trim_end().rfind('\n').map(|at| &text[..=at]);
    last.filter(|_| code_of(text).is_some()).unwrap_or(text)
}

/// The refused drops of a folder, each with the code that its status has: what a start knows of them.
#[must_use]
pub fn lying(folder: &Path) -> Vec<(TransferCode, PathBuf)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let drops = entries.map(|entry| entry.path()).filter(|drop| !is_status(name(drop)));
    drops
        .filter_map(|drop| Some((code_of(&before(&path(folder, offered_as(name(&drop))))?)?, drop)))
        .collect()
}

/// The longest name that a file may have, in bytes.
const MAX_NAME: usize = 255;

/// The name under which a drop is put back where that many of its name lie there already: shorter where it would be longer
/// than a name may be, and with its mark at the end where a person rejected it.
#[must_use]
pub fn lies_as(name: &OsStr, taken: usize, is_rejected: bool) -> OsString {
    let behind = "_".repeat(taken) + if is_rejected { REJECTED } else { "" };
    let bytes = name.as_bytes();
    let mut kept = bytes.len().min(MAX_NAME.saturating_sub(behind.len()));
    // Never in the middle of a letter of UTF-8.
    while bytes.get(kept).is_some_and(|byte| byte & 0xC0 == 0x80) && kept > 1 {
        kept -= 1;
    }
    OsString::from_vec([&bytes[..kept], behind.as_bytes()].concat())
}

/// The name under which a drop was offered: what a person rejected has more behind it.
#[must_use]
pub fn offered_as(name: &OsStr) -> &OsStr {
    let bytes = name.as_bytes();
    OsStr::from_bytes(bytes.strip_suffix(REJECTED.as_bytes()).unwrap_or(bytes))
}

fn name(drop: &Path) -> &OsStr {
    drop.file_name().unwrap_or_default()
}

/// Writes the status. Where it says so already its time changes: that says for which state of the drop it stands.
///
/// Whoever may put drops here may also have put something under this name: it is never followed, waited for,
/// or read to its end.
///
/// # Errors
/// Those of the system; a status that cannot be written stops nothing.
pub fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let part = path.with_file_name(format!(".status-{}.part", TransferId::random()));
    let mut file = durable::create_new(&part, 0o644)?;
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.mode(0o644))
        .and_then(|()| durable::rename(&part, path));
    if written.is_err() {
        let _ = files::remove(&part);
    }
    written
}

/// Refusals that the disk did not take beside their drops: told as soon as it does.
#[derive(Debug, Default)]
pub struct Untold(BTreeMap<PathBuf, Refusal>);

/// What is to be told of which drop, and its last change: of another one nothing was said.
#[derive(Debug)]
struct Refusal {
    drop: PathBuf,
    changed: Option<(i64, i64)>,
    text: String,
}

impl Untold {
    /// Says beside a drop that it is refused, or later.
    fn tell(&mut self, parent: &Path, name: &OsStr, text: &str) {
        let (drop, at) = (parent.join(name), path(parent, name));
        let changed = changed(&drop);
        if let Err(error) = write(&at, text) {
            let folder = parent.display();
            tracing::warn!(%folder, %error, "a refusal cannot be told yet");
            self.0.insert(at, Refusal { drop, changed, text: text.to_owned() });
        }
    }

    /// Tells what could not be told; whether something is left.
    fn later(&mut self) -> bool {
        self.0.retain(|at, it| changed(&it.drop) == it.changed && write(at, &it.text).is_err());
        !self.0.is_empty()
    }
}

fn changed(drop: &Path) -> Option<(i64, i64)> {
    drop.symlink_metadata().ok().map(|meta| (meta.ctime(), meta.ctime_nsec()))
}

impl super::Agency {
    /// [`Untold::tell`].
    pub(super) fn tell_refusal(&self, parent: &Path, name: &OsStr, text: &str) {
        if let Ok(mut untold) = self.untold.lock() {
            untold.tell(parent, name, text);
        }
    }

    /// Says beside what lies in the outbox itself that it is in no agreement's folder; once.
    pub(super) fn tell_misplaced(&self, misplaced: &BTreeSet<PathBuf>) {
        let head = if self.language == Language::En { REFUSED.0 } else { REFUSED.1 };
        let why = words!(
            "Het ligt in de outbox zelf, en daaruit vertrekt niets. Verplaats het naar de map van zijn overeenkomst.",
            "It lies in the outbox itself, and nothing leaves from there. Move it into the folder of its agreement."
        );
        let text = format!("{head} {}\n", why.text(self.language));
        for drop in misplaced {
            let at = path(&self.settings.outbox, name(drop));
            // What the disk does not take yet is told as soon as it does.
            if self.untold.lock().is_ok_and(|untold| untold.0.contains_key(&at)) {
                continue;
            }
            if before(&at).is_none_or(|told| told != text) {
                let folder = self.settings.outbox.display();
                tracing::warn!(%folder, "a file in the outbox itself is never taken");
                self.tell_refusal(&self.settings.outbox, name(drop), &text);
            }
        }
    }

    /// [`Untold::later`].
    pub(super) fn tell_later(&self) -> bool {
        self.untold.lock().is_ok_and(|mut untold| untold.later())
    }
}

/// How long the status of what is no longer there stays, in milliseconds.
const STAYS_MS: i64 = 30 * 86_400_000;

/// Removes what a kill left of statuses that were being written in a folder; and those of drops that are no longer there,
/// where they say that one is, or are old. Nobody else may: the folder is sticky, and they are ours.
pub fn clear(folder: &Path, now: Time) {
    let entries = || std::fs::read_dir(folder).into_iter().flatten().flatten();
    let half = |name: &OsStr| {
        let id = name.to_str()?.strip_prefix(".status-")?.strip_suffix(".part")?;
        id.parse::<TransferId>().ok()
    };
    for entry in entries().filter(|entry| half(&entry.file_name()).is_some()) {
        let _ = durable::remove_file(&entry.path());
    }
    let of: BTreeSet<PathBuf> =
        entries().map(|entry| path(folder, offered_as(&entry.file_name()))).collect();
    let statuses = entries().filter(|entry| is_status(&entry.file_name()));
    let over = statuses.map(|it| it.path()).filter(|at| !of.contains(at) && is_over(at, now));
    over.for_each(|at| _ = files::remove(&at));
}

/// Whether a name is that of a status.
#[must_use]
pub fn is_status(name: &OsStr) -> bool {
    let bytes = name.as_encoded_bytes();
    bytes.starts_with(b"STATUS-") && bytes.ends_with(b".txt")
}

/// Whether a status of ours says of what is gone that it is there, or is old.
fn is_over(at: &Path, now: Time) -> bool {
    let Ok(meta) = std::fs::symlink_metadata(at) else { return false };
    let ours = meta.is_file() && meta.uid() == rustix::process::geteuid().as_raw();
    let old = now.0.saturating_sub(meta.mtime().saturating_mul(1000)) > STAYS_MS;
    ours && (old || before(at).is_some_and(|text| says_refused(&text)))
}

/// What was refused by that name lies there no more: its status, where it is ours, goes.
pub fn over(at: &Path) {
    if before(at).is_some_and(|text| says_refused(&text)) {
        let _ = files::remove(at);
    }
}

fn says_refused(text: &str) -> bool {
    [REFUSED.0, REFUSED.1].iter().any(|head| text.starts_with(head))
}

/// Whether the status beside a drop says that it was refused as it lies there: it was written after the drop's last
/// change. Only what is ours counts.
#[must_use]
pub fn stands_refused(drop: &Path, meta: &std::fs::Metadata) -> bool {
    let (Some(folder), Some(name)) = (drop.parent(), drop.file_name()) else { return false };
    let at = path(folder, name);
    let Ok(status) = std::fs::symlink_metadata(&at) else { return false };
    let ours = status.is_file() && status.uid() == rustix::process::geteuid().as_raw();
    let later = (status.mtime(), status.mtime_nsec()) >= (meta.ctime(), meta.ctime_nsec());
    // What changed while it was read is taken again by itself: so it says there.
    let again = |text: &String| {
        [Language::Nl, Language::En].iter().any(|it| text.contains(&Reason::Changed.text(*it)))
    };
    ours && later && before(&at).is_some_and(|text| says_refused(&text) && !again(&text))
}

/// What a status file of our own says now.
fn before(path: &Path) -> Option<String> {
    let file = files::open_plain(path).ok()?;
    let meta = file.metadata().ok()?;
    if !meta.is_file() || meta.uid() != rustix::process::geteuid().as_raw() {
        return None;
    }
    let mut text = String::new();
    file.take(MAX_STATUS).read_to_string(&mut text).ok()?;
    Some(text)
}

/// What is said of a drop that will not leave.
#[must_use]
pub fn refused(language: Language, reasons: &[Reason]) -> String {
    let head = match language {
        Language::En => format!("{} Nothing was sent; the file is where you put it.", REFUSED.0),
        _ => {
            format!(
                "{} Er is niets verzonden; het bestand staat nog waar u het plaatste.",
                REFUSED.1
            )
        }
    };
    let mut lines: Vec<String> =
        reasons.iter().map(|reason| format!("- {}", reason.line(language))).collect();
    let left_unread =
        |it: &Reason| matches!(it, Reason::Unapproved { .. } | Reason::TooLarge { .. });
    if reasons.iter().any(left_unread) {
        let unread = words!(
            "- Wat in het bestand staat, werd nog niet nagekeken; alles ineens zegt: sluis send --dry-run",
            "- What stands in the file was not looked at yet; all at once says: sluis send --dry-run"
        );
        lines.push(unread.text(language).to_owned());
    }
    format!("{head}\n{}\n", lines.join("\n"))
}

/// What is said of a drop that was taken, by its code and what it is called.
#[must_use]
pub fn taken(
    language: Language,
    (code, called): (&TransferCode, &str),
    state: &State,
    waiting: &[Pending],
    at: Time,
) -> String {
    let (head, text) = stands(state, code);
    let mut lines = format!(
        "{}. {} {called}, {}.\n{}\n",
        head.text(language),
        words!("Zending", "Transfer").text(language),
        at.local_hour(),
        text.text(language)
    );
    for pending in waiting.iter().filter(|it| it.why.is_some()) {
        lines.push_str(&format!("- {}\n", pending.words().text(language)));
    }
    lines
}

/// In one word and in a sentence: where it stands, and whose turn it is.
fn stands(state: &State, code: &TransferCode) -> (Words, Words) {
    match state {
        State::Held { why } => (
            words!("AANGEHOUDEN", "HELD"),
            words!(
                "Wacht op een persoon: {}. Daarna: sluis retry {code}",
                "Waits for a person: {}. Then: sluis retry {code}";
                why.clone()
            ),
        ),
        State::Admitted { .. } => (
            words!("TOEGELATEN", "ADMITTED"),
            words!(
                "Wacht op een tweede persoon: sluis approve {code}",
                "Waits for a second person: sluis approve {code}"
            ),
        ),
        State::Claimed | State::Approved { .. } => {
            (words!("GENOMEN", "TAKEN"), words!("Wordt verzegeld.", "Being sealed."))
        }
        State::Sealed { .. }
        | State::Carried { .. }
        | State::Delivered { .. }
        | State::Removed { .. }
        | State::Releasing { .. }
        | State::Released { .. } => on_its_way(state),
        State::Opened | State::Closed => (
            words!("ONTVANGEN", "RECEIVED"),
            words!(
                "Geopend door de gemeente. Hier wordt er niets van bewaard.",
                "Opened by the municipality. Nothing of it is kept here."
            ),
        ),
        State::Refused { .. } | State::Failed { .. } => (
            words!("MISLUKT", "FAILED"),
            words!("Zie: sluis show {code}", "See: sluis show {code}"),
        ),
        State::Expired => (
            words!("VERVALLEN", "EXPIRED"),
            words!(
                "Niet op tijd geopend, en hier gewist. Maak een nieuwe export en bied die aan.",
                "Not opened in time, and erased here. Make a new export and offer that."
            ),
        ),
        State::Withdrawn => (
            words!("INGETROKKEN", "WITHDRAWN"),
            words!(
                "Stopgezet; de gemeente kan het niet openen.",
                "Stopped; the municipality cannot open it."
            ),
        ),
        State::Superseded { .. } => (
            words!("VERVANGEN", "SUPERSEDED"),
            words!("Opnieuw verzonden onder een nieuwe code.", "Sent again under a new code."),
        ),
    }
}

/// The same of what is on its way. SENT is what lies in the drop zone, or left it there.
fn on_its_way(state: &State) -> (Words, Words) {
    let text = match state {
        State::Carried { .. } => words!(
            "In de sluiskom; de gemeente haalt het op.",
            "In the drop zone; the municipality fetches it."
        ),
        State::Delivered { .. } => words!(
            "In de kluis van de gemeente; het wordt uit de sluiskom verwijderd.",
            "In the vault of the municipality; it is being removed from the drop zone."
        ),
        State::Removed { .. } => words!(
            "In de kluis van de gemeente, en weg uit de sluiskom. De sleuteldelen zijn nog hier.",
            "In the vault of the municipality, and gone from the drop zone. The shares are still here."
        ),
        State::Releasing { .. } => words!(
            "De sleuteldelen zijn op weg naar de bewaarders.",
            "The shares are on their way to the custodians."
        ),
        State::Released { .. } => words!(
            "De sleuteldelen zijn verzonden. De gemeente is aan zet: haar bewaarders openen het.",
            "The shares were sent. It is the municipality's turn: its custodians open it."
        ),
        _ => {
            let text = words!(
                "Wordt opgeladen naar de sluiskom, en is nog niet verzonden.",
                "Being uploaded to the drop zone, and not sent yet."
            );
            return (words!("VERZEGELD", "SEALED"), text);
        }
    };
    (words!("VERZONDEN", "SENT"), text)
}

#[cfg(test)]
mod tests {
    use sluis_core::agreement::ReleaseRule;
    use sluis_core::transfer::Envelope;

    use super::*;

    #[test]
    fn no_name_breaks_the_status_or_speaks_to_the_terminal() {
        for name in
            [&b"\x1b[31m\n.csv"[..], &[b'x'; 255], b"\xff\xfe.csv", "\u{202e}gnp.exe".as_bytes()]
        {
            let path = path(Path::new("/o"), OsStr::from_bytes(name));
            let shown = path.file_name().unwrap().to_str().unwrap();
            assert!(shown.len() <= 250 && !shown.chars().any(char::is_control), "{shown:?}");
            assert!(super::super::outbox::is_left_alone(path.file_name().unwrap()));
        }
    }

    #[test]
    fn sent_is_said_of_nothing_before_it_lies_in_the_drop_zone() {
        let said = |state: &State| {
            let code = "7K3F-9QX".parse().unwrap();
            let told = |it| taken(it, (&code, "7K3F-9QX"), state, &[], Time(0));
            (told(Language::Nl), told(Language::En))
        };
        let envelope = Envelope {
            ciphertext: Digest::of(b""),
            size: 1,
            threshold: 2,
            routes: Vec::new(),
            release: ReleaseRule::AfterRemoval,
            resends: 0,
            deferrals: 0,
            expires: Time(0),
        };
        let sealed = State::Sealed { envelope: envelope.clone(), upload: None };
        let carried = State::Carried { envelope, upload: "0".repeat(32).parse().unwrap() };
        for (state, sent) in [(State::Claimed, false), (sealed, false), (carried, true)] {
            let (nl, en) = said(&state);
            assert_eq!((nl.starts_with("VERZONDEN"), en.starts_with("SENT")), (sent, sent), "{en}");
        }
    }

    #[test]
    fn what_the_disk_does_not_take_is_told_as_soon_as_it_does() {
        let dir = tempfile::tempdir().unwrap();
        let drop = |name: &str| dir.path().join(name);
        let at = |name: &str| path(dir.path(), OsStr::new(name));
        let mut untold = Untold::default();
        for name in ["blijft", "anders"] {
            std::fs::write(drop(name), "1").unwrap();
            std::fs::create_dir(at(name)).unwrap();
            untold.tell(dir.path(), OsStr::new(name), "REFUSED.");
        }
        assert!(untold.later(), "something stands in its place");
        for name in ["blijft", "anders"] {
            std::fs::remove_dir(at(name)).unwrap();
        }
        // Offered again meanwhile: nothing was said of that one.
        std::fs::rename(drop("anders"), drop(".weg")).unwrap();
        std::fs::write(drop("anders"), "2").unwrap();
        assert!(!untold.later());
        assert_eq!(std::fs::read_to_string(at("blijft")).unwrap(), "REFUSED.");
        assert!(!at("anders").exists());
    }

    #[test]
    fn of_what_is_gone_no_status_says_that_it_is_there_and_none_stays_for_ever() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| path(dir.path(), OsStr::new(name));
        let refusal = refused(Language::Nl, &[Reason::Empty]);
        for (drop, text) in [("hier", &refusal), ("weg", &refusal), ("klaar", &"SENT.".to_owned())]
        {
            write(&at(drop), text).unwrap();
        }
        std::fs::write(dir.path().join("hier"), "1").unwrap();
        let there = || ["hier", "weg", "klaar"].map(|drop| at(drop).exists());
        let now = Time(jiff::Timestamp::now().as_millisecond());
        clear(dir.path(), now);
        assert_eq!(there(), [true, false, true]);
        clear(dir.path(), now.plus_ms(31 * 86_400_000));
        assert_eq!(there(), [true, false, false]);
    }

    #[test]
    fn a_drop_lies_under_a_name_that_a_file_may_have() {
        for name in ["lijst.csv", &"l".repeat(255), &"é".repeat(127), &"\u{1f600}".repeat(63)] {
            for (taken, is_rejected) in [(0, false), (0, true), (1, true), (99, true)] {
                let lies = lies_as(OsStr::new(name), taken, is_rejected).into_string().unwrap();
                let kept = lies.strip_suffix(REJECTED).unwrap_or(&lies).trim_end_matches('_');
                assert!(lies.len() <= MAX_NAME && name.starts_with(kept), "{lies}");
                assert!(lies.len() > MAX_NAME - 5 || kept == name, "cut for nothing: {lies}");
                assert_eq!(is_rejected, lies.ends_with(REJECTED));
            }
        }
    }

    #[test]
    fn what_is_taken_again_by_itself_does_not_stand_refused() {
        let dir = tempfile::tempdir().unwrap();
        let drop = dir.path().join("lijst.csv");
        std::fs::write(&drop, "1").unwrap();
        let meta = drop.symlink_metadata().unwrap();
        for language in [Language::Nl, Language::En] {
            for (reason, stands) in [(Reason::Empty, true), (Reason::Changed, false)] {
                let at = path(dir.path(), OsStr::new("lijst.csv"));
                write(&at, &refused(language, &[reason])).unwrap();
                assert_eq!(stands_refused(&drop, &meta), stands);
            }
        }
    }
}
