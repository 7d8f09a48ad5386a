//! Persons: they ask a core, each as a Unix user of its own, and do what there is for persons to do.

use std::fs;
use std::path::PathBuf;

use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::Request;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sluis_core::agreement::Side;
use sluis_core::control::{MAX_BYTES, Refused, Row};
use sluis_core::id::TransferCode;
use sluis_daemon::gatehouse::Caller;
use tower::ServiceExt;

use super::Sim;

/// Unix users: two officers of a party, and from `CUSTODIANS` on one custodian a share.
pub const OFFICERS: [u32; 2] = [4001, 4002];
/// The custodian of share 1 is the next.
pub const CUSTODIANS: u32 = 4100;

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
        let persons = match side {
            Side::Agency => &self.agency().persons,
            Side::Municipality => &self.municipality().persons,
        };
        let looks = matches!(verb, "list" | "about" | "deadlines");
        let request = Request::builder()
            .method(if looks { "GET" } else { "POST" })
            .uri(format!("/{verb}"))
            .header("content-type", "application/json")
            .extension(ConnectInfo(Caller { uid }))
            .body(Body::from(serde_json::to_vec(&word).unwrap()))
            .unwrap();
        let answer = persons.clone().oneshot(request).await.unwrap();
        let good = answer.status().is_success();
        let body = to_bytes(answer.into_body(), MAX_BYTES).await.unwrap();
        if good {
            return Ok(serde_json::from_slice(&body).unwrap());
        }
        let text = String::from_utf8_lossy(&body).into_owned();
        let refused = serde_json::from_slice(&body);
        Err(refused.unwrap_or(Refused { code: "refused".into(), message: text }))
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
        self.ask(side, uid, verb, json!({ "code": code })).await
    }

    /// Puts a file into the outbox.
    pub fn put(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.path("outbox/mechelen").join(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// Every custodian types the line that arrived on its telephone; what is refused is not right yet.
    pub async fn type_lines(&self, code: &TransferCode, row: &Row) {
        for (index, text) in self.net.phones.lines(&row.transfer) {
            let word = json!({ "code": code, "text": text });
            let uid = CUSTODIANS + u32::from(index);
            let typed = self.ask::<Value>(Side::Municipality, uid, "line", word).await;
            if typed.is_ok_and(|answer| answer["opened"].is_string()) {
                return;
            }
        }
    }
}
