//! The built-in kinds, from what kube-apiserver v1.35 says about them in `/openapi/v3` and in discovery.
//!
//! `schemas/built_in.json` has the resources and, without descriptions, every schema that they reach; `cargo xtask
//! conformance --record` writes it. Of the defaults only the empty objects are kept: they tell which parts are always there.
//! One thing is added: an EndpointSlice always has `ports`.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Kind, ScalePaths};
use crate::schema::compile::Compiler;

const TEXT: &str = include_str!("../../schemas/built_in.json");

#[derive(Deserialize)]
struct BuiltIn {
    resources: Vec<Resource>,
    components: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Resource {
    group: String,
    version: String,
    plural: String,
    singular: String,
    kind: String,
    namespaced: bool,
    verbs: Vec<String>,
    short_names: Vec<String>,
    categories: Vec<String>,
    subresources: Vec<String>,
    schema: String,
}

/// What schemas refer to.
#[expect(
    clippy::expect_used,
    reason = "the file is part of this crate, and every test reads it"
)]
fn read() -> BuiltIn {
    serde_json::from_str(TEXT).expect("schemas/built_in.json is what this module reads")
}

pub(super) fn components() -> Map<String, Value> {
    read().components
}

#[expect(
    clippy::expect_used,
    reason = "the file is part of this crate, and every test reads it"
)]
pub(super) fn kinds() -> Vec<Arc<Kind>> {
    let BuiltIn {
        resources,
        components,
    } = read();
    let mut compiler = Compiler::new(&components, false);
    let roots: Vec<_> = resources
        .iter()
        .map(|resource| {
            compiler
                .component(&resource.schema)
                .expect("schemas/built_in.json has every schema that it names")
        })
        .collect();
    let schema = Arc::new(compiler.finish());
    let core_events = resources
        .iter()
        .position(|resource| resource.plural == "events" && resource.group.is_empty());
    let of = |(place, (resource, root)): (usize, (Resource, usize))| {
        // Events are the same objects in both of their groups.
        let newer = resource.plural == "events" && !resource.group.is_empty();
        let table = core_events.filter(|_| newer).unwrap_or(place);
        Arc::new(Kind {
            table,
            storage: !newer,
            api_version: api_version(&resource.group, &resource.version),
            list_kind: format!("{}List", resource.kind),
            scale: resource
                .subresources
                .iter()
                .any(|name| name == "scale")
                .then(|| ScalePaths {
                    spec: "/spec/replicas".into(),
                    status: "/status/replicas".into(),
                    selector: None,
                }),
            columns: Vec::new(),
            group: resource.group,
            version: resource.version,
            kind: resource.kind,
            plural: resource.plural,
            singular: resource.singular,
            short_names: resource.short_names,
            categories: resource.categories,
            verbs: resource.verbs,
            subresources: resource.subresources,
            namespaced: resource.namespaced,
            built_in: true,
            schema: Arc::clone(&schema),
            root,
        })
    };
    resources.into_iter().zip(roots).enumerate().map(of).collect()
}

pub(super) fn api_version(group: &str, version: &str) -> String {
    if group.is_empty() {
        version.to_owned()
    } else {
        format!("{group}/{version}")
    }
}

#[cfg(test)]
mod tests {
    use super::kinds;
    use crate::schema::ListType;

    #[test]
    fn the_kinds_know_how_their_lists_are_merged() {
        let kinds = kinds();
        let pod = kinds.iter().find(|kind| kind.is("", "pods")).unwrap();
        let containers = pod.at().field("spec").field("containers");
        assert_eq!(containers.node.list, ListType::Map(vec!["name".into()]));
        let finalizers = pod.at().field("metadata").field("finalizers");
        assert_eq!(finalizers.node.list, ListType::Set);
    }
}
