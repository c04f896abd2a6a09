//! What a program may do, said next to the code that does it. Manifests are generated from these rows.

/// In which cluster a rule is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The cluster that the program itself runs in.
    ControlPlane,
    /// Every cluster that the program works in through a credential.
    Plane,
}

/// One row of a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rule {
    /// Where.
    pub side: Side,
    /// API group; empty for the core group.
    pub group: &'static str,
    /// Plural name of the kind, with `/status` or another subresource where meant.
    pub resource: &'static str,
    /// Verbs in the API's words; never `*`.
    pub verbs: &'static [&'static str],
    /// `Some`: a Role in this namespace instead of a rule for all watched namespaces.
    pub namespace: Option<&'static str>,
    /// Object names that the rule is limited to; empty = all. (The API ignores names for `list`, `watch`, `create`.)
    pub names: &'static [&'static str],
    /// One sentence for whoever reviews the role.
    pub why: &'static str,
}

/// What every program needs in its own cluster because of this crate: Events about the objects that it works on.
pub const RULES: &[Rule] = &[Rule {
    side: Side::ControlPlane,
    group: "events.k8s.io",
    resource: "events",
    verbs: &["create"],
    namespace: None,
    names: &[],
    why: "tells what was done and what failed, as Events of the object concerned",
}];
