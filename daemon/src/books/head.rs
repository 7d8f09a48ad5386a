//! The head of a party's ledger, signed over what a folder of evidence is to hold.

use sluis_core::id::{AgreementId, Digest};
use sluis_core::ledger::{self, Head, Part};
use sluis_core::statement::{FormError, Signed};
use sluis_core::{export, words};

use super::{Books, CoreError, Result, counting};
use crate::store::Tx;

impl Books {
    /// The head of this ledger over this part of what was said, signed by the key of this party's next statement under
    /// the agreement. Its time is that of the last entry: the same ledger gives the same bytes.
    ///
    /// # Errors
    /// [`CoreError::Refused`] where nothing was said; other [`CoreError`]s.
    pub async fn signed_head(
        &self,
        tx: &mut Tx,
        agreement: &AgreementId,
        of: Part,
    ) -> Result<Signed> {
        let counting = counting::counting(tx, agreement).await?;
        let terms = counting.ok_or_else(|| CoreError::NoAgreement(agreement.to_string()))?;
        let ledger = tx.head().await?;
        let all = tx.said(agreement, (0, ledger.number), i64::MAX).await?;
        let chosen = export::choose(&all, of)?;
        if chosen.is_empty() {
            return Err(nothing(agreement, of));
        }
        let list = export::list(chosen.iter().map(|(_, listed)| listed));
        let head = Head {
            agreement: agreement.clone(),
            party: self.party.clone(),
            agency: terms.agreement.agency.id.clone(),
            municipality: terms.agreement.municipality.id.clone(),
            of,
            terms: terms.digest,
            signers: Digest::of(export::signers(&terms).as_bytes()),
            list: Digest::of(list.as_bytes()),
            ledger,
            time: tx.entered_last().await?.unwrap_or_else(|| self.now()),
        };
        let statement = head.line().map_err(FormError::from)?;
        let signer = self.next_signer(tx, &terms).await?;
        let signature = signer.sign(ledger::NAMESPACE, statement.as_bytes())?;
        Ok(Signed { statement, signature })
    }
}

fn nothing(agreement: &AgreementId, of: Part) -> CoreError {
    let words = match of {
        Part::Year(year) => words!(
            "onder {agreement} werd niets gezegd in {year}",
            "nothing was said under {agreement} in {year}"
        ),
        Part::All => {
            words!("onder {agreement} werd niets gezegd", "nothing was said under {agreement}")
        }
        Part::Transfer(_) => words!(
            "over deze zending werd nog niets gezegd",
            "nothing was said about this transfer yet"
        ),
    };
    CoreError::refused("nothing-said", words)
}
