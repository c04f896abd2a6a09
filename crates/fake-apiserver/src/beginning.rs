//! What a server has before anybody has asked it anything.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::chores;
use crate::object::metadata_mut;
use crate::options::Options;
use crate::state::{State, key};

const NAMESPACES: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];

pub(crate) fn fill(state: &mut State, options: &Options) {
    // First, so that each has the same version on every server.
    let definitions = state
        .served
        .find("apiextensions.k8s.io/v1", "customresourcedefinitions")
        .map(|kind| kind.table);
    if let Some(table) = definitions {
        for crd in options.definitions.crds() {
            state.put_first(table, &key("", crd.name()), Arc::clone(crd));
        }
    }
    for name in NAMESPACES {
        let namespace = json!({
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}},
            "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"},
        });
        put(state, "v1", "namespaces", namespace);
    }
    for (name, rules) in roles() {
        let role = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": {"name": name, "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"}}, "rules": rules,
        });
        put(state, "rbac.authorization.k8s.io/v1", "clusterroles", role);
    }
    chores::run(state);
    // Nobody has asked for any of this.
    state.writes.clear();
}

/// The one role that users bind without having made it.
fn roles() -> [(&'static str, Value); 1] {
    let everything = json!([
        {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
        {"nonResourceURLs": ["*"], "verbs": ["*"]},
    ]);
    [("cluster-admin", everything)]
}

fn put(state: &mut State, api_version: &str, plural: &str, mut object: Value) {
    let Some(kind) = state.served.find(api_version, plural).map(Arc::clone) else {
        return;
    };
    let (uid, now) = (state.identities.uid(), state.clock.now());
    let metadata = metadata_mut(&mut object);
    metadata.insert("uid".into(), uid.into());
    metadata.insert("creationTimestamp".into(), now.into());
    if kind.counts_generations() {
        metadata.insert("generation".into(), 1.into());
    }
    let name = crate::object::text(&object, "name").to_owned();
    state.put(kind.table, &key("", &name), object);
}
