//! One list a year: what was asked for, what was sent, and what one more list would be (recital C; R5, R6, R30, R63).

use jiff::civil::Date;
use sluis_core::deadline::civil;
use sluis_core::id::{Digest, SKEW_MS, Time, TransferId};
use sluis_core::notice::{Case, Entered, Register};
use sluis_core::policy::Requested;
use sluis_core::transfer::State;

use crate::error::Result;
use crate::store::Tx;

/// What one more list would be, where lists leave unasked (`is_standing`) or on request. Where only a list keeps it from
/// leaving of which nobody knows yet whether it was opened, that is the answer.
pub(super) fn one_more(
    answers: &[Answer],
    register: &Register,
    replaces: Option<TransferId>,
    today: Option<Date>,
    is_standing: bool,
) -> Requested {
    let of = if is_standing { unasked } else { requested };
    let now = of(answers, register, replaces, today);
    if !matches!(now, Requested::Answered(_)) {
        return now;
    }
    let sure = |it: &Answer| match it.stands {
        Stands::Unsure => Answer { stands: Stands::No, ..*it },
        _ => *it,
    };
    let sure: Vec<Answer> = answers.iter().map(sure).collect();
    match of(&sure, register, replaces, today) {
        Requested::Answered(_) => now,
        _ => Requested::Unsure,
    }
}

/// The request that a new transfer answers: the newest, where no list has answered it yet, that of the transfer it
/// redelivers, or that of a list whose errors are being mended.
///
/// A list that left unasked under an earlier version has its year and its corrections too.
pub(super) fn requested(
    answers: &[Answer],
    register: &Register,
    replaces: Option<TransferId>,
    today: Option<Date>,
) -> Requested {
    let own = answers.iter().find(|answer| Some(answer.transfer) == replaces);
    if own.is_some_and(|own| own.request.is_none()) {
        return unasked(answers, register, replaces, today);
    }
    let stood = |request: &Digest| register.requests().any(|it| it.digest == *request);
    if let Some((own, request)) = own.and_then(|own| Some((own, own.request.filter(stood)?)))
        && let Some(place) = place(answers, request, register, Some(own))
    {
        return place.under(request);
    }
    // What was contradicted after a list had answered it counts for its year all the same.
    let answered = |it: &&Entered| {
        answers.iter().any(|answer| answer.stands() && answer.request == Some(it.digest))
    };
    let denied = register.unasked().filter(answered).map(|it| it.told().date());
    let unasked = Lists { answers, register, stand: &|it| it.request.is_none() };
    let days: Vec<Date> = denied.chain(unasked.years()).collect();
    let later = civil::next_allowed(&days);
    for asked in register.requests().rev() {
        if later.is_some_and(|on| asked.told().date() < on) {
            continue;
        }
        if let Some(place) = place(answers, asked.digest, register, None) {
            return place.under(asked.digest);
        }
    }
    if let Some(report) = unasked.correction(None) {
        return Requested::Mends { request: None, report };
    }
    register.next_request().max(later).map_or(Requested::Never, Requested::Answered)
}

/// The same where lists leave unasked: one a year (R30), and one more for each error that was reported in one of them and is
/// being mended (R63), which goes first. What goes again has its own place, unless its correction has it.
///
/// `today` is nothing where nobody knows the day.
pub(super) fn unasked(
    answers: &[Answer],
    register: &Register,
    replaces: Option<TransferId>,
    today: Option<Date>,
) -> Requested {
    let all = Lists { answers, register, stand: &|it| Some(it.transfer) != replaces };
    if let Some(report) = all.correction(replaces) {
        return Requested::Mends { request: None, report };
    }
    match civil::next_allowed(&all.years()) {
        Some(next) if today.is_none_or(|today| today < next) => Requested::Answered(next),
        _ => Requested::Standing,
    }
}

/// Lists that are held against one more: of the answers that stand those that are meant.
struct Lists<'a> {
    answers: &'a [Answer],
    register: &'a Register,
    stand: &'a dyn Fn(&Answer) -> bool,
}

impl Lists<'_> {
    fn standing(&self) -> impl Iterator<Item = &Answer> {
        self.answers.iter().filter(|it| it.stands() && (self.stand)(it))
    }

    /// The errors that were reported in any list, each with the first transfer of that list.
    fn reported(&self) -> impl Iterator<Item = (TransferId, Case<'_>)> {
        let of = |it| self.register.errors(it);
        self.answers.iter().flat_map(move |it| of(&it.transfer).map(|case| (it.first, case)))
    }

    /// Whether the list that such a report is about stands, it or what went again in its place.
    fn stands(&self, first: TransferId) -> bool {
        self.standing().any(|it| it.first == first)
    }

    /// The days of the lists that each have a year: what mends one that stands has none of its own.
    fn years(&self) -> Vec<Date> {
        let mends = |report| {
            self.reported().any(|(of, case)| case.begun.digest == report && self.stands(of))
        };
        let own = |it: &&Answer| !it.mends.is_some_and(mends);
        self.standing().filter(own).map(|it| it.at.date()).collect()
    }

    /// The report whose errors one more list would mend: one that is open and that no list took the place of yet. What goes
    /// again mends what it mended.
    fn correction(&self, again: Option<TransferId>) -> Option<Digest> {
        let own = again.and_then(|again| self.answers.iter().find(|it| it.transfer == again));
        let may = |(of, case): &(TransferId, Case<'_>)| match own {
            Some(own) => own.mends == Some(case.begun.digest),
            None => case.closed.is_none() && self.stands(*of),
        };
        let free = |report: &Digest| self.standing().all(|it| it.mends != Some(*report));
        self.reported().filter(may).map(|(_, case)| case.begun.digest).find(free)
    }
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
        own.iter().filter(|it| it.stands() && again.is_none_or(|own| own.transfer != it.transfer));
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
#[derive(Debug, Clone, Copy)]
pub(super) struct Answer {
    pub(super) transfer: TransferId,
    /// The one that went first of those that took each other's place.
    pub(super) first: TransferId,
    /// When that one left.
    pub(super) at: Time,
    /// The request that it answers.
    pub(super) request: Option<Digest>,
    /// The report whose errors it mends.
    pub(super) mends: Option<Digest>,
    /// The `override` that it needed.
    pub(super) waived: Option<Digest>,
    /// Whether it was not stopped, nor took another its place.
    pub(super) stands: Stands,
}

impl Answer {
    /// Whether it stands in the way of another list: also where nobody knows yet.
    pub(super) fn stands(&self) -> bool {
        self.stands != Stands::No
    }
}

/// Adds one after those that were sealed before it. What it goes in the place of stands no more; where it is unsure whether
/// that was opened, it is of the new one too.
pub(super) fn add(answers: &mut Vec<Answer>, mut answer: Answer) {
    let unsure = |it: &&mut Answer| it.first == answer.first && it.stands == Stands::Unsure;
    for before in answers.iter_mut().filter(unsure) {
        before.stands = Stands::No;
        answer.stands = match answer.stands {
            Stands::No => Stands::Unsure,
            known => known,
        };
    }
    answers.push(answer);
}

/// Whether a list stands in the way of another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stands {
    /// It is the list of its year, or may still be.
    Yes,
    /// It ended; whether it was opened before the other party heard that is not heard yet.
    Unsure,
    /// It ended, and was not opened.
    No,
}

/// The one of these that a transfer goes in the place of: itself, or the last before it in its chain of redeliveries that was
/// sealed.
pub(super) async fn sealed<'a>(
    tx: &mut Tx,
    answers: &'a [Answer],
    transfer: Option<TransferId>,
) -> Result<Option<&'a Answer>> {
    let mut link = transfer;
    while let Some(id) = link {
        if let Some(found) = answers.iter().find(|it| it.transfer == id) {
            return Ok(Some(found));
        }
        link = tx.transfer::<State>(&id).await?.and_then(|record| record.replaces);
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use sluis_core::agreement::Side;
    use sluis_core::notice::{Notice, Sort};

    use super::*;

    const HOUR: i64 = 3_600_000;

    /// Lists that answered one request, each at its hour.
    fn answers(request: Digest, times: &[i64]) -> Vec<Answer> {
        let answer = |transfer: TransferId, at: &i64| Answer {
            transfer,
            first: transfer,
            at: Time(*at * HOUR),
            request: Some(request),
            mends: None,
            waived: None,
            stands: Stands::Yes,
        };
        times.iter().map(|at| answer(TransferId::random(), at)).collect()
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
                said: Time(at * HOUR),
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
    fn what_may_have_been_opened_when_it_ended_keeps_another_list_waiting_until_that_is_known() {
        let request = Digest::of(b"de lijst van dit jaar");
        let asked = Entered {
            digest: request,
            by: Side::Municipality,
            at: Time(0),
            said: Time(0),
            version: 1,
            transfer: None,
            sort: Sort::Request,
            notice: Notice::of("de lijst"),
        };
        let (register, none) = (Register(vec![asked]), Register::default());
        let today = Some(Time(10 * HOUR).date());
        for is_standing in [false, true] {
            let request = (!is_standing).then_some(request);
            let register = if is_standing { &none } else { &register };
            let next = |lists: &[Answer], replaces| {
                one_more(lists, register, replaces, today, is_standing)
            };
            let free = request.map_or(Requested::Standing, Requested::By);
            let mut lists = vec![Answer { request, ..list(1) }];
            let own = lists[0];
            assert!(matches!(next(&lists, None), Requested::Answered(_)));
            lists[0].stands = Stands::Unsure;
            assert_eq!(next(&lists, None), Requested::Unsure);
            assert_eq!(next(&lists, Some(own.transfer)), free, "it goes again itself");
            lists[0].stands = Stands::No;
            assert_eq!(next(&lists, None), free);
            // It went again: that one has its place, and its doubt once it was stopped.
            lists[0].stands = Stands::Unsure;
            let again = Answer { transfer: TransferId::random(), ..own };
            let mut stood = lists.clone();
            add(&mut stood, again);
            assert!(matches!(next(&stood, None), Requested::Answered(_)));
            assert_eq!(next(&stood, Some(again.transfer)), free);
            add(&mut lists, Answer { stands: Stands::No, ..again });
            assert_eq!(next(&lists, None), Requested::Unsure);
            assert_eq!(next(&lists, Some(again.transfer)), free);
        }
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
        three[1].stands = Stands::No;
        let register = reports(&three[0], &[(20, Some(30), false)]);
        assert_eq!(place(&three, request, &register, Some(&three[1])), None);
    }

    #[test]
    fn a_corrected_list_names_the_report_that_it_mends_and_takes_its_place() {
        let request = Digest::of(b"de lijst van dit jaar");
        let mut lists = answers(request, &[10]);
        let register = reports(&lists[0], &[(20, None, false), (21, None, false)]);
        let [first, second] = [register.0[0].digest, register.0[1].digest];
        let next = |lists: &[Answer]| requested(lists, &register, None, None);
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
            said: Time(at * HOUR),
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
        assert_eq!(requested(&[], &Register(vec![old.clone()]), None, None), Requested::By(one));
        assert_eq!(requested(&[], &all, None, None), Requested::By(two));
        let answered = answers(two, &[YEAR + 1]);
        assert_eq!(
            requested(&answered, &all, None, None),
            Requested::Answered(next),
            "the old one lapsed"
        );
        // Its list was stopped: that goes again under the newest, or not at all.
        let mut stopped = answers(one, &[1]);
        stopped[0].stands = Stands::No;
        let again = Some(stopped[0].transfer);
        assert_eq!(requested(&stopped, &all, again, None), Requested::By(two));
        stopped.extend(answers(two, &[YEAR + 1]));
        assert_eq!(requested(&stopped, &all, again, None), Requested::Answered(next));
        // An error in a list of last year is mended all the same.
        let mut lists = answers(one, &[1]);
        lists.extend(answers(two, &[YEAR + 1]));
        let mut mended = reports(&lists[0], &[(2, None, false)]);
        let report = mended.0[0].digest;
        mended.0.extend([old, new]);
        let request = Some(one);
        assert_eq!(requested(&lists, &mended, None, None), Requested::Mends { request, report });
    }

    /// A list that left unasked.
    fn list(at: i64) -> Answer {
        Answer { request: None, ..answers(Digest::none(), &[at]).remove(0) }
    }

    #[test]
    fn r30_of_lists_that_leave_unasked_one_a_year_leaves_and_its_corrections() {
        let (first, none) = (list(0), Register::default());
        let today = Some(Time(10 * HOUR).date());
        let next = civil::next_allowed(&[first.at.date()]).unwrap();
        let open = reports(&first, &[(1, None, false)]);
        let closed = reports(&first, &[(1, Some(2), false)]);
        let denied = reports(&first, &[(1, None, true)]);
        let report = open.0[0].digest;
        let mends = Requested::Mends { request: None, report };
        let (full, own) = (Requested::Answered(next), Some(first.transfer));
        let mut lists = vec![first];
        assert_eq!(unasked(&[], &none, None, today), Requested::Standing);
        for register in [&none, &closed, &denied] {
            assert_eq!(unasked(&lists, register, None, today), full);
        }
        assert_eq!(unasked(&lists, &none, None, Some(next)), Requested::Standing);
        assert_eq!(unasked(&lists, &none, None, None), full, "nobody knows the day");
        assert_eq!(unasked(&lists, &open, None, today), mends);
        assert_eq!(unasked(&lists, &open, None, Some(next)), mends, "errors of last year first");
        assert_eq!(unasked(&lists, &none, own, today), Requested::Standing, "it goes again itself");
        // The corrected one has left, and takes no year's place; it goes again as what it was.
        lists.push(Answer { mends: Some(report), ..list(5) });
        let again = Some(lists[1].transfer);
        assert_eq!(unasked(&lists, &open, None, today), full);
        assert_eq!(unasked(&lists, &open, None, Some(next)), Requested::Standing);
        assert_eq!(unasked(&lists, &closed, again, today), mends);
        assert_eq!(unasked(&lists, &denied, again, today), full, "its party denies it");
        assert_eq!(unasked(&lists, &open, own, today), full, "the corrected one has its place");
        // Of the first nothing stands: the corrected one has its year.
        lists[0].stands = Stands::No;
        assert_eq!(unasked(&lists, &open, None, today), full);
        // It went again, and that stands.
        lists.push(Answer { first: lists[0].first, ..list(6) });
        lists[1].stands = Stands::No;
        assert_eq!(unasked(&lists, &open, None, today), mends);
    }

    #[test]
    fn a_year_and_its_corrections_stay_where_a_new_version_asks_or_asks_no_more() {
        let asked = Entered {
            digest: Digest::of(b"asked"),
            by: Side::Municipality,
            at: Time(3 * HOUR),
            said: Time(3 * HOUR),
            version: 2,
            transfer: None,
            sort: Sort::Request,
            notice: Notice::of("de lijst"),
        };
        let today = Some(Time(10 * HOUR).date());
        let first = list(0);
        let full = Requested::Answered(civil::next_allowed(&[first.at.date()]).unwrap());
        let mut register = reports(&first, &[(1, None, false)]);
        let report = register.0[0].digest;
        let (own, mut lists) = (Some(first.transfer), vec![first]);
        // It left unasked; now a request is waited for, and came.
        assert_eq!(requested(&lists, &Register(vec![asked.clone()]), None, today), full);
        register.0.push(asked.clone());
        let mends = Requested::Mends { request: None, report };
        assert_eq!(requested(&lists, &register, None, today), mends);
        assert_eq!(requested(&lists, &register, own, today), Requested::Standing, "again");
        // It was asked for; now none is.
        lists[0].request = Some(asked.digest);
        assert_eq!(unasked(&lists, &Register(vec![asked]), None, today), full);
        assert_eq!(unasked(&lists, &register, None, today), mends);
    }
}
