//! Contact points: for each datacenter a headless Service in the cluster's namespace of the control plane, with the
//! addresses of all its pods, so that clients find the ring in one place.
//!
//! They come from the slices of the datacenter's all-pods service, and only from those that are labelled for this
//! cluster: two clusters of one name in two namespaces have services of one name. They are written when the
//! datacenter is Ready and followed from then on. They are emptied only for a stopped datacenter.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use api::names::{label, reason};
use api::seen::Seen;
use serde_json::{Value, json};

use super::acts::{Act, Ask, Kind, Where};
use super::draft::{Draft, LATER};
use super::sites::{ContactPoints, Datacenter, Site};
use super::slices::{
    Claim, Family, Headless, Port, Slice, claim_as_contact_points, endpoints_apart, has_all,
};
use super::{Cluster, Owner};
use crate::naming;

pub(super) fn plan(draft: &mut Draft<'_>) {
    let input = draft.input;
    let Ok(existing) = &input.contact_points else {
        return;
    };
    for site in input.sites.iter().filter(|site| site.spec.is_some()) {
        if let Some(own) = site.own(&input.cluster) {
            for_site(draft, site, own, existing);
        }
    }
    delete_forsaken(draft, existing);
}

fn for_site(draft: &mut Draft<'_>, site: &Site, own: &Datacenter, existing: &ContactPoints) {
    let cluster = &draft.input.cluster;
    let name = naming::contact_points_service(&cluster.cassandra_name, &own.resource_name);
    let service = existing.services.iter().find(|service| service.name == name);
    let sources = sources(cluster, site);
    if service.is_none() && !own.ready {
        // A datacenter that never was Ready has none; it is waited for in the report.
        draft.waiting |= !own.stopped;
        return;
    }
    // The slice of a service without pods, as of a stopped datacenter, has no ports, and a Service cannot be without.
    let known = sources.iter().map(|slice| &slice.ports);
    let mut known = known.chain(service.map(|service| &service.ports));
    let (false, Some(ports)) = (sources.is_empty(), known.find(|ports| !ports.is_empty())) else {
        return;
    };
    let wanted = Wanted {
        cluster,
        site,
        name: &name,
        ports,
    };
    let mut acts = Vec::new();
    let mut refused = None;
    match wanted.service_act(service) {
        Ok(act) => acts.extend(act),
        Err(message) => refused = Some(message),
    }
    let all: BTreeSet<IpAddr> = sources
        .iter()
        .flat_map(|slice| &slice.addresses)
        .copied()
        .collect();
    if refused.is_none() && (!all.is_empty() || own.stopped) {
        for family in Family::ALL {
            match wanted.slice_act(family, &family.of(&all), &existing.slices) {
                Ok(act) => acts.extend(act),
                Err(message) => refused = Some(message),
            }
        }
    }
    draft.acts.extend(acts);
    if let Some(message) = refused {
        draft.hold_quietly(site, reason::NOT_OWNED, message);
        draft.check_again(LATER);
    }
}

/// The all-pods slices that are this cluster's, by name; none while they are unknown.
pub(super) fn sources<'a>(cluster: &Cluster, site: &'a Site) -> Vec<&'a Slice> {
    let service = naming::all_pods_service(&cluster.cassandra_name, &site.name);
    let ours = |slice: &&Slice| {
        slice.label(label::SERVICE_NAME) == service
            && slice.label(label::CLUSTER_NAME) == cluster.name
            && slice.label(label::CLUSTER_NAMESPACE) == cluster.namespace
    };
    let mut slices: Vec<&Slice> = site.pods.iter().flatten().filter(ours).collect();
    slices.sort_by(|one, other| one.name.cmp(&other.name));
    slices
}

/// Contact points of datacenters that are neither in the spec nor in any plane.
fn delete_forsaken(draft: &mut Draft<'_>, existing: &ContactPoints) {
    let input = draft.input;
    let cluster = &input.cluster;
    if draft.must_not_shrink() || draft.record().is_none() {
        return;
    }
    let ours = |owners: &[Owner], labels: &BTreeMap<String, String>| {
        let name = labels
            .get(label::DATACENTER)
            .filter(|name| cluster.datacenter(name).is_none())?;
        (claim_as_contact_points(cluster, owners, labels) == Claim::Ours).then(|| name.clone())
    };
    let services = existing.services.iter().filter_map(|service| {
        let datacenter = ours(&service.owners, &service.labels)?;
        Some((
            Kind::Service,
            datacenter,
            &service.name,
            &service.uid,
            &service.resource_version,
        ))
    });
    let slices = existing.slices.iter().filter_map(|slice| {
        let datacenter = ours(&slice.owners, &slice.labels)?;
        Some((
            Kind::EndpointSlice,
            datacenter,
            &slice.name,
            &slice.uid,
            &slice.resource_version,
        ))
    });
    for (kind, datacenter, name, uid, resource_version) in services.chain(slices) {
        match input
            .sites
            .iter()
            .find(|site| site.name == datacenter)
            .map(|site| &site.seen)
        {
            None | Some(Seen::Absent(_)) => draft.acts.push(Act::Delete {
                at: at(cluster, &datacenter),
                kind,
                name: name.clone(),
                uid: uid.clone(),
                resource_version: resource_version.clone(),
            }),
            Some(Seen::NotListed) => draft.ask(Ask::Datacenter(datacenter)),
            Some(Seen::Present(_) | Seen::Unknown(_)) => {}
        }
    }
}

fn at(cluster: &Cluster, datacenter: &str) -> Where {
    Where {
        context: String::new(),
        namespace: cluster.namespace.clone(),
        datacenter: datacenter.to_owned(),
    }
}

/// Contact points of one datacenter as they shall be.
struct Wanted<'a> {
    cluster: &'a Cluster,
    site: &'a Site,
    name: &'a str,
    ports: &'a [Port],
}

impl Wanted<'_> {
    fn service_act(&self, existing: Option<&Headless>) -> Result<Option<Act>, String> {
        let (at, kind, name) = (
            at(self.cluster, &self.site.name),
            Kind::Service,
            self.name.to_owned(),
        );
        let Some(service) = existing else {
            return Ok(Some(Act::Create {
                at,
                kind,
                name,
                object: self.service(),
            }));
        };
        let claim = claim_as_contact_points(self.cluster, &service.owners, &service.labels);
        if claim == Claim::Foreign {
            return Err(self.foreign("Service", self.name));
        }
        let same = service.ports == self.ports
            && has_all(&service.labels, &self.labels(true))
            && has_all(&service.annotations, &self.cluster.common_annotations);
        if same {
            return Ok(None);
        }
        Ok(Some(Act::Apply {
            at,
            kind,
            name,
            uid: service.uid.clone(),
            object: self.service(),
        }))
    }

    fn slice_act(
        &self,
        family: Family,
        addresses: &BTreeSet<IpAddr>,
        existing: &[Slice],
    ) -> Result<Option<Act>, String> {
        let name = format!("{}-{}", self.name, family.suffix());
        let (at, kind) = (at(self.cluster, &self.site.name), Kind::EndpointSlice);
        let Some(slice) = existing.iter().find(|slice| slice.name == name) else {
            let create = || Act::Create {
                at,
                kind,
                object: self.slice(&name, family, addresses),
                name,
            };
            return Ok((!addresses.is_empty()).then(create));
        };
        if claim_as_contact_points(self.cluster, &slice.owners, &slice.labels) == Claim::Foreign {
            return Err(self.foreign("EndpointSlice", &name));
        }
        let uid = slice.uid.clone();
        if addresses.is_empty() {
            let resource_version = slice.resource_version.clone();
            return Ok(Some(Act::Delete {
                at,
                kind,
                name,
                uid,
                resource_version,
            }));
        }
        let same = slice.addresses == *addresses
            && slice.ports == self.ports
            && has_all(&slice.labels, &self.labels(false));
        Ok((!same).then(|| Act::Apply {
            at,
            kind,
            uid,
            object: self.slice(&name, family, addresses),
            name,
        }))
    }

    fn foreign(&self, kind: &str, name: &str) -> String {
        format!(
            "{kind} {}/{name} in the control plane was not made for this cluster and is left as it is: delete it if \
             nobody needs it, so that datacenter {} gets its contact points",
            self.cluster.namespace, self.site.name
        )
    }

    fn labels(&self, of_the_service: bool) -> BTreeMap<String, String> {
        let mut labels = if of_the_service {
            self.cluster.common_labels.clone()
        } else {
            BTreeMap::new()
        };
        let mut own = vec![
            (label::APP_NAME, "k8ssandra-operator"),
            (label::APP_PART_OF, "k8ssandra"),
            (label::APP_COMPONENT, "cassandra"),
            (label::CLUSTER_NAME, self.cluster.name.as_str()),
            (label::CLUSTER_NAMESPACE, self.cluster.namespace.as_str()),
            (label::DATACENTER, self.site.name.as_str()),
        ];
        if !of_the_service {
            own.push((label::SLICE_MANAGED_BY, label::SLICE_MANAGER));
            own.push((label::SERVICE_NAME, self.name));
        }
        labels.extend(
            own.into_iter()
                .map(|(key, value)| (key.to_owned(), value.to_owned())),
        );
        labels
    }

    fn metadata(&self, name: &str, of_the_service: bool) -> Value {
        let mut metadata = json!({
            "name": name,
            "namespace": self.cluster.namespace,
            "labels": self.labels(of_the_service),
            "ownerReferences": [{
                "apiVersion": "k8ssandra.io/v1alpha1",
                "kind": "K8ssandraCluster",
                "name": self.cluster.name,
                "uid": self.cluster.uid,
                "controller": true,
                "blockOwnerDeletion": true,
            }],
        });
        if of_the_service && !self.cluster.common_annotations.is_empty() {
            metadata["annotations"] = json!(self.cluster.common_annotations);
        }
        metadata
    }

    fn service(&self) -> Value {
        json!({
            "apiVersion": Kind::Service.api_version(),
            "kind": Kind::Service.as_str(),
            "metadata": self.metadata(self.name, true),
            "spec": { "type": "ClusterIP", "clusterIP": "None", "ports": self.ports() },
        })
    }

    fn slice(&self, name: &str, family: Family, addresses: &BTreeSet<IpAddr>) -> Value {
        json!({
            "apiVersion": Kind::EndpointSlice.api_version(),
            "kind": Kind::EndpointSlice.as_str(),
            "metadata": self.metadata(name, false),
            "addressType": family.address_type(),
            "endpoints": endpoints_apart(addresses),
            "ports": self.ports(),
        })
    }

    fn ports(&self) -> Vec<Value> {
        self.ports.iter().map(Port::to_json).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use api::seen::Seen;

    use super::super::fixture::*;
    use super::*;

    fn objects(input: &super::super::TopologyInput) -> Vec<(String, Value)> {
        let acts = planned(input).acts.into_iter();
        let objects = acts.filter_map(|act| match act {
            Act::Create { name, object, .. } | Act::Apply { name, object, .. } => Some((name, object)),
            _ => None,
        });
        let own = |(name, _): &(String, Value)| name.contains("contact-points");
        objects.filter(own).collect()
    }

    #[test]
    fn contact_points_are_as_upstream_makes_them_with_one_endpoint_for_each_address() {
        let mut input = nothing();
        bring_up(&mut input, 1);
        let metadata = |name: &str, more: Value| {
            let mut labels = json!({
                "app.kubernetes.io/component": "cassandra",
                "app.kubernetes.io/name": "k8ssandra-operator",
                "app.kubernetes.io/part-of": "k8ssandra",
                "k8ssandra.io/cluster-name": "demo",
                "k8ssandra.io/cluster-namespace": "db",
                "k8ssandra.io/datacenter": "dc1",
            });
            labels
                .as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            json!({
                "name": name,
                "namespace": "db",
                "labels": labels,
                "ownerReferences": [{
                    "apiVersion": "k8ssandra.io/v1alpha1", "kind": "K8ssandraCluster", "name": "demo", "uid": "kc-uid",
                    "controller": true, "blockOwnerDeletion": true,
                }],
            })
        };
        let ports = json!([{ "name": "native", "port": 9042, "protocol": "TCP" }]);
        assert_eq!(
            objects(&input),
            [
                (
                    "demo-dc1-contact-points-service".to_owned(),
                    json!({
                        "apiVersion": "v1",
                        "kind": "Service",
                        "metadata": metadata("demo-dc1-contact-points-service", json!({ "team": "blue" })),
                        "spec": { "type": "ClusterIP", "clusterIP": "None", "ports": ports },
                    })
                ),
                (
                    "demo-dc1-contact-points-service-ipv4".to_owned(),
                    json!({
                        "apiVersion": "discovery.k8s.io/v1",
                        "kind": "EndpointSlice",
                        "metadata": metadata("demo-dc1-contact-points-service-ipv4", json!({
                            "endpointslice.kubernetes.io/managed-by": "k8ssandra-operator",
                            "kubernetes.io/service-name": "demo-dc1-contact-points-service",
                        })),
                        "addressType": "IPv4",
                        "endpoints": [
                            { "addresses": ["198.18.1.10"] },
                            { "addresses": ["198.18.1.11"] },
                            { "addresses": ["198.18.1.12"] },
                        ],
                        "ports": ports,
                    })
                ),
            ]
        );
    }

    #[test]
    fn slices_of_another_cluster_of_the_same_name_are_no_contact_points() {
        let mut input = nothing();
        bring_up(&mut input, 1);
        let pods = &mut input.sites[0].pods.as_mut().unwrap()[0];
        pods.labels.insert(
            "k8ssandra.io/cluster-namespace".to_owned(),
            "elsewhere".to_owned(),
        );
        assert_eq!(objects(&input), []);
    }

    #[test]
    fn several_slices_are_merged() {
        let mut input = nothing();
        bring_up(&mut input, 1);
        let mut second = all_pods(1);
        second.name = "demo-dc1-all-pods-service-y".to_owned();
        second.addresses = [ip("198.18.1.200")].into();
        input.sites[0].pods.as_mut().unwrap().push(second);
        assert_eq!(objects(&input)[1].1["endpoints"].as_array().unwrap().len(), 4);
    }

    #[test]
    fn contact_points_wait_until_the_datacenter_is_ready_and_follow_it_then() {
        let mut input = nothing();
        bring_up(&mut input, 1);
        let Seen::Present(dc1) = &mut input.sites[0].seen else {
            panic!()
        };
        dc1.ready = false;
        assert_eq!(objects(&input), []);

        let mut input = two_datacenters();
        let Seen::Present(dc1) = &mut input.sites[0].seen else {
            panic!()
        };
        dc1.ready = false;
        input.sites[0].pods.as_mut().unwrap()[0]
            .addresses
            .insert(ip("198.18.1.13"));
        assert_eq!(
            sentences(&input),
            ["Update EndpointSlice db/demo-dc1-contact-points-service-ipv4 in the control plane"]
        );
    }

    #[test]
    fn contact_points_are_emptied_only_for_a_stopped_datacenter() {
        let mut input = two_datacenters();
        input.sites[0].pods.as_mut().unwrap()[0].addresses.clear();
        assert_eq!(sentences(&input), Vec::<String>::new());
        input.sites[0].pods = Ok(Vec::new());
        assert_eq!(sentences(&input), Vec::<String>::new());

        let mut input = two_datacenters();
        let pods = &mut input.sites[0].pods.as_mut().unwrap()[0];
        // Of a service without pods the slice has no ports either.
        (pods.addresses, pods.ports) = (BTreeSet::new(), Vec::new());
        let Seen::Present(dc1) = &mut input.sites[0].seen else {
            panic!()
        };
        (dc1.ready, dc1.stopped, dc1.stopped_wanted) = (false, true, true);
        let deleted = "Delete EndpointSlice db/demo-dc1-contact-points-service-ipv4 in the control plane";
        assert_eq!(sentences(&input), [deleted]);
    }

    #[test]
    fn a_service_that_somebody_else_made_is_left_and_reported() {
        let mut input = two_datacenters();
        let service = &mut input.contact_points.as_mut().unwrap().services[0];
        service.owners[0].uid = "another".to_owned();
        service.ports.clear();
        assert_eq!(sentences(&input), Vec::<String>::new());
        assert_eq!(holds(&input), ["NotOwned"]);
    }

    #[test]
    fn c143_contact_points_of_a_datacenter_that_is_gone_go_and_of_one_that_is_only_unseen_stay() {
        let mut input = two_datacenters();
        input.cluster.datacenters.truncate(1);
        input.sites[1].spec = None;
        input.sites[1].seen = Seen::Unknown(unknown("west"));
        assert!(sentences(&input).iter().all(|act| !act.contains("dc2-contact")));
        input.sites[1].seen = Seen::NotListed;
        assert!(planned(&input).asks.contains(&Ask::Datacenter("dc2".to_owned())));
        input.sites[1].seen = Seen::Absent(absent("dc2"));
        let deleted = sentences(&input);
        assert!(
            deleted.contains(
                &"Delete Service db/demo-dc2-contact-points-service in the control plane".to_owned()
            )
        );
        assert!(deleted.contains(
            &"Delete EndpointSlice db/demo-dc2-contact-points-service-ipv4 in the control plane".to_owned()
        ));
    }
}
