//! What the municipality says, and what it does to a transfer.

use sluis_core::agreement::Side;
use sluis_core::evidence::{Delivery, Opening, Refusal, Removal, Terms, Verified};
use sluis_core::id::TransferId;
use sluis_core::notice::Sort;
use sluis_core::statement::Body;
use sluis_core::transfer::{Event, State};
use sluis_core::words;

use super::Agency;
use crate::error::{CoreError, Effect, Result};
use crate::store::Tx;

impl Agency {
    /// The statement is kept already; this is what follows from it.
    pub(super) async fn hear(&self, tx: &mut Tx, said: &Verified) -> Effect {
        if let Body::Unknown(kind, _) = &said.statement().body {
            return Ok(Err(words!(
                "deze versie kent {kind} niet",
                "{kind} is not known to this version"
            )));
        }
        if let Body::Notice(sort, notice) = &said.statement().body {
            let effect = self.books.hear_notice(tx, said, *sort, notice).await?;
            if effect.is_ok() && *sort == Sort::BasisGone {
                self.will_end(tx, &said.statement().header.agreement).await?;
            }
            return Ok(effect);
        }
        let Ok(id) = said.transfer() else { return Ok(Ok(())) };
        let (mut record, terms) = match self.books.spoken_of::<State>(tx, said, &id).await? {
            Ok(found) => found,
            Err(why) => return Ok(Err(why)),
        };
        let event = match self.event(tx, &terms, &id, said).await {
            Ok(Some(event)) => event,
            Ok(None) => return Ok(Ok(())),
            Err(CoreError::Evidence(refusal)) => {
                return Ok(Err(words!("het bewijst niets: {}", "{}"; refusal.words())));
            }
            Err(CoreError::Refused(refused)) => return Ok(Err(refused.words)),
            Err(other) => return Err(other),
        };
        let typed = matches!(event, Event::ShareAccepted(_));
        match self.advance(tx, &mut record, &terms, event, None).await {
            Ok(()) => {
                if typed && tx.rehearsals().await?.contains(&id) {
                    self.rehearsed(tx, &record.agreement).await?;
                }
                Ok(Ok(()))
            }
            Err(CoreError::Illegal(illegal)) => Ok(Err(illegal.words())),
            Err(other) => Err(other),
        }
    }

    /// The event that a statement is evidence of.
    async fn event(
        &self,
        tx: &mut Tx,
        terms: &Terms,
        id: &TransferId,
        said: &Verified,
    ) -> Result<Option<Event>> {
        Ok(Some(match &said.statement().body {
            Body::Delivered(_) => {
                let sent = self.books.required(tx, terms, id, "sent", Side::Agency).await?;
                Event::Delivered(Delivery::check(&sent, said)?)
            }
            Body::Removed(_) => {
                let sent = self.books.required(tx, terms, id, "sent", Side::Agency).await?;
                let delivered =
                    self.books.required(tx, terms, id, "delivered", Side::Municipality).await?;
                Event::Removed(Removal::check(terms, &sent, &delivered, said)?)
            }
            Body::Ready(body) => {
                let removed =
                    self.books.required(tx, terms, id, "removed", Side::Municipality).await?;
                if body.removed != removed.digest() {
                    let refusal =
                        Refusal::Mismatch { kind: "ready".into(), number: 0, what: "removed" };
                    return Err(refusal.into());
                }
                Event::Ready
            }
            Body::ShareAccepted(body) => Event::ShareAccepted(body.index),
            Body::Opened(_) => {
                let sent = self.books.required(tx, terms, id, "sent", Side::Agency).await?;
                Event::Opened(Opening::check(&sent, said)?)
            }
            Body::Failed(body) => {
                Event::Fail { step: "municipality", code: super::outcome::plain(&body.code) }
            }
            _ => return Ok(None),
        }))
    }

    /// The evidence of the removal, from the bytes of the three statements, each time anew.
    ///
    /// # Errors
    /// [`CoreError::Evidence`].
    pub(super) async fn removal(
        &self,
        tx: &mut Tx,
        terms: &Terms,
        id: &TransferId,
    ) -> Result<Removal> {
        Ok(self.removal_with_its_words(tx, terms, id).await?.0)
    }

    /// The same, with the three statements: `sent`, `delivered`, `removed`.
    ///
    /// # Errors
    /// [`CoreError::Evidence`].
    pub(super) async fn removal_with_its_words(
        &self,
        tx: &mut Tx,
        terms: &Terms,
        id: &TransferId,
    ) -> Result<(Removal, [Verified; 3])> {
        let sent = self.books.required(tx, terms, id, "sent", Side::Agency).await?;
        let delivered = self.books.required(tx, terms, id, "delivered", Side::Municipality).await?;
        let removed = self.books.required(tx, terms, id, "removed", Side::Municipality).await?;
        let removal = Removal::check(terms, &sent, &delivered, &removed)?;
        Ok((removal, [sent, delivered, removed]))
    }
}
