//! The drop zone through its router: every status, both parties, strangers, cuts, kills and restarts.

mod clock;
mod letters;

use std::fs;
use std::future::Future;
use std::os::unix::fs::PermissionsExt as _;
use std::pin::{Pin, pin};
use std::task::Poll;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, Method, StatusCode};
use data_encoding::BASE64;
use futures_util::{StreamExt as _, stream};
use sha2::Digest as _;
use sluis_core::id::{Time, TransferId};
use sluis_core::mailbox::MAX_BYTES;
use tower::ServiceExt as _;

use super::*;
use crate::clock::HandClock;

const DAY: i64 = 86_400_000;
const TYPE: (&str, &str) = ("content-type", "application/offset+octet-stream");
const TUS: (&str, &str) = ("tus-resumable", "1.0.0");

/// A peer's key from a word.
fn key(who: &str) -> Peer {
    Peer(Digest::of(who.as_bytes()))
}

struct Bed {
    folder: Arc<tempfile::TempDir>,
    clock: Arc<HandClock>,
    zone: Arc<Zone>,
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
    fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

impl Bed {
    fn new() -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        // The bodies of the tests are ready at once, or never.
        Self::at(folder, HandClock::at(Time(1_700_000_000_000)), Duration::ZERO)
    }

    /// Has all the time in the world for a body.
    fn patient() -> Self {
        let Self { folder, clock, zone } = Self::new();
        drop(zone);
        Self::at(folder, clock, Duration::from_secs(1 << 20))
    }

    fn at(folder: Arc<tempfile::TempDir>, clock: Arc<HandClock>, idle: Duration) -> Self {
        Self::of(&["mechelen", "gent"], folder, clock, idle)
    }

    /// One that serves these agreements.
    fn of(
        agreements: &[&str],
        folder: Arc<tempfile::TempDir>,
        clock: Arc<HandClock>,
        idle: Duration,
    ) -> Self {
        let tenant = |agreement: &str| Tenant {
            agreement: agreement.parse().unwrap(),
            agency: vec![key(&format!("agency of {agreement}")).0, key("agency before").0],
            municipality: vec![key(&format!("municipality of {agreement}")).0],
            quota: 100,
            max_uploads: 3,
        };
        let settings = Settings {
            folder: folder.path().join("zone"),
            tenants: agreements.iter().map(|it| tenant(it)).collect(),
            expires_ms: 7 * DAY,
            letters_keep_ms: 30 * DAY,
            max_letters: 3,
            max_gone: 20,
            idle,
        };
        let zone = Zone::open(settings, clock.clone()).unwrap();
        Self { folder, clock, zone }
    }

    /// What a restart after a kill finds: the disk alone.
    fn reopen(self) -> Self {
        let Self { folder, clock, zone } = self;
        let idle = zone.idle;
        drop(zone);
        Self::at(folder, clock, idle)
    }

    fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join("zone").join(below)
    }

    async fn ask(
        &self,
        peer: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let mut request =
            Request::builder().method(Method::from_bytes(method.as_bytes()).unwrap()).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.extension(key(peer)).body(body.into()).unwrap();
        let response = router(self.zone.clone()).oneshot(request).await.unwrap();
        assert_eq!(response.headers()["tus-resumable"], "1.0.0");
        Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: to_bytes(response.into_body(), 1 << 24).await.unwrap().to_vec(),
        }
    }

    async fn agency(&self, method: &str, path: &str) -> Answer {
        self.ask("agency of mechelen", method, path, &[TUS], ()).await
    }

    async fn municipality(&self, method: &str, path: &str) -> Answer {
        self.ask("municipality of mechelen", method, path, &[TUS], ()).await
    }

    async fn post(&self, more: &[(&str, &str)], body: impl Into<Body>) -> Answer {
        let headers = [&[TUS], more].concat();
        self.ask("agency of mechelen", "POST", "/mechelen/files", &headers, body).await
    }

    /// A new upload's address.
    async fn begin(&self, length: u64) -> String {
        let answer = self.post(&[("upload-length", &length.to_string())], ()).await;
        assert_eq!(answer.status, 201);
        answer.header("location").to_owned()
    }

    async fn patch(
        &self,
        path: &str,
        offset: u64,
        more: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let offset = offset.to_string();
        let headers = [&[TUS, TYPE, ("upload-offset", &offset)], more].concat();
        self.ask("agency of mechelen", "PATCH", path, &headers, body).await
    }

    async fn offset(&self, path: &str) -> String {
        self.agency("HEAD", path).await.header("upload-offset").to_owned()
    }

    async fn upload(&self, bytes: &'static str) -> String {
        let path = self.begin(bytes.len() as u64).await;
        assert_eq!(self.patch(&path, 0, &[], bytes).await.status, 204);
        path
    }
}

/// A body that is cut after these bytes.
fn cut(bytes: &'static str) -> Body {
    let pieces = [Ok(Bytes::from(bytes)), Err(std::io::Error::other("cut"))];
    Body::from_stream(stream::iter(pieces))
}

/// A body that falls silent after these bytes.
fn silent(bytes: &'static str) -> Body {
    let piece = stream::iter([Ok::<_, std::io::Error>(Bytes::from(bytes))]);
    Body::from_stream(piece.chain(stream::pending()))
}

fn sha256(bytes: &str) -> String {
    format!("sha256 {}", BASE64.encode(&sha2::Sha256::digest(bytes)))
}

/// Polls a future once: it is now waiting.
async fn parked<F: Future>(mut future: Pin<&mut F>) -> bool {
    std::future::poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_pending())).await
}

#[tokio::test]
async fn a_file_crosses() {
    let bed = Bed::new();
    let transfer = TransferId::random();
    let named = sluis_core::tus::naming(&transfer);
    let made = bed.post(&[("upload-length", "10"), ("upload-metadata", &named)], ()).await;
    assert_eq!(
        (made.status, made.header("upload-expires")),
        (201, "Tue, 21 Nov 2023 22:13:20 GMT")
    );
    let path = made.header("location");
    let half = bed.patch(path, 0, &[], "01234").await;
    assert_eq!((half.status, half.header("upload-offset")), (204, "5"));
    assert!(!half.header("upload-expires").is_empty());
    assert_eq!(bed.municipality("GET", path).await.status, 409, "not complete");
    let head = bed.municipality("HEAD", path).await;
    assert_eq!(head.status, 200);
    let told = ["upload-offset", "upload-length", "cache-control", "upload-metadata"];
    assert_eq!(told.map(|name| head.header(name)), ["5", "10", "no-store", &named]);
    assert!(!head.header("upload-expires").is_empty());
    assert_eq!(bed.patch(path, 5, &[], "56789").await.status, 204);

    let listed = bed.municipality("GET", &format!("/mechelen/files?transfer={transfer}")).await;
    let upload = path.rsplit('/').next().unwrap();
    let one = serde_json::json!(
        [{"upload": upload, "transfer": transfer, "length": 10, "offset": 10}]
    );
    assert_eq!(listed.json(), one);
    let other = format!("/mechelen/files?transfer={}", TransferId::random());
    assert_eq!(bed.municipality("GET", &other).await.json(), serde_json::json!([]));

    let fetched = bed.ask("municipality of mechelen", "GET", path, &[], ()).await;
    assert_eq!((fetched.status, fetched.body.as_slice()), (200, b"0123456789".as_slice()));
    assert_eq!(fetched.header("content-length"), "10");
    assert_eq!(bed.municipality("DELETE", path).await.status, 204);
    assert!(!bed.path(&format!("mechelen/files/{upload}")).exists());
    for method in ["HEAD", "DELETE"] {
        assert_eq!(bed.agency(method, path).await.status, 410);
        assert_eq!(bed.municipality(method, path).await.status, 410);
    }
    assert_eq!(bed.municipality("GET", path).await.status, 410);
    assert_eq!(bed.patch(path, 0, &[], "").await.status, 410);
    let bed = bed.reopen();
    assert_eq!(bed.municipality("GET", path).await.status, 410, "also after a restart");
}

#[tokio::test]
async fn a_fetch_goes_on_where_it_stopped() {
    let bed = Bed::new();
    let path = bed.upload("0123456789").await;
    let get = async |range| {
        bed.ask("municipality of mechelen", "GET", &path, &[("range", range)], ()).await
    };
    let rest = get("bytes=7-").await;
    assert_eq!((rest.status, rest.body.as_slice()), (206, b"789".as_slice()));
    let told = ["content-range", "content-length"].map(|name| rest.header(name));
    assert_eq!(told, ["bytes 7-9/10", "3"]);
    assert_eq!(get("bytes=0-").await.status, 206);
    let beyond = get("bytes=10-").await;
    assert_eq!((beyond.status, beyond.header("content-range")), (416, "bytes */10"));
    for other in ["bytes=1-2", "bytes=-3", "bytes=1-,3-", "lines=1-", "bytes=+1-"] {
        assert_eq!(get(other).await.status, 200, "{other} is passed over");
    }
}

#[tokio::test]
async fn the_tus_server_describes_itself() {
    let bed = Bed::new();
    let told = bed.ask("agency of mechelen", "OPTIONS", "/mechelen/files", &[], ()).await;
    assert_eq!(told.status, 204);
    let names = ["tus-version", "tus-extension", "tus-checksum-algorithm", "tus-max-size"];
    let extensions = "creation,creation-with-upload,checksum,expiration,termination";
    assert_eq!(names.map(|name| told.header(name)), ["1.0.0", extensions, "sha256,sha1", "100"]);
}

#[tokio::test]
async fn strangers_find_nothing_and_parties_keep_to_their_role() {
    let bed = Bed::new();
    let path = bed.upload("abc").await;
    let places = ["/mechelen/files", &path, "/mechelen/mailbox", "/mechelen/mailbox/1"];
    for place in places {
        for method in ["OPTIONS", "GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "BREW"] {
            for stranger in ["agency of gent", "municipality of gent", "nobody"] {
                assert_eq!(bed.ask(stranger, method, place, &[TUS], ()).await.status, 404);
                let unknown = place.replace("mechelen", "lier");
                assert_eq!(bed.ask(stranger, method, &unknown, &[TUS], ()).await.status, 404);
            }
        }
    }
    let request = Request::get("/mechelen/files").body(Body::empty()).unwrap();
    let response = router(bed.zone.clone()).oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::NOT_FOUND, "a request without a peer");

    assert_eq!(bed.municipality("POST", "/mechelen/files").await.status, 403);
    assert_eq!(bed.municipality("PATCH", &path).await.status, 403);
    assert_eq!(bed.agency("GET", &path).await.status, 403);
    for (method, place) in [
        ("PUT", places[0]),
        ("BREW", places[0]),
        ("POST", places[1]),
        ("BREW", places[1]),
        ("PUT", places[2]),
        ("GET", places[3]),
    ] {
        let refused = bed.agency(method, place).await;
        assert_eq!((refused.status, refused.header("allow").is_empty()), (405, false));
    }
    let hidden = [TUS, ("x-http-method-override", "DELETE")];
    assert_eq!(bed.ask("agency of mechelen", "POST", &path, &hidden, ()).await.status, 405);
}

#[tokio::test]
async fn names_from_outside_are_only_names() {
    let bed = Bed::new();
    fs::create_dir_all(bed.path("mechelen/files/x")).unwrap();
    fs::write(bed.path("mechelen/files/x/data"), "secret").unwrap();
    let never = "0123456789abcdef0123456789abcdef";
    let upper = never.to_uppercase();
    let names = [
        "x",
        "..",
        ".",
        "%2e%2e",
        "..%2f..%2fgent%2ffiles",
        "x%00",
        "%ff",
        never,
        &upper,
        "%2Fetc",
    ];
    for name in names {
        for method in ["HEAD", "GET", "DELETE"] {
            let path = format!("/mechelen/files/{name}");
            assert_eq!(bed.municipality(method, &path).await.status, 404, "{method} {path}");
        }
    }
    for path in ["/", "/mechelen", "/mechelen/files/", "/../mechelen/files", "/%2e%2e/files"] {
        assert_eq!(bed.municipality("GET", path).await.status, 404, "{path}");
    }
    for number in ["0", "-1", "x", "..%2f1", "99999999999999999999"] {
        let path = format!("/mechelen/mailbox/{number}");
        assert_eq!(bed.ask("agency of mechelen", "PUT", &path, &[], "x").await.status, 400);
    }
    let path = bed.upload("abc").await;
    let folder = bed.path(path.trim_start_matches('/'));
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&folder), mode(&folder.join("data"))), (0o700, 0o600));
    fs::remove_file(folder.join("data")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", folder.join("data")).unwrap();
    assert_eq!(bed.municipality("GET", &path).await.status, 500, "a link is not followed");
}

#[tokio::test]
async fn every_tus_request_says_its_version() {
    let bed = Bed::new();
    let path = bed.upload("abc").await;
    for (method, place) in
        [("POST", "/mechelen/files"), ("HEAD", &path), ("PATCH", &path), ("DELETE", &path)]
    {
        for headers in [[("x", "")].as_slice(), &[("tus-resumable", "0.2.2")]] {
            let refused = bed.ask("agency of mechelen", method, place, headers, ()).await;
            assert_eq!((refused.status, refused.header("tus-version")), (412, "1.0.0"));
        }
    }
}

#[tokio::test]
async fn a_creation_is_checked() {
    let bed = Bed::new();
    let length = ("upload-length", "3");
    for bad in [
        [].as_slice(),
        &[("upload-length", "-1")],
        &[("upload-defer-length", "1")],
        &[length, ("upload-defer-length", "1")],
        &[length, ("upload-metadata", "a b")],
        &[length, ("upload-checksum", "md5 AAAA")],
    ] {
        assert_eq!(bed.post(bad, ()).await.status, 400, "{bad:?}");
    }
    assert_eq!(bed.post(&[length], "abc").await.status, 415, "a body of no kind");
    assert_eq!(bed.post(&[length, TYPE], "abcd").await.status, 413);
    let wrong = sha256("xyz");
    assert_eq!(bed.post(&[length, TYPE, ("upload-checksum", &wrong)], "abc").await.status, 460);
    assert_eq!(bed.agency("GET", "/mechelen/files").await.json(), serde_json::json!([]));
    assert_eq!(fs::read_dir(bed.path("mechelen/files")).unwrap().count(), 0, "nothing is left");

    let right = sha256("abc");
    let made = bed.post(&[length, TYPE, ("upload-checksum", &right)], "abc").await;
    assert_eq!((made.status, made.header("upload-offset")), (201, "3"));
    let path = made.header("location");
    assert_eq!(bed.municipality("GET", path).await.body, b"abc");
    let nothing = bed.begin(0).await;
    let fetched = bed.municipality("GET", &nothing).await;
    assert_eq!((fetched.status, fetched.body.len()), (200, 0), "complete at once");
    assert_eq!(bed.post(&[length, TYPE], cut("ab")).await.status, 400);
    let listed = bed.agency("GET", "/mechelen/files").await.json();
    let kept = listed.as_array().unwrap().iter().filter(|one| one["offset"] == 2).count();
    assert_eq!(kept, 1, "an interrupted one is found again");
}

#[tokio::test]
async fn a_chunk_is_checked() {
    let bed = Bed::new();
    let path = bed.begin(10).await;
    let agency = "agency of mechelen";
    let sent = async |headers: &[(&str, &str)]| {
        bed.ask(agency, "PATCH", &path, &[&[TUS], headers].concat(), "abc").await.status
    };
    assert_eq!(sent(&[("upload-offset", "0")]).await, 415);
    assert_eq!(sent(&[("upload-offset", "0"), ("content-type", "text/plain")]).await, 415);
    assert_eq!(sent(&[TYPE]).await, 400);
    assert_eq!(sent(&[TYPE, ("upload-offset", "+0")]).await, 400);
    assert_eq!(sent(&[TYPE, ("upload-offset", "0"), ("upload-checksum", "md5 AA==")]).await, 400);
    assert_eq!(sent(&[TYPE, ("upload-offset", "1")]).await, 409);
    assert_eq!(sent(&[TYPE, ("upload-offset", "0"), ("content-length", "11")]).await, 413);
    assert_eq!(bed.offset(&path).await, "0");

    assert_eq!(bed.patch(&path, 0, &[], "abc").await.status, 204);
    assert_eq!(bed.patch(&path, 3, &[], "12345678").await.status, 413, "found while it comes");
    let wrong = sha256("other");
    assert_eq!(bed.patch(&path, 3, &[("upload-checksum", &wrong)], "def").await.status, 460);
    assert_eq!(bed.offset(&path).await, "3");
    let data = bed.path(path.trim_start_matches('/')).join("data");
    assert_eq!(fs::read(&data).unwrap(), b"abc", "and nothing more on the disk");
    let sha1 = "sha1 WJwiM1o4HxItEpIl9cC6MFbtWBE=";
    assert_eq!(bed.patch(&path, 3, &[("upload-checksum", sha1)], "def").await.status, 204);
    let right = sha256("ghij");
    assert_eq!(bed.patch(&path, 6, &[("upload-checksum", &right)], "ghij").await.status, 204);
    assert_eq!(bed.municipality("GET", &path).await.body, b"abcdefghij");
    assert_eq!(bed.patch(&path, 10, &[], "").await.status, 204);
    assert_eq!(bed.patch(&path, 10, &[], "k").await.status, 413);
    assert!(!data.with_file_name("verified").exists());
}

#[tokio::test]
async fn what_arrived_before_a_cut_is_kept_unless_it_was_to_be_checked() {
    let bed = Bed::new();
    let path = bed.begin(10).await;
    assert_eq!(bed.patch(&path, 0, &[], cut("abc")).await.status, 400);
    assert_eq!(bed.offset(&path).await, "3");
    assert_eq!(bed.patch(&path, 3, &[], silent("de")).await.status, 408);
    assert_eq!(bed.offset(&path).await, "5");
    let sum = sha256("fghij");
    for body in [cut("fg"), silent("fg")] {
        assert!(bed.patch(&path, 5, &[("upload-checksum", &sum)], body).await.status >= 400);
        assert_eq!(bed.offset(&path).await, "5");
    }
    let bed = bed.reopen();
    assert_eq!(bed.offset(&path).await, "5");
    assert_eq!(bed.patch(&path, 5, &[("upload-checksum", &sum)], "fghij").await.status, 204);
    assert_eq!(bed.municipality("GET", &path).await.body, b"abcdefghij");
}

#[tokio::test]
async fn one_writes_at_a_time_and_a_dead_one_does_not_block() {
    let bed = Bed::new();
    let path = bed.begin(10).await;
    // A body that is never ready stands for a writer at work; polling its request once starts its task.
    let mut slow = pin!(bed.patch(&path, 0, &[], silent("abc")));
    assert!(parked(slow.as_mut()).await);
    assert_eq!(bed.patch(&path, 0, &[], "abc").await.status, 423);
    assert_eq!(slow.await.status, 408, "its silence ends it");
    assert_eq!(bed.patch(&path, 3, &[], "def").await.status, 204);

    {
        let mut dropped = pin!(bed.patch(&path, 6, &[], silent("gh")));
        assert!(parked(dropped.as_mut()).await);
    }
    // The connection died and the request's future with it; its task gives the upload back by itself.
    let status = loop {
        match bed.patch(&path, 8, &[], "ij").await.status {
            423 => tokio::task::yield_now().await,
            other => break other,
        }
    };
    assert_eq!(status, 204);
    assert_eq!(bed.municipality("GET", &path).await.body, b"abcdefghij");
}

#[tokio::test]
async fn a_removal_overtakes_a_writer() {
    let bed = Bed::patient();
    let path = bed.begin(10).await;
    let (pieces, mut coming) = tokio::sync::mpsc::unbounded_channel::<std::io::Result<Bytes>>();
    let body = Body::from_stream(stream::poll_fn(move |context| coming.poll_recv(context)));
    pieces.send(Ok(Bytes::from("abc"))).unwrap();
    let mut slow = pin!(bed.patch(&path, 0, &[], body));
    assert!(parked(slow.as_mut()).await);
    assert_eq!(bed.municipality("DELETE", &path).await.status, 204);
    assert_eq!(bed.agency("HEAD", &path).await.status, 410);
    // Where the writer has seen it already nobody takes more.
    let _ = pieces.send(Ok(Bytes::from("def")));
    assert_eq!(slow.await.status, 410);
}

#[tokio::test]
async fn room_is_promised_before_it_is_used() {
    let bed = Bed::new();
    assert_eq!(bed.post(&[("upload-length", "101")], ()).await.status, 413, "never fits");
    let first = bed.begin(60).await;
    assert_eq!(bed.post(&[("upload-length", "41")], ()).await.status, 507, "not now");
    bed.begin(40).await;
    let bed = bed.reopen();
    assert_eq!(bed.post(&[("upload-length", "1")], ()).await.status, 507, "also after a restart");
    bed.begin(0).await;
    assert_eq!(bed.agency("DELETE", &first).await.status, 204);
    bed.begin(0).await;
    assert_eq!(bed.post(&[("upload-length", "0")], ()).await.status, 507, "three at once");
    let full = Refusal::from(std::io::Error::from(std::io::ErrorKind::StorageFull));
    assert_eq!(full.status(), StatusCode::INSUFFICIENT_STORAGE);
}

#[tokio::test]
async fn two_tenants_are_apart() {
    let bed = Bed::new();
    let path = bed.upload("abc").await;
    bed.begin(97).await;
    let length = [TUS, ("upload-length", "100")];
    let made = bed.ask("agency of gent", "POST", "/gent/files", &length, ()).await;
    assert_eq!(made.status, 201, "another's use does not count");
    let listed = bed.ask("municipality of gent", "GET", "/gent/files", &[], ()).await.json();
    assert_eq!(listed.as_array().unwrap().len(), 1);
    let elsewhere = path.replace("mechelen", "gent");
    let looked = bed.ask("municipality of gent", "GET", &elsewhere, &[], ()).await;
    assert_eq!(looked.status, 404, "an id of one is nothing to another");
    let put = bed.ask("agency of gent", "PUT", "/gent/mailbox/1", &[], "x").await;
    assert_eq!(put.status, 201);
    let letters = bed.municipality("GET", "/mechelen/mailbox").await.json();
    assert_eq!(letters, serde_json::json!({"letters": []}));
}

#[tokio::test]
async fn what_expired_is_gone_and_in_the_end_forgotten() {
    let bed = Bed::new();
    let (whole, half) = (bed.upload("abc").await, bed.begin(50).await);
    bed.clock.advance_ms(7 * DAY - 1);
    bed.zone.sweep().unwrap();
    assert_eq!(bed.agency("HEAD", &whole).await.status, 200);
    bed.clock.advance_ms(1);
    bed.zone.sweep().unwrap();
    for path in [&whole, &half] {
        assert_eq!(bed.agency("HEAD", path).await.status, 410);
    }
    assert_eq!(fs::read_dir(bed.path("mechelen/files")).unwrap().count(), 0);
    bed.begin(100).await;
    let bed = bed.reopen();
    bed.clock.advance_ms(400 * DAY - 1);
    bed.zone.sweep().unwrap();
    assert_eq!(bed.agency("HEAD", &whole).await.status, 410);
    bed.clock.advance_ms(1);
    bed.zone.sweep().unwrap();
    assert_eq!(bed.agency("HEAD", &whole).await.status, 404);
    assert_eq!(bed.reopen().agency("HEAD", &half).await.status, 404);
}

/// What an agency makes and ends leaves a file each time: so many, and no more, whatever the quota says.
#[tokio::test]
async fn who_begins_and_ends_uploads_without_end_is_stopped_and_nobody_else() {
    let bed = Bed::new();
    for _ in 0..20 {
        let path = bed.begin(1).await;
        assert_eq!(bed.agency("DELETE", &path).await.status, 204);
    }
    let create = async |bed: &Bed, agreement: &str| {
        let headers = [TUS, ("upload-length", "1")];
        let path = format!("/{agreement}/files");
        bed.ask(&format!("agency of {agreement}"), "POST", &path, &headers, ()).await.status
    };
    assert_eq!(create(&bed, "mechelen").await, 507);
    assert_eq!(create(&bed, "gent").await, 201, "another tenant has its own");
    let bed = bed.reopen();
    assert_eq!(create(&bed, "mechelen").await, 507, "a restart forgot them");
    assert_eq!(fs::read_dir(bed.path("mechelen/gone")).unwrap().count(), 20);
    bed.clock.advance_ms(400 * DAY);
    bed.zone.sweep().unwrap();
    assert_eq!(create(&bed, "mechelen").await, 201);
}

#[tokio::test]
async fn a_kill_at_any_point_leaves_what_is_true() {
    let bed = Bed::new();
    let (checked, removed) = (bed.begin(10).await, bed.upload("abc").await);
    assert_eq!(bed.patch(&checked, 0, &[], "abcde").await.status, 204);
    let at = |path: &str| bed.path(path.trim_start_matches('/'));
    // While a chunk's checksum was awaited.
    fs::write(at(&checked).join("verified"), "2").unwrap();
    // Between the decision to remove and the removal.
    let id = removed.rsplit('/').next().unwrap();
    fs::write(bed.path(&format!("mechelen/gone/{id}")), "").unwrap();
    // While something was made or taken away.
    fs::create_dir(bed.path("mechelen/files/.aside-1")).unwrap();
    fs::write(bed.path("mechelen/files/.aside-1/data"), "abc").unwrap();
    fs::write(bed.path("mechelen/mailbox/agency/.aside-2"), "abc").unwrap();
    fs::write(at(&checked).join(".aside-verified"), "9").unwrap();
    let left = [
        at(&removed),
        at(&checked).join("verified"),
        at(&checked).join(".aside-verified"),
        bed.path("mechelen/files/.aside-1"),
        bed.path("mechelen/mailbox/agency/.aside-2"),
    ];
    let bed = bed.reopen();
    assert_eq!(bed.offset(&checked).await, "2");
    assert_eq!(bed.municipality("GET", &removed).await.status, 410);
    assert!(left.iter().all(|path| !path.exists()));
    assert_eq!(bed.patch(&checked, 2, &[], "01234567").await.status, 204);
    assert_eq!(bed.municipality("GET", &checked).await.body, b"ab01234567");
}

#[tokio::test]
async fn settings_that_contradict_themselves_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let open = |other: &str, municipality: &str| {
        let tenant = |agreement: &str| Tenant {
            agreement: agreement.parse().unwrap(),
            agency: vec![key("a").0, key("former").0],
            municipality: vec![key(municipality).0],
            quota: 1,
            max_uploads: 1,
        };
        let settings = Settings {
            folder: folder.path().to_owned(),
            tenants: vec![tenant("one"), tenant(other)],
            expires_ms: 1,
            letters_keep_ms: 1,
            max_letters: 1,
            max_gone: 1,
            idle: Duration::ZERO,
        };
        Zone::open(settings, HandClock::at(Time(0))).is_ok()
    };
    assert!(open("two", "m"));
    assert!(!open("one", "m") && !open("two", "a") && !open("two", "former"));
}

#[tokio::test]
async fn who_waits_hears_at_once() {
    let bed = Bed::new();
    let transfer = TransferId::random();
    let named = sluis_core::tus::naming(&transfer);
    let made = bed.post(&[("upload-length", "3"), ("upload-metadata", &named)], ()).await;
    let address = format!("/mechelen/files?transfer={transfer}&wait=60");
    let mut files = pin!(bed.municipality("GET", &address));
    let mut letters = pin!(bed.municipality("GET", "/mechelen/mailbox?after=0&wait=60"));
    let mut back = pin!(bed.agency("GET", "/mechelen/mailbox?after=4&wait=60"));
    assert!(parked(files.as_mut()).await && parked(letters.as_mut()).await);
    assert!(parked(back.as_mut()).await);

    bed.upload("another").await;
    assert!(parked(files.as_mut()).await, "of another transfer");
    assert_eq!(bed.patch(made.header("location"), 0, &[], "abc").await.status, 204);
    assert_eq!(files.await.json()[0]["offset"], 3);
    assert_eq!(bed.municipality("GET", &address).await.json()[0]["offset"], 3, "at once");

    let path = "/mechelen/mailbox/5";
    assert_eq!(bed.ask("agency of mechelen", "PUT", path, &[], "x").await.status, 201);
    assert!(parked(back.as_mut()).await, "its own letter is not for it");
    assert_eq!(letters.await.json()["letters"][0]["number"], 5);
    assert_eq!(bed.ask("municipality of mechelen", "PUT", path, &[], "y").await.status, 201);
    assert_eq!(back.await.json()["letters"][0]["number"], 5);
}

#[tokio::test]
async fn who_waits_in_vain_hears_what_there_is() {
    let bed = Bed::new();
    let path = bed.begin(3).await;
    let (space, _) = bed.zone.admit("mechelen", Some(&key("agency of mechelen"))).unwrap();
    let listed = space.list(None, Duration::from_nanos(1)).await;
    assert_eq!(listed.len(), 1, "{path} is not complete");
    assert!(space.for_agency.after(0, Duration::from_nanos(1)).await.is_empty());
    assert_eq!(waiting(3600), Duration::from_secs(60));
}

#[tokio::test]
async fn what_is_gone_is_off_the_disk_also_where_a_reader_stands_still() {
    let bed = Bed::new();
    let path = bed.begin(3).await;
    assert_eq!(bed.patch(&path, 0, &[], "abc").await.status, 204);
    let data = bed.path(path.trim_start_matches('/')).join("data");
    let reader = fs::File::open(&data).unwrap();
    assert_eq!(bed.municipality("DELETE", &path).await.status, 204);
    assert_eq!(bed.municipality("HEAD", &path).await.status, 410);
    assert_eq!(
        reader.metadata().unwrap().len(),
        0,
        "an open file keeps its bytes unless it is emptied"
    );
}
