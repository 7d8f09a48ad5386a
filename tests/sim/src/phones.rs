//! The operators and the telephones: what was handed to them, what they answered, what arrived.

use std::collections::BTreeMap;
use std::sync::Mutex;

use axum::http;
use reqwest::Response;
use sluis_core::id::{ChannelId, PartyId, TransferId};
use sluis_core::message::Reference;
use sluis_core::words::Words;
use sluis_daemon::store::Store;
use sluis_daemon::way::Broken;

use crate::net::{Net, Place};

/// One message that an operator got.
#[derive(Debug, Clone)]
pub struct Sms {
    /// Of which transfer.
    pub transfer: TransferId,
    /// Which share.
    pub index: u8,
    /// By which channel.
    pub channel: ChannelId,
    /// To which number.
    pub to: String,
    /// What it says.
    pub text: String,
    /// Whether it arrived on the telephone.
    pub arrived: bool,
    /// Whether the operator said for sure that it did not take it.
    pub refused: bool,
}

/// What the operators got, in order; and what must not have happened.
#[derive(Debug, Default)]
pub struct Phones {
    all: Mutex<Vec<Sms>>,
    faults: Mutex<Vec<String>>,
    /// The agency's store, and who says `removed`.
    pub(crate) witness: Mutex<Option<(Store, PartyId)>>,
}

/// What an operator does with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Does {
    Take,
    /// It takes it, and loses it.
    Lose,
    /// It takes it, and its answer is lost.
    TakeUnheard,
    /// It never gets it, and nobody knows.
    Vanish,
    /// It is down.
    Down,
    /// It says: later.
    Later,
    /// It says so, and sent it.
    LaterAndSends,
    /// It says: never.
    Never,
}

impl Does {
    fn name(self) -> Option<&'static str> {
        match self {
            Self::Take => None,
            Self::Lose => Some("operator loses it"),
            Self::TakeUnheard => Some("operator's answer lost"),
            Self::Vanish => Some("message vanishes"),
            Self::Down => Some("operator down"),
            Self::Later => Some("operator says later"),
            Self::LaterAndSends => Some("operator says later, and sends it"),
            Self::Never => Some("operator says never"),
        }
    }
}

impl Phones {
    /// All that was handed over.
    #[must_use]
    pub fn all(&self) -> Vec<Sms> {
        self.all.lock().unwrap().clone()
    }
    /// The share lines that arrived for a transfer.
    #[must_use]
    pub fn lines(&self, transfer: &TransferId) -> BTreeMap<u8, String> {
        let all = self.all();
        let arrived = all.iter().filter(|sms| sms.arrived && sms.transfer == *transfer);
        arrived.map(|sms| (sms.index, line_in(&sms.text))).collect()
    }
    /// What must not have happened.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        self.faults.lock().unwrap().clone()
    }

    pub(crate) async fn answer(&self, net: &Net, body: &[u8]) -> Result<Response, Broken> {
        use Does::{Down, Later, LaterAndSends, Lose, Never, Take, TakeUnheard, Vanish};
        // Cut on its way: no operator takes half a message.
        let Ok(message) = serde_json::from_slice::<serde_json::Value>(body) else {
            return said(503);
        };
        let word = |name: &str| message[name].as_str().unwrap().to_owned();
        let channel: ChannelId = word("channel").parse().unwrap();
        let does = match net.happens(40) {
            _ if net.is_away(&Place::Gateway(channel.clone())) => Down,
            true => [TakeUnheard, Vanish, Lose, Down, Later, Never, TakeUnheard, LaterAndSends]
                [net.below(8)],
            false => Take,
        };
        if let Some(name) = does.name() {
            net.count(name);
        }
        if does == Down {
            return Err(Broken::Unsent(Words::same("the operator is down")));
        }
        let reference: Reference = word("reference").parse().unwrap();
        self.is_due(&reference).await;
        self.all.lock().unwrap().push(Sms {
            transfer: reference.transfer,
            index: reference.index,
            channel,
            to: word("to"),
            text: word("text"),
            arrived: matches!(does, Take | TakeUnheard | LaterAndSends),
            refused: matches!(does, Later | Never),
        });
        match does {
            TakeUnheard | Vanish => Err(Broken::Unanswered(Words::same("no answer"))),
            Later | LaterAndSends => said(503),
            Never => said(400),
            _ => said(200),
        }
    }

    /// Rule 1: when a share reaches its operator, the agency holds the signed word that the file is gone.
    async fn is_due(&self, reference: &Reference) {
        // A word to an old number, without a share.
        if reference.index == 0 {
            return;
        }
        let witness = self.witness.lock().unwrap().clone();
        let removed = match witness {
            Some((store, municipality)) => {
                let mut tx = store.begin().await.unwrap();
                tx.statement(&reference.transfer, "removed", &municipality).await.unwrap()
            }
            None => None,
        };
        if removed.is_none() {
            let fault = format!("{reference:?} left before `removed`");
            self.faults.lock().unwrap().push(fault);
        }
    }
}

fn said(status: u16) -> Result<Response, Broken> {
    let answer = http::Response::builder().status(status).body("{\"id\":\"x1\"}").unwrap();
    Ok(answer.into())
}

/// The share line in a message.
#[must_use]
pub fn line_in(text: &str) -> String {
    let line = text.lines().find(|line| line.len() > 30 && !line.contains(' '));
    line.unwrap_or_else(|| panic!("no line in {text:?}")).to_owned()
}
