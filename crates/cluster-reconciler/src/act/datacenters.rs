//! What is written in planes: datacenters and what their pods mount.

use api::cass_operator::CassandraDatacenter;
use api::k8ssandra_cluster::K8ssandraCluster;
use api::names::{annotation, deletion_policy, label};
use fleet::Plane;
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::{Api, ResourceExt};
use plan::change::kept;
use plan::cluster::acts::ThisDatacenter;
use plan::datacenter::{DesiredConfigMap, DesiredDatacenter};
use plan::objects;
use runtime::write::{self, Apply, Victim};
use runtime::{Key, WriteError};
use serde_json::{Value, json};

use super::own::clusters;
use super::{MANAGER, pointer, typed};
use crate::Context;
use crate::error::ActError;
use crate::watches::{ConfigMapView, DatacenterView, Remote};

fn plane(context: &Context, name: &str) -> Result<std::sync::Arc<Plane<Remote>>, ActError> {
    context.fleet.plane(name).map_err(ActError::Unknown)
}

pub(super) async fn write_config_map(
    context: &Context,
    kc: &K8ssandraCluster,
    plane_name: &str,
    datacenter: &str,
    desired: &DesiredConfigMap,
    uid: Option<&str>,
) -> Result<(), ActError> {
    let plane = plane(context, plane_name)?;
    let body = objects::config_map(kc, datacenter, desired);
    let api = Api::<ConfigMap>::namespaced(plane.client(), &desired.namespace);
    let stored = match uid {
        None => write::create(&api, &typed(body)?, MANAGER).await?,
        Some(uid) => {
            let how = Apply {
                manager: MANAGER,
                force: true,
                resource_version: None,
            };
            write::apply(&api, &desired.name, uid, &body, how).await?
        }
    };
    absorb_config_map(&plane, stored);
    Ok(())
}

fn absorb_config_map(plane: &Plane<Remote>, stored: ConfigMap) {
    let Some(key) = Key::of(&stored) else { return };
    let version = stored.resource_version().unwrap_or_default();
    plane
        .caches
        .config_maps
        .absorb(key, &version, ConfigMapView::of(stored));
}

/// Labels are all that a ConfigMap of the user's gets.
pub(super) async fn label_config_map(
    context: &Context,
    kc: &K8ssandraCluster,
    plane_name: &str,
    (namespace, name): (&str, &str),
    uid: &str,
) -> Result<(), ActError> {
    let plane = plane(context, plane_name)?;
    let body = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"labels": {
            label::CLUSTER_NAME: kc.name_any(),
            label::CLUSTER_NAMESPACE: kc.namespace().unwrap_or_default(),
        }},
    });
    let api = Api::<ConfigMap>::namespaced(plane.client(), namespace);
    let how = Apply {
        manager: MANAGER,
        force: false,
        resource_version: None,
    };
    absorb_config_map(&plane, write::apply(&api, name, uid, &body, how).await?);
    Ok(())
}

fn absorb_datacenter(plane: &Plane<Remote>, stored: &CassandraDatacenter) {
    let Some(key) = Key::of(stored) else { return };
    let version = stored.resource_version().unwrap_or_default();
    plane
        .caches
        .datacenters
        .absorb(key, &version, DatacenterView::of(stored));
}

fn datacenters(plane: &Plane<Remote>, namespace: &str) -> Api<CassandraDatacenter> {
    Api::namespaced(plane.client(), namespace)
}

/// What comes back is looked at: a plane with an older definition has dropped what that does not know.
pub(super) async fn create(
    context: &Context,
    plane_name: &str,
    desired: &DesiredDatacenter,
) -> Result<(), ActError> {
    let plane = plane(context, plane_name)?;
    let object: CassandraDatacenter = typed(objects::datacenter(desired))?;
    let api = datacenters(&plane, &desired.namespace);
    let mut stored = write::create(&api, &object, MANAGER).await?;
    let lost = kept::lost(
        &desired.spec,
        &serde_json::to_value(&stored.spec).unwrap_or_default(),
    );
    if !lost.is_empty() {
        tracing::warn!(datacenter = desired.name, plane = plane_name, fields = ?lost, "not known to the plane");
        let path = pointer(annotation::NOT_KEPT);
        let note = json!([{"op": "add", "path": path, "value": kept::noted(&lost)}]);
        let uid = stored.uid().unwrap_or_default();
        stored = write::json_patch(&api, &desired.name, &uid, None, &note, MANAGER).await?;
    }
    absorb_datacenter(&plane, &stored);
    Ok(())
}

/// What becomes ours with the first change: all that our create left, and of whoever made the datacenter before us (known
/// by the label of its cluster, whatever that manager is called) the spec, the labels, and the annotations that we write.
/// Its finalizers stay: they are cass-operator's as well, which may go by the same name.
fn handed_over(manager: &str, fields: &Value, desired: &DesiredDatacenter) -> Option<Value> {
    if manager == MANAGER {
        return Some(fields.clone());
    }
    let metadata = &fields["f:metadata"];
    let labels = &metadata["f:labels"];
    labels.get(format!("f:{}", label::CLUSTER_NAME))?;
    let mut taken = json!({"f:metadata": {"f:labels": labels}});
    let annotations = metadata["f:annotations"].as_object().into_iter().flatten();
    let written = |key: &str| {
        key.strip_prefix("f:")
            .is_some_and(|key| desired.annotations.contains_key(key))
    };
    let annotations: serde_json::Map<_, _> = annotations
        .filter(|(key, _)| written(key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    // An empty part would stand for the field itself.
    if !annotations.is_empty() {
        taken["f:metadata"]["f:annotations"] = Value::Object(annotations);
    }
    if let Some(spec) = fields.get("f:spec") {
        taken["f:spec"] = spec.clone();
    }
    Some(taken)
}

/// A change of the user's. The first one turns the ownership that our create left into that of an apply, so that a
/// field that is no longer wanted goes, and another manager's field is a conflict instead of being overwritten.
pub(super) async fn apply(
    context: &Context,
    plane_name: &str,
    desired: &DesiredDatacenter,
    uid: &str,
    resource_version: &str,
) -> Result<(), ActError> {
    let plane = plane(context, plane_name)?;
    let api = datacenters(&plane, &desired.namespace);
    let part = |manager: &str, fields: &Value| handed_over(manager, fields, desired);
    let handed = write::hand_over_part(&api, &desired.name, uid, &part, MANAGER).await?;
    let version = handed
        .and_then(|stored| stored.resource_version())
        .unwrap_or_else(|| resource_version.to_owned());
    let stored = apply_what_is_known(&api, desired, uid, &version).await?;
    absorb_datacenter(&plane, &stored);
    Ok(())
}

/// An apply with a field that the plane's definition does not have is refused whole: it is sent without, and that is noted.
async fn apply_what_is_known(
    api: &Api<CassandraDatacenter>,
    desired: &DesiredDatacenter,
    uid: &str,
    version: &str,
) -> Result<CassandraDatacenter, ActError> {
    let mut body = objects::datacenter(desired);
    let mut left_out = Vec::new();
    loop {
        let how = Apply {
            manager: MANAGER,
            force: false,
            resource_version: Some(version),
        };
        let error = match write::apply(api, &desired.name, uid, &body, how).await {
            Ok(stored) => return Ok(stored),
            Err(error) => error,
        };
        let Some(field) = kept::undeclared(&error.to_string()) else {
            return Err(error.into());
        };
        let Some(field) = kept::leave_out(&mut body, &field) else {
            return Err(error.into());
        };
        tracing::warn!(datacenter = desired.name, field, "not known to the plane");
        left_out.push(field);
        body["metadata"]["annotations"][annotation::NOT_KEPT] = kept::noted(&left_out).into();
    }
}

/// Makes cass-operator decommission the nodes, and returns the version that this made.
async fn decommission(
    context: &Context,
    kc: &K8ssandraCluster,
    gone: &ThisDatacenter,
) -> Result<String, ActError> {
    let mut notes = vec![(annotation::DECOMMISSION_ON_DELETE, json!("true"))];
    if keeps_volumes(kc) {
        // Their data is elsewhere by then, and a node would never start again from what it left.
        notes.push((annotation::DELETE_PVC, json!("true")));
    }
    annotate(context, gone, &notes).await
}

/// Takes back what [`decommission`] said.
pub(super) async fn stay(
    context: &Context,
    kc: &K8ssandraCluster,
    gone: &ThisDatacenter,
) -> Result<(), ActError> {
    let mut notes = vec![(annotation::DECOMMISSION_ON_DELETE, Value::Null)];
    if keeps_volumes(kc) {
        notes.push((annotation::DELETE_PVC, json!("false")));
    }
    annotate(context, gone, &notes).await.map(|_| ())
}

/// Hands a permission down to cass-operator, or takes it back.
pub(super) async fn allow_updates(
    context: &Context,
    which: &ThisDatacenter,
    permission: Option<&(String, String)>,
) -> Result<(), ActError> {
    let (value, note) = permission.map_or((Value::Null, Value::Null), |(value, note)| {
        (json!(value), json!(note))
    });
    let notes = [
        (annotation::DATACENTER_AUTOUPDATE_SPEC, value),
        (annotation::UPDATES_ALLOWED, note),
    ];
    annotate(context, which, &notes).await.map(|_| ())
}

fn keeps_volumes(kc: &K8ssandraCluster) -> bool {
    let policy = kc.annotations().get(annotation::DELETION_POLICY);
    policy.is_some_and(|policy| policy == deletion_policy::ORPHAN)
}

/// Sets or, with null, takes away annotations, and returns the version that this made.
pub(super) async fn annotate(
    context: &Context,
    which: &ThisDatacenter,
    notes: &[(&str, Value)],
) -> Result<String, ActError> {
    let plane = plane(context, &which.context)?;
    let operation = |(key, value): &(&str, Value)| match value {
        Value::Null => json!({"op": "remove", "path": pointer(key)}),
        value => json!({"op": "add", "path": pointer(key), "value": value}),
    };
    let api = datacenters(&plane, &which.namespace);
    let operations = notes.iter().map(operation).collect();
    let stored = write::json_patch(
        &api,
        &which.name,
        &which.uid,
        Some(&which.resource_version),
        &operations,
        MANAGER,
    )
    .await?;
    let version = stored.resource_version().unwrap_or_default();
    absorb_datacenter(&plane, &stored);
    Ok(version)
}

/// The user's edit is read again, live, before nodes are decommissioned for it.
pub(super) async fn remove(
    context: &Context,
    kc: &K8ssandraCluster,
    gone: &ThisDatacenter,
) -> Result<(), ActError> {
    let live = clusters(context, kc)
        .get(&kc.name_any())
        .await
        .map_err(|error| ActError::Unread(error.to_string()))?;
    let wanted = live
        .spec
        .cassandra
        .iter()
        .flat_map(|cassandra| &cassandra.datacenters)
        .any(|it| it.name() == gone.name);
    if live.uid() != kc.uid() || live.metadata.generation != kc.metadata.generation || wanted {
        return Err(ActError::Changed(format!("K8ssandraCluster {}", kc.name_any())));
    }
    let version = decommission(context, &live, gone).await?;
    delete(context, gone, &version).await
}

pub(super) async fn delete(context: &Context, gone: &ThisDatacenter, version: &str) -> Result<(), ActError> {
    let plane = plane(context, &gone.context)?;
    let victim = Victim {
        uid: &gone.uid,
        resource_version: version,
    };
    match write::delete(&datacenters(&plane, &gone.namespace), &gone.name, victim, None).await {
        Ok(Some(stored)) => absorb_datacenter(&plane, &stored),
        Ok(None) | Err(WriteError::NotFound { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

pub(super) async fn delete_leftovers(
    context: &Context,
    plane_name: &str,
    namespace: &str,
    config_maps: &[(String, String, String)],
    slices: &[(String, String, String)],
) -> Result<(), ActError> {
    let plane = plane(context, plane_name)?;
    let maps = Api::<ConfigMap>::namespaced(plane.client(), namespace);
    let endpoints = Api::<EndpointSlice>::namespaced(plane.client(), namespace);
    for (name, uid, resource_version) in config_maps {
        gone(
            write::delete(
                &maps,
                name,
                Victim {
                    uid,
                    resource_version,
                },
                None,
            )
            .await,
        )?;
    }
    for (name, uid, resource_version) in slices {
        gone(
            write::delete(
                &endpoints,
                name,
                Victim {
                    uid,
                    resource_version,
                },
                None,
            )
            .await,
        )?;
    }
    Ok(())
}

fn gone<K>(answer: Result<Option<K>, WriteError>) -> Result<(), ActError> {
    match answer {
        Ok(_) | Err(WriteError::NotFound { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn desired(annotation: &str) -> DesiredDatacenter {
        let kc = json!({
            "metadata": {"name": "demo", "namespace": "db", "uid": "u"},
            "spec": {"cassandra": {
                "serverVersion": "4.1.5",
                "storageConfig": {"cassandraDataVolumeClaimSpec": {}},
                "datacenters": [{"metadata": {"name": "dc1"}, "size": 3}],
            }},
        });
        let kc = serde_json::from_value(kc).unwrap();
        let mut desired = plan::datacenter::build(&plan::datacenter::DatacenterInput {
            kc: &kc,
            datacenter: "dc1",
            all: None,
            role: api::record::Role::Adopted,
            initial_system_replication: None,
            control_plane_id: None,
            references: &plan::datacenter::References::default(),
            live: None,
        })
        .unwrap();
        desired.annotations.insert(annotation.to_owned(), String::new());
        desired
    }

    #[test]
    fn c227_of_another_maker_s_fields_only_what_we_write_becomes_ours() {
        let label = format!("f:{}", label::CLUSTER_NAME);
        let mut fields = json!({
            "f:metadata": {
                "f:annotations": {".": {}, "f:k8ssandra.io/resource-hash": {}, "f:written": {}},
                "f:finalizers": {".": {}, "v:\"finalizer.cassandra.datastax.com\"": {}},
                "f:labels": {".": {}},
            },
            "f:spec": {"f:size": {}},
        });
        let desired = desired("written");
        assert_eq!(handed_over("kubectl-edit", &fields, &desired), None);
        assert_eq!(handed_over(MANAGER, &fields, &desired), Some(fields.clone()));
        fields["f:metadata"]["f:labels"][&label] = json!({});
        let taken = json!({
            "f:metadata": {"f:annotations": {"f:written": {}}, "f:labels": fields["f:metadata"]["f:labels"]},
            "f:spec": {"f:size": {}},
        });
        assert_eq!(handed_over("manager", &fields, &desired), Some(taken));
    }
}
