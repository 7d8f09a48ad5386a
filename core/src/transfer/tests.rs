//! All states that a transfer can reach, and what happened on the way to each.

use std::collections::{BTreeMap, HashSet};

use super::table::shipped;
use super::*;
use crate::evidence::tests::{Evidence, GONE, World};

/// State, the events that move it, and the words that may come again and change nothing.
const TABLE: [(&str, &str, &str); 17] = [
    ("Claimed", "Sealed Refused Held Admitted Withdraw Fail PutBack", ""),
    ("Admitted", "Approve Refused Withdraw Fail PutBack", ""),
    ("Approved", "Sealed Refused Held Withdraw Fail PutBack", ""),
    ("Held", "Retry Withdraw Fail PutBack", ""),
    ("Refused", "", "Erased"),
    ("Sealed", "Placed Carried Delivered Withdraw Expire Fail Supersede PutBack", ""),
    ("Carried", "Delivered Withdraw Expire Fail Supersede PutBack", ""),
    ("Delivered", "Removed Withdraw Expire Fail Supersede PutBack", "Carried"),
    ("Removed", "Probed Ready Withdraw Expire Fail Supersede PutBack", "Carried"),
    (
        "Releasing",
        "Exposing LeftBefore Shipped Resend Reported ShareAccepted Retry Opened Withdraw Shut Expire Fail Supersede PutBack",
        "Carried Ready ShareAccepted Reported Shut",
    ),
    (
        "Released",
        "Retry Reported ShareAccepted Opened Withdraw Shut Expire Fail Supersede PutBack",
        "Carried Ready ShareAccepted Reported Shut",
    ),
    ("Opened", "Erased", "ShareAccepted Reported"),
    ("Closed", "", "Erased ShareAccepted Reported"),
    (
        "Failed",
        "Retry ShareAccepted Opened Withdraw Expire Supersede PutBack",
        "ShareAccepted PutBack",
    ),
    ("Expired", "Opened Supersede", "Erased"),
    ("Withdrawn", "Supersede", "Erased"),
    ("Superseded", "", "Erased"),
];

/// Which events people and machinery have to move what waits for them.
const MOVERS: [(&str, &str); 3] = [
    ("agency", "Approve Retry Withdraw Supersede"),
    ("municipality", "Delivered Removed Ready Opened"),
    ("itself", "Sealed Placed Carried Probed Exposing Shipped Resend Erased"),
];

/// Who offered it, and so never approves it.
const OFFERED: u32 = 1000;

/// What happened on the way to a state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
struct Path {
    /// The store is an older one: what left since is not known.
    put_back: bool,
    removed: bool,
    probed: bool,
    ready: bool,
    /// Handed over, and neither surely failed nor let go again since.
    out: BTreeSet<u8>,
}

impl Path {
    /// As it is after this event, if the state takes it.
    fn after(&self, state: &State, event: &Event) -> Self {
        let mut path = self.clone();
        match event {
            Event::Removed(removal) => path.removed |= state.upload() == Some(removal.upload()),
            Event::Probed(look) => path.probed |= look.is_gone(),
            Event::Ready => path.ready = true,
            // Of what left nothing is known from here on.
            Event::PutBack => path = Self { put_back: true, ..Self::default() },
            Event::Exposing(index, _) | Event::LeftBefore(index) => {
                path.out.insert(*index);
            }
            // What waited for its first attempt had one; what waits for another one goes again.
            Event::ShareAccepted(index) => {
                let share = place(*index).and_then(|place| state.shares()?.get(place));
                let waits = |it: &Shipment| {
                    !it.exposed && matches!(it.stands, Stands::Waiting | Stands::Rejected { .. })
                };
                path.out.extend(share.filter(|it| waits(it)).map(|_| *index));
            }
            Event::Shipped(index, Stands::Waiting)
            | Event::Resend(index)
            | Event::Retry(Some(index)) => drop(path.out.remove(index)),
            Event::PutOff(index, _) if believes(state, *index) => drop(path.out.remove(index)),
            // What was accepted is not tried again, unless the operator says that it was lost.
            Event::Retry(None) => path.out.retain(|index| {
                let share = place(*index).and_then(|place| state.shares()?.get(place));
                share.is_some_and(|share| !share.is_lost())
            }),
            _ => {}
        }
        path
    }
}

/// Whether one more "later" of a share's provider is believed.
fn believes(state: &State, index: u8) -> bool {
    let share = place(index).and_then(|place| state.shares()?.get(place));
    let most = state.envelope().map(|envelope| envelope.deferrals);
    share.is_some_and(|share| !share.shut && Some(share.deferred) < most)
}

fn outcomes() -> [Stands; 5] {
    let driver = || "http".to_owned();
    [
        Stands::Waiting,
        Stands::Leaving,
        Stands::Accepted { driver: driver(), message: None },
        Stands::Rejected { driver: driver(), code: "400".into() },
        Stands::Unknown { driver: driver() },
    ]
}

fn reports() -> [Report; 3] {
    [Report::Pending, Report::Failed { code: "28".into() }, Report::Delivered]
}

/// What there is to happen: this transfer's envelope, and evidence for its upload and for another one.
struct Stage {
    envelope: Envelope,
    uploads: [(UploadId, Evidence); 2],
    other: TransferId,
    /// Whether operators report, and persons send single shares again.
    reports: bool,
    /// Whether the agreement ends at once.
    ends: bool,
}

impl Stage {
    fn new(
        (threshold, shares): (u8, u8),
        release: ReleaseRule,
        (resends, deferrals): (u8, u8),
        reports: bool,
    ) -> Self {
        let mut world = World::new(threshold, shares);
        let envelope = Envelope {
            ciphertext: world.sent.ciphertext,
            size: world.sent.size,
            threshold,
            routes: world.sent.routes.clone(),
            release,
            resends,
            deferrals,
            expires: world.sent.expires,
        };
        let first = (world.upload, world.evidence());
        world.upload = UploadId::random();
        let second = (world.upload, world.evidence());
        // With more shares it is the same, and ten times as much.
        let (other, ends) = (TransferId::random(), shares == 3);
        Self { envelope, uploads: [first, second], other, reports, ends }
    }

    /// Every event, also those out of place, twice over, or wrong.
    fn events(&self) -> Vec<Event> {
        let mut events = vec![
            Event::Sealed(self.envelope.clone()),
            Event::Refused(vec![Reason::Empty], None),
            Event::Held(Words::same("contacts")),
            Event::Admitted { by: [OFFERED].into(), rows: None, seen: Digest::none() },
            Event::Approve(OFFERED),
            Event::Approve(OFFERED + 1),
            Event::Probed(GONE),
            Event::Probed(Look { get: 200, ..GONE }),
            Event::Probed(Look { control: 410, ..GONE }),
            Event::Ready,
            Event::Opened(self.uploads[0].1.opening.clone()),
            Event::Erased,
            Event::Withdraw,
            Event::PutBack,
            Event::Retry(None),
            Event::Expire,
            Event::Fail { step: "carry", code: "gone".into() },
            Event::Supersede(self.other),
        ];
        for (upload, evidence) in &self.uploads {
            events.extend([
                Event::Placed(*upload),
                Event::Carried(*upload),
                Event::Delivered(evidence.delivery.clone()),
                Event::Removed(evidence.removal.clone()),
            ]);
        }
        let shares = u8::try_from(self.envelope.routes.len()).unwrap();
        for index in 0..=shares + 1 {
            events.push(Event::Exposing(index, self.uploads[0].1.removal.clone()));
            events.extend(outcomes().map(|outcome| Event::Shipped(index, outcome)));
            events.extend([Event::Resend(index), Event::LeftBefore(index)]);
            events.push(Event::PutOff(index, "http".into()));
            if self.reports {
                events.push(Event::Retry(Some(index)));
                events.extend(reports().map(|report| Event::Reported(index, report)));
            }
        }
        events.extend((1..=shares).map(Event::ShareAccepted));
        events.extend(self.ends.then_some(Event::Shut));
        events
    }
}

fn must(holds: bool, rule: &'static str) -> Result<(), &'static str> {
    if holds { Ok(()) } else { Err(rule) }
}

/// What holds in every state.
fn check_state(state: &State, path: &Path) -> Result<(), &'static str> {
    let Some(shares) = state.shares() else {
        return must(state.exposed() == 0, "nothing is exposed before the release");
    };
    let envelope = state.envelope().ok_or("a release has an envelope")?;
    let waited = envelope.release == ReleaseRule::AfterRemoval || path.ready;
    let shut = path.put_back && matches!(state, State::Failed { .. });
    must(shut || path.removed && path.probed && waited, "never are both gates open")?;
    let exposed: Vec<&Route> = envelope
        .routes
        .iter()
        .zip(shares)
        .filter(|(_, share)| share.is_exposed())
        .map(|(route, _)| route)
        .collect();
    must(exposed.len() == usize::from(state.exposed()), "what is exposed is counted")?;
    for route in &exposed {
        let channel = exposed.iter().filter(|other| other.channel == route.channel).count();
        let group = exposed.iter().filter(|other| other.group == route.group).count();
        must(channel.max(group) < usize::from(envelope.threshold), "rule 2")?;
    }
    Ok(())
}

/// What holds in every step but those that are not taken.
fn check_step(before: &State, path: &Path, event: &Event, step: &Step) -> Result<(), &'static str> {
    let after = &step.state;
    must(!matches!(event, Event::Approve(OFFERED)), "whoever offered it does not approve it")?;
    if let Event::Exposing(index, _) = event {
        must(!path.out.contains(index), "no share leaves twice unasked")?;
        let share = place(*index).and_then(|place| before.shares()?.get(place));
        must(share.is_some_and(|share| share.stands == Stands::Waiting), "only what waits leaves")?;
    }
    check_shares(before, event, after)?;
    must(
        is_believed_so_often(before, event, after),
        "a provider's \"later\" is believed so often",
    )?;
    must(is_counted(event, after), "what was typed counts as exposed")?;
    let shut = |state: &State| state.shares().is_some_and(|all| all.iter().any(|it| it.shut));
    // What this store did not know to be out.
    let late = matches!(event, Event::PutBack | Event::ShareAccepted(_));
    let more = after.exposed() > before.exposed() && !late;
    must(!(shut(before) && more), "after the end at once none leaves")?;
    let fewer = before.exposed().checked_sub(after.exposed()).filter(|fewer| *fewer > 0);
    if let Some(fewer) = fewer.filter(|_| after.envelope().is_some()) {
        let Event::Shipped(index, Stands::Waiting | Stands::Rejected { .. }) = event else {
            return Err("exposed stays exposed");
        };
        let share = place(*index).and_then(|place| before.shares()?.get(place));
        let first = share.is_some_and(|share| share.stands == Stands::Leaving && !share.exposed);
        must(first && fewer == 1, "an earlier attempt stays exposed")?;
    }
    must(step.say == due(before, event, after), "a state and its statement come together")?;
    let ends = matches!(after.name(), "Withdrawn" | "Expired" | "Superseded" | "Opened");
    if ends && before.name() != after.name() {
        must(step.work.contains(&Work::Erase), "an end erases")?;
        let ended = before.upload().map(|upload| Work::Terminate { upload });
        must(ended.is_none_or(|ended| step.work.contains(&ended)), "an end ends the upload")?;
    }
    must(before != after || step.work.is_empty(), "a repetition makes no work")
}

/// What was typed was out.
fn is_counted(event: &Event, after: &State) -> bool {
    let Event::ShareAccepted(index) = event else { return true };
    let share = after.shares().and_then(|shares| shares.get(place(*index)?));
    share.is_none_or(Shipment::is_exposed)
}

/// What was put off waits again as often as that is believed, and then nobody knows.
fn is_believed_so_often(before: &State, event: &Event, after: &State) -> bool {
    let Event::PutOff(index, _) = event else { return true };
    let share = |state: &State| state.shares().and_then(|all| all.get(place(*index)?).cloned());
    let (Some(was), Some(is)) = (share(before), share(after)) else { return false };
    match believes(before, *index) {
        true if is.stands == Stands::Waiting => is.deferred == was.deferred + 1,
        // It was reported before, or lost once more by an earlier attempt.
        true => was.report.is_some() && is.is_exposed(),
        false => is.resends == 0 && is.is_exposed() && is.stands != Stands::Waiting,
    }
}

/// What holds of each share in a step.
fn check_shares(before: &State, event: &Event, after: &State) -> Result<(), &'static str> {
    let (Some(before), Some(after)) = (before.shares(), after.shares()) else { return Ok(()) };
    for (before, after) in before.iter().zip(after) {
        let lost = matches!(before.stands, Stands::Unknown { .. });
        let resent = matches!(event, Event::Resend(_)) && before != after;
        must(!resent || (lost && after.resends + 1 == before.resends), "resends are bounded")?;
        must(after.resends <= before.resends, "resends only become fewer")?;
        let asked = matches!(event, Event::Retry(_) | Event::PutBack);
        must(asked || before.report <= after.report, "a report is never taken back")?;
        let hinted = matches!(event, Event::Reported(..)) && before != after;
        must(!hinted || before.is_exposed(), "nobody reports on what never left")?;
    }
    Ok(())
}

/// What is to be said of a step.
fn due(before: &State, event: &Event, after: &State) -> Vec<Say> {
    if let (Event::Probed(look), State::Removed { upload, .. }) = (event, before) {
        return vec![Say::Probed(*upload, *look)];
    }
    if let (State::Failed { was: before, .. }, State::Failed { was: after, .. }) = (before, after)
        && matches!(event, Event::ShareAccepted(_))
    {
        return due(before, event, after);
    }
    if before.name() == after.name() {
        return Vec::new();
    }
    // What had left before it failed may still open it.
    let before = match (before, after) {
        (State::Failed { was, .. }, State::Opened) => &**was,
        (before, _) => before,
    };
    match (before, after) {
        (State::Claimed | State::Approved { .. }, State::Sealed { .. }) => vec![Say::Sent],
        (State::Releasing { .. }, State::Released { envelope, shares, .. })
        | (State::Releasing { envelope, shares }, State::Opened) => {
            vec![Say::Released(shipped(envelope, shares))]
        }
        (_, State::Closed) => vec![Say::Closed],
        (_, State::Withdrawn) => vec![Say::Withdrawn(before.exposed())],
        (_, State::Expired) => vec![Say::Expired(before.exposed())],
        (_, State::Failed { step, code, .. }) => vec![Say::Failed(step.clone(), code.clone())],
        (_, State::Superseded { by }) => vec![Say::Superseded(*by)],
        _ => Vec::new(),
    }
}

/// What holds of all events together that a state takes.
fn check_choices(state: &State, moves: &BTreeSet<&str>) -> Result<(), &'static str> {
    let early = state.envelope().is_none_or(|envelope| state.exposed() < envelope.threshold);
    let open = !state.is_over() && *state != State::Opened;
    must(moves.contains("Withdraw") == (open && early), "withdraw while fewer than t are out")?;
    if let State::Failed { was, .. } = state {
        let unsealed = was.envelope().is_none();
        must(moves.contains("Retry") == unsealed, "retry after failing before anything left")?;
    }
    if state.is_over() {
        return must(matches!(state.mover(), "nobody" | "agency"), "what is over waits for nobody");
    }
    let ends = ["Withdraw", "Supersede"].iter().any(|end| moves.contains(end));
    must(ends || !open, "whatever the others do not do, a person at the agency ends it")?;
    let can = MOVERS.iter().find(|(who, _)| *who == state.mover()).ok_or("no dead end")?.1;
    must(can.split(' ').any(|event| moves.contains(event)), "whoever is said to move it can")
}

#[derive(Debug, Default)]
struct Explored {
    states: usize,
    steps: usize,
    faults: BTreeSet<String>,
    moves: BTreeMap<&'static str, BTreeSet<&'static str>>,
    repeats: BTreeMap<&'static str, BTreeSet<&'static str>>,
}

impl Explored {
    fn hold(&mut self, held: Result<(), &'static str>, state: &State, event: &str) {
        if let Err(rule) = held {
            let was = if let State::Failed { was, .. } = state { was.name() } else { "" };
            self.faults.insert(format!("{rule}: {event} while {} {was}", state.name()));
        }
    }

    fn explore(&mut self, stage: &Stage) {
        let mut visited = HashSet::new();
        let mut open = vec![(State::Claimed, Path::default())];
        while let Some((state, path)) = open.pop() {
            let json = serde_json::to_string(&state).unwrap();
            if !visited.insert((Digest::of(json.as_bytes()), path.clone())) {
                continue;
            }
            let read = serde_json::from_str::<State>(&json).ok();
            self.hold(must(read.as_ref() == Some(&state), "a state reads back"), &state, "");
            self.hold(check_state(&state, &path), &state, "");
            let mut moves = BTreeSet::new();
            for (event, told) in stage.events().into_iter().zip(stage.events()) {
                let Ok(step) = state.apply(event) else { continue };
                self.steps += 1;
                self.hold(check_step(&state, &path, &told, &step), &state, told.name());
                let after = path.after(&state, &told);
                if step.state == state {
                    self.repeats.entry(state.name()).or_default().insert(told.name());
                    if after == path {
                        continue;
                    }
                } else {
                    moves.insert(told.name());
                }
                open.push((step.state, after));
            }
            self.hold(check_choices(&state, &moves), &state, "");
            self.moves.entry(state.name()).or_default().extend(moves);
        }
        self.states += visited.len();
    }
}

#[test]
fn every_reachable_state_keeps_the_rules() {
    let (mut all, mut counts) = (Explored::default(), Vec::new());
    // What shares do on their way does not depend on one another: with more of them, less of it is tried.
    for (plan, again, reports) in
        [((2, 2), (1, 1), true), ((2, 3), (1, 0), false), ((3, 4), (0, 0), false)]
    {
        for release in [ReleaseRule::AfterRemoval, ReleaseRule::WhenReady] {
            let before = all.states;
            all.explore(&Stage::new(plan, release, again, reports));
            counts.push(all.states - before);
        }
    }
    let Explored { states, steps, faults, moves, repeats } = all;
    assert!(faults.is_empty(), "{states} states, {steps} steps explored: {faults:#?}");
    // Fewer are a rule that lets less happen, or less that is tried.
    assert_eq!(counts, [142_352, 71_212, 77_924, 39_002, 143_340, 71_718]);
    let none = BTreeSet::new();
    for (state, can_move, can_repeat) in TABLE {
        let taken = |from: &BTreeMap<_, _>| from.get(state).unwrap_or(&none).clone();
        let listed = |text: &'static str| text.split_terminator(' ').collect::<BTreeSet<_>>();
        assert!(moves.contains_key(state), "{states} states explored, none is {state}");
        assert_eq!(taken(&moves), listed(can_move), "{states} states explored: {state} moves");
        assert_eq!(taken(&repeats), listed(can_repeat), "{states} states explored: {state} stays");
    }
}

/// What becomes of a share of which this is said; it leaves before each answer.
fn told(deferrals: u8, words: &[fn() -> Event]) -> (Vec<Shipment>, &'static str) {
    let state = releasing(deferrals, words);
    (state.shares().unwrap().to_vec(), state.name())
}

/// The transfer of that share, of which the other one was taken.
fn releasing(deferrals: u8, words: &[fn() -> Event]) -> State {
    let stage = Stage::new((2, 2), ReleaseRule::AfterRemoval, (2, deferrals), true);
    let shares = vec![Shipment::new(2), Shipment::new(2)];
    let mut state = State::Releasing { envelope: stage.envelope, shares };
    let removal = &stage.uploads[0].1.removal;
    let taken = Stands::Accepted { driver: "http".into(), message: None };
    state = state.apply(Event::Exposing(2, removal.clone())).unwrap().state;
    state = state.apply(Event::Shipped(2, taken)).unwrap().state;
    for word in words {
        if word().name() == "Shipped" {
            state = state.apply(Event::Exposing(1, removal.clone())).unwrap().state;
        }
        state = state.apply(word()).unwrap().state;
    }
    state
}

/// Two of two may be out: the municipality may open it before it hears that it should not.
#[test]
fn what_may_have_left_is_not_withdrawn_though_its_provider_said_later() {
    let withdrawn = |state: &State| state.apply(Event::Withdraw).map(|step| step.say);
    assert_eq!(withdrawn(&releasing(2, &[])), Ok(vec![Say::Withdrawn(1)]));
    let put_off = releasing(2, &[|| Event::PutOff(1, "http".into())]);
    assert!(withdrawn(&put_off).is_err() && put_off.is_in_doubt());
    // What a person can do: it leaves no more.
    let shut = put_off.apply(Event::Shut).unwrap().state;
    assert!(matches!(shut.share(1).unwrap().stands, Stands::Unknown { .. }), "{shut:?}");
    assert!(!shut.is_in_doubt() && shut.apply(Event::Retry(Some(1))).is_err());
    // Its provider could not be reached: it surely did not leave.
    let surely_not = || Event::Shipped(1, Stands::Waiting);
    assert_eq!(withdrawn(&releasing(2, &[surely_not])), Ok(vec![Say::Withdrawn(1)]));
}

#[test]
fn a_provider_that_says_later_is_believed_so_often_and_then_a_person_decides() {
    let later = || Event::PutOff(1, "http".into());
    let (shares, state) = told(2, &[later, later]);
    assert_eq!((&shares[0].stands, state), (&Stands::Waiting, "Releasing"));
    assert!(shares[0].is_exposed(), "it may have left all the same");
    let (shares, state) = told(2, &[later, later, later]);
    assert!(matches!(shares[0].stands, Stands::Unknown { .. }) && shares[0].is_lost());
    assert_eq!((shares[0].resends, state), (0, "Released"), "it goes no more by itself");
    // What surely did not leave counts for nothing.
    let (shares, _) = told(2, &[later, || Event::Shipped(1, Stands::Waiting), later]);
    assert_eq!(shares[0].stands, Stands::Waiting);
    // A person's word: so often again.
    let again = || Event::Retry(Some(1));
    let (shares, _) = told(1, &[later, later, again, later]);
    assert_eq!(shares[0].stands, Stands::Waiting);
    // What may have left once is no share that surely did not, whatever its provider says of a later attempt.
    let refused = || {
        let code = "credit".into();
        Event::Shipped(1, Stands::Rejected { driver: "http".into(), code })
    };
    let delivered = || Event::Reported(1, Report::Delivered);
    let (shares, _) = told(2, &[later, refused]);
    assert!(matches!(shares[0].stands, Stands::Unknown { .. }) && shares[0].is_exposed());
    let (shares, _) = told(2, &[later, refused, delivered]);
    assert!(matches!(shares[0].stands, Stands::Accepted { .. }), "{shares:?}");
    // Where a person asked for it, too.
    let (shares, state) = told(2, &[refused, again, later, delivered]);
    assert!(shares[0].is_exposed() && shares[0].stands != Stands::Waiting, "{shares:?}");
    assert_eq!(state, "Released");
    // It was sent all the same, and its operator says so.
    let (shares, state) = told(2, &[later, || Event::Reported(1, Report::Delivered)]);
    assert!(matches!(shares[0].stands, Stands::Accepted { .. }), "{shares:?}");
    assert_eq!(state, "Released");
    // That it failed is no news.
    let failed = || Event::Reported(1, Report::Failed { code: "1".into() });
    let (shares, _) = told(2, &[later, failed]);
    assert_eq!((&shares[0].stands, &shares[0].report), (&Stands::Waiting, &None));
}

#[test]
fn rule_two_holds_at_the_door_even_for_a_plan_that_breaks_it() {
    let stage = Stage::new((2, 2), ReleaseRule::AfterRemoval, (1, 1), false);
    let Stage { mut envelope, uploads, .. } = stage;
    let apart = envelope.routes.clone();
    let mut channel = apart.clone();
    channel[1].channel = channel[0].channel.clone();
    let mut group = apart.clone();
    group[1].group = group[0].group.clone();
    let earlier = [false, true].into_iter().flat_map(|exposed| {
        outcomes().map(|stands| Shipment { stands, exposed, ..Shipment::new(1) })
    });
    let earlier = earlier.chain([Shipment { deferred: 1, ..Shipment::new(1) }]);
    for first in earlier {
        let free =
            !first.exposed && matches!(first.stands, Stands::Waiting | Stands::Rejected { .. });
        let free = free && first.deferred == 0;
        for (routes, fits) in [(&apart, true), (&channel, free), (&group, free)] {
            envelope.routes.clone_from(routes);
            let shares = vec![first.clone(), Shipment::new(1)];
            let state = State::Releasing { envelope: envelope.clone(), shares };
            let taken = state.apply(Event::Exposing(2, uploads[0].1.removal.clone())).is_ok();
            assert_eq!(taken, fits, "after {first:?} over {routes:?}");
        }
    }
}
