//! Objects as API servers show them, each once.

use std::collections::BTreeMap;

use api::names::{label, reason};
use api::seen::{Seen, Unknown};
use fleet::Plane;
use kube::Resource;
use plan::datacenter::Images;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::facts;

/// By kind, namespace and name.
#[derive(Default)]
pub(super) struct Objects(BTreeMap<(String, String, String), Value>);

impl Objects {
    /// Adds what carries these labels, in one namespace or all.
    pub async fn list<K>(
        &mut self,
        plane: &Plane<()>,
        namespace: Option<&str>,
        labels: &str,
    ) -> Result<(), Unknown>
    where
        K: Resource<DynamicType = ()> + DeserializeOwned + Serialize,
    {
        for object in plane.list_live::<K>(namespace, labels, None).await? {
            self.add(&object);
        }
        Ok(())
    }

    /// Adds what upstream made for add-ons of a kind, wherever it is. What may not be listed is not there for anybody who
    /// would delete it.
    pub async fn list_addons<K>(&mut self, plane: &Plane<()>) -> Result<(), Unknown>
    where
        K: Resource<DynamicType = ()> + DeserializeOwned + Serialize,
    {
        let labels = format!("{}={}", label::CLEANED_UP_BY, label::CLUSTER_CONTROLLER);
        match plane.list_live_if_known::<K>(None, &labels, None).await {
            Ok(listed) => listed.iter().for_each(|object| self.add(object)),
            Err(unknown) if unknown.reason == reason::PLANE_FORBIDDEN => {}
            Err(unknown) => return Err(unknown),
        }
        Ok(())
    }

    /// Adds one object, if it is there. Whether it is.
    pub async fn get<K>(&mut self, plane: &Plane<()>, namespace: &str, name: &str) -> Result<bool, Unknown>
    where
        K: Resource<DynamicType = ()> + DeserializeOwned + Serialize,
    {
        let key = (K::kind(&()).into_owned(), namespace.to_owned(), name.to_owned());
        if name.is_empty() || self.0.contains_key(&key) {
            return Ok(!name.is_empty());
        }
        match plane.read::<K>(namespace, name, None).await {
            Seen::Present(object) => {
                self.add(&object);
                Ok(true)
            }
            Seen::Absent(_) | Seen::NotListed => Ok(false),
            Seen::Unknown(unknown) => Err(unknown),
        }
    }

    fn add<K: Resource<DynamicType = ()> + Serialize>(&mut self, object: &K) {
        // What was just read from JSON can be written as JSON.
        if let Ok(mut value) = serde_json::to_value(object) {
            value["kind"] = K::kind(&()).into_owned().into();
            if let Some(metadata) = value["metadata"].as_object_mut() {
                metadata.entry("namespace").or_insert_with(|| "".into());
            }
            self.put(value);
        }
    }

    pub fn add_all(&mut self, objects: Vec<Value>) {
        for object in objects {
            self.put(object);
        }
    }

    fn put(&mut self, object: Value) {
        let text = |pointer: &str| {
            let text = object.pointer(pointer).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        let key = (text("/kind"), text("/metadata/namespace"), text("/metadata/name"));
        self.0.insert(key, object);
    }

    /// The images that the ConfigMap of the installation names.
    pub fn images(&self) -> Images {
        facts::images(self.0.values())
    }

    pub fn into_values(self) -> Vec<Value> {
        self.0.into_values().collect()
    }
}
