//! The points that the daemon's code has, read from its text: each line that takes a durable step, commits, or lets
//! something leave, with what it does there. A function that is `#[track_caller]` is no line of its own: what it does is
//! done by the line that calls it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use crate::root;

/// What the calls of a tracked function do, by its file and name.
type Tracked = BTreeMap<(String, String), BTreeSet<&'static str>>;

/// Every thing that a point may do.
const DOES: [&str; 17] = [
    "create",
    "cut",
    "mode",
    "stamp",
    "write",
    "sync",
    "sync folder",
    "rename",
    "remove",
    "remove folder",
    "remove all",
    "folder",
    "group",
    "commit",
    "committed",
    "leaves",
    "left",
];

/// The sources of the daemon that are in the product: each name below `daemon/src` with its text, tests and comments
/// blanked, so that lines keep their numbers.
fn product() -> BTreeMap<String, String> {
    let folder = root().join("daemon/src");
    let mut found = Vec::new();
    sources(&folder, &mut found);
    let named = |path: PathBuf| {
        let name = path.strip_prefix(&folder).unwrap().display().to_string();
        let test = name.ends_with("tests.rs") || name.contains("tests/");
        (!test && !name.starts_with("faults")).then(|| (name, code(&path)))
    };
    found.into_iter().filter_map(named).collect()
}

/// The text of a source without its tests and comments: they are blanked, wherever they stand.
///
/// # Panics
/// Where `#[cfg(test)]` stands before anything but a module.
#[must_use]
pub fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    while let Some(from) = lines.iter().position(|line| *line == "#[cfg(test)]") {
        let module = lines[from..].iter().position(|line| !line.starts_with("#["));
        let at = from + module.unwrap_or_default();
        let is_module = ["mod ", "pub(crate) mod "].iter().any(|it| lines[at].starts_with(it));
        assert!(is_module, "{}: only modules are tests: {}", path.display(), lines[at]);
        let inside = lines[at].ends_with('{');
        let end = lines[at..].iter().position(|line| *line == "}").filter(|_| inside);
        lines[from..=at + end.unwrap_or_default()].fill("");
    }
    let is_comment = |line: &str| line.trim_start().starts_with("//");
    let line = |line| if is_comment(line) { "" } else { line };
    let code: Vec<_> = lines.into_iter().map(line).collect();
    assert!(!code.iter().any(|line| line.contains("cfg(test")), "{}", path.display());
    code.join("\n")
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

/// A function: where it begins and ends, and whether it is tracked.
#[derive(Debug)]
struct Function {
    name: String,
    lines: std::ops::Range<usize>,
    tracked: bool,
}

/// The functions of a file, as `rustfmt` sets them.
fn functions(text: &str) -> Vec<Function> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some((before, after)) = line.split_once("fn ") else { continue };
        let words = before.split_whitespace();
        let head = words
            .clone()
            .all(|word| ["pub", "pub(super)", "pub(crate)", "async", "const"].contains(&word));
        let indent = line.len() - line.trim_start().len();
        let name: String = after.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        if !head || name.is_empty() || line.trim_end().ends_with(';') {
            continue;
        }
        let close = format!("{}}}", " ".repeat(indent));
        let end = lines[at..].iter().position(|it| *it == close).map_or(at, |more| at + more);
        let attributes = lines[..at]
            .iter()
            .rev()
            .take_while(|it| it.trim_start().starts_with("#[") || it.trim().is_empty());
        let tracked = attributes.into_iter().any(|it| it.trim() == "#[track_caller]");
        found.push(Function { name, lines: at..end + 1, tracked });
    }
    found
}

/// What is called in a line: what stands before the name, and the name.
fn calls(line: &str) -> Vec<(&str, &str)> {
    let ident = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = Vec::new();
    for (at, _) in line.match_indices('(') {
        let before = line[..at].trim_end_matches("::<Self>");
        let start = before.rfind(|c| !ident(c)).map_or(0, |at| at + 1);
        if start < before.len() {
            found.push((&before[..start], &before[start..]));
        }
    }
    found
}

/// The code, read once.
pub static CODE: LazyLock<Code> = LazyLock::new(Code::read);

/// The daemon's code, and the points that it has.
#[derive(Debug)]
pub struct Code {
    sources: BTreeMap<String, String>,
    functions: BTreeMap<String, Vec<Function>>,
    /// As `agency/claim.rs:112 rename`.
    pub points: BTreeSet<String>,
}

impl Code {
    fn read() -> Self {
        let sources = product();
        let functions =
            sources.iter().map(|(name, text)| (name.clone(), functions(text))).collect();
        let mut code = Self { sources, functions, points: BTreeSet::new() };
        let tracked = code.tracked();
        for (file, text) in code.sources.iter().filter(|(file, _)| *file != "durable.rs") {
            for (at, line) in text.lines().enumerate() {
                let inside = |it: &&Function| it.tracked && it.lines.contains(&at);
                if code.functions[file].iter().find(inside).is_none() {
                    let mut here = what(file, line, &tracked);
                    // A write is named by the line that opened, and not every opener writes: it is known where it is passed.
                    here.remove("write");
                    code.points.extend(here.iter().map(|what| format!("{file}:{} {what}", at + 1)));
                }
            }
        }
        code
    }

    /// What tracked functions do: what calls what is followed until nothing is new.
    fn tracked(&self) -> Tracked {
        let mut tracked = Tracked::new();
        loop {
            let mut next = tracked.clone();
            for (file, text) in &self.sources {
                let lines: Vec<&str> = text.lines().collect();
                for function in self.functions[file].iter().filter(|it| it.tracked) {
                    let does = next.entry((file.clone(), function.name.clone())).or_default();
                    for line in &lines[function.lines.start + 1..function.lines.end] {
                        does.extend(what(file, line, &tracked));
                    }
                }
            }
            if next == tracked {
                return tracked;
            }
            tracked = next;
        }
    }

    /// The places that a reader finds by `FILE FUNCTION `TEXT``, as `agency/claim.rs:112`: the lines of that function
    /// with this in them; with `THIS > THAT`, the first with that after one with this.
    ///
    /// # Panics
    /// Where it is not written like that.
    #[must_use]
    pub fn places(&self, step: &str) -> Vec<String> {
        let (of, text) = step.split_once(" `").expect("FILE FUNCTION `TEXT`");
        let (file, function) = of.split_once(' ').expect("FILE FUNCTION");
        let text = text.split('`').next().unwrap();
        let Some(source) = self.sources.get(file) else { return Vec::new() };
        let lines: Vec<&str> = source.lines().collect();
        let named = self.functions[file].iter().filter(|it| it.name == function);
        let mut within: Vec<usize> = named.flat_map(|it| it.lines.clone()).collect();
        if let Some((before, after)) = text.split_once(" > ") {
            let from = within.iter().position(|at| lines[*at].contains(before));
            within.drain(..from.unwrap_or(within.len()));
            within.retain(|at| lines[*at].contains(after));
            within.truncate(1);
        } else {
            within.retain(|at| lines[*at].contains(text));
        }
        within.into_iter().map(|at| format!("{file}:{}", at + 1)).collect()
    }

    /// The point of a step, `FILE FUNCTION `TEXT` DOES`: lines move, it does not.
    ///
    /// # Panics
    /// Where the code has not exactly one.
    #[must_use]
    pub fn point(&self, step: &str) -> String {
        let does = step.rsplit_once("` ").expect("what it does").1;
        let named = |place: String| format!("{place} {does}");
        let mut found: Vec<_> = self.places(step).into_iter().map(named).collect();
        found.retain(|it| self.points.contains(it));
        assert_eq!(found.len(), 1, "{step} is not one point of the code: {found:?}");
        found.remove(0)
    }

    /// What stands in the line of a point.
    #[must_use]
    pub fn line(&self, point: &str) -> &str {
        let (file, rest) = point.split_once(':').unwrap();
        let number: usize = rest.split(' ').next().unwrap().parse().unwrap();
        self.sources[file].lines().nth(number - 1).unwrap().trim()
    }
}

/// What the same line does where the thing that it removes is a folder and not a file, or the other way round.
#[must_use]
pub fn twin(point: &str) -> Option<String> {
    match point.strip_suffix(" all") {
        Some(file) => Some(file.to_owned()),
        None => point.ends_with(" remove").then(|| format!("{point} all")),
    }
}

/// What the calls in a line do.
fn what(file: &str, line: &str, tracked: &Tracked) -> BTreeSet<&'static str> {
    let of = |file: &str, name: &str| {
        tracked.get(&(file.to_owned(), name.to_owned())).cloned().unwrap_or_default()
    };
    let mut does = BTreeSet::new();
    for (before, name) in calls(line) {
        let module = |name: &str| before.ends_with(name);
        let method = before.ends_with('.');
        does.extend(match name {
            "point" | "at" if !method => named(line),
            "leaving" => BTreeSet::from(["leaves", "left"]),
            "write_all" if method => BTreeSet::from(["write"]),
            "commit" if method && !before.ends_with("self.tx.") => of("store.rs", "commit"),
            "send" if before.ends_with("way.") || before.ends_with("uploads.") => {
                of("way.rs", "send")
            }
            // What a file's mode is changes none.
            "mode" if before.ends_with("permissions().") => BTreeSet::new(),
            "sync" | "cut" | "mode" | "stamp" if method && file != "durable.rs" => {
                of("durable.rs", name)
            }
            _ if module("durable::") => of("durable.rs", name),
            _ if module("files::") => of("files.rs", name),
            _ if module("disk::") => of("medium/server/disk.rs", name),
            _ if module("self.")
                || !(method || before.ends_with(':') || before.ends_with("fn ")) =>
            {
                of(file, name)
            }
            _ => BTreeSet::new(),
        });
    }
    does
}

/// The name that a line gives its point.
fn named(line: &str) -> BTreeSet<&'static str> {
    let name = line.split('"').nth(1);
    DOES.into_iter().filter(|does| name == Some(does)).collect()
}
