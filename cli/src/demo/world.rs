//! The demonstration's folders and processes: three hosts on loopback, each made as `sluis init` makes it.

use std::fs::{self, File};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sluis_config::Config;
use sluis_core::id::{self, Address, PartyId, Time, TransferCode};
use sluis_core::words::Words;
use sluis_core::{export, words};
use tokio::signal::unix::{SignalKind, signal};

use super::failed;
use crate::card::{Card, Role};
use crate::failure::{Failure, Result};
use crate::init::{self, Order};
use crate::language::Lang;
use crate::{agreement, output};

/// The six, in the order in which they start.
const ROLES: [(&str, &str); 6] = [
    ("dropzone", "dropzone"),
    ("agency", "sealer"),
    ("municipality", "keeper"),
    ("agency", "carrier"),
    ("agency", "releaser"),
    ("municipality", "fetcher"),
];
/// A made-up list as article 3 has it: national register numbers that belong to nobody, with right check digits.
const LIST: &str =
    "rijksregisternummer;contract;attest\n85073003328;1;1\n90020199704;1;0\n00010100105;0;0\n";
const AGREEMENT: &str = include_str!("../../../config/examples/demo/mechelen.toml");
const CONTACTS: &str = include_str!("../../../config/examples/demo/mechelen.contacts.toml");

/// The agreement as if it began today: no duty of it is late before anybody could have done it.
fn of_today(agreement: &str) -> String {
    let today = Time(jiff::Timestamp::now().as_millisecond()).date();
    let reviewed = ["agency", "municipality"]
        .map(|side| format!("[security.{side}]\npolicy-reviewed-on = \"{today}\"\n\n"))
        .concat();
    agreement
        .replace("in-force = \"2020-12-18\"", &format!("in-force = \"{today}\""))
        .replace("[drop-zone]\n", &format!("{reviewed}[drop-zone]\n"))
}

/// A whole world in one folder.
pub(super) struct World {
    folder: PathBuf,
    /// Unix sockets have short names; the demonstration's folder may have a long one.
    run: PathBuf,
    keep: bool,
    host: Address,
    processes: Processes,
}

/// What runs for it: whoever ends the demonstration ends them, also by a signal.
type Processes = Arc<Mutex<Vec<Child>>>;

impl World {
    /// Makes the folders, and starts the processes.
    pub(super) fn build(sluisd: &Path, order: &super::Order, lang: Lang) -> Result<Self> {
        let dir = order.dir.as_deref();
        let mut random = [0; 4];
        id::fill_random(&mut random);
        let tag = random.map(|byte| format!("{byte:02x}")).concat();
        let folder = match dir {
            Some(dir) => std::path::absolute(dir).map_err(Failure::io(dir.display()))?,
            None => std::env::temp_dir().join(format!("sluis-demo-{tag}")),
        };
        if folder.join("agency").exists() {
            return Err(Failure::coded(
                "exists",
                words!(
                    "in {} staat al een demonstratie; noem een andere map",
                    "{} holds a demonstration already; name another folder",
                    folder.display()
                ),
            ));
        }
        let run = std::env::temp_dir().join(format!("sluis-run-{tag}"));
        let (keep, processes) = (dir.is_some(), Processes::default());
        let mut world = Self { folder, run, keep, host: free_host()?, processes };
        world.end_by_signal()?;
        world.make(lang, order.file.is_some())?;
        world.start(sluisd)?;
        Ok(world)
    }

    fn make(&self, lang: Lang, own_file: bool) -> Result<()> {
        init::folder_private(&self.folder)?;
        let hosts = [
            (Role::Agency, "agency", "agentschap-ii", "Agentschap Integratie en Inburgering"),
            (Role::Municipality, "municipality", "stad-mechelen", "Stad Mechelen"),
            (Role::DropZone, "dropzone", "sluiskom", "Sluiskom"),
        ];
        let mut cards = Vec::new();
        for (role, name, id, title) in hosts {
            let folder = self.folder.join(name);
            let id: PartyId = id.parse().map_err(|e| failed(Words::same(e)))?;
            let language = lang.pick("nl", "en");
            init::make(&Order {
                role,
                folder: &folder,
                id: &id,
                name: title,
                language,
                listen: &self.host,
            })?;
            self.adapt(&folder, name)?;
            let card = self.folder.join(format!("{name}.card"));
            fs::write(&card, Card::of(&self.config(name)?)?.text())
                .map_err(Failure::io(card.display()))?;
            cards.push(card);
        }
        let (file, contacts) =
            (self.folder.join("mechelen.toml"), self.folder.join("mechelen.contacts.toml"));
        let mut agreement = of_today(&AGREEMENT.replace("{host}", self.host.as_str()));
        if own_file {
            // Whatever it is, it may cross: this agreement is about nothing but the demonstration.
            agreement = agreement.replace("[data]\n", "[data]\nany-file = \"demonstratie\"\n");
        }
        fs::write(&file, agreement).map_err(Failure::io(file.display()))?;
        fs::write(&contacts, CONTACTS.replace("{salt}", &id::Salt::random().to_string()))
            .map_err(Failure::io(contacts.display()))?;
        for (_, name, ..) in hosts {
            let contacts = (name == "agency").then_some(contacts.as_path());
            let (installed, _) =
                agreement::put_into_use(&self.config(name)?, &file, &cards, contacts)?;
            // As whoever checks it makes one from the cards, before there is any evidence.
            fs::write(self.trust(), export::signers(&installed.terms))
                .map_err(Failure::io(self.trust().display()))?;
        }
        for used in cards.iter().chain([&file, &contacts]) {
            let _ = fs::remove_file(used);
        }
        Ok(())
    }

    /// What differs from a host of its own: short socket names, quick settling, phones instead of providers.
    fn adapt(&self, folder: &Path, name: &str) -> Result<()> {
        let path = folder.join("sluis.toml");
        let mut text = fs::read_to_string(&path).map_err(Failure::io(path.display()))?;
        text.push_str(&format!("\n[paths]\nrun = \"{}\"\n", self.run.join(name).display()));
        if name == "agency" {
            text = text.replace("[releaser.channels]\n", "");
            for channel in ["sms-a", "sms-b", "voice"] {
                text.push_str(&format!(
                    "\n[releaser.channels.{channel}]\ndriver = \"spool\"\nfolder = \"../phones\"\n"
                ));
            }
        }
        fs::write(&path, text).map_err(Failure::io(path.display()))
    }

    fn config(&self, name: &str) -> Result<Config> {
        Ok(Config::load(&self.folder.join(name).join("sluis.toml"))?)
    }

    fn start(&mut self, sluisd: &Path) -> Result<()> {
        let logs = self.folder.join("logs");
        init::folder_private(&logs)?;
        for (host, role) in ROLES {
            let log = File::create(logs.join(format!("{role}.log"))).map_err(Failure::io(role))?;
            // What is made while a signal comes is ended with the others.
            let mut processes = self.processes.lock().unwrap_or_else(PoisonError::into_inner);
            let child = Command::new(sluisd)
                .arg(role)
                .arg("--config")
                .arg(self.folder.join(host).join("sluis.toml"))
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(log)
                .spawn()
                .map_err(Failure::io(sluisd.display()))?;
            processes.push(child);
            drop(processes);
            self.answers(role)?;
        }
        Ok(())
    }

    /// A core or drop zone is up when it answers; a gate needs no waiting for.
    fn answers(&mut self, role: &str) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(30);
        let up = |world: &Self| match role {
            "dropzone" => TcpStream::connect(world.host.as_str()).is_ok(),
            "sealer" => UnixStream::connect(world.agency_socket()).is_ok(),
            "keeper" => UnixStream::connect(world.municipality_socket()).is_ok(),
            _ => true,
        };
        while !up(self) {
            let ended = self.processes.lock().ok().and_then(|mut processes| {
                processes.last_mut().and_then(|child| child.try_wait().ok().flatten())
            });
            if ended.is_some() || Instant::now() > deadline {
                let log = self.folder.join("logs").join(format!("{role}.log"));
                let log = fs::read_to_string(log).unwrap_or_default();
                return Err(failed(words!(
                    "{role} start niet: {}",
                    "{role} does not start: {}",
                    log
                )));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    pub(super) fn agency_socket(&self) -> PathBuf {
        self.run.join("agency/sealer.sock")
    }
    pub(super) fn municipality_socket(&self) -> PathBuf {
        self.run.join("municipality/keeper.sock")
    }
    pub(super) fn evidence(&self) -> PathBuf {
        self.folder.join("evidence")
    }
    /// The keys of both parties, kept apart from the evidence.
    pub(super) fn trust(&self) -> PathBuf {
        self.folder.join("trust")
    }

    /// A path as seen from the demonstration's folder.
    pub(super) fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.folder).unwrap_or(path).display().to_string()
    }

    /// Renames the list into the outbox: a rename is complete by itself.
    pub(super) fn drop(&self, file: Option<&Path>) -> Result<String> {
        let name = file.map_or_else(
            || "lijst-2026.csv".into(),
            |file| file.file_name().unwrap_or_default().to_owned(),
        );
        let outbox = self.folder.join("agency/outbox/mechelen");
        let part = outbox.join(".laid-ready");
        match file {
            None => fs::write(&part, LIST).map_err(Failure::io(part.display()))?,
            Some(file) => crate::transfers::copy(file, &part)?,
        }
        fs::rename(&part, outbox.join(&name)).map_err(Failure::io(outbox.display()))?;
        Ok(name.to_string_lossy().escape_debug().to_string())
    }

    /// The messages in the phones: whose, and the text.
    pub(super) fn messages(&self) -> Result<Vec<(String, String)>> {
        let phones = self.folder.join("phones");
        let mut messages = Vec::new();
        for phone in fs::read_dir(&phones).map_err(Failure::io(phones.display()))?.flatten() {
            for message in fs::read_dir(phone.path()).into_iter().flatten().flatten() {
                let text = fs::read_to_string(message.path()).map_err(Failure::io("a phone"))?;
                messages.push((phone.file_name().to_string_lossy().into_owned(), text));
            }
        }
        messages.sort();
        Ok(messages)
    }

    /// Checks every statement with the `ssh-keygen` of this machine, where it has one.
    pub(super) fn verify_with_ssh_keygen(&self, names: &[String]) -> Result<Words> {
        for name in names {
            let path = self.evidence().join(name);
            let text = fs::read(&path).map_err(Failure::io(path.display()))?;
            let issuer = serde_json::from_slice::<serde_json::Value>(&text).ok();
            let issuer = issuer
                .and_then(|json| json["issuer"].as_str().map(str::to_owned))
                .unwrap_or_default();
            let input = File::open(&path).map_err(Failure::io(path.display()))?;
            let checked = Command::new("ssh-keygen")
                .args(["-Y", "verify", "-n", sluis_core::statement::NAMESPACE, "-I", &issuer, "-f"])
                .arg(self.trust())
                .arg("-s")
                .arg(path.with_extension("json.sig"))
                .stdin(input)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
            match checked {
                Ok(status) if status.success() => {}
                Ok(_) => {
                    return Err(failed(words!(
                        "ssh-keygen aanvaardt {name} niet",
                        "ssh-keygen does not accept {name}"
                    )));
                }
                Err(_) => {
                    return Ok(words!(
                        "ssh-keygen staat niet op deze machine en keek ze dus niet na",
                        "ssh-keygen is not on this machine, so it did not check them"
                    ));
                }
            }
        }
        Ok(words!("ssh-keygen aanvaardt elk", "ssh-keygen accepts each"))
    }

    /// Stops the processes, and tells where to look next.
    pub(super) fn end(self, lang: Lang, code: TransferCode) -> Result<()> {
        self.stop();
        if !self.keep {
            return output::line(lang.pick(
                "Alles is weer gewist. Om rond te kijken: sluis demo --dir MAP",
                "All of it is erased again. To look around: sluis demo --dir FOLDER",
            ));
        }
        let folder = self.folder.display();
        output::line(lang.pick("Kijk eens naar:", "Have a look at:"))?;
        output::line(format!(
            "  {folder}/agency/outbox/mechelen/STATUS-*.txt\n  {folder}/municipality/vault/mechelen/{code}-*/\n  {folder}/phones/\n  {folder}/evidence/"
        ))?;
        output::line(format!(
            "  sluis evidence verify {folder}/evidence --trust {}",
            self.trust().display()
        ))
    }

    /// Ctrl-C, Ctrl-\, a hangup and SIGTERM end it too: keys, lines and lists stay behind by no way out.
    fn end_by_signal(&self) -> Result<()> {
        let failed = || Failure::io("signals");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
        let runtime = runtime.map_err(failed())?;
        let in_it = runtime.enter();
        let on = |kind| signal(kind).map_err(failed());
        let mut interrupt = on(SignalKind::interrupt())?;
        let mut hangup = on(SignalKind::hangup())?;
        let mut quit = on(SignalKind::quit())?;
        let mut terminate = on(SignalKind::terminate())?;
        drop(in_it);
        let (processes, run) = (Arc::clone(&self.processes), self.run.clone());
        let folder = (!self.keep).then(|| self.folder.clone());
        std::thread::spawn(move || {
            let number = runtime.block_on(async {
                tokio::select! {
                    _ = hangup.recv() => 1,
                    _ = interrupt.recv() => 2,
                    _ = quit.recv() => 3,
                    _ = terminate.recv() => 15,
                }
            });
            // It is not given back: nothing is begun after this.
            let mut processes = processes.lock().unwrap_or_else(PoisonError::into_inner);
            erase(&mut processes, &run, folder.as_deref());
            std::process::exit(128 + number);
        });
        Ok(())
    }

    fn stop(&self) {
        self.erase(None);
    }

    fn erase(&self, folder: Option<&Path>) {
        let mut processes = self.processes.lock().unwrap_or_else(PoisonError::into_inner);
        erase(&mut processes, &self.run, folder);
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.erase((!self.keep).then_some(&self.folder));
    }
}

/// Ends the processes, and erases their sockets and what is not to stay.
fn erase(processes: &mut Vec<Child>, run: &Path, folder: Option<&Path>) {
    for child in processes.iter().rev() {
        if let Ok(pid) = i32::try_from(child.id())
            && let Some(pid) = rustix::process::Pid::from_raw(pid)
        {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
    }
    for child in processes.iter_mut() {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !matches!(child.try_wait(), Ok(Some(_))) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = child.kill();
        let _ = child.wait();
    }
    processes.clear();
    let deadline = Instant::now() + Duration::from_secs(1);
    for gone in std::iter::once(run).chain(folder) {
        // Whoever was just making it may have put something into it meanwhile.
        while fs::remove_dir_all(gone).is_err() && gone.exists() && Instant::now() < deadline {}
    }
}

/// A loopback address of its own, so that no other program of this machine is in the way.
fn free_host() -> Result<Address> {
    let mut random = [0_u8; 3];
    id::fill_random(&mut random);
    let [a, b, c] = random;
    let probe = TcpListener::bind((format!("127.{}.{}.{}", a.max(1), b, c.clamp(1, 254)), 0))
        .map_err(Failure::io("loopback"))?;
    let host = probe.local_addr().map_err(Failure::io("loopback"))?.to_string();
    host.parse().map_err(|e| failed(Words::same(e)))
}

fn no_sluisd(words: Words) -> Failure {
    Failure::coded("no-sluisd", words)
}

/// `sluisd` lies beside `sluis`. Where `cargo run` has started us, cargo first brings it up to date.
pub(super) fn sluisd() -> Result<PathBuf> {
    let here = std::env::current_exe().map_err(Failure::io("this program"))?;
    let beside = here.with_file_name("sluisd");
    let Some(package) = std::env::var_os("CARGO_MANIFEST_DIR") else {
        let missing = || {
            no_sluisd(words!(
                "{} ontbreekt; sluisd hoort naast sluis te liggen",
                "{} is missing; sluisd belongs beside sluis",
                beside.display()
            ))
        };
        return if beside.exists() { Ok(beside) } else { Err(missing()) };
    };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let release = here.parent().is_some_and(|folder| folder.ends_with("release"));
    let mut build = Command::new(cargo);
    build.args(["build", "--bin", "sluisd"]).args(release.then_some("--release"));
    build.arg("--manifest-path").arg(Path::new(&package).with_file_name("Cargo.toml"));
    match build.status() {
        Ok(status) if status.success() && beside.exists() => Ok(beside),
        _ => Err(no_sluisd(words!(
            "sluisd kan niet gebouwd worden; probeer: cargo build --release --bin sluisd",
            "sluisd cannot be built; try: cargo build --release --bin sluisd"
        ))),
    }
}
