//! Channels: how a share's message leaves. Four outcomes, and "unknown" is one of them.
//!
//! Called by `agency::release` alone, which asks for evidence of the removal first.

pub mod http;
pub mod smsd;
pub mod spool;

use std::collections::BTreeMap;

use sluis_config::ConfigError;
use sluis_config::credentials::Credentials;
use sluis_config::schema::Driver;
use sluis_core::agreement::Agreement;
use sluis_core::control::Outcome;
use sluis_core::id::{ChannelId, CustodianId};
use sluis_core::words::Words;

/// One message for one custodian.
pub struct Message<'a> {
    /// Whose it is.
    pub custodian: &'a CustodianId,
    /// Where the custodian is reached.
    pub to: &'a str,
    /// The text, with the share line in it.
    pub text: &'a str,
    /// Our own number for it.
    pub reference: &'a str,
}

/// A route, ready to be used.
#[derive(Debug)]
pub enum Channel {
    /// A folder.
    Spool(spool::Spool),
    /// A modem of our own.
    Smsd(smsd::Smsd),
    /// A provider.
    Http(Box<http::Provider>),
}

impl Channel {
    /// Why it is not the way of the agreement's channel of this name. A folder or a modem of one's own is nobody else's.
    #[must_use]
    pub fn strays(&self, agreement: &Agreement, id: &ChannelId) -> Option<Words> {
        match self {
            Self::Spool(_) | Self::Smsd(_) => None,
            Self::Http(provider) => provider.template().strays(agreement, id),
        }
    }

    /// Hands the message over, once.
    pub async fn send(&self, message: &Message<'_>) -> Outcome {
        match self {
            Self::Spool(spool) => spool.send(message),
            Self::Smsd(smsd) => smsd.send(message),
            Self::Http(provider) => provider.send(message).await,
        }
    }
}

/// All routes of a releaser, with their secrets.
///
/// # Errors
/// [`ConfigError`] of the first that does not serve.
pub fn load(
    drivers: &BTreeMap<ChannelId, Driver>,
    callback: Option<&str>,
    credentials: &Credentials,
) -> Result<BTreeMap<ChannelId, Channel>, ConfigError> {
    let channel = |(id, driver): (&ChannelId, &Driver)| {
        let channel = match driver {
            Driver::Spool { folder } => Channel::Spool(spool::Spool::new(folder.clone())),
            Driver::Smsd { outgoing } => Channel::Smsd(smsd::Smsd::new(outgoing.clone())),
            Driver::Http(http) => {
                Channel::Http(Box::new(http::Provider::new(id, http, callback, credentials)?))
            }
        };
        Ok((id.clone(), channel))
    };
    drivers.iter().map(channel).collect()
}
