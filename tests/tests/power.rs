//! What a power cut leaves: every host of one journey, cut at every step, with every choice a seed makes of what was not
//! synced, held against the rules. `SLUIS_SEEDS` says how many seeds a moment gets, `SLUIS_SEED` from which. On a sample of
//! these disks, by seed, the roles start again: `SLUIS_STARTS` says how often for each journey.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use sluis_core::agreement::Side;
use sluis_core::id::Digest;
use sluis_core::{receipt, transfer};
use sluis_daemon::store::{Record, Store};
use sluis_tests::dice::Dice;
use sluis_tests::power::again::{self, Messages};
use sluis_tests::power::{Cut, Trace, watched};
use sluis_tests::world::{ROLES, somewhere};
use sluis_tests::{World, stderr, until};
use tempfile::TempDir;

const LIST: &[u8] = b"rijksregisternummer;contract;attest\n85073003328;1;1\n90020199704;1;0\n";
const HOSTS: [(&str, &str); 3] =
    [("agency", "sealer"), ("municipality", "keeper"), ("dropzone", "dropzone")];

/// Three hosts that are watched.
struct Walk {
    world: World,
    /// The logs of each host's role, in the order of [`HOSTS`].
    logs: Vec<Vec<String>>,
}

impl Walk {
    /// The code of the newest transfer, once it is one of so many and has come this far at the agency.
    fn sent(&self, of: usize, state: &str) -> String {
        let code = until("the drop to be taken", || {
            let list = self.world.json("agency", &["list"]);
            let rows = list.as_array().unwrap();
            let open = rows.iter().find(|row| row["state"] != "Superseded");
            open.filter(|_| rows.len() == of).map(|row| row["code"].as_str().unwrap().to_owned())
        });
        self.world.wait("agency", &code, state);
        code
    }

    fn open(&self, code: &str) {
        let lines = self.world.lines(code).join("\n");
        let opened = self.world.cli_with("municipality", &["open", code], &lines);
        assert!(opened.status.success(), "{}", stderr(&opened));
        self.world.wait("agency", code, "Closed");
    }

    fn killed(&mut self, role: &'static str) {
        self.world.kill(role);
        let host = HOSTS.iter().position(|(_, disk)| *disk == role).unwrap();
        let log = format!("{role}-{}", self.logs[host].len());
        let command =
            watched(&self.world.command(role), &self.world.path(&format!("{log}.strace")));
        self.logs[host].push(log);
        self.world.start_as(role, command);
    }
}

/// A journey to its end, and what each host's disk was asked on the way.
struct Journey {
    world: World,
    /// In the order of [`HOSTS`].
    traces: Vec<Trace>,
    messages: Messages,
}

impl Journey {
    /// Watched while this happens; whoever is killed on the way is started anew, and watched.
    fn of(happens: impl FnOnce(&mut Walk)) -> Self {
        Self::begun_by(|_| true, happens)
    }

    /// The same, where these roles begin; what happens starts the others.
    fn begun_by(begins: impl Fn(&str) -> bool, happens: impl FnOnce(&mut Walk)) -> Self {
        let mut world = World::running();
        ROLES.iter().for_each(|(role, _)| assert!(world.stop(role).success()));
        world.put("lijst.csv".as_ref(), LIST);
        let mut traces: Vec<Trace> =
            HOSTS.iter().map(|(host, _)| Trace::of(&world.path(host))).collect();
        traces[0].unsynced(&world.outbox().join("lijst.csv"));
        let log = |world: &World, role: &str| world.path(&format!("{role}.strace"));
        for (role, _) in ROLES.into_iter().filter(|(role, _)| begins(role)) {
            let mut command = world.command(role);
            if HOSTS.iter().any(|(_, disk)| *disk == role) {
                command = watched(&command, &log(&world, role));
            }
            world.start_as(role, command);
        }
        let mut walk =
            Walk { world, logs: HOSTS.iter().map(|(_, role)| vec![role.to_string()]).collect() };
        happens(&mut walk);
        let Walk { mut world, logs } = walk;
        ROLES.iter().for_each(|(role, _)| assert!(world.stop(role).success()));
        for (trace, logs) in traces.iter_mut().zip(logs) {
            let logs: Vec<PathBuf> = logs.iter().map(|name| log(&world, name)).collect();
            for path in &logs {
                until("strace to end", || (!is_written(path)).then_some(()));
            }
            trace.watch(&logs);
        }
        let messages = Messages::of(&world);
        Self { world, traces, messages }
    }

    /// The two other hosts at one moment, of which nothing is lost.
    fn around(&self, moment: f64, host: usize) -> TempDir {
        let dir = in_memory();
        for (other, (name, _)) in HOSTS.iter().enumerate().filter(|(other, _)| *other != host) {
            self.traces[other].after(moment, Cut::Nothing, &dir.path().join(name));
        }
        dir
    }

    /// The three hosts at one moment, one of them cut.
    fn at(&self, moment: f64, host: usize, cut: Cut, around: &TempDir) -> Disks {
        let dir = in_memory();
        for (other, (name, _)) in HOSTS.iter().enumerate() {
            let there = dir.path().join(name);
            if other == host {
                self.traces[host].after(moment, cut, &there);
            } else {
                symlink(around.path().join(name), there).unwrap();
            }
        }
        Disks { dir, told: self.messages.by(moment) }
    }
}

/// Thousands of these are made.
fn in_memory() -> TempDir {
    tempfile::Builder::new().prefix("sluis-cut-").tempdir_in("/dev/shm").unwrap()
}

/// Whether somebody still writes this log.
fn is_written(log: &Path) -> bool {
    let own = log.to_string_lossy().into_owned();
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let command = |it: fs::DirEntry| fs::read(it.path().join("cmdline")).unwrap_or_default();
    processes.map(command).any(|line| {
        let line = String::from_utf8_lossy(&line).into_owned();
        line.starts_with("strace") && line.contains(&own)
    })
}

/// What lies on the disks.
struct Disks {
    dir: TempDir,
    /// Messages that had left.
    told: usize,
}

impl Disks {
    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn letters(&self, to: &str) -> BTreeSet<u64> {
        let folder = self.path("dropzone/medium/mechelen/mailbox").join(to);
        let names = fs::read_dir(folder).into_iter().flatten().flatten();
        names.filter_map(|it| it.file_name().to_str()?.parse().ok()).collect()
    }

    /// Uploads, each with its bytes.
    fn uploads(&self) -> Vec<Vec<u8>> {
        let folder = self.path("dropzone/medium/mechelen/files");
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let uploads = entries.filter(|it| !it.file_name().to_string_lossy().starts_with('.'));
        uploads.filter_map(|it| fs::read(it.path().join("data")).ok()).collect()
    }

    /// The bundles, each with its digest.
    fn bundles(&self) -> Vec<(PathBuf, Digest)> {
        let folder = self.path("agency/bundles");
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let bundles = entries.filter(|it| it.path().extension().is_some_and(|end| end == "bundle"));
        bundles
            .map(|it| (it.file_name().into(), Digest::of(&fs::read(it.path()).unwrap())))
            .collect()
    }

    fn gone(&self) -> usize {
        fs::read_dir(self.path("dropzone/medium/mechelen/gone")).map_or(0, Iterator::count)
    }

    async fn books<S: sluis_daemon::store::Stored>(&self, side: Side) -> Books<S> {
        let name = match side {
            Side::Agency => "agency",
            Side::Municipality => "municipality",
        };
        let store = self.path(name).join("state").join(format!("{name}.db"));
        let store = Store::open(store.to_str().unwrap()).await.unwrap();
        let mut tx = store.begin().await.unwrap();
        let agreement = "mechelen".parse().unwrap();
        let mut number = async |party: &str| {
            tx.last_statement(&party.parse().unwrap(), &agreement).await.unwrap().number
        };
        let (agency, municipality) = (number("agentschap-ii").await, number("stad-mechelen").await);
        let postman = sluis_daemon::books::postman(side).name();
        let records: Vec<Record<S>> = tx.recent(10).await.unwrap();
        let mut posted = true;
        for record in &records {
            let waiting = tx.waiting(&record.id).await.unwrap();
            posted &= !waiting.iter().any(|pending| pending.role == postman);
        }
        drop(tx);
        // They are opened again for the next cut, while other tests start programs.
        store.close().await;
        let (said, heard) = match side {
            Side::Agency => (agency, municipality),
            Side::Municipality => (municipality, agency),
        };
        Books { records, said, heard, posted }
    }
}

/// What a store knows.
struct Books<S> {
    records: Vec<Record<S>>,
    /// Statements of its own.
    said: u64,
    /// Statements of the other party.
    heard: u64,
    /// Whether every letter is out.
    posted: bool,
}

/// What lies where lists, shares and letters lie, and is open to more than its role asked for.
fn too_wide(disks: &Path) -> Vec<String> {
    let mut wide = Vec::new();
    for place in [
        "agency/private",
        "agency/spool",
        "agency/bundles",
        "dropzone/medium",
        "municipality/vault",
    ] {
        look_into(
            &disks.join(place),
            &|path: &Path, is_folder: bool| {
                let inside = path.strip_prefix(disks.join(place)).unwrap();
                let depth = inside.components().count();
                let opened = inside.iter().any(|part| part == "opened" || part == "opening");
                // The vault lets its group through to what is open, and to nothing else.
                match (place.ends_with("vault"), opened) {
                    (true, true) if is_folder => 0o750,
                    (true, true) => 0o640,
                    (true, false) if is_folder && depth < 3 => 0o711,
                    // As its owner gave it, in a folder that nobody else enters.
                    _ if place.ends_with("private") && depth > 2 => 0o777,
                    _ if is_folder => 0o700,
                    _ => 0o600,
                }
            },
            &mut wide,
        );
    }
    wide
}

fn look_into(folder: &Path, most: &impl Fn(&Path, bool) -> u32, wide: &mut Vec<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, is_folder) = (entry.path(), entry.file_type().unwrap().is_dir());
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        let most_of_it = most(&path, is_folder);
        if mode & !most_of_it != 0 {
            wide.push(format!("{} is {mode:o}", path.display()));
        }
        if is_folder {
            look_into(&path, most, wide);
        }
    }
}

fn must(holds: bool, rule: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(rule.to_owned()) }
}

/// What holds at the agency, whatever the others are at; with its bundles as they are where nothing was cut.
async fn agency(disks: &Disks, whole: &[(PathBuf, Digest)]) -> Result<(), String> {
    use transfer::State;
    let books = disks.books::<State>(Side::Agency).await;
    let said = disks.letters("municipality").last().copied().unwrap_or(0);
    must(said <= books.said, "what was said is in the books")?;
    let plain = somewhere(&disks.path("agency"), LIST);
    let private = plain.iter().filter(|path| path.starts_with(disks.path("agency/private")));
    // Before it is taken its bytes are its owner's to keep.
    let offered = disks.path("agency/outbox/mechelen/lijst.csv").exists();
    if books.records.is_empty() {
        return must(offered || !plain.is_empty(), "a drop that nobody knows is whole somewhere");
    }
    let done = |state: &State| matches!(state, State::Opened | State::Closed);
    let exposed = |record: &Record<State>| usize::from(record.state.exposed());
    let over = books.records.iter().any(|record| done(&record.state));
    let known: usize = books.records.iter().map(exposed).sum();
    let ended = |state: &State| matches!(state, State::Superseded { .. } | State::Withdrawn);
    let forgotten = books.records.iter().any(|record| ended(&record.state));
    must(over || forgotten || disks.told <= known, "what left counts as exposed")?;
    if !over {
        must(!plain.is_empty(), "a drop that was taken is whole")?;
        must(private.count() == 1, "and in the private folder")?;
    }
    for record in &books.records {
        let spool = disks.path("agency/spool").join(format!("{}.age", record.id));
        let bundle = disks.path("agency/bundles").join(format!("{}.bundle", record.id));
        if let Some(envelope) = record.state.envelope() {
            let there = fs::read(&spool).is_ok_and(|it| Digest::of(&it) == envelope.ciphertext);
            must(there, "a sealed envelope is whole")?;
            let there = fs::read(&bundle).map(|it| Digest::of(&it)).ok();
            let as_written = whole.iter().find(|(path, _)| bundle.ends_with(path));
            let same = as_written.is_none_or(|(_, whole)| there == Some(*whole));
            must(there.is_some() && same, "and its bundle too, to the byte")?;
        }
        if record.state == State::Closed {
            must(plain.is_empty(), "what is said to be erased is")?;
            must(!spool.exists() && !bundle.exists(), "and so are envelope and bundle")?;
        }
    }
    Ok(())
}

/// What holds at the municipality.
async fn municipality(disks: &Disks) -> Result<(), String> {
    use receipt::State;
    let books = disks.books::<State>(Side::Municipality).await;
    let said = disks.letters("agency").last().copied().unwrap_or(0);
    must(said <= books.said, "what was said is in the books")?;
    let vault = disks.path("municipality/vault");
    let envelopes = somewhere(&vault, b"age-encryption.org/v1");
    let whole = |ciphertext: &Digest| {
        envelopes.iter().any(|path| {
            path.ends_with("envelope.age") && Digest::of(&fs::read(path).unwrap()) == *ciphertext
        })
    };
    let sent = || books.records.iter().filter_map(|record| record.state.sent());
    let held = sent().filter(|sent| whole(&sent.ciphertext)).count();
    let over = |state: &State| {
        matches!(state, State::Ended { .. } | State::Destroying { .. } | State::Destroyed { .. })
    };
    let ended = books.records.iter().filter(|it| over(&it.state)).count();
    must(disks.gone() <= held + ended, "gone from the medium: in the vault")?;
    for record in &books.records {
        match &record.state {
            State::Collected { sent, .. } | State::Removed { sent, .. } => {
                must(whole(&sent.ciphertext), "what was delivered is whole")?;
            }
            State::Opened { sent, .. } => {
                must(whole(&sent.ciphertext), "what was delivered is whole")?;
                must(somewhere(&vault, LIST).len() == 1, "what was opened is whole")?;
            }
            State::Destroyed { .. } => {
                must(somewhere(&vault, LIST).is_empty(), "what is said to be destroyed is gone")?;
                must(envelopes.is_empty(), "and its envelope too")?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// What holds in the drop zone.
async fn dropzone(disks: &Disks) -> Result<(), String> {
    let theirs = disks.books::<transfer::State>(Side::Agency).await;
    let ours = disks.books::<receipt::State>(Side::Municipality).await;
    let known = |to: &str, said: u64, heard: u64| {
        let there = disks.letters(to);
        (1..=said).all(|number| number <= heard || there.contains(&number))
    };
    if theirs.posted {
        must(known("municipality", theirs.said, ours.heard), "a letter that was taken is there")?;
    }
    if ours.posted {
        must(known("agency", ours.said, theirs.heard), "a letter that was taken is there")?;
    }
    let uploads: Vec<Digest> = disks.uploads().iter().map(|data| Digest::of(data)).collect();
    for record in &theirs.records {
        let at = ours.records.iter().find(|it| it.id == record.id).map(|it| &it.state);
        match (&record.state, at) {
            (
                transfer::State::Carried { envelope, .. },
                None | Some(receipt::State::Announced { .. }),
            ) => must(uploads.contains(&envelope.ciphertext), "an upload taken whole is whole")?,
            (_, Some(receipt::State::Removed { sent, .. })) => {
                must(!uploads.contains(&sent.ciphertext), "what is gone stays gone")?;
                must(disks.gone() > 0, "and is known to be")?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// The seeds of a moment, which no other moment of the journey has; `SLUIS_SEED` begins elsewhere.
fn seeds(host: usize, moment: usize) -> impl Iterator<Item = u64> {
    let often = number("SLUIS_SEEDS", 3);
    let place = u64::try_from(host * 1_000_000 + moment).unwrap();
    let first = number("SLUIS_SEED", 1) + place * often;
    first..first + often
}

#[test]
fn whatever_a_cut_takes_no_rule_is_broken() {
    hold(Journey::of(|walk| {
        let code = walk.sent(1, "Released");
        walk.open(&code);
    }));
}

#[test]
fn nor_where_it_is_sent_again_and_everybody_was_killed_before() {
    hold(Journey::of(|walk| {
        let _ = walk.sent(1, "Released");
        for (_, role) in HOSTS {
            walk.killed(role);
        }
        let first = walk.sent(1, "Released");
        let again = walk.world.cli("agency", &["redeliver", &first]);
        assert!(again.status.success(), "{}", stderr(&again));
        for (_, role) in HOSTS {
            walk.killed(role);
        }
        let code = walk.sent(2, "Released");
        walk.open(&code);
    }));
}

#[test]
fn nor_where_two_persons_destroy_what_was_opened() {
    hold(Journey::of(|walk| {
        let code = walk.sent(1, "Released");
        walk.open(&code);
        let asked = walk.world.two_persons("municipality", &["destroy", &code]);
        assert!(asked.status.success(), "{}", stderr(&asked));
        walk.world.wait("municipality", &code, "Destroyed");
    }));
}

#[test]
fn nor_where_it_is_withdrawn_and_lies_in_the_vault() {
    // No share leaves: one that waited for this to be said might have let some go before.
    let no_releaser = |role: &str| role != "releaser";
    hold(Journey::begun_by(no_releaser, |walk| {
        let code = walk.sent(1, "Releasing");
        let asked = walk.world.cli("agency", &["withdraw", &code]);
        assert!(asked.status.success(), "{}", stderr(&asked));
        walk.world.wait("agency", &code, "Withdrawn");
        walk.world.wait("municipality", &code, "Ended");
        walk.world.start("releaser");
    }));
}

/// What is open for a transfer that is not, in the books, is put aside: before its folder has another name nobody of the
/// group may enter it, whatever a cut takes.
#[test]
fn what_is_put_aside_is_open_to_nobody_after_any_cut() {
    let mut world = World::running();
    let code = world.send("lijst.csv", LIST);
    world.wait("agency", &code, "Released");
    assert!(world.stop("keeper").success());
    let vault = world.path("municipality/vault/mechelen");
    let folder = fs::read_dir(vault).unwrap().next().unwrap().unwrap().path();
    // As a kill between the opening and its commit leaves it.
    fs::DirBuilder::new().mode(0o750).create(folder.join("opened")).unwrap();
    fs::write(folder.join("opened/lijst.csv"), LIST).unwrap();
    fs::set_permissions(folder.join("opened"), fs::Permissions::from_mode(0o750)).unwrap();
    let file = folder.join("opened/lijst.csv");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let mut trace = Trace::of(&world.path("municipality"));
    let log = world.path("keeper.strace");
    let command = watched(&world.command("keeper"), &log);
    world.start_as("keeper", command);
    assert!(world.stop("keeper").success());
    until("strace to end", || (!is_written(&log)).then_some(()));
    assert!(folder.join("aside/lijst.csv").exists(), "it was put aside");
    trace.watch(&[log]);
    let mut aside = 0;
    for moment in trace.moments() {
        for cut in [Cut::Nothing, Cut::All].into_iter().chain((1..8).map(Cut::Some)) {
            let dir = in_memory();
            trace.after(moment, cut, &dir.path().join("municipality"));
            assert_eq!(too_wide(dir.path()), Vec::<String>::new(), "{cut:?} at {moment}");
            aside += usize::from(!somewhere(dir.path(), LIST)[0].iter().any(|it| it == "opened"));
        }
    }
    assert!(aside > 0, "no cut left it aside");
}

/// The roles start on some of the disks, by seed, each host cut in its turn; whatever a cut took, the transfer converges.
fn start_again(journey: &mut Journey) {
    let mut dice = Dice::of(number("SLUIS_SEED", 1));
    for at in 0..usize::try_from(number("SLUIS_STARTS", 6)).unwrap() {
        let host = at % HOSTS.len();
        let moment = *dice.pick(&journey.traces[host].moments());
        let some = Cut::Some(u64::try_from(dice.below(1000)).unwrap());
        let cut = if dice.percent(30) { Cut::All } else { some };
        let around = journey.around(moment, host);
        let disks = journey.at(moment, host, cut, &around);
        eprintln!("starting again: {} cut at {moment}, {cut:?}", HOSTS[host].0);
        let then = (&journey.messages, moment);
        again::start(&mut journey.world, disks.dir.path(), then, ("lijst.csv", LIST));
        let wrong = again::converges(&mut journey.world, LIST);
        assert_eq!(wrong, Vec::<String>::new(), "{} cut at {moment}, {cut:?}", HOSTS[host].0);
    }
}

/// Cuts each host at each moment, and says all that was broken; then starts on some of what was left.
fn hold(mut journey: Journey) {
    every_cut(&journey);
    start_again(&mut journey);
}

fn every_cut(journey: &Journey) {
    let mut faults = BTreeSet::new();
    let mut tried = Vec::new();
    for (host, (name, _)) in HOSTS.iter().enumerate() {
        let moments = journey.traces[host].moments();
        let (next, states) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let found = std::thread::scope(|scope| {
            let work = || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                let (runtime, mut found) = (runtime.unwrap(), BTreeSet::new());
                loop {
                    let nth = next.fetch_add(1, Ordering::Relaxed);
                    let Some(moment) = moments.get(nth) else { break };
                    let choices = seeds(host, nth).map(Cut::Some);
                    let (mut whole, mut met) = (Vec::new(), BTreeSet::new());
                    let around = journey.around(*moment, host);
                    for cut in [Cut::Nothing, Cut::All].into_iter().chain(choices) {
                        // Where little was not synced two cuts leave the same.
                        if !met.insert(journey.traces[host].left(*moment, cut)) {
                            continue;
                        }
                        let disks = journey.at(*moment, host, cut, &around);
                        states.fetch_add(1, Ordering::Relaxed);
                        if matches!(cut, Cut::Nothing) {
                            whole = disks.bundles();
                        }
                        let held = runtime.block_on(async {
                            match host {
                                0 => agency(&disks, &whole).await,
                                1 => municipality(&disks).await,
                                _ => dropzone(&disks).await,
                            }
                        });
                        let wide = too_wide(disks.dir.path());
                        let narrow = must(wide.is_empty(), "nothing of ours is opened by a cut");
                        if let Err(rule) = held.and(narrow.map_err(|it| format!("{it}: {wide:?}")))
                        {
                            found.insert((rule, format!("{name} at {moment}, {cut:?}")));
                        }
                    }
                }
                found
            };
            let workers: Vec<_> = (0..2).map(|_| scope.spawn(work)).collect();
            workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect::<BTreeSet<_>>()
        });
        tried.push(format!("{name}: {} moments, {states:?} disks", moments.len()));
        faults.extend(found);
    }
    eprintln!("{}", tried.join("; "));
    let mut once = BTreeSet::new();
    let first: Vec<_> = faults.iter().filter(|(rule, _)| once.insert(rule.clone())).collect();
    assert!(faults.is_empty(), "{} faults, {tried:?}, the first of each: {first:#?}", faults.len());
}
