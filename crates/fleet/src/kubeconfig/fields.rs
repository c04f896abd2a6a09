//! The YAML of a kubeconfig as named things with text in them, and every field that we refuse, by name.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::LARGEST;
use crate::quote::quote_to;
use crate::refusal::{Refusal, RefusalReason};

/// Longest name that is repeated in a message, in bytes.
const LONGEST_NAME: usize = 63;

/// One named entry of `contexts`, `clusters` or `users`: its fields that hold text.
pub(super) type Fields = BTreeMap<&'static str, String>;

/// A kubeconfig that holds nothing but fields on the allow-list.
pub(super) struct Document {
    pub contexts: BTreeMap<String, Fields>,
    pub clusters: BTreeMap<String, Fields>,
    pub users: BTreeMap<String, Fields>,
}

/// What each kind of entry may hold.
struct Allowed {
    list: &'static str,
    inner: &'static str,
    text: &'static [&'static str],
    /// Known, harmless, and not taken over.
    ignored: &'static [&'static str],
}

const CONTEXTS: Allowed = Allowed {
    list: "contexts",
    inner: "context",
    text: &["cluster", "user", "namespace"],
    ignored: &["extensions"],
};
const CLUSTERS: Allowed = Allowed {
    list: "clusters",
    inner: "cluster",
    text: &["server", "certificate-authority-data", "tls-server-name"],
    ignored: &["extensions", "disable-compression"],
};
const USERS: Allowed = Allowed {
    list: "users",
    inner: "user",
    text: &["token", "client-certificate-data", "client-key-data"],
    ignored: &["extensions"],
};
const TOP: &[&str] = &[
    "apiVersion",
    "kind",
    "preferences",
    "extensions",
    "current-context",
    "contexts",
    "clusters",
    "users",
];

impl Document {
    /// Parses the text and refuses what is not on the allow-list, also in entries that nobody picks.
    pub fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        let top = parse(bytes)?;
        for field in top.keys() {
            allow(field, TOP, "the kubeconfig")?;
        }
        if top.get("kind").is_some_and(|kind| kind != "Config") {
            return Err(unreadable("`kind` is not Config."));
        }
        Ok(Self {
            contexts: entries(&top, &CONTEXTS)?,
            clusters: entries(&top, &CLUSTERS)?,
            users: entries(&top, &USERS)?,
        })
    }
}

/// The name as it may stand in a message.
pub(super) fn shown(name: &str) -> String {
    quote_to(name, LONGEST_NAME)
}

fn unreadable(what: &str) -> Refusal {
    Refusal::new(
        RefusalReason::KubeconfigUnreadable,
        format!(
            "The kubeconfig cannot be read: {what} Write it anew, as `kubectl config view --flatten` prints it."
        ),
    )
}

fn parse(bytes: &[u8]) -> Result<Map<String, Value>, Refusal> {
    if bytes.len() > LARGEST {
        let message = format!(
            "The kubeconfig has {} bytes, and at most {LARGEST} are read. Keep the one context that is needed.",
            bytes.len()
        );
        return Err(Refusal::new(RefusalReason::KubeconfigTooLarge, message));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| unreadable("it is not UTF-8."))?;
    let options = serde_saphyr::options! {
        merge_keys: serde_saphyr::MergeKeyPolicy::Error,
        reject_unsupported_tags: true,
        with_snippet: false,
    };
    // The parser's error is dropped on purpose: it can quote the text.
    match serde_saphyr::from_str_with_options::<Value>(text, options) {
        Ok(Value::Object(top)) => Ok(top),
        Ok(_) => Err(unreadable("it is no mapping.")),
        Err(_) => Err(unreadable(
            "it is not one YAML document, or it holds a key twice.",
        )),
    }
}

fn entries(top: &Map<String, Value>, allowed: &Allowed) -> Result<BTreeMap<String, Fields>, Refusal> {
    let list = match top.get(allowed.list) {
        None | Some(Value::Null) => return Ok(BTreeMap::new()),
        Some(Value::Array(list)) => list,
        Some(_) => return Err(unreadable(&format!("`{}` is no list.", allowed.list))),
    };
    let mut named = BTreeMap::new();
    for item in list {
        let (name, fields) = entry(item, allowed)?;
        if named.contains_key(&name) {
            let message = format!(
                "{} has two entries named {}. Keep one.",
                allowed.list,
                shown(&name)
            );
            return Err(Refusal::new(RefusalReason::NameAmbiguous, message));
        }
        named.insert(name, fields);
    }
    Ok(named)
}

fn entry(item: &Value, allowed: &Allowed) -> Result<(String, Fields), Refusal> {
    let Some(item) = item.as_object() else {
        return Err(unreadable(&format!(
            "an entry of `{}` is no mapping.",
            allowed.list
        )));
    };
    let Some(name) = item
        .get("name")
        .and_then(Value::as_str)
        .filter(|name| nameable(name))
    else {
        return Err(unreadable(&format!(
            "an entry of `{}` has no usable name.",
            allowed.list
        )));
    };
    let place = format!("{}[{}]", allowed.list, shown(name));
    for field in item.keys() {
        allow(field, &["name", allowed.inner], &place)?;
    }
    let place = format!("{place}.{}", allowed.inner);
    match item.get(allowed.inner) {
        None | Some(Value::Null) => Ok((name.to_owned(), Fields::new())),
        Some(Value::Object(inner)) => Ok((name.to_owned(), fields(inner, allowed, &place)?)),
        Some(_) => Err(unreadable(&format!("`{place}` is no mapping."))),
    }
}

fn fields(inner: &Map<String, Value>, allowed: &Allowed, place: &str) -> Result<Fields, Refusal> {
    let mut found = Fields::new();
    for (field, value) in inner {
        // `exec: null` says nothing, and neither does `insecure-skip-tls-verify: false`.
        let says_nothing =
            value.is_null() || (field == "insecure-skip-tls-verify" && *value == Value::Bool(false));
        if says_nothing || allowed.ignored.contains(&field.as_str()) {
            continue;
        }
        allow(field, allowed.text, place)?;
        let (Some(known), Value::String(text)) = (allowed.text.iter().find(|known| *known == field), value)
        else {
            return Err(unreadable(&format!(
                "`{place}.{field}` is no text; put it in quotes."
            )));
        };
        found.insert(*known, text.clone());
    }
    Ok(found)
}

/// Names stand in messages and are compared with `spec.contextName`; they are never used as paths.
fn nameable(name: &str) -> bool {
    !name.is_empty() && name.len() <= 253 && !name.chars().any(char::is_control)
}

fn allow(field: &str, allowed: &[&str], place: &str) -> Result<(), Refusal> {
    if allowed.contains(&field) {
        return Ok(());
    }
    let field_shown = shown(field);
    Err(match refused(field) {
        Some((reason, way_out)) => Refusal::new(
            reason,
            format!("`{place}.{field_shown}` is not allowed. {way_out}"),
        ),
        None => Refusal::new(
            RefusalReason::FieldUnknown,
            format!("`{place}.{field_shown}` is not a field that is known here. Remove it."),
        ),
    })
}

/// Fields that are refused wherever they stand, with the reason and the way out.
fn refused(field: &str) -> Option<(RefusalReason, &'static str)> {
    Some(match field {
        "exec" => (
            RefusalReason::ExecRefused,
            "Commands are never run: use the token of a ServiceAccount.",
        ),
        "auth-provider" => (
            RefusalReason::AuthProviderRefused,
            "Use the token of a ServiceAccount.",
        ),
        "tokenFile" => (
            RefusalReason::FilePathRefused,
            "Files are never read: put the token itself into `token`.",
        ),
        "certificate-authority" | "client-certificate" | "client-key" => (
            RefusalReason::FilePathRefused,
            "Files are never read: give the content in the field whose name ends in `-data`.",
        ),
        "insecure-skip-tls-verify" => (
            RefusalReason::InsecureSkipVerifyRefused,
            "Give the authority in `certificate-authority-data`.",
        ),
        "proxy-url" => (
            RefusalReason::ProxyRefused,
            "Planes are reached directly: remove it.",
        ),
        "username" | "password" => (
            RefusalReason::PasswordRefused,
            "Use the token of a ServiceAccount.",
        ),
        _ if field == "as" || field.starts_with("as-") || field.starts_with("impersonate") => (
            RefusalReason::ImpersonationRefused,
            "Give the credentials of the account itself.",
        ),
        _ => return None,
    })
}
