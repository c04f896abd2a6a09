//! What a CassandraDatacenter that is there already says, as far as it binds us.

use std::collections::BTreeMap;
use std::fmt;

use api::cass_operator::CassandraDatacenter;
use api::names::annotation;
use serde_json::Value;

use super::redacted;
use crate::value;
use crate::version::Version;

/// What the founder's option begins with.
pub(super) const SYSTEM_REPLICATION: &str = "-Dcassandra.system_distributed_replication=";

/// A CassandraDatacenter as it is now.
#[derive(Clone, Default, PartialEq)]
pub struct LiveDatacenter {
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// Its spec.
    pub spec: Value,
}

/// Passwords stand in the spec.
impl fmt::Debug for LiveDatacenter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveDatacenter")
            .field("name", &self.name)
            .field("labels", &self.labels)
            .field("annotations", &self.annotations)
            .field("spec", &redacted(&self.spec))
            .finish()
    }
}

impl From<&CassandraDatacenter> for LiveDatacenter {
    fn from(datacenter: &CassandraDatacenter) -> Self {
        Self {
            name: datacenter.metadata.name.clone().unwrap_or_default(),
            labels: datacenter.metadata.labels.clone().unwrap_or_default(),
            annotations: datacenter.metadata.annotations.clone().unwrap_or_default(),
            spec: serde_json::to_value(&datacenter.spec).unwrap_or_default(),
        }
    }
}

impl LiveDatacenter {
    /// Name of the superuser Secret. cass-operator never lets it change.
    pub(crate) fn superuser_secret(&self) -> Option<&str> {
        value::text(&self.spec, "/superuserSecretName")
    }

    /// Version of what runs.
    pub(crate) fn version(&self) -> Option<Version> {
        Version::parse(value::text(&self.spec, "/serverVersion")?)
    }

    /// How many tokens each node has, if the configuration says so.
    pub(crate) fn num_tokens(&self) -> Option<&Value> {
        value::at(&self.spec, "/config/cassandra-yaml/num_tokens")
    }

    /// The option by which it was told how to replicate the system keyspaces at the founding.
    pub(super) fn system_replication(&self) -> Option<&str> {
        let mut options = value::items(&self.spec, "/config/cassandra-env-sh/additional-jvm-opts").iter();
        options.find_map(|option| {
            option
                .as_str()
                .filter(|option| option.starts_with(SYSTEM_REPLICATION))
        })
    }

    /// Whether its pods mount a ConfigMap as an additional volume.
    pub(crate) fn mounts(&self, config_map: &str) -> bool {
        let names = |list: &str, name: &str| {
            let mut volumes = value::items(&self.spec, list).iter();
            volumes.any(|volume| value::text(volume, name) == Some(config_map))
        };
        names("/storageConfig/additionalVolumes", "/volumeSource/configMap/name")
            || names("/podTemplateSpec/spec/volumes", "/configMap/name")
    }

    /// Whether it creates no users.
    pub(super) fn skips_users(&self) -> bool {
        self.annotations.contains_key(annotation::SKIP_USER_CREATION)
    }
}
