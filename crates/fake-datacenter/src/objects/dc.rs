//! A CassandraDatacenter, read.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::json::{self, text};
use crate::names::{
    self, clean_label_value, cleanup_for_kubernetes, cleanup_subdomain, seed_count, split_racks,
};
use crate::ring::Identity;

/// One rack as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rack {
    /// Its name.
    pub name: String,
    /// How many nodes it should have.
    pub nodes: usize,
    /// How many of them are seeds.
    pub seeds: usize,
}

/// A CassandraDatacenter as the API server holds it.
#[derive(Clone, Debug)]
pub struct Dc(pub Value);

impl Dc {
    /// The object's name.
    #[must_use]
    pub fn name(&self) -> &str {
        json::name(&self.0)
    }

    /// Its namespace.
    #[must_use]
    pub fn namespace(&self) -> &str {
        text(&self.0, "/metadata/namespace")
    }

    /// The cluster name as written.
    #[must_use]
    pub fn cluster(&self) -> &str {
        text(&self.0, "/spec/clusterName")
    }

    /// The cluster name as a part of object names.
    #[must_use]
    pub fn cluster_prefix(&self) -> String {
        cleanup_for_kubernetes(self.cluster())
    }

    /// Cluster and datacenter as a part of object names.
    #[must_use]
    pub fn prefix(&self) -> String {
        format!(
            "{}-{}",
            self.cluster_prefix(),
            cleanup_for_kubernetes(self.name())
        )
    }

    /// The name of the service of seeds elsewhere.
    #[must_use]
    pub fn additional_seed_service(&self) -> String {
        format!("{}-additional-seed-service", self.prefix())
    }

    /// The StatefulSet of a rack.
    #[must_use]
    pub fn stateful_set_name(&self, rack: &str) -> String {
        format!("{}-{}-sts", self.prefix(), cleanup_subdomain(rack))
    }

    /// Whether the user wants it stopped.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.0
            .pointer("/spec/stopped")
            .and_then(Value::as_bool)
            .unwrap_or(false)
    }

    /// The wanted number of nodes.
    #[must_use]
    pub fn size(&self) -> usize {
        usize::try_from(json::number(&self.0, "/spec/size")).unwrap_or(0)
    }

    /// The names of its racks; one named `default` when none is given.
    #[must_use]
    pub fn rack_names(&self) -> Vec<String> {
        let racks: Vec<_> = json::list(&self.0, "/spec/racks")
            .iter()
            .map(|rack| text(rack, "/name").to_owned())
            .collect();
        if racks.is_empty() {
            vec!["default".to_owned()]
        } else {
            racks
        }
    }

    /// Its racks with `nodes` nodes spread over them.
    #[must_use]
    pub fn racks(&self, nodes: usize) -> Vec<Rack> {
        let names = self.rack_names();
        let counts = split_racks(nodes, names.len());
        let seeds = split_racks(seed_count(nodes, names.len()), names.len());
        names
            .into_iter()
            .zip(counts.into_iter().zip(seeds))
            .map(|(name, (nodes, seeds))| Rack { name, nodes, seeds })
            .collect()
    }

    /// Labels that pick its pods.
    #[must_use]
    pub fn selector(&self) -> Map<String, Value> {
        let mut labels = Map::new();
        labels.insert(names::CLUSTER.into(), clean_label_value(self.cluster()).into());
        labels.insert(names::DATACENTER.into(), self.name().into());
        labels
    }

    /// Labels of everything that the operator makes for this datacenter, without its own two.
    #[must_use]
    pub fn operator_labels(&self) -> Map<String, Value> {
        let mut labels = Map::new();
        let additional = self
            .0
            .pointer("/spec/additionalLabels")
            .and_then(Value::as_object);
        for (key, value) in additional.into_iter().flatten() {
            labels.insert(
                key.clone(),
                clean_label_value(value.as_str().unwrap_or_default()).into(),
            );
        }
        let instance = format!("cassandra-{}", clean_label_value(self.cluster()));
        for (key, value) in [
            ("app.kubernetes.io/created-by", "cass-operator"),
            ("app.kubernetes.io/instance", instance.as_str()),
            ("app.kubernetes.io/managed-by", "cass-operator"),
            ("app.kubernetes.io/name", "cassandra"),
            ("app.kubernetes.io/version", text(&self.0, "/spec/serverVersion")),
        ] {
            labels.insert(key.into(), value.into());
        }
        labels
    }

    /// Labels of everything that the operator makes for this datacenter.
    #[must_use]
    pub fn labels(&self) -> Map<String, Value> {
        let mut labels = self.operator_labels();
        labels.extend(self.selector());
        labels
    }

    /// The annotations that the user wants on everything.
    #[must_use]
    pub fn additional_annotations(&self) -> Map<String, Value> {
        self.0
            .pointer("/spec/additionalAnnotations")
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default()
    }

    /// The owner reference of what the operator makes.
    #[must_use]
    pub fn owner(&self) -> Value {
        json!({
            "apiVersion": "cassandra.datastax.com/v1beta1",
            "kind": "CassandraDatacenter",
            "name": self.name(),
            "uid": json::uid(&self.0),
            "controller": true,
            "blockOwnerDeletion": true,
        })
    }

    /// The Secret with the superuser, and whether the user named it.
    #[must_use]
    pub fn superuser_secret(&self) -> (String, bool) {
        match text(&self.0, "/spec/superuserSecretName") {
            "" => (format!("{}-superuser", self.cluster_prefix()), false),
            named => (named.to_owned(), true),
        }
    }

    /// Secrets of further users, and whether each is a superuser.
    #[must_use]
    pub fn user_secrets(&self) -> Vec<(String, bool)> {
        let is_superuser = |user: &Value| user.get("superuser").and_then(Value::as_bool).unwrap_or(false);
        let users = json::list(&self.0, "/spec/users").iter();
        users
            .map(|user| (text(user, "/secretName").to_owned(), is_superuser(user)))
            .collect()
    }

    /// Whether this datacenter creates no roles.
    #[must_use]
    pub fn skips_users(&self) -> bool {
        json::annotation(&self.0, names::SKIP_USERS) == Some("true")
    }

    /// The datacenter's name in Cassandra.
    #[must_use]
    pub fn cassandra_name(&self) -> &str {
        match text(&self.0, "/spec/datacenterName") {
            "" => self.name(),
            name => name,
        }
    }

    /// Who a node of this datacenter is.
    #[must_use]
    pub fn identity(&self, rack: &str) -> Identity {
        let tokens = json::number(&self.0, "/spec/config/cassandra-yaml/num_tokens");
        Identity {
            cluster: self.cluster().to_owned(),
            datacenter: self.cassandra_name().to_owned(),
            rack: rack.to_owned(),
            tokens: u32::try_from(tokens)
                .ok()
                .filter(|tokens| *tokens > 0)
                .unwrap_or(16),
            system_replication: self.system_replication(),
        }
    }

    /// What the JVM option for the system keyspaces says, as `<datacenter>:<factor>` separated by commas.
    fn system_replication(&self) -> BTreeMap<String, u32> {
        let config = self
            .0
            .pointer("/spec/config")
            .map(ToString::to_string)
            .unwrap_or_default();
        let Some((_, rest)) = config.split_once("cassandra.system_distributed_replication=") else {
            return BTreeMap::new();
        };
        let value = rest.split(['"', ' ', '\\']).next().unwrap_or_default();
        let pairs = value.split(',').filter_map(|pair| pair.split_once(':'));
        pairs
            .filter_map(|(name, factor)| Some((name.to_owned(), factor.parse().ok()?)))
            .collect()
    }

    /// The object as the operator's first write makes it: its finalizer, and empty objects where nothing was given.
    #[must_use]
    pub fn with_defaults(&self) -> Value {
        let mut filled = self.0.clone();
        if json::annotation(&self.0, names::NO_FINALIZER).is_none() {
            let mut finalizers = json::list(&self.0, "/metadata/finalizers").to_vec();
            if !finalizers.contains(&names::FINALIZER.into()) {
                finalizers.push(names::FINALIZER.into());
            }
            filled["metadata"]["finalizers"] = finalizers.into();
        }
        let fill = |place: &mut Value, key: &str| {
            if place.get(key).is_none_or(Value::is_null) {
                place[key] = json!({});
            }
        };
        for key in [
            "additionalServiceConfig",
            "configBuilderResources",
            "managementApiAuth",
            "resources",
            "systemLoggerResources",
        ] {
            fill(&mut filled["spec"], key);
        }
        for key in [
            "additionalSeedService",
            "allpodsService",
            "dcService",
            "nodePortService",
            "seedService",
        ] {
            fill(&mut filled["spec"]["additionalServiceConfig"], key);
        }
        filled
    }
}
