//! The planes there are: engaged, replaced and disengaged while the program runs, each for itself.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use api::grants::Grants;
use api::names::reason;
use api::seen::Unknown;
use runtime::{Key, Process, Queue, Retry, WorkOptions};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::claim;
use crate::health::Health;
use crate::link::PlaneLink;
use crate::options::{FleetOptions, Home};
use crate::plane::Plane;
use crate::quote::quote;
use crate::refusal::Refusal;
use crate::sources::Sources;
use crate::trouble::{reasons, unknown};

/// How long the fleet waits for more changes. It is short because a program is not ready before its first pass, which
/// asks nobody anything.
const TOGETHER: Duration = Duration::from_millis(5);

/// What became of one `ClientConfig`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Its Secret has not been listed yet.
    Waiting,
    /// It gives this context.
    Engaged(String),
    /// It gives none.
    Refused(Refusal),
}

/// All planes that a program works with. `C` is what it keeps of each.
pub struct Fleet<C> {
    pub(crate) slots: RwLock<Slots<C>>,
    pub(crate) sources: Sources,
    pub(crate) home: Home,
    pub(crate) options: FleetOptions,
    pub(crate) engage: Box<dyn Fn(&PlaneLink) -> C + Send + Sync>,
    pub(crate) changed: Arc<dyn Fn() + Send + Sync>,
    pub(crate) queue: Queue,
    pub(crate) settled: watch::Sender<bool>,
}

pub(crate) struct Slots<C> {
    pub(crate) by_context: BTreeMap<String, Slot<C>>,
    pub(crate) verdicts: BTreeMap<Key, Verdict>,
    /// Contexts whose Secret has not been listed yet.
    pub(crate) waiting: BTreeSet<String>,
    /// By context: whom it lets in.
    pub(crate) grants: BTreeMap<String, Grants>,
}

pub(crate) struct Slot<C> {
    pub(crate) fingerprint: Fingerprint,
    pub(crate) since: Instant,
    pub(crate) outcome: Result<Arc<Plane<C>>, Refusal>,
}

/// Digest of the bytes that a plane was made from.
pub(crate) type Fingerprint = [u8; 32];

#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct Never(#[from] Infallible);

impl runtime::Failure for Never {
    fn retry(&self) -> Retry {
        match self.0 {}
    }

    fn class(&self) -> &'static str {
        match self.0 {}
    }
}

impl<C: Send + Sync + 'static> Fleet<C> {
    /// Watches `ClientConfigs` and their Secrets, and engages the control plane itself (context `""`) at once.
    ///
    /// `engage` is called once for each plane, and again when its credentials change: it starts the plane's watches.
    /// It must not block. `changed` is called when a plane came, went, became (un)reachable, was identified, or when
    /// one of its watches failed or recovered: it wakes whatever may depend on a plane.
    pub fn start(
        process: &Process,
        options: FleetOptions,
        engage: impl Fn(&PlaneLink) -> C + Send + Sync + 'static,
        changed: impl Fn() + Send + Sync + 'static,
    ) -> Arc<Self> {
        let home = Home {
            client: process.client.clone(),
            watch_client: process.watch_client.clone(),
            metrics: process.metrics.clone(),
            stop: process.stop.clone(),
        };
        Self::start_at(home, options, engage, changed)
    }

    /// As [`Fleet::start`], without a [`Process`].
    pub fn start_at(
        home: Home,
        options: FleetOptions,
        engage: impl Fn(&PlaneLink) -> C + Send + Sync + 'static,
        changed: impl Fn() + Send + Sync + 'static,
    ) -> Arc<Self> {
        let queue = Queue::new("fleet", &home.metrics);
        let sources = Sources::start(
            home.watch_client.clone(),
            &options.namespaces,
            queue.clone(),
            &home.metrics,
            home.stop.clone(),
        );
        let slots = Slots {
            by_context: BTreeMap::new(),
            verdicts: BTreeMap::new(),
            waiting: BTreeSet::new(),
            grants: claim::grants(&BTreeMap::new(), |_| None, options.require_grants),
        };
        let fleet = Arc::new(Self {
            slots: RwLock::new(slots),
            sources,
            options,
            engage: Box::new(engage),
            changed: Arc::new(changed),
            queue: queue.clone(),
            settled: watch::Sender::new(false),
            home,
        });
        fleet.engage_home();
        fleet.show();
        let (stop, passing) = (fleet.home.stop.clone(), Arc::clone(&fleet));
        let options = WorkOptions {
            workers: 1,
            debounce: TOGETHER,
            ..WorkOptions::default()
        };
        tokio::spawn(runtime::work(queue, options, stop, move |_| {
            let next = passing.settle();
            async move { Ok::<_, Never>(next) }
        }));
        fleet
    }

    /// The plane of a context; `""` is the control plane itself.
    ///
    /// # Errors
    /// `UnknownContext`, the refusal of its kubeconfig, or that nothing is known yet. A plane that does not answer is
    /// no error here: see [`Plane::health`].
    pub fn plane(&self, context: &str) -> Result<Arc<Plane<C>>, Unknown> {
        if let Some(slot) = self.read().by_context.get(context) {
            let refused =
                |refusal: &Refusal| unknown(context, refusal.reason.as_str(), refusal.message.clone());
            return slot.outcome.as_ref().map(Arc::clone).map_err(refused);
        }
        if !*self.settled.borrow() || self.read().waiting.contains(context) {
            let why = self
                .sources
                .trouble()
                .map(|why| format!(": {}", quote(&why)))
                .unwrap_or_default();
            let message = format!("The ClientConfigs and their Secrets have not been listed yet{why}.");
            return Err(unknown(context, reasons::CLIENT_CONFIGS_NOT_LISTED, message));
        }
        Err(no_such_context(context))
    }

    /// All planes that are engaged, by context; the control plane comes first.
    pub fn planes(&self) -> Vec<Arc<Plane<C>>> {
        self.read()
            .by_context
            .values()
            .filter_map(|slot| slot.outcome.as_ref().ok().cloned())
            .collect()
    }

    /// Whom the owner of a context's plane lets in. Of a context that is not known there is nothing to say.
    #[must_use]
    pub fn grants(&self, context: &str) -> Grants {
        self.read().grants.get(context).cloned().unwrap_or_default()
    }

    /// What became of a `ClientConfig`; `None` if it has not been looked at.
    pub fn verdict(&self, client_config: &Key) -> Option<Verdict> {
        self.read().verdicts.get(client_config).cloned()
    }

    /// Waits until the `ClientConfigs` and their Secrets are listed, and each plane has either answered all its
    /// watches or is known not to answer; at most this long.
    pub async fn synced(&self, at_most: Duration) {
        let all = async {
            let mut settled = self.settled.subscribe();
            if settled.wait_for(|settled| *settled).await.is_err() {
                return;
            }
            for plane in self.planes() {
                plane.link().pulse.settled().await;
            }
        };
        // Late is no error: what is not known shows as Unknown.
        let _ = tokio::time::timeout(at_most, all).await;
    }

    /// Shows which planes answer, and when their credentials end.
    fn show(self: &Arc<Self>) {
        let labels = &["plane"];
        let up = self
            .home
            .metrics
            .gauges("ringspan_remote_cluster_up", "1 if the plane answers.", labels);
        let ends = self.home.metrics.gauges(
            "ringspan_remote_credentials_expiry_timestamp_seconds",
            "When the first of the plane's credentials ends.",
            labels,
        );
        let fleet = Arc::downgrade(self);
        self.home.metrics.before_scrape(move || {
            let Some(fleet) = fleet.upgrade() else { return };
            up.reset();
            ends.reset();
            for plane in fleet.planes() {
                let answers = i64::from(plane.health() == Health::Reachable);
                up.with_label_values(&[plane.context()]).set(answers);
                if let Some(expires) = plane.expires() {
                    ends.with_label_values(&[plane.context()])
                        .set(expires.as_second());
                }
            }
        });
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Slots<C>> {
        // Each holder leaves whole slots behind, even if it panics.
        self.slots.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, Slots<C>> {
        self.slots.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is said of a context that no `ClientConfig` gives.
pub(crate) fn no_such_context(context: &str) -> Unknown {
    let message = format!(
        "No ClientConfig has the context name {}. Create one, or correct the name.",
        quote(context)
    );
    unknown(context, reason::UNKNOWN_CONTEXT, message)
}

impl<C> fmt::Debug for Fleet<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fleet").finish_non_exhaustive()
    }
}
