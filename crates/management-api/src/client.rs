//! The calls over HTTP.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::Request;
use http_body_util::Full;
use rustls::pki_types::ServerName;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::endpoints::Envelope;
use crate::error::clipped;
use crate::exchange::{Failure, exchange, with_causes};
use crate::request::{
    ENDPOINTS, KEYSPACE, REPLICATION, SCHEMA_VERSIONS, Target, keyspace_body, with_keyspace,
};
use crate::{Call, Dial, EndpointState, Error, ManagementApi, Node, Options, OptionsError, Replication, tls};

/// [`ManagementApi`] over HTTP or HTTPS. Cheap to clone; clones share nothing but settings.
#[derive(Clone)]
pub struct Client {
    tls: Option<TlsConnector>,
    read_timeout: Duration,
    write_timeout: Duration,
    body_limit: usize,
    dial: Dial,
}

/// Settings only; nothing of the key material.
impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("tls", &self.tls.is_some())
            .field("dial", &self.dial)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// A client with these settings. Opens no connection.
    ///
    /// # Errors
    /// [`OptionsError`] for key material that cannot be used, and for [`Dial::Via`] with an address that is not
    /// loopback.
    pub fn new(options: Options) -> Result<Self, OptionsError> {
        let Options {
            tls,
            read_timeout,
            write_timeout,
            body_limit,
            dial,
        } = options;
        if let Dial::Via(address) = dial
            && !address.ip().is_loopback()
        {
            return Err(OptionsError::ViaNotLoopback(address));
        }
        let config = tls.as_ref().map(tls::client_config).transpose()?;
        let tls = config.map(|config| TlsConnector::from(Arc::new(config)));
        Ok(Self {
            tls,
            read_timeout,
            write_timeout,
            body_limit,
            dial,
        })
    }

    /// Makes one call and reads its answer, within the time limit for its kind.
    async fn call(&self, target: Target, body: Option<Vec<u8>>) -> Result<Vec<u8>, Error> {
        let Target { call, node, .. } = target;
        let after = if call.is_write() {
            self.write_timeout
        } else {
            self.read_timeout
        };
        let address = match self.dial {
            Dial::Via(address) => address,
            Dial::Pod | Dial::Through(_) => {
                node.pod_socket()
                    .map_err(|why| Error::Refused { call, node, why })?
            }
        };
        let asked = async { self.ask(address, target.request(body)?).await };
        let Ok(answer) = tokio::time::timeout(after, asked).await else {
            return Err(Error::TimedOut { call, node, after });
        };
        answer.map_err(|failure| match failure {
            Failure::Broken(why) => Error::Unreachable { call, node, why },
            Failure::Status(code, body) => Error::Status {
                call,
                node,
                code,
                body,
            },
            Failure::TooLarge(limit) => Error::TooLarge { call, node, limit },
            Failure::NotHttp(why) => Error::Malformed { call, node, why },
        })
    }

    async fn ask(&self, address: SocketAddr, request: Request<Full<Bytes>>) -> Result<Vec<u8>, Failure> {
        match &self.dial {
            Dial::Through(open) => self.talk(address, open(address).map_err(broken)?, request).await,
            Dial::Pod | Dial::Via(_) => {
                let tcp = TcpStream::connect(address).await.map_err(broken)?;
                self.talk(address, tcp, request).await
            }
        }
    }

    async fn talk<Io>(
        &self,
        address: SocketAddr,
        io: Io,
        request: Request<Full<Bytes>>,
    ) -> Result<Vec<u8>, Failure>
    where
        Io: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Some(tls) = &self.tls else {
            return exchange(io, request, self.body_limit).await;
        };
        let name = ServerName::IpAddress(address.ip().into());
        let session = tls.connect(name, io).await.map_err(broken)?;
        exchange(session, request, self.body_limit).await
    }

    async fn read<T: DeserializeOwned>(&self, target: Target) -> Result<T, Error> {
        let Target { call, node, .. } = target;
        let answer = self.call(target, None).await?;
        serde_json::from_slice(&answer).map_err(|error| malformed(call, node, &error.to_string()))
    }

    /// The server answers with the word OK; its status says it already.
    async fn write_keyspace(
        &self,
        target: Target,
        keyspace: &str,
        factors: &BTreeMap<String, u32>,
    ) -> Result<(), Error> {
        target.named(keyspace)?;
        if factors.is_empty() {
            return Err(target.refused("no datacenter is given"));
        }
        let body = keyspace_body(keyspace, factors)
            .map_err(|_| target.refused("the request cannot be written as JSON"))?;
        self.call(target, Some(body)).await.map(drop)
    }
}

impl ManagementApi for Client {
    fn keyspaces(&self, node: Node) -> BoxFuture<'_, Result<Vec<String>, Error>> {
        Box::pin(self.read(Target::new(Call::Keyspaces, node, KEYSPACE)))
    }

    fn keyspace_exists<'a>(&'a self, node: Node, keyspace: &'a str) -> BoxFuture<'a, Result<bool, Error>> {
        Box::pin(async move {
            let target = Target::new(Call::KeyspaceExists, node, with_keyspace(KEYSPACE, keyspace));
            target.named(keyspace)?;
            let found: Vec<String> = self.read(target).await?;
            Ok(found.iter().any(|name| name == keyspace))
        })
    }

    fn replication<'a>(&'a self, node: Node, keyspace: &'a str) -> BoxFuture<'a, Result<Replication, Error>> {
        let call = Call::Replication;
        Box::pin(async move {
            let target = Target::new(call, node, with_keyspace(REPLICATION, keyspace));
            target.named(keyspace)?;
            let options = self.read(target).await?;
            let replication = Replication::from_wire(options);
            replication.map_err(|why| malformed(call, node, &format!("keyspace {keyspace}: {why}")))
        })
    }

    fn create_keyspace<'a>(
        &'a self,
        node: Node,
        keyspace: &'a str,
        factors: &'a BTreeMap<String, u32>,
    ) -> BoxFuture<'a, Result<(), Error>> {
        let target = Target::new(Call::CreateKeyspace, node, format!("{KEYSPACE}/create"));
        Box::pin(self.write_keyspace(target, keyspace, factors))
    }

    fn alter_keyspace<'a>(
        &'a self,
        node: Node,
        keyspace: &'a str,
        factors: &'a BTreeMap<String, u32>,
    ) -> BoxFuture<'a, Result<(), Error>> {
        let target = Target::new(Call::AlterKeyspace, node, format!("{KEYSPACE}/alter"));
        Box::pin(self.write_keyspace(target, keyspace, factors))
    }

    fn schema_versions(&self, node: Node) -> BoxFuture<'_, Result<BTreeMap<String, Vec<String>>, Error>> {
        Box::pin(self.read(Target::new(Call::SchemaVersions, node, SCHEMA_VERSIONS)))
    }

    fn endpoints(&self, node: Node) -> BoxFuture<'_, Result<Vec<EndpointState>, Error>> {
        let call = Call::Endpoints;
        Box::pin(async move {
            let answer: Envelope = self.read(Target::new(call, node, ENDPOINTS)).await?;
            answer.states().map_err(|why| malformed(call, node, &why))
        })
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the signature of map_err")]
fn broken(error: std::io::Error) -> Failure {
    Failure::Broken(with_causes(&error))
}

fn malformed(call: Call, node: Node, why: &str) -> Error {
    Error::Malformed {
        call,
        node,
        why: clipped(why),
    }
}
