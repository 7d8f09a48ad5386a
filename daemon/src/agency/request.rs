//! Who asked for it: the municipality's request, and what was sent in answer to it (recital C; R5, R6, R63).

use std::path::Path;

use sluis_core::agreement::{Agreement, Side};
use sluis_core::evidence::Verified;
use sluis_core::id::{AgreementId, Digest, TransferId};
use sluis_core::notice::Register;
use sluis_core::policy::{Decision, Reason, Requested};
use sluis_core::statement::{Body, Statement};
use sluis_core::transfer::State;

use super::Agency;
use super::admission::{self, Facts, Item};
use crate::books::{CoreError, Result};
use crate::files::blocking;
use crate::store::Tx;

impl Agency {
    /// Whether a drop with these files may leave now, and at whose request; or every reason why not.
    ///
    /// # Errors
    /// [`CoreError`].
    pub(super) async fn admit(
        &self,
        agreement: &AgreementId,
        parent: &Path,
        items: Vec<Item>,
        replaces: Option<TransferId>,
    ) -> Result<std::result::Result<Requested, Vec<Reason>>> {
        let (terms, facts) = self.facts(agreement, replaces).await?;
        let now = self.books.now();
        if let Decision::Deny(reasons) = admission::decide(&terms, &items, facts, now) {
            return Ok(Err(reasons));
        }
        let (parent, owners) = (parent.to_owned(), self.owners.clone());
        let read =
            blocking(move || admission::read_list(&parent, &items, &terms, &owners, now)).await?;
        Ok(read.map(|_| facts.requested))
    }

    /// The agreement as it stands, and what is known beside its file.
    pub(super) async fn facts(
        &self,
        agreement: &AgreementId,
        replaces: Option<TransferId>,
    ) -> Result<(Agreement, Facts)> {
        let installed = self.books.agreements.get(agreement);
        let installed = installed.ok_or_else(|| CoreError::NoAgreement(agreement.to_string()))?;
        let terms = installed.terms.agreement.clone();
        let mut tx = self.books.store.begin().await?;
        let register = self.books.notices(&mut tx, agreement).await?;
        let standing = terms.period.standing.as_deref().is_some_and(|why| !why.trim().is_empty());
        let requested = match standing {
            true => Requested::Standing,
            false => self.requested(&mut tx, agreement, &register, replaces).await?,
        };
        Ok((terms, Facts { requested, ends: register.ends() }))
    }

    /// The request that a new transfer answers: one that no list has answered yet, that of the transfer it redelivers,
    /// or that of a list whose errors are being mended.
    async fn requested(
        &self,
        tx: &mut Tx,
        agreement: &AgreementId,
        register: &Register,
        replaces: Option<TransferId>,
    ) -> Result<Requested> {
        let answers = self.answers(tx, agreement).await?;
        if let Some(own) = answers.iter().find(|answer| Some(answer.transfer) == replaces) {
            let other = |it: &&Answer| it.stands && it.transfer != own.transfer;
            let others = answers.iter().filter(|it| it.request == own.request).filter(other);
            if others.count() < lists_for(&answers, own.request, register) {
                return Ok(Requested::By(own.request));
            }
        }
        for asked in register.requests().rev() {
            let stands = |it: &&Answer| it.stands && it.request == asked.digest;
            if answers.iter().filter(stands).count() < lists_for(&answers, asked.digest, register) {
                return Ok(Requested::By(asked.digest));
            }
        }
        Ok(register.next_request().map_or(Requested::Never, Requested::Answered))
    }

    /// The transfers that answer a request.
    async fn answers(&self, tx: &mut Tx, agreement: &AgreementId) -> Result<Vec<Answer>> {
        let mut answers = Vec::new();
        for signed in tx.all_sent(agreement).await? {
            let claimed = Statement::read(signed.statement.as_bytes())?;
            let terms = self.books.terms(tx, &claimed.header.terms).await?;
            let sent = Verified::check(&signed, &terms, Side::Agency)?;
            let (Body::Sent(body), Ok(transfer)) = (&sent.statement().body, sent.transfer()) else {
                continue;
            };
            let Some(request) = body.request else { continue };
            let state = tx.transfer::<State>(&transfer).await?.map(|record| record.state);
            let stands = !matches!(
                state,
                None | Some(State::Withdrawn | State::Expired | State::Superseded { .. })
            );
            answers.push(Answer { transfer, request, stands });
        }
        Ok(answers)
    }
}

/// How many lists a request may have: one, and a corrected one for each report of an error in one of them (R63), as
/// long as the last of these is being mended.
fn lists_for(answers: &[Answer], request: Digest, register: &Register) -> usize {
    let own = || answers.iter().filter(|it| it.request == request);
    let reports: usize = own().map(|it| register.errors(&it.transfer)).sum();
    match own().any(|it| register.mends(&it.transfer)) {
        true => 1 + reports,
        // Closed cases had their lists.
        false => 1,
    }
}

/// A transfer that answers a request.
struct Answer {
    transfer: TransferId,
    request: Digest,
    /// Whether it was not stopped, nor took another its place.
    stands: bool,
}
