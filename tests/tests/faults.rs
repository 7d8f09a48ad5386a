//! Every point that a role passes, with a kill there, and with errors of the disk and a delay: it converges, and every rule
//! holds. What is passed is recorded first, so that a new step is visited by itself.
//!
//! Every point is visited with a kill; of the other faults a seeded part, or all with `SLUIS_FAULTS_ALL=1`.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::sync::Mutex;
use std::time::Instant;

use sluis_core::id::Time;
use sluis_daemon::health::Seen;
use sluis_daemon::store::{Holder, Store};
use sluis_tests::dice::Dice;
use sluis_tests::faults::{Fault, Tended, entries, half_made, json, lines, rows, state};
use sluis_tests::world::{ROLES, somewhere};
use sluis_tests::{World, stderr};

/// Of the errors and delays, so many in a hundred are tried in each run.
const PART: usize = 12;
/// Of what a point is passed more often than this in one journey, the first so many passings are visited.
const MOST: usize = 2;
/// The seed of what is tried.
const SEED: u64 = 51;

/// A way that a list can go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Journey {
    /// To `Closed`, and destroyed by two persons.
    Straight,
    /// Stopped by a person.
    Withdrawn,
    /// Sent again under another key.
    Again,
    /// A drop that may not leave, and a notice.
    Refused,
}

const JOURNEYS: [Journey; 4] =
    [Journey::Straight, Journey::Withdrawn, Journey::Again, Journey::Refused];

/// What both parties say of a list that went the whole way, each once.
const SAID: [&str; 10] = [
    "sent",
    "delivered",
    "removed",
    "probed",
    "released",
    "share-accepted",
    "share-accepted",
    "opened",
    "closed",
    "destroyed",
];

impl Journey {
    fn go(self, at: usize, on: &mut Tended) {
        let name = format!("lijst-{at}.csv");
        let list =
            format!("rijksregisternummer;contract;attest\n85073003328;1;{at:09}\n").into_bytes();
        match self {
            Self::Straight => straight(on, &name, &list),
            Self::Withdrawn => withdrawn(on, &name, &list),
            Self::Again => again(on, &name, &list),
            Self::Refused => {
                refused(on, at);
                noticed(on, at);
                quiet(on);
            }
        }
    }
}

fn straight(on: &mut Tended, name: &str, content: &[u8]) {
    let code = on.offer(name, content);
    released(on, &code);
    opened_and_destroyed(on, &code, content);
}

fn withdrawn(on: &mut Tended, name: &str, content: &[u8]) {
    let code = on.offer(name, content);
    let over = ["Withdrawn", "Released"];
    let how = on.until("a withdrawal, or that it is too late", |world| {
        let _ = world.cli("agency", &["withdraw", &code]);
        state(world, "agency", &code).filter(|state| over.contains(&state.as_str()))
    });
    if how == "Released" {
        return opened_and_destroyed(on, &code, content);
    }
    on.guarded = None;
    on.until("the municipality to hear of the end, or never of it", |world| {
        // What was stopped before it was sealed, nobody there hears of.
        let sent = entries(world, "agency", &code)?.contains(&"said sent".to_owned());
        let rows = rows(world, "municipality")?;
        let row = rows.iter().find(|row| row["code"] == *code);
        row.map_or(!sent, |row| row["state"] == "Ended").then_some(())
    });
    assert!(lines(&on.world, &code).len() < 2, "{code} was withdrawn");
    quiet(on);
}

fn again(on: &mut Tended, name: &str, content: &[u8]) {
    let old = on.offer(name, content);
    released(on, &old);
    let former = lines(&on.world, &old);
    on.does("agency", &old, "Superseded", |world| {
        let _ = world.cli("agency", &["redeliver", &old]);
    });
    let new = on.until("the new transfer", |world| {
        let detail = json(world, "agency", &["show", &old])?;
        let id = detail["state"]["Superseded"]["by"]
            .as_str()
            .or(detail["state"]["by"].as_str())?
            .to_owned();
        let rows = rows(world, "agency")?;
        let row = rows.iter().find(|row| row["transfer"] == *id)?;
        row["code"].as_str().map(str::to_owned)
    });
    on.reaches("municipality", &old, &["Ended"]);
    released(on, &new);
    assert!(former.values().all(|line| !lines(&on.world, &new).values().any(|it| it == line)));
    opened_and_destroyed(on, &new, content);
}

fn refused(on: &mut Tended, at: usize) {
    let link = on.world.outbox().join(format!("link-{at}.csv"));
    std::os::unix::fs::symlink("/etc/hostname", &link).unwrap();
    let status = on.world.outbox().join(format!("STATUS-link-{at}.csv.txt"));
    on.until("a refusal", |_| {
        fs::read_to_string(&status).ok().filter(|text| text.starts_with("REFUSED"))
    });
    assert!(link.symlink_metadata().is_ok(), "a refused drop stays where it is");
    fs::remove_file(link).unwrap();
}

fn noticed(on: &mut Tended, at: usize) {
    let text = format!("de lijst, {at}");
    let known = |world: &World| {
        let notices = json(world, "agency", &["notices"])?;
        notices.as_array()?.iter().any(|it| it.to_string().contains(&text)).then_some(())
    };
    let own = |world: &World| {
        let notices = json(world, "municipality", &["notices"])?;
        Some(notices.as_array()?.iter().any(|it| it.to_string().contains(&text)))
    };
    on.until("a notice to be heard", |world| {
        if !own(world)? {
            let _ = world.cli("municipality", &["request", "mechelen", "--text", &text]);
        }
        known(world)
    });
}

/// All shares are out, each to its telephone, and none before the file was gone.
fn released(on: &mut Tended, code: &str) {
    on.reaches("agency", code, &["Released"]);
    let lines = lines(&on.world, code);
    assert_eq!(lines.len(), 3, "{code}: {lines:?}");
    let ledger = on.until("the ledger", |world| entries(world, "agency", code));
    let first = |kind: &str| ledger.iter().position(|it| it == kind);
    let (removed, exposing) = (first("said removed"), first("exposing"));
    assert!(removed.is_some() && removed < exposing, "{code}: {ledger:?}");
}

/// Two custodians type, and two persons have it destroyed.
fn opened_and_destroyed(on: &mut Tended, code: &str, content: &[u8]) {
    let typed = lines(&on.world, code).into_values().collect::<Vec<_>>().join("\n");
    on.does("municipality", code, "Opened", |world| {
        let _ = world.cli_with("municipality", &["open", code], &typed);
    });
    let opened = somewhere(&on.world.path("municipality/vault"), content);
    assert_eq!(opened.len(), 1, "{code}: {opened:?}");
    on.reaches("agency", code, &["Closed"]);
    let mut everywhere = somewhere(&on.world.path("agency"), content);
    everywhere.extend(somewhere(&on.world.path("dropzone"), content));
    assert_eq!(everywhere, Vec::<std::path::PathBuf>::new(), "{code} is closed");
    on.guarded = None;
    on.does("municipality", code, "Destroyed", |world| {
        let _ = world.cli("municipality", &["destroy", code]);
        let _ = world.cli_as("65534", "municipality", &["destroy", code]);
    });
    assert_eq!(
        somewhere(&on.world.path("municipality/vault"), content).len(),
        0,
        "{code} is destroyed"
    );
    for host in ["agency", "municipality"] {
        let mut wanted = SAID.map(|kind| format!("said {kind}")).to_vec();
        wanted.sort();
        let mut last = Vec::new();
        let said = on.until(&format!("every statement of {code} at the {host}"), |world| {
            let mut said = entries(world, host, code)?;
            said.retain(|it| it.starts_with("said "));
            said.sort();
            last.clone_from(&said);
            (said.len() >= wanted.len()).then_some(said)
        });
        assert_eq!(said, wanted, "{code} at the {host}: a statement for each state, once");
    }
    quiet(on);
}

/// Nothing is left on the way, and both ledgers are what they were, and more.
fn quiet(on: &mut Tended) {
    let on_the_way = ["agency/spool", "agency/bundles", "dropzone/medium/mechelen/files"];
    on.until(&format!("nothing to be left in {on_the_way:?}"), |world| {
        let left = |at: &&str| fs::read_dir(world.path(at)).is_ok_and(|all| all.count() > 0);
        (!on_the_way.iter().any(left)).then_some(())
    });
    let mut left = Vec::new();
    for _ in 0..50 {
        left = half_made(&on.world.path(""));
        if left.is_empty() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    assert!(left.is_empty(), "half made: {left:?}");
    for host in ["agency", "municipality"] {
        on.ledger_grew(host);
    }
    // Every share that left was entered before, each time.
    let left = on.passings("releaser", |point| {
        point.starts_with("agency/release.rs") && point.ends_with("leaves")
    });
    let mut exposed = 0;
    let known = on.until("the transfers", |world| rows(world, "agency"));
    for row in known {
        let code = row["code"].as_str().unwrap().to_owned();
        let ledger = on.until("the ledger", |world| entries(world, "agency", &code));
        exposed += ledger.iter().filter(|it| *it == "exposing").count();
    }
    assert!(left <= exposed, "{left} shares left, {exposed} were entered before");
}

/// How often each role passes each point: at its start, and on a journey.
type Passed = BTreeMap<(bool, Journey), BTreeMap<&'static str, BTreeMap<String, usize>>>;

fn record() -> Passed {
    let mut on = Tended::running();
    let mut passed = Passed::new();
    let mut note = |on: &mut Tended, start: bool, journey| {
        let roles: &mut BTreeMap<_, BTreeMap<_, usize>> =
            passed.entry((start, journey)).or_default();
        for (role, _) in ROLES {
            for point in on.passed(role) {
                *roles.entry(role).or_default().entry(point).or_default() += 1;
            }
        }
    };
    note(&mut on, true, Journey::Straight);
    for (at, journey) in JOURNEYS.into_iter().enumerate() {
        journey.go(at, &mut on);
        note(&mut on, false, journey);
    }
    passed
}

/// What is visited: whether it comes later than at the start, on which journey, and the faults of each role.
struct Visits {
    queues: BTreeMap<(bool, Journey), BTreeMap<&'static str, VecDeque<Fault>>>,
    points: BTreeMap<&'static str, BTreeSet<String>>,
}

fn visits(passed: &Passed) -> Visits {
    let all = std::env::var("SLUIS_FAULTS_ALL").is_ok();
    let mut dice = Dice::of(SEED);
    let mut seen: BTreeMap<(&str, String), usize> = BTreeMap::new();
    let mut visits = Visits { queues: BTreeMap::new(), points: BTreeMap::new() };
    for start in [false, true] {
        for journey in JOURNEYS {
            for (role, points) in passed.get(&(start, journey)).into_iter().flatten() {
                for (point, count) in points {
                    visits.points.entry(role).or_default().insert(point.clone());
                    let before = seen.entry((role, point.clone())).or_default();
                    for nth in *before + 1..=(*count).min(MOST) {
                        for kind in ["kill", "EIO", "ENOSPC", "delay"] {
                            if kind == "kill" || all || dice.percent(PART) {
                                let queue = visits.queues.entry((!start, journey)).or_default();
                                let fault = Fault { point: point.clone(), nth, kind };
                                queue.entry(role).or_default().push_back(fault);
                            }
                        }
                    }
                    *before = (*before).max((*count).min(MOST));
                }
            }
        }
    }
    visits
}

/// What was asked for: what came, and what did not.
#[derive(Default)]
struct Came {
    by: BTreeMap<(&'static str, &'static str), usize>,
    killed: BTreeMap<&'static str, BTreeSet<String>>,
    not: Vec<(&'static str, Fault)>,
    rounds: usize,
    started: usize,
}

type Round = (Journey, bool, Vec<(&'static str, Fault)>);

fn rounds(mut visits: Visits) -> VecDeque<Round> {
    let mut rounds = VecDeque::new();
    for ((later, journey), queues) in &mut visits.queues {
        loop {
            let next =
                queues.iter_mut().filter_map(|(role, queue)| Some((*role, queue.pop_front()?)));
            let next: Vec<_> = next.collect();
            if next.is_empty() {
                break;
            }
            rounds.push_back((*journey, !*later, next));
        }
    }
    rounds
}

fn walk(rounds: &Mutex<VecDeque<Round>>, came: &Mutex<Came>) {
    let mut on = Tended::running();
    let mut at = 0;
    loop {
        let Some((journey, start, faults)) = rounds.lock().unwrap().pop_front() else { break };
        at += 1;
        // A municipality asks once a year.
        if journey == Journey::Refused {
            verified(&mut on);
            on = Tended::running();
        }
        for (role, fault) in &faults {
            on.ask(role, fault);
            if start {
                on.restart(role);
            }
        }
        let told = format!("{journey:?}, at the start: {start}: {faults:?}");
        let gone =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| journey.go(at, &mut on)));
        if let Err(fault) = gone {
            eprintln!("with {told}");
            rounds.lock().unwrap().clear();
            std::panic::resume_unwind(fault);
        }
        let mut came = came.lock().unwrap();
        came.rounds += 1;
        for (role, fault) in faults {
            if on.came(role) {
                *came.by.entry((role, fault.kind)).or_default() += 1;
                if fault.kind == "kill" {
                    came.killed.entry(role).or_default().insert(fault.point);
                }
            } else {
                came.not.push((role, fault));
            }
        }
    }
    verified(&mut on);
    came.lock().unwrap().started += on.started;
}

/// The evidence of the last list that went the whole way, at both hosts.
fn verified(on: &mut Tended) {
    let mut trust = String::new();
    for host in ["agency", "municipality"] {
        let card = fs::read_to_string(on.world.path(&format!("{host}.card"))).unwrap();
        let value = |key: &str| {
            let line = card.lines().find(|line| line.starts_with(key)).unwrap();
            line.split('"').nth(1).unwrap().to_owned()
        };
        trust += &format!("{} {}\n", value("id = "), value("statement = "));
    }
    fs::write(on.world.path("trust"), trust).unwrap();
    let rows = on.until("the transfers", |world| rows(world, "agency"));
    let Some(row) = rows.iter().find(|row| row["state"] == "Closed") else { return };
    let code = row["code"].as_str().unwrap();
    for host in ["agency", "municipality"] {
        let to = on.world.path(&format!("evidence-{host}"));
        let (to, trust) = (to.to_str().unwrap(), on.world.path("trust"));
        let exported = on.world.cli(host, &["evidence", "export", code, "--to", to]);
        assert!(exported.status.success(), "{}", stderr(&exported));
        let held =
            on.world.cli(host, &["evidence", "verify", to, "--trust", trust.to_str().unwrap()]);
        assert!(held.status.success(), "{}", stderr(&held));
    }
}

#[test]
fn at_every_point_that_a_role_passes_a_fault_breaks_no_rule() {
    let began = Instant::now();
    let visits = visits(&record());
    let points = visits.points.clone();
    let rounds = Mutex::new(rounds(visits));
    let asked: usize = rounds.lock().unwrap().iter().map(|round| round.2.len()).sum();
    eprintln!("{asked} faults in {} rounds", rounds.lock().unwrap().len());
    let came = Mutex::new(Came::default());
    std::thread::scope(|scope| {
        let walkers: Vec<_> = (0..2).map(|_| scope.spawn(|| walk(&rounds, &came))).collect();
        walkers.into_iter().for_each(|walker| walker.join().unwrap());
    });
    let came = came.into_inner().unwrap();
    let mut unvisited = Vec::new();
    for (role, points) in &points {
        let killed = came.killed.get(role);
        unvisited.extend(
            points
                .iter()
                .filter(|it| !killed.is_some_and(|all| all.contains(*it)))
                .map(|it| (role, it)),
        );
    }
    let all: usize = points.values().map(BTreeSet::len).sum();
    eprintln!(
        "{all} points of {} roles; {asked} faults asked for in {} rounds, {} came: {:?}; {} roles started again; {:?}",
        points.len(),
        came.rounds,
        came.by.values().sum::<usize>(),
        came.by,
        came.started,
        began.elapsed()
    );
    eprintln!("not passed again: {:?}", came.not);
    assert_eq!(points.len(), ROLES.len(), "every role passes points");
    assert!(unvisited.len() * 20 <= all, "never killed at: {unvisited:?}");
}

/// What the disk did not take is not there any more: the bytes come again, from the first.
#[test]
fn an_error_of_a_sync_is_never_tried_again_as_if_clean() {
    let mut on = Tended::running();
    Journey::Straight.go(0, &mut on);
    // What shows that it was begun anew: more is written, cut off, or made.
    let places = [
        ("keeper", "municipality/collect.rs", " write"),
        ("dropzone", "medium/server/upload.rs", " cut"),
        ("sealer", "agency/seal.rs", " create"),
    ];
    let mut at = 0;
    for (role, place, sign) in places {
        let of = |passed: &[String], what: &str| {
            let here = passed.iter().filter(|it| it.starts_with(place) && it.ends_with(what));
            here.cloned().collect::<Vec<_>>()
        };
        let _ = on.passed(role);
        at += 1;
        Journey::Straight.go(at, &mut on);
        let passed = on.passed(role);
        let before = of(&passed, sign).len();
        let mut anew = 0;
        for point in of(&passed, " sync").into_iter().collect::<BTreeSet<_>>() {
            at += 1;
            on.ask(role, &Fault { point: point.clone(), nth: 1, kind: "EIO" });
            Journey::Straight.go(at, &mut on);
            assert!(on.came(role), "{point} was not passed");
            anew += usize::from(of(&on.passed(role), sign).len() > before);
        }
        assert!(anew > 0, "{role} went on from bytes that the disk did not take");
    }
}

/// A core that dies between giving work and its answer: the task that asked gets it when it asks again, at once; another
/// task of the same gate does not, and a gate that starts anew does.
#[tokio::test]
async fn work_that_was_lost_on_the_way_is_given_again_to_the_task_that_asked() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path().join("agency.db").to_str().unwrap()).await.unwrap();
    let agreement = "mechelen".parse().unwrap();
    let now = Time(1_700_000_000_000);
    let mut tx = store.begin().await.unwrap();
    tx.queue("carrier", "jobs", &agreement, None, "{}", now).await.unwrap();
    tx.commit().await.unwrap();
    let lease = async |instance: &str, task| {
        let mut tx = store.begin().await.unwrap();
        let holder = Holder { instance, task };
        let job = tx.lease("carrier", "jobs", None, holder, now).await.unwrap();
        tx.commit().await.unwrap();
        job.map(|job| job.attempts)
    };
    assert_eq!(lease("one", 1).await, Some(1));
    assert_eq!(lease("one", 2).await, None, "it is under way at the first task");
    assert_eq!(lease("one", 1).await, Some(2), "who asks again did not get it");
    assert_eq!(lease("two", 1).await, Some(3), "the gate began anew");
    assert_eq!(lease("two", 2).await, None);
}

/// A question whose answer nobody waits for any more takes nothing from the one that was asked later.
#[test]
fn an_older_question_of_a_task_gets_nothing() {
    let seen = Seen::default();
    let (first, second) = (("one".to_owned(), 1), ("one".to_owned(), 2));
    assert!(seen.begins(&first, 1) && seen.is_newest(&first, 1));
    assert!(seen.begins(&first, 2) && !seen.is_newest(&first, 1));
    assert!(!seen.begins(&first, 2) && !seen.begins(&first, 1), "twice, or late");
    assert!(seen.begins(&second, 1) && seen.is_newest(&first, 2), "each task counts for itself");
}

/// A withdrawal that comes while the carrier makes the upload: it ends what it made, and nothing holds room for a day.
#[test]
fn a_withdrawal_while_the_upload_is_made_leaves_none_in_the_drop_zone() {
    let mut on = Tended::running();
    for at in 0..12 {
        let name = format!("lijst-{at}.csv");
        let code = on.offer(&name, name.as_bytes());
        on.until("it to be sealed", |world| {
            state(world, "agency", &code).filter(|it| it != "Claimed")
        });
        let _ = on.world.cli("agency", &["withdraw", &code]);
        on.guarded = None;
        on.reaches("agency", &code, &["Withdrawn", "Released"]);
    }
    on.until("the drop zone to be empty", |world| {
        (fs::read_dir(world.path("dropzone/medium/mechelen/files")).unwrap().count() == 0)
            .then_some(())
    });
}
