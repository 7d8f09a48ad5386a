//! Statements that verified, as types: what rests on evidence asks for one of these as an argument.
//!
//! ```compile_fail
//! // A row in a database, a gate's word, or a wish makes no evidence: the fields are private.
//! let removal = sluis_core::evidence::Removal { transfer: loop {}, upload: loop {}, removed: loop {} };
//! ```
//! ```compile_fail
//! // Nor can it be read from JSON.
//! let removal: sluis_core::evidence::Removal = serde_json::from_str("{}").unwrap();
//! ```

use std::collections::BTreeSet;

use crate::agreement::keys::Keys;
use crate::agreement::{Agreement, Side};
use crate::id::{Digest, TransferId, UploadId};
use crate::statement::{self, Body, FormError, Sent, SignatureError, Signed, Statement, Tip};
use crate::words;
use crate::words::Words;

/// An agreement together with the digest of its file.
#[derive(Debug, Clone)]
pub struct Terms {
    /// What it says.
    pub agreement: Agreement,
    /// Digest of the file's bytes.
    pub digest: Digest,
}

impl Terms {
    /// The same terms with the keys of the version that counts: what began under a former version is verified under
    /// these, number by number.
    #[must_use]
    pub fn under(mut self, keys: &Keys) -> Self {
        self.agreement.keys.clone_from(keys);
        self
    }
}

/// Why something is no evidence.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Not a statement in the one form.
    #[error(transparent)]
    Form(#[from] FormError),
    /// The signature does not hold.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// Says something else than what is asked for.
    #[error("{kind} {number}: {what} is not what it should be")]
    Mismatch {
        /// Kind of the statement.
        kind: String,
        /// Its number.
        number: u64,
        /// The field that differs.
        what: &'static str,
    },
    /// Its number is not the next one.
    #[error("statement {got} came where {expected} was due: the feed has a gap")]
    Gap {
        /// The number that was due.
        expected: u64,
        /// The number that came.
        got: u64,
    },
    /// It does not follow from the one before it, or contradicts one that we have.
    #[error(
        "statement {0} does not follow from what this party said before: its history was rewritten"
    )]
    Fork(u64),
}

impl Refusal {
    /// For people.
    #[must_use]
    pub fn words(&self) -> Words {
        match self {
            Self::Form(error) => error.words(),
            Self::Signature(error) => error.words(),
            Self::Mismatch { kind, number, what } => {
                words!("{kind} {number}: {what} is niet wat het moet zijn", "{self}")
            }
            Self::Gap { expected, got } => words!(
                "verklaring {got} kwam waar {expected} verwacht werd: er ontbreekt iets",
                "{self}"
            ),
            Self::Fork(number) => words!(
                "verklaring {number} volgt niet op wat deze partij eerder zei: haar geschiedenis is herschreven",
                "{self}"
            ),
        }
    }
}

/// A statement whose signature holds under the key that the agreement gives its issuer for that number.
#[derive(Debug, Clone)]
pub struct Verified {
    statement: Statement,
    signed: Signed,
    digest: Digest,
    from: Side,
}

impl Verified {
    /// Verifies bytes as a statement of the party on side `from`.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn check(signed: &Signed, terms: &Terms, from: Side) -> Result<Self, Refusal> {
        let agreement = &terms.agreement;
        let issuer = &agreement.party(from).id;
        let bytes = signed.statement.as_bytes();
        let statement = Statement::read(bytes)?;
        let public = agreement.party_keys(from).statement_key(statement.header.number);
        statement::verify(public, statement::NAMESPACE, bytes, &signed.signature, issuer.as_str())?;
        let this = Self { digest: Digest::of(bytes), signed: signed.clone(), statement, from };
        let header = &this.statement.header;
        this.same("agreement", header.agreement == agreement.agreement)?;
        this.same("terms", header.terms == terms.digest)?;
        this.same("issuer", header.issuer == *issuer)?;
        this.same("audience", header.audience == agreement.party(from.other()).id)?;
        Ok(this)
    }
    /// What it says.
    #[must_use]
    pub fn statement(&self) -> &Statement {
        &self.statement
    }
    /// The bytes and the signature, as received.
    #[must_use]
    pub fn signed(&self) -> &Signed {
        &self.signed
    }
    /// Its digest.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }
    /// On which side its issuer stands, by the agreement that it names.
    #[must_use]
    pub fn from(&self) -> Side {
        self.from
    }
    /// Whether this kind is its issuer's to say. What is not proves nothing.
    #[must_use]
    pub fn is_theirs(&self) -> bool {
        self.statement.body.by().contains(&self.from)
    }
    fn theirs(&self) -> Result<(), Refusal> {
        self.same("issuer", self.is_theirs())
    }
    /// The place after this one, if it follows `tip`; nothing if it is a repetition of `tip` itself.
    ///
    /// # Errors
    /// [`Refusal::Gap`], [`Refusal::Fork`].
    pub fn follows(&self, tip: &Tip) -> Result<Option<Tip>, Refusal> {
        let number = self.statement.header.number;
        if number == tip.number && self.digest == tip.digest {
            return Ok(None);
        }
        if number != tip.number + 1 {
            return Err(match number <= tip.number {
                true => Refusal::Fork(number),
                false => Refusal::Gap { expected: tip.number + 1, got: number },
            });
        }
        if self.statement.header.previous != tip.digest {
            return Err(Refusal::Fork(number));
        }
        Ok(Some(Tip { number, digest: self.digest }))
    }
    /// The transfer it is about.
    ///
    /// # Errors
    /// [`Refusal::Mismatch`] where it is about none.
    pub fn transfer(&self) -> Result<TransferId, Refusal> {
        self.statement.header.transfer.ok_or_else(|| self.mismatch("transfer"))
    }
    fn same(&self, what: &'static str, same: bool) -> Result<(), Refusal> {
        if same { Ok(()) } else { Err(self.mismatch(what)) }
    }
    fn mismatch(&self, what: &'static str) -> Refusal {
        let header = &self.statement.header;
        Refusal::Mismatch {
            kind: self.statement.body.kind().to_owned(),
            number: header.number,
            what,
        }
    }
    fn sent(&self) -> Result<&Sent, Refusal> {
        self.theirs()?;
        match &self.statement.body {
            Body::Sent(body) => Ok(body),
            _ => Err(self.mismatch("kind")),
        }
    }
}

/// The municipality has stated that the envelope of `sent` is on its disk.
#[derive(Debug, Clone)]
pub struct Delivery {
    transfer: TransferId,
    upload: UploadId,
    delivered: Digest,
}

impl Delivery {
    /// From the agency's `sent` and the municipality's `delivered`.
    ///
    /// # Errors
    /// [`Refusal::Mismatch`], naming what does not agree.
    pub fn check(sent: &Verified, delivered: &Verified) -> Result<Self, Refusal> {
        let said = sent.sent()?;
        let Body::Delivered(body) = &delivered.statement.body else {
            return Err(delivered.mismatch("kind"));
        };
        delivered.theirs()?;
        let transfer = sent.transfer()?;
        delivered.same("transfer", delivered.transfer()? == transfer)?;
        delivered.same("terms", delivered.statement.header.terms == sent.statement.header.terms)?;
        delivered.same("sent", body.sent == sent.digest)?;
        delivered.same("ciphertext", body.ciphertext == said.ciphertext)?;
        delivered.same("size", body.size == said.size)?;
        Ok(Self { transfer, upload: body.upload, delivered: delivered.digest })
    }
    /// From which upload it was fetched.
    #[must_use]
    pub fn upload(&self) -> UploadId {
        self.upload
    }
    /// Of which transfer.
    #[must_use]
    pub fn transfer(&self) -> TransferId {
        self.transfer
    }
}

/// The municipality has stated, under its signature, that the envelope is in its own environment and gone
/// from the transport medium (art. 6, R37). Nothing else opens the key gate.
#[derive(Debug, Clone)]
pub struct Removal {
    transfer: TransferId,
    upload: UploadId,
    removed: Digest,
}

impl Removal {
    /// From `sent`, `delivered` and `removed`: same audience, agreement, transfer, terms, envelope, upload and
    /// host, and absence seen.
    ///
    /// # Errors
    /// [`Refusal::Mismatch`], naming what does not agree.
    pub fn check(
        terms: &Terms,
        sent: &Verified,
        delivered: &Verified,
        removed: &Verified,
    ) -> Result<Self, Refusal> {
        let delivery = Delivery::check(sent, delivered)?;
        let Body::Removed(body) = &removed.statement.body else {
            return Err(removed.mismatch("kind"));
        };
        removed.theirs()?;
        removed.same("transfer", removed.transfer()? == delivery.transfer)?;
        removed.same("terms", removed.statement.header.terms == sent.statement.header.terms)?;
        removed.same("sent", body.sent == sent.digest)?;
        removed.same("delivered", body.delivered == delivery.delivered)?;
        removed.same("ciphertext", body.ciphertext == sent.sent()?.ciphertext)?;
        removed.same("upload", body.upload == delivery.upload)?;
        removed.same("host", body.host == terms.agreement.drop_zone.host.as_str())?;
        removed.same("seen", body.seen.is_gone())?;
        Ok(Self { transfer: delivery.transfer, upload: delivery.upload, removed: removed.digest })
    }
    /// Of which transfer.
    #[must_use]
    pub fn transfer(&self) -> TransferId {
        self.transfer
    }
    /// Which upload is gone.
    #[must_use]
    pub fn upload(&self) -> UploadId {
        self.upload
    }
    /// Digest of the statement.
    #[must_use]
    pub fn statement(&self) -> Digest {
        self.removed
    }
}

/// The municipality has stated that t shares opened the envelope, and what came out is what went in.
#[derive(Debug, Clone)]
pub struct Opening {
    transfer: TransferId,
}

impl Opening {
    /// From `sent` and `opened`.
    ///
    /// # Errors
    /// [`Refusal::Mismatch`].
    pub fn check(sent: &Verified, opened: &Verified) -> Result<Self, Refusal> {
        let Body::Opened(body) = &opened.statement.body else {
            return Err(opened.mismatch("kind"));
        };
        opened.theirs()?;
        let transfer = sent.transfer()?;
        opened.same("transfer", opened.transfer()? == transfer)?;
        opened.same("terms", opened.statement.header.terms == sent.statement.header.terms)?;
        opened.same("sent", body.sent == sent.digest)?;
        let said = sent.sent()?;
        opened.same("plaintext", body.plaintext == said.plaintext)?;
        // Exactly t different shares of those that there are.
        let known = |index: &&u8| said.routes.iter().any(|route| route.index == **index);
        let different: BTreeSet<&u8> = body.shares.iter().filter(known).collect();
        let needed = usize::from(said.threshold);
        opened.same("shares", [different.len(), body.shares.len()] == [needed; 2])?;
        Ok(Self { transfer })
    }
    /// Of which transfer.
    #[must_use]
    pub fn transfer(&self) -> TransferId {
        self.transfer
    }
}

#[cfg(test)]
pub(crate) mod tests;
