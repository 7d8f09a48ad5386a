//! How long it takes to hand over some hundreds of statements, and to verify them: `cargo bench -p sluis-tests --bench export`.
//!
//! Both cores say them in virtual time, two hundred each (`SLUIS_SAID` for more, a fifth of it a day), over the simulation's gates; the export is that of the real
//! `sluis`, over the agency's socket. Times are printed; that the export is there in ten seconds (R54) is asserted, which takes a
//! thirtieth of that where it was measured.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, missing_docs)]

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sluis_core::agreement::Side;
use sluis_core::deadline::civil::start_of_day;
use sluis_core::id::Time;
use sluis_core::notice::{Notice, Sort};
use sluis_daemon::accept::local::{self, Room};
use sluis_daemon::gatehouse;
use sluis_tests::sim::parts::Parts;
use sluis_tests::sim::{DAY, Sim};
use sluis_tests::world::sluis;
use sluis_tests::{binary, stderr, tool};
use tokio_util::sync::CancellationToken;

const CONTACTS: &str = "salt = \"0123456789abcdef0123456789abcdef\"\n[numbers]\nan = \"+32470000001\"\n\
                        bart = \"+32470000002\"\nchantal = \"+32470000003\"\n";
/// On so many days each party says its part; fewer than have an effect on one day.
const DAYS: usize = 5;
const SAID: usize = 200;
/// How long whoever asks for evidence waits at the most.
const MOST: Duration = Duration::from_secs(10);

fn main() {
    tokio::runtime::Runtime::new().unwrap().block_on(measure());
}

async fn measure() {
    let agreement = include_str!("../../config/examples/demo/mechelen.toml");
    let parts = Arc::new(Parts::of(agreement, CONTACTS));
    let start = Time(start_of_day(jiff::civil::date(2026, 2, 2)).0 + DAY / 3);
    let mut sim = Sim::new(parts, start, 1).await;
    for _ in 0..DAYS {
        for turn in 0..said() / DAYS {
            for side in [Side::Agency, Side::Municipality] {
                let notice = Notice::of(format!("een bericht over de beveiliging, nummer {turn}"));
                sim.say(side, Sort::SecurityInfo, notice).await.unwrap();
            }
        }
        sim.settle().await;
        sim.pass(2 * DAY);
    }
    let host = sim.path("host");
    let init = ["init", "agency", "--id", "agentschap-ii", "--name", "Agentschap", "--dir"];
    let made = sluis(&init, [host.as_os_str()]);
    assert!(made.status.success(), "{}", stderr(&made));
    let listener = gatehouse::listen(&host.join("run/sealer.sock"), None).unwrap();
    let stop = CancellationToken::new();
    tokio::spawn(local::serve(listener, sim.persons(Side::Agency), Room::PERSONS, stop.clone()));
    let told = tokio::task::spawn_blocking(move || timed(&host));
    println!("{}", told.await.unwrap());
    stop.cancel();
}

/// How much each party says.
fn said() -> usize {
    std::env::var("SLUIS_SAID").ok().and_then(|text| text.parse().ok()).unwrap_or(SAID)
}

/// Exports and verifies, and says how long each took.
fn timed(host: &Path) -> String {
    let at = |name: &str| host.join(name).to_str().unwrap().to_owned();
    let (to, config) = (at("evidence"), at("sluis.toml"));
    let trust = format!("{to}/allowed_signers");
    let ours = |arguments: &[&str]| {
        let mut command = Command::new(binary("sluis"));
        command.args(["--config", &config]).args(arguments);
        took(&mut command)
    };
    let export = ours(&["evidence", "export", "--agreement", "mechelen", "--to", &to]);
    let verify = ours(&["evidence", "verify", &to, "--trust", &trust]);
    let script = took(Command::new("sh").args([&format!("{to}/verify.sh"), &to, &trust]));
    let list = std::fs::read_to_string(format!("{to}/ledger/list")).unwrap();
    let count = list.lines().count();
    assert!(count >= 2 * said(), "{count}");
    assert!(export < MOST, "{count} statements: {export:.2?}");
    format!("{count} statements: export {export:.2?}, verify {verify:.2?}, verify.sh {script:.2?}")
}

fn took(command: &mut Command) -> Duration {
    let begun = Instant::now();
    let output: Output = tool(command);
    assert!(output.status.success(), "{}", stderr(&output));
    begun.elapsed()
}
