//! `sluis.toml` and `agreements/*.toml`: schema, loading, secrets, and the annotated examples.
//!
//! Each file is first parsed strictly, so that an operator sees file, line, column and a caret; only then an
//! allow-list of scalars from the environment is laid over it. Custodians, keys and endpoints never are.

pub mod agreements;
pub mod credentials;
pub mod schema;
pub mod strict;

pub use agreements::{Agreements, Installed};
pub use schema::Config;
pub use strict::ConfigError;
