//! Asynchronous jobs of the management API: rebuild, cleanup and the like.

use tokio::time::Instant;

use super::{NodeId, RingError, World};

/// What a job does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobKind {
    /// Streams what this node should have from another datacenter.
    Rebuild {
        /// The source datacenter; empty = any.
        source: String,
    },
    /// Leaves the ring.
    Decommission,
    /// Changes nothing that the ring model shows.
    Other(String),
}

impl JobKind {
    /// The name that the management API shows.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Rebuild { .. } => "rebuild",
            Self::Decommission => "decommission",
            Self::Other(name) => name,
        }
    }
}

/// How a job stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobState {
    /// Runs, or waits for its turn.
    Waiting,
    /// Done.
    Completed,
    /// Failed, and why.
    Failed(String),
}

/// One job.
#[derive(Clone, Debug)]
pub struct Job {
    /// The node that runs it.
    pub node: NodeId,
    /// What it does.
    pub kind: JobKind,
    /// When it ends.
    pub due: Instant,
    /// How it stands.
    pub state: JobState,
}

impl World {
    /// Begins a job that ends at `due`.
    ///
    /// # Errors
    /// [`RingError::NotUp`] when the node does not answer.
    pub fn submit(&mut self, id: &str, node: &NodeId, kind: JobKind, due: Instant) -> Result<(), RingError> {
        self.ring_of(node)?;
        self.jobs.insert(
            id.to_owned(),
            Job {
                node: node.clone(),
                kind,
                due,
                state: JobState::Waiting,
            },
        );
        Ok(())
    }

    /// How a job stands now; what it does happens when it is first seen to be due.
    pub fn job(&mut self, id: &str, now: Instant) -> Option<Job> {
        let job = self.jobs.get(id)?.clone();
        if job.state != JobState::Waiting || now < job.due {
            return Some(job);
        }
        let state = match &job.kind {
            JobKind::Rebuild { source } => match self.rebuild(&job.node, source) {
                Ok(()) => JobState::Completed,
                Err(error) => JobState::Failed(error.to_string()),
            },
            JobKind::Decommission | JobKind::Other(_) => JobState::Completed,
        };
        self.jobs
            .entry(id.to_owned())
            .and_modify(|job| job.state = state.clone());
        Some(Job { state, ..job })
    }

    /// Gives a node every keyspace that it should have and that `source` can give.
    fn rebuild(&mut self, node: &NodeId, source: &str) -> Result<(), RingError> {
        let (_, host) = self
            .membership(node)
            .ok_or_else(|| RingError::NotUp(node.clone()))?;
        let any_source = self.any_source;
        let ring = self.ring_of(node)?;
        if !any_source && !source.is_empty() && !ring.datacenters().contains(source) {
            return Err(RingError::Refused(format!(
                "no node in source datacenter {source}"
            )));
        }
        let own = ring
            .members
            .get(&host)
            .map(|member| member.datacenter.clone())
            .unwrap_or_default();
        let members = &ring.members;
        let mut streamed = Vec::new();
        for (name, keyspace) in &mut ring.keyspaces {
            let has_source = members.iter().any(|(id, member)| {
                *id != host
                    && member.up
                    && (source.is_empty() || member.datacenter == source)
                    && keyspace.replicas(&member.datacenter) > 0
                    && !keyspace.missing.contains(id)
            });
            if keyspace.replicas(&own) > 0 && has_source {
                keyspace.missing.remove(&host);
                streamed.push(name.clone());
            }
        }
        ring.streams
            .push((own.clone(), source.to_owned(), host.clone(), streamed.clone()));
        self.note(format!(
            "{node} in {own} was rebuilt from {source:?}: {streamed:?}"
        ));
        Ok(())
    }
}
