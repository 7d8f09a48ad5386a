//! Folders of evidence that a party made up, and signed with its real key: neither verifier takes them for more than
//! what was said.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

use sluis_config::agreements;
use sluis_core::agreement::Side::{self, Agency, Municipality};
use sluis_core::evidence::Terms;
use sluis_core::export::{self, Listed};
use sluis_core::id::{Digest, Time, TransferId, UploadId};
use sluis_core::ledger::{self, Head, Part};
use sluis_core::notice::{Notice, Sort};
use sluis_core::statement::{
    self, Body, Delivered, Header, Look, Opened, Released, Removed, Sent, Signer, Statement, Tip,
    Withdrawn,
};
use sluis_tests::world::Plan;
use sluis_tests::{World, root, stderr, stdout, tool};

const GONE: Look = Look { head: 410, get: 410, control: 404 };

/// Both parties with their keys; nothing runs.
struct Forger {
    world: World,
    text: String,
    terms: Terms,
    transfer: TransferId,
    upload: UploadId,
}

/// Statements with their party, in the order of a list.
type Said = Vec<(Side, Statement)>;

impl Forger {
    fn new() -> Self {
        let world = World::make(&Plan::default());
        let path = world.path("agency/agreements/mechelen.toml");
        let text = fs::read_to_string(&path).unwrap();
        let (terms, _) = agreements::parse(&path, &text).unwrap();
        let forger =
            Self { text, terms, transfer: TransferId::random(), upload: UploadId::random(), world };
        fs::write(forger.world.path("trust"), export::signers(&forger.terms)).unwrap();
        forger
    }

    fn signer(&self, side: Side) -> Signer {
        let host = if side == Agency { "agency" } else { "municipality" };
        let path = self.world.path(host).join("credentials/statement-key");
        Signer::from_openssh(&fs::read_to_string(path).unwrap()).unwrap()
    }

    fn says(&self, side: Side, number: u64, previous: Digest, seen: Tip, body: Body) -> Statement {
        let party = |side| self.terms.agreement.party(side).id.clone();
        let about = !matches!(body, Body::Notice(..));
        let header = Header {
            agreement: self.terms.agreement.agreement.clone(),
            issuer: party(side),
            audience: party(side.other()),
            number,
            previous,
            seen,
            time: Time(1_795_449_600_000),
            terms: self.terms.digest,
            ledger: Tip::start(),
            transfer: about.then_some(self.transfer),
        };
        Statement { header, body }
    }

    fn sent(&self) -> Body {
        let plan = sluis_core::plan::check(&self.terms.agreement).unwrap();
        let commitments = plan.routes.iter().map(|_| Digest::of(b"share")).collect();
        Sent {
            code: "7K3F-9QX".parse().unwrap(),
            ciphertext: Digest::of(b"ciphertext"),
            size: 1,
            plaintext: Digest::of(b"plaintext"),
            threshold: plan.threshold,
            routes: plan.routes,
            commitments,
            contacts: Digest::none(),
            expires: Time(1_796_054_400_000),
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

    fn delivered(&self, sent: Digest) -> Body {
        let ciphertext = Digest::of(b"ciphertext");
        Delivered { sent, ciphertext, size: 1, upload: self.upload }.into()
    }

    fn removed(&self, sent: Digest, delivered: Digest) -> Body {
        Removed {
            sent,
            delivered,
            ciphertext: Digest::of(b"ciphertext"),
            upload: self.upload,
            host: self.terms.agreement.drop_zone.host.to_string(),
            done: "terminated".into(),
            seen: GONE,
            unknown: Vec::new(),
        }
        .into()
    }

    fn opened(&self, sent: Digest) -> Body {
        let Body::Sent(said) = self.sent() else { panic!("sent") };
        let shares = (1..=said.threshold).collect();
        Opened { sent, plaintext: said.plaintext, shares }.into()
    }

    /// A whole journey; each statement by the party that `by` gives its kind, in that party's numbers.
    fn journey(&self, by: impl Fn(&str) -> Side) -> Said {
        let mut said = Said::new();
        let mut tips = [Tip::start(), Tip::start()];
        let mut say = |kind: &str, body: Body| {
            let side = by(kind);
            let seen = tips[side.other() as usize];
            let tip = tips[side as usize];
            let statement = self.says(side, tip.number + 1, tip.digest, seen, body);
            let digest = digest(&statement);
            tips[side as usize] = Tip { number: tip.number + 1, digest };
            said.push((side, statement));
            digest
        };
        let sent = say("sent", self.sent());
        let delivered = say("delivered", self.delivered(sent));
        let removed = say("removed", self.removed(sent, delivered));
        say("released", released(removed));
        say("opened", self.opened(sent));
        said
    }

    /// Writes a folder whose head the agency signs.
    fn folder(
        &self,
        name: &str,
        of: Part,
        said: &Said,
        list: impl Fn(String) -> String,
    ) -> PathBuf {
        let folder = self.world.path(name);
        fs::create_dir_all(folder.join("ledger")).unwrap();
        let mut listed = Vec::new();
        for (place, (side, statement)) in said.iter().enumerate() {
            let bytes = statement.bytes().unwrap();
            let signature = self.signer(*side).sign(statement::NAMESPACE, &bytes).unwrap();
            let file = export::file_of(false, place + 1, statement);
            fs::write(folder.join(&file), &bytes).unwrap();
            fs::write(folder.join(format!("{file}.sig")), &signature).unwrap();
            let entered = Time(1_795_449_600_000);
            let (statement, signature) = (Digest::of(&bytes), Digest::of(signature.as_bytes()));
            listed.push(Listed { statement, signature, entered, effect: true, file });
        }
        let list = list(export::list(&listed));
        let signers = export::signers(&self.terms);
        let text = format!("agreement-{}.toml", self.terms.digest);
        fs::write(folder.join("ledger/list"), &list).unwrap();
        fs::write(folder.join("ledger/decisions"), "").unwrap();
        fs::write(folder.join("allowed_signers"), &signers).unwrap();
        fs::write(folder.join(text), &self.text).unwrap();
        let agreement = &self.terms.agreement;
        let head = Head {
            agreement: agreement.agreement.clone(),
            party: agreement.agency.id.clone(),
            agency: agreement.agency.id.clone(),
            municipality: agreement.municipality.id.clone(),
            of,
            terms: self.terms.digest,
            signers: Digest::of(signers.as_bytes()),
            list: Digest::of(list.as_bytes()),
            decisions: Digest::of(b""),
            ledger: Tip { number: 9, digest: Digest::none() },
            time: Time(1_795_449_600_000),
        };
        let line = head.line().unwrap();
        let signature = self.signer(Agency).sign(ledger::NAMESPACE, line.as_bytes()).unwrap();
        fs::write(folder.join("ledger/head"), line).unwrap();
        fs::write(folder.join("ledger/head.sig"), signature).unwrap();
        folder
    }

    /// What both verifiers say of a folder, and the exit code that they agree on.
    fn verified(&self, folder: &std::path::Path) -> (Option<i32>, [String; 2]) {
        let trust = self.world.path("trust");
        let arguments = ["evidence", "verify", folder.to_str().unwrap()];
        let trusted = ["--trust", trust.to_str().unwrap()];
        let ours = self.world.cli("dropzone", &[&arguments[..], &trusted].concat());
        let script = root().join("docs/verify-evidence.sh");
        let script = tool(Command::new("sh").arg(script).arg(folder).arg(&trust));
        let said = [stdout(&ours) + &stderr(&ours), stdout(&script) + &stderr(&script)];
        assert_eq!(ours.status.code(), script.status.code(), "{}\n---\n{}", said[0], said[1]);
        (ours.status.code(), said)
    }

    fn judged(&self, name: &str, of: Part, said: &Said) -> (Option<i32>, [String; 2]) {
        self.verified(&self.folder(name, of, said, |list| list))
    }

    fn is_broken(&self, name: &str, of: Part, said: &Said) {
        let (code, said) = self.judged(name, of, said);
        assert_eq!(code, Some(1), "{name}: {}\n---\n{}", said[0], said[1]);
    }
}

fn digest(statement: &Statement) -> Digest {
    Digest::of(&statement.bytes().unwrap())
}

fn released(removed: Digest) -> Body {
    Released { removed, probed: Digest::none(), shares: Vec::new() }.into()
}

fn notice(text: &str) -> Body {
    Body::Notice(Sort::SecurityInfo, Notice::of(text))
}

fn whose(kind: &str) -> Side {
    if ["sent", "released"].contains(&kind) { Agency } else { Municipality }
}

#[test]
fn one_party_that_says_everything_proves_nothing_of_the_other() {
    let forger = Forger::new();
    let one = Part::Transfer(forger.transfer);
    let (code, said) = forger.judged("honest", one, &forger.journey(whose));
    assert_eq!(code, Some(0), "{}\n---\n{}", said[0], said[1]);
    let alone = forger.journey(|_| Agency);
    let (code, said) = forger.judged("alone", one, &alone);
    assert_eq!(code, Some(3), "{}\n---\n{}", said[0], said[1]);
    let (code, [ours, script]) = forger.judged("alone-all", Part::All, &alone);
    assert_eq!(code, Some(0), "what it did say is signed: {ours}\n---\n{script}");
    let missing = "delivered, removed, released, opened";
    assert!(ours.contains(&format!("7K3F-9QX: not here: {missing}")), "{ours}");
    assert!(!ours.contains("what came out is what went in"), "{ours}");
    let missing = missing.replace(',', "");
    assert!(script.contains(&format!("holds: sent, but missing: {missing}")), "{script}");
    // Nor does the municipality end what the agency sent.
    let sent = forger.says(Agency, 1, Digest::none(), Tip::start(), forger.sent());
    let seen = Tip { number: 1, digest: digest(&sent) };
    let end = Withdrawn { exposed: 0 };
    let ended = forger.says(Municipality, 1, Digest::none(), seen, end.clone().into());
    let said = vec![(Agency, sent.clone()), (Municipality, ended)];
    assert_eq!(forger.judged("ended", one, &said).0, Some(3));
    let ended = forger.says(Agency, 2, digest(&sent), Tip::start(), end.into());
    let said = vec![(Agency, sent), (Agency, ended)];
    assert_eq!(forger.judged("withdrawn", one, &said).0, Some(0), "the agency does");
}

#[test]
fn what_rests_on_a_statement_stands_after_it_and_names_it() {
    let forger = Forger::new();
    let honest = forger.journey(whose);
    let (Some(sent), [delivered, removed, opened]) =
        (honest.first(), [honest[1].clone(), honest[2].clone(), honest[4].clone()])
    else {
        panic!("a journey")
    };
    // The shares left before the removal, and the agency writes its own history anew behind the municipality's words.
    let early = [0, 1, 3, 2, 4].map(|at| honest[at].clone()).to_vec();
    forger.is_broken("early", Part::All, &early);
    let Body::Sent(mut other) = sent.1.body.clone() else { panic!("sent") };
    other.ciphertext = Digest::of(b"another");
    other.plaintext = Digest::of(b"another");
    let other = forger.says(Agency, 1, Digest::none(), Tip::start(), other.into());
    let seen = Tip { number: 2, digest: digest(&removed.1) };
    let free = forger.says(Agency, 2, digest(&other), seen, released(Digest::of(b"nothing")));
    for (name, of) in [("anew", Part::All), ("anew-one", Part::Transfer(forger.transfer))] {
        let said = [&delivered, &removed, &opened].map(Clone::clone).to_vec();
        let own = [(Agency, other.clone()), (Agency, free.clone())];
        forger.is_broken(name, of, &[said, own.to_vec()].concat());
    }
    // Each release rests on the removal, not the last one alone.
    let first = forger.says(Agency, 2, digest(&sent.1), Tip::start(), released(Digest::none()));
    let seen = Tip { number: 2, digest: digest(&removed.1) };
    let again = forger.says(Agency, 3, digest(&first), seen, released(digest(&removed.1)));
    let (sent, first, again) = (sent.clone(), (Agency, first), (Agency, again));
    forger.is_broken("twice", Part::All, &vec![sent, delivered, removed, first, again]);
}

#[test]
fn nothing_is_left_out_in_the_middle_whatever_a_text_says() {
    let forger = Forger::new();
    let mut said = Said::new();
    let mut tip = Tip::start();
    for number in 1..=5 {
        let text = if number == 5 { format!(":2:{}:", digest(&said[0].1)) } else { "x".into() };
        let one = forger.says(Agency, number, tip.digest, Tip::start(), notice(&text));
        tip = Tip { number, digest: digest(&one) };
        said.push((Agency, one));
    }
    assert_eq!(forger.judged("whole", Part::All, &said).0, Some(0));
    forger.is_broken("gap", Part::All, &vec![said[0].clone(), said[4].clone()]);
    // A digest that is none is not passed over.
    let second = digest(&said[1].1).to_string();
    for (name, other) in [("star", "*".to_owned()), ("short", second[..63].to_owned())] {
        let list = |list: String| list.replacen(&second, &other, 1);
        let folder = forger.folder(name, Part::All, &said, list);
        let file = folder.join(export::file_of(false, 2, &said[1].1));
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, text.replace("\"text\":\"x\"", "\"text\":\"y\"")).unwrap();
        assert_eq!(forger.verified(&folder).0, Some(1), "{name}");
    }
    // What was seen is what stands here, also where the other one says it later in the list.
    let seen = Tip { number: 1, digest: Digest::of(b"another") };
    let saw = forger.says(Municipality, 1, Digest::none(), seen, notice("x"));
    forger.is_broken("saw", Part::All, &vec![(Municipality, saw), said[0].clone()]);
}

#[test]
fn a_year_without_the_other_party_is_refused_and_a_cut_beginning_is_told() {
    let forger = Forger::new();
    let tip = |number, text: &[u8]| Tip { number, digest: Digest::of(text) };
    let first = forger.says(Agency, 5, Digest::of(b"4"), tip(4, b"seen"), notice("x"));
    let second = |seen| forger.says(Agency, 6, digest(&first), seen, notice("x"));
    let theirs =
        |number, previous| forger.says(Municipality, number, previous, tip(5, b"any"), notice("x"));
    let year = Part::Year(2026);
    let own = |seen| vec![(Agency, first.clone()), (Agency, second(seen))];
    forger.is_broken("alone", year, &own(tip(9, b"later")));
    let (code, [ours, script]) = forger.judged("quiet", year, &own(tip(4, b"seen")));
    assert_eq!(code, Some(0), "{ours}\n---\n{script}");
    assert!(ours.contains("agentschap-ii the numbers from 5 to 6 are here"), "{ours}");
    assert!(script.contains("agentschap-ii: from number 5 to 6"), "{script}");
    for all in [&ours, &script] {
        assert!(!all.contains("left out"), "{all}");
        assert!(!all.contains("not signed"), "nothing is here that nobody signed: {all}");
    }
    // What lies beside the statements is named, and nothing that does not.
    let folder = forger.folder("beside", year, &own(tip(4, b"seen")), |list| list);
    fs::write(folder.join("report.en.html"), "x").unwrap();
    let (code, said) = forger.verified(&folder);
    assert_eq!(code, Some(0), "{}", said[0]);
    for all in &said {
        assert!(all.contains("not signed, and nothing here rests on it: report.en.html,"), "{all}");
    }
    // The municipality's 5 was said after the agency's first of the year: it must be here, not its 6 alone.
    let seen = Tip { number: 5, digest: digest(&first) };
    let mut fifth = theirs(5, Digest::of(b"seen"));
    fifth.header.seen = seen;
    let mut sixth = theirs(6, digest(&fifth));
    sixth.header.seen = seen;
    let last = second(Tip { number: 6, digest: digest(&sixth) });
    let [five, six] = [fifth, sixth].map(|one| (Municipality, one));
    let own = [(Agency, first.clone()), (Agency, last)];
    let whole = vec![own[0].clone(), five, six.clone(), own[1].clone()];
    assert_eq!(forger.judged("both", year, &whole).0, Some(0));
    forger.is_broken("cut", year, &vec![own[0].clone(), six, own[1].clone()]);
}

#[test]
fn the_folder_of_one_transfer_is_about_that_one() {
    let forger = Forger::new();
    let one = Part::Transfer(forger.transfer);
    let sent = forger.says(Agency, 1, Digest::none(), Tip::start(), forger.sent());
    let mut other =
        forger.says(Agency, 5, Digest::of(b"4"), Tip::start(), Withdrawn { exposed: 0 }.into());
    other.header.transfer = Some(TransferId::random());
    forger.is_broken("mixed", one, &vec![(Agency, sent), (Agency, other)]);
    let none = forger.says(Agency, 5, Digest::of(b"4"), Tip::start(), notice("x"));
    forger.is_broken("none", one, &vec![(Agency, none)]);
    let mut end =
        forger.says(Agency, 5, Digest::of(b"4"), Tip::start(), Withdrawn { exposed: 0 }.into());
    end.header.transfer = Some(forger.transfer);
    assert_eq!(forger.judged("end", one, &vec![(Agency, end)]).0, Some(3), "it had no beginning");
}

#[test]
fn nothing_but_the_folders_own_regular_files_is_read_and_no_name_speaks_to_the_terminal() {
    let forger = Forger::new();
    let honest = forger.journey(whose);
    let made = |name: &str| forger.folder(name, Part::All, &honest, |list| list);
    let refused = |folder: &std::path::Path, why: &str| {
        let (code, said) = forger.verified(folder);
        assert_eq!(code, Some(1), "{why}: {}\n---\n{}", said[0], said[1]);
        assert!(!said.iter().any(|said| said.contains('\u{1b}')), "{why}: {said:?}");
    };
    let first = export::file_of(false, 1, &honest[0].1);
    let folder = made("link");
    fs::rename(folder.join(&first), forger.world.path("elsewhere")).unwrap();
    symlink(forger.world.path("elsewhere"), folder.join(&first)).unwrap();
    refused(&folder, "a link");
    let path = |list: String| list.replace(&first, &format!("../path/{first}"));
    refused(&forger.folder("path", Part::All, &honest, path), "a path");
    for name in [".0006-x.json", "a\u{1b}[2Jb.json", "agreement-\u{1b}[2J.toml"] {
        let folder = made("extra");
        fs::write(folder.join(name), "x").unwrap();
        refused(&folder, name);
        fs::remove_dir_all(folder).unwrap();
    }
    // A text that nothing names, under its right name.
    let folder = made("text");
    let text = forger.text.replace("version = 1", "version = 7");
    let name = format!("agreement-{}.toml", Digest::of(text.as_bytes()));
    fs::write(folder.join(name), text).unwrap();
    refused(&folder, "another text");
    // Without a head that somebody signed nothing else is looked at.
    let folder = made("head");
    let stranger = Signer::from_seed(&[7; 32]);
    let head = fs::read(folder.join("ledger/head")).unwrap();
    let signature = stranger.sign(ledger::NAMESPACE, &head).unwrap();
    fs::write(folder.join("ledger/head.sig"), signature).unwrap();
    fs::remove_file(folder.join("ledger/list")).unwrap();
    let (code, [ours, _]) = forger.verified(&folder);
    assert_eq!(code, Some(1), "{ours}");
    assert!(ours.contains("ledger/head: it is not signed"), "{ours}");
    // An endless statement.
    let folder = made("large");
    fs::write(folder.join(&first), vec![b'{'; statement::MAX_BYTES + 1]).unwrap();
    let (code, [ours, _]) = forger.verified(&folder);
    assert_eq!(code, Some(1), "{ours}");
    assert!(ours.contains("larger than"), "{ours}");
}

#[test]
fn a_trusted_key_counts_for_what_its_file_says_and_what_is_not_understood_is_refused() {
    let forger = Forger::new();
    let folder = forger.folder("honest", Part::All, &forger.journey(whose), |list| list);
    assert_eq!(forger.verified(&folder).0, Some(0));
    let keys = export::signers(&forger.terms);
    let both = format!("namespaces=\"{},{}\"", statement::NAMESPACE, ledger::NAMESPACE);
    assert!(keys.contains(&both), "{keys}");
    let trust = forger.world.path("trust");
    let with = |options: &str| {
        fs::write(&trust, keys.replace(&both, options)).unwrap();
        forger.verified(&folder)
    };
    assert_eq!(with("").0, Some(0), "for anything");
    let one = format!("namespaces=\"{}\"", statement::NAMESPACE);
    assert_eq!(with(&one).0, Some(1), "not for a head");
    for options in ["cert-authority", "valid-before=\"20200101\""] {
        let (code, [ours, _]) = with(options);
        assert_eq!(code, Some(1), "{ours}");
        assert!(ours.contains(&format!("the option {options} is not understood")), "{ours}");
    }
}
