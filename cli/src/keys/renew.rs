//! `sluis key renew`: new keys before the old ones. Nothing that was there goes.

use std::path::Path;

use secrecy::ExposeSecret;
use sluis_config::Config;
use sluis_config::credentials::Credentials;
use sluis_core::words;
use zeroize::Zeroizing;

use super::made::{Credential, Kind};
use crate::agreement::put;
use crate::card::{Card, Role, age_recipient};
use crate::failure::{Failure, Result};
use crate::language::Lang;
use crate::output;

/// The largest credential that a role reads, in bytes.
const MOST: usize = 64 * 1024;

/// `sluis key renew [KEY...]`
pub(crate) fn renew(
    (path, config): (&Path, &Config),
    which: &[Kind],
    lang: Lang,
    json: bool,
) -> Result<()> {
    let has = kinds(Card::of(config)?.role);
    if let Some(other) = which.iter().find(|kind| !has.contains(kind)) {
        return Err(Failure::coded(
            "no-such-key",
            words!(
                "deze host heeft geen {other:?}-sleutel: er werd niets veranderd",
                "this host has no {other:?} key: nothing was changed"
            ),
        ));
    }
    let which = if which.is_empty() { has } else { which };
    let credentials = Credentials::new(&config.paths.credentials);
    let former = match which.contains(&Kind::Bundle) {
        true => Some(age_recipient(&credentials, "bundle-identity")?),
        false => None,
    };
    let mut recipient = None;
    for kind in which {
        let made = kind.make(&config.party.id)?;
        for file in &made.files {
            before(&config.paths.credentials, &credentials, file)?;
        }
        if *kind == Kind::Bundle {
            recipient = Some(made.public);
        }
    }
    if let Some((former, recipient)) = former.zip(recipient) {
        point(path, &former, &recipient, lang)?;
    }
    let card = Card::of(config)?;
    if json {
        return output::json(
            &serde_json::json!({ "card": card, "fingerprint": card.fingerprint() }),
        );
    }
    output::line(match lang {
        Lang::Nl => format!(
            "Nieuwe sleutels van {}; kaart {}\nHerstart de rollen van deze host, de releaser eerst. De oude sleutels \
             blijven onder de nieuwe staan, tot een versie\nvan elke overeenkomst de nieuwe noemt: sluis identity, dan \
             sluis agreement rekey.",
            card.id,
            card.fingerprint()
        ),
        Lang::En => format!(
            "New keys of {}; card {}\nRestart the roles of this host, the releaser first. The old keys stay below the \
             new ones, until a version\nof each agreement names the new ones: sluis identity, then sluis agreement rekey.",
            card.id,
            card.fingerprint()
        ),
    })
}

fn kinds(role: Role) -> &'static [Kind] {
    match role {
        Role::Agency => &[Kind::Statement, Kind::Mailbox, Kind::Bundle, Kind::Tls],
        Role::Municipality => &[Kind::Statement, Kind::Mailbox, Kind::Tls],
        Role::DropZone => &[Kind::Tls],
    }
}

/// Writes a credential anew, the new key before what it held.
fn before(folder: &Path, credentials: &Credentials, new: &Credential) -> Result<()> {
    let held = match new.mode {
        0o600 => Zeroizing::new(credentials.secret(new.name)?.expose_secret().to_owned()),
        _ => Zeroizing::new(credentials.public(new.name)?),
    };
    let text = Zeroizing::new(format!("{}\n{}\n", new.text.trim_end(), held.trim_end()));
    if text.len() > MOST {
        return Err(Failure::coded(
            "credential",
            words!(
                "de credential {} zou groter zijn dan {MOST} bytes: haal er de oudste sleutels uit",
                "the credential {} would be larger than {MOST} bytes: take out its oldest keys",
                new.name
            ),
        ));
    }
    put(&folder.join(new.name), &text, new.mode)
}

/// Has the sealer seal to the new recipient. What was sealed to the former one still opens.
fn point(path: &Path, former: &str, recipient: &str, lang: Lang) -> Result<()> {
    let text = std::fs::read_to_string(path).map_err(Failure::io(path.display()))?;
    if text.matches(former).count() == 1 {
        return put(path, &text.replace(former, recipient), 0o644);
    }
    let write = words!(
        "schrijf in [sealer] van {}: releaser = \"{recipient}\"",
        "write into [sealer] of {}: releaser = \"{recipient}\"",
        path.display()
    );
    output::line(write.text(lang.core()))
}
