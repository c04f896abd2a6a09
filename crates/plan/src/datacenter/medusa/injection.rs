//! The annotation on pods by which a webhook in the plane brings a Secret into containers as files.
//!
//! Medusa reads its user from the environment; the files are an addition. Upstream writes the annotation only where the
//! user gives pods annotations of their own, and so does this: to write it everywhere would restart every node of every
//! cluster that comes from there.

use api::names::reason;
use api::reports::Refusal;
use serde::{Deserialize, Serialize};

use super::Facts;
use crate::validate::refusal;
use crate::value;

/// The annotation.
pub(super) const KEY: &str = "k8ssandra.io/inject-secret";

/// One Secret.
#[derive(Serialize, Deserialize)]
struct Injection {
    name: String,
    path: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    containers: Vec<String>,
}

/// Value of the annotation; none where pods get none.
pub(super) fn of(facts: &Facts<'_>, secret: &str) -> Result<Option<String>, Refusal> {
    let annotations = value::texts(&facts.merged, "/metadata/pods/annotations");
    if annotations.is_empty() || facts.kc.spec.has_external_secrets() {
        return Ok(None);
    }
    let unusable = |error: serde_json::Error| {
        let field = facts.field(&format!("metadata.pods.annotations[{KEY}]"));
        let message = format!(
            "cannot be read, and Medusa adds to it: {error}; write a list of name, path and containers"
        );
        refusal(reason::INVALID_SPEC, &field, message)
    };
    let given = annotations.get(KEY).filter(|text| !text.is_empty());
    let mut injections: Vec<Injection> = given
        .map_or(Ok(Vec::new()), |text| serde_json::from_str(text))
        .map_err(unusable)?;
    if !injections.iter().any(|injection| injection.name == secret) {
        injections.push(Injection {
            name: secret.to_owned(),
            path: format!("/etc/secrets/{secret}"),
            containers: ["medusa", "medusa-restore"].map(str::to_owned).into(),
        });
    }
    serde_json::to_string(&injections).map(Some).map_err(unusable)
}
