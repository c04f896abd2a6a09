#![expect(
    clippy::needless_pass_by_value,
    reason = "literals read better without a borrow"
)]

mod configuration;
mod digest;
mod encryption;
mod founding;
mod medusa;
mod passed_on;
mod per_node;
mod pods;
mod reaper;
mod rows;
mod vector;

use std::sync::LazyLock;

use api::k8ssandra_cluster::K8ssandraCluster;
use api::record::Role;
use serde_json::{Value, json};

use super::*;
use crate::fixtures::cluster_of;

fn nothing() -> &'static References {
    static NOTHING: LazyLock<References> = LazyLock::new(References::default);
    &NOTHING
}

fn references(content: &BTreeMap<String, String>) -> References {
    References {
        per_node_config: Some(content.clone()),
        ..References::default()
    }
}

fn input(kc: &K8ssandraCluster, role: Role) -> DatacenterInput<'_> {
    DatacenterInput {
        kc,
        datacenter: "dc1",
        all: None,
        role,
        initial_system_replication: None,
        control_plane_id: Some("cp"),
        references: nothing(),
        live: None,
    }
}

fn built(kc: &K8ssandraCluster, role: Role) -> DesiredDatacenter {
    build(&input(kc, role)).expect("it can be built")
}

fn options(datacenter: &DesiredDatacenter) -> &Value {
    &datacenter.spec["config"]["cassandra-env-sh"]["additional-jvm-opts"]
}

fn one(of_datacenter: Value) -> K8ssandraCluster {
    let mut entry = json!({"metadata": {"name": "dc1"}, "size": 3});
    for (field, value) in of_datacenter.as_object().expect("an object") {
        entry[field] = value.clone();
    }
    cluster_of(json!([entry]))
}
