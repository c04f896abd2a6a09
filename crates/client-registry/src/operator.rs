//! Which cass-operator runs in a plane, as far as we may see.

use fleet::Plane;
use fleet::quote::quote_to;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use serde::Deserialize;

use crate::watches::Remote;

/// How its Deployment is labelled by the Helm chart, and by the kustomization.
const LABELS: [&str; 2] = [
    "app.kubernetes.io/name=cass-operator",
    "control-plane=controller-manager",
];

/// A Deployment as far as it is read here.
#[derive(Clone, Debug, Deserialize, Resource)]
#[resource(inherit = "Deployment")]
struct DeploymentParts {
    metadata: ObjectMeta,
    spec: DeploymentSpec,
}

#[derive(Clone, Debug, Deserialize)]
struct DeploymentSpec {
    template: PodTemplate,
}

#[derive(Clone, Debug, Deserialize)]
struct PodTemplate {
    spec: PodSpec,
}

#[derive(Clone, Debug, Deserialize)]
struct PodSpec {
    #[serde(default)]
    containers: Vec<Container>,
}

#[derive(Clone, Debug, Deserialize)]
struct Container {
    image: Option<String>,
}

/// The tag of the operator's image; `None` if it cannot be seen.
pub(crate) async fn version(plane: &Plane<Remote>) -> Option<String> {
    let namespaces: Vec<Option<&str>> = match plane.caches.namespaces() {
        [] => vec![None],
        some => some.iter().map(|namespace| Some(namespace.as_str())).collect(),
    };
    for labels in LABELS {
        for namespace in &namespaces {
            // Not to be allowed to look is common, and no trouble.
            let found = plane
                .list_live::<DeploymentParts>(*namespace, labels, None)
                .await
                .unwrap_or_default();
            if let Some(version) = found.iter().find_map(of_deployment) {
                return Some(version);
            }
        }
    }
    None
}

fn of_deployment(deployment: &DeploymentParts) -> Option<String> {
    let containers = &deployment.spec.template.spec.containers;
    containers
        .iter()
        .filter_map(|container| container.image.as_deref())
        .find_map(tag)
}

/// The tag of an image named `cass-operator`.
fn tag(image: &str) -> Option<String> {
    let last = image.rsplit('/').next()?.split('@').next()?;
    let tag = last.strip_prefix("cass-operator:")?;
    (!tag.is_empty()).then(|| quote_to(tag, 63))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_off_the_operator_among_other_containers() {
        let deployment = serde_json::json!({
            "metadata": { "name": "cass-operator", "namespace": "cass-operator" },
            "spec": { "replicas": 1, "template": { "spec": { "containers": [
                { "name": "proxy" },
                { "name": "manager", "image": "cr.k8ssandra.io/k8ssandra/cass-operator:v1.31.0" },
            ] } } },
        });
        let deployment = serde_json::from_value(deployment).unwrap();
        assert_eq!(of_deployment(&deployment).as_deref(), Some("v1.31.0"));
    }

    #[test]
    fn the_tag_is_read_off_images_of_that_name_only() {
        assert_eq!(
            tag("cr.k8ssandra.io/k8ssandra/cass-operator:v1.31.0").as_deref(),
            Some("v1.31.0")
        );
        assert_eq!(
            tag("localhost:5000/cass-operator:v1.31.0@sha256:abc").as_deref(),
            Some("v1.31.0")
        );
        for other in [
            "k8ssandra-operator:v1",
            "cass-operator",
            "cass-operator@sha256:abc",
            "a/cass-operator:",
        ] {
            assert_eq!(tag(other), None, "{other}");
        }
    }
}
