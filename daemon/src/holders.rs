//! Users and groups as `sluis.toml` names them: users by number or name, groups as `@name`.
//!
//! Groups are those of `/etc/group` and the user's own of `/etc/passwd`, as they are at that moment. Nobody is above it,
//! root neither. And who of them has which duty.

use std::collections::BTreeMap;

use sluis_config::schema::Owner;
use sluis_core::agreement::Side;
use sluis_core::duty::Duty;

use crate::accounts;
use crate::error::{CoreError, Result};

/// A user or the members of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Holder {
    User(u32),
    Group(String),
}

/// Some users, by themselves or as members of groups: those who stand on each of these lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holders(Vec<Vec<Holder>>);

impl Holders {
    /// Those whom this key of `sluis.toml` names.
    ///
    /// # Errors
    /// [`CoreError::Refused`] where a user or group is none on this machine.
    pub fn of(key: &str, owners: &[Owner]) -> Result<Self> {
        let list = owners.iter().map(|owner| holder(key, owner)).collect::<Result<_>>()?;
        Ok(Self(vec![list]))
    }
    /// Whether this user is one of them.
    #[must_use]
    pub fn has(&self, uid: u32) -> bool {
        self.0.iter().all(|list| {
            list.iter().any(|holder| match holder {
                Holder::User(user) => *user == uid,
                Holder::Group(group) => accounts::is_member(uid, group),
            })
        })
    }
}

fn holder(key: &str, owner: &Owner) -> Result<Holder> {
    let missing = |what: &str, name: &str| {
        CoreError::to_gate("holder", format!("{key}: there is no {what} {name} on this machine"))
    };
    match owner {
        Owner::Uid(uid) => Ok(Holder::User(*uid)),
        Owner::Name(name) => match name.strip_prefix('@') {
            Some(group) if accounts::group_id(group).is_some() => {
                Ok(Holder::Group(group.to_owned()))
            }
            Some(group) => Err(missing("group", group)),
            None => accounts::user_id(name).map(Holder::User).ok_or_else(|| missing("user", name)),
        },
    }
}

/// Who has which duty; nobody has one that nothing says of.
#[derive(Debug, Clone, Default)]
pub struct Duties(BTreeMap<Duty, Holders>);

impl Duties {
    /// As `[duties]` says at the core of this side.
    ///
    /// # Errors
    /// [`CoreError::Refused`] where a user or group is none here.
    pub fn new(configured: &BTreeMap<Duty, Vec<Owner>>, side: Side) -> Result<Self> {
        let mut held = BTreeMap::new();
        for (duty, owners) in configured {
            held.insert(*duty, Holders::of("[duties]", owners)?);
        }
        let ours = Duty::ALL.iter().filter(|duty| duty.is_of(side));
        for duty in ours.filter(|duty| !held.contains_key(duty)) {
            tracing::info!(duty = duty.name(), "nobody has this duty");
        }
        Ok(Self(held))
    }

    /// Those of them who have the duty too.
    #[must_use]
    pub fn narrow(&self, mut holders: Holders, duty: Duty) -> Holders {
        let lists = self.0.get(&duty).map_or_else(|| vec![Vec::new()], |it| it.0.clone());
        holders.0.extend(lists);
        holders
    }

    /// Whether this user has the duty. Whoever has any may look.
    #[must_use]
    pub fn has(&self, uid: u32, duty: Duty) -> bool {
        match duty {
            Duty::View => self.0.values().any(|holders| holders.has(uid)),
            duty => self.0.get(&duty).is_some_and(|holders| holders.has(uid)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_count_by_number_or_name_and_groups_by_their_members_and_their_own() {
        let name = |text: &str| Owner::Name(text.to_owned());
        let root = Holders::of("sealer.owners", &[name("@root")]).unwrap();
        assert!(root.has(0), "its own group");
        assert!(!root.has(4_000_000));
        let two = Holders::of("sealer.owners", &[name("root"), Owner::Uid(4_000_000)]).unwrap();
        assert!(two.has(0) && two.has(4_000_000) && !two.has(4_000_001));
        for nobody in ["@niemand-hier", "niemand-hier"] {
            let refused = Holders::of("sealer.owners", &[name(nobody)]).unwrap_err().to_string();
            assert!(
                refused.contains("sealer.owners") && refused.contains("niemand-hier"),
                "{refused}"
            );
        }
    }
}
