//! `sluis agreement publish`: the page that both parties put on their websites, and the word that it stands there (art. 10).

use std::path::{Path, PathBuf};

use clap::Args;
use jiff::civil::Date;
use sluis_config::Config;
use sluis_core::control::{AskTerms, TermsText};
use sluis_core::evidence::Terms;
use sluis_core::id::{AgreementId, Digest};
use sluis_core::notice::Sort;
use sluis_core::words;
use sluis_core::words::Words;

use super::check::today;
use super::{installed, load, page};
use crate::failure::{Failure, Result};
use crate::init::file;
use crate::language::Lang;
use crate::notices::{self, OfDay, Said, Wording};
use crate::output;
use crate::socket::Socket;

/// What is typed.
#[derive(Debug, Args)]
pub(crate) struct Order {
    /// The agreement.
    name: AgreementId,
    /// Where the page is written; standard output where this is missing. Nothing is overwritten.
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    /// Record that this party published it at this address; both ledgers will have it.
    #[arg(long, value_name = "https://...", requires = "page", conflicts_with = "to")]
    url: Option<String>,
    /// What is seen there, as a file: its digest is recorded.
    #[arg(long, value_name = "FILE", requires = "url")]
    page: Option<PathBuf>,
    /// Since which day: 2026-12-18; today where this is missing.
    #[arg(long, value_name = "DATE", requires = "url")]
    on: Option<Date>,
}

/// Writes the page, or records that it was published. `language` is that of the page, `lang` that of who types.
pub(crate) fn publish(
    config: &Config,
    order: Order,
    language: Lang,
    lang: Lang,
    json: bool,
) -> Result<()> {
    let all = load(config)?;
    let terms = &installed(&all, &order.name)?.terms;
    match (order.url, order.page) {
        (Some(url), Some(seen)) => {
            let said = Said {
                agreement: order.name,
                text: Some(url),
                transfer: None,
                paper: Some(seen),
                received: None,
            };
            let on = order.on.unwrap_or_else(today);
            record(config, terms, OfDay { said, on }, lang, json)
        }
        _ => write(terms, order.to.as_deref(), language, lang, json),
    }
}

fn write(terms: &Terms, to: Option<&Path>, language: Lang, lang: Lang, json: bool) -> Result<()> {
    let page = page::render(terms, language)?;
    let digest = Digest::of(page.as_bytes());
    if let Some(to) = to {
        file(to, page.as_bytes(), 0o644)?;
    }
    if json {
        return output::json(&serde_json::json!({
            "agreement": terms.agreement.agreement,
            "version": terms.agreement.version,
            "terms": terms.digest,
            "language": language.pick("nl", "en"),
            "digest": digest,
            "file": to,
            "page": to.is_none().then_some(page),
        }));
    }
    let Some(to) = to else { return output::write(page.as_bytes()) };
    let (name, to) = (&terms.agreement.agreement, to.display());
    output::line(format!("{to}  SHA-256 {digest}"))?;
    output::line(
        lang.pick("Zet ze op de website, en schrijf in:", "Put it on the website, and record:"),
    )?;
    output::line(format!("  sluis agreement publish {name} --url https://... --page {to}"))
}

/// The digest is that of what is seen. A website may put its own frame around the page, and the signed text itself may
/// stand there: other bytes are said to be other bytes, and recorded.
fn record(config: &Config, terms: &Terms, of: OfDay, lang: Lang, json: bool) -> Result<()> {
    let socket = Socket::of(config)?;
    knows(&socket, terms)?;
    let noted = notices::say(&socket, Wording::of_day(Sort::Publication, of), lang)?;
    let made = noted.row.ok_or_else(|| {
        Failure::coded("not-recorded", words!("er werd niets ingeschreven", "nothing was recorded"))
    })?;
    let is_page = |language: &Lang| {
        page::render(terms, *language)
            .is_ok_and(|page| made.notice.paper == Some(Digest::of(page.as_bytes())))
    };
    let rendered = [Lang::Nl, Lang::En].into_iter().find(is_page).map(|it| it.pick("nl", "en"));
    if json {
        let mut row = serde_json::to_value(&made)
            .map_err(|e| Failure::coded("not-recorded", Words::same(e)))?;
        row["rendered"] = rendered.into();
        return output::json(&row);
    }
    notices::told(&made, lang)?;
    if rendered.is_none() {
        output::line(lang.pick(
            "Let op: dit is niet, byte voor byte, de bladzijde die Sluis van deze versie maakt. Ingeschreven is de digest van wat u gaf: kijk na of het deze overeenkomst is.",
            "Note: this is not, byte for byte, the page that Sluis makes of this version. The digest of what you gave is recorded: make sure that it is this agreement.",
        ))?;
    }
    Ok(())
}

/// A core that still runs under the version before would sign for that one.
fn knows(socket: &Socket, terms: &Terms) -> Result<()> {
    let known: Result<TermsText> = socket.post("terms", &AskTerms { terms: terms.digest });
    match known {
        Err(failure) if failure.code() == "no-agreement" => {
            let version = terms.agreement.version;
            Err(Failure::coded(
                "not-in-use",
                words!(
                    "versie {version} is geïnstalleerd en nog niet in gebruik: herstart de diensten van deze host",
                    "version {version} is installed and not yet in use: restart the services of this host"
                ),
            ))
        }
        other => other.map(|_| ()),
    }
}
