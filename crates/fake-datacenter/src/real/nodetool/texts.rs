//! Reading what nodetool prints.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// One line of `status`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Whether the asked node thinks that it is up.
    pub up: bool,
    /// `N`, `L`, `J` or `M`.
    pub state: char,
    /// Its address.
    pub address: Ipv4Addr,
    /// How many tokens it owns.
    pub tokens: u32,
    /// Its host id.
    pub host_id: String,
    /// Its datacenter.
    pub datacenter: String,
    /// Its rack.
    pub rack: String,
}

/// The rows of `status`.
#[must_use]
pub fn table(text: &str) -> Vec<Row> {
    let mut datacenter = "";
    let mut rows = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("Datacenter: ") {
            datacenter = name.trim();
        } else {
            rows.extend(row(line, datacenter));
        }
    }
    rows
}

/// Load and share are one, two or no words: what matters stands before and after them.
fn row(line: &str, datacenter: &str) -> Option<Row> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let mut letters = words.first()?.chars();
    let (up, state) = (letters.next()?, letters.next()?);
    if letters.next().is_some() || !"UD?".contains(up) || !"NLJM".contains(state) {
        return None;
    }
    let host = words.iter().position(|word| is_uuid(word))?;
    let numbers = words.get(2..host)?.iter().rev().skip(1);
    Some(Row {
        up: up == 'U',
        state,
        address: words.get(1)?.parse().ok()?,
        tokens: numbers
            .into_iter()
            .find_map(|word| word.parse().ok())
            .unwrap_or(0),
        host_id: words[host].to_owned(),
        datacenter: datacenter.to_owned(),
        rack: words.get(host + 1..)?.join(" "),
    })
}

fn is_uuid(word: &str) -> bool {
    let sizes = word.split('-').map(str::len);
    sizes.eq([8, 4, 4, 4, 12]) && word.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
}

/// What gossip says of a node: the application states by name.
pub type Gossip = BTreeMap<String, String>;

/// The nodes of `gossipinfo`, those that have left included, in its order.
#[must_use]
pub fn gossip(text: &str) -> Vec<(Ipv4Addr, Gossip)> {
    let mut nodes: Vec<(Ipv4Addr, Gossip)> = Vec::new();
    for line in text.lines() {
        if let Some(state) = line.strip_prefix("  ") {
            // `NAME:version:value`; the two counters have no version, and what is not there has no value.
            let parts: Vec<&str> = state.splitn(3, ':').collect();
            if let ([name, _, value], Some((_, states))) = (parts.as_slice(), nodes.last_mut()) {
                states.insert((*name).to_owned(), (*value).to_owned());
            }
        } else if let Some((_, address)) = line.rsplit_once('/')
            && let Ok(address) = address.trim().parse()
        {
            nodes.push((address, Gossip::new()));
        }
    }
    nodes
}

/// What `describecluster` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cluster {
    /// Who has which version of the schema; nodes that do not answer are under `UNREACHABLE`.
    pub schema: BTreeMap<String, Vec<Ipv4Addr>>,
    /// Class and options of the replication of each keyspace.
    pub keyspaces: BTreeMap<String, BTreeMap<String, String>>,
}

/// Reads `describecluster`.
#[must_use]
pub fn cluster(text: &str) -> Cluster {
    let mut cluster = Cluster::default();
    let mut section = "";
    for line in text.lines() {
        let title = line.trim();
        if title.ends_with(':') {
            section = title;
        } else if section == "Schema versions:" {
            cluster.schema.extend(version(line));
        } else if section == "Keyspaces:" {
            cluster.keyspaces.extend(keyspace(line));
        }
    }
    cluster
}

/// `<version>: [<address>, ...]`
fn version(line: &str) -> Option<(String, Vec<Ipv4Addr>)> {
    let (version, addresses) = line.split_once(": [")?;
    let addresses = addresses.trim_end().strip_suffix(']')?.split(", ");
    Some((
        version.trim().to_owned(),
        addresses.filter_map(|address| address.parse().ok()).collect(),
    ))
}

/// `<name> -> Replication class: <class> {<option>=<value>, ...}`
fn keyspace(line: &str) -> Option<(String, BTreeMap<String, String>)> {
    let (name, rest) = line.split_once(" -> Replication class: ")?;
    let (class, options) = rest.trim_end().strip_suffix('}')?.split_once(" {")?;
    let pairs = options.split(", ").filter_map(|pair| pair.split_once('='));
    let mut replication: BTreeMap<_, _> = pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    replication.insert(
        "class".to_owned(),
        format!("org.apache.cassandra.locator.{class}"),
    );
    Some((name.trim().to_owned(), replication))
}

#[cfg(test)]
mod tests;
