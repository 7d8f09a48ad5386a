//! Who asked for it: the municipality's request, and what was sent in answer to it (recital C; R5, R6, R63).

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use sluis_core::agreement::{Agreement, Approval};
use sluis_core::content::{Rule, Summary};
use sluis_core::control::{May, Might};
use sluis_core::deadline::civil;
use sluis_core::id::{AgreementId, Digest, Nis, Time, TransferId};
use sluis_core::notice::{Entered, Register};
use sluis_core::policy::{self, Reason, Requested};
use sluis_core::statement::Body;
use sluis_core::transfer::State;
use sluis_core::words;

use super::Agency;
use super::admission::{self, Bytes, Facts, Granted, Item};
use crate::error::{CoreError, Result};
use crate::store::Tx;
use crate::{notices, threads};

/// What is known of a drop beside its files.
pub(super) struct Known {
    /// The transfer that it redelivers.
    pub(super) replaces: Option<TransferId>,
    /// For whose residents it was drawn, by a person's word.
    pub(super) drawn_for: Option<Nis>,
    /// Whether it is the exercise.
    pub(super) exercise: bool,
}

/// What a mark of a list is signed as; never a statement's.
const NAMESPACE: &str = "list@sluis";

impl Agency {
    /// What only this party can tell of the bytes of a drop, where two persons may let it pass.
    pub(super) async fn mark_of(
        &self,
        parent: &Path,
        name: &OsStr,
        reasons: &[Reason],
    ) -> Result<Option<Digest>> {
        if !reasons.iter().all(|reason| reason.overridable().is_some()) {
            return Ok(None);
        }
        let (at, name, owners) = (parent.to_owned(), PathBuf::from(name), self.owners.clone());
        let read = threads::apart(move || {
            let items = admission::survey(&at, &name, &owners).ok()?;
            Bytes::read(&at, &items).ok()
        });
        match read.await? {
            Some(bytes) => {
                Ok(self.books.marks(NAMESPACE, bytes.text().as_bytes())?.into_iter().next())
            }
            None => Ok(None),
        }
    }

    /// The bytes of a drop, where they can be read.
    async fn bytes(&self, parent: &Path, items: &[Item]) -> Result<Option<Bytes>> {
        let (at, items) = (parent.to_owned(), items.to_vec());
        threads::apart(move || Bytes::read(&at, &items).ok()).await
    }

    /// The bytes of the list with that mark, made with any key of this party; nothing where it is another list.
    async fn marked(&self, parent: &Path, items: &[Item], mark: &Digest) -> Result<Option<Bytes>> {
        let Some(bytes) = self.bytes(parent, items).await? else { return Ok(None) };
        let own = self.books.marks(NAMESPACE, bytes.text().as_bytes())?.contains(mark);
        Ok(own.then_some(bytes))
    }

    /// Whether a drop with these files is the exercise.
    pub(super) async fn is_exercise(&self, parent: &Path, items: &[Item]) -> Result<bool> {
        let (at, owners, seen) = (parent.to_owned(), self.owners.clone(), items.to_vec());
        threads::blocking(move || admission::is_exercise(&at, &seen, &owners)).await
    }

    /// Whether a drop with these files may leave now, and at whose request; or every reason why not.
    ///
    /// # Errors
    /// [`CoreError`].
    pub(super) async fn admit(
        &self,
        agreement: &AgreementId,
        parent: &Path,
        items: Vec<Item>,
        known: Known,
    ) -> Result<std::result::Result<Granted, Vec<Reason>>> {
        if let Some(version) = self.books.unapproved(agreement) {
            return Ok(Err(vec![Reason::Unapproved { version }]));
        }
        let Known { replaces, drawn_for, exercise } = known;
        let (terms, mut facts) = self.facts(agreement, replaces, drawn_for).await?;
        let now = self.books.now();
        // What two persons let pass is the list that they saw, and no other one.
        let marked = match &facts.waiver {
            Some(waiver) => self.marked(parent, &items, &waiver.list).await?,
            None => None,
        };
        facts.waiver = facts.waiver.filter(|_| marked.is_some());
        if exercise {
            facts.requested = Requested::Exercise;
        }
        let size = items.iter().map(|item| item.stamp.size).sum();
        let passed = match admission::decide(&terms, (items.len(), size), &facts, now) {
            Ok(passed) => passed,
            Err(reasons) => return Ok(Err(reasons)),
        };
        // What is in it is known to the byte.
        if exercise {
            let (requested, bytes) = (facts.requested, Some(Bytes::of_exercise()));
            return Ok(Ok(Granted { requested, waived: None, rows: None, residents: None, bytes }));
        }
        let residents = match policy::residents(&terms, facts.drawn_for.as_ref()) {
            Ok(residents) => residents,
            Err(reason) => return Ok(Err(vec![reason])),
        };
        let second = terms.file.approval == Approval::SecondPerson;
        let list = match self.read_list(parent, &items, terms, now, facts.waived()).await? {
            Ok(list) => list,
            Err(reasons) => return Ok(Err(reasons)),
        };
        let bytes = match &list {
            Some(list) => Some(Bytes::of(&[list.content])),
            // Of what is no list nobody reads more than somebody answers for.
            None if second && marked.is_none() => self.bytes(parent, &items).await?,
            None => marked,
        };
        if marked.is_some() && marked != bytes || second && bytes.is_none() {
            return Ok(Err(vec![Reason::Changed]));
        }
        let passed = passed || list.as_ref().is_some_and(|list| !list.waived.is_empty());
        Ok(Ok(Granted {
            requested: facts.requested,
            waived: facts.waiver.filter(|_| passed).map(|waiver| waiver.notice),
            rows: list.map(|list| list.rows),
            residents,
            bytes,
        }))
    }

    /// What stands in the list, where the agreement is about lists; or every reason why it may not leave.
    async fn read_list(
        &self,
        parent: &Path,
        items: &[Item],
        terms: Agreement,
        now: Time,
        waive: Vec<Rule>,
    ) -> Result<std::result::Result<Option<Summary>, Vec<Reason>>> {
        let (parent, items, owners) = (parent.to_owned(), items.to_vec(), self.owners.clone());
        threads::apart(move || admission::read_list(&parent, &items, &terms, &owners, now, &waive))
            .await
    }

    /// What would become of a file that nobody sent: every reason why it may not leave, and what it would wait for.
    /// Nothing is kept of it.
    ///
    /// # Errors
    /// [`CoreError`].
    pub(super) async fn might(&self, ask: May) -> Result<Might> {
        let name = &ask.agreement;
        if let Some(version) = self.books.unapproved(name) {
            let reasons = vec![Reason::Unapproved { version }];
            return Ok(Might { reasons, waived: Vec::new(), waits: Vec::new() });
        }
        let (terms, facts) = self.facts(name, None, ask.drawn_for).await?;
        let reasons = admission::decide(&terms, (1, ask.size), &facts, self.books.now());
        let reasons = reasons.err().unwrap_or_default();
        let installed = self.books.agreements.get(name);
        let installed = installed.ok_or_else(|| CoreError::NoAgreement(name.to_string()))?;
        let second = (terms.file.approval == Approval::SecondPerson).then(|| {
            words!(
                "een tweede persoon laat ze vertrekken: sluis approve",
                "a second person lets it go: sluis approve"
            )
        });
        // Dropped without a commit, as if nobody had looked.
        let mut tx = self.books.store.begin().await?;
        self.books.may_go_on(&mut tx, name).await?;
        let tried = self.unrehearsed(&mut tx, installed).await?;
        let changed = match self.changed_numbers(&mut tx, installed).await {
            Ok(changed) => changed,
            // No contacts file: that holds it too.
            Err(CoreError::Refused(refused)) => Some(refused.words),
            Err(other) => return Err(other),
        };
        let waits = [second, changed, tried].into_iter().flatten().collect();
        Ok(Might { reasons, waived: facts.waived(), waits })
    }

    /// The agreement as it stands, and what is known beside its file.
    pub(super) async fn facts(
        &self,
        agreement: &AgreementId,
        replaces: Option<TransferId>,
        drawn_for: Option<Nis>,
    ) -> Result<(Agreement, Facts)> {
        let installed = self.books.agreements.get(agreement);
        let installed = installed.ok_or_else(|| CoreError::NoAgreement(agreement.to_string()))?;
        let terms = installed.terms.agreement.clone();
        let mut tx = self.books.store.begin().await?;
        let register = self.books.notices(&mut tx, agreement).await?;
        let standing = terms.period.standing.as_deref().is_some_and(|why| !why.trim().is_empty());
        let now = self.books.now();
        // An end at once is one whatever a clock says.
        let at_once = register.ended_at_once().map(|on| on.min(now.date()));
        let former = notices::former(&mut tx, &terms).await?;
        let former: Vec<&Agreement> = former.iter().map(|it| &it.agreement).collect();
        let (ends, reviewed) =
            (at_once.or(register.ends(&terms)), register.reviewed(&terms, &former));
        // Every list that was ever sent is looked at for this: only where something hangs on it.
        let answers = match standing && register.waiver(&[], now).is_none() {
            true => Vec::new(),
            false => self.answers(&mut tx, agreement).await?,
        };
        let requested = match standing {
            true => Requested::Standing,
            false => requested(&answers, &register, replaces),
        };
        // A redelivery rests on the word that its first transfer rested on.
        let others = answers.iter().filter(|it| it.stands && Some(it.transfer) != replaces);
        let used: Vec<Digest> = others.filter_map(|it| it.waived).collect();
        let waiver = register.waiver(&used, now);
        Ok((terms, Facts { requested, ends, waiver, reviewed, drawn_for }))
    }

    /// The transfers that were sealed, and what each rests on.
    async fn answers(&self, tx: &mut Tx, agreement: &AgreementId) -> Result<Vec<Answer>> {
        let mut answers = Vec::new();
        for signed in tx.all_sent(agreement).await? {
            let (sent, ..) = self.books.read_again(tx, &signed).await?;
            let (Body::Sent(body), Some(transfer)) = (sent.body, sent.header.transfer) else {
                continue;
            };
            let state = tx.transfer::<State>(&transfer).await?.map(|record| record.state);
            let stands = !matches!(
                state,
                None | Some(State::Withdrawn | State::Expired | State::Superseded { .. })
            );
            let (request, waived) = (body.request, body.waived);
            answers.push(Answer { transfer, request, waived, stands });
        }
        Ok(answers)
    }
}

/// The request that a new transfer answers: one that no list has answered yet, that of the transfer it redelivers, or
/// that of a list whose errors are being mended.
fn requested(answers: &[Answer], register: &Register, replaces: Option<TransferId>) -> Requested {
    let own = answers.iter().find(|answer| Some(answer.transfer) == replaces);
    let stood = |request: &Digest| register.requests().any(|it| it.digest == *request);
    if let Some((own, request)) = own.and_then(|own| Some((own, own.request.filter(stood)?))) {
        let other = |it: &&Answer| it.stands && it.transfer != own.transfer;
        let others = answers.iter().filter(|it| it.request == own.request).filter(other);
        if others.count() < lists_for(answers, request, register) {
            return Requested::By(request);
        }
    }
    // What was contradicted after a list had answered it counts for its year all the same.
    let answered = |it: &&Entered| {
        answers.iter().any(|answer| answer.stands && answer.request == Some(it.digest))
    };
    let days: Vec<Date> = register.unasked().filter(answered).map(|it| it.told().date()).collect();
    let later = civil::next_allowed(&days);
    for asked in register.requests().rev() {
        if later.is_some_and(|on| asked.told().date() < on) {
            continue;
        }
        let stands = |it: &&Answer| it.stands && it.request == Some(asked.digest);
        if answers.iter().filter(stands).count() < lists_for(answers, asked.digest, register) {
            return Requested::By(asked.digest);
        }
    }
    register.next_request().max(later).map_or(Requested::Never, Requested::Answered)
}

/// How many lists a request may have: one, and a corrected one for each report of an error in one of them (R63), as
/// long as the last of these is being mended.
fn lists_for(answers: &[Answer], request: Digest, register: &Register) -> usize {
    let own = || answers.iter().filter(|it| it.request == Some(request));
    let reports: usize = own().map(|it| register.errors(&it.transfer)).sum();
    match own().any(|it| register.mends(&it.transfer)) {
        true => 1 + reports,
        // Closed cases had their lists.
        false => 1,
    }
}

/// A transfer that was sealed.
struct Answer {
    transfer: TransferId,
    /// The request that it answers.
    request: Option<Digest>,
    /// The `override` that it needed.
    waived: Option<Digest>,
    /// Whether it was not stopped, nor took another its place.
    stands: bool,
}
