//! Work that is not done where the sockets are served: on a worker's thread, or on one of its own.

use std::io;

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
