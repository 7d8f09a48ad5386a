//! What takes two persons: the first asks, a second one with another Unix user confirms (art. 6: separation of duties,
//! R47; R84). The one place where that is decided.

use sluis_core::control::{Waiting, Wanted};
use sluis_core::duty;
use sluis_core::id::TransferId;
use sluis_core::words;

use crate::books::Books;
use crate::error::{CoreError, Result};
use crate::gatehouse::Caller;
use crate::store::{Asked, Tx, detail};

/// Whether what somebody asked for waits still: not for too long, and whoever lost the duty since has asked for nothing.
fn stands(books: &Books, verb: &str, asked: &Asked) -> bool {
    let has = |duty| books.duties.has(asked.uid, duty);
    asked.waits(books.now()) && duty::of_word(verb).is_some_and(has)
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
    Ok(tx.asked(verb, subject).await?.filter(|asked| stands(books, verb, asked)))
}

/// What a person asks for, under one name: who confirms it says the very same.
#[derive(Debug)]
pub struct Word<'a> {
    /// The verb.
    pub verb: &'a str,
    /// All that is asked.
    pub subject: &'a str,
    /// About which transfer.
    pub transfer: Option<TransferId>,
    /// As a second person needs it.
    pub wanted: Wanted,
}

/// What became of a person's word.
#[derive(Debug)]
pub struct Confirmed {
    /// The first person's name once a second one has confirmed; nothing while one is waited for.
    pub first: Option<String>,
    /// Where one is waited for: what else was asked of the same, in other words.
    pub others: Vec<Waiting>,
}

/// Enters a person's word.
///
/// # Errors
/// [`CoreError::Refused`] where the first person would confirm.
pub async fn confirm(
    books: &Books,
    tx: &mut Tx,
    word: Word<'_>,
    caller: Caller,
) -> Result<Confirmed> {
    let Word { verb, subject, transfer, mut wanted } = word;
    wanted.transfer = transfer;
    let now = books.now();
    let asked = match tx.asked(verb, subject).await? {
        Some(first) if !stands(books, verb, &first) => {
            tx.lapse(now, (verb, subject), first).await?;
            None
        }
        asked => asked,
    };
    let under = wanted.agreement.as_ref().map(|it| ("agreement", it.to_string()));
    let entry = |what: &str, known: Vec<(&'static str, String)>| {
        (format!("{verb}-{what}"), detail(known.into_iter().chain(under.clone())))
    };
    match asked {
        None => {
            let others = others(books, tx, verb, &wanted.of).await?;
            let asked = Asked { uid: caller.uid, name: caller.name(), at: now, wanted };
            tx.ask(verb, subject, &asked).await?;
            let (kind, known) = entry("asked", vec![("by", caller.name()), ("of", subject.into())]);
            tx.enter(now, &kind, transfer, known).await?;
            Ok(Confirmed { first: None, others })
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
            Ok(Confirmed { first: Some(first.name), others: Vec::new() })
        }
    }
}

/// What waits by this verb about the same.
async fn others(books: &Books, tx: &mut Tx, verb: &str, of: &str) -> Result<Vec<Waiting>> {
    let all = all(books, tx).await?;
    Ok(all.into_iter().filter(|it| it.verb == verb && it.wanted.of == of).collect())
}

/// All that a first person asked for and that still waits.
///
/// # Errors
/// [`CoreError::Store`].
pub async fn all(books: &Books, tx: &mut Tx) -> Result<Vec<Waiting>> {
    let asked = tx.all_asked().await?.into_iter();
    let stand = asked.filter(|(verb, _, first)| stands(books, verb, first));
    let row = |(verb, subject, first): (String, String, Asked)| {
        let until = Some(first.until());
        let Asked { name, at, wanted, .. } = first;
        Waiting { verb, subject, by: Some(name), at, until, rehearsal: false, wanted }
    };
    Ok(stand.map(row).collect())
}
