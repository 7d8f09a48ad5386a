//! A storm by seed: what is torn, who dies, what persons do meanwhile, what clocks say; and the calm after it.

use std::collections::BTreeSet;

use sluis_core::agreement::Side;
use sluis_core::id::TransferId;
use sluis_daemon::clock::Clock;

use crate::dice::Dice;
use crate::net::{GATEWAY_AWAY, Place, ZONE_AWAY};
use crate::people::OFFICERS;
use crate::{DAY, Sim};

/// An hour.
pub(crate) const HOUR: i64 = DAY / 24;
/// By how much a clock is set wrong: a year back, six on, and less.
const JUMPS: [i64; 5] = [-365 * DAY, 6 * 365 * DAY, -DAY, DAY, 2 * HOUR];
/// How long a list and an upload live; what is set ahead by days stays below that in a squall.
const LIFE: i64 = 7 * DAY;
/// How long a gateway or the drop zone is away; less than the week that a list has.
const AWAY: [i64; 4] = [HOUR, 6 * HOUR, DAY, 3 * DAY];
/// Nobody can tell the drop zone that its clock is wrong: ahead for more than a day of being up, it believes it.
pub(crate) const ZONE_AHEAD: &str = "drop zone's clock set ahead";
/// One of the clocks is set wrong.
pub(crate) const WRONG_CLOCK: &str = "clock set wrong";
/// The clock of who lets a list expire, or an upload, was set ahead by as much as these live, or more.
pub(crate) const YEARS_AHEAD: &str = "clock of agency or drop zone set years ahead";
/// What a storm has, as it is counted.
pub(crate) const KINDS: [&str; 23] = [
    "request kept back",
    "request cut",
    "answer lost",
    "answer cut",
    "request once more",
    "death on the way",
    "core dies",
    "gates die",
    "drop zone dies",
    ZONE_AWAY,
    GATEWAY_AWAY,
    WRONG_CLOCK,
    ZONE_AHEAD,
    YEARS_AHEAD,
    "operator loses it",
    "operator's answer lost",
    "message vanishes",
    "operator down",
    "operator says later",
    "operator says later, and sends it",
    "operator says never",
    "withdraw",
    "redeliver",
];
/// So many visits of persons, a good while apart, end everything.
const VISITS: usize = 60;

impl Sim {
    /// So many moments, in each of which something happens; at most so many files are offered.
    pub async fn storm(&mut self, dice: &mut Dice, moments: usize, drops: usize) {
        self.net.storm(*dice.pick(&[2, 8, 20]));
        for moment in 0..moments {
            let put = self.dropped.len();
            if put < drops && (moment == 0 || dice.percent(20)) {
                self.drop_one(dice);
            }
            self.mishap(dice).await;
            self.round().await;
            if dice.percent(30) {
                self.tend().await;
            }
            let longest = *dice.pick(&[1000, 30_000, 30_000, 120_000, 120_000, HOUR, DAY]);
            self.pass(i64::try_from(dice.below(usize::try_from(longest).unwrap())).unwrap());
        }
        self.net.storm(0);
        self.note().await;
    }

    /// A file is offered that is like no other.
    fn drop_one(&mut self, dice: &mut Dice) {
        let content: Vec<u8> = (0..64).map(|_| u8::try_from(dice.below(256)).unwrap()).collect();
        self.put(&format!("lijst-{}.csv", self.dropped.len()), &content);
    }

    /// One file, and so much of its way in good weather.
    pub async fn way(&mut self, dice: &mut Dice, rounds: usize) {
        self.drop_one(dice);
        for _ in 0..rounds {
            if !self.round().await {
                self.tend().await;
            }
        }
    }

    async fn mishap(&mut self, dice: &mut Dice) {
        match dice.below(22) {
            0 => self.crash(Side::Agency).await,
            1 => self.crash(Side::Municipality).await,
            2 => self.crash_zone(),
            3 | 4 => self.crash_gates(),
            5 => {
                let whose = dice.below(3);
                let jump = *dice.pick(&JUMPS);
                self.net.count(WRONG_CLOCK);
                if whose == 2 && jump > 0 {
                    self.net.count(ZONE_AHEAD);
                }
                if whose != 1 && jump >= LIFE {
                    self.net.count(YEARS_AHEAD);
                }
                self.clocks[whose].jump_ms(jump);
            }
            6..=8 => self.operator_reports(dice).await,
            9 | 10 => {
                let rows = self.rows(Side::Agency).await;
                if !rows.is_empty() {
                    let verb = dice.pick(&["withdraw", "redeliver", "retry"]);
                    let code = dice.pick(&rows).code;
                    if self.of(Side::Agency, OFFICERS[0], verb, &code).await.is_ok() {
                        self.net.count(verb);
                    }
                }
            }
            11 => self.note().await,
            12 | 13 => {
                let channels = &self.parts.terms().agreement.key.channels;
                let gateways = channels.iter().map(|channel| Place::Gateway(channel.id.clone()));
                let place = dice.pick(&gateways.chain([Place::Zone]).collect::<Vec<_>>()).clone();
                self.net.leaves(place, self.clocks[2].up() + *dice.pick(&AWAY));
            }
            _ => {}
        }
    }

    /// Persons set all clocks right.
    pub fn set_clocks_right(&self) {
        for clock in &self.clocks {
            clock.jump_ms(self.start.0 + clock.up() - clock.now().0);
        }
    }

    /// The storm is over, and persons come by until nothing is left to do.
    pub async fn calm(&mut self) {
        // Who is away comes back first: a drop may wait for that, and is no transfer yet.
        while self.net.is_any_away() {
            self.settle().await;
            self.tend().await;
            self.pass(DAY / 4);
        }
        for visit in 0..VISITS {
            self.settle().await;
            if visit > 0 && self.is_still().await {
                break;
            }
            self.tend().await;
            self.pass(if visit < 20 { 6 * 60_000 } else { DAY });
        }
        // What was withdrawn is kept for a redelivery; what nobody knows of waits in the drop zone: both for a week.
        self.pass(8 * DAY);
        self.tend().await;
        self.settle().await;
    }

    /// The transfers that expired so far.
    pub async fn expired(&self) -> BTreeSet<TransferId> {
        let rows = self.rows(Side::Agency).await.into_iter();
        rows.filter(|row| row.state == "Expired").map(|row| row.transfer).collect()
    }

    /// Whether every transfer has come to its end.
    async fn is_still(&self) -> bool {
        let over = |state: &str| {
            matches!(state, "Closed" | "Expired" | "Withdrawn" | "Superseded" | "Refused")
        };
        let rows = self.rows(Side::Agency).await;
        !rows.is_empty() && rows.iter().all(|row| over(&row.state))
    }
}
