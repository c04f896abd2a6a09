//! Configuration of the metrics agent that runs in each Cassandra process.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::metadata::{cleanup_labels, marks, of_cluster};
use super::{DesiredConfigMap, Facts};
use crate::{naming, value, yaml};

const KEY: &str = "metrics-collector.yaml";
const FOLDER: &str = "/opt/management-api/configs";
const VOLUME: &str = "metrics-agent-config";
/// Series of tables that are served; all others are dropped, for there are thousands.
const KEPT_TABLE_SERIES: [&str; 11] = [
    "live_ss_table_count",
    "live_disk_space_used",
    "memtable.*",
    "all_memtables.*",
    "compaction_bytes_written",
    "pending_compactions",
    "read_.*",
    "write_.*",
    "range.*",
    "coordinator_.*",
    "dropped_mutations",
];

/// The ConfigMap; every datacenter has one.
pub(super) fn config_map(facts: &Facts<'_>) -> DesiredConfigMap {
    let mut labels = of_cluster(facts, "/commonLabels");
    labels.extend(cleanup_labels(facts));
    let mut annotations = of_cluster(facts, "/commonAnnotations");
    annotations.extend(marks(facts));
    DesiredConfigMap {
        namespace: facts.namespace.clone(),
        name: name(facts),
        labels,
        annotations,
        data: BTreeMap::from([(KEY.to_owned(), yaml::document(&collector(facts)))]),
        shared: false,
    }
}

/// The volume by which the pods have it.
pub(super) fn volume(facts: &Facts<'_>) -> Value {
    json!({
        "name": VOLUME,
        "mountPath": FOLDER,
        "volumeSource": {"configMap": {"name": name(facts), "items": [{"key": KEY, "path": KEY}]}},
    })
}

fn name(facts: &Facts<'_>) -> String {
    naming::metrics_agent_config_map(facts.cluster, facts.template.cassandra_name())
}

fn collector(facts: &Facts<'_>) -> Value {
    let mut collector = Map::new();
    let agent = |field: &str| value::at(&facts.merged, &format!("/telemetry/cassandra/{field}"));
    value::set(&mut collector, "endpoint", agent("endpoint").cloned());
    let relabels = agent("relabels").cloned().and_then(value::not_empty);
    collector.insert("relabels".to_owned(), relabels.unwrap_or_else(default_relabels));
    Value::Object(collector)
}

fn default_relabels() -> Value {
    let mark = |from: &str, regex: &str, verdict: &str| json!({"sourceLabels": [from], "regex": regex, "targetLabel": "should_drop", "replacement": verdict});
    let kept = KEPT_TABLE_SERIES.iter().map(|series| {
        mark(
            "__name__",
            &format!("org_apache_cassandra_metrics_table_{series}"),
            "false",
        )
    });
    let drop = json!({"sourceLabels": ["should_drop"], "regex": "true", "action": "drop"});
    [mark("table", ".+", "true")]
        .into_iter()
        .chain(kept)
        .chain([drop])
        .collect()
}
