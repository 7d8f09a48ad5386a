//! When each gate last asked for work, and what each of its tasks asked last.

use std::collections::BTreeMap;
use std::sync::Mutex;

use sluis_core::id::{Time, TransferId};

use crate::role::Role;

/// When each gate last asked for work, since this process started.
#[derive(Debug, Default)]
pub struct Seen(Mutex<BTreeMap<Role, Option<Time>>>, Mutex<BTreeMap<(TransferId, u16), u64>>);

/// Of so many tasks of gates the newest question is known; gates that start anew leave theirs behind.
const TASKS: usize = 4096;

impl Seen {
    /// A gate has a socket here.
    pub fn expect(&self, gate: Role) {
        if let Ok(mut seen) = self.0.lock() {
            seen.entry(gate).or_default();
        }
    }
    /// It asked.
    pub fn asked(&self, gate: Role, now: Time) {
        if let Ok(mut seen) = self.0.lock() {
            seen.insert(gate, Some(now));
        }
    }
    /// A task asks. `false`: it asked something newer already.
    pub fn begins(&self, task: &(TransferId, u16), ask: u64) -> bool {
        let Ok(mut newest) = self.1.lock() else { return false };
        if newest.len() >= TASKS && !newest.contains_key(task) {
            newest.clear();
        }
        let before = newest.entry(*task).or_default();
        let newer = ask > *before;
        *before = ask.max(*before);
        newer
    }
    /// Whether this is still the last that the task asked.
    pub fn is_newest(&self, task: &(TransferId, u16), ask: u64) -> bool {
        self.1.lock().is_ok_and(|newest| newest.get(task) == Some(&ask))
    }
    /// Every gate that has a socket here, and when it asked last.
    pub fn all(&self) -> Vec<(Role, Option<Time>)> {
        let seen = self.0.lock().map(|seen| seen.clone()).unwrap_or_default();
        seen.into_iter().collect()
    }
}
