//! What this program watches and may do. The shipped roles are generated from [`RULES`] and [`fleet::RULES`].

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use api::cass_operator::CassandraDatacenter;
use api::client_config::ClientConfig;
use fleet::{PlaneCache, PlaneLink};
use kube::Api;
use kube::core::PartialObjectMeta;
use kube::runtime::watcher;
use runtime::rbac::{Rule, Side};
use runtime::{Cache, Process, Queue, WatchSpec};

/// What this program does, beside what its fleet needs.
pub const RULES: &[Rule] = &[
    Rule {
        side: Side::ControlPlane,
        group: "config.k8ssandra.io",
        resource: "clientconfigs/status",
        verbs: &["patch"],
        namespace: None,
        names: &[],
        why: "says of each plane whether it is usable",
    },
    Rule {
        side: Side::Plane,
        group: "cassandra.datastax.com",
        resource: "cassandradatacenters",
        verbs: &["list", "watch"],
        namespace: None,
        names: &[],
        why: "sees whether cass-operator's kinds are there and may be watched",
    },
    Rule {
        side: Side::Plane,
        group: "apps",
        resource: "deployments",
        verbs: &["list"],
        namespace: None,
        names: &[],
        why: "reads cass-operator's version off its image; without this right the version stays empty",
    },
];

/// What is kept of one plane.
pub(crate) struct Remote {
    /// Holds nothing: only whether it can be watched counts.
    pub datacenters: PlaneCache<()>,
    namespaces: Vec<String>,
    versions: Mutex<Option<Versions>>,
}

/// What a plane says of itself: asked once for each time that it is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Versions {
    pub server: Option<String>,
    pub cass_operator: Option<String>,
}

impl Remote {
    /// Starts the watches of a plane.
    pub fn start(link: &PlaneLink, queue: &Queue) -> Self {
        let namespaces = link.namespaces().to_vec();
        let spec = |client| {
            WatchSpec::<PartialObjectMeta<CassandraDatacenter>, ()>::new(
                "cassandradatacenters",
                Api::all(client),
                watcher::Config::default(),
                |_| None,
                Arc::new(|_, ()| vec![]),
            )
            .metadata_only()
            .in_namespaces(&namespaces)
        };
        let datacenters = link.watch_spec(spec, queue);
        Self {
            datacenters,
            namespaces,
            versions: Mutex::default(),
        }
    }

    /// The namespaces that are looked at; none = all.
    pub fn namespaces(&self) -> &[String] {
        &self.namespaces
    }

    /// What the plane said of itself since it was last out of reach.
    pub fn versions(&self) -> Option<Versions> {
        self.lock().clone()
    }

    /// Keeps what the plane said, or forgets it.
    pub fn set_versions(&self, versions: Option<Versions>) {
        *self.lock() = versions;
    }

    fn lock(&self) -> MutexGuard<'_, Option<Versions>> {
        self.versions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The `ClientConfigs` of the control plane.
pub(crate) fn client_configs(process: &Process, queue: &Queue) -> Cache<ClientConfig> {
    let spec = WatchSpec::new(
        "clientconfigs",
        Api::<ClientConfig>::all(process.watch_client.clone()),
        watcher::Config::default(),
        Some,
        Arc::new(|key, _| vec![key.clone()]),
    )
    .in_namespaces(&process.args.namespaces());
    runtime::watch(spec, queue.clone(), &process.metrics, process.stop.clone(), None)
}
