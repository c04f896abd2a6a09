//! What a cluster and its datacenters must be.

use serde_json::{Value, json};

use super::{Pair, datacenter, pair, with_datacenters};

const FIRST: &str = "spec.cassandra.datacenters[0]";
const ENTRY: &str = "/cassandra/datacenters/0";

/// Rules of the cluster and its datacenters.
pub(super) fn rules() -> Vec<Pair> {
    let stored = |name: &str| json!({"metadata": {"name": name}, "size": 1, "storageConfig": {}});
    let soft = |resources: &Value| json!({"metadata": {"name": "dc1"}, "size": 1, "softPodAntiAffinity": true, "resources": resources});
    let named = (FIRST, "invalid DC name (you might want to use datacenterName");
    let mut table: Vec<_> = ["", "DC1", "1dc", "dc_1", "dc.1", "-dc", "dc-"]
        .into_iter()
        .map(|name| {
            pair(
                "V1",
                named,
                &format!("{ENTRY}/metadata/name"),
                json!(name),
                json!("d-1c"),
            )
        })
        .collect();
    table.extend([
        pair("V1", named, ENTRY, json!({"size": 1}), datacenter("dc1")),
        Pair {
            rule: "V3",
            field: "spec.cassandra",
            message: "storageConfig must be defined at cluster level or dc level",
            refused: json!({"cassandra": {"datacenters": [stored("dc1"), datacenter("dc2")]}}),
            accepted: json!({"cassandra": {"datacenters": [stored("dc1"), stored("dc2")]}}),
        },
        pair(
            "V4",
            (FIRST, "softPodAntiAffinity requires Resources to be set"),
            ENTRY,
            soft(&Value::Null),
            soft(&json!({})),
        ),
        Pair {
            rule: "names of datacenters differ",
            field: "spec.cassandra",
            message: "the names of datacenters must differ",
            refused: with_datacenters(&["dc1", "dc2", "dc1"]),
            accepted: with_datacenters(&["dc1", "dc2", "dc3"]),
        },
    ]);
    table
}

/// Bounds of the schema, and lists by key.
pub(super) fn bounds() -> Vec<Pair> {
    [longest(), most(), others()].concat()
}

const SCHEMA: &str = "schema";

/// Words of one character more than may be, and of as many.
fn longest() -> Vec<Pair> {
    let named = |name: Value| json!([{"name": name}]);
    let word = |name: Value| name;
    let row = |field, pointer: &str, most: usize, value: &dyn Fn(Value) -> Value| {
        let of_length = |length| value(json!("n".repeat(length)));
        let is = (field, "Too long");
        pair(SCHEMA, is, pointer, of_length(most + 1), of_length(most))
    };
    let entry = |name: &str| format!("{ENTRY}/{name}");
    vec![
        row("spec.cassandra.clusterName", "/cassandra/clusterName", 253, &word),
        row("spec.cassandra.racks[0].name", "/cassandra/racks", 63, &named),
        row(ENTRY_RACK_NAME, &entry("racks"), 63, &named),
        row(ENTRY_CONTEXT, &entry("k8sContext"), 253, &word),
        row(ENTRY_NAME, &entry("metadata/name"), 63, &word),
        row(ENTRY_NAMESPACE, &entry("metadata/namespace"), 63, &word),
    ]
}

const ENTRY_RACK_NAME: &str = "spec.cassandra.datacenters[0].racks[0].name";
const ENTRY_CONTEXT: &str = "spec.cassandra.datacenters[0].k8sContext";
const ENTRY_NAME: &str = "spec.cassandra.datacenters[0].metadata.name";
const ENTRY_NAMESPACE: &str = "spec.cassandra.datacenters[0].metadata.namespace";

/// Lists of one entry more than may be, and of as many.
fn most() -> Vec<Pair> {
    let list = |count: usize, entry: &dyn Fn(&str) -> Value| {
        let entries = (0..count).map(|number| entry(&format!("n{number}")));
        Value::Array(entries.collect())
    };
    let row = |field, pointer: &str, entry: &dyn Fn(&str) -> Value| {
        let is = (field, "Too many: 65");
        pair(SCHEMA, is, pointer, list(65, entry), list(64, entry))
    };
    let rack = |name: &str| json!({"name": name});
    vec![
        row(
            "spec.cassandra.datacenters",
            "/cassandra/datacenters",
            &datacenter,
        ),
        row("spec.cassandra.racks", "/cassandra/racks", &rack),
        row(
            "spec.cassandra.datacenters[0].racks",
            &format!("{ENTRY}/racks"),
            &rack,
        ),
    ]
}

fn others() -> Vec<Pair> {
    let racks = |names: &[&str]| -> Value { names.iter().map(|name| json!({"name": name})).collect() };
    let differ = |field, pointer: &str| {
        let is = (field, "Duplicate value");
        pair(SCHEMA, is, pointer, racks(&["r1", "r1"]), racks(&["r1", "r2"]))
    };
    let word = |field: &'static str, message, refused: &str, accepted: &str| {
        let pointer = field.trim_start_matches("spec").replace('.', "/");
        pair(
            SCHEMA,
            (field, message),
            &pointer,
            json!(refused),
            json!(accepted),
        )
    };
    vec![
        differ("spec.cassandra.racks[1]", "/cassandra/racks"),
        differ(
            "spec.cassandra.datacenters[0].racks[1]",
            &format!("{ENTRY}/racks"),
        ),
        pair(
            SCHEMA,
            ("spec.cassandra.racks[0].name", "at least 2 chars"),
            "/cassandra/racks",
            racks(&["r"]),
            racks(&["r1"]),
        ),
        pair(
            SCHEMA,
            ("spec.cassandra.datacenters[0].size", "greater than or equal to 1"),
            &format!("{ENTRY}/size"),
            json!(0),
            json!(1),
        ),
        word("spec.cassandra.serverType", "Unsupported value", "scylla", "hcd"),
        word("spec.cassandra.serverVersion", "should match", "4.1", "4.1.0"),
        word("spec.secretsProvider", "Unsupported value", "vault", "external"),
    ]
}
