//! Points where a test makes a role fail: each durable step, and each moment in which something leaves.
//!
//! Nothing of it is in the product: only the feature `faults` makes more of a point than `Ok`. A point is named by the line
//! that takes the step and by what it does, as in `agency/claim.rs:112 rename`: a new step is a new point by itself.

#[cfg(feature = "faults")]
mod asked;

use std::io;
use std::panic::Location;
use std::time::Duration;

#[cfg(feature = "faults")]
pub use asked::at;

/// A point in the caller's line.
///
/// # Errors
/// The one that a test asked for.
#[track_caller]
pub fn point(what: &'static str) -> io::Result<()> {
    at(Location::caller(), what)
}

/// Something leaves: a point before, and one after, where its answer is lost.
///
/// # Errors
/// The one that a test asked for; after it left too.
#[track_caller]
pub fn leaving<T>(sent: impl Future<Output = T>) -> impl Future<Output = io::Result<T>> {
    let line = Location::caller();
    async move {
        at(line, "leaves")?;
        let answer = sent.await;
        at(line, "left")?;
        Ok(answer)
    }
}

/// A point in another line: where the caller itself is no place to name.
///
/// # Errors
/// The one that a test asked for.
#[cfg(not(feature = "faults"))]
#[inline]
pub const fn at(_: &Location<'_>, _: &'static str) -> io::Result<()> {
    Ok(())
}

/// How long something waits that is done from time to time, and that a test does not wait for.
#[must_use]
pub const fn waits(usual: Duration) -> Duration {
    if cfg!(feature = "faults") { Duration::ZERO } else { usual }
}
