//! The Secrets that a cluster makes for itself, each with a name and a password: which they are, their marks, and where
//! they are copied to. The passwords themselves are made where randomness may be used.

use std::collections::BTreeMap;

use api::k8ssandra_cluster::{ClusterMeta, K8ssandraCluster};
use api::names::{annotation, label};

use serde_json::Value;

use crate::datacenter::{cluster_name, own_reaper, reaper_secret_name};
use crate::{naming, superuser, value};

/// How long a generated password is.
pub const PASSWORD_LENGTH: usize = 20;
/// Signs that a generated password is made of.
pub const PASSWORD_SIGNS: &str = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Keys that such a Secret must have.
pub const KEYS: [&str; 2] = ["username", "password"];

/// What a Secret is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// Cassandra's superuser.
    Superuser,
    /// Reaper's user in Cassandra.
    Reaper,
    /// Medusa's user in Cassandra.
    Medusa,
    /// The user of Reaper's page.
    ReaperUi,
}

impl Purpose {
    /// Whether datacenters refer to it, and so wait for it.
    #[must_use]
    pub fn is_of_datacenters(self) -> bool {
        self != Purpose::ReaperUi
    }

    /// How it is called in sentences.
    #[must_use]
    pub fn described(self) -> &'static str {
        match self {
            Purpose::Superuser => "the superuser",
            Purpose::Reaper => "Reaper's user in Cassandra",
            Purpose::ReaperUi => "the user of Reaper's page",
            Purpose::Medusa => "Medusa's user in Cassandra",
        }
    }
}

/// A Secret in the cluster's namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnSecret {
    /// Its name: the user's, or one made of the cluster's.
    pub name: String,
    /// What it is for; where it is for several things, the first of them.
    pub purpose: Purpose,
}

/// All of them, those that datacenters refer to first; none where something else provides Secrets. Each name once.
#[must_use]
pub fn of(kc: &K8ssandraCluster) -> Vec<OwnSecret> {
    if kc.spec.has_external_secrets() {
        return Vec::new();
    }
    let all = [
        (Purpose::Superuser, Some(superuser::secret_name(kc))),
        (Purpose::Reaper, reaper_secret_name(kc)),
        (Purpose::Medusa, medusa_secret_name(kc)),
        (Purpose::ReaperUi, reaper_ui_secret_name(kc)),
    ];
    let mut found: Vec<OwnSecret> = Vec::new();
    for (purpose, name) in all {
        let Some(name) = name else { continue };
        if found.iter().all(|other| other.name != name) {
            found.push(OwnSecret { name, purpose });
        }
    }
    found
}

/// A reference without a name says that there is none.
fn reaper_ui_secret_name(kc: &K8ssandraCluster) -> Option<String> {
    let reaper = own_reaper(kc).filter(|_| kc.spec.auth())?;
    match &reaper.ui_user_secret_ref {
        None => Some(naming::reaper_ui_secret(cluster_name(kc))),
        Some(given) if given.name.is_empty() => None,
        Some(given) => Some(given.name.clone()),
    }
}

/// Whether authentication is on does not matter to Medusa: as upstream has it.
fn medusa_secret_name(kc: &K8ssandraCluster) -> Option<String> {
    let medusa = kc.spec.medusa.as_ref()?;
    let given = medusa
        .cassandra_user_secret_ref
        .as_ref()
        .map(|it| it.name.clone());
    let given = given.filter(|name| !name.is_empty());
    Some(given.unwrap_or_else(|| naming::medusa(cluster_name(kc))))
}

/// Labels by which the cluster's ReplicatedSecret finds the Secrets: its selector, to the letter.
#[must_use]
pub fn selector_labels(kc: &K8ssandraCluster) -> BTreeMap<String, String> {
    let metadata = &kc.metadata;
    [
        (label::REPLICATED_BY, label::CLUSTER_CONTROLLER),
        (label::CLUSTER_NAME, metadata.name.as_deref().unwrap_or_default()),
        (
            label::CLUSTER_NAMESPACE,
            metadata.namespace.as_deref().unwrap_or_default(),
        ),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into()
}

/// Whether a selector finds the Secrets of the cluster that has these labels, and no other.
#[must_use]
pub fn are_selected(kc: &K8ssandraCluster, selector: &Value) -> bool {
    value::texts(selector, "/matchLabels") == selector_labels(kc)
        && value::items(selector, "/matchExpressions").is_empty()
}

/// Labels of a Secret that is made: those of the user, and over them those by which it is found.
#[must_use]
pub fn labels(kc: &K8ssandraCluster) -> BTreeMap<String, String> {
    let mut labels = common(kc, |metadata| metadata.common_labels.clone());
    labels.extend(selector_labels(kc));
    labels
}

/// Annotations of a Secret that is made: those of the user, and our mark.
#[must_use]
pub fn annotations(kc: &K8ssandraCluster) -> BTreeMap<String, String> {
    let mut annotations = common(kc, |metadata| metadata.common_annotations.clone());
    annotations.extend(
        kc.metadata
            .uid
            .clone()
            .map(|uid| (annotation::CLUSTER_UID.to_owned(), uid)),
    );
    annotations
}

/// Annotations that a Secret of the user's own gets beside the [`selector_labels`]: it outlives the cluster.
#[must_use]
pub fn annotations_of_adopted() -> BTreeMap<String, String> {
    BTreeMap::from([(annotation::ORPHAN.to_owned(), "true".to_owned())])
}

fn common(
    kc: &K8ssandraCluster,
    read: impl Fn(&ClusterMeta) -> Option<BTreeMap<String, String>>,
) -> BTreeMap<String, String> {
    let metadata = kc
        .spec
        .cassandra
        .as_ref()
        .and_then(|cassandra| cassandra.metadata.as_ref());
    metadata.and_then(read).unwrap_or_default()
}

/// Places that copies are needed in for the datacenters of the spec: context and namespace, in its order. The Secrets
/// themselves are in the cluster's own.
#[must_use]
pub fn places(kc: &K8ssandraCluster) -> Vec<(String, String)> {
    let namespace = kc.metadata.namespace.clone().unwrap_or_default();
    let own = (String::new(), namespace.clone());
    let templates = kc
        .spec
        .cassandra
        .iter()
        .flat_map(|cassandra| &cassandra.datacenters);
    let mut places = vec![own];
    for template in templates {
        let place = (
            template.k8s_context.clone(),
            template.namespace().unwrap_or(&namespace).to_owned(),
        );
        if !places.contains(&place) {
            places.push(place);
        }
    }
    places.remove(0);
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::cluster;
    use serde_json::json;

    fn names(kc: &K8ssandraCluster) -> Vec<(String, Purpose)> {
        let all = of(kc).into_iter();
        all.map(|secret| (secret.name, secret.purpose)).collect()
    }

    fn with(add_ons: &Value) -> K8ssandraCluster {
        let mut kc = cluster(json!({"clusterName": "My Ring"}));
        let given = |field: &str| add_ons[field].clone();
        kc.spec.reaper = serde_json::from_value(given("reaper")).expect("Reaper or none");
        kc.spec.medusa = serde_json::from_value(given("medusa")).expect("Medusa or none");
        kc.spec.auth = add_ons["auth"].as_bool();
        kc
    }

    fn expected(pairs: &[(&str, Purpose)]) -> Vec<(String, Purpose)> {
        let all = pairs.iter();
        all.map(|(name, purpose)| ((*name).to_owned(), *purpose))
            .collect()
    }

    #[test]
    fn re3_reaper_has_a_secret_for_cassandra_and_one_for_its_page() {
        let superuser = ("myring-superuser", Purpose::Superuser);
        let cases = [
            (
                json!({"reaper": {}}),
                vec![
                    superuser,
                    ("myring-reaper", Purpose::Reaper),
                    ("myring-reaper-ui", Purpose::ReaperUi),
                ],
            ),
            (
                json!({"reaper": {"cassandraUserSecretRef": {"name": "a"}, "uiUserSecretRef": {"name": "b"}}}),
                vec![superuser, ("a", Purpose::Reaper), ("b", Purpose::ReaperUi)],
            ),
            (
                json!({"reaper": {"cassandraUserSecretRef": {}, "uiUserSecretRef": {}}}),
                vec![superuser, ("myring-reaper", Purpose::Reaper)],
            ),
            (
                json!({"reaper": {"reaperRef": {"name": "other"}}}),
                vec![superuser],
            ),
            (json!({"reaper": {}, "auth": false}), vec![superuser]),
        ];
        for (add_ons, secrets) in cases {
            assert_eq!(names(&with(&add_ons)), expected(&secrets), "{add_ons}");
        }
    }

    #[test]
    fn me21_medusa_has_a_secret_even_without_authentication() {
        let expected = expected(&[
            ("myring-superuser", Purpose::Superuser),
            ("myring-medusa", Purpose::Medusa),
        ]);
        assert_eq!(names(&with(&json!({"medusa": {}, "auth": false}))), expected);
    }

    #[test]
    fn en7_where_something_else_provides_secrets_none_are_made() {
        let mut kc = with(&json!({"reaper": {}, "medusa": {}}));
        kc.spec.secrets_provider = Some("external".into());
        assert_eq!(of(&kc), Vec::new());
    }

    #[test]
    fn a_secret_that_is_for_several_things_is_named_once() {
        let kc = with(&json!({
            "reaper": {"cassandraUserSecretRef": {"name": "myring-superuser"}, "uiUserSecretRef": {"name": "all"}},
            "medusa": {"cassandraUserSecretRef": {"name": "all"}},
        }));
        let expected = expected(&[("myring-superuser", Purpose::Superuser), ("all", Purpose::Medusa)]);
        assert_eq!(names(&kc), expected);
    }

    #[test]
    fn our_labels_win_over_those_of_the_user() {
        let kc = cluster(json!({"metadata": {
            "commonLabels": {"a": "b", "k8ssandra.io/cluster-name": "x"}, "commonAnnotations": {"c": "d"}
        }}));
        let expected = [
            ("a", "b"),
            ("k8ssandra.io/cluster-name", "demo"),
            ("k8ssandra.io/cluster-namespace", "ns"),
            ("k8ssandra.io/replicated-by", "k8ssandracluster-controller"),
        ];
        assert_eq!(
            labels(&kc),
            expected
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .into()
        );
        let expected = [("c", "d"), ("ringspan.io/cluster-uid", "kc-uid")];
        assert_eq!(
            annotations(&kc),
            expected
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .into()
        );
    }

    #[test]
    fn c046_copies_are_needed_once_in_each_place_and_not_where_the_secrets_are() {
        let kc = crate::fixtures::cluster_of(json!([
            {"metadata": {"name": "a"}, "size": 1},
            {"metadata": {"name": "b"}, "size": 1, "k8sContext": "west"},
            {"metadata": {"name": "c", "namespace": "other"}, "size": 1},
            {"metadata": {"name": "d"}, "size": 1, "k8sContext": "west"},
        ]));
        let expected = [("west", "ns"), ("", "other")];
        assert_eq!(
            places(&kc),
            expected.map(|(context, namespace)| (context.to_owned(), namespace.to_owned()))
        );
        let object = crate::objects::replicated_secret(&kc, &places(&kc));
        assert_eq!(
            object["spec"]["replicationTargets"],
            json!([{"k8sContextName": "west"}, {"namespace": "other"}])
        );
    }
}
