//! Whether the definitions of the control plane are ours: those of k8ssandra-operator have no room for what the programs
//! report.

use api::seen::Seen;
use fleet::Plane;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;

use super::findings::Findings;
use crate::live::said;

/// Each with a field that only ours has.
const OURS: [(&str, &str); 3] = [
    (
        "k8ssandraclusters.k8ssandra.io",
        "/properties/status/properties/reports",
    ),
    (
        "replicatedsecrets.replication.k8ssandra.io",
        "/properties/status/properties/conditions/items/properties/contentMark",
    ),
    (
        "clientconfigs.config.k8ssandra.io",
        "/properties/status/properties/conditions",
    ),
];

pub(super) async fn look(control: &Plane<()>, found: &mut Findings) {
    let mut fine = true;
    for (name, field) in OURS {
        match control.read::<CustomResourceDefinition>("", name, None).await {
            Seen::Present(definition) if has(&definition, field) => continue,
            Seen::Present(_) | Seen::Absent(_) | Seen::NotListed => found.in_the_way(&format!(
                "CustomResourceDefinition {name} is not Ringspan's. Apply crds/ with `kubectl apply --server-side --force-conflicts -k crds`"
            )),
            Seen::Unknown(unknown) => found.in_the_way(&format!(
                "CustomResourceDefinition {name} cannot be read: {}",
                said(&unknown)
            )),
        }
        fine = false;
    }
    if fine {
        found.fine("the definitions are Ringspan's");
    }
}

fn has(definition: &CustomResourceDefinition, field: &str) -> bool {
    let versions = definition.spec.versions.iter().filter(|it| it.storage);
    let mut schemas = versions.filter_map(|it| it.schema.as_ref()?.open_api_v3_schema.as_ref());
    schemas.any(|schema| serde_json::to_value(schema).is_ok_and(|it| it.pointer(field).is_some()))
}
