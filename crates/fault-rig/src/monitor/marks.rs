//! P2: what does not carry our mark with the UID of a live cluster is foreign, and nothing writes to it.

use api::names::{annotation as annotations, label as labels};
use serde_json::Value;

use super::owner;
use super::sight::{CLUSTERS, REPLICATED, Sight, annotation, label, text};
use crate::world::CONTROL_PLANE;

/// What users make and programs write to, field by field: that is for [`super::writers`].
const OF_USERS: [&str; 4] = ["k8ssandraclusters", "clientconfigs", "k8ssandratasks", "events"];

pub(super) fn check(sight: &Sight<'_>) -> Vec<String> {
    let plural = sight.write.plural.as_str();
    let (Some(program), Some(before)) = (sight.program(), sight.before()) else {
        return Vec::new();
    };
    if OF_USERS.contains(&plural) {
        return Vec::new();
    }
    let broken = match (program, plural) {
        ("secret-replicator", "secrets") => copy(sight, before),
        // Users make some of them; what it writes there is for `writers`.
        ("secret-replicator", "replicatedsecrets") => Ok(()),
        ("cluster-reconciler", "secrets") if owner::mark(before).is_none() => own_secret(sight, before),
        ("cluster-reconciler", "configmaps") if owner::mark(before).is_none() && labelled(sight, before) => {
            Ok(())
        }
        _ => ours(sight, before),
    };
    match broken {
        Err(why) => vec![format!("P2: it is not ours: {why}")],
        Ok(()) => Vec::new(),
    }
}

/// Marked with the UID of a cluster that is there, and with the same one afterwards; or upstream's, adopted and marked by
/// this very write.
fn ours(sight: &Sight<'_>, before: &Value) -> Result<(), String> {
    let Some(uid) = owner::of(sight.look, sight.plane, before) else {
        let cluster = owner::cluster_by_labels(sight.look, before);
        let cluster = cluster.ok_or("it has no mark, and its labels name no cluster")?;
        let uid = text(&cluster, "/metadata/uid");
        return match sight.after() {
            Some(after) if owner::mark(after) != Some(uid) => Err("it is adopted without a mark".to_owned()),
            _ => Ok(()),
        };
    };
    if owner::cluster(sight.look, &uid).is_none() {
        return Err(format!("there is no cluster {uid}"));
    }
    match sight.after() {
        Some(after) if owner::of(sight.look, sight.plane, after).as_ref() != Some(&uid) => {
            Err(format!("its mark was {uid} before"))
        }
        _ => Ok(()),
    }
}

/// A ConfigMap of the user's that a datacenter refers to gets labels that name the cluster, and nothing else.
fn labelled(sight: &Sight<'_>, before: &Value) -> bool {
    let Some(after) = sight.after() else {
        return false;
    };
    let Some(cluster) = owner::cluster_by_labels(sight.look, after) else {
        return false;
    };
    let rest = |object: &Value| {
        let mut rest = object.clone();
        if let Some(metadata) = rest.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata
                .retain(|field, _| !["labels", "managedFields", "resourceVersion"].contains(&field.as_str()));
        }
        rest
    };
    let datacenters = cluster
        .pointer("/spec/cassandra/datacenters")
        .and_then(Value::as_array);
    let name = text(before, "/metadata/name");
    let refers = |datacenter: &Value| text(datacenter, "/perNodeConfigMapRef/name") == name;
    datacenters.is_some_and(|all| all.iter().any(refers)) && rest(before) == rest(after)
}

/// A copy names its ReplicatedSecret, and where both name a cluster it is the same one.
fn copy(sight: &Sight<'_>, before: &Value) -> Result<(), String> {
    let Some((namespace, name)) = label(before, labels::REPLICATED_SECRET_NAME).split_once('.') else {
        return Err("no label says that it is a copy".to_owned());
    };
    let replicated = sight.look.get(CONTROL_PLANE, REPLICATED, namespace, name);
    let (copy, own) = (
        annotation(before, annotations::CLUSTER_UID),
        replicated.as_ref().and_then(|it| owner::mark(it)),
    );
    if replicated.is_some() && !copy.is_empty() && own != Some(copy) {
        return Err(format!(
            "it was copied for cluster {copy}, and {namespace}/{name} is {own:?}'s"
        ));
    }
    Ok(())
}

/// A Secret that the user made for a cluster: one of its namespace names it.
fn own_secret(sight: &Sight<'_>, before: &Value) -> Result<(), String> {
    let (namespace, name) = (
        text(before, "/metadata/namespace"),
        text(before, "/metadata/name"),
    );
    let names = |cluster: &Value| {
        text(cluster, "/metadata/namespace") == namespace
            && owner::own_secrets(cluster).iter().any(|own| own == name)
    };
    let mut clusters = sight.look.all(CONTROL_PLANE, CLUSTERS).into_iter();
    if sight.in_control_plane() && clusters.any(|cluster| names(&cluster)) {
        Ok(())
    } else {
        Err("no cluster has it as its own".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::fixtures::{Planes, but, cluster, datacenter, said, write};
    use super::super::sight::DATACENTERS;
    use super::*;

    fn planes() -> Planes {
        Planes::default()
            .with(CONTROL_PLANE, CLUSTERS, &cluster(&[("dc1", 1)], &[]))
            .with("east", DATACENTERS, &datacenter("dc1", 1))
    }

    fn changed(program: &str, plural: &str, before: &Value, after: Option<Value>) -> Vec<String> {
        let asked = write(program, "apply", plural, Some(before.clone()), after);
        said(check, "east", &asked, &planes())
    }

    #[test]
    fn an_object_with_the_mark_of_a_live_cluster_is_ours_and_stays_so() {
        let dc = datacenter("dc1", 1);
        let mark = "/metadata/annotations/ringspan.io~1cluster-uid";
        assert_eq!(
            changed(
                "cluster-reconciler",
                "cassandradatacenters",
                &dc,
                Some(dc.clone())
            ),
            [""; 0]
        );
        let other = but(dc.clone(), mark, json!("kc-0"));
        assert_eq!(
            changed(
                "cluster-reconciler",
                "cassandradatacenters",
                &other,
                Some(dc.clone())
            ),
            ["P2: it is not ours: there is no cluster kc-0"]
        );
        assert_eq!(
            changed("cluster-reconciler", "cassandradatacenters", &dc, Some(other)),
            ["P2: it is not ours: its mark was kc-1 before"]
        );
    }

    #[test]
    fn an_object_without_a_mark_is_ours_only_if_upstream_made_it_for_a_live_cluster_and_it_is_marked_now() {
        let bare = json!({"metadata": {"name": "it", "namespace": "db"}});
        let labels = json!({"k8ssandra.io/cluster-name": "demo", "k8ssandra.io/cluster-namespace": "db"});
        let upstream = but(bare.clone(), "/metadata/labels", labels);
        let marked = but(
            upstream.clone(),
            "/metadata/annotations",
            json!({"ringspan.io/cluster-uid": "kc-1"}),
        );
        assert_eq!(changed("cluster-reconciler", "configmaps", &bare, None).len(), 1);
        assert_eq!(
            changed("cluster-reconciler", "configmaps", &upstream, Some(marked)),
            [""; 0]
        );
        assert_eq!(
            changed(
                "cluster-reconciler",
                "configmaps",
                &upstream,
                Some(upstream.clone())
            ),
            ["P2: it is not ours: it is adopted without a mark"]
        );
    }

    #[test]
    fn a_config_map_that_a_datacenter_refers_to_gets_labels_and_nothing_else() {
        let mut kc = cluster(&[("dc1", 1)], &[]);
        kc["spec"]["cassandra"]["datacenters"][0]["perNodeConfigMapRef"] = json!({"name": "nodes"});
        let planes = Planes::default().with(CONTROL_PLANE, CLUSTERS, &kc);
        let map = |name: &str| json!({"metadata": {"name": name, "namespace": "db"}, "data": {"a": "b"}});
        let labels = json!({"k8ssandra.io/cluster-name": "demo", "k8ssandra.io/cluster-namespace": "db"});
        let told = |before: &Value, after: Value| {
            let asked = write(
                "cluster-reconciler",
                "apply",
                "configmaps",
                Some(before.clone()),
                Some(after),
            );
            said(check, "east", &asked, &planes).len()
        };
        let nodes = map("nodes");
        let labelled = but(nodes.clone(), "/metadata/labels", labels.clone());
        assert_eq!(told(&nodes, labelled.clone()), 0);
        assert_eq!(told(&nodes, but(labelled, "/data", json!({}))), 1);
        let other = map("other");
        assert_eq!(told(&other, but(other.clone(), "/metadata/labels", labels)), 1);
    }

    #[test]
    fn a_task_is_its_datacenters_by_uid() {
        let owned = |uid: &str| {
            json!({"metadata": {"name": "t", "namespace": "db", "ownerReferences": [
                {"kind": "CassandraDatacenter", "name": "dc1", "uid": uid},
            ]}})
        };
        assert_eq!(
            changed(
                "topology-reconciler",
                "cassandratasks",
                &owned("uid-of-dc1"),
                None
            ),
            [""; 0]
        );
        assert_eq!(
            changed("topology-reconciler", "cassandratasks", &owned("older"), None).len(),
            1
        );
    }

    #[test]
    fn a_secret_that_is_no_copy_is_not_overwritten() {
        let foreign = json!({"metadata": {"name": "demo-superuser", "namespace": "db"}});
        assert_eq!(
            changed("secret-replicator", "secrets", &foreign, Some(foreign.clone())),
            ["P2: it is not ours: no label says that it is a copy"]
        );
        let label = json!({"k8ssandra.io/replicated-secret-name": "db.demo"});
        let copy = but(foreign, "/metadata/labels", label);
        assert_eq!(
            changed("secret-replicator", "secrets", &copy, Some(copy.clone())),
            [""; 0]
        );
    }

    #[test]
    fn a_copy_for_another_cluster_is_not_overwritten() {
        let copy = json!({"metadata": {
            "name": "s", "namespace": "db",
            "labels": {"k8ssandra.io/replicated-secret-name": "db.demo"},
            "annotations": {"ringspan.io/cluster-uid": "kc-0"},
        }});
        let replicated = json!({"metadata": {"name": "demo", "namespace": "db",
            "annotations": {"ringspan.io/cluster-uid": "kc-1"}}});
        let asked = write(
            "secret-replicator",
            "patch",
            "secrets",
            Some(copy.clone()),
            Some(copy),
        );
        let planes = planes().with(CONTROL_PLANE, REPLICATED, &replicated);
        assert_eq!(said(check, "east", &asked, &planes).len(), 1);
    }

    #[test]
    fn the_users_own_superuser_is_labelled_and_no_other_secret() {
        let secret = |name: &str| json!({"metadata": {"name": name, "namespace": "db"}});
        for (name, count) in [("demo-superuser", 0), ("another", 1)] {
            let (before, after) = (secret(name), but(secret(name), "/metadata/labels", json!({})));
            let asked = write(
                "cluster-reconciler",
                "apply",
                "secrets",
                Some(before),
                Some(after),
            );
            assert_eq!(
                said(check, CONTROL_PLANE, &asked, &planes()).len(),
                count,
                "{name}"
            );
        }
    }

    #[test]
    fn what_is_new_is_nobodys_yet() {
        let asked = write(
            "cluster-reconciler",
            "create",
            "configmaps",
            None,
            Some(json!({})),
        );
        assert_eq!(said(check, "east", &asked, &planes()), [""; 0]);
    }
}
