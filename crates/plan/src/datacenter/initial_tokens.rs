//! Which tokens the first nodes of each datacenter begin with.
//!
//! With few tokens per node, chance spreads data unevenly. Where every datacenter has fewer than 16, tokens are dealt
//! evenly to as many nodes as there are replicas; later nodes choose theirs themselves. For all datacenters or for none.

use std::collections::BTreeMap;

use super::config::num_tokens;
use super::facts::{Facts, racks};
use crate::{naming, value};

/// From this on Cassandra spreads data well enough alone.
const MANY_TOKENS: u64 = 16;
/// Replicas that tokens are spread for, unless the user says otherwise.
const REPLICAS: u64 = 3;
/// Tokens of different datacenters are at least this part of the ring apart.
const LEAST_SHARE: u128 = 235;

/// What spreads data over the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Partitioner {
    /// Tokens from -2^63.
    Murmur3,
    /// Tokens from 0 to 2^127.
    Random,
}

impl Partitioner {
    fn named(name: &str) -> Option<Self> {
        if name.contains("Murmur3Partitioner") {
            Some(Self::Murmur3)
        } else {
            name.contains("RandomPartitioner").then_some(Self::Random)
        }
    }

    fn range(self) -> u128 {
        match self {
            Self::Murmur3 => 1 << 64,
            Self::Random => 1 << 127,
        }
    }

    fn token(self, position: u128) -> String {
        match self {
            // Positions are below 2^64, so the difference fits.
            Self::Murmur3 => i128::try_from(position)
                .map(|position| (position - (1 << 63)).to_string())
                .unwrap_or_default(),
            Self::Random => position.to_string(),
        }
    }
}

/// Tokens of each datacenter, by position in the list, in ascending order. `counts` is how many each gets.
#[must_use]
pub fn tokens(partitioner: Partitioner, counts: &[u32]) -> Vec<Vec<String>> {
    let most = u128::from(counts.iter().copied().max().unwrap_or_default());
    let parts = LEAST_SHARE.max(counts.len() as u128 * most * 2);
    let shift = partitioner.range().div_ceil(parts);
    let of_datacenter = |(index, count): (usize, &u32)| {
        let step = partitioner.range() / u128::from((*count).max(1));
        let back = index as u128 * shift;
        let position = |at: u128| {
            // Below the beginning of the ring it goes on at its end.
            if at * step >= back {
                at * step - back
            } else {
                partitioner.range() - back + at * step
            }
        };
        let mut positions: Vec<u128> = (0..u128::from(*count)).map(position).collect();
        positions.sort_unstable();
        positions
            .into_iter()
            .map(|position| partitioner.token(position))
            .collect()
    };
    counts.iter().enumerate().map(of_datacenter).collect()
}

/// How one datacenter takes part.
struct Share {
    partitioner: Partitioner,
    tokens: u32,
    pods: Vec<String>,
}

/// By pod, the tokens that the nodes of one of the cluster's datacenters begin with; empty where they choose themselves.
#[must_use]
pub fn of_datacenter(all: &[Facts<'_>], datacenter: &str) -> BTreeMap<String, Vec<String>> {
    let shares = all.iter().map(share).collect::<Option<Vec<Share>>>();
    let Some(shares) = shares else {
        return BTreeMap::new();
    };
    let position = all.iter().position(|facts| facts.name == datacenter);
    let Some((position, share)) = position.and_then(|position| Some((position, shares.get(position)?)))
    else {
        return BTreeMap::new();
    };
    if shares.iter().any(|other| other.partitioner != share.partitioner) {
        return BTreeMap::new();
    }
    let counts: Vec<u32> = shares.iter().map(|share| share.tokens).collect();
    deal(&tokens(share.partitioner, &counts)[position], &share.pods)
}

/// The tokens go round the pods, one by one.
fn deal(tokens: &[String], pods: &[String]) -> BTreeMap<String, Vec<String>> {
    let mut dealt: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (token, pod) in tokens.iter().zip(pods.iter().cycle()) {
        dealt.entry(pod.clone()).or_default().push(token.clone());
    }
    dealt
}

/// `None` where the datacenter, and so the whole cluster, cannot take part.
fn share(facts: &Facts<'_>) -> Option<Share> {
    let yaml = |key: &str| value::at(&facts.merged, &format!("/config/cassandraYaml/{key}"));
    if facts.template.per_node_config_map().is_some() {
        return None;
    }
    let partitioner = match yaml("partitioner") {
        None => Partitioner::Murmur3,
        Some(given) => Partitioner::named(given.as_str()?)?,
    };
    let each = num_tokens(facts).as_u64().filter(|count| *count < MANY_TOKENS)?;
    let replicas = match yaml("allocate_tokens_for_local_replication_factor") {
        None => REPLICAS,
        Some(given) => given.as_u64()?,
    };
    let nodes = replicas.min(u64::try_from(facts.template.size).ok()?);
    let racks = racks(&facts.merged);
    let pod = |node: u64| {
        let node = usize::try_from(node).ok()?;
        Some(naming::pod(
            facts.cluster,
            facts.name,
            racks[node % racks.len()],
            node / racks.len(),
        ))
    };
    Some(Share {
        partitioner,
        tokens: u32::try_from(each * nodes).ok()?,
        pods: (0..nodes).map(pod).collect::<Option<Vec<String>>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::Partitioner::{Murmur3, Random};
    use super::*;

    #[test]
    fn c080_pn5_one_datacenter_divides_the_ring_evenly() {
        let expected = [
            "-9223372036854775808",
            "-3074457345618258603",
            "3074457345618258602",
        ];
        assert_eq!(tokens(Murmur3, &[3]), [expected]);
        let expected = [
            "0",
            "42535295865117307932921825928971026432",
            "85070591730234615865843651857942052864",
            "127605887595351923798765477786913079296",
        ];
        assert_eq!(tokens(Random, &[4]), [expected]);
    }

    #[test]
    fn c080_pn5_the_tokens_of_a_second_datacenter_lie_between() {
        let expected = [
            "-3152954128910639674",
            "2995960562325877531",
            "9144875253562394737",
        ];
        assert_eq!(tokens(Murmur3, &[3, 3])[1], expected);
        let expected = [
            "55989722784154413846455963776007251813",
            "112703450604310824423685065014635287055",
            "169417178424467235000914166253263322299",
        ];
        assert_eq!(tokens(Random, &[3, 3])[1], expected);
    }

    #[test]
    fn datacenters_may_have_different_counts() {
        let expected = [
            "-5691016788697627627",
            "-2001667973955717304",
            "1687680840786193019",
            "5377029655528103342",
            "9066378470270013666",
        ];
        assert_eq!(tokens(Murmur3, &[4, 3, 5])[2], expected);
    }

    #[test]
    fn c080_pn5_tokens_go_round_the_pods() {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let dealt = deal(&texts(&["1", "2", "3", "4"]), &texts(&["a", "b"]));
        assert_eq!(
            dealt,
            BTreeMap::from([("a".into(), texts(&["1", "3"])), ("b".into(), texts(&["2", "4"]))])
        );
    }
}
