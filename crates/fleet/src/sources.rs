//! Where planes come from: one watch of `ClientConfigs`, and one watch per Secret that one of them names, so that no
//! other Secret is ever read.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use api::client_config::ClientConfig;
use k8s_openapi::api::core::v1::Secret;
use kube::runtime::watcher;
use kube::{Api, Client};
use runtime::{Cache, CacheState, CancellationToken, Key, Metrics, OnState, Queue, WatchSpec};
use secrecy::{ExposeSecret, SecretSlice};

use crate::claim::Claim;
use crate::refusal::{Refusal, RefusalReason};

/// Key of a Secret's data that holds the kubeconfig.
pub(crate) const KUBECONFIG: &str = "kubeconfig";

/// The only key of the fleet's queue: every event leads to one look at everything.
pub(crate) fn everything() -> Key {
    Key::new("", "fleet")
}

/// The bytes of a kubeconfig: never printed, wiped when dropped.
#[derive(Clone)]
pub(crate) struct Sealed(SecretSlice<u8>);

impl Sealed {
    pub fn bytes(&self) -> &[u8] {
        self.0.expose_secret()
    }
}

impl PartialEq for Sealed {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed")
    }
}

/// What is known of the kubeconfig of one `ClientConfig`.
pub(crate) enum Found {
    /// The Secret has not been listed yet.
    Waiting,
    /// Its bytes, as last seen.
    Bytes(Arc<Option<Sealed>>),
    /// There is none.
    Refused(Refusal),
}

/// The watches.
pub(crate) struct Sources {
    claims: Cache<Claim>,
    client: Client,
    metrics: Metrics,
    queue: Queue,
    stop: CancellationToken,
    secrets: Mutex<BTreeMap<Key, Watched>>,
}

struct Watched {
    cache: Cache<Option<Sealed>>,
    stop: CancellationToken,
}

impl Sources {
    /// Starts to watch the `ClientConfigs` of these namespaces; none given = all.
    pub fn start(
        client: Client,
        namespaces: &[String],
        queue: Queue,
        metrics: &Metrics,
        stop: CancellationToken,
    ) -> Self {
        let spec = WatchSpec::new(
            "clientconfigs",
            Api::<ClientConfig>::all(client.clone()),
            watcher::Config::default(),
            |object| Some(Claim::of(&object)),
            Arc::new(|_, _| vec![everything()]),
        )
        .in_namespaces(namespaces);
        let claims = runtime::watch(spec, queue.clone(), metrics, stop.clone(), Some(look(&queue)));
        Self {
            claims,
            client,
            metrics: metrics.clone(),
            queue,
            stop,
            secrets: Mutex::default(),
        }
    }

    /// The `ClientConfigs`, once they have been listed.
    pub fn claims(&self) -> Option<Vec<(Key, Arc<Claim>)>> {
        self.claims.listed().then(|| self.claims.list())
    }

    /// Why the `ClientConfigs` have not been listed, if that is known.
    pub fn trouble(&self) -> Option<String> {
        match self.claims.state() {
            CacheState::Stale { error } => Some(error.to_string()),
            _ => None,
        }
    }

    /// Watches exactly these Secrets.
    pub fn watch_secrets(&self, wanted: &BTreeSet<Key>) {
        let mut secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        secrets.retain(|key, watched| {
            let keep = wanted.contains(key);
            if !keep {
                watched.stop.cancel();
            }
            keep
        });
        for key in wanted {
            secrets
                .entry(key.clone())
                .or_insert_with(|| self.watch_secret(key));
        }
    }

    /// The kubeconfig of a Secret that is watched.
    pub fn kubeconfig(&self, secret: &Key) -> Found {
        let secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(watched) = secrets.get(secret).filter(|watched| watched.cache.listed()) else {
            return Found::Waiting;
        };
        match watched.cache.get(secret) {
            Some(bytes) if bytes.is_some() => Found::Bytes(bytes),
            Some(_) => Found::Refused(no_kubeconfig(secret)),
            None => Found::Refused(no_secret(secret)),
        }
    }

    fn watch_secret(&self, key: &Key) -> Watched {
        let stop = self.stop.child_token();
        let spec = WatchSpec::new(
            "secrets",
            Api::<Secret>::namespaced(self.client.clone(), &key.namespace),
            watcher::Config::default().fields(&format!("metadata.name={}", key.name)),
            |secret| Some(kubeconfig_of(secret)),
            Arc::new(|_, _| vec![everything()]),
        );
        let cache = runtime::watch(
            spec,
            self.queue.clone(),
            &self.metrics,
            stop.clone(),
            Some(look(&self.queue)),
        );
        Watched { cache, stop }
    }
}

/// What a `ClientConfig` is told whose Secret has no kubeconfig.
pub(crate) fn no_kubeconfig(secret: &Key) -> Refusal {
    Refusal::new(
        RefusalReason::KubeconfigKeyMissing,
        format!("Secret {secret} has no key `{KUBECONFIG}`, or it is empty. Put the kubeconfig there."),
    )
}

/// What a `ClientConfig` is told whose Secret is not there.
pub(crate) fn no_secret(secret: &Key) -> Refusal {
    Refusal::new(
        RefusalReason::SecretMissing,
        format!("Secret {secret} is not there. Create it with the kubeconfig under key `{KUBECONFIG}`."),
    )
}

/// A first list without objects wakes nobody by itself.
fn look(queue: &Queue) -> OnState {
    let queue = queue.clone();
    Arc::new(move |_| queue.wake(everything()))
}

fn kubeconfig_of(secret: Secret) -> Option<Sealed> {
    let bytes = secret.data?.remove(KUBECONFIG)?.0;
    (!bytes.is_empty()).then(|| Sealed(SecretSlice::from(bytes)))
}
