//! The spec of the CassandraDatacenter.

use api::reports::Refusal;
use serde_json::{Map, Value, json};

use super::medusa::Medusa;
use super::metadata::services;
use super::{DatacenterInput, Facts, Parts, config, metrics_agent, pod_template, reaper, vector};
use crate::normalize::canonical_quantities;
use crate::superuser;
use crate::value;

/// Fields that are taken from the merged options as they are: theirs, and ours.
const SAME: [(&str, &str); 7] = [
    ("managementApiAuth", "managementApiAuth"),
    ("racks", "racks"),
    ("readOnlyRootFilesystem", "readOnlyRootFilesystem"),
    ("resources", "resources"),
    ("tolerations", "tolerations"),
    ("commonLabels", "additionalLabels"),
    ("commonAnnotations", "additionalAnnotations"),
];
/// Texts that are taken as they are.
const SAME_TEXT: [(&str, &str); 3] = [
    ("serverImage", "serverImage"),
    ("datacenterName", "datacenterName"),
    ("serviceAccount", "serviceAccountName"),
];

/// The whole spec.
pub(super) fn of(facts: &Facts<'_>, input: &DatacenterInput<'_>, parts: Parts<'_>) -> Result<Value, Refusal> {
    let merged = &facts.merged;
    let mut spec = Map::new();
    identity(facts, input, &mut spec);
    spec.insert("config".to_owned(), config::of(facts, input)?);
    for (theirs, ours) in SAME {
        let metadata = if theirs.starts_with("common") {
            "/metadata"
        } else {
            ""
        };
        let given = value::at(merged, &format!("{metadata}/{theirs}")).cloned();
        value::set(&mut spec, ours, given.and_then(value::not_empty));
    }
    for (theirs, ours) in SAME_TEXT {
        value::set(
            &mut spec,
            ours,
            value::text(merged, &format!("/{theirs}")).map(Value::from),
        );
    }
    value::set(&mut spec, "users", users(facts, parts.medusa));
    value::set(&mut spec, "cdc", value::at(merged, "/cdc").cloned());
    value::set(&mut spec, "networking", networking(merged));
    value::set(&mut spec, "dseWorkloads", only_set_flags(merged, "/dseWorkloads"));
    if value::flag(merged, "/softPodAntiAffinity") == Some(true) {
        spec.insert("allowMultipleNodesPerWorker".to_owned(), Value::Bool(true));
    }
    spec.insert("storageConfig".to_owned(), storage(facts));
    let template = pod_template::of(facts, parts);
    let resources = |list: &str, container: &str| pod_template::resources_of(&template, list, container);
    value::set(
        &mut spec,
        "systemLoggerResources",
        resources("containers", vector::CONTAINER).or_else(|| vector::resources(facts)),
    );
    value::set(
        &mut spec,
        "configBuilderResources",
        resources("initContainers", "server-config-init"),
    );
    spec.insert("podTemplateSpec".to_owned(), template);
    spec.insert("additionalServiceConfig".to_owned(), services(facts));
    canonical_quantities(&mut spec);
    Ok(Value::Object(spec))
}

fn identity(facts: &Facts<'_>, input: &DatacenterInput<'_>, spec: &mut Map<String, Value>) {
    spec.insert("clusterName".to_owned(), facts.cluster.into());
    spec.insert("serverType".to_owned(), facts.server_type().into());
    spec.insert("serverVersion".to_owned(), facts.version.to_string().into());
    spec.insert("size".to_owned(), facts.template.size.into());
    if facts.template.stopped {
        spec.insert("stopped".to_owned(), Value::Bool(true));
    }
    value::set(
        spec,
        "superuserSecretName",
        superuser_secret(facts, input).map(Value::from),
    );
}

/// Name of the superuser Secret: that of the datacenter that is there, for it never changes, else what the spec says.
/// `None` where something else provides it.
pub(super) fn superuser_secret(facts: &Facts<'_>, input: &DatacenterInput<'_>) -> Option<String> {
    match input.live {
        Some(live) => live.superuser_secret().map(str::to_owned),
        None if facts.kc.spec.has_external_secrets() => None,
        None => Some(superuser::secret_name(facts.kc)),
    }
}

/// Users in Cassandra for add-ons.
fn users(facts: &Facts<'_>, medusa: Option<&Medusa<'_>>) -> Option<Value> {
    let secrets = reaper::user_secret(facts)
        .into_iter()
        .chain(medusa.and_then(Medusa::user_secret));
    let user = |secret: String| json!({"secretName": secret, "superuser": true});
    value::not_empty(secrets.map(user).collect())
}

/// The host's network is a plain flag here.
fn networking(merged: &Value) -> Option<Value> {
    let mut networking = value::object(merged, "/networking");
    if networking.get("hostNetwork").and_then(Value::as_bool) == Some(false) {
        networking.remove("hostNetwork");
    }
    value::not_empty(Value::Object(networking))
}

fn only_set_flags(merged: &Value, pointer: &str) -> Option<Value> {
    let mut flags = value::object(merged, pointer);
    flags.retain(|_, flag| flag.as_bool() != Some(false));
    value::not_empty(Value::Object(flags))
}

/// Storage, then the claims of extra volumes, what add-ons mount, and the metrics agent's configuration last.
fn storage(facts: &Facts<'_>) -> Value {
    let mut storage = value::object(&facts.merged, "/storageConfig");
    let volumes = value::items(&facts.merged, "/storageConfig/additionalVolumes").iter();
    let claims = value::items(&facts.merged, "/extraVolumes/pvcs").iter();
    let all: Vec<Value> = volumes
        .chain(claims)
        .cloned()
        .chain(vector::volume(facts))
        .chain([metrics_agent::volume(facts)])
        .collect();
    storage.insert("additionalVolumes".to_owned(), json!(all));
    Value::Object(storage)
}
