//! Faults that were found once, each kept as a test that its return would fail.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use sluis_daemon::store::Store;
use sluis_tests::faults::{Fault, Tended};
use sluis_tests::world::{Plan, ROLES, somewhere};
use sluis_tests::{World, stderr, stdout, tool, until};

const LIST: &[u8] = b"rijksregisternummer;contract;attest\n85073003328;1;1\n";

/// A large drop without content on the disk: sealing it takes a while.
fn large(world: &World, name: &str, mib: u64) -> String {
    let part = world.outbox().join(".groot");
    File::create(&part).unwrap().set_len(mib << 20).unwrap();
    fs::rename(part, world.outbox().join(name)).unwrap();
    until("it to be taken", || world.codes().into_iter().next())
}

#[test]
fn a_withdrawal_while_it_is_sealed_stays_a_withdrawal() {
    let world = World::running();
    let code = large(&world, "groot.bin", 1024);
    let withdrawn = world.cli("agency", &["withdraw", &code]);
    assert!(withdrawn.status.success(), "{}", stderr(&withdrawn));
    // Another drop goes the whole way meanwhile; by then the sealing is over.
    let other = world.send("lijst.csv", LIST);
    world.wait("agency", &other, "Released");
    until("nothing of it to be left in the spool", || {
        let left = |name: &str| fs::read_dir(world.path(name)).unwrap().count();
        // The other one keeps its envelope, its bundle and what was let go of it until it is opened.
        (left("agency/spool") <= 1 && left("agency/bundles") <= 2).then_some(())
    });
    assert_eq!(world.row("agency", &code).unwrap()["state"], "Withdrawn");
    let again = world.cli("agency", &["redeliver", &code]);
    assert!(again.status.success(), "its plaintext is still there: {}", stderr(&again));
}

#[test]
fn lines_that_come_at_once_open_it_once_and_never_lock_the_keeper() {
    let world = World::running();
    let code = large(&world, "groot.bin", 400);
    world.wait("agency", &code, "Released");
    let lines = world.lines(&code);
    std::thread::scope(|scope| {
        for line in &lines {
            scope.spawn(|| world.cli_with("municipality", &["open", &code], line));
        }
    });
    world.wait("municipality", &code, "Opened");
    world.wait("agency", &code, "Closed");
    assert_eq!(
        world.statements("agency", &code).iter().filter(|kind| *kind == "opened").count(),
        1
    );
}

#[test]
fn a_pipe_or_link_under_the_name_of_a_status_holds_nobody_up() {
    let world = World::running();
    let _ = tool(Command::new("mkfifo").arg(world.outbox().join("STATUS-een.csv.txt")));
    symlink("/dev/zero", world.outbox().join("STATUS-twee.csv.txt")).unwrap();
    let victim = world.path("victim");
    fs::write(&victim, "unchanged").unwrap();
    symlink(&victim, world.outbox().join("STATUS-drie.csv.txt")).unwrap();
    for name in ["een.csv", "twee.csv", "drie.csv"] {
        let code = world.send(name, LIST);
        world.wait("agency", &code, "Released");
    }
    assert_eq!(fs::read_to_string(victim).unwrap(), "unchanged");
}

#[test]
fn nobody_has_the_sealer_move_what_is_not_theirs() {
    let world = World::running();
    let ready = "0123456789abcdef0123456789abcdef";
    let victim = world.path("agency/state/victim.txt");
    fs::write(&victim, "a secret of the sealer's").unwrap();
    symlink(world.path("agency/state"), world.outbox().join(format!(".send-{ready}"))).unwrap();
    let ask = |name: &str| {
        let body =
            format!("{{\"agreement\":\"mechelen\",\"ready\":\"{ready}\",\"name\":\"{name}\"}}");
        let mut curl = Command::new("curl");
        curl.args(["-s", "--unix-socket"]).arg(world.socket("sealer"));
        curl.args(["-H", "content-type: application/json", "-d", &body, "http://core/send"]);
        stdout(&tool(&mut curl))
    };
    for name in ["victim.txt", "../state/victim.txt", ".name", ""] {
        assert!(ask(name).contains("not-placed"), "{name}: {}", ask(name));
    }
    assert!(victim.exists());
    assert!(world.codes().is_empty());
}

#[test]
fn a_transfer_ends_under_the_version_of_the_agreement_that_it_began_under() {
    let mut plan = Plan::default();
    plan.agreement = plan.agreement.replace("\"after-removal\"", "\"when-ready\"");
    let mut world = World::running_as(&plan);
    let code = world.send("lijst.csv", LIST);
    world.wait("municipality", &code, "Removed");
    let file = world.path("nieuw.toml");
    let text = fs::read_to_string(world.path("agency/agreements/mechelen.toml")).unwrap();
    let unchanged = text.replace("title = \"", "title = \"Nieuw: ");
    fs::write(&file, &unchanged).unwrap();
    let same = world.cli("agency", &["agreement", "add", file.to_str().unwrap()]);
    assert_eq!(same.status.code(), Some(1), "a change is a new version");
    fs::write(
        &file,
        unchanged
            .replace("version = 1", "version = 2")
            .replace("operator = \"", "operator = \"nieuwe "),
    )
    .unwrap();
    for host in ["agency", "municipality", "dropzone"] {
        let added = world.cli(host, &["agreement", "add", file.to_str().unwrap()]);
        assert!(added.status.success(), "{}", stderr(&added));
    }
    for (role, _) in ROLES {
        assert!(world.stop(role).success());
        world.start(role);
    }
    let ready = world.cli("municipality", &["ready", &code]);
    assert!(ready.status.success(), "{}", stderr(&ready));
    world.wait("agency", &code, "Released");
    let opened = world.cli_with("municipality", &["open", &code], &world.lines(&code).join("\n"));
    assert!(opened.status.success(), "{}", stderr(&opened));
    for host in ["agency", "municipality"] {
        let approved = world.two_persons(host, &["agreement", "approve", "mechelen"]);
        assert!(approved.status.success(), "{}", stderr(&approved));
    }
    let newer = world.send("nieuw.csv", LIST);
    world.wait("municipality", &newer, "Removed");
}

#[test]
fn a_refused_drop_does_not_leave_by_itself_when_the_sealer_starts_anew() {
    let mut world = World::running();
    assert!(world.stop("sealer").success());
    world.put("lijst.csv".as_ref(), LIST);
    let drop = world.outbox().join("lijst.csv");
    chown(&drop, Some(61_001), None).unwrap();
    world.start("sealer");
    world.status_says("mechelen", "put here by user 61001");
    assert!(world.stop("sealer").success());
    world.edit("agency", |text| text.replace("owners = [", "owners = [61001, "));
    world.start("sealer");
    let other = world.send("andere.csv", LIST);
    world.wait("municipality", &other, "Removed");
    assert_eq!(fs::read(&drop).unwrap(), LIST, "what was refused waits for a person");
    // Offered again.
    let known = world.codes();
    assert!(Command::new("touch").arg(&drop).status().unwrap().success());
    let code =
        until("it to be taken", || world.codes().into_iter().find(|code| !known.contains(code)));
    world.wait("municipality", &code, "Removed");
}

#[test]
fn a_redelivery_that_was_cut_short_gives_the_list_back_and_sends_nothing() {
    let mut world = World::make(&Plan::default());
    for role in ["dropzone", "sealer", "carrier"] {
        world.start(role);
    }
    let code = world.send("lijst.csv", LIST);
    world.wait("agency", &code, "Carried");
    assert!(world.cli("agency", &["withdraw", &code]).status.success());
    world.wait("agency", &code, "Withdrawn");
    assert!(world.stop("sealer").success());
    // As a kill before the commit leaves it: taken over, and no transfer knows of it.
    let folder = world.path("agency/private/mechelen");
    let old = fs::read_dir(&folder).unwrap().flatten().next().unwrap().path();
    let new = folder.join("0123456789abcdef0123456789abcdef");
    fs::create_dir(&new).unwrap();
    fs::write(new.join(".name"), "lijst.csv").unwrap();
    fs::write(new.join(".replaces"), old.file_name().unwrap().to_str().unwrap()).unwrap();
    fs::rename(old.join("lijst.csv"), new.join("lijst.csv")).unwrap();
    world.start("sealer");
    assert_eq!(fs::read(old.join("lijst.csv")).unwrap(), LIST, "it is the old one's again");
    assert!(!new.exists() && !world.outbox().join("lijst.csv").exists());
    let again = world.cli("agency", &["redeliver", &code]);
    assert!(again.status.success(), "{}", stderr(&again));
    let other = until("the redelivery", || world.codes().into_iter().find(|known| *known != code));
    world.wait("agency", &other, "Carried");
}

/// Found by reading: a folder that could be moved and not emptied left, and its list stayed with the agency for good.
#[test]
fn a_folder_that_could_not_be_emptied_does_not_leave() {
    let mut world = World::running();
    assert!(world.stop("sealer").success());
    let sealer = world.command("sealer");
    // As root without its right to pass over modes, which a sealer in its unit has not either.
    let mut held = Command::new("setpriv");
    held.args(["--bounding-set=-dac_override", "--inh-caps=-dac_override"]);
    held.arg(sealer.get_program()).args(sealer.get_args());
    world.start_as("sealer", held);
    // Whoever starts looks first and listens then: that a folder was moved in is to be heard.
    let first = world.send("lijst.csv", LIST);
    world.wait("agency", &first, "Released");
    for (name, mode, owner) in [("dicht", 0o2755, 61_003), ("sticky", 0o1777, 61_003)] {
        let folder = world.path(name);
        fs::create_dir_all(folder.join("sub")).unwrap();
        fs::write(folder.join("sub/lijst.csv"), LIST).unwrap();
        chown(folder.join("sub"), Some(owner), None).unwrap();
        fs::set_permissions(folder.join("sub"), fs::Permissions::from_mode(mode)).unwrap();
        fs::rename(&folder, world.outbox().join(name)).unwrap();
        let told = world.status_says("mechelen", "REFUSED");
        assert!(told.contains("[unerasable]") && told.contains("sluis send"), "{told}");
        let there = world.outbox().join(name);
        assert!(there.join("sub/lijst.csv").exists(), "it stays where its owner finds it");
        // With the right to write it leaves, and is gone at the end.
        chown(there.join("sub"), Some(0), None).unwrap();
        fs::rename(&there, &folder).unwrap();
        fs::rename(&folder, &there).unwrap();
        until("it to be taken", || (!there.exists()).then_some(()));
        let codes = world.codes();
        let code =
            codes.iter().find(|code| world.row("agency", code).unwrap()["state"] != "Closed");
        let code = code.unwrap().clone();
        world.wait("agency", &code, "Released");
        let opened =
            world.cli_with("municipality", &["open", &code], &world.lines(&code).join("\n"));
        assert!(opened.status.success(), "{}", stderr(&opened));
        world.wait("agency", &code, "Closed");
    }
    let left = somewhere(&world.path("agency"), LIST);
    assert!(left.iter().all(|path| path.ends_with("lijst.csv") && left.len() == 1), "{left:?}");
}

/// Found by CI, in `power`: a store that was given back was still taken, by a child that another thread had just forked and
/// that was no other program yet.
#[test]
fn a_store_that_was_closed_is_free_though_another_thread_starts_programs() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("agency.db");
    let done = AtomicBool::new(false);
    let starts = || {
        while !done.load(Ordering::SeqCst) {
            assert!(Command::new("true").status().unwrap().success());
        }
    };
    let mut taken = 0;
    std::thread::scope(|scope| {
        scope.spawn(starts);
        let opens = async {
            for _ in 0..300 {
                match Store::open(place.to_str().unwrap()).await {
                    Ok(store) => store.close().await,
                    Err(_) => taken += 1,
                }
            }
        };
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(opens);
        done.store(true, Ordering::SeqCst);
    });
    assert_eq!(taken, 0, "of 300 times");
}

#[test]
fn a_core_stops_at_once_though_its_gates_wait_for_work() {
    let mut world = World::running();
    for (role, _) in ROLES {
        assert!(world.stop(role).success(), "{role}");
        assert!(world.log(role).contains("drained=true"), "{role}: {}", world.log(role));
    }
}

#[test]
fn gates_read_no_contacts_and_a_missing_bundle_holds_up_no_other_transfer() {
    let mut plan = Plan::default();
    plan.agreement = plan.agreement.replace("\"after-removal\"", "\"when-ready\"");
    let world = World::running_as(&plan);
    let (lost, good) = (world.send("een.csv", LIST), world.send("twee.csv", LIST));
    for code in [&lost, &good] {
        world.wait("municipality", code, "Removed");
    }
    let id = world.row("agency", &lost).unwrap()["transfer"].as_str().unwrap().to_owned();
    fs::remove_file(world.path("agency/bundles").join(format!("{id}.bundle"))).unwrap();
    for code in [&lost, &good] {
        assert!(world.cli("municipality", &["ready", code]).status.success());
    }
    world.wait("agency", &good, "Released");
    until("the lost bundle to be told", || {
        let told = world.json("agency", &["show", &lost])["waiting"].to_string();
        told.contains("sluis redeliver").then_some(())
    });
    let again = world.json("agency", &["redeliver", &lost]);
    world.wait("municipality", again["code"].as_str().unwrap(), "Removed");
}

/// Somebody who keeps a file mapped, and writes to it when told. Its pages were written to before: then nothing is entered
/// for what is written later.
struct Mapped(Child, BufReader<std::process::ChildStdout>);

impl Mapped {
    fn of(file: &Path) -> Self {
        let keeps = "import mmap,sys\nf=open(sys.argv[1],'r+b');m=mmap.mmap(f.fileno(),0)\nprint('mapped',flush=True)\n\
            for line in sys.stdin.buffer:\n d=bytes.fromhex(line.decode());m[:len(d)]=d;print('written',flush=True)\n";
        let mut child = Command::new("python3")
            .args(["-c", keeps])
            .arg(file)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let mut mapped = Self(child, out);
        mapped.says("mapped");
        mapped
    }

    fn says(&mut self, what: &str) {
        let mut line = String::new();
        self.1.read_line(&mut line).unwrap();
        assert_eq!(line.trim(), what);
    }

    fn write(&mut self, bytes: &[u8]) {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        writeln!(self.0.stdin.as_ref().unwrap(), "{hex}").unwrap();
        self.says("written");
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// What was judged is what is sealed, also where the file was changed between the two and all its times say that it was not.
#[test]
fn what_is_sealed_is_what_was_judged_also_where_somebody_keeps_the_file_mapped() {
    let agreement = include_str!("../../config/examples/demo/mechelen.toml");
    let agreement = agreement.replace(
        "[period]\n",
        "[period]\nstanding = \"een test\"\nmore-allowed-by = \"een test\"\n",
    );
    let plan = Plan { agreement, ..Plan::default() };
    let list = [LIST, b"90020199704;1;0\n"].concat();
    let mut on = Tended::over(World::make(&plan), &ROLES.map(|(role, _)| role));
    on.start();
    let first = on.offer("eerst.csv", &list);
    on.reaches("agency", &first, &["Released"]);
    let passed = on.passed("sealer");
    let at = |file: &str| passed.iter().find(|it| it.starts_with(file)).unwrap().clone();
    // After its bytes were made durable, and after they were judged.
    let claimed =
        passed.iter().find(|it| it.starts_with("agency/claim.rs") && it.ends_with(" rename"));
    for point in [claimed.unwrap().clone(), at("agency/seal.rs")] {
        on.ask("sealer", &Fault { point, nth: 1, kind: "hold" });
    }
    let part = on.world.outbox().join(".nieuw");
    fs::write(&part, &list).unwrap();
    let mut owner = Mapped::of(&part);
    fs::rename(&part, on.world.outbox().join("lijst.csv")).unwrap();
    let held = on.held("sealer");
    let secret = b"Jan Peeters;85073003328;diagnose geheim;Kerkstraat 1, 2800 Mechelen, sinds 2019";
    for bytes in [&list[..], &secret[..list.len()]] {
        on.until("the sealer to be held", |_| held.exists().then_some(()));
        owner.write(bytes);
        fs::remove_file(&held).unwrap();
    }
    let said = on.world.status_says("mechelen", "REFUSED");
    assert!(!said.contains("Peeters"), "{said}");
    let sent = on.world.json("agency", &["list"]);
    let released = sent.as_array().unwrap().iter().filter(|row| row["state"] == "Released");
    assert_eq!(released.count(), 1, "{sent}");
}

/// What a library panics on it may quote: the log has the place and nothing of the list, which leaves all the same.
#[test]
fn a_panic_is_told_by_its_place_alone_and_keeps_no_list_back() {
    let mut on = Tended::over(World::make(&Plan::default()), &ROLES.map(|(role, _)| role));
    on.start();
    let first = on.offer("eerst.csv", b"eerst");
    on.reaches("agency", &first, &["Released"]);
    let point = on.passed("sealer").into_iter().find(|it| it.starts_with("agency/seal.rs"));
    on.ask("sealer", &Fault { point: point.unwrap(), nth: 1, kind: "panic" });
    let next = on.offer("lijst.csv", b"lijst");
    on.reaches("agency", &next, &["Released"]);
    let log = on.world.log("sealer");
    assert!(log.contains("a fault of the program") && log.contains("asked.rs"), "{log}");
    assert!(!log.contains("85073003328"), "{log}");
}
