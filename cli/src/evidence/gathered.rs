//! What a core has for a folder of evidence: its signed head, and the statements that belong there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use sluis_config::agreements;
use sluis_core::control::{AskHead, AskSaid, AskTerms, Said, TermsText};
use sluis_core::evidence::Terms;
use sluis_core::export::decisions::{self, Decided};
use sluis_core::export::{self, Listed};
use sluis_core::id::{AgreementId, Digest, PartyId};
use sluis_core::ledger::{Head, SaidOnce};
use sluis_core::statement::{FormError, Signed, Statement};
use sluis_core::words;

use crate::failure::{Failure, Result};
use crate::report::Line;
use crate::socket::Socket;

/// As of one moment.
pub(super) struct Gathered {
    pub(super) head: Head,
    pub(super) signed: Signed,
    /// All that the ledger has under the agreement.
    pub(super) all: Vec<SaidOnce>,
    /// What belongs in the folder, and where in `all` it stands.
    pub(super) chosen: Vec<(usize, Listed)>,
    /// What its party decided and found beside that.
    pub(super) decided: Vec<Decided>,
}

impl Gathered {
    pub(super) fn ask(socket: &Socket, ask: &AskHead) -> Result<Self> {
        let signed: Signed = socket.post("head", ask)?;
        let head = Head::read(&signed.statement).ok_or_else(|| {
            Failure::coded(
                "core-contradicts",
                words!("de kern gaf geen hoofd", "the core gave no head"),
            )
        })?;
        let (all, decided) = said(socket, &head.agreement, Some(head.ledger.number))?;
        let chosen = export::choose(&all, head.of).map_err(no_statement)?;
        let gathered = Self { head, signed, all, chosen, decided };
        let made = [gathered.list(), gathered.decisions()].map(|it| Digest::of(it.as_bytes()));
        if made != [gathered.head.list, gathered.head.decisions] {
            return Err(Failure::coded(
                "changed-meanwhile",
                words!(
                    "intussen veranderde wat de kern van een verklaring houdt; vraag het opnieuw",
                    "meanwhile the core changed what it holds of a statement; ask again"
                ),
            ));
        }
        Ok(gathered)
    }
    /// The list that the head signs.
    pub(super) fn list(&self) -> String {
        export::list(self.chosen.iter().map(|(_, listed)| listed))
    }
    /// What was decided and found, which it signs too.
    pub(super) fn decisions(&self) -> String {
        decisions::decisions(&self.decided, self.head.of)
    }
}

/// All that was said under an agreement up to this entry of the ledger, or up to now; and what was decided beside it.
fn said(
    socket: &Socket,
    agreement: &AgreementId,
    until: Option<u64>,
) -> Result<(Vec<SaidOnce>, Vec<Decided>)> {
    let mut ask = AskSaid { agreement: agreement.clone(), after: 0, until };
    let (mut all, mut decided) = (Vec::new(), Vec::new());
    loop {
        let part: Said = socket.post("said", &ask)?;
        all.extend(part.statements);
        decided.extend(part.decided);
        if !part.more || part.until <= ask.after {
            return Ok((all, decided));
        }
        ask.after = part.until;
    }
}

/// The last number that each party has said under an agreement, as far as this core knows.
pub(crate) fn last_numbers(
    socket: &Socket,
    agreement: &AgreementId,
) -> Result<BTreeMap<PartyId, u64>> {
    let mut last = BTreeMap::new();
    for once in &said(socket, agreement, None)?.0 {
        let header = read(once)?.header;
        last.insert(header.issuer, header.number);
    }
    Ok(last)
}

/// Texts of an agreement, by their digest.
pub(super) type Texts = BTreeMap<Digest, (String, Terms)>;

/// Every text of the agreement that these rest on, and that of the version whose keys count.
pub(super) fn texts(socket: &Socket, known: &[SaidOnce], keys: Digest) -> Result<Texts> {
    let mut texts = Texts::new();
    let mut named = known
        .iter()
        .map(|once| Ok(read(once)?.header.terms))
        .collect::<Result<BTreeSet<Digest>>>()?;
    named.insert(keys);
    for digest in named {
        let TermsText { text } = socket.post("terms", &AskTerms { terms: digest })?;
        let (terms, _) = agreements::parse(Path::new("(core)"), &text)?;
        if terms.digest != digest {
            return Err(lost());
        }
        texts.insert(digest, (text, terms));
    }
    Ok(texts)
}

pub(super) fn lost() -> Failure {
    Failure::coded(
        "core-contradicts",
        words!(
            "de kern heeft de tekst van de overeenkomst niet waarop een verklaring rust",
            "the core does not have the agreement's text that a statement rests on"
        ),
    )
}

#[expect(clippy::needless_pass_by_value, reason = "map_err gives it away")]
fn no_statement(error: FormError) -> Failure {
    let error = error.words();
    Failure::coded(
        "core-contradicts",
        words!(
            "de kern gaf iets dat geen verklaring is: {}",
            "the core gave something that is no statement: {}";
            error
        ),
    )
}

fn read(once: &SaidOnce) -> Result<Statement> {
    Statement::read(once.signed.statement.as_bytes()).map_err(no_statement)
}

/// A statement as the report wants it.
pub(super) fn line(once: &SaidOnce, texts: &Texts) -> Result<Line> {
    let statement = read(once)?;
    let (_, terms) = texts.get(&statement.header.terms).ok_or_else(lost)?;
    let side = terms.agreement.side_of(&statement.header.issuer).ok_or_else(lost)?;
    let (digest, at, effect) = (once.signed.digest(), once.entered, once.effect);
    Ok(Line { statement, digest, side, at, effect })
}
