//! The releaser: checks the evidence itself, opens the bundle, hands one share to its channel.
//!
//! [`hand_over`] asks for a [`Removal`]: without evidence there is nothing to call it with.

use std::collections::BTreeMap;
use std::sync::Arc;

use data_encoding::BASE64;
use sluis_config::Agreements;
use sluis_core::agreement::Side;
use sluis_core::bundle::{Bundle, Item};
use sluis_core::control::{Job, Lane, Outcome, Task};
use sluis_core::evidence::{Removal, Terms, Verified};
use sluis_core::id::{ChannelId, Digest};
use sluis_core::keyring::Identities;
use sluis_core::message::{self, Reference};
use sluis_core::old_number::OldNumber;
use sluis_core::statement::{Body, Signed, Statement};
use sluis_core::words;
use tokio_util::sync::CancellationToken;

use crate::channel::{Channel, Message};
use crate::desk::{Desk, Worker, work_off};
use crate::faults::leaving;
use crate::medium::poll::{again, never};

/// All that the releaser works with.
pub struct Releaser {
    /// Its core.
    pub desk: Desk,
    /// The agreements, with the keys of both parties.
    pub agreements: Agreements,
    /// Open bundles.
    pub identities: Identities,
    /// How each channel is reached.
    pub channels: BTreeMap<ChannelId, Channel>,
}

/// How many shares leave at the same time.
const AT_ONCE: usize = 4;

/// Works until stopped.
pub async fn serve(releaser: Arc<Releaser>, stop: CancellationToken) {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..AT_ONCE {
        let (releaser, stop) = (Arc::clone(&releaser), stop.clone());
        tasks.spawn(async move {
            work_off(&releaser.desk, None, Lane::Jobs, &stop, &*releaser).await;
        });
    }
    tasks.join_all().await;
}

impl Worker for Releaser {
    async fn work(&self, job: Job) -> Outcome {
        self.release(job).await.unwrap_or_else(|outcome| outcome)
    }
}

impl Releaser {
    async fn release(&self, job: Job) -> Result<Outcome, Outcome> {
        let (id, lease) = (job.id, job.lease);
        if let Task::TellOld { terms, sealed } = &job.task {
            return self.tell_old(&job, terms, sealed).await;
        }
        let Task::Release { index, sent, delivered, removed, bundle } = job.task else {
            return Err(never("task", "not work for a releaser"));
        };
        // Under the version that the transfer began under, which may be a former one, with the keys of the newest.
        let claimed = Statement::read(sent.statement.as_bytes());
        let claimed = claimed.map_err(|e| again(e.words()))?;
        let terms = self.agreements.version(&claimed.header.terms);
        let terms = terms.filter(|terms| terms.agreement.agreement == job.agreement);
        let terms = terms.ok_or_else(no_version)?;
        let (removal, verified) = check(&terms, &sent, &delivered, &removed)?;
        if Some(removal.transfer()) != job.transfer {
            return Err(never("evidence", "the evidence is of another transfer"));
        }
        let bundle = self.open(&terms, &verified, &removal, &bundle)?;
        let item = bundle.items.iter().find(|item| item.index == index);
        let item = item.ok_or_else(|| never("bundle", "no such share"))?;
        let channel = self.channel(&terms, &item.channel)?;
        if !self.desk.exposing(id, lease).await.map_err(|e| again(e.words()))? {
            return Err(never("stopped", "the core does not let this share leave"));
        }
        let rehearsal = matches!(&verified.statement().body, Body::Sent(sent) if sent.rehearsal);
        Ok(hand_over(channel, &removal, &bundle, (item, rehearsal)).await)
    }

    /// How this channel of the agreement is reached: by whoever its register of processors names.
    fn channel(&self, terms: &Terms, id: &ChannelId) -> Result<&Channel, Outcome> {
        let channel = self.channels.get(id).ok_or_else(|| {
            again(words!(
                "kanaal {id} staat niet in [releaser.channels]",
                "channel {id} is not in [releaser.channels]"
            ))
        })?;
        channel.strays(&terms.agreement, id).map_or(Ok(channel), |why| Err(again(why)))
    }

    /// A custodian's old number is told that there is a new one. No share is in it, and so it rests on no removal.
    async fn tell_old(&self, job: &Job, terms: &Digest, sealed: &str) -> Result<Outcome, Outcome> {
        let terms = self.agreements.version(terms);
        let terms = terms.filter(|terms| terms.agreement.agreement == job.agreement);
        let terms = terms.ok_or_else(no_version)?;
        let sealed = BASE64.decode(sealed.as_bytes()).map_err(|_| never("word", "not base64"))?;
        // It has no number of its own: the newest key signed it, or the one before as long as that signs.
        let mut sealers = terms.agreement.keys.agency.history().rev().take(2);
        let opened = sealers.find_map(|(_, key)| {
            OldNumber::open(&sealed, &self.identities, key, terms.digest).ok()
        });
        let word = opened.ok_or_else(|| never("word", "it is not the sealer's"))?;
        let text = word.text();
        message::septets(&text).map_err(|e| never("text", &e.to_string()))?;
        let channel = self.channel(&terms, &word.channel)?;
        if !self.desk.exposing(job.id, job.lease).await.map_err(|e| again(e.words()))? {
            return Err(never("stopped", "the core does not let this word leave"));
        }
        // Share 0: no share has that number.
        let reference = Reference { transfer: word.reference, index: 0 }.to_string();
        let (custodian, to) = (&word.custodian, word.number.as_str());
        Ok(channel.send(&Message { custodian, to, text: &text, reference: &reference }).await)
    }

    fn open(
        &self,
        terms: &Terms,
        sent: &Verified,
        removal: &Removal,
        sealed: &str,
    ) -> Result<Bundle, Outcome> {
        let Body::Sent(body) = &sent.statement().body else {
            return Err(never("evidence", "no `sent`"));
        };
        let sealed = BASE64.decode(sealed.as_bytes()).map_err(|_| never("bundle", "not base64"))?;
        // The key that signed `sent` signed the bundle too.
        let sealer = terms.agreement.keys.agency.statement_key(sent.statement().header.number);
        Bundle::open(
            &sealed,
            &self.identities,
            sealer,
            removal.transfer(),
            sent.statement().header.terms,
            body,
        )
        .map_err(|e| never("bundle", &e.to_string()))
    }
}

/// The evidence, from the bytes: the releaser takes nobody's word for it, not even its core's.
fn check(
    terms: &Terms,
    sent: &Signed,
    delivered: &Signed,
    removed: &Signed,
) -> Result<(Removal, Verified), Outcome> {
    let verify = |signed, side| Verified::check(signed, terms, side);
    let checked = verify(sent, Side::Agency).and_then(|sent| {
        let delivered = verify(delivered, Side::Municipality)?;
        let removed = verify(removed, Side::Municipality)?;
        Ok((Removal::check(terms, &sent, &delivered, &removed)?, sent))
    });
    checked.map_err(|refusal| {
        again(words!("geen bewijs van de verwijdering: {}", "no evidence of the removal: {}"; refusal.words()))
    })
}

fn no_version() -> Outcome {
    again(words!(
        "deze versie van de overeenkomst is niet geïnstalleerd bij de rol releaser",
        "this version of the agreement is not installed at the releaser"
    ))
}

/// Hands one share to its channel. The evidence is an argument: there is no other way to send.
async fn hand_over(
    channel: &Channel,
    removal: &Removal,
    bundle: &Bundle,
    (item, rehearsal): (&Item, bool),
) -> Outcome {
    let text = message::compose(
        (item.language, rehearsal),
        item.index,
        bundle.shares,
        bundle.threshold,
        &bundle.code,
        &item.line,
    );
    if let Err(error) = message::septets(&text) {
        return never("text", &error.to_string());
    }
    let reference = Reference { transfer: removal.transfer(), index: item.index }.to_string();
    let message = Message {
        custodian: &item.custodian,
        to: &item.number,
        text: &text,
        reference: &reference,
    };
    let sent = leaving(channel.send(&message)).await;
    // Nobody knows whether it left.
    sent.unwrap_or_else(|_| Outcome::Unknown { driver: "?".into() })
}
