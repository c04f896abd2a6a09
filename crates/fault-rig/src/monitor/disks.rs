//! P3: no disk is given up that nobody consented to lose.

use std::collections::{BTreeMap, BTreeSet};

use api::names::{annotation as annotations, label as labels};
use serde_json::Value;

use super::owner;
use super::sight::{CLUSTERS, DATACENTERS, Look, Sight, annotation, is_going, label, list, text};
use crate::world::CONTROL_PLANE;

/// cass-operator: `false` = claims stay when the datacenter is deleted.
const DELETE_PVC: &str = "cassandra.datastax.com/delete-pvc";

/// Under policy Orphan cass-operator is told to keep the claims, in every write of a datacenter.
pub(super) fn check(sight: &Sight<'_>) -> Vec<String> {
    if sight.write.plural != "cassandradatacenters" || sight.program().is_none() || sight.deletes() {
        return Vec::new();
    }
    let Some(after) = sight.after() else {
        return Vec::new();
    };
    let cluster = owner::mark(after).and_then(|uid| owner::cluster(sight.look, uid));
    let keeps = cluster.is_some_and(|it| annotation(&it, annotations::DELETION_POLICY) == "Orphan");
    if keeps && annotation(after, DELETE_PVC) != "false" && owner::consent(sight.look, after).is_err() {
        return vec!["P3: its disks would go with it, under policy Orphan".to_owned()];
    }
    Vec::new()
}

/// What users deleted themselves, and planes that were restored from a backup: what is lost there is not our doing.
#[derive(Default)]
pub(super) struct Disks {
    given_up: BTreeSet<(String, String, String)>,
    versions: BTreeMap<String, u64>,
    restored: BTreeSet<String>,
    let_go: BTreeSet<String>,
}

impl Disks {
    /// Remembers what the user deletes, and planes whose versions go back.
    pub fn note(&mut self, sight: &Sight<'_>) {
        let last = self.versions.get(sight.plane).copied().unwrap_or_default();
        if sight.write.version < last {
            self.restored.insert(sight.plane.to_owned());
        }
        self.versions.insert(sight.plane.to_owned(), sight.write.version);
        self.note_consent(sight);
        if sight.write.user_agent != "user" || !sight.deletes() {
            return;
        }
        let Some(before) = sight.before() else { return };
        let name = match sight.write.plural.as_str() {
            "cassandradatacenters" => text(before, "/metadata/name"),
            "persistentvolumeclaims" | "pods" => label(before, labels::CASSANDRA_DATACENTER),
            _ => return,
        };
        let namespace = text(before, "/metadata/namespace");
        self.given_up
            .insert((sight.plane.to_owned(), namespace.to_owned(), name.to_owned()));
    }

    /// The nodes of a datacenter that goes with consent, or with its cluster, may lose their disks: they, and not those of
    /// a later one of its name.
    fn note_consent(&mut self, sight: &Sight<'_>) {
        let gone = sight.write.plural == "cassandradatacenters" && sight.after().is_none();
        let Some(before) = sight.before().filter(|_| gone) else {
            return;
        };
        if owner::consent(sight.look, before).is_err() {
            return;
        }
        let named = match text(before, "/spec/datacenterName") {
            "" => text(before, "/metadata/name"),
            given => given,
        };
        let here = (sight.plane, text(before, "/metadata/namespace"), named);
        let rings = sight.look.nodes();
        let nodes = list(&rings, "/rings").flat_map(|ring| list(ring, "/nodes"));
        let its = nodes.filter(|node| {
            (
                text(node, "/plane"),
                text(node, "/namespace"),
                text(node, "/datacenter"),
            ) == here
        });
        self.let_go
            .extend(its.map(|node| text(node, "/hostId").to_owned()));
    }

    /// What is lost.
    pub fn lost(&self, look: &dyn Look) -> Vec<String> {
        let mut lines = Vec::new();
        let rings = look.nodes();
        for ring in list(&rings, "/rings") {
            let lost = list(ring, "/nodes").filter(|node| node["diskLost"] == true);
            for node in lost.filter(|node| !self.let_go.contains(text(node, "/hostId"))) {
                let (plane, namespace) = (text(node, "/plane"), text(node, "/namespace"));
                let Some(name) = self.wanted(look, plane, namespace, text(node, "/datacenter")) else {
                    continue;
                };
                lines.push(format!(
                    "P3: the disk of {} of datacenter {name} in {plane} is lost",
                    text(node, "/pod")
                ));
            }
            let ours = ring["alive"] == true && self.given_up.is_empty() && self.restored.is_empty();
            for keyspace in list(ring, "/lost").filter(|_| ours) {
                lines.push(format!("P3: the last copy of keyspace {keyspace} is lost"));
            }
        }
        lines
    }

    /// The datacenter of that name in Cassandra, if a cluster wants it and its user did not delete it.
    fn wanted(&self, look: &dyn Look, plane: &str, namespace: &str, cassandra: &str) -> Option<String> {
        let clusters = look.all(CONTROL_PLANE, CLUSTERS);
        let live: Vec<&Value> = clusters
            .iter()
            .map(AsRef::as_ref)
            .filter(|it| !is_going(it))
            .collect();
        let named = |entry: &Value| match text(entry, "/datacenterName") {
            "" => text(entry, "/metadata/name") == cassandra,
            given => given == cassandra,
        };
        let entries = live
            .iter()
            .flat_map(|cluster| owner::entries(cluster).map(|entry| (*cluster, entry)));
        let mut wanted = entries
            .filter(|(_, entry)| named(entry))
            .filter(|(cluster, entry)| {
                let name = text(entry, "/metadata/name");
                let datacenter = look.get(plane, DATACENTERS, namespace, name);
                // One that vanished is its cluster's as long as the spec has it.
                datacenter.is_none_or(|it| owner::mark(&it) == Some(text(cluster, "/metadata/uid")))
            });
        let name = wanted
            .next()
            .map(|(_, entry)| text(entry, "/metadata/name").to_owned())?;
        let key = (plane.to_owned(), namespace.to_owned(), name.clone());
        (!self.given_up.contains(&key) && !self.restored.contains(plane)).then_some(name)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::fixtures::{Planes, but, cluster, datacenter, going, said, write};
    use super::*;

    #[test]
    fn under_policy_orphan_every_datacenter_keeps_its_disks() {
        let orphan = "/metadata/annotations/ringspan.io~1deletion-policy";
        let kc = cluster(&[("dc1", 1)], &[]);
        let keeping = but(kc.clone(), orphan, json!("Orphan"));
        let dc = datacenter("dc1", 1);
        let kept = but(
            dc.clone(),
            "/metadata/annotations/cassandra.datastax.com~1delete-pvc",
            json!("false"),
        );
        for (kc, dc, count) in [(&kc, &dc, 0), (&keeping, &dc, 1), (&keeping, &kept, 0)] {
            let planes = Planes::default().with(CONTROL_PLANE, CLUSTERS, kc);
            let asked = write(
                "cluster-reconciler",
                "create",
                "cassandradatacenters",
                None,
                Some(dc.clone()),
            );
            assert_eq!(said(check, "east", &asked, &planes).len(), count);
        }
    }

    fn rings(lost: bool, keyspaces: &[&str]) -> Value {
        json!({"rings": [{"alive": true, "lost": keyspaces, "nodes": [
            {"plane": "east", "namespace": "db", "datacenter": "dc1", "pod": "demo-dc1-default-sts-0", "diskLost": lost, "hostId": "host-1"},
        ]}]})
    }

    fn lost(disks: &Disks, wanted: &[(&str, u32)], rings: Value) -> Vec<String> {
        let planes = Planes::default().with(CONTROL_PLANE, CLUSTERS, &cluster(wanted, &[]));
        disks.lost(&planes.with_nodes(rings))
    }

    #[test]
    fn a_lost_disk_of_a_wanted_datacenter_is_told() {
        let disks = Disks::default();
        assert_eq!(
            lost(&disks, &[("dc1", 1)], rings(true, &[])),
            ["P3: the disk of demo-dc1-default-sts-0 of datacenter dc1 in east is lost"]
        );
        assert_eq!(lost(&disks, &[("dc1", 1)], rings(false, &[])), [""; 0]);
        assert_eq!(lost(&disks, &[("dc2", 1)], rings(true, &[])), [""; 0]);
        assert_eq!(lost(&disks, &[("dc1", 1)], rings(false, &["shop"])).len(), 1);
    }

    #[test]
    fn what_the_user_deleted_is_the_users_loss() {
        let mut disks = Disks::default();
        let mut asked = write(
            "",
            "delete",
            "cassandradatacenters",
            Some(datacenter("dc1", 1)),
            None,
        );
        asked.user_agent = "user".to_owned();
        disks.note(&Sight::of("east", &asked, &Planes::default()));
        assert_eq!(lost(&disks, &[("dc1", 1)], rings(true, &[])), [""; 0]);
    }

    #[test]
    fn a_datacenter_that_goes_with_consent_takes_its_disks_with_it_and_not_those_of_the_next() {
        let mut disks = Disks::default();
        let asked = write(
            "",
            "update",
            "cassandradatacenters",
            Some(going(datacenter("dc1", 1))),
            None,
        );
        let gone = Planes::default().with_nodes(rings(false, &[]));
        disks.note(&Sight::of("east", &asked, &gone));
        assert_eq!(lost(&disks, &[("dc1", 1)], rings(true, &[])), [""; 0]);
        let next = but(rings(true, &[]), "/rings/0/nodes/0/hostId", json!("host-2"));
        assert_eq!(lost(&disks, &[("dc1", 1)], next).len(), 1);
    }

    #[test]
    fn what_a_backup_does_not_know_is_lost_with_it() {
        for (versions, count) in [([4, 5], 1), ([4, 3], 0)] {
            let mut disks = Disks::default();
            for version in versions {
                let mut asked = write("", "patch", "pods", None, None);
                asked.version = version;
                disks.note(&Sight::of("east", &asked, &Planes::default()));
            }
            let said = lost(&disks, &[("dc1", 1)], rings(true, &[]));
            assert_eq!(said.len(), count);
        }
    }
}
