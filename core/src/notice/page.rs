//! A publication (art. 10): the address of a page in `text`, since when in `on`, the digest of what was seen there in
//! `paper`.

use super::{Fault, Notice};
use crate::content::nrn;
use crate::id::{Time, is_page};

/// Whether a publication may be recorded as this.
pub(super) fn check(notice: &Notice, now: Time) -> Result<(), Fault> {
    if !is_page(&notice.text) {
        return Err(Fault::Address);
    }
    // Addresses have long numbers of their own: only one with a right check number could be a person's.
    if nrn::stands_in(&notice.text) {
        return Err(Fault::Personal);
    }
    if notice.paper.is_none() {
        return Err(Fault::Missing("--page"));
    }
    // A minute for clocks that differ.
    match notice.on {
        None => Err(Fault::Missing("--on")),
        Some(on) if on > now.plus_ms(60_000).date() => Err(Fault::Ahead),
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::agreement::Side;
    use crate::id::Digest;
    use crate::notice::{Register, Sort};

    /// Noon in Brussels on 2 March 2026.
    const NOON: Time = Time(1_772_449_200_000);

    #[test]
    fn an_address_is_one_of_a_public_page_and_nothing_that_a_browser_would_run() {
        for good in [
            "https://www.mechelen.be/protocol",
            "https://a.example",
            "https://a.example:8443/x?y=1&z=%20#deel-2",
            "https://xn--ole-8la.example/20201218123456789/protocol.pdf",
        ] {
            assert!(is_page(good), "{good}");
        }
        for bad in [
            "",
            "https://",
            "http://a.example/",
            "HTTPS://a.example/",
            "javascript:alert(1)//https://a.example",
            " https://a.example",
            "https://a.example/a b",
            "https://a.example/\n",
            "https://a.example/\u{202e}",
            "https://a.example/\"onload=",
            "https://a.example/<script>",
            "https://user@a.example/",
            "https://user:word@a.example/",
            "https://localhost/",
            "https://a..example/",
            "https://a.example:0/",
            "https://a.example:+1/",
            "https://a.example:65536/",
            &format!("https://a.example/{}", "x".repeat(1000)),
        ] {
            assert!(!is_page(bad), "{bad}");
        }
    }

    #[test]
    fn a_publication_has_its_address_its_page_and_a_day_that_has_come_and_is_either_partys() {
        let text = include_str!("../../../config/examples/agreements/mechelen.toml");
        let agreement = toml::from_str(text).unwrap();
        let whole = Notice {
            on: Some(date(2026, 3, 2)),
            paper: Some(Digest::none()),
            ..Notice::of("https://www.mechelen.be/protocol")
        };
        let may = |by, notice: &Notice| {
            Register::default().may(&agreement, by, Sort::Publication, notice, NOON)
        };
        for side in [Side::Agency, Side::Municipality] {
            assert_eq!(may(side, &whole), Ok(()));
        }
        let fault = |change: fn(&mut Notice)| {
            let mut notice = whole.clone();
            change(&mut notice);
            may(Side::Agency, &notice).unwrap_err()
        };
        assert_eq!(fault(|it| it.text = "www.mechelen.be".into()), Fault::Address);
        assert_eq!(fault(|it| it.text.push_str("/85073003328")), Fault::Personal);
        assert_eq!(fault(|it| it.text.push_str("?nr=85.07.30-033.28")), Fault::Personal);
        assert_eq!(fault(|it| it.text.push_str("/x-85073003328.html")), Fault::Personal);
        assert_eq!(fault(|it| it.text.push_str("/nr85.07.30,033.28x")), Fault::Personal);
        assert_eq!(fault(|it| it.paper = None), Fault::Missing("--page"));
        assert_eq!(fault(|it| it.on = None), Fault::Missing("--on"));
        assert_eq!(fault(|it| it.on = Some(date(2026, 3, 3))), Fault::Ahead);
    }
}
