//! Per article: what was required, and which statements of the period say that it was done.

use sluis_core::agreement::Agreement;
use sluis_core::article::Article as Part;
use sluis_core::deadline::{Clock, Deadline};
use sluis_core::notice::Sort;
use sluis_core::statement::Body;

use super::{Line, Report, is_late, short, told, who};
use crate::language::Lang;

/// An article with its duties.
pub(super) struct Article {
    pub(super) id: String,
    pub(super) title: &'static str,
    pub(super) duties: Vec<Duty>,
}

/// One thing that it asks.
pub(super) struct Duty {
    pub(super) required: String,
    pub(super) done: Vec<Done>,
    /// What is said where nothing was.
    pub(super) none: &'static str,
}

/// One thing that was done about it.
pub(super) struct Done {
    pub(super) when: String,
    pub(super) what: String,
    /// Which party, or the agreement.
    pub(super) who: String,
    /// By which role or in which function, where that is known.
    pub(super) role: String,
    pub(super) late: bool,
}

/// What is required, and the kinds of statements that answer it.
type Said = (String, &'static [&'static str]);

/// What is required, what the agreement itself says was done about it, and the kinds of statements that answer it.
struct Asked {
    required: String,
    noted: Vec<Done>,
    kinds: &'static [&'static str],
}

impl From<Said> for Asked {
    fn from((required, kinds): Said) -> Self {
        Self { required, noted: Vec::new(), kinds }
    }
}

/// A part of the agreement with its title.
type Asking = (Part, &'static str, Vec<Asked>);

fn said(all: Vec<Said>) -> Vec<Asked> {
    all.into_iter().map(Asked::from).collect()
}

/// Every article, in the order of the text.
pub(super) fn all(report: &Report<'_>, deadlines: &[Deadline]) -> Vec<Article> {
    let mut listed: Vec<&str> = Vec::new();
    let mut articles = Vec::new();
    for (part, title, asked) in required(report) {
        let mut duties = Vec::new();
        for Asked { required, noted, kinds } in asked {
            listed.extend(kinds);
            // What two persons let pass shows in every later year too (R84).
            let told = match kinds.contains(&Sort::Override.kind()) {
                true => report.lines,
                false => report.period(),
            };
            let done = told.iter().filter(|line| kinds.contains(&line.kind()));
            let done = done.map(|line| one(report, line, deadlines));
            let none = match kinds.is_empty() {
                true => report.lang.pick("staat niet in de overeenkomst", "not in the agreement"),
                false => report.lang.pick("niets in deze periode", "nothing in this period"),
            };
            duties.push(Duty { required, done: noted.into_iter().chain(done).collect(), none });
        }
        articles.push(Article { id: part.label(report.lang.core()), title, duties });
    }
    // What a later version says is shown, though nothing here knows what it answers.
    let other = report.period().iter().filter(|line| !listed.contains(&line.kind()));
    let done: Vec<_> = other.map(|line| one(report, line, deadlines)).collect();
    if !done.is_empty() {
        let title = report.lang.pick("Andere verklaringen", "Other statements");
        articles.push(Article {
            id: String::new(),
            title,
            duties: vec![Duty { required: String::new(), done, none: "" }],
        });
    }
    articles
}

fn one(report: &Report<'_>, line: &Line, deadlines: &[Deadline]) -> Done {
    // The clock that this statement meets, if it meets one.
    let clock = match &line.statement.body {
        Body::Removed(_) => line.about().map(|id| (Clock::RemovalTarget, report.code(id))),
        Body::Opened(_) => line.about().map(|id| (Clock::Expiry, report.code(id))),
        Body::Destroyed(_) => line.about().map(|id| (Clock::Retention, report.code(id))),
        Body::Notice(Sort::IncidentReport, notice) => {
            let whose = if notice.received.is_some() { line.side.other() } else { line.side };
            Some((Clock::Incident(whose), short(&line.digest)))
        }
        Body::Notice(Sort::QualityAnswer, notice) => {
            notice.case.map(|case| (Clock::Quality, short(&case)))
        }
        _ => None,
    };
    // Reported beforehand, or not (R27).
    let unannounced = report.is_late(line);
    let met = clock
        .and_then(|(clock, of)| deadlines.iter().find(|it| it.clock == clock && it.subject == of));
    // Of what comes back every year, the clock that ended with this very word.
    let yearly = yearly(line)
        .and_then(|clock| deadlines.iter().find(|it| it.clock == clock && it.met == Some(line.at)));
    let met = met.or(yearly);
    Done {
        when: line.at.local(),
        what: told::sentence(report, line),
        who: report.party(line.side).to_owned(),
        role: who::role(report, line),
        late: line.effect && (unannounced || met.is_some_and(|it| is_late(it, report.as_of()))),
    }
}

/// The clock of a word that is said again every year.
fn yearly(line: &Line) -> Option<Clock> {
    match &line.statement.body {
        Body::Notice(Sort::PolicyReview, _) => Some(Clock::PolicyReview(line.side)),
        Body::Notice(Sort::Profiles, _) => Some(Clock::Profiles),
        Body::Notice(Sort::Attestation, _) => Some(Clock::Attestation),
        _ => None,
    }
}

fn required(report: &Report<'_>) -> Vec<Asking> {
    let (agreement, lang) = (&report.terms.agreement, report.lang);
    let mut all = lists(report);
    all.push((
        Part::Art(6),
        lang.pick("De twee deuren, en de beveiliging", "The two gates, and security"),
        said(gates(agreement, lang).into_iter().chain(security(lang)).collect()),
    ));
    all.extend(
        later(agreement, lang).into_iter().map(|(part, title, all)| (part, title, said(all))),
    );
    let (text, signed) = published(report);
    // Between articles 9 and 12, and at the end.
    let place = all.iter().position(|(part, ..)| *part == Part::Art(12)).unwrap_or(all.len());
    all.insert(place, text);
    all.push(signed);
    all
}

/// Article 10, and who signed.
fn published(report: &Report<'_>) -> (Asking, Asking) {
    let lang = report.lang;
    let text = Asked {
        required: lang
            .pick(
                "Beide partijen maken de tekst bekend op hun website.",
                "Both parties publish the text on their websites.",
            )
            .to_owned(),
        noted: report.published(),
        kinds: &["publication"],
    };
    let by = Asked {
        required: lang
            .pick(
                "Beide partijen ondertekenen, door wie hen vertegenwoordigt.",
                "Both parties sign, by whoever represents them.",
            )
            .to_owned(),
        noted: report.signatures(),
        kinds: &[],
    };
    let original = Asked {
        required: lang
            .pick(
                "Elk bewaart een ondertekend exemplaar; de vingerafdruk ervan staat in de overeenkomst.",
                "Each keeps a signed copy; its digest stands in the agreement.",
            )
            .to_owned(),
        noted: report.original(),
        kinds: &[],
    };
    (
        (Part::Art(10), lang.pick("Bekendmaking", "Publication"), vec![text]),
        (Part::Signatures, lang.pick("Ondertekening", "Signing"), vec![by, original]),
    )
}

/// Recital C to article 5: which lists, for whom, how long.
fn lists(report: &Report<'_>) -> Vec<Asking> {
    let (agreement, lang) = (&report.terms.agreement, report.lang);
    let (per_year, years) = (agreement.period.per_year(), agreement.retention.years());
    let say = |nl: String, en: String| if lang == Lang::Nl { nl } else { en };
    let requests = say(
        format!(
            "Een lijst gaat alleen op vraag van de gemeente, hoogstens {per_year} keer per jaar."
        ),
        format!(
            "A list goes only when the municipality asks for it, at most {per_year} time(s) a year."
        ),
    );
    let purpose = say(
        format!(
            "Alleen voor: {}. Hoogstens {years} jaar herkenbaar bewaard, dan vernietigd.",
            agreement.purpose
        ),
        format!(
            "Only for: {}. Kept for at most {years} years in identifiable form, then destroyed.",
            agreement.purpose
        ),
    );
    let magda = lang.pick(
        "Twee jaar nadat MAGDA deze lijsten aanbiedt, verstuurt het agentschap geen bestanden meer.",
        "Two years after MAGDA offers these lists the agency sends no files any more.",
    );
    let advice = lang.pick(
        "De functionaris voor gegevensbescherming van elke partij geeft advies over het ontwerp.",
        "Each party's data protection officer gives advice on the draft.",
    );
    let conditions = lang.pick(
        "Het agentschap deelt de gegevens van artikel 3 alleen onder deze voorwaarden mee; elke lijst wordt daaraan getoetst.",
        "The agency communicates the data of article 3 on these conditions alone; each list is held against them.",
    );
    let term = match agreement.ends {
        None => lang.pick(
            "De aanvraag is permanent en de duur onbepaald; elk jaar wordt er toch opnieuw gevraagd.",
            "The request is permanent and the term indefinite; each year it is asked for anew all the same.",
        ),
        Some(_) => lang.pick(
            "De aanvraag is permanent tot de overeenkomst eindigt; elk jaar wordt er toch opnieuw gevraagd.",
            "The request is permanent until the agreement ends; each year it is asked for anew all the same.",
        ),
    };
    // A standing request is waited for by nobody: the passage that makes it one is what was required.
    let requests = agreement.period.standing.clone().unwrap_or(requests);
    let noted = |required: &str, noted| Asked { required: required.to_owned(), noted, kinds: &[] };
    vec![
        (
            Part::Recital('C'),
            lang.pick("Aanvragen", "Requests"),
            vec![Asked::from((requests, &["request"][..])), noted(magda, report.magda())],
        ),
        (
            Part::Recital('F'),
            lang.pick("Advies (ook overweging G)", "Advice (recital G too)"),
            vec![noted(advice, report.advice())],
        ),
        (
            Part::Art(1),
            lang.pick("Onderwerp", "Subject"),
            vec![noted(conditions, report.permitted())],
        ),
        (
            Part::Art(2),
            lang.pick("Doel en bewaring", "Purpose and retention"),
            vec![Asked::from((purpose, &["destroyed"][..]))],
        ),
        (Part::Art(3), lang.pick("Gegevens", "Data"), said(data(agreement, lang))),
        (Part::Art(4), lang.pick("Toegang", "Access"), said(access(agreement, lang))),
        (Part::Art(5), lang.pick("Duur", "Term"), vec![noted(term, report.term())]),
    ]
}

/// Article 3.
fn data(agreement: &Agreement, lang: Lang) -> Vec<Said> {
    let columns: Vec<_> = agreement.data.columns.iter().map(|it| it.name.as_str()).collect();
    let columns = columns.join(", ");
    let only = match lang {
        Lang::Nl => format!(
            "Alleen deze gegevens: {columns}. Elke lijst wordt daartegen gehouden voor ze verzegeld wordt."
        ),
        Lang::En => format!(
            "Only these data: {columns}. Each list is held against them before it is sealed."
        ),
    };
    let attested = lang.pick(
        "Elk jaar verklaart de gemeente wat ze nog bewaart.",
        "Every year the municipality states what it still keeps.",
    );
    // Under an agreement about any file nothing is read, and so nothing is claimed to have been.
    let only = agreement.data.any_file.clone().unwrap_or(only);
    vec![(only, &["sent"]), (attested.to_owned(), &["attestation"])]
}

/// Article 4.
fn access(agreement: &Agreement, lang: Lang) -> Vec<Said> {
    let profiles: Vec<_> = agreement.access.profiles.iter().map(|it| it.id.as_str()).collect();
    let profiles = profiles.join(", ");
    let only = match lang {
        Lang::Nl => format!(
            "Toegang alleen voor deze functieprofielen: {profiles}. De lijst blijft actueel."
        ),
        Lang::En => format!(
            "Access only for these function profiles: {profiles}. The list is kept current."
        ),
    };
    let others = lang.pick(
        "Doorgifte aan anderen wordt vooraf gemeld.",
        "Disclosure to others is reported beforehand.",
    );
    vec![(only, &["profiles"]), (others.to_owned(), &["disclosure"])]
}

/// Article 6, the file and its key.
fn gates(agreement: &Agreement, lang: Lang) -> Vec<Said> {
    let (threshold, shares) = (agreement.key.threshold, agreement.key.custodians.len());
    let hours = agreement.targets.removal_target_hours;
    let say = |nl: String, en: String| if lang == Lang::Nl { nl } else { en };
    vec![
        (
            say(
                format!(
                    "De gemeente plaatst het bestand zo snel mogelijk in een eigen omgeving en verwijdert het van het transportmedium (streefdoel van het product: {hours} uur)."
                ),
                format!(
                    "As soon as possible the municipality puts the file in an environment of its own and removes it from the transport medium (target of the product: {hours} h)."
                ),
            ),
            &["delivered", "removed", "probed"],
        ),
        (
            say(
                format!(
                    "De sleutel gaat over een ander kanaal, pas na de verwijdering: {threshold} van {shares} delen openen het bestand."
                ),
                format!(
                    "The key goes over another channel, only after the removal: {threshold} of {shares} shares open the file."
                ),
            ),
            &["ready", "released", "share-accepted", "opened"],
        ),
        (
            say(
                "Wat het agentschap nog had, wordt gewist; wat niet geopend werd, vervalt.".into(),
                "What the agency still held is erased; what was not opened ends.".into(),
            ),
            &["closed", "withdrawn", "expired", "failed", "superseded"],
        ),
    ]
}

/// Article 6, the rest of it.
fn security(lang: Lang) -> Vec<Said> {
    let say = |nl: &str, en: &str| lang.pick(nl, en).to_owned();
    vec![
        (
            say(
                "Incidenten, ook pogingen, worden meteen gemeld, ten laatste 24 uur na de vaststelling.",
                "Incidents, attempts too, are reported at once, at the latest 24 hours after they were found.",
            ),
            &["incident-report", "incident-update", "incident-close"],
        ),
        (
            say(
                "Beveiligingsbeleid en -plan worden elk jaar herzien.",
                "Security policy and plan are reviewed every year.",
            ),
            &["policy-review"],
        ),
        (
            say(
                "Wat een regel tegenhield, laten alleen twee personen door, met een reden; het blijft in elk later verslag staan.",
                "What a rule held back only two persons let pass, with a reason; it stays in every later report.",
            ),
            &["override"],
        ),
        (
            say(
                "Kwetsbaarheden worden opgespoord en tijdig verholpen.",
                "Weaknesses are detected and mended in time.",
            ),
            &["patch"],
        ),
        (
            say(
                "Wat de ene partij uit een brief van de andere inschrijft, kan die tegenspreken.",
                "What a party enters from a letter of the other one, that one may contradict.",
            ),
            &["contradiction"],
        ),
        (
            say(
                "De partijen houden elkaar op de hoogte van hun verwerkers.",
                "The parties keep each other informed of their processors.",
            ),
            &["processors"],
        ),
        (
            say(
                "Op verzoek geven de partijen inlichtingen over de toegang, en het bewijs van hun maatregelen.",
                "On request the parties give information on access, and the proof of their measures.",
            ),
            &["information-request", "information-answer"],
        ),
    ]
}

/// Articles 7 to 9, and 12.
fn later(agreement: &Agreement, lang: Lang) -> Vec<(Part, &'static str, Vec<Said>)> {
    let months = agreement.term.notice_months();
    let say = |nl: String, en: String| if lang == Lang::Nl { nl } else { en };
    vec![
        (Part::Art(7), lang.pick("Kwaliteit van de gegevens", "Quality of the data"), vec![(
            say(
                "Fouten worden meteen gemeld; het agentschap handelt binnen twee weken na de vaststelling en brengt de gemeente op de hoogte.".into(),
                "Errors are reported at once; the agency acts within two weeks of the finding and tells the municipality.".into(),
            ),
            &["quality-report", "quality-answer", "quality-close"],
        )]),
        (Part::Art(8), lang.pick("Einde bij een inbreuk", "The end on a breach"), vec![(
            say(
                "Bij een inbreuk kan het agentschap de overeenkomst meteen beëindigen.".into(),
                "On a breach the agency may end the agreement at once.".into(),
            ),
            &["terminate-at-once"],
        )]),
        (Part::Art(9), lang.pick("Meldingen", "Notifications"), vec![
            (
                say(
                    "De gemeente meldt wetswijzigingen die deze overeenkomst raken.".into(),
                    "The municipality reports changes of law that touch this agreement.".into(),
                ),
                &["legal-change"],
            ),
            (
                say(
                    "De partijen delen wat de beveiliging helpt.".into(),
                    "The parties share what helps security.".into(),
                ),
                &["security-info"],
            ),
        ]),
        (Part::Art(12), lang.pick("Duur en opzegging", "Term and notice"), vec![(
            say(
                format!("In werking sinds {}; schriftelijk opzegbaar met {months} maanden.", agreement.in_force),
                format!("In force since {}; ended in writing with {months} months' notice.", agreement.in_force),
            ),
            &["terminate", "basis-gone"],
        )]),
    ]
}
