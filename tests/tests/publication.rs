//! The text that both parties publish (art. 10): one page from the agreement alone, and the word that it stands there.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;

use sluis_core::id::Digest;
use sluis_tests::world::{Plan, sluis};
use sluis_tests::{World, stderr, stdout, until};

/// What a browser would run, or take for the end of something; and what a template would.
const EVIL: &str = "</td></title></style><script>alert(1)</script>\" onload='x' {{ 7 }} <!-- &lt;";
const DEMO: &str = include_str!("../../config/examples/demo/mechelen.toml");
const LIST: &[u8] =
    b"rijksregisternummer;contract;attest\n85073003328;1;1\n90020199704;1;0\n00010100105;0;0\n";
const EXAMPLE: &str = include_str!("../../config/examples/agreements/mechelen.toml");

fn plan(agreement: &str) -> Plan {
    Plan { agreement: agreement.to_owned(), ..Plan::default() }
}

/// The demonstration's agreement before anybody published the text; a list leaves unasked.
fn unpublished() -> String {
    let (before, pages) = DEMO.split_once("[publication.agency]\n").unwrap();
    let after = &pages[pages.find("[term]\n").unwrap()..];
    format!("{before}{after}").replace("[period]\n", "[period]\nstanding = \"een test\"\n")
}

/// The page as a host makes it.
fn page(world: &World, host: &str, lang: &str) -> String {
    let made = world.cli(host, &["agreement", "publish", "mechelen", "--lang", lang]);
    assert!(made.status.success(), "{}", stderr(&made));
    stdout(&made)
}

/// The worked case, without the example's keys: the cards of these hosts have others.
fn worked() -> Plan {
    let text = &EXAMPLE[..EXAMPLE.find("# Public keys.").unwrap()];
    let numbers = "custodian-a = \"+32470000001\"\ncustodian-b = \"+32470000002\"\n\
                   custodian-c = \"+32470000003\"\n";
    Plan {
        contacts: format!("salt = \"0123456789abcdef0123456789abcdef\"\n[numbers]\n{numbers}"),
        ..plan(&text.replace("sluiskom.example:8443", "{host}"))
    }
}

#[test]
fn both_parties_make_the_same_page_and_it_names_what_the_articles_say() {
    let world = World::make(&worked());
    let dutch = page(&world, "agency", "nl");
    for host in ["agency", "municipality", "dropzone"] {
        assert_eq!(page(&world, host, "nl"), dutch, "{host}");
    }
    // Dutch is the law's language: nobody has to ask for it, also where the terminal speaks another one.
    let config = world.path("agency/sluis.toml");
    let plain = sluis(&["agreement", "publish", "mechelen", "--config"], [config.as_os_str()]);
    assert_eq!(stdout(&plain), dutch);
    for said in [
        "<html lang=\"nl\">",
        "0543.307.391",
        "Tour &#38; Taxis - Koninklijk Pakhuis",
        "Roel Verhaert, voorzitter van de Raad van Bestuur",
        "collegebesluit van 30 november 2020",
        "12025",
        "Kruispuntbank Inburgering (KBI)",
        "op vraag van Stad Mechelen, hoogstens 1 keer per jaar",
        "21 augustus 2020",
        "12 november 2020",
        "AVG, artikel 6, 1, c)",
        "7° mededeling aan de gemeenten",
        "rijksregisternummer",
        "of deze inburgeraars een attest van inburgering hebben behaald",
        "hoogstens 5 jaar",
        "Diensthoofd integratie (voorbeeld)",
        "verdeelt het werk over de integratieambtenaren",
        "3 delen waarvan er 2 nodig zijn",
        "privacy@mechelen.be",
        "Sluiskom (voorbeeld)",
        "App-C (voorbeeld)",
        "href=\"https://www.integratie-inburgering.be/contact\"",
        "18 december 2020",
        "schriftelijk, 12 maanden",
        "Patrick Bosmans",
        "Waarnemend burgemeester",
        "Procedure voor datalekken</th><td>ja</td>",
        "Toegang aantoonbaar veilig</th><td class=\"none\">niet vermeld</td>",
    ] {
        assert!(dutch.contains(said), "{said}: {dutch}");
    }
    for article in 1..=12 {
        assert!(dutch.contains(&format!("<h2>Artikel {article}. ")), "{article}");
    }
    let english = page(&world, "municipality", "en");
    for said in ["<html lang=\"en\">", "at most once a year", "18 December 2020", "not stated"] {
        assert!(english.contains(said), "{said}: {english}");
    }
    // Nothing of who is reached where, of keys, or of this host.
    let installed = fs::read_to_string(world.path("agency/agreements/mechelen.toml")).unwrap();
    let keys =
        installed.lines().filter_map(|line| line.split('"').nth(1)).filter(|it| it.len() > 60);
    let keys: Vec<_> = keys.filter(|it| !it.contains(' ') || it.starts_with("ssh-")).collect();
    assert!(keys.len() >= 7, "{keys:?}");
    let hidden = ["custodian-a", "custodian-b", "sms-a", "groep-a", "kelder", "+3247", &world.host];
    for never in keys.into_iter().chain(hidden) {
        for page in [&dutch, &english] {
            assert!(!page.contains(never), "{never}: {page}");
        }
    }
}

/// Whether a key's value is free text, which its writer may fill with anything.
fn free(key: &str) -> bool {
    [
        "title",
        "purpose",
        "name",
        "address",
        "contact",
        "persons",
        "web-form",
        "source",
        "legal-basis",
        "original-purposes",
        "compatibility",
        "why",
        "any-file",
        "standing",
        "more-allowed-by",
        "names-allowed-by",
        "operator",
        "provider",
        "reason",
        "service",
        "capacity",
        "mandate",
        "url",
        "incident-contact",
        "breach-procedure",
        "measures",
        "monitoring",
        "access",
        "selection",
        "guarantees",
    ]
    .contains(&key)
}

/// Puts what a browser would run behind every text; gives how many there are.
fn poison(key: &str, value: &mut toml::Value) -> usize {
    match value {
        toml::Value::Table(table) => table.iter_mut().map(|(key, it)| poison(key, it)).sum(),
        toml::Value::Array(all) => all.iter_mut().map(|it| poison(key, it)).sum(),
        toml::Value::String(text) if free(key) => {
            text.push_str(EVIL);
            1
        }
        _ => 0,
    }
}

#[test]
fn what_the_parties_wrote_is_text_and_never_a_part_of_the_page() {
    let more = "[publication.agency]\nurl = \"https://a.example/\"\non = \"2020-12-18\"\n\
                [security.municipality]\nincident-contact = \"x\"\nbreach-procedure = \"x\"\n";
    let names = "[data]\nnames-allowed-by = \"x\"\nany-file = \"x\"\n";
    let text = unpublished()
        .replace("https://agentschap.example/contact", "javascript:alert(1)//")
        .replace("[data]\n", names)
        .replace("kbo = ", "address = \"x\"\nkbo = ")
        .replace("capacity = \"algemeen directeur\" }", "capacity = \"x\", mandate = \"x\" }");
    let mut evil: toml::Value = toml::from_str(&format!("{text}\n{more}")).unwrap();
    let count = poison("", &mut evil);
    assert!(count > 45, "{count}");
    let world = World::make(&plan(&toml::to_string(&evil).unwrap()));
    for lang in ["nl", "en"] {
        let page = page(&world, "agency", lang);
        // What is shown of them, each as text; the rest stays out of the page.
        let shown = page.matches("&#60;script&#62;alert(1)").count();
        assert!(shown > 40, "{shown}: {page}");
        for never in
            ["<script", "onload='", "<!--", "href=\"javascript", "href=\"https://a.example"]
        {
            assert!(!page.contains(never), "{lang}: {never}: {page}");
        }
        assert_eq!(page.matches("</title>").count(), 1);
        assert_eq!(page.matches("</style>").count(), 1);
        assert!(page.contains("{{ 7 }}") && page.contains("&#38;lt;"), "{page}");
        // Every tag is one of the template's.
        let tags = page.split('<').skip(1).filter_map(|it| it.split([' ', '>']).next());
        for tag in tags.map(|tag| tag.trim_start_matches('/')) {
            let known = [
                "!doctype", "html", "head", "meta", "title", "style", "body", "header", "h1", "p",
                "main", "section", "h2", "ul", "li", "table", "caption", "thead", "tbody", "tr",
                "th", "td", "a", "footer",
            ];
            assert!(known.contains(&tag), "{tag}");
        }
    }
}

fn heard(world: &World, host: &str, count: usize) -> Vec<serde_json::Value> {
    until(&format!("{count} publications at the {host}"), || {
        let rows = world.json(host, &["notices"]);
        let of = |row: &&serde_json::Value| row["sort"] == "publication";
        let found: Vec<_> = rows.as_array().unwrap().iter().filter(of).cloned().collect();
        (found.len() == count).then_some(found)
    })
}

/// A list stays because these have not published the text.
fn waits(world: &World, name: &str, whose: &[&str]) {
    world.put(name.as_ref(), LIST);
    let text = world.status_says("mechelen", "REFUSED");
    let told = text.matches("published the text").count();
    assert!(told == whose.len() && text.contains("art. 10"), "{text}");
    whose.iter().for_each(|party| assert!(text.contains(party), "{party}: {text}"));
    for left in fs::read_dir(world.path("agency/outbox/mechelen")).unwrap().flatten() {
        fs::remove_file(left.path()).unwrap();
    }
}

#[test]
fn each_party_records_where_the_text_stands_and_both_ledgers_and_the_report_have_it() {
    let world = World::running_as(&plan(&unpublished()));
    // Nothing leaves before both have (recital D).
    waits(&world, "lijst.csv", &["Agentschap Integratie en Inburgering", "Stad Mechelen"]);
    let path = |name: &str| world.path(name).to_str().unwrap().to_owned();
    let (file, other) = (path("protocol.html"), path("signed.pdf"));
    let publish = ["agreement", "publish", "mechelen"];
    let run = |host: &str, more: &[&str]| world.cli(host, &[&publish, more].concat());
    let made = run("agency", &["--lang", "nl", "--to", &file]);
    assert!(made.status.success(), "{}", stderr(&made));
    assert!(!run("agency", &["--to", &file]).status.success(), "nothing is overwritten");
    let digest = Digest::of(&fs::read(&file).unwrap()).to_string();
    assert!(stdout(&made).contains(&digest), "{}", stdout(&made));
    fs::write(&other, "%PDF-1.7 the signed text").unwrap();
    let (ours, theirs) =
        ("https://agentschap.example/protocol", "https://www.mechelen.example/p/1.pdf");
    // What is no address of a public page is refused with its article; a page that is not there is none.
    for (url, more, why) in [
        ("http://agentschap.example/", &[][..], "art. 10"),
        ("https://agentschap.example/a b", &[], "art. 10"),
        ("javascript:alert(1)", &[], "art. 10"),
        ("https://agentschap.example/85073003328", &[], "eleven digits"),
        (ours, &["--on", "2999-01-01"], "art. 10"),
    ] {
        let refused = run("agency", &[&["--url", url, "--page", &file], more].concat());
        assert_eq!(refused.status.code(), Some(1), "{url}");
        assert!(stderr(&refused).contains(why), "{url}: {}", stderr(&refused));
    }
    assert_eq!(run("agency", &["--url", ours]).status.code(), Some(2), "without the page");
    let known = world.json("agency", &[&publish[..], &["--url", ours, "--page", &file]].concat());
    assert_eq!(
        (known["rendered"].as_str(), known["notice"]["paper"].as_str()),
        (Some("nl"), Some(&*digest))
    );
    waits(&world, "lijst-1.csv", &["Stad Mechelen"]);
    // Something else stands there: it is said, and recorded.
    let made = run("municipality", &["--url", theirs, "--page", &other, "--on", "2020-12-18"]);
    assert!(made.status.success(), "{}", stderr(&made));
    assert!(stdout(&made).contains("not, byte for byte"), "{}", stdout(&made));
    for host in ["agency", "municipality"] {
        let mut rows = heard(&world, host, 2);
        rows.sort_by_key(|row| row["by"].to_string());
        let said: Vec<_> = rows.iter().map(|row| row["notice"]["text"].as_str().unwrap()).collect();
        assert_eq!(said, [ours, theirs], "{host}");
        assert_eq!(rows[1]["notice"]["on"], "2020-12-18");
        assert!(world.cli(host, &["ledger", "verify"]).status.success());
        let table = stdout(&world.cli(host, &["notices"]));
        assert!(table.contains("text published") && !table.contains("[papier]"), "{table}");
        let to = path(&format!("evidence-{host}"));
        let export = ["evidence", "export", "--agreement", "mechelen", "--to", &to];
        assert!(world.cli(host, &export).status.success());
        let trust = format!("{to}/allowed_signers");
        let verified = world.cli("dropzone", &["evidence", "verify", &to, "--trust", &trust]);
        assert!(verified.status.success(), "{}{}", stdout(&verified), stderr(&verified));
        for (lang, word) in [("nl", "versie 1"), ("en", "version 1")] {
            let html = fs::read_to_string(format!("{to}/report.{lang}.html")).unwrap();
            let article = html.split("<h3>art. 10 ").nth(1).unwrap().split("<h3>").next().unwrap();
            for said in [ours, theirs, &digest, "2020-12-18", word] {
                assert!(article.contains(said), "{lang}: {said}: {article}");
            }
            assert!(article.contains("Stad Mechelen") && !article.contains("class=\"none\""));
        }
    }
    let code = world.send("lijst-2.csv", LIST);
    world.wait("agency", &code, "Released");
    // A version that the running core does not have yet is not signed for as the one before.
    let installed = world.path("agency/agreements/mechelen.toml");
    let next = fs::read_to_string(&installed).unwrap().replace("version = 1", "version = 2");
    fs::write(&installed, next).unwrap();
    let early = run("agency", &["--url", ours, "--page", &file]);
    assert!(stderr(&early).contains("restart the services"), "{}", stderr(&early));
    heard(&world, "agency", 2);
}
