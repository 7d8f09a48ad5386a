//! Loading: strict before lenient, secrets private, examples whole.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use secrecy::ExposeSecret;
use sluis_config::agreements::read_contacts;
use sluis_config::credentials::Credentials;
use sluis_config::schema::{Auth, Body, Driver, Level};
use sluis_config::{Agreements, Config};

const MINIMAL: &str = "[party]\nid = \"x\"\nname = \"X\"\n[keeper]\nvault = \"vault\"\nstore = \"state.db\"\nbackups-keep-days = 30\n";

fn load(text: &str, env: &[(&str, &str)]) -> Result<Config, String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sluis.toml");
    fs::write(&path, text).unwrap();
    let env = |name: &str| {
        env.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    };
    Config::load_with(&path, env).map_err(|e| e.to_string())
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

#[test]
fn only_allowed_scalars_come_from_the_environment() {
    let config =
        load(MINIMAL, &[("SLUIS_LOG_LEVEL", "debug"), ("SLUIS_RUN", "/run/sluis")]).unwrap();
    assert_eq!((config.log.level, config.paths.run), (Level::Debug, PathBuf::from("/run/sluis")));
    let config =
        load(MINIMAL, &[("SLUIS_KEEPER__STORE", "/elsewhere"), ("SLUIS_PARTY_ID", "y")]).unwrap();
    assert!(config.keeper.unwrap().store.ends_with("state.db"));
    assert_eq!(config.party.id.as_str(), "x");
    let wrong = load(MINIMAL, &[("SLUIS_LOG_JSON", "perhaps")]).unwrap_err();
    assert!(wrong.contains("environment"), "{wrong}");
}

#[test]
fn what_the_config_crate_would_take_silently_is_refused() {
    for (good, bad) in [
        ("store = \"state.db\"", "store = 3"),
        ("name = \"X\"", "name = true"),
        ("vault = \"vault\"", "vault = \"vault\"\nforget-lines-s = \"60\""),
        ("vault = \"vault\"", "vault = \"vault\"\nforget-lines-s = 3.7"),
        ("vault = \"vault\"", "vault = \"vault\"\nvaults = \"x\""),
        ("id = \"x\"", "id = \"X*\""),
    ] {
        let said = load(&MINIMAL.replace(good, bad), &[]).unwrap_err();
        assert!(said.contains("line ") && said.contains("column ") && said.contains('^'), "{said}");
    }
}

#[test]
fn paths_are_relative_to_the_file_and_urls_are_not_paths() {
    let config = load(MINIMAL, &[]).unwrap();
    assert!(config.paths.agreements.is_absolute() && config.keeper.unwrap().vault.is_absolute());
    let config = load(&MINIMAL.replace("state.db", "postgres://u@h/db"), &[]).unwrap();
    assert_eq!(config.keeper.unwrap().store, "postgres://u@h/db");
}

#[test]
fn a_secret_is_private_or_refused_and_never_followed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tls-key");
    let credentials = Credentials::new(dir.path());
    assert!(credentials.secret("tls-key").unwrap_err().to_string().contains("not found"));
    fs::write(&path, "geheim\n").unwrap();
    for mode in [0o640, 0o604, 0o666, 0o644] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        assert!(
            credentials.secret("tls-key").unwrap_err().to_string().contains("others can read it")
        );
    }
    for mode in [0o600, 0o400] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(credentials.secret("tls-key").unwrap().expose_secret(), "geheim");
    }
    std::os::unix::fs::symlink(&path, dir.path().join("koppeling")).unwrap();
    assert!(credentials.secret("koppeling").is_err());
}

#[test]
fn the_examples_are_the_worked_case_and_load() {
    let folder = examples().join("agreements");
    let agreements = Agreements::load(&folder).unwrap();
    let mechelen = agreements.get(&"mechelen".parse().unwrap()).unwrap();
    let agreement = &mechelen.terms.agreement;
    assert_eq!(agreement.agency.kbo.as_ref().unwrap().to_string(), "0543.307.391");
    assert_eq!(agreement.municipality.nis.as_ref().unwrap().as_str(), "12025");
    assert_eq!(agreement.municipality.dpo.as_ref().unwrap().name, "", "the text leaves it blank");
    assert_eq!(agreement.advice.agency.unwrap().to_string(), "2020-08-21");
    assert_eq!(agreement.advice.municipality.unwrap().to_string(), "2020-11-12");
    assert_eq!(agreement.basis.original_purposes.len(), 7);
    let columns: Vec<_> = agreement.data.columns.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(columns, ["rijksregisternummer", "contract", "attest"]);
    assert_eq!((agreement.retention.years(), agreement.period.per_year()), (5, 1));
    let heads = agreement.signed.representatives.iter().map(|head| head.name.as_str());
    assert!(heads.eq(["Roel Verhaert", "Jo De Ro", "Alexander Vandersmissen", "Erik Laga"]));
    assert_eq!(
        (agreement.municipality.name.as_str(), agreement.in_force.to_string().as_str()),
        ("Stad Mechelen", "2020-12-18")
    );
    assert_eq!((mechelen.plan.threshold, mechelen.plan.shares()), (2, 3));
    let contacts = read_contacts(&folder.join("mechelen.toml"), &mechelen.plan).unwrap();
    assert!(contacts.is_some());
    let agency = Config::load_with(&examples().join("agency.toml"), |_| None).unwrap();
    let channels = agency.releaser.as_ref().unwrap().channels.clone();
    for channel in &agreement.key.channels {
        assert!(channels.contains_key(&channel.id), "{} has no template", channel.id);
    }
    let http = |want: fn(&sluis_config::schema::Http) -> bool| {
        channels.values().any(|driver| matches!(driver, Driver::Http(http) if want(http)))
    };
    assert!(http(
        |http| matches!(http.body, Body::Form(_)) && matches!(http.auth, Some(Auth::Basic { .. }))
    ));
    assert!(http(
        |http| matches!(http.body, Body::Json(_)) && matches!(http.auth, Some(Auth::Bearer))
    ));
    let town = Config::load_with(&examples().join("municipality.toml"), |_| None).unwrap();
    for notifier in [agency.notifier, town.notifier].map(Option::unwrap) {
        assert_eq!((notifier.check(), notifier.server().unwrap().1), (Ok(()), 465));
        assert!(notifier.ca.as_ref().unwrap().is_absolute());
        let mechelen = "mechelen".parse().unwrap();
        let told = notifier.recipients(Some(&mechelen), true);
        assert_eq!(told, [notifier.agreements[&mechelen].to[0].as_str(), &notifier.dpo[0]]);
        assert_eq!(notifier.recipients(None, false), notifier.to);
    }
    Config::load_with(&examples().join("dropzone.toml"), |_| None).unwrap();
}

#[test]
fn what_the_articles_ask_is_read_strictly_and_may_be_left_out() {
    let worked = fs::read_to_string(examples().join("agreements/mechelen.toml")).unwrap();
    let read = |text: &str| {
        sluis_config::agreements::parse(Path::new("mechelen.toml"), text).map_err(|e| e.to_string())
    };
    let rest = worked.find("# Why the data may be handed over").unwrap();
    let zone = worked.find("# The original transport medium").unwrap();
    let after = worked.find("# \"Zo snel mogelijk\"").unwrap();
    let keys = worked.find("[keys.agency]").unwrap();
    let bare = [&worked[..rest], &worked[zone..after], &worked[keys..]].concat();
    assert!(read(&bare).is_ok_and(|(terms, _)| terms.agreement.data.columns.is_empty()));
    for (good, bad, why) in [
        ("kbo = \"0543.307.391\"", "kbo = \"0543.307.392\"", "typing error"),
        ("nis = \"12025\"", "nis = \"1202\"", "five digits"),
        ("agency = \"2020-08-21\"", "agency = \"2020-02-30\"", "day"),
        ("[term]\n", "[term]\nmonths = 3\n", "unknown field `months`"),
        ("for = \"municipality\"", "for = \"mechelen\"", "unknown variant"),
    ] {
        assert!(worked.contains(good), "{good}");
        let said = read(&worked.replace(good, bad)).unwrap_err();
        assert!(said.contains(why) && said.contains("line ") && said.contains('^'), "{said}");
    }
    for (good, bad) in [
        ("name = \"attest\"", "name = \"contract\""),
        ("id = \"integratieambtenaar\"", "id = \"diensthoofd integratie\""),
    ] {
        let said = read(&worked.replace(good, bad)).unwrap_err();
        assert!(said.contains("stands twice") && said.contains("take one of them out"), "{said}");
    }
}

#[test]
fn where_reminders_go_is_read_strictly() {
    let mail = "[notifier]\nsmtp = \"[2001:db8::25]:465\"\nfrom = \"x@y.example\"\nto = [\"a@y.example\"]\n";
    let read = |text: &str| load(&format!("{MINIMAL}{text}"), &[]);
    let good = read(mail).unwrap().notifier.unwrap();
    assert_eq!(good.server(), Some(("2001:db8::25", 465)));
    for (was, is) in [("smtp =", "smtps ="), ("from", "tls = \"none\"\nfrom"), ("to =", "too =")] {
        assert!(read(&mail.replace(was, is)).unwrap_err().contains('^'), "{is}");
    }
    let many = format!("to = [{}]", "\"a@y.example\", ".repeat(21));
    for (was, is) in [
        (":465", ""),
        (":465", ":mail"),
        ("[2001:db8::25]", ""),
        ("to = [\"a@y.example\"]", "to = []"),
        ("to = [\"a@y.example\"]", many.as_str()),
    ] {
        assert!(read(&mail.replace(was, is)).unwrap().notifier.unwrap().check().is_err(), "{is}");
    }
}
