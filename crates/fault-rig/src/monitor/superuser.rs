//! P8: the superuser is the same wherever a datacenter of the cluster lives, and is there before it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::owner;
use super::sight::{CLUSTERS, DATACENTERS, Look, SECRETS, Sight, is_going, text};
use crate::world::CONTROL_PLANE;

/// No datacenter is made where its superuser's Secret is not: cass-operator would make one of its own.
pub(super) fn check(sight: &Sight<'_>) -> Vec<String> {
    let made = sight.write.plural == "cassandradatacenters" && sight.program().is_some() && sight.creates();
    let Some(datacenter) = sight.after().filter(|_| made) else {
        return Vec::new();
    };
    let cluster = owner::mark(datacenter).and_then(|uid| owner::cluster(sight.look, uid));
    if cluster.is_some_and(|it| is_provided(&it)) {
        return Vec::new();
    }
    let name = text(datacenter, "/spec/superuserSecretName");
    let namespace = text(datacenter, "/metadata/namespace");
    if !name.is_empty() && sight.look.get(sight.plane, SECRETS, namespace, name).is_none() {
        return vec![format!("P8: it is made before its superuser Secret {name}")];
    }
    Vec::new()
}

/// Something else than Ringspan provides its Secrets.
fn is_provided(cluster: &Value) -> bool {
    cluster["spec"]["secretsProvider"] == "external"
}

/// Superusers that differ when all is done.
pub(super) fn differing(look: &dyn Look) -> Vec<String> {
    let mut broken = Vec::new();
    let clusters = look.all(CONTROL_PLANE, CLUSTERS);
    let mut first: BTreeMap<String, Value> = BTreeMap::new();
    for plane in look.planes() {
        for datacenter in look.all(plane, DATACENTERS).iter().filter(|it| !is_going(it)) {
            let Some(uid) = owner::mark(datacenter) else {
                continue;
            };
            let Some(cluster) = clusters.iter().find(|it| text(it, "/metadata/uid") == uid) else {
                continue;
            };
            let name = text(datacenter, "/spec/superuserSecretName");
            if is_provided(cluster) || name.is_empty() {
                continue;
            }
            let source = look.get(CONTROL_PLANE, SECRETS, text(cluster, "/metadata/namespace"), name);
            let data = |secret: &Value| secret["data"].clone();
            let known = first
                .entry(uid.to_owned())
                .or_insert_with(|| source.map(|it| data(&it)).unwrap_or_default());
            match look.get(plane, SECRETS, text(datacenter, "/metadata/namespace"), name) {
                None => broken.push(format!("P8: {plane} has no superuser {name}")),
                Some(secret) if data(&secret) != *known => {
                    broken.push(format!("P8: superuser {name} differs in {plane}"));
                }
                Some(_) => {}
            }
        }
    }
    broken
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::fixtures::{Planes, but, cluster, datacenter, said, write};
    use super::*;

    fn secret(password: &str) -> Value {
        json!({"metadata": {"name": "demo-superuser", "namespace": "db"}, "data": {"password": password}})
    }

    #[test]
    fn a_datacenter_is_made_after_its_superuser() {
        let asked = write(
            "cluster-reconciler",
            "create",
            "cassandradatacenters",
            None,
            Some(datacenter("dc1", 1)),
        );
        let kc = cluster(&[("dc1", 1)], &[]);
        let planes = || Planes::default().with(CONTROL_PLANE, CLUSTERS, &kc);
        assert_eq!(
            said(check, "east", &asked, &planes()),
            ["P8: it is made before its superuser Secret demo-superuser"]
        );
        assert_eq!(
            said(
                check,
                "east",
                &asked,
                &planes().with("east", SECRETS, &secret("a"))
            ),
            [""; 0]
        );
        let provided = but(kc.clone(), "/spec/secretsProvider", json!("external"));
        let planes = Planes::default().with(CONTROL_PLANE, CLUSTERS, &provided);
        assert_eq!(said(check, "east", &asked, &planes), [""; 0]);
    }

    #[test]
    fn a_superuser_that_differs_or_is_missing_is_told() {
        let planes = || {
            Planes::default()
                .with(CONTROL_PLANE, CLUSTERS, &cluster(&[("dc1", 1)], &[]))
                .with(CONTROL_PLANE, SECRETS, &secret("a"))
                .with("east", DATACENTERS, &datacenter("dc1", 1))
        };
        assert_eq!(differing(&planes()), ["P8: east has no superuser demo-superuser"]);
        assert_eq!(differing(&planes().with("east", SECRETS, &secret("a"))), [""; 0]);
        assert_eq!(
            differing(&planes().with("east", SECRETS, &secret("b"))),
            ["P8: superuser demo-superuser differs in east"]
        );
    }
}
