//! Writes that cannot hit another object of the same name, each bounded in time and answered with the stored object.
//!
//! | write | guarded by | vanished object | other object of that name |
//! | --- | --- | --- | --- |
//! | [`create`] | POST | – | `AlreadyExists` |
//! | [`apply`] | uid, optionally version | `Conflict` | `Conflict` |
//! | [`apply_status`] | version (a uid guards nothing there) | `Conflict` or `NotFound` | `Conflict` |
//! | [`json_patch`] | `test` of uid, optionally version | `NotFound` | `Conflict` |
//! | [`delete`] | uid and version | `NotFound` | `Conflict` |
//! | [`hand_over`], [`hand_over_part`] | uid and version | `NotFound` | `Conflict` |

use std::fmt::Debug;
use std::future::Future;
use std::time::Duration;

use kube::api::{DeleteParams, Patch, PatchParams, PostParams, Preconditions, PropagationPolicy};
use kube::{Api, Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::time::timeout;

pub use crate::field_owners::Part;
use crate::field_owners::handed_over;
use crate::write_error::{Target, WriteError};

/// The longest a write may take; the guarded client's own limit (10 s) comes first.
const DEADLINE: Duration = Duration::from_secs(11);

pub(crate) const PATCH: &str = "patch";
const HAND_OVER: &str = "hand over fields of";

/// How an apply is done.
#[derive(Clone, Copy, Debug)]
pub struct Apply<'a> {
    /// Field manager: one per controller.
    pub manager: &'a str,
    /// Take fields from other managers. Only on objects that we made.
    pub force: bool,
    /// The version that the decision was made on; `None` = any version of this object.
    pub resource_version: Option<&'a str>,
}

/// What must be true of the object that is deleted: the identity, and the version that showed the reason.
#[derive(Clone, Copy, Debug)]
pub struct Victim<'a> {
    /// `metadata.uid`.
    pub uid: &'a str,
    /// `metadata.resourceVersion`.
    pub resource_version: &'a str,
}

/// Creates an object that must not exist yet. Empty metadata.uid and resourceVersion are the caller's business: a new
/// object has none.
///
/// # Errors
/// [`WriteError`]; a taken name is [`WriteError::AlreadyExists`].
pub async fn create<K>(api: &Api<K>, object: &K, manager: &str) -> Result<K, WriteError>
where
    K: Resource + Clone + DeserializeOwned + Debug + Serialize,
{
    let params = PostParams {
        dry_run: false,
        field_manager: Some(manager.to_owned()),
    };
    let call = api.create(&params, object);
    bounded(target("create", api, &object.name_any()), call).await
}

/// Server-side apply of `body` (with apiVersion, kind and only the fields that the manager wants to own) to the object
/// `name` with this `uid`. An object that vanished is never made again; an equal apply changes nothing.
///
/// # Errors
/// [`WriteError`]; [`WriteError::Other`] without asking if `body` is no object with apiVersion and kind, or `uid` is
/// empty.
pub async fn apply<K>(
    api: &Api<K>,
    name: &str,
    uid: &str,
    body: &impl Serialize,
    how: Apply<'_>,
) -> Result<K, WriteError>
where
    K: Resource + Clone + DeserializeOwned + Debug,
{
    let target = target("apply", api, name);
    if uid.is_empty() {
        return Err(other(target, "an apply needs the object's uid"));
    }
    let body = guarded(&target, body, name, Some(uid), how.resource_version)?;
    let params = PatchParams {
        force: how.force,
        ..PatchParams::apply(how.manager)
    };
    bounded(target, api.patch(name, &params, &Patch::Apply(&body))).await
}

/// Server-side apply of `/status`, only onto the version that was seen.
///
/// # Errors
/// As [`apply`]; [`WriteError::Other`] without asking if `how` has no version.
pub async fn apply_status<K>(
    api: &Api<K>,
    name: &str,
    body: &impl Serialize,
    how: Apply<'_>,
) -> Result<K, WriteError>
where
    K: Resource + Clone + DeserializeOwned + Debug,
{
    let target = target("apply status of", api, name);
    if how.resource_version.is_none_or(str::is_empty) {
        return Err(other(
            target,
            "an apply of a status needs the version that it was decided on",
        ));
    }
    let body = guarded(&target, body, name, None, how.resource_version)?;
    let params = PatchParams {
        force: how.force,
        ..PatchParams::apply(how.manager)
    };
    bounded(target, api.patch_status(name, &params, &Patch::Apply(&body))).await
}

/// A JSON patch (`operations`: an array of RFC 6902 operations) of the object `name` with this `uid`, and of this
/// version if one is given.
///
/// # Errors
/// [`WriteError`]; a failed test is a [`WriteError::Conflict`].
pub async fn json_patch<K>(
    api: &Api<K>,
    name: &str,
    uid: &str,
    resource_version: Option<&str>,
    operations: &Value,
    manager: &str,
) -> Result<K, WriteError>
where
    K: Resource + Clone + DeserializeOwned + Debug,
{
    let target = target(PATCH, api, name);
    let mut all = vec![json!({"op": "test", "path": "/metadata/uid", "value": uid})];
    if let Some(version) = resource_version {
        // Not `test`: a replaced version that is stale is a plain 409.
        all.push(json!({"op": "replace", "path": "/metadata/resourceVersion", "value": version}));
    }
    let Value::Array(operations) = operations else {
        return Err(other(target, "the operations of a JSON patch are an array"));
    };
    all.extend(operations.iter().cloned());
    let Some(patch) = patch_of(all) else {
        return Err(other(target, "the operations are no JSON patch"));
    };
    let params = PatchParams {
        field_manager: Some(manager.to_owned()),
        ..PatchParams::default()
    };
    bounded(target, api.patch(name, &params, &patch)).await
}

/// Not of any kind, so that the program has the reading of patches once.
fn patch_of(operations: Vec<Value>) -> Option<Patch<()>> {
    let operations = serde_json::from_value(Value::Array(operations)).ok()?;
    Some(Patch::Json(operations))
}

/// Puts values into `/status` of the object `name` with this `uid`, whatever else is written there meanwhile. Each part is a
/// JSON pointer below `/status` whose parent is there, and its value; none = it is there and goes. For parts that nobody
/// else writes: no version is needed, so writers of other parts are no conflict.
///
/// # Errors
/// [`WriteError`]; another uid is a [`WriteError::Conflict`], a parent that is not there is refused.
pub async fn put_status<K>(
    api: &Api<K>,
    name: &str,
    uid: &str,
    parts: &[(&str, Option<Value>)],
    manager: &str,
) -> Result<K, WriteError>
where
    K: Resource + Clone + DeserializeOwned + Debug,
{
    let target = target("patch status of", api, name);
    let put = |(pointer, value): &(&str, Option<Value>)| {
        let pointer = format!("/status{pointer}");
        match value {
            Some(value) => json!({"op": "add", "path": pointer, "value": value}),
            None => json!({"op": "remove", "path": pointer}),
        }
    };
    let test = json!({"op": "test", "path": "/metadata/uid", "value": uid});
    let operations = std::iter::once(test).chain(parts.iter().map(put)).collect();
    let Some(patch) = patch_of(operations) else {
        return Err(other(target, "the parts are no JSON patch"));
    };
    let params = PatchParams {
        field_manager: Some(manager.to_owned()),
        ..PatchParams::default()
    };
    bounded(target, api.patch_status(name, &params, &patch)).await
}

/// Hands what the managers `from` wrote by create or update over to the applies of `to`, so that `to` may change and
/// drop it. Needed once before the first [`apply`] of an object that was made by [`create`], also if the manager is the
/// same: a create and an apply of one manager own their fields separately. Reads the object; `Ok(None)` = there was
/// nothing to hand over and nothing was written.
///
/// # Errors
/// [`WriteError`]; another uid is a [`WriteError::Conflict`].
pub async fn hand_over<K>(
    api: &Api<K>,
    name: &str,
    uid: &str,
    from: &[&str],
    to: &str,
) -> Result<Option<K>, WriteError>
where
    K: Resource + Clone + DeserializeOwned + Debug,
{
    let part = |manager: &str, fields: &Value| from.contains(&manager).then(|| fields.clone());
    hand_over_part(api, name, uid, &part, to).await
}

/// As [`hand_over`], of no more than `part` names.
///
/// # Errors
/// As of [`hand_over`].
pub async fn hand_over_part<K>(
    api: &Api<K>,
    name: &str,
    uid: &str,
    part: &Part<'_>,
    to: &str,
) -> Result<Option<K>, WriteError>
where
    K: Resource + Clone + DeserializeOwned + Debug,
{
    let target = target(HAND_OVER, api, name);
    let object = bounded(target.clone(), api.get(name)).await?;
    let meta = object.meta();
    let (Some(version), true) = (&meta.resource_version, meta.uid.as_deref() == Some(uid)) else {
        let message = format!("the object is not the one of uid {uid}");
        return Err(WriteError::Conflict {
            target: Box::new(target),
            message,
            fields: Vec::new(),
        });
    };
    let Some(entries) = handed_over(meta.managed_fields.as_deref().unwrap_or_default(), part, to) else {
        return Ok(None);
    };
    let operations = json!([{"op": "replace", "path": "/metadata/managedFields", "value": entries}]);
    json_patch(api, name, uid, Some(version), &operations, to)
        .await
        .map(Some)
}

/// Deletes exactly this object in exactly this state. `Ok(Some)` = it is still there and terminating, `Ok(None)` = it
/// is gone. `policy` decides about dependents; `None` = the kind's default.
///
/// # Errors
/// [`WriteError`]; [`WriteError::Other`] without asking if uid or version is empty.
pub async fn delete<K>(
    api: &Api<K>,
    name: &str,
    victim: Victim<'_>,
    policy: Option<PropagationPolicy>,
) -> Result<Option<K>, WriteError>
where
    K: Resource + Clone + DeserializeOwned + Debug,
{
    let target = target("delete", api, name);
    if victim.uid.is_empty() || victim.resource_version.is_empty() {
        return Err(other(target, "a delete needs the object's uid and version"));
    }
    let preconditions = Preconditions {
        uid: Some(victim.uid.to_owned()),
        resource_version: Some(victim.resource_version.to_owned()),
    };
    let params = DeleteParams {
        preconditions: Some(preconditions),
        propagation_policy: policy,
        ..DeleteParams::default()
    };
    let answer = bounded(target, api.delete(name, &params)).await?;
    Ok(answer.left())
}

/// `body` with name, uid and version in its metadata.
fn guarded(
    target: &Target,
    body: &impl Serialize,
    name: &str,
    uid: Option<&str>,
    resource_version: Option<&str>,
) -> Result<Value, WriteError> {
    let wrong = |message| Err(other(target.clone(), message));
    let Ok(Value::Object(mut body)) = serde_json::to_value(body) else {
        return wrong("the body is not a JSON object");
    };
    if ["apiVersion", "kind"]
        .iter()
        .any(|field| body.get(*field).and_then(Value::as_str).is_none_or(str::is_empty))
    {
        return wrong("the body lacks apiVersion or kind");
    }
    let Value::Object(metadata) = body.entry("metadata").or_insert_with(|| json!({})) else {
        return wrong("the body's metadata is not an object");
    };
    metadata.insert("name".into(), name.into());
    metadata.remove("managedFields");
    for (field, value) in [("uid", uid), ("resourceVersion", resource_version)] {
        match value {
            Some(value) => metadata.insert(field.into(), value.into()),
            None => metadata.remove(field),
        };
    }
    Ok(Value::Object(body))
}

async fn bounded<R>(target: Target, call: impl Future<Output = kube::Result<R>>) -> Result<R, WriteError> {
    match timeout(DEADLINE, call).await {
        Ok(Ok(stored)) => Ok(stored),
        Ok(Err(error)) => Err(WriteError::new(target, &error)),
        Err(_) => {
            let message = format!("no answer within {} s", DEADLINE.as_secs());
            Err(WriteError::Unreachable {
                target: Box::new(target),
                message,
            })
        }
    }
}

fn target<K: Resource>(verb: &'static str, api: &Api<K>, name: &str) -> Target {
    let resource = api
        .resource_url()
        .rsplit('/')
        .next()
        .unwrap_or_default()
        .to_owned();
    Target {
        verb,
        resource,
        namespace: api.namespace().unwrap_or_default().to_owned(),
        name: name.to_owned(),
    }
}

fn other(target: Target, message: &str) -> WriteError {
    WriteError::Other {
        target: Box::new(target),
        message: message.to_owned(),
    }
}
