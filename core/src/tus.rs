//! tus 1.0.0: header names, values and the rules about offsets, without a socket.
//!
//! Source: the tus resumable upload protocol 1.0.0, core and the extensions creation, creation-with-upload,
//! checksum, expiration and termination.

use data_encoding::BASE64;

use crate::id::TransferId;

/// The one version that is spoken.
pub const VERSION: &str = "1.0.0";
/// What `OPTIONS` tells.
pub const EXTENSIONS: &str = "creation,creation-with-upload,checksum,expiration,termination";
/// Checksums that are computed.
pub const ALGORITHMS: &str = "sha256,sha1";
/// Content type of a PATCH.
pub const CONTENT_TYPE: &str = "application/offset+octet-stream";
/// Status of a checksum that does not agree.
pub const CHECKSUM_MISMATCH: u16 = 460;
/// The metadata key under which the carrier names the transfer.
pub const TRANSFER: &str = "transfer";
/// The longest `Upload-Metadata` that is read.
const MAX_METADATA: usize = 4096;

/// A header that tus does not allow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{header}: {why}")]
pub struct BadHeader {
    /// Which header.
    pub header: &'static str,
    /// What is wrong with it.
    pub why: &'static str,
}

/// A non-negative whole number, as in `Upload-Length` and `Upload-Offset`.
///
/// # Errors
/// [`BadHeader`]: a sign, a space, a leading plus, or more than 2^53.
pub fn number(header: &'static str, value: &str) -> Result<u64, BadHeader> {
    let digits =
        !value.is_empty() && value.len() <= 16 && value.bytes().all(|b| b.is_ascii_digit());
    digits
        .then(|| value.parse().ok())
        .flatten()
        .filter(|number| *number <= 1 << 53)
        .ok_or(BadHeader { header, why: "not a whole number from 0" })
}

/// `Upload-Metadata`: comma-separated pairs of a key and, after a space, a base64 value.
///
/// # Errors
/// [`BadHeader`].
pub fn metadata(value: &str) -> Result<Vec<(String, Vec<u8>)>, BadHeader> {
    let bad = |why| BadHeader { header: "Upload-Metadata", why };
    if value.len() > MAX_METADATA {
        return Err(bad("too long"));
    }
    let mut pairs: Vec<(String, Vec<u8>)> = Vec::new();
    for pair in value.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (key, encoded) = pair.split_once(' ').unwrap_or((pair, ""));
        let decoded =
            BASE64.decode(encoded.as_bytes()).map_err(|_| bad("a value is not base64"))?;
        if pairs.iter().any(|(known, _)| known == key) {
            return Err(bad("a key stands twice"));
        }
        pairs.push((key.to_owned(), decoded));
    }
    Ok(pairs)
}

/// The transfer that metadata names, if it does.
#[must_use]
pub fn named_transfer(pairs: &[(String, Vec<u8>)]) -> Option<TransferId> {
    let (_, value) = pairs.iter().find(|(key, _)| key == TRANSFER)?;
    std::str::from_utf8(value).ok()?.parse().ok()
}

/// `Upload-Metadata` that names a transfer.
#[must_use]
pub fn naming(transfer: &TransferId) -> String {
    format!("{TRANSFER} {}", BASE64.encode(transfer.to_string().as_bytes()))
}

/// Which checksum, and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checksum {
    /// 32 bytes.
    Sha256(Vec<u8>),
    /// 20 bytes; the one every tus server must know.
    Sha1(Vec<u8>),
}

/// `Upload-Checksum`: an algorithm, a space, a base64 value.
///
/// # Errors
/// [`BadHeader`]; tus answers 400.
pub fn checksum(value: &str) -> Result<Checksum, BadHeader> {
    let bad = |why| BadHeader { header: "Upload-Checksum", why };
    let (algorithm, encoded) = value.split_once(' ').ok_or(bad("no algorithm"))?;
    let sum = BASE64.decode(encoded.as_bytes()).map_err(|_| bad("not base64"))?;
    match (algorithm, sum.len()) {
        ("sha256", 32) => Ok(Checksum::Sha256(sum)),
        ("sha1", 20) => Ok(Checksum::Sha1(sum)),
        ("sha256" | "sha1", _) => Err(bad("wrong length")),
        _ => Err(bad("an algorithm that is not offered")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_plain() {
        assert_eq!(number("Upload-Offset", "42"), Ok(42));
        for bad in ["", "-1", "+1", " 1", "1e3", "0x10", "99999999999999999999", "9999999999999999"]
        {
            assert!(number("Upload-Offset", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_transfer_is_named_and_found() {
        let id = TransferId::random();
        assert_eq!(named_transfer(&metadata(&naming(&id)).unwrap()), Some(id));
        assert_eq!(named_transfer(&metadata("transfer Li4vLi4v").unwrap()), None);
        assert!(metadata("a b").is_err() && metadata("a AA==,a AA==").is_err());
    }

    #[test]
    fn checksums_have_their_length() {
        assert!(matches!(checksum("sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0="), Ok(Checksum::Sha1(_))));
        assert!(checksum("md5 Kq5sNclPz7QV2+lfQIuc6R7oRu0=").is_err());
        assert!(checksum("sha256 Kq5sNclPz7QV2+lfQIuc6R7oRu0=").is_err());
    }

    proptest! {
        #[test]
        fn no_header_panics(value in ".{0,200}") {
            let _ = (number("x", &value), metadata(&value), checksum(&value));
        }
    }
}
