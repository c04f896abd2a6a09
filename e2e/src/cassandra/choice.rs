//! Whether the nodes of a world are real.

use std::fmt;

use super::{Cassandra, NoCassandra, VERSION};

/// What nodes are, as it is named on a command line.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub enum Nodes {
    /// Each a process of Cassandra, by Java and what Maven fetches
    Real,
    /// A model in the stand-in's memory
    Modelled,
}

/// What nodes are, and why: a sentence without its end.
#[derive(Clone, Debug)]
pub struct NodesChoice {
    /// What real ones are run with; none = they are modelled.
    pub cassandra: Option<Cassandra>,
    /// Why.
    pub why: String,
}

impl NodesChoice {
    /// What was asked for, else real nodes where they can be had. Blocks: the jars may have to be fetched first.
    ///
    /// # Errors
    /// Real ones are asked for and something is missing, or what there is of Cassandra is not what it should be.
    pub fn real_if_possible(asked: Option<Nodes>) -> Result<Self, NoCassandra> {
        Self::among(asked, Cassandra::find)
    }

    /// What was asked for, else modelled ones.
    ///
    /// # Errors
    /// As [`NodesChoice::real_if_possible`].
    pub fn modelled_unless_asked(asked: Option<Nodes>) -> Result<Self, NoCassandra> {
        match asked {
            None => Ok(Self::modelled("unless --cassandra real".to_owned())),
            asked => Self::among(asked, Cassandra::find),
        }
    }

    /// Modelled ones.
    #[must_use]
    pub fn modelled(why: String) -> Self {
        Self { cassandra: None, why }
    }

    fn among(
        asked: Option<Nodes>,
        find: impl FnOnce() -> Result<Cassandra, NoCassandra>,
    ) -> Result<Self, NoCassandra> {
        if asked == Some(Nodes::Modelled) {
            return Ok(Self::modelled("asked for".to_owned()));
        }
        match find() {
            Ok(found) => Ok(Self {
                why: match asked {
                    Some(_) => "asked for".to_owned(),
                    None => "there are Java 17 and the jars that Maven fetches".to_owned(),
                },
                cassandra: Some(found),
            }),
            Err(lack) if asked.is_none() && lack.is_lack() => Ok(Self::modelled(lack.to_string())),
            Err(other) => Err(other),
        }
    }
}

impl fmt::Display for NodesChoice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.cassandra {
            Some(_) => write!(formatter, "nodes: real Cassandra {VERSION} ({})", self.why),
            None => write!(formatter, "nodes: modelled ({})", self.why),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn none() -> Result<Cassandra, NoCassandra> {
        Err(NoCassandra::Java("java: not found".to_owned()))
    }

    fn cassandra() -> Cassandra {
        Cassandra {
            java: "java".into(),
            jars: "jars".into(),
        }
    }

    fn spoilt() -> Result<Cassandra, NoCassandra> {
        let source = std::io::Error::other("not readable");
        Err(NoCassandra::File {
            path: "jars".into(),
            source,
        })
    }

    #[test]
    fn without_java_nodes_are_modelled_and_it_says_why() {
        let choice = NodesChoice::among(None, none).unwrap();
        assert!(choice.cassandra.is_none());
        let said = choice.to_string();
        assert!(
            said.starts_with("nodes: modelled (no Java 17 (java: not found): install "),
            "{said}"
        );
    }

    #[test]
    fn who_asks_for_real_ones_is_not_given_others() {
        assert!(NodesChoice::among(Some(Nodes::Real), none).is_err());
        assert!(
            NodesChoice::among(Some(Nodes::Real), || Ok(cassandra()))
                .unwrap()
                .cassandra
                .is_some()
        );
        assert!(
            NodesChoice::among(Some(Nodes::Modelled), || Ok(cassandra()))
                .unwrap()
                .cassandra
                .is_none()
        );
    }

    #[test]
    fn what_is_wrong_is_no_lack() {
        assert!(NodesChoice::among(None, spoilt).is_err());
        assert!(
            NodesChoice::among(None, || Ok(cassandra()))
                .unwrap()
                .cassandra
                .is_some()
        );
    }
}
