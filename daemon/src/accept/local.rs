//! The door of a core: its Unix sockets. Each has so many connections at once, and so many of one user, so that no person
//! takes the files of this process from the gates, or a place from another person.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::middleware::map_request;
use axum::{Extension, Router};
use futures_util::{StreamExt, stream};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::UnixListener;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::crowd::Crowd;
use super::http;
use crate::drain::polls_end;
use crate::gatehouse::Caller;

/// A body of which nothing comes for so long is cut. A gate waits for the network in the middle of one.
const BODY: Duration = Duration::from_secs(600);
/// A reader that takes nothing for so long has gone away. A person reads a list page by page.
const WRITE: Duration = Duration::from_secs(3600);

/// How many connections a socket has at once, and how long one may stand still.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    /// Of everybody.
    pub all: usize,
    /// Of one user.
    pub of_one: usize,
    /// How long nothing may come of a body that was begun.
    pub body: Duration,
    /// How long a reader may take nothing.
    pub write: Duration,
}

impl Room {
    /// That of persons, and of monitoring.
    pub const PERSONS: Self = Self { all: 128, of_one: 32, body: BODY, write: WRITE };

    /// That of a gate, which asks for the work of each of these agreements and moves what there is of it.
    #[must_use]
    pub const fn of_gate(agreements: usize) -> Self {
        let all = 256 + 32 * agreements;
        Self { all, of_one: all, ..Self::PERSONS }
    }
}

/// Serves a socket until `stop`, then lets running requests end.
pub async fn serve(listener: UnixListener, router: Router, room: Room, stop: CancellationToken) {
    let router = timely(polls_end(router, stop.clone()), room.body);
    let (places, users) = (Arc::new(Semaphore::new(room.all)), Crowd::of(room.of_one));
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else {
            // Out of descriptors, most likely: wait instead of spinning.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        // No credentials, no person: nobody has this uid.
        let uid = stream.peer_cred().map_or(u32::MAX, |cred| cred.uid());
        let place = users.enter(uid).zip(Arc::clone(&places).try_acquire_owned().ok());
        let Some(place) = place else {
            tracing::warn!(
                uid,
                "a connection found no place; its user has its part, or all are taken"
            );
            continue;
        };
        let router = router.clone().layer(Extension(ConnectInfo(Caller { uid })));
        let watcher = graceful.watcher();
        tokio::spawn(async move {
            let _place = place;
            http(stream, router, room.write, watcher).await;
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

/// Cuts a body that stands still.
fn timely(router: Router, most: Duration) -> Router {
    router.layer(map_request(move |request: Request| async move {
        request.map(|body| {
            let pieces = Box::pin(body.into_data_stream());
            Body::from_stream(stream::unfold(pieces, move |mut pieces| async move {
                let piece = match timeout(most, pieces.next()).await {
                    Ok(piece) => piece?,
                    Err(slow) => Err(axum::Error::new(slow)),
                };
                Some((piece, pieces))
            }))
        })
    }))
}
