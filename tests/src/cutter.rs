//! A wire that breaks: forwards to the drop zone, and cuts after so many bytes, again and again.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// The wire.
#[derive(Debug)]
pub struct Cutter {
    /// Bytes that still pass before the next cut; negative: whole.
    left: Arc<AtomicI64>,
    passed: Arc<AtomicU64>,
    cuts: Arc<AtomicU64>,
}

impl Cutter {
    /// Between `from`, where it listens, and `to`.
    #[must_use]
    pub fn new(from: &str, to: &str) -> Self {
        let listener = TcpListener::bind(from).unwrap();
        let wire = Self {
            left: Arc::new(AtomicI64::new(-1)),
            passed: Arc::default(),
            cuts: Arc::default(),
        };
        let (left, passed, cuts) =
            (Arc::clone(&wire.left), Arc::clone(&wire.passed), Arc::clone(&wire.cuts));
        let to = to.to_owned();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(&to) else { continue };
                for (from, to) in [(&client, &server), (&server, &client)] {
                    let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    let (left, passed, cuts) =
                        (Arc::clone(&left), Arc::clone(&passed), Arc::clone(&cuts));
                    std::thread::spawn(move || forward(from, to, &left, &passed, &cuts));
                }
            }
        });
        wire
    }
    /// The next cut comes after so many bytes, whichever way they go.
    pub fn cut_after(&self, bytes: i64) {
        self.left.store(bytes, Ordering::SeqCst);
    }
    /// No more cuts.
    pub fn mend(&self) {
        self.left.store(-1, Ordering::SeqCst);
    }
    /// How often it was cut.
    #[must_use]
    pub fn cuts(&self) -> u64 {
        self.cuts.load(Ordering::SeqCst)
    }
    /// How many bytes passed, both ways.
    #[must_use]
    pub fn passed(&self) -> u64 {
        self.passed.load(Ordering::SeqCst)
    }
}

fn forward(
    mut from: TcpStream,
    mut to: TcpStream,
    left: &AtomicI64,
    passed: &AtomicU64,
    cuts: &AtomicU64,
) {
    let mut piece = [0; 16 * 1024];
    while let Ok(read) = from.read(&mut piece) {
        if read == 0 || to.write_all(&piece[..read]).is_err() {
            break;
        }
        passed.fetch_add(read as u64, Ordering::SeqCst);
        let count = i64::try_from(read).unwrap();
        let before = left.load(Ordering::SeqCst);
        if before >= 0 && left.fetch_sub(count, Ordering::SeqCst) >= 0 && before < count {
            left.store(-1, Ordering::SeqCst);
            cuts.fetch_add(1, Ordering::SeqCst);
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
