//! The way of a request: over a socket; or over a bridge within this process, where a simulation stands between a gate
//! and what it speaks to.

use std::error::Error;
use std::fmt::Debug;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use reqwest::{Client, Method, Request, RequestBuilder, Response};
use sluis_core::words;
use sluis_core::words::Words;

use crate::faults::leaving;

/// Why no answer came.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// Nothing left: there is nobody at the other end.
    #[error("{0}")]
    Unsent(Words),
    /// It may have arrived; nobody knows.
    #[error("{0}")]
    Unanswered(Words),
}

impl From<reqwest::Error> for Broken {
    fn from(error: reqwest::Error) -> Self {
        let unsent = error.is_connect() || error.is_builder();
        let why = why(&error);
        if unsent { Self::Unsent(why) } else { Self::Unanswered(why) }
    }
}

/// What happened and what to do. The library's own words, which are English, stand behind.
fn why(error: &reqwest::Error) -> Words {
    // The chain says what the outer error hides: refused, reset, a certificate that is not the pinned one.
    let mut inner: &(dyn Error + 'static) = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    if let Some(said) = inner.downcast_ref::<std::io::Error>().filter(|it| is_system(it)) {
        return Words::io(said);
    }
    let text = inner.to_string();
    if is_tls(inner) {
        words!(
            "de beveiligde verbinding komt er niet; zijn de sleutels daar nog die van de overeenkomst? («{text}»)",
            "no secured connection; are the keys there still those of the agreement? (\"{text}\")"
        )
    } else if error.is_timeout() {
        words!("er kwam op tijd geen antwoord («{text}»)", "no answer came in time (\"{text}\")")
    } else if error.is_connect() {
        words!(
            "er komt geen verbinding; draait het daar, en klopt het adres? («{text}»)",
            "no connection comes about; does it run there, and is the address right? (\"{text}\")"
        )
    } else {
        words!(
            "de verbinding brak af voor er een heel antwoord was («{text}»)",
            "the connection broke before there was a whole answer (\"{text}\")"
        )
    }
}

/// Whether TLS says it, which is wrapped as an error of the system.
fn is_tls(error: &(dyn Error + 'static)) -> bool {
    let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    error.is::<rustls::Error>()
        || wrapped.is_some_and(<dyn Error + Send + Sync>::is::<rustls::Error>)
}

/// Whether the system says it, or tells at least by its kind what it is.
fn is_system(error: &std::io::Error) -> bool {
    error.raw_os_error().is_some() || error.get_ref().is_none()
}

impl Broken {
    /// Why, for people.
    #[must_use]
    pub fn words(self) -> Words {
        let (Self::Unsent(why) | Self::Unanswered(why)) = self;
        why
    }
}

impl From<std::io::Error> for Broken {
    fn from(error: std::io::Error) -> Self {
        Self::Unanswered(Words::io(&error))
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn what_the_library_says_is_told_in_both_languages_with_its_own_words_behind() {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let built = |it: reqwest::ClientBuilder| it.no_proxy().build().unwrap();
        let fails =
            async |client: &Client, at: &str| why(&client.get(at).send().await.unwrap_err());
        let place = || TcpListener::bind("127.0.0.1:0").unwrap();
        let url = |place: &TcpListener| format!("http://{}/", place.local_addr().unwrap());
        // Nobody takes it.
        let silent = place();
        let hasty = built(Client::builder().timeout(Duration::from_millis(1)));
        let late = fails(&hasty, &url(&silent)).await;
        assert!(late.nl.starts_with("er kwam op tijd geen antwoord («"), "{late:?}");
        let (patient, talks) = (built(Client::builder()), place());
        let at = url(&talks);
        let said = std::thread::spawn(move || {
            let (mut one, _) = talks.accept().unwrap();
            one.write_all(b"nonsense\r\n\r\n").unwrap();
            // Until it has gone away: what is not read yet would be a reset.
            drop(one.read(&mut [0; 4096]));
        });
        let broken = fails(&patient, &at).await;
        said.join().unwrap();
        assert!(
            broken.nl.starts_with("de verbinding brak af") && broken.nl != broken.en,
            "{broken:?}"
        );
        let nobody = fails(&patient, &at).await;
        assert_eq!(nobody.nl, "daar luistert niemand (ECONNREFUSED)");
    }
}
