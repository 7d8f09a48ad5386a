//! One transfer under the agreement of the demonstration, with keys that everybody can make: the same every time.

use std::path::Path;
use std::sync::LazyLock;

use sluis_core::agreement::Side;
use sluis_core::bundle::{Bundle, Item};
use sluis_core::evidence::{Terms, Verified};
use sluis_core::id::{Digest, Time, TransferCode, TransferId, UploadId};
use sluis_core::key::TransferKey;
use sluis_core::plan::Plan;
use sluis_core::share;
use sluis_core::statement::{
    Body, Delivered, Header, Look, NAMESPACE, Opened, Removed, Sent, Signed, Signer, Statement, Tip,
};
use sluis_core::words::Language;

/// What there is to hold an input against.
#[derive(Debug)]
pub struct World {
    /// The agreement's file.
    pub text: String,
    /// What it says.
    pub terms: Terms,
    /// Who gets which share.
    pub plan: Plan,
    /// The transfer.
    pub transfer: TransferId,
    /// Its upload.
    pub upload: UploadId,
    /// What the agency said it sent.
    pub sent: Sent,
    /// The statements `sent`, `delivered`, `removed` and `opened`.
    pub chain: [Signed; 4],
    /// The first two, verified.
    pub verified: [Verified; 2],
    /// Its shares, on their way to the releaser.
    pub bundle: Bundle,
}

/// The one world.
pub static WORLD: LazyLock<World> = LazyLock::new(make);

/// The signing key of a side.
#[must_use]
pub fn signer(side: Side) -> Signer {
    Signer::from_seed(&[side as u8 + 1; 32])
}

/// An age identity made of this byte.
#[must_use]
pub fn identity(byte: u8) -> age::x25519::Identity {
    let prefix = bech32::Hrp::parse_unchecked("age-secret-key-");
    let text = bech32::encode::<bech32::Bech32>(prefix, &[byte; 32]).unwrap();
    text.to_uppercase().parse().unwrap()
}

/// The key of the transfer, its passphrase known to all.
#[must_use]
pub fn key() -> TransferKey {
    TransferKey::from_bytes(&[0x5a; 16])
}

/// The transfer's code.
#[must_use]
pub fn code() -> TransferCode {
    "7K3F-9QX".parse().unwrap()
}

/// Its share lines, two of which open it: those of the published vectors.
#[must_use]
pub fn lines() -> Vec<String> {
    let file = include_str!("../../docs/share-vectors.json");
    let vectors: serde_json::Value = serde_json::from_str(file).unwrap();
    let shares = vectors["vectors"][0]["shares"].as_array().unwrap();
    shares.iter().map(|share| share["line"].as_str().unwrap().to_owned()).collect()
}

/// A statement with the next number of a side, as text.
#[must_use]
pub fn say(terms: &Terms, side: Side, number: u64, body: Body) -> String {
    let party = |side| terms.agreement.party(side).id.clone();
    let header = Header {
        agreement: terms.agreement.agreement.clone(),
        issuer: party(side),
        audience: party(side.other()),
        number,
        previous: Digest::none(),
        seen: Tip::start(),
        time: Time(1_795_449_600_000),
        terms: terms.digest,
        ledger: Tip::start(),
        transfer: Some(transfer()),
    };
    String::from_utf8(Statement { header, body }.bytes().unwrap()).unwrap()
}

/// That text under the signature of a side.
#[must_use]
pub fn sign(side: Side, statement: String) -> Signed {
    let signature = signer(side).sign(NAMESPACE, statement.as_bytes()).unwrap();
    Signed { statement, signature }
}

fn transfer() -> TransferId {
    "000102030405060708090a0b0c0d0e0f".parse().unwrap()
}

fn agreement() -> String {
    let keys = |side: Side| {
        let public = signer(side).public().unwrap();
        let mailbox = identity(side as u8 + 1).to_public();
        let tls = Digest::of(public.as_bytes());
        format!("statement = \"{public}\"\nmailbox = \"{mailbox}\"\ntls = \"{tls}\"\n")
    };
    let text = include_str!("../../config/examples/demo/mechelen.toml");
    format!(
        "{}\n[keys.agency]\n{}\n[keys.municipality]\n{}\n[keys.drop-zone]\ntls = \"{}\"\n",
        text.replace("{host}", "dropzone.test:443"),
        keys(Side::Agency),
        keys(Side::Municipality),
        Digest::of(b"drop zone")
    )
}

fn make() -> World {
    let text = agreement();
    let (terms, plan) = sluis_config::agreements::parse(Path::new("mechelen.toml"), &text).unwrap();
    let (transfer, code) = (transfer(), code());
    let upload: UploadId = "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff".parse().unwrap();
    let lines = lines();
    let commitments: Vec<Digest> = lines
        .iter()
        .map(|line| {
            share::read_line(line, &code, &[]).unwrap().commitment(&transfer, plan.shares())
        })
        .collect();
    let sent = Sent {
        code,
        ciphertext: Digest::of(b"ciphertext"),
        size: 4096,
        plaintext: Digest::of(b"plaintext"),
        threshold: plan.threshold,
        routes: plan.routes.clone(),
        commitments: commitments.clone(),
        contacts: Digest::of(b"contacts"),
        expires: Time(1_796_054_400_000),
        replaces: None,
        request: None,
        waived: None,
        residents: None,
        mends: None,
        exercise: false,
        rehearsal: true,
    };
    let items = plan.routes.iter().zip(&lines).zip(&commitments).map(|((route, line), it)| Item {
        index: route.index,
        custodian: route.custodian.clone(),
        number: "+32470000000".into(),
        language: Language::Nl,
        channel: route.channel.clone(),
        line: line.clone(),
        commitment: *it,
    });
    let bundle = Bundle {
        transfer,
        code,
        terms: terms.digest,
        ciphertext: sent.ciphertext,
        size: sent.size,
        plaintext: sent.plaintext,
        threshold: plan.threshold,
        shares: plan.shares(),
        items: items.collect(),
    };
    let (chain, verified) = chain(&terms, &sent, upload);
    World { text, terms, plan, transfer, upload, sent, chain, verified, bundle }
}

/// All four statements, each resting on the ones before it.
fn chain(terms: &Terms, sent: &Sent, upload: UploadId) -> ([Signed; 4], [Verified; 2]) {
    let Sent { ciphertext, size, plaintext, .. } = *sent;
    let ours = sign(Side::Agency, say(terms, Side::Agency, 1, sent.clone().into()));
    let theirs =
        |number, body| sign(Side::Municipality, say(terms, Side::Municipality, number, body));
    let delivered = Delivered { sent: ours.digest(), ciphertext, size, upload };
    let delivered = theirs(1, delivered.into());
    let removed = Removed {
        sent: ours.digest(),
        delivered: delivered.digest(),
        ciphertext,
        upload,
        host: terms.agreement.drop_zone.host.to_string(),
        done: "terminated".into(),
        seen: Look { head: 410, get: 410, control: 404 },
        unknown: vec!["backups".into()],
    };
    let removed = theirs(2, removed.into());
    let shares = (1..=sent.threshold).collect();
    let opened = theirs(3, Opened { sent: ours.digest(), plaintext, shares }.into());
    let verified = [
        Verified::check(&ours, terms, Side::Agency).unwrap(),
        Verified::check(&delivered, terms, Side::Municipality).unwrap(),
    ];
    ([ours, delivered, removed, opened], verified)
}
