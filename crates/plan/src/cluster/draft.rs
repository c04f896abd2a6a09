//! A plan in the making: the record as it will be, and what was decided so far.

use std::collections::{BTreeMap, BTreeSet};

use api::k8ssandra_cluster::K8ssandraCluster;
use api::names::{annotation, finalizer, reason};
use api::record::{DatacenterRecord, Record, RecordState, Role};
use api::reports::{self, ClusterDatacenterReport, ClusterReport, Hold, PendingChange, Refusal};
use api::seen::{PlaneId, SamePlane, Seen, Unknown};

use super::acts::{Act, ClusterPlan, LookAgain};
use super::facts::{ClusterFacts, ClusterIdentity, DatacenterFacts, LiveDatacenter, Owner};
use crate::datacenter::working_order;

/// Holds for objects of others: the watches do not select them, so that no event tells when they come or go.
const NO_WATCH_TELLS: [&str; 4] = [
    reason::NOT_OWNED,
    reason::STALE_SEED_SLICE,
    reason::STORE_PASSWORD_MISSING,
    reason::CONFIG_MAP_MISSING,
];

/// One datacenter that the user wants.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub name: String,
    pub context: String,
    pub namespace: String,
    pub stopped: bool,
}

/// A plan in the making.
pub(super) struct Draft<'a> {
    pub facts: &'a ClusterFacts,
    pub identity: ClusterIdentity,
    pub generation: i64,
    /// The spec's datacenters, in its order.
    pub entries: Vec<Entry>,
    /// The record as it will be.
    pub record: Record,
    pub acts: Vec<Act>,
    pub holds: Vec<Hold>,
    pub wants_live: BTreeSet<String>,
    pub wants_addons: BTreeSet<String>,
    pub wants_passwords: BTreeSet<String>,
    pub pending_changes: BTreeMap<String, PendingChange>,
    /// By datacenter: fields that somebody else has set since we wrote it.
    pub drift: BTreeMap<String, Vec<String>>,
    /// By datacenter and such a field: what we had written there.
    pub drifted_from: BTreeMap<String, BTreeMap<String, String>>,
    /// By datacenter: fields that its plane does not keep.
    pub not_kept: BTreeMap<String, Vec<String>>,
    /// Datacenters that are gone for good, with context and namespace: their copies of Secrets may go.
    pub gone: BTreeMap<String, (String, String)>,
    pub initial_system_replication: Option<String>,
    /// What is passed on although it may not be meant.
    pub warnings: Vec<Refusal>,
    /// True as soon as something is not as the spec asks.
    pub incomplete: bool,
}

impl<'a> Draft<'a> {
    pub fn new(facts: &'a ClusterFacts) -> Self {
        let identity = ClusterIdentity::of(&facts.kc);
        let record = match &facts.record {
            RecordState::Known(record) => record.clone(),
            RecordState::None | RecordState::Unreadable(_) => Record::new(&identity.uid),
        };
        Draft {
            generation: facts.kc.metadata.generation.unwrap_or_default(),
            entries: entries(&facts.kc, &identity.namespace),
            facts,
            identity,
            record,
            acts: Vec::new(),
            holds: Vec::new(),
            wants_live: BTreeSet::new(),
            wants_addons: BTreeSet::new(),
            wants_passwords: BTreeSet::new(),
            pending_changes: BTreeMap::new(),
            drift: BTreeMap::new(),
            drifted_from: BTreeMap::new(),
            not_kept: BTreeMap::new(),
            gone: BTreeMap::new(),
            initial_system_replication: None,
            warnings: Vec::new(),
            incomplete: false,
        }
    }

    /// An annotation of the cluster.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.facts
            .kc
            .metadata
            .annotations
            .as_ref()?
            .get(key)
            .map(String::as_str)
    }

    /// The spec's datacenters in the order in which they are made and changed.
    pub fn in_working_order(&self) -> Vec<Entry> {
        let named = |name: &str| self.entries.iter().find(|entry| entry.name == name).cloned();
        working_order(&self.facts.kc)
            .into_iter()
            .filter_map(named)
            .collect()
    }

    pub fn wants(&self, name: &str) -> bool {
        self.entries.iter().any(|entry| entry.name == name)
    }

    pub fn datacenter(&self, name: &str) -> Option<&'a DatacenterFacts> {
        self.facts.datacenters.get(name)
    }

    /// Whether two places may be one: a plane may have several contexts, and one that nobody identified may be any.
    pub fn may_be_same_place(&self, one: &DatacenterFacts, other: &DatacenterFacts) -> bool {
        let id = |it: &DatacenterFacts| self.facts.planes.get(&it.context)?.as_ref().ok();
        let same_plane = one.context == other.context
            || match (id(one), id(other)) {
                (Some(one), Some(other)) => one.compare(other) != SamePlane::No,
                _ => true,
            };
        same_plane && one.namespace == other.namespace
    }

    /// Whether a change of this datacenter is not written, or not yet.
    pub fn waits_to_be_changed(&self, name: &str) -> bool {
        self.pending_changes.contains_key(name)
    }

    /// Something waits, and why.
    pub fn hold(&mut self, reason: &str, datacenter: Option<&str>, context: Option<&str>, message: String) {
        self.incomplete = true;
        self.holds.push(Hold {
            reason: reason.to_owned(),
            datacenter: datacenter.map(str::to_owned),
            context: context.map(str::to_owned),
            founding: false,
            message,
        });
    }

    /// The ring is not founded, and why.
    pub fn hold_founding(&mut self, reason: &str, datacenter: &str, context: &str, message: String) {
        self.hold(reason, Some(datacenter), Some(context), message);
        if let Some(hold) = self.holds.last_mut() {
            hold.founding = true;
        }
    }

    /// A plane that does not tell what must be known of a datacenter.
    pub fn hold_unknown(&mut self, datacenter: &str, unknown: &Unknown) {
        self.hold(
            &unknown.reason,
            Some(datacenter),
            Some(&unknown.context),
            unknown.message.clone(),
        );
    }

    /// The cluster cannot be acted on as it is.
    pub fn refuse(mut self, refusal: Refusal) -> ClusterPlan {
        self.acts.clear();
        self.incomplete = true;
        let mut plan = self.finish_without_record();
        plan.report.refusal = Some(refusal);
        plan
    }

    /// The plan, its first act being the write of the record where it changed.
    pub fn finish(mut self) -> ClusterPlan {
        if let Some(act) = self.write_cluster() {
            self.acts.insert(0, act);
        }
        self.finish_without_record()
    }

    /// The plan without a write of the record.
    pub fn finish_without_record(self) -> ClusterPlan {
        let complete = !self.incomplete && self.acts.is_empty() && self.asks_for_nothing();
        let datacenters = self.reported_datacenters();
        let look_again = self.looks_again();
        ClusterPlan {
            acts: self.acts,
            wants_live: self.wants_live,
            wants_addons: self.wants_addons,
            wants_passwords: self.wants_passwords,
            look_again,
            report: ClusterReport {
                format: reports::FORMAT,
                observed_generation: self.generation,
                refusal: None,
                warnings: self.warnings,
                holds: self.holds,
                datacenters,
                complete,
            },
        }
    }

    fn looks_again(&self) -> Option<LookAgain> {
        let held = |by: &[&str]| self.holds.iter().any(|hold| by.contains(&hold.reason.as_str()));
        if held(&[reason::PLANE_UNREACHABLE]) {
            return Some(LookAgain::Soon);
        }
        held(&NO_WATCH_TELLS).then_some(LookAgain::LessAndLess)
    }

    fn write_cluster(&self) -> Option<Act> {
        let metadata = &self.facts.kc.metadata;
        let finalizers = metadata.finalizers.as_deref().unwrap_or_default();
        let has_finalizer = finalizers.iter().any(|text| text == finalizer::CLUSTER);
        let same_record = matches!(&self.facts.record, RecordState::Known(known) if *known == self.record);
        let replication = self.initial_system_replication.clone();
        let consumed = self.has_used_up_its_permission();
        if has_finalizer && same_record && replication.is_none() && !consumed {
            return None;
        }
        let mut record = self.record.clone();
        record.updates_allowed += u64::from(consumed);
        Some(Act::WriteCluster {
            finalizer: true,
            record,
            initial_system_replication: replication,
            consume_autoupdate: consumed,
        })
    }

    /// `autoupdate-spec: once` permits one round of changes: it is over when nothing is left to change.
    fn has_used_up_its_permission(&self) -> bool {
        self.annotation(annotation::AUTOUPDATE_SPEC) == Some("once")
            && !self.incomplete
            && self.acts.is_empty()
            && self.asks_for_nothing()
    }

    fn asks_for_nothing(&self) -> bool {
        self.wants_live.is_empty() && self.wants_addons.is_empty() && self.wants_passwords.is_empty()
    }

    fn reported_datacenters(&self) -> BTreeMap<String, ClusterDatacenterReport> {
        let report = |(name, record): (&String, &DatacenterRecord)| {
            let uid = record.uid.clone()?;
            let entry = ClusterDatacenterReport {
                uid,
                plane_id: record.plane_id.clone(),
                leaving: !self.wants(name),
                pending_change: self.pending_changes.get(name).cloned(),
                drift: self.drift.get(name).cloned().unwrap_or_default(),
                drifted_from: self.drifted_from.get(name).cloned().unwrap_or_default(),
                not_kept: self.not_kept.get(name).cloned().unwrap_or_default(),
            };
            Some((name.clone(), entry))
        };
        self.record.datacenters.iter().filter_map(report).collect()
    }

    /// Whether the ring exists as far as the record tells: then datacenters only ever join.
    pub fn is_founded(&self) -> bool {
        let founder_is_gone = self
            .record
            .founder
            .as_ref()
            .is_some_and(|name| !self.record.datacenters.contains_key(name));
        founder_is_gone
            || self
                .record
                .datacenters
                .values()
                .any(|record| record.uid.is_some())
    }

    /// Every datacenter of ours that was seen to have joined the ring's gossip.
    pub fn initialized(&self) -> impl Iterator<Item = (&'a String, &'a LiveDatacenter)> {
        let facts = self.facts;
        let recorded = self.record.datacenters.clone();
        facts.datacenters.iter().filter_map(move |(name, datacenter)| {
            let live = datacenter.object.present()?;
            let known = recorded.get(name)?.uid.as_ref() == Some(&live.uid);
            (known && live.initialized).then_some((name, live))
        })
    }

    /// Whether a datacenter behind `additionalSeeds` or `externalDatacenters` exists: then nobody founds.
    pub fn stands_behind_others(&self) -> bool {
        let spec = &self.facts.kc.spec;
        let given = |list: Option<&Vec<String>>| list.is_some_and(|list| !list.is_empty());
        given(spec.external_datacenters.as_ref())
            || given(
                spec.cassandra
                    .as_ref()
                    .and_then(|cassandra| cassandra.additional_seeds.as_ref()),
            )
    }

    /// The record's entry of a datacenter that is seen, made where there is none.
    pub fn record_entry(
        &mut self,
        name: &str,
        role: Role,
        plane: &PlaneId,
        namespace: &str,
    ) -> &mut DatacenterRecord {
        self.record
            .datacenters
            .entry(name.to_owned())
            .or_insert_with(|| DatacenterRecord {
                role,
                plane_id: plane.clone(),
                namespace: namespace.to_owned(),
                uid: None,
                joined: false,
                leaving: None,
                found: None,
            })
    }

    /// Digest of the input that a datacenter stands for: that it was written with, or that it was found with.
    pub fn known_input(&self, name: &str, live: &LiveDatacenter) -> Option<String> {
        let found = || {
            let record = self.record.datacenters.get(name)?;
            let same = record.uid.as_ref() == Some(&live.uid);
            record.found.as_ref().filter(|_| same).map(|it| it.input.clone())
        };
        live.input_hash.clone().or_else(found)
    }

    /// Whether changes without a change of the user's input are allowed.
    pub fn may_update(&self) -> bool {
        self.annotation(annotation::AUTOUPDATE_SPEC).is_some()
    }
}

/// A present object that is ours, or was upstream's for this very cluster.
pub(super) fn ours(object: &Seen<LiveDatacenter>) -> Option<&LiveDatacenter> {
    object.present().filter(|live| live.owner != Owner::Foreign)
}

fn entries(kc: &K8ssandraCluster, own_namespace: &str) -> Vec<Entry> {
    let templates = kc
        .spec
        .cassandra
        .iter()
        .flat_map(|cassandra| &cassandra.datacenters);
    let entry = |template: &api::k8ssandra_cluster::CassandraDatacenterTemplate| Entry {
        name: template.name().to_owned(),
        context: template.k8s_context.clone(),
        namespace: template.namespace().unwrap_or(own_namespace).to_owned(),
        stopped: template.stopped,
    };
    templates.map(entry).collect()
}
