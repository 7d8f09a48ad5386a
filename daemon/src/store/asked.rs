//! What a first person asked for and a second one has not confirmed yet.

use sluis_core::control::Wanted;
use sluis_core::id::Time;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Result, StoreError, Tx, detail};

/// What was asked waits so long for a second person.
const WAITS_MS: i64 = 7 * 86_400_000;

/// Who asked first, and when.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The user.
    pub uid: u32,
    /// Its name then.
    pub name: String,
    /// When.
    pub at: Time,
    /// What, as a second person needs it.
    pub wanted: Wanted,
}

impl Asked {
    /// Until when it waits.
    #[must_use]
    pub fn until(&self) -> Time {
        self.at.plus_ms(WAITS_MS)
    }

    /// Whether it waits still. What was asked while the clock was ahead waits no more once it is set right.
    #[must_use]
    pub fn waits(&self, now: Time) -> bool {
        self.at.is_fresh(WAITS_MS, now)
    }
}

impl Tx {
    /// Who asked for this first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn asked(&mut self, verb: &str, subject: &str) -> Result<Option<Asked>> {
        let row = sqlx::query(
            "SELECT asked.*, word FROM asked LEFT JOIN wanted
             ON wanted.verb = asked.verb AND wanted.subject = asked.subject
             WHERE asked.verb = $1 AND asked.subject = $2",
        )
        .bind(verb)
        .bind(subject)
        .fetch_optional(&mut *self.tx)
        .await?;
        row.as_ref().map(asked).transpose()
    }

    /// Everything that waits for a second person: verb, subject, and who asked first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn all_asked(&mut self) -> Result<Vec<(String, String, Asked)>> {
        let rows = sqlx::query(
            "SELECT asked.*, word FROM asked LEFT JOIN wanted
             ON wanted.verb = asked.verb AND wanted.subject = asked.subject
             ORDER BY at LIMIT 500",
        )
        .fetch_all(&mut *self.tx)
        .await?;
        let row = |row: &AnyRow| Ok((row.try_get("verb")?, row.try_get("subject")?, asked(row)?));
        rows.iter().map(row).collect()
    }

    /// Forgets what waits no more, so that no clock brings it back, and enters that nobody confirmed it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn forget_asked(&mut self, now: Time) -> Result<()> {
        for (verb, subject, asked) in self.all_asked().await? {
            if !asked.waits(now) {
                self.lapse(now, (&verb, &subject), asked).await?;
            }
        }
        Ok(())
    }

    /// Forgets what was asked, and enters that nobody confirmed it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lapse(&mut self, now: Time, of: (&str, &str), asked: Asked) -> Result<()> {
        let (verb, subject) = of;
        self.unask(verb, subject).await?;
        let under = asked.wanted.agreement.map(|it| ("agreement", it.to_string()));
        let known = [("by", asked.name), ("of", subject.to_owned())];
        let known = detail(known.into_iter().chain(under));
        self.enter(now, &format!("{verb}-lapsed"), asked.wanted.transfer, known).await?;
        Ok(())
    }

    /// Keeps who asked for this first; what was asked long ago is forgotten.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn ask(&mut self, verb: &str, subject: &str, asked: &Asked) -> Result<()> {
        self.unask(verb, subject).await?;
        sqlx::query("INSERT INTO asked (verb, subject, uid, name, at) VALUES ($1, $2, $3, $4, $5)")
            .bind(verb)
            .bind(subject)
            .bind(i64::from(asked.uid))
            .bind(asked.name.as_str())
            .bind(asked.at.0)
            .execute(&mut *self.tx)
            .await?;
        sqlx::query("INSERT INTO wanted (verb, subject, word) VALUES ($1, $2, $3)")
            .bind(verb)
            .bind(subject)
            .bind(serde_json::to_string(&asked.wanted).map_err(|_| StoreError::Row("wanted"))?)
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }

    /// It was confirmed, or waits no more.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn unask(&mut self, verb: &str, subject: &str) -> Result<()> {
        for gone in [
            "DELETE FROM asked WHERE verb = $1 AND subject = $2",
            "DELETE FROM wanted WHERE verb = $1 AND subject = $2",
        ] {
            sqlx::query(gone).bind(verb).bind(subject).execute(&mut *self.tx).await?;
        }
        Ok(())
    }
}

fn asked(row: &AnyRow) -> Result<Asked> {
    let (uid, at): (i64, i64) = (row.try_get("uid")?, row.try_get("at")?);
    let uid = u32::try_from(uid).map_err(|_| StoreError::Row("asked"))?;
    let word: Option<String> = row.try_get("word")?;
    let wanted = match word {
        Some(word) => serde_json::from_str(&word).map_err(|_| StoreError::Row("wanted"))?,
        None => Wanted::default(),
    };
    Ok(Asked { uid, name: row.try_get("name")?, at: Time(at), wanted })
}
