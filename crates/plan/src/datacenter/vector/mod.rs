//! Vector beside Cassandra: the container that cass-operator runs for logs anyway, with a pipeline of its own.
//!
//! * `pipeline`: the parts, those of the user first, and which of them are used
//! * `defaults`: the parts that are there by themselves
//! * `interval`: durations as users write them

mod defaults;
mod interval;
mod pipeline;

use std::collections::BTreeMap;

use api::names::reason;
use api::reports::Refusal;
use serde_json::{Value, json};

use super::metadata::{cleanup_labels, marks, of_cluster};
use super::{DesiredConfigMap, Facts, is_mcac_enabled};
use crate::validate::refusal;
use crate::{naming, value};

/// Its container, which cass-operator makes.
pub(super) const CONTAINER: &str = "server-system-logger";
const KEY: &str = "vector.toml";
const FOLDER: &str = "/etc/vector";
const VOLUME: &str = "vector-config";
/// Ports that a process without rights may open, but for the first: as upstream counts them.
const PORTS: std::ops::RangeInclusive<u32> = 1025..=65535;
/// Where the metrics agent serves by itself, and where the old collector does.
const AGENT_PORT: u32 = 9000;
const COLLECTOR: &str = "http://localhost:9103";
/// Seconds between two readings.
const INTERVAL: u64 = 30;

/// Where metrics are read, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Scrape {
    url: String,
    seconds: u64,
    /// Paths of authority, certificate and key.
    certificates: Option<[String; 3]>,
}

/// It runs only where the user asks for it.
fn is_enabled(facts: &Facts<'_>) -> bool {
    value::flag(&facts.merged, "/telemetry/vector/enabled") == Some(true)
}

fn name(facts: &Facts<'_>) -> String {
    naming::vector_config_map(facts.cluster, facts.template.cassandra_name())
}

/// Whether what the user says of it can be used.
pub(crate) fn check(facts: &Facts<'_>) -> Result<(), Refusal> {
    if is_enabled(facts) {
        scrape(facts)?;
    }
    Ok(())
}

/// The ConfigMap with its pipeline.
pub(super) fn config_map(facts: &Facts<'_>) -> Result<Option<DesiredConfigMap>, Refusal> {
    if !is_enabled(facts) {
        return Ok(None);
    }
    let mut labels = of_cluster(facts, "/commonLabels");
    labels.extend(cleanup_labels(facts));
    let mut annotations = of_cluster(facts, "/commonAnnotations");
    annotations.extend(marks(facts));
    let empty = json!({});
    let given = value::at(&facts.merged, "/telemetry/vector").unwrap_or(&empty);
    let text = pipeline::text(given, &defaults::parts(&scrape(facts)?));
    Ok(Some(DesiredConfigMap {
        namespace: facts.namespace.clone(),
        name: name(facts),
        labels,
        annotations,
        data: BTreeMap::from([(KEY.to_owned(), text)]),
        shared: false,
    }))
}

/// Name of the ConfigMap, where it has no use.
pub(super) fn switched_off(facts: &Facts<'_>) -> Option<String> {
    (!is_enabled(facts)).then(|| name(facts))
}

/// The volume by which the pods have it.
pub(super) fn volume(facts: &Facts<'_>) -> Option<Value> {
    let volume =
        || json!({"name": VOLUME, "mountPath": FOLDER, "volumeSource": {"configMap": {"name": name(facts)}}});
    is_enabled(facts).then(volume)
}

/// Resources of its container, where the container itself names none.
pub(super) fn resources(facts: &Facts<'_>) -> Option<Value> {
    if !is_enabled(facts) {
        return None;
    }
    let given = value::at(&facts.merged, "/telemetry/vector/resources").cloned();
    Some(given.unwrap_or_else(
        || json!({"requests": {"cpu": "200m", "memory": "128Mi"}, "limits": {"cpu": "2", "memory": "2Gi"}}),
    ))
}

/// Names its container in the pod template, with the image that the user wants it to have.
pub(super) fn put_into(facts: &Facts<'_>, containers: &mut Vec<Value>) {
    if !is_enabled(facts) {
        return;
    }
    let at = containers
        .iter()
        .position(|it| value::text(it, "/name") == Some(CONTAINER));
    let at = at.unwrap_or_else(|| {
        containers.push(json!({"name": CONTAINER}));
        containers.len() - 1
    });
    if let Some(image) = value::text(&facts.merged, "/telemetry/vector/image") {
        containers[at]["image"] = Value::from(image);
    }
}

fn scrape(facts: &Facts<'_>) -> Result<Scrape, Refusal> {
    let seconds = match value::text(&facts.merged, "/telemetry/vector/scrapeInterval") {
        None => INTERVAL,
        Some(text) => interval::seconds(text).ok_or_else(|| {
            let field = facts.field("telemetry.vector.scrapeInterval");
            let message = format!("{text} is no duration from a second on; write it as 30s or 1m30s");
            refusal(reason::INVALID_SPEC, &field, message)
        })?,
    };
    let endpoint =
        |field: &str| value::text(&facts.merged, &format!("/telemetry/cassandra/endpoint/{field}"));
    if is_mcac_enabled(facts) {
        let url = COLLECTOR.to_owned();
        return Ok(Scrape {
            url,
            seconds,
            certificates: None,
        });
    }
    let port = match endpoint("port") {
        None => AGENT_PORT,
        Some(text) => text
            .parse()
            .ok()
            .filter(|port| PORTS.contains(port))
            .ok_or_else(|| {
                let field = facts.field("telemetry.cassandra.endpoint.port");
                let message =
                    format!("{text} is no port that Vector can read from; take one from 1025 to 65535");
                refusal(reason::INVALID_SPEC, &field, message)
            })?,
    };
    let has_tls = value::at(&facts.merged, "/telemetry/cassandra/endpoint/tls").is_some();
    let path = |name: &str| endpoint(&format!("tls/{name}")).unwrap_or_default().to_owned();
    let protocol = if has_tls { "https" } else { "http" };
    let address = endpoint("address").unwrap_or("localhost");
    Ok(Scrape {
        url: format!("{protocol}://{address}:{port}/metrics"),
        seconds,
        certificates: has_tls.then(|| ["ca.crt", "tls.crt", "tls.key"].map(path)),
    })
}
