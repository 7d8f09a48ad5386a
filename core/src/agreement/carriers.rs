//! Who carries the file and the shares, by the register of processors (art. 6, R31, R32 and R58).

use super::articles::Processor;
use super::{Agreement, Channel, DropZone};
use crate::id::ChannelId;

impl Processor {
    /// Whether its contract covers this channel: by name, or by group.
    pub(super) fn carries(&self, channel: &Channel) -> bool {
        same(&self.name, &channel.provider) || self.groups.contains(&channel.group)
    }
    /// Whether it may have this drop zone: by name, or by address.
    pub(super) fn holds(&self, zone: &DropZone) -> bool {
        same(&self.name, &zone.operator) || self.has(zone)
    }
    /// Whether its contract covers this drop zone: by address, or by name where it gives no hosts.
    pub(super) fn covers(&self, zone: &DropZone) -> bool {
        self.has(zone) || self.hosts.is_empty() && self.holds(zone)
    }
    fn has(&self, zone: &DropZone) -> bool {
        let hosts: Vec<&str> = self.hosts.iter().map(String::as_str).collect();
        is_among(&hosts, zone.host.as_str())
    }
}

impl Agreement {
    /// Whether somebody of this name is one of the two parties: whoever carries for itself stands in no register.
    #[must_use]
    pub fn is_party(&self, name: &str) -> bool {
        same(name, &self.agency.name) || same(name, &self.municipality.name)
    }
    /// The hosts of whoever carries this channel, `host` or `host:port`; none where the register gives none.
    #[must_use]
    pub fn hosts_of(&self, channel: &ChannelId) -> Vec<&str> {
        let Some(channel) = self.channel(channel) else { return Vec::new() };
        let carriers = self.processors.iter().filter(|known| known.carries(channel));
        carriers.flat_map(|known| &known.hosts).map(String::as_str).collect()
    }
}

/// Whether an address, `host` or `host:port`, is one of these; one of them without a port is any port of that host.
#[must_use]
pub fn is_among(hosts: &[&str], address: &str) -> bool {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    hosts.iter().any(|it| it.eq_ignore_ascii_case(address) || it.eq_ignore_ascii_case(host))
}

/// Whether two names are one, for whoever reads them.
pub(super) fn same(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_goes_to_the_hosts_of_whoever_carries_it_by_name_or_group_and_to_no_other() {
        let text = include_str!("../../../config/examples/agreements/mechelen.toml");
        let mut agreement: Agreement = toml::from_str(text).unwrap();
        let (a, b) = ("sms-a".parse().unwrap(), "sms-b".parse().unwrap());
        assert_eq!(agreement.hosts_of(&a), ["api.sms-a.example"]);
        assert_eq!(agreement.hosts_of(&"elsewhere".parse().unwrap()), [""; 0]);
        let of = |name: &str| {
            let found = agreement.processors.iter().position(|it| it.name.starts_with(name));
            found.unwrap()
        };
        let (first, second) = (of("SMS-A"), of("SMS-B"));
        agreement.processors[second].hosts.clear();
        assert_eq!(agreement.hosts_of(&b), [""; 0]);
        agreement.processors[first].groups.push("groep-b".parse().unwrap());
        assert_eq!(agreement.hosts_of(&b), ["api.sms-a.example"], "its contract covers that group");
    }

    #[test]
    fn a_drop_zone_stands_at_a_host_of_its_operator_where_the_register_gives_any() {
        let text = include_str!("../../../config/examples/agreements/mechelen.toml");
        let agreement: Agreement = toml::from_str(text).unwrap();
        let zone = &agreement.drop_zone;
        let mut known = agreement.processors[0].clone();
        known.name.clone_from(&zone.operator);
        for (hosts, covered) in
            [(vec![], true), (vec![zone.host.as_str()], true), (vec!["elsewhere.example"], false)]
        {
            known.hosts = hosts.into_iter().map(str::to_owned).collect();
            assert_eq!((known.holds(zone), known.covers(zone)), (true, covered));
        }
    }

    #[test]
    fn an_address_is_one_of_the_hosts_whole_or_on_any_port() {
        let hosts = ["api.sms-a.example", "127.0.0.1:8080"];
        for good in
            ["api.sms-a.example", "API.sms-a.example", "api.sms-a.example:8443", "127.0.0.1:8080"]
        {
            assert!(is_among(&hosts, good), "{good}");
        }
        for bad in [
            "",
            ":443",
            "sms-a.example",
            "api.sms-a.example.evil.example",
            "x.api.sms-a.example",
            "127.0.0.1",
            "127.0.0.1:80",
        ] {
            assert!(!is_among(&hosts, bad), "{bad}");
        }
    }
}
