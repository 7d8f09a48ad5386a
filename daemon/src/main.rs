//! `sluisd ROLE --config FILE`: the doorbell.

use std::alloc::System;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use sluis_config::credentials;
use sluis_daemon::app::AppError;
use sluis_daemon::role::Role;
use sluis_daemon::{app, telemetry};
use zeroizing_alloc::ZeroAlloc;

/// Wipes whatever is given back, also what libraries had of a secret in buffers of their own.
#[global_allocator]
static MEMORY: ZeroAlloc<System> = ZeroAlloc(System);

/// One role of Sluis. Each role is its own process, unit and user.
#[derive(Parser)]
#[command(name = "sluisd", version, about)]
#[command(after_help = "Example:\n  sluisd sealer --config /etc/sluis/sluis.toml")]
struct Arguments {
    /// Which role.
    role: Role,
    /// Its configuration.
    #[arg(long, default_value = "/etc/sluis/sluis.toml")]
    config: PathBuf,
}

pub(crate) fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let begun = credentials::no_dump()
        .map_err(AppError::io("forbidding a dump of this process"))
        .and_then(|()| telemetry::start(&arguments.config));
    let ended =
        begun.and_then(|config| app::until_signal(arguments.role, &arguments.config, config));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            telemetry::complain(&error);
            // sysexits.h: EX_CONFIG and EX_SOFTWARE.
            ExitCode::from(if matches!(error, AppError::Config(_)) { 78 } else { 70 })
        }
    }
}
