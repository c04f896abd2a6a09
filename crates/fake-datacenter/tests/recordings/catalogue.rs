//! The recorded scenarios: what must be played before each, and which ones are not played and why.

/// One scenario that is played.
pub struct Scenario {
    /// Its folder.
    pub name: &'static str,
    /// The scenario that the recorder played before it on the same servers.
    pub after: Option<&'static str>,
    /// The recorder's nodes answered every probe for a quorum with 500 from the beginning.
    pub probes_fail: bool,
    /// The recorder's nodes completed a rebuild from a datacenter that is not there.
    pub any_source: bool,
    /// The driver waited this long before it looked for the last time, seconds.
    pub pause: u64,
    /// When all objects were written down, where it does not follow from the recording: label and seconds.
    pub states: &'static [(&'static str, f64)],
}

const fn scenario(name: &'static str) -> Scenario {
    Scenario {
        name,
        after: None,
        probes_fail: false,
        any_source: false,
        pause: 0,
        states: &[],
    }
}

const fn after(name: &'static str, before: &'static str) -> Scenario {
    Scenario {
        after: Some(before),
        ..scenario(name)
    }
}

const fn tasks(name: &'static str) -> Scenario {
    Scenario {
        pause: 4,
        ..scenario(name)
    }
}

/// Scenarios that are played.
pub const PLAYED: &[Scenario] = &[
    scenario("s01-create-3x3"),
    scenario("s02-create-1"),
    scenario("s03-scale-3-6"),
    after("s04-scale-6-3", "s03-scale-3-6"),
    scenario("s05-stop-start"),
    scenario("s06-config-change"),
    scenario("s06b-requires-update"),
    Scenario {
        states: &[("dc-gone", 60.97)],
        ..scenario("s07-delete")
    },
    scenario("s07b-delete-no-finalizer"),
    scenario("s08-decommission-on-delete"),
    scenario("s08b-decommission-only-dc"),
    Scenario {
        any_source: true,
        ..tasks("s09a-tasks-rebuild-cleanup")
    },
    tasks("s09b-tasks-restart"),
    tasks("s09c-tasks-replacenode"),
    tasks("s09d-tasks-others"),
    scenario("s10-dc1"),
    after("s10a-prefixed", "s10-dc1"),
    after("s10b-unprefixed", "s10-dc1"),
    scenario("s10c-same-namespace"),
    Scenario {
        states: &[("additionalSeeds-set", 36.79), ("additionalSeeds-cleared", 1e6)],
        ..scenario("s10e-slice-ownership")
    },
    after("s10n-none", "s10-dc1"),
    after("s10s-spec", "s10-dc1"),
    Scenario {
        states: &[("su-deleted", 1e6)],
        ..scenario("s11-superuser-secret")
    },
    scenario("s11b-default-secret-deleted"),
    scenario("s12-pod-restart-new-ip"),
    Scenario {
        states: &[("end", 67.04)],
        ..scenario("s13-delete-keep-pvc")
    },
    scenario("s16a-no-storage-class"),
    scenario("s16b-name-conflict"),
    scenario("s16c-no-claim-no-auth"),
    scenario("s17-size-below-racks-create"),
    scenario("s18-all-pods-deleted"),
    scenario("s19-unreachable-additional-seed"),
    scenario("s21-foreign-finalizer"),
    scenario("s22-created-stopped"),
    scenario("s24-quorum-probe-fails-rollout"),
    Scenario {
        probes_fail: true,
        ..scenario("s24b-quorum-probe-fails-create-scale")
    },
    scenario("s25-autoupdate-other-value"),
    scenario("s26-additional-seeds-set-clear"),
    Scenario {
        states: &[("two", 72.89), ("dc1-gone", 99.41), ("dc2-touched", 1e6)],
        ..scenario("s27-same-namespace-delete-first")
    },
    scenario("s28-pvc-reuse-other-size"),
];

/// Scenarios that are not played, and why.
pub const NOT_PLAYED: &[(&str, &str)] = &[
    (
        "s04b-decimal-storage",
        "how full disks are, which the operator asks before it shrinks, is not played",
    ),
    (
        "s06c-operator-upgrade",
        "there is no image configuration that an upgrade of the operator could change",
    ),
    (
        "s15-mgmt-auth-insecure-to-manual",
        "the management API with TLS is not played",
    ),
    (
        "s15b-mgmt-auth-opaque-secrets",
        "the management API with TLS is not played",
    ),
];
