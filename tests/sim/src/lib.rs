//! Both parties in this process: real cores over real stores and folders, the real gates, a drop zone, and telephones.
//!
//! Time is clocks in a test's hand, and nothing sleeps: the test says what happens next. [`Sim::round`] lets everybody do
//! what there is to do, [`Sim::pass`] lets time go by. Between the parts lies [`net`], which a seed may tear.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot be set up has failed"
)]
#![allow(clippy::missing_panics_doc)]

pub mod dice;
pub mod exposures;
mod gates;
pub mod net;
pub mod parts;
pub mod people;
pub mod phones;
pub mod rules;
pub mod seeds;
mod storm;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use gates::Gates;
use net::{End, Net};
use parts::{Parts, tls};
use sluis_config::schema::{Keeper, Owner, Sealer};
use sluis_core::agreement::Side;
use sluis_core::duty::Duty;
use sluis_core::id::{Time, TransferId};
use sluis_core::statement::Tip;
use sluis_core::words::Language;
use sluis_daemon::agency::outbox::Outbox;
use sluis_daemon::agency::release::Releaser;
use sluis_daemon::agency::{self, Agency};
use sluis_daemon::books::Books;
use sluis_daemon::clock::{Clock, HandClock};
use sluis_daemon::gatehouse::{Core, gate_router, letters_router, release_router};
use sluis_daemon::holders::Duties;
use sluis_daemon::medium::server::{self, Zone};
use sluis_daemon::municipality::{self, Municipality};
use sluis_daemon::role::Role;
use sluis_daemon::store::Store;
use tempfile::TempDir;
use tokio::sync::OnceCell;

/// How long anything may take before it counts as a fault.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Gates ask, and nobody waits.
const NO_WAIT: Duration = Duration::from_secs(1);
/// How a day is counted.
pub const DAY: i64 = 86_400_000;

/// A core that runs, with the verbs of its persons.
#[derive(Debug)]
pub struct Running<C> {
    /// The core.
    pub core: Arc<C>,
    /// The verbs of persons.
    pub persons: Router,
}

/// The world.
pub struct Sim {
    /// All folders.
    pub dir: TempDir,
    /// The agreement and the keys.
    pub parts: Arc<Parts>,
    /// The ways between.
    pub net: Arc<Net>,
    /// The clocks: of the agency, the municipality, the drop zone.
    pub clocks: [Arc<HandClock>; 3],
    agency: Option<Running<Agency>>,
    municipality: Option<Running<Municipality>>,
    zone: Arc<Zone>,
    outbox: Outbox,
    gates: Gates,
    /// What was put into the outbox.
    dropped: BTreeMap<String, Vec<u8>>,
    /// And the transfers that each of them became.
    became: BTreeMap<String, BTreeSet<TransferId>>,
    /// How far the ledgers were.
    heads: Vec<(Side, Tip)>,
    /// When the world began.
    start: Time,
    /// Whether the releaser is stopped: no key gate opens.
    pub no_releaser: bool,
}

impl Sim {
    /// A new world at this time; the seed is for the net.
    pub async fn new(parts: Arc<Parts>, start: Time, seed: u64) -> Self {
        Self::over(parts::folder(), parts, start, seed).await
    }

    /// The world that lies in a folder.
    pub async fn over(dir: TempDir, parts: Arc<Parts>, start: Time, seed: u64) -> Self {
        let net = Net::of(seed);
        let clocks = [(); 3].map(|()| HandClock::at(start));
        let path = |name: &str| dir.path().join(name);
        for folder in ["outbox/mechelen", "private", "spool", "bundles", "vault"] {
            fs::create_dir_all(path(folder)).unwrap();
        }
        let zone = open_zone(path("zone"), &parts, &net, &clocks[2]);
        let agency = Some(open_agency(dir.path(), &parts, &net, &clocks[0]).await);
        let municipality = Some(open_municipality(dir.path(), &parts, &net, &clocks[1]).await);
        Self {
            outbox: Outbox::new(path("outbox"), SETTLE_MS),
            gates: Gates::of(&parts, &net),
            dropped: BTreeMap::new(),
            became: BTreeMap::new(),
            heads: Vec::new(),
            start,
            no_releaser: false,
            dir,
            parts,
            net,
            clocks,
            agency,
            municipality,
            zone,
        }
    }

    /// A path in the world.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// What time it is at a party.
    #[must_use]
    pub fn now(&self, side: Side) -> Time {
        self.clocks[side as usize].now()
    }

    /// Time goes by, everywhere.
    pub fn pass(&self, ms: i64) {
        self.clocks.iter().for_each(|clock| clock.advance_ms(ms));
        self.net.passes(self.clocks[2].up());
        self.zone.sweep().unwrap();
    }

    /// Everybody does what there is to do now; `false` where there was nothing.
    pub async fn round(&mut self) -> bool {
        let (moved, settling) = self.turn().await;
        moved || settling
    }

    /// The same; whether somebody did something, and whether something in the outbox waits to be taken.
    async fn turn(&mut self) -> (bool, bool) {
        if self.net.happens(10) {
            self.net.echo().await;
        }
        let settling = self.look().await;
        self.follow();
        let mut moved = steps(&*self.agency().core).await;
        moved |= self.gates_of_agency().await;
        moved |= steps(&*self.municipality().core).await;
        moved |= self.gates_of_municipality().await;
        self.bury().await;
        if settling {
            self.pass(i64::try_from(SETTLE_MS).unwrap());
        }
        (moved, settling)
    }

    /// The agency looks through its outbox; whether something still settles.
    pub async fn look(&mut self) -> bool {
        // As a rescan does: what could not be taken before is tried again.
        self.outbox.look_again();
        let look = self.agency.as_ref().unwrap().core.look(&mut self.outbox);
        if self.net.happens(4) {
            return self.net.killed(End::Carrier, look).await.unwrap_or(true);
        }
        look.await
    }

    /// The releaser, out of the hands of [`Sim::round`].
    #[must_use]
    pub fn releaser(&self) -> &Releaser {
        &self.gates.releaser
    }

    /// The agency, which runs.
    #[must_use]
    pub fn agency(&self) -> &Running<Agency> {
        self.agency.as_ref().unwrap()
    }
    /// The municipality, which runs.
    #[must_use]
    pub fn municipality(&self) -> &Running<Municipality> {
        self.municipality.as_ref().unwrap()
    }

    /// Everything ends in order; what is left is on the disk.
    pub async fn close(self) -> TempDir {
        let Self { dir, net, agency, municipality, .. } = self;
        let stores = [
            agency.map(|gone| gone.core.books.store.clone()),
            municipality.map(|gone| gone.core.books.store.clone()),
        ];
        net.clear(&[End::Carrier, End::Releaser, End::Reports, End::Fetcher]);
        *net.phones.witness.lock().unwrap() = None;
        for store in stores {
            closed(store).await;
        }
        dir
    }

    /// Opens whatever died on the way.
    async fn bury(&mut self) {
        for end in self.net.died() {
            match end {
                End::Fetcher => self.crash(Side::Municipality).await,
                _ => self.crash(Side::Agency).await,
            }
        }
    }

    /// A core dies and is opened again: what it had in memory is gone.
    pub async fn crash(&mut self, side: Side) {
        self.net.count("core dies");
        match side {
            Side::Agency => {
                *self.net.phones.witness.lock().unwrap() = None;
                self.net.clear(&End::AGENCY);
                self.gates.wake();
                // It is gone before the next one is opened, as a process is.
                let store = self.agency.take().map(|gone| gone.core.books.store.clone());
                closed(store).await;
                let (dir, clock) = (self.dir.path(), &self.clocks[0]);
                self.agency = Some(open_agency(dir, &self.parts, &self.net, clock).await);
                self.outbox = Outbox::new(self.path("outbox"), SETTLE_MS);
            }
            Side::Municipality => {
                self.net.clear(&[End::Fetcher]);
                self.gates.wake();
                let store = self.municipality.take().map(|gone| gone.core.books.store.clone());
                closed(store).await;
                let (dir, clock) = (self.dir.path(), &self.clocks[1]);
                let opened = open_municipality(dir, &self.parts, &self.net, clock).await;
                self.municipality = Some(opened);
            }
        }
    }

    /// The agency is started anew, with these contacts.
    pub async fn reach_at(&mut self, contacts: &str) {
        self.parts = Arc::new(self.parts.reached_at(contacts));
        self.crash(Side::Agency).await;
    }

    /// The drop zone dies and is opened again.
    pub fn crash_zone(&mut self) {
        self.net.count("drop zone dies");
        self.net.clear(&[End::ZoneOfAgency, End::ZoneOfMunicipality]);
        self.gates.wake();
        self.zone = open_zone(self.path("zone"), &self.parts, &self.net, &self.clocks[2]);
    }

    /// All gates die; what they had still to say is gone with them.
    pub fn crash_gates(&mut self) {
        self.net.count("gates die");
        self.gates = Gates::of(&self.parts, &self.net);
    }
}

async fn closed(store: Option<Store>) {
    if let Some(store) = store {
        store.close().await;
    }
}

/// How long a drop lies still before it is taken.
const SETTLE_MS: u64 = 2000;
/// The most that one gate or core does in a round.
const AT_ONCE: usize = 64;

async fn steps(core: &impl Core) -> bool {
    let mut moved = false;
    for _ in 0..AT_ONCE {
        if !core.step().await.unwrap() {
            break;
        }
        moved = true;
    }
    moved
}

fn open_zone(folder: PathBuf, parts: &Parts, net: &Net, clock: &Arc<HandClock>) -> Arc<Zone> {
    let tenant = server::Tenant {
        agreement: parts.name.clone(),
        agency: vec![tls("agency")],
        municipality: vec![tls("municipality")],
        quota: 64 << 20,
        max_uploads: 100,
    };
    let settings = server::Settings {
        folder,
        tenants: vec![tenant],
        expires_ms: 7 * DAY,
        letters_keep_ms: 30 * DAY,
        max_letters: 100_000,
        max_gone: 100_000,
        idle: NO_WAIT,
    };
    let zone = Zone::open(settings, clock.clone()).unwrap();
    for end in [End::ZoneOfAgency, End::ZoneOfMunicipality] {
        net.set(end, server::router(Arc::clone(&zone)));
    }
    zone
}

/// A store in which nothing stands: thousands of worlds begin with two, and to make its tables takes longer than to copy them.
static EMPTY: OnceCell<Vec<u8>> = OnceCell::const_new();

async fn empty() -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("empty.db");
    Store::open(place.to_str().unwrap()).await.unwrap().close().await;
    fs::read(place).unwrap()
}

async fn books(dir: &Path, parts: &Parts, side: Side, clock: &Arc<HandClock>) -> Books {
    let place = dir.join(format!("{side:?}.db"));
    if !place.exists() {
        fs::write(&place, EMPTY.get_or_init(empty).await).unwrap();
    }
    let store = Store::open(place.to_str().unwrap()).await.unwrap();
    let party = parts.terms().agreement.party(side).id.clone();
    let signers = parts.signers[side as usize].clone().try_into().unwrap();
    let (agreements, mailbox) = (parts.agreements(side), parts.mailbox(side).into());
    let books = Books::open(store, clock.clone(), party, side, agreements, signers, mailbox).await;
    let mut books = books.unwrap();
    let owner = rustix::process::getuid().as_raw();
    let persons = people::OFFICERS.into_iter().chain(people::custodians()).chain([owner]);
    let persons: Vec<Owner> = persons.map(Owner::Uid).collect();
    let all = Duty::ALL.iter().map(|duty| (*duty, persons.clone())).collect();
    books.duties = Duties::new(&all, side).unwrap();
    books
}

async fn open_agency(
    dir: &Path,
    parts: &Parts,
    net: &Net,
    clock: &Arc<HandClock>,
) -> Running<Agency> {
    let books = books(dir, parts, Side::Agency, clock).await;
    let other = parts.terms().agreement.party(Side::Municipality).id.clone();
    *net.phones.witness.lock().unwrap() = Some((books.store.clone(), other));
    let settings = Sealer {
        outbox: dir.join("outbox"),
        private: dir.join("private"),
        spool: dir.join("spool"),
        bundles: dir.join("bundles"),
        store: String::new(),
        owners: vec![Owner::Uid(rustix::process::getuid().as_raw())],
        settle_ms: SETTLE_MS,
        rescan_s: 60,
        releaser: parts.bundle.to_public().to_string(),
        resend_after_s: 600,
        resends: 2,
        deferrals: 30,
        number_cooling_off_hours: 24,
    };
    let core = Agency::new(books, settings, Language::En, BTreeSet::new()).unwrap();
    let core = Arc::new(core);
    core.recover().await.unwrap();
    let envelopes = agency::envelopes::router(Arc::clone(&core));
    let carrier = gate_router(Arc::clone(&core), Role::Carrier).merge(envelopes);
    net.set(End::Carrier, carrier.merge(letters_router(Arc::clone(&core), Role::Carrier)));
    let releaser = gate_router(Arc::clone(&core), Role::Releaser);
    net.set(End::Releaser, releaser.merge(release_router(Arc::clone(&core), Role::Releaser)));
    net.set(End::Reports, agency::report::router(Arc::clone(&core)));
    let persons = agency::persons::router(Arc::clone(&core));
    Running { core, persons }
}

async fn open_municipality(
    dir: &Path,
    parts: &Parts,
    net: &Net,
    clock: &Arc<HandClock>,
) -> Running<Municipality> {
    let books = books(dir, parts, Side::Municipality, clock).await;
    let settings = Keeper {
        vault: dir.join("vault"),
        store: String::new(),
        groups: BTreeMap::new(),
        custodians: BTreeMap::new(),
        backups_keep_days: 30,
        forget_lines_s: 3600,
    };
    let core = Arc::new(Municipality::new(books, settings));
    core.recover().await.unwrap();
    let envelopes = municipality::persons::envelopes(Arc::clone(&core));
    let fetcher = gate_router(Arc::clone(&core), Role::Fetcher).merge(envelopes);
    net.set(End::Fetcher, fetcher.merge(letters_router(Arc::clone(&core), Role::Fetcher)));
    let persons = municipality::persons::router(Arc::clone(&core));
    Running { core, persons }
}

/// Waits until `look` finds something.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what} did not come within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
