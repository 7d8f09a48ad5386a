//! Doors whose limits are short, and who stands still at them: real connections.

use std::collections::BTreeMap;
use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::routing::{get, post};
use futures_util::stream;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

use super::local::Room;
use super::*;

/// What takes a minute or ten there takes this long here.
const SHORT: Duration = Duration::from_millis(200);
/// More than any of it takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Says that it is gone.
struct Guard(UnboundedSender<()>);

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

/// An answer without an end, and a word once nobody waits for it any more.
fn endless() -> (Router, UnboundedReceiver<()>) {
    let (told, gone) = unbounded_channel();
    let answer = move || {
        let guard = Guard(told.clone());
        async move {
            Body::from_stream(stream::repeat_with(move || {
                let _there = &guard;
                Ok::<_, Infallible>(Bytes::from_static(&[b'x'; 65_536]))
            }))
        }
    };
    (Router::new().route("/", get(answer)), gone)
}

/// Asks, reads that it is answered, and then nothing more.
async fn takes_nothing(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    gone: UnboundedReceiver<()>,
) {
    let mut gone = gone;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: core\r\n\r\n").await.unwrap();
    let mut head = [0; 15];
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 200 OK");
    let given_up = timeout(PATIENCE, gone.recv()).await;
    assert_eq!(given_up.ok().flatten(), Some(()), "it is written to without an end");
    drop(stream);
}

/// A key that was changed is let in beside the new one for a while: both are one party's.
#[test]
fn a_party_that_has_several_keys_has_one_part_of_the_places() {
    let key = |which: u8| Digest::of(&[which]);
    let hall = Hall {
        acceptor: None,
        router: Router::new(),
        places: Arc::new(Semaphore::new(8)),
        porch: Porch::of(2),
        addresses: Crowd::of(9),
        peers: Crowd::of(2),
        keys: BTreeMap::from([(key(1), key(1)), (key(2), key(1))]),
        write: SHORT,
    };
    let place = |which| hall.place(Some(key(which)), hall.addresses.enter(1).unwrap());
    let held = [place(1), place(2)];
    assert!(held.iter().all(Option::is_some));
    assert!(place(1).is_none() && place(2).is_none(), "its part is taken");
    assert!(place(3).is_some(), "another's is not");
}

#[tokio::test]
async fn a_reader_on_the_network_that_takes_nothing_is_let_go() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let (router, gone) = endless();
    let door =
        Door { listener, tls: None, max_connections: 8, write: SHORT, keys: BTreeMap::new() };
    let stop = CancellationToken::new();
    let served = tokio::spawn(serve(door, router, stop.clone(), PATIENCE));
    takes_nothing(TcpStream::connect(at).await.unwrap(), gone).await;
    stop.cancel();
    served.await.unwrap();
}

/// A core's socket with short limits, where a router stands.
fn core(router: Router) -> (tempfile::TempDir, std::path::PathBuf, CancellationToken) {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path().join("core.sock");
    let room = Room { body: SHORT, write: SHORT, ..Room::PERSONS };
    let (listener, stop) = (UnixListener::bind(&at).unwrap(), CancellationToken::new());
    tokio::spawn(local::serve(listener, router, room, stop.clone()));
    (dir, at, stop)
}

#[tokio::test]
async fn a_reader_at_a_core_that_takes_nothing_is_let_go() {
    let (router, gone) = endless();
    let (_dir, at, stop) = core(router);
    takes_nothing(UnixStream::connect(&at).await.unwrap(), gone).await;
    stop.cancel();
}

#[tokio::test]
async fn a_body_of_which_nothing_comes_is_cut() {
    let (_dir, at, stop) = core(Router::new().route("/", post(|body: Bytes| async move { body })));
    let mut stream = UnixStream::connect(&at).await.unwrap();
    let half = b"POST / HTTP/1.1\r\nhost: core\r\ncontent-length: 10\r\n\r\nhalf";
    stream.write_all(half).await.unwrap();
    let mut answer = [0; 12];
    timeout(PATIENCE, stream.read_exact(&mut answer)).await.unwrap().unwrap();
    assert_eq!(&answer, b"HTTP/1.1 400");
    stop.cancel();
}
