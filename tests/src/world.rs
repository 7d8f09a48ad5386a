//! Three hosts in one folder.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};

use memchr::memmem;
use serde_json::Value;
pub use sluis_sim::phones::line_in;
use tempfile::TempDir;

use crate::persons::for_everybody;
use crate::{binary, stderr, stdout, tool, until};

/// Roles with the host that each belongs to, in the order in which they start.
pub const ROLES: [(&str, &str); 6] = [
    ("dropzone", "dropzone"),
    ("sealer", "agency"),
    ("keeper", "municipality"),
    ("carrier", "agency"),
    ("releaser", "agency"),
    ("fetcher", "municipality"),
];

/// What both parties say of a list that is sent, opened and closed, each once.
pub const SAID: [&str; 9] = [
    "sent",
    "delivered",
    "removed",
    "probed",
    "released",
    "share-accepted",
    "share-accepted",
    "opened",
    "closed",
];

/// The line of the processor of all channels, after which its hosts stand.
pub const GROUPS: &str = "groups = [\"groep-a\", \"groep-b\", \"groep-c\"]\n";

/// What a world is made of, as text that can be changed before it is made.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The agreement; `{host}` stands for the drop zone.
    pub agreement: String,
    /// Where its custodians are reached.
    pub contacts: String,
    /// The `[releaser.channels]` tables.
    pub channels: String,
    /// Added to the `[sealer]` table.
    pub sealer: String,
    /// Added to the `[dropzone]` table.
    pub dropzone: String,
    /// Whether the drop zone listens elsewhere than where the agreement says: something stands in between.
    pub behind: bool,
    /// Where the drop zone stands, if not on loopback: the test starts it on a host of its own.
    pub host: Option<String>,
}

impl Default for Plan {
    /// The demonstration's agreement, 2 of 3 over three folders.
    fn default() -> Self {
        // Most tests are about transfers, not lists: whatever is dropped leaves, and nobody has to ask for it.
        let agreement = any_file(include_str!("../../config/examples/demo/mechelen.toml"));
        let folder = |id: &str| {
            format!("\n[releaser.channels.{id}]\ndriver = \"spool\"\nfolder = \"../phones\"\n")
        };
        Self {
            agreement,
            contacts: include_str!("../../config/examples/demo/mechelen.contacts.toml")
                .replace("{salt}", "0123456789abcdef0123456789abcdef"),
            channels: ["sms-a", "sms-b", "voice"].map(folder).concat(),
            sealer: "settle-ms = 100\nrescan-s = 2\nresend-after-s = 1\n".into(),
            dropzone: String::new(),
            behind: false,
            host: None,
        }
    }
}

impl Plan {
    /// Real channels: no rehearsal, and so no folder, but telephones.
    #[must_use]
    pub fn over(mut self, channels: &str) -> Self {
        self.agreement = self
            .agreement
            .replace("kind = \"other\"", "kind = \"sms\"")
            .replace("reason = \"demonstratie: een map in plaats van een telefoon\"\n", "");
        channels.clone_into(&mut self.channels);
        let mut hosts: Vec<&str> = channels
            .split("url = \"")
            .skip(1)
            .filter_map(|url| url.split(['/', '"']).nth(2))
            .collect();
        if hosts.is_empty() {
            hosts.push("operator.invalid");
        }
        self.agreement = self.agreement.replace(GROUPS, &format!("{GROUPS}hosts = {hosts:?}\n"));
        for (at, owner) in ["an", "bart", "chantal"].iter().enumerate() {
            self.contacts =
                self.contacts.replace(&format!("\"{owner}\""), &format!("\"+3247000000{at}\""));
        }
        self
    }
}

/// Where operators report.
#[derive(Debug)]
pub struct Heard {
    /// `host:port` of the role.
    pub address: String,
    /// The token of each channel.
    pub tokens: BTreeMap<String, String>,
}

impl Heard {
    /// The address for a channel's reports.
    #[must_use]
    pub fn url(&self, channel: &str) -> String {
        format!("http://{}/{channel}/{}", self.address, self.tokens[channel])
    }
}

/// Three hosts and their processes. All of it goes when it is dropped.
#[derive(Debug)]
pub struct World {
    dir: TempDir,
    /// `host:port` of the drop zone, as the agreement has it.
    pub host: String,
    /// Where it listens.
    pub listen: String,
    /// Whether that is on this host, so that the harness can knock.
    near: bool,
    processes: BTreeMap<&'static str, Child>,
}

impl World {
    /// The default world, all six processes running.
    #[must_use]
    pub fn running() -> Self {
        Self::running_as(&Plan::default())
    }

    /// Made as planned, all six processes running.
    #[must_use]
    pub fn running_as(plan: &Plan) -> Self {
        let mut world = Self::make(plan);
        ROLES.iter().for_each(|(role, _)| world.start(role));
        ["agency", "municipality"].iter().for_each(|host| world.has_heard(host));
        world
    }

    /// Waits until a core has heard the other party since its start: before that no list moves on.
    pub fn has_heard(&self, host: &str) {
        until(&format!("the {host} to hear the other party"), || {
            let health = self.cli(host, &["--json", "health"]);
            let health: Value = serde_json::from_slice(&health.stdout).ok()?;
            (health["health"]["unheard"] == 0).then_some(())
        });
    }

    /// A host puts a second agreement between the same parties into use, by the text of the first; its numbers stand here.
    pub fn adds_second(&self, host: &str, name: &str, contacts: &Path) {
        let text = fs::read_to_string(self.path("mechelen.toml")).unwrap();
        let file = self.path(&format!("{name}.toml"));
        let named = format!("agreement = \"{name}\"");
        fs::write(&file, text.replace("agreement = \"mechelen\"", &named)).unwrap();
        self.adds(host, &file, contacts);
    }

    /// A host puts an agreement into use, by everybody's cards; the numbers are the agency's alone.
    fn adds(&self, host: &str, file: &Path, contacts: &Path) {
        let cards =
            ["agency", "municipality", "dropzone"].map(|it| self.path(&format!("{it}.card")));
        let mut add = vec!["agreement", "add", file.to_str().unwrap()];
        cards.iter().for_each(|card| add.extend(["--card", card.to_str().unwrap()]));
        if host == "agency" {
            add.extend(["--contacts", contacts.to_str().unwrap()]);
        }
        let added = self.cli(host, &add);
        assert!(added.status.success(), "{}", stderr(&added));
    }

    /// Made as planned, nothing running.
    #[must_use]
    pub fn make(plan: &Plan) -> Self {
        let dir = tempfile::Builder::new().prefix("sluis-").tempdir().unwrap();
        let host = plan.host.clone().unwrap_or_else(free_host);
        let listen = if plan.behind { free_host() } else { host.clone() };
        let near = plan.host.is_none();
        let world = Self { dir, host, listen, near, processes: BTreeMap::new() };
        let hosts = [
            ("agency", "agentschap-ii", "Agentschap Integratie en Inburgering"),
            ("municipality", "stad-mechelen", "Stad Mechelen"),
            ("dropzone", "sluiskom", "Sluiskom"),
        ];
        for (host, id, name) in hosts {
            let folder = world.path(host);
            let made = sluis(
                &[
                    "init",
                    host,
                    "--id",
                    id,
                    "--name",
                    name,
                    "--listen",
                    &world.listen,
                    "--lang",
                    "en",
                    "--dir",
                ],
                [folder.as_os_str()],
            );
            assert!(made.status.success(), "{}", stderr(&made));
            world.edit(host, |text| match host {
                "agency" => for_everybody(&text)
                    .replace("[releaser.channels]\n", &plan.channels)
                    .replace("[sealer]\n", &format!("[sealer]\n{}", plan.sealer)),
                "dropzone" => {
                    text.replace("[dropzone]\n", &format!("[dropzone]\n{}", plan.dropzone))
                }
                _ => for_everybody(&text),
            });
            let card = world.cli(host, &["identity"]);
            assert!(card.status.success(), "{}", stderr(&card));
            fs::write(world.path(&format!("{host}.card")), card.stdout).unwrap();
        }
        let (file, contacts) = (world.path("mechelen.toml"), world.path("mechelen.contacts.toml"));
        fs::write(&file, plan.agreement.replace("{host}", &world.host)).unwrap();
        fs::write(&contacts, &plan.contacts).unwrap();
        for (host, ..) in hosts {
            world.adds(host, &file, &contacts);
        }
        world
    }

    /// A path in the world's folder.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The folder that drops are put into.
    #[must_use]
    pub fn outbox(&self) -> PathBuf {
        self.path("agency/outbox/mechelen")
    }

    /// Changes a host's `sluis.toml`.
    pub fn edit(&self, host: &str, change: impl FnOnce(String) -> String) {
        let path = self.path(host).join("sluis.toml");
        fs::write(&path, change(fs::read_to_string(&path).unwrap())).unwrap();
    }

    /// A command that will run a role.
    #[must_use]
    pub fn command(&self, role: &str) -> Command {
        // Either party may have a notifier; in one world one of them does.
        let mails = |host: &&str| {
            let text = fs::read_to_string(self.path(host).join("sluis.toml"));
            role == "notifier" && text.unwrap().contains("[notifier]")
        };
        let host = ["municipality", "agency"].into_iter().find(mails);
        let host = host.unwrap_or_else(|| host_of(role));
        let mut command = Command::new(binary("sluisd"));
        command.arg(role).arg("--config").arg(self.path(host).join("sluis.toml"));
        command
    }

    /// Starts a role, and waits until it answers where it listens.
    pub fn start(&mut self, role: &'static str) {
        let command = self.command(role);
        self.start_as(role, command);
    }

    /// Starts a role by a command of the test's own.
    pub fn start_as(&mut self, role: &'static str, command: Command) {
        // A process before this one was ready too.
        let before = self.log(role).matches("ready").count();
        self.launch(role, command);
        until(&format!("{role} to answer"), || {
            assert!(!self.ended(role), "{role} ended: {}", self.log(role));
            let up = match role {
                "dropzone" if self.near => TcpStream::connect(&self.listen).is_ok(),
                "sealer" | "keeper" => UnixStream::connect(self.socket(role)).is_ok(),
                _ => self.log(role).matches("ready").count() > before,
            };
            up.then_some(())
        });
    }

    /// Starts a role and waits for nothing: it may not come far.
    pub fn launch(&mut self, role: &'static str, mut command: Command) {
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.path(&format!("{role}.log")))
            .unwrap();
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        self.processes.insert(role, child);
    }

    /// Whether a role is not running.
    pub fn ended(&mut self, role: &str) -> bool {
        self.processes.get_mut(role).is_none_or(|child| child.try_wait().unwrap().is_some())
    }

    /// Puts a second agreement into the drop zone, `gent`: between the same municipality and an agency of its own, on
    /// the host `other`. Before the drop zone is started.
    pub fn with_another_agreement(&self) {
        let folder = self.path("other");
        let init =
            format!("init agency --id andere --name Andere --lang en --listen {} --dir", self.host);
        let words: Vec<_> = init.split_whitespace().collect();
        assert!(sluis(&words, [folder.as_os_str()]).status.success());
        fs::write(self.path("other.card"), self.cli("other", &["identity"]).stdout).unwrap();
        let terms = Plan::default()
            .agreement
            .replace("{host}", &self.host)
            .replace("agreement = \"mechelen\"", "agreement = \"gent\"")
            .replace("id = \"agentschap-ii\"", "id = \"andere\"")
            .replace("name = \"Agentschap Integratie en Inburgering\"", "name = \"Andere\"");
        let file = self.path("gent.toml");
        fs::write(&file, terms).unwrap();
        let cards =
            ["other.card", "municipality.card", "dropzone.card"].map(|card| self.path(card));
        let mut add = vec!["agreement", "add", file.to_str().unwrap()];
        cards.iter().for_each(|card| add.extend(["--card", card.to_str().unwrap()]));
        let added = self.cli("dropzone", &add);
        assert!(added.status.success(), "{}", stderr(&added));
    }

    /// Starts a role anew under another clock, by `libfaketime`; how long the machine is up stays true.
    pub fn jump(&mut self, role: &'static str, jump: &str) {
        self.stop(role);
        let mut command = self.command(role);
        ahead(&mut command, jump);
        self.start_as(role, command);
    }

    /// Has operators report: `reporters` are the `[reports.channels]` tables of these channels. Gives the token in
    /// the address of each. Before `releaser` and `reports` are started.
    pub fn hears(&self, channels: &[&str], reporters: &str) -> Heard {
        let address = free_host();
        self.edit("agency", |text| {
            text + &format!(
                "\n[releaser]\ncallback = \"http://{address}\"\n\
                 \n[reports]\nlisten = \"{address}\"\n{reporters}"
            )
        });
        let token = |channel: &&str| {
            let token = format!("{channel}-0123456789abcdef0123456789abcdefghijkl");
            self.credential("agency", &format!("reports-{channel}"), &token);
            ((*channel).to_owned(), token)
        };
        Heard { tokens: channels.iter().map(token).collect(), address }
    }

    /// Lays a secret where a host's roles find it.
    pub fn credential(&self, host: &str, name: &str, secret: &str) {
        let path = self.path(host).join("credentials").join(name);
        fs::write(&path, secret).unwrap();
        fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    }

    /// How far the shares of a transfer are, as the agency shows them.
    #[must_use]
    pub fn shares(&self, code: &str) -> Vec<Value> {
        let state = &self.json("agency", &["show", code])["state"];
        state["shares"].as_array().cloned().unwrap_or_default()
    }

    /// The socket for persons of a core.
    #[must_use]
    pub fn socket(&self, core: &str) -> PathBuf {
        self.path(host_of(core)).join("run").join(format!("{core}.sock"))
    }

    /// What a role has logged.
    #[must_use]
    pub fn log(&self, role: &str) -> String {
        fs::read_to_string(self.path(&format!("{role}.log"))).unwrap_or_default()
    }

    /// SIGTERM; the role drains and ends.
    pub fn stop(&mut self, role: &str) -> ExitStatus {
        let mut child = self.processes.remove(role).unwrap();
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        until(&format!("{role} to end"), || child.try_wait().unwrap())
    }

    /// SIGKILL.
    pub fn kill(&mut self, role: &str) {
        let mut child = self.processes.remove(role).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Starts a role again if it has ended, as its service manager would.
    pub fn revive(&mut self, role: &'static str) {
        if self.ended(role) {
            self.start(role);
        }
    }

    /// The number of a role's process.
    #[must_use]
    pub fn pid(&self, role: &str) -> u32 {
        self.processes[role].id()
    }

    /// A line of `/proc/PID/status`, in its unit.
    #[must_use]
    pub fn status(&self, role: &str, key: &str) -> u64 {
        let text = fs::read_to_string(format!("/proc/{}/status", self.pid(role))).unwrap();
        let line = text.lines().find(|line| line.starts_with(key)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// `sluis` on a host.
    #[must_use]
    pub fn cli(&self, host: &str, arguments: &[&str]) -> Output {
        self.cli_with(host, arguments, "")
    }

    /// `sluis` on a host, with this on standard input.
    #[must_use]
    pub fn cli_with(&self, host: &str, arguments: &[&str], input: &str) -> Output {
        let config = self.path(host).join("sluis.toml");
        let mut command = Command::new(binary("sluis"));
        // As a shell has it that works on one host: then commands are told without the option.
        command.env("SLUIS_CONFIG", config).args(in_english(arguments)).args(arguments);
        answer(command, input)
    }

    /// `sluis` on a host, by a person with another Unix user who may use its socket.
    #[must_use]
    pub fn cli_as(&self, uid: &str, host: &str, arguments: &[&str]) -> Output {
        self.cli_as_with(uid, host, arguments, "")
    }

    /// The same by two persons, one after the other; what the second one is told.
    #[must_use]
    pub fn two_persons(&self, host: &str, arguments: &[&str]) -> Output {
        let _ = self.cli(host, arguments);
        self.cli_as("61001", host, arguments)
    }

    /// The same, with this on standard input.
    #[must_use]
    pub fn cli_as_with(&self, uid: &str, host: &str, arguments: &[&str], input: &str) -> Output {
        let program = self.path("sluis");
        if !program.exists() {
            // By a process of its own: what another test forks meanwhile would hold it open for writing, and nobody
            // could run it.
            let copied = Command::new("cp").arg(binary("sluis")).arg(&program).status();
            assert!(copied.unwrap().success());
            let open = |path: &Path| {
                let mode = std::os::unix::fs::PermissionsExt::from_mode(0o711);
                fs::set_permissions(path, mode).unwrap();
            };
            open(self.dir.path());
        }
        let mut command = Command::new("setpriv");
        command.args([&format!("--reuid={uid}"), "--regid=0", "--clear-groups"]).arg(program);
        command.env("SLUIS_CONFIG", self.path(host).join("sluis.toml"));
        command.args(in_english(arguments)).args(arguments);
        answer(command, input)
    }

    /// `sluis --json` on a host; it must succeed.
    #[must_use]
    pub fn json(&self, host: &str, arguments: &[&str]) -> Value {
        let all: Vec<&str> = ["--json"].iter().chain(arguments).copied().collect();
        let output = self.cli(host, &all);
        assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|e| panic!("{e}: {}", stdout(&output)))
    }

    /// The ledger of a host, entry by entry.
    #[must_use]
    pub fn ledger(&self, host: &str) -> Vec<Value> {
        let exported = self.cli(host, &["ledger", "export"]);
        assert!(exported.status.success(), "{}", stderr(&exported));
        stdout(&exported).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Renames a file into the outbox; gives the code of the transfer that takes it.
    #[must_use]
    pub fn send(&self, name: &str, content: &[u8]) -> String {
        let known = self.codes();
        self.put(OsStr::new(name), content);
        until(&format!("{name} to be taken"), || {
            self.codes().into_iter().find(|code| !known.contains(code))
        })
    }

    /// Renames a file into the outbox.
    pub fn put(&self, name: &OsStr, content: &[u8]) {
        let part = self.outbox().join(".under-way");
        fs::write(&part, content).unwrap();
        fs::rename(part, self.outbox().join(name)).unwrap();
    }

    /// The codes of all transfers at the agency.
    #[must_use]
    pub fn codes(&self) -> Vec<String> {
        let list = self.json("agency", &["list"]);
        list.as_array()
            .unwrap()
            .iter()
            .map(|row| row["code"].as_str().unwrap().to_owned())
            .collect()
    }

    /// One transfer, as a host sees it; nothing where it does not know it.
    #[must_use]
    pub fn row(&self, host: &str, code: &str) -> Option<Value> {
        let list = self.json(host, &["list"]);
        list.as_array().unwrap().iter().find(|row| row["code"] == code).cloned()
    }

    /// Waits until a transfer is in this state at a host.
    pub fn wait(&self, host: &str, code: &str, state: &str) {
        until(
            &format!("{code} to be {state} at the {host} (now {:?})", self.row(host, code)),
            || self.row(host, code).filter(|row| row["state"] == state),
        );
    }

    /// The statements of a transfer that a host's ledger holds.
    #[must_use]
    pub fn statements(&self, host: &str, code: &str) -> Vec<String> {
        let detail = self.json(host, &["show", code]);
        let timeline = detail["timeline"].as_array().unwrap();
        timeline
            .iter()
            .filter_map(|entry| Some(entry["detail"]["kind"].as_str()?.to_owned()))
            .collect()
    }

    /// The share lines that lie in the phones, in the order of the custodians; one that came again is the same line.
    #[must_use]
    pub fn lines(&self, code: &str) -> Vec<String> {
        let mut found = Vec::new();
        for phone in fs::read_dir(self.path("phones")).unwrap().flatten() {
            for message in fs::read_dir(phone.path()).unwrap().flatten() {
                // One that is being written has another name by now.
                let Ok(text) = fs::read_to_string(message.path()) else { continue };
                if text.contains(code) {
                    found.push((phone.file_name(), line_in(&text)));
                }
            }
        }
        found.sort();
        found.dedup();
        found.into_iter().map(|(_, line)| line).collect()
    }

    /// The folder of a transfer in the vault.
    #[must_use]
    pub fn vault(&self, code: &str) -> PathBuf {
        let folder = self.path("municipality/vault/mechelen");
        let found = fs::read_dir(&folder)
            .unwrap()
            .flatten()
            .find(|entry| entry.file_name().to_string_lossy().starts_with(code));
        found.unwrap_or_else(|| panic!("{code} is not in the vault")).path()
    }

    /// The status file beside a drop, once it says this.
    pub fn status_says(&self, folder: &str, what: &str) -> String {
        let folder = self.path("agency/outbox").join(folder);
        until(&format!("a status file that says {what:?}"), || {
            let mut files = fs::read_dir(&folder)
                .unwrap()
                .flatten()
                .filter(|e| e.file_name().to_string_lossy().starts_with("STATUS-"));
            files.find_map(|file| {
                fs::read_to_string(file.path()).ok().filter(|text| text.contains(what))
            })
        })
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for child in self.processes.values_mut() {
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            for role in ROLES.map(|(role, _)| role).into_iter().chain(["reports", "notifier"]) {
                eprintln!("--- {role}\n{}", self.log(role));
            }
        }
    }
}

/// Gives a process another clock, by `libfaketime`; how long the machine is up stays true.
pub fn ahead(command: &mut Command, jump: &str) {
    // The library itself: the program `faketime` would stand between us and the role.
    let listed = stdout(&tool(Command::new("dpkg").args(["-L", "libfaketime"])));
    let library = listed.lines().find(|line| line.ends_with("libfaketimeMT.so.1")).unwrap();
    command.env("LD_PRELOAD", library).env("FAKETIME", jump);
    command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1").env("NO_FAKE_STAT", "1");
}

/// An agreement under which whatever is dropped leaves, unasked and unread.
fn any_file(agreement: &str) -> String {
    agreement.replace("[data]\n", "[data]\nany-file = \"een test\"\n").replace(
        "[period]\n",
        "[period]\nstanding = \"een test\"\nmore-allowed-by = \"een test\"\n",
    )
}

/// What a command answers to this on standard input.
pub fn answer(mut command: Command, input: &str) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // It may have ended without reading.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// Runs `sluis` without a host.
#[must_use]
pub fn sluis<'a>(arguments: &[&str], more: impl IntoIterator<Item = &'a OsStr>) -> Output {
    Command::new(binary("sluis")).args(arguments).args(more).stdin(Stdio::null()).output().unwrap()
}

/// The host that a role belongs to.
#[must_use]
pub fn host_of(role: &str) -> &'static str {
    if role == "reports" {
        return "agency";
    }
    ROLES.iter().find(|(name, _)| *name == role).unwrap().1
}

/// A loopback address that no other test has: a port there is free for as long as the test runs.
#[must_use]
pub fn free_host() -> String {
    let id = sluis_core::id::TransferId::random();
    let [a, b, c, ..] = *id.as_bytes();
    let probe =
        TcpListener::bind((format!("127.{}.{b}.{}", a.max(1), c.clamp(1, 254)), 0)).unwrap();
    probe.local_addr().unwrap().to_string()
}

/// Whether a file is below a folder somewhere, by its content.
#[must_use]
pub fn somewhere(folder: &Path, content: &[u8]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        // What goes meanwhile is nowhere.
        let Ok(meta) = fs::symlink_metadata(&path) else { continue };
        if meta.is_dir() {
            found.extend(somewhere(&path, content));
        } else if meta.is_file()
            && fs::read(&path).is_ok_and(|bytes| memmem::find(&bytes, content).is_some())
        {
            found.push(path);
        }
    }
    found
}

/// Where a test names no language, programs speak English to it.
fn in_english(arguments: &[&str]) -> &'static [&'static str] {
    if arguments.contains(&"--lang") { &[] } else { &["--lang", "en"] }
}
