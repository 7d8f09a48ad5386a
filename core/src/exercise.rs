//! The exercise: made-up content that goes the whole way over the real channels, and is no delivery (R88).
//!
//! What it is, its content says: a drop of exactly this name and these bytes. No list can pass for one, and none has
//! to be asked for.

use crate::agreement::{Agreement, Custodian};
use crate::deadline;
use crate::id::{ChannelId, CustodianId, Time};
use crate::share::place;
use crate::statement::{Sent, ShareAccepted};

/// The drop's name.
pub const NAME: &str = "OEFENING.txt";
/// All that is in it.
pub const TEXT: &str = "OEFENING - EXERCISE\n\n\
    Dit is geen lijst en geen levering. Er staan geen persoonsgegevens in.\n\
    Wie een sleuteldeel kreeg, typt het in: dan is bekend dat de weg werkt.\n\n\
    This is no list and no delivery. There are no personal data in it.\n\
    Whoever got a share of the key types it in: then the way is known to work.\n";

/// A custodian typed the share of an exercise that came over this channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmed {
    /// Who.
    pub custodian: CustodianId,
    /// Over which channel.
    pub channel: ChannelId,
    /// When that was heard.
    pub at: Time,
}

impl Confirmed {
    /// What `share-accepted` shows about an exercise; nothing where it is not of this one, or of no exercise.
    #[must_use]
    pub fn of(sent: &Sent, accepted: &ShareAccepted, at: Time) -> Option<Self> {
        let place = place(accepted.index)?;
        let route = sent.routes.get(place).filter(|route| route.custodian == accepted.custodian)?;
        let same = sent.commitments.get(place) == Some(&accepted.commitment);
        (sent.exercise && same).then(|| Self {
            custodian: route.custodian.clone(),
            channel: route.channel.clone(),
            at,
        })
    }
}

/// Who of the agreement's custodians has not confirmed within its days, with the function profile; nobody where it
/// asks for no exercise.
#[must_use]
pub fn missing(agreement: &Agreement, confirmed: &[Confirmed], now: Time) -> Vec<String> {
    let fresh = |at: &Time| {
        let clock = deadline::of_rehearsal(agreement, Some(*at));
        at.has_come(now) && clock.is_none_or(|clock| now <= clock.due)
    };
    let missing = |custodian: &&Custodian| !typed(custodian, confirmed).any(|at| fresh(&at));
    let all = agreement.key.custodians.iter().filter(missing);
    match agreement.rehearsal.within() {
        Some(_) => all.map(|it| format!("{} ({})", it.id, it.profile)).collect(),
        None => Vec::new(),
    }
}

/// Since when each custodian of the agreement has typed a share that came over the channel of today: by whom it is
/// longest ago. Nothing where somebody never did.
#[must_use]
pub fn tried_since(agreement: &Agreement, confirmed: &[Confirmed], now: Time) -> Option<Time> {
    let come = |at: &Time| at.has_come(now);
    let last = |custodian: &Custodian| typed(custodian, confirmed).filter(come).max();
    let each: Option<Vec<Time>> = agreement.key.custodians.iter().map(last).collect();
    each?.into_iter().min()
}

/// When a custodian typed a share that came over its channel.
fn typed(custodian: &Custodian, confirmed: &[Confirmed]) -> impl Iterator<Item = Time> {
    let own = |it: &&Confirmed| it.custodian == custodian.id && it.channel == custodian.channel;
    confirmed.iter().filter(own).map(|it| it.at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_confirms_on_the_channel_of_today_and_within_the_days() {
        let text = include_str!("../../config/examples/agreements/mechelen.toml");
        let agreement: Agreement = toml::from_str(text).unwrap();
        let now = Time(1_772_449_200_000);
        let at = |days: i64| now.plus_ms(-86_400_000 * days);
        let one = |place: usize, at| {
            let custodian = &agreement.key.custodians[place];
            let (custodian, channel) = (custodian.id.clone(), custodian.channel.clone());
            Confirmed { custodian, channel, at }
        };
        let mut all = vec![one(0, at(30)), one(1, at(0)), one(2, at(31))];
        let late = ["custodian-c (informatieveiligheidsconsulent)"];
        assert_eq!(missing(&agreement, &all, now), late);
        assert_eq!(tried_since(&agreement, &all[..2], now), None, "somebody never did");
        assert_eq!(tried_since(&agreement, &all, now), Some(at(31)));
        all.push(one(2, at(1)));
        assert_eq!(missing(&agreement, &all, now), [""; 0]);
        assert_eq!(tried_since(&agreement, &all, now), Some(at(30)));
        // Typed while the clock was ahead.
        all[0].at = at(-400);
        let ahead = ["custodian-a (integratieambtenaar)"];
        assert_eq!(missing(&agreement, &all, now), ahead);
        assert_eq!(tried_since(&agreement, &all, now), None);
        all[0].channel = "sms-b".parse().unwrap();
        let moved = ["custodian-a (integratieambtenaar)"];
        assert_eq!(missing(&agreement, &all, now), moved, "the way of today");
        let mut silent = agreement.clone();
        silent.rehearsal.unasked = Some("geen kanalen".into());
        assert_eq!(missing(&silent, &[], now), [""; 0]);
    }
}
