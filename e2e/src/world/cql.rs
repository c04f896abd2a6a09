//! CQL on one real node, as an application would speak it.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use scylla::client::PoolSize;
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use scylla::policies::host_filter::AllowListHostFilter;
use scylla::statement::Consistency;
use scylla::statement::unprepared::Statement;

use super::{DATABASES, NodeView, World};

const PORT: u16 = 9042;

/// A user's name and password.
#[derive(Clone, Debug)]
pub struct Login {
    /// Name.
    pub user: String,
    /// Password.
    pub password: String,
}

impl Login {
    /// The superuser that Cassandra has of its own.
    #[must_use]
    pub fn default_superuser() -> Self {
        Login {
            user: "cassandra".to_owned(),
            password: "cassandra".to_owned(),
        }
    }

    /// That of a Secret with `username` and `password`.
    ///
    /// # Errors
    /// It is not there, or has them not.
    pub async fn of_secret(secrets: &Api<Secret>, name: &str) -> anyhow::Result<Self> {
        let data = secrets.get(name).await?.data.unwrap_or_default();
        let text = |key: &str| {
            let bytes = data
                .get(key)
                .with_context(|| format!("Secret {name} has no {key}"))?;
            anyhow::Ok(String::from_utf8(bytes.0.clone())?)
        };
        Ok(Login {
            user: text("username")?,
            password: text("password")?,
        })
    }
}

/// Somebody who is logged in on one node, and speaks to no other.
pub struct Node(Session);

impl Node {
    /// Runs a statement and waits for its answer: so many rows.
    ///
    /// # Errors
    /// It is refused, or not enough replicas answer.
    pub async fn run(&self, consistency: Consistency, statement: &str) -> anyhow::Result<usize> {
        let mut asked = Statement::new(statement);
        asked.set_consistency(consistency);
        let answer = self.0.query_unpaged(asked, ()).await;
        let answer = answer.with_context(|| statement.to_owned())?;
        if !answer.is_rows() {
            return Ok(0);
        }
        Ok(answer.into_rows_result()?.rows_num())
    }

    /// The text in the first column of the only row, if there is one.
    ///
    /// # Errors
    /// As [`Node::run`].
    pub async fn text(&self, consistency: Consistency, statement: &str) -> anyhow::Result<Option<String>> {
        let mut asked = Statement::new(statement);
        asked.set_consistency(consistency);
        let answer = self.0.query_unpaged(asked, ()).await;
        let answer = answer.with_context(|| statement.to_owned())?.into_rows_result()?;
        Ok(answer.maybe_first_row::<(String,)>()?.map(|(text,)| text))
    }

    /// The texts in the first column of the only row, a set; none if there is no row.
    ///
    /// # Errors
    /// As [`Node::run`].
    pub async fn texts(&self, consistency: Consistency, statement: &str) -> anyhow::Result<Vec<String>> {
        let mut asked = Statement::new(statement);
        asked.set_consistency(consistency);
        let answer = self.0.query_unpaged(asked, ()).await;
        let answer = answer.with_context(|| statement.to_owned())?.into_rows_result()?;
        let row = answer.maybe_first_row::<(Vec<String>,)>()?;
        Ok(row.map(|(texts,)| texts).unwrap_or_default())
    }
}

impl World {
    /// The superuser of a cluster, as the Secret in a plane has it.
    ///
    /// # Errors
    /// There is no such plane or Secret.
    pub async fn superuser(&self, plane: &str, cluster: &str) -> anyhow::Result<Login> {
        let plane = self
            .planes
            .get(plane)
            .with_context(|| format!("no plane {plane}"))?;
        let secrets = Api::namespaced(plane.client(), DATABASES);
        Login::of_secret(&secrets, &format!("{cluster}-superuser")).await
    }

    /// Logs in on one node.
    ///
    /// # Errors
    /// The node refuses the user, or does not answer.
    pub async fn log_in(&self, view: &NodeView, login: &Login) -> anyhow::Result<Node> {
        let state = self.ring_state().await?;
        let mut processes = state["processes"].as_array().into_iter().flatten();
        let process = processes.find(|process| process["address"] == view.address.as_str());
        let listens = process.and_then(|process| process["listens"].as_str());
        let listens = listens.with_context(|| format!("{} has no process", view.node))?;
        let address = SocketAddr::new(listens.parse()?, PORT);
        let only_this = AllowListHostFilter::new([address])?;
        let session = SessionBuilder::new()
            .known_node_addr(address)
            .user(&login.user, &login.password)
            .host_filter(Arc::new(only_this))
            .pool_size(PoolSize::PerHost(NonZeroUsize::MIN))
            .fetch_schema_metadata(false)
            .fetch_full_schema_metadata(false)
            .connection_timeout(Duration::from_secs(20))
            .build()
            .await;
        Ok(Node(session.with_context(|| format!("login on {}", view.node))?))
    }

    /// That a node lets nobody in with this login, and says that it is for the login.
    ///
    /// # Errors
    /// It lets them in, or something else is wrong.
    pub async fn is_refused(&self, view: &NodeView, login: &Login) -> anyhow::Result<()> {
        let outcome = self.log_in(view, login).await;
        let Err(error) = outcome else {
            anyhow::bail!("{} logs in on {}", login.user, view.node);
        };
        let said = format!("{error:#}");
        let is_for_login = said.contains("not permitted to log in") || said.contains("are incorrect");
        ensure!(is_for_login, "{} on {}: {said}", login.user, view.node);
        Ok(())
    }
}
