//! `scale`, `token` and `eviction`.

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::ask::Ask;
use crate::definitions::Kind;
use crate::failure::{Cause, Failure};
use crate::object::text;
use crate::server::Server;
use crate::state::State;
use crate::tokens::Holder;
use crate::write::commit::Author;
use crate::write::json_patch::merge;
use crate::write::{Done, update};

/// The `Scale` of an object.
pub(crate) fn scale(kind: &Kind, object: &Value) -> Value {
    let number = |pointer: Option<&String>| {
        pointer
            .and_then(|pointer| object.pointer(pointer)?.as_i64())
            .unwrap_or_default()
    };
    let paths = kind.scale.as_ref();
    let mut metadata = json!({});
    for field in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
        if let Some(value) = object.pointer(&format!("/metadata/{field}")) {
            metadata[field] = value.clone();
        }
    }
    let mut scale = json!({
        "kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata,
        "spec": {"replicas": number(paths.map(|paths| &paths.spec))},
        "status": {"replicas": number(paths.map(|paths| &paths.status))},
    });
    let selector = paths.and_then(|paths| object.pointer(paths.selector.as_deref()?));
    if let Some(selector) = selector {
        scale["status"]["selector"] = selector.clone();
    }
    scale
}

/// Writes the number of replicas.
pub(crate) fn put_scale(state: &mut State, ask: &Ask<'_>, scale: &Value) -> Result<Done, Failure> {
    let old = state.get(ask.kind.table, &ask.key()).cloned();
    let old = old.ok_or_else(|| Failure::not_found(&ask.kind, ask.name))?;
    let paths = ask.kind.scale.clone().ok_or_else(Failure::method_not_allowed)?;
    let replicas = scale
        .pointer("/spec/replicas")
        .and_then(Value::as_i64)
        .unwrap_or_default();
    if replicas < 0 {
        let cause = Cause::invalid(
            "spec.replicas",
            &replicas.into(),
            "must be greater than or equal to 0",
        );
        return Err(Failure::invalid_named("autoscaling", "Scale", ask.name, &[cause]));
    }
    let mut new = Value::clone(&old.value);
    match new.pointer_mut(&paths.spec) {
        Some(place) => *place = replicas.into(),
        None => merge(&mut new, &nested(&paths.spec, replicas)),
    }
    let version = text(scale, "resourceVersion");
    if !version.is_empty() {
        new["metadata"]["resourceVersion"] = version.into();
    }
    let manager = ask.manager();
    let author = Author::of(ask, &manager, "update", ask.dry_run(None)?);
    update::replace(state, ask, &old, new, &author, true)
}

fn nested(pointer: &str, value: i64) -> Value {
    let steps = pointer.trim_start_matches('/').split('/');
    steps
        .rev()
        .fold(value.into(), |inner, step| json!({ step: inner }))
}

/// POST to a part of an object.
pub(crate) fn post(server: &Server, state: &mut State, ask: &Ask<'_>) -> Result<Answer, Failure> {
    match (ask.kind.plural.as_str(), ask.subresource) {
        ("serviceaccounts", "token") => token(server, state, ask),
        ("pods", "eviction") => {
            let old = state.get(ask.kind.table, &ask.key()).cloned();
            let old = old.ok_or_else(|| Failure::not_found(&ask.kind, ask.name))?;
            let manager = ask.manager();
            let author = Author::of(ask, &manager, "delete", ask.dry_run(None)?);
            let wanted = crate::write::delete::Wanted::default();
            crate::write::delete::remove(state, &ask.kind, &ask.key(), &old, wanted, &author);
            let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201});
            Ok(Answer::json(201, status.to_string()))
        }
        _ => Err(Failure::method_not_allowed()),
    }
}

/// A token of a ServiceAccount, by which [`Server::user_of_token`] knows it again.
fn token(_: &Server, state: &mut State, ask: &Ask<'_>) -> Result<Answer, Failure> {
    let account = state.get(ask.kind.table, &ask.key()).cloned();
    let account = account.ok_or_else(|| Failure::not_found(&ask.kind, ask.name))?;
    let request: Value = serde_json::from_slice(ask.body).unwrap_or_default();
    let seconds = request
        .pointer("/spec/expirationSeconds")
        .and_then(Value::as_i64)
        .unwrap_or(3600);
    if seconds < 600 {
        let why = "may not specify a duration less than 10 minutes";
        let cause = Cause::invalid("spec.expirationSeconds", &seconds.into(), why);
        return Err(Failure::invalid_named(
            "authentication.k8s.io",
            "TokenRequest",
            "",
            &[cause],
        ));
    }
    let bound = request.pointer("/spec/boundObjectRef");
    let other = request
        .pointer("/metadata/uid")
        .and_then(Value::as_str)
        .filter(|uid| !uid.is_empty() && *uid != account.uid());
    if let Some(uid) = other {
        let message = format!(
            "Operation cannot be fulfilled on TokenRequest.authentication.k8s.io {:?}: the UID in the token request ({uid}) \
             does not match the UID of the service account ({})",
            ask.name,
            account.uid()
        );
        return Err(Failure::conflict_named(
            "authentication.k8s.io",
            "TokenRequest",
            ask.name,
            message,
        ));
    }
    let ends = state.clock.seconds() + seconds;
    let audiences = request.pointer("/spec/audiences").cloned();
    let audiences = audiences.unwrap_or_else(|| json!(["https://kubernetes.default.svc"]));
    let token = state.tokens.issue(&Holder {
        namespace: ask.namespace.to_owned(),
        name: ask.name.to_owned(),
        uid: account.uid().to_owned(),
        ends,
    });
    let answer = json!({
        "kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1",
        "metadata": {
            "name": ask.name, "namespace": ask.namespace, "uid": account.uid(), "creationTimestamp": state.clock.now(),
            "managedFields": [{
                "manager": ask.manager(), "operation": "Update", "apiVersion": "authentication.k8s.io/v1",
                "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {"f:expirationSeconds": {}}}, "subresource": "token",
                "time": state.clock.now(),
            }],
        },
        "spec": {"audiences": audiences, "expirationSeconds": seconds, "boundObjectRef": bound},
        "status": {
            "token": token,
            "expirationTimestamp": crate::clock::written(ends),
        },
    });
    Ok(Answer::json(201, answer.to_string()))
}
