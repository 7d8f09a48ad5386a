//! Splitting a key into shares, and the line that a person types.
//!
//! Shamir's scheme over GF(256) with the AES polynomial, from `vsss-rs`, behind a wrapper that is stricter
//! than any crate for it: a key is split once, 2 <= t <= n <= 16, indexes are 1 to n and distinct, exactly
//! t shares are used, and each is held against the commitment in `sent` before it counts.

use std::fmt;

use bech32::{Bech32m, Fe32, Hrp};
use sha2::{Digest as _, Sha256};
use vsss_rs::Gf256;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::crockford::{self, NotASymbol};
use crate::id::{Digest, TransferCode, TransferId};
use crate::key::TransferKey;
use crate::words::Words;

/// The most shares a key may be split into.
pub const MAX_SHARES: u8 = 16;
/// Version of the line, its first symbol.
const VERSION: u8 = 1;
/// Symbols of a line: version, threshold, index, 26 of share, 6 of checksum.
const SYMBOLS: usize = 3 + 26 + 6;

/// Where the share of this index stands among all of a transfer: they count from 1.
#[must_use]
pub fn place(index: u8) -> Option<usize> {
    usize::from(index).checked_sub(1)
}

/// One part of a key. Wiped when dropped, mute in `Debug`, on the heap as the key is.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Share {
    threshold: u8,
    index: u8,
    value: Box<[u8; 16]>,
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Share({} of t={})", self.index, self.threshold)
    }
}

impl ShareError {
    /// The same for people.
    #[must_use]
    pub fn words(&self) -> Words {
        let nl = match self {
            Self::Bounds { threshold, shares } => format!(
                "{threshold} van {shares} kan niet: er zijn er minstens 2 nodig en hoogstens 16 te geven"
            ),
            Self::Set { needed, got } => format!(
                "er zijn precies {needed} verschillende delen van één sleutel nodig, {got} passen"
            ),
            Self::Scheme => "de delen passen niet samen".into(),
        };
        Words { nl, en: self.to_string() }
    }
}

/// A split or a combination that the scheme does not allow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShareError {
    /// Outside 2 <= t <= n <= 16.
    #[error("{threshold} of {shares} is not possible: at least 2 must be needed, at most 16 given")]
    Bounds {
        /// How many should be needed.
        threshold: u8,
        /// How many should be given.
        shares: u8,
    },
    /// Not exactly t shares of one key with distinct indexes.
    #[error("exactly {needed} different shares of one key are needed, {got} fit")]
    Set {
        /// The threshold.
        needed: u8,
        /// How many different ones there are.
        got: usize,
    },
    /// The scheme itself refused.
    #[error("the shares do not combine")]
    Scheme,
}

/// Splits a key. Do it once for a key, ever: the key goes away with the call.
///
/// # Errors
/// [`ShareError::Bounds`].
pub fn split(key: TransferKey, threshold: u8, shares: u8) -> Result<Vec<Share>, ShareError> {
    split_with(key, threshold, shares, rand_core::UnwrapErr(getrandom::SysRng))
}

/// Splits with the coefficients that `rng` gives.
fn split_with(
    key: TransferKey,
    threshold: u8,
    shares: u8,
    rng: impl rand_core::CryptoRng,
) -> Result<Vec<Share>, ShareError> {
    check_bounds(threshold, shares)?;
    let parts = Gf256::split_bytes(threshold.into(), shares.into(), key.expose(), rng);
    drop(key);
    let mut parts = parts.map_err(|_| ShareError::Scheme)?;
    let made = parts.iter().map(|part| Share::from_part(threshold, part)).collect();
    parts.iter_mut().for_each(Zeroize::zeroize);
    made
}

/// Checks 2 <= t <= n <= 16.
///
/// # Errors
/// [`ShareError::Bounds`].
pub fn check_bounds(threshold: u8, shares: u8) -> Result<(), ShareError> {
    if (2..=shares).contains(&threshold) && shares <= MAX_SHARES {
        Ok(())
    } else {
        Err(ShareError::Bounds { threshold, shares })
    }
}

/// Combines exactly t shares into the key they were split from. Shares that were not split together give
/// another key: hold each against its commitment first.
///
/// # Errors
/// [`ShareError::Set`] where there are too few, too many, the same twice, or of different thresholds.
pub fn combine(shares: &[Share]) -> Result<TransferKey, ShareError> {
    let needed = shares.first().map_or(2, |share| share.threshold);
    let mut indexes: Vec<u8> = shares.iter().map(|share| share.index).collect();
    indexes.sort_unstable();
    indexes.dedup();
    let alike = shares.iter().all(|share| share.threshold == needed);
    if indexes.len() != usize::from(needed) || shares.len() != indexes.len() || !alike {
        return Err(ShareError::Set { needed, got: indexes.len() });
    }
    let parts: Zeroizing<Vec<Vec<u8>>> = Zeroizing::new(shares.iter().map(Share::part).collect());
    let key = Gf256::combine_bytes(&*parts).map(Zeroizing::new).map_err(|_| ShareError::Scheme)?;
    Ok(TransferKey::from_bytes(key.as_slice().try_into().map_err(|_| ShareError::Scheme)?))
}

impl Share {
    fn new(threshold: u8, index: u8, value: &[u8; 16]) -> Self {
        let mut share = Self { threshold, index, value: Box::new([0; 16]) };
        share.value.copy_from_slice(value);
        share
    }
    /// `vsss-rs` gives x, then y.
    fn from_part(threshold: u8, part: &[u8]) -> Result<Self, ShareError> {
        let (index, value) = part.split_first().ok_or(ShareError::Scheme)?;
        let value = value.try_into().map_err(|_| ShareError::Scheme)?;
        Ok(Self::new(threshold, *index, value))
    }
    fn part(&self) -> Vec<u8> {
        let mut part = Vec::with_capacity(17);
        part.push(self.index);
        part.extend_from_slice(&*self.value);
        part
    }
    /// How many shares open the envelope.
    #[must_use]
    pub fn threshold(&self) -> u8 {
        self.threshold
    }
    /// Its number, 1 to n.
    #[must_use]
    pub fn index(&self) -> u8 {
        self.index
    }
    /// The commitment that stands in `sent`: it says which share is wrong without saying what is right.
    #[must_use]
    pub fn commitment(&self, transfer: &TransferId, shares: u8) -> Digest {
        let mut hasher = Sha256::new();
        hasher.update(b"sluis/share/v1");
        hasher.update(transfer.as_bytes());
        hasher.update([self.threshold, shares, self.index]);
        hasher.update(*self.value);
        Digest::finish(hasher)
    }
    /// The line that a person types: 35 symbols in groups of four.
    #[must_use]
    pub fn line(&self, code: &TransferCode) -> Zeroizing<String> {
        let mut symbols = Zeroizing::new(vec![VERSION, self.threshold, self.index]);
        symbols.extend_from_slice(&crockford::pack(&self.value));
        let sum = checksum(code, &symbols);
        symbols.extend_from_slice(&sum);
        let groups: Vec<Zeroizing<String>> =
            symbols.chunks(4).map(|group| Zeroizing::new(crockford::text(group))).collect();
        let mut line = Zeroizing::new(String::with_capacity(SYMBOLS + groups.len()));
        for (count, group) in groups.iter().enumerate() {
            if count > 0 {
                line.push('-');
            }
            line.push_str(group);
        }
        line
    }
}

/// Why a typed line is not a share of this transfer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// A character that is no symbol.
    #[error(transparent)]
    Symbol(#[from] NotASymbol),
    /// Too short or too long.
    #[error("a share line has 35 symbols, dashes not counted; this one has {0}")]
    Length(usize),
    /// Exactly one symbol is wrong, and it is this one.
    #[error("mistyped: look at symbol {symbol} in group {group} (symbol {position} of 35)")]
    Typo {
        /// Its place among all symbols, from 1.
        position: usize,
        /// Its group of four, from 1.
        group: usize,
        /// Its place in the group, from 1.
        symbol: usize,
    },
    /// Two neighbours stand the wrong way round.
    #[error(
        "mistyped: symbol {symbol} of group {group} and the one behind it are the wrong way round"
    )]
    Swapped {
        /// The group of four of the first of them, from 1.
        group: usize,
        /// Its place in the group, from 1.
        symbol: usize,
    },
    /// More than one symbol is wrong.
    #[error(
        "mistyped in more than one place, or not a line of transfer {0}: look at the code in your message, and type the line again"
    )]
    Garbled(TransferCode),
    /// More than a line, such as the whole message.
    #[error(
        "only the line itself is typed: the nine groups of your message, and nothing else of it"
    )]
    Whole,
    /// A good line, of another transfer.
    #[error("this line belongs to transfer {0}")]
    OtherTransfer(TransferCode),
    /// Right checksum, impossible content.
    #[error("not a share line of this version")]
    Content,
}

impl LineError {
    /// The same for people.
    #[must_use]
    pub fn words(&self) -> Words {
        let nl = match self {
            Self::Symbol(symbol) => symbol.dutch(),
            Self::Length(length) => format!(
                "een regel van een sleuteldeel heeft 35 tekens, streepjes niet meegeteld; deze heeft er {length}"
            ),
            Self::Typo { position, group, symbol } => format!(
                "verkeerd getypt: kijk naar teken {symbol} van groep {group} (teken {position} van 35)"
            ),
            Self::Swapped { group, symbol } => format!(
                "verkeerd getypt: teken {symbol} van groep {group} en het volgende staan omgekeerd"
            ),
            Self::Garbled(code) => format!(
                "op meer dan één plaats verkeerd getypt, of geen regel van zending {code}: kijk naar de code in uw bericht, en typ de regel opnieuw"
            ),
            Self::Whole => {
                "alleen de regel zelf wordt getypt: de negen groepen van uw bericht, en niets anders ervan"
                    .into()
            }
            Self::OtherTransfer(code) => format!("deze regel hoort bij zending {code}"),
            Self::Content => "geen regel van een sleuteldeel van deze versie".into(),
        };
        Words { nl, en: self.to_string() }
    }
}

/// Reads a typed line for the transfer `code`; `others` are the codes whose lines it might be instead.
///
/// # Errors
/// [`LineError`], which says where to look.
pub fn read_line(
    text: &str,
    code: &TransferCode,
    others: &[TransferCode],
) -> Result<Share, LineError> {
    if text.len() > 400 {
        return Err(LineError::Whole);
    }
    let symbols = crockford::read(text).map_err(|wrong| {
        // A line in which something else slipped in is hardly longer than one.
        let long = text.chars().filter(|it| it.is_alphanumeric()).count() > SYMBOLS + 5;
        if long { LineError::Whole } else { wrong.into() }
    })?;
    if symbols.len() != SYMBOLS {
        return Err(LineError::Length(symbols.len()));
    }
    let (body, sum) = symbols.split_at(SYMBOLS - 6);
    if checksum(code, body).as_slice() != sum {
        let other = others.iter().find(|other| checksum(other, body).as_slice() == sum);
        return Err(match other {
            Some(other) => LineError::OtherTransfer(*other),
            None => locate(code, &symbols),
        });
    }
    let (version, threshold, index) = (body[0], body[1], body[2]);
    let value = crockford::unpack(&body[3..]).ok_or(LineError::Content)?;
    let sane = version == VERSION
        && (2..=MAX_SHARES).contains(&threshold)
        && (1..=MAX_SHARES).contains(&index);
    sane.then(|| Share::new(threshold, index, &value)).ok_or(LineError::Content)
}

/// The bech32m checksum (BIP-350) with the transfer code as its prefix, as six values.
fn checksum(code: &TransferCode, body: &[u8]) -> Zeroizing<Vec<u8>> {
    let text = hrpstring(code, body);
    let mut engine = bech32::primitives::checksum::Engine::<Bech32m>::new();
    engine.input_hrp(Hrp::parse_unchecked(&code.prefix()));
    for symbol in text.bytes().skip(TransferCode::SYMBOLS + 1) {
        engine.input_fe(Fe32::from_char_unchecked(symbol));
    }
    engine.input_target_residue();
    let residue = *engine.residue();
    Zeroizing::new((0..6).map(|place| ((residue >> (5 * (5 - place))) & 31) as u8).collect())
}

/// The line transliterated to bech32's own alphabet.
fn hrpstring(code: &TransferCode, symbols: &[u8]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(code.prefix());
    text.push('1');
    text.extend(symbols.iter().filter_map(|v| Fe32::try_from(*v).ok()).map(Fe32::to_char));
    text
}

/// Names the one symbol that is wrong, if only one is; it never mends the line for the person. Good lines differ in five
/// places or more, so no second symbol would do. Every one is tried: the crate's own corrector panics on some lines that
/// are wrong in many places (rust-bech32#290).
fn locate(code: &TransferCode, symbols: &[u8]) -> LineError {
    let (body, sum) = symbols.split_at(SYMBOLS - 6);
    let right = checksum(code, body);
    let wrong: Vec<usize> = (0..6).filter(|place| right[*place] != sum[*place]).collect();
    let mends = |place: &usize| {
        let mut other = Zeroizing::new(body.to_vec());
        (0..32).any(|value| {
            other[*place] = value;
            checksum(code, &other).as_slice() == sum
        })
    };
    let place = match wrong[..] {
        [place] => Some(body.len() + place),
        _ => (0..body.len()).find(mends),
    };
    let Some(at) = place else { return swapped(code, symbols) };
    LineError::Typo { position: at + 1, group: at / 4 + 1, symbol: at % 4 + 1 }
}

/// Names the two neighbours that stand the wrong way round, if that is all.
fn swapped(code: &TransferCode, symbols: &[u8]) -> LineError {
    let mends = |place: &usize| {
        let mut other = Zeroizing::new(symbols.to_vec());
        other.swap(*place, place + 1);
        let (body, sum) = other.split_at(SYMBOLS - 6);
        checksum(code, body).as_slice() == sum
    };
    let place = (0..symbols.len().saturating_sub(1)).find(mends);
    place.map_or(LineError::Garbled(*code), |at| LineError::Swapped {
        group: at / 4 + 1,
        symbol: at % 4 + 1,
    })
}

#[cfg(test)]
mod tests {
    use age_core::secrecy::ExposeSecret;
    use proptest::prelude::*;

    use super::*;

    fn code() -> TransferCode {
        "7K3F-9QX".parse().unwrap()
    }

    #[test]
    fn every_set_of_t_shares_combines_and_no_other_number_does() {
        for (t, n) in [(2, 2), (2, 3), (3, 4), (5, 9), (16, 16)] {
            let key = TransferKey::random();
            let shares = split(key.clone(), t, n).unwrap();
            let t = usize::from(t);
            for start in 0..=shares.len() - t {
                assert_eq!(combine(&shares[start..start + t]).unwrap(), key);
            }
            assert!(combine(&shares[..t - 1]).is_err());
            assert!(shares.len() == t || combine(&shares[..=t]).is_err());
        }
    }

    #[test]
    fn what_the_crates_let_pass_is_refused() {
        let shares = split(TransferKey::random(), 2, 3).unwrap();
        assert!(matches!(
            combine(&[shares[0].clone(), shares[0].clone()]),
            Err(ShareError::Set { .. })
        ));
        let forged = Share::new(2, 0, &[0x41; 16]);
        assert!(combine(&[shares[0].clone(), forged]).is_err());
        for (t, n) in [(0, 3), (1, 3), (4, 3), (2, 17)] {
            assert!(split(TransferKey::random(), t, n).is_err(), "{t} of {n}");
        }
    }

    fn vectors() -> Vec<serde_json::Value> {
        let mut file: serde_json::Value =
            serde_json::from_str(include_str!("../../docs/share-vectors.json")).unwrap();
        let serde_json::Value::Array(vectors) = file["vectors"].take() else { panic!("a list") };
        assert_eq!(vectors.len(), 7);
        vectors
    }

    /// Gives the coefficients of a vector for the random ones: for each byte of the key those of x, x^2, ...
    struct Known(std::vec::IntoIter<u8>);
    impl rand_core::TryRng for Known {
        type Error = std::convert::Infallible;
        fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
            Ok(self.0.next().unwrap().into())
        }
        fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
            unreachable!("a coefficient is a byte")
        }
        fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), Self::Error> {
            unreachable!("a coefficient is a byte")
        }
    }
    impl rand_core::TryCryptoRng for Known {}

    #[test]
    fn splitting_with_the_published_coefficients_gives_the_published_lines() {
        for vector in vectors() {
            let bytes = |value: &serde_json::Value| -> [u8; 16] {
                let text = value.as_str().unwrap().as_bytes();
                data_encoding::HEXLOWER.decode(text).unwrap().try_into().unwrap()
            };
            let number = |name: &str| u8::try_from(vector[name].as_u64().unwrap()).unwrap();
            let rows: Vec<_> =
                vector["coefficients"].as_array().unwrap().iter().map(bytes).collect();
            let known: Vec<u8> =
                (0..16).flat_map(|place| rows.iter().map(move |row| row[place])).collect();
            let key = TransferKey::from_bytes(&bytes(&vector["key"]));
            let passphrase = key.passphrase();
            assert_eq!(passphrase.expose_secret(), vector["passphrase"].as_str().unwrap());
            let mut rng = Known(known.into_iter());
            let shares = split_with(key, number("t"), number("n"), &mut rng).unwrap();
            assert_eq!(rng.0.len(), 0, "every coefficient was used");
            let code: TransferCode = vector["code"].as_str().unwrap().parse().unwrap();
            let made: Vec<_> = shares.iter().map(|share| share.line(&code)).collect();
            let published: Vec<_> = vector["shares"]
                .as_array()
                .unwrap()
                .iter()
                .map(|share| share["line"].as_str().unwrap())
                .collect();
            assert!(made.iter().map(|line| line.as_str()).eq(published), "{code}");
        }
    }

    #[test]
    fn nothing_of_a_share_is_printed_and_dropping_wipes() {
        fn wiped_when_dropped<T: ZeroizeOnDrop>(_: &T) {}
        let mut share = Share::new(2, 1, &[0xAB; 16]);
        wiped_when_dropped(&share);
        assert_eq!(format!("{share:?}"), "Share(1 of t=2)");
        share.zeroize();
        assert_eq!(share, Share::new(0, 0, &[0; 16]));
    }

    #[test]
    fn the_published_vectors_hold() {
        for vector in vectors() {
            let code: TransferCode = vector["code"].as_str().unwrap().parse().unwrap();
            let transfer: TransferId = vector["transfer"].as_str().unwrap().parse().unwrap();
            let n = u8::try_from(vector["n"].as_u64().unwrap()).unwrap();
            let shares: Vec<Share> = vector["shares"]
                .as_array()
                .unwrap()
                .iter()
                .map(|share| {
                    let read = read_line(share["line"].as_str().unwrap(), &code, &[]).unwrap();
                    assert_eq!(u64::from(read.index()), share["index"].as_u64().unwrap());
                    assert_eq!(
                        read.commitment(&transfer, n).to_string(),
                        share["commitment"].as_str().unwrap()
                    );
                    assert_eq!(*read.line(&code), share["line"].as_str().unwrap());
                    read
                })
                .collect();
            let t = usize::from(shares[0].threshold());
            let key = combine(&shares[..t]).unwrap();
            assert_eq!(
                data_encoding::HEXLOWER.encode(key.expose()),
                vector["key"].as_str().unwrap()
            );
            assert_eq!(combine(&shares[shares.len() - t..]).unwrap(), key);
        }
    }

    #[test]
    fn two_neighbours_the_wrong_way_round_are_named() {
        let shares = split(TransferKey::random(), 2, 3).unwrap();
        let line = shares[0].line(&code()).replace('-', "");
        for at in 0..SYMBOLS - 1 {
            let mut wrong: Vec<char> = line.chars().collect();
            wrong.swap(at, at + 1);
            let wrong: String = wrong.iter().collect();
            let found = LineError::Swapped { group: at / 4 + 1, symbol: at % 4 + 1 };
            let told = read_line(&wrong, &code(), &[]);
            assert_eq!(told.err(), (wrong != line).then_some(found));
        }
        let whole = format!("Sluis 7K3F-9QX. Typ deze regel: {line}");
        assert_eq!(read_line(&whole, &code(), &[]), Err(LineError::Whole));
        let told = read_line(&line.replacen(|it: char| it.is_ascii_digit(), "U", 1), &code(), &[]);
        assert!(told.unwrap_err().to_string().starts_with("'U' at symbol 1 of group 1 "));
    }

    #[test]
    fn any_single_typo_is_located() {
        let line = split(TransferKey::random(), 2, 3).unwrap()[1].line(&code());
        let symbols = crockford::read(&line).unwrap();
        for place in 0..SYMBOLS {
            for change in 1..32_u8 {
                let mut typed = symbols.clone();
                typed[place] = (typed[place] + change) % 32;
                let got = read_line(&crockford::text(&typed), &code(), &[]).unwrap_err();
                let LineError::Typo { position, group, symbol } = got else { panic!("{got}") };
                assert_eq!((position, (group - 1) * 4 + symbol), (place + 1, place + 1));
            }
        }
    }

    #[test]
    fn a_line_that_is_wrong_in_many_places_is_refused_and_ends_nothing() {
        // bech32 0.12 panics where it looks for the places.
        let line = "&2&w-htr8- àxa499gv-à-zn6 à-zn3t-5a499gv-zvp";
        assert_eq!(read_line(line, &code(), &[]), Err(LineError::Garbled(code())));
    }

    #[test]
    fn a_line_of_another_transfer_is_named_as_such() {
        let other: TransferCode = "ZZZZ-ZZZ".parse().unwrap();
        let line = split(TransferKey::random(), 2, 3).unwrap()[0].line(&other);
        assert_eq!(
            read_line(&line, &code(), &[other]).unwrap_err(),
            LineError::OtherTransfer(other)
        );
        assert!(read_line(&line, &code(), &[]).is_err());
    }

    #[test]
    fn the_commitment_knows_transfer_numbers_and_value() {
        let (one, other) = (TransferId::random(), TransferId::random());
        let shares = split(TransferKey::random(), 2, 3).unwrap();
        let base = shares[0].commitment(&one, 3);
        assert_ne!(base, shares[0].commitment(&other, 3));
        assert_ne!(base, shares[0].commitment(&one, 4));
        assert_ne!(base, shares[1].commitment(&one, 3));
    }

    proptest! {
        #[test]
        fn a_line_reads_back_however_it_is_spaced(bytes: [u8; 16], spaces in prop::collection::vec(0_usize..43, 0..6)) {
            let share = split(TransferKey::from_bytes(&bytes), 3, 5).unwrap().remove(4);
            let mut line = share.line(&code()).to_lowercase();
            for at in spaces { line.insert(at, ' '); }
            prop_assert_eq!(read_line(&line, &code(), &[]).unwrap(), share);
        }

        #[test]
        fn reading_any_text_never_panics(text in ".{0,500}") {
            let _ = read_line(&text, &code(), &[]);
        }

        #[test]
        fn any_35_symbols_are_refused(symbols in prop::collection::vec(0_u8..32, SYMBOLS)) {
            prop_assert!(read_line(&crockford::text(&symbols), &code(), &[]).is_err());
        }

        #[test]
        fn two_typos_never_pass(a in 0_usize..SYMBOLS, b in 0_usize..SYMBOLS, x in 1_u8..32, y in 1_u8..32) {
            prop_assume!(a != b);
            let line = split(TransferKey::random(), 2, 3).unwrap()[0].line(&code());
            let mut symbols = crockford::read(&line).unwrap();
            symbols[a] ^= x;
            symbols[b] ^= y;
            prop_assert!(read_line(&crockford::text(&symbols), &code(), &[]).is_err());
        }
    }
}
