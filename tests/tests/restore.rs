//! An older store that is put back, a ledger that was changed: neither is gone on with in silence.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sluis_core::agreement::Side::{Agency, Municipality};
use sluis_core::id::Digest;
use sluis_core::ledger::Entry;
use sluis_core::notice::{Notice, Sort};
use sluis_core::statement::{Body, Statement, Tip};
use sluis_tests::exposures::{in_folders, of_agency, twice};
use sluis_tests::insider::Insider;
use sluis_tests::older::{
    LIST, backup, copy, delivered, holds, is_held, left_since, open, put_back, store, write,
};
use sluis_tests::persons::did;
use sluis_tests::world::Plan;
use sluis_tests::{World, binary, stderr, stdout, tool, until};

/// Another Unix user than the one that runs the tests.
const SECOND: &str = "65534";

/// Two persons go on; one alone does not.
fn go_on(world: &World, host: &str) -> serde_json::Value {
    let one = until("the mailbox to be read to its end", || {
        let one = world.cli(host, &["restored", "mechelen"]);
        (!stderr(&one).contains("not read to its end")).then_some(one)
    });
    assert!(one.status.success() && stdout(&one).contains("second person"), "{}", stderr(&one));
    let same = world.cli(host, &["restored", "mechelen"]);
    assert_eq!(same.status.code(), Some(1), "one person is not two");
    let two = world.cli_as(SECOND, host, &["--json", "restored", "mechelen"]);
    assert!(two.status.success(), "{}", stderr(&two));
    let again = world.cli(host, &["restored", "mechelen"]);
    assert_eq!(again.status.code(), Some(1), "{}", stdout(&again));
    let last = did(world, host, "nobody").pop();
    assert_eq!(last.as_deref(), Some("restored"), "who confirmed it stands in the ledger");
    serde_json::from_slice(&two.stdout).unwrap()
}

/// Messages in all telephones.
fn messages(world: &World) -> usize {
    let phones = fs::read_dir(world.path("phones")).into_iter().flatten().flatten();
    phones.map(|phone| fs::read_dir(phone.path()).unwrap().count()).sum()
}

/// Both ledgers hold, and so does all that was said, by our verifier and by the script.
fn everything_holds(world: &World) {
    // An older store knows nothing of what arrived before: what it let go itself.
    assert_eq!(twice(&of_agency(world), &BTreeMap::new()), Vec::<String>::new());
    let mut trust = String::new();
    for host in ["agency", "municipality"] {
        let card = fs::read_to_string(world.path(&format!("{host}.card"))).unwrap();
        let of = |key: &str| {
            let line = card.lines().find(|line| line.starts_with(key)).unwrap();
            line.split('"').nth(1).unwrap().to_owned()
        };
        trust += &format!("{} {}\n", of("id"), of("statement"));
    }
    let trusted = world.path("trust");
    fs::write(&trusted, trust).unwrap();
    for host in ["agency", "municipality"] {
        holds(&world.cli(host, &["ledger", "verify"]));
        let to = world.path(&format!("evidence-{host}"));
        let _ = fs::remove_dir_all(&to);
        let (folder, trust) = (to.to_str().unwrap(), trusted.to_str().unwrap());
        holds(&world.cli(host, &["evidence", "export", "--agreement", "mechelen", "--to", folder]));
        holds(&world.cli(host, &["evidence", "verify", folder, "--trust", trust]));
        holds(&tool(Command::new("sh").arg(to.join("verify.sh")).args([folder, trust])));
    }
}

#[test]
fn an_older_store_of_the_agency_is_noticed_and_two_persons_go_on_from_what_the_other_has() {
    let mut world = World::running();
    let first = world.send("lijst-1.csv", LIST);
    world.wait("agency", &first, "Released");
    let shut = world.send("lijst-shut.csv", LIST);
    world.wait("agency", &shut, "Released");
    let kept = backup(&mut world, "sealer", "agency");
    open(&world, &first);
    world.wait("agency", &first, "Closed");
    let second = delivered(&world, "lijst-2.csv");
    let sent = messages(&world);

    put_back(&mut world, "sealer", "agency", &kept);
    is_held(&world, "agency");
    // Nothing leaves, nothing is taken, nothing is said.
    world.put("lijst-3.csv".as_ref(), LIST);
    let offered = world.path("own.csv");
    fs::write(&offered, LIST).unwrap();
    let refused = world.cli("agency", &["send", "mechelen", offered.to_str().unwrap()]);
    assert!(stderr(&refused).contains("an older store was put back"), "{}", stderr(&refused));
    let notice = ["security-info", "mechelen", "--text", "bericht"];
    assert_eq!(world.cli("agency", &notice).status.code(), Some(1));
    assert!(world.outbox().join("lijst-3.csv").exists());
    assert_eq!(messages(&world), sent, "no share leaves twice");

    let word = go_on(&world, "agency");
    assert_eq!(word["exposed"], 3, "each share of what was open then: {word}");
    // The word that the one was opened was heard, and counts; the other is sent again under another key.
    world.wait("agency", &first, "Closed");
    world.wait("agency", &shut, "Failed");
    world.wait("municipality", &shut, "Ended");
    assert_eq!(world.cli("agency", &["withdraw", &shut]).status.code(), Some(1), "it may be out");
    let anew = world.json("agency", &["redeliver", &shut])["code"].as_str().unwrap().to_owned();
    open(&world, &anew);
    assert!(!world.codes().contains(&second), "of what came after, this store knows nothing");
    until("the list that waited to go", || {
        let known = [&first, &shut, &anew];
        let rest = world.codes().into_iter().find(|code| !known.contains(&code));
        rest.inspect(|code| open(&world, code))
    });
    until("the municipality to hear that it goes on", || {
        let ledger = stdout(&world.cli("municipality", &["ledger", "export"]));
        (ledger.contains("\"kind\":\"restored\"") && ledger.contains("\"kind\":\"closed\""))
            .then_some(())
    });
    everything_holds(&world);
}

#[test]
fn a_share_that_left_does_not_leave_again_from_a_store_that_does_not_know_it() {
    let mut world = World::running();
    let (code, kept) = left_since(&mut world);
    let sent = in_folders(&world);
    assert_eq!(sent.len(), 3);
    put_back(&mut world, "sealer", "agency", &kept);
    world.start("carrier");
    world.wait("agency", &code, "Released");
    assert_eq!(in_folders(&world), sent, "none was written again");
    let note = world.row("agency", &code).unwrap()["note"]["message"].as_str().unwrap().to_owned();
    assert_eq!(note.matches("unknown").count(), 3, "{note}");
    assert_eq!(world.cli("agency", &["withdraw", &code]).status.code(), Some(1), "they are out");
    open(&world, &code);
    world.wait("agency", &code, "Closed");
    everything_holds(&world);
}

/// What lies beside the bundle says more than the store: no end is said as if nothing had left.
#[test]
fn nobody_withdraws_from_an_older_store_what_left_since() {
    let mut world = World::running();
    let (code, kept) = left_since(&mut world);
    world.stop("releaser");
    put_back(&mut world, "sealer", "agency", &kept);
    // Who says that it is no older one is wrong.
    holds(&world.two_persons("agency", &["restored", "mechelen", "--unheard"]));
    let told = world.cli("agency", &["withdraw", &code]);
    assert_eq!(told.status.code(), Some(1), "{}", stdout(&told));
    assert!(stderr(&told).contains("an older one was put back"), "{}", stderr(&told));
    assert_eq!(world.row("agency", &code).unwrap()["state"], "Failed");
    assert_eq!(world.cli("agency", &["withdraw", &code]).status.code(), Some(1), "they are out");
    for role in ["carrier", "releaser"] {
        world.start(role);
    }
    until("the municipality to hear it", || {
        let said = world.statements("municipality", &code);
        assert!(!said.iter().any(|kind| kind == "withdrawn"), "{said:?}");
        said.iter().any(|kind| kind == "failed").then_some(())
    });
}

#[test]
fn what_an_older_store_does_not_know_goes_back_to_its_owner_and_never_out_by_itself() {
    let mut world = World::running();
    delivered(&world, "lijst-0.csv");
    let kept = backup(&mut world, "sealer", "agency");
    world.stop("releaser");
    let lost = world.send("lijst.csv", LIST);
    world.wait("agency", &lost, "Releasing");
    put_back(&mut world, "sealer", "agency", &kept);
    is_held(&world, "agency");
    let private = world.path("agency/private/mechelen");
    assert_eq!(fs::read_dir(&private).unwrap().count(), 1, "it was sealed: it is not offered anew");
    assert!(!world.outbox().join("lijst.csv").exists());

    go_on(&world, "agency");
    let back = world.outbox().join("lijst.csv.rejected");
    assert_eq!(fs::read(&back).unwrap(), LIST);
    world.status_says("mechelen", "an older store was put back");
    for folder in ["spool", "bundles", "private/mechelen"] {
        let left = fs::read_dir(world.path("agency").join(folder)).unwrap().count();
        assert_eq!(left, 0, "{folder}");
    }
    // The municipality is told, and no share of it ever leaves.
    world.wait("municipality", &lost, "Ended");
    world.start("releaser");
    let next = delivered(&world, "lijst-2.csv");
    assert!(world.lines(&lost).is_empty() && next != lost);
    everything_holds(&world);
}

/// The backup is from before the second person let the list go: the store knows it, and not that it was sealed.
#[test]
fn what_an_older_store_knows_as_waiting_for_a_person_has_failed_where_it_was_sealed_since() {
    let mut plan = Plan::default();
    plan.agreement = plan.agreement.replace("[file]\n", "[file]\napproval = \"second-person\"\n");
    let mut world = World::running_as(&plan);
    let code = world.send("lijst.csv", LIST);
    world.wait("agency", &code, "Admitted");
    let kept = backup(&mut world, "sealer", "agency");
    let approved = world.cli_as(SECOND, "agency", &["approve", &code]);
    assert!(approved.status.success(), "{}", stderr(&approved));
    world.wait("agency", &code, "Released");
    put_back(&mut world, "sealer", "agency", &kept);
    is_held(&world, "agency");
    let word = go_on(&world, "agency");
    assert_eq!(word["exposed"], 3, "each share may be out: {word}");
    world.wait("municipality", &code, "Ended");
    let back = world.outbox().join("lijst.csv.rejected");
    until("the list to be back with its owner", || back.exists().then_some(()));
    for folder in ["spool", "bundles", "private/mechelen"] {
        let folder = world.path("agency").join(folder);
        until(&format!("{} to be empty", folder.display()), || {
            (fs::read_dir(&folder).unwrap().count() == 0).then_some(())
        });
    }
    everything_holds(&world);
}

#[test]
fn an_older_store_of_the_municipality_keeps_what_its_vault_holds_open() {
    let mut world = World::running();
    let first = world.send("lijst-1.csv", LIST);
    world.wait("municipality", &first, "Removed");
    let kept = backup(&mut world, "keeper", "municipality");
    open(&world, &first);
    world.wait("agency", &first, "Closed");
    let second = delivered(&world, "lijst-2.csv");
    let opened = world.vault(&first).join("opened/lijst-1.csv");
    assert!(opened.exists());

    put_back(&mut world, "keeper", "municipality", &kept);
    is_held(&world, "municipality");
    // For its books it is shut, and so it is, but it is not lost.
    assert!(!opened.exists());
    let refused =
        world.cli_with("municipality", &["open", &first], &world.lines(&first).join("\n"));
    assert!(stderr(&refused).contains("an older store was put back"), "{}", stderr(&refused));

    go_on(&world, "municipality");
    for (code, name) in [(&first, "lijst-1.csv"), (&second, "lijst-2.csv")] {
        world.wait("municipality", code, "Opened");
        let file = world.vault(code).join("opened").join(name);
        assert_eq!(fs::read(file).unwrap(), LIST);
        holds(&world.cli("municipality", &["take", code]));
    }
    delivered(&world, "lijst-3.csv");
    everything_holds(&world);
}

#[test]
fn a_party_that_contradicts_itself_is_told_and_goes_on_when_two_persons_say_so() {
    let mut world = World::running();
    let first = delivered(&world, "lijst-1.csv");
    let kept = backup(&mut world, "sealer", "agency");
    let say = |world: &World, text: &str| {
        holds(&world.cli("agency", &["security-info", "mechelen", "--text", text]));
    };
    let heard = |world: &World, text: &str| {
        until(&format!("{text} to be heard"), || {
            stdout(&world.cli("municipality", &["--json", "notices"])).contains(text).then_some(())
        });
    };
    say(&world, "een");
    heard(&world, "een");
    // The drop zone has none of its letters any more, and the municipality has said nothing since.
    world.stop("carrier");
    world.stop("fetcher");
    world.stop("dropzone");
    let letters = world.path("dropzone/medium/mechelen/mailbox");
    for letter in fs::read_dir(&letters).unwrap().flatten() {
        fs::remove_dir_all(letter.path()).unwrap();
    }
    put_back(&mut world, "sealer", "agency", &kept);
    world.start("dropzone");
    world.start("carrier");
    say(&world, "anders");
    say(&world, "en nog iets");
    // Letters are named by their number.
    let said = stdout(&world.cli("agency", &["ledger", "export"]));
    let last = said.matches("\"issuer\":\"agentschap-ii\"").count();
    until("the letters to be brought", || {
        letters.join(format!("municipality/{last:020}")).exists().then_some(())
    });
    world.start("fetcher");
    is_held(&world, "agency");
    let notices = stdout(&world.cli("municipality", &["notices"]));
    assert!(!notices.contains("anders") && !notices.contains("nog iets"), "{notices}");
    let entries = stdout(&world.cli("municipality", &["ledger", "export"]));
    assert_eq!(entries.matches("\"kind\":\"contradicted\",\"transfer\"").count(), 1, "told once");

    go_on(&world, "agency");
    say(&world, "weer samen");
    heard(&world, "weer samen");
    let next = delivered(&world, "lijst-2.csv");
    assert_ne!(first, next);
    everything_holds(&world);
}

/// The letters of both parties, and how far each was heard.
fn mailboxes(world: &World) -> Vec<PathBuf> {
    let all = fs::read_dir(world.path("dropzone/medium/mechelen/mailbox")).unwrap().flatten();
    all.map(|letters| letters.path()).collect()
}

#[test]
fn a_party_whose_store_is_older_than_all_letters_hears_them_again_and_goes_on() {
    let mut world = World::running();
    let before = backup(&mut world, "keeper", "municipality");
    let first = delivered(&world, "lijst-1.csv");
    let second = delivered(&world, "lijst-2.csv");
    // After thirty days the drop zone has none of what was read.
    for role in ["fetcher", "carrier", "dropzone"] {
        world.stop(role);
    }
    for letters in mailboxes(&world) {
        for letter in fs::read_dir(letters).unwrap().flatten() {
            if letter.file_name() != "seen" {
                fs::remove_file(letter.path()).unwrap();
            }
        }
    }
    put_back(&mut world, "keeper", "municipality", &before);
    for role in ["dropzone", "carrier", "fetcher"] {
        world.start(role);
    }
    is_held(&world, "municipality");
    // What is said from now on is no use to it, since what came before is missing.
    holds(&world.cli("agency", &["security-info", "mechelen", "--text", "te vroeg"]));
    until("the gap to be told", || world.log("fetcher").contains("has a gap").then_some(()));
    let refused = world.cli("municipality", &["say-again", "mechelen", "--from", "1"]);
    assert!(stderr(&refused).contains("an older store was put back"), "{}", stderr(&refused));
    let again = world.json("agency", &["say-again", "mechelen", "--from", "1"]);
    assert_eq!((&again["from"], &again["until"]), (&1.into(), &again["last"]), "{again}");
    until("all of it to be heard", || {
        let ledger = stdout(&world.cli("municipality", &["ledger", "export"]));
        let heard = ledger.matches("\"issuer\":\"agentschap-ii\"").count();
        (again["last"] == heard).then_some(())
    });
    go_on(&world, "municipality");
    for code in [&first, &second] {
        world.wait("municipality", code, "Opened");
    }
    delivered(&world, "lijst-3.csv");
    everything_holds(&world);
}

#[test]
fn an_older_store_lets_no_share_leave_where_the_drop_zone_keeps_back_what_would_show_it() {
    let mut world = World::running();
    delivered(&world, "lijst-1.csv");
    world.stop("releaser");
    let code = world.send("lijst-2.csv", LIST);
    world.wait("agency", &code, "Releasing");
    let kept = backup(&mut world, "sealer", "agency");
    world.start("releaser");
    open(&world, &code);
    world.wait("agency", &code, "Closed");
    let sent = in_folders(&world);
    // A drop zone that is made anew, or keeps back what it has; and the other party's gate does not run.
    for role in ["releaser", "fetcher", "carrier", "dropzone"] {
        world.stop(role);
    }
    mailboxes(&world).iter().for_each(|letters| fs::remove_dir_all(letters).unwrap());
    put_back(&mut world, "sealer", "agency", &kept);
    for role in ["dropzone", "carrier", "releaser"] {
        world.start(role);
    }
    until("the share to be asked for", || {
        let shown = world.json("agency", &["show", &code]);
        shown.to_string().contains("was not read to its end").then_some(())
    });
    assert_eq!(in_folders(&world), sent, "no share leaves twice");
    // The other party's gate tells how far it has heard: the store is known for what it is.
    world.start("fetcher");
    is_held(&world, "agency");
    assert_eq!(in_folders(&world), sent, "no share leaves twice");
}

/// Has SQLite change a store as whoever can write the file can.
fn tamper(store: &Path, sql: &str) {
    let change = "import sqlite3, sys\n\
        db = sqlite3.connect(sys.argv[1])\n\
        assert db.executescript(sys.argv[2]) and db.commit() is None";
    holds(&tool(Command::new("python3").args(["-c", change]).arg(store).arg(sql)));
}

/// What a store has: the lines of its ledger, and each statement with the number of its entry.
struct Books {
    lines: Vec<String>,
    kept: Vec<(u64, Statement)>,
}

impl Books {
    fn read(store: &Path) -> Self {
        let look = "import sqlite3, sys, json\n\
            db = sqlite3.connect(sys.argv[1])\n\
            lines = [row[0] for row in db.execute('SELECT line FROM ledger ORDER BY number')]\n\
            kept = db.execute('SELECT entry, statement FROM statements ORDER BY entry').fetchall()\n\
            print(json.dumps([lines, kept]))";
        let rows = tool(Command::new("python3").args(["-c", look]).arg(store));
        holds(&rows);
        let (lines, kept): (_, Vec<(u64, String)>) = serde_json::from_slice(&rows.stdout).unwrap();
        let kept = kept.into_iter();
        let kept = kept.map(|(at, text)| (at, Statement::read(text.as_bytes()).unwrap()));
        Self { lines, kept: kept.collect() }
    }

    /// The entry of the first statement that is so.
    fn entered(&self, so: impl Fn(u64, &Statement) -> bool) -> u64 {
        self.kept.iter().find(|(at, statement)| so(*at, statement)).unwrap().0
    }

    /// The heads that the party's own statements name, in their order.
    fn heads(&self, party: &str) -> Vec<u64> {
        let own = self.kept.iter().filter(|(_, it)| it.header.issuer.as_str() == party);
        own.map(|(_, statement)| statement.header.ledger.number).collect()
    }

    /// One more entry behind the last, as whoever can write the file makes it.
    fn one_more(&self) -> String {
        let mut entry: Entry = serde_json::from_str(self.lines.last().unwrap()).unwrap();
        entry.previous = entry.tip().unwrap().digest;
        entry.number += 1;
        let (tip, line) = (entry.tip().unwrap(), entry.line().unwrap().replace('\'', "''"));
        let (number, digest) = (tip.number, tip.digest);
        format!("INSERT INTO ledger (number, digest, line) VALUES ({number}, '{digest}', '{line}')")
    }

    /// The same ledger with another time in one entry, put together anew: every entry after it follows.
    fn anew(&self, changed: u64) -> String {
        let mut sql = String::new();
        let mut tip = Tip::start();
        for line in &self.lines {
            let mut entry: Entry = serde_json::from_str(line).unwrap();
            entry.time.0 += i64::from(entry.number == changed);
            entry.previous = tip.digest;
            tip = entry.tip().unwrap();
            let (number, digest, line) = (tip.number, tip.digest, entry.line().unwrap());
            let line = line.replace('\'', "''");
            sql += &format!(
                "UPDATE ledger SET line = '{line}', digest = '{digest}' WHERE number = {number};\n"
            );
        }
        sql
    }
}

#[test]
fn a_ledger_that_was_cut_rewritten_or_put_together_anew_is_refused_by_its_first_bad_entry() {
    let mut world = World::running();
    let code = delivered(&world, "lijst.csv");
    // One of two persons, of whom no statement tells.
    holds(&world.cli("agency", &["terminate", "mechelen", "--at-once", "--text", "een inbreuk"]));
    holds(&world.cli("municipality", &["destroy", &code]));
    world.stop("sealer");
    world.stop("keeper");
    let set = |what: &str, number: u64| {
        format!("UPDATE ledger SET line = replace(line, {what}) WHERE number = {number}")
    };
    for (host, role, party) in
        [("agency", "sealer", "agentschap-ii"), ("municipality", "keeper", "stad-mechelen")]
    {
        let store = store(&world, host);
        let good = copy(&store);
        let books = Books::read(&store);
        let heads = books.heads(party);
        let (first, last) = (heads[0], *heads.last().unwrap());
        let after_six = books.entered(|at, _| at > 6);
        let sent = books.entered(|_, it| it.body.kind() == "sent");
        // What was entered after the last word of its own.
        let end = u64::try_from(books.lines.len()).unwrap();
        let cut = format!("DELETE FROM ledger WHERE number = {end}");
        let added = books.one_more();
        let other_time = set("'\"time\":', '\"time\":1'", 3);
        let faults = [
            (other_time, "entry 4 does not follow from the entry before it".to_owned()),
            (set("'{', '{ '", 3), "line 3 is not a ledger entry in its one form".to_owned()),
            (
                "DELETE FROM ledger WHERE number = 4".to_owned(),
                "entry 4 is missing: line 4 is entry 5".to_owned(),
            ),
            (
                "DELETE FROM ledger WHERE number > 6".to_owned(),
                format!("entry {after_six} does not name the statement"),
            ),
            (
                "UPDATE statements SET statement = replace(statement, '\"size\":', '\"size\":1') WHERE kind = 'sent'".to_owned(),
                format!("entry {sent} does not name the statement"),
            ),
            // What was signed after another head shows it: the first such word after what was changed.
            (books.anew(1), format!("entry {first} is another one")),
            (books.anew(last), format!("entry {last} is another one")),
            // After the last own statement: what the commit that entered it signed.
            (books.anew(end), format!("entry {end} is not as it was when the end")),
            (cut, format!("entry {end} is not as it was when the end")),
            (added, format!("entry {} is not as it was when the end", end + 1)),
            ("DELETE FROM tip".to_owned(), "entry 1 is not as it was when the end".to_owned()),
            (
                "UPDATE tip SET signatures = replace(signatures, 'A', 'B')".to_owned(),
                format!("entry {end} is not as it was when the end"),
            ),
        ];
        assert!(end > last + 1, "{end}: {heads:?}");
        assert!(first > 1 && last > first, "{heads:?}");
        for (sql, told) in faults {
            tamper(&store, &sql);
            let mut command = Command::new("timeout");
            command
                .arg("60")
                .arg(binary("sluisd"))
                .args([role, "--config"])
                .arg(world.path(host).join("sluis.toml"));
            let refused = command.output().unwrap();
            let why = stderr(&refused);
            assert_eq!(refused.status.code(), Some(70), "{role} {told}: {why}");
            let is_told = why.contains("the ledger does not hold") && why.contains(&told);
            assert!(is_told, "{role}: {told:?} is not in {why}");
            write(&store, &good);
        }
        world.start(role);
    }
}

/// What a core enters follows what it entered last: nobody puts anything between, or takes it away, and has it signed.
#[test]
fn a_ledger_that_is_cut_while_its_core_runs_is_gone_on_with_by_nobody() {
    let mut world = World::running();
    delivered(&world, "lijst.csv");
    let end = ["terminate", "mechelen", "--at-once", "--text", "een inbreuk"];
    holds(&world.cli("agency", &end));
    let store = store(&world, "agency");
    tamper(&store, "DELETE FROM ledger WHERE number = (SELECT MAX(number) FROM ledger)");
    let refused = world.cli("agency", &["security-info", "mechelen", "--text", "gezien"]);
    assert!(stderr(&refused).contains("somebody else wrote into it"), "{}", stderr(&refused));
    world.stop("sealer");
    let mut again = world.command("sealer");
    let refused = again.output().unwrap();
    assert_eq!(refused.status.code(), Some(70), "{}", stderr(&refused));
    assert!(stderr(&refused).contains("is not as it was when the end"), "{}", stderr(&refused));
}

/// Whether the agency's store is held.
fn held(world: &World) -> bool {
    stdout(&world.cli("agency", &["health"])).contains("an older store was put back")
}

/// How often the agency's ledger has a decision of this kind.
fn decided(world: &World, kind: &str) -> usize {
    let ledger = stdout(&world.cli("agency", &["ledger", "export"]));
    ledger.matches(&format!("\"kind\":\"{kind}\",\"transfer\"")).count()
}

fn says(world: &World, host: &str, text: &str) {
    holds(&world.cli(host, &["security-info", "mechelen", "--text", text]));
}

fn hears(world: &World, host: &str, text: &str) {
    until(&format!("{text} to be heard"), || {
        stdout(&world.cli(host, &["--json", "notices"])).contains(text).then_some(())
    });
}

#[test]
fn a_word_that_cannot_be_or_is_an_old_one_holds_nothing_and_is_told_once_a_day() {
    let world = World::running();
    says(&world, "municipality", "een");
    hears(&world, "agency", "een");
    let insider = Insider::of(&world, Municipality);
    let heard = insider.last(Municipality);
    // Of before what was heard, and beside it.
    let other = Tip { digest: Digest::of(b"another"), ..heard };
    for said in [Tip::start(), other] {
        insider.shows(&insider.has_seen(said, 9));
        assert!(!held(&world), "{said:?}");
    }
    // More than a store can have lost, three times; and the same in a statement, which is taken.
    for number in [5_000_000, 5_000_000, u64::MAX] {
        insider.shows(&insider.has_seen(heard, number));
        assert!(!held(&world), "{number}");
    }
    let told = "A signed word of yours names a statement";
    hears(&world, "municipality", told);
    says(&world, "agency", "het gaat door");
    let seen = Tip { number: 5_000_000, digest: Digest::of(b"x") };
    let body = Body::Notice(Sort::SecurityInfo, Notice::of("verklaard"));
    insider.brings(&insider.says(heard, seen, None, body));
    hears(&world, "agency", "verklaard");
    assert!(!held(&world));
    assert_eq!(decided(&world, "not-plausible"), 1);
    let notices = stdout(&world.cli("agency", &["--json", "notices"]));
    assert_eq!(notices.matches(told).count(), 1, "{notices}");
}

#[test]
fn two_persons_refuse_a_word_that_is_not_true_and_what_was_said_meanwhile_takes_effect() {
    let world = World::running();
    let code = world.send("lijst.csv", LIST);
    world.wait("agency", &code, "Released");
    let insider = Insider::of(&world, Municipality);
    let word = insider.has_seen(insider.last(Municipality), insider.last(Agency).number + 2);
    insider.shows(&word);
    is_held(&world, "agency");
    // What is honest, and fits, is heard, and waits.
    says(&world, "municipality", "eerlijk");
    open_meanwhile(&world, &code);
    let refuse = ["restored", "mechelen", "--refuse", "hier werd niets teruggezet"];
    let one = world.cli("agency", &refuse);
    assert!(one.status.success() && stdout(&one).contains("second person"), "{}", stderr(&one));
    assert!(stdout(&one).contains(&word.digest().to_string()), "{}", stdout(&one));
    assert_eq!(world.cli("agency", &refuse).status.code(), Some(1), "one person is not two");
    let other =
        world.cli_as(SECOND, "agency", &["restored", "mechelen", "--refuse", "iets anders"]);
    assert!(stdout(&other).contains("second person") && held(&world), "the same reason");
    let two = world.cli_as(SECOND, "agency", &[&["--json"], &refuse[..]].concat());
    assert!(two.status.success(), "{}", stderr(&two));
    let two: serde_json::Value = serde_json::from_slice(&two.stdout).unwrap();
    assert_eq!(two["word"]["signature"], word.signature.as_str(), "{two}");
    // It goes on, nothing of it counts as lost, and both have in their books what was refused and why.
    world.wait("agency", &code, "Closed");
    hears(&world, "agency", "eerlijk");
    hears(&world, "municipality", "hier werd niets teruggezet");
    hears(&world, "municipality", &word.digest().to_string());
    assert_eq!((decided(&world, "set-back-refused"), decided(&world, "restored")), (1, 0));
    // That word holds nothing more; another one does.
    insider.shows(&word);
    assert!(!held(&world));
    let last = insider.last(Municipality);
    insider.shows(&insider.has_seen(last, insider.last(Agency).number + 3));
    assert!(held(&world));
    let again = world.cli("agency", &refuse);
    assert!(stdout(&again).contains("second person"), "another word is refused by itself");
    everything_holds(&world);
}

/// The municipality opens it while the agency is held, which hears of it later.
fn open_meanwhile(world: &World, code: &str) {
    let opened = world.cli_with("municipality", &["open", code], &world.lines(code).join("\n"));
    holds(&opened);
    until("the agency to have heard it", || {
        let ledger = stdout(&world.cli("agency", &["ledger", "export"]));
        ledger.contains("\"kind\":\"opened\"").then_some(())
    });
    assert_eq!(world.row("agency", code).unwrap()["state"], "Released", "it waits");
}

#[test]
fn letters_that_fork_are_contradicted_once_a_number_and_few_times_a_day() {
    let mut world = World::running();
    for text in ["een", "twee", "drie", "vier", "vijf", "zes", "zeven", "acht", "negen", "tien"] {
        says(&world, "agency", text);
    }
    says(&world, "agency", "elf");
    says(&world, "agency", "twaalf");
    hears(&world, "municipality", "twaalf");
    for role in ["carrier", "sealer", "fetcher"] {
        world.stop(role);
    }
    let insider = Insider::of(&world, Agency);
    let heard = insider.heard(Agency);
    let fork = |number: usize, text: &str| {
        let before = number.checked_sub(2).map_or(Tip::start(), |place| heard[place]);
        let body = Body::Notice(Sort::SecurityInfo, Notice::of(text));
        insider.says(before, Tip::start(), None, body)
    };
    let contradicted = || {
        let ledger = stdout(&world.cli("municipality", &["ledger", "export"]));
        ledger.matches("\"kind\":\"contradicted\",\"transfer\"").count()
    };
    for _ in 0..3 {
        for (number, text) in [(1, "a"), (2, "b"), (1, "c")] {
            insider.brings(&fork(number, text));
        }
    }
    assert_eq!(contradicted(), 2, "once for each number, whatever came");
    for number in 1..=heard.len() {
        insider.brings(&fork(number, "d"));
    }
    assert_eq!((heard.len(), contradicted()), (12, 10), "no more in a day");
}
