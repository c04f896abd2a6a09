//! What a namespace begins with, and how it ends.

use std::ops::Bound;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::ask::Ask;
use crate::definitions::Kind;
use crate::failure::{Cause, Failure};
use crate::object::Object;
use crate::state::{Id, Key, State, key};
use crate::write::commit::{self, Author};
use crate::write::delete::{Policy, Wanted, remove};
use crate::write::update::finish;

const CONTROLLER: &str = "system:serviceaccount:kube-system:namespace-controller";
const ROOT_CA: &str = "system:serviceaccount:kube-system:root-ca-cert-publisher";
const CERTIFICATE: &str = "kube-root-ca.crt";
const ACCOUNT: &str = "default";
const ACCOUNTS: &str = "system:serviceaccount:kube-system:service-account-controller";

/// # Errors
/// Nothing is created in a namespace that is not there, or that is going.
pub(crate) fn admit(state: &State, ask: &Ask<'_>, name: &str) -> Result<(), Failure> {
    if !ask.kind.namespaced {
        return Ok(());
    }
    let Some(kind) = state.served.find("v1", "namespaces") else {
        return Ok(());
    };
    let Some(namespace) = state.get(kind.table, ask.namespace) else {
        return Err(Failure::not_found(kind, ask.namespace));
    };
    if !namespace.is_deleting() {
        return Ok(());
    }
    let why = format!(
        "unable to create new content in namespace {} because it is being terminated",
        ask.namespace
    );
    let cause = Cause::new(
        "NamespaceTerminating",
        "metadata.namespace",
        format!("namespace {} is being terminated", ask.namespace),
    );
    Err(Failure::forbidden(&ask.kind, name, &why).caused(&[cause]))
}

pub(super) fn look_at(state: &mut State, kind: &Arc<Kind>, id: &Id) {
    let Some(namespace) = state.get(id.0, &id.1).cloned() else {
        return;
    };
    if namespace.is_deleting() {
        empty(state, kind, &id.1, &namespace);
        return;
    }
    let name = namespace.name().to_owned();
    let root = Arc::clone(&state.root_certificate);
    let certificate = || {
        json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {
                "name": CERTIFICATE, "namespace": name,
                "annotations": {
                    "kubernetes.io/description": "Contains a CA bundle that can be used to verify the kube-apiserver when \
                        using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage \
                        is guaranteed across distributions of Kubernetes clusters.",
                },
            },
            "data": {"ca.crt": &*root},
        })
    };
    ensure(state, "configmaps", &name, CERTIFICATE, certificate, ROOT_CA);
    let account = || json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": ACCOUNT, "namespace": name}});
    ensure(state, "serviceaccounts", &name, ACCOUNT, account, ACCOUNTS);
}

/// Makes what every namespace has, if it is not there.
fn ensure(
    state: &mut State,
    plural: &str,
    namespace: &str,
    name: &str,
    object: impl FnOnce() -> Value,
    by: &'static str,
) {
    let Some(kind) = state.served.find("v1", plural).map(Arc::clone) else {
        return;
    };
    let key = key(namespace, name);
    if state.get(kind.table, &key).is_some() {
        return;
    }
    let mut object = object();
    let (uid, now) = (state.identities.uid(), state.clock.now());
    let metadata = crate::object::metadata_mut(&mut object);
    metadata.insert("uid".into(), uid.into());
    metadata.insert("creationTimestamp".into(), now.clone().into());
    let change = crate::apply::Change {
        manager: "kube-controller-manager",
        api_version: "v1",
        subresource: "",
        time: &now,
        owns: crate::apply::everything,
    };
    crate::apply::track(&Value::Null, &mut object, kind.at(), change);
    commit::store(state, &kind, &key, object, 201, &Author::controller(by, "create"));
}

/// Deletes what is in a namespace; when nothing is left, lets it go.
fn empty(state: &mut State, kind: &Arc<Kind>, namespace_key: &Key, namespace: &Arc<Object>) {
    let prefix = format!("{}/", namespace.name());
    let kinds: Vec<_> = state
        .served
        .all()
        .iter()
        .filter(|kind| kind.namespaced && kind.storage)
        .map(Arc::clone)
        .collect();
    let mut left = false;
    for inner in kinds {
        let objects = state
            .table(inner.table)
            .objects
            .range::<str, _>((Bound::Included(prefix.as_str()), Bound::Unbounded));
        let inside: Vec<_> = objects
            .take_while(|(key, _)| key.starts_with(&prefix))
            .map(|(key, object)| (Key::clone(key), Arc::clone(object)))
            .collect();
        for (key, object) in inside {
            if object.is_deleting() {
                left = true;
                continue;
            }
            let wanted = Wanted {
                policy: Some(Policy::Background),
                grace: None,
            };
            let (_, gone) = remove(
                state,
                &inner,
                &key,
                &object,
                wanted,
                &Author::controller(CONTROLLER, "delete"),
            );
            left |= !gone;
        }
    }
    if left {
        return;
    }
    let Some(current) = state.get(kind.table, namespace_key).cloned() else {
        return;
    };
    let mut new = Value::clone(&current.value);
    new["spec"] = json!({});
    finish(
        state,
        kind,
        namespace_key,
        &current,
        new,
        &Author::controller(CONTROLLER, "update"),
    );
}
