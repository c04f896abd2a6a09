//! One request about objects, understood.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, USER_AGENT};
use serde_json::Value;

use crate::definitions::Kind;
use crate::failure::{Cause, Failure};
use crate::object::Shown;
use crate::options::User;
use crate::query::Query;
use crate::state::{Key, key};

pub(crate) struct Ask<'a> {
    pub(crate) user: &'a User,
    pub(crate) method: &'a str,
    pub(crate) agent: &'a str,
    pub(crate) accept: &'a str,
    pub(crate) content_type: &'a str,
    pub(crate) query: Query<'a>,
    pub(crate) body: &'a Bytes,
    pub(crate) kind: Arc<Kind>,
    /// Empty: no namespace, or all of them.
    pub(crate) namespace: &'a str,
    /// Empty: the collection.
    pub(crate) name: &'a str,
    /// Empty: the object itself.
    pub(crate) subresource: &'a str,
    /// `Some`: what is read is as it was at this version.
    pub(crate) as_of: Option<u64>,
    pub(crate) shown: Shown,
}

/// How strict unknown fields are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strictness {
    Ignore,
    Warn,
    Strict,
}

pub(crate) fn header(request: &http::Request<Bytes>, name: http::HeaderName) -> &str {
    request
        .headers()
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

impl<'a> Ask<'a> {
    pub(crate) fn new(user: &'a User, request: &'a http::Request<Bytes>, kind: Arc<Kind>) -> Ask<'a> {
        Ask {
            user,
            method: request.method().as_str(),
            agent: header(request, USER_AGENT),
            accept: header(request, ACCEPT),
            content_type: header(request, CONTENT_TYPE),
            query: Query::of(request.uri()),
            body: request.body(),
            kind,
            namespace: "",
            name: "",
            subresource: "",
            as_of: None,
            shown: request.extensions().get().copied().unwrap_or(Shown::Whole),
        }
    }

    pub(crate) fn key(&self) -> Key {
        key(self.namespace, self.name)
    }

    /// Who owns what is written: as named, else the program that asks.
    pub(crate) fn manager(&self) -> Cow<'a, str> {
        self.query
            .get("fieldManager")
            .unwrap_or_else(|| Cow::Borrowed(self.agent.split('/').next().unwrap_or_default()))
    }

    /// # Errors
    /// Something else than `All`.
    pub(crate) fn dry_run(&self, options: Option<&Value>) -> Result<bool, Failure> {
        let in_body = options
            .and_then(|options| options.get("dryRun")?.as_array()?.first())
            .and_then(Value::as_str);
        let given = self.query.get("dryRun").or(in_body.map(Cow::Borrowed));
        match given.as_deref() {
            None => Ok(false),
            Some("All") => Ok(true),
            Some(other) => {
                let cause = Cause::new(
                    "FieldValueNotSupported",
                    "dryRun",
                    format!("Unsupported value: [{other:?}]: supported values: \"All\""),
                );
                Err(Failure::invalid_named(
                    "meta.k8s.io",
                    self.options(),
                    "",
                    &[cause],
                ))
            }
        }
    }

    /// The kind of the options that are given in the URL.
    fn options(&self) -> &'static str {
        match self.method {
            "PATCH" => "PatchOptions",
            "PUT" => "UpdateOptions",
            "DELETE" => "DeleteOptions",
            _ => "CreateOptions",
        }
    }

    /// # Errors
    /// A manager's name that is too long, or a strictness that nobody knows.
    pub(crate) fn check_options(&self) -> Result<(), Failure> {
        let mut causes = Vec::new();
        if self
            .query
            .get("fieldManager")
            .is_some_and(|manager| manager.len() > 128)
        {
            let message = "Too long: may not be more than 128 bytes";
            causes.push(Cause::new("FieldValueTooLong", "fieldManager", message));
        }
        let strictness = self.query.get("fieldValidation").unwrap_or_default();
        if !matches!(strictness.as_ref(), "" | "Ignore" | "Strict" | "Warn") {
            let message = format!(
                "Unsupported value: {strictness:?}: supported values: \"\", \"Ignore\", \"Strict\", \"Warn\""
            );
            causes.push(Cause::new("FieldValueNotSupported", "fieldValidation", message));
        }
        if causes.is_empty() {
            return Ok(());
        }
        Err(Failure::invalid_named("meta.k8s.io", self.options(), "", &causes))
    }

    pub(crate) fn strictness(&self) -> Strictness {
        match self.query.get("fieldValidation").as_deref() {
            Some("Strict") => Strictness::Strict,
            Some("Ignore") => Strictness::Ignore,
            _ => Strictness::Warn,
        }
    }

    pub(crate) fn accepts_json(&self) -> bool {
        self.accept.is_empty()
            || ["json", "*/*", "application/*"]
                .iter()
                .any(|media| self.accept.contains(media))
    }

    pub(crate) fn wants_metadata(&self) -> bool {
        self.accept.contains("as=PartialObjectMetadata")
    }
}
