//! What datacenters refer to, as a snapshot shows it.

use api::k8ssandra_cluster::K8ssandraCluster;
use api::names::label;
use api::seen::{Absence, Seen};

use super::snapshot::{PlaneObjects, Snapshot, is, label_of};
use crate::cluster::facts::{ClusterIdentity, UserConfigMap};
use crate::datacenter::References;
use crate::value;

impl Snapshot {
    /// What all datacenters of a cluster refer to.
    pub(super) fn of_all_datacenters(&self, kc: &K8ssandraCluster) -> References {
        let reference = kc
            .spec
            .medusa
            .as_ref()
            .and_then(|it| it.medusa_configuration_ref.as_ref());
        let name = reference.and_then(|it| it.name.as_deref()).unwrap_or_default();
        let configuration = self.own("MedusaConfiguration", &ClusterIdentity::of(kc), name);
        References {
            images: self.images.clone(),
            medusa_configuration: configuration.map(|object| object["spec"].clone()),
            ..References::default()
        }
    }
}

/// Name of the user's ConfigMap with configuration of single nodes.
pub(super) fn per_node_config<'a>(kc: &'a K8ssandraCluster, datacenter: &str) -> Option<&'a str> {
    let mut templates = kc.spec.cassandra.iter().flat_map(|it| &it.datacenters);
    templates
        .find(|template| template.name() == datacenter)?
        .per_node_config_map()
}

/// That ConfigMap, in the plane of its datacenter.
pub(super) fn see(plane: &PlaneObjects, namespace: &str, name: &str) -> Seen<UserConfigMap> {
    let mut objects = plane.objects.iter();
    let Some(object) = objects.find(|object| is(object, "ConfigMap", namespace, name)) else {
        return Seen::Absent(Absence {
            plane: plane.id.clone(),
            kind: "ConfigMap".to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        });
    };
    Seen::Present(UserConfigMap {
        uid: value::text(object, "/metadata/uid")
            .unwrap_or_default()
            .to_owned(),
        watched: label_of(object, label::CLUSTER_NAME).is_some(),
        content: value::texts(object, "/data"),
    })
}
