//! EndpointSlices and headless Services, as slim as topology needs them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use serde_json::{Value, json};

use api::names::label;

use super::Cluster;

/// Kubernetes takes at most so many addresses in one endpoint.
const ADDRESSES_PER_ENDPOINT: usize = 100;

/// Family of a slice's addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// Both.
    pub const ALL: [Family; 2] = [Family::V4, Family::V6];

    /// `addressType` of a slice.
    #[must_use]
    pub fn address_type(self) -> &'static str {
        match self {
            Family::V4 => "IPv4",
            Family::V6 => "IPv6",
        }
    }

    /// From the `addressType` of a slice; `None` for host names.
    #[must_use]
    pub fn parse(address_type: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|family| family.address_type() == address_type)
    }

    /// End of a slice's name.
    #[must_use]
    pub fn suffix(self) -> &'static str {
        match self {
            Family::V4 => "ipv4",
            Family::V6 => "ipv6",
        }
    }

    /// The addresses of this family.
    #[must_use]
    pub fn of(self, addresses: &BTreeSet<IpAddr>) -> BTreeSet<IpAddr> {
        addresses
            .iter()
            .copied()
            .filter(|address| address.is_ipv4() == (self == Family::V4))
            .collect()
    }
}

/// A port of a slice or Service.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Port {
    /// Its name; empty where it has none.
    pub name: String,
    /// Its number.
    pub port: i32,
    /// `TCP`, `UDP` or `SCTP`.
    pub protocol: String,
}

impl Port {
    pub(super) fn to_json(&self) -> Value {
        if self.name.is_empty() {
            return json!({ "port": self.port, "protocol": self.protocol });
        }
        json!({ "name": self.name, "port": self.port, "protocol": self.protocol })
    }
}

/// Kind and UID of an owner.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owner {
    /// Kind of the owner.
    pub kind: String,
    /// Its UID.
    pub uid: String,
}

/// An EndpointSlice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slice {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Its UID.
    pub uid: String,
    /// The version that was seen.
    pub resource_version: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// Its owners.
    pub owners: Vec<Owner>,
    /// Family of its addresses.
    pub family: Family,
    /// Its addresses, ready or not.
    pub addresses: BTreeSet<IpAddr>,
    /// Pods behind it that are not ready, where somebody wants to know.
    pub not_serving: BTreeSet<String>,
    /// Its ports, in order.
    pub ports: Vec<Port>,
}

/// A headless Service without selector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headless {
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
    /// The version that was seen.
    pub resource_version: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// Its owners.
    pub owners: Vec<Owner>,
    /// Its ports, in order.
    pub ports: Vec<Port>,
}

/// Whose an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// It carries this cluster's UID.
    Ours,
    /// Made by upstream for what has this name.
    Upstream,
    /// Somebody else's.
    Foreign,
}

impl Slice {
    /// Value of a label; empty where there is none.
    #[must_use]
    pub fn label(&self, key: &str) -> &str {
        self.labels.get(key).map(String::as_str).unwrap_or_default()
    }

    /// Whose a seed slice is. Upstream puts no name of the cluster on it, so its manager must do.
    pub(super) fn claim_as_seeds(&self, cluster: &Cluster) -> Claim {
        match (
            self.label(label::CLUSTER_UID),
            self.label(label::SLICE_MANAGED_BY),
        ) {
            (uid, _) if uid == cluster.uid => Claim::Ours,
            ("", label::SLICE_MANAGER) => Claim::Upstream,
            _ => Claim::Foreign,
        }
    }
}

/// Whose an object with contact points is: ours by its owner, upstream's by its labels.
pub(super) fn claim_as_contact_points(
    cluster: &Cluster,
    owners: &[Owner],
    labels: &BTreeMap<String, String>,
) -> Claim {
    let is = |key: &str, value: &str| labels.get(key).is_some_and(|found| found == value);
    let labelled = is(label::CLUSTER_NAME, &cluster.name) && is(label::CLUSTER_NAMESPACE, &cluster.namespace);
    match owners.iter().find(|owner| owner.kind == "K8ssandraCluster") {
        Some(owner) if owner.uid == cluster.uid => Claim::Ours,
        None if labelled => Claim::Upstream,
        Some(_) | None => Claim::Foreign,
    }
}

/// Whether `seen` has everything of `wanted`.
pub(super) fn has_all(seen: &BTreeMap<String, String>, wanted: &BTreeMap<String, String>) -> bool {
    wanted.iter().all(|(key, value)| seen.get(key) == Some(value))
}

/// One endpoint with all addresses, as upstream writes it, or as few as Kubernetes takes.
pub(super) fn endpoints_together(addresses: &BTreeSet<IpAddr>) -> Value {
    let all: Vec<String> = addresses.iter().map(IpAddr::to_string).collect();
    all.chunks(ADDRESSES_PER_ENDPOINT)
        .map(|some| json!({ "addresses": some }))
        .collect()
}

/// One endpoint for each address.
pub(super) fn endpoints_apart(addresses: &BTreeSet<IpAddr>) -> Value {
    addresses
        .iter()
        .map(|address| json!({ "addresses": [address.to_string()] }))
        .collect()
}

/// The address, if some node of a ring can have it. One that means a machine itself or its link would turn the
/// nodes of one plane against their own neighbours.
#[must_use]
pub fn seed_address(text: &str) -> Option<IpAddr> {
    let address: IpAddr = text.parse().ok()?;
    let canonical = address.to_canonical();
    let on_the_link = match canonical {
        IpAddr::V4(v4) => v4.is_link_local() || v4.is_broadcast(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    let refused =
        on_the_link || canonical.is_loopback() || canonical.is_unspecified() || canonical.is_multicast();
    (!refused).then_some(canonical)
}
