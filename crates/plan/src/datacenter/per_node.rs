//! Configuration of single nodes: the user's ConfigMap, or a generated one with the tokens that nodes begin with.

use std::collections::BTreeMap;

use api::names::reason;
use api::reports::Refusal;
use serde_json::{Map, Value, json};

use super::metadata::{json_of, marks, product_labels};
use super::{DatacenterInput, DesiredConfigMap, Facts, initial_tokens};
use crate::validate::refusal;
use crate::{hash, naming, value};

/// On the pod template: digest of the ConfigMap's content, so that pods are replaced when it changes.
const HASH: &str = "k8ssandra.io/per-node-config-hash";
const NAME: &str = "per-node-config";
/// cass-operator's container that writes the configuration; it must come first.
const WRITER: &str = "server-config-init";
/// The image has `yq` and a shell.
const IMAGE: &str = "docker.io/k8ssandra/k8ssandra-client:v0.8.12";
/// Merges each file that is there for this pod into the one that it is named after: `<pod>_<file>` into `/config/<file>`.
const SCRIPT: &str = r#"set -eu
for part in "/per-node-config/${POD_NAME}_"*; do
  [ -e "$part" ] || continue
  name="${part##*/}"
  target="/config/${name#"${POD_NAME}_"}"
  [ -e "$target" ] || : > "$target"
  yq eval-all --inplace '. as $layer ireduce ({}; . * $layer)' "$target" "$part"
  echo "$target: merged with $name"
done
"#;

/// A ConfigMap with configuration of single nodes.
#[derive(Clone, Debug)]
pub(super) struct PerNode {
    /// Its name.
    pub(super) name: String,
    /// Digest of its content.
    pub(super) hash: String,
    /// The ConfigMap itself, where it is ours.
    pub(super) generated: Option<DesiredConfigMap>,
}

/// What the datacenter has; `None` where no node has configuration of its own.
pub(super) fn of(facts: &Facts<'_>, input: &DatacenterInput<'_>) -> Result<Option<PerNode>, Refusal> {
    let given = facts
        .template
        .per_node_config_map_ref
        .as_ref()
        .map(|reference| reference.name.as_str());
    if let Some(name) = given.filter(|name| !name.is_empty()) {
        let content = input.per_node_config.ok_or_else(|| {
            let message = format!(
                "ConfigMap {name} is not there in namespace {} of the datacenter's plane; create it, or take out the \
                 reference",
                facts.namespace
            );
            refusal(reason::INVALID_SPEC, &facts.field("perNodeConfigMapRef.name"), message)
        })?;
        return Ok(Some(PerNode {
            name: name.to_owned(),
            hash: hash::of(&json_of(content)),
            generated: None,
        }));
    }
    let content = match input.per_node_config {
        Some(existing) => existing.clone(),
        None => content(&initial_tokens::of_datacenter(input.kc, facts.name)),
    };
    Ok((!content.is_empty()).then(|| generated(facts, content)))
}

fn content(tokens: &BTreeMap<String, Vec<String>>) -> BTreeMap<String, String> {
    let entry = |(pod, tokens): (&String, &Vec<String>)| {
        (
            format!("{pod}_cassandra.yaml"),
            format!("\ninitial_token: {}", tokens.join(",")),
        )
    };
    tokens.iter().map(entry).collect()
}

fn generated(facts: &Facts<'_>, data: BTreeMap<String, String>) -> PerNode {
    let name = naming::per_node_config_map(facts.cluster, facts.template.cassandra_name());
    let hash = hash::of(&json_of(&data));
    let config_map = DesiredConfigMap {
        namespace: facts.namespace.clone(),
        name: name.clone(),
        labels: product_labels(facts),
        annotations: marks(facts),
        data,
    };
    PerNode {
        name,
        hash,
        generated: Some(config_map),
    }
}

impl PerNode {
    /// Puts what merges the ConfigMap into the generated configuration into a pod template.
    pub(super) fn mount(
        &self,
        facts: &Facts<'_>,
        metadata: &mut Map<String, Value>,
        spec: &mut Map<String, Value>,
    ) {
        let annotations = metadata.entry("annotations").or_insert_with(|| json!({}));
        annotations[HASH] = Value::from(self.hash.as_str());
        let mut containers = spec
            .get("initContainers")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        if !containers
            .iter()
            .any(|container| value::text(container, "/name") == Some(WRITER))
        {
            containers.push(json!({"name": WRITER}));
        }
        containers.push(container(facts));
        spec.insert("initContainers".to_owned(), Value::Array(containers));
        let mut volumes = spec
            .get("volumes")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        volumes.push(json!({"name": NAME, "configMap": {"name": self.name}}));
        spec.insert("volumes".to_owned(), Value::Array(volumes));
    }
}

fn container(facts: &Facts<'_>) -> Value {
    json!({
        "name": NAME,
        "image": value::text(&facts.merged, "/perNodeConfigInitContainerImage").unwrap_or(IMAGE),
        "command": ["sh", "-c", SCRIPT],
        "env": [{"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
        "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"cpu": "100m", "memory": "64Mi"}},
        "volumeMounts": [
            {"name": "server-config", "mountPath": "/config"},
            {"name": NAME, "mountPath": "/per-node-config"},
            {"name": "tmp", "mountPath": "/tmp"},
        ],
    })
}
