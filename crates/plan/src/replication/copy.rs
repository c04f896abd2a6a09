//! What a copy looks like, beside its data.

use std::collections::BTreeMap;

use api::names::{annotation, label, reason};
use api::replicated_secret::ReplicationTarget;

use super::acts::Held;
use super::facts::{Identity, SecretView};

/// Longest name of a Secret, and longest value of a label.
const MOST_NAME: usize = 253;
const MOST_LABEL: usize = 63;

/// Labels and annotations that cass-operator puts on the Secrets of its own plane.
const OF_CASS_OPERATOR: &str = "cassandra.datastax.com/";
/// Our own annotations are about the object that they stand on.
const OUR_OWN: &str = "ringspan.io/";
/// Annotations of the source that no copy gets: one quotes the data, the other is a plain digest of it.
const OF_THE_SOURCE: [&str; 2] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    annotation::RESOURCE_HASH,
];

/// Types that only mean something where they were made, or that grant rights there.
const NEVER_COPIED: [&str; 3] = [
    "kubernetes.io/service-account-token",
    "bootstrap.kubernetes.io/token",
    "helm.sh/release.v1",
];

/// The key under which a kubeconfig stands in the Secret of a ClientConfig.
const KUBECONFIG: &str = "kubeconfig";

/// Labels and annotations of a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyMetadata {
    /// Labels that it has.
    pub labels: BTreeMap<String, String>,
    /// Labels that it must not have.
    pub dropped_labels: Vec<String>,
    /// Annotations that it has.
    pub annotations: BTreeMap<String, String>,
}

/// Why a Secret is no source, whatever the selector says.
#[must_use]
pub fn forbidden(source: &SecretView) -> Option<Held> {
    let why = if NEVER_COPIED.contains(&source.type_.as_str()) {
        format!("type {} is never copied", source.type_)
    } else if source.content.contains_key(KUBECONFIG) {
        format!("it has a key `{KUBECONFIG}`, and credentials of planes are never copied")
    } else {
        return None;
    };
    let message = format!(
        "Secret {}/{} is not copied: {why}. Let the selector leave it out.",
        source.namespace, source.name
    );
    Some(Held {
        holds: Some(false),
        reason: reason::FORBIDDEN_SOURCE.to_owned(),
        message,
    })
}

/// The name of a copy.
///
/// # Errors
/// Why there can be no copy of that name.
pub fn name(identity: &Identity, target: &ReplicationTarget, source: &SecretView) -> Result<String, Held> {
    let name = format!(
        "{}{}",
        target.target_prefix.as_deref().unwrap_or_default(),
        source.name
    );
    let refuse = |message| Held {
        holds: Some(false),
        reason: reason::INVALID_SPEC.to_owned(),
        message,
    };
    if name.len() > MOST_NAME {
        return Err(refuse(format!(
            "The name {name} is longer than {MOST_NAME} characters. Give the target a shorter targetPrefix."
        )));
    }
    let label = identity.label();
    if label.len() > MOST_LABEL {
        return Err(refuse(format!(
            "{label} is longer than the {MOST_LABEL} characters of a label, by which copies are found again. Shorten \
             the name of the ReplicatedSecret or of its namespace."
        )));
    }
    Ok(name)
}

/// Labels and annotations of the copy of `source` in `target`.
#[must_use]
pub fn metadata(identity: &Identity, target: &ReplicationTarget, source: &SecretView) -> CopyMetadata {
    let kept = source.annotations.iter().filter(|(key, _)| {
        !key.starts_with(OF_CASS_OPERATOR)
            && !key.starts_with(OUR_OWN)
            && !OF_THE_SOURCE.contains(&key.as_str())
    });
    let mut annotations: BTreeMap<_, _> = kept.map(|(key, value)| (key.clone(), value.clone())).collect();
    annotations.insert(annotation::CONTENT_MARK.to_owned(), mark(source));
    if let Some(uid) = &identity.cluster_uid {
        annotations.insert(annotation::CLUSTER_UID.to_owned(), uid.clone());
    }
    let mut labels = wanted_labels(target, source);
    labels.insert(label::REPLICATED_SECRET_NAME.to_owned(), identity.label());
    let dropped = target.drop_labels.iter().flatten();
    let dropped_labels = dropped
        .filter(|key| !labels.contains_key(*key))
        .cloned()
        .collect();
    CopyMetadata {
        labels,
        dropped_labels,
        annotations,
    }
}

/// Labels of the source, with those that the target adds, without those that it drops.
pub(super) fn wanted_labels(target: &ReplicationTarget, source: &SecretView) -> BTreeMap<String, String> {
    let own = source
        .labels
        .iter()
        .filter(|(key, _)| !key.starts_with(OF_CASS_OPERATOR) && !key.starts_with(OUR_OWN));
    let added = target.add_labels.iter().flatten();
    let mut labels: BTreeMap<_, _> = own
        .chain(added)
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    for key in target.drop_labels.iter().flatten() {
        labels.remove(key);
    }
    labels
}

/// Which version of the source a copy has: `<uid>/<resourceVersion>`.
#[must_use]
pub fn mark(source: &SecretView) -> String {
    format!("{}/{}", source.uid, source.resource_version)
}

/// The mark of a Secret that has the source's content and was not written by us: `<uid>/=<its own resourceVersion>`.
#[must_use]
pub fn mark_of_equal(source: &SecretView, found: &SecretView) -> String {
    format!("{}/={}", source.uid, found.resource_version)
}

#[cfg(test)]
mod tests {
    use super::super::facts::Mark;
    use super::super::fixtures::{facts, source, strings, target};
    use super::*;

    #[test]
    fn a_copy_has_the_labels_of_its_source_with_what_the_target_adds_and_drops() {
        let mut source = source();
        source.labels = strings(&[
            ("team", "a"),
            ("tier", "db"),
            ("cassandra.datastax.com/watched", "true"),
        ]);
        let mut target = target("east");
        target.add_labels = Some(strings(&[("tier", "copy"), ("zone", "z")]));
        target.drop_labels = Some(vec!["zone".into(), label::REPLICATED_SECRET_NAME.into()]);
        let made = metadata(&facts().identity, &target, &source);
        assert_eq!(
            made.labels,
            strings(&[
                ("team", "a"),
                ("tier", "copy"),
                ("k8ssandra.io/replicated-secret-name", "db.demo")
            ])
        );
        assert_eq!(made.dropped_labels, ["zone"]);
    }

    #[test]
    fn annotations_that_quote_or_digest_the_data_or_mean_another_object_are_not_copied() {
        let mut source = source();
        source.annotations = strings(&[
            ("kubectl.kubernetes.io/last-applied-configuration", "{}"),
            ("k8ssandra.io/resource-hash", "h"),
            ("cassandra.datastax.com/watched-by", "[]"),
            ("ringspan.io/cluster-uid", "kc-0"),
            ("replicatedresource.k8ssandra.io/orphan", "true"),
            ("note", "n"),
        ]);
        let made = metadata(&facts().identity, &target("east"), &source);
        assert_eq!(
            made.annotations,
            strings(&[
                ("note", "n"),
                ("replicatedresource.k8ssandra.io/orphan", "true"),
                ("ringspan.io/cluster-uid", "kc-1"),
                ("ringspan.io/content-mark", "s-1/10"),
            ])
        );
    }

    #[test]
    fn names_that_cannot_be_are_refused_before_anything_is_sent() {
        let long = ReplicationTarget {
            target_prefix: Some("p".repeat(245)),
            ..target("east")
        };
        assert_eq!(
            name(&facts().identity, &long, &source()).unwrap_err().reason,
            "InvalidSpec"
        );
        let identity = Identity {
            name: "n".repeat(61),
            ..facts().identity
        };
        assert_eq!(
            name(&identity, &target("east"), &source()).unwrap_err().reason,
            "InvalidSpec"
        );
        let prefixed = ReplicationTarget {
            target_prefix: Some("a-".into()),
            ..target("east")
        };
        assert_eq!(
            name(&facts().identity, &prefixed, &source()).as_deref(),
            Ok("a-superuser")
        );
    }

    #[test]
    fn tokens_and_kubeconfigs_are_never_copied() {
        for type_ in [
            "kubernetes.io/service-account-token",
            "bootstrap.kubernetes.io/token",
            "helm.sh/release.v1",
        ] {
            let held = forbidden(&SecretView {
                type_: type_.into(),
                ..source()
            })
            .unwrap();
            assert_eq!(
                (held.holds, held.reason.as_str()),
                (Some(false), "ForbiddenSource")
            );
        }
        let mut kubeconfig = source();
        kubeconfig.content.insert("kubeconfig".into(), Mark([5; 32]));
        assert!(
            forbidden(&kubeconfig)
                .unwrap()
                .message
                .contains("credentials of planes")
        );
        assert_eq!(
            forbidden(&SecretView {
                type_: "kubernetes.io/tls".into(),
                ..source()
            }),
            None
        );
    }
}
