//! What a role tells its operator: logs on standard error, never a secret, a name of a file, or a payload.

use std::panic::Location;
use std::path::Path;

use sluis_config::Config;
use sluis_config::schema::Level;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use crate::app::AppError;

/// Loads the configuration and starts the log as it says.
///
/// # Errors
/// [`AppError::Config`].
pub fn start(path: &Path) -> Result<Config, AppError> {
    let config = Config::load(path)?;
    let level = match config.log.level {
        Level::Error => LevelFilter::ERROR,
        Level::Warn => LevelFilter::WARN,
        Level::Info => LevelFilter::INFO,
        Level::Debug => LevelFilter::DEBUG,
        Level::Trace => LevelFilter::TRACE,
    };
    // Only our own words below `warn`: other crates may know headers and addresses.
    let filter = EnvFilter::new(format!("warn,sluis_daemon={level}"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false);
    if config.log.json {
        log.json().init();
    } else {
        log.init();
    }
    std::panic::set_hook(Box::new(|panic| fault_at(panic.location())));
    Ok(config)
}

/// A panic says where, and no more: what a library quotes in its message may be a list's.
fn fault_at(place: Option<&Location<'_>>) {
    let place = place.map(ToString::to_string);
    tracing::error!(place, "a fault of the program: please report where it was");
}

/// Says why a role does not start, on standard error.
#[expect(clippy::print_stderr, reason = "the log may not have begun")]
pub fn complain(error: &AppError) {
    eprintln!("sluisd: {error}");
}
