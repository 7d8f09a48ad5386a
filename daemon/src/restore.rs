//! An older store that was put back: noticed by what the other party has seen of us, held until two persons go on (R86).
//!
//! While a store is held under an agreement nothing is said under it, no work of it is given, no share leaves. What the
//! other party says is kept and takes effect afterwards.

use std::sync::Arc;

use axum::extract::{ConnectInfo, State};
use axum::routing::post;
use axum::{Json, Router};
use data_encoding::BASE64;
use sluis_core::control::{GoOn, Letter, Restored as Word};
use sluis_core::epoch::{self, Epoch, Seen};
use sluis_core::evidence::Verified;
use sluis_core::id::AgreementId;
use sluis_core::mailbox;
use sluis_core::statement::{self, Body, Contradicted, FormError, Signed, Tip};
use sluis_core::words;

use crate::books::{Books, CoreError, Result, detail};
use crate::gatehouse::{Caller, Core, take_effect};
use crate::store::{SetBack, Tx};
use crate::two_persons;

/// The most statements that a store may have lost: a number far beyond is a fault of the other party, or worse.
const LOST: u64 = 1_000_000;

impl Books {
    /// A store that is older than what its party has said says nothing more.
    ///
    /// # Errors
    /// [`CoreError::Refused`].
    pub async fn may_speak(&self, tx: &mut Tx, agreement: &AgreementId) -> Result<()> {
        match tx.set_back(agreement).await? {
            None => Ok(()),
            Some(held) => Err(CoreError::refused(
                "set-back",
                words!(
                    "een oudere databank werd teruggezet: de andere partij heeft verklaring {} van ons onder {agreement}, die hier niet is. Twee personen gaan daarvan verder: sluis restored {agreement}",
                    "an older store was put back: the other party has statement {} of ours under {agreement}, which is not here. Two persons go on from there: sluis restored {agreement}",
                    held.theirs.number
                ),
            )),
        }
    }

    /// How far this party has heard the other one, signed, sealed to it, under the number of the last statement heard.
    ///
    /// # Errors
    /// [`CoreError`].
    pub async fn seen_letter(&self, tx: &mut Tx, agreement: &AgreementId) -> Result<Letter> {
        let installed = self.agreements.get(agreement);
        let installed = installed.ok_or_else(|| CoreError::NoAgreement(agreement.to_string()))?;
        let terms = self.with_keys(tx, installed.terms.clone()).await?;
        let said = tx.last_statement(&self.party, agreement).await?;
        let seen = self.cursor(tx, agreement).await?;
        let (agreement, issuer) = (agreement.clone(), self.party.clone());
        let word = Seen { agreement, issuer, said, seen };
        let statement = serde_json::to_string(&word).map_err(FormError::from)?;
        let signer = self.signer(&terms.agreement, word.signed_as())?;
        let signature = signer.sign(epoch::NAMESPACE, statement.as_bytes())?;
        let mailbox = &terms.agreement.party_keys(self.side.other()).mailbox;
        let sealed = mailbox::seal(&Signed { statement, signature }, mailbox)?;
        Ok(Letter { number: seen.number, letter: BASE64.encode(&sealed), anew: false })
    }

    /// How far the other party has heard this one, from the drop zone. What is not that party's word says nothing.
    ///
    /// # Errors
    /// [`CoreError::Store`].
    pub async fn hear_seen(
        &self,
        tx: &mut Tx,
        agreement: &AgreementId,
        letter: &[u8],
    ) -> Result<()> {
        let installed = self.agreements.get(agreement);
        let installed = installed.ok_or_else(|| CoreError::NoAgreement(agreement.to_string()))?;
        let terms = self.with_keys(tx, installed.terms.clone()).await?;
        let from = self.side.other();
        let word = self.open_letter(letter).map_err(|error| error.to_string());
        let word = word.and_then(|signed| {
            Seen::check(&signed, &terms, from).map_err(|error| error.to_string())
        });
        match word {
            Ok(word) => self.hold_if_behind(tx, agreement, &word.seen).await.map(drop),
            Err(why) => {
                tracing::warn!(%agreement, why, "how far the other party has heard is not its word");
                Ok(())
            }
        }
    }

    /// Whether this store is older than what its party has said, by what this statement of the other party had seen.
    ///
    /// # Errors
    /// [`CoreError::Store`].
    pub async fn is_set_back(&self, tx: &mut Tx, said: &Verified) -> Result<bool> {
        let header = &said.statement().header;
        self.hold_if_behind(tx, &header.agreement, &header.seen).await
    }

    async fn hold_if_behind(
        &self,
        tx: &mut Tx,
        agreement: &AgreementId,
        seen: &Tip,
    ) -> Result<bool> {
        let own = tx.digest_of(&self.party, agreement, seen.number).await?;
        let known = tx.set_back(agreement).await?;
        if epoch::is_behind(seen, own, &tx.epochs(agreement).await?) {
            tx.hold_back(agreement, seen, self.now()).await?;
            if known.is_none() {
                tracing::error!(
                    %agreement,
                    number = seen.number,
                    "an older store was put back: sluis restored"
                );
                let number = seen.number.to_string();
                let known = [("agreement", agreement.to_string()), ("number", number)];
                tx.enter(self.now(), "set-back", None, detail(known)).await?;
            }
            return Ok(true);
        }
        Ok(known.is_some())
    }

    /// The other party contradicts what it said before. Nothing of it is taken; it is told once, so that it can notice.
    ///
    /// # Errors
    /// [`CoreError`].
    pub async fn contradict(&self, mut tx: Tx, said: &Verified) -> Result<()> {
        let header = &said.statement().header;
        let (agreement, number) = (&header.agreement, header.number);
        let name = format!("contradicted:{agreement}");
        let counted = i64::try_from(number).unwrap_or(i64::MAX);
        let told = tx.number(&name).await? == Some(counted);
        if told || tx.set_back(agreement).await?.is_some() {
            return Ok(());
        }
        let has = tx.last_statement(&header.issuer, agreement).await?;
        let known = [("agreement", agreement.to_string()), ("number", number.to_string())];
        let known = known.into_iter().chain([("digest", said.digest().to_string())]);
        tx.enter(self.now(), "contradicted", None, detail(known)).await?;
        let terms = self.terms(&mut tx, &header.terms).await?;
        let body = Contradicted { number, got: said.digest(), has };
        self.say(&mut tx, &terms, None, body.into()).await?;
        tx.set_number(&name, counted).await?;
        self.commit(tx).await
    }

    /// All that lay in the mailbox was heard.
    pub fn hear_all(&self, agreement: &AgreementId) {
        if let Ok(mut heard) = self.heard.lock() {
            heard.insert(agreement.clone());
        }
    }

    /// What lies in the mailbox is to be looked at once more.
    pub fn hear_again(&self, agreement: &AgreementId) {
        if let Ok(mut heard) = self.heard.lock() {
            heard.remove(agreement);
        }
    }

    /// Whether all that lay in the mailbox was heard since this process began.
    #[must_use]
    pub fn has_heard(&self, agreement: &AgreementId) -> bool {
        self.heard.lock().is_ok_and(|heard| heard.contains(agreement))
    }
}

/// What was heard while the store was held takes effect, in the order in which it was heard.
///
/// # Errors
/// [`CoreError`].
pub async fn hear_deferred<C: Core>(core: &C, tx: &mut Tx, agreement: &AgreementId) -> Result<()> {
    let books = core.books();
    for signed in tx.take_deferred(agreement).await? {
        let claimed = statement::Statement::read(signed.statement.as_bytes())?;
        let terms = books.terms(tx, &claimed.header.terms).await?;
        let said = Verified::check(&signed, &terms, books.side.other())?;
        take_effect(core, tx, &said).await?;
    }
    Ok(())
}

/// The verb by which two persons go on.
pub fn router<C: Core>(core: Arc<C>) -> Router {
    Router::new().route("/restored", post(restored::<C>)).with_state(core)
}

async fn restored<C: Core>(
    State(core): State<Arc<C>>,
    caller: ConnectInfo<Caller>,
    Json(ask): Json<GoOn>,
) -> Result<Json<Word>> {
    let (books, agreement) = (core.books(), &ask.agreement);
    let mut tx = books.store.begin().await?;
    let held = tx.set_back(agreement).await?;
    let held = held.ok_or_else(|| {
        CoreError::refused(
            "not-set-back",
            words!(
                "de andere partij heeft niets van ons onder {agreement} dat hier niet is. Werd er toch een oudere databank teruggezet, vraag die partij dan iets te zeggen (sluis security-info): haar woord toont hoe ver we waren",
                "the other party has nothing of ours under {agreement} that is not here. If an older store was put back all the same, ask that party to say something (sluis security-info): its word shows how far we were"
            ),
        )
    })?;
    // A later word of that party may still lie there, and what is numbered from an earlier one would contradict it.
    if !books.has_heard(agreement) {
        let why = words!(
            "de postbus van de andere partij is nog niet tot het einde gelezen; vraag het zo dadelijk opnieuw",
            "the other party's mailbox was not read to its end yet; ask again in a moment"
        );
        return Err(CoreError::refused("not-heard", why));
    }
    let epoch = kept(&*core, &mut tx, &held).await?;
    let mut word = Word {
        first: None,
        kept: epoch.kept.number,
        theirs: epoch.from.number,
        exposed: core.at_risk(&mut tx, agreement).await?,
        ended: Vec::new(),
    };
    let subject = format!("{agreement} {}", held.theirs.number);
    word.first = two_persons::confirm(books, &mut tx, "restored", &subject, None, caller.0).await?;
    if let Some(first) = word.first.clone() {
        go_on(&*core, &mut tx, &epoch, &mut word, agreement).await?;
        let known =
            [("agreement", agreement.to_string()), ("by", caller.0.name()), ("after", first)];
        let counts = [("kept", word.kept.to_string()), ("from", word.theirs.to_string())];
        let known = known.into_iter().chain(counts);
        let known = known.chain([("exposed", word.exposed.to_string())]);
        tx.enter(books.now(), "restored", None, detail(known)).await?;
    }
    books.commit(tx).await?;
    if word.first.is_some() {
        core.recover().await?;
    }
    core.after().await;
    Ok(Json(word))
}

/// What is kept of our statements, and from where it goes on.
async fn kept<C: Core>(core: &C, tx: &mut Tx, held: &SetBack) -> Result<Epoch> {
    let (books, agreement) = (core.books(), &held.agreement);
    let installed = books.agreements.get(agreement);
    let installed = installed.ok_or_else(|| CoreError::NoAgreement(agreement.to_string()))?;
    let other = &installed.terms.agreement.party(books.side.other()).id;
    let last = tx.last_statement(&books.party, agreement).await?.number;
    if held.theirs.number > last.saturating_add(LOST) {
        return Err(CoreError::refused(
            "not-plausible",
            words!(
                "de andere partij ondertekende dat ze verklaring {} van ons heeft, en hier zijn er {last}: bel haar voor u verdergaat",
                "the other party signed that it has statement {} of ours, and here are {last}: call them before you go on",
                held.theirs.number
            ),
        ));
    }
    Ok(Epoch { kept: tx.agreed_on(&books.party, other, agreement).await?, from: held.theirs })
}

async fn go_on<C: Core>(
    core: &C,
    tx: &mut Tx,
    epoch: &Epoch,
    word: &mut Word,
    agreement: &AgreementId,
) -> Result<()> {
    let books = core.books();
    let installed = books.agreements.get(agreement);
    let installed = installed.ok_or_else(|| CoreError::NoAgreement(agreement.to_string()))?;
    tx.begin_epoch(agreement, &books.party, epoch).await?;
    let number = u64::try_from(tx.epochs(agreement).await?.len()).unwrap_or(u64::MAX);
    let Epoch { kept, from } = *epoch;
    let body = statement::Restored { epoch: number, kept, from, exposed: word.exposed };
    books.say_after(tx, &installed.terms, from, None, Body::from(body)).await?;
    word.ended = core.go_on(tx, agreement).await?;
    Ok(())
}
