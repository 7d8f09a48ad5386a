//! The core's side of reminders: it looks now and then at what stands, queues what was not told yet, and enters which
//! duty nobody met in time.
//!
//! Told and queued in one transaction: a restart tells nothing twice. The notifier may, after a kill between the
//! mail server's yes and its own word; such a mail has the same number.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use sluis_core::control::Lane;
use sluis_core::deadline::Deadline;
use sluis_core::id::{AgreementId, Digest, Time, TransferCode};
use sluis_core::reminder::{AT_ONCE, Heard, Reminder, Situation, Waits};
use tokio_util::sync::CancellationToken;

use crate::books::Books;
use crate::error::Result;
use crate::gatehouse::Core;
use crate::role::Role;
use crate::store::{Stored, Tx, detail};
use crate::versions;

/// The gate that sends them.
pub const GATE: Role = Role::Notifier;
/// How long a look waits after the one before, however much changes: where somebody is to be told, and where nobody is.
const LULLS: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(30)];
/// How long it waits where nothing changes.
const REST: Duration = Duration::from_secs(600);
/// How long it waits where a look failed.
const PAUSE: Duration = Duration::from_secs(60);

/// Looks until stopped: after a change, at the next point of a clock, and now and then. Where there is no notifier nobody
/// is told, and what was missed is entered all the same.
pub async fn watch<C: Core>(core: Arc<C>, notifier: bool, stop: CancellationToken) {
    // The first look may fail, and what is said until the next one is news.
    let since = notifier.then(|| core.books().now());
    let lull = LULLS[usize::from(!notifier)];
    loop {
        let books = core.books();
        let change = books.change();
        tokio::pin!(change);
        change.as_mut().enable();
        let rest = look(&*core, since).await.unwrap_or_else(|error| {
            tracing::error!(%error, "what is late is not entered, nor told; it is tried again");
            PAUSE
        });
        let idle = async {
            tokio::time::sleep(lull).await;
            tokio::select! {
                () = change => {}
                () = tokio::time::sleep(rest.saturating_sub(lull)) => {}
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = idle => {}
        }
    }
}

/// One look; mails are queued by who looks since then. Gives how long nothing is due after it, if nothing changes.
async fn look<C: Core>(core: &C, since: Option<Time>) -> Result<Duration> {
    let books = core.books();
    let held = books.believed().await?.is_none();
    let mut tx = books.store.begin().await?;
    let situation = situation::<C>(books, &mut tx, held).await?;
    let told = tx.told().await?;
    let missed = situation.missed(&told);
    let mut news = match since {
        Some(since) => news(books, &mut tx, &situation, since, &told).await?,
        None => Vec::new(),
    };
    let more = news.len() > AT_ONCE || missed.len() == AT_ONCE;
    news.truncate(AT_ONCE);
    let quiet = news.is_empty() && missed.is_empty();
    for (key, agreement, deadline) in missed {
        tx.tell(&key, books.now()).await?;
        miss::<C::State>(books, &mut tx, &agreement, &deadline).await?;
    }
    for reminder in news {
        queue(books, &mut tx, &reminder).await?;
    }
    if quiet {
        // Nobody waits for this.
        tx.commit().await?;
    } else {
        books.commit(tx).await?;
    }
    if more {
        return Ok(Duration::ZERO);
    }
    let next = situation.next().map_or(i64::MAX, |at| at.0.saturating_sub(books.now().0));
    Ok(Duration::from_millis(u64::try_from(next).unwrap_or_default()).min(REST))
}

/// What nobody was told yet. What was said before anybody could be told, until `since`, is no news.
async fn news(
    books: &Books,
    tx: &mut Tx,
    situation: &Situation,
    since: Time,
    told: &BTreeSet<Digest>,
) -> Result<Vec<Reminder>> {
    let mut untold = situation.untold(told);
    if tx.number("reminders-since").await?.is_none() {
        tx.set_number("reminders-since", since.0).await?;
        let old: Vec<Reminder> = situation.heard_until(since).collect();
        for known in &old {
            tx.tell(&known.key(), books.now()).await?;
        }
        untold.retain(|reminder| !old.contains(reminder));
    }
    Ok(untold)
}

/// A duty that was not met in time is evidence itself: the ledger says so when it is seen, once.
async fn miss<S: Stored>(
    books: &Books,
    tx: &mut Tx,
    agreement: &AgreementId,
    deadline: &Deadline,
) -> Result<()> {
    let transfer = match deadline.subject.parse::<TransferCode>() {
        Ok(code) => tx.by_code::<S>(&code).await?.filter(|it| it.agreement == *agreement),
        Err(_) => None,
    };
    let known = [
        ("agreement", agreement.to_string()),
        ("clock", deadline.clock.to_string()),
        ("subject", deadline.subject.clone()),
        ("starts", deadline.starts.0.to_string()),
        ("due", deadline.due.0.to_string()),
    ];
    tx.enter(books.now(), "missed", transfer.map(|it| it.id), detail(known)).await?;
    Ok(())
}

async fn queue(books: &Books, tx: &mut Tx, reminder: &Reminder) -> Result<()> {
    // Work is queued under an agreement; what is about the whole host, under any. Without one nothing is at stake.
    let any = || books.agreements.iter().next().map(|it| it.terms.agreement.agreement.clone());
    let Some(agreement) = reminder.agreement.clone().or_else(any) else { return Ok(()) };
    let work = serde_json::to_string(reminder).unwrap_or_default();
    let now = books.now();
    tx.tell(&reminder.key(), now).await?;
    Ok(tx.queue(GATE, Lane::Mail, &agreement, None, &work, now).await?)
}

/// What stands now.
async fn situation<C: Core>(books: &Books, tx: &mut Tx, held: bool) -> Result<Situation> {
    let now = books.now();
    let since = tx.number("clock-held-since").await?.filter(|at| *at != 0);
    let clock_held = held.then_some(since.map_or(now, Time));
    if held != since.is_some() {
        tx.set_number("clock-held-since", clock_held.map_or(0, |at| at.0)).await?;
    }
    let mut heard = Vec::new();
    for installed in books.agreements.iter() {
        let agreement = &installed.terms.agreement.agreement;
        let register = books.notices(tx, agreement).await?;
        let theirs = register.0.iter().filter(|entered| entered.by != books.side);
        heard.extend(theirs.map(|it| {
            let heard = Heard {
                sort: it.sort,
                digest: it.digest,
                case: it.notice.case,
                at: it.at,
                paper: it.notice.received.is_some(),
            };
            (agreement.clone(), heard)
        }));
    }
    let waiting = versions::all_waiting(books, tx).await?;
    let waits = waiting.iter().map(|it| (it.wanted.agreement.clone(), Waits::of(it, now)));
    Ok(Situation {
        side: books.side,
        now,
        clock_held,
        deadlines: books.deadlines::<C::State>(tx).await?,
        stuck: tx.stuck().await?,
        waits: waits.collect(),
        heard,
        heard_to_its_end: books.heard.ends(),
        set_back: tx.all_set_back().await?.into_iter().map(|it| (it.agreement, it.since)).collect(),
    })
}
