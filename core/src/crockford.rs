//! Crockford's base 32: the 32 symbols that people type, five bits each.
//!
//! Source: Douglas Crockford, "Base 32". Reading is lenient where people slip: case, `O` for `0`, `I` and
//! `L` for `1`, spaces and dashes anywhere, and the unshifted digit row of a Belgian AZERTY keyboard.

use zeroize::Zeroizing;

/// The symbols in the order of their values, 0 to 31.
const SYMBOLS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// What a Belgian AZERTY keyboard types for 1 to 9 and 0 when Shift is forgotten.
const AZERTY: [char; 10] = ['&', 'é', '"', '\'', '(', '§', 'è', '!', 'ç', 'à'];

/// A character that stands for no symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{character:?} at symbol {} of group {} stands in no share line", (position - 1) % 4 + 1, (position - 1) / 4 + 1)]
pub struct NotASymbol {
    /// What was typed.
    pub character: char,
    /// Its place among the symbols, from 1.
    pub position: usize,
}

impl NotASymbol {
    /// The same in Dutch.
    #[must_use]
    pub fn dutch(&self) -> String {
        let Self { character, position } = self;
        let (symbol, group) = ((position - 1) % 4 + 1, (position - 1) / 4 + 1);
        format!("{character:?} op teken {symbol} van groep {group} staat in geen enkele regel")
    }
}

/// Symbols as text, in capitals. Values above 31 keep their low five bits.
#[must_use]
pub fn text(values: &[u8]) -> String {
    values.iter().map(|value| SYMBOLS[usize::from(value & 31)] as char).collect()
}

/// The values of the symbols in a text.
///
/// # Errors
/// The first character that stands for no symbol.
pub fn read(text: &str) -> Result<Zeroizing<Vec<u8>>, NotASymbol> {
    let mut values = Zeroizing::new(Vec::with_capacity(text.len()));
    for character in
        text.chars().filter(|c| !c.is_whitespace() && !"-\u{2010}\u{2011}\u{2013}".contains(*c))
    {
        let position = values.len() + 1;
        values.push(value(character).ok_or(NotASymbol { character, position })?);
    }
    Ok(values)
}

fn value(character: char) -> Option<u8> {
    if let Some(digit) = AZERTY.iter().position(|c| *c == character) {
        return u8::try_from((digit + 1) % 10).ok();
    }
    let plain = match character.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    SYMBOLS.iter().position(|symbol| *symbol as char == plain).and_then(|v| u8::try_from(v).ok())
}

/// 16 bytes as 26 symbols, first bit first; the two padding bits are zero.
#[must_use]
pub fn pack(bytes: &[u8; 16]) -> Zeroizing<Vec<u8>> {
    let number = u128::from_be_bytes(*bytes);
    let symbol = |place: u32| match 128_u32.checked_sub(5 * (place + 1)) {
        Some(shift) => (number >> shift) & 31,
        None => (number << 2) & 31,
    };
    #[expect(clippy::cast_possible_truncation, reason = "five bits")]
    Zeroizing::new((0..26).map(|place| symbol(place) as u8).collect())
}

/// The 16 bytes behind 26 symbols, or nothing where the count or the padding bits are wrong.
#[must_use]
pub fn unpack(values: &[u8]) -> Option<Zeroizing<[u8; 16]>> {
    let (last, head) = values.split_last()?;
    if values.len() != 26 || last & 3 != 0 {
        return None;
    }
    let number = head.iter().fold(0_u128, |number, value| number << 5 | u128::from(value & 31));
    Some(Zeroizing::new((number << 3 | u128::from(last >> 2)).to_be_bytes()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn packing_is_undone_by_unpacking(bytes: [u8; 16]) {
            let packed = pack(&bytes);
            prop_assert_eq!(packed.len(), 26);
            prop_assert_eq!(*unpack(&packed).unwrap(), bytes);
            prop_assert_eq!(&*read(&text(&packed)).unwrap(), &*packed);
        }

        #[test]
        fn reading_never_panics(text in ".{0,80}") {
            let _ = read(&text);
        }
    }

    #[test]
    fn the_packing_is_the_standard_one() {
        let spec = {
            let mut spec = data_encoding::Specification::new();
            spec.symbols.push_str("0123456789ABCDEFGHJKMNPQRSTVWXYZ");
            spec.encoding().unwrap()
        };
        let bytes = *b"0123456789abcdef";
        assert_eq!(text(&pack(&bytes)), spec.encode(&bytes));
    }

    #[test]
    fn padding_that_is_not_zero_is_refused() {
        let mut packed = pack(&[7; 16]).to_vec();
        packed[25] |= 1;
        assert!(unpack(&packed).is_none());
    }

    #[test]
    fn slips_of_the_hand_are_understood() {
        assert_eq!(*read("oO0 iIlL1 -").unwrap(), vec![0, 0, 0, 1, 1, 1, 1, 1]);
        assert_eq!(*read("&é\"'(§è!çà").unwrap(), vec![1, 2, 3, 4, 5, 6, 7, 8, 9, 0]);
        assert_eq!(read("12U"), Err(NotASymbol { character: 'U', position: 3 }));
    }
}
