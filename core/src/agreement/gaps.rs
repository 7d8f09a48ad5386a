//! What an agreement lacks, article by article: a value for each gap, never a failure.
//!
//! The weights follow the letters of the requirements: what a gate rests on blocks, what is a document or a
//! deadline warns, and where a product default stands in it is only noted.

mod kinds;

use std::num::NonZeroU16;

use jiff::ToSpan;
use jiff::civil::Date;
pub use kinds::Missing;
use serde::Serialize;

use super::articles::{Access, ColumnKind, MAX_YEARS, Processor, Rehearsal, Term, given};
use super::carriers::same;
use super::{Agreement, Approval, Channel, ChannelKind, Side};
use crate::article::Article;
use crate::id::is_page;
use crate::words::Language;

/// The decree's columns (art. 20 of 7 June 2013, R16) with what each holds; the first two are names.
const DECREE: [(&str, ColumnKind); 5] = [
    ("naam", ColumnKind::Text),
    ("voornaam", ColumnKind::Text),
    ("rijksregisternummer", ColumnKind::NationalNumber),
    ("contract", ColumnKind::Boolean),
    ("attest", ColumnKind::Boolean),
];
/// How many of them are names.
const NAMES: usize = 2;

/// How much a gap matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weight {
    /// Nothing may be sent.
    Blocks,
    /// It must be mended; meanwhile lists may be sent.
    Warns,
    /// A default of the product stands in.
    Notes,
}

/// One thing that an agreement lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// What.
    pub what: Missing,
    /// Whose, where each party has its own.
    pub side: Option<Side>,
    /// The party, person, column or date it is about.
    pub about: String,
}

impl Gap {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.what.entry().code
    }
    /// How much it matters.
    #[must_use]
    pub fn weight(&self) -> Weight {
        self.what.entry().weight
    }
    /// The number of the requirement it rests on: `R10`.
    #[must_use]
    pub fn requirement(&self) -> String {
        format!("R{}", self.place().0)
    }
    /// The part of the agreement that asks for it.
    #[must_use]
    pub fn article(&self) -> Article {
        self.place().1
    }
    /// What is missing, for people.
    #[must_use]
    pub fn text(&self, language: Language) -> String {
        self.words(language, 0)
    }
    /// What to do about it.
    #[must_use]
    pub fn next(&self, language: Language) -> String {
        self.words(language, 1)
    }

    fn place(&self) -> (u8, Article) {
        let place = self.what.entry().place;
        if self.side == Some(Side::Municipality) { place[1] } else { place[0] }
    }

    fn words(&self, language: Language, which: usize) -> String {
        let entry = self.what.entry();
        let words = match language {
            Language::Nl | Language::Fr | Language::De => entry.nl,
            Language::En => entry.en,
        };
        let table = self.side.map_or("", name);
        words[which].replace("{table}", table).replace("{about}", &self.about)
    }
}

/// What the agreement lacks on this day: what blocks first, then in the order of the articles.
#[must_use]
pub fn gaps(agreement: &Agreement, today: Date) -> Vec<Gap> {
    let mut look = Look { agreement, today, found: Vec::new() };
    for side in [Side::Agency, Side::Municipality] {
        look.party(side);
        look.safeguards(side);
        look.signatures(side);
    }
    look.basis();
    look.period();
    look.data();
    look.access();
    look.processors();
    let two = agreement.file.approval == Approval::SecondPerson;
    look.unless(two, Missing::OnePersonSends, "");
    let silent = |text: &str| text.trim().is_empty();
    look.unless(!silent(&agreement.purpose), Missing::PurposeMissing, "");
    let rehearsal = &agreement.rehearsal;
    let asked = rehearsal.within().is_some();
    look.unless(asked, Missing::RehearsalUnasked, "");
    let said = !asked || rehearsal.within_days.is_some();
    look.unless(said, Missing::RehearsalDefault, "");
    let recent = rehearsal.within().is_none_or(|days| days <= Rehearsal::MONTH);
    let days = rehearsal.within().map_or(0, NonZeroU16::get);
    look.unless(recent, Missing::RehearsalTooOld, days.to_string());
    let term = &agreement.term;
    look.unless(term.notice_months.is_some(), Missing::NoticeDefault, "");
    let months = term.notice_months();
    look.unless(months >= Term::YEAR, Missing::NoticeTooShort, months.to_string());
    look.unless(agreement.signed.original.is_some(), Missing::OriginalMissing, "");
    let mut found = look.found;
    found.sort_by_key(|gap| (gap.weight(), gap.place().0, gap.what));
    found
}

struct Look<'a> {
    agreement: &'a Agreement,
    today: Date,
    found: Vec<Gap>,
}

impl Look<'_> {
    fn unless(&mut self, good: bool, what: Missing, about: impl Into<String>) {
        if !good {
            self.found.push(Gap { what, side: None, about: about.into() });
        }
    }
    /// As [`Look::unless`], about one of the parties.
    fn unless_of(&mut self, side: Side, good: bool, what: Missing) {
        if !good {
            let about = self.agreement.party(side).name.clone();
            self.found.push(Gap { what, side: Some(side), about });
        }
    }
    /// A date that is given and not in the future.
    fn past(&self, date: Option<Date>) -> bool {
        date.is_some_and(|date| date <= self.today)
    }

    /// Preamble, recitals F and G, art. 2, 6, 7, 10: who a party is and whom it names.
    fn party(&mut self, side: Side) {
        let party = self.agreement.party(side);
        self.unless_of(side, party.kbo.is_some(), Missing::KboMissing);
        self.unless_of(side, given(party.address.as_deref()), Missing::AddressMissing);
        let unread = given(self.agreement.data.any_file.as_deref());
        let inhabitants = side == Side::Agency || unread || party.nis.is_some();
        self.unless_of(side, inhabitants, Missing::NisMissing);
        let advised = self.past(*self.agreement.advice.of(side));
        self.unless_of(side, advised, Missing::AdviceMissing);
        let named = party.dpo.as_ref().filter(|dpo| !dpo.name.trim().is_empty());
        self.unless_of(side, named.is_some(), Missing::DpoMissing);
        let reached = party.dpo.as_ref().is_none_or(|dpo| given(dpo.contact.as_deref()));
        self.unless_of(side, reached, Missing::DpoContactMissing);
        let contact = &party.contact;
        let point = contact.persons.iter().any(|person| !person.trim().is_empty());
        let form = given(contact.web_form.as_deref());
        self.unless_of(side, point || form, Missing::ContactMissing);
        let page = self.agreement.publication.of(side);
        let stands = page.url.as_deref().is_some_and(is_page);
        let published = stands && self.past(page.on) && page.digest.is_some();
        self.unless_of(side, published, Missing::PublicationMissing);
    }

    /// Art. 6: what a party does about security.
    fn safeguards(&mut self, side: Side) {
        let safeguards = self.agreement.security.of(side);
        let reviewed = safeguards.policy_reviewed_on;
        self.unless_of(side, self.past(reviewed), Missing::PolicyReviewMissing);
        let fresh = reviewed.is_none_or(|on| self.today <= on.saturating_add(1.year()));
        self.unless_of(side, fresh, Missing::PolicyReviewOld);
        // Article 9 goes through the DPOs, so their address will do.
        let dpo = self.agreement.party(side).dpo.as_ref().and_then(|dpo| dpo.contact.as_deref());
        let told = given(safeguards.incident_contact.as_deref()) || given(dpo);
        self.unless_of(side, told, Missing::IncidentContactMissing);
        if side == Side::Municipality {
            for (text, what) in [
                (&safeguards.measures, Missing::MeasuresMissing),
                (&safeguards.monitoring, Missing::MonitoringMissing),
                (&safeguards.breach_procedure, Missing::BreachProcedureMissing),
                (&safeguards.access, Missing::AccessUnproven),
            ] {
                self.unless_of(side, given(text.as_deref()), what);
            }
        }
    }

    /// Recital C and art. 2.
    fn basis(&mut self) {
        let basis = &self.agreement.basis;
        self.unless(given(basis.source.as_deref()), Missing::SourceMissing, "");
        self.unless(given(basis.legal_basis.as_deref()), Missing::LegalBasisMissing, "");
        let purposes = !basis.original_purposes.is_empty();
        self.unless(purposes, Missing::OriginalPurposesMissing, "");
        self.unless(basis.controller.is_some(), Missing::ControllerMissing, "");
        self.unless(given(basis.compatibility.as_deref()), Missing::CompatibilityMissing, "");
    }

    /// Recital C and art. 6: how often, until when, how soon.
    fn period(&mut self) {
        let (period, targets) = (&self.agreement.period, &self.agreement.targets);
        self.unless(!period.is_standing(), Missing::StandingRequest, "");
        self.unless(!given(period.more_allowed_by.as_deref()), Missing::MoreThanYearly, "");
        self.unless(period.per_year.is_some(), Missing::PeriodDefault, "");
        self.unless(period.per_year() <= 1, Missing::PeriodTooOften, period.per_year().to_string());
        if let Some(since) = self.agreement.magda_service_since.filter(|on| *on <= self.today) {
            let stop = since.saturating_add(2.years());
            let over = self.today >= stop;
            let what = if over { Missing::MagdaServiceOver } else { Missing::MagdaServiceLive };
            self.unless(false, what, stop.to_string());
        }
        let ordered = targets.removal_target_hours <= targets.alarm_after_hours
            && targets.alarm_after_hours
                <= self.agreement.file.expires_after_days.saturating_mul(24);
        self.unless(ordered, Missing::TargetsOutOfOrder, "");
    }

    /// Art. 2 and 3: which data, how many, how long.
    fn data(&mut self) {
        let (data, retention) = (&self.agreement.data, &self.agreement.retention);
        let unread = given(data.any_file.as_deref());
        self.unless(!unread, Missing::AnyFile, "");
        self.unless(unread || !data.columns.is_empty(), Missing::ColumnsMissing, "");
        for column in &data.columns {
            let place = DECREE.iter().position(|(name, _)| *name == column.name);
            self.unless(place.is_some(), Missing::ColumnBeyondDecree, &column.name);
            let Some(place) = place else { continue };
            let allowed = place >= NAMES || given(data.names_allowed_by.as_deref());
            self.unless(allowed, Missing::NameRefused, &column.name);
            let fits = column.kind == DECREE[place].1;
            self.unless(fits, Missing::ColumnKindWrong, &column.name);
            let reason = given(Some(&column.why));
            self.unless(reason, Missing::ColumnReasonMissing, &column.name);
        }
        self.unless(!data.special_categories, Missing::SpecialCategories, "");
        let selected = given(data.selection.as_deref());
        self.unless(unread || selected, Missing::SelectionMissing, "");
        self.unless(unread || data.max_rows.is_some(), Missing::MaxRowsMissing, "");
        self.unless(retention.years.is_some(), Missing::RetentionDefault, "");
        let years = retention.years.unwrap_or(MAX_YEARS);
        self.unless((1..=MAX_YEARS).contains(&years), Missing::RetentionTooLong, years.to_string());
    }

    /// Art. 4 and 6: which functions, and which persons hold a share.
    fn access(&mut self) {
        let access = &self.agreement.access;
        let listed = !access.profiles.is_empty();
        self.unless(listed, Missing::ProfilesMissing, "");
        for profile in &access.profiles {
            self.unless(given(Some(&profile.why)), Missing::ProfileReasonMissing, &profile.id);
            let untold = profile.informed.each().into_iter().filter(|(_, on)| !self.past(*on));
            let untold: Vec<&str> = untold.map(|(rules, _)| rules).collect();
            let about = format!("{} ({})", profile.id, untold.join(", "));
            self.unless(untold.is_empty(), Missing::StaffNotInformed, about);
        }
        self.unless(!listed || self.past(access.listed_on), Missing::ProfilesUndated, "");
        if let Some(on) = access.listed_on.filter(|_| listed) {
            let months = i32::from(access.renew_after_months);
            let old = self.today > on.saturating_add(months.months());
            let too_old = self.today > on.saturating_add((2 * months).months());
            self.unless(!old || too_old, Missing::ProfilesOld, on.to_string());
            self.unless(!too_old, Missing::ProfilesTooOld, on.to_string());
        }
        let months = access.renew_after_months;
        self.unless(months <= Access::YEAR, Missing::RenewalTooLate, months.to_string());
        for custodian in &self.agreement.key.custodians {
            let known = access.profiles.iter().any(|profile| profile.id == custodian.profile);
            let about = format!("{} ({})", custodian.id, custodian.profile);
            self.unless(known || !listed, Missing::ProfileNotListed, about);
            let grouped = custodian.phone_group.is_some();
            self.unless(grouped, Missing::PhoneUngrouped, custodian.id.as_str());
            match custodian.valid_until {
                None => self.unless(false, Missing::CustodianUndated, custodian.id.as_str()),
                Some(last) => {
                    let about = format!("{} ({last})", custodian.id);
                    self.unless(self.today <= last, Missing::CustodianExpired, about);
                }
            }
        }
    }

    /// Art. 6: whoever carries the file or a share is a party or stands in the register.
    fn processors(&mut self) {
        let agreement = self.agreement;
        let party = |name: &str| agreement.is_party(name);
        let zone = &agreement.drop_zone;
        let carried =
            party(&zone.operator) || agreement.processors.iter().any(|known| known.covers(zone));
        self.unless(carried, Missing::ProcessorMissing, format!("drop-zone: {}", zone.operator));
        for channel in &agreement.key.channels {
            let provider = &channel.provider;
            let carried =
                party(provider) || agreement.processors.iter().any(|known| known.carries(channel));
            let about = format!("{}: {provider}", channel.id);
            self.unless(carried, Missing::ProcessorMissing, &about);
            // A folder, a modem of one's own or a telephone on a desk goes to no host.
            let compared = channel.kind != ChannelKind::Sms
                || party(provider)
                || !carried
                || !agreement.hosts_of(&channel.id).is_empty();
            self.unless(compared, Missing::ProcessorHostsMissing, about);
        }
        for channel in &agreement.key.channels {
            let about = format!("{}: {}", channel.id, zone.operator);
            self.unless(!one_carries_both(agreement, channel), Missing::OneCarriesBoth, about);
        }
        for custodian in &agreement.key.custodians {
            let theirs = custodian.phone_group.is_some() && custodian.phone_group == zone.group;
            let about = format!("{}: {}", custodian.id, zone.operator);
            self.unless(!theirs, Missing::OneCarriesBoth, about);
        }
        for processor in &agreement.processors {
            let bound = self.past(processor.contract);
            self.unless(bound, Missing::ProcessorContractMissing, &processor.name);
            let trusted = given(processor.guarantees.as_deref());
            self.unless(trusted, Missing::GuaranteesMissing, &processor.name);
        }
    }

    /// Who may bind a party, and who signed for it.
    fn signatures(&mut self, side: Side) {
        let signed = &self.agreement.signed;
        let heads: Vec<&str> =
            signed.representatives.iter().filter(|r| r.party == side).map(|r| &*r.name).collect();
        let hands: Vec<_> = signed.signatories.iter().filter(|s| s.party == side).collect();
        self.unless_of(side, !heads.is_empty(), Missing::RepresentativesMissing);
        self.unless_of(side, !hands.is_empty(), Missing::Unsigned);
        for hand in &hands {
            let known = heads.is_empty() || heads.contains(&hand.name.as_str());
            self.unless(known, Missing::SignatoryNotRepresentative, &hand.name);
            self.unless(hand.on.is_some(), Missing::SignatureUndated, &hand.name);
        }
        for head in heads {
            let signs = hands.is_empty() || hands.iter().any(|hand| hand.name == head);
            self.unless(signs, Missing::RepresentativeUnsigned, head);
        }
    }
}

/// Whether the drop zone and this channel are run by one, or belong to one group: by name, by group, or by a contract
/// that covers both (R31, R32).
fn one_carries_both(agreement: &Agreement, channel: &Channel) -> bool {
    let zone = &agreement.drop_zone;
    let covers = |known: &Processor| known.holds(zone) && known.carries(channel);
    same(&zone.operator, &channel.provider)
        || zone.group.as_ref() == Some(&channel.group)
        || agreement.processors.iter().any(covers)
}

fn name(side: Side) -> &'static str {
    match side {
        Side::Agency => "agency",
        Side::Municipality => "municipality",
    }
}

#[cfg(test)]
mod tests;
