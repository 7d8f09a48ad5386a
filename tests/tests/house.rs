//! The rules of the house that a compiler does not hold: who may import whom, and how files begin.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sluis_tests::points::{CODE, code};
use sluis_tests::walk::steered::{LOOKED, STEERED};
use sluis_tests::{root, stderr, stdout, tool};

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
    found
}

fn all_sources() -> Vec<PathBuf> {
    ["core", "config", "daemon", "cli", "tests", "fuzz"]
        .iter()
        .flat_map(|part| sources(&root().join(part)))
        .collect()
}

fn dependencies(package: &str) -> Vec<String> {
    let tree = tool(
        Command::new("cargo")
            .args(["tree", "--offline", "--edges", "normal", "--prefix", "none", "-p", package])
            .current_dir(root()),
    );
    assert!(tree.status.success(), "{}", stderr(&tree));
    stdout(&tree)
        .lines()
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .collect()
}

#[test]
fn core_links_no_runtime_no_socket_and_no_database() {
    let linked = dependencies("sluis-core");
    assert!(linked.contains(&"chacha20poly1305".to_owned()));
    for banned in [
        "tokio",
        "mio",
        "hyper",
        "reqwest",
        "axum",
        "rustls",
        "sqlx",
        "sqlx-core",
        "libsqlite3-sys",
        "socket2",
        "sluis-config",
        "sluis-daemon",
    ] {
        assert!(!linked.contains(&banned.to_owned()), "core links {banned}");
    }
}

#[test]
fn dependencies_point_one_way() {
    assert!(
        !dependencies("sluis-config").iter().any(|name| name == "sluis-daemon" || name == "tokio")
    );
    assert!(!dependencies("sluis-cli").iter().any(|name| name == "sluis-daemon" || name == "sqlx"));
    assert!(
        !dependencies("sluis-daemon").iter().any(|name| name == "sluis-cli"
            || name == "sharks"
            || name == "blahaj"
            || name == "ring")
    );
}

#[test]
fn the_sides_never_name_each_other_and_only_release_calls_a_channel() {
    let daemon = root().join("daemon/src");
    for file in sources(&daemon) {
        let (text, name) = (
            fs::read_to_string(&file).unwrap(),
            file.strip_prefix(&daemon).unwrap().display().to_string(),
        );
        let imports = |what: &str| {
            text.lines().any(|line| !line.trim_start().starts_with("//") && line.contains(what))
        };
        if name.starts_with("agency") {
            assert!(!imports("crate::municipality"), "{name}");
        }
        if name.starts_with("municipality") {
            assert!(!imports("crate::agency"), "{name}");
        }
        if imports("crate::channel") {
            assert!(
                ["agency/release.rs", "app.rs"].contains(&name.as_str()),
                "{name} calls a channel"
            );
        }
        if name.starts_with("medium") || name.starts_with("channel") || name == "desk.rs" {
            assert!(
                !imports("crate::store") && !imports("Signer"),
                "{name}: a gate opens no store and signs nothing"
            );
        }
    }
}

#[test]
fn every_file_says_what_it_is_and_main_is_a_doorbell() {
    for file in all_sources() {
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.starts_with("//!"), "{} does not open with //!", file.display());
        let lines = text.lines().count();
        assert!(lines <= 700, "{} has {lines} lines", file.display());
        if file.ends_with("main.rs") {
            assert!(lines <= 45, "{} is no doorbell: {lines} lines", file.display());
        }
    }
}

/// Whoever reads a crate from the top meets nothing that was not said before.
#[test]
fn a_module_imports_from_those_above_it() {
    for crate_ in ["core", "daemon"] {
        let src = root().join(crate_).join("src");
        let lib = fs::read_to_string(src.join("lib.rs")).unwrap();
        let listed =
            |line: &'_ str| Some(line.strip_prefix("pub mod ")?.strip_suffix(';')?.to_owned());
        let modules: Vec<String> = lib.lines().filter_map(listed).collect();
        assert!(modules.len() > 30, "{modules:?}");
        let place = |name: &str| modules.iter().position(|module| module == name);
        for file in sources(&src) {
            let inside = file.strip_prefix(&src).unwrap().with_extension("");
            let Some(at) = place(inside.iter().next().unwrap().to_str().unwrap()) else { continue };
            if inside.iter().any(|part| part == "tests") {
                continue;
            }
            for named in code(&file).split("crate::").skip(1) {
                let end = named.find(|c: char| !c.is_ascii_lowercase() && c != '_');
                let named = &named[..end.unwrap_or(named.len())];
                let below = place(named);
                assert!(below <= Some(at), "{} imports {named}, which comes later", file.display());
            }
        }
    }
}

/// The examples say of themselves that they explain every key.
#[test]
fn every_key_of_a_configuration_stands_in_an_example() {
    let examples: String = ["agency", "municipality", "dropzone"]
        .iter()
        .map(|host| {
            fs::read_to_string(root().join(format!("config/examples/{host}.toml"))).unwrap()
        })
        .collect();
    let schema = fs::read_to_string(root().join("config/src/schema.rs")).unwrap();
    // Fields, and no functions.
    let fields =
        schema.lines().filter_map(|line| line.trim().strip_prefix("pub ")?.split_once(": "));
    let fields = fields.map(|(field, _)| field).filter(|field| !field.contains('('));
    let keys: Vec<String> = fields.map(|field| field.replace('_', "-")).collect();
    assert!(keys.len() > 40, "{keys:?}");
    for key in keys {
        let stands = |line: &str| {
            let line = line.trim_start_matches("# ");
            line.strip_prefix(&key).is_some_and(|rest| rest.trim_start().starts_with('='))
                || line.starts_with('[') && line.contains(&key)
        };
        assert!(examples.lines().any(stands), "{key} stands in no example");
    }
}

/// What no role needs is taken from each of them alike.
#[test]
fn every_unit_is_held_down_by_the_same_lines() {
    let held = |unit: &Path| {
        let text = fs::read_to_string(unit).unwrap();
        let from = text.find("# Held down").unwrap_or_else(|| panic!("{}", unit.display()));
        let until = text.find("\n[Install]").unwrap_or(text.len());
        text[from..until].trim_end().to_owned()
    };
    let units = fs::read_dir(root().join("systemd")).unwrap().map(|it| it.unwrap().path());
    let units = units.filter(|it| it.extension().is_some_and(|end| end == "service"));
    let blocks: Vec<String> = units.map(|unit| held(&unit)).collect();
    assert_eq!(blocks.len(), 9);
    // A core gives its sockets to groups beside that, with more lines after these.
    let all = blocks.iter().min_by_key(|block| block.len()).unwrap();
    assert!(blocks.iter().all(|block| block.starts_with(all.as_str())), "{blocks:#?}");
    assert!(all.contains("\nSystemCallFilter=@system-service\n") && all.lines().count() > 25);
}

/// What frees a key is made by its own check alone: no field of it is anybody else's to set, and nothing reads it.
#[test]
fn evidence_is_made_by_its_own_checks_alone() {
    let text = fs::read_to_string(root().join("core/src/evidence.rs")).unwrap();
    let mut proofs = Vec::new();
    for rest in text.split("pub struct ").skip(1) {
        let (name, rest) = rest.split_once(" {\n").unwrap();
        let (fields, _) = rest.split_once("\n}").unwrap();
        if name != "Terms" {
            assert!(!fields.contains("pub"), "{name}: its fields are private\n{fields}");
            proofs.push(name);
        }
    }
    assert_eq!(proofs, ["Verified", "Delivery", "Removal", "Opening"]);
    for way in ["Deserialize", "Default", "impl From"] {
        assert!(!text.contains(way), "{way}: evidence that nobody verified");
    }
}

/// Whatever a verb of a core reads from its socket is given to the fuzzer too.
#[test]
fn every_word_that_a_core_reads_has_its_reader_in_the_fuzzer() {
    let fuzzed = fs::read_to_string(root().join("fuzz/src/wire.rs")).unwrap();
    let mut read = BTreeSet::new();
    for file in sources(&root().join("daemon/src")) {
        for rest in code(&file).split("): Json<").skip(1) {
            read.insert(rest.split('>').next().unwrap().to_owned());
        }
    }
    assert!(read.len() > 20, "{read:?}");
    read.retain(|word| !fuzzed.contains(&format!("again::<said::{word}>")));
    assert!(read.is_empty(), "fuzz/src/wire.rs, control, has no reader of {read:?}");
}

#[test]
fn nothing_is_executed_by_a_role() {
    for file in sources(&root().join("daemon/src")) {
        let text = fs::read_to_string(&file).unwrap();
        for word in ["process::Command", "Command::new", "libc::", "unsafe "] {
            assert!(!text.contains(word), "{} has {word}", file.display());
        }
    }
}

/// Opening to write, and every call that changes a disk.
const CHANGES_A_DISK: [&str; 27] = [
    "OpenOptions::new().write",
    ".append(true)",
    "File::create",
    "File::options",
    "DirBuilder",
    "fs::write",
    "fs::rename",
    "fs::copy",
    "fs::hard_link",
    "fs::remove_",
    "fs::create_dir",
    "fs::set_permissions",
    ".set_permissions(",
    "lchown",
    "chown(",
    "symlink(",
    "renameat",
    "unlinkat",
    "mkdirat",
    "linkat",
    "ftruncate",
    "sync_all",
    "sync_data",
    "set_len",
    "set_modified",
    "fsync",
    "Mode::from",
];

/// Fault points come from the code: whoever adds a durable step, or something that leaves, goes through one.
#[test]
fn every_durable_step_and_all_that_leaves_passes_a_point() {
    let daemon = root().join("daemon/src");
    let mut steps = 0;
    for file in sources(&daemon) {
        let name = file.strip_prefix(&daemon).unwrap().display().to_string();
        if name.ends_with("tests.rs") || name.contains("/tests/") || name.starts_with("faults") {
            continue;
        }
        let text = code(&file);
        for banned in CHANGES_A_DISK.iter().filter(|_| name != "durable.rs") {
            assert!(!text.contains(banned), "{name}: {banned} belongs into durable.rs");
        }
        // The one transaction that is no `Tx` is sqlx's own, inside it.
        let sqlx = text.matches("self.tx.commit()").count();
        assert_eq!(sqlx, usize::from(name == "store.rs"), "{name} commits beside Tx::commit");
        for line in text.lines().filter(|line| line.contains(".send()")) {
            // A provider's request is made by `release::hand_over`, which has the point; all of the gates' go through `Way::send`, which has it too.
            let covered =
                line.contains("leaving(") || ["channel/http.rs", "way.rs"].contains(&name.as_str());
            assert!(covered, "{name}: what leaves goes through faults::leaving: {line}");
        }
        steps += text.matches("durable::").count();
    }
    assert!(steps > 30, "{steps} durable steps were found");
}

/// The walk over all points takes minutes; that a line it names was written otherwise is said here, in a moment.
#[test]
fn every_step_that_the_walk_names_is_in_the_code() {
    for steered in &STEERED {
        let by = steered.by.iter().map(|(_, step)| step);
        by.chain(steered.to).chain([&LOOKED]).for_each(|step| drop(CODE.point(step)));
    }
}

#[test]
fn no_durable_step_is_without_a_point() {
    let daemon = root().join("daemon/src");
    let every = code(&daemon.join("durable.rs"));
    let changes = [
        "fs::rename(",
        "fs::remove_file(",
        "fs::remove_dir(",
        "fs::remove_dir_all(",
        ".create(path)",
        "fs::set_permissions(",
        "lchown(",
        ".sync_all()",
        ".set_len(",
        ".set_modified(",
        ".write(bytes)",
        "renameat_with(",
    ];
    for change in changes {
        for (at, _) in every.match_indices(change) {
            let before = &every[..at];
            let function = &before[before.rfind("fn ").unwrap()..];
            assert!(
                function.contains("point(") || function.contains("at(self.line"),
                "{change} without a point"
            );
        }
    }
}

#[test]
fn the_product_has_no_fault_points() {
    let manifest = fs::read_to_string(root().join("daemon/Cargo.toml")).unwrap();
    assert!(manifest.contains("\nfaults = []\n") && !manifest.contains("default ="));
    let program = fs::read(sluis_tests::binary("sluisd")).unwrap();
    let has = |bytes: &[u8], what: &[u8]| bytes.windows(what.len()).any(|it| it == what);
    assert!(!has(&program, b"SLUIS_FAULTS"), "sluisd can be made to fail");
}

/// What a script is told by, it can look up.
#[test]
fn every_code_of_the_program_stands_in_the_manual() {
    let manual = fs::read_to_string(root().join("docs/operations.md")).unwrap();
    let (_, table) = manual.split_once("What `sluis` itself refuses").unwrap();
    let mut codes = Vec::new();
    for file in sources(&root().join("cli/src")) {
        let text = fs::read_to_string(&file).unwrap();
        for made in ["Failure::coded(", "Failure::new(exit::", "Self::new(exit::", "Failure::new("]
        {
            for rest in text.split(made).skip(1) {
                let code = rest.trim_start_matches(|c: char| c != '"' && c != ')');
                codes.extend(
                    code.strip_prefix('"').and_then(|it| it.split('"').next()).map(str::to_owned),
                );
            }
        }
    }
    codes.retain(|code| {
        !code.is_empty() && code.chars().all(|c| c.is_ascii_lowercase() || c == '-')
    });
    codes.sort();
    codes.dedup();
    assert!(codes.len() > 25, "{codes:?}");
    // Said to nobody: what was read is on standard output.
    for code in codes.iter().filter(|it| !["unread", "said"].contains(&it.as_str())) {
        assert!(table.contains(&format!("`{code}`")), "{code} is not in docs/operations.md");
    }
}
