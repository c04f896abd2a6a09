//! One plane: its client, its identity and its health.

use api::seen::{PlaneId, Unknown};
use k8s_openapi::jiff::Timestamp;
use kube::Client;

use crate::health::Health;
use crate::link::PlaneLink;

/// A Kubernetes cluster, with the caches that a controller keeps of it.
pub struct Plane<C> {
    /// What `engage` made.
    pub caches: C,
    pub(crate) link: PlaneLink,
    host: String,
    expires: Option<Timestamp>,
    pub(crate) listed: usize,
}

impl<C> Plane<C> {
    pub(crate) fn new(
        caches: C,
        link: PlaneLink,
        host: String,
        expires: Option<Timestamp>,
        listed: usize,
    ) -> Self {
        Self {
            caches,
            link,
            host,
            expires,
            listed,
        }
    }

    /// Name of the context; empty for the control plane itself.
    #[must_use]
    pub fn context(&self) -> &str {
        &self.link.context
    }

    /// A client for requests: guarded, without retries, HTTP/2 where the server has it.
    #[must_use]
    pub fn client(&self) -> Client {
        self.link.requests.clone()
    }

    /// Host and port of the API server; empty for the control plane itself.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// When the first of the credentials ends, if they say so.
    #[must_use]
    pub fn expires(&self) -> Option<Timestamp> {
        self.expires
    }

    /// UID of `kube-system`; `None` until the plane answered, and with credentials that may not read it.
    #[must_use]
    pub fn id(&self) -> Option<PlaneId> {
        self.link.pulse.id()
    }

    /// Whether the plane answers.
    #[must_use]
    pub fn health(&self) -> Health {
        self.link.pulse.health()
    }

    pub(crate) fn link(&self) -> &PlaneLink {
        &self.link
    }

    /// The id that this plane has for objects in a namespace: [`Plane::id`], or read live in the weaker form.
    ///
    /// # Errors
    /// If the plane does not answer, or neither form can be read.
    pub async fn id_in(&self, namespace: &str) -> Result<PlaneId, Unknown> {
        match self.id() {
            Some(id) => Ok(id),
            None => self.who(namespace, None).await,
        }
    }
}
