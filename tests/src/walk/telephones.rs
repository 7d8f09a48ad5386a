//! Journeys to telephones: a second person lets each list go, custodians say that they are ready, operators report, and
//! persons are told by mail.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use serde_json::Value;

use super::{SECOND, closed_and_destroyed, code_of, ended, in_order, quiet, two_persons};
use crate::exposures::{Share, share};
use crate::faults::{Tended, entries, rows, says, state};
use crate::mail::MailServer;
use crate::provider::{Mood, Provider};
use crate::world::{Heard, Plan, ROLES, SAID, line_in, somewhere};
use crate::{World, tool};

/// The numbers of an, by turns.
const NUMBERS: [&str; 2] = ["+32470000000", "+32470000009"];

/// What stands beside the hosts.
#[derive(Debug)]
pub struct Beside {
    /// The provider of the first channel, and that of the last, which reports.
    providers: [Provider; 2],
    /// Where smsd would take messages from.
    smsd: PathBuf,
    heard: Heard,
    mail: MailServer,
}

pub(super) fn made() -> Tended {
    let providers = [Mood::Takes, Mood::Takes].map(Provider::new);
    let mut plan = Plan::default().over(&format!(
        "{}{}\n[releaser.channels.sms-b]\ndriver = \"smsd\"\noutgoing = \"../smsd\"\n",
        providers[0].channel("sms-a"),
        providers[1].channel("voice")
    ));
    plan.sealer += "number-cooling-off-hours = 0\n";
    plan.agreement = plan
        .agreement
        .replace("[file]\n", "[file]\napproval = \"second-person\"\n")
        .replace("\"until-opened\"", "\"until-sealed\"")
        .replace("release = \"after-removal\"", "release = \"when-ready\"");
    let world = World::make(&plan);
    let smsd = world.path("smsd");
    fs::create_dir(&smsd).unwrap();
    let heard = world.hears(
        &["voice"],
        "\n[reports.channels.voice]\nreference = { json = \"/ref\" }\nstate = { json = \"/status\" }\n\
         delivered = [\"delivered\"]\nfailed = [\"failed\"]\npending = [\"sent\"]\n",
    );
    let mut mail = MailServer::new();
    mail.start("wrapper", "right");
    mail.serves(&world, "agency", "");
    let roles: Vec<_> =
        ROLES.map(|(role, _)| role).into_iter().chain(["reports", "notifier"]).collect();
    let mut tended = Tended::over(world, &roles);
    tended.beside = Some(Arc::new(Beside { providers, smsd, heard, mail }));
    tended
}

fn beside(on: &Tended) -> Arc<Beside> {
    Arc::clone(on.beside.as_ref().unwrap())
}

impl Beside {
    /// Every message that came, by reference. Of two that were laid ready for smsd before it looked there is one file.
    fn all(&self) -> Vec<(String, String)> {
        let mut all = Vec::new();
        for body in self.providers.iter().flat_map(Provider::seen) {
            let body: Value = serde_json::from_str(&body).unwrap();
            let text = |key: &str| body[key].as_str().unwrap().to_owned();
            all.push((text("ref"), text("text")));
        }
        for file in fs::read_dir(&self.smsd).unwrap().flatten() {
            let name = file.file_name().to_string_lossy().into_owned();
            let whole = fs::read_to_string(file.path()).unwrap_or_default();
            if let Some((_, text)) = whole.split_once("\n\n").filter(|_| !name.starts_with('.')) {
                all.push((name, text.to_owned()));
            }
        }
        all
    }

    /// How often each share came.
    pub(super) fn arrived(&self) -> BTreeMap<Share, usize> {
        let mut found = BTreeMap::new();
        for (reference, _) in self.all() {
            *found.entry(share(&reference)).or_default() += 1;
        }
        found
    }
}

/// The messages with lines of a transfer, by reference; one that came twice is the same word for word.
fn messages(beside: &Beside, code: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for (reference, text) in beside.all().into_iter().filter(|(_, text)| text.contains(code)) {
        let before = found.insert(reference.clone(), text.clone());
        assert!(before.is_none_or(|before| before == text), "{reference} went out in other words");
    }
    found
}

/// Offers a list, and lets it go.
fn let_go(on: &mut Tended, name: &str, content: &[u8]) -> String {
    let code = on.offer(name, content);
    // It is kept until it is sealed.
    on.guarded = None;
    on.until(&format!("{code} to be let go"), |world| {
        let state = state(world, "agency", &code)?;
        if state == "Admitted" {
            let _ = world.cli_as(SECOND, "agency", &["approve", &code]);
        }
        (!["Claimed", "Admitted"].contains(&state.as_str())).then_some(())
    });
    code
}

/// Custodians are at their desks, and all three messages are out. Whatever nobody knows is sent again by a person.
fn out(on: &mut Tended, code: &str) {
    on.until(&format!("the shares of {code} to be out"), |world| {
        let state = state(world, "agency", code)?;
        if state == "Removed" {
            let _ = world.cli("municipality", &["ready", code]);
        }
        (state == "Released").then_some(())
    });
    in_order(on, code);
    each_has_one(on, code);
}

/// What nobody knows to have left goes again by itself, or by a person's word.
fn each_has_one(on: &mut Tended, code: &str) {
    let beside = beside(on);
    on.until(&format!("a message of {code} to each"), |world| {
        let is_whole = messages(&beside, code).len() == 3;
        if !is_whole {
            let _ = world.cli("agency", &["retry", code]);
        }
        is_whole.then_some(())
    });
}

/// Two custodians type, as two persons; and the rest.
fn typed_and_destroyed(on: &mut Tended, code: &str, content: &[u8]) {
    let typed: Vec<String> =
        messages(&beside(on), code).into_values().map(|text| line_in(&text)).collect();
    on.does("municipality", code, "Opened", |world| {
        let _ = world.cli_with("municipality", &["open", code], &typed[0]);
        let _ = world.cli_as_with(SECOND, "municipality", &["open", code], &typed[1]);
    });
    let said: Vec<_> = SAID.into_iter().chain(["ready"]).collect();
    closed_and_destroyed(on, code, content, &said);
}

pub(super) fn approved(on: &mut Tended, name: &str, content: &[u8]) {
    let code = let_go(on, name, content);
    out(on, &code);
    let sent: BTreeSet<String> = beside(on).providers[1].seen().into_iter().collect();
    let sent = sent.iter().find(|body| body.contains(&code)).unwrap();
    let reference =
        serde_json::from_str::<Value>(sent).unwrap()["ref"].as_str().unwrap().to_owned();
    let url = beside(on).heard.url("voice");
    on.until("a report to be entered", |world| {
        let body = format!("{{\"ref\":\"{reference}\",\"status\":\"delivered\"}}");
        let mut curl = Command::new("curl");
        curl.args(["-s", "-o", "/dev/null", "--max-time", "5", "-d", &body, &url]);
        let _ = tool(&mut curl);
        let shown = super::detail(world, "agency", &code)?["state"]["shares"].clone();
        shown.as_array()?.iter().any(|share| share["report"]["report"] == "delivered").then_some(())
    });
    typed_and_destroyed(on, &code, content);
}

pub(super) fn rejected(on: &mut Tended, name: &str, content: &[u8]) {
    let code = on.offer(name, content);
    on.reaches("agency", &code, &["Admitted"]);
    on.does("agency", &code, "Refused", |world| {
        let _ = world.cli_as(SECOND, "agency", &["reject", &code, "--reason", "de verkeerde"]);
    });
    let back = on.world.outbox().join(format!("{name}.rejected"));
    on.until("the list to lie in the outbox again", |_| back.exists().then_some(()));
    on.guarded = None;
    fs::remove_file(back).unwrap();
    quiet(on);
}

pub(super) fn changed(on: &mut Tended, name: &str, content: &[u8]) {
    let code = on.offer(name, content);
    on.reaches("agency", &code, &["Admitted"]);
    on.guarded = None;
    let held = on.until("the list that was admitted", |world| {
        somewhere(&world.path("agency/private"), content).into_iter().next()
    });
    let other = [content, b"85073003328;0;0\n"].concat();
    fs::write(&held, &other).unwrap();
    let known = on.until("the transfers", |world| rows(world, "agency"));
    let known: BTreeSet<String> = known.iter().map(code_of).collect();
    on.does("agency", &code, "Refused", |world| {
        let _ = world.cli_as(SECOND, "agency", &["approve", &code]);
    });
    // It lies in the outbox again, and is taken as the list that it is now.
    let again = on.until("the changed list to be taken again", |world| {
        let rows = rows(world, "agency")?;
        let fresh = |row: &&Value| row["state"] == "Admitted" && !known.contains(&code_of(row));
        rows.iter().find(fresh).map(code_of)
    });
    on.does("agency", &again, "Withdrawn", |world| {
        let _ = world.cli("agency", &["withdraw", &again]);
    });
    assert!(messages(&beside(on), &code).is_empty() && messages(&beside(on), &again).is_empty());
    ended(on, &again);
    quiet(on);
}

/// The first operator takes the message and hangs up: it goes again word for word, a bounded number of times.
pub(super) fn doubtful(on: &mut Tended, name: &str, content: &[u8]) {
    beside(on).providers[0].set(Mood::Hangs);
    let code = let_go(on, name, content);
    on.until("the share to be in doubt for good", |world| {
        if state(world, "agency", &code)? == "Removed" {
            let _ = world.cli("municipality", &["ready", &code]);
        }
        let unknown = entries(world, "agency", &code)?;
        (unknown.iter().filter(|it| *it == "exposing").count() >= 4).then_some(())
    });
    beside(on).providers[0].set(Mood::Takes);
    on.until("a person to send it again", |world| {
        let state = state(world, "agency", &code)?;
        if state != "Released" {
            let _ = world.cli("agency", &["retry", &code]);
        }
        (state == "Released").then_some(())
    });
    in_order(on, &code);
    each_has_one(on, &code);
    typed_and_destroyed(on, &code, content);
}

pub(super) fn number(on: &mut Tended, name: &str, content: &[u8]) {
    // Which number is used is only known once one was.
    let before = [b"eerst\n", content].concat();
    let first = let_go(on, &format!("eerst-{name}"), &before);
    out(on, &first);
    typed_and_destroyed(on, &first, &before);
    let contacts = on.world.path("agency/agreements/mechelen.contacts.toml");
    let text = fs::read_to_string(&contacts).unwrap();
    let numbers = text.split("[former]").next().unwrap();
    let numbers: Vec<_> = numbers.lines().filter(|line| !line.starts_with("call")).collect();
    let numbers = numbers.join("\n");
    let [old, new] = if numbers.contains(NUMBERS[0]) { NUMBERS } else { [NUMBERS[1], NUMBERS[0]] };
    let numbers = numbers.replace(old, new);
    let call = "call = \"02 555 00 00\"";
    fs::write(&contacts, format!("{call}\n{numbers}\n[former]\nan = \"{old}\"\n")).unwrap();
    on.restart("sealer");
    let code = let_go(on, name, content);
    let confirm = ["number", "confirm", "mechelen", "an"];
    let is_used = |world: &World| moved_on(world, &code, |_| false);
    on.until("the old number to be told", |world| {
        moved_on(world, &code, |note| note.contains("wo persons confirm it"))
    });
    two_persons(on, "agency", &confirm, is_used);
    out(on, &code);
    typed_and_destroyed(on, &code, content);
}

/// A list that is held is offered again and let go again, until it leaves or waits for this.
fn moved_on(world: &World, code: &str, waits: impl Fn(&str) -> bool) -> Option<()> {
    let row = rows(world, "agency")?.into_iter().find(|row| row["code"] == *code)?;
    match row["state"].as_str()? {
        "Held" if waits(row["note"]["message"].as_str()?) => return Some(()),
        "Held" => _ = world.cli("agency", &["retry", code]),
        "Admitted" => _ = world.cli_as(SECOND, "agency", &["approve", code]),
        "Claimed" | "Approved" => {}
        _ => return Some(()),
    }
    None
}

/// The municipality reports an incident, and somebody at the agency is told of it by mail.
pub(super) fn told(on: &mut Tended, at: usize) {
    let before = about_incidents(&beside(on));
    let text = format!("een poging, {at}");
    let heard = |world: &World, host: &str| {
        let notices = says(world, host, "notices", None)?;
        Some(notices.as_array()?.iter().any(|it| it.to_string().contains(&text)))
    };
    let found = "2026-01-05T10:00";
    on.until("an incident to be heard", |world| {
        if !heard(world, "municipality")? {
            let say = ["incident", "report", "mechelen", "--found", found, "--text", &text];
            let _ = world.cli("municipality", &say);
        }
        heard(world, "agency")?.then_some(())
    });
    let (beside_it, mut seen) = (beside(on), 0);
    on.until("a mail about it", |_| {
        // Its files alone: reading a mail starts a program.
        let came = crate::mail::count(&beside_it.mail.path(""));
        let is_new = came != std::mem::replace(&mut seen, came);
        (is_new && about_incidents(&beside_it).len() > before.len()).then_some(())
    });
    // A mail that came twice is the same one, by its number.
    let mails = beside(on).mail.mails();
    let numbers: BTreeSet<_> = mails.iter().map(|mail| mail.header("message-id")).collect();
    let about: BTreeSet<_> =
        mails.iter().map(|mail| (mail.header("message-id"), &mail.body)).collect();
    assert_eq!(numbers.len(), about.len(), "one number, one mail");
    quiet(on);
}

/// The numbers of the mails about incidents: others go out too, when a clock has run out.
fn about_incidents(beside: &Beside) -> BTreeSet<String> {
    let mails = beside.mail.mails();
    let about = mails.iter().filter(|mail| mail.header("subject").contains("incident"));
    about.map(|mail| mail.header("message-id").to_owned()).collect()
}
