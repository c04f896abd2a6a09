//! Documents go to the server as they are, and what it refuses comes back as a list.

use anyhow::Context;
use e2e::ApiServer;
use http::{Method, Request};
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client, ResourceExt};
use serde_json::{Value, json};

/// What the server made of a document, or why it refused it: one `field: message` for each reason.
pub type Answer = Result<Value, Vec<String>>;

/// An administrator who sends values, not types: a type would drop what it does not know before the server could.
pub struct Requests {
    client: Client,
}

impl Requests {
    pub fn to(server: &ApiServer) -> Self {
        Self {
            client: server.client(),
        }
    }

    /// A new namespace, so that every document keeps its name.
    pub async fn namespace(&self) -> anyhow::Result<String> {
        let namespace = Namespace {
            metadata: ObjectMeta {
                generate_name: Some("case-".to_owned()),
                ..ObjectMeta::default()
            },
            ..Namespace::default()
        };
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        Ok(namespaces
            .create(&PostParams::default(), &namespace)
            .await?
            .name_any())
    }

    /// POST. A field that the definition does not know is an error.
    pub async fn create(&self, cluster: &Value, namespace: &str) -> anyhow::Result<Answer> {
        self.post(cluster, namespace, "?fieldValidation=Strict").await
    }

    /// POST as the usual tools send it: a field that the definition does not know is dropped.
    pub async fn create_as_a_user(&self, cluster: &Value, namespace: &str) -> anyhow::Result<Answer> {
        self.post(cluster, namespace, "").await
    }

    /// What POST would answer now; nothing is stored.
    pub async fn would_create(&self, cluster: &Value, namespace: &str) -> anyhow::Result<Answer> {
        self.post(cluster, namespace, "?dryRun=All").await
    }

    async fn post(&self, cluster: &Value, namespace: &str, query: &str) -> anyhow::Result<Answer> {
        let path = format!("{}{query}", collection(namespace));
        self.send(Method::POST, &path, cluster).await
    }

    /// PUT of a whole object, at the version that is stored.
    pub async fn replace(&self, cluster: &Value, namespace: &str) -> anyhow::Result<Answer> {
        let mut cluster = cluster.clone();
        let stored = self.read(&cluster, namespace).await?;
        cluster["metadata"]["resourceVersion"] = stored["metadata"]["resourceVersion"].clone();
        let path = format!("{}?fieldValidation=Strict", one(&cluster, namespace)?);
        self.send(Method::PUT, &path, &cluster).await
    }

    pub async fn read(&self, cluster: &Value, namespace: &str) -> anyhow::Result<Value> {
        let request = Request::get(one(cluster, namespace)?).body(Vec::new())?;
        Ok(self.client.request(request).await?)
    }

    /// Merge patch of the object, or of a subresource such as `/status`.
    pub async fn patch(
        &self,
        cluster: &Value,
        namespace: &str,
        subresource: &str,
        patch: &Value,
    ) -> anyhow::Result<Answer> {
        let target = format!("{}{subresource}", one(cluster, namespace)?);
        self.send(Method::PATCH, &target, patch).await
    }

    pub async fn delete(&self, cluster: &Value, namespace: &str) -> anyhow::Result<Answer> {
        let path = one(cluster, namespace)?;
        self.send(Method::DELETE, &path, &json!({})).await
    }

    /// Whether it is gone.
    pub async fn is_absent(&self, cluster: &Value, namespace: &str) -> anyhow::Result<bool> {
        let request = Request::get(one(cluster, namespace)?).body(Vec::new())?;
        match self.client.request::<Value>(request).await {
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(true),
            answer => answer.map(|_| false).map_err(Into::into),
        }
    }

    async fn send(&self, method: Method, path: &str, body: &Value) -> anyhow::Result<Answer> {
        let kind = if method == Method::PATCH {
            "application/merge-patch+json"
        } else {
            "application/json"
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", kind);
        match self
            .client
            .request(request.body(serde_json::to_vec(body)?)?)
            .await
        {
            Ok(stored) => Ok(Ok(stored)),
            // 400 is what strict decoding answers.
            Err(kube::Error::Api(status)) if [400, 422].contains(&status.code) => Ok(Err(reasons(&status))),
            Err(error) => Err(error).with_context(|| path.to_owned()),
        }
    }
}

fn reasons(status: &kube::core::Status) -> Vec<String> {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    let mut reasons: Vec<_> = causes
        .map(|cause| format!("{}: {}", cause.field, cause.message))
        // Stands beside every refusal by the schema, because rules are only asked after it.
        .filter(|reason| !reason.contains("some validation rules were not checked"))
        .collect();
    if reasons.is_empty() {
        reasons.push(status.message.clone());
    }
    reasons
}

fn collection(namespace: &str) -> String {
    format!("/apis/k8ssandra.io/v1alpha1/namespaces/{namespace}/k8ssandraclusters")
}

fn one(cluster: &Value, namespace: &str) -> anyhow::Result<String> {
    let name = cluster["metadata"]["name"]
        .as_str()
        .context("a cluster without a name")?;
    Ok(format!("{}/{name}", collection(namespace)))
}

/// A K8ssandraCluster `demo` with that spec.
pub fn cluster(spec: &Value) -> Value {
    json!({
        "apiVersion": "k8ssandra.io/v1alpha1",
        "kind": "K8ssandraCluster",
        "metadata": {"name": "demo"},
        "spec": spec,
    })
}
