//! Persons: they ask a core, each as a Unix user of its own, and do what there is for persons to do.

use std::fs;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::Request;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sluis_core::agreement::Side;
use sluis_core::control::{MAX_BYTES, MakeNotice, Noted, Refused, Reported, Row};
use sluis_core::exercise;
use sluis_core::id::{Digest, TransferCode};
use sluis_core::message::Reference;
use sluis_core::notice::{Notice, Sort};
use sluis_core::share::MAX_SHARES;
use sluis_core::transfer::Report;
use sluis_core::words::{Language, Words};
use sluis_daemon::gatehouse::Caller;
use tower::ServiceExt;

use crate::Sim;
use crate::dice::Dice;
use crate::net::End;

/// Unix users: two officers of a party, and from `CUSTODIANS` on one custodian a share.
pub const OFFICERS: [u32; 2] = [4001, 4002];
/// More rounds than anything takes.
const MANY: usize = 2000;
/// After so many rounds in which nothing else happened a drop waits for whoever is away, no longer to lie still.
const LIES_STILL: usize = 8;
/// The custodian of share 1 is the next.
pub const CUSTODIANS: u32 = 4100;

/// The users of as many custodians as there may be shares.
pub fn custodians() -> impl Iterator<Item = u32> {
    (1..=u32::from(MAX_SHARES)).map(|share| CUSTODIANS + share)
}

impl Sim {
    /// A person asks.
    ///
    /// # Errors
    /// What the core refuses.
    pub async fn ask<T: DeserializeOwned>(
        &self,
        side: Side,
        uid: u32,
        verb: &str,
        word: impl Serialize + Sync,
    ) -> Result<T, Refused> {
        let looks =
            matches!(verb, "list" | "about" | "deadlines" | "notices" | "retention" | "waiting");
        let request = Request::builder()
            .method(if looks { "GET" } else { "POST" })
            .uri(format!("/{verb}"))
            .header("content-type", "application/json")
            .extension(ConnectInfo(Caller { uid }))
            .body(Body::from(serde_json::to_vec(&word).unwrap()))
            .unwrap();
        let answer = self.persons(side).oneshot(request).await.unwrap();
        let good = answer.status().is_success();
        let body = to_bytes(answer.into_body(), MAX_BYTES).await.unwrap();
        if good {
            return Ok(serde_json::from_slice(&body).unwrap());
        }
        let text = String::from_utf8_lossy(&body).into_owned();
        let refused = serde_json::from_slice(&body);
        Err(refused.unwrap_or(Refused::new("refused", Words::same(text))))
    }

    /// What a person sees of all transfers.
    pub async fn rows(&self, side: Side) -> Vec<Row> {
        self.ask(side, OFFICERS[0], "list", ()).await.unwrap()
    }

    /// A verb about one transfer.
    ///
    /// # Errors
    /// What the core refuses.
    pub async fn of(
        &self,
        side: Side,
        uid: u32,
        verb: &str,
        code: &TransferCode,
    ) -> Result<Value, Refused> {
        let asking = self.ask(side, uid, verb, json!({ "code": code }));
        if !self.net.happens(10) {
            return asking.await;
        }
        let end = if side == Side::Agency { End::Carrier } else { End::Fetcher };
        let died = || Refused::new("died", Words::same("its core died"));
        self.net.killed(end, asking).await.unwrap_or_else(|| Err(died()))
    }

    /// A person makes a notice, and a second one says the same where it takes two; its digest.
    ///
    /// # Errors
    /// What the core refuses.
    pub async fn say(&self, side: Side, sort: Sort, notice: Notice) -> Result<Digest, Refused> {
        self.say_of(side, sort, notice, None).await
    }

    /// The same, about a transfer.
    ///
    /// # Errors
    /// What the core refuses.
    pub async fn say_of(
        &self,
        side: Side,
        sort: Sort,
        notice: Notice,
        code: Option<TransferCode>,
    ) -> Result<Digest, Refused> {
        let (agreement, language) = (self.parts.name.clone(), Language::En);
        let word = MakeNotice { agreement, code, sort, notice, language };
        let mut noted: Noted = self.ask(side, OFFICERS[0], "notice", word.clone()).await?;
        if noted.row.is_none() {
            noted = self.ask(side, OFFICERS[1], "notice", word).await?;
        }
        Ok(noted.row.unwrap().digest)
    }

    /// Until nobody has anything to do, which comes.
    pub async fn settle(&mut self) {
        let mut still = 0;
        for _ in 0..MANY {
            // Of all that everybody does nothing stands on the stack of whoever waits for it.
            let (moved, settling) = Box::pin(self.turn()).await;
            still = if moved { 0 } else { still + 1 };
            if !moved && !settling || still > LIES_STILL {
                return;
            }
        }
        let [here, there] = [self.rows(Side::Agency).await, self.rows(Side::Municipality).await];
        panic!("there is always something to do: {here:?} {there:?}");
    }

    /// Puts a file into the outbox.
    pub fn put(&mut self, name: &str, content: &[u8]) {
        fs::write(self.path("outbox/mechelen").join(name), content).unwrap();
        self.dropped.insert(name.to_owned(), content.to_owned());
    }

    /// Whoever put a file there takes it away again.
    pub fn take_away(&mut self, name: &str) {
        fs::remove_file(self.path("outbox/mechelen").join(name)).unwrap();
        self.dropped.remove(name);
    }

    /// The verbs of persons of a party.
    pub fn persons(&self, side: Side) -> Router {
        match side {
            Side::Agency => self.agency().persons.clone(),
            Side::Municipality => self.municipality().persons.clone(),
        }
    }

    /// Persons visit both hosts, and do what there is for them to do.
    pub async fn tend(&self) {
        let [first, second] = OFFICERS;
        for side in [Side::Agency, Side::Municipality] {
            let about: Value = self.ask(side, first, "about", ()).await.unwrap();
            if about["clock_held"] == true {
                for uid in OFFICERS {
                    let _ = self.ask::<Value>(side, uid, "clock", ()).await;
                }
            }
        }
        for row in self.rows(Side::Municipality).await.iter().filter(|it| it.state == "Removed") {
            let _ = self.of(Side::Municipality, first, "ready", &row.code).await;
            self.type_lines(&row.code, row).await;
        }
        for row in self.rows(Side::Agency).await {
            if row.note.en.contains("not rehearsed") {
                let _ =
                    fs::write(self.path("outbox/mechelen").join(exercise::NAME), exercise::TEXT);
            }
            let code = &row.code;
            match row.state.as_str() {
                "Admitted" => _ = self.of(Side::Agency, second, "approve", code).await,
                "Held" => _ = self.retry(code, None).await,
                // Sealed already, it goes anew; else the same again.
                "Failed" if self.of(Side::Agency, first, "redeliver", code).await.is_err() => {
                    self.retry(code, None).await;
                }
                "Released" => {
                    if row.mover == "agency" {
                        self.retry(code, None).await;
                    }
                    // An operator took it, and it never came: the custodian calls.
                    let arrived = self.net.phones.lines(&row.transfer);
                    if arrived.len() < 2 {
                        let mut goes = false;
                        for index in (1..=3).filter(|index| !arrived.contains_key(index)) {
                            goes |= self.retry(code, Some(index)).await;
                        }
                        // A person stopped it too late to withdraw it: it goes anew.
                        if !goes {
                            let _ = self.of(Side::Agency, first, "redeliver", code).await;
                        }
                    }
                }
                _ => {}
            }
        }
    }

    async fn retry(&self, code: &TransferCode, share: Option<u8>) -> bool {
        let word = json!({ "code": code, "share": share });
        self.ask::<Value>(Side::Agency, OFFICERS[0], "retry", word).await.is_ok()
    }

    /// An operator reports on some message that it got.
    pub async fn operator_reports(&self, dice: &mut Dice) {
        let all = self.net.phones.all();
        if all.is_empty() {
            return;
        }
        let sms = dice.pick(&all);
        let failed = Report::Failed { code: "1".into() };
        let report = dice.pick(&[Report::Pending, Report::Delivered, failed]).clone();
        let reference = Reference { transfer: sms.transfer, index: sms.index }.to_string();
        let word = Reported { channel: sms.channel.clone(), reference, report };
        let _ = self.gates.reports.report(&word).await;
    }

    /// Every custodian types the line that arrived on its telephone; what is refused is not right yet.
    pub async fn type_lines(&self, code: &TransferCode, row: &Row) {
        for (index, text) in self.net.phones.lines(&row.transfer) {
            let word = json!({ "code": code, "text": text });
            let uid = CUSTODIANS + u32::from(index);
            let _ = self.ask::<Value>(Side::Municipality, uid, "line", word).await;
        }
    }
}
