//! May this drop leave? The decision is a value that holds what is still owed, or every reason why not.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::agreement::Agreement;
use crate::agreement::articles::given;
use crate::agreement::gaps::{Gap, Missing, Weight, gaps};
use crate::article::Article;
use crate::content::Finding;
use crate::id::{Digest, Nis, Time};
use crate::notice::{Reviewed, Sort, short};
use crate::statement::{Residents, Sent, Word};
use crate::words;
use crate::words::{Language, Words};

/// A reason as a core tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Its stable code.
    pub code: String,
    /// The rule of article 3, where it is about what is in the list.
    pub rule: Option<String>,
    /// The article that it rests on, in English.
    pub article: String,
    /// What is wrong and what to do.
    #[serde(flatten)]
    pub words: Words,
}

/// What is known of a drop before anything of it is sealed.
#[derive(Debug, Clone, Copy)]
pub struct Drop<'a> {
    /// Now, by the agency's own clock.
    pub now: Time,
    /// Bytes of all its files together.
    pub size: u64,
    /// How many files it has.
    pub files: usize,
    /// Whether somebody asked for it.
    pub requested: Requested,
    /// The first day on which nothing is sent any more, where a party ended the agreement.
    pub ends: Option<Date>,
    /// What was looked through since the agreement's file was written.
    pub reviewed: Reviewed,
    /// For whose residents it was drawn, by the word of whoever offers it.
    pub drawn_for: Option<&'a Nis>,
}

/// Whether somebody asked for a list (recital C; R5, R6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requested {
    /// The agreement is a standing request.
    Standing,
    /// By this statement.
    By(Digest),
    /// By the same, once more: in place of a list whose errors are being mended (R63).
    Mends {
        /// The request; nothing where that list left unasked.
        request: Option<Digest>,
        /// The report of those errors.
        report: Digest,
    },
    /// No request has come.
    Never,
    /// Every request was answered, or this year's list left unasked; the next is possible on this day.
    Answered(Date),
    /// The list that answered it ended after its shares began to leave, and whether it was opened before that is not heard
    /// yet.
    Unsure,
    /// It is the exercise, in which no list is: nobody has to ask for it (R88).
    Exercise,
}

impl Requested {
    /// The request that a list answers, and the report whose errors it mends.
    #[must_use]
    pub fn by(self) -> (Option<Digest>, Option<Digest>) {
        match self {
            Self::By(request) => (Some(request), None),
            Self::Mends { request, report } => (request, Some(report)),
            Self::Standing | Self::Never | Self::Answered(_) | Self::Unsure | Self::Exercise => {
                (None, None)
            }
        }
    }
}

/// The answer. There is no third way.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It may be sealed.
    Permit,
    /// It may not; all reasons at once, so that nobody mends them one by one.
    Deny(Vec<Reason>),
}

/// Why a drop is refused. Each names its article and what to do next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum Reason {
    /// Before the first day of the agreement (art. 12, R75).
    NotInForce {
        /// That day.
        from: String,
    },
    /// On or after its last (art. 12, R76-R78).
    Ended {
        /// The first day on which nothing is sent any more.
        on: String,
    },
    /// Nothing in it (art. 7: "ontbrekend").
    Empty,
    /// Larger than the agreement allows (art. 3: proportionality).
    TooLarge {
        /// The limit.
        max_size_mib: u64,
    },
    /// A link, device, pipe or second name: only plain files with one name leave (art. 6).
    NotPlain,
    /// Put there by somebody who may not (art. 6: separation of duties, R47).
    Owner {
        /// The numeric user id.
        uid: u32,
    },
    /// It cannot be read.
    Unreadable,
    /// A folder in it cannot be emptied: what is to be erased in the end would stay.
    Unerasable,
    /// It changed while it was read; it is taken again once it has settled.
    Changed,
    /// A folder that was made here file by file: nobody can tell when it is complete.
    Unsettled,
    /// No agreement goes by the folder's name (art. 1).
    UnknownAgreement,
    /// Something that the agreement lacks, and without which nothing may be sent; `sluis agreement check`.
    Gap {
        /// The gap's code.
        gap: String,
        /// The requirement it rests on.
        requirement: String,
        /// The article that asks for it.
        article: Article,
        /// What is missing and what to do, in Dutch.
        nl: String,
        /// The same in English.
        en: String,
    },
    /// The municipality has not asked for a list (recital C, R5).
    NotRequested,
    /// This year's list was delivered; once a year (recital C, R6, R30).
    Answered {
        /// The day from which it may ask again, or from which the next leaves unasked.
        next: String,
    },
    /// One that ended may have been opened before the municipality heard of its end (recital C, R6).
    MayBeOpen,
    /// The list is not what the agreement says (art. 3).
    List(Finding),
    /// Nobody says that it is about the municipality's own residents (art. 2, R15).
    NotDrawn {
        /// Whose they must be.
        nis: Nis,
    },
    /// Whoever offers it says that it is about those of another one (art. 2, R15).
    DrawnForAnother {
        /// Whose they are.
        nis: Nis,
        /// Whose they must be.
        ours: Nis,
    },
    /// More than one file, or a folder: what leaves is one list (art. 3).
    NotOneList,
    /// A second person did not let it go (art. 6, R47).
    Rejected {
        /// In that person's words.
        why: String,
    },
    /// It was taken by a store that was since replaced by an older one: it may have left already (art. 6, R86).
    PutBack,
    /// The agreement's file was changed, and no second person let the new version count yet (R83, R84).
    Unapproved {
        /// The version that waits.
        version: u32,
    },
}

/// What the ledger keeps of a refusal (R81): the outcome, the version that decided, each reason by article and code.
#[must_use]
pub fn refusal(agreement: &Agreement, reasons: &[Reason]) -> Vec<(&'static str, String)> {
    let reasons: Vec<String> =
        reasons.iter().map(|it| format!("{}: {}", it.article(), it.rule())).collect();
    decided(agreement, "refuse", ("reasons", reasons.join(", ")))
}

/// What it keeps of a permit (R81): the rules that let the list leave, by article. No value of the list.
#[must_use]
pub fn permit(agreement: &Agreement, sent: &Sent) -> Vec<(&'static str, String)> {
    let asked = sent.request.map_or_else(|| "standing".to_owned(), |it| short(&it));
    let (asked, content) = match (sent.exercise, &sent.residents) {
        (true, _) => (String::new(), "art. 6: exercise".to_owned()),
        (false, None) => (asked, "art. 3: any-file".to_owned()),
        (false, Some(Residents { word: Word::Agreement, .. })) => {
            (asked, "art. 2: residents by agreement, art. 3: list".to_owned())
        }
        (false, Some(Residents { word: Word::Person, .. })) => {
            (asked, "art. 2: residents by person, art. 3: list".to_owned())
        }
    };
    let mut rules = vec!["art. 12: in-force".to_owned(), "art. 1: gaps".to_owned()];
    rules.extend(
        (!asked.is_empty()).then(|| format!("{}: request {asked}", Sort::Request.article())),
    );
    rules.extend(
        sent.mends.map(|it| format!("{}: mends {}", Sort::QualityReport.article(), short(&it))),
    );
    rules.extend([content, "art. 3: size".to_owned()]);
    rules.extend(sent.waived.map(|it| format!("art. 6: override {}", short(&it))));
    decided(agreement, "permit", ("rules", rules.join(", ")))
}

fn decided(
    agreement: &Agreement,
    outcome: &str,
    why: (&'static str, String),
) -> Vec<(&'static str, String)> {
    vec![("outcome", outcome.to_owned()), ("version", agreement.version.to_string()), why]
}

impl Reason {
    /// Its stable code.
    #[must_use]
    pub fn code(&self) -> String {
        let json = serde_json::to_value(self).unwrap_or_default();
        json["code"].as_str().unwrap_or_default().to_owned()
    }
    /// As it is told: to machines by its codes, to people in both languages.
    #[must_use]
    pub fn told(&self) -> Told {
        let rule = match self {
            Self::List(finding) => Some(finding.rule.code().to_owned()),
            _ => None,
        };
        let article = self.article().label(Language::En);
        let words = Words::of(|language| self.text(language));
        Told { code: self.code(), rule, article, words }
    }
    /// What is wrong and what to do, with the code that stays the same in every language and version: a list's is that
    /// of its rule.
    #[must_use]
    pub fn line(&self, language: Language) -> String {
        let code = match self {
            Self::List(finding) => finding.rule.code().to_owned(),
            _ => self.code(),
        };
        format!("{} [{code}]", self.text(language))
    }
    /// Whether something is wrong with the file itself, and not with what stands around it.
    #[must_use]
    pub fn is_of_the_file(&self) -> bool {
        match self {
            Self::Empty
            | Self::TooLarge { .. }
            | Self::NotPlain
            | Self::Owner { .. }
            | Self::Unreadable
            | Self::Unerasable
            | Self::Changed
            | Self::Unsettled
            | Self::List(_)
            | Self::NotOneList
            | Self::Rejected { .. } => true,
            Self::NotInForce { .. }
            | Self::Ended { .. }
            | Self::UnknownAgreement
            | Self::Gap { .. }
            | Self::NotRequested
            | Self::Answered { .. }
            | Self::MayBeOpen
            | Self::NotDrawn { .. }
            | Self::DrawnForAnother { .. }
            | Self::PutBack
            | Self::Unapproved { .. } => false,
        }
    }
    /// The rule that it breaks: of what is wrong in a list that of the list.
    #[must_use]
    pub fn rule(&self) -> String {
        match self {
            Self::List(finding) => finding.rule.code().to_owned(),
            _ => self.code(),
        }
    }

    /// The article of the agreement it rests on.
    #[must_use]
    pub fn article(&self) -> Article {
        match self {
            Self::NotInForce { .. } | Self::Ended { .. } => Article::Art(12),
            Self::Empty | Self::Changed | Self::Unsettled => Article::Art(7),
            Self::TooLarge { .. } => Article::Art(3),
            Self::NotPlain | Self::Owner { .. } | Self::Unreadable | Self::Unerasable => {
                Article::Art(6)
            }
            Self::UnknownAgreement => Article::Art(1),
            Self::Gap { article, .. } => *article,
            Self::NotRequested | Self::Answered { .. } | Self::MayBeOpen => Article::Recital('C'),
            Self::List(finding) => finding.rule.article(),
            Self::NotDrawn { .. } | Self::DrawnForAnother { .. } => Article::Art(2),
            Self::NotOneList => Article::Art(3),
            Self::Rejected { .. } | Self::Unapproved { .. } | Self::PutBack => Article::Art(6),
        }
    }

    /// Whether it stands by a person's word: the same drop is not looked at again.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Rejected { .. } | Self::PutBack)
    }

    /// Its rule, where two persons may let it pass with a reason (R84).
    #[must_use]
    pub fn overridable(&self) -> Option<&'static str> {
        match self {
            Self::List(finding) if finding.rule.overridable() => Some(finding.rule.code()),
            Self::TooLarge { .. } => Some("too-large"),
            _ => None,
        }
    }

    /// What is wrong and what to do, for people.
    #[must_use]
    pub fn text(&self, language: Language) -> String {
        let said = self.said();
        match self {
            // A finding names its article itself.
            Self::List(_) => said.text(language).to_owned(),
            _ => format!("{}: {}", self.article().label(language), said.text(language)),
        }
    }

    #[expect(clippy::too_many_lines, reason = "a table: a message an arm")]
    fn said(&self) -> Words {
        match self {
            Self::NotInForce { from } => words!(
                "de overeenkomst is pas van kracht vanaf {from}. Bied het bestand dan opnieuw aan.",
                "the agreement binds from {from} on. Offer the file again then."
            ),
            Self::Ended { on } => words!(
                "de overeenkomst is geëindigd op {on}. Sluit eerst een nieuwe overeenkomst.",
                "the agreement ended on {on}. Conclude a new one first."
            ),
            Self::Empty => words!(
                "er staat niets in. Maak een nieuwe export en bied die aan.",
                "there is nothing in it. Make a new export and offer that."
            ),
            Self::TooLarge { max_size_mib } => words!(
                "groter dan {max_size_mib} MiB. Kijk na of dit het juiste bestand is; de grens staat in file.max-size-mib.",
                "larger than {max_size_mib} MiB. Check that it is the right file; the limit is file.max-size-mib."
            ),
            Self::NotPlain => words!(
                "geen gewoon bestand (een koppeling, apparaat of tweede naam). Kopieer het bestand zelf hierheen.",
                "not a plain file (a link, device or second name). Copy the file itself here."
            ),
            Self::Owner { uid } => words!(
                "geplaatst door gebruiker {uid}, die niet op de lijst sealer.owners staat of de taak submit van [duties] niet heeft. Laat een bevoegde persoon het plaatsen.",
                "put here by user {uid}, who is not on the list sealer.owners or has not the duty submit of [duties]. Have an authorised person put it here."
            ),
            Self::Unreadable => words!(
                "het kan niet gelezen worden. Geef de dienst leesrecht en bied het opnieuw aan.",
                "it cannot be read. Give the service read access and offer it again."
            ),
            Self::Unerasable => words!(
                "een map erin kan de dienst niet leegmaken, en dan bleef de lijst hier liggen. Geef de dienst schrijfrecht op elke map, zonder sticky bit, en bied ze opnieuw aan, of gebruik: sluis send",
                "a folder in it cannot be emptied by the service, and the list would stay here. Give the service write access to every folder, without a sticky bit, and offer it again, or use: sluis send"
            ),
            Self::Changed => words!(
                "het veranderde tijdens het lezen; niets ervan is verzonden. Het wordt opnieuw genomen zodra het stil ligt.",
                "it changed while it was read; nothing of it was sent. It is taken again once it has settled."
            ),
            Self::Unsettled => words!(
                "een map die hier ter plaatse groeit. Maak ze elders en verplaats ze hierheen, of gebruik: sluis send",
                "a folder that grows in place. Make it elsewhere and move it here, or use: sluis send"
            ),
            Self::UnknownAgreement => words!(
                "geen overeenkomst draagt de naam van deze map. Kijk na met: sluis agreement list",
                "no agreement goes by the name of this folder. Look with: sluis agreement list"
            ),
            Self::Gap { requirement, nl, en, .. } => {
                words!("{nl} ({requirement})", "{en} ({requirement})")
            }
            Self::NotRequested => words!(
                "de gemeente heeft geen lijst opgevraagd. Zij doet dat op haar eigen host, met sluis request; bied het bestand daarna opnieuw aan.",
                "the municipality has not asked for a list. It does so on its own host, with sluis request; offer the file again after that."
            ),
            Self::Answered { next } => words!(
                "de lijst van dit jaar is al geleverd; de volgende kan vanaf {next}, als de gemeente ze dan vraagt of als de overeenkomst geen aanvraag vergt. Een verbeterde lijst hoort bij een melding van een fout in de vorige: wie ze vond, meldt ze (art. 7), zoals sluis quality report --help zegt; bied het bestand daarna aan.",
                "this year's list was delivered; the next may follow from {next} on, when the municipality asks for it then or the agreement needs no request. A corrected list belongs to a report of an error in the one before: whoever found it reports it (art. 7), as sluis quality report --help says; offer the file after that."
            ),
            Self::MayBeOpen => words!(
                "een lijst die vervallen of vervangen is, kan nog geopend zijn voor de gemeente dat hoorde. Zodra haar host gezegd heeft hoever hij gehoord heeft, is dat geweten; bied het bestand dan opnieuw aan. Duurt dat: bel de gemeente.",
                "a list that expired or was replaced may have been opened before the municipality heard that. It is known as soon as its host has said how far it has heard; offer the file again then. If that takes long: call the municipality."
            ),
            Self::List(finding) => Words::of(|language| finding.text(language)),
            Self::NotDrawn { nis } => words!(
                "niemand zegt dat deze lijst over inwoners van de gemeente gaat. Bied ze aan met: sluis send --drawn-for {nis}; of zet in data.selection van een nieuwe versie hoe elke lijst geselecteerd wordt.",
                "nobody says that this list is about residents of the municipality. Offer it with: sluis send --drawn-for {nis}; or say in data.selection of a new version how every list is selected."
            ),
            Self::DrawnForAnother { nis, ours } => words!(
                "deze lijst is voor NIS-code {nis} getrokken, de gemeente heeft {ours}. Kijk na of dit de juiste lijst en de juiste overeenkomst is.",
                "this list was drawn for NIS code {nis}, the municipality has {ours}. Check that it is the right list and the right agreement."
            ),
            Self::NotOneList => words!(
                "dit is niet één lijst. Bied één bestand aan, .csv of .xlsx.",
                "this is not one list. Offer one file, .csv or .xlsx."
            ),
            Self::Rejected { why } => words!(
                "een tweede persoon keurde het niet goed: {why}. Verbeter het en bied het onder een andere naam aan.",
                "a second person did not approve it: {why}. Mend it and offer it under another name."
            ),
            Self::PutBack => words!(
                "het kan al verzonden zijn: een oudere databank werd teruggezet. Vraag de gemeente of ze de lijst heeft; zo niet, bied ze onder een andere naam aan.",
                "it may have been sent already: an older store was put back. Ask the municipality whether it has the list; if not, offer it under another name."
            ),
            Self::Unapproved { version } => words!(
                "versie {version} van de overeenkomst wacht op twee personen: sluis agreement approve. Daarna kan er weer iets vertrekken.",
                "version {version} of the agreement waits for two persons: sluis agreement approve. After that something may leave again."
            ),
        }
    }
}

/// For whose residents a list was drawn: by the word of whoever offers it, or as the agreement has every list selected.
/// Nothing where no list is read, or where the agreement does not say whose they must be, which is a gap that blocks.
///
/// # Errors
/// [`Reason::NotDrawn`], [`Reason::DrawnForAnother`].
pub fn residents(
    agreement: &Agreement,
    drawn_for: Option<&Nis>,
) -> Result<Option<Residents>, Reason> {
    let given = |text: &Option<String>| given(text.as_deref());
    let Some(ours) = agreement.municipality.nis.clone() else { return Ok(None) };
    if let Some(nis) = drawn_for.filter(|nis| **nis != ours) {
        return Err(Reason::DrawnForAnother { nis: nis.clone(), ours });
    }
    let word = match drawn_for {
        _ if given(&agreement.data.any_file) => return Ok(None),
        Some(_) => Word::Person,
        None if given(&agreement.data.selection) => Word::Agreement,
        None => return Err(Reason::NotDrawn { nis: ours }),
    };
    Ok(Some(Residents { nis: ours, word }))
}

/// Decides about a drop under an agreement.
pub fn decide(agreement: &Agreement, drop: Drop<'_>) -> Decision {
    let today = drop.now.date();
    let mut reasons = Vec::new();
    if today < agreement.in_force {
        reasons.push(Reason::NotInForce { from: agreement.in_force.to_string() });
    }
    let ends = [agreement.ends, drop.ends].into_iter().flatten().min();
    if let Some(ends) = ends.filter(|ends| today >= *ends) {
        reasons.push(Reason::Ended { on: ends.to_string() });
    }
    let known = gaps(&drop.reviewed.with(agreement), today);
    // The way is tried before the text is published, too.
    let tried = drop.requested == Requested::Exercise;
    let filled =
        |gap: &Gap| drop.reviewed.fills(gap) || (tried && gap.what == Missing::PublicationMissing);
    let blocks = |gap: &&Gap| gap.weight() == Weight::Blocks && !filled(gap);
    reasons.extend(known.iter().filter(blocks).map(|gap| {
        let say = |language| format!("{} {}", gap.text(language), gap.next(language));
        Reason::Gap {
            gap: gap.code().to_owned(),
            requirement: gap.requirement(),
            article: gap.article(),
            nl: say(Language::Nl),
            en: say(Language::En),
        }
    }));
    match drop.requested {
        Requested::Standing | Requested::By(_) | Requested::Mends { .. } | Requested::Exercise => {}
        Requested::Never => reasons.push(Reason::NotRequested),
        Requested::Unsure => reasons.push(Reason::MayBeOpen),
        Requested::Answered(next) => reasons.push(Reason::Answered { next: next.to_string() }),
    }
    // Of nobody at all.
    if drop.requested != Requested::Exercise {
        reasons.extend(residents(agreement, drop.drawn_for).err());
    }
    if drop.files == 0 || drop.size == 0 {
        reasons.push(Reason::Empty);
    }
    if drop.size > agreement.file.max_size_mib.saturating_mul(1 << 20) {
        reasons.push(Reason::TooLarge { max_size_mib: agreement.file.max_size_mib });
    }
    if reasons.is_empty() { Decision::Permit } else { Decision::Deny(reasons) }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::deadline::civil::start_of_day;
    use crate::deadline::{Clock, Deadline};

    fn agreement() -> Agreement {
        let text = include_str!("../../config/examples/agreements/mechelen.toml");
        toml::from_str(text).unwrap()
    }

    /// What is wrong with a plain drop on this day, apart from gaps of the agreement itself.
    fn reasons(
        agreement: &Agreement,
        on: Date,
        change: impl FnOnce(&mut Drop<'static>),
    ) -> Vec<Reason> {
        let requested = Requested::By(Digest::none());
        let (now, reviewed) = (start_of_day(on), Reviewed::default());
        let drawn_for = None;
        let mut drop = Drop { now, size: 1, files: 1, requested, ends: None, reviewed, drawn_for };
        change(&mut drop);
        match decide(agreement, drop) {
            Decision::Permit => Vec::new(),
            Decision::Deny(mut reasons) => {
                reasons.retain(|reason| !matches!(reason, Reason::Gap { .. }));
                reasons
            }
        }
    }

    #[test]
    fn nothing_leaves_before_the_agreement_binds_or_on_the_day_it_ended() {
        let mut agreement = agreement();
        let on = |agreement: &Agreement, day| reasons(agreement, day, |_| ());
        let early = Reason::NotInForce { from: "2020-12-18".into() };
        assert_eq!(on(&agreement, date(2020, 12, 17)), [early]);
        assert_eq!(on(&agreement, date(2020, 12, 18)), []);
        agreement.ends = Some(date(2027, 3, 3));
        let ended = |day: &str| Reason::Ended { on: day.into() };
        assert_eq!(on(&agreement, date(2027, 3, 2)), []);
        assert_eq!(on(&agreement, date(2027, 3, 3)), [ended("2027-03-03")]);
        // A notice that ends it earlier goes before the file.
        let noticed =
            reasons(&agreement, date(2026, 6, 1), |drop| drop.ends = Some(date(2026, 6, 1)));
        assert_eq!(noticed, [ended("2026-06-01")]);
    }

    #[test]
    fn r9_no_list_leaves_before_both_published_the_text_but_the_way_is_tried() {
        let agreement = agreement();
        let gaps = |requested, published| {
            let now = start_of_day(date(2021, 1, 4));
            let reviewed = Reviewed { published, ..Reviewed::default() };
            let (ends, drawn_for) = (None, None);
            let drop = Drop { now, size: 1, files: 1, requested, ends, reviewed, drawn_for };
            match decide(&agreement, drop) {
                Decision::Permit => 0,
                Decision::Deny(reasons) => reasons.len(),
            }
        };
        let asked = Requested::By(Digest::none());
        assert_eq!(gaps(asked, [false; 2]), 2);
        assert_eq!((gaps(asked, [true, false]), gaps(asked, [false, true])), (1, 1));
        assert_eq!((gaps(asked, [true; 2]), gaps(Requested::Exercise, [false; 2])), (0, 0));
    }

    #[test]
    fn r8_lists_leave_until_the_last_day_of_the_two_years_and_no_longer() {
        let mut agreement = agreement();
        let why = |agreement: &Agreement, day| {
            let reviewed = Reviewed { published: [true; 2], ..Reviewed::default() };
            let (now, requested) = (start_of_day(day), Requested::By(Digest::none()));
            let (ends, drawn_for) = (None, None);
            let drop = Drop { now, size: 1, files: 1, requested, ends, reviewed, drawn_for };
            match decide(agreement, drop) {
                Decision::Permit => Vec::new(),
                Decision::Deny(reasons) => reasons,
            }
        };
        // The day on which MAGDA offers them, the last one with lists, the first without.
        for (since, last, first) in [
            (date(2024, 3, 2), date(2026, 3, 1), date(2026, 3, 2)),
            (date(2024, 2, 29), date(2026, 2, 27), date(2026, 2, 28)),
            (date(2026, 2, 28), date(2028, 2, 27), date(2028, 2, 28)),
        ] {
            agreement.magda_service_since = Some(since);
            assert_eq!(why(&agreement, last), [], "{since}");
            let clock = Deadline::new(Clock::Magda, "mechelen", start_of_day(since));
            assert_eq!(clock.due.date(), last, "what is shown is what is held");
            let denied = why(&agreement, first);
            let [Reason::Gap { gap, requirement, .. }] = &denied[..] else {
                panic!("{since}: {denied:?}");
            };
            assert_eq!((gap.as_str(), requirement.as_str()), ("magda-service-over", "R8"));
        }
    }

    #[test]
    fn r15_a_list_leaves_when_somebody_says_whose_residents_it_is_about_and_they_are_ours() {
        let mut agreement = agreement();
        let nis: &'static Nis = Box::leak(Box::new("12025".parse().unwrap()));
        let other: &'static Nis = Box::leak(Box::new("11002".parse().unwrap()));
        let by = |agreement: &Agreement, said| {
            let day = date(2026, 1, 5);
            let reasons = reasons(agreement, day, |drop| drop.drawn_for = said);
            let word = residents(agreement, said).ok().flatten().map(|it| it.word);
            (reasons, word)
        };
        assert_eq!(by(&agreement, None), (vec![], Some(Word::Agreement)));
        assert_eq!(by(&agreement, Some(nis)), (vec![], Some(Word::Person)));
        let another = Reason::DrawnForAnother { nis: other.clone(), ours: nis.clone() };
        assert_eq!(by(&agreement, Some(other)), (vec![another.clone()], None));
        agreement.data.selection = Some(" ".into());
        let unsaid = Reason::NotDrawn { nis: nis.clone() };
        assert_eq!(by(&agreement, None), (vec![unsaid.clone()], None));
        assert_eq!(by(&agreement, Some(nis)), (vec![], Some(Word::Person)));
        for reason in [&another, &unsaid] {
            assert!(
                reason.overridable().is_none() && reason.article() == Article::Art(2),
                "{reason:?}"
            );
        }
        // No list, and so nobody's word; but what a person says must fit.
        agreement.data.any_file = Some("x".into());
        assert_eq!(by(&agreement, None), (vec![], None));
        assert_eq!(by(&agreement, Some(other)), (vec![another], None));
    }

    #[test]
    fn every_reason_is_told_at_once_with_its_article_in_both_languages() {
        let all = reasons(&agreement(), date(2020, 1, 1), |drop| {
            drop.size = u64::MAX;
            drop.requested = Requested::Never;
        });
        assert_eq!(all.len(), 3, "{all:?}");
        for reason in all {
            for language in [Language::Nl, Language::En] {
                assert!(
                    reason.text(language).starts_with(&reason.article().label(language)),
                    "{reason:?}"
                );
            }
            let json = serde_json::to_string(&reason).unwrap();
            assert_eq!(serde_json::from_str::<Reason>(&json).unwrap(), reason);
        }
    }
}
