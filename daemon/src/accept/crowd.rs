//! Who may stand at a door at once: so many of one kind, and of those who have not said who they are the latest ones.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

/// Counts by a key; a [`Place`] is one of the count, until it is dropped.
#[derive(Debug)]
pub(super) struct Crowd<K: Ord> {
    most: usize,
    there: Mutex<BTreeMap<K, usize>>,
}

/// One place in a [`Crowd`].
#[derive(Debug)]
pub(super) struct Place<K: Ord> {
    crowd: Arc<Crowd<K>>,
    key: K,
}

impl<K: Ord + Copy> Crowd<K> {
    /// At most so many with the same key.
    pub(super) fn of(most: usize) -> Arc<Self> {
        Arc::new(Self { most, there: Mutex::default() })
    }

    /// A place, if one is free.
    pub(super) fn enter(self: &Arc<Self>, key: K) -> Option<Place<K>> {
        let mut there = hold(&self.there);
        let count = there.entry(key).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Place { crowd: Arc::clone(self), key })
    }
}

impl<K: Ord> Drop for Place<K> {
    fn drop(&mut self) {
        let mut there = hold(&self.crowd.there);
        let Some(count) = there.get_mut(&self.key) else { return };
        *count -= 1;
        // Whoever left leaves nothing behind: addresses are too many to be remembered.
        if *count == 0 {
            there.remove(&self.key);
        }
    }
}

/// Those whose handshake is under way. When it is full, the one that stands there longest goes: whoever is slow makes
/// room for who is not, however many addresses the slow ones have.
#[derive(Debug)]
pub(super) struct Porch {
    most: usize,
    there: Mutex<VecDeque<CancellationToken>>,
}

impl Porch {
    pub(super) fn of(most: usize) -> Self {
        Self { most: most.max(1), there: Mutex::default() }
    }

    /// Comes in; the token is cancelled when somebody else needs the room. Cancelling it leaves.
    pub(super) fn enter(&self) -> CancellationToken {
        let mut there = hold(&self.there);
        there.retain(|token| !token.is_cancelled());
        while there.len() >= self.most {
            there.pop_front().inspect(CancellationToken::cancel);
        }
        let token = CancellationToken::new();
        there.push_back(token.clone());
        token
    }
}

/// One source: an address, or an IPv6 network of the size that a single host is given.
pub(super) fn source(address: IpAddr) -> u64 {
    match address.to_canonical() {
        IpAddr::V4(address) => u32::from(address).into(),
        // No such network is in use below 2^32.
        IpAddr::V6(address) => u64::try_from(u128::from(address) >> 64).unwrap_or(u64::MAX),
    }
}

/// What stands behind a lock here is whole between any two statements.
fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_it_is_left_and_is_not_remembered() {
        let crowd = Crowd::of(2);
        let first = crowd.enter(1).unwrap();
        let _second = crowd.enter(1).unwrap();
        assert!(crowd.enter(1).is_none());
        let other = crowd.enter(2).unwrap();
        drop(first);
        assert!(crowd.enter(1).is_some());
        drop(other);
        assert_eq!(hold(&crowd.there).keys().copied().collect::<Vec<_>>(), [1]);
    }

    #[test]
    fn who_stands_in_the_porch_longest_makes_room() {
        let porch = Porch::of(2);
        let [first, second, third] = [(); 3].map(|()| porch.enter());
        let gone = [&first, &second, &third].map(CancellationToken::is_cancelled);
        assert_eq!(gone, [true, false, false]);
        // Who leaves makes room too, and nobody else goes for it.
        third.cancel();
        let _fourth = porch.enter();
        assert!(!second.is_cancelled());
    }

    #[test]
    fn an_ipv6_host_is_one_source_with_all_its_addresses() {
        let of = |text: &str| source(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2::3"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::3"), of("2001:db8:1:3::3"));
        assert_eq!(of("::ffff:192.0.2.7"), of("192.0.2.7"));
        assert_ne!(of("192.0.2.7"), of("192.0.2.8"));
    }
}
