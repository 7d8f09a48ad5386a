//! Who asked for it: the municipality's request, and what was sent in answer to it (recital C; R5, R6, R63).

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use sluis_core::agreement::{Agreement, Approval};
use sluis_core::content::{Rule, Rules, Summary};
use sluis_core::control::{May, Might};
use sluis_core::deadline::civil;
use sluis_core::id::{AgreementId, Digest, Nis, SKEW_MS, Time, TransferId};
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
            waived: facts.waiver.filter(|_| passed).map(|waiver| waiver.notice),
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
        let now = self.books.now();
        // An end at once is one whatever a clock says.
        let at_once = register.ended_at_once().map(|on| on.min(now.date()));
        let former = notices::former(&mut tx, &terms).await?;
        let former: Vec<&Agreement> = former.iter().map(|it| &it.agreement).collect();
        let (ends, reviewed) =
            (at_once.or(register.ends(&terms)), register.reviewed(&terms, &former));
        // Every list that was ever sent is looked at for this: only where something hangs on it.
        let uncounted = terms.period.is_uncounted();
        let answers = match uncounted && register.waiver(&[], now).is_none() {
            true => Vec::new(),
            false => self.answers(&mut tx, agreement).await?,
        };
        let requested = match terms.period.is_standing() {
            true if uncounted => Requested::Standing,
            true => unasked(&answers, &register, replaces, now.date()),
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
            let record = tx.transfer::<State>(&transfer).await?;
            // What went again has the place of what it replaced.
            let replaced = record.as_ref().and_then(|it| it.replaces);
            let first = answers.iter().find(|it: &&Answer| Some(it.transfer) == replaced);
            let at = first.map_or(sent.header.time, |it| it.at);
            let state = record.map(|record| record.state);
            let stands = !matches!(
                state,
                None | Some(State::Withdrawn | State::Expired | State::Superseded { .. })
            );
            // No list is in an exercise.
            let stands = stands && !body.exercise;
            let (request, mends, waived) = (body.request, body.mends, body.waived);
            answers.push(Answer { transfer, at, request, mends, waived, stands });
        }
        Ok(answers)
    }
}

/// The request that a new transfer answers: the newest, where no list has answered it yet, that of the transfer it
/// redelivers, or that of a list whose errors are being mended.
fn requested(answers: &[Answer], register: &Register, replaces: Option<TransferId>) -> Requested {
    let own = answers.iter().find(|answer| Some(answer.transfer) == replaces);
    let stood = |request: &Digest| register.requests().any(|it| it.digest == *request);
    if let Some((own, request)) = own.and_then(|own| Some((own, own.request.filter(stood)?)))
        && let Some(place) = place(answers, request, register, Some(own))
    {
        return place.under(request);
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
        if let Some(place) = place(answers, asked.digest, register, None) {
            return place.under(asked.digest);
        }
    }
    register.next_request().max(later).map_or(Requested::Never, Requested::Answered)
}

/// The same where lists leave unasked: one a year (R30), and one more in place of each with errors that are being mended
/// (R63). A list that goes again has its own place.
fn unasked(
    answers: &[Answer],
    register: &Register,
    replaces: Option<TransferId>,
    today: Date,
) -> Requested {
    let counts = |it: &&Answer| it.stands && it.request.is_none() && Some(it.transfer) != replaces;
    let lists: Vec<&Answer> = answers.iter().filter(counts).collect();
    let days: Vec<Date> =
        lists.iter().filter(|it| it.mends.is_none()).map(|it| it.at.date()).collect();
    let Some(next) = civil::next_allowed(&days).filter(|next| today < *next) else {
        return Requested::Standing;
    };
    let open = |report: &Digest| lists.iter().all(|it| it.mends != Some(*report));
    let own = answers.iter().find(|it| Some(it.transfer) == replaces).and_then(|it| it.mends);
    let reported = lists.iter().flat_map(|it| register.errors(&it.transfer));
    let unmended = reported.filter(|it| it.closed.is_none()).map(|it| it.begun.digest);
    let report = own.into_iter().chain(unmended).find(open);
    report.map_or(Requested::Answered(next), |report| Requested::Mends { request: None, report })
}

/// What one more list under a request would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    First,
    /// In place of one with the errors that this report tells of.
    Mends(Digest),
}

impl Place {
    fn under(self, request: Digest) -> Requested {
        match self {
            Self::First => Requested::By(request),
            Self::Mends(report) => Requested::Mends { request: Some(request), report },
        }
    }
}

/// An error that was reported in a list.
struct Reported {
    report: Digest,
    begun: Time,
    closed: Option<Time>,
}

impl Reported {
    /// Whether it was open when that list left; the clocks of the parties may differ by so much.
    fn is_open(&self, at: Time) -> bool {
        self.begun <= at.plus_ms(SKEW_MS)
            && self.closed.is_none_or(|closed| at <= closed.plus_ms(SKEW_MS))
    }
}

/// Whether a request may have one more list: its first, unless a newer request was made, by which it lapses; or a corrected
/// one for an error that was reported in one of them and is being mended (R63). Each list after the first took the place of
/// one such report: the one that it names, or of those that were open then the one that was closed soonest. A report that
/// was closed without a list leaves none to be had. What goes `again` takes its own place, unless another one has it.
fn place(
    answers: &[Answer],
    request: Digest,
    register: &Register,
    again: Option<&Answer>,
) -> Option<Place> {
    let own: Vec<&Answer> = answers.iter().filter(|it| it.request == Some(request)).collect();
    let counts =
        own.iter().filter(|it| it.stands && again.is_none_or(|own| own.transfer != it.transfer));
    let mut lists: Vec<&&Answer> = counts.collect();
    lists.sort_by_key(|it| it.at);
    let newest = register.requests().next_back().is_none_or(|it| it.digest == request);
    if lists.is_empty() && newest {
        return Some(Place::First);
    }
    let reported = own.iter().flat_map(|it| register.errors(&it.transfer));
    let mut reported: Vec<Reported> = reported
        .map(|it| Reported { report: it.begun.digest, begun: it.begun.at, closed: it.closed })
        .collect();
    reported.sort_by_key(|it| it.closed.map_or(i64::MAX, |at| at.0));
    for list in lists.iter().skip(1) {
        let named = reported.iter().position(|it| Some(it.report) == list.mends);
        let taken = named.or_else(|| reported.iter().position(|it| it.is_open(list.at)));
        taken.map(|taken| reported.remove(taken));
    }
    let may = |it: &&Reported| again.map_or(it.closed.is_none(), |own| it.is_open(own.at));
    let named = reported.iter().find(|it| again.is_some_and(|own| own.mends == Some(it.report)));
    named.or_else(|| reported.iter().find(may)).map(|it| Place::Mends(it.report))
}

/// A transfer that was sealed.
#[derive(Debug)]
struct Answer {
    transfer: TransferId,
    /// When.
    at: Time,
    /// The request that it answers.
    request: Option<Digest>,
    /// The report whose errors it mends.
    mends: Option<Digest>,
    /// The `override` that it needed.
    waived: Option<Digest>,
    /// Whether it was not stopped, nor took another its place.
    stands: bool,
}

#[cfg(test)]
mod tests {
    use sluis_core::agreement::Side;
    use sluis_core::notice::{Notice, Sort};

    use super::*;

    const HOUR: i64 = 3_600_000;

    /// Lists that answered one request, each at its hour.
    fn answers(request: Digest, times: &[i64]) -> Vec<Answer> {
        let answer = |at: &i64| Answer {
            transfer: TransferId::random(),
            at: Time(*at * HOUR),
            request: Some(request),
            mends: None,
            waived: None,
            stands: true,
        };
        times.iter().map(answer).collect()
    }

    /// Reports of an error in a list, each from when to when it was open, and whether it was contradicted.
    fn reports(of: &Answer, all: &[(i64, Option<i64>, bool)]) -> Register {
        let mut entered = Vec::new();
        let mut enter = |sort, at: i64, case| {
            let digest = Digest::of(format!("{sort:?} {at} {}", entered.len()).as_bytes());
            let (by, transfer) = (Side::Municipality, Some(of.transfer));
            let notice = Notice { case, ..Notice::of("een fout") };
            entered.push(Entered {
                digest,
                by,
                at: Time(at * HOUR),
                version: 1,
                transfer,
                sort,
                notice,
            });
            digest
        };
        for (begun, closed, contradicted) in all {
            let case = enter(Sort::QualityReport, *begun, None);
            closed.map(|at| enter(Sort::QualityClose, at, Some(case)));
            contradicted.then(|| enter(Sort::Contradiction, begun + 1, Some(case)));
        }
        Register(entered)
    }

    #[test]
    fn a_request_has_one_list_and_one_more_for_each_error_that_is_being_mended() {
        let request = Digest::of(b"de lijst van dit jaar");
        let may = |times: &[i64], all: &[(i64, Option<i64>, bool)]| {
            let answers = answers(request, times);
            let register = answers.first().map_or_else(Register::default, |it| reports(it, all));
            place(&answers, request, &register, None).is_some()
        };
        assert!(may(&[], &[]));
        assert!(!may(&[10], &[]));
        assert!(may(&[10], &[(20, None, false)]));
        assert!(!may(&[10], &[(20, Some(30), false)]), "it was closed without a list");
        assert!(!may(&[10, 25], &[(20, None, false)]), "the corrected one has left");
        // One that was closed without a list, and an open one: one list.
        let two = [(20, Some(30), false), (40, None, false)];
        assert!(may(&[10], &two) && !may(&[10, 50], &two));
        // A list for the first, and one for the second.
        assert!(may(&[10, 25], &two) && !may(&[10, 25, 50], &two));
        assert!(!may(&[10], &[(20, None, true)]), "its party denies it");
        assert!(
            may(&[10, 15], &[(20, None, false)]),
            "what left before it was reported mends nothing"
        );
    }

    #[test]
    fn what_is_redelivered_takes_its_own_place() {
        let request = Digest::of(b"de lijst van dit jaar");
        let lists = answers(request, &[10, 25]);
        for closed in [None, Some(30)] {
            let register = reports(&lists[0], &[(20, closed, false)]);
            let may = |lists: &[Answer], own: &Answer| {
                place(lists, request, &register, Some(own)).is_some()
            };
            assert!(may(&lists, &lists[1]) && may(&lists[..1], &lists[0]));
            assert!(!may(&lists, &lists[0]), "the corrected one stands in its place");
        }
        // It was withdrawn, and another one left in its place.
        let mut three = answers(request, &[10, 25, 27]);
        three[1].stands = false;
        let register = reports(&three[0], &[(20, Some(30), false)]);
        assert_eq!(place(&three, request, &register, Some(&three[1])), None);
    }

    #[test]
    fn a_corrected_list_names_the_report_that_it_mends_and_takes_its_place() {
        let request = Digest::of(b"de lijst van dit jaar");
        let mut lists = answers(request, &[10]);
        let register = reports(&lists[0], &[(20, None, false), (21, None, false)]);
        let [first, second] = [register.0[0].digest, register.0[1].digest];
        let next = |lists: &[Answer]| requested(lists, &register, None);
        assert_eq!(place(&lists, request, &register, None), Some(Place::Mends(first)));
        // The second error was mended first, by its word.
        lists.extend(answers(request, &[25]));
        lists[1].mends = Some(second);
        assert_eq!(place(&lists, request, &register, None), Some(Place::Mends(first)));
        // What goes again mends what it mended.
        let again = place(&lists, request, &register, Some(&lists[1]));
        assert_eq!(again, Some(Place::Mends(second)));
        assert_eq!(next(&lists), Requested::Never, "nobody asked");
    }

    #[test]
    fn a_list_answers_the_newest_request_and_an_older_one_has_only_its_corrections() {
        let asked = |name: &str, at: i64| Entered {
            digest: Digest::of(name.as_bytes()),
            by: Side::Municipality,
            at: Time(at * HOUR),
            version: 1,
            transfer: None,
            sort: Sort::Request,
            notice: Notice::of(name),
        };
        const YEAR: i64 = 366 * 24;
        let (old, new) = (asked("2025", 0), asked("2026", YEAR));
        let [one, two] = [old.digest, new.digest];
        let all = Register(vec![old.clone(), new.clone()]);
        let next = civil::next_allowed(&[new.at.date()]).unwrap();
        assert_eq!(requested(&[], &Register(vec![old.clone()]), None), Requested::By(one));
        assert_eq!(requested(&[], &all, None), Requested::By(two));
        let answered = answers(two, &[YEAR + 1]);
        assert_eq!(
            requested(&answered, &all, None),
            Requested::Answered(next),
            "the old one lapsed"
        );
        // Its list was stopped: that goes again under the newest, or not at all.
        let mut stopped = answers(one, &[1]);
        stopped[0].stands = false;
        let again = Some(stopped[0].transfer);
        assert_eq!(requested(&stopped, &all, again), Requested::By(two));
        stopped.extend(answers(two, &[YEAR + 1]));
        assert_eq!(requested(&stopped, &all, again), Requested::Answered(next));
        // An error in a list of last year is mended all the same.
        let mut lists = answers(one, &[1]);
        lists.extend(answers(two, &[YEAR + 1]));
        let mut mended = reports(&lists[0], &[(2, None, false)]);
        let report = mended.0[0].digest;
        mended.0.extend([old, new]);
        let request = Some(one);
        assert_eq!(requested(&lists, &mended, None), Requested::Mends { request, report });
    }

    #[test]
    fn r30_of_lists_that_leave_unasked_one_a_year_leaves_and_its_corrections() {
        let list = |at: i64| Answer { request: None, ..answers(Digest::none(), &[at]).remove(0) };
        let (first, none) = (list(0), Register::default());
        let today = Time(10 * HOUR).date();
        let next = civil::next_allowed(&[first.at.date()]).unwrap();
        let open = reports(&first, &[(1, None, false)]);
        let mends = Requested::Mends { request: None, report: open.0[0].digest };
        let closed = reports(&first, &[(1, Some(2), false)]);
        let denied = reports(&first, &[(1, None, true)]);
        let own = Some(first.transfer);
        let mut lists = vec![first];
        assert_eq!(unasked(&[], &none, None, today), Requested::Standing);
        for register in [&none, &closed, &denied] {
            assert_eq!(unasked(&lists, register, None, today), Requested::Answered(next));
        }
        assert_eq!(unasked(&lists, &none, None, next), Requested::Standing);
        assert_eq!(unasked(&lists, &open, None, today), mends);
        // It goes again itself, and has its own place.
        assert_eq!(unasked(&lists, &none, own, today), Requested::Standing);
        // The corrected one has left, and takes no year's place; it goes again as what it was.
        let Requested::Mends { report, .. } = mends else { panic!() };
        lists.push(Answer { mends: Some(report), ..list(5) });
        assert_eq!(unasked(&lists, &open, None, today), Requested::Answered(next));
        assert_eq!(unasked(&lists, &open, None, next), Requested::Standing);
        let again = Some(lists[1].transfer);
        assert_eq!(unasked(&lists, &closed, again, today), mends);
        // What was stopped, and what answered a request, is no list that left unasked.
        lists[0].stands = false;
        lists.push(Answer { request: Some(Digest::of(b"asked")), ..list(6) });
        assert_eq!(unasked(&lists, &none, None, today), Requested::Standing);
    }
}
