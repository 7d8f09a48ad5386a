//! The door of a role that listens on a network: TCP, TLS, HTTP/1.1, each with a limit in count and time; [`local`] is
//! that of a core's own sockets.
//!
//! The handshake runs in a task of its own under a deadline, so nobody can hold up the door by being slow. Who has not
//! said who it is counts by its address, and in its own room: no number of strangers takes a place from a known peer.
//! Who has counts by its key: no peer takes the places of another.

mod crowd;
pub mod local;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use crowd::{Crowd, Place, Porch, source};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use sluis_core::id::Digest;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::drain::polls_end;
use crate::tls::pin_of;

/// Who is at the other end of the connection: the SHA-256 of its TLS public key, on every request as an
/// `axum::Extension`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub Digest);

/// What may come in.
#[derive(Debug)]
pub struct Door {
    /// Where.
    pub listener: TcpListener,
    /// How; plain only where a server on this machine speaks TLS for it.
    pub tls: Option<ServerConfig>,
    /// How many connections at once.
    pub max_connections: usize,
    /// A reader that takes nothing for so long has gone away: [`WRITE`].
    pub write: Duration,
    /// By which of its keys a peer is counted that has several.
    pub keys: BTreeMap<Digest, Digest>,
}

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long a reader may take nothing.
pub const WRITE: Duration = Duration::from_secs(60);
/// How long the head of a request may take.
const HEAD: Duration = Duration::from_secs(15);

/// How many connections of one address may be in their handshake, or stay without a name where none is asked for.
const OF_ONE_ADDRESS: usize = 32;
/// The part of all connections that one peer may have, and that may be in their handshake beside them.
const PART: usize = 4;

/// Who is let in, and how many of each.
struct Hall {
    acceptor: Option<TlsAcceptor>,
    router: Router,
    places: Arc<Semaphore>,
    porch: Porch,
    addresses: Arc<Crowd<u64>>,
    peers: Arc<Crowd<Digest>>,
    keys: BTreeMap<Digest, Digest>,
    write: Duration,
}

/// Serves until stopped, then lets what runs end, at most for `drain`.
pub async fn serve(door: Door, router: Router, stop: CancellationToken, drain: Duration) {
    let Door { listener, tls, max_connections, write, keys } = door;
    let part = max_connections.div_ceil(PART);
    let hall = Arc::new(Hall {
        acceptor: tls.map(|tls| TlsAcceptor::from(Arc::new(tls))),
        router: polls_end(router, stop.clone()),
        places: Arc::new(Semaphore::new(max_connections)),
        porch: Porch::of(part),
        addresses: Crowd::of(OF_ONE_ADDRESS),
        peers: Crowd::of(part),
        keys,
        write,
    });
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, from)) = accepted else {
            // Out of descriptors, most likely: wait instead of spinning.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let watcher = graceful.watcher();
        // No place: the connection is closed at once, which its client takes for "try later".
        if hall.acceptor.is_none() {
            let Ok(place) = Arc::clone(&hall.places).try_acquire_owned() else { continue };
            let router = hall.router.clone();
            tokio::spawn(async move {
                let _place = place;
                http(stream, router, write, watcher).await;
            });
        } else if let Some(address) = hall.addresses.enter(source(from.ip())) {
            let (hall, turn) = (Arc::clone(&hall), hall.porch.enter());
            tokio::spawn(async move { connection(stream, &hall, address, turn, watcher).await });
        }
    }
    drop(listener);
    let _ = tokio::time::timeout(drain, graceful.shutdown()).await;
}

async fn connection(
    stream: TcpStream,
    hall: &Hall,
    address: Place<u64>,
    turn: CancellationToken,
    watcher: Watcher,
) {
    let Some(acceptor) = &hall.acceptor else { return };
    let shaken = tokio::select! {
        shaken = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)) => shaken.ok(),
        () = turn.cancelled() => None,
    };
    turn.cancel();
    let Some(Ok(stream)) = shaken else {
        tracing::info!("a connection was refused in its handshake");
        return;
    };
    let certificate = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
    let pin = match certificate.map(pin_of).transpose() {
        Ok(pin) => pin,
        Err(_) => return,
    };
    let Some(place) = hall.place(pin, address) else {
        tracing::warn!("a connection found no place; its peer has its part, or all are taken");
        return;
    };
    let router = match pin {
        Some(pin) => hall.router.clone().layer(Extension(Peer(pin))),
        None => hall.router.clone(),
    };
    http(stream, router, hall.write, watcher).await;
    drop(place);
}

/// A place inside: one of all, and one of its peer's or else of its address.
type Inside = (OwnedSemaphorePermit, Option<Place<Digest>>, Option<Place<u64>>);

impl Hall {
    /// Whoever is known by a key counts by it, whichever of its keys that is, and no longer by an address that others may
    /// have too.
    fn place(&self, pin: Option<Digest>, address: Place<u64>) -> Option<Inside> {
        let one = Arc::clone(&self.places).try_acquire_owned().ok()?;
        let counted = |pin: Digest| self.keys.get(&pin).copied().unwrap_or(pin);
        Some(match pin.map(counted) {
            Some(pin) => (one, Some(self.peers.enter(pin)?), None),
            None => (one, None, Some(address)),
        })
    }
}

/// HTTP/1.1 on a connection whose reader may take so long for what is written.
async fn http<S>(stream: S, router: Router, write: Duration, watcher: Watcher)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(write));
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_headers(64)
        .max_buf_size(64 * 1024)
        .serve_connection(TokioIo::new(Box::pin(stream)), TowerToHyperService::new(router));
    if let Err(error) = watcher.watch(served).await {
        tracing::debug!(%error, "a connection ended early");
    }
}

#[cfg(test)]
mod tests;
