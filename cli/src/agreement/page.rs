//! The agreement as a page for everybody, article by article (art. 10): what the file says, and nothing of this host.
//!
//! Computed from the file alone: the same version gives the same bytes at both parties. What stays out: keys, who holds
//! a share and over which channel, where the drop zone is, and whom a party calls (contact persons, incident contact);
//! of persons it names those whom the law or the signed text makes public: who bound the parties, and the DPO.

use askama::Template;
use jiff::civil::Date;
use sluis_core::agreement::articles::{Column, ColumnKind, Processor, Profile, Signatory};
use sluis_core::agreement::{Agreement, Party, ReleaseRule, Side};
use sluis_core::evidence::Terms;
use sluis_core::words;

use crate::failure::{Failure, Result};
use crate::language::Lang;
use crate::look;

const SIDES: [Side; 2] = [Side::Agency, Side::Municipality];

#[derive(Template)]
#[template(path = "agreement.html")]
struct Page {
    language: &'static str,
    policy: String,
    style: &'static str,
    title: String,
    lead: String,
    articles: Vec<Article>,
    absent: &'static str,
    made: String,
}

struct Article {
    id: &'static str,
    title: &'static str,
    blocks: Vec<Block>,
}

enum Block {
    Text(String),
    /// What is listed, and the points.
    List(String, Vec<String>),
    /// About what, and each fact under its name; an empty one was not given.
    Facts(String, Vec<(&'static str, String)>),
    /// About what, the heads, and the rows, which begin with what they are about.
    Table(String, Vec<&'static str>, Vec<Vec<String>>),
}

/// The page.
pub(super) fn render(terms: &Terms, lang: Lang) -> Result<String> {
    let it = &terms.agreement;
    let told = Told { it, lang };
    let (agency, municipality) = (&it.agency.name, &it.municipality.name);
    let articles = [
        told.before(),
        vec![told.grounds(), told.data()],
        told.use_of_data(),
        vec![told.security()],
        told.later(),
    ];
    let page = Page {
        language: lang.pick("nl", "en"),
        policy: look::policy(),
        style: look::STYLE,
        title: format!("{}: {}", lang.pick("Protocol", "Agreement (protocol)"), it.title),
        lead: told.say(
            format!("Wat {agency} en {municipality} overeenkwamen over het elektronisch meedelen van persoonsgegevens, artikel per artikel. De ondertekende tekst geldt; deze bladzijde geeft weer wat daarvan als gegevens is vastgelegd."),
            format!("What {agency} and {municipality} agreed on communicating personal data electronically, article by article. The signed text counts; this page shows what of it was laid down as data. What the parties wrote themselves is in their own language."),
        ),
        articles: articles.into_iter().flatten().collect(),
        absent: lang.pick("niet vermeld", "not stated"),
        made: told.say(
            format!("Gemaakt door Sluis uit versie {} van de overeenkomst {}, SHA-256 {}. Dezelfde versie geeft dezelfde bladzijde. Sleutels, contactpersonen en bewaarders staan er niet in.", it.version, it.agreement, terms.digest),
            format!("Made by Sluis from version {} of the agreement {}, SHA-256 {}. The same version gives the same page. Keys, contact persons and custodians are not in it.", it.version, it.agreement, terms.digest),
        ),
    };
    page.render()
        .map_err(|e| Failure::coded("not-rendered", words!("de bladzijde: {e}", "the page: {e}")))
}

/// An agreement in one of the two languages.
struct Told<'a> {
    it: &'a Agreement,
    lang: Lang,
}

impl Told<'_> {
    fn say(&self, nl: String, en: String) -> String {
        if self.lang == Lang::Nl { nl } else { en }
    }
    fn pick(&self, nl: &'static str, en: &'static str) -> &'static str {
        self.lang.pick(nl, en)
    }
    fn text(&self, nl: &'static str, en: &'static str) -> Block {
        Block::Text(self.pick(nl, en).to_owned())
    }
    fn article(
        &self,
        id: (&'static str, &'static str),
        title: (&'static str, &'static str),
        blocks: Vec<Block>,
    ) -> Article {
        Article { id: self.pick(id.0, id.1), title: self.pick(title.0, title.1), blocks }
    }
    /// What only the signed text has.
    fn unsaid(&self) -> Block {
        self.text(
            "Dit artikel staat enkel in de ondertekende tekst.",
            "This article is in the signed text alone.",
        )
    }
    fn yes(&self, yes: bool) -> String {
        if yes { self.pick("ja", "yes") } else { self.pick("nee", "no") }.to_owned()
    }

    /// What is there, without how; nothing where nobody said so, which is no `no`.
    fn stated(&self, stated: bool) -> String {
        if stated { self.yes(true) } else { String::new() }
    }

    /// The parties, the recitals and article 1.
    fn before(&self) -> Vec<Article> {
        let it = self.it;
        let (agency, municipality) = (&it.agency.name, &it.municipality.name);
        let parties = SIDES.map(|side| self.party(side)).into();
        let recitals = vec![
            (self.pick("Bron van de gegevens", "Source of the data"), text(&it.basis.source)),
            (self.pick("Lijsten", "Lists"), self.often()),
            (
                self.pick("Dienst van MAGDA sinds", "MAGDA service since"),
                it.magda_service_since.map_or_else(
                    || self.pick("nog geen", "none yet").to_owned(),
                    |on| self.day(Some(on)),
                ),
            ),
            (
                self.pick("Advies DPO van het agentschap", "Advice of the agency's DPO"),
                self.day(it.advice.agency),
            ),
            (
                self.pick("Advies DPO van de gemeente", "Advice of the municipality's DPO"),
                self.day(it.advice.municipality),
            ),
        ];
        let about = self.pick("Voorafgaand aan de afspraken", "Before the terms");
        let subject = Block::Text(self.say(
            format!("De voorwaarden waaronder {agency} de persoonsgegevens van artikel 3 elektronisch meedeelt aan {municipality}."),
            format!("The conditions on which {agency} communicates the personal data of article 3 electronically to {municipality}."),
        ));
        vec![
            self.article(("", ""), ("De partijen", "The parties"), parties),
            self.article(
                ("", ""),
                ("Overwegingen", "Recitals"),
                vec![Block::Facts(about.to_owned(), recitals)],
            ),
            self.article(("Artikel 1", "Article 1"), ("Onderwerp", "Subject"), vec![subject]),
        ]
    }

    fn party(&self, side: Side) -> Block {
        let Party { name, kbo, address, nis, .. } = self.it.party(side);
        let heads = self.it.signed.representatives.iter().filter(|head| head.party == side);
        let heads = heads.map(|head| {
            let mandate = head.mandate.as_ref().map(|by| format!(" ({by})")).unwrap_or_default();
            format!("{}, {}{mandate}", head.name, head.capacity)
        });
        let mut facts = vec![
            (self.pick("Ondernemingsnummer (KBO)", "Enterprise number (KBO)"), shown(kbo)),
            (self.pick("Zetel", "Seat"), text(address)),
            (
                self.pick("Vertegenwoordigd door", "Represented by"),
                heads.collect::<Vec<_>>().join("; "),
            ),
        ];
        if side == Side::Municipality {
            let label = self.pick("NIS-code van de gemeente", "NIS code of the municipality");
            facts.push((label, shown(nis)));
        }
        let role = match side {
            Side::Agency => self.pick("deelt mee", "communicates the data"),
            Side::Municipality => self.pick("ontvangt", "receives the data"),
        };
        Block::Facts(format!("{name}: {role}"), facts)
    }

    /// Article 2.
    fn grounds(&self) -> Article {
        let it = self.it;
        let basis = &it.basis;
        let controller = basis.controller.map(|side| it.party(side).name.clone());
        let why = self.pick("Rechtsgrond en doel", "Legal basis and purpose");
        let grounds = vec![
            (self.pick("Rechtsgrond", "Legal basis"), text(&basis.legal_basis)),
            (self.pick("Doel", "Purpose"), it.purpose.clone()),
            (
                self.pick(
                    "Verenigbaar met het oorspronkelijke doel",
                    "Compatible with the original purpose",
                ),
                text(&basis.compatibility),
            ),
            (
                self.pick("Verantwoordelijke voor het meedelen", "Controller for communicating"),
                text(&controller),
            ),
        ];
        let collected = self.pick(
            "De gegevens zijn oorspronkelijk verzameld voor:",
            "The data were originally collected for:",
        );
        let original = Block::List(collected.to_owned(), basis.original_purposes.clone());
        self.article(
            ("Artikel 2", "Article 2"),
            ("Rechtvaardigingsgronden", "Grounds"),
            vec![Block::Facts(why.to_owned(), grounds), original],
        )
    }

    /// Article 3.
    fn data(&self) -> Article {
        let data = &self.it.data;
        let row = |column: &Column| {
            vec![column.name.clone(), self.kind(column.kind).to_owned(), column.why.clone()]
        };
        let columns = Block::Table(
            self.pick("Elk gegeven en waarom het nodig is", "Each datum and why it is needed")
                .into(),
            vec![
                self.pick("Gegeven", "Datum"),
                self.pick("Soort", "Kind"),
                self.pick("Verantwoording proportionaliteit", "Proportionality"),
            ],
            data.columns.iter().map(row).collect(),
        );
        let years = self.it.retention.years();
        let mut extent = vec![
            (
                self.pick("Gegevens van artikel 9 of 10 AVG", "Data of GDPR article 9 or 10"),
                self.yes(data.special_categories),
            ),
            (
                self.pick("Selectie op inwoners van de gemeente", "Selected for the municipality's residents"),
                text(&data.selection),
            ),
            (
                self.pick("Grootste aantal personen op een lijst", "Most persons on a list"),
                shown(&data.max_rows),
            ),
            (
                self.pick("Bewaartermijn", "Retention"),
                self.say(
                    format!("hoogstens {years} jaar in een vorm die toelaat de betrokkenen te identificeren"),
                    format!("at most {years} years in a form that identifies the persons"),
                ),
            ),
        ];
        let more = [
            (self.pick("Namen toegelaten door", "Names allowed by"), &data.names_allowed_by),
            (
                self.pick("Elk bestand toegelaten, want", "Any file allowed, because"),
                &data.any_file,
            ),
        ];
        extent.extend(more.into_iter().filter_map(|(label, it)| Some((label, it.clone()?))));
        let about = self.pick("Omvang en bewaring", "Extent and retention");
        self.article(
            ("Artikel 3", "Article 3"),
            ("De persoonsgegevens", "The personal data"),
            vec![columns, Block::Facts(about.to_owned(), extent)],
        )
    }

    fn kind(&self, kind: ColumnKind) -> &'static str {
        match kind {
            ColumnKind::NationalNumber => {
                self.pick("rijksregisternummer", "national register number")
            }
            ColumnKind::Boolean => self.pick("ja of nee", "yes or no"),
            ColumnKind::Nis => self.pick("NIS-code", "NIS code"),
            ColumnKind::Text => self.pick("tekst", "text"),
        }
    }

    /// Articles 4 and 5.
    fn use_of_data(&self) -> Vec<Article> {
        let it = self.it;
        let (agency, municipality) = (&it.agency.name, &it.municipality.name);
        let row = |profile: &Profile| {
            let title = if profile.title.is_empty() { &profile.id } else { &profile.title };
            // Of all kinds of rules since the last of three days; no day where it was not told of one.
            let told = profile.informed.each().into_iter().map(|(_, on)| on);
            let told = told.collect::<Option<Vec<Date>>>().and_then(|days| days.into_iter().max());
            vec![title.clone(), profile.why.clone(), self.day(told)]
        };
        let heads = vec![
            self.pick("Functie", "Function"),
            self.pick("Waarom ze de gegevens nodig heeft", "Why it needs the data"),
            self.pick("Kent alle voorschriften sinds", "Told of all rules since"),
        ];
        let listed = self.day(it.access.listed_on);
        let about = self.pick("Functieprofielen met toegang", "Function profiles with access");
        let about = match listed.as_str() {
            "" => about.to_owned(),
            on => format!("{about}, {} {on}", self.pick("lijst van", "list of")),
        };
        let access = vec![
            Block::Table(about, heads, it.access.profiles.iter().map(row).collect()),
            Block::Text(self.say(
                format!("{municipality} houdt deze lijst actueel en meldt elke mededeling van de gegevens aan anderen vooraf aan {agency}."),
                format!("{municipality} keeps this list current and reports every communication of the data to others beforehand to {agency}."),
            )),
        ];
        let until = it.ends.map_or_else(
            || self.pick("onbepaald", "indefinite").to_owned(),
            |on| format!("{} {}", self.pick("tot", "until"), self.day(Some(on))),
        );
        let period = vec![
            (self.pick("Periodiciteit", "Periodicity"), self.often()),
            (self.pick("Duur van de mededeling", "Duration of the communication"), until),
        ];
        let about = self.pick("Hoe vaak en hoe lang", "How often and how long");
        vec![
            self.article(("Artikel 4", "Article 4"), ("Ontvangers", "Recipients"), access),
            self.article(
                ("Artikel 5", "Article 5"),
                ("Periodiciteit en duur", "Periodicity and duration"),
                vec![Block::Facts(about.to_owned(), period)],
            ),
        ]
    }

    /// How often a list goes.
    fn often(&self) -> String {
        let municipality = &self.it.municipality.name;
        let often = self.lang.a_year(self.it.period.per_year());
        self.it.period.unasked(&often).unwrap_or_else(|| {
            self.say(
                format!("op vraag van {municipality}, {often}"),
                format!("when {municipality} asks for it, {often}"),
            )
        })
    }

    /// Article 6, as far as it is public.
    fn security(&self) -> Article {
        let mut blocks = self.gates();
        let dpo = |side| {
            let (party, reviewed) =
                (self.it.party(side), self.it.security.of(side).policy_reviewed_on);
            let dpo = party.dpo.as_ref();
            vec![
                party.name.clone(),
                dpo.map(|dpo| dpo.name.clone()).unwrap_or_default(),
                dpo.and_then(|dpo| dpo.address.clone()).unwrap_or_default(),
                dpo.and_then(|dpo| dpo.contact.clone()).unwrap_or_default(),
                self.day(reviewed),
            ]
        };
        blocks.push(Block::Table(
            self.pick(
                "Functionarissen voor gegevensbescherming (DPO) en veiligheidsbeleid",
                "Data protection officers (DPO) and security policy",
            )
            .into(),
            vec![
                self.pick("Partij", "Party"),
                self.pick("Naam DPO", "Name of the DPO"),
                self.pick("Adres", "Address"),
                self.pick("Contact", "Contact"),
                self.pick("Beleid herzien op", "Policy reviewed on"),
            ],
            SIDES.map(dpo).into(),
        ));
        let ours = self.it.security.of(Side::Municipality);
        let measures = vec![
            (
                self.pick("Organisatorische maatregelen", "Organisational measures"),
                text(&ours.measures),
            ),
            (
                self.pick("Procedure voor datalekken", "Procedure for breaches"),
                self.stated(ours.breach_procedure.is_some()),
            ),
            // How is not for everybody.
            (
                self.pick("Netwerk en systemen bewaakt", "Network and systems monitored"),
                self.stated(ours.monitoring.is_some()),
            ),
            (
                self.pick("Toegang aantoonbaar veilig", "Access shown to be safe"),
                self.stated(ours.access.is_some()),
            ),
        ];
        let about = &self.it.municipality.name;
        blocks.push(Block::Facts(about.clone(), measures));
        blocks.push(self.text(
            "Incidenten, ook pogingen, worden meteen gemeld, ten laatste 24 uur na de vaststelling.",
            "Incidents, attempts too, are reported at once, at the latest 24 hours after they were found.",
        ));
        blocks.push(self.processors());
        let title = ("Beveiligingsmaatregelen", "Security measures");
        self.article(("Artikel 6", "Article 6"), title, blocks)
    }

    /// The file and its key.
    fn gates(&self) -> Vec<Block> {
        let it = self.it;
        let (hours, days) = (it.targets.removal_target_hours, it.file.expires_after_days);
        let (threshold, shares) = (it.key.threshold, it.key.custodians.len());
        let operator = &it.drop_zone.operator;
        let release = match it.key.release {
            ReleaseRule::AfterRemoval => {
                self.pick("zodra dat bewezen is", "as soon as that is proven")
            }
            ReleaseRule::WhenReady => self.pick(
                "zodra dat bewezen is en de gemeente klaar is om te openen",
                "as soon as that is proven and the municipality is ready to open it",
            ),
        };
        vec![
            Block::Text(self.say(
                format!("De lijst gaat als versleuteld bestand over het transportmedium van {operator}. De gemeente plaatst het zo snel mogelijk in een eigen omgeving en verwijdert het van dat medium (streefdoel: {hours} uur); wat na {days} dagen niet geopend is, vervalt."),
                format!("The list goes as an encrypted file over the transport medium of {operator}. The municipality puts it in an environment of its own as soon as possible and removes it from that medium (target: {hours} h); what was not opened after {days} days expires."),
            )),
            Block::Text(self.say(
                format!("De encryptiesleutel gaat over andere kanalen, in {shares} delen waarvan er {threshold} nodig zijn, en pas nadat het bestand van het transportmedium verwijderd is: {release}."),
                format!("The key goes over other channels, in {shares} shares of which {threshold} are needed, and only after the file was removed from the transport medium: {release}."),
            )),
        ]
    }

    fn processors(&self) -> Block {
        let row = |processor: &Processor| {
            vec![
                processor.name.clone(),
                processor.service.clone(),
                self.it.party(processor.works_for).name.clone(),
                self.day(processor.contract),
                text(&processor.guarantees),
            ]
        };
        Block::Table(
            self.pick("Verwerkers (artikel 28 AVG)", "Processors (GDPR article 28)").to_owned(),
            vec![
                self.pick("Verwerker", "Processor"),
                self.pick("Dienst", "Service"),
                self.pick("Voor", "For"),
                self.pick("Verwerkersovereenkomst van", "Contract of"),
                self.pick("Waarborgen", "Guarantees"),
            ],
            self.it.processors.iter().map(row).collect(),
        )
    }

    /// Article 7 to the signatures.
    fn later(&self) -> Vec<Article> {
        let it = self.it;
        let (agency, municipality) = (&it.agency.name, &it.municipality.name);
        let quality = vec![
            Block::Text(self.say(
                format!("Fouten in de gegevens worden meteen gemeld; {agency} handelt binnen twee weken na de vaststelling en brengt {municipality} op de hoogte."),
                format!("Errors in the data are reported at once; {agency} acts within two weeks of the finding and tells {municipality}."),
            )),
            self.of_both(("Contactpunt voor fouten", "Contact point for errors"), |side| {
                let contact = &it.party(side).contact;
                let persons = if contact.persons.is_empty() {
                    ""
                } else {
                    self.pick("contactpersonen, gekend door de andere partij", "contact persons, known to the other party")
                };
                contact.web_form.clone().unwrap_or_else(|| persons.to_owned())
            }),
        ];
        let told = Block::Text(self.say(
            format!("De partijen verwittigen elkaar zonder onredelijke vertraging van elk gegevenslek; {municipality} meldt wijzigingen van wetgeving en van verwerkers."),
            format!("The parties tell each other of every breach without undue delay; {municipality} reports changes of law and of processors."),
        ));
        let published = self.of_both(("Bekendgemaakt op", "Published at"), |side| {
            text(&it.publication.of(side).url)
        });
        let months = it.term.notice_months();
        let mut term =
            vec![(self.pick("In werking sinds", "In force since"), self.day(Some(it.in_force)))];
        term.extend(it.ends.map(|on| (self.pick("Eindigt op", "Ends on"), self.day(Some(on)))));
        term.push((
            self.pick("Opzegging", "Notice"),
            self.say(
                format!("schriftelijk, {months} maanden"),
                format!("in writing, {months} months"),
            ),
        ));
        let about = self.pick("Duur", "Term");
        vec![
            self.article(
                ("Artikel 7", "Article 7"),
                ("Kwaliteit van de gegevens", "Quality of the data"),
                quality,
            ),
            self.article(
                ("Artikel 8", "Article 8"),
                ("Sanctie bij niet-naleving", "Sanction"),
                vec![self.unsaid()],
            ),
            self.article(
                ("Artikel 9", "Article 9"),
                ("Meldingsplichten", "Duties to report"),
                vec![told],
            ),
            self.article(
                ("Artikel 10", "Article 10"),
                ("Transparantie", "Transparency"),
                vec![published],
            ),
            self.article(
                ("Artikel 11", "Article 11"),
                ("Toepasselijk recht", "Applicable law"),
                vec![self.unsaid()],
            ),
            self.article(
                ("Artikel 12", "Article 12"),
                ("Inwerkingtreding en opzegging", "Entry into force and notice"),
                vec![Block::Facts(about.to_owned(), term)],
            ),
            self.signed(),
        ]
    }

    /// One fact of each party.
    fn of_both(&self, about: (&'static str, &'static str), fact: impl Fn(Side) -> String) -> Block {
        let label = |side| match side {
            Side::Agency => self.pick("Agentschap", "Agency"),
            Side::Municipality => self.pick("Gemeente", "Municipality"),
        };
        let facts = SIDES.map(|side| (label(side), fact(side)));
        Block::Facts(self.pick(about.0, about.1).to_owned(), facts.into())
    }

    fn signed(&self) -> Article {
        let signed = &self.it.signed;
        let row = |hand: &Signatory| {
            vec![
                hand.name.clone(),
                text(&hand.capacity),
                self.it.party(hand.party).name.clone(),
                self.day(hand.on),
            ]
        };
        let heads = vec![
            self.pick("Naam", "Name"),
            self.pick("Hoedanigheid", "Capacity"),
            self.pick("Namens", "For"),
            self.pick("Op", "On"),
        ];
        let original = vec![
            (self.pick("Opgemaakt op", "Drawn up on"), self.day(signed.drawn_up_on)),
            (
                self.pick("SHA-256 van het origineel", "SHA-256 of the original"),
                shown(&signed.original),
            ),
        ];
        let hands = self.pick("Wie tekende", "Who signed").to_owned();
        let blocks = vec![
            Block::Facts(self.pick("Het origineel", "The original").to_owned(), original),
            Block::Table(hands, heads, signed.signatories.iter().map(row).collect()),
        ];
        self.article(("", ""), ("Ondertekening", "Signatures"), blocks)
    }

    /// A day as people write it, empty where there is none.
    fn day(&self, day: Option<Date>) -> String {
        const MONTHS: [(&str, &str); 12] = [
            ("januari", "January"),
            ("februari", "February"),
            ("maart", "March"),
            ("april", "April"),
            ("mei", "May"),
            ("juni", "June"),
            ("juli", "July"),
            ("augustus", "August"),
            ("september", "September"),
            ("oktober", "October"),
            ("november", "November"),
            ("december", "December"),
        ];
        let said = |day: Date| {
            let month = usize::try_from(day.month() - 1).unwrap_or_default();
            let (nl, en) = MONTHS[month];
            format!("{} {} {}", day.day(), self.pick(nl, en), day.year())
        };
        day.map(said).unwrap_or_default()
    }
}

fn text(given: &Option<String>) -> String {
    given.clone().unwrap_or_default()
}

fn shown<T: std::fmt::Display>(given: &Option<T>) -> String {
    given.as_ref().map(ToString::to_string).unwrap_or_default()
}
