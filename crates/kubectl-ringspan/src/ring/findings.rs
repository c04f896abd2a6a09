//! What is wrong with a ring: each finding names datacenter, node, what is wrong, who says so, and what to do.

use std::fmt;

use super::view::Node;

/// One thing that keeps a ring from being whole.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// Cassandra's name of the datacenter; empty where it is about the whole ring.
    pub datacenter: String,
    /// Address and rack of the node, or name of the pod; empty where it is about none.
    pub node: String,
    /// What is wrong.
    pub wrong: String,
    /// The way out.
    pub advice: &'static str,
    /// Files that show it.
    pub sources: Vec<String>,
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in [&self.datacenter, &self.node]
            .into_iter()
            .filter(|part| !part.is_empty())
        {
            write!(out, "{part}: ")?;
        }
        write!(out, "{}", self.wrong)?;
        if !self.sources.is_empty() {
            write!(out, " ({})", self.sources.join(", "))?;
        }
        write!(out, "; {}", self.advice)
    }
}

/// Findings in the order in which they were made; what several files show is one.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Findings(Vec<Finding>);

impl Findings {
    /// Adds one that a file shows.
    pub(crate) fn add(
        &mut self,
        source: &str,
        datacenter: &str,
        node: &str,
        wrong: String,
        advice: &'static str,
    ) {
        let same = |it: &&mut Finding| it.datacenter == datacenter && it.node == node && it.wrong == wrong;
        if let Some(there) = self.0.iter_mut().find(same) {
            if !there.sources.iter().any(|it| it == source) {
                there.sources.push(source.to_owned());
            }
            return;
        }
        self.0.push(Finding {
            datacenter: datacenter.to_owned(),
            node: node.to_owned(),
            wrong,
            advice,
            sources: (!source.is_empty())
                .then(|| source.to_owned())
                .into_iter()
                .collect(),
        });
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[Finding] {
        &self.0
    }
}

/// A node for people.
pub(crate) fn named(node: &Node) -> String {
    format!("node {} (rack {})", node.address, node.rack)
}
