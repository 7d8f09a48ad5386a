//! Headers of the drop zone, words on the local socket, an operator's reports.

/// Header values of tus 1.0.0.
pub mod tus {
    use sluis_core::tus::{self, Checksum};

    /// The same text as each of the headers.
    #[must_use]
    pub fn take(bytes: &[u8]) -> bool {
        let Ok(text) = std::str::from_utf8(bytes) else { return false };
        let number = tus::number("Upload-Offset", text);
        if let Ok(number) = number {
            assert!(number <= 1 << 53 && text.bytes().all(|b| b.is_ascii_digit()));
        }
        let metadata = tus::metadata(text);
        if let Ok(pairs) = &metadata {
            let held: usize = pairs.iter().map(|(key, value)| key.len() + value.len()).sum();
            assert!(held <= text.len());
            for (at, (key, _)) in pairs.iter().enumerate() {
                assert!(!key.is_empty() && !key.contains([' ', ',']));
                assert!(pairs[..at].iter().all(|(other, _)| other != key), "{key} stands twice");
            }
            if let Some(transfer) = tus::named_transfer(pairs) {
                let again = tus::metadata(&tus::naming(&transfer)).unwrap();
                assert_eq!(tus::named_transfer(&again), Some(transfer));
            }
        }
        let checksum = tus::checksum(text);
        match &checksum {
            Ok(Checksum::Sha256(sum)) => assert_eq!(sum.len(), 32),
            Ok(Checksum::Sha1(sum)) => assert_eq!(sum.len(), 20),
            Err(_) => {}
        }
        number.is_ok() || metadata.is_ok() || checksum.is_ok()
    }

    /// One of each.
    #[must_use]
    pub fn seeds() -> Vec<Vec<u8>> {
        crate::texts([
            "9007199254740992",
            "0",
            "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=",
            "sha256 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
            "transfer MDAwMTAyMDMwNDA1MDYwNzA4MDkwYTBiMGMwZDBlMGY=,name bGlqc3QuY3N2, empty",
        ])
    }
}

/// Every request and answer of the local socket, and what statements and folders of evidence have in JSON.
pub mod control {
    use serde::Serialize;
    use serde::de::DeserializeOwned;
    use sluis_core::{bundle, control as said, ledger, notice, statement};

    use crate::world::WORLD;

    /// What is taken says the same again.
    fn again<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> bool {
        let Ok(value) = serde_json::from_slice::<T>(bytes) else { return false };
        let text = serde_json::to_string(&value).unwrap();
        let second: T = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string(&second).unwrap(), text);
        true
    }

    /// The first byte says which.
    #[must_use]
    pub fn take(bytes: &[u8]) -> bool {
        let Some((which, json)) = bytes.split_first() else { return false };
        let readers: [fn(&[u8]) -> bool; 33] = [
            again::<said::Next>,
            again::<said::Job>,
            again::<said::Exposing>,
            again::<said::Done>,
            again::<said::Reported>,
            again::<said::Cursor>,
            again::<said::Letters>,
            again::<Vec<said::Listed>>,
            again::<said::ByCode>,
            again::<said::Asked>,
            again::<said::May>,
            again::<said::MakeNotice>,
            again::<said::NoticeRow>,
            again::<said::Retry>,
            again::<said::Send>,
            again::<said::TypedLine>,
            again::<said::LineAnswer>,
            again::<said::Detail>,
            again::<said::AskHead>,
            again::<said::AskSaid>,
            again::<said::Said>,
            again::<said::Refused>,
            again::<(said::Kept, said::About, said::ClockWord, notice::Notice)>,
            again::<(ledger::Head, ledger::Entry, statement::Signed, bundle::Item)>,
            again::<said::Agree>,
            again::<said::Destroy>,
            again::<said::GoOn>,
            again::<said::Override>,
            again::<said::Reject>,
            again::<said::OfCustodian>,
            again::<said::SayAgain>,
            again::<said::AskStock>,
            again::<said::AskTerms>,
        ];
        readers[usize::from(*which) % readers.len()](json)
    }

    /// Words that gates and persons say.
    #[must_use]
    pub fn seeds() -> Vec<Vec<u8>> {
        let world = &*WORLD;
        let [sent, delivered, removed, _] =
            world.chain.each_ref().map(|it| serde_json::to_string(it).unwrap());
        let (transfer, upload) = (world.transfer, world.upload);
        let release = format!(
            r#"{{"id":1,"lease":2,"agreement":"mechelen","transfer":"{transfer}","task":{{"task":"release","index":1,"sent":{sent},"delivered":{delivered},"removed":{removed},"bundle":""}}}}"#
        );
        let looked = r#"{"job":1,"lease":1,"outcome":{"outcome":"looked","look":{"head":410,"get":410,"control":404}}}"#;
        let digest = "ab".repeat(32);
        let words: [(u8, String); 17] = [
            (0, r#"{"agreement":"mechelen","lane":"jobs","instance":"00112233445566778899aabbccddeeff","task":1,"ask":2,"wait":30}"#.into()),
            (1, release),
            (3, looked.into()),
            (
                4,
                r#"{"channel":"a","reference":"r-1","report":{"report":"failed","code":"16"}}"#
                    .into(),
            ),
            (7, format!(r#"[{{"upload":"{upload}","transfer":null,"length":5,"offset":3}}]"#)),
            (13, r#"{"code":"7K3F-9QX","share":2}"#.into()),
            (14, format!(r#"{{"agreement":"mechelen","ready":"{transfer}","name":"lijst.csv"}}"#)),
            (19, r#"{"agreement":"mechelen","after":0,"until":null}"#.into()),
            (24, format!(r#"{{"agreement":"mechelen","digest":"{digest}","stolen":true}}"#)),
            (25, r#"{"code":"7K3F-9QX","messages_asked":true}"#.into()),
            (26, r#"{"agreement":"mechelen","refuse":"niet waar","unheard":false}"#.into()),
            (27, r#"{"code":"7K3F-9QX","why":"een uitzondering"}"#.into()),
            (28, r#"{"code":"7K3F-9QX","why":"de verkeerde"}"#.into()),
            (29, r#"{"agreement":"mechelen","custodian":"an","old_is_dead":true}"#.into()),
            (30, r#"{"agreement":"mechelen","from":7}"#.into()),
            (31, r#"{"agreement":"mechelen"}"#.into()),
            (32, format!(r#"{{"terms":"{digest}"}}"#)),
        ];
        words.map(|(which, text)| [&[which], text.as_bytes()].concat()).into()
    }
}

/// Delivery reports, read as three operators write them.
pub mod report {
    use std::sync::LazyLock;

    use sluis_core::report::{Reporter, read};
    use sluis_core::transfer::Report;

    static REPORTERS: LazyLock<[Reporter; 3]> = LazyLock::new(|| {
        let states = "delivered = ['delivered', '1']\nfailed = ['failed', '2']\npending = ['sent']";
        [
            "reference = { query = 'ref' }\nstate = { query = 'type' }",
            "reference = { form = 'ref' }\nstate = { form = 'state' }\ncode = { form = 'code' }",
            "reference = { json = '/a/0/ref' }\nstate = { json = '/a/0/state' }\ncode = { json = '/a/0/code' }",
        ]
        .map(|fields| toml::from_str(&format!("{fields}\n{states}")).unwrap())
    });

    /// The first byte says whose it is; up to the first newline stands the query, then the body.
    #[must_use]
    pub fn take(bytes: &[u8]) -> bool {
        let Some((which, rest)) = bytes.split_first() else { return false };
        let reporter = &REPORTERS[usize::from(*which) % REPORTERS.len()];
        let end = rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
        let (query, body) = rest.split_at(end);
        let query = std::str::from_utf8(query).ok();
        let Some((reference, report)) = read(reporter, query, &body[body.len().min(1)..]) else {
            return false;
        };
        assert!(reference.len() <= 256);
        if let Some(Report::Failed { code }) = report {
            let state = reporter.failed.iter().any(|state| state.eq_ignore_ascii_case(&code));
            let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
            assert!(state || (code.len() <= 40 && code.bytes().all(plain)), "{code}");
        }
        true
    }

    /// One of each.
    #[must_use]
    pub fn seeds() -> Vec<Vec<u8>> {
        crate::texts([
            &b"\x00ref=R-1&type=1\n"[..],
            b"\x01\nref=R-1&state=failed&code=30003&text=a+b%20c",
            b"\x02\n{\"a\":[{\"ref\":\"R-1\",\"state\":2,\"code\":\"e-16\"}]}",
        ])
    }
}

/// What a provider answers to a message, read by three templates.
pub mod answer {
    use std::sync::LazyLock;

    use sluis_config::schema::Http;
    use sluis_core::control::Outcome;

    /// Where the message went: nothing that is kept repeats it.
    const TO: &str = "+32470123456";
    const TEXT: &str = "Sluis 7K3F-9QX: 121G-DXQ8-0GH7-XRMC-9511-J5QX-SYS5-M8T5-VQ8";

    static TEMPLATES: LazyLock<[Http; 3]> = LazyLock::new(|| {
        [
            "message-id = '/sid'\n[success]\nstatus = [201]\n[permanent]\nstatus = [400]\npointer = '/code'\nvalues = ['21211']\n[retryable]\nstatus = [429]",
            "message-id = '/messages/0/message-id'\n[success]\nstatus = [200]\npointer = '/messages/0/status'\nvalues = ['0']\n[retryable]\npointer = '/messages/0/status'\nvalues = ['1', '5']\n[permanent]\npointer = '/messages/0/status'\nvalues = ['2', '3']",
            "[success]\nstatus = [202]\n[permanent]\nstatus = [400, 403]\n[retryable]\nstatus = [503]",
        ]
        .map(|classes| {
            let head = "url = 'https://provider.example/sms'\nbody = { text = '{text}' }";
            toml::from_str(&format!("{head}\n{classes}")).unwrap()
        })
    });

    /// The first byte says whose it is; the next two are the status, and then stands the body.
    #[must_use]
    pub fn take(bytes: &[u8]) -> bool {
        let Some((head, body)) = bytes.split_first_chunk::<3>() else { return false };
        let [which, high, low] = *head;
        let http = &TEMPLATES[usize::from(which) % TEMPLATES.len()];
        let status = u16::from_be_bytes([high, low]);
        let kept = |text: &str| {
            let digits: String = text.chars().filter(char::is_ascii_digit).collect();
            assert!(!digits.contains("70123456"), "{text}");
            let plain: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
            assert!(!plain.to_ascii_uppercase().contains("DXQ80GH7"), "{text}");
        };
        match http.outcome(status, body, (TO, TEXT)) {
            Outcome::Accepted { message, .. } => {
                assert!(http.success.status.contains(&status), "{status}");
                message.as_deref().into_iter().for_each(kept);
            }
            Outcome::Rejected { code, .. } => {
                assert!(code.chars().count() <= 40, "{code}");
                kept(&code);
            }
            Outcome::PutOff { why, .. } => kept(&why.en),
            Outcome::Unknown { .. } => return false,
            other => panic!("an answer is no {other:?}"),
        }
        true
    }

    /// One of each class.
    #[must_use]
    pub fn seeds() -> Vec<Vec<u8>> {
        let answers: [(u8, u16, &str); 9] = [
            (0, 201, r#"{"sid":"121G-dxq8-0GH7"}"#),
            (0, 201, r#"{"sid":"SM1"}"#),
            (0, 400, r#"{"code":21211,"message":"+32 470 12 34 56"}"#),
            (0, 429, ""),
            (1, 200, r#"{"messages":[{"status":"0","message-id":"0A32470123456"}]}"#),
            (1, 200, r#"{"messages":[{"status":"5"}]}"#),
            (1, 500, "<html>"),
            (2, 202, "0: Accepted for delivery"),
            (2, 403, "Authorization failed for sendsms"),
        ];
        let of = |(which, status, body): (u8, u16, &str)| {
            [&[which], &status.to_be_bytes()[..], body.as_bytes()].concat()
        };
        answers.map(of).into()
    }
}
