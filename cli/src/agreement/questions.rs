//! What `agreement new` asks, in the order of the articles: a table of questions, and what each takes as an answer.

use std::collections::BTreeSet;

use jiff::civil::Date;
use sluis_core::agreement::articles::MAX_YEARS;
use sluis_core::id::{Address, AgreementId, ChannelId, Digest, Kbo, Nis, is_page};

use super::new::Answers;

/// Why an answer will not do, in Dutch and English.
pub(super) type Why = [&'static str; 2];

/// What an answer must be. Only the kinds called `Maybe...` may stay blank.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// `a-z`, `0-9`, dashes.
    Name,
    /// As [`Kind::Name`], and not given to the other party or an earlier share.
    NewName,
    Text,
    /// A name, which others may have too.
    MaybeName,
    /// From, to.
    Number(u64, u64),
    /// From 2 to the number of shares.
    Threshold,
    Date,
    /// Today or later.
    Coming,
    /// Today or earlier.
    MaybePast,
    Past,
    MaybeDate,
    MaybeKbo,
    Nis,
    /// `host:port`.
    Host,
    Choice(&'static [&'static str]),
    MaybeDigest,
    /// `https://...`, as a public page has it.
    MaybePage,
    /// `host` or `host:port`, with `;` between.
    MaybeHosts,
    /// Some of these, with `;` between.
    Columns(&'static [&'static str]),
    /// Anything, with `;` between.
    List,
    /// `name, what; name, what`.
    Pairs,
    /// `name, date; name, date`.
    MaybeSigned,
    /// One of the answers to the [`Kind::Pairs`] of this key.
    OneOf(&'static str),
    /// Who carries: fewer than `threshold` shares each, and not the file.
    Carrier,
    /// As [`Kind::Carrier`], and a name.
    Group,
}

/// One question. In `key` and `default`, `#` is the number of the share it is about.
pub(super) struct Question {
    pub(super) key: &'static str,
    pub(super) kind: Kind,
    /// What an empty answer takes; `{key}` is an earlier answer, `{today}` the day.
    pub(super) default: &'static str,
    pub(super) nl: &'static str,
    pub(super) en: &'static str,
    /// Whether it is asked at all.
    pub(super) when: fn(&Answers) -> bool,
}

/// The questions of a part of the agreement.
pub(super) struct Part {
    pub(super) nl: &'static str,
    pub(super) en: &'static str,
    /// Asked once for each share.
    pub(super) each_share: bool,
    pub(super) questions: &'static [Question],
}

const fn ask(
    key: &'static str,
    kind: Kind,
    default: &'static str,
    nl: &'static str,
    en: &'static str,
) -> Question {
    Question { key, kind, default, nl, en, when: |_| true }
}

impl Question {
    const fn when(mut self, when: fn(&Answers) -> bool) -> Self {
        self.when = when;
        self
    }
}

const fn part(nl: &'static str, en: &'static str, questions: &'static [Question]) -> Part {
    Part { nl, en, each_share: false, questions }
}

#[rustfmt::skip]
pub(super) static PARTS: &[Part] = &[
    part("Aanhef: de partijen", "Preamble: the parties", &[
        ask("agreement", Kind::Name, "", "Korte naam van de overeenkomst, ook van het bestand", "Short name of the agreement, and of its file"),
        ask("agency.id", Kind::Name, "agentschap-ii", "Korte naam van het agentschap, zoals op zijn kaart", "Short name of the agency, as on its card"),
        ask("agency.name", Kind::Text, "Agentschap Integratie en Inburgering", "Naam van het agentschap", "Name of the agency"),
        ask("agency.kbo", Kind::MaybeKbo, "0543.307.391", "Ondernemingsnummer van het agentschap", "Enterprise number of the agency"),
        ask("agency.address", Kind::Text, "Havenlaan 86C, bus 212, 1000 Brussel", "Zetel van het agentschap", "Seat of the agency"),
        ask("agency.heads", Kind::Pairs, "", "Wie het agentschap vertegenwoordigt (naam, hoedanigheid; ...)", "Who represents the agency (name, capacity; ...)"),
        ask("municipality.id", Kind::NewName, "", "Korte naam van de gemeente, zoals op haar kaart", "Short name of the municipality, as on its card"),
        ask("municipality.name", Kind::Text, "", "Naam van de gemeente", "Name of the municipality"),
        ask("municipality.kbo", Kind::MaybeKbo, "", "Ondernemingsnummer van de gemeente", "Enterprise number of the municipality"),
        ask("municipality.nis", Kind::Nis, "", "NIS-code van de gemeente", "NIS code of the municipality"),
        ask("municipality.address", Kind::Text, "", "Zetel van de gemeente", "Seat of the municipality"),
        ask("municipality.heads", Kind::Pairs, "", "Wie de gemeente vertegenwoordigt (naam, hoedanigheid; ...)", "Who represents the municipality (name, capacity; ...)"),
        ask("title", Kind::Text, "Elektronische mededeling van persoonsgegevens van inburgeraars aan {municipality.name}", "Titel", "Title"),
    ]),
    part("Overwegingen", "Recitals", &[
        ask("basis.source", Kind::Text, "Kruispuntbank Inburgering (KBI)", "C. Bron van de gegevens", "C. Source of the data"),
        ask("magda-service-since", Kind::MaybeDate, "", "C. Sinds wanneer MAGDA deze lijsten aanbiedt, als dat zo is", "C. Since when MAGDA offers these lists, if it does"),
        ask("advice.agency", Kind::MaybePast, "", "F. Dag van het DPO-advies van het agentschap (zonder vertrekt er niets)", "F. Day of the DPO's advice of the agency (nothing leaves without it)"),
        ask("advice.municipality", Kind::MaybePast, "", "G. Dag van het DPO-advies van de gemeente (zonder vertrekt er niets)", "G. Day of the DPO's advice of the municipality (nothing leaves without it)"),
    ]),
    part("Artikel 2: rechtvaardiging", "Article 2: justification", &[
        ask("basis.legal-basis", Kind::Text, "AVG, artikel 6, 1, c)", "Rechtsgrond", "Legal basis"),
        ask("basis.original-purposes", Kind::List, "decreet van 7 juni 2013, artikel 20, § 1, 1° tot 7°", "Waarvoor de gegevens verzameld zijn (...; ...)", "What the data were collected for (...; ...)"),
        ask("purpose", Kind::Text, "lokaal inclusief integratiebeleid, artikel 4, § 4, 2° van het decreet van 7 juni 2013", "Doeleinde van de gemeente", "Purpose of the municipality"),
        ask("basis.compatibility", Kind::Text, "artikel 20 van het decreet van 7 juni 2013 laat deze mededeling toe en noemt de gegevens", "Waarom dat verenigbaar is", "Why that is compatible"),
    ]),
    part("Artikel 3: de gegevens", "Article 3: the data", &[
        ask("data.columns", Kind::Columns(&["rijksregisternummer", "contract", "attest"]), "rijksregisternummer; contract; attest", "Kolommen (...; ...)", "Columns (...; ...)"),
        ask("data.why", Kind::Text, "artikel 20 van het decreet van 7 juni 2013", "Verantwoording van de proportionaliteit", "Why they are proportional"),
        ask("data.selection", Kind::Text, "in de bron geselecteerd op NIS-code {municipality.nis}, de gemeente van inschrijving in het Rijksregister", "Hoe een lijst op de inwoners van de gemeente geselecteerd wordt (art. 2)", "How a list is selected for the municipality's inhabitants (art. 2)"),
        ask("data.max-rows", Kind::Number(1, 10_000_000), "", "Hoeveel personen een lijst ten hoogste telt", "How many persons a list has at most"),
        ask("retention.years", Kind::Number(1, MAX_YEARS as u64), "5", "Bewaartermijn in jaren", "Years that the data are kept"),
        ask("retention.destroy", Kind::Choice(&["two-persons", "automatic"]), "two-persons", "Wie vernietigt: twee personen, of de bewaring zelf op de laatste dag", "Who destroys: two persons, or the keeper by itself on the last day"),
    ]),
    part("Artikel 4: wie toegang heeft", "Article 4: who has access", &[
        ask("access.profiles", Kind::Pairs, "", "Functieprofielen (functie, waarom die de gegevens nodig heeft; ...)", "Function profiles (function, why it needs the data; ...)"),
        ask("access.listed-on", Kind::Past, "{today}", "Dag waarop die lijst opgesteld of nagekeken is", "Day on which that list was made or looked through"),
        ask("access.renew-after-months", Kind::Number(1, 12), "12", "Na hoeveel maanden ze nagekeken moet worden", "After how many months it must be looked through"),
        ask("access.informed.gdpr", Kind::Past, "", "Art. 6. Wanneer wie deze functies heeft kennis kreeg van de AVG", "Art. 6. When whoever has these functions was told of the GDPR"),
        ask("access.informed.privacy", Kind::Past, "{access.informed.gdpr}", "Art. 6. En van elk ander voorschrift over privacy", "Art. 6. And of every other rule on privacy"),
        ask("access.informed.other", Kind::Past, "{access.informed.privacy}", "Art. 6. En van elk ander voorschrift voor deze opdracht", "Art. 6. And of every other rule for this task"),
    ]),
    part("Artikel 6: het bestand", "Article 6: the file", &[
        ask("drop-zone.host", Kind::Host, "", "Adres van de sluiskom (host:poort)", "Address of the drop zone (host:port)"),
        ask("drop-zone.operator", Kind::Text, "{municipality.name}", "Wie ze uitbaat", "Who runs it"),
        ask("drop-zone.contract", Kind::Past, "", "Dag van de verwerkersovereenkomst met {drop-zone.operator}", "Day of the processor's contract with {drop-zone.operator}").when(Answers::operator_is_new),
        ask("drop-zone.guarantees", Kind::Text, "", "Welke waarborgen die biedt: een certificaat, een audit, een gedragscode", "Which guarantees it gives: a certificate, an audit, a code of conduct").when(Answers::operator_is_new),
        ask("file.max-size-mib", Kind::Number(1, 1 << 20), "1024", "Grootste bestand in MiB", "Largest file in MiB"),
        ask("file.expires-after-days", Kind::Number(1, 365), "7", "Na hoeveel dagen wat niet geopend is vervalt", "After how many days what was not opened expires"),
        ask("file.approval", Kind::Choice(&["second-person", "none"]), "second-person", "Wie een lijst laat vertrekken: ook een tweede persoon, of alleen wie ze aanbiedt", "Who lets a list go: a second person too, or only whoever offers it"),
    ]),
    part("Artikel 6: de sleutel", "Article 6: the key", &[
        ask("shares", Kind::Number(2, 16), "3", "In hoeveel delen de sleutel gesplitst wordt", "Into how many shares the key is split"),
        ask("key.threshold", Kind::Threshold, "2", "Hoeveel daarvan de lijst openen", "How many of them open the list"),
        ask("key.release", Kind::Choice(&["after-removal", "when-ready"]), "after-removal", "Delen vertrekken na de verwijdering, of ook pas als de gemeente klaar is", "Shares leave after the removal, or also only when the municipality is ready"),
    ]),
    Part { nl: "Artikel 6: deel", en: "Article 6: share", each_share: true, questions: &[
        ask("custodian.#.id", Kind::NewName, "bewaarder-#", "Korte naam van de bewaarder", "Short name of the custodian"),
        ask("custodian.#.profile", Kind::OneOf("access.profiles"), "{access.profiles}", "Functieprofiel van de bewaarder", "Function profile of the custodian"),
        ask("custodian.#.valid-until", Kind::Coming, "", "Laatste dag waarop die een deel krijgt", "Last day on which this person gets a share"),
        ask("custodian.#.language", Kind::Choice(&["nl", "fr", "en", "de"]), "nl", "Taal van het bericht", "Language of the message"),
        ask("custodian.#.phone-group", Kind::MaybeName, "", "Korte naam van wie de telefoon uiteindelijk is: het netwerk, of wie hem beheert", "Short name of whose the telephone is in the end: its network, or who manages it"),
        ask("channel.#.id", Kind::NewName, "kanaal-#", "Korte naam van het kanaal", "Short name of the channel"),
        ask("channel.#.provider", Kind::Carrier, "", "Wie het kanaal aanbiedt", "Who provides the channel"),
        ask("channel.#.group", Kind::Group, "", "Korte naam van de groep waartoe die behoort", "Short name of the group it belongs to"),
        ask("channel.#.kind", Kind::Choice(&["sms", "other"]), "sms", "Soort", "Kind"),
        ask("channel.#.reason", Kind::Text, "", "Waarom geen sms", "Why it is not SMS").when(|a| a.get("channel.#.kind") == "other"),
        ask("channel.#.contract", Kind::Past, "", "Dag van de verwerkersovereenkomst met {channel.#.provider}", "Day of the processor's contract with {channel.#.provider}").when(Answers::provider_is_new),
        ask("channel.#.guarantees", Kind::Text, "", "Welke waarborgen die biedt", "Which guarantees it gives").when(Answers::provider_is_new),
        ask("channel.#.hosts", Kind::MaybeHosts, "", "Naar welke hosts dat kanaal gaat (...; ...); naar een andere vertrekt er dan niets", "To which hosts that channel goes (...; ...); to another nothing leaves then").when(Answers::provider_is_new),
    ]},
    part("Artikel 6: organisatie", "Article 6: organisation", &[
        ask("agency.dpo.name", Kind::Text, "", "DPO van het agentschap", "DPO of the agency"),
        ask("agency.dpo.contact", Kind::Text, "", "Telefoon of e-mail van die DPO", "Telephone or mail of that DPO"),
        ask("security.agency.policy-reviewed-on", Kind::Past, "", "Wanneer het agentschap zijn veiligheidsbeleid laatst herzag", "When the agency last reviewed its security policy"),
        ask("security.agency.incident-contact", Kind::Text, "{agency.dpo.contact}", "Waar het agentschap een incident gemeld wordt", "Where the agency is told of an incident"),
        ask("municipality.dpo.name", Kind::Text, "", "DPO van de gemeente", "DPO of the municipality"),
        ask("municipality.dpo.contact", Kind::Text, "", "Telefoon of e-mail van die DPO", "Telephone or mail of that DPO"),
        ask("security.municipality.policy-reviewed-on", Kind::Past, "", "Wanneer de gemeente haar veiligheidsbeleid laatst herzag", "When the municipality last reviewed its security policy"),
        ask("security.municipality.measures", Kind::Text, "", "Organisatorische maatregelen van de gemeente", "Organisational measures of the municipality"),
        ask("security.municipality.monitoring", Kind::Text, "", "Hoe zij haar netwerk en systemen bewaakt en beheert", "How it monitors and manages its network and systems"),
        ask("security.municipality.access", Kind::Text, "", "Hoe zij fysieke en elektronische toegang regelt, en waaruit blijkt dat die veilig is", "How it holds physical and electronic access, and what shows that it is safe"),
        ask("security.municipality.incident-contact", Kind::Text, "{municipality.dpo.contact}", "Waar de gemeente een incident gemeld wordt", "Where the municipality is told of an incident"),
        ask("security.municipality.breach-procedure", Kind::Text, "", "Procedure van de gemeente voor een gegevenslek", "Procedure of the municipality for a breach"),
    ]),
    part("Artikel 7: contactpunten", "Article 7: contact points", &[
        ask("agency.contact.web-form", Kind::Text, "https://www.integratie-inburgering.be/contact", "Meldingsformulier van het agentschap", "Web form of the agency"),
        ask("municipality.contact.persons", Kind::List, "", "Contactpersonen van de gemeente (...; ...)", "Contact persons of the municipality (...; ...)"),
    ]),
    part("Artikel 10: bekendmaking", "Article 10: publication", &[
        ask("publication.agency.url", Kind::MaybePage, "", "Waar het agentschap de tekst bekendmaakte", "Where the agency published the text"),
        ask("publication.agency.on", Kind::Past, "{today}", "Wanneer", "When").when(|a| !a.get("publication.agency.url").is_empty()),
        ask("publication.agency.digest", Kind::MaybeDigest, "", "SHA-256 van wat er staat", "SHA-256 of what stands there").when(|a| !a.get("publication.agency.url").is_empty()),
        ask("publication.municipality.url", Kind::MaybePage, "", "Waar de gemeente de tekst bekendmaakte", "Where the municipality published the text"),
        ask("publication.municipality.on", Kind::Past, "{today}", "Wanneer", "When").when(|a| !a.get("publication.municipality.url").is_empty()),
        ask("publication.municipality.digest", Kind::MaybeDigest, "", "SHA-256 van wat er staat", "SHA-256 of what stands there").when(|a| !a.get("publication.municipality.url").is_empty()),
    ]),
    part("Artikel 12: duur", "Article 12: term", &[
        ask("in-force", Kind::Date, "", "Eerste dag waarop de overeenkomst geldt", "First day on which the agreement binds"),
        ask("term.notice-months", Kind::Number(12, 120), "12", "Opzegtermijn in maanden", "Months of notice"),
    ]),
    part("Slot: handtekeningen", "Signatures", &[
        ask("signed.drawn-up-on", Kind::MaybePast, "", "Wanneer de tekst opgemaakt is", "When the text was drawn up"),
        ask("agency.hands", Kind::MaybeSigned, "", "Wie voor het agentschap tekende (naam, datum; ...)", "Who signed for the agency (name, date; ...)"),
        ask("municipality.hands", Kind::MaybeSigned, "", "Wie voor de gemeente tekende (naam, datum; ...)", "Who signed for the municipality (name, date; ...)"),
        ask("signed.original", Kind::MaybeDigest, "", "SHA-256 van het ondertekende origineel", "SHA-256 of the signed original"),
    ]),
];

/// The parts of a list.
pub(super) fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(';').map(str::trim).filter(|part| !part.is_empty())
}

/// The two halves of each part of a list.
pub(super) fn pairs(text: &str) -> Option<Vec<(&str, &str)>> {
    let pair = |part| str::split_once(part, ',').map(|(one, two)| (one.trim(), two.trim()));
    let both = |(one, two): &(&str, &str)| !one.is_empty() && !two.is_empty();
    list(text).map(|part| pair(part).filter(both)).collect()
}

impl Kind {
    /// Whether it is optional.
    pub(super) fn may_be_blank(self) -> bool {
        use Kind::{
            MaybeDate, MaybeDigest, MaybeHosts, MaybeKbo, MaybeName, MaybePage, MaybePast,
            MaybeSigned,
        };
        matches!(
            self,
            MaybeDate
                | MaybeDigest
                | MaybeHosts
                | MaybeKbo
                | MaybeName
                | MaybePage
                | MaybePast
                | MaybeSigned
        )
    }

    /// Why this answer will not do, if it will not.
    pub(super) fn refuse(self, text: &str, answers: &Answers) -> Option<Why> {
        if text.is_empty() {
            let why = ["hier is een antwoord nodig", "an answer is needed here"];
            return (!self.may_be_blank()).then_some(why);
        }
        if text.chars().any(char::is_control) {
            return Some([
                "dat bevat tekens die niemand ziet",
                "it has characters that nobody sees",
            ]);
        }
        let date = text.parse::<Date>().ok();
        let (good, why) = match self {
            Self::Text => (true, ["", ""]),
            Self::MaybeName => (text.parse::<ChannelId>().is_ok(), NAME),
            Self::Name => (text.parse::<AgreementId>().is_ok(), NAME),
            Self::NewName if text.parse::<ChannelId>().is_err() => (false, NAME),
            Self::NewName => {
                (answers.is_new(text), ["die naam is al gegeven", "that name is taken"])
            }
            Self::Number(from, to) => {
                (text.parse().is_ok_and(|n: u64| (from..=to).contains(&n)), NUMBER)
            }
            Self::Threshold => {
                (text.parse().is_ok_and(|n| (2..=answers.number("shares")).contains(&n)), THRESHOLD)
            }
            Self::Date | Self::MaybeDate => (date.is_some(), DATE),
            Self::Coming => (date.is_some_and(|day| day >= answers.today), COMING),
            Self::Past | Self::MaybePast => (date.is_some_and(|day| day <= answers.today), PAST),
            Self::MaybeKbo => (text.parse::<Kbo>().is_ok(), KBO),
            Self::Nis => (
                text.parse::<Nis>().is_ok(),
                ["vijf cijfers, zoals 12025", "five digits, as in 12025"],
            ),
            Self::Host => (
                text.parse::<Address>().is_ok(),
                [
                    "een host en poort, zoals sluiskom.example:8443",
                    "a host and port, as in zone.example:8443",
                ],
            ),
            Self::Choice(these) => (these.contains(&text), CHOICE),
            Self::MaybeDigest => (text.parse::<Digest>().is_ok(), DIGEST),
            Self::MaybePage => (is_page(text), PAGE),
            Self::MaybeHosts => (list(text).next().is_some() && list(text).all(is_host), HOSTS),
            Self::Columns(these) => {
                (once_each(list(text)) && list(text).all(|name| these.contains(&name)), COLUMNS)
            }
            Self::List => (
                list(text).next().is_some(),
                [
                    "minstens één, een puntkomma tussen twee",
                    "at least one, a semicolon between two",
                ],
            ),
            Self::Pairs => {
                (once_each(pairs(text).into_iter().flatten().map(|(head, _)| head)), PAIRS)
            }
            Self::MaybeSigned => {
                (pairs(text).is_some_and(|pairs| signed(&pairs, answers.today)), SIGNED)
            }
            Self::OneOf(key) => (answers.heads(key).any(|head| head == text), CHOICE),
            Self::Group if text.parse::<ChannelId>().is_err() => (false, NAME),
            Self::Carrier | Self::Group => (answers.may_carry(text), CARRIER),
        };
        (!good).then_some(why)
    }
}

const NAME: Why = ["1 tot 63 tekens: a-z, 0-9 en -", "1 to 63 characters: a-z, 0-9 and -"];
const NUMBER: Why = ["een getal binnen de grenzen", "a number within the limits"];
const THRESHOLD: Why =
    ["een getal van 2 tot het aantal delen", "a number from 2 to the number of shares"];
const DATE: Why = ["een datum als 2026-05-31", "a date like 2026-05-31"];
const COMING: Why =
    ["een datum als 2026-05-31, vandaag of later", "a date like 2026-05-31, today or later"];
const PAST: Why =
    ["een datum als 2026-05-31, vandaag of vroeger", "a date like 2026-05-31, today or earlier"];
const KBO: Why = [
    "tien cijfers waarvan de laatste twee kloppen, zoals 0543.307.391",
    "ten digits of which the last two check, as in 0543.307.391",
];
const CHOICE: Why = ["een van wat er tussen haken staat", "one of those in brackets"];
const DIGEST: Why = [
    "64 cijfers en kleine letters a-f, zoals sha256sum ze geeft",
    "64 digits and small letters a-f, as sha256sum gives them",
];
const PAGE: Why = [
    "het adres van een openbare bladzijde: https://, de naam van een website, geen spaties",
    "the address of a public page: https://, the name of a website, no spaces",
];
const HOSTS: Why = [
    "hosts zonder https://, zoals api.example of api.example:8443; een puntkomma tussen twee",
    "hosts without https://, as api.example or api.example:8443; a semicolon between two",
];
const COLUMNS: Why = [
    "artikel 3 laat enkel toe, elk één keer: rijksregisternummer; contract; attest",
    "article 3 allows only, each once: rijksregisternummer; contract; attest",
];
const PAIRS: Why = [
    "naam, en na een komma de rest; een puntkomma tussen twee, elk één keer",
    "a name, after a comma the rest; a semicolon between two, each once",
];
const SIGNED: Why = [
    "naam, datum als 2026-05-31; een puntkomma tussen twee",
    "name, date like 2026-05-31; a semicolon between two",
];
const CARRIER: Why = [
    "art. 6: die zou genoeg delen dragen om de lijst te openen, of draagt het bestand; neem een andere",
    "art. 6: this one would carry enough shares to open the list, or carries the file; take another",
];

/// A host, with a port or without.
fn is_host(text: &str) -> bool {
    text.parse::<Address>().is_ok() || format!("{text}:443").parse::<Address>().is_ok()
}

/// Whether there are any, and none twice.
fn once_each<'a>(names: impl Iterator<Item = &'a str>) -> bool {
    let names: Vec<&str> = names.collect();
    let distinct: BTreeSet<&str> = names.iter().copied().collect();
    !names.is_empty() && distinct.len() == names.len()
}

fn signed(pairs: &[(&str, &str)], today: Date) -> bool {
    pairs.iter().all(|(_, on)| on.parse().is_ok_and(|on: Date| on <= today))
}
