//! What stands in the vault is what the books say of it: an opening that nobody knows the end of, bytes that come late;
//! and it is the vault of these books, or nothing is done with it.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use sluis_tests::faults::{Fault, Tended, entries, state};
use sluis_tests::points::CODE;
use sluis_tests::world::somewhere;
use sluis_tests::{World, stderr, stdout, tool, until};

const LIST: &[u8] = b"nummer;contract\n1;1\n";
const CITY: &str = "municipality";
/// An opened list gets its place in the vault.
const OPENED: &str = "municipality/open.rs publish `durable::rename(` rename";
/// The folder of an envelope is made.
const BEGUN: &str = "municipality/collect.rs begin `files::private_folder(` folder";

fn hold(on: &mut Tended, step: &str) {
    on.ask("keeper", &Fault { point: CODE.point(step), nth: 1, kind: "hold" });
}

fn held(on: &Tended) {
    until("the keeper to be held", || on.held("keeper").exists().then_some(()));
}

/// The lines of a list that is released, to be typed.
fn released(on: &mut Tended, name: &str) -> (String, String) {
    let code = on.offer(name, LIST);
    on.guarded = None;
    on.reaches("agency", &code, &["Released"]);
    let lines = on.world.lines(&code).join("\n");
    (code, lines)
}

/// Changes the row of a transfer in the keeper's store, so that it cannot be read or can again.
fn change(on: &Tended, code: &str, data: &str) {
    let change = "import sqlite3, sys\n\
        to = sqlite3.connect(sys.argv[1], timeout=60)\n\
        to.execute('UPDATE transfers SET data = ' + sys.argv[3] + ' WHERE code = ?', [sys.argv[2]])\n\
        to.commit()";
    let mut command = Command::new("python3");
    command.args(["-c", change]).arg(on.world.path("municipality/state/municipality.db"));
    let changed = tool(command.args([code, data]));
    assert!(changed.status.success(), "{}", stderr(&changed));
}

/// A list lies open, and the store does not answer whether that was entered: nobody reads it until the books know.
#[test]
fn an_opening_that_the_store_says_nothing_of_is_put_aside_and_no_group_reads_it() {
    let mut on = Tended::running();
    let (code, lines) = released(&mut on, "lijst.csv");
    hold(&mut on, OPENED);
    let vault = on.world.vault(&code);
    let told = std::thread::scope(|scope| {
        let typing = scope.spawn(|| on.world.cli_with(CITY, &["open", &code], &lines));
        held(&on);
        change(&on, &code, "'!' || data");
        fs::remove_file(on.held("keeper")).unwrap();
        typing.join().unwrap()
    });
    change(&on, &code, "substr(data, 2)");
    assert!(!told.status.success(), "{}", stdout(&told));
    assert!(!vault.join("opened").exists(), "what no book says is open stands open");
    let mode = fs::metadata(vault.join("aside")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    // Its lines are typed again, and then it is open.
    on.does(CITY, &code, "Opened", |world| {
        let _ = world.cli_with(CITY, &["open", &code], &lines);
    });
    assert_eq!(fs::read(vault.join("opened/lijst.csv")).unwrap(), LIST);
    assert!(!vault.join("aside").exists());
    // And where it had been entered all the same, the next start puts it in its place.
    on.world.stop("keeper");
    fs::rename(vault.join("opened"), vault.join("aside")).unwrap();
    on.restart("keeper");
    on.until("the opened list", |_| fs::read(vault.join("opened/lijst.csv")).ok());
}

/// What was withdrawn while it was fetched is not in the vault, whoever still brings bytes of it.
#[test]
fn bytes_of_a_transfer_that_has_ended_meanwhile_leave_nothing_in_the_vault() {
    let mut on = Tended::running();
    hold(&mut on, BEGUN);
    let code = on.offer("lijst.csv", LIST);
    on.guarded = None;
    held(&on);
    let row = on.world.row(CITY, &code).unwrap();
    // Another one waits for its turn with bytes of it.
    let mut curl = Command::new("curl");
    curl.args(["-s", "-m", "120", "-X", "PUT", "--data-binary", "bytes", "--unix-socket"]);
    curl.arg(on.world.path("municipality/run/keeper-fetcher.sock"));
    let id = row["transfer"].as_str().unwrap();
    curl.arg(format!("http://core/envelope/{id}?offset=0"));
    let late = curl.stdout(Stdio::piped()).spawn().unwrap();
    let withdrawn = on.world.cli("agency", &["withdraw", &code]);
    assert!(withdrawn.status.success(), "{}", stderr(&withdrawn));
    on.reaches(CITY, &code, &["Ended"]);
    let tried = |on: &mut Tended| {
        on.until("the keeper to try to discard it", |world| {
            let shown = world.json(CITY, &["show", &code]);
            let busy = shown["waiting"].to_string().contains("a fetch of it is still under way");
            let entered = entries(world, CITY, &code)?.contains(&"discarded".to_owned());
            (busy || entered).then_some(busy)
        })
    };
    assert!(tried(&mut on), "it was discarded under who brings it");
    fs::remove_file(on.held("keeper")).unwrap();
    let late = String::from_utf8(late.wait_with_output().unwrap().stdout).unwrap();
    assert!(late.contains("not-now"), "{late}");
    on.until("it to be discarded", |world| {
        entries(world, CITY, &code)?.contains(&"discarded".to_owned()).then_some(())
    });
    let inside =
        |on: &Tended| fs::read_dir(on.world.path("municipality/vault/mechelen")).unwrap().count();
    assert_eq!(inside(&on), 0);
    // What a power cut brought back goes at the next start.
    let short: String = id.chars().take(6).collect();
    let back = on.world.path(&format!("municipality/vault/mechelen/{code}-{short}"));
    fs::create_dir(&back).unwrap();
    fs::write(back.join("envelope.age"), "bytes").unwrap();
    on.restart("keeper");
    on.until("the keeper to be back", |world| state(world, CITY, &code));
    assert_eq!(inside(&on), 0);
}

/// Says this to the keeper's store.
fn sql(world: &World, statement: &str) {
    let run = "import sqlite3, sys\n\
        to = sqlite3.connect(sys.argv[1])\n\
        to.execute(sys.argv[2])\n\
        to.commit()";
    let mut command = Command::new("python3");
    command.args(["-c", run]).arg(world.path("municipality/state/municipality.db"));
    let ran = tool(command.arg(statement));
    assert!(ran.status.success(), "{}", stderr(&ran));
}

fn waits_for_its_vault(world: &World, code: &str) {
    until("it to wait for its vault", || {
        let shown = stdout(&world.cli(CITY, &["show", code]));
        shown.contains("mount its disk").then_some(())
    });
}

/// Two persons destroy a list while the vault's disk is not mounted, from the start on: nothing is destroyed, and nothing
/// is said to be, by any sort of folder that stands there instead.
#[test]
fn where_the_vault_is_not_mounted_or_another_nothing_is_kept_opened_or_destroyed() {
    let mut world = World::running();
    let (vault, away) = (world.path("municipality/vault"), world.path("niet-aangekoppeld"));
    let sent = |name: &str| {
        let code = world.send(name, LIST);
        world.wait("agency", &code, "Released");
        code
    };
    let (list, shut) = (sent("lijst.csv"), sent("dicht.csv"));
    let lines = |world: &World, code: &str| world.lines(code).join("\n");
    let opened = world.cli_with(CITY, &["open", &list], &lines(&world, &list));
    assert!(opened.status.success(), "{}", stderr(&opened));
    world.stop("keeper");
    fs::rename(&vault, &away).unwrap();
    fs::create_dir(&vault).unwrap();
    world.start("keeper");
    let late = world.send("later.csv", LIST);
    for person in ["0", "65534"] {
        let asked = world.cli_as(person, CITY, &["destroy", &list]);
        assert!(asked.status.success(), "{}", stderr(&asked));
    }
    waits_for_its_vault(&world, &list);
    waits_for_its_vault(&world, &late);
    let refused = world.cli_with(CITY, &["open", &shut], &lines(&world, &shut));
    assert!(stderr(&refused).contains("mount its disk"), "{}", stderr(&refused));
    assert_eq!(fs::read_dir(&vault).unwrap().count(), 0, "something was kept on the wrong disk");
    let attested = world.cli(CITY, &["attest", "mechelen", "--yes"]);
    assert!(stderr(&attested).contains("mount its disk"), "{}", stderr(&attested));
    // Another host's, and no number at all, after a start too.
    for mark in ["4711\n", "?"] {
        fs::write(vault.join(".vault"), mark).unwrap();
        world.kill("keeper");
        world.start("keeper");
        waits_for_its_vault(&world, &list);
    }
    assert_eq!(fs::read_dir(&vault).unwrap().count(), 1);
    assert!(!world.statements(CITY, &list).contains(&"destroyed".to_owned()));
    assert_eq!(world.row(CITY, &list).unwrap()["state"], "Destroying");
    fs::remove_dir_all(&vault).unwrap();
    fs::rename(&away, &vault).unwrap();
    world.wait(CITY, &list, "Destroyed");
    assert!(somewhere(&vault, LIST).is_empty(), "it is gone from the disk that had it");
    world.wait("agency", &late, "Released");
    let opened = world.cli_with(CITY, &["open", &shut], &lines(&world, &shut));
    assert!(opened.status.success(), "{}", stderr(&opened));
}

/// A list is destroyed, and the word of it cannot be made yet: it is not destroyed in the books until it can.
#[test]
fn what_is_destroyed_is_said_to_be_or_is_still_being_destroyed() {
    let mut on = Tended::running();
    let (code, lines) = released(&mut on, "lijst.csv");
    on.does(CITY, &code, "Opened", |world| {
        let _ = world.cli_with(CITY, &["open", &code], &lines);
    });
    let knows = |on: &Tended, from: &str, to: &str| {
        let sql = "import sqlite3, sys\n\
            to = sqlite3.connect(sys.argv[1], timeout=60)\n\
            to.execute('UPDATE statements SET kind = ? WHERE kind = ?', sys.argv[2:])\n\
            to.commit()";
        let mut command = Command::new("python3");
        command.args(["-c", sql]).arg(on.world.path("municipality/state/municipality.db"));
        assert!(tool(command.args([to, from])).status.success());
    };
    knows(&on, "sent", "gone");
    for person in ["0", "65534"] {
        let asked = on.world.cli_as(person, CITY, &["destroy", &code]);
        assert!(asked.status.success(), "{}", stderr(&asked));
    }
    on.until("the keeper to try again", |world| {
        world.log("keeper").contains("work of the keeper is tried again").then_some(())
    });
    assert_eq!(state(&on.world, CITY, &code).as_deref(), Some("Destroying"));
    knows(&on, "gone", "sent");
    on.reaches(CITY, &code, &["Destroyed"]);
    assert!(on.world.statements(CITY, &code).contains(&"destroyed".to_owned()));
}

/// A store of before marks knows its vault by what stands in it; a person says what no program can know.
#[test]
fn a_store_of_before_marks_its_vault_only_where_the_vault_holds_what_it_says() {
    let mut world = World::running();
    let vault = world.path("municipality/vault");
    let code = world.send("lijst.csv", LIST);
    world.wait("agency", &code, "Released");
    let mark = vault.join(".vault");
    let forget = |world: &mut World| {
        world.stop("keeper");
        sql(world, "DELETE FROM counters WHERE name = 'vault'");
        let _ = fs::remove_file(&mark);
    };
    let first = fs::read_to_string(&mark).unwrap();
    forget(&mut world);
    world.start("keeper");
    assert_ne!(until("a mark", || fs::read_to_string(&mark).ok()), first);
    // The same with its lists elsewhere: it is not known.
    forget(&mut world);
    let (folder, away) = (vault.join("mechelen"), world.path("elders"));
    fs::rename(&folder, &away).unwrap();
    world.start("keeper");
    for person in ["0", "65534"] {
        assert!(world.cli_as(person, CITY, &["destroy", &code]).status.success());
    }
    waits_for_its_vault(&world, &code);
    assert!(!mark.exists() && !folder.exists());
    // What waits says what a person may do who knows it.
    let shown = world.json(CITY, &["show", &code])["waiting"].to_string();
    let number = shown.split("put ").nth(1).unwrap().split(' ').next().unwrap();
    fs::rename(&away, &folder).unwrap();
    fs::write(&mark, number).unwrap();
    world.wait(CITY, &code, "Destroyed");
}
