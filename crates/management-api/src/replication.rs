//! The replication of a keyspace, read without losing or inventing anything.

use std::collections::BTreeMap;
use std::fmt;

/// The class name that Cassandra stores for keyspaces replicated per datacenter.
pub const NETWORK_TOPOLOGY_STRATEGY: &str = "org.apache.cassandra.locator.NetworkTopologyStrategy";

/// How many replicas a datacenter has of each row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Factor {
    /// So many full replicas, written `3`.
    Full(u32),
    /// Transient replication, written `3/1`: `all` replicas, of which `transient` keep data only until repaired.
    Transient {
        /// All replicas, full and transient.
        all: u32,
        /// The transient ones among them; always fewer than `all`.
        transient: u32,
    },
}

impl Factor {
    /// Reads `3` or `3/1`. Nothing else is a factor: no sign, no blanks, no fraction.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let Some((all, transient)) = text.split_once('/') else {
            return number(text).map(Self::Full);
        };
        let (all, transient) = (number(all)?, number(transient)?);
        (transient < all).then_some(Self::Transient { all, transient })
    }

    /// All replicas, full and transient.
    #[must_use]
    pub const fn replicas(self) -> u32 {
        match self {
            Self::Full(all) | Self::Transient { all, .. } => all,
        }
    }
}

/// `u32::from_str` alone would take `+3`.
fn number(text: &str) -> Option<u32> {
    text.bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| text.parse().ok())?
}

impl fmt::Display for Factor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(all) => write!(f, "{all}"),
            Self::Transient { all, transient } => write!(f, "{all}/{transient}"),
        }
    }
}

/// The replication of one keyspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replication {
    /// The strategy's class, as the node writes it.
    pub class: String,
    /// Replicas by Cassandra datacenter name. Empty for every strategy but `NetworkTopologyStrategy`: only there an
    /// option's name is a datacenter.
    pub factors: BTreeMap<String, Factor>,
    /// All other options as they stand; for `SimpleStrategy` this is `replication_factor`.
    pub options: BTreeMap<String, String>,
}

impl Replication {
    /// From the management API's answer: one flat map of `class` and options. The error says what is wrong.
    pub(crate) fn from_wire(mut map: BTreeMap<String, String>) -> Result<Self, String> {
        let class = map
            .remove("class")
            .filter(|class| !class.is_empty())
            .ok_or("no strategy class")?;
        let mut replication = Self {
            class,
            factors: BTreeMap::new(),
            options: BTreeMap::new(),
        };
        if !replication.is_network_topology() {
            replication.options = map;
            return Ok(replication);
        }
        for (name, value) in map {
            if name == "replication_factor" {
                replication.options.insert(name, value);
                continue;
            }
            let factor = Factor::parse(&value)
                .ok_or_else(|| format!("datacenter {name} has replication factor {value:?}"))?;
            replication.factors.insert(name, factor);
        }
        Ok(replication)
    }

    /// Whether the strategy is Cassandra's own `NetworkTopologyStrategy`.
    #[must_use]
    pub fn is_network_topology(&self) -> bool {
        self.class == NETWORK_TOPOLOGY_STRATEGY || self.class == "NetworkTopologyStrategy"
    }

    /// The factors as numbers, if they can be written back without loss: none for another strategy, for transient
    /// replicas, or for options that are no datacenters.
    #[must_use]
    pub fn full_factors(&self) -> Option<BTreeMap<String, u32>> {
        if !self.is_network_topology() || !self.options.is_empty() {
            return None;
        }
        let full = |(name, factor): (&String, &Factor)| match factor {
            Factor::Full(count) => Some((name.clone(), *count)),
            Factor::Transient { .. } => None,
        };
        self.factors.iter().map(full).collect()
    }

    /// Whether the keyspace is replicated by `NetworkTopologyStrategy` with exactly these factors.
    #[must_use]
    pub fn is_exactly(&self, wanted: &BTreeMap<String, u32>) -> bool {
        self.full_factors().as_ref() == Some(wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Replication, String> {
        Replication::from_wire(
            pairs
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect(),
        )
    }

    fn wanted(pairs: &[(&str, u32)]) -> BTreeMap<String, u32> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), *v)).collect()
    }

    #[test]
    fn datacenters_are_read_with_their_factors() {
        let seen = read(&[("class", NETWORK_TOPOLOGY_STRATEGY), ("dc1", "3"), ("dc2", "0")]).unwrap();
        assert!(seen.is_exactly(&wanted(&[("dc1", 3), ("dc2", 0)])));
        assert!(!seen.is_exactly(&wanted(&[("dc1", 3)])));
        assert!(!seen.is_exactly(&wanted(&[("dc1", 3), ("dc2", 1)])));
    }

    #[test]
    fn the_factor_of_simple_strategy_is_no_datacenter() {
        let class = "org.apache.cassandra.locator.SimpleStrategy";
        let seen = read(&[("class", class), ("replication_factor", "2")]).unwrap();
        assert_eq!(seen.class, class);
        assert!(seen.factors.is_empty());
        assert_eq!(seen.options["replication_factor"], "2");
        assert_eq!(seen.full_factors(), None);
        assert!(!seen.is_exactly(&wanted(&[("replication_factor", 2)])));
    }

    #[test]
    fn an_unknown_strategy_keeps_its_options_and_has_no_datacenters() {
        let seen = read(&[("class", "com.example.Mine"), ("dc1", "three")]).unwrap();
        assert!(seen.factors.is_empty());
        assert_eq!(seen.options["dc1"], "three");
    }

    #[test]
    fn transient_replicas_are_kept_and_never_taken_for_full_ones() {
        let seen = read(&[("class", NETWORK_TOPOLOGY_STRATEGY), ("dc1", "3/1"), ("dc2", "3")]).unwrap();
        assert_eq!(seen.factors["dc1"], Factor::Transient { all: 3, transient: 1 });
        assert_eq!(seen.factors["dc1"].to_string(), "3/1");
        assert_eq!(seen.factors["dc1"].replicas(), 3);
        assert_eq!(seen.full_factors(), None);
        assert!(!seen.is_exactly(&wanted(&[("dc1", 3), ("dc2", 3)])));
    }

    #[test]
    fn what_is_no_factor_is_an_error_that_names_the_datacenter() {
        for bad in [
            "",
            "three",
            "-1",
            "+3",
            " 3",
            "1.5",
            "3/",
            "/1",
            "1/1",
            "1/3",
            "3/1/1",
            "4294967296",
        ] {
            let error = read(&[("class", NETWORK_TOPOLOGY_STRATEGY), ("dc1", bad)]).unwrap_err();
            assert!(error.contains("dc1"), "{bad}: {error}");
        }
        assert!(read(&[("dc1", "3")]).unwrap_err().contains("class"));
        assert!(
            read(&[("class", ""), ("dc1", "3")])
                .unwrap_err()
                .contains("class")
        );
    }
}
