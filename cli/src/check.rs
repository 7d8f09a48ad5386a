//! `sluis config check`: what is missing at this host, all of it at once.

use std::path::{Path, PathBuf};

use sluis_config::agreements::contacts_path;
use sluis_config::credentials::Credentials;
use sluis_config::schema::{Driver, Notifier, Owner, Releaser};
use sluis_config::{Agreements, Config};
use sluis_core::agreement::Side;
use sluis_core::words;
use sluis_core::words::Words;

use crate::agreement::counts;
use crate::failure::{Failure, Result, exit};
use crate::language::Lang;
use crate::{card, output};

mod notes;

/// Everything that a role would stumble over at its start.
pub(crate) fn check(config: &Config, lang: Lang, json: bool) -> Result<()> {
    let card = card::Card::of(config)?;
    let folder = &config.paths.agreements;
    let agreements = Agreements::of(config)?;
    let credentials = Credentials::new(&config.paths.credentials);
    credentials.secret("tls-key")?;
    let mut gaps = Vec::new();
    if let Some(sealer) = &config.sealer {
        gaps.extend(unknown("sealer.owners", &sealer.owners));
        gaps.extend(sealer.claims_by_rename().err().map(|error| error.words()));
        let bare = agreements.iter().filter(|installed| installed.contacts.is_none());
        gaps.extend(bare.map(|installed| {
            words!(
                "overeenkomst {}: het contactenbestand ontbreekt",
                "agreement {}: its contacts file is missing",
                installed.terms.agreement.agreement
            )
        }));
    } else {
        gaps.extend(strange_numbers(folder, &agreements));
    }
    let side =
        config.core().map(|core| if core == "sealer" { Side::Agency } else { Side::Municipality });
    let ours = side.map(|side| agreements.are_of(&config.party.id, side));
    gaps.extend(ours.and_then(std::result::Result::err).map(|error| error.words()));
    let who_may = side.map(|_| config.who_may());
    gaps.extend(who_may.and_then(std::result::Result::err).map(|error| error.words()));
    for (duty, owners) in config.duties.iter().flatten() {
        gaps.extend(unknown(&format!("duties.{}", duty.name()), owners));
    }
    if let Some(releaser) = &config.releaser {
        gaps.extend(channel_gaps(releaser, &agreements, &credentials));
        let ours = card::age_recipient(&credentials, "bundle-identity")?;
        if config.sealer.as_ref().is_some_and(|sealer| sealer.releaser != ours) {
            gaps.push(words!(
                "sealer.releaser is niet de ontvanger van de credential bundle-identity ({ours})",
                "sealer.releaser is not the recipient of the credential bundle-identity ({ours})"
            ));
        }
    }
    for id in config.reports.iter().flat_map(|reports| reports.channels.keys()) {
        if let Err(error) = credentials.secret(&format!("reports-{id}")) {
            gaps.push(error.words());
        }
    }
    gaps.extend(config.notifier.iter().flat_map(|notifier| mail_gaps(notifier, &credentials)));
    if !gaps.is_empty() {
        return Err(Failure::new(exit::CONFIG, "gaps", Words::join(&gaps, "\n  ")));
    }
    let count = agreements.iter().count();
    let mut notes = notes::of(config);
    notes.extend(counts::notes(config, &agreements));
    if json {
        return output::json(&serde_json::json!({
            "ok": true, "party": card.id, "agreements": count, "notes": notes
        }));
    }
    let fine = words!(
        "in orde: {} ({}), overeenkomsten: {count}",
        "in order: {} ({}), agreements: {count}",
        card.name,
        card.id
    );
    output::line(fine.text(lang.core()))?;
    notes.iter().try_for_each(|note| output::line(note.text(lang.core())))
}

/// Telephone numbers that lie where only agreements belong.
fn strange_numbers(folder: &Path, agreements: &Agreements) -> Vec<Words> {
    let names = agreements.iter().map(|installed| &installed.terms.agreement.agreement);
    let paths = names.map(|name| contacts_path(&folder.join(format!("{name}.toml"))));
    let told = |path: PathBuf| {
        words!(
            "{}: telefoonnummers horen alleen bij het agentschap; verwijder dit bestand",
            "{}: telephone numbers belong at the agency alone; remove this file",
            path.display()
        )
    };
    paths.filter(|path| path.exists()).map(told).collect()
}

/// The users and groups that a key names and this machine does not have.
fn unknown(key: &str, owners: &[Owner]) -> Vec<Words> {
    let known = |file: &str, name: &str| {
        let accounts = std::fs::read_to_string(file).unwrap_or_default();
        accounts.lines().any(|line| line.split(':').next() == Some(name))
    };
    let missing = |owner: &Owner| {
        let Owner::Name(name) = owner else { return None };
        match name.strip_prefix('@') {
            Some(group) if !known("/etc/group", group) => Some(words!(
                "{key}: er is geen groep {group} op deze machine",
                "{key}: there is no group {group} on this machine"
            )),
            None if !known("/etc/passwd", name) => Some(words!(
                "{key}: er is geen gebruiker {name} op deze machine",
                "{key}: there is no user {name} on this machine"
            )),
            _ => None,
        }
    };
    owners.iter().filter_map(missing).collect()
}

fn mail_gaps(notifier: &Notifier, credentials: &Credentials) -> Vec<Words> {
    let shape = notifier.check().err().map(|why| words!("notifier: {}", "notifier: {}"; why));
    let password = notifier.user.as_ref().map(|_| credentials.secret("smtp-password"));
    let password = password.and_then(std::result::Result::err).map(|error| error.words());
    let ca = notifier.ca.as_ref().filter(|ca| !ca.is_file());
    let ca = ca.map(|ca| {
        words!("notifier.ca: {} is er niet", "notifier.ca: {} is not there", ca.display())
    });
    [shape, password, ca].into_iter().flatten().collect()
}

fn channel_gaps(
    releaser: &Releaser,
    agreements: &Agreements,
    credentials: &Credentials,
) -> Vec<Words> {
    let mut gaps = Vec::new();
    for (id, driver) in &releaser.channels {
        let Driver::Http(http) = driver else { continue };
        if let Err(why) = http.check() {
            gaps.push(words!("releaser.channels.{id}: {}", "releaser.channels.{id}: {}"; why));
        }
        if http.calls_back() && releaser.callback.is_none() {
            gaps.push(words!(
                "releaser.channels.{id}: in zijn sjabloon staat {{callback}}, en releaser.callback ontbreekt",
                "releaser.channels.{id}: its template has {{callback}}, and releaser.callback is missing"
            ));
        }
        let secrets = [("provider", http.needs_secret()), ("reports", http.calls_back())];
        for (name, _) in secrets.into_iter().filter(|(_, needed)| *needed) {
            if let Err(error) = credentials.secret(&format!("{name}-{id}")) {
                gaps.push(error.words());
            }
        }
    }
    for installed in agreements.iter() {
        let agreement = &installed.terms.agreement;
        let missing =
            agreement.key.channels.iter().filter(|c| !releaser.channels.contains_key(&c.id));
        gaps.extend(missing.map(|c| {
            words!(
                "overeenkomst {}: kanaal {} staat niet in [releaser.channels]",
                "agreement {}: channel {} is not in [releaser.channels]",
                agreement.agreement,
                c.id
            )
        }));
        gaps.extend(agreement.key.channels.iter().filter_map(|c| {
            let Some(Driver::Http(http)) = releaser.channels.get(&c.id) else { return None };
            http.strays(agreement, &c.id)
        }));
    }
    gaps
}
