//! Bad input, each with a clear error, and nothing lost.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, PermissionsExt, chown, symlink};
use std::process::Command;

use sluis_tests::faults::{Fault, Tended, rows, state};
use sluis_tests::points::CODE;
use sluis_tests::provider::{Mood, Provider};
use sluis_tests::world::{Plan, line_in, somewhere};
use sluis_tests::{World, binary, stderr, stdout, tool, until};

const LIST: &[u8] = b"rijksregisternummer;contract;attest\n85073003328;1;1\n";

/// What waits, as `show` tells it.
fn waiting(world: &World, host: &str, code: &str) -> String {
    world.json(host, &["show", code])["waiting"].to_string()
}

#[test]
fn an_unknown_agreement_folder_is_told_and_nothing_moves() {
    let world = World::running();
    let folder = world.path("agency/outbox/antwerpen");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("lijst.csv"), LIST).unwrap();
    let told = world.status_says("antwerpen", "REFUSED");
    assert!(told.contains("art. 1") && told.contains("sluis agreement list"), "{told}");
    assert_eq!(fs::read(folder.join("lijst.csv")).unwrap(), LIST);
}

#[test]
fn an_empty_file_is_refused_with_its_article_and_once() {
    let world = World::running();
    fs::write(world.outbox().join("leeg.csv"), "").unwrap();
    let told = world.status_says("mechelen", "REFUSED");
    assert!(told.contains("art. 7"), "{told}");
    let code = world.send("lijst.csv", LIST);
    world.wait("agency", &code, "Released");
    let refused = world.json("agency", &["list"]);
    let refused: Vec<_> =
        refused.as_array().unwrap().iter().filter(|row| row["state"] == "Refused").collect();
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert!(world.outbox().join("leeg.csv").exists());
}

#[test]
fn links_pipes_and_second_names_are_refused_and_stay() {
    let world = World::running();
    symlink("/etc/passwd", world.outbox().join("koppeling.csv")).unwrap();
    fs::write(world.outbox().join(".bron"), LIST).unwrap();
    fs::hard_link(world.outbox().join(".bron"), world.outbox().join("tweede.csv")).unwrap();
    let _ = tool(Command::new("mkfifo").arg(world.outbox().join("pijp.csv")));
    for name in ["koppeling.csv", "tweede.csv", "pijp.csv"] {
        let status = world.outbox().join(format!("STATUS-{name}.txt"));
        let told = until(name, || fs::read_to_string(&status).ok());
        assert!(told.contains("art. 6"), "{name}: {told}");
        assert!(world.outbox().join(name).symlink_metadata().is_ok());
    }
}

#[test]
fn a_folder_that_grows_in_place_waits_for_a_person() {
    let world = World::running();
    fs::create_dir(world.outbox().join("map")).unwrap();
    fs::write(world.outbox().join("map/a.csv"), LIST).unwrap();
    let told = world.status_says("mechelen", "REFUSED");
    assert!(told.contains("sluis send"), "{told}");
    fs::rename(world.outbox().join("map"), world.outbox().join(".elders")).unwrap();
    fs::rename(world.outbox().join(".elders"), world.outbox().join("map")).unwrap();
    let code = until("the renamed folder to be taken", || {
        let list = world.json("agency", &["list"]);
        let row = list.as_array().unwrap().iter().find(|row| row["state"] != "Refused").cloned();
        row.map(|row| row["code"].as_str().unwrap().to_owned())
    });
    world.wait("agency", &code, "Released");
}

#[test]
fn odd_names_cross_as_they_are_and_never_reach_a_terminal_raw() {
    let world = World::running();
    let long = "n".repeat(255);
    let names: [&[u8]; 6] = [
        b"=1+1.csv",
        b"met\nregel.csv",
        b"\x1b[31mrood.csv",
        long.as_bytes(),
        b"\xff\xfe.csv",
        "\u{202e}vsc.exe".as_bytes(),
    ];
    for name in names {
        let known = world.codes();
        world.put(OsStr::from_bytes(name), LIST);
        let code = until("an odd name to be taken", || {
            world.codes().into_iter().find(|code| !known.contains(code))
        });
        world.wait("agency", &code, "Released");
        let listed = world.cli("agency", &["list"]);
        assert!(
            !stdout(&listed).contains('\x1b') && !stdout(&listed).contains('\u{202e}'),
            "{listed:?}"
        );
        let opened =
            world.cli_with("municipality", &["open", &code], &world.lines(&code).join("\n"));
        assert!(opened.status.success(), "{}", stderr(&opened));
        let there = world.vault(&code).join("opened").join(OsStr::from_bytes(name));
        assert_eq!(fs::read(there).unwrap(), LIST);
    }
}

#[test]
fn a_file_that_cannot_be_read_is_told_and_stays() {
    let mut world = World::make(&Plan::default());
    let nobody = 65_534;
    // Root reads everything: the sealer runs as another user, as it does in earnest.
    let setpriv = rustix::process::getuid().is_root();
    if setpriv {
        fs::set_permissions(world.path(""), fs::Permissions::from_mode(0o755)).unwrap();
        let _ =
            tool(Command::new("chown").arg("-R").arg(nobody.to_string()).arg(world.path("agency")));
        world.edit("agency", |text| text.replace("owners = [0]", "owners = [65534]"));
    }
    fs::create_dir_all(world.outbox()).unwrap();
    let file = world.outbox().join("dicht.csv");
    fs::write(&file, LIST).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o0)).unwrap();
    let sealer = world.command("sealer");
    if setpriv {
        for path in [world.path("agency/outbox"), world.outbox(), file.clone()] {
            chown(path, Some(nobody), None).unwrap();
        }
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--clear-groups", "--bounding-set=-all", "--inh-caps=-all"]);
        command.arg(sealer.get_program()).args(sealer.get_args());
        world.start_as("sealer", command);
    } else {
        world.start_as("sealer", sealer);
    }
    let told = world.status_says("mechelen", "REFUSED");
    assert!(told.contains("art. 6") && told.contains("read"), "{told}");
    assert!(file.exists());
}

#[test]
fn a_full_spool_holds_the_drop_and_goes_on_when_there_is_room() {
    let mut world = World::make(&Plan::default());
    let spool = world.path("agency/spool");
    fs::create_dir_all(&spool).unwrap();
    let mount = |options: &str| {
        let mounted =
            tool(Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(&spool));
        assert!(
            mounted.status.success(),
            "this test mounts a small tmpfs, which takes root: {}",
            stderr(&mounted)
        );
    };
    mount("size=1m");
    for role in ["dropzone", "sealer", "keeper", "carrier", "releaser", "fetcher"] {
        world.start(role);
    }
    let code = world.send("groot.csv", &vec![b'x'; 3 << 20]);
    let why = until("the sealer to say that there is no room", || {
        Some(waiting(&world, "agency", &code)).filter(|why| why.contains("spool"))
    });
    assert!(why.contains("No space left"), "{why}");
    world.status_says("mechelen", "spool");
    mount("remount,size=50m");
    world.wait("agency", &code, "Released");
    drop(world);
    let _ = tool(Command::new("umount").arg(&spool));
    let _ = fs::remove_dir_all(spool.parent().unwrap().parent().unwrap());
}

#[test]
fn a_drop_zone_that_is_down_is_waited_for() {
    let mut world = World::running();
    world.stop("dropzone");
    let code = world.send("lijst.csv", LIST);
    until("the carrier to say that it is down", || {
        Some(waiting(&world, "agency", &code)).filter(|why| why.contains("cannot be reached"))
    });
    assert_eq!(world.row("agency", &code).unwrap()["state"], "Sealed");
    world.start("dropzone");
    world.wait("agency", &code, "Released");
}

#[test]
fn a_full_drop_zone_is_waited_for() {
    let mut world =
        World::running_as(&Plan { dropzone: "quota-mib = 3\n".into(), ..Plan::default() });
    world.stop("fetcher");
    let first = world.send("een.csv", &vec![b'1'; 2 << 20]);
    world.wait("agency", &first, "Carried");
    let second = world.send("twee.csv", &vec![b'2'; 2 << 20]);
    until("the carrier to say that it is full", || {
        Some(waiting(&world, "agency", &second)).filter(|why| why.contains("507"))
    });
    world.start("fetcher");
    world.wait("agency", &second, "Released");
}

#[test]
fn other_bytes_than_were_announced_end_the_transfer_and_stay_nowhere() {
    let mut world = World::running();
    world.stop("fetcher");
    let code = world.send("lijst.csv", LIST);
    world.wait("agency", &code, "Carried");
    let files = world.path("dropzone/medium/mechelen/files");
    let data = fs::read_dir(files).unwrap().next().unwrap().unwrap().path().join("data");
    let mut bytes = fs::read(&data).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(data, bytes).unwrap();
    world.start("fetcher");
    for host in ["municipality", "agency"] {
        world.wait(host, &code, "Failed");
    }
    assert!(!world.path("phones").exists(), "no share left");
    let left: Vec<_> =
        fs::read_dir(world.path("municipality/vault/mechelen")).into_iter().flatten().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_drop_zone_with_another_key_gets_nothing() {
    let mut world = World::running();
    world.stop("dropzone");
    let (credentials, kept) = (world.path("dropzone/credentials"), world.path("kept"));
    fs::rename(&credentials, &kept).unwrap();
    let other = world.path("other");
    let made = sluis_tests::world::sluis(
        &["init", "dropzone", "--id", "vreemd", "--name", "Vreemd", "--dir"],
        [other.as_os_str()],
    );
    assert!(made.status.success());
    fs::rename(other.join("credentials"), &credentials).unwrap();
    world.start("dropzone");
    let code = world.send("lijst.csv", LIST);
    until("the carrier to refuse", || {
        Some(waiting(&world, "agency", &code)).filter(|why| why.contains("certificate"))
    });
    world.stop("dropzone");
    fs::remove_dir_all(&credentials).unwrap();
    fs::rename(&kept, &credentials).unwrap();
    world.start("dropzone");
    world.wait("agency", &code, "Released");
}

#[test]
fn providers_that_are_slow_or_talk_nonsense_leave_an_unknown_share_that_a_person_may_send_again() {
    let (good, slow, odd) =
        (Provider::new(Mood::Takes), Provider::new(Mood::Silent), Provider::new(Mood::Nonsense));
    let channels = good.channel("sms-a") + &slow.channel("sms-b") + &odd.channel("voice");
    let mut plan = Plan::default().over(&channels);
    plan.sealer.push_str("resends = 0\n");
    let world = World::running_as(&plan);
    let code = world.send("lijst.csv", LIST);
    world.wait("agency", &code, "Released");
    let shares = world.json("agency", &["show", &code])["state"]["shares"].clone();
    assert!(
        shares[0]["stands"].get("Accepted").is_some()
            && shares[1]["stands"].get("Unknown").is_some()
            && shares[2]["stands"].get("Unknown").is_some(),
        "{shares}"
    );
    assert_eq!(
        (slow.seen().len(), odd.seen().len()),
        (1, 1),
        "nothing is sent twice without a person"
    );
    // Unknown counts as exposed: it is too late to withdraw.
    assert_eq!(world.cli("agency", &["withdraw", &code]).status.code(), Some(1));
    slow.set(Mood::Takes);
    odd.set(Mood::Takes);
    let retried = world.cli("agency", &["retry", &code]);
    assert!(retried.status.success(), "{}", stderr(&retried));
    until("the unknown shares to be taken", || {
        let shares = world.json("agency", &["show", &code])["state"]["shares"].clone();
        (shares.as_array()?.iter().all(|share| share["stands"].get("Accepted").is_some()))
            .then_some(())
    });
    assert_eq!(slow.seen()[0], slow.seen()[1], "the same text again, never a new split");
    let shown = world.cli("agency", &["show", &code]);
    assert!(
        stdout(&shown).contains("tried again"),
        "a person's retry stands in the ledger: {}",
        stdout(&shown)
    );
    let line = |provider: &Provider| {
        let body: serde_json::Value = serde_json::from_str(&provider.seen()[0]).unwrap();
        line_in(body["text"].as_str().unwrap())
    };
    let first = world.cli_with("municipality", &["--json", "open", &code], &line(&good));
    assert!(stdout(&first).contains("\"have\":1"), "{}{}", stdout(&first), stderr(&first));
}

#[test]
fn a_provider_that_is_down_or_busy_is_tried_again_and_one_that_refuses_is_not() {
    let (busy, refuses, good) =
        (Provider::new(Mood::Busy), Provider::new(Mood::Refuses), Provider::new(Mood::Takes));
    let channels = busy.channel("sms-a") + &refuses.channel("sms-b") + &good.channel("voice");
    let world = World::running_as(&Plan::default().over(&channels));
    let code = world.send("lijst.csv", LIST);
    until("the busy provider to be asked again", || (busy.seen().len() >= 2).then_some(()));
    busy.set(Mood::Takes);
    world.wait("agency", &code, "Released");
    assert_eq!(refuses.seen().len(), 1);
    let shares = world.json("agency", &["show", &code])["state"]["shares"].clone();
    assert!(
        shares[0]["stands"].get("Accepted").is_some()
            && shares[1]["stands"].get("Rejected").is_some(),
        "{shares}"
    );
}

#[test]
fn a_provider_that_is_down_is_waited_for() {
    let address = sluis_tests::world::free_host();
    let good = Provider::new(Mood::Takes);
    let down = sluis_tests::provider::channel("sms-a", &format!("http://{address}/sms"));
    // Plain http goes no further than the one loopback address.
    let port = address.rsplit(':').next().unwrap();
    let down = down.replace(&address, &format!("127.0.0.1:{port}"));
    let world = World::running_as(
        &Plan::default().over(&(down + &good.channel("sms-b") + &good.channel("voice"))),
    );
    let code = world.send("lijst.csv", LIST);
    until("the releaser to say that it is down", || {
        Some(waiting(&world, "agency", &code))
            .filter(|why| why.contains("the provider cannot be reached"))
    });
    let now_up = Provider::at(&format!("127.0.0.1:{port}"), Mood::Takes);
    world.wait("agency", &code, "Released");
    assert_eq!(now_up.seen().len(), 1);
}

#[test]
fn lines_are_judged_one_by_one() {
    let world = World::running();
    let (code, other) = (world.send("een.csv", LIST), world.send("twee.csv", LIST));
    for code in [&code, &other] {
        world.wait("agency", code, "Released");
    }
    let (lines, others) = (world.lines(&code), world.lines(&other));
    let mut typo: Vec<char> = lines[0].chars().collect();
    typo[6] = if typo[6] == '7' { '8' } else { '7' };
    let typo: String = typo.into_iter().collect();
    let typed = [typo.as_str(), &others[0], &lines[0], &lines[0], "12", "???"].join("\n");
    let answer = world.cli_with("municipality", &["open", &code], &typed);
    let said = stdout(&answer);
    assert_eq!(answer.status.code(), Some(1), "too few lines: it stays shut");
    assert!(said.contains("look at symbol 2 in group 2"), "{said}");
    assert!(said.contains(&format!("this line belongs to transfer {other}")), "{said}");
    assert!(said.contains("right: 1 (an), 1 / 2"), "{said}");
    assert!(said.contains("line 1 is in already"), "{said}");
    assert!(said.contains("35 symbols, dashes not counted; this one has 2"), "{said}");
    assert!(world.json("municipality", &["list"]).to_string().contains("Removed"));
    let rest = world.cli_with(
        "municipality",
        &["open", &code],
        &lines[1].to_lowercase().replace('-', " "),
    );
    assert!(rest.status.success(), "{}{}", stdout(&rest), stderr(&rest));
}

#[test]
fn a_plan_that_one_provider_could_open_is_refused_with_a_hint() {
    let world = World::make(&Plan::default());
    let file = world.path("slecht.toml");
    let installed = fs::read_to_string(world.path("agency/agreements/mechelen.toml")).unwrap();
    fs::write(&file, installed.replace("group = \"groep-b\"", "group = \"groep-a\"")).unwrap();
    let checked = world.cli("agency", &["agreement", "check", file.to_str().unwrap()]);
    assert_eq!(checked.status.code(), Some(78));
    let said = stderr(&checked);
    assert!(
        said.contains("art. 6")
            && said.contains("group groep-a would carry 2 of the 2 shares")
            && said.contains("add a channel"),
        "{said}"
    );
}

#[test]
fn one_unknown_key_is_shown_where_it_is() {
    let world = World::make(&Plan::default());
    world.edit("agency", |text| text.replace("[carrier]\n", "[carrier]\nretires = 3\n"));
    for output in
        [world.command("sealer").output().unwrap(), world.cli("agency", &["config", "check"])]
    {
        assert_eq!(output.status.code(), Some(78));
        let said = stderr(&output);
        assert!(
            said.contains("sluis.toml") && said.contains("line ") && said.contains("column 1"),
            "{said}"
        );
        assert!(said.contains('^') && said.contains("unknown field `retires`"), "{said}");
    }
    world.edit("agency", |text| text.replace("retires = 3\n", "idle-s = \"60\"\n"));
    let wrong = world.command("carrier").output().unwrap();
    assert!(stderr(&wrong).contains("invalid type: string \"60\""), "{}", stderr(&wrong));
    fs::remove_file(world.path("agency/sluis.toml")).unwrap();
    let missing = world.command("sealer").output().unwrap();
    assert_eq!(missing.status.code(), Some(78));
    assert!(stderr(&missing).contains("sluis init"), "{}", stderr(&missing));
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let world = World::make(&Plan::default());
    for (role, host, key) in [
        ("sealer", "agency", "statement-key"),
        ("carrier", "agency", "tls-key"),
        ("releaser", "agency", "bundle-identity"),
        ("keeper", "municipality", "mailbox-identity"),
        ("dropzone", "dropzone", "tls-key"),
    ] {
        let path = world.path(host).join("credentials").join(key);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let refused = world.command(role).output().unwrap();
        assert_eq!(refused.status.code(), Some(78), "{role}");
        assert!(
            stderr(&refused).contains(key) && stderr(&refused).contains("640"),
            "{}",
            stderr(&refused)
        );
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }
}

#[test]
fn a_second_core_on_the_same_store_is_refused() {
    let mut world = World::make(&Plan::default());
    for core in ["sealer", "keeper"] {
        world.start(core);
        let second = world.command(core).output().unwrap();
        assert_eq!(second.status.code(), Some(70), "{core}");
        assert!(stderr(&second).contains("in use by another core"), "{}", stderr(&second));
    }
}

/// Who writes the envelope is held in the middle of it. Meanwhile bytes change before and behind where it reads, by who
/// sets the time of the file back; and the second time another file takes its name.
#[test]
fn a_file_that_is_changed_or_swapped_while_it_is_read_is_never_sent_torn() {
    let mut on = Tended::running();
    let writes = CODE.places("agency/seal.rs write_envelope `files::create_private(&part)`");
    let point = format!("{} write", writes[0]);
    for (round, is_swapped) in [false, true].into_iter().enumerate() {
        let mut content = sluis_tests::bytes(4 << 20);
        content[..8].copy_from_slice(format!("{round:08}").as_bytes());
        let mut other = content.clone();
        let places = [16, other.len() - 1];
        places.iter().for_each(|at| other[*at] ^= 1);
        on.ask("sealer", &Fault { point: point.clone(), nth: 8, kind: "hold" });
        let name = format!("lijst-{round}.csv");
        let torn = on.offer(&name, &content);
        on.guarded = None;
        let held = on.held("sealer");
        on.until("half of the envelope to be written", |_| held.exists().then_some(()));
        let [file] = &somewhere(&on.world.path("agency/private"), &content)[..] else {
            panic!("not there, or twice")
        };
        if is_swapped {
            let beside = file.with_extension("other");
            fs::write(&beside, &other).unwrap();
            fs::rename(beside, file).unwrap();
        } else {
            let times = fs::metadata(file).unwrap().modified().unwrap();
            let open = fs::File::options().write(true).open(file).unwrap();
            for at in places {
                open.write_all_at(&other[at..=at], at.try_into().unwrap()).unwrap();
            }
            open.set_modified(times).unwrap();
        }
        fs::remove_file(held).unwrap();
        let whole = on.until("one whole delivery", |world| {
            let mut rows = rows(world, "agency")?.into_iter();
            let row = rows.find(|row| row["state"] == "Released")?;
            Some(row["code"].as_str().unwrap().to_owned())
        });
        assert_ne!(whole, torn, "what changed under way is another list, with another key");
        let lines = on.world.lines(&whole).join("\n");
        let opened = on.world.cli_with("municipality", &["open", &whole], &lines);
        assert!(opened.status.success(), "{}", stderr(&opened));
        let arrived = fs::read(on.world.vault(&whole).join("opened").join(&name)).unwrap();
        assert!(arrived == other, "{name}: torn, or not what lay there in the end");
        on.reaches("agency", &whole, &["Closed"]);
        let said = stdout(&on.world.cli("agency", &["ledger", "export"]));
        assert_eq!(said.matches("\"kind\":\"sent\"").count(), round + 1, "no word on torn bytes");
        assert_eq!(state(&on.world, "agency", &torn).unwrap(), "Refused");
    }
}

#[test]
fn the_other_sides_verbs_are_refused() {
    let world = World::running();
    let code = world.send("lijst.csv", LIST);
    world.wait("agency", &code, "Released");
    for (host, verb) in
        [("agency", "ready"), ("municipality", "withdraw"), ("municipality", "redeliver")]
    {
        let refused = world.cli(host, &[verb, &code]);
        assert_eq!(refused.status.code(), Some(1), "{host} {verb}");
        assert!(stderr(&refused).contains("[not-this-side]"), "{}", stderr(&refused));
    }
    let nobody = world.cli("agency", &["show", "ZZZZ-ZZZ"]);
    assert!(stderr(&nobody).contains("nothing goes by the code ZZZZ-ZZZ"), "{}", stderr(&nobody));
    let away = Command::new(binary("sluis"))
        .args(["--config", world.path("dropzone/sluis.toml").to_str().unwrap(), "list"])
        .output()
        .unwrap();
    assert_eq!(away.status.code(), Some(78));
}
