//! The drop zone among many who are slow, silent or full: others are served; and so is who speaks to a core. And what
//! nobody defined is refused, by the status that tus or HTTP has for it.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketType, bind, connect, socket};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use sluis_config::credentials::Credentials;
use sluis_daemon::tls::{self, Identity};
use sluis_tests::stock::{Answer, Client, answered, begin};
use sluis_tests::world::Plan;
use sluis_tests::{World, bytes, stderr, stdout, tool, until};

const FILES: &str = "/mechelen/files";
const TUS: &str = "Tus-Resumable: 1.0.0";
const OCTETS: &str = "Content-Type: application/offset+octet-stream";

fn zone(dropzone: &str) -> World {
    let mut world = World::make(&Plan { dropzone: dropzone.into(), ..Plan::default() });
    world.with_another_agreement();
    world.start("dropzone");
    world
}

/// A connection from this address of this machine.
fn from(source: Ipv4Addr, host: &str) -> std::io::Result<TcpStream> {
    let SocketAddr::V4(to) = host.parse().unwrap() else { panic!("{host}") };
    let made = socket(AddressFamily::INET, SocketType::STREAM, None)?;
    bind(&made, &SocketAddrV4::new(source, 0))?;
    connect(&made, &to)?;
    Ok(TcpStream::from(made))
}

/// Whether the other side has neither closed nor said anything.
fn stands(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let read = (&*stream).read(&mut [0; 1]);
    matches!(read, Err(error) if error.kind() == ErrorKind::WouldBlock)
}

/// TLS as our own gates speak it, with the key of one of the world's hosts.
fn tls_of(world: &World, host: &str) -> Arc<ClientConfig> {
    let identity =
        Identity::load(&Credentials::new(&world.path(host).join("credentials")), |_| true).unwrap();
    let agreement = fs::read_to_string(world.path("dropzone/agreements/mechelen.toml")).unwrap();
    let agreement: toml::Table = agreement.parse().unwrap();
    let pin = agreement["keys"]["drop-zone"]["tls"].as_str().unwrap().parse().unwrap();
    Arc::new(tls::client(identity, vec![pin], true).unwrap())
}

/// A connection whose handshake is done.
fn shaken(tls: &Arc<ClientConfig>, host: &str) -> Option<StreamOwned<ClientConnection, TcpStream>> {
    let stream = TcpStream::connect(host).ok()?;
    let name = ServerName::try_from("zone.sluis.invalid").unwrap();
    let mut tls = StreamOwned::new(ClientConnection::new(Arc::clone(tls), name).unwrap(), stream);
    tls.flush().ok()?;
    Some(tls)
}

/// Strangers who come again as soon as they are shown out, from many addresses, until it is dropped.
struct Strangers {
    go: Arc<AtomicBool>,
    came: Arc<AtomicUsize>,
    there: Arc<AtomicUsize>,
    threads: Vec<std::thread::JoinHandle<()>>,
}

impl Strangers {
    /// So many at once from each of these addresses, who say this much of a handshake and no more.
    fn of(addresses: u8, each: usize, word: &'static [u8], host: &str) -> Self {
        let go = Arc::new(AtomicBool::new(true));
        let [came, standing] = [0, 0].map(|none| Arc::new(AtomicUsize::new(none)));
        let stand = Arc::clone(&standing);
        // Each sort comes from a network of its own.
        let kind = u8::try_from(word.len()).unwrap();
        let (going, coming, host) = (Arc::clone(&go), Arc::clone(&came), host.to_owned());
        let thread = std::thread::spawn(move || {
            let mut there: Vec<(u8, TcpStream)> = Vec::new();
            while going.load(Ordering::Relaxed) {
                there.retain(|(_, stream)| stands(stream));
                stand.store(there.len(), Ordering::Relaxed);
                for address in 1..=addresses {
                    let has = there.iter().filter(|(of, _)| *of == address).count();
                    // A few at a time, as a flood would, and not faster than one that leaves the machine to others.
                    for _ in has..each.min(has + 2) {
                        let source = Ipv4Addr::new(127, 99, kind, address);
                        let Ok(stream) = from(source, &host) else { continue };
                        let _ = (&stream).write_all(word);
                        coming.fetch_add(1, Ordering::Relaxed);
                        there.push((address, stream));
                    }
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        Self { go, came, there: standing, threads: vec![thread] }
    }
    /// How many came, ever.
    fn came(&self) -> usize {
        self.came.load(Ordering::Relaxed)
    }
    /// How many of them stood there when it was last looked.
    fn there(&self) -> usize {
        self.there.load(Ordering::Relaxed)
    }
}

impl Drop for Strangers {
    fn drop(&mut self) {
        self.go.store(false, Ordering::Relaxed);
        self.threads.drain(..).for_each(|thread| thread.join().unwrap());
    }
}

#[test]
fn five_hundred_slow_connections_and_a_full_quota_hold_up_no_other_agreement() {
    let world = zone("quota-mib = 1\n");
    let (full, other) = (Client::of(&world, "agency"), Client::of(&world, "other"));
    let length = |bytes: usize| format!("Upload-Length: {bytes}");
    let made = full.ask("POST", FILES, &[TUS, &length(1 << 20)]);
    assert_eq!(made.status, 201, "{}", made.text());
    assert_eq!(full.ask("POST", FILES, &[TUS, &length(1)]).status, 507, "its quota is full");

    // Of nobody: half of them say nothing, half begin a handshake. 128 of them have room at once.
    let silent = Strangers::of(20, 10, b"", &world.host);
    let halves = Strangers::of(20, 10, b"\x16\x03\x01\x02", &world.host);
    let came = || silent.came() + halves.came();
    until("four hundred to have come, and a hundred to stand there", || {
        (came() >= 400 && silent.there() + halves.there() >= 100).then_some(())
    });
    // Of the agreement's own agency: heads and bodies that begin and do not go on.
    let tls = tls_of(&world, "agency");
    let upload = made.header("location").to_owned();
    let (mut own, mut own_came) = (Vec::new(), 0);
    for at in 0..150 {
        let Some(mut stream) = shaken(&tls, &world.host) else { continue };
        own_came += 1;
        let said = match at {
            0 => format!(
                "PATCH {upload} HTTP/1.1\r\nHost: x\r\n{TUS}\r\n{OCTETS}\r\nUpload-Offset: 0\r\nContent-Length: 9999\r\n\r\nx"
            ),
            _ => format!("GET {FILES} HTTP/1.1\r\nHost: x\r\nX-Drip: "),
        };
        if stream.write_all(said.as_bytes()).is_ok() {
            own.push(stream);
        }
    }
    let standing = || own.iter().filter(|stream| stands(stream.get_ref())).count();
    let before = until("those beyond its part to be shown out", || {
        Some(standing()).filter(|count| *count <= 128)
    });
    let (there, came) = (silent.there() + halves.there(), came() + own_came);
    let (mut took, mut tries) = (Vec::new(), 0);
    for _ in 0..10 {
        let began = Instant::now();
        // As a gate does, it comes again where a flood of strangers has pushed it out of its handshake.
        until("the other agreement to be answered", || {
            tries += 1;
            (other.ask("OPTIONS", "/gent/files", &[]).status == 204).then_some(())
        });
        took.push((began.elapsed(), standing()));
    }
    until("a list of the other agreement to be taken", || {
        let list = bytes(65_536);
        let whole = other.send("POST", "/gent/files", &[TUS, OCTETS, &length(65_536)], &list);
        ((whole.status, whole.header("upload-offset")) == (201, "65536")).then_some(())
    });
    eprintln!(
        "{came} came, {own_came} of them its own; {before} of its own and {there} strangers stood there; answered at {tries} tries after, and so many of its own stood there still: {took:?}"
    );
    // They really stood there, and the agreement that is slow has no more than its part.
    assert!(came >= 500, "{came} came");
    assert!(before >= 96, "{before} of one peer stood there");
    assert!(there >= 64, "{there} strangers stood there");
    // The first answer waited for none of them to be cut.
    assert!(took[0].1 >= 32, "answered when those who are slow had gone: {took:?}");
    let mut each: Vec<_> = took.iter().map(|(took, _)| *took).collect();
    each.sort();
    assert!(each[each.len() / 2] < Duration::from_secs(1), "the median of {each:?}");
}

/// Who says nothing, half a handshake or half a head is cut, here and at a core's own socket. None of them is one too many.
#[test]
fn who_stops_in_the_middle_of_a_handshake_or_a_head_is_cut() {
    let mut world = zone("");
    world.start("sealer");
    let connected = || TcpStream::connect(&world.host).unwrap();
    let (silent, half) = (connected(), connected());
    (&half).write_all(b"\x16\x03\x01\x02").unwrap();
    let mut headless = shaken(&tls_of(&world, "agency"), &world.host).unwrap();
    headless.write_all(b"GET /mechelen/files HTTP/1.1\r\nHost: x\r\nX-Half: ").unwrap();
    let local = UnixStream::connect(world.socket("sealer")).unwrap();
    (&local).write_all(b"GET /list HTTP/1.1\r\nHost: x\r\nX-Half: ").unwrap();
    local.set_nonblocking(true).unwrap();
    let is_open = |read: std::io::Result<usize>| matches!(read, Err(error) if error.kind() == ErrorKind::WouldBlock);
    let mut tcp = vec![("silent", silent), ("half a handshake", half)];
    tcp.push(("half a head", headless.sock));
    assert!(tcp.iter().all(|(_, stream)| stands(stream)), "cut before its time");
    for (what, stream) in &tcp {
        until(&format!("{what} to be cut"), || (!stands(stream)).then_some(()));
    }
    // Whatever is said first: in the end it is closed.
    until("half a head at a core's socket to be cut", || {
        let read = (&local).read(&mut [0; 4096]);
        (!is_open(read)).then_some(())
    });
}

#[test]
fn one_address_gets_so_many_handshakes_and_no_more() {
    let world = zone("");
    let source = Ipv4Addr::new(127, 98, 7, 6);
    let crowd: Vec<TcpStream> = (0..40).map(|_| from(source, &world.host).unwrap()).collect();
    until("eight of them to be shown out", || {
        (crowd.iter().filter(|stream| !stands(stream)).count() >= 8).then_some(())
    });
    // Another address comes in; it is the one address that has too many.
    let another = from(Ipv4Addr::new(127, 98, 7, 7), &world.host).unwrap();
    assert_eq!(Client::of(&world, "other").ask("OPTIONS", "/gent/files", &[]).status, 204);
    assert!(stands(&another));
    // Who was shown out makes no room, who leaves does.
    drop(crowd);
    until("room for it again", || from(source, &world.host).ok().filter(stands));
}

#[test]
fn a_body_that_drips_is_cut_and_what_came_of_it_is_kept() {
    let world = zone("idle-s = 1\n");
    let agency = Client::of(&world, "agency");
    let made = agency.ask("POST", FILES, &[TUS, "Upload-Length: 1000000"]);
    let path = made.header("location").to_owned();
    let mut curl = agency.request("PATCH", &path, &[TUS, OCTETS, "Upload-Offset: 0"]);
    let mut dripping = begin(curl.args(["-T", "-"]));
    let mut typed = dripping.stdin.take().unwrap();
    // A byte every now and then: never idle, never done.
    until("the drop zone to cut it", || {
        let _ = typed.write_all(b"x").and_then(|()| typed.flush());
        dripping.try_wait().unwrap()
    });
    let cut = answered(dripping.wait_with_output().unwrap());
    // What it still wrote may reset the connection before it reads why.
    assert!([0, 408].contains(&cut.status), "{}", cut.text());
    let head = agency.ask("HEAD", &path, &[TUS]);
    let kept: u64 = head.header("upload-offset").parse().unwrap();
    assert!((1..1024).contains(&kept), "{kept}");
    let rest = agency.send(
        "PATCH",
        &path,
        &[TUS, OCTETS, &format!("Upload-Offset: {kept}")],
        &bytes(1_000_000 - usize::try_from(kept).unwrap()),
    );
    assert_eq!((rest.status, rest.header("upload-offset")), (204, "1000000"));
}

const REPORTS: &str = "\n[reports.channels.voice]\nreference = { json = \"/ref\" }\n\
    state = { json = \"/status\" }\ndelivered = [\"delivered\"]\nfailed = []\npending = []\n";

/// At the door for operators nobody has a name: it has a count, and who says nothing or stops in a body is cut.
#[test]
fn who_keeps_connections_to_the_reports_is_counted_and_cut() {
    let mut world = World::make(&Plan::default());
    let heard = world.hears(&["voice"], REPORTS);
    ["sealer", "reports"].into_iter().for_each(|role| world.start(role));
    let url = heard.url("voice");
    let reported = || {
        let mut curl = Command::new("curl");
        curl.args(["-s", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "5", &url]);
        stdout(&tool(curl.args(["-d", r#"{"ref":"R-1","status":"delivered"}"#])))
    };
    assert_eq!(reported(), "200");
    let path = url.strip_prefix(&format!("http://{}", heard.address)).unwrap();
    let half = format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{{");
    let come = |at: usize| {
        let mut stream = TcpStream::connect(&heard.address).unwrap();
        // Who was shown out before it spoke is one of those beyond the count.
        let _ = stream.write_all(if at.is_multiple_of(2) { b"" } else { half.as_bytes() });
        stream
    };
    let crowd: Vec<TcpStream> = (0..200).map(come).collect();
    let there = until("those beyond its count to be shown out", || {
        Some(crowd.iter().filter(|it| stands(it)).count()).filter(|there| *there <= 64)
    });
    assert!(there >= 32, "{there} stand there");
    assert_eq!(reported(), "000", "nobody has a place: an operator comes again");
    until("a report to be heard while nobody of them leaves", || {
        (reported() == "200").then_some(())
    });
    eprintln!("{there} of 200 stood there");
    drop(crowd);
}

/// A request as it stands, through stock openssl; the first line of the answer.
fn raw(client: &Client, request: &str) -> String {
    let heard = client.s_client(&["-quiet"], request.as_bytes());
    let at = heard.find("HTTP/1.1 ");
    at.map_or_else(|| "no answer".into(), |at| heard[at..].lines().next().unwrap().to_owned())
}

/// The status; method, path, headers and body that it is for.
type Row<'a> = (u16, &'a str, &'a str, &'a [&'a str], &'a [u8]);

/// What nobody defined, of an agreement with one open upload of eleven bytes and a quota of one MiB.
fn unknown<'a>(upload: &'a str, too_long: &'a str) -> Vec<Row<'a>> {
    vec![
        (404, "GET", "/", &[], b""),
        (404, "OPTIONS", "/", &[], b""),
        (404, "GET", "/mechelen", &[], b""),
        (404, "GET", "/mechelen/", &[], b""),
        (404, "GET", "/mechelen/files/", &[], b""),
        (404, "GET", "/mechelen/files/../../gent/files", &[], b""),
        (404, "GET", "/MECHELEN/files", &[], b""),
        (404, "GET", "/mechelen/admin", &[], b""),
        (404, "GET", "/%6dechelen/files/%2e%2e", &[], b""),
        (404, "GET", "/mechelen/files/%00", &[], b""),
        (404, "HEAD", "/mechelen/files/..%2f..%2fetc", &[TUS], b""),
        (400, "GET", "/mechelen/files?transfer=no-id", &[], b""),
        (400, "GET", "/mechelen/files?wait=soon", &[], b""),
        (400, "GET", "/mechelen/files?colour=red", &[], b""),
        (400, "GET", "/mechelen/mailbox?after=-1", &[], b""),
        (405, "POST", "/mechelen/mailbox", &[], b"x"),
        (405, "DELETE", "/mechelen/mailbox", &[], b""),
        (405, "GET", "/mechelen/mailbox/1", &[], b""),
        (405, "DELETE", "/mechelen/mailbox/1", &[], b""),
        (400, "PUT", "/mechelen/mailbox/0", &[], b"x"),
        (400, "PUT", "/mechelen/mailbox/one", &[], b"x"),
        (400, "PUT", "/mechelen/mailbox/1", &[], b""),
        (413, "PUT", "/mechelen/mailbox/1", &[], too_long.as_bytes()),
        (405, "BREW", FILES, &[TUS], b""),
        (405, "PUT", upload, &[TUS], b"x"),
        (412, "POST", FILES, &["Upload-Length: 1"], b""),
        (412, "POST", FILES, &["Tus-Resumable: 2.0.0", "Upload-Length: 1"], b""),
        (412, "DELETE", upload, &[], b""),
        (415, "PATCH", upload, &[TUS, "Upload-Offset: 0", "Content-Type: text/csv"], b"x"),
        (415, "POST", FILES, &[TUS, "Upload-Length: 1", "Content-Type: text/csv"], b"x"),
        (409, "PATCH", upload, &[TUS, OCTETS, "Upload-Offset: 5"], b"x"),
        (413, "PATCH", upload, &[TUS, OCTETS, "Upload-Offset: 0"], b"more than eleven"),
        (413, "POST", FILES, &[TUS, "Upload-Length: 1048577"], b""),
        (507, "POST", FILES, &[TUS, "Upload-Length: 1048576"], b""),
        (400, "POST", FILES, &[TUS, "Upload-Length: 99999999999999999999999"], b""),
        (400, "POST", FILES, &[TUS, "Upload-Length: +1"], b""),
        (400, "POST", FILES, &[TUS, "Upload-Defer-Length: 1"], b""),
        (400, "PATCH", upload, &[TUS, OCTETS], b"x"),
        (
            400,
            "PATCH",
            upload,
            &[TUS, OCTETS, "Upload-Offset: 0", "Upload-Checksum: md5 eA=="],
            b"x",
        ),
        (403, "GET", upload, &[], b""),
    ]
}

#[test]
fn what_nobody_defined_is_refused_by_the_status_that_names_it() {
    let world = zone("quota-mib = 1\n");
    let agency = Client::of(&world, "agency");
    let made = agency.ask("POST", FILES, &[TUS, "Upload-Length: 11"]);
    let upload = made.header("location").to_owned();
    let medium = world.path("dropzone/medium/mechelen");
    let kept = || fs::read_dir(medium.join("files")).unwrap().count();
    let too_long = "x".repeat(300_000);
    let table = unknown(&upload, &too_long);
    for (status, method, path, headers, body) in &table {
        let answer: Answer = match body {
            [] if *method != "PUT" => agency.ask(method, path, headers),
            _ => agency.send(method, path, headers, body),
        };
        assert_eq!(answer.status, *status, "{method} {path} {headers:?}: {}", answer.text());
        assert_eq!(answer.header("allow").is_empty(), *status != 405, "{method} {path}");
        assert_eq!(answer.header("tus-resumable"), "1.0.0", "{method} {path}");
        assert_eq!(kept(), 1, "{method} {path} left something");
    }
    let host = "Host: x\r\nConnection: close\r\n";
    let many: String = (0..70).map(|at| format!("X-{at}: y\r\n")).collect();
    let long = "y".repeat(300_000);
    for (begins, request) in [
        ("HTTP/1.1 400", "NONSENSE\r\n\r\n".to_owned()),
        ("HTTP/1.1 400", format!("GET {FILES} HTTP/1.1\r\n{host}Bad Header: x\r\n\r\n")),
        ("HTTP/1.1 400", format!("POST {FILES} HTTP/1.1\r\n{host}Content-Length: -1\r\n\r\n")),
        (
            "HTTP/1.1 400",
            format!(
                "POST {FILES} HTTP/1.1\r\n{host}Content-Length: 1\r\nContent-Length: 2\r\n\r\n"
            ),
        ),
        ("HTTP/1.1 431", format!("GET {FILES} HTTP/1.1\r\n{host}{many}\r\n")),
        ("HTTP/1.1 431", format!("GET {FILES} HTTP/1.1\r\n{host}X: {long}\r\n\r\n")),
        ("no answer", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned()),
    ] {
        let line = raw(&agency, &request);
        assert!(line.starts_with(begins), "{:?}: {line}", &request[..request.len().min(90)]);
    }
    assert_eq!(kept(), 1);
    assert_eq!(agency.ask("HEAD", &upload, &[TUS]).header("upload-offset"), "0");
}

/// One user's connections to a socket of a core, of which each says nothing.
struct Idle(Child);

impl Idle {
    /// Five hundred; it is told how many of them the core has closed as soon as those are most of them.
    fn at(socket: &Path, uid: u32) -> (Self, usize) {
        let idle = "import select, socket, sys\n\
            there = [socket.socket(socket.AF_UNIX) for _ in range(500)]\n\
            for one in there: one.connect(sys.argv[1])\n\
            closed = set()\n\
            while len(closed) < 500 - 32:\n    \
                now = select.select([it for it in there if it not in closed], [], [], 60)[0]\n    \
                if not now: break\n    \
                closed.update(now)\n\
            print(len(closed), flush=True)\n\
            sys.stdin.read()";
        let mut command = Command::new("setpriv");
        command.args([&format!("--reuid={uid}"), "--regid=0", "--clear-groups"]);
        // Debian's: one of root's own is not for that user.
        let command = command.args(["/usr/bin/python3", "-c", idle]).arg(socket);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut said = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut said).unwrap();
        (Self(child), said.trim().parse().unwrap_or_default())
    }
}

impl Drop for Idle {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whoever may only ask how a core does has one part of one socket, and not the files of the core: other persons and the
/// gates are answered while it stands there.
#[test]
fn a_user_who_keeps_connections_to_a_core_takes_no_place_from_others() {
    let mut world = World::make(&Plan::default());
    world.start("dropzone");
    for core in ["sealer", "keeper"] {
        // As many files as a machine gives, and fewer than that user wants.
        let mut limited = Command::new("prlimit");
        let command = world.command(core);
        limited.arg("--nofile=400").arg(command.get_program()).args(command.get_args());
        world.start_as(core, limited);
    }
    let listed = |world: &World, host: &str| {
        let listed = world.cli_as("61002", host, &["list"]);
        assert!(listed.status.success(), "{}", stderr(&listed));
    };
    // It opens the folders of the hosts for other users.
    listed(&world, "agency");
    let mut idle = Vec::new();
    for (core, host) in [("sealer", "agency"), ("keeper", "municipality")] {
        for socket in [core.to_owned(), format!("{core}-health")] {
            let path = world.path(host).join("run").join(format!("{socket}.sock"));
            let (one, closed) = Idle::at(&path, 61_001);
            assert!(closed >= 500 - 32, "{socket}: {closed} were closed");
            idle.push(one);
        }
    }
    for role in ["carrier", "releaser", "fetcher"] {
        world.start(role);
    }
    for host in ["agency", "municipality"] {
        listed(&world, host);
    }
    let code = world.send("lijst.csv", b"nummer;contract\n1;1\n");
    world.wait("agency", &code, "Released");
    drop(idle);
}
