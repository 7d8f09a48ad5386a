//! What the agreement asks before anything is sealed, and what the parties tell each other beside their transfers.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::io::Read;

use serde_json::Value;
use sluis_core::agreement::Side::{Agency, Municipality};
use sluis_core::id::{Digest, TransferId};
use sluis_core::notice::short;
use sluis_core::statement::{Body, Sent, Statement};
use sluis_tests::insider::Insider;
use sluis_tests::world::{Plan, ROLES, somewhere};
use sluis_tests::{World, stderr, stdout, until};

/// Numbers that belong to nobody, with right check digits.
const LIST: &[u8] =
    b"rijksregisternummer;contract;attest\n85073003328;1;1\n90020199704;1;0\n00010100105;0;0\n";

/// The demonstration's agreement as it is: lists, and only when asked for.
fn strict() -> Plan {
    let agreement = include_str!("../../config/examples/demo/mechelen.toml").to_owned();
    Plan { agreement, ..Plan::default() }
}

fn ask(world: &World) -> String {
    let asked = world.json("municipality", &["request", "mechelen", "--text", "de lijst van 2026"]);
    let digest = asked["digest"].as_str().unwrap().to_owned();
    heard(world, "agency", "request", 1);
    digest
}

/// Waits until a host's ledger has so many notices of a sort.
fn heard(world: &World, host: &str, sort: &str, count: usize) {
    until(&format!("{sort} to be heard by the {host}"), || {
        let rows = world.json(host, &["notices"]);
        let known = rows.as_array().unwrap().iter().filter(|row| row["sort"] == sort).count();
        (known == count).then_some(())
    });
}

fn refused(world: &World, name: &str, content: &[u8]) -> String {
    world.put(name.as_ref(), content);
    let text = world.status_says("mechelen", "REFUSED");
    assert_eq!(fs::read(world.outbox().join(name)).unwrap(), content, "it stays where it was put");
    fs::remove_file(world.outbox().join(name)).unwrap();
    fs::remove_file(world.outbox().join(format!("STATUS-{name}.txt"))).unwrap();
    text
}

fn open(world: &World, code: &str) {
    world.wait("agency", code, "Released");
    let opened = world.cli_with("municipality", &["open", code], &world.lines(code).join("\n"));
    assert!(opened.status.success(), "{}", stderr(&opened));
    world.wait("agency", code, "Closed");
}

fn case(world: &World, host: &str, arguments: &[&str]) -> String {
    let made = world.json(host, arguments);
    made["digest"].as_str().unwrap()[..8].to_owned()
}

fn evidence_says_what_it_mends(world: &World, better: &str, number: &str) {
    // The folder of all has that report, the folder of the list alone has not.
    let all = ["--agreement", "mechelen"];
    for (of, said) in [(&all[..], "which was reported before it"), (&[better], "is not here")] {
        let to = world.path(&format!("bewijs-{}", of.len()));
        let (folder, trust) = (to.to_str().unwrap(), to.join("allowed_signers"));
        let export = [&["evidence", "export"], of, &["--to", folder]].concat();
        assert!(world.cli("municipality", &export).status.success());
        let verify = ["evidence", "verify", folder, "--trust", trust.to_str().unwrap()];
        let told = stdout(&world.cli("municipality", &verify));
        let line = told.lines().find(|it| it.contains("it mends the list of case")).unwrap();
        assert!(line.contains(number) && line.ends_with(said), "{told}");
    }
}

#[test]
fn a_list_leaves_once_when_it_was_asked_for_and_a_correction_is_no_second_one() {
    let world = World::running_as(&strict());
    let text = refused(&world, "ongevraagd.csv", LIST);
    assert!(text.contains("has not asked for a list"), "{text}");
    let request = ask(&world);
    let code = world.send("lijst.csv", LIST);
    open(&world, &code);
    let sent = world.json("agency", &["show", &code]);
    assert!(sent["timeline"].as_array().unwrap().len() > 5);
    let text = refused(&world, "nog-een.csv", LIST);
    assert!(text.contains("was delivered; the next may follow from"), "{text}");
    let again = world.cli("municipality", &["request", "mechelen", "--text", "nog een"]);
    assert_eq!(again.status.code(), Some(1));
    assert!(stderr(&again).contains("one request a year"), "{}", stderr(&again));
    // An error in it: the corrected list answers the same request.
    let number = case(
        &world,
        "municipality",
        &[
            "quality",
            "report",
            "mechelen",
            "--found",
            "2026-01-05T10:00",
            "--transfer",
            &code,
            "--text",
            "rij 2 is verouderd",
        ],
    );
    heard(&world, "agency", "quality-report", 1);
    let file = world.path("beter.csv");
    fs::write(&file, LIST).unwrap();
    let tried = world.cli("agency", &["send", "mechelen", file.to_str().unwrap(), "--dry-run"]);
    assert!(stdout(&tried).contains(&format!("mends the list of case (art. 7): {number}\n")));
    let better = world.send("beter.csv", LIST);
    open(&world, &better);
    let shown = world.json("agency", &["show", &better])["timeline"].to_string();
    assert!(shown.contains(&format!("art. 7: mends {number}, ")), "{shown}");
    let shown = world.json("municipality", &["show", &better])["timeline"].to_string();
    assert!(!shown.contains("mends-unknown"), "it knows that report: {shown}");
    evidence_says_what_it_mends(&world, &better, &number);
    for list in [&code, &better] {
        let to = world.path(&format!("evidence-{list}"));
        let made = world.cli("agency", &["evidence", "export", list, "--to", to.to_str().unwrap()]);
        assert!(made.status.success(), "{}", stderr(&made));
        assert!(!somewhere(&to, request.as_bytes()).is_empty(), "`sent` names its request");
        let mends = somewhere(&to, format!("\"mends\":\"{number}").as_bytes());
        assert_eq!(
            mends.is_empty(),
            *list == code,
            "the corrected one names the report that it mends"
        );
    }
    let early =
        world.cli("agency", &["quality", "close", "mechelen", "--case", &number, "--text", "x"]);
    assert!(stderr(&early).contains("sluis quality answer"), "{}", stderr(&early));
    for verb in ["answer", "close"] {
        let _ = case(
            &world,
            "agency",
            &["quality", verb, "mechelen", "--case", &number, "--text", "verbeterd"],
        );
    }
    heard(&world, "municipality", "quality-close", 1);
    assert!(
        refused(&world, "te-veel.csv", LIST).contains("the next may follow"),
        "the case is closed"
    );
    for host in ["agency", "municipality"] {
        assert!(world.cli(host, &["ledger", "verify"]).status.success());
    }
}

/// That the agreement lets lists leave unasked lifts nothing else (R30).
#[test]
fn of_lists_that_leave_unasked_one_a_year_leaves() {
    let mut plan = strict();
    plan.agreement = plan.agreement.replace("[period]\n", "[period]\nstanding = \"een test\"\n");
    let world = World::running_as(&plan);
    let code = world.send("lijst.csv", LIST);
    open(&world, &code);
    let text = refused(&world, "nog-een.csv", LIST);
    assert!(text.contains("was delivered; the next may follow from"), "{text}");
    let found =
        ["--found", "2026-01-05T10:00", "--transfer", &code, "--text", "rij 2 is verouderd"];
    let _ =
        case(&world, "municipality", &[&["quality", "report", "mechelen"], &found[..]].concat());
    heard(&world, "agency", "quality-report", 1);
    open(&world, &world.send("beter.csv", LIST));
    assert!(refused(&world, "te-veel.csv", LIST).contains("the next may follow"));
}

#[test]
fn what_is_not_the_agreed_list_stays_and_is_told_by_rows_without_a_value() {
    let world = World::running_as(&strict());
    let _ = ask(&world);
    let head = "rijksregisternummer;contract;attest\n";
    let good = "90020199704;1;0\n00010100105;0;0\n";
    for (name, content, expected) in [
        (
            "naam.csv",
            format!("naam;{head}Jan;85073003328;1;1\nAn;90020199704;1;0\n"),
            "not in the table of art. 3",
        ),
        ("cijfer.csv", format!("{head}85073003329;1;1\n{good}"), "check number"),
        ("bis.csv", format!("{head}85473003364;1;1\n{good}"), "art. 3"),
        ("dubbel.csv", format!("{head}{good}{good}"), "row 2-5"),
        ("ja.csv", format!("{head}85073003328;misschien;1\n{good}"), "row 2"),
        ("formule.csv", format!("{head}85073003328;=1+1;1\n{good}"), "a spreadsheet would run it"),
        ("een.csv", format!("{head}85073003328;1;1\n"), "MAGDA"),
        ("leeg.csv", head.to_owned(), "only a header"),
        ("lijst.pdf", "%PDF-1.7 85073003328".to_owned(), "only .csv and .xlsx"),
    ] {
        let text = refused(&world, name, content.as_bytes());
        assert!(text.contains(expected), "{name}: {text}");
        for value in ["85073003329", "850730", "Jan", "misschien", "85473003364"] {
            assert!(!text.contains(value), "{name}: {text}");
        }
    }
    fs::create_dir(world.path("map")).unwrap();
    fs::write(world.path("map/a.csv"), LIST).unwrap();
    fs::rename(world.path("map"), world.outbox().join("map")).unwrap();
    assert!(world.status_says("mechelen", "not one list").contains("art. 3"));
    // Nothing of it stands in the store, the logs or a status.
    for value in ["85073003329", "misschien"] {
        assert_eq!(somewhere(&world.path(""), value.as_bytes()), Vec::<std::path::PathBuf>::new());
    }
    assert!(
        world.codes().iter().all(|code| world.row("agency", code).unwrap()["state"] == "Refused")
    );
}

#[test]
fn a_dry_run_says_what_would_leave_in_counts_and_sends_nothing() {
    let world = World::running_as(&strict());
    let file = world.path("lijst.csv");
    fs::write(&file, LIST).unwrap();
    let look = |file: &std::path::Path| {
        world.cli("agency", &["send", "mechelen", file.to_str().unwrap(), "--dry-run"])
    };
    let early = look(&file);
    assert_eq!(early.status.code(), Some(1));
    assert!(stdout(&early).contains("3 persons (CSV, ;, UTF-8)"), "{}", stdout(&early));
    assert!(stderr(&early).contains("has not asked"), "{}", stderr(&early));
    let _ = ask(&world);
    let now = look(&file);
    assert!(now.status.success(), "{}", stderr(&now));
    let told = stdout(&now);
    assert!(
        told.contains("contract: 2 yes, 1 no") && told.contains("attest: 1 yes, 2 no"),
        "{told}"
    );
    assert!(told.contains("This may leave.") && !told.contains("85073003328"), "{told}");
    fs::write(&file, "naam\nJan\n").unwrap();
    let bad = look(&file);
    assert_eq!(bad.status.code(), Some(1));
    assert!(!stderr(&bad).contains("Jan"), "{}", stderr(&bad));
    assert!(world.codes().is_empty(), "nothing was sent");
}

#[test]
fn a_dry_run_says_what_a_list_would_wait_for_and_each_reason_by_its_code() {
    let mut plan = strict();
    plan.agreement = plan
        .agreement
        .replace("unasked = ", "# unasked = ")
        .replace("[file]\n", "[file]\napproval = \"second-person\"\n");
    let world = World::running_as(&plan);
    let file = world.path("lijst.csv");
    fs::write(&file, "rijksregisternummer;contract;attest\n85073003328;1;1\n").unwrap();
    let look = ["send", "mechelen", file.to_str().unwrap(), "--dry-run"];
    let answer = world.cli("agency", &[&["--json"], &look[..]].concat());
    assert_eq!(answer.status.code(), Some(1));
    let told: Value = serde_json::from_slice(&answer.stdout).unwrap();
    let reasons: Vec<_> = told["reasons"].as_array().unwrap().iter().collect();
    assert_eq!(
        (&reasons[0]["code"], &reasons[1]["code"]),
        (&"not-requested".into(), &"list".into())
    );
    assert_eq!(
        (&reasons[1]["rule"], &reasons[1]["article"]),
        (&"single-row".into(), &"recital C".into())
    );
    assert!(reasons.iter().all(|it| it["nl"] != it["message"]));
    assert_eq!(told["waits"].as_array().unwrap().len(), 2, "{told}");
    let _ = ask(&world);
    fs::write(&file, LIST).unwrap();
    let now = world.cli("agency", &look);
    assert!(now.status.success(), "{}", stderr(&now));
    for part in ["then waits for:", "sluis approve", "sluis rehearse mechelen"] {
        assert!(stdout(&now).contains(part), "{part}: {}", stdout(&now));
    }
    assert!(world.codes().is_empty(), "nothing was sent");
}

#[test]
fn an_agreement_that_lacks_what_the_law_asks_lets_nothing_leave() {
    let mut plan = strict();
    plan.agreement = plan.agreement.replace("municipality = \"2020-11-12\"\n", "");
    let world = World::running_as(&plan);
    let _ = ask(&world);
    let text = refused(&world, "lijst.csv", LIST);
    assert!(text.contains("(R10)") && text.contains("recital G"), "{text}");
}

#[test]
fn an_incident_that_is_reported_late_stays_late_on_both_sides() {
    let world = World::running_as(&strict());
    let number = case(
        &world,
        "municipality",
        &[
            "incident",
            "report",
            "mechelen",
            "--found",
            "2026-01-05T10:00",
            "--text",
            "een poging tot aanmelden op de server – coördinatie loopt",
        ],
    );
    heard(&world, "agency", "incident-report", 1);
    let _ = case(
        &world,
        "agency",
        &["incident", "update", "mechelen", "--case", &number, "--text", "adres geblokkeerd"],
    );
    let _ = case(
        &world,
        "municipality",
        &["incident", "close", "mechelen", "--case", &number, "--text", "klaar"],
    );
    heard(&world, "agency", "incident-close", 1);
    for host in ["agency", "municipality"] {
        let due = world.json(host, &["deadlines"]);
        let incident = due.as_array().unwrap().iter().find(|it| it["subject"] == *number).cloned();
        let incident = incident.unwrap_or_else(|| panic!("{due}"));
        assert_eq!(incident["standing"], "met-late", "{incident}");
        assert!(incident["late_s"].as_u64().unwrap() > 0);
        let shown = world.cli(host, &["notices"]);
        assert!(stdout(&shown).contains("coördinatie"), "{}", stdout(&shown));
    }
    let calendar = world.cli("agency", &["deadlines", "--ics"]);
    let calendar = stdout(&calendar);
    assert!(calendar.starts_with("BEGIN:VCALENDAR\r\n") && calendar.ends_with("END:VCALENDAR\r\n"));
    assert!(calendar.lines().all(|line| line.len() <= 75), "{calendar}");
    let table = world.cli("agency", &["deadlines"]);
    let table = stdout(&table);
    assert!(table.contains("STANDING"), "{table}");
    // A term that the text does not have is marked, and the mark explained; one that it has is not.
    for marked in ["Yearly statement about retention* ", "\n* The agreement's text gives no"] {
        assert!(table.contains(marked), "{table}");
    }
    assert!(!table.contains("policy and plan*"), "{table}");
    for row in world.json("agency", &["deadlines"]).as_array().unwrap() {
        let clock: sluis_core::deadline::Clock = row["clock"].as_str().unwrap().parse().unwrap();
        assert_eq!(row["in_the_text"], clock.rule().in_the_text, "{row}");
    }
}

#[test]
fn who_may_say_what_and_when_is_held_on_both_sides() {
    let world = World::running_as(&strict());
    let says = |host: &str, arguments: &[&str], why: &str| {
        let said = world.cli(host, arguments);
        assert_eq!(said.status.code(), Some(1), "{arguments:?}");
        assert!(stderr(&said).contains(why), "{arguments:?}: {}", stderr(&said));
    };
    says("agency", &["request", "mechelen", "--text", "x"], "the other party's to say");
    says(
        "municipality",
        &["profiles", "mechelen", "--text", "nr. 85.07.30-033.28"],
        "national register",
    );
    says(
        "municipality",
        &["terminate", "mechelen", "--on", "2026-12-01", "--text", "x"],
        "term of notice",
    );
    let future = ["incident", "report", "mechelen", "--found", "2999-01-01T00:00", "--text", "x"];
    says("agency", &future, "lies in the past");
    says(
        "agency",
        &["incident", "close", "mechelen", "--case", "abcd", "--text", "x"],
        "no case or entry abcd",
    );
    let paper = world.path("brief.pdf");
    fs::write(&paper, "een brief").unwrap();
    let said = world.json(
        "municipality",
        &[
            "disclosure",
            "announce",
            "mechelen",
            "--on",
            "2027-05-01",
            "--text",
            "aan het OCMW",
            "--paper",
            paper.to_str().unwrap(),
        ],
    );
    assert_eq!(said["notice"]["on"], "2027-05-01");
    assert!(said["notice"]["paper"].as_str().unwrap().len() == 64);
    heard(&world, "agency", "disclosure", 1);
    let rows = world.json("agency", &["notices"]);
    let sorts: Vec<&Value> = rows.as_array().unwrap().iter().map(|row| &row["sort"]).collect();
    assert_eq!(sorts, ["disclosure"], "what was refused was not said");
}

#[test]
fn a_list_is_destroyed_on_the_word_of_two_persons_and_not_of_one() {
    let world = World::running_as(&strict());
    let _ = ask(&world);
    let code = world.send("lijst.csv", LIST);
    open(&world, &code);
    let vault = world.vault(&code);
    let one = world.cli("municipality", &["destroy", &code]);
    assert!(one.status.success() && stdout(&one).contains("second person"), "{}", stderr(&one));
    let same = world.cli("municipality", &["--json", "destroy", &code]);
    assert_eq!(same.status.code(), Some(1));
    assert!(stderr(&same).contains("same-person"), "{}", stderr(&same));
    assert!(vault.join("opened/lijst.csv").exists(), "one person destroys nothing");
    let two = world.cli_as("65534", "municipality", &["destroy", &code]);
    assert!(two.status.success(), "{}{}", stdout(&two), stderr(&two));
    world.wait("municipality", &code, "Destroyed");
    assert!(!vault.exists());
    // The program itself has the demonstration's list in it.
    let mut left = somewhere(&world.path(""), b"85073003328");
    left.retain(|path| *path != world.path("sluis"));
    assert_eq!(left, Vec::<std::path::PathBuf>::new(), "nothing of it is left on any host");
    until("both ledgers to hold `destroyed`", || {
        let said = |host| world.statements(host, &code).contains(&"destroyed".to_owned());
        (said("agency") && said("municipality")).then_some(())
    });
    let due = world.json("municipality", &["deadlines"]);
    let kept =
        due.as_array().unwrap().iter().find(|it| it["clock"] == "retention").unwrap().clone();
    assert_eq!(
        (&kept["subject"], &kept["standing"]),
        (&code.as_str().into(), &"met".into()),
        "{kept}"
    );
    for host in ["agency", "municipality"] {
        let due = world.json(host, &["deadlines"]);
        let backups = due.as_array().unwrap().iter().find(|it| it["clock"] == "backups").cloned();
        let backups = backups.unwrap_or_else(|| panic!("until when backups may hold it: {due}"));
        assert_eq!(backups["subject"], code.as_str());
        let days = backups["due"].as_i64().unwrap() - backups["starts"].as_i64().unwrap();
        assert_eq!(days / 86_400_000, 30, "{backups}");
    }
    let again = world.cli_with("municipality", &["open", &code], "x\n");
    assert!(stderr(&again).contains("destroyed"), "{}", stderr(&again));
    let detail = world.json("municipality", &["show", &code]);
    let kinds: Vec<&str> = detail["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|it| it["kind"].as_str())
        .collect();
    for kind in ["destroy-asked", "destroy-confirmed", "destroy", "destroyed"] {
        assert!(kinds.contains(&kind), "{kind}: {kinds:?}");
    }
}

#[test]
fn a_request_survives_a_restart_of_every_role() {
    let mut world = World::running_as(&strict());
    let _ = ask(&world);
    for (role, _) in ROLES {
        assert!(world.stop(role).success());
        world.start(role);
    }
    let code = world.send("lijst.csv", LIST);
    world.wait("agency", &code, "Released");
}

/// The agency's word that it sent this list, as the municipality has it.
fn sent(world: &World, code: &str) -> Statement {
    let to = world.path("evidence");
    let export = ["evidence", "export", code, "--to", to.to_str().unwrap()];
    assert!(world.cli("municipality", &export).status.success());
    let mut files = fs::read_dir(&to).unwrap().flatten().map(|entry| entry.path());
    let sent = files.find(|path| path.display().to_string().ends_with("-sent.json")).unwrap();
    Statement::read(&fs::read(sent).unwrap()).unwrap()
}

#[test]
fn a_code_that_the_vault_holds_is_no_other_transfers_and_what_is_destroyed_is_read_by_nobody() {
    let mut world = World::running();
    let code = world.send("lijst.csv", LIST);
    open(&world, &code);
    world.wait("agency", &code, "Closed");
    let sent = sent(&world, &code);
    // The agency announces another one by the same code.
    for role in ["carrier", "sealer"] {
        world.stop(role);
    }
    let insider = Insider::of(&world, Agency);
    let body = sent.body;
    let (after, seen) = (insider.last(Agency), insider.last(Municipality));
    insider.brings(&insider.says(after, seen, Some(TransferId::random()), body));
    assert_eq!(insider.last(Agency).number, after.number + 1, "it is heard");
    let rows = world.json("municipality", &["list"]);
    let rows = rows.as_array().unwrap().iter();
    let called: Vec<_> = rows.filter(|row| row["code"] == code.as_str()).collect();
    assert_eq!(called.len(), 1, "{called:?}");
    // So it can be destroyed. Who has it open reads nothing more.
    let vault = world.vault(&code);
    let files = ["opened/lijst.csv", "envelope.age"].map(|name| vault.join(name));
    let mut files = files.map(|path| fs::File::open(path).unwrap());
    for uid in ["0", "65534"] {
        let destroyed = world.cli_as(uid, "municipality", &["destroy", &code]);
        assert!(destroyed.status.success(), "{}", stderr(&destroyed));
    }
    world.wait("municipality", &code, "Destroyed");
    for file in &mut files {
        let mut left = Vec::new();
        file.read_to_end(&mut left).unwrap();
        assert_eq!(left.len(), 0, "a descriptor still has it");
    }
}

/// A `sent` that names as the report which it mends what is none here is told where people look, and in the evidence.
#[test]
fn a_list_that_mends_no_report_that_is_known_here_is_told_as_that() {
    let mut world = World::running();
    let code = world.send("lijst.csv", LIST);
    world.wait("agency", &code, "Released");
    let found = ["--found", "2026-01-05T10:00", "--text", "een fout"];
    let of = |more: &[&str]| {
        let said = [&["quality", "report", "mechelen"], &found[..], more].concat();
        world.json("municipality", &said)["digest"].as_str().unwrap().parse::<Digest>().unwrap()
    };
    // About no list, and about that one.
    let (none, right) = (of(&[]), of(&["--transfer", &code]));
    heard(&world, "agency", "quality-report", 2);
    let sent = sent(&world, &code);
    let Body::Sent(body) = sent.body else { panic!() };
    for role in ["carrier", "sealer"] {
        world.stop(role);
    }
    let insider = Insider::of(&world, Agency);
    let lists =
        [("0000000", Digest::none(), true), ("1111111", none, true), ("2222222", right, false)];
    for (code, mends, unknown) in lists {
        let body = Sent { code: code.parse().unwrap(), mends: Some(mends), ..body.clone() };
        let (after, seen) = (insider.last(Agency), insider.last(Municipality));
        let list = Some(TransferId::random());
        insider.brings(&insider.says(after, seen, list, Body::Sent(body)));
        let shown = world.json("municipality", &["show", code]);
        assert_eq!(shown["row"]["state"], "Announced", "{shown}");
        let entries = shown["timeline"].as_array().unwrap().iter();
        let told: Vec<_> = entries.filter(|it| it["kind"] == "mends-unknown").collect();
        assert_eq!(!told.is_empty(), unknown, "{shown}");
        assert!(told.iter().all(|it| it["detail"]["case"] == mends.to_string()), "{told:?}");
    }
    let to = world.path("bewijs");
    let (folder, trust) = (to.to_str().unwrap(), to.join("allowed_signers"));
    let export = ["evidence", "export", "--agreement", "mechelen", "--to", folder];
    assert!(world.cli("municipality", &export).status.success());
    let verify = ["evidence", "verify", folder, "--trust", trust.to_str().unwrap()];
    let verified = world.cli("municipality", &verify);
    let told = stdout(&verified);
    assert!(verified.status.success(), "{told}{}", stderr(&verified));
    for (code, said) in [
        ("0000-000", "that report is not here"),
        ("1111-111", "which is no report of an error in an earlier list"),
        ("2222-222", "which was reported before it"),
    ] {
        let line = told.lines().find(|it| it.contains(code) && it.contains("mend"));
        assert!(line.is_some_and(|line| line.ends_with(said)), "{told}");
    }
    let report = fs::read_to_string(to.join("report.en.html")).unwrap();
    for (mends, lacks) in [(Digest::none(), true), (none, true), (right, false)] {
        let said = format!("mends case {}", short(&mends));
        assert!(report.contains(&said), "{said}");
        assert_eq!(report.contains(&format!("{said} (no report of that is here)")), lacks);
    }
}
