//! Who gets which share over which channel, and whether that can be trusted (art. 6, R31-R33).
//!
//! Rule 2: no channel, provider or group ever carries t shares of one transfer. With m independent groups
//! that needs n <= m (t - 1): 2-of-2 needs two groups, 2-of-3 needs three.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::agreement::keys::KeysError;
use crate::agreement::{Agreement, ChannelKind, Contacts, KeyRules, is_telephone, is_to_call};
use crate::id::{ChannelId, CustodianId, GroupId};
use crate::share;
use crate::words::Words;

/// The route of one share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// The share's number, 1 to n.
    pub index: u8,
    /// Whose it is.
    pub custodian: CustodianId,
    /// Over which channel it goes.
    pub channel: ChannelId,
    /// The group of that channel's provider.
    pub group: GroupId,
}

/// The routes of all shares of one transfer. Only [`Plan::make`] makes one, so each obeys rule 2.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// How many shares open the envelope.
    pub threshold: u8,
    /// One route a share, in the order of the index.
    pub routes: Vec<Route>,
}

/// A plan that rule 2 or article 6 forbids, and what would mend it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Outside 2 <= t <= n <= 16.
    #[error("art. 6: {0}")]
    Bounds(#[from] share::ShareError),
    /// A custodian's channel is not in the list.
    #[error("custodian {0} has channel {1}, which is not among key.channels")]
    UnknownChannel(CustodianId, ChannelId),
    /// The same name twice.
    #[error("{0} stands twice where each name may stand once: take one of them out")]
    Twice(String),
    /// One carrier would hold enough to open the envelope.
    #[error(
        "art. 6: {what} {name} would carry {carried} of the {threshold} shares that open the envelope. \
         {groups} independent groups carry at most {most} shares of a {threshold}-of-n split; {shares} are asked \
         for: add a channel of another group, or fewer custodians"
    )]
    TooMuch {
        /// `group`, `channel`, `provider` or `phone`.
        what: &'static str,
        /// Which.
        name: String,
        /// How many it would carry.
        carried: usize,
        /// How many open the envelope.
        threshold: u8,
        /// How many groups there are.
        groups: usize,
        /// n <= m (t - 1).
        most: usize,
        /// How many shares there are.
        shares: usize,
    },
    /// Not SMS, and no reason why (R33).
    #[error("art. 6: channel {0} is not SMS; say why in its `reason`")]
    ReasonMissing(ChannelId),
    /// A key that is none, or a number with another count of keys than one.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The agency does not know where to reach a custodian.
    #[error("custodian {0} has no number in the contacts file")]
    NoNumber(CustodianId),
    /// A number that one channel reads otherwise than another: the number itself does not belong in an error.
    #[error(
        "art. 6: what the contacts file has for custodian {0} is no telephone number, and channel {1} is no folder: write `+`, \
         the country and the number, 8 to 15 digits with nothing between, as in +32470123456"
    )]
    NoTelephone(CustodianId, ChannelId),
    /// A former number is to be told, and nobody is named who can be called about it.
    #[error(
        "art. 6: [former] is told that there is a new number; say in `call` whom to call, a telephone number of 4 to 15 digits"
    )]
    NobodyToCall,
}

impl PlanError {
    /// The same for people.
    #[must_use]
    pub fn words(&self) -> Words {
        let nl = match self {
            Self::Bounds(error) => format!("art. 6: {}", error.words().nl),
            Self::UnknownChannel(custodian, channel) => {
                format!("bewaarder {custodian} heeft kanaal {channel}, dat niet in key.channels staat")
            }
            Self::Twice(name) => {
                format!("{name} staat tweemaal waar elke naam één keer mag staan: haal er een weg")
            }
            Self::TooMuch { what, name, carried, threshold, groups, most, shares } => {
                let (what, name) = match *what {
                    "group" => ("groep", name.as_str()),
                    "channel" => ("kanaal", name.as_str()),
                    "provider" => ("aanbieder", name.as_str()),
                    // The number itself does not belong in an error.
                    _ => ("telefoon", "(nummer niet getoond)"),
                };
                format!(
                    "art. 6: {what} {name} zou {carried} dragen van de {threshold} delen die de envelop openen. {groups} \
                     onafhankelijke groepen dragen hoogstens {most} delen van een {threshold}-van-n; er worden er {shares} \
                     gevraagd: voeg een kanaal van een andere groep toe, of neem minder bewaarders"
                )
            }
            Self::ReasonMissing(channel) => {
                format!("art. 6: kanaal {channel} is geen SMS; zeg waarom in zijn `reason`")
            }
            Self::Keys(error) => error.words().nl,
            Self::NoNumber(custodian) => {
                format!("bewaarder {custodian} heeft geen nummer in het contactenbestand")
            }
            Self::NoTelephone(custodian, channel) => format!(
                "art. 6: wat het contactenbestand voor bewaarder {custodian} heeft is geen telefoonnummer, en kanaal {channel} is geen \
                 map: schrijf `+`, het land en het nummer, 8 tot 15 cijfers met niets ertussen, zoals +32470123456"
            ),
            Self::NobodyToCall => "art. 6: aan [former] wordt gemeld dat er een nieuw nummer is; zeg in `call` wie gebeld \
                 kan worden, een telefoonnummer van 4 tot 15 cijfers"
                .to_owned(),
        };
        Words { nl, en: self.to_string() }
    }
}

impl Plan {
    /// The plan of an agreement.
    ///
    /// # Errors
    /// [`PlanError`]: the agreement is not taken into use.
    pub fn make(rules: &KeyRules) -> Result<Self, PlanError> {
        let shares = u8::try_from(rules.custodians.len()).unwrap_or(u8::MAX);
        share::check_bounds(rules.threshold, shares)?;
        unique(rules.channels.iter().map(|channel| channel.id.as_str()))?;
        unique(rules.custodians.iter().map(|custodian| custodian.id.as_str()))?;
        for channel in &rules.channels {
            let reason = channel.reason.as_deref().unwrap_or_default().trim();
            if channel.kind == ChannelKind::Other && reason.is_empty() {
                return Err(PlanError::ReasonMissing(channel.id.clone()));
            }
        }
        let mut routes = Vec::new();
        let mut providers = Vec::new();
        for (index, custodian) in (1..).zip(&rules.custodians) {
            let channel = rules.channels.iter().find(|channel| channel.id == custodian.channel);
            let channel = channel.ok_or_else(|| {
                PlanError::UnknownChannel(custodian.id.clone(), custodian.channel.clone())
            })?;
            providers.push(channel.provider.to_lowercase());
            routes.push(Route {
                index,
                custodian: custodian.id.clone(),
                channel: channel.id.clone(),
                group: channel.group.clone(),
            });
        }
        let plan = Self { threshold: rules.threshold, routes };
        let channels = plan.routes.iter().map(|route| route.channel.as_str());
        plan.nobody_has_enough("channel", channels, None)?;
        plan.nobody_has_enough("provider", providers.iter().map(String::as_str), None)?;
        // Whoever runs a channel and a telephone sees the share of either, and one share once.
        let groups = plan.routes.iter().zip(&rules.custodians).flat_map(|(route, custodian)| {
            let phone = custodian.phone_group.as_ref().filter(|group| **group != route.group);
            [Some(&route.group), phone].into_iter().flatten().map(GroupId::as_str)
        });
        let independent: BTreeSet<&GroupId> = plan.routes.iter().map(|it| &it.group).collect();
        plan.nobody_has_enough("group", groups, Some(independent.len()))?;
        Ok(plan)
    }

    /// Holds the numbers against rule 2: everybody has one, and no phone gets enough shares.
    ///
    /// # Errors
    /// [`PlanError::NoNumber`], [`PlanError::NobodyToCall`], [`PlanError::TooMuch`].
    pub fn check_contacts(&self, contacts: &Contacts) -> Result<(), PlanError> {
        let number = |route: &Route| {
            let number = contacts.numbers.get(&route.custodian);
            number
                .map(|number| telephone(number))
                .ok_or_else(|| PlanError::NoNumber(route.custodian.clone()))
        };
        let numbers: Vec<String> = self.routes.iter().map(number).collect::<Result<_, _>>()?;
        // The number itself does not belong in an error.
        if !contacts.former.is_empty() && !contacts.call.as_deref().is_some_and(is_to_call) {
            return Err(PlanError::NobodyToCall);
        }
        self.nobody_has_enough("phone", numbers.iter().map(String::as_str), None).map_err(|error| {
            match error {
                PlanError::TooMuch { what, carried, threshold, groups, most, shares, .. } => {
                    PlanError::TooMuch {
                        what,
                        name: "(number not shown)".into(),
                        carried,
                        threshold,
                        groups,
                        most,
                        shares,
                    }
                }
                other => other,
            }
        })
    }

    /// Holds the numbers of the channels that are no folders against the one form of a telephone number: two ways to write
    /// one are two telephones to rule 2, and one to whoever dials.
    ///
    /// # Errors
    /// [`PlanError::NoTelephone`].
    pub fn check_telephones(
        &self,
        contacts: &Contacts,
        folders: &BTreeSet<ChannelId>,
    ) -> Result<(), PlanError> {
        let dialled = self.routes.iter().filter(|route| !folders.contains(&route.channel));
        for route in dialled {
            if !contacts.numbers.get(&route.custodian).is_some_and(|number| is_telephone(number)) {
                return Err(PlanError::NoTelephone(route.custodian.clone(), route.channel.clone()));
            }
        }
        Ok(())
    }

    /// How many shares there are.
    #[must_use]
    pub fn shares(&self) -> u8 {
        u8::try_from(self.routes.len()).unwrap_or(u8::MAX)
    }

    fn nobody_has_enough<'a>(
        &self,
        what: &'static str,
        carriers: impl Iterator<Item = &'a str>,
        independent: Option<usize>,
    ) -> Result<(), PlanError> {
        let mut carried: BTreeMap<&str, usize> = BTreeMap::new();
        carriers.for_each(|carrier| *carried.entry(carrier).or_default() += 1);
        let groups = independent.unwrap_or(carried.len());
        match carried.iter().find(|(_, count)| **count >= usize::from(self.threshold)) {
            None => Ok(()),
            Some((name, count)) => Err(PlanError::TooMuch {
                what,
                name: (*name).to_owned(),
                carried: *count,
                threshold: self.threshold,
                groups,
                most: groups * usize::from(self.threshold - 1),
                shares: self.routes.len(),
            }),
        }
    }
}

/// Checks an agreement as a whole: plan, parties, what one file can contradict itself in.
///
/// # Errors
/// What is wrong, for people.
pub fn check(agreement: &Agreement) -> Result<Plan, PlanError> {
    let plan = Plan::make(&agreement.key)?;
    unique(agreement.data.columns.iter().map(|column| column.name.as_str()))?;
    unique(agreement.access.profiles.iter().map(|profile| profile.id.as_str()))?;
    if agreement.agency.id == agreement.municipality.id {
        return Err(PlanError::Twice(agreement.agency.id.to_string()));
    }
    agreement.keys.check()?;
    Ok(plan)
}

/// The telephone behind a number, however it is written; of a folder's owner, the name.
fn telephone(number: &str) -> String {
    let plain: String = number.chars().filter(|c| !c.is_whitespace()).collect();
    let written = plain.chars().all(|c| c.is_ascii_digit() || "+-./()".contains(c));
    let digits: String = plain.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.trim_start_matches('0');
    if written && digits.len() >= 8 { digits.to_owned() } else { plain }
}

fn unique<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), PlanError> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(PlanError::Twice(name.to_owned()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::agreement::{Channel, Custodian, ReleaseRule};
    use crate::id::Salt;
    use crate::words::Language;

    /// `channels` gives the group of each channel; `custodians` the channel of each custodian.
    fn rules(threshold: u8, channels: &[&str], custodians: &[usize]) -> KeyRules {
        KeyRules {
            threshold,
            release: ReleaseRule::AfterRemoval,
            channels: channels
                .iter()
                .enumerate()
                .map(|(i, group)| Channel {
                    id: format!("c{i}").parse().unwrap(),
                    provider: format!("provider {i}"),
                    group: group.parse().unwrap(),
                    kind: ChannelKind::Sms,
                    reason: None,
                })
                .collect(),
            custodians: custodians
                .iter()
                .enumerate()
                .map(|(i, channel)| Custodian {
                    id: format!("p{i}").parse().unwrap(),
                    profile: "integratie".into(),
                    channel: format!("c{channel}").parse().unwrap(),
                    language: Language::Nl,
                    phone_group: None,
                    valid_until: None,
                })
                .collect(),
        }
    }

    #[test]
    fn two_of_three_over_three_groups_is_the_smallest_with_a_spare() {
        assert!(Plan::make(&rules(2, &["a", "b", "c"], &[0, 1, 2])).is_ok());
        assert!(Plan::make(&rules(2, &["a", "b"], &[0, 1])).is_ok());
        let refused = Plan::make(&rules(2, &["a", "b"], &[0, 1, 1])).unwrap_err();
        assert!(refused.to_string().contains("at most 2 shares"), "{refused}");
    }

    #[test]
    fn two_providers_under_one_owner_count_as_one() {
        let refused = Plan::make(&rules(2, &["owner", "owner", "c"], &[0, 1, 2])).unwrap_err();
        assert!(matches!(refused, PlanError::TooMuch { what: "group", .. }), "{refused}");
        assert!(refused.words().nl.contains("groep owner zou 2 dragen"), "{:?}", refused.words());
    }

    #[test]
    fn whoever_has_the_telephones_counts_with_whoever_has_the_channels() {
        let mut rules = rules(2, &["a", "b", "c"], &[0, 1, 2]);
        let of = |rules: &mut KeyRules, groups: [&str; 3]| {
            for (custodian, group) in rules.custodians.iter_mut().zip(groups) {
                custodian.phone_group = (!group.is_empty()).then(|| group.parse().unwrap());
            }
            Plan::make(rules).map(|_| ()).map_err(|error| error.to_string())
        };
        assert_eq!(of(&mut rules, ["x", "y", "z"]), Ok(()));
        assert_eq!(of(&mut rules, ["a", "b", "c"]), Ok(()), "each sees one share twice");
        let two = of(&mut rules, ["x", "x", ""]).unwrap_err();
        assert!(two.contains("group x would carry 2 of the 2 shares"), "{two}");
        let both = of(&mut rules, ["", "", "a"]).unwrap_err();
        assert!(both.contains("group a would carry 2 of the 2 shares"), "{both}");
    }

    #[test]
    fn one_provider_under_two_group_names_is_seen_too() {
        let mut rules = rules(2, &["a", "b"], &[0, 1]);
        rules.channels[1].provider = "PROVIDER 0".into();
        assert!(matches!(Plan::make(&rules), Err(PlanError::TooMuch { what: "provider", .. })));
    }

    #[test]
    fn one_phone_with_two_shares_is_refused_without_naming_it() {
        let plan = Plan::make(&rules(2, &["a", "b", "c"], &[0, 1, 2])).unwrap();
        let contacts = |third: &str| Contacts {
            salt: Salt::random(),
            former: BTreeMap::new(),
            call: None,
            numbers: [("p0", "+32470000001"), ("p1", "+32470000002"), ("p2", third)]
                .map(|(id, number)| (id.parse().unwrap(), number.to_owned()))
                .into(),
        };
        assert!(plan.check_contacts(&contacts("+32470000003")).is_ok());
        for same in ["+32 470 00 00 01", "32470000001", "+32-470-00.00.01", "0032470000001"] {
            let refused = plan.check_contacts(&contacts(same)).unwrap_err().words();
            for (said, what) in [(&refused.en, "phone"), (&refused.nl, "telefoon")] {
                assert!(said.contains(what) && !said.contains("470"), "{said}");
            }
        }
        // Whoever dials takes one form, and a folder any name.
        let folders = |ids: &[&str]| ids.iter().map(|id| id.parse().unwrap()).collect();
        let held = |third, ids: &[&str]| plan.check_telephones(&contacts(third), &folders(ids));
        for good in ["+32470000003", "+12345678", "+123456789012345"] {
            assert_eq!(held(good, &[]), Ok(()), "{good}");
        }
        let longest = "+1234567890123456";
        for bad in [
            "32470000003",
            "+32 470",
            "+32-470000003",
            "+0032470000003",
            longest,
            "+1234567",
            "",
            "chantal",
        ] {
            let refused = held(bad, &["c0", "c1"]).unwrap_err();
            assert_eq!(
                refused,
                PlanError::NoTelephone("p2".parse().unwrap(), "c2".parse().unwrap())
            );
            for said in [refused.words().nl, refused.words().en] {
                assert!(
                    said.contains("p2") && said.contains("art. 6") && !said.contains("470000"),
                    "{said}"
                );
            }
            assert_eq!(held(bad, &["c2"]), Ok(()), "{bad}");
        }
    }

    #[test]
    fn a_route_that_is_not_sms_needs_a_reason() {
        let mut rules = rules(2, &["a", "b"], &[0, 1]);
        rules.channels[0].kind = ChannelKind::Other;
        assert!(matches!(Plan::make(&rules), Err(PlanError::ReasonMissing(_))));
        rules.channels[0].reason = Some("geen bereik in de kelder".into());
        assert!(Plan::make(&rules).is_ok());
    }

    proptest! {
        #[test]
        fn an_accepted_plan_obeys_rule_two(t in 0_u8..6, groups in prop::collection::vec("[a-d]", 1..5), who in prop::collection::vec(0_usize..5, 0..10)) {
            let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
            if let Ok(plan) = Plan::make(&rules(t, &groups, &who)) {
                prop_assert!(plan.threshold >= 2 && plan.shares() >= plan.threshold);
                for group in &groups {
                    let carried = plan.routes.iter().filter(|r| r.group.as_str() == *group).count();
                    prop_assert!(carried < usize::from(plan.threshold));
                }
                let distinct: BTreeSet<_> = groups.iter().collect();
                prop_assert!(usize::from(plan.shares()) <= distinct.len() * usize::from(plan.threshold - 1));
            }
        }
    }
}
