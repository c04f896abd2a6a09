//! P5: a cluster never has two rings.

use super::sight::{CLUSTERS, Look, Sight, text};
use crate::world::CONTROL_PLANE;

pub(super) fn check(sight: &Sight<'_>) -> Vec<String> {
    if sight.write.plural == "pods" {
        split(sight.look)
    } else {
        Vec::new()
    }
}

/// Names under which there are more rings than clusters.
pub(super) fn split(look: &dyn Look) -> Vec<String> {
    let rings = look.rings().into_iter().filter(|(_, rings)| *rings > 1);
    rings
        .filter_map(|(name, rings)| {
            let clusters = look.all(CONTROL_PLANE, CLUSTERS).into_iter().filter(|cluster| {
                match text(cluster, "/spec/cassandra/clusterName") {
                    "" => text(cluster, "/metadata/name") == name,
                    given => given == name,
                }
            });
            let clusters = clusters.count().max(1);
            (rings as usize > clusters).then(|| format!("P5: {rings} rings are called {name}"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::fixtures::{Planes, but, cluster, said, write};
    use super::*;

    #[test]
    fn two_rings_of_one_cluster_are_one_too_many() {
        let pod = write("", "patch", "pods", None, None);
        let kc = cluster(&[("dc1", 1)], &[]);
        let planes = |rings| {
            Planes::default()
                .with(CONTROL_PLANE, CLUSTERS, &kc)
                .with_rings("demo", rings)
        };
        assert_eq!(said(check, "east", &pod, &planes(1)), [""; 0]);
        assert_eq!(
            said(check, "east", &pod, &planes(2)),
            ["P5: 2 rings are called demo"]
        );
        let other = but(kc.clone(), "/metadata/namespace", json!("other"));
        assert_eq!(
            said(
                check,
                "east",
                &pod,
                &planes(2).with(CONTROL_PLANE, CLUSTERS, &other)
            ),
            [""; 0]
        );
    }
}
