//! Schemas of the embedded parts of Kubernetes' API.

use schemars::Schema;

/// The stored schema of that type.
pub(crate) fn of(_name: &str) -> Schema {
    schemars::json_schema!({"x-kubernetes-preserve-unknown-fields": true})
}
