//! What was seen of a ReplicatedSecret, its sources and its copies. No byte of a Secret's data is in here.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use api::grants::Grants;
use api::names::{annotation, label};
use api::replicated_secret::{ReplicatedSecret, ReplicationCondition, ReplicationTarget};
use api::seen::{PlaneId, SamePlane, Unknown};

use super::selector::Selector;

/// Keyed mark of one value of a Secret. Two values are equal if their marks are; nothing else follows from one.
#[derive(Clone, PartialEq, Eq)]
pub struct Mark(pub [u8; 32]);

impl fmt::Debug for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mark(..)")
    }
}

/// A Secret without its data.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own about one object"
)]
#[derive(Clone, PartialEq, Eq)]
pub struct SecretView {
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
    /// `metadata.uid`.
    pub uid: String,
    /// `metadata.resourceVersion`.
    pub resource_version: String,
    /// `type`; `Opaque` where none is given.
    pub type_: String,
    /// `immutable`.
    pub immutable: bool,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// Whether it has owner references.
    pub owned: bool,
    /// Whether there is a map of annotations at all, of which `annotations` may be a part.
    pub annotated: bool,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Annotations, without those that quote the data.
    pub annotations: BTreeMap<String, String>,
    /// Keys of `data`, with the marks of their values.
    pub content: BTreeMap<String, Mark>,
}

impl SecretView {
    /// Whether it shall survive the ReplicatedSecret.
    #[must_use]
    pub fn is_orphan(&self) -> bool {
        self.annotations
            .get(annotation::ORPHAN)
            .is_some_and(|value| value == "true")
    }
}

/// Only what names it: annotations are the user's, and marks are nobody's business.
impl fmt::Debug for SecretView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SecretView {
            namespace,
            name,
            uid,
            resource_version,
            ..
        } = self;
        write!(f, "Secret({namespace}/{name} {uid}@{resource_version})")
    }
}

/// Who a ReplicatedSecret is, and whose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its namespace, which is that of its sources.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// UID of the K8ssandraCluster that it was made for; none where a user made it.
    pub cluster_uid: Option<String>,
}

impl Identity {
    /// Reads name and owner.
    #[must_use]
    pub fn of(object: &ReplicatedSecret) -> Self {
        let metadata = &object.metadata;
        let owner = metadata
            .owner_references
            .iter()
            .flatten()
            .find(|owner| owner.kind == "K8ssandraCluster");
        Identity {
            namespace: metadata.namespace.clone().unwrap_or_default(),
            name: metadata.name.clone().unwrap_or_default(),
            cluster_uid: owner.map(|owner| owner.uid.clone()),
        }
    }

    /// Value of the label that names it on its copies.
    #[must_use]
    pub fn label(&self) -> String {
        format!("{}.{}", self.namespace, self.name)
    }

    /// The ReplicatedSecret that a label value names: no namespace has a dot.
    #[must_use]
    pub fn of_label(value: &str) -> Option<(String, String)> {
        let (namespace, name) = value.split_once('.')?;
        (!namespace.is_empty() && !name.is_empty()).then(|| (namespace.to_owned(), name.to_owned()))
    }
}

/// What is known of one plane.
#[derive(Clone, Debug)]
pub struct PlaneFacts {
    /// Its id.
    pub id: Option<PlaneId>,
    /// The ids of the weaker form, by namespace, where there is no other.
    pub weak_ids: BTreeMap<String, PlaneId>,
    /// Every Secret there that carries the label of this ReplicatedSecret.
    pub copies: Result<Vec<SecretView>, Unknown>,
    /// Namespaces in which a CassandraDatacenter of the cluster was last seen.
    pub datacenters: BTreeSet<String>,
}

impl PlaneFacts {
    /// The plane's id, as far as a namespace is concerned.
    #[must_use]
    pub fn id_in(&self, namespace: &str) -> Option<&PlaneId> {
        self.id.as_ref().or_else(|| self.weak_ids.get(namespace))
    }
}

/// Everything that one plan is made from.
#[derive(Clone, Debug)]
pub struct ReplicationFacts {
    /// Whose sources and copies.
    pub identity: Identity,
    /// `spec.replicationTargets`.
    pub targets: Vec<ReplicationTarget>,
    /// `spec.selector`: none selects nothing; an error is a sentence.
    pub selector: Result<Option<Selector>, String>,
    /// The selected Secrets, by name, copies of this very ReplicatedSecret left out.
    pub sources: Vec<SecretView>,
    /// What the status says now.
    pub former: Vec<ReplicationCondition>,
    /// By context: every plane that is engaged, and every context of a target (an error where none is).
    pub planes: BTreeMap<String, Result<PlaneFacts, Unknown>>,
    /// By context of a target: whom the plane's owner lets in; one that is not here lets everybody in.
    pub grants: BTreeMap<String, Grants>,
}

impl ReplicationFacts {
    /// The namespace that a target's copies go to.
    #[must_use]
    pub fn namespace_of(&self, target: &ReplicationTarget) -> String {
        let given = target
            .namespace
            .as_deref()
            .filter(|namespace| !namespace.is_empty());
        given.unwrap_or(&self.identity.namespace).to_owned()
    }

    /// What the status says of that target now.
    #[must_use]
    pub fn former_of(&self, context: &str, namespace: &str) -> Option<&ReplicationCondition> {
        let own = &self.identity.namespace;
        self.former.iter().find(|condition| {
            condition.cluster == context && condition.namespace.as_deref().unwrap_or(own) == namespace
        })
    }

    /// Whether a datacenter of the cluster was last seen anywhere: as long as one is there, the copies are needed, and new
    /// ones too, even if somebody has deleted the ReplicatedSecret.
    #[must_use]
    pub fn serves_a_datacenter(&self) -> bool {
        let mut planes = self.planes.values().filter_map(|plane| plane.as_ref().ok());
        planes.any(|plane| !plane.datacenters.is_empty())
    }

    /// The plane of a context.
    ///
    /// # Errors
    /// Why it is not known.
    pub fn plane(&self, context: &str) -> Result<&PlaneFacts, &Unknown> {
        self.planes.get(context).map_or(Err(&NOT_LOOKED), Result::as_ref)
    }

    /// Whether a plane is the control plane, under whatever context.
    #[must_use]
    pub fn is_control_plane(&self, context: &str, plane: Option<&PlaneId>) -> bool {
        let own = self.plane("").ok().and_then(|own| own.id.as_ref());
        context.is_empty()
            || matches!((own, plane), (Some(own), Some(plane)) if own.compare(plane) == SamePlane::Yes)
    }

    /// Id of the plane that a target is in: as seen, or as the status remembers it.
    #[must_use]
    pub fn plane_id_of(&self, context: &str, namespace: &str) -> Option<PlaneId> {
        let seen = self
            .plane(context)
            .ok()
            .and_then(|plane| plane.id_in(namespace))
            .cloned();
        seen.or_else(|| self.former_of(context, namespace)?.plane_id.clone().map(PlaneId))
    }
}

static NOT_LOOKED: Unknown = Unknown {
    context: String::new(),
    reason: String::new(),
    message: String::new(),
};

/// How a Secret of a copy's name relates to a ReplicatedSecret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// We wrote it.
    Ours,
    /// It carries the label of this ReplicatedSecret and no mark of ours: upstream wrote it.
    Upstream,
    /// Somebody else's, or another cluster's.
    Foreign,
}

impl Identity {
    /// Whose a Secret is. A name is no identity: our mark with this cluster's UID counts, and where there is no mark
    /// of ours, upstream's label.
    #[must_use]
    pub fn owner_of(&self, secret: &SecretView) -> Owner {
        let labelled = secret.labels.get(label::REPLICATED_SECRET_NAME) == Some(&self.label());
        let marked = secret.annotations.get(annotation::CLUSTER_UID);
        let written = secret.annotations.contains_key(annotation::CONTENT_MARK);
        match (marked, &self.cluster_uid) {
            (Some(uid), Some(own)) if uid == own && written => Owner::Ours,
            (None, None) if labelled && written => Owner::Ours,
            (None, _) if labelled => Owner::Upstream,
            _ => Owner::Foreign,
        }
    }
}
