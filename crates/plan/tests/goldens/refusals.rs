//! What upstream refuses is refused, for the same field and reason in our words, unless a defect of its own was the cause.

use api::k8ssandra_cluster::K8ssandraCluster;
use api::reports::Refusal;
use api::seen::PlaneId;
use plan::foresight::{PlaneObjects, Snapshot, foresee};
use plan::validate;

use crate::reference;

/// One input that upstream refused, or stopped at.
struct Refused {
    input: &'static str,
    /// From what it said.
    theirs: &'static str,
    /// Our reason and field; none where the input is taken.
    ours: Option<(&'static str, &'static str)>,
    /// Where ours is not for the same field and reason: the defect of upstream's that was the cause.
    because: &'static str,
}

const NO_METRICS: (&str, &str) = ("InvalidSpec", "spec.cassandra.datacenters[0].serverVersion");
const NO_VERSION: (&str, &str) = NO_METRICS;

const REFUSED: [Refused; 9] = [
    Refused {
        input: "cases/docs_install_local_multi-cluster-helm_0",
        theirs: "new metrics endpoint is only available since Cassandra 3.11.13/4.0.4",
        ours: Some(NO_METRICS),
        because: "",
    },
    Refused {
        input: "cases/docs_install_local_single-cluster-helm_0",
        theirs: "new metrics endpoint is only available since Cassandra 3.11.13/4.0.4",
        ours: Some(NO_METRICS),
        because: "",
    },
    Refused {
        input: "cases/docs_install_upgrade_0",
        theirs: "panic: runtime error: invalid memory address or nil pointer dereference",
        ours: Some(("CassandraMissing", "spec.cassandra")),
        because: "its webhook panics where spec.cassandra is missing",
    },
    Refused {
        input: "cases/docs_reference_cluster-dc-level_1",
        theirs: "serverVersion should be set globally or at DC level",
        ours: Some(NO_VERSION),
        because: "",
    },
    Refused {
        input: "cases/docs_reference_cluster-dc-level_3",
        theirs: "serverVersion should be set globally or at DC level",
        ours: Some(NO_VERSION),
        because: "",
    },
    Refused {
        input: "cases/docs_reference_cluster-dc-level_9",
        theirs: "storageConfig must be defined at cluster level or dc level",
        ours: Some(("InvalidSpec", "spec.cassandra.datacenters[0].storageConfig")),
        because: "",
    },
    Refused {
        input: "cases/docs_tasks_monitor_vector_0",
        theirs: "error=None",
        ours: Some(("NoDatacenters", "spec.cassandra.datacenters")),
        because: "its pass panics on an empty list of datacenters, and nobody is told",
    },
    Refused {
        input: "cases/sample_k8ssandra.io_v1alpha1_k8ssandracluster",
        theirs: "panic: runtime error: invalid memory address or nil pointer dereference",
        ours: Some(("CassandraMissing", "spec.cassandra")),
        because: "its webhook panics where spec.cassandra is missing",
    },
    Refused {
        input: "cases/single-dc",
        theirs: "invalid semantic version",
        ours: None,
        because: "it reads the version of the cluster alone when it asks for keyspaces, and there only the datacenter has one",
    },
];

/// The schedule of Medusa's purges is named after Cassandra's name of a datacenter: row ME-24.
const PURGES: &str = "MedusaBackupSchedule.medusa.k8ssandra.io";

#[test]
fn what_upstream_refuses_is_refused_for_the_same_field() {
    let Some(goldens) = reference::goldens() else {
        println!("refusals: RINGSPAN_REFERENCE is not set, so nothing was compared");
        return;
    };
    let (mut wrong, mut met, mut by_purges) = (Vec::new(), 0, 0);
    for golden in &goldens {
        let mut refusals = golden
            .clusters()
            .into_iter()
            .filter_map(|kc| validate::cluster(&kc).err());
        let ours = refusals.next();
        let named = REFUSED.iter().find(|it| it.input == golden.name);
        let said = golden.stuck();
        let ours = ours.as_ref().map(|it| (it.reason.as_str(), it.field.as_str()));
        match (said, named) {
            (None, None) if ours.is_none() => {}
            (Some(said), None) if said.contains(PURGES) && ours.is_none() => by_purges += 1,
            (Some(said), Some(named)) if said.contains(named.theirs) && ours == named.ours => met += 1,
            _ => wrong.push(format!("{}: upstream said {said:?}, ours {ours:?}", golden.name)),
        }
    }
    let by_defects = REFUSED.iter().filter(|it| !it.because.is_empty()).count();
    println!(
        "refusals: {met} named, {by_defects} of them for a defect of upstream's; {by_purges} more stopped at the name \
         of a schedule of purges"
    );
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(met, REFUSED.len(), "a refusal that no golden shows must go");
}

/// Inputs with a datacenter that has fewer nodes than racks: refused when it is new (row CC10), and taken over as it is.
const TOO_FEW_NODES: [&str; 13] = [
    "generated/000",
    "generated/075",
    "generated/081",
    "generated/105",
    "generated/111",
    "generated/114",
    "generated/123",
    "generated/129",
    "generated/135",
    "generated/138",
    "generated/159",
    "generated/171",
    "generated/177",
];

/// Why nothing would be made of a cluster where nothing is there.
fn refused_when_new(kc: &K8ssandraCluster) -> Option<Refusal> {
    let contexts = kc.spec.cassandra.iter().flat_map(|it| &it.datacenters);
    let contexts = contexts.map(|it| it.k8s_context.clone()).chain([String::new()]);
    let plane = |context: String| {
        let id = PlaneId(format!("id-of-{context}"));
        (
            context,
            Ok(PlaneObjects {
                id,
                objects: Vec::new(),
            }),
        )
    };
    let nothing = Snapshot {
        planes: contexts.map(plane).collect(),
        ..Snapshot::default()
    };
    foresee(kc, &nothing).report.refusal
}

#[test]
fn what_upstream_takes_is_taken_but_for_a_named_rule() {
    let Some(goldens) = reference::goldens() else {
        println!("refusals: RINGSPAN_REFERENCE is not set, so nothing was compared");
        return;
    };
    let taken = goldens
        .iter()
        .filter(|golden| !REFUSED.iter().any(|it| it.input == golden.name));
    let mut refused = Vec::new();
    for golden in taken {
        for refusal in golden.clusters().iter().filter_map(refused_when_new) {
            assert!(
                refusal.field.rsplit('.').next() == Some("size"),
                "{}: {refusal:?}",
                golden.name
            );
            refused.push(golden.name.as_str());
        }
    }
    assert_eq!(refused, TOO_FEW_NODES);
}

#[test]
fn an_input_that_is_taken_or_refused_for_something_else_says_why() {
    for refused in &REFUSED {
        let is_the_same = refused.ours.is_some_and(|(reason, _)| reason == "InvalidSpec");
        assert_eq!(refused.because.is_empty(), is_the_same, "{}", refused.input);
    }
}
