//! The planes there are: engaged, replaced and disengaged while the program runs, each for itself.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use api::names::reason;
use api::seen::Unknown;
use http::HeaderValue;
use kube::Client;
use runtime::{CancellationToken, Key, Metrics, Next, Process, Queue, Retry, WorkOptions};
use sha2::{Digest, Sha256};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::claim::{Claim, duplicate, winners};
use crate::dial::{self, Dial};
use crate::health::{Health, Pulse, watch_over};
use crate::kubeconfig::Access;
use crate::limits::{Deadlines, Limits};
use crate::link::{Bounds, PlaneLink, Pool};
use crate::plane::Plane;
use crate::quote::quote;
use crate::refusal::{Refusal, RefusalReason};
use crate::sources::{Found, Sources, everything};
use crate::trouble::{reasons, unknown};

/// A plane whose Secret changes all the time is rebuilt at most this often.
const LEAST_LIFE: Duration = Duration::from_secs(1);

/// How a fleet is run.
#[derive(Clone)]
pub struct FleetOptions {
    /// Namespaces whose `ClientConfigs` count, and which [`PlaneLink::watch`] looks at; none = all.
    pub namespaces: Vec<String>,
    /// `User-Agent` of every request to a plane; characters that cannot stand in a header are left out.
    pub user_agent: String,
    /// Times after which we stop waiting.
    pub deadlines: Deadlines,
    /// Sizes above which an answer is refused.
    pub limits: Limits,
    /// How planes are connected to.
    pub dial: Dial,
}

impl FleetOptions {
    /// The defaults, for one program.
    #[must_use]
    pub fn new(namespaces: &[String], user_agent: impl Into<String>) -> Self {
        Self {
            namespaces: namespaces.to_vec(),
            user_agent: user_agent.into(),
            deadlines: Deadlines::default(),
            limits: Limits::default(),
            dial: dial::sockets(),
        }
    }
}

/// What a fleet needs of the program that it runs in.
#[derive(Clone)]
pub struct Home {
    /// Client of the control plane, for requests.
    pub client: Client,
    /// Client of the control plane, for watches.
    pub watch_client: Client,
    /// Where watches and the fleet's own queue are counted.
    pub metrics: Metrics,
    /// Ends everything.
    pub stop: CancellationToken,
}

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
    slots: RwLock<Slots<C>>,
    sources: Sources,
    home: Home,
    options: FleetOptions,
    engage: Box<dyn Fn(&PlaneLink) -> C + Send + Sync>,
    changed: Arc<dyn Fn() + Send + Sync>,
    queue: Queue,
    settled: watch::Sender<bool>,
}

struct Slots<C> {
    by_context: BTreeMap<String, Slot<C>>,
    verdicts: BTreeMap<Key, Verdict>,
}

struct Slot<C> {
    fingerprint: Fingerprint,
    since: Instant,
    outcome: Result<Arc<Plane<C>>, Refusal>,
}

/// Digest of the bytes that a plane was made from.
type Fingerprint = [u8; 32];

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
        if !*self.settled.borrow() {
            let why = self
                .sources
                .trouble()
                .map(|why| format!(": {}", quote(&why)))
                .unwrap_or_default();
            let message = format!("The ClientConfigs and their Secrets have not been listed yet{why}.");
            return Err(unknown(context, reasons::CLIENT_CONFIGS_NOT_LISTED, message));
        }
        let message = format!(
            "No ClientConfig has the context name {}. Create one, or correct the name.",
            quote(context)
        );
        Err(unknown(context, reason::UNKNOWN_CONTEXT, message))
    }

    /// All planes that are engaged, by context; the control plane comes first.
    pub fn planes(&self) -> Vec<Arc<Plane<C>>> {
        self.read()
            .by_context
            .values()
            .filter_map(|slot| slot.outcome.as_ref().ok().cloned())
            .collect()
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

    /// One look at everything: from the `ClientConfigs` and Secrets as they are to the planes as they should be.
    fn settle(self: &Arc<Self>) -> Next {
        let Some(claims) = self.sources.claims() else {
            return Next::Done;
        };
        let claims: BTreeMap<_, _> = claims.iter().map(|(key, claim)| (key, claim.as_ref())).collect();
        let winners = winners(claims.iter().map(|(key, claim)| (*key, *claim)));
        let secrets = winners
            .values()
            .filter_map(|key| secret_of(key, claims.get(*key)?))
            .collect();
        self.sources.watch_secrets(&secrets);
        let mut round = Round {
            moved: false,
            waiting: false,
            again: None,
        };
        self.drop_unclaimed(&winners, &mut round);
        let mut verdicts = BTreeMap::new();
        for (key, claim) in &claims {
            let winner = winners.get(claim.context.as_str()).copied().unwrap_or(key);
            let verdict = if winner == *key {
                self.settle_one(key, claim, &mut round)
            } else {
                Verdict::Refused(duplicate(claim, winner))
            };
            verdicts.insert((*key).clone(), verdict);
        }
        self.renew_home(&mut round);
        let known = std::mem::replace(&mut self.write().verdicts, verdicts.clone());
        let first = !round.waiting
            && !self
                .settled
                .send_replace(!round.waiting || *self.settled.borrow());
        if round.moved || first || known != verdicts {
            (self.changed)();
        }
        round.again.map_or(Next::Done, Next::After)
    }

    /// Brings one context to what its `ClientConfig` and Secret say.
    fn settle_one(self: &Arc<Self>, key: &Key, claim: &Claim, round: &mut Round) -> Verdict {
        let context = claim.context.as_str();
        let Some(secret) = secret_of(key, claim) else {
            let refusal = Refusal::new(
                RefusalReason::SecretNotNamed,
                format!("ClientConfig {key} names no Secret. Set spec.kubeConfigSecret.name."),
            );
            return self.refuse(context, refusal, round);
        };
        let bytes = match self.sources.kubeconfig(&secret) {
            Found::Bytes(bytes) => bytes,
            Found::Refused(refusal) => return self.refuse(context, refusal, round),
            Found::Waiting => {
                round.waiting = true;
                return Verdict::Waiting;
            }
        };
        let Some(sealed) = bytes.as_ref() else {
            return Verdict::Waiting;
        };
        let fingerprint = fingerprint(context, sealed.bytes());
        if let Some(verdict) = self.unchanged(context, &fingerprint, round) {
            return verdict;
        }
        let outcome = Access::parse(sealed.bytes(), context)
            .and_then(|access| self.engage(context, &access))
            .map_err(|refusal| Refusal {
                message: format!("Secret {secret}, key kubeconfig: {}", refusal.message),
                ..refusal
            });
        let verdict = match &outcome {
            Ok(_) => Verdict::Engaged(context.to_owned()),
            Err(refusal) => Verdict::Refused(refusal.clone()),
        };
        self.put(
            context,
            Slot {
                fingerprint,
                since: Instant::now(),
                outcome,
            },
            round,
        );
        verdict
    }

    /// The verdict that stays, if the plane is made from the same bytes or was made too recently.
    fn unchanged(&self, context: &str, fingerprint: &Fingerprint, round: &mut Round) -> Option<Verdict> {
        let slots = self.read();
        let slot = slots.by_context.get(context)?;
        let swapped = slot
            .outcome
            .as_ref()
            .is_ok_and(|plane| plane.link().pulse.swapped());
        let young = LEAST_LIFE.saturating_sub(slot.since.elapsed());
        if (slot.fingerprint != *fingerprint || swapped) && young.is_zero() {
            return None;
        }
        if slot.fingerprint != *fingerprint || swapped {
            round.again = Some(round.again.map_or(young, |again| again.min(young)));
        }
        Some(match &slot.outcome {
            Ok(_) => Verdict::Engaged(context.to_owned()),
            Err(refusal) => Verdict::Refused(refusal.clone()),
        })
    }

    fn refuse(&self, context: &str, refusal: Refusal, round: &mut Round) -> Verdict {
        let same = self
            .read()
            .by_context
            .get(context)
            .is_some_and(|slot| slot.outcome.as_ref().err() == Some(&refusal));
        if !same {
            let slot = Slot {
                fingerprint: [0; 32],
                since: Instant::now(),
                outcome: Err(refusal.clone()),
            };
            self.put(context, slot, round);
        }
        Verdict::Refused(refusal)
    }

    /// Makes the plane of one context and starts its watches.
    fn engage(self: &Arc<Self>, context: &str, access: &Access) -> Result<Arc<Plane<C>>, Refusal> {
        let (dial, deadlines) = (Arc::clone(&self.options.dial), self.options.deadlines);
        let host = access.host();
        let expires = access.expires;
        let access = access.clone();
        self.make(
            context,
            Arc::new(move || dial(&access, &deadlines)),
            host,
            expires,
        )
    }

    fn engage_home(self: &Arc<Self>) {
        let mut clients = [self.home.client.clone(), self.home.watch_client.clone()].into_iter();
        let (first, rest) = (clients.next(), self.home.watch_client.clone());
        // The first pool is for requests, all later ones for watches.
        let taken = std::sync::Mutex::new(first);
        let pool: Pool = Arc::new(move || {
            let first = taken.lock().unwrap_or_else(PoisonError::into_inner).take();
            Ok(dial::through(first.unwrap_or_else(|| rest.clone())))
        });
        match self.make("", pool, String::new(), None) {
            Ok(plane) => {
                let slot = Slot {
                    fingerprint: [0; 32],
                    since: Instant::now(),
                    outcome: Ok(plane),
                };
                self.write().by_context.insert(String::new(), slot);
            }
            Err(refusal) => tracing::error!(%refusal, "the control plane cannot be used as a plane"),
        }
    }

    /// The control plane is made anew, too, when another cluster answers at its address.
    fn renew_home(self: &Arc<Self>, round: &mut Round) {
        let swapped = self.read().by_context.get("").is_some_and(|slot| {
            slot.outcome
                .as_ref()
                .is_ok_and(|plane| plane.link().pulse.swapped())
        });
        if swapped {
            self.remove("");
            self.engage_home();
            round.moved = true;
        }
    }

    fn make(
        self: &Arc<Self>,
        context: &str,
        pool: Pool,
        host: String,
        expires: Option<k8s_openapi::jiff::Timestamp>,
    ) -> Result<Arc<Plane<C>>, Refusal> {
        let (changed, queue) = (Arc::clone(&self.changed), self.queue.clone());
        let pulse = Pulse::new(
            context,
            Arc::new(move || {
                queue.wake(everything());
                changed();
            }),
        );
        let bounds = Bounds {
            deadlines: self.options.deadlines,
            limits: self.options.limits,
            user_agent: header(&self.options.user_agent),
        };
        let stop = self.home.stop.child_token();
        let namespaces = &self.options.namespaces;
        let link = PlaneLink::new(
            context,
            pool,
            bounds,
            namespaces,
            Arc::clone(&pulse),
            &self.home.metrics,
            stop.clone(),
        )?;
        let caches = (self.engage)(&link);
        let care = watch_over(pulse, link.probe.clone(), self.options.deadlines);
        tokio::spawn(async move { stop.run_until_cancelled_owned(care).await });
        tracing::info!(plane = context, host, "plane engaged");
        Ok(Arc::new(Plane::new(
            caches,
            link,
            host,
            expires,
            self.options.limits.listed,
        )))
    }

    fn drop_unclaimed(&self, winners: &BTreeMap<&str, &Key>, round: &mut Round) {
        let claimed = |context: &str| context.is_empty() || winners.contains_key(context);
        let gone: BTreeSet<_> = self
            .read()
            .by_context
            .keys()
            .filter(|context| !claimed(context))
            .cloned()
            .collect();
        for context in gone {
            self.remove(&context);
            round.moved = true;
        }
    }

    fn put(&self, context: &str, slot: Slot<C>, round: &mut Round) {
        self.remove(context);
        if let Err(refusal) = &slot.outcome {
            tracing::warn!(plane = context, reason = %refusal.reason, why = refusal.message, "plane refused");
        }
        self.write().by_context.insert(context.to_owned(), slot);
        round.moved = true;
    }

    fn remove(&self, context: &str) {
        let slot = self.write().by_context.remove(context);
        if let Some(plane) = slot.and_then(|slot| slot.outcome.ok()) {
            plane.link().stop.cancel();
            tracing::info!(plane = context, "plane disengaged");
        }
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

    fn read(&self) -> RwLockReadGuard<'_, Slots<C>> {
        // Each holder leaves whole slots behind, even if it panics.
        self.slots.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Slots<C>> {
        self.slots.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<C> fmt::Debug for Fleet<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fleet").finish_non_exhaustive()
    }
}

/// What one look at everything found.
struct Round {
    moved: bool,
    waiting: bool,
    again: Option<Duration>,
}

fn secret_of(key: &Key, claim: &Claim) -> Option<Key> {
    claim.secret.as_ref().map(|name| Key::new(&key.namespace, name))
}

fn fingerprint(context: &str, bytes: &[u8]) -> Fingerprint {
    Sha256::new()
        .chain_update(context)
        .chain_update([0])
        .chain_update(bytes)
        .finalize()
        .into()
}

fn header(text: &str) -> HeaderValue {
    let text: String = text
        .chars()
        .filter(|character| character.is_ascii_graphic() || *character == ' ')
        .collect();
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(api::names::PRODUCT))
}
