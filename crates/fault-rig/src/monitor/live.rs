//! The API servers of a world, as monitors look at them.

use std::collections::BTreeMap;
use std::sync::Arc;

use fake_apiserver::Server;
use fake_datacenter::ring::Rings;
use serde_json::Value;

use super::sight::{Kind, Look};

/// All API servers and the rings.
pub(super) struct Live {
    pub servers: BTreeMap<&'static str, Server>,
    pub rings: Rings,
}

impl Look for Live {
    fn get(&self, plane: &str, kind: Kind, namespace: &str, name: &str) -> Option<Arc<Value>> {
        self.servers.get(plane)?.get(kind.0, kind.1, namespace, name)
    }

    fn all(&self, plane: &str, kind: Kind) -> Vec<Arc<Value>> {
        self.servers
            .get(plane)
            .map(|server| server.all(kind.0, kind.1))
            .unwrap_or_default()
    }

    fn planes(&self) -> Vec<&str> {
        self.servers.keys().copied().collect()
    }

    fn rings(&self) -> BTreeMap<String, u32> {
        self.rings.lock().rings_by_cluster()
    }

    fn nodes(&self) -> Value {
        self.rings.lock().report()
    }
}
