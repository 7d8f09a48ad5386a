//! The drop zone's door, tried with stock curl and openssl: who comes in, who does not, and what is negotiated.
//!
//! In TLS 1.3 a client has ended its handshake before the server judges its certificate. What counts is therefore
//! what the server did: it says that it refused a connection in its handshake, and not a byte was stored.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};

use sluis_tests::stock::{Client, begin};
use sluis_tests::world::Plan;
use sluis_tests::{World, stderr, tool, until};

/// Asks for an upload and brings its bytes along: whatever of it were believed would lie on the disk.
const BYTES: &[u8] = b"bytes of a stranger";
const CREATION: [&str; 3] =
    ["Tus-Resumable: 1.0.0", "Upload-Length: 19", "Content-Type: application/offset+octet-stream"];

/// The same as it stands on the wire.
fn creation() -> Vec<u8> {
    let head = format!("POST /mechelen/files HTTP/1.1\r\nHost: x\r\n{}\r\n", CREATION.join("\r\n"));
    let end = format!("Content-Length: {}\r\nConnection: close\r\n\r\n", BYTES.len());
    [head.as_bytes(), end.as_bytes(), BYTES].concat()
}

/// A drop zone that has counted the harness's own knock already.
fn door() -> World {
    let mut world = World::make(&Plan::default());
    world.start("dropzone");
    until("the first knock", || (refusals(&world) == 1).then_some(()));
    world
}

fn refusals(world: &World) -> usize {
    world.log("dropzone").matches("a connection was refused in its handshake").count()
}

/// Every file of the medium, with its size.
fn stored(folder: &Path) -> Vec<(PathBuf, u64)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        // The zone writes down its own looks at the clock, whoever asks for what.
        if entry.file_name().to_string_lossy().ends_with(".clock") {
            continue;
        }
        let meta = entry.metadata().unwrap();
        if meta.is_dir() {
            found.extend(stored(&entry.path()));
        } else {
            found.push((entry.path(), meta.len()));
        }
    }
    found.sort();
    found
}

/// Holds that an attempt got no answer, was refused in the handshake, and left nothing.
fn is_refused(world: &World, what: &str, attempt: impl FnOnce() -> String) {
    let (medium, before) = (world.path("dropzone/medium"), refusals(world));
    let kept = stored(&medium);
    let heard = attempt();
    assert!(!heard.contains("HTTP/1.1 "), "{what} got an answer: {heard}");
    until(&format!("the refusal of {what}"), || (refusals(world) == before + 1).then_some(()));
    assert_eq!(stored(&medium), kept, "{what} left something");
}

/// The same by curl and by `openssl s_client`.
fn is_refused_by_both(world: &World, what: &str, client: &Client) {
    is_refused(world, &format!("{what}, curl"), || {
        let answer = client.send("POST", "/mechelen/files", &CREATION, BYTES);
        answer.head.clone() + &answer.text()
    });
    is_refused(world, &format!("{what}, openssl"), || client.s_client(&[], &creation()));
}

/// Runs openssl with the words of a line.
fn openssl(line: &str) -> Vec<u8> {
    let output = tool(Command::new("openssl").args(line.split_whitespace()));
    assert!(output.status.success(), "{line}: {}", stderr(&output));
    output.stdout
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The agency's certificate and key.
fn agency(world: &World) -> (PathBuf, PathBuf) {
    let file = |name: &str| world.path("agency/credentials").join(name);
    (file("tls-certificate"), file("tls-key"))
}

#[test]
fn the_right_certificate_comes_in_and_what_it_brings_is_kept() {
    let world = door();
    let client = Client::of(&world, "agency");
    let options = client.ask("OPTIONS", "/mechelen/files", &[]);
    assert_eq!(options.status, 204, "{}{}", options.head, options.text());
    // The attempt that the other tests see refused is a good one.
    let medium = world.path("dropzone/medium");
    let before = stored(&medium).len();
    assert_eq!(client.send("POST", "/mechelen/files", &CREATION, BYTES).status, 201);
    assert!(client.s_client(&[], &creation()).contains("HTTP/1.1 201"));
    assert_eq!(stored(&medium).len(), before + 4, "data and info.json, twice");
    assert_eq!(refusals(&world), 1);
}

#[test]
fn no_certificate_and_a_foreign_one_are_refused_in_the_handshake() {
    let world = door();
    is_refused_by_both(&world, "no certificate", &Client::nameless(&world.host));
    // It has the agency's name, which says nothing.
    let (certificate, key) = (world.path("foreign.pem"), world.path("foreign.key"));
    openssl(&format!(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9 -subj /CN=agentschap-ii \
         -addext subjectAltName=DNS:agentschap-ii.sluis.invalid -out {} -keyout {}",
        text(&certificate),
        text(&key)
    ));
    is_refused_by_both(
        &world,
        "a foreign certificate",
        &Client::with(&world.host, &certificate, &key),
    );
    let zone = Client::of(&world, "dropzone");
    is_refused_by_both(&world, "the drop zone's own certificate", &zone);
}

#[test]
fn the_right_certificate_with_another_key_is_refused() {
    let world = door();
    let (certificate, key) = agency(&world);
    // Stock tools compare the public keys of a certificate and a key file before they use them. An EC key file states its
    // public key beside the secret number: with another number, they only find out when the server checks the signature.
    let (der, forged) = (world.path("forged.der"), world.path("forged.pem"));
    let mut bytes = openssl(&format!("pkey -in {} -outform DER", text(&key)));
    assert_eq!(bytes[..7], [0x30, 0x77, 2, 1, 1, 4, 32], "an ECPrivateKey on P-256");
    bytes[7 + 31] ^= 1;
    fs::write(&der, bytes).unwrap();
    openssl(&format!("pkey -inform DER -in {} -out {}", text(&der), text(&forged)));
    let said = |key: &Path| openssl(&format!("pkey -in {} -pubout", text(key)));
    assert_eq!(said(&forged), said(&key), "the file states the agency's public key");
    let client = Client::with(&world.host, &certificate, &forged);
    is_refused_by_both(&world, "another key", &client);
    // Not for anything that the client noticed: the server answered with an alert.
    assert!(client.s_client(&[], &creation()).contains("alert decrypt error"));
}

/// What holds is the pin. Expiry is not looked at, and nor is anything else that a certificate says of itself: a pin is
/// taken back by removing it from the agreement, never by waiting.
#[test]
fn an_expired_certificate_of_the_pinned_key_comes_in() {
    let world = door();
    let (_, key) = agency(&world);
    let (request, expired) = (world.path("request"), world.path("expired.pem"));
    // TLS 1.3 knows version 3 certificates only, and it is an extension that makes openssl write one.
    let extensions = world.path("extensions");
    fs::write(&extensions, "subjectAltName=DNS:former.invalid\n").unwrap();
    let (key_file, to) = (text(&key), text(&request));
    openssl(&format!("req -new -key {key_file} -subj /CN=former -out {to}"));
    openssl(&format!(
        "x509 -req -in {to} -signkey {key_file} -days -1 -extfile {} -out {}",
        text(&extensions),
        text(&expired)
    ));
    let check = ["x509", "-checkend", "0", "-noout", "-in", text(&expired)];
    assert!(!tool(Command::new("openssl").args(check)).status.success(), "it has expired");
    let client = Client::with(&world.host, &expired, &key);
    assert_eq!(client.ask("OPTIONS", "/mechelen/files", &[]).status, 204);
}

#[test]
fn another_tenant_learns_nothing_and_leaves_nothing() {
    let mut world = World::make(&Plan::default());
    world.with_another_agreement();
    world.start("dropzone");
    let (owner, other, both) = (
        Client::of(&world, "agency"),
        Client::of(&world, "other"),
        Client::of(&world, "municipality"),
    );
    let made = owner.send("POST", "/mechelen/files", &CREATION, BYTES);
    assert_eq!((made.status, made.header("upload-offset")), (201, "19"));
    let upload = made.header("location").strip_prefix("/mechelen").unwrap().to_owned();
    assert_eq!(other.ask("OPTIONS", "/gent/files", &[]).status, 204, "at home it is known");
    let medium = world.path("dropzone/medium");
    let kept = stored(&medium);

    let attempts = [
        ("OPTIONS", "/files"),
        ("GET", "/files"),
        ("POST", "/files"),
        ("PUT", "/files"),
        ("HEAD", &upload),
        ("GET", &upload),
        ("PATCH", &upload),
        ("DELETE", &upload),
        ("GET", "/mailbox"),
        ("PUT", "/mailbox/1"),
    ];
    for (method, path) in attempts {
        let ask = |agreement: &str| {
            let path = format!("/{agreement}{path}");
            let answer = match method {
                "POST" | "PUT" | "PATCH" => other.send(method, &path, &CREATION, BYTES),
                _ => other.ask(method, &path, &CREATION[..1]),
            };
            let head: Vec<_> = answer
                .head
                .lines()
                .filter(|line| !line.starts_with("date:"))
                .map(str::to_owned)
                .collect();
            (answer.status, head, answer.text())
        };
        let (theirs, nobodys) = (ask("mechelen"), ask("nergens"));
        assert_eq!(theirs.0, 404, "{method} {path}");
        assert_eq!(theirs, nobodys, "{method} {path}: as if there were no such agreement");
    }
    assert_eq!(stored(&medium), kept);
    // Who is party to both finds an upload only where it is.
    assert_eq!(both.ask("GET", &format!("/gent{upload}"), &[]).status, 404);
    assert_eq!(both.ask("GET", &format!("/mechelen{upload}"), &[]).body, BYTES);
}

#[test]
fn tls_1_2_is_refused() {
    let world = door();
    let client = Client::of(&world, "agency");
    is_refused(&world, "TLS 1.2, curl", || {
        let mut curl = client.request("OPTIONS", "/mechelen/files", &[]);
        let output = tool(curl.args(["--tls-max", "1.2"]));
        assert!(stderr(&output).contains("alert protocol version"), "{}", stderr(&output));
        sluis_tests::stdout(&output)
    });
    is_refused(&world, "TLS 1.2, openssl", || client.s_client(&["-tls1_2"], &creation()));
}

/// A stock server on the world's own address. It ends with the test.
struct StockServer {
    host: String,
    child: Child,
}

impl StockServer {
    fn start(world: &World, port: u16, owner: &str, arguments: &[&str]) -> Self {
        let host = format!("{}:{port}", world.host.rsplit_once(':').unwrap().0);
        let credential = |name: &str| world.path(owner).join("credentials").join(name);
        // Its input stays open: at its end it would stop.
        let child = begin(
            Command::new("openssl")
                .args(["s_server", "-quiet", "-tls1_3", "-Verify", "1", "-accept", &host])
                .arg("-cert")
                .arg(credential("tls-certificate"))
                .arg("-key")
                .arg(credential("tls-key"))
                .args(arguments),
        );
        until("openssl s_server", || TcpStream::connect(&host).ok());
        Self { host, child }
    }
}

impl Drop for StockServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn no_ticket_is_given_and_early_data_does_nothing() {
    let world = door();
    let client = Client::of(&world, "agency");
    let session = |name: &str| world.path(name);
    let look = b"OPTIONS /mechelen/files HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let (ours, theirs) = (session("ours.session"), session("theirs.session"));

    let heard = client.s_client(&["-sess_out", text(&ours)], look);
    assert!(heard.contains("HTTP/1.1 204") && heard.contains("TLSv1.3"), "{heard}");
    assert!(!heard.contains("TLS session ticket") && !heard.contains("Session Ticket"), "{heard}");
    assert!(!ours.exists(), "a session to come back with");
    let early = session("early");
    fs::write(&early, creation()).unwrap();
    let arguments = ["-early_data", text(&early)];
    let heard = client.s_client(&arguments, look);
    assert!(heard.contains("HTTP/1.1 204") && heard.contains("Early data was not sent"), "{heard}");

    // The same look finds the tickets of a server that gives them, and one of those makes openssl send early data to us.
    let stock = StockServer::start(&world, 4433, "dropzone", &["-early_data", "-naccept", "2"]);
    let mut s_client = Command::new("openssl");
    s_client.args(["s_client", "-connect", &stock.host, "-sess_out"]).arg(&theirs);
    let (certificate, key) = agency(&world);
    let mut running = begin(s_client.arg("-cert").arg(certificate).arg("-key").arg(key));
    until("a ticket of the stock server", || fs::metadata(&theirs).ok().filter(|m| m.len() > 0));
    drop(running.stdin.take());
    let heard = running.wait_with_output().unwrap();
    assert!(sluis_tests::stdout(&heard).contains("TLS session ticket"));
    let arguments = [&arguments[..], &["-sess_in", text(&theirs)]].concat();
    let kept = stored(&world.path("dropzone/medium"));
    let heard = client.s_client(&arguments, look);
    assert!(heard.contains("Early data was rejected"), "{heard}");
    assert!(heard.contains("HTTP/1.1 204") && !heard.contains("HTTP/1.1 201"), "{heard}");
    assert_eq!(stored(&world.path("dropzone/medium")), kept, "early data did something");
}

/// X25519MLKEM768, in the registry of TLS groups.
const HYBRID: u16 = 0x11EC;

/// What the two sides of one handshake said in the clear: the groups that the client offers, and the server's choice.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Handshake {
    offered: Vec<u16>,
    chosen: Option<u16>,
}

/// Stands between client and server, passes everything on, and writes down the handshakes.
struct Relay {
    host: String,
    target: Arc<Mutex<String>>,
    seen: Arc<Mutex<Vec<Handshake>>>,
}

impl Relay {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let relay = Self { host, target: Arc::default(), seen: Arc::default() };
        let (target, seen) = (Arc::clone(&relay.target), Arc::clone(&relay.seen));
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (target, seen) = (target.lock().unwrap().clone(), Arc::clone(&seen));
                std::thread::spawn(move || pass(&client, &target, &seen));
            }
        });
        relay
    }
    fn to(&self, host: &str) {
        host.clone_into(&mut self.target.lock().unwrap());
        self.seen.lock().unwrap().clear();
    }
    fn next(&self, whose: &str) -> Handshake {
        until(&format!("a handshake of the {whose}"), || self.seen.lock().unwrap().pop())
    }
}

fn pass(client: &TcpStream, target: &str, seen: &Mutex<Vec<Handshake>>) -> Option<()> {
    let server = TcpStream::connect(target).ok()?;
    let hello = record(client, &server)?;
    let offered = extension(&hello, 1, 0x000A)?;
    let offered = offered[2..].chunks(2).map(number).collect();
    // An alert in place of a ServerHello chooses nothing.
    let answer = record(&server, client);
    let chosen = answer.and_then(|answer| Some(number(&extension(&answer, 2, 0x0033)?[..2])));
    seen.lock().unwrap().push(Handshake { offered, chosen });
    std::thread::scope(|scope| {
        for (mut from, mut to) in [(client, &server), (&server, client)] {
            scope.spawn(move || {
                let _ = std::io::copy(&mut from, &mut to);
                let _ = to.shutdown(Shutdown::Write);
            });
        }
    });
    Some(())
}

/// Reads one TLS record and passes it on.
fn record(mut from: &TcpStream, mut to: &TcpStream) -> Option<Vec<u8>> {
    let mut record = vec![0; 5];
    from.read_exact(&mut record).ok()?;
    record.resize(5 + usize::from(number(&record[3..5])), 0);
    from.read_exact(&mut record[5..]).ok()?;
    to.write_all(&record).ok()?;
    Some(record)
}

fn number(bytes: &[u8]) -> u16 {
    u16::from_be_bytes([bytes[0], bytes[1]])
}

/// An extension of a ClientHello (1) or a ServerHello (2), after RFC 8446 section 4.1.
fn extension(record: &[u8], kind: u8, wanted: u16) -> Option<Vec<u8>> {
    if record[0] != 22 || record[5] != kind {
        return None;
    }
    // Two record and handshake heads, version, random, session id.
    let mut at = 5 + 4 + 2 + 32;
    at += 1 + usize::from(record[at]);
    // Cipher suites and compressions, or one of each.
    if kind == 1 {
        at += 2 + usize::from(number(&record[at..]));
        at += 1 + usize::from(record[at]);
    } else {
        at += 2 + 1;
    }
    at += 2;
    while at < record.len() {
        let (name, length) = (number(&record[at..]), usize::from(number(&record[at + 2..])));
        at += 4;
        if name == wanted {
            return Some(record[at..at + length].to_vec());
        }
        at += length;
    }
    None
}

#[test]
fn our_gates_insist_on_the_hybrid_group_and_stock_clients_may_be_classical() {
    let relay = Relay::new();
    let mut plan = Plan::default();
    plan.agreement = plan.agreement.replace("{host}", &relay.host);
    let mut world = World::make(&plan);
    // The drop zone's key in the hands of a server that knows no hybrid group: the pin is right.
    let classical = StockServer::start(&world, 4434, "dropzone", &["-groups", "X25519"]);
    world.start("dropzone");
    let zone = world.host.clone();
    for (core, gate) in [("sealer", "carrier"), ("keeper", "fetcher")] {
        world.start(core);
        let insists = Handshake { offered: vec![HYBRID], chosen: Some(HYBRID) };
        let refuses = Handshake { chosen: None, ..insists.clone() };
        for (host, expected) in [(&zone, insists), (&classical.host, refuses)] {
            relay.to(host);
            world.start(gate);
            assert_eq!(relay.next(gate), expected, "{gate} to {host}");
            world.kill(gate);
        }
        // Told not to insist, it still prefers it, and puts up with less.
        world.edit(sluis_tests::world::host_of(gate), |text| {
            text.replace(
                &format!("[{gate}]\n"),
                &format!("[{gate}]\nrequire-post-quantum = false\n"),
            )
        });
        for (host, chosen) in [(&zone, HYBRID), (&classical.host, 0x001D)] {
            relay.to(host);
            world.start(gate);
            let met = relay.next(gate);
            assert_eq!((met.offered[0], met.chosen), (HYBRID, Some(chosen)), "{gate} to {host}");
            assert!(met.offered.len() > 1);
            world.kill(gate);
        }
    }
    relay.to(&world.host);
    let mut curl =
        Client::of(&world, "agency").to(&relay.host).request("OPTIONS", "/mechelen/files", &[]);
    let heard = tool(curl.args(["--curves", "X25519"]));
    assert!(sluis_tests::stdout(&heard).starts_with("HTTP/1.1 204"), "{}", stderr(&heard));
    assert_eq!(
        relay.next("stock client"),
        Handshake { offered: vec![0x001D], chosen: Some(0x001D) }
    );
}
