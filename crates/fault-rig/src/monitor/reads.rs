//! P10: of Secrets only those are read that somebody named or selected.

use serde_json::Value;

use super::overheard::Heard;
use super::owner;
use super::secret_copies;
use super::sight::{CLUSTERS, CONFIGS, DATACENTERS, Look, REPLICATED, SECRETS, text};
use crate::world::CONTROL_PLANE;

/// Labels by which Secrets are ours to list: those of clusters, and copies.
const LABELS: [&str; 3] = [
    "k8ssandra.io/replicated-by",
    "k8ssandra.io/replicated-secret-name",
    "k8ssandra.io/cluster-name",
];

/// What is wrong with a read of Secrets.
pub(super) fn check(look: &dyn Look, heard: &Heard<'_>) -> Option<String> {
    let (namespace, plural, name) = heard.object();
    if plural != "secrets" || heard.method != http::Method::GET {
        return None;
    }
    let field = heard.parameter("fieldSelector").map(plain);
    let labels = heard.parameter("labelSelector").map(plain).unwrap_or_default();
    let named = field
        .as_deref()
        .and_then(|field| field.strip_prefix("metadata.name="));
    let wanted = Some(name).filter(|name| !name.is_empty()).or(named);
    let fine = match wanted {
        None => may_list(look, heard, namespace, &labels),
        Some(name) => may_read(look, heard, namespace, name),
    };
    let what = wanted.unwrap_or("all");
    (!fine).then(|| {
        format!(
            "P10: {} reads Secrets that are none of its business: {what} of {namespace:?} in {} by labels {labels:?}",
            heard.program, heard.plane
        )
    })
}

/// As it was before it was made fit for a query.
fn plain(text: &str) -> String {
    let pairs = [
        ("%3D", "="),
        ("%2F", "/"),
        ("%2C", ","),
        ("%21", "!"),
        ("%3d", "="),
        ("%2f", "/"),
        ("%2c", ","),
    ];
    pairs
        .iter()
        .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// Lists are for the two programs that care for Secrets, with a selector; or as wide as a ReplicatedSecret asks for.
fn may_list(look: &dyn Look, heard: &Heard<'_>, namespace: &str, labels: &str) -> bool {
    let by_label = LABELS.iter().any(|label| labels.contains(label));
    match heard.program {
        "cluster-reconciler" => by_label,
        "secret-replicator" => {
            let of_users = || {
                let all = look.all(CONTROL_PLANE, REPLICATED);
                let mut here = all
                    .iter()
                    .filter(|it| text(it, "/metadata/namespace") == namespace);
                here.any(|it| it["spec"]["selector"].is_object())
            };
            by_label || heard.plane == CONTROL_PLANE && !namespace.is_empty() && of_users()
        }
        _ => false,
    }
}

/// One Secret is read by name: a kubeconfig by all, others by the program that has to do with them.
fn may_read(look: &dyn Look, heard: &Heard<'_>, namespace: &str, name: &str) -> bool {
    let in_control_plane = heard.plane == CONTROL_PLANE;
    let is = |object: &Value, pointer: &str| text(object, pointer) == name;
    let here = |object: &Value| text(object, "/metadata/namespace") == namespace;
    let kubeconfig = || {
        let configs = look.all(CONTROL_PLANE, CONFIGS);
        configs
            .iter()
            .any(|it| here(it) && is(it, "/spec/kubeConfigSecret/name"))
    };
    if in_control_plane && kubeconfig() {
        return true;
    }
    match heard.program {
        "cluster-reconciler" => {
            let clusters = look.all(CONTROL_PLANE, CLUSTERS);
            let is_own = |it: &Value| here(it) && owner::own_secrets(it).iter().any(|own| own == name);
            in_control_plane && clusters.iter().any(|it| is_own(it))
                || clusters
                    .iter()
                    .any(|it| is_of_stores(it, heard.plane, namespace, name))
        }
        "secret-replicator" => copied(look, heard.plane, namespace, name),
        "topology-reconciler" => {
            let datacenters = look.all(heard.plane, DATACENTERS);
            let pointers = ["clientSecretName", "serverSecretName"];
            let names = |it: &Value| {
                pointers
                    .iter()
                    .any(|key| is(it, &format!("/spec/managementApiAuth/manual/{key}")))
            };
            datacenters.iter().any(|it| here(it) && names(it))
        }
        _ => false,
    }
}

/// Passwords of stores are read where a datacenter's pods mount the stores.
fn is_of_stores(cluster: &Value, plane: &str, namespace: &str, name: &str) -> bool {
    let cassandra = &cluster["spec"]["cassandra"];
    let of_peers = ["clientEncryptionStores", "serverEncryptionStores"].map(|field| &cassandra[field]);
    let mut references = of_peers
        .into_iter()
        .filter_map(Value::as_object)
        .flat_map(serde_json::Map::values);
    let mut datacenters = cassandra["datacenters"].as_array().into_iter().flatten();
    references.any(|it| text(it, "/name") == name)
        && datacenters.any(|it| {
            let own = text(it, "/metadata/namespace");
            let own = if own.is_empty() {
                text(cluster, "/metadata/namespace")
            } else {
                own
            };
            text(it, "/k8sContext") == plane && own == namespace
        })
}

/// A source that is selected, or the name that its copy has, or had before its target went.
fn copied(look: &dyn Look, plane: &str, namespace: &str, name: &str) -> bool {
    let replicated = look.all(CONTROL_PLANE, REPLICATED);
    let known = look.get(plane, SECRETS, namespace, name);
    let is_copy = known.is_some_and(|it| !it["metadata"]["labels"][LABELS[1]].is_null());
    let sources = look.all(CONTROL_PLANE, SECRETS);
    is_copy
        || sources.iter().any(|source| {
            let itself = plane == CONTROL_PLANE
                && text(source, "/metadata/namespace") == namespace
                && text(source, "/metadata/name") == name;
            replicated.iter().any(|it| {
                itself && secret_copies::selects(it, source)
                    || name.ends_with(text(source, "/metadata/name"))
                        && secret_copies::wants(it, source, plane, namespace)
            })
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::fixtures::{Planes, cluster, datacenter, heard};
    use super::*;

    fn planes() -> Planes {
        let config = json!({
            "metadata": {"name": "east", "namespace": "ringspan"},
            "spec": {"kubeConfigSecret": {"name": "east-kubeconfig"}},
        });
        let replicated = json!({
            "metadata": {"name": "demo", "namespace": "db"},
            "spec": {"selector": {"matchLabels": {"a": "b"}}, "replicationTargets": [{"k8sContextName": "east"}]},
        });
        let source = json!({"metadata": {"name": "demo-superuser", "namespace": "db", "labels": {"a": "b"}}});
        let mut dc = datacenter("dc1", 1);
        dc["spec"]["managementApiAuth"] = json!({"manual": {"clientSecretName": "mgmt"}});
        Planes::default()
            .with(CONTROL_PLANE, CONFIGS, &config)
            .with(CONTROL_PLANE, CLUSTERS, &cluster(&[("dc1", 1)], &[]))
            .with(CONTROL_PLANE, REPLICATED, &replicated)
            .with(CONTROL_PLANE, SECRETS, &source)
            .with("east", DATACENTERS, &dc)
    }

    #[test]
    fn a_secret_is_read_by_the_programs_that_have_to_do_with_it() {
        let rows = [
            (
                "status-rollup",
                CONTROL_PLANE,
                "ringspan/secrets/east-kubeconfig",
                true,
            ),
            ("status-rollup", CONTROL_PLANE, "db/secrets/demo-superuser", false),
            (
                "cluster-reconciler",
                CONTROL_PLANE,
                "db/secrets/demo-superuser",
                true,
            ),
            ("cluster-reconciler", CONTROL_PLANE, "db/secrets/another", false),
            ("cluster-reconciler", "east", "db/secrets/demo-superuser", false),
            (
                "secret-replicator",
                CONTROL_PLANE,
                "db/secrets/demo-superuser",
                true,
            ),
            ("secret-replicator", "east", "db/secrets/demo-superuser", true),
            ("secret-replicator", "west", "db/secrets/demo-superuser", false),
            ("topology-reconciler", "east", "db/secrets/mgmt", true),
            ("topology-reconciler", "east", "db/secrets/demo-superuser", false),
            (
                "client-registry",
                "east",
                "ringspan/secrets/east-kubeconfig",
                false,
            ),
        ];
        for (program, plane, path, fine) in rows {
            let path = format!("/api/v1/namespaces/{path}");
            let said = check(&planes(), &heard(program, plane, &path, ""));
            assert_eq!(said.is_none(), fine, "{program} {plane} {path}: {said:?}");
        }
    }

    #[test]
    fn secrets_are_listed_with_a_selector_only() {
        let of_clusters = "labelSelector=k8ssandra.io%2Freplicated-by%3Dk8ssandracluster-controller";
        let one = "watch=true&fieldSelector=metadata.name%3Deast-kubeconfig";
        let rows = [
            ("cluster-reconciler", "/api/v1/secrets", of_clusters, true),
            ("cluster-reconciler", "/api/v1/secrets", "limit=500", false),
            (
                "cluster-reconciler",
                "/api/v1/secrets",
                "labelSelector=a%3Db",
                false,
            ),
            ("secret-replicator", "/api/v1/secrets", of_clusters, true),
            (
                "secret-replicator",
                "/api/v1/namespaces/db/secrets",
                "labelSelector=a%3Db",
                true,
            ),
            (
                "secret-replicator",
                "/api/v1/namespaces/other/secrets",
                "labelSelector=a%3Db",
                false,
            ),
            ("status-rollup", "/api/v1/secrets", of_clusters, false),
            ("status-rollup", "/api/v1/namespaces/ringspan/secrets", one, true),
            ("status-rollup", "/api/v1/namespaces/db/secrets", one, false),
            ("status-rollup", "/api/v1/pods", "", true),
        ];
        for (program, path, query, fine) in rows {
            let said = check(&planes(), &heard(program, CONTROL_PLANE, path, query));
            assert_eq!(said.is_none(), fine, "{program} {path}?{query}: {said:?}");
        }
    }
}
