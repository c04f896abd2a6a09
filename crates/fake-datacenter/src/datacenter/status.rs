//! The status of a CassandraDatacenter: single conditions, progress, times.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Actor, Flow, secs};
use crate::apiserver::{ApiError, kinds};
use crate::json::{self, condition, text};
use crate::objects::Dc;

impl Actor {
    /// Writes a part of the status, on the very object that was read, and takes over what the server made of it.
    pub(super) async fn patch_status(&self, dc: &mut Dc, status: Value) -> Result<(), ApiError> {
        self.memory.fresh.store(false, Ordering::Relaxed);
        let version = text(&dc.0, "/metadata/resourceVersion");
        let patch = json!({"metadata": {"resourceVersion": version}, "status": status});
        dc.0 = self
            .plane
            .api
            .merge_status(kinds::DATACENTERS, &self.key.0, &self.key.1, &patch)
            .await?;
        Ok(())
    }

    /// Writes one condition; true when it was not so before.
    pub(super) async fn set_condition(&self, dc: &mut Dc, kind: &str, value: bool) -> Result<bool, ApiError> {
        self.explain_condition(dc, kind, value, "", "").await
    }

    pub(super) async fn explain_condition(
        &self,
        dc: &mut Dc,
        kind: &str,
        value: bool,
        reason: &str,
        message: &str,
    ) -> Result<bool, ApiError> {
        let value = if value { "True" } else { "False" };
        if condition(&dc.0, kind) == value {
            return Ok(false);
        }
        let new = json!({
            "type": kind,
            "status": value,
            "reason": reason,
            "message": message,
            "lastTransitionTime": self.plane.clock.now(),
        });
        let mut all = json::list(&dc.0, "/status/conditions").to_vec();
        match all.iter_mut().find(|known| text(known, "/type") == kind) {
            Some(known) => *known = new,
            None => all.push(new),
        }
        let mut status = json!({"conditions": all});
        // Recorded: a condition is written with the whole status, and times that are not there become the first second
        // of 1970, unless a part of the status was written before in the same pass.
        if self.memory.fresh.load(Ordering::Relaxed) {
            for key in ["lastRollingRestart", "lastServerNodeStarted", "superUserUpserted"] {
                if text(&dc.0, &format!("/status/{key}")).is_empty() {
                    status[key] = "1970-01-01T00:00:01Z".into();
                }
            }
        }
        self.patch_status(dc, status).await?;
        Ok(true)
    }

    pub(super) async fn set_progress(&self, dc: &mut Dc, progress: &str) -> Result<bool, ApiError> {
        if text(&dc.0, "/status/cassandraOperatorProgress") == progress {
            return Ok(false);
        }
        self.patch_status(dc, json!({"cassandraOperatorProgress": progress}))
            .await?;
        Ok(true)
    }

    /// Writes the time until which nothing happens, and keeps to it.
    pub(super) async fn quiet_period(&mut self, dc: &mut Dc, seconds: u64) -> Result<Flow, ApiError> {
        let until = Instant::now() + self.plane.pace.wait(secs(seconds));
        let hasty = {
            let mut world = self.plane.rings.lock();
            let count = world.quiet_periods.entry(self.key.clone()).or_default();
            *count += 1;
            let (namespace, name) = self.key.clone();
            let number = (namespace, name, *count);
            world.hasty.contains(&number)
        };
        self.memory.hasty = hasty;
        self.memory.quiet_until = Some(until);
        self.patch_status(dc, json!({"quietPeriod": self.plane.clock.stamp(until)}))
            .await?;
        Ok(Flow::Again(secs(if hasty { 0 } else { seconds })))
    }
}
