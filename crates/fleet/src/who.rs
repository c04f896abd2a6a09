//! Whether the plane that answers is the one that is meant.

use api::seen::{PlaneId, SamePlane, Unknown};

use crate::identity::{self, Strong, weak_namespace};
use crate::plane::Plane;
use crate::trouble::{explain, plane_named, reasons, unknown};

impl<C> Plane<C> {
    /// Who answers, and whether that is who is expected.
    pub(crate) async fn who(&self, namespace: &str, expected: Option<&PlaneId>) -> Result<PlaneId, Unknown> {
        let client = &self.link.requests;
        let failed = |error: kube::Error| explain(self.context(), "who it is", "", &error);
        let strong = match expected.and_then(weak_namespace) {
            Some(_) => Strong::NotReadable,
            None => identity::strong(client).await.map_err(failed)?,
        };
        let id = match strong {
            Strong::Id(id) => {
                if self.id().is_some_and(|known| known != id) {
                    self.link.pulse.suspect();
                }
                Some(id)
            }
            Strong::NotReadable => {
                let namespace = expected.and_then(weak_namespace).unwrap_or(namespace);
                match identity::weak(client, namespace).await {
                    Ok(id) => id,
                    Err(kube::Error::Api(status)) if matches!(status.code, 403 | 404) => None,
                    Err(error) => return Err(failed(error)),
                }
            }
        };
        let plane = plane_named(self.context());
        let Some(id) = id else {
            let message = format!(
                "It is not known which cluster {plane} is. Let its credentials get namespace kube-system, or ConfigMap kube-root-ca.crt in {namespace}."
            );
            return Err(unknown(self.context(), reasons::IDENTITY_UNKNOWN, message));
        };
        match expected.map_or(SamePlane::Yes, |expected| id.compare(expected)) {
            SamePlane::Yes => Ok(id),
            SamePlane::No => {
                let message = format!(
                    "{plane} is now another cluster than the recorded one. Give the context back to that one."
                );
                Err(unknown(self.context(), reasons::IDENTITY_CHANGED, message))
            }
            SamePlane::Unknown => {
                let message = format!(
                    "It is not known whether {plane} is still the recorded cluster: its id has another form or ConfigMap kube-root-ca.crt was made anew. Let its credentials get namespace kube-system."
                );
                Err(unknown(self.context(), reasons::IDENTITY_UNKNOWN, message))
            }
        }
    }
}
