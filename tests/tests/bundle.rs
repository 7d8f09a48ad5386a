//! The evidence of a year, on request (R54, R55): whole, the same twice, held by tools that nobody here wrote.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sluis_core::content::nrn::NationalNumber;
use sluis_core::id::Time;
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

/// The folder's own script, on a machine that has three programs: what it says, and its exit code.
fn by_script(world: &World, folder: &Path, trust: &Path) -> (Option<i32>, String) {
    let programs = world.path("three-programs");
    if !programs.exists() {
        fs::create_dir(&programs).unwrap();
        for name in ["ssh-keygen", "sha256sum", "jq"] {
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

/// The numbers in a text that could be a person's: eleven digits that stand by themselves, with a right check
/// number. Digests have longer and shorter runs of digits by chance, but those stand between letters.
fn national_numbers(text: &str) -> usize {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let today = Time(i64::try_from(now.as_millis()).unwrap()).date();
    text.split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| word.len() == 11 && word.bytes().all(|b| b.is_ascii_digit()))
        .filter(|word| NationalNumber::parse(word, today).is_ok())
        .count()
}

#[test]
fn a_year_is_handed_over_whole_and_verifies_without_sluis() {
    let (world, codes) = year();
    assert_eq!(national_numbers(std::str::from_utf8(LIST).unwrap()), 3, "the search finds them");
    let trust = world.path("trust");
    for host in ["agency", "municipality"] {
        let (one, two) = (world.path(&format!("{host}-1")), world.path(&format!("{host}-2")));
        let made = export(&world, host, &one, &[]);
        assert!(made.status.success(), "{}", stderr(&made));
        // A moment later, the same ledger: the same bytes.
        std::thread::sleep(Duration::from_millis(1100));
        assert!(export(&world, host, &two, &[]).status.success());
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
            assert!(said.contains(&format!("{code}: holds: sealed, delivered, removed")), "{said}");
        }
        the_report_tells(&one, &codes);
        a_year_is_a_part(&world, host, &one, &trust);
        what_is_missing_or_changed_is_found(&world, &one, &trust);
        assert!(!export(&world, host, &one, &[]).status.success(), "nothing is overwritten");
    }
}

fn the_report_tells(folder: &Path, codes: &[String]) {
    for (language, expected) in [
        ("nl", ["Aanvragen", "De twee deuren", "te laat nagekomen", "streefdoel"]),
        ("en", ["Requests", "The two gates", "met, late", "target"]),
    ] {
        let html = fs::read_to_string(folder.join(format!("report.{language}.html"))).unwrap();
        for text in expected {
            assert!(html.contains(text), "{language}: {text}");
        }
        for article in
            ["art. 2", "art. 3", "art. 4", "art. 6", "art. 7", "art. 9", "art. 10", "art. 12"]
        {
            assert!(html.contains(&format!("<h3>{article} ")), "{language}: {article}");
        }
        for code in codes {
            assert!(html.contains(&format!("<h3>{code} OEFENING</h3>")), "{language}: {code}");
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
    let manifest: serde_json::Value =
        serde_json::from_slice(&fs::read(all.join("manifest.json")).unwrap()).unwrap();
    let first = manifest["statements"][0]["entered"].as_i64().unwrap();
    let year = Time(first).date().year().to_string();
    let to = world.path(&format!("{host}-{year}"));
    assert!(export(world, host, &to, &["--year", &year]).status.success());
    let (code, said) = verified(world, &to, trust);
    assert_eq!(code, Some(0), "{said}");
    let none = export(world, host, &world.path("none"), &["--year", "2019"]);
    assert_eq!(none.status.code(), Some(1));
    assert!(stderr(&none).contains("nothing was said"), "{}", stderr(&none));
}

fn what_is_missing_or_changed_is_found(world: &World, folder: &Path, trust: &Path) {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .flatten()
        .map(|entry| entry.file_name().into_string().unwrap())
        .filter(|name| name.starts_with('0') && name.ends_with(".json"))
        .collect();
    names.sort();
    let kind =
        |kind: &str| names.iter().find(|name| name.ends_with(&format!("-{kind}.json"))).unwrap();
    let path = |name: &str| folder.join(name);
    let says = |why: &str| {
        let (code, said) = verified(world, folder, trust);
        assert_eq!(code, Some(1), "{why}: {said}");
    };
    let aside = world.path("aside");
    let leave_out = |name: &str| {
        fs::rename(path(name), &aside).unwrap();
        says(&format!("{name} is left out"));
        fs::rename(&aside, path(name)).unwrap();
    };
    // In the middle, the last one, a notice, the first.
    for name in [kind("removed"), names.last().unwrap(), kind("incident-report"), &names[0]] {
        leave_out(name);
    }
    // Also where the list of what is here is made to fit: the other party had seen it.
    let manifest = path("manifest.json");
    let listed = fs::read_to_string(&manifest).unwrap();
    let last = names.iter().rfind(|name| name.contains("stad-mechelen")).unwrap();
    let number: u64 = last.split('-').nth(3).unwrap().parse().unwrap();
    let shorter = format!("\"last\": {}\n", number - 1);
    let fitted = listed.replace(&format!("\"last\": {number}\n"), &shorter);
    assert_ne!(fitted, listed);
    fs::write(&manifest, fitted).unwrap();
    leave_out(last);
    fs::remove_file(&manifest).unwrap();
    says("without the manifest it is not the folder of one transfer");
    fs::write(&manifest, &listed).unwrap();
    for name in [kind("opened"), kind("quality-close")] {
        let bytes = fs::read(path(name)).unwrap();
        let mut changed = bytes.clone();
        let at = changed.len() / 2;
        changed[at] ^= 1;
        fs::write(path(name), changed).unwrap();
        says(&format!("{name} is changed"));
        fs::write(path(name), bytes).unwrap();
    }
    let sig = |name: &str| path(&format!("{name}.sig"));
    let (one, two) = (sig(kind("delivered")), sig(kind("removed")));
    let (first, second) = (fs::read(&one).unwrap(), fs::read(&two).unwrap());
    fs::write(&one, &second).unwrap();
    fs::write(&two, &first).unwrap();
    says("signatures are swapped");
    fs::write(&one, &first).unwrap();
    fs::write(&two, &second).unwrap();
    let mut all = fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path());
    let text = all.find(|path| path.extension().is_some_and(|end| end == "toml")).unwrap();
    let bytes = fs::read(&text).unwrap();
    fs::write(&text, [&bytes[..], b"\n"].concat()).unwrap();
    says("the agreement's text is another one");
    fs::write(&text, bytes).unwrap();
    assert_eq!(verified(world, folder, trust).0, Some(0), "everything is back where it was");
}
