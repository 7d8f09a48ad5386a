//! `sluis send --dry-run`: whether a file might leave, and what would, in counts. Nothing is sent or kept.
//!
//! The file is read here, as the person who asks; what the core knows beside it is asked of the core.

use std::path::Path;

use sluis_config::{Agreements, Config};
use sluis_core::content::{self, Encoding, Format, Rules, Summary};
use sluis_core::control::{May, Might};
use sluis_core::id::{AgreementId, Digest, Nis, Time};
use sluis_core::notice::short;
use sluis_core::policy::Reason;
use sluis_core::words::Words;

use crate::agreement::not_here;
use crate::failure::{Failure, Result, exit};
use crate::language::Lang;
use crate::output;
use crate::socket::Socket;

/// Looks at a file under an agreement.
pub(crate) fn look(
    config: &Config,
    socket: &Socket,
    agreement: &AgreementId,
    (path, drawn_for): (&Path, Option<Nis>),
    lang: Lang,
    json: bool,
) -> Result<()> {
    let agreements = Agreements::load(&config.paths.agreements)?;
    let installed = agreements.get(agreement).ok_or_else(|| not_here(agreement))?;
    let file = std::fs::File::open(path).map_err(Failure::io(path.display()))?;
    let size = file.metadata().map_err(Failure::io(path.display()))?.len();
    let content = Digest::read(&file).map_err(Failure::io(path.display()))?;
    let ask = May { agreement: agreement.clone(), size, content, drawn_for };
    let Might { mut reasons, waived, waits, mends } = socket.post("may", &ask)?;
    let rules = Rules::of(&installed.terms.agreement);
    let rules = rules.map_err(|e| Failure::new(exit::CONFIG, "agreement", e.words()))?;
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let today = Time(jiff::Timestamp::now().as_millisecond()).date();
    // Of an empty file the core has said so.
    let rules = rules.filter(|_| size > 0);
    let checked = rules.map(|rules| content::check(name, &file, &rules, today, &waived));
    let summary = match checked {
        None => None,
        Some(Ok(summary)) => Some(summary),
        Some(Err(findings)) => {
            reasons.extend(findings.into_iter().map(Reason::List));
            None
        }
    };
    if json {
        output::json(&serde_json::json!({
            "may": reasons.is_empty(), "bytes": size, "list": summary,
            "reasons": reasons.iter().map(Reason::told).collect::<Vec<_>>(), "waits": waits,
            "mends": mends,
        }))?;
    } else if let Some(summary) = &summary {
        tell(summary, lang)?;
    } else if reasons.is_empty() {
        output::line(lang.pick(
            "De inhoud wordt onder deze overeenkomst niet nagekeken.",
            "Under this agreement the content is not checked.",
        ))?;
    }
    if reasons.is_empty() && json {
        return Ok(());
    }
    if reasons.is_empty() {
        if let Some(report) = mends {
            let it = lang.pick(
                "Dit verbetert de lijst van dossier (art. 7):",
                "This mends the list of case (art. 7):",
            );
            output::line(format!("{it} {}", short(&report)))?;
        }
        let may = lang.pick("Dit kan vertrekken.", "This may leave.");
        let after = lang
            .pick("Dit kan vertrekken, maar wacht dan op:", "This may leave, but then waits for:");
        output::line(if waits.is_empty() { may } else { after })?;
        return waits.iter().try_for_each(|it| output::line(format!("  {}", it.text(lang.core()))));
    }
    let lines =
        |language| reasons.iter().map(|it| it.line(language)).collect::<Vec<_>>().join("\n  ");
    Err(Failure::coded("not-sent", Words::of(lines)))
}

fn tell(summary: &Summary, lang: Lang) -> Result<()> {
    let persons = lang.pick("personen", "persons");
    let format = match summary.format {
        Format::Xlsx => "XLSX".to_owned(),
        Format::Csv { delimiter, encoding } => {
            let encoding = match encoding {
                Encoding::Utf8 => "UTF-8",
                Encoding::Windows1252 => "Windows-1252",
            };
            format!("CSV, {delimiter}, {encoding}")
        }
    };
    output::line(format!("{} {persons} ({format})", summary.rows))?;
    for count in &summary.counts {
        let (yes, no) = (lang.pick("ja", "yes"), lang.pick("nee", "no"));
        output::line(format!("  {}: {} {yes}, {} {no}", count.column, count.yes, count.no))?;
    }
    Ok(())
}
