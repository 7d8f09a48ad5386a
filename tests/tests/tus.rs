//! The drop zone as a tus 1.0.0 server: the clients of the tus project are cut and resume, and curl holds it to each
//! MUST of what it offers.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

use sluis_tests::stock::{Answer, Client, answered, begin};
use sluis_tests::world::Plan;
use sluis_tests::{Cutter, World, bytes, root, stderr, stdout, tool, until};

const FILES: &str = "/mechelen/files";
const TUS: &str = "Tus-Resumable: 1.0.0";
const OCTETS: &str = "Content-Type: application/offset+octet-stream";
/// Of the sentence "hello world", as every sha1sum says it.
const HELLO: &[u8] = b"hello world";
const HELLO_SHA1: &str = "Upload-Checksum: sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=";

/// A drop zone of at most one MiB more than the clients need, and its two parties.
fn zone() -> (World, Client, Client) {
    let plan = Plan { dropzone: "quota-mib = 9\n".into(), ..Plan::default() };
    let mut world = World::make(&plan);
    world.start("dropzone");
    let (agency, municipality) = (Client::of(&world, "agency"), Client::of(&world, "municipality"));
    (world, agency, municipality)
}

/// Begins an upload; gives its path.
fn create(agency: &Client, length: usize) -> String {
    let made = agency.ask("POST", FILES, &[TUS, &format!("Upload-Length: {length}")]);
    assert_eq!(made.status, 201, "{}", made.text());
    made.header("location").to_owned()
}

fn patch(agency: &Client, path: &str, offset: usize, more: &[&str], body: &[u8]) -> Answer {
    let offset = format!("Upload-Offset: {offset}");
    agency.send("PATCH", path, &[&[TUS, OCTETS, &offset], more].concat(), body)
}

fn offset(agency: &Client, path: &str) -> u64 {
    let head = agency.ask("HEAD", path, &[TUS]);
    assert_eq!(head.status, 200);
    head.header("upload-offset").parse().unwrap()
}

/// What tests/run puts into `target/tools`.
fn installed(name: &str) -> PathBuf {
    let path = root().join("target/tools").join(name);
    assert!(path.exists(), "{} is missing: tests/run installs it", path.display());
    path
}

/// Holds that one upload is there, whole, and that the municipality fetches what the agency had.
fn arrived(path: &str, municipality: &Client, content: &[u8]) {
    let whole = municipality.ask("GET", path, &[]);
    assert_eq!(whole.status, 200);
    assert!(whole.body == content, "other bytes arrived");
    let from = content.len() / 3;
    let rest = municipality.ask("GET", path, &[&format!("Range: bytes={from}-")]);
    let range = format!("bytes {from}-{}/{}", content.len() - 1, content.len());
    assert_eq!((rest.status, rest.header("content-range")), (206, range.as_str()));
    assert!(rest.body == content[from..], "other bytes from {from} on");
}

const TUSPY: &str = r#"
import sys, warnings
from tusclient.client import TusClient
warnings.simplefilter("ignore")  # The server's certificate is self-signed; here it is the server that judges.
url, certificate, key, file, checksum, known = sys.argv[1:]
client = TusClient(url, client_cert=(certificate, key))
uploader = client.uploader(file, chunk_size=1 << 20, upload_checksum=checksum == "sum", verify_tls_cert=False,
                           metadata={"filename": "lijst.csv"}, url=known or None)
begun = uploader.offset
uploader.upload(stop_at=None if known else (5 << 19) + 1)
print(uploader.url, begun, uploader.offset)
"#;

const TUS_JS: &str = r#"
const [module, endpoint, certificate, key, file] = process.argv.slice(1);
const fs = require("fs"), tus = require(module);
const tls = { cert: fs.readFileSync(certificate), key: fs.readFileSync(key), rejectUnauthorized: false };
let begun = null;
const upload = new tus.Upload(fs.createReadStream(file), {
  endpoint, urlStorage: new tus.FileUrlStorage(file + ".urls"), metadata: { filename: "lijst.csv" },
  httpStack: new tus.DefaultHttpStack(tls), retryDelays: null,
  onBeforeRequest: (request) => { begun = request.getHeader("Upload-Offset") ?? begun; },
  onError: (error) => { console.error(String(error)); process.exit(3); },
  onSuccess: () => console.log(upload.url, begun),
});
upload.findPreviousUploads().then(([previous]) => {
  if (previous) upload.resumeFromPreviousUpload(previous);
  upload.start();
});
"#;

#[test]
fn tuspy_is_stopped_and_resumes() {
    let (world, agency, municipality) = zone();
    let python = installed("venv/bin/python");
    let (content, file) = (bytes((4 << 20) + 7), world.path("lijst.csv"));
    fs::write(&file, &content).unwrap();
    for checksum in ["sum", "plain"] {
        let run = |known: &str| {
            let url = format!("https://{}{FILES}", world.host);
            let credential = |name: &str| world.path("agency/credentials").join(name);
            let mut tuspy = Command::new(&python);
            tuspy.args(["-c", TUSPY, &url]).arg(credential("tls-certificate"));
            let output = tool(tuspy.arg(credential("tls-key")).arg(&file).args([checksum, known]));
            assert!(output.status.success(), "{}", stderr(&output));
            stdout(&output).split_whitespace().map(str::to_owned).collect::<Vec<_>>()
        };
        let stopped = (5 << 19) + 1;
        let first = run("");
        assert_eq!(first[1..], ["0".to_owned(), stopped.to_string()]);
        let path = first[0].strip_prefix(&format!("https://{}", world.host)).unwrap();
        assert_eq!(offset(&agency, path), stopped);
        assert_eq!(municipality.ask("GET", path, &[]).status, 409, "not before it is whole");
        let second = run(&first[0]);
        assert_eq!(second[1..], [stopped.to_string(), content.len().to_string()]);
        arrived(path, &municipality, &content);
        assert_eq!(agency.ask("DELETE", path, &[TUS]).status, 204);
    }
}

#[test]
fn tus_js_client_is_cut_and_resumes() {
    let (world, agency, municipality) = zone();
    let module = installed("node/node_modules/tus-js-client");
    let (content, file) = (bytes((8 << 20) + 7), world.path("lijst.csv"));
    fs::write(&file, &content).unwrap();
    let between = format!("{}:4433", world.host.rsplit_once(':').unwrap().0);
    let wire = Cutter::new(&between, &world.host);
    let run = || {
        let credential = |name: &str| world.path("agency/credentials").join(name);
        let mut node = Command::new("node");
        node.args(["-e", TUS_JS]).arg(&module).arg(format!("https://{between}{FILES}"));
        tool(node.arg(credential("tls-certificate")).arg(credential("tls-key")).arg(&file))
    };
    wire.cut_after(4 << 20);
    let cut = run();
    assert_eq!((cut.status.code(), wire.cuts()), (Some(3), 1), "{}", stderr(&cut));
    let listed = agency.ask("GET", FILES, &[]);
    let listed: serde_json::Value = serde_json::from_slice(&listed.body).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 1);
    let path = format!("{FILES}/{}", listed[0]["upload"].as_str().unwrap());
    let kept =
        until("what arrived to count", || Some(offset(&agency, &path)).filter(|kept| *kept > 0));
    assert!(kept < content.len() as u64, "{kept}");
    let resumed = run();
    assert!(resumed.status.success(), "{}", stderr(&resumed));
    let told = format!("https://{between}{path} {kept}");
    assert_eq!(stdout(&resumed).trim(), told, "the same upload, from where it was");
    arrived(&path, &municipality, &content);
}

#[test]
fn options_tell_what_is_offered_without_a_version() {
    let (_world, agency, municipality) = zone();
    for client in [&agency, &municipality] {
        let told = client.ask("OPTIONS", FILES, &[]);
        assert_eq!(told.status, 204);
        let extensions = "creation,creation-with-upload,checksum,expiration,termination";
        for (name, value) in [
            ("tus-resumable", "1.0.0"),
            ("tus-version", "1.0.0"),
            ("tus-extension", extensions),
            ("tus-checksum-algorithm", "sha256,sha1"),
            ("tus-max-size", "9437184"),
        ] {
            assert_eq!(told.header(name), value);
        }
    }
}

#[test]
fn another_version_is_refused_and_nothing_of_it_is_done() {
    let (world, agency, _) = zone();
    let path = create(&agency, 11);
    for version in [&[][..], &["Tus-Resumable: 0.2.2"], &["Tus-Resumable: 1.0.0, 2.0.0"]] {
        let upload = ["Upload-Length: 11", "Upload-Offset: 0", OCTETS];
        let headers = [&upload[..], version].concat();
        for (method, path) in
            [("POST", FILES), ("HEAD", &path), ("PATCH", &path), ("DELETE", &path)]
        {
            let refused = match method {
                "POST" | "PATCH" => agency.send(method, path, &headers, HELLO),
                _ => agency.ask(method, path, &headers),
            };
            assert_eq!((refused.status, refused.header("tus-version")), (412, "1.0.0"), "{method}");
        }
    }
    assert_eq!(offset(&agency, &path), 0);
    assert_eq!(fs::read_dir(world.path("dropzone/medium/mechelen/files")).unwrap().count(), 1);
}

#[test]
fn creation() {
    let (_world, agency, municipality) = zone();
    let metadata = "Upload-Metadata: filename bGlqc3QuY3N2,is_confidential";
    let made = agency.ask("POST", FILES, &[TUS, "Upload-Length: 11", metadata]);
    assert_eq!((made.status, made.header("tus-resumable")), (201, "1.0.0"));
    let path = made.header("location");
    assert!(path.starts_with(&format!("{FILES}/")), "{path}");
    assert!(is_date(made.header("upload-expires")), "{}", made.head);

    let head = agency.ask("HEAD", path, &[TUS]);
    let told = ["upload-offset", "upload-length", "cache-control", "tus-resumable"]
        .map(|name| head.header(name));
    assert_eq!((head.status, told), (200, ["0", "11", "no-store", "1.0.0"]));
    assert_eq!(head.header("upload-metadata"), metadata.split_once(": ").unwrap().1, "as it came");
    assert!(is_date(head.header("upload-expires")), "{}", head.head);
    // On the wire nothing comes after its head, whatever a client would pass over.
    let wire = format!("HEAD {path} HTTP/1.1\r\nHost: x\r\n{TUS}\r\nConnection: close\r\n\r\n");
    let wire = agency.s_client(&["-quiet"], wire.as_bytes());
    let answer = &wire[wire.find("HTTP/1.1 200").unwrap()..];
    assert_eq!(answer.find("\r\n\r\n"), Some(answer.len() - 4), "{answer}");

    let with = agency.send("POST", FILES, &[TUS, OCTETS, "Upload-Length: 11", HELLO_SHA1], HELLO);
    assert_eq!((with.status, with.header("upload-offset")), (201, "11"));
    assert!(is_date(with.header("upload-expires")));
    assert_eq!(municipality.ask("GET", with.header("location"), &[]).body, HELLO);
    let part = agency.send("POST", FILES, &[TUS, OCTETS, "Upload-Length: 99"], HELLO);
    assert_eq!((part.status, part.header("upload-offset")), (201, "11"), "a part is enough");
    let empty = create(&agency, 0);
    assert_eq!((offset(&agency, &empty), municipality.ask("GET", &empty, &[]).status), (0, 200));

    for (status, headers) in [
        (400, &[TUS][..]),
        (400, &[TUS, "Upload-Length: -1"]),
        (400, &[TUS, "Upload-Length: eleven"]),
        (400, &[TUS, "Upload-Defer-Length: 1"]),
        (400, &[TUS, "Upload-Length: 1", "Upload-Metadata: name not+base64?"]),
        (413, &[TUS, "Upload-Length: 9437185"]),
        // It is no more than Tus-Max-Size, but other uploads have some of the room.
        (507, &[TUS, "Upload-Length: 9437184"]),
    ] {
        assert_eq!(agency.ask("POST", FILES, headers).status, status, "{headers:?}");
    }
    let other =
        agency.send("POST", FILES, &[TUS, "Upload-Length: 11", "Content-Type: text/csv"], HELLO);
    assert_eq!(other.status, 415);
    assert_eq!(municipality.ask("POST", FILES, &[TUS, "Upload-Length: 1"]).status, 403);
}

/// A date as HTTP wants it, in the eyes of `date`.
fn is_date(text: &str) -> bool {
    let read = tool(
        Command::new("date")
            .args(["-u", "-d", text, "+%a, %d %b %Y %H:%M:%S GMT"])
            .env("LC_ALL", "C"),
    );
    stdout(&read).trim() == text
}

#[test]
fn patches() {
    let (_world, agency, municipality) = zone();
    let path = create(&agency, 11);
    let half = patch(&agency, &path, 0, &[], &HELLO[..6]);
    let told = ["upload-offset", "tus-resumable"].map(|name| half.header(name));
    assert_eq!((half.status, told), (204, ["6", "1.0.0"]));
    assert!(is_date(half.header("upload-expires")));
    let refused: [(u16, &[&str], &[u8]); 8] = [
        (409, &[TUS, OCTETS, "Upload-Offset: 0"], b"hello"),
        (409, &[TUS, OCTETS, "Upload-Offset: 7"], b"hello"),
        (400, &[TUS, OCTETS], b"world"),
        (400, &[TUS, OCTETS, "Upload-Offset: six"], b"world"),
        (415, &[TUS, "Upload-Offset: 6", "Content-Type: text/plain"], b"world"),
        (415, &[TUS, "Upload-Offset: 6"], b"world"),
        (413, &[TUS, OCTETS, "Upload-Offset: 6"], b"worlds"),
        // Without a length it is found out on the way, and nothing of it is kept.
        (413, &[TUS, OCTETS, "Upload-Offset: 6", "Transfer-Encoding: chunked"], b"worlds"),
    ];
    for (status, headers, body) in refused {
        let answer = agency.send("PATCH", &path, headers, body);
        assert_eq!(answer.status, status, "{headers:?}: {}", answer.text());
        assert_eq!(offset(&agency, &path), 6, "{headers:?}");
    }
    assert_eq!(patch(&agency, &path, 6, &[], b"").status, 204, "nothing more is no mistake");
    assert_eq!(patch(&agency, &path, 6, &[], &HELLO[6..]).header("upload-offset"), "11");
    assert_eq!(patch(&agency, &path, 11, &[], b"!").status, 413, "whole is whole");
    assert_eq!(municipality.ask("GET", &path, &[]).body, HELLO);
    let never = format!("{FILES}/{}", "0".repeat(path.len() - FILES.len() - 1));
    for absent in [agency.ask("HEAD", &never, &[TUS]), patch(&agency, &never, 0, &[], b"x")] {
        assert_eq!((absent.status, absent.header("upload-offset")), (404, ""));
    }
}

#[test]
fn a_checksum_decides_what_is_kept() {
    let (world, agency, municipality) = zone();
    let path = create(&agency, 11);
    let data = world.path("dropzone/medium").join(&path[1..]).join("data");
    for (status, checksum) in [
        (460, HELLO_SHA1.replace("Kq5s", "AAAA")),
        (460, format!("Upload-Checksum: sha256 {}=", "A".repeat(43))),
        (400, "Upload-Checksum: md5 XrY7u+Ae7tCTyyK7j1rNww==".into()),
        (400, "Upload-Checksum: crc32 DUoRhQ==".into()),
        (400, "Upload-Checksum: sha1 AAAA".into()),
        (400, "Upload-Checksum: sha1".into()),
    ] {
        let answer = patch(&agency, &path, 0, &[&checksum], HELLO);
        assert_eq!(answer.status, status, "{checksum}");
        assert_eq!((offset(&agency, &path), fs::read(&data).unwrap().len()), (0, 0), "{checksum}");
        let made =
            agency.send("POST", FILES, &[TUS, OCTETS, "Upload-Length: 11", &checksum], HELLO);
        assert_eq!(made.status, status, "{checksum}");
    }
    assert_eq!(fs::read_dir(world.path("dropzone/medium/mechelen/files")).unwrap().count(), 1);
    assert_eq!(patch(&agency, &path, 0, &[HELLO_SHA1], HELLO).status, 204);
    assert_eq!(municipality.ask("GET", &path, &[]).body, HELLO);
}

#[test]
fn termination_leaves_gone_and_no_bytes() {
    let (world, agency, municipality) = zone();
    for (remover, reached) in [(&agency, 0), (&agency, 6), (&municipality, 11)] {
        let path = create(&agency, 11);
        assert_eq!(patch(&agency, &path, 0, &[], &HELLO[..reached]).status, 204);
        let removed = remover.ask("DELETE", &path, &[TUS]);
        assert_eq!((removed.status, removed.header("tus-resumable")), (204, "1.0.0"));
        assert!(!world.path("dropzone/medium").join(&path[1..]).exists());
        let asked = [
            ("HEAD", agency.ask("HEAD", &path, &[TUS])),
            ("HEAD", municipality.ask("HEAD", &path, &[TUS])),
            ("GET", municipality.ask("GET", &path, &[])),
            ("PATCH", patch(&agency, &path, reached, &[], b"x")),
            ("DELETE", agency.ask("DELETE", &path, &[TUS])),
        ];
        for (method, answer) in asked {
            assert_eq!((answer.status, answer.header("upload-offset")), (410, ""), "{method}");
        }
    }
}

#[test]
fn what_is_not_offered_is_405_and_names_what_is() {
    let (_world, agency, _) = zone();
    let path = create(&agency, 11);
    let (files, file) = ("OPTIONS, GET, POST", "HEAD, PATCH, DELETE, GET");
    for (method, path, allowed) in [
        ("PUT", FILES, files),
        ("PATCH", FILES, files),
        ("DELETE", FILES, files),
        ("TRACE", FILES, files),
        ("PUT", &path, file),
        ("POST", &path, file),
        ("OPTIONS", &path, file),
        ("BREW", &path, file),
    ] {
        let answer = agency.ask(method, path, &[TUS]);
        assert_eq!((answer.status, answer.header("allow")), (405, allowed), "{method} {path}");
    }
}

#[test]
fn two_writers_are_not_let_in_at_once() {
    let (world, agency, municipality) = zone();
    let path = create(&agency, 11);
    let mut curl = agency.request("PATCH", &path, &[TUS, OCTETS, "Upload-Offset: 0"]);
    // A body that comes as it is typed.
    let mut first = begin(curl.args(["-T", "-"]));
    let mut typed = first.stdin.take().unwrap();
    typed.write_all(&HELLO[..6]).unwrap();
    let data = world.path("dropzone/medium").join(&path[1..]).join("data");
    until("the first bytes", || fs::metadata(&data).ok().filter(|meta| meta.len() == 6));
    for at in [0, 6] {
        assert_eq!(patch(&agency, &path, at, &[], &HELLO[at..]).status, 423, "at {at}");
    }
    typed.write_all(&HELLO[6..]).unwrap();
    drop(typed);
    let ended = answered(first.wait_with_output().unwrap());
    assert_eq!((ended.status, ended.header("upload-offset")), (204, "11"));
    assert_eq!(municipality.ask("GET", &path, &[]).body, HELLO);
}
