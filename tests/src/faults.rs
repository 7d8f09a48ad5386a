//! A world whose roles fail where a test asks for it, and the service manager that starts them again.
//!
//! It runs `sluisd-faults`: each role writes down every point that it passes, and takes one fault at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use serde_json::Value;

use crate::world::{Plan, ROLES, line_in, somewhere};
use crate::{PATIENCE, World, binary};

/// A fault: where, at which passing since it was asked for, and what comes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// As `agency/claim.rs:112 rename`.
    pub point: String,
    /// Counts from 1.
    pub nth: usize,
    /// `kill`, `EIO`, `ENOSPC` or `delay`.
    pub kind: &'static str,
}

/// The world, tended.
#[derive(Debug)]
pub struct Tended {
    /// The hosts.
    pub world: World,
    /// How far the passed points of each role were read.
    read: BTreeMap<&'static str, usize>,
    /// How often a role was started again.
    pub started: usize,
    /// What was offered and may not be lost while this stands.
    pub guarded: Option<Vec<u8>>,
    /// The ledgers as they were last seen.
    ledgers: BTreeMap<&'static str, String>,
}

impl Tended {
    /// All six roles, running.
    #[must_use]
    pub fn running() -> Self {
        let world = World::make(&Plan::default());
        let mut tended = Self {
            world,
            read: BTreeMap::new(),
            started: 0,
            guarded: None,
            ledgers: BTreeMap::new(),
        };
        for (role, _) in ROLES {
            fs::create_dir_all(tended.folder(role)).unwrap();
            let command = tended.command(role);
            tended.world.start_as(role, command);
        }
        tended
    }

    fn folder(&self, role: &str) -> PathBuf {
        self.world.path("faults").join(role)
    }

    fn command(&self, role: &str) -> Command {
        let mut command = Command::new(binary("sluisd-faults"));
        command.args(self.world.command(role).get_args()).env("SLUIS_FAULTS", self.folder(role));
        command
    }

    /// Asks a role for a fault.
    pub fn ask(&self, role: &str, fault: &Fault) {
        let (part, ask) = (self.folder(role).join("next"), self.folder(role).join("ask"));
        fs::write(&part, format!("{}\t{}\t{}", fault.point, fault.nth, fault.kind)).unwrap();
        fs::rename(part, ask).unwrap();
    }

    /// Takes back what was asked for; `true` where it has come.
    pub fn came(&self, role: &str) -> bool {
        fs::remove_file(self.folder(role).join("ask")).is_err()
    }

    /// The points that a role passed since the last call.
    pub fn passed(&mut self, role: &'static str) -> Vec<String> {
        let text = fs::read_to_string(self.folder(role).join("passed")).unwrap_or_default();
        let read = self.read.insert(role, text.len()).unwrap_or_default();
        text[read..].lines().filter(|line| !line.contains('\t')).map(str::to_owned).collect()
    }

    /// How often a role passed points that end like this, ever.
    #[must_use]
    pub fn passings(&self, role: &str, like: impl Fn(&str) -> bool) -> usize {
        let text = fs::read_to_string(self.folder(role).join("passed")).unwrap_or_default();
        text.lines().filter(|line| !line.contains('\t') && like(line)).count()
    }

    /// Ends a role in order and starts it again, as an operator does.
    pub fn restart(&mut self, role: &'static str) {
        if !self.world.ended(role) {
            self.world.stop(role);
        }
        let command = self.command(role);
        self.world.launch(role, command);
    }

    /// Starts whatever has ended again. While something is guarded, it is there whenever a role is not.
    pub fn tend(&mut self) {
        for (role, _) in ROLES {
            if self.world.ended(role) {
                if let Some(content) = &self.guarded {
                    let folders = ["agency/outbox", "agency/private", "municipality/vault"];
                    // Another role may move it while this looks.
                    let there = |_| {
                        folders
                            .iter()
                            .any(|at| !somewhere(&self.world.path(at), content).is_empty())
                    };
                    assert!((0..5).any(there), "the list is nowhere while {role} is down");
                }
                self.started += 1;
                let command = self.command(role);
                self.world.launch(role, command);
            }
        }
    }

    /// Waits until `look` finds something, and starts again whatever ends meanwhile.
    pub fn until<T>(&mut self, what: &str, mut look: impl FnMut(&World) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            self.tend();
            if let Some(found) = look(&self.world) {
                return found;
            }
            assert!(Instant::now() < deadline, "{what} did not come within {PATIENCE:?}");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }

    /// Puts a list into the outbox, again where the disk did not take it; the code of the transfer that it becomes.
    pub fn offer(&mut self, name: &str, content: &[u8]) -> String {
        let known = self.until("the list of transfers", |world| codes(world, "agency"));
        self.world.put(OsStr::new(name), content);
        self.guarded = Some(content.to_vec());
        let mut told = BTreeSet::new();
        self.until(&format!("{name} to be taken"), |world| {
            let there = world.outbox().join(name).exists();
            let status = world.outbox().join(format!("STATUS-{name}.txt"));
            let text = fs::read_to_string(&status).unwrap_or_default();
            if there
                && text.starts_with("REFUSED")
                && told.insert(fs::metadata(&status).unwrap().modified().unwrap())
            {
                world.put(OsStr::new(name), content);
            }
            let rows = rows(world, "agency")?;
            let taken = |row: &&Value| {
                row["state"] != "Refused"
                    && !known.contains(row["code"].as_str().unwrap_or_default())
            };
            rows.iter().find(taken).and_then(|row| row["code"].as_str()).map(str::to_owned)
        })
    }

    /// Waits for one of these states of a transfer.
    pub fn reaches(&mut self, host: &str, code: &str, states: &[&str]) -> String {
        self.until(&format!("{code} to be one of {states:?} at the {host}"), |world| {
            state(world, host, code).filter(|state| states.contains(&state.as_str()))
        })
    }

    /// Does this until it has the state that it is to have.
    pub fn does(&mut self, host: &str, code: &str, wanted: &str, mut act: impl FnMut(&World)) {
        self.until(&format!("{code} to be {wanted} at the {host}"), |world| {
            let there = state(world, host, code)? == wanted;
            if !there {
                act(world);
            }
            there.then_some(())
        });
    }

    /// The ledger of a host is the one that it was, and more; and its chain holds.
    pub fn ledger_grew(&mut self, host: &'static str) {
        let now = self.until("the ledger", |world| {
            let verified = world.cli(host, &["ledger", "verify"]);
            let export = world.cli(host, &["ledger", "export"]);
            let held = verified.status.success() && export.status.success();
            held.then(|| String::from_utf8(export.stdout).unwrap())
        });
        let before = self.ledgers.insert(host, now.clone()).unwrap_or_default();
        assert!(now.starts_with(&before), "the ledger of the {host} was rewritten");
    }
}

/// What `sluis` answers as JSON, if the core is there.
#[must_use]
pub fn json(world: &World, host: &str, arguments: &[&str]) -> Option<Value> {
    let all: Vec<&str> = ["--json"].iter().chain(arguments).copied().collect();
    let output = world.cli(host, &all);
    output.status.success().then(|| serde_json::from_slice(&output.stdout).unwrap())
}

/// The transfers that a host knows.
#[must_use]
pub fn rows(world: &World, host: &str) -> Option<Vec<Value>> {
    json(world, host, &["list"])?.as_array().cloned()
}

fn codes(world: &World, host: &str) -> Option<BTreeSet<String>> {
    let rows = rows(world, host)?;
    Some(rows.iter().filter_map(|row| row["code"].as_str().map(str::to_owned)).collect())
}

/// The state of a transfer at a host.
#[must_use]
pub fn state(world: &World, host: &str, code: &str) -> Option<String> {
    let rows = rows(world, host)?;
    let row = rows.iter().find(|row| row["code"] == code)?;
    row["state"].as_str().map(str::to_owned)
}

/// The entries of a transfer in a host's ledger: the kind, and of a statement its own.
#[must_use]
pub fn entries(world: &World, host: &str, code: &str) -> Option<Vec<String>> {
    let detail = json(world, host, &["show", code])?;
    let name = |entry: &Value| {
        let kind = entry["kind"].as_str().unwrap_or_default();
        match entry["detail"]["kind"].as_str() {
            Some(said) if kind == "statement" || kind == "heard" => format!("said {said}"),
            Some(said) => format!("said {said}"),
            None => kind.to_owned(),
        }
    };
    Some(detail["timeline"].as_array()?.iter().map(name).collect())
}

/// The lines of a transfer in the telephones, by telephone.
#[must_use]
pub fn lines(world: &World, code: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for phone in fs::read_dir(world.path("phones")).into_iter().flatten().flatten() {
        for message in fs::read_dir(phone.path()).into_iter().flatten().flatten() {
            let whole = message.path().extension().is_some_and(|end| end == "txt");
            let Ok(text) = fs::read_to_string(message.path()) else { continue };
            if whole && text.contains(code) {
                let phone = phone.file_name().to_string_lossy().into_owned();
                assert_eq!(
                    found.insert(phone, line_in(&text)),
                    None,
                    "{code}: two messages at one telephone"
                );
            }
        }
    }
    found
}

/// Names of things that are only made: nothing of the kind stays.
#[must_use]
pub fn half_made(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".part")
            || name.starts_with(".aside-")
            || name == "opening"
            || name == "verified"
        {
            found.push(entry.path());
        } else if entry.path().is_dir() {
            found.extend(half_made(&entry.path()));
        }
    }
    found
}
