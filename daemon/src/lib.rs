//! `sluisd`: the six roles of Sluis, each its own process.
//!
//! In reading order. `agency` and `municipality` never name each other; only `agency::release` calls a
//! channel; only the cores open a store and sign.

pub mod clock;
pub mod files;
pub mod store;
pub mod books;
pub mod gatehouse;
pub mod persons;
pub mod tls;
pub mod desk;
pub mod medium;
pub mod channel;
pub mod agency;
pub mod municipality;
pub mod app;
pub mod telemetry;
