//! An older store that was put back: noticed by what the other party has seen of us, held until two persons go on (R86).
//!
//! While a store is held under an agreement nothing is said under it, no work of it is given, no share leaves. What the
//! other party says is kept and takes effect afterwards.

use std::sync::Arc;

use axum::extract::{ConnectInfo, State};
use axum::routing::post;
use axum::{Json, Router};
use data_encoding::BASE64;
use sluis_core::control::{GoOn, Letter, Place, Restored as Word, Wanted, typed, typed_with};
use sluis_core::epoch::{self, Epoch, Seen, Standing};
use sluis_core::evidence::Verified;
use sluis_core::id::{AgreementId, Digest};
use sluis_core::notice::{self, Notice, Sort};
use sluis_core::statement::{self, Body, Contradicted, FormError, Signed, Tip};
use sluis_core::{mailbox, words};

use crate::books::{Books, NOT_HEARD, UNHEARD};
use crate::error::{CoreError, Result};
use crate::gatehouse::{Caller, Core, take_effect};
use crate::store::{Fate, SetBack, Tx, detail};
use crate::two_persons;

/// How many statements of the other party are contradicted in a day: whoever has its key could have us sign without end.
const CONTRADICTED_A_DAY: i64 = 10;
/// How many words that cannot be are told in a day.
const NOT_PLAUSIBLE_A_DAY: i64 = 1;
const DAY_MS: i64 = 86_400_000;
/// What the other party is told of such a word. Its number stands in the word: a text has no number that it chose.
const CANNOT_BE: &str = "Een ondertekend woord van u noemt een verklaring van ons die er niet kan zijn; `paper` is de digest. \
     Kijk uw databank en uw sleutel na. / A signed word of yours names a statement of ours that cannot be; `paper` is \
     its digest. Look at your store and your key.";

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
        let installed = self.installed(agreement)?;
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
        Ok(Letter { number: seen.number, letter: BASE64.encode(&sealed), place: Place::Next })
    }

    /// Of the keys under which that word is signed and sealed; a key that begins at a number counts from there.
    ///
    /// # Errors
    /// [`CoreError`].
    pub async fn keys_of_seen(&self, tx: &mut Tx, agreement: &AgreementId) -> Result<Digest> {
        let terms = self.with_keys(tx, self.installed(agreement)?.terms.clone()).await?;
        let next = tx.last_statement(&self.party, agreement).await?.number.saturating_add(1);
        let keys = &terms.agreement.keys;
        let own = terms.agreement.party_keys(self.side).statement_key(next);
        Ok(Digest::of(&serde_json::to_vec(&(keys, own)).map_err(FormError::from)?))
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
    ) -> Result<Option<Seen>> {
        let installed = self.installed(agreement)?;
        let terms = self.with_keys(tx, installed.terms.clone()).await?;
        let (from, heard) = (self.side.other(), self.cursor(tx, agreement).await?);
        let signed = self.open_letter(letter).map_err(|error| error.to_string());
        let word = signed.and_then(|signed| {
            let word = Seen::check(&signed, &terms, from, &heard);
            word.map(|word| (word, signed)).map_err(|error| error.to_string())
        });
        match word {
            Ok((word, signed)) => {
                self.heard.doubts(agreement, None);
                // What lies there still of before says how far it was heard then; its statements since then say more.
                if word.is_newest(&heard) {
                    self.hold_if_behind(tx, agreement, &word.seen, &signed).await?;
                }
                let ours = tx.digest_of(&self.party, agreement, word.seen.number).await?;
                if word.said == heard && ours == Some(word.seen.digest) {
                    self.heard.knows(agreement, word.seen.number);
                }
                Ok(Some(word))
            }
            Err(why) => {
                if self.heard.doubts(agreement, Some(&why)) {
                    tracing::warn!(
                        %agreement,
                        why,
                        "how far the other party has heard is not its word"
                    );
                }
                Ok(None)
            }
        }
    }

    /// Whether an empty mailbox is all that there is to hear. A drop zone may keep back what shows that this store is an
    /// older one, or may be a new one: where the other party is known to have heard us, it must say itself how far, and no
    /// less than is known here; and it must have said no more than was heard.
    ///
    /// # Errors
    /// [`CoreError::Store`].
    pub async fn is_all(
        &self,
        tx: &mut Tx,
        agreement: &AgreementId,
        word: Option<&Seen>,
    ) -> Result<bool> {
        let installed = self.installed(agreement)?;
        let other = &installed.terms.agreement.party(self.side.other()).id;
        let known = tx.agreed_on(&self.party, other, agreement).await?;
        let heard = self.cursor(tx, agreement).await?.number;
        let has_seen = known.number <= word.map_or(0, |word| word.seen.number);
        Ok(has_seen && word.is_none_or(|word| word.said.number <= heard))
    }

    /// Whether this store is older than what its party has said, by what this statement of the other party had seen.
    ///
    /// # Errors
    /// [`CoreError::Store`].
    pub async fn is_set_back(&self, tx: &mut Tx, said: &Verified) -> Result<bool> {
        let header = &said.statement().header;
        self.hold_if_behind(tx, &header.agreement, &header.seen, said.signed()).await
    }

    async fn hold_if_behind(
        &self,
        tx: &mut Tx,
        agreement: &AgreementId,
        seen: &Tip,
        word: &Signed,
    ) -> Result<bool> {
        let own = tx.digest_of(&self.party, agreement, seen.number).await?;
        let last = tx.last_statement(&self.party, agreement).await?.number;
        let is_held = tx.set_back(agreement).await?.is_some();
        match epoch::standing(seen, own, last, &tx.epochs(agreement).await?) {
            Standing::NotPlausible => self.cannot_be(tx, agreement, seen, word).await?,
            Standing::Behind if !tx.word_is(&word.digest(), Fate::Refused).await? => {
                tx.hold_back(agreement, seen, word, self.now()).await?;
                if !is_held {
                    tracing::error!(
                        %agreement,
                        number = seen.number,
                        "an older store was put back: sluis restored"
                    );
                    let known = named(agreement, seen.number, &word.digest());
                    tx.enter(self.now(), "set-back", None, detail(known)).await?;
                }
                return Ok(true);
            }
            Standing::Known | Standing::Behind => {}
        }
        Ok(is_held)
    }

    /// A word names what no store of ours can have said. It holds nothing; it is kept, and told to who signed it.
    async fn cannot_be(
        &self,
        tx: &mut Tx,
        agreement: &AgreementId,
        seen: &Tip,
        word: &Signed,
    ) -> Result<()> {
        let (now, digest) = (self.now(), word.digest());
        tracing::warn!(%agreement, number = seen.number, "the other party names a statement of ours that cannot be");
        let lately = tx.words_since(agreement, Fate::NotPlausible, now.plus_ms(-DAY_MS)).await?;
        if lately >= NOT_PLAUSIBLE_A_DAY || tx.word_is(&digest, Fate::NotPlausible).await? {
            return Ok(());
        }
        tx.keep_word(agreement, word, Fate::NotPlausible, now).await?;
        let known = detail(named(agreement, seen.number, &digest));
        tx.enter(now, "not-plausible", None, known).await?;
        let terms = self.counting(tx, agreement).await?;
        match self.notify(tx, &terms, None, Sort::SecurityInfo, about(CANNOT_BE, digest)).await {
            // Held, or said too often today: then it stands in the ledger alone.
            Ok(_) | Err(CoreError::Refused(_)) => Ok(()),
            Err(other) => Err(other),
        }
    }

    /// The other party contradicts what it said before. Nothing of it is taken; it is told once, so that it can notice.
    ///
    /// # Errors
    /// [`CoreError`].
    pub async fn contradict(&self, mut tx: Tx, said: &Verified) -> Result<()> {
        let header = &said.statement().header;
        let (agreement, number) = (&header.agreement, header.number);
        let (now, of) = (self.now(), Tip { number, digest: said.digest() });
        let bound = (CONTRADICTED_A_DAY, now.plus_ms(-DAY_MS));
        if tx.set_back(agreement).await?.is_some()
            || !tx.tells_contradiction(agreement, &of, now, bound).await?
        {
            return Ok(());
        }
        let has = tx.last_statement(&header.issuer, agreement).await?;
        let known = [("agreement", agreement.to_string()), ("number", number.to_string())];
        let known = known.into_iter().chain([("digest", said.digest().to_string())]);
        tx.enter(now, "contradicted", None, detail(known)).await?;
        let terms = self.terms(&mut tx, &header.terms).await?;
        let body = Contradicted { number, got: said.digest(), has };
        self.say(&mut tx, &terms, None, body.into()).await?;
        self.commit(tx).await
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
    if ask.unheard {
        return unheard(books, tx, agreement, caller.0).await.map(Json);
    }
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
    if let Some(reason) = &ask.refuse {
        return refuse(&*core, tx, held, reason, caller.0).await;
    }
    // A later word of that party may still lie there, and what is numbered from an earlier one would contradict it.
    if !books.heard.is_all(agreement) {
        let why = words!(
            "de postbus van de andere partij is nog niet tot het einde gelezen; vraag het zo dadelijk opnieuw",
            "the other party's mailbox was not read to its end yet; ask again in a moment"
        );
        return Err(CoreError::refused(NOT_HEARD, why));
    }
    let epoch = kept(&*core, &mut tx, &held).await?;
    let mut word = Word {
        first: None,
        kept: epoch.kept.number,
        theirs: epoch.from.number,
        exposed: core.at_risk(&mut tx, agreement).await?,
        ended: Vec::new(),
        word: held.word.clone(),
        others: Vec::new(),
    };
    let subject = format!("{agreement} {}", held.theirs.number);
    let wanted = wanted(agreement, None);
    let asked = two_persons::Word { verb: "restored", subject: &subject, transfer: None, wanted };
    let confirmed = two_persons::confirm(books, &mut tx, asked, caller.0).await?;
    (word.first, word.others) = (confirmed.first, confirmed.others);
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

/// Two persons say that no store was put back, though the other party cannot be heard: lists move on until the next start.
/// No share leaves before it was.
async fn unheard(
    books: &Books,
    mut tx: Tx,
    agreement: &AgreementId,
    caller: Caller,
) -> Result<Word> {
    books.may_speak(&mut tx, agreement).await?;
    // One that is here no more may have something open still.
    if books.agreements.get(agreement).is_none()
        && !tx.with_open_transfers().await?.contains(agreement)
    {
        return Err(CoreError::NoAgreement(agreement.to_string()));
    }
    if books.heard.once(agreement) {
        let why = words!(
            "onder {agreement} wacht daar niets op: de andere partij werd gehoord",
            "nothing waits for that under {agreement}: the other party was heard"
        );
        return Err(CoreError::refused("heard", why));
    }
    let kept = tx.last_statement(&books.party, agreement).await?.number;
    let command = typed(["sluis", "restored", agreement.as_str(), "--unheard"]);
    let wanted = Wanted { command, ..wanted(agreement, None) };
    let subject = format!("{agreement}{UNHEARD}");
    let asked = two_persons::Word { verb: "restored", subject: &subject, transfer: None, wanted };
    let two_persons::Confirmed { first, others } =
        two_persons::confirm(books, &mut tx, asked, caller).await?;
    if let Some(first) = first.clone() {
        let known = [("agreement", agreement.to_string()), ("by", caller.name()), ("after", first)];
        tx.enter(books.now(), "unheard", None, detail(known)).await?;
    }
    books.commit(tx).await?;
    if first.is_some() {
        books.unheard_goes_on(agreement).await?;
    }
    let (theirs, exposed, ended, word) = (kept, 0, Vec::new(), None);
    Ok(Word { first, kept, theirs, exposed, ended, word, others })
}

/// What is kept of our statements, and from where it goes on.
async fn kept<C: Core>(core: &C, tx: &mut Tx, held: &SetBack) -> Result<Epoch> {
    let (books, agreement) = (core.books(), &held.agreement);
    let installed = books.installed(agreement)?;
    let other = &installed.terms.agreement.party(books.side.other()).id;
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
    let terms = books.counting(tx, agreement).await?;
    tx.begin_epoch(agreement, &books.party, epoch).await?;
    let number = u64::try_from(tx.epochs(agreement).await?.len()).unwrap_or(u64::MAX);
    let Epoch { kept, from } = *epoch;
    let body = statement::Restored { epoch: number, kept, from, exposed: word.exposed };
    books.say_after(tx, &terms, from, None, Body::from(body)).await?;
    word.ended = core.go_on(tx, agreement).await?;
    Ok(())
}

/// What a second person types.
fn wanted(agreement: &AgreementId, refuse: Option<&str>) -> Wanted {
    let words = ["sluis", "restored", agreement.as_str()];
    Wanted {
        agreement: Some(agreement.clone()),
        of: agreement.to_string(),
        command: match refuse {
            Some(reason) => typed_with(words, "--refuse", reason),
            None => typed(words),
        },
        ..Wanted::default()
    }
}

/// Two persons say that the word by which the store is held is not true. It goes on as it was; what that party said
/// meanwhile takes effect, and it is told. Another word of it may hold the store again.
async fn refuse<C: Core>(
    core: &C,
    mut tx: Tx,
    held: SetBack,
    reason: &str,
    caller: Caller,
) -> Result<Json<Word>> {
    let (books, agreement) = (core.books(), &held.agreement);
    notice::check_text(reason).map_err(|fault| CoreError::refused("notice", fault.words()))?;
    let word = held.word.as_ref().map_or(held.theirs.digest, Signed::digest);
    let asked = Digest::of(format!("{word} {reason}").as_bytes());
    let subject = format!("{agreement} refuse {}", notice::short(&asked));
    let last = tx.last_statement(&books.party, agreement).await?.number;
    let wanted = wanted(agreement, Some(reason));
    let asked = two_persons::Word { verb: "restored", subject: &subject, transfer: None, wanted };
    let two_persons::Confirmed { first, others } =
        two_persons::confirm(books, &mut tx, asked, caller).await?;
    if let Some(first) = first.clone() {
        tx.let_go(agreement, Fate::Refused).await?;
        hear_deferred(core, &mut tx, agreement).await?;
        let (terms, sort) = (books.counting(&mut tx, agreement).await?, Sort::SecurityInfo);
        let told = match books.notify(&mut tx, &terms, None, sort, about(reason, word)).await {
            Ok(told) => Some(told),
            // Said too often today: then it stands in the ledger alone, and holds nobody.
            Err(CoreError::Refused(_)) => None,
            Err(other) => return Err(other),
        };
        let known = named(agreement, held.theirs.number, &word).into_iter();
        let known = known.chain([("by", caller.name()), ("after", first)]);
        let known = known.chain(told.map(|told| ("statement", told.to_string())));
        tx.enter(books.now(), "set-back-refused", None, detail(known)).await?;
    }
    books.commit(tx).await?;
    core.after().await;
    Ok(Json(Word {
        first,
        others,
        kept: last,
        theirs: held.theirs.number,
        exposed: 0,
        ended: Vec::new(),
        word: held.word,
    }))
}

/// A notice about a word of the other party.
fn about(text: &str, word: Digest) -> Notice {
    Notice { paper: Some(word), ..Notice::of(text) }
}

/// What the ledger says of a word that names this statement of ours.
fn named(agreement: &AgreementId, number: u64, word: &Digest) -> [(&'static str, String); 3] {
    [
        ("agreement", agreement.to_string()),
        ("number", number.to_string()),
        ("word", word.to_string()),
    ]
}
