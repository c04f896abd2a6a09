//! What a plan can ask to be done, in order, each with a sentence.

use std::collections::BTreeSet;

use api::record::{DatacenterRecord, Record};
use api::reports::{ClusterReport, Effect};

use super::facts::AddonObject;
use crate::change::Change;
use crate::datacenter::{DesiredConfigMap, DesiredDatacenter};
use crate::own_secrets::{OwnSecret, Purpose};

/// What shall be done for one cluster.
#[derive(Clone, Debug, Default)]
pub struct ClusterPlan {
    /// In order. One that fails ends the pass for its datacenter, and one without a datacenter ends it whole.
    pub acts: Vec<Act>,
    /// Datacenters that must be read live before more can be decided.
    pub wants_live: BTreeSet<String>,
    /// Datacenters beside which upstream's add-ons must be looked for before more can be decided.
    pub wants_addons: BTreeSet<String>,
    /// Datacenters whose stores' passwords must be read before more can be decided.
    pub wants_passwords: BTreeSet<String>,
    /// What is reported when the acts are done.
    pub report: ClusterReport,
    /// Set when the answer may change without an event, so that the plan must be made again after a time.
    pub look_again: Option<LookAgain>,
}

/// How soon a plan is made again whose answer no event changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LookAgain {
    /// After some seconds each time: a plane does not answer.
    Soon,
    /// Later each time: an object of somebody else's is in the way, perhaps for good, and each look is reads.
    LessAndLess,
}

/// One write.
#[derive(Clone, Debug)]
pub enum Act {
    /// Finalizer, record and the replication that the ring is founded with: one write on the cluster.
    WriteCluster {
        /// The finalizer stands on the cluster after this.
        finalizer: bool,
        /// The record after this.
        record: Record,
        /// Value of `k8ssandra.io/initial-system-replication`, where it is not yet set.
        initial_system_replication: Option<String>,
        /// Whether `k8ssandra.io/autoupdate-spec: once` is taken away.
        consume_autoupdate: bool,
    },
    /// A Secret of the cluster's own, with a generated password.
    CreateSecret {
        /// Which one.
        secret: OwnSecret,
    },
    /// Labels on a Secret of the user's that takes the place of one, by which it is copied.
    LabelSecret {
        /// Which one.
        secret: OwnSecret,
        /// Its UID.
        uid: String,
        /// The version that was seen.
        resource_version: String,
    },
    /// A Secret of the cluster that is to outlive it: marked as an orphan, and not owned by the cluster any more.
    KeepSecret {
        /// Its name.
        name: String,
        /// Its UID.
        uid: String,
        /// The version that was seen.
        resource_version: String,
        /// Place of the reference to the cluster among its owner references.
        owner: usize,
    },
    /// The ReplicatedSecret of a cluster that it is to outlive.
    KeepReplicatedSecret {
        /// Its UID.
        uid: String,
        /// The version that was seen.
        resource_version: String,
        /// Place of the reference to the cluster among its owner references.
        owner: usize,
    },
    /// The ReplicatedSecret of the cluster.
    CreateReplicatedSecret {
        /// Context and namespace of each target.
        targets: Vec<(String, String)>,
    },
    /// More targets for the ReplicatedSecret.
    ApplyReplicatedSecret {
        /// Its UID.
        uid: String,
        /// Context and namespace of each target.
        targets: Vec<(String, String)>,
    },
    /// A ConfigMap that a datacenter's pods mount; made or brought up to date.
    WriteConfigMap {
        /// The datacenter that it belongs to.
        datacenter: String,
        /// Context of the plane.
        context: String,
        /// What it shall be.
        desired: DesiredConfigMap,
        /// UID of the existing one; none = create.
        uid: Option<String>,
    },
    /// Labels on a ConfigMap of the user's, by which the watch shows its edits.
    LabelConfigMap {
        /// The datacenter that refers to it.
        datacenter: String,
        /// Context of the plane.
        context: String,
        /// Namespace there.
        namespace: String,
        /// Its name.
        name: String,
        /// Its UID.
        uid: String,
    },
    /// A new CassandraDatacenter.
    CreateDatacenter {
        /// Context of the plane.
        context: String,
        /// What it shall be.
        desired: Box<DesiredDatacenter>,
    },
    /// A changed CassandraDatacenter.
    ApplyDatacenter {
        /// Context of the plane.
        context: String,
        /// What it shall be.
        desired: Box<DesiredDatacenter>,
        /// UID of the one that is changed.
        uid: String,
        /// The version that was seen.
        resource_version: String,
        /// What the user asked for.
        why: String,
        /// What differs, and what that does to the nodes.
        change: Change,
    },
    /// A touch of a CassandraDatacenter that may have been given up for a Secret that came later.
    WakeDatacenter {
        /// Which one.
        datacenter: ThisDatacenter,
        /// Value of `ringspan.io/secrets-seen`.
        seen: String,
    },
    /// What lets cass-operator bring a CassandraDatacenter up to date although its spec is as it was; or not any more.
    AllowUpdates {
        /// Which one.
        datacenter: ThisDatacenter,
        /// Value of `cassandra.datastax.com/autoupdate-spec`, and of `ringspan.io/updates-allowed`; none = both go.
        permission: Option<(String, String)>,
    },
    /// Decommission of its nodes, then deletion of a CassandraDatacenter.
    RemoveDatacenter(ThisDatacenter),
    /// Deletion of a CassandraDatacenter whose cluster is deleted.
    DeleteDatacenter(ThisDatacenter),
    /// The user wants a datacenter back before its deletion began.
    CancelRemoval(ThisDatacenter),
    /// Deletion of everything else with this cluster's UID in one namespace of one plane.
    DeleteLeftovers {
        /// The datacenter that it belonged to.
        datacenter: String,
        /// Context of the plane.
        context: String,
        /// Namespace there.
        namespace: String,
        /// Names, UIDs and versions of ConfigMaps.
        config_maps: Vec<(String, String, String)>,
        /// Names, UIDs and versions of EndpointSlices.
        slices: Vec<(String, String, String)>,
    },
    /// Deletion of what upstream made for add-ons beside a datacenter that goes.
    DeleteAddons {
        /// The datacenter.
        datacenter: String,
        /// Context of the plane.
        context: String,
        /// Namespace there.
        namespace: String,
        /// What is deleted, in order.
        objects: Vec<AddonObject>,
    },
    /// Nothing is left: the cluster may go.
    RemoveFinalizer,
}

/// One CassandraDatacenter, exactly as it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThisDatacenter {
    /// Context of the plane.
    pub context: String,
    /// Namespace there.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its UID: only this one is meant.
    pub uid: String,
    /// The version that showed the reason.
    pub resource_version: String,
}

impl Act {
    /// One sentence for logs, events and people.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Act::WriteCluster { record, .. } => recorded(record),
            Act::CreateSecret { secret } => {
                format!("Create Secret {} for {}", secret.name, secret.purpose.described())
            }
            Act::LabelSecret { secret, .. } => {
                let purpose = secret.purpose.described();
                format!("Label Secret {} for {purpose}, so that it is copied", secret.name)
            }
            Act::KeepSecret { name, .. } => format!("Keep Secret {name} when the cluster goes"),
            Act::KeepReplicatedSecret { .. } => "Keep copying Secrets when the cluster goes".to_owned(),
            Act::CreateReplicatedSecret { targets } | Act::ApplyReplicatedSecret { targets, .. } => {
                copied_to(targets)
            }
            Act::WriteConfigMap { context, desired, .. } => {
                format!(
                    "Write ConfigMap {}/{} in {}",
                    desired.namespace,
                    desired.name,
                    plane(context)
                )
            }
            Act::LabelConfigMap {
                context,
                namespace,
                name,
                ..
            } => {
                format!(
                    "Label ConfigMap {namespace}/{name} in {}, so that its edits are seen",
                    plane(context)
                )
            }
            Act::CreateDatacenter { context, desired } => {
                format!(
                    "Create CassandraDatacenter {}/{} in {}",
                    desired.namespace,
                    desired.name,
                    plane(context)
                )
            }
            Act::ApplyDatacenter {
                context,
                desired,
                why,
                change,
                ..
            } => {
                format!(
                    "Change CassandraDatacenter {}/{} in {}: {why}; {}",
                    desired.namespace,
                    desired.name,
                    plane(context),
                    change.effect().sentence()
                )
            }
            Act::WakeDatacenter { datacenter, .. } => {
                format!("Wake {}: its Secret was written again", datacenter.described())
            }
            Act::AllowUpdates {
                datacenter,
                permission,
            } => allowed(datacenter, permission.as_ref()),
            Act::RemoveDatacenter(gone) => format!("Decommission and delete {}", gone.described()),
            Act::DeleteDatacenter(gone) => format!("Delete {}", gone.described()),
            Act::CancelRemoval(back) => format!("Keep {}", back.described()),
            Act::DeleteLeftovers {
                context,
                namespace,
                datacenter,
                ..
            } => {
                format!(
                    "Delete what was made for datacenter {datacenter} and has no use any more, in namespace {namespace} of {}",
                    plane(context)
                )
            }
            Act::DeleteAddons {
                context,
                namespace,
                objects,
                ..
            } => {
                format!(
                    "Delete what k8ssandra-operator made for add-ons, in namespace {namespace} of {}: {}",
                    plane(context),
                    listed(objects)
                )
            }
            Act::RemoveFinalizer => "Let the cluster go: nothing of it is left".to_owned(),
        }
    }

    /// Reason of the event that tells of it.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Act::WriteCluster { .. } => "RecordWritten",
            Act::CreateSecret { secret } if secret.purpose == Purpose::Superuser => "SuperuserSecretCreated",
            Act::CreateSecret { .. } => "SecretCreated",
            Act::LabelSecret { secret, .. } if secret.purpose == Purpose::Superuser => {
                "SuperuserSecretLabelled"
            }
            Act::LabelSecret { .. } => "SecretLabelled",
            Act::KeepSecret { .. } | Act::KeepReplicatedSecret { .. } => "SecretKept",
            Act::CreateReplicatedSecret { .. } | Act::ApplyReplicatedSecret { .. } => {
                "ReplicatedSecretWritten"
            }
            Act::WriteConfigMap { .. } => "ConfigMapWritten",
            Act::LabelConfigMap { .. } => "ConfigMapLabelled",
            Act::CreateDatacenter { .. } => "DatacenterCreated",
            Act::ApplyDatacenter { .. } => "DatacenterChanged",
            Act::WakeDatacenter { .. } => "DatacenterWoken",
            Act::AllowUpdates {
                permission: Some(_), ..
            } => "UpdatesAllowed",
            Act::AllowUpdates { permission: None, .. } => "UpdatesNotAllowed",
            Act::RemoveDatacenter(_) => "DatacenterRemoved",
            Act::DeleteDatacenter(_) => "DatacenterDeleted",
            Act::CancelRemoval(_) => "RemovalCancelled",
            Act::DeleteLeftovers { .. } => "LeftoversDeleted",
            Act::DeleteAddons { .. } => "AddonsDeleted",
            Act::RemoveFinalizer => "ClusterReleased",
        }
    }

    /// What it does to nodes that are there.
    #[must_use]
    pub fn effect(&self) -> Effect {
        match self {
            Act::ApplyDatacenter { change, .. } => change.effect(),
            Act::AllowUpdates {
                permission: Some(_), ..
            } => Effect::Restart,
            Act::RemoveDatacenter(_) => Effect::Stream,
            Act::DeleteDatacenter(_) => Effect::Dangerous,
            Act::CancelRemoval(_) | Act::WakeDatacenter { .. } => Effect::Live,
            _ => Effect::None,
        }
    }

    /// The datacenter that it is about; none where it is the whole cluster.
    #[must_use]
    pub fn datacenter(&self) -> Option<&str> {
        match self {
            Act::WriteConfigMap { datacenter, .. }
            | Act::LabelConfigMap { datacenter, .. }
            | Act::DeleteLeftovers { datacenter, .. }
            | Act::DeleteAddons { datacenter, .. } => Some(datacenter),
            Act::CreateDatacenter { desired, .. } | Act::ApplyDatacenter { desired, .. } => {
                Some(&desired.name)
            }
            Act::WakeDatacenter { datacenter, .. } | Act::AllowUpdates { datacenter, .. } => {
                Some(&datacenter.name)
            }
            Act::RemoveDatacenter(it) | Act::DeleteDatacenter(it) | Act::CancelRemoval(it) => Some(&it.name),
            _ => None,
        }
    }
}

fn allowed(datacenter: &ThisDatacenter, permission: Option<&(String, String)>) -> String {
    let datacenter = datacenter.described();
    match permission {
        Some((value, _)) => format!(
            "Let cass-operator bring {datacenter} up to date ({value}): if it would make the pods differently now, nodes restart \
             one after another"
        ),
        None => format!("Let cass-operator change {datacenter} with its spec alone, as before"),
    }
}

fn listed(objects: &[AddonObject]) -> String {
    let name = |it: &AddonObject| format!("{} {}", it.kind.as_str(), it.name);
    objects.iter().map(name).collect::<Vec<_>>().join(", ")
}

fn copied_to(targets: &[(String, String)]) -> String {
    let places: Vec<String> = targets
        .iter()
        .map(|(context, namespace)| format!("namespace {namespace} of {}", plane(context)))
        .collect();
    if places.is_empty() {
        "Have Secrets copied nowhere".to_owned()
    } else {
        format!("Have Secrets copied to {}", places.join(", "))
    }
}

/// What the record will say.
fn recorded(record: &Record) -> String {
    let entry = |(name, it): (&String, &DatacenterRecord)| {
        let state = match (&it.leaving, &it.uid, it.joined) {
            (Some(_), _, _) => ", leaves",
            (None, None, _) => "",
            (None, Some(_), false) => ", made",
            (None, Some(_), true) => ", joined",
        };
        format!("{name} ({}{state})", it.role.as_str())
    };
    let entries: Vec<String> = record.datacenters.iter().map(entry).collect();
    let left = record.abandoned.values();
    let left: Vec<String> = left
        .map(|it| format!("; {} was abandoned in plane {}", it.name, it.plane_id))
        .collect();
    let entries = if entries.is_empty() {
        "no datacenter".to_owned()
    } else {
        entries.join(", ")
    };
    format!("Write the record: {entries}{}", left.concat())
}

impl ThisDatacenter {
    fn described(&self) -> String {
        format!(
            "CassandraDatacenter {}/{} in {}",
            self.namespace,
            self.name,
            plane(&self.context)
        )
    }
}

/// How a plane is called in sentences.
#[must_use]
pub fn plane(context: &str) -> String {
    if context.is_empty() {
        "the control plane".to_owned()
    } else {
        format!("plane {context}")
    }
}
