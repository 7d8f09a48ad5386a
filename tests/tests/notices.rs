//! Notices that end, hold or let go: the end at once, words from paper, the exercise before a list, late words.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;

use serde_json::Value;
use sluis_tests::world::Plan;
use sluis_tests::{World, stderr, stdout, until};

/// Numbers that belong to nobody, with right check digits.
const LIST: &[u8] =
    b"rijksregisternummer;contract;attest\n85073003328;1;1\n90020199704;1;0\n00010100105;0;0\n";

/// The demonstration's agreement as it is: lists, and only when asked for.
fn strict() -> Plan {
    let agreement = include_str!("../../config/examples/demo/mechelen.toml").to_owned();
    Plan { agreement, ..Plan::default() }
}

/// Waits until a host's register has so many notices of a sort.
fn heard(world: &World, host: &str, sort: &str, count: usize) -> Value {
    until(&format!("{sort} to be heard by the {host}"), || {
        let rows = world.json(host, &["notices"]);
        let known: Vec<_> =
            rows.as_array().unwrap().iter().filter(|row| row["sort"] == sort).cloned().collect();
        (known.len() == count).then(|| known.last().cloned().unwrap_or_default())
    })
}

fn refused(world: &World, host: &str, arguments: &[&str], why: &str) {
    let said = world.cli(host, arguments);
    assert_eq!(said.status.code(), Some(1), "{arguments:?}: {}", stdout(&said));
    assert!(stderr(&said).contains(why), "{arguments:?}: {}", stderr(&said));
}

/// The first person asks, the second one confirms with the same command.
fn two(world: &World, host: &str, arguments: &[&str]) -> String {
    let one = world.cli(host, arguments);
    assert!(one.status.success() && stdout(&one).contains("second person"), "{}", stderr(&one));
    refused(world, host, arguments, "a second person confirms");
    let second = world.cli_as("65534", host, arguments);
    assert!(second.status.success(), "{}{}", stdout(&second), stderr(&second));
    stdout(&second)
}

/// The kinds of the entries in a host's ledger.
fn clock(world: &World, host: &str, name: &str) -> Option<Value> {
    let due = world.json(host, &["deadlines"]);
    due.as_array().unwrap().iter().find(|it| it["clock"] == name).cloned()
}

#[test]
fn the_agency_ends_it_at_once_and_what_is_not_out_never_leaves() {
    let mut plan = Plan::default();
    plan.agreement =
        plan.agreement.replace("release = \"after-removal\"", "release = \"when-ready\"");
    let world = World::running_as(&plan);
    let open = world.send("een.txt", b"een");
    world.wait("municipality", &open, "Removed");
    let _ = world.cli("municipality", &["ready", &open]);
    world.wait("agency", &open, "Released");
    let shut = world.send("twee.txt", b"twee");
    world.wait("agency", &shut, "Removed");
    let end = ["terminate", "mechelen", "--at-once", "--reason", "doorgifte zonder melding"];
    refused(&world, "municipality", &end, "the other party's to say");
    refused(
        &world,
        "agency",
        &["terminate", "mechelen", "--at-once", "--text", " "],
        "a text of 1",
    );
    let told = two(&world, "agency", &end);
    assert!(told.contains("terminate-at-once  art. 8"), "{told}");
    assert!(told.contains(&format!("{shut}  withdrawn")), "{told}");
    assert!(told.contains(&format!("{open}  stays")), "{told}");
    assert_eq!(world.row("agency", &shut).unwrap()["state"], "Withdrawn");
    assert_eq!(world.row("agency", &open).unwrap()["state"], "Released");
    world.wait("municipality", &shut, "Ended");
    assert!(world.lines(&shut).is_empty(), "no share of it ever left");
    // Whose shares were out is opened as before.
    let lines = world.lines(&open).join("\n");
    assert!(world.cli_with("municipality", &["open", &open], &lines).status.success());
    world.wait("agency", &open, "Closed");
    // Nothing more leaves, and nothing is asked for.
    world.put("drie.txt".as_ref(), b"drie");
    let text = world.status_says("mechelen", "REFUSED");
    assert!(text.contains("the agreement ended on"), "{text}");
    heard(&world, "municipality", "terminate-at-once", 1);
    let request = ["request", "mechelen", "--text", "toch nog een lijst"];
    refused(&world, "municipality", &request, "the agreement ended on");
    refused(&world, "agency", &end, "the agreement ended on");
    for host in ["agency", "municipality"] {
        assert!(clock(&world, host, "notice").is_some(), "{host}");
        assert!(world.cli(host, &["ledger", "verify"]).status.success());
    }
    let entries = world.ledger("agency");
    let ended = entries.iter().find(|it| it["kind"] == "ended-at-once").unwrap();
    assert_eq!(
        (&ended["detail"]["withdrawn"], &ended["detail"]["stays"]),
        (&shut.into(), &open.into())
    );
    for kind in ["terminate-at-once-asked", "terminate-at-once-confirmed", "terminate-at-once"] {
        assert!(entries.iter().any(|it| it["kind"] == kind), "{kind}");
    }
}

#[test]
fn of_what_enough_shares_are_out_of_no_other_leaves_when_it_ends_at_once() {
    let mut plan = Plan::default();
    let voice = plan.channels.rfind("../phones").unwrap();
    plan.channels.replace_range(voice.., "../voice\"\n");
    let mut world = World::make(&plan);
    // The third telephone takes nothing yet.
    let phone = world.path("voice");
    fs::write(&phone, "").unwrap();
    for role in ["dropzone", "sealer", "keeper", "carrier", "releaser", "fetcher"] {
        world.start(role);
    }
    fs::create_dir(world.path("phones")).unwrap();
    let code = world.send("een.txt", b"een");
    until("two shares to be out", || (world.lines(&code).len() == 2).then_some(()));
    assert_eq!(world.row("agency", &code).unwrap()["state"], "Releasing");
    let bundles = || fs::read_dir(world.path("agency/bundles")).unwrap().count();
    assert_eq!(bundles(), 2, "the bundle, and what was let go of it");
    let told = two(
        &world,
        "agency",
        &["terminate", "mechelen", "--at-once", "--reason", "doorgifte zonder melding"],
    );
    assert!(told.contains(&format!("{code}  stays")), "{told}");
    world.wait("agency", &code, "Released");
    until("the bundle to be gone", || (bundles() == 0).then_some(()));
    let shown = stdout(&world.cli("agency", &["show", &code]));
    assert!(shown.contains("ended-at-once"), "{shown}");
    // The telephone is there again, the releaser too, and a person asks for it: it never leaves.
    fs::remove_file(&phone).unwrap();
    world.stop("releaser");
    world.start("releaser");
    for again in [&["retry", &code][..], &["retry", &code, "--share", "3"]] {
        refused(&world, "agency", again, "not possible");
    }
    let lines = world.lines(&code);
    assert!(world.cli_with("municipality", &["open", &code], &lines.join("\n")).status.success());
    world.wait("agency", &code, "Closed");
    assert!(lines.len() == 2 && !phone.exists(), "the third share is destroyed");
}

#[test]
fn what_came_on_paper_is_entered_by_two_persons_marked_and_counts() {
    let world = World::running_as(&strict());
    let letter = world.path("brief.pdf");
    fs::write(&letter, "de lijst van 2026, graag").unwrap();
    let letter = letter.to_str().unwrap();
    let day = sluis_core::id::Time(now_ms()).date().to_string();
    let say = ["request", "mechelen", "--text", "de lijst van 2026"];
    refused(&world, "agency", &say, "the other party's to say");
    let on_paper = [&say[..], &["--paper", letter, "--received", &day]].concat();
    refused(&world, "municipality", &on_paper, "the other party's to say");
    let ahead = [&say[..], &["--paper", letter, "--received", "2999-01-01"]].concat();
    refused(&world, "agency", &ahead, "a letter of the last 31 days");
    let legal =
        ["legal-change", "mechelen", "--on", "2027-01-01", "--text", "x", "--paper", letter];
    refused(
        &world,
        "agency",
        &[&legal[..], &["--received", &day]].concat(),
        "only said by its own party",
    );
    let entered = two(&world, "agency", &on_paper);
    assert!(entered.contains("paper: the other party's word, letter of"), "{entered}");
    // The municipality sees it, with the mark; it may not ask a second time.
    let seen = heard(&world, "municipality", "request", 1);
    assert_eq!(seen["by"], "agentschap-ii");
    assert_eq!(seen["notice"]["received"], day.as_str());
    let table = world.cli("municipality", &["notices"]);
    assert!(stdout(&table).contains("[paper: the"), "{}", stdout(&table));
    refused(&world, "municipality", &say, "one request a year");
    let code = world.send("lijst.csv", LIST);
    world.wait("agency", &code, "Released");
    // An incident in a letter of the municipality is the municipality's, and so is its clock.
    let incident = ["incident", "report", "mechelen", "--found", "2026-01-05T10:00", "--text", "x"];
    two(&world, "agency", &[&incident[..], &["--paper", letter, "--received", &day]].concat());
    heard(&world, "municipality", "incident-report", 1);
    for host in ["agency", "municipality"] {
        assert!(clock(&world, host, "incident-municipality").is_some(), "{host}");
        assert!(clock(&world, host, "incident-agency").is_none(), "{host}");
    }
    let to = world.path("bundel");
    let made = world.cli(
        "agency",
        &["evidence", "export", "--agreement", "mechelen", "--to", to.to_str().unwrap()],
    );
    assert!(made.status.success(), "{}", stderr(&made));
    let report = fs::read_to_string(to.join("report.nl.html")).unwrap();
    assert!(report.contains("op papier: woord van de andere partij"), "marked in the report");
    assert!(report.contains(" (op papier)"), "where a list names its request too");
}

/// The municipality found wrong data and wrote a letter: the agency enters it, by two persons (art. 7, R59).
#[test]
fn a_quality_report_in_a_letter_is_entered_by_two_persons_with_its_document_and_day() {
    let world = World::running_as(&strict());
    let letter = world.path("melding.pdf");
    fs::write(&letter, "rij 2 van de lijst klopt niet").unwrap();
    let digest = sluis_core::id::Digest::of(b"rij 2 van de lijst klopt niet").to_string();
    let letter = letter.to_str().unwrap();
    let now = sluis_core::id::Time(now_ms());
    let day = now.date().to_string();
    let found = now.plus_ms(-3 * 86_400_000);
    let when = format!("{}T10:00", found.date());
    let report = ["quality", "report", "mechelen", "--found", &when, "--text", "rij 2"];
    let on_paper = [&report[..], &["--paper", letter, "--received", &day]].concat();
    let before = [&report[..], &["--received", &day]].concat();
    assert_eq!(world.cli("agency", &before).status.code(), Some(2), "no day without the document");
    let first = world.cli("agency", &on_paper);
    assert!(first.status.success(), "{}", stderr(&first));
    let again = world.cli("agency", &on_paper);
    assert!(!again.status.success(), "the same person is no second one: {}", stdout(&again));
    assert!(world.json("agency", &["notices"]).as_array().unwrap().is_empty());
    let second = world.cli_as("65534", "agency", &on_paper);
    assert!(second.status.success(), "{}", stderr(&second));
    for host in ["agency", "municipality"] {
        let row = heard(&world, host, "quality-report", 1);
        let notice = &row["notice"];
        assert_eq!(row["by"], "agentschap-ii", "whose signature it is");
        assert_eq!(
            (notice["paper"].as_str(), notice["received"].as_str()),
            (Some(&*digest), Some(&*day))
        );
        let said = sluis_core::id::Time(notice["found"].as_i64().unwrap());
        assert_eq!(said.date(), found.date(), "the day of the finding");
        let table = stdout(&world.cli(host, &["notices"]));
        assert!(table.contains("[paper: the"), "{table}");
        // Two weeks from the finding, not from the letter nor from its entry.
        let due = clock(&world, host, "quality").unwrap();
        assert_eq!(due["starts"], notice["found"], "{due}");
    }
    let entries = world.ledger("agency");
    for kind in ["quality-report-asked", "quality-report-confirmed"] {
        assert_eq!(entries.iter().filter(|entry| entry["kind"] == kind).count(), 1, "{kind}");
    }
}

/// The agency enters a report that the municipality never made: it is no reason for a second list (art. 6 and 7; R48, R63).
#[test]
fn a_quality_report_that_its_party_contradicts_lets_no_second_list_leave_and_is_not_answered_by_that()
 {
    let world = World::running_as(&strict());
    let _ = world.json("municipality", &["request", "mechelen", "--text", "de lijst van 2026"]);
    heard(&world, "agency", "request", 1);
    let code = world.send("lijst.csv", LIST);
    world.wait("agency", &code, "Released");
    let letter = world.path("melding.pdf");
    fs::write(&letter, "rij 2 van de lijst klopt niet").unwrap();
    let now = sluis_core::id::Time(now_ms());
    let (day, found) = (now.date().to_string(), now.plus_ms(-3 * 86_400_000).date());
    let when = format!("{found}T10:00");
    let report = ["quality", "report", "mechelen", "--transfer", &code, "--found", &when];
    let paper = ["--text", "rij 2", "--paper", letter.to_str().unwrap(), "--received", &day];
    two(&world, "agency", &[&report[..], &paper].concat());
    let seen = heard(&world, "municipality", "quality-report", 1);
    let number = seen["digest"].as_str().unwrap()[..8].to_owned();
    let against = ["contradict", "mechelen", "--entry", &number, "--text", "niet van ons"];
    assert!(world.cli("municipality", &against).status.success());
    heard(&world, "agency", "contradiction", 1);
    world.put("nog-een.csv".as_ref(), LIST);
    let text = world.status_says("mechelen", "REFUSED");
    assert!(text.contains("the next may follow from"), "{text}");
    let close = ["quality", "close", "mechelen", "--case", &number, "--text", "x"];
    refused(&world, "agency", &close, "sluis quality answer");
    for host in ["agency", "municipality"] {
        assert_eq!(clock(&world, host, "quality").unwrap()["met"], Value::Null, "{host}");
    }
}

#[test]
fn a_list_waits_for_an_exercise_that_every_custodian_typed_and_then_goes_on() {
    let mut plan = strict();
    plan.agreement =
        plan.agreement.replace("unasked = \"demonstratie", "# unasked = \"demonstratie");
    let mut world = World::running_as(&plan);
    assert_eq!(clock(&world, "agency", "rehearsal").unwrap()["standing"], "reached");
    let _ = world.json("municipality", &["request", "mechelen", "--text", "de lijst van 2026"]);
    heard(&world, "agency", "request", 1);
    let list = world.send("lijst.csv", LIST);
    world.wait("agency", &list, "Held");
    let why = world.row("agency", &list).unwrap()["note"]["message"].as_str().unwrap().to_owned();
    for part in ["an (integratieambtenaar)", "bart", "chantal", "sluis rehearse mechelen"] {
        assert!(why.contains(part), "{part}: {why}");
    }
    // Whoever looks reads it in their own language.
    for (lang, said) in [("nl", "niet geoefend binnen"), ("en", "not rehearsed within")] {
        for verb in [&["list"][..], &["show", &list]] {
            let told = stdout(&world.cli("agency", &[&["--lang", lang], verb].concat()));
            assert!(told.contains(said), "{lang}: {told}");
        }
    }
    let asked = world.cli("agency", &["rehearse", "mechelen"]);
    let asked = stdout(&asked);
    let drill = asked.split("Taken as transfer OEFENING ").nth(1);
    let drill = drill.and_then(|rest| rest.lines().next()).unwrap_or_else(|| panic!("{asked}"));
    let drill = drill.to_owned();
    all_marked(&asked, &drill);
    world.wait("agency", &drill, "Released");
    let texts = on_telephones(&world);
    assert!(texts.iter().all(|text| text.contains("OEFENING. Sluis ")), "{texts:?}");
    // One user confirms one custodian: before it is open, after, and after the keeper forgot what was typed.
    let lines = world.lines(&drill);
    let first = world.cli_with("municipality", &["open", &drill], &lines[0]);
    assert!(!first.status.success(), "one line opens nothing");
    let alone = |world: &World, line: &str, typed: u8| {
        let refused = world.cli_with("municipality", &["open", &drill], line);
        let told = stderr(&refused);
        assert!(told.contains("sluis[one-person]") && told.contains("art. 6"), "{told}");
        assert!(told.contains(&format!("typed line {typed} of this exercise")), "{told}");
    };
    alone(&world, &lines[1], 1);
    let type_as = |world: &World, uid: &str, line: &str| {
        let output = world.cli_as_with(uid, "municipality", &["open", &drill], line);
        (output.status.success(), stdout(&output) + &stderr(&output))
    };
    assert!(stdout(&first).contains(&format!("OEFENING {drill}, right: 1")), "{}", stdout(&first));
    let (good, told) = type_as(&world, "65534", &lines[1]);
    assert!(good, "{told}");
    all_marked(&told, &drill);
    world.wait("agency", &drill, "Closed");
    // Open, and the third custodian has not typed: the clock is not wound, the list still waits, and says for whom.
    assert_eq!(clock(&world, "agency", "rehearsal").unwrap()["standing"], "reached");
    let still = world.cli("agency", &["retry", &list]);
    assert!(still.status.success(), "{}", stderr(&still));
    world.wait("agency", &list, "Held");
    let why = world.row("agency", &list).unwrap()["note"]["message"].as_str().unwrap().to_owned();
    assert!(why.contains("by chantal (informatieveiligheid). Rehearse"), "{why}");
    alone(&world, &lines[2], 1);
    world.stop("keeper");
    world.start("keeper");
    alone(&world, &lines[2], 1);
    let (good, told) = type_as(&world, "65534", &lines[2]);
    assert!(!good && told.contains("typed line 2 of this exercise"), "{told}");
    let (good, told) = type_as(&world, "65533", &lines[2]);
    assert!(good, "{told}");
    world.wait("agency", &list, "Released");
    for host in ["agency", "municipality"] {
        assert_eq!(clock(&world, host, "rehearsal").unwrap()["standing"], "ahead", "{host}");
    }
    let twice = world.cli_with("municipality", &["open", &drill], &lines[2]);
    assert!(stderr(&twice).contains("is in already"), "{}", stderr(&twice));
    // The year's request was the list's: the exercise took none.
    is_marked(&world, &drill);
}

/// The texts of all messages.
fn on_telephones(world: &World) -> Vec<String> {
    fs::read_dir(world.path("phones"))
        .unwrap()
        .flatten()
        .flat_map(|phone| fs::read_dir(phone.path()).unwrap().flatten())
        .map(|message| fs::read_to_string(message.path()).unwrap())
        .collect()
}

/// Every mention of a rehearsal has the mark right before its code; but a command is typed as it is, and a path is no text.
fn all_marked(told: &str, drill: &str) {
    let mut marked = 0;
    for (at, _) in told.match_indices(drill) {
        let before = &told[..at];
        if before.ends_with("OEFENING ") {
            marked += 1;
            continue;
        }
        let path = before.rsplit(char::is_whitespace).next().unwrap().contains('/');
        let verbs = ["approve", "follow", "open", "redeliver", "retry", "show", "take", "withdraw"];
        let command = verbs.iter().any(|verb| before.ends_with(&format!("sluis {verb} ")));
        assert!(path || command, "{drill} stands bare at {at}: {told}");
    }
    assert!(marked > 0, "{drill} is not told at all: {told}");
}

/// From its claim on: held, refused, ended, taken again. A list beside it is not marked, whatever it is called.
#[test]
fn an_exercise_is_marked_from_the_moment_that_it_is_taken_and_a_list_never_is() {
    let mut world = World::make(&Plan::default());
    // What sealing needs is missing: everything is held.
    fs::remove_file(world.path("agency/agreements/mechelen.contacts.toml")).unwrap();
    ["dropzone", "sealer", "carrier"].iter().for_each(|role| world.start(role));
    let taken = world.json("agency", &["rehearse", "mechelen"]);
    assert_eq!(taken["rehearsal"], true, "{taken}");
    let drill = taken["code"].as_str().unwrap().to_owned();
    world.wait("agency", &drill, "Held");
    all_marked(&world.status_says("mechelen", "HELD"), &drill);
    // By its name alone nothing is an exercise.
    let lists = [world.send("lijst.csv", LIST), world.send("OEFENING.txt", b"85073003328")];
    for list in &lists {
        world.wait("agency", list, "Held");
        assert_eq!(world.row("agency", list).unwrap()["rehearsal"], false);
        assert!(!stdout(&world.cli("agency", &["show", list])).contains("OEFENING "), "{list}");
    }
    for verb in [&["list"][..], &["show", &drill], &["follow", &drill], &["retry", &drill]] {
        let shown = stdout(&world.cli("agency", verb));
        all_marked(&shown, &drill);
        assert!(!lists.iter().any(|list| shown.contains(&format!("OEFENING {list}"))), "{shown}");
    }
    world.wait("agency", &drill, "Held");
    all_marked(&stdout(&world.cli("agency", &["withdraw", &drill])), &drill);
    let again = world.json("agency", &["redeliver", &drill]);
    assert_eq!(again["rehearsal"], true, "{again}");
    let again = again["code"].as_str().unwrap().to_owned();
    world.wait("agency", &again, "Held");
    let ended = two(&world, "agency", &["terminate", "mechelen", "--at-once", "--reason", "x"]);
    for list in &lists {
        assert!(ended.contains(&format!("{list}  withdrawn")), "{ended}");
        assert!(!ended.contains(&format!("OEFENING {list}")), "{ended}");
    }
    all_marked(&ended, &again);
    let late = world.cli("agency", &["rehearse", "mechelen"]);
    assert!(!late.status.success(), "{}", stdout(&late));
    let rows = world.json("agency", &["list"]);
    for row in rows.as_array().unwrap() {
        let listed = lists.iter().any(|list| row["code"] == **list);
        assert_eq!(row["rehearsal"], !listed, "{row}");
    }
    assert!(rows.as_array().unwrap().iter().any(|row| row["state"] == "Refused"), "{rows}");
}

/// An exercise is marked as what it is, and no list of it is kept.
fn is_marked(world: &World, drill: &str) {
    for host in ["agency", "municipality"] {
        assert_eq!(world.row(host, drill).unwrap()["rehearsal"], true, "{host}");
        for verb in [&["list"][..], &["show", drill], &["follow", drill]] {
            for lang in ["nl", "en"] {
                let shown = world.cli(host, &[&["--lang", lang], verb].concat());
                all_marked(&stdout(&shown), drill);
            }
        }
    }
    all_marked(&world.status_says("mechelen", "RECEIVED"), drill);
    let to = world.path("bundel");
    let whole = ["evidence", "export", "--agreement", "mechelen", "--to", to.to_str().unwrap()];
    assert!(world.cli("agency", &whole).status.success());
    for language in ["nl", "en"] {
        let page = fs::read_to_string(to.join(format!("report.{language}.html"))).unwrap();
        all_marked(&page, drill);
    }
    let trust = to.join("allowed_signers");
    let to = to.to_str().unwrap();
    let verified =
        world.cli("agency", &["evidence", "verify", to, "--trust", trust.to_str().unwrap()]);
    all_marked(&stdout(&verified), drill);
    for host in ["agency", "municipality"] {
        let due = world.json(host, &["deadlines"]);
        let of = |it: &&Value| it["subject"] == drill;
        assert!(due.as_array().unwrap().iter().filter(of).all(|it| it["rehearsal"] == true));
        for more in [&[][..], &["--ics"]] {
            let shown = stdout(&world.cli(host, &[&["deadlines"], more].concat()));
            // A calendar folds its lines.
            let shown = shown.replace("\r\n ", "");
            let marked = shown.matches(&format!("OEFENING {drill}")).count();
            // Of an event in a calendar the number too.
            let others =
                if more.is_empty() { 0 } else { shown.matches(&format!(".{drill}.")).count() };
            let all = shown.matches(drill).count();
            assert!(marked >= 3 && all == marked + others, "{shown}");
        }
    }
    let retained = world.json("municipality", &["deadlines"]);
    let retained = retained.as_array().unwrap().iter();
    assert!(!retained.clone().any(|it| it["clock"] == "retention" && it["subject"] == drill));
    let to = world.path("bewijs");
    let made = world.cli("agency", &["evidence", "export", drill, "--to", to.to_str().unwrap()]);
    assert!(made.status.success(), "{}", stderr(&made));
    let trust = to.join("allowed_signers");
    let verified = world.cli(
        "agency",
        &["evidence", "verify", to.to_str().unwrap(), "--trust", trust.to_str().unwrap()],
    );
    assert!(
        stdout(&verified).contains("OEFENING, a rehearsal: its content was made up"),
        "{}",
        stdout(&verified)
    );
}

#[test]
fn late_and_void_words_are_taken_marked_and_shown_with_why() {
    let world = World::running_as(&strict());
    let onward =
        ["disclosure", "announce", "mechelen", "--on", "2026-01-05", "--text", "aan het OCMW"];
    refused(&world, "municipality", &onward, "--no-agreement-needed");
    let reason = ["--no-agreement-needed", "het decreet laat het toe"];
    let told = world.cli("municipality", &[&onward[..], &reason].concat());
    assert!(told.status.success() && stdout(&told).contains("late: it had"), "{}", stderr(&told));
    assert_eq!(heard(&world, "agency", "disclosure", 1)["late"], true);
    for host in ["agency", "municipality"] {
        let shown = world.cli(host, &["notices"]);
        assert!(stdout(&shown).contains("[late:"), "{}", stdout(&shown));
        let late = world.ledger(host);
        assert!(late.iter().any(|it| it["kind"] == "late"), "{host}");
    }
    let law = ["legal-change", "mechelen", "--on", "2027-05-01", "--text", "een nieuw decreet"];
    refused(&world, "agency", &law, "the other party's to say");
    assert!(world.cli("municipality", &law).status.success());
    heard(&world, "agency", "legal-change", 1);
    // Both close the same case at the same time: the words cross, and the second close has no effect.
    let found = ["incident", "report", "mechelen", "--found", "2026-01-05T10:00", "--text", "x"];
    let case = world.json("municipality", &found)["digest"].as_str().unwrap()[..8].to_owned();
    heard(&world, "agency", "incident-report", 1);
    let mut world = world;
    world.stop("carrier");
    world.stop("fetcher");
    for host in ["agency", "municipality"] {
        let close = ["incident", "close", "mechelen", "--case", &case, "--text", "klaar"];
        assert!(world.cli(host, &close).status.success());
    }
    world.start("carrier");
    world.start("fetcher");
    for host in ["agency", "municipality"] {
        let void = heard(&world, host, "incident-close", 2);
        assert!(void["void"]["message"].as_str().unwrap().contains("no open case"), "{void}");
        for (lang, said) in [("en", "[without"), ("nl", "[zonder")] {
            let shown = stdout(&world.cli(host, &["--lang", lang, "notices"]));
            assert!(shown.contains(said) && shown.contains(" (UTC+"), "{shown}");
        }
    }
}

#[test]
fn information_is_asked_for_and_given_by_the_party_that_was_asked() {
    let world = World::running_as(&strict());
    let ask = ["information", "request", "mechelen", "--text", "het bewijs van de maatregelen"];
    let case = world.json("agency", &ask)["digest"].as_str().unwrap()[..8].to_owned();
    heard(&world, "municipality", "information-request", 1);
    let answer = ["information", "answer", "mechelen", "--case", &case, "--text", "zie de bundel"];
    refused(&world, "agency", &answer, "the party that was asked answers");
    assert!(world.cli("municipality", &answer).status.success());
    heard(&world, "agency", "information-answer", 1);
    let tip = ["security-info", "mechelen", "--text", "er gaan valse berichten rond"];
    assert!(world.cli("agency", &tip).status.success());
    heard(&world, "municipality", "security-info", 1);
}

#[test]
fn a_new_register_of_processors_is_told_by_itself_and_is_due_in_a_new_version() {
    let mut world = World::running_as(&strict());
    let word = ["processors", "mechelen", "--text", "een andere host"];
    assert!(world.cli("municipality", &word).status.success());
    heard(&world, "agency", "processors", 1);
    for host in ["agency", "municipality"] {
        assert!(clock(&world, host, "processors").is_some(), "{host}");
    }
    let path = world.path("agency/agreements/mechelen.toml");
    let text = fs::read_to_string(&path).unwrap();
    let new = text
        .replace("version = 1\n", "version = 2\n")
        .replace("name = \"demo-a\"", "name = \"demo-nieuw\"");
    let file = world.path("versie/mechelen.toml");
    fs::create_dir(world.path("versie")).unwrap();
    fs::write(&file, new).unwrap();
    for (host, role) in [("agency", "sealer"), ("municipality", "keeper")] {
        let added = world.cli(host, &["agreement", "add", file.to_str().unwrap()]);
        assert!(added.status.success(), "{}", stderr(&added));
        world.stop(role);
        world.start(role);
        let approved = world.two_persons(host, &["agreement", "approve", "mechelen"]);
        assert!(approved.status.success(), "{}", stderr(&approved));
        if host == "agency" {
            // Said under the version that both have; there it is due now.
            let told = heard(&world, "municipality", "processors", 2);
            let text = told["notice"]["text"].as_str().unwrap();
            assert!(text.contains("+ demo-nieuw\n- demo-a"), "{text}");
            assert_eq!(clock(&world, "agency", "processors"), None);
            assert!(clock(&world, "municipality", "processors").is_some());
        }
    }
    assert_eq!(clock(&world, "municipality", "processors"), None);
    heard(&world, "agency", "processors", 2);
}

#[test]
fn a_list_of_profiles_that_was_looked_through_opens_the_gate_without_a_new_version() {
    let mut plan = strict();
    plan.agreement = plan.agreement.replace("renew-after-months = 1200", "renew-after-months = 12");
    let world = World::running_as(&plan);
    let _ = world.json("municipality", &["request", "mechelen", "--text", "de lijst van 2026"]);
    heard(&world, "agency", "request", 1);
    world.put("lijst.csv".as_ref(), LIST);
    let text = world.status_says("mechelen", "REFUSED");
    assert!(text.contains("too old to count"), "{text}");
    fs::remove_file(world.outbox().join("lijst.csv")).unwrap();
    let said = ["profiles", "mechelen", "--text", "nagekeken, niets veranderd"];
    assert!(world.cli("municipality", &said).status.success());
    heard(&world, "agency", "profiles", 1);
    let code = world.send("opnieuw.csv", LIST);
    world.wait("agency", &code, "Released");
}

#[test]
fn what_was_entered_in_a_partys_name_it_contradicts_and_then_it_lets_nothing_leave() {
    let world = World::running_as(&strict());
    let letter = world.path("brief.pdf");
    fs::write(&letter, "de lijst van 2026, graag").unwrap();
    let letter = letter.to_str().unwrap();
    let day = sluis_core::id::Time(now_ms()).date().to_string();
    let say = ["request", "mechelen", "--text", "de lijst van 2026"];
    two(&world, "agency", &[&say[..], &["--paper", letter, "--received", &day]].concat());
    let seen = heard(&world, "municipality", "request", 1);
    let number = seen["digest"].as_str().unwrap()[..8].to_owned();
    let table = stdout(&world.cli("municipality", &["notices"]));
    assert!(table.contains(&number), "an entry has a number to name: {table}");
    let against =
        ["contradict", "mechelen", "--entry", &number, "--text", "deze brief is niet van ons"];
    refused(&world, "agency", &against, "in your name");
    assert!(world.cli("municipality", &against).status.success());
    heard(&world, "agency", "contradiction", 1);
    refused(&world, "municipality", &against, "contradicted before");
    for host in ["agency", "municipality"] {
        let rows = world.json(host, &["notices"]);
        let entry = rows.as_array().unwrap().iter().find(|row| row["sort"] == "request").unwrap();
        assert_eq!(entry["contradicted"], true, "{host}");
        let table = stdout(&world.cli(host, &["notices"]));
        assert!(table.contains("[contradicted by"), "{host}: {table}");
    }
    // Nobody asked for it, and so it stays.
    world.put("lijst.csv".as_ref(), LIST);
    let text = world.status_says("mechelen", "REFUSED");
    assert!(text.contains("has not asked for a list"), "{text}");
    fs::remove_file(world.outbox().join("lijst.csv")).unwrap();
    // The municipality may ask for itself, in the same year.
    assert!(world.cli("municipality", &say).status.success());
    heard(&world, "agency", "request", 2);
    let code = world.send("lijst-2026.csv", LIST);
    world.wait("agency", &code, "Released");
    for host in ["agency", "municipality"] {
        let to = world.path(&format!("bundel-{host}"));
        let folder = to.to_str().unwrap();
        let arguments = ["evidence", "export", "--agreement", "mechelen", "--to", folder];
        assert!(world.cli(host, &arguments).status.success());
        let report = fs::read_to_string(to.join("report.en.html")).unwrap();
        assert!(report.contains("contradicted by whose word it would be"), "{host}");
        assert!(report.contains("deze brief is niet van ons"), "{host}");
    }
}

#[test]
fn patches_are_entered_with_their_day_and_both_parties_have_the_register() {
    let world = World::running_as(&strict());
    let ahead = ["patched", "mechelen", "--on", "2999-01-01", "--text", "OpenSSL 3.5.4"];
    refused(&world, "municipality", &ahead, "has not come yet");
    let patched = ["patched", "mechelen", "--on", "2026-01-05", "--text", "OpenSSL 3.5.4"];
    assert!(world.cli("municipality", &patched).status.success());
    let seen = heard(&world, "agency", "patch", 1);
    assert_eq!(
        (&seen["notice"]["on"], &seen["notice"]["text"]),
        (&"2026-01-05".into(), &"OpenSSL 3.5.4".into())
    );
}

fn now_ms() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(now.as_millis()).unwrap()
}
