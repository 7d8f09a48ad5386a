//! The journeys of the walk over all fault points: ways that a list can go, each to an end that holds whatever came on the
//! way, by persons who try again. `rounds` says which faults come on which, `walker` goes them.

mod bytes;
mod older;
mod others;
pub mod rounds;
mod said;
pub mod steered;
mod telephones;
pub mod walker;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::Value;
use steered::{LOOKED, SEALED};
pub use telephones::Beside;

use crate::exposures::{exposures, in_folders, read, twice};
use crate::faults::{
    Fault, Tended, detail, entries, half_made, lines, moved_in_again, rows, says, state,
};
use crate::points::CODE;
use crate::stock::Client;
use crate::world::{Plan, ROLES, SAID, somewhere};
use crate::{PATIENCE, World, stdout};

/// Another person than the one who runs the tests.
const SECOND: &str = "65534";
/// More than the agreement of the walk lets pass, in bytes.
const TOO_LARGE: usize = (1 << 20) + 1;

/// What the hosts have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Folders in place of telephones.
    Folders,
    /// Three ways to a telephone, reports, mails, and a second person who lets each list go.
    Telephones,
}

impl Kind {
    /// Its hosts, not running yet.
    #[must_use]
    pub fn made(self) -> Tended {
        match self {
            Self::Folders => {
                let mut plan = Plan::default();
                let text = plan.agreement.replace("max-size-mib = 10240", "max-size-mib = 1");
                plan.agreement =
                    text.replace("years = 5\n", "years = 5\ndestroy = \"automatic\"\n");
                let world = World::make(&plan);
                // Root may give a file to any group; all machines have this one.
                let groups = "[keeper]\ngroups = { mechelen = \"daemon\" }";
                world.edit("municipality", |text| text.replace("[keeper]", groups));
                world.edit("agency", |text| text + "\n[paths]\ngates = \"daemon\"\n");
                Tended::over(world, &ROLES.map(|(role, _)| role))
            }
            Self::Telephones => telephones::made(),
        }
    }
}

/// A way that a list can go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Journey {
    /// To `Closed`, and destroyed by two persons.
    Straight,
    /// A folder that `sluis send` offers, with for whose residents it is.
    Sent,
    /// Stopped by a person.
    Withdrawn,
    /// Stopped by a person while it is sealed.
    Overtaken,
    /// Sent again under another key.
    Again,
    /// A drop that may not leave, and a notice.
    Refused,
    /// What it breaks is let pass by two persons; taken.
    LetPass,
    /// A new version of the agreement, put into use by two persons at each party.
    Version,
    /// Nobody fetches it, and its time is over; the drop zone forgets what is old. After `Version`, on which every start has
    /// its faults: here one is held.
    Expired,
    /// An older store is put back at the municipality.
    OlderCity,
    /// And at the agency.
    OlderAgency,
    /// The basis is gone, and the agency ends the agreement at once, when enough shares are out.
    AtOnce,
    /// A sealer that began anew and has not heard the municipality yet gives no share out.
    Unheard,
    /// Half of it is brought by a client with checksums.
    Checked,
    /// Bytes that are not what was announced, in the drop zone and in the vault.
    Damaged,
    /// An exercise that every custodian types.
    Exercised,
    /// Its last day comes.
    Retired,
    /// Words under a party's real key that are not its own.
    Insiders,
    /// Let go by a second person, over three ways to telephones, with a report.
    Approved,
    /// Not let go.
    Rejected,
    /// Changed after a second person saw it.
    Changed,
    /// Operators that do not answer.
    Doubtful,
    /// A custodian's number that changes.
    Number,
    /// Somebody is told by mail.
    Told,
}

impl Journey {
    /// All of them.
    pub const ALL: [Self; 24] = [
        Self::Straight,
        Self::Sent,
        Self::Withdrawn,
        Self::Overtaken,
        Self::Again,
        Self::Refused,
        Self::LetPass,
        Self::Version,
        Self::Expired,
        Self::Unheard,
        Self::OlderCity,
        Self::OlderAgency,
        Self::AtOnce,
        Self::Checked,
        Self::Damaged,
        Self::Exercised,
        Self::Retired,
        Self::Insiders,
        Self::Approved,
        Self::Rejected,
        Self::Changed,
        Self::Doubtful,
        Self::Number,
        Self::Told,
    ];

    /// Which hosts it needs.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self {
            Self::Approved
            | Self::Rejected
            | Self::Changed
            | Self::Doubtful
            | Self::Number
            | Self::Told => Kind::Telephones,
            _ => Kind::Folders,
        }
    }

    /// Whether it is gone once in a world, which is not what it was after it.
    #[must_use]
    pub fn alone(self) -> bool {
        matches!(
            self,
            Self::OlderCity | Self::OlderAgency | Self::AtOnce | Self::Retired | Self::Insiders
        )
    }

    /// Goes it, for the so-maniest time in this world.
    pub fn go(self, at: usize, on: &mut Tended) {
        let name = format!("lijst-{at}.csv");
        let list =
            format!("rijksregisternummer;contract;attest\n85073003328;1;{at:09}\n").into_bytes();
        match self {
            Self::Straight => straight(on, &name, &list),
            Self::Sent => sent(on, at, &list),
            Self::Withdrawn => withdrawn(on, &name, &list),
            Self::Overtaken => overtaken(on, &name, &list),
            Self::Again => again(on, &name, &list),
            Self::Refused => {
                said::refused(on, at);
                said::noticed(on, at);
                said::on_paper(on, at);
                quiet(on);
            }
            Self::LetPass => let_pass(on, at),
            Self::Expired => expired(on, &name, &list),
            Self::Version => said::version(on),
            Self::OlderCity => older::city(on, &name, &list),
            Self::OlderAgency => older::agency(on, &name, &list),
            Self::AtOnce => at_once(on, &name, &list),
            Self::Unheard => unheard(on, &name, &list),
            Self::Checked => bytes::checked(on, &name, &list),
            Self::Damaged => bytes::damaged(on, &name, &list),
            Self::Exercised => others::exercised(on),
            Self::Retired => others::retired(on, &name, &list),
            Self::Insiders => others::insiders(on, &name, &list),
            Self::Approved => telephones::approved(on, &name, &list),
            Self::Rejected => telephones::rejected(on, &name, &list),
            Self::Changed => telephones::changed(on, &name, &list),
            Self::Doubtful => telephones::doubtful(on, &name, &list),
            Self::Number => telephones::number(on, &name, &list),
            Self::Told => telephones::told(on, at),
        }
    }
}

fn straight(on: &mut Tended, name: &str, content: &[u8]) {
    let code = on.offer(name, content);
    released(on, &code);
    opened_and_destroyed(on, &code, content);
}

/// What is out stays, and what is in the bundle goes with it: where the basis is gone, and the agency may say it all the same.
fn at_once(on: &mut Tended, name: &str, content: &[u8]) {
    let code = on.offer(name, content);
    released(on, &code);
    let gone = ["legal-change", "mechelen", "--basis-gone", "--on", "2026-01-05", "--text", "x"];
    let end = ["terminate", "mechelen", "--at-once", "--reason", "een inbreuk"];
    for (words, sort) in [(&gone[..], "basis-gone"), (&end[..], "terminate-at-once")] {
        two_persons(on, "agency", words, |world| {
            let notices = says(world, "agency", "notices", None)?;
            notices.as_array()?.iter().any(|it| it["sort"] == sort).then_some(())
        });
        let bundles = on.world.path("agency/bundles");
        on.until("the bundle to be gone", |_| {
            fs::read_dir(&bundles).ok()?.next().is_none().then_some(())
        });
    }
    opened_and_destroyed(on, &code, content);
}

fn sent(on: &mut Tended, at: usize, content: &[u8]) {
    let name = format!("map-{at}");
    let folder = on.world.path(&format!("own/{name}"));
    fs::create_dir_all(folder.join("deel")).unwrap();
    fs::write(folder.join("deel/lijst.csv"), content).unwrap();
    let known = known(on);
    let mine = ["agency/outbox", "agency/private"];
    let there = on.world.outbox().join(&name);
    let mut moved = None;
    let code = on.until("what was sent to be taken", |world| {
        if let Some(code) = fresh(world, &known) {
            return Some(code);
        }
        moved_in_again(&there, &mut moved);
        // Who was told nothing looks whether it is there, and sends it again where it is not.
        if mine.iter().all(|at| somewhere(&world.path(at), content).is_empty()) {
            let path = folder.to_str().unwrap();
            let _ = world.cli("agency", &["send", "mechelen", path, "--drawn-for", "12025"]);
        }
        None
    });
    // Until then its sender has it.
    on.guarded = Some(content.to_vec());
    released(on, &code);
    opened_and_destroyed(on, &code, content);
}

fn withdrawn(on: &mut Tended, name: &str, content: &[u8]) {
    let code = on.offer(name, content);
    withdrawn_or_out(on, &code, content);
}

/// Sealing is held until it is withdrawn: nobody needs what is sealed then.
fn overtaken(on: &mut Tended, name: &str, content: &[u8]) {
    on.ask("sealer", &Fault { point: CODE.point(SEALED), nth: 1, kind: "hold" });
    let code = on.offer(name, content);
    let held = on.held("sealer");
    on.until("it to be sealed", |world| {
        // After a kill nobody holds it any more.
        let over = state(world, "agency", &code).is_some_and(|it| it != "Claimed");
        (over || held.exists()).then_some(())
    });
    withdrawn_or_out(on, &code, content);
}

/// It is withdrawn, or it is too late for that.
fn withdrawn_or_out(on: &mut Tended, code: &str, content: &[u8]) {
    let over = ["Withdrawn", "Released"];
    let how = on.until("a withdrawal, or that it is too late", |world| {
        let _ = world.cli("agency", &["withdraw", code]);
        state(world, "agency", code).filter(|state| over.contains(&state.as_str()))
    });
    // Whoever was held goes on.
    let _ = fs::remove_file(on.held("sealer"));
    if how == "Released" {
        return opened_and_destroyed(on, code, content);
    }
    ended(on, code);
    assert!(lines(&on.world, code).len() < 2, "{code} was withdrawn");
    quiet(on);
}

/// It is over at the agency: the municipality hears that, or never of it.
fn ended(on: &mut Tended, code: &str) {
    on.guarded = None;
    on.until("the municipality to hear of the end, or never of it", |world| {
        // What was stopped before it was sealed, nobody there hears of.
        let sent = entries(world, "agency", code)?.contains(&"said sent".to_owned());
        let rows = rows(world, "municipality")?;
        let row = rows.iter().find(|row| row["code"] == *code);
        row.map_or(!sent, |row| row["state"] == "Ended").then_some(())
    });
}

fn again(on: &mut Tended, name: &str, content: &[u8]) {
    let old = on.offer(name, content);
    released(on, &old);
    let former = lines(&on.world, &old);
    on.does("agency", &old, "Superseded", |world| {
        let _ = world.cli("agency", &["redeliver", &old]);
    });
    let new = on.until("the new transfer", |world| {
        let detail = detail(world, "agency", &old)?;
        let id = detail["state"]["Superseded"]["by"]
            .as_str()
            .or(detail["state"]["by"].as_str())?
            .to_owned();
        let rows = rows(world, "agency")?;
        let row = rows.iter().find(|row| row["transfer"] == *id)?;
        row["code"].as_str().map(str::to_owned)
    });
    on.reaches("municipality", &old, &["Ended"]);
    released(on, &new);
    assert!(former.values().all(|line| !lines(&on.world, &new).values().any(|it| it == line)));
    opened_and_destroyed(on, &new, content);
}

/// The same command by two persons, until this is so.
fn two_persons<T>(
    on: &mut Tended,
    host: &str,
    arguments: &[&str],
    so: impl Fn(&World) -> Option<T>,
) -> T {
    on.until(&format!("two persons to say {arguments:?} at the {host}"), |world| {
        let found = so(world);
        if found.is_none() {
            let _ = world.cli(host, arguments);
            let _ = world.cli_as(SECOND, host, arguments);
        }
        found
    })
}

fn let_pass(on: &mut Tended, at: usize) {
    let name = format!("groot-{at}.bin");
    let mut content = vec![b'x'; TOO_LARGE];
    content.extend(format!("{at:09}").bytes());
    let known = known(on);
    on.world.put(name.as_ref(), &content);
    let code = on.until("what it breaks to be let pass", |world| {
        let rows = rows(world, "agency")?;
        let (refused, taken): (Vec<_>, Vec<_>) = rows
            .iter()
            .filter(|row| !known.contains(&code_of(row)))
            .partition(|row| row["state"] == "Refused");
        if let Some(row) = refused.first().filter(|_| taken.is_empty()) {
            let code = code_of(row);
            let ask = ["override", &code, "--reason", "een uitzondering"];
            let _ = world.cli("agency", &ask);
            let _ = world.cli_as(SECOND, "agency", &ask);
        }
        taken.first().map(|row| code_of(row))
    });
    released(on, &code);
    let typed = lines(&on.world, &code).into_values().collect::<Vec<_>>().join("\n");
    on.does("municipality", &code, "Opened", |world| {
        let _ = world.cli_with("municipality", &["open", &code], &typed);
    });
    on.until("who took it to be entered", |world| {
        let _ = world.cli("municipality", &["take", &code]);
        entries(world, "municipality", &code)?.contains(&"taken".to_owned()).then_some(())
    });
    on.reaches("agency", &code, &["Closed"]);
    on.guarded = None;
    quiet(on);
}

fn expired(on: &mut Tended, name: &str, content: &[u8]) {
    // What is gone from the drop zone is forgotten long after: of this one.
    let before = [b"eerst\n", content].concat();
    let gone = on.offer(&format!("eerst-{name}"), &before);
    released(on, &gone);
    opened_and_destroyed(on, &gone, &before);
    on.rest("fetcher");
    // Who sealed has kept a look at the clock: only against one is a clock back.
    let code = on.offer(name, content);
    on.reaches("agency", &code, &["Carried"]);
    on.ledger_grew("agency");
    let known = on.ledger("agency").len();
    on.jump("sealer", -1);
    on.until("a clock that went back to be entered", |world| {
        let more = says(world, "agency", &format!("ledger?after={known}"), None)?;
        more.to_string().contains("clock-back").then_some(())
    });
    on.jump("sealer", 10);
    on.until("the jump to be seen", |world| {
        says(world, "agency", "about", None)?["clock_held"].as_bool().filter(|held| *held)
    });
    assert_eq!(on.reaches("agency", &code, &["Carried", "Expired"]), "Carried", "on a jump alone");
    on.guarded = None;
    two_persons(on, "agency", &["clock"], |world| {
        state(world, "agency", &code).filter(|state| state == "Expired")
    });
    // What nobody terminated expires there by itself, and what is old is forgotten.
    // One that has no look at its clock to hold it against believes it.
    on.rest("dropzone");
    let clock = on.world.path("dropzone/medium/.clock");
    let _ = fs::remove_file(&clock);
    on.roles.push("dropzone");
    // It is known to be read by what is asked for since the start, and its first look comes before all that goes.
    on.ask("dropzone", &Fault { point: CODE.point(LOOKED), nth: 1, kind: "hold" });
    on.jump("dropzone", 500);
    let agency = Client::of(&on.world, "agency");
    let held = on.held("dropzone");
    on.until("the agency to have read a letter", |_| {
        let read = agency.ask("GET", "/mechelen/mailbox?after=1", &[]).status == 200;
        // Who was killed while it was held has looked before this.
        (read && (held.exists() || clock.exists())).then_some(())
    });
    let _ = fs::remove_file(held);
    on.wake("fetcher");
    ended(on, &code);
    quiet(on);
}

fn unheard(on: &mut Tended, name: &str, content: &[u8]) {
    on.rest("releaser");
    let code = on.offer(name, content);
    on.reaches("agency", &code, &["Releasing"]);
    on.rest("carrier");
    on.restart("sealer");
    on.wake("releaser");
    on.until("a share to be asked for", |world| {
        let shown = stdout(&world.cli("agency", &["--json", "show", &code]));
        shown.contains("was not read to its end").then_some(())
    });
    // Two persons may let lists move on; no share goes with that.
    on.ledger_grew("agency");
    let known = on.ledger("agency").len();
    two_persons(on, "agency", &["restored", "mechelen", "--unheard"], |world| {
        let more = says(world, "agency", &format!("ledger?after={known}"), None)?;
        more.to_string().contains("unheard").then_some(())
    });
    assert!(lines(&on.world, &code).is_empty(), "{code}: nobody knows what the municipality said");
    on.wake("carrier");
    released(on, &code);
    opened_and_destroyed(on, &code, content);
}

/// The codes that the agency has.
fn known(on: &mut Tended) -> BTreeSet<String> {
    on.until("the list of transfers", |world| rows(world, "agency")).iter().map(code_of).collect()
}

/// A transfer that was not known, and may leave.
fn fresh(world: &World, known: &BTreeSet<String>) -> Option<String> {
    let rows = rows(world, "agency")?;
    let is_new = |row: &&Value| row["state"] != "Refused" && !known.contains(&code_of(row));
    rows.iter().find(is_new).map(code_of)
}

fn code_of(row: &Value) -> String {
    row["code"].as_str().unwrap_or_default().to_owned()
}

/// All shares are out, each to its telephone, and none before the file was gone.
fn released(on: &mut Tended, code: &str) {
    on.reaches("agency", code, &["Released"]);
    let lines = lines(&on.world, code);
    assert_eq!(lines.len(), 3, "{code}: {lines:?}");
    in_order(on, code);
}

/// No share left before the file was gone.
fn in_order(on: &mut Tended, code: &str) {
    let ledger = on.until("the ledger", |world| entries(world, "agency", code));
    let first = |kind: &str| ledger.iter().position(|it| it == kind);
    let (removed, exposing) = (first("said removed"), first("exposing"));
    assert!(removed.is_some() && removed < exposing, "{code}: {ledger:?}");
}

/// Two custodians type, and two persons have it destroyed.
fn opened_and_destroyed(on: &mut Tended, code: &str, content: &[u8]) {
    let typed = lines(&on.world, code).into_values().collect::<Vec<_>>().join("\n");
    on.does("municipality", code, "Opened", |world| {
        let _ = world.cli_with("municipality", &["open", code], &typed);
    });
    closed_and_destroyed(on, code, content, &SAID);
}

/// It is open: closed, destroyed, and each of these things said once.
fn closed_and_destroyed(on: &mut Tended, code: &str, content: &[u8], said: &[&str]) {
    closed(on, code, content);
    destroyed(on, code, content);
    said_once(on, code, said);
    quiet(on);
}

/// It lies open in the vault, and nowhere else.
fn closed(on: &mut Tended, code: &str, content: &[u8]) {
    let opened = somewhere(&on.world.path("municipality/vault"), content);
    assert_eq!(opened.len(), 1, "{code}: {opened:?}");
    on.reaches("agency", code, &["Closed"]);
    let mut everywhere = somewhere(&on.world.path("agency"), content);
    everywhere.extend(somewhere(&on.world.path("dropzone"), content));
    assert_eq!(everywhere, Vec::<PathBuf>::new(), "{code} is closed");
    on.guarded = None;
}

/// Two persons have it destroyed.
fn destroyed(on: &mut Tended, code: &str, content: &[u8]) {
    two_persons(on, "municipality", &["destroy", code], |world| {
        state(world, "municipality", code).filter(|state| state == "Destroyed")
    });
    let left = somewhere(&on.world.path("municipality/vault"), content);
    assert_eq!(left, Vec::<PathBuf>::new(), "{code} is destroyed");
}

/// Both ledgers have each of these statements, and that it was destroyed, once.
fn said_once(on: &mut Tended, code: &str, said: &[&str]) {
    let said = said.iter().chain(&["destroyed"]);
    let mut wanted: Vec<_> = said.map(|kind| format!("said {kind}")).collect();
    wanted.sort();
    let again = on.beside.is_some();
    for host in ["agency", "municipality"] {
        let said = on.until(&format!("every statement of {code} at the {host}"), |world| {
            let mut said = entries(world, host, code)?;
            said.retain(|it| it.starts_with("said "));
            said.sort();
            // What became of a message that was lost from sight is told again.
            said.dedup_by(|a, b| a == b && a == "said released" && again);
            (said.len() >= wanted.len()).then_some(said)
        });
        assert_eq!(said, wanted, "{code} at the {host}: a statement for each state, once");
    }
}

/// Nothing is left on the way, and both ledgers are what they were, and more.
fn quiet(on: &mut Tended) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let left = left_over(&on.world);
        if left.is_empty() {
            break;
        }
        assert!(Instant::now() < deadline, "left over: {left:?}");
        on.tend();
        // Who was killed while it was held may be held once more.
        let _ = fs::remove_file(on.held("sealer"));
        for role in ["sealer", "dropzone"] {
            // What could not be cleared is cleared at the next start.
            if on.could_not_remove(role) {
                on.restart(role);
            }
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    for host in ["agency", "municipality"] {
        on.ledger_grew(host);
    }
    every_exposure_was_entered(on);
    // Of each share, what left and what arrived.
    let arrived = on.beside.as_ref().map_or_else(|| in_folders(&on.world), |it| it.arrived());
    let twice = twice(&exposures(&read(on.ledger("agency"))), &arrived);
    assert_eq!(twice, Vec::<String>::new(), "nothing goes twice in silence");
}

/// What is on the way, or half made.
#[must_use]
pub fn left_over(world: &World) -> Vec<PathBuf> {
    let mut left = half_made(&world.path(""));
    for folder in ["agency/spool", "agency/bundles", "dropzone/medium/mechelen/files"] {
        let inside = fs::read_dir(world.path(folder)).into_iter().flatten().flatten();
        left.extend(inside.map(|entry| entry.path()));
    }
    left
}

/// Every share that left was entered before, each time.
fn every_exposure_was_entered(on: &mut Tended) {
    let left = on.passings("releaser", |point| {
        point.starts_with("agency/release.rs") && point.ends_with("leaves")
    });
    let is_exposing = |line: &&String| line.contains("\"kind\":\"exposing\"");
    let entered = on.ledger("agency").iter().filter(is_exposing).count();
    assert!(left <= entered, "{left} shares left, {entered} were entered before");
}
