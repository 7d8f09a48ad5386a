//! What a role tells its operator: logs on standard error, never a secret, a name of a file, or a payload.

use std::path::Path;

use sluis_config::{Config, ConfigError};
use sluis_core::words::Words;
use tracing_subscriber::EnvFilter;

use crate::app::AppError;

/// Loads the configuration and starts the log as it says.
///
/// # Errors
/// [`AppError::Config`].
pub fn start(path: &Path) -> Result<Config, AppError> {
    let config = Config::load(path)?;
    let level = &config.log.level;
    // Only our own words below `warn`: other crates may know headers and addresses.
    let filter = EnvFilter::try_new(format!("warn,sluis_daemon={level}"))
        .map_err(|e| ConfigError::Environment("log.level", Words::same(e)))?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false);
    if config.log.json {
        log.json().init();
    } else {
        log.init();
    }
    Ok(config)
}

/// Says why a role does not start, on standard error.
#[expect(clippy::print_stderr, reason = "the log may not have begun")]
pub fn complain(error: &AppError) {
    eprintln!("sluisd: {error}");
}
