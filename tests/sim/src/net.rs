//! What lies between the parts: each request crosses it, and a seed may keep it back, cut it, lose its answer, bring it
//! once more later, or let the one who answers die on the way.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes};
use axum::{Router, http};
use futures_util::future::BoxFuture;
use futures_util::{StreamExt, stream};
use reqwest::{Request, Response};
use sluis_core::id::ChannelId;
use sluis_core::words::Words;
use sluis_daemon::accept::Peer;
use sluis_daemon::way::{Bridge, Broken, Way};
use tower::ServiceExt;

use crate::dice::Dice;
use crate::parts::{Parts, tls};
use crate::phones::Phones;

/// Who is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// The agency's core, by its carrier.
    Carrier,
    /// The agency's core, by its releaser.
    Releaser,
    /// The agency's core, by the gate for reports.
    Reports,
    /// The municipality's core, by its fetcher.
    Fetcher,
    /// The drop zone, by the agency.
    ZoneOfAgency,
    /// The drop zone, by the municipality.
    ZoneOfMunicipality,
    /// The operators of all channels.
    Operators,
}

impl End {
    /// The ends that go with the agency's core.
    pub const AGENCY: [Self; 3] = [Self::Carrier, Self::Releaser, Self::Reports];

    fn peer(self) -> Option<Peer> {
        match self {
            Self::ZoneOfAgency => Some(Peer(tls("agency"))),
            Self::ZoneOfMunicipality => Some(Peer(tls("municipality"))),
            _ => None,
        }
    }
}

/// Nobody was found there, because it is away.
pub(crate) const ZONE_AWAY: &str = "drop zone away";
/// The same of an operator.
pub(crate) const GATEWAY_AWAY: &str = "gateway away";

/// What happens to a request on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// It does not arrive.
    Unsent,
    /// A part of its body arrives.
    Cut,
    /// Its answer does not come back.
    Lost,
    /// A part of the answer comes back.
    Torn,
    /// Whoever answers dies on the way.
    Death,
}

impl Fault {
    fn name(self) -> Option<&'static str> {
        match self {
            Self::Unsent => Some("request kept back"),
            Self::Cut => Some("request cut"),
            Self::Lost => Some("answer lost"),
            Self::Torn => Some("answer cut"),
            Self::Death => None,
        }
    }
}

/// What may be away for hours and days.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The drop zone.
    Zone,
    /// A channel's gateway.
    Gateway(ChannelId),
}

type Copy = (End, http::request::Parts, Bytes);

/// All ways, and what stands at their ends.
#[derive(Debug)]
pub struct Net {
    routers: Mutex<BTreeMap<End, Router>>,
    pub(crate) dice: Mutex<Dice>,
    /// Of a hundred requests so many meet a fault.
    storm: Mutex<usize>,
    /// What may come once more.
    copies: Mutex<Vec<Copy>>,
    /// Who died and waits to be opened again.
    dead: Mutex<Vec<End>>,
    /// What is away, each until the world is up for so long.
    away: Mutex<BTreeMap<Place, i64>>,
    /// How often which fault was met.
    met: Mutex<BTreeMap<&'static str, usize>>,
    /// The telephones.
    pub phones: Phones,
}

impl Net {
    pub(crate) fn of(seed: u64) -> Arc<Self> {
        Arc::new(Self {
            routers: Mutex::default(),
            dice: Mutex::new(Dice::of(seed)),
            storm: Mutex::default(),
            copies: Mutex::default(),
            dead: Mutex::default(),
            away: Mutex::default(),
            met: Mutex::default(),
            phones: Phones::default(),
        })
    }

    /// Of a hundred requests so many meet a fault from now on.
    pub fn storm(&self, percent: usize) {
        *self.storm.lock().unwrap() = percent;
        if percent == 0 {
            self.copies.lock().unwrap().clear();
        }
    }

    pub(crate) fn set(&self, end: End, router: Router) {
        self.routers.lock().unwrap().insert(end, router);
    }
    /// Nobody answers there any more.
    pub(crate) fn clear(&self, ends: &[End]) {
        ends.iter().for_each(|end| _ = self.routers.lock().unwrap().remove(end));
    }
    pub(crate) fn died(&self) -> Vec<End> {
        std::mem::take(&mut *self.dead.lock().unwrap())
    }

    /// Throws: whether something so likely happens, in a storm.
    pub(crate) fn happens(&self, percent: usize) -> bool {
        *self.storm.lock().unwrap() > 0 && self.dice.lock().unwrap().percent(percent)
    }
    pub(crate) fn below(&self, end: usize) -> usize {
        self.dice.lock().unwrap().below(end)
    }

    /// It is away until the world is up for so long.
    pub fn leaves(&self, place: Place, until: i64) {
        self.away.lock().unwrap().insert(place, until);
    }
    /// The world is up for so long: whose time is over is there again.
    pub(crate) fn passes(&self, up: i64) {
        self.away.lock().unwrap().retain(|_, until| *until > up);
    }
    /// Whether somebody is away still.
    pub(crate) fn is_any_away(&self) -> bool {
        !self.away.lock().unwrap().is_empty()
    }
    /// Whether somebody who asks there now finds nobody.
    pub(crate) fn is_away(&self, place: &Place) -> bool {
        let away = self.away.lock().unwrap().contains_key(place);
        if away {
            self.count(match place {
                Place::Zone => ZONE_AWAY,
                Place::Gateway(_) => GATEWAY_AWAY,
            });
        }
        away
    }

    /// How often which fault was met so far.
    #[must_use]
    pub fn met(&self) -> BTreeMap<&'static str, usize> {
        self.met.lock().unwrap().clone()
    }
    /// One more.
    pub fn count(&self, fault: &'static str) {
        *self.met.lock().unwrap().entry(fault).or_default() += 1;
    }

    /// Whoever does this dies on the way, unless it is done before; then what it has in memory is gone, and it is to be
    /// opened again.
    pub(crate) async fn killed<T>(&self, end: End, doing: impl Future<Output = T>) -> Option<T> {
        let (mut doing, mut left) = (Box::pin(doing), self.below(20));
        let done = poll_fn(|context| {
            if left == 0 {
                return std::task::Poll::Ready(None);
            }
            left -= 1;
            doing.as_mut().poll(context).map(Some)
        });
        let done = done.await;
        if done.is_none() {
            self.count("death on the way");
            self.dead.lock().unwrap().push(end);
        }
        done
    }

    fn fault(&self) -> Option<Fault> {
        let storm = *self.storm.lock().unwrap();
        let mut dice = self.dice.lock().unwrap();
        (storm > 0 && dice.percent(storm)).then(|| {
            use Fault::{Cut, Death, Lost, Torn, Unsent};
            *dice.pick(&[Unsent, Unsent, Cut, Lost, Lost, Lost, Torn, Death])
        })
    }

    pub(crate) fn way(self: &Arc<Self>, parts: &Parts, end: End) -> Way {
        Way::over(parts.client.clone(), Arc::new(Link { net: Arc::clone(self), end }))
    }

    /// Brings something once more that arrived before, to whoever stands there now.
    pub(crate) async fn echo(&self) {
        let (at, router) = {
            let mut copies = self.copies.lock().unwrap();
            if copies.is_empty() {
                return;
            }
            let at = self.below(copies.len());
            let copy = copies.swap_remove(at);
            let router = self.routers.lock().unwrap().get(&copy.0).cloned();
            (copy, router)
        };
        let (_, parts, bytes) = at;
        if let Some(router) = router {
            self.count("request once more");
            let _ = router.oneshot(http::Request::from_parts(parts, Body::from(bytes))).await;
        }
    }

    fn keep_copy(&self, end: End, parts: &http::request::Parts, bytes: &Bytes) {
        let worth = [http::Method::POST, http::Method::PUT].contains(&parts.method);
        let mut copies = self.copies.lock().unwrap();
        if worth && bytes.len() < 100_000 && copies.len() < 16 && self.happens(20) {
            copies.push((end, parts.clone(), bytes.clone()));
        }
    }
}

#[derive(Debug)]
struct Link {
    net: Arc<Net>,
    end: End,
}

impl Bridge for Link {
    fn bring(&self, request: Request) -> BoxFuture<'_, Result<Response, Broken>> {
        Box::pin(self.cross(request))
    }
}

impl Link {
    async fn cross(&self, request: Request) -> Result<Response, Broken> {
        let fault = self.net.fault();
        if let Some(name) = fault.and_then(Fault::name) {
            self.net.count(name);
        }
        let away = self.end.peer().is_some() && self.net.is_away(&Place::Zone);
        if away || fault == Some(Fault::Unsent) {
            return Err(Broken::Unsent(Words::same("no way there")));
        }
        let (parts, mut bytes, mut whole) = taken_apart(request, self.end).await;
        if fault == Some(Fault::Cut) && !bytes.is_empty() {
            bytes.truncate(self.net.below(bytes.len()));
            whole = false;
        }
        if self.end == End::Operators {
            return self.net.phones.answer(&self.net, &bytes).await;
        }
        let router = self.net.routers.lock().unwrap().get(&self.end).cloned();
        let router = router.ok_or_else(|| Broken::Unsent(Words::same("nobody is there")))?;
        self.net.keep_copy(self.end, &parts, &bytes);
        // Bytes go to the disk in threads that outlive a request: there a kill is tried by other tests.
        let mortal = self.end.peer().is_none() && !parts.uri.path().starts_with("/envelope");
        let body = if whole { Body::from(bytes) } else { Body::from_stream(torn(bytes)) };
        let answering = router.oneshot(http::Request::from_parts(parts, body));
        let answer = match fault {
            Some(Fault::Death) if mortal => self.net.killed(self.end, answering).await,
            _ => Some(answering.await),
        };
        let Some(Ok(answer)) = answer else {
            return Err(Broken::Unanswered(Words::same("it died")));
        };
        match fault {
            Some(Fault::Lost) => Err(Broken::Unanswered(Words::same("the answer is lost"))),
            fault => put_together(answer, fault == Some(Fault::Torn), &self.net).await,
        }
    }
}

async fn taken_apart(mut request: Request, end: End) -> (http::request::Parts, Bytes, bool) {
    let body = request.body_mut().take();
    let mut bytes = Vec::new();
    let mut whole = true;
    if let Some(body) = body {
        let mut pieces = Body::new(body).into_data_stream();
        while let Some(piece) = pieces.next().await {
            match piece {
                Ok(piece) => bytes.extend_from_slice(&piece),
                Err(_) => whole = false,
            }
        }
    }
    let url = request.url();
    let path = url.query().map_or(url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    let mut made = http::Request::builder().method(request.method().clone()).uri(path);
    *made.headers_mut().unwrap() = request.headers().clone();
    if let Some(peer) = end.peer() {
        made = made.extension(peer);
    }
    (made.body(()).unwrap().into_parts().0, bytes.into(), whole)
}

fn torn(bytes: Bytes) -> impl futures_util::Stream<Item = std::io::Result<Bytes>> {
    stream::iter([Ok(bytes), Err(std::io::Error::other("cut"))])
}

async fn put_together(
    answer: http::Response<Body>,
    tear: bool,
    net: &Net,
) -> Result<Response, Broken> {
    let (parts, body) = answer.into_parts();
    let (mut bytes, mut whole) = (Vec::new(), true);
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        match piece {
            Ok(piece) => bytes.extend_from_slice(&piece),
            Err(_) => whole = false,
        }
    }
    if tear && !bytes.is_empty() {
        bytes.truncate(net.below(bytes.len()));
        whole = false;
    }
    let body = match whole {
        true => reqwest::Body::from(bytes),
        false => reqwest::Body::wrap_stream(torn(bytes.into())),
    };
    Ok(http::Response::from_parts(parts, body).into())
}
