//! Statements, signatures and ledgers of the other party.

/// Bytes as a statement.
pub mod statement {
    use sluis_core::statement::{MAX_BYTES, Statement};

    use crate::world::{WORLD, say};

    /// What is read has one form.
    #[must_use]
    pub fn take(bytes: &[u8]) -> bool {
        let Ok(statement) = Statement::read(bytes) else { return false };
        assert!(bytes.len() <= MAX_BYTES && bytes.is_ascii());
        assert_eq!(statement.bytes().unwrap(), bytes);
        let kind = statement.body.kind();
        let plain = |b: u8| b.is_ascii_lowercase() || b == b'-';
        assert!((1..=63).contains(&kind.len()) && kind.bytes().all(plain), "{kind}");
        true
    }

    /// The four of a transfer, a notice, one in another form and a kind that nobody knows.
    #[must_use]
    pub fn seeds() -> Vec<Vec<u8>> {
        use sluis_core::agreement::Side::Municipality;
        use sluis_core::notice::{Notice, Sort};
        use sluis_core::statement::Body;
        let world = &*WORLD;
        let text =
            "Rij 17 staat tweemaal op de lijst, één keer met het verkeerde antwoord".to_owned();
        let notice = Notice::of(text);
        let of = |body| say(&world.terms, Municipality, 4, body).into_bytes();
        let mut seeds: Vec<_> =
            world.chain.iter().map(|signed| signed.statement.clone().into_bytes()).collect();
        seeds.push(of(Body::Notice(Sort::QualityReport, notice)));
        // The same said in another form, which is none.
        let other = world.chain[2].statement.replace(":410,", ": 410,");
        seeds.push(other.into_bytes());
        seeds.push(of(Body::Unknown("postponed".into(), r#"{"b":1,"a":[2,{}]}"#.into())));
        seeds
    }
}

/// A statement that the municipality signed: whatever it says, what does not follow from it is no evidence.
pub mod evidence {
    use std::collections::BTreeSet;

    use sluis_core::agreement::Side::Municipality;
    use sluis_core::evidence::{Delivery, Opening, Removal, Verified};
    use sluis_core::statement::{Body, Tip};

    use crate::world::{WORLD, sign};

    /// Signed for real, so that all that stands behind the signature is reached.
    #[must_use]
    pub fn take(bytes: &[u8]) -> bool {
        let Ok(text) = std::str::from_utf8(bytes) else { return false };
        let world = &*WORLD;
        let signed = sign(Municipality, text.to_owned());
        let Ok(said) = Verified::check(&signed, &world.terms, Municipality) else { return false };
        let header = &said.statement().header;
        assert_eq!(header.issuer, world.terms.agreement.municipality.id);
        assert_eq!(header.audience, world.terms.agreement.agency.id);
        assert_eq!(
            (&header.agreement, header.terms),
            (&world.terms.agreement.agreement, world.terms.digest)
        );
        let tip = Tip { number: 2, digest: world.chain[2].digest() };
        if let Ok(Some(next)) = said.follows(&tip) {
            assert_eq!((next.number, header.previous), (3, tip.digest));
        }
        let [sent, delivered] = &world.verified;
        let body = &said.statement().body;
        if let Ok(delivery) = Delivery::check(sent, &said) {
            let Body::Delivered(body) = body else { panic!("{body:?}") };
            assert_eq!(
                (delivery.transfer(), header.transfer),
                (world.transfer, Some(world.transfer))
            );
            assert_eq!((body.ciphertext, body.size), (world.sent.ciphertext, world.sent.size));
            assert_eq!(body.sent, world.chain[0].digest());
        }
        if let Ok(removal) = Removal::check(&world.terms, sent, delivered, &said) {
            let Body::Removed(body) = body else { panic!("{body:?}") };
            assert_eq!(
                (removal.transfer(), header.transfer),
                (world.transfer, Some(world.transfer))
            );
            assert_eq!((body.seen.head, body.seen.get, body.seen.control), (410, 410, 404));
            assert_eq!((body.upload, body.ciphertext), (world.upload, world.sent.ciphertext));
            assert_eq!(body.host, world.terms.agreement.drop_zone.host.as_str());
            assert_eq!(
                (body.sent, body.delivered),
                (world.chain[0].digest(), world.chain[1].digest())
            );
        }
        if Opening::check(sent, &said).is_ok() {
            let Body::Opened(body) = body else { panic!("{body:?}") };
            let shares: BTreeSet<_> = body.shares.iter().collect();
            assert_eq!([shares.len(), body.shares.len()], [usize::from(world.sent.threshold); 2]);
            assert_eq!(body.plaintext, world.sent.plaintext);
        }
        true
    }

    /// What the municipality says about a transfer.
    #[must_use]
    pub fn seeds() -> Vec<Vec<u8>> {
        crate::texts(WORLD.chain[1..].iter().map(|signed| signed.statement.clone()))
    }
}

/// An armoured SSHSIG, and a public key.
pub mod signature {
    use std::sync::LazyLock;

    use sluis_core::agreement::Side::{Agency, Municipality};
    use sluis_core::statement::{NAMESPACE, Signer, verify};
    use ssh_key::SshSig;

    use crate::world::{WORLD, signer};

    /// The agency's key, the signature over `sent`, and that as it is in bytes.
    static GOOD: LazyLock<(String, SshSig)> = LazyLock::new(|| {
        let good = &WORLD.chain[0].signature;
        (signer(Agency).public().unwrap(), SshSig::from_pem(good).unwrap())
    });

    /// Only the signature that was made verifies, and only under the key that made it.
    #[must_use]
    pub fn take(bytes: &[u8]) -> bool {
        let Ok(text) = std::str::from_utf8(bytes) else { return false };
        let (public, good) = &*GOOD;
        let said = &WORLD.chain[0];
        let holds = |public: &str, text: &str| {
            verify(public, NAMESPACE, said.statement.as_bytes(), text, "x").is_ok()
        };
        let verified = holds(public, text);
        assert!(!verified || SshSig::from_pem(text).unwrap() == *good);
        let other = signer(Municipality).public().unwrap();
        assert!(!holds(&other, text));
        let key = holds(text, &said.signature);
        if key {
            let bare = |key: &str| key.split_whitespace().nth(1).map(str::to_owned);
            assert_eq!(bare(text), bare(public));
        }
        let private = Signer::from_openssh(text).is_ok_and(|signer| signer.public().is_ok());
        verified || key || private
    }

    /// The signature, a public key, a private one of no worth.
    #[must_use]
    pub fn seeds() -> Vec<Vec<u8>> {
        let signer = signer(Agency);
        crate::texts([
            WORLD.chain[0].signature.clone(),
            signer.public().unwrap(),
            signer.to_openssh().unwrap().to_string(),
        ])
    }
}

/// The lines of a ledger.
pub mod ledger {
    use std::collections::BTreeMap;

    use sluis_core::id::Time;
    use sluis_core::ledger::{ChainError, Entry, verify};
    use sluis_core::statement::Tip;

    use crate::world::WORLD;

    /// A chain that holds does so from its first line to its last, and an error names a line that is there.
    #[must_use]
    pub fn take(bytes: &[u8]) -> bool {
        let Ok(text) = std::str::from_utf8(bytes) else { return false };
        let count = text.lines().count() as u64;
        match verify(Tip::start(), text.lines()) {
            Ok(tip) => {
                assert_eq!(tip.number, count);
                let most = text.lines().take(text.lines().count().saturating_sub(1));
                let before = verify(Tip::start(), most).unwrap();
                let last = verify(before, text.lines().last().into_iter());
                assert_eq!(last, Ok(tip));
                count > 0
            }
            Err(
                ChainError::Form { line: at }
                | ChainError::Number { expected: at, .. }
                | ChainError::Link { number: at },
            ) => {
                assert!((1..=count).contains(&at), "line {at} of {count}");
                false
            }
            Err(other) => panic!("that is found in a store alone: {other}"),
        }
    }

    /// Two entries.
    #[must_use]
    pub fn seeds() -> Vec<Vec<u8>> {
        let mut tip = Tip::start();
        let line = |number: u64| {
            let entry = Entry {
                number,
                previous: tip.digest,
                time: Time(1_795_449_600_000),
                kind: "claimed".into(),
                transfer: Some(WORLD.transfer),
                detail: BTreeMap::from([("user".into(), "anna".into())]),
            };
            tip = entry.tip().unwrap();
            entry.line().unwrap()
        };
        let lines: Vec<_> = (1..=2).map(line).collect();
        crate::texts([lines.join("\n")])
    }
}

/// The head of a ledger, as a folder of evidence has it.
pub mod head {
    use sluis_core::id::{Digest, Time};
    use sluis_core::ledger::{Head, Part};
    use sluis_core::statement::Tip;

    use crate::world::WORLD;

    /// What is read has one form, and says nothing but what is read.
    #[must_use]
    pub fn take(bytes: &[u8]) -> bool {
        let Ok(text) = std::str::from_utf8(bytes) else { return false };
        let Some(head) = Head::read(text) else { return false };
        assert_eq!(head.line().unwrap(), text);
        assert_eq!(Head::read(&format!("{text} ")), None);
        true
    }

    /// One of all, one of a year, one in another form and one with more.
    #[must_use]
    pub fn seeds() -> Vec<Vec<u8>> {
        let agreement = &WORLD.terms.agreement;
        let of = |part| Head {
            agreement: agreement.agreement.clone(),
            party: agreement.agency.id.clone(),
            agency: agreement.agency.id.clone(),
            municipality: agreement.municipality.id.clone(),
            of: part,
            terms: WORLD.terms.digest,
            signers: Digest::of(b"signers"),
            list: Digest::of(b"list"),
            decisions: Digest::of(b"decisions"),
            ledger: Tip { number: 7, digest: Digest::of(b"seven") },
            time: Time(1_795_449_600_000),
        };
        let line = of(Part::All).line().unwrap();
        let other = line.replace(":", ": ");
        let more = line.replacen('{', "{\"more\":1,", 1);
        let parts =
            [Part::Year(2026), Part::Transfer(WORLD.transfer)].map(|it| of(it).line().unwrap());
        let seeds = [line, other, more].into_iter().chain(parts);
        seeds.map(String::into_bytes).collect()
    }
}

/// How far the other party says that it has heard: signed by it, whatever it says.
pub mod seen {
    use sluis_core::agreement::Side::Municipality;
    use sluis_core::epoch::{Epoch, NAMESPACE, Seen, Standing, standing};
    use sluis_core::id::Digest;
    use sluis_core::statement::{Signed, Tip};

    use crate::world::{WORLD, signer};

    /// What counts is that party's word under this agreement; and a store that has what was seen is behind nothing.
    #[must_use]
    pub fn take(bytes: &[u8]) -> bool {
        let Ok(text) = std::str::from_utf8(bytes) else { return false };
        let world = &*WORLD;
        let signature = signer(Municipality).sign(NAMESPACE, bytes).unwrap();
        let signed = Signed { statement: text.to_owned(), signature };
        let Ok(word) = Seen::check(&signed, &world.terms, Municipality, &Tip::start()) else {
            return false;
        };
        let agreement = &world.terms.agreement;
        assert_eq!(word.agreement, agreement.agreement);
        assert_eq!(word.issuer, agreement.municipality.id);
        let known = |own, epochs: &[Epoch]| {
            standing(&word.seen, own, word.seen.number, epochs) == Standing::Known
        };
        assert!(known(Some(word.seen.digest), &[]));
        let epoch = Epoch { kept: Tip::start(), from: word.seen };
        assert!(known(None, &[epoch]));
        true
    }

    /// A word of that party, one of the other, one under another agreement, and none.
    #[must_use]
    pub fn seeds() -> Vec<Vec<u8>> {
        let agreement = &WORLD.terms.agreement;
        let tip = Tip { number: 7, digest: Digest::of(b"seven") };
        let (name, party) = (&agreement.agreement, &agreement.municipality.id);
        let word =
            Seen { agreement: name.clone(), issuer: party.clone(), said: tip, seen: Tip::start() };
        let other = Seen { issuer: agreement.agency.id.clone(), ..word.clone() };
        let elsewhere = Seen { agreement: "gent".parse().unwrap(), ..word.clone() };
        let text = |word: &Seen| serde_json::to_vec(word).unwrap();
        vec![text(&word), text(&other), text(&elsewhere), b"{}".to_vec()]
    }
}
