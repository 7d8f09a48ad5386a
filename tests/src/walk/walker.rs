//! Goes rounds, several worlds side by side, until each fault that is owed came.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::time::Duration;
use std::{fs, thread};

use super::rounds::{Group, Round};
use super::{Journey, Kind};
use crate::faults::{Tended, rows};
use crate::stderr;

/// How many worlds are walked side by side: most of a journey is waiting.
const WALKERS: usize = 12;
/// So many journeys go in one world: what it has to remember makes each start a little longer.
const IN_ONE_WORLD: usize = 12;
/// After so many broken rules nothing more is walked.
const BROKE: usize = 8;

/// What is to be walked, and what came of it.
#[derive(Debug, Default)]
pub struct Walk {
    rounds: VecDeque<Round>,
    /// What did not come the first time, by where it is asked for again.
    again: BTreeMap<(Journey, bool), Vec<Group>>,
    /// Walkers that may still find something to do for others.
    busy: usize,
    /// The faults that came: by which role, where, and what.
    pub came: BTreeSet<(&'static str, String, &'static str)>,
    /// How many of each came.
    pub by: BTreeMap<&'static str, usize>,
    /// What did not come, however often it was asked for.
    pub never: Vec<Group>,
    /// What ended in a broken rule.
    pub broke: Vec<Round>,
    /// How many rounds were gone, and how many of them for what had not come.
    pub gone: [usize; 2],
    /// How often a role was started again.
    pub started: usize,
    /// In how many worlds.
    pub worlds: usize,
}

impl Walk {
    /// Goes all of these.
    ///
    /// # Panics
    /// Where a walker does.
    #[must_use]
    pub fn over(rounds: VecDeque<Round>) -> Self {
        let walk = Mutex::new(Self { rounds, ..Self::default() });
        thread::scope(|scope| {
            let walkers: Vec<_> = (0..WALKERS).map(|_| scope.spawn(|| walker(&walk))).collect();
            walkers.into_iter().for_each(|walker| walker.join().unwrap());
        });
        walk.into_inner().unwrap()
    }

    /// The next one. When all were gone once, what did not come is asked for again.
    fn next(&mut self) -> Option<Round> {
        if self.rounds.is_empty() && self.busy == 0 {
            let again = std::mem::take(&mut self.again).into_iter();
            let again = again.flat_map(|((journey, first), of)| Round::fewer(journey, first, of));
            self.rounds.extend(again);
        }
        let next = self.rounds.pop_front();
        self.busy += usize::from(next.is_some());
        next
    }

    /// What came on a round; what did not, and is owed, is asked for again.
    fn took(&mut self, round: &Round, left: &BTreeSet<(&'static str, String, String)>) {
        self.gone[0] += 1;
        self.gone[1] += usize::from(round.tries > 0);
        for group in &round.groups {
            let is_left = |point: &str, kind: &str| {
                left.contains(&(group.role, point.to_owned(), kind.to_owned()))
            };
            let (not, came): (Vec<_>, Vec<_>) =
                group.faults.iter().partition(|fault| is_left(&fault.point, fault.kind));
            for fault in came {
                *self.by.entry(fault.kind).or_default() += 1;
                self.came.insert((group.role, fault.point.clone(), fault.kind));
            }
            if not.is_empty() || !group.is_owed() {
                continue;
            }
            if round.tries == 0 {
                let of = self.again.entry((round.journey, round.first)).or_default();
                of.push(group.clone());
                continue;
            }
            match round.again(group) {
                Some(again) => self.rounds.push_front(again),
                None => self.never.push(group.clone()),
            }
        }
    }
}

/// Walks until nothing is left.
fn walker(of: &Mutex<Walk>) {
    let mut world: Option<Used> = None;
    loop {
        let next = {
            let mut walk = of.lock().unwrap();
            let next = walk.next();
            if next.is_none() && walk.busy == 0 {
                break;
            }
            next
        };
        let Some(round) = next else {
            thread::sleep(Duration::from_millis(50));
            continue;
        };
        let gone = catch_unwind(AssertUnwindSafe(|| went(&round, &mut world, of)));
        let mut walk = of.lock().unwrap();
        walk.busy -= 1;
        // What stands there is no world to go on in. All that is broken is told at the end.
        if gone.is_err() {
            eprintln!("{round:?}\n{}", world.take().map(|it| it.told()).unwrap_or_default());
            walk.broke.push(round);
            if walk.broke.len() > BROKE {
                walk.rounds.clear();
                walk.again.clear();
            }
        }
    }
    if let Some(mut used) = world {
        used.finished(of);
    }
}

/// Goes one round, in a world of its own where it needs one.
fn went(round: &Round, world: &mut Option<Used>, of: &Mutex<Walk>) {
    let kind = round.journey.kind();
    let anew = round.first || round.journey.alone() || round.alone;
    if !world.as_ref().is_some_and(|it| it.kind == kind && it.times < IN_ONE_WORLD && !anew) {
        if let Some(mut old) = world.take() {
            old.finished(of);
        }
        let mut on = kind.made();
        if round.first {
            ask(round, &mut on);
        }
        on.start();
        *world = Some(Used { kind, on, times: if anew { IN_ONE_WORLD } else { 0 } });
    }
    let used = world.as_mut().unwrap();
    if !round.first {
        ask(round, &mut used.on);
    }
    used.times += 1;
    round.journey.go(used.times, &mut used.on);
    let mut left = BTreeSet::new();
    for role in used.on.roles.clone() {
        let not = used.on.not_come(role).into_iter();
        left.extend(not.map(|(point, kind)| (role, point, kind)));
    }
    of.lock().unwrap().took(round, &left);
}

fn ask(round: &Round, on: &mut Tended) {
    for group in &round.groups {
        group.faults.iter().for_each(|fault| on.ask(group.role, fault));
    }
}

/// Hosts, and how many journeys went in them.
struct Used {
    kind: Kind,
    on: Tended,
    times: usize,
}

impl Used {
    /// What stands there, and the last lines that each role logged.
    fn told(&self) -> String {
        let last = |role: &&str| {
            let log = self.on.world.log(role);
            let lines: Vec<&str> = log.lines().rev().take(8).collect();
            format!("--- {role}\n{}\n", lines.into_iter().rev().collect::<Vec<_>>().join("\n"))
        };
        let hosts = ["agency", "municipality"].map(|host| {
            let rows = rows(&self.on.world, host).unwrap_or_default();
            let row = |row: &serde_json::Value| {
                format!("{} {} {}\n", row["code"], row["state"], row["note"])
            };
            format!("--- {host}\n{}", rows.iter().map(row).collect::<String>())
        });
        hosts.into_iter().chain(self.on.roles.iter().map(last)).collect()
    }

    /// The end of a world: the last list proves itself, and both ledgers hold.
    fn finished(&mut self, of: &Mutex<Walk>) {
        if !self.on.is_older {
            verified(&mut self.on);
        }
        for host in ["agency", "municipality"] {
            let held = self.on.world.cli(host, &["ledger", "verify"]);
            assert!(held.status.success(), "{}", stderr(&held));
        }
        let mut walk = of.lock().unwrap();
        walk.started += self.on.started;
        walk.worlds += 1;
    }
}

/// The evidence of the last list that went the whole way, at both hosts.
fn verified(on: &mut Tended) {
    let mut trust = String::new();
    for host in ["agency", "municipality"] {
        let card = fs::read_to_string(on.world.path(&format!("{host}.card"))).unwrap();
        let value = |key: &str| {
            let line = card.lines().find(|line| line.starts_with(key)).unwrap();
            line.split('"').nth(1).unwrap().to_owned()
        };
        trust += &format!("{} {}\n", value("id = "), value("statement = "));
    }
    fs::write(on.world.path("trust"), trust).unwrap();
    let rows = on.until("the transfers", |world| rows(world, "agency"));
    let Some(row) = rows.iter().find(|row| row["state"] == "Closed") else { return };
    let code = row["code"].as_str().unwrap();
    for host in ["agency", "municipality"] {
        let to = on.world.path(&format!("evidence-{host}"));
        let (to, trust) = (to.to_str().unwrap(), on.world.path("trust"));
        let exported = on.world.cli(host, &["evidence", "export", code, "--to", to]);
        assert!(exported.status.success(), "{}", stderr(&exported));
        let held =
            on.world.cli(host, &["evidence", "verify", to, "--trust", trust.to_str().unwrap()]);
        assert!(held.status.success(), "{}", stderr(&held));
    }
}
