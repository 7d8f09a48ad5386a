//! A real Kannel on loopback: bearerbox, smsbox, and behind them a message centre that does as it is told.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use sluis_core::id::TransferId;
use tempfile::TempDir;

use crate::dice::Dice;
use crate::{root, until};

/// Kannel and its message centre. All of it goes when it is dropped.
#[derive(Debug)]
pub struct Kannel {
    dir: TempDir,
    /// Where smsbox takes messages.
    pub url: String,
    processes: Vec<Child>,
}

/// What smsbox knows us by.
pub const PASSWORD: &str = "kannel-password";

impl Kannel {
    /// Everything running, and bound to the message centre.
    #[must_use]
    pub fn start() -> Self {
        let dir = tempfile::Builder::new().prefix("kannel-").tempdir().unwrap();
        let [admin, boxes, send] = ports();
        let url = format!("http://127.0.0.1:{send}/cgi-bin/sendsms");
        let mut kannel = Self { dir, url, processes: Vec::new() };
        kannel.mood("deliver");
        let modules = root().join("target/tools/node/node_modules");
        let mut centre = Command::new("node");
        centre.arg(root().join("tests/src/smsc.mjs")).arg(kannel.dir.path()).arg(modules);
        kannel.run("smsc", centre);
        let port =
            until("the message centre to listen", || fs::read_to_string(kannel.path("port")).ok());
        let text = kannel.configuration([admin, boxes, send], &port);
        fs::write(kannel.path("kannel.conf"), text).unwrap();
        for (program, port) in [("bearerbox", boxes), ("smsbox", send)] {
            let mut command = Command::new(program);
            command.arg(kannel.path("kannel.conf"));
            kannel.run(program, command);
            until(&format!("{program} to listen"), || TcpStream::connect(("127.0.0.1", port)).ok());
        }
        kannel
    }

    fn configuration(&self, [admin, boxes, send]: [u16; 3], port: &str) -> String {
        let log = |name: &str| self.path(name).display().to_string();
        format!(
            "group = core\nadmin-port = {admin}\nadmin-password = admin\nadmin-interface = 127.0.0.1\n\
             smsbox-port = {boxes}\nsmsbox-interface = 127.0.0.1\nbox-allow-ip = 127.0.0.1\n\
             dlr-storage = internal\nsms-resend-freq = 1\nlog-level = 1\nlog-file = {}\n\n\
             group = smsc\nsmsc = smpp\nsmsc-id = smpp\nhost = 127.0.0.1\nport = {port}\n\
             smsc-username = u\nsmsc-password = p\nsystem-type = \"\"\ntransceiver-mode = true\n\
             reconnect-delay = 1\nwait-ack = 5\n\n\
             group = smsbox\nbearerbox-host = 127.0.0.1\nbearerbox-port = {boxes}\n\
             sendsms-port = {send}\nsendsms-interface = 127.0.0.1\nlog-level = 1\nlog-file = {}\n\
             http-request-retry = 5\nhttp-queue-delay = 1\n\n\
             group = sendsms-user\nusername = sluis\npassword = {PASSWORD}\nmax-messages = 3\nconcatenation = true\n\n\
             group = sms-service\nkeyword = default\ntext = \"\"\nmax-messages = 0\n",
            log("bearerbox.kannel"),
            log("smsbox.kannel"),
        )
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn run(&mut self, name: &str, mut command: Command) {
        let log = fs::File::create(self.path(&format!("{name}.log"))).unwrap();
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .current_dir(self.dir.path())
            .spawn()
            .unwrap_or_else(|e| panic!("{name} cannot be run ({e}): tests/run installs it"));
        self.processes.push(child);
    }

    /// From now on the message centre does this; see `smsc.mjs`.
    pub fn mood(&self, mood: &str) {
        fs::write(self.path("mood.new"), mood).unwrap();
        fs::rename(self.path("mood.new"), self.path("mood")).unwrap();
    }

    /// The messages that the message centre took.
    #[must_use]
    pub fn taken(&self) -> Vec<Value> {
        lines(&self.path("taken.jsonl"))
    }
}

impl Drop for Kannel {
    fn drop(&mut self) {
        for child in self.processes.iter_mut().rev() {
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            for name in ["smsc.log", "bearerbox.kannel", "smsbox.kannel"] {
                let log = fs::read_to_string(self.path(name)).unwrap_or_default();
                let tail: Vec<&str> = log.lines().rev().take(40).collect();
                eprintln!("--- {name}");
                tail.iter().rev().for_each(|line| eprintln!("{line}"));
            }
        }
    }
}

/// Each line of a file, as JSON; the last may still be under way.
#[must_use]
pub fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// Free ports below those that the system gives away: nobody's connection takes one before its program does.
fn ports() -> [u16; 3] {
    let mut dice = Dice::of(
        TransferId::random().as_bytes().iter().fold(0, |all, byte| all << 8 | u64::from(*byte)),
    );
    [(); 3].map(|()| {
        until("a free port", || {
            let port = u16::try_from(10_000 + dice.below(20_000)).unwrap();
            TcpListener::bind(("127.0.0.1", port)).is_ok().then_some(port)
        })
    })
}
