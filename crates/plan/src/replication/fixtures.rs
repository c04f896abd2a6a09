//! A ReplicatedSecret `db/demo` of a cluster with UID `kc-1`, with one source and targets in planes east and west.

use std::collections::{BTreeMap, BTreeSet};

use api::names::{annotation, label, reason};
use api::replicated_secret::{ReplicationCondition, ReplicationTarget};
use api::seen::{PlaneId, Unknown};
use serde_json::json;

use super::facts::{Identity, Mark, PlaneFacts, ReplicationFacts, SecretView};
use super::selector::Selector;

pub fn strings(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

/// Content whose equality follows from the word.
pub fn content(word: u8) -> BTreeMap<String, Mark> {
    [("password", word), ("username", 0)]
        .into_iter()
        .map(|(key, word)| (key.to_owned(), Mark([word; 32])))
        .collect()
}

/// Secret `db/superuser`, uid `s-1`, version 10.
pub fn source() -> SecretView {
    SecretView {
        namespace: "db".into(),
        name: "superuser".into(),
        uid: "s-1".into(),
        resource_version: "10".into(),
        type_: "Opaque".into(),
        immutable: false,
        deleting: false,
        owned: true,
        annotated: false,
        labels: strings(&[(label::REPLICATED_BY, label::CLUSTER_CONTROLLER)]),
        annotations: BTreeMap::new(),
        content: content(1),
    }
}

/// The copy that we wrote of [`source`], uid `c-1`, version 77.
pub fn copy() -> SecretView {
    SecretView {
        uid: "c-1".into(),
        resource_version: "77".into(),
        owned: false,
        annotated: true,
        labels: strings(&[
            (label::REPLICATED_BY, label::CLUSTER_CONTROLLER),
            (label::REPLICATED_SECRET_NAME, "db.demo"),
        ]),
        annotations: strings(&[
            (annotation::CLUSTER_UID, "kc-1"),
            (annotation::CONTENT_MARK, "s-1/10"),
        ]),
        ..source()
    }
}

pub fn target(context: &str) -> ReplicationTarget {
    ReplicationTarget {
        k8s_context_name: Some(context.into()),
        ..ReplicationTarget::default()
    }
}

#[expect(clippy::unnecessary_wraps, reason = "it stands where a plane may be unknown")]
pub fn plane(id: &str, copies: &[SecretView]) -> Result<PlaneFacts, Unknown> {
    Ok(PlaneFacts {
        id: Some(PlaneId(id.into())),
        weak_ids: BTreeMap::new(),
        copies: Ok(copies.to_vec()),
        datacenters: BTreeSet::new(),
    })
}

pub fn dead(context: &str) -> Unknown {
    Unknown {
        context: context.into(),
        reason: reason::PLANE_UNREACHABLE.into(),
        message: format!("{context}: connection refused"),
    }
}

/// Two targets, nothing there yet.
pub fn facts() -> ReplicationFacts {
    ReplicationFacts {
        identity: Identity {
            namespace: "db".into(),
            name: "demo".into(),
            cluster_uid: Some("kc-1".into()),
        },
        targets: vec![target("east"), target("west")],
        selector: Ok(Some(
            Selector::parse(&json!({"matchLabels": {label::REPLICATED_BY: label::CLUSTER_CONTROLLER}}))
                .unwrap(),
        )),
        sources: vec![source()],
        former: vec![],
        planes: [("", "id-home"), ("east", "id-east"), ("west", "id-west")]
            .into_iter()
            .map(|(context, id)| (context.to_owned(), plane(id, &[])))
            .collect(),
        grants: BTreeMap::new(),
    }
}

/// What the status says once a copy is there.
pub fn done(context: &str, id: &str) -> ReplicationCondition {
    ReplicationCondition {
        cluster: context.into(),
        namespace: Some("db".into()),
        plane_id: Some(id.into()),
        status: "True".into(),
        type_: "Replication".into(),
        reason: Some(reason::AS_SPECIFIED.into()),
        content_mark: Some("s-1/10".into()),
        ..ReplicationCondition::default()
    }
}
