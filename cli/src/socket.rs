//! The local socket of the core on this host.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sluis_config::Config;
use sluis_core::control::{MAX_BYTES, Refused};
use sluis_core::words;
use sluis_core::words::Words;
use tokio::net::UnixStream;

use crate::failure::{Failure, Result, exit};
use crate::help::sides;

/// How long a core that has not heard the other party since its start is asked again, and how often.
const HEARS: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(50);

/// A connection to the core, for persons.
pub(crate) struct Socket {
    runtime: tokio::runtime::Runtime,
    path: PathBuf,
}

impl Socket {
    /// To the core that this configuration names: the sealer of an agency, the keeper of a municipality.
    pub(crate) fn of(config: &Config) -> Result<Self> {
        Self::at(&config.socket(core_of(config)?))
    }

    /// To the socket of the same core that monitoring uses.
    pub(crate) fn to_health(config: &Config) -> Result<Self> {
        Self::at(&config.socket(&format!("{}-health", core_of(config)?)))
    }

    /// To the core whose socket lies here.
    pub(crate) fn at(path: &Path) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        Ok(Self { runtime: runtime.map_err(Failure::io("starting"))?, path: path.to_owned() })
    }

    /// Asks without saying more.
    pub(crate) fn get<T: DeserializeOwned>(&self, verb: &str) -> Result<T> {
        self.read(Method::GET, verb, Bytes::new())
    }

    /// Asks with a request; opening a large envelope takes its time.
    pub(crate) fn post<T: DeserializeOwned>(&self, verb: &str, ask: &impl Serialize) -> Result<T> {
        self.read(Method::POST, verb, serde_json::to_vec(ask).unwrap_or_default().into())
    }

    /// Asks for a stream of bytes.
    pub(crate) fn stream(
        &self,
        verb: &str,
        ask: &impl Serialize,
        mut sink: impl FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let ask = serde_json::to_vec(ask).unwrap_or_default().into();
        self.runtime.block_on(async {
            let mut body = self.ask(Method::POST, verb, ask).await?.into_body();
            while let Some(frame) = body.frame().await {
                let frame = frame.map_err(|e| self.broken(&e))?;
                if let Ok(piece) = frame.into_data() {
                    sink(&piece)?;
                }
            }
            Ok(())
        })
    }

    fn read<T: DeserializeOwned>(&self, method: Method, verb: &str, ask: Bytes) -> Result<T> {
        self.runtime.block_on(async {
            let answer = self.ask(method, verb, ask).await?;
            let body = self.whole(answer).await?;
            serde_json::from_slice(&body).map_err(|e| {
                self.away(words!(
                    "haar antwoord is niet te lezen; is sluis van dezelfde versie als de dienst? («{e}»)",
                    "its answer cannot be read; is sluis of the same version as the service? (\"{e}\")"
                ))
            })
        })
    }

    /// A core that has just begun hears the other party first: it is asked again for a moment.
    async fn ask(&self, method: Method, verb: &str, ask: Bytes) -> Result<Response<Incoming>> {
        let until = Instant::now() + HEARS;
        loop {
            match self.ask_once(method.clone(), verb, ask.clone()).await? {
                Ok(answer) => return Ok(answer),
                Err(refused) if refused.code == "not-heard" && Instant::now() < until => {
                    tokio::time::sleep(PAUSE).await;
                }
                Err(refused) => return Err(refused.into()),
            }
        }
    }

    async fn ask_once(
        &self,
        method: Method,
        verb: &str,
        ask: Bytes,
    ) -> Result<std::result::Result<Response<Incoming>, Refused>> {
        let stream = UnixStream::connect(&self.path).await;
        let stream = stream.map_err(|e| self.shut(&e))?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|e| self.broken(&e))?;
        tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(format!("/{verb}"))
            .header("host", "core")
            .header("content-type", "application/json")
            .body(Full::new(ask))
            .map_err(|e| self.broken(&e))?;
        let answer = sender.send_request(request).await.map_err(|e| self.broken(&e))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(Ok(answer));
        }
        let body = self.whole(answer).await?;
        let refused = serde_json::from_slice(&body)
            .unwrap_or_else(|_| Refused::new("not-this-side", sides::not_here(verb)));
        Ok(Err(refused))
    }

    async fn whole(&self, answer: Response<Incoming>) -> Result<Bytes> {
        let body = http_body_util::Limited::new(answer.into_body(), MAX_BYTES);
        Ok(body.collect().await.map_err(|e| self.broken(&*e))?.to_bytes())
    }

    /// The library of HTTP has words of its own, in English.
    fn broken(&self, error: &dyn std::fmt::Display) -> Failure {
        self.away(words!("de verbinding brak af («{error}»)", "the connection broke (\"{error}\")"))
    }

    /// Nobody listens there, or not to this person: who may, and how the service is started.
    fn shut(&self, error: &std::io::Error) -> Failure {
        let name = self.path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        let (core, persons) = match name.starts_with("keeper") {
            true => ("keeper", "sluis-custodians"),
            false => ("sealer", "sluis-operators"),
        };
        let group = if name.ends_with("-health") { "sluis-health" } else { persons };
        let next = match error.kind() {
            std::io::ErrorKind::PermissionDenied => words!(
                "de groep van deze socket mag dat; met de units uit systemd/ is het {group}: usermod -aG {group} GEBRUIKER, en meld u opnieuw aan",
                "the group of this socket may; with the units in systemd/ it is {group}: usermod -aG {group} USER, and log in anew"
            ),
            _ => words!(
                "draait `sluisd {core}` op deze host? Start het met: systemctl start sluis-{core}; met de hand: sluisd {core} --config BESTAND. Waarom het stopte, staat in zijn log (journalctl -u sluis-{core})",
                "does `sluisd {core}` run on this host? Start it with: systemctl start sluis-{core}; by hand: sluisd {core} --config FILE. Why it stopped stands in its log (journalctl -u sluis-{core})"
            ),
        };
        self.away(Words::io(error)).and(&next)
    }

    fn away(&self, why: Words) -> Failure {
        let path = self.path.display();
        Failure::new(
            exit::UNAVAILABLE,
            "core-away",
            words!(
                "de kern antwoordt niet op {path}: {}",
                "the core does not answer at {path}: {}";
                why
            ),
        )
    }
}

fn core_of(config: &Config) -> Result<&'static str> {
    config.core().ok_or_else(|| {
        Failure::new(
            exit::CONFIG,
            "no-core",
            words!(
                "deze host heeft geen [sealer] en geen [keeper]: er is geen kern om iets aan te vragen. Vraag het op de host van het agentschap of van de gemeente; van een sluiskom zegt `sluis config check` of ze kan starten, en het log van haar dienst hoe ze draait (journalctl -u sluis-dropzone)",
                "this host has neither a [sealer] nor a [keeper]: it has no core to ask. Ask on the host of the agency or of the municipality; of a drop zone `sluis config check` says whether it can start, and the log of its service how it runs (journalctl -u sluis-dropzone)"
            ),
        )
    })
}
