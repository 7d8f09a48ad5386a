//! What persons ask a core through the CLI, and what it answers.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::Waiting;
use crate::content::Rule;
use crate::export::decisions::Decided;
use crate::id::{
    AgreementId, CustodianId, Digest, Nis, PartyId, Time, TransferCode, TransferId, called,
};
use crate::ledger::{Entry, SaidOnce};
use crate::notice::{Notice, Sort};
use crate::policy::Reason;
use crate::retention::Retained;
use crate::statement::Signed;
use crate::words;
use crate::words::Words;

/// Names a transfer.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ByCode {
    /// Its code.
    pub code: TransferCode,
}

/// A transfer as it is named beside others.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// Its code.
    pub code: TransferCode,
    /// Whether it is a rehearsal and no delivery (R88).
    pub rehearsal: bool,
}

impl std::fmt::Display for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&called(self.code, self.rehearsal))
    }
}

/// `list`, `notices`, `deadlines`: only what is under this agreement.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Under {
    /// Its name; everything where it is missing.
    pub agreement: Option<AgreementId>,
}

impl Under {
    /// Whether what is under this agreement is asked for.
    #[must_use]
    pub fn has(&self, agreement: &AgreementId) -> bool {
        self.agreement.as_ref().is_none_or(|only| only == agreement)
    }

    /// The verb with what is asked for behind it.
    #[must_use]
    pub fn verb(&self, verb: &str) -> String {
        // The letters of a name need no escape.
        self.agreement.as_ref().map_or(verb.to_owned(), |it| format!("{verb}?agreement={it}"))
    }
}

/// `reject`: a second person does not let it go.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reject {
    /// Which transfer.
    pub code: TransferCode,
    /// Why, for whoever offered it.
    pub why: String,
}

/// `override`: let pass what a refused list breaks; two persons.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Override {
    /// The refused transfer.
    pub code: TransferCode,
    /// Why; it stands in both ledgers.
    pub why: String,
}

/// What becomes of an `override`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overridden {
    /// The refused transfer.
    pub row: Row,
    /// Who asked first, once a second person has confirmed; nothing while one is waited for.
    pub first: Option<String>,
    /// What else was asked of the same, in other words: while this is asked, only one of them is meant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<Waiting>,
}

/// `agree`: let a new version of an agreement count.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agree {
    /// Which agreement.
    pub agreement: AgreementId,
    /// The digest of the version that the person looked at.
    pub digest: Digest,
    /// A key was stolen: what it signed from the new key's first number on counts no longer.
    #[serde(default)]
    pub stolen: bool,
}

/// The version that counts now, or once a second person has said the same.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agreed {
    /// Its number.
    pub version: u32,
    /// The digest of its file.
    pub digest: Digest,
    /// Whether a second person is still to say so.
    pub waits: bool,
    /// What else was asked of the same, in other words: while this is asked, only one of them is meant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<Waiting>,
}

/// `destroy`: a person says that a list is to go.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Destroy {
    /// Its code.
    pub code: TransferCode,
    /// Whether this person has asked the custodians to delete their messages.
    pub messages_asked: bool,
}

/// What becomes of a word that takes two persons.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// The transfer.
    pub row: Row,
    /// Who asked first, once a second person has confirmed; nothing while one is waited for.
    pub first: Option<String>,
    /// Who was to get a message with a share.
    pub custodians: Vec<CustodianId>,
    /// Whether somebody said that they were asked to delete it.
    pub messages_asked: bool,
}

/// `retention`: what is kept, until when, and who destroys it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// The lists, the first to go first.
    pub lists: Vec<Retained>,
    /// Whether the clock jumped ahead, so that nothing goes by itself.
    pub clock_held: bool,
}

/// `stock`: what there is to attest under an agreement.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskStock {
    /// Under which agreement.
    pub agreement: AgreementId,
}

/// `may`: whether a file of this size might leave now; the answer is [`Might`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct May {
    /// Under which agreement.
    pub agreement: AgreementId,
    /// Its size in bytes.
    pub size: u64,
    /// Of its bytes: two persons let one list pass, and no other. Kept nowhere, for a list is guessed from it.
    pub content: Digest,
    /// For whose residents it was drawn, where a person says so.
    pub drawn_for: Option<Nis>,
}

/// What is known of a file before anybody sends it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Might {
    /// Every reason why it may not leave.
    pub reasons: Vec<Reason>,
    /// The rules about lists that two persons let pass for the next one.
    pub waived: Vec<Rule>,
    /// What it would wait for before it is sealed.
    pub waits: Vec<Words>,
    /// The report whose errors it would mend (R63).
    pub mends: Option<Digest>,
}

/// One line of `notices`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoticeRow {
    /// Under which agreement.
    pub agreement: AgreementId,
    /// The digest of its statement; the number of the case that it begins.
    pub digest: Digest,
    /// Whose it is.
    pub by: PartyId,
    /// From when it counts.
    pub at: Time,
    /// What its party's clock said, where that is not from when it counts.
    #[serde(default)]
    pub said: Option<Time>,
    /// The first day without lists by this word, where that is not the one that it names.
    #[serde(default)]
    pub ends: Option<Date>,
    /// About which transfer.
    pub transfer: Option<TransferId>,
    /// What it is about.
    pub sort: Sort,
    /// What it says.
    pub notice: Notice,
    /// Whether it came too late: after the day that it had to come before, or the end of its clock.
    pub late: bool,
    /// How late, in words and in whole seconds, where a clock ran.
    #[serde(default)]
    pub late_why: Option<Words>,
    /// See there.
    #[serde(default)]
    pub late_s: Option<u64>,
    /// Why it has no effect, where it has none.
    pub void: Option<Words>,
    /// Whether the party in whose name it was entered says that it did not say so.
    pub contradicted: bool,
}

/// What becomes of a person's notice.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Noted {
    /// It was made; nothing while a second person is waited for.
    pub row: Option<NoticeRow>,
    /// Who asked first, where it took two.
    pub first: Option<String>,
    /// The transfers that were withdrawn for it.
    pub withdrawn: Vec<Named>,
    /// Those that stay as they are: enough of their shares are out.
    pub stays: Vec<Named>,
    /// What is under way ends as soon as the other party was heard: before that nobody knows how far it is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub waits: bool,
    /// What else was asked of the same, in other words: while this is asked, only one of them is meant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<Waiting>,
}

/// `number`: a person says that the number of a custodian, as the contacts file has it now, is right.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfCustodian {
    /// Under which agreement.
    pub agreement: AgreementId,
    /// Whose.
    pub custodian: CustodianId,
    /// The old number cannot be told any more: nobody waits for that.
    pub old_is_dead: bool,
}

/// What becomes of that.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NumberWord {
    /// Who said so first, once a second person has confirmed.
    pub first: Option<String>,
    /// From when on it is used, once confirmed and once the old number was told.
    pub from: Option<Time>,
    /// What else was asked of the same, in other words: while this is asked, only one of them is meant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<Waiting>,
}

/// `retry`: a person says that it is to be tried again.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retry {
    /// Which transfer.
    pub code: TransferCode,
    /// Only this share, whatever became of it; what failed or is unknown where it is missing.
    pub share: Option<u8>,
}

/// How the name of what is laid ready begins.
const READY: &str = ".send-";

/// `send`: take what was laid ready in a hidden folder of the outbox; it is complete.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Send {
    /// The agreement's folder.
    pub agreement: AgreementId,
    /// The hidden folder in it, `.send-` and 32 hexadecimal digits.
    pub ready: TransferId,
    /// The entry's name.
    pub name: String,
    /// For whose residents it was drawn, where a person says so (art. 2).
    pub drawn_for: Option<Nis>,
}

impl Send {
    /// The hidden folder's name: the watcher leaves it alone.
    #[must_use]
    pub fn folder(&self) -> String {
        format!("{READY}{}", self.ready)
    }

    /// Whether a name is that of such a folder.
    #[must_use]
    pub fn is_folder(name: &str) -> bool {
        name.strip_prefix(READY).is_some_and(|id| id.parse::<TransferId>().is_ok())
    }
}

/// `line`: a share line that a person typed.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TypedLine {
    /// Of which transfer.
    pub code: TransferCode,
    /// What was typed.
    pub text: String,
}

impl std::fmt::Debug for TypedLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TypedLine({})", self.code)
    }
}

impl Drop for TypedLine {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.text);
    }
}

/// What became of a typed line.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineAnswer {
    /// The share's number.
    pub index: u8,
    /// Whose it was.
    pub custodian: String,
    /// How many different ones are in now.
    pub have: u8,
    /// How many open the envelope.
    pub needed: u8,
    /// Where the file stands, once it is open.
    pub opened: Option<String>,
    /// Whether it is a rehearsal and no delivery (R88).
    pub rehearsal: bool,
}

/// One line of `list`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The transfer.
    pub transfer: TransferId,
    /// Its code.
    pub code: TransferCode,
    /// Its agreement.
    pub agreement: AgreementId,
    /// Where it stands.
    pub state: String,
    /// What there is to know about that, for people.
    pub note: Words,
    /// Who can move it on.
    pub mover: String,
    /// The file's name as far as it is still here, escaped.
    pub name: Option<String>,
    /// Since when.
    pub since: Time,
    /// How far a running upload or fetch is: bytes done and bytes in all.
    pub progress: Option<(u64, u64)>,
    /// Whether it is a rehearsal and no delivery.
    pub rehearsal: bool,
}

impl Row {
    /// What it is called, marked where it is a rehearsal.
    #[must_use]
    pub fn called(&self) -> String {
        called(self.code, self.rehearsal)
    }
}

/// `show`: one transfer with its history.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Detail {
    /// As in `list`.
    pub row: Row,
    /// The state with its data, as JSON.
    pub state: serde_json::Value,
    /// Its entries of the ledger.
    pub timeline: Vec<Entry>,
    /// Jobs that wait or are under way.
    pub waiting: Vec<Pending>,
}

/// One job of a transfer that is not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pending {
    /// Whose it is: a role.
    pub role: String,
    /// How often it was tried; 0 where it was not yet.
    pub tried: u32,
    /// What was in the way the last time; none where nothing was.
    pub why: Option<Words>,
}

impl Pending {
    /// As a person reads it, on one line.
    #[must_use]
    pub fn words(&self) -> Words {
        let (role, tried) = (&self.role, self.tried);
        let times = if tried == 1 { "time" } else { "times" };
        match &self.why {
            Some(why) => words!(
                "{role}: {} ({tried} keer geprobeerd)",
                "{role}: {} (tried {tried} {times})";
                why.clone()
            ),
            None => words!("{role}: bezig", "{role}: under way"),
        }
    }
}

/// `about`: which core answers, and where its folders are.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// Whose core.
    pub party: PartyId,
    /// `sealer` or `keeper`.
    pub role: String,
    /// Outbox or vault.
    pub folder: String,
    /// Entries in its ledger.
    pub entries: u64,
    /// Whether its clock jumped ahead, and nothing expires until two persons confirm it.
    pub clock_held: bool,
    /// Agreements of which a new version waits for a second person.
    #[serde(default)]
    pub unapproved: Vec<AgreementId>,
    /// The versions that this core began with, by their digest.
    #[serde(default)]
    pub installed: Vec<Digest>,
    /// Agreements under which this store is older than what its party has said.
    #[serde(default)]
    pub set_back: Vec<AgreementId>,
    /// Agreements under which no list moves on, because the other party was not heard since this core began.
    #[serde(default)]
    pub unheard: Vec<AgreementId>,
}

/// `restored`: a person says that an older store was put back, and that it goes on from what the other party has; or that
/// the other party's word by which that shows is not true.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoOn {
    /// Under which agreement.
    pub agreement: AgreementId,
    /// Why that word is refused, where it is: the other party is told.
    #[serde(default)]
    pub refuse: Option<String>,
    /// No store was put back, and the other party cannot be heard: lists move on all the same, until the next start.
    #[serde(default)]
    pub unheard: bool,
}

/// What becomes of that.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restored {
    /// Who said so first, once a second person has confirmed; nothing while one is waited for.
    pub first: Option<String>,
    /// The last of our own statements that is kept.
    pub kept: u64,
    /// The last one that the other party has.
    pub theirs: u64,
    /// How many shares count as exposed.
    pub exposed: u64,
    /// The transfers that cannot go on as they were: the agency sends what is still wanted anew.
    pub ended: Vec<Named>,
    /// The other party's word by which it shows, to the byte: a statement, or how far it has heard.
    #[serde(default)]
    pub word: Option<Signed>,
    /// What else was asked of the same, in other words: while this is asked, only one of them is meant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<Waiting>,
}

/// `say-again`: the other party lost what this one said, or the key to the letters.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SayAgain {
    /// Under which agreement.
    pub agreement: AgreementId,
    /// From which statement of this party on.
    pub from: u64,
}

/// What is on its way once more.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SaidAgain {
    /// The first statement.
    pub from: u64,
    /// The last one: at most 500 at once, and none behind one that is not here.
    pub until: u64,
    /// The last one that this party has made.
    pub last: u64,
}

/// What becomes of a person's word that the clock is right.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockWord {
    /// Whether what expires is still held.
    pub held: bool,
    /// Who said so first, once a second person has confirmed.
    pub first: Option<String>,
    /// What that word does, or did, by itself.
    pub over: Over,
}

/// How much is over by the clock as it is, and happens by itself once that is believed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Over {
    /// Transfers that expire.
    pub expire: usize,
    /// Lists of which it is announced that they go.
    pub announce: usize,
    /// Lists that are destroyed.
    pub destroy: usize,
}

/// `head`: signs this ledger's head over what a folder of evidence holds; the answer is the signed line.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AskHead {
    /// What is about one transfer.
    Transfer(TransferCode),
    /// What was said under an agreement, in one year or ever.
    Agreement(AgreementId, Option<i16>),
}

/// `said`: what both parties said under an agreement, in the order of this core's ledger, a part at a time.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskSaid {
    /// Under which agreement.
    pub agreement: AgreementId,
    /// What was entered after this entry of the ledger; 0 for the first part.
    pub after: u64,
    /// Nothing that was entered after this entry, so that all parts are of one moment.
    pub until: Option<u64>,
}

/// One part of what was said.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Said {
    /// In the order of the ledger.
    pub statements: Vec<SaidOnce>,
    /// What was decided and found beside them.
    pub decided: Vec<Decided>,
    /// All up to this entry is in it.
    pub until: u64,
    /// Whether there is more after that.
    pub more: bool,
}

/// `terms`: a text of an agreement that statements rest on, by its digest.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskTerms {
    /// As statements have it.
    pub terms: Digest,
}

/// That text.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TermsText {
    /// The file's bytes.
    pub text: String,
}
