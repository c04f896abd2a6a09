//! A CassandraDatacenter that is being deleted.

use serde_json::Value;

use super::{Actor, Flow, View, secs};
use crate::apiserver::{ApiError, kinds};
use crate::json::{self, condition};
use crate::names;
use crate::objects::Dc;

impl Actor {
    /// Goes on only while nodes are being decommissioned; `size` is 0 then.
    pub(super) async fn deletion(
        &mut self,
        dc: &mut Dc,
        view: &View,
        size: &mut usize,
    ) -> Result<Flow, ApiError> {
        if !json::list(&dc.0, "/metadata/finalizers").contains(&names::FINALIZER.into()) {
            return Ok(Flow::Done);
        }
        self.set_progress(dc, "Updating").await?;
        if condition(&dc.0, "Decommission") == "True" {
            *size = 0;
        }
        if condition(&dc.0, "ScalingDown") == "True" {
            return Ok(Flow::Continue);
        }
        let decommission = json::annotation(&dc.0, names::DECOMMISSION_ON_DELETE).is_some();
        if decommission && !view.pods.is_empty() {
            if self.datacenters_of_ring(view).await > 1 {
                self.set_condition(dc, "Decommission", true).await?;
                *size = 0;
                return Ok(Flow::Continue);
            }
            // The only datacenter of its ring has nowhere to give its data: this never ends by itself.
            return Ok(Flow::Again(secs(5)));
        }
        self.tear_down(dc, view).await
    }

    async fn datacenters_of_ring(&self, view: &View) -> usize {
        let mut most = 0;
        for pod in &view.pods {
            let count = self.plane.cassandra.datacenters(&self.node(pod)).await;
            most = most.max(count.unwrap_or(0));
        }
        most
    }

    /// No drain: replicas to zero, claims deleted when the pods are gone, then all finalizers go, foreign ones too.
    async fn tear_down(&mut self, dc: &mut Dc, view: &View) -> Result<Flow, ApiError> {
        for set in view
            .sets
            .iter()
            .filter(|set| json::number(set, "/spec/replicas") > 0)
        {
            self.set_replicas(view, json::name(set), 0).await?;
        }
        self.unwatch_secrets().await?;
        if json::annotation(&dc.0, names::DELETE_PVC) != Some("false") {
            if !view.pods.is_empty() {
                return Ok(Flow::Again(secs(1)));
            }
            for claim in view.claims.iter().filter(|claim| !json::is_deleting(claim)) {
                self.plane
                    .api
                    .delete(kinds::CLAIMS, &self.key.0, claim, false)
                    .await?;
            }
        }
        let mut free = dc.0.clone();
        free["metadata"]["finalizers"] = Value::Array(Vec::new());
        match self
            .plane
            .api
            .replace(kinds::DATACENTERS, &self.key.0, &free)
            .await
        {
            Err(error) if error.code() != Some(404) => Err(error),
            _ => Ok(Flow::Done),
        }
    }
}
