//! What is sealed: envelopes, letters, bundles. As bytes, and with the seal real, so that what is inside is reached.

/// Bytes as an envelope.
pub mod envelope {
    use sluis_core::envelope::{Packer, unpack};

    use crate::world::key;

    /// Nobody without the key makes one; whoever changes one is found out.
    #[must_use]
    pub fn take(bytes: &[u8]) -> bool {
        let mut read = 0;
        let opened = unpack(&key(), bytes, |_, content| {
            read += std::io::copy(content, &mut std::io::sink())?;
            Ok(())
        });
        assert!(read <= bytes.len() as u64);
        opened.is_ok()
    }

    /// A short one, and that without its end.
    #[must_use]
    pub fn seeds() -> Vec<Vec<u8>> {
        let mut packer = Packer::new(key(), Vec::new()).unwrap();
        packer.add("lijst.csv".as_ref(), 3, 0, &b"a;b"[..]).unwrap();
        let (whole, _) = packer.finish().unwrap();
        let cut = whole[..whole.len() - 9].to_vec();
        vec![whole, cut]
    }
}

/// Bytes as what an envelope holds: whoever has the key is not believed either.
pub mod payload {
    use std::path::Component;

    use sluis_core::envelope::{OpenError, is_plain_name, take_apart};
    use sluis_core::id::Digest;

    /// Plain files below the folder, no byte more than came, and the digest of exactly these bytes.
    #[must_use]
    pub fn take(bytes: &[u8]) -> bool {
        let mut read = 0;
        let opened = take_apart(bytes, |path, content| {
            let plain = |part| matches!(part, Component::Normal(name) if is_plain_name(name));
            assert!(path.is_relative() && path.components().all(plain), "{path:?}");
            assert!(path.components().next().is_some() && path.as_os_str().len() <= 8192);
            let mut held = Vec::new();
            content.read_to_end(&mut held)?;
            read += held.len();
            Ok(())
        });
        assert!(read <= bytes.len());
        match opened {
            Ok(digest) => {
                assert_eq!(digest, Digest::of(bytes));
                true
            }
            // There is no key here and no disk: neither may be blamed.
            Err(OpenError::WrongKey | OpenError::Io(_)) => panic!("{opened:?}"),
            Err(OpenError::Damaged(_) | OpenError::Forbidden(_)) => false,
        }
    }

    /// Two files, one with a long name; a link; a path that leads elsewhere.
    #[must_use]
    pub fn seeds() -> Vec<Vec<u8>> {
        let with = |kind, name: &[u8]| {
            let mut head = tar::Header::new_gnu();
            head.as_old_mut().name[..name.len()].copy_from_slice(name);
            head.set_entry_type(kind);
            head.set_size(0);
            head.set_cksum();
            let mut archive = tar::Builder::new(Vec::new());
            archive.append(&head, &b""[..]).unwrap();
            archive.into_inner().unwrap()
        };
        let mut archive = tar::Builder::new(Vec::new());
        for name in ["lijst.csv".to_owned(), format!("map/{}", "n".repeat(200))] {
            let mut head = tar::Header::new_gnu();
            head.set_size(3);
            archive.append_data(&mut head, name, &b"a;b"[..]).unwrap();
        }
        let good = archive.into_inner().unwrap();
        vec![good, with(tar::EntryType::Symlink, b"x"), with(tar::EntryType::Regular, b"../x")]
    }
}

/// A letter of the mailbox.
pub mod letter {
    use sluis_core::keyring::Identities;
    use sluis_core::mailbox::{open, seal};
    use sluis_core::statement::MAX_BYTES;

    use crate::world::{WORLD, identity};

    /// As the sealed letter, and as what somebody who knows the mailbox sealed to it.
    #[must_use]
    pub fn take(bytes: &[u8]) -> bool {
        let me = identity(9).to_public();
        let identities = Identities::from(identity(9));
        let raw = open(bytes, &identities);
        let letter = age::encrypt(&me, bytes).unwrap();
        let Ok(signed) = open(&letter, &identities) else { return raw.is_ok() };
        assert!(signed.statement.len() <= MAX_BYTES && signed.signature.len() <= 4096);
        let whole = [signed.statement.as_bytes(), b"\n", signed.signature.as_bytes()].concat();
        assert_eq!(whole, bytes);
        true
    }

    /// A letter, and what is in one.
    #[must_use]
    pub fn seeds() -> Vec<Vec<u8>> {
        let said = &WORLD.chain[0];
        let inside = [said.statement.as_bytes(), b"\n", said.signature.as_bytes()].concat();
        vec![seal(said, &identity(9).to_public().to_string()).unwrap(), inside]
    }
}

/// The bundle that the releaser opens.
pub mod bundle {
    use sluis_core::agreement::Side::Agency;
    use sluis_core::bundle::{Bundle, NAMESPACE};
    use sluis_core::keyring::Identities;
    use sluis_core::share;

    use crate::world::{WORLD, identity, signer};

    /// As the sealed bundle, and as text that the sealer signed and sealed.
    #[must_use]
    pub fn take(bytes: &[u8]) -> bool {
        let (me, sealer, world) = (identity(9).to_public(), signer(Agency), &*WORLD);
        let identities = Identities::from(identity(9));
        let public = sealer.public().unwrap();
        let open = |sealed: &[u8]| {
            Bundle::open(
                sealed,
                &identities,
                &public,
                world.transfer,
                world.terms.digest,
                &world.sent,
            )
        };
        let raw = open(bytes);
        let signature = sealer.sign(NAMESPACE, bytes).unwrap();
        let whole = [bytes, b"\n", signature.as_bytes()].concat();
        let sealed = age::encrypt(&me, &whole).unwrap();
        let Ok(bundle) = open(&sealed) else { return raw.is_ok() };
        is_as_sent(&bundle);
        true
    }

    /// Its shares are those of `sent`, each over the channel that stands there.
    pub(super) fn is_as_sent(bundle: &Bundle) {
        let world = &*WORLD;
        assert_eq!(bundle.items.len(), world.sent.routes.len());
        for (item, route) in bundle.items.iter().zip(&world.sent.routes) {
            assert_eq!((item.index, &item.channel), (route.index, &route.channel));
            let share = share::read_line(&item.line, &world.sent.code, &[]).unwrap();
            let commitment = share.commitment(&world.transfer, bundle.shares);
            assert_eq!(commitment, world.sent.commitments[usize::from(item.index) - 1]);
        }
    }

    /// A bundle, and what is in one.
    #[must_use]
    pub fn seeds() -> Vec<Vec<u8>> {
        let to = identity(9).to_public().to_string();
        let sealed = WORLD.bundle.seal(&signer(Agency), &to).unwrap();
        vec![sealed, serde_json::to_vec(&WORLD.bundle).unwrap()]
    }
}

/// The list of shares in a bundle whose other fields are right, as the releaser reads it.
pub mod items {
    use sluis_core::agreement::Side::Agency;
    use sluis_core::bundle::{Bundle, NAMESPACE};
    use sluis_core::keyring::Identities;

    use super::bundle::is_as_sent;
    use crate::world::{WORLD, identity, signer};

    const LIST: &str = "\"items\":";

    /// In the place of the list, signed by the sealer and sealed.
    #[must_use]
    pub fn take(bytes: &[u8]) -> bool {
        let (sealer, world) = (signer(Agency), &*WORLD);
        let Ok(list) = std::str::from_utf8(bytes) else { return false };
        let good = serde_json::to_string(&world.bundle).unwrap();
        let json = format!("{}{LIST}{list}}}", good.split(LIST).next().unwrap());
        let signature = sealer.sign(NAMESPACE, json.as_bytes()).unwrap();
        let sealed =
            age::encrypt(&identity(9).to_public(), format!("{json}\n{signature}").as_bytes());
        let opened = Bundle::open(
            &sealed.unwrap(),
            &Identities::from(identity(9)),
            &sealer.public().unwrap(),
            world.transfer,
            world.terms.digest,
            &world.sent,
        );
        opened.is_ok_and(|bundle| {
            is_as_sent(&bundle);
            true
        })
    }

    /// The right list, and others.
    #[must_use]
    pub fn seeds() -> Vec<Vec<u8>> {
        let list = serde_json::to_string(&WORLD.bundle.items).unwrap();
        let mut items: Vec<_> = WORLD.bundle.items.iter().rev().collect();
        let turned = serde_json::to_string(&items).unwrap();
        items.pop();
        crate::texts([list, turned, serde_json::to_string(&items).unwrap(), "[]".to_owned()])
    }
}
