//! A workbook's parts out of its zip archive, each byte of which belongs to one of them.
//!
//! Programs look for the directory at the end and skip what they do not need: bytes before, between and behind the
//! parts, comments, extra fields, and what follows the end of a compressed part. All that is refused here, so that an
//! archive says one thing to every reader. By hand, for the crate `zip` skips too; the format is PKWARE's APPNOTE 6.3.

use flate2::{Crc, Decompress, FlushDecompress, Status};
use zeroize::Zeroizing;

use crate::content::finding::Rule;

/// All parts together, unpacked.
const MAX_UNPACKED: u64 = 256 << 20;
/// Deflate makes of one byte no more than these: who claims more has room reserved, and wiped, for nothing.
const MAX_RATIO: u64 = 1032;
/// A plain workbook has about ten.
const MAX_PARTS: usize = 256;
/// The record at the end without a comment; with one it is longer by 64 KiB at most.
const END: usize = 22;
/// An entry of the directory, and the head of a part, without names and fields.
const ENTRY: usize = 46;
const HEAD: usize = 30;
/// A part's flag: sizes and check sum stand behind its data.
const DESCRIBED: usize = 1 << 3;
/// The other flags that mean nothing to a reader: how hard it was compressed, a name in UTF-8.
const FLAGS: usize = 1 << 1 | 1 << 2 | DESCRIBED | 1 << 11;

/// One part, packed.
pub(super) struct Part<'a> {
    /// Its path, such as `xl/workbook.xml`.
    pub(super) name: &'a str,
    /// How long it says that it is unpacked, in bytes.
    pub(super) size: usize,
    entry: &'a [u8],
    packed: &'a [u8],
}

/// All parts of an archive.
///
/// # Errors
/// [`Rule::Unreadable`], [`Rule::TooLarge`]; [`Rule::WorkbookText`] where bytes belong to no part.
pub(super) fn open(bytes: &[u8]) -> Result<Vec<Part<'_>>, Rule> {
    let (mut directory, mut end) = directory(bytes)?;
    let mut entries = Vec::new();
    while !directory.is_empty() {
        let (entry, rest) = entry(directory)?;
        entries.push(entry);
        directory = rest;
        if entries.len() > MAX_PARTS {
            return Err(Rule::Unreadable);
        }
    }
    // From the last to the first: each ends where the next begins.
    entries.sort_by_key(|entry| number(entry, 42, 4));
    let mut parts = Vec::with_capacity(entries.len());
    for entry in entries.into_iter().rev() {
        let start = number(entry, 42, 4);
        parts.push(part(entry, bytes.get(start..end).ok_or(Rule::Unreadable)?)?);
        end = start;
    }
    let twice = |(at, part): (usize, &Part<'_>)| parts[..at].iter().any(|it| it.name == part.name);
    let unpacked: u64 = parts.iter().map(|part| part.size as u64).sum();
    match unpacked {
        _ if end > 0 => Err(Rule::WorkbookText),
        _ if parts.iter().enumerate().any(twice) => Err(Rule::Unreadable),
        _ if unpacked > MAX_UNPACKED => Err(Rule::TooLarge),
        _ if unpacked > MAX_RATIO * bytes.len() as u64 => Err(Rule::Unreadable),
        _ => Ok(parts),
    }
}

/// The directory and where it begins. It stands right before the record at the end, and nothing behind that. One of
/// ZIP64, for larger files than these, has other numbers there.
fn directory(bytes: &[u8]) -> Result<(&[u8], usize), Rule> {
    let tail = bytes.len().saturating_sub(END + usize::from(u16::MAX));
    let end = bytes[tail..].windows(4).rposition(|it| it == b"PK\x05\x06");
    let end = tail + end.ok_or(Rule::Unreadable)?;
    let record = &bytes[end..];
    if record.len() < END {
        return Err(Rule::Unreadable);
    }
    let (length, start) = (number(record, 12, 4), number(record, 16, 4));
    if record.len() > END || start + length < end {
        return Err(Rule::WorkbookText);
    }
    let one_disk = number(record, 4, 4) == 0 && record[8..10] == record[10..12];
    let directory = bytes.get(start..end).filter(|it| it.len() == length && one_disk);
    Ok((directory.ok_or(Rule::Unreadable)?, start))
}

/// The first entry, with its name behind it, and the rest of the directory.
fn entry(directory: &[u8]) -> Result<(&[u8], &[u8]), Rule> {
    if directory.len() < ENTRY || !directory.starts_with(b"PK\x01\x02") {
        return Err(Rule::Unreadable);
    }
    let [name, extra, comment] = [28, 30, 32].map(|at| number(directory, at, 2));
    let fields = directory.get(ENTRY + name..ENTRY + name + extra).ok_or(Rule::Unreadable)?;
    if comment > 0 || !is_room(fields) {
        return Err(Rule::WorkbookText);
    }
    Ok((&directory[..ENTRY + name], &directory[ENTRY + name + extra..]))
}

/// The part of this entry, which fills these bytes.
fn part<'a>(entry: &'a [u8], bytes: &'a [u8]) -> Result<Part<'a>, Rule> {
    if bytes.len() < HEAD || !bytes.starts_with(b"PK\x03\x04") {
        return Err(Rule::Unreadable);
    }
    let [flags, method, name, extra] = [6, 8, 26, 28].map(|at| number(bytes, at, 2));
    let data = HEAD + name + extra;
    let named = bytes.get(HEAD..HEAD + name) == Some(&entry[ENTRY..]);
    let known = flags & !FLAGS == 0 && matches!(method, 0 | 8);
    // Flags and method; then check sum and sizes, which may be told behind the data alone.
    let described = flags & DESCRIBED != 0;
    let sizes = bytes[14..26] == entry[16..28] || (described && bytes[14..26] == [0; 12]);
    if !named || !known || bytes[6..10] != entry[8..12] || !sizes {
        return Err(Rule::Unreadable);
    }
    let packed = bytes.get(data..data + number(entry, 20, 4)).ok_or(Rule::Unreadable)?;
    let behind = &bytes[data + packed.len()..];
    let told = described && behind.strip_prefix(b"PK\x07\x08").unwrap_or(behind) == &entry[16..28];
    if !(behind.is_empty() && !described || told) || !is_room(&bytes[HEAD + name..data]) {
        return Err(Rule::WorkbookText);
    }
    let name = str::from_utf8(&entry[ENTRY..]).map_err(|_| Rule::Unreadable)?;
    Ok(Part { name, size: number(entry, 24, 4), entry, packed })
}

/// Whether extra fields hold nothing, or nothing but the room that Excel leaves to write in place later: a signature,
/// how much it is to be, and zeros.
fn is_room(fields: &[u8]) -> bool {
    match fields {
        [] => true,
        [0x20, 0xa2, _, _, 0x28, 0xa0, _, _, room @ ..] => room.iter().all(|byte| *byte == 0),
        _ => false,
    }
}

/// The little-endian number that stands there.
fn number(bytes: &[u8], at: usize, length: usize) -> usize {
    bytes[at..at + length].iter().rev().fold(0, |sum, byte| sum << 8 | usize::from(*byte))
}

impl Part<'_> {
    /// As text: as long as it says, with the right check sum, and nothing behind the end of its packed bytes.
    ///
    /// # Errors
    /// [`Rule::Unreadable`].
    pub(super) fn text(&self) -> Result<Zeroizing<String>, Rule> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(self.size + 1));
        let whole = if number(self.entry, 10, 2) == 0 {
            bytes.extend_from_slice(self.packed.get(..self.size).ok_or(Rule::Unreadable)?);
            self.packed.len() == self.size
        } else {
            let mut inflate = Decompress::new(false);
            let end = inflate.decompress_vec(self.packed, &mut bytes, FlushDecompress::Finish);
            matches!(end, Ok(Status::StreamEnd)) && inflate.total_in() == self.packed.len() as u64
        };
        let mut sum = Crc::new();
        sum.update(&bytes);
        let sums = sum.sum().to_le_bytes() == self.entry[16..20];
        if !whole || bytes.len() != self.size || !sums || str::from_utf8(&bytes).is_err() {
            return Err(Rule::Unreadable);
        }
        let text = String::from_utf8(std::mem::take(&mut *bytes));
        text.map(Zeroizing::new).map_err(|_| Rule::Unreadable)
    }
}
