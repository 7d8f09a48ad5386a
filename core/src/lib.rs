//! What a transfer is, without any way to reach the outside.
//!
//! Decisions only: no sockets, no database, no asynchronous runtime, no clock of its own. The daemon
//! performs what is decided here; an auditor's verifier links nothing more than this crate.
//! The modules are listed in reading order; each imports only from those above it.

pub mod words;
pub mod crockford;
pub mod id;
pub mod article;
pub mod key;
pub mod agreement;
pub mod share;
pub mod plan;
pub mod deadline;
pub mod content;
pub mod notice;
pub mod statement;
pub mod policy;
pub mod keyring;
pub mod envelope;
pub mod bundle;
pub mod evidence;
pub mod transfer;
pub mod receipt;
pub mod epoch;
pub mod kinds;
pub mod ledger;
pub mod export;
pub mod exercise;
pub mod retention;
pub mod report;
pub mod message;
pub mod old_number;
pub mod mailbox;
pub mod tus;
pub mod waiting;
pub mod reminder;
pub mod health;
pub mod control;
pub mod duty;
