//! Held against software that nobody here wrote: age, ssh-keygen, PostgreSQL, a Python reader.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use sluis_tests::world::{Plan, somewhere};
use sluis_tests::{World, root, stderr, stdout, tool, until};

const LIST: &[u8] = b"rijksregisternummer;contract;attest\n85073003328;1;1\n";

/// A transfer that was released, with its lines.
fn released(world: &World) -> (String, Vec<String>) {
    let code = world.send("lijst-2026.csv", LIST);
    world.wait("agency", &code, "Released");
    let lines = world.lines(&code);
    (code, lines)
}

#[test]
fn stock_age_opens_an_envelope_with_the_passphrase_of_key_combine() {
    let world = World::running();
    let (code, lines) = released(&world);
    let combined =
        world.cli_with("municipality", &["key", "combine", &code], &lines[1..].join("\n"));
    assert!(combined.status.success(), "{}", stderr(&combined));
    let passphrase = stdout(&combined).trim().to_owned();
    assert_eq!(passphrase.len(), 26);
    let (envelope, tar) = (world.vault(&code).join("envelope.age"), world.path("list.tar"));
    // age asks on a terminal only: Python gives it one.
    let script = "import pty,os,sys\np=sys.argv[1]\npid,fd=pty.fork()\nif pid==0: os.execvp('age',['age','-d','-o',sys.argv[3],sys.argv[2]])\nsent=False\nwhile True:\n  try: d=os.read(fd,1024)\n  except OSError: break\n  if not d: break\n  if b'passphrase' in d and not sent: os.write(fd,(p+'\\n').encode()); sent=True\nsys.exit(os.waitstatus_to_exitcode(os.waitpid(pid,0)[1]))";
    let open = |passphrase: &str| {
        tool(Command::new("python3").args(["-c", script, passphrase]).arg(&envelope).arg(&tar))
    };
    assert!(
        !open("00000000000000000000000000").status.success(),
        "another passphrase opens nothing"
    );
    let opened = open(&passphrase);
    assert!(opened.status.success(), "{}{}", stdout(&opened), stderr(&opened));
    let listed = tool(Command::new("tar").arg("-xOf").arg(&tar).arg("lijst-2026.csv"));
    assert_eq!(listed.stdout, LIST);
    let second_reader = root().join("docs/share_vectors.py");
    let mut reader = Command::new("python3")
        .arg(second_reader)
        .args(["combine", &code])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(reader.stdin.as_mut().unwrap(), lines[..2].join("\n").as_bytes())
        .unwrap();
    assert_eq!(
        stdout(&reader.wait_with_output().unwrap()).trim(),
        passphrase,
        "the second reader agrees"
    );
    let too_few = world.cli_with("municipality", &["key", "combine", &code], &lines[0]);
    assert_eq!(too_few.status.code(), Some(1));
}

#[test]
fn the_published_share_vectors_hold_in_a_second_implementation() {
    let checked =
        tool(Command::new("python3").arg(root().join("docs/share_vectors.py")).arg("--check"));
    assert!(checked.status.success(), "{}{}", stdout(&checked), stderr(&checked));
}

fn ssh_verify(folder: &Path, statement: &Path, namespace: &str, principal: &str) -> bool {
    let signature = PathBuf::from(format!("{}.sig", statement.display()));
    let mut command = Command::new("ssh-keygen");
    command
        .args(["-Y", "verify", "-n", namespace, "-I", principal, "-f"])
        .arg(folder.join("allowed_signers"));
    command.arg("-s").arg(signature).stdin(File::open(statement).unwrap());
    tool(&mut command).status.success()
}

#[test]
fn ssh_keygen_accepts_each_statement_and_nothing_else() {
    let world = World::running();
    let (code, lines) = released(&world);
    what_is_not_over_is_incomplete(&world, &code);
    assert!(world.cli_with("municipality", &["open", &code], &lines.join("\n")).status.success());
    world.wait("agency", &code, "Closed");
    until("the municipality to hear `closed`", || {
        world.statements("municipality", &code).contains(&"closed".to_owned()).then_some(())
    });
    for host in ["agency", "municipality"] {
        let folder = world.path(&format!("evidence-{host}"));
        let exported =
            world.cli(host, &["evidence", "export", &code, "--to", folder.to_str().unwrap()]);
        assert!(exported.status.success(), "{}", stderr(&exported));
        let mut statements: Vec<PathBuf> = fs::read_dir(&folder)
            .unwrap()
            .flatten()
            .map(|e| e.path())
            .filter(|p| p.extension().is_some_and(|e| e == "json"))
            .collect();
        statements.sort();
        assert_eq!(statements.len(), 9);
        for statement in &statements {
            let bytes = fs::read(statement).unwrap();
            let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
            let (issuer, audience) =
                (json["issuer"].as_str().unwrap(), json["audience"].as_str().unwrap());
            assert!(ssh_verify(&folder, statement, "statement-v1@sluis", issuer), "{statement:?}");
            assert!(!ssh_verify(&folder, statement, "file", issuer), "another namespace");
            assert!(
                !ssh_verify(&folder, statement, "statement-v1@sluis", audience),
                "another signer"
            );
            fs::write(
                statement,
                String::from_utf8(bytes.clone()).unwrap().replacen("\"time\":1", "\"time\":2", 1),
            )
            .unwrap();
            assert!(!ssh_verify(&folder, statement, "statement-v1@sluis", issuer), "changed");
            fs::write(statement, bytes).unwrap();
        }
        assert!(ssh_verify(
            &folder,
            &folder.join("ledger/head"),
            "head-v2@sluis",
            if host == "agency" { "agentschap-ii" } else { "stad-mechelen" }
        ));
        evidence_is_judged(&world, &folder, &statements);
    }
}

fn what_is_not_over_is_incomplete(world: &World, code: &str) {
    let folder = world.path("evidence-so-far");
    let to = folder.to_str().unwrap();
    let exported = world.cli("agency", &["evidence", "export", code, "--to", to]);
    assert!(exported.status.success(), "{}", stderr(&exported));
    let trust = folder.join("allowed_signers");
    let checks = [["en", "not here: opened"], ["nl", "dit is er niet: opened"]];
    for [lang, said] in checks {
        let verify = ["--lang", lang, "evidence", "verify", to, "--trust", trust.to_str().unwrap()];
        let ours = world.cli("dropzone", &verify);
        assert_eq!(ours.status.code(), Some(3), "{}", stderr(&ours));
        assert!(stderr(&ours).contains(said), "{}", stderr(&ours));
    }
    let script = tool(Command::new("sh").arg(folder.join("verify.sh")).arg(&folder).arg(&trust));
    assert_eq!(script.status.code(), Some(3), "{}", stdout(&script));
}

fn evidence_is_judged(world: &World, folder: &Path, statements: &[PathBuf]) {
    // The trust file is the verifier's own copy of the keys.
    let trust = world.path("trust");
    fs::copy(folder.join("allowed_signers"), &trust).unwrap();
    let verify = |trust: &Path| {
        world.cli(
            "dropzone",
            &["evidence", "verify", folder.to_str().unwrap(), "--trust", trust.to_str().unwrap()],
        )
    };
    // The script of docs/ says the same each time, with ssh-keygen and sha256sum alone.
    let script = |trust: &Path| {
        let script = root().join("docs/verify-evidence.sh");
        tool(Command::new("sh").arg(script).arg(folder).arg(trust)).status.code()
    };
    let verify = |trust: &Path| {
        let ours = verify(trust);
        assert_eq!(ours.status.code(), script(trust), "{}{}", stdout(&ours), stderr(&ours));
        ours
    };
    let good = verify(&trust);
    assert!(good.status.success(), "{}", stderr(&good));
    assert!(
        stdout(&good).contains("what came out is what went in")
            && stdout(&good).contains("OEFENING")
            && stdout(&good).contains("not signed, and nothing here rests on it: verify.sh"),
        "{}",
        stdout(&good)
    );
    // The script speaks the language of the terminal.
    let all = ["good   ", "holds:", "not signed"].into_iter();
    let all = all.zip(["goed   ", "klopt:", "niet ondertekend"]);
    for (english, dutch) in all {
        for (lang, own, other) in [("nl_BE.UTF-8", dutch, english), ("en_GB.UTF-8", english, dutch)]
        {
            let mut asked = Command::new("sh");
            asked.arg(root().join("docs/verify-evidence.sh")).arg(folder).arg(&trust);
            asked.env_remove("LC_ALL").env_remove("LC_MESSAGES").env("LANG", lang);
            let said = stdout(&tool(&mut asked));
            assert!(said.contains(own) && !said.contains(other), "{lang}: {said}");
        }
    }
    let stranger = world.path("stranger");
    let made = tool(
        Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&stranger),
    );
    assert!(made.status.success());
    let key = fs::read_to_string(stranger.with_extension("pub")).unwrap();
    fs::write(&trust, format!("agentschap-ii {key}stad-mechelen {key}")).unwrap();
    assert_eq!(
        verify(&trust).status.code(),
        Some(1),
        "the keys that came with the evidence count for nothing"
    );
    fs::write(&trust, format!("*,agentschap-ii {key}")).unwrap();
    assert_eq!(verify(&trust).status.code(), Some(1), "a pattern is no principal");
    fs::copy(folder.join("allowed_signers"), &trust).unwrap();
    let removed =
        statements.iter().find(|path| path.to_string_lossy().contains("-removed")).unwrap();
    let (bytes, aside) = (fs::read(removed).unwrap(), removed.with_extension("aside"));
    fs::rename(removed, &aside).unwrap();
    assert_eq!(verify(&trust).status.code(), Some(1), "the head names `removed`");
    fs::write(removed, String::from_utf8(bytes).unwrap().replace("\"head\":410", "\"head\":200"))
        .unwrap();
    assert_eq!(verify(&trust).status.code(), Some(1), "changed evidence is broken");
    fs::rename(aside, removed).unwrap();
    fs::remove_file(&stranger).unwrap();
    fs::remove_file(stranger.with_extension("pub")).unwrap();
}

/// A PostgreSQL of this test's own, on a Unix socket in its folder.
struct Postgres {
    folder: tempfile::TempDir,
    server: Child,
}

impl Postgres {
    fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("sluis-pg-").tempdir().unwrap();
        let bin = fs::read_dir("/usr/lib/postgresql")
            .expect("postgresql is installed by tests/run")
            .flatten()
            .map(|e| e.path().join("bin"))
            .max()
            .unwrap();
        let root = rustix::process::getuid().is_root();
        let as_user = |program: PathBuf| {
            // PostgreSQL does not run as root.
            let mut command = if root { Command::new("setpriv") } else { Command::new(&program) };
            if root {
                command
                    .args(["--reuid=postgres", "--regid=postgres", "--clear-groups"])
                    .arg(program);
            }
            command
        };
        if root {
            let _ = tool(Command::new("chown").arg("postgres").arg(folder.path()));
        }
        let data = folder.path().join("data");
        let made =
            tool(as_user(bin.join("initdb")).args(["-A", "trust", "-U", "sluis", "-D"]).arg(&data));
        assert!(made.status.success(), "{}", stderr(&made));
        let mut server = as_user(bin.join("postgres"));
        server
            .arg("-D")
            .arg(&data)
            .args(["-c", "listen_addresses=", "-c", "fsync=off", "-k"])
            .arg(folder.path());
        let server = server
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let it = Self { folder, server };
        until("PostgreSQL to answer", || it.sql("SELECT 1"));
        it
    }
    fn sql(&self, sql: &str) -> Option<String> {
        let asked = tool(
            Command::new("psql")
                .args(["-U", "sluis", "-d", "postgres", "-Atc", sql, "-h"])
                .arg(self.folder.path()),
        );
        asked.status.success().then(|| stdout(&asked))
    }
    fn url(&self, database: &str) -> String {
        self.sql(&format!("CREATE DATABASE {database}")).unwrap();
        let folder = self.folder.path().to_str().unwrap().replace('/', "%2F");
        format!("postgres://sluis@{folder}/{database}")
    }
}

/// A core that was started beside another one.
struct Second(Child);

impl Drop for Second {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let _ = rustix::process::kill_process(
            rustix::process::Pid::from_child(&self.server),
            rustix::process::Signal::INT,
        );
        let _ = self.server.wait();
    }
}

#[test]
fn the_same_line_runs_on_postgresql_and_takes_its_store_alone() {
    let postgres = Postgres::start();
    let mut world = World::make(&Plan::default());
    for (host, file) in [("agency", "state/agency.db"), ("municipality", "state/municipality.db")] {
        let url = postgres.url(host);
        world.edit(host, |text| text.replace(file, &url));
    }
    for (role, _) in sluis_tests::world::ROLES {
        world.start(role);
    }
    let (code, lines) = released(&world);
    world.kill("sealer");
    world.start("sealer");
    let opened = world.cli_with("municipality", &["open", &code], &lines.join("\n"));
    assert!(opened.status.success(), "{}", stderr(&opened));
    world.wait("agency", &code, "Closed");
    let metrics = world.cli("agency", &["health", "--prometheus"]);
    assert!(stdout(&metrics).contains("sluis_transfers{state=\"Closed\"} 1"), "{metrics:?}");
    assert!(world.cli("agency", &["ledger", "verify"]).status.success());
    let (to, whole) = (world.path("whole"), ["evidence", "export", "--agreement", "mechelen"]);
    let whole = world.cli("agency", &[&whole[..], &["--to", to.to_str().unwrap()]].concat());
    assert!(whole.status.success(), "{}", stderr(&whole));
    let second = world.command("keeper").output().unwrap();
    assert!(stderr(&second).contains("in use by another core"), "{}", stderr(&second));
    // The lock is one connection's, which the server may end while the core lives: nobody notices until another core comes.
    postgres
        .sql("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
        .unwrap();
    assert!(world.cli("municipality", &["list"]).status.success(), "nobody has noticed");
    let mut second = Second(world.command("keeper").stdin(Stdio::null()).spawn().unwrap());
    until("the core that was there before to end", || world.ended("keeper").then_some(()));
    let told = world.log("keeper");
    assert!(told.contains("the core cannot work") && told.contains("another core"), "{told}");
    assert!(second.0.try_wait().unwrap().is_none(), "the second one works on");
    until("the second one to answer", || {
        world.cli("municipality", &["list"]).status.success().then_some(())
    });
    assert!(somewhere(&world.path("agency"), b"SQLite format").is_empty());
}

#[test]
fn a_python_reader_opens_the_envelope_from_the_lines_alone() {
    let world = World::running();
    let (code, lines) = released(&world);
    let python = root().join("target/tools/venv/bin/python");
    assert!(python.exists(), "tests/run installs Python packages into target/tools/venv");
    let mut reader = Command::new(python);
    reader
        .arg(root().join("docs/open_envelope.py"))
        .arg(&code)
        .arg(world.vault(&code).join("envelope.age"));
    reader
        .arg(world.path("read"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut reader = reader.spawn().unwrap();
    std::io::Write::write_all(reader.stdin.as_mut().unwrap(), lines[1..].join("\n").as_bytes())
        .unwrap();
    let read = reader.wait_with_output().unwrap();
    assert!(read.status.success(), "{}{}", stdout(&read), stderr(&read));
    assert_eq!(fs::read(world.path("read/lijst-2026.csv")).unwrap(), LIST);
}
