//! Refusals, in the exact form of a Kubernetes `Status`.

use serde_json::{Map, Value, json};

use crate::definitions::Kind;

/// One cause in `details.causes`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cause {
    pub(crate) reason: &'static str,
    /// What stands behind the field in the message of the whole.
    pub(crate) message: String,
    pub(crate) field: String,
}

impl Cause {
    pub(crate) fn new(reason: &'static str, field: impl Into<String>, message: impl Into<String>) -> Cause {
        Cause {
            reason,
            message: message.into(),
            field: field.into(),
        }
    }

    /// `Invalid value: <value>: <why>`.
    pub(crate) fn invalid(field: impl Into<String>, value: &Value, why: &str) -> Cause {
        Cause::new(
            "FieldValueInvalid",
            field,
            format!("Invalid value: {value}: {why}"),
        )
    }

    pub(crate) fn required(field: impl Into<String>, why: &str) -> Cause {
        let message = if why.is_empty() {
            "Required value".to_owned()
        } else {
            format!("Required value: {why}")
        };
        Cause::new("FieldValueRequired", field, message)
    }

    pub(crate) fn forbidden(field: impl Into<String>, why: &str) -> Cause {
        Cause::new("FieldValueForbidden", field, format!("Forbidden: {why}"))
    }

    /// As found in a part of an object that was looked at alone: the message does not name the part.
    pub(crate) fn below(mut self, part: &str) -> Cause {
        let whole = format!(": {} in body", self.field);
        let inner = self
            .field
            .strip_prefix(part)
            .and_then(|rest| rest.strip_prefix('.'));
        if let Some(inner) = inner {
            self.message = self.message.replace(&whole, &format!(": {inner} in body"));
        }
        self
    }

    fn text(&self) -> String {
        format!("{}: {}", self.field, self.message)
    }

    fn json(&self) -> Value {
        let mut cause = json!({"reason": self.reason, "message": self.message});
        if !self.field.is_empty() {
            cause["field"] = self.field.clone().into();
        }
        cause
    }
}

/// A refusal.
#[derive(Clone, Debug)]
pub(crate) struct Failure(Box<Content>);

#[derive(Clone, Debug)]
struct Content {
    code: u16,
    reason: &'static str,
    message: String,
    details: Map<String, Value>,
    metadata: Value,
    /// Not a Status but this text.
    plain: bool,
    warnings: Vec<String>,
}

impl Failure {
    pub(crate) fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Failure {
        Failure(Box::new(Content {
            code,
            reason,
            message: message.into(),
            details: Map::new(),
            metadata: json!({}),
            plain: false,
            warnings: Vec::new(),
        }))
    }

    fn about(mut self, group: &str, kind: &str, name: &str) -> Failure {
        for (key, text) in [("name", name), ("group", group), ("kind", kind)] {
            if !text.is_empty() {
                self.0.details.insert(key.into(), text.into());
            }
        }
        self
    }

    pub(crate) fn caused(mut self, causes: &[Cause]) -> Failure {
        let causes = causes.iter().map(Cause::json).collect::<Vec<_>>();
        self.0.details.insert("causes".into(), causes.into());
        self
    }

    pub(crate) fn retry_after(mut self, seconds: u64) -> Failure {
        self.0.details.insert("retryAfterSeconds".into(), seconds.into());
        self
    }

    pub(crate) fn metadata(mut self, metadata: Value) -> Failure {
        self.0.metadata = metadata;
        self
    }

    pub(crate) fn plain(code: u16, text: impl Into<String>) -> Failure {
        let mut failure = Failure::new(code, "", text);
        failure.0.plain = true;
        failure
    }

    pub(crate) fn not_found(kind: &Kind, name: &str) -> Failure {
        let message = format!("{} {name:?} not found", kind.qualified());
        Failure::new(404, "NotFound", message).about(&kind.group, &kind.plural, name)
    }

    pub(crate) fn no_such_resource() -> Failure {
        let message = "the server could not find the requested resource";
        Failure::new(404, "NotFound", message).with_empty_details()
    }

    pub(crate) fn already_exists(kind: &Kind, name: &str, deleting: bool) -> Failure {
        let still = if deleting { "object is being deleted: " } else { "" };
        let message = format!("{still}{} {name:?} already exists", kind.qualified());
        Failure::new(409, "AlreadyExists", message).about(&kind.group, &kind.plural, name)
    }

    pub(crate) fn conflict(kind: &Kind, name: &str, why: &str) -> Failure {
        let message = format!(
            "Operation cannot be fulfilled on {} {name:?}: {why}",
            kind.qualified()
        );
        Failure::new(409, "Conflict", message).about(&kind.group, &kind.plural, name)
    }

    pub(crate) fn conflict_named(group: &str, kind: &str, name: &str, message: String) -> Failure {
        Failure::new(409, "Conflict", message).about(group, kind, name)
    }

    pub(crate) fn modified(kind: &Kind, name: &str) -> Failure {
        let why =
            "the object has been modified; please apply your changes to the latest version and try again";
        Failure::conflict(kind, name, why)
    }

    pub(crate) fn invalid(kind: &Kind, name: &str, causes: &[Cause]) -> Failure {
        Failure::invalid_named(&kind.group, &kind.kind, name, causes)
    }

    pub(crate) fn invalid_named(group: &str, kind: &str, name: &str, causes: &[Cause]) -> Failure {
        let mut texts: Vec<String> = Vec::new();
        for text in causes.iter().map(Cause::text) {
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
        let what = match texts.as_slice() {
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        let dot = if group.is_empty() { "" } else { "." };
        let message = format!("{kind}{dot}{group} {name:?} is invalid: {what}");
        Failure::new(422, "Invalid", message)
            .about(group, kind, name)
            .caused(causes)
    }

    pub(crate) fn forbidden(kind: &Kind, name: &str, why: &str) -> Failure {
        let named = if name.is_empty() {
            String::new()
        } else {
            format!(" {name:?}")
        };
        let message = format!("{}{named} is forbidden: {why}", kind.qualified());
        Failure::new(403, "Forbidden", message).about(&kind.group, &kind.plural, name)
    }

    /// What roles do not allow.
    pub(crate) fn denied(group: &str, plural: &str, name: &str, message: String) -> Failure {
        Failure::new(403, "Forbidden", message).about(group, plural, name)
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Failure {
        Failure::new(400, "BadRequest", message)
    }

    pub(crate) fn expired(message: impl Into<String>) -> Failure {
        Failure::new(410, "Expired", message)
    }

    pub(crate) fn unsupported(message: impl Into<String>) -> Failure {
        Failure::new(415, "UnsupportedMediaType", message)
    }

    pub(crate) fn not_acceptable() -> Failure {
        let message = "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, \
                       application/vnd.kubernetes.protobuf";
        Failure::new(406, "NotAcceptable", message).with_empty_details()
    }

    /// An operation of a JSON patch that cannot be done; which one is not told.
    pub(crate) fn inapplicable() -> Failure {
        let message = "the server rejected our request due to an error in our request";
        Failure::new(422, "Invalid", message).with_empty_details()
    }

    pub(crate) fn not_deletable(kind: &Kind) -> Failure {
        let message = format!(
            "delete is not supported on resources of kind {:?}",
            kind.qualified()
        );
        Failure::new(405, "MethodNotAllowed", message).about(&kind.group, &kind.plural, "")
    }

    pub(crate) fn method_not_allowed() -> Failure {
        let message = "the server does not allow this method on the requested resource";
        Failure::new(405, "MethodNotAllowed", message).with_empty_details()
    }

    pub(crate) fn with_empty_details(mut self) -> Failure {
        self.0.details.insert(String::new(), Value::Null);
        self
    }

    pub(crate) fn warning(mut self, warnings: Vec<String>) -> Failure {
        self.0.warnings = warnings;
        self
    }

    pub(crate) fn warnings(&self) -> &[String] {
        &self.0.warnings
    }

    /// As [`Failure::conflict`], by the name of the kind.
    pub(crate) fn conflict_of_kind(kind: &Kind, name: &str, why: &str) -> Failure {
        let dot = if kind.group.is_empty() { "" } else { "." };
        let message = format!(
            "Operation cannot be fulfilled on {}{dot}{} {name:?}: {why}",
            kind.kind, kind.group
        );
        Failure::new(409, "Conflict", message).about(&kind.group, &kind.kind, name)
    }

    /// As [`Failure::invalid`], by the plural name of the kind.
    pub(crate) fn invalid_of_plural(kind: &Kind, name: &str, causes: &[Cause]) -> Failure {
        Failure::invalid_named(&kind.group, &kind.plural, name, causes)
    }

    pub(crate) fn code(&self) -> u16 {
        self.0.code
    }

    /// `Some`: the answer is this text instead of a Status.
    pub(crate) fn text(&self) -> Option<&str> {
        self.0.plain.then_some(self.0.message.as_str())
    }

    pub(crate) fn status(&self) -> Value {
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": self.0.metadata, "status": "Failure",
            "message": self.0.message, "code": self.0.code,
        });
        if !self.0.reason.is_empty() {
            status["reason"] = self.0.reason.into();
        }
        if !self.0.details.is_empty() {
            let mut details = self.0.details.clone();
            details.remove("");
            status["details"] = details.into();
        }
        status
    }
}
