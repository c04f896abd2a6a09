//! What would become of one cluster.

use api::k8ssandra_cluster::{CassandraDatacenterTemplate, K8ssandraCluster};
use api::k8ssandra_task::K8ssandraTask;
use plan::cluster::acts::Act;
use plan::cluster::facts::Owner;
use plan::foresight::{Foresight, Snapshot, foresee};
use plan::rollup::addons;

use super::findings::Findings;
use crate::live::{Live, said};
use crate::{foretell, render};

/// Where upstream notes which datacenter it is about to rebuild.
const REBUILD: &str = "k8ssandra.io/rebuild-dc";

pub(super) async fn look(live: &Live, kc: &K8ssandraCluster, snapshot: &Snapshot, found: &mut Findings) {
    found.about(&format!("K8ssandraCluster {}", render::name(kc)));
    unfinished(kc, found);
    tasks(live, kc, found).await;
    let foresight = foresee(kc, snapshot);
    if let Some(refusal) = foresight.refusal() {
        found.in_the_way(&format!(
            "Ringspan refuses it ({}): {}: {}",
            refusal.reason, refusal.field, refusal.message
        ));
        return;
    }
    acts(kc, snapshot, &foresight, found);
    for hold in &foresight.report.holds {
        found.in_the_way(&format!("{} ({})", hold.message, hold.reason));
    }
    for (name, datacenter) in &foresight.report.datacenters {
        if let Some(change) = &datacenter.pending_change {
            let mut text = String::new();
            foretell::pending(name, change, &mut text);
            found.note("held until you let it, or change that datacenter yourself:");
            found.more(&text);
        }
    }
    let unmanaged = addons::unmanaged(&kc.spec);
    if !unmanaged.is_empty() {
        found.note(&format!(
            "Ringspan does not act on {}: keep k8ssandra-operator with K8SSANDRA_CONTROL_PLANE=false for what it has made of them (condition AddonsManaged will say so)",
            unmanaged.join(", ")
        ));
    }
}

/// What upstream is about.
fn unfinished(kc: &K8ssandraCluster, found: &mut Findings) {
    if kc.metadata.deletion_timestamp.is_some() {
        found.in_the_way("it is being deleted. Wait until it is gone");
    }
    let rebuilt = kc.metadata.annotations.as_ref().and_then(|it| it.get(REBUILD));
    if let Some(name) = rebuilt {
        found.in_the_way(&format!(
            "k8ssandra-operator is adding datacenter {name}. Wait until it has removed annotation {REBUILD}"
        ));
    }
    let templates = kc.spec.cassandra.iter().flat_map(|it| &it.datacenters);
    let wanted: Vec<&str> = templates.map(CassandraDatacenterTemplate::name).collect();
    let known = kc.status.iter().flat_map(|it| it.datacenters.keys());
    for name in known.filter(|it| !wanted.contains(&it.as_str())) {
        found.in_the_way(&format!(
            "k8ssandra-operator is removing datacenter {name}. Wait until it has left the status"
        ));
    }
}

/// Nobody would go on with them.
async fn tasks(live: &Live, kc: &K8ssandraCluster, found: &mut Findings) {
    let (name, namespace) = (&kc.metadata.name, kc.metadata.namespace.as_deref());
    let listed = live
        .once()
        .control()
        .list_live::<K8ssandraTask>(namespace, "", None);
    let tasks = match listed.await {
        Ok(tasks) => tasks,
        Err(unknown) => {
            found.in_the_way(&format!("its K8ssandraTasks are not known: {}", said(&unknown)));
            return;
        }
    };
    let mine = tasks.iter().filter(|task| {
        let cluster = task.spec.cluster.as_ref().and_then(|it| it.name.as_ref());
        cluster == name.as_ref()
    });
    let open = mine.filter(|it| {
        it.status
            .as_ref()
            .is_none_or(|it| it.sum.completion_time.is_none())
    });
    for task in open {
        found.in_the_way(&format!(
            "K8ssandraTask {} is not complete, and Ringspan does not act on these yet. Wait for it, or delete it",
            task.metadata.name.as_deref().unwrap_or_default()
        ));
    }
}

/// What would be written: nothing to any datacenter.
fn acts(kc: &K8ssandraCluster, snapshot: &Snapshot, foresight: &Foresight, found: &mut Findings) {
    let (touching, others): (Vec<&Act>, Vec<&Act>) = foresight
        .steps
        .iter()
        .map(|step| &step.act)
        .partition(|act| touches(act));
    for act in &touching {
        found.in_the_way(&format!(
            "this would be done at once: {}. Let k8ssandra-operator finish it, or take the change back, first",
            act.sentence()
        ));
    }
    let facts = snapshot.facts(kc);
    let recognised = facts.datacenters.values().filter(|it| {
        let there = it.object.present();
        there.is_some_and(|it| it.owner != Owner::Foreign)
    });
    let count = recognised.count();
    if touching.is_empty() {
        found.fine(&format!(
            "{count} datacenters are recognised as its own, and none of them would be written"
        ));
    }
    for act in others {
        found.note(&format!("would be done: {}", act.sentence()));
    }
}

fn touches(act: &Act) -> bool {
    matches!(
        act,
        Act::CreateDatacenter { .. }
            | Act::ApplyDatacenter { .. }
            | Act::WakeDatacenter { .. }
            | Act::AllowUpdates { .. }
            | Act::RemoveDatacenter(_)
            | Act::DeleteDatacenter(_)
            | Act::CancelRemoval(_)
            | Act::RemoveFinalizer
    )
}
