//! What datacenters are built from beside their cluster's spec: images, a MedusaConfiguration, and ConfigMaps of users.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use api::k8ssandra_cluster::K8ssandraCluster;
use api::medusa_configuration::MedusaConfiguration;
use api::names::label;
use api::seen::{PlaneId, Seen, Unknown};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::runtime::watcher;
use plan::cluster::facts::{ClusterFacts, UserConfigMap};
use plan::datacenter::{self, Images};
use plan::images::{self, ImageConfig};
use runtime::{Cache, CacheState, Key, Process, Queue, Roots, WatchSpec};
use serde_json::Value;

use crate::Context;
use crate::watches::{ConfigMapView, start};

/// What is watched in the control plane for all clusters together.
pub(crate) struct References {
    /// Where this program runs, and where its installation is configured.
    namespace: String,
    images: Cache<ImageView>,
    /// Watched from when the first cluster refers to one: a server may not know the kind.
    medusa: OnceLock<Cache<Value>>,
    clusters: Cache<K8ssandraCluster>,
    queue: Queue,
}

/// An ImageConfig, or what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ImageView(Result<Arc<ImageConfig>, String>);

impl References {
    pub fn start(process: &Process, queue: &Queue, clusters: &Cache<K8ssandraCluster>) -> References {
        let client = process.watch_client.clone();
        let namespace = process.client.default_namespace().to_owned();
        let selector = format!("{}={}", label::CONFIG, label::IMAGE_CONFIG);
        let all = clusters.clone();
        let spec = WatchSpec::new(
            "ImageConfig",
            Api::namespaced(client, &namespace),
            watcher::Config::default().labels(&selector),
            ImageView::of,
            Arc::new(move |_: &Key, _: &ImageView| all.list().into_iter().map(|(key, _)| key).collect()),
        );
        References {
            images: runtime::watch(spec, queue.clone(), &process.metrics, process.stop.clone(), None),
            namespace,
            medusa: OnceLock::new(),
            clusters: clusters.clone(),
            queue: queue.clone(),
        }
    }

    /// Waits until it is known which images are configured, or that this cannot be seen.
    pub async fn answered(&self) {
        self.images.answered().await;
    }

    /// Those of the first ConfigMap that names any, by name.
    fn images(&self) -> Images {
        if let (false, CacheState::Stale { error }) = (self.images.listed(), self.images.state()) {
            return Images::unread(&self.namespace, &error.message);
        }
        let first = self.images.list().into_iter().next();
        match first.map(|(key, view)| (key, view.0.clone())) {
            None => Images::default(),
            Some((_, Ok(config))) => Images::Config(config),
            Some((key, Err(why))) => Images::unusable(&key.to_string(), &why),
        }
    }

    /// The spec of the MedusaConfiguration that a cluster refers to, if it is there.
    async fn medusa_configuration(&self, process: &Process, kc: &K8ssandraCluster) -> Option<Value> {
        let name = medusa_reference(kc)?;
        let cache = self.medusa.get_or_init(|| {
            let clusters = self.clusters.clone();
            let spec = WatchSpec::new(
                "MedusaConfiguration",
                Api::all(process.watch_client.clone()),
                watcher::Config::default(),
                |object: MedusaConfiguration| Some(object.spec),
                Arc::new(move |key: &Key, _: &Value| {
                    let refers = |(at, kc): &(Key, Arc<K8ssandraCluster>)| {
                        at.namespace == key.namespace && medusa_reference(kc) == Some(&key.name)
                    };
                    let all = clusters.list().into_iter();
                    all.filter(refers).map(|(at, _)| at).collect()
                }),
            );
            start(process, &self.queue, spec)
        });
        cache.answered().await;
        let namespace = kc.metadata.namespace.clone().unwrap_or_default();
        let found = cache.get(&Key::new(&namespace, name))?;
        Some((*found).clone())
    }
}

fn medusa_reference(kc: &K8ssandraCluster) -> Option<&String> {
    let reference = kc.spec.medusa.as_ref()?.medusa_configuration_ref.as_ref()?;
    reference.name.as_ref().filter(|name| !name.is_empty())
}

impl ImageView {
    /// `None` for a ConfigMap without such a document.
    fn of(map: ConfigMap) -> Option<Self> {
        let text = map.data?.remove(images::KEY).filter(|text| !text.is_empty())?;
        let document = serde_saphyr::from_str::<Value>(&text).map_err(|error| error.to_string());
        let config = document.and_then(|document| ImageConfig::read(&document));
        Some(ImageView(config.map(Arc::new)))
    }
}

/// Whom a ConfigMap in a plane concerns: the cluster of its labels, and of a user's own every cluster that refers to it.
pub(crate) fn by_use(clusters: Cache<K8ssandraCluster>) -> Roots<ConfigMapView> {
    Arc::new(move |at, view| {
        let mut roots: Vec<Key> = view.cluster.clone().into_iter().collect();
        if !view.marks.are_of_a_cluster() {
            let users = clusters.list().into_iter();
            let users = users.filter(|(_, kc)| per_node_configs(kc).any(|(_, _, named)| named == *at));
            roots.extend(users.map(|(key, _)| key));
            roots.sort();
            roots.dedup();
        }
        roots
    })
}

/// The ConfigMaps that a cluster's datacenters refer to: datacenter, context, and where it is there.
fn per_node_configs(kc: &K8ssandraCluster) -> impl Iterator<Item = (&str, &str, Key)> {
    let templates = kc.spec.cassandra.iter().flat_map(|it| &it.datacenters);
    templates.filter_map(|template| {
        let name = template.per_node_config_map()?;
        let key = Key::new(datacenter::namespace(kc, template), name);
        Some((template.name(), template.k8s_context.as_str(), key))
    })
}

/// What all datacenters of a cluster refer to, by their names.
pub(crate) async fn of_cluster(
    context: &Context,
    kc: &K8ssandraCluster,
) -> BTreeMap<String, datacenter::References> {
    let local = &context.local.references;
    let references = datacenter::References {
        images: local.images(),
        medusa_configuration: local.medusa_configuration(&context.process, kc).await,
        ..datacenter::References::default()
    };
    let templates = kc.spec.cassandra.iter().flat_map(|it| &it.datacenters);
    templates
        .map(|template| (template.name().to_owned(), references.clone()))
        .collect()
}

/// Looks up the users' ConfigMaps with configuration of single nodes. The watches show those with labels of a cluster; for
/// others their planes are asked.
pub(crate) async fn look_up_per_node_configs(context: &Context, facts: &mut ClusterFacts) {
    let kc = facts.kc.clone();
    let reads = per_node_configs(&kc).filter_map(|(name, plane, key)| {
        let id = facts.planes.get(plane).cloned()?;
        Some(async move { (name, per_node_config(context, plane, &key, id).await) })
    });
    let found = futures::future::join_all(reads.collect::<Vec<_>>()).await;
    for (name, seen) in found {
        if let Some(datacenter) = facts.datacenters.get_mut(name) {
            datacenter.per_node_config = Some(seen);
        }
    }
}

async fn per_node_config(
    context: &Context,
    plane: &str,
    key: &Key,
    id: Result<PlaneId, Unknown>,
) -> Seen<UserConfigMap> {
    let (plane, id) = match (context.fleet.plane(plane), id) {
        (Ok(plane), Ok(id)) => (plane, id),
        (Err(unknown), _) | (_, Err(unknown)) => return Seen::Unknown(unknown),
    };
    match plane.caches.config_maps.see(key) {
        Seen::Unknown(unknown) => return Seen::Unknown(unknown),
        Seen::Present(view) => {
            if let Some(content) = &view.marked.content {
                return Seen::Present(UserConfigMap {
                    uid: view.marked.uid.clone(),
                    watched: true,
                    content: (**content).clone(),
                });
            }
        }
        Seen::Absent(_) | Seen::NotListed => {}
    }
    let read = plane
        .read::<ConfigMap>(&key.namespace, &key.name, Some(&id))
        .await;
    read.map(|map| UserConfigMap {
        uid: map.metadata.uid.clone().unwrap_or_default(),
        watched: map
            .metadata
            .labels
            .as_ref()
            .is_some_and(|labels| labels.contains_key(label::CLUSTER_NAME)),
        content: map.data.unwrap_or_default(),
    })
}
