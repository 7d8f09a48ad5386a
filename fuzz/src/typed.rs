//! What persons type: share lines, codes, names.

/// A share line.
pub mod share_line {
    use sluis_core::crockford;
    use sluis_core::id::TransferCode;
    use sluis_core::share::{LineError, combine, read_line};

    use crate::world::{code, lines};

    /// A line of another transfer that the custodian might have.
    fn other() -> TransferCode {
        "ZZZZ-ZZZ".parse().unwrap()
    }

    /// What is read prints back to the same share; where a typo is shown, another symbol there mends the line.
    #[must_use]
    pub fn take(bytes: &[u8]) -> bool {
        let Ok(text) = std::str::from_utf8(bytes) else { return false };
        match read_line(text, &code(), &[other()]) {
            Ok(share) => {
                let line = share.line(&code());
                assert_eq!(line.len(), 35 + 8);
                assert_eq!(read_line(&line, &code(), &[]).unwrap(), share);
                assert_eq!(*crockford::read(&line).unwrap(), *crockford::read(text).unwrap());
                // Too few, or the same twice, open nothing.
                assert!(combine(std::slice::from_ref(&share)).is_err());
                assert!(combine(&vec![share.clone(); usize::from(share.threshold())]).is_err());
                true
            }
            Err(LineError::Typo { position, group, symbol }) => {
                assert_eq!((group - 1) * 4 + symbol, position);
                let symbols = crockford::read(text).unwrap();
                let mended = (0..32).any(|value| {
                    let mut symbols = symbols.clone();
                    symbols[position - 1] = value;
                    let line = crockford::text(&symbols);
                    matches!(read_line(&line, &code(), &[]), Ok(_) | Err(LineError::Content))
                });
                assert!(mended, "symbol {position} of {text}");
                false
            }
            Err(LineError::OtherTransfer(named)) => {
                assert_eq!(named, other());
                assert!(matches!(read_line(text, &named, &[]), Ok(_) | Err(LineError::Content)));
                false
            }
            Err(_) => false,
        }
    }

    /// A line, with a typo, as an AZERTY keyboard gives it, of another transfer.
    #[must_use]
    pub fn seeds() -> Vec<Vec<u8>> {
        let good = lines().remove(0);
        let share = read_line(&good, &code(), &[]).unwrap();
        crate::texts([
            good.clone(),
            good.replacen('W', "X", 1),
            good.to_lowercase().replace('1', "&").replace('0', " à"),
            share.line(&other()).to_string(),
        ])
    }
}

/// Ids, codes and numbers that stand in words of the other party.
pub mod names {
    use sluis_core::id;
    use sluis_core::message::Reference;
    use std::fmt::Display;
    use std::str::FromStr;

    /// What is taken prints as something that is taken, and stands for the same.
    fn again<T: FromStr + Display>(text: &str) -> bool {
        let Ok(value) = text.parse::<T>() else { return false };
        let printed = value.to_string();
        let second = printed.parse::<T>().ok().map(|second| second.to_string());
        assert_eq!(second, Some(printed));
        true
    }

    /// As each of them.
    #[must_use]
    pub fn take(bytes: &[u8]) -> bool {
        let Ok(text) = std::str::from_utf8(bytes) else { return false };
        let exact =
            [again::<id::TransferId>(text), again::<id::Digest>(text), again::<id::PartyId>(text)];
        // These become folders, files and principals.
        assert!(!exact.contains(&true) || !text.contains(['/', '.', '*', ',', '\0', '\n']));
        exact.contains(&true)
            | again::<id::TransferCode>(text)
            | again::<id::Kbo>(text)
            | again::<id::Nis>(text)
            | again::<Reference>(text)
    }

    /// One of each.
    #[must_use]
    pub fn seeds() -> Vec<Vec<u8>> {
        crate::texts([
            "7k3f 9qx",
            "stad-mechelen",
            "0543.307.391",
            "12025",
            "000102030405060708090a0b0c0d0e0f",
            "000102030405060708090a0b0c0d0e0f-16",
            "4KBR4BQMKG0KDH1PXEN7DT1E0C",
        ])
    }
}
