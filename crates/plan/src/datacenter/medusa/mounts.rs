//! What Medusa's containers mount, and the volumes that are not cass-operator's.

use serde_json::{Map, Value, json};

use super::{Medusa, encryption, list, put, storage};
use crate::{naming, value};

/// Certificates of Medusa's own service.
pub(super) const GRPC_CERTIFICATES: &str = "/etc/certificates/grpc-server-certs";
/// Credentials of the storage.
pub(super) const STORAGE_SECRETS: &str = "/etc/medusa-secrets";
/// Certificates for Cassandra's management API.
pub(super) const MANAGEMENT_CERTIFICATES: &str = "/etc/encryption/mgmt";
/// Where a datacenter names the Secret with them.
pub(super) const MANAGEMENT_SECRET: &str = "/managementApiAuth/manual/clientSecretName";

/// What both containers mount, in order.
pub(super) fn mounts(medusa: &Medusa<'_>) -> Vec<Value> {
    let config_map = naming::medusa(medusa.facts.cluster);
    let mut mounts = vec![
        ("server-config".to_owned(), "/etc/cassandra".to_owned()),
        ("server-data".to_owned(), "/var/lib/cassandra".to_owned()),
        (config_map, "/etc/medusa".to_owned()),
        ("podinfo".to_owned(), "/etc/podinfo".to_owned()),
        ("medusa-tmp".to_owned(), "/tmp".to_owned()),
    ];
    let certificates = medusa.certificates.volumes();
    mounts.extend(
        certificates
            .into_iter()
            .map(|(volume, _, path)| (volume.to_owned(), path)),
    );
    if encryption(medusa.spec).is_some() {
        mounts.push(("grpc-server-certs".to_owned(), GRPC_CERTIFICATES.to_owned()));
    }
    mounts.extend(
        storage::secret(&medusa.storage).map(|secret| (secret.to_owned(), STORAGE_SECRETS.to_owned())),
    );
    if value::text(&medusa.facts.merged, MANAGEMENT_SECRET).is_some() {
        mounts.push(("mgmt-encryption".to_owned(), MANAGEMENT_CERTIFICATES.to_owned()));
    }
    let mount = |(name, path): (String, String)| json!({"name": name, "mountPath": path});
    mounts.into_iter().map(mount).collect()
}

/// Puts the volumes into a pod's spec; those of the user that have one of these names give way.
pub(super) fn place(medusa: &Medusa<'_>, spec: &mut Map<String, Value>) {
    let mut volumes = list(spec, "volumes");
    for volume in own(medusa) {
        put(&mut volumes, volume);
    }
    spec.insert("volumes".to_owned(), Value::Array(volumes));
}

fn own(medusa: &Medusa<'_>) -> Vec<Value> {
    let secret = |volume: &str, name: &str| json!({"name": volume, "secret": {"secretName": name}});
    let config_map = naming::medusa(medusa.facts.cluster);
    let labels = json!({"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}});
    let mut volumes = vec![json!({"name": config_map, "configMap": {"name": config_map}})];
    volumes.extend(storage::secret(&medusa.storage).map(|name| secret(name, name)));
    volumes.push(json!({"name": "podinfo", "downwardAPI": {"items": [labels]}}));
    let certificates = medusa.certificates.volumes();
    volumes.extend(
        certificates
            .into_iter()
            .map(|(volume, name, _)| secret(volume, name)),
    );
    let management = value::text(&medusa.facts.merged, MANAGEMENT_SECRET);
    volumes.extend(management.map(|name| secret("mgmt-encryption", name)));
    volumes.push(json!({"name": "medusa-tmp", "emptyDir": {}}));
    volumes.extend(encryption(medusa.spec).map(|it| secret("grpc-server-certs", &it.server_secret_name)));
    volumes
}
