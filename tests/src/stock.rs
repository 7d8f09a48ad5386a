//! Stock clients of a drop zone: curl and `openssl s_client`, with certificates as files.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use crate::{World, stderr, stdout};

/// A client that nobody here wrote. It trusts every server: what is tested is whom the server trusts.
#[derive(Debug, Clone)]
pub struct Client {
    host: String,
    identity: Option<(PathBuf, PathBuf)>,
}

/// What a server answered.
#[derive(Debug)]
pub struct Answer {
    /// The status; 0 where there was no answer.
    pub status: u16,
    /// The lines of the head.
    pub head: String,
    /// The body, or why there was no answer.
    pub body: Vec<u8>,
}

impl Answer {
    /// A header, or nothing.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        let is = |line: &&str| line.split(':').next().is_some_and(|n| n.eq_ignore_ascii_case(name));
        self.head.lines().find(is).map_or("", |line| line[name.len() + 1..].trim())
    }
    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Client {
    /// With the certificate and the key of one of the world's hosts.
    #[must_use]
    pub fn of(world: &World, host: &str) -> Self {
        let file = |name: &str| world.path(host).join("credentials").join(name);
        Self::with(&world.host, &file("tls-certificate"), &file("tls-key"))
    }
    /// With this certificate and this key.
    #[must_use]
    pub fn with(host: &str, certificate: &Path, key: &Path) -> Self {
        let identity = Some((certificate.to_owned(), key.to_owned()));
        Self { host: host.to_owned(), identity }
    }
    /// Without a certificate.
    #[must_use]
    pub fn nameless(host: &str) -> Self {
        Self { host: host.to_owned(), identity: None }
    }
    /// The same, to another server.
    #[must_use]
    pub fn to(&self, host: &str) -> Self {
        Self { host: host.to_owned(), ..self.clone() }
    }

    /// A request by curl, to be completed.
    #[must_use]
    pub fn request(&self, method: &str, path: &str, headers: &[&str]) -> Command {
        let mut curl = Command::new("curl");
        curl.args(["-sSki", "--http1.1", "--path-as-is", "--max-time", "100", "-H", "Expect:"]);
        match method {
            "HEAD" => curl.arg("--head"),
            _ => curl.args(["-X", method]),
        };
        headers.iter().for_each(|header| _ = curl.args(["-H", header]));
        if let Some((certificate, key)) = &self.identity {
            curl.arg("--cert").arg(certificate).arg("--key").arg(key);
        }
        curl.arg(format!("https://{}{path}", self.host));
        curl
    }
    /// Asks by curl.
    #[must_use]
    pub fn ask(&self, method: &str, path: &str, headers: &[&str]) -> Answer {
        answered(run(&mut self.request(method, path, headers), b""))
    }
    /// Asks by curl, with a body.
    #[must_use]
    pub fn send(&self, method: &str, path: &str, headers: &[&str], body: &[u8]) -> Answer {
        let mut curl = self.request(method, path, headers);
        answered(run(curl.args(["--data-binary", "@-"]), body))
    }
    /// Puts this through `openssl s_client` until the server closes; gives what it tells of the handshake, and then what
    /// the server said.
    #[must_use]
    pub fn s_client(&self, arguments: &[&str], input: &[u8]) -> String {
        let mut openssl = Command::new("openssl");
        openssl.args(["s_client", "-ign_eof", "-connect", &self.host]).args(arguments);
        if let Some((certificate, key)) = &self.identity {
            openssl.arg("-cert").arg(certificate).arg("-key").arg(key);
        }
        let output = run(&mut openssl, input);
        stderr(&output) + &stdout(&output)
    }
}

/// Starts a program with its input and output in our hands.
#[must_use]
pub fn begin(command: &mut Command) -> Child {
    let name = command.get_program().to_string_lossy().into_owned();
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| panic!("{name} cannot be run ({e}): tests/run installs it"))
}

/// Runs a program with this on its standard input. It may end before it read all.
#[must_use]
pub fn run(command: &mut Command, input: &[u8]) -> Output {
    let mut child = begin(command);
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

/// What curl got.
#[must_use]
pub fn answered(output: Output) -> Answer {
    let Some(at) = output.stdout.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Answer { status: 0, head: String::new(), body: output.stderr };
    };
    let head = String::from_utf8_lossy(&output.stdout[..at]).into_owned();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Answer { status, head, body: output.stdout[at + 4..].to_vec() }
}
