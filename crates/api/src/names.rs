//! Every name that goes over the wire: labels, annotations, finalizers, field managers, condition
//! types and reasons. A name that two crates use stands here and nowhere else.

/// Name of the product, as it stands in logs, user agents and `app.kubernetes.io/part-of`.
pub const PRODUCT: &str = "ringspan";

/// Field managers of server-side apply, one for each program.
pub mod manager {
    /// client-registry.
    pub const CLIENT_REGISTRY: &str = "ringspan-client-registry";
    /// cluster-reconciler.
    pub const CLUSTER_RECONCILER: &str = "ringspan-cluster-reconciler";
    /// topology-reconciler.
    pub const TOPOLOGY_RECONCILER: &str = "ringspan-topology-reconciler";
    /// status-rollup.
    pub const STATUS_ROLLUP: &str = "ringspan-status-rollup";
    /// secret-replicator.
    pub const SECRET_REPLICATOR: &str = "ringspan-secret-replicator";
}

/// Labels. Those below `k8ssandra.io` and `cassandra.datastax.com` are the wire format of upstream.
pub mod label {
    /// `app.kubernetes.io/name`.
    pub const APP_NAME: &str = "app.kubernetes.io/name";
    /// `app.kubernetes.io/part-of`.
    pub const APP_PART_OF: &str = "app.kubernetes.io/part-of";
    /// `app.kubernetes.io/component`.
    pub const APP_COMPONENT: &str = "app.kubernetes.io/component";
    /// `app.kubernetes.io/managed-by`.
    pub const APP_MANAGED_BY: &str = "app.kubernetes.io/managed-by";
    /// `app.kubernetes.io/version`.
    pub const APP_VERSION: &str = "app.kubernetes.io/version";
    /// `app.kubernetes.io/instance`.
    pub const APP_INSTANCE: &str = "app.kubernetes.io/instance";
    /// `app.kubernetes.io/created-by`.
    pub const APP_CREATED_BY: &str = "app.kubernetes.io/created-by";
    /// Name of the K8ssandraCluster that an object belongs to; with [`CLUSTER_NAMESPACE`] the watch key.
    pub const CLUSTER_NAME: &str = "k8ssandra.io/cluster-name";
    /// Namespace of that K8ssandraCluster.
    pub const CLUSTER_NAMESPACE: &str = "k8ssandra.io/cluster-namespace";
    /// Who deletes an object that has no owner reference.
    pub const CLEANED_UP_BY: &str = "k8ssandra.io/cleaned-up-by";
    /// On ConfigMaps that configure the installation.
    pub const CONFIG: &str = "k8ssandra.io/config";
    /// Value of [`CONFIG`] on the one that names images.
    pub const IMAGE_CONFIG: &str = "image";
    /// Value of [`CLEANED_UP_BY`] and [`REPLICATED_BY`].
    pub const CLUSTER_CONTROLLER: &str = "k8ssandracluster-controller";
    /// On source Secrets and, copied, on their replicas.
    pub const REPLICATED_BY: &str = "k8ssandra.io/replicated-by";
    /// On replicas: `<namespace>.<name>` of the ReplicatedSecret.
    pub const REPLICATED_SECRET_NAME: &str = "k8ssandra.io/replicated-secret-name";
    /// On contact-points objects: name of the CassandraDatacenter.
    pub const DATACENTER: &str = "k8ssandra.io/datacenter";
    /// On CassandraTasks: the K8ssandraTask that made them.
    pub const TASK_NAME: &str = "k8ssandra.io/task-name";
    /// Namespace of that K8ssandraTask.
    pub const TASK_NAMESPACE: &str = "k8ssandra.io/task-namespace";
    /// On rebuild tasks: size of the datacenter when the task was made.
    pub const REBUILD_NODES: &str = "k8ssandra.io/rebuild-nodes";
    /// cass-operator: cleaned name of the Cassandra cluster.
    pub const CASSANDRA_CLUSTER: &str = "cassandra.datastax.com/cluster";
    /// cass-operator: name of the CassandraDatacenter object.
    pub const CASSANDRA_DATACENTER: &str = "cassandra.datastax.com/datacenter";
    /// Rack of a pod, by Cassandra's name of it.
    pub const CASSANDRA_RACK: &str = "cassandra.datastax.com/rack";
    /// cass-operator: `true` on pods that are seeds.
    pub const SEED_NODE: &str = "cassandra.datastax.com/seed-node";
    /// cass-operator: state of the node in a pod; `Started` once Cassandra runs there.
    pub const NODE_STATE: &str = "cassandra.datastax.com/node-state";
    /// Binds an EndpointSlice to a Service.
    pub const SERVICE_NAME: &str = "kubernetes.io/service-name";
    /// Keeps Kubernetes' own controllers off an EndpointSlice.
    pub const SLICE_MANAGED_BY: &str = "endpointslice.kubernetes.io/managed-by";
    /// Value of [`SLICE_MANAGED_BY`] on our slices, as upstream writes it.
    pub const SLICE_MANAGER: &str = "k8ssandra-operator";
    /// UID of the K8ssandraCluster that an object was made for: our mark on objects without annotations
    /// of ours that must be found by selector.
    pub const CLUSTER_UID: &str = "ringspan.io/cluster-uid";
    /// What a seed slice of ours is: see [`super::SeedSlice`].
    pub const SEED_SLICE: &str = "ringspan.io/seed-slice";
}

/// Values of [`label::SEED_SLICE`].
pub enum SeedSlice {}

impl SeedSlice {
    /// Upstream's slice, name prefixed with the K8ssandraCluster's name; lives as long as the datacenter.
    pub const LASTING: &'static str = "lasting";
    /// The slice without the prefix, which makes cass-operator count additional seeds while a datacenter
    /// joins; deleted once that datacenter is initialized.
    pub const JOINING: &'static str = "joining";
}

/// Annotations.
pub mod annotation {
    /// The record of a K8ssandraCluster: see [`crate::record`].
    pub const RECORD: &str = "ringspan.io/record";
    /// On what we make: UID of the K8ssandraCluster it was made for.
    pub const CLUSTER_UID: &str = "ringspan.io/cluster-uid";
    /// On datacenters: id of the control plane that wrote them.
    pub const CONTROL_PLANE_ID: &str = "ringspan.io/control-plane-id";
    /// On datacenters: generation of the K8ssandraCluster at our last write.
    pub const CLUSTER_GENERATION: &str = "ringspan.io/cluster-generation";
    /// On datacenters, from their creation: how they came into the ring, see [`crate::record::Role`].
    pub const JOIN: &str = "ringspan.io/join";
    /// On datacenters: digest of the merged input that the object was made from.
    pub const INPUT_HASH: &str = "ringspan.io/input-hash";
    /// On a K8ssandraCluster: ids of planes that are gone for good, with commas between them. What lives there is forgotten
    /// where it is to go anyway.
    pub const ABANDON: &str = "ringspan.io/abandon";
    /// On a CassandraDatacenter: paths of fields that its plane's definition does not have, as a JSON list.
    pub const NOT_KEPT: &str = "ringspan.io/not-kept";
    /// On datacenters: which Secrets were there when it was made, or last woken.
    pub const SECRETS_SEEN: &str = "ringspan.io/secrets-seen";
    /// On datacenters: for which of its cluster's permissions ([`AUTOUPDATE_SPEC`]) cass-operator was told to bring it up to
    /// date: `always`, or how many `once` there had been.
    pub const UPDATES_ALLOWED: &str = "ringspan.io/updates-allowed";
    /// On a ClientConfig: JSON object, namespace of the control plane → list of namespaces of the plane that its objects may be put
    /// into, see [`crate::grants`].
    pub const GRANTS: &str = "ringspan.io/grants";
    /// On seed slices: JSON object, name of the CassandraDatacenter → its UID, for each source of addresses.
    pub const SEED_SOURCES: &str = "ringspan.io/seed-sources";
    /// On a K8ssandraCluster: `Delete` (default) or `Orphan`.
    pub const DELETION_POLICY: &str = "ringspan.io/deletion-policy";
    /// On a K8ssandraCluster: `true` = we write nothing for it.
    pub const PAUSED: &str = "ringspan.io/paused";
    /// On a K8ssandraCluster: `confirm` = removal of a datacenter needs a second consent.
    pub const REMOVAL: &str = "ringspan.io/removal";
    /// On a K8ssandraCluster with [`REMOVAL`]: UIDs of the datacenters that may be removed, separated by commas.
    pub const CONFIRM_REMOVAL: &str = "ringspan.io/confirm-removal";
    /// On a K8ssandraCluster whose CRD is being deleted: its UID, as consent to delete the databases too.
    pub const CONFIRM_DELETE: &str = "ringspan.io/confirm-delete";
    /// On ConfigMaps that we make: name of the CassandraDatacenter whose pods mount them.
    pub const DATACENTER: &str = "ringspan.io/datacenter";
    /// On copies of Secrets: keyed mark of the content that was copied.
    pub const CONTENT_MARK: &str = "ringspan.io/content-mark";
    /// Upstream: change detection by hash.
    pub const RESOURCE_HASH: &str = "k8ssandra.io/resource-hash";
    /// Upstream: replication of the system keyspaces when the ring was founded, JSON object DC → factor.
    pub const INITIAL_SYSTEM_REPLICATION: &str = "k8ssandra.io/initial-system-replication";
    /// Upstream, written by the user: replication of user keyspaces for a new datacenter.
    pub const DC_REPLICATION: &str = "k8ssandra.io/dc-replication";
    /// Upstream: name of the datacenter that is being rebuilt.
    pub const REBUILD_DC: &str = "k8ssandra.io/rebuild-dc";
    /// Upstream, deprecated: datacenter to rebuild from.
    pub const REBUILD_SRC_DC: &str = "k8ssandra.io/rebuild-src-dc";
    /// Upstream: `always` or `once`, permits changes of datacenters without a change of the spec.
    pub const AUTOUPDATE_SPEC: &str = "k8ssandra.io/autoupdate-spec";
    /// Upstream: `true` on Secrets whose copies survive the ReplicatedSecret.
    pub const ORPHAN: &str = "replicatedresource.k8ssandra.io/orphan";
    /// cass-operator: `always` or `once`, permits it to change pods although the datacenter's spec has not changed. It takes
    /// `once` away when it is done.
    pub const DATACENTER_AUTOUPDATE_SPEC: &str = "cassandra.datastax.com/autoupdate-spec";
    /// cass-operator: `false` = a datacenter that is deleted leaves its volumes.
    pub const DELETE_PVC: &str = "cassandra.datastax.com/delete-pvc";
    /// cass-operator: `true` = no users are created by this datacenter.
    pub const SKIP_USER_CREATION: &str = "cassandra.datastax.com/skip-user-creation";
    /// cass-operator: nodes are decommissioned before the datacenter is deleted. Counts by presence.
    pub const DECOMMISSION_ON_DELETE: &str = "cassandra.datastax.com/decommission-on-delete";
}

/// Values of [`annotation::DELETION_POLICY`].
pub mod deletion_policy {
    /// What runs goes on when the cluster is deleted, and volumes outlive their datacenter.
    pub const ORPHAN: &str = "Orphan";
}

/// Finalizers.
pub mod finalizer {
    /// On K8ssandraClusters, as upstream writes it.
    pub const CLUSTER: &str = "k8ssandracluster.k8ssandra.io/finalizer";
    /// On ReplicatedSecrets, as upstream writes it.
    pub const REPLICATED_SECRET: &str = "replicatedresource.k8ssandra.io/finalizer";
    /// On K8ssandraTasks, as upstream writes it.
    pub const TASK: &str = "control.k8ssandra.io/finalizer";
}

/// Types of the conditions that we write.
pub mod condition {
    /// Everything that the spec asks for is there and serves.
    pub const READY: &str = "Ready";
    /// The spec is one that can be acted on.
    pub const ACCEPTED: &str = "Accepted";
    /// Upstream: every datacenter has been ready once. Never set False.
    pub const CASSANDRA_INITIALIZED: &str = "CassandraInitialized";
    /// Upstream: a datacenter would be written differently, and that is held.
    pub const REQUIRES_UPDATE: &str = "RequiresUpdate";
    /// The ring is not founded because something that must be known is not.
    pub const FOUNDING_HELD: &str = "FoundingHeld";
    /// Datacenters of one cluster do not know each other's nodes.
    pub const RING_SPLIT: &str = "RingSplit";
    /// Nodes serve nobody although their datacenters are Ready. There only while it is so.
    pub const NODES_DOWN: &str = "NodesDown";
    /// Fields for add-ons that nobody acts on.
    pub const ADDONS_MANAGED: &str = "AddonsManaged";
    /// ClientConfig: the plane can be used.
    pub const USABLE: &str = "Usable";
    /// ReplicatedSecret, as upstream writes it: one for each target.
    pub const REPLICATION: &str = "Replication";
}

/// Reasons of conditions, holds and events: CamelCase nouns.
pub mod reason {
    /// Everything is as it should be.
    pub const AS_SPECIFIED: &str = "AsSpecified";
    /// Work goes on and needs nobody.
    pub const PROGRESSING: &str = "Progressing";
    /// The object is being deleted.
    pub const DELETING: &str = "Deleting";
    /// `spec.cassandra` is missing.
    pub const CASSANDRA_MISSING: &str = "CassandraMissing";
    /// `spec.cassandra.datacenters` is empty.
    pub const NO_DATACENTERS: &str = "NoDatacenters";
    /// A value of the spec cannot be used; the message names the field.
    pub const INVALID_SPEC: &str = "InvalidSpec";
    /// Configuration that is cass-operator's business, or that runs commands.
    pub const RESERVED_CONFIG: &str = "ReservedConfig";
    /// A version that may not read what is there.
    pub const UNSUPPORTED_UPGRADE: &str = "UnsupportedUpgrade";
    /// An image without a digest.
    pub const IMAGE_NOT_PINNED: &str = "ImageNotPinned";
    /// Pods that may do more than Cassandra needs.
    pub const POD_PRIVILEGES: &str = "PodPrivileges";
    /// Two datacenters have one name.
    pub const DUPLICATE_DATACENTER: &str = "DuplicateDatacenter";
    /// No ClientConfig gives that context.
    pub const UNKNOWN_CONTEXT: &str = "UnknownContext";
    /// The owner of a plane does not let the namespace use it.
    pub const NOT_GRANTED: &str = "NotGranted";
    /// The owner of a plane lets the namespace use other namespaces of it, and not this one.
    pub const NAMESPACE_NOT_ALLOWED: &str = "NamespaceNotAllowed";
    /// A plane does not answer.
    pub const PLANE_UNREACHABLE: &str = "PlaneUnreachable";
    /// A plane answers, and cass-operator's CRDs are not there.
    pub const CASS_OPERATOR_MISSING: &str = "CassOperatorMissing";
    /// A plane refuses our credentials or a verb.
    pub const PLANE_FORBIDDEN: &str = "PlaneForbidden";
    /// Another plane or namespace than the recorded one.
    pub const PLACEMENT_CHANGED: &str = "PlacementChanged";
    /// An object of that name exists, and we did not make it.
    pub const NOT_OWNED: &str = "NotOwned";
    /// The record cannot be read.
    pub const RECORD_UNREADABLE: &str = "RecordUnreadable";
    /// A seed slice of a former datacenter lies where a ring would be founded.
    pub const STALE_SEED_SLICE: &str = "StaleSeedSlice";
    /// A datacenter that had been made is gone without our consent.
    pub const DATACENTER_VANISHED: &str = "DatacenterVanished";
    /// A datacenter that was abandoned with its plane is seen again.
    pub const ABANDONED: &str = "Abandoned";
    /// The cluster's generation is lower than one that datacenters carry: restored from an old backup.
    pub const HISTORY_REWOUND: &str = "HistoryRewound";
    /// The superuser Secret lacks `username` or `password`.
    pub const SUPERUSER_SECRET_INCOMPLETE: &str = "SuperuserSecretIncomplete";
    /// A Secret for an add-on's user lacks `username` or `password`.
    pub const SECRET_INCOMPLETE: &str = "SecretIncomplete";
    /// Copies of Secrets are not where a datacenter needs them yet.
    pub const SECRETS_PENDING: &str = "SecretsPending";
    /// The password of a keystore or truststore is not where the spec says.
    pub const STORE_PASSWORD_MISSING: &str = "StorePasswordMissing";
    /// A ConfigMap that a datacenter refers to is not in its plane.
    pub const CONFIG_MAP_MISSING: &str = "ConfigMapMissing";
    /// Seeds are not where a joining datacenter needs them yet.
    pub const SEEDS_PENDING: &str = "SeedsPending";
    /// A datacenter that would found the ring is stopped.
    pub const STOPPED_BEFORE_FOUNDING: &str = "StoppedBeforeFounding";
    /// A datacenter is not Ready yet.
    pub const DATACENTER_NOT_READY: &str = "DatacenterNotReady";
    /// A change would touch what nodes and data are known by.
    pub const IDENTITY_WOULD_CHANGE: &str = "IdentityWouldChange";
    /// The user has asked for nothing to be written.
    pub const PAUSED: &str = "Paused";
    /// Somebody else has set fields that a change would set to other values.
    pub const DRIFT_CONFLICT: &str = "DriftConflict";
    /// Something would be written differently without a change of the user's input.
    pub const CHANGE_PENDING: &str = "ChangePending";
    /// Keyspaces still have replicas in a datacenter that shall go.
    pub const REPLICAS_LEFT: &str = "ReplicasLeft";
    /// It is not known whether keyspaces have replicas in a datacenter that shall go.
    pub const REPLICATION_UNKNOWN: &str = "ReplicationUnknown";
    /// A datacenter that left the spec waits for the second consent that the cluster asks for.
    pub const REMOVAL_NOT_CONFIRMED: &str = "RemovalNotConfirmed";
    /// Nodes leave the ring.
    pub const DECOMMISSIONING: &str = "Decommissioning";
    /// Replication is being set.
    pub const REPLICATION_PENDING: &str = "ReplicationPending";
    /// Data is being streamed to a new datacenter.
    pub const REBUILDING: &str = "Rebuilding";
    /// A rebuild ended with failures.
    pub const REBUILD_FAILED: &str = "RebuildFailed";
    /// Nodes do not agree on the schema.
    pub const SCHEMA_DISAGREEMENT: &str = "SchemaDisagreement";
    /// Pods are not ready although nobody is at work there.
    pub const NODES_NOT_SERVING: &str = "NodesNotServing";
    /// No node of a datacenter answers its management API.
    pub const MANAGEMENT_API_UNREACHABLE: &str = "ManagementApiUnreachable";
    /// Two sides do not list each other's host ids.
    pub const HOST_IDS_DIFFER: &str = "HostIdsDiffer";
    /// The finalizer of a kind whose CRD goes too waits for consent.
    pub const CONFIRMATION_REQUIRED: &str = "ConfirmationRequired";
    /// A Secret that is never copied, whatever a selector says.
    pub const FORBIDDEN_SOURCE: &str = "ForbiddenSource";
    /// No Secret is selected.
    pub const SOURCE_MISSING: &str = "SourceMissing";
    /// A copy has another type than its source.
    pub const TYPE_MISMATCH: &str = "TypeMismatch";
    /// A copy is immutable and has another content than its source.
    pub const COPY_IMMUTABLE: &str = "CopyImmutable";
    /// Two sources have one place to be copied to.
    pub const TARGET_COLLISION: &str = "TargetCollision";
    /// Somebody undoes what we write, again and again.
    pub const FIELD_CONTENTION: &str = "FieldContention";
    /// Something shall go and cannot yet.
    pub const PENDING_REMOVAL: &str = "PendingRemoval";
    /// An API server understood a write and refuses it.
    pub const WRITE_REFUSED: &str = "WriteRefused";
    /// A namespace does not exist in a plane.
    pub const NAMESPACE_MISSING: &str = "NamespaceMissing";
    /// What kept something from being done is over.
    pub const NOT_HELD: &str = "NotHeld";
    /// Fields for add-ons are given, and nobody acts on them.
    pub const ADDONS_UNMANAGED: &str = "AddonsUnmanaged";
    /// A generation that a program has not answered.
    pub const CLUSTER_RECONCILER_SILENT: &str = "ClusterReconcilerSilent";
    /// A generation that a program has not answered.
    pub const TOPOLOGY_RECONCILER_SILENT: &str = "TopologyReconcilerSilent";
}
