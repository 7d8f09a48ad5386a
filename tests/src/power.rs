//! A power cut, on paper: what a disk may hold after one, worked out from what a role asked of the kernel.
//!
//! kill -9 leaves the page cache alone, so it says nothing about fsync. Here each role runs under strace; its writes,
//! renames and syncs become a [`Trace`], and [`Trace::after`] builds the folder as a cut at one moment could leave it:
//! what was synced is there, of the rest a seed decides, each write and each change of a folder for itself. That is more
//! than a journalling file system would lose.

pub mod again;

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// System calls that change a disk, or say where the next one does.
const CALLS: &str = "openat,open,creat,write,pwrite64,writev,pwritev,fsync,fdatasync,rename,renameat,renameat2,unlink,\
    unlinkat,mkdir,mkdirat,rmdir,ftruncate,truncate,fallocate,link,linkat,symlink,lseek,close,copy_file_range,sendfile,\
    splice,fcntl,dup,dup2,dup3,chmod,fchmod,fchmodat,?fchmodat2";

/// The same command, watched: its child is the program itself.
#[must_use]
pub fn watched(command: &Command, log: &Path) -> Command {
    let mut strace = Command::new("strace");
    strace.args(["-D", "-f", "-ttt", "-y", "-xx", "-s", "67108864", "-e", "signal=none"]);
    strace.arg("-e").arg(format!("trace={CALLS}")).arg("-o").arg(log).arg("--");
    strace.arg(command.get_program()).args(command.get_args());
    strace
}

type Node = usize;

#[derive(Debug)]
enum What {
    /// A change of folders, in one step: names that appear and names that go.
    Names { added: Vec<(Node, String, Node)>, gone: Vec<(Node, String, Node)> },
    /// Bytes in a file.
    Bytes { file: Node, at: usize, data: Vec<u8> },
    /// Its length.
    Length { file: Node, length: usize },
    /// Who may read it.
    Mode { node: Node, mode: u32 },
}

#[derive(Debug)]
struct Op {
    at: f64,
    /// When it was surely on the disk.
    synced: Option<f64>,
    what: What,
}

/// All that happened to a folder.
#[derive(Debug)]
pub struct Trace {
    base: PathBuf,
    ops: Vec<Op>,
    /// The folders as they are now, by node; a file has none.
    live: HashMap<Node, BTreeMap<String, Node>>,
    length: HashMap<Node, usize>,
    /// With which modes they were made.
    made: HashMap<Node, u32>,
    nodes: Node,
}

/// What a cut left, by node.
struct Left<'a> {
    folders: HashMap<Node, BTreeMap<&'a str, Node>>,
    files: HashMap<Node, Vec<u8>>,
    modes: HashMap<Node, u32>,
}

/// What the seed decides about things that were not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// All of it is there: a kill, no cut.
    Nothing,
    /// None of it is.
    All,
    /// This seed decides about each.
    Some(u64),
}

const ROOT: Node = 0;

impl Trace {
    /// The folder as it is before anything is watched: all of it counts as synced.
    #[must_use]
    pub fn of(base: &Path) -> Self {
        let mut trace = Self {
            base: base.to_owned(),
            ops: Vec::new(),
            live: HashMap::from([(ROOT, BTreeMap::new())]),
            length: HashMap::new(),
            made: HashMap::new(),
            nodes: 1,
        };
        trace.import(base, ROOT);
        trace.ops.iter_mut().for_each(|op| op.synced = Some(0.0));
        trace
    }

    fn import(&mut self, path: &Path, node: Node) {
        for entry in fs::read_dir(path).unwrap().flatten() {
            let kind = entry.file_type().unwrap();
            let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
            let name = entry.file_name().into_string().unwrap();
            if kind.is_dir() {
                let made = self.make(0.0, (node, name), true, mode);
                self.import(&entry.path(), made);
            } else if kind.is_file() {
                let made = self.make(0.0, (node, name), false, mode);
                self.write(0.0, made, 0, &fs::read(entry.path()).unwrap());
            }
        }
    }

    /// A file whose bytes nobody synced yet, though its name is there: as `cp` leaves it.
    pub fn unsynced(&mut self, path: &Path) {
        let node = self.node(path.to_str().unwrap()).unwrap();
        for op in &mut self.ops {
            if matches!(&op.what, What::Bytes { file, .. } if *file == node) {
                op.synced = None;
            }
        }
    }

    /// Takes in what a role did, from its log; several logs in the order of their times.
    pub fn watch(&mut self, logs: &[PathBuf]) {
        let mut lines: Vec<(f64, usize, String)> = Vec::new();
        for (role, log) in logs.iter().enumerate() {
            lines.extend(
                joined(&fs::read_to_string(log).unwrap()).map(|(at, text)| (at, role, text)),
            );
        }
        lines.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut places = HashMap::new();
        for (at, role, line) in lines {
            if let Some(call) = Call::read(at, role, &line) {
                self.take(&call, &mut places);
            }
        }
    }

    /// The moments at which something happened, and just before each.
    #[must_use]
    pub fn moments(&self) -> Vec<f64> {
        let mut moments: Vec<f64> =
            self.ops.iter().flat_map(|op| [Some(op.at), op.synced]).flatten().collect();
        moments.retain(|at| *at > 0.0);
        moments.sort_by(f64::total_cmp);
        moments.dedup();
        moments
    }

    /// What a cut at this moment leaves of all that was asked until then, one after the other.
    #[must_use]
    pub fn left(&self, at: f64, cut: Cut) -> Vec<bool> {
        let mut seed = match cut {
            Cut::Some(seed) => seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
            _ => 1,
        };
        let mut coin = || {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed % 2 == 0
        };
        let until = self.ops.iter().filter(|op| op.at <= at);
        let is_left = |op: &Op| {
            op.synced.is_some_and(|synced| synced <= at)
                || match cut {
                    Cut::Nothing => true,
                    Cut::All => false,
                    Cut::Some(_) => coin(),
                }
        };
        until.map(is_left).collect()
    }

    /// Builds the folder as a cut at this moment leaves it.
    pub fn after(&self, at: f64, cut: Cut, to: &Path) {
        let mut folders: HashMap<Node, BTreeMap<&str, Node>> = HashMap::new();
        let mut files: HashMap<Node, Vec<u8>> = HashMap::new();
        let mut modes = self.made.clone();
        let until = self.ops.iter().filter(|op| op.at <= at);
        for (op, _) in until.zip(self.left(at, cut)).filter(|(_, is_left)| *is_left) {
            match &op.what {
                What::Names { added, gone } => {
                    for (folder, name, node) in gone {
                        let entries = folders.entry(*folder).or_default();
                        if entries.get(name.as_str()) == Some(node) {
                            entries.remove(name.as_str());
                        }
                    }
                    for (folder, name, node) in added {
                        folders.entry(*folder).or_default().insert(name, *node);
                    }
                }
                What::Bytes { file, at, data } => {
                    let bytes = files.entry(*file).or_default();
                    if bytes.len() < *at {
                        bytes.resize(*at, 0);
                    }
                    let (over, behind) = data.split_at(data.len().min(bytes.len() - at));
                    bytes[*at..at + over.len()].copy_from_slice(over);
                    bytes.extend_from_slice(behind);
                }
                What::Length { file, length } => files.entry(*file).or_default().resize(*length, 0),
                What::Mode { node, mode } => drop(modes.insert(*node, *mode)),
            }
        }
        self.build(ROOT, to, &Left { folders, files, modes });
    }

    fn build(&self, node: Node, to: &Path, left: &Left<'_>) {
        let Left { folders, files, modes } = left;
        fs::create_dir_all(to).unwrap();
        for (name, node) in folders.get(&node).into_iter().flatten() {
            let path = to.join(name);
            if self.live.contains_key(node) {
                self.build(*node, &path, left);
            } else {
                fs::write(&path, files.get(node).map_or(&[][..], Vec::as_slice)).unwrap();
            }
            fs::set_permissions(&path, Permissions::from_mode(modes[node])).unwrap();
        }
    }

    fn make(
        &mut self,
        at: f64,
        (folder, name): (Node, String),
        is_folder: bool,
        mode: u32,
    ) -> Node {
        let node = self.nodes;
        self.nodes += 1;
        self.made.insert(node, mode);
        if is_folder {
            self.live.insert(node, BTreeMap::new());
        } else {
            self.length.insert(node, 0);
        }
        self.live.get_mut(&folder).unwrap().insert(name.clone(), node);
        let what = What::Names { added: vec![(folder, name, node)], gone: Vec::new() };
        self.ops.push(Op { at, synced: None, what });
        node
    }

    fn write(&mut self, at: f64, file: Node, start: usize, data: &[u8]) {
        let length = self.length.entry(file).or_default();
        *length = (*length).max(start + data.len());
        // The disk may have taken a part of a write.
        let half = data.len().div_ceil(2).max(1);
        for (part, data) in data.chunks(half).enumerate() {
            let what = What::Bytes { file, at: start + part * half, data: data.to_vec() };
            self.ops.push(Op { at, synced: None, what });
        }
    }

    fn resize(&mut self, at: f64, file: Node, length: usize) {
        self.length.insert(file, length);
        self.ops.push(Op { at, synced: None, what: What::Length { file, length } });
    }

    /// The folder that a path lies in, and its name there; nothing outside the base.
    fn place(&self, path: &str) -> Option<(Node, String)> {
        let inside = Path::new(path).strip_prefix(&self.base).ok()?;
        let name = inside.file_name()?.to_str()?.to_owned();
        let mut folder = ROOT;
        for part in inside.parent()?.components() {
            folder = *self.live.get(&folder)?.get(part.as_os_str().to_str()?)?;
        }
        Some((folder, name))
    }

    fn node(&self, path: &str) -> Option<Node> {
        if Path::new(path) == self.base {
            return Some(ROOT);
        }
        let (folder, name) = self.place(path)?;
        self.live.get(&folder)?.get(&name).copied()
    }

    fn sync(&mut self, at: f64, node: Node) {
        for op in self.ops.iter_mut().filter(|op| op.synced.is_none()) {
            let mine = match &op.what {
                What::Bytes { file: of, .. }
                | What::Length { file: of, .. }
                | What::Mode { node: of, .. } => *of == node,
                // A name is where it came to; one that only went, where it was.
                What::Names { added, gone } if added.is_empty() => {
                    gone.iter().any(|(folder, ..)| *folder == node)
                }
                What::Names { added, .. } => added.iter().any(|(folder, ..)| *folder == node),
            };
            if mine {
                op.synced = Some(at);
            }
        }
    }

    fn take(&mut self, call: &Call, places: &mut Places) {
        match call.name.as_str() {
            "openat" | "open" | "creat" | "fcntl" | "dup" | "dup2" | "dup3" | "lseek" | "close" => {
                self.handle(call, places);
            }
            "write" | "writev" | "pwrite64" | "ftruncate" | "truncate" | "fallocate" | "fsync"
            | "fdatasync" => self.bytes(call, places),
            "chmod" | "fchmod" | "fchmodat" | "fchmodat2" => self.mode(call, places),
            _ => self.names(call),
        }
    }

    /// Where the next write goes.
    fn handle(&mut self, call: &Call, places: &mut Places) {
        match call.name.as_str() {
            "openat" | "open" | "creat" => {
                let named = call.path(usize::from(call.name == "openat"));
                let flags = call.arguments.iter().find(|it| it.contains("O_"));
                let flags = flags.cloned().unwrap_or_default();
                let node = match self.node(&named) {
                    Some(node) => node,
                    None if flags.contains("O_CREAT") => {
                        let Some((folder, name)) = self.place(&named) else { return };
                        self.make(call.at, (folder, name), false, call.mode())
                    }
                    None => return,
                };
                if flags.contains("O_TRUNC") && self.length.get(&node).is_some_and(|it| *it > 0) {
                    self.resize(call.at, node, 0);
                }
                places.insert(call.made(), (node, 0));
            }
            "lseek" => {
                if let Some(place) = places.get_mut(&call.on()) {
                    place.1 = number(&call.answer);
                }
            }
            "close" => drop(places.remove(&call.on())),
            "fcntl" if !call.arguments.iter().any(|it| it.contains("F_DUPFD")) => {}
            _ => {
                if let Some(place) = places.get(&call.on()).copied() {
                    places.insert(call.made(), place);
                }
            }
        }
    }

    /// What is in a file, and what of it is synced.
    fn bytes(&mut self, call: &Call, places: &mut Places) {
        let place = places.get(&call.on()).copied();
        let named = || self.node(&inside(&call.arguments[0]));
        let node = place.map(|place| place.0).or_else(named);
        match (call.name.as_str(), node) {
            ("truncate", _) => {
                if let Some(node) = self.node(&call.path(0)) {
                    self.resize(call.at, node, number(&call.arguments[1]));
                }
            }
            ("write" | "writev", Some(node)) => {
                let start = place.map_or(0, |place| place.1);
                let data = call.data();
                places.insert(call.on(), (node, start + data.len()));
                self.write(call.at, node, start, &data);
            }
            ("pwrite64", Some(node)) => {
                self.write(call.at, node, number(&call.arguments[3]), &call.data());
            }
            ("ftruncate", Some(node)) => self.resize(call.at, node, number(&call.arguments[1])),
            ("fallocate", Some(node)) => {
                let end = number(&call.arguments[2]) + number(&call.arguments[3]);
                let length = self.length.get(&node).copied().unwrap_or_default();
                self.resize(call.at, node, end.max(length));
            }
            ("fsync" | "fdatasync", Some(node)) => self.sync(call.at, node),
            _ => {}
        }
    }

    /// Who may read it.
    fn mode(&mut self, call: &Call, places: &Places) {
        let node = match call.name.as_str() {
            "fchmod" => places.get(&call.on()).map(|place| place.0),
            _ => None,
        };
        let named = match call.name.as_str() {
            "fchmod" => inside(&call.arguments[0]),
            "chmod" => call.path(0),
            _ => call.path(1),
        };
        if let Some(node) = node.or_else(|| self.node(&named)) {
            let what = What::Mode { node, mode: call.mode() };
            self.ops.push(Op { at: call.at, synced: None, what });
        }
    }

    /// What stands in folders.
    fn names(&mut self, call: &Call) {
        let below = |short: &str| usize::from(call.name != short);
        match call.name.as_str() {
            "mkdir" | "mkdirat" => {
                if let Some((folder, name)) = self.place(&call.path(below("mkdir"))) {
                    self.make(call.at, (folder, name), true, call.mode());
                }
            }
            "unlink" | "rmdir" | "unlinkat" => {
                let named = call.path(usize::from(call.name == "unlinkat"));
                if let (Some(node), Some((folder, name))) = (self.node(&named), self.place(&named))
                {
                    self.live.get_mut(&folder).unwrap().remove(&name);
                    let what = What::Names { added: Vec::new(), gone: vec![(folder, name, node)] };
                    self.ops.push(Op { at: call.at, synced: None, what });
                }
            }
            "rename" => self.rename(call.at, &call.path(0), &call.path(1)),
            "renameat" | "renameat2" => self.rename(call.at, &call.path(1), &call.path(3)),
            _ => {
                let touched = call.arguments.iter().any(|it| self.node(&inside(it)).is_some());
                assert!(!touched, "the model does not know: {}", call.name);
            }
        }
    }

    fn rename(&mut self, at: f64, from: &str, to: &str) {
        let (Some(node), Some((old, name))) = (self.node(from), self.place(from)) else {
            // From elsewhere: a drop by somebody who is not watched.
            return;
        };
        let Some((new, other)) = self.place(to) else { return };
        self.live.get_mut(&old).unwrap().remove(&name);
        self.live.get_mut(&new).unwrap().insert(other.clone(), node);
        let what = What::Names { added: vec![(new, other, node)], gone: vec![(old, name, node)] };
        self.ops.push(Op { at, synced: None, what });
    }
}

/// Where each handle of each process writes next.
type Places = HashMap<(usize, String), (Node, usize)>;

/// A call that did something.
struct Call {
    at: f64,
    role: usize,
    name: String,
    arguments: Vec<String>,
    answer: String,
    line: String,
}

impl Call {
    fn read(at: f64, role: usize, line: &str) -> Option<Self> {
        let (name, rest) = line.split_once('(')?;
        let (arguments, answer) = rest.rsplit_once(") = ")?;
        let done = !answer.starts_with(['-', '?']);
        done.then(|| Self {
            at,
            role,
            name: name.to_owned(),
            arguments: split(arguments),
            answer: answer.to_owned(),
            line: line.to_owned(),
        })
    }
    /// A path argument, whole: below the handle before it where it is relative.
    fn path(&self, at: usize) -> String {
        let own = text_of(self.arguments.get(at).map_or("", String::as_str));
        if own.starts_with('/') || at == 0 {
            return own;
        }
        let above = inside(&self.arguments[at - 1]);
        if own.is_empty() { above } else { format!("{above}/{own}") }
    }
    fn handle(&self, text: &str) -> (usize, String) {
        (self.role, text.split('<').next().unwrap_or_default().to_owned())
    }
    fn on(&self) -> (usize, String) {
        self.handle(&self.arguments[0])
    }
    fn made(&self) -> (usize, String) {
        self.handle(&self.answer)
    }
    /// The mode that it asks for: the one argument in octal.
    fn mode(&self) -> u32 {
        let octal = |it: &&String| it.len() > 1 && it.starts_with('0') && !it.starts_with("0x");
        let mode = self.arguments.iter().rev().find(octal);
        u32::from_str_radix(mode.map_or("0", String::as_str), 8).unwrap() & 0o777
    }
    /// What it wrote: all strings in it, as far as the kernel took them.
    fn data(&self) -> Vec<u8> {
        let texts = self.line.split('"').skip(1).step_by(2);
        let mut data: Vec<u8> = texts.flat_map(unhex).collect();
        data.truncate(number(&self.answer));
        data
    }
}

fn number(text: &str) -> usize {
    text.trim().parse().unwrap_or_default()
}

/// Each call with the time at which it was done; a call that another thread interrupted is put together again.
fn joined(text: &str) -> impl Iterator<Item = (f64, String)> {
    let mut begun: HashMap<String, String> = HashMap::new();
    let mut done = Vec::new();
    for line in text.lines() {
        let mut parts = line.splitn(2, ' ');
        let (pid, rest) =
            (parts.next().unwrap().to_owned(), parts.next().unwrap_or_default().trim_start());
        let Some((at, call)) = rest.split_once(' ') else { continue };
        let Ok(at) = at.parse::<f64>() else { continue };
        if let Some(head) = call.strip_suffix("<unfinished ...>") {
            begun.insert(pid, head.trim_end().to_owned());
        } else if let Some(tail) = call.strip_prefix("<... ") {
            let tail = tail.split_once("resumed>").map_or("", |(_, tail)| tail);
            let head = begun.remove(&pid).unwrap_or_default();
            done.push((at, head + tail));
        } else {
            done.push((at, call.to_owned()));
        }
    }
    done.into_iter()
}

/// Arguments at the top level: no comma inside a string or a structure divides.
fn split(text: &str) -> Vec<String> {
    let (mut parts, mut depth, mut quoted) = (vec![String::new()], 0, false);
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            '[' | '{' | '<' if !quoted => depth += 1,
            ']' | '}' | '>' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().unwrap().push(c);
    }
    parts.into_iter().map(|part| part.trim().to_owned()).collect()
}

fn unhex(text: &str) -> impl Iterator<Item = u8> + '_ {
    text.split("\\x").skip(1).filter_map(|byte| u8::from_str_radix(byte.get(..2)?, 16).ok())
}

fn text_of(hex: &str) -> String {
    String::from_utf8_lossy(&unhex(hex).collect::<Vec<_>>()).into_owned()
}

/// The path that a handle is of.
fn inside(argument: &str) -> String {
    let within = argument.split_once('<').map_or("", |(_, rest)| rest);
    text_of(within.split('>').next().unwrap_or_default())
}
