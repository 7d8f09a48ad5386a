//! A clock that jumps: nothing expires without two persons, and nothing locks up (rule 12).

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use sluis_core::deadline::civil;
use sluis_core::id::Time;
use sluis_tests::mail::{MailServer, subjects};
use sluis_tests::persons::did;
use sluis_tests::world::Plan;
use sluis_tests::{World, stderr, stdout, until};

const LIST: &[u8] = b"nummer;contract\n1;1\n";

fn held(world: &World) -> bool {
    stdout(&world.cli("agency", &["list"])).contains("clock jumped ahead")
}

fn entries(world: &World, kind: &str) -> usize {
    let ledger = world.cli("agency", &["ledger", "export"]);
    stdout(&ledger).lines().filter(|line| line.contains(&format!("\"kind\":\"{kind}\""))).count()
}

#[test]
fn a_clock_that_runs_ahead_holds_what_expires_until_two_persons_confirm() {
    let mut world = World::running();
    world.stop("fetcher");
    let code = world.send("lijst.csv", LIST);
    world.wait("agency", &code, "Carried");
    world.jump("sealer", "+8d");
    until("the jump to be seen", || held(&world).then_some(()));
    // The core looks again at whatever happens; another drop goes through meanwhile.
    let other = world.send("ander.csv", LIST);
    world.wait("agency", &other, "Carried");
    assert_eq!(
        world.row("agency", &code).unwrap()["state"],
        "Carried",
        "nothing expires on a jump"
    );
    assert_eq!(entries(&world, "clock-forward"), 1);
    let one = world.cli("agency", &["clock"]);
    assert!(one.status.success() && stdout(&one).contains("second person"), "{}", stderr(&one));
    assert_eq!(world.cli("agency", &["clock"]).status.code(), Some(1), "one person is not two");
    assert!(held(&world));
    let two = world.cli_as("65534", "agency", &["--lang", "nl", "clock"]);
    assert!(two.status.success(), "{}", stderr(&two));
    assert_eq!(did(&world, "agency", "nobody"), ["clock-confirmed"]);
    assert!(stdout(&one).contains("by this clock: transfers that expire: 1\n"), "{}", stdout(&one));
    assert!(stdout(&two).contains("zendingen die vervallen: 1\n"), "{}", stdout(&two));
    world.wait("agency", &code, "Expired");
    assert!(!held(&world));
}

#[test]
fn a_clock_that_jumped_is_told_by_mail_and_no_term_that_it_makes_run_out() {
    let mut world = World::make(&Plan::default());
    let mut server = MailServer::new();
    server.start("wrapper", "right");
    server.serves(&world, "agency", "");
    for role in ["dropzone", "sealer", "carrier", "notifier"] {
        world.start(role);
    }
    let code = world.send("lijst.csv", LIST);
    world.wait("agency", &code, "Carried");
    let before = server.takes(1).len();
    world.jump("sealer", "+3d");
    let mails = server.takes(before + 1);
    let about = subjects(&mails);
    assert_eq!(about[before..], ["[Sluis] The clock jumped ahead"], "{about:?}");
    // By that clock the alarm is long over; nobody is told until it is believed.
    let health = world.cli("agency", &["health"]);
    assert_eq!(health.status.code(), Some(2));
    assert!(stdout(&health).contains("the clock is held"), "{}", stdout(&health));
    assert!(world.cli("agency", &["clock"]).status.success());
    assert!(world.cli_as("65534", "agency", &["clock"]).status.success());
    let mails = server.takes(before + 2);
    let about = subjects(&mails);
    let alarm = format!("overdue: Last moment: gone from the transport medium, OEFENING {code}");
    assert!(about[before + 1..].iter().any(|it| it.contains(&alarm)), "{about:?}");
}

#[test]
fn a_clock_that_is_set_right_again_needs_nobody_and_loses_nothing() {
    let mut world = World::running();
    world.stop("fetcher");
    let code = world.send("lijst.csv", LIST);
    world.wait("agency", &code, "Carried");
    world.jump("sealer", "+6y");
    until("the jump to be seen", || held(&world).then_some(()));
    world.stop("sealer");
    world.start("sealer");
    until("the clock to be believed again", || (!held(&world)).then_some(()));
    assert_eq!((entries(&world, "clock-forward"), entries(&world, "clock-back")), (1, 1));
    world.start("fetcher");
    world.wait("agency", &code, "Released");
}

#[test]
fn a_clock_that_runs_back_locks_nothing_up() {
    let mut world = World::running();
    world.stop("dropzone");
    let code = world.send("lijst.csv", LIST);
    until("the carrier to try", || {
        let detail = world.json("agency", &["show", &code]);
        detail["waiting"][0]["why"]["message"].as_str().map(drop)
    });
    world.jump("sealer", "-400d");
    world.start("dropzone");
    // Its work was due a year later by that clock.
    world.wait("agency", &code, "Released");
    let opened = world.cli_with("municipality", &["open", &code], &world.lines(&code).join("\n"));
    assert!(opened.status.success(), "{}", stderr(&opened));
    world.wait("agency", &code, "Closed");
    assert!(world.cli("agency", &["ledger", "verify"]).status.success());
}

#[test]
fn a_notice_that_is_heard_a_day_later_counts_as_it_was_said() {
    let mut plan = Plan::default();
    plan.agreement = plan.agreement.replace("standing = \"een test\"\n", "");
    let mut world = World::running_as(&plan);
    world.stop("carrier");
    // On its last possible day: by the hearing it would be too late.
    let terminate = || {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let today = Time(i64::try_from(now.as_millis()).unwrap()).date();
        let first = civil::ends_after_notice(today, 12).to_string();
        world.cli("municipality", &["terminate", "mechelen", "--on", &first, "--text", "opzegging"])
    };
    let mut said = terminate();
    if !said.status.success() {
        // Midnight came in between. It does not come twice.
        assert!(stderr(&said).contains("term of notice"), "{}", stderr(&said));
        said = terminate();
    }
    assert!(said.status.success(), "{}", stderr(&said));
    world.jump("sealer", "+25h");
    world.start("carrier");
    until("the agency to count it", || {
        let rows = world.json("agency", &["notices"]);
        rows.as_array().unwrap().iter().any(|row| row["sort"] == "terminate").then_some(())
    });
    let due = world.json("agency", &["deadlines"]);
    assert!(due.as_array().unwrap().iter().any(|it| it["clock"] == "notice"), "{due}");
}

#[test]
fn where_an_end_by_notice_counts_from_a_later_day_than_it_says_people_read_on_which_it_ends() {
    let mut plan = Plan::default();
    plan.agreement = plan.agreement.replace("standing = \"een test\"\n", "");
    let mut world = World::running_as(&plan);
    world.jump("keeper", "-30d");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let now = Time(i64::try_from(now.as_millis()).unwrap());
    let day = |days: i64| now.plus_ms(days * 86_400_000).date();
    // A day more than its own clock asks for: around midnight that is one less.
    let on = civil::ends_after_notice(day(-29), 12).to_string();
    let said = ["terminate", "mechelen", "--on", &on, "--text", "opzegging"];
    let said = world.cli("municipality", &said);
    assert!(said.status.success(), "{}", stderr(&said));
    let row = until("the agency to count it", || {
        let rows = world.json("agency", &["notices"]);
        rows.as_array().unwrap().iter().find(|row| row["sort"] == "terminate").cloned()
    });
    let ends = row["ends"].as_str().unwrap().to_owned();
    assert!(ends > on && row["void"].is_null(), "{row}");
    let told = stdout(&world.cli("agency", &["--lang", "nl", "notices"]));
    // The table wraps it.
    let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains(&format!("[hier eindigt het op {ends}]")), "{told}");
    assert!(!stdout(&world.cli("municipality", &["notices"])).contains("here it ends on"));
    let to = world.path("bewijs");
    let folder = to.to_str().unwrap();
    let export = ["evidence", "export", "--agreement", "mechelen", "--to", folder];
    assert!(world.cli("agency", &export).status.success());
    let report = std::fs::read_to_string(to.join("report.en.html")).unwrap();
    assert!(report.contains(&format!("day {on}, here it ends on {ends}")), "the report says it");
}
