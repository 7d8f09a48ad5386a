//! What takes two persons: the first asks, a second one with another Unix user confirms (art. 6: separation of duties,
//! R47; R84). The one place where that is decided.

use sluis_core::id::{Time, TransferId};
use sluis_core::words;

use crate::books::{Books, CoreError, Result, detail};
use crate::gatehouse::Caller;
use crate::store::Tx;

/// What was asked waits so long for a second person.
const WAITS_MS: i64 = 7 * 86_400_000;

/// Who asked first, and when.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The user.
    pub uid: u32,
    /// Its name then.
    pub name: String,
    /// When.
    pub at: Time,
}

/// Until when it waits.
#[must_use]
pub fn until(asked: &Asked) -> Time {
    asked.at.plus_ms(WAITS_MS)
}

/// Whether it waits still. What was asked while the clock was ahead waits no more once it is set right.
#[must_use]
pub fn waits(asked: &Asked, now: Time) -> bool {
    asked.at.is_fresh(WAITS_MS, now)
}

/// Forgets what waits no more, so that no clock brings it back.
///
/// # Errors
/// [`CoreError::Store`].
pub async fn forget(tx: &mut Tx, now: Time) -> Result<()> {
    for (verb, subject, asked) in tx.all_asked().await? {
        if !waits(&asked, now) {
            tx.unask(&verb, &subject).await?;
        }
    }
    Ok(())
}

/// Who asked for this and is waiting for a second person.
///
/// # Errors
/// [`CoreError::Store`].
pub async fn waiting(
    books: &Books,
    tx: &mut Tx,
    verb: &str,
    subject: &str,
) -> Result<Option<Asked>> {
    Ok(tx.asked(verb, subject).await?.filter(|asked| waits(asked, books.now())))
}

/// Enters a person's word. The first person's name once a second one has confirmed; nothing while one is waited for.
///
/// # Errors
/// [`CoreError::Refused`] where the first person would confirm.
pub async fn confirm(
    books: &Books,
    tx: &mut Tx,
    verb: &str,
    subject: &str,
    transfer: Option<TransferId>,
    caller: Caller,
) -> Result<Option<String>> {
    let now = books.now();
    let asked = waiting(books, tx, verb, subject).await?;
    let entry =
        |what: &str, known: Vec<(&'static str, String)>| (format!("{verb}-{what}"), detail(known));
    match asked {
        None => {
            let asked = Asked { uid: caller.uid, name: caller.name(), at: now };
            tx.ask(verb, subject, &asked).await?;
            let (kind, known) = entry("asked", vec![("by", caller.name()), ("of", subject.into())]);
            tx.enter(now, &kind, transfer, known).await?;
            Ok(None)
        }
        Some(first) if first.uid == caller.uid => Err(CoreError::refused(
            "same-person",
            words!(
                "art. 6: {} vroeg erom; een tweede persoon bevestigt het, met hetzelfde commando",
                "art. 6: {} asked for it; a second person confirms it, with the same command",
                first.name
            ),
        )),
        Some(first) => {
            tx.unask(verb, subject).await?;
            let known = vec![("by", caller.name()), ("after", first.name.clone())];
            let (kind, known) = entry("confirmed", known);
            tx.enter(now, &kind, transfer, known).await?;
            Ok(Some(first.name))
        }
    }
}
