//! The checksum of one chunk, computed while it passes.

use aws_lc_rs::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256};
use sluis_core::tus::Checksum;

/// An announced checksum and what was computed so far.
pub(super) struct Check {
    context: Context,
    announced: Vec<u8>,
}

impl Check {
    /// Nothing has passed yet.
    pub(super) fn new(announced: Checksum) -> Self {
        match announced {
            Checksum::Sha256(sum) => Self { context: Context::new(&SHA256), announced: sum },
            // tus asks for it of every server: it finds damage on the way and is no proof of anything.
            Checksum::Sha1(sum) => {
                Self { context: Context::new(&SHA1_FOR_LEGACY_USE_ONLY), announced: sum }
            }
        }
    }

    /// These bytes pass.
    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.context.update(bytes);
    }

    /// Whether all that passed is what was announced.
    pub(super) fn agrees(self) -> bool {
        self.context.finish().as_ref() == self.announced
    }
}
