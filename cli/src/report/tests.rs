//! The page by itself: a year that another one follows, hostile words, gates that never overlap.

use std::path::Path;
use std::sync::LazyLock;

use sluis_config::agreements;
use sluis_core::ledger::Part;
use sluis_core::notice::{Notice, Sort};
use sluis_core::statement::{
    Delivered, Destroyed, Expired, Header, Look, Opened, Released, Removed, Sent, ShareAccepted,
    Signer, Superseded, Tip,
};

use super::*;

const DAY: i64 = 86_400_000;
/// 2026-12-28 12:00 in Brussels.
const BEFORE: Time = Time(1_798_455_600_000);

fn terms() -> Terms {
    static MADE: LazyLock<Terms> = LazyLock::new(make);
    MADE.clone()
}

fn make() -> Terms {
    let keys = |name: &str| {
        let seed = Digest::of(name.as_bytes());
        format!(
            "[keys.{name}]\nstatement = \"{}\"\nmailbox = \"{}\"\ntls = \"{seed}\"\n",
            Signer::from_seed(seed.as_bytes()).public().unwrap(),
            age::x25519::Identity::generate().to_public(),
        )
    };
    let text = include_str!("../../../config/examples/demo/mechelen.toml")
        .replace("{host}", "127.0.0.1:4433");
    let zone = format!("[keys.drop-zone]\ntls = \"{}\"\n", Digest::none());
    let text = format!("{text}\n{}{}{zone}", keys("agency"), keys("municipality"));
    agreements::parse(Path::new("mechelen.toml"), &text).unwrap().0
}

fn line(number: u64, side: Side, at: Time, transfer: Option<TransferId>, body: Body) -> Line {
    let terms = terms();
    let header = Header {
        agreement: terms.agreement.agreement.clone(),
        issuer: terms.agreement.party(side).id.clone(),
        audience: terms.agreement.party(side.other()).id.clone(),
        number,
        previous: Digest::none(),
        seen: Tip::start(),
        time: at,
        terms: terms.digest,
        ledger: Tip::start(),
        transfer,
    };
    let digest = Digest::of(&[u8::try_from(number).unwrap(), u8::from(side == Side::Agency)]);
    Line { statement: Statement { header, body }, digest, side, at, effect: true }
}

fn notice(text: &str, case: Option<Digest>, found: Option<Time>) -> Notice {
    Notice { case, found, ..Notice::of(text) }
}

fn sent() -> Body {
    let none = Digest::none();
    Sent {
        code: "7K3F-9QX".parse().unwrap(),
        ciphertext: none,
        size: 1000,
        plaintext: none,
        threshold: 2,
        routes: Vec::new(),
        commitments: Vec::new(),
        contacts: none,
        expires: BEFORE,
        replaces: None,
        request: None,
        waived: None,
        residents: None,
        mends: None,
        rehearsal: false,
        exercise: false,
    }
    .into()
}

fn removed() -> Body {
    let none = Digest::none();
    Removed {
        sent: none,
        delivered: none,
        ciphertext: none,
        upload: sluis_core::id::UploadId::random(),
        host: "h".into(),
        done: "DELETE".into(),
        seen: Look { head: 410, get: 410, control: 404 },
        unknown: Vec::new(),
    }
    .into()
}

fn page(lines: &[Line], from: usize, year: Option<i16>, lang: Lang) -> String {
    page_of(&terms(), lines, from, year, lang)
}

fn page_of(terms: &Terms, lines: &[Line], from: usize, year: Option<i16>, lang: Lang) -> String {
    let time = lines.last().unwrap().at.plus_ms(100 * DAY);
    let of = year.map_or(Part::All, Part::Year);
    let [signers, list, decisions] = [Digest::none(); 3];
    let (agreement, party) = ("mechelen".parse().unwrap(), "agentschap-ii".parse().unwrap());
    let ledger = Tip::start();
    let (agency, municipality) =
        (terms.agreement.agency.id.clone(), terms.agreement.municipality.id.clone());
    let head = Head {
        agreement,
        party,
        agency,
        municipality,
        of,
        terms: terms.digest,
        signers,
        list,
        decisions,
        ledger,
        time,
    };
    let versions = [terms];
    render(&Report {
        terms,
        versions: &versions,
        lines,
        from,
        year,
        decided: &[],
        head: &head,
        lang,
    })
    .unwrap()
}

#[test]
fn a_year_is_judged_at_its_end_and_a_case_goes_on_into_the_next() {
    let (agency, municipality) = (Side::Agency, Side::Municipality);
    let report = Body::Notice(Sort::QualityReport, notice("rij 2", None, Some(BEFORE)));
    let first = line(1, municipality, BEFORE, None, report);
    let case = first.digest;
    let late = BEFORE.plus_ms(20 * DAY);
    let answer = Body::Notice(Sort::QualityAnswer, notice("beter", Some(case), None));
    let lines = [first, line(1, agency, late, None, answer)];
    let row = |html: &str| {
        let rows = html.lines().filter(|row| row.contains("Deal with wrong data"));
        rows.map(str::to_owned).collect::<String>()
    };
    // The ledger went on for months, but at the end of 2026 nobody was late.
    let old = page(&lines[..1], 0, Some(2026), Lang::En);
    assert!(row(&old).contains("soon") || row(&old).contains("ahead"), "{}", row(&old));
    let new = page(&lines, 1, Some(2027), Lang::En);
    assert!(row(&new).contains("met, late (5 d 12 h)"), "{}", row(&new));
    assert!(new.contains("beter <span class=\"late\">late</span>"));
    assert!(!new.contains("rij 2"), "what was said the year before stands in that year's report");
    assert_eq!(new, page(&lines, 1, Some(2027), Lang::En));
}

#[test]
fn words_are_words_and_what_is_not_known_is_shown() {
    let municipality = Side::Municipality;
    let hostile = "</td><script>alert(1)</script>\" onload=\"x {{ 1 }} &";
    let said = Body::Notice(Sort::Profiles, notice(hostile, None, None));
    let later = Body::Unknown("postponed".into(), "{}".into());
    let mut void = line(3, municipality, BEFORE, None, said.clone());
    void.effect = false;
    let lines = [
        line(1, municipality, BEFORE, None, said),
        line(2, municipality, BEFORE, None, later),
        void,
    ];
    for lang in [Lang::Nl, Lang::En] {
        let html = page(&lines, 0, None, lang);
        assert!(!html.contains("<script") && !html.contains("onload=\""), "{html}");
        assert!(html.contains("&#60;script") && html.contains("{{ 1 }} &#38;"), "{html}");
        assert!(html.contains("postponed"), "{html}");
        assert!(html.contains(lang.pick("zonder gevolg", "without effect")));
    }
}

#[test]
fn the_gates_are_drawn_apart_also_where_the_word_of_the_release_comes_last() {
    let id = Some(TransferId::random());
    let none = Digest::none();
    let released = || Body::from(Released { removed: none, probed: none, shares: Vec::new() });
    let opened = || Body::from(Opened { sent: none, plaintext: none, shares: vec![1, 2] });
    let (agency, municipality) = (Side::Agency, Side::Municipality);
    let at = |minutes: i64| BEFORE.plus_ms(minutes * 60_000);
    for (third, fourth) in [(released(), opened()), (opened(), released())] {
        let lines = [
            line(1, agency, at(0), id, sent()),
            line(1, municipality, at(125), id, removed()),
            line(2, agency, at(126), id, third),
            line(2, municipality, at(127), id, fourth),
        ];
        for count in 1..=lines.len() {
            let moves: Vec<&Line> = lines[..count].iter().collect();
            let drawn = drawn::lock(&moves, Lang::Nl);
            let file = drawn.file.unwrap();
            assert!(drawn.key.is_none_or(|key| file.x + file.width <= key.x), "{count}");
        }
        let html = page(&lines, 0, None, Lang::En);
        assert!(
            html.contains("<p class=\"lead\">* The agreement&#39;s text gives no such term"),
            "{html}"
        );
        let expires =
            html.lines().find(|row| row.contains("Open before the transfer expires*")).unwrap();
        assert!(expires.contains("2027-01-04 12:00:00"), "seven days, not hours: {expires}");
        // Two hours and five minutes, where one hour is the target.
        assert!(html.contains("2 h 5 min on the transport medium (target 60 min)"), "{html}");
        assert!(
            html.contains("not to be found any more (HTTP 410) <span class=\"late\">late</span>"),
            "{html}"
        );
    }
}

/// What was said in time is in time, also where the drop zone was down for three days: as both cores have it.
#[test]
fn what_was_heard_late_was_not_said_late() {
    let (id, municipality) = (Some(TransferId::random()), Side::Municipality);
    let late = |heard: i64| {
        let told = |number, minutes: i64, about, body| Line {
            at: BEFORE.plus_ms(heard),
            ..line(number, municipality, BEFORE.plus_ms(minutes * 60_000), about, body)
        };
        let found = notice("een lek", None, Some(BEFORE));
        let lines = [
            line(1, Side::Agency, BEFORE, id, sent()),
            told(1, 30, id, removed()),
            told(2, 120, None, Body::Notice(Sort::IncidentReport, found)),
        ];
        page(&lines, 0, None, Lang::En).matches("class=\"late\"").count()
    };
    assert_eq!(late(3 * DAY), late(DAY / 12));
}

#[test]
fn a_list_that_did_not_leave_was_not_let_go_and_a_person_ended_it() {
    let (id, agency) = (Some(TransferId::random()), Side::Agency);
    let end = sluis_core::statement::Withdrawn { exposed: 0 };
    let mut lines = [line(1, agency, BEFORE, id, sent()), line(2, agency, BEFORE, id, end.into())];
    let html = page(&lines, 0, None, Lang::En);
    assert!(html.contains("7K3F-9QX let go under version 1"), "{html}");
    assert!(html.contains("a person who decides, by the sealer"), "{html}");
    assert!(html.contains("the term indefinite"), "this one has no last day");
    lines[0].effect = false;
    assert!(!page(&lines, 0, None, Lang::En).contains("let go under version"));
}

#[test]
fn a_list_that_was_opened_is_not_destroyed_by_the_agencys_word_that_it_ended() {
    let (agency, municipality) = (Side::Agency, Side::Municipality);
    let (id, none) = (TransferId::random(), Digest::none());
    let of = |side, number, body| line(number, side, BEFORE, Some(id), body);
    let delivered = || {
        let upload = sluis_core::id::UploadId::random();
        Delivered { sent: none, ciphertext: none, size: 1000, upload }.into()
    };
    let opened = || Opened { sent: none, plaintext: none, shares: vec![1, 2] }.into();
    let row = |last: Vec<Line>| {
        let mut lines = vec![of(agency, 1, sent()), of(municipality, 1, delivered())];
        lines.extend(last);
        let html = page(&lines, 0, None, Lang::En);
        html.lines().find(|row| row.contains("Destroy the list")).unwrap().to_owned()
    };
    // Each party's own word counts in its ledger; the other's, which crossed it, stands there without effect.
    let ends: [fn() -> Body; 2] =
        [|| Superseded { by: TransferId::random() }.into(), || Expired { exposed: 2 }.into()];
    for end in ends {
        let ended = || of(agency, 2, end());
        let void = |line| Line { effect: false, ..line };
        for last in [
            vec![ended(), void(of(municipality, 2, opened()))],
            vec![of(municipality, 2, opened()), void(ended())],
            vec![void(of(municipality, 2, opened())), ended()],
            vec![of(municipality, 2, opened()), ended()],
        ] {
            let row = row(last);
            assert!(row.contains("ahead") && !row.contains(">met"), "{row}");
        }
        let discarded = row(vec![ended()]);
        assert!(discarded.contains(">met"), "{discarded}");
    }
}

#[test]
fn who_did_it_is_told_by_role_and_function_and_nobody_is_named() {
    let (terms, none) = (terms(), Digest::none());
    let routes = sluis_core::plan::check(&terms.agreement).unwrap().routes;
    let (id, second) = (Some(TransferId::random()), routes[1].custodian.clone());
    let (agency, municipality) = (Side::Agency, Side::Municipality);
    let Body::Sent(sent) = sent() else { panic!("sent") };
    let shown = |asked: &[&str], backups_until, lang| {
        let opened = Opened { sent: none, plaintext: none, shares: vec![1, 2] };
        let typed = ShareAccepted { index: 2, custodian: second.clone(), commitment: none };
        let gone = Destroyed {
            sent: none,
            erased: ["envelope", "opened"].map(str::to_owned).to_vec(),
            asked: asked.iter().map(|it| (*it).to_owned()).collect(),
            unknown: vec!["snapshots".into()],
            backups_until,
        };
        let sent = Sent { routes: routes.clone(), ..sent.clone() };
        let lines = [
            line(1, agency, BEFORE, id, sent.into()),
            line(1, municipality, BEFORE, id, typed.into()),
            line(2, municipality, BEFORE, id, opened.into()),
            line(3, municipality, BEFORE, id, gone.into()),
            line(2, agency, BEFORE, None, Body::Notice(Sort::Override, notice("x", None, None))),
        ];
        page(&lines, 0, None, lang)
    };
    let day = jiff::civil::date(2032, 1, 31);
    let profile = |place: usize| {
        let it = &terms.agreement.key.custodians[place];
        format!("{} ({})", it.id, it.profile)
    };
    let en = shown(&["messages"], Some(day), Lang::En);
    for said in [
        "<span class=\"kind\">the sealer</span>",
        &format!("<span class=\"kind\">custodian {}</span>", profile(1)),
        &format!("custodian {}, custodian {}</span>", profile(0), profile(1)),
        "two persons who approve",
        "erased: the envelope, what came out of it; custodians asked to delete: their messages; \
         not known: snapshots; backups may hold it until 2032-01-31",
        "names no day on which MAGDA offers these lists",
        "data protection officer",
        "2020-08-21",
        "<h3>recital C Requests",
        "<h3>art. 1 ",
        "<h3>art. 5 ",
        "let go under version 1, SHA-256 ",
        "in force, without a last day",
        "<h3>signatures ",
        "algemeen directeur",
        "2020-12-04",
        "not in the agreement",
    ] {
        assert!(en.contains(said), "{said}: {en}");
    }
    let nl = shown(&[], None, Lang::Nl);
    for said in [
        "de keeper",
        "niemand schreef in dat de bewaarders gevraagd is hun berichten te wissen",
        "van de kluis zijn er geen back-ups",
        "<h3>overweging C Aanvragen",
        "functionaris voor gegevensbescherming",
        "in werking, zonder einddag",
    ] {
        assert!(nl.contains(said), "{said}: {nl}");
    }
    for it in &terms.agreement.signed.signatories {
        assert!(!it.name.is_empty() && !en.contains(&it.name) && !nl.contains(&it.name));
    }
}

/// The worked case, with what its file leaves as a comment filled in.
fn whole() -> (Terms, String) {
    let text = include_str!("../../../config/examples/agreements/mechelen.toml")
        .replace("# max-rows = 5000  ", "max-rows = 5000  ")
        .replace("# listed-on = \"2020-12-18\"", "listed-on = \"2026-03-01\"")
        .replace("# informed = ", "informed = ")
        .replacen("# policy-reviewed-on = \"2020-06-01\"", "policy-reviewed-on = \"2026-04-02\"", 1)
        .replace("# policy-reviewed-on = \"2020-06-01\"", "policy-reviewed-on = \"2026-05-03\"")
        .replace("# incident-contact = \"...\"", "incident-contact = \"a.b@example.org\"")
        .replace("# measures = \"...\"", "measures = \"opleiding en sleutelbeheer\"")
        .replace("# monitoring = \"...\"", "monitoring = \"geheime bewaking\"")
        .replace("# access = \"...\"", "access = \"geheime toegang\"")
        .replace("# guarantees = \"...\"", "guarantees = \"ISO 27001, nagekeken\"")
        .replace("persons = [] ", "persons = [\"Iemand Anders\"] ");
    let terms = agreements::parse(Path::new("mechelen.toml"), &text).unwrap().0;
    (terms, text)
}

#[test]
fn each_key_that_the_agreement_fills_shows_except_who_and_where() {
    let (terms, text) = whole();
    let said = Body::Notice(Sort::Patch, notice("x", None, None));
    let lines = [line(1, Side::Municipality, BEFORE, None, said)];
    let html = page_of(&terms, &lines, 0, None, Lang::Nl);
    let html = html.replace("&#39;", "'").replace("&#38;", "&").replace("&#34;", "\"");
    // Persons, keys, and where machines are reached; words that stand for one of a few the page has in its own language.
    let silent = [
        "keys",
        "key.custodians",
        "key.channels.id",
        "key.channels.group",
        "key.channels.kind",
        "key.release",
        "drop-zone.host",
        "processors.hosts",
        "processors.for",
        "signed.representatives",
        "signed.signatories.name",
        "signed.signatories.party",
        "municipality.contact.persons",
        "security.agency.incident-contact",
        "security.municipality.incident-contact",
        "security.municipality.monitoring",
        "security.municipality.access",
        "security.municipality.breach-procedure",
        "basis.controller",
        "data.columns.kind",
        "retention.destroy",
        "file.keep-plaintext",
        "data.special-categories",
        "file.approval",
        "access.profiles.id",
    ];
    let mut all = Vec::new();
    leaves(&text.parse().unwrap(), "", &mut all);
    assert!(all.len() > 80, "{}", all.len());
    let quiet =
        |path: &str| silent.iter().any(|it| path == *it || path.starts_with(&format!("{it}.")));
    let missing: Vec<_> =
        all.iter().filter(|(path, it)| !quiet(path) && !html.contains(it)).collect();
    assert!(missing.is_empty(), "{missing:#?}");
    for said in [
        "verantwoordelijke voor het meedelen: Agentschap Integratie en Inburgering",
        "grootste aantal personen op een lijst: 5000",
        "zulke gegevens op de lijsten: nee",
        "wie vernietigt: twee personen",
        "procedure voor inbreuken: ja",
        "netwerk en systemen bewaakt: ja",
        "toegang aantoonbaar veilig: ja",
        "AVG 2020-12-01, privacy 2020-12-01, andere regels 2020-12-01",
        "kanaal van SMS-A (voorbeeld): SMS",
        "verwerkersovereenkomst van 2020-12-01; waarborgen: ISO 27001, nagekeken",
        "aanspreekpunt: contactpersonen, gekend door de andere partij",
        "aanspreekpunt voor incidenten: ja",
        "(streefdoel van het product: 1 uur)",
        "alarm na: 24 uur (standaard van het product)",
        "de naam staat er niet",
        "herzien, zegt de overeenkomst</td><td class=\"when\">2026-05-03",
        "lijst nagekeken, zegt de overeenkomst</td><td class=\"when\">2026-03-01",
    ] {
        assert!(html.contains(said), "{said}: {html}");
    }
    for secret in ["geheime", "Iemand Anders", "a.b@example.org", "sluiskom.example:8443"] {
        assert!(!html.contains(secret), "{secret}");
    }
}

/// Every text and day of a file, by its path.
fn leaves(value: &toml::Table, path: &str, all: &mut Vec<(String, String)>) {
    fn go(value: &toml::Value, path: &str, all: &mut Vec<(String, String)>) {
        match value {
            toml::Value::Table(table) => leaves(table, path, all),
            toml::Value::Array(each) => each.iter().for_each(|it| go(it, path, all)),
            toml::Value::String(text) => all.push((path.to_owned(), text.clone())),
            other => all.push((path.to_owned(), other.to_string())),
        }
    }
    for (key, value) in value {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        go(value, &path, all);
    }
}

#[test]
fn what_was_to_be_done_and_was_not_is_told_at_its_article_and_not_like_what_did_not_arise() {
    let (terms, _) = whole();
    let said = Body::Notice(Sort::Patch, notice("x", None, None));
    let year = |year: i16, at: Time| {
        let lines = [line(1, Side::Municipality, at, None, said.clone())];
        page_of(&terms, &lines, 0, Some(year), Lang::Nl)
    };
    let (first, next) = (year(2026, BEFORE), year(2027, BEFORE.plus_ms(360 * DAY)));
    let missed =
        |day: &str| format!("<span class=\"late\">niet gedaan; te laat sinds {day}</span>");
    // Looked through in 2026, as the agreement says; a year later by nobody.
    for day in ["2027-03-02", "2027-04-03", "2027-05-04"] {
        assert!(!first.contains(&missed(day)), "{day}");
        assert!(next.contains(&missed(day)), "{day}: {next}");
    }
    assert!(first.contains("lijst nagekeken, zegt") && !next.contains("lijst nagekeken, zegt"));
    assert!(first.contains("herzien, zegt") && !next.contains("herzien, zegt"));
    // The attestation was never made.
    assert!(first.contains(&missed("2021-12-19")), "{first}");
    let row = |html: &str, of: &str| {
        html.lines().filter(|row| row.contains(of)).map(str::to_owned).collect::<String>()
    };
    let quiet = "niets gemeld in deze periode";
    assert!(row(&next, "Doorgifte aan anderen").contains(quiet));
    assert!(!row(&next, "worden elk jaar herzien").contains(quiet));
}

#[test]
fn a_target_is_the_products_where_the_agreement_has_none_of_its_own() {
    let (mut terms, _) = whole();
    let lines = [line(1, Side::Agency, BEFORE, Some(TransferId::random()), sent())];
    let shown = |terms: &Terms, lang| page_of(terms, &lines, 0, None, lang);
    assert!(shown(&terms, Lang::En).contains("target of the product: 1 h"));
    terms.agreement.targets.removal_target_hours = 4;
    terms.agreement.targets.alarm_after_hours = 30;
    let (nl, en) = (shown(&terms, Lang::Nl), shown(&terms, Lang::En));
    assert!(
        nl.contains("streefdoel van deze overeenkomst: 4 uur") && nl.contains("alarm na: 30 uur<")
    );
    assert!(en.contains("target of this agreement: 4 h") && !en.contains("target of the product"));
}

/// Its clock was met by the letter, in the year before; the year in which it was entered tells of it.
#[test]
fn a_letter_that_is_entered_after_new_year_is_late_in_the_year_of_its_entry() {
    let received = Some(BEFORE.plus_ms(2 * DAY).date());
    let found = Notice { received, ..notice("een lek", None, Some(BEFORE)) };
    let lines = [
        line(
            1,
            Side::Municipality,
            BEFORE,
            None,
            Body::Notice(Sort::Request, notice("x", None, None)),
        ),
        line(
            1,
            Side::Agency,
            BEFORE.plus_ms(8 * DAY),
            None,
            Body::Notice(Sort::IncidentReport, found),
        ),
    ];
    let html = page(&lines, 1, Some(2027), Lang::En);
    assert!(html.contains("een lek <span class=\"late\">late</span>"), "{html}");
    assert!(html.contains("met, late (1 d 11 h"), "{html}");
}

#[test]
fn a_breach_stands_at_the_article_that_asks_its_party_to_tell_of_it() {
    let (agency, municipality) = (Side::Agency, Side::Municipality);
    let report = |text| Body::Notice(Sort::IncidentReport, notice(text, None, Some(BEFORE)));
    let ours = line(1, agency, BEFORE, None, report("bij ons"));
    let update =
        Body::Notice(Sort::IncidentUpdate, notice("samen bekeken", Some(ours.digest), None));
    let lines = [
        ours,
        line(1, municipality, BEFORE, None, report("bij de gemeente")),
        line(2, municipality, BEFORE, None, update),
    ];
    let html = page(&lines, 0, None, Lang::Nl);
    let part = |from: &str, to: &str| {
        html.split_once(from).and_then(|(_, rest)| rest.split_once(to)).unwrap().0.to_owned()
    };
    let (sixth, ninth) = (part("<h3>art. 6", "<h3>art. 7"), part("<h3>art. 9", "<h3>art. 10"));
    assert!(sixth.contains("bij de gemeente") && !sixth.contains("bij ons"), "{sixth}");
    assert!(!sixth.contains("samen bekeken"), "{sixth}");
    assert!(ninth.contains("bij ons") && ninth.contains("samen bekeken"), "{ninth}");
    assert!(ninth.contains("24 uur: standaard van het product"), "{ninth}");
}

#[test]
fn what_machines_say_is_told_in_words() {
    let id = Some(TransferId::random());
    let none = Digest::none();
    let share = |index, outcome: &str| sluis_core::statement::Shipped {
        index,
        channel: "sms-a".into(),
        driver: "http".into(),
        outcome: outcome.into(),
        message: None,
    };
    let shares = vec![share(1, "accepted"), share(2, "rejected"), share(3, "unknown")];
    let released = Released { removed: none, probed: none, shares };
    let failed = sluis_core::statement::Failed { step: "carry".into(), code: "gone".into() };
    let agency = Side::Agency;
    let lines = [
        line(1, agency, BEFORE, id, sent()),
        line(2, agency, BEFORE, id, released.into()),
        line(3, agency, BEFORE, id, failed.into()),
    ];
    let (nl, en) = (page(&lines, 0, None, Lang::Nl), page(&lines, 0, None, Lang::En));
    assert!(
        nl.contains("vrijgegeven: 1 sms-a aanvaard, 2 sms-a geweigerd, 3 sms-a onbekend"),
        "{nl}"
    );
    assert!(en.contains("released: 1 sms-a accepted, 2 sms-a refused, 3 sms-a unknown"), "{en}");
    assert!(nl.contains("mislukt: bij het wegbrengen (code gone)"), "{nl}");
    assert!(nl.contains("sealer (verzegelt)") && en.contains("releaser (lets the shares go)"));
}
