//! Statements that change schema or roles, on one node and on nobody else.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use scylla::client::PoolSize;
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use scylla::policies::host_filter::AllowListHostFilter;

use super::{CQL_PORT, RealError};
use crate::ring::Replication;

/// A user's name and password.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Login {
    pub user: String,
    pub password: String,
}

/// The superuser that a new ring has.
pub(super) const DEFAULT_USER: &str = "cassandra";

impl Login {
    pub fn default_superuser() -> Self {
        Self {
            user: DEFAULT_USER.to_owned(),
            password: DEFAULT_USER.to_owned(),
        }
    }
}

/// Logs in on one node, as the first of these that it lets in.
pub(super) async fn log_in(node: Ipv4Addr, logins: &[Login]) -> Result<(Session, String), RealError> {
    let mut refused = Vec::new();
    for login in logins {
        match session(node, login).await {
            Ok(session) => return Ok((session, login.user.clone())),
            Err(error) => refused.push(format!("{}: {error}", login.user)),
        }
    }
    Err(RealError::Cql(refused.join("; ")))
}

async fn session(node: Ipv4Addr, login: &Login) -> Result<Session, String> {
    let address = SocketAddr::from((node, CQL_PORT));
    let only_this = AllowListHostFilter::new([address]).map_err(|error| error.to_string())?;
    let builder = SessionBuilder::new()
        .known_node_addr(address)
        .user(&login.user, &login.password)
        .host_filter(Arc::new(only_this))
        .pool_size(PoolSize::PerHost(NonZeroUsize::MIN))
        .fetch_schema_metadata(false)
        .fetch_full_schema_metadata(false)
        .connection_timeout(Duration::from_secs(5));
    builder.build().await.map_err(|error| error.to_string())
}

/// Runs one statement. A session that is held to one node knows no other, so it waits for nobody else to have the schema.
pub(super) async fn run(session: &Session, statement: &str) -> Result<(), RealError> {
    let ran = session.query_unpaged(statement, ()).await;
    ran.map(|_| ()).map_err(|error| RealError::Cql(error.to_string()))
}

/// `CREATE KEYSPACE`, which does nothing where there is one of this name.
pub(super) fn create_keyspace(name: &str, over: &Replication) -> String {
    format!(
        "CREATE KEYSPACE IF NOT EXISTS {} WITH replication = {}",
        identifier(name),
        replication(over)
    )
}

/// `ALTER KEYSPACE`.
pub(super) fn alter_keyspace(name: &str, over: &Replication) -> String {
    format!(
        "ALTER KEYSPACE {} WITH replication = {}",
        identifier(name),
        replication(over)
    )
}

/// The statements that make a role, or give one that is there its password. A role cannot change its own rights.
pub(super) fn role(login: &Login, superuser: bool) -> [String; 2] {
    let role = identifier(&login.user);
    let password = literal(&login.password);
    [
        format!(
            "CREATE ROLE IF NOT EXISTS {role} WITH PASSWORD = {password} AND LOGIN = true AND SUPERUSER = {superuser}"
        ),
        format!("ALTER ROLE {role} WITH PASSWORD = {password}"),
    ]
}

/// Nobody logs in as the default superuser any more.
pub(super) fn close_default_user() -> String {
    format!("ALTER ROLE {DEFAULT_USER} WITH SUPERUSER = false AND LOGIN = false")
}

fn replication(over: &Replication) -> String {
    let factors = over.iter().filter(|(_, factor)| **factor > 0);
    let factors = factors.map(|(name, factor)| format!(", {}: '{factor}'", literal(name)));
    format!(
        "{{'class': 'NetworkTopologyStrategy'{}}}",
        factors.collect::<String>()
    )
}

fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_passwords_cannot_leave_their_place() {
        let over = [("dc'1".to_owned(), 3), ("gone".to_owned(), 0)].into();
        assert_eq!(
            alter_keyspace("My\"ks", &over),
            r#"ALTER KEYSPACE "My""ks" WITH replication = {'class': 'NetworkTopologyStrategy', 'dc''1': '3'}"#
        );
        let login = Login {
            user: "admin".to_owned(),
            password: "it's".to_owned(),
        };
        assert_eq!(
            role(&login, true)[1],
            r#"ALTER ROLE "admin" WITH PASSWORD = 'it''s'"#
        );
    }
}
