//! What waits for a second person: what was asked, in the words of who asked, and what is typed to confirm it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::id::{AgreementId, Digest, Time, TransferCode, TransferId};
use crate::notice::{Notice, Sort};
use crate::words::Language;

/// `notice`: a person makes a notice.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MakeNotice {
    /// Under which agreement.
    pub agreement: AgreementId,
    /// About which transfer, where it is about one.
    pub code: Option<TransferCode>,
    /// What it is about.
    pub sort: Sort,
    /// What it says.
    pub notice: Notice,
    /// In which language the counts of an attestation are written.
    pub language: Language,
}

/// What a first person asked for, as a second one needs it. No personal data: what people write was looked through before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// Under which agreement, where it is under one.
    pub agreement: Option<AgreementId>,
    /// The transfer that it is about, where it is about one.
    pub code: Option<TransferCode>,
    /// The same, by its identity.
    pub transfer: Option<TransferId>,
    /// What it is about; two requests of one verb about the same stand beside each other, and only one is meant.
    pub of: String,
    /// What is typed to confirm it, as a shell takes it. `FILE` stands for a letter that whoever confirms has too.
    pub command: String,
    /// What it says, where it is a notice.
    pub notice: Option<Notice>,
}

/// One line of `waiting`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiting {
    /// What was asked for.
    pub verb: String,
    /// Of what: a code, or a text; with a notice the digest of all that is asked.
    pub subject: String,
    /// Who asked; nobody yet for a version of an agreement that somebody installed.
    pub by: Option<String>,
    /// When.
    pub at: Time,
    /// Until when a second person may confirm; none where nobody has asked yet.
    pub until: Option<Time>,
    /// Whether it is about a rehearsal and no delivery (R88).
    #[serde(default)]
    pub rehearsal: bool,
    /// What it says, and what to type.
    pub wanted: Wanted,
}

/// Words as a shell takes them: each is one argument, whatever is in it.
#[must_use]
pub fn typed<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().map(quoted).collect::<Vec<_>>().join(" ")
}

/// The same, with what a person said behind an option: joined to it, for it may begin with a dash.
#[must_use]
pub fn typed_with<'a>(
    words: impl IntoIterator<Item = &'a str>,
    option: &str,
    said: &str,
) -> String {
    format!("{} {option}={}", typed(words), quoted(said))
}

/// A line break is written as one: what is shown on one line is one command.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:".contains(c);
    match word {
        "" => "''".to_owned(),
        word if word.chars().all(plain) => word.to_owned(),
        word if word.contains('\n') => {
            let word = word.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n");
            format!("$'{word}'")
        }
        word => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

impl From<&MakeNotice> for Wanted {
    fn from(ask: &MakeNotice) -> Self {
        Self {
            agreement: Some(ask.agreement.clone()),
            code: ask.code,
            transfer: None,
            of: ask.agreement.to_string(),
            command: command(ask),
            notice: Some(ask.notice.clone()),
        }
    }
}

/// What is typed for a notice that takes two persons.
fn command(MakeNotice { agreement, code, sort, notice, .. }: &MakeNotice) -> String {
    let on = notice.on.map(|on| on.to_string());
    let found = notice.found.map(exact);
    let code = code.as_ref().map(TransferCode::to_string);
    let received = notice.received.map(|day| day.to_string());
    let (verb, text) = match sort {
        Sort::TerminateAtOnce => ("terminate", "--reason"),
        Sort::BasisGone => ("legal-change", "--text"),
        Sort::QualityReport => ("quality report", "--text"),
        Sort::IncidentReport => ("incident report", "--text"),
        other => (other.kind(), "--text"),
    };
    let mut words = vec!["sluis"];
    words.extend(verb.split(' '));
    words.push(agreement.as_str());
    match sort {
        Sort::TerminateAtOnce => words.push("--at-once"),
        Sort::BasisGone => words.push("--basis-gone"),
        _ => {}
    }
    let paper = notice.paper.as_ref().map(|_| "FILE".to_owned());
    for (option, value) in [
        ("--on", &on),
        ("--found", &found),
        ("--transfer", &code),
        ("--paper", &paper),
        ("--received", &received),
    ] {
        if let Some(value) = value {
            words.extend([option, value]);
        }
    }
    typed_with(words, text, &notice.text)
}

/// To the millisecond: what is confirmed is the very same.
fn exact(at: Time) -> String {
    Timestamp::from_millisecond(at.0).unwrap_or_default().to_string()
}

impl Waiting {
    /// The digest of the letter, where it was entered from one.
    #[must_use]
    pub fn paper(&self) -> Option<Digest> {
        self.wanted.notice.as_ref().and_then(|it| it.paper)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_takes_each_word_as_it_was() {
        for (word, shown) in [
            ("mechelen", "mechelen"),
            ("", "''"),
            ("de lijst", "'de lijst'"),
            ("'t is $HOME", "''\\''t is $HOME'"),
            ("a;b", "'a;b'"),
        ] {
            assert_eq!(typed([word]), shown);
            let out = std::process::Command::new("sh")
                .args(["-c", &format!("printf %s {shown}")])
                .output()
                .unwrap();
            assert_eq!(String::from_utf8(out.stdout).unwrap(), word);
        }
    }

    /// What a first person wrote makes no second line of it, and no option.
    #[test]
    fn what_was_said_is_one_argument_on_one_line() {
        let said = "-3 rijen\n  bevestig met: sluis 'x' \\";
        let shown = typed_with(["printf", "%s"], "--reason", said);
        assert_eq!(shown.lines().count(), 1);
        let out = std::process::Command::new("bash").args(["-c", &shown]).output().unwrap();
        assert_eq!(String::from_utf8(out.stdout).unwrap(), format!("--reason={said}"));
    }

    #[test]
    fn what_is_typed_says_all_that_was_asked() {
        let notice = Notice {
            found: Some(Time(1_764_243_001_500)),
            paper: Some(Digest::of(b"brief")),
            received: Some(jiff::civil::date(2026, 3, 2)),
            ..Notice::of("rij 12")
        };
        let ask = MakeNotice {
            agreement: "mechelen".parse().unwrap(),
            code: Some("7K3F-9QX".parse().unwrap()),
            sort: Sort::QualityReport,
            notice,
            language: Language::Nl,
        };
        assert_eq!(
            Wanted::from(&ask).command,
            "sluis quality report mechelen --found 2025-11-27T11:30:01.5Z --transfer 7K3F-9QX \
             --paper FILE --received 2026-03-02 --text='rij 12'"
        );
    }
}
