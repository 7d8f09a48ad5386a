//! The units of systemd/: held down as far as promised, and started for real.
//!
//! The real start is a systemd in namespaces of its own, on a Debian root that is made once and kept under
//! target/tools/root. It needs root and namespaces; without them it fails, it is not skipped.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, missing_docs)]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use sluis_tests::exposures::{by_names, exposures, read, twice};
use sluis_tests::{binary, root, stderr, stdout, tool, until};

/// Roles, the most that `systemd-analyze security` may say (tenths), and addresses that a host would name.
const ROLES: [(&str, u32, &str); 8] = [
    ("sealer", 4, ""),
    ("keeper", 4, ""),
    ("dropzone", 2, ""),
    ("carrier", 10, "192.0.2.10"),
    ("fetcher", 10, "192.0.2.10"),
    ("releaser", 10, "198.51.100.20 203.0.113.30"),
    ("reports", 2, ""),
    ("notifier", 10, "192.0.2.25"),
];

/// The unit of a role, where it runs; the notifier's is one of a host.
fn unit_of(role: &str) -> String {
    let host = if role == "notifier" { "@agency" } else { "" };
    format!("sluis-{role}{host}")
}

/// The same as a file.
fn file_of(role: &str) -> String {
    unit_of(role).replace("@agency", "@") + ".service"
}

fn units(end: &str) -> Vec<PathBuf> {
    let all = fs::read_dir(root().join("systemd")).unwrap().flatten().map(|entry| entry.path());
    all.filter(|path| path.extension().is_some_and(|known| known == end)).collect()
}

#[test]
fn every_unit_is_held_down_as_far_as_promised() {
    // And what monitoring reads, which is no role.
    let health = ("sluis-health@.service".to_owned(), "sluis-health@agency".to_owned(), 2, "");
    let roles = ROLES.map(|(role, most, peers)| (file_of(role), unit_of(role), most, peers));
    assert_eq!(units("service").len(), roles.len() + 1);
    let folder = tempfile::tempdir().unwrap();
    for (file, unit, most, peers) in roles.into_iter().chain([health]) {
        let name = format!("{unit}.service");
        let mut text = fs::read_to_string(root().join("systemd").join(&file)).unwrap();
        assert!(!text.contains("IPAddressAllow=\n") && text.contains("\nIPAddressDeny=any\n"));
        if !peers.is_empty() {
            // As a host has it: with its peers named.
            let named = format!("\nIPAddressDeny=any\nIPAddressAllow={peers}\n");
            text = text.replace("\nIPAddressDeny=any\n", &named);
        }
        let unit = folder.path().join(&name);
        fs::write(&unit, text).unwrap();
        let judged = tool(
            Command::new("systemd-analyze")
                .args(["security", "--no-pager", "--offline=true"])
                .arg(format!("--threshold={most}"))
                .arg(&unit),
        );
        println!("{}", stdout(&judged).lines().last().unwrap_or_default());
        assert!(judged.status.success(), "{name} over {most}/10: {}", stdout(&judged));
    }
}

#[test]
fn systemd_finds_no_fault_in_the_units() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new("systemd-analyze");
    command.args(["verify", "--man=no"]);
    for unit in ["service", "socket", "target", "timer"].into_iter().flat_map(units) {
        let mut text = fs::read_to_string(&unit).unwrap();
        let here = folder.path().join(unit.file_name().unwrap());
        for name in ["sluisd", "sluis"] {
            let program = format!("={} ", binary(name).display());
            text = text.replace(&format!("=/usr/bin/{name} "), &program);
        }
        fs::write(&here, text).unwrap();
        command.arg(here);
    }
    let path = format!("{}:", folder.path().display());
    let verified = tool(command.env("SYSTEMD_UNIT_PATH", path));
    assert!(verified.status.success() && verified.stderr.is_empty(), "{}", stderr(&verified));
}

#[test]
fn each_role_is_given_its_own_secrets_and_no_other() {
    for (role, secrets) in [
        ("sealer", "statement-key mailbox-identity"),
        ("keeper", "statement-key mailbox-identity"),
        ("carrier", "tls-key tls-certificate"),
        ("fetcher", "tls-key tls-certificate"),
        ("dropzone", "tls-key tls-certificate"),
        ("releaser", "bundle-identity"),
        // Its tokens are named by the host: one for each channel that reports.
        ("reports", ""),
        // So is its password, where the mail server wants one.
        ("notifier", ""),
    ] {
        let unit = root().join("systemd").join(file_of(role));
        let text = fs::read_to_string(unit).unwrap();
        let given = text.lines().filter_map(|line| line.strip_prefix("LoadCredential="));
        let given: Vec<_> = given.filter_map(|line| line.split(':').next()).collect();
        assert_eq!(given.join(" "), secrets, "{role}");
        assert!(!text.contains("\nEnvironment"), "{role}");
    }
}

/// A role that starts before a disk of its own is mounted writes on the one below.
#[test]
fn no_role_with_a_disk_starts_before_its_folders_are_mounted() {
    let tree = fs::read_to_string(root().join("systemd/tmpfiles.d/sluis.conf")).unwrap();
    for (role, host) in [("sealer", "agency"), ("keeper", "municipality"), ("dropzone", "dropzone")]
    {
        let text = fs::read_to_string(root().join("systemd").join(file_of(role))).unwrap();
        let waits = text.lines().find_map(|line| line.strip_prefix("RequiresMountsFor="));
        let waits: Vec<_> = waits.unwrap_or_default().split(' ').collect();
        let own = format!("/var/lib/sluis/{host}");
        let apart = ["vault", "state"].map(|name| format!("{own}/{name}"));
        let there = apart.into_iter().filter(|it| tree.contains(&format!("{it} ")));
        for folder in there.chain([own]) {
            assert!(waits.contains(&folder.as_str()), "{role} does not wait for {folder}");
        }
    }
}

/// A systemd in namespaces of its own, with all roles of all parties.
struct Machine {
    folder: tempfile::TempDir,
    cgroup: PathBuf,
    outer: Child,
    init: String,
}

impl Machine {
    fn start() -> Self {
        assert!(rustix::process::getuid().is_root(), "the units start for real only as root");
        let base = debian();
        let folder = tempfile::Builder::new().prefix("sluis-units-").tempdir().unwrap();
        lay_out(&folder.path().join("tree"));
        let cgroup = own_cgroup();
        let console = File::create(folder.path().join("console")).unwrap();
        let outer = Command::new("sh")
            .args(["-c", "echo $$ >\"$0\"/cgroup.procs && exec \"$@\""])
            .arg(&cgroup)
            .args(["timeout", "--signal=KILL", "600", "unshare", "-m", "-p", "-u", "-i", "-n"])
            .args(["-C", "--fork", "--kill-child=SIGKILL", "sh"])
            .arg(root().join("tests/src/boot.sh"))
            .args([base.as_path(), folder.path()])
            .stdin(Stdio::null())
            .stdout(console.try_clone().unwrap())
            .stderr(console)
            .spawn()
            .unwrap();
        let mut machine = Self { folder, cgroup, outer, init: String::new() };
        machine.init = until("the first process", || {
            let ended = machine.outer.try_wait().unwrap();
            assert!(ended.is_none(), "no namespaces here? {}", machine.console());
            // timeout, unshare, and then the one that becomes systemd.
            child_of(&child_of(&machine.outer.id().to_string())?)
        });
        until("systemd to be up", || {
            let up = machine.run("systemctl is-system-running");
            ["running", "degraded"].contains(&stdout(&up).trim()).then_some(())
        });
        machine.ok(include_str!("../src/boot_prepare.sh"));
        machine
    }

    fn console(&self) -> String {
        fs::read_to_string(self.folder.path().join("console")).unwrap_or_default()
    }

    /// Runs a script in the machine, as its root.
    fn run(&self, script: &str) -> Output {
        tool(
            Command::new("timeout")
                .args(["120", "nsenter", "-t", &self.init, "-m", "-p", "-n", "-u", "-i", "-C"])
                .args(["--", "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root"])
                .args(["LANG=C", "bash", "-c", script])
                .stdin(Stdio::null()),
        )
    }

    fn ok(&self, script: &str) -> String {
        let done = self.run(script);
        assert!(done.status.success(), "{script}\n{}{}", stdout(&done), stderr(&done));
        stdout(&done)
    }

    fn pid(&self, role: &str) -> String {
        let pid = self.ok(&format!("systemctl show -P MainPID {}", unit_of(role)));
        assert_ne!(pid.trim(), "0", "{role} does not run");
        pid.trim().to_owned()
    }

    /// Whether a role, where it runs and as whom it runs, can do this.
    fn can(&self, role: &str, what: &str) -> bool {
        let pid = self.pid(role);
        let unit = unit_of(role);
        let script = format!(
            "echo $$ >\"/sys/fs/cgroup/$(systemctl show -P ControlGroup {unit})/cgroup.procs\" && exec \
             nsenter -t {pid} -m -n -- setpriv --reuid=sluis-{role} --regid=sluis-{role} \
             --init-groups --no-new-privs bash -c '{what}'"
        );
        self.run(&script).status.success()
    }

    fn send(&self, content: &str) -> String {
        let script = format!(
            "cd /home/officer && {content} >list.csv && chmod 644 list.csv && runuser -u officer -- \
             sluis --config /etc/sluis/agency/sluis.toml --json send mechelen list.csv"
        );
        let sent: serde_json::Value = serde_json::from_str(&self.ok(&script)).unwrap();
        sent["code"].as_str().unwrap().to_owned()
    }

    fn state(&self, code: &str) -> Option<String> {
        let list = self
            .run("runuser -u officer -- sluis --config /etc/sluis/agency/sluis.toml --json list");
        // The sealer may just be starting anew.
        let list: serde_json::Value = serde_json::from_slice(&list.stdout).ok()?;
        let row = list.as_array()?.iter().find(|row| row["code"] == code)?.clone();
        Some(row["state"].as_str()?.to_owned())
    }

    /// How many shares of a transfer may or may not have left.
    fn unknown(&self, code: &str) -> usize {
        let shown = self.ok(&format!(
            "runuser -u officer -- sluis --config /etc/sluis/agency/sluis.toml --json show {code}"
        ));
        let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
        let shares = shown["state"]["shares"].as_array().cloned().unwrap_or_default();
        shares.iter().filter(|share| share["stands"].get("Unknown").is_some()).count()
    }

    fn wait(&self, code: &str, state: &str) {
        until(&format!("{code} to be {state}; now {:?}", self.state(code)), || {
            self.state(code).filter(|now| state.split(' ').any(|one| one == now))
        });
    }

    /// No message came more often than the agency's ledger says: once, and once more for each word there that it goes again.
    fn nothing_twice(&self) {
        let came = self.ok("find /var/lib/phones -name '*.txt' -printf '%f\\n'");
        let said = self
            .ok("runuser -u officer -- sluis --config /etc/sluis/agency/sluis.toml ledger export");
        let said: Vec<String> = said.lines().map(str::to_owned).collect();
        let broken = twice(&exposures(&read(&said)), &by_names(came.lines()));
        assert_eq!(broken, Vec::<String>::new());
    }

    /// Two custodians' lines open it, and what comes out is what went in.
    fn opens(&self, code: &str) {
        self.nothing_twice();
        // The message on each custodian's telephone; one whose releaser was killed right after it may have come again.
        let one_each =
            format!("grep -rl {code} /var/lib/phones | sort | awk -F/ '!seen[$(NF-1)]++'");
        let messages = || self.ok(&one_each).lines().count();
        let (sent, unknown) = (messages(), self.unknown(code));
        // A releaser that was killed between its word and the message leaves the share unknown: nothing is sent
        // again in silence, and a person may have it sent.
        assert!(sent + unknown >= 3, "{sent} sent, {unknown} unknown");
        if unknown > 0 {
            self.ok(&format!(
                "runuser -u officer -- sluis --config /etc/sluis/agency/sluis.toml retry {code}"
            ));
            until("the unknown shares to be sent", || (self.unknown(code) == 0).then_some(()));
            self.wait(code, "Released");
        }
        assert_eq!(messages(), 3, "one message a custodian");
        self.nothing_twice();
        let script = format!(
            "cat $({one_each} | head -2) | grep -E '^[0-9A-Z-]{{31,}}$' | \
             runuser -u an -- sluis --config /etc/sluis/municipality/sluis.toml open {code} && \
             runuser -u bart -- sluis --config /etc/sluis/municipality/sluis.toml take {code} | \
             cmp - /home/officer/list.csv"
        );
        self.ok(&script);
        self.wait(code, "Closed");
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- console\n{}", self.console());
            if !self.init.is_empty() {
                eprintln!("{}", stdout(&self.run("journalctl -o cat -u 'sluis-*' | tail -80")));
            }
        }
        // The first process of a PID namespace takes all others with it.
        if let Some(pid) = self.init.parse().ok().and_then(rustix::process::Pid::from_raw) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
        let _ = self.outer.kill();
        let _ = self.outer.wait();
        for _ in 0..100 {
            remove_cgroup(&self.cgroup);
            if !self.cgroup.exists() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }
}

fn child_of(pid: &str) -> Option<String> {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?;
    children.split_whitespace().next().map(str::to_owned)
}

/// A Debian root with systemd, made once.
fn debian() -> PathBuf {
    let place = root().join("target/tools/root");
    if place.exists() {
        return place;
    }
    let sources = ["/etc/apt/sources.list.d/debian.sources", "/etc/apt/sources.list"];
    let sources = sources.iter().find(|path| Path::new(path).exists()).expect("sources of apt");
    let release = fs::read_to_string("/etc/os-release").unwrap();
    let suite = release.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME=")).unwrap();
    let part = place.with_extension("part");
    let _ = fs::remove_dir_all(&part);
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    let made = tool(
        Command::new("timeout")
            .args(["600", "mmdebstrap", "--quiet", "--mode=root", "--variant=minbase"])
            .arg("--include=systemd,dbus,iproute2,ca-certificates")
            .arg("--aptopt=Acquire::Check-Valid-Until \"false\"")
            .arg(suite)
            .arg(&part)
            .arg("-")
            .stdin(File::open(sources).unwrap()),
    );
    assert!(made.status.success(), "{}", stderr(&made));
    fs::rename(part, &place).unwrap();
    place
}

/// What an installation puts onto a host, and a provider to dial.
fn lay_out(tree: &Path) {
    let put = |to: &str, text: &str| {
        let to = tree.join(to);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::write(to, text).unwrap();
    };
    let copy = |from: &Path, to: &str| {
        let to = tree.join(to);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from, to).unwrap();
    };
    copy(&binary("sluisd"), "usr/bin/sluisd");
    copy(&binary("sluis"), "usr/bin/sluis");
    for unit in ["service", "socket", "target", "timer"].into_iter().flat_map(units) {
        let name = unit.file_name().unwrap().to_str().unwrap();
        copy(&unit, &format!("usr/lib/systemd/system/{name}"));
    }
    let ours = root();
    copy(&ours.join("systemd/sysusers.d/sluis.conf"), "usr/lib/sysusers.d/sluis.conf");
    copy(&ours.join("systemd/tmpfiles.d/sluis.conf"), "usr/lib/tmpfiles.d/sluis.conf");
    for name in ["agency.toml", "municipality.toml", "dropzone.toml"] {
        let from = ours.join("config/examples/units").join(name);
        copy(&from, &format!("usr/share/sluis/units/{name}"));
    }
    for name in ["mechelen.toml", "mechelen.contacts.toml"] {
        let from = ours.join("config/examples/demo").join(name);
        copy(&from, &format!("usr/share/sluis/demo/{name}"));
    }
    for (role, peers) in [
        ("carrier", "IPAddressAllow=127.0.0.2"),
        ("fetcher", "IPAddressAllow=127.0.0.2"),
        ("releaser", "IPAddressAllow=127.0.0.3\nReadWritePaths=/var/lib/phones"),
        ("reports", "LoadCredential=reports-sms-a:/etc/sluis/agency/credentials/reports-sms-a"),
        (
            "notifier",
            "IPAddressAllow=127.0.0.4\n\
             LoadCredential=smtp-password:/etc/sluis/agency/credentials/smtp-password",
        ),
    ] {
        let to = format!("etc/systemd/system/{}.service.d/peers.conf", unit_of(role));
        put(&to, &format!("[Service]\n{peers}\n"));
    }
    // A provider, and a mail server that says nothing.
    put(
        "etc/systemd/system/provider.socket",
        "[Socket]\nListenStream=127.0.0.3:9000\nListenStream=127.0.0.4:4650\nAccept=yes\n",
    );
    put(
        "etc/systemd/system/provider@.service",
        "[Service]\nExecStart=/bin/true\nStandardInput=socket\n",
    );
}

/// A group of processes below our own, so that the inner systemd rules nothing else.
fn own_cgroup() -> PathBuf {
    let mounts = fs::read_to_string("/proc/mounts").unwrap();
    let at = mounts
        .lines()
        .map(|line| line.split(' ').collect::<Vec<_>>())
        .find(|fields| fields.get(2) == Some(&"cgroup2"))
        .map(|fields| PathBuf::from(fields[1]))
        .expect("a cgroup2 hierarchy is mounted");
    let ours = at.join(format!("sluis-units-{}", std::process::id()));
    fs::create_dir(&ours).expect("a control group of our own can be made");
    ours
}

fn remove_cgroup(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_cgroup(&entry.path());
        }
    }
    let _ = fs::remove_dir(folder);
}

/// What there is to be read, and who may.
const THINGS: [(&str, &[&str]); 34] = [
    ("/var/lib/sluis/agency/outbox", &["sealer"]),
    ("/var/lib/sluis/agency/private", &["sealer"]),
    ("/var/lib/sluis/agency/spool", &["sealer"]),
    ("/var/lib/sluis/agency/bundles", &["sealer"]),
    ("/var/lib/sluis/agency/state/agency.db", &["sealer"]),
    ("/var/lib/sluis/municipality/vault/mechelen", &["keeper"]),
    ("/var/lib/sluis/municipality/state/municipality.db", &["keeper"]),
    ("/var/lib/sluis/dropzone", &["dropzone"]),
    ("/var/lib/phones", &["releaser"]),
    ("/etc/sluis/agency/agreements/mechelen.contacts.toml", &["sealer"]),
    ("/etc/sluis/agency/credentials/statement-key", &[]),
    ("/etc/sluis/agency/credentials/mailbox-identity", &[]),
    ("/etc/sluis/agency/credentials/bundle-identity", &[]),
    ("/etc/sluis/agency/credentials/tls-key", &[]),
    ("/etc/sluis/municipality/credentials/statement-key", &[]),
    ("/etc/sluis/dropzone/credentials/tls-key", &[]),
    ("/run/credentials/sluis-sealer.service/statement-key", &["sealer"]),
    ("/run/credentials/sluis-sealer.service/mailbox-identity", &["sealer"]),
    ("/run/credentials/sluis-carrier.service/tls-key", &["carrier"]),
    ("/run/credentials/sluis-releaser.service/bundle-identity", &["releaser"]),
    ("/run/credentials/sluis-reports.service/reports-sms-a", &["reports"]),
    ("/run/credentials/sluis-notifier@agency.service/smtp-password", &["notifier"]),
    ("/run/credentials/sluis-keeper.service/statement-key", &["keeper"]),
    ("/run/credentials/sluis-fetcher.service/tls-key", &["fetcher"]),
    ("/run/credentials/sluis-dropzone.service/tls-key", &["dropzone"]),
    // Sockets: who may connect. No gate speaks for another.
    ("/run/sluis/agency/sealer.sock", &["sealer"]),
    ("/run/sluis/agency/sealer-carrier.sock", &["sealer", "carrier"]),
    ("/run/sluis/agency/sealer-releaser.sock", &["sealer", "releaser"]),
    ("/run/sluis/agency/sealer-reports.sock", &["sealer", "reports"]),
    ("/run/sluis/agency/sealer-notifier.sock", &["sealer", "notifier"]),
    ("/run/sluis/agency/sealer-health.sock", &["sealer"]),
    ("/run/sluis/municipality/keeper-fetcher.sock", &["keeper", "fetcher"]),
    ("/run/sluis/municipality/keeper-notifier.sock", &["keeper"]),
    ("/run/sluis/municipality/keeper-health.sock", &["keeper"]),
];

const DROP_ZONE: &str = "127.0.0.2/8443";
const PROVIDER: &str = "127.0.0.3/9000";
const MAIL: &str = "127.0.0.4/4650";

fn dial(to: &str) -> String {
    format!("timeout 5 bash -c \"exec 3<>/dev/tcp/{to}\"")
}

/// Everything that a role can reach, against what it should; the table goes to a file.
fn nobody_reaches_more_than_its_own(machine: &Machine, table: &mut String) {
    for (thing, may) in THINGS {
        let try_it = if thing.ends_with(".sock") {
            format!("test -S {thing} && test -w {thing}")
        } else {
            format!("if test -d {thing}; then ls {thing}; else head -c1 {thing}; fi >/dev/null")
        };
        assert!(
            may.is_empty() || !thing.starts_with("/var") || machine.run(&try_it).status.success(),
            "{thing} is there at all"
        );
        let can = ROLES.iter().map(|(role, ..)| *role).filter(|role| machine.can(role, &try_it));
        let can: BTreeSet<&str> = can.collect();
        writeln!(table, "{thing}: {can:?}").unwrap();
        assert_eq!(can, may.iter().copied().collect(), "{thing}\n{table}");
    }
    for (role, ..) in ROLES {
        let reached: Vec<_> = [DROP_ZONE, PROVIDER, MAIL]
            .into_iter()
            .filter(|to| machine.can(role, &dial(to)))
            .collect();
        writeln!(table, "{role} dials {reached:?}").unwrap();
        let may: &[&str] = match role {
            "carrier" | "fetcher" => &[DROP_ZONE],
            "releaser" => &[PROVIDER],
            "notifier" => &[MAIL],
            _ => &[],
        };
        assert_eq!(reached, may, "{role}\n{table}");
        let status = machine.ok(&format!(
            "cd /proc/{pid} && grep -E '^(NoNewPrivs|Seccomp|CapEff|CapBnd):' status; \
             grep core limits; cat uid_map | head -1",
            pid = machine.pid(role)
        ));
        writeln!(table, "{}", status.replace('\n', "; ")).unwrap();
        let flat: String = status.split_whitespace().collect::<Vec<_>>().join(" ");
        for fact in ["NoNewPrivs: 1", "Seccomp: 2", "CapEff: 0000000000000000", "file size 0 0"] {
            assert!(flat.contains(fact), "{role}: {fact}: {flat}");
        }
    }
    // The control: without a unit around it both are reached.
    machine.ok(&dial(DROP_ZONE));
    machine.ok(&dial(PROVIDER));
    machine.ok(&dial(MAIL));
    for core in ["agency/sealer", "municipality/keeper"] {
        let socket = format!("/run/sluis/{core}.sock");
        assert!(!machine.run(&format!("runuser -u stranger -- test -w {socket}")).status.success());
    }
}

/// Monitoring reads counts, by a user who may do nothing else.
fn monitoring_reads_and_does_nothing(machine: &Machine) {
    for host in ["agency", "municipality"] {
        machine.ok(&format!("systemctl start sluis-health@{host}.service"));
        let metrics =
            machine.ok(&format!("runuser -u stranger cat /var/lib/sluis-health/{host}.prom"));
        assert!(metrics.contains("\nsluis_up 1\n"), "{metrics}");
    }
    let may = |socket: &str| {
        let test = format!("runuser -u sluis-health -- test -w /run/sluis/agency/{socket}.sock");
        machine.run(&test).status.success()
    };
    assert!(may("sealer-health") && !may("sealer") && !may("sealer-notifier"));
}

#[test]
fn the_units_start_for_real_and_each_role_reaches_only_its_own() {
    let machine = Machine::start();
    let mut table = String::new();
    for (role, ..) in ROLES {
        until(&format!("{role} to be active"), || {
            let state = machine.run(&format!("systemctl is-active {}", unit_of(role)));
            (stdout(&state).trim() == "active").then_some(())
        });
    }
    let code = machine.send("printf 'nummer;contract\\n1;2\\n'");
    machine.wait(&code, "Released");
    nobody_reaches_more_than_its_own(&machine, &mut table);
    machine.opens(&code);
    // As an officer's desktop does it, with a umask that hides everything from others.
    machine.ok("runuser -u officer -- bash -c 'umask 077; cp ~officer/list.csv \
                /var/lib/sluis/agency/outbox/mechelen/by-hand.csv'");
    until("the copied file to be taken", || {
        let list = "runuser -u officer -- sluis --config /etc/sluis/agency/sluis.toml list";
        stdout(&machine.run(list)).contains("by-hand.csv").then_some(())
    });
    for (role, ..) in ROLES {
        // The transfer waits for this role, so that it is in its hands when it ends. Without the sealer nothing
        // is taken; a drop zone is started by its socket.
        let waits = match role {
            "carrier" => Some("Sealed"),
            "keeper" | "fetcher" => Some("Carried"),
            "releaser" => Some("Removed Releasing"),
            _ => None,
        };
        if waits.is_some() {
            machine.ok(&format!("systemctl stop sluis-{role}"));
        }
        let code = machine.send("head -c 48M /dev/urandom | base64");
        let mut seen = Vec::new();
        if let Some(state) = waits {
            machine.wait(&code, state);
            seen.push(machine.state(&code).unwrap_or_default());
            machine.ok(&format!(
                "systemctl start sluis-{role}; systemctl kill -s KILL sluis-{role}; \
                 systemctl start sluis-{role}"
            ));
        }
        for how in ["kill -s KILL", "restart", "kill -s KILL", "restart"] {
            seen.push(machine.state(&code).unwrap_or_else(|| "starting".into()));
            let unit = unit_of(role);
            machine.run(&format!("systemctl {how} {unit}; systemctl start {unit}"));
        }
        writeln!(table, "{role} ended and started while {code} was {seen:?}").unwrap();
        assert_ne!(seen[0], "Released", "{role} had nothing left to do");
        machine.wait(&code, "Released");
        machine.opens(&code);
    }
    monitoring_reads_and_does_nothing(&machine);
    // What an operator reports gets through, also to a role that has no network of its own.
    let token = machine.ok("cat /etc/sluis/agency/credentials/reports-sms-a");
    let url = format!("http://127.0.0.1:8450/sms-a/{}", token.trim());
    let answer = machine.ok(&format!(
        "exec 3<>/dev/tcp/127.0.0.1/8450 && printf 'GET {}?ref=none&type=1 HTTP/1.0\\r\\n\\r\\n' >&3 && \
         head -1 <&3",
        url.trim_start_matches("http://127.0.0.1:8450")
    ));
    assert!(answer.contains(" 200 "), "{answer}");
    let journal = machine.ok("journalctl -o cat -u 'sluis-*'");
    assert!(!journal.contains("AGE-SECRET-KEY") && !journal.contains("by-hand"), "{journal}");
    println!("{table}");
    fs::write(Path::new(env!("CARGO_TARGET_TMPDIR")).join("units.txt"), table).unwrap();
}
