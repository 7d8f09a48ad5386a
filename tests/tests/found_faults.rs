//! Faults that were found once, each kept as a test that its return would fail.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::process::Command;

use sluis_tests::world::{Plan, ROLES};
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
    std::os::unix::fs::chown(&drop, Some(61_001), None).unwrap();
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
    for role in ["dropzone", "sealer"] {
        world.start(role);
    }
    let code = world.send("lijst.csv", LIST);
    world.wait("agency", &code, "Sealed");
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
    world.wait("agency", &other, "Sealed");
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
