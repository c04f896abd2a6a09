//! What must hold for every object's metadata.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value};

use crate::definitions::Kind;
use crate::failure::Cause;
use crate::object::{finalizers, is_deleting, text};

const LABEL: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const SUBDOMAIN: &str = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
const DNS_1035: &str = "[a-z]([-a-z0-9]*[a-z0-9])?";
const QUALIFIED: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const VALUE: &str = "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?";
/// All annotations of an object together.
const ANNOTATIONS: usize = 256 * 1024;

fn whole(pattern: &str) -> Regex {
    // The patterns are literals of this file; one that is none would match nothing.
    Regex::new(&format!("^(?:{pattern})$")).unwrap_or_else(|_| unreachable!("{pattern} is a pattern"))
}

static IS_LABEL: LazyLock<Regex> = LazyLock::new(|| whole(LABEL));
static IS_SUBDOMAIN: LazyLock<Regex> = LazyLock::new(|| whole(SUBDOMAIN));
static IS_DNS_1035: LazyLock<Regex> = LazyLock::new(|| whole(DNS_1035));
static IS_QUALIFIED: LazyLock<Regex> = LazyLock::new(|| whole(QUALIFIED));
static IS_VALUE: LazyLock<Regex> = LazyLock::new(|| whole(VALUE));

/// Everything that is wrong with an object's metadata.
pub(crate) fn check(kind: &Kind, object: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let name = text(object, "name");
    if !name.is_empty() {
        causes.extend(check_name(kind, name));
    }
    let metadata = object.get("metadata");
    let map = |field: &str| {
        metadata
            .and_then(|metadata| metadata.get(field))
            .and_then(Value::as_object)
    };
    if let Some(labels) = map("labels") {
        check_labels(labels, &mut causes);
    }
    if let Some(annotations) = map("annotations") {
        check_annotations(annotations, &mut causes);
    }
    check_owners(object, &mut causes);
    if kind.built_in {
        check_finalizers(object, &mut causes);
    }
    causes
}

/// Custom kinds are only warned.
fn check_finalizers(object: &Value, causes: &mut Vec<Cause>) {
    const STANDARD: [&str; 3] = ["foregroundDeletion", "kubernetes", "orphan"];
    for (number, finalizer) in finalizers(object).enumerate() {
        if !finalizer.contains('/') && !STANDARD.contains(&finalizer) {
            let field = format!("metadata.finalizers[{number}]");
            let why = "name is neither a standard finalizer name nor is it fully qualified";
            causes.push(Cause::invalid(field, &finalizer.into(), why));
        }
    }
}

/// How a kind's objects are named.
#[derive(Clone, Copy)]
enum Naming {
    Label,
    Dns1035,
    Subdomain,
    PathSegment,
}

fn naming(kind: &Kind) -> Naming {
    match (kind.group.as_str(), kind.plural.as_str()) {
        ("rbac.authorization.k8s.io", _) => Naming::PathSegment,
        ("", "namespaces") => Naming::Label,
        ("", "services") => Naming::Dns1035,
        _ => Naming::Subdomain,
    }
}

fn check_name(kind: &Kind, name: &str) -> Option<Cause> {
    let naming = naming(kind);
    let (most, good) = match naming {
        Naming::Label => (63, IS_LABEL.is_match(name)),
        Naming::Dns1035 => (63, IS_DNS_1035.is_match(name)),
        Naming::Subdomain => (253, IS_SUBDOMAIN.is_match(name)),
        Naming::PathSegment => (
            usize::MAX,
            !matches!(name, "." | "..") && !name.contains(['/', '%']),
        ),
    };
    let why = match naming {
        _ if name.len() > most => format!("must be no more than {most} characters"),
        _ if good => return None,
        Naming::Label if name.contains('.') => "must not contain dots".to_owned(),
        Naming::Label => format!(
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and \
             end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '{LABEL}')"
        ),
        Naming::Dns1035 => format!(
            "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic \
             character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation \
             is '{DNS_1035}')"
        ),
        Naming::Subdomain => format!(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must \
             start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '{SUBDOMAIN}')"
        ),
        Naming::PathSegment => "may not contain '/' or '%'".to_owned(),
    };
    Some(Cause::invalid("metadata.name", &name.into(), &why))
}

fn check_qualified(field: &str, key: &str, causes: &mut Vec<Cause>) {
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    let value = Value::from(key);
    if prefix.is_some_and(|prefix| !IS_SUBDOMAIN.is_match(prefix)) {
        let why = format!(
            "prefix part a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', \
             and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
             '{SUBDOMAIN}')"
        );
        causes.push(Cause::invalid(field, &value, &why));
    }
    if name.is_empty() {
        causes.push(Cause::invalid(field, &value, "name part must be non-empty"));
    } else if name.len() > 63 {
        causes.push(Cause::invalid(
            field,
            &value,
            "name part must be no more than 63 bytes",
        ));
    }
    if !IS_QUALIFIED.is_match(name) {
        let why = format!(
            "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an \
             alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
             '{QUALIFIED}')"
        );
        causes.push(Cause::invalid(field, &value, &why));
    }
}

fn check_labels(labels: &Map<String, Value>, causes: &mut Vec<Cause>) {
    const FIELD: &str = "metadata.labels";
    for (key, value) in labels {
        check_qualified(FIELD, key, causes);
        let text = value.as_str().unwrap_or_default();
        if text.len() > 63 {
            causes.push(Cause::invalid(FIELD, value, "must be no more than 63 bytes"));
        }
        if !IS_VALUE.is_match(text) {
            let why = format!(
                "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must \
                 start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used \
                 for validation is '{VALUE}')"
            );
            causes.push(Cause::invalid(FIELD, value, &why));
        }
    }
}

fn check_annotations(annotations: &Map<String, Value>, causes: &mut Vec<Cause>) {
    let mut size = 0;
    for (key, value) in annotations {
        check_qualified("metadata.annotations", &key.to_lowercase(), causes);
        size += key.len() + value.as_str().map_or(0, str::len);
    }
    if size > ANNOTATIONS {
        let message = format!("Too long: may not be more than {ANNOTATIONS} bytes");
        causes.push(Cause::new("FieldValueTooLong", "metadata.annotations", message));
    }
}

fn check_owners(object: &Value, causes: &mut Vec<Cause>) {
    let owners: Vec<_> = crate::object::owners(object).collect();
    for owner in &owners {
        for field in ["kind", "name", "uid"] {
            let given = owner.get(field).and_then(Value::as_str).unwrap_or_default();
            if given.is_empty() {
                let place = format!("metadata.ownerReferences.{field}");
                causes.push(Cause::invalid(place, &"".into(), "must not be empty"));
            }
        }
        if owner
            .get("apiVersion")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .is_empty()
        {
            let place = "metadata.ownerReferences.apiVersion";
            causes.push(Cause::invalid(place, &"".into(), "version must not be empty"));
        }
    }
    let controllers: Vec<_> = owners
        .iter()
        .filter(|owner| owner.get("controller") == Some(&Value::Bool(true)))
        .filter_map(|owner| owner.get("name")?.as_str())
        .collect();
    if let [first, second, ..] = controllers.as_slice() {
        let why = format!(
            "Only one reference can have Controller set to true. Found \"true\" in references for {first} and {second}"
        );
        let all = Value::from(owners.into_iter().cloned().collect::<Vec<_>>());
        causes.push(Cause::invalid("metadata.ownerReferences", &all, &why));
    }
}

/// What may not change from one state of an object to the next.
pub(crate) fn check_update(old: &Value, new: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    if is_deleting(old) {
        let known: Vec<_> = finalizers(old).collect();
        let added: Vec<_> = finalizers(new)
            .filter(|finalizer| !known.contains(finalizer))
            .map(|finalizer| format!("{finalizer:?}"))
            .collect();
        if !added.is_empty() {
            let why = format!(
                "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
                added.join(", ")
            );
            causes.push(Cause::forbidden("metadata.finalizers", &why));
        }
    }
    for field in [
        "name",
        "namespace",
        "uid",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
    ] {
        let value = |object: &Value| {
            object
                .get("metadata")
                .and_then(|metadata| metadata.get(field))
                .cloned()
        };
        let given = value(new);
        if given != value(old) {
            let given = given.unwrap_or_default();
            causes.push(Cause::invalid(
                format!("metadata.{field}"),
                &given,
                "field is immutable",
            ));
        }
    }
    causes
}
