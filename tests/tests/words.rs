//! Whoever is refused something hears why in their own language, from the program at the keyboard and from the core alike.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use sluis_tests::{World, binary, root, stderr, stdout};

/// A host, a verb, what is typed, and words of the refusal in Dutch and in English.
type Case<'a> = (&'a str, &'a str, String, &'a str, &'a str);

fn hears(world: &World, (host, verb, typed, dutch, english): &Case<'_>) {
    let words: Vec<&str> = verb.split_whitespace().collect();
    for (lang, own, other) in [("nl", dutch, english), ("en", english, dutch)] {
        let asked = [&["--lang", lang], &words[..]].concat();
        let answer = world.cli_with(host, &asked, typed);
        assert!(!answer.status.success(), "{verb}: {}", stdout(&answer));
        let said = stdout(&answer) + &stderr(&answer);
        assert!(said.contains(own), "{lang} {verb}: {said}");
        assert!(!said.contains(other), "{lang} {verb}: {said}");
        // A machine is given both, whoever runs it.
        let asked = [&["--json", "--lang", lang], &words[..]].concat();
        let answer = world.cli_with(host, &asked, typed);
        let said = stderr(&answer);
        let said: serde_json::Value = serde_json::from_str(said.trim()).expect(&said);
        assert!(said["code"].is_string(), "{said}");
        assert!(said["message"].as_str().unwrap().contains(english), "{said}");
        assert!(said["nl"].as_str().unwrap().contains(dutch), "{said}");
    }
}

#[test]
fn help_and_what_was_typed_wrong_are_told_in_the_language_of_who_typed() {
    let typed = |lang: &str, words: &[&str]| {
        let mut sluis = Command::new(binary("sluis"));
        sluis.env_remove("LC_ALL").env_remove("LC_MESSAGES").env("LANG", lang).args(words);
        sluis.output().unwrap()
    };
    for (asked, dutch, english) in [
        (&["--help"][..], "Gebruik: sluis", "Usage: sluis"),
        (&["send", "--help"], "Onder welke overeenkomst", "Under which agreement"),
        (&["agreement", "help", "check"], "Kijk een bestand na", "Check a file"),
        (&["shwo"], "onbekend commando: shwo; bedoelde u show?", "unrecognized subcommand"),
        (&["show"], "er ontbreekt: <CODE>", "required arguments were not provided"),
        (&["send", "m", "x", "--lists"], "onbekend argument: --lists", "unexpected argument"),
        (&["show", "7K"], "7 letters en cijfers, zoals", "7 letters and digits, as in"),
        (&["init", "office"], "office past niet bij <HOST>", "invalid value"),
    ] {
        let over = |lang: &'static str| [&["--lang", lang], asked].concat();
        for (answer, own, other) in [
            (typed("nl_BE.UTF-8", asked), dutch, english),
            (typed("en_GB.UTF-8", asked), english, dutch),
            (typed("en_GB.UTF-8", &over("nl")), dutch, english),
            (typed("nl_BE.UTF-8", &over("en")), english, dutch),
        ] {
            let said = stdout(&answer) + &stderr(&answer);
            assert!(said.contains(own) && !said.contains(other), "{asked:?}: {said}");
            let help = asked.iter().any(|word| word.contains("help"));
            assert_eq!(answer.status.code(), Some(if help { 0 } else { 2 }), "{said}");
        }
    }
}

#[test]
fn what_is_wrong_with_a_file_and_what_is_in_order_is_told_in_the_language_of_who_asked() {
    let world = World::running();
    let good = fs::read_to_string(world.path("agency/agreements/mechelen.toml")).unwrap();
    let file = |name: &str, text: String| {
        let path = world.path(name);
        fs::write(&path, text).unwrap();
        format!("agreement check {}", path.display())
    };
    let thin = good.replace("threshold = 2", "threshold = 9");
    let wrong = format!("unheard-of = 1\n{good}");
    let odd = good.replace("0543.307.391", "0543.307.392");
    assert!(thin != good && odd != good);
    let secret = world.path("agency/credentials/tls-key");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o644)).unwrap();
    let nothing = String::new;
    let bare = good.split("\n[keys").next().unwrap().to_owned();
    let add = file("bare.toml", bare).replace("check", "add") + " --card /dev/null";
    for case in [
        (
            "agency",
            file("wrong.toml", wrong).as_str(),
            nothing(),
            "onbekende sleutel",
            "unknown field",
        ),
        ("agency", &file("thin.toml", thin), nothing(), "minstens 2 nodig", "at least 2 must"),
        ("agency", &file("odd.toml", odd), nothing(), "een typfout", "a typing error"),
        ("agency", &add, nothing(), "ontbreekt een sleutel", "missing field"),
        ("agency", "config check", nothing(), "anderen kunnen ze lezen", "others can read it"),
    ] {
        hears(&world, &case);
    }
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    for (verb, dutch, english) in [
        (&["ledger", "verify"][..], "elke volgt uit de vorige", "each follows from"),
        (&["config", "check"], "in orde: ", "in order: "),
        (&["agreement", "list"], "VAN KRACHT", "IN FORCE"),
        (&["identity"], "Vergelijk per telefoon", "Compare by telephone"),
    ] {
        for (lang, own, other) in [("nl", dutch, english), ("en", english, dutch)] {
            let answer = world.cli("agency", &[&["--lang", lang], verb].concat());
            let said = stdout(&answer);
            assert!(answer.status.success() && said.contains(own), "{said}{}", stderr(&answer));
            assert!(!said.contains(other), "{said}");
        }
    }
}

#[test]
fn a_refusal_is_said_in_the_language_of_who_asked() {
    let world = World::running();
    let code = world.send("lijst.csv", b"a list");
    world.wait("agency", &code, "Released");
    let lines = world.lines(&code);
    let mut typo = lines[0].clone();
    let other = if typo.ends_with('7') { "8" } else { "7" };
    typo.replace_range(typo.len() - 1.., other);
    let nothing = String::new;
    let open = format!("open {code}");
    for case in [
        // The core's own words, of each kind that it has.
        ("agency", "show ZZZZ-ZZZ", nothing(), "niets heeft de code", "nothing goes by the code"),
        (
            "agency",
            &format!("retry {code}"),
            nothing(),
            "kan niet: de zending is",
            "is not possible: the transfer is",
        ),
        ("agency", "restored mechelen", nothing(), "niets van ons onder", "nothing of ours under"),
        ("municipality", open.as_str(), typo, "verkeerd getypt: kijk", "mistyped: look at"),
        ("municipality", "take ZZZZ-ZZZ", nothing(), "niets heeft de code", "nothing goes by"),
        (
            "municipality",
            &format!("take {code}"),
            nothing(),
            "het is nog niet open",
            "not open yet",
        ),
        // Those of rules about what a party may say.
        (
            "municipality",
            "request mechelen --text 85073003328",
            nothing(),
            "elf cijfers in de tekst",
            "eleven digits in the text",
        ),
        // The program's own.
        ("agency", "send mechelen /dev/null", nothing(), "alleen gewone", "only plain files"),
        (
            "municipality",
            &format!("retry {code}"),
            nothing(),
            "wordt getypt op de host van het agentschap",
            "is typed on the host of the agency",
        ),
        (
            "agency",
            "send leuven /dev/null",
            nothing(),
            "er is hier geen overeenkomst",
            "there is no",
        ),
    ] {
        hears(&world, &case);
    }
    let asked =
        world.cli_with("municipality", &["open", &code], &format!("{}\n{}", lines[0], lines[1]));
    assert!(asked.status.success(), "{}", stderr(&asked));
    let asked = world.cli("municipality", &["destroy", &code]);
    assert!(asked.status.success(), "{}", stderr(&asked));
    let again = format!("destroy {code}");
    hears(&world, &("municipality", &again, nothing(), "een tweede persoon", "a second person"));
}

/// One thing has one word in Dutch: what stood for it elsewhere, and the word that it has. What the agreement calls the
/// transport medium keeps that name where its articles speak.
#[test]
fn one_thing_has_one_word() {
    let others = [
        ("tussenzone", "sluiskom"),
        ("bestandspoort", "bestandsdeur"),
        ("sleutelpoort", "sleuteldeur"),
        ("beveiligingsbeleid", "veiligheidsbeleid"),
        ("reservekopie", "back-up"),
        ("contactbestand", "contactenbestand"),
        ("zijn vingerafdruk", "de digest ervan"),
        ("hetzelfde bevel", "commando"),
        ("\"bevel", "commando"),
        ("het bevel", "commando"),
        ("intikken", "intypen"),
        ("getikt", "getypt"),
        (" tikte", "typte"),
        (" tik ", "typ"),
        ("tikfout", "typfout"),
        (" je vertrouwt", "u"),
    ];
    let mut seen = 0;
    for part in ["core/src", "config/src", "daemon/src", "cli/src", "cli/templates"] {
        let mut folders = vec![root().join(part)];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let text = fs::read_to_string(&path).unwrap().to_lowercase();
                for (other, word) in others {
                    assert!(
                        !text.contains(other),
                        "{}: {other}, where it is {word}",
                        path.display()
                    );
                }
                seen += 1;
            }
        }
    }
    assert!(seen > 100, "{seen}");
}
