//! A plan while it is being made.

use std::collections::BTreeMap;
use std::time::Duration;

use api::record::{Record, RecordState, Role};
use api::reports::{self, Hold, TopologyReport};

use super::acts::{Act, Ask, Where};
use super::sites::{self, Datacenter, Site, TopologyInput};

/// When a name that somebody else has taken is looked at again: no watch tells when it is free.
pub(super) const LATER: Duration = Duration::from_mins(5);
/// How soon something that no watch shows is looked at again.
pub(super) const SOON: Duration = Duration::from_secs(15);

/// A plan while it is being made.
pub(super) struct Draft<'a> {
    pub(super) input: &'a TopologyInput,
    pub(super) acts: Vec<Act>,
    pub(super) asks: Vec<Ask>,
    pub(super) holds: Vec<Hold>,
    pub(super) next_check: Option<Duration>,
    /// Something is not done, and events will tell when it can go on.
    pub(super) waiting: bool,
    /// By name: datacenters whose rebuild has just been found done.
    pub(super) rebuilt: Vec<String>,
    /// By name: verdicts about deletion.
    pub(super) may_be_deleted: BTreeMap<String, bool>,
    /// Replication of the system keyspaces, once it is known to be as wanted.
    pub(super) system_replication: Option<BTreeMap<String, u32>>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(input: &'a TopologyInput) -> Self {
        Draft {
            input,
            acts: Vec::new(),
            asks: Vec::new(),
            holds: Vec::new(),
            next_check: None,
            waiting: false,
            rebuilt: Vec::new(),
            may_be_deleted: BTreeMap::new(),
            system_replication: None,
        }
    }

    /// The record, if it can be read.
    pub(super) fn record(&self) -> Option<&'a Record> {
        sites::known(&self.input.cluster.record)
    }

    /// Nothing may shrink: the record cannot be read, or the cluster was restored from an old backup.
    pub(super) fn must_not_shrink(&self) -> bool {
        let cluster = &self.input.cluster;
        let later = |site: &Site| {
            site.own(cluster)
                .and_then(|own| own.cluster_generation)
                .is_some_and(|seen| seen > cluster.generation)
        };
        matches!(cluster.record, RecordState::Unreadable(_)) || self.input.sites.iter().any(later)
    }

    /// The last report, if it has a format that we know.
    pub(super) fn reported(&self) -> Option<&'a TopologyReport> {
        self.input
            .cluster
            .report
            .as_ref()
            .filter(|report| report.format == reports::FORMAT)
    }

    /// The last report, if it is about this generation and about these very members of the ring.
    pub(super) fn still_true(&self) -> Option<&'a TopologyReport> {
        let cluster = &self.input.cluster;
        let report = self
            .reported()
            .filter(|report| report.observed_generation == cluster.generation)?;
        let quoted = |site: &Site| {
            let entry = report.datacenters.get(&site.name);
            site.own(cluster)
                .is_none_or(|own| entry.is_some_and(|entry| entry.uid == own.uid))
        };
        let mut members = self
            .input
            .sites
            .iter()
            .filter(|site| site.spec.is_some() && self.is_joined(site));
        members.all(quoted).then_some(report)
    }

    /// Whether this very datacenter is part of the ring and has its data: as reported, as recorded, or because of
    /// how it came.
    pub(super) fn is_joined(&self, site: &Site) -> bool {
        let Some(own) = site.own(&self.input.cluster) else {
            return false;
        };
        let reported = self
            .reported()
            .and_then(|report| report.datacenters.get(&site.name));
        let recorded = site
            .record
            .as_ref()
            .is_some_and(|record| record.joined && record.uid.as_ref() == Some(&own.uid));
        let by_nature =
            matches!(site.role(), Some(Role::Founder | Role::Adopted | Role::External)) && own.initialized;
        recorded
            || by_nature
            || reported.is_some_and(|entry| entry.joined && entry.uid == own.uid)
            || self.rebuilt.contains(&site.name)
    }

    /// Datacenters of the spec that are part of the ring and can be asked, in the order of the spec.
    pub(super) fn members(&self) -> impl Iterator<Item = (&'a Site, &'a Datacenter)> {
        let input = self.input;
        input
            .sites
            .iter()
            .filter(|site| site.spec.is_some() && !site.is_leaving())
            .filter_map(|site| {
                let own = site.own(&input.cluster).filter(|own| own.can_be_asked())?;
                self.is_joined(site).then_some((site, own))
            })
    }

    /// A read that is missing.
    pub(super) fn ask(&mut self, ask: Ask) {
        if !self.asks.contains(&ask) {
            self.asks.push(ask);
        }
    }

    /// Something waits for what no watch may show.
    pub(super) fn hold(&mut self, site: &Site, reason: &str, message: String) {
        self.hold_quietly(site, reason, message);
        self.check_again(SOON);
    }

    /// Something waits for an event, or for the user.
    pub(super) fn hold_quietly(&mut self, site: &Site, reason: &str, message: String) {
        let hold = Hold {
            reason: reason.to_owned(),
            datacenter: Some(site.name.clone()),
            context: Some(site.context.clone()).filter(|context| !context.is_empty()),
            founding: false,
            message,
        };
        if !self.holds.contains(&hold) {
            self.holds.push(hold);
        }
    }

    pub(super) fn check_again(&mut self, after: Duration) {
        self.next_check = Some(self.next_check.map_or(after, |before| before.min(after)));
    }
}

impl Site {
    /// Where its objects are written.
    pub(super) fn at(&self) -> Where {
        Where {
            context: self.context.clone(),
            namespace: self.namespace.clone(),
            datacenter: self.name.clone(),
        }
    }
}
