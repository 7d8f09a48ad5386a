//! What the store knows of older stores that were put back in its place: where one is held, and from where it went on.

use sluis_core::epoch::Epoch;
use sluis_core::id::{AgreementId, Digest, PartyId, Time};
use sluis_core::statement::{Signed, Statement, Tip};
use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Result, StoreError, Tx, signed, text};

/// Work that is not given while its agreement is held: an older store says nothing and lets nothing leave.
pub(super) const NOT_HELD: &str = "(j.lane = 'mail' OR NOT EXISTS (
    SELECT 1 FROM set_back AS held WHERE held.agreement = j.agreement))";

/// An agreement under which this store is older than what its party has said.
#[derive(Debug, Clone)]
pub struct SetBack {
    /// Which.
    pub agreement: AgreementId,
    /// The last statement of ours that the other party has.
    pub theirs: Tip,
    /// When that was noticed.
    pub since: Time,
    /// The word by which that shows: a statement of the other party, or what it says that it has seen.
    pub word: Option<Signed>,
}

/// What becomes of a word of the other party that names what is not here. Its bytes are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The store is held by it.
    Holds,
    /// Two persons went on from what it names.
    WentOn,
    /// Two persons refused it.
    Refused,
    /// It names what no store of ours can have said.
    NotPlausible,
}

impl Fate {
    fn name(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::WentOn => "went-on",
            Self::Refused => "refused",
            Self::NotPlausible => "not-plausible",
        }
    }
}

impl Tx {
    /// The agreements under which this store is older than what its party has said.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn all_set_back(&mut self) -> Result<Vec<SetBack>> {
        let rows = sqlx::query(
            "SELECT held.*, shown.word, shown.signature FROM set_back AS held
             LEFT JOIN set_back_words AS shown
             ON shown.agreement = held.agreement AND shown.fate = $1 ORDER BY held.agreement",
        )
        .bind(Fate::Holds.name())
        .fetch_all(&mut *self.tx)
        .await?;
        let row = |row: &AnyRow| {
            let word: (Option<String>, Option<String>) =
                (row.try_get("word")?, row.try_get("signature")?);
            Ok(SetBack {
                agreement: text(row, "agreement", "set_back")?,
                theirs: tip(row, "number", "digest")?,
                since: Time(row.try_get("since")?),
                word: word
                    .0
                    .zip(word.1)
                    .map(|(statement, signature)| Signed { statement, signature }),
            })
        };
        rows.iter().map(row).collect()
    }

    /// Whether this store is held under an agreement.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_back(&mut self, agreement: &AgreementId) -> Result<Option<SetBack>> {
        let all = self.all_set_back().await?;
        Ok(all.into_iter().find(|it| it.agreement == *agreement))
    }

    /// The other party has this statement of ours by its word, and it is not here. The last of several counts.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn hold_back(
        &mut self,
        agreement: &AgreementId,
        theirs: &Tip,
        word: &Signed,
        now: Time,
    ) -> Result<()> {
        let held = sqlx::query(
            "INSERT INTO set_back (agreement, number, digest, since) VALUES ($1, $2, $3, $4)
             ON CONFLICT (agreement) DO UPDATE SET number = $2, digest = $3
             WHERE set_back.number < $2",
        )
        .bind(agreement.to_string())
        .bind(signed(theirs.number))
        .bind(theirs.digest.to_string())
        .bind(now.0)
        .execute(&mut *self.tx)
        .await?;
        if held.rows_affected() == 0 {
            return Ok(());
        }
        sqlx::query("DELETE FROM set_back_words WHERE agreement = $1 AND fate = $2")
            .bind(agreement.to_string())
            .bind(Fate::Holds.name())
            .execute(&mut *self.tx)
            .await?;
        self.keep_word(agreement, word, Fate::Holds, now).await
    }

    /// Keeps the bytes of a word of the other party that names what is not here.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keep_word(
        &mut self,
        agreement: &AgreementId,
        word: &Signed,
        fate: Fate,
        now: Time,
    ) -> Result<()> {
        sqlx::query(
            "INSERT INTO set_back_words (digest, agreement, word, signature, at, fate)
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (digest) DO UPDATE SET fate = $6",
        )
        .bind(word.digest().to_string())
        .bind(agreement.to_string())
        .bind(&word.statement)
        .bind(&word.signature)
        .bind(now.0)
        .bind(fate.name())
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }

    /// Whether this became of the word.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn word_is(&mut self, word: &Digest, fate: Fate) -> Result<bool> {
        let row = sqlx::query("SELECT digest FROM set_back_words WHERE digest = $1 AND fate = $2")
            .bind(word.to_string())
            .bind(fate.name())
            .fetch_optional(&mut *self.tx)
            .await?;
        Ok(row.is_some())
    }

    /// Of how many words under an agreement this became since then.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn words_since(
        &mut self,
        agreement: &AgreementId,
        fate: Fate,
        since: Time,
    ) -> Result<i64> {
        let row = sqlx::query(
            "SELECT COUNT(*) FROM set_back_words WHERE agreement = $1 AND fate = $2 AND at > $3",
        )
        .bind(agreement.to_string())
        .bind(fate.name())
        .bind(since.0)
        .fetch_one(&mut *self.tx)
        .await?;
        Ok(row.try_get(0)?)
    }

    /// The store is held no longer, and this became of the word by which it was.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn let_go(&mut self, agreement: &AgreementId, fate: Fate) -> Result<()> {
        sqlx::query("DELETE FROM set_back WHERE agreement = $1")
            .bind(agreement.to_string())
            .execute(&mut *self.tx)
            .await?;
        sqlx::query("UPDATE set_back_words SET fate = $3 WHERE agreement = $1 AND fate = $2")
            .bind(agreement.to_string())
            .bind(Fate::Holds.name())
            .bind(fate.name())
            .execute(&mut *self.tx)
            .await?;
        self.wakes.all();
        Ok(())
    }

    /// Whether the other party is to be told that it contradicts itself by this statement: once for each number, and at
    /// most so many times since then. From here on it was told.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tells_contradiction(
        &mut self,
        agreement: &AgreementId,
        of: &Tip,
        now: Time,
        (most, since): (i64, Time),
    ) -> Result<bool> {
        let lately =
            sqlx::query("SELECT COUNT(*) FROM contradicted WHERE agreement = $1 AND at > $2")
                .bind(agreement.to_string())
                .bind(since.0)
                .fetch_one(&mut *self.tx)
                .await?;
        if lately.try_get::<i64, _>(0)? >= most {
            return Ok(false);
        }
        let told = sqlx::query(
            "INSERT INTO contradicted (agreement, number, digest, at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (agreement, number) DO NOTHING",
        )
        .bind(agreement.to_string())
        .bind(signed(of.number))
        .bind(of.digest.to_string())
        .bind(now.0)
        .execute(&mut *self.tx)
        .await?;
        Ok(told.rows_affected() > 0)
    }

    /// The new beginnings under an agreement, the first one first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn epochs(&mut self, agreement: &AgreementId) -> Result<Vec<Epoch>> {
        let rows = sqlx::query("SELECT * FROM epochs WHERE agreement = $1 ORDER BY epoch")
            .bind(agreement.to_string())
            .fetch_all(&mut *self.tx)
            .await?;
        let epoch = |row: &AnyRow| {
            Ok(Epoch {
                kept: tip(row, "kept", "kept_digest")?,
                from: tip(row, "began", "began_digest")?,
            })
        };
        rows.iter().map(epoch).collect()
    }

    /// Begins an epoch: the store is held no longer. Statements of `own` after what is kept are void, and letters that
    /// were not brought yet are of no use.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn begin_epoch(
        &mut self,
        agreement: &AgreementId,
        own: &PartyId,
        epoch: &Epoch,
    ) -> Result<()> {
        // A void statement keeps its entry; the number that it gave itself is another one's now.
        sqlx::query(
            "UPDATE statements SET number = -entry, effect = 0
             WHERE issuer = $1 AND agreement = $2 AND number > $3",
        )
        .bind(own.to_string())
        .bind(agreement.to_string())
        .bind(signed(epoch.kept.number))
        .execute(&mut *self.tx)
        .await?;
        sqlx::query("DELETE FROM jobs WHERE agreement = $1 AND lane = 'post'")
            .bind(agreement.to_string())
            .execute(&mut *self.tx)
            .await?;
        self.let_go(agreement, Fate::WentOn).await?;
        let number = self.epochs(agreement).await?.len() + 1;
        sqlx::query(
            "INSERT INTO epochs (agreement, epoch, kept, kept_digest, began, began_digest)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(agreement.to_string())
        .bind(i64::try_from(number).unwrap_or(i64::MAX))
        .bind(signed(epoch.kept.number))
        .bind(epoch.kept.digest.to_string())
        .bind(signed(epoch.from.number))
        .bind(epoch.from.digest.to_string())
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }

    /// The digest of a party's statement by this number.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn digest_of(
        &mut self,
        issuer: &PartyId,
        agreement: &AgreementId,
        number: u64,
    ) -> Result<Option<Digest>> {
        let row = sqlx::query(
            "SELECT digest FROM statements WHERE issuer = $1 AND agreement = $2 AND number = $3",
        )
        .bind(issuer.to_string())
        .bind(agreement.to_string())
        .bind(signed(number))
        .fetch_optional(&mut *self.tx)
        .await?;
        row.as_ref().map(|row| text(row, "digest", "statements")).transpose()
    }

    /// When a party said, by its own word, what another one names as seen, but not after it was entered here; nothing
    /// where that is not here.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn time_of(
        &mut self,
        issuer: &PartyId,
        agreement: &AgreementId,
        seen: &Tip,
    ) -> Result<Option<Time>> {
        let row = sqlx::query(
            "SELECT s.statement, l.line FROM statements AS s JOIN ledger AS l ON l.number = s.entry
             WHERE s.issuer = $1 AND s.agreement = $2 AND s.number = $3 AND s.digest = $4",
        )
        .bind(issuer.to_string())
        .bind(agreement.to_string())
        .bind(signed(seen.number))
        .bind(seen.digest.to_string())
        .fetch_optional(&mut *self.tx)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let statement: String = row.try_get(0)?;
        let statement = Statement::read(statement.as_bytes());
        let said = statement.map_err(|_| StoreError::Row("statements"))?.header.time;
        Ok(Some(said.min(super::said::entered(&row, 1)?)))
    }

    /// The last statement of `own` that `other` is known to have as it stands here.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn agreed_on(
        &mut self,
        own: &PartyId,
        other: &PartyId,
        agreement: &AgreementId,
    ) -> Result<Tip> {
        let rows = sqlx::query(
            "SELECT statement FROM statements WHERE issuer = $1 AND agreement = $2 AND number > 0
             ORDER BY number DESC",
        )
        .bind(other.to_string())
        .bind(agreement.to_string())
        .fetch_all(&mut *self.tx)
        .await?;
        for row in rows {
            let statement: String = row.try_get(0)?;
            let statement = Statement::read(statement.as_bytes());
            let seen = statement.map_err(|_| StoreError::Row("statements"))?.header.seen;
            if self.digest_of(own, agreement, seen.number).await? == Some(seen.digest) {
                return Ok(seen);
            }
        }
        Ok(Tip::start())
    }

    /// This statement was heard while the store was held: its effect waits.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn defer(&mut self, digest: &Digest) -> Result<()> {
        self.effect(digest, 2).await
    }

    /// What waits for its effect, in the order of the ledger; from here on it has it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn take_deferred(&mut self, agreement: &AgreementId) -> Result<Vec<Signed>> {
        let waiting = self.by_effect(agreement, 2).await?;
        for statement in &waiting {
            self.effect(&statement.digest(), 1).await?;
        }
        Ok(waiting)
    }

    /// What was heard and has no effect, in the order of the ledger.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn all_void(&mut self, agreement: &AgreementId) -> Result<Vec<Signed>> {
        self.by_effect(agreement, 0).await
    }

    /// What had none has it from here on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn takes_effect(&mut self, digest: &Digest) -> Result<()> {
        self.effect(digest, 1).await
    }

    async fn by_effect(&mut self, agreement: &AgreementId, effect: i64) -> Result<Vec<Signed>> {
        let rows = sqlx::query(
            "SELECT statement, signature FROM statements
             WHERE agreement = $1 AND effect = $2 AND number > 0 ORDER BY entry",
        )
        .bind(agreement.to_string())
        .bind(effect)
        .fetch_all(&mut *self.tx)
        .await?;
        let kept =
            |row: &AnyRow| Ok(Signed { statement: row.try_get(0)?, signature: row.try_get(1)? });
        rows.iter().map(kept).collect()
    }

    async fn effect(&mut self, digest: &Digest, effect: i64) -> Result<()> {
        sqlx::query("UPDATE statements SET effect = $2 WHERE digest = $1")
            .bind(digest.to_string())
            .bind(effect)
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }
}

fn tip(row: &AnyRow, number: &str, digest: &str) -> Result<Tip> {
    let of: i64 = row.try_get(number)?;
    let number = u64::try_from(of).map_err(|_| StoreError::Row("epochs"))?;
    Ok(Tip { number, digest: text(row, digest, "epochs")? })
}
