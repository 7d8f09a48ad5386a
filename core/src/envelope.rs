//! The envelope: a padded tar stream inside a standard age v1 file with one scrypt stanza.
//!
//! Source: C2SP `age.md`. Sealing is ours, on the crate `chacha20poly1305`, one chunk of 64 KiB at a time;
//! opening is the `age` crate's, which is also the oracle of the tests here. Stock `age -d` and `rage -d`
//! open what is sealed. The scrypt work factor is low because the passphrase is 128 random bits: there is
//! nothing to guess, so there is nothing to slow down.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

use age_core::primitives::{aead_encrypt, hkdf};
use age_core::secrecy::ExposeSecret;
use chacha20poly1305::aead::AeadInPlace;
use chacha20poly1305::{ChaCha20Poly1305, KeyInit};
use data_encoding::BASE64_NOPAD;
use hmac::Mac;
use sha2::{Digest as _, Sha256};
use zeroize::{Zeroize, Zeroizing};

use crate::id::{self, Digest};
use crate::key::TransferKey;
use crate::words::Words;

/// Plaintext bytes in one chunk of the payload.
pub const CHUNK: usize = 64 * 1024;
/// Bytes that authenticate one chunk.
const TAG: usize = 16;
/// log2 of the scrypt work factor that is written.
const LOG_N: u8 = 4;
/// The largest work factor that is read: a hostile header would buy memory and time with more.
const MAX_LOG_N: u8 = 14;
/// The most files an envelope may hold.
pub const MAX_FILES: usize = 100_000;
/// The longest path of a file in it, in bytes.
const MAX_NAME: u64 = 8192;

/// Writes an age file: what is written into it comes out sealed.
///
/// Call [`Seal::finish`]; an envelope that was only dropped is cut short and will not open.
pub struct Seal<W: Write> {
    out: W,
    aead: ChaCha20Poly1305,
    chunk: Zeroizing<Vec<u8>>,
    counter: u64,
}

impl<W: Write> Seal<W> {
    /// Begins an envelope under this key: writes the header and the payload's nonce.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn new(key: &TransferKey, mut out: W) -> io::Result<Self> {
        let mut file_key = Zeroizing::new([0_u8; 16]);
        let (mut salt, mut nonce) = ([0_u8; 16], [0_u8; 16]);
        id::fill_random(&mut *file_key);
        id::fill_random(&mut salt);
        id::fill_random(&mut nonce);
        out.write_all(header(key, &file_key, &salt)?.as_bytes())?;
        out.write_all(&nonce)?;
        let payload_key = Zeroizing::new(hkdf(&nonce, b"payload", &*file_key));
        Ok(Self {
            out,
            aead: ChaCha20Poly1305::new((&*payload_key).into()),
            chunk: Zeroizing::new(Vec::with_capacity(CHUNK + TAG)),
            counter: 0,
        })
    }

    /// Seals what is left as the last chunk and gives the output back.
    ///
    /// # Errors
    /// Those of the output.
    pub fn finish(mut self) -> io::Result<W> {
        self.seal_chunk(true)?;
        self.out.flush()?;
        Ok(self.out)
    }

    /// STREAM: the nonce is an 11-byte counter and a byte that is 1 for the last chunk.
    fn seal_chunk(&mut self, last: bool) -> io::Result<()> {
        let mut nonce = [0_u8; 12];
        nonce[3..11].copy_from_slice(&self.counter.to_be_bytes());
        nonce[11] = u8::from(last);
        self.counter += 1;
        encrypt(&self.aead, nonce, b"", &mut self.chunk)?;
        self.out.write_all(&self.chunk)?;
        self.chunk.zeroize();
        Ok(())
    }
}

/// Encrypts a chunk where it stands and puts its tag after it. STREAM has no data beside a chunk (`aad`).
fn encrypt(
    aead: &ChaCha20Poly1305,
    nonce: [u8; 12],
    aad: &[u8],
    chunk: &mut Vec<u8>,
) -> io::Result<()> {
    aead.encrypt_in_place(&nonce.into(), aad, chunk)
        .map_err(|_| io::Error::other("a chunk could not be sealed"))
}

impl<W: Write> Write for Seal<W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        // A full chunk waits until more comes: only then is it certain not to be the last.
        if self.chunk.len() == CHUNK && !data.is_empty() {
            self.seal_chunk(false)?;
        }
        let taken = data.len().min(CHUNK - self.chunk.len());
        self.chunk.extend_from_slice(&data[..taken]);
        Ok(taken)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The header of C2SP `age.md` with one scrypt stanza.
fn header(key: &TransferKey, file_key: &[u8; 16], salt: &[u8; 16]) -> io::Result<String> {
    let mut labelled = b"age-encryption.org/v1/scrypt".to_vec();
    labelled.extend_from_slice(salt);
    let params =
        scrypt::Params::new(LOG_N, 8, 1, 32).map_err(|e| io::Error::other(e.to_string()))?;
    let mut wrap_key = Zeroizing::new([0_u8; 32]);
    scrypt::scrypt(key.passphrase().expose_secret().as_bytes(), &labelled, &params, &mut *wrap_key)
        .map_err(|e| io::Error::other(e.to_string()))?;
    let wrapped = aead_encrypt(&wrap_key, file_key);
    let mut text = format!(
        "age-encryption.org/v1\n-> scrypt {} {LOG_N}\n{}\n---",
        BASE64_NOPAD.encode(salt),
        BASE64_NOPAD.encode(&wrapped)
    );
    let mac_key = Zeroizing::new(hkdf(&[], b"header", file_key));
    let mut mac =
        <hmac::Hmac<Sha256> as Mac>::new_from_slice(&*mac_key).map_err(io::Error::other)?;
    mac.update(text.as_bytes());
    text.push(' ');
    text.push_str(&BASE64_NOPAD.encode(&mac.finalize().into_bytes()));
    text.push('\n');
    Ok(text)
}

/// Counts and digests what passes to the writer below.
pub struct Digesting<W> {
    inner: W,
    hasher: Sha256,
    count: u64,
}

impl<W> Digesting<W> {
    /// Around this writer or reader.
    pub fn new(inner: W) -> Self {
        Self { inner, hasher: Sha256::new(), count: 0 }
    }
    /// What is below, the digest of what passed, and how many bytes that were.
    pub fn finish(self) -> (W, Digest, u64) {
        (self.inner, Digest::finish(self.hasher), self.count)
    }
    fn passed(&mut self, data: &[u8]) {
        self.hasher.update(data);
        self.count += data.len() as u64;
    }
}
impl<W: Write> Write for Digesting<W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(data)?;
        self.passed(&data[..written]);
        Ok(written)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
impl<R: Read> Read for Digesting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.passed(&buffer[..read]);
        Ok(read)
    }
}

/// What an envelope is, once it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sealed {
    /// Digest of the whole age file.
    pub ciphertext: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// Salted commitment to the payload, see [`commit_plaintext`].
    pub plaintext: Digest,
}

/// The commitment to a payload (padding included): a plain hash over national numbers could be guessed.
#[must_use]
pub fn commit_plaintext(key: &TransferKey, payload: &Digest) -> Digest {
    let mut hasher = Sha256::new();
    hasher.update(b"sluis/plaintext/v1");
    hasher.update(key.plaintext_salt());
    hasher.update(payload.as_bytes());
    Digest::finish(hasher)
}

/// Builds an envelope: files go in one by one, names, times and exact sizes stay inside.
pub struct Packer<W: Write> {
    tar: tar::Builder<Digesting<Seal<Digesting<W>>>>,
    key: TransferKey,
}

impl<W: Write> Packer<W> {
    /// Begins an envelope under this key.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn new(key: TransferKey, out: W) -> io::Result<Self> {
        let seal = Seal::new(&key, Digesting::new(out))?;
        Ok(Self { tar: tar::Builder::new(Digesting::new(seal)), key })
    }

    /// Adds a file of exactly `size` bytes under a relative path.
    ///
    /// # Errors
    /// `UnexpectedEof` where the file has become shorter than `size`; otherwise those of the streams.
    pub fn add(&mut self, path: &Path, size: u64, mtime: u64, from: impl Read) -> io::Result<()> {
        let mut head = tar::Header::new_gnu();
        head.set_size(size);
        head.set_mtime(mtime);
        head.set_mode(0o640);
        head.set_entry_type(tar::EntryType::Regular);
        self.tar.append_data(&mut head, path, Exactly { from: from.take(size), left: size })
    }

    /// Ends the archive, pads it, ends the envelope.
    ///
    /// # Errors
    /// Those of the output.
    pub fn finish(self) -> io::Result<(W, Sealed)> {
        let mut payload = self.tar.into_inner()?;
        let padding = padme(payload.count) - payload.count;
        io::copy(&mut io::repeat(0).take(padding), &mut payload)?;
        let (seal, digest, _) = payload.finish();
        let (out, ciphertext, size) = seal.finish()?.finish();
        let plaintext = commit_plaintext(&self.key, &digest);
        Ok((out, Sealed { ciphertext, size, plaintext }))
    }
}

/// Refuses to end before so many bytes were read.
struct Exactly<R> {
    from: R,
    left: u64,
}
impl<R: Read> Read for Exactly<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer)?;
        self.left -= read as u64;
        if read == 0 && self.left > 0 && !buffer.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(read)
    }
}

/// The padded length (Padmé, from "Reducing Metadata Leakage from Encrypted Files"): at most 12 % more,
/// and the size says only O(log log) bits about the exact one.
#[must_use]
pub fn padme(length: u64) -> u64 {
    if length < 2 {
        return length;
    }
    let exponent = length.ilog2();
    let significant = exponent.ilog2() + 1;
    let mask = (1_u64 << (exponent - significant.min(exponent))) - 1;
    length.checked_add(mask).map_or(length, |sum| sum & !mask)
}

/// Why an envelope does not open. Its length is compared with `sent` before, so "cut short" is not here.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The header does not yield to this key.
    #[error("the key does not fit this envelope")]
    WrongKey,
    /// Not an age file as Sluis writes it, or one byte of it has changed.
    #[error("the envelope is damaged: {0}")]
    Damaged(String),
    /// An entry that no envelope of ours holds; nothing of it is written.
    #[error("the envelope holds {0}, which is refused")]
    Forbidden(&'static str),
    /// Reading it or writing what is in it failed.
    #[error("reading or writing failed: {0}")]
    Io(#[from] io::Error),
}

impl OpenError {
    /// The same for people; what age and the system say of it has one language.
    #[must_use]
    pub fn words(&self) -> Words {
        let nl = match self {
            Self::WrongKey => "de sleutel past niet op deze envelop".into(),
            Self::Damaged(what) => format!("de envelop is beschadigd: {what}"),
            Self::Forbidden(what) => format!("in de envelop zit iets dat geweigerd wordt: {what}"),
            Self::Io(error) => format!("lezen of schrijven is mislukt: {error}"),
        };
        Words { nl, en: self.to_string() }
    }
}

/// Opens an envelope: gives the stream of its payload, chunk by chunk, each authenticated.
///
/// # Errors
/// [`OpenError::WrongKey`] and [`OpenError::Damaged`] are told apart.
pub fn open<R: Read>(key: &TransferKey, envelope: R) -> Result<impl Read, OpenError> {
    let decryptor = age::Decryptor::new(envelope).map_err(refusal)?;
    if !decryptor.is_scrypt() {
        return Err(OpenError::Damaged("it is not sealed under a passphrase".into()));
    }
    let mut identity = age::scrypt::Identity::new(key.passphrase());
    identity.set_max_work_factor(MAX_LOG_N);
    decryptor.decrypt(std::iter::once(&identity as &dyn age::Identity)).map_err(refusal)
}

fn refusal(error: age::DecryptError) -> OpenError {
    use age::DecryptError as E;
    match error {
        E::DecryptionFailed | E::KeyDecryptionFailed | E::NoMatchingKeys => OpenError::WrongKey,
        E::Io(error)
            if error.kind() != io::ErrorKind::InvalidData
                && error.kind() != io::ErrorKind::UnexpectedEof =>
        {
            OpenError::Io(error)
        }
        other => OpenError::Damaged(other.to_string()),
    }
}

/// Unpacks an envelope: `sink` gets each file's path and content; the answer is the commitment to the
/// payload. Only when this returns `Ok` was every byte authentic: until then keep what was written apart.
///
/// Links, devices and paths that lead elsewhere are refused, never followed.
///
/// # Errors
/// As [`open`], and those of `sink`.
pub fn unpack<R: Read>(
    key: &TransferKey,
    envelope: R,
    sink: impl FnMut(&Path, &mut dyn Read) -> io::Result<()>,
) -> Result<Digest, OpenError> {
    Ok(commit_plaintext(key, &take_apart(open(key, envelope)?, sink)?))
}

/// The part of [`unpack`] behind the seal: takes a payload apart and gives its digest.
///
/// # Errors
/// As [`unpack`].
pub fn take_apart(
    payload: impl Read,
    mut sink: impl FnMut(&Path, &mut dyn Read) -> io::Result<()>,
) -> Result<Digest, OpenError> {
    let mut payload = Digesting::new(payload);
    let mut archive = tar::Archive::new(payload);
    let mut long_name: Option<PathBuf> = None;
    // A long name is an entry of its own, before that of its file.
    for (count, entry) in archive.entries().map_err(archive_error)?.raw(true).enumerate() {
        let mut entry = entry.map_err(archive_error)?;
        if count >= 2 * MAX_FILES {
            return Err(OpenError::Forbidden("too many files"));
        }
        match entry.header().entry_type() {
            // Read here and not by the crate, which would take a name of any length into memory.
            tar::EntryType::GNULongName if entry.size() <= MAX_NAME => {
                let mut name = Vec::new();
                entry.read_to_end(&mut name).map_err(stream_error)?;
                name.truncate(name.iter().position(|byte| *byte == 0).unwrap_or(name.len()));
                long_name = Some(PathBuf::from(OsString::from_vec(name)));
            }
            tar::EntryType::Regular => {
                let path = match long_name.take() {
                    Some(path) => path,
                    None => entry.path().map_err(archive_error)?.into_owned(),
                };
                check_path(&path)?;
                sink(&path, &mut entry).map_err(stream_error)?;
            }
            _ => return Err(OpenError::Forbidden("something that is not a plain file")),
        }
    }
    // The rest is padding; reading to the end is what authenticates the last chunk.
    payload = archive.into_inner();
    io::copy(&mut payload, &mut io::sink()).map_err(stream_error)?;
    let (_, digest, _) = payload.finish();
    Ok(digest)
}

/// age reports a chunk that does not authenticate as `InvalidData`; a tar that ends early is no better.
fn stream_error(error: io::Error) -> OpenError {
    match error.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
            OpenError::Damaged("a part of it does not authenticate".into())
        }
        _ => OpenError::Io(error),
    }
}

/// `tar` says `Other` of a header that is none, which no system says of a disk.
fn archive_error(error: io::Error) -> OpenError {
    match error.kind() {
        io::ErrorKind::Other => OpenError::Damaged("what it holds is no archive".into()),
        _ => stream_error(error),
    }
}

fn check_path(path: &Path) -> Result<(), OpenError> {
    let plain = |part: Component<'_>| match part {
        Component::Normal(name) => is_plain_name(name),
        _ => false,
    };
    if path.components().next().is_some() && path.components().all(plain) {
        Ok(())
    } else {
        Err(OpenError::Forbidden("a path that leads elsewhere"))
    }
}

/// Whether this is one name of a file, as a file system takes it.
#[must_use]
pub fn is_plain_name(name: &OsStr) -> bool {
    let bytes = name.as_bytes();
    !matches!(bytes, b"" | b"." | b"..")
        && bytes.len() <= 255
        && !bytes.iter().any(|b| matches!(b, b'/' | 0))
}

#[cfg(test)]
mod vectors;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seal(key: &TransferKey, plain: &[u8]) -> Vec<u8> {
        let mut seal = Seal::new(key, Vec::new()).unwrap();
        seal.write_all(plain).unwrap();
        seal.finish().unwrap()
    }

    fn read(key: &TransferKey, envelope: &[u8]) -> Result<Vec<u8>, OpenError> {
        let mut plain = Vec::new();
        open(key, envelope)?.read_to_end(&mut plain).map_err(stream_error)?;
        Ok(plain)
    }

    #[test]
    fn the_age_crate_opens_every_length_around_a_chunk_boundary() {
        let key = TransferKey::random();
        for chunks in 0..4_usize {
            for delta in [-2_i64, -1, 0, 1, 2, 17] {
                let Ok(length) = usize::try_from((chunks * CHUNK) as i64 + delta) else { continue };
                let plain: Vec<u8> = (0_u8..251).cycle().take(length).collect();
                assert_eq!(read(&key, &seal(&key, &plain)).unwrap(), plain, "{length}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn written_in_any_pieces_it_opens(pieces in prop::collection::vec(0_usize..40_000, 0..8)) {
            let key = TransferKey::random();
            let plain: Vec<u8> = (0_u8..253).cycle().take(pieces.iter().sum()).collect();
            let mut seal = Seal::new(&key, Vec::new()).unwrap();
            let mut at = 0;
            for piece in pieces {
                seal.write_all(&plain[at..at + piece]).unwrap();
                at += piece;
            }
            prop_assert_eq!(read(&key, &seal.finish().unwrap()).unwrap(), plain);
        }

        #[test]
        fn any_flipped_bit_is_noticed(place: prop::sample::Index, bit in 0_u8..8) {
            let key = TransferKey::random();
            let mut envelope = seal(&key, b"85073003328;1;0");
            let place = place.index(envelope.len());
            envelope[place] ^= 1 << bit;
            prop_assert!(read(&key, &envelope).is_err());
        }

        #[test]
        fn padding_never_shrinks_and_costs_at_most_an_eighth(length in 1_u64..1 << 50) {
            let padded = padme(length);
            prop_assert!(padded >= length && padded - length <= length / 8 + 1);
            prop_assert_eq!(padme(padded), padded);
        }

        #[test]
        fn opening_rubbish_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            prop_assert!(unpack(&TransferKey::random(), &bytes[..], |_, _| Ok(())).is_err());
        }
    }

    #[test]
    fn a_wrong_key_and_a_damaged_envelope_are_told_apart() {
        let key = TransferKey::random();
        let envelope = seal(&key, &[1; 100_000]);
        assert!(matches!(read(&TransferKey::random(), &envelope), Err(OpenError::WrongKey)));
        let mut damaged = envelope.clone();
        *damaged.last_mut().unwrap() ^= 1;
        assert!(matches!(read(&key, &damaged), Err(OpenError::Damaged(_))));
        assert!(matches!(read(&key, &envelope[..90_000]), Err(OpenError::Damaged(_))));
    }

    #[test]
    fn a_costly_work_factor_is_refused() {
        let key = TransferKey::random();
        let mut recipient = age::scrypt::Recipient::new(key.passphrase());
        recipient.set_work_factor(15);
        let file = age::encrypt(&recipient, b"x").unwrap();
        assert!(matches!(read(&key, &file), Err(OpenError::Damaged(_))));
    }

    #[test]
    fn files_come_out_under_their_names_and_the_commitment_agrees() {
        let key = TransferKey::random();
        let odd = OsStr::from_bytes(b"\x1b[31m\nlijst-\xff.csv");
        let long = "n".repeat(255);
        let mut packer = Packer::new(key.clone(), Vec::new()).unwrap();
        packer.add(Path::new(odd), 3, 0, &b"abc"[..]).unwrap();
        packer.add(&Path::new("map").join(&long), 0, 0, &b""[..]).unwrap();
        let (envelope, sealed) = packer.finish().unwrap();
        assert_eq!(
            (sealed.ciphertext, sealed.size),
            (Digest::of(&envelope), envelope.len() as u64)
        );
        let mut seen = Vec::new();
        let commitment = unpack(&key, &envelope[..], |path, content| {
            let mut bytes = Vec::new();
            content.read_to_end(&mut bytes)?;
            seen.push((path.to_owned(), bytes));
            Ok(())
        });
        assert_eq!(commitment.unwrap(), sealed.plaintext);
        assert_eq!(
            seen,
            vec![(odd.into(), b"abc".to_vec()), (Path::new("map").join(long), vec![])]
        );
    }

    #[test]
    fn a_file_that_shrank_is_an_error() {
        let mut packer = Packer::new(TransferKey::random(), Vec::new()).unwrap();
        let error = packer.add(Path::new("x"), 10, 0, &b"short"[..]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn what_is_no_archive_is_damage_and_no_fault_of_a_disk() {
        let key = TransferKey::random();
        let mut head = tar::Header::new_gnu();
        head.as_old_mut().name[0] = b'x';
        head.set_size(0);
        head.set_cksum();
        let mut other = head.clone();
        other.as_old_mut().cksum = *b"99999999";
        for payload in [&b"85073003328;ja;nee".repeat(99)[..], other.as_bytes()] {
            let refused = unpack(&key, &seal(&key, payload)[..], |_, _| Ok(()));
            assert!(matches!(refused, Err(OpenError::Damaged(_))), "{refused:?}");
        }
        // A disk that is full stays a disk that is full.
        let full = |_: &Path, _: &mut dyn Read| Err(io::ErrorKind::StorageFull.into());
        let refused = unpack(&key, &seal(&key, head.as_bytes())[..], full);
        assert!(matches!(refused, Err(OpenError::Io(_))), "{refused:?}");
    }

    #[test]
    fn links_devices_and_paths_that_lead_elsewhere_are_refused() {
        let key = TransferKey::random();
        let hostile = |kind: tar::EntryType, name: &[u8]| {
            let mut head = tar::Header::new_gnu();
            head.as_old_mut().name[..name.len()].copy_from_slice(name);
            head.set_entry_type(kind);
            head.set_size(0);
            head.set_cksum();
            let mut archive = tar::Builder::new(Vec::new());
            archive.append(&head, &b""[..]).unwrap();
            seal(&key, &archive.into_inner().unwrap())
        };
        use tar::EntryType as T;
        for (kind, name) in [
            (T::Regular, &b"../x"[..]),
            (T::Regular, b"/etc/x"),
            (T::Regular, b"a/../../x"),
            (T::Symlink, b"x"),
            (T::Link, b"x"),
            (T::Fifo, b"x"),
            (T::Char, b"x"),
            (T::Directory, b"x"),
            (T::XHeader, b"x"),
            (T::GNULongLink, b"x"),
        ] {
            let refused = unpack(&key, &hostile(kind, name)[..], |_, _| Ok(()));
            assert!(matches!(refused, Err(OpenError::Forbidden(_))), "{kind:?} {name:?}");
        }
    }
}
