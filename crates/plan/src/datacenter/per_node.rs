//! Configuration of single nodes: the user's ConfigMap, or a generated one with the tokens that nodes begin with.

use std::collections::BTreeMap;

use api::names::reason;
use api::reports::Refusal;
use serde_json::{Map, Value, json};

use super::metadata::{json_of, marks, product_labels};
use super::{DatacenterInput, DesiredConfigMap, Facts, LiveDatacenter, initial_tokens};
use crate::validate::refusal;
use crate::{hash, images, naming, value};

/// On the pod template: digest of the ConfigMap's content, so that pods are replaced when it changes.
const HASH: &str = "k8ssandra.io/per-node-config-hash";
/// On the CassandraDatacenter: digest of the same content. The other one may be upstream's, which cannot be made here.
pub(crate) const DIGEST: &str = "ringspan.io/per-node-config-digest";
const NAME: &str = "per-node-config";
/// cass-operator's container that writes the configuration; it must come first.
const WRITER: &str = "server-config-init";
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
    name: String,
    /// What the pods are told of its content.
    hash: String,
    /// Digest of its content.
    digest: String,
    /// The container that merges it.
    container: Value,
    /// The ConfigMap itself, where it is ours.
    pub(super) generated: Option<DesiredConfigMap>,
}

/// How the pods of a datacenter that is there have their configuration.
struct Mounted {
    name: String,
    hash: String,
    container: Value,
}

/// Digest of the content of such a ConfigMap.
pub(crate) fn digest_of(content: &BTreeMap<String, String>) -> String {
    hash::of(&json_of(content))
}

/// What one of all datacenters has; `None` where no node has configuration of its own.
pub(super) fn of(
    facts: &Facts<'_>,
    all: &[Facts<'_>],
    input: &DatacenterInput<'_>,
) -> Result<Option<PerNode>, Refusal> {
    match facts.template.per_node_config_map() {
        Some(name) => of_user(facts, input, name).map(Some),
        None => generated(facts, all, input),
    }
}

/// Name of the generated one, where the user has given another.
pub(super) fn switched_off(facts: &Facts<'_>) -> Option<String> {
    let given = facts.template.per_node_config_map()?;
    let generated = naming::per_node_config_map(facts.cluster, facts.template.cassandra_name());
    (given != generated).then_some(generated)
}

/// The user's. Its pods are replaced when its content changes. What upstream told the pods stays as long as the content
/// does, or no digest of ours says what the content was.
fn of_user(facts: &Facts<'_>, input: &DatacenterInput<'_>, name: &str) -> Result<PerNode, Refusal> {
    let content = input.references.per_node_config.as_ref().ok_or_else(|| {
        let message = format!(
            "ConfigMap {name} is not there in namespace {} of the datacenter's plane; create it, or take out the reference",
            facts.namespace
        );
        refusal(reason::INVALID_SPEC, &facts.field("perNodeConfigMapRef.name"), message)
    })?;
    let digest = digest_of(content);
    let mounted = mounted(input.live);
    let noted = input.live.and_then(|live| live.annotations.get(DIGEST));
    let told = mounted
        .as_ref()
        .filter(|mounted| mounted.name == name && noted.is_none_or(|noted| *noted == digest));
    let hash = told.map_or_else(|| digest.clone(), |mounted| mounted.hash.clone());
    Ok(PerNode {
        name: name.to_owned(),
        hash,
        digest,
        container: container(facts, input, mounted)?,
        generated: None,
    })
}

/// Ours. A datacenter that is there keeps it, or keeps having none: its nodes have begun with their tokens.
fn generated(
    facts: &Facts<'_>,
    all: &[Facts<'_>],
    input: &DatacenterInput<'_>,
) -> Result<Option<PerNode>, Refusal> {
    let name = naming::per_node_config_map(facts.cluster, facts.template.cassandra_name());
    let mounted = mounted(input.live).filter(|mounted| mounted.name == name);
    if input.live.is_some() && mounted.is_none() {
        return Ok(None);
    }
    let existing = input.references.per_node_config.clone();
    let data = existing.unwrap_or_else(|| content(&initial_tokens::of_datacenter(all, facts.name)));
    if data.is_empty() && mounted.is_none() {
        return Ok(None);
    }
    let digest = digest_of(&data);
    let hash = mounted
        .as_ref()
        .map_or_else(|| digest.clone(), |mounted| mounted.hash.clone());
    let config_map = DesiredConfigMap {
        namespace: facts.namespace.clone(),
        name: name.clone(),
        labels: product_labels(facts),
        annotations: marks(facts),
        data,
        shared: false,
    };
    let generated = (!config_map.data.is_empty()).then_some(config_map);
    Ok(Some(PerNode {
        name,
        hash,
        digest,
        container: container(facts, input, mounted)?,
        generated,
    }))
}

fn mounted(live: Option<&LiveDatacenter>) -> Option<Mounted> {
    let template = value::at(&live?.spec, "/podTemplateSpec")?;
    let named = |pointer: &str| {
        let mut items = value::items(template, pointer).iter();
        items
            .find(|item| value::text(item, "/name") == Some(NAME))
            .cloned()
    };
    let annotations = value::texts(template, "/metadata/annotations");
    Some(Mounted {
        name: value::text(&named("/spec/volumes")?, "/configMap/name")?.to_owned(),
        hash: annotations.get(HASH)?.clone(),
        container: named("/spec/initContainers")?,
    })
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

impl PerNode {
    /// What the CassandraDatacenter is told, so that a change of the content is seen later.
    pub(super) fn annotation(&self) -> (String, String) {
        (DIGEST.to_owned(), self.digest.clone())
    }

    /// Puts what merges the ConfigMap into the generated configuration into a pod template.
    pub(super) fn mount(&self, metadata: &mut Map<String, Value>, spec: &mut Map<String, Value>) {
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
        containers.push(self.container.clone());
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

/// The container that is there does the same as a new one would, and another one would restart every node. Only another
/// image of the user's is a reason.
fn container(
    facts: &Facts<'_>,
    input: &DatacenterInput<'_>,
    mounted: Option<Mounted>,
) -> Result<Value, Refusal> {
    let image = value::text(&facts.merged, "/perNodeConfigInitContainerImage");
    match (mounted.map(|mounted| mounted.container), image) {
        (Some(there), None) => Ok(there),
        (Some(there), Some(image)) if value::text(&there, "/image") == Some(image) => Ok(there),
        (_, Some(image)) => Ok(new_container(image)),
        (None, None) => {
            let images = input.references.images()?;
            Ok(new_container(&images.image(images::CLIENT).text()))
        }
    }
}

fn new_container(image: &str) -> Value {
    json!({
        "name": NAME,
        "image": image,
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
