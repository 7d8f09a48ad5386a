//! `sluis agreement check` and `sluis agreement new`, as a data protection officer meets them.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;
use sluis_core::id::Time;
use sluis_tests::world::Plan;
use sluis_tests::{World, binary, root, stderr, stdout, until};

fn sluis(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(binary("sluis"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that stops asking leaves the rest unread.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn worked() -> String {
    fs::read_to_string(root().join("config/examples/agreements/mechelen.toml")).unwrap()
}

/// `check` on this text as on a day soon after it was signed.
fn check(text: &str, more: &[&str]) -> Output {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("mechelen.toml");
    fs::write(&file, text).unwrap();
    let arguments = ["agreement", "check", file.to_str().unwrap(), "--on", "2021-01-04"];
    sluis(&[&arguments, more].concat(), "")
}

fn codes(answer: &Value, weight: &str) -> Vec<String> {
    let gaps = answer["gaps"].as_array().unwrap().iter();
    let gaps = gaps.filter(|gap| gap["weight"] == weight);
    gaps.map(|gap| gap["code"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_worked_case_waits_for_its_publication_and_names_the_blanks_of_its_text() {
    let checked = check(&worked(), &["--lang", "nl"]);
    assert_eq!(checked.status.code(), Some(1), "{}", stderr(&checked));
    let told = stdout(&checked);
    for part in [
        "2 van 3 delen",
        "art. 10  R71  Er staat niet waar en wanneer Agentschap Integratie en Inburgering de tekst",
        "art. 6   R42  De naam van de functionaris voor gegevensbescherming van Stad Mechelen",
        "Patrick Bosmans tekende",
        "→ Vul municipality.dpo.name in.",
        "2 houden tegen, 20 waarschuwen, 11 ter kennisgeving",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let english = check(&worked(), &["--lang", "en"]);
    assert!(stdout(&english).contains("Patrick Bosmans signed, but"), "{}", stdout(&english));
    let answer = check(&worked(), &["--json"]);
    let answer: Value = serde_json::from_slice(&answer.stdout).unwrap();
    assert_eq!((&answer["ok"], &answer["keys"]), (&Value::Bool(false), &Value::Bool(true)));
    assert_eq!(codes(&answer, "blocks"), ["publication-missing"; 2]);
    assert_eq!(codes(&answer, "warns").len(), 20);
    let blank = answer["gaps"]
        .as_array()
        .unwrap()
        .iter()
        .find(|gap| gap["code"] == "dpo-missing" && gap["side"] == "municipality");
    assert_eq!(blank.unwrap()["requirement"], "R42");
}

#[test]
fn a_crippled_agreement_is_refused_article_by_article_and_what_blocks_comes_first() {
    let crippled = worked()
        .replace("source = \"Kruispuntbank", "# source = \"Kruispuntbank")
        .replace("municipality = \"2020-11-12\"", "municipality = \"2021-11-12\"")
        .replace("name = \"attest\"\nkind = \"boolean\"", "name = \"naam\"\nkind = \"text\"")
        .replace("years = 5 ", "years = 6 ")
        .replace("id = \"integratieambtenaar\"", "id = \"jurist\"")
        .replace("name = \"SMS-B (voorbeeld)\"", "name = \"SMS-D (voorbeeld)\"");
    let checked = check(&crippled, &["--lang", "en"]);
    assert_eq!(checked.status.code(), Some(1));
    assert!(stderr(&checked).contains("gaps that stop every transfer: 8"), "{}", stderr(&checked));
    let told = stdout(&checked);
    let (last_block, first_warning) = (told.rfind(" BLOCKS "), told.find(" warns "));
    assert!(last_block < first_warning, "{told}");
    for part in ["recital C", "recital G", "Column not allowed: naam", "sms-b: SMS-B (voorbeeld)"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let answer = check(&crippled, &["--json"]);
    assert_eq!(answer.status.code(), Some(1));
    let refused: Value = serde_json::from_slice(&answer.stderr).unwrap();
    assert_eq!(refused["code"], "gaps");
    let answer: Value = serde_json::from_slice(&answer.stdout).unwrap();
    assert_eq!(answer["ok"], false);
    assert_eq!(
        codes(&answer, "blocks"),
        [
            "source-missing",
            "advice-missing",
            "retention-too-long",
            "name-refused",
            "profile-not-listed",
            "processor-missing",
            "publication-missing",
            "publication-missing",
        ]
    );
}

#[test]
fn what_the_other_side_wrote_does_not_reach_the_terminal_raw() {
    let odd = worked().replace("name = \"Patrick Bosmans\"", "name = \"\\u001b[31mrood\"");
    let checked = check(&odd, &[]);
    assert_eq!(checked.status.code(), Some(1), "{}", stderr(&checked));
    assert!(stdout(&checked).contains("?[31mrood") && !stdout(&checked).contains('\x1b'));
}

#[test]
fn a_wrong_check_digit_is_shown_where_it_is() {
    let wrong = check(&worked().replace("0543.307.391", "0543.307.319"), &[]);
    assert_eq!(wrong.status.code(), Some(78));
    let said = stderr(&wrong);
    assert!(said.contains("line ") && said.contains("check the first eight"), "{said}");
}

fn today() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    Time(i64::try_from(now).unwrap()).date().to_string()
}

/// Answers to every question, with mistakes on the way that are asked again.
fn answers() -> String {
    let today = today();
    let digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let share = |name: &str, extra: &str| {
        format!(
            "{name}\n\n2999-12-31\n\ntel-{name}\nkanaal-{name}\nSMS {name}\ngroep-{name}\n{extra}{today}\nISO 27001\nhttps://api.{name}.example\napi.{name}.example; api.{name}.example:8443\n"
        )
    };
    let parties = "Gent!\ngent\n\n\n0543307392\n0543 307 391\n\nVoorbeeld A, algemeen directeur\n\
        agentschap-ii\nstad-mechelen\nStad \"Gent\"\n0543.307.391\n4402\n44021\nBotermarkt 1, 9000 Gent\n\
        Voorbeeld B, burgemeester; Voorbeeld C, algemeen directeur\n\n";
    let recitals = format!("\n\n2999-01-01\n{today}\n{today}\n");
    let articles_2_to_4 = "\n\n\n\nnaam; contract\ncontract; contract\n\n\n\nveel\n5000\n6\n5\nnooit\nautomatic\n\n\
        jurist\njurist, a; jurist, b\n\
        integratieambtenaar, nodigt uit; diensthoofd, verdeelt het werk\n\n\n2020-11-02\n2020-11-03\n\n";
    let file = format!(
        "tussen.example\ntussen.example:8443\nTussenzone nv\n{today}\nISO 27001\n\n\nniemand\n\n"
    );
    let key = "\n4\n2\n\n";
    let shares = share("an", "\n") + &share("bart", "other\nde kelder heeft geen bereik\n");
    // A second share over a provider that has one already, or who carries the file, and one over its group, are not taken.
    let third = format!(
        "bart\nchris\njurist\ndiensthoofd\n2020-01-01\n2999-12-31\n\ntel chris!\ntel-chris\n\nsms AN\ntussenzone NV\nSMS C\ngroep-an\ngroep-c\n\n{today}\nISO 27001\napi.c.example\n"
    );
    let organisation = format!(
        "DPO A\ndpo@a.example\n{today}\n\nDPO B\ndpo@b.example\n{today}\nfunctiescheiding\nSOC\nbadges\n\ndraaiboek gegevenslek\n"
    );
    let rest = format!(
        "\nLoket B\nbinnenkort\nhttps://a.example\n\n{digest}\nhttps://b.example\n\n{digest}\n{today}\n\n{today}\n\
         Voorbeeld A, {today}\nVoorbeeld B, {today}; Voorbeeld C, {today}\n{digest}\n"
    );
    [parties, &recitals, articles_2_to_4, &file, key, &shares, &third, &organisation, &rest]
        .concat()
}

fn new_agreement(folder: &Path, lang: &str, input: &str) -> Output {
    let file = folder.join("gent.toml");
    sluis(&["--lang", lang, "agreement", "new", "--out", file.to_str().unwrap()], input)
}

#[test]
fn a_new_agreement_asks_its_way_through_lacks_nothing_and_is_taken_into_use() {
    let world = World::make(&Plan::default());
    let folder = world.path("");
    let made = new_agreement(&folder, "nl", &answers());
    assert!(made.status.success(), "{}{}", stdout(&made), stderr(&made));
    let told = stdout(&made);
    for part in [
        "Artikel 3: de gegevens",
        "tien cijfers waarvan de laatste twee kloppen",
        "artikel 3 laat enkel toe",
        "een puntkomma tussen twee, elk één keer",
        "die naam is al gegeven",
        "die zou genoeg delen dragen",
        "het adres van een openbare bladzijde",
        "hosts zonder https://",
        "Ondernemingsnummer van het agentschap (mag leeg)",
        "sluis agreement check",
        "sluis agreement add",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let file = folder.join("gent.toml");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o644);
    let path = file.to_str().unwrap();
    let checked = sluis(&["--json", "agreement", "check", path], "");
    assert!(checked.status.success(), "{}{}", stdout(&checked), stderr(&checked));
    let answer: Value = serde_json::from_slice(&checked.stdout).unwrap();
    assert_eq!(answer["gaps"], serde_json::json!([]), "{answer}");
    assert_eq!((&answer["keys"], &answer["digest"]), (&Value::Bool(false), &Value::Null));

    let approval = fs::read_to_string(&file).unwrap();
    assert!(approval.contains("\napproval = \"second-person\""), "{approval}");
    let hosts = "hosts = [\"api.an.example\", \"api.an.example:8443\"]";
    assert!(approval.contains(hosts), "{approval}");

    let cards =
        ["agency", "municipality", "dropzone"].map(|host| world.path(&format!("{host}.card")));
    let mut add = vec!["agreement", "add", path];
    cards.iter().for_each(|card| add.extend(["--card", card.to_str().unwrap()]));
    for host in ["agency", "municipality", "dropzone"] {
        let added = world.cli(host, &add);
        assert!(added.status.success(), "{}", stderr(&added));
    }
    let shown = stdout(&world.cli("agency", &["agreement", "show", "gent"]));
    assert!(
        shown.contains("Stad \"Gent\"") && shown.contains("# From the parties' cards."),
        "{shown}"
    );
}

#[test]
fn nothing_is_overwritten_and_an_end_of_answers_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("gent.toml");
    let short = new_agreement(dir.path(), "en", "gent\n\n");
    assert_eq!(short.status.code(), Some(1));
    assert!(stderr(&short).contains("the answers end at agency.name"), "{}", stderr(&short));
    let elsewhere = tempfile::tempdir().unwrap();
    let stubborn = new_agreement(elsewhere.path(), "en", &"?\n".repeat(9));
    assert!(stderr(&stubborn).contains("five times no usable answer to agreement"));
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0, "nothing was answered");
    assert!(!file.exists(), "nothing is written before the last answer");
    fs::write(&file, "mine").unwrap();
    let there = new_agreement(dir.path(), "en", &answers());
    assert_eq!(there.status.code(), Some(1));
    assert!(stderr(&there).contains("not overwritten; choose another"), "{}", stderr(&there));
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
}

/// The first so many of the answers, and those after them; none of the first is one that is asked again.
fn parted(at: usize) -> (String, String) {
    let answers = answers();
    let lines: Vec<&str> = answers.split_inclusive('\n').collect();
    let (first, rest) = lines.split_at(at);
    (first.concat(), rest.concat())
}

#[test]
fn whoever_stops_goes_on_from_a_draft_that_only_they_read() {
    let dir = tempfile::tempdir().unwrap();
    let (file, draft) = (dir.path().join("gent.toml"), dir.path().join("gent.toml.draft"));
    let path = file.to_str().unwrap();
    // Five answers that will not do: what was answered before them stays.
    let (first, rest) = parted(8);
    let stubborn = new_agreement(dir.path(), "nl", &(first + &"\n".repeat(5)));
    assert_eq!(stubborn.status.code(), Some(1));
    for said in ["vijf keer geen bruikbaar antwoord", "gent.toml.draft; hetzelfde commando"] {
        assert!(stderr(&stubborn).contains(said), "{said}: {}", stderr(&stubborn));
    }
    assert!(stdout(&stubborn).contains("Elk antwoord wordt bewaard in "), "{}", stdout(&stubborn));
    assert_eq!(fs::metadata(&draft).unwrap().permissions().mode() & 0o777, 0o600);
    // Somebody types on, and leaves with Ctrl-C.
    let kept = || fs::read_to_string(&draft).unwrap_or_default();
    let mut typing = Command::new(binary("sluis"))
        .args(["--lang", "en", "agreement", "new", "--out", path])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let (next, rest) = rest.split_at(rest.match_indices('\n').nth(4).unwrap().0 + 1);
    typing.stdin.as_mut().unwrap().write_all(next.as_bytes()).unwrap();
    until("what was typed to be kept", || kept().contains("municipality.kbo").then_some(()));
    let ended = Command::new("kill").args(["-INT", &typing.id().to_string()]).status();
    assert!(ended.unwrap().success() && !typing.wait().unwrap().success());
    assert!(!file.exists());
    // A line that was taken out is asked again; so is what will not do any more.
    let text = kept();
    let other = text.lines().filter(|line| !line.starts_with("\"municipality.name\""));
    fs::write(&draft, other.collect::<Vec<_>>().join("\n")).unwrap();
    let made = new_agreement(dir.path(), "en", &format!("Stad \"Gent\"\n{rest}"));
    assert!(made.status.success(), "{}{}", stdout(&made), stderr(&made));
    assert!(stdout(&made).contains("Goes on with "), "{}", stdout(&made));
    assert!(!draft.exists() && fs::read_dir(dir.path()).unwrap().count() == 1);
    let whole = tempfile::tempdir().unwrap();
    assert!(new_agreement(whole.path(), "en", &answers()).status.success());
    let at_once = fs::read_to_string(whole.path().join("gent.toml")).unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), at_once, "the same as in one go");
    // What is no draft is left alone.
    fs::remove_file(&file).unwrap();
    fs::write(&draft, "iets anders").unwrap();
    let refused = new_agreement(dir.path(), "en", &answers());
    assert!(stderr(&refused).contains("sluis[draft]: "), "{}", stderr(&refused));
    assert_eq!(kept(), "iets anders");
}

#[test]
fn what_is_quoted_of_a_mistake_stands_in_the_file() {
    let draft = worked();
    let draft = &draft[..draft.find("[keys.agency]").unwrap()];
    for end in ["name = \"x", "[open", "text = \"\"\"\nx"] {
        let said = stderr(&check(&format!("{draft}\n{end}\n"), &[]));
        assert!(said.contains("TOML parse error") && !said.contains("keys.agency"), "{said}");
    }
    // Keys in another form of TOML are keys.
    let said = stderr(&check(&format!("keys = 3\n{draft}"), &[]));
    assert!(said.contains("keys = 3") && said.contains("invalid type"), "{said}");
}

#[test]
fn what_is_left_blank_stays_visible_in_the_file_and_is_a_gap() {
    let dir = tempfile::tempdir().unwrap();
    let today = today();
    let digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let blank = answers()
        .replace(&format!("\n2999-01-01\n{today}\n{today}\n"), "\n-\n-\n")
        .replace(&format!("binnenkort\nhttps://a.example\n\n{digest}\n"), "\n")
        .replace("api.c.example\n", "\n")
        .replace(&format!("{today}; Voorbeeld C, {today}\n{digest}\n"), &format!("{today}\n\n"));
    let made = new_agreement(dir.path(), "en", &blank);
    assert!(made.status.success(), "{}{}", stdout(&made), stderr(&made));
    let file = dir.path().join("gent.toml");
    let text = fs::read_to_string(&file).unwrap();
    for line in
        ["# agency = \"...\"     # when its DPO gave advice", "# url = \"...\"", "# original"]
    {
        assert!(text.contains(line), "{line}: {text}");
    }
    let checked = sluis(&["--json", "agreement", "check", file.to_str().unwrap()], "");
    assert_eq!(checked.status.code(), Some(1));
    let answer: Value = serde_json::from_slice(&checked.stdout).unwrap();
    assert_eq!(
        codes(&answer, "blocks"),
        ["advice-missing", "advice-missing", "publication-missing"]
    );
    assert_eq!(
        codes(&answer, "warns"),
        ["processor-hosts-missing", "representative-unsigned", "original-missing"]
    );
}

/// What follows from a change goes by its number: a publication, the register of processors, which keys count.
#[test]
fn another_text_with_a_number_that_counted_already_is_no_version() {
    let mut world = World::running();
    let installed = world.path("agency/agreements/mechelen.toml");
    let text = fs::read_to_string(&installed).unwrap();
    let other = text.replacen("\nversion = 1\n", "\nversion = 1 # ongewijzigd\n", 1);
    assert_ne!(other, text);
    let file = world.path("anders.toml");
    fs::write(&file, &other).unwrap();
    let added = world.cli("agency", &["agreement", "add", file.to_str().unwrap()]);
    assert!(stderr(&added).contains("[version-not-newer]"), "{}", stderr(&added));
    // Nor where root writes it there.
    fs::write(&installed, &other).unwrap();
    world.stop("sealer");
    world.start("sealer");
    let approve = ["agreement", "approve", "mechelen"];
    let refused = world.cli("agency", &approve);
    assert!(stderr(&refused).contains("[version-not-newer]"), "{}", stderr(&refused));
    // The text that counted before, and one with a higher number, may.
    for version in [1, 2] {
        let next = text.replacen("\nversion = 1\n", &format!("\nversion = {version}\n"), 1);
        fs::write(&installed, next).unwrap();
        world.stop("sealer");
        world.start("sealer");
        let approved = world.two_persons("agency", &approve);
        assert!(approved.status.success(), "{}", stderr(&approved));
    }
}
