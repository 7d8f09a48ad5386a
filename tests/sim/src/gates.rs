//! The gates in one process: each does what there is for it to do, and waits as its long question does, until its core
//! wakes it or time goes by.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::{self, DirEntry};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use sluis_config::credentials::Credentials;
use sluis_core::agreement::Side;
use sluis_core::control::{Done, Lane};
use sluis_core::id::{AgreementId, Time};
use sluis_daemon::agency::carry::Carrier;
use sluis_daemon::agency::release::Releaser;
use sluis_daemon::books::Books;
use sluis_daemon::channel::Channel;
use sluis_daemon::channel::http::Provider;
use sluis_daemon::clock::Clock as _;
use sluis_daemon::desk::{Desk, DeskError, Worker};
use sluis_daemon::medium::client::ZoneClient;
use sluis_daemon::medium::poll::{self, Postman, Reading};
use sluis_daemon::municipality::fetch::Fetcher;
use sluis_daemon::role::Role;
use tokio::sync::futures::OwnedNotified;
use tokio_util::sync::CancellationToken;

use crate::net::{End, Net};
use crate::parts::{HOST, Parts, again};
use crate::storm::HOUR;
use crate::{AT_ONCE, NO_WAIT, Sim};

/// How an operator is spoken to.
const OPERATOR: &str = r#"
    url = "https://HOST/"
    body.json = { to = "{to}", text = "{text}", reference = "{reference}", channel = "CHANNEL" }
    success.status = [200]
    message-id = "/id"
    retryable.status = [503]
    permanent.status = [400]
"#;

/// The gates, and what each still has to say to its core.
pub(crate) struct Gates {
    carrier: Carrier,
    fetcher: Fetcher,
    pub(crate) releaser: Releaser,
    pub(crate) reports: Desk,
    unsaid: [Vec<Done>; 3],
    /// How far each party's gate is with its feed.
    reading: [Reading; 2],
    asleep: Asleep,
    /// Where each party's gate found no letter.
    nothing_new: [Option<Mailbox>; 2],
}

/// In which hour a mailbox was looked at, and what lay there: names and files.
type Mailbox = (i64, BTreeSet<(OsString, u64, SystemTime)>);
/// Who found nothing, by gate and lane: what time it was, and what wakes it before that changes.
type Asleep = BTreeMap<(Role, Lane), (Time, Pin<Box<OwnedNotified>>)>;

impl Gates {
    pub(crate) fn of(parts: &Parts, net: &Arc<Net>) -> Self {
        let desk = |end| Desk::over(net.way(parts, end), 0);
        let zone = |end| {
            let way = net.way(parts, end);
            ZoneClient::over(way.clone(), way, HOST, &parts.name, NO_WAIT)
        };
        let channel = |channel: &sluis_core::agreement::Channel| {
            let hosts = parts.terms().agreement.hosts_of(&channel.id);
            let host = hosts.first().copied().unwrap_or("operator.invalid");
            let http = OPERATOR.replace("CHANNEL", channel.id.as_str()).replace("HOST", host);
            let http = toml::from_str(&http).unwrap();
            let (way, none) = (net.way(parts, End::Operators), Credentials::new(Path::new(".")));
            let provider = Provider::over(way, &channel.id, &http, None, &none).unwrap();
            (channel.id.clone(), Channel::Http(Box::new(provider)))
        };
        Self {
            carrier: Carrier { desk: desk(End::Carrier), zone: zone(End::ZoneOfAgency) },
            fetcher: Fetcher {
                desk: desk(End::Fetcher),
                zone: zone(End::ZoneOfMunicipality),
                stop: CancellationToken::new(),
            },
            releaser: Releaser {
                desk: desk(End::Releaser),
                agreements: parts.agreements(Side::Municipality),
                identities: again(&parts.bundle).into(),
                channels: parts.terms().agreement.key.channels.iter().map(channel).collect(),
            },
            reports: desk(End::Reports),
            unsaid: Default::default(),
            reading: Default::default(),
            asleep: Asleep::new(),
            nothing_new: Default::default(),
        }
    }

    /// A core was opened anew: everybody asks it.
    pub(crate) fn wake(&mut self) {
        self.asleep.clear();
        self.nothing_new = Default::default();
    }
}

impl Sim {
    pub(crate) async fn gates_of_agency(&mut self) -> bool {
        let (id, books) = (&self.parts.name, &self.agency.as_ref().unwrap().core.books);
        let Gates { carrier, unsaid: [own, ..], asleep, .. } = &mut self.gates;
        let post = Postman(carrier.zone.clone());
        let mut gate =
            Turn { books, role: Role::Carrier, desk: &carrier.desk, unsaid: own, asleep };
        let mut moved = gate.take(Some(id), Lane::Post, &post).await;
        moved |= gate.take(Some(id), Lane::Jobs, carrier).await;
        moved |= self.letters(Side::Agency).await;
        if !self.no_releaser {
            let books = &self.agency.as_ref().unwrap().core.books;
            let Gates { releaser, unsaid: [_, other, _], asleep, .. } = &mut self.gates;
            let (role, desk) = (Role::Releaser, &releaser.desk);
            let mut gate = Turn { books, role, desk, unsaid: other, asleep };
            moved |= gate.take(None, Lane::Jobs, releaser).await;
        }
        moved
    }

    pub(crate) async fn gates_of_municipality(&mut self) -> bool {
        let (id, books) = (&self.parts.name, &self.municipality.as_ref().unwrap().core.books);
        let Gates { fetcher, unsaid: [.., own], asleep, .. } = &mut self.gates;
        let post = Postman(fetcher.zone.clone());
        let mut gate =
            Turn { books, role: Role::Fetcher, desk: &fetcher.desk, unsaid: own, asleep };
        let mut moved = gate.take(Some(id), Lane::Post, &post).await;
        moved |= gate.take(Some(id), Lane::Jobs, fetcher).await;
        moved | self.letters(Side::Municipality).await
    }

    /// A party's gate reads its feed; where nothing came and nothing has changed, it still waits for the answer. Each hour it
    /// may have something to say.
    async fn letters(&mut self, side: Side) -> bool {
        let to = if side == Side::Agency { "agency" } else { "municipality" };
        let names = |folder| fs::read_dir(folder).into_iter().flatten().flatten();
        let stamp = |it: DirEntry| {
            let meta = it.metadata().ok()?;
            Some((it.file_name(), meta.ino(), meta.modified().ok()?))
        };
        let there = names(self.path("zone/mechelen/mailbox").join(to)).filter_map(stamp);
        let there = Some((self.now(side).0 / HOUR, there.collect()));
        if self.gates.nothing_new[side as usize] == there {
            return false;
        }
        let up = Duration::from_millis(u64::try_from(self.clocks[side as usize].up()).unwrap());
        let Gates { carrier, fetcher, reading, .. } = &mut self.gates;
        let (desk, zone) = match side {
            Side::Agency => (&carrier.desk, &carrier.zone),
            Side::Municipality => (&fetcher.desk, &fetcher.zone),
        };
        let reading = &mut reading[side as usize];
        let came = poll::round(desk, zone, &self.parts.name, reading, up).await;
        self.gates.nothing_new[side as usize] = if came == Ok(0) { there } else { None };
        came.is_ok_and(|came| came > 0)
    }

    /// A party's gate reads its feed once.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn read_feed(&self, side: Side) -> Result<usize, String> {
        let Gates { carrier, fetcher, .. } = &self.gates;
        let (desk, zone) = match side {
            Side::Agency => (&carrier.desk, &carrier.zone),
            Side::Municipality => (&fetcher.desk, &fetcher.zone),
        };
        let reading = &mut Reading::default();
        poll::round(desk, zone, &self.parts.name, reading, Duration::ZERO).await
    }
}

/// A gate whose turn it is.
struct Turn<'a> {
    books: &'a Books,
    role: Role,
    desk: &'a Desk,
    unsaid: &'a mut Vec<Done>,
    asleep: &'a mut Asleep,
}

impl Turn<'_> {
    /// It brings what it has still to say, asks for work, does it, and says what became of it.
    async fn take(
        &mut self,
        agreement: Option<&AgreementId>,
        lane: Lane,
        worker: &impl Worker,
    ) -> bool {
        for word in std::mem::take(self.unsaid) {
            self.say(word).await;
        }
        let (place, now) = ((self.role, lane), self.books.now());
        if let Some((since, woken)) = self.asleep.get_mut(&place)
            && *since == now
            && !woken.as_mut().enable()
        {
            return false;
        }
        let mut moved = false;
        for _ in 0..AT_ONCE {
            // It listens before it asks.
            let mut woken = Box::pin(self.books.work(self.role, lane).notified_owned());
            woken.as_mut().enable();
            self.asleep.remove(&place);
            match self.desk.next(agreement, lane).await {
                Err(_) => break,
                Ok(None) => {
                    self.asleep.insert(place, (now, woken));
                    break;
                }
                Ok(Some(job)) => {
                    let (id, lease) = (job.id, job.lease);
                    let outcome = worker.work(job).await;
                    self.say(Done { job: id, lease, outcome }).await;
                    moved = true;
                }
            }
        }
        moved
    }

    /// As a gate does: a core that is away is told later.
    async fn say(&mut self, word: Done) {
        match self.desk.done(&word).await {
            Err(DeskError::Refused(refused)) if refused.code != "failed" => {}
            Err(_) => self.unsaid.push(word),
            Ok(()) => {}
        }
    }
}
