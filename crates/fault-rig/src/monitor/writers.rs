//! One writer: each object, and each field of the cluster, is written by the program that the design names.

use std::collections::BTreeSet;

use api::names::{annotation as annotations, label as labels};
use serde_json::Value;

use super::sight::{Sight, label};

/// Metadata that follow from any write.
const SERVERS_OWN: [&str; 3] = ["managedFields", "resourceVersion", "generation"];

pub(super) fn check(sight: &Sight<'_>) -> Vec<String> {
    let Some(program) = sight.program() else {
        return Vec::new();
    };
    let write = sight.write;
    let status = write.subresource == "status";
    let fine = match (write.plural.as_str(), status) {
        ("events", _) => true,
        ("k8ssandraclusters", _) => return fields(sight, program),
        ("clientconfigs", true) => program == "client-registry",
        ("replicatedsecrets", true) => program == "secret-replicator",
        ("replicatedsecrets", false) => replicated(sight, program),
        ("secrets", false) => secret(sight, program),
        ("cassandradatacenters" | "configmaps", false) => program == "cluster-reconciler",
        ("endpointslices", false) => {
            // With a datacenter, or with its cluster, its slices go too.
            program == "topology-reconciler" || program == "cluster-reconciler" && write.verb == "delete"
        }
        ("services" | "cassandratasks", false) | ("k8ssandratasks", true) => program == "topology-reconciler",
        ("k8ssandratasks", false) => {
            program == "topology-reconciler" || sight.creates() && program == "cluster-reconciler"
        }
        _ => false,
    };
    if fine {
        return Vec::new();
    }
    vec![format!("one writer: this is not for {program} to {}", write.verb)]
}

/// The superuser's Secret is made and marked by cluster-reconciler, in the control plane; its data is never changed. Copies
/// are secret-replicator's.
fn secret(sight: &Sight<'_>, program: &str) -> bool {
    let is_copy = |object: &Value| !label(object, labels::REPLICATED_SECRET_NAME).is_empty();
    let all = || sight.before().into_iter().chain(sight.after());
    if all().any(is_copy) {
        return program == "secret-replicator";
    }
    let changed = sight
        .before()
        .zip(sight.after())
        .is_some_and(|(before, after)| before["data"] != after["data"]);
    program == "cluster-reconciler" && sight.in_control_plane() && sight.write.verb != "delete" && !changed
}

/// secret-replicator adds and removes its finalizer; all else is cluster-reconciler's.
fn replicated(sight: &Sight<'_>, program: &str) -> bool {
    let finalizers_only = || {
        let bare = |object: Option<&Value>| {
            let mut object = object.cloned().unwrap_or_default();
            for field in ["finalizers", "managedFields", "resourceVersion"] {
                object["metadata"][field].take();
            }
            object
        };
        // With its last finalizer the object goes.
        sight.after().is_none() || bare(sight.before()) == bare(sight.after())
    };
    match program {
        "cluster-reconciler" => true,
        "secret-replicator" => sight.write.verb == "patch" && finalizers_only(),
        _ => false,
    }
}

/// The cluster itself, field by field.
fn fields(sight: &Sight<'_>, program: &str) -> Vec<String> {
    let null = Value::Null;
    let (before, after) = (sight.before().unwrap_or(&null), sight.after().unwrap_or(&null));
    if after.is_null() {
        // Gone with its last finalizer.
        let fine = program == "cluster-reconciler";
        return if fine {
            Vec::new()
        } else {
            wrong("the cluster", program)
        };
    }
    let writer = |field: &str| match field {
        "metadata.finalizers" | "status.reports.cluster" => "cluster-reconciler",
        "status.reports.topology" => "topology-reconciler",
        _ if field.starts_with("status.") => "status-rollup",
        _ => match field.strip_prefix("metadata.annotations.") {
            Some(
                annotations::RECORD | annotations::INITIAL_SYSTEM_REPLICATION | annotations::AUTOUPDATE_SPEC,
            ) => "cluster-reconciler",
            Some(annotations::REBUILD_DC) => "topology-reconciler",
            _ => "the user",
        },
    };
    let changed = changed_fields(before, after);
    changed
        .iter()
        .filter(|field| writer(field) != program)
        .flat_map(|field| wrong(field, program))
        .collect()
}

fn wrong(field: &str, program: &str) -> Vec<String> {
    vec![format!("one writer: {field} is not for {program} to change")]
}

/// The fields that differ, as deep as they have writers of their own, without those that the server fills.
fn changed_fields(before: &Value, after: &Value) -> BTreeSet<String> {
    let mut changed = BTreeSet::new();
    for part in differing(before, after) {
        if !["metadata", "status"].contains(&part) {
            changed.insert(part.to_owned());
            continue;
        }
        for field in differing(&before[part], &after[part]) {
            let (was, is) = (&before[part][field], &after[part][field]);
            // The schema's default, which comes with whatever is written first.
            let defaulted = field == "error" && was.is_null() && is == "None";
            if ["annotations", "reports"].contains(&field) {
                let deep = differing(was, is).into_iter();
                changed.extend(deep.map(|key| format!("{part}.{field}.{key}")));
            } else if !SERVERS_OWN.contains(&field) && !defaulted {
                changed.insert(format!("{part}.{field}"));
            }
        }
    }
    changed
}

/// The keys of two objects under which they differ.
fn differing<'a>(before: &'a Value, after: &'a Value) -> BTreeSet<&'a str> {
    let all = [before, after].into_iter().filter_map(Value::as_object);
    let keys = all.flat_map(|object| object.keys());
    keys.filter(|key| before.get(*key) != after.get(*key))
        .map(String::as_str)
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::fixtures::{Planes, but, cluster, said, write};
    use super::*;
    use crate::world::CONTROL_PLANE;

    fn written(
        program: &str,
        plural: &str,
        status: bool,
        before: Option<Value>,
        after: Option<Value>,
    ) -> Vec<String> {
        let mut asked = write(program, "patch", plural, before, after);
        if status {
            asked.subresource = "status".to_owned();
        }
        said(check, CONTROL_PLANE, &asked, &Planes::default())
    }

    #[test]
    fn every_kind_is_written_by_its_program_and_no_other() {
        let object = json!({"metadata": {"name": "it"}});
        let rows = [
            ("cassandradatacenters", false, "cluster-reconciler"),
            ("configmaps", false, "cluster-reconciler"),
            ("endpointslices", false, "topology-reconciler"),
            ("services", false, "topology-reconciler"),
            ("cassandratasks", false, "topology-reconciler"),
            ("clientconfigs", true, "client-registry"),
            ("replicatedsecrets", true, "secret-replicator"),
        ];
        let programs = [
            "client-registry",
            "cluster-reconciler",
            "topology-reconciler",
            "status-rollup",
            "secret-replicator",
        ];
        for (plural, status, writer) in rows {
            for program in programs {
                let said = written(program, plural, status, Some(object.clone()), Some(json!({})));
                assert_eq!(said.is_empty(), program == writer, "{program} {plural}: {said:?}");
            }
        }
        assert_eq!(
            written("cluster-reconciler", "cassandradatacenters", true, None, None).len(),
            1
        );
        assert_eq!(written("cluster-reconciler", "pods", false, None, None).len(), 1);
        assert_eq!(written("", "pods", false, None, None), [""; 0]);
    }

    #[test]
    fn each_field_of_a_cluster_has_its_writer() {
        let kc = but(cluster(&[("dc1", 1)], &[]), "/status", json!({"reports": {}}));
        let rows = [
            ("/metadata/annotations/ringspan.io~1record", "cluster-reconciler"),
            ("/metadata/finalizers", "cluster-reconciler"),
            ("/status/reports/cluster", "cluster-reconciler"),
            ("/status/reports/topology", "topology-reconciler"),
            ("/status/conditions", "status-rollup"),
            ("/status/error", "status-rollup"),
            ("/spec/cassandra", "nobody"),
            ("/metadata/annotations/ringspan.io~1paused", "nobody"),
        ];
        for (pointer, writer) in rows {
            let after = but(kc.clone(), pointer, json!("new"));
            for program in ["cluster-reconciler", "topology-reconciler", "status-rollup"] {
                let said = written(
                    program,
                    "k8ssandraclusters",
                    false,
                    Some(kc.clone()),
                    Some(after.clone()),
                );
                assert_eq!(
                    said.is_empty(),
                    program == writer,
                    "{program} {pointer}: {said:?}"
                );
            }
        }
    }

    #[test]
    fn a_secret_of_the_control_plane_is_marked_and_its_data_kept() {
        let before = json!({"metadata": {"name": "s"}, "data": {"password": "YQ=="}});
        let marked = but(before.clone(), "/metadata/labels", json!({"a": "b"}));
        let changed = but(before.clone(), "/data/password", json!("Yg=="));
        let copy = but(
            before.clone(),
            "/metadata/labels",
            json!({"k8ssandra.io/replicated-secret-name": "db.demo"}),
        );
        for (program, after, count) in [
            ("cluster-reconciler", &marked, 0),
            ("cluster-reconciler", &changed, 1),
            ("cluster-reconciler", &copy, 1),
            ("secret-replicator", &copy, 0),
            ("secret-replicator", &changed, 1),
        ] {
            let said = written(
                program,
                "secrets",
                false,
                Some(before.clone()),
                Some(after.clone()),
            );
            assert_eq!(said.len(), count, "{program} {after}");
        }
    }

    #[test]
    fn of_a_replicated_secret_only_the_finalizer_is_changed_by_who_copies() {
        let before = json!({"metadata": {"name": "demo"}, "spec": {"selector": {}}});
        let held = but(before.clone(), "/metadata/finalizers", json!(["f"]));
        let other = but(before.clone(), "/spec/selector", json!({"matchLabels": {}}));
        for (after, count) in [(held, 0), (other, 1)] {
            let said = written(
                "secret-replicator",
                "replicatedsecrets",
                false,
                Some(before.clone()),
                Some(after),
            );
            assert_eq!(said.len(), count);
        }
    }
}
