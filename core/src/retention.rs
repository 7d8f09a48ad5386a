//! What the municipality keeps: until which day, who destroys it then, and what an attestation may claim of it
//! (art. 2 and 3; R17, R24).
//!
//! The last day is that of the clock `retention`. What goes by itself goes on that day, so that nobody is late, and is
//! announced before: where nobody could, a day before it goes, and then it is late. It cannot be put off: the years are a
//! maximum.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::agreement::Agreement;
use crate::agreement::articles::Destruction;
use crate::id::{AgreementId, Time, TransferCode};
use crate::words::{Language, Words};
use crate::{deadline, words};

/// So many days before its last one it is announced that a list goes by itself.
const ANNOUNCED_DAYS: i32 = 30;

/// So long, in milliseconds, it stands announced before it goes, however late that is.
const STANDS_MS: i64 = 86_400_000;

/// A list that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retained {
    /// The code that people know it by.
    pub code: TransferCode,
    /// Under which agreement.
    pub agreement: AgreementId,
    /// Where it stands.
    pub state: String,
    /// When it was delivered.
    pub delivered: Time,
    /// When it was opened, if it was.
    pub opened: Option<Time>,
    /// The last day on which it may be here.
    pub last_day: Date,
    /// Days until then: 0 on that day, fewer after it.
    pub days_left: i32,
    /// Who destroys it.
    pub destroy: Destruction,
    /// When it was last announced that it goes by itself.
    pub announced: Option<Time>,
    /// Who asked to destroy it, while a second person is waited for.
    pub asked_by: Option<String>,
    /// Whether it went into folders only, and so is a rehearsal (R88).
    #[serde(default)]
    pub rehearsal: bool,
}

/// What is to be done by itself about a list that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// Nothing.
    Nothing,
    /// To announce that it goes.
    Announce,
    /// To destroy it.
    Destroy,
}

/// Until when a list that was delivered then may be here, and how many days that is.
#[must_use]
pub fn last_day(agreement: &Agreement, delivered: Time, now: Time) -> (Date, i32) {
    let last = deadline::retention(agreement, "", delivered).due.date();
    // Dates that are too far apart to be counted are far apart.
    let days = now.date().until(last).map_or(i32::MAX, |span| span.get_days());
    (last, days)
}

impl Retained {
    /// What is to be done by itself now. Only where the clock can be believed may it be asked.
    #[must_use]
    pub fn due(&self, now: Time) -> Due {
        if self.destroy != Destruction::Automatic || self.days_left > ANNOUNCED_DAYS {
            return Due::Nothing;
        }
        // What was announced in a time that never came was announced to nobody.
        let Some(announced) = self.announced.filter(|at| at.has_come(now)) else {
            return Due::Announce;
        };
        let stood = now >= announced.plus_ms(STANDS_MS);
        if self.days_left <= 0 && stood { Due::Destroy } else { Due::Nothing }
    }
}

/// What there is to attest: what the vault keeps under an agreement, and what was destroyed since the last time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stock {
    /// How many lists are kept.
    pub kept: usize,
    /// The day on which the oldest of them was delivered.
    pub oldest: Option<Date>,
    /// The first day on which one of them must be gone.
    pub next: Option<Date>,
    /// How many were destroyed since the last attestation.
    pub destroyed: u64,
    /// The day of that one; nothing where there was none.
    pub since: Option<Date>,
    /// What is still there after its last day.
    pub past: Vec<TransferCode>,
    /// What the books have and the vault has not.
    pub missing: Vec<TransferCode>,
    /// What lies in the vault and the books do not have.
    pub stray: Vec<String>,
}

impl Stock {
    /// The counts of these lists.
    #[must_use]
    pub fn of(kept: &[Retained]) -> Self {
        let past = kept.iter().filter(|it| it.days_left < 0);
        Self {
            kept: kept.len(),
            oldest: kept.iter().map(|it| it.delivered.date()).min(),
            next: kept.iter().map(|it| it.last_day).min(),
            past: past.map(|it| it.code).collect(),
            ..Self::default()
        }
    }

    /// Why it cannot be attested that all is in order; nothing where it can.
    #[must_use]
    pub fn contradicts(&self) -> Option<Words> {
        let past = self.past.iter().map(|code| {
            words!(
                "{code} is er nog na zijn laatste dag: twee personen vernietigen hem (sluis destroy {code})",
                "{code} is still here after its last day: two persons destroy it (sluis destroy {code})"
            )
        });
        let missing = self.missing.iter().map(|code| {
            words!(
                "{code} staat in de boeken en niet in de kluis: zoek hem, of laat twee personen zeggen dat hij weg is (sluis destroy {code})",
                "{code} stands in the books and not in the vault: find it, or have two persons say that it is gone (sluis destroy {code})"
            )
        });
        let stray = self.stray.iter().map(|name| {
            words!(
                "{name} ligt in de kluis en staat niet in de boeken: kijk na en haal het weg",
                "{name} lies in the vault and the books do not have it: look, and remove it"
            )
        });
        let all: Vec<Words> = past.chain(missing).chain(stray).collect();
        let told = |it| all.iter().map(|words| words.text(it)).collect::<Vec<_>>().join("; ");
        (!all.is_empty()).then(|| words!("art. 3: {}", "art. 3: {}"; Words::of(told)))
    }

    /// What is attested, in a sentence.
    #[must_use]
    pub fn text(&self, language: Language) -> String {
        let english = language == Language::En;
        let kept = match (self.oldest, self.next) {
            (Some(oldest), Some(next)) if english => format!(
                "Kept: {}, the oldest delivered on {oldest}, the next to go by {next}.",
                self.kept
            ),
            (Some(oldest), Some(next)) => format!(
                "Bewaard: {}, de oudste geleverd op {oldest}, de eerste gaat weg tegen {next}.",
                self.kept
            ),
            _ if english => "Kept: nothing.".into(),
            _ => "Bewaard: niets.".into(),
        };
        let destroyed = match self.since {
            Some(since) if english => format!("Destroyed since {since}: {}.", self.destroyed),
            Some(since) => format!("Vernietigd sinds {since}: {}.", self.destroyed),
            None if english => format!("Destroyed so far: {}.", self.destroyed),
            None => format!("Tot nu toe vernietigd: {}.", self.destroyed),
        };
        format!("{kept} {destroyed}")
    }
}

#[cfg(test)]
mod tests;
