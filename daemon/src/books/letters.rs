//! Letters: what one party said, sealed to the other, queued in order; what came, opened and put in its place.

use data_encoding::BASE64;
use sluis_core::agreement::Agreement;
use sluis_core::control::{Lane, Letter, Place, SaidAgain};
use sluis_core::evidence::Verified;
use sluis_core::id::{AgreementId, TransferId};
use sluis_core::statement::{FormError, Signed, Statement, Tip};
use sluis_core::{mailbox, words};

use super::{Books, CoreError, Result, postman};
use crate::store::Tx;

/// The most statements that are said again at once.
const AGAIN: i64 = 500;

impl Books {
    /// Queues a statement of ours as a letter to the other party, sealed to its present mailbox.
    pub(super) async fn queue_letter(
        &self,
        tx: &mut Tx,
        agreement: &Agreement,
        (number, signed, transfer): (u64, &Signed, Option<TransferId>),
        place: Place,
    ) -> Result<()> {
        let mailbox = &agreement.party_keys(self.side.other()).mailbox;
        let letter = BASE64.encode(&mailbox::seal(signed, mailbox)?);
        let letter = Letter { number, letter, place };
        let work = serde_json::to_string(&letter).map_err(FormError::from)?;
        let (gate, now) = (postman(self.side), self.now());
        Ok(tx.queue(gate, Lane::Post, &agreement.agreement, transfer, &work, now).await?)
    }

    /// Queues what this party said from a number on once more: the other one lost it, or the key to its letters.
    ///
    /// # Errors
    /// [`CoreError::Refused`] where that number is not here.
    pub async fn say_again(&self, tx: &mut Tx, name: &AgreementId, from: u64) -> Result<SaidAgain> {
        let installed = self.installed(name)?;
        let agreement = self.with_keys(tx, installed.terms.clone()).await?.agreement;
        let last = tx.last_statement(&self.party, name).await?.number;
        let mut until = None;
        for (number, transfer, signed) in tx.said_by(&self.party, name, from, AGAIN).await? {
            // Behind one that an older store took with it the other party could not follow.
            if number != until.map_or(from, |it: u64| it + 1) {
                break;
            }
            tx.recall(name, number).await?;
            let letter = (number, &signed, transfer);
            self.queue_letter(tx, &agreement, letter, Place::Again).await?;
            until = Some(number);
        }
        let until = until.ok_or_else(|| {
            CoreError::refused(
                "no-such-statement",
                words!(
                    "er is hier geen verklaring {from} van deze partij onder {name}; de laatste is {last}",
                    "there is no statement {from} of this party under {name} here; the last one is {last}"
                ),
            )
        })?;
        Ok(SaidAgain { from, until, last })
    }

    /// What is in a letter to this party: somebody's claim.
    ///
    /// # Errors
    /// [`CoreError::Letter`].
    pub(crate) fn open_letter(&self, letter: &[u8]) -> Result<Signed> {
        Ok(mailbox::open(letter, &self.mailbox)?)
    }

    /// Opens a letter and verifies what is in it under the agreement's terms that it names, by the keys that count here.
    /// Those terms may wait for two persons still: an incident or an end does not wait for them.
    ///
    /// # Errors
    /// [`CoreError`]: the feed stands still until a person looks, see [`Books::place`].
    pub async fn read_letter(
        &self,
        tx: &mut Tx,
        agreement: &AgreementId,
        letter: &[u8],
    ) -> Result<Verified> {
        let signed = self.open_letter(letter)?;
        let claimed = Statement::read(signed.statement.as_bytes())?;
        let terms = match self.terms(tx, &claimed.header.terms).await {
            Ok(terms) if terms.agreement.agreement == *agreement => terms,
            _ => {
                return Err(CoreError::NoAgreement(format!(
                    "{agreement} with digest {}",
                    claimed.header.terms
                )));
            }
        };
        Ok(Verified::check(&signed, &terms, self.side.other())?)
    }

    /// Whether a statement is the next of the other party's feed; not, where it stands here already.
    ///
    /// # Errors
    /// [`Refusal::Gap`], [`Refusal::Fork`].
    pub async fn place(&self, tx: &mut Tx, verified: &Verified) -> Result<bool> {
        let header = &verified.statement().header;
        let same = tx.digest_of(&header.issuer, &header.agreement, header.number).await?;
        if same == Some(verified.digest()) {
            return Ok(false);
        }
        let tip = tx.last_statement(&header.issuer, &header.agreement).await?;
        Ok(verified.follows(&tip)?.is_some())
    }

    /// How far the other party's feed has been entered.
    ///
    /// # Errors
    /// [`CoreError`].
    pub async fn cursor(&self, tx: &mut Tx, agreement: &AgreementId) -> Result<Tip> {
        let installed = self.installed(agreement)?;
        let other = &installed.terms.agreement.party(self.side.other()).id;
        Ok(tx.last_statement(other, agreement).await?)
    }
}
