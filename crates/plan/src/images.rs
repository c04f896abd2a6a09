//! Which images are run: what an installation's ImageConfig says, else what is shipped.
//!
//! An image comes in parts. Its own entry counts most, then the defaults; what the installation overrides goes over
//! both, and what a cluster says of an add-on's image over all of it.

use std::collections::BTreeMap;

use api::k8ssandra_cluster::addons::ContainerImage;
use serde::Deserialize;
use serde_json::Value;

/// Version of the document.
pub const API_VERSION: &str = "config.k8ssandra.io/v1beta2";
/// Kind of the document.
pub const KIND: &str = "ImageConfig";
/// Key of the ConfigMap that holds it.
pub const KEY: &str = "image_config.yaml";

/// Medusa, both of its containers.
pub const MEDUSA: &str = "medusa";
/// What merges the configuration of single nodes: it has `yq` and a shell.
pub const CLIENT: &str = "k8ssandra-client";

/// What upstream's installation has where nobody configures anything: name, repository, tag.
const SHIPPED: [(&str, &str, &str); 2] = [(MEDUSA, "k8ssandra", "0.29.1"), (CLIENT, "k8ssandra", "v0.8.12")];

/// One image, in parts. An empty part is not there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Image {
    /// Where it comes from.
    pub registry: String,
    /// Its folder there.
    pub repository: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub tag: String,
    /// Its content; counts more than the version.
    pub digest: String,
    /// When it is pulled; empty leaves it to Kubernetes.
    pub pull_policy: String,
    /// Secret that it is pulled with.
    pub pull_secret: String,
}

/// What holds for all images.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Defaults {
    registry: String,
    repository: String,
    pull_policy: String,
    pull_secrets: Vec<String>,
}

/// What takes the place of what images say themselves. A part that is not there replaces nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Overrides {
    registry: Option<String>,
    repository: Option<String>,
    pull_policy: Option<String>,
    pull_secrets: Option<Vec<String>>,
}

/// The images of an installation.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageConfig {
    #[serde(default)]
    images: BTreeMap<String, Image>,
    #[serde(default)]
    defaults: Defaults,
    #[serde(default)]
    overrides: Overrides,
}

impl Default for ImageConfig {
    /// What is shipped.
    fn default() -> Self {
        Self {
            images: SHIPPED.map(|(name, ..)| (name.to_owned(), shipped(name))).into(),
            defaults: Defaults {
                registry: "docker.io".to_owned(),
                pull_policy: "IfNotPresent".to_owned(),
                ..Defaults::default()
            },
            overrides: Overrides::default(),
        }
    }
}

/// A shipped entry; an empty one where there is none.
fn shipped(name: &str) -> Image {
    let found = SHIPPED.iter().find(|(known, ..)| *known == name);
    found.map_or_else(Image::default, |(name, repository, tag)| Image {
        repository: (*repository).to_owned(),
        name: (*name).to_owned(),
        tag: (*tag).to_owned(),
        ..Image::default()
    })
}

impl ImageConfig {
    /// Reads the document.
    ///
    /// # Errors
    ///
    /// What is wrong with it, for people: another version or kind, or a part of another type.
    pub fn read(document: &Value) -> Result<Self, String> {
        for (field, expected) in [("apiVersion", API_VERSION), ("kind", KIND)] {
            if document[field].as_str() != Some(expected) {
                return Err(format!("{field} is {}, not {expected}", document[field]));
            }
        }
        Self::deserialize(document).map_err(|error| error.to_string())
    }

    /// One image, before a cluster says anything of it. One that the installation does not name is the shipped one.
    #[must_use]
    pub fn image(&self, name: &str) -> Image {
        let mut image = self.images.get(name).cloned().unwrap_or_else(|| shipped(name));
        let (defaults, overrides) = (&self.defaults, &self.overrides);
        fill(&mut image.registry, Some(&defaults.registry));
        fill(&mut image.repository, Some(&defaults.repository));
        fill(&mut image.pull_policy, Some(&defaults.pull_policy));
        fill(&mut image.pull_secret, defaults.pull_secrets.first());
        replace(&mut image.registry, overrides.registry.as_deref());
        replace(&mut image.pull_policy, overrides.pull_policy.as_deref());
        if let Some(repository) = &overrides.repository {
            image.repository.clone_from(repository);
        }
        image
    }

    /// Secrets that one image is pulled with: those that the installation puts over all, else its own, else those of
    /// all.
    #[must_use]
    pub fn pull_secrets(&self, name: &str) -> Vec<String> {
        let own = self.images.get(name).map(|image| &image.pull_secret);
        match (&self.overrides.pull_secrets, own.filter(|own| !own.is_empty())) {
            (Some(secrets), _) => secrets.clone(),
            (None, Some(own)) => vec![own.clone()],
            (None, None) => self.defaults.pull_secrets.clone(),
        }
    }
}

fn fill(part: &mut String, with: Option<&String>) {
    if part.is_empty() {
        part.push_str(with.map_or("", String::as_str));
    }
}

fn replace(part: &mut String, with: Option<&str>) {
    if let Some(with) = with.filter(|with| !with.is_empty()) {
        with.clone_into(part);
    }
}

impl Image {
    /// With what a cluster says of it. Who gives an image without a tag gets `latest`: the schema fills it in.
    #[must_use]
    pub fn with(mut self, given: Option<&ContainerImage>) -> Self {
        let Some(given) = given else {
            return self;
        };
        replace(&mut self.registry, given.registry.as_deref());
        replace(&mut self.repository, given.repository.as_deref());
        replace(&mut self.name, given.name.as_deref());
        replace(&mut self.pull_policy, given.pull_policy.as_deref());
        replace(&mut self.tag, Some(given.tag.as_deref().unwrap_or("latest")));
        if given.tag.as_ref().is_none_or(|tag| !tag.is_empty()) {
            // A digest is that of another image now.
            self.digest.clear();
        }
        let secret = given.pull_secret_ref.as_ref();
        replace(
            &mut self.pull_secret,
            secret.map(|reference| reference.name.as_str()),
        );
        self
    }

    /// As a container names it.
    #[must_use]
    pub fn text(&self) -> String {
        let folders = [&self.registry, &self.repository]
            .into_iter()
            .filter(|part| !part.is_empty());
        let path: Vec<&str> = folders.chain([&self.name]).map(String::as_str).collect();
        let path = path.join("/");
        if !self.digest.is_empty() {
            return format!("{path}@{}", self.digest);
        }
        match self.tag.as_str() {
            "" => path,
            tag if tag.contains(':') => format!("{path}@{tag}"),
            tag => format!("{path}:{tag}"),
        }
    }
}

#[cfg(test)]
mod tests;
