//! What happened, as lines in lanes: the same words for what was recorded and for what the stand-in did.
//!
//! | lane | lines |
//! | --- | --- |
//! | `status <kind>/<namespace>/<name>` | each change of a status: conditions, progress, counts; of times, addresses and ids only that they changed |
//! | `labels <namespace>` | node states and seed labels that pods got or lost |
//! | `writes <namespace>` | what the operator made, changed and deleted, but pods, events and Endpoints |
//! | `calls <namespace>` | management API calls that change something |
//! | `node <namespace>/<pod>` | running, up and how, ready or not, terminating, gone |

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::recording::{Recording, time};

/// One thing that happened, in recorded time.
#[derive(Clone, Debug)]
pub struct Line {
    /// Seconds since the recording began.
    pub t: f64,
    /// Lines of one lane have an order.
    pub lane: String,
    /// What happened.
    pub text: String,
}

/// Labels of pods that somebody can see the operator's progress by.
const LABELS: [&str; 2] = [
    "cassandra.datastax.com/node-state",
    "cassandra.datastax.com/seed-node",
];

/// Kinds whose writes by the operator are compared.
const WRITTEN: [&str; 8] = [
    "cassandradatacenters",
    "cassandratasks",
    "endpointslices",
    "persistentvolumeclaims",
    "poddisruptionbudgets",
    "secrets",
    "services",
    "statefulsets",
];

/// Everything that was recorded, in order.
pub fn recorded(recording: &Recording) -> Vec<Line> {
    let mut lines = recorded_statuses(recording);
    for line in &recording.trace {
        let accepted = line["code"].as_u64().is_some_and(|code| code < 300);
        if text(line, "user") != "cass-operator" || !accepted {
            continue;
        }
        let (resource, ns, name) = (text(line, "resource"), text(line, "ns"), text(line, "name"));
        if resource == "pods" {
            lines.extend(labels(time(line), ns, name, &line["patch"]));
        } else if let Some(line) = write(
            time(line),
            text(line, "verb"),
            resource,
            ns,
            name,
            text(line, "sub"),
        ) {
            lines.push(line);
        }
    }
    for line in recording
        .calls
        .iter()
        .filter(|line| text(line, "method") != "GET")
    {
        lines.push(call(line));
    }
    let words = |line: &Value| match text(line, "event") {
        "cassandra-up" => how(text(line, "how")).to_owned(),
        other => other.to_owned(),
    };
    for line in recording
        .nodes
        .iter()
        .filter(|line| !text(line, "event").starts_with("boot-failed"))
    {
        lines.push(node(
            time(line),
            text(line, "ns"),
            text(line, "pod"),
            &words(line),
        ));
    }
    lines.sort_by(|one, other| one.t.total_cmp(&other.t));
    lines
}

fn recorded_statuses(recording: &Recording) -> Vec<Line> {
    let mut known: BTreeMap<String, Value> = BTreeMap::new();
    let mut lines = Vec::new();
    // Of a scenario that goes on from another one: what was there before.
    let first = recording.states.first().filter(|(label, _)| label == "before");
    for object in first.iter().flat_map(|(_, objects)| objects) {
        let lane = format!(
            "{}/{}/{}",
            text(object, "kind"),
            text(&object["metadata"], "namespace"),
            text(&object["metadata"], "name")
        );
        known.insert(lane, object["status"].clone());
    }
    let mut made = recording
        .trace
        .iter()
        .filter(|line| text(line, "user") == "admin" && text(line, "verb") == "create")
        .peekable();
    for line in &recording.status {
        while let Some(made) = made.next_if(|made| time(made) <= time(line)) {
            if text(made, "resource") == "cassandradatacenters" {
                let lane = format!("CassandraDatacenter/{}/{}", text(made, "ns"), text(made, "name"));
                known.remove(&lane);
            }
        }
        let lane = format!(
            "{}/{}/{}",
            text(line, "kind"),
            text(line, "ns"),
            text(line, "name")
        );
        let before = known
            .insert(lane.clone(), line["status"].clone())
            .unwrap_or_default();
        lines.extend(status(time(line), &lane, &before, &line["status"]));
    }
    lines
}

/// The lines of one change of a status. `object` is kind, namespace and name.
pub fn status(t: f64, object: &str, before: &Value, after: &Value) -> Vec<Line> {
    let (before, after) = (leaves(before), leaves(after));
    let line = |text: String| Line {
        t,
        lane: format!("status {}", generated(object)),
        text,
    };
    let changed = after
        .iter()
        .filter(|(path, value)| before.get(*path) != Some(value));
    let mut lines: Vec<_> = changed
        .map(|(path, value)| line(format!("{path}={}", words(value))))
        .collect();
    let gone = before.keys().filter(|path| !after.contains_key(*path));
    lines.extend(gone.map(|path| line(format!("{path} gone"))));
    lines
}

/// Leaves of a status by path. Conditions are their statuses, times and ids are kept as they are written elsewhere.
fn leaves(status: &Value) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let mut status = status.as_object().cloned().unwrap_or_default();
    for condition in status
        .remove("conditions")
        .iter()
        .filter_map(|all| all.as_array())
        .flatten()
    {
        let explained = [text(condition, "reason"), text(condition, "message")].join(" ");
        let words = format!("{} {}", text(condition, "status"), explained);
        all.insert(text(condition, "type").to_owned(), words.trim().to_owned());
    }
    walk("", &Value::Object(status), &mut all);
    all
}

fn walk(path: &str, value: &Value, all: &mut BTreeMap<String, String>) {
    let deeper = |key: &str| {
        if path.is_empty() {
            key.to_owned()
        } else {
            format!("{path}.{key}")
        }
    };
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                walk(&deeper(key), value, all);
            }
        }
        Value::Object(_) | Value::Null => {}
        Value::String(text) => {
            all.insert(path.to_owned(), text.clone());
        }
        other => {
            all.insert(path.to_owned(), other.to_string());
        }
    }
}

/// A value without what differs from run to run: which address and which id it is shows in the objects.
fn words(value: &str) -> &str {
    let digits = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    let numbered = |prefix: &str| value.strip_prefix(prefix).is_some_and(digits);
    let is_time = |value: &str| value.parse::<jiff::Timestamp>().is_ok();
    if numbered("ip-") || value.parse::<std::net::IpAddr>().is_ok() {
        "<ip>"
    } else if numbered("uid-") || (value.len() == 36 && value.matches('-').count() == 4) {
        "<id>"
    } else if value.strip_prefix(['t']).is_some_and(|rest| rest.ends_with('s')) || is_time(value) {
        "<time>"
    } else {
        value
    }
}

/// The lines of a patch of a pod's labels.
pub fn labels(t: f64, ns: &str, pod: &str, patch: &Value) -> Vec<Line> {
    let labels = patch.pointer("/metadata/labels").and_then(Value::as_object);
    let of = |key: &&str| {
        let value = labels?.get(*key)?;
        let short = key.rsplit('/').next().unwrap_or_default();
        let text = match value {
            Value::String(value) => format!("{pod} {short}={value}"),
            _ => format!("{pod} {short} gone"),
        };
        Some(Line {
            t,
            lane: format!("labels {ns}"),
            text,
        })
    };
    LABELS.iter().filter_map(of).collect()
}

/// The line of a write of the operator, when it is one that is compared.
pub fn write(t: f64, verb: &str, resource: &str, ns: &str, name: &str, subresource: &str) -> Option<Line> {
    let verb = match verb {
        "create" => "create",
        "delete" => "delete",
        "update" | "patch" | "apply" => "change",
        _ => return None,
    };
    let compared = WRITTEN.contains(&resource) && subresource.is_empty();
    // Claims are made by who makes pods.
    let others = resource == "persistentvolumeclaims" && verb != "delete";
    (compared && !others).then(|| Line {
        t,
        lane: format!("writes {ns}"),
        text: format!("{verb} {resource}/{}", generated(name)),
    })
}

fn call(line: &Value) -> Line {
    let mut what = format!("{} {}", text(line, "method"), text(line, "path"));
    let empty = Map::new();
    let query = line["query"].as_object().unwrap_or(&empty);
    let told = |(key, _): &(&String, &Value)| !matches!(key.as_str(), "password" | "can_login");
    let pairs: Vec<_> = query
        .iter()
        .filter(told)
        .map(|(key, value)| format!("{key}={}", words(value.as_str().unwrap_or_default())))
        .collect();
    if !pairs.is_empty() {
        what = format!("{what}?{}", pairs.join("&"));
    }
    if line["body"].as_object().is_some_and(|body| !body.is_empty()) {
        what = format!("{what} {}", line["body"]);
    }
    made_call(time(line), text(line, "ns"), text(line, "pod"), &what)
}

/// The line of a call. Roles are written through any node that is up, so which one it was does not count.
pub fn made_call(t: f64, ns: &str, pod: &str, what: &str) -> Line {
    let anyone = what.contains("/ops/auth/role");
    // All started nodes read their seeds again, in no order.
    let lane = if what.contains("/ops/seeds/reload") {
        format!("calls {ns}/{pod}")
    } else {
        format!("calls {ns}")
    };
    Line {
        t,
        lane,
        text: match what.split_once("replace_ip=") {
            _ if anyone => what.to_owned(),
            Some((before, address)) => format!("{pod} {before}replace_ip={}", words(address)),
            None => format!("{pod} {what}"),
        },
    }
}

/// The line of what a node did.
pub fn node(t: f64, ns: &str, pod: &str, words: &str) -> Line {
    Line {
        t,
        lane: format!("node {ns}/{pod}"),
        text: words.to_owned(),
    }
}

fn how(words: &str) -> &'static str {
    if words.starts_with("new ring") {
        "up: founded a ring"
    } else if words.starts_with("joined") {
        "up: joined a ring"
    } else {
        "up: back in its ring"
    }
}

/// Names with a time in them are one name.
pub fn generated(name: &str) -> String {
    match name.split_once("cleanup-") {
        Some((before, rest)) if rest.starts_with('<') || rest.chars().all(|c| c.is_ascii_digit()) => {
            format!("{before}cleanup-<unixtime>")
        }
        _ => name.to_owned(),
    }
}

fn text<'a>(line: &'a Value, key: &str) -> &'a str {
    line[key].as_str().unwrap_or_default()
}
