//! Fields of a spec for add-ons that nobody here acts on yet.

use api::k8ssandra_cluster::addons::Telemetry;
use api::k8ssandra_cluster::{DatacenterOptions, K8ssandraClusterSpec};

/// Their paths, in the order of the spec.
#[must_use]
pub fn unmanaged(spec: &K8ssandraClusterSpec) -> Vec<String> {
    let mut paths = Vec::new();
    let mut add = |given: bool, path: &str| {
        if given {
            paths.push(path.to_owned());
        }
    };
    add(spec.medusa.is_some(), "spec.medusa");
    add(spec.reaper.is_some(), "spec.reaper");
    add(spec.stargate.is_some(), "spec.stargate");
    let Some(cassandra) = &spec.cassandra else {
        return paths;
    };
    telemetry(&cassandra.options, "spec.cassandra", &mut add);
    for (index, datacenter) in cassandra.datacenters.iter().enumerate() {
        let path = format!("spec.cassandra.datacenters[{index}]");
        add(datacenter.stargate.is_some(), &format!("{path}.stargate"));
        telemetry(&datacenter.options, &path, &mut add);
    }
    paths
}

/// Metrics agents and Vector in Cassandra's pods are part of a datacenter; monitors are not.
fn telemetry(options: &DatacenterOptions, path: &str, add: &mut impl FnMut(bool, &str)) {
    let Some(Telemetry { prometheus, .. }) = &options.telemetry else {
        return;
    };
    let is_on = prometheus.as_ref().and_then(|it| it.enabled) == Some(true);
    add(is_on, &format!("{path}.telemetry.prometheus"));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_that_nobody_acts_on_are_named_by_their_path() {
        let spec = serde_json::from_value(json!({
            "reaper": {},
            "cassandra": {
                "telemetry": {"vector": {"enabled": true}, "prometheus": {"enabled": false}, "mcac": {"enabled": true}},
                "datacenters": [
                    {"metadata": {"name": "dc1"}, "size": 3},
                    {"metadata": {"name": "dc2"}, "size": 3, "stargate": {"size": 1},
                     "telemetry": {"prometheus": {"enabled": true}}},
                ],
            },
        }))
        .unwrap();
        assert_eq!(
            unmanaged(&spec),
            [
                "spec.reaper",
                "spec.cassandra.datacenters[1].stargate",
                "spec.cassandra.datacenters[1].telemetry.prometheus",
            ]
        );
        assert_eq!(unmanaged(&K8ssandraClusterSpec::default()), Vec::<String>::new());
    }
}
