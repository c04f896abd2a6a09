//! What cass-operator's pods are given beside what it puts there itself.

use serde_json::{Map, Value, json};

use super::{Facts, Parts, encryption, reaper, vector};
use crate::quantity::Quantity;
use crate::value;

const CASSANDRA: &str = "cassandra";
/// Which metrics the old collector drops or keeps unless the user says otherwise: of tables only these.
const DEFAULT_FILTERS: [&str; 12] = [
    "table.live_ss_table_count",
    "Table.LiveSSTableCount",
    "table.live_disk_space_used",
    "table.LiveDiskSpaceUsed",
    "Table.Pending",
    "Table.Memtable",
    "Table.Compaction",
    "table.read",
    "table.write",
    "table.range",
    "table.coordinator",
    "table.dropped_mutations",
];

/// The pod template. It always has a container `cassandra`, for an empty template is not valid.
pub(super) fn of(facts: &Facts<'_>, parts: Parts<'_>) -> Value {
    let merged = &facts.merged;
    let mut metadata = Map::new();
    for field in ["labels", "annotations"] {
        let given = value::at(merged, &format!("/metadata/pods/{field}")).cloned();
        value::set(&mut metadata, field, given.and_then(value::not_empty));
    }
    let mut spec = Map::new();
    value::set(
        &mut spec,
        "securityContext",
        value::at(merged, "/podSecurityContext").cloned(),
    );
    value::set(
        &mut spec,
        "priorityClassName",
        value::text(merged, "/podPriorityClassName").map(Value::from),
    );
    spec.insert("containers".to_owned(), Value::Array(containers(facts)));
    let init_containers = value::items(merged, "/initContainers").to_vec();
    value::set(
        &mut spec,
        "initContainers",
        value::not_empty(Value::Array(init_containers)),
    );
    let mut volumes = value::items(merged, "/extraVolumes/volumes").to_vec();
    encryption::add_volumes(facts, &mut volumes);
    value::set(&mut spec, "volumes", value::not_empty(Value::Array(volumes)));
    if let Some(medusa) = parts.medusa {
        medusa.mount(&mut metadata, &mut spec);
    }
    if let Some(per_node) = parts.per_node {
        per_node.mount(&mut metadata, &mut spec);
    }
    let mut template = Map::new();
    value::set(
        &mut template,
        "metadata",
        value::not_empty(Value::Object(metadata)),
    );
    template.insert("spec".to_owned(), Value::Object(spec));
    Value::Object(template)
}

fn containers(facts: &Facts<'_>) -> Vec<Value> {
    let mut containers = value::items(&facts.merged, "/containers").to_vec();
    let is_cassandra = |container: &Value| value::text(container, "/name") == Some(CASSANDRA);
    if !containers.iter().any(is_cassandra) {
        containers.push(json!({"name": CASSANDRA}));
    }
    for container in containers.iter_mut().filter(|container| is_cassandra(container)) {
        let mut environment = value::items(container, "/env").to_vec();
        environment.extend(additional_environment(facts));
        container["env"] = Value::Array(environment);
        let mut mounts = value::items(container, "/volumeMounts").to_vec();
        encryption::add_mounts(facts, &mut mounts);
        if let Some(mounts) = value::not_empty(Value::Array(mounts)) {
            container["volumeMounts"] = mounts;
        }
    }
    vector::put_into(facts, &mut containers);
    containers
}

fn additional_environment(facts: &Facts<'_>) -> Vec<Value> {
    let mut environment: Vec<Value> = reaper::environment(facts).into_iter().collect();
    let mcac = is_mcac_enabled(facts);
    if let Some(filters) = mcac
        .then(|| metric_filters(facts))
        .filter(|filters| !filters.is_empty())
    {
        environment.push(json!({"name": "METRIC_FILTERS", "value": filters}));
    }
    let heap = value::at(&facts.merged, "/mgmtAPIHeap")
        .and_then(Quantity::read)
        .and_then(Quantity::rounded_up);
    if let Some(bytes) = heap {
        environment.push(json!({"name": "MANAGEMENT_API_HEAP_SIZE", "value": bytes.to_string()}));
    }
    if !mcac {
        environment.push(json!({"name": "MGMT_API_DISABLE_MCAC", "value": "true"}));
    }
    environment
}

/// The old metrics collector runs only where the user asks for it.
pub(crate) fn is_mcac_enabled(facts: &Facts<'_>) -> bool {
    value::flag(&facts.merged, "/telemetry/mcac/enabled") == Some(true)
}

fn metric_filters(facts: &Facts<'_>) -> String {
    const METRICS: &str = "org.apache.cassandra.metrics";
    if value::at(&facts.merged, "/telemetry/mcac/metricFilters").is_some() {
        let given = value::items(&facts.merged, "/telemetry/mcac/metricFilters");
        return given
            .iter()
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join(" ");
    }
    let denied = ["Table", "table"].map(|series| format!("deny:{METRICS}.{series}"));
    let allowed = DEFAULT_FILTERS.map(|series| format!("allow:{METRICS}.{series}"));
    denied.into_iter().chain(allowed).collect::<Vec<_>>().join(" ")
}

/// Resources that cass-operator takes from a field of its own, given here by a container of that name.
pub(super) fn resources_of(template: &Value, list: &str, container: &str) -> Option<Value> {
    let mut containers = value::items(template, &format!("/spec/{list}")).iter();
    let found = containers.find(|candidate| value::text(candidate, "/name") == Some(container))?;
    let resources = value::at(found, "/resources")?;
    let has = |field: &str| {
        value::at(resources, field)
            .cloned()
            .and_then(value::not_empty)
            .is_some()
    };
    (has("/limits") || has("/requests")).then(|| resources.clone())
}
