//! Who asked for it: the municipality's request, and what was sent in answer to it (recital C; R5, R6, R63).

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use sluis_core::agreement::{Agreement, Approval, Side};
use sluis_core::content::{Rule, Rules, Summary};
use sluis_core::control::{May, Might};
use sluis_core::id::{AgreementId, Digest, Nis, SKEW_MS, Time, TransferId};
use sluis_core::policy::{self, Reason, Requested};
use sluis_core::statement::{Body, Header};
use sluis_core::transfer::State;
use sluis_core::words;

use super::Agency;
use super::admission::{self, Bytes, Facts, Granted, Item};
use super::yearly::{self, Answer, Stands};
use crate::error::{CoreError, Result};
use crate::store::{Record, Tx};
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

    /// The bytes of a drop for which two persons let something pass; what they let pass for another one is not known of it.
    async fn marked(
        &self,
        parent: &Path,
        items: &[Item],
        facts: &mut Facts,
    ) -> Result<Option<Bytes>> {
        if facts.waivers.is_empty() {
            return Ok(None);
        }
        let bytes = self.bytes(parent, items).await?;
        let text = bytes.as_ref().map(Bytes::text).unwrap_or_default();
        facts.of_list(&self.books.marks(NAMESPACE, text.as_bytes())?);
        Ok(bytes.filter(|_| !facts.waivers.is_empty()))
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
        let marked = self.marked(parent, &items, &mut facts).await?;
        if exercise {
            facts.requested = Requested::Exercise;
        }
        let size = items.iter().map(|item| item.stamp.size).sum();
        let passed = match admission::decide(&terms, (items.len(), size), &facts, now) {
            Ok(passed) => passed,
            // Of an exercise it is known what is in it.
            Err(reasons) if exercise => return Ok(Err(reasons)),
            Err(reasons) => {
                return self.with_those_of_the_list(reasons, parent, &items, terms, &facts).await;
            }
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
            waived: facts.waivers.first().filter(|_| passed).map(|waiver| waiver.notice),
            rows: list.map(|list| list.rows),
            residents,
            bytes,
        }))
    }

    /// These reasons, and beside them all that is wrong in the list: its owner mends it once. It is not read where its size
    /// is refused, or where the agreement does not say what stands in one.
    async fn with_those_of_the_list(
        &self,
        mut reasons: Vec<Reason>,
        parent: &Path,
        items: &[Item],
        terms: Agreement,
        facts: &Facts,
    ) -> Result<std::result::Result<Granted, Vec<Reason>>> {
        let of_its_size = |it: &Reason| matches!(it, Reason::Empty | Reason::TooLarge { .. });
        if !reasons.iter().any(of_its_size) && Rules::of(&terms).is_ok() {
            let now = self.books.now();
            let read = self.read_list(parent, items, terms, now, facts.waived()).await?;
            reasons.extend(read.err().unwrap_or_default());
        }
        Ok(Err(reasons))
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

    /// What would become of a file that nobody sent: every reason why it may not leave, and what it would wait for, as this
    /// user asks. Nothing is kept of it.
    ///
    /// # Errors
    /// [`CoreError`].
    pub(super) async fn might(&self, ask: May, uid: u32) -> Result<Might> {
        let name = &ask.agreement;
        if let Some(version) = self.books.unapproved(name) {
            let reasons = vec![Reason::Unapproved { version }];
            return Ok(Might { reasons, waived: Vec::new(), waits: Vec::new(), mends: None });
        }
        let (terms, mut facts) = self.facts(name, None, ask.drawn_for).await?;
        let marks = self.books.marks(NAMESPACE, Bytes::of(&[ask.content]).text().as_bytes())?;
        facts.of_list(&marks);
        let reasons = admission::decide(&terms, (1, ask.size), &facts, self.books.now());
        let reasons = reasons.err().unwrap_or_default();
        let installed = self.books.installed(name)?;
        let offered = (!self.owners.has(uid)).then(|| {
            words!(
                "iemand die ze mag aanbieden: gebruiker {uid} staat niet op de lijst sealer.owners of heeft de taak submit van [duties] niet",
                "somebody who may offer it: user {uid} is not on the list sealer.owners or has not the duty submit of [duties]"
            )
        });
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
        let waits = [offered, second, changed, tried].into_iter().flatten().collect();
        let (_, mends) = facts.requested.by();
        Ok(Might { reasons, waived: facts.waived(), waits, mends })
    }

    /// The agreement as it stands, and what is known beside its file.
    pub(super) async fn facts(
        &self,
        agreement: &AgreementId,
        replaces: Option<TransferId>,
        drawn_for: Option<Nis>,
    ) -> Result<(Agreement, Facts)> {
        let installed = self.books.installed(agreement)?;
        let terms = installed.terms.agreement.clone();
        let mut tx = self.books.store.begin().await?;
        let register = self.books.notices(&mut tx, agreement).await?;
        let now = self.books.now();
        // An end at once is one whatever a clock says.
        let at_once = register.ended_at_once().map(|on| on.min(now.date()));
        let former = notices::former(&mut tx, &terms).await?;
        let former: Vec<&Agreement> = former.iter().map(|it| &it.agreement).collect();
        let (ends, reviewed) =
            (at_once.or(register.ends(&terms)), register.reviewed(&terms, &former));
        // Every list that was ever sent is looked at for this: only where something hangs on it.
        let uncounted = terms.period.is_uncounted();
        let answers = match uncounted && register.waivers(&[], now).is_empty() {
            true => Vec::new(),
            false => self.answers(&mut tx, &terms).await?,
        };
        let replaces = yearly::sealed(&mut tx, &answers, replaces).await?.map(|it| it.transfer);
        // Where the clock is held nobody knows what day it is.
        let today = (!self.books.clock_is_held()).then(|| now.date());
        let requested = match terms.period.is_standing() {
            true if uncounted => Requested::Standing,
            is_standing => yearly::one_more(&answers, &register, replaces, today, is_standing),
        };
        // A redelivery rests on the word that its first transfer rested on.
        let others = answers.iter().filter(|it| it.stands() && Some(it.transfer) != replaces);
        let used: Vec<Digest> = others.filter_map(|it| it.waived).collect();
        let waivers = register.waivers(&used, now);
        Ok((terms, Facts { requested, ends, waivers, reviewed, drawn_for }))
    }

    /// The transfers that were sealed, and what each rests on.
    async fn answers(&self, tx: &mut Tx, terms: &Agreement) -> Result<Vec<Answer>> {
        let mut answers = Vec::new();
        for signed in tx.all_sent(&terms.agreement).await? {
            let (sent, ..) = self.books.read_again(tx, &signed).await?;
            let (Body::Sent(body), Some(transfer)) = (sent.body, sent.header.transfer) else {
                continue;
            };
            let record = tx.transfer::<State>(&transfer).await?;
            // What went again has the place of what it replaced.
            let replaced = record.as_ref().and_then(|it| it.replaces);
            let before = yearly::sealed(tx, &answers, replaced).await?.copied();
            let (first, at) = match before {
                Some(before) => (before.first, before.at),
                None => (transfer, self.left(tx, terms, &sent.header, &transfer).await?),
            };
            // No list is in an exercise.
            let stands = match record.filter(|_| !body.exercise) {
                Some(record) => self.in_the_way(tx, terms, &record).await?,
                None => Stands::No,
            };
            let (request, mends, waived) = (body.request, body.mends, body.waived);
            let answer = Answer { transfer, first, at, request, mends, waived, stands };
            yearly::add(&mut answers, answer);
        }
        Ok(answers)
    }

    /// Whether a list stands in the way of another one. What ended after its shares began to leave may have been opened
    /// before the municipality heard that.
    async fn in_the_way(
        &self,
        tx: &mut Tx,
        terms: &Agreement,
        record: &Record<State>,
    ) -> Result<Stands> {
        let end = match record.state {
            State::Withdrawn => return Ok(Stands::No),
            State::Expired => "expired",
            State::Superseded { .. } => "superseded",
            _ => return Ok(Stands::Yes),
        };
        // Its word has no effect on what another one replaced, and says it all the same.
        if tx.was_opened(&record.id).await? {
            return Ok(Stands::Yes);
        }
        let (name, other) = (&terms.agreement, &terms.party(Side::Municipality).id);
        // No share leaves before that word.
        if tx.statement(&record.id, "removed", other).await?.is_none() {
            return Ok(Stands::No);
        }
        let Some(end) = tx.statement(&record.id, end, &self.books.party).await? else {
            return Ok(Stands::Unsure);
        };
        let end = self.books.read_again(tx, &end).await?.0.header.number;
        let known = self.books.heard.has(name, end)
            || end <= tx.agreed_on(&self.books.party, other, name).await?.number;
        Ok(if known { Stands::No } else { Stands::Unsure })
    }

    /// When a list left: as this party's clock said, and where that was wrong as what was heard before and after it bears out.
    async fn left(
        &self,
        tx: &mut Tx,
        terms: &Agreement,
        header: &Header,
        transfer: &TransferId,
    ) -> Result<Time> {
        let (now, other) = (self.books.now(), &terms.party(Side::Municipality).id);
        let seen = tx.time_of(other, &terms.agreement, &header.seen).await?;
        if header.time <= now {
            let seen = seen.map_or(header.time, |seen| seen.plus_ms(-SKEW_MS));
            return Ok(header.time.max(seen.min(now)));
        }
        // The clock was ahead then, or is behind now.
        let delivered = match tx.statement(transfer, "delivered", other).await? {
            Some(signed) => Some(self.books.read_again(tx, &signed).await?.0.header.time),
            None => seen,
        };
        Ok(delivered.unwrap_or(now).min(now))
    }
}
