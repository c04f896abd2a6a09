//! P9: what is in a Secret is nowhere but in that Secret and in the copies that are wanted of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde_json::Value;

use super::secret_copies;
use super::sight::{Look, REPLICATED, Sight, label, text};
use crate::world::CONTROL_PLANE;

/// Shorter values are words that stand elsewhere too.
const SHORTEST: usize = 10;

/// Where a Secret is: plane, namespace, name.
type Place = (String, String, String);

/// The secret values that were ever seen, each with the Secrets that it came from, as they were last.
#[derive(Default)]
pub(super) struct Canaries {
    known: BTreeMap<Vec<u8>, Canary>,
}

/// One secret value.
#[derive(Default)]
struct Canary {
    sources: BTreeMap<Place, Arc<Value>>,
    forms: Vec<String>,
}

impl Canaries {
    /// Takes notice of a Secret that is no copy.
    pub fn learn(&mut self, plane: &str, secret: &Arc<Value>) {
        for value in values(secret) {
            let canary = self.known.entry(value.clone()).or_insert_with(|| Canary {
                sources: BTreeMap::new(),
                forms: forms(&value),
            });
            canary.sources.insert(place(plane, secret), Arc::clone(secret));
        }
    }

    /// What a write gives away.
    pub fn check(&mut self, sight: &Sight<'_>) -> Vec<String> {
        if sight.write.plural == "secrets" {
            return self.secret(sight);
        }
        if sight.program().is_none() {
            return Vec::new();
        }
        self.quoted(&said(sight))
            .map(|of| format!("P9: it quotes Secret {of}"))
            .into_iter()
            .collect()
    }

    /// The Secret that a text quotes, plainly or in base64 or hexadecimal.
    pub fn quoted(&self, said: &str) -> Option<String> {
        let mut known = self.known.values();
        let quoted = known.find(|canary| canary.forms.iter().any(|form| said.contains(form.as_str())))?;
        let (_, namespace, name) = quoted.sources.keys().next()?;
        Some(format!("{namespace}/{name}"))
    }

    fn secret(&mut self, sight: &Sight<'_>) -> Vec<String> {
        let Some(after) = &sight.write.after else {
            return Vec::new();
        };
        let is_copy = !label(after, api::names::label::REPLICATED_SECRET_NAME).is_empty();
        let mut broken = Vec::new();
        if sight.program().is_some() {
            let here = place(sight.plane, after);
            for value in values(after) {
                let Some(canary) = self.known.get(&value) else {
                    if is_copy {
                        broken.push("P9: it is a copy of what no Secret has".to_owned());
                    }
                    continue;
                };
                if !canary.may_be(sight.look, &here) {
                    let of: Vec<_> = canary
                        .sources
                        .keys()
                        .map(|(_, namespace, name)| format!("{namespace}/{name}"))
                        .collect();
                    broken.push(format!("P9: what is in Secret {} is not for here", of.join(", ")));
                }
            }
            let metadata = after["metadata"].to_string();
            broken.extend(
                self.quoted(&metadata)
                    .map(|of| format!("P9: its metadata quote Secret {of}")),
            );
        }
        if !is_copy && broken.is_empty() {
            self.learn(sight.plane, after);
        }
        broken
    }
}

impl Canary {
    /// Whether a ReplicatedSecret wants the value there, or it came from there.
    fn may_be(&self, look: &dyn Look, here: &Place) -> bool {
        let (plane, namespace, _) = here;
        let replicated = look.all(CONTROL_PLANE, REPLICATED);
        let wanted = |source: &Value| {
            replicated
                .iter()
                .any(|it| secret_copies::wants(it, source, plane, namespace))
        };
        let sources = self.sources.iter();
        self.sources.contains_key(here)
            || sources
                .filter(|(place, _)| place.0 == CONTROL_PLANE)
                .any(|(_, source)| wanted(source))
    }
}

fn place(plane: &str, secret: &Value) -> Place {
    let (namespace, name) = (
        text(secret, "/metadata/namespace"),
        text(secret, "/metadata/name"),
    );
    (plane.to_owned(), namespace.to_owned(), name.to_owned())
}

/// The values of a Secret that are worth keeping secret. Of a kubeconfig its token too.
fn values(secret: &Value) -> Vec<Vec<u8>> {
    let data = secret["data"].as_object().into_iter().flatten();
    let values = data.filter(|(key, _)| *key != "username");
    let decoded = values.filter_map(|(_, value)| STANDARD.decode(value.as_str()?).ok());
    let all = decoded.flat_map(|value| {
        let kubeconfig: Value = serde_json::from_slice(&value).unwrap_or_default();
        let token = text(&kubeconfig, "/users/0/user/token").as_bytes().to_vec();
        [value, token]
    });
    all.filter(|value| value.len() >= SHORTEST).collect()
}

/// What a write says, but for the passwords of stores at the places where Cassandra is told of them: cass-operator takes
/// them from there.
fn said(sight: &Sight<'_>) -> String {
    let body = String::from_utf8_lossy(&sight.write.body);
    let whole = || serde_json::from_str::<Value>(&body).ok();
    let tells = sight.program() == Some("cluster-reconciler") && sight.write.plural == "cassandradatacenters";
    match whole().filter(|_| tells) {
        Some(mut body) => {
            for peer in ["client", "server"] {
                let pointer = format!("/spec/config/cassandra-yaml/{peer}_encryption_options");
                if let Some(Value::Object(options)) = body.pointer_mut(&pointer) {
                    options.retain(|key, _| !key.ends_with("_password"));
                }
            }
            let options = body.pointer_mut("/spec/config/cassandra-env-sh/additional-jvm-opts");
            if let Some(Value::Array(options)) = options {
                options.retain(|it| !text(it, "").starts_with("-Djavax.net.ssl."));
            }
            body.to_string()
        }
        None => body.into_owned(),
    }
}

/// How a value may be written down.
fn forms(value: &[u8]) -> Vec<String> {
    let digits = value.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let hex: String = digits
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect();
    let plain = String::from_utf8(value.to_vec()).ok();
    // Without its padding a base64 text is found in longer ones, too.
    let bare = |text: String| text.trim_end_matches('=').to_owned();
    let mut forms = vec![hex, bare(STANDARD.encode(value)), bare(URL_SAFE.encode(value))];
    forms.extend(plain);
    forms.sort();
    forms.dedup();
    forms
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::fixtures::{Planes, write};
    use super::*;

    const PASSWORD: &str = "a-rather-long-password";

    fn secret(namespace: &str, password: &str, copy: bool) -> Value {
        let labels = if copy {
            json!({"k8ssandra.io/replicated-secret-name": "db.demo"})
        } else {
            json!({"a": "b"})
        };
        json!({
            "metadata": {"name": "demo-superuser", "namespace": namespace, "labels": labels},
            "data": {"username": STANDARD.encode("demo-superuser"), "password": STANDARD.encode(password)},
        })
    }

    fn known() -> Canaries {
        let mut canaries = Canaries::default();
        canaries.learn(CONTROL_PLANE, &Arc::new(secret("db", PASSWORD, false)));
        canaries
    }

    fn planes() -> Planes {
        let replicated = json!({
            "metadata": {"name": "demo", "namespace": "db"},
            "spec": {"selector": {"matchLabels": {"a": "b"}}, "replicationTargets": [{"k8sContextName": "east"}]},
        });
        Planes::default().with(CONTROL_PLANE, REPLICATED, &replicated)
    }

    fn copied(plane: &str, secret: Value) -> Vec<String> {
        let asked = write("secret-replicator", "create", "secrets", None, Some(secret));
        known().check(&Sight::of(plane, &asked, &planes()))
    }

    #[test]
    fn a_copy_is_made_where_it_is_wanted_and_nowhere_else() {
        assert_eq!(copied("east", secret("db", PASSWORD, true)), [""; 0]);
        for (plane, namespace) in [("west", "db"), ("east", "other")] {
            assert_eq!(
                copied(plane, secret(namespace, PASSWORD, true)),
                ["P9: what is in Secret db/demo-superuser is not for here"]
            );
        }
    }

    #[test]
    fn a_copy_has_what_its_source_has_or_had() {
        assert_eq!(
            copied("east", secret("db", "a-password-of-nobody", true)),
            ["P9: it is a copy of what no Secret has"]
        );
        let mut canaries = known();
        canaries.learn(CONTROL_PLANE, &Arc::new(secret("db", "the-next-password", false)));
        let asked = write(
            "secret-replicator",
            "patch",
            "secrets",
            None,
            Some(secret("db", PASSWORD, true)),
        );
        assert_eq!(canaries.check(&Sight::of("east", &asked, &planes())), [""; 0]);
    }

    #[test]
    fn cassandra_is_told_passwords_of_stores_at_their_places_alone() {
        let datacenter = |place: &str, annotation: &str| {
            let mut object = json!({
                "metadata": {"annotations": {"a": annotation}},
                "spec": {"config": {
                    "cassandra-yaml": {"server_encryption_options": {"keystore_password": PASSWORD}},
                    "cassandra-env-sh": {"additional-jvm-opts": [format!("-Djavax.net.ssl.keyStorePassword={PASSWORD}")]},
                }},
            });
            object["spec"]["config"]["cassandra-yaml"][place] = json!(PASSWORD);
            object
        };
        let told = |program: &str, place: &str, annotation: &str| {
            let object = datacenter(place, annotation);
            let asked = write(program, "create", "cassandradatacenters", None, Some(object));
            known().check(&Sight::of("east", &asked, &planes())).len()
        };
        let mut right = datacenter("x", "");
        right["spec"]["config"]["cassandra-yaml"]["x"].take();
        let asked = write(
            "cluster-reconciler",
            "create",
            "cassandradatacenters",
            None,
            Some(right),
        );
        assert_eq!(known().check(&Sight::of("east", &asked, &planes())), [""; 0]);
        assert_eq!(told("cluster-reconciler", "comment", ""), 1);
        assert_eq!(told("topology-reconciler", "comment", ""), 1);
    }

    #[test]
    fn no_other_object_quotes_a_secret() {
        let hex = "612d7261746865722d6c6f6e672d70617373776f7264".to_owned();
        for quote in [PASSWORD.to_owned(), STANDARD.encode(PASSWORD), hex] {
            let event = json!({"note": format!("cannot use {quote}")});
            let asked = write("cluster-reconciler", "create", "events", None, Some(event));
            let said = known().check(&Sight::of(CONTROL_PLANE, &asked, &planes()));
            assert_eq!(said, ["P9: it quotes Secret db/demo-superuser"], "{quote}");
        }
        let event = json!({"note": "Secret demo-superuser is made"});
        let asked = write("cluster-reconciler", "create", "events", None, Some(event));
        assert_eq!(
            known().check(&Sight::of(CONTROL_PLANE, &asked, &planes())),
            [""; 0]
        );
    }

    #[test]
    fn the_metadata_of_a_copy_do_not_quote_it() {
        let mut copy = secret("db", PASSWORD, true);
        copy["metadata"]["annotations"] = json!({"last-applied": STANDARD.encode(PASSWORD)});
        assert_eq!(copied("east", copy).len(), 1);
    }

    #[test]
    fn the_token_of_a_kubeconfig_is_a_secret_by_itself() {
        let kubeconfig = json!({"users": [{"name": "east", "user": {"token": "token-of-east"}}]});
        let secret = json!({
            "metadata": {"name": "east", "namespace": "ringspan"},
            "data": {"kubeconfig": STANDARD.encode(kubeconfig.to_string())},
        });
        let mut canaries = Canaries::default();
        canaries.learn(CONTROL_PLANE, &Arc::new(secret));
        assert_eq!(
            canaries.quoted("Bearer token-of-east"),
            Some("ringspan/east".to_owned())
        );
        assert_eq!(canaries.quoted("Bearer token-of-west"), None);
    }
}
