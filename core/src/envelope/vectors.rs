//! Project Wycheproof's vectors. Of 325 for ChaCha20-Poly1305, 316 go through the function that seals a chunk; the other
//! nine have a nonce that its type does not take. HKDF and HMAC are those of the crates that an envelope's header is made
//! with, and XChaCha20-Poly1305, which no envelope has, that of the crate alone.
//!
//! Opening is the `age` crate's, which hands nobody its cipher: there the vectors go to the crate
//! `chacha20poly1305` itself, in the one generation that `age` links too.

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use wycheproof::TestResult::Valid;
use wycheproof::{aead, hkdf as kdf, mac};

use super::*;

/// The tests of a set, each once.
fn tests(name: aead::TestName) -> Vec<aead::Test> {
    let set = aead::TestSet::load(name).unwrap();
    set.test_groups.into_iter().flat_map(|group| group.tests).collect()
}

#[test]
fn every_chacha20_poly1305_vector_holds_for_a_chunk() {
    let (mut sealed, mut forged, mut other) = (0, 0, 0);
    for test in tests(aead::TestName::ChaCha20Poly1305) {
        let aead = ChaCha20Poly1305::new(Key::from_slice(&test.key));
        let Ok(nonce) = <[u8; 12]>::try_from(&test.nonce[..]) else {
            // A nonce of any other length does not fit the type that a chunk is sealed with.
            assert_ne!(test.result, Valid, "{}", test.tc_id);
            other += 1;
            continue;
        };
        let whole = [&test.ct[..], &test.tag[..]].concat();
        let mut chunk = test.pt.to_vec();
        encrypt(&aead, nonce, &test.aad, &mut chunk).unwrap();
        let opened = aead.decrypt(&nonce.into(), Payload { msg: &whole, aad: &test.aad });
        if test.result == Valid {
            assert_eq!(chunk, whole, "{}", test.tc_id);
            assert_eq!(opened.unwrap(), test.pt.to_vec(), "{}", test.tc_id);
            sealed += 1;
        } else {
            assert_ne!(chunk, whole, "{}", test.tc_id);
            assert!(opened.is_err(), "{}", test.tc_id);
            forged += 1;
        }
    }
    assert_eq!((sealed, forged, other), (256, 60, 9), "325 vectors");
}

/// No envelope has a nonce of 24 bytes: these hold the crate alone.
#[test]
fn every_xchacha20_poly1305_vector_holds_in_the_crate() {
    let (mut sealed, mut forged, mut other) = (0, 0, 0);
    for test in tests(aead::TestName::XChaCha20Poly1305) {
        let aead = XChaCha20Poly1305::new(Key::from_slice(&test.key));
        if test.nonce.len() != 24 {
            assert_ne!(test.result, Valid, "{}", test.tc_id);
            other += 1;
            continue;
        }
        let nonce = XNonce::from_slice(&test.nonce);
        let whole = [&test.ct[..], &test.tag[..]].concat();
        let made = aead.encrypt(nonce, Payload { msg: &test.pt, aad: &test.aad }).unwrap();
        let opened = aead.decrypt(nonce, Payload { msg: &whole, aad: &test.aad });
        if test.result == Valid {
            assert_eq!(made, whole, "{}", test.tc_id);
            assert_eq!(opened.unwrap(), test.pt.to_vec(), "{}", test.tc_id);
            sealed += 1;
        } else {
            assert!(made != whole && opened.is_err(), "{}", test.tc_id);
            forged += 1;
        }
    }
    assert_eq!((sealed, forged, other), (246, 60, 9), "315 vectors");
}

/// `age-core` derives 32 bytes; what is longer begins with the same.
#[test]
fn every_hkdf_vector_holds_for_the_keys_of_an_envelope() {
    let mut held = 0;
    for group in kdf::TestSet::load(kdf::TestName::HkdfSha256).unwrap().test_groups {
        for test in group.tests.iter().filter(|test| test.result == Valid) {
            let first = test.size.min(32);
            let derived = hkdf(&test.salt, &test.info, &test.ikm);
            assert_eq!(derived[..first], test.okm[..first], "{}", test.tc_id);
            held += 1;
        }
    }
    assert_eq!(held, 83, "of 86; the other three ask for more than HKDF can give");
}

#[test]
fn every_hmac_vector_holds_for_the_header() {
    let (mut good, mut forged) = (0, 0);
    for group in mac::TestSet::load(mac::TestName::HmacSha256).unwrap().test_groups {
        for test in group.tests {
            let mut mac = <hmac::Hmac<Sha256> as Mac>::new_from_slice(&test.key).unwrap();
            mac.update(&test.msg);
            let same = mac.finalize().into_bytes()[..group.tag_size / 8] == test.tag[..];
            assert_eq!(same, test.result == Valid, "{}", test.tc_id);
            *(if same { &mut good } else { &mut forged }) += 1;
        }
    }
    assert_eq!((good, forged), (66, 108), "174 vectors");
}
