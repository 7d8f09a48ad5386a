//! Each change of a whole agreement makes exactly its gap; the worked case has the blanks of its text.

use std::collections::BTreeSet;
use std::num::NonZeroU16;

use jiff::civil::date;

use super::Weight::{Blocks, Notes, Warns};
use super::*;
use crate::agreement::articles::{Column, Informed, Processor};
use crate::notice::Reviewed;

const WORKED: &str = include_str!("../../../../config/examples/agreements/mechelen.toml");
const DEMO: &str = include_str!("../../../../config/examples/demo/mechelen.toml");
const DAY: Date = date(2021, 1, 4);

fn worked() -> Agreement {
    toml::from_str(WORKED).unwrap()
}

/// The worked case with the blanks of its text filled in: nothing is missing.
fn whole() -> Agreement {
    let filled = WORKED
        .replace("# [agency.dpo]\n", "[agency.dpo]\nname = \"x\"\ncontact = \"x\"\n")
        .replace("# kbo = \"...\" ", "kbo = \"0543.307.391\" ")
        .replace("name = \"\" ", "name = \"x\" ")
        .replace("persons = [] ", "persons = [\"x\"] ")
        .replace("# max-rows", "max-rows")
        .replace("# listed-on", "listed-on")
        .replace("# policy-reviewed-on", "policy-reviewed-on")
        .replace("# measures", "measures")
        .replace("# monitoring", "monitoring")
        .replace("# access", "access");
    let mut agreement: Agreement = toml::from_str(&filled).unwrap();
    for page in [&mut agreement.publication.agency, &mut agreement.publication.municipality] {
        page.url = Some("https://x.example".into());
        page.on = Some(DAY);
        page.digest = Some(crate::id::Digest::none());
    }
    let informed = Informed { gdpr: Some(DAY), privacy: Some(DAY), other: Some(DAY) };
    agreement.access.profiles.iter_mut().for_each(|profile| profile.informed = informed);
    agreement.processors.iter_mut().for_each(|known| known.guarantees = Some("x".into()));
    for custodian in &mut agreement.key.custodians {
        custodian.valid_until = Some(date(2021, 12, 31));
        custodian.phone_group = Some(format!("net-{}", custodian.id).parse().unwrap());
    }
    agreement.signed.original = Some(crate::id::Digest::none());
    agreement.signed.signatories.retain(|hand| hand.name != "Patrick Bosmans");
    agreement.signed.signatories.iter_mut().for_each(|hand| hand.on = Some(date(2020, 12, 10)));
    agreement.signed.representatives.retain(|head| head.name != "Roel Verhaert");
    agreement
}

/// One change to the whole agreement, and the one gap that it makes: what it does, and of which party.
type Change = (Missing, Weight, Option<Side>, fn(&mut Agreement));
const AGENCY: Option<Side> = Some(Side::Agency);
const MUNICIPALITY: Option<Side> = Some(Side::Municipality);

fn column(name: &str, kind: ColumnKind) -> Column {
    Column { name: name.into(), kind, why: "x".into() }
}

const PARTIES: &[Change] = &[
    (Missing::KboMissing, Notes, AGENCY, |a| a.agency.kbo = None),
    (Missing::AddressMissing, Notes, MUNICIPALITY, |a| a.municipality.address = None),
    (Missing::NisMissing, Blocks, MUNICIPALITY, |a| a.municipality.nis = None),
    (Missing::AdviceMissing, Blocks, AGENCY, |a| a.advice.agency = None),
    (Missing::AdviceMissing, Blocks, MUNICIPALITY, |a| {
        a.advice.municipality = Some(date(2021, 1, 5));
    }),
    (Missing::DpoMissing, Warns, AGENCY, |a| a.agency.dpo.as_mut().unwrap().name = " ".into()),
    (Missing::ContactMissing, Warns, AGENCY, |a| a.agency.contact.web_form = None),
    (Missing::ContactMissing, Warns, MUNICIPALITY, |a| a.municipality.contact.persons.clear()),
    (Missing::PublicationMissing, Blocks, AGENCY, |a| a.publication.agency.url = None),
    (Missing::PublicationMissing, Blocks, MUNICIPALITY, |a| {
        a.publication.municipality.digest = None;
    }),
    (Missing::PublicationMissing, Blocks, AGENCY, |a| {
        a.publication.agency.on = Some(date(2099, 1, 1));
    }),
    (Missing::PublicationMissing, Blocks, AGENCY, |a| {
        a.publication.agency.url = Some("later".into());
    }),
    (Missing::RepresentativesMissing, Warns, AGENCY, |a| {
        a.signed.representatives.retain(|head| head.party != Side::Agency);
    }),
    (Missing::Unsigned, Warns, MUNICIPALITY, |a| {
        a.signed.signatories.retain(|hand| hand.party == Side::Agency);
    }),
    (Missing::SignatoryNotRepresentative, Warns, None, |a| {
        let mut other = a.signed.signatories[0].clone();
        other.name = "Patrick Bosmans".into();
        a.signed.signatories.push(other);
    }),
    (Missing::RepresentativeUnsigned, Warns, None, |a| {
        a.signed.signatories.retain(|hand| hand.name != "Erik Laga");
    }),
    (Missing::SignatureUndated, Notes, None, |a| a.signed.signatories[0].on = None),
    (Missing::OriginalMissing, Warns, None, |a| a.signed.original = None),
    (Missing::OnePersonSends, Warns, None, |a| a.file.approval = Approval::None),
    (Missing::RehearsalUnasked, Warns, None, |a| a.rehearsal.unasked = Some("x".into())),
    (Missing::RehearsalDefault, Notes, None, |a| a.rehearsal.within_days = None),
    (Missing::RehearsalTooOld, Blocks, None, |a| a.rehearsal.within_days = NonZeroU16::new(31)),
    (Missing::OneCarriesBoth, Blocks, None, |a| {
        a.drop_zone.group = a.key.custodians[0].phone_group.clone();
    }),
    (Missing::PhoneUngrouped, Notes, None, |a| a.key.custodians[0].phone_group = None),
    (Missing::NoticeDefault, Notes, None, |a| a.term.notice_months = None),
    (Missing::NoticeTooShort, Blocks, None, |a| a.term.notice_months = Some(11)),
    (Missing::NoticeTooShort, Blocks, None, |a| a.term.notice_months = Some(0)),
];

const PURPOSE_AND_DATA: &[Change] = &[
    (Missing::SourceMissing, Blocks, None, |a| a.basis.source = Some("  ".into())),
    (Missing::LegalBasisMissing, Warns, None, |a| a.basis.legal_basis = None),
    (Missing::OriginalPurposesMissing, Warns, None, |a| a.basis.original_purposes.clear()),
    (Missing::PurposeMissing, Warns, None, |a| a.purpose.clear()),
    (Missing::ControllerMissing, Warns, None, |a| a.basis.controller = None),
    (Missing::CompatibilityMissing, Warns, None, |a| a.basis.compatibility = None),
    (Missing::PeriodDefault, Notes, None, |a| a.period.per_year = None),
    (Missing::PeriodTooOften, Blocks, None, |a| a.period.per_year = Some(2)),
    (Missing::MagdaServiceLive, Warns, None, |a| a.magda_service_since = Some(date(2019, 1, 5))),
    (Missing::MagdaServiceOver, Blocks, None, |a| a.magda_service_since = Some(date(2019, 1, 4))),
    (Missing::ColumnsMissing, Blocks, None, |a| a.data.columns.clear()),
    (Missing::NameRefused, Blocks, None, |a| a.data.columns.push(column("naam", ColumnKind::Text))),
    (Missing::ColumnBeyondDecree, Blocks, None, |a| {
        a.data.columns.push(column("nationaliteit", ColumnKind::Text));
    }),
    (Missing::ColumnKindWrong, Blocks, None, |a| a.data.columns[0].kind = ColumnKind::Text),
    (Missing::ColumnReasonMissing, Warns, None, |a| a.data.columns[1].why.clear()),
    (Missing::SelectionMissing, Warns, None, |a| a.data.selection = None),
    (Missing::MaxRowsMissing, Notes, None, |a| a.data.max_rows = None),
    (Missing::SpecialCategories, Blocks, None, |a| a.data.special_categories = true),
    (Missing::RetentionDefault, Notes, None, |a| a.retention.years = None),
    (Missing::RetentionTooLong, Blocks, None, |a| a.retention.years = Some(6)),
    (Missing::RetentionTooLong, Blocks, None, |a| a.retention.years = Some(0)),
];

const ACCESS_AND_SECURITY: &[Change] = &[
    (Missing::ProfilesMissing, Blocks, None, |a| a.access.profiles.clear()),
    (Missing::ProfileNotListed, Blocks, None, |a| a.key.custodians[0].profile = "jurist".into()),
    (Missing::ProfileReasonMissing, Warns, None, |a| a.access.profiles[0].why.clear()),
    (Missing::ProfilesUndated, Warns, None, |a| a.access.listed_on = None),
    (Missing::ProfilesOld, Warns, None, |a| a.access.listed_on = Some(date(2020, 1, 3))),
    (Missing::ProfilesTooOld, Blocks, None, |a| a.access.listed_on = Some(date(2019, 1, 3))),
    (Missing::RenewalTooLate, Warns, None, |a| a.access.renew_after_months = 13),
    (Missing::CustodianUndated, Notes, None, |a| a.key.custodians[0].valid_until = None),
    (Missing::CustodianExpired, Blocks, None, |a| {
        a.key.custodians[0].valid_until = Some(date(2021, 1, 3));
    }),
    (Missing::TargetsOutOfOrder, Warns, None, |a| a.targets.removal_target_hours = 25),
    (Missing::TargetsOutOfOrder, Warns, None, |a| a.targets.alarm_after_hours = 7 * 24 + 1),
    (Missing::DpoContactMissing, Warns, AGENCY, |a| {
        a.security.agency.incident_contact = Some("x".into());
        a.agency.dpo.as_mut().unwrap().contact = None;
    }),
    (Missing::IncidentContactMissing, Warns, AGENCY, |a| {
        // The DPO's address would do: this party has neither, and so the DPO's gap too.
        a.agency.dpo.as_mut().unwrap().contact = None;
    }),
    (Missing::PolicyReviewMissing, Warns, AGENCY, |a| a.security.agency.policy_reviewed_on = None),
    (Missing::PolicyReviewMissing, Warns, MUNICIPALITY, |a| {
        a.security.municipality.policy_reviewed_on = Some(date(2021, 1, 5));
    }),
    (Missing::ProfilesUndated, Warns, None, |a| a.access.listed_on = Some(date(2021, 1, 5))),
    (Missing::PolicyReviewOld, Warns, MUNICIPALITY, |a| {
        a.security.municipality.policy_reviewed_on = Some(date(2020, 1, 3));
    }),
    (Missing::StaffNotInformed, Warns, None, |a| a.access.profiles[0].informed.privacy = None),
    (Missing::StaffNotInformed, Warns, None, |a| {
        a.access.profiles[2].informed.other = Some(date(2021, 1, 5));
    }),
    (Missing::MeasuresMissing, Warns, MUNICIPALITY, |a| a.security.municipality.measures = None),
    (Missing::MonitoringMissing, Warns, MUNICIPALITY, |a| {
        a.security.municipality.monitoring = Some(" ".into());
    }),
    (Missing::AccessUnproven, Warns, MUNICIPALITY, |a| a.security.municipality.access = None),
    (Missing::GuaranteesMissing, Warns, None, |a| a.processors[2].guarantees = None),
    (Missing::OneCarriesBoth, Blocks, None, |a| {
        a.drop_zone.group = Some("groep-b".parse().unwrap());
    }),
    (Missing::OneCarriesBoth, Blocks, None, |a| {
        let zone = a.drop_zone.host.as_str().to_owned();
        a.processors.iter_mut().find(|it| it.name.starts_with("SMS-A")).unwrap().hosts.push(zone);
    }),
    (Missing::OneCarriesBoth, Blocks, None, |a| {
        a.processors[0].groups.push("groep-c".parse().unwrap());
    }),
    (Missing::BreachProcedureMissing, Warns, MUNICIPALITY, |a| {
        a.security.municipality.breach_procedure = None;
    }),
    (Missing::AnyFile, Warns, None, |a| a.data.any_file = Some("x".into())),
    (Missing::StandingRequest, Warns, None, |a| a.period.standing = Some("x".into())),
    (Missing::MoreThanYearly, Warns, None, |a| a.period.more_allowed_by = Some("x".into())),
    (Missing::ProcessorMissing, Blocks, None, |a| a.drop_zone.operator = "Iemand".into()),
    (Missing::ProcessorMissing, Blocks, None, |a| a.key.channels[0].provider = "Iemand".into()),
    (Missing::ProcessorHostsMissing, Warns, None, |a| a.processors[1].hosts.clear()),
    (Missing::ProcessorContractMissing, Warns, None, |a| a.processors[1].contract = None),
];

#[test]
fn each_change_of_a_whole_agreement_makes_exactly_its_gap() {
    assert_eq!(gaps(&whole(), DAY), []);
    let mut seen = BTreeSet::new();
    for (what, weight, side, change) in [PARTIES, PURPOSE_AND_DATA, ACCESS_AND_SECURITY].concat() {
        let mut agreement = whole();
        change(&mut agreement);
        let mut found = gaps(&agreement, DAY);
        if what == Missing::IncidentContactMissing {
            found.retain(|gap| gap.what != Missing::DpoContactMissing);
        }
        assert_eq!(found.len(), 1, "{what:?}: {found:?}");
        let gap = &found[0];
        assert_eq!((gap.what, gap.weight(), gap.side), (what, weight, side), "{found:?}");
        seen.insert(what);
    }
    assert_eq!(seen.len(), Missing::ALL.len(), "every gap has its change");
}

#[test]
fn the_gaps_of_the_worked_case_are_the_blanks_of_its_text() {
    let found = gaps(&worked(), DAY);
    let found: Vec<_> = found.iter().map(|gap| (gap.code(), gap.about.as_str())).collect();
    let (agency, mechelen) = ("Agentschap Integratie en Inburgering", "Stad Mechelen");
    assert_eq!(
        found,
        [
            // Art. 10: promised.
            ("publication-missing", agency),
            ("publication-missing", mechelen),
            // Art. 4 asks for a list of function profiles; the text has none, and so no date of one.
            ("profiles-undated", ""),
            // Art. 6: the agency's DPO is not named, Mechelen's name is blank.
            ("dpo-missing", agency),
            ("policy-review-missing", agency),
            // Art. 6: promised, and neither what nor when.
            ("measures-missing", mechelen),
            ("staff-not-informed", "integratieambtenaar (gdpr, privacy, other)"),
            ("staff-not-informed", "diensthoofd integratie (gdpr, privacy, other)"),
            ("staff-not-informed", "informatieveiligheidsconsulent (gdpr, privacy, other)"),
            ("dpo-missing", mechelen),
            ("policy-review-missing", mechelen),
            // Art. 6: within 24 hours, and not where.
            ("incident-contact-missing", agency),
            ("monitoring-missing", mechelen),
            ("access-unproven", mechelen),
            // Who they are is an example, and so is what they guarantee.
            ("guarantees-missing", "Sluiskom (voorbeeld)"),
            ("guarantees-missing", "SMS-A (voorbeeld)"),
            ("guarantees-missing", "SMS-B (voorbeeld)"),
            ("guarantees-missing", "App-C (voorbeeld)"),
            // Art. 7: "vermeld op blz. 1", where nobody is.
            ("contact-missing", mechelen),
            // Below the text stands somebody else than at its head.
            ("signatory-not-representative", "Patrick Bosmans"),
            ("representative-unsigned", "Roel Verhaert"),
            // No text holds its own digest.
            ("original-missing", ""),
            ("kbo-missing", mechelen),
            // Art. 3: "omvang", and no number.
            ("max-rows-missing", ""),
            // Whoever is a custodian is not in the text, nor whose the telephones are.
            ("phone-ungrouped", "custodian-a"),
            ("phone-ungrouped", "custodian-b"),
            ("phone-ungrouped", "custodian-c"),
            ("custodian-undated", "custodian-a"),
            ("custodian-undated", "custodian-b"),
            ("custodian-undated", "custodian-c"),
            ("signature-undated", "Jo De Ro"),
            ("signature-undated", "Erik Laga"),
            ("signature-undated", "Alexander Vandersmissen"),
        ]
    );
}

#[test]
fn the_weights_order_them_and_what_blocks_in_the_worked_case_is_a_notice_to_come() {
    let bare = gaps(&toml::from_str(&minimal()).unwrap(), DAY);
    assert!(bare.is_sorted_by_key(Gap::weight), "{bare:?}");
    let blocks: Vec<_> = bare.iter().filter(|gap| gap.weight() == Blocks).map(Gap::code).collect();
    let processors = ["processor-missing"; 4];
    assert_eq!(
        blocks,
        [
            &["source-missing", "advice-missing", "advice-missing", "nis-missing"][..],
            &["columns-missing"],
            &["profiles-missing"],
            &processors,
            &["publication-missing", "publication-missing"],
        ]
        .concat()
    );
    let published = Reviewed { published: [true; 2], ..Reviewed::default() };
    let demo = DEMO.replace("{host}", "127.0.0.1:8443");
    for (text, day) in [(WORKED, DAY), (WORKED, date(2060, 1, 1)), (&demo, date(2060, 1, 1))] {
        let agreement: Agreement = toml::from_str(&with_keys(text)).unwrap();
        let mut found = gaps(&agreement, day);
        found.retain(|gap| gap.weight() == Blocks && !published.fills(gap));
        assert_eq!(found, []);
    }
}

/// What a transfer needs to run, and nothing else.
fn minimal() -> String {
    let cut = |from: &str, to: &str| {
        WORKED[WORKED.find(from).unwrap()..WORKED.find(to).unwrap()].to_owned()
    };
    let head = cut("agreement =", "# The parties.");
    let parties = "[agency]\nid = \"a\"\nname = \"A\"\n[municipality]\nid = \"m\"\nname = \"M\"\n";
    head + parties
        + &cut("[drop-zone]", "# \"Zo snel mogelijk\"")
        + &WORKED[WORKED.find("[keys.agency]").unwrap()..]
}

fn with_keys(text: &str) -> String {
    let keys = &WORKED[WORKED.find("[keys.agency]").unwrap()..];
    if text.contains("[keys.agency]") { text.to_owned() } else { format!("{text}\n{keys}") }
}

#[test]
fn a_name_is_allowed_where_the_signed_text_lists_it() {
    let mut agreement = whole();
    agreement.data.columns.push(column("voornaam", ColumnKind::Text));
    agreement.data.names_allowed_by = Some("art. 3 van het protocol van 1 mei 2026".into());
    assert_eq!(gaps(&agreement, DAY), []);
    agreement.data.columns.push(column("nis", ColumnKind::Nis));
    assert_eq!(gaps(&agreement, DAY)[0].what, Missing::ColumnBeyondDecree);
}

#[test]
fn a_party_needs_no_contract_with_itself_and_one_contract_may_cover_a_group() {
    let mut agreement = whole();
    agreement.drop_zone.operator = "stad mechelen".into();
    agreement.processors.retain(|known| known.name != "Sluiskom (voorbeeld)");
    assert_eq!(gaps(&agreement, DAY), []);
    agreement.key.channels[1].provider = "Dochter van B".into();
    assert_eq!(gaps(&agreement, DAY)[0].about, "sms-b: Dochter van B");
    let cover: &mut Processor = &mut agreement.processors[1];
    cover.groups.push("groep-b".parse().unwrap());
    assert_eq!(gaps(&agreement, DAY), []);
    agreement.drop_zone.operator = "Haven".into();
    // A contract that covers a channel too would make one carrier of both.
    let mut port = agreement.processors[0].clone();
    (port.name, port.hosts) = ("Havenbedrijf".into(), vec![agreement.drop_zone.host.to_string()]);
    agreement.processors.push(port);
    assert_eq!(gaps(&agreement, DAY), []);
}

#[test]
fn years_end_on_their_day_also_on_a_leap_day() {
    let mut agreement = whole();
    agreement.security.agency.policy_reviewed_on = Some(date(2020, 2, 29));
    agreement.security.municipality.policy_reviewed_on = Some(date(2020, 2, 29));
    let old = |agreement: &Agreement, day| {
        gaps(agreement, day).iter().filter(|gap| gap.what == Missing::PolicyReviewOld).count()
    };
    assert_eq!(old(&agreement, date(2021, 2, 28)), 0);
    assert_eq!(old(&agreement, date(2021, 3, 1)), 2);
    agreement.magda_service_since = Some(date(2024, 2, 29));
    let blocked = |day| gaps(&agreement, day).iter().any(|g| g.what == Missing::MagdaServiceOver);
    assert!(!blocked(date(2026, 2, 27)) && blocked(date(2026, 2, 28)));
}

#[test]
fn each_gap_says_what_and_what_next_in_both_languages() {
    let mut codes = BTreeSet::new();
    for what in Missing::ALL {
        for side in [Side::Agency, Side::Municipality] {
            let gap = Gap { what: *what, side: Some(side), about: "X".into() };
            for language in [Language::Nl, Language::En] {
                let (text, next) = (gap.text(language), gap.next(language));
                assert!(text.ends_with('.') && next.ends_with('.'), "{text} {next}");
                assert!(!text.contains('{') && !next.contains('{'), "{text} {next}");
            }
            assert!(gap.requirement()[1..].parse::<u8>().is_ok_and(|number| number <= 88));
        }
        let gap = Gap { what: *what, side: None, about: "X".into() };
        codes.insert(gap.code());
        let words = gap.code().split('-').collect::<String>();
        assert_eq!(words, format!("{what:?}").to_lowercase(), "the code is the name");
    }
    assert_eq!(codes.len(), Missing::ALL.len());
    let advice = Gap { what: Missing::AdviceMissing, side: MUNICIPALITY, about: "M".into() };
    assert_eq!(advice.article().label(Language::Nl), "overweging G");
    assert_eq!((advice.requirement().as_str(), advice.weight()), ("R10", Blocks));
}

#[test]
fn terms_that_are_longer_or_checked_more_often_than_asked_are_no_gap() {
    let mut agreement = whole();
    agreement.term.notice_months = Some(18);
    agreement.access.renew_after_months = 6;
    agreement.rehearsal.within_days = NonZeroU16::new(7);
    assert_eq!(gaps(&agreement, DAY), []);
}

#[test]
fn defaults_are_the_strictest_reading() {
    let bare: Agreement = toml::from_str(&minimal()).unwrap();
    assert_eq!((bare.retention.years(), bare.period.per_year()), (5, 1));
    assert_eq!((bare.term.notice_months(), bare.targets.alarm_after_hours), (12, 24));
    let mut long = bare;
    long.retention.years = Some(9);
    assert_eq!(long.retention.years(), 5, "the law's maximum whatever the file says");
}
