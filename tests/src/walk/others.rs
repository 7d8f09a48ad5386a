//! Journeys of which the end is not that of every list: an exercise that all custodians type, a last day that comes, and
//! somebody with a party's real key.

use sluis_core::agreement::Side::{Agency, Municipality};
use sluis_core::notice::{Notice, Sort};
use sluis_core::statement::{Body, Tip};

use super::{SECOND, fresh, known, opened_and_destroyed, quiet, released, two_persons};
use super::{closed, said_once};
use crate::faults::{Tended, entries, lines, says, state};
use crate::insider::Insider;
use crate::world::{SAID, somewhere};
use crate::{World, stdout};

/// A third person.
const THIRD: &str = "65533";
/// Until shortly before the last day of a list that was delivered today, and past it.
const JUMPS: [i32; 2] = [1820, 30];

/// Three custodians type an exercise, the third one when it is open already.
pub(super) fn exercised(on: &mut Tended) {
    let before = known(on);
    let code = on.until("an exercise to be taken", |world| {
        let code = fresh(world, &before);
        if code.is_none() {
            let _ = world.cli("agency", &["rehearse", "mechelen"]);
        }
        code
    });
    released(on, &code);
    let typed: Vec<String> = lines(&on.world, &code).into_values().collect();
    on.does("municipality", &code, "Opened", |world| {
        let _ = world.cli_with("municipality", &["open", &code], &typed[0]);
        let _ = world.cli_as_with(SECOND, "municipality", &["open", &code], &typed[1]);
    });
    on.until("the third custodian to have typed", |world| {
        let count =
            entries(world, "municipality", &code)?.iter().filter(|it| *it == "line").count();
        if count < typed.len() {
            let _ = world.cli_as_with(THIRD, "municipality", &["open", &code], &typed[2]);
        }
        (count == typed.len()).then_some(())
    });
    on.reaches("agency", &code, &["Closed"]);
    quiet(on);
}

/// What goes by itself is announced, and goes on its last day, by a clock that two persons confirm.
pub(super) fn retired(on: &mut Tended, name: &str, content: &[u8]) {
    let code = on.offer(name, content);
    released(on, &code);
    let typed = lines(&on.world, &code).into_values().collect::<Vec<_>>().join("\n");
    on.does("municipality", &code, "Opened", |world| {
        let _ = world.cli_with("municipality", &["open", &code], &typed);
    });
    closed(on, &code, content);
    let has = |world: &World, kind: &str| {
        entries(world, "municipality", &code)?.iter().any(|it| it == kind).then_some(())
    };
    for (days, kind) in JUMPS.into_iter().zip(["destruction-planned", "destruction-due"]) {
        on.jump("keeper", days);
        on.until("the jump to be seen", |world| {
            says(world, "municipality", "about", None)?["clock_held"].as_bool().filter(|it| *it)
        });
        assert!(has(&on.world, kind).is_none(), "on a jump alone");
        two_persons(on, "municipality", &["clock"], |world| has(world, kind));
    }
    on.until("it to go", |world| {
        state(world, "municipality", &code).filter(|state| state == "Destroyed")
    });
    assert!(somewhere(&on.world.path("municipality/vault"), content).is_empty());
    said_once(on, &code, &SAID);
    quiet(on);
}

/// Somebody with the municipality's key says that it heard more of the agency than there is, and somebody with the agency's
/// says another first word than it said: two persons refuse the one, the municipality tells of the other.
pub(super) fn insiders(on: &mut Tended, name: &str, content: &[u8]) {
    let code = on.offer(name, content);
    released(on, &code);
    let held = |world: &World| {
        let about = says(world, "agency", "about", None)?;
        Some(about["set_back"].as_array().is_some_and(|names| !names.is_empty()))
    };
    on.until("the agency to be held by a word that is not true", |world| {
        let insider = Insider::of(world, Municipality);
        let number = insider.last(Agency).number + 2;
        let _ = insider.shows(&insider.has_seen(insider.last(Municipality), number));
        held(world).filter(|held| *held)
    });
    let refuse = ["restored", "mechelen", "--refuse", "hier werd niets teruggezet"];
    two_persons(on, "agency", &refuse, |world| held(world).filter(|held| !held));
    on.until("another first word to be contradicted", |world| {
        let insider = Insider::of(world, Agency);
        let body = Body::Notice(Sort::SecurityInfo, Notice::of("anders"));
        let _ = insider.brings(&insider.says(Tip::start(), Tip::start(), None, body));
        let ledger = stdout(&world.cli("municipality", &["ledger", "export"]));
        ledger.contains("\"kind\":\"contradicted\",\"transfer\"").then_some(())
    });
    opened_and_destroyed(on, &code, content);
}
