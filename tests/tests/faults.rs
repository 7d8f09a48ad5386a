//! Every point that the code has, with a kill there, and with errors of the disk and a delay: it converges, and every rule
//! holds. Which points there are is read from the code: each is passed on a journey where nothing fails, or for certain
//! after a fault that comes before it. None of it is left to chance, and none is left out.
//!
//! Every point is visited with a kill, both errors of the disk, and a delay. Several faults come on one journey, at different
//! points; what does not come there is asked for again with fewer others, and then by itself. `SLUIS_WALK` names the journeys
//! that are gone, as in `Checked,Damaged`: who works on one asks for no more.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Instant;

use sluis_core::control::Lane;
use sluis_core::id::{Time, TransferId};
use sluis_daemon::books::seen::Seen;
use sluis_daemon::role::Role;
use sluis_daemon::store::{Holder, Store};
use sluis_tests::faults::{Fault, Tended, rows, state};
use sluis_tests::points::{CODE, Code, twin};
use sluis_tests::walk::rounds::{KINDS, Recorded, rounds, undone};
use sluis_tests::walk::steered::STEERED;
use sluis_tests::walk::walker::Walk;
use sluis_tests::walk::{Journey, Kind};

#[test]
fn at_every_point_that_the_code_has_a_fault_breaks_no_rule() {
    let began = Instant::now();
    let code = &*CODE;
    let recorded = Recorded::of_all();
    let owed = owed(code, &recorded);
    let mut rounds = rounds(code, &recorded);
    let some = std::env::var("SLUIS_WALK").ok();
    if let Some(some) = &some {
        rounds.retain(|round| some.split(',').any(|it| it == format!("{:?}", round.journey)));
    }
    let asked: usize =
        rounds.iter().flat_map(|round| &round.groups).map(|group| group.faults.len()).sum();
    eprintln!("{asked} faults in {} rounds; {:?}", rounds.len(), began.elapsed());
    let walk = Walk::over(rounds);
    let roles: BTreeSet<_> = walk.came.iter().map(|(role, point, _)| (*role, point)).collect();
    eprintln!(
        "{} points owed, {} of them writes, of {} in the code without those; faults of {} points of roles; {:?} came on {} journeys, {} of them for what had not come; {} worlds, {} starts; {:?}",
        owed.len(),
        owed.iter().filter(|it| it.ends_with(" write")).count(),
        code.points.len(),
        roles.len(),
        walk.by,
        walk.gone[0],
        walk.gone[1],
        walk.worlds,
        walk.started,
        began.elapsed()
    );
    eprintln!("did not come: {:#?}", walk.never);
    assert!(walk.broke.is_empty(), "broken: {:#?}", walk.broke);
    if some.is_some() {
        return;
    }
    let mut came: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (_, point, kind) in &walk.came {
        came.entry(point).or_default().insert(kind);
    }
    let lacks = |point: &&String| {
        let came = came.get(point.as_str()).cloned().unwrap_or_default();
        KINDS.iter().any(|kind| !came.contains(kind))
    };
    let lacking: Vec<_> = owed.iter().filter(lacks).map(|it| (it, came.get(it.as_str()))).collect();
    assert!(lacking.is_empty(), "at these points not every fault came: {lacking:#?}");
    let roles: BTreeSet<_> = roles.into_iter().map(|(role, _)| role).collect();
    assert_eq!(roles.len(), 8, "{roles:?}");
}

/// The points of the code at which faults are to come: all of them, and every write that was recorded. Each is recorded,
/// undoes something, or is steered to.
fn owed(code: &Code, recorded: &Recorded) -> BTreeSet<String> {
    let passed = recorded.points();
    let unknown: Vec<_> =
        passed.iter().filter(|it| !code.points.contains(**it) && !it.ends_with(" write")).collect();
    assert!(
        unknown.is_empty(),
        "not in the code as it was read (is sluisd-faults built from it?): {unknown:?}"
    );
    let steered = STEERED.iter().flat_map(|it| it.to).map(|step| code.point(step));
    let undone = undone(code, recorded).into_iter().map(|(point, _)| point);
    let walked: BTreeSet<String> =
        passed.iter().map(|it| (*it).to_owned()).chain(steered).chain(undone).collect();
    // A thing that is removed is a file or a folder.
    let other = |point: &str| twin(point).is_some_and(|it| walked.contains(&it));
    let (owed, missing): (Vec<&String>, Vec<&String>) = code
        .points
        .iter()
        .filter(|it| walked.contains(*it) || !other(it))
        .partition(|point| walked.contains(*point));
    let missing: Vec<_> =
        missing.iter().map(|point| format!("{point}: {}", code.line(point))).collect();
    assert!(
        missing.is_empty(),
        "{} points of the code that no journey passes:\n{}",
        missing.len(),
        missing.join("\n")
    );
    // Which lines write is known where they did.
    let writes = passed.iter().filter(|it| it.ends_with(" write")).map(|it| (*it).to_owned());
    owed.into_iter().cloned().chain(writes).collect()
}

/// Where something is made durable on the way of a list, by role and file; and what of it shows that it was begun anew,
/// where the line of the sync does not open its file itself.
const SYNCED: [(&str, &str, Option<&str>); 8] = [
    ("sealer", "agency/claim.rs", None),
    ("sealer", "agency/seal.rs", Some(" create")),
    ("sealer", "agency/let_go.rs", None),
    ("releaser", "channel/spool.rs", None),
    ("dropzone", "medium/server/upload.rs", Some(" cut")),
    ("dropzone", "medium/server/mailbox.rs", None),
    ("keeper", "municipality/collect.rs", Some(" write")),
    ("keeper", "municipality/open.rs", Some(" write")),
];

/// What the disk did not take is not there any more: the bytes come again, from the first. At each point.
#[test]
fn an_error_of_a_sync_is_never_tried_again_as_if_clean() {
    let mut on = Tended::running();
    Journey::Straight.go(0, &mut on);
    let mut at = 0;
    for (role, file, sign) in SYNCED {
        let of = |passed: &[String], place: &str, what: &str| {
            let here = passed.iter().filter(|it| it.starts_with(place) && it.ends_with(what));
            here.cloned().collect::<Vec<_>>()
        };
        let _ = on.passed(role);
        at += 1;
        Journey::Straight.go(at, &mut on);
        let before = on.passed(role);
        let points: BTreeSet<_> = of(&before, file, " sync").into_iter().collect();
        assert!(!points.is_empty(), "{file} makes nothing durable");
        for point in points {
            at += 1;
            on.ask(role, &Fault { point: point.clone(), nth: 1, kind: "EIO" });
            Journey::Straight.go(at, &mut on);
            assert!(on.not_come(role).is_empty(), "{point} was not passed");
            let after = on.passed(role);
            let line = point.strip_suffix("sync").unwrap();
            let of_line = |what| of(&after, line, what).len();
            let (begun, synced) = (of_line("create").max(of_line("cut")), of_line("sync"));
            assert!(synced > 1 || sign.is_some(), "{point}: never again");
            // Each sync is of a file that this line opened, or emptied, for it.
            let own = begun > 0 && begun >= synced;
            let more =
                sign.is_some_and(|it| of(&after, file, it).len() > of(&before, file, it).len());
            assert!(own || more, "{role} went on at {point} from bytes that the disk did not take");
        }
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
    tx.queue(Role::Carrier, Lane::Jobs, &agreement, None, "{}", now).await.unwrap();
    tx.commit().await.unwrap();
    let lease = async |instance: &str, task| {
        let mut tx = store.begin().await.unwrap();
        let holder = Holder { instance, task, up: 1 };
        let job = tx.lease(Role::Carrier, Lane::Jobs, None, holder, now).await.unwrap();
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
    let one = TransferId::random();
    let (first, second) = ((one, 1), (one, 2));
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
