//! What every program needs because of this crate.

use runtime::rbac::{Rule, Side};

/// In the control plane: the planes and their credentials. In planes: who they are.
pub const RULES: &[Rule] = &[
    Rule {
        side: Side::ControlPlane,
        group: "config.k8ssandra.io",
        resource: "clientconfigs",
        verbs: &["get", "list", "watch"],
        namespace: None,
        names: &[],
        why: "knows which planes there are",
    },
    Rule {
        side: Side::ControlPlane,
        group: "",
        resource: "secrets",
        verbs: &["get", "list", "watch"],
        namespace: None,
        names: &[],
        why: "reads the kubeconfig Secrets that ClientConfigs name, each by its name",
    },
    Rule {
        side: Side::ControlPlane,
        group: "",
        resource: "namespaces",
        verbs: &["get"],
        namespace: Some("kube-system"),
        names: &["kube-system"],
        why: "its UID is the id of the control plane",
    },
    Rule {
        side: Side::Plane,
        group: "",
        resource: "namespaces",
        verbs: &["get"],
        namespace: Some("kube-system"),
        names: &["kube-system"],
        why: "its UID is the id of the plane",
    },
];
