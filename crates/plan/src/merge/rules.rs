//! Where merging is not "the datacenter wins, objects key by key, lists as a whole".
//!
//! A path is written with dots; `[]` stands for the items of a list that is merged by key.

/// How two values at a path are merged. The datacenter's value is called the upper one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Objects key by key, lists replaced; an upper `false`, 0 or empty text of the same type does not count.
    Deep,
    /// The upper value as it is.
    Whole,
    /// As [`Rule::Deep`], but an upper `false` counts.
    TriState,
    /// Lists item by item, matched by this key.
    Keyed(&'static str),
    /// The upper list after the lower one.
    Appended,
    /// The upper text after the lower one.
    Joined,
    /// As [`Rule::Deep`], and of these two keys only the upper kind stays.
    OneOf([&'static str; 2]),
    /// A volume: a name beside a source that is taken whole.
    SourceBesideName,
}

use Rule::{Appended, Joined, Keyed, OneOf, SourceBesideName, TriState, Whole};

/// What stands at exactly this path, sorted by it. The paths of containers are given for `containers`; they hold for
/// `initContainers`, too.
const AT: [(&str, Rule); 28] = [
    ("containers", Keyed("name")),
    ("containers[].env", Keyed("name")),
    ("containers[].env[]", OneOf(["value", "valueFrom"])),
    ("containers[].env[].valueFrom", Whole),
    ("containers[].ports", Keyed("containerPort")),
    ("containers[].securityContext.allowPrivilegeEscalation", TriState),
    ("containers[].securityContext.privileged", TriState),
    ("containers[].securityContext.readOnlyRootFilesystem", TriState),
    ("containers[].securityContext.runAsNonRoot", TriState),
    ("containers[].volumeDevices", Keyed("devicePath")),
    ("containers[].volumeMounts", Keyed("mountPath")),
    ("extraVolumes.pvcs", Keyed("name")),
    ("extraVolumes.pvcs[].volumeSource", Whole),
    ("extraVolumes.volumes", Keyed("name")),
    ("extraVolumes.volumes[]", SourceBesideName),
    ("mgmtAPIHeap", Whole),
    ("networking.hostNetwork", TriState),
    ("podSecurityContext.runAsNonRoot", TriState),
    ("racks", Keyed("name")),
    ("readOnlyRootFilesystem", TriState),
    ("softPodAntiAffinity", TriState),
    ("telemetry.mcac.enabled", TriState),
    ("telemetry.prometheus.enabled", TriState),
    ("telemetry.vector.components.sinks", Appended),
    ("telemetry.vector.components.sources", Appended),
    ("telemetry.vector.components.transforms", Appended),
    ("telemetry.vector.config", Joined),
    ("telemetry.vector.enabled", TriState),
];

/// What stands anywhere below one of these: names of resources and of options may have dots.
const BELOW: [(&str, Rule); 5] = [
    ("config.jvmOptions.", TriState),
    ("containers[].resources.limits.", Whole),
    ("containers[].resources.requests.", Whole),
    ("resources.limits.", Whole),
    ("resources.requests.", Whole),
];

/// The rule at a path.
pub(super) fn at(path: &str) -> Rule {
    match path.strip_prefix("initContainers") {
        Some(rest) => of_containers(&["containers", rest].concat()),
        None => of_containers(path),
    }
}

fn of_containers(path: &str) -> Rule {
    if let Ok(found) = AT.binary_search_by(|(exact, _)| (*exact).cmp(path)) {
        return AT[found].1;
    }
    let is_below = |(parent, _): &&(&str, Rule)| path.len() > parent.len() && path.starts_with(parent);
    BELOW.iter().find(is_below).map_or(Rule::Deep, |(_, rule)| *rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_paths_are_sorted_for_they_are_searched_so() {
        assert!(AT.is_sorted_by(|one, next| one.0 < next.0));
        assert!(AT.iter().all(|(path, rule)| at(path) == *rule));
    }

    #[test]
    fn init_containers_have_the_rules_of_containers() {
        assert_eq!(at("initContainers[].env"), Keyed("name"));
        assert_eq!(at("initContainers"), Keyed("name"));
    }

    #[test]
    fn free_form_configuration_has_no_rules_of_its_own() {
        assert_eq!(at("config.cassandraYaml.containers"), Rule::Deep);
        assert_eq!(at("config.cassandraYaml.racks"), Rule::Deep);
    }

    #[test]
    fn names_of_resources_may_have_dots() {
        assert_eq!(at("resources.limits.example.com/gpu"), Whole);
    }
}
