//! Whether the drop zone's clock can be believed: what it says against the time that the machine has been up.
//!
//! Nobody can confirm it here, as two persons do at a core. One that ran ahead holds all that expires until it is set
//! right, or until the machine has been up with it for a day. The last look is in a file: a restart forgets nothing.

use std::io::{self, Read as _};
use std::path::PathBuf;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};
use sluis_core::id::Time;

use super::disk;
use super::zone::hold;
use crate::clock::Clock;
use crate::steady::{Look, Trust, holds};

/// Where the last look is kept. No agreement has such a name.
const FILE: &str = ".clock";
/// How often one is kept where nothing happens, in milliseconds of being up.
const KEEP_MS: i64 = 600_000;
/// For how long the machine is up with a clock that ran ahead before it is believed.
const BELIEVED_MS: i64 = 86_400_000;

/// Looks at the clock.
#[derive(Debug)]
pub(super) struct Looks {
    folder: PathBuf,
    last: Mutex<Option<Kept>>,
}

/// A look, and what follows from it and those before, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    wall: i64,
    up: i64,
    ahead: i64,
    off: i64,
    /// For how long the machine has been up with a clock that is ahead, without another jump.
    steady: i64,
}

impl Looks {
    /// Those whose last one is kept in this folder.
    pub(super) fn of(folder: PathBuf) -> Self {
        Self { folder, last: Mutex::default() }
    }

    /// What time it is, if that is believed; and whether the disk kept the look. Where it did not, what expires goes
    /// all the same: it may be what fills the disk, and an older look holds no less.
    pub(super) fn now(&self, clock: &dyn Clock) -> (Option<Time>, io::Result<()>) {
        let look = Look { wall: clock.now().0, up: clock.up() };
        let mut last = hold(&self.last);
        let mut kept = Ok(());
        let now = match *last {
            Some(last) if last.is_still(look) => last,
            known => {
                let before = match known.map_or_else(|| self.read(), |known| Ok(Some(known))) {
                    Ok(before) => before,
                    // What it says is not known, so nothing goes.
                    Err(error) => return (None, Err(error)),
                };
                let next = Kept::after(before, look);
                kept = self.keep(&next);
                if next.trust().holds() {
                    tracing::warn!(
                        seconds = next.ahead / 1000,
                        "the clock ran ahead; nothing expires"
                    );
                }
                next
            }
        };
        *last = Some(now);
        ((!now.trust().holds()).then_some(Time(look.wall)), kept)
    }

    fn read(&self) -> io::Result<Option<Kept>> {
        let path = self.folder.join(FILE);
        let mut text = Vec::new();
        match disk::open_to_read(&path) {
            Ok(file) => file.take(1024).read_to_end(&mut text)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let kept = serde_json::from_slice(&text);
        let wrong = |error| io::Error::other(format!("{}: {error}; remove it", path.display()));
        kept.map(Some).map_err(wrong)
    }

    fn keep(&self, kept: &Kept) -> io::Result<()> {
        let text = serde_json::to_vec(kept).map_err(io::Error::other)?;
        disk::put(&self.folder, FILE, &text, Time(kept.wall))
    }
}

impl Kept {
    fn look(self) -> Look {
        Look { wall: self.wall, up: self.up }
    }

    fn trust(self) -> Trust {
        Trust { ahead: self.ahead, off: self.off }
    }

    /// Whether nothing happened since, and not long ago.
    fn is_still(self, look: Look) -> bool {
        let jumped = holds(look.since(self.look()).drift.abs());
        !jumped && (0..KEEP_MS).contains(&(look.up - self.up))
    }

    /// What follows from a look, after what was known.
    fn after(before: Option<Self>, look: Look) -> Self {
        let kept = |trust: Trust, steady| Self {
            wall: look.wall,
            up: look.up,
            ahead: trust.ahead,
            off: trust.off,
            steady,
        };
        let Some(before) = before else { return kept(Trust::default(), 0) };
        let passed = look.since(before.look());
        let trust = before.trust().after(passed);
        let jumped = holds(passed.drift.abs()) || holds((trust.ahead - before.ahead).abs());
        if jumped || !trust.holds() || !before.trust().holds() {
            return kept(trust, 0);
        }
        match before.steady + passed.up {
            BELIEVED_MS.. => kept(Trust::default(), 0),
            steady => kept(trust, steady),
        }
    }
}
