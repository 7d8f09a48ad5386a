//! Notices: what the parties tell each other about an agreement beside its transfers (art. 4 to 9 and 12).
//!
//! Each is a statement: numbered, signed, in both ledgers. A [`Register`] holds those of one agreement and says
//! what may be said next, and which clocks run from what was said.

mod end;
mod fault;
mod late;
mod page;
mod said;

pub use fault::Fault;
use jiff::civil::Date;
pub use late::Late;
pub use said::counts_from;
use serde::{Deserialize, Serialize};

use crate::agreement::gaps::{Gap, Missing};
use crate::agreement::{Agreement, Side};
use crate::article::Article::{self, Art, Recital};
use crate::content::nrn;
use crate::deadline::{self, Clock, Deadline, Finding, civil};
use crate::id::{Digest, Time, TransferId};

/// How long an override waits for its list.
const WAIVED_MS: i64 = 7 * 86_400_000;
/// The longest text of a notice, in characters.
pub const MAX_TEXT: usize = 1000;
/// How many notices a party makes under an agreement on one day; what comes beyond is kept and has no effect.
pub const MAX_A_DAY: usize = 200;
/// A letter that is older than this is entered no more, in days.
const OLDEST_LETTER: u32 = 366;
/// The same of a request, from whose day the year is counted (R6): well below a year.
const OLDEST_REQUEST: u32 = 31;

macro_rules! sorts {
    ($($(#[$doc:meta])* $name:ident $kind:literal $article:expr, $by:expr, $needs:expr;)*) => {
        /// What a notice is about. The kind of its statement.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Sort {
            $($(#[$doc])* #[serde(rename = $kind)] $name,)*
        }
        impl Sort {
            /// All of them, in the order of the articles.
            pub const ALL: &[Self] = &[$(Self::$name,)*];
            /// The kind, as statements have it.
            #[must_use]
            pub fn kind(self) -> &'static str {
                match self { $(Self::$name => $kind,)* }
            }
            /// The article it rests on.
            #[must_use]
            pub fn article(self) -> Article {
                match self { $(Self::$name => $article,)* }
            }
            /// Who may make it.
            #[must_use]
            pub fn by(self) -> &'static [Side] {
                match self { $(Self::$name => $by,)* }
            }
            fn needs(self) -> Needs {
                match self { $(Self::$name => $needs,)* }
            }
        }
    };
}

/// What a notice must have beside its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    Nothing,
    /// When it was found.
    Found,
    /// A case of this sort that is open.
    Case(Sort),
    /// A day.
    Day,
    /// A day that has come.
    Past,
    /// An entry that the other party made from paper.
    Entry,
    /// An address as its text, the digest of the page, a day that has come.
    Page,
    /// Which list.
    List,
}

/// Both parties.
pub(crate) const BOTH: &[Side] = &[Side::Agency, Side::Municipality];
/// The agency alone.
pub(crate) const AGENCY: &[Side] = &[Side::Agency];
/// The municipality alone.
pub(crate) const MUNICIPALITY: &[Side] = &[Side::Municipality];

sorts! {
    /// The municipality asks for a list (recital C; R5, R6).
    Request "request" Recital('C'), MUNICIPALITY, Needs::Nothing;
    /// Data are wrong, inaccurate, incomplete, missing, outdated or too many (R59).
    QualityReport "quality-report" Art(7), BOTH, Needs::Found;
    /// What the agency found and did about it (R60, R61).
    QualityAnswer "quality-answer" Art(7), AGENCY, Needs::Case(Self::QualityReport);
    /// The case is done, after an answer (R61).
    QualityClose "quality-close" Art(7), AGENCY, Needs::Case(Self::QualityReport);
    /// Processing or access without right, attempts too (R43, R66).
    IncidentReport "incident-report" Art(6), BOTH, Needs::Found;
    /// What became known or was done since (R44, R67).
    IncidentUpdate "incident-update" Art(6), BOTH, Needs::Case(Self::IncidentReport);
    /// The case is done.
    IncidentClose "incident-close" Art(6), BOTH, Needs::Case(Self::IncidentReport);
    /// The data will go to somebody else, on that day (R27, R28).
    Disclosure "disclosure" Art(4), MUNICIPALITY, Needs::Day;
    /// The list of function profiles was looked through (R26).
    Profiles "profiles" Art(4), MUNICIPALITY, Needs::Nothing;
    /// How is access granted and held, or: hand over the proof (R51, R55).
    InformationRequest "information-request" Art(6), BOTH, Needs::Nothing;
    /// The answer to it, by the party that was asked.
    InformationAnswer "information-answer" Art(6), BOTH, Needs::Case(Self::InformationRequest);
    /// What helps the other party's security (R68).
    SecurityInfo "security-info" Art(9), BOTH, Needs::Nothing;
    /// The register of processors changed (R58, R70).
    Processors "processors" Art(6), BOTH, Needs::Nothing;
    /// A weakness was mended: which, by what; a register of patches (R46).
    Patch "patch" Art(6), BOTH, Needs::Past;
    /// What the other party entered from paper in this party's name was not said by it (R48).
    Contradiction "contradiction" Art(6), BOTH, Needs::Entry;
    /// Security policy and plan were reviewed (R38, R42).
    PolicyReview "policy-review" Art(6), BOTH, Needs::Nothing;
    /// What is still kept, and that the rest is destroyed; yearly (R24).
    Attestation "attestation" Art(3), MUNICIPALITY, Needs::Nothing;
    /// The law changed in what touches this agreement (R69).
    LegalChange "legal-change" Art(9), MUNICIPALITY, Needs::Day;
    /// Two persons let pass what one list breaks; the text begins with the rules and a colon (R84). Its case is what only
    /// the agency can tell of that list's bytes.
    Override "override" Art(6), AGENCY, Needs::List;
    /// The text stands on this party's website, on that page (R71, R72).
    Publication "publication" Art(10), BOTH, Needs::Page;
    /// The agreement ends: from that day on nothing is sent (R76).
    Terminate "terminate" Art(12), BOTH, Needs::Day;
    /// There is no legal basis any more from that day on: it ends by law (R78).
    BasisGone "basis-gone" Art(12), BOTH, Needs::Day;
    /// The agency ends it on a breach, which the text names: from now on nothing is sent (R64).
    TerminateAtOnce "terminate-at-once" Art(8), AGENCY, Needs::Nothing;
}

impl Sort {
    /// The sort of this kind.
    #[must_use]
    pub fn of(kind: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|sort| sort.kind() == kind)
    }
    /// Whether it begins a case.
    #[must_use]
    pub fn opens(self) -> bool {
        matches!(self, Self::QualityReport | Self::IncidentReport | Self::InformationRequest)
    }
    /// Whether the party that got it in a letter may enter it for the other one.
    fn comes_on_paper(self) -> bool {
        matches!(self, Self::Request | Self::QualityReport | Self::IncidentReport | Self::Terminate)
    }
    /// Whether it is about an incident (art. 6 and 9).
    #[must_use]
    pub(crate) fn is_incident(self) -> bool {
        matches!(self, Self::IncidentReport | Self::IncidentUpdate | Self::IncidentClose)
    }
    fn closes(self) -> bool {
        matches!(self, Self::QualityClose | Self::IncidentClose)
    }
}

/// The body of a notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notice {
    /// For people. No personal data: it stands in both ledgers and in every bundle.
    pub text: String,
    /// The case it belongs to: the digest of the statement that began it.
    pub case: Option<Digest>,
    /// When it was found, where a clock runs from that.
    pub found: Option<Time>,
    /// A day: of the disclosure, of the change, or the first one on which nothing is sent any more.
    pub on: Option<Date>,
    /// The digest of the letter or mail that it was entered from; with a disclosure, of the agreement that it has.
    pub paper: Option<Digest>,
    /// The day of the other party's letter: it is that party's word, entered by the one that got it.
    pub received: Option<Date>,
    /// Why there is no paper where one is asked for.
    pub unpapered: Option<String>,
}

impl Notice {
    /// One that says nothing but this.
    #[must_use]
    pub fn of(text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            text,
            case: None,
            found: None,
            on: None,
            paper: None,
            received: None,
            unpapered: None,
        }
    }

    /// Whether two persons of that party make it: what ends everything without a term, what is said in another's name
    /// (art. 6), and the agency's own word that a list has errors, by which it may send another one (R6, R63).
    #[must_use]
    pub fn takes_two(&self, sort: Sort, by: Side) -> bool {
        let alone = match sort {
            Sort::TerminateAtOnce | Sort::BasisGone => false,
            Sort::QualityReport => by == Side::Municipality,
            _ => true,
        };
        !alone || self.received.is_some()
    }
}

/// A notice as it stands in a ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entered {
    /// The digest of its statement: the number of the case that it begins.
    pub digest: Digest,
    /// Who signed it.
    pub by: Side,
    /// From when it counts.
    pub at: Time,
    /// When it was said, by its party's clock.
    pub said: Time,
    /// The version of the agreement under which it was said.
    pub version: u32,
    /// The transfer it is about.
    pub transfer: Option<TransferId>,
    /// What it is about.
    pub sort: Sort,
    /// What it says.
    pub notice: Notice,
}

impl Entered {
    /// Whose word it is: the other party's where it was entered from its letter.
    #[must_use]
    pub fn whose(&self) -> Side {
        if self.notice.received.is_some() { self.by.other() } else { self.by }
    }

    /// When that party said it. A letter has a day and no hour: the end of it, unless it was entered before that.
    #[must_use]
    pub fn told(&self) -> Time {
        self.notice.received.map_or(self.at, |day| civil::end_of_day(day).min(self.at))
    }

    /// Whether it came on the day that it had to come before, or after it (art. 4; R27).
    #[must_use]
    pub fn is_late(&self) -> bool {
        self.sort == Sort::Disclosure && self.notice.on.is_some_and(|on| on <= self.at.date())
    }
}

/// All notices of one agreement, in the order of the ledger.
#[derive(Debug, Clone, Default)]
pub struct Register(pub Vec<Entered>);

/// Rules that two persons let pass for one list, and the statement by which they did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver {
    /// The digest of the `override`.
    pub notice: Digest,
    /// The codes of the rules.
    pub rules: Vec<String>,
    /// Which list: what only the agency can tell of its bytes.
    pub list: Digest,
}

/// A case and what became of it.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// What began it.
    pub begun: &'a Entered,
    /// When it was first answered.
    pub answered: Option<Time>,
    /// When it was closed.
    pub closed: Option<Time>,
}

impl Register {
    /// Whether this party may make this notice now.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn may(
        &self,
        agreement: &Agreement,
        by: Side,
        sort: Sort,
        notice: &Notice,
        now: Time,
    ) -> Result<(), Fault> {
        let said = whose(by, sort, notice, now)?;
        if sort.needs() != Needs::Page {
            check_text(&notice.text)?;
        }
        notice.unpapered.as_deref().map_or(Ok(()), check_text)?;
        // However much else was said: an incident is told, and an end at once is one (R43, R64).
        let is_like = |it: &Entered| match sort {
            Sort::IncidentReport | Sort::TerminateAtOnce | Sort::BasisGone => it.sort == sort,
            _ => true,
        };
        let today = |it: &&Entered| it.by == by && it.at.date() == now.date() && is_like(it);
        if self.0.iter().filter(today).count() >= MAX_A_DAY {
            return Err(Fault::TooMany);
        }
        match sort.needs() {
            Needs::Nothing => {}
            Needs::List if notice.case.is_none() => return Err(Fault::Missing("--case")),
            Needs::List => {}
            Needs::Page => page::check(notice, now)?,
            Needs::Found => match notice.found {
                None => return Err(Fault::Missing("--found")),
                Some(found) if notice.received.is_some_and(|day| found.date() > day) => {
                    return Err(Fault::Future);
                }
                // A minute for clocks that differ.
                Some(found) if found > now.plus_ms(60_000) => return Err(Fault::Future),
                Some(_) => {}
            },
            Needs::Day | Needs::Past if notice.on.is_none() => return Err(Fault::Missing("--on")),
            Needs::Past if notice.on.is_some_and(|on| on > now.date()) => {
                return Err(Fault::NotYet);
            }
            Needs::Day | Needs::Past => {}
            Needs::Entry => self.in_our_name(by, notice)?,
            Needs::Case(of) => self.in_case(by, sort, of, notice)?,
        }
        match (sort, notice.on) {
            (Sort::Request, _) => match (self.over(agreement, now.date()), self.next_request()) {
                (Some(on), _) => Err(Fault::Ended(on)),
                (None, Some(on)) if said < on => Err(Fault::TooSoon { on, said }),
                _ => Ok(()),
            },
            // Also after another end: what was sealed before that one may be under way still.
            (Sort::TerminateAtOnce, _) => {
                self.ended_at_once().map_or(Ok(()), |on| Err(Fault::Ended(on)))
            }
            (Sort::Terminate, Some(on)) => {
                let months = u32::from(agreement.term.notice_months());
                let first = civil::ends_after_notice(said, months);
                if on < first { Err(Fault::Notice(first)) } else { Ok(()) }
            }
            (Sort::Disclosure, _) if notice.paper.is_none() && notice.unpapered.is_none() => {
                Err(Fault::Alone)
            }
            _ => Ok(()),
        }
    }

    /// Whether this may be said in the case that it names.
    fn in_case(&self, by: Side, sort: Sort, of: Sort, notice: &Notice) -> Result<(), Fault> {
        let wanted = notice.case.ok_or(Fault::Missing("--case"))?;
        let case = self.cases().find(|case| case.begun.digest == wanted);
        // Words that cross on the wire: what follows a close is said too, a second close is not.
        let open = |case: &Case<'_>| case.closed.is_none() || !sort.closes();
        let case = case.filter(|case| case.begun.sort == of && open(case)).ok_or(Fault::NoCase)?;
        match sort {
            Sort::QualityClose if case.answered.is_none() => Err(Fault::Unanswered),
            Sort::InformationAnswer if case.begun.by == by => Err(Fault::OwnCase),
            _ => Ok(()),
        }
    }

    /// Whether the entry that it names was made by the other party from paper, in the name of this one.
    fn in_our_name(&self, by: Side, notice: &Notice) -> Result<(), Fault> {
        let wanted = notice.case.ok_or(Fault::Missing("--entry"))?;
        let ours = |it: &&Entered| it.notice.received.is_some() && it.whose() == by;
        let entry = self.0.iter().filter(ours).find(|it| it.digest == wanted);
        entry.filter(|it| !self.is_contradicted(&it.digest)).map(|_| ()).ok_or(Fault::NoEntry)
    }

    /// Whether the party in whose name this was entered says that it did not say so.
    #[must_use]
    pub fn is_contradicted(&self, entry: &Digest) -> bool {
        self.of(Sort::Contradiction).any(|it| it.notice.case.as_ref() == Some(entry))
    }

    /// The requests that count: one that the municipality contradicts was never made.
    pub fn requests(&self) -> impl DoubleEndedIterator<Item = &Entered> {
        self.of(Sort::Request).filter(|it| !self.is_contradicted(&it.digest))
    }

    /// Those that it contradicts.
    pub fn unasked(&self) -> impl Iterator<Item = &Entered> {
        self.of(Sort::Request).filter(|it| self.is_contradicted(&it.digest))
    }

    /// The first day on which the next request is possible, where there was one (R6, the stricter reading).
    #[must_use]
    pub fn next_request(&self) -> Option<Date> {
        let days: Vec<Date> = self.requests().map(|entered| entered.told().date()).collect();
        civil::next_allowed(&days)
    }

    /// Every case.
    pub fn cases(&self) -> impl Iterator<Item = Case<'_>> {
        self.0.iter().filter(|entered| entered.sort.opens()).map(|begun| {
            // What else names it, as a word that contradicts its entry, neither answers nor closes it.
            let of = Needs::Case(begun.sort);
            let of =
                move |it: &&Entered| it.sort.needs() == of && it.notice.case == Some(begun.digest);
            let later = || self.0.iter().filter(of);
            Case {
                begun,
                answered: later().find(|it| !it.sort.closes()).map(|it| it.at),
                closed: later().find(|it| it.sort.closes()).map(|it| it.at),
            }
        })
    }

    /// The errors in this transfer's data that were reported; a report that its party contradicts was never made.
    pub fn errors<'a>(&'a self, transfer: &'a TransferId) -> impl Iterator<Item = Case<'a>> {
        self.cases().filter(|Case { begun, .. }| {
            begun.sort == Sort::QualityReport
                && begun.transfer == Some(*transfer)
                && !self.is_contradicted(&begun.digest)
        })
    }

    /// In which list this report tells of an error, contradicted or not.
    #[must_use]
    pub fn reported_in(&self, report: &Digest) -> Option<TransferId> {
        self.of(Sort::QualityReport).find(|it| it.digest == *report)?.transfer
    }

    /// What two persons let pass, each for one list (R84): not used yet, and not older than a week; the newest first.
    #[must_use]
    pub fn waivers(&self, used: &[Digest], now: Time) -> Vec<Waiver> {
        let fresh = |it: &&Entered| it.at.is_fresh(WAIVED_MS, now) && !used.contains(&it.digest);
        let waiver = |it: &Entered| {
            let (rules, _) = it.notice.text.split_once(':')?;
            let rules = rules.split(',').map(|rule| rule.trim().to_owned()).collect();
            Some(Waiver { notice: it.digest, rules, list: it.notice.case? })
        };
        self.of(Sort::Override).rev().filter(fresh).filter_map(waiver).collect()
    }

    /// The clocks that run from what was said, and from what the agreement says; its former versions tell what was done
    /// before (R82).
    #[must_use]
    pub fn deadlines(&self, agreement: &Agreement, former: &[&Agreement]) -> Vec<Deadline> {
        let mut due = Vec::new();
        for case in self.cases() {
            let subject = short(&case.begun.digest);
            let found = case.begun.found().unwrap_or(case.begun.at);
            let finding = Finding { found, reported: Some(case.begun.told()) };
            match case.begun.sort {
                // Whoever never made it met no clock with it, in time or late.
                Sort::IncidentReport if self.is_contradicted(&case.begun.digest) => {}
                Sort::IncidentReport => due.push(finding.incident(case.begun.whose(), subject)),
                Sort::QualityReport => {
                    let quality = finding.quality(subject);
                    due.push(match case.answered {
                        Some(at) => quality.meet(at),
                        None => quality,
                    });
                }
                // On request, and the text gives no term.
                _ => {}
            }
        }
        due.extend(self.renewal(agreement));
        due.extend(Deadline::next_request(
            agreement.agreement.as_str(),
            &self.requests().map(|entered| entered.told().date()).collect::<Vec<_>>(),
        ));
        due.extend(self.yearly(agreement, former));
        if let Some(on) = self.last(agreement) {
            // What would come back after its end comes back no more; what is still kept is attested. What was overdue
            // when the word came stays, whatever day that names.
            let until = [self.stops(agreement), agreement.ends].into_iter().flatten().min();
            let until = until.unwrap_or(on);
            due.retain(|it| {
                let yearly = matches!(it.clock, Clock::PolicyReview(_) | Clock::Profiles);
                !yearly || it.met.is_some() || it.due.date() < until
            });
            let last = civil::days_before(on, 1);
            let from = self.ended_from().unwrap_or_else(|| civil::start_of_day(agreement.in_force));
            due.push(Deadline::on(Clock::Notice, agreement.agreement.as_str(), from, last));
        }
        if let Some(since) = agreement.magda_service_since {
            let from = civil::start_of_day(since);
            due.push(Deadline::new(Clock::Magda, agreement.agreement.as_str(), from));
        }
        for custodian in &agreement.key.custodians {
            if let Some(last) = custodian.valid_until {
                let from = civil::start_of_day(agreement.in_force);
                due.push(Deadline::on(Clock::Custodian, custodian.id.as_str(), from, last));
            }
        }
        due.sort_by_key(|deadline| deadline.due);
        due
    }

    /// The register of processors changed since this version of the agreement: it is due in a new one (R58, R70). Under
    /// versions before it that was done at the last word of it: a core says it when a new version counts.
    fn renewal(&self, agreement: &Agreement) -> Vec<Deadline> {
        let name = agreement.agreement.as_str();
        let mut all: Vec<(Side, u32, Deadline)> = Vec::new();
        for said in self.of(Sort::Processors) {
            let past = said.version < agreement.version;
            let done = |it: &Deadline| if past { it.met.max(Some(said.at)) } else { None };
            match all.iter_mut().find(|(by, version, _)| (*by, *version) == (said.by, said.version))
            {
                Some((.., known)) => known.met = done(known),
                None => {
                    let mut first = Deadline::new(Clock::Processors, name, said.at);
                    first.met = done(&first);
                    all.push((said.by, said.version, first));
                }
            }
        }
        let late = |it: &Deadline| it.met.is_none_or(|met| it.late_by(met).is_some());
        let mut all: Vec<Deadline> = all.into_iter().map(|(.., it)| it).filter(late).collect();
        // Of both parties' changes since this version the first runs.
        let first = all.iter().filter(|it| it.met.is_none()).map(|it| it.starts).min();
        all.retain(|it| it.met.is_some() || Some(it.starts) == first);
        all
    }

    /// What the notices say that the agreement's file could not know yet (R26, R38, R42). Keys and custodians change more
    /// often than the text: what a party published under a `former` version counts where both name the same signed
    /// original.
    #[must_use]
    pub fn reviewed(&self, agreement: &Agreement, former: &[&Agreement]) -> Reviewed {
        let ours = agreement.signed.original;
        let same_text = |version: u32| {
            let mut older = former.iter().filter(|it| it.version == version);
            version == agreement.version
                || ours.is_some() && older.any(|it| it.signed.original == ours)
        };
        let published = |side| {
            let mut said = self.of(Sort::Publication).filter(|entered| entered.by == side);
            said.any(|entered| same_text(entered.version))
        };
        let last = |sort, by| {
            let of = self.of(sort).rev().find(|entered: &&Entered| entered.by == by);
            of.map(|entered| entered.at.date())
        };
        Reviewed {
            profiles: last(Sort::Profiles, Side::Municipality),
            agency: last(Sort::PolicyReview, Side::Agency),
            municipality: last(Sort::PolicyReview, Side::Municipality),
            published: [Side::Agency, Side::Municipality].map(published),
        }
    }

    /// Reviews, lists and attestations that come back every year, each from when it was last done.
    fn yearly(&self, agreement: &Agreement, former: &[&Agreement]) -> Vec<Deadline> {
        let versions = || former.iter().copied().chain([agreement]);
        let first = versions().map(|it| it.in_force).min().unwrap_or(agreement.in_force);
        let start = civil::start_of_day(first);
        let noted = |note: &dyn Fn(&Agreement) -> Option<Date>| -> Vec<(Time, u32)> {
            let noted = |it: &Agreement| Some((civil::start_of_day(note(it)?), it.version));
            versions().filter_map(noted).collect()
        };
        let recurs = |sort, by, noted: Vec<_>, clock: &dyn Fn(Time, u32) -> Deadline| {
            let said = self.of(sort).filter(|entered| entered.by == by);
            let said = said.map(|it| (it.at, it.version));
            let mut done: Vec<(Time, u32)> = said.chain(noted.iter().copied()).collect();
            done.sort();
            // What a file notes says when it was done, not whether the time before it was too long.
            let first = done.first().copied().filter(|first| noted.contains(first));
            let from = first.map_or(start, |(at, _)| at);
            deadline::recurring(from, done, agreement.version, clock)
        };
        let name = agreement.agreement.as_str();
        let months = |version| {
            let under = versions().find(|it| it.version == version).unwrap_or(agreement);
            u32::from(under.access.renew_after_months)
        };
        let reviewed = |side| {
            let subject = agreement.party(side).id.as_str();
            recurs(
                Sort::PolicyReview,
                side,
                noted(&|it| it.security.of(side).policy_reviewed_on),
                &|from, _| Deadline::new(Clock::PolicyReview(side), subject, from),
            )
        };
        let listed = |from, version| Deadline::within(Clock::Profiles, name, from, months(version));
        let attested = |from, _| Deadline::new(Clock::Attestation, name, from);
        let municipality = Side::Municipality;
        [
            reviewed(Side::Agency),
            reviewed(municipality),
            recurs(Sort::Profiles, municipality, noted(&|it| it.access.listed_on), &listed),
            recurs(Sort::Attestation, municipality, Vec::new(), &attested),
        ]
        .concat()
    }

    fn of(&self, sort: Sort) -> impl DoubleEndedIterator<Item = &Entered> {
        self.0.iter().filter(move |entered| entered.sort == sort)
    }
}

/// When the lists and policies of the agreement were last looked through, and who published the text, by notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reviewed {
    /// The list of function profiles.
    pub profiles: Option<Date>,
    /// The agency's security policy and plan.
    pub agency: Option<Date>,
    /// The municipality's.
    pub municipality: Option<Date>,
    /// Whether the agency, and whether the municipality, recorded where this text stands (R71, R72).
    pub published: [bool; 2],
}

impl Reviewed {
    /// The agreement as it stands with that: the later of two days counts.
    #[must_use]
    pub fn with(&self, agreement: &Agreement) -> Agreement {
        let mut known = agreement.clone();
        let security = &mut known.security;
        for (noted, said) in [
            (&mut known.access.listed_on, self.profiles),
            (&mut security.agency.policy_reviewed_on, self.agency),
            (&mut security.municipality.policy_reviewed_on, self.municipality),
        ] {
            *noted = (*noted).max(said);
        }
        known
    }

    /// Whether a notice says what the file does not.
    #[must_use]
    pub fn fills(&self, gap: &Gap) -> bool {
        let [agency, municipality] = self.published;
        let published = match gap.side {
            Some(Side::Agency) => agency,
            Some(Side::Municipality) => municipality,
            None => false,
        };
        gap.what == Missing::PublicationMissing && published
    }
}

/// On which day the party whose word it is said it; or why it is not this party's to say.
fn whose(by: Side, sort: Sort, notice: &Notice, now: Time) -> Result<Date, Fault> {
    let today = now.date();
    let Some(day) = notice.received else {
        let own = sort.by().contains(&by);
        return if own { Ok(today) } else { Err(Fault::NotYours(sort)) };
    };
    if !sort.comes_on_paper() {
        return Err(Fault::NotOnPaper(sort));
    }
    if !sort.by().contains(&by.other()) {
        return Err(Fault::NotYours(sort));
    }
    if notice.paper.is_none() {
        return Err(Fault::Missing("--paper"));
    }
    let days = if sort == Sort::Request { OLDEST_REQUEST } else { OLDEST_LETTER };
    let oldest = civil::days_before(today, days);
    if (oldest..=today).contains(&day) { Ok(day) } else { Err(Fault::Letter(days)) }
}

/// How a case is called by people: the beginning of its digest.
#[must_use]
pub fn short(digest: &Digest) -> String {
    digest.to_string().chars().take(8).collect()
}

/// Whether a person's words may stand where everybody reads them: a length, nothing that
/// speaks to a terminal or hides what it says, no number of a person.
///
/// # Errors
/// [`Fault::Text`], [`Fault::Personal`].
pub fn check_text(text: &str) -> Result<(), Fault> {
    if text.trim().is_empty() || text.chars().count() > MAX_TEXT {
        return Err(Fault::Text);
    }
    if nrn::may_stand_in(text) {
        return Err(Fault::Personal);
    }
    let plain = text.chars().all(|c| c == '\n' || !crate::words::is_hidden(c));
    if plain { Ok(()) } else { Err(Fault::Text) }
}

#[cfg(test)]
mod tests;
