//! A real mail server on loopback, over TLS with certificates of its own, and the mails that it took.

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::world::free_host;
use crate::{World, root, stderr, tool, until};

/// What the notifier's account is known by.
pub const PASSWORD: &str = "mail-password";

/// A mail server with a certificate of an authority that nobody else trusts. It goes when it is dropped.
#[derive(Debug)]
pub struct MailServer {
    dir: TempDir,
    /// `host:port`.
    pub address: String,
    process: Option<Child>,
}

/// A mail as the server took it.
#[derive(Debug, Clone)]
pub struct Mail {
    /// To whom it was brought.
    pub to: Vec<String>,
    /// Whether it came over TLS, from the account.
    pub safe: bool,
    /// Header and body as they came.
    pub raw: String,
    /// The header's lines, decoded and unfolded, by name in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as people read it.
    pub body: String,
}

impl Mail {
    /// A header; empty where there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }
}

impl MailServer {
    /// Certificates and an address, and nobody there yet.
    #[must_use]
    pub fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("mail-").tempdir().unwrap();
        let server = Self { dir, address: free_host(), process: None };
        for (name, host) in [("right", server.host()), ("elsewhere", "127.0.0.1")] {
            server.certificate(name, "ca", host);
        }
        server.certificate("stranger", "other-ca", server.host());
        server
    }

    fn host(&self) -> &str {
        self.address.split(':').next().unwrap()
    }

    fn certificate(&self, name: &str, authority: &str, host: &str) {
        let made = |arguments: &[&str]| {
            let mut openssl = Command::new("openssl");
            openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]);
            openssl.args(["-nodes", "-days", "30"]).args(arguments).current_dir(self.dir.path());
            let done = tool(&mut openssl);
            assert!(done.status.success(), "{}", stderr(&done));
        };
        let [pem, key] = ["pem", "key"].map(|end| format!("{authority}.{end}"));
        if !self.path(&pem).exists() {
            made(&["-subj", "/CN=authority", "-out", &pem, "-keyout", &key]);
        }
        let [out, out_key] = ["pem", "key"].map(|end| format!("{name}.{end}"));
        let alternative = format!("subjectAltName=IP:{host}");
        let more = ["-addext", &alternative, "-addext", "basicConstraints=critical,CA:FALSE"];
        let by =
            ["-CA", &pem, "-CAkey", &key, "-subj", "/CN=mail", "-out", &out, "-keyout", &out_key];
        made(&[&by[..], &more[..]].concat());
    }

    /// A path in its folder.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Runs, with this certificate (`right`, `elsewhere` or `stranger`) and TLS as `wrapper`, `starttls` or `plain`.
    pub fn start(&mut self, mode: &str, certificate: &str) {
        let python = root().join("target/tools/venv/bin/python");
        assert!(python.exists(), "tests/run installs Python packages into target/tools/venv");
        let (host, port) = self.address.split_once(':').unwrap();
        let log = fs::File::create(self.path("log")).unwrap();
        let child = Command::new(python)
            .arg(root().join("tests/src/mail_server.py"))
            .arg(self.dir.path())
            .args([host, port, mode])
            .args(["pem", "key"].map(|end| self.path(&format!("{certificate}.{end}"))))
            .args(["sluis", PASSWORD])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.process = Some(child);
        until("the mail server to listen", || TcpStream::connect(&self.address).ok());
    }

    /// Stops.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.process.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// What was said to it: `ehlo`, `auth good`, `rcpt someone@...`.
    #[must_use]
    pub fn said(&self) -> Vec<String> {
        let said = fs::read_to_string(self.path("said")).unwrap_or_default();
        said.lines().map(str::to_owned).collect()
    }

    /// All mails, in the order in which they were taken.
    #[must_use]
    pub fn mails(&self) -> Vec<Mail> {
        let entries = fs::read_dir(self.dir.path()).unwrap().flatten().map(|entry| entry.path());
        let mut files: Vec<PathBuf> =
            entries.filter(|path| path.extension().is_some_and(|end| end == "mail")).collect();
        files.sort_by_key(|path| fs::metadata(path).unwrap().modified().unwrap());
        files.iter().map(|path| read(path)).collect()
    }

    /// Waits until there are so many mails.
    #[must_use]
    pub fn takes(&self, count: usize) -> Vec<Mail> {
        until(&format!("{count} mails; now {:?}", subjects(&self.mails())), || {
            Some(self.mails()).filter(|mails| mails.len() >= count)
        })
    }

    /// Has a party mail by this server; `more` stands in `[notifier]`.
    pub fn serves(&self, world: &World, host: &str, more: &str) {
        let ca = self.path("ca.pem");
        world.edit(host, |text| {
            text + &format!(
                "\n[notifier]\nsmtp = \"{}\"\nca = {ca:?}\nuser = \"sluis\"\n\
                 from = \"Sluis <sluis@party.example>\"\nto = [\"officer@party.example\"]\n{more}\n",
                self.address
            )
        });
        world.credential(host, "smtp-password", PASSWORD);
    }
}

impl Default for MailServer {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.stop();
        if std::thread::panicking() {
            eprintln!(
                "--- mail server\n{:?}\n{}",
                self.said(),
                fs::read_to_string(self.path("log")).unwrap_or_default()
            );
        }
    }
}

/// How many mails a server took into its folder.
#[must_use]
pub fn count(folder: &Path) -> usize {
    let files = fs::read_dir(folder).unwrap().flatten();
    files.filter(|it| it.path().extension().is_some_and(|end| end == "mail")).count()
}

/// What these mails are about.
#[must_use]
pub fn subjects(mails: &[Mail]) -> Vec<&str> {
    mails.iter().map(|mail| mail.header("subject")).collect()
}

/// Reads a mail with Python's own reader: nobody here wrote both ends.
fn read(path: &Path) -> Mail {
    const READER: &str = "import email, email.policy, json, sys\n\
        taken = json.load(open(sys.argv[1]))\n\
        mail = email.message_from_string(taken['text'], policy=email.policy.default)\n\
        taken['headers'] = [(name.lower(), str(value)) for name, value in mail.items()]\n\
        taken['body'] = mail.get_content()\n\
        print(json.dumps(taken))";
    let done = tool(Command::new("python3").args(["-c", READER]).arg(path));
    assert!(done.status.success(), "{}", stderr(&done));
    let taken: Value = serde_json::from_slice(&done.stdout).unwrap();
    Mail {
        to: serde_json::from_value(taken["to"].clone()).unwrap(),
        safe: taken["tls"] == true && taken["account"] == true,
        raw: taken["text"].as_str().unwrap().to_owned(),
        headers: serde_json::from_value(taken["headers"].clone()).unwrap(),
        body: taken["body"].as_str().unwrap().to_owned(),
    }
}
