//! P11: what a status says of generations and times never goes back, and Ready is said of what is there.

use std::collections::BTreeMap;

use serde_json::Value;

use super::owner;
use super::sight::{DATACENTERS, Sight, holds, list, text};

pub(super) fn check(sight: &Sight<'_>) -> Vec<String> {
    let (Some(before), Some(after)) = (sight.before(), sight.after()) else {
        return Vec::new();
    };
    let ours = ["k8ssandraclusters", "replicatedsecrets", "clientconfigs"];
    if !ours.contains(&sight.write.plural.as_str()) || before["metadata"]["uid"] != after["metadata"]["uid"] {
        return Vec::new();
    }
    let generation = |object: &Value| {
        object
            .pointer("/status/observedGeneration")
            .and_then(Value::as_i64)
    };
    let mut broken = Vec::new();
    if let (Some(was), now) = (generation(before), generation(after))
        && now.is_none_or(|now| now < was)
    {
        broken.push(format!("P11: observedGeneration went from {was} to {now:?}"));
    }
    let (was, now) = (conditions(before), conditions(after));
    for (kind, (status, time)) in &now {
        if let Some((old_status, old_time)) = was.get(kind)
            && old_status == status
            && old_time != time
        {
            broken.push(format!("P11: {} stayed {status} and its time moved", kind.0));
        }
    }
    if sight.write.plural == "k8ssandraclusters"
        && sight.program().is_some()
        && says_ready(after)
        && !says_ready(before)
    {
        broken.extend(missing(sight, after).map(|why| format!("P11: Ready is said of the spec, and {why}")));
    }
    broken
}

/// Ready, of the spec that is there now.
fn says_ready(cluster: &Value) -> bool {
    holds(cluster, "Ready")
        && cluster.pointer("/status/observedGeneration") == cluster.pointer("/metadata/generation")
}

/// A datacenter of the spec that is not there as it is wanted.
fn missing(sight: &Sight<'_>, cluster: &Value) -> Option<String> {
    let uid = text(cluster, "/metadata/uid");
    let there: Vec<_> = sight
        .look
        .planes()
        .into_iter()
        .flat_map(|plane| sight.look.all(plane, DATACENTERS))
        .filter(|it| owner::mark(it).is_none_or(|mark| mark == uid))
        .collect();
    owner::entries(cluster).find_map(|entry| {
        let name = text(entry, "/metadata/name");
        match there.iter().find(|it| text(it, "/metadata/name") == name) {
            None => Some(format!("datacenter {name} is not there")),
            Some(it) if entry["size"].is_i64() && it["spec"]["size"] != entry["size"] => {
                Some(format!("datacenter {name} has {} nodes", it["spec"]["size"]))
            }
            Some(_) => None,
        }
    })
}

/// Type and target to status and transition time.
fn conditions(object: &Value) -> BTreeMap<(&str, &str, &str), (&str, &str)> {
    list(object, "/status/conditions")
        .map(|it| {
            let key = (text(it, "/type"), text(it, "/cluster"), text(it, "/namespace"));
            (key, (text(it, "/status"), text(it, "/lastTransitionTime")))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::fixtures::{Planes, but, cluster, datacenter, said, write};
    use super::*;

    fn kc(ready: &str, time: &str, generation: i64) -> Value {
        let conditions = json!([{"type": "Ready", "status": ready, "lastTransitionTime": time}]);
        let status = json!({"observedGeneration": generation, "conditions": conditions});
        but(cluster(&[("dc1", 1)], &[]), "/status", status)
    }

    fn changed(before: Value, after: Value, dc: &Value) -> Vec<String> {
        let asked = write(
            "status-rollup",
            "patch",
            "k8ssandraclusters",
            Some(before),
            Some(after),
        );
        said(
            check,
            "control-plane",
            &asked,
            &Planes::default().with("east", DATACENTERS, dc),
        )
    }

    #[test]
    fn an_observed_generation_never_goes_back() {
        let dc = datacenter("dc1", 1);
        assert_eq!(changed(kc("False", "1", 2), kc("False", "1", 1), &dc).len(), 1);
        assert_eq!(changed(kc("False", "1", 1), kc("False", "1", 2), &dc), [""; 0]);
    }

    #[test]
    fn a_time_moves_with_its_condition_only() {
        let dc = datacenter("dc1", 1);
        assert_eq!(changed(kc("False", "1", 2), kc("False", "2", 2), &dc).len(), 1);
        assert_eq!(changed(kc("False", "1", 2), kc("True", "2", 2), &dc), [""; 0]);
    }

    #[test]
    fn ready_is_said_of_datacenters_that_are_as_wanted() {
        let ready = |dc: &Value| changed(kc("False", "1", 2), kc("True", "2", 2), dc);
        assert_eq!(ready(&datacenter("dc1", 1)), [""; 0]);
        assert_eq!(
            ready(&datacenter("dc2", 1)),
            ["P11: Ready is said of the spec, and datacenter dc1 is not there"]
        );
        assert_eq!(ready(&datacenter("dc1", 2)).len(), 1);
    }
}
