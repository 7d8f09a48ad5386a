//! Whether the vault is the one that the store knows: a file in it holds a number that the store has too.
//!
//! Where its disk is not mounted stands a folder with nothing in it. Nothing is kept there, and what is not there is not
//! taken for destroyed: whatever rests on the vault waits until it is there.

use std::io::{self, Read};
use std::path::Path;
use std::sync::atomic::Ordering;

use sluis_core::id::fill_random;
use sluis_core::receipt::State;
use sluis_core::words;

use super::Municipality;
use super::retain::{HOLD, LOOKED_AT};
use crate::error::{CoreError, Result};
use crate::store::Tx;
use crate::{durable, files};

/// The file in the vault, and the name of its number in the store.
const MARK: &str = ".vault";
const NUMBER: &str = "vault";
/// A mark that is no number of ours.
const NONE_OF_OURS: i64 = 0;

impl Municipality {
    /// Nothing is done with another vault than the one of this store. The first one gets its mark; what a crash left in
    /// it is put in order before anything else.
    ///
    /// # Errors
    /// [`CoreError::Refused`] with the code `not-its-vault`.
    pub(super) async fn its_vault(&self, tx: &mut Tx) -> Result<()> {
        let there = mark(&self.settings.vault).map_err(CoreError::io("the vault's mark"))?;
        match (tx.number(NUMBER).await?, there) {
            (Some(kept), Some(there)) if kept == there => {}
            (Some(kept), _) => return Err(self.another(kept)),
            // A kill came before the commit, or a person says by it that this is the vault of an older store.
            (None, Some(there)) if there != NONE_OF_OURS => tx.set_number(NUMBER, there).await?,
            (None, Some(_)) => return Err(self.another(drawn())),
            (None, None) if self.is_empty_of_all(tx).await? => return Err(self.another(drawn())),
            (None, None) => {
                let number = drawn();
                make(&self.settings.vault, number).map_err(CoreError::io("marking the vault"))?;
                tx.set_number(NUMBER, number).await?;
            }
        }
        if !self.in_order.load(Ordering::SeqCst) {
            self.put_in_order(tx).await?;
            self.in_order.store(true, Ordering::SeqCst);
        }
        Ok(())
    }

    /// Whether the books say that the vault holds lists, and none of them stands in it.
    async fn is_empty_of_all(&self, tx: &mut Tx) -> Result<bool> {
        let mut said = false;
        for state in HOLD {
            for record in tx.in_state::<State>(state, LOOKED_AT).await? {
                said = true;
                if self.vault(&record.agreement, &record.id, &record.code).is_dir() {
                    return Ok(false);
                }
            }
        }
        Ok(said)
    }

    fn another(&self, number: i64) -> CoreError {
        let mark = self.settings.vault.join(MARK);
        let mark = mark.display();
        let why = words!(
            "de kluis die er staat is niet die van deze databank: koppel haar schijf aan. Werd ze vervangen, zet dan {number} in \
             {mark} (docs/operations.md, The vault's mark)",
            "the vault that is there is not the one of this store: mount its disk. Where it was replaced, put {number} into \
             {mark} (docs/operations.md, The vault's mark)"
        );
        CoreError::refused("not-its-vault", why)
    }
}

/// A number that no other vault has.
fn drawn() -> i64 {
    let mut bytes = [0; 8];
    fill_random(&mut bytes);
    (i64::from_le_bytes(bytes) & i64::MAX).max(1)
}

/// What the vault's mark says, if it has one.
fn mark(vault: &Path) -> io::Result<Option<i64>> {
    let mut text = Vec::new();
    match files::open_plain(&vault.join(MARK)) {
        Ok(file) => file.take(64).read_to_end(&mut text)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    Ok(Some(String::from_utf8_lossy(&text).trim().parse().unwrap_or(NONE_OF_OURS)))
}

/// A new vault lets people through to what their group may read, and nobody look around in it.
fn make(vault: &Path, number: i64) -> io::Result<()> {
    if !vault.is_dir() {
        files::private_folder(vault)?;
        durable::mode(vault, 0o711)?;
    }
    files::write_durable(&vault.join(MARK), format!("{number}\n").as_bytes())
}
