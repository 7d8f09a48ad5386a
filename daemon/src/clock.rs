//! Time as an argument: the real clock, and one that tests move.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};
use sluis_core::id::Time;

/// Tells the time.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// Now.
    fn now(&self) -> Time;
    /// How long the machine has been up, in milliseconds: nobody sets that.
    fn up(&self) -> i64;
}

/// A clock that is shared.
pub type SharedClock = Arc<dyn Clock>;

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealClock;

impl Clock for RealClock {
    fn now(&self) -> Time {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Time(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
    fn up(&self) -> i64 {
        let up = clock_gettime(ClockId::Boottime);
        up.tv_sec * 1000 + up.tv_nsec / 1_000_000
    }
}

/// A clock that stands still until it is moved.
#[derive(Debug, Default)]
pub struct HandClock {
    wall: AtomicI64,
    up: AtomicI64,
}

impl HandClock {
    /// Standing at this time.
    #[must_use]
    pub fn at(time: Time) -> Arc<Self> {
        Arc::new(Self { wall: AtomicI64::new(time.0), up: AtomicI64::new(0) })
    }
    /// Time passes.
    pub fn advance_ms(&self, ms: i64) {
        self.jump_ms(ms);
        self.up.fetch_add(ms, Ordering::SeqCst);
    }
    /// Somebody sets it, forward or back: the machine is up for no longer than it was.
    pub fn jump_ms(&self, ms: i64) {
        self.wall.fetch_add(ms, Ordering::SeqCst);
    }
    /// The machine starts again, and its clock says that it was off for so long.
    pub fn reboot_ms(&self, ms: i64) {
        self.jump_ms(ms);
        self.up.store(0, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Time {
        Time(self.wall.load(Ordering::SeqCst))
    }
    fn up(&self) -> i64 {
        self.up.load(Ordering::SeqCst)
    }
}
