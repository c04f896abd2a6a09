//! The management API's answer to `GET /api/v0/metadata/endpoints`: gossip, as one node has it.

use serde::Deserialize;

use super::BadInput;
use super::view::Node;

/// The answer's envelope.
#[derive(Deserialize)]
struct Envelope {
    entity: Vec<State>,
}

/// Gossip's application states by name, those that a view is made of.
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

/// The nodes of the ring; gossip remembers those that have left for three days, and they are none.
pub(super) fn nodes(source: &str, text: &str) -> Result<Vec<Node>, BadInput> {
    let envelope: Envelope = serde_json::from_str(text).map_err(|error| {
        BadInput::of(
            source,
            format!("this is no answer of the management API's metadata/endpoints: {error}"),
        )
    })?;
    let nodes: Vec<Node> = envelope.entity.into_iter().filter_map(State::node).collect();
    if nodes.is_empty() {
        return Err(BadInput::of(source, "no node stands in it"));
    }
    Ok(nodes)
}

impl State {
    fn node(self) -> Option<Node> {
        let status = known(self.status_with_port)
            .or(known(self.status))
            .unwrap_or_default();
        let word = status.split(',').next().unwrap_or_default();
        let state = match word {
            "LEFT" | "removed" => return None,
            // A node that was stopped in order stays a member.
            "NORMAL" | "shutdown" => 'N',
            "LEAVING" | "removing" => 'L',
            "BOOT" | "BOOT_REPLACE" => 'J',
            "MOVING" => 'M',
            _ => '?',
        };
        let up = if self.alive.as_deref() == Some("true") {
            'U'
        } else {
            'D'
        };
        Some(Node {
            datacenter: self.datacenter.unwrap_or_default(),
            rack: self.rack.unwrap_or_default(),
            state: format!("{up}{state}"),
            address: self.address.unwrap_or_else(|| "?".to_owned()),
            host_id: known(self.host_id),
            owns: None,
        })
    }
}

fn known(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(fields: &str) -> Vec<Node> {
        let other =
            r#"{"ENDPOINT_IP":"127.0.1.9","DC":"dc1","RACK":"r1","STATUS":"NORMAL,1","IS_ALIVE":"true"}"#;
        let text = format!(
            r#"{{"entity":[{{"ENDPOINT_IP":"127.0.1.1","DC":"dc1","RACK":"r1",{fields}}},{other}]}}"#
        );
        nodes("dc1.json", &text).unwrap()
    }

    #[test]
    fn words_of_gossip_are_states_of_nodetool() {
        for (fields, state) in [
            (r#""STATUS_WITH_PORT":"NORMAL,-9","IS_ALIVE":"true""#, "UN"),
            (
                r#""STATUS":"NORMAL,-9","STATUS_WITH_PORT":"","IS_ALIVE":"false""#,
                "DN",
            ),
            (r#""STATUS":"shutdown,true","IS_ALIVE":"false""#, "DN"),
            (r#""STATUS":"BOOT,7","IS_ALIVE":"true""#, "UJ"),
            (r#""STATUS":"LEAVING,7","IS_ALIVE":"true""#, "UL"),
            (r#""STATUS":"MOVING,7","IS_ALIVE":"true""#, "UM"),
            (r#""IS_ALIVE":"true""#, "U?"),
        ] {
            assert_eq!(one(fields)[0].state, state, "{fields}");
        }
    }

    #[test]
    fn a_node_that_has_left_is_none() {
        assert_eq!(one(r#""STATUS":"LEFT,7,8","IS_ALIVE":"false""#).len(), 1);
        assert_eq!(one(r#""STATUS":"removed,7,8""#).len(), 1);
    }

    #[test]
    fn what_is_no_answer_is_refused_with_its_file() {
        for text in ["", "[]", r#"{"entity":[]}"#, "Datacenter: dc1"] {
            let said = nodes("dc1.json", text).unwrap_err().to_string();
            assert!(said.starts_with("dc1.json: "), "{said}");
        }
    }
}
