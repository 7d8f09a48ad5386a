//! Reminders by e-mail, through the real programs and a real mail server over TLS: what is told, to whom, and once.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::BTreeSet;
use std::fs;

use sluis_tests::mail::{Mail, MailServer, PASSWORD, subjects};
use sluis_tests::world::{Plan, somewhere};
use sluis_tests::{World, stderr, until};

const LIST: &[u8] = b"nummer;contract\n1;1\n";

/// What no mail may have: a number that could be a person's, a link, more than one of what stands once.
fn is_clean(mail: &Mail) {
    let mut run = 0;
    for c in mail.raw.chars() {
        run = if c.is_ascii_digit() { run + 1 } else { 0 };
        assert!(run < 11, "{}", mail.raw);
    }
    assert!(mail.safe, "over TLS and by the account");
    assert!(!mail.raw.contains("http"), "{}", mail.raw);
    for name in ["from", "to", "subject", "message-id", "date", "auto-submitted"] {
        assert_eq!(mail.headers.iter().filter(|(known, _)| known == name).count(), 1, "{name}");
    }
    let known = ["mime-version", "content-type", "content-transfer-encoding"];
    assert_eq!(mail.headers.len(), 6 + known.len(), "{:?}", mail.headers);
    assert!(mail.header("content-type").starts_with("text/plain"));
    assert_eq!(mail.to.len(), 1);
}

fn number(mail: &Mail) -> String {
    mail.header("message-id").to_owned()
}

#[test]
fn what_was_missed_is_told_once_in_the_partys_language_and_a_restart_tells_nothing_twice() {
    let mut world = World::make(&Plan::default());
    let mut server = MailServer::new();
    server.start("starttls", "right");
    world.edit("municipality", |text| text.replace("language = \"en\"", "language = \"nl\""));
    let more = "tls = \"starttls\"\ndpo = [\"dpo@party.example\"]\n\
                [notifier.agreements.mechelen]\nto = [\"Integratie & cie <mechelen@party.example>\"]";
    let refused = "Integratie & cie <mechelen@party.example>";
    server.serves(
        &world,
        "municipality",
        &more.replace(refused, "\\\"Integratie & cié\\\" <mechelen@party.example>"),
    );
    for role in ["dropzone", "sealer", "carrier", "keeper", "fetcher", "notifier"] {
        world.start(role);
    }
    let missed = [
        "Jaarlijkse verklaring over de bewaring, mechelen",
        "Veiligheidsbeleid en -plan herzien, stad-mechelen",
    ];
    let mut mails = server.takes(2);
    mails.sort_by_key(|mail| mail.header("subject").to_owned());
    for (mail, title) in mails.iter().zip(missed) {
        is_clean(mail);
        assert_eq!(mail.header("subject"), format!("[Sluis] te laat: {title} (mechelen)"));
        assert_eq!(mail.to, ["mechelen@party.example"]);
        assert!(mail.header("to").contains("cié"), "{}", mail.header("to"));
        assert!(
            mail.body.contains("art. ") && mail.body.contains("sluis deadlines"),
            "{}",
            mail.body
        );
        assert!(mail.body.contains("Sluis bij Stad Mechelen"), "{}", mail.body);
    }
    assert!(mails[0].body.contains("Loopt tot: 2021-12-18 23:59:59"), "{}", mails[0].body);
    for role in ["keeper", "notifier"] {
        world.kill(role);
        world.start(role);
    }
    // What comes after shows that nothing came again before it.
    let told = [
        "incident",
        "report",
        "mechelen",
        "--found",
        "2026-01-05T10:00",
        "--text",
        "een poging van 85 07 30",
    ];
    let told = world.cli("agency", &told);
    assert!(told.status.success(), "{}", stderr(&told));
    let mails = server.takes(4);
    assert_eq!(mails.len(), 4, "{:?}", subjects(&mails));
    let incident: Vec<&Mail> = mails[2..].iter().collect();
    for mail in &incident {
        is_clean(mail);
        assert!(
            mail.header("subject").contains("gemeld: incident, "),
            "{}",
            mail.header("subject")
        );
        assert!(mail.body.contains("art. 9") && !mail.body.contains("poging"), "{}", mail.body);
    }
    let to: BTreeSet<_> = incident.iter().flat_map(|mail| mail.to.clone()).collect();
    assert_eq!(to, ["dpo@party.example", "mechelen@party.example"].map(str::to_owned).into());
    let numbers: BTreeSet<_> = mails.iter().map(number).collect();
    assert_eq!(numbers.len(), 3, "one number a reminder, also where it goes to two");
    assert!(!world.log("notifier").contains("party.example"), "no address in a log");
    let mut left = somewhere(&world.path("municipality"), PASSWORD.as_bytes());
    left.retain(|path| !path.ends_with("credentials/smtp-password"));
    assert_eq!(left, Vec::<std::path::PathBuf>::new());
}

#[test]
fn a_mail_server_that_is_away_gets_every_reminder_once_it_is_back() {
    let mut world = World::make(&Plan::default());
    let mut server = MailServer::new();
    server.serves(&world, "agency", "");
    world.start("sealer");
    world.start("notifier");
    until("the notifier to have tried", || {
        world.log("notifier").contains("not taken").then_some(())
    });
    // A kill in between loses nothing.
    world.kill("notifier");
    world.kill("sealer");
    world.start("sealer");
    server.start("wrapper", "right");
    world.start("notifier");
    let mails = server.takes(1);
    assert_eq!(
        subjects(&mails),
        ["[Sluis] overdue: Review security policy and plan, agentschap-ii (mechelen)"]
    );
    is_clean(&mails[0]);
    assert!(mails[0].body.contains("Sluis at Agentschap"), "{}", mails[0].body);
    until("nothing to wait any more", || {
        let health = world.cli("agency", &["--json", "health"]);
        let health: serde_json::Value = serde_json::from_slice(&health.stdout).unwrap();
        let gates = health["health"]["gates"].as_array().unwrap().clone();
        let notifier = gates.into_iter().find(|gate| gate["gate"] == "notifier").unwrap();
        (notifier["waiting"] == 0).then_some(())
    });
    assert_eq!(server.mails().len(), 1);
}

#[test]
fn a_server_with_another_certificate_or_without_tls_hears_no_word() {
    for (mode, tls, certificate, reason) in [
        ("wrapper", "wrapper", "stranger", "invalid peer certificate"),
        ("wrapper", "wrapper", "elsewhere", "invalid peer certificate"),
        ("starttls", "starttls", "stranger", "invalid peer certificate"),
        ("plain", "starttls", "right", "STARTTLS"),
    ] {
        let mut world = World::make(&Plan::default());
        let mut server = MailServer::new();
        server.start(mode, certificate);
        server.serves(&world, "agency", &format!("tls = \"{tls}\""));
        world.start("sealer");
        world.start("notifier");
        until(&format!("{certificate} over {mode} to be refused"), || {
            world.log("notifier").contains("not taken").then_some(())
        });
        assert!(world.log("notifier").contains(reason), "{}", world.log("notifier"));
        let said = server.said();
        assert!(
            !said.iter().any(|it| it.starts_with("auth") || it.starts_with("rcpt")),
            "{said:?}"
        );
        assert_eq!(server.mails().len(), 0);
        // The same reminder leaves where the server is the right one.
        server.stop();
        server.start(tls, "right");
        assert_eq!(server.takes(1).len(), 1);
    }
}

#[test]
fn a_wrong_password_or_address_is_waited_for_and_keeps_nobody_else_from_being_told() {
    let mut world = World::make(&Plan::default());
    let mut server = MailServer::new();
    server.start("wrapper", "right");
    server.serves(&world, "agency", "dpo = []");
    world.edit("agency", |text| {
        text.replace(
            "[\"officer@",
            "[\"nobody@party.example\", \"later@party.example\", \"officer@",
        )
    });
    world.credential("agency", "smtp-password", "wrong");
    world.start("sealer");
    world.start("notifier");
    until("the password to be refused", || {
        server.said().contains(&"auth wrong".into()).then_some(())
    });
    world.credential("agency", "smtp-password", PASSWORD);
    world.stop("notifier");
    world.start("notifier");
    // It comes again for the one who is only refused for now, and never twice to whom it reached.
    until("a second try", || {
        let tries = server.said().iter().filter(|it| it.starts_with("rcpt later")).count();
        (tries >= 3).then_some(())
    });
    let mails = server.mails();
    assert_eq!(mails.len(), 1, "{:?}", subjects(&mails));
    assert_eq!(mails[0].to, ["officer@party.example"]);
    assert!(world.log("notifier").contains("550"), "{}", world.log("notifier"));
    assert!(!world.log("notifier").contains("nobody@"), "no address in a log");
}

#[test]
fn a_transfer_that_waits_is_told_without_its_name_and_no_header_can_be_forged() {
    let forged = "x\r\nBcc: thief@evil.example\r\n85073003328.csv";
    let mut world = World::make(&Plan::default());
    let mut server = MailServer::new();
    server.start("wrapper", "right");
    server.serves(&world, "agency", "");
    world.edit("agency", |text| {
        text.replace(
            "name = \"Agentschap Integratie en Inburgering\"",
            "name = \"A\\r\\nBcc: thief@evil.example\"",
        )
    });
    fs::remove_file(world.path("agency/agreements/mechelen.contacts.toml")).unwrap();
    ["dropzone", "sealer", "carrier", "notifier"].iter().for_each(|role| world.start(role));
    let code = world.send(forged, LIST);
    world.wait("agency", &code, "Held");
    let mails = server.takes(2);
    for mail in &mails {
        is_clean(mail);
        assert!(!mail.headers.iter().any(|(name, _)| name == "bcc"), "{}", mail.raw);
        assert!(!mail.raw.contains("85073003328") && !mail.raw.contains(".csv"), "{}", mail.raw);
        assert!(!mail.raw.contains("\nBcc"), "{}", mail.raw);
    }
    let held = mails.iter().find(|mail| mail.header("subject").contains(&code)).unwrap();
    assert_eq!(
        held.header("subject"),
        format!("[Sluis] Transfer waits for you, {code} (mechelen)")
    );
    assert!(held.body.contains(&format!("sluis show {code}")), "{}", held.body);
    assert!(server.said().iter().all(|it| !it.contains("evil")), "{:?}", server.said());
    // It is tried again and gets stuck again: that is news.
    assert!(world.cli("agency", &["retry", &code]).status.success());
    assert_eq!(server.takes(3).len(), 3);
    // An address that is no address starts nothing.
    world.stop("notifier");
    world.edit("agency", |text| {
        text.replace("officer@party.example", "officer@party.example\\r\\nBcc: x@y")
    });
    let refused = world.command("notifier").output().unwrap();
    assert_eq!(refused.status.code(), Some(78), "{}", stderr(&refused));
}

#[test]
fn a_file_that_stays_on_the_medium_alarms_the_agency() {
    let mut plan = Plan::default();
    plan.agreement += "\n[targets]\nremoval-target-hours = 0\nalarm-after-hours = 0\n";
    let mut world = World::make(&plan);
    let mut server = MailServer::new();
    server.start("wrapper", "right");
    server.serves(&world, "agency", "");
    for role in ["dropzone", "sealer", "carrier", "notifier"] {
        world.start(role);
    }
    let code = world.send("lijst.csv", LIST);
    let mails = server.takes(2);
    assert_eq!(mails.len(), 2, "{:?}", subjects(&mails));
    let alarm = mails.iter().find(|mail| mail.header("subject").contains(&code)).unwrap();
    is_clean(alarm);
    assert_eq!(
        alarm.header("subject"),
        format!(
            "[Sluis] overdue: Last moment: gone from the transport medium, OEFENING {code} (mechelen)"
        )
    );
    assert!(
        alarm.body.contains("art. 6") && alarm.body.contains("Call each other"),
        "{}",
        alarm.body
    );
}

/// The duties that a party's ledger says were not met in time, of one clock.
fn missed(world: &World, host: &str, clock: &str) -> Vec<serde_json::Value> {
    let entries = world.ledger(host).into_iter();
    entries.filter(|it| it["kind"] == "missed" && it["detail"]["clock"] == clock).collect()
}

/// Each its own, and what the other party owes where that is long ago; neither has a notifier, and a core that starts again
/// says nothing anew.
#[test]
fn a_duty_that_nobody_met_in_time_is_entered_once_in_the_ledgers_of_both() {
    let mut plan = Plan::default();
    plan.agreement += "\n[targets]\nremoval-target-hours = 0\nalarm-after-hours = 0\n";
    let mut world = World::make(&plan);
    for role in ["dropzone", "sealer", "carrier", "keeper", "fetcher"] {
        world.start(role);
    }
    // The list cannot be taken over.
    let vault = world.path("municipality/vault/mechelen");
    let _ = fs::remove_dir_all(&vault);
    fs::create_dir_all(vault.parent().unwrap()).unwrap();
    fs::write(&vault, "x").unwrap();
    let code = world.send("lijst.csv", LIST);
    let said =
        until("the duty to be entered", || missed(&world, "municipality", "removal-target").pop());
    assert_eq!(said["detail"]["subject"], code, "{said}");
    assert_eq!(said["detail"]["agreement"], "mechelen", "{said}");
    assert!(said["transfer"].is_string(), "{said}");
    for host in ["agency", "municipality"] {
        // What was never reviewed both know.
        let reviews = until("the review", || missed(&world, host, "policy-review-agency").pop());
        assert_eq!(reviews["detail"]["subject"], "agentschap-ii", "{reviews}");
    }
    for role in ["sealer", "keeper"] {
        world.stop(role);
    }
    fs::remove_file(&vault).unwrap();
    for role in ["sealer", "keeper"] {
        world.start(role);
    }
    // Long after its two weeks when it is reported; the looks after the start enter that, and nothing else.
    let found = ["--found", "2026-01-05T10:00", "--text", "rij 2 is verouderd"];
    let report = [&["quality", "report", "mechelen"], &found[..]].concat();
    let reported = world.cli("municipality", &report);
    assert!(reported.status.success(), "{}", stderr(&reported));
    for host in ["agency", "municipality"] {
        until("the answer to be missed", || missed(&world, host, "quality").pop());
        assert_eq!(missed(&world, host, "policy-review-agency").len(), 1, "{host}");
    }
    assert_eq!(missed(&world, "municipality", "removal-target").len(), 1);
    // It is in the evidence that each party hands over.
    for (host, clock) in [("agency", "quality"), ("municipality", "removal-target")] {
        let to = world.path(&format!("evidence-{host}"));
        let to = to.to_str().unwrap();
        let made = world.cli(host, &["evidence", "export", "--agreement", "mechelen", "--to", to]);
        assert!(made.status.success(), "{}", stderr(&made));
        let decisions = fs::read_to_string(format!("{to}/ledger/decisions")).unwrap();
        let said = "\"kind\":\"missed\",\"transfer\":";
        let of =
            |line: &&str| line.contains(said) && line.contains(&format!("\"clock\":\"{clock}\""));
        assert_eq!(decisions.lines().filter(of).count(), 1, "{decisions}");
    }
    // Of the other party's that are a moment old nothing is said: the word that meets it may be on its way.
    assert_eq!(missed(&world, "agency", "removal-target").len(), 0);
}

#[test]
fn the_municipality_is_told_when_the_target_of_taking_a_file_over_runs_out() {
    let mut plan = Plan::default();
    plan.agreement += "\n[targets]\nremoval-target-hours = 0\n";
    let mut world = World::make(&plan);
    let mut server = MailServer::new();
    server.start("wrapper", "right");
    server.serves(&world, "municipality", "");
    // The file cannot be taken over: a file lies where its folder in the vault would be.
    let vault = world.path("municipality/vault/mechelen");
    let _ = fs::remove_dir_all(&vault);
    fs::create_dir_all(vault.parent().unwrap()).unwrap();
    fs::write(&vault, "x").unwrap();
    for role in ["dropzone", "sealer", "carrier", "keeper", "fetcher", "notifier"] {
        world.start(role);
    }
    let code = world.send("lijst.csv", LIST);
    // The yearly two of the municipality come too.
    let mails = server.takes(3);
    let told = mails.iter().find(|mail| mail.header("subject").contains(&code));
    let told = told.unwrap_or_else(|| panic!("{:?}", subjects(&mails)));
    is_clean(told);
    assert!(told.header("subject").starts_with("[Sluis] overdue: "), "{}", told.header("subject"));
    assert!(told.body.contains("art. 6"), "{}", told.body);
    assert_eq!(mails.len(), 3, "{:?}", subjects(&mails));
}
