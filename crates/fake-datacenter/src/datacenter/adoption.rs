//! Taking over what was there before this program began, and letting go of what has vanished.

use std::net::Ipv4Addr;

use serde_json::Value;
use tokio::time::Instant;

use super::machines::{Machine, disk_of};
use super::{Actor, View};
use crate::json::{self, label, text};
use crate::names;
use crate::objects::{Dc, claim_name};

impl Actor {
    /// At the first look: nodes that were there before this program began are taken as they are.
    pub(super) fn adopt(&mut self, view: &View) {
        if std::mem::replace(&mut self.adopted, true) {
            return;
        }
        let Some(dc) = &view.dc else { return };
        let nodes =
            dc.0.pointer("/status/nodeStatuses")
                .and_then(Value::as_object)
                .cloned()
                .unwrap_or_default();
        for (pod, status) in &nodes {
            let claim = view
                .claims
                .iter()
                .find(|claim| json::name(claim) == claim_name(pod));
            let host = text(status, "/hostID");
            if let (Some(claim), false) = (claim, host.is_empty()) {
                let node = self.plane.node(&self.key.0, pod);
                let address = text(status, "/ip").parse().unwrap_or(Ipv4Addr::UNSPECIFIED);
                let identity = dc.identity(text(status, "/rack"));
                self.plane
                    .cassandra
                    .restore(&node, &identity, json::uid(claim), host, address);
            }
        }
        for pod in &view.pods {
            self.adopt_pod(dc, view, pod);
        }
    }

    fn adopt_pod(&mut self, dc: &Dc, view: &View, pod: &Value) {
        let Ok(address) = text(pod, "/status/podIP").parse::<Ipv4Addr>() else {
            return;
        };
        let now = Instant::now();
        let machine = Machine {
            running_since: Some(now),
            ..Machine::new(pod)
        };
        self.machines.insert(json::uid(pod).to_owned(), machine);
        let node = self.node(pod);
        let disk = disk_of(view, pod);
        let identity = dc.identity(label(pod, names::RACK));
        let is_ready = json::condition(pod, "Ready") == "True";
        if self
            .plane
            .cassandra
            .runs_on(is_ready, label(pod, names::NODE_STATE))
        {
            let host = self.plane.pace.uuid(&format!("host/{disk}"));
            self.plane
                .cassandra
                .adopt(&node, &identity, &disk, &host, address);
        } else {
            self.plane.rings.lock().pod_runs(&node, identity, address, &disk);
        }
    }

    pub(super) fn forget_vanished(&mut self, view: &View) {
        let is_there = |objects: &[Value], uid: &str| objects.iter().any(|object| json::uid(object) == uid);
        let (plane, namespace) = (&self.plane, &self.key.0);
        self.machines.retain(|uid, machine| {
            let stays = is_there(&view.pods, uid);
            if !stays {
                plane.cassandra.pod_gone(&plane.node(namespace, &machine.pod));
            }
            stays
        });
        self.claims.retain(|uid, _| {
            let stays = is_there(&view.claims, uid);
            if !stays {
                plane.cassandra.disk_gone(uid);
            }
            stays
        });
        for claim in &view.claims {
            self.claims
                .insert(json::uid(claim).to_owned(), json::name(claim).to_owned());
        }
    }
}
