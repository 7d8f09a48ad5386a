//! Verbs about the agreement beside its transfers: request, quality, incident and the other notices, and what was said.

mod moment;

use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use jiff::civil::Date;
use sluis_core::control::{MakeNotice, Noted, NoticeRow, Under};
use sluis_core::id::{AgreementId, Digest, TransferCode};
use sluis_core::notice::{MAX_TEXT, Notice, Sort, short};
use sluis_core::{kinds, words};

use crate::failure::{Failure, Result};
use crate::language::Lang;
use crate::socket::Socket;
use crate::{output, second};

/// What a notice says.
#[derive(Debug, Args)]
pub(crate) struct Said {
    /// Under which agreement.
    pub(crate) agreement: AgreementId,
    /// What there is to say; without it, standard input. No personal data: it stands in both ledgers.
    #[arg(long, value_name = "TEXT")]
    pub(crate) text: Option<String>,
    /// About which transfer.
    #[arg(long, value_name = "CODE")]
    pub(crate) transfer: Option<TransferCode>,
    /// The letter or mail that it is entered from: its digest is kept, not its content.
    #[arg(long, value_name = "FILE")]
    pub(crate) paper: Option<PathBuf>,
    /// The other party said it, by a letter or mail of this day: it is entered in its name, by two persons.
    #[arg(long, value_name = "DATE", requires = "paper")]
    pub(crate) received: Option<Date>,
}

/// What is said of an onward disclosure.
#[derive(Debug, Subcommand)]
pub(crate) enum Disclosure {
    /// Announce it, before that day.
    #[command(
        after_help = "Example:\n  sluis disclosure announce mechelen --on 2027-05-01 --paper overeenkomst.pdf --text 'aan het OCMW'"
    )]
    Announce(Onward),
}

/// An onward disclosure.
#[derive(Debug, Args)]
pub(crate) struct Onward {
    #[command(flatten)]
    of: OfDay,
    /// Why it needs no agreement of its own; otherwise --paper is that agreement (art. 4).
    #[arg(long, value_name = "REASON", conflicts_with = "paper")]
    no_agreement_needed: Option<String>,
}

/// A change of law.
#[derive(Debug, Args)]
pub(crate) struct Law {
    #[command(flatten)]
    of: OfDay,
    /// The data may not be handed over any more from that day on: the agreement ends by law (art. 12).
    #[arg(long)]
    basis_gone: bool,
}

/// An entry that the other party made from paper.
#[derive(Debug, Args)]
pub(crate) struct Against {
    #[command(flatten)]
    said: Said,
    /// The entry, as `sluis notices` shows it.
    #[arg(long, value_name = "NUMBER")]
    entry: String,
}

/// How the agreement is ended.
#[derive(Debug, Args)]
pub(crate) struct Ending {
    #[command(flatten)]
    said: Said,
    /// The first day without lists, after the term of notice: 2027-03-03.
    #[arg(long, value_name = "DATE", required_unless_present = "at_once")]
    on: Option<Date>,
    /// At once, on a breach of the agreement: the agency alone, and two persons (art. 8).
    #[arg(long, conflicts_with = "on")]
    at_once: bool,
    /// The breach.
    #[arg(long, value_name = "TEXT", requires = "at_once", conflicts_with = "text")]
    reason: Option<String>,
}

/// `sluis information`
#[derive(Debug, Subcommand)]
pub(crate) enum Information {
    /// Ask how access is granted and held, or for the proof of the measures (art. 6).
    #[command(
        after_help = "Example:\n  sluis information request mechelen --text 'het bewijs van de maatregelen van 2026'"
    )]
    Request(Said),
    /// Answer what the other party asked.
    #[command(
        after_help = "Example:\n  sluis information answer mechelen --case 3f2a91c0 --paper auditverslag.pdf --text 'in bijlage'"
    )]
    Answer(InCase),
}

/// What a finding says.
#[derive(Debug, Args)]
pub(crate) struct Found {
    #[command(flatten)]
    pub(crate) said: Said,
    /// When it was found: 2026-11-23T14:00 in Brussels, 2026-11-23T14:00+01:00 or 2026-11-23T13:00Z. The clock runs from
    /// there.
    #[arg(long, value_name = "TIME")]
    pub(crate) found: String,
}

/// What is said in a case.
#[derive(Debug, Args)]
pub(crate) struct InCase {
    #[command(flatten)]
    pub(crate) said: Said,
    /// The case, as `sluis notices` shows it.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) case: String,
}

/// What is said of a day.
#[derive(Debug, Args)]
pub(crate) struct OfDay {
    #[command(flatten)]
    pub(crate) said: Said,
    /// The day: 2027-03-03.
    #[arg(long, value_name = "DATE")]
    pub(crate) on: Date,
}

/// `sluis quality`
#[derive(Debug, Subcommand)]
pub(crate) enum Quality {
    /// Data are wrong, incomplete, outdated or too many: the agency acts within two weeks of the finding (art. 7).
    #[command(
        after_help = "Example:\n  sluis quality report mechelen --found 2026-11-23T14:00 --transfer 7K3F-9QX --text 'rij 12 is verouderd'"
    )]
    Report(Found),
    /// What the agency found and did about it.
    #[command(
        after_help = "Example:\n  sluis quality answer mechelen --case 3f2a91c0 --text 'verbeterd in KBI'"
    )]
    Answer(InCase),
    /// The case is done, after an answer.
    #[command(
        after_help = "Example:\n  sluis quality close mechelen --case 3f2a91c0 --text 'nagekeken'"
    )]
    Close(InCase),
}

/// `sluis incident`
#[derive(Debug, Subcommand)]
pub(crate) enum Incident {
    /// Processing or access without right, attempts too: at the latest 24 hours after it was found (art. 6).
    #[command(
        after_help = "Example:\n  sluis incident report mechelen --found 2026-11-23T14:00 --text 'een poging tot aanmelden'"
    )]
    Report(Found),
    /// What became known or was done since.
    #[command(
        after_help = "Example:\n  sluis incident update mechelen --case 3f2a91c0 --text 'het account is geblokkeerd'"
    )]
    Update(InCase),
    /// The case is done.
    #[command(
        after_help = "Example:\n  sluis incident close mechelen --case 3f2a91c0 --text 'afgerond'"
    )]
    Close(InCase),
}

/// What is to be said.
pub(crate) struct Wording {
    sort: Sort,
    said: Said,
    found: Option<String>,
    case: Option<String>,
    on: Option<Date>,
    unpapered: Option<String>,
}

impl Wording {
    /// A notice that needs nothing but its text.
    pub(crate) fn plain(sort: Sort, said: Said) -> Self {
        Self { sort, said, found: None, case: None, on: None, unpapered: None }
    }
    /// One about a day.
    pub(crate) fn of_day(sort: Sort, of: OfDay) -> Self {
        Self { on: Some(of.on), ..Self::plain(sort, of.said) }
    }
    /// The yearly one, whose counts the core adds.
    pub(crate) fn attestation(
        agreement: AgreementId,
        text: String,
        paper: Option<PathBuf>,
    ) -> Self {
        let said = Said { agreement, text: Some(text), transfer: None, paper, received: None };
        Self::plain(Sort::Attestation, said)
    }
    /// One of article 4, with its agreement or why there is none.
    pub(crate) fn onward(it: Onward) -> Self {
        let unpapered = it.no_agreement_needed;
        Self { unpapered, ..Self::of_day(Sort::Disclosure, it.of) }
    }
    /// A change of law, and whether it takes the basis away.
    pub(crate) fn law(it: Law) -> Self {
        let sort = if it.basis_gone { Sort::BasisGone } else { Sort::LegalChange };
        Self::of_day(sort, it.of)
    }
    /// What was entered in this party's name is not its word.
    pub(crate) fn against(it: Against) -> Self {
        Self { case: Some(it.entry), ..Self::plain(Sort::Contradiction, it.said) }
    }
    /// The end, by notice or at once.
    pub(crate) fn ending(it: Ending) -> Self {
        if !it.at_once {
            return Self { on: it.on, ..Self::plain(Sort::Terminate, it.said) };
        }
        let text = it.reason.or(it.said.text.clone());
        Self::plain(Sort::TerminateAtOnce, Said { text, ..it.said })
    }
    fn found(sort: Sort, it: Found) -> Self {
        Self { found: Some(it.found), ..Self::plain(sort, it.said) }
    }
    fn in_case(sort: Sort, it: InCase) -> Self {
        Self { case: Some(it.case), ..Self::plain(sort, it.said) }
    }
}

impl From<Quality> for Wording {
    fn from(verb: Quality) -> Self {
        match verb {
            Quality::Report(it) => Self::found(Sort::QualityReport, it),
            Quality::Answer(it) => Self::in_case(Sort::QualityAnswer, it),
            Quality::Close(it) => Self::in_case(Sort::QualityClose, it),
        }
    }
}

impl From<Incident> for Wording {
    fn from(verb: Incident) -> Self {
        match verb {
            Incident::Report(it) => Self::found(Sort::IncidentReport, it),
            Incident::Update(it) => Self::in_case(Sort::IncidentUpdate, it),
            Incident::Close(it) => Self::in_case(Sort::IncidentClose, it),
        }
    }
}

impl From<Information> for Wording {
    fn from(verb: Information) -> Self {
        match verb {
            Information::Request(it) => Self::plain(Sort::InformationRequest, it),
            Information::Answer(it) => Self::in_case(Sort::InformationAnswer, it),
        }
    }
}

/// Makes a notice, and tells which one.
pub(crate) fn make(socket: &Socket, wording: Wording, lang: Lang, json: bool) -> Result<()> {
    let noted = say(socket, wording, lang)?;
    let Some(made) = &noted.row else {
        if json {
            return output::json(&noted);
        }
        output::line(second::asked(lang))?;
        return second::beside(&noted.others, lang);
    };
    if json {
        return output::json(made);
    }
    told(made, lang)?;
    if let Some(paper) = paper(made, lang) {
        output::line(paper)?;
    }
    if let Some(first) = &noted.first {
        output::line(format!("{} {first}", lang.pick("bevestigd na", "confirmed after")))?;
    }
    if let Some(late) = &made.late_why {
        output::line(late.text(lang.core()))?;
    }
    if made.sort == Sort::QualityReport && made.transfer.is_none() {
        output::line(of_no_list(lang))?;
    }
    for (codes, nl, en) in [
        (&noted.withdrawn, "ingetrokken", "withdrawn"),
        (
            &noted.stays,
            "blijft: er zijn al genoeg sleuteldelen weg om te openen; bel de gemeente",
            "stays: enough shares are out to open it; call the municipality",
        ),
    ] {
        codes.iter().try_for_each(|of| output::line(format!("{of}  {}", lang.pick(nl, en))))?;
    }
    if noted.waits {
        output::line(lang.pick(
            "wat onderweg is, eindigt zodra de andere partij gehoord is: sluis list zegt het; is de sluiskom weg: sluis restored --unheard, door twee personen",
            "what is under way ends as soon as the other party was heard: sluis list says so; where the drop zone is gone: sluis restored --unheard, by two persons",
        ))?;
    }
    if made.sort.opens() {
        output::line(
            lang.pick("Dossiernummer: ", "Number of the case: ").to_owned() + &short(&made.digest),
        )?;
    }
    Ok(())
}

/// What was made, by its beginning.
pub(crate) fn told(made: &NoticeRow, lang: Lang) -> Result<()> {
    let (sort, number) = (made.sort, short(&made.digest));
    output::line(format!("{}  {}  {number}", sort.kind(), sort.article().label(lang.core())))
}

/// Makes a notice.
pub(crate) fn say(socket: &Socket, wording: Wording, lang: Lang) -> Result<Noted> {
    let Wording { sort, said, found, case, on, unpapered } = wording;
    let notice = Notice {
        text: text(said.text, lang)?,
        case: case.map(|case| resolve(socket, &case)).transpose()?,
        found: found.map(|found| moment::read(&found)).transpose()?,
        on,
        paper: said.paper.as_deref().map(digest).transpose()?,
        received: said.received,
        unpapered,
    };
    let language = lang.core();
    let ask = MakeNotice { agreement: said.agreement, code: said.transfer, sort, notice, language };
    socket.post("notice", &ask)
}

/// A corrected list answers the request of the list that it mends, which this does not name (R63).
fn of_no_list(lang: Lang) -> &'static str {
    lang.pick(
        "let op: zonder --transfer hoort dit bij geen zending, en vertrekt er geen verbeterde lijst voor (art. 7). Zit de fout in een lijst, meld ze dan met --transfer CODE: sluis list",
        "note: without --transfer this is about no transfer, and no corrected list leaves for it (art. 7). If the error is in a list, report it with --transfer CODE: sluis list",
    )
}

fn text(given: Option<String>, lang: Lang) -> Result<String> {
    if let Some(text) = given {
        return Ok(text);
    }
    if std::io::stdin().is_terminal() {
        output::line(lang.pick(
            "Wat is er te melden? Sluit af met Ctrl-D.",
            "What is there to say? End with Ctrl-D.",
        ))?;
    }
    let mut text = String::new();
    // One more than fits: too long is told, not cut.
    let most = u64::try_from(MAX_TEXT * 4 + 1).unwrap_or(u64::MAX);
    std::io::stdin().take(most).read_to_string(&mut text).map_err(Failure::io("standard input"))?;
    match text.trim() {
        "" => Err(Failure::coded(
            "no-text",
            words!(
                "er staat niets: zeg het met --text 'TEKST', of op de standaardinvoer",
                "nothing is said: say it with --text 'TEXT', or on standard input"
            ),
        )),
        text => Ok(text.to_owned()),
    }
}

/// A case, or an entry from paper, by the beginning of its number.
fn resolve(socket: &Socket, number: &str) -> Result<Digest> {
    let rows: Vec<NoticeRow> = socket.get("notices")?;
    let number = number.to_lowercase();
    let mut found = rows.iter().filter(|row| {
        let numbered = row.sort.opens() || row.notice.received.is_some();
        numbered && number.len() >= 4 && row.digest.to_string().starts_with(&number)
    });
    match (found.next(), found.next()) {
        (Some(row), None) => Ok(row.digest),
        (None, _) => Err(Failure::coded(
            "no-such-case",
            words!(
                "geen dossier of inschrijving {number}; kijk met: sluis notices",
                "no case or entry {number}; look with: sluis notices"
            ),
        )),
        _ => Err(Failure::coded(
            "many-cases",
            words!(
                "{number} is het begin van meer dan één dossier",
                "{number} is the beginning of more than one case"
            ),
        )),
    }
}

fn digest(path: &Path) -> Result<Digest> {
    let bytes = std::fs::read(path).map_err(Failure::io(path.display()))?;
    Ok(Digest::of(&bytes))
}

/// `sluis notices`
pub(crate) fn list(socket: &Socket, of: &Under, lang: Lang, json: bool) -> Result<()> {
    let rows: Vec<NoticeRow> = socket.get(&of.verb("notices"))?;
    if json {
        return output::json(&rows);
    }
    if rows.is_empty() {
        return output::line(lang.pick("Er is niets gemeld.", "Nothing was said."));
    }
    let cells = rows.iter().map(|row| {
        let numbered = row.sort.opens() || row.notice.received.is_some();
        let case = row.notice.case.as_ref().or(numbered.then_some(&row.digest));
        vec![
            row.at.local_hour(),
            row.agreement.to_string(),
            row.by.to_string(),
            kinds::statement(row.sort.kind(), lang.core()).unwrap_or(row.sort.kind()).to_owned(),
            case.map(short).unwrap_or_default(),
            row.notice.on.map(|on| on.to_string()).unwrap_or_default(),
            format!("{}{}", marks(row, lang), shown(&row.notice.text)),
        ]
    });
    let head = match lang {
        Lang::Nl => ["TIJD", "OVEREENKOMST", "VAN", "SOORT", "DOSSIER", "DAG", "TEKST"],
        Lang::En => ["TIME", "AGREEMENT", "FROM", "SORT", "CASE", "DAY", "TEXT"],
    };
    output::wide_table(&head, cells.collect())
}

/// What is to be known of a notice before its text.
fn marks(row: &NoticeRow, lang: Lang) -> String {
    let mut marks = Vec::new();
    if let Some(why) = &row.void {
        marks.push(format!(
            "{}: {}",
            lang.pick("zonder gevolg", "without effect"),
            why.text(lang.core())
        ));
    }
    marks.extend(row.said.map(|said| {
        let clock = lang.pick("de klok van die partij zei", "that party's clock said");
        format!("{clock} {}", said.local_hour())
    }));
    marks.extend(row.ends.map(|on| {
        let here = lang.pick("hier eindigt het op", "here it ends on");
        format!("{here} {on}")
    }));
    marks.extend(row.late_why.as_ref().map(|late| late.text(lang.core()).to_owned()));
    if row.contradicted {
        marks.push(
            lang.pick(
                "tegengesproken door wie het gezegd zou hebben",
                "contradicted by whose word it would be",
            )
            .to_owned(),
        );
    }
    marks.extend(paper(row, lang));
    marks.iter().map(|mark| format!("[{mark}] ")).collect()
}

/// That it was entered from paper, and whose word it is then.
fn paper(row: &NoticeRow, lang: Lang) -> Option<String> {
    match (row.notice.received, row.notice.paper) {
        (Some(day), _) => Some(format!(
            "{} {day}",
            lang.pick(
                "papier: woord van de andere partij, brief van",
                "paper: the other party's word, letter of"
            )
        )),
        (None, Some(_)) if row.sort != Sort::Publication => {
            Some(lang.pick("papier", "paper").to_owned())
        }
        (None, _) => None,
    }
}

/// The other party's words, as a terminal may have them: all of them, which the table wraps.
pub(crate) fn shown(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(words::shown).collect();
    lines.join(" / ")
}
