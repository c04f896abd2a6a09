//! What a monitor sees: one write, and the API servers as they are right after it.

use std::cell::OnceCell;
use std::sync::Arc;

use fake_apiserver::Write;
use serde_json::Value;

use crate::world::CONTROL_PLANE;

/// A kind of object: API version and plural name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kind(pub &'static str, pub &'static str);

/// K8ssandraCluster.
pub(crate) const CLUSTERS: Kind = Kind("k8ssandra.io/v1alpha1", "k8ssandraclusters");
/// CassandraDatacenter.
pub(crate) const DATACENTERS: Kind = Kind("cassandra.datastax.com/v1beta1", "cassandradatacenters");
/// ReplicatedSecret.
pub(crate) const REPLICATED: Kind = Kind("replication.k8ssandra.io/v1alpha1", "replicatedsecrets");
/// ClientConfig.
pub(crate) const CONFIGS: Kind = Kind("config.k8ssandra.io/v1beta1", "clientconfigs");
/// Secret.
pub(crate) const SECRETS: Kind = Kind("v1", "secrets");
/// Pod.
pub(crate) const PODS: Kind = Kind("v1", "pods");
/// EndpointSlice.
pub(crate) const SLICES: Kind = Kind("discovery.k8s.io/v1", "endpointslices");
/// Definitions of kinds.
pub(crate) const DEFINITIONS: Kind = Kind("apiextensions.k8s.io/v1", "customresourcedefinitions");

/// All API servers, as they are now.
pub(crate) trait Look {
    /// One object of a plane.
    fn get(&self, plane: &str, kind: Kind, namespace: &str, name: &str) -> Option<Arc<Value>>;
    /// All objects of a kind in a plane.
    fn all(&self, plane: &str, kind: Kind) -> Vec<Arc<Value>>;
    /// The names of all planes, the control plane among them.
    fn planes(&self) -> Vec<&str>;
    /// How many rings live under each name of a Cassandra cluster.
    fn rings(&self) -> std::collections::BTreeMap<String, u32>;
    /// All that the rings tell of themselves. It is long.
    fn nodes(&self) -> Value;
}

/// One write, where it happened, and what is there now.
pub(crate) struct Sight<'a> {
    /// The plane.
    pub plane: &'a str,
    /// The write.
    pub write: &'a Write,
    /// All planes.
    pub look: &'a dyn Look,
    body: OnceCell<Value>,
}

impl<'a> Sight<'a> {
    /// Of one write.
    pub fn of(plane: &'a str, write: &'a Write, look: &'a dyn Look) -> Self {
        Self {
            plane,
            write,
            look,
            body: OnceCell::new(),
        }
    }

    /// The program that wrote, without `ringspan-`; `None`: none of ours.
    pub fn program(&self) -> Option<&'a str> {
        self.write.user_agent.strip_prefix("ringspan-")
    }

    /// The object before.
    pub fn before(&self) -> Option<&'a Value> {
        self.write.before.as_deref()
    }

    /// The object after.
    pub fn after(&self) -> Option<&'a Value> {
        self.write.after.as_deref()
    }

    /// The request's body; null when it is no JSON.
    pub fn body(&self) -> &Value {
        self.body
            .get_or_init(|| serde_json::from_slice(&self.write.body).unwrap_or_default())
    }

    /// Whether an object is there that was not there before.
    pub fn creates(&self) -> bool {
        self.write.before.is_none() && self.write.after.is_some()
    }

    /// Whether the object is gone by this write, or is going from now on.
    pub fn deletes(&self) -> bool {
        let going = |object: Option<&Value>| object.is_some_and(is_going);
        self.before().is_some() && !going(self.before()) && (self.after().is_none() || going(self.after()))
    }

    /// Whether it is about the control plane.
    pub fn in_control_plane(&self) -> bool {
        self.plane == CONTROL_PLANE
    }
}

/// A text in an object; empty when there is none.
pub(crate) fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// A label; empty when there is none.
pub(crate) fn label<'a>(object: &'a Value, key: &str) -> &'a str {
    object["metadata"]["labels"][key].as_str().unwrap_or_default()
}

/// An annotation; empty when there is none.
pub(crate) fn annotation<'a>(object: &'a Value, key: &str) -> &'a str {
    object["metadata"]["annotations"][key]
        .as_str()
        .unwrap_or_default()
}

/// Entries of a list; none when there is no list.
pub(crate) fn list<'a>(object: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    let list = object.pointer(pointer).and_then(Value::as_array);
    list.into_iter().flatten()
}

/// Whether an object is being deleted.
pub(crate) fn is_going(object: &Value) -> bool {
    object["metadata"]["deletionTimestamp"].is_string()
}

/// Whether a condition of an object is True.
pub(crate) fn holds(object: &Value, condition: &str) -> bool {
    list(object, "/status/conditions").any(|it| it["type"] == condition && it["status"] == "True")
}
