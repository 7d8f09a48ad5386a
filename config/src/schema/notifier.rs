//! How reminders leave: the mail server, and who gets them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use sluis_core::id::AgreementId;
use sluis_core::words;
use sluis_core::words::Words;

/// The most addresses in one list.
const MOST: usize = 20;

/// `[notifier]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Notifier {
    /// The mail server, `host:port`. Its certificate must be right for that host.
    pub smtp: String,
    /// How TLS begins; there is no mail without it.
    #[serde(default)]
    pub tls: SmtpTls,
    /// The only certificate of an authority that counts, as a PEM file; the machine's where it is missing.
    pub ca: Option<PathBuf>,
    /// The account, where the server wants one; its password is the credential `smtp-password`.
    pub user: Option<String>,
    /// Who mails: an address, or `Name <address>`.
    pub from: String,
    /// Who is told.
    pub to: Vec<String>,
    /// The data protection officers, who are told of incidents too; those of `to` where it is missing.
    #[serde(default)]
    pub dpo: Vec<String>,
    /// Others for an agreement.
    #[serde(default)]
    pub agreements: BTreeMap<AgreementId, Addresses>,
}

/// How TLS begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SmtpTls {
    /// With the connection (port 465, RFC 8314).
    #[default]
    Wrapper,
    /// After a word in the clear (port 587); without it nothing is sent.
    Starttls,
}

/// `[notifier.agreements.<name>]`; what is empty is as in `[notifier]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Addresses {
    /// Who is told.
    pub to: Vec<String>,
    /// The data protection officers.
    pub dpo: Vec<String>,
}

impl Notifier {
    /// The mail server's host and port.
    #[must_use]
    pub fn server(&self) -> Option<(&str, u16)> {
        let (host, port) = self.smtp.rsplit_once(':')?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        Some((host, port.parse().ok()?)).filter(|(host, _)| !host.is_empty())
    }

    /// What must be so beyond the form; addresses are read by whoever sends to them.
    ///
    /// # Errors
    /// What is wrong, for people.
    pub fn check(&self) -> Result<(), Words> {
        if self.server().is_none() {
            return Err(words!(
                "smtp = {:?}: een host en een poort, zoals mail.example:465",
                "smtp = {:?}: a host and a port, such as mail.example:465",
                self.smtp
            ));
        }
        if self.to.is_empty() {
            return Err(words!("to: minstens één adres", "to: at least one address"));
        }
        let lists = self.agreements.values().flat_map(|it| [&it.to, &it.dpo]);
        match lists.chain([&self.to, &self.dpo]).all(|list| list.len() <= MOST) {
            true => Ok(()),
            false => Err(words!(
                "hoogstens {MOST} adressen in een lijst: een mailinglijst heeft er meer",
                "at most {MOST} addresses in a list: a mailing list has more"
            )),
        }
    }

    /// Every address that stands here.
    pub fn addresses(&self) -> impl Iterator<Item = &str> {
        let lists = self.agreements.values().flat_map(|it| [&it.to, &it.dpo]);
        lists.chain([&self.to, &self.dpo]).flatten().map(String::as_str)
    }

    /// Who is told, each once: those of the agreement where it names some.
    #[must_use]
    pub fn recipients(&self, agreement: Option<&AgreementId>, with_dpo: bool) -> Vec<&str> {
        let own = agreement.and_then(|name| self.agreements.get(name));
        let to = own.map(|it| &it.to).filter(|list| !list.is_empty()).unwrap_or(&self.to);
        let dpo = own.map(|it| &it.dpo).filter(|list| !list.is_empty()).unwrap_or(&self.dpo);
        let mut all: Vec<&str> = to.iter().map(String::as_str).collect();
        for address in dpo.iter().filter(|_| with_dpo) {
            if !all.contains(&address.as_str()) {
                all.push(address);
            }
        }
        all
    }
}
