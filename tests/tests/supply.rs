//! `deny.toml` holds for all that is linked, and what it does not allow is refused; the list of parts is whole.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::process::{Command, Output};

use sluis_tests::{binary, root, sbom, stderr, tool};

/// `cargo deny` on the whole graph, with `deny.toml` changed so.
fn check(change: impl FnOnce(String) -> String) -> Output {
    let rules = fs::read_to_string(root().join("deny.toml")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("deny.toml");
    fs::write(&file, change(rules)).unwrap();
    let program = root().join("target/tools/deny/bin/cargo-deny");
    assert!(program.exists(), "{}: tests/run installs it", program.display());
    let mut command = Command::new(program);
    command.args(["--offline", "--locked", "--config"]).arg(&file);
    command.args(["check", "--hide-inclusion-graph", "bans", "licenses", "sources"]);
    tool(command.current_dir(root()))
}

#[test]
fn bans_licences_and_sources_are_in_order() {
    let checked = check(|rules| rules);
    assert!(checked.status.success(), "{}", stderr(&checked));
}

#[test]
fn a_crate_a_licence_a_second_generation_or_a_source_that_is_not_allowed_is_refused() {
    let only = |what: &'static str, with: &'static str, says: &str| {
        let refused = check(|rules| {
            assert!(rules.contains(what), "deny.toml has no {what}");
            rules.replace(what, with)
        });
        assert!(!refused.status.success(), "{what} became {with} and nothing was said");
        assert!(stderr(&refused).contains(says), "{}", stderr(&refused));
    };
    only("crate = \"ring\"", "crate = \"tar\"", "error[banned]");
    only("\"MIT\", ", "", "error[rejected]");
    only("crate = \"libfuzzer-sys\"\n", "crate = \"tar\"\n", "error[rejected]");
    let twice = "{ crate = \"sha2\", deny-multiple-versions = true },\n  { crate = \"age\", deny-m";
    only("{ crate = \"age\", deny-m", twice, "sha2");
    let nowhere = "unknown-registry = \"deny\"\nallow-registry = []";
    only("unknown-registry = \"deny\"", nowhere, "source-not-allowed");
}

/// The crates of the registry whose files a program names.
fn named_in(program: &std::path::Path) -> std::collections::BTreeSet<String> {
    let bytes = fs::read(program).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    let crates = text.split("/registry/src/").skip(1).filter_map(|rest| {
        let folder = rest.split('/').nth(1)?;
        // `name-1.2.3`, and a version begins with a digit.
        let dashes = folder.match_indices('-').map(|(at, _)| at);
        let mut versions =
            dashes.filter(|at| folder[at + 1..].starts_with(|c: char| c.is_ascii_digit()));
        let at = versions.next()?;
        Some(format!("pkg:cargo/{}@{}", &folder[..at], &folder[at + 1..]))
    });
    crates.collect()
}

/// The licences that `deny.toml` allows for crates.
fn allowed() -> Vec<String> {
    let rules = fs::read_to_string(root().join("deny.toml")).unwrap();
    let rules: toml::Value = toml::from_str(&rules).unwrap();
    let allow = rules["licenses"]["allow"].as_array().unwrap().iter();
    allow.map(|it| it.as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_list_of_parts_names_every_part_its_licence_and_what_is_no_crate() {
    let parts = sbom::of_product();
    assert_eq!((&parts["bomFormat"], &parts["specVersion"]), (&"CycloneDX".into(), &"1.5".into()));
    assert_eq!(parts, sbom::of_product(), "the same lock, the same list");
    let components = parts["components"].as_array().unwrap();
    let of = |name: &str| components.iter().find(|it| it["name"] == name).unwrap();
    let refs: Vec<&str> = components.iter().map(|it| it["bom-ref"].as_str().unwrap()).collect();
    let distinct: std::collections::BTreeSet<&&str> = refs.iter().collect();
    assert_eq!(distinct.len(), refs.len(), "each once");
    // A second reader: the crates that the programs themselves name, where their code may panic.
    for program in ["sluisd", "sluis"] {
        let crates = named_in(&binary(program));
        assert!(crates.len() > 50, "{program}: {crates:?}");
        for part in crates {
            assert!(
                refs.contains(&part.as_str()),
                "{part} is linked into {program}, and not listed"
            );
        }
    }
    for part in components {
        let licence = part["licenses"][0]["expression"].as_str().unwrap_or_default();
        assert!(!licence.is_empty(), "{part}");
        let foreign = part["purl"].as_str().unwrap().starts_with("pkg:cargo/")
            && !part["name"].as_str().unwrap().starts_with("sluis-");
        let digest = part["hashes"][0]["content"].as_str().map_or(0, str::len);
        assert_eq!(digest, if foreign { 64 } else { 0 }, "{part}");
        let words = licence.split(|c: char| " ()/".contains(c));
        let known = allowed();
        let open = words.filter(|it| !["", "AND", "OR", "WITH"].contains(it));
        let good = open.clone().any(|it| known.iter().any(|known| known.starts_with(it)));
        let public = ["sqlite", "aws-lc"].contains(&part["name"].as_str().unwrap());
        assert!(good || public, "{licence}: {part}");
    }
    // Tests and fuzzing are no part of the product.
    for never in ["libfuzzer-sys", "proptest", "sluis-tests", "sluis-sim", "sluis-fuzz"] {
        assert!(!components.iter().any(|it| it["name"] == never), "{never}");
    }
    for name in ["sqlite", "aws-lc", "rust-std", "tokio", "sluis-core"] {
        let version = of(name)["version"].as_str().unwrap();
        assert!(version.starts_with(|c: char| c.is_ascii_digit()), "{name} {version}");
    }
    // C sources that a crate brings along and nobody named here would be missing.
    let bring = components.iter().filter(|it| it["properties"].is_array());
    let bring: Vec<_> = bring.map(|it| it["name"].as_str().unwrap()).collect();
    assert_eq!(bring, ["aws-lc-rs", "aws-lc-sys", "libsqlite3-sys"], "look what they bring along");
}
