//! Which faults come on which journey: what is passed where nothing fails is recorded, the code says what else there is,
//! and each point gets a kill and an error or a delay.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::thread;

use super::steered::STEERED;
use super::{Journey, Kind};
use crate::faults::{Fault, Tended};
use crate::points::{Code, twin};

/// The most faults of one role on one journey.
const AT_ONCE: usize = 6;
/// The same, where they are asked for again.
const FEWER: usize = 3;
/// Of what a point is passed more often than this in one journey, the first so many passings are visited.
const MOST: usize = 2;

/// Faults of one role that belong together: the last one comes because those before it came.
#[derive(Debug, Clone)]
pub struct Group {
    /// Of which role.
    pub role: &'static str,
    /// In the order in which they come.
    pub faults: Vec<Fault>,
    /// The journeys that pass there, and whether at the first start of their hosts.
    pub ways: Vec<(Journey, bool)>,
}

impl Group {
    /// Whether it is asked for again until it comes: a second passing may be of something else the next time.
    #[must_use]
    pub fn is_owed(&self) -> bool {
        self.faults.iter().all(|fault| fault.nth == 1)
    }

    /// Whether another one has a fault at the same point.
    fn meets(&self, other: &Self) -> bool {
        self.faults.iter().any(|it| other.faults.iter().any(|fault| fault.point == it.point))
    }
}

/// A journey with faults.
#[derive(Debug, Clone)]
pub struct Round {
    /// Which.
    pub journey: Journey,
    /// From the first start of hosts on that are made for it.
    pub first: bool,
    /// In hosts that are made for it.
    pub alone: bool,
    /// What comes.
    pub groups: Vec<Group>,
    /// How often its faults were asked for before.
    pub tries: usize,
}

impl Round {
    /// Where one of its groups is asked for by itself: on each journey that passes there, in hosts of its own. What goes on
    /// in the background may have been passed on a journey by chance, and not on all.
    #[must_use]
    pub fn again(&self, group: &Group) -> Option<Self> {
        let (journey, first) = *group.ways.get(self.tries.checked_sub(1)?)?;
        let groups = vec![group.clone()];
        Some(Self { journey, first, alone: true, groups, tries: self.tries + 1 })
    }

    /// What did not come is asked for once more: fewer together, and none of one role at a point of another one's.
    #[must_use]
    pub fn fewer(journey: Journey, first: bool, groups: Vec<Group>) -> Vec<Self> {
        let mut rounds: Vec<Self> = Vec::new();
        for group in groups {
            let takes = |round: &&mut Self| {
                let of_role = || round.groups.iter().filter(|it| it.role == group.role);
                of_role().count() < FEWER && !of_role().any(|it| it.meets(&group))
            };
            match rounds.iter_mut().find(takes) {
                Some(round) => round.groups.push(group),
                None => rounds.push(Self {
                    journey,
                    first,
                    alone: false,
                    groups: vec![group],
                    tries: 1,
                }),
            }
        }
        rounds
    }
}

/// The points that each role passed, in their order, with how often.
type Passed = BTreeMap<&'static str, Vec<(String, usize)>>;

/// What is passed where nothing fails: at the first start of the hosts, and on each journey.
#[derive(Debug)]
pub struct Recorded(Vec<(Journey, bool, Passed)>);

impl Recorded {
    /// Goes each journey once, without a fault.
    ///
    /// # Panics
    /// Where one does not come to its end.
    #[must_use]
    pub fn of_all() -> Self {
        let world_of = |journey: &Journey| (journey.kind(), journey.alone().then_some(*journey));
        let mut worlds: BTreeMap<_, Vec<Journey>> = BTreeMap::new();
        for journey in Journey::ALL {
            worlds.entry(world_of(&journey)).or_default().push(journey);
        }
        let mut found: Vec<_> = thread::scope(|scope| {
            let gone: Vec<_> = worlds.values().map(|all| scope.spawn(|| recorded(all))).collect();
            gone.into_iter().flat_map(|it| it.join().unwrap()).collect()
        });
        // A point belongs to a journey, and to a start where none passes it.
        found.sort_by_key(|(journey, first, _)| (*first, *journey));
        Self(found)
    }

    /// Every point that was passed, by whichever role.
    #[must_use]
    pub fn points(&self) -> BTreeSet<&str> {
        let passed = self.0.iter().flat_map(|(.., passed)| passed.values().flatten());
        passed.map(|(point, _)| point.as_str()).collect()
    }

    /// A role that passes a point.
    fn role(&self, point: &str) -> Option<&'static str> {
        let mut passed = self.0.iter().flat_map(|(.., passed)| passed);
        passed.find(|(_, points)| has(points, point)).map(|(role, _)| *role)
    }

    /// The journeys on which a role passes a point.
    fn ways(&self, role: &str, point: &str) -> Vec<(Journey, bool)> {
        let passes = |passed: &Passed| passed.get(role).is_some_and(|points| has(points, point));
        let journeys = self.0.iter().filter(|(.., passed)| passes(passed));
        journeys.map(|(journey, first, _)| (*journey, *first)).collect()
    }
}

fn has(points: &[(String, usize)], point: &str) -> bool {
    points.iter().any(|(it, _)| it == point)
}

fn recorded(journeys: &[Journey]) -> Vec<(Journey, bool, Passed)> {
    let mut on = journeys[0].kind().made();
    on.start();
    let mut found = vec![(journeys[0], true, noted(&mut on))];
    for (at, journey) in journeys.iter().enumerate() {
        journey.go(at, &mut on);
        found.push((*journey, false, noted(&mut on)));
    }
    found
}

/// What each role passed since the last call.
fn noted(on: &mut Tended) -> Passed {
    let mut passed = Passed::new();
    for role in on.roles.clone() {
        let known = passed.entry(role).or_default();
        for point in on.passed(role) {
            match known.iter_mut().find(|(name, _)| *name == point) {
                Some((_, count)) => *count += 1,
                None => known.push((point, 1)),
            }
        }
    }
    passed
}

/// What comes at each point, each on a journey of its own.
pub const KINDS: [&str; 4] = ["kill", "EIO", "ENOSPC", "delay"];

fn fault(point: &str, nth: usize, kind: &'static str) -> Fault {
    Fault { point: point.to_owned(), nth, kind }
}

/// Groups by where they come.
type Asked = BTreeMap<(Kind, bool, Journey), BTreeMap<&'static str, Vec<Group>>>;

/// The rounds in which each point is visited that was recorded, that undoes what failed in its line, or to which a fault
/// leads.
#[must_use]
pub fn rounds(code: &Code, recorded: &Recorded) -> VecDeque<Round> {
    let mut asked = Asked::new();
    let mut ask = |role, faults, ways: Vec<(Journey, bool)>| {
        let (journey, first) = ways[0];
        let of_roles = asked.entry((journey.kind(), first, journey)).or_default();
        of_roles.entry(role).or_default().push(Group { role, faults, ways });
    };
    let mut seen: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for (journey, first, passed) in &recorded.0 {
        for (role, points) in passed {
            for (point, count) in points {
                let before = seen.entry((role, point)).or_default();
                for nth in *before + 1..=(*count).min(MOST) {
                    let kinds = if nth == 1 { &KINDS[..] } else { &KINDS[..1] };
                    let mut ways = recorded.ways(role, point);
                    ways.retain(|it| nth == 1 || *it == (*journey, *first));
                    for kind in kinds {
                        ask(*role, vec![fault(point, nth, kind)], ways.clone());
                    }
                    *before = nth;
                }
            }
        }
    }
    for (point, before) in undone(code, recorded) {
        let role = recorded.role(&before).unwrap();
        for kind in KINDS {
            let faults = vec![fault(&before, 1, "EIO"), fault(&point, 1, kind)];
            ask(role, faults, recorded.ways(role, &before));
        }
    }
    for steered in &STEERED {
        let by = steered.by.iter().map(|(kind, step)| fault(&code.point(step), 1, kind));
        for point in steered.to.iter().map(|step| code.point(step)) {
            for kind in KINDS {
                let faults = by.clone().chain([fault(&point, 1, kind)]).collect();
                ask(steered.role, faults, vec![(steered.journey, false)]);
            }
        }
    }
    asked
        .into_iter()
        .flat_map(|((_, first, journey), of)| shared_out(journey, first, &of))
        .collect()
}

/// What a line undoes when it fails, and the later step of the same line whose error leads there.
#[must_use]
pub fn undone(code: &Code, recorded: &Recorded) -> Vec<(String, String)> {
    let passed = recorded.points();
    let mut found = Vec::new();
    for point in &code.points {
        let (place, does) = point.split_once(' ').unwrap();
        let never = !passed.contains(point.as_str());
        let other = twin(point).is_some_and(|twin| passed.contains(twin.as_str()));
        let steps: &[&str] = match does {
            "remove" => &["rename", "sync"],
            "remove folder" => &["sync folder"],
            _ => continue,
        };
        let mut before = steps.iter().map(|step| format!("{place} {step}"));
        let before = before.find(|it| passed.contains(it.as_str()));
        if let Some(before) = before.filter(|_| never && !other) {
            found.push((point.clone(), before));
        }
    }
    found
}

/// Several groups on one journey: those of one point stand beside each other, and so they come on different ones.
fn shared_out(
    journey: Journey,
    first: bool,
    of_roles: &BTreeMap<&'static str, Vec<Group>>,
) -> Vec<Round> {
    let most = of_roles.values().map(Vec::len).max().unwrap_or_default();
    let count = most.div_ceil(AT_ONCE).max(most.min(5));
    let every = |at: usize| {
        let groups = of_roles.values().flat_map(|of| of.iter().skip(at).step_by(count));
        Round { journey, first, alone: false, groups: groups.cloned().collect(), tries: 0 }
    };
    (0..count).map(every).collect()
}
