//! Where backups go: what the cluster says over what a MedusaConfiguration says.

use api::k8ssandra_cluster::addons::{Medusa, MedusaStorage};
use api::names::reason;
use api::reports::Refusal;
use serde_json::{Map, Value, json};

use crate::validate::refusal;
use crate::value;

const FIELD: &str = "spec.medusa.storageProperties";
const REFERENCE: &str = "spec.medusa.medusaConfigurationRef.name";
const ROLE_BASED: &str = "role-based";

/// The storage, with everything that it must have.
pub(super) fn of(spec: &Medusa, configuration: Option<&Value>) -> Result<MedusaStorage, Refusal> {
    let storage = merged(spec, configuration)?;
    let needs = |given: Option<&String>, field: &str| match given.filter(|text| !text.is_empty()) {
        Some(_) => Ok(()),
        None => Err(invalid(
            &format!("{FIELD}.{field}"),
            "is given neither here nor by a MedusaConfiguration; without it there is nowhere to put backups"
                .into(),
        )),
    };
    needs(storage.storage_provider.as_ref(), "storageProvider")?;
    needs(storage.bucket_name.as_ref(), "bucketName")?;
    credentials(&storage)?;
    Ok(storage)
}

/// Credentials are a Secret, or a role that the pods have; not both, and one of them.
fn credentials(storage: &MedusaStorage) -> Result<(), Refusal> {
    let by_role = storage.credentials_type.as_deref() == Some(ROLE_BASED);
    match (secret(storage), by_role) {
        (Some(_), false) | (None, true) => Ok(()),
        (Some(name), true) => Err(invalid(
            &format!("{FIELD}.credentialsType"),
            format!(
                "is {ROLE_BASED}, so that Secret {name} would not be used; take out storageSecretRef or this"
            ),
        )),
        (None, false) => Err(invalid(
            &format!("{FIELD}.storageSecretRef"),
            format!(
                "is not given; name the Secret with the credentials, or set credentialsType to {ROLE_BASED}"
            ),
        )),
    }
}

/// The Secret with the credentials.
pub(super) fn secret(storage: &MedusaStorage) -> Option<&str> {
    let name = storage
        .storage_secret_ref
        .as_ref()
        .map(|reference| reference.name.as_str());
    name.filter(|name| !name.is_empty())
}

fn merged(spec: &Medusa, configuration: Option<&Value>) -> Result<MedusaStorage, Refusal> {
    let own = defaulted(json!(spec.storage_properties));
    let name = spec
        .medusa_configuration_ref
        .as_ref()
        .and_then(|reference| reference.name.as_deref());
    let Some(name) = name.filter(|name| !name.is_empty()) else {
        return read(own, FIELD);
    };
    if value::text(&own, "/prefix").is_none() {
        let message = "must be given where a MedusaConfiguration is used: clusters that share a bucket would mix their backups";
        return Err(invalid(&format!("{FIELD}.prefix"), message.into()));
    }
    let Some(configuration) = configuration else {
        let message = format!(
            "MedusaConfiguration {name} is not there in the cluster's namespace of the control plane; create it, or take \
             out the reference and give everything here"
        );
        return Err(invalid(REFERENCE, message));
    };
    let below = value::at(configuration, "/storageProperties")
        .cloned()
        .unwrap_or_default();
    read(overlay(&below, &own), REFERENCE)
}

/// What the schema fills in, so that a document that no API server has seen says the same. These two say something, and so
/// a MedusaConfiguration never has a say in them: as upstream has it.
fn defaulted(own: Value) -> Value {
    let Value::Object(mut storage) = own else {
        return own;
    };
    for (field, default) in [
        ("multiPartUploadThreshold", json!(104_857_600)),
        ("transferMaxBandwidth", json!("50MB/s")),
    ] {
        storage.entry(field).or_insert(default);
    }
    Value::Object(storage)
}

fn read(storage: Value, field: &str) -> Result<MedusaStorage, Refusal> {
    let storage = if storage.is_null() { json!({}) } else { storage };
    serde_json::from_value(storage)
        .map_err(|error| invalid(field, format!("its storageProperties cannot be read: {error}")))
}

/// The upper value over the lower one, key by key; `false`, 0 and an empty text say nothing.
pub(super) fn overlay(below: &Value, above: &Value) -> Value {
    match (below, above) {
        (Value::Object(below), Value::Object(above)) => {
            let keys = below
                .keys()
                .chain(above.keys().filter(|key| !below.contains_key(*key)));
            let field = |map: &Map<String, Value>, key: &str| map.get(key).cloned().unwrap_or_default();
            keys.map(|key| (key.clone(), overlay(&field(below, key), &field(above, key))))
                .collect()
        }
        (below, above) if says_nothing(above) && !below.is_null() => below.clone(),
        (_, above) => above.clone(),
    }
}

fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(_) => false,
    }
}

fn invalid(field: &str, message: String) -> Refusal {
    refusal(reason::INVALID_SPEC, field, message)
}
