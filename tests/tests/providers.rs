//! The presets of `config/providers/`: what each sends, how its answers and reports are read, and that its longest
//! message is one segment. Against a stand-in: no account of a provider is used here.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use serde::Deserialize;
use sluis_config::credentials::Credentials;
use sluis_config::schema::{Driver, Http};
use sluis_core::control::Outcome;
use sluis_core::id::{ChannelId, TransferCode, TransferId};
use sluis_core::key::TransferKey;
use sluis_core::message::{Reference, compose, septets};
use sluis_core::report::{self, Reporter};
use sluis_core::share;
use sluis_core::transfer::Report;
use sluis_core::words::Language;
use sluis_daemon::channel::Message;
use sluis_daemon::channel::http::Provider;
use sluis_tests::root;

#[derive(Deserialize)]
struct Preset {
    releaser: Releaser,
    reports: Option<Reports>,
}

#[derive(Deserialize)]
struct Releaser {
    channels: BTreeMap<ChannelId, Driver>,
}

#[derive(Deserialize)]
struct Reports {
    channels: BTreeMap<ChannelId, Reporter>,
}

fn preset(name: &str) -> (Driver, Option<Reporter>) {
    let file = root().join(format!("config/providers/{name}.toml"));
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains("TRIED") && text.contains("NOT TRIED"), "{name} says what was tried");
    let preset: Preset = toml::from_str(&text).unwrap_or_else(|e| panic!("{name}: {e}"));
    let id: ChannelId = name.parse().unwrap();
    let reporter = preset.reports.map(|mut reports| reports.channels.remove(&id).unwrap());
    let mut channels = preset.releaser.channels;
    assert_eq!(channels.len(), 1, "{name}");
    (channels.remove(&id).unwrap(), reporter)
}

fn http(name: &str) -> (Http, Option<Reporter>) {
    match preset(name) {
        (Driver::Http(http), reporter) => (*http, reporter),
        _ => panic!("{name} is not over HTTP"),
    }
}

/// Answers 200 to each request, and gives what came: the head and the body.
fn stand_in(times: usize) -> (String, std::thread::JoinHandle<Vec<(String, String)>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/x", listener.local_addr().unwrap());
    let came = std::thread::spawn(move || {
        let mut came = Vec::new();
        for _ in 0..times {
            let (mut stream, _) = listener.accept().unwrap();
            let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
            let (head, body) = loop {
                let read = stream.read(&mut piece).unwrap();
                bytes.extend_from_slice(&piece[..read]);
                let text = String::from_utf8_lossy(&bytes).into_owned();
                let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                let length = head.lines().find_map(|line| {
                    line.to_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok()
                });
                if body.len() >= length.unwrap() {
                    break (head.to_owned(), body.to_owned());
                }
            };
            stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                .unwrap();
            came.push((head, body));
        }
        came
    });
    (url, came)
}

/// All texts in a body, decoded as its type says.
fn texts(head: &str, body: &str) -> Vec<String> {
    fn strings(value: &serde_json::Value, into: &mut Vec<String>) {
        match value {
            serde_json::Value::String(text) => into.push(text.clone()),
            serde_json::Value::Array(items) => items.iter().for_each(|item| strings(item, into)),
            serde_json::Value::Object(map) => map.values().for_each(|item| strings(item, into)),
            _ => {}
        }
    }
    let kind = head.to_lowercase();
    if kind.contains("content-type: application/json") {
        let mut found = Vec::new();
        strings(&serde_json::from_str(body).unwrap(), &mut found);
        found
    } else if kind.contains("content-type: application/x-www-form-urlencoded") {
        form_urlencoded::parse(body.as_bytes()).map(|(_, value)| value.into_owned()).collect()
    } else {
        vec![body.to_owned()]
    }
}

fn longest(language: Language) -> String {
    let code = TransferCode::random();
    let shares = share::split(TransferKey::random(), 16, 16).unwrap();
    compose((language, true), 16, 16, 16, &code, &shares[15].line(&code)).to_string()
}

#[test]
fn the_longest_message_leaves_whole_in_one_place_as_one_segment() {
    let runtime = sluis_daemon::app::runtime().unwrap();
    let folder = tempfile::tempdir().unwrap();
    for name in ["twilio", "vonage", "cm", "sinch", "smstools", "ringring", "kannel"] {
        for kind in ["provider", "reports"] {
            let file = folder.path().join(format!("{kind}-{name}"));
            fs::write(&file, format!("{kind}-secret-0123456789")).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        }
        let (mut http, _) = http(name);
        http.check().unwrap();
        let (url, came) = stand_in(4);
        http.url = url;
        let credentials = Credentials::new(folder.path());
        let provider = Provider::new(
            &name.parse().unwrap(),
            &http,
            Some("https://agency.example"),
            &credentials,
        )
        .unwrap();
        let reference = Reference { transfer: TransferId::random(), index: 16 }.to_string();
        let mut sent = Vec::new();
        for language in [Language::Nl, Language::Fr, Language::En, Language::De] {
            let text = longest(language);
            assert!(septets(&text).unwrap() <= 160);
            let custodian = "custodian-a".parse().unwrap();
            let message = Message {
                custodian: &custodian,
                to: "+32470123456",
                text: &text,
                reference: &reference,
            };
            runtime.block_on(provider.send(&message));
            sent.push(text);
        }
        for ((head, body), text) in came.join().unwrap().iter().zip(&sent) {
            let found = texts(head, body);
            assert_eq!(found.iter().filter(|it| *it == text).count(), 1, "{name}: {found:?}");
            let line = text.lines().nth(1).unwrap();
            assert!(!head.contains(line) && !head.contains("{"), "{name}: {head}");
            let all = format!("{head}\n{}", found.join("\n"));
            for expected in ["32470123456", "provider-secret", reference.as_str()] {
                let basic = name == "twilio" && expected == "provider-secret";
                assert!(all.contains(expected) || basic, "{name} has no {expected}: {all}");
            }
            assert!(!found.iter().any(|it| it.contains('{')), "{name}: {found:?}");
        }
    }
}

#[test]
fn answers_are_read_as_each_preset_says() {
    let taken = |it: &Outcome| matches!(it, Outcome::Accepted { .. });
    let again = |it: &Outcome| matches!(it, Outcome::PutOff { .. });
    let never = |it: &Outcome| matches!(it, Outcome::Rejected { .. });
    let doubt = |it: &Outcome| matches!(it, Outcome::Unknown { .. });
    type Class = fn(&Outcome) -> bool;
    let answers: [(&str, u16, &str, Class); 21] = [
        ("twilio", 201, r#"{"sid":"SM1","status":"queued"}"#, taken),
        ("twilio", 400, r#"{"code":21211}"#, never),
        ("twilio", 429, r#"{"code":20429}"#, again),
        ("twilio", 500, "", doubt),
        ("vonage", 200, r#"{"messages":[{"status":"0","message-id":"0A"}]}"#, taken),
        ("vonage", 200, r#"{"messages":[{"status":"1"}]}"#, again),
        ("vonage", 200, r#"{"messages":[{"status":"5"}]}"#, doubt),
        ("vonage", 200, r#"{"messages":[{"status":"4"}]}"#, never),
        ("cm", 200, r#"{"details":"Created 1 message(s)","errorCode":0}"#, taken),
        ("cm", 201, r#"{"errorCode":999}"#, doubt),
        ("cm", 401, r#"{"errorCode":101}"#, never),
        ("sinch", 201, r#"{"id":"01FC"}"#, taken),
        ("sinch", 403, "{}", never),
        ("smstools", 200, r#"{"messageid":"x"}"#, taken),
        ("smstools", 400, r#"{"code":118}"#, never),
        ("ringring", 200, r#"{"ResultCode":0,"MessageId":"m"}"#, taken),
        ("ringring", 200, r#"{"ResultCode":7}"#, doubt),
        ("kannel", 202, "0: Accepted for delivery", taken),
        ("kannel", 202, "3: Queued for later delivery", taken),
        ("kannel", 403, "Authorization failed for sendsms", never),
        ("kannel", 503, "Temporal failure, try again later.", again),
    ];
    for (name, status, body, class) in answers {
        let outcome = http(name).0.outcome(status, body.as_bytes(), ("", ""));
        assert!(class(&outcome), "{name} {status} {body}: {outcome:?}");
    }
}

#[test]
fn reports_are_read_as_each_preset_says() {
    let failed = |code: &str| Some(Report::Failed { code: code.into() });
    let reports: [(&str, &str, &str, Option<Report>); 14] = [
        ("twilio", "ref=R", "MessageSid=SM1&MessageStatus=delivered", Some(Report::Delivered)),
        ("twilio", "ref=R", "MessageStatus=undelivered&ErrorCode=30005", failed("30005")),
        ("twilio", "ref=R", "MessageStatus=sent", Some(Report::Pending)),
        (
            "vonage",
            "",
            r#"{"client-ref":"R","status":"delivered","err-code":"0"}"#,
            Some(Report::Delivered),
        ),
        ("vonage", "", r#"{"client-ref":"R","status":"expired","err-code":"3"}"#, failed("3")),
        ("vonage", "", r#"{"client-ref":"R","status":"unknown"}"#, None),
        (
            "cm",
            "",
            r#"{"messages":{"msg":{"reference":"R","status":{"code":"2"}}}}"#,
            Some(Report::Delivered),
        ),
        (
            "cm",
            "",
            r#"{"messages":{"msg":{"reference":"R","status":{"code":3,"errorCode":"27"}}}}"#,
            failed("27"),
        ),
        (
            "sinch",
            "",
            r#"{"client_reference":"R","status":"Delivered","code":0}"#,
            Some(Report::Delivered),
        ),
        ("sinch", "", r#"{"client_reference":"R","status":"Failed","code":402}"#, failed("402")),
        (
            "ringring",
            "",
            r#"{"Reference":"R","StatusCode":"200","Message":"..."}"#,
            Some(Report::Delivered),
        ),
        ("kannel", "ref=R&type=16", "", failed("16")),
        ("smsd", "", "reference=R&state=UNDELIVERED&code=70", failed("70")),
        ("smsd", "", "reference=R&state=DELIVERED&code=", Some(Report::Delivered)),
    ];
    for (name, query, body, expected) in reports {
        let reporter = preset(name).1.unwrap();
        let read = report::read(&reporter, Some(query), body.as_bytes());
        assert_eq!(read, Some(("R".to_owned(), expected)), "{name} {query} {body}");
    }
}
