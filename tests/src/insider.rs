//! Somebody with a party's real key who says what is not so, and brings it to the other party's core past his own.

use std::fs;
use std::process::Command;
use std::time::SystemTime;

use data_encoding::BASE64;
use serde_json::{Value, json};
use sluis_config::agreements;
use sluis_core::agreement::Side::{self, Agency};
use sluis_core::epoch::{self, Seen};
use sluis_core::evidence::Terms;
use sluis_core::id::{Digest, Time, TransferId};
use sluis_core::mailbox;
use sluis_core::statement::{self, Body, Header, Signed, Signer, Statement, Tip};

use crate::{World, stdout, tool};

/// Who has the key of the party on this side.
#[derive(Debug)]
pub struct Insider<'a> {
    world: &'a World,
    side: Side,
    terms: Terms,
}

fn host(side: Side) -> &'static str {
    if side == Agency { "agency" } else { "municipality" }
}

fn now() -> Time {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    Time(i64::try_from(since.as_millis()).unwrap())
}

impl<'a> Insider<'a> {
    /// In the world's agreement.
    #[must_use]
    pub fn of(world: &'a World, side: Side) -> Self {
        let path = world.path("agency/agreements/mechelen.toml");
        let text = fs::read_to_string(&path).unwrap();
        Self { world, side, terms: agreements::parse(&path, &text).unwrap().0 }
    }

    /// The statements of the party on a side that stand in the other core's ledger, in order.
    #[must_use]
    pub fn heard(&self, side: Side) -> Vec<Tip> {
        let issuer = self.terms.agreement.party(side).id.to_string();
        let ledger = stdout(&self.world.cli(host(self.side.other()), &["ledger", "export"]));
        let entries = ledger.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let said =
            entries.filter(|it| it["kind"] == "statement" && it["detail"]["issuer"] == issuer);
        let text = |it: &Value, key: &str| it["detail"][key].as_str().unwrap().to_owned();
        said.map(|it| Tip {
            number: text(&it, "number").parse().unwrap(),
            digest: text(&it, "digest").parse().unwrap(),
        })
        .collect()
    }

    /// The last of them.
    #[must_use]
    pub fn last(&self, side: Side) -> Tip {
        self.heard(side).pop().unwrap_or(Tip::start())
    }

    fn signed(&self, namespace: &str, bytes: Vec<u8>) -> Signed {
        let key = self.world.path(host(self.side)).join("credentials/statement-key");
        let signer = Signer::from_openssh(&fs::read_to_string(key).unwrap()).unwrap();
        let signature = signer.sign(namespace, &bytes).unwrap();
        Signed { statement: String::from_utf8(bytes).unwrap(), signature }
    }

    /// A statement after this one.
    #[must_use]
    pub fn says(&self, after: Tip, seen: Tip, transfer: Option<TransferId>, body: Body) -> Signed {
        let party = |side| self.terms.agreement.party(side).id.clone();
        let header = Header {
            agreement: self.terms.agreement.agreement.clone(),
            issuer: party(self.side),
            audience: party(self.side.other()),
            number: after.number + 1,
            previous: after.digest,
            seen,
            time: now(),
            terms: self.terms.digest,
            ledger: Tip::start(),
            transfer,
        };
        self.signed(statement::NAMESPACE, Statement { header, body }.bytes().unwrap())
    }

    /// How far it has heard the other one, as it says.
    #[must_use]
    pub fn has_seen(&self, said: Tip, number: u64) -> Signed {
        let digest = Digest::of(format!("statement {number}").as_bytes());
        let word = Seen {
            agreement: self.terms.agreement.agreement.clone(),
            issuer: self.terms.agreement.party(self.side).id.clone(),
            said,
            seen: Tip { number, digest },
        };
        self.signed(epoch::NAMESPACE, serde_json::to_vec(&word).unwrap())
    }

    fn sealed(&self, word: &Signed) -> String {
        let to = &self.terms.agreement.party_keys(self.side.other()).mailbox;
        BASE64.encode(&mailbox::seal(word, to).unwrap())
    }

    /// Brings a statement; what the other core answers.
    pub fn brings(&self, word: &Signed) -> Value {
        self.feeds(&json!({ "letters": [{ "number": 1, "letter": self.sealed(word) }] }))
    }

    /// Brings how far it has heard.
    pub fn shows(&self, word: &Signed) -> Value {
        self.feeds(&json!({ "letters": [], "seen": self.sealed(word) }))
    }

    fn feeds(&self, letters: &Value) -> Value {
        let gate = if self.side == Agency { "keeper-fetcher" } else { "sealer-carrier" };
        let socket = self.world.path(host(self.side.other())).join(format!("run/{gate}.sock"));
        let mut curl = Command::new("curl");
        curl.args(["-s", "--max-time", "60", "-H", "content-type: application/json", "-d"]);
        curl.arg(letters.to_string()).arg("--unix-socket").arg(socket);
        let answer = stdout(&tool(curl.arg("http://core/feed/mechelen")));
        serde_json::from_str(&answer).unwrap_or_default()
    }
}
