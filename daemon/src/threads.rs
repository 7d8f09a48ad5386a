//! Work that is not done where the sockets are served: on a worker's thread, or on one of its own.

use std::io;
use std::time::Duration;

use crate::error::CoreError;

/// Work that waits for the disk or the processor does not hold up the sockets.
///
/// # Errors
/// [`CoreError::Io`] where the worker died.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, CoreError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|e| CoreError::Io("a worker thread".into(), io::Error::other(e)))
}

/// More than the C library keeps of the stacks of threads that have ended: one of this size goes back to the system.
const STACK: usize = 64 << 20;

/// The same for work that has a key or a list in its hands: on a thread of its own, whose stack goes with it and with all
/// that was on it. A worker's stays for as long as there is work.
///
/// # Errors
/// [`CoreError::Io`] where there is no thread, or it died.
pub async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, CoreError> {
    let failed = |error| CoreError::Io("a thread of its own".into(), error);
    let (tell, told) = tokio::sync::oneshot::channel();
    let thread = std::thread::Builder::new().stack_size(STACK);
    let thread = thread.spawn(move || _ = tell.send(work())).map_err(failed)?;
    let done = told.await;
    // It has nothing left to do. Only a thread that was waited for gives its stack back at once.
    let _ = thread.join();
    done.map_err(|e| failed(io::Error::other(e)))
}

/// Work that takes long, and this each time that so much of it has passed: what was begun goes on to its end.
pub async fn kept_up<T, F: Future<Output = ()>>(
    work: impl Future<Output = T>,
    every: Duration,
    mut again: impl FnMut() -> F,
) -> T {
    tokio::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return done,
            () = tokio::time::sleep(every) => again().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_takes_long_is_kept_up_until_it_is_done() {
        let (times, done) = (std::cell::Cell::new(0), tokio::sync::Notify::new());
        let work = async {
            done.notified().await;
            times.get()
        };
        let again = || async {
            times.set(times.get() + 1);
            if times.get() == 3 {
                done.notify_one();
            }
        };
        assert_eq!(kept_up(work, Duration::from_millis(1), again).await, 3);
    }
}
