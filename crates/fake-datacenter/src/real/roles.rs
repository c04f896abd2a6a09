//! Roles, and what needs a superuser.
//!
//! The real management API comes in by a door of its own, without a password. Here the superusers that were made through it are
//! remembered, and a node that lets none of them in (its datacenter has no data of `system_auth` yet) is asked through another
//! node of its cluster: schema and roles are the whole ring's.

use std::sync::Arc;

use scylla::client::session::Session;

use super::cql::{self, DEFAULT_USER, Login};
use super::process::Node;
use super::{Real, RealError};
use crate::ring::{NodeId, Replication};

impl Real {
    /// Makes a role or gives it its password. The first superuser takes the place of the one that every new ring has.
    pub(crate) async fn role(
        &self,
        id: &NodeId,
        user: &str,
        password: &str,
        superuser: bool,
    ) -> Result<(), RealError> {
        let node = self.up(id)?;
        if !node.configuration.authenticates() {
            return Ok(());
        }
        let login = Login {
            user: user.to_owned(),
            password: password.to_owned(),
        };
        let mut logins = self.logins(&node.cluster);
        if superuser {
            // After a restart of this program it may be there already.
            logins.insert(0, login.clone());
        }
        logins.push(Login::default_superuser());
        let (session, _) = self.log_in(&node, &logins).await?;
        for statement in cql::role(&login, superuser) {
            cql::run(&session, &statement).await?;
        }
        if superuser {
            self.remember(&node.cluster, &login);
            self.close_default_user(&node, &login).await?;
        }
        Ok(())
    }

    /// As the new superuser: nobody may take its own rights away.
    async fn close_default_user(&self, node: &Node, login: &Login) -> Result<(), RealError> {
        if login.user == DEFAULT_USER {
            return Ok(());
        }
        let (session, _) = self.log_in(node, std::slice::from_ref(login)).await?;
        cql::run(&session, &cql::close_default_user()).await
    }

    /// Runs a statement that changes the schema.
    pub(super) async fn change(&self, node: &Node, statement: &str) -> Result<(), RealError> {
        let mut logins = self.logins(&node.cluster);
        logins.push(Login::default_superuser());
        let (session, _) = self.log_in(node, &logins).await?;
        let changed = cql::run(&session, statement).await;
        self.known().changes += 1;
        changed
    }

    /// Creates a keyspace; nothing happens where there is one of this name.
    pub(super) async fn create_keyspace(
        &self,
        node: &Node,
        name: &str,
        over: &Replication,
    ) -> Result<(), RealError> {
        self.change(node, &cql::create_keyspace(name, over)).await?;
        self.note(format!(
            "keyspace {name} created over {over:?} through {}",
            node.id
        ));
        Ok(())
    }

    /// Changes where a keyspace's copies should be.
    pub(super) async fn alter_keyspace(
        &self,
        node: &Node,
        name: &str,
        over: &Replication,
    ) -> Result<(), RealError> {
        self.change(node, &cql::alter_keyspace(name, over)).await?;
        self.note(format!("keyspace {name} altered to {over:?} through {}", node.id));
        Ok(())
    }

    /// A session with this node, or with another one of its cluster that lets one of these in.
    async fn log_in(&self, node: &Node, logins: &[Login]) -> Result<(Session, String), RealError> {
        let refused = match cql::log_in(node.address, logins).await {
            Ok(session) => return Ok(session),
            Err(refused) => refused,
        };
        for other in self.others(node) {
            if let Ok(session) = cql::log_in(other.address, logins).await {
                tracing::debug!(node = %node.id, through = %other.id, "logged in elsewhere");
                return Ok(session);
            }
        }
        Err(refused)
    }

    /// Nodes of its cluster that answer.
    pub(super) fn others(&self, node: &Node) -> Vec<Arc<Node>> {
        let others = self.known().nodes.values().cloned().collect::<Vec<_>>();
        let world = self.0.rings.lock();
        let others = others
            .into_iter()
            .filter(|other| other.cluster == node.cluster && other.id != node.id && world.answers(&other.id));
        others.collect()
    }

    fn logins(&self, cluster: &str) -> Vec<Login> {
        self.known().logins.get(cluster).cloned().unwrap_or_default()
    }

    fn remember(&self, cluster: &str, login: &Login) {
        let mut known = self.known();
        let logins = known.logins.entry(cluster.to_owned()).or_default();
        logins.retain(|other| other.user != login.user);
        logins.insert(0, login.clone());
    }
}
