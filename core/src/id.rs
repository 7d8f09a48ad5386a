//! Names and numbers that cross a border, each its own type, parsed once and right from then on.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::Digest as _;

use crate::crockford;

/// A text that is not what its type asks for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {why}")]
pub struct Malformed {
    /// The type that refused.
    pub what: &'static str,
    /// What it asks for.
    pub why: &'static str,
}

/// What [`Malformed`] says, and the same in Dutch.
const DUTCH: [(&str, &str); 25] = [
    ("1 to 63 characters of a-z, 0-9 and -", "1 tot 63 tekens uit a-z, 0-9 en -"),
    ("32 lower-case hexadecimal digits", "32 kleine hexadecimale cijfers"),
    ("64 lower-case hexadecimal digits", "64 kleine hexadecimale cijfers"),
    (
        "ten digits of the KBO, the first 0 or 1, as in 0543.307.391",
        "tien cijfers van de KBO, het eerste 0 of 1, zoals 0543.307.391",
    ),
    (
        "its last two digits do not check the first eight: a typing error",
        "de laatste twee cijfers kloppen niet met de eerste acht: een typfout",
    ),
    ("five digits, as in 12025", "vijf cijfers, zoals 12025"),
    (
        "7 letters and digits, as in 7K3F-9QX, never a U",
        "7 letters en cijfers, zoals 7K3F-9QX, nooit een U",
    ),
    (" is not in ", " ligt niet in "),
    ("such as art. 6 or recital C", "zoals art. 6 of overweging C"),
    ("a code such as removal-target or quality", "een code zoals removal-target of quality"),
    ("enterprise number: ", "ondernemingsnummer: "),
    ("NIS code: ", "NIS-code: "),
    ("transfer code: ", "code van een zending: "),
    ("article: ", "artikel: "),
    ("clock: ", "termijn: "),
    (
        "a host and a port, as in sluiskom.example:8443",
        "een host en een poort, zoals sluiskom.example:8443",
    ),
    ("address: ", "adres: "),
    ("party: ", "partij: "),
    ("agreement: ", "overeenkomst: "),
    ("custodian: ", "bewaarder: "),
    ("channel: ", "kanaal: "),
    ("group: ", "groep: "),
    ("transfer: ", "zending: "),
    ("upload: ", "opgeladen bestand: "),
    ("salt: ", "salt: "),
];

impl Malformed {
    /// A text in which one stands, with its words in Dutch: parsers of files and of what is typed keep only the text.
    #[must_use]
    pub fn in_dutch(text: &str) -> String {
        // What the library of dates says has a hundred forms, and one cause.
        if text.contains("failed to parse") {
            return "geen datum: jjjj-mm-dd".to_owned();
        }
        DUTCH.iter().fold(text.to_owned(), |text, (en, nl)| text.replace(en, nl))
    }
}

/// Gives a string-like type `Display`, `FromStr`, and serde through its text.
macro_rules! textual {
    ($name:ident) => {
        impl TryFrom<String> for $name {
            type Error = Malformed;
            fn try_from(text: String) -> Result<Self, Malformed> {
                text.parse()
            }
        }
        impl From<$name> for String {
            fn from(value: $name) -> String {
                value.to_string()
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{self}")
            }
        }
    };
}

/// A lower-case name of 1 to 63 characters, `[a-z0-9-]`. Never a pattern: SSH's `allowed_signers`
/// would read `*` or a comma as "anybody".
macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl FromStr for $name {
            type Err = Malformed;
            fn from_str(text: &str) -> Result<Self, Malformed> {
                let fits = (1..=63).contains(&text.len())
                    && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
                if fits {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(Malformed {
                        what: $what,
                        why: "1 to 63 characters of a-z, 0-9 and -",
                    })
                }
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        textual!($name);
    };
}

name! {
    /// A party of an agreement; the principal of its signatures.
    PartyId, "party"
}
name! {
    /// An agreement, and so a folder of the outbox and a tenant of the drop zone.
    AgreementId, "agreement"
}
name! {
    /// A custodian: an entry in the agreement, not a Unix user.
    CustodianId, "custodian"
}
name! {
    /// A route of shares: one account at one provider.
    ChannelId, "channel"
}
name! {
    /// Providers under one owner or operator share a group.
    GroupId, "group"
}

/// 128 random bits as 32 lower-case hexadecimal digits.
macro_rules! random_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name([u8; 16]);

        impl $name {
            /// A new one from the system's random numbers.
            #[must_use]
            pub fn random() -> Self {
                let mut bytes = [0; 16];
                fill_random(&mut bytes);
                Self(bytes)
            }
            /// The 16 bytes.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }
        impl FromStr for $name {
            type Err = Malformed;
            fn from_str(text: &str) -> Result<Self, Malformed> {
                hex_bytes(text).map(Self).ok_or(Malformed {
                    what: $what,
                    why: "32 lower-case hexadecimal digits",
                })
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
            }
        }
        textual!($name);
    };
}

random_id! {
    /// One transfer, on both sides.
    TransferId, "transfer"
}
random_id! {
    /// One upload in a drop zone, chosen by the drop zone.
    UploadId, "upload"
}
random_id! {
    /// What the digest of a contacts file says nothing with: telephone numbers alone can be guessed.
    Salt, "salt"
}

/// A SHA-256 digest, written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(sha2::Sha256::digest(bytes).into())
    }
    /// A finished hasher's digest.
    #[must_use]
    pub fn finish(hasher: sha2::Sha256) -> Self {
        Self(hasher.finalize().into())
    }
    /// Of all bytes that are read.
    ///
    /// # Errors
    /// Those of who is read from.
    pub fn read(mut from: impl std::io::Read) -> std::io::Result<Self> {
        let mut hasher = sha2::Sha256::new();
        std::io::copy(&mut from, &mut hasher)?;
        Ok(Self::finish(hasher))
    }
    /// The 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
    /// What stands where there is nothing before: 64 zeros.
    #[must_use]
    pub fn none() -> Self {
        Self([0; 32])
    }
}
impl From<[u8; 32]> for Digest {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}
impl FromStr for Digest {
    type Err = Malformed;
    fn from_str(text: &str) -> Result<Self, Malformed> {
        hex_bytes(text)
            .map(Self)
            .ok_or(Malformed { what: "digest", why: "64 lower-case hexadecimal digits" })
    }
}
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}
textual!(Digest);

/// A number in the Belgian register of enterprises (KBO), ten digits of which the last two check the others.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Kbo(String);

impl FromStr for Kbo {
    type Err = Malformed;
    /// With dots and spaces or without: `0543.307.391` is `0543307391`.
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let digits: String = text.chars().filter(|c| !matches!(c, '.' | ' ')).collect();
        let form = digits.len() == 10
            && digits.starts_with(['0', '1'])
            && digits.bytes().all(|b| b.is_ascii_digit());
        let why = "ten digits of the KBO, the first 0 or 1, as in 0543.307.391";
        let malformed = |why| Malformed { what: "enterprise number", why };
        if !form {
            return Err(malformed(why));
        }
        let number: u64 = digits.parse().map_err(|_| malformed(why))?;
        if number % 100 != 97 - (number / 100) % 97 {
            return Err(malformed(
                "its last two digits do not check the first eight: a typing error",
            ));
        }
        Ok(Self(digits))
    }
}
impl fmt::Display for Kbo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", &self.0[..4], &self.0[4..7], &self.0[7..])
    }
}
textual!(Kbo);

/// The code of a municipality in the national statistics (NIS), five digits.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Nis(String);

impl Nis {
    /// The five digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
impl FromStr for Nis {
    type Err = Malformed;
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let fits =
            text.len() == 5 && !text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit());
        let malformed = Malformed { what: "NIS code", why: "five digits, as in 12025" };
        if fits { Ok(Self(text.to_owned())) } else { Err(malformed) }
    }
}
impl fmt::Display for Nis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
textual!(Nis);

/// The longest address of a page, in bytes.
const MAX_PAGE: usize = 1000;

/// Whether this is the address of a page on a public website, and nothing else: it may stand in a link.
#[must_use]
pub fn is_page(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://") else { return false };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (name, port) = host.split_once(':').unwrap_or((host, "443"));
    let label =
        |it: &str| !it.is_empty() && it.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let plain = |b: u8| b.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&b);
    text.len() <= MAX_PAGE
        && name.contains('.')
        && name.split('.').all(label)
        && port.bytes().all(|b| b.is_ascii_digit())
        && port.parse::<u16>().is_ok_and(|port| port > 0)
        && rest.bytes().all(plain)
}

/// `host:port`; an IPv6 host in brackets.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address(String);

impl Address {
    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
impl FromStr for Address {
    type Err = Malformed;
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let fits = text.rsplit_once(':').is_some_and(|(host, port)| {
            let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
            let plain = bare.unwrap_or(host);
            let alone = bare.is_some() || !plain.contains(':');
            let odd = |c: char| c.is_whitespace() || c.is_control() || "/\"[]@".contains(c);
            !plain.is_empty() && !plain.contains(odd) && alone && port.parse::<u16>().is_ok()
        });
        let malformed =
            Malformed { what: "address", why: "a host and a port, as in sluiskom.example:8443" };
        if fits { Ok(Self(text.to_owned())) } else { Err(malformed) }
    }
}
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
textual!(Address);

/// The mark of what is a rehearsal and no delivery: one word in every language (R88).
pub const DRILL: &str = "OEFENING";

/// What a transfer is called wherever it is shown: a rehearsal has the mark before its code, always.
#[must_use]
pub fn called(code: impl fmt::Display, rehearsal: bool) -> String {
    if rehearsal { format!("{DRILL} {code}") } else { code.to_string() }
}

/// Seven random Crockford symbols that people say to each other, shown as `7K3F-9QX`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TransferCode([u8; TransferCode::SYMBOLS]);

impl TransferCode {
    /// How many symbols a code has.
    pub const SYMBOLS: usize = 7;

    /// A new one; whoever takes it into use makes sure that no open transfer has it.
    #[must_use]
    pub fn random() -> Self {
        let mut symbols = [0; Self::SYMBOLS];
        fill_random(&mut symbols);
        Self(symbols.map(|byte| byte & 31))
    }
    /// The symbols without the dash, in lower case: the prefix of a share line's checksum.
    #[must_use]
    pub fn prefix(&self) -> String {
        crockford::text(&self.0).to_lowercase()
    }
}
impl FromStr for TransferCode {
    type Err = Malformed;
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let symbols = crockford::read(text).map(|read| read.to_vec());
        symbols.ok().and_then(|symbols| symbols.try_into().ok()).map(Self).ok_or(Malformed {
            what: "transfer code",
            why: "7 letters and digits, as in 7K3F-9QX, never a U",
        })
    }
}
impl fmt::Display for TransferCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = crockford::text(&self.0);
        write!(f, "{}-{}", &text[..4], &text[4..])
    }
}
textual!(TransferCode);

/// An instant: milliseconds since 1970-01-01 UTC.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default,
)]
#[serde(transparent)]
pub struct Time(pub i64);

/// So far, in milliseconds, a clock may be behind what was written by it before, or by another one: what is later than that
/// has not come.
pub const SKEW_MS: i64 = 600_000;

impl Time {
    /// So many milliseconds later.
    #[must_use]
    pub fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }
    /// So many days later, counted as 24 hours each.
    #[must_use]
    pub fn plus_days(self, days: u32) -> Self {
        self.plus_ms(i64::from(days) * 86_400_000)
    }
    /// Whether it has come by now, and is no longer ago than so many milliseconds. What a clock that was wrong wrote into
    /// the future is not fresh: it has not come.
    #[must_use]
    pub fn is_fresh(self, ms: i64, now: Self) -> bool {
        self.has_come(now) && self >= now.plus_ms(-ms)
    }
    /// When something was said that was heard then, by its own time: the other side's clock is data, and nothing was said
    /// after it was heard.
    #[must_use]
    pub fn heard(self, then: Self) -> Self {
        self.min(then.plus_ms(SKEW_MS))
    }
    /// Whether it has come by now.
    #[must_use]
    pub(crate) fn has_come(self, now: Self) -> bool {
        self <= now.plus_ms(SKEW_MS)
    }
    /// The civil date in Brussels, as the agreement counts dates.
    #[must_use]
    pub fn date(self) -> jiff::civil::Date {
        self.brussels().date()
    }
    /// `2026-11-23 17:08:23` in Brussels, for people.
    #[must_use]
    pub fn local(self) -> String {
        self.brussels().strftime("%Y-%m-%d %H:%M:%S").to_string()
    }
    /// `2026-10-25 02:30:00 (UTC+1)` in Brussels: for what runs in hours, because that night has two of these (R82).
    #[must_use]
    pub fn local_hour(self) -> String {
        let local = self.brussels();
        let hours = local.offset().seconds() / 3600;
        format!("{} (UTC{hours:+})", local.strftime("%Y-%m-%d %H:%M:%S"))
    }
    fn brussels(self) -> jiff::ZonedDateTime {
        let stamp = jiff::Timestamp::from_millisecond(self.0).unwrap_or_default();
        // The zone is compiled in; were it missing, UTC still orders events rightly.
        stamp
            .in_tz("Europe/Brussels")
            .unwrap_or_else(|_| stamp.to_zoned_datetime(jiff::tz::TimeZone::UTC))
    }
}
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stamp = jiff::Timestamp::from_millisecond(self.0).unwrap_or_default();
        write!(f, "{}", stamp.strftime("%Y-%m-%dT%H:%M:%SZ"))
    }
}

/// Fills a buffer from the system's random numbers.
///
/// # Panics
/// If the kernel has none to give: nothing in Sluis may go on without.
pub fn fill_random(buffer: &mut [u8]) {
    #[expect(clippy::expect_used, reason = "without random numbers no secret can be made")]
    getrandom::fill(buffer).expect("the kernel gives random numbers");
}

/// `N` bytes from exactly `2 N` lower-case hexadecimal digits.
fn hex_bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    data_encoding::HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_party_is_never_a_pattern() {
        for bad in ["", "*", "a,b", "Mechelen", "a b", &"x".repeat(64)] {
            assert!(bad.parse::<PartyId>().is_err(), "{bad:?}");
        }
        assert_eq!("stad-mechelen".parse::<PartyId>().unwrap().as_str(), "stad-mechelen");
    }

    #[test]
    fn what_has_not_come_is_not_fresh_nor_what_is_too_long_ago() {
        let now = Time(1_700_000_000_000);
        for (ms, fresh) in [
            (-100_001, false),
            (-100_000, true),
            (0, true),
            (SKEW_MS, true),
            (SKEW_MS + 1, false),
            (i64::MAX, false),
        ] {
            assert_eq!(now.plus_ms(ms).is_fresh(100_000, now), fresh, "{ms}");
        }
    }

    #[test]
    fn a_code_reads_what_it_writes_and_what_people_type() {
        let code = TransferCode::random();
        assert_eq!(code.to_string().parse::<TransferCode>().unwrap(), code);
        let typed: TransferCode = "7k3f 9qx".parse().unwrap();
        assert_eq!(typed.to_string(), "7K3F-9QX");
        assert!("7K3F-9Q".parse::<TransferCode>().is_err());
    }

    #[test]
    fn whatever_is_malformed_is_told_in_dutch_too() {
        let mut told = vec![
            "A".parse::<PartyId>().unwrap_err(),
            "A".parse::<TransferId>().unwrap_err(),
            "A".parse::<Digest>().unwrap_err(),
            "A".parse::<Kbo>().unwrap_err(),
            "0543.307.392".parse::<Kbo>().unwrap_err(),
            "A".parse::<Nis>().unwrap_err(),
            "A".parse::<TransferCode>().unwrap_err(),
            "A".parse::<Salt>().unwrap_err(),
            "A".parse::<Address>().unwrap_err(),
            "A".parse::<crate::article::Article>().unwrap_err(),
        ];
        told.extend("A".parse::<crate::deadline::Clock>().err());
        for one in told {
            let (en, nl) = (one.to_string(), Malformed::in_dutch(&one.to_string()));
            assert!(!nl.contains(one.why) && nl != en, "{nl}");
        }
    }

    #[test]
    fn ids_and_digests_have_one_form() {
        let id = TransferId::random();
        assert_eq!(id.to_string().parse::<TransferId>().unwrap(), id);
        assert!(
            id.to_string().to_uppercase().parse::<TransferId>().is_err()
                || id.to_string().chars().all(|c| c.is_ascii_digit())
        );
        assert!("../../etc/passwd".parse::<UploadId>().is_err());
        assert_eq!(
            Digest::of(b"").to_string(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }

    #[test]
    fn an_enterprise_number_checks_itself_and_a_nis_code_has_five_digits() {
        for good in ["0543.307.391", "0543307391", "0543 307 391"] {
            assert_eq!(good.parse::<Kbo>().unwrap().to_string(), "0543.307.391");
        }
        // Every single digit that is mistyped is seen.
        for place in 0..10 {
            for digit in b'0'..=b'9' {
                let mut typed = *b"0543307391";
                if typed[place] != digit {
                    typed[place] = digit;
                    assert!(std::str::from_utf8(&typed).unwrap().parse::<Kbo>().is_err());
                }
            }
        }
        for bad in ["", "543307391", "BE0543307391", "0543-307-391", "05433073910", "2543307391"] {
            assert!(bad.parse::<Kbo>().is_err(), "{bad}");
        }
        assert_eq!("12025".parse::<Nis>().unwrap().as_str(), "12025");
        for bad in ["", "1202", "120250", "0202a", "02025"] {
            assert!(bad.parse::<Nis>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_address_has_a_host_and_a_port() {
        for good in ["zone.example:8443", "127.0.0.1:1", "[::]:8443", "[2001:db8::1]:443"] {
            assert_eq!(good.parse::<Address>().unwrap().as_str(), good);
        }
        for bad in [
            "lala",
            ":8443",
            "zone.example",
            "zone.example:",
            "zone.example:https",
            "[]:1",
            "zone.example:70000",
            "2001:db8::1:443",
            "https://zone.example:1",
            "a b:1",
            "u@h:1",
        ] {
            assert!(bad.parse::<Address>().is_err(), "{bad}");
        }
    }

    #[test]
    fn two_moments_of_one_night_in_october_are_told_apart() {
        let first = Time(1_792_888_200_000);
        assert_eq!(first.local_hour(), "2026-10-25 02:30:00 (UTC+2)");
        assert_eq!(first.plus_ms(3_600_000).local_hour(), "2026-10-25 02:30:00 (UTC+1)");
        assert_eq!(first.local(), first.plus_ms(3_600_000).local(), "which this does not");
    }

    #[test]
    fn dates_are_counted_in_brussels() {
        // 23:30 UTC on new year's eve is already the new year in Brussels.
        let late = Time(1_798_759_800_000);
        assert_eq!(late.to_string(), "2026-12-31T23:30:00Z");
        assert_eq!(late.date().to_string(), "2027-01-01");
    }
}
