//! Rewriting StatefulSets, rack after rack.

use serde_json::Value;

use super::restarts::RESTARTED_AT;
use super::{Actor, Flow, View, secs};
use crate::apiserver::{ApiError, kinds};
use crate::json;
use crate::names;
use crate::objects::{Dc, lacks_an_image, stateful_set};

impl Actor {
    /// A pod that cannot run holds up no change of its rack: that is rewritten before anybody waits for it.
    pub(super) async fn check_failed_pods(
        &mut self,
        dc: &mut Dc,
        view: &View,
        nodes: usize,
    ) -> Result<Flow, ApiError> {
        let failed = |pod: &Value| lacks_an_image(pod) && !json::is_deleting(pod);
        for rack in dc.racks(nodes) {
            if !view.pods_of(&rack.name).any(failed) {
                continue;
            }
            let wanted = stateful_set(dc, &rack.name, rack.nodes);
            let known = view.set(json::name(&wanted)).filter(|known| {
                json::annotation(known, names::RESOURCE_HASH)
                    != json::annotation(&wanted, names::RESOURCE_HASH)
            });
            if let Some(known) = known {
                return self.rewrite(dc, known, &wanted).await;
            }
        }
        Ok(Flow::Continue)
    }

    async fn rewrite(&mut self, dc: &mut Dc, known: &Value, wanted: &Value) -> Result<Flow, ApiError> {
        self.set_condition(dc, "Updating", true).await?;
        self.set_progress(dc, "Updating").await?;
        self.plane
            .api
            .replace(kinds::STATEFUL_SETS, &self.key.0, &rewritten(known, wanted))
            .await?;
        self.know_digest(wanted);
        self.quiet_period(dc, 20).await
    }

    /// Every StatefulSet is as the datacenter asks for, and its pods follow it; else the pass ends here.
    pub(super) async fn check_templates(
        &mut self,
        dc: &mut Dc,
        view: &View,
        nodes: usize,
    ) -> Result<Flow, ApiError> {
        for rack in dc.racks(nodes) {
            let wanted = stateful_set(dc, &rack.name, rack.nodes);
            let Some(known) = view.set(json::name(&wanted)) else {
                return Ok(Flow::Again(secs(2)));
            };
            let differs = json::annotation(known, names::RESOURCE_HASH)
                != json::annotation(&wanted, names::RESOURCE_HASH);
            let asked = json::number(&dc.0, "/metadata/generation")
                != json::number(&dc.0, "/status/observedGeneration")
                || json::annotation(&dc.0, names::AUTO_UPDATE).is_some();
            if differs && !asked {
                // It is over again at the end of this pass.
                self.set_condition(dc, "RequiresUpdate", true).await?;
            } else if differs {
                return self.rewrite(dc, known, &wanted).await;
            }
            let status = |key: &str| json::number(known, &format!("/status/{key}"));
            let all = json::number(known, "/spec/replicas");
            let held = json::number(known, "/spec/updateStrategy/rollingUpdate/partition");
            if status("readyReplicas") != all
                || status("updatedReplicas") + held < all
                || status("replicas") != all
            {
                return Ok(Flow::Again(secs(10)));
            }
        }
        Ok(Flow::Continue)
    }
}

/// The known StatefulSet with the wanted template: replicas, claims and what others wrote stay.
fn rewritten(known: &Value, wanted: &Value) -> Value {
    let mut new = known.clone();
    let kept = known
        .pointer("/spec/template/metadata/annotations")
        .and_then(|all| all.get(RESTARTED_AT))
        .cloned();
    for key in ["labels", "annotations"] {
        let more = wanted["metadata"][key].as_object().cloned().unwrap_or_default();
        if let Some(all) = new["metadata"][key].as_object_mut() {
            all.extend(more);
        }
    }
    for key in ["minReadySeconds", "template", "updateStrategy"] {
        new["spec"][key] = wanted["spec"][key].clone();
    }
    if let Some(kept) = kept {
        new["spec"]["template"]["metadata"]["annotations"][RESTARTED_AT] = kept;
    }
    new
}
