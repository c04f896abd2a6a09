//! Events are one kind under two groups, whose fields have two names: they are stored as the older one.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::definitions::Kind;

/// As core and as `events.k8s.io` name a field.
const NAMES: [(&str, &str); 9] = [
    ("count", "deprecatedCount"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("involvedObject", "regarding"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("message", "note"),
    ("reportingComponent", "reportingController"),
    ("reportingInstance", "reportingInstance"),
    ("source", "deprecatedSource"),
    ("type", "type"),
];

/// An object in the version of a kind.
pub(crate) fn in_version<'v>(kind: &Kind, object: &'v Value) -> Cow<'v, Value> {
    let given = object
        .get("apiVersion")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if given == kind.api_version {
        return Cow::Borrowed(object);
    }
    let mut shown = object.clone();
    if kind.built_in && kind.plural == "events" {
        rename(&mut shown, kind.group.is_empty());
    }
    shown["apiVersion"] = kind.api_version.clone().into();
    Cow::Owned(shown)
}

fn rename(event: &mut Value, to_core: bool) {
    let Value::Object(fields) = event else { return };
    let renamed = |name: String| {
        let known = NAMES
            .iter()
            .find(|(core, newer)| name == if to_core { *newer } else { *core });
        match known {
            Some((core, newer)) => (if to_core { *core } else { *newer }).to_owned(),
            None => name,
        }
    };
    let old = std::mem::take(fields);
    *fields = old
        .into_iter()
        .map(|(name, value)| (renamed(name), value))
        .collect::<Map<_, _>>();
}
