//! Hosts as network namespaces: links between them that can be cut, and a capture on each link.
//!
//! Needs root, iproute2 and tshark; without them it fails, it is not skipped. A namespace that has no link has
//! nothing but a loopback device that is down. What a link is called in a namespace is the other end's name.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use memchr::memmem;
use serde_json::Value;

use crate::{stderr, stdout, tool, until};

/// Namespaces of this test's own. They go when it is dropped.
#[derive(Debug)]
pub struct Net {
    prefix: String,
    hosts: Vec<&'static str>,
}

impl Net {
    /// These hosts, without any link.
    #[must_use]
    pub fn new(hosts: &[&'static str]) -> Self {
        assert!(rustix::process::getuid().is_root(), "network namespaces are made only as root");
        let id = sluis_core::id::TransferId::random().to_string();
        let mut net = Self { prefix: format!("sluis-{}", &id[..12]), hosts: Vec::new() };
        for host in hosts {
            let made = tool(Command::new("ip").args(["netns", "add", &net.name(host)]));
            assert!(made.status.success(), "no network namespaces here? {}", stderr(&made));
            net.hosts.push(host);
            // What the kernel says by itself on a new link would stand in the captures.
            let six = "/proc/sys/net/ipv6/conf/all/disable_ipv6";
            net.run(host, &format!("[ ! -e {six} ] || echo 1 >{six}"));
        }
        net
    }

    fn name(&self, host: &str) -> String {
        format!("{}-{host}", self.prefix)
    }

    /// A link of two hosts with an address at each end, and nothing behind them.
    pub fn link(&self, (one, here): (&str, &str), (other, there): (&str, &str)) {
        let names = [self.name(one), self.name(other)];
        ip(&format!(
            "-n {} link add name {other} type veth peer name {one} netns {}",
            names[0], names[1]
        ));
        for (host, device, own, peer) in [(one, other, here, there), (other, one, there, here)] {
            let name = self.name(host);
            ip(&format!("-n {name} address add {own} peer {peer} dev {device}"));
            ip(&format!("-n {name} link set dev {device} up"));
        }
    }

    /// Makes what leaves a host over a link as slow as this, so that there is a middle to cut in.
    pub fn slow(&self, host: &str, device: &str, rate: &str) {
        self.run(
            host,
            &format!("tc qdisc add dev {device} root tbf rate {rate} burst 64kb latency 400ms"),
        );
    }

    /// Sends all else over a link, as a host does that has one way out.
    pub fn way_out(&self, host: &str, device: &str, gateway: &str) {
        let name = self.name(host);
        ip(&format!("-n {name} route add default via {gateway} dev {device} onlink"));
    }

    /// The devices of a host, without a loopback that is down.
    #[must_use]
    pub fn devices(&self, host: &str) -> Vec<String> {
        let all = json(&format!("-j -n {} link", self.name(host)));
        let all = all.as_array().unwrap().iter();
        let used = all.filter(|one| one["ifname"] != "lo" || one["operstate"] != "DOWN");
        used.map(|one| one["ifname"].as_str().unwrap().to_owned()).collect()
    }

    /// Cuts a link: the cable is out at the far end, and the near one only sees that nothing is on its wire.
    pub fn cut(&self, near: &str, far: &str) {
        ip(&format!("-n {} link set dev {near} down", self.name(far)));
    }

    /// The cable is in again.
    pub fn mend(&self, near: &str, far: &str) {
        ip(&format!("-n {} link set dev {near} up", self.name(far)));
    }

    /// The bytes that have left (`tx`) or reached (`rx`) a host over a link.
    #[must_use]
    pub fn moved(&self, host: &str, device: &str, way: &str) -> u64 {
        let shown = json(&format!("-j -s -n {} link show dev {device}", self.name(host)));
        shown[0]["stats64"][way]["bytes"].as_u64().unwrap()
    }

    /// The connections that a host has open, each as its two ends; with `unsent`, those that wait to send.
    #[must_use]
    pub fn connections(&self, host: &str, unsent: bool) -> BTreeSet<(String, String)> {
        let all = self.run(host, "ss -Htn state established");
        let all = all.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let wanted = all.filter(|fields| !unsent || fields[1] != "0");
        wanted.map(|fields| (fields[2].to_owned(), fields[3].to_owned())).collect()
    }

    /// A command, on a host.
    #[must_use]
    pub fn on(&self, host: &str, command: &Command) -> Command {
        let mut there = Command::new("ip");
        there.args(["netns", "exec", &self.name(host)]);
        there.arg(command.get_program()).args(command.get_args());
        there
    }

    /// What a script did on a host.
    #[must_use]
    pub fn try_run(&self, host: &str, script: &str) -> Output {
        tool(self.on(host, Command::new("bash").args(["-c", script])).stdin(Stdio::null()))
    }

    /// Runs a script on a host; it must succeed.
    pub fn run(&self, host: &str, script: &str) -> String {
        let done = self.try_run(host, script);
        assert!(done.status.success(), "{script}: {}{}", stdout(&done), stderr(&done));
        stdout(&done)
    }

    /// Starts a program on a host; it ends when what is given back is dropped.
    #[must_use]
    pub fn spawn(&self, host: &str, command: &Command, log: &Path) -> Running {
        let log = File::create(log).unwrap();
        let child = self
            .on(host, command)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        Running(child)
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        for host in &self.hosts {
            let _ = Command::new("ip").args(["netns", "delete", &self.name(host)]).output();
        }
    }
}

/// Runs `ip` with the words of a line.
fn ip(line: &str) -> String {
    let done = tool(Command::new("ip").args(line.split_whitespace()));
    assert!(done.status.success(), "ip {line}: {}", stderr(&done));
    stdout(&done)
}

fn json(line: &str) -> Value {
    serde_json::from_str(&ip(line)).unwrap()
}

/// A program that ends with its test.
#[derive(Debug)]
pub struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A capture of everything that passes a device.
#[derive(Debug)]
pub struct Tap {
    file: PathBuf,
    log: PathBuf,
    dumpcap: Running,
}

impl Tap {
    /// On this device of this host, into this folder; it sees every packet from now on.
    #[must_use]
    pub fn new(net: &Net, host: &str, device: &str, folder: &Path) -> Self {
        let file = folder.join(format!("{host}-{device}.pcapng"));
        let log = file.with_extension("log");
        let mut command = Command::new("dumpcap");
        command.args(["-q", "-B", "64", "-i", device, "-w"]).arg(&file);
        let mut tap = Self { file, dumpcap: net.spawn(host, &command, &log), log };
        until("the capture to run", || {
            let ended = tap.dumpcap.0.try_wait().unwrap();
            assert!(ended.is_none(), "{}", tap.said());
            tap.said().contains("File: ").then_some(())
        });
        tap
    }

    fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// Ends it, and gives what it saw, which must be everything up to these bytes.
    #[must_use]
    pub fn end(mut self, last: &[u8]) -> Capture {
        // What just passed is still in memory, and an end would drop it.
        until("the last bytes to be captured", || {
            holds(&fs::read(&self.file).unwrap(), last).then_some(())
        });
        let pid = rustix::process::Pid::from_child(&self.dumpcap.0);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
        let ended = until("the capture to end", || self.dumpcap.0.try_wait().unwrap());
        let said = self.said();
        // "Packets received/dropped on interface 'x': 12/0 (pcap:0/dumpcap:0/flushed:0/ps_ifdrop:0) (100.0%)"
        let whole = said.contains("/0 (pcap:0/dumpcap:0/flushed:0/");
        assert!(ended.success() && whole, "the capture missed something: {said}");
        Capture::read(self.file.clone())
    }
}

/// A packet of a capture.
#[derive(Debug)]
pub struct Packet {
    /// When, in seconds since 1970.
    pub at: f64,
    /// What it is, as tshark names it: `eth:ethertype:ip:tcp:tls`.
    pub layers: String,
    /// From which address; empty where it is not IP.
    pub from: String,
    /// To which.
    pub to: String,
    /// The TCP ports of both.
    pub ports: [String; 2],
    /// Which TCP connection of this capture.
    pub stream: String,
    /// What TCP carries.
    pub payload: Vec<u8>,
}

/// All that passed a link.
#[derive(Debug)]
pub struct Capture {
    file: PathBuf,
    /// In order.
    pub packets: Vec<Packet>,
}

impl Capture {
    fn read(file: PathBuf) -> Self {
        let fields = "frame.time_epoch frame.protocols ip.src ip.dst tcp.srcport tcp.dstport \
                      tcp.stream tcp.payload";
        let packets = tshark(&file, "", fields).into_iter().map(|row| {
            let [at, layers, from, to, out, into, stream, payload] =
                <[String; 8]>::try_from(row).unwrap();
            let (at, ports) = (at.parse().unwrap(), [out, into]);
            Packet { at, layers, from, to, ports, stream, payload: bytes(&payload) }
        });
        Self { packets: packets.collect(), file }
    }

    /// Fields of the packets that fit a filter, as tshark dissects them.
    #[must_use]
    pub fn fields(&self, filter: &str, fields: &str) -> Vec<Vec<String>> {
        tshark(&self.file, filter, fields)
    }

    /// The pairs of addresses that spoke to each other.
    #[must_use]
    pub fn pairs(&self) -> BTreeSet<[&str; 2]> {
        let pairs = self.packets.iter().filter(|packet| !packet.from.is_empty());
        let pairs = pairs.map(|packet| [packet.from.as_str(), packet.to.as_str()]);
        pairs
            .map(|mut pair| {
                pair.sort_unstable();
                pair
            })
            .collect()
    }

    /// What an address sent, each connection in the order in which it went.
    #[must_use]
    pub fn sent_by(&self, address: &str) -> Vec<u8> {
        let mut own: Vec<_> = self.packets.iter().filter(|packet| packet.from == address).collect();
        own.sort_by_key(|packet| packet.stream.parse::<u32>().unwrap_or(u32::MAX));
        own.into_iter().flat_map(|packet| packet.payload.iter().copied()).collect()
    }

    /// The file itself: headers, and what is not TCP, too.
    #[must_use]
    pub fn raw(&self) -> Vec<u8> {
        fs::read(&self.file).unwrap()
    }
}

/// Whether these bytes are somewhere in there.
#[must_use]
pub fn holds(bytes: &[u8], part: &[u8]) -> bool {
    memmem::find(bytes, part).is_some()
}

fn tshark(file: &Path, filter: &str, fields: &str) -> Vec<Vec<String>> {
    let mut command = Command::new("tshark");
    command.args(["-n", "-d", "tcp.port==8443,tls", "-r"]).arg(file);
    command.args(["-Y", filter, "-T", "fields", "-E", "occurrence=a", "-E", "aggregator=,"]);
    fields.split(' ').for_each(|field| _ = command.args(["-e", field]));
    let read = tool(&mut command);
    assert!(read.status.success(), "{}", stderr(&read));
    let rows = stdout(&read);
    rows.lines().map(|row| row.split('\t').map(str::to_owned).collect()).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks_exact(2).map(|pair| str::from_utf8(pair).unwrap());
    digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}
