//! The superuser's Secret and the roles.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::{Actor, Flow, View, secs};
use crate::apiserver::{ApiError, kinds};
use crate::json::{self, text};
use crate::names;
use crate::objects::Dc;
use crate::ring::Phase;

impl Actor {
    /// A datacenter whose Secret has no name of the user's gets one with a made-up password.
    pub(super) async fn default_superuser(&self, dc: &Dc) -> Result<(), ApiError> {
        let (name, named) = dc.superuser_secret();
        if named
            || self
                .plane
                .api
                .get(kinds::SECRETS, &self.key.0, &name)
                .await?
                .is_some()
        {
            return Ok(());
        }
        let password = self.plane.pace.uuid(&format!("password/{}", json::uid(&dc.0)));
        let secret = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "namespace": self.key.0, "labels": dc.labels()},
            "stringData": {"username": name, "password": password},
        });
        self.create_if_absent(kinds::SECRETS, &secret).await
    }

    /// Every role is written again in every full pass, through a node that is up.
    pub(super) async fn check_users(&self, dc: &mut Dc, view: &View) -> Result<Flow, ApiError> {
        if dc.skips_users() || dc.is_stopped() {
            return Ok(Flow::Continue);
        }
        let mut secrets = dc.user_secrets();
        secrets.push((dc.superuser_secret().0, true));
        let mut nodes = view.pods.iter().map(|pod| self.node(pod));
        let up = nodes.rfind(|node| self.plane.rings.lock().phase(node) == Some(Phase::Up));
        let Some(node) = up else {
            return Ok(Flow::Continue);
        };
        let mut all_made = true;
        for (name, superuser) in secrets {
            let Some(secret) = self.plane.api.get(kinds::SECRETS, &self.key.0, &name).await? else {
                continue;
            };
            self.watch_secret(&secret).await?;
            let (user, password) = (decoded(&secret, "username"), decoded(&secret, "password"));
            self.plane.rings.lock().called(
                &node,
                format!("POST /api/v0/ops/auth/role?is_superuser={superuser}&username={user}"),
            );
            // The others are made all the same: one of them may be who lets this one in.
            let made = self.plane.cassandra.role(&node, &user, &password, superuser);
            all_made &= made.await;
        }
        if !all_made {
            return Ok(Flow::Again(secs(10)));
        }
        let now = self.plane.clock.now();
        self.patch_status(dc, json!({"superUserUpserted": now, "usersUpserted": now}))
            .await?;
        Ok(Flow::Continue)
    }

    async fn watch_secret(&self, secret: &Value) -> Result<(), ApiError> {
        let own = format!("{}/{}", self.key.0, self.key.1);
        let known = json::annotation(secret, names::WATCHED_BY).unwrap_or("[]");
        let mut watchers: Vec<String> = serde_json::from_str(known).unwrap_or_default();
        if watchers.contains(&own) {
            return Ok(());
        }
        watchers.push(own);
        let patch = json!({"metadata": {
            "uid": json::uid(secret),
            "annotations": {names::WATCHED_BY: json!(watchers).to_string()},
            "labels": {names::WATCHED: "true"},
        }});
        self.plane
            .api
            .merge(kinds::SECRETS, &self.key.0, json::name(secret), &patch)
            .await
            .map(|_| ())
    }

    /// The marks of this datacenter go from the Secrets that it read.
    pub(super) async fn unwatch_secrets(&self) -> Result<(), ApiError> {
        let own = format!("{}/{}", self.key.0, self.key.1);
        let marked = self
            .plane
            .api
            .list(kinds::SECRETS, &self.key.0, &format!("{}=true", names::WATCHED))
            .await?;
        for secret in marked {
            let known = json::annotation(&secret, names::WATCHED_BY).unwrap_or("[]");
            let mut watchers: Vec<String> = serde_json::from_str(known).unwrap_or_default();
            if !watchers.contains(&own) {
                continue;
            }
            watchers.retain(|watcher| *watcher != own);
            let (list, mark) = if watchers.is_empty() {
                (Value::Null, Value::Null)
            } else {
                (json!(watchers).to_string().into(), "true".into())
            };
            let patch = json!({"metadata": {
                "uid": json::uid(&secret),
                "annotations": {names::WATCHED_BY: list},
                "labels": {names::WATCHED: mark},
            }});
            self.plane
                .api
                .merge(kinds::SECRETS, &self.key.0, json::name(&secret), &patch)
                .await?;
        }
        Ok(())
    }
}

/// One value of a Secret.
fn decoded(secret: &Value, key: &str) -> String {
    let value = BASE64_STANDARD
        .decode(text(secret, &format!("/data/{key}")))
        .unwrap_or_default();
    String::from_utf8_lossy(&value).into_owned()
}
