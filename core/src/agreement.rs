//! The agreement between an agency and a municipality, as data: one TOML file.
//!
//! Both parties hold the same bytes; their digest stands in every statement. Phone numbers are not in
//! it (a digest over a phone number can be guessed) but in [`Contacts`], a salted file of the agency.
//!
//! Here stands what a transfer needs to run. What the articles ask beside that is in [`articles`]; it may be
//! left out, and [`gaps`] then says what is missing.

pub mod articles;
pub mod carriers;
pub mod gaps;
pub mod keys;

use std::collections::BTreeMap;

use articles::{
    Access, Basis, ContactPoint, Data, Officer, Period, Processor, Publication, Rehearsal,
    Retention, Safeguards, Sides, Signed, Targets, Term,
};
use jiff::civil::Date;
use keys::{Keys, PartyKeys};
use serde::{Deserialize, Serialize};

use crate::id::{Address, AgreementId, ChannelId, CustodianId, GroupId, Kbo, Nis, PartyId, Salt};
use crate::words::Language;

/// Who a party of the agreement is (preamble; R1).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Party {
    /// The principal of its signatures.
    pub id: PartyId,
    /// Its name for people.
    pub name: String,
    /// Its number in the Belgian register of enterprises, if it has one there.
    pub kbo: Option<Kbo>,
    /// Its seat.
    pub address: Option<String>,
    /// The municipality's code: whose inhabitants the lists are about (art. 2, R15).
    pub nis: Option<Nis>,
    /// Its data protection officer (art. 6, R38 and R42).
    pub dpo: Option<Officer>,
    /// Where the other party reports errors in the data (art. 7, R62).
    #[serde(default)]
    pub contact: ContactPoint,
}

/// Where the sealed file crosses (art. 6).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DropZone {
    /// Where both parties dial it.
    pub host: Address,
    /// Who runs it, for people and for the register of processors.
    pub operator: String,
    /// Whose it is in the end, as a channel's group: nobody carries the file and a share (R31, R32).
    pub group: Option<GroupId>,
}

/// How long the agency keeps the plaintext it sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeepPlaintext {
    /// Until the municipality opened it, so that it can be redelivered.
    UntilOpened,
    /// Only until it is sealed: a new export is then the only remedy.
    UntilSealed,
}

/// Who lets a list go (art. 6: separation of duties, R47).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Approval {
    /// Whoever offers it.
    #[default]
    None,
    /// A second person, who did not offer it.
    SecondPerson,
}

/// Rules about the file (art. 2, 3, 6).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FileRules {
    /// How long the plaintext is kept at the agency.
    pub keep_plaintext: KeepPlaintext,
    /// A drop larger than this is refused, in MiB.
    pub max_size_mib: u64,
    /// Who lets a list go.
    #[serde(default)]
    pub approval: Approval,
    /// After so many days a transfer that was not opened expires (product default: 7).
    pub expires_after_days: u32,
}

/// When the shares leave once the removal is evident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReleaseRule {
    /// At once.
    AfterRemoval,
    /// When the municipality says that its custodians are at their desks.
    WhenReady,
}

/// A route of shares.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Channel {
    /// Its name; the releaser's configuration says how it is reached.
    pub id: ChannelId,
    /// Who carries it.
    pub provider: String,
    /// Providers under one owner or operator have one group.
    pub group: GroupId,
    /// `sms`, or what else it is.
    pub kind: ChannelKind,
    /// Why it is not SMS, where it is not (art. 6, R33).
    pub reason: Option<String>,
}

/// What a channel is to the agreement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChannelKind {
    /// Text messages, which article 6 prefers.
    Sms,
    /// Anything else: voice, letter, in person, a folder in rehearsals.
    Other,
}

/// A person who gets one share.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Custodian {
    /// The entry's name.
    pub id: CustodianId,
    /// The function profile that needs the data (art. 4, R25).
    pub profile: String,
    /// The route of this person's share.
    pub channel: ChannelId,
    /// The language of the message.
    #[serde(default)]
    pub language: Language,
    /// Whose the telephone is in the end: its network, or who manages it. Counts with the groups of the channels (R32).
    pub phone_group: Option<GroupId>,
    /// The last day on which this person gets shares (art. 6, R41).
    pub valid_until: Option<Date>,
}

/// Rules about the key (art. 6).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct KeyRules {
    /// How many shares open the envelope, at least 2.
    pub threshold: u8,
    /// When the shares leave.
    pub release: ReleaseRule,
    /// The routes.
    pub channels: Vec<Channel>,
    /// The persons, one share each, in the order of the share's index.
    pub custodians: Vec<Custodian>,
}

/// An agreement.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Agreement {
    /// Its name: a folder of the outbox, a tenant of the drop zone.
    pub agreement: AgreementId,
    /// Counts up with every change.
    pub version: u32,
    /// Its title for people.
    pub title: String,
    /// First day on which it binds (art. 12, R75).
    pub in_force: Date,
    /// First day on which it no longer does, where it ends (art. 12, R76-R78).
    pub ends: Option<Date>,
    /// What the data are for (art. 2, R14).
    pub purpose: String,
    /// The agency.
    pub agency: Party,
    /// The municipality.
    pub municipality: Party,
    /// The transport medium.
    pub drop_zone: DropZone,
    /// Rules about the file.
    pub file: FileRules,
    /// Rules about the key.
    pub key: KeyRules,
    /// Why the data may be handed over, and from where (recital C, art. 2).
    #[serde(default)]
    pub basis: Basis,
    /// On which day each party's DPO gave advice (recitals F and G, R10).
    #[serde(default)]
    pub advice: Sides<Option<Date>>,
    /// Since when MAGDA offers these lists, once it does (recital C, R8).
    pub magda_service_since: Option<Date>,
    /// Which data (art. 3).
    #[serde(default)]
    pub data: Data,
    /// How long the municipality keeps them (art. 2 and 3).
    #[serde(default)]
    pub retention: Retention,
    /// Who at the municipality may see them (art. 4).
    #[serde(default)]
    pub access: Access,
    /// How often a list may be asked for (recital C, art. 5).
    #[serde(default)]
    pub period: Period,
    /// What each party does about security (art. 6).
    #[serde(default)]
    pub security: Sides<Safeguards>,
    /// How soon is "as soon as possible" (art. 6).
    #[serde(default)]
    pub targets: Targets,
    /// How fresh an exercise must be (R88).
    #[serde(default)]
    pub rehearsal: Rehearsal,
    /// Who processes data for a party (art. 6).
    #[serde(default)]
    pub processors: Vec<Processor>,
    /// Where each party published the text (art. 10).
    #[serde(default)]
    pub publication: Sides<Publication>,
    /// How it is ended (art. 12).
    #[serde(default)]
    pub term: Term,
    /// Who signed what, and when.
    #[serde(default)]
    pub signed: Signed,
    /// Public keys, from the parties' cards.
    pub keys: Keys,
}

/// Which of the two parties.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// It sends.
    Agency,
    /// It receives.
    Municipality,
}

impl Side {
    /// The one across.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Agency => Self::Municipality,
            Self::Municipality => Self::Agency,
        }
    }
}

impl Agreement {
    /// The party on this side.
    #[must_use]
    pub fn party(&self, side: Side) -> &Party {
        match side {
            Side::Agency => &self.agency,
            Side::Municipality => &self.municipality,
        }
    }
    /// That party's public keys.
    #[must_use]
    pub fn party_keys(&self, side: Side) -> &PartyKeys {
        self.keys.party(side)
    }
    /// The side on which this party stands, if it is one of the two.
    #[must_use]
    pub fn side_of(&self, party: &PartyId) -> Option<Side> {
        [Side::Agency, Side::Municipality].into_iter().find(|side| self.party(*side).id == *party)
    }
    /// Whether this custodian gets a share on this day (art. 6, R41).
    #[must_use]
    pub fn gets_shares(&self, custodian: &CustodianId, today: Date) -> bool {
        let own = |it: &&Custodian| it.id == *custodian;
        let custodian = self.key.custodians.iter().find(own);
        custodian.is_some_and(|it| it.valid_until.is_none_or(|last| today <= last))
    }
    /// The route with this name.
    #[must_use]
    pub fn channel(&self, id: &ChannelId) -> Option<&Channel> {
        self.key.channels.iter().find(|channel| channel.id == *id)
    }
}

/// The key behind `ssh-ed25519 AAAA...`, in the one form that it has: `ssh-key` also reads lengths that `ssh-keygen`
/// refuses, and then nobody could check the evidence without Sluis.
pub(crate) fn signing_key(text: &str) -> Result<ssh_key::PublicKey, String> {
    let key = ssh_key::PublicKey::from_openssh(text).map_err(|e| e.to_string())?;
    let again = key.to_openssh().map_err(|e| e.to_string())?;
    let bare = |text: &str| text.split_whitespace().nth(1).map(str::to_owned);
    if key.key_data().ed25519().is_none() {
        Err("another kind of key".into())
    } else if bare(text) != bare(&again) {
        Err("its lengths are not those of such a key".into())
    } else {
        Ok(key)
    }
}

/// Where the custodians are reached; kept by the agency, apart from the agreement.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Contacts {
    /// Random text, so that the file's digest says nothing about the numbers in it.
    pub salt: Salt,
    /// Per custodian: the phone number in international form, or the name of a folder's owner.
    pub numbers: BTreeMap<CustodianId, String>,
    /// The number before that one, of whoever has a new one: it is told.
    #[serde(default)]
    pub former: BTreeMap<CustodianId, String>,
    /// Whom somebody calls who did not ask for a new number; stands in that message.
    pub call: Option<String>,
}

/// Whether this is a telephone number in the one form that every channel takes (E.164): `+`, the country, 8 to 15 digits
/// and nothing between.
pub(crate) fn is_telephone(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or_default();
    let plain = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
    plain && (8..=15).contains(&digits.len())
}

/// Whether this is a number to call: digits in groups, international or not, and nothing that a message could not hold.
pub(crate) fn is_to_call(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let bare = text.strip_prefix('+').unwrap_or(text);
    let plain = bare.bytes().all(|b| b.is_ascii_digit() || b == b' ' || b == b'/');
    plain && (4..=15).contains(&digits) && text.len() <= 20
}

impl std::fmt::Debug for Contacts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Contacts({} custodians)", self.numbers.len())
    }
}
