//! Requests to one API server, on plain JSON: what was read is what the server said.

use std::time::Duration;

use kube::Client;
use kube::core::Request;
use kube::core::params::{
    DeleteParams, GetParams, ListParams, Patch, PatchParams, PostParams, Preconditions,
};
use serde_json::Value;

/// How long one request may take.
const DEADLINE: Duration = Duration::from_secs(5);

/// A kind of object, as the API server's paths name it.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// `/api/v1` or `/apis/<group>/<version>`.
    pub root: &'static str,
    /// Plural name.
    pub plural: &'static str,
}

/// The kinds that a datacenter is made of.
pub mod kinds {
    use super::Kind;

    /// CassandraDatacenter.
    pub const DATACENTERS: Kind = Kind {
        root: "/apis/cassandra.datastax.com/v1beta1",
        plural: "cassandradatacenters",
    };
    /// CassandraTask.
    pub const TASKS: Kind = Kind {
        root: "/apis/control.k8ssandra.io/v1alpha1",
        plural: "cassandratasks",
    };
    /// StatefulSet.
    pub const STATEFUL_SETS: Kind = Kind {
        root: "/apis/apps/v1",
        plural: "statefulsets",
    };
    /// Pod.
    pub const PODS: Kind = Kind {
        root: "/api/v1",
        plural: "pods",
    };
    /// Claims of pods.
    pub const CLAIMS: Kind = Kind {
        root: "/api/v1",
        plural: "persistentvolumeclaims",
    };
    /// Service.
    pub const SERVICES: Kind = Kind {
        root: "/api/v1",
        plural: "services",
    };
    /// Secret.
    pub const SECRETS: Kind = Kind {
        root: "/api/v1",
        plural: "secrets",
    };
    /// ConfigMap.
    pub const CONFIG_MAPS: Kind = Kind {
        root: "/api/v1",
        plural: "configmaps",
    };
    /// ServiceAccount.
    pub const SERVICE_ACCOUNTS: Kind = Kind {
        root: "/api/v1",
        plural: "serviceaccounts",
    };
    /// EndpointSlice.
    pub const SLICES: Kind = Kind {
        root: "/apis/discovery.k8s.io/v1",
        plural: "endpointslices",
    };
    /// Disruption budgets.
    pub const BUDGETS: Kind = Kind {
        root: "/apis/policy/v1",
        plural: "poddisruptionbudgets",
    };
}

/// A request that did not do what it was for.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The server or the way to it said no.
    #[error("plane {plane}: {verb} {what}: {}", in_short(source))]
    Refused {
        /// Which plane.
        plane: String,
        /// What was tried.
        verb: &'static str,
        /// On which object.
        what: String,
        /// The client's error.
        source: Box<kube::Error>,
    },
    /// No answer within the deadline.
    #[error("plane {plane}: {verb} {what}: no answer within {DEADLINE:?}")]
    Silent {
        /// Which plane.
        plane: String,
        /// What was tried.
        verb: &'static str,
        /// On which object.
        what: String,
    },
}

/// The server's own message where there is one: the client's error repeats the whole status.
fn in_short(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => format!("{} {}", status.code, status.message),
        other => other.to_string(),
    }
}

impl ApiError {
    /// Whether the server takes nothing new because the namespace is being deleted.
    #[must_use]
    pub fn is_namespace_ending(&self) -> bool {
        self.code() == Some(403) && self.to_string().contains("being terminated")
    }

    /// The HTTP status that the server answered with, if it answered.
    #[must_use]
    pub fn code(&self) -> Option<u16> {
        match self {
            Self::Refused { source, .. } => match source.as_ref() {
                kube::Error::Api(status) => Some(status.code),
                _ => None,
            },
            Self::Silent { .. } => None,
        }
    }
}

/// One API server.
#[derive(Clone)]
pub struct Apiserver {
    plane: String,
    client: Client,
}

impl Apiserver {
    /// Requests to the API server of `plane` through `client`.
    #[must_use]
    pub fn new(plane: &str, client: Client) -> Self {
        Self {
            plane: plane.to_owned(),
            client,
        }
    }

    /// The client underneath, for watches.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// One object; `None` when the server says that there is none.
    ///
    /// # Errors
    /// Any other refusal, or no answer.
    pub async fn get(&self, kind: Kind, namespace: &str, name: &str) -> Result<Option<Value>, ApiError> {
        let request = Request::new(path(kind, namespace)).get(name, &GetParams::default());
        match self.send("get", kind, namespace, name, request).await {
            Ok(object) => Ok(Some(object)),
            Err(error) if error.code() == Some(404) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// All objects of a namespace that a label selector picks.
    ///
    /// # Errors
    /// A refusal, or no answer.
    pub async fn list(&self, kind: Kind, namespace: &str, labels: &str) -> Result<Vec<Value>, ApiError> {
        let request = Request::new(path(kind, namespace)).list(&ListParams::default().labels(labels));
        let mut found = self.send("list", kind, namespace, labels, request).await?;
        match found.get_mut("items").map(Value::take) {
            Some(Value::Array(items)) => Ok(items),
            _ => Ok(Vec::new()),
        }
    }

    /// Creates an object.
    ///
    /// # Errors
    /// A refusal (409 when it exists), or no answer.
    pub async fn create(&self, kind: Kind, namespace: &str, object: &Value) -> Result<Value, ApiError> {
        let request = Request::new(path(kind, namespace))
            .create(&PostParams::default(), object.to_string().into_bytes());
        self.send("create", kind, namespace, crate::json::name(object), request)
            .await
    }

    /// Replaces an object; its `resourceVersion` must still be the server's.
    ///
    /// # Errors
    /// A refusal (409 when it changed meanwhile), or no answer.
    pub async fn replace(&self, kind: Kind, namespace: &str, object: &Value) -> Result<Value, ApiError> {
        let name = crate::json::name(object);
        let request = Request::new(path(kind, namespace)).replace(
            name,
            &PostParams::default(),
            object.to_string().into_bytes(),
        );
        self.send("update", kind, namespace, name, request).await
    }

    /// Merges a patch into an object.
    ///
    /// # Errors
    /// A refusal, or no answer.
    pub async fn merge(
        &self,
        kind: Kind,
        namespace: &str,
        name: &str,
        patch: &Value,
    ) -> Result<Value, ApiError> {
        let request =
            Request::new(path(kind, namespace)).patch(name, &PatchParams::default(), &Patch::Merge(patch));
        self.send("patch", kind, namespace, name, request).await
    }

    /// Merges a patch into an object's status.
    ///
    /// # Errors
    /// A refusal, or no answer.
    pub async fn merge_status(
        &self,
        kind: Kind,
        namespace: &str,
        name: &str,
        patch: &Value,
    ) -> Result<Value, ApiError> {
        let request = Request::new(path(kind, namespace)).patch_subresource(
            "status",
            name,
            &PatchParams::default(),
            &Patch::Merge(patch),
        );
        self.send("patch status of", kind, namespace, name, request).await
    }

    /// Deletes exactly the object with this uid; one that is gone or another one by that name counts as done.
    ///
    /// # Errors
    /// Any other refusal, or no answer.
    pub async fn delete(
        &self,
        kind: Kind,
        namespace: &str,
        object: &Value,
        at_once: bool,
    ) -> Result<(), ApiError> {
        let name = crate::json::name(object);
        let params = DeleteParams {
            grace_period_seconds: at_once.then_some(0),
            preconditions: Some(Preconditions {
                uid: Some(crate::json::uid(object).to_owned()),
                resource_version: None,
            }),
            ..DeleteParams::default()
        };
        let request = Request::new(path(kind, namespace)).delete(name, &params);
        match self.send("delete", kind, namespace, name, request).await {
            Err(error) if !matches!(error.code(), Some(404 | 409)) => Err(error),
            _ => Ok(()),
        }
    }

    async fn send(
        &self,
        verb: &'static str,
        kind: Kind,
        namespace: &str,
        name: &str,
        request: Result<http::Request<Vec<u8>>, kube::core::request::Error>,
    ) -> Result<Value, ApiError> {
        let what = || format!("{} {namespace}/{name}", kind.plural);
        let refused = |source: kube::Error| ApiError::Refused {
            plane: self.plane.clone(),
            verb,
            what: what(),
            source: Box::new(source),
        };
        let request = request.map_err(|error| refused(kube::Error::BuildRequest(error)))?;
        match tokio::time::timeout(DEADLINE, self.client.request::<Value>(request)).await {
            Ok(answer) => answer.map_err(refused),
            Err(_) => Err(ApiError::Silent {
                plane: self.plane.clone(),
                verb,
                what: what(),
            }),
        }
    }
}

fn path(kind: Kind, namespace: &str) -> String {
    format!("{}/namespaces/{namespace}/{}", kind.root, kind.plural)
}
