//! Reads that a plan asks for: live, bounded, all at once.

use std::collections::BTreeMap;
use std::time::Duration;

use api::cass_operator::CassandraDatacenter;
use api::seen::Seen;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use management_api::{
    Call, Client, ClientTls, EndpointState, ManagementApi, Node, Options, Replication, UNREACHABLE,
    first_answer,
};
use plan::topology::{Ask, Datacenter, Keyspaces, Replicas, Ring, Schema, Site, TopologyInput};
use tokio::time::timeout;

use crate::Context;
use crate::error::ActError;
use crate::observe::Learnt;

/// One answer, of however many nodes must be asked until one gives it.
const ANSWER: Duration = Duration::from_secs(20);
/// One node.
const CALL: Duration = Duration::from_secs(8);

/// What is asked of one datacenter's nodes.
pub(crate) struct Nodes {
    client: Client,
    nodes: Vec<Node>,
}

/// Asks everything at once and keeps the answers.
pub(crate) async fn answer(context: &Context, input: &TopologyInput, asks: &[Ask], learnt: &mut Learnt) {
    let answers = asks.iter().map(async |ask| (ask, one(context, input, ask).await));
    for (ask, answer) in futures::future::join_all(answers).await {
        keep(learnt, ask, answer);
    }
}

enum Answer {
    Datacenter(Box<Seen<Datacenter>>),
    Ring(Result<Ring, String>),
    Agreement(Result<Schema, String>),
    Keyspaces(Result<Keyspaces, String>),
    Nothing,
}

fn keep(learnt: &mut Learnt, ask: &Ask, answer: Answer) {
    let answers = &mut learnt.answers;
    match (ask, answer) {
        (Ask::Datacenter(name), Answer::Datacenter(seen)) => {
            learnt.live.insert(name.clone(), *seen);
        }
        (Ask::Ring(of), Answer::Ring(ring)) => {
            answers.rings.insert(of.clone(), ring);
        }
        (Ask::Agreement(via), Answer::Agreement(agreed)) => {
            answers.agreement.insert(via.clone(), agreed);
        }
        (Ask::System { via, .. }, Answer::Keyspaces(all)) => {
            answers.system.insert(via.clone(), all);
        }
        (Ask::Keyspaces(via), Answer::Keyspaces(all)) => {
            answers.keyspaces.insert(via.clone(), all);
        }
        _ => {}
    }
}

async fn one(context: &Context, input: &TopologyInput, ask: &Ask) -> Answer {
    let name = match ask {
        Ask::Datacenter(name) | Ask::Ring(name) | Ask::Agreement(name) | Ask::Keyspaces(name) => name,
        Ask::System { via, .. } => via,
    };
    let Some(site) = input.sites.iter().find(|site| site.name == *name) else {
        return Answer::Nothing;
    };
    match ask {
        Ask::Datacenter(_) => Answer::Datacenter(Box::new(datacenter(context, site).await)),
        Ask::Ring(_) => Answer::Ring(bounded(context, site, Nodes::ring).await),
        Ask::Agreement(_) => Answer::Agreement(bounded(context, site, Nodes::schema).await),
        Ask::Keyspaces(_) => Answer::Keyspaces(bounded(context, site, Nodes::keyspaces).await),
        Ask::System { keyspaces, .. } => {
            Answer::Keyspaces(bounded(context, site, async |nodes: &Nodes| nodes.some(keyspaces).await).await)
        }
    }
}

/// Live, from the recorded plane or not at all.
async fn datacenter(context: &Context, site: &Site) -> Seen<Datacenter> {
    let plane = match context.fleet.plane(&site.context) {
        Ok(plane) => plane,
        Err(unknown) => return Seen::Unknown(unknown),
    };
    let expected = site.record.as_ref().map(|record| &record.plane_id);
    let seen = plane
        .read::<CassandraDatacenter>(&site.namespace, &site.name, expected)
        .await;
    seen.map(|object| Datacenter::of(&object))
}

async fn bounded<T>(
    context: &Context,
    site: &Site,
    ask: impl AsyncFnOnce(&Nodes) -> Result<T, ActError>,
) -> Result<T, String> {
    let asked = async {
        let nodes = Nodes::of(context, site).await?;
        ask(&nodes).await
    };
    let sentence = |why: String| {
        format!(
            "the management API of datacenter {} gives no answer: {why}",
            site.name
        )
    };
    match timeout(ANSWER, asked).await {
        Ok(answer) => answer.map_err(|error| sentence(error.to_string())),
        Err(_) => Err(sentence(format!(
            "none of its nodes within {} s",
            ANSWER.as_secs()
        ))),
    }
}

impl Nodes {
    /// The nodes of a datacenter: its seeds first, which are ready, then what cass-operator lists.
    pub async fn of(context: &Context, site: &Site) -> Result<Nodes, ActError> {
        let seen = site.seen.present();
        let mut nodes = Vec::new();
        for pod in site.seeds.iter().flatten() {
            let port = pod.management_port.unwrap_or(Node::DEFAULT_PORT);
            nodes.extend(pod.addresses.first().map(|address| Node {
                address: *address,
                port,
            }));
        }
        let port = nodes.first().map_or(Node::DEFAULT_PORT, |node: &Node| node.port);
        for address in seen
            .iter()
            .flat_map(|seen| seen.nodes.values())
            .filter_map(|node| node.address)
        {
            if nodes.iter().all(|node| node.address != address) {
                nodes.push(Node { address, port });
            }
        }
        let tls = match seen.and_then(|seen| seen.client_secret.as_deref()) {
            Some(secret) => Some(certificate(context, site, secret).await?),
            None => None,
        };
        let options = Options {
            tls,
            read_timeout: CALL,
            dial: context.dial.clone(),
            ..Options::default()
        };
        let client = Client::new(options).map_err(|error| ActError::Certificate(error.to_string()))?;
        Ok(Nodes { client, nodes })
    }

    async fn ring(&self) -> Result<Ring, ActError> {
        let states = first_answer(Call::Endpoints, &self.nodes, |node| self.client.endpoints(node)).await?;
        Ok(states
            .into_iter()
            .filter(is_member)
            .filter_map(|state| state.host_id)
            .collect())
    }

    pub async fn schema(&self) -> Result<Schema, ActError> {
        let versions = first_answer(Call::SchemaVersions, &self.nodes, |node| {
            self.client.schema_versions(node)
        });
        Ok(schema(versions.await?))
    }

    async fn keyspaces(&self) -> Result<Keyspaces, ActError> {
        let names = first_answer(Call::Keyspaces, &self.nodes, |node| self.client.keyspaces(node)).await?;
        let mut all = Keyspaces::new();
        for name in names {
            let replicas = self.replicas(&name).await?;
            all.insert(name, replicas);
        }
        Ok(all)
    }

    /// Those of the keyspaces that exist.
    async fn some(&self, names: &[String]) -> Result<Keyspaces, ActError> {
        let mut all = Keyspaces::new();
        for name in names {
            let exists = |node| self.client.keyspace_exists(node, name);
            if first_answer(Call::KeyspaceExists, &self.nodes, exists).await? {
                all.insert(name.clone(), self.replicas(name).await?);
            }
        }
        Ok(all)
    }

    async fn replicas(&self, keyspace: &str) -> Result<Replicas, ActError> {
        let read = |node| self.client.replication(node, keyspace);
        Ok(replicas(
            &first_answer(Call::Replication, &self.nodes, read).await?,
        ))
    }

    /// Creates or alters a keyspace, if all nodes agree on the schema right now.
    pub async fn replicate(
        &self,
        keyspace: &str,
        factors: &BTreeMap<String, u32>,
        create: bool,
    ) -> Result<(), ActError> {
        if !self.schema().await?.is_agreed() {
            return Err(ActError::SchemaDisagreement);
        }
        if create {
            let call = |node| self.client.create_keyspace(node, keyspace, factors);
            first_answer(Call::CreateKeyspace, &self.nodes, call).await?;
        } else {
            let call = |node| self.client.alter_keyspace(node, keyspace, factors);
            first_answer(Call::AlterKeyspace, &self.nodes, call).await?;
        }
        Ok(())
    }
}

/// Nodes that have left, or have not arrived yet, are no members.
fn is_member(state: &EndpointState) -> bool {
    let status = state.status.as_deref().unwrap_or("NORMAL");
    !["LEFT", "removed", "removing", "BOOT", "BOOT_REPLACE"].contains(&status)
}

fn schema(mut versions: BTreeMap<String, Vec<String>>) -> Schema {
    let unreachable = versions.remove(UNREACHABLE).unwrap_or_default();
    let mut versions: Vec<Vec<String>> = versions.into_values().collect();
    for nodes in &mut versions {
        nodes.sort();
    }
    versions.sort_by(|one, other| (one.len(), one).cmp(&(other.len(), other)));
    Schema {
        versions,
        unreachable,
    }
}

fn replicas(replication: &Replication) -> Replicas {
    let factors = replication.factors.iter();
    Replicas {
        by_datacenter: factors
            .map(|(name, factor)| (name.clone(), factor.replicas()))
            .collect(),
        full: replication.full_factors(),
    }
}

async fn certificate(context: &Context, site: &Site, name: &str) -> Result<ClientTls, ActError> {
    let plane = context.fleet.plane(&site.context).map_err(ActError::Unknown)?;
    let api = Api::<Secret>::namespaced(plane.client(), &site.namespace);
    let missing = |what: &str| {
        let namespace = &site.namespace;
        ActError::Certificate(format!("Secret {namespace}/{name} for its management API {what}"))
    };
    let secret = api.get(name).await.map_err(|_| missing("cannot be read"))?;
    let mut data = secret.data.unwrap_or_default();
    let mut take = |key: &str| {
        data.remove(key)
            .map(|bytes| bytes.0)
            .ok_or_else(|| missing(&format!("has no {key}")))
    };
    Ok(ClientTls::new(
        take("ca.crt")?,
        take("tls.crt")?,
        take("tls.key")?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_in_one_order_and_who_says_nothing_has_none() {
        let nodes = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let versions = [
            ("v1", nodes(&["c", "a"])),
            ("v2", nodes(&["b"])),
            ("UNREACHABLE", nodes(&["d"])),
        ];
        let seen = schema(
            versions
                .map(|(version, nodes)| (version.to_owned(), nodes))
                .into(),
        );
        assert_eq!(seen.versions, [nodes(&["b"]), nodes(&["a", "c"])]);
        assert_eq!(seen.unreachable, nodes(&["d"]));
        assert!(!seen.is_agreed());
        let one = [("v1", nodes(&["a"])), ("UNREACHABLE", nodes(&["d"]))];
        assert!(schema(one.map(|(version, nodes)| (version.to_owned(), nodes)).into()).is_agreed());
        assert!(!schema(BTreeMap::new()).is_agreed());
    }

    #[test]
    fn nodes_that_left_or_have_not_arrived_are_no_members() {
        let state = |status: Option<&str>| EndpointState {
            address: "198.18.0.1".parse().unwrap(),
            host_id: Some("h".to_owned()),
            datacenter: None,
            rack: None,
            status: status.map(str::to_owned),
            alive: false,
        };
        for status in [None, Some("NORMAL"), Some("shutdown"), Some("LEAVING")] {
            assert!(is_member(&state(status)), "{status:?}");
        }
        for status in ["LEFT", "removed", "removing", "BOOT"] {
            assert!(!is_member(&state(Some(status))), "{status}");
        }
    }
}
