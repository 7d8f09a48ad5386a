//! Whether the clock can be believed: what it says against the time that the machine has been up (rule 12).
//!
//! A clock that ran ahead holds everything that expires, until it is set right or two persons confirm it; nothing is
//! destroyed on a jump alone. One that ran back locks nothing up: what was due later is due now.

use std::sync::Mutex;

use crate::books::{Books, Result, detail};
use crate::clock::Clock;

/// A drift larger than this between two looks is a jump.
const JUMP_MS: i64 = 3_600_000;
/// A machine that was off tells nothing of how long: up to this much is taken for being off.
const OFF_MS: i64 = 86_400_000;
/// How often a look is kept, where nothing happens, in milliseconds of being up.
const KEEP_MS: i64 = 600_000;

/// The two clocks at one moment, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// What time it is said to be.
    pub wall: i64,
    /// How long the machine has been up.
    pub up: i64,
}

impl Look {
    fn now(clock: &dyn Clock) -> Self {
        Self { wall: clock.now().0, up: clock.up() }
    }
    /// By how much the clock ran away since an earlier look. What a machine that was off may have missed is none.
    #[must_use]
    pub fn drift(self, before: Self) -> i64 {
        let wall = self.wall.saturating_sub(before.wall);
        if self.up >= before.up {
            return wall.saturating_sub(self.up - before.up);
        }
        if (-JUMP_MS..=OFF_MS).contains(&wall) { 0 } else { wall }
    }
}

/// What was seen last.
#[derive(Debug, Default)]
pub struct Steady {
    seen: Mutex<Option<Look>>,
    /// One look at a time: two would count the same drift twice.
    turn: tokio::sync::Mutex<()>,
}

/// How far the clock is ahead of what is believed, after this drift.
#[must_use]
pub fn ahead(before: i64, drift: i64) -> i64 {
    before.saturating_add(drift).max(0)
}

/// Whether so much ahead holds what expires.
#[must_use]
pub fn holds(ahead: i64) -> bool {
    ahead > JUMP_MS
}

impl Books {
    /// Looks at the clock; whether what expires is held. Writes only where something changed, or now and then.
    ///
    /// # Errors
    /// [`crate::books::CoreError::Store`].
    pub async fn clock_holds(&self) -> Result<bool> {
        let _turn = self.steady.turn.lock().await;
        let (now, look) = (self.now(), Look::now(&*self.clock));
        let seen = self.steady.seen.lock().map(|seen| *seen).unwrap_or_default();
        if let Some(seen) = seen
            && look.drift(seen).abs() <= JUMP_MS
            && look.up - seen.up < KEEP_MS
        {
            return Ok(self.clock_is_held());
        }
        let mut tx = self.store.begin().await?;
        let kept = match (tx.number("clock-wall").await?, tx.number("clock-up").await?) {
            (Some(wall), Some(up)) => Some(Look { wall, up }),
            _ => None,
        };
        let drift = seen.or(kept).map_or(0, |before| look.drift(before));
        let before = tx.number("clock-ahead").await?.unwrap_or_default();
        // Small differences add up: a clock that creeps is held in the end.
        let ahead = ahead(before, drift);
        for (name, value) in
            [("clock-wall", look.wall), ("clock-up", look.up), ("clock-ahead", ahead)]
        {
            tx.set_number(name, value).await?;
        }
        if drift.abs() > JUMP_MS {
            let kind = if drift > 0 { "clock-forward" } else { "clock-back" };
            tracing::warn!(seconds = drift / 1000, held = holds(ahead), "the clock jumped");
            tx.enter(now, kind, None, detail([("seconds", (drift / 1000).to_string())])).await?;
        }
        if drift < -JUMP_MS {
            tx.due_now(now).await?;
        }
        if drift < -JUMP_MS {
            self.commit(tx).await?;
        } else {
            // Nobody waits for this.
            tx.commit().await?;
        }
        self.seen(look, ahead);
        Ok(holds(ahead))
    }

    /// Whether what expires is held, as of the last look.
    #[must_use]
    pub fn clock_is_held(&self) -> bool {
        holds(self.ahead.load(std::sync::atomic::Ordering::SeqCst))
    }

    /// Two persons confirmed that the clock is right.
    ///
    /// # Errors
    /// [`crate::books::CoreError::Store`].
    pub async fn believe_clock(&self, tx: &mut crate::store::Tx) -> Result<()> {
        tx.set_number("clock-ahead", 0).await?;
        self.seen(Look::now(&*self.clock), 0);
        Ok(())
    }

    fn seen(&self, look: Look, ahead: i64) {
        if let Ok(mut seen) = self.steady.seen.lock() {
            *seen = Some(look);
        }
        self.ahead.store(ahead, std::sync::atomic::Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;
    const START: Look = Look { wall: 1_000 * HOUR, up: 10 * HOUR };

    fn later(wall: i64, up: i64) -> i64 {
        Look { wall: START.wall + wall, up: START.up + up }.drift(START)
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
        assert_eq!(later(24 * HOUR, up), 0);
        assert_eq!(later(48 * HOUR, up), 48 * HOUR);
        assert_eq!(later(-2 * HOUR, up), -2 * HOUR);
    }

    #[test]
    fn a_jump_back_takes_away_what_it_takes_back_and_no_more() {
        let far = ahead(0, 8 * 24 * HOUR);
        assert!(holds(far));
        assert!(holds(ahead(far, -2 * HOUR)), "two hours back do not make eight days believed");
        assert!(!holds(ahead(far, -8 * 24 * HOUR)));
        assert_eq!(ahead(0, -HOUR * 24), 0);
        let crept = (0..8).fold(0, |before, _| ahead(before, HOUR / 6));
        assert!(holds(crept), "ten minutes, eight times");
    }
}
