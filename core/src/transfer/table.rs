//! The table, as code: what each event makes of each state.

use std::collections::BTreeSet;

use super::{Envelope, Event, Illegal, Report, Say, Shipment, Stands, State, Step, Work};
use crate::agreement::ReleaseRule;
use crate::evidence::Removal;
use crate::id::{TransferId, UploadId};
use crate::plan::Route;
use crate::policy::Reason;
use crate::share::place;
use crate::statement::Shipped;

impl State {
    /// The table at the head of this module.
    ///
    /// # Errors
    /// [`Illegal`]; the state is as it was.
    pub fn apply(&self, event: Event) -> Result<Step, Illegal> {
        let illegal = Illegal::new(self.name(), event.name());
        let step = match event {
            Event::Withdraw => self.withdraw(),
            Event::Shut => self.shut(),
            Event::Expire => self.expire(),
            Event::Supersede(by) => self.supersede(by),
            Event::Fail { step, code } => self.fail(step, code),
            Event::Exposing(index, removal) => self.expose(index, &removal),
            Event::Shipped(index, stands) => self.ship(index, stands),
            Event::PutOff(index, driver) => self.put_off(index, driver),
            Event::LeftBefore(index) => self.left_before(index),
            Event::Resend(index) => self.resend(index),
            Event::Reported(index, report) => self.reported(index, &report),
            Event::Retry(None) => self.retry(),
            Event::Retry(Some(index)) => self.retry_one(index),
            Event::ShareAccepted(index) => self.accept(index),
            Event::Opened(_) => self.opened(),
            Event::PutBack => self.put_back(),
            event => self.forward(event),
        };
        step.ok_or(illegal)
    }

    /// The straight line, up to the release.
    fn forward(&self, event: Event) -> Option<Step> {
        Some(match (self.clone(), event) {
            (Self::Claimed | Self::Approved { .. }, Event::Sealed(envelope)) => {
                Step::to(Self::Sealed { envelope, upload: None }).say(Say::Sent).work(Work::Place)
            }
            (
                Self::Claimed | Self::Admitted { .. } | Self::Approved { .. },
                Event::Refused(reasons, list),
            ) => Step::to(Self::Refused { reasons, list }),
            (Self::Claimed | Self::Approved { .. }, Event::Held(why)) => {
                Step::to(Self::Held { why })
            }
            (Self::Claimed, Event::Admitted { by, rows, seen }) => {
                Step::to(Self::Admitted { by, rows, seen })
            }
            (Self::Admitted { by, seen, .. }, Event::Approve(uid)) if !by.contains(&uid) => {
                Step::to(Self::Approved { seen }).work(Work::Seal)
            }
            (Self::Sealed { envelope, upload: None }, Event::Placed(upload)) => {
                Step::to(Self::Sealed { envelope, upload: Some(upload) })
                    .work(Work::Carry { upload })
            }
            (Self::Sealed { envelope, upload: Some(made) }, Event::Carried(upload))
                if made == upload =>
            {
                Step::to(Self::Carried { envelope, upload })
            }
            // The municipality may be quicker than the carrier's report, but only of the upload that we made:
            // any other may be gone without ours being so.
            (
                Self::Sealed { envelope, upload: Some(upload) }
                | Self::Carried { envelope, upload },
                Event::Delivered(delivery),
            ) if delivery.upload() == upload => Step::to(Self::Delivered { envelope, upload }),
            (Self::Delivered { envelope, upload }, Event::Removed(removal))
                if removal.upload() == upload =>
            {
                let state = Self::Removed { envelope, upload, probed: false, ready: false };
                Step::to(state).work(Work::Probe { upload })
            }
            (Self::Removed { envelope, upload, probed: false, ready }, Event::Probed(look))
                if look.is_gone() =>
            {
                release_if_due(envelope, upload, true, ready).say(Say::Probed(upload, look))
            }
            (Self::Removed { envelope, upload, probed, ready: false }, Event::Ready) => {
                release_if_due(envelope, upload, probed, true)
            }
            (Self::Opened, Event::Erased) => Step::to(Self::Closed).say(Say::Closed),
            // Erasing after an end changes nothing more.
            (state, Event::Erased) if state.is_over() => Step::to(state),
            // Words that come twice or late change nothing.
            (
                state @ (Self::Delivered { .. }
                | Self::Removed { .. }
                | Self::Releasing { .. }
                | Self::Released { .. }),
                Event::Carried(_),
            ) => Step::to(state),
            (state @ (Self::Releasing { .. } | Self::Released { .. }), Event::Ready) => {
                Step::to(state)
            }
            _ => return None,
        })
    }

    fn expose(&self, at: u8, removal: &Removal) -> Option<Step> {
        let Self::Releasing { envelope, shares } = self else { return None };
        let _proof: &Removal = removal;
        if !keeps_rule_two(envelope, shares, at) {
            return None;
        }
        self.with_share(at, Shipment::leave)
    }

    fn left_before(&self, index: u8) -> Option<Step> {
        let Self::Releasing { envelope, shares } = self else { return None };
        let kept = keeps_rule_two(envelope, shares, index);
        kept.then(|| self.with_share(index, Shipment::left_before)).flatten()
    }

    fn ship(&self, index: u8, outcome: Stands) -> Option<Step> {
        let Self::Releasing { .. } = self else { return None };
        let step = self.with_share(index, |share| share.ship(outcome))?;
        let lost =
            |share: &Shipment| matches!(share.stands, Stands::Unknown { .. }) && share.resends > 0;
        let again = step.state.share(index).is_some_and(lost);
        Some(if again { step.work(Work::Resend { index }) } else { step })
    }

    fn put_off(&self, index: u8, driver: String) -> Option<Step> {
        let Self::Releasing { envelope, .. } = self else { return None };
        self.with_share(index, |share| share.put_off(driver, envelope.deferrals))
    }

    fn resend(&self, index: u8) -> Option<Step> {
        let Self::Releasing { .. } = self else { return None };
        Some(self.with_share(index, Shipment::resend)?.work(Work::Release { index }))
    }

    fn reported(&self, index: u8, report: &Report) -> Option<Step> {
        match self {
            Self::Releasing { .. } | Self::Released { .. } => {
                self.with_share(index, |share| Some(share.reported(report)))
            }
            // The quickest custodian types before the operator reports.
            Self::Opened | Self::Closed => Some(Step::to(self.clone())),
            _ => None,
        }
    }

    /// One share moves; the release is said when no other is under way.
    fn with_share(
        &self,
        index: u8,
        change: impl FnOnce(&Shipment) -> Option<Shipment>,
    ) -> Option<Step> {
        let changed = change(self.share(index)?)?;
        match self.clone() {
            Self::Releasing { envelope, mut shares } => {
                shares[place(index)?] = changed;
                Some(Step::shipping(envelope, shares))
            }
            Self::Released { envelope, mut shares, accepted } => {
                shares[place(index)?] = changed;
                Some(Step::to(Self::Released { envelope, shares, accepted }))
            }
            _ => None,
        }
    }

    /// A line that was typed was out, whatever its provider or this store says (rule 2).
    fn accept(&self, index: u8) -> Option<Step> {
        match self.clone() {
            Self::Released { envelope, mut shares, mut accepted } => {
                let share = shares.get_mut(place(index)?)?;
                *share = share.typed();
                accepted.insert(index);
                Some(Step::to(Self::Released { envelope, shares, accepted }))
            }
            // The quickest custodian types before the last provider answers.
            Self::Releasing { .. } => self.with_share(index, |share| Some(share.typed())),
            Self::Failed { step, code, was } => {
                // It may have been the last one under way: that is said, whatever failed.
                let taken = was.accept(index)?;
                let was = Box::new(taken.state);
                Some(Step { state: Self::Failed { step, code, was }, ..taken })
            }
            state @ (Self::Opened | Self::Closed) => Some(Step::to(state)),
            _ => None,
        }
    }

    fn opened(&self) -> Option<Step> {
        // Enough shares may have left before the time was over: the word still counts, all is erased here.
        if matches!(self, Self::Expired) {
            return Some(Step::to(Self::Closed).say(Say::Closed));
        }
        let step = Step::to(Self::Opened).work(Work::Erase);
        match self {
            Self::Released { .. } => Some(step),
            // Enough had left before it failed.
            Self::Failed { was, .. } => was.opened(),
            // A provider that is down does not keep the evidence from being complete.
            Self::Releasing { envelope, shares } => {
                Some(step.say(Say::Released(shipped(envelope, shares))))
            }
            _ => None,
        }
    }

    fn retry(&self) -> Option<Step> {
        match self.clone() {
            Self::Held { .. } => Some(Step::to(Self::Claimed).work(Work::Seal)),
            Self::Failed { was, .. } => match *was {
                was if was.is_unsealed() => Some(Step::to(Self::Claimed).work(Work::Seal)),
                _ => None,
            },
            Self::Released { envelope, mut shares, .. } => {
                let mut work = Vec::new();
                for (index, share) in (1..).zip(&mut shares) {
                    if let Some(again) = share.again().filter(|_| share.is_lost()) {
                        *share = again;
                        work.push(Work::Release { index });
                    }
                }
                (!work.is_empty()).then_some(Step {
                    state: Self::Releasing { envelope, shares },
                    say: Vec::new(),
                    work,
                })
            }
            _ => None,
        }
    }

    /// The custodian lost it, or never got it: the same text goes again, over the same channel.
    fn retry_one(&self, index: u8) -> Option<Step> {
        let (Self::Releasing { envelope, shares } | Self::Released { envelope, shares, .. }) = self
        else {
            return None;
        };
        let mut shares = shares.clone();
        let share = shares.get_mut(place(index)?)?;
        *share = share.again()?;
        let state = Self::Releasing { envelope: envelope.clone(), shares };
        Some(Step::to(state).work(Work::Release { index }))
    }

    fn withdraw(&self) -> Option<Step> {
        let possible = match self {
            Self::Failed { was, .. } if was.is_unsealed() => true,
            state if state.is_unsealed() => true,
            state => state.envelope().is_some_and(|envelope| state.exposed() < envelope.threshold),
        };
        possible.then(|| self.end(Self::Withdrawn).say(Say::Withdrawn(self.exposed())))
    }

    fn shut(&self) -> Option<Step> {
        let shut = |shares: &[Shipment]| shares.iter().map(Shipment::shut).collect();
        if self.exposed() < self.envelope()?.threshold {
            return None;
        }
        match self.clone() {
            Self::Releasing { envelope, shares } => Some(Step::shipping(envelope, shut(&shares))),
            Self::Released { envelope, shares, accepted } => {
                Some(Step::to(Self::Released { envelope, shares: shut(&shares), accepted }))
            }
            _ => None,
        }
    }

    fn expire(&self) -> Option<Step> {
        self.envelope()?;
        Some(self.end(Self::Expired).say(Say::Expired(self.exposed())))
    }

    fn fail(&self, step: &str, code: String) -> Option<Step> {
        if self.is_over() || matches!(self, Self::Opened | Self::Failed { .. }) {
            return None;
        }
        let failed =
            Self::Failed { step: step.to_owned(), code: code.clone(), was: Box::new(self.clone()) };
        Some(Step::to(failed).say(Say::Failed(step.to_owned(), code)))
    }

    /// What was not sealed may have been since, and left: its owner decides. Of what was, every share counts as exposed.
    fn put_back(&self) -> Option<Step> {
        let (step, code) = match self {
            Self::Failed { was, .. } if was.is_unsealed() => return was.put_back(),
            state if state.is_unsealed() => {
                return Some(Step::to(Self::Refused {
                    reasons: vec![Reason::PutBack],
                    list: None,
                }));
            }
            Self::Failed { step, code, .. } => (step.clone(), code.clone()),
            _ => ("restore".to_owned(), "store-put-back".to_owned()),
        };
        let envelope = self.envelope()?.clone();
        let shares = vec![Shipment::lost_from_sight(); envelope.routes.len()];
        let was = Box::new(Self::Released { envelope, shares, accepted: BTreeSet::new() });
        let mut told = Step::to(Self::Failed { step: step.clone(), code: code.clone(), was });
        if !matches!(self, Self::Failed { .. }) {
            told = told.say(Say::Failed(step, code));
        }
        Some(match self.upload() {
            Some(upload) => told.work(Work::Terminate { upload }),
            None => told,
        })
    }

    fn supersede(&self, by: TransferId) -> Option<Step> {
        let ended = matches!(self, Self::Failed { .. } | Self::Expired | Self::Withdrawn);
        (ended || self.envelope().is_some())
            .then(|| self.end(Self::Superseded { by }).say(Say::Superseded(by)))
    }

    /// An end that erases what is here and in the drop zone.
    fn end(&self, state: Self) -> Step {
        let mut step = Step::to(state).work(Work::Erase);
        if let Some(upload) = self.upload() {
            step = step.work(Work::Terminate { upload });
        }
        step
    }
}

impl Step {
    fn to(state: State) -> Self {
        Self { state, say: Vec::new(), work: Vec::new() }
    }
    /// Shares on their way; the release is said when none is any more.
    fn shipping(envelope: Envelope, shares: Vec<Shipment>) -> Self {
        if !shares.iter().all(Shipment::is_settled) {
            return Self::to(State::Releasing { envelope, shares });
        }
        let say = Say::Released(shipped(&envelope, &shares));
        Self::to(State::Released { envelope, shares, accepted: BTreeSet::new() }).say(say)
    }
    fn say(mut self, say: Say) -> Self {
        self.say.push(say);
        self
    }
    fn work(mut self, work: Work) -> Self {
        self.work.push(work);
        self
    }
}

fn release_if_due(envelope: Envelope, upload: UploadId, probed: bool, ready: bool) -> Step {
    if !probed || (envelope.release == ReleaseRule::WhenReady && !ready) {
        return Step::to(State::Removed { envelope, upload, probed, ready });
    }
    let shares = vec![Shipment::new(envelope.resends); envelope.routes.len()];
    let work = envelope.routes.iter().map(|route| Work::Release { index: route.index }).collect();
    Step { state: State::Releasing { envelope, shares }, say: Vec::new(), work }
}

/// Rule 2 once more, on what is exposed in fact: no channel and no group reaches t.
fn keeps_rule_two(envelope: &Envelope, shares: &[Shipment], index: u8) -> bool {
    let Some(next) = envelope.routes.iter().find(|route| route.index == index) else {
        return false;
    };
    let exposed = || {
        let pairs = envelope.routes.iter().zip(shares);
        pairs
            .filter(|(route, share)| share.is_exposed() || route.index == index)
            .map(|(route, _)| route)
    };
    let same_channel = exposed().filter(|route| route.channel == next.channel).count();
    let same_group = exposed().filter(|route| route.group == next.group).count();
    same_channel.max(same_group) < usize::from(envelope.threshold)
}

pub(super) fn shipped(envelope: &Envelope, shares: &[Shipment]) -> Vec<Shipped> {
    let one = |(route, share): (&Route, &Shipment)| {
        let (outcome, driver, message) = match &share.stands {
            Stands::Accepted { driver, message } => ("accepted", driver.as_str(), message.clone()),
            Stands::Rejected { driver, .. } => ("rejected", driver.as_str(), None),
            Stands::Unknown { driver } => ("unknown", driver.as_str(), None),
            Stands::Waiting | Stands::Leaving => ("unknown", "?", None),
        };
        Shipped {
            index: route.index,
            channel: route.channel.to_string(),
            driver: driver.to_owned(),
            outcome: outcome.to_owned(),
            message,
        }
    };
    envelope.routes.iter().zip(shares).map(one).collect()
}
