//! Users and groups of this machine, from `/etc/passwd` and `/etc/group`, as they are at that moment.

/// The name of a user, from `/etc/passwd`.
#[must_use]
pub fn user_name(uid: u32) -> Option<String> {
    accounts("/etc/passwd").into_iter().find(|(_, id)| *id == uid).map(|(name, _)| name)
}

/// The number of a user.
#[must_use]
pub fn user_id(name: &str) -> Option<u32> {
    accounts("/etc/passwd").into_iter().find(|(known, _)| known == name).map(|(_, id)| id)
}

/// The number of a group.
#[must_use]
pub fn group_id(name: &str) -> Option<u32> {
    accounts("/etc/group").into_iter().find(|(known, _)| known == name).map(|(_, id)| id)
}

/// Whether a user is in a group, by its own group or as a member.
#[must_use]
pub fn is_member(uid: u32, group: &str) -> bool {
    let own = || {
        let gid = group_id(group)?.to_string();
        let text = std::fs::read_to_string("/etc/passwd").ok()?;
        let uid = uid.to_string();
        let mut fields = text.lines().map(|line| line.split(':').collect::<Vec<_>>());
        fields.find(|it| it.get(2) == Some(&uid.as_str()))?.get(3).map(|own| **own == *gid)
    };
    let listed = || {
        let text = std::fs::read_to_string("/etc/group").ok()?;
        let name = user_name(uid)?;
        let line = text.lines().find(|line| line.split(':').next() == Some(group))?;
        Some(line.split(':').nth(3)?.split(',').any(|member| member == name))
    };
    own() == Some(true) || listed() == Some(true)
}

fn accounts(file: &str) -> Vec<(String, u32)> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let account = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next()?.to_owned();
        Some((name, fields.nth(1)?.parse().ok()?))
    };
    text.lines().filter_map(account).collect()
}
