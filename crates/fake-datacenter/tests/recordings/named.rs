//! The named differences: places where the stand-in is not like the recorded operator, and why it may be so.

use crate::effects::NamedEffect;

/// One difference that is known.
pub struct Named {
    /// The scenarios in which it is met; empty: any number of them, at least one.
    pub scenarios: &'static [&'static str],
    /// Place, recorded value, the stand-in's value. `*` stands for a part without blanks.
    pub pattern: &'static str,
    /// Why it may be so.
    pub why: &'static str,
}

/// All of them.
pub const NAMED: &[Named] = &[
    Named {
        scenarios: &[],
        pattern: "*: EndpointSlice/*-<gen> metadata.annotations.endpoints_kubernetes_io/last-change-trigger-time: * <> absent",
        why: "a measure of the endpoint slice controller of its own delay; nobody here reads it",
    },
    Named {
        scenarios: &[],
        pattern: "*: EndpointSlice/*-<gen> metadata.generation: * <> *",
        why: "counts how many changes the endpoint slice controller takes into one write; nobody here reads it",
    },
    Named {
        scenarios: &[],
        pattern: "*: PodDisruptionBudget/* status.*: * <> *",
        why: "no disruption controller is played; nobody here reads a budget's status",
    },
    Named {
        scenarios: &["s04-scale-6-3"],
        pattern: "writes s03-scale-3-6: delete persistentvolumeclaims/server-data-clus-dc1-*-sts-1 #2: at * <> not",
        why: "the operator deleted a claim again that was being deleted already; it is gone either way",
    },
    Named {
        scenarios: &["s08-decommission-on-delete"],
        pattern: "writes s08-dcom-2: delete persistentvolumeclaims/server-data-ring-dc2-default-sts-* #*: at * <> not",
        why: "the operator deleted a claim again that was being deleted already; it is gone either way",
    },
    Named {
        scenarios: &["s07-delete"],
        pattern: "writes s07-delete: change statefulsets/clus-dc1-r2-sts #2: at 59 <> not",
        why: "the operator set replicas to zero again, from its cache",
    },
    Named {
        scenarios: &["s13-delete-keep-pvc"],
        pattern: "writes s13-delete-keep-pvc: change statefulsets/clus-dc1-r2-sts #2: at 59 <> not",
        why: "the operator set replicas to zero again, from its cache",
    },
    Named {
        scenarios: &["s03-scale-3-6"],
        pattern: "status CassandraTask/s03-scale-3-6/cleanup-<unixtime>: succeeded=* #1: not <> at *",
        why: "a conflict kept the operator from counting a pod at once; the end counts are equal",
    },
    Named {
        scenarios: &["s03-scale-3-6"],
        pattern: "labels s03-scale-3-6: clus-dc1-r1-sts-1 node-state=Starting #1: at 95 <> at 90",
        why: "the operator's growing waits between retries just missed the pods' first ten seconds",
    },
    Named {
        scenarios: &["s06-config-change"],
        pattern: "status CassandraDatacenter/s06-config-change/dc1: Healthy=False #1: at 119 <> not",
        why: "a pass in its own quiet period asked a node that was just ending; two of three nodes were up",
    },
    Named {
        scenarios: &["s06-config-change"],
        pattern: "status CassandraDatacenter/s06-config-change/dc1: Healthy=True #2: at 159 <> not",
        why: "follows from the one before",
    },
    Named {
        scenarios: &["s06-config-change"],
        pattern: "rolled: CassandraDatacenter/s06-config-change/dc1 status.conditions[Healthy].lastTransitionTime: t+159s <> *",
        why: "follows from the one before",
    },
    Named {
        scenarios: &["s06b-requires-update"],
        pattern: "status CassandraTask/s06b-requires-update/refresh1: Complete=True Complete #1: at 303 <> at 293",
        why: "the task's look came a moment before the annotation went, so it looked once more",
    },
    Named {
        scenarios: &["s06b-requires-update"],
        pattern: "writes s06b-requires-update: change cassandratasks/refresh1 #2: at 303 <> not",
        why: "follows from the one before",
    },
    Named {
        scenarios: &["s06b-requires-update"],
        pattern: "writes s06b-requires-update: change cassandratasks/refresh1 #2: not <> at 293",
        why: "follows from the one before",
    },
    Named {
        scenarios: &["s06b-requires-update"],
        pattern: "after-refresh: CassandraDatacenter/s06b-requires-update/dc1 status.quietPeriod: t+303s <> *",
        why: "follows from the one before",
    },
    Named {
        scenarios: &["s08-decommission-on-delete"],
        pattern: "*: Secret/s08-dcom-2/ring-superuser data.password: password-1 <> *",
        why: "the recorder shows made-up passwords of two Secrets by one placeholder",
    },
    Named {
        scenarios: &["s11b-default-secret-deleted"],
        pattern: "status CassandraDatacenter/s11b-default-secret-deleted/dc1: superUserUpserted=<time> #3: at 35 <> not",
        why: "two passes fell into different seconds of the clock",
    },
    Named {
        scenarios: &["s11b-default-secret-deleted"],
        pattern: "status CassandraDatacenter/s11b-default-secret-deleted/dc1: usersUpserted=<time> #2: at 35 <> not",
        why: "two passes fell into different seconds of the clock",
    },
    Named {
        scenarios: &["s16a-no-storage-class"],
        pattern: "end: PersistentVolumeClaim/s16a-no-storage-class/server-data-clus-dc1-default-sts-0 spec.storageClassName: standard <> absent",
        why: "an admission plugin of the API server names the default class; the server in memory has none",
    },
    Named {
        scenarios: &["s18-all-pods-deleted"],
        pattern: "calls s18-all-pods-deleted: clus-dc1-r1-sts-0 POST /api/v0/lifecycle/start #2: at 132 <> not",
        why: "nodes that start together start in the order of the operator's cache, which is none",
    },
    Named {
        scenarios: &["s18-all-pods-deleted"],
        pattern: "calls s18-all-pods-deleted: clus-dc1-r1-sts-0 POST /api/v0/lifecycle/start #2: not <> at 131",
        why: "nodes that start together start in the order of the operator's cache, which is none",
    },
    Named {
        scenarios: &["s18-all-pods-deleted"],
        pattern: "labels s18-all-pods-deleted: clus-dc1-r1-sts-0 node-state=Starting #2: at 132 <> not",
        why: "nodes that start together start in the order of the operator's cache, which is none",
    },
    Named {
        scenarios: &["s18-all-pods-deleted"],
        pattern: "labels s18-all-pods-deleted: clus-dc1-r1-sts-0 node-state=Starting #2: not <> at 131",
        why: "nodes that start together start in the order of the operator's cache, which is none",
    },
    Named {
        scenarios: &["s22-created-stopped"],
        pattern: "status CassandraDatacenter/s22-created-stopped/dc1: Stopped=True #1: at 0 <> not",
        why: "a conflict let the operator begin a second pass, which wrote the times of 1970 with this condition, not with the one before",
    },
    Named {
        scenarios: &["s22-created-stopped"],
        pattern: "status CassandraDatacenter/s22-created-stopped/dc1: Stopped=True #1: not <> at 0",
        why: "a conflict let the operator begin a second pass, which wrote the times of 1970 with this condition, not with the one before",
    },
    Named {
        scenarios: &["s22-created-stopped"],
        pattern: "*: StatefulSet/s22-created-stopped/clus-dc1-*-sts spec.template.spec.containers[server-system-logger].image: docker.io/k8ssandra/system-logger:v9.9.9 <> docker.io/k8ssandra/system-logger:v1.31.0",
        why: "another scenario had changed the recorder's image configuration",
    },
    Named {
        scenarios: &["s09c-tasks-replacenode"],
        pattern: "status CassandraTask/s09c-tasks-replacenode/replacebad: Failed=True Failed terminal error: valid pod_name to replace is required #1: at 86 <> not",
        why: "the words of the real operator are not ours; reason and status are equal",
    },
    Named {
        scenarios: &["s09c-tasks-replacenode"],
        pattern: "status CassandraTask/s09c-tasks-replacenode/replacebad: Failed=True Failed #1: not <> at 86",
        why: "the words of the real operator are not ours; reason and status are equal",
    },
    Named {
        scenarios: &["s09c-tasks-replacenode"],
        pattern: "status CassandraTask/s09c-tasks-replacenode/replacenone: Failed=True Failed terminal error: replace requires either rack_name or pod_name to be set as a filtering rule #1: at 87 <> not",
        why: "the words of the real operator are not ours; reason and status are equal",
    },
    Named {
        scenarios: &["s09c-tasks-replacenode"],
        pattern: "status CassandraTask/s09c-tasks-replacenode/replacenone: Failed=True Failed #1: not <> at 87",
        why: "the words of the real operator are not ours; reason and status are equal",
    },
    Named {
        scenarios: &["s09c-tasks-replacenode"],
        pattern: "*: CassandraTask/s09c-tasks-replacenode/replacebad status.conditions[Failed].message: terminal error: valid pod_name to replace is required <> ",
        why: "the words of the real operator are not ours; reason and status are equal",
    },
    Named {
        scenarios: &["s09c-tasks-replacenode"],
        pattern: "*: CassandraTask/s09c-tasks-replacenode/replacenone status.conditions[Failed].message: terminal error: replace requires either rack_name or pod_name to be set as a filtering rule <> ",
        why: "the words of the real operator are not ours; reason and status are equal",
    },
    Named {
        scenarios: &["s09c-tasks-replacenode"],
        pattern: "replacebad: CassandraDatacenter/s09c-tasks-replacenode/dc1 status.lastServerNodeStarted: t+52s <> *",
        why: "written down a second before the recorded node started, when the stand-in's had just started",
    },
    Named {
        scenarios: &["s09c-tasks-replacenode"],
        pattern: "replacebad: Pod/s09c-tasks-replacenode/clus-dc1-r2-sts-0 metadata.labels.cassandra_datastax_com/node-state: Ready-to-Start <> Starting",
        why: "written down a second before the recorded node started, when the stand-in's had just started",
    },
    Named {
        scenarios: &["s09c-tasks-replacenode"],
        pattern: "replacenone: EndpointSlice/s09c-tasks-replacenode/clus-dc1-all-pods-service-<gen> endpoints[clus-dc1-r2-sts-0].conditions.serving: false <> true",
        why: "written down a second before the recorded node was ready, when the stand-in's had just become ready",
    },
    Named {
        scenarios: &["s09c-tasks-replacenode"],
        pattern: "replacenone: EndpointSlice/s09c-tasks-replacenode/clus-dc1-service-<gen> endpoints[clus-dc1-r2-sts-0].conditions.ready: false <> true",
        why: "written down a second before the recorded node was ready, when the stand-in's had just become ready",
    },
    Named {
        scenarios: &["s09c-tasks-replacenode"],
        pattern: "replacenone: EndpointSlice/s09c-tasks-replacenode/clus-dc1-service-<gen> endpoints[clus-dc1-r2-sts-0].conditions.serving: false <> true",
        why: "written down a second before the recorded node was ready, when the stand-in's had just become ready",
    },
    Named {
        scenarios: &["s09c-tasks-replacenode"],
        pattern: "replacenone: Pod/s09c-tasks-replacenode/clus-dc1-r2-sts-0 status.conditions.*: False <> True",
        why: "written down a second before the recorded node was ready, when the stand-in's had just become ready",
    },
    Named {
        scenarios: &["s09c-tasks-replacenode"],
        pattern: "replacenone: StatefulSet/s09c-tasks-replacenode/clus-dc1-r2-sts status.availableReplicas: 0 <> 1",
        why: "written down a second before the recorded node was ready, when the stand-in's had just become ready",
    },
    Named {
        scenarios: &["s09c-tasks-replacenode"],
        pattern: "replacenone: StatefulSet/s09c-tasks-replacenode/clus-dc1-r2-sts status.readyReplicas: absent <> 1",
        why: "written down a second before the recorded node was ready, when the stand-in's had just become ready",
    },
    Named {
        scenarios: &["s09c-tasks-replacenode"],
        pattern: "end: StatefulSet/s09c-tasks-replacenode/clus-dc1-r2-sts status.availableReplicas: 0 <> 1",
        why: "minReadySeconds is not waited for before a pod counts as available; nobody here reads that count",
    },
    Named {
        scenarios: &["s09d-tasks-others"],
        pattern: r#"calls s09d-tasks-others: clus-dc1-r1-sts-0 POST /api/v1/ops/tables/scrub {"check_data":true,"disable_snapshot":true,"jobs":-1,"keyspace_name":"","reinsert_overflowed_ttl":false,"skip_corrupted":false,"tables":null} #1: at 87 <> not"#,
        why: "bodies of jobs that nothing here asks for are not spelled out",
    },
    Named {
        scenarios: &["s09d-tasks-others"],
        pattern: "calls s09d-tasks-others: clus-dc1-r1-sts-0 POST /api/v1/ops/tables/scrub #1: not <> at 87",
        why: "bodies of jobs that nothing here asks for are not spelled out",
    },
    Named {
        scenarios: &["s09d-tasks-others"],
        pattern: r#"calls s09d-tasks-others: clus-dc1-r1-sts-0 POST /api/v1/ops/tables/compact {"keyspace_name":"","split_output":true,"tables":null} #1: at 98 <> not"#,
        why: "bodies of jobs that nothing here asks for are not spelled out",
    },
    Named {
        scenarios: &["s09d-tasks-others"],
        pattern: "calls s09d-tasks-others: clus-dc1-r1-sts-0 POST /api/v1/ops/tables/compact #1: not <> at 98",
        why: "bodies of jobs that nothing here asks for are not spelled out",
    },
    Named {
        scenarios: &["s09d-tasks-others"],
        pattern: "calls s09d-tasks-others: clus-dc1-r1-sts-0 POST /api/v0/ops/node/encryption/internode/truststore/reload #2: at 133 <> not",
        why: "a trust store is reloaded by a call that answers at once; here it is a job like all others, so it ends ten seconds later, and is not called twice after a conflict",
    },
    Named {
        scenarios: &["s09d-tasks-others"],
        pattern: "status CassandraTask/s09d-tasks-others/tsreload1: podStatuses.clus-dc1-r1-sts-0.completionTime=<time> #1: at 133 <> not",
        why: "a trust store is reloaded by a call that answers at once; here it is a job like all others, so it ends ten seconds later, and is not called twice after a conflict",
    },
    Named {
        scenarios: &["s09d-tasks-others"],
        pattern: "status CassandraTask/s09d-tasks-others/tsreload1: podStatuses.clus-dc1-r1-sts-0.status=COMPLETED #1: at 133 <> not",
        why: "a trust store is reloaded by a call that answers at once; here it is a job like all others, so it ends ten seconds later, and is not called twice after a conflict",
    },
    Named {
        scenarios: &["s09d-tasks-others"],
        pattern: "status CassandraTask/s09d-tasks-others/tsreload1: podStatuses.clus-dc1-r1-sts-0.retries=1 #1: at 133 <> not",
        why: "a trust store is reloaded by a call that answers at once; here it is a job like all others, so it ends ten seconds later, and is not called twice after a conflict",
    },
    Named {
        scenarios: &["s09d-tasks-others"],
        pattern: "status CassandraTask/s09d-tasks-others/tsreload1: podStatuses.clus-dc1-r1-sts-0.status=RUNNING #2: at 133 <> not",
        why: "a trust store is reloaded by a call that answers at once; here it is a job like all others, so it ends ten seconds later, and is not called twice after a conflict",
    },
    Named {
        scenarios: &["s09d-tasks-others"],
        pattern: "status CassandraTask/s09d-tasks-others/tsreload1: podStatuses.clus-dc1-r1-sts-0.jobId=<id> #1: not <> at 133",
        why: "a trust store is reloaded by a call that answers at once; here it is a job like all others, so it ends ten seconds later, and is not called twice after a conflict",
    },
    Named {
        scenarios: &["s09d-tasks-others"],
        pattern: "status CassandraTask/s09d-tasks-others/tsreload1: podStatuses.clus-dc1-r1-sts-0.status=COMPLETED #2: at 133 <> at 143",
        why: "a trust store is reloaded by a call that answers at once; here it is a job like all others, so it ends ten seconds later, and is not called twice after a conflict",
    },
    Named {
        scenarios: &["s09d-tasks-others"],
        pattern: "*: CassandraTask/s09d-tasks-others/tsreload1 *: * <> *",
        why: "a trust store is reloaded by a call that answers at once; here it is a job like all others, so it ends ten seconds later, and is not called twice after a conflict",
    },
    Named {
        scenarios: &["s09d-tasks-others"],
        pattern: "reached: dc1 Ready at current generation: at 76 <> at 73",
        why: "the recorder was slow: it saw that three seconds later",
    },
];

impl Named {
    /// Whether it names this difference.
    pub fn covers(&self, scenario: &str, difference: &str) -> bool {
        let here = self.scenarios.is_empty() || self.scenarios.contains(&scenario);
        here && fits(self.pattern, difference)
    }
}

/// `*` fits any part without blanks.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => {
            let Some(text) = text.strip_prefix(start) else {
                return false;
            };
            let part = text.find(' ').unwrap_or(text.len());
            (0..=part).any(|end| text.is_char_boundary(end) && fits(rest, &text[end..]))
        }
    }
}

/// Edits whose effect differs.
pub const NAMED_EFFECTS: &[NamedEffect] = &[
    NamedEffect {
        edit: "spec.resources spelled differently (1 -> 1000m)",
        difference: "pod replaced: false <> true",
        why: "an API server stores quantities in one spelling; the server in memory keeps them as they are written",
    },
    NamedEffect {
        edit: "spec.resources spelled differently (1 -> 1000m)",
        difference: "class: none <> rolling restart",
        why: "an API server stores quantities in one spelling; the server in memory keeps them as they are written",
    },
    NamedEffect {
        edit: "spec.serverType cassandra->hcd",
        difference: "pod replaced: false <> true",
        why: "the panic of the real operator is not played; ours refuse that edit",
    },
    NamedEffect {
        edit: "spec.serverType cassandra->hcd",
        difference: "ready again: false <> true",
        why: "the panic of the real operator is not played; ours refuse that edit",
    },
    NamedEffect {
        edit: "spec.podTemplateSpec priorityClassName (nonexistent)",
        difference: "ready again: false <> true",
        why: "admission of priority classes is the API server's; the server in memory has none",
    },
    NamedEffect {
        edit: "spec.storageConfig data size grow, annotation, class without expansion",
        difference: "ready again: false <> true",
        why: "what storage classes can do is not played",
    },
    NamedEffect {
        edit: "spec.storageConfig data size shrink",
        difference: "ready again: false <> true",
        why: "sizes of claims are compared as text, not as amounts",
    },
    NamedEffect {
        edit: "spec.storageConfig additionalVolumes add pvcSpec",
        difference: "pod replaced: false <> true",
        why: "further claims of a pod are not played: the edit is a rolling restart here",
    },
    NamedEffect {
        edit: "spec.storageConfig additionalVolumes add pvcSpec",
        difference: "ready again: false <> true",
        why: "further claims of a pod are not played: the edit is a rolling restart here",
    },
    NamedEffect {
        edit: "spec.storageConfig additionalVolumes neither",
        difference: "pod replaced: false <> true",
        why: "further claims of a pod are not played: the edit is a rolling restart here",
    },
    NamedEffect {
        edit: "spec.storageConfig additionalVolumes neither",
        difference: "ready again: false <> true",
        why: "further claims of a pod are not played: the edit is a rolling restart here",
    },
    NamedEffect {
        edit: "spec.managementApiAuth insecure->manual",
        difference: "pod replaced: false <> true",
        why: "the management API with TLS is not played: the edit is a rolling restart here",
    },
    NamedEffect {
        edit: "spec.managementApiAuth insecure->manual",
        difference: "ready again: false <> true",
        why: "the management API with TLS is not played: the edit is a rolling restart here",
    },
    NamedEffect {
        edit: "spec.clusterName",
        difference: "ready again: true <> false",
        why: "another cluster name is not played: the nodes of the old one stay",
    },
];

#[test]
fn a_star_stands_for_a_part_without_blanks() {
    assert!(fits("a *: x <> *", "a b/c: x <> 12"));
    assert!(!fits("a *: x <> *", "a b c: x <> 12"));
    assert!(!fits("a *: x <> *", "a b: x <> 1 2"));
    assert!(!fits("a: x <> y", "a: x <> z"));
}
