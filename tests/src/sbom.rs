//! A list of parts (art. 6: nothing used infringes the rights of others, R53), in the form of CycloneDX 1.5.
//!
//! The crates that are linked on Linux come from `cargo metadata`, their digests from the lock file. What is linked and
//! is no crate of its own (C sources inside a crate, the standard library) is named beside them, by its own version and
//! licence. The list has no date and no random number: the same lock file gives the same bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::{root, tool};

/// The platform of the product.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";
/// The crates whose programs are the product.
const PROGRAMS: [&str; 2] = ["sluis-daemon", "sluis-cli"];

/// C sources that stand inside a crate: which, where their version is said, after which words, under which licence.
const INSIDE: [(&str, &str, &str, &str, &str); 2] = [
    ("libsqlite3-sys", "sqlite", "sqlite3/sqlite3.h", "#define SQLITE_VERSION ", "blessing"),
    (
        "aws-lc-sys",
        "aws-lc",
        "aws-lc/include/openssl/base.h",
        "#define AWSLC_VERSION_NUMBER_STRING ",
        "ISC AND (Apache-2.0 OR ISC) AND OpenSSL",
    ),
];

/// The list of parts of the programs in this repository.
#[must_use]
pub fn of_product() -> Value {
    let metadata = cargo(&["metadata", "--format-version", "1", "--filter-platform", PLATFORM]);
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    let packages: BTreeMap<&str, &Value> =
        all(&metadata["packages"]).iter().map(|it| (text(&it["id"]), it)).collect();
    let nodes: BTreeMap<&str, &Value> =
        all(&metadata["resolve"]["nodes"]).iter().map(|it| (text(&it["id"]), it)).collect();
    let linked = linked(&packages);
    let digests = digests();
    let mut components = Vec::new();
    for package in linked.iter().map(|id| packages[id]) {
        components.push(component(package, &digests));
        components.extend(inside(package));
    }
    components.push(standard_library());
    let depends = linked.iter().map(|id| {
        let on = needed(nodes[id]).filter(|on| linked.contains(on));
        let on = on.map(|on| purl(packages[on])).collect::<BTreeSet<_>>();
        json!({ "ref": purl(packages[id]), "dependsOn": on })
    });
    let version =
        text(&packages[linked.iter().find(|id| is_program(packages[*id])).unwrap()]["version"]);
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": { "component": { "type": "application", "name": "sluis", "version": version } },
        "components": components,
        "dependencies": depends.collect::<Vec<_>>(),
    })
}

/// Every crate that is linked into the programs or builds them, the programs included: their ids.
fn linked<'a>(packages: &BTreeMap<&'a str, &'a Value>) -> BTreeSet<&'a str> {
    // Of the programs alone: the graph of all metadata has what only tests switch on.
    let trees = PROGRAMS.map(|program| {
        let of = ["tree", "-p", program, "--target", PLATFORM, "--edges", "normal,build"];
        cargo(&[&of[..], &["--prefix", "none", "--format", "{p}"]].concat())
    });
    let named = |line: &str| {
        let mut words = line.split_whitespace();
        Some(format!("{} {}", words.next()?, words.next()?.trim_start_matches('v')))
    };
    let named: BTreeSet<String> =
        trees.iter().flat_map(|tree| tree.lines()).filter_map(named).collect();
    let known =
        |it: &Value| named.contains(&format!("{} {}", text(&it["name"]), text(&it["version"])));
    packages.iter().filter(|(_, it)| known(it)).map(|(id, _)| *id).collect()
}

fn is_program(package: &Value) -> bool {
    PROGRAMS.contains(&text(&package["name"]))
}

/// What a crate needs, apart from what only its tests do.
fn needed(node: &Value) -> impl Iterator<Item = &str> {
    let linked = |it: &&Value| all(&it["dep_kinds"]).iter().any(|kind| kind["kind"] != "dev");
    all(&node["deps"]).iter().filter(linked).map(|it| text(&it["pkg"]))
}

fn component(package: &Value, digests: &BTreeMap<String, String>) -> Value {
    let (name, version) = (text(&package["name"]), text(&package["version"]));
    let mut component = json!({
        "type": "library", "bom-ref": purl(package), "name": name, "version": version,
        "purl": purl(package), "licenses": [{ "expression": package["license"] }],
    });
    if let Some(digest) = digests.get(&format!("{name} {version}")) {
        component["hashes"] = json!([{ "alg": "SHA-256", "content": digest }]);
    }
    // It brings a library of its own along, or names one of the system.
    if let Some(links) = package["links"].as_str() {
        component["properties"] = json!([{ "name": "cargo:links", "value": links }]);
    }
    component
}

/// The C sources that a crate brings along.
fn inside(package: &Value) -> Option<Value> {
    let (_, name, file, words, licence) =
        INSIDE.into_iter().find(|(within, ..)| package["name"] == *within)?;
    let folder = Path::new(text(&package["manifest_path"])).parent().unwrap();
    let header = fs::read_to_string(folder.join(file)).unwrap();
    let line = header.lines().find_map(|line| line.strip_prefix(words)).unwrap();
    let version = line.trim().trim_matches('"');
    Some(json!({
        "type": "library", "bom-ref": format!("pkg:generic/{name}@{version}"), "name": name,
        "version": version, "purl": format!("pkg:generic/{name}@{version}"),
        "licenses": [{ "expression": licence }], "description": format!("inside {}", purl(package)),
    }))
}

fn standard_library() -> Value {
    let output = tool(Command::new("rustc").arg("--version"));
    let told = String::from_utf8(output.stdout).unwrap();
    let version = told.split_whitespace().nth(1).unwrap();
    json!({
        "type": "library", "bom-ref": format!("pkg:generic/rust-std@{version}"),
        "name": "rust-std", "version": version, "purl": format!("pkg:generic/rust-std@{version}"),
        "licenses": [{ "expression": "MIT OR Apache-2.0" }],
        "description": "the standard library of the compiler",
    })
}

fn purl(package: &Value) -> String {
    format!("pkg:cargo/{}@{}", text(&package["name"]), text(&package["version"]))
}

/// The digest of each crate's archive, by name and version.
fn digests() -> BTreeMap<String, String> {
    let lock: toml::Value =
        toml::from_str(&fs::read_to_string(root().join("Cargo.lock")).unwrap()).unwrap();
    let packages = lock["package"].as_array().unwrap().iter();
    let known = packages.filter_map(|it| {
        let text = |key: &str| it.get(key).and_then(toml::Value::as_str);
        Some((format!("{} {}", text("name")?, text("version")?), text("checksum")?.to_owned()))
    });
    known.collect()
}

fn cargo(arguments: &[&str]) -> String {
    let program = std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from);
    let mut command = Command::new(program);
    command.args(arguments).args(["--offline", "--locked"]).current_dir(root());
    let output = tool(&mut command);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn all(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
