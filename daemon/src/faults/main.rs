//! `sluisd-faults`: the same doorbell, with the points of [`sluis_daemon::faults`]. For tests alone.

#[path = "../main.rs"]
mod product;

use std::process::ExitCode;

fn main() -> ExitCode {
    product::main()
}
