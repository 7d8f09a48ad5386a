//! Every point that the code has, with a kill there, and with errors of the disk and a delay: it converges, and every rule
//! holds. Which points there are is read from the code: one that no journey passes fails this test, unless it stands in a
//! short list with a reason.
//!
//! Every point is visited with a kill; of the other faults one each, or all with `SLUIS_FAULTS_ALL=1`. Several faults come on
//! one journey, at different points; what is only passed because of them is visited too, on the same journey with a kill more.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use sluis_core::id::{Digest, Time};
use sluis_daemon::health::Seen;
use sluis_daemon::store::{Holder, Store};
use sluis_tests::faults::{Fault, Tended, rows, state};
use sluis_tests::walk::{Journey, Kind};
use sluis_tests::{points, stderr};

/// How many worlds are walked side by side: most of a journey is waiting.
const WALKERS: usize = 4;
/// The most faults of one role on one journey.
const AT_ONCE: usize = 6;
/// Of what a point is passed more often than this in one journey, the first so many passings are visited.
const MOST: usize = 2;
/// So many journeys go in one world: what it has to remember makes each start a little longer.
const IN_ONE_WORLD: usize = 12;
/// So often a fault that did not come is asked for again.
const TRIES: usize = 3;

/// After so many broken rules nothing more is walked.
const BROKE: usize = 8;

/// A point of the code that no journey passes: in which file, what stands in the line, and why.
struct Unpassed(&'static str, &'static str, &'static str);

const UNPASSED: [Unpassed; 31] = [
    Unpassed(
        "gatehouse.rs",
        "books.commit(tx).await?;",
        "work that cannot be given because the mailbox was not read yet: by chance",
    ),
    Unpassed(
        "agency/claim.rs",
        "durable::remove_folder(&ready)",
        "`an_empty_hidden_folder_of_send_does_not_stay`",
    ),
    Unpassed("channel/smsd.rs", "files::remove(&part)", UNSETTLED),
    Unpassed("channel/smsd.rs", "files::remove(path)", UNSETTLED),
    Unpassed("agency/envelopes.rs", "tx.commit()", RENEWS),
    Unpassed("municipality/collect.rs", "tx.commit()", RENEWS),
    Unpassed(
        "agency/sealer.rs",
        "self.books.commit(tx).await",
        "work that became void: nothing of it is on a disk",
    ),
    Unpassed(
        "agency/sealer.rs",
        "files::erase(&private.join(name))",
        "keep-plaintext = until-sealed",
    ),
    Unpassed(
        "app.rs",
        "files::private_folder(path)",
        "an error of the disk in a folder that is empty",
    ),
    Unpassed("gatehouse.rs", "give_to_group(&hidden", "a group of gates: `units`"),
    Unpassed(
        "medium/server/mailbox.rs",
        "disk::remove(&self.folder",
        "letters that are void, or a year old: `restore`, `simulated`",
    ),
    Unpassed(
        "medium/server/zone.rs",
        "disk::remove(&self.gone",
        "what is gone for 400 days: `simulated`",
    ),
    Unpassed("medium/server/upload.rs", "VERIFIED", CHECKED),
    Unpassed("medium/server/upload.rs", "data.cut(verified)", CHECKED),
    Unpassed("medium/server/upload.rs", "data.cut(self.offset())", CHECKED),
    Unpassed("medium/server/upload.rs", "data.sync()", CHECKED),
    Unpassed("medium/server/upload.rs", "disk::remove(&note)", CHECKED),
    Unpassed("medium/server/upload.rs", "sync_folder(&self.folder())", CHECKED),
    Unpassed("medium/server/upload.rs", "sync_folder(&folder)", CHECKED),
    Unpassed("medium/server/upload.rs", "disk::names(&folder)", CHECKED),
    Unpassed("municipality/collect.rs", "files::remove(&places.part)", OTHERS),
    Unpassed("municipality/collect.rs", "files::remove(&self.part)", OTHERS),
    Unpassed("municipality/collect.rs", "files::remove(&self.whole)", OTHERS),
    Unpassed("municipality/collect.rs", "files::remove(part)", OTHERS),
    Unpassed("municipality/open.rs", "files::remove(&folder.join(\"opening\"))", OTHERS),
    Unpassed(
        "municipality/open.rs",
        "files::remove(opened)",
        "what is put aside at each start: a second guard",
    ),
    Unpassed("municipality/open.rs", "self.books.commit(tx)", "a third custodian of an exercise"),
    Unpassed(
        "municipality/retain.rs",
        "self.books.commit(tx).await",
        "five years later: `retention`",
    ),
    Unpassed(
        "notices.rs",
        "books.commit(tx)",
        "a notice of two persons: as `clock` and `destroy`, by `two_persons`",
    ),
    Unpassed("restore.rs", "self.commit(tx).await", "a party that contradicts itself: `restore`"),
    Unpassed("steady.rs", "self.commit(tx)", "a clock that is set back: `clocks`"),
];

/// Why what only an error leads to is not walked on the way to telephones.
const UNSETTLED: &str =
    "after an error or a kill on the way to telephones, which is not walked with faults yet";
/// Why a lease that goes on is not walked.
const RENEWS: &str = "a lease that goes on after 20 s of bytes; nothing rests on it";
/// Why a chunk with a checksum is not walked.
const CHECKED: &str = "chunks with a checksum are other clients': `daemon: medium::server::tests`";
/// Why bytes that are not what was announced are not walked.
const OTHERS: &str = "bytes that are not what was announced: `bad_input`";

/// What a role is asked for.
type Asked = (&'static str, Fault);

/// A journey with faults.
#[derive(Debug, Clone)]
struct Round {
    journey: Journey,
    /// In hosts that are made for it, from the first start on.
    first: bool,
    faults: Vec<Asked>,
    tries: usize,
}

/// The points that each role passed, in their order, with how often.
type Passed = BTreeMap<&'static str, Vec<(String, usize)>>;

/// Takes in what each role passed since the last call.
fn note(on: &mut Tended, passed: &mut Passed) {
    for role in on.roles.clone() {
        let known = passed.entry(role).or_default();
        for point in on.passed(role) {
            match known.iter_mut().find(|(name, _)| *name == point) {
                Some((_, count)) => *count += 1,
                None => known.push((point, 1)),
            }
        }
    }
}

/// What is passed where nothing fails: at the first start, and on each journey.
fn record() -> Vec<(Journey, bool, Passed)> {
    let mut found = Vec::new();
    let mut world: Option<(Kind, Tended)> = None;
    for (at, journey) in Journey::ALL.into_iter().enumerate() {
        if journey.alone() || world.as_ref().is_none_or(|(kind, _)| *kind != journey.kind()) {
            let mut on = journey.kind().made();
            on.start();
            let mut passed = Passed::new();
            note(&mut on, &mut passed);
            found.push((journey, true, passed));
            world = Some((journey.kind(), on));
        }
        let (_, on) = world.as_mut().unwrap();
        let mut passed = Passed::new();
        journey.go(at, on);
        note(on, &mut passed);
        found.push((journey, false, passed));
    }
    // A point belongs to a journey, and to a start where none passes it.
    found.sort_by_key(|(_, first, _)| *first);
    found
}

/// The faults of a point at its first passing, beside a kill.
fn others(point: &str) -> Vec<&'static str> {
    if std::env::var("SLUIS_FAULTS_ALL").is_ok() {
        return vec!["EIO", "ENOSPC", "delay"];
    }
    let disk = !["commit", "committed", "leaves", "left"].iter().any(|what| point.ends_with(what));
    let kinds = if disk { ["EIO", "ENOSPC"] } else { ["EIO", "delay"] };
    let digest = Digest::of(point.as_bytes());
    vec![kinds[usize::from(digest.to_string().ends_with(['0', '2', '4', '6', '8', 'a', 'c', 'e']))]]
}

/// The rounds in which each point that was recorded is visited.
fn rounds(recorded: &[(Journey, bool, Passed)]) -> VecDeque<Round> {
    let mut seen: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut rounds = VecDeque::new();
    for (journey, first, passed) in recorded.iter().filter(|(journey, ..)| journey.is_walked()) {
        let mut of_roles: BTreeMap<&'static str, Vec<Fault>> = BTreeMap::new();
        for (role, points) in passed {
            for (point, count) in points {
                let before = seen.entry((role, point)).or_default();
                let until = (*count).min(MOST);
                for nth in *before + 1..=until {
                    let others = if nth == 1 { others(point) } else { Vec::new() };
                    let faults = of_roles.entry(role).or_default();
                    for kind in ["kill"].into_iter().chain(others) {
                        faults.push(Fault { point: point.clone(), nth, kind });
                    }
                }
                *before = (*before).max(until);
            }
        }
        let most = of_roles.values().map(Vec::len).max().unwrap_or_default();
        // The faults of one point stand beside each other: they come on different journeys.
        let count = most.div_ceil(AT_ONCE).max(if most > 1 { 5 } else { most });
        for at in 0..count {
            let of_role = |(role, faults): (&&'static str, &Vec<Fault>)| {
                let role = *role;
                let every: Vec<Asked> = faults
                    .iter()
                    .skip(at)
                    .step_by(count)
                    .map(|fault| (role, fault.clone()))
                    .collect();
                every
            };
            let faults: Vec<Asked> = of_roles.iter().flat_map(of_role).collect();
            if !faults.is_empty() {
                rounds.push_back(Round { journey: *journey, first: *first, faults, tries: 0 });
            }
        }
    }
    rounds.make_contiguous().sort_by_key(|round| (round.journey.kind(), round.first));
    rounds
}

/// What is to be walked, and what came of it.
#[derive(Default)]
struct Walk {
    rounds: VecDeque<Round>,
    /// Walkers that may still find something new.
    busy: usize,
    known: BTreeSet<(&'static str, String)>,
    killed: BTreeSet<(&'static str, String)>,
    by: BTreeMap<&'static str, usize>,
    not: Vec<Asked>,
    /// What ended in a broken rule.
    broke: Vec<Round>,
    gone: usize,
    started: usize,
    worlds: usize,
}

impl Walk {
    /// What came on a round; what did not is asked for again, and what is new is visited on the same way.
    fn took(
        &mut self,
        round: &Round,
        left: &BTreeSet<(&'static str, String)>,
        new: Vec<(&'static str, String)>,
    ) {
        self.gone += 1;
        let (not, came): (Vec<Asked>, Vec<Asked>) = round
            .faults
            .iter()
            .cloned()
            .partition(|(role, fault)| left.contains(&(*role, fault.point.clone())));
        for (role, fault) in &came {
            *self.by.entry(fault.kind).or_default() += 1;
            if fault.kind == "kill" {
                self.killed.insert((*role, fault.point.clone()));
            }
        }
        let fresh: Vec<Asked> = new
            .into_iter()
            .filter(|it| self.known.insert(it.clone()))
            .map(|(role, point)| (role, Fault { point, nth: 1, kind: "kill" }))
            .collect();
        if !fresh.is_empty() {
            let faults = round.faults.iter().cloned().chain(fresh).collect();
            self.rounds.push_front(Round { faults, tries: 0, ..round.clone() });
        } else if !not.is_empty() && round.tries + 1 < TRIES {
            // Where it comes because of another fault, that one has to come again.
            let again: Vec<Asked> = if round.tries == 0 { not } else { round.faults.clone() };
            self.rounds.push_front(Round {
                faults: again,
                tries: round.tries + 1,
                ..round.clone()
            });
        } else {
            self.not.extend(not);
        }
    }
}

/// Walks until nothing is left.
fn walk(of: &Mutex<Walk>) {
    let mut world: Option<(Kind, Tended, usize)> = None;
    loop {
        let next = {
            let mut walk = of.lock().unwrap();
            let next = walk.rounds.pop_front();
            walk.busy += usize::from(next.is_some());
            if next.is_none() && walk.busy == 0 {
                break;
            }
            next
        };
        let Some(round) = next else {
            std::thread::sleep(Duration::from_millis(50));
            continue;
        };
        let gone = catch_unwind(AssertUnwindSafe(|| went(&round, &mut world, of)));
        of.lock().unwrap().busy -= 1;
        // What stands there is no world to go on in. All that is broken is told at the end.
        if gone.is_err() {
            eprintln!("{round:?}\n{}", world.take().map(|it| logs(&it.1)).unwrap_or_default());
            let mut walk = of.lock().unwrap();
            walk.broke.push(round);
            if walk.broke.len() > BROKE {
                walk.rounds.clear();
            }
        }
    }
    if let Some((_, mut on, _)) = world {
        finished(&mut on, of);
    }
}

/// The last lines that each role logged.
fn logs(on: &Tended) -> String {
    let last = |role: &&str| {
        let log = on.world.log(role);
        let lines: Vec<&str> = log.lines().rev().take(8).collect();
        format!("--- {role}\n{}\n", lines.into_iter().rev().collect::<Vec<_>>().join("\n"))
    };
    on.roles.iter().map(last).collect()
}

/// Goes one round, in a world of its own where it needs one.
fn went(round: &Round, world: &mut Option<(Kind, Tended, usize)>, of: &Mutex<Walk>) {
    let kind = round.journey.kind();
    let anew = round.first || round.journey.alone();
    let fits = |it: &(Kind, Tended, usize)| it.0 == kind && it.2 < IN_ONE_WORLD && !anew;
    if !world.as_ref().is_some_and(fits) {
        if let Some((_, mut old, _)) = world.take() {
            finished(&mut old, of);
        }
        let mut on = kind.made();
        if round.first {
            round.faults.iter().for_each(|(role, fault)| on.ask(role, fault));
        }
        on.start();
        *world = Some((kind, on, if anew { IN_ONE_WORLD } else { 0 }));
    }
    let (_, on, used) = world.as_mut().unwrap();
    if !round.first {
        round.faults.iter().for_each(|(role, fault)| on.ask(role, fault));
    }
    *used += 1;
    round.journey.go(*used, on);
    let (mut left, mut new) = (BTreeSet::new(), BTreeSet::new());
    for role in on.roles.clone() {
        left.extend(on.not_come(role).into_iter().map(|point| (role, point)));
        new.extend(on.passed(role).into_iter().map(|point| (role, point)));
    }
    of.lock().unwrap().took(round, &left, new.into_iter().collect());
}

/// The end of a world: the last list proves itself, and both ledgers hold.
fn finished(on: &mut Tended, of: &Mutex<Walk>) {
    if !on.is_older {
        verified(on);
    }
    for host in ["agency", "municipality"] {
        let held = on.world.cli(host, &["ledger", "verify"]);
        assert!(held.status.success(), "{}", stderr(&held));
    }
    let mut walk = of.lock().unwrap();
    walk.started += on.started;
    walk.worlds += 1;
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
fn at_every_point_that_the_code_has_a_fault_breaks_no_rule() {
    let began = Instant::now();
    let recorded = record();
    let rounds = rounds(&recorded);
    let mut known = BTreeSet::new();
    let mut everywhere = BTreeSet::new();
    for (journey, _, passed) in &recorded {
        for (role, points) in passed {
            everywhere.extend(points.iter().map(|(point, _)| point.clone()));
            if !journey.is_walked() {
                continue;
            }
            known.extend(points.iter().map(|(point, _)| (*role, point.clone())));
        }
    }
    let asked: usize = rounds.iter().map(|round| round.faults.len()).sum();
    eprintln!(
        "{} points recorded, {asked} faults in {} rounds; {:?}",
        known.len(),
        rounds.len(),
        began.elapsed()
    );
    let walk_of = Mutex::new(Walk { rounds, known, ..Walk::default() });
    std::thread::scope(|scope| {
        let walkers: Vec<_> = (0..WALKERS).map(|_| scope.spawn(|| walk(&walk_of))).collect();
        walkers.into_iter().for_each(|walker| walker.join().unwrap());
    });
    let walk = walk_of.into_inner().unwrap();
    eprintln!(
        "{} points of roles, killed at {}; {asked} faults and what followed; {:?} came in {} rounds, {} worlds; roles started again {} times; {:?}",
        walk.known.len(),
        walk.killed.len(),
        walk.by,
        walk.gone,
        walk.worlds,
        walk.started,
        began.elapsed()
    );
    eprintln!("not passed again: {:?}", walk.not);
    assert!(walk.broke.is_empty(), "broken: {:#?}", walk.broke);
    let unvisited: Vec<_> = walk.known.difference(&walk.killed).collect();
    eprintln!("never killed at: {unvisited:?}");
    everywhere.extend(walk.known.iter().map(|(_, point)| point.clone()));
    complete(&everywhere);
    assert!(unvisited.len() * 20 <= walk.known.len(), "never killed at: {unvisited:?}");
}

/// Whether every point of the code was passed, or has a reason; and nothing was passed that the code does not have.
fn complete(passed: &BTreeSet<String>) {
    let sources = points::product();
    let code = points::of_the_code();
    let unknown: Vec<_> =
        passed.iter().filter(|it| !code.contains(*it) && !it.ends_with(" write")).collect();
    assert!(
        unknown.is_empty(),
        "not in the code as it was read (is sluisd-faults built from it?): {unknown:?}"
    );
    let mut used = BTreeSet::new();
    let mut missing = Vec::new();
    for point in code.difference(passed) {
        // A thing that is removed is a file or a folder.
        let other = match point.strip_suffix(" all") {
            Some(file) => file.to_owned(),
            None => format!("{point} all"),
        };
        if point.contains(" remove") && passed.contains(&other) {
            continue;
        }
        let (place, _) = point.split_once(' ').unwrap();
        let (file, line) = place.split_once(':').unwrap();
        let line = sources[file].lines().nth(line.parse::<usize>().unwrap() - 1).unwrap();
        let reason =
            UNPASSED.iter().position(|Unpassed(of, text, _)| *of == file && line.contains(text));
        match reason {
            Some(at) => _ = used.insert(at),
            None => missing.push(format!("{point}: {}", line.trim())),
        }
    }
    assert!(
        missing.is_empty(),
        "{} points of the code that no journey passes:\n{}",
        missing.len(),
        missing.join("\n")
    );
    let idle = UNPASSED.iter().enumerate().filter(|(at, _)| !used.contains(at));
    let idle: Vec<_> =
        idle.map(|(_, Unpassed(file, text, why))| format!("{file}: {text}: {why}")).collect();
    eprintln!("reasons for what was passed all the same: {idle:?}");
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
            assert!(on.not_come(role).is_empty(), "{point} was not passed");
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

/// A kill between a folder and the sync of its name, and then a power cut: whoever comes next makes the name durable too.
#[test]
fn a_name_that_a_kill_left_unsynced_is_synced_by_who_comes_next() {
    let mut on = Kind::Folders.made();
    on.start();
    Journey::Straight.go(0, &mut on);
    let folder = |passed: &[String], file: &str| {
        let made = passed.iter().find(|it| it.starts_with(file) && it.ends_with(" folder"));
        made.and_then(|it| it.strip_suffix(" folder"))
            .map(|it| it.trim_end_matches(" sync").to_owned())
    };
    let of_vault = folder(&on.passed("keeper"), "municipality/collect.rs").unwrap();
    let point = format!("{of_vault} sync folder");
    on.ask("keeper", &Fault { point: point.clone(), nth: 1, kind: "kill" });
    Journey::Straight.go(1, &mut on);
    assert!(on.not_come("keeper").is_empty());
    let synced = on.passed("keeper").into_iter().filter(|it| *it == point).count();
    assert!(synced >= 2, "{point}: the folder was there, and nobody synced its name");
    // The folders of agreements are made at a start, and synced at each.
    for (role, at_least) in [("sealer", 7), ("keeper", 2)] {
        let _ = on.passed(role);
        on.restart(role);
        on.until(&format!("{role} to be back"), |world| {
            rows(world, "agency").and(rows(world, "municipality"))
        });
        let synced = on.passed(role);
        let synced = synced.iter().filter(|it| it.ends_with(" sync folder")).count();
        assert!(synced >= at_least, "{role} synced {synced} folders at its start");
    }
}

/// What a kill left of `sluis send`, empty, goes at the next start; what has something in it is its owner's.
#[test]
fn an_empty_hidden_folder_of_send_does_not_stay() {
    let mut on = Tended::running();
    let hidden = |digit: &str| on.world.outbox().join(format!(".send-{}", digit.repeat(32)));
    let (empty, full, other) = (hidden("1"), hidden("2"), on.world.outbox().join(".send-other"));
    for folder in [&empty, &full, &other] {
        fs::create_dir(folder).unwrap();
    }
    fs::write(full.join("lijst.csv"), "85073003328;1;1").unwrap();
    on.restart("sealer");
    on.until("the empty folder to go", |_| (!empty.exists()).then_some(()));
    on.until("a word about the other", |world| {
        world.log("sealer").contains("what was laid ready here was never sent").then_some(())
    });
    assert!(full.join("lijst.csv").exists() && other.exists());
}

/// A withdrawal that is killed at its commit, while the list is sealed: the half that was sealed does not stay.
#[test]
fn a_kill_at_a_withdrawal_leaves_nothing_half_sealed() {
    let mut on = Tended::running();
    Journey::Withdrawn.go(0, &mut on);
    let passed = on.passed("sealer");
    let point = |it: &&String| it.starts_with("agency/persons.rs") && it.ends_with(" committed");
    let point = passed.iter().find(point).unwrap().clone();
    for at in 1..6 {
        on.ask("sealer", &Fault { point: point.clone(), nth: 1, kind: "kill" });
        Journey::Withdrawn.go(at, &mut on);
    }
}
