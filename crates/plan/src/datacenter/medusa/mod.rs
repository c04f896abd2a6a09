//! What Medusa gives a datacenter: two containers in each pod, what they mount, a user in Cassandra, and a ConfigMap.
//!
//! * `storage`: where backups go, merged with a MedusaConfiguration
//! * `certificates`: how Medusa proves who it is to Cassandra
//! * `ini`: the configuration that both containers read
//! * `containers`, `mounts`: what is put into the pods
//! * `injection`: which Secret a webhook may bring into the containers
//!
//! Who makes backups, restores and purges is another program.

mod certificates;
mod containers;
mod ini;
mod injection;
mod mounts;
mod storage;

use std::collections::BTreeMap;

use api::k8ssandra_cluster::addons::{Medusa as MedusaSpec, MedusaEncryption, MedusaStorage};
use api::reports::Refusal;
use serde_json::{Map, Value, json};

use super::metadata::{cleanup_labels, marks};
use super::{DatacenterInput, DesiredConfigMap, Facts};
use crate::images::{self, Image};
use crate::{naming, value};
use certificates::Certificates;
use containers::Probes;

/// Key of the ConfigMap.
const KEY: &str = "medusa.ini";
/// Where it listens, unless the user says otherwise.
const PORT: i64 = 50051;
/// On the CassandraDatacenter: Secret with which a client proves who it is.
const CLIENT_SECRET: &str = "medusa.k8ssandra.io/grpc-client-secret-name";
/// On the CassandraDatacenter: the port that the user gave.
const GRPC_PORT: &str = "medusa.k8ssandra.io/grpc-port";

/// Medusa in one datacenter.
#[derive(Clone, Debug)]
pub(super) struct Medusa<'a> {
    facts: &'a Facts<'a>,
    spec: &'a MedusaSpec,
    storage: MedusaStorage,
    certificates: Certificates<'a>,
    probes: Probes,
    image: Image,
    pull_secrets: Vec<String>,
    /// Metadata of pods that says, beside what the user wrote, which Secret a webhook may bring.
    injection: Option<String>,
}

/// What the datacenter has; `None` where the cluster makes no backups.
pub(super) fn of<'a>(
    facts: &'a Facts<'a>,
    input: &DatacenterInput<'_>,
) -> Result<Option<Medusa<'a>>, Refusal> {
    let Some(spec) = &facts.kc.spec.medusa else {
        return Ok(None);
    };
    let images = input.references.images()?;
    let mut pull_secrets = images.pull_secrets(images::MEDUSA);
    let given = spec.container_image.as_ref();
    pull_secrets.extend(
        given
            .and_then(|image| image.pull_secret_ref.as_ref())
            .map(|it| it.name.clone()),
    );
    Ok(Some(Medusa {
        facts,
        spec,
        storage: storage::of(spec, input.references.medusa_configuration.as_ref())?,
        certificates: certificates::of(facts, spec)?,
        probes: containers::probes(spec, &tls_files(spec))?,
        image: images.image(images::MEDUSA).with(given),
        pull_secrets,
        injection: injection::of(facts, &user_secret(facts, spec))?,
    }))
}

/// Secret with Medusa's user in Cassandra.
fn user_secret(facts: &Facts<'_>, spec: &MedusaSpec) -> String {
    let given = spec
        .cassandra_user_secret_ref
        .as_ref()
        .map(|reference| &reference.name);
    given
        .filter(|name| !name.is_empty())
        .cloned()
        .unwrap_or_else(|| naming::medusa(facts.cluster))
}

fn encryption(spec: &MedusaSpec) -> Option<&MedusaEncryption> {
    spec.service_properties.as_ref()?.encryption.as_ref()
}

/// The port that the user gave.
fn given_port(spec: &MedusaSpec) -> Option<i64> {
    let given = spec.service_properties.as_ref()?.grpc_port;
    given.filter(|port| *port != 0)
}

/// Files with which the service proves who it is: option's name and path. None without encryption.
fn tls_files(spec: &MedusaSpec) -> Vec<(&'static str, String)> {
    let files = [
        ("ca_cert", "ca.crt"),
        ("tls_cert", "tls.crt"),
        ("tls_key", "tls.key"),
    ];
    let path = |(option, file)| (option, format!("{}/{file}", mounts::GRPC_CERTIFICATES));
    encryption(spec).map_or_else(Vec::new, |_| files.map(path).into())
}

impl Medusa<'_> {
    /// The configuration; the datacenters of a cluster that are in one namespace share it.
    pub(super) fn config_map(&self) -> DesiredConfigMap {
        DesiredConfigMap {
            namespace: self.facts.namespace.clone(),
            name: naming::medusa(self.facts.cluster),
            labels: cleanup_labels(self.facts),
            annotations: marks(self.facts),
            data: BTreeMap::from([(KEY.to_owned(), ini::of(self))]),
            shared: true,
        }
    }

    /// What the CassandraDatacenter is told, so that whoever makes backups can reach the pods.
    pub(super) fn annotations(&self) -> BTreeMap<String, String> {
        let client = encryption(self.spec)
            .map(|encryption| (CLIENT_SECRET.to_owned(), encryption.client_secret_name.clone()));
        let port = given_port(self.spec).map(|port| (GRPC_PORT.to_owned(), port.to_string()));
        client.into_iter().chain(port).collect()
    }

    /// Secret with the user in Cassandra; none where something else provides Secrets.
    pub(super) fn user_secret(&self) -> Option<String> {
        (!self.facts.kc.spec.has_external_secrets()).then(|| user_secret(self.facts, self.spec))
    }

    /// Puts containers and volumes into a pod template.
    pub(super) fn mount(&self, metadata: &mut Map<String, Value>, spec: &mut Map<String, Value>) {
        if let (Some(text), Some(annotations)) = (&self.injection, metadata.get_mut("annotations")) {
            annotations[injection::KEY] = Value::from(text.as_str());
        }
        containers::place(self, spec);
        mounts::place(self, spec);
        let mut secrets = list(spec, "imagePullSecrets");
        for name in &self.pull_secrets {
            if !secrets
                .iter()
                .any(|secret| value::text(secret, "/name") == Some(name))
            {
                secrets.push(json!({"name": name}));
            }
        }
        value::set(spec, "imagePullSecrets", value::not_empty(Value::Array(secrets)));
    }
}

/// The items of a list of a pod's spec.
fn list(spec: &Map<String, Value>, field: &str) -> Vec<Value> {
    spec.get(field)
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default()
}

/// Puts an item in the place of the one with its name, else at the end.
fn put(items: &mut Vec<Value>, item: Value) {
    let name = value::text(&item, "/name");
    match items.iter_mut().find(|there| value::text(there, "/name") == name) {
        Some(there) => *there = item,
        None => items.push(item),
    }
}
