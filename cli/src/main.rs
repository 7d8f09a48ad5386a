//! `sluis`: the doorbell.

mod agreement;
mod args;
mod card;
mod check;
mod deadlines;
mod demo;
mod dry_run;
mod evidence;
mod failure;
mod health;
mod help;
mod init;
mod keys;
mod language;
mod ledger;
mod look;
mod notices;
mod open;
mod output;
mod report;
mod restored;
mod retention;
mod second;
mod socket;
mod transfers;

use std::alloc::System;
use std::process::ExitCode;

use zeroizing_alloc::ZeroAlloc;

/// Wipes whatever is given back: share lines pass through buffers of libraries too.
#[global_allocator]
static MEMORY: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> ExitCode {
    // Before anything is read: share lines and passphrases are typed here.
    let begun = sluis_config::credentials::no_dump().map_err(failure::Failure::io("prctl"));
    let arguments = help::parse();
    let (lang, json) = (arguments.language(), arguments.json);
    let ended = begun.and_then(|()| args::run(arguments));
    ended.map_or_else(|failure| failure.tell(lang, json), |()| ExitCode::SUCCESS)
}
