//! What is read of a report, and what is not.

use super::*;

fn reporter(toml: &str) -> Reporter {
    toml::from_str(toml).unwrap()
}

fn kannel() -> Reporter {
    reporter(
        r#"
        reference = { query = "ref" }
        state = { query = "type" }
        delivered = ["1"]
        failed = ["2", "16"]
        pending = ["4", "8"]
        "#,
    )
}

#[test]
fn a_state_that_is_not_named_is_no_report() {
    let of = |query| read(&kannel(), Some(query), b"");
    assert_eq!(of("ref=a-1&type=1"), Some(("a-1".into(), Some(Report::Delivered))));
    assert_eq!(of("type=8&ref=a-1"), Some(("a-1".into(), Some(Report::Pending))));
    assert_eq!(
        of("ref=a-1&type=16"),
        Some(("a-1".into(), Some(Report::Failed { code: "16".into() })))
    );
    for silent in ["ref=a-1&type=3", "ref=a-1&type="] {
        assert_eq!(of(silent), Some(("a-1".into(), None)), "{silent}");
    }
    for nothing in ["", "ref=a-1", "type=1", "=&=&&&"] {
        assert_eq!(of(nothing), None, "{nothing}");
    }
    assert_eq!(read(&kannel(), None, b"ref=a-1&type=1"), None, "the body is another place");
}

#[test]
fn fields_may_stand_in_different_places_and_a_sentence_is_no_code() {
    let twilio = reporter(
        r#"
        reference = { query = "ref" }
        state = { form = "MessageStatus" }
        code = { form = "ErrorCode" }
        delivered = ["delivered"]
        failed = ["failed", "undelivered"]
        "#,
    );
    let of =
        |body: &str| read(&twilio, Some("ref=a-1"), body.as_bytes()).and_then(|(_, report)| report);
    assert_eq!(of("MessageStatus=delivered"), Some(Report::Delivered));
    let failed = |code: &str| Some(Report::Failed { code: code.into() });
    assert_eq!(of("MessageStatus=failed&ErrorCode=30003"), failed("30003"));
    let sentence = "MessageStatus=failed&ErrorCode=Sluis+sleuteldeel+1+van+3+121Y-RQDH";
    assert_eq!(of(sentence), failed("failed"), "what a body repeats goes nowhere");
}

#[test]
fn json_of_any_shape_is_read_or_not_and_never_panics() {
    let json = reporter(
        r#"
        reference = { json = "/results/0/ref" }
        state = { json = "/results/0/status" }
        delivered = ["0"]
        failed = ["1"]
        "#,
    );
    let of = |body: &[u8]| read(&json, None, body).and_then(|(_, report)| report);
    assert_eq!(of(br#"{"results":[{"ref":"a-1","status":0}]}"#), Some(Report::Delivered));
    let deep = "[".repeat(100_000);
    let long = format!(r#"{{"results":[{{"ref":"{}","status":0}}]}}"#, "a".repeat(300));
    for nothing in
        ["", "{}", "[]", "null", "\u{0}", &deep, &long, r#"{"results":[{"ref":[],"status":{}}]}"#]
    {
        assert_eq!(of(nothing.as_bytes()), None);
    }
}
