//! `sluis agreement new`: asks its way through the articles and writes an annotated agreement.

use std::collections::BTreeMap;
use std::io::{BufRead, IsTerminal, Read};
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use sluis_core::words;

use super::kept::Kept;
use super::questions::{Kind, PARTS, Part, Question, list, pairs};
use super::{check, draft};
use crate::failure::{Failure, Result};
use crate::language::Lang;
use crate::{init, output};

/// How often a question is asked before it is given up: input that is not a person's ends somewhere.
const TRIES: usize = 5;
/// The longest answer that is read.
const MAX_ANSWER: u64 = 10_000;

/// What was answered so far.
pub(super) struct Answers {
    given: BTreeMap<String, String>,
    /// What was answered before this time, and is not asked again while it will do.
    before: BTreeMap<String, String>,
    /// Where each answer is kept as soon as it is given.
    kept: Option<Kept>,
    /// Which share the question is about, from 1.
    pub(super) turn: usize,
    pub(super) today: Date,
}

impl Answers {
    fn key(&self, key: &str) -> String {
        key.replace('#', &self.turn.to_string())
    }
    /// The answer, empty where there is none; `#` is the present share.
    pub(super) fn get(&self, key: &str) -> &str {
        self.given.get(&self.key(key)).map_or("", String::as_str)
    }
    pub(super) fn number(&self, key: &str) -> usize {
        self.get(key).parse().unwrap_or(0)
    }
    /// The answers about the shares before this one, of which the key is `kind.NUMBER.field`.
    fn before(&self, kind: &str, field: &str) -> impl Iterator<Item = &str> {
        let key = move |turn| format!("{kind}.{turn}.{field}");
        let answer = move |turn| self.given.get(&key(turn)).map_or("", String::as_str);
        (1..self.turn).map(answer)
    }
    /// The first halves of a list of pairs.
    pub(super) fn heads(&self, key: &str) -> impl Iterator<Item = &str> {
        pairs(self.get(key)).unwrap_or_default().into_iter().map(|(head, _)| head)
    }
    /// Whether neither the agency nor an earlier share has this name.
    pub(super) fn is_new(&self, name: &str) -> bool {
        let shares = self.before("custodian", "id").chain(self.before("channel", "id"));
        shares.chain([self.get("agency.id")]).all(|known| known != name)
    }
    /// Rule 2: whether one more share with this provider or group leaves it below the threshold; and it does not carry
    /// the file.
    pub(super) fn may_carry(&self, name: &str) -> bool {
        let same = |known: &&str| known.to_lowercase() == name.to_lowercase();
        if same(&self.get("drop-zone.operator")) {
            return false;
        }
        let providers = self.before("channel", "provider").filter(same).count();
        let groups = self.before("channel", "group").filter(same).count();
        providers.max(groups) + 1 < self.number("key.threshold")
    }
    fn is_party(&self, name: &str) -> bool {
        let same = |key| self.get(key).to_lowercase() == name.to_lowercase();
        same("agency.name") || same("municipality.name")
    }
    /// Whether the drop zone's operator is a processor.
    pub(super) fn operator_is_new(&self) -> bool {
        !self.is_party(self.get("drop-zone.operator"))
    }
    /// Whether the channel's provider is a processor that was not asked about before.
    pub(super) fn provider_is_new(&self) -> bool {
        let provider = self.get("channel.#.provider").to_lowercase();
        let known = self.before("channel", "provider").chain([self.get("drop-zone.operator")]);
        let known = known.map(str::to_lowercase).any(|known| known == provider);
        !known && !self.is_party(&provider)
    }
    /// From now on each answer is kept beside this file, and what lies there already is gone on from.
    fn keep(&mut self, file: &Path, lang: Lang) -> Result<()> {
        let kept = Kept::beside(file);
        self.before = kept.read()?;
        let path = kept.path().display();
        output::line(match (lang, self.before.len()) {
            (Lang::Nl, 0) => format!(
                "Elk antwoord wordt bewaard in {path}. Stoppen mag (Ctrl-C): hetzelfde commando gaat verder."
            ),
            (Lang::En, 0) => format!(
                "Each answer is kept in {path}. You may stop (Ctrl-C): the same command goes on."
            ),
            (Lang::Nl, count) => format!(
                "Gaat verder met {count} antwoorden uit {path}. Een ander antwoord? Haal daar de regel weg, en begin dit opnieuw."
            ),
            (Lang::En, count) => format!(
                "Goes on with {count} answers from {path}. Another answer? Take its line out there, and begin this again."
            ),
        })?;
        self.kept = Some(kept);
        Ok(())
    }
    /// What was answered to it before, where that will still do.
    fn again(&self, question: &Question, lang: Lang) -> Result<Option<String>> {
        let Some(answer) = self.before.get(&self.key(question.key)) else { return Ok(None) };
        let may = answer.is_empty() && question.kind.may_be_blank();
        if !may && question.kind.refuse(answer, self).is_some() {
            return Ok(None);
        }
        let text = self.fill(lang.pick(question.nl, question.en));
        output::line(format!("  {text}: {}", answer.replace(char::is_control, "?")))?;
        Ok(Some(answer.clone()))
    }
    /// Takes an answer. The first names the file, where nothing else did.
    fn take(&mut self, question: &Question, answer: String, lang: Lang) -> Result<()> {
        self.given.insert(self.key(question.key), answer);
        if self.kept.is_none() {
            let path = file(None, self);
            refuse_if_there(&path)?;
            self.keep(&path, lang)?;
        }
        let Some(kept) = &self.kept else { return Ok(()) };
        let mut all = self.before.clone();
        all.extend(self.given.clone());
        kept.write(&all)
    }
    /// The same failure, with where the answers are.
    fn stopped(&self, failure: Failure) -> Failure {
        match &self.kept {
            Some(kept) if !self.given.is_empty() => failure.and(&words!(
                "wat beantwoord is staat in {}; hetzelfde commando gaat daar verder",
                "what was answered is in {}; the same command goes on from there",
                kept.path().display()
            )),
            _ => failure,
        }
    }
    /// A question's text or default, with earlier answers in place of their keys.
    fn fill(&self, text: &str) -> String {
        let Some((before, rest)) = text.split_once('{') else { return self.key(text) };
        let Some((key, after)) = rest.split_once('}') else { return text.to_owned() };
        let answer = match key {
            "today" => self.today.to_string(),
            // Of a list of pairs, the first stands for all.
            "access.profiles" => self.heads(key).next().unwrap_or_default().to_owned(),
            key => self.get(key).to_owned(),
        };
        format!("{before}{answer}{after}")
    }
}

/// `sluis agreement new [--out FILE]`
pub(crate) fn new(out: Option<&Path>, lang: Lang, json: bool) -> Result<()> {
    if json {
        output::be_quiet();
    }
    if let Some(out) = out {
        refuse_if_there(out)?;
    }
    output::line(lang.pick(
        "Enter neemt wat tussen haken staat; een streepje laat het leeg.",
        "Enter takes what stands in brackets; a dash leaves it blank.",
    ))?;
    let mut answers = Answers {
        given: BTreeMap::new(),
        before: BTreeMap::new(),
        kept: None,
        turn: 0,
        today: check::today(),
    };
    if let Some(out) = out {
        answers.keep(out, lang)?;
    }
    for part in PARTS {
        ask_part(part, &mut answers, lang).map_err(|failure| answers.stopped(failure))?;
    }
    let path = file(out, &answers);
    let text = draft::text(&answers);
    refuse_if_there(&path)
        .and_then(|()| check::parse(&path, &text))
        .and_then(|_| init::file(&path, text.as_bytes(), 0o644))
        .map_err(|failure| answers.stopped(failure))?;
    if let Some(kept) = &answers.kept {
        kept.remove();
    }
    if json {
        return output::json(&serde_json::json!({ "file": path }));
    }
    let path = path.display();
    output::line(format!("\n{}: {path}", lang.pick("geschreven", "written")))?;
    output::line(lang.pick(
        "Volgende stappen: kijk na wat nog ontbreekt; neem het bestand met de kaarten van beide partijen en van de sluiskom in gebruik.",
        "Next: look what is still missing; put the file into use with the cards of both parties and of the drop zone.",
    ))?;
    output::line(format!("  sluis agreement check {path}"))?;
    output::line(format!(
        "  sluis agreement add {path} --card agency.card --card municipality.card --card dropzone.card"
    ))
}

/// Where it is written: as it was said, or by the agreement's name.
fn file(out: Option<&Path>, answers: &Answers) -> PathBuf {
    out.map_or_else(|| format!("{}.toml", answers.get("agreement")).into(), Path::to_owned)
}

fn refuse_if_there(path: &Path) -> Result<()> {
    match path.symlink_metadata() {
        Ok(_) => Err(Failure::coded(
            "exists",
            words!(
                "{} bestaat al en wordt niet overschreven; kies een ander met --out",
                "{} is there already and is not overwritten; choose another with --out",
                path.display()
            ),
        )),
        Err(_) => Ok(()),
    }
}

fn ask_part(part: &Part, answers: &mut Answers, lang: Lang) -> Result<()> {
    let turns = if part.each_share { answers.number("shares") } else { 1 };
    for turn in 1..=turns {
        answers.turn = turn;
        let number = if part.each_share { format!(" {turn}") } else { String::new() };
        output::line(format!("\n{}{number}", lang.pick(part.nl, part.en)))?;
        for question in part.questions {
            if (question.when)(answers) {
                let answer = match answers.again(question, lang)? {
                    Some(answer) => answer,
                    None => ask(question, answers, lang)?,
                };
                answers.take(question, answer, lang)?;
            }
        }
    }
    Ok(())
}

/// Asks until the answer will do.
fn ask(question: &Question, answers: &Answers, lang: Lang) -> Result<String> {
    let text = answers.fill(lang.pick(question.nl, question.en));
    let default = answers.fill(question.default);
    let hint = match question.kind {
        Kind::Choice(these) => format!(" [{default}] ({})", these.join(", ")),
        Kind::OneOf(key) => {
            format!(" [{default}] ({})", answers.heads(key).collect::<Vec<_>>().join(", "))
        }
        Kind::Number(from, to) if default.is_empty() => format!(" ({from}-{to})"),
        Kind::Number(from, to) => format!(" [{default}] ({from}-{to})"),
        _ if default.is_empty() => String::new(),
        _ => format!(" [{default}]"),
    };
    let optional = match question.kind.may_be_blank() {
        true => lang.pick(" (mag leeg)", " (optional)"),
        false => "",
    };
    for _ in 0..TRIES {
        output::prompt(&format!("  {text}{optional}{hint}: "))?;
        let Some(line) = read_line()? else {
            let why = words!(
                "de antwoorden houden op bij {} ({text})",
                "the answers end at {} ({text})",
                answers.key(question.key)
            );
            return Err(Failure::coded("no-answer", why));
        };
        let answer = match line.trim() {
            "" => default.clone(),
            "-" => String::new(),
            given => given.to_owned(),
        };
        if !std::io::stdin().is_terminal() {
            output::line(answer.replace(char::is_control, "?"))?;
        }
        match question.kind.refuse(&answer, answers) {
            None => return Ok(answer),
            Some([nl, en]) => output::line(format!("    {}", lang.pick(nl, en)))?,
        }
    }
    let why = words!(
        "vijf keer geen bruikbaar antwoord op {} ({text})",
        "five times no usable answer to {} ({text})",
        answers.key(question.key)
    );
    Err(Failure::coded("no-answer", why))
}

/// A line of standard input, or nothing at its end.
fn read_line() -> Result<Option<String>> {
    let mut line = String::new();
    let read = std::io::stdin().lock().take(MAX_ANSWER).read_line(&mut line);
    Ok((read.map_err(Failure::io("standard input"))? > 0).then_some(line))
}

/// The answers to a list, for the draft.
pub(super) fn items(text: &str) -> Vec<&str> {
    list(text).collect()
}
