//! The exposures of a world of real programs: what its ledger says, and what lies in the folders that stand for telephones.

use std::collections::BTreeMap;
use std::fs;

pub use sluis_sim::exposures::{Exposures, Share, exposures, read, share, twice};

use crate::World;

/// What the agency's ledger says now.
#[must_use]
pub fn of_agency(world: &World) -> BTreeMap<Share, Exposures> {
    let lines = crate::stdout(&world.cli("agency", &["ledger", "export"]));
    exposures(&read(&lines.lines().map(str::to_owned).collect::<Vec<_>>()))
}

/// How often each share lies in the folders that stand for telephones.
#[must_use]
pub fn in_folders(world: &World) -> BTreeMap<Share, usize> {
    let mut names = Vec::new();
    for phone in fs::read_dir(world.path("phones")).into_iter().flatten().flatten() {
        let messages = fs::read_dir(phone.path()).unwrap().flatten();
        names.extend(messages.map(|message| message.file_name().into_string().unwrap()));
    }
    by_names(names.iter().map(String::as_str))
}

/// The same, by the names of the files.
#[must_use]
pub fn by_names<'a>(names: impl Iterator<Item = &'a str>) -> BTreeMap<Share, usize> {
    let mut found = BTreeMap::new();
    for name in names.filter_map(|name| name.strip_suffix(".txt")) {
        // `TRANSFER-SHARE`, or `TRANSFER-SHARE-TIME` of one that came again.
        let name: Vec<&str> = name.split('-').take(2).collect();
        *found.entry(share(&name.join("-"))).or_default() += 1;
    }
    found
}
