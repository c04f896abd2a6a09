//! Schemas of the embedded parts of Kubernetes' API.
//!
//! `schemas/embedded.json` is made by `cargo xtask crds --embedded <document>` with [`crate::server_schemas`] from what a real
//! API server answers to `GET /openapi/v3/api/v1`; the version of that server stands in the file itself.

use schemars::Schema;
use serde_json::Value;
use std::sync::LazyLock;

const FILE: &str = include_str!("../schemas/embedded.json");

#[expect(clippy::expect_used, reason = "the file is compiled in, and a test reads it")]
static STORED: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(FILE).expect("the stored file is JSON"));

/// The stored schema of that type. A type without one has a schema that takes nothing, which a test refuses.
pub(crate) fn of(name: &str) -> Schema {
    let stored = STORED["schemas"][name].clone();
    Schema::try_from(stored).unwrap_or_else(|_| Schema::from(false))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedded::{Container, Quantity, VolumeSource};
    use schemars::{JsonSchema, SchemaGenerator};

    fn schema<T: JsonSchema>() -> Value {
        T::json_schema(&mut SchemaGenerator::default()).to_value()
    }

    #[test]
    fn a_container_has_the_fields_of_a_recent_kubernetes() {
        let container = schema::<Container>();
        assert_eq!(container["required"], serde_json::json!(["name"]));
        let source = &container["properties"]["env"]["items"]["properties"]["valueFrom"]["properties"];
        assert_eq!(source["fileKeyRef"]["type"], "object");
        assert_eq!(container["properties"]["restartPolicyRules"]["type"], "array");
        assert_eq!(
            container["properties"]["ports"]["items"]["properties"]["protocol"]["default"],
            "TCP"
        );
    }

    #[test]
    fn a_volume_source_has_no_name() {
        let source = schema::<VolumeSource>();
        assert_eq!(source["properties"]["name"], Value::Null);
        assert_eq!(source["required"], Value::Null);
        assert_eq!(source["properties"]["emptyDir"]["type"], "object");
    }

    #[test]
    fn a_quantity_is_a_number_or_a_string() {
        assert_eq!(schema::<Quantity>()["x-kubernetes-int-or-string"], true);
    }
}
