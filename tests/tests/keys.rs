//! Keys that are changed while transfers are under way, lost, or stolen: through the programs, as operators do it.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use data_encoding::BASE64;
use sluis_core::id::Digest;
use sluis_core::mailbox;
use sluis_core::statement::{Header, NAMESPACE, Ready, Signed, Signer, Statement};
use sluis_tests::stock::Client;
use sluis_tests::world::{Plan, ROLES, somewhere};
use sluis_tests::{World, stderr, stdout, tool, until};

/// Somebody who is not who installs agreements here.
const HOSTS: [&str; 3] = ["dropzone", "agency", "municipality"];

fn succeeds(output: &Output) -> String {
    assert!(output.status.success(), "{}", stderr(output));
    stdout(output)
}

fn refuses(output: &Output, expected: &str) {
    assert_eq!(output.status.code(), Some(1), "{}", stderr(output));
    assert!(stderr(output).contains(expected), "{}", stderr(output));
}

/// Words of a command line.
fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

/// New keys at a host, its card, and the roles that read them.
fn renewed(world: &mut World, host: &'static str, which: &str) -> String {
    succeeds(&world.cli(host, &words(&format!("key renew {which}"))));
    restart(world, host);
    let card = world.path(&format!("{host}.new.card"));
    fs::write(&card, world.cli(host, &["identity"]).stdout).unwrap();
    card.to_str().unwrap().to_owned()
}

/// As an operator does after a change: the releaser first.
fn restart(world: &mut World, host: &'static str) {
    let mut roles: Vec<_> = ROLES.iter().filter(|(_, of)| *of == host).map(|(it, _)| *it).collect();
    roles.retain(|role| !world.ended(role));
    roles.sort_by_key(|role| *role != "releaser");
    for role in &roles {
        assert!(world.stop(role).success(), "{role}: {}", world.log(role));
    }
    roles.iter().for_each(|role| world.start(role));
}

/// Writes a version with these changes at the agency, and installs it everywhere.
fn rekey(world: &mut World, changes: &str, out: &str) {
    let file = world.path(out).to_str().unwrap().to_owned();
    let line = format!("agreement rekey mechelen {changes} --out {file}");
    succeeds(&world.cli("agency", &words(&line)));
    for host in HOSTS {
        succeeds(&world.cli(host, &["agreement", "add", &file]));
        restart(world, host);
    }
}

fn approve(world: &World, host: &str, more: &[&str]) -> Output {
    let line = [&["agreement", "approve", "mechelen"], more].concat();
    world.two_persons(host, &line)
}

/// How much a party has said, as it knows itself.
fn last(world: &World, host: &str, issuer: &str) -> u64 {
    let to = world.path("last");
    let _ = fs::remove_dir_all(&to);
    let to_text = to.to_str().unwrap();
    let export = ["evidence", "export", "--agreement", "mechelen", "--to", to_text];
    succeeds(&world.cli(host, &export));
    let list = fs::read_to_string(to.join("ledger/list")).unwrap();
    let of =
        |line: &str| line.split_once(&format!("-{issuer}-"))?.1.split('-').next()?.parse().ok();
    list.lines().filter_map(of).max().unwrap()
}

fn open(world: &World, code: &str, content: &[u8]) {
    world.wait("agency", code, "Released");
    let lines = world.lines(code);
    let typed = format!("{}\n{}\n", lines[0], lines[2]);
    succeeds(&world.cli_with("municipality", &["open", code], &typed));
    world.wait("municipality", code, "Opened");
    assert!(!somewhere(&world.vault(code), content).is_empty(), "{code}");
    world.wait("agency", code, "Closed");
}

/// The evidence of both hosts holds under the keys of all cards, by `sluis` and by the script, and by no fewer.
fn evidence_holds(world: &World, name: &str) {
    for host in ["agency", "municipality"] {
        let folder = world.path(&format!("{name}-{host}"));
        let at = folder.to_str().unwrap();
        let export = ["evidence", "export", "--agreement", "mechelen", "--to", at];
        succeeds(&world.cli(host, &export));
        let trust = world.path("trust");
        fs::copy(folder.join("allowed_signers"), &trust).unwrap();
        let verify = ["evidence", "verify", at, "--trust", trust.to_str().unwrap()];
        succeeds(&world.cli("dropzone", &verify));
        let mut script = Command::new("sh");
        let script = script.arg(folder.join("verify.sh")).arg(&folder).arg(&trust);
        assert_eq!(script.output().unwrap().status.code(), Some(0));
        let keys = fs::read_to_string(&trust).unwrap();
        for left_out in keys.lines() {
            let fewer: Vec<_> = keys.lines().filter(|line| *line != left_out).collect();
            fs::write(&trust, fewer.join("\n")).unwrap();
            assert_eq!(world.cli("dropzone", &verify).status.code(), Some(1), "{left_out}");
        }
    }
}

/// A new key signed where the ledger ends, and goes before any agreement names it.
#[test]
fn a_new_key_that_is_taken_back_locks_nobody_out() {
    let mut world = World::running();
    let code = world.send("lijst.csv", b"een lijst");
    world.wait("agency", &code, "Released");
    let credentials = world.path("agency/credentials");
    let kept: Vec<_> = fs::read_dir(&credentials)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect();
    renewed(&mut world, "agency", "statement");
    succeeds(&world.cli("agency", &["security-info", "mechelen", "--text", "gezien"]));
    kept.iter().for_each(|(path, bytes)| fs::write(path, bytes).unwrap());
    restart(&mut world, "agency");
    succeeds(&world.cli("agency", &["security-info", "mechelen", "--text", "weer gezien"]));
}

#[test]
fn all_keys_are_changed_while_transfers_are_under_way_and_none_is_lost() {
    let mut world = World::make(&Plan::default());
    ["dropzone", "sealer", "keeper", "carrier", "fetcher"]
        .iter()
        .for_each(|role| world.start(role));
    let before = world.path("before");
    // In as many states as there are: waiting for the releaser, for the fetcher, and for the carrier.
    let removed = world.send("removed.csv", b"the first list");
    world.wait("agency", &removed, "Releasing");
    assert!(world.stop("fetcher").success());
    let carried = world.send("carried.csv", b"the second list");
    world.wait("agency", &carried, "Carried");
    assert!(world.stop("carrier").success());
    let sealed = world.send("sealed.csv", b"the third list");
    world.wait("agency", &sealed, "Sealed");
    ["releaser", "carrier", "fetcher"].iter().for_each(|role| world.start(role));
    let mut lists = vec![(removed, "the first list"), (carried, "the second list")];
    lists.push((sealed, "the third list"));
    world.wait("agency", &lists[0].0, "Released");
    let export = ["evidence", "export", &lists[0].0, "--to", before.to_str().unwrap()];
    succeeds(&world.cli("agency", &export));

    // New keys everywhere; nothing uses them yet, and nothing stands still.
    let cards = HOSTS.map(|host| renewed(&mut world, host, ""));
    lists.push((world.send("between.csv", b"the fourth list"), "the fourth list"));
    // Until they are opened there is nothing more to say: the numbers below stay ahead of what is said.
    lists.iter().for_each(|(code, _)| world.wait("agency", code, "Released"));
    let from = |host, issuer| last(&world, host, issuer) + 3;
    let from = [from("agency", "agentschap-ii"), from("municipality", "stad-mechelen")];
    let cards: String = cards.iter().map(|card| format!(" --card {card}")).collect();
    let unnumbered = format!("agreement rekey mechelen {cards} --out {}", cards.len());
    refuses(&world.cli("agency", &words(&unnumbered)), "agentschap-ii has said");
    let changes = format!("{cards} --agency-from {} --municipality-from {}", from[0], from[1]);
    rekey(&mut world, &changes, "v2.toml");
    // One person alone changes nothing: not who installed it, and not at one party only.
    let approval = ["agreement", "approve", "mechelen"];
    succeeds(&world.cli("agency", &approval));
    refuses(&world.cli("agency", &approval), "a second person confirms");
    for host in ["agency", "municipality"] {
        succeeds(&approve(&world, host, &[]));
        restart(&mut world, host);
    }
    // What began before ends under it, across the number at which the keys change.
    for (code, content) in &lists {
        open(&world, code, content.as_bytes());
    }
    let after = world.send("after.csv", b"the fifth list");
    open(&world, &after, b"the fifth list");
    assert!(last(&world, "agency", "agentschap-ii") >= from[0], "the agency's new key has signed");
    assert!(last(&world, "municipality", "stad-mechelen") >= from[1]);
    evidence_holds(&world, "after");
    // What was exported before still verifies, with what was trusted then.
    let trust = before.join("allowed_signers");
    let verify =
        ["evidence", "verify", before.to_str().unwrap(), "--trust", trust.to_str().unwrap()];
    assert_eq!(world.cli("dropzone", &verify).status.code(), Some(3), "good, and not opened yet");
    // Without the old keys a core that has passed the number goes on; bundles and letters of now need them no more.
    for host in ["agency", "municipality"] {
        newest_statement_key(&world, host);
        let mailbox = world.path(host).join("credentials/mailbox-identity");
        let newest = fs::read_to_string(&mailbox).unwrap().lines().next().unwrap().to_owned();
        world.credential(host, "mailbox-identity", &newest);
        restart(&mut world, host);
    }
    let last = world.send("last.csv", b"the last list");
    open(&world, &last, b"the last list");
}

/// The first of the keys in a credential.
fn newest(text: &str) -> &str {
    text.split_inclusive("-----END OPENSSH PRIVATE KEY-----\n").next().unwrap()
}

fn newest_signer(credential: &Path) -> Signer {
    Signer::from_openssh(newest(&fs::read_to_string(credential).unwrap())).unwrap()
}

/// Takes all statement keys but the newest out of a host's credentials.
fn newest_statement_key(world: &World, host: &str) {
    let text = fs::read_to_string(world.path(host).join("credentials/statement-key")).unwrap();
    let newest = newest(&text);
    assert!(newest.len() < text.len(), "it held more than one");
    world.credential(host, "statement-key", newest);
}

#[test]
fn a_core_without_the_key_that_its_next_number_needs_does_not_start_and_says_why() {
    let mut world = World::running();
    let card = renewed(&mut world, "municipality", "statement");
    let number = last_or_none(&world) + 100;
    rekey(&mut world, &format!("--card {card} --municipality-from {number}"), "v2.toml");
    ["agency", "municipality"].iter().for_each(|host| _ = succeeds(&approve(&world, host, &[])));
    assert!(world.stop("keeper").success());
    newest_statement_key(&world, "municipality");
    let output = world.command("keeper").output().unwrap();
    assert_eq!(output.status.code(), Some(78), "{}", stderr(&output));
    assert!(stderr(&output).contains("put it back below the newest one"), "{}", stderr(&output));
}

fn last_or_none(world: &World) -> u64 {
    let code = world.send("lijst.csv", b"a list");
    world.wait("municipality", &code, "Removed");
    last(world, "municipality", "stad-mechelen")
}

#[test]
fn a_stolen_key_signs_nothing_more_and_is_let_in_nowhere() {
    let mut world = World::running();
    let code = world.send("lijst.csv", b"a list");
    world.wait("agency", &code, "Released");
    let credentials = world.path("municipality/credentials");
    // The thief has the whole host as it was, and the drop zone lets that certificate in.
    let (host, file) = (world.host.clone(), |name: &str| credentials.join(name));
    let stolen = world.path("stolen");
    fs::create_dir(&stolen).unwrap();
    for name in ["statement-key", "tls-key", "tls-certificate"] {
        fs::copy(file(name), stolen.join(name)).unwrap();
    }
    let thief = Client::with(&host, &stolen.join("tls-certificate"), &stolen.join("tls-key"));
    assert_eq!(thief.ask("GET", "/mechelen/mailbox?after=0&wait=0", &[]).status, 200);
    let said = last(&world, "agency", "stad-mechelen");

    let card = renewed(&mut world, "municipality", "");
    let changes = format!("--card {card} --municipality-from {} --stolen municipality", said + 1);
    rekey(&mut world, &changes, "v2.toml");
    succeeds(&world.cli("municipality", &["agreement", "approve", "mechelen"]));
    // Whoever installs a version alone has nobody heard who signs with its key.
    let unheard = "does not verify under the key of stad-mechelen";
    let refused = hears(&world, &newest_signer(&file("statement-key")));
    assert!(refused.contains(unheard), "{refused}");
    for host in ["agency", "municipality"] {
        succeeds(&approve(&world, host, &[]));
    }
    // Let in no longer, whatever it would say.
    let output = thief.request("GET", "/mechelen/mailbox?after=0&wait=0", &[]).output().unwrap();
    assert!(!output.status.success(), "the stolen certificate is still let in");
    // Were it let in, the core hears nothing that it signs from that number on.
    let refused = hears(&world, &newest_signer(&stolen.join("statement-key")));
    assert!(refused.contains(unheard), "{refused}");
    assert_eq!(last(&world, "agency", "stad-mechelen"), said);
    // What it signed before still counts, and the new key goes on from there.
    open(&world, &code, b"a list");
    assert!(last(&world, "agency", "stad-mechelen") > said);
    evidence_holds(&world, "stolen");
}

/// What the agency's core answers to the municipality's next statement, made and sealed by whoever has this key.
fn hears(world: &World, signer: &Signer) -> String {
    let letter = BASE64.encode(&next_letter(world, signer).1);
    let asked = format!("{{\"letters\":[{{\"number\":1,\"letter\":\"{letter}\"}}]}}");
    let mut curl = Command::new("curl");
    curl.args(["-s", "--max-time", "60", "-H", "content-type: application/json", "-d", &asked]);
    curl.arg("--unix-socket").arg(world.path("agency/run/sealer-carrier.sock"));
    stdout(&tool(curl.arg("http://core/feed/mechelen")))
}

/// The municipality's next statement by its number and as a letter, made and sealed by whoever has this key.
fn next_letter(world: &World, signer: &Signer) -> (u64, Vec<u8>) {
    let to = world.path("heard");
    let _ = fs::remove_dir_all(&to);
    let export = ["evidence", "export", "--agreement", "mechelen", "--to", to.to_str().unwrap()];
    succeeds(&world.cli("agency", &export));
    let files = fs::read_dir(&to).unwrap().flatten().map(|entry| entry.path());
    let said = files
        .filter(|path| path.extension().is_some_and(|it| it == "json"))
        .filter_map(|path| Statement::read(&fs::read(path).unwrap()).ok());
    let theirs = said.filter(|it| it.header.issuer.as_str() == "stad-mechelen");
    let newest = theirs.max_by_key(|it| it.header.number).unwrap();
    let bytes = newest.bytes().unwrap();
    let header =
        Header { number: newest.header.number + 1, previous: Digest::of(&bytes), ..newest.header };
    let body = Ready { removed: Digest::none() }.into();
    let bytes = Statement { header, body }.bytes().unwrap();
    let signature = signer.sign(NAMESPACE, &bytes).unwrap();
    let signed = Signed { statement: String::from_utf8(bytes).unwrap(), signature };
    let agreement = fs::read_to_string(world.path("agency/agreements/mechelen.toml")).unwrap();
    let agreement: toml::Table = agreement.parse().unwrap();
    let mailbox = agreement["keys"]["agency"]["mailbox"].as_str().unwrap();
    (newest.header.number + 1, mailbox::seal(&signed, mailbox).unwrap())
}

/// A party says something, and the other one hears it.
fn is_heard(world: &World, host: &str, text: &str) {
    succeeds(&world.cli(host, &["security-info", "mechelen", "--text", text]));
    let other = if host == "agency" { "municipality" } else { "agency" };
    until(&format!("{text} to be heard"), || {
        stdout(&world.cli(other, &["--json", "notices"])).contains(text).then_some(())
    });
}

#[test]
fn what_a_thief_said_under_the_owners_number_gives_way_to_the_owners_own_word() {
    let mut world = World::running();
    let code = world.send("lijst.csv", b"a list");
    world.wait("agency", &code, "Released");
    let credentials = world.path("municipality/credentials");
    let stolen = newest_signer(&credentials.join("statement-key"));
    let tls = ["tls-certificate", "tls-key"].map(|name| credentials.join(name));
    let thief = Client::with(&world.host.clone(), &tls[0], &tls[1]);
    // Nobody reads what the thief says before its key is taken back: it lies there unread under the owner's next number.
    assert!(world.stop("carrier").success());
    let (number, letter) = next_letter(&world, &stolen);
    let file = world.path("letter");
    fs::write(&file, letter).unwrap();
    let body = format!("@{}", file.display());
    let path = format!("/mechelen/mailbox/{number}");
    let put = thief.request("PUT", &path, &[]).args(["--data-binary", &body]).output().unwrap();
    assert!(put.status.success(), "{}", stderr(&put));
    assert!(
        world
            .path("dropzone/medium/mechelen/mailbox/agency")
            .join(format!("{number:020}"))
            .exists()
    );

    let card = renewed(&mut world, "municipality", "");
    let changes = format!("--card {card} --municipality-from {number} --stolen municipality");
    rekey(&mut world, &changes, "v2.toml");
    for host in ["agency", "municipality"] {
        succeeds(&approve(&world, host, &[]));
    }
    world.start("carrier");
    until("the thief's word to be refused", || {
        world.log("carrier").contains("does not verify under the key").then_some(())
    });
    is_heard(&world, "municipality", "van de eigenaar");
    open(&world, &code, b"a list");
    evidence_holds(&world, "thief");
}

#[test]
fn what_was_sealed_to_a_lost_mailbox_identity_is_said_again_to_the_new_one() {
    let mut world = World::running();
    is_heard(&world, "agency", "eerst");
    assert!(world.stop("fetcher").success());
    let said = last(&world, "agency", "agentschap-ii");
    let code = world.send("lijst.csv", b"a list");
    world.wait("agency", &code, "Carried");
    // Nobody has the key any more to the letters that lie there.
    let card = renewed(&mut world, "municipality", "mailbox");
    let credential = world.path("municipality/credentials/mailbox-identity");
    let newest = fs::read_to_string(&credential).unwrap().lines().next().unwrap().to_owned();
    world.credential("municipality", "mailbox-identity", &newest);
    rekey(&mut world, &format!("--card {card}"), "v2.toml");
    for host in ["agency", "municipality"] {
        succeeds(&approve(&world, host, &[]));
    }
    world.start("fetcher");
    until("the feed to stand still", || {
        world.log("fetcher").contains("the feed cannot be read").then_some(())
    });
    let (none, first) = (format!("{}", said + 50), format!("{}", said + 1));
    refuses(
        &world.cli("agency", &["say-again", "mechelen", "--from", &none]),
        &format!("there is no statement {none}"),
    );
    let again = succeeds(&world.cli("agency", &["say-again", "mechelen", "--from", &first]));
    assert!(again.contains(&format!("statements {first} to")), "{again}");
    open(&world, &code, b"a list");
    let entries = stdout(&world.cli("agency", &["ledger", "export"]));
    assert!(entries.contains("\"kind\":\"said-again\""), "{entries}");
    evidence_holds(&world, "identity");
}

#[test]
fn what_was_signed_already_is_taken_back_only_where_two_persons_say_that_a_key_was_stolen() {
    let mut world = World::running();
    let code = world.send("lijst.csv", b"a list");
    world.wait("agency", &code, "Released");
    let said = last(&world, "agency", "stad-mechelen");
    let card = renewed(&mut world, "municipality", "");
    // The last word, which was `removed`, is not believed.
    let changes = format!("--card {card} --municipality-from {said} --stolen municipality");
    let seen = world.path("dropzone/medium/mechelen/mailbox/agency/seen");
    let seen = || fs::read(&seen).ok();
    rekey(&mut world, &changes, "v2.toml");
    for host in ["agency", "municipality"] {
        refuses(&approve(&world, host, &[]), "would no longer");
        // Whether keys are lost is what two persons say, each of them.
        succeeds(&world.cli(host, &["agreement", "approve", "mechelen", "--stolen"]));
        succeeds(&approve(&world, host, &["--stolen"]));
        if host == "agency" {
            // How far it heard all this the municipality says under the key of before; under the new one it says so anew.
            let number = |host| last(&world, host, "agentschap-ii");
            let is_heard = || number("agency") == number("municipality");
            until("the agency's word to be heard", || is_heard().then_some(()));
            let before = seen();
            world.kill("fetcher");
            world.start("fetcher");
            until("how far it was heard", || (seen() != before).then_some(()));
        }
    }
    // What rested on it proves nothing any more; the list goes again under a new key, on the new one's word.
    let known = world.codes();
    restart(&mut world, "agency");
    world.has_heard("agency");
    succeeds(&world.cli("agency", &["redeliver", &code]));
    let again =
        until("the redelivery", || world.codes().into_iter().find(|code| !known.contains(code)));
    open(&world, &again, b"a list");
}

#[test]
fn a_lost_key_is_replaced_at_the_next_number() {
    let mut world = World::running();
    let code = world.send("lijst.csv", b"a list");
    world.wait("agency", &code, "Released");
    for host in ["agency", "municipality"] {
        let issuer = if host == "agency" { "agentschap-ii" } else { "stad-mechelen" };
        let from = last(&world, host, issuer) + 1;
        let card = renewed(&mut world, host, "statement tls");
        let changes = format!("--card {card} --{host}-from {from}");
        rekey(&mut world, &changes, &format!("{host}.toml"));
        // The old one is gone before anybody approves: the core starts, and says nothing until then.
        newest_statement_key(&world, host);
        restart(&mut world, host);
        for host in ["agency", "municipality"] {
            succeeds(&approve(&world, host, &[]));
        }
    }
    open(&world, &code, b"a list");
    evidence_holds(&world, "lost");
}
