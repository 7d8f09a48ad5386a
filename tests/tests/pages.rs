//! The pages for people in a real browser: the report of a year and the text to publish, on a screen, on a telephone, on
//! paper.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use sluis_tests::world::Plan;
use sluis_tests::{World, root, stderr, stdout, tool, until};

/// Numbers that belong to nobody, with right check digits.
const LIST: &[u8] = b"rijksregisternummer;contract;attest\n85073003328;1;1\n90020199704;1;0\n";
/// A screen, a telephone, a sheet of paper.
const AS: [&str; 3] = ["1280", "400", "print"];

/// What the browser saw of each page: one for each of [`AS`].
fn seen(folder: &Path, pages: &[PathBuf]) -> Vec<Value> {
    let mut node = Command::new("node");
    node.arg(root().join("tests/src/browser.mjs")).arg("chromium-headless-shell").arg(folder);
    let output = tool(node.arg(AS.join(",")).args(pages));
    assert!(output.status.success(), "{}{}", stdout(&output), stderr(&output));
    let seen: Vec<_> =
        stdout(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(seen.len(), AS.len() * pages.len(), "{}", stderr(&output));
    seen
}

fn size(seen: &Value, what: &str) -> usize {
    seen[what].as_array().map_or_else(|| panic!("{what}: {seen}"), Vec::len)
}

/// A year with everything that is drawn: a request, a list, an incident, wrong data; and where the text stands.
fn reports() -> (World, Vec<PathBuf>) {
    let agreement = include_str!("../../config/examples/demo/mechelen.toml").to_owned();
    let world = World::running_as(&Plan { agreement, ..Plan::default() });
    let note = |host: &str, said: &[&str]| world.json(host, said);
    note("municipality", &["request", "mechelen", "--text", "de lijst van dit jaar"]);
    until("the request to be heard", || {
        let rows = world.json("agency", &["notices"]);
        (!rows.as_array().unwrap().is_empty()).then_some(())
    });
    let code = world.send("lijst.csv", LIST);
    world.wait("agency", &code, "Released");
    let opened = world.cli_with("municipality", &["open", &code], &world.lines(&code).join("\n"));
    assert!(opened.status.success(), "{}", stderr(&opened));
    world.wait("agency", &code, "Closed");
    // A word that is longer than a telephone is wide.
    let long = format!("een poging {}", "x".repeat(90));
    let found = ["mechelen", "--found", "2026-01-05T10:00", "--text", &long];
    note("agency", &[&["incident", "report"], &found[..]].concat());
    note("municipality", &[&["quality", "report"], &found[..], &["--transfer", &code]].concat());
    let page = |lang: &str| world.path(&format!("protocol.{lang}.html"));
    for lang in ["nl", "en"] {
        let to = page(lang);
        let to = to.to_str().unwrap();
        note("agency", &["agreement", "publish", "mechelen", "--lang", lang, "--to", to]);
    }
    let (url, file) = (format!("https://a.example/{}", "y".repeat(90)), page("nl"));
    let record = ["agreement", "publish", "mechelen", "--url", &url, "--page"];
    note("agency", &[&record[..], &[file.to_str().unwrap()]].concat());
    let to = world.path("year");
    let export = ["evidence", "export", "--agreement", "mechelen", "--to", to.to_str().unwrap()];
    assert!(world.cli("agency", &export).status.success());
    let pages = ["nl", "en"].map(|lang| [to.join(format!("report.{lang}.html")), page(lang)]);
    (world, pages.concat())
}

#[test]
fn a_browser_shows_and_prints_every_page_whole_and_asks_nobody_for_anything() {
    let (world, pages) = reports();
    let folder = world.path("seen");
    fs::create_dir(&folder).unwrap();
    for (at, it) in seen(&folder, &pages).iter().enumerate() {
        let (name, how) = (it["page"].as_str().unwrap(), it["as"].as_str().unwrap());
        let about = format!("{name} as {how}: {it}");
        let language = if name.contains(".nl.") { "nl" } else { "en" };
        assert_eq!(it["language"], language, "{about}");
        assert!(it["title"].as_str().unwrap().len() > 10, "{about}");
        // Nothing is fetched, nothing runs, nothing is complained of.
        for none in ["requests", "complaints"] {
            assert_eq!(size(it, none), 0, "{none}: {about}");
        }
        assert_eq!(it["scripts"], 0, "{about}");
        // Nothing stands outside of the page, over something else, or too faint to be read (WCAG 2.2, 1.4.3).
        let viewport = it["viewport"].as_u64().unwrap();
        assert_eq!(it["scrollWidth"].as_u64(), Some(viewport), "{about}");
        for none in ["wide", "spilling"] {
            assert_eq!(size(it, none), 0, "{none}: {about}");
        }
        assert!(it["faintest"]["ratio"].as_f64().unwrap() >= 4.5, "{about}");
        // Who listens has heads, names and levels in their order.
        assert_eq!(it["unnamed"], 0, "{about}");
        let levels: Vec<_> = it["headings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|level| level.as_u64().unwrap())
            .collect();
        assert_eq!(levels.iter().filter(|level| **level == 1).count(), 1, "{about}");
        assert!(levels.windows(2).all(|two| two[1] <= two[0] + 1), "{about}");
        // The picture has the page in it: more than paper, and less ink than paper.
        let picture = &it["picture"];
        assert_eq!(picture["width"].as_u64(), Some(viewport), "{about}");
        assert!(picture["height"].as_u64().unwrap() > 1500, "{about}");
        assert!(picture["colours"].as_u64().unwrap() > 100, "{about}");
        let paper = picture["commonest"].as_f64().unwrap();
        assert!((0.5..0.99).contains(&paper), "{about}");
        let sheets = it["sheets"].as_u64().unwrap();
        assert!((1..=16).contains(&sheets), "{about}");
        let pdf = folder.join(format!("{}-{how}.pdf", name.trim_end_matches(".html")));
        assert!(fs::read(pdf).unwrap().starts_with(b"%PDF-"), "{about}");
        let drawings = it["drawings"].as_array().unwrap();
        if name.starts_with("report") {
            the_drawings_are_seen(drawings, how, &about);
        } else {
            assert!(drawings.is_empty(), "{about}");
            assert!(it["text"].as_str().unwrap().contains("0543.307.391"), "{about}");
        }
        assert_eq!(at % AS.len(), AS.iter().position(|known| *known == how).unwrap());
    }
}

/// The year with a bar for each of its lanes, and the lock of the list with its two gates.
fn the_drawings_are_seen(drawings: &[Value], how: &str, about: &str) {
    let bars: Vec<_> = drawings.iter().map(|it| it["bars"].as_u64().unwrap()).collect();
    assert_eq!(bars, [4, 2], "{about}");
    for drawing in drawings {
        assert_eq!(size(drawing, "collide"), 0, "{about}");
        assert!(drawing["height"].as_f64().unwrap() > 80.0, "{about}");
        // Letters that can be read: on a telephone the drawing is moved, not shrunk.
        let least = if how == "print" { 9.0 } else { 10.0 };
        assert!(drawing["letters"].as_f64().unwrap() >= least, "{about}");
    }
}

#[test]
fn what_is_wrong_with_a_page_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("wrong.html");
    let wrong = "<!doctype html><html><head><title>x</title></head><body><h2>x</h2>\
                 <img src='http://a.example/x.png'><table><tr><th>x</th></tr></table>\
                 <p style='width:3000px;color:#ccc'>faint</p>\
                 <svg viewBox='0 0 99 9'><text y='9'>one</text><text x='1' y='9'>two</text></svg>\
                 <script>console.error('x')</script></body></html>";
    let empty = folder.path().join("empty.html");
    fs::write(&page, wrong).unwrap();
    fs::write(&empty, "<!doctype html><p>").unwrap();
    let all = seen(folder.path(), &[page, empty]);
    for it in &all[..AS.len()] {
        assert_eq!(it["requests"], serde_json::json!(["http://a.example/x.png"]));
        assert_eq!((it["scripts"].as_u64(), size(it, "complaints")), (Some(1), 2), "{it}");
        assert!(it["scrollWidth"].as_u64() > it["viewport"].as_u64(), "{it}");
        assert!(size(it, "wide") > 0 && it["faintest"]["ratio"].as_f64().unwrap() < 2.0, "{it}");
        assert_eq!((it["language"].as_str(), it["unnamed"].as_u64()), (Some(""), Some(2)), "{it}");
        assert!(size(&it["drawings"][0], "collide") > 0, "{it}");
    }
    for it in &all[AS.len()..] {
        assert_eq!(it["picture"]["colours"], 1, "{it}");
    }
}
