//! Who may do what: stored roles and bindings, evaluated.

use std::collections::HashMap;
use std::sync::Arc;

use http::Method;
use serde_json::Value;

use crate::failure::Failure;
use crate::options::User;
use crate::paths::Objects;
use crate::query::Query;
use crate::state::State;

const API: &str = "rbac.authorization.k8s.io/v1";

/// What somebody wants to do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'r> {
    pub(crate) verb: &'r str,
    pub(crate) group: &'r str,
    pub(crate) plural: &'r str,
    pub(crate) subresource: &'r str,
    pub(crate) namespace: &'r str,
    pub(crate) name: &'r str,
}

/// The rules of each user, as long as no role has changed.
#[derive(Debug, Default)]
pub(crate) struct Roles {
    version: u64,
    rules: HashMap<User, Arc<Vec<Rule>>>,
}

#[derive(Debug)]
struct Rule {
    /// Empty: everywhere.
    namespace: String,
    verbs: Vec<String>,
    groups: Vec<String>,
    resources: Vec<String>,
    /// Empty: all.
    names: Vec<String>,
    /// Whose binding of which role it is.
    why: String,
}

impl Rule {
    fn allows(&self, request: &Request<'_>) -> bool {
        let has = |list: &[String], wanted: &str| list.iter().any(|entry| entry == "*" || entry == wanted);
        let resource = |entry: &String| match (entry.as_str(), request.subresource) {
            ("*", _) => true,
            (entry, "") => entry == request.plural,
            (entry, part) => entry
                .split_once('/')
                .is_some_and(|(plural, sub)| sub == part && (plural == "*" || plural == request.plural)),
        };
        (self.namespace.is_empty() || self.namespace == request.namespace)
            && has(&self.verbs, request.verb)
            && has(&self.groups, request.group)
            && self.resources.iter().any(resource)
            && (self.names.is_empty() || self.names.iter().any(|name| name == request.name))
    }
}

impl Roles {
    /// Why somebody may do something; nothing: it may not.
    pub(crate) fn allow(&mut self, state: &State, user: &User, request: &Request<'_>) -> Option<String> {
        // What every authenticated user may ask about itself.
        let about_itself = request.group == "authorization.k8s.io" && request.plural.starts_with("self")
            || (request.group == "authentication.k8s.io" && request.plural == "selfsubjectreviews");
        if about_itself && !user.is_anonymous() {
            return Some("RBAC: allowed by ClusterRoleBinding \"system:basic-user\"".to_owned());
        }
        if self.version != state.roles_version {
            self.version = state.roles_version;
            self.rules.clear();
        }
        let known = self.rules.entry(user.clone());
        let rules = known.or_insert_with(|| Arc::new(rules(state, user)));
        let rule = rules.iter().find(|rule| rule.allows(request))?;
        Some(rule.why.clone())
    }
}

fn rules(state: &State, user: &User) -> Vec<Rule> {
    let mut found = Vec::new();
    for plural in ["clusterrolebindings", "rolebindings"] {
        let Some(kind) = state.served.find(API, plural) else {
            continue;
        };
        for binding in state.table(kind.table).objects.values() {
            let namespace = binding.namespace();
            let mut subjects = subjects(&binding.value);
            if let Some(subject) = subjects.find(|subject| is(subject, user, namespace)) {
                let why = reason(&binding.value, subject, namespace);
                found.extend(rules_of(state, &binding.value, namespace, &why));
            }
        }
    }
    found
}

fn subjects(binding: &Value) -> impl Iterator<Item = &Value> {
    binding
        .get("subjects")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn is(subject: &Value, user: &User, namespace: &str) -> bool {
    let name = text(subject, "name");
    match text(subject, "kind") {
        "User" => user.name == name,
        "Group" => user.groups.iter().any(|group| group == name),
        "ServiceAccount" => {
            let of = Some(text(subject, "namespace"))
                .filter(|of| !of.is_empty())
                .unwrap_or(namespace);
            user.name == format!("system:serviceaccount:{of}:{name}")
        }
        _ => false,
    }
}

fn reason(binding: &Value, subject: &Value, namespace: &str) -> String {
    let name = crate::object::text(binding, "name");
    let role = binding.get("roleRef").unwrap_or(&Value::Null);
    let (kind, place) = if namespace.is_empty() {
        ("ClusterRoleBinding", String::new())
    } else {
        ("RoleBinding", format!("/{namespace}"))
    };
    let who = match (text(subject, "kind"), text(subject, "namespace")) {
        ("ServiceAccount", of) => format!(
            "{}/{}",
            text(subject, "name"),
            if of.is_empty() { namespace } else { of }
        ),
        _ => text(subject, "name").to_owned(),
    };
    format!(
        "RBAC: allowed by {kind} \"{name}{place}\" of {} {:?} to {} {who:?}",
        text(role, "kind"),
        text(role, "name"),
        text(subject, "kind"),
    )
}

fn rules_of(state: &State, binding: &Value, namespace: &str, why: &str) -> Vec<Rule> {
    let reference = binding.get("roleRef").unwrap_or(&Value::Null);
    let (plural, of) = match text(reference, "kind") {
        "Role" => ("roles", namespace),
        _ => ("clusterroles", ""),
    };
    let key = crate::state::key(of, text(reference, "name"));
    let role = state
        .served
        .find(API, plural)
        .and_then(|kind| state.get(kind.table, &key));
    let Some(role) = role else { return Vec::new() };
    let texts = |rule: &Value, field: &str| {
        let list = rule.get(field).and_then(Value::as_array).into_iter().flatten();
        list.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let rules = role.value.get("rules").and_then(Value::as_array);
    let read = |rule: &Value| Rule {
        namespace: namespace.to_owned(),
        verbs: texts(rule, "verbs"),
        groups: texts(rule, "apiGroups"),
        resources: texts(rule, "resources"),
        names: texts(rule, "resourceNames"),
        why: why.to_owned(),
    };
    rules.into_iter().flatten().map(read).collect()
}

/// The verb of a request, as roles name it.
pub(crate) fn verb(method: &Method, objects: &Objects<'_>, query: Query<'_>) -> &'static str {
    let named = objects.name.is_some();
    match method.as_str() {
        "GET" | "HEAD" if query.flag("watch") => "watch",
        "GET" | "HEAD" if named => "get",
        "GET" | "HEAD" => "list",
        "POST" => "create",
        "PUT" => "update",
        "PATCH" => "patch",
        "DELETE" if named => "delete",
        "DELETE" => "deletecollection",
        _ => "",
    }
}

/// The namespace that a request is about; a namespace is in itself.
pub(crate) fn place<'p>(objects: &Objects<'p>) -> Option<&'p str> {
    let itself = objects
        .name
        .filter(|_| (objects.api_version, objects.plural) == ("v1", "namespaces"));
    objects.namespace.or(itself)
}

pub(crate) fn refusal(user: &User, verb: &str, objects: &Objects<'_>) -> Failure {
    let group = objects.api_version.split_once('/').map_or("", |(group, _)| group);
    let qualified = if group.is_empty() {
        objects.plural.to_owned()
    } else {
        format!("{}.{group}", objects.plural)
    };
    let part = objects
        .subresource
        .map(|part| format!("/{part}"))
        .unwrap_or_default();
    let place = match place(objects) {
        Some(namespace) => format!("in the namespace {namespace:?}"),
        None => "at the cluster scope".to_owned(),
    };
    let named = objects.name.map(|name| format!(" {name:?}")).unwrap_or_default();
    let message = format!(
        "{qualified}{named} is forbidden: User {:?} cannot {verb} resource \"{}{part}\" in API group {group:?} {place}",
        user.name, objects.plural
    );
    Failure::denied(group, objects.plural, objects.name.unwrap_or_default(), message)
}

/// Nobody but masters may read paths that are no objects and of no use to everybody.
pub(crate) fn refused_path(user: &User, method: &Method, path: &str) -> Failure {
    let verb = method.as_str().to_lowercase();
    let message = format!("forbidden: User {:?} cannot {verb} path {path:?}", user.name);
    Failure::new(403, "Forbidden", message).with_empty_details()
}
