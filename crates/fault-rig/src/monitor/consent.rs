//! P1: nothing that holds data is deleted or made smaller without the consent of its user, now, to this very object.

use api::names::{annotation as annotations, label as labels};
use serde_json::Value;

use super::owner;
use super::secret_copies;
use super::sight::{DATACENTERS, Look, Sight, annotation, is_going, label, list, text};

pub(super) fn check(sight: &Sight<'_>) -> Vec<String> {
    let broken = match sight.write.plural.as_str() {
        "cassandradatacenters" => of_datacenter(sight),
        "secrets" if sight.deletes() => of_secret(sight),
        "statefulsets" | "persistentvolumeclaims" | "namespaces" if sight.deletes() => {
            Err("it is none of our business".to_owned())
        }
        _ => Ok(()),
    };
    let Err(why) = broken else { return Vec::new() };
    if sight.program().is_none() {
        return Vec::new();
    }
    let what = if sight.deletes() {
        "deleted"
    } else {
        "made smaller"
    };
    vec![format!("P1: it is {what} without consent: {why}")]
}

fn of_datacenter(sight: &Sight<'_>) -> Result<(), String> {
    let Some(before) = sight.before() else {
        return Ok(());
    };
    if sight.deletes() {
        owner::consent(sight.look, before)?;
        return has_no_replicas(sight.look, before);
    }
    let Some(after) = sight.after() else { return Ok(()) };
    let size = |object: &Value| object["spec"]["size"].as_i64().unwrap_or_default();
    let stopped = |object: &Value| object["spec"]["stopped"] == true;
    if size(after) >= size(before) && (stopped(before) || !stopped(after)) {
        return Ok(());
    }
    let cluster = owner::mark(before).and_then(|uid| owner::cluster(sight.look, uid));
    let cluster = cluster.ok_or("it has no cluster")?;
    let entry = owner::entry(&cluster, text(before, "/metadata/name"));
    let entry = entry.ok_or("its cluster has no size for it")?;
    let wanted = entry["size"].as_i64().unwrap_or_default();
    if size(after) < size(before) && size(after) != wanted {
        return Err(format!("its cluster wants {wanted} nodes, not {}", size(after)));
    }
    if stopped(after) && !stopped(before) && entry["stopped"] != true {
        return Err("its cluster does not want it stopped".to_owned());
    }
    Ok(())
}

/// Before a datacenter leaves a ring that stays, its user has altered every keyspace of his: what is there would be lost,
/// or moved to where nobody looks for it.
fn has_no_replicas(look: &dyn Look, datacenter: &Value) -> Result<(), String> {
    let cluster = owner::mark(datacenter).and_then(|uid| owner::cluster(look, uid));
    if cluster.is_none_or(|cluster| is_going(&cluster)) {
        return Ok(());
    }
    let (ring, name) = (
        text(datacenter, "/spec/clusterName"),
        text(datacenter, "/metadata/name"),
    );
    let rings = look.nodes();
    let mut alive = list(&rings, "/rings").filter(|it| text(it, "/cluster") == ring && it["alive"] == true);
    let left = alive.find_map(|ring| {
        let mut keyspaces = ring["keyspaces"].as_object()?.iter();
        let here = |it: &Value| !matches!(text(it, &format!("/replication/{name}")), "" | "0");
        keyspaces
            .find(|(keyspace, it)| !keyspace.starts_with("system") && here(it))
            .map(|(keyspace, _)| keyspace)
    });
    left.map_or(Ok(()), |keyspace| {
        Err(format!("keyspace {keyspace} has replicas there"))
    })
}

/// A copy goes when nobody wants it there any more, and never before the datacenter that uses it.
fn of_secret(sight: &Sight<'_>) -> Result<(), String> {
    let Some(before) = sight.before() else {
        return Ok(());
    };
    if label(before, labels::REPLICATED_SECRET_NAME).is_empty() {
        return Err("it is no copy".to_owned());
    }
    if annotation(before, annotations::ORPHAN) == "true" {
        return Err("it is marked to stay".to_owned());
    }
    if secret_copies::is_wanted(sight.look, sight.plane, before) {
        return Err("its ReplicatedSecret still wants it here".to_owned());
    }
    match user(sight.look, sight.plane, before) {
        Some(datacenter) => Err(format!("datacenter {datacenter} is still there")),
        None => Ok(()),
    }
}

/// The datacenter of the copy's cluster that lives where the copy is.
fn user(look: &dyn Look, plane: &str, copy: &Value) -> Option<String> {
    let uid = owner::mark(copy)?;
    let namespace = text(copy, "/metadata/namespace");
    let mut all = look.all(plane, DATACENTERS).into_iter();
    let found = all.find(|datacenter| {
        text(datacenter, "/metadata/namespace") == namespace && owner::mark(datacenter) == Some(uid)
    });
    found.map(|datacenter| text(&datacenter, "/metadata/name").to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::fixtures::{Planes, but, cluster, datacenter, going, said, write};
    use super::super::sight::{CLUSTERS, DATACENTERS, DEFINITIONS, REPLICATED, SECRETS};
    use super::*;
    use crate::world::CONTROL_PLANE;

    fn deleted(dc: &Value, cluster: Option<&Value>) -> Vec<String> {
        let planes = Planes::default().with("east", DATACENTERS, dc);
        let planes = match cluster {
            Some(cluster) => planes.with(CONTROL_PLANE, CLUSTERS, cluster),
            None => planes,
        };
        let asked = write(
            "cluster-reconciler",
            "delete",
            "cassandradatacenters",
            Some(dc.clone()),
            Some(going(dc.clone())),
        );
        said(check, "east", &asked, &planes)
    }

    #[test]
    fn a_datacenter_that_its_cluster_wants_is_not_deleted() {
        let wanted = cluster(&[("dc1", 1)], &[]);
        let said = deleted(&datacenter("dc1", 1), Some(&wanted));
        assert_eq!(
            said,
            ["P1: it is deleted without consent: its cluster still wants it"]
        );
    }

    #[test]
    fn a_datacenter_that_left_the_spec_goes_when_the_record_lets_this_very_one_go() {
        let gone = cluster(&[("dc2", 1)], &[("dc1", "uid-of-dc1")]);
        assert_eq!(deleted(&datacenter("dc1", 1), Some(&gone)), [""; 0]);
        let other = cluster(&[("dc2", 1)], &[("dc1", "uid-of-an-older-dc1")]);
        assert_eq!(deleted(&datacenter("dc1", 1), Some(&other)).len(), 1);
    }

    #[test]
    fn a_datacenter_stays_while_a_keyspace_of_the_user_has_replicas_there() {
        let dc = but(datacenter("dc1", 1), "/spec/clusterName", json!("demo"));
        let gone = cluster(&[("dc2", 1)], &[("dc1", "uid-of-dc1")]);
        for (keyspace, replication, count) in [
            ("orders", json!({"class": "N", "dc1": "3", "dc2": "3"}), 1),
            ("orders", json!({"class": "N", "dc2": "3"}), 0),
            ("system_auth", json!({"class": "N", "dc1": "3"}), 0),
        ] {
            let mut ring = json!({"cluster": "demo", "alive": true, "keyspaces": {}});
            ring["keyspaces"][keyspace] = json!({"replication": replication});
            let planes = Planes::default()
                .with("east", DATACENTERS, &dc)
                .with(CONTROL_PLANE, CLUSTERS, &gone)
                .with_nodes(json!({"rings": [ring]}));
            let (before, after) = (Some(dc.clone()), Some(going(dc.clone())));
            let asked = write(
                "cluster-reconciler",
                "delete",
                "cassandradatacenters",
                before,
                after,
            );
            assert_eq!(said(check, "east", &asked, &planes).len(), count, "{keyspace}");
        }
    }

    #[test]
    fn a_second_consent_is_waited_for_where_it_is_asked_for() {
        let gone = cluster(&[("dc2", 1)], &[("dc1", "uid-of-dc1")]);
        let gone = but(
            gone,
            "/metadata/annotations/ringspan.io~1removal",
            json!("confirm"),
        );
        assert_eq!(deleted(&datacenter("dc1", 1), Some(&gone)).len(), 1);
        for (given, count) in [("uid-of-dc2", 1), ("uid-of-dc2, uid-of-dc1", 0)] {
            let confirm = "/metadata/annotations/ringspan.io~1confirm-removal";
            let given = but(gone.clone(), confirm, json!(given));
            assert_eq!(deleted(&datacenter("dc1", 1), Some(&given)).len(), count);
        }
    }

    #[test]
    fn the_datacenters_of_a_deleted_cluster_go_but_not_under_policy_orphan() {
        let going = going(cluster(&[("dc1", 1)], &[]));
        assert_eq!(deleted(&datacenter("dc1", 1), Some(&going)), [""; 0]);
        assert_eq!(deleted(&datacenter("dc1", 1), None), [""; 0]);
        let policy = "/metadata/annotations/ringspan.io~1deletion-policy";
        let orphan = but(going, policy, json!("Orphan"));
        assert_eq!(deleted(&datacenter("dc1", 1), Some(&orphan)).len(), 1);
    }

    #[test]
    fn a_definition_that_is_being_deleted_takes_no_database_with_it() {
        let crd = going(json!({"metadata": {"name": "k8ssandraclusters.k8ssandra.io"}}));
        let dc = datacenter("dc1", 1);
        let asked = write(
            "cluster-reconciler",
            "delete",
            "cassandradatacenters",
            Some(dc),
            None,
        );
        let kc = going(cluster(&[("dc1", 1)], &[]));
        let confirm = "/metadata/annotations/ringspan.io~1confirm-delete";
        let confirmed = but(kc.clone(), confirm, json!("kc-1"));
        for (kc, count) in [(kc, 1), (confirmed, 0)] {
            let planes = Planes::default().with(CONTROL_PLANE, CLUSTERS, &kc);
            let planes = planes.with(CONTROL_PLANE, DEFINITIONS, &crd);
            assert_eq!(said(check, "east", &asked, &planes).len(), count);
        }
    }

    #[test]
    fn a_datacenter_gets_smaller_only_to_what_its_cluster_wants() {
        for (wanted, count) in [(3, 1), (2, 0)] {
            let (before, after) = (datacenter("dc1", 3), datacenter("dc1", 2));
            let asked = write(
                "cluster-reconciler",
                "apply",
                "cassandradatacenters",
                Some(before),
                Some(after),
            );
            let planes = Planes::default().with(CONTROL_PLANE, CLUSTERS, &cluster(&[("dc1", wanted)], &[]));
            assert_eq!(said(check, "east", &asked, &planes).len(), count, "{wanted}");
        }
    }

    #[test]
    fn what_somebody_else_deletes_is_not_our_act() {
        let dc = datacenter("dc1", 1);
        let planes = Planes::default().with(CONTROL_PLANE, CLUSTERS, &cluster(&[("dc1", 1)], &[]));
        let asked = write("", "delete", "cassandradatacenters", Some(dc), None);
        assert_eq!(said(check, "east", &asked, &planes), [""; 0]);
    }

    #[test]
    fn claims_sets_and_namespaces_are_never_deleted_by_us() {
        for plural in ["persistentvolumeclaims", "statefulsets", "namespaces"] {
            let object = json!({"metadata": {"name": "it", "namespace": "db"}});
            let asked = write("topology-reconciler", "delete", plural, Some(object), None);
            assert_eq!(said(check, "east", &asked, &Planes::default()).len(), 1);
        }
    }

    #[test]
    fn a_copy_goes_when_it_is_unwanted_and_unused() {
        let copy = json!({"metadata": {
            "name": "demo-superuser", "namespace": "db",
            "labels": {"k8ssandra.io/replicated-secret-name": "db.demo", "a": "b"},
            "annotations": {"ringspan.io/cluster-uid": "kc-1"},
        }});
        let source = json!({"metadata": {"name": "demo-superuser", "namespace": "db", "labels": {"a": "b"}}});
        let replicated = |contexts: &[&str]| {
            let targets: Vec<_> = contexts.iter().map(|it| json!({"k8sContextName": it})).collect();
            json!({
                "metadata": {"name": "demo", "namespace": "db"},
                "spec": {"selector": {"matchLabels": {"a": "b"}}, "replicationTargets": targets},
            })
        };
        let asked = write("secret-replicator", "delete", "secrets", Some(copy), None);
        let case = |contexts: &[&str], used: bool| {
            let planes = Planes::default()
                .with(CONTROL_PLANE, REPLICATED, &replicated(contexts))
                .with(CONTROL_PLANE, SECRETS, &source);
            let planes = if used {
                planes.with("east", DATACENTERS, &datacenter("dc1", 1))
            } else {
                planes
            };
            said(check, "east", &asked, &planes).len()
        };
        assert_eq!(case(&["east", "west"], false), 1);
        assert_eq!(case(&["west"], true), 1);
        assert_eq!(case(&["west"], false), 0);
    }
}
