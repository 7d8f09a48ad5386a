//! `sluis agreement`: add, list, show; check, new, publish and rekey in files of their own.

pub(crate) mod check;
pub(crate) mod counts;
mod draft;
mod kept;
pub(crate) mod new;
mod page;
pub(crate) mod publish;
mod questions;
pub(crate) mod rekey;

use std::ffi::OsStr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use sluis_config::{Agreements, Config, Installed, agreements, strict};
use sluis_core::agreement::keys::Keys;
use sluis_core::id::AgreementId;
use sluis_core::words;
use sluis_core::words::Words;

use self::counts::{Core, Counts};
use crate::card::{self, Card, Role};
use crate::failure::{Failure, Result};
use crate::language::Lang;
use crate::output;

/// What stands above the keys.
const FROM_CARDS: &str = "# From the parties' cards.";

/// Puts an agreement file into use on this host, with the keys of the cards if it has none of its own.
/// Both parties who do this with the same file and cards get the same bytes, and so the same digest.
pub(crate) fn add(
    config: &Config,
    from: &Path,
    cards: &[PathBuf],
    contacts: Option<&Path>,
    lang: Lang,
    json: bool,
) -> Result<()> {
    let (installed, place) = put_into_use(config, from, cards, contacts)?;
    if json {
        return output::json(&summary(&installed));
    }
    let agreement = &installed.terms.agreement;
    let (name, version) = (&agreement.agreement, agreement.version);
    let added = words!("toegevoegd   {name} versie {version}", "added   {name} version {version}");
    let file = words!("bestand      {}", "file    {}", place.display());
    let digest = words!("digest       {}", "digest  {}", installed.terms.digest);
    let next = words!(
        "De andere partij moet dezelfde digest zien. Herstart de diensten van deze host: ze lezen haar bij hun start.",
        "The other party must see the same digest. Restart the services of this host: they read it at their start."
    );
    let approve = words!(
        "Ze volgt op een andere versie en telt nog niet: na de herstart laten twee personen ze gelden met: sluis agreement approve {name}. Tot dan vertrekt er niets.",
        "It follows another version and does not count yet: after the restart two persons let it count with: sluis agreement approve {name}. Nothing leaves until then."
    );
    let numbers = words!(
        "Hier liggen geen telefoonnummers, en zonder vertrekt er niets: hetzelfde nog eens met --contacts BESTAND.",
        "No telephone numbers lie here, and nothing leaves without them: the same once more with --contacts FILE."
    );
    let approve = (config.core().is_some() && has_former(&place, name)).then_some(approve);
    let numbers = (config.sealer.is_some() && installed.contacts.is_none()).then_some(numbers);
    let told = [Some(added), Some(file), Some(digest), Some(next), approve, numbers];
    told.iter().flatten().try_for_each(|it| output::line(it.text(lang.core())))
}

/// Whether a version before this one was kept.
fn has_former(place: &Path, name: &AgreementId) -> bool {
    let kept = std::fs::read_dir(place.with_file_name(agreements::FORMER));
    let version = |file: &OsStr| {
        let version = file.to_str()?.strip_prefix(name.as_str())?.strip_prefix('-')?;
        version.strip_suffix(".toml")?.parse::<u32>().ok()
    };
    kept.into_iter().flatten().flatten().any(|entry| version(&entry.file_name()).is_some())
}

/// As [`add`], without a word.
pub(crate) fn put_into_use(
    config: &Config,
    from: &Path,
    cards: &[PathBuf],
    contacts: Option<&Path>,
) -> Result<(Installed, PathBuf)> {
    let mut text = strict::read(from)?;
    if !cards.is_empty() {
        text = with_keys(&text, cards)?;
    }
    let (terms, plan) = agreements::parse(from, &text)?;
    ours(config, &terms.agreement)?;
    if contacts.is_some() && config.sealer.is_none() {
        return Err(Failure::coded(
            "contacts-not-here",
            words!(
                "telefoonnummers horen alleen bij het agentschap, en deze host heeft geen [sealer]: laat --contacts weg",
                "telephone numbers belong at the agency alone, and this host has no [sealer]: leave --contacts out"
            ),
        ));
    }
    let folder = &config.paths.agreements;
    let place = folder.join(format!("{}.toml", terms.agreement.agreement));
    if let Ok(before) = std::fs::read_to_string(&place)
        && before != text
    {
        let (known, _) = agreements::parse(&place, &before)?;
        if known.agreement.version >= terms.agreement.version {
            return Err(Failure::coded(
                "version-not-newer",
                words!(
                    "{} is geïnstalleerd in versie {}: een wijziging is een nieuwe versie; verhoog `version` in {}",
                    "{} is installed in version {}: a change is a new version; raise `version` in {}",
                    terms.agreement.agreement,
                    known.agreement.version,
                    from.display()
                ),
            ));
        }
    }
    // Read before anything is written: what does not serve changes nothing here.
    let numbers = contacts.map(strict::read).transpose()?;
    let contacts = match (contacts, &numbers) {
        (Some(path), Some(text)) => Some(agreements::parse_contacts(path, text, &plan)?),
        _ => agreements::read_contacts(&place, &plan)?,
    };
    keep_former(&place, &text)?;
    put(&place, &text, 0o644)?;
    if let Some(numbers) = numbers {
        put(&agreements::contacts_path(&place), &numbers, 0o600)?;
    }
    Ok((Installed { contacts, ..agreements::read(&place)? }, place))
}

/// The version before stays readable: transfers that began under it end under it (R83).
fn keep_former(place: &Path, text: &str) -> Result<()> {
    let Ok(before) = std::fs::read_to_string(place) else { return Ok(()) };
    if before == text {
        return Ok(());
    }
    let (known, _) = agreements::parse(place, &before)?;
    let folder = place.with_file_name(agreements::FORMER);
    std::fs::create_dir_all(&folder).map_err(Failure::io(folder.display()))?;
    let name = format!("{}-{}.toml", known.agreement.agreement, known.agreement.version);
    put(&folder.join(name), &before, 0o644)
}

/// The keys at the end of the file, in one form whatever the order of the cards.
fn with_keys(text: &str, cards: &[PathBuf]) -> Result<String> {
    let cards = cards.iter().map(|path| Card::read(path)).collect::<Result<Vec<_>>>()?;
    let of = |role, name: &Words| {
        let mut found = cards.iter().filter(|card| card.role == role);
        match (found.next(), found.next()) {
            (Some(card), None) => Ok(card),
            _ => Err(Failure::coded(
                "card",
                words!(
                    "er is precies één kaart van {} nodig (--card BESTAND)",
                    "exactly one card of {} is needed (--card FILE)";
                    name.clone()
                ),
            )),
        }
    };
    let party = |role, name: Words| {
        let keys = of(role, &name)?.party_keys();
        keys.ok_or_else(|| {
            Failure::coded(
                "card",
                words!(
                    "op de kaart van {} staan geen sleutels",
                    "the card of {} has no keys";
                    name
                ),
            )
        })
    };
    let keys = Keys {
        agency: party(Role::Agency, words!("het agentschap", "the agency"))?,
        municipality: party(Role::Municipality, words!("de gemeente", "the municipality"))?,
        drop_zone: of(Role::DropZone, &words!("de sluiskom", "the drop zone"))?.drop_zone_keys(),
    };
    if text.lines().any(|line| line.trim_start().starts_with("[keys")) {
        return Err(Failure::coded(
            "keys-there",
            words!(
                "de overeenkomst heeft al [keys]: voeg ze toe zonder --card, of haal ze eruit",
                "the agreement has [keys] already: add it without --card, or take them out"
            ),
        ));
    }
    key_table(text, keys)
}

/// The text with these keys at its end.
fn key_table(text: &str, keys: Keys) -> Result<String> {
    #[derive(serde::Serialize)]
    struct Table {
        keys: Keys,
    }
    let table = toml::to_string(&Table { keys })
        .map_err(|e| Failure::coded("no-key-table", Words::same(e)))?;
    Ok(format!("{}\n\n{FROM_CARDS}\n{table}", text.trim_end()))
}

/// Whether this host is in the agreement with the keys that lie here.
fn ours(config: &Config, agreement: &sluis_core::agreement::Agreement) -> Result<()> {
    let card = Card::of(config)?;
    let keys = &agreement.keys;
    let tls = match card.role {
        Role::DropZone => Some(keys.drop_zone.tls),
        Role::Agency => (agreement.agency.id == card.id).then_some(keys.agency.tls),
        Role::Municipality => {
            (agreement.municipality.id == card.id).then_some(keys.municipality.tls)
        }
    };
    let held = card::tls_pins(config)?;
    let fits = tls.is_some_and(|tls| held.contains(&tls));
    if fits {
        return Ok(());
    }
    Err(Failure::coded(
        "host-not-named",
        words!(
            "overeenkomst {} noemt deze host ({}) niet met sleutels die hier liggen: kijk naar `sluis identity`",
            "agreement {} does not name this host ({}) with keys that lie here: look at `sluis identity`",
            agreement.agreement,
            card.id
        ),
    ))
}

/// Replaces a file at once.
pub(crate) fn put(path: &Path, text: &str, mode: u32) -> Result<()> {
    let part = path.with_extension("new");
    let _ = std::fs::remove_file(&part);
    crate::init::file(&part, text.as_bytes(), mode)?;
    // Whoever had it keeps it: the service may be another user than the one who adds.
    if let Ok(before) = std::fs::metadata(path) {
        let _ = std::os::unix::fs::chown(&part, Some(before.uid()), Some(before.gid()));
    }
    std::fs::rename(&part, path).map_err(Failure::io(path.display()))
}

fn summary(installed: &Installed) -> serde_json::Value {
    let agreement = &installed.terms.agreement;
    serde_json::json!({
        "agreement": agreement.agreement,
        "version": agreement.version,
        "title": agreement.title,
        "agency": agreement.agency.id,
        "municipality": agreement.municipality.id,
        "drop-zone": agreement.drop_zone.host,
        "in-force": agreement.in_force.to_string(),
        "threshold": installed.plan.threshold,
        "shares": installed.plan.shares(),
        "contacts": installed.contacts.is_some(),
        "digest": installed.terms.digest,
    })
}

/// With the contacts where this person may read them.
fn load(config: &Config) -> Result<Agreements> {
    let folder = &config.paths.agreements;
    Ok(Agreements::load_with_contacts(folder).or_else(|_| Agreements::load(folder))?)
}

fn installed<'a>(all: &'a Agreements, name: &AgreementId) -> Result<&'a Installed> {
    all.get(name).ok_or_else(|| not_here(name))
}

/// There is no such agreement on this host.
pub(crate) fn not_here(name: &AgreementId) -> Failure {
    Failure::coded(
        "no-agreement",
        words!(
            "er is hier geen overeenkomst {name}; kijk met: sluis agreement list",
            "there is no agreement {name} here; look with: sluis agreement list"
        ),
    )
}

/// `sluis agreement list`
pub(crate) fn list(config: &Config, lang: Lang, json: bool) -> Result<()> {
    let all = load(config)?;
    let core = Core::of(config);
    if json {
        let row = |installed: &Installed| {
            let mut row = summary(installed);
            row["counts"] = serde_json::json!(Counts::of(core.as_ref(), installed).known());
            row
        };
        return output::json(&all.iter().map(row).collect::<Vec<_>>());
    }
    let row = |installed: &Installed| {
        let agreement = &installed.terms.agreement;
        vec![
            agreement.agreement.to_string(),
            agreement.version.to_string(),
            Counts::of(core.as_ref(), installed).words().text(lang.core()).to_owned(),
            agreement.agency.name.clone(),
            agreement.municipality.name.clone(),
            format!(
                "{} {} {}",
                installed.plan.threshold,
                lang.pick("van", "of"),
                installed.plan.shares()
            ),
            agreement.in_force.to_string(),
        ]
    };
    let head = match lang {
        Lang::Nl => {
            ["OVEREENKOMST", "VERSIE", "GELDT", "AGENTSCHAP", "GEMEENTE", "DELEN", "VAN KRACHT"]
        }
        Lang::En => {
            ["AGREEMENT", "VERSION", "COUNTS", "AGENCY", "MUNICIPALITY", "SHARES", "IN FORCE"]
        }
    };
    output::table(&head, all.iter().map(row).collect())
}

/// `sluis agreement show NAME`
pub(crate) fn show(config: &Config, name: &AgreementId, json: bool) -> Result<()> {
    let all = load(config)?;
    let installed = installed(&all, name)?;
    if json {
        return output::json(&summary(installed));
    }
    output::write(installed.text.as_bytes())?;
    output::line(format!("# digest {}", installed.terms.digest))
}
