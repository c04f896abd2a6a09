//! Gossip's view of the ring.

use std::net::IpAddr;

use serde::Deserialize;

/// What a node knows from gossip of one node of the ring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointState {
    /// The node's broadcast address.
    pub address: IpAddr,
    /// The node's host id, once gossip has it.
    pub host_id: Option<String>,
    /// The node's Cassandra datacenter, once gossip has it.
    pub datacenter: Option<String>,
    /// The node's rack, once gossip has it.
    pub rack: Option<String>,
    /// The first word of the gossip status (`NORMAL`, `LEAVING`, `LEFT`, `BOOT`, `removed`, `shutdown` ...).
    pub status: Option<String>,
    /// Whether the asked node thinks that this one is up. False where it does not say.
    pub alive: bool,
}

impl EndpointState {
    /// Whether the node owns its part of the ring (it may be down all the same).
    #[must_use]
    pub fn is_normal(&self) -> bool {
        self.status.as_deref() == Some("NORMAL")
    }

    /// Reads the answer to `GET /api/v0/metadata/endpoints`, in its order.
    ///
    /// # Errors
    /// It is no such answer, or an entry has no address; in words.
    pub fn read_all(answer: &str) -> Result<Vec<Self>, String> {
        serde_json::from_str::<Envelope>(answer)
            .map_err(|error| error.to_string())?
            .states()
    }
}

/// The answer's envelope; its other fields are an artefact of the server's library.
#[derive(Deserialize)]
pub(crate) struct Envelope {
    entity: Vec<State>,
}

/// Gossip's application states by name, those we need. Cassandra 4.0 and later write the status under both names.
#[derive(Deserialize)]
struct State {
    #[serde(rename = "ENDPOINT_IP")]
    address: Option<String>,
    #[serde(rename = "HOST_ID")]
    host_id: Option<String>,
    #[serde(rename = "DC")]
    datacenter: Option<String>,
    #[serde(rename = "RACK")]
    rack: Option<String>,
    #[serde(rename = "STATUS_WITH_PORT")]
    status_with_port: Option<String>,
    #[serde(rename = "STATUS")]
    status: Option<String>,
    #[serde(rename = "IS_ALIVE")]
    alive: Option<String>,
}

impl Envelope {
    /// The states in the answer's order. The error says which entry has no address.
    pub(crate) fn states(self) -> Result<Vec<EndpointState>, String> {
        self.entity
            .into_iter()
            .enumerate()
            .map(|(index, state)| state.read(index))
            .collect()
    }
}

impl State {
    fn read(self, index: usize) -> Result<EndpointState, String> {
        let written = self
            .address
            .ok_or_else(|| format!("endpoint {index} has no ENDPOINT_IP"))?;
        // Java appends the interface to a link-local address.
        let address = written.split('%').next().unwrap_or_default();
        let address = address
            .parse()
            .map_err(|_| format!("endpoint {index} has ENDPOINT_IP {written:?}"))?;
        let status = self.status_with_port.filter(|s| !s.is_empty()).or(self.status);
        let status = status.and_then(|s| s.split(',').next().map(str::to_owned));
        Ok(EndpointState {
            address,
            host_id: known(self.host_id),
            datacenter: known(self.datacenter),
            rack: known(self.rack),
            status: known(status),
            alive: self.alive.as_deref() == Some("true"),
        })
    }
}

fn known(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_is_its_first_word_under_either_name() {
        let seen = EndpointState::read_all(
            r#"{"entity":[
                {"ENDPOINT_IP":"10.0.0.1","STATUS":"NORMAL,-42","STATUS_WITH_PORT":"LEAVING,-42"},
                {"ENDPOINT_IP":"10.0.0.2","STATUS":"NORMAL,-42"},
                {"ENDPOINT_IP":"10.0.0.3","STATUS":"NORMAL,7","STATUS_WITH_PORT":""},
                {"ENDPOINT_IP":"10.0.0.4"}]}"#,
        );
        let words: Vec<_> = seen.unwrap().into_iter().map(|state| state.status).collect();
        assert_eq!(
            words,
            [
                Some("LEAVING".into()),
                Some("NORMAL".into()),
                Some("NORMAL".into()),
                None
            ]
        );
    }

    #[test]
    fn unknown_fields_and_nulls_are_no_obstacle() {
        let seen = EndpointState::read_all(
            r#"{"variant":null,"annotations":[1],"entity":[{"ENDPOINT_IP":"fe80:0:0:0:1:2:3:4%eth0",
                "HOST_ID":null,"DC":"","TOKENS":{"deep":[]},"IS_ALIVE":"TRUE"}]}"#,
        )
        .unwrap();
        assert_eq!(seen[0].address, "fe80::1:2:3:4".parse::<IpAddr>().unwrap());
        assert_eq!(
            (&seen[0].host_id, &seen[0].datacenter, seen[0].alive),
            (&None, &None, false)
        );
    }

    #[test]
    fn an_endpoint_without_a_usable_address_spoils_the_answer() {
        assert!(
            EndpointState::read_all(r#"{"entity":[{"HOST_ID":"h"}]}"#)
                .unwrap_err()
                .contains("endpoint 0")
        );
        assert!(
            EndpointState::read_all(r#"{"entity":[{"ENDPOINT_IP":"node-1"}]}"#)
                .unwrap_err()
                .contains("node-1")
        );
    }
}
