//! P15: each object is made and deleted as often as in the run without faults.
//!
//! Two things are excused, both of contact points, which follow what is shown of a datacenter's pods: a datacenter that went
//! may have had none, because it went before its pods were shown; and whoever is shown the past may make some for a
//! K8ssandraCluster that is no more, which garbage collection takes away with their owner.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

const CONTACT_POINTS: &str = "-contact-points-service";

type Counts = BTreeMap<String, u32>;

/// Objects that were made or deleted more or less often, given the journals of both runs. `past`: somebody was shown the past.
#[must_use]
pub fn differing(reference: &[String], journal: &[String], past: bool) -> Vec<String> {
    let (expected, found) = (count(reference, false), count(journal, past));
    let acts: BTreeSet<_> = expected.keys().chain(found.keys()).collect();
    acts.into_iter()
        .filter_map(|act| {
            let (was, is) = (expected.get(act).unwrap_or(&0), found.get(act).unwrap_or(&0));
            let missing = was.saturating_sub(*is);
            let excused = missing > 0 && missing <= departures(act, &found);
            (was != is && !excused).then(|| format!("P15: {act} {is} times instead of {was}"))
        })
        .collect()
}

/// How many datacenters went whose contact points an act is about.
fn departures(act: &str, counts: &Counts) -> u32 {
    let Some((before, _)) = act.split_once(CONTACT_POINTS) else {
        return 0;
    };
    let gone = counts.iter().filter_map(|(other, count)| {
        let name = other
            .strip_prefix("delete cassandradatacenters/")?
            .split('/')
            .nth(1)?;
        before.ends_with(&format!("-{name}")).then_some(count)
    });
    gone.sum()
}

/// Creates and deletes by what and where: a line is time, plane, program, verb, object, body. With `past`, not those for a
/// K8ssandraCluster after which there was another one of its name.
fn count(journal: &[String], past: bool) -> Counts {
    let mut counts = Counts::new();
    let mut clusters = Clusters::default();
    for line in journal {
        let mut words = line.splitn(6, ' ').skip(1);
        let (Some(plane), _, Some(verb), Some(object), body) = (
            words.next(),
            words.next(),
            words.next(),
            words.next(),
            words.next().unwrap_or_default(),
        ) else {
            continue;
        };
        clusters.note(object, body);
        let excused = past && object.contains(CONTACT_POINTS) && clusters.is_former(body);
        if matches!(verb, "create" | "delete") && !excused {
            *counts.entry(format!("{verb} {object} in {plane}")).or_default() += 1;
        }
    }
    counts
}

/// K8ssandraClusters by the uid that a patch of theirs names, in the order in which they came.
#[derive(Default)]
struct Clusters {
    uids: BTreeMap<String, Vec<String>>,
}

impl Clusters {
    fn note(&mut self, object: &str, body: &str) {
        let Some(name) = object
            .strip_prefix("k8ssandraclusters/")
            .and_then(|rest| rest.split('/').nth(1))
        else {
            return;
        };
        let patch: Value = serde_json::from_str(body).unwrap_or_default();
        let of_uid = |op: &&Value| op["path"] == "/metadata/uid";
        let Some(uid) = patch
            .as_array()
            .and_then(|ops| ops.iter().find(of_uid)?["value"].as_str())
        else {
            return;
        };
        let uids = self.uids.entry(name.to_owned()).or_default();
        if uids.iter().all(|known| known != uid) {
            uids.push(uid.to_owned());
        }
    }

    /// Whether an object is owned by one after which another came.
    fn is_former(&self, object: &str) -> bool {
        let object: Value = serde_json::from_str(object).unwrap_or_default();
        let owners = object["metadata"]["ownerReferences"].as_array();
        owners.into_iter().flatten().any(|owner| {
            let known = owner["name"].as_str().and_then(|name| self.uids.get(name));
            let former = known.and_then(|uids| uids.split_last()).map(|(_, former)| former);
            former.is_some_and(|former| former.iter().any(|uid| owner["uid"] == *uid))
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn line(verb: &str, object: &str, body: &Value) -> String {
        format!("17 east ringspan-x {verb} {object} {body}")
    }

    #[test]
    fn what_is_made_once_more_or_not_at_all_is_told() {
        let line = |verb: &str, name: &str| line(verb, &format!("secrets/db/{name}/"), &json!({}));
        let reference = [line("create", "a"), line("delete", "a"), line("apply", "a")];
        assert_eq!(differing(&reference, &reference, true), [""; 0]);
        let again = [
            line("create", "a"),
            line("create", "a"),
            line("apply", "a"),
            line("apply", "a"),
        ];
        assert_eq!(
            differing(&reference, &again, true),
            [
                "P15: create secrets/db/a/ in east 2 times instead of 1",
                "P15: delete secrets/db/a/ in east 0 times instead of 1",
            ]
        );
    }

    #[test]
    fn contact_points_may_be_missing_as_often_as_their_datacenter_went() {
        let points = "services/db/demo-dc2-contact-points-service/";
        let create = || line("create", points, &json!({}));
        let went = |name: &str| line("delete", &format!("cassandradatacenters/db/{name}/"), &json!({}));
        let reference = [create(), went("dc2"), create()];
        let told = |journal: &[String]| differing(&reference, journal, false);
        assert_eq!(told(&[went("dc2"), create()]), [""; 0]);
        assert_eq!(
            told(&[went("dc2")]),
            [format!("P15: create {points} in east 0 times instead of 2")]
        );
        assert_eq!(
            told(&[went("dc2"), create(), create(), create()]),
            [format!("P15: create {points} in east 3 times instead of 2")]
        );
        for other in ["dc1", "c2"] {
            let (stays, journal) = ([create(), create(), went(other)], [create(), went(other)]);
            assert_eq!(differing(&stays, &journal, false).len(), 1, "{other}");
        }
    }

    #[test]
    fn contact_points_of_a_former_cluster_do_not_count_where_somebody_was_shown_the_past() {
        let seen = |uid: &str| {
            let patch = json!([{"op": "test", "path": "/metadata/uid", "value": uid}]);
            line("patch", "k8ssandraclusters/db/demo/", &patch)
        };
        let create = |uid: &str| {
            let object = json!({"metadata": {"ownerReferences": [
                {"kind": "K8ssandraCluster", "name": "demo", "uid": uid},
            ]}});
            line("create", "services/db/demo-dc2-contact-points-service/", &object)
        };
        let reference = [seen("a"), create("a"), seen("b"), create("b")];
        let late = [seen("a"), create("a"), seen("b"), create("a"), create("b")];
        let twice = [seen("a"), create("a"), seen("b"), create("b"), create("b")];
        assert_eq!(differing(&reference, &late, true), [""; 0]);
        assert_eq!(differing(&reference, &late, false).len(), 1);
        assert_eq!(differing(&reference, &twice, true).len(), 1);
    }
}
