//! The mail as it leaves: what stands in it, and that nothing else can.

use super::*;

fn mail(subject: &str, body: &str) -> Mail {
    Mail { number: "abcdefgh.stad-mechelen".into(), subject: subject.into(), body: body.into() }
}

fn formatted(mail: &Mail, to: &str) -> String {
    let from = "Sluis <sluis@party.example>".parse().unwrap();
    String::from_utf8(message(&from, to, mail).unwrap().formatted()).unwrap()
}

#[test]
fn a_mail_is_plain_ascii_with_one_of_each_header() {
    let text = formatted(&mail("te laat: één €", "één regel\nen nog één\n.\n"), "an@party.example");
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(text.is_ascii(), "{text}");
    assert!(head.contains("Message-ID: <abcdefgh.stad-mechelen@party.example>"), "{head}");
    assert!(head.contains("Auto-Submitted: auto-generated"), "{head}");
    assert!(head.contains("Content-Type: text/plain; charset=utf-8"), "{head}");
    assert!(body.contains("=C3=A9=C3=A9n regel\r\nen nog"), "{body}");
    for name in ["From", "To", "Subject", "Message-ID", "Date"] {
        assert_eq!(head.lines().filter(|it| it.starts_with(&format!("{name}: "))).count(), 1);
    }
}

#[test]
fn what_would_break_out_of_a_header_does_not() {
    // Core never hands such a subject over; the library holds it too.
    let text = formatted(&mail("x\r\nBcc: thief@evil.example", "y"), "an@party.example");
    let (head, _) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.lines().all(|line| !line.to_lowercase().starts_with("bcc")), "{head}");
    for to in ["an@party.example\r\nBcc: x@y.example", "an@party.example, x@y.example", "an", ""] {
        let from = "sluis@party.example".parse().unwrap();
        assert!(message(&from, to, &mail("x", "y")).is_err(), "{to:?}");
    }
}
