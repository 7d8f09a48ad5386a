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
        Event::Ended("withdrawn".into()),
        Event::Mismatch("digest".into()),
    ];
    events.extend((0..=shares.end() + 1).map(Event::ShareAccepted));
    for plaintext in [sent.plaintext, Digest::none()] {
        let open = |shares: &Vec<u8>| Event::Opened { at: Time(0), plaintext, shares: shares.clone() };
        events.extend(used.iter().map(open));
    }
    events
}

/// Holds one step against what may be said, and gives the path after it.
fn follow(sent: &Sent, before: &State, path: &Path, step: &Step) -> Path {
    let mut path = path.clone();
    let mut once = |what| assert!(path.said.insert(what), "{what} is said twice");
    assert!(matches!(before.mover(), "itself" | "municipality"), "{} is an end", before.name());
    match &step.say {
        Some(Say::Delivered(_)) => once("delivered"),
        Some(Say::Removed(_, look)) => {
            once("removed");
            assert!(look.is_gone());
        }
        Some(Say::Ready) => once("ready"),
        Some(Say::ShareAccepted(index)) => {
            assert!((1..=sent.routes.len()).contains(&usize::from(*index)), "share {index}");
            assert!(path.accepted.insert(*index), "share {index} is said twice");
        }
        Some(Say::Opened(plaintext, shares)) => {
            once("opened");
            let different: BTreeSet<u8> = shares.iter().copied().collect();
            assert_eq!(*plaintext, sent.plaintext);
            assert_eq!([shares.len(), different.len()], [usize::from(sent.threshold); 2]);
            assert!(different.is_subset(&path.accepted));
        }
        Some(Say::Failed(_)) => once("failed"),
        None => {}
    }
    // A state and what is said of it come together.
    for (state, word) in [
        ("Collected", "delivered"),
        ("Removed", "removed"),
        ("Opened", "opened"),
        ("Failed", "failed"),
    ] {
        assert!(step.state.name() != state || path.said.contains(word), "{state} unsaid");
    }
    assert_eq!(matches!(step.state, State::Opened { .. }), path.said.contains("opened"));
    path
}

#[test]
fn what_is_said_is_true_once_and_nothing_follows_an_end() {
    for (threshold, shares) in [(2, 2), (2, 3), (3, 4)] {
        let World { sent, upload, .. } = World::new(threshold, shares);
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
                let said = format!("{} {event:?}", state.name());
                let Ok(step) = state.apply(event) else { continue };
                let checked = std::panic::catch_unwind(|| follow(&sent, &state, &path, &step));
                match checked {
                    Ok(path) => open.push((step.state, path)),
                    Err(_) => drop(faults.insert(said)),
                }
            }
        }
        let states = visited.len();
        assert!(faults.is_empty(), "{threshold} of {shares}, {states} states: {faults:#?}");
        let names: BTreeSet<_> = visited.iter().map(|(json, _)| json.split('"').nth(3)).collect();
        assert_eq!(names.len(), 6, "{states} states: {names:?}");
    }
}
