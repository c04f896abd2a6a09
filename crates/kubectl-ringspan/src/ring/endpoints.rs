//! The management API's answer to `GET /api/v0/metadata/endpoints`: gossip, as one node has it.

use management_api::EndpointState;

use super::BadInput;
use super::view::Node;

/// The nodes of the ring; gossip remembers those that have left for three days, and they are none.
pub(super) fn nodes(source: &str, text: &str) -> Result<Vec<Node>, BadInput> {
    let states = EndpointState::read_all(text).map_err(|why| {
        BadInput::of(
            source,
            format!("this is no answer of the management API's metadata/endpoints: {why}"),
        )
    })?;
    let nodes: Vec<Node> = states.into_iter().filter_map(node).collect();
    if nodes.is_empty() {
        return Err(BadInput::of(source, "no node stands in it"));
    }
    Ok(nodes)
}

fn node(state: EndpointState) -> Option<Node> {
    let letter = match state.status.as_deref().unwrap_or_default() {
        "LEFT" | "removed" => return None,
        // A node that was stopped in order stays a member.
        "NORMAL" | "shutdown" => 'N',
        "LEAVING" | "removing" => 'L',
        "BOOT" | "BOOT_REPLACE" => 'J',
        "MOVING" => 'M',
        _ => '?',
    };
    let up = if state.alive { 'U' } else { 'D' };
    Some(Node {
        datacenter: state.datacenter.unwrap_or_default(),
        rack: state.rack.unwrap_or_default(),
        state: format!("{up}{letter}"),
        address: state.address.to_string(),
        host_id: state.host_id,
        owns: None,
    })
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
        for text in [
            "",
            "[]",
            r#"{"entity":[]}"#,
            r#"{"entity":[{"DC":"dc1"}]}"#,
            "Datacenter: dc1",
        ] {
            let said = nodes("dc1.json", text).unwrap_err().to_string();
            assert!(said.starts_with("dc1.json: "), "{said}");
        }
    }
}
