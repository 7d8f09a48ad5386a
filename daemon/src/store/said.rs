//! The ledger, and the statements of both parties that it names.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use sluis_core::control::Named;
use sluis_core::evidence::Verified;
use sluis_core::export::decisions::Decided;
use sluis_core::id::{AgreementId, Digest, PartyId, Time, TransferId};
use sluis_core::ledger::{Entry, SaidOnce};
use sluis_core::notice::Sort;
use sluis_core::statement::{Signed, Tip};
use sluis_core::words::Words;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Record, Result, StoreError, Tx, optional_id, signed, text};

/// So many entries are looked through at once for decisions.
const DECIDED: usize = 2000;

/// A notice as it is kept.
#[derive(Debug)]
pub struct Kept {
    /// Its bytes.
    pub signed: Signed,
    /// When it was entered here.
    pub at: Time,
    /// Why it has no effect, where it has none.
    pub void: Option<Words>,
}

impl Tx {
    /// The head of the ledger.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn head(&mut self) -> Result<Tip> {
        let row = sqlx::query("SELECT number, digest FROM ledger ORDER BY number DESC LIMIT 1")
            .fetch_optional(&mut *self.tx)
            .await?;
        row.as_ref().map_or_else(|| Ok(Tip::start()), |row| tip(row, "ledger"))
    }

    /// When the last entry was made.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn entered_last(&mut self) -> Result<Option<Time>> {
        let row = sqlx::query("SELECT line FROM ledger ORDER BY number DESC LIMIT 1")
            .fetch_optional(&mut *self.tx)
            .await?;
        row.as_ref().map(|row| entered(row, 0)).transpose()
    }

    /// Appends an entry.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn enter(
        &mut self,
        now: Time,
        kind: &str,
        transfer: Option<TransferId>,
        detail: BTreeMap<String, String>,
    ) -> Result<u64> {
        let head = self.head().await?;
        self.goes_on_from(&head)?;
        let number = head.number + 1;
        let entry = Entry {
            number,
            previous: head.digest,
            time: now,
            kind: kind.to_owned(),
            transfer,
            detail,
        };
        let bad = |_| StoreError::Row("ledger");
        let tip = entry.tip().map_err(bad)?;
        sqlx::query("INSERT INTO ledger (number, digest, transfer, line) VALUES ($1, $2, $3, $4)")
            .bind(signed(number))
            .bind(tip.digest.to_string())
            .bind(transfer.map(|id| id.to_string()))
            .bind(entry.line().map_err(bad)?)
            .execute(&mut *self.tx)
            .await?;
        self.entered = Some(tip);
        Ok(number)
    }

    /// Lines of the ledger after this number, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn ledger(&mut self, after: u64, limit: i64) -> Result<Vec<String>> {
        let rows =
            sqlx::query("SELECT line FROM ledger WHERE number > $1 ORDER BY number LIMIT $2")
                .bind(signed(after))
                .bind(limit)
                .fetch_all(&mut *self.tx)
                .await?;
        rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
    }

    /// The entries about a transfer.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn timeline(&mut self, transfer: &TransferId) -> Result<Vec<Entry>> {
        let rows =
            sqlx::query("SELECT line FROM ledger WHERE transfer = $1 ORDER BY number LIMIT 1000")
                .bind(transfer.to_string())
                .fetch_all(&mut *self.tx)
                .await?;
        let entry = |row: &AnyRow| {
            let line: String = row.try_get(0)?;
            serde_json::from_str(&line).map_err(|_| StoreError::Row("ledger"))
        };
        rows.iter().map(entry).collect()
    }

    /// When the last entry of this kind was made about a transfer.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn entered_as(&mut self, transfer: &TransferId, kind: &str) -> Result<Option<Time>> {
        // A line has one form, and a quote inside a text is escaped: only the kind of an entry is followed by the
        // transfer; that of a statement, which the other party chooses, is not.
        let row = sqlx::query(
            "SELECT line FROM ledger WHERE transfer = $1 AND line LIKE $2 ORDER BY number DESC LIMIT 1",
        )
        .bind(transfer.to_string())
        .bind(format!("%,\"kind\":\"{kind}\",\"transfer\":\"%"))
        .fetch_optional(&mut *self.tx)
        .await?;
        row.as_ref().map(|row| entered(row, 0)).transpose()
    }

    /// How many statements of a kind were made under an agreement after the last one of another kind.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn said_since(
        &mut self,
        agreement: &AgreementId,
        kind: &str,
        last: &str,
    ) -> Result<u64> {
        let row = sqlx::query(
            "SELECT COUNT(*) FROM statements WHERE agreement = $1 AND kind = $2 AND effect = 1
               AND entry > (SELECT COALESCE(MAX(entry), 0) FROM statements
                            WHERE agreement = $1 AND kind = $3 AND effect = 1)",
        )
        .bind(agreement.to_string())
        .bind(kind)
        .bind(last)
        .fetch_one(&mut *self.tx)
        .await?;
        u64::try_from(row.try_get::<i64, _>(0)?).map_err(|_| StoreError::Row("statements"))
    }

    /// The last statement of a party under an agreement.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn last_statement(
        &mut self,
        issuer: &PartyId,
        agreement: &AgreementId,
    ) -> Result<Tip> {
        let row = sqlx::query(
            "SELECT number, digest FROM statements WHERE issuer = $1 AND agreement = $2 ORDER BY number DESC LIMIT 1",
        )
        .bind(issuer.to_string())
        .bind(agreement.to_string())
        .fetch_optional(&mut *self.tx)
        .await?;
        row.as_ref().map_or_else(|| Ok(Tip::start()), |row| tip(row, "statements"))
    }

    /// Keeps a statement to the byte, and enters it into the ledger.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keep_statement(&mut self, now: Time, verified: &Verified) -> Result<()> {
        let header = &verified.statement().header;
        let kind = verified.statement().body.kind();
        let detail = [
            ("issuer", header.issuer.to_string()),
            ("agreement", header.agreement.to_string()),
            ("kind", kind.to_owned()),
            ("number", header.number.to_string()),
            ("digest", verified.digest().to_string()),
        ];
        let detail = detail.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        let entry = self.enter(now, "statement", header.transfer, detail).await?;
        sqlx::query(
            "INSERT INTO statements
                 (issuer, agreement, number, digest, kind, transfer, statement, signature, entry, effect)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1)",
        )
        .bind(header.issuer.to_string())
        .bind(header.agreement.to_string())
        .bind(signed(header.number))
        .bind(verified.digest().to_string())
        .bind(kind)
        .bind(header.transfer.map(|id| id.to_string()))
        .bind(verified.signed().statement.as_str())
        .bind(verified.signed().signature.as_str())
        .bind(signed(entry))
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }

    /// A statement that is kept but has no effect is never taken for evidence.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn without_effect(&mut self, digest: &Digest) -> Result<()> {
        sqlx::query("UPDATE statements SET effect = 0 WHERE digest = $1")
            .bind(digest.to_string())
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }

    /// The statement of this kind that this party made about a transfer and that had an effect: the last one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn statement(
        &mut self,
        transfer: &TransferId,
        kind: &str,
        issuer: &PartyId,
    ) -> Result<Option<Signed>> {
        let row = sqlx::query(
            "SELECT statement, signature FROM statements
             WHERE transfer = $1 AND kind = $2 AND issuer = $3 AND effect = 1 ORDER BY entry DESC LIMIT 1",
        )
        .bind(transfer.to_string())
        .bind(kind)
        .bind(issuer.to_string())
        .fetch_optional(&mut *self.tx)
        .await?;
        row.as_ref().map(as_signed).transpose()
    }

    /// The notices under an agreement. Why one has no effect stands in the entry after its own.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn notices(&mut self, agreement: &AgreementId) -> Result<Vec<Kept>> {
        let kinds: Vec<_> = Sort::ALL.iter().map(|sort| format!("'{}'", sort.kind())).collect();
        // Nothing in it but our own words. The plus keeps the order from choosing the index: of all that was said, a few
        // are notices.
        let sql = format!(
            "SELECT s.statement, s.signature, l.line, s.effect, n.line FROM statements AS s
             JOIN ledger AS l ON l.number = s.entry
             LEFT JOIN ledger AS n ON n.number = s.entry + 1 AND s.effect = 0
             WHERE s.agreement = $1 AND s.number > 0 AND s.kind IN ({}) ORDER BY +s.entry",
            kinds.join(", ")
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(agreement.to_string())
            .fetch_all(&mut *self.tx)
            .await?;
        let kept = |row: &AnyRow| {
            let (effect, next): (i64, Option<String>) = (row.try_get(3)?, row.try_get(4)?);
            let why = next.and_then(|line| serde_json::from_str::<Entry>(&line).ok());
            let why = why.filter(|entry| entry.kind == "no-effect");
            let mut detail = why.map(|entry| entry.detail).unwrap_or_default();
            let mut text = |key| detail.remove(key).unwrap_or_default();
            let (en, nl) = (text("why"), text("nl"));
            let void = (effect != 1).then_some(Words { nl, en });
            Ok(Kept { signed: as_signed(row)?, at: entered(row, 2)?, void })
        };
        rows.iter().map(kept).collect()
    }

    /// Keeps that a transfer is a rehearsal.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn rehearses(
        &mut self,
        transfer: &TransferId,
        agreement: &AgreementId,
    ) -> Result<()> {
        sqlx::query("INSERT INTO rehearsals (transfer, agreement) VALUES ($1, $2) ON CONFLICT (transfer) DO NOTHING")
            .bind(transfer.to_string())
            .bind(agreement.to_string())
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }

    /// The transfers that are rehearsals.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn rehearsals(&mut self) -> Result<BTreeSet<TransferId>> {
        let rows = sqlx::query("SELECT transfer FROM rehearsals").fetch_all(&mut *self.tx).await?;
        rows.iter().map(|row| text(row, "transfer", "rehearsals")).collect()
    }

    /// Whether this transfer is one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn is_rehearsal(&mut self, transfer: &TransferId) -> Result<bool> {
        let found = sqlx::query("SELECT transfer FROM rehearsals WHERE transfer = $1")
            .bind(transfer.to_string())
            .fetch_optional(&mut *self.tx)
            .await?;
        Ok(found.is_some())
    }

    /// How a transfer is named beside others.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn named<S>(&mut self, record: &Record<S>) -> Result<Named> {
        Ok(Named { code: record.code, rehearsal: self.is_rehearsal(&record.id).await? })
    }

    /// What was said of this kind, with an effect, about the rehearsals under an agreement, and when it was entered.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn rehearsed(
        &mut self,
        agreement: &AgreementId,
        kind: &str,
    ) -> Result<Vec<(Signed, Time)>> {
        let rows = sqlx::query(
            "SELECT s.statement, s.signature, l.line FROM statements AS s
             JOIN ledger AS l ON l.number = s.entry
             JOIN rehearsals AS r ON r.transfer = s.transfer
             WHERE r.agreement = $1 AND s.agreement = $1 AND s.kind = $2 AND s.effect = 1 ORDER BY s.entry",
        )
        .bind(agreement.to_string())
        .bind(kind)
        .fetch_all(&mut *self.tx)
        .await?;
        rows.iter().map(|row| Ok((as_signed(row)?, entered(row, 2)?))).collect()
    }

    /// Which kinds were said of a transfer, with an effect, and when: by the time that was signed, and not after it was
    /// heard.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn said_when(&mut self, transfer: &TransferId) -> Result<Vec<(String, Time)>> {
        let rows = sqlx::query(
            "SELECT s.kind, l.line, s.statement FROM statements AS s JOIN ledger AS l ON l.number = s.entry
             WHERE s.transfer = $1 AND s.effect = 1 ORDER BY s.entry",
        )
        .bind(transfer.to_string())
        .fetch_all(&mut *self.tx)
        .await?;
        let when = |row: &AnyRow| {
            let statement: String = row.try_get(2)?;
            let said: Said =
                serde_json::from_str(&statement).map_err(|_| StoreError::Row("statements"))?;
            Ok((row.try_get(0)?, said.time.heard(entered(row, 1)?)))
        };
        rows.iter().map(when).collect()
    }

    /// Whether anybody said of a transfer that it was opened, with an effect or without.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn was_opened(&mut self, transfer: &TransferId) -> Result<bool> {
        let row = sqlx::query(
            "SELECT COUNT(*) FROM statements WHERE transfer = $1 AND kind = 'opened' AND number > 0",
        )
        .bind(transfer.to_string())
        .fetch_one(&mut *self.tx)
        .await?;
        Ok(row.try_get::<i64, _>(0)? > 0)
    }

    /// What this party sent under an agreement: each `sent`, as it was said.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn all_sent(&mut self, agreement: &AgreementId) -> Result<Vec<Signed>> {
        let rows = sqlx::query(
            "SELECT statement, signature FROM statements
             WHERE agreement = $1 AND kind = 'sent' AND effect = 1 ORDER BY entry",
        )
        .bind(agreement.to_string())
        .fetch_all(&mut *self.tx)
        .await?;
        rows.iter().map(as_signed).collect()
    }

    /// What was said under an agreement and entered after `after`, up to and with `until`, in the order of the
    /// ledger, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn said(
        &mut self,
        agreement: &AgreementId,
        (after, until): (u64, u64),
        limit: i64,
    ) -> Result<Vec<SaidOnce>> {
        let rows = sqlx::query(
            "SELECT s.statement, s.signature, s.entry, s.effect, l.line FROM statements AS s
             JOIN ledger AS l ON l.number = s.entry
             WHERE s.agreement = $1 AND s.number > 0 AND s.entry > $2 AND s.entry <= $3
             ORDER BY s.entry LIMIT $4",
        )
        .bind(agreement.to_string())
        .bind(signed(after))
        .bind(signed(until))
        .bind(limit)
        .fetch_all(&mut *self.tx)
        .await?;
        let once = |row: &AnyRow| {
            let (entry, effect): (i64, i64) = (row.try_get(2)?, row.try_get(3)?);
            let entry = u64::try_from(entry).map_err(|_| StoreError::Row("statements"))?;
            let signed = as_signed(row)?;
            Ok(SaidOnce { entry, entered: entered(row, 4)?, effect: effect == 1, signed })
        };
        rows.iter().map(once).collect()
    }

    /// What was decided and found under an agreement, of so many entries that are about it, and up to which entry that is all.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn decided(
        &mut self,
        agreement: &AgreementId,
        (after, until): (u64, u64),
    ) -> Result<(Vec<Decided>, u64)> {
        // Whose transfer it is, or whose agreement the entry names: a quote inside a text is escaped.
        let rows = sqlx::query(
            "SELECT l.line FROM ledger AS l LEFT JOIN transfers AS t ON t.id = l.transfer
             WHERE l.number > $1 AND l.number <= $2 AND (t.agreement = $3 OR l.line LIKE $4)
             ORDER BY l.number LIMIT $5",
        )
        .bind(signed(after))
        .bind(signed(until))
        .bind(agreement.to_string())
        .bind(format!("%\"agreement\":\"{agreement}\"%"))
        .bind(i64::try_from(DECIDED).unwrap_or(i64::MAX))
        .fetch_all(&mut *self.tx)
        .await?;
        let entry = |row: &AnyRow| -> Result<Entry> {
            let line: String = row.try_get(0)?;
            serde_json::from_str(&line).map_err(|_| StoreError::Row("ledger"))
        };
        let entries = rows.iter().map(entry).collect::<Result<Vec<_>>>()?;
        let full = entries.last().filter(|_| entries.len() == DECIDED).map(|last| last.number);
        let decided = entries.into_iter().filter_map(Decided::of).collect();
        Ok((decided, full.unwrap_or(until)))
    }

    /// What a party said under an agreement from a number on, in order, at most `limit`, and about which transfer.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn said_by(
        &mut self,
        issuer: &PartyId,
        agreement: &AgreementId,
        from: u64,
        limit: i64,
    ) -> Result<Vec<(u64, Option<TransferId>, Signed)>> {
        let rows = sqlx::query(
            "SELECT statement, signature, number, transfer FROM statements
             WHERE issuer = $1 AND agreement = $2 AND number >= $3 AND number > 0 ORDER BY number LIMIT $4",
        )
        .bind(issuer.to_string())
        .bind(agreement.to_string())
        .bind(signed(from))
        .bind(limit)
        .fetch_all(&mut *self.tx)
        .await?;
        let one = |row: &AnyRow| {
            let number = u64::try_from(row.try_get::<i64, _>("number")?);
            let number = number.map_err(|_| StoreError::Row("statements"))?;
            Ok((number, optional_id(row, "transfer", "statements")?, as_signed(row)?))
        };
        rows.iter().map(one).collect()
    }

    /// Statements entered after this entry, with the entry of each, at most `limit`: void ones too.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn kept_statements(&mut self, after: u64, limit: i64) -> Result<Vec<(u64, String)>> {
        let rows = sqlx::query(
            "SELECT entry, statement FROM statements WHERE entry > $1 ORDER BY entry LIMIT $2",
        )
        .bind(signed(after))
        .bind(limit)
        .fetch_all(&mut *self.tx)
        .await?;
        let kept = |row: &AnyRow| {
            let entry: i64 = row.try_get(0)?;
            let entry = u64::try_from(entry).map_err(|_| StoreError::Row("statements"))?;
            Ok((entry, row.try_get(1)?))
        };
        rows.iter().map(kept).collect()
    }

    /// All statements about a transfer, in the order of the ledger.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn statements(&mut self, transfer: &TransferId) -> Result<Vec<Signed>> {
        let rows = sqlx::query(
            "SELECT statement, signature FROM statements
             WHERE transfer = $1 AND number > 0 ORDER BY entry",
        )
        .bind(transfer.to_string())
        .fetch_all(&mut *self.tx)
        .await?;
        rows.iter().map(as_signed).collect()
    }
}

pub(super) fn tip(row: &AnyRow, table: &'static str) -> Result<Tip> {
    let number: i64 = row.try_get("number")?;
    let number = u64::try_from(number).map_err(|_| StoreError::Row(table))?;
    Ok(Tip { number, digest: text(row, "digest", table)? })
}

/// Of a statement when it was signed.
#[derive(Deserialize)]
struct Said {
    time: Time,
}

/// The time of the ledger's line in this column.
pub(super) fn entered(row: &AnyRow, column: usize) -> Result<Time> {
    let line: String = row.try_get(column)?;
    let entry: Entry = serde_json::from_str(&line).map_err(|_| StoreError::Row("ledger"))?;
    Ok(entry.time)
}

fn as_signed(row: &AnyRow) -> Result<Signed> {
    Ok(Signed { statement: row.try_get(0)?, signature: row.try_get(1)? })
}
