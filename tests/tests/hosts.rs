//! The journey over hosts: every role in a network namespace of its own, and every link cut once.
//!
//! ```text
//!  sealer           keeper             no link at all: they meet their gates on Unix sockets in the file system,
//!    :                :                which know nothing of network namespaces
//!  carrier ======== dropzone ======== fetcher
//!  releaser ======= provider-a, provider-b, provider-c
//! ```
//!
//! The agency is three of them and the municipality two, because a gate is worth something only where the other
//! gates and the cores cannot use its links. Carrier and fetcher have a default route through the drop zone, as a
//! real host has one to everywhere: what keeps them apart is that the drop zone forwards nothing, and a control
//! shows that it is that. The providers are real ones as far as the releaser can tell: HTTPS, a certificate of an
//! authority, an account.
//!
//! A link is cut by taking its far end down, which keeps the capture at the near end alive, and stays cut until
//! the connection in question is given up: TCP alone would heal a short one, and nothing would have been shown.
//! It needs root, namespaces and tshark; without them it fails, it is not skipped.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;
use sluis_tests::netns::{Capture, Net, Running, Tap, holds};
use sluis_tests::provider::channel;
use sluis_tests::world::{Plan, ROLES, line_in, somewhere};
use sluis_tests::{World, binary, stderr, stdout, tool, until};

const ZONE: &str = "192.0.2.10";
const CARRIER: &str = "198.51.100.1";
const RELEASER: &str = "198.51.100.2";
const FETCHER: &str = "203.0.113.1";
/// The provider of each channel: its host, its address, and its channel.
const PROVIDERS: [(&str, &str, &str); 3] = [
    ("provider-a", "203.0.113.11", "sms-a"),
    ("provider-b", "203.0.113.12", "sms-b"),
    ("provider-c", "203.0.113.13", "voice"),
];
const HOSTS: [&str; 9] = [
    "sealer",
    "keeper",
    "carrier",
    "releaser",
    "fetcher",
    "dropzone",
    "provider-a",
    "provider-b",
    "provider-c",
];

/// The size of the list, and how far it has got when the link is cut: past the half, so that beginning anew would
/// be seen in the bytes that passed.
const SIZE: usize = 8 << 20;
const MIDDLE: u64 = 5 << 20;
/// Stands in the list again and again.
const MARK: &[u8] = b"85073003328;dit-mag-niemand-onderweg-lezen";
/// The password of the agency's accounts.
const ACCOUNT: &str = "wachtwoord-bij-de-providers";
/// Goes over each link in the clear before and after the journey: what finds this would find all else.
const CANARY: [&str; 2] = ["kanarie-voor-de-reis", "kanarie-na-de-reis"];

/// A provider: writes down what it is asked, and answers when no file `hold` lies beside it.
const PROVIDER: &str = r#"
import json, os, ssl, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
address, identity, folder = sys.argv[1:]
class Provider(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        asked = json.dumps({"account": self.headers["authorization"], "body": json.loads(body)})
        with open(folder + "/asked", "a") as file:
            file.write(asked + "\n")
        while os.path.exists(folder + "/hold"):
            time.sleep(0.01)
        answer = b'{"id":"SIM-1"}'
        self.send_response(202)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
        self.wfile.flush()
        open(folder + "/answered", "w").close()
server = ThreadingHTTPServer((address, 443), Provider)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(identity)
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
open(folder + "/ready", "w").close()
server.serve_forever()
"#;

/// The hosts with their links; everything else comes later.
fn net() -> Net {
    let net = Net::new(&HOSTS);
    net.link(("carrier", CARRIER), ("dropzone", ZONE));
    net.link(("fetcher", FETCHER), ("dropzone", ZONE));
    for (provider, address, _) in PROVIDERS {
        net.link(("releaser", RELEASER), (provider, address));
    }
    for gate in ["carrier", "fetcher"] {
        net.way_out(gate, "dropzone", ZONE);
    }
    net
}

#[test]
fn nobody_reaches_a_host_that_its_work_does_not_need() {
    let net = net();
    let folder = tempfile::tempdir().unwrap();
    let listen =
        "import socket\nserver = socket.create_server(('', 7000))\nwhile 1: server.accept()";
    let mut command = Command::new("python3");
    command.args(["-c", listen]);
    let linked = &HOSTS[2..];
    let spawn = |host: &&str| net.spawn(host, &command, &folder.path().join(host));
    let _listeners: Vec<Running> = linked.iter().map(spawn).collect();
    until("everybody to listen", || {
        let listens = |host: &&str| net.run(host, "ss -Htln").contains(":7000").then_some(());
        linked.iter().try_for_each(listens)
    });
    let address = |host: &str| match host {
        "dropzone" => ZONE,
        "carrier" => CARRIER,
        "releaser" => RELEASER,
        "fetcher" => FETCHER,
        provider => PROVIDERS.iter().find(|(name, ..)| *name == provider).unwrap().1,
    };
    let reaches = |from: &str, to: &str| {
        let dial = format!("timeout 1 bash -c 'exec 3<>/dev/tcp/{}/7000'", address(to));
        net.try_run(from, &dial).status.success()
    };
    std::thread::scope(|scope| {
        for from in HOSTS {
            scope.spawn(move || {
                let others = linked.iter().filter(|to| **to != from);
                let reached: Vec<_> = others.filter(|to| reaches(from, to)).copied().collect();
                let expected: &[&str] = match from {
                    "carrier" | "fetcher" => &["dropzone"],
                    "releaser" => &["provider-a", "provider-b", "provider-c"],
                    "dropzone" => &["carrier", "fetcher"],
                    "sealer" | "keeper" => &[],
                    _ => &["releaser"],
                };
                assert_eq!(reached, expected, "{from}");
            });
        }
    });
    // The control: it is the drop zone that forwards nothing. If it did, they would reach each other.
    for (forwards, reached) in [("1", true), ("0", false)] {
        net.run("dropzone", &format!("echo {forwards} >/proc/sys/net/ipv4/ip_forward"));
        for (from, to) in [("carrier", "fetcher"), ("fetcher", "carrier")] {
            assert_eq!(reaches(from, to), reached, "{from} to {to}, forwarding {forwards}");
        }
    }
    for core in ["sealer", "keeper"] {
        assert!(net.devices(core).is_empty(), "{core}: {:?}", net.devices(core));
    }
}

/// The six roles and the providers, each on its host, and a capture on each link. The order is that of their end.
struct Hosts {
    world: World,
    taps: BTreeMap<&'static str, Tap>,
    _providers: Vec<Running>,
    net: Net,
}

impl Hosts {
    fn start() -> Self {
        let net = net();
        net.slow("carrier", "dropzone", "10mbit");
        net.slow("dropzone", "fetcher", "10mbit");
        let mut world = World::make(&plan());
        // Soon, but longer than a fetch waits for its envelope. The carrier keeps its minute: when the link is mended,
        // the drop zone tells it that its connection is no more.
        world.edit("municipality", |text| text.replace("[fetcher]\n", "[fetcher]\nidle-s = 10\n"));
        let captures = world.path("captures");
        fs::create_dir(&captures).unwrap();
        let taps = [("carrier", "dropzone"), ("fetcher", "dropzone")].into_iter();
        let taps = taps.map(|(gate, far)| (gate, Tap::new(&net, gate, far, &captures)));
        let sms = PROVIDERS.map(|(far, ..)| (far, Tap::new(&net, "releaser", far, &captures)));
        let taps = taps.chain(sms).collect();
        let authority = certificates(&world);
        let providers = PROVIDERS.map(|provider| start_provider(&net, &world, provider)).into();
        for (role, _) in ROLES {
            let mut command = net.on(role, &world.command(role));
            if role == "releaser" {
                command.env("SSL_CERT_FILE", &authority);
            }
            world.start_as(role, command);
        }
        let pids = ROLES.map(|(role, _)| world.status(role, "Pid:"));
        let places = pids.map(|pid| fs::read_link(format!("/proc/{pid}/ns/net")).unwrap());
        assert_eq!(BTreeSet::from(places).len(), ROLES.len(), "each role has a host of its own");
        Self { world, taps, _providers: providers, net }
    }

    /// Says something in the clear over each link.
    fn sing(&self, canary: &str) {
        let say = |from: &str, to: &str, port: u16| {
            self.net.run(from, &format!("echo {canary} >/dev/tcp/{to}/{port}"));
        };
        say("carrier", ZONE, 8443);
        say("fetcher", ZONE, 8443);
        PROVIDERS.iter().for_each(|(_, address, _)| say("releaser", address, 443));
    }

    /// Waits until so many bytes went over a link.
    fn middle(&self, gate: &str, way: &str) {
        until("the middle of the file", || {
            (self.net.moved(gate, "dropzone", way) >= MIDDLE).then_some(())
        });
    }

    /// What the drop zone holds of the file.
    fn carried(&self) -> u64 {
        let files = fs::read_dir(self.world.path("dropzone/medium/mechelen/files")).unwrap();
        files.flatten().map(|one| fs::metadata(one.path().join("data")).unwrap().len()).sum()
    }

    /// What a provider was asked.
    fn asked(&self, provider: &str) -> Vec<Value> {
        let text = fs::read_to_string(self.world.path(provider).join("asked")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The line in the one message that a provider got.
    fn line(&self, provider: &str) -> String {
        let asked = self.asked(provider);
        assert_eq!(asked.len(), 1, "{provider} got one message");
        assert_eq!(asked[0]["account"], format!("Bearer {ACCOUNT}"));
        line_in(asked[0]["body"]["text"].as_str().unwrap())
    }

    /// Waits until a host has given up each of these connections.
    fn given_up(&self, host: &str, broken: &Connections) {
        until("the connection to be given up", || {
            self.net.connections(host, false).is_disjoint(broken).then_some(())
        });
    }

    /// The fetcher's link goes while it waits for letters, and the first letter comes while it is down. The file
    /// leaves meanwhile, and its link is cut too.
    fn poll_and_upload_are_cut(&self, content: &[u8]) -> (String, f64, Connections) {
        let net = &self.net;
        let (mut before, mut quiet) = (0, 0);
        until("the poll to be all there is", || {
            let moved = net.moved("fetcher", "dropzone", "rx");
            quiet = if moved == before { quiet + 1 } else { 0 };
            before = moved;
            (quiet >= 10 && !net.connections("fetcher", false).is_empty()).then_some(())
        });
        let polls = net.connections("fetcher", false);
        self.net.cut("fetcher", "dropzone");
        let cut = now();
        let code = self.world.send("lijst-2026.bin", content);
        self.upload_is_cut();
        let mailbox = self.world.path("dropzone/medium/mechelen/mailbox/municipality");
        until("the letter to lie there", || fs::read_dir(&mailbox).unwrap().next().map(|_| ()));
        self.given_up("fetcher", &polls);
        assert!(self.world.row("municipality", &code).is_none(), "it could not hear of it");
        self.net.mend("fetcher", "dropzone");
        (code, cut, polls)
    }

    fn upload_is_cut(&self) {
        self.middle("carrier", "tx");
        self.net.cut("carrier", "dropzone");
        let broken = swapped(self.net.connections("carrier", true));
        assert!(!broken.is_empty(), "an upload was under way");
        let carried = self.carried();
        assert!(carried > 0 && carried < SIZE as u64, "{carried} bytes were there at the cut");
        self.given_up("dropzone", &broken);
        self.net.mend("carrier", "dropzone");
    }

    fn fetch_is_cut(&self, code: &str) {
        self.middle("fetcher", "rx");
        self.net.cut("fetcher", "dropzone");
        let mut broken = swapped(self.net.connections("dropzone", true));
        broken.retain(|(own, _)| own.starts_with(FETCHER));
        assert!(!broken.is_empty(), "a fetch was under way");
        let said = self.world.statements("municipality", code);
        assert!(!said.contains(&"delivered".to_owned()), "{said:?}");
        assert!(self.carried() >= SIZE as u64, "all of it lies in the drop zone");
        assert!(somewhere(&self.world.path("dropzone"), MARK).is_empty(), "as ciphertext");
        self.given_up("fetcher", &broken);
        self.net.mend("fetcher", "dropzone");
    }

    /// Three messages leave; the second provider takes its own, and its answer is lost.
    fn release_is_cut(&self, code: &str) {
        let ready = self.world.cli("municipality", &["ready", code]);
        assert!(ready.status.success(), "{}", stderr(&ready));
        let folder = self.world.path("provider-b");
        until("the message", || folder.join("asked").exists().then_some(()));
        self.net.cut("releaser", "provider-b");
        fs::remove_file(folder.join("hold")).unwrap();
        until("the answer", || folder.join("answered").exists().then_some(()));
        until("the releaser to give the answer up", || {
            let shares = self.world.shares(code);
            let taken =
                shares.iter().filter(|share| share["stands"].get("Accepted").is_some()).count();
            (taken == 2 && shares[1]["stands"] != "Leaving").then_some(())
        });
        self.net.mend("releaser", "provider-b");
    }

    /// What a custodian needs to have on the municipality's host: the program, and a way to the keeper's socket.
    fn let_custodians_in(&self) {
        fs::copy(binary("sluis"), self.world.path("sluis")).unwrap();
        fs::set_permissions(self.world.path(""), fs::Permissions::from_mode(0o711)).unwrap();
    }

    /// A custodian logs in as a Unix user of their own, and types one line.
    fn types(&self, uid: &str, code: &str, line: &str) -> Output {
        let (program, config) =
            (self.world.path("sluis"), self.world.path("municipality/sluis.toml"));
        let mut child = Command::new("setpriv")
            .args([&format!("--reuid={uid}"), "--regid=0", "--clear-groups"])
            .arg(program)
            .arg("--config")
            .arg(config)
            .args(["open", code])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(line.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    /// Both parties hold the same statements, and these are among them.
    fn both_have_said(&self, code: &str, all: &[&str]) {
        until("both ledgers to hold every statement", || {
            let mut said = ["agency", "municipality"].map(|at| self.world.statements(at, code));
            said.iter_mut().for_each(|said| said.sort());
            let has = |kind: &&str| said[0].iter().any(|one| one == kind);
            (said[0] == said[1] && all.iter().all(has)).then_some(())
        });
    }
}

/// Connections, each as its two ends.
type Connections = BTreeSet<(String, String)>;

/// The same as the other host sees them.
fn swapped(connections: Connections) -> Connections {
    connections.into_iter().map(|(own, peer)| (peer, own)).collect()
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}

/// 2 of 3 over three providers, when the municipality is ready.
fn plan() -> Plan {
    let channel = |(_, address, id): (&str, &str, &str)| {
        channel(id, &format!("https://{address}/sms"))
            .replace("driver = \"http\"\n", "driver = \"http\"\nauth = \"bearer\"\n")
            .replace("timeout-s = 2\n", "timeout-s = 6\n")
    };
    let mut plan = Plan::default().over(&PROVIDERS.map(channel).concat());
    plan.agreement = plan.agreement.replace("\"after-removal\"", "\"when-ready\"");
    // A body that is cut off gives its place back soon.
    plan.dropzone = "idle-s = 2\n".into();
    // What becomes of it afterwards is `sms`; here its answer stays lost.
    plan.sealer = "settle-ms = 100\nresends = 0\n".into();
    plan.host = Some(format!("{ZONE}:8443"));
    plan
}

/// An authority that the releaser trusts, and a certificate of it for all providers; gives the authority's file.
fn certificates(world: &World) -> PathBuf {
    let file = |name: &str| world.path(name).display().to_string();
    let request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2";
    let names = PROVIDERS.map(|(_, address, _)| format!("IP:{address}")).join(",");
    let (ca, ca_key, own, key) = (file("ca.pem"), file("ca.key"), file("own.pem"), file("own.key"));
    for line in [
        format!("{request} -subj /CN=authority -out {ca} -keyout {ca_key}"),
        format!(
            "{request} -subj /CN=providers -CA {ca} -CAkey {ca_key} -out {own} -keyout {key} \
             -addext basicConstraints=critical,CA:FALSE -addext subjectAltName={names}"
        ),
    ] {
        let made = tool(Command::new("openssl").args(line.split_whitespace()));
        assert!(made.status.success(), "{}", stderr(&made));
    }
    fs::write(file("providers.pem"), [fs::read(own).unwrap(), fs::read(key).unwrap()].concat())
        .unwrap();
    ca.into()
}

/// Opens the agency's account and starts the provider; the second one is slow to answer.
fn start_provider(net: &Net, world: &World, (host, address, id): (&str, &str, &str)) -> Running {
    let secret = world.path("agency/credentials").join(format!("provider-{id}"));
    fs::write(&secret, ACCOUNT).unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    let folder = world.path(host);
    fs::create_dir(&folder).unwrap();
    if host == "provider-b" {
        fs::write(folder.join("hold"), "").unwrap();
    }
    let mut command = Command::new("python3");
    command.args(["-c", PROVIDER, address]).arg(world.path("providers.pem")).arg(&folder);
    let running = net.spawn(host, &command, &world.path(&format!("{host}.log")));
    until("the provider to listen", || folder.join("ready").exists().then_some(()));
    running
}

/// What does not compress and is not alike anywhere, with the mark in every page.
fn list() -> Vec<u8> {
    let mut content = vec![0; SIZE];
    fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut content)).unwrap();
    content.chunks_mut(4096).for_each(|page| page[..MARK.len()].copy_from_slice(MARK));
    content
}

#[test]
fn the_list_arrives_though_every_link_was_cut_in_the_middle() {
    let hosts = Hosts::start();
    let world = &hosts.world;
    hosts.sing(CANARY[0]);
    let content = list();
    let (code, cut, polls) = hosts.poll_and_upload_are_cut(&content);
    hosts.fetch_is_cut(&code);
    world.wait("agency", &code, "Removed");
    assert_eq!(hosts.carried(), 0, "the file gate is shut before the key gate opens");
    assert!(PROVIDERS.iter().all(|(provider, ..)| hosts.asked(provider).is_empty()));
    hosts.release_is_cut(&code);
    let row = world.row("agency", &code).unwrap();
    assert!(["Releasing", "Released"].map(Value::from).contains(&row["state"]), "{row}");
    let lost = &hosts.world.shares(&code)[1];
    assert!(lost["stands"].get("Unknown").is_some(), "{lost}");
    let lines = PROVIDERS.map(|(provider, ..)| hosts.line(provider));
    hosts.let_custodians_in();
    let first = hosts.types("65533", &code, &lines[0]);
    assert!(stdout(&first).contains("1 / 2"), "{}{}", stdout(&first), stderr(&first));
    let second = hosts.types("65534", &code, &lines[2]);
    assert!(second.status.success(), "{}{}", stdout(&second), stderr(&second));
    let opened = world.vault(&code).join("opened/lijst-2026.bin");
    assert!(fs::read(&opened).unwrap() == content, "what was opened is what was sent");
    world.wait("agency", &code, "Closed");
    hosts.both_have_said(
        &code,
        &["sent", "delivered", "removed", "probed", "ready", "share-accepted", "opened", "closed"],
    );
    let again = PROVIDERS.map(|(provider, ..)| hosts.line(provider));
    assert_eq!(again, lines, "no message came twice");
    hosts.sing(CANARY[1]);
    let envelope = fs::read(world.vault(&code).join("envelope.age")).unwrap();
    let Hosts { world: _world, taps, _providers, net: _net } = hosts;
    let links = taps.into_iter().map(|(far, tap)| (far, tap.end(CANARY[1].as_bytes()))).collect();
    let seen = Seen { links, envelope, content, lines };
    seen.every_link_was_listened_to();
    seen.only_neighbours_spoke();
    seen.nothing_could_be_read();
    seen.the_file_crossed_the_file_side_alone();
    seen.all_of_it_was_tls_1_3();
    seen.a_poll_waited_at(cut, &polls);
    seen.write_down();
}

/// What was seen on the links, and what must not be in it.
struct Seen {
    /// By the host that only this link leads to.
    links: BTreeMap<&'static str, Capture>,
    envelope: Vec<u8>,
    content: Vec<u8>,
    lines: [String; 3],
}

impl Seen {
    /// Each link with its two ends, the near one first.
    fn ends(&self) -> impl Iterator<Item = (&'static str, &Capture, &'static str, &'static str)> {
        self.links.iter().map(|(name, link)| match *name {
            "carrier" => (*name, link, CARRIER, ZONE),
            "fetcher" => (*name, link, FETCHER, ZONE),
            far => {
                let provider = PROVIDERS.iter().find(|(host, ..)| *host == far).unwrap();
                (*name, link, RELEASER, provider.1)
            }
        })
    }

    /// The captures ran from beginning to end, and what goes in the clear is found by the search that finds nothing.
    fn every_link_was_listened_to(&self) {
        assert_eq!(self.links.len(), 5);
        for (name, link, near, _) in self.ends() {
            for canary in CANARY {
                assert!(holds(&link.sent_by(near), canary.as_bytes()), "{canary} on {name}");
                assert!(holds(&link.raw(), canary.as_bytes()), "{canary} on {name}");
            }
        }
    }

    /// On a link are its two ends and nobody else; what is not TCP between them asks for a hardware address.
    fn only_neighbours_spoke(&self) {
        for (name, link, near, far) in self.ends() {
            let mut ends = [near, far];
            ends.sort_unstable();
            assert_eq!(link.pairs(), BTreeSet::from([ends]), "{name}");
            for packet in &link.packets {
                let known = ["eth:ethertype:ip:tcp", "eth:ethertype:arp"];
                let known = known.iter().any(|layers| packet.layers.starts_with(layers));
                assert!(known, "{} on {name}", packet.layers);
            }
        }
    }

    /// No plaintext, no name, no share line in any spelling, no account, and not even the envelope.
    fn nothing_could_be_read(&self) {
        let mut secrets: Vec<Vec<u8>> = ["lijst-2026", ACCOUNT, "age-encryption.org/v1"]
            .map(|text| text.as_bytes().to_vec())
            .into();
        secrets.push(MARK.to_vec());
        for line in &self.lines {
            for spelt in [line.clone(), line.replace('-', "")] {
                secrets.extend([spelt.to_lowercase().into_bytes(), spelt.into_bytes()]);
            }
        }
        for file in [&self.content, &self.envelope] {
            secrets.extend(windows(file, 4));
        }
        for (name, link, near, far) in self.ends() {
            for bytes in [link.sent_by(near), link.sent_by(far), link.raw()] {
                for secret in &secrets {
                    let shown = String::from_utf8_lossy(secret);
                    assert!(!holds(&bytes, secret), "{shown} can be read on {name}");
                }
            }
        }
    }

    /// Up and down once, going on where each link was cut; and to the providers no more than a message's worth.
    fn the_file_crossed_the_file_side_alone(&self) {
        for (gate, sender) in [("carrier", CARRIER), ("fetcher", ZONE)] {
            let (link, size) = (&self.links[gate], self.envelope.len());
            let sent = link.sent_by(sender).len();
            // Began anew, it would be more than one and a half times its size.
            assert!(sent >= size && sent < size * 29 / 20, "{sent} bytes for {size} on {gate}");
            let mut carried = BTreeMap::<_, usize>::new();
            for packet in link.packets.iter().filter(|packet| packet.from == sender) {
                *carried.entry(&packet.stream).or_default() += packet.payload.len();
            }
            let large = carried.values().filter(|bytes| **bytes > 1 << 20).count();
            assert_eq!(large, 2, "the cut connection and the one that went on: {carried:?}");
        }
        for (provider, address, _) in PROVIDERS {
            let link = &self.links[provider];
            let bytes = [link.sent_by(RELEASER), link.sent_by(address)].concat();
            assert!(bytes.len() < 64 << 10, "{} bytes to {provider}", bytes.len());
            for part in windows(&self.envelope, 512) {
                assert!(!holds(&bytes, &part), "a part of the file went to {provider}");
            }
        }
    }

    /// Every handshake agreed on TLS 1.3, and on the file side on the hybrid key exchange.
    fn all_of_it_was_tls_1_3(&self) {
        for (name, link, ..) in self.ends() {
            let agreed = hellos(link);
            let file_side = ["carrier", "fetcher"].contains(&name);
            assert!(agreed.len() > usize::from(file_side), "{name}: {agreed:?}");
            for [version, group] in &agreed {
                assert_eq!(version, "0x0304", "TLS 1.3 on {name}");
                assert!(!file_side || group == "4588", "X25519MLKEM768 on {name}, not {group}");
            }
        }
    }

    /// When the fetcher's link was cut, it had asked on one of these connections and got no answer.
    fn a_poll_waited_at(&self, cut: f64, polls: &Connections) {
        let link = &self.links["fetcher"];
        let asked = polls.iter().any(|(own, _)| {
            let port = own.rsplit(':').next().unwrap();
            let ours = link.packets.iter().filter(|packet| packet.ports.iter().any(|p| p == port));
            let mut said = ours.filter(|packet| packet.at < cut && !packet.payload.is_empty());
            said.next_back().is_some_and(|last| last.from == FETCHER)
        });
        assert!(asked, "no poll waited on {polls:?}");
    }

    /// For whoever wants to know what the test has seen.
    fn write_down(&self) {
        let mut table = format!("the envelope has {} bytes\n", self.envelope.len());
        for (name, link, near, far) in self.ends() {
            let (out, back) = (link.sent_by(near).len(), link.sent_by(far).len());
            let packets = link.packets.len();
            let agreed: BTreeSet<_> = hellos(link).into_iter().collect();
            writeln!(table, "{name}: {packets} packets, {out} bytes out, {back} back, {agreed:?}")
                .unwrap();
        }
        println!("{table}");
        fs::write(Path::new(env!("CARGO_TARGET_TMPDIR")).join("hosts.txt"), table).unwrap();
    }
}

/// Version and group of every ServerHello.
fn hellos(link: &Capture) -> Vec<[String; 2]> {
    let fields =
        "tls.handshake.extensions.supported_version tls.handshake.extensions_key_share_group";
    let hellos = link.fields("tls.handshake.type == 2", fields);
    hellos.into_iter().map(|row| <[String; 2]>::try_from(row).unwrap()).collect()
}

/// So many parts of a file, spread over it.
fn windows(file: &[u8], count: usize) -> impl Iterator<Item = Vec<u8>> {
    file.chunks(file.len() / count).filter(|part| part.len() > 96).map(|part| part[64..96].to_vec())
}
