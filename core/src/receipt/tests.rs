//! All states that a receipt can reach, and what was said on the way to each.

use super::*;
use crate::evidence::tests::{GONE, World};

/// What was said on the way to a state.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Path {
    said: BTreeSet<&'static str>,
    accepted: BTreeSet<u8>,
}

/// Every event, also those out of place, twice over, or wrong.
fn events(sent: &Sent, upload: UploadId) -> Vec<Event> {
    let shares = 1..=u8::try_from(sent.routes.len()).unwrap();
    let mut used = vec![vec![]];
    let mut from = 0;
    for _ in 0..=sent.threshold {
        let longer = used[from..].iter().flat_map(|list: &Vec<u8>| {
            shares.clone().map(move |index| [&list[..], &[index]].concat())
        });
        let longer: Vec<Vec<u8>> = longer.collect();
        from = used.len();
        used.extend(longer);
    }
    let mut events = vec![
        Event::Collected(upload),
        Event::Terminated(GONE),
        Event::Terminated(Look { head: 200, ..GONE }),
        Event::Terminated(Look { control: 410, ..GONE }),
        Event::Ready,
        Event::Destroy,
        Event::Destroyed,
        Event::Ended("withdrawn".into()),
        Event::Mismatch("digest".into()),
    ];
    events.extend((0..=shares.end() + 1).map(Event::ShareAccepted));
    for plaintext in [sent.plaintext, Digest::none()] {
        let open =
            |shares: &Vec<u8>| Event::Opened { at: Time(0), plaintext, shares: shares.clone() };
        events.extend(used.iter().map(open));
    }
    events
}

fn must(holds: bool, rule: &'static str) -> Result<(), &'static str> {
    if holds { Ok(()) } else { Err(rule) }
}

/// Holds one step against what may be said, and gives the path after it.
fn follow(sent: &Sent, before: &State, path: &Path, step: &Step) -> Result<Path, &'static str> {
    let mut path = path.clone();
    let goes_on = matches!(before.mover(), "itself" | "municipality") || before.name() == "Opened";
    must(goes_on, "nothing follows an end")?;
    let word = match &step.say {
        Some(Say::Delivered(_)) => "delivered",
        Some(Say::Removed(_, look)) => {
            must(look.is_gone(), "what is removed is gone")?;
            "removed"
        }
        Some(Say::Ready) => "ready",
        Some(Say::ShareAccepted(index)) => {
            let known = (1..=sent.routes.len()).contains(&usize::from(*index));
            must(known, "a share that is accepted is one of the plan's")?;
            must(path.accepted.insert(*index), "a share is said once")?;
            ""
        }
        Some(Say::Opened(plaintext, shares)) => {
            let different: BTreeSet<u8> = shares.iter().copied().collect();
            let exactly = [shares.len(), different.len()] == [usize::from(sent.threshold); 2];
            must(exactly, "t different shares open")?;
            must(different.is_subset(&path.accepted), "only accepted shares open")?;
            must(*plaintext == sent.plaintext, "what comes out is what went in")?;
            "opened"
        }
        Some(Say::Destroyed(opened)) => {
            must(path.said.contains("removed"), "what is destroyed is gone from the medium")?;
            must(*opened == path.said.contains("opened"), "what is said to be erased was there")?;
            "destroyed"
        }
        Some(Say::Failed(_)) => "failed",
        None => "",
    };
    must(word.is_empty() || path.said.insert(word), "each word is said once")?;
    let due = match step.state.name() {
        "Collected" => "delivered",
        "Removed" => "removed",
        "Opened" => "opened",
        "Destroyed" => "destroyed",
        "Failed" => "failed",
        _ => return Ok(path),
    };
    must(path.said.contains(due), "a state and its statement come together")?;
    Ok(path)
}

#[test]
fn what_is_said_is_true_once_and_nothing_follows_an_end() {
    for (threshold, shares) in [(2, 2), (2, 3), (3, 4)] {
        let World { mut sent, upload, .. } = World::new(threshold, shares);
        sent.exercise = shares == 3;
        let first = State::Announced { sent: sent.clone() };
        let mut visited = BTreeSet::new();
        let mut faults = BTreeSet::new();
        let mut open = vec![(first, Path::default())];
        while let Some((state, path)) = open.pop() {
            let json = serde_json::to_string(&state).unwrap();
            assert_eq!(serde_json::from_str::<State>(&json).unwrap(), state);
            if !visited.insert((json, path.clone())) {
                continue;
            }
            for event in events(&sent, upload) {
                let said = format!("{event:?} while {}", state.name());
                if matches!(event, Event::Destroy) {
                    let can = state.can_be_destroyed();
                    assert_eq!(state.apply(Event::Destroy).is_ok(), can, "{said}");
                }
                let Ok(step) = state.apply(event) else { continue };
                match follow(&sent, &state, &path, &step) {
                    Ok(path) => open.push((step.state, path)),
                    Err(rule) => drop(faults.insert(format!("{rule}: {said}"))),
                }
            }
        }
        let states = visited.len();
        assert!(faults.is_empty(), "{threshold} of {shares}, {states} states: {faults:#?}");
        let names: BTreeSet<_> = visited.iter().map(|(json, _)| json.split('"').nth(3)).collect();
        assert_eq!(names.len(), 8, "{states} states: {names:?}");
    }
}
