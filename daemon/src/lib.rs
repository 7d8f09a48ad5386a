//! `sluisd`: the roles of Sluis, each its own process.
//!
//! The modules are listed in reading order; each imports only from those above it. `agency` and `municipality` never name
//! each other; only `agency::release` calls a channel; only the cores open a store and sign.

pub mod role;
pub mod faults;
pub mod durable;
pub mod files;
pub mod accounts;
pub mod clock;
pub mod drain;
pub mod tls;
pub mod store;
pub mod error;
pub mod threads;
pub mod holders;
pub mod intact;
pub mod steady;
pub mod books;
pub mod gatehouse;
pub mod accept;
pub mod two_persons;
pub mod versions;
pub mod duties;
pub mod restore;
pub mod notices;
pub mod exercises;
pub mod health;
pub mod persons;
pub mod reminders;
pub mod way;
pub mod desk;
pub mod medium;
pub mod channel;
pub mod agency;
pub mod municipality;
pub mod notifier;
pub mod app;
pub mod telemetry;
