//! What the endpoint slice controller does for the services of a datacenter.

use serde_json::Value;

use super::{Actor, View};
use crate::apiserver::{ApiError, kinds};
use crate::json::{self, label, text};
use crate::names;
use crate::objects::{Dc, Endpoint, service_slice};
use crate::pace::fnv;

impl Actor {
    /// The endpoint slice controller, for the services of this datacenter.
    pub(super) async fn slices_step(&mut self, dc: &Dc, view: &View) -> Result<(), ApiError> {
        let api = &self.plane.api;
        let cluster = dc.selector()[names::CLUSTER]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let selector = format!(
            "app.kubernetes.io/managed-by=cass-operator,{}={cluster}",
            names::CLUSTER
        );
        let prefix = format!("{}-", dc.prefix());
        let seed_service = format!("{}-seed-service", dc.cluster_prefix());
        for service in api.list(kinds::SERVICES, &self.key.0, &selector).await? {
            let is_own = json::name(&service).starts_with(&prefix) || json::name(&service) == seed_service;
            let Some(wanted) = service.pointer("/spec/selector").filter(|_| is_own) else {
                continue;
            };
            let slice = service_slice(&service, &endpoints(view, wanted));
            let digest = fnv(slice.to_string().as_bytes());
            if self.slices.get(json::name(&service)) != Some(&digest) {
                self.write_slice(slice).await?;
                self.slices.insert(json::name(&service).to_owned(), digest);
            }
        }
        Ok(())
    }

    async fn write_slice(&self, mut slice: Value) -> Result<(), ApiError> {
        let (api, namespace) = (&self.plane.api, &self.key.0);
        match api.get(kinds::SLICES, namespace, json::name(&slice)).await? {
            None => api.create(kinds::SLICES, namespace, &slice).await.map(|_| ()),
            Some(known) => {
                slice["metadata"]["resourceVersion"] = known["metadata"]["resourceVersion"].clone();
                api.replace(kinds::SLICES, namespace, &slice).await.map(|_| ())
            }
        }
    }
}

fn endpoints(view: &View, selector: &Value) -> Vec<Endpoint> {
    let picks = |pod: &&Value| {
        let wanted = selector.as_object().into_iter().flatten();
        wanted
            .into_iter()
            .all(|(key, value)| Some(label(pod, key)) == value.as_str())
    };
    let with_address = view
        .neighbours
        .iter()
        .filter(|pod| !text(pod, "/status/podIP").is_empty());
    with_address
        .filter(picks)
        .map(|pod| Endpoint {
            address: text(pod, "/status/podIP").to_owned(),
            pod: json::name(pod).to_owned(),
            uid: json::uid(pod).to_owned(),
            ready: json::condition(pod, "Ready") == "True",
            terminating: json::is_deleting(pod),
            host: (
                text(pod, "/spec/hostname").to_owned(),
                text(pod, "/spec/subdomain").to_owned(),
            ),
        })
        .collect()
}
