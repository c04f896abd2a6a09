//! The text that `nodetool status` prints. Cassandra 4 and 5 print the columns
//! `-- Address Load Tokens Owns HostID Rack`, and where every node has one token
//! `-- Address Load Owns HostID Token Rack`.

use super::BadInput;
use super::view::Node;

/// What a host id is printed as while a node has none.
const NO_HOST_ID: &str = "null";

/// What stands in a load of two words behind the number.
const UNITS: [&str; 7] = ["bytes", "KiB", "MiB", "GiB", "TiB", "KB", "MB"];

/// Order of the columns behind the load.
#[derive(Clone, Copy)]
enum Columns {
    TokensOwnsIdRack,
    OwnsIdTokenRack,
}

/// The rows, each with the datacenter that it stands under.
pub(super) fn nodes(source: &str, text: &str) -> Result<Vec<Node>, BadInput> {
    let mut nodes: Vec<Node> = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    let mut columns = None;
    for (at, line) in text.lines().enumerate() {
        let bad = |what: String| BadInput::at(source, at + 1, what);
        let line = line.trim_end();
        if let Some(name) = line.strip_prefix("Datacenter:") {
            let name = name.trim();
            if seen.contains(&name) {
                return Err(bad(format!(
                    "datacenter {name} begins a second time; give the text of each node a file of its own"
                )));
            }
            seen.push(name);
            columns = None;
        } else if line.starts_with("--") {
            columns = Some(heading(line).ok_or_else(|| {
                bad(format!(
                    "these columns are not those of nodetool status: {line:?}"
                ))
            })?);
        } else if is_row(line) {
            let (Some(datacenter), Some(columns)) = (seen.last(), columns) else {
                return Err(bad(
                    "a node stands before the name of its datacenter and the columns; give the whole text"
                        .to_owned(),
                ));
            };
            let node = row(datacenter, columns, line).ok_or_else(|| {
                bad(format!(
                    "this row has not the columns of its heading (was it wrapped or cut? write the output to a file): {line:?}"
                ))
            })?;
            nodes.push(node);
        } else if !is_around(line) {
            return Err(bad(format!("nodetool status prints no such line: {line:?}")));
        }
    }
    if nodes.is_empty() {
        return Err(BadInput::of(
            source,
            "no node stands in it; give the output of `nodetool status`",
        ));
    }
    Ok(nodes)
}

/// Lines that say nothing of a node.
fn is_around(line: &str) -> bool {
    let first = ["Status=", "|/ State=", "==", "Note:", "Picked up ", "WARN "];
    line.is_empty() || first.iter().any(|it| line.starts_with(it))
}

/// Two letters and a space: up, down or neither; normal, leaving, joining or moving.
fn is_row(line: &str) -> bool {
    let mut letters = line.chars();
    let up = letters.next().is_some_and(|c| "UD?".contains(c));
    let state = letters.next().is_some_and(|c| "NLJM".contains(c));
    up && state && letters.next() == Some(' ')
}

fn heading(line: &str) -> Option<Columns> {
    let words: Vec<&str> = line
        .split_whitespace()
        .filter(|word| *word != "(effective)")
        .collect();
    match words.as_slice() {
        ["--", "Address", "Load", "Tokens", "Owns", "Host", "ID", "Rack"] => Some(Columns::TokensOwnsIdRack),
        ["--", "Address", "Load", "Owns", "Host", "ID", "Token", "Rack"] => Some(Columns::OwnsIdTokenRack),
        _ => None,
    }
}

fn row(datacenter: &str, columns: Columns, line: &str) -> Option<Node> {
    let mut words = line.split_whitespace().peekable();
    let state = words.next()?.to_owned();
    let address = words.next()?.to_owned();
    words.next()?;
    words.next_if(|word| UNITS.contains(word));
    let (owns, host_id) = match columns {
        Columns::TokensOwnsIdRack => {
            words.next()?.parse::<u32>().ok()?;
            (words.next()?, words.next()?)
        }
        Columns::OwnsIdTokenRack => {
            let found = (words.next()?, words.next()?);
            words.next()?;
            found
        }
    };
    let rack: Vec<&str> = words.collect();
    Some(Node {
        datacenter: datacenter.to_owned(),
        rack: rack.join(" "),
        state,
        address,
        host_id: host_id_of(host_id).ok()?,
        owns: tenths(owns).ok()?,
    })
}

/// A word that does not belong into its column.
struct Misplaced;

/// A host id, or none while the node has none.
fn host_id_of(word: &str) -> Result<Option<String>, Misplaced> {
    if word == NO_HOST_ID {
        return Ok(None);
    }
    let is_id = word.len() == 36 && word.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    if is_id {
        Ok(Some(word.to_owned()))
    } else {
        Err(Misplaced)
    }
}

/// `37.9%` is 379; `?` is not known. The point is a comma in some languages.
fn tenths(word: &str) -> Result<Option<u32>, Misplaced> {
    if word == "?" {
        return Ok(None);
    }
    let parts = word
        .strip_suffix('%')
        .and_then(|number| number.split_once(['.', ',']));
    let (whole, tenth) = parts.ok_or(Misplaced)?;
    let (Ok(whole), Ok(tenth @ 0..10)) = (whole.parse::<u16>(), tenth.parse::<u32>()) else {
        return Err(Misplaced);
    };
    Ok(Some(u32::from(whole) * 10 + tenth))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded(name: &str) -> String {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recorded");
        std::fs::read_to_string(format!("{folder}/{name}.txt")).unwrap()
    }

    fn read(name: &str) -> Vec<Node> {
        nodes(name, &recorded(name)).unwrap()
    }

    fn states(name: &str) -> Vec<String> {
        let told = |node: Node| format!("{} {} {}", node.datacenter, node.rack, node.state);
        read(name).into_iter().map(told).collect()
    }

    #[test]
    fn every_column_of_a_row_is_read() {
        let node = Node {
            datacenter: "dc1".to_owned(),
            rack: "r2".to_owned(),
            state: "UN".to_owned(),
            address: "127.51.0.2".to_owned(),
            host_id: Some("7b1040f5-ab8b-480b-8ee3-993cec9c7ebe".to_owned()),
            owns: Some(1000),
        };
        let whole = read("whole-from-dc1");
        assert_eq!((whole.len(), &whole[0]), (5, &node));
        assert_eq!(read("two-copies-on-three")[2].owns, Some(675));
    }

    #[test]
    fn a_node_that_joins_leaves_or_is_down_is_read_as_such() {
        assert!(states("joining").contains(&"dc2 r3 UJ".to_owned()));
        assert!(states("leaving").contains(&"dc2 r3 UL".to_owned()));
        assert!(states("down").contains(&"dc2 r2 DN".to_owned()));
    }

    #[test]
    fn a_load_that_is_not_known_is_no_obstacle() {
        let text = recorded("just-started");
        assert!(text.contains("  ?  "));
        let down = read("just-started").into_iter().filter(|node| node.state == "DN");
        assert_eq!(down.count(), 3);
    }

    #[test]
    fn no_ownership_is_told_from_none_of_it() {
        assert!(read("no-ownership").iter().all(|node| node.owns.is_none()));
        let before = read("before-replication");
        assert_eq!(before[2].owns, Some(0), "dc2 has nothing");
    }

    #[test]
    fn one_token_a_node_a_long_address_and_a_name_with_a_space() {
        let nodes = read("one-token-long-address");
        assert_eq!(nodes[0].datacenter, "Far Away");
        assert_eq!(
            (nodes[0].address.as_str(), nodes[0].rack.as_str()),
            ("0:0:0:0:0:0:0:1", "rack1")
        );
        assert_eq!(nodes[0].owns, Some(1000));
        assert_eq!(read("with-ports")[0].address, "127.51.0.2:7000");
    }

    #[test]
    fn what_is_no_line_of_it_is_named_with_its_number() {
        let said = |text: &str| nodes("east.txt", text).unwrap_err().to_string();
        let text = recorded("whole-from-dc1");
        let begins = |told: String, expected: &str| assert!(told.starts_with(expected), "{told}");
        begins(
            said(&format!("hello\n{text}")),
            "east.txt, line 1: nodetool status prints no such line",
        );
        begins(
            said(&text.replace("84.93 KiB", "84.93 parsecs")),
            "east.txt, line 6: this row has not",
        );
        let wrapped = text.replace("  r2  ", "\nr2");
        begins(
            said(&wrapped),
            "east.txt, line 7: nodetool status prints no such line",
        );
        begins(
            said(&format!("{text}{text}")),
            "east.txt, line 18: datacenter dc1 begins a second time",
        );
        begins(
            said(&text.replace("Rack", "Shelf")),
            "east.txt, line 5: these columns",
        );
        begins(
            said("UN  10.0.0.1  1 KiB  4  100.0%  x  r1"),
            "east.txt, line 1: a node stands before",
        );
        begins(
            said("nodetool: Failed to connect to '127.0.0.1:7199'"),
            "east.txt, line 1: ",
        );
        begins(said(""), "east.txt: no node stands in it");
    }

    #[test]
    fn a_host_id_that_is_none_is_not_taken_for_one() {
        let text = recorded("one-datacenter");
        let id = "f524a206-2c29-451a-8890-353abd86dbb9";
        assert_eq!(nodes("x", &text.replace(id, "null")).unwrap()[0].host_id, None);
        assert!(nodes("x", &text.replace(id, "100.0%")).is_err());
    }
}
