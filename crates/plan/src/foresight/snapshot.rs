//! Everything that was read of a cluster at one moment: the objects of each plane.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::addons::AddonKind;
use api::cass_operator::CassandraDatacenter;
use api::grants::Grants;
use api::k8ssandra_cluster::K8ssandraCluster;
use api::names::{self, annotation, label};
use api::record::{Record, RecordState};
use api::reports;
use api::seen::{Absence, PlaneId, SamePlane, Seen, Unknown};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::references;
use crate::cluster::facts::{
    AddonObject, ClusterFacts, ClusterIdentity, DatacenterFacts, LiveDatacenter, MarkedObject, Marks, Owner,
    ReplicatedFacts, SecretFacts, SeedSlice, data_digest, unregistered,
};
use crate::datacenter::{Images, NoPassword, Password, PasswordSource, References, password_sources};
use crate::{datacenter, naming, own_secrets, value};

/// What one plane answered.
#[derive(Clone, Debug, PartialEq)]
pub struct PlaneObjects {
    /// Who it is.
    pub id: PlaneId,
    /// CassandraDatacenters, ConfigMaps and EndpointSlices, and the Secrets that stores' passwords are in; in the control
    /// plane the cluster's own Secrets, ReplicatedSecrets and its MedusaConfiguration too. As their API servers show them.
    pub objects: Vec<Value>,
}

/// What every plane answered, by context; the empty one is the control plane.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// What it answered, or why nothing is known.
    pub planes: BTreeMap<String, Result<PlaneObjects, Unknown>>,
    /// By context: whom the plane's owner lets in; one that is not here lets everybody in.
    pub grants: BTreeMap<String, Grants>,
    /// Which images the installation runs: not a matter of the cluster's namespace.
    pub images: Images,
}

/// A text below `metadata`, in a map of that name.
pub(super) fn noted<'a>(object: &'a Value, map: &str, key: &str) -> Option<&'a str> {
    object.get("metadata")?.get(map)?.get(key)?.as_str()
}

pub(super) fn label_of<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    noted(object, "labels", key)
}

pub(super) fn is(object: &Value, kind: &str, namespace: &str, name: &str) -> bool {
    value::text(object, "/kind") == Some(kind)
        && value::text(object, "/metadata/namespace") == Some(namespace)
        && value::text(object, "/metadata/name") == Some(name)
}

fn owned(object: &Value, pointer: &str) -> String {
    value::text(object, pointer).unwrap_or_default().to_owned()
}

impl Snapshot {
    /// The facts that a plan for this cluster is made from. Nothing here is a cache: what is not in a plane's answer is
    /// absent there.
    #[must_use]
    pub fn facts(&self, kc: &K8ssandraCluster) -> ClusterFacts {
        let identity = ClusterIdentity::of(kc);
        let text = annotation_of(kc, annotation::RECORD);
        let record = RecordState::read(text, &identity.uid);
        let topology = kc
            .status
            .as_ref()
            .and_then(|status| status.reports.topology.clone());
        let datacenters = self.datacenters(kc, &identity, &record);
        let id = |context: &str| match self.planes.get(context) {
            Some(Ok(plane)) => Ok(plane.id.clone()),
            Some(Err(unknown)) => Err(unknown.clone()),
            None => Err(nobody(context)),
        };
        ClusterFacts {
            control_plane: Ok(id("").ok()),
            grants: self.grants.clone(),
            planes: datacenters
                .values()
                .map(|it| (it.context.clone(), id(&it.context)))
                .collect(),
            references: self.references(kc, &datacenters),
            datacenters,
            secrets: self.secrets(kc, &identity),
            replicated: self.replicated(kc, &identity),
            topology: topology.filter(|report| {
                report.format == reports::FORMAT && Some(report.observed_generation) == kc.metadata.generation
            }),
            crd_deleting: Some(false),
            record,
            kc: kc.clone(),
        }
    }

    fn answered(&self) -> impl Iterator<Item = (&String, &PlaneObjects)> {
        self.planes
            .iter()
            .filter_map(|(context, plane)| Some((context, plane.as_ref().ok()?)))
    }

    /// Those of the spec, of the record, and every other one with the cluster's mark.
    fn datacenters(
        &self,
        kc: &K8ssandraCluster,
        identity: &ClusterIdentity,
        record: &RecordState,
    ) -> BTreeMap<String, DatacenterFacts> {
        let templates = kc
            .spec
            .cassandra
            .iter()
            .flat_map(|cassandra| &cassandra.datacenters);
        let mut places: BTreeMap<String, (String, String)> = templates
            .map(|template| {
                let place = (
                    template.k8s_context.clone(),
                    datacenter::namespace(kc, template).to_owned(),
                );
                (template.name().to_owned(), place)
            })
            .collect();
        if let RecordState::Known(record) = record {
            for (name, place) in self.recorded(record) {
                places.entry(name).or_insert(place);
            }
        }
        for (context, plane) in self.answered() {
            let ours = plane.objects.iter().filter(|object| {
                value::text(object, "/kind") == Some("CassandraDatacenter")
                    && noted(object, "annotations", annotation::CLUSTER_UID) == Some(identity.uid.as_str())
            });
            for object in ours {
                let place = (context.clone(), owned(object, "/metadata/namespace"));
                places.entry(owned(object, "/metadata/name")).or_insert(place);
            }
        }
        let see = |(name, (context, namespace)): (String, (String, String))| {
            let seen = self.datacenter(kc, identity, &name, context, namespace);
            (name, seen)
        };
        places.into_iter().map(see).collect()
    }

    fn recorded(&self, record: &Record) -> Vec<(String, (String, String))> {
        let place = |(name, record): (&String, &api::record::DatacenterRecord)| {
            let same = |plane: &PlaneObjects| plane.id.compare(&record.plane_id) == SamePlane::Yes;
            let found = self.answered().find(|(_, plane)| same(plane));
            let context = found.map_or_else(|| unregistered(&record.plane_id), |(name, _)| name.clone());
            (name.clone(), (context, record.namespace.clone()))
        };
        record.datacenters.iter().map(place).collect()
    }

    fn datacenter(
        &self,
        kc: &K8ssandraCluster,
        identity: &ClusterIdentity,
        name: &str,
        context: String,
        namespace: String,
    ) -> DatacenterFacts {
        let plane = match self.planes.get(&context) {
            Some(Ok(plane)) => plane,
            other => {
                let unknown = match other {
                    Some(Err(unknown)) => unknown.clone(),
                    _ => nobody(&context),
                };
                return DatacenterFacts {
                    object: Seen::Unknown(unknown.clone()),
                    last_settled: None,
                    seed_slices: Seen::Unknown(unknown.clone()),
                    stale_seed_slice: None,
                    addons: None,
                    per_node_config: references::per_node_config(kc, name)
                        .map(|_| Seen::Unknown(unknown.clone())),
                    config_maps: Seen::Unknown(unknown),
                    context,
                    namespace,
                };
            }
        };
        let object = plane
            .objects
            .iter()
            .find(|object| is(object, "CassandraDatacenter", &namespace, name));
        let live = object.and_then(|object| live(object, identity));
        let service = naming::additional_seed_service(datacenter::cluster_name(kc), name);
        DatacenterFacts {
            last_settled: live.as_ref().map(|live| live.settled),
            object: live.map_or_else(|| Seen::Absent(absence(plane, &namespace, name)), Seen::Present),
            seed_slices: Seen::Present(slices(plane, &namespace, name, identity)),
            stale_seed_slice: stale_slice(plane, &namespace, &service, identity),
            config_maps: Seen::Present(config_maps(plane, &namespace, name, identity)),
            addons: Some(Ok(addons(plane, &namespace, identity))),
            per_node_config: references::per_node_config(kc, name)
                .map(|map| references::see(plane, &namespace, map)),
            context,
            namespace,
        }
    }

    pub(super) fn own(&self, kind: &str, identity: &ClusterIdentity, name: &str) -> Option<&Value> {
        let plane = self.planes.get("")?.as_ref().ok()?;
        plane
            .objects
            .iter()
            .find(|object| is(object, kind, &identity.namespace, name))
    }

    fn secrets(&self, kc: &K8ssandraCluster, identity: &ClusterIdentity) -> BTreeMap<String, SecretFacts> {
        let own = own_secrets::of(kc).into_iter();
        own.map(|secret| {
            let found = self.own("Secret", identity, &secret.name);
            let facts = found.map_or(SecretFacts::Missing, |object| secret_facts(kc, object));
            (secret.name, facts)
        })
        .collect()
    }

    /// What the datacenters refer to: the passwords of their stores, from the Secrets in their namespaces.
    fn references(
        &self,
        kc: &K8ssandraCluster,
        datacenters: &BTreeMap<String, DatacenterFacts>,
    ) -> BTreeMap<String, References> {
        let of_all = self.of_all_datacenters(kc);
        let read = |(name, datacenter): (&String, &DatacenterFacts)| {
            let sources = password_sources(kc, name).unwrap_or_default().into_iter();
            let password = |source: PasswordSource| (source.of, self.password(datacenter, &source));
            let references = References {
                store_passwords: sources.map(password).collect(),
                ..of_all.clone()
            };
            (name.clone(), references)
        };
        datacenters.iter().map(read).collect()
    }

    fn password(
        &self,
        datacenter: &DatacenterFacts,
        source: &PasswordSource,
    ) -> Result<Password, NoPassword> {
        let plane = match self.planes.get(&datacenter.context) {
            Some(Ok(plane)) => plane,
            Some(Err(unknown)) => return Err(NoPassword::Unknown(unknown.clone())),
            None => return Err(NoPassword::Unknown(nobody(&datacenter.context))),
        };
        let mut objects = plane.objects.iter();
        let secret = objects
            .find(|object| is(object, "Secret", &datacenter.namespace, &source.secret))
            .ok_or(NoPassword::NoSecret)?;
        let under = |map: &str| secret.get(map)?.get(&source.key)?.as_str();
        if let Some(text) = under("stringData") {
            return Password::of_bytes(text.as_bytes().to_vec());
        }
        let encoded = under("data").ok_or(NoPassword::NoKey)?;
        let bytes = STANDARD.decode(encoded).map_err(|_| NoPassword::NoText)?;
        Password::of_bytes(bytes)
    }

    fn replicated(&self, kc: &K8ssandraCluster, identity: &ClusterIdentity) -> ReplicatedFacts {
        let Some(object) = self.own("ReplicatedSecret", identity, &identity.name) else {
            return ReplicatedFacts::Missing;
        };
        let place = |item: &Value, context: &str| {
            let namespace = value::text(item, "/namespace").unwrap_or(&identity.namespace);
            (owned(item, context), namespace.to_owned())
        };
        let owner = owner_of(object, identity);
        let number = |pointer: &str| value::at(object, pointer).and_then(Value::as_i64);
        let current = number("/status/observedGeneration") == number("/metadata/generation");
        let done = |condition: &Value| {
            let marks = value::text(condition, "/contentMark")?.to_owned();
            let holds = current && value::text(condition, "/status") == Some("True");
            holds.then(|| (place(condition, "/cluster"), marks))
        };
        ReplicatedFacts::Present {
            uid: owned(object, "/metadata/uid"),
            resource_version: owned(object, "/metadata/resourceVersion"),
            ours: owner.is_some(),
            goes_with_cluster: owner,
            selects: value::at(object, "/spec/selector").is_some_and(|it| own_secrets::are_selected(kc, it)),
            deleting: value::at(object, "/metadata/deletionTimestamp").is_some(),
            targets: value::items(object, "/spec/replicationTargets")
                .iter()
                .map(|target| place(target, "/k8sContextName"))
                .collect(),
            replicated: value::items(object, "/status/conditions")
                .iter()
                .filter_map(done)
                .collect(),
        }
    }
}

/// Place of the cluster among the owners.
fn owner_of(object: &Value, identity: &ClusterIdentity) -> Option<usize> {
    let mut owners = value::items(object, "/metadata/ownerReferences").iter();
    owners.position(|owner| value::text(owner, "/uid") == Some(identity.uid.as_str()))
}

fn secret_facts(kc: &K8ssandraCluster, secret: &Value) -> SecretFacts {
    let has = |key: &str| {
        ["data", "stringData"]
            .iter()
            .any(|map| value::text(secret, &format!("/{map}/{key}")).is_some())
    };
    SecretFacts::Present {
        goes_with_cluster: owner_of(secret, &ClusterIdentity::of(kc)),
        uid: owned(secret, "/metadata/uid"),
        resource_version: owned(secret, "/metadata/resourceVersion"),
        labelled: own_secrets::selector_labels(kc)
            .iter()
            .all(|(key, wanted)| label_of(secret, key) == Some(wanted)),
        missing_keys: own_secrets::KEYS
            .iter()
            .filter(|key| !has(key))
            .map(|key| (*key).to_owned())
            .collect(),
    }
}

fn annotation_of<'a>(kc: &'a K8ssandraCluster, key: &str) -> Option<&'a str> {
    let annotations = kc.metadata.annotations.as_ref()?;
    annotations.get(key).map(String::as_str)
}

fn nobody(context: &str) -> Unknown {
    Unknown {
        context: context.to_owned(),
        reason: names::reason::UNKNOWN_CONTEXT.to_owned(),
        message: format!("no plane of the name {context} is known"),
    }
}

fn absence(plane: &PlaneObjects, namespace: &str, name: &str) -> Absence {
    Absence {
        plane: plane.id.clone(),
        kind: "CassandraDatacenter".to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    }
}

/// One that cannot be read is there all the same: as somebody else's.
fn live(object: &Value, identity: &ClusterIdentity) -> Option<LiveDatacenter> {
    let object: CassandraDatacenter = serde_json::from_value(object.clone()).ok()?;
    let metadata = &object.metadata;
    let owner = Marks::of(metadata.labels.as_ref(), metadata.annotations.as_ref()).owner(identity);
    Some(LiveDatacenter {
        owner,
        ..LiveDatacenter::of(&object)
    })
}

fn addresses(slice: &Value) -> impl Iterator<Item = String> {
    let endpoints = value::items(slice, "/endpoints").iter();
    endpoints
        .flat_map(|endpoint| value::items(endpoint, "/addresses"))
        .filter_map(|address| address.as_str().map(str::to_owned))
}

fn slices(plane: &PlaneObjects, namespace: &str, serves: &str, identity: &ClusterIdentity) -> Vec<SeedSlice> {
    let ours = plane.objects.iter().filter(|object| {
        value::text(object, "/kind") == Some("EndpointSlice")
            && value::text(object, "/metadata/namespace") == Some(namespace)
            && label_of(object, label::CLUSTER_UID) == Some(identity.uid.as_str())
            && label_of(object, label::CASSANDRA_DATACENTER) == Some(serves)
    });
    let read = |object: &Value| {
        let kind = label_of(object, label::SEED_SLICE)?;
        let sources = noted(object, "annotations", annotation::SEED_SOURCES);
        Some(SeedSlice {
            name: owned(object, "/metadata/name"),
            uid: owned(object, "/metadata/uid"),
            resource_version: owned(object, "/metadata/resourceVersion"),
            serves: serves.to_owned(),
            joining: kind == names::SeedSlice::JOINING,
            addresses: addresses(object).collect(),
            sources: sources
                .and_then(|text| serde_json::from_str(text).ok())
                .unwrap_or_default(),
        })
    };
    ours.filter_map(read).collect()
}

fn stale_slice(
    plane: &PlaneObjects,
    namespace: &str,
    service: &str,
    identity: &ClusterIdentity,
) -> Option<String> {
    let stale = plane.objects.iter().find(|object| {
        value::text(object, "/kind") == Some("EndpointSlice")
            && value::text(object, "/metadata/namespace") == Some(namespace)
            && label_of(object, label::SERVICE_NAME) == Some(service)
            && label_of(object, label::CLUSTER_UID) != Some(identity.uid.as_str())
    });
    stale.map(|object| owned(object, "/metadata/name"))
}

fn marks(object: &Value) -> Marks {
    let map = |pointer: &str| value::texts(object, pointer);
    Marks::of(
        Some(&map("/metadata/labels")),
        Some(&map("/metadata/annotations")),
    )
}

fn config_maps(
    plane: &PlaneObjects,
    namespace: &str,
    datacenter: &str,
    identity: &ClusterIdentity,
) -> BTreeMap<String, MarkedObject> {
    let ours = plane.objects.iter().filter(|object| {
        value::text(object, "/kind") == Some("ConfigMap")
            && value::text(object, "/metadata/namespace") == Some(namespace)
            && marks(object).owner(identity) != Owner::Foreign
            && noted(object, "annotations", annotation::DATACENTER).is_none_or(|named| named == datacenter)
    });
    let marked = |object: &Value| {
        let marked = MarkedObject {
            uid: owned(object, "/metadata/uid"),
            resource_version: owned(object, "/metadata/resourceVersion"),
            digest: data_digest(&value::texts(object, "/data")),
            shared: noted(object, "annotations", annotation::DATACENTER).is_none(),
            content: Some(Arc::new(value::texts(object, "/data"))),
        };
        (owned(object, "/metadata/name"), marked)
    };
    ours.map(marked).collect()
}

fn addons(plane: &PlaneObjects, namespace: &str, identity: &ClusterIdentity) -> Vec<AddonObject> {
    let addon = |object: &Value| {
        let kind = value::text(object, "/kind")?;
        let kind = AddonKind::ALL.into_iter().find(|it| it.as_str() == kind)?;
        let ours = value::text(object, "/metadata/namespace") == Some(namespace)
            && marks(object).owner(identity) == Owner::Upstream;
        ours.then(|| AddonObject {
            kind,
            name: owned(object, "/metadata/name"),
            uid: owned(object, "/metadata/uid"),
            resource_version: owned(object, "/metadata/resourceVersion"),
        })
    };
    plane.objects.iter().filter_map(addon).collect()
}
