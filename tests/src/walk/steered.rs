//! Steps that a journey passes only where something failed before, with the faults that lead there for certain.
//!
//! A step is `FILE FUNCTION `TEXT` DOES`: below `daemon/src`, what stands in its line, and what is done there.

use super::Journey::{self, Again, Approved, Checked, Straight};

/// Where faults lead for certain, each at the first passing of its step.
#[derive(Debug)]
pub struct Steered {
    /// On which journey.
    pub journey: Journey,
    /// In which role.
    pub role: &'static str,
    /// What comes, and at which step.
    pub by: &'static [(&'static str, &'static str)],
    /// Steps that are passed then.
    pub to: &'static [&'static str],
}

/// That a line undoes what it began where a later step of it fails is a rule, and not in this list.
pub const STEERED: [Steered; 28] = [
    // What says that a share was let go is not on the disk for certain: the share does not leave, and nothing says so.
    Steered {
        journey: Straight,
        role: "sealer",
        by: &[("EIO", "agency/let_go.rs keep_let_go `files::write_durable(` sync folder")],
        to: &[
            "agency/let_go.rs not_let_go `files::remove(&folder` remove",
            "agency/let_go.rs not_let_go `files::sync_folder(&folder)` sync folder",
        ],
    },
    // A kill while the envelope is written: half of it goes at the next start. An error: it goes at once, and sealing is
    // tried again.
    Steered {
        journey: Straight,
        role: "sealer",
        by: &[("kill", SEALED)],
        to: &[
            "agency/claim.rs put_in_order `files::erase(&half)` cut",
            "agency/claim.rs put_in_order `files::erase(&half)` sync",
            "agency/claim.rs put_in_order `files::erase(&half)` remove",
            "agency/claim.rs put_in_order `files::erase(&half)` sync folder",
        ],
    },
    Steered {
        journey: Straight,
        role: "sealer",
        by: &[("EIO", SEALED)],
        to: &[
            "agency/seal.rs write_envelope `files::remove(&part)` remove",
            "agency/sealer.rs put_off `self.books.commit(tx)` commit",
            "agency/sealer.rs put_off `self.books.commit(tx)` committed",
        ],
    },
    // A kill while a redelivery takes the plaintext over: it is the old transfer's again.
    Steered {
        journey: Again,
        role: "sealer",
        by: &[("kill", "agency/claim.rs take_over `files::sync_folder(new)` sync folder")],
        to: &[
            "agency/claim.rs given_back `durable::rename(` rename",
            "agency/claim.rs given_back `files::sync_folder(&old)` sync folder",
            "agency/claim.rs given_back `files::erase(private)` cut",
            "agency/claim.rs given_back `files::erase(private)` sync",
            "agency/claim.rs given_back `files::erase(private)` remove all",
            "agency/claim.rs given_back `files::erase(private)` sync folder",
        ],
    },
    // A kill while the name of a drop is kept: what was made for it goes.
    Steered {
        journey: Straight,
        role: "sealer",
        by: &[("kill", "agency/claim.rs take `&private.join(NAME)` rename")],
        to: &["agency/claim.rs cleared `with_extension(\"part\")` remove"],
    },
    Steered {
        journey: Straight,
        role: "sealer",
        by: &[("EIO", STATUS)],
        to: &["agency/status.rs write `files::remove(&part)` remove"],
    },
    Steered {
        journey: Straight,
        role: "sealer",
        by: &[("kill", STATUS)],
        to: &["agency/status.rs clear `durable::remove_file(` remove"],
    },
    // What smsd did not get to see is laid ready again.
    Steered {
        journey: Approved,
        role: "releaser",
        by: &[("EIO", LAID)],
        to: &["channel/smsd.rs send `files::remove(&part)` remove"],
    },
    Steered {
        journey: Approved,
        role: "releaser",
        by: &[("EIO", LAID), ("EIO", "channel/smsd.rs send `files::remove(&part)` remove")],
        to: &["channel/smsd.rs write `files::remove(path)` remove"],
    },
    // What a kill left half laid ready goes at the next start.
    Steered {
        journey: Approved,
        role: "releaser",
        by: &[("kill", LAID)],
        to: &[
            "channel/smsd.rs new `files::erase(&half)` cut",
            "channel/smsd.rs new `files::erase(&half)` sync",
            "channel/smsd.rs new `files::erase(&half)` remove",
            "channel/smsd.rs new `files::erase(&half)` sync folder",
        ],
    },
    // What a kill left half made in the drop zone goes at the next start: a letter, an upload, a note that one is gone, and
    // an upload that was to go.
    Steered {
        journey: Straight,
        role: "dropzone",
        by: &[("kill", "medium/server/mailbox.rs put `&file_name(number), letter` rename")],
        to: &["medium/server/mailbox.rs open `disk::names(folder)` remove"],
    },
    Steered {
        journey: Straight,
        role: "dropzone",
        by: &[("kill", UPLOAD_NAMED)],
        to: &["medium/server/zone.rs open `disk::names(&files)` remove all"],
    },
    Steered {
        journey: Straight,
        role: "dropzone",
        by: &[("kill", "medium/server/zone.rs remove `disk::put(&self.gone` rename")],
        to: &["medium/server/zone.rs open `disk::names(&gone)` remove"],
    },
    Steered {
        journey: Straight,
        role: "dropzone",
        by: &[("kill", "medium/server/upload.rs erase `disk::remove_folder(` rename")],
        to: &[
            "medium/server/zone.rs open `disk::remove_folder(` rename",
            "medium/server/zone.rs open `disk::remove_folder(` remove all",
            "medium/server/zone.rs open `disk::remove_folder(` sync folder",
        ],
    },
    Steered {
        journey: Straight,
        role: "dropzone",
        by: &[("EIO", UPLOAD_NAMED)],
        to: &[
            "medium/server/upload.rs create `disk::remove_folder(` rename",
            "medium/server/upload.rs create `disk::remove_folder(` remove all",
            "medium/server/upload.rs create `disk::remove_folder(` sync folder",
        ],
    },
    // Bytes that the disk did not take count nowhere.
    Steered {
        journey: Straight,
        role: "dropzone",
        by: &[("kill", "medium/server/upload.rs settle `data.sync()` sync")],
        to: &["medium/server/upload.rs load `data.sync()?` sync"],
    },
    Steered {
        journey: Straight,
        role: "dropzone",
        by: &[("EIO", "medium/server/upload.rs settle `data.sync()` sync")],
        to: &["medium/server/upload.rs settle `let _ = data.cut(` cut"],
    },
    // A kill while a chunk with a checksum is taken: what it brought goes at the next start, and so does what was to note it.
    Steered {
        journey: Checked,
        role: "dropzone",
        by: &[("kill", "medium/server/upload.rs settle `data.sync()` sync")],
        to: &[
            "medium/server/upload.rs load `data.cut(verified)` cut",
            "medium/server/upload.rs load `disk::remove(` remove",
            "medium/server/upload.rs load `durable::sync_folder(&folder)` sync folder",
        ],
    },
    Steered {
        journey: Checked,
        role: "dropzone",
        by: &[("kill", "medium/server/upload.rs open_to_write `VERIFIED` rename")],
        to: &["medium/server/upload.rs load `disk::names(&folder)` remove"],
    },
    Steered {
        journey: Straight,
        role: "keeper",
        by: &[("EIO", "municipality/collect.rs named `files::sync_folder(` sync folder")],
        to: &["municipality/collect.rs named `files::remove(&self.whole)` remove"],
    },
    // An opening that failed, or was killed: at its beginning, in the middle, at its end, and when it was to be entered.
    Steered {
        journey: Straight,
        role: "keeper",
        by: &[("EIO", "municipality/open.rs make_folder `durable::mode(` mode")],
        to: &["municipality/open.rs open_into `files::remove(&apart)?` remove all"],
    },
    Steered {
        journey: Straight,
        role: "keeper",
        by: &[("EIO", "municipality/open.rs place `file.sync()` sync")],
        to: &["municipality/open.rs open_into `let _ = files::remove(&apart)` remove all"],
    },
    Steered { journey: Straight, role: "keeper", by: &[("EIO", OPENED)], to: &[HALF_OPENED] },
    Steered {
        journey: Straight,
        role: "keeper",
        by: &[("kill", OPENED)],
        to: &["municipality/open.rs put_in_order `files::remove(&half)` remove all"],
    },
    Steered {
        journey: Straight,
        role: "keeper",
        by: &[
            ("EIO", "municipality/open.rs publish `durable::mode(folder` mode"),
            ("EIO", HALF_OPENED),
        ],
        to: &["municipality/open.rs publish `files::remove(opened)` remove all"],
    },
    Steered { journey: Straight, role: "keeper", by: &[("kill", OPEN_ENTERED)], to: &[ASIDE_GOES] },
    // A kill before an envelope is discarded: it goes at the next start.
    Steered {
        journey: Again,
        role: "keeper",
        by: &[("kill", "municipality/keeper.rs discard `files::erase(&folder)` remove all")],
        to: &["municipality/open.rs put_in_order `files::remove(&folder)` remove all"],
    },
    Steered {
        journey: Straight,
        role: "keeper",
        by: &[("kill", OPEN_ENTERED), ("kill", ASIDE_GOES)],
        to: &["municipality/restore.rs put_aside `files::remove(&aside)` remove all"],
    },
];

/// The envelope is written, and not durable yet.
pub const SEALED: &str = "agency/seal.rs write_envelope `file.sync()` sync";
/// The drop zone looks at its clock, before what is old goes.
pub const LOOKED: &str = "medium/server/clock.rs keep `disk::put(` rename";
const STATUS: &str = "agency/status.rs write `durable::rename(&part, path)` rename";
const LAID: &str = "channel/smsd.rs send `durable::rename(&part, &file)` rename";
const UPLOAD_NAMED: &str = "medium/server/upload.rs create `durable::rename(&temporary` rename";
const OPENED: &str = "municipality/open.rs publish `durable::rename(` rename";
const HALF_OPENED: &str = "municipality/open.rs not_entered `files::remove(half)` remove all";
const OPEN_ENTERED: &str = "municipality/open.rs enter_opened `self.books.commit(tx)` commit";
const ASIDE_GOES: &str = "municipality/restore.rs clear_aside `files::remove(` remove all";
