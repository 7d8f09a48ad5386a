//! Headers and footers of a printed sheet. LibreOffice writes one with every sheet, so codes and a few words that stand
//! around page numbers are taken; any other word is text beside the list.

/// What programs put around the number of a page.
const WORDS: [&str; 9] = ["", "-", "/", "Page", "Pagina", "Seite", "of", "van", "von"];
/// Codes of one letter: left, centre, right; page, pages, sheet, file, folder, date, time; kinds of type.
const CODES: &str = "LCRPNAFZDTBIUESXYOH";

/// Whether a header or footer says no more than that (ECMA-376 part 1, 18.3.1.46).
pub(super) fn is_plain(text: &str) -> bool {
    let mut pieces = text.split('&');
    let plain = |words: &str| WORDS.contains(&words.trim());
    pieces.next().is_some_and(plain) && pieces.all(|piece| behind_code(piece).is_some_and(plain))
}

/// What stands behind the code with which this begins, if it is one.
fn behind_code(piece: &str) -> Option<&str> {
    let first = piece.chars().next()?;
    if let Some(font) = piece.strip_prefix('"') {
        let (font, rest) = font.split_once('"')?;
        let plain = |c: char| c.is_alphabetic() || " ,-".contains(c);
        return (font.chars().count() <= 64 && font.chars().all(plain)).then_some(rest);
    }
    if let Some(colour) = piece.strip_prefix('K') {
        let (colour, rest) = colour.split_at_checked(6)?;
        return colour.bytes().all(|b| b.is_ascii_hexdigit()).then_some(rest);
    }
    if first.is_ascii_digit() {
        let rest = piece.trim_start_matches(|c: char| c.is_ascii_digit());
        return (piece.len() - rest.len() <= 3).then_some(rest);
    }
    CODES.contains(first).then(|| &piece[1..])
}
