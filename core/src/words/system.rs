//! What the system says of a file or a connection, in Dutch: by the number of its error (Linux, `asm-generic/errno.h`), with the
//! name that stays the same on every machine and that people look up.

use std::io::{Error, ErrorKind};

/// Number, name, Dutch.
const KNOWN: [(i32, &str, &str); 41] = [
    (1, "EPERM", "dat mag deze gebruiker niet"),
    (2, "ENOENT", "bestaat niet"),
    (3, "ESRCH", "dat proces is er niet"),
    (4, "EINTR", "het werd onderbroken"),
    (5, "EIO", "de schijf of het toestel geeft een fout"),
    (6, "ENXIO", "dat toestel is er niet"),
    (11, "EAGAIN", "het kan nu even niet"),
    (12, "ENOMEM", "er is geen geheugen meer"),
    (13, "EACCES", "geen toegang"),
    (16, "EBUSY", "het is in gebruik"),
    (17, "EEXIST", "het bestaat al"),
    (18, "EXDEV", "het ligt op een ander bestandssysteem"),
    (19, "ENODEV", "dat toestel kan dit niet"),
    (20, "ENOTDIR", "het is geen map"),
    (21, "EISDIR", "het is een map"),
    (22, "EINVAL", "het systeem neemt die waarde niet aan"),
    (23, "ENFILE", "de machine heeft te veel open bestanden"),
    (24, "EMFILE", "dit programma heeft te veel open bestanden"),
    (25, "ENOTTY", "het is geen terminal"),
    (26, "ETXTBSY", "het programma wordt uitgevoerd"),
    (27, "EFBIG", "het bestand wordt te groot"),
    (28, "ENOSPC", "de schijf is vol"),
    (29, "ESPIPE", "daarin is niet te springen"),
    (30, "EROFS", "het bestandssysteem is alleen te lezen"),
    (31, "EMLINK", "er zijn te veel koppelingen"),
    (32, "EPIPE", "niemand leest nog mee"),
    (36, "ENAMETOOLONG", "de naam is te lang"),
    (39, "ENOTEMPTY", "de map is niet leeg"),
    (40, "ELOOP", "de koppelingen lopen in een kring"),
    (75, "EOVERFLOW", "de waarde is te groot"),
    (98, "EADDRINUSE", "dat adres is in gebruik"),
    (99, "EADDRNOTAVAIL", "dat adres is niet van deze machine"),
    (101, "ENETUNREACH", "het netwerk is niet te bereiken"),
    (103, "ECONNABORTED", "de verbinding werd afgebroken"),
    (104, "ECONNRESET", "de andere kant brak de verbinding af"),
    (107, "ENOTCONN", "er is geen verbinding"),
    (110, "ETIMEDOUT", "er kwam op tijd geen antwoord"),
    (111, "ECONNREFUSED", "daar luistert niemand"),
    (113, "EHOSTUNREACH", "de host is niet te bereiken"),
    (116, "ESTALE", "het bestand op de server is er niet meer"),
    (122, "EDQUOT", "het quotum is op"),
];

/// The system's error in Dutch, with its name; what a program of ours says by that type stays as it is.
pub(super) fn in_dutch(error: &Error) -> String {
    if let Some(number) = error.raw_os_error() {
        let known = KNOWN.iter().find(|(it, ..)| *it == number);
        return match known {
            Some((_, name, dutch)) => format!("{dutch} ({name})"),
            None => format!("het systeem weigert het (errno {number})"),
        };
    }
    let kind = match error.kind() {
        ErrorKind::NotFound => "bestaat niet",
        ErrorKind::PermissionDenied => "geen toegang",
        ErrorKind::AlreadyExists => "het bestaat al",
        ErrorKind::InvalidInput => "het systeem neemt die waarde niet aan",
        ErrorKind::InvalidData => "de inhoud is geen leesbare tekst",
        ErrorKind::UnexpectedEof => "het houdt te vroeg op",
        ErrorKind::WriteZero => "er kan niets meer bij",
        ErrorKind::TimedOut => "er kwam op tijd geen antwoord",
        ErrorKind::OutOfMemory => "er is geen geheugen meer",
        _ => return error.to_string(),
    };
    kind.to_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::words::Words;

    #[test]
    fn what_the_system_says_is_dutch_in_dutch_with_a_name_that_stays() {
        let mut names = BTreeSet::new();
        for (number, name, dutch) in KNOWN {
            let words = Words::io(&Error::from_raw_os_error(number));
            assert_eq!(words.nl, format!("{dutch} ({name})"));
            assert!(words.en.ends_with(&format!("(os error {number})")), "{}", words.en);
            // The name is the one that this machine gives the number.
            let english = words.en.split(" (os error").next().unwrap();
            assert!(!words.nl.contains(english) && english != "Unknown error", "{}", words.nl);
            assert!(names.insert(name));
        }
        let rare = Words::io(&Error::from_raw_os_error(61));
        assert_eq!(rare.nl, "het systeem weigert het (errno 61)");
        for kind in [
            ErrorKind::NotFound,
            ErrorKind::PermissionDenied,
            ErrorKind::AlreadyExists,
            ErrorKind::InvalidInput,
            ErrorKind::InvalidData,
            ErrorKind::UnexpectedEof,
            ErrorKind::WriteZero,
            ErrorKind::TimedOut,
            ErrorKind::OutOfMemory,
        ] {
            let words = Words::io(&Error::from(kind));
            assert!(words.nl != words.en && !words.nl.contains(&words.en), "{words:?}");
        }
        assert_eq!(Words::io(&Error::other("eigen woorden")).nl, "eigen woorden");
    }
}
