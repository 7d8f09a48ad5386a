//! The head of a party's ledger, signed over what a folder of evidence is to hold.

use jiff::civil::Date;
use sluis_core::deadline::civil;
use sluis_core::export::decisions::{self, Decided};
use sluis_core::id::{AgreementId, Digest, Time};
use sluis_core::ledger::{self, Head, Part, SaidOnce};
use sluis_core::statement::{FormError, Signed, Tip};
use sluis_core::{export, words};

use super::{Books, CoreError, Result, counting};
use crate::store::{StoreError, Tx};

/// So many entries are read at once.
const READ: i64 = 500;

impl Books {
    /// The head of this ledger over this part of what was said, signed by the key of this party's next statement under
    /// the agreement. Its time is that of the last entry: the same ledger gives the same bytes. That of a year that is over is
    /// the end of the year, and its ledger ends there: what is entered later changes nothing about it.
    ///
    /// # Errors
    /// [`CoreError::Refused`] where nothing was said, or in a year when the agreement was not in force; other
    /// [`CoreError`]s.
    pub async fn signed_head(
        &self,
        tx: &mut Tx,
        agreement: &AgreementId,
        of: Part,
    ) -> Result<Signed> {
        let counting = counting::counting(tx, agreement).await?;
        let terms = counting.ok_or_else(|| CoreError::NoAgreement(agreement.to_string()))?;
        let newest = tx.head().await?;
        let mut all = tx.said(agreement, (0, newest.number), i64::MAX).await?;
        let (ledger, time) = match of {
            // By a clock that is not believed no year is over.
            Part::Year(year) if !self.clock_is_held() && year < self.now().date().year() => {
                let ledger = end_of(tx, &all, year).await?;
                all.retain(|it| it.entry <= ledger.number);
                (ledger, end_of_year(year).unwrap_or_else(|| self.now()))
            }
            _ => (newest, tx.entered_last().await?.unwrap_or_else(|| self.now())),
        };
        let chosen = export::choose(&all, of)?;
        if !chosen.iter().any(|(_, listed)| !listed.is_earlier()) {
            let versions = counting::counted(tx, agreement).await?;
            let in_force = versions.iter().map(|it| it.agreement.in_force);
            let began = in_force.min().unwrap_or(terms.agreement.in_force).year();
            match of {
                // A year in which nothing was said has its evidence too: that nothing was.
                Part::Year(year) if (began..=self.now().date().year()).contains(&year) => {}
                Part::Year(year) if year >= began => return Err(to_come(year)),
                _ => return Err(nothing(agreement, of)),
            }
        }
        let list = export::list(chosen.iter().map(|(_, listed)| listed));
        let decided = decided(tx, agreement, ledger.number).await?;
        let head = Head {
            agreement: agreement.clone(),
            party: self.party.clone(),
            agency: terms.agreement.agency.id.clone(),
            municipality: terms.agreement.municipality.id.clone(),
            of,
            terms: terms.digest,
            signers: Digest::of(export::signers(&terms).as_bytes()),
            list: Digest::of(list.as_bytes()),
            decisions: Digest::of(decisions::decisions(&decided, of).as_bytes()),
            ledger,
            time,
        };
        let statement = head.line().map_err(FormError::from)?;
        let signer = self.next_signer(tx, &terms).await?;
        let signature = signer.sign(ledger::NAMESPACE, statement.as_bytes())?;
        Ok(Signed { statement, signature })
    }
}

/// All that was decided and found under an agreement up to this entry.
async fn decided(tx: &mut Tx, agreement: &AgreementId, until: u64) -> Result<Vec<Decided>> {
    let (mut all, mut after) = (Vec::new(), 0);
    while after < until {
        let (more, through) = tx.decided(agreement, (after, until)).await?;
        all.extend(more);
        after = through;
    }
    Ok(all)
}

/// The end of a year in Brussels.
fn end_of_year(year: i16) -> Option<Time> {
    Date::new(year, 12, 31).ok().map(civil::end_of_day)
}

/// The last entry of a year: after the last statement of it or before it, until the first entry of a later one.
async fn end_of(tx: &mut Tx, all: &[SaidOnce], year: i16) -> Result<Tip> {
    let within = |at: Time| at.date().year() <= year;
    let last = all.iter().rfind(|once| within(once.entered)).map_or(0, |once| once.entry);
    // That entry is read too: of it the digest is wanted.
    let (mut tip, mut after) = (Tip::start(), last.saturating_sub(1));
    loop {
        let lines = tx.ledger(after, READ).await?;
        if lines.is_empty() {
            return Ok(tip);
        }
        for line in lines {
            let entry: ledger::Entry =
                serde_json::from_str(&line).map_err(|_| StoreError::Row("ledger"))?;
            if entry.number > last && !within(entry.time) {
                return Ok(tip);
            }
            after = entry.number;
            tip = entry.tip().map_err(FormError::from)?;
        }
    }
}

fn to_come(year: i16) -> CoreError {
    let words = words!("{year} is nog niet begonnen", "{year} has not begun");
    CoreError::refused("nothing-said", words)
}

fn nothing(agreement: &AgreementId, of: Part) -> CoreError {
    let words = match of {
        Part::Year(year) => words!(
            "onder {agreement} werd niets gezegd in {year}, en het gold toen niet",
            "nothing was said under {agreement} in {year}, when it was not in force"
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
