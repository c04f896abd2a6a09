//! What the control plane shows of clusters beside themselves.

use api::k8ssandra_cluster::K8ssandraCluster;
use api::medusa_configuration::MedusaConfiguration;
use api::names::label;
use api::replicated_secret::ReplicatedSecret;
use api::seen::Unknown;
use fleet::Plane;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use plan::own_secrets;

use super::objects::Objects;

/// Secrets and ReplicatedSecrets of these clusters, what they refer to, and the images of the installation.
pub(super) async fn read(
    control: &Plane<()>,
    clusters: &[K8ssandraCluster],
    installed_in: &str,
) -> Result<Objects, Unknown> {
    let mut found = Objects::default();
    for kc in clusters {
        let metadata = &kc.metadata;
        let namespace = metadata.namespace.as_deref().unwrap_or_default();
        for secret in own_secrets::of(kc) {
            found.get::<Secret>(control, namespace, &secret.name).await?;
        }
        let name = metadata.name.as_deref().unwrap_or_default();
        found.get::<ReplicatedSecret>(control, namespace, name).await?;
        let medusa = kc.spec.medusa.as_ref();
        let reference = medusa.and_then(|it| it.medusa_configuration_ref.as_ref());
        if let Some(name) = reference.and_then(|it| it.name.as_deref()) {
            found.get::<MedusaConfiguration>(control, namespace, name).await?;
        }
    }
    let images = format!("{}={}", label::CONFIG, label::IMAGE_CONFIG);
    found
        .list::<ConfigMap>(control, Some(installed_in), &images)
        .await?;
    Ok(found)
}
