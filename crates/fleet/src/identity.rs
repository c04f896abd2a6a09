//! Who answers: the UID of namespace `kube-system`, or, for credentials that may not read that, of `ConfigMap`
//! `kube-root-ca.crt` in a namespace.

use api::seen::PlaneId;
use kube::Client;
use serde::Deserialize;

use crate::trouble::names_an_object;

const NAMESPACE: &str = "/api/v1/namespaces/kube-system";

/// What `kube-system` says.
#[derive(Debug)]
pub(crate) enum Strong {
    /// The plane is this one.
    Id(PlaneId),
    /// The plane answers, and our credentials may not read the namespace.
    NotReadable,
}

/// Asks for the UID of `kube-system`.
pub(crate) async fn strong(client: &Client) -> Result<Strong, kube::Error> {
    match uid(client, NAMESPACE).await {
        Ok(Some(uid)) => Ok(Strong::Id(PlaneId(uid))),
        Ok(None) => Ok(Strong::NotReadable),
        Err(kube::Error::Api(status))
            if status.code == 403 || (status.code == 404 && names_an_object(&status)) =>
        {
            Ok(Strong::NotReadable)
        }
        Err(error) => Err(error),
    }
}

/// Asks for the id of the weak form, `cm:<namespace>:<uid>`; `None` if the `ConfigMap` has no UID.
pub(crate) async fn weak(client: &Client, namespace: &str) -> Result<Option<PlaneId>, kube::Error> {
    let path = format!("/api/v1/namespaces/{namespace}/configmaps/kube-root-ca.crt");
    Ok(uid(client, &path)
        .await?
        .map(|uid| PlaneId(format!("cm:{namespace}:{uid}"))))
}

/// The namespace that an id of the weak form is about.
pub(crate) fn weak_namespace(id: &PlaneId) -> Option<&str> {
    id.0.strip_prefix("cm:")?
        .split_once(':')
        .map(|(namespace, _)| namespace)
}

async fn uid(client: &Client, path: &str) -> Result<Option<String>, kube::Error> {
    #[derive(Deserialize)]
    struct Identified {
        metadata: Metadata,
    }
    #[derive(Deserialize)]
    struct Metadata {
        #[serde(default)]
        uid: String,
    }
    let request = http::Request::get(path)
        .body(Vec::new())
        .map_err(kube::Error::HttpError)?;
    let text = client.request_text(request).await?;
    let object: Identified = serde_json::from_str(&text).map_err(kube::Error::SerdeError)?;
    Ok(Some(object.metadata.uid).filter(|uid| !uid.is_empty() && uid.len() <= 128))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weak_id_names_its_namespace() {
        assert_eq!(weak_namespace(&PlaneId("cm:db:1-2".to_owned())), Some("db"));
        assert_eq!(weak_namespace(&PlaneId("1-2".to_owned())), None);
    }
}
