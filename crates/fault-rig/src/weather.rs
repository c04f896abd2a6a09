//! Which planes are cut off from all programs: a state of the wire over a span of time, not a fault at one call.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use fake_datacenter::ring::Rings;
use futures::{StreamExt, TryStreamExt, stream};
use http::{Request, Response};
use http_body_util::{BodyExt, BodyStream, StreamBody};
use kube::client::Body;
use management_api::Dial;
use runtime::WireBody;
use tokio::sync::watch;
use tokio::time::Instant;
use tower::{BoxError, Service};

use crate::doors::{Door, Doors, Knock};
use crate::plan::{Place, Plan, What};
use crate::scenario::Cut;
use crate::wire::{broken, status};

/// Of each plane, whether it is cut off now, and how.
#[derive(Debug)]
pub struct Weather {
    began: Instant,
    /// What the plan cuts, whatever the user does.
    planned: Vec<Planned>,
    /// What the scenario cuts.
    cuts: Mutex<BTreeMap<&'static str, Cut>>,
    changed: watch::Sender<u64>,
}

#[derive(Debug)]
struct Planned {
    plane: &'static str,
    from: Duration,
    until: Duration,
    cut: Cut,
    /// Somebody has noticed.
    struck: AtomicBool,
}

impl Weather {
    /// As the plan has it, from now on.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        let span = |fault: &crate::plan::Fault| {
            let Place::Span { plane, from, until } = fault.place else {
                return None;
            };
            let What::Partition(cut) = fault.what else {
                return None;
            };
            let seconds = |number: u32| Duration::from_secs(number.into());
            Some(Planned {
                plane,
                from: seconds(from),
                until: seconds(until),
                cut,
                struck: AtomicBool::new(false),
            })
        };
        Self {
            began: Instant::now(),
            planned: plan.faults.iter().filter_map(span).collect(),
            cuts: Mutex::default(),
            changed: watch::Sender::new(0),
        }
    }

    /// How a plane is cut off now.
    #[must_use]
    pub fn of(&self, plane: &str) -> Option<Cut> {
        let cuts = self.cuts.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.began.elapsed();
        let here = |it: &&Planned| it.plane == plane && (it.from..it.until).contains(&now);
        let planned = self.planned.iter().find(here);
        if let Some(planned) = planned {
            planned.struck.store(true, Ordering::Relaxed);
        }
        cuts.get(plane).copied().or(planned.map(|it| it.cut))
    }

    /// Of each cut of the plan, whether somebody has noticed it.
    #[must_use]
    pub fn struck(&self) -> Vec<bool> {
        let struck = |it: &Planned| it.struck.load(Ordering::Relaxed);
        self.planned.iter().map(struck).collect()
    }

    /// When the last cut of the plan is over.
    #[must_use]
    pub fn clears(&self) -> Duration {
        self.planned.iter().map(|it| it.until).max().unwrap_or_default()
    }

    /// Cuts a plane off, or ends that.
    pub fn set(&self, plane: &'static str, cut: Option<Cut>) {
        let mut cuts = self.cuts.lock().unwrap_or_else(PoisonError::into_inner);
        match cut {
            Some(cut) => cuts.insert(plane, cut),
            None => cuts.remove(plane),
        };
        drop(cuts);
        self.changed.send_modify(|number| *number += 1);
    }

    /// Waits until it may be otherwise.
    async fn turn(&self, seen: &mut watch::Receiver<u64>) {
        let now = self.began.elapsed();
        let edges = self.planned.iter().flat_map(|it| [it.from, it.until]);
        let next = edges.filter(|edge| *edge > now).min();
        let changed = async {
            if seen.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        match next {
            Some(edge) => {
                tokio::select! {
                    // Chance is the seed's.
                    biased;
                    () = changed => {}
                    () = tokio::time::sleep(edge.saturating_sub(now)) => {}
                }
            }
            None => changed.await,
        }
    }

    /// Waits until a plane is cut off in this way.
    async fn until(&self, plane: &str, wanted: impl Fn(Option<Cut>) -> bool) {
        let mut seen = self.changed.subscribe();
        while !wanted(self.of(plane)) {
            self.turn(&mut seen).await;
        }
    }
}

/// The way to the nodes of all planes; those of a plane that is cut off are too.
#[must_use]
pub fn to_nodes(inner: Dial, rings: &Rings, weather: &Arc<Weather>) -> Dial {
    let Dial::Through(inner) = inner else {
        return inner;
    };
    let (rings, weather) = (rings.clone(), Arc::clone(weather));
    Dial::Through(Arc::new(move |address: SocketAddr| {
        let node = match address.ip() {
            IpAddr::V4(address) => rings.lock().node_at(address),
            IpAddr::V6(_) => None,
        };
        match node.and_then(|node| weather.of(&node.plane)) {
            None => inner(address),
            Some(Cut::Refused) => Err(std::io::ErrorKind::ConnectionRefused.into()),
            Some(Cut::Silent | Cut::RepliesLost) => {
                let (near, far) = tokio::io::duplex(64 * 1024);
                // Nobody reads what is sent, and nobody closes.
                tokio::spawn(async move {
                    let _far = far;
                    std::future::pending::<()>().await;
                });
                Ok(near)
            }
        }
    }))
}

/// A way to a plane that the weather can cut, through a door that can be closed.
#[derive(Clone)]
pub struct Way<S> {
    inner: S,
    plane: &'static str,
    door: Door,
    doors: Arc<Doors>,
    weather: Arc<Weather>,
}

impl<S> Way<S> {
    /// The way to `plane` by `door` through `inner`.
    pub fn new(
        inner: S,
        plane: &'static str,
        door: Door,
        doors: &Arc<Doors>,
        weather: &Arc<Weather>,
    ) -> Self {
        Self {
            inner,
            plane,
            door,
            doors: Arc::clone(doors),
            weather: Arc::clone(weather),
        }
    }
}

impl<S> Service<Request<Body>> for Way<S>
where
    S: Service<Request<Body>, Response = Response<WireBody>, Error = BoxError> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response<WireBody>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let Way {
            mut inner,
            plane,
            weather,
            ..
        } = self.clone();
        let knock = self.doors.knock(plane, &self.door);
        let watches = request
            .uri()
            .query()
            .is_some_and(|query| query.contains("watch=true"));
        Box::pin(async move {
            match weather.of(plane) {
                Some(Cut::Refused) => return Err(broken()),
                Some(Cut::Silent) => return std::future::pending().await,
                Some(Cut::RepliesLost) | None => {}
            }
            match knock {
                Knock::Open => {}
                Knock::Nobody => return Err(broken()),
                Knock::Unauthorized => return Ok(status(401)),
            }
            let answer = inner.call(request).await?;
            match weather.of(plane) {
                Some(Cut::Refused) => Err(broken()),
                Some(_) => std::future::pending().await,
                None if watches => Ok(answer.map(|body| held(body, plane, weather))),
                None => Ok(answer),
            }
        })
    }
}

/// A watch shows nothing while its plane is cut off, and ends when connections break.
fn held(body: WireBody, plane: &'static str, weather: Arc<Weather>) -> WireBody {
    let frames = BodyStream::new(body).map(Some);
    // The end is shown too.
    let frames = Box::pin(frames.chain(stream::iter([None])));
    let shown = stream::unfold((frames, weather), move |(mut frames, weather)| async move {
        let frame = tokio::select! {
            biased;
            () = weather.until(plane, |cut| cut == Some(Cut::Refused)) => return Some((Err(broken()), (frames, weather))),
            frame = frames.next() => frame.flatten(),
        };
        weather
            .until(plane, |cut| !matches!(cut, Some(Cut::Silent | Cut::RepliesLost)))
            .await;
        if weather.of(plane).is_some() {
            return Some((Err(broken()), (frames, weather)));
        }
        Some((frame?, (frames, weather)))
    });
    StreamBody::new(shown.map_err(BoxError::from)).boxed_unsync()
}
