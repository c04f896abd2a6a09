//! A small API server in memory for the tests of this crate: objects, statuses, uids, versions, generations, finalizers,
//! graceful deletion of pods, protection of claims, and garbage collection. No watches: who changes something rings.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use kube::client::Body;
use serde_json::{Value, json};

use crate::json::{self, list, text};

/// Plural, namespace, name.
type Id = (String, String, String);

#[derive(Clone, Default)]
pub(super) struct Store(Arc<Mutex<Content>>);

#[derive(Default)]
struct Content {
    objects: BTreeMap<Id, Value>,
    version: u64,
    /// Every accepted write: verb, plural, name, body.
    writes: Vec<(String, String, String, Value)>,
}

impl Store {
    pub(super) fn client(&self) -> kube::Client {
        let store = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let store = store.clone();
            async move {
                let (parts, body) = request.into_parts();
                let body = body
                    .collect()
                    .await
                    .map(http_body_util::Collected::to_bytes)
                    .unwrap_or_default();
                let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
                let (status, answer) = store.answer(&parts.method, &parts.uri, body);
                let mut response = Response::new(Body::from(answer.to_string().into_bytes()));
                *response.status_mut() = status;
                Ok::<_, std::convert::Infallible>(response)
            }
        });
        kube::Client::new(service, "default")
    }

    pub(super) fn get(&self, plural: &str, name: &str) -> Option<Value> {
        let content = self.0.lock().unwrap();
        content
            .objects
            .get(&(plural.into(), "ns".into(), name.into()))
            .cloned()
    }

    pub(super) fn all(&self, plural: &str) -> Vec<Value> {
        let content = self.0.lock().unwrap();
        content
            .objects
            .iter()
            .filter(|((kind, _, _), _)| kind == plural)
            .map(|(_, object)| object.clone())
            .collect()
    }

    pub(super) fn writes(&self) -> Vec<(String, String, String, Value)> {
        self.0.lock().unwrap().writes.clone()
    }

    /// A request of the user.
    pub(super) fn ask(&self, method: &Method, path: &str, body: Value) -> (StatusCode, Value) {
        self.answer(method, &path.parse().unwrap(), body)
    }

    fn answer(&self, method: &Method, uri: &http::Uri, body: Value) -> (StatusCode, Value) {
        let mut parts = uri
            .path()
            .split("/namespaces/")
            .nth(1)
            .unwrap_or_default()
            .split('/');
        let mut next = || parts.next().unwrap_or_default().to_owned();
        let (namespace, plural, name, part) = (next(), next(), next(), next());
        let mut content = self.0.lock().unwrap();
        if *method == Method::GET && name.is_empty() {
            return (
                StatusCode::OK,
                content.select(&plural, &namespace, uri.query().unwrap_or_default()),
            );
        }
        let named = if name.is_empty() {
            json::name(&body).to_owned()
        } else {
            name
        };
        let id = (plural, namespace, named);
        let outcome = match method.as_str() {
            "GET" => content.objects.get(&id).cloned().ok_or(404),
            "POST" => content.create(&id, body.clone()),
            "PUT" => content.replace(&id, &body),
            "PATCH" => content.patch(&id, &body, part == "status"),
            _ => content.delete(&id, &body),
        };
        match outcome {
            Ok(object) => {
                if *method != Method::GET {
                    let verb = if part.is_empty() {
                        method.to_string()
                    } else {
                        format!("{method} {part}")
                    };
                    content.writes.push((verb, id.0, id.2, body));
                }
                (StatusCode::OK, object)
            }
            Err(code) => {
                let status =
                    json!({"kind": "Status", "status": "Failure", "message": "", "reason": "", "code": code});
                (StatusCode::from_u16(code).unwrap(), status)
            }
        }
    }
}

impl Content {
    fn select(&self, plural: &str, namespace: &str, query: &str) -> Value {
        let selector = query
            .split('&')
            .find_map(|pair| pair.strip_prefix("labelSelector="))
            .unwrap_or_default();
        let selector = selector
            .replace("%2F", "/")
            .replace("%3D", "=")
            .replace("%2C", ",");
        let picks = |object: &Value| {
            selector
                .split(',')
                .filter(|part| !part.is_empty())
                .all(|part| match part.split_once('=') {
                    Some((key, value)) => json::label(object, key) == value,
                    None => !json::label(object, part).is_empty(),
                })
        };
        let here = self
            .objects
            .iter()
            .filter(|((kind, place, _), _)| kind == plural && place == namespace);
        let items: Vec<_> = here
            .map(|(_, object)| object)
            .filter(|object| picks(object))
            .collect();
        json!({"kind": "List", "items": items})
    }

    fn next_version(&mut self) -> Value {
        self.version += 1;
        self.version.to_string().into()
    }

    fn create(&mut self, id: &Id, mut object: Value) -> Result<Value, u16> {
        if self.objects.contains_key(id) {
            return Err(409);
        }
        let version = self.next_version();
        object["metadata"]["uid"] = format!("uid-{}", self.version).into();
        object["metadata"]["namespace"] = id.1.clone().into();
        object["metadata"]["generation"] = 1.into();
        object["metadata"]["resourceVersion"] = version;
        if id.0 == "persistentvolumeclaims" {
            object["metadata"]["finalizers"] = json!([crate::names::PVC_PROTECTION]);
        }
        if id.0 != "pods" {
            object.as_object_mut().unwrap().remove("status");
        }
        self.objects.insert(id.clone(), object.clone());
        Ok(object)
    }

    fn replace(&mut self, id: &Id, object: &Value) -> Result<Value, u16> {
        let known = self.objects.get(id).cloned().ok_or(404_u16)?;
        let mut new = object.clone();
        for key in ["uid", "generation", "namespace"] {
            if new["metadata"][key].is_null() {
                new["metadata"][key] = known["metadata"][key].clone();
            }
        }
        if let Some(status) = known.get("status") {
            new["status"] = status.clone();
        }
        self.store(id, &known, new)
    }

    fn patch(&mut self, id: &Id, patch: &Value, status_only: bool) -> Result<Value, u16> {
        let known = self.objects.get(id).cloned().ok_or(404_u16)?;
        let mut new = known.clone();
        if status_only {
            let mut status = known.get("status").cloned().unwrap_or_else(|| json!({}));
            merge(&mut status, &patch["status"]);
            new["status"] = status;
            if let Some(version) = patch.pointer("/metadata/resourceVersion") {
                new["metadata"]["resourceVersion"] = version.clone();
            }
        } else {
            merge(&mut new, patch);
        }
        self.store(id, &known, new)
    }

    fn store(&mut self, id: &Id, known: &Value, mut new: Value) -> Result<Value, u16> {
        let at = |object: &Value, key: &str| object["metadata"][key].clone();
        if at(&new, "resourceVersion") != at(known, "resourceVersion") || at(&new, "uid") != at(known, "uid")
        {
            return Err(409);
        }
        if new["spec"] != known["spec"] {
            new["metadata"]["generation"] = (json::number(known, "/metadata/generation") + 1).into();
        }
        new["metadata"]["resourceVersion"] = self.next_version();
        self.objects.insert(id.clone(), new.clone());
        if json::is_deleting(&new) && list(&new, "/metadata/finalizers").is_empty() && id.0 != "pods" {
            self.remove(id);
        }
        Ok(new)
    }

    fn delete(&mut self, id: &Id, options: &Value) -> Result<Value, u16> {
        let mut known = self.objects.get(id).cloned().ok_or(404_u16)?;
        let wanted = text(options, "/preconditions/uid");
        if !wanted.is_empty() && wanted != json::uid(&known) {
            return Err(409);
        }
        let graceful = id.0 == "pods" && options.get("gracePeriodSeconds") != Some(&json!(0));
        if graceful || !list(&known, "/metadata/finalizers").is_empty() {
            known["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
            known["metadata"]["resourceVersion"] = self.next_version();
            self.objects.insert(id.clone(), known.clone());
        } else {
            self.remove(id);
        }
        Ok(known)
    }

    /// Removes an object and, as the garbage collector would, what it owns.
    fn remove(&mut self, id: &Id) {
        let Some(gone) = self.objects.remove(id) else {
            return;
        };
        let owned = |object: &Value| {
            list(object, "/metadata/ownerReferences")
                .iter()
                .any(|owner| text(owner, "/uid") == json::uid(&gone))
        };
        let dependents: Vec<_> = self
            .objects
            .iter()
            .filter(|(_, object)| owned(object))
            .map(|(id, _)| id.clone())
            .collect();
        for id in dependents {
            let _ = self.delete(&id, &Value::Null);
        }
    }
}

fn merge(target: &mut Value, patch: &Value) {
    let Some(patch) = patch.as_object() else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (key, value) in patch {
        if value.is_null() {
            target.as_object_mut().unwrap().remove(key);
        } else {
            merge(&mut target[key], value);
        }
    }
}
