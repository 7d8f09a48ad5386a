//! Statements: signed, numbered, dated claims of one party about an agreement or a transfer.
//!
//! One writer's form: JSON in fixed order, ASCII, integers only, one line. Received bytes must equal our
//! re-serialisation. Signed as SSHSIG in the namespace [`NAMESPACE`], so `ssh-keygen -Y verify` checks them.
//! A statement of an unknown kind is chained and shown, and has no effect.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use ssh_key::{HashAlg, LineEnding, PrivateKey, SshSig};

use crate::agreement;
use crate::id::{
    AgreementId, CustodianId, Digest, Nis, PartyId, Time, TransferCode, TransferId, UploadId,
};
use crate::notice::{Notice, Sort};
use crate::plan::Route;

mod by;
mod told;

/// SSHSIG namespace of statements.
pub const NAMESPACE: &str = "statement-v1@sluis";
/// The largest statement that is read, in bytes.
pub const MAX_BYTES: usize = 32 * 1024;
/// Version of the form.
const VERSION: u8 = 1;

/// A place in a party's numbered statements, or in its ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tip {
    /// The last number; 0 before the first.
    pub number: u64,
    /// Its digest; zeros before the first.
    pub digest: Digest,
}

impl Tip {
    /// Before the first.
    #[must_use]
    pub fn start() -> Self {
        Self { number: 0, digest: Digest::none() }
    }
}

/// Who says what about which transfer, when, after what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The agreement it falls under.
    pub agreement: AgreementId,
    /// Who says it.
    pub issuer: PartyId,
    /// To whom.
    pub audience: PartyId,
    /// Counts the issuer's statements under this agreement, from 1, without a gap.
    pub number: u64,
    /// Digest of the issuer's statement before this one.
    pub previous: Digest,
    /// The last statement of the other party that the issuer had: neither can rewrite or omit.
    pub seen: Tip,
    /// When, by the issuer's clock. Data, never order.
    pub time: Time,
    /// Digest of the agreement file.
    pub terms: Digest,
    /// Head of the issuer's ledger before this statement.
    pub ledger: Tip,
    /// The transfer it is about, if it is about one.
    pub transfer: Option<TransferId>,
}

/// What was answered when somebody looked for an upload in the drop zone: HTTP statuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Look {
    /// HEAD of the upload.
    pub head: u16,
    /// GET of the upload.
    pub get: u16,
    /// HEAD of a random id that never was: the negative control.
    pub control: u16,
}

impl Look {
    /// Gone: 410 where it was, 404 where nothing ever was. "Unknown" never counts as gone.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.head == 410 && self.get == 410 && self.control == 404
    }
}

/// For whose residents a list was drawn from its source (art. 2, R15). The agency's word: the list itself does not show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Residents {
    /// The municipality in which the register has them.
    pub nis: Nis,
    /// On what the agency's word rests.
    pub word: Word,
}

/// On what it rests that a list was drawn for one municipality.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Word {
    /// On the way in which every list is selected, as the agreement has it.
    Agreement,
    /// On whoever offered this list, and named the code.
    Person,
}

/// What became of one share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shipped {
    /// The share's number.
    pub index: u8,
    /// Over which route.
    pub channel: String,
    /// `http`, `smsd`, or `spool`: a folder is no SMS and does not pretend to be one.
    pub driver: String,
    /// `accepted`, `rejected` or `unknown`.
    pub outcome: String,
    /// The provider's number of the message, where it gave one.
    pub message: Option<String>,
}

macro_rules! bodies {
    ($($(#[$doc:meta])* $kind:literal => $name:ident { $($(#[$fdoc:meta])* $field:ident: $type:ty,)* })*) => {
        /// What is said.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Body {
            $($(#[$doc])* $name($name),)*
            /// About the agreement; the sort is its kind.
            Notice(Sort, Notice),
            /// A kind that this version does not know; its JSON.
            Unknown(String, String),
        }
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
            #[serde(deny_unknown_fields)]
            pub struct $name { $($(#[$fdoc])* pub $field: $type,)* }
            impl From<$name> for Body {
                fn from(body: $name) -> Self {
                    Self::$name(body)
                }
            }
        )*
        impl Body {
            /// The kind, as it is written.
            #[must_use]
            pub fn kind(&self) -> &str {
                match self {
                    $(Self::$name(_) => $kind,)*
                    Self::Notice(sort, _) => sort.kind(),
                    Self::Unknown(kind, _) => kind,
                }
            }
            fn write(&self) -> serde_json::Result<String> {
                match self {
                    $(Self::$name(body) => ascii_json(body),)*
                    Self::Notice(_, body) => ascii_json(body),
                    Self::Unknown(_, json) => Ok(json.clone()),
                }
            }
            fn read(kind: &str, json: &str) -> serde_json::Result<Self> {
                match kind {
                    $($kind => Ok(Self::$name(serde_json::from_str(json)?)),)*
                    _ => match Sort::of(kind) {
                        Some(sort) => Ok(Self::Notice(sort, serde_json::from_str(json)?)),
                        // What a later version says is an object too.
                        None => {
                            let _: BTreeMap<String, &RawValue> = serde_json::from_str(json)?;
                            Ok(Self::Unknown(kind.to_owned(), json.to_owned()))
                        }
                    },
                }
            }
        }
    };
}

/// JSON in ASCII: what is not becomes `\uXXXX` in lower case.
fn ascii_json<T: Serialize>(body: &T) -> serde_json::Result<String> {
    let mut text = String::new();
    for c in serde_json::to_string(body)?.chars() {
        if c.is_ascii() {
            text.push(c);
        } else {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                text.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    Ok(text)
}

bodies! {
    /// Agency: these bytes were sealed under one key, split like this (EN 319 522: A.1).
    "sent" => Sent {
        /// What people call the transfer.
        code: TransferCode,
        /// Digest of the envelope.
        ciphertext: Digest,
        /// Its size in bytes.
        size: u64,
        /// Salted commitment to what is inside.
        plaintext: Digest,
        /// How many shares open it.
        threshold: u8,
        /// Who gets which share over which channel.
        routes: Vec<Route>,
        /// Commitment to each share, in the order of the index.
        commitments: Vec<Digest>,
        /// Digest of the salted contacts file.
        contacts: Digest,
        /// When the transfer expires if it was not opened.
        expires: Time,
        /// The transfer that this one redelivers.
        replaces: Option<TransferId>,
        /// Digest of the request that it answers; nothing where the agreement is a standing request.
        request: Option<Digest>,
        /// Digest of the `override` by which two persons let pass what the list breaks (R84).
        waived: Option<Digest>,
        /// For whose residents it was drawn; nothing where no list was read.
        residents: Option<Residents>,
        /// A rehearsal, not a delivery: every channel is a folder, or it is an exercise.
        rehearsal: bool,
        /// What is inside was made up for an exercise; no list is in it.
        exercise: bool,
        /// Digest of the `quality-report` whose errors it mends (R63); statements of before do not have it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mends: Option<Digest>,
    }
    /// Municipality: exactly that envelope is on our disk, digested again (EN 319 522: D.1).
    "delivered" => Delivered {
        /// Digest of the `sent` it answers.
        sent: Digest,
        /// Digest of the envelope, as read from the wire to the disk.
        ciphertext: Digest,
        /// Its size in bytes.
        size: u64,
        /// From which upload.
        upload: UploadId,
    }
    /// Municipality: it is in our own environment and gone from the transport medium (art. 6, R35-R37).
    "removed" => Removed {
        /// Digest of `sent`.
        sent: Digest,
        /// Digest of `delivered`.
        delivered: Digest,
        /// Digest of the envelope in the vault.
        ciphertext: Digest,
        /// Which upload was removed.
        upload: UploadId,
        /// From which host.
        host: String,
        /// What was done.
        done: String,
        /// What was seen after.
        seen: Look,
        /// Of which copies nothing is known.
        unknown: Vec<String>,
    }
    /// Agency: its own look at the drop zone. The carrier's word: it may delay, it never suffices.
    "probed" => Probed {
        /// Digest of `removed`.
        removed: Digest,
        /// Which upload.
        upload: UploadId,
        /// What was seen.
        seen: Look,
        /// Whose word it is.
        word: String,
    }
    /// Municipality: the custodians are at their desks.
    "ready" => Ready {
        /// Digest of `removed`.
        removed: Digest,
    }
    /// Agency: the shares left, after the removal, and this became of each.
    "released" => Released {
        /// Digest of the `removed` it rests on.
        removed: Digest,
        /// Digest of `probed`.
        probed: Digest,
        /// What became of each share.
        shares: Vec<Shipped>,
    }
    /// Municipality: a custodian typed this share and it is the one that was committed to.
    "share-accepted" => ShareAccepted {
        /// The share's number.
        index: u8,
        /// Whose it was.
        custodian: CustodianId,
        /// The commitment in `sent` that it met.
        commitment: Digest,
    }
    /// Municipality: t shares opened those bytes (EN 319 522: E.1).
    "opened" => Opened {
        /// Digest of `sent`.
        sent: Digest,
        /// The commitment in `sent`, computed again from what came out.
        plaintext: Digest,
        /// Which shares were used.
        shares: Vec<u8>,
    }
    /// Municipality: what its environment held of the list is erased, on the word of two persons or by the agreement
    /// (art. 3; R17, R24).
    "destroyed" => Destroyed {
        /// Digest of `sent`.
        sent: Digest,
        /// What was erased.
        erased: Vec<String>,
        /// What the custodians were asked to delete themselves.
        asked: Vec<String>,
        /// Of which copies nothing is known.
        unknown: Vec<String>,
        /// Until when backups may still hold it; nothing: there are none.
        backups_until: Option<Date>,
    }
    /// Agency: what it still held of the transfer is erased.
    "closed" => Closed {
        /// Digest of `opened`.
        opened: Digest,
        /// What was erased.
        erased: Vec<String>,
    }
    /// Agency: stopped before enough shares left; the delivered envelope stays shut.
    "withdrawn" => Withdrawn {
        /// How many shares count as exposed, the unknown ones too.
        exposed: u8,
    }
    /// Agency: not opened in time; what it held is erased.
    "expired" => Expired {
        /// How many shares count as exposed.
        exposed: u8,
    }
    /// Either: it went wrong like this.
    "failed" => Failed {
        /// Which step.
        step: String,
        /// A stable code.
        code: String,
    }
    /// Agency: redelivered as another transfer under another key.
    "superseded" => Superseded {
        /// That transfer.
        by: TransferId,
    }
    /// Either: an older store was put back here; on the word of two persons it goes on from what the other party has.
    /// What it said in between is the other party's to show. Its number follows that, so that a feed has no gap.
    "restored" => Restored {
        /// Which epoch of this party's statements begins; the first is 1.
        epoch: u64,
        /// The last of its own statements that is still here.
        kept: Tip,
        /// The last that the other party has: the one before this.
        from: Tip,
        /// How many shares count as exposed: all that were not known to be erased.
        exposed: u64,
    }
    /// Either: a letter of the other party contradicts what it said before. It is not taken.
    "contradicted" => Contradicted {
        /// Its number.
        number: u64,
        /// The digest of what came.
        got: Digest,
        /// The last statement of that party that is here.
        has: Tip,
    }
}

/// A statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Who, when, after what.
    pub header: Header,
    /// What.
    pub body: Body,
}

/// The fields in the order of the form.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    version: u8,
    kind: String,
    agreement: AgreementId,
    issuer: PartyId,
    audience: PartyId,
    number: u64,
    previous: Digest,
    seen: Tip,
    time: Time,
    terms: Digest,
    ledger: Tip,
    transfer: Option<TransferId>,
    body: Box<RawValue>,
}

/// Bytes that are not a statement in the one form.
#[derive(Debug, thiserror::Error)]
pub enum FormError {
    /// Larger than [`MAX_BYTES`].
    #[error("a statement has at most {MAX_BYTES} bytes, this has {0}")]
    TooLarge(usize),
    /// Not the JSON of a statement.
    #[error("not a statement: {0}")]
    Json(#[from] serde_json::Error),
    /// A version that this program does not read.
    #[error("statement version {0} is not known here; update Sluis")]
    Version(u8),
    /// The JSON says the same in another form.
    #[error("not in the one form of a statement (order, spaces, characters)")]
    Form,
}

impl Statement {
    /// The bytes that are signed.
    ///
    /// # Errors
    /// [`FormError::Json`], which cannot happen for the bodies above.
    pub fn bytes(&self) -> Result<Vec<u8>, FormError> {
        let header = self.header.clone();
        let wire = Wire {
            version: VERSION,
            kind: self.body.kind().to_owned(),
            agreement: header.agreement,
            issuer: header.issuer,
            audience: header.audience,
            number: header.number,
            previous: header.previous,
            seen: header.seen,
            time: header.time,
            terms: header.terms,
            ledger: header.ledger,
            transfer: header.transfer,
            body: RawValue::from_string(self.body.write()?)?,
        };
        let bytes = serde_json::to_vec(&wire)?;
        // What the other side would refuse is not signed: it would stop the whole feed.
        match bytes.len() {
            _ if !bytes.is_ascii() => Err(FormError::Form),
            length if length > MAX_BYTES => Err(FormError::TooLarge(length)),
            _ => Ok(bytes),
        }
    }

    /// Reads the one form and refuses every other.
    ///
    /// # Errors
    /// [`FormError`].
    pub fn read(bytes: &[u8]) -> Result<Self, FormError> {
        if bytes.len() > MAX_BYTES {
            return Err(FormError::TooLarge(bytes.len()));
        }
        let wire: Wire = serde_json::from_slice(bytes)?;
        if wire.version != VERSION {
            return Err(FormError::Version(wire.version));
        }
        // A kind becomes part of file names and columns, also one that is not known here.
        let plain = |b: u8| b.is_ascii_lowercase() || b == b'-';
        if !(1..=63).contains(&wire.kind.len()) || !wire.kind.bytes().all(plain) {
            return Err(FormError::Form);
        }
        let body = Body::read(&wire.kind, wire.body.get())?;
        let header = Header {
            agreement: wire.agreement,
            issuer: wire.issuer,
            audience: wire.audience,
            number: wire.number,
            previous: wire.previous,
            seen: wire.seen,
            time: wire.time,
            terms: wire.terms,
            ledger: wire.ledger,
            transfer: wire.transfer,
        };
        let statement = Self { header, body };
        let same = statement.bytes()? == bytes;
        if same { Ok(statement) } else { Err(FormError::Form) }
    }
}

/// A statement's bytes and the armoured SSHSIG over them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed {
    /// The statement, in the one form.
    pub statement: String,
    /// `-----BEGIN SSH SIGNATURE-----` and so on.
    pub signature: String,
}

impl Signed {
    /// The digest by which others refer to it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(self.statement.as_bytes())
    }
}

/// A key or signature that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Not an OpenSSH Ed25519 key without passphrase.
    #[error("not an OpenSSH Ed25519 key without a passphrase: {0}")]
    Key(String),
    /// The signature is not one, or not over these bytes, by this key, in this namespace.
    #[error("the signature does not verify under the key of {0}")]
    Bad(String),
}

/// A party's signing key. Wiped when dropped, mute in `Debug`.
#[derive(Clone)]
pub struct Signer(PrivateKey);

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer(..)")
    }
}

impl Signer {
    /// From an OpenSSH private key file's text.
    ///
    /// # Errors
    /// [`SignatureError::Key`].
    pub fn from_openssh(text: &str) -> Result<Self, SignatureError> {
        let key = PrivateKey::from_openssh(text).map_err(|e| SignatureError::Key(e.to_string()))?;
        if key.is_encrypted() || key.key_data().ed25519().is_none() {
            return Err(SignatureError::Key("another kind of key".into()));
        }
        Ok(Self(key))
    }
    /// A new key, from 32 random bytes.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let pair = ssh_key::private::Ed25519Keypair::from_seed(seed);
        Self(PrivateKey::from(pair))
    }
    /// The private key as OpenSSH writes it to a file.
    ///
    /// # Errors
    /// [`SignatureError::Key`].
    pub fn to_openssh(&self) -> Result<zeroize::Zeroizing<String>, SignatureError> {
        self.0.to_openssh(LineEnding::LF).map_err(|e| SignatureError::Key(e.to_string()))
    }
    /// `ssh-ed25519 AAAA...`
    ///
    /// # Errors
    /// [`SignatureError::Key`].
    pub fn public(&self) -> Result<String, SignatureError> {
        self.0.public_key().to_openssh().map_err(|e| SignatureError::Key(e.to_string()))
    }
    /// An armoured SSHSIG over these bytes in this namespace.
    ///
    /// # Errors
    /// [`SignatureError::Key`].
    pub fn sign(&self, namespace: &str, bytes: &[u8]) -> Result<String, SignatureError> {
        let signature = self.0.sign(namespace, HashAlg::Sha512, bytes);
        signature
            .and_then(|signature| signature.to_pem(LineEnding::LF))
            .map_err(|e| SignatureError::Key(e.to_string()))
    }
}

/// Checks an armoured SSHSIG by the key `ssh-ed25519 AAAA...` of `who`.
///
/// # Errors
/// [`SignatureError`].
pub fn verify(
    public: &str,
    namespace: &str,
    bytes: &[u8],
    signature: &str,
    who: &str,
) -> Result<(), SignatureError> {
    let key = agreement::signing_key(public).map_err(SignatureError::Key)?;
    // In its one form: this reader passes over text before it, and over line ends that `ssh-keygen` does not know.
    // Its version is not signed, and this reader takes older ones than there are.
    let parsed = SshSig::from_pem(signature).ok().filter(|it| it.version() == 1);
    let parsed = parsed.filter(|it| it.to_pem(LineEnding::LF).is_ok_and(|pem| pem == signature));
    parsed
        .and_then(|signature| key.verify(namespace, bytes, &signature).ok())
        .ok_or_else(|| SignatureError::Bad(who.to_owned()))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn header(issuer: &str, audience: &str, number: u64) -> Header {
        Header {
            agreement: "mechelen".parse().unwrap(),
            issuer: issuer.parse().unwrap(),
            audience: audience.parse().unwrap(),
            number,
            previous: Digest::none(),
            seen: Tip::start(),
            time: Time(1_795_449_600_000),
            terms: Digest::of(b"terms"),
            ledger: Tip::start(),
            transfer: Some(TransferId::random()),
        }
    }

    fn ready() -> Statement {
        Statement {
            header: header("stad-mechelen", "agentschap-ii", 1),
            body: Ready { removed: Digest::none() }.into(),
        }
    }

    #[test]
    fn there_is_one_form_and_it_reads_back() {
        let statement = ready();
        let bytes = statement.bytes().unwrap();
        assert_eq!(Statement::read(&bytes).unwrap(), statement);
        let text = String::from_utf8(bytes).unwrap();
        let swapped =
            text.replace("\"version\":1,\"kind\":\"ready\"", "\"kind\":\"ready\",\"version\":1");
        for other in [
            text.replace(":1,", ": 1,"),
            swapped,
            format!("{text}\n"),
            text.replace("ready", "r\\u0065ady"),
        ] {
            assert!(Statement::read(other.as_bytes()).is_err(), "{other}");
        }
        assert!(
            Statement::read(text.replace("\"number\":1,", "\"number\":1,\"extra\":1,").as_bytes())
                .is_err()
        );
    }

    #[test]
    fn an_unknown_kind_is_read_and_kept_to_the_byte() {
        let text = String::from_utf8(ready().bytes().unwrap()).unwrap();
        let body = text.find("\"body\"").unwrap();
        let text = format!("{}\"body\":{{\"b\":1,\"a\":[2]}}}}", &text[..body])
            .replace("\"ready\"", "\"postponed\"");
        let statement = Statement::read(text.as_bytes()).unwrap();
        assert!(matches!(&statement.body, Body::Unknown(kind, _) if kind == "postponed"));
        // What the script would not take for a statement is none here.
        let body = text.find("\"body\":").unwrap() + 7;
        let list = format!("{}[1]}}", &text[..body]);
        assert!(Statement::read(list.as_bytes()).is_err(), "{list}");
        assert_eq!(statement.bytes().unwrap(), text.as_bytes());
    }

    #[test]
    fn signatures_hold_for_these_bytes_this_key_and_this_namespace() {
        let signer = Signer::from_seed(&[7; 32]);
        let other = Signer::from_seed(&[8; 32]);
        let public = signer.public().unwrap();
        let bytes = ready().bytes().unwrap();
        let signature = signer.sign(NAMESPACE, &bytes).unwrap();
        assert!(verify(&public, NAMESPACE, &bytes, &signature, "x").is_ok());
        assert!(verify(&public, "file", &bytes, &signature, "x").is_err());
        assert!(verify(&public, NAMESPACE, &bytes[1..], &signature, "x").is_err());
        assert!(verify(&other.public().unwrap(), NAMESPACE, &bytes, &signature, "x").is_err());
        assert!(verify(&public, NAMESPACE, &bytes, &signature[..100], "x").is_err());
        // In one form alone, which is the one that `ssh-keygen` reads.
        for other in [
            format!("85073003328\n{signature}"),
            format!("{signature}x"),
            signature.replace('\n', "\r\n"),
            signature.replace('\n', "\r"),
        ] {
            assert!(verify(&public, NAMESPACE, &bytes, &other, "x").is_err(), "{other}");
        }
    }

    #[test]
    fn a_public_key_has_one_form() {
        let signer = Signer::from_seed(&[7; 32]);
        let public = signer.public().unwrap();
        let signature = signer.sign(NAMESPACE, b"x").unwrap();
        // The length of the key within it says 131104 instead of 32; ssh-keygen calls that no key.
        let other = public.replace("NTE5AAAAI", "NTE5AAIAI");
        assert_ne!(public, other);
        let verify = |public: &str| verify(public, NAMESPACE, b"x", &signature, "x");
        assert!(verify(&public).is_ok() && verify(&format!("{public} sealer@agency\n")).is_ok());
        assert!(matches!(verify(&other), Err(SignatureError::Key(_))), "{other}");
    }

    #[test]
    fn a_key_file_reads_back() {
        let signer = Signer::from_seed(&[9; 32]);
        let again = Signer::from_openssh(&signer.to_openssh().unwrap()).unwrap();
        assert_eq!(again.public().unwrap(), signer.public().unwrap());
        assert!(Signer::from_openssh("rubbish").is_err());
    }
}
