//! The evidence of a year, on request (R54, R55): whole, the same twice, held by tools that nobody here wrote.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{SystemTime, UNIX_EPOCH};

use sluis_core::id::{Digest, Time};
use sluis_tests::about_nobody::national_numbers;
use sluis_tests::provider::{Mood, Provider};
use sluis_tests::world::Plan;
use sluis_tests::{World, stderr, stdout, tool, until};

/// Numbers that belong to nobody, with right check digits.
const LIST: &[u8] =
    b"rijksregisternummer;contract;attest\n85073003328;1;1\n90020199704;1;0\n00010100105;0;0\n";

/// Waits until a host's ledger has so many notices of a sort.
fn heard(world: &World, host: &str, sort: &str, count: usize) {
    until(&format!("{sort} to be heard by the {host}"), || {
        let rows = world.json(host, &["notices"]);
        let known = rows.as_array().unwrap().iter().filter(|row| row["sort"] == sort).count();
        (known == count).then_some(())
    });
}

fn note(world: &World, host: &str, arguments: &[&str]) -> String {
    world.json(host, arguments)["digest"].as_str().unwrap()[..8].to_owned()
}

fn delivered(world: &World, name: &str) -> String {
    let code = world.send(name, LIST);
    world.wait("agency", &code, "Released");
    let opened = world.cli_with("municipality", &["open", &code], &world.lines(&code).join("\n"));
    assert!(opened.status.success(), "{}", stderr(&opened));
    world.wait("agency", &code, "Closed");
    until("the municipality to hear `closed`", || {
        world.statements("municipality", &code).contains(&"closed".to_owned()).then_some(())
    });
    code
}

/// A request, a list, an incident that is reported late, wrong data and the corrected list.
fn year() -> (World, [String; 2]) {
    let agreement = include_str!("../../config/examples/demo/mechelen.toml").to_owned();
    let world = World::running_as(&Plan { agreement, ..Plan::default() });
    note(&world, "municipality", &["request", "mechelen", "--text", "de lijst van dit jaar"]);
    heard(&world, "agency", "request", 1);
    let list = delivered(&world, "lijst.csv");
    let found = ["mechelen", "--found", "2026-01-05T10:00", "--text"];
    let text = "een poging <script>alert(1)</script> – coördinatie & nazicht";
    let incident = [&["incident", "report"], &found[..], &[text]].concat();
    let incident = note(&world, "municipality", &incident);
    heard(&world, "agency", "incident-report", 1);
    for (host, verb) in [("agency", "update"), ("municipality", "close")] {
        let said = ["incident", verb, "mechelen", "--case", &incident, "--text", "geblokkeerd"];
        note(&world, host, &said);
        heard(&world, "agency", &format!("incident-{verb}"), 1);
        heard(&world, "municipality", &format!("incident-{verb}"), 1);
    }
    let wrong = [&["quality", "report"], &found[..], &["rij 2", "--transfer", &list]].concat();
    let case = note(&world, "municipality", &wrong);
    heard(&world, "agency", "quality-report", 1);
    let better = delivered(&world, "beter.csv");
    for verb in ["answer", "close"] {
        note(&world, "agency", &["quality", verb, "mechelen", "--case", &case, "--text", "beter"]);
        heard(&world, "municipality", &format!("quality-{verb}"), 1);
    }
    (world, [list, better])
}

fn export(world: &World, host: &str, to: &Path, more: &[&str]) -> Output {
    let to = ["--to", to.to_str().unwrap()];
    world.cli(host, &[&["evidence", "export", "--agreement", "mechelen"], more, &to].concat())
}

/// Every file below a folder.
fn tree(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(
                tree(&path).into_iter().map(|(p, b)| (entry.file_name().into(), p, b)).map(
                    |(folder, path, bytes): (PathBuf, PathBuf, Vec<u8>)| (folder.join(path), bytes),
                ),
            );
        } else {
            found.insert(entry.file_name().into(), fs::read(&path).unwrap());
        }
    }
    found
}

/// The folder's own script, on a machine that has two programs: what it says, and its exit code.
fn by_script(world: &World, folder: &Path, trust: &Path) -> (Option<i32>, String) {
    let programs = world.path("two-programs");
    if !programs.exists() {
        fs::create_dir(&programs).unwrap();
        for name in ["ssh-keygen", "sha256sum"] {
            let path = stdout(&tool(Command::new("which").arg(name)));
            symlink(path.trim(), programs.join(name)).unwrap();
        }
    }
    let mut command = Command::new("/bin/sh");
    command.env_clear().env("PATH", programs).arg(folder.join("verify.sh")).arg(folder).arg(trust);
    let output = tool(&mut command);
    (output.status.code(), stdout(&output) + &stderr(&output))
}

/// Both verifiers, which say the same.
fn verified(world: &World, folder: &Path, trust: &Path) -> (Option<i32>, String) {
    let (folder_text, trust_text) = (folder.to_str().unwrap(), trust.to_str().unwrap());
    let ours = world.cli("dropzone", &["evidence", "verify", folder_text, "--trust", trust_text]);
    let (code, script) = by_script(world, folder, trust);
    let said = stdout(&ours) + &stderr(&ours);
    assert_eq!(ours.status.code(), code, "{said}\n---\n{script}");
    (code, format!("{said}\n---\n{script}"))
}

/// The folder with another list, which its party signs with its own key.
fn signs_anew(world: &World, folder: &Path, list: &str) {
    let head = folder.join("ledger/head");
    let text = fs::read_to_string(&head).unwrap();
    let before = Digest::of(&fs::read(folder.join("ledger/list")).unwrap()).to_string();
    let text = text.replace(&before, &Digest::of(list.as_bytes()).to_string());
    fs::write(folder.join("ledger/list"), list).unwrap();
    fs::write(&head, text).unwrap();
    fs::remove_file(folder.join("ledger/head.sig")).unwrap();
    let mut sign = Command::new("ssh-keygen");
    sign.args(["-Y", "sign", "-n", "head-v2@sluis", "-f"]);
    let made = tool(sign.arg(world.path("agency/credentials/statement-key")).arg(&head));
    assert!(made.status.success(), "{}", stderr(&made));
}

/// The agency has its own key: it can sign whatever list it likes.
#[test]
fn what_a_party_leaves_out_and_signs_is_found() {
    let (world, _) = year();
    let folder = world.path("liar");
    assert!(export(&world, "agency", &folder, &[]).status.success());
    let trust = world.path("trust");
    fs::copy(folder.join("allowed_signers"), &trust).unwrap();
    let list = fs::read_to_string(folder.join("ledger/list")).unwrap();
    let lines: Vec<&str> = list.lines().collect();
    let text = |lines: &[&str]| format!("{}\n", lines.join("\n"));
    signs_anew(&world, &folder, &list);
    assert_eq!(verified(&world, &folder, &trust).0, Some(0), "what is true may be signed again");
    let last = lines.iter().rposition(|line| line.contains("-stad-mechelen-")).unwrap();
    for (place, why) in [(0, "the first"), (5, "in the middle"), (last, "had been seen")] {
        let file = folder.join(lines[place].rsplit(' ').next().unwrap());
        let kept = fs::read(&file).unwrap();
        fs::remove_file(&file).unwrap();
        let mut fewer = lines.clone();
        fewer.remove(place);
        signs_anew(&world, &folder, &text(&fewer));
        let (code, said) = verified(&world, &folder, &trust);
        assert_eq!(code, Some(1), "{why}: {said}");
        fs::write(file, kept).unwrap();
    }
    let of = |who: &str| (0..lines.len()).filter(|at| lines[*at].contains(who)).collect::<Vec<_>>();
    let ours = of("-agentschap-ii-");
    let mut other = lines.clone();
    other.swap(ours[0], ours[1]);
    signs_anew(&world, &folder, &text(&other));
    assert_eq!(verified(&world, &folder, &trust).0, Some(1), "another order");
    signs_anew(&world, &folder, &list);
    assert_eq!(verified(&world, &folder, &trust).0, Some(0), "everything is back where it was");
    // The municipality's word about the agency's ledger is none.
    fs::write(&trust, fs::read_to_string(&trust).unwrap().replace("agentschap-ii", "someone-else"))
        .unwrap();
    assert_eq!(verified(&world, &folder, &trust).0, Some(1));
    // Who signs that nothing was ever said has no evidence of it.
    fs::copy(folder.join("allowed_signers"), &trust).unwrap();
    for line in &lines {
        fs::remove_file(folder.join(line.rsplit(' ').next().unwrap())).unwrap();
    }
    signs_anew(&world, &folder, "");
    let (code, said) = verified(&world, &folder, &trust);
    assert!(code == Some(1) && said.contains("nothing is here"), "{said}");
}

/// A list of one person, which two persons let pass, and a year and more after that.
#[test]
fn what_two_persons_let_pass_is_in_the_evidence_of_each_later_year() {
    let agreement = include_str!("../../config/examples/demo/mechelen.toml").to_owned();
    let mut world = World::running_as(&Plan { agreement, ..Plan::default() });
    note(&world, "municipality", &["request", "mechelen", "--text", "de lijst"]);
    heard(&world, "agency", "request", 1);
    world.put("een.csv".as_ref(), b"rijksregisternummer;contract;attest\n85073003328;1;1\n");
    let code = until("the refusal", || world.codes().into_iter().next());
    let word = ["override", &code, "--reason", "niet te krijgen via MAGDA"];
    for uid in ["61001", "61002"] {
        let said = world.cli_as(uid, "agency", &word);
        assert!(said.status.success(), "{}", stderr(&said));
    }
    let taken = until("the list to be taken", || world.codes().into_iter().find(|it| *it != code));
    world.wait("municipality", &taken, "Removed");
    heard(&world, "municipality", "override", 1);
    // That there were two, and what was refused before, stands in the agency's evidence; who they were in its ledger alone.
    let to = world.path("decided");
    assert!(export(&world, "agency", &to, &[]).status.success());
    let decisions = fs::read_to_string(to.join("ledger/decisions")).unwrap();
    for kind in ["refused", "override-asked", "override-confirmed", "sealed"] {
        assert!(decisions.contains(&format!("\"kind\":\"{kind}\"")), "{kind}: {decisions}");
    }
    assert!(decisions.contains("single-row") && !decisions.contains("\"by\""), "{decisions}");
    let page = fs::read_to_string(to.join("report.en.html")).unwrap();
    let part = page.split_once("Decisions and findings").unwrap().1;
    assert!(part.contains("rule let pass: confirmed by a second person"), "{part}");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let year = Time(i64::try_from(now.as_millis()).unwrap()).date().year();
    for later in 1..=2_i16 {
        world.jump("keeper", &format!("+{}d", 366 * i32::from(later)));
        note(&world, "municipality", &["profiles", "mechelen", "--text", "nagekeken"]);
        let (to, text) = (world.path(&format!("later-{later}")), (year + later).to_string());
        let made = export(&world, "municipality", &to, &["--year", &text]);
        assert!(made.status.success(), "{}", stderr(&made));
        let trust = world.path("trust");
        fs::copy(to.join("allowed_signers"), &trust).unwrap();
        let (code, said) = verified(&world, &to, &trust);
        assert_eq!(code, Some(0), "{said}");
        assert!(
            said.contains("(said earlier)") && said.contains("agentschap-ii 1 override"),
            "{said}"
        );
        let earlier = to.join("earlier-0001-agentschap-ii-0001-override.json");
        let bytes = fs::read(&earlier).unwrap();
        fs::write(&earlier, [&bytes[..bytes.len() - 1], b" "].concat()).unwrap();
        assert_eq!(verified(&world, &to, &trust).0, Some(1), "it is checked");
        fs::remove_file(&earlier).unwrap();
        assert_eq!(verified(&world, &to, &trust).0, Some(1), "and must be there");
    }
}

#[test]
fn a_year_is_handed_over_whole_and_verifies_without_sluis() {
    let (world, codes) = year();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    assert_eq!(national_numbers(std::str::from_utf8(LIST).unwrap()), 3, "the search finds them");
    for (text, count) in [
        ("nr. (85.07.30-033.28), 12345678901", 2),
        ("nr85073003328x, \"+32470000000\", 0032470000000", 3),
        ("1: 85,07,30 – 033,28: 2", 1),
        (&format!("{} {now} 2026-03-02 10:30:15", "0123456789".repeat(4)), 0),
    ] {
        assert_eq!(national_numbers(text), count, "{text}");
    }
    let trust = world.path("trust");
    for host in ["agency", "municipality"] {
        let (one, two) = (world.path(&format!("{host}-1")), world.path(&format!("{host}-2")));
        until("the ledger to stand still", || {
            for folder in [&one, &two] {
                let _ = fs::remove_dir_all(folder);
            }
            let made = export(&world, host, &one, &[]);
            assert!(made.status.success(), "{}", stderr(&made));
            // A moment later, the same ledger: the same bytes.
            let second = || UNIX_EPOCH.elapsed().unwrap().as_secs();
            let then = second();
            until("the next second", || (second() > then).then_some(()));
            assert!(export(&world, host, &two, &[]).status.success());
            (head(&one)["ledger"] == head(&two)["ledger"]).then_some(())
        });
        let files = tree(&one);
        assert_eq!(files.keys().collect::<Vec<_>>(), tree(&two).keys().collect::<Vec<_>>());
        for (path, bytes) in &files {
            assert_eq!(bytes, &fs::read(two.join(path)).unwrap(), "{} differs", path.display());
            assert_eq!(national_numbers(&String::from_utf8_lossy(bytes)), 0, "{}", path.display());
        }
        fs::copy(one.join("allowed_signers"), &trust).unwrap();
        let (code, said) = verified(&world, &one, &trust);
        assert_eq!(code, Some(0), "{said}");
        for code in &codes {
            assert!(said.contains(&format!("{code}: holds: what came out is what went in")));
            let all = "holds: sent delivered removed released opened";
            assert!(said.contains(&format!("OEFENING {code}: {all}")), "{said}");
        }
        the_report_tells(&one, &codes);
        a_year_is_a_part(&world, host, &one, &trust);
        what_is_missing_or_changed_is_found(&world, &one, &trust);
        the_script_is_short(&one);
        assert!(!export(&world, host, &one, &[]).status.success(), "nothing is overwritten");
    }
}

/// What a provider says of a message stands in both ledgers: it may say the number that the message went to.
#[test]
fn a_provider_that_repeats_a_number_puts_it_into_no_ledger() {
    let moods = [Mood::Repeats, Mood::Calls("0470/00.00.01"), Mood::Calls("x0032 470 00 00 09")];
    let providers = moods.map(Provider::new);
    let channels = ["sms-a", "sms-b", "voice"].into_iter().zip(&providers);
    let channels: String = channels.map(|(id, provider)| provider.channel(id)).collect();
    let world = World::running_as(&Plan::default().over(&channels));
    let code = world.send("lijst.txt", b"lijst");
    world.wait("agency", &code, "Released");
    until("the municipality to hear `released`", || {
        world.statements("municipality", &code).contains(&"released".to_owned()).then_some(())
    });
    for host in ["agency", "municipality"] {
        let folder = world.path(&format!("{host}-evidence"));
        let made = export(&world, host, &folder, &[]);
        assert!(made.status.success(), "{}", stderr(&made));
        let mut told = 0;
        for (path, bytes) in tree(&folder) {
            let text = String::from_utf8_lossy(&bytes);
            assert_eq!(national_numbers(&text), 0, "{}", path.display());
            for number in ["470000000", "470/00.00.01", "470 00 00 09"] {
                assert!(!text.contains(number), "{number} in {}", path.display());
            }
            told += text.matches("\"message\":\"-\"").count();
        }
        assert_eq!(told, 3, "{host}: that each took it is told, without a number");
    }
}

fn the_report_tells(folder: &Path, codes: &[String]) {
    for (language, expected) in [
        ("nl", ["Aanvragen", "De twee deuren", "te laat nagekomen", "streefdoel", "bewaarder "]),
        ("en", ["Requests", "The two gates", "met, late", "target", "custodian "]),
    ] {
        let html = fs::read_to_string(folder.join(format!("report.{language}.html"))).unwrap();
        for text in expected {
            assert!(html.contains(text), "{language}: {text}");
        }
        for article in (1..=10).chain([12]) {
            assert!(html.contains(&format!("<h3>art. {article} ")), "{language}: {article}");
        }
        for code in codes {
            assert!(html.contains(&format!("<h3>OEFENING {code}</h3>")), "{language}: {code}");
        }
        assert!(html.contains(&format!("<html lang=\"{language}\">")));
        assert!(html.contains("default-src 'none'") || html.contains("default-src &#39;none&#39;"));
        assert!(html.contains("@media print") && html.contains("<svg"));
        assert!(html.contains("coördinatie") && html.contains("alert(1)"), "notices are told");
        for never in ["<script", "http://", "https://cdn", "src=", "onload", "style=\""] {
            assert!(!html.contains(never), "{language}: {never}");
        }
    }
}

fn a_year_is_a_part(world: &World, host: &str, all: &Path, trust: &Path) {
    let list = fs::read_to_string(all.join("ledger/list")).unwrap();
    let first = list.split(' ').nth(2).unwrap().parse().unwrap();
    let year = Time(first).date().year().to_string();
    let to = world.path(&format!("{host}-{year}"));
    assert!(export(world, host, &to, &["--year", &year]).status.success());
    let (code, said) = verified(world, &to, trust);
    assert_eq!(code, Some(0), "{said}");
    let none = export(world, host, &world.path("none"), &["--year", "2019"]);
    assert_eq!(none.status.code(), Some(1));
    assert!(stderr(&none).contains("nothing was said"), "{}", stderr(&none));
}

/// What the exporting party signed.
fn head(folder: &Path) -> serde_json::Value {
    serde_json::from_str(&fs::read_to_string(folder.join("ledger/head")).unwrap()).unwrap()
}

fn the_script_is_short(folder: &Path) {
    let script = fs::read_to_string(folder.join("verify.sh")).unwrap();
    assert!(script.lines().count() <= 60, "{} lines", script.lines().count());
    // Each thing that does not hold is told in both languages.
    for told in script.split(" broken \"").skip(1) {
        let (_, after) = told.split_once('"').unwrap();
        assert!(after.starts_with(" \""), "{told}");
    }
}

fn what_is_missing_or_changed_is_found(world: &World, folder: &Path, trust: &Path) {
    let list = fs::read_to_string(folder.join("ledger/list")).unwrap();
    let names: Vec<&str> = list.lines().map(|line| line.rsplit(' ').next().unwrap()).collect();
    let kind =
        |kind: &str| *names.iter().find(|name| name.ends_with(&format!("-{kind}.json"))).unwrap();
    let path = |name: &str| folder.join(name);
    let refused = |why: &str| {
        let (code, said) = verified(world, folder, trust);
        assert_eq!(code, Some(1), "{why}: {said}");
    };
    let changed_to = |name: &str, bytes: &[u8]| {
        let kept = fs::read(path(name)).unwrap();
        assert_ne!(kept, bytes, "{name}");
        fs::write(path(name), bytes).unwrap();
        refused(&format!("{name} is changed"));
        fs::write(path(name), kept).unwrap();
    };
    // In the middle, the last one, a notice, the first.
    for name in [kind("removed"), names.last().unwrap(), kind("incident-report"), names[0]] {
        let kept = fs::read(path(name)).unwrap();
        fs::remove_file(path(name)).unwrap();
        refused(&format!("{name} is left out"));
        fs::write(path(name), kept).unwrap();
    }
    // A byte anywhere: statements, signatures, the head, the list, the keys, the agreement's text.
    let text = fs::read_dir(folder).unwrap().flatten().map(|entry| entry.file_name());
    let text = text.map(|name| name.into_string().unwrap());
    let text = text.into_iter().find(|name| name.ends_with(".toml")).unwrap();
    let signature = format!("{}.sig", kind("delivered"));
    let files = [kind("opened"), kind("quality-close"), &signature, &text];
    for name in [
        &files[..],
        &["ledger/head", "ledger/head.sig", "ledger/list"],
        &["ledger/decisions", "allowed_signers"],
    ]
    .concat()
    {
        let bytes = fs::read(path(name)).unwrap();
        for at in [bytes.len() / 8, bytes.len() / 2, bytes.len() * 7 / 8] {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            changed_to(name, &changed);
        }
        // What stands behind an armoured signature is no part of it for ssh-keygen; other signatures are digested.
        if name != "ledger/head.sig" {
            changed_to(name, &[&bytes[..], b"\n"].concat());
        }
        changed_to(name, b"");
    }
    // What is there is true, but stands elsewhere: another signature, another order, one more.
    changed_to(&signature, &fs::read(path(&format!("{}.sig", kind("removed")))).unwrap());
    let mut lines: Vec<&str> = list.lines().collect();
    lines.swap(2, 3);
    changed_to("ledger/list", format!("{}\n", lines.join("\n")).as_bytes());
    lines.remove(0);
    changed_to("ledger/list", format!("{}\n", lines.join("\n")).as_bytes());
    fs::copy(path(names[1]), path("9999-one-more.json")).unwrap();
    refused("one more");
    fs::remove_file(path("9999-one-more.json")).unwrap();
    assert_eq!(verified(world, folder, trust).0, Some(0), "everything is back where it was");
}
