//! A role's life: load, build, spawn, say that it is ready, drain.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use notify::{RecursiveMode, Watcher};
use secrecy::ExposeSecret;
use sluis_config::agreements::Agreements;
use sluis_config::credentials::Credentials;
use sluis_config::schema::Gate;
use sluis_config::{Config, ConfigError, Installed};
use sluis_core::agreement::Side;
use sluis_core::control::Lane;
use sluis_core::id::{Address, Digest};
use sluis_core::keyring::{Identities, Signers};
use sluis_core::words;
use sluis_core::words::Words;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::accept::local::{self, Room};
use crate::accept::{self, Door};
use crate::agency::outbox::{Heard, Outbox};
use crate::agency::{self, Agency};
use crate::books::Books;
use crate::clock::{RealClock, SharedClock};
use crate::desk::Desk;
use crate::error::CoreError;
use crate::gatehouse::{self, Core, gate_router, letters_router, release_router};
use crate::holders::Duties;
use crate::medium::client::ZoneClient;
use crate::medium::server;
use crate::municipality::{self, Municipality};
use crate::notifier::Notifier;
use crate::role::Role;
use crate::store::{Store, StoreError};
use crate::{accounts, channel, durable, files, health, reminders, threads, tls};

/// How long a role may take to end what it has begun.
pub const DRAIN: Duration = Duration::from_secs(20);
/// How long a core rests when nothing is due.
const REST: Duration = Duration::from_secs(30);
/// The credential of a core's statement keys.
const STATEMENT_KEY: &str = "statement-key";

/// Why a role does not start or ended.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// Its configuration; exit code 78.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Its core.
    #[error(transparent)]
    Core(#[from] CoreError),
    /// TLS.
    #[error("tls: {0}")]
    Tls(#[from] rustls::Error),
    /// The system.
    #[error("{0}: {1}")]
    Io(String, #[source] std::io::Error),
}

impl AppError {
    /// What cannot be done with this.
    pub fn io(what: impl std::fmt::Display) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.to_string();
        move |error| Self::Io(what, error)
    }
}

type Result<T> = std::result::Result<T, AppError>;

/// Runs a role until `stop`, then drains it.
///
/// # Errors
/// [`AppError`] where it does not start.
pub async fn run(role: Role, path: &Path, config: Config, stop: CancellationToken) -> Result<()> {
    let mut host =
        Host { path: path.to_owned(), config, stop: stop.clone(), tasks: JoinSet::new() };
    match role {
        Role::Sealer => host.sealer().await?,
        Role::Carrier => host.carrier()?,
        Role::Releaser => host.releaser()?,
        Role::Reports => host.reports().await?,
        Role::Dropzone => host.dropzone().await?,
        Role::Keeper => host.keeper().await?,
        Role::Fetcher => host.fetcher()?,
        Role::Notifier => host.notifier()?,
    }
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    if let Some(every) = sd_notify::watchdog_enabled() {
        tokio::spawn(watchdog(every / 2));
    }
    tracing::info!(?role, "ready");
    tokio::select! {
        () = stop.cancelled() => {}
        // No task of a role ends by itself: if one does, the service manager starts the role anew.
        _ = host.tasks.join_next() => {}
    }
    let asked = stop.is_cancelled();
    stop.cancel();
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    let drained = tokio::time::timeout(DRAIN, host.tasks.join_all()).await;
    tracing::info!(?role, drained = drained.is_ok(), "stopped");
    if asked {
        return Ok(());
    }
    Err(AppError::Io(
        format!("{role:?}"),
        std::io::Error::other("a task ended by itself; the log says why"),
    ))
}

/// Tells the service manager that the runtime still runs.
async fn watchdog(every: Duration) {
    loop {
        tokio::time::sleep(every).await;
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Watchdog]);
    }
}

/// What a role is built from.
struct Host {
    path: PathBuf,
    config: Config,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl Host {
    fn section<T: Clone>(&self, section: &Option<T>, name: &'static str) -> Result<T> {
        let missing = || ConfigError::Section { path: self.path.clone(), section: name };
        Ok(section.clone().ok_or_else(missing)?)
    }
    fn credentials(&self) -> Credentials {
        Credentials::new(&self.config.paths.credentials)
    }
    fn agreements(&self) -> Result<Agreements> {
        Ok(Agreements::load(&self.config.paths.agreements)?)
    }
    fn identities(&self, name: &str) -> Result<Identities> {
        let text = self.credentials().secret(name)?;
        let wrong = || ConfigError::Credential {
            name: name.into(),
            why: words!("geen age-identiteit", "not an age identity"),
        };
        Ok(Identities::read(text.expose_secret()).ok_or_else(wrong)?)
    }

    async fn books(&self, place: &str, side: Side) -> Result<Books> {
        let wrong = |why: Words| ConfigError::Credential { name: STATEMENT_KEY.into(), why };
        let signers = self.credentials().secret(STATEMENT_KEY)?;
        let signers = Signers::from_openssh(signers.expose_secret());
        let signers = signers.map_err(|e| wrong(e.words()))?;
        let mailbox = self.identities("mailbox-identity")?;
        let clock: SharedClock = Arc::new(RealClock);
        let agreements = match side {
            Side::Agency => Agreements::of(&self.config)?,
            Side::Municipality => Agreements::load(&self.config.paths.agreements)?,
        };
        let party = self.config.party.id.clone();
        agreements.are_of(&party, side)?;
        let store = Store::open(place).await.map_err(CoreError::from)?;
        let duties = Duties::new(self.config.who_may()?, side)?;
        let books = Books::open(store, clock, party, side, agreements, signers, mailbox).await;
        let mut books = books.map_err(|error| match error {
            CoreError::MissingKey { .. } => AppError::from(wrong(error.words())),
            other => other.into(),
        })?;
        books.duties = duties;
        Ok(books)
    }

    fn serve(&mut self, name: &str, router: Router) -> Result<()> {
        let room = match name.split_once('-') {
            None | Some((_, "health")) => Room::PERSONS,
            Some(_) => Room::of_gate(self.agreements()?.iter().count()),
        };
        let router = if name.contains('-') { gatehouse::told(router, name) } else { router };
        let socket = self.config.socket(name);
        let paths = &self.config.paths;
        // A group of its own for each gate, where the configuration says so: no gate speaks for another.
        let group = match name.split_once('-') {
            Some((_, gate)) => paths.gates.as_ref().map(|group| group.replace("{gate}", gate)),
            None => paths.persons.clone(),
        };
        let group = group.map(|name| {
            accounts::group_id(&name).ok_or_else(|| {
                let why =
                    std::io::Error::other(format!("there is no group {name} on this machine"));
                AppError::Io("[paths]".into(), why)
            })
        });
        let listener = gatehouse::listen(&socket, group.transpose()?)?;
        self.tasks.spawn(local::serve(listener, router, room, self.stop.clone()));
        Ok(())
    }

    async fn sealer(&mut self) -> Result<()> {
        let settings = self.section(&self.config.sealer, "sealer")?;
        settings.claims_by_rename()?;
        let books = self.books(&settings.store, Side::Agency).await?;
        for folder in [&settings.outbox, &settings.private, &settings.spool, &settings.bundles] {
            files::private_folder(folder).map_err(AppError::io(folder.display()))?;
        }
        for installed in books.agreements.iter() {
            let folder = settings.outbox.join(installed.terms.agreement.agreement.as_str());
            // Sticky: who may put drops there renames and removes none of somebody else's, and so offers none anew in that
            // one's name. From the beginning: the units let nobody set a mode that has the folder's group in it.
            durable::folders(&folder, 0o1777).map_err(AppError::io(folder.display()))?;
            tell_open(&folder).map_err(AppError::io(folder.display()))?;
            let private = settings.private.join(installed.terms.agreement.agreement.as_str());
            files::private_folder(&private).map_err(AppError::io(private.display()))?;
        }
        // What goes back there is not to lose the folder that it lies in.
        files::sync_folder(&settings.outbox).map_err(AppError::io(settings.outbox.display()))?;
        let (language, folders) = (self.config.party.language, self.config.folders());
        let core = Arc::new(Agency::new(books, settings.clone(), language, folders)?);
        core.recover().await?;
        self.serve("sealer", agency::persons::router(Arc::clone(&core)))?;
        let carrier = gate_router(Arc::clone(&core), Role::Carrier)
            .merge(letters_router(Arc::clone(&core), Role::Carrier))
            .merge(agency::envelopes::router(Arc::clone(&core)));
        self.serve("sealer-carrier", carrier)?;
        let releaser = gate_router(Arc::clone(&core), Role::Releaser)
            .merge(release_router(Arc::clone(&core), Role::Releaser));
        self.serve("sealer-releaser", releaser)?;
        self.serve("sealer-reports", agency::report::router(Arc::clone(&core)))?;
        self.watched(&core, "sealer")?;
        self.tasks.spawn(watch(Arc::clone(&core), settings, self.stop.clone()));
        self.tasks.spawn(drive(core, self.stop.clone(), Role::Sealer));
        Ok(())
    }

    async fn keeper(&mut self) -> Result<()> {
        let settings = self.section(&self.config.keeper, "keeper")?;
        let books = self.books(&settings.store, Side::Municipality).await?;
        let core = Arc::new(Municipality::new(books, settings));
        core.recover().await?;
        self.serve("keeper", municipality::persons::router(Arc::clone(&core)))?;
        let envelopes = municipality::persons::envelopes(Arc::clone(&core));
        let fetcher = gate_router(Arc::clone(&core), Role::Fetcher)
            .merge(letters_router(Arc::clone(&core), Role::Fetcher));
        self.serve("keeper-fetcher", fetcher.merge(envelopes))?;
        self.watched(&core, "keeper")?;
        self.tasks.spawn(drive(core, self.stop.clone(), Role::Keeper));
        Ok(())
    }

    /// What both cores have for monitoring, and for the notifier where there is one.
    fn watched<C: Core>(&mut self, core: &Arc<C>, name: &str) -> Result<()> {
        self.serve(&format!("{name}-health"), health::router(Arc::clone(core)))?;
        let notifier = self.config.notifier.is_some();
        if notifier {
            let mails = gate_router(Arc::clone(core), reminders::GATE);
            self.serve(&format!("{name}-{}", reminders::GATE), mails)?;
        }
        self.tasks.spawn(reminders::watch(Arc::clone(core), notifier, self.stop.clone()));
        Ok(())
    }

    fn notifier(&mut self) -> Result<()> {
        let settings = self.section(&self.config.notifier, "notifier")?;
        let core = self.config.core().map(|core| format!("{core}-{}", reminders::GATE));
        let missing = || ConfigError::Section { path: self.path.clone(), section: "sealer" };
        let desk = desk(&self.config.socket(&core.ok_or_else(missing)?))?;
        let party = self.config.party.clone();
        let notifier = Notifier::new(desk, party, settings, &self.credentials())?;
        self.tasks.spawn(notifier.serve(self.stop.clone()));
        Ok(())
    }

    fn carrier(&mut self) -> Result<()> {
        let gate = self.section(&self.config.carrier, "carrier")?;
        let socket = self.config.socket("sealer-carrier");
        for installed in self.agreements()?.iter() {
            let (desk, zone) = (desk(&socket)?, self.zone(&gate, installed, Side::Agency)?);
            let agreement = installed.terms.agreement.agreement.clone();
            self.tasks.spawn(agency::carry::serve(desk, zone, agreement, self.stop.clone()));
        }
        self.idle_if_empty();
        Ok(())
    }

    fn fetcher(&mut self) -> Result<()> {
        let gate = self.section(&self.config.fetcher, "fetcher")?;
        let socket = self.config.socket("keeper-fetcher");
        for installed in self.agreements()?.iter() {
            let (desk, zone) = (desk(&socket)?, self.zone(&gate, installed, Side::Municipality)?);
            let agreement = installed.terms.agreement.agreement.clone();
            self.tasks.spawn(municipality::fetch::serve(desk, zone, agreement, self.stop.clone()));
        }
        self.idle_if_empty();
        Ok(())
    }

    /// A gate without agreements waits for its restart after `sluis agreement add`.
    fn idle_if_empty(&mut self) {
        if self.tasks.is_empty() {
            tracing::warn!(
                "no agreement is installed; add one with `sluis agreement add` and restart"
            );
            let stop = self.stop.clone();
            self.tasks.spawn(async move { stop.cancelled().await });
        }
    }

    fn zone(&self, gate: &Gate, installed: &Installed, side: Side) -> Result<ZoneClient> {
        let agreement = &installed.terms.agreement;
        let ours: Vec<Digest> = agreement.party_keys(side).let_in().collect();
        let identity = tls::Identity::load(&self.credentials(), |pin| ours.contains(pin))?;
        let drop_zone = agreement.keys.drop_zone.let_in().collect();
        let tls = tls::client(identity, drop_zone, gate.require_post_quantum)?;
        let idle = Duration::from_secs(gate.idle_s);
        ZoneClient::new(tls, agreement.drop_zone.host.as_str(), &agreement.agreement, idle)
            .map_err(|e| AppError::Io("the drop zone's client".into(), std::io::Error::other(e)))
    }

    fn releaser(&mut self) -> Result<()> {
        let settings = self.section(&self.config.releaser, "releaser")?;
        let releaser = agency::release::Releaser {
            desk: desk(&self.config.socket("sealer-releaser"))?,
            agreements: self.agreements()?,
            identities: self.identities("bundle-identity")?,
            channels: channel::load(
                &settings.channels,
                settings.callback.as_deref(),
                &self.credentials(),
            )?,
        };
        self.tasks.spawn(agency::release::serve(Arc::new(releaser), self.stop.clone()));
        Ok(())
    }

    async fn reports(&mut self) -> Result<()> {
        let settings = self.section(&self.config.reports, "reports")?;
        let desk = desk(&self.config.socket("sealer-reports"))?;
        let credentials = self.credentials();
        let reports = agency::reports::Reports::new(desk, settings.channels, &credentials)?;
        let tls = match settings.tls {
            true => Some(tls::open_server(tls::Identity::named(&credentials, "reports")?)?),
            false => None,
        };
        let listener = listener(&settings.listen).await?;
        let at = listener.local_addr().map_err(AppError::io(&settings.listen))?;
        if tls.is_none() && !at.ip().is_loopback() {
            let why = "plain http is for this machine only: set reports.tls, or listen on 127.0.0.1 \
                 behind a server that speaks TLS";
            return Err(AppError::Io(settings.listen.to_string(), std::io::Error::other(why)));
        }
        let max_connections = settings.max_connections;
        let (write, keys) = (accept::WRITE, BTreeMap::new());
        let door = Door { listener, tls, max_connections, write, keys };
        let router = agency::reports::router(Arc::new(reports));
        self.tasks.spawn(accept::serve(door, router, self.stop.clone(), DRAIN));
        Ok(())
    }

    async fn dropzone(&mut self) -> Result<()> {
        let settings = self.section(&self.config.dropzone, "dropzone")?;
        let tenant = |installed: &Installed| server::Tenant {
            agreement: installed.terms.agreement.agreement.clone(),
            agency: installed.terms.agreement.keys.agency.let_in().collect(),
            municipality: installed.terms.agreement.keys.municipality.let_in().collect(),
            quota: settings.quota_mib.saturating_mul(1 << 20),
            max_uploads: settings.max_uploads,
        };
        let agreements = self.agreements()?;
        let tenants: Vec<_> = agreements.iter().map(tenant).collect();
        let parties = tenants.iter().flat_map(|tenant| [&tenant.agency, &tenant.municipality]);
        // A party that changed its key has no more room than another.
        let of_one =
            |keys: &Vec<Digest>| keys.iter().map(|key| (*key, keys[0])).collect::<Vec<_>>();
        let keys: BTreeMap<Digest, Digest> = parties.flat_map(of_one).collect();
        let clients = keys.keys().copied().collect();
        // Whoever has the older version of an agreement knows the older key alone.
        let zones: Vec<_> =
            agreements.iter().map(|it| &it.terms.agreement.keys.drop_zone).collect();
        let known = |pin: &Digest| zones.iter().all(|keys| keys.let_in().any(|key| key == *pin));
        let tls = tls::server(tls::Identity::load(&self.credentials(), known)?, clients)?;
        let clock: SharedClock = Arc::new(RealClock);
        let zone = server::Zone::open(
            server::Settings {
                folder: settings.folder.clone(),
                tenants,
                expires_ms: i64::from(settings.expires_hours) * 3_600_000,
                letters_keep_ms: 30 * 86_400_000,
                max_letters: 100_000,
                max_gone: 100_000,
                idle: Duration::from_secs(settings.idle_s),
            },
            clock,
        )
        .map_err(AppError::io(settings.folder.display()))?;
        let listener = listener(&settings.listen).await?;
        let router = server::router(Arc::clone(&zone));
        let max_connections = settings.max_connections;
        let (tls, write) = (Some(tls), accept::WRITE);
        let door = Door { listener, tls, max_connections, write, keys };
        self.tasks.spawn(accept::serve(door, router, self.stop.clone(), DRAIN));
        self.tasks.spawn(sweep(zone, self.stop.clone()));
        Ok(())
    }
}

fn desk(socket: &Path) -> Result<Desk> {
    Desk::new(socket)
        .map_err(|e| AppError::Io(socket.display().to_string(), std::io::Error::other(e)))
}

/// A folder that was made by hand may not be sticky.
fn tell_open(folder: &Path) -> std::io::Result<()> {
    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(folder)?);
    if mode & 0o1000 == 0 && mode & 0o022 != 0 {
        tracing::warn!(folder = %folder.display(), "who may put drops here may rename those of others too: chmod +t");
    }
    Ok(())
}

/// The socket that the service manager hands over, or one of our own.
async fn listener(address: &Address) -> Result<TcpListener> {
    let inherited = listenfd::ListenFd::from_env()
        .take_tcp_listener(0)
        .map_err(AppError::io("the inherited socket"))?;
    match inherited {
        Some(inherited) => {
            inherited.set_nonblocking(true).map_err(AppError::io("the inherited socket"))?;
            TcpListener::from_std(inherited).map_err(AppError::io("the inherited socket"))
        }
        None => TcpListener::bind(address.as_str()).await.map_err(AppError::io(address)),
    }
}

async fn sweep(zone: Arc<server::Zone>, stop: CancellationToken) {
    loop {
        let zone = Arc::clone(&zone);
        if let Ok(Err(error)) = threads::blocking(move || zone.sweep()).await {
            tracing::warn!(%error, "what has expired cannot be removed");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(Duration::from_secs(60)) => {}
        }
    }
}

/// Works a core's own queue off, then waits for a change or for what is due.
async fn drive<C: Core>(core: Arc<C>, stop: CancellationToken, gate: Role) {
    while !stop.is_cancelled() {
        let change = core.books().change();
        tokio::pin!(change);
        change.as_mut().enable();
        match core.step().await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => {
                tracing::error!(%error, "the core cannot work");
                // The service manager starts it anew; it waits for the other one then, as any second core does.
                if matches!(error, CoreError::Store(StoreError::Taken(_) | StoreError::Changed(_)))
                {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        }
        let wait = next_due(&*core, gate).await;
        tokio::select! {
            () = stop.cancelled() => return,
            () = change => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

async fn next_due<C: Core>(core: &C, gate: Role) -> Duration {
    let Ok(mut tx) = core.books().store.begin().await else { return Duration::from_secs(1) };
    let due = tx.earliest(gate, Lane::Jobs, None).await.ok().flatten();
    let wait = due.map_or(i64::MAX, |due| due.0 - core.books().now().0).max(5);
    Duration::from_millis(u64::try_from(wait).unwrap_or(5)).min(REST)
}

/// So many events of the outbox wait until it was looked at.
const EVENTS: usize = 4096;

/// Watches the outbox: events are hints, the rescan is the truth.
async fn watch(core: Arc<Agency>, settings: sluis_config::schema::Sealer, stop: CancellationToken) {
    let (tell, mut told) = tokio::sync::mpsc::channel(EVENTS);
    let lost = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let lost_there = Arc::clone(&lost);
    let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // More events than can be taken: the next look is at everything.
        let kept = event.is_ok_and(|event| tell.try_send(event).is_ok());
        if !kept {
            lost_there.store(true, std::sync::atomic::Ordering::Relaxed);
        }
    });
    let mut watcher = watcher.ok();
    let mut outbox = Outbox::new(settings.outbox.clone(), settings.settle_ms);
    let rescan = Duration::from_secs(settings.rescan_s.max(1));
    let settle = Duration::from_millis((settings.settle_ms / 2).clamp(20, 1000));
    let mut full = tokio::time::Instant::now();
    loop {
        let is_lost = lost.swap(false, std::sync::atomic::Ordering::Relaxed);
        if is_lost {
            // What waits in line tells of what came before.
            for event in std::iter::from_fn(|| told.try_recv().ok()).take(EVENTS) {
                outbox.hear(&event);
            }
            core.lost(&mut outbox);
        }
        if is_lost || tokio::time::Instant::now() >= full {
            full = tokio::time::Instant::now() + rescan;
            outbox.look_again();
            watch_folders(watcher.as_mut(), &settings.outbox);
        }
        // Listened to before the look: what waits for it is looked at again.
        let heard = core.books.heard.first.notified();
        tokio::pin!(heard);
        heard.as_mut().enable();
        let settling = core.look(&mut outbox).await;
        let rest = full.saturating_duration_since(tokio::time::Instant::now());
        let rest = if settling { rest.min(settle) } else { rest };
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(rest) => {}
            () = heard => outbox.look_again(),
            () = core.offered() => {}
            heard = change(&mut outbox, &mut told) => {
                if heard == Heard::Lost {
                    lost.store(true, std::sync::atomic::Ordering::Relaxed);
                }
            }
        }
    }
}

/// Waits until an event tells of a change, and takes the hints of all that came with it.
async fn change(
    outbox: &mut Outbox,
    told: &mut tokio::sync::mpsc::Receiver<notify::Event>,
) -> Heard {
    let mut heard = Heard::Nothing;
    while heard == Heard::Nothing {
        // The watcher lives as long as this loop; without one, the rescan is all there is.
        let Some(event) = told.recv().await else { return std::future::pending().await };
        heard = outbox.hear(&event);
        while let Ok(event) = told.try_recv() {
            heard = heard.max(outbox.hear(&event));
        }
    }
    heard
}

/// Folders of agreements come and go; watching one twice changes nothing.
fn watch_folders(watcher: Option<&mut notify::RecommendedWatcher>, root: &Path) {
    let Some(watcher) = watcher else { return };
    let folders = std::fs::read_dir(root).into_iter().flatten().flatten().map(|entry| entry.path());
    for folder in folders.filter(|path| path.is_dir()).chain([root.to_owned()]) {
        if let Err(error) = watcher.watch(&folder, RecursiveMode::NonRecursive) {
            tracing::warn!(%error, "a folder of the outbox is not watched; the rescan still looks at it");
        }
    }
}

/// The runtime of a role: two threads serve any of them.
///
/// # Errors
/// [`AppError::Io`] where the system gives no threads.
pub fn runtime() -> Result<tokio::runtime::Runtime> {
    // One provider, named before anything asks for one.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(16)
        .enable_all()
        .build()
        .map_err(AppError::io("starting threads"))
}

/// Runs a role until SIGTERM or SIGINT, in a runtime of its own: what is asynchronous is compiled here, and not in each
/// program that rings.
///
/// # Errors
/// As [`run`].
pub fn until_signal(role: Role, path: &Path, config: Config) -> Result<()> {
    runtime()?.block_on(signalled(role, path, config))
}

async fn signalled(role: Role, path: &Path, config: Config) -> Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let stop = CancellationToken::new();
    let mut terminate = signal(SignalKind::terminate()).map_err(AppError::io("signals"))?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(AppError::io("signals"))?;
    let stopping = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        stopping.cancel();
    });
    run(role, path, config, stop).await
}
