//! The drop zone: a tus 1.0.0 server and a mailbox.
