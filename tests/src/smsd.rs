//! A real smsd (SMS Server Tools) with an emulated modem, the shipped configuration's event handler and folders of its
//! own.
//!
//! smsd stays in the foreground, in a process group of its own: its processes and the event handlers they run end with
//! the group.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::{root, until};

/// smsd with one modem; it ends when this is dropped.
#[derive(Debug)]
pub struct Smsd {
    folder: tempfile::TempDir,
    processes: Vec<Child>,
}

impl Smsd {
    /// One that reports to this URL; its modem's mood is `deliver`.
    ///
    /// It comes back when smsd looks at its folders: as it starts, smsd removes whatever is named `*.LOCK` there.
    #[must_use]
    pub fn start(report_url: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("smsd").tempdir().unwrap();
        for name in ["outgoing", "checked", "incoming", "failed", "state", "tmp"] {
            DirBuilder::new().mode(0o700).create(folder.path().join(name)).unwrap();
        }
        let mut url = OpenOptions::new();
        let url = url.write(true).create_new(true).mode(0o600).open(folder.path().join("url"));
        writeln!(url.unwrap(), "{report_url}").unwrap();
        let mut this = Self { folder, processes: Vec::new() };
        this.mood("deliver");
        this.modem();
        let device = until("the modem's terminal", || fs::read_to_string(this.path("tty")).ok());
        fs::write(this.path("smsd.conf"), this.configuration(&device)).unwrap();
        this.daemon();
        until("smsd's start", || {
            assert!(this.processes[1].try_wait().unwrap().is_none(), "smsd has ended");
            this.log("smsd.log").contains("Outgoing file checker has started").then_some(())
        });
        this
    }

    /// Where messages are put for smsd.
    #[must_use]
    pub fn outgoing(&self) -> PathBuf {
        self.path("outgoing")
    }

    /// From the next message on the modem does this; the moods stand in `modem.py`.
    pub fn mood(&self, mood: &str) {
        fs::write(self.path("mood.new"), mood).unwrap();
        fs::rename(self.path("mood.new"), self.path("mood")).unwrap();
    }

    /// The messages that the modem took, in their order.
    #[must_use]
    pub fn taken(&self) -> Vec<serde_json::Value> {
        let text = self.log("taken.jsonl");
        let whole = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        whole.map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn log(&self, name: &str) -> String {
        String::from_utf8_lossy(&fs::read(self.path(name)).unwrap_or_default()).into_owned()
    }

    fn configuration(&self, device: &str) -> String {
        let folder = self.folder.path().display();
        let handler = root().join("config/providers/smsd-report.sh");
        format!(
            "devices = GSM1\noutgoing = {folder}/outgoing\nchecked = {folder}/checked\n\
             incoming = {folder}/incoming\nfailed = {folder}/failed\nlogfile = {folder}/smsd.log\n\
             infofile = {folder}/smsd.working\npidfile = {folder}/smsd.pid\nloglevel = 7\n\
             umask = 0077\nstore_sent_pdu = 0\ndelaytime = 1\ndelaytime_mainprocess = 1\n\
             errorsleeptime = 1\nblockafter = 1000\nblocktime = 1\nreceive_before_send = no\n\
             eventhandler = {}\n\n[GSM1]\ndevice = {device}\nincoming = yes\nreport = yes\n\
             rtscts = no\nsend_retries = 0\n",
            handler.display()
        )
    }

    fn modem(&mut self) {
        let mut command = Command::new("python3");
        command.arg(root().join("tests/src/modem.py"));
        command.args(["tty", "mood", "taken.jsonl"].map(|name| self.path(name)));
        self.run(&mut command, "modem.out");
    }

    fn daemon(&mut self) {
        let mut command = Command::new("smsd");
        // An option's value follows its letter at once; -t keeps it in the foreground.
        command.arg(format!("-c{}", self.path("smsd.conf").display())).arg("-t");
        command.env("TMPDIR", self.path("tmp"));
        command.env("SLUIS_REPORT_URL_FILE", self.path("url"));
        command.env("SLUIS_REPORT_STATE", self.path("state"));
        self.run(&mut command, "smsd.out");
    }

    fn run(&mut self, command: &mut Command, output: &str) {
        let output = File::create(self.path(output)).unwrap();
        command.stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output);
        let child = command.process_group(0).spawn().unwrap_or_else(|e| {
            let name = Path::new(command.get_program()).display();
            panic!("{name} cannot be run ({e}): tests/run installs it")
        });
        self.processes.push(child);
    }
}

impl Drop for Smsd {
    fn drop(&mut self) {
        // smsd first, so that it does not miss its modem.
        for child in self.processes.iter_mut().rev() {
            let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
            let _ = child.wait();
        }
        if std::thread::panicking() {
            for name in ["smsd.log", "smsd.out", "modem.out", "taken.jsonl"] {
                eprintln!("--- {name}\n{}", self.log(name));
            }
        }
    }
}
