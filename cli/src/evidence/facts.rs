//! What the statements of one transfer prove together.

use sluis_core::evidence::{Delivery, Opening, Refusal, Removal, Terms, Verified};
use sluis_core::statement::{Body, Sent, Word};
use sluis_core::words;
use sluis_core::words::Words;

/// A verified statement with the terms that it holds under.
pub(super) type Held<'a> = (Verified, &'a Terms);

/// What holds of a transfer.
#[derive(serde::Serialize)]
pub(super) struct Facts {
    /// Its code, where the folder has more than one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) transfer: Option<String>,
    pub(super) facts: Vec<Fact>,
    /// Kinds of statements that are not there.
    pub(super) missing: Vec<&'static str>,
}

/// One thing that holds.
#[derive(serde::Serialize)]
pub(super) struct Fact {
    /// Stable.
    code: &'static str,
    #[serde(flatten)]
    pub(super) words: Words,
}

impl Fact {
    fn of(code: &'static str, words: Words) -> Self {
        Self { code, words }
    }
}

/// What was said of one transfer, in the order of the ledger.
struct Said<'a>(&'a [&'a Held<'a>]);

impl<'a> Said<'a> {
    fn all(&self, kind: &'static str) -> impl DoubleEndedIterator<Item = &'a Held<'a>> {
        let of = move |(said, _): &&Held<'_>| said.statement().body.kind() == kind;
        self.0.iter().copied().filter(of)
    }
    /// The first of a kind is the one that had an effect, but shares may have been sent again later.
    fn one(&self, kind: &'static str) -> Option<&'a Verified> {
        let mut all = self.all(kind);
        if kind == "released" { all.next_back() } else { all.next() }.map(|(said, _)| said)
    }
}

impl Facts {
    /// What a kind of statement shows, where it holds.
    fn has(&mut self, kind: &'static str, holds: bool) {
        if holds {
            self.facts.push(Fact::of(kind, shown(kind)));
        } else {
            self.missing.push(kind);
        }
    }
}

/// What these statements about one transfer prove; nothing of them contradicts another.
///
/// # Errors
/// [`Refusal`], naming what does not agree.
pub(super) fn prove(statements: &[&Held<'_>]) -> Result<Facts, Refusal> {
    let said = Said(statements);
    let mut facts = Facts { transfer: None, facts: Vec::new(), missing: Vec::new() };
    let first = said.all("sent").next();
    let sent = first.map(|(sent, _)| sent);
    facts.has("sent", sent.is_some());
    let delivered = sent.zip(said.one("delivered"));
    let delivery = delivered.map(|(sent, it)| Delivery::check(sent, it)).transpose()?;
    facts.has("delivered", delivery.is_some());
    facts.facts.extend(first.map(residents).transpose()?.flatten());
    let removal = first.zip(said.one("delivered")).zip(said.one("removed"));
    let removal = removal.map(|(((sent, terms), delivered), removed)| {
        Removal::check(terms, sent, delivered, removed)
    });
    let removal = removal.transpose()?;
    facts.has("removed", removal.is_some());
    let released = removal.as_ref().zip(said.one("released"));
    let rested = released.map(|(removal, released)| rests(removal, released)).transpose()?;
    facts.has("released", rested.is_some());
    let opened = sent.zip(said.one("opened"));
    let opening = opened.map(|(sent, it)| Opening::check(sent, it)).transpose()?;
    facts.has("opened", opening.is_some());
    // What the agency ended was never to be released or opened.
    let ends = ["withdrawn", "expired", "superseded", "failed"];
    if ends.iter().any(|kind| said.one(kind).is_some()) {
        facts.has("ended", true);
        facts.missing.clear();
    }
    facts.facts.extend(exercise(statements));
    Ok(facts)
}

fn shown(kind: &str) -> Words {
    match kind {
        "sent" => words!(
            "het agentschap verzegelde één envelop onder één sleutel",
            "the agency sealed one envelope under one key"
        ),
        "delivered" => words!(
            "de gemeente heeft precies die envelop",
            "the municipality holds exactly that envelope"
        ),
        "removed" => {
            words!("ze is weg van het transportmedium", "it is gone from the transport medium")
        }
        "released" => words!(
            "de sleuteldelen vertrokken daarna, en steunen daarop",
            "the shares left after that, and rest on it"
        ),
        "opened" => words!("wat eruit kwam, is wat erin ging", "what came out is what went in"),
        _ => words!(
            "de zending werd beëindigd voor ze geopend werd",
            "the transfer was ended before it was opened"
        ),
    }
}

/// The shares left after this removal, and rest on it.
fn rests(removal: &Removal, released: &Verified) -> Result<(), Refusal> {
    match &released.statement().body {
        Body::Released(body) if body.removed == removal.statement() => Ok(()),
        _ => Err(Refusal::Mismatch {
            kind: "released".into(),
            number: released.statement().header.number,
            what: "removed",
        }),
    }
}

/// For whose residents the agency said that the list was drawn: a word, and of the right municipality (R15).
fn residents((sent, terms): &Held<'_>) -> Result<Option<Fact>, Refusal> {
    let Body::Sent(Sent { residents: Some(said), .. }) = &sent.statement().body else {
        return Ok(None);
    };
    if terms.agreement.municipality.nis.as_ref() != Some(&said.nis) {
        let number = sent.statement().header.number;
        return Err(Refusal::Mismatch { kind: "sent".into(), number, what: "residents" });
    }
    Ok(Some(match said.word {
        Word::Agreement => Fact::of(
            "drawn-as-agreed",
            words!(
                "het agentschap zei dat het de lijst trok zoals de overeenkomst zegt, voor de inwoners van de gemeente",
                "the agency said that it drew the list as the agreement has it, for the municipality's residents"
            ),
        ),
        Word::Person => Fact::of(
            "drawn-by-person",
            words!(
                "wie de lijst aanbood, zei dat ze voor de inwoners van de gemeente getrokken was",
                "whoever offered the list said that it was drawn for the municipality's residents"
            ),
        ),
    }))
}

/// An exercise, or a list that went into folders only: a folder is no telephone, whatever the agreement calls the
/// channel (R88).
fn exercise(statements: &[&Held<'_>]) -> Option<Fact> {
    let any = |is: fn(&Body) -> bool| statements.iter().any(|(said, _)| is(&said.statement().body));
    let made_up = |body: &Body| matches!(body, Body::Sent(body) if body.exercise);
    let folders = |body: &Body| match body {
        Body::Sent(body) => body.rehearsal,
        Body::Released(body) => body.shares.iter().any(|share| share.driver == "spool"),
        _ => false,
    };
    if any(made_up) {
        return Some(Fact::of(
            "exercise",
            words!(
                "OEFENING: de inhoud was verzonnen, er zit geen lijst in",
                "OEFENING, a rehearsal: its content was made up, there is no list in it"
            ),
        ));
    }
    any(folders).then(|| {
        Fact::of(
            "rehearsal",
            words!(
                "OEFENING: sleuteldelen gingen naar een map, niet naar een telefoon",
                "OEFENING, a rehearsal: shares went into a folder, not to a telephone"
            ),
        )
    })
}
