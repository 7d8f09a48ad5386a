//! What `agreement new` was answered so far, kept beside the file that it will become: whoever stops goes on from there.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use sluis_core::id::TransferId;
use sluis_core::words;

use crate::failure::{Failure, Result};
use crate::init;

/// The most that is read of what was kept.
const MOST: u64 = 1 << 20;

/// The answers by their keys, one a line; only their owner reads them.
pub(super) struct Kept {
    path: PathBuf,
}

impl Kept {
    /// Beside this agreement.
    pub(super) fn beside(agreement: &Path) -> Self {
        let mut name = agreement.as_os_str().to_owned();
        name.push(".draft");
        Self { path: name.into() }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What was answered before; nothing where nothing was kept.
    pub(super) fn read(&self) -> Result<BTreeMap<String, String>> {
        let failed = || Failure::io(self.path.display());
        match self.path.symlink_metadata() {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
            Err(e) => return Err(failed()(e)),
            Ok(meta) if !meta.is_file() => return Err(self.unreadable()),
            Ok(_) => {}
        }
        let mut text = String::new();
        let file = std::fs::File::open(&self.path).map_err(failed())?;
        file.take(MOST).read_to_string(&mut text).map_err(failed())?;
        toml::from_str(&text).map_err(|_| self.unreadable())
    }

    /// Keeps them, whole or as they were before: this may be stopped at any moment.
    pub(super) fn write(&self, answers: &BTreeMap<String, String>) -> Result<()> {
        let text = toml::to_string(answers).map_err(|_| self.unreadable())?;
        let mut part = self.path.as_os_str().to_owned();
        part.push(format!("-{}", TransferId::random()));
        let part = PathBuf::from(part);
        let kept = init::file(&part, text.as_bytes(), 0o600).and_then(|()| {
            std::fs::rename(&part, &self.path).map_err(Failure::io(self.path.display()))
        });
        if kept.is_err() {
            let _ = std::fs::remove_file(&part);
        }
        kept
    }

    /// The agreement is written.
    pub(super) fn remove(&self) {
        let _ = std::fs::remove_file(&self.path);
    }

    fn unreadable(&self) -> Failure {
        Failure::coded(
            "draft",
            words!(
                "{} is geen klad van `sluis agreement new`: zet het elders, en begin opnieuw",
                "{} is no draft of `sluis agreement new`: put it elsewhere, and begin anew",
                self.path.display()
            ),
        )
    }
}
