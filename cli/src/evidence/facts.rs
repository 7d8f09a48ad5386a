//! What the statements of one transfer prove together.

use sluis_core::agreement::Side;
use sluis_core::evidence::{Delivery, Opening, Refusal, Removal, Terms, Verified};
use sluis_core::notice::{Sort, short};
use sluis_core::statement::{Body, Sent, Statement, Word};
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
    /// Those of a kind, by the party whose kind it is: what the other one says of it proves nothing.
    fn all(&self, kind: &'static str) -> impl Iterator<Item = &'a Held<'a>> {
        let of =
            move |(said, _): &&Held<'_>| said.statement().body.kind() == kind && said.is_theirs();
        self.0.iter().copied().filter(of)
    }
    /// The first of a kind is the one that had an effect.
    fn one(&self, kind: &'static str) -> Option<&'a Verified> {
        self.all(kind).next().map(|(said, _)| said)
    }
    /// What rests on another statement was said after it.
    fn follows(&self, before: &Verified, said: &Verified) -> Result<(), Refusal> {
        let place = |one: &Verified| self.0.iter().position(|(it, _)| it.digest() == one.digest());
        if place(before) < place(said) { Ok(()) } else { Err(mismatch(said, "place")) }
    }
    /// Whether the agency ended it.
    fn is_ended(&self) -> bool {
        let ends = ["withdrawn", "expired", "superseded", "failed"];
        let by_agency = |kind| self.all(kind).any(|(said, _)| said.from() == Side::Agency);
        ends.into_iter().any(by_agency)
    }
}

impl Facts {
    /// Whether the transfer was no delivery (R88).
    pub(super) fn is_rehearsal(&self) -> bool {
        self.facts.iter().any(|fact| ["exercise", "rehearsal"].contains(&fact.code))
    }
    /// What a kind of statement shows, where it holds.
    fn has(&mut self, kind: &'static str, holds: bool) {
        if holds {
            self.facts.push(Fact::of(kind, shown(kind)));
        } else {
            self.missing.push(kind);
        }
    }
}

/// What these statements about one transfer prove, of `all` that are here; nothing of them contradicts another.
///
/// # Errors
/// [`Refusal`], naming what does not agree.
pub(super) fn prove(statements: &[&Held<'_>], all: &[&Held<'_>]) -> Result<Facts, Refusal> {
    let said = Said(statements);
    let mut facts = Facts { transfer: None, facts: Vec::new(), missing: Vec::new() };
    let first = said.all("sent").next();
    let sent = first.map(|(sent, _)| sent);
    facts.has("sent", sent.is_some());
    let answer = sent.zip(said.one("delivered"));
    let delivery = answer.map(|(sent, delivered)| {
        said.follows(sent, delivered)?;
        Delivery::check(sent, delivered)
    });
    facts.has("delivered", delivery.transpose()?.is_some());
    facts.facts.extend(first.map(residents).transpose()?.flatten());
    facts.facts.extend(sent.and_then(|sent| mends(sent, all)));
    let removal = first.zip(said.one("delivered")).zip(said.one("removed"));
    let removal = removal.map(|(((sent, terms), delivered), removed)| {
        said.follows(delivered, removed)?;
        Removal::check(terms, sent, delivered, removed).map(|removal| (removal, removed))
    });
    let removal = removal.transpose()?;
    facts.has("removed", removal.is_some());
    // Shares may have been sent again: each time they rest on the removal.
    let mut rested = false;
    for (released, _) in said.all("released") {
        if let Some((removal, removed)) = &removal {
            said.follows(removed, released)?;
            rests(removal, released)?;
            rested = true;
        }
    }
    facts.has("released", rested);
    let opening = sent.zip(said.one("opened")).map(|(sent, opened)| {
        said.follows(sent, opened)?;
        Opening::check(sent, opened)
    });
    let opening = opening.transpose()?;
    facts.has("opened", opening.is_some());
    // What the agency ended was never to be released or opened; that it had begun must be here all the same.
    if opening.is_none() && said.is_ended() {
        facts.has("ended", true);
        facts.missing.retain(|kind| *kind == "sent");
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
        _ => Err(mismatch(released, "removed")),
    }
}

fn mismatch(said: &Verified, what: &'static str) -> Refusal {
    let Statement { header, body } = said.statement();
    Refusal::Mismatch { kind: body.kind().to_owned(), number: header.number, what }
}

/// For whose residents the agency said that the list was drawn: a word, and of the right municipality (R15).
fn residents((sent, terms): &Held<'_>) -> Result<Option<Fact>, Refusal> {
    let Body::Sent(Sent { residents: Some(said), .. }) = &sent.statement().body else {
        return Ok(None);
    };
    if terms.agreement.municipality.nis.as_ref() != Some(&said.nis) {
        return Err(mismatch(sent, "residents"));
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

/// Which report of an error in an earlier list a corrected one names, and whether that is in the folder (R63): that of one
/// transfer or one year need not have it.
fn mends(sent: &Verified, all: &[&Held<'_>]) -> Option<Fact> {
    let Body::Sent(Sent { mends: Some(report), .. }) = &sent.statement().body else { return None };
    let number = short(report);
    let Some(place) = all.iter().position(|(said, _)| said.digest() == *report) else {
        return Some(Fact::of(
            "mends-not-here",
            words!(
                "het verbetert de lijst van dossier {number}; die melding is hier niet",
                "it mends the list of case {number}; that report is not here"
            ),
        ));
    };
    let Statement { header, body } = all.get(place)?.0.statement();
    let before = all.iter().position(|(said, _)| said.digest() == sent.digest());
    let is_report = matches!(body, Body::Notice(Sort::QualityReport, _));
    let of_another =
        header.transfer.is_some() && header.transfer != sent.statement().header.transfer;
    Some(if is_report && of_another && Some(place) < before {
        Fact::of(
            "mends",
            words!(
                "het verbetert de lijst van dossier {number}, dat ervoor gemeld is",
                "it mends the list of case {number}, which was reported before it"
            ),
        )
    } else {
        Fact::of(
            "mends-nothing",
            words!(
                "LET OP: het noemt {number} als de melding die het verbetert, en dat is geen melding van een fout in een eerdere lijst",
                "NOTE: it names {number} as the report that it mends, which is no report of an error in an earlier list"
            ),
        )
    })
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
                "OEFENING, sleuteldelen gingen naar een map en niet naar een telefoon",
                "OEFENING, a rehearsal: shares went into a folder, not to a telephone"
            ),
        )
    })
}
