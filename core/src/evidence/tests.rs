//! The evidence of one transfer, and every way in which one field of it can be wrong.

use super::*;
use crate::agreement::Side::{self, Agency, Municipality};
use crate::agreement::keys::Before;
use crate::bundle;
use crate::id::{Time, TransferCode};
use crate::key::TransferKey;
use crate::plan::{Plan, Route};
use crate::share::{self, Share};
use crate::statement::{Delivered, Look, NAMESPACE, Opened, Ready, Removed, Signer};

/// What is seen where an upload is gone.
pub(crate) const GONE: Look = Look { head: 410, get: 410, control: 404 };

/// A split that obeys rule 2 with as few groups as can be.
pub(crate) fn plan(threshold: u8, shares: u8) -> Plan {
    let groups = shares.div_ceil(threshold - 1);
    let route = |index: u8| Route {
        index,
        custodian: format!("custodian-{index}").parse().unwrap(),
        channel: format!("channel-{}", index % groups).parse().unwrap(),
        group: format!("group-{}", index % groups).parse().unwrap(),
    };
    Plan { threshold, routes: (1..=shares).map(route).collect() }
}

/// One transfer under the agreement of the demonstration, with both parties' keys.
pub(crate) struct World {
    pub(crate) terms: Terms,
    pub(crate) transfer: TransferId,
    pub(crate) upload: UploadId,
    pub(crate) shares: Vec<Share>,
    pub(crate) sent: Sent,
}

/// What follows from the statements of one transfer.
#[derive(Debug, Clone)]
pub(crate) struct Evidence {
    pub(crate) delivery: Delivery,
    pub(crate) removal: Removal,
    pub(crate) opening: Opening,
}

/// A statement on its way to be signed.
struct Word {
    kind: String,
    text: String,
    by: Side,
    namespace: &'static str,
}

impl Word {
    /// Puts another value where the first field of this name has one.
    fn set(&mut self, field: &str, value: &str) {
        let name = format!("\"{field}\":");
        let start = self.text.find(&name).unwrap() + name.len();
        let list = self.text[start..].starts_with('[');
        let end = self.text[start..].find(if list { &[']'][..] } else { &[',', '}'] }).unwrap();
        self.text.replace_range(start..start + end + usize::from(list), value);
    }
}

pub(crate) fn signer(side: Side) -> Signer {
    Signer::from_seed(&[side as u8 + 1; 32])
}

fn terms() -> Terms {
    let key = |side: Side| {
        let mailbox = age::x25519::Identity::generate().to_public();
        let public = signer(side).public().unwrap();
        let tls = Digest::of(public.as_bytes());
        format!("statement = \"{public}\"\nmailbox = \"{mailbox}\"\ntls = \"{tls}\"\n")
    };
    let text = format!(
        "{}\n[keys.agency]\n{}\n[keys.municipality]\n{}\n[keys.drop-zone]\ntls = \"{}\"\n",
        include_str!("../../../config/examples/demo/mechelen.toml"),
        key(Agency),
        key(Municipality),
        Digest::of(b"drop zone")
    );
    let text = text.replace("{host}", "dropzone.test:443");
    Terms { agreement: toml::from_str(&text).unwrap(), digest: Digest::of(text.as_bytes()) }
}

impl World {
    pub(crate) fn new(threshold: u8, shares: u8) -> Self {
        let transfer = TransferId::random();
        let Plan { threshold, routes } = plan(threshold, shares);
        let split = share::split(TransferKey::random(), threshold, shares).unwrap();
        let sent = Sent {
            code: TransferCode::random(),
            ciphertext: Digest::of(b"ciphertext"),
            size: 4096,
            plaintext: Digest::of(b"plaintext"),
            threshold,
            routes,
            commitments: split.iter().map(|share| share.commitment(&transfer, shares)).collect(),
            contacts: Digest::of(b"contacts"),
            expires: Time(1_796_054_400_000),
            replaces: None,
            request: None,
            waived: None,
            residents: None,
            mends: None,
            rehearsal: false,
            exercise: false,
        };
        Self { terms: terms(), transfer, upload: UploadId::random(), shares: split, sent }
    }

    fn say(&self, side: Side, body: Body, change: &dyn Fn(&mut Word)) -> Result<Verified, Refusal> {
        let party = |side| self.terms.agreement.party(side).id.as_str();
        let mut header = statement::tests::header(party(side), party(side.other()), 1);
        header.transfer = Some(self.transfer);
        header.terms = self.terms.digest;
        let kind = body.kind().to_owned();
        let text = String::from_utf8(Statement { header, body }.bytes().unwrap()).unwrap();
        let mut word = Word { kind, text, by: side, namespace: NAMESPACE };
        change(&mut word);
        let signature = signer(word.by).sign(word.namespace, word.text.as_bytes()).unwrap();
        Verified::check(&Signed { statement: word.text, signature }, &self.terms, side)
    }

    /// All four statements, each resting on what was in fact said before it.
    fn chain(&self, change: &dyn Fn(&mut Word)) -> Result<Evidence, Refusal> {
        let Sent { ciphertext, size, plaintext, .. } = self.sent;
        let upload = self.upload;
        let sent = self.say(Agency, self.sent.clone().into(), change)?;
        let delivered = Delivered { sent: sent.digest(), ciphertext, size, upload };
        let delivered = self.say(Municipality, delivered.into(), change)?;
        let removed = Removed {
            sent: sent.digest(),
            delivered: delivered.digest(),
            ciphertext,
            upload,
            host: self.terms.agreement.drop_zone.host.to_string(),
            done: "terminated".into(),
            seen: GONE,
            unknown: vec!["backups".into()],
        };
        let removed = self.say(Municipality, removed.into(), change)?;
        let shares = (1..=self.sent.threshold).collect();
        let opened = Opened { sent: sent.digest(), plaintext, shares };
        let opened = self.say(Municipality, opened.into(), change)?;
        Ok(Evidence {
            delivery: Delivery::check(&sent, &delivered)?,
            removal: Removal::check(&self.terms, &sent, &delivered, &removed)?,
            opening: Opening::check(&sent, &opened)?,
        })
    }

    pub(crate) fn evidence(&self) -> Evidence {
        self.chain(&|_| ()).unwrap()
    }

    /// Who refuses what, if one thing is changed in the statement of one kind.
    fn refused(&self, kind: &str, change: &dyn Fn(&mut Word)) -> String {
        let one = |word: &mut Word| {
            if word.kind == kind {
                change(word);
            }
        };
        match self.chain(&one).err() {
            None => "nothing".into(),
            Some(Refusal::Mismatch { kind, what, .. }) => format!("{kind} {what}"),
            Some(Refusal::Signature(_)) => "signature".into(),
            Some(other) => other.to_string(),
        }
    }
}

#[test]
fn a_good_chain_is_evidence_of_this_transfer_and_upload() {
    let world = World::new(2, 3);
    let Evidence { delivery, removal, opening } = world.evidence();
    assert_eq!([delivery.transfer(), removal.transfer(), opening.transfer()], [world.transfer; 3]);
    assert_eq!([delivery.upload(), removal.upload()], [world.upload; 2]);
}

#[test]
fn what_was_sent_before_a_list_named_the_report_that_it_mends_reads_back_to_the_byte() {
    let mut world = World::new(2, 3);
    let written = |world: &World| {
        let header = statement::tests::header("agentschap-ii", "stad-mechelen", 1);
        let bytes = Statement { header, body: world.sent.clone().into() }.bytes().unwrap();
        let read = Statement::read(&bytes).unwrap();
        assert_eq!(
            (&read.body, read.bytes().unwrap()),
            (&world.sent.clone().into(), bytes.clone())
        );
        String::from_utf8(bytes).unwrap()
    };
    let before = written(&world);
    assert!(before.ends_with("\"exercise\":false}}"), "{before}");
    let none = before.replace("\"exercise\":false", "\"exercise\":false,\"mends\":null");
    assert!(Statement::read(none.as_bytes()).is_err(), "one form");
    world.sent.mends = Some(Digest::none());
    assert!(written(&world).contains("\"exercise\":false,\"mends\":\"0000"));
}

#[test]
fn a_chain_with_one_other_field_is_refused() {
    let world = World::new(2, 3);
    let (digest, id) = (format!("\"{}\"", Digest::of(b"?")), format!("\"{}\"", UploadId::random()));
    let headers = [
        ("agreement", "\"gent\""),
        ("issuer", "\"stad-gent\""),
        ("audience", "\"stad-gent\""),
        ("transfer", &id),
        ("transfer", "null"),
        ("terms", &digest),
    ];
    for (kind, (field, value)) in ["sent", "delivered", "removed", "opened"]
        .iter()
        .flat_map(|kind| headers.iter().map(move |header| (*kind, *header)))
    {
        // That `sent` is of another transfer shows in the first answer to it.
        let first = kind == "sent" && field == "transfer" && value != "null";
        let by = if first { "delivered" } else { kind };
        let refused = world.refused(kind, &|word| word.set(field, value));
        assert_eq!(refused, format!("{by} {field}"), "{kind}: {field} = {value}");
    }
    let bodies = [
        ("sent", "kind", "\"elsewise\"", "elsewise kind"),
        ("sent", "ciphertext", &digest, "delivered ciphertext"),
        ("sent", "size", "4097", "delivered size"),
        ("sent", "plaintext", &digest, "opened plaintext"),
        ("delivered", "kind", "\"elsewise\"", "elsewise kind"),
        ("delivered", "sent", &digest, "delivered sent"),
        ("delivered", "ciphertext", &digest, "delivered ciphertext"),
        ("delivered", "size", "4095", "delivered size"),
        ("delivered", "upload", &id, "removed upload"),
        ("removed", "kind", "\"elsewise\"", "elsewise kind"),
        ("removed", "sent", &digest, "removed sent"),
        ("removed", "delivered", &digest, "removed delivered"),
        ("removed", "ciphertext", &digest, "removed ciphertext"),
        ("removed", "upload", &id, "removed upload"),
        ("removed", "host", "\"elsewhere:443\"", "removed host"),
        ("removed", "head", "200", "removed seen"),
        ("removed", "head", "404", "removed seen"),
        ("removed", "get", "200", "removed seen"),
        ("removed", "get", "500", "removed seen"),
        ("removed", "control", "410", "removed seen"),
        ("removed", "control", "200", "removed seen"),
        ("opened", "kind", "\"elsewise\"", "elsewise kind"),
        ("opened", "sent", &digest, "opened sent"),
        ("opened", "plaintext", &digest, "opened plaintext"),
    ];
    for (kind, field, value, by) in bodies {
        let refused = world.refused(kind, &|word| word.set(field, value));
        assert_eq!(refused, by, "{kind}: {field} = {value}");
    }
}

#[test]
fn an_opening_names_t_different_shares_of_the_plan() {
    let world = World::new(2, 3);
    for shares in ["[]", "[1]", "[1,1]", "[0,1]", "[1,4]", "[1,2,3]"] {
        let refused = world.refused("opened", &|word| word.set("shares", shares));
        assert_eq!(refused, "opened shares", "{shares}");
    }
}

#[test]
fn what_is_said_under_another_version_is_no_evidence_under_this_one() {
    let world = World::new(2, 3);
    let all = world.chain(&|word| word.set("terms", &format!("\"{}\"", Digest::of(b"other"))));
    assert!(all.is_err(), "a chain under other terms than those it is held against");
    // A key that only a former version names still signs under that one.
    let terms = Terms { digest: Digest::of(b"former"), ..world.terms.clone() };
    let World { transfer, upload, ref sent, .. } = world;
    let former = World { terms, transfer, upload, shares: Vec::new(), sent: sent.clone() };
    let Sent { ciphertext, size, plaintext, .. } = *sent;
    let sent = world.say(Agency, sent.clone().into(), &|_| ()).unwrap();
    let say = |body| former.say(Municipality, body, &|_| ()).unwrap();
    let delivered = say(Delivered { sent: sent.digest(), ciphertext, size, upload }.into());
    let opened = say(Opened { sent: sent.digest(), plaintext, shares: vec![1, 2] }.into());
    assert!(Delivery::check(&sent, &delivered).is_err(), "delivered");
    assert!(Opening::check(&sent, &opened).is_err(), "opened");
}

#[test]
fn only_the_issuer_signs_and_only_as_a_statement() {
    let world = World::new(2, 3);
    for kind in ["sent", "delivered", "removed", "opened"] {
        let by_the_other = world.refused(kind, &|word| word.by = word.by.other());
        let as_a_bundle = world.refused(kind, &|word| word.namespace = bundle::NAMESPACE);
        assert_eq!([by_the_other, as_a_bundle], ["signature"; 2], "{kind}");
    }
    // The agency cannot say `removed` itself, in whoever's name.
    for issuer in ["\"agentschap-ii\"", "\"stad-mechelen\""] {
        let own = world.refused("removed", &|word| {
            word.by = Agency;
            word.set("issuer", issuer);
        });
        assert_eq!(own, "signature", "{issuer}");
    }
}

/// Each kind has its own issuer, whose signature is in order here: it is the kind that is not theirs to say.
#[test]
fn a_party_that_says_everything_alone_has_proved_nothing() {
    let world = World::new(2, 3);
    let Sent { ciphertext, size, plaintext, .. } = world.sent;
    let upload = world.upload;
    let say = |side, body: Body| world.say(side, body, &|_| ()).unwrap();
    let issuer = |result: Option<Refusal>| match result {
        Some(Refusal::Mismatch { what: "issuer", kind, .. }) => kind,
        other => format!("{other:?}"),
    };
    let sent = say(Agency, world.sent.clone().into());
    let delivered =
        |by| say(by, Delivered { sent: sent.digest(), ciphertext, size, upload }.into());
    let removed = |by, delivered: &Verified| {
        let (sent, delivered) = (sent.digest(), delivered.digest());
        let host = world.terms.agreement.drop_zone.host.to_string();
        let (done, unknown) = ("terminated".into(), Vec::new());
        say(
            by,
            Removed { sent, delivered, ciphertext, upload, host, done, seen: GONE, unknown }.into(),
        )
    };
    let opened = |by| say(by, Opened { sent: sent.digest(), plaintext, shares: vec![1, 2] }.into());
    let theirs = delivered(Municipality);
    assert_eq!(issuer(Delivery::check(&sent, &delivered(Agency)).err()), "delivered");
    let own = removed(Agency, &theirs);
    assert_eq!(issuer(Removal::check(&world.terms, &sent, &theirs, &own).err()), "removed");
    assert_eq!(issuer(Opening::check(&sent, &opened(Agency)).err()), "opened");
    // Nor does the municipality seal.
    let forged = say(Municipality, world.sent.clone().into());
    let answer = Delivered { sent: forged.digest(), ciphertext, size, upload };
    let answer = say(Municipality, answer.into());
    assert_eq!(issuer(Delivery::check(&forged, &answer).err()), "sent");
    // What each does say, holds.
    let gone = removed(Municipality, &theirs);
    assert!(Removal::check(&world.terms, &sent, &theirs, &gone).is_ok());
    assert!(Opening::check(&sent, &opened(Municipality)).is_ok());
}

#[test]
fn a_feed_has_one_next_statement() {
    let world = World::new(2, 3);
    let tip = Tip { number: 5, digest: Digest::of(b"five") };
    let say = |number: u64, previous: Digest| {
        let body = Ready { removed: Digest::none() }.into();
        let place = |word: &mut Word| {
            word.set("number", &number.to_string());
            word.set("previous", &format!("\"{previous}\""));
        };
        world.say(Municipality, body, &place).unwrap()
    };
    let next = say(6, tip.digest);
    let place = Tip { number: 6, digest: next.digest() };
    let follows = |said: &Verified, tip: &Tip| said.follows(tip).map_err(|e| e.to_string());
    assert_eq!(follows(&next, &tip), Ok(Some(place)));
    assert_eq!(follows(&next, &place), Ok(None), "a repetition");
    let gap = Refusal::Gap { expected: 6, got: 7 };
    for (what, number, previous, refusal) in [
        ("a gap", 7, tip.digest, gap),
        ("another one of the same number", 5, tip.digest, Refusal::Fork(5)),
        ("an old number", 4, tip.digest, Refusal::Fork(4)),
        ("another past", 6, Digest::of(b"rewritten"), Refusal::Fork(6)),
    ] {
        assert_eq!(follows(&say(number, previous), &tip), Err(refusal.to_string()), "{what}");
    }
}

/// The municipality's key was changed at number 40: by the version that counts, whatever version a statement names.
fn changed_at_forty() -> (World, Signer) {
    let (mut world, new) = (World::new(2, 3), Signer::from_seed(&[77; 32]));
    let keys = &mut world.terms.agreement.keys;
    let mut card = keys.municipality.clone();
    card.statement = new.public().unwrap();
    keys.municipality = keys.municipality.renewed(&card, 40, Before::Stays).unwrap();
    (world, new)
}

#[test]
fn each_number_is_signed_by_its_own_key_and_by_no_other() {
    let (world, new) = changed_at_forty();
    let old = signer(Municipality);
    let verified = |number: u64, by: &Signer| {
        let party = |side| world.terms.agreement.party(side).id.as_str();
        let mut header = statement::tests::header(party(Municipality), party(Agency), number);
        header.terms = world.terms.digest;
        let body = Ready { removed: Digest::none() }.into();
        let bytes = Statement { header, body }.bytes().unwrap();
        let signature = by.sign(NAMESPACE, &bytes).unwrap();
        let signed = Signed { statement: String::from_utf8(bytes).unwrap(), signature };
        Verified::check(&signed, &world.terms, Municipality).is_ok()
    };
    for number in [1, 2, 39, 40, 41, 10_000] {
        assert_eq!(verified(number, &old), number < 40, "the old key, number {number}");
        assert_eq!(verified(number, &new), number >= 40, "the new key, number {number}");
    }
}

#[test]
fn a_chain_crosses_a_change_of_keys_and_a_stolen_one_breaks_it() {
    // All four statements have number 1: before the change, under the old key.
    let (world, _) = changed_at_forty();
    assert!(world.chain(&|_| ()).is_ok());
    // The same words under a number that the old key signs no more: a thief's, or from before the change of keys.
    for kind in ["delivered", "removed", "opened"] {
        assert_eq!(world.refused(kind, &|word| word.set("number", "40")), "signature", "{kind}");
    }
    // Terms of a former version are held against the keys of the one that counts.
    let former = World::new(2, 3).terms;
    let now = former.clone().under(&world.terms.agreement.keys);
    assert_eq!((now.digest, &now.agreement.keys), (former.digest, &world.terms.agreement.keys));
}
