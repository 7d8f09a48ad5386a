//! `sluis agreement rekey`: the next version of an agreement, with the keys of new cards and the history of those before.
//! Who runs it with the same cards and numbers gets the same bytes.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use sluis_config::{Config, agreements};
use sluis_core::agreement::keys::{Before, Keys, is_same_key};
use sluis_core::id::{AgreementId, PartyId};
use sluis_core::words;
use sluis_core::words::Words;

use super::{installed, key_table, load};
use crate::card::{Card, Role};
use crate::failure::{Failure, Result};
use crate::language::Lang;
use crate::socket::Socket;
use crate::{evidence, output};

/// What is to be changed.
#[derive(Args)]
pub(crate) struct Order {
    /// The agreement.
    name: AgreementId,
    /// The new card of each host whose keys change; those of the others stay.
    #[arg(long, value_name = "FILE")]
    card: Vec<PathBuf>,
    /// The first number that the agency's new statement key signs.
    #[arg(long, value_name = "NUMBER")]
    agency_from: Option<u64>,
    /// The first number that the municipality's new statement key signs.
    #[arg(long, value_name = "NUMBER")]
    municipality_from: Option<u64>,
    /// Whose former keys were stolen: its TLS keys before the new one are let in no longer.
    #[arg(long, value_name = "HOST")]
    stolen: Vec<Role>,
    /// Where the new version goes; a file that is not there yet.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// `sluis agreement rekey NAME --card FILE... --out FILE`
pub(crate) fn rekey(config: &Config, order: &Order, lang: Lang, json: bool) -> Result<()> {
    let all = load(config)?;
    let installed = installed(&all, &order.name)?;
    let cards = order.card.iter().map(|path| Card::read(path)).collect::<Result<Vec<_>>>()?;
    let agreement = &installed.terms.agreement;
    let hint = || last_numbers(config, &order.name);
    let mut keys = agreement.keys.clone();
    for role in [Role::Agency, Role::Municipality, Role::DropZone] {
        let mut of = cards.iter().filter(|card| card.role == role);
        let before = if order.stolen.contains(&role) { Before::Ends } else { Before::Stays };
        let (card, another) = (of.next(), of.next());
        if another.is_some() {
            return Err(Failure::coded(
                "card",
                words!(
                    "twee kaarten van één host: geef alleen de nieuwe",
                    "two cards of one host: give its new one alone"
                ),
            ));
        }
        change(&mut keys, role, card, before, order, &hint)?;
    }
    if keys == agreement.keys {
        return Err(Failure::coded(
            "unchanged",
            words!(
                "dit zijn de sleutels van de geïnstalleerde versie: er verandert niets",
                "these are the keys of the installed version: nothing changes"
            ),
        ));
    }
    let version = agreement.version + 1;
    let text = key_table(&without_keys(&installed.text, version), keys)?;
    let (terms, _) = agreements::parse(&order.out, &text)?;
    if terms.agreement.version != version {
        return Err(Failure::coded(
            "no-version-line",
            words!(
                "het geïnstalleerde bestand heeft geen eigen regel `version = ...`",
                "the installed file has no line `version = ...` of its own"
            ),
        ));
    }
    crate::init::file(&order.out, text.as_bytes(), 0o644)?;
    if json {
        return output::json(&serde_json::json!({
            "agreement": order.name, "version": version, "digest": terms.digest, "file": order.out,
        }));
    }
    let (name, file) = (&order.name, order.out.display());
    output::line(format!("{name} {} {version}: {file}", lang.pick("versie", "version")))?;
    output::line(format!("digest  {}", terms.digest))?;
    output::line(match lang {
        Lang::Nl => format!(
            "Bezorg dit bestand aan de andere hosts. Elk: sluis agreement add {file}, herstarten; bij elke partij twee \
             personen: sluis agreement approve {name}"
        ),
        Lang::En => format!(
            "Send this file to the other hosts. Each: sluis agreement add {file}, restart; at each party two \
             persons: sluis agreement approve {name}"
        ),
    })
}

/// The keys of one host, where its card is a new one.
fn change(
    keys: &mut Keys,
    role: Role,
    card: Option<&Card>,
    before: Before,
    order: &Order,
    hint: &dyn Fn() -> Words,
) -> Result<()> {
    let (party, from, option) = match role {
        Role::Agency => (&mut keys.agency, order.agency_from, "--agency-from"),
        Role::Municipality => {
            (&mut keys.municipality, order.municipality_from, "--municipality-from")
        }
        Role::DropZone => {
            let tls = card.map_or(keys.drop_zone.tls, |card| card.tls);
            keys.drop_zone = keys.drop_zone.renewed(tls, before);
            return Ok(());
        }
    };
    let new = match card {
        Some(card) => card.party_keys().ok_or_else(|| {
            Failure::coded("card", words!("een kaart zonder sleutels", "a card without keys"))
        })?,
        None => party.clone(),
    };
    let changes = !is_same_key(&new.statement, &party.statement);
    let from = match (changes, from) {
        (false, _) => party.statement_from,
        (true, Some(from)) => from,
        (true, None) => {
            return Err(Failure::coded(
                "first-number",
                words!(
                    "geef {option}: het eerste nummer dat de nieuwe sleutel ondertekent. Van een geplande wijziging: zo ver \
                     vooruit dat beide partijen ze tegen dan goedgekeurd hebben. Van een verloren sleutel: het volgende. Van een \
                     gestolen sleutel: het eerste dat niet geloofd wordt. {}",
                    "give {option}: the first number that the new statement key signs. Of a change that is planned: so far ahead \
                     that both parties have approved it by then. Of a lost key: the next one. Of a stolen key: the first one \
                     that is not believed. {}";
                    hint()
                ),
            ));
        }
    };
    *party =
        party.renewed(&new, from, before).map_err(|e| Failure::coded("first-number", e.words()))?;
    Ok(())
}

/// What this host's core has of either party, where it can be asked.
fn last_numbers(config: &Config, name: &AgreementId) -> Words {
    let known: Result<BTreeMap<PartyId, u64>> =
        Socket::of(config).and_then(|socket| evidence::last_numbers(&socket, name));
    let Ok(known) = known else {
        return words!(
            "`sluis evidence export` toont bij een partij de laatste nummers",
            "`sluis evidence export` shows the last numbers at a party"
        );
    };
    let said = known.into_iter();
    let said = said.map(|(party, last)| words!("{party} zei er {last}", "{party} has said {last}"));
    Words::join(&said.collect::<Vec<_>>(), ", ")
}

/// The text with another version and without its keys.
fn without_keys(text: &str, version: u32) -> String {
    let (mut kept, mut table, mut in_keys) = (String::new(), false, false);
    for line in text.lines() {
        let bare = line.trim_start();
        if bare.starts_with('[') {
            table = true;
            in_keys =
                bare.trim_start_matches('[').starts_with("keys.") || bare.starts_with("[keys]");
        }
        let is_version = !table
            && bare.strip_prefix("version").is_some_and(|rest| rest.trim_start().starts_with('='));
        match () {
            () if in_keys || bare == super::FROM_CARDS => {}
            () if is_version => kept += &format!("version = {version}\n"),
            () => kept += &format!("{line}\n"),
        }
    }
    kept
}
