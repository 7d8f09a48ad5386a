//! An older store that is put back, a ledger that was changed: neither is gone on with in silence.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use sluis_tests::{World, binary, stderr, stdout, tool, until};

const LIST: &[u8] = b"rijksregisternummer;contract;attest\n85073003328;1;1\n";
/// Another Unix user than the one that runs the tests.
const SECOND: &str = "65534";

fn store(world: &World, host: &str) -> PathBuf {
    let name = if host == "agency" { "agency.db" } else { "municipality.db" };
    world.path(host).join("state").join(name)
}

/// What a backup of a host's store has: everything but payload, keys and shares.
fn backup(world: &mut World, role: &'static str, host: &str) -> Vec<u8> {
    world.stop(role);
    let store = store(world, host);
    let kept = copy(&store);
    world.start(role);
    kept
}

fn copy(store: &Path) -> Vec<u8> {
    let copied = tool(Command::new("python3").args(["-c", COPY]).arg(store));
    holds(&copied);
    copied.stdout
}

/// SQLite's own way to copy a store, write-ahead log and all.
const COPY: &str = "import sqlite3, sys\n\
    to = sqlite3.connect(':memory:')\n\
    sqlite3.connect(sys.argv[1]).backup(to)\n\
    sys.stdout.buffer.write(to.serialize())";

fn put_back(world: &mut World, role: &'static str, host: &str, kept: &[u8]) {
    world.kill(role);
    write(&store(world, host), kept);
    world.start(role);
}

fn write(store: &Path, content: &[u8]) {
    for more in ["db-wal", "db-shm"] {
        let _ = fs::remove_file(store.with_extension(more));
    }
    fs::write(store, content).unwrap();
}

fn is_held(world: &World, host: &str) {
    until(&format!("the {host} to notice its older store"), || {
        let health = world.cli(host, &["health"]);
        let noticed = stdout(&health).contains("an older store was put back");
        (noticed && health.status.code() == Some(2)).then_some(())
    });
    let list = stdout(&world.cli(host, &["list"]));
    assert!(list.contains("sluis restored mechelen"), "{list}");
}

/// Two persons go on; one alone does not.
fn go_on(world: &World, host: &str) -> serde_json::Value {
    let one = until("the mailbox to be read to its end", || {
        let one = world.cli(host, &["restored", "mechelen"]);
        (!stderr(&one).contains("not read to its end")).then_some(one)
    });
    assert!(one.status.success() && stdout(&one).contains("second person"), "{}", stderr(&one));
    let same = world.cli(host, &["restored", "mechelen"]);
    assert_eq!(same.status.code(), Some(1), "one person is not two");
    let two = world.cli_as(SECOND, host, &["--json", "restored", "mechelen"]);
    assert!(two.status.success(), "{}", stderr(&two));
    let again = world.cli(host, &["restored", "mechelen"]);
    assert_eq!(again.status.code(), Some(1), "{}", stdout(&again));
    serde_json::from_slice(&two.stdout).unwrap()
}

fn open(world: &World, code: &str) {
    world.wait("municipality", code, "Removed");
    world.wait("agency", code, "Released");
    let opened = world.cli_with("municipality", &["open", code], &world.lines(code).join("\n"));
    assert!(opened.status.success(), "{}", stderr(&opened));
}

fn delivered(world: &World, name: &str) -> String {
    let code = world.send(name, LIST);
    open(world, &code);
    world.wait("agency", &code, "Closed");
    code
}

/// Messages in all telephones.
fn messages(world: &World) -> usize {
    let phones = fs::read_dir(world.path("phones")).into_iter().flatten().flatten();
    phones.map(|phone| fs::read_dir(phone.path()).unwrap().count()).sum()
}

/// Each message, and which file it is: one that is written again is another.
fn written(world: &World) -> BTreeMap<PathBuf, u64> {
    let phones = fs::read_dir(world.path("phones")).unwrap().flatten();
    let files = phones.flat_map(|phone| fs::read_dir(phone.path()).unwrap().flatten());
    files.map(|file| (file.path(), file.metadata().unwrap().ino())).collect()
}

/// Both ledgers hold, and so does all that was said, by our verifier and by the script.
fn everything_holds(world: &World) {
    let mut trust = String::new();
    for host in ["agency", "municipality"] {
        let card = fs::read_to_string(world.path(&format!("{host}.card"))).unwrap();
        let of = |key: &str| {
            let line = card.lines().find(|line| line.starts_with(key)).unwrap();
            line.split('"').nth(1).unwrap().to_owned()
        };
        trust += &format!("{} {}\n", of("id"), of("statement"));
    }
    let trusted = world.path("trust");
    fs::write(&trusted, trust).unwrap();
    for host in ["agency", "municipality"] {
        holds(&world.cli(host, &["ledger", "verify"]));
        let to = world.path(&format!("evidence-{host}"));
        let _ = fs::remove_dir_all(&to);
        let (folder, trust) = (to.to_str().unwrap(), trusted.to_str().unwrap());
        holds(&world.cli(host, &["evidence", "export", "--agreement", "mechelen", "--to", folder]));
        holds(&world.cli(host, &["evidence", "verify", folder, "--trust", trust]));
        holds(&tool(Command::new("sh").arg(to.join("verify.sh")).args([folder, trust])));
    }
}

fn holds(output: &Output) {
    assert!(output.status.success(), "{}\n{}", stdout(output), stderr(output));
}

#[test]
fn an_older_store_of_the_agency_is_noticed_and_two_persons_go_on_from_what_the_other_has() {
    let mut world = World::running();
    let first = world.send("lijst-1.csv", LIST);
    world.wait("agency", &first, "Released");
    let shut = world.send("lijst-shut.csv", LIST);
    world.wait("agency", &shut, "Released");
    let kept = backup(&mut world, "sealer", "agency");
    open(&world, &first);
    world.wait("agency", &first, "Closed");
    let second = delivered(&world, "lijst-2.csv");
    let sent = messages(&world);

    put_back(&mut world, "sealer", "agency", &kept);
    is_held(&world, "agency");
    // Nothing leaves, nothing is taken, nothing is said.
    world.put("lijst-3.csv".as_ref(), LIST);
    let offered = world.path("own.csv");
    fs::write(&offered, LIST).unwrap();
    let refused = world.cli("agency", &["send", "mechelen", offered.to_str().unwrap()]);
    assert!(stderr(&refused).contains("an older store was put back"), "{}", stderr(&refused));
    let notice = ["security-info", "mechelen", "--text", "bericht"];
    assert_eq!(world.cli("agency", &notice).status.code(), Some(1));
    assert!(world.outbox().join("lijst-3.csv").exists());
    assert_eq!(messages(&world), sent, "no share leaves twice");

    let word = go_on(&world, "agency");
    assert_eq!(word["exposed"], 3, "each share of what was open then: {word}");
    // The word that the one was opened was heard, and counts; the other is sent again under another key.
    world.wait("agency", &first, "Closed");
    world.wait("agency", &shut, "Failed");
    world.wait("municipality", &shut, "Ended");
    assert_eq!(world.cli("agency", &["withdraw", &shut]).status.code(), Some(1), "it may be out");
    let anew = world.json("agency", &["redeliver", &shut])["code"].as_str().unwrap().to_owned();
    open(&world, &anew);
    assert!(!world.codes().contains(&second), "of what came after, this store knows nothing");
    until("the list that waited to go", || {
        let known = [&first, &shut, &anew];
        let rest = world.codes().into_iter().find(|code| !known.contains(&code));
        rest.inspect(|code| open(&world, code))
    });
    until("the municipality to hear that it goes on", || {
        let ledger = stdout(&world.cli("municipality", &["ledger", "export"]));
        (ledger.contains("\"kind\":\"restored\"") && ledger.contains("\"kind\":\"closed\""))
            .then_some(())
    });
    everything_holds(&world);
}

#[test]
fn a_share_that_left_does_not_leave_again_from_a_store_that_does_not_know_it() {
    let mut world = World::running();
    world.stop("releaser");
    let code = world.send("lijst.csv", LIST);
    world.wait("agency", &code, "Releasing");
    let kept = copy(&store(&world, "agency"));
    // Nobody hears that they are released, and so nobody can say it to the older store.
    world.stop("carrier");
    world.start("releaser");
    world.wait("agency", &code, "Released");
    let sent = written(&world);
    assert_eq!(sent.len(), 3);
    put_back(&mut world, "sealer", "agency", &kept);
    world.start("carrier");
    world.wait("agency", &code, "Released");
    assert_eq!(written(&world), sent, "none was written again");
    let note = world.row("agency", &code).unwrap()["note"]["message"].as_str().unwrap().to_owned();
    assert_eq!(note.matches("unknown").count(), 3, "{note}");
    assert_eq!(world.cli("agency", &["withdraw", &code]).status.code(), Some(1), "they are out");
    open(&world, &code);
    world.wait("agency", &code, "Closed");
    everything_holds(&world);
}

#[test]
fn what_an_older_store_does_not_know_goes_back_to_its_owner_and_never_out_by_itself() {
    let mut world = World::running();
    delivered(&world, "lijst-0.csv");
    let kept = backup(&mut world, "sealer", "agency");
    world.stop("releaser");
    let lost = world.send("lijst.csv", LIST);
    world.wait("agency", &lost, "Releasing");
    put_back(&mut world, "sealer", "agency", &kept);
    is_held(&world, "agency");
    let private = world.path("agency/private/mechelen");
    assert_eq!(fs::read_dir(&private).unwrap().count(), 1, "it was sealed: it is not offered anew");
    assert!(!world.outbox().join("lijst.csv").exists());

    go_on(&world, "agency");
    let back = world.outbox().join("lijst.csv.rejected");
    assert_eq!(fs::read(&back).unwrap(), LIST);
    world.status_says("mechelen", "an older store was put back");
    for folder in ["spool", "bundles", "private/mechelen"] {
        let left = fs::read_dir(world.path("agency").join(folder)).unwrap().count();
        assert_eq!(left, 0, "{folder}");
    }
    // The municipality is told, and no share of it ever leaves.
    world.wait("municipality", &lost, "Ended");
    world.start("releaser");
    let next = delivered(&world, "lijst-2.csv");
    assert!(world.lines(&lost).is_empty() && next != lost);
    everything_holds(&world);
}

#[test]
fn an_older_store_of_the_municipality_keeps_what_its_vault_holds_open() {
    let mut world = World::running();
    let first = world.send("lijst-1.csv", LIST);
    world.wait("municipality", &first, "Removed");
    let kept = backup(&mut world, "keeper", "municipality");
    open(&world, &first);
    world.wait("agency", &first, "Closed");
    let second = delivered(&world, "lijst-2.csv");
    let opened = world.vault(&first).join("opened/lijst-1.csv");
    assert!(opened.exists());

    put_back(&mut world, "keeper", "municipality", &kept);
    is_held(&world, "municipality");
    // For its books it is shut, and so it is, but it is not lost.
    assert!(!opened.exists());
    let refused =
        world.cli_with("municipality", &["open", &first], &world.lines(&first).join("\n"));
    assert!(stderr(&refused).contains("an older store was put back"), "{}", stderr(&refused));

    go_on(&world, "municipality");
    for (code, name) in [(&first, "lijst-1.csv"), (&second, "lijst-2.csv")] {
        world.wait("municipality", code, "Opened");
        let file = world.vault(code).join("opened").join(name);
        assert_eq!(fs::read(file).unwrap(), LIST);
        holds(&world.cli("municipality", &["take", code]));
    }
    delivered(&world, "lijst-3.csv");
    everything_holds(&world);
}

#[test]
fn a_party_that_contradicts_itself_is_told_and_goes_on_when_two_persons_say_so() {
    let mut world = World::running();
    let first = delivered(&world, "lijst-1.csv");
    let kept = backup(&mut world, "sealer", "agency");
    let say = |world: &World, text: &str| {
        holds(&world.cli("agency", &["security-info", "mechelen", "--text", text]));
    };
    let heard = |world: &World, text: &str| {
        until(&format!("{text} to be heard"), || {
            stdout(&world.cli("municipality", &["--json", "notices"])).contains(text).then_some(())
        });
    };
    say(&world, "een");
    heard(&world, "een");
    // The drop zone has none of its letters any more, and the municipality has said nothing since.
    world.stop("carrier");
    world.stop("fetcher");
    world.stop("dropzone");
    let letters = world.path("dropzone/medium/mechelen/mailbox");
    for letter in fs::read_dir(&letters).unwrap().flatten() {
        fs::remove_dir_all(letter.path()).unwrap();
    }
    put_back(&mut world, "sealer", "agency", &kept);
    world.start("dropzone");
    world.start("carrier");
    say(&world, "anders");
    say(&world, "en nog iets");
    // Letters are named by their number.
    let said = stdout(&world.cli("agency", &["ledger", "export"]));
    let last = said.matches("\"issuer\":\"agentschap-ii\"").count();
    until("the letters to be brought", || {
        letters.join(format!("municipality/{last:020}")).exists().then_some(())
    });
    world.start("fetcher");
    is_held(&world, "agency");
    let notices = stdout(&world.cli("municipality", &["notices"]));
    assert!(!notices.contains("anders") && !notices.contains("nog iets"), "{notices}");
    let entries = stdout(&world.cli("municipality", &["ledger", "export"]));
    assert_eq!(entries.matches("\"kind\":\"contradicted\",\"transfer\"").count(), 1, "told once");

    go_on(&world, "agency");
    say(&world, "weer samen");
    heard(&world, "weer samen");
    let next = delivered(&world, "lijst-2.csv");
    assert_ne!(first, next);
    everything_holds(&world);
}

/// Has SQLite change a store as whoever can write the file can.
fn tamper(store: &Path, sql: &str) {
    let change = "import sqlite3, sys\n\
        db = sqlite3.connect(sys.argv[1])\n\
        assert db.executescript(sys.argv[2]) and db.commit() is None";
    holds(&tool(Command::new("python3").args(["-c", change]).arg(store).arg(sql)));
}

#[test]
fn a_ledger_that_was_cut_or_rewritten_is_refused_by_its_first_bad_entry() {
    let mut world = World::running();
    delivered(&world, "lijst.csv");
    world.stop("sealer");
    world.stop("keeper");
    let faults = [
        (
            "UPDATE ledger SET line = replace(line, '\"kind\":\"agreement-installed\"', '\"kind\":\"other\"')",
            "entry 2",
        ),
        ("DELETE FROM ledger WHERE number = 4", "entry 4"),
        ("DELETE FROM ledger WHERE number > 6", "entry "),
        (
            "UPDATE statements SET statement = replace(statement, '\"size\":', '\"size\":1') WHERE kind = 'sent'",
            "entry ",
        ),
    ];
    for (host, role) in [("agency", "sealer"), ("municipality", "keeper")] {
        let store = store(&world, host);
        let good = copy(&store);
        for (sql, told) in faults {
            tamper(&store, sql);
            let mut command = Command::new("timeout");
            command
                .arg("60")
                .arg(binary("sluisd"))
                .args([role, "--config"])
                .arg(world.path(host).join("sluis.toml"));
            let refused = command.output().unwrap();
            assert_eq!(refused.status.code(), Some(70), "{role} {sql}");
            let why = stderr(&refused);
            assert!(why.contains("the ledger does not hold") && why.contains(told), "{sql}: {why}");
            write(&store, &good);
        }
        world.start(role);
    }
}
