//! In which order datacenters are made and changed.

use std::cmp::Reverse;

use api::k8ssandra_cluster::{CassandraDatacenterTemplate, K8ssandraCluster};
use serde_json::Value;

use super::facts;
use crate::value;

/// Names of the datacenters of the spec, in the order in which they are worked on: those with analytics first, for others
/// ask them who leads; those with search last; otherwise as in the spec.
#[must_use]
pub fn working_order(kc: &K8ssandraCluster) -> Vec<&str> {
    let Some(cassandra) = &kc.spec.cassandra else {
        return Vec::new();
    };
    let templates = cassandra.datacenters.iter();
    let mut options = templates
        .map(|template| &template.options)
        .chain([&cassandra.options]);
    if options.all(|options| options.dse_workloads.is_none()) {
        return cassandra
            .datacenters
            .iter()
            .map(CassandraDatacenterTemplate::name)
            .collect();
    }
    let common = facts::cluster_options(cassandra);
    let rank = |template| {
        let merged = common.as_ref().ok().zip(facts::json_of(template).ok());
        merged.map_or(0, |(common, template)| rank(&common.under(template)))
    };
    let mut ranked: Vec<(u8, &str)> = cassandra
        .datacenters
        .iter()
        .map(|template| (rank(template), template.name()))
        .collect();
    ranked.sort_by_key(|(rank, _)| Reverse(*rank));
    ranked.into_iter().map(|(_, name)| name).collect()
}

fn rank(merged: &Value) -> u8 {
    let has = |workload: &str| value::flag(merged, &format!("/dseWorkloads/{workload}")) == Some(true);
    match (has("analyticsEnabled"), has("searchEnabled")) {
        (true, _) => 3,
        (false, true) => 1,
        (false, false) => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::cluster_of;
    use serde_json::json;

    fn entry(name: &str, workloads: &Value) -> Value {
        json!({"metadata": {"name": name}, "size": 1, "dseWorkloads": workloads})
    }

    #[test]
    fn c101_analytics_come_first_and_search_last() {
        let kc = cluster_of(json!([
            entry("search", &json!({"searchEnabled": true})),
            entry("graph", &json!({"graphEnabled": true})),
            entry("none", &json!({})),
            entry("both", &json!({"analyticsEnabled": true, "searchEnabled": true})),
        ]));
        assert_eq!(working_order(&kc), ["both", "graph", "none", "search"]);
    }
}
