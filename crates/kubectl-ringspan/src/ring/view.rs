//! How one node sees the ring.

use super::BadInput;
use super::{endpoints, status_text};

/// What one node said.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct View {
    /// Where it was read from, for people: a file's name.
    pub source: String,
    /// Every node that it knows.
    pub nodes: Vec<Node>,
}

/// One node in somebody's view.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Node {
    /// Cassandra's name of its datacenter.
    pub datacenter: String,
    /// Cassandra's name of its rack; empty where it has none.
    pub rack: String,
    /// Two letters as `nodetool status` prints them: `UN` is up and normal.
    pub state: String,
    /// Address or host name, with a port where the view has ports.
    pub address: String,
    /// Host id, where the view has it.
    pub host_id: Option<String>,
    /// Part of the data in tenths of a per cent, where the view has it.
    pub owns: Option<u32>,
}

impl View {
    /// Reads the output of `nodetool status`.
    ///
    /// # Errors
    /// A line that is none of its lines; the line stands in the message.
    pub fn of_status(source: &str, text: &str) -> Result<Self, BadInput> {
        let nodes = status_text::nodes(source, text)?;
        Ok(View {
            source: source.to_owned(),
            nodes,
        })
    }

    /// Reads the management API's answer to `GET /api/v0/metadata/endpoints`.
    ///
    /// # Errors
    /// It is no such answer.
    pub fn of_endpoints(source: &str, text: &str) -> Result<Self, BadInput> {
        let nodes = endpoints::nodes(source, text)?;
        Ok(View {
            source: source.to_owned(),
            nodes,
        })
    }

    /// Nodes of a datacenter.
    pub(crate) fn of_datacenter<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Node> + Clone {
        self.nodes.iter().filter(move |node| node.datacenter == name)
    }
}
