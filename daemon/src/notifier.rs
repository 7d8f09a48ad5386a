//! The gate that tells persons by e-mail: it asks its core for reminders and hands each to the party's mail server.
//!
//! Never without TLS and a certificate that is right for the server's name. It knows addresses and no transfer beyond its
//! code. What a server answers is told as a number: its words may repeat an address.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use lettre::message::header::{
    ContentTransferEncoding, ContentType, Header, HeaderName, HeaderValue,
};
use lettre::message::{Mailbox, SinglePart};
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::Credentials as Login;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use secrecy::ExposeSecret;
use sluis_config::ConfigError;
use sluis_config::credentials::Credentials;
use sluis_config::schema::{Notifier as Settings, Party, SmtpTls};
use sluis_core::control::{Job, Lane, Outcome, Task};
use sluis_core::id::{AgreementId, Digest};
use sluis_core::reminder::{Mail, Reminder};
use sluis_core::words;
use sluis_core::words::Words;
use tokio_util::sync::CancellationToken;

use crate::desk::{Desk, Worker, work_off};
use crate::faults::leaving;
use crate::medium::poll::{again, never};

/// How long one step of the mail server may take, and all of one reminder.
const STEP: Duration = Duration::from_secs(20);
const MOST: Duration = Duration::from_secs(80);

/// What the role works with.
pub struct Notifier {
    desk: Desk,
    party: Party,
    from: Mailbox,
    settings: Settings,
    server: AsyncSmtpTransport<Tokio1Executor>,
    /// Who has a reminder already that did not reach everybody.
    reached: Mutex<BTreeMap<Digest, BTreeSet<String>>>,
}

impl Notifier {
    /// Over this mail server; the password is the credential `smtp-password`.
    ///
    /// # Errors
    /// [`ConfigError`] where an address, a certificate or the password does not serve.
    pub fn new(
        desk: Desk,
        party: Party,
        settings: Settings,
        credentials: &Credentials,
    ) -> Result<Self, ConfigError> {
        settings.check().map_err(|why| ConfigError::Value { key: "notifier", why })?;
        let wrong = |why: Words| ConfigError::Value { key: "notifier", why };
        let from = settings.from.parse().map_err(|e| {
            wrong(words!("from: geen mailadres («{e}»)", "from: no mail address (\"{e}\")"))
        })?;
        for address in settings.addresses() {
            address.parse::<Mailbox>().map_err(|e| {
                wrong(words!(
                    "{address}: geen mailadres («{e}»)",
                    "{address}: no mail address (\"{e}\")"
                ))
            })?;
        }
        let (host, port) = settings
            .server()
            .ok_or_else(|| wrong(words!("smtp: host:poort", "smtp: host:port")))?;
        let mut tls = TlsParameters::builder(host.to_owned());
        if let Some(path) = &settings.ca {
            let failed =
                |why: Words| wrong(words!("ca {0}: {1}", "ca {0}: {1}", path.display(), why));
            let pem = std::fs::read(path).map_err(|e| failed(Words::io(&e)))?;
            tls = tls.certificate_store(CertificateStore::None);
            tls = tls.add_root_certificate(Certificate::from_pem(&pem).map_err(|e| {
                failed(words!(
                    "geen certificaat als PEM («{e}»)",
                    "no certificate as PEM (\"{e}\")"
                ))
            })?);
        }
        let tls = tls.build().map_err(|e| {
            wrong(words!(
                "`ca` en `tls` dienen niet («{e}»)",
                "`ca` and `tls` do not serve (\"{e}\")"
            ))
        })?;
        let tls = match settings.tls {
            SmtpTls::Wrapper => Tls::Wrapper(tls),
            SmtpTls::Starttls => Tls::Required(tls),
        };
        let mut server = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(port)
            .tls(tls)
            .timeout(Some(STEP));
        if let Some(user) = &settings.user {
            let password = credentials.secret("smtp-password")?;
            let login = Login::new(user.clone(), password.expose_secret().to_owned());
            server = server.credentials(login);
        }
        let server = server.build();
        Ok(Self { desk, party, from, settings, server, reached: Mutex::default() })
    }

    /// Works until stopped.
    pub async fn serve(self, stop: CancellationToken) {
        work_off(&self.desk, None, Lane::Mail, &stop, &self).await;
    }

    async fn remind(&self, reminder: &Reminder, agreement: &AgreementId) -> Outcome {
        let key = reminder.key();
        let mail = reminder.mail((&self.party.name, self.party.id.as_str()), self.party.language);
        let of = reminder.agreement.as_ref().map(|_| agreement);
        let (mut refused, mut left) = (0, None);
        for to in self.settings.recipients(of, reminder.for_dpo()) {
            if self.reached(&key).contains(to) {
                continue;
            }
            match self.send(&mail, to).await {
                Ok(()) => self.reach(key, to),
                Err(Trouble { why, for_good }) => {
                    tracing::warn!(%why, "a reminder was not taken by the mail server");
                    refused += u32::from(for_good);
                    left = left.or((!for_good).then_some(why));
                }
            }
        }
        match left {
            Some(why) => again(why),
            None if self.reached(&key).is_empty() => again(words!(
                "de mailserver weigert elk adres ({refused})",
                "the mail server refuses every address ({refused})"
            )),
            // One wrong address keeps nobody else from being told.
            None => {
                self.reached.lock().map(|mut all| all.remove(&key)).ok();
                Outcome::Posted
            }
        }
    }

    fn reached(&self, key: &Digest) -> BTreeSet<String> {
        let all = self.reached.lock();
        all.ok().and_then(|all| all.get(key).cloned()).unwrap_or_default()
    }

    fn reach(&self, key: Digest, to: &str) {
        if let Ok(mut all) = self.reached.lock() {
            all.entry(key).or_default().insert(to.to_owned());
        }
    }

    async fn send(&self, mail: &Mail, to: &str) -> Result<(), Trouble> {
        let message = message(&self.from, to, mail)
            .map_err(|e| Trouble { why: Words::same(e), for_good: true })?;
        let sent = leaving(self.server.send(message)).await;
        let sent = sent.map_err(|e| Trouble { why: Words::io(&e), for_good: false })?;
        sent.map(drop).map_err(|e| trouble(&e))
    }
}

impl Worker for Notifier {
    async fn work(&self, job: Job) -> Outcome {
        let Task::Remind { reminder } = &job.task else {
            return never("task", "not work for a notifier");
        };
        let sent = tokio::time::timeout(MOST, self.remind(reminder, &job.agreement)).await;
        sent.unwrap_or_else(|_| {
            again(words!("de mailserver is te traag", "the mail server is too slow"))
        })
    }
}

/// Why a mail was not taken.
struct Trouble {
    why: Words,
    /// Whether the same mail to the same address never will be.
    for_good: bool,
}

fn trouble(error: &SmtpError) -> Trouble {
    let why = match error.status() {
        Some(code) => words!("de mailserver zegt {code}", "the mail server says {code}"),
        None if error.is_timeout() => words!(
            "de mailserver antwoordt niet op tijd («{error}»)",
            "the mail server does not answer in time (\"{error}\")"
        ),
        None if error.is_tls() => words!(
            "de mailserver: de beveiligde verbinding komt er niet; kijk `tls` en `ca` na («{error}»)",
            "the mail server: no secured connection; look at `tls` and `ca` (\"{error}\")"
        ),
        None => words!(
            "de mailserver is niet te bereiken of niet te verstaan; klopt zijn adres, en draait hij? («{error}»)",
            "the mail server cannot be reached or understood; is its address right, and does it run? (\"{error}\")"
        ),
    };
    Trouble { why, for_good: error.is_permanent() }
}

/// The mail as it leaves. The library encodes every header; what cannot be one is no mail.
fn message(from: &Mailbox, to: &str, mail: &Mail) -> Result<Message, String> {
    let to = to.parse::<Mailbox>().map_err(|e| e.to_string())?;
    let number = format!("<{}@{}>", mail.number, from.email.domain());
    let text = SinglePart::builder()
        .header(ContentType::TEXT_PLAIN)
        .header(ContentTransferEncoding::QuotedPrintable)
        .body(mail.body.clone());
    Message::builder()
        .from(from.clone())
        .to(to)
        .subject(&mail.subject)
        .message_id(Some(number))
        .header(Automatic)
        .singlepart(text)
        .map_err(|e| e.to_string())
}

/// No vacation notice answers it (RFC 3834).
#[derive(Debug, Clone)]
struct Automatic;

impl Header for Automatic {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }
    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }
    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

#[cfg(test)]
mod tests;
