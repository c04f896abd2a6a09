//! What one plane shows of the datacenters that are placed there.

use api::addons::{CronJob, Deployment, Reaper, Service, Stargate};
use api::cass_operator::CassandraDatacenter;
use api::k8ssandra_cluster::K8ssandraCluster;
use api::names::label;
use api::seen::{PlaneId, Unknown};
use fleet::{Plane, reasons};
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use plan::foresight::PlaneObjects;
use plan::{datacenter, naming};

use super::IDENTITY;
use super::objects::Objects;

/// Where a datacenter of a spec is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    kc: &'a K8ssandraCluster,
    /// Context of its plane.
    pub context: &'a str,
    namespace: &'a str,
    name: &'a str,
    per_node_config: Option<&'a str>,
}

impl<'a> Place<'a> {
    /// Those of all datacenters of a cluster.
    pub fn of_spec(kc: &'a K8ssandraCluster) -> Vec<Self> {
        let templates = kc.spec.cassandra.iter().flat_map(|it| &it.datacenters);
        let place = |template: &'a api::k8ssandra_cluster::CassandraDatacenterTemplate| Place {
            kc,
            context: &template.k8s_context,
            namespace: datacenter::namespace(kc, template),
            name: template.name(),
            per_node_config: template.per_node_config_map(),
        };
        templates.map(place).collect()
    }
}

/// Who a plane is, as the programs must know it before they do anything there.
pub(crate) async fn identified(plane: &Plane<()>) -> Result<PlaneId, Unknown> {
    let id = plane.id_in(IDENTITY).await?;
    if !id.0.starts_with("cm:") {
        return Ok(id);
    }
    Err(Unknown {
        context: plane.context().to_owned(),
        reason: reasons::IDENTITY_UNKNOWN.to_owned(),
        message: "its credentials may not read namespace kube-system, by which a plane is known; apply deploy/base/remote-access/rbac.yaml there, and let their ServiceAccount have its roles"
            .to_owned(),
    })
}

/// Everything in a plane that a plan may depend on.
pub(super) async fn read(plane: &Plane<()>, places: &[Place<'_>]) -> Result<PlaneObjects, Unknown> {
    let id = identified(plane).await?;
    let mut found = Objects::default();
    found
        .list::<CassandraDatacenter>(plane, None, label::CLUSTER_NAME)
        .await?;
    found.list::<ConfigMap>(plane, None, label::CLUSTER_NAME).await?;
    found
        .list::<EndpointSlice>(plane, None, label::SEED_SLICE)
        .await?;
    found.list_addons::<Stargate>(plane).await?;
    found.list_addons::<Reaper>(plane).await?;
    found.list_addons::<CronJob>(plane).await?;
    found.list_addons::<Deployment>(plane).await?;
    found.list_addons::<Service>(plane).await?;
    for spot in places {
        at(plane, spot, &mut found).await?;
    }
    Ok(PlaneObjects {
        id,
        objects: found.into_values(),
    })
}

/// What has no label that it could be listed by.
async fn at(plane: &Plane<()>, spot: &Place<'_>, found: &mut Objects) -> Result<(), Unknown> {
    let namespace = spot.namespace;
    let there = found
        .get::<CassandraDatacenter>(plane, namespace, spot.name)
        .await?;
    if !there {
        // Only before a ring is founded it matters whether somebody else's seeds lie in the way.
        let service = naming::additional_seed_service(datacenter::cluster_name(spot.kc), spot.name);
        let serves = format!("{}={service}", label::SERVICE_NAME);
        found
            .list::<EndpointSlice>(plane, Some(namespace), &serves)
            .await?;
    }
    if let Some(map) = spot.per_node_config {
        found.get::<ConfigMap>(plane, namespace, map).await?;
    }
    let sources = datacenter::password_sources(spot.kc, spot.name).unwrap_or_default();
    for source in sources {
        found.get::<Secret>(plane, namespace, &source.secret).await?;
    }
    Ok(())
}
