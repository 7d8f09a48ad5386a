//! After the cut: the real roles start on disks as a cut left them, persons do what there is for them to do, and the
//! transfer converges.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::Value;

use crate::exposures::{in_folders, of_agency, twice};
use crate::walk::left_over;
use crate::world::{ROLES, somewhere};
use crate::{World, stderr, until};

/// The messages on the telephones, each with the time at which it came.
#[derive(Debug)]
pub struct Messages(Vec<(PathBuf, Vec<u8>, SystemTime)>);

impl Messages {
    /// Those that lie there now.
    #[must_use]
    pub fn of(world: &World) -> Self {
        let every = somewhere(&world.path("phones"), b"-").into_iter();
        let came = |path: &Path| fs::metadata(path).unwrap().modified().unwrap();
        Self(every.map(|path| (path.clone(), fs::read(&path).unwrap(), came(&path))).collect())
    }

    /// How many had come by then.
    #[must_use]
    pub fn by(&self, moment: f64) -> usize {
        self.0.iter().filter(|(.., came)| seconds(*came) <= moment).count()
    }

    /// Only what had come by then lies there.
    fn put_back(&self, world: &World, moment: f64) {
        let _ = fs::remove_dir_all(world.path("phones"));
        fs::create_dir(world.path("phones")).unwrap();
        for (path, text, _) in self.0.iter().filter(|(.., came)| seconds(*came) <= moment) {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }
}

fn seconds(time: SystemTime) -> f64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs_f64()
}

/// Puts these disks in the place of the hosts of a world in which nothing runs, as it was at that moment, and starts all
/// roles; this is what was to be sent.
pub fn start(
    world: &mut World,
    disks: &Path,
    (messages, moment): (&Messages, f64),
    (name, content): (&str, &[u8]),
) {
    for host in ["agency", "municipality", "dropzone"] {
        let _ = fs::remove_dir_all(world.path(host));
        bring(&disks.join(host), &world.path(host));
    }
    messages.put_back(world, moment);
    // Before it is taken its bytes are its owner's to keep.
    if world.outbox().join(name).exists() {
        world.put(name.as_ref(), content);
    }
    for (role, _) in ROLES {
        let _ = fs::remove_file(world.path(&format!("{role}.log")));
        world.start(role);
    }
}

/// The modes are those that the roles ask for: what a cut takes of them is not looked at.
fn bring(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    fs::set_permissions(to, fs::Permissions::from_mode(0o711)).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let there = to.join(entry.file_name());
        if entry.path().is_dir() {
            bring(&entry.path(), &there);
        } else {
            fs::copy(entry.path(), &there).unwrap();
            fs::set_permissions(&there, fs::Permissions::from_mode(0o600)).unwrap();
        }
    }
}

/// Persons come by until every transfer is over; what is wrong then.
#[must_use]
pub fn converges(world: &mut World, content: &[u8]) -> Vec<String> {
    let mut seen = String::new();
    until("every transfer to come to its end", || {
        tend(world);
        let (now, over) = standing(world);
        // Where it stands still is read here, should it not come.
        if now != seen {
            eprintln!("  {now}");
            seen = now;
        }
        over.then_some(())
    });
    let mut wrong = Vec::new();
    for host in ["agency", "municipality"] {
        let verified = world.cli(host, &["ledger", "verify"]);
        if !verified.status.success() {
            wrong.push(format!("the ledger of the {host}: {}", stderr(&verified)));
        }
    }
    wrong.extend(twice(&of_agency(world), &in_folders(world)));
    let states = |host| states(world, host);
    let (here, there) = (states("agency"), states("municipality"));
    let plain = |folder: &str| somewhere(&world.path(folder), content).len();
    let kept = match (here.contains(&"Closed".to_owned()), there.contains(&"Opened".to_owned())) {
        // One that was redelivered may have been opened once more.
        (true, true) => plain("municipality/vault") >= 1 && plain("agency") == 0,
        // It was destroyed where it was opened.
        (true, false) => plain("municipality/vault") == 0 && plain("agency") == 0,
        // Its owner has it.
        _ => plain("municipality/vault") == 0 && plain("agency") >= 1,
    };
    if !kept {
        wrong.push(format!("the list is not where {here:?} and {there:?} have it"));
    }
    ROLES.iter().for_each(|(role, _)| _ = world.stop(role));
    wrong
}

fn rows(world: &World, host: &str) -> Vec<Value> {
    world.json(host, &["list"]).as_array().unwrap().clone()
}

fn states(world: &World, host: &str) -> Vec<String> {
    rows(world, host).iter().map(|row| row["state"].as_str().unwrap().to_owned()).collect()
}

/// Where the transfers stand at both parties, with what is left over, and whether all is over.
fn standing(world: &World) -> (String, bool) {
    let (here, there) = (states(world, "agency"), states(world, "municipality"));
    let left = left_over(world);
    (format!("{here:?} {there:?} {left:?}"), left.is_empty() && is_over(&here, &there))
}

fn is_over(here: &[String], there: &[String]) -> bool {
    let over = |state: &String| matches!(state.as_str(), "Closed" | "Withdrawn" | "Superseded");
    let held = |state: &String| matches!(state.as_str(), "Opened" | "Destroyed" | "Ended");
    // A closed one is in the vault, or was.
    let closed = here.iter().filter(|state| *state == "Closed").count();
    let opened = there.iter().filter(|state| *state != "Ended").count();
    !here.is_empty() && here.iter().all(over) && there.iter().all(held) && opened >= closed
}

/// What there is for persons to do.
fn tend(world: &World) {
    for row in rows(world, "municipality").iter().filter(|row| row["state"] == "Removed") {
        let code = row["code"].as_str().unwrap();
        let lines = world.lines(code);
        if lines.len() > 1 {
            let _ = world.cli_with("municipality", &["open", code], &lines.join("\n"));
        }
    }
    for row in rows(world, "agency") {
        let code = row["code"].as_str().unwrap();
        match row["state"].as_str().unwrap() {
            "Failed" if !world.cli("agency", &["redeliver", code]).status.success() => {
                let _ = world.cli("agency", &["retry", code]);
            }
            "Held" => _ = world.cli("agency", &["retry", code]),
            _ => {}
        }
    }
}
