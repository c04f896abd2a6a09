//! What the operators asked of the management API of their nodes, and how the nodes came up: for comparison with
//! recordings.

use tokio::time::Instant;

use super::{Boot, NodeId, World};

/// Calls and starts that are remembered; the oldest go first.
const REMEMBERED: usize = 10_000;

/// A call that changes something. Calls that only read are not remembered.
#[derive(Clone, Debug)]
pub struct Call {
    /// When.
    pub at: Instant,
    /// To which node.
    pub node: NodeId,
    /// Path and query, and the body where there is one.
    pub what: String,
}

/// A node that came up.
#[derive(Clone, Debug)]
pub struct Up {
    /// When.
    pub at: Instant,
    /// Which node.
    pub node: NodeId,
    /// How it found its ring.
    pub how: Boot,
}

impl World {
    /// Remembers a call of the operator.
    pub(crate) fn called(&mut self, node: &NodeId, what: impl Into<String>) {
        keep_short(&mut self.calls);
        self.calls.push(Call {
            at: Instant::now(),
            node: node.clone(),
            what: what.into(),
        });
    }

    pub(super) fn came_up(&mut self, node: &NodeId, how: Boot) {
        keep_short(&mut self.ups);
        self.ups.push(Up {
            at: Instant::now(),
            node: node.clone(),
            how,
        });
    }

    /// The calls of the operators, oldest first.
    #[must_use]
    pub fn calls(&self) -> &[Call] {
        &self.calls
    }

    /// The nodes that came up, in order.
    #[must_use]
    pub fn ups(&self) -> &[Up] {
        &self.ups
    }
}

fn keep_short<T>(all: &mut Vec<T>) {
    if all.len() >= REMEMBERED {
        all.drain(..REMEMBERED / 10);
    }
}
