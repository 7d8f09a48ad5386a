//! `sluis evidence export` and `sluis evidence verify`: the second needs no daemon and no network.

mod verify;
mod whole;

use std::path::Path;

use sluis_config::agreements;
use sluis_core::agreement::Side;
use sluis_core::control::{ByCode, Evidence};
use sluis_core::evidence::Terms;
use sluis_core::id::TransferCode;
use sluis_core::ledger;
use sluis_core::statement::{self, Signed, Statement};
use sluis_core::words;

pub(crate) use verify::verify;
pub(crate) use whole::{export as export_whole, last_numbers};

use crate::failure::{Failure, Result};
use crate::init::file;
use crate::output;
use crate::socket::Socket;

/// `sluis evidence export CODE --to DIR`
pub(crate) fn export(socket: &Socket, code: TransferCode, to: &Path, json: bool) -> Result<()> {
    let evidence: Evidence = socket.post("evidence", &ByCode { code })?;
    let names = write(&evidence, to)?;
    if json {
        return output::json(&serde_json::json!({ "folder": to, "statements": names }));
    }
    output::line(format!("{} statements in {}", names.len(), to.display()))?;
    output::line(format!("  sluis evidence verify {} --trust FILE", to.display()))
}

/// Writes evidence as files: one pair a statement, the agreement, the signers, the head.
pub(crate) fn write(evidence: &Evidence, to: &Path) -> Result<Vec<String>> {
    folder(to)?;
    let mut names = Vec::new();
    for (place, signed) in evidence.statements.iter().enumerate() {
        let read = Statement::read(signed.statement.as_bytes());
        let read = read.map_err(|e| {
            Failure::refused(words!(
                "de kern gaf iets dat geen verklaring is: {e}",
                "the core gave something that is no statement: {e}"
            ))
        })?;
        let name = name(place, 2, &read);
        pair(&to.join(&name), signed)?;
        names.push(name);
    }
    pair(&to.join("ledger/head"), &evidence.head)?;
    file(&to.join("agreement.toml"), evidence.agreement.as_bytes(), 0o644)?;
    // A later version tells which key signed which number since.
    let (newest, _) = agreements::parse(Path::new("agreement.toml"), &evidence.keys)?;
    if evidence.keys != evidence.agreement {
        let name = whole::file_of(&newest.digest);
        file(&to.join(name), evidence.keys.as_bytes(), 0o644)?;
    }
    file(&to.join("allowed_signers"), signers(&newest).as_bytes(), 0o644)?;
    Ok(names)
}

/// The folder that evidence goes into: new, or empty.
fn folder(to: &Path) -> Result<()> {
    std::fs::create_dir_all(to.join("ledger")).map_err(Failure::io(to.display()))?;
    if std::fs::read_dir(to).map_err(Failure::io(to.display()))?.count() > 1 {
        return Err(Failure::refused(words!(
            "{} is niet leeg: bewijs komt in een eigen map",
            "{} is not empty: evidence goes into a folder of its own",
            to.display()
        )));
    }
    Ok(())
}

/// What a statement's file is called: its place in the folder, in so many digits, whose it is, its number, its kind.
fn name(place: usize, digits: usize, statement: &Statement) -> String {
    let (header, kind) = (&statement.header, statement.body.kind());
    format!("{:0digits$}-{}-{:04}-{kind}.json", place + 1, header.issuer, header.number)
}

fn pair(path: &Path, signed: &Signed) -> Result<()> {
    file(path, signed.statement.as_bytes(), 0o644)?;
    let mut signature = path.as_os_str().to_owned();
    signature.push(".sig");
    file(Path::new(&signature), signed.signature.as_bytes(), 0o644)
}

/// Both parties' keys in the form of `ssh-keygen -Y verify -f`, those before them too.
pub(crate) fn signers(terms: &Terms) -> String {
    let agreement = &terms.agreement;
    let line = |side, key: &str| {
        format!(
            "{} namespaces=\"{},{}\" {}\n",
            agreement.party(side).id,
            statement::NAMESPACE,
            ledger::NAMESPACE,
            key.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
        )
    };
    let all = [Side::Agency, Side::Municipality]
        .into_iter()
        .flat_map(|side| agreement.party_keys(side).history().map(move |(_, key)| line(side, key)));
    all.collect()
}
