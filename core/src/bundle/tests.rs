//! A bundle opens for the releaser, from the sealer, with the `sent` it was made for, and in no other way.

use age::x25519::Identity;
use secrecy::ExposeSecret;

use super::*;
use crate::agreement::Side::{Agency, Municipality};
use crate::evidence::tests::{World, signer};

const NUMBER: &str = "+32470123456";

fn bundle(world: &World) -> Bundle {
    let Sent { code, ciphertext, size, plaintext, threshold, .. } = world.sent;
    let pairs = world.sent.routes.iter().zip(&world.shares).zip(&world.sent.commitments);
    let item =
        |((route, share), commitment): ((&crate::plan::Route, &share::Share), &Digest)| Item {
            index: route.index,
            custodian: route.custodian.clone(),
            number: NUMBER.into(),
            language: Language::Nl,
            channel: route.channel.clone(),
            line: share.line(&code).to_string(),
            commitment: *commitment,
        };
    Bundle {
        transfer: world.transfer,
        code,
        terms: world.terms.digest,
        ciphertext,
        size,
        plaintext,
        threshold,
        shares: 3,
        items: pairs.map(item).collect(),
    }
}

fn seal(bundle: &Bundle, signer: &Signer, to: &Identity) -> Vec<u8> {
    bundle.seal(signer, &to.to_public().to_string()).unwrap()
}

fn open(sealed: &[u8], identity: &Identity, world: &World) -> Result<Bundle, BundleError> {
    let sealer = signer(Agency).public().unwrap();
    // A key file written and read again: identities are not copied.
    let text = identity.to_string();
    let identities = Identities::read(text.expose_secret()).unwrap();
    Bundle::open(sealed, &identities, &sealer, world.transfer, world.terms.digest, &world.sent)
}

#[test]
fn it_opens_for_the_releaser_and_says_nothing_aloud() {
    let (world, releaser) = (World::new(2, 3), Identity::generate());
    let opened = open(&seal(&bundle(&world), &signer(Agency), &releaser), &releaser, &world);
    let opened = opened.unwrap();
    let aloud = format!("{opened:?} {:?}", opened.items[0]);
    for item in &opened.items {
        assert_eq!(item.number, NUMBER);
        let groups = item.line.split('-').filter(|group| group.len() == 4);
        let leaks = groups.filter(|group| aloud.contains(*group)).count();
        assert!(leaks < 2 && !aloud.contains(&NUMBER[1..]), "{aloud}");
    }
}

#[test]
fn nobody_else_opens_it_and_nobody_else_seals_it() {
    let (world, releaser) = (World::new(2, 3), Identity::generate());
    let good = bundle(&world);
    let sealed = seal(&good, &signer(Agency), &releaser);
    let mut damaged = sealed.clone();
    *damaged.last_mut().unwrap() ^= 1;
    let mut large = bundle(&world);
    large.items[0].number = "1".repeat(MAX_BYTES);
    let unsigned = age::encrypt(&releaser.to_public(), b"{}").unwrap();
    let shut = |e: &BundleError| matches!(e, BundleError::Shut);
    let foreign = |e: &BundleError| matches!(e, BundleError::Foreign(_));
    type Fits = fn(&BundleError) -> bool;
    let cases: [(&str, Vec<u8>, Fits); 6] = [
        ("to another", seal(&good, &signer(Agency), &Identity::generate()), shut),
        ("damaged", damaged, shut),
        ("cut short", sealed[..sealed.len() - 1].to_vec(), shut),
        // It would open: its size alone is refused, before any of it is decrypted.
        ("too large", seal(&large, &signer(Agency), &releaser), shut),
        ("by another", seal(&good, &signer(Municipality), &releaser), foreign),
        ("unsigned", unsigned, foreign),
    ];
    for (what, sealed, fits) in cases {
        let refused = open(&sealed, &releaser, &world).unwrap_err();
        assert!(fits(&refused), "{what}: {refused}");
    }
}

#[test]
fn it_belongs_to_one_sent_in_every_field() {
    let releaser = Identity::generate();
    type Change = fn(&mut Bundle, &mut World);
    let cases: [(&str, Change); 19] = [
        ("transfer", |bundle, _| bundle.transfer = TransferId::random()),
        ("agreement", |bundle, _| bundle.terms = Digest::none()),
        ("envelope", |bundle, _| bundle.ciphertext = Digest::none()),
        ("envelope", |bundle, _| bundle.size += 1),
        ("payload", |bundle, _| bundle.plaintext = Digest::none()),
        ("code", |bundle, _| bundle.code = "7K3F-9QX".parse().unwrap()),
        ("split", |bundle, _| bundle.threshold = 3),
        ("split", |bundle, _| bundle.shares = 4),
        ("plan", |bundle, _| bundle.items[0].index = 2),
        ("plan", |bundle, _| bundle.items[0].custodian = "somebody".parse().unwrap()),
        ("plan", |bundle, _| bundle.items[0].channel = bundle.items[1].channel.clone()),
        ("plan", |bundle, _| bundle.items[0].commitment = Digest::none()),
        ("plan", |bundle, _| bundle.items.swap(0, 1)),
        ("plan", |bundle, _| bundle.items.truncate(2)),
        // What `sent` commits to for fewer shares than it has routes is a commitment for none.
        ("plan", |_, world| world.sent.commitments.truncate(2)),
        ("share", |bundle, _| bundle.items[0].line = bundle.items[1].line.clone()),
        ("share", |bundle, _| bundle.items[0].line.insert(0, '?')),
        ("share", |bundle, world| {
            let other = "7K3F-9QX".parse().unwrap();
            bundle.items[0].line = world.shares[0].line(&other).to_string();
        }),
        ("share", |bundle, _| {
            let mut other = World::new(2, 3);
            bundle.items[0].line = other.shares.remove(0).line(&bundle.code).to_string();
        }),
    ];
    for (number, (what, change)) in cases.into_iter().enumerate() {
        let mut world = World::new(2, 3);
        let mut bundle = bundle(&world);
        change(&mut bundle, &mut world);
        let opened = open(&seal(&bundle, &signer(Agency), &releaser), &releaser, &world);
        let refused = matches!(&opened, Err(BundleError::Mismatch(which)) if *which == what);
        assert!(refused, "case {number}, {what}: {opened:?}");
    }
}
