//! The record of a K8ssandraCluster: annotation `ringspan.io/record`, JSON. It holds what cannot be seen
//! again, and each entry is written before the act that relies on it. Writer: cluster-reconciler.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::seen::PlaneId;

/// The only format so far.
pub const FORMAT: u32 = 1;

/// What cannot be seen again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// [`FORMAT`]; a record of a higher one is not touched.
    pub format: u32,
    /// UID of the K8ssandraCluster that the record was made for; another UID = no record.
    pub kc_uid: String,
    /// Name of the datacenter that founded the ring, or is allowed to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub founder: Option<String>,
    /// By name of the CassandraDatacenter.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub datacenters: BTreeMap<String, DatacenterRecord>,
    /// By UID of the CassandraDatacenter: those that were abandoned with their plane, and may still be there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub abandoned: BTreeMap<String, Abandoned>,
    /// How many times `k8ssandra.io/autoupdate-spec: once` was used up: tells one permission from the next.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub updates_allowed: u64,
}

/// What was left in a plane that was given up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Abandoned {
    /// Name of the CassandraDatacenter.
    pub name: String,
    /// Where it lives, if it does.
    pub plane_id: PlaneId,
    /// Its namespace there.
    pub namespace: String,
    /// Generation of the K8ssandraCluster at that time.
    pub generation: i64,
}

/// What is recorded of one datacenter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DatacenterRecord {
    /// How it came, or will come, into the ring.
    pub role: Role,
    /// Where it lives.
    pub plane_id: PlaneId,
    /// Its namespace there.
    pub namespace: String,
    /// UID of the CassandraDatacenter, once it was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// True once topology has verified the rebuild.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub joined: bool,
    /// Set before the delete: the consent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaving: Option<Leaving>,
    /// What one that was there before us was found with, until our first change of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<Found>,
}

/// What an adopted datacenter was found with: it carries no digest of its input, by which an edit could be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Found {
    /// Digest of the input then; empty where whoever made the datacenter had not acted on that input yet.
    pub input: String,
    /// Digest of the datacenter's spec then: another one = somebody else has changed it since.
    pub spec: String,
    /// Digest of the configuration of single nodes then: while it is the same, its pods are told what they were told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_node_config: Option<String>,
}

/// Consent to delete a datacenter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Leaving {
    /// UID of the CassandraDatacenter that may be deleted.
    pub uid: String,
    /// Generation of the K8ssandraCluster that no longer had it.
    pub generation: i64,
}

/// How a datacenter came into the ring; frozen at its creation. Also the value of annotation
/// `ringspan.io/join`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// It founded the ring.
    Founder,
    /// It joined the ring and was, or will be, rebuilt.
    Rebuild,
    /// It stands behind `additionalSeeds` or `externalDatacenters`: no rebuild by us.
    External,
    /// It was there before us.
    Adopted,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Role {
    /// As it stands in the annotation.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Founder => "founder",
            Role::Rebuild => "rebuild",
            Role::External => "external",
            Role::Adopted => "adopted",
        }
    }

    /// From the annotation; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Role::Founder, Role::Rebuild, Role::External, Role::Adopted]
            .into_iter()
            .find(|role| role.as_str() == text)
    }
}

/// What the annotation says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordState {
    /// No record for this K8ssandraCluster.
    None,
    /// This one.
    Known(Record),
    /// Unreadable, or of a later format: nothing may be founded, shrunk or deleted on it.
    Unreadable(String),
}

impl RecordState {
    /// Reads the annotation's text for the K8ssandraCluster with this UID.
    #[must_use]
    pub fn read(annotation: Option<&str>, kc_uid: &str) -> Self {
        let Some(text) = annotation else { return Self::None };
        match serde_json::from_str::<Record>(text) {
            Ok(record) if record.format > FORMAT => Self::Unreadable(format!(
                "its format is {}, and {FORMAT} is the highest that this version reads",
                record.format
            )),
            Ok(record) if record.kc_uid == kc_uid => Self::Known(record),
            Ok(_) => Self::None,
            Err(error) => Self::Unreadable(format!(
                "it is no record: line {}, column {}",
                error.line(),
                error.column()
            )),
        }
    }
}

impl Record {
    /// An empty record: never founded.
    #[must_use]
    pub fn new(kc_uid: &str) -> Self {
        Record {
            format: FORMAT,
            kc_uid: kc_uid.to_owned(),
            founder: None,
            datacenters: BTreeMap::new(),
            abandoned: BTreeMap::new(),
            updates_allowed: 0,
        }
    }

    /// The annotation's text: compact JSON, keys in order.
    #[must_use]
    pub fn to_annotation(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}
