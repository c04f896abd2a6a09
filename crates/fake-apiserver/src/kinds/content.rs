//! What built-in kinds refuse because of what is in them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde_json::{Map, Value};

use crate::failure::Cause;

/// What the data of a ConfigMap or Secret may amount to.
const MOST_DATA: usize = 1024 * 1024;

fn map<'v>(object: &'v Value, field: &str) -> impl Iterator<Item = (&'v String, &'v Value)> {
    object.get(field).and_then(Value::as_object).into_iter().flatten()
}

fn too_long(field: &str) -> Cause {
    let message = format!("Too long: may not be more than {MOST_DATA} bytes");
    Cause::new("FieldValueTooLong", field, message)
}

fn text_size((_, value): (&String, &Value)) -> usize {
    value.as_str().map_or(0, str::len)
}

/// Base64 that was not decoded.
fn decoded_size((_, value): (&String, &Value)) -> usize {
    let text = value.as_str().unwrap_or_default();
    text.trim_end_matches('=').len() * 3 / 4
}

pub(super) fn config_map(object: &Value, causes: &mut Vec<Cause>) {
    for (key, _) in map(object, "data") {
        if object
            .get("binaryData")
            .is_some_and(|binary| binary.get(key).is_some())
        {
            let why = "duplicate of key present in binaryData";
            causes.push(Cause::invalid(format!("data[{key}]"), &key.clone().into(), why));
        }
    }
    let size: usize = map(object, "data")
        .map(text_size)
        .chain(map(object, "binaryData").map(decoded_size))
        .sum();
    if size > MOST_DATA {
        // The real server names no field either.
        causes.push(too_long("[]"));
    }
}

pub(super) fn secret(object: &Value, causes: &mut Vec<Cause>) {
    let size: usize = map(object, "data").map(decoded_size).sum();
    if size > MOST_DATA {
        causes.push(too_long("data"));
    }
    let has = |key: &str| object.get("data").is_some_and(|data| data.get(key).is_some());
    let wanted: &[&str] = match object.get("type").and_then(Value::as_str) {
        Some("kubernetes.io/tls") => &["tls.crt", "tls.key"],
        // One of the two is enough.
        Some("kubernetes.io/basic-auth") if !has("username") && !has("password") => &["username", "password"],
        Some("kubernetes.io/ssh-auth") => &["ssh-privatekey"],
        Some("kubernetes.io/dockerconfigjson") => &[".dockerconfigjson"],
        _ => &[],
    };
    let lacking = wanted.iter().filter(|key| !has(key));
    causes.extend(lacking.map(|key| Cause::required(format!("data[{key}]"), "")));
}

pub(super) fn ports(spec: &Value, causes: &mut Vec<Cause>) {
    let ports = spec
        .get("ports")
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    for (number, port) in ports.iter().enumerate() {
        let place = format!("spec.ports[{number}]");
        let name = port.get("name").and_then(Value::as_str).unwrap_or_default();
        if name.is_empty() && ports.len() > 1 {
            causes.push(Cause::required(format!("{place}.name"), ""));
        }
        for field in ["port", "targetPort"] {
            let wrong = port
                .get(field)
                .filter(|value| value.as_i64().is_some_and(|value| !(1..=65_535).contains(&value)));
            if let Some(value) = wrong {
                let why = "must be between 1 and 65535, inclusive";
                causes.push(Cause::invalid(format!("{place}.{field}"), value, why));
            }
        }
    }
}

/// What is wrong with an address of an endpoint.
pub(super) fn address(kind: &str, address: &Value, place: &str, index: usize) -> Option<Cause> {
    let text = address.as_str().unwrap_or_default();
    if !matches!(kind, "IPv4" | "IPv6") {
        return None;
    }
    let one = format!("{place}[{index}]");
    let Ok(parsed) = text.parse::<IpAddr>() else {
        let why = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
        return Some(Cause::invalid(one, address, why));
    };
    if parsed.is_ipv4() != (kind == "IPv4") {
        return Some(Cause::invalid(
            place,
            address,
            &format!("must be an {kind} address"),
        ));
    }
    let why = if parsed.is_unspecified() {
        "may not be unspecified (0.0.0.0 or ::)"
    } else if parsed.is_loopback() {
        "may not be in the loopback range (127.0.0.0/8, ::1/128)"
    } else if is_link_local(parsed) {
        "may not be in the link-local range (169.254.0.0/16, fe80::/10)"
    } else if is_link_local_multicast(parsed) {
        "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"
    } else {
        return None;
    };
    Some(Cause::invalid(one, address, why))
}

fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

fn is_link_local_multicast(address: IpAddr) -> bool {
    const V4: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 0);
    const V6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0);
    match address {
        IpAddr::V4(address) => address.octets()[..3] == V4.octets()[..3],
        IpAddr::V6(address) => address.segments()[0] == V6.segments()[0],
    }
}

/// A pod has containers, and its spec stays but for a few fields that nobody here changes.
pub(super) fn pod(object: &Value, old: Option<&Value>, causes: &mut Vec<Cause>) {
    const MAY: [&str; 4] = [
        "activeDeadlineSeconds",
        "terminationGracePeriodSeconds",
        "tolerations",
        "schedulingGates",
    ];
    let containers = object.pointer("/spec/containers").and_then(Value::as_array);
    if containers.is_none_or(Vec::is_empty) {
        causes.push(Cause::required("spec.containers", ""));
    }
    let fixed = |pod: &Value| {
        let mut spec = pod["spec"].as_object().cloned().unwrap_or_default();
        spec.retain(|field, _| !MAY.contains(&field.as_str()));
        for list in ["containers", "initContainers"] {
            for container in spec
                .get_mut(list)
                .and_then(Value::as_array_mut)
                .into_iter()
                .flatten()
            {
                container
                    .as_object_mut()
                    .and_then(|container| container.remove("image"));
            }
        }
        spec
    };
    if old.is_some_and(|old| fixed(old) != fixed(object)) {
        let why = "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,\
                   `spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),\
                   `spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";
        causes.push(Cause::forbidden("spec", why));
    }
}

/// The spec of a claim stays but for what it asks for.
pub(super) fn claim(object: &Value, old: Option<&Value>, causes: &mut Vec<Cause>) {
    let fixed = |claim: &Value| {
        let mut spec = claim["spec"].as_object().cloned().unwrap_or_else(Map::new);
        spec.remove("resources");
        spec.remove("volumeAttributesClassName");
        spec
    };
    if old.is_some_and(|old| fixed(old) != fixed(object)) {
        let why = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound \
                   claims";
        causes.push(Cause::forbidden("spec", why));
    }
}

/// A set selects the pods that it makes.
pub(super) fn selects_its_template(object: &Value, causes: &mut Vec<Cause>) {
    let labels = object
        .pointer("/spec/template/metadata/labels")
        .cloned()
        .unwrap_or_default();
    let selector = object
        .pointer("/spec/selector/matchLabels")
        .and_then(Value::as_object);
    let differs = selector
        .into_iter()
        .flatten()
        .any(|(key, value)| labels.get(key) != Some(value));
    if differs {
        let why = "`selector` does not match template `labels`";
        causes.push(Cause::invalid("spec.template.metadata.labels", &labels, why));
    }
}

/// An Event says when it was.
pub(super) fn event(object: &Value, old: Option<&Value>, causes: &mut Vec<Cause>) {
    const MOST_NOTE: usize = 1024;
    if old.is_none() && object.get("eventTime").is_none_or(Value::is_null) {
        causes.push(Cause::required("eventTime", ""));
    }
    let note = object.get("note").and_then(Value::as_str).unwrap_or_default();
    if note.len() > MOST_NOTE {
        let why = format!("can have at most {MOST_NOTE} characters");
        causes.push(Cause::invalid("message", &"".into(), &why));
    }
}

/// A definition is called by its kind.
pub(super) fn definition(object: &Value, causes: &mut Vec<Cause>) {
    let text = |pointer: &str| {
        object
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let name = text("/metadata/name");
    let plural = text("/spec/names/plural");
    if name != format!("{plural}.{}", text("/spec/group")) {
        let why = "must be spec.names.plural+\".\"+spec.group";
        causes.push(Cause::invalid("metadata.name", &name.into(), why));
    }
}
