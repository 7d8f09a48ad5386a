//! How pages for people look, and the policy in each of them that lets nothing else in.

use data_encoding::BASE64;
use sluis_core::id::Digest;

/// Stands in the page itself.
pub(crate) const STYLE: &str = include_str!("../templates/page.css");

/// Names the digest of the style: no other one, no script, no request and no form works in the page.
pub(crate) fn policy() -> String {
    let digest = BASE64.encode(Digest::of(STYLE.as_bytes()).as_bytes());
    format!("default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'")
}
