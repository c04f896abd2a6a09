//! Rule 5: nothing restarts Cassandra by surprise. A datacenter's spec is changed after its user's edit only.

use api::names::annotation as annotations;

use super::owner;
use super::sight::{Sight, annotation};

/// The generation of the cluster at which a datacenter was last written stands on the datacenter, beside a digest of all
/// that it was made from: if the cluster has that one still, and nothing that it refers to has changed, nobody asked for it.
pub(super) fn check(sight: &Sight<'_>) -> Vec<String> {
    if sight.write.plural != "cassandradatacenters" || sight.program().is_none() {
        return Vec::new();
    }
    let (Some(before), Some(after)) = (sight.before(), sight.after()) else {
        return Vec::new();
    };
    let input = |object| annotation(object, annotations::INPUT_HASH);
    if before["spec"] == after["spec"] || input(before) != input(after) {
        return Vec::new();
    }
    let cluster = owner::mark(before).and_then(|uid| owner::cluster(sight.look, uid));
    let generation = cluster.and_then(|it| it["metadata"]["generation"].as_i64());
    let written: Option<i64> = annotation(before, annotations::CLUSTER_GENERATION).parse().ok();
    if generation.is_none() || written != generation {
        return Vec::new();
    }
    vec![
        "rule 5: its spec is changed, and nobody has edited the cluster since it was last written".to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::fixtures::{Planes, but, cluster, datacenter, said, write};
    use super::super::sight::CLUSTERS;
    use super::*;
    use crate::world::CONTROL_PLANE;

    #[test]
    fn a_spec_is_changed_after_an_edit_only() {
        let at = format!(
            "/metadata/annotations/{}",
            annotations::CLUSTER_GENERATION.replace('/', "~1")
        );
        let before = but(datacenter("dc1", 1), &at, json!("2"));
        let changed = |after| {
            let asked = write(
                "cluster-reconciler",
                "apply",
                "cassandradatacenters",
                Some(before.clone()),
                Some(after),
            );
            move |generation: i64| {
                let kc = but(
                    cluster(&[("dc1", 1)], &[]),
                    "/metadata/generation",
                    json!(generation),
                );
                let planes = Planes::default().with(CONTROL_PLANE, CLUSTERS, &kc);
                said(check, "east", &asked, &planes).len()
            }
        };
        let grown = changed(but(before.clone(), "/spec/size", json!(2)));
        assert_eq!(grown(2), 1);
        assert_eq!(grown(3), 0);
        let at = format!(
            "/metadata/annotations/{}",
            annotations::INPUT_HASH.replace('/', "~1")
        );
        let referring = but(but(before.clone(), "/spec/size", json!(2)), &at, json!("other"));
        assert_eq!(changed(referring)(2), 0);
        assert_eq!(
            changed(but(before.clone(), "/metadata/labels/a", json!("b")))(2),
            0
        );
    }
}
