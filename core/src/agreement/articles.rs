//! What the articles of an agreement ask beside what a transfer needs to run: plain data, each part optional.
//!
//! A part that is left out is a gap, not an error: see [`super::gaps`]. Where the text is silent and the
//! product has a default, the default stands here.

use std::num::NonZeroU16;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::Side;
use crate::id::{Digest, GroupId};

/// The law's maximum of years that data stay identifiable (decree of 7 June 2013, art. 20; R17).
pub const MAX_YEARS: u8 = 5;

/// One of something for each party.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sides<T: Default> {
    /// The agency's.
    #[serde(default)]
    pub agency: T,
    /// The municipality's.
    #[serde(default)]
    pub municipality: T,
}

impl<T: Default> Sides<T> {
    /// The one of this party.
    pub fn of(&self, side: Side) -> &T {
        match side {
            Side::Agency => &self.agency,
            Side::Municipality => &self.municipality,
        }
    }
}

/// A data protection officer (art. 6).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Officer {
    /// Who it is; the worked case leaves it blank.
    #[serde(default)]
    pub name: String,
    /// Telephone or mail.
    pub contact: Option<String>,
    /// Where letters go.
    pub address: Option<String>,
}

/// Where errors in the data are reported to a party (art. 7).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ContactPoint {
    /// Persons, each of whom will do.
    pub persons: Vec<String>,
    /// A form on a website.
    pub web_form: Option<String>,
}

/// Why the data may be handed over, and where they come from (recital C, art. 2).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Basis {
    /// The source of the data (R3).
    pub source: Option<String>,
    /// The ground of lawfulness (R12).
    pub legal_basis: Option<String>,
    /// What the agency collected the data for (R13).
    pub original_purposes: Vec<String>,
    /// Who is controller for handing the data over (R18).
    pub controller: Option<Side>,
    /// Why the municipality's purpose is compatible with those (R19).
    pub compatibility: Option<String>,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ColumnKind {
    /// A national register number.
    NationalNumber,
    /// Yes or no.
    Boolean,
    /// A municipality's code.
    Nis,
    /// Anything else that is written, such as a name.
    Text,
}

/// One column of a list (art. 3, R20).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Column {
    /// Its head.
    pub name: String,
    /// What it holds.
    pub kind: ColumnKind,
    /// Why the purpose needs it (R21).
    #[serde(default)]
    pub why: String,
}

/// Which data, and how many (art. 3).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Data {
    /// Exactly these columns.
    pub columns: Vec<Column>,
    /// Why whatever is dropped may leave, unread: an agreement about something else than lists.
    pub any_file: Option<String>,
    /// How the agency selects whom a list is about, by the municipality in which the register has them (art. 2, R15):
    /// its word for every list for which no person gives one.
    pub selection: Option<String>,
    /// The largest number of persons on one list (R21: the extent).
    pub max_rows: Option<u64>,
    /// The passage of the signed text that lists names. The decree allows them, the worked case's table does
    /// not have them: without this passage a column with names is refused.
    pub names_allowed_by: Option<String>,
    /// Whether there are data of GDPR art. 9 or 10 among them (R22).
    pub special_categories: bool,
}

/// How long data stay at the municipality (art. 2 and 3).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Retention {
    /// Years in identifiable form.
    pub years: Option<u8>,
    /// Who destroys them when those are over.
    pub destroy: Destruction,
}

/// Who destroys a list when its retention ends. Two persons may always do it earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Destruction {
    /// Two persons.
    #[default]
    TwoPersons,
    /// The keeper by itself, on the last day.
    Automatic,
}

impl Retention {
    /// The years that count: never more than the law's maximum, which also counts where the file is silent.
    #[must_use]
    pub fn years(&self) -> u8 {
        self.years.unwrap_or(MAX_YEARS).min(MAX_YEARS)
    }
}

/// A function that needs the data (art. 4, R25).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Profile {
    /// What the custodians' `profile` refers to.
    pub id: String,
    /// Its name for people.
    #[serde(default)]
    pub title: String,
    /// Why it needs the data.
    #[serde(default)]
    pub why: String,
    /// When whoever has this function was last told which rules bind it (art. 6, R40).
    #[serde(default)]
    pub informed: Informed,
}

/// When somebody was last told of each kind of rule (art. 6, R40).
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Informed {
    /// Of the GDPR.
    pub gdpr: Option<Date>,
    /// Of the other rules on privacy.
    pub privacy: Option<Date>,
    /// Of any other rule on processing these data.
    pub other: Option<Date>,
}

impl Informed {
    /// Each kind of rule by its key, with the day.
    #[must_use]
    pub fn each(&self) -> [(&'static str, Option<Date>); 3] {
        [("gdpr", self.gdpr), ("privacy", self.privacy), ("other", self.other)]
    }
}

/// The municipality's list of function profiles (art. 4, R26).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Access {
    /// When the list was last made or looked through.
    pub listed_on: Option<Date>,
    /// After so many months it is old; after twice as many it no longer counts (product default: 12).
    pub renew_after_months: u16,
    /// The list.
    pub profiles: Vec<Profile>,
}

impl Access {
    /// The months after which a list is not current any more.
    pub const YEAR: u16 = 12;
}

impl Default for Access {
    fn default() -> Self {
        Self { listed_on: None, renew_after_months: Self::YEAR, profiles: Vec::new() }
    }
}

/// How often a list may be asked for (recital C, art. 5).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Period {
    /// Lists a year (R6, R30); what a year is the text does not say: the calendar year and twelve months both count.
    pub per_year: Option<u32>,
    /// The passage of the signed text by which lists are sent without being asked for: then no request is waited
    /// for (R29). One list a year leaves all the same (R30).
    pub standing: Option<String>,
    /// The passage by which more of those leave in a year: then nothing counts them.
    pub more_allowed_by: Option<String>,
}

impl Period {
    /// The number that counts: one where the file is silent.
    #[must_use]
    pub fn per_year(&self) -> u32 {
        self.per_year.unwrap_or(1)
    }

    /// Whether lists leave unasked.
    #[must_use]
    pub fn is_standing(&self) -> bool {
        given(self.standing.as_deref())
    }

    /// The passages by which lists leave unasked, and how often they do: this often, where no passage allows more.
    #[must_use]
    pub fn unasked(&self, often: &str) -> Option<String> {
        let passage = self.standing.as_deref().filter(|_| self.is_standing())?;
        let more = self.more_allowed_by.as_deref().filter(|_| self.is_uncounted());
        Some(format!("{passage} ({})", more.unwrap_or(often)))
    }

    /// Whether of those that leave unasked more than one leaves in a year.
    #[must_use]
    pub fn is_uncounted(&self) -> bool {
        self.is_standing() && given(self.more_allowed_by.as_deref())
    }
}

/// What a party does about security (art. 6).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Safeguards {
    /// When its security policy and plan were last reviewed; yearly (R38, R42).
    pub policy_reviewed_on: Option<Date>,
    /// Where it is told of incidents (R43, R66).
    pub incident_contact: Option<String>,
    /// Its procedure for a breach; telling the agency is part of the municipality's (R50).
    pub breach_procedure: Option<String>,
    /// Its organisational measures, beside those that the text spells out (R39).
    pub measures: Option<String>,
    /// How its network and systems are monitored and managed (R49).
    pub monitoring: Option<String>,
    /// How physical and electronic access is held, and what shows that it is safe (R52).
    pub access: Option<String>,
}

/// How soon is "as soon as possible" (art. 6, R35 and R36). The text gives no hours: these are the product's.
/// The end of it, when the sender withdraws, is `file.expires-after-days`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Targets {
    /// Within so many hours the file is taken over and removed.
    pub removal_target_hours: u32,
    /// After so many hours both sides are alarmed.
    pub alarm_after_hours: u32,
}

impl Default for Targets {
    fn default() -> Self {
        Self { removal_target_hours: 1, alarm_after_hours: 24 }
    }
}

/// How fresh an exercise must be before a list leaves (R88).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Rehearsal {
    /// Every custodian typed the share of an exercise within so many days (product default: 30).
    pub within_days: Option<NonZeroU16>,
    /// Why nobody has to: then a list leaves over ways that nobody tried.
    pub unasked: Option<String>,
}

impl Rehearsal {
    /// The days that apply where it says nothing, and after which it is too long ago.
    pub const MONTH: NonZeroU16 = NonZeroU16::new(30).unwrap();

    /// Within how many days; nothing where nobody has to.
    #[must_use]
    pub fn within(&self) -> Option<NonZeroU16> {
        (!given(self.unasked.as_deref())).then(|| self.within_days.unwrap_or(Self::MONTH))
    }
}

/// Who processes data for a party (art. 6, R56-R58).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Processor {
    /// As the channel's `provider` or the drop zone's `operator` has it.
    pub name: String,
    /// What it does.
    pub service: String,
    /// For which party.
    #[serde(rename = "for")]
    pub works_for: Side,
    /// When the contract of GDPR art. 28 was signed (R57).
    pub contract: Option<Date>,
    /// What guarantees that it takes fitting measures: a certificate, an audit, a code of conduct (R56).
    pub guarantees: Option<String>,
    /// Channels of these groups are covered by that contract too.
    #[serde(default)]
    pub groups: Vec<GroupId>,
    /// Where it is reached: a drop zone at `host:port`, which that contract covers too; a channel's interface at `host` or
    /// `host:port`, and then that channel goes nowhere else.
    #[serde(default)]
    pub hosts: Vec<String>,
}

/// Where a party published the text (art. 10).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Publication {
    /// On which page.
    pub url: Option<String>,
    /// Since when.
    pub on: Option<Date>,
    /// Of what was seen there.
    pub digest: Option<Digest>,
}

/// How the agreement is ended (art. 12).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Term {
    /// Months between notice and end (R76).
    pub notice_months: Option<u16>,
}

impl Term {
    /// The months that art. 12 asks for.
    pub const YEAR: u16 = 12;

    /// The months that count: the worked case's twelve where the file is silent.
    #[must_use]
    pub fn notice_months(&self) -> u16 {
        self.notice_months.unwrap_or(Self::YEAR)
    }
}

/// Who may bind a party, as the head of the text has it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Representative {
    /// Which party.
    pub party: Side,
    /// Who.
    pub name: String,
    /// As what.
    pub capacity: String,
    /// By which decision, where it needs one.
    pub mandate: Option<String>,
}

/// Who stands below the text (R79).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Signatory {
    /// For which party.
    pub party: Side,
    /// Who.
    pub name: String,
    /// As what.
    pub capacity: Option<String>,
    /// When.
    pub on: Option<Date>,
}

/// The signed original.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Signed {
    /// The date that the text itself gives.
    pub drawn_up_on: Option<Date>,
    /// Digest of the original, as each party keeps it (R80).
    pub original: Option<Digest>,
    /// Who may bind the parties.
    pub representatives: Vec<Representative>,
    /// Who signed.
    pub signatories: Vec<Signatory>,
}

/// Whether a reason or a passage stands there.
pub(crate) fn given(text: Option<&str>) -> bool {
    text.is_some_and(|text| !text.trim().is_empty())
}
