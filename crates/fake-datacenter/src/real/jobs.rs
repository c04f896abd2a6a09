//! Operations that take their time: rebuild, decommission, cleanup and the like.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::process::Node;
use super::{Real, RealError, Wake};
use crate::ring::{Job, JobKind, JobState, NodeId};

/// A job ends when nodetool does, never by the clock.
const NEVER: Duration = Duration::from_hours(24 * 365);

impl Real {
    /// Begins a job, under this id.
    pub(crate) fn submit(&self, id: &str, node: &NodeId, kind: JobKind) -> Result<(), RealError> {
        let process = self.up(node)?;
        let job = Job {
            node: node.clone(),
            kind: kind.clone(),
            due: Instant::now() + NEVER,
            state: JobState::Waiting,
        };
        self.0.rings.lock().jobs.insert(id.to_owned(), job);
        let (real, id) = (self.clone(), id.to_owned());
        tokio::spawn(async move {
            let state = match real.carry_out(&process, &kind).await {
                Ok(()) => JobState::Completed,
                Err(error) => JobState::Failed(error.to_string()),
            };
            real.note(format!("{}: {} {state:?}", process.id, kind.name()));
            let mut world = real.0.rings.lock();
            world.jobs.entry(id).and_modify(|job| job.state = state);
        });
        Ok(())
    }

    async fn carry_out(&self, node: &Arc<Node>, kind: &JobKind) -> Result<(), RealError> {
        match kind {
            JobKind::Rebuild { source } => {
                let arguments = ["rebuild", "--", source.as_str()];
                let given = if source.is_empty() { 1 } else { 3 };
                self.0.nodetool.run(node.jmx, &arguments[..given]).await?;
                let host = self.0.rings.lock().membership(&node.id).map(|(_, host)| host);
                self.known()
                    .rebuilt
                    .extend(host.map(|host| (host, source.clone())));
                Ok(())
            }
            JobKind::Decommission => self.leave(node).await,
            JobKind::Other(name) => {
                let command = command(name).ok_or_else(|| {
                    RealError::Nodetool(name.clone(), "not carried out on real Cassandra".to_owned())
                })?;
                self.0.nodetool.run(node.jmx, &[command]).await.map(|_| ())
            }
        }
    }

    /// A node begins to leave its ring, whatever that does to replication, as the operator asks for it.
    pub(crate) fn decommission(&self, id: &NodeId, wake: Wake) -> Result<(), RealError> {
        let node = self.up(id)?;
        if self.0.rings.lock().phase(id) == Some(crate::ring::Phase::Leaving) {
            return Ok(());
        }
        // Said at once: the operator looks again before nodetool has begun.
        self.0.rings.lock().is_leaving(id, true);
        let real = self.clone();
        tokio::spawn(async move {
            if let Err(error) = real.leave(&node).await {
                real.note(format!("{} does not leave: {error}", node.id));
            }
            wake();
        });
        Ok(())
    }

    async fn leave(&self, node: &Node) -> Result<(), RealError> {
        self.0.rings.lock().is_leaving(&node.id, true);
        self.note(format!("{} leaves its ring", node.id));
        let left = self.0.nodetool.run(node.jmx, &["decommission", "--force"]).await;
        let mut world = self.0.rings.lock();
        match left {
            Ok(_) => {
                world.left(&node.id);
                world.note(format!("{} has left its ring", node.id));
            }
            Err(_) => world.is_leaving(&node.id, false),
        }
        left.map(|_| ())
    }
}

/// What nodetool calls a job of the management API or of a task.
fn command(job: &str) -> Option<&'static str> {
    Some(match job {
        "cleanup" => "cleanup",
        "compaction" | "compact" => "compact",
        "flush" => "flush",
        "garbagecollect" => "garbagecollect",
        "scrub" => "scrub",
        "upgradesstables" => "upgradesstables",
        "tsreload" => "reloadssl",
        _ => return None,
    })
}
