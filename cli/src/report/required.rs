//! What each article asks, in the order of the text, with what answers it: statements by their kind, and the agreement.

use sluis_core::agreement::Side;
use sluis_core::agreement::articles::{Access, Targets};
use sluis_core::article::Article as Part;
use sluis_core::deadline::Deadline;

use super::Report;
use super::articles::Done;
use crate::language::Lang;

/// One thing that is asked.
pub(super) struct Asked {
    pub(super) required: String,
    /// What the agreement itself says was done about it.
    pub(super) noted: Vec<Done>,
    /// The kinds of statements that answer it.
    pub(super) kinds: &'static [&'static str],
    /// Of incidents: whose case it is.
    pub(super) whose: Option<Side>,
}

impl Asked {
    /// Answered by statements.
    fn said(required: impl Into<String>, kinds: &'static [&'static str]) -> Self {
        Self { required: required.into(), noted: Vec::new(), kinds, whose: None }
    }
    /// Answered by the agreement.
    fn noted(required: impl Into<String>, noted: Vec<Done>) -> Self {
        Self { noted, ..Self::said(required, &[]) }
    }
    fn and(self, noted: Vec<Done>) -> Self {
        Self { noted, ..self }
    }
    fn of(self, whose: Side) -> Self {
        Self { whose: Some(whose), ..self }
    }
}

/// A part of the agreement with its title.
pub(super) type Asking = (Part, &'static str, Vec<Asked>);

const INCIDENTS: &[&str] = &["incident-report", "incident-update", "incident-close"];

/// Every article, in the order of the text.
pub(super) fn all(report: &Report<'_>, deadlines: &[Deadline]) -> Vec<Asking> {
    let lang = report.lang;
    let mut security = gates(report);
    security.extend(held(report, deadlines));
    security.extend(told(report));
    let title = lang.pick("De twee deuren, en de beveiliging", "The two gates, and security");
    let mut all = before(report);
    all.extend(grounds(report, deadlines));
    all.push((Part::Art(6), title, security));
    all.extend(later(report));
    all.push(signed(report));
    all
}

/// The recitals and article 1.
fn before(report: &Report<'_>) -> Vec<Asking> {
    let (agreement, lang) = (&report.terms.agreement, report.lang);
    let often = lang.a_year(agreement.period.per_year());
    let requests = match lang {
        Lang::Nl => format!("Een lijst gaat alleen op vraag van de gemeente, {often}."),
        Lang::En => format!("A list goes only when the municipality asks for it, {often}."),
    };
    // A standing request is waited for by nobody: the passage that makes it one is what was required.
    let requests = agreement.period.unasked(&often).unwrap_or(requests);
    let source = lang.pick("De lijsten komen uit één bron.", "The lists come from one source.");
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
    vec![
        (
            Part::Recital('C'),
            lang.pick("Aanvragen", "Requests"),
            vec![
                Asked::said(requests, &["request"]),
                Asked::noted(source, report.source()),
                Asked::noted(magda, report.magda()),
            ],
        ),
        (
            Part::Recital('F'),
            lang.pick("Advies (ook overweging G)", "Advice (recital G too)"),
            vec![Asked::noted(advice, report.advice())],
        ),
        (
            Part::Art(1),
            lang.pick("Onderwerp", "Subject"),
            vec![Asked::noted(conditions, report.permitted())],
        ),
    ]
}

/// Articles 2 to 5: why, which data, for whom, how long.
fn grounds(report: &Report<'_>, deadlines: &[Deadline]) -> Vec<Asking> {
    let (agreement, lang) = (&report.terms.agreement, report.lang);
    let (purpose, years) = (&agreement.purpose, agreement.retention.years());
    let kept = match lang {
        Lang::Nl => format!(
            "Alleen voor: {purpose}. Hoogstens {years} jaar herkenbaar bewaard, dan vernietigd."
        ),
        Lang::En => format!(
            "Only for: {purpose}. Kept for at most {years} years in identifiable form, then destroyed."
        ),
    };
    let basis = lang.pick(
        "Het meedelen heeft een rechtsgrond, en het doel is verenigbaar met dat waarvoor de gegevens verzameld zijn.",
        "Communicating has a legal basis, and the purpose is compatible with what the data were collected for.",
    );
    let residents = lang.pick(
        "Alleen wie in het Rijksregister in deze gemeente ingeschreven is.",
        "Only persons whom the national register has in this municipality.",
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
    vec![
        (
            Part::Art(2),
            lang.pick("Doel en bewaring", "Purpose and retention"),
            vec![
                Asked::noted(basis, report.basis()),
                Asked::noted(residents, report.selection()),
                Asked::said(kept, &["destroyed"]).and(report.destruction()),
            ],
        ),
        (Part::Art(3), lang.pick("Gegevens", "Data"), data(report)),
        (Part::Art(4), lang.pick("Toegang", "Access"), access(report, deadlines)),
        (Part::Art(5), lang.pick("Duur", "Term"), vec![Asked::noted(term, report.term())]),
    ]
}

/// Article 3.
fn data(report: &Report<'_>) -> Vec<Asked> {
    let (agreement, lang) = (&report.terms.agreement, report.lang);
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
    let why = lang.pick(
        "Elk gegeven is nodig voor het doel, en een lijst is niet langer dan nodig.",
        "The purpose needs each of them, and a list is no longer than needed.",
    );
    let special =
        lang.pick("Geen gegevens van artikel 9 of 10 AVG.", "No data of GDPR article 9 or 10.");
    let attested = lang.pick(
        "Elk jaar verklaart de gemeente wat ze nog bewaart (termijn: standaard van het product).",
        "Every year the municipality states what it still keeps (term: default of the product).",
    );
    // Under an agreement about any file nothing is read, and so nothing is claimed to have been.
    let only = agreement.data.any_file.clone().unwrap_or(only);
    vec![
        Asked::said(only, &["sent"]),
        Asked::noted(why, report.proportionality()),
        Asked::noted(special, report.special()),
        Asked::said(attested, &["attestation"]),
    ]
}

/// Article 4.
fn access(report: &Report<'_>, deadlines: &[Deadline]) -> Vec<Asked> {
    let (agreement, lang) = (&report.terms.agreement, report.lang);
    let months = agreement.access.renew_after_months;
    let only = lang.pick(
        "Toegang alleen voor wie de gegevens nodig heeft: deze functieprofielen.",
        "Access only for who needs the data: these function profiles.",
    );
    let ours = match (months == Access::YEAR, lang) {
        (false, _) => "",
        (true, Lang::Nl) => ": standaard van het product",
        (true, Lang::En) => ": default of the product",
    };
    let current = match lang {
        Lang::Nl => {
            format!("De lijst van functieprofielen blijft actueel ({months} maanden{ours}).")
        }
        Lang::En => {
            format!("The list of function profiles is kept current ({months} months{ours}).")
        }
    };
    let others = lang.pick(
        "Doorgifte aan anderen wordt vooraf gemeld.",
        "Disclosure to others is reported beforehand.",
    );
    vec![
        Asked::noted(only, report.profiles()),
        Asked::said(current, &["profiles"]).and(report.listed(deadlines)),
        Asked::said(others, &["disclosure"]),
    ]
}

/// Article 6, the file and its key.
fn gates(report: &Report<'_>) -> Vec<Asked> {
    let (agreement, lang) = (&report.terms.agreement, report.lang);
    let (threshold, shares) = (agreement.key.threshold, agreement.key.custodians.len());
    let hours = agreement.targets.removal_target_hours;
    // The text gives no hours; what an agreement has of its own is not the product's.
    let target = match (hours == Targets::default().removal_target_hours, lang) {
        (true, Lang::Nl) => format!("streefdoel van het product: {hours} uur"),
        (true, Lang::En) => format!("target of the product: {hours} h"),
        (false, Lang::Nl) => format!("streefdoel van deze overeenkomst: {hours} uur"),
        (false, Lang::En) => format!("target of this agreement: {hours} h"),
    };
    let (file, key) = match lang {
        Lang::Nl => (
            format!(
                "De gemeente plaatst het bestand zo snel mogelijk in een eigen omgeving en verwijdert het van het transportmedium ({target})."
            ),
            format!(
                "De sleutel gaat over een ander kanaal, bij voorkeur SMS, pas na de verwijdering: {threshold} van {shares} delen openen het bestand."
            ),
        ),
        Lang::En => (
            format!(
                "As soon as possible the municipality puts the file in an environment of its own and removes it from the transport medium ({target})."
            ),
            format!(
                "The key goes over another channel, preferably SMS, only after the removal: {threshold} of {shares} shares open the file."
            ),
        ),
    };
    let erased = lang.pick(
        "Wat het agentschap nog had, wordt gewist; wat niet geopend werd, vervalt.",
        "What the agency still held is erased; what was not opened ends.",
    );
    vec![
        Asked::said(file, &["delivered", "removed", "probed"]).and(report.medium()),
        Asked::said(key, &["ready", "released", "share-accepted", "opened"]).and(report.channels()),
        Asked::said(erased, &["closed", "withdrawn", "expired", "failed", "superseded"])
            .and(report.kept()),
    ]
}

/// Article 6, what each party has in place.
fn held(report: &Report<'_>, deadlines: &[Deadline]) -> Vec<Asked> {
    let pick = |nl, en| report.lang.pick(nl, en);
    vec![
        Asked::noted(
            pick(
                "Elke partij heeft een functionaris voor gegevensbescherming die te bereiken is.",
                "Each party has a data protection officer who can be reached.",
            ),
            report.officers(),
        ),
        Asked::said(
            pick(
                "Veiligheidsbeleid en -plan worden elk jaar herzien.",
                "Security policy and plan are reviewed every year.",
            ),
            &["policy-review"],
        )
        .and(report.reviewed(deadlines)),
        Asked::noted(
            pick(
                "De gemeente neemt organisatorische maatregelen; ze heeft een procedure voor inbreuken, bewaakt netwerk en systemen, en haar toegang is aantoonbaar veilig.",
                "The municipality takes organisational measures; it has a procedure for breaches, monitors network and systems, and its access is shown to be safe.",
            ),
            report.measures(),
        ),
        Asked::noted(
            pick(
                "Wie toegang heeft, is ingelicht over de AVG, de andere regels over privacy en elke andere regel.",
                "Whoever has access was told of the GDPR, the other rules on privacy, and any other rule.",
            ),
            report.informed(),
        ),
        Asked::said(
            pick(
                "Alleen verwerkers die genoeg waarborgen bieden, elk met een overeenkomst; de partijen houden elkaar op de hoogte.",
                "Only processors with sufficient guarantees, each under a contract; the parties keep each other informed.",
            ),
            &["processors"],
        )
        .and(report.processors()),
        Asked::said(
            pick(
                "Wat een regel tegenhield, laten alleen twee personen door, met een reden; het blijft in elk later verslag staan.",
                "What a rule held back only two persons let pass, with a reason; it stays in every later report.",
            ),
            &["override"],
        ),
        Asked::noted(
            pick(
                "Rechten zijn gescheiden: geen samenloop ervan laat toe wat niet mag.",
                "Duties are separated: no combination of rights allows what may not be.",
            ),
            report.approval(),
        ),
    ]
}

/// Article 6, what the parties tell.
fn told(report: &Report<'_>) -> Vec<Asked> {
    let pick = |nl, en| report.lang.pick(nl, en);
    vec![
        Asked::said(
            pick(
                "Incidenten, ook pogingen, meldt de gemeente meteen, ten laatste 24 uur na de vaststelling.",
                "The municipality reports incidents, attempts too, at once, at the latest 24 hours after they were found.",
            ),
            INCIDENTS,
        )
        .of(Side::Municipality),
        Asked::said(
            pick(
                "Kwetsbaarheden worden opgespoord en tijdig verholpen.",
                "Weaknesses are detected and mended in time.",
            ),
            &["patch"],
        ),
        Asked::said(
            pick(
                "Wat de ene partij uit een brief van de andere inschrijft, kan die tegenspreken.",
                "What a party enters from a letter of the other one, that one may contradict.",
            ),
            &["contradiction"],
        ),
        Asked::said(
            pick(
                "Op verzoek geven de partijen inlichtingen over de toegang, en het bewijs van hun maatregelen.",
                "On request the parties give information on access, and the proof of their measures.",
            ),
            &["information-request", "information-answer"],
        ),
    ]
}

/// Articles 7 to 12.
fn later(report: &Report<'_>) -> Vec<Asking> {
    let pick = |nl, en| report.lang.pick(nl, en);
    let quality = Asked::said(
        pick(
            "Fouten worden meteen gemeld; het agentschap handelt binnen twee weken na de vaststelling en brengt de gemeente op de hoogte.",
            "Errors are reported at once; the agency acts within two weeks of the finding and tells the municipality.",
        ),
        &["quality-report", "quality-answer", "quality-close"],
    );
    let points = Asked::noted(
        pick(
            "Elke partij heeft een aanspreekpunt voor fouten.",
            "Each party has a contact point for errors.",
        ),
        report.contacts(),
    );
    let ending = Asked::said(
        pick(
            "Bij een inbreuk kan het agentschap de overeenkomst meteen beëindigen.",
            "On a breach the agency may end the agreement at once.",
        ),
        &["terminate-at-once"],
    );
    let published = Asked::said(
        pick(
            "Beide partijen maken de tekst bekend op hun website.",
            "Both parties publish the text on their websites.",
        ),
        &["publication"],
    )
    .and(report.published());
    vec![
        (
            Part::Art(7),
            pick("Kwaliteit van de gegevens", "Quality of the data"),
            vec![quality, points],
        ),
        (Part::Art(8), pick("Einde bij een inbreuk", "The end on a breach"), vec![ending]),
        (Part::Art(9), pick("Meldingen", "Notifications"), notified(report)),
        (Part::Art(10), pick("Bekendmaking", "Publication"), vec![published]),
        (Part::Art(12), pick("Duur en opzegging", "Term and notice"), vec![notice(report)]),
    ]
}

/// Article 9.
fn notified(report: &Report<'_>) -> Vec<Asked> {
    let pick = |nl, en| report.lang.pick(nl, en);
    vec![
        Asked::said(
            pick(
                "Elke partij meldt de andere een inbreuk, van functionaris tot functionaris; ze overleggen en beperken de gevolgen (24 uur: standaard van het product). Wat de gemeente vaststelde, staat bij artikel 6.",
                "Each party tells the other of a breach, from one data protection officer to the other; they consult and limit what follows (24 hours: default of the product). What the municipality found stands at article 6.",
            ),
            INCIDENTS,
        )
        .of(Side::Agency)
        .and(report.incident_contacts()),
        Asked::said(
            pick(
                "De gemeente meldt wetswijzigingen die deze overeenkomst raken.",
                "The municipality reports changes of law that touch this agreement.",
            ),
            &["legal-change"],
        ),
        Asked::said(
            pick("De partijen delen wat de beveiliging helpt.", "The parties share what helps security."),
            &["security-info"],
        ),
    ]
}

/// Article 12.
fn notice(report: &Report<'_>) -> Asked {
    let agreement = &report.terms.agreement;
    let (months, since) = (agreement.term.notice_months(), agreement.in_force);
    let required = match report.lang {
        Lang::Nl => {
            format!("In werking sinds {since}; schriftelijk opzegbaar met {months} maanden.")
        }
        Lang::En => {
            format!("In force since {since}; ended in writing with {months} months' notice.")
        }
    };
    Asked::said(required, &["terminate", "basis-gone"])
}

/// Who signed, and what.
fn signed(report: &Report<'_>) -> Asking {
    let pick = |nl, en| report.lang.pick(nl, en);
    let by = pick(
        "Beide partijen ondertekenen, door wie hen vertegenwoordigt.",
        "Both parties sign, by whoever represents them.",
    );
    let original = pick(
        "Elk bewaart een ondertekend exemplaar; de digest ervan staat in de overeenkomst.",
        "Each keeps a signed copy; its digest stands in the agreement.",
    );
    let asked =
        vec![Asked::noted(by, report.signatures()), Asked::noted(original, report.original())];
    (Part::Signatures, pick("Ondertekening", "Signing"), asked)
}
