//! A world whose roles fail where a test asks for it, and the service manager that starts them again.
//!
//! It runs `sluisd-faults`: each role writes down every point that it passes, and takes the faults that it is asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sluis_core::message::Reference;

use crate::walk::Beside;
use crate::world::{Plan, ROLES, line_in, somewhere};
use crate::{PATIENCE, World, binary};

/// A fault: where, at which passing since it was asked for, and what comes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// As `agency/claim.rs:112 rename`.
    pub point: String,
    /// Counts from 1.
    pub nth: usize,
    /// `kill`, `EIO`, `ENOSPC`, `delay` or `hold`.
    pub kind: &'static str,
}

/// The world, tended.
#[derive(Debug)]
pub struct Tended {
    /// The hosts.
    pub world: World,
    /// The roles that are to run.
    pub roles: Vec<&'static str>,
    /// How far the passed points of each role were read.
    read: BTreeMap<&'static str, usize>,
    /// How often the disk refused each role to remove something, as far as is known.
    refused: BTreeMap<&'static str, usize>,
    /// How many faults were asked for.
    asked: usize,
    /// How often a role was started again.
    pub started: usize,
    /// What was offered and may not be lost while this stands.
    pub guarded: Option<Vec<u8>>,
    /// The ledgers as they were last seen.
    ledgers: BTreeMap<&'static str, Vec<String>>,
    /// By how many days the clock of a role is ahead.
    ahead: BTreeMap<&'static str, i32>,
    /// Whether an older store was put back: then one party alone has all that was said.
    pub is_older: bool,
    /// What stands beside the hosts, if anything.
    pub beside: Option<Arc<Beside>>,
}

impl Tended {
    /// All six roles, running.
    #[must_use]
    pub fn running() -> Self {
        let mut tended = Self::over(World::make(&Plan::default()), &ROLES.map(|(role, _)| role));
        tended.start();
        tended
    }

    /// These roles, to be started.
    #[must_use]
    pub fn over(world: World, roles: &[&'static str]) -> Self {
        let tended = Self {
            world,
            roles: roles.to_vec(),
            read: BTreeMap::new(),
            refused: BTreeMap::new(),
            asked: 0,
            started: 0,
            guarded: None,
            ledgers: BTreeMap::new(),
            ahead: BTreeMap::new(),
            is_older: false,
            beside: None,
        };
        for role in roles {
            fs::create_dir_all(tended.folder(role).join("ask")).unwrap();
        }
        tended
    }

    /// Starts all roles, again where one fails at its start, until persons and gates are answered.
    pub fn start(&mut self) {
        for role in self.roles.clone() {
            let command = self.command(role);
            self.world.launch(role, command);
        }
        self.until("both cores to answer", |world| {
            rows(world, "agency").and(rows(world, "municipality")).map(drop)
        });
    }

    fn folder(&self, role: &str) -> PathBuf {
        self.world.path("faults").join(role)
    }

    fn command(&self, role: &str) -> Command {
        let mut command = Command::new(binary("sluisd-faults"));
        command.args(self.world.command(role).get_args()).env("SLUIS_FAULTS", self.folder(role));
        if let Some(days) = self.ahead.get(role) {
            crate::world::ahead(&mut command, &format!("{days:+}d"));
        }
        command
    }

    /// Asks a role for a fault.
    pub fn ask(&mut self, role: &str, fault: &Fault) {
        self.asked += 1;
        let point = fault.point.replace('/', "%");
        let name = format!("{:06}\t{}\t{}\t{point}", self.asked, fault.nth, fault.kind);
        fs::write(self.folder(role).join("ask").join(name), "").unwrap();
    }

    /// Where a role says that it is held.
    #[must_use]
    pub fn held(&self, role: &str) -> PathBuf {
        self.folder(role).join("held")
    }

    /// Takes back what was asked of a role and has not come: each point, and what was to come there.
    pub fn not_come(&self, role: &str) -> Vec<(String, String)> {
        let asked = fs::read_dir(self.folder(role).join("ask")).unwrap().flatten();
        let left = asked.filter(|it| fs::remove_file(it.path()).is_ok());
        let named = |name: OsString| {
            let name = name.to_string_lossy().replace('%', "/");
            let mut fields = name.split('\t').skip(2);
            let kind = fields.next().unwrap_or_default().to_owned();
            (fields.next().unwrap_or_default().to_owned(), kind)
        };
        left.map(|it| named(it.file_name())).collect()
    }

    /// Starts a role again with its clock so many days further ahead, or back.
    pub fn jump(&mut self, role: &'static str, days: i32) {
        *self.ahead.entry(role).or_default() += days;
        self.restart(role);
    }

    /// Ends a role until it is to run again.
    pub fn rest(&mut self, role: &'static str) {
        self.roles.retain(|it| *it != role);
        if !self.world.ended(role) {
            self.world.stop(role);
        }
    }

    /// It runs again.
    pub fn wake(&mut self, role: &'static str) {
        self.roles.push(role);
        let command = self.command(role);
        self.world.launch(role, command);
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

    /// Whether the disk refused a role to remove something since the last call.
    pub fn could_not_remove(&mut self, role: &'static str) -> bool {
        let text = fs::read_to_string(self.folder(role).join("passed")).unwrap_or_default();
        let came = text.lines().filter_map(|line| line.split_once('\t'));
        let error = |kind: &str| ["EIO", "ENOSPC"].contains(&kind);
        let is_clearing = |point: &str| point.contains(" rename") || point.contains(" remove");
        let now = came.filter(|(point, kind)| is_clearing(point) && error(kind)).count();
        self.refused.insert(role, now).unwrap_or_default() < now
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
        for role in self.roles.clone() {
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
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Puts a list into the outbox, again where the disk did not take it; the code of the transfer that it becomes.
    pub fn offer(&mut self, name: &str, content: &[u8]) -> String {
        let known = self.until("the list of transfers", |world| codes(world, "agency"));
        self.world.put(OsStr::new(name), content);
        self.guarded = Some(content.to_vec());
        let (mut told, mut moved) = (BTreeSet::new(), None);
        self.until(&format!("{name} to be taken"), |world| {
            let there = world.outbox().join(name).exists();
            let status = world.outbox().join(format!("STATUS-{name}.txt"));
            let text = fs::read_to_string(&status).unwrap_or_default();
            let told_at = fs::metadata(&status).and_then(|meta| meta.modified()).ok();
            if there && text.starts_with("REFUSED") && told.insert(told_at) {
                world.put(OsStr::new(name), content);
                moved = Some(Instant::now());
            }
            moved_in_again(&world.outbox().join(name), &mut moved);
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

    /// A ledger that an older one is put in the place of is not held against what it was.
    pub fn forget_ledger(&mut self, host: &str) {
        self.is_older = true;
        self.ledgers.remove(host);
    }

    /// The ledger of a host, line by line, as it was last seen.
    #[must_use]
    pub fn ledger(&self, host: &str) -> &[String] {
        self.ledgers.get(host).map_or(&[], Vec::as_slice)
    }

    /// The ledger of a host is the one that it was, and more.
    pub fn ledger_grew(&mut self, host: &'static str) {
        let before = self.ledgers.remove(host).unwrap_or_default();
        // The last line that was known comes again first: what was is still there.
        let from = before.len().saturating_sub(1);
        let mut now = before[..from].to_vec();
        loop {
            let verb = format!("ledger?after={}", now.len());
            let more = self.until("the ledger", |world| says(world, host, &verb, None));
            let more: Vec<String> = serde_json::from_value(more).unwrap();
            if more.is_empty() {
                break;
            }
            now.extend(more);
        }
        assert!(now.starts_with(&before), "the ledger of the {host} was rewritten");
        self.ledgers.insert(host, now);
    }
}

/// What went back to the outbox before a kill may be told that it is refused, as it lies there: its owner moves it in
/// again, and once more where that was not heard either.
pub fn moved_in_again(there: &Path, last: &mut Option<Instant>) {
    let name = there.file_name().unwrap().to_string_lossy().into_owned();
    let status = there.with_file_name(format!("STATUS-{name}.txt"));
    let text = fs::read_to_string(status).unwrap_or_default();
    let waited = last.is_none_or(|last| last.elapsed() > Duration::from_secs(3));
    if there.exists() && text.starts_with("REFUSED") && waited {
        let aside = there.with_file_name(".aside");
        let _ = fs::rename(there, &aside).and_then(|()| fs::rename(&aside, there));
        *last = Some(Instant::now());
    }
}

/// What a core answers a person on this verb, if it is there and does not refuse.
///
/// Said over its socket, without `sluis` in between: a walk asks thousands of times.
#[must_use]
pub fn says(world: &World, host: &str, verb: &str, body: Option<Value>) -> Option<Value> {
    let core = if host == "agency" { "sealer" } else { "keeper" };
    let mut socket = UnixStream::connect(world.socket(core)).ok()?;
    socket.set_read_timeout(Some(Duration::from_secs(30))).ok()?;
    let method = if body.is_some() { "POST" } else { "GET" };
    let body = body.map(|body| body.to_string()).unwrap_or_default();
    let kind = "host: core\r\nconnection: close\r\ncontent-type: application/json";
    let head = format!("{method} /{verb} HTTP/1.1\r\n{kind}\r\ncontent-length: {}", body.len());
    socket.write_all(format!("{head}\r\n\r\n{body}").as_bytes()).ok()?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    head.starts_with("HTTP/1.1 200").then(|| serde_json::from_str(body).ok())?
}

/// The transfers that a host knows.
#[must_use]
pub fn rows(world: &World, host: &str) -> Option<Vec<Value>> {
    says(world, host, "list", None)?.as_array().cloned()
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

/// All that a host shows of a transfer.
#[must_use]
pub fn detail(world: &World, host: &str, code: &str) -> Option<Value> {
    says(world, host, "show", Some(json!({ "code": code })))
}

/// The entries of a transfer in a host's ledger: the kind, and of a statement its own.
#[must_use]
pub fn entries(world: &World, host: &str, code: &str) -> Option<Vec<String>> {
    let detail = detail(world, host, code)?;
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

/// The lines of a transfer in the telephones, by telephone. A message that came again says the same; how often it may,
/// the ledger says.
#[must_use]
pub fn lines(world: &World, code: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for phone in fs::read_dir(world.path("phones")).into_iter().flatten().flatten() {
        for message in fs::read_dir(phone.path()).into_iter().flatten().flatten() {
            let whole = message.path().extension().is_some_and(|end| end == "txt");
            let Ok(text) = fs::read_to_string(message.path()) else { continue };
            if whole && text.contains(code) {
                let phone = phone.file_name().to_string_lossy().into_owned();
                let line = line_in(&text);
                let before = found.insert(phone, line.clone());
                assert!(before.is_none_or(|it| it == line), "{code}: two lines at one telephone");
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
            || name.starts_with(".send-")
            || name == "opening"
            || name == "verified"
            || name.strip_prefix('.').is_some_and(|it| it.parse::<Reference>().is_ok())
        {
            found.push(entry.path());
        } else if entry.path().is_dir() {
            found.extend(half_made(&entry.path()));
        }
    }
    found
}
