//! `deny.toml` holds for all that is linked, and what it does not allow is refused.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::process::{Command, Output};

use sluis_tests::{root, stderr, tool};

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
