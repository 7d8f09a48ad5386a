//! `sluisd`: the roles of Sluis, each its own process.
//!
//! In alphabetical order. `agency` and `municipality` never name each other; only `agency::release` calls a
//! channel; only the cores open a store and sign.

pub mod accept;
pub mod agency;
pub mod app;
pub mod books;
pub mod channel;
pub mod clock;
pub mod desk;
pub mod drain;
pub mod durable;
pub mod duties;
pub mod exercises;
pub mod faults;
pub mod files;
pub mod gatehouse;
pub mod health;
pub mod holders;
pub mod intact;
pub mod medium;
pub mod municipality;
pub mod notices;
pub mod notifier;
pub mod persons;
pub mod reminders;
pub mod restore;
pub mod steady;
pub mod store;
pub mod telemetry;
pub mod tls;
pub mod two_persons;
pub mod versions;
pub mod way;
