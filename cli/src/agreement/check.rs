//! `sluis agreement check`: whether a file can be taken into use, and what it lacks by article.

use std::path::Path;

use jiff::civil::Date;
use sluis_config::{ConfigError, agreements, strict};
use sluis_core::agreement::gaps::{Gap, Weight, gaps};
use sluis_core::evidence::Terms;
use sluis_core::id::Time;
use sluis_core::plan::Plan;
use sluis_core::words;

use crate::failure::{Failure, Result, exit};
use crate::language::Lang;
use crate::output;

/// The worked case, for its keys: a draft is checked with those in place of the ones it has not got yet.
const EXAMPLE: &str = include_str!("../../../config/examples/agreements/mechelen.toml");

/// Today in Brussels.
pub(super) fn today() -> Date {
    Time(jiff::Timestamp::now().as_millisecond()).date()
}

/// Parses an agreement that may still be without keys; whether it has them is the last of the three.
pub(super) fn parse(path: &Path, text: &str) -> Result<(Terms, Plan, bool)> {
    let wrong = |e: ConfigError| Failure::new(exit::CONFIG, "agreement", e.words());
    // By itself first: what is quoted of a mistake stands in the file.
    let own: toml::Table = strict::parse(path, text).map_err(wrong)?;
    let has_keys = own.contains_key("keys");
    let keys = EXAMPLE.find("[keys.agency]").map_or("", |at| &EXAMPLE[at..]);
    let whole = if has_keys { text.to_owned() } else { format!("{text}\n{keys}") };
    let (terms, plan) = agreements::parse(path, &whole).map_err(wrong)?;
    Ok((terms, plan, has_keys))
}

/// `sluis agreement check FILE`
pub(crate) fn check(path: &Path, on: Option<Date>, lang: Lang, json: bool) -> Result<()> {
    let text = strict::read(path)?;
    let (terms, plan, has_keys) = parse(path, &text)?;
    let contacts = agreements::read_contacts(path, &plan)?.is_some();
    let found = gaps(&terms.agreement, on.unwrap_or_else(today));
    let blocking = found.iter().filter(|gap| gap.weight() == Weight::Blocks).count();
    if json {
        output::json(&serde_json::json!({
            "ok": blocking == 0,
            "digest": has_keys.then_some(terms.digest),
            "keys": has_keys,
            "contacts": contacts,
            "gaps": found.iter().map(|gap| object(gap, lang)).collect::<Vec<_>>(),
        }))?;
    } else {
        tell(path, &plan, lang)?;
        match has_keys {
            true => output::line(format!("digest {}", terms.digest))?,
            false => output::line(lang.pick(
                "nog zonder sleutels: sluis agreement add BESTAND --card ... schrijft ze uit de kaarten",
                "without keys as yet: sluis agreement add FILE --card ... writes them from the cards",
            ))?,
        }
        table(&found, lang)?;
    }
    if blocking == 0 {
        return Ok(());
    }
    let why = words!(
        "leemten die elke verzending tegenhouden: {blocking}; herstel ze in een nieuwe versie van {}",
        "gaps that stop every transfer: {blocking}; mend them in a new version of {}",
        path.display()
    );
    Err(Failure::new(exit::REFUSED, "gaps", why))
}

/// Who gets which share.
fn tell(path: &Path, plan: &Plan, lang: Lang) -> Result<()> {
    let (threshold, shares) = (plan.threshold, plan.shares());
    let shown = path.display();
    output::line(match lang {
        Lang::Nl => format!("{shown}: {threshold} van {shares} delen openen de envelop."),
        Lang::En => format!("{shown}: {threshold} of {shares} shares open the envelope."),
    })?;
    for route in &plan.routes {
        let (index, custodian) = (route.index, &route.custodian);
        let (channel, group) = (&route.channel, &route.group);
        output::line(match lang {
            Lang::Nl => format!("  deel {index}: {custodian} via {channel} (groep {group})"),
            Lang::En => format!("  share {index}: {custodian} over {channel} (group {group})"),
        })?;
    }
    Ok(())
}

/// The gaps, what blocks first, each in the order of the articles.
fn table(found: &[Gap], lang: Lang) -> Result<()> {
    let row = |gap: &Gap| {
        // What it is about was written by somebody else: it does not reach a terminal raw.
        let plain = |text: String| text.replace(char::is_control, "?");
        let (text, next) = (plain(gap.text(lang.core())), plain(gap.next(lang.core())));
        let weight = weight(gap.weight(), lang);
        vec![
            weight.to_owned(),
            gap.article().label(lang.core()),
            gap.requirement(),
            format!("{text}\n→ {next}"),
        ]
    };
    if !found.is_empty() {
        output::line("")?;
        let head = match lang {
            Lang::Nl => ["", "ARTIKEL", "EIS", "WAT ONTBREEKT → WAT TE DOEN"],
            Lang::En => ["", "ARTICLE", "RULE", "WHAT IS MISSING → WHAT TO DO"],
        };
        output::wide_table(&head, found.iter().map(row).collect())?;
        output::line("")?;
    }
    let count = |weight| found.iter().filter(|gap| gap.weight() == weight).count();
    let (blocks, warns, notes) =
        (count(Weight::Blocks), count(Weight::Warns), count(Weight::Notes));
    output::line(match lang {
        Lang::Nl => format!("{blocks} houden tegen, {warns} waarschuwen, {notes} ter kennisgeving"),
        Lang::En => format!("{blocks} block, {warns} warn, {notes} are noted"),
    })
}

fn weight(weight: Weight, lang: Lang) -> &'static str {
    match weight {
        Weight::Blocks => lang.pick("HOUDT TEGEN", "BLOCKS"),
        Weight::Warns => lang.pick("waarschuwt", "warns"),
        Weight::Notes => lang.pick("ter kennis", "notes"),
    }
}

fn object(gap: &Gap, lang: Lang) -> serde_json::Value {
    serde_json::json!({
        "code": gap.code(),
        "weight": gap.weight(),
        "article": gap.article(),
        "requirement": gap.requirement(),
        "side": gap.side,
        "about": gap.about,
        "text": gap.text(lang.core()),
        "next": gap.next(lang.core()),
    })
}
