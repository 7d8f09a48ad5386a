//! Journeys on which the bytes of a list come another way: by a client with checksums, and as something that nobody
//! announced.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use data_encoding::BASE64;
use serde_json::Value;
use sluis_core::envelope::Packer;
use sluis_core::id::Digest;
use sluis_core::share;
use sluis_core::tus;

use super::steered::SEALED;
use super::{fresh, known, opened_and_destroyed, released};
use crate::faults::{Fault, Tended, lines, rows, says, state};
use crate::points::CODE;
use crate::stock::{Answer, Client, answered, run};
use crate::{World, stderr};

/// The files of the agreement in the drop zone.
const FILES: &str = "/mechelen/files";
const TUS: &str = "Tus-Resumable: 1.0.0";
const OCTETS: &str = "Content-Type: application/offset+octet-stream";

/// Half of the envelope is brought by a client with checksums, of which the first does not agree; the carrier goes on from
/// there.
pub(super) fn checked(on: &mut Tended, name: &str, content: &[u8]) {
    // The carrier is there until the list is taken: a sealer that began anew hears by it.
    on.ask("sealer", &Fault { point: CODE.point(SEALED), nth: 1, kind: "hold" });
    let code = on.offer(name, content);
    let held = on.held("sealer");
    on.until("it to be sealed", |world| {
        let over = state(world, "agency", &code).is_some_and(|it| it != "Claimed");
        (over || held.exists()).then_some(())
    });
    on.rest("carrier");
    let is_sealed = on.until("it to be sealed, or a sealer that hears nobody", |world| {
        let _ = fs::remove_file(&held);
        let hears = says(world, "agency", "health", None)?["unheard"] == 0;
        let is_sealed = state(world, "agency", &code)? == "Sealed";
        (is_sealed || !hears).then_some(is_sealed)
    });
    if is_sealed {
        half_by_another(on, &code);
    }
    on.wake("carrier");
    released(on, &code);
    opened_and_destroyed(on, &code, content);
}

/// As tus says: who does not know how far it came looks, and goes on from there.
fn half_by_another(on: &mut Tended, code: &str) {
    let id = transfer(on, code);
    let envelope = fs::read(on.world.path(&format!("agency/spool/{id}.age"))).unwrap();
    let client = Client::of(&on.world, "agency");
    let naming = format!("Upload-Metadata: {}", tus::naming(&id.parse().unwrap()));
    let length = format!("Upload-Length: {}", envelope.len());
    let mut was_wrong = false;
    on.until("half of it to be in the drop zone", |_| {
        let listed = client.ask("GET", &format!("{FILES}?transfer={id}"), &[]);
        let listed: Vec<Value> = serde_json::from_slice(&listed.body).ok()?;
        let Some(upload) = listed.first() else {
            let _ = client.ask("POST", FILES, &[TUS, &length, &naming]);
            return None;
        };
        let path = format!("{FILES}/{}", upload["upload"].as_str()?);
        let from = usize::try_from(upload["offset"].as_u64()?).unwrap();
        if was_wrong && from * 2 >= envelope.len() {
            return Some(());
        }
        let chunk = &envelope[from..(from + envelope.len().div_ceil(4)).min(envelope.len())];
        // The first one is damaged on the way.
        let mut came = chunk.to_vec();
        came[0] ^= u8::from(!was_wrong);
        let answer = chunk_with(&client, &path, (from, chunk), &came);
        was_wrong |= answer.status == tus::CHECKSUM_MISMATCH;
        None
    });
}

/// A chunk from an offset on, with its checksum, as it came.
fn chunk_with(client: &Client, path: &str, (from, chunk): (usize, &[u8]), came: &[u8]) -> Answer {
    let sum = BASE64.encode(Digest::of(chunk).as_bytes());
    let sum = format!("Upload-Checksum: sha256 {sum}");
    client.send("PATCH", path, &[TUS, OCTETS, &format!("Upload-Offset: {from}"), &sum], came)
}

/// What lies in the drop zone and in the vault is not what was announced; the list is sent again. That time it is
/// something else that stands in the vault before it is fetched, and once more before it is opened.
pub(super) fn damaged(on: &mut Tended, name: &str, content: &[u8]) {
    on.rest("fetcher");
    let old = on.offer(name, content);
    on.reaches("agency", &old, &["Carried"]);
    let data = uploaded(&on.world);
    let whole = fs::read(&data).unwrap();
    // It is announced, and does not come to its end.
    fs::write(&data, &whole[..whole.len() / 2]).unwrap();
    on.wake("fetcher");
    on.reaches("municipality", &old, &["Announced"]);
    on.rest("fetcher");
    too_much(on, &old, whole.len());
    let mut other = whole;
    let middle = other.len() / 2;
    other[middle] ^= 1;
    fs::write(&data, &other).unwrap();
    on.restart("dropzone");
    in_vault(on, &old, "envelope.part", &other);
    on.wake("fetcher");
    for host in ["municipality", "agency"] {
        on.reaches(host, &old, &["Failed"]);
    }
    assert!(lines(&on.world, &old).is_empty(), "{old}: nobody has a share of what did not come");
    on.rest("fetcher");
    let before = known(on);
    let new = on.until("it to be sent again", |world| {
        let new = fresh(world, &before);
        if new.is_none() {
            let _ = world.cli("agency", &["redeliver", &old]);
        }
        new
    });
    in_vault(on, &new, "envelope.age", &other);
    on.wake("fetcher");
    released(on, &new);
    other_content(on, &new, name, content.len());
    opened_and_destroyed(on, &new, content);
}

/// The number of a transfer.
fn transfer(on: &mut Tended, code: &str) -> String {
    on.until("its number", |world| {
        let rows = rows(world, "agency")?;
        let row = rows.iter().find(|row| row["code"] == code)?;
        row["transfer"].as_str().map(str::to_owned)
    })
}

/// The bytes of the one upload in the drop zone.
fn uploaded(world: &World) -> PathBuf {
    let files = fs::read_dir(world.path("dropzone/medium/mechelen/files")).unwrap().flatten();
    let mut files: Vec<_> = files.map(|upload| upload.path().join("data")).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files.remove(0)
}

/// Puts a file into the folder that a transfer has in the vault.
fn in_vault(on: &mut Tended, code: &str, name: &str, bytes: &[u8]) {
    let short: String = transfer(on, code).chars().take(6).collect();
    let folder = on.world.path("municipality/vault/mechelen").join(format!("{code}-{short}"));
    fs::create_dir_all(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
    fs::write(folder.join(name), bytes).unwrap();
}

/// A gate brings more bytes than were announced.
fn too_much(on: &mut Tended, code: &str, size: usize) {
    let url = format!("http://core/envelope/{}", transfer(on, code));
    let socket = on.world.path("municipality/run/keeper-fetcher.sock");
    let ask = |method: &str, url: &str, body: &[u8]| {
        let mut curl = Command::new("curl");
        curl.args(["-sSi", "--max-time", "100", "-X", method, "-H", "Expect:", "--data-binary"]);
        answered(run(curl.args(["@-", "--unix-socket"]).arg(&socket).arg(url), body))
    };
    on.until("too much to be refused", |_| {
        let kept: Value = serde_json::from_slice(&ask("GET", &url, b"").body).ok()?;
        let from = format!("{url}?offset={}", kept["offset"].as_u64()?);
        let told = ask("PUT", &from, &vec![b'x'; size + 1]);
        told.text().contains("more bytes than were announced").then_some(())
    });
}

/// Whoever knows the key and can write in the vault puts other content there: it is sealed well, and is not opened.
fn other_content(on: &mut Tended, code: &str, name: &str, size: usize) {
    let typed: Vec<String> = lines(&on.world, code).into_values().collect();
    let read = |line: &String| share::read_line(line, &code.parse().unwrap(), &[]).unwrap();
    let key = share::combine(&typed.iter().take(2).map(read).collect::<Vec<_>>()).unwrap();
    let mut packer = Packer::new(key, Vec::new()).unwrap();
    packer.add(Path::new(name), size as u64, 0, &*vec![b'x'; size]).unwrap();
    let (other, _) = packer.finish().unwrap();
    let vault = on.world.vault(code);
    let envelope = vault.join("envelope.age");
    let kept = fs::read(&envelope).unwrap();
    assert_eq!(other.len(), kept.len());
    written_over(&envelope, &other);
    on.until("other content to be refused", |world| {
        let told = world.cli_with("municipality", &["open", code], &typed.join("\n"));
        assert!(!told.status.success(), "{code}: other content was opened");
        stderr(&told).starts_with("sluis[commitment]").then_some(())
    });
    assert!(!vault.join("opened").exists(), "{code}: other content stands in the vault");
    written_over(&envelope, &kept);
}

fn written_over(file: &Path, bytes: &[u8]) {
    let mut file = fs::OpenOptions::new().write(true).truncate(true).open(file).unwrap();
    file.write_all(bytes).unwrap();
}
