//! Whether the clock can be believed: what it says against the time that the machine has been up (rule 12).
//!
//! A clock that ran ahead holds everything that expires, until it is set right or two persons confirm it; nothing is
//! destroyed on a jump alone. One that ran back locks nothing up: what was due later is due now.

use std::sync::Mutex;

use crate::clock::Clock;

/// A drift larger than this between two looks is a jump.
pub(crate) const JUMP_MS: i64 = 3_600_000;
/// A machine that was off tells nothing of how long: up to this much is taken for being off.
const OFF_MS: i64 = 86_400_000;
/// All that was taken for being off, less what was made good since, is at most this much.
const MOST_OFF_MS: i64 = 3 * OFF_MS;
/// So many hours of being up make good one of being off: whoever starts it again and again brings the clock no further.
const MADE_GOOD: i64 = 2;
/// How often a look is kept, where nothing happens, in milliseconds of being up.
pub(crate) const KEEP_MS: i64 = 600_000;

/// The two clocks at one moment, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// What time it is said to be.
    pub wall: i64,
    /// How long the machine has been up.
    pub up: i64,
}

/// What passed between two looks, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Passed {
    /// How long the machine was up.
    pub up: i64,
    /// How long it was off, as its clock says and as may be.
    pub off: i64,
    /// By how much the clock ran away from both: ahead, or back where it is negative.
    pub drift: i64,
}

/// How far the clock is believed, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Trust {
    /// How far it is ahead of what is believed.
    pub ahead: i64,
    /// What was taken for being off, and not made good since.
    pub off: i64,
}

impl Look {
    pub(crate) fn now(clock: &dyn Clock) -> Self {
        Self { wall: clock.now().0, up: clock.up() }
    }
    /// What passed since an earlier look.
    #[must_use]
    pub fn since(self, before: Self) -> Passed {
        let wall = self.wall.saturating_sub(before.wall);
        if self.up >= before.up {
            let up = self.up - before.up;
            return Passed { up, off: 0, drift: wall.saturating_sub(up) };
        }
        if (-JUMP_MS..=OFF_MS).contains(&wall) {
            return Passed { off: wall.max(0), ..Passed::default() };
        }
        Passed { drift: wall, ..Passed::default() }
    }
}

impl Passed {
    pub(crate) fn is_jump(self) -> bool {
        self.drift.abs() > JUMP_MS
    }
}

impl Trust {
    /// How far it is believed after that. What a clock is set back is taken from what it was ahead, and then from what was
    /// taken for being off. Where that becomes too much, none of it is believed.
    #[must_use]
    pub fn after(self, passed: Passed) -> Self {
        let off = (self.off - passed.up / MADE_GOOD).max(0).saturating_add(passed.off);
        let ahead = self.ahead.saturating_add(passed.drift);
        let off = off.saturating_add(ahead.min(0)).max(0);
        let ahead = ahead.max(0);
        if off > MOST_OFF_MS {
            return Self { ahead: ahead.saturating_add(off), off: 0 };
        }
        Self { ahead, off }
    }

    /// Whether that holds what expires.
    #[must_use]
    pub fn holds(self) -> bool {
        holds(self.ahead)
    }
}

/// What was seen last.
#[derive(Debug, Default)]
pub struct Steady {
    pub(crate) seen: Mutex<Option<Look>>,
    /// One look at a time: two would count the same drift twice.
    pub(crate) turn: tokio::sync::Mutex<()>,
}

/// Whether so much ahead holds what expires.
#[must_use]
pub fn holds(ahead: i64) -> bool {
    ahead > JUMP_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;
    const START: Look = Look { wall: 1_000 * HOUR, up: 10 * HOUR };

    fn passed(wall: i64, up: i64) -> Passed {
        Look { wall: START.wall + wall, up: START.up + up }.since(START)
    }

    fn later(wall: i64, up: i64) -> i64 {
        passed(wall, up).drift
    }

    #[test]
    fn time_that_passes_is_no_jump_however_long() {
        for hours in [0, 1, 24, 10_000] {
            assert_eq!(later(hours * HOUR, hours * HOUR), 0);
            assert_eq!(later(hours * HOUR + 60_000, hours * HOUR), 60_000);
        }
    }

    #[test]
    fn a_jump_is_seen_whichever_way_also_when_nobody_looked() {
        assert_eq!(later(25 * HOUR, HOUR), 24 * HOUR);
        assert_eq!(later(-8760 * HOUR, HOUR), -8761 * HOUR);
        assert_eq!(later(6 * 8766 * HOUR, 0), 6 * 8766 * HOUR);
    }

    #[test]
    fn a_machine_that_was_off_for_a_day_is_believed_and_not_for_two() {
        let up = -9 * HOUR;
        assert_eq!(passed(24 * HOUR, up), Passed { off: 24 * HOUR, ..Passed::default() });
        assert_eq!(later(48 * HOUR, up), 48 * HOUR);
        assert_eq!(later(-2 * HOUR, up), -2 * HOUR);
    }

    fn drifted(trust: Trust, drift: i64) -> Trust {
        trust.after(Passed { drift, ..Passed::default() })
    }

    #[test]
    fn a_jump_back_takes_away_what_it_takes_back_and_no_more() {
        let far = drifted(Trust::default(), 8 * 24 * HOUR);
        assert!(far.holds());
        assert!(drifted(far, -2 * HOUR).holds(), "two hours back do not make eight days believed");
        assert!(!drifted(far, -8 * 24 * HOUR).holds());
        assert_eq!(drifted(Trust::default(), -HOUR * 24), Trust::default());
        let crept = (0..8).fold(Trust::default(), |before, _| drifted(before, HOUR / 6));
        assert!(crept.holds(), "ten minutes, eight times");
    }

    /// So often the machine was off for so long and then up for so long.
    fn nights(often: usize, off: i64, up: i64) -> Trust {
        (0..often).fold(Trust::default(), |before, _| {
            before
                .after(Passed { off, ..Passed::default() })
                .after(Passed { up, ..Passed::default() })
        })
    }

    #[test]
    fn a_machine_that_is_off_again_and_again_is_believed_for_three_days_in_all() {
        assert!(!nights(3, 23 * HOUR, HOUR / 12).holds());
        assert!(nights(4, 23 * HOUR, HOUR / 12).holds());
        assert_eq!(nights(4, 24 * HOUR, 0), Trust { ahead: 96 * HOUR, off: 0 }, "none of it");
        assert!(nights(800, HOUR / 2, 0).holds(), "however little each time");
        assert!(!nights(2000, 8 * HOUR, 16 * HOUR).holds(), "off for the night");
        assert!(nights(20, 14 * HOUR, 10 * HOUR).holds(), "off for most of the time");
        // Set right by as much it is believed again, also before it was held.
        let far = nights(4, 23 * HOUR, 0);
        assert!(drifted(far, -91 * HOUR).ahead <= JUMP_MS);
        assert_eq!(drifted(nights(3, 23 * HOUR, 0), -60 * HOUR).off, 9 * HOUR);
    }
}
