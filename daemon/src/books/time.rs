//! The books look at the clock, and keep what they saw.

use sluis_core::id::Time;
use std::sync::atomic::Ordering;

use super::Books;
use crate::error::Result;
use crate::steady::{JUMP_MS, KEEP_MS, Look, Passed, Trust, holds};
use crate::store::{Tx, detail};

impl Books {
    /// Looks at the clock. What time it is, where that is believed; nothing where what expires is held. Writes only where
    /// something changed, or now and then.
    ///
    /// # Errors
    /// [`crate::error::CoreError::Store`].
    pub async fn believed(&self) -> Result<Option<Time>> {
        let _turn = self.steady.turn.lock().await;
        let (now, look) = (self.now(), Look::now(&*self.clock));
        let seen = self.steady.seen.lock().map(|seen| *seen).unwrap_or_default();
        if let Some(seen) = seen
            && !look.since(seen).is_jump()
            && (0..KEEP_MS).contains(&(look.up - seen.up))
        {
            return Ok((!self.clock_is_held()).then_some(now));
        }
        let mut tx = self.store.begin().await?;
        let kept = match (tx.number("clock-wall").await?, tx.number("clock-up").await?) {
            (Some(wall), Some(up)) => Some(Look { wall, up }),
            _ => None,
        };
        let passed = seen.or(kept).map_or(Passed::default(), |before| look.since(before));
        let before = Trust {
            ahead: tx.number("clock-ahead").await?.unwrap_or_default(),
            off: tx.number("clock-off").await?.unwrap_or_default(),
        };
        // Small differences add up: a clock that creeps is held in the end.
        let trust = before.after(passed);
        tx.keep_clock(look, trust).await?;
        // A machine that was off too often is a clock that jumped by all of it.
        let jump = if passed.is_jump() { passed.drift } else { trust.ahead - before.ahead };
        if jump.abs() > JUMP_MS {
            let kind = if jump > 0 { "clock-forward" } else { "clock-back" };
            tracing::warn!(seconds = jump / 1000, held = trust.holds(), "the clock jumped");
            tx.enter(now, kind, None, detail([("seconds", (jump / 1000).to_string())])).await?;
        }
        if jump < -JUMP_MS {
            tx.due_now(now).await?;
        }
        tx.forget_asked(now).await?;
        if jump.abs() > JUMP_MS || !trust.holds() {
            // Who said that the clock is right said it of the jump before.
            tx.unask("clock", "clock").await?;
        }
        if jump < -JUMP_MS {
            self.commit(tx).await?;
        } else {
            // Nobody waits for this.
            tx.commit().await?;
        }
        self.seen(look, trust);
        Ok((!trust.holds()).then_some(now))
    }

    /// Whether what expires is held, as of the last look.
    #[must_use]
    pub fn clock_is_held(&self) -> bool {
        holds(self.ahead.load(Ordering::SeqCst))
    }

    /// Two persons confirmed that the clock is right: their word is entered, and from then on it is believed.
    ///
    /// # Errors
    /// [`crate::error::CoreError::Store`].
    pub async fn believe_clock(&self, mut tx: Tx) -> Result<()> {
        let look = Look::now(&*self.clock);
        // What was confirmed by a clock that was wrong has its cooling-off from here on, whole.
        tx.confirmed_now(self.now()).await?;
        tx.keep_clock(look, Trust::default()).await?;
        self.commit(tx).await?;
        self.seen(look, Trust::default());
        Ok(())
    }

    fn seen(&self, look: Look, trust: Trust) {
        if let Ok(mut seen) = self.steady.seen.lock() {
            *seen = Some(look);
        }
        self.ahead.store(trust.ahead, Ordering::SeqCst);
    }
}

impl Tx {
    async fn keep_clock(&mut self, look: Look, trust: Trust) -> Result<()> {
        for (name, value) in [
            ("clock-wall", look.wall),
            ("clock-up", look.up),
            ("clock-ahead", trust.ahead),
            ("clock-off", trust.off),
        ] {
            self.set_number(name, value).await?;
        }
        Ok(())
    }
}
