//! Who may use whom.

/// What one crate may use.
pub struct Room {
    /// The package.
    pub name: &'static str,
    /// Crates of this workspace that it may use.
    pub ours: &'static [&'static str],
    /// Everybody else's.
    pub others: Others,
    /// `Some`: features of kube that it may switch on.
    pub kube_features: Option<&'static [&'static str]>,
    /// What a refusal says.
    pub why: &'static str,
}

/// Which crates from outside a crate may use.
pub enum Others {
    /// These.
    Only(&'static [&'static str]),
    /// All but these.
    Never(&'static [&'static str]),
}

/// Words that the files below a folder may not have.
pub struct Words {
    /// Relative to the root.
    pub folder: &'static str,
    /// In lower case.
    pub never: &'static [&'static str],
    /// What a refusal says after the word.
    pub why: &'static str,
}

impl Words {
    /// Those of the words that a line has, in any case.
    pub fn found_in(&self, line: &str) -> impl Iterator<Item = &'static str> {
        let line = line.to_lowercase();
        self.never.iter().copied().filter(move |word| line.contains(word))
    }
}

/// The five controllers, which share nothing but the API of Kubernetes.
const CONTROLLERS: [&str; 5] = [
    "ringspan-client-registry",
    "ringspan-cluster-reconciler",
    "ringspan-secret-replicator",
    "ringspan-status-rollup",
    "ringspan-topology-reconciler",
];

const BELOW_CONTROLLERS: &[&str] = &[
    "ringspan-api",
    "ringspan-fleet",
    "ringspan-management-api",
    "ringspan-plan",
    "ringspan-runtime",
];

const ANYTHING: Others = Others::Never(&[]);

const fn controller(name: &'static str) -> Room {
    Room {
        name,
        ours: BELOW_CONTROLLERS,
        others: ANYTHING,
        kube_features: None,
        why: "controllers meet only in the API of Kubernetes",
    }
}

/// Every crate of the workspace.
pub const ROOMS: &[Room] = &[
    Room {
        name: "ringspan-api",
        ours: &[],
        others: Others::Only(&["k8s-openapi", "kube", "schemars", "serde", "serde_json"]),
        kube_features: Some(&["derive"]),
        why: "types and names, nothing that runs",
    },
    Room {
        name: "ringspan-plan",
        ours: &["ringspan-api"],
        others: Others::Only(&[
            "base64",
            "croner",
            "jiff",
            "serde",
            "serde_json",
            "sha2",
            "thiserror",
        ]),
        kube_features: None,
        why: "decisions are functions of their arguments",
    },
    Room {
        name: "ringspan-runtime",
        ours: &[],
        others: ANYTHING,
        kube_features: None,
        why: "it would serve any operator",
    },
    Room {
        name: "ringspan-fleet",
        ours: &["ringspan-api", "ringspan-runtime"],
        others: ANYTHING,
        kube_features: None,
        why: "it reaches other clusters, and decides nothing",
    },
    Room {
        name: "ringspan-management-api",
        ours: &[],
        others: Others::Never(&["k8s-openapi", "kube"]),
        kube_features: None,
        why: "it speaks with Cassandra's pods, and does not know Kubernetes",
    },
    controller(CONTROLLERS[0]),
    controller(CONTROLLERS[1]),
    controller(CONTROLLERS[2]),
    controller(CONTROLLERS[3]),
    controller(CONTROLLERS[4]),
    Room {
        name: "ringspan",
        ours: &[
            CONTROLLERS[0],
            CONTROLLERS[1],
            CONTROLLERS[2],
            CONTROLLERS[3],
            CONTROLLERS[4],
            "ringspan-runtime",
        ],
        others: ANYTHING,
        kube_features: None,
        why: "it picks a controller and does nothing else",
    },
    Room {
        name: "kubectl-ringspan",
        ours: &[
            "ringspan-api",
            "ringspan-fleet",
            "ringspan-management-api",
            "ringspan-plan",
        ],
        others: ANYTHING,
        kube_features: None,
        why: "the plugin shows what would be decided, without a controller",
    },
    Room {
        name: "ringspan-fake-datacenter",
        ours: &[],
        others: ANYTHING,
        kube_features: None,
        why: "a stand-in must not share the product's mistakes",
    },
    Room {
        name: "ringspan-fake-apiserver",
        ours: &[],
        others: ANYTHING,
        kube_features: None,
        why: "it must not share the product's mistakes",
    },
    Room {
        name: "ringspan-fault-rig",
        ours: &[
            CONTROLLERS[0],
            CONTROLLERS[1],
            CONTROLLERS[2],
            CONTROLLERS[3],
            CONTROLLERS[4],
            "ringspan-api",
            "ringspan-fake-apiserver",
            "ringspan-fake-datacenter",
            "ringspan-fleet",
            "ringspan-management-api",
            "ringspan-runtime",
        ],
        others: ANYTHING,
        kube_features: None,
        why: "it runs the controllers as they are, and looks at them from outside",
    },
    Room {
        name: "ringspan-e2e",
        ours: &["ringspan-api", "ringspan-fake-apiserver"],
        others: ANYTHING,
        kube_features: None,
        why: "stories see the product from outside",
    },
    Room {
        name: "xtask",
        ours: &[
            CONTROLLERS[0],
            CONTROLLERS[1],
            CONTROLLERS[2],
            CONTROLLERS[3],
            CONTROLLERS[4],
            "ringspan-api",
            "ringspan-e2e",
            "ringspan-fake-apiserver",
            "ringspan-fleet",
            "ringspan-runtime",
        ],
        others: ANYTHING,
        kube_features: None,
        why: "chores need tables and stories, not decisions",
    },
];

/// What a name cannot show.
pub const WORDS: &[Words] = &[
    Words {
        folder: "crates/runtime",
        never: &["cassandra", "k8ssandra", "datacenter"],
        why: "is no word for the runtime: it would serve any operator",
    },
    Words {
        folder: "crates/plan/src",
        never: &[
            "hashmap",
            "hashset",
            "systemtime",
            "instant::now",
            "timestamp::now",
            "zoned::now",
            "std::env",
            "std::fs",
        ],
        why: "is not for plan: the same input gives the same decision",
    },
];
