//! `sluisd`: the six roles of Sluis, each its own process.

pub mod clock;
pub mod medium;
