//! Which cass-operator runs in a plane, as far as we may see.

use fleet::Plane;
use fleet::quote::quote_to;
use k8s_openapi::api::apps::v1::Deployment;

use crate::watches::Remote;

/// How its Deployment is labelled by the Helm chart, and by the kustomization.
const LABELS: [&str; 2] = [
    "app.kubernetes.io/name=cass-operator",
    "control-plane=controller-manager",
];

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
                .list_live::<Deployment>(*namespace, labels, None)
                .await
                .unwrap_or_default();
            if let Some(version) = found.iter().find_map(of_deployment) {
                return Some(version);
            }
        }
    }
    None
}

fn of_deployment(deployment: &Deployment) -> Option<String> {
    let containers = &deployment.spec.as_ref()?.template.spec.as_ref()?.containers;
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
