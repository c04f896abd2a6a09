//! Reads of a plane that are made now, and say what they prove.

use api::seen::{Absence, PlaneId, Seen, Unknown};
use kube::Resource;
use kube::core::Request;
use kube::core::params::{GetParams, ListParams};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::plane::Plane;
use crate::quote::quote_to;
use crate::trouble::{explain, names_an_object, plane_named, reasons, unknown};

/// Objects per page of a live list.
const PAGE: u32 = 500;

impl<C> Plane<C> {
    /// Reads an object live and then asks who answered, so that the answer is that of the plane with id `expected`
    /// (of whatever plane this is, without `expected`).
    ///
    /// `Absent` only for a `NotFound` that names kind and object; a kind that the server does not know is `Unknown`.
    pub async fn read<K>(&self, namespace: &str, name: &str, expected: Option<&PlaneId>) -> Seen<K>
    where
        K: Resource<DynamicType = ()> + DeserializeOwned,
    {
        let what = format!("{} {namespace}/{name}", K::kind(&()));
        let answer = self.get::<K>(namespace, name).await;
        let absent = matches!(&answer, Err(kube::Error::Api(status)) if is_not_found::<K>(status, name));
        let object = match answer {
            Ok(text) => match self.decode::<K>(&text, &what, namespace, name) {
                Ok(object) => Some(object),
                Err(unknown) => return Seen::Unknown(unknown),
            },
            Err(_) if absent => None,
            Err(error) => return Seen::Unknown(explain(self.context(), &what, &K::group(&()), &error)),
        };
        match (self.who(namespace, expected).await, object) {
            (Err(unknown), _) => Seen::Unknown(unknown),
            (Ok(_), Some(object)) => Seen::Present(object),
            (Ok(plane), None) => Seen::Absent(Absence {
                plane,
                kind: K::kind(&()).into_owned(),
                namespace: namespace.to_owned(),
                name: name.to_owned(),
            }),
        }
    }

    /// Lists live what carries these labels (`""` = all), in one namespace or all, and then asks who answered.
    ///
    /// # Errors
    /// Whatever makes the list incomplete or of another plane. A kind that the server does not know is an error.
    pub async fn list_live<K>(
        &self,
        namespace: Option<&str>,
        labels: &str,
        expected: Option<&PlaneId>,
    ) -> Result<Vec<K>, Unknown>
    where
        K: Resource<DynamicType = ()> + DeserializeOwned,
    {
        let what = K::plural(&());
        let explained = |error| explain(self.context(), &what, &K::group(&()), &error);
        let found = self.pages::<K>(namespace, labels).await.map_err(explained)?;
        self.checked(namespace, found, expected).await
    }

    /// The same of a kind that a server may well not know: then there is nothing of it.
    ///
    /// # Errors
    /// Whatever else makes the list incomplete or of another plane.
    pub async fn list_live_if_known<K>(
        &self,
        namespace: Option<&str>,
        labels: &str,
        expected: Option<&PlaneId>,
    ) -> Result<Vec<K>, Unknown>
    where
        K: Resource<DynamicType = ()> + DeserializeOwned,
    {
        let found = match self.pages::<K>(namespace, labels).await {
            Err(kube::Error::Api(status)) if status.code == 404 => Vec::new(),
            Err(error) => return Err(explain(self.context(), &K::plural(&()), &K::group(&()), &error)),
            Ok(found) => found,
        };
        self.checked(namespace, found, expected).await
    }

    /// What was listed, if it is of that namespace and of that plane and not too much.
    async fn checked<K>(
        &self,
        namespace: Option<&str>,
        found: Vec<K>,
        expected: Option<&PlaneId>,
    ) -> Result<Vec<K>, Unknown>
    where
        K: Resource<DynamicType = ()>,
    {
        let (plane, what) = (plane_named(self.context()), K::plural(&()));
        let is_stray =
            |object: &K| namespace.is_some_and(|it| object.meta().namespace.as_deref() != Some(it));
        let trouble = if found.len() > self.listed {
            format!("{plane} lists more than {} {what}.", self.listed)
        } else if found.iter().any(is_stray) {
            format!("{plane} lists {what} of other namespaces than asked for.")
        } else {
            self.who(namespace.unwrap_or("kube-system"), expected).await?;
            return Ok(found);
        };
        Err(unknown(self.context(), reasons::OBJECT_UNREADABLE, trouble))
    }

    /// Version of the API server, e.g. `v1.35.4`.
    ///
    /// # Errors
    /// If the plane does not answer, or not as an API server.
    pub async fn server_version(&self) -> Result<String, Unknown> {
        #[derive(Deserialize)]
        struct Version {
            #[serde(rename = "gitVersion")]
            git_version: String,
        }
        let what = "its version";
        let asked = async {
            let request = http::Request::get("/version")
                .body(Vec::new())
                .map_err(kube::Error::HttpError)?;
            let text = self.link.requests.request_text(request).await?;
            serde_json::from_str::<Version>(&text).map_err(kube::Error::SerdeError)
        };
        let version = asked
            .await
            .map_err(|error| explain(self.context(), what, "", &error))?;
        Ok(quote_to(&version.git_version, 63))
    }

    async fn get<K: Resource<DynamicType = ()>>(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<String, kube::Error> {
        let path = K::url_path(&(), Some(namespace).filter(|namespace| !namespace.is_empty()));
        let request = Request::new(path)
            .get(name, &GetParams::default())
            .map_err(kube::Error::BuildRequest)?;
        self.link.requests.request_text(request).await
    }

    /// The object, if it is the one that was asked for.
    fn decode<K>(&self, text: &str, what: &str, namespace: &str, name: &str) -> Result<K, Unknown>
    where
        K: Resource<DynamicType = ()> + DeserializeOwned,
    {
        let object = serde_json::from_str::<K>(text).ok().filter(|object| {
            let meta = object.meta();
            meta.name.as_deref() == Some(name)
                && meta.namespace.as_deref().unwrap_or_default() == namespace
                && meta.uid.as_ref().is_some_and(|uid| !uid.is_empty())
                && meta
                    .resource_version
                    .as_ref()
                    .is_some_and(|version| !version.is_empty())
        });
        object.ok_or_else(|| {
            let message = format!(
                "{} answered on {what} with something else.",
                plane_named(self.context())
            );
            unknown(self.context(), reasons::OBJECT_UNREADABLE, message)
        })
    }

    /// All pages, or those that are already more than we take.
    async fn pages<K>(&self, namespace: Option<&str>, labels: &str) -> Result<Vec<K>, kube::Error>
    where
        K: Resource<DynamicType = ()> + DeserializeOwned,
    {
        let mut params = ListParams::default().labels(labels).limit(PAGE);
        let mut found = Vec::new();
        while found.len() <= self.listed {
            let page = self.page::<K>(namespace, &params).await?;
            found.extend(page.items);
            match page.metadata.next.filter(|next| !next.is_empty()) {
                Some(next) => params.continue_token = Some(next),
                None => break,
            }
        }
        Ok(found)
    }

    async fn page<K>(&self, namespace: Option<&str>, params: &ListParams) -> Result<Page<K>, kube::Error>
    where
        K: Resource<DynamicType = ()> + DeserializeOwned,
    {
        let request = Request::new(K::url_path(&(), namespace))
            .list(params)
            .map_err(kube::Error::BuildRequest)?;
        let text = self.link.requests.request_text(request).await?;
        serde_json::from_str::<Page<K>>(&text).map_err(kube::Error::SerdeError)
    }
}

/// A `NotFound` about this very object: API servers put the plural name of the kind into `details.kind`.
fn is_not_found<K: Resource<DynamicType = ()>>(status: &kube::core::Status, name: &str) -> bool {
    let about_it = status.details.as_ref().is_some_and(|details| {
        details.name == name
            && (details.kind == K::plural(&()) || details.kind == K::kind(&()))
            && (details.group.is_empty() || details.group == K::group(&()))
    });
    status.code == 404 && status.reason == "NotFound" && names_an_object(status) && about_it
}

#[derive(Deserialize)]
struct Page<K> {
    metadata: PageMetadata,
    items: Vec<K>,
}

#[derive(Deserialize)]
struct PageMetadata {
    #[serde(default, rename = "continue")]
    next: Option<String>,
}
