//! What is left of k8ssandra-operator in the control plane.

use anyhow::{Context, Result};
use fleet::Plane;
use k8s_openapi::api::admissionregistration::v1::ValidatingWebhookConfiguration;
use k8s_openapi::api::apps::v1::Deployment;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use super::findings::Findings;
use crate::live::said;

/// By it k8ssandra-operator knows that it is the control plane: exactly `true`.
const SWITCH: &str = "K8SSANDRA_CONTROL_PLANE";
/// The entry that asks k8ssandra-operator about every write of a K8ssandraCluster.
const ENTRY: &str = "vk8ssandracluster.kb.io";

/// Tells of every Deployment that is, or was, upstream's control plane. Whether one may still run: what cannot be seen
/// may.
pub(super) async fn controllers(control: &Plane<()>, found: &mut Findings) -> bool {
    let deployments = match control.list_live::<Deployment>(None, "", None).await {
        Ok(deployments) => deployments,
        Err(unknown) => {
            found.in_the_way(&format!(
                "whether k8ssandra-operator still runs is not known: {}",
                said(&unknown)
            ));
            return true;
        }
    };
    let mut running = false;
    for deployment in deployments.iter().filter(|it| switched_on(it)) {
        let metadata = &deployment.metadata;
        let name = format!(
            "Deployment {}/{}",
            metadata.namespace.as_deref().unwrap_or_default(),
            metadata.name.as_deref().unwrap_or_default()
        );
        let wanted = deployment.spec.as_ref().and_then(|it| it.replicas).unwrap_or(1);
        let left = deployment.status.as_ref().and_then(|it| it.replicas).unwrap_or(0);
        if wanted > 0 {
            found.in_the_way(&format!(
                "{name} runs k8ssandra-operator as control plane; two would act on the same clusters. Scale it to 0, or set {SWITCH}=false to keep it for add-ons"
            ));
        } else if left > 0 {
            found.in_the_way(&format!(
                "{name} is scaled to 0, and {left} of its pods have not ended yet. Wait for them"
            ));
        } else {
            found.fine(&format!("{name} is scaled to 0"));
        }
        running |= wanted > 0 || left > 0;
    }
    if !running {
        found.fine("no k8ssandra-operator acts as control plane");
    }
    running
}

fn switched_on(deployment: &Deployment) -> bool {
    let pods = deployment.spec.as_ref().and_then(|it| it.template.spec.as_ref());
    let containers = pods.into_iter().flat_map(|it| &it.containers);
    let mut environment = containers.flat_map(|it| it.env.iter().flatten());
    environment.any(|it| it.name == SWITCH && it.value.as_deref() == Some("true"))
}

/// Tells of the webhook entries that nobody serves once upstream's control plane is gone, and removes them if that is
/// wanted.
///
/// # Errors
/// One cannot be removed.
pub(super) async fn webhooks(
    control: &Plane<()>,
    served: bool,
    remove: bool,
    found: &mut Findings,
) -> Result<()> {
    let listed = control
        .list_live::<ValidatingWebhookConfiguration>(None, "", None)
        .await;
    let configurations = match listed {
        Ok(configurations) => configurations,
        Err(unknown) => {
            found.in_the_way(&format!(
                "whether webhook {ENTRY} is configured is not known: {}",
                said(&unknown)
            ));
            return Ok(());
        }
    };
    let mut any = false;
    for configuration in &configurations {
        let name = configuration.metadata.name.as_deref().unwrap_or_default();
        let Some(removal) = removal_of(configuration) else {
            continue;
        };
        any = true;
        let what = format!("webhook {ENTRY} of ValidatingWebhookConfiguration {name}");
        if served {
            found.in_the_way(&format!(
                "{what} is k8ssandra-operator's. Once that does not run as control plane, run this again with --remove-webhook"
            ));
        } else if remove {
            let api = Api::<ValidatingWebhookConfiguration>::all(control.client());
            let patch = json_patch(&removal)?;
            api.patch(name, &PatchParams::default(), &patch)
                .await
                .with_context(|| format!("{what} cannot be removed"))?;
            found.fine(&format!("{what} was removed, and nothing else"));
        } else {
            found.in_the_way(&format!(
                "{what} is served by nobody, so every write of a K8ssandraCluster is refused. Run this again with --remove-webhook"
            ));
        }
    }
    if !any {
        found.fine(&format!("no webhook {ENTRY} is in the way"));
    }
    Ok(())
}

/// What removes the entry and nothing else, of the very configuration that was read.
fn removal_of(configuration: &ValidatingWebhookConfiguration) -> Option<Value> {
    let mut entries = configuration.webhooks.iter().flatten();
    let at = entries.position(|it| it.name == ENTRY)?;
    Some(json!([
        {"op": "test", "path": "/metadata/uid", "value": configuration.metadata.uid},
        {"op": "test", "path": "/metadata/resourceVersion", "value": configuration.metadata.resource_version},
        {"op": "test", "path": format!("/webhooks/{at}/name"), "value": ENTRY},
        {"op": "remove", "path": format!("/webhooks/{at}")},
    ]))
}

fn json_patch(operations: &Value) -> Result<Patch<()>> {
    let patch = serde_json::from_value(operations.clone()).context("the patch cannot be made")?;
    Ok(Patch::Json(patch))
}
