//! What a transfer is, without any way to reach the outside.
//!
//! Decisions only: no sockets, no database, no asynchronous runtime, no clock of its own. The daemon
//! performs what is decided here; an auditor's verifier links nothing more than this crate.
//! The modules are listed in reading order; each imports only from those above it.

pub mod agreement;
pub mod article;
pub mod bundle;
pub mod content;
pub mod control;
pub mod crockford;
pub mod deadline;
pub mod duty;
pub mod envelope;
pub mod epoch;
pub mod evidence;
pub mod exercise;
pub mod export;
pub mod health;
pub mod id;
pub mod key;
pub mod keyring;
pub mod kinds;
pub mod ledger;
pub mod mailbox;
pub mod message;
pub mod notice;
pub mod old_number;
pub mod plan;
pub mod policy;
pub mod receipt;
pub mod reminder;
pub mod report;
pub mod retention;
pub mod share;
pub mod statement;
pub mod transfer;
pub mod tus;
pub mod words;
