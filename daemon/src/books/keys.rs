//! Which keys count, and which of those that lie here signs: always by the version of the agreement that counts, never
//! by the one that a transfer began under.

use std::sync::Arc;

use sluis_config::agreements::Agreements;
use sluis_core::agreement::keys::{Keys, is_same_key};
use sluis_core::agreement::{Agreement, Side};
use sluis_core::evidence::Terms;
use sluis_core::id::{AgreementId, Digest, PartyId};
use sluis_core::keyring::Signers;
use sluis_core::ledger;
use sluis_core::statement::Signer;
use sluis_core::words;

use super::{Books, CoreError, Result, counting};
use crate::store::{Sign, Tx};

/// How a core signs where its ledger ends: with each of its keys, for one that is new may be taken back, and a former one goes.
pub(super) fn signs_ends(party: &PartyId, signers: &Arc<Signers>) -> Sign {
    let (party, signers) = (party.clone(), Arc::clone(signers));
    Arc::new(move |tip| {
        let text = ledger::end(&party, tip);
        signers.iter().map(|key| key.sign(ledger::END, text.as_bytes())).collect()
    })
}

/// Every public key by which this party may have signed: of those that lie here, and of those that an agreement has of it.
pub(super) fn own(side: Side, agreements: &Agreements, signers: &Signers) -> Result<Vec<String>> {
    let mut all = signers.iter().map(Signer::public).collect::<std::result::Result<Vec<_>, _>>()?;
    for installed in agreements.iter() {
        let keys = installed.terms.agreement.party_keys(side).history();
        all.extend(keys.map(|(_, key)| key.to_owned()));
    }
    Ok(all)
}

impl Books {
    /// The keys of the version of this agreement that counts; nothing where none ever did here.
    ///
    /// # Errors
    /// [`CoreError::Store`].
    pub async fn keys(&self, tx: &mut Tx, agreement: &AgreementId) -> Result<Option<Keys>> {
        let known = self.keys.lock().ok().and_then(|keys| keys.get(agreement).cloned());
        if known.is_some() {
            return Ok(known);
        }
        let counting = counting::counting(tx, agreement).await?;
        let keys = counting.map(|terms| terms.agreement.keys);
        if let (Some(found), Ok(mut known)) = (&keys, self.keys.lock()) {
            known.insert(agreement.clone(), found.clone());
        }
        Ok(keys)
    }

    /// Another version may count from now on: what was verified under the one before is verified again.
    pub(crate) fn forget_keys(&self, agreement: &AgreementId) {
        if let Ok(mut keys) = self.keys.lock() {
            keys.remove(agreement);
        }
        if let Ok(mut known) = self.known.lock() {
            known.clear();
        }
    }

    /// Terms with the keys of the version that counts.
    pub(crate) async fn with_keys(&self, tx: &mut Tx, terms: Terms) -> Result<Terms> {
        match self.keys(tx, &terms.agreement.agreement).await? {
            Some(keys) => Ok(terms.under(&keys)),
            None => Ok(terms),
        }
    }

    /// The key that signs this party's next statement under the agreement.
    ///
    /// # Errors
    /// [`CoreError::MissingKey`] where it does not lie here.
    pub async fn next_signer(&self, tx: &mut Tx, terms: &Terms) -> Result<&Signer> {
        let terms = self.with_keys(tx, terms.clone()).await?;
        let name = &terms.agreement.agreement;
        let last = tx.last_statement(&self.party, name).await?;
        self.signer(&terms.agreement, last.number + 1)
    }

    /// The key that signs this party's statement of this number.
    pub(crate) fn signer(&self, agreement: &Agreement, number: u64) -> Result<&Signer> {
        let public = agreement.party_keys(self.side).statement_key(number);
        self.signers.of(public).ok_or_else(|| CoreError::MissingKey {
            agreement: agreement.agreement.clone(),
            number,
            public: public.to_owned(),
        })
    }

    /// What only this party can tell of something, under each of its keys, the newest first: Ed25519 signs the same the
    /// same way, each time.
    pub(crate) fn marks(&self, namespace: &str, bytes: &[u8]) -> Result<Vec<Digest>> {
        let mark = |signer: &Signer| Ok(Digest::of(signer.sign(namespace, bytes)?.as_bytes()));
        self.signers.iter().map(mark).collect()
    }

    /// The key of the next statement, and the newest one, lie here.
    fn holds(&self, agreement: &Agreement, next: u64) -> Result<()> {
        self.signer(agreement, next)?;
        self.signer(agreement, agreement.party_keys(self.side).statement_from)?;
        Ok(())
    }

    /// A core that could not say its next word, or its first one after a change of keys, does not start. One that lost
    /// its key starts to have the version approved that replaces it, and says nothing until then.
    pub(super) async fn has_its_keys(&self) -> Result<()> {
        let mut tx = self.store.begin().await?;
        for installed in self.agreements.iter() {
            let newest = &installed.terms.agreement;
            let counts = self.with_keys(&mut tx, installed.terms.clone()).await?;
            let next = tx.last_statement(&self.party, &newest.agreement).await?.number + 1;
            if let Err(missing) = self.holds(&counts.agreement, next) {
                if self.holds(newest, next).is_err() {
                    return Err(missing);
                }
                tracing::warn!(error = %missing, "nothing is said until the installed version is approved");
            }
        }
        Ok(())
    }

    /// Refuses a version whose keys tell another past than those that count, whose next key does not lie here, or (where
    /// no key is said to be lost or stolen) under which something that was said would no longer verify.
    pub(crate) async fn keys_follow(&self, tx: &mut Tx, new: &Terms, stolen: bool) -> Result<()> {
        let agreement = &new.agreement;
        let Some(before) = self.keys(tx, &agreement.agreement).await? else { return Ok(()) };
        agreement
            .keys
            .continue_those(&before)
            .map_err(|e| CoreError::refused("other-keys", e.words()))?;
        for side in [self.side, self.side.other()] {
            let (party, now) = (&agreement.party(side).id, agreement.party_keys(side));
            let last = tx.last_statement(party, &agreement.agreement).await?.number;
            let then = before.party(side).statement_key(last);
            if last > 0 && !stolen && !is_same_key(then, now.statement_key(last)) {
                let from = now.statement_from;
                return Err(CoreError::refused(
                    "signed-already",
                    words!(
                        "verklaringen {from} tot {last} van {party} werden met de vorige sleutel ondertekend en zouden \
                         niet meer tellen: zet `statement-from` hoger dan {last}. Werd die sleutel gestolen: sluis \
                         agreement approve {} --stolen",
                        "statements {from} to {last} of {party} were signed by the key before, and would no longer \
                         count: raise `statement-from` above {last}. Where that key was stolen: sluis agreement \
                         approve {} --stolen",
                        agreement.agreement
                    ),
                ));
            }
        }
        let last = tx.last_statement(&self.party, &agreement.agreement).await?.number;
        self.holds(agreement, last + 1)
    }
}
