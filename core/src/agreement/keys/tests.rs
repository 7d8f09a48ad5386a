//! Each number has exactly one key, whatever was changed how often, and the past keeps those that it had.

use proptest::prelude::*;

use super::*;
use crate::statement::Signer;

fn public(byte: u8) -> String {
    Signer::from_seed(&[byte; 32]).public().unwrap()
}

fn pin(byte: u8) -> Digest {
    Digest::of(&[byte])
}

/// A card: this statement key, its own TLS key and mailbox, no history.
fn card(byte: u8) -> PartyKeys {
    PartyKeys {
        statement: public(byte),
        statement_from: 1,
        mailbox: age::x25519::Identity::generate().to_public().to_string(),
        tls: pin(byte),
        former_tls: Vec::new(),
        former: Vec::new(),
    }
}

fn keys(agency: PartyKeys, municipality: PartyKeys) -> Keys {
    let drop_zone = DropZoneKeys { tls: pin(200), former_tls: Vec::new() };
    Keys { agency, municipality, drop_zone }
}

fn refused(keys: &PartyKeys) -> String {
    keys.check("agency").unwrap_err().to_string()
}

#[test]
fn a_change_gives_each_number_the_key_that_it_had_or_will_have() {
    let once = card(1).renewed(&card(2), 58, Before::Stays).unwrap();
    let twice = once.renewed(&card(3), 90, Before::Stays).unwrap();
    for (number, byte) in [(0, 1), (1, 1), (57, 1), (58, 2), (89, 2), (90, 3), (u64::MAX, 3)] {
        assert_eq!(twice.statement_key(number), public(byte), "{number}");
    }
    assert_eq!(twice.let_in().collect::<Vec<_>>(), [pin(3), pin(2), pin(1)]);
    assert!(twice.continues(&once) && once.continues(&card(1)));
    // It reads back as it was written, and what has no history looks as it always did.
    for keys in [card(1), twice] {
        let text = toml::to_string(&keys).unwrap();
        assert_eq!(toml::from_str::<PartyKeys>(&text).unwrap(), keys);
        assert_eq!(text.contains("former") || text.contains("from"), !keys.former.is_empty());
    }
}

#[test]
fn a_stolen_key_ends_at_a_number_and_is_let_in_no_longer() {
    let once = card(1).renewed(&card(2), 58, Before::Stays).unwrap();
    let stolen = once.renewed(&card(3), 70, Before::Ends).unwrap();
    assert_eq!(stolen.statement_key(69), public(2));
    assert_eq!(stolen.statement_key(70), public(3));
    assert_eq!(stolen.let_in().collect::<Vec<_>>(), [pin(3)]);
    // Stolen before it ever signed what is believed: it has no number left.
    let never = once.renewed(&card(3), 58, Before::Ends).unwrap();
    assert_eq!(never.history().map(|(from, _)| from).collect::<Vec<_>>(), [1, 58]);
    assert_eq!([57, 58].map(|number| never.statement_key(number)), [public(1), public(3)]);
    assert!(never.continues(&once));
}

#[test]
fn what_stays_the_same_begins_no_second_range() {
    let mut new = card(1);
    new.tls = pin(9);
    let keys = card(1).renewed(&new, 58, Before::Stays).unwrap();
    assert_eq!((keys.statement_from, keys.former.len()), (1, 0));
    assert_eq!(keys.let_in().collect::<Vec<_>>(), [pin(9), pin(1)]);
    // Back to a TLS key that was let in all the time.
    let back = keys.renewed(&card(1), 58, Before::Stays).unwrap();
    assert_eq!(back.let_in().collect::<Vec<_>>(), [pin(1), pin(9)]);
}

#[test]
fn a_file_that_gives_a_number_no_key_or_two_is_refused() {
    let good = card(1).renewed(&card(2), 58, Before::Stays).unwrap();
    type Change = fn(&mut PartyKeys);
    let cases: [(&str, Change); 9] = [
        ("the oldest one begins at 1", |keys| keys.former[0].from = 2),
        ("the oldest one begins at 1", |keys| keys.former.clear()),
        ("each number has one key", |keys| keys.statement_from = 1),
        ("each number has one key", |keys| keys.former[0].from = 0),
        ("stands there again", |keys| keys.former[0].statement = format!("{} old", public(2))),
        ("no OpenSSH Ed25519", |keys| keys.former[0].statement = "ssh-rsa AAAA".into()),
        ("no age X25519", |keys| keys.mailbox = "age1nobody".into()),
        ("stands there twice", |keys| keys.former_tls.push(keys.tls)),
        ("at most 64", |keys| keys.former_tls = (10..100).map(pin).collect()),
    ];
    for (why, change) in cases {
        let mut keys = good.clone();
        change(&mut keys);
        let said = keys.check("agency").map_err(|e| e.to_string());
        // The oldest at number 0 is no first number 1 either.
        let fits = |said: &str| said.contains(why) || said.contains("the oldest one begins at 1");
        assert!(said.as_ref().is_err_and(|said| fits(said)), "{why}: {said:?}");
    }
    let mut many = good.clone();
    many.former =
        (0..70).map(|n| FormerKey { statement: public(n + 10), from: 1 + u64::from(n) }).collect();
    many.statement_from = 1000;
    assert!(refused(&many).contains("at most 64"));
    assert!(card(1).renewed(&card(2), 1, Before::Stays).is_ok(), "none of its words is believed");
    assert!(card(1).renewed(&card(2), 0, Before::Stays).is_err());
    assert!(good.renewed(&card(1), 70, Before::Stays).is_err(), "an old key does not come back");
    // A TLS key that one host had is of no other host.
    let mut both = keys(good, card(3));
    assert!(both.check().is_ok());
    both.municipality.former_tls.push(pin(1));
    assert!(both.check().unwrap_err().to_string().contains("one TLS key between them"));
}

#[test]
fn a_version_that_tells_another_past_does_not_continue_the_one_before() {
    let before = card(1).renewed(&card(2), 58, Before::Stays).unwrap();
    let other = card(9).renewed(&card(3), 90, Before::Stays).unwrap();
    let later = card(1).renewed(&card(2), 60, Before::Stays).unwrap();
    let forgets = card(1).renewed(&card(3), 90, Before::Stays).unwrap();
    let bare = card(3);
    for now in [&other, &later, &forgets] {
        assert!(!now.continues(&before));
        let now = keys(before.clone(), now.clone());
        let why = now.continue_those(&keys(before.clone(), before.clone())).unwrap_err();
        assert!(why.to_string().contains("keys.municipality"), "{why}");
    }
    // Nothing before number 1 is told by a version that believes nothing.
    assert!(bare.continues(&before));
    assert!(before.continues(&before));
}

/// Changes one after the other: from which number, and whether the one before was stolen.
fn changes() -> impl Strategy<Value = Vec<(u64, bool)>> {
    prop::collection::vec((1_u64..200, any::<bool>()), 0..12)
}

proptest! {
    #[test]
    fn every_number_has_one_key_and_a_change_leaves_what_came_before_it(changes in changes(), number in 1_u64..250) {
        let mut now = card(1);
        for (place, (from, stolen)) in (2..).zip(changes) {
            let before = if stolen { Before::Ends } else { Before::Stays };
            let next = now.renewed(&card(place), from, before).unwrap();
            prop_assert!(next.check("agency").is_ok() && next.continues(&now));
            let (then, after) = (now.statement_key(number), next.statement_key(number));
            if number < from {
                prop_assert_eq!(after, then);
            } else {
                prop_assert_eq!(after, public(place));
            }
            let holders = next.history().filter(|(_, key)| *key == after).count();
            prop_assert_eq!(holders, 1);
            prop_assert_eq!(next.let_in().next(), Some(pin(place)));
            prop_assert!(!stolen || next.let_in().count() == 1);
            now = next;
        }
    }
}
