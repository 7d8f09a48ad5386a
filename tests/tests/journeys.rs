//! Journeys through the six real processes.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::Command;

use sluis_tests::provider::{Mood, Provider};
use sluis_tests::world::{Plan, ROLES, SAID, line_in, somewhere};
use sluis_tests::{World, stderr, stdout, tool, until};

const LIST: &[u8] = b"rijksregisternummer;contract;attest\n85073003328;1;1\n";

#[test]
fn one_list_crosses_both_gates() {
    let world = World::running();
    let code = world.send("lijst-2026.csv", LIST);
    world.wait("agency", &code, "Released");
    assert!(world.status_says("mechelen", "SENT").contains(&code));
    let lines = world.lines(&code);
    assert_eq!(lines.len(), 3);
    let opened =
        world.cli_with("municipality", &["open", &code], &format!("{}\n{}\n", lines[0], lines[2]));
    assert!(opened.status.success(), "{}{}", stdout(&opened), stderr(&opened));
    let file = world.vault(&code).join("opened/lijst-2026.csv");
    assert_eq!(fs::read(&file).unwrap(), LIST);
    assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o640);
    let taken = world.cli("municipality", &["take", &code]);
    assert_eq!(taken.stdout, LIST);
    world.wait("agency", &code, "Closed");
    world.status_says("mechelen", "RECEIVED");
    // Nothing of the plaintext is left anywhere but in the vault, and nothing lies in the drop zone.
    assert_eq!(somewhere(&world.path(""), b"85073003328"), [file]);
    for folder in [
        "agency/spool",
        "agency/bundles",
        "agency/private/mechelen",
        "dropzone/medium/mechelen/files",
    ] {
        let left: Vec<_> =
            fs::read_dir(world.path(folder)).into_iter().flatten().flatten().collect();
        assert!(left.is_empty(), "{folder}: {left:?}");
    }
    for host in ["agency", "municipality"] {
        until("both ledgers to hold every statement", || {
            let mut has = world.statements(host, &code);
            has.sort();
            let mut want = SAID.map(str::to_owned);
            want.sort();
            (has == want).then_some(())
        });
        let verified = world.cli(host, &["ledger", "verify"]);
        assert!(verified.status.success(), "{}", stderr(&verified));
    }
    // For people in their language, for machines by stable names.
    for (lang, words) in
        [("nl", ["meegenomen", "verklaring: geopend"]), ("en", ["taken", "statement: opened"])]
    {
        let timeline = stdout(&world.cli("municipality", &["--lang", lang, "show", &code]));
        assert!(words.iter().all(|word| timeline.contains(word)), "{timeline}");
    }
    let timeline = world.json("municipality", &["show", &code])["timeline"].clone();
    let kinds = timeline.as_array().unwrap().iter().map(|it| it["kind"].as_str().unwrap());
    assert!(
        kinds.clone().any(|kind| kind == "taken") && kinds.clone().any(|kind| kind == "statement")
    );
}

#[test]
fn a_folder_crosses_as_one_transfer() {
    let world = World::running();
    let folder = world.path("export");
    fs::create_dir_all(folder.join("deel")).unwrap();
    fs::write(folder.join("a.csv"), "a").unwrap();
    fs::write(folder.join("deel/b.csv"), "b").unwrap();
    let sent = world.json("agency", &["send", "mechelen", folder.to_str().unwrap()]);
    let code = sent["code"].as_str().unwrap();
    assert!(folder.join("a.csv").exists(), "`send` copies");
    world.wait("agency", code, "Released");
    let lines = world.lines(code);
    let opened = world.cli_with("municipality", &["open", code], &lines.join("\n"));
    assert!(opened.status.success(), "{}", stderr(&opened));
    let there = world.vault(code).join("opened/export");
    assert_eq!(fs::read_to_string(there.join("deel/b.csv")).unwrap(), "b");
    let taken = world.cli("municipality", &["take", code]);
    assert_eq!(taken.status.code(), Some(1), "a folder is not one file: {}", stderr(&taken));
}

#[test]
fn the_shares_wait_for_the_custodians_where_the_agreement_says_so() {
    let mut plan = Plan::default();
    plan.agreement =
        plan.agreement.replace("release = \"after-removal\"", "release = \"when-ready\"");
    let world = World::running_as(&plan);
    let code = world.send("lijst.csv", LIST);
    world.wait("municipality", &code, "Removed");
    until("the agency to wait for the municipality", || {
        world
            .row("agency", &code)
            .filter(|row| row["state"] == "Removed" && row["mover"] == "municipality")
    });
    assert!(!world.path("phones").exists(), "no share before `ready`");
    let ready = world.cli("municipality", &["ready", &code]);
    assert!(ready.status.success(), "{}", stderr(&ready));
    world.wait("agency", &code, "Released");
    assert_eq!(world.lines(&code).len(), 3);
}

#[test]
fn a_withdrawn_transfer_stays_shut_and_leaves_the_medium() {
    let mut world = World::running();
    world.stop("fetcher");
    let code = world.send("lijst.csv", LIST);
    world.wait("agency", &code, "Carried");
    let withdrawn = world.json("agency", &["withdraw", &code]);
    assert_eq!(withdrawn["state"], "Withdrawn");
    until("the upload to be gone", || {
        let left = fs::read_dir(world.path("dropzone/medium/mechelen/files")).unwrap().count();
        (left == 0).then_some(())
    });
    world.start("fetcher");
    world.wait("municipality", &code, "Ended");
    assert!(!world.path("phones").exists());
    let again = world.cli("agency", &["withdraw", &code]);
    assert_eq!(again.status.code(), Some(1));
}

#[test]
fn a_redelivery_is_a_new_transfer_under_a_new_key() {
    let world = World::running();
    let old = world.send("lijst.csv", LIST);
    world.wait("agency", &old, "Released");
    let new = world.json("agency", &["redeliver", &old]);
    let new = new["code"].as_str().unwrap();
    assert_ne!(new, old);
    world.wait("agency", &old, "Superseded");
    world.wait("municipality", &old, "Ended");
    world.wait("agency", new, "Released");
    let stale = world.cli_with("municipality", &["open", new], &world.lines(&old).join("\n"));
    assert_eq!(stale.status.code(), Some(1), "old shares open nothing new");
    let opened = world.cli_with("municipality", &["open", new], &world.lines(new).join("\n"));
    assert!(opened.status.success(), "{}", stderr(&opened));
}

#[test]
fn a_list_that_was_opened_before_its_end_was_heard_is_open_and_both_say_so() {
    let mut world = World::running();
    let old = world.send("lijst.csv", LIST);
    world.wait("agency", &old, "Released");
    world.stop("carrier");
    let opened = world.cli_with("municipality", &["open", &old], &world.lines(&old).join("\n"));
    assert!(opened.status.success(), "{}", stderr(&opened));
    let new = world.json("agency", &["redeliver", &old]);
    let new = new["code"].as_str().unwrap().to_owned();
    world.wait("agency", &old, "Superseded");
    world.start("carrier");
    world.wait("agency", &new, "Released");
    for host in ["agency", "municipality"] {
        until("both words of it to be there", || {
            let said = world.statements(host, &old);
            ["opened", "superseded"].iter().all(|it| said.iter().any(|of| of == it)).then_some(())
        });
    }
    // It stays there, with the day on which it has to go.
    assert_eq!(world.row("municipality", &old).unwrap()["state"], "Opened");
    let clocks = world.json("municipality", &["deadlines"]).to_string();
    assert!(clocks.contains(&old) && clocks.contains("retention"), "{clocks}");
}

#[test]
fn one_person_cannot_type_enough_lines_to_open_alone() {
    let provider = Provider::new(Mood::Takes);
    let channels = ["sms-a", "sms-b", "voice"].map(|id| provider.channel(id)).concat();
    let world = World::running_as(&Plan::default().over(&channels));
    let code = world.send("lijst.csv", LIST);
    world.wait("agency", &code, "Released");
    let lines: Vec<String> = provider
        .seen()
        .iter()
        .map(|body| {
            let body: serde_json::Value = serde_json::from_str(body).unwrap();
            line_in(body["text"].as_str().unwrap())
        })
        .collect();
    assert_eq!(lines.len(), 3);
    let refused = world.cli_with("municipality", &["--json", "open", &code], &lines.join("\n"));
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("one-person"), "{}", stderr(&refused));
    world.wait("municipality", &code, "Removed");
}

#[test]
fn kill_nine_of_each_role_converges() {
    let mut world = World::running();
    for (at, (role, _)) in ROLES.iter().enumerate() {
        let known = world.codes();
        let name = format!("lijst-{at}.csv");
        world.put(name.as_ref(), LIST);
        world.kill(role);
        world.start(role);
        let code = until("the drop to be taken", || {
            world.codes().into_iter().find(|code| !known.contains(code))
        });
        world.wait("agency", &code, "Released");
        assert_eq!(world.lines(&code).len(), 3, "{role}");
        assert_eq!(
            world.statements("agency", &code).iter().filter(|kind| *kind == "sent").count(),
            1
        );
    }
    for host in ["agency", "municipality"] {
        assert!(world.cli(host, &["ledger", "verify"]).status.success());
    }
}

#[test]
fn sigterm_ends_each_role_in_order() {
    let mut world = World::running();
    let code = world.send("lijst.csv", LIST);
    world.wait("agency", &code, "Released");
    for (role, _) in ROLES.iter().rev() {
        assert!(world.stop(role).success(), "{role}");
        assert!(world.log(role).contains("drained=true"), "{role}: {}", world.log(role));
    }
}

#[test]
fn a_file_that_is_still_written_is_not_taken() {
    let world = World::running();
    let path = world.outbox().join("traag.csv");
    let mut file = fs::File::create(&path).unwrap();
    std::io::Write::write_all(&mut file, LIST).unwrap();
    // Another drop goes through while the slow one stays open far longer than it takes to settle.
    let other = world.send("snel.csv", LIST);
    world.wait("agency", &other, "Released");
    assert!(path.exists(), "an open file is left alone");
    drop(file);
    until("the closed file to be taken", || (!path.exists()).then_some(()));
}

#[test]
fn what_is_not_a_drop_is_left_alone() {
    let world = World::running();
    for name in [".verborgen", "half.part", "~$lijst.xlsx", "Thumbs.db", "desktop.ini", ".DS_Store"]
    {
        fs::write(world.outbox().join(name), "x").unwrap();
    }
    let code = world.send("lijst.csv", LIST);
    world.wait("agency", &code, "Released");
    assert_eq!(world.codes(), [code]);
    assert!(world.outbox().join("Thumbs.db").exists());
}

#[test]
fn sockets_and_secrets_are_private() {
    let world = World::running();
    for socket in [
        "agency/run/sealer.sock",
        "agency/run/sealer-carrier.sock",
        "agency/run/sealer-releaser.sock",
        "municipality/run/keeper.sock",
        "municipality/run/keeper-fetcher.sock",
    ] {
        assert_eq!(
            fs::metadata(world.path(socket)).unwrap().permissions().mode() & 0o777,
            0o660,
            "{socket}"
        );
    }
    for secret in ["statement-key", "mailbox-identity", "tls-key", "bundle-identity"] {
        let mode = fs::metadata(world.path("agency/credentials").join(secret)).unwrap().mode();
        assert_eq!(mode & 0o777, 0o600, "{secret}");
    }
}

#[test]
fn an_upload_and_a_fetch_go_on_where_the_wire_was_cut() {
    let mut world = World::make(&Plan { behind: true, ..Plan::default() });
    let wire = sluis_tests::Cutter::new(&world.host, &world.listen);
    for (role, _) in ROLES {
        world.start(role);
    }
    // What does not compress and is not alike anywhere: a wrong offset would show.
    let mut content = vec![0_u8; 24 << 20];
    let mut number = 1_u64;
    for byte in &mut content {
        number =
            number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        *byte = (number >> 56) as u8;
    }
    wire.cut_after(3 << 20);
    let code = world.send("groot.bin", &content);
    for (cuts, megabytes) in [(1, 7), (2, 6), (3, 10), (4, 5)] {
        until("the wire to be cut", || (wire.cuts() >= cuts).then_some(()));
        wire.cut_after(megabytes << 20);
    }
    until("the wire to be cut", || (wire.cuts() >= 5).then_some(()));
    world.wait("agency", &code, "Released");
    // Up and down once is twice its size; what was under way at five cuts comes again, and no more than that.
    assert!(wire.passed() < (2 * 24 + 12) << 20, "{} bytes passed", wire.passed());
    let opened = world.cli_with("municipality", &["open", &code], &world.lines(&code).join("\n"));
    assert!(opened.status.success(), "{}", stderr(&opened));
    assert!(fs::read(world.vault(&code).join("opened/groot.bin")).unwrap() == content);
}

#[test]
fn an_opened_file_belongs_to_the_group_of_its_agreement() {
    let mut world = World::make(&Plan::default());
    let group = fs::read_to_string("/etc/group").unwrap();
    let group = group
        .lines()
        .find(|line| line.starts_with("adm:"))
        .unwrap()
        .split(':')
        .nth(2)
        .unwrap()
        .parse::<u32>()
        .unwrap();
    world.edit("municipality", |text| text + "\n[keeper.groups]\nmechelen = \"adm\"\n");
    for (role, _) in ROLES {
        world.start(role);
    }
    let code = world.send("lijst.csv", LIST);
    world.wait("agency", &code, "Released");
    let opened = world.cli_with("municipality", &["open", &code], &world.lines(&code).join("\n"));
    assert!(opened.status.success(), "{}", stderr(&opened));
    let file = world.vault(&code).join("opened/lijst.csv");
    let meta = fs::metadata(&file).unwrap();
    assert_eq!((meta.gid(), meta.mode() & 0o777), (group, 0o640));
    fs::set_permissions(world.path(""), fs::Permissions::from_mode(0o711)).unwrap();
    let reads = |gid: u32| {
        let mut member = Command::new("setpriv");
        member
            .args(["--reuid=65534", &format!("--regid={gid}"), "--clear-groups", "cat"])
            .arg(&file);
        tool(&mut member).stdout
    };
    assert_eq!(reads(group), LIST, "a member of the group reads it where it stands");
    assert!(reads(65_534).is_empty(), "nobody else does");
}
