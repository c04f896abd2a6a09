//! What there is in live clusters: K8ssandraClusters, and everything that a plan for them is made from. Only gets and
//! lists are sent, to anybody.
//!
//! * `plane`: what one plane shows; `own`: what the control plane shows of a cluster; `objects`: both, gathered

mod objects;
mod own;
mod plane;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use api::k8ssandra_cluster::K8ssandraCluster;
use api::names::annotation;
use api::record::RecordState;
use api::seen::{PlaneId, SamePlane, Seen, Unknown};
use fleet::{FleetOptions, Once, Plane};
use kube::Client;
use plan::foresight::{PlaneObjects, Snapshot};

pub(crate) use plane::{Place, identified};

/// The control plane and its planes, asked once.
#[derive(Debug)]
pub struct Live {
    once: Once,
    /// Namespace of the user's context.
    namespace: String,
    /// Namespace that Ringspan runs in.
    installed_in: String,
}

impl Live {
    /// Lists the planes.
    ///
    /// # Errors
    /// The control plane does not let itself be asked for ClientConfigs.
    pub async fn look(client: Client, installed_in: &str, options: FleetOptions) -> Result<Self> {
        let namespace = client.default_namespace().to_owned();
        let everywhere = options.namespaces.is_empty();
        let once = Once::look(client, options).await.map_err(|unknown| {
            let way_out = if everywhere {
                " With --control-plane-namespace only one namespace is asked for them."
            } else {
                ""
            };
            anyhow::anyhow!("the ClientConfigs are not known: {}{way_out}", said(&unknown))
        })?;
        Ok(Self {
            once,
            namespace,
            installed_in: installed_in.to_owned(),
        })
    }

    /// Namespace that the user's context is about.
    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Namespace that Ringspan runs in.
    pub(crate) fn installed_in(&self) -> &str {
        &self.installed_in
    }

    /// The planes, each to be asked by whoever needs it.
    pub(crate) fn once(&self) -> &Once {
        &self.once
    }

    /// One cluster, if it is there.
    ///
    /// # Errors
    /// It is not known whether it is.
    pub async fn cluster(&self, namespace: &str, name: &str) -> Result<Option<K8ssandraCluster>> {
        let seen = self
            .once
            .control()
            .read::<K8ssandraCluster>(namespace, name, None);
        match seen.await {
            Seen::Present(kc) => Ok(Some(kc)),
            Seen::Absent(_) | Seen::NotListed => Ok(None),
            Seen::Unknown(unknown) => bail!(
                "K8ssandraCluster {namespace}/{name} cannot be read: {}",
                said(&unknown)
            ),
        }
    }

    /// All clusters of a namespace; none given = of all.
    ///
    /// # Errors
    /// They cannot be listed.
    pub async fn clusters(&self, namespace: Option<&str>) -> Result<Vec<K8ssandraCluster>> {
        let listed = self
            .once
            .control()
            .list_live::<K8ssandraCluster>(namespace, "", None);
        listed.await.map_err(|unknown| {
            let place = namespace.unwrap_or("all namespaces");
            anyhow::anyhow!(
                "the K8ssandraClusters of {place} cannot be listed: {}",
                said(&unknown)
            )
        })
    }

    /// Everything that plans for these clusters are made from. A plane that cannot be read whole is unknown.
    ///
    /// # Errors
    /// The control plane itself cannot be read.
    pub async fn snapshot(&self, clusters: &[K8ssandraCluster]) -> Result<Snapshot> {
        let control = self.once.control();
        let own = own::read(control, clusters, &self.installed_in).await;
        let mut home = own.map_err(|unknown| anyhow::anyhow!("{}", said(&unknown)))?;
        let mut wanted: BTreeMap<String, Vec<Place<'_>>> = BTreeMap::new();
        for place in clusters.iter().flat_map(Place::of_spec) {
            wanted.entry(place.context.to_owned()).or_default().push(place);
        }
        if let Some(places) = wanted.remove("") {
            // The control plane is a plane of its own clusters, too.
            let more = plane::read(control, &places).await;
            let more = more.map_err(|unknown| {
                anyhow::anyhow!(
                    "datacenters are placed in the control plane itself, and it cannot be read: {}",
                    said(&unknown)
                )
            })?;
            home.add_all(more.objects);
        }
        let asked = wanted.iter().map(async |(context, places)| {
            let answer = match self.once.plane(context).await {
                Ok(plane) => plane::read(&plane, places).await,
                Err(unknown) => Err(unknown),
            };
            (context.clone(), answer)
        });
        let mut planes: BTreeMap<_, _> = futures::future::join_all(asked).await.into_iter().collect();
        let left = recorded(clusters);
        self.add_recorded(&left, &mut planes).await;
        let id = control.id_in(IDENTITY).await;
        let id = id.map_err(|unknown| anyhow::anyhow!("{}", said(&unknown)))?;
        let images = home.images();
        let objects = home.into_values();
        planes.insert(String::new(), Ok(PlaneObjects { id, objects }));
        let grants = self.once.grants();
        Ok(Snapshot {
            planes,
            grants,
            images,
        })
    }

    /// A datacenter that has left the spec is found by the id of its plane: planes that no spec names are asked who they
    /// are, where the record names one that nobody else is.
    async fn add_recorded(
        &self,
        recorded: &BTreeSet<PlaneId>,
        planes: &mut BTreeMap<String, Result<PlaneObjects, Unknown>>,
    ) {
        let home = self.once.control().id_in(IDENTITY).await.ok();
        let known = planes.values().flatten().map(|it| &it.id).chain(&home);
        let known: Vec<PlaneId> = known.cloned().collect();
        let is_known = |id: &PlaneId| known.iter().any(|it| it.compare(id) == SamePlane::Yes);
        let missing: Vec<&PlaneId> = recorded.iter().filter(|id| !is_known(id)).collect();
        if missing.is_empty() {
            return;
        }
        let others = self.once.contexts().into_iter();
        let others: Vec<&str> = others.filter(|it| !planes.contains_key(*it)).collect();
        let asked = others.into_iter().map(async |context| {
            let answer = self.if_it_is(context, &missing).await;
            (context.to_owned(), answer)
        });
        for (context, answer) in futures::future::join_all(asked).await {
            if let Some(answer) = answer.transpose() {
                planes.insert(context, answer);
            }
        }
    }

    async fn if_it_is(&self, context: &str, wanted: &[&PlaneId]) -> Result<Option<PlaneObjects>, Unknown> {
        let plane: Plane<()> = self.once.plane(context).await?;
        let id = identified(&plane).await?;
        if wanted.iter().all(|it| it.compare(&id) != SamePlane::Yes) {
            return Ok(None);
        }
        plane::read(&plane, &[]).await.map(Some)
    }
}

/// Namespace whose UID is the id of a plane.
const IDENTITY: &str = "kube-system";

/// Ids of the planes that the records name.
fn recorded(clusters: &[K8ssandraCluster]) -> BTreeSet<PlaneId> {
    let mut ids = BTreeSet::new();
    for kc in clusters {
        let text = kc.metadata.annotations.as_ref();
        let text = text
            .and_then(|map| map.get(annotation::RECORD))
            .map(String::as_str);
        let uid = kc.metadata.uid.as_deref().unwrap_or_default();
        if let RecordState::Known(record) = RecordState::read(text, uid) {
            ids.extend(record.datacenters.into_values().map(|it| it.plane_id));
        }
    }
    ids
}

/// Waits for what is asked of clusters.
///
/// # Errors
/// Those of what is waited for.
pub(crate) fn block_on<T>(asked: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("nothing can be asked")?.block_on(asked)
}

/// Why something is not known, for people.
pub(crate) fn said(unknown: &Unknown) -> String {
    format!("{} ({})", unknown.message, unknown.reason)
}
