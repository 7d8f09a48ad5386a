//! The way of a request: over a socket; or over a bridge within this process, where a simulation stands between a gate
//! and what it speaks to.

use std::fmt::Debug;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use reqwest::{Client, Method, Request, RequestBuilder, Response};

use crate::faults::leaving;

/// Why no answer came.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// Nothing left: there is nobody at the other end.
    #[error("{0}")]
    Unsent(String),
    /// It may have arrived; nobody knows.
    #[error("{0}")]
    Unanswered(String),
}

impl From<reqwest::Error> for Broken {
    fn from(error: reqwest::Error) -> Self {
        let unsent = error.is_connect() || error.is_builder();
        // The chain says what the outer error hides: refused, reset, a certificate that is not the pinned one.
        let mut text = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(inner) = source {
            text = inner.to_string();
            source = inner.source();
        }
        if unsent { Self::Unsent(text) } else { Self::Unanswered(text) }
    }
}

impl From<std::io::Error> for Broken {
    fn from(error: std::io::Error) -> Self {
        Self::Unanswered(error.to_string())
    }
}

/// A way that is no socket.
pub trait Bridge: Send + Sync + Debug {
    /// Brings a request there, and its answer back.
    fn bring(&self, request: Request) -> BoxFuture<'_, Result<Response, Broken>>;
}

/// Requests to one other end.
#[derive(Debug, Clone)]
pub struct Way {
    client: Client,
    bridge: Option<Arc<dyn Bridge>>,
}

impl From<Client> for Way {
    fn from(client: Client) -> Self {
        Self { client, bridge: None }
    }
}

impl Way {
    /// Over this bridge; the client makes the requests and opens no connection.
    #[must_use]
    pub fn over(client: Client, bridge: Arc<dyn Bridge>) -> Self {
        Self { client, bridge: Some(bridge) }
    }

    /// A request, to be completed.
    pub fn request(&self, method: Method, url: &str) -> RequestBuilder {
        self.client.request(method, url)
    }

    /// Sends it, once.
    ///
    /// # Errors
    /// [`Broken`].
    #[track_caller]
    pub fn send(
        &self,
        request: RequestBuilder,
    ) -> impl Future<Output = Result<Response, Broken>> + Send {
        let answer = async move {
            match &self.bridge {
                None => Ok(request.send().await?),
                Some(bridge) => bridge.bring(request.build()?).await,
            }
        };
        let answer = leaving(answer);
        async move { answer.await? }
    }
}
