//! Seeds: what a node's two seed names resolve to, and how many seeds elsewhere the operator counts.

use std::net::Ipv4Addr;

use serde_json::Value;

use super::{Actor, View};
use crate::apiserver::{ApiError, kinds};
use crate::json::{self, label, list, text};
use crate::names;
use crate::objects::Dc;

impl Actor {
    /// What the seed service and the additional seed service resolve to: pods of the cluster in this namespace with the
    /// seed label, and every address of every slice of the additional seed service, whatever its name.
    pub(super) async fn resolve_seeds(&self, pod: &Value) -> Result<Vec<Ipv4Addr>, ApiError> {
        let api = &self.plane.api;
        let cluster = label(pod, names::CLUSTER);
        let selector = format!("{}={cluster},{}=true", names::CLUSTER, names::SEED_NODE);
        let seeds = api.list(kinds::PODS, &self.key.0, &selector).await?;
        let alive = seeds.iter().filter(|seed| !json::is_deleting(seed));
        let mut addresses: Vec<String> = alive.map(|seed| text(seed, "/status/podIP").to_owned()).collect();
        let Some(dc) = api
            .get(kinds::DATACENTERS, &self.key.0, &self.key.1)
            .await?
            .map(Dc)
        else {
            return Ok(Vec::new());
        };
        let selector = format!("{}={}", names::SERVICE_NAME, dc.additional_seed_service());
        for slice in api.list(kinds::SLICES, &self.key.0, &selector).await? {
            addresses.extend(addresses_of(&slice));
        }
        let mut resolved: Vec<Ipv4Addr> = addresses
            .iter()
            .filter_map(|address| address.parse().ok())
            .collect();
        resolved.sort_unstable();
        resolved.dedup();
        Ok(resolved)
    }

    /// Seeds elsewhere that the operator sees: only slices with the plain name of the service count, and those alone.
    pub(super) async fn additional_seeds(&self, dc: &Dc) -> Result<usize, ApiError> {
        let mut count = 0;
        for suffix in ["ipv4", "ipv6", "fqdn"] {
            let name = format!("{}-{suffix}", dc.additional_seed_service());
            let slice = self.plane.api.get(kinds::SLICES, &self.key.0, &name).await?;
            count += slice.map_or(0, |slice| addresses_of(&slice).len());
        }
        Ok(count)
    }

    /// Whether the first node that starts must be labelled a seed before: nobody else could be one.
    pub(super) async fn nobody_is_a_seed(&self, dc: &Dc, view: &View) -> Result<bool, ApiError> {
        let is_ready_seed = |pod: &Value| {
            label(pod, names::SEED_NODE) == "true"
                && json::condition(pod, "Ready") == "True"
                && !json::is_deleting(pod)
        };
        Ok(!view.pods.iter().any(is_ready_seed) && self.additional_seeds(dc).await? == 0)
    }
}

fn addresses_of(slice: &Value) -> Vec<String> {
    let endpoints = list(slice, "/endpoints").iter();
    let all = endpoints.flat_map(|endpoint| list(endpoint, "/addresses"));
    all.filter_map(Value::as_str).map(str::to_owned).collect()
}
