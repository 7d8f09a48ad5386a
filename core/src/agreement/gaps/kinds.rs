//! Every gap that can be found: its code, its weight, its place, and what is said of it in Dutch and English.
//!
//! `{about}` is what it is about (a party, a person, a column, a date); `{table}` is `agency` or `municipality`.

use super::Weight::{self, Blocks, Notes, Warns};
use crate::article::Article::{self, Art, Preamble, Recital, Signatures};

/// The number of the requirement and the article, for the agency and for the municipality.
pub(super) type Place = [(u8, Article); 2];

/// What is fixed about a kind of gap.
pub(super) struct Entry {
    pub(super) code: &'static str,
    pub(super) weight: Weight,
    pub(super) place: Place,
    /// What is missing, and what to do.
    pub(super) nl: [&'static str; 2],
    pub(super) en: [&'static str; 2],
}

const fn both(requirement: u8, article: Article) -> Place {
    [(requirement, article), (requirement, article)]
}

macro_rules! kinds {
    ($($name:ident $code:literal $weight:ident $place:expr;
        nl $nl:literal $nl_next:literal
        en $en:literal $en_next:literal)*) => {
        /// What is missing, or is there and may not be.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Missing {
            $(#[doc = $en] $name,)*
        }
        impl Missing {
            /// All of them, in the order of the articles.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            pub(super) fn entry(self) -> &'static Entry {
                match self {
                    $(Self::$name => const {
                        &Entry { code: $code, weight: $weight, place: $place, nl: [$nl, $nl_next], en: [$en, $en_next] }
                    },)*
                }
            }
        }
    };
}

kinds! {
    KboMissing "kbo-missing" Notes both(1, Preamble);
        nl "{about} heeft geen ondernemingsnummer." "Vul {table}.kbo in."
        en "{about} has no enterprise number." "Fill in {table}.kbo."
    AddressMissing "address-missing" Notes both(1, Preamble);
        nl "{about} heeft geen adres." "Vul {table}.address in."
        en "{about} has no address." "Fill in {table}.address."
    SourceMissing "source-missing" Blocks both(3, Recital('C'));
        nl "De bron van de gegevens ontbreekt." "Vul basis.source in, bijvoorbeeld \"Kruispuntbank Inburgering (KBI)\"."
        en "The source of the data is missing." "Fill in basis.source, for example \"Kruispuntbank Inburgering (KBI)\"."
    StandingRequest "standing-request" Warns both(5, Recital('C'));
        nl "Lijsten vertrekken zonder aanvraag van de gemeente (period.standing)." "Laat period.standing weg, tenzij de getekende tekst dit toelaat."
        en "Lists leave without a request of the municipality (period.standing)." "Leave period.standing out, unless the signed text allows it."
    MoreThanYearly "more-than-yearly" Warns both(30, Art(5));
        nl "Wat zonder aanvraag vertrekt, wordt niet geteld (period.more-allowed-by)." "Laat period.more-allowed-by weg, tenzij de getekende tekst meer dan één lijst per jaar toelaat."
        en "What leaves without a request is not counted (period.more-allowed-by)." "Leave period.more-allowed-by out, unless the signed text allows more than one list a year."
    PeriodDefault "period-default" Notes both(6, Recital('C'));
        nl "Er staat niet hoe vaak een lijst mag vertrekken; één keer per jaar geldt." "Vul period.per-year in."
        en "It is not said how often a list may leave; once a year applies." "Fill in period.per-year."
    PeriodTooOften "period-too-often" Blocks both(6, Recital('C'));
        nl "{about} aanvragen per jaar: ten hoogste 1 is toegelaten." "Zet period.per-year op 1."
        en "{about} requests a year: 1 at most is allowed." "Set period.per-year to 1."
    MagdaServiceLive "magda-service-live" Warns both(8, Recital('C'));
        nl "MAGDA biedt deze lijsten aan: vanaf {about} verstuurt het agentschap geen bestanden meer." "Integreer de dienst van MAGDA voor die dag."
        en "MAGDA offers these lists: from {about} on the agency sends no files any more." "Integrate MAGDA's service before that day."
    MagdaServiceOver "magda-service-over" Blocks both(8, Recital('C'));
        nl "De twee jaar om de dienst van MAGDA te integreren zijn om sinds {about}." "Haal de lijst op bij MAGDA; hier vertrekt niets meer."
        en "The two years to integrate MAGDA's service have been over since {about}." "Get the list from MAGDA; nothing leaves here any more."
    AdviceMissing "advice-missing" Blocks [(10, Recital('F')), (10, Recital('G'))];
        nl "Het advies van de functionaris voor gegevensbescherming van {about} ontbreekt, of is nog niet gegeven." "Vraag het, en zet de datum in advice.{table}."
        en "The advice of {about}'s data protection officer is missing, or not given yet." "Ask for it, and put its date in advice.{table}."
    LegalBasisMissing "legal-basis-missing" Warns both(12, Art(2));
        nl "De rechtsgrond ontbreekt." "Vul basis.legal-basis in, bijvoorbeeld \"AVG, artikel 6, lid 1, c)\"."
        en "The legal basis is missing." "Fill in basis.legal-basis, for example \"GDPR, article 6(1)(c)\"."
    OriginalPurposesMissing "original-purposes-missing" Warns both(13, Art(2));
        nl "De doeleinden waarvoor de gegevens oorspronkelijk verzameld zijn, ontbreken." "Vul basis.original-purposes in."
        en "The purposes for which the data were collected are missing." "Fill in basis.original-purposes."
    PurposeMissing "purpose-missing" Warns both(14, Art(2));
        nl "Het doeleinde is leeg." "Vul purpose in: waarvoor de gemeente de gegevens verwerkt."
        en "The purpose is blank." "Fill in purpose: what the municipality processes the data for."
    NisMissing "nis-missing" Blocks both(15, Art(2));
        nl "De NIS-code van {about} ontbreekt: niemand kan verklaren dat een lijst over haar inwoners gaat." "Vul municipality.nis in, vijf cijfers."
        en "{about} has no NIS code: nobody can state that a list is about its inhabitants." "Fill in municipality.nis, five digits."
    SelectionMissing "selection-missing" Warns both(15, Art(2));
        nl "Er staat niet hoe een lijst op de inwoners van de gemeente geselecteerd wordt: enkel het woord van wie ze aanbiedt laat ze vertrekken." "Vul data.selection in, of bied elke lijst aan met: sluis send --drawn-for NIS-code."
        en "It is not said how a list is selected for the municipality's inhabitants: only the word of whoever offers it lets it leave." "Fill in data.selection, or offer every list with: sluis send --drawn-for NIS-code."
    ColumnBeyondDecree "column-beyond-decree" Blocks both(16, Art(2));
        nl "Kolom {about} staat niet in artikel 20 van het decreet van 7 juni 2013." "Neem ze uit [[data.columns]]."
        en "Column {about} is not in article 20 of the decree of 7 June 2013." "Take it out of [[data.columns]]."
    RetentionDefault "retention-default" Notes both(17, Art(3));
        nl "Er staat niet hoe lang de gegevens bewaard worden; het maximum van 5 jaar geldt." "Vul retention.years in."
        en "It is not said how long the data are kept; the maximum of 5 years applies." "Fill in retention.years."
    RetentionTooLong "retention-too-long" Blocks both(17, Art(3));
        nl "{about} jaar bewaren kan niet: minstens 1, en het decreet laat niet meer dan 5 toe." "Zet retention.years op 1 tot 5."
        en "Keeping for {about} years cannot be: at least 1, and the decree allows no more than 5." "Set retention.years to 1 to 5."
    ControllerMissing "controller-missing" Warns both(18, Art(2));
        nl "Er staat niet wie verwerkingsverantwoordelijke is voor de mededeling." "Zet basis.controller op \"agency\"."
        en "It is not said who is controller for handing the data over." "Set basis.controller to \"agency\"."
    CompatibilityMissing "compatibility-missing" Warns both(19, Art(2));
        nl "Er staat niet waarom het doeleinde verenigbaar is met de oorspronkelijke." "Vul basis.compatibility in."
        en "It is not said why the purpose is compatible with the original ones." "Fill in basis.compatibility."
    AnyFile "any-file" Warns both(20, Art(3));
        nl "Wat verzonden wordt, wordt niet nagekeken (data.any-file)." "Noem de kolommen in data.columns, tenzij het om iets anders gaat dan lijsten."
        en "What is sent is not checked (data.any-file)." "Name the columns in data.columns, unless this is about something else than lists."
    ColumnsMissing "columns-missing" Blocks both(20, Art(3));
        nl "Er staat niet welke gegevens meegedeeld worden." "Zet elke kolom in [[data.columns]]: rijksregisternummer, contract, attest."
        en "It is not said which data are handed over." "Put each column in [[data.columns]]: rijksregisternummer, contract, attest."
    NameRefused "name-refused" Blocks both(20, Art(3));
        nl "Kolom niet toegelaten: {about}. De tabel van artikel 3 noemt geen namen." "Neem ze uit [[data.columns]]; of, als het ondertekende artikel 3 ze noemt, zet die passage in data.names-allowed-by."
        en "Column not allowed: {about}. The table of article 3 lists no names." "Take it out of [[data.columns]]; or, where the signed article 3 lists it, put that passage in data.names-allowed-by."
    ColumnKindWrong "column-kind-wrong" Blocks both(20, Art(3));
        nl "Kolom {about} heeft een soort die niet bij haar past." "rijksregisternummer is \"national-number\", contract en attest zijn \"boolean\", een naam is \"text\"."
        en "Column {about} has a kind that does not fit it." "rijksregisternummer is \"national-number\", contract and attest are \"boolean\", a name is \"text\"."
    ColumnReasonMissing "column-reason-missing" Warns both(21, Art(3));
        nl "De verantwoording van de proportionaliteit van {about} ontbreekt." "Zet in `why` van die kolom waarom het doeleinde ze nodig heeft."
        en "Why {about} is proportional is missing." "Say in `why` of that column why the purpose needs it."
    MaxRowsMissing "max-rows-missing" Notes both(21, Art(3));
        nl "De omvang ontbreekt: hoeveel personen een lijst ten hoogste telt." "Vul data.max-rows in."
        en "The extent is missing: how many persons a list has at most." "Fill in data.max-rows."
    SpecialCategories "special-categories" Blocks both(22, Art(3));
        nl "Gegevens van artikel 9 of 10 van de AVG mogen niet meegedeeld worden." "Neem ze uit de lijst, en zet data.special-categories op false."
        en "Data of GDPR article 9 or 10 may not be handed over." "Take them off the list, and set data.special-categories to false."
    ProfileNotListed "profile-not-listed" Blocks both(25, Art(4));
        nl "{about} staat niet op de lijst van functieprofielen." "Zet het profiel in [[access.profiles]], of kies een bewaarder met een profiel van de lijst."
        en "{about} is not on the list of function profiles." "Put the profile in [[access.profiles]], or choose a custodian with a listed profile."
    ProfilesMissing "profiles-missing" Blocks both(26, Art(4));
        nl "De lijst van functieprofielen ontbreekt: niemand heeft toegang." "Zet elk profiel in [[access.profiles]], met waarom het de gegevens nodig heeft."
        en "The list of function profiles is missing: nobody has access." "Put each profile in [[access.profiles]], with why it needs the data."
    ProfileReasonMissing "profile-reason-missing" Warns both(26, Art(4));
        nl "Er staat niet waarom functieprofiel {about} de gegevens nodig heeft." "Zet het in `why` van dat profiel."
        en "It is not said why function profile {about} needs the data." "Say it in `why` of that profile."
    ProfilesUndated "profiles-undated" Warns both(26, Art(4));
        nl "De lijst van functieprofielen heeft geen datum: niemand weet of ze actueel is." "Zet in access.listed-on wanneer ze opgesteld of nagekeken is."
        en "The list of function profiles has no date: nobody knows whether it is current." "Put in access.listed-on when it was made or looked through."
    ProfilesOld "profiles-old" Warns both(26, Art(4));
        nl "De lijst van functieprofielen is van {about} en moet nagekeken worden." "Kijk ze na, en zet die dag in access.listed-on van een nieuwe versie."
        en "The list of function profiles is of {about} and must be looked through." "Look it through, and put that day in access.listed-on of a new version."
    ProfilesTooOld "profiles-too-old" Blocks both(26, Art(4));
        nl "De lijst van functieprofielen is van {about}: te oud om nog te gelden." "Kijk ze na, en zet die dag in access.listed-on van een nieuwe versie."
        en "The list of function profiles is of {about}: too old to count." "Look it through, and put that day in access.listed-on of a new version."
    RenewalTooLate "renewal-too-late" Warns both(26, Art(4));
        nl "De lijst van functieprofielen wordt pas na {about} maanden nagekeken: zo blijft ze niet actueel." "Zet access.renew-after-months op 12 of minder."
        en "The list of function profiles is looked through only after {about} months: that does not keep it current." "Set access.renew-after-months to 12 or less."
    OneCarriesBoth "one-carries-both" Blocks both(32, Art(6));
        nl "Wie het bestand draagt, draagt ook een deel van de sleutel: {about}." "Kies voor dat kanaal een aanbieder van een andere groep, of een andere sluiskom."
        en "Whoever carries the file also carries a share of its key: {about}." "Choose a provider of another group for that channel, or another drop zone."
    PhoneUngrouped "phone-ungrouped" Notes both(32, Art(6));
        nl "Van wie de telefoon van bewaarder {about} uiteindelijk is, staat er niet: of een ander er genoeg delen op ziet, is niet na te gaan." "Vul phone-group van die bewaarder in: een korte naam voor het netwerk of wie het toestel beheert."
        en "It is not said whose custodian {about}'s telephone is in the end: nobody can tell whether somebody sees enough shares on telephones." "Fill in phone-group of that custodian: a short name for the network or for who manages the device."
    TargetsOutOfOrder "targets-out-of-order" Warns both(36, Art(6));
        nl "De termijnen voor \"zo snel mogelijk\" volgen elkaar niet op: streefuur, alarm, file.expires-after-days." "Zet ze in [targets] van klein naar groot."
        en "The terms of \"as soon as possible\" do not follow each other: target, alarm, file.expires-after-days." "Set them in [targets] from small to large."
    DpoMissing "dpo-missing" Warns [(38, Art(6)), (42, Art(6))];
        nl "De naam van de functionaris voor gegevensbescherming van {about} ontbreekt." "Vul {table}.dpo.name in."
        en "The name of {about}'s data protection officer is missing." "Fill in {table}.dpo.name."
    DpoContactMissing "dpo-contact-missing" Warns [(38, Art(6)), (42, Art(6))];
        nl "De functionaris voor gegevensbescherming van {about} heeft geen telefoon of e-mail." "Vul {table}.dpo.contact in."
        en "{about}'s data protection officer has no telephone or mail." "Fill in {table}.dpo.contact."
    PolicyReviewMissing "policy-review-missing" Warns [(38, Art(6)), (42, Art(6))];
        nl "Er staat niet wanneer het veiligheidsbeleid en -plan van {about} laatst herzien is." "Vul security.{table}.policy-reviewed-on in."
        en "It is not said when {about} last reviewed its security policy and plan." "Fill in security.{table}.policy-reviewed-on."
    PolicyReviewOld "policy-review-old" Warns [(38, Art(6)), (42, Art(6))];
        nl "Het veiligheidsbeleid van {about} is meer dan een jaar niet herzien." "Herzie het, en zet die dag in security.{table}.policy-reviewed-on van een nieuwe versie."
        en "The security policy of {about} was not reviewed for more than a year." "Review it, and put that day in security.{table}.policy-reviewed-on of a new version."
    MeasuresMissing "measures-missing" Warns both(39, Art(6));
        nl "Er staat niet welke organisatorische maatregelen {about} neemt." "Vul security.municipality.measures in."
        en "It is not said which organisational measures {about} takes." "Fill in security.municipality.measures."
    StaffNotInformed "staff-not-informed" Warns both(40, Art(6));
        nl "Er staat niet wanneer wie deze functie heeft van alle voorschriften kennis kreeg: {about}." "Vul gdpr, privacy en other in bij `informed` van dat profiel."
        en "It is not said when whoever has this function was told of all rules: {about}." "Fill in gdpr, privacy and other in `informed` of that profile."
    CustodianUndated "custodian-undated" Notes both(41, Art(6));
        nl "Bewaarder {about} heeft geen einddatum; hij eindigt met de lijst van functieprofielen." "Vul valid-until van die bewaarder in."
        en "Custodian {about} has no last day; it ends with the list of function profiles." "Fill in valid-until of that custodian."
    CustodianExpired "custodian-expired" Blocks both(41, Art(6));
        nl "Bewaarder {about} heeft geen recht meer op een deel van de sleutel." "Verleng valid-until of kies een andere bewaarder, in een nieuwe versie."
        en "Custodian {about} has no right to a share any more." "Prolong valid-until or choose another custodian, in a new version."
    IncidentContactMissing "incident-contact-missing" Warns [(43, Art(6)), (66, Art(9))];
        nl "Er staat niet waar {about} een incident gemeld wordt; de termijn is 24 uur." "Vul security.{table}.incident-contact in, of {table}.dpo.contact."
        en "It is not said where {about} is told of an incident; the term is 24 hours." "Fill in security.{table}.incident-contact, or {table}.dpo.contact."
    OnePersonSends "one-person-sends" Warns both(47, Art(6));
        nl "Eén persoon alleen laat een lijst vertrekken: wie ze aanbiedt." "Zet file.approval op \"second-person\"."
        en "One person alone lets a list leave: whoever offers it." "Set file.approval to \"second-person\"."
    MonitoringMissing "monitoring-missing" Warns both(49, Art(6));
        nl "Er staat niet hoe {about} haar netwerk en systemen bewaakt en beheert." "Vul security.municipality.monitoring in."
        en "It is not said how {about} monitors and manages its network and systems." "Fill in security.municipality.monitoring."
    BreachProcedureMissing "breach-procedure-missing" Warns both(50, Art(6));
        nl "De procedure van {about} voor een gegevenslek ontbreekt; het agentschap inlichten hoort erbij." "Vul security.municipality.breach-procedure in."
        en "{about}'s procedure for a breach is missing; telling the agency is part of it." "Fill in security.municipality.breach-procedure."
    AccessUnproven "access-unproven" Warns both(52, Art(6));
        nl "Er staat niet hoe {about} de fysieke en elektronische toegang regelt, en waaruit blijkt dat die veilig is." "Vul security.municipality.access in."
        en "It is not said how {about} holds physical and electronic access, and what shows that it is safe." "Fill in security.municipality.access."
    GuaranteesMissing "guarantees-missing" Warns both(56, Art(6));
        nl "Er staat niet welke waarborgen verwerker {about} biedt." "Zet het in `guarantees` van die verwerker: een certificaat, een audit, een gedragscode."
        en "It is not said which guarantees processor {about} gives." "Say it in `guarantees` of that processor: a certificate, an audit, a code of conduct."
    ProcessorContractMissing "processor-contract-missing" Warns both(57, Art(6));
        nl "Met verwerker {about} is er geen verwerkersovereenkomst die al geldt (artikel 28 AVG)." "Sluit ze, en zet de datum in `contract` van die verwerker."
        en "With processor {about} there is no contract in force (GDPR article 28)." "Conclude it, and put its date in `contract` of that processor."
    ProcessorMissing "processor-missing" Blocks both(58, Art(6));
        nl "{about} staat niet in het register van verwerkers." "Voeg hem toe als [[processors]], met dezelfde naam."
        en "{about} is not in the register of processors." "Add it as [[processors]], with the same name."
    ProcessorHostsMissing "processor-hosts-missing" Warns both(58, Art(6));
        nl "Er staat niet naar welke hosts het kanaal {about} gaat: over HTTP vertrekt er geen deel." "Zet ze in `hosts` van die verwerker: naar een andere vertrekt er nooit een."
        en "It is not said to which hosts the channel {about} goes: over HTTP no share leaves." "Put them into `hosts` of that processor: to another one none ever leaves."
    ContactMissing "contact-missing" Warns both(62, Art(7));
        nl "{about} heeft geen contactpunt voor fouten in de gegevens." "Vul {table}.contact.persons of {table}.contact.web-form in."
        en "{about} has no contact point for errors in the data." "Fill in {table}.contact.persons or {table}.contact.web-form."
    PublicationMissing "publication-missing" Blocks [(71, Art(10)), (72, Art(10))];
        nl "Er staat niet waar en wanneer {about} de tekst bekendmaakte, met de digest van die pagina." "Laat die partij het inschrijven met sluis agreement publish (dan vertrekt er wel wat; deze controle ziet niet wat ingeschreven is: sluis notices), of vul publication.{table} in: url, on, digest."
        en "It is not said where and when {about} published the text, with its digest." "Have that party record it with sluis agreement publish (then lists leave; this check does not see what was recorded: sluis notices), or fill in publication.{table}: url, on, digest."
    NoticeDefault "notice-default" Notes both(76, Art(12));
        nl "De opzegtermijn ontbreekt; 12 maanden gelden." "Vul term.notice-months in."
        en "The term of notice is missing; 12 months apply." "Fill in term.notice-months."
    NoticeTooShort "notice-too-short" Blocks both(76, Art(12));
        nl "{about} maanden opzegtermijn is te kort: artikel 12 vraagt er twaalf." "Zet term.notice-months op 12 of meer."
        en "{about} months of notice is too short: article 12 asks for twelve." "Set term.notice-months to 12 or more."
    RepresentativesMissing "representatives-missing" Warns both(79, Signatures);
        nl "Er staat niet wie {about} rechtsgeldig vertegenwoordigt." "Zet elk van hen in [[signed.representatives]] met party = \"{table}\"."
        en "It is not said who may bind {about}." "Put each of them in [[signed.representatives]] with party = \"{table}\"."
    Unsigned "unsigned" Warns both(79, Signatures);
        nl "Niemand tekende voor {about}." "Zet wie tekende in [[signed.signatories]] met party = \"{table}\"."
        en "Nobody signed for {about}." "Put who signed in [[signed.signatories]] with party = \"{table}\"."
    SignatoryNotRepresentative "signatory-not-representative" Warns both(79, Signatures);
        nl "{about} tekende, maar staat niet bij de vertegenwoordigers bovenaan." "Bewaar de volmacht, of laat een vertegenwoordiger tekenen en zet die in [[signed.signatories]]."
        en "{about} signed, but is not among the representatives at the head." "Keep the mandate, or have a representative sign and put that in [[signed.signatories]]."
    RepresentativeUnsigned "representative-unsigned" Warns both(79, Signatures);
        nl "{about} staat bovenaan als vertegenwoordiger, maar tekende niet." "Laat tekenen en zet dat in [[signed.signatories]], of bewaar het besluit waaruit blijkt dat het niet nodig is."
        en "{about} is named at the head as representative, but did not sign." "Have it signed and put that in [[signed.signatories]], or keep the decision that says why it is not needed."
    SignatureUndated "signature-undated" Notes both(79, Signatures);
        nl "De handtekening van {about} heeft geen datum." "Vul `on` van die ondertekenaar in."
        en "The signature of {about} has no date." "Fill in `on` of that signatory."
    OriginalMissing "original-missing" Warns both(80, Signatures);
        nl "De digest van het ondertekende origineel ontbreekt." "Zet de uitvoer van `sha256sum` over het originele bestand in signed.original."
        en "The digest of the signed original is missing." "Put the output of `sha256sum` over the original file in signed.original."
    RehearsalUnasked "rehearsal-unasked" Warns both(88, Art(6));
        nl "Een lijst vertrekt zonder dat er onlangs geoefend is (rehearsal.unasked)." "Laat rehearsal.unasked weg, en oefen met sluis rehearse."
        en "A list leaves though nobody rehearsed lately (rehearsal.unasked)." "Leave rehearsal.unasked out, and rehearse with sluis rehearse."
    RehearsalDefault "rehearsal-default" Notes both(88, Art(6));
        nl "Er staat niet binnen hoeveel dagen voor een lijst geoefend moet zijn; 30 geldt." "Vul rehearsal.within-days in."
        en "It is not said within how many days before a list there must be a rehearsal; 30 applies." "Fill in rehearsal.within-days."
    RehearsalTooOld "rehearsal-too-old" Blocks both(88, Art(6));
        nl "Een oefening mag {about} dagen oud zijn als een lijst vertrekt: na 30 weet niemand nog of elke weg werkt." "Zet rehearsal.within-days op 30 of minder."
        en "A rehearsal may be {about} days old when a list leaves: after 30 nobody knows whether each way works still." "Set rehearsal.within-days to 30 or less."
}
