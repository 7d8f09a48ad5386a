//! The carrier as a tus 1.0.0 client: it uploads to `@tus/server`, the tus project's own server in Node, behind TLS 1.3.
//!
//! `src/tus_server.mjs` is that server. Node may be older than the hybrid post-quantum key exchange, so the carrier is told
//! not to require it; everything else of it is as it ever is.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Condvar, Mutex};

use serde_json::Value;
use sluis_tests::stock::Client;
use sluis_tests::world::Plan;
use sluis_tests::{Cutter, World, bytes, root, stderr, until};

const FILES: &str = "/mechelen/files";
const TUS: &str = "Tus-Resumable: 1.0.0";
const LIST: &[u8] = b"rijksregisternummer;contract;attest\n85073003328;1;1\n";
const MIB: u64 = 1 << 20;

/// An agency and the host of its drop zone; something may stand between the two.
fn hosts(behind: bool) -> World {
    let world = World::make(&Plan { behind, ..Plan::default() });
    let classical = "[carrier]\nrequire-post-quantum = false\n";
    world.edit("agency", |text| text.replace("[carrier]\n", classical));
    world
}

/// Starts the server, with these options, on the folder that it had before.
fn serve(world: &mut World, options: &str) {
    let packages = root().join("target/tools/node/node_modules");
    assert!(packages.join("@tus/server").exists(), "@tus/server is missing: tests/run installs it");
    let card = fs::read_to_string(world.path("agency.card")).unwrap();
    let pin = card.lines().find_map(|line| line.strip_prefix("tls = ")).unwrap().trim_matches('"');
    let mut node = Command::new("node");
    node.arg(root().join("tests/src/tus_server.mjs")).arg(packages).arg(&world.listen);
    node.arg(world.path("dropzone/credentials")).arg(pin).arg(world.path("foreign"));
    node.args(["/mechelen", options]);
    world.start_as("dropzone", node);
}

/// The server and the two roles that the way there takes.
fn start(world: &mut World, options: &str) {
    serve(world, options);
    world.start("sealer");
    world.start("carrier");
}

/// What the server answered to these requests, oldest first.
fn answers(world: &World, method: &str) -> Vec<Value> {
    let log = world.log("dropzone");
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(|line| line["method"] == method).collect()
}

/// One field of them.
fn told(world: &World, method: &str, field: &str) -> Vec<Value> {
    answers(world, method).into_iter().map(|mut line| line[field].take()).collect()
}

/// Waits until it has told of an answer like this.
fn until_told(world: &World, method: &str, field: &str, value: impl Into<Value>) {
    let value = value.into();
    until(&format!("{method} to be answered, {field} {value}"), || {
        told(world, method, field).contains(&value).then_some(())
    });
}

/// The uploads that the server has, by their ids.
fn uploads(world: &World) -> Vec<String> {
    let names = fs::read_dir(world.path("foreign")).into_iter().flatten().flatten();
    let names = names.map(|entry| entry.file_name().into_string().unwrap());
    let mut ids: Vec<_> =
        names.map(|name| name.strip_suffix(".json").unwrap_or(&name).to_owned()).collect();
    ids.sort();
    ids.dedup();
    ids
}

fn data(world: &World, upload: &str) -> PathBuf {
    world.path("foreign").join(upload)
}

/// Waits until the agency says Carried, and holds that the server has what lies in its spool, to the byte; gives the size.
fn arrived(world: &World, code: &str, upload: &str) -> u64 {
    world.wait("agency", code, "Carried");
    let row = world.row("agency", code).unwrap();
    let spooled = format!("agency/spool/{}.age", row["transfer"].as_str().unwrap());
    let envelope = fs::read(world.path(&spooled)).unwrap();
    assert!(fs::read(data(world, upload)).unwrap() == envelope, "other bytes arrived");
    envelope.len() as u64
}

/// A valve on the way to the server: while it is shut, a connection that has brought so many bytes stands still.
struct Valve(Arc<(Mutex<bool>, Condvar)>);

impl Valve {
    const AFTER: u64 = 8 * MIB;

    /// Shut, between the agency and the server.
    fn new(world: &World) -> Self {
        let listener = TcpListener::bind(&world.host).unwrap();
        let (to, shut) = (world.listen.clone(), Arc::new((Mutex::new(true), Condvar::new())));
        let valve = Self(Arc::clone(&shut));
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(&to) else { continue };
                let back = (server.try_clone().unwrap(), client.try_clone().unwrap());
                let shut = Arc::clone(&shut);
                std::thread::spawn(move || Self::pass(client, server, Some(&shut)));
                std::thread::spawn(move || Self::pass(back.0, back.1, None));
            }
        });
        valve
    }
    fn pass(mut from: TcpStream, mut to: TcpStream, shut: Option<&(Mutex<bool>, Condvar)>) {
        let (mut piece, mut passed) = ([0; 16 * 1024], 0);
        while let Ok(read @ 1..) = from.read(&mut piece) {
            passed += read as u64;
            if let Some((shut, turned)) = shut.filter(|_| passed > Self::AFTER) {
                drop(turned.wait_while(shut.lock().unwrap(), |shut| *shut).unwrap());
            }
            if to.write_all(&piece[..read]).is_err() {
                break;
            }
        }
        let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
    }
    fn open(&self) {
        *self.0.0.lock().unwrap() = false;
        self.0.1.notify_all();
    }
}

/// A large drop, whose upload stands still somewhere in its middle; gives its code and the upload.
fn halfway(world: &World) -> (String, String) {
    let code = world.send("groot.bin", &bytes(24 << 20));
    let upload = until("the upload to be made", || uploads(world).pop());
    until("some of it to be there", || {
        let there = fs::metadata(data(world, &upload)).ok()?.len();
        (there > Valve::AFTER / 2).then_some(())
    });
    (code, upload)
}

#[test]
fn a_list_arrives_whole() {
    let mut world = hosts(false);
    start(&mut world, "{}");
    let agency = Client::of(&world, "agency");
    let options = agency.ask("OPTIONS", FILES, &[]);
    assert_eq!((options.status, options.header("tus-version")), (204, "1.0.0"));
    // What `@tus/server` with this store says of itself, and our own drop zone does not.
    let extensions = "creation,creation-with-upload,creation-defer-length,termination,expiration";
    assert_eq!(options.header("tus-extension"), extensions);
    for stranger in [Client::nameless(&world.host), Client::of(&world, "municipality")] {
        assert_eq!(stranger.ask("OPTIONS", FILES, &[]).status, 0, "{stranger:?}");
    }

    let code = world.send("lijst.csv", LIST);
    world.wait("agency", &code, "Carried");
    let [upload] = &uploads(&world)[..] else { panic!("{:?}", uploads(&world)) };
    let size = arrived(&world, &code, upload);
    let about = fs::read_to_string(data(&world, &format!("{upload}.json"))).unwrap();
    let about: Value = serde_json::from_str(&about).unwrap();
    let transfer = &world.row("agency", &code).unwrap()["transfer"];
    assert_eq!((&about["size"], &about["metadata"]["transfer"]), (&size.into(), transfer));
    for (method, status) in [("POST", 201), ("HEAD", 200), ("PATCH", 204)] {
        until_told(&world, method, "status", status);
        assert_eq!(told(&world, method, "status"), [status], "{method}");
        assert_eq!(told(&world, method, "tls"), ["TLSv1.3"], "{method}");
    }
    until_told(&world, "PUT", "path", "/mechelen/mailbox/1");
}

#[test]
fn an_upload_goes_on_where_the_wire_was_cut() {
    let mut world = hosts(true);
    let wire = Cutter::new(&world.host, &world.listen);
    start(&mut world, "{}");
    wire.cut_after(i64::try_from(4 * MIB).unwrap());
    let code = world.send("groot.bin", &bytes(24 << 20));
    for (cuts, megabytes) in [(1, 6), (2, 5), (3, 3)] {
        until("the wire to be cut", || (wire.cuts() >= cuts).then_some(()));
        wire.cut_after(megabytes << 20);
    }
    until("the wire to be cut", || (wire.cuts() >= 4).then_some(()));
    world.wait("agency", &code, "Carried");
    let [upload] = &uploads(&world)[..] else { panic!("{:?}", uploads(&world)) };
    let size = arrived(&world, &code, upload);
    // What was under way at a cut comes again, and no more than that.
    assert!(wire.passed() < size + 4 * MIB, "{} bytes passed for {size}", wire.passed());
    until_told(&world, "PATCH", "status", 204);
    let begun = told(&world, "PATCH", "from");
    assert_eq!(begun.len(), 5, "{begun:?}");
    assert!(begun.is_sorted_by_key(Value::as_u64) && begun[0] == 0, "{begun:?}");
    assert_eq!(told(&world, "POST", "status"), [201], "one upload, made once");
}

#[test]
fn an_upload_goes_on_after_the_server_was_killed() {
    let mut world = hosts(true);
    let valve = Valve::new(&world);
    start(&mut world, "{}");
    let (code, upload) = halfway(&world);
    world.kill("dropzone");
    let kept = fs::metadata(data(&world, &upload)).unwrap().len();
    serve(&mut world, "{}");
    valve.open();
    assert!(arrived(&world, &code, &upload) > kept);
    assert_eq!(uploads(&world), [upload]);
    until_told(&world, "PATCH", "status", 204);
    assert_eq!(told(&world, "PATCH", "from"), [kept], "from what the server kept");
}

#[test]
fn a_withdrawal_ends_the_upload_whole_or_half() {
    let mut world = hosts(true);
    let valve = Valve::new(&world);
    start(&mut world, "{}");
    let agency = Client::of(&world, "agency").to(&world.listen);
    let whole = world.send("lijst.csv", LIST);
    world.wait("agency", &whole, "Carried");
    let ends = |code: &str, upload: &str| {
        let withdrawn = world.cli("agency", &["withdraw", code]);
        assert!(withdrawn.status.success(), "{}", stderr(&withdrawn));
        until("the upload to be gone", || uploads(&world).is_empty().then_some(()));
        until_told(&world, "DELETE", "upload", upload);
        let ended = answers(&world, "DELETE").into_iter().find(|line| line["upload"] == upload);
        assert_eq!(ended.unwrap()["status"], 204, "by the first DELETE");
        assert_eq!(agency.ask("HEAD", &format!("{FILES}/{upload}"), &[TUS]).status, 404);
        assert_eq!(world.row("agency", code).unwrap()["state"], "Withdrawn");
        until("the carrier to have no more to do for it", || {
            let waiting = world.json("agency", &["show", code])["waiting"].to_string();
            (!waiting.contains("carrier")).then_some(())
        });
    };
    ends(&whole, &uploads(&world)[0]);
    // Here a PATCH has not ended yet.
    let (half, upload) = halfway(&world);
    assert!(!told(&world, "PATCH", "upload").contains(&upload.as_str().into()));
    ends(&half, &upload);
    valve.open();
    // Nothing of it comes back, and the way is free for the next.
    let next = world.send("nieuw.csv", LIST);
    world.wait("agency", &next, "Carried");
    let left = uploads(&world);
    assert_eq!(left.len(), 1, "{left:?}");
    arrived(&world, &next, &left[0]);
}

#[test]
fn an_offset_that_moved_is_asked_for_again() {
    let mut world = hosts(true);
    let wire = Cutter::new(&world.host, &world.listen);
    // The server loses a mebibyte between the HEAD and the PATCH after the cut.
    start(&mut world, "{\"lose\": 1048576}");
    wire.cut_after(i64::try_from(8 * MIB).unwrap());
    let code = world.send("groot.bin", &bytes(24 << 20));
    until("the wire to be cut", || (wire.cuts() == 1).then_some(()));
    world.wait("agency", &code, "Carried");
    arrived(&world, &code, &uploads(&world)[0]);
    until_told(&world, "PATCH", "status", 204);
    let patches = answers(&world, "PATCH");
    let [_, refused, after] = &patches[..] else { panic!("{patches:?}") };
    assert_eq!((&refused["status"], &after["status"]), (&409.into(), &204.into()), "{patches:?}");
    assert_eq!(after["from"].as_u64(), refused["from"].as_u64().map(|from| from - MIB));
}

#[test]
fn an_upload_that_the_server_does_not_know_any_more_fails_and_is_redelivered() {
    let mut world = hosts(true);
    let valve = Valve::new(&world);
    start(&mut world, "{}");
    let (code, upload) = halfway(&world);
    world.kill("dropzone");
    for file in [data(&world, &upload), data(&world, &format!("{upload}.json"))] {
        fs::remove_file(file).unwrap();
    }
    serve(&mut world, "{}");
    valve.open();
    world.wait("agency", &code, "Failed");
    assert_eq!(world.row("agency", &code).unwrap()["note"]["message"], "carry: upload-lost");
    until_told(&world, "HEAD", "status", 404);
    let again = world.json("agency", &["redeliver", &code]);
    let again = again["code"].as_str().unwrap();
    world.wait("agency", again, "Carried");
    let other = uploads(&world);
    assert_eq!(other.len(), 1, "{other:?}");
    arrived(&world, again, &other[0]);
}

/// To the store an upload whose bytes have no file any more is gone, not unknown: 410.
#[test]
fn an_upload_that_the_server_says_is_gone_is_neither_lost_nor_sent_again() {
    let mut world = hosts(true);
    let valve = Valve::new(&world);
    start(&mut world, "{}");
    let (code, upload) = halfway(&world);
    world.kill("dropzone");
    fs::remove_file(data(&world, &upload)).unwrap();
    serve(&mut world, "{}");
    valve.open();
    until_told(&world, "HEAD", "status", 410);
    // Another one goes the whole way meanwhile.
    let next = world.send("lijst.csv", LIST);
    world.wait("agency", &next, "Carried");
    assert_ne!(world.row("agency", &code).unwrap()["state"], "Failed");
    assert!(!told(&world, "PATCH", "upload").contains(&upload.into()), "no byte came again");
    assert_eq!(uploads(&world).len(), 2, "no other upload was made for it");
}

/// As it comes, `@tus/server` takes every request for one of plain HTTP and says so in `Location`.
#[test]
fn a_location_on_another_origin_is_refused_until_the_server_is_put_right() {
    let mut world = hosts(false);
    start(&mut world, "{\"location\": \"absolute\"}");
    let code = world.send("lijst.csv", LIST);
    until("it to be told what is in the way", || {
        let shown = world.json("agency", &["show", &code])["waiting"].to_string();
        shown.contains("a Location that is not its own").then_some(())
    });
    let location = format!("http://{}{FILES}/", world.host);
    let created = told(&world, "created", "location");
    assert!(created[0].as_str().unwrap().starts_with(&location), "{created:?}");
    assert_eq!(world.row("agency", &code).unwrap()["state"], "Sealed");
    assert!(answers(&world, "PATCH").is_empty(), "no byte went anywhere");
    world.kill("dropzone");
    fs::remove_dir_all(world.path("foreign")).unwrap();
    serve(&mut world, "{}");
    world.wait("agency", &code, "Carried");
    arrived(&world, &code, &uploads(&world)[0]);
}
