//! What somebody new meets at the keyboard: files that will not do, and what the program says of them.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

use sluis_tests::world::Plan;
use sluis_tests::{World, binary, stderr, stdout, until};

/// It ends with this code, and says each of these.
fn says(answer: &Output, code: i32, parts: &[&str]) {
    let said = stdout(answer) + &stderr(answer);
    assert_eq!(answer.status.code(), Some(code), "{said}");
    parts.iter().for_each(|part| assert!(said.contains(part), "{part}: {said}"));
}

#[test]
fn telephone_numbers_are_taken_at_the_agency_alone() {
    let world = World::make(&Plan::default());
    let numbers = world.path("mechelen.contacts.toml");
    let file = world.path("municipality/agreements/mechelen.toml");
    let add = |host: &str| {
        let arguments = ["agreement", "add", file.to_str().unwrap(), "--contacts"];
        world.cli(host, &[&arguments[..], &[numbers.to_str().unwrap()]].concat())
    };
    for host in ["municipality", "dropzone"] {
        says(&add(host), 1, &["belong at the agency alone", "leave --contacts out"]);
        let place = world.path(host).join("agreements/mechelen.contacts.toml");
        assert!(!place.exists(), "{host}");
        fs::copy(&numbers, &place).unwrap();
        let checked = world.cli(host, &["config", "check"]);
        says(&checked, 78, &[place.to_str().unwrap(), "remove this file"]);
    }
    // What will not do changes nothing, and is named as the file that was given.
    let placed = world.path("agency/agreements/mechelen.contacts.toml");
    let before = fs::read_to_string(&placed).unwrap();
    for salt in ["", "abc", "0123456789abcdef"] {
        let text = before.replace("0123456789abcdef0123456789abcdef", salt);
        fs::write(&numbers, &text).unwrap();
        let added = add("agency");
        says(&added, 78, &[numbers.to_str().unwrap(), "salt: 32 lower-case hexadecimal digits"]);
        assert_eq!(fs::read_to_string(&placed).unwrap(), before);
    }
    fs::write(&placed, before.replace("0123456789abcdef0123456789abcdef", "abc")).unwrap();
    let starts = world.command("sealer").output().unwrap();
    for answer in [world.cli("agency", &["config", "check"]), starts] {
        says(&answer, 78, &["mechelen.contacts.toml", "salt: 32 lower-case hexadecimal digits"]);
    }
}

#[test]
fn what_a_role_would_not_start_with_is_found_before_and_ends_it_for_good() {
    let world = World::make(&Plan::default());
    let numbers = world.path("agency/agreements/mechelen.contacts.toml");
    let mode = |mode| fs::set_permissions(&numbers, fs::Permissions::from_mode(mode)).unwrap();
    let sealer = || world.command("sealer").output().unwrap();
    let check = || world.cli("agency", &["config", "check"]);
    mode(0o604);
    for answer in [check(), sealer()] {
        says(&answer, 78, &["mode 604: others can read the telephone numbers; chmod 600"]);
    }
    mode(0o600);
    for (good, bad, told) in [
        ("id = \"agentschap-ii\"", "id = \"een-ander\"", "is called `agentschap-ii`"),
        ("private = \"private\"", "private = \"/proc/nowhere\"", "the same file system as"),
        ("[sealer]\n", "[log]\nlevel = \"lala\"\n\n[sealer]\n", "unknown variant `lala`"),
    ] {
        let mut before = String::new();
        world.edit("agency", |text| {
            assert!(text.contains(good), "{good}");
            before.clone_from(&text);
            text.replace(good, bad)
        });
        // 78: the unit does not start it again and again.
        for answer in [check(), sealer()] {
            says(&answer, 78, &[told]);
        }
        world.edit("agency", |_| before);
    }
    world.edit("municipality", |text| text.replace("id = \"stad-mechelen\"", "id = \"x\""));
    let keeper = world.command("keeper").output().unwrap();
    for answer in [world.cli("municipality", &["--lang", "nl", "config", "check"]), keeper] {
        says(&answer, 78, &["`stad-mechelen`", "party.id"]);
    }
    world.edit("dropzone", |text| text.replace(&world.listen, "lala"));
    let zone = world.command("dropzone").output().unwrap();
    for answer in [world.cli("dropzone", &["config", "check"]), zone] {
        says(&answer, 78, &["address: a host and a port, as in sluiskom.example:8443"]);
    }
}

#[test]
fn what_is_missing_is_named_for_what_it_is() {
    let world = World::make(&Plan::default());
    let secret = world.path("agency/credentials/tls-key");
    fs::rename(&secret, world.path("kept")).unwrap();
    let checked = world.cli("agency", &["config", "check"]);
    says(&checked, 78, &["credential tls-key: not found in", "docs/operations.md, Changing keys"]);
    assert!(!stderr(&checked).contains("sluis init"), "{}", stderr(&checked));
    // What is there and cannot be read is no file that is missing.
    std::os::unix::fs::symlink(world.path("kept"), &secret).unwrap();
    let checked = world.cli("agency", &["config", "check"]);
    says(&checked, 78, &["credential tls-key: ", "symbolic link"]);
    assert!(!stderr(&checked).contains("not found"), "{}", stderr(&checked));
    let hint = "a host is made with `sluis init`";
    says(&world.cli("nowhere", &["list"]), 78, &["nowhere/sluis.toml", hint]);
    let absent = world.cli("agency", &["agreement", "check", "nowhere.toml"]);
    says(&absent, 78, &["nowhere.toml: "]);
    assert!(!stderr(&absent).contains(hint), "{}", stderr(&absent));
    let card = world.path("agency.card");
    let verify = |dir: &str, trust: &str| {
        let place = world.path(dir);
        world.cli("agency", &["evidence", "verify", place.to_str().unwrap(), "--trust", trust])
    };
    says(&verify("nope", card.to_str().unwrap()), 74, &["sluis[io]: the folder ", "nope: "]);
    let told = ["agency.card is no file of keys", "a line for each party", "ssh-ed25519 AAAA"];
    says(&verify("agency", card.to_str().unwrap()), 1, &told);
    says(&verify("agency", "nowhere"), 74, &["sluis[io]: nowhere: "]);
}

#[test]
fn a_list_that_is_refused_says_why_and_goes_again_under_its_name() {
    let world = World::running();
    let list = world.path("lijst.csv");
    let send = |more: &[&str]| {
        world.cli("agency", &[&["send", "mechelen", list.to_str().unwrap()], more].concat())
    };
    fs::write(&list, "").unwrap();
    let refused = send(&[]);
    says(&refused, 1, &["sluis[not-sent]: nothing was sent:", "[empty]"]);
    let told: serde_json::Value = serde_json::from_str(stderr(&send(&["--json"])).trim()).unwrap();
    let reason = &told["reasons"][0];
    assert_eq!((&told["code"], &reason["code"]), (&"not-sent".into(), &"empty".into()), "{told}");
    assert!(reason["article"] == "art. 7" && reason["nl"] != reason["message"], "{told}");
    // A dry run names one cause once.
    let tried = send(&["--dry-run"]);
    assert_eq!(stderr(&tried).matches('[').count(), 2, "{}", stderr(&tried));
    // What somebody else has there is not gone over.
    let placed = world.outbox().join("lijst.csv");
    assert!(!placed.exists(), "the copy goes again");
    fs::write(&list, "een lijst").unwrap();
    fs::write(&placed, "").unwrap();
    std::os::unix::fs::chown(&placed, Some(12345), None).unwrap();
    says(&send(&[]), 1, &["where something lies there by that name", "File exists"]);
    std::os::unix::fs::chown(&placed, Some(0), None).unwrap();
    fs::write(&placed, "").unwrap();
    world.status_says("mechelen", "REFUSED");
    until("it to be refused as it lies", || {
        let sent = send(&[]);
        sent.status.success().then_some(())
    });
    assert!(!placed.exists());
}

#[test]
fn a_machine_is_told_in_json_what_was_typed_wrong() {
    let typed = |words: &[&str]| {
        let lang = ["--lang", "nl"];
        Command::new(binary("sluis")).args(lang).args(words).output().unwrap()
    };
    for (words, dutch, english) in [
        (&["--json", "show"][..], "er ontbreekt: <CODE>", "were not provided"),
        (&["--json", "shwo"], "bedoelde u show?", "unrecognized subcommand"),
    ] {
        let answer = typed(words);
        assert_eq!(answer.status.code(), Some(2));
        let told: serde_json::Value = serde_json::from_str(stderr(&answer).trim()).unwrap();
        assert_eq!(told["code"], "usage");
        assert!(told["message"].as_str().unwrap().contains(english), "{told}");
        assert!(told["nl"].as_str().unwrap().contains(dutch), "{told}");
    }
    for (words, dutch) in [
        (&["--json=1", "list"][..], "--json neemt geen waarde: 1"),
        (&["agreement", "check", "x", "--on", "2026-13-1"], "geen datum: jjjj-mm-dd"),
        (
            &["evidence", "export", "--agreement", "m", "--year", "26", "--to", "x"],
            "26 ligt niet in",
        ),
        (&["show", "BWXG-T4U"], "nooit een U"),
    ] {
        says(&typed(words), 2, &[dutch]);
    }
}

#[test]
fn an_address_without_a_port_is_refused_where_it_is_written() {
    let init = |listen: &str| {
        let dir = tempfile::tempdir().unwrap();
        let arguments = ["init", "dropzone", "--id", "x", "--name", "X", "--listen", listen];
        let lang = ["--lang", "nl", "--dir"];
        let made =
            Command::new(binary("sluis")).args(arguments).args(lang).arg(dir.path()).output();
        (made.unwrap(), dir.path().join("sluis.toml").exists())
    };
    let (made, there) = init("lala");
    says(&made, 2, &["adres: een host en een poort, zoals sluiskom.example:8443"]);
    assert!(!there && init("[::]:8443").1);
    let world = World::make(&Plan::default());
    let bare = world.path("agency/agreements/mechelen.toml");
    let text = fs::read_to_string(&bare).unwrap();
    let (host, port) = world.host.split_once(':').unwrap();
    fs::write(world.path("portless.toml"), text.replace(&format!("{host}:{port}"), host)).unwrap();
    let file = world.path("portless.toml");
    for verb in ["check", "add"] {
        let answer = world.cli("agency", &["agreement", verb, file.to_str().unwrap()]);
        says(&answer, 78, &["portless.toml", "host = ", "a host and a port", "^"]);
    }
}
