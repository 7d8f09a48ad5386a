//! `sluis init`: folders, keys and a configuration for one host. Nothing that is there is ever replaced.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use sluis_core::id::{Address, PartyId};
use sluis_core::words;

use crate::card::Role;
use crate::failure::{Failure, Result};
use crate::keys::Kind;

/// What a host is to be.
pub(crate) struct Order<'a> {
    pub(crate) role: Role,
    pub(crate) folder: &'a Path,
    pub(crate) id: &'a PartyId,
    pub(crate) name: &'a str,
    pub(crate) language: &'a str,
    /// Where a drop zone listens.
    pub(crate) listen: &'a Address,
}

/// Makes it.
pub(crate) fn make(order: &Order<'_>) -> Result<()> {
    let config = order.folder.join("sluis.toml");
    if config.exists() {
        return Err(Failure::coded(
            "exists",
            words!(
                "{} bestaat al: er werd niets veranderd",
                "{} is there already: nothing was changed",
                config.display()
            ),
        ));
    }
    // Others pass through to the sockets, whose own modes say who may use them; secrets stay shut.
    for folder in ["", "agreements", "run"] {
        folder_with(&order.folder.join(folder), 0o755)?;
    }
    folder_private(&order.folder.join("credentials"))?;
    let credentials = order.folder.join("credentials");
    let make = |kind: Kind| kind.make(order.id).and_then(|made| made.write(&credentials));
    make(Kind::Tls)?;
    let mut releaser = String::new();
    if order.role != Role::DropZone {
        make(Kind::Statement)?;
        make(Kind::Mailbox)?;
    }
    if order.role == Role::Agency {
        releaser = make(Kind::Bundle)?;
    }
    let text = match order.role {
        Role::Agency => AGENCY,
        Role::Municipality => MUNICIPALITY,
        Role::DropZone => DROPZONE,
    };
    let text = text
        .replace("{id}", order.id.as_str())
        .replace("{name}", &order.name.replace(['"', '\\', '\n'], " "))
        .replace("{language}", order.language)
        .replace("{owner}", &rustix::process::getuid().as_raw().to_string())
        .replace("{listen}", order.listen.as_str())
        .replace("{releaser}", &releaser);
    file(&config, text.as_bytes(), 0o644)
}

/// A new file with its mode from the first moment on.
pub(crate) fn file(path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    let made = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    made.and_then(|mut file| file.write_all(bytes)).map_err(Failure::io(path.display()))
}

/// A folder that only its owner reads.
pub(crate) fn folder_private(path: &Path) -> Result<()> {
    folder_with(path, 0o700)
}

pub(crate) fn folder_with(path: &Path, mode: u32) -> Result<()> {
    let made = std::fs::DirBuilder::new().recursive(true).mode(mode).create(path);
    made.map_err(Failure::io(path.display()))
}

const AGENCY: &str = r#"# Sluis at an agency. Made by `sluis init agency`; every key is explained in config/examples/.
[party]
id = "{id}"
name = "{name}"
language = "{language}"

# Who may do what (art. 6: separation of duties). LOOK AT EACH LINE: as long as it stands like this, only the user who made
# this host may do anything. Users by number or name, groups as "@name"; a duty that is left out is nobody's.
# docs/operations.md has the table, `sluis config check` looks whether each user and group is there.
[duties]
view = [{owner}]     # looks. For example: ["@dpo"]
submit = [{owner}]   # offers lists: ["export"]
approve = [{owner}]  # lets go what somebody else offered: ["@lijsten"]
operate = [{owner}]  # keeps transfers going: ["@sluis-beheer"]
speak = [{owner}]    # speaks for the agency: ["@dpo"]
clock = [{owner}]    # says that the clock is right, with a second one: ["@sluis-beheer"]
agree = [{owner}]    # lets a new version of an agreement count: ["@dpo"]

[sealer]
outbox = "outbox"
private = "private"
spool = "spool"
bundles = "bundles"
store = "state/agency.db"
# Whose files may leave: users by number or name, groups as "@name".
owners = [{owner}]
# The releaser's age recipient; its identity is the credential `bundle-identity`.
releaser = "{releaser}"

[carrier]

# One table for each channel that the agreements name, for example:
# [releaser.channels.sms-a]
# driver = "http"
# url = "https://provider.example/sms"
# ...
[releaser.channels]
"#;

const MUNICIPALITY: &str = r#"# Sluis at a municipality. Made by `sluis init municipality`; every key is explained in config/examples/.
[party]
id = "{id}"
name = "{name}"
language = "{language}"

# Who may do what (art. 6: separation of duties). LOOK AT EACH LINE: as long as it stands like this, only the user who made
# this host may do anything. Users by number or name, groups as "@name"; a duty that is left out is nobody's.
# docs/operations.md has the table, `sluis config check` looks whether each user and group is there.
[duties]
view = [{owner}]       # looks. For example: ["@dpo"]
operate = [{owner}]    # keeps transfers going: ["@integratie"]
speak = [{owner}]      # speaks for the municipality: ["@dpo"]
custodian = [{owner}]  # types share lines: ["@bewaarders"]
take = [{owner}]       # takes an opened list out of the vault: ["@integratie"]
destroy = [{owner}]    # destroys a list, with a second one: ["@dpo", "@integratie"]
clock = [{owner}]      # says that the clock is right, with a second one: ["@ict"]
agree = [{owner}]      # lets a new version of an agreement count: ["@dpo"]

[keeper]
vault = "vault"
store = "state/municipality.db"
# LOOK AT THIS: how many days backups of the vault are kept; 0 where there are none. When a list is destroyed, the signed word
# says until when they may still hold it (art. 3).
backups-keep-days = 30

[fetcher]
"#;

const DROPZONE: &str = r#"# A Sluis drop zone. Made by `sluis init dropzone`; every key is explained in config/examples/.
[party]
id = "{id}"
name = "{name}"
language = "{language}"

[dropzone]
listen = "{listen}"
folder = "medium"
"#;
