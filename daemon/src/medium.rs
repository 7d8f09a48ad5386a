//! The transport medium: the drop zone's server, and the client that carrier and fetcher share.

pub mod client;
pub mod poll;
pub mod server;
