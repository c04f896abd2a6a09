//! What k8ssandra-operator makes for add-ons beside a datacenter, as far as it is cleaned up after it: of each object the
//! metadata. The kinds of the add-ons come with K8ssandra, and a server may not know them.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::custom_object::custom_resource;

/// A kind of which nothing but the metadata is read.
macro_rules! metadata_of {
    ($(#[$outer:meta])* $kind:ident, $plural:literal, $group:literal, $version:literal) => {
        $(#[$outer])*
        #[derive(Clone, Debug, serde::Deserialize, serde::Serialize)]
        pub struct $kind {
            /// Name, namespace, labels and so on.
            pub metadata: ObjectMeta,
        }

        custom_resource!($kind, $plural, $group, $version);
    };
}

metadata_of! {
    /// A Stargate beside a datacenter.
    Stargate, "stargates", "stargate.k8ssandra.io", "v1alpha1"
}

metadata_of! {
    /// A Reaper beside a datacenter.
    Reaper, "reapers", "reaper.k8ssandra.io", "v1alpha1"
}

metadata_of! {
    /// A Deployment: Medusa's service that tells of backups.
    Deployment, "deployments", "apps", "v1"
}

metadata_of! {
    /// A Service over such pods.
    Service, "services", "", "v1"
}

metadata_of! {
    /// A `CronJob`: a schedule by which Medusa purges backups.
    CronJob, "cronjobs", "batch", "v1"
}

/// Which kind of object; in the order in which they are deleted: what would make others anew goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AddonKind {
    /// [`Stargate`].
    Stargate,
    /// [`Reaper`].
    Reaper,
    /// Of group `batch`.
    CronJob,
    /// Of group `apps`.
    Deployment,
    /// Of the core group.
    Service,
}

impl AddonKind {
    /// All of them.
    pub const ALL: [AddonKind; 5] = [
        AddonKind::Stargate,
        AddonKind::Reaper,
        AddonKind::CronJob,
        AddonKind::Deployment,
        AddonKind::Service,
    ];

    /// As it stands in `kind`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            AddonKind::Stargate => "Stargate",
            AddonKind::Reaper => "Reaper",
            AddonKind::CronJob => "CronJob",
            AddonKind::Deployment => "Deployment",
            AddonKind::Service => "Service",
        }
    }
}
