//! The door of a role that listens on a network: TCP, TLS, HTTP/1.1, each with a limit in count and time.
//!
//! The handshake runs in a task of its own under a deadline, so nobody can hold up the door by being slow.

use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use sluis_core::id::Digest;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
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
}

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// A reader that takes nothing for so long has gone away.
const WRITE: Duration = Duration::from_secs(60);
/// How long the head of a request may take.
const HEAD: Duration = Duration::from_secs(15);

/// Serves until stopped, then lets what runs end, at most for `drain`.
pub async fn serve(door: Door, router: Router, stop: CancellationToken, drain: Duration) {
    let Door { listener, tls, max_connections } = door;
    let acceptor = tls.map(|tls| TlsAcceptor::from(Arc::new(tls)));
    let router = polls_end(router, stop.clone());
    let places = Arc::new(Semaphore::new(max_connections));
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
        // No place: the connection is closed at once, which its client takes for "try later".
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
        let (acceptor, router, watcher) = (acceptor.clone(), router.clone(), graceful.watcher());
        tokio::spawn(async move {
            let _place = place;
            connection(stream, acceptor, router, watcher).await;
        });
    }
    drop(listener);
    let _ = tokio::time::timeout(drain, graceful.shutdown()).await;
}

async fn connection(
    stream: TcpStream,
    acceptor: Option<TlsAcceptor>,
    router: Router,
    watcher: Watcher,
) {
    let _ = stream.set_nodelay(true);
    let Some(acceptor) = acceptor else { return http(stream, router, watcher).await };
    let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await else {
        tracing::info!("a connection was refused in its handshake");
        return;
    };
    let certificate = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
    match certificate.map(pin_of) {
        Some(Ok(pin)) => http(stream, router.layer(Extension(Peer(pin))), watcher).await,
        Some(Err(_)) => {}
        None => http(stream, router, watcher).await,
    }
}

async fn http<S>(stream: S, router: Router, watcher: Watcher)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(WRITE));
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
