//! The server: what it answers by itself, and how a test makes it answer otherwise.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use fleet::FleetOptions;
use fleet::kubeconfig::Access;
use futures::stream;
use http::{Method, Request, Response, StatusCode, Version};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Collected, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use kube::Client;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::answers::{Answer, json, streamed};
use super::certificates::{Authority, kubeconfig};
use super::objects::{Objects, names, status};
use super::stall::Stalling;

type Answering = Pin<Box<dyn Future<Output = Answer> + Send>>;
type Hook = Arc<dyn Fn(&Asked) -> Option<Answering> + Send + Sync>;

/// One request, as it was heard.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: Method,
    pub path: String,
    pub query: String,
    pub version: Version,
    pub connection: usize,
    pub token: Option<String>,
    pub user_agent: Option<String>,
    pub body: Bytes,
}

impl Asked {
    pub fn is_watch(&self) -> bool {
        self.query.contains("watch=true")
    }
}

#[derive(Clone)]
pub struct Server {
    state: Arc<State>,
}

struct State {
    address: SocketAddr,
    authority: Authority,
    acceptor: TlsAcceptor,
    objects: Mutex<Objects>,
    asked: Mutex<Vec<Asked>>,
    hook: Mutex<Option<Hook>>,
    connections: AtomicUsize,
    frozen: Arc<AtomicBool>,
    /// Cancelled to close the listener and every connection.
    open: Mutex<CancellationToken>,
}

impl Server {
    /// Speaks HTTP/2 and HTTP/1.
    pub fn start() -> Self {
        Self::speaking(&["h2", "http/1.1"])
    }

    pub fn speaking(protocols: &[&str]) -> Self {
        let authority = Authority::new();
        let (certificate, key) = authority.sign(&["127.0.0.1", "plane.test"]);
        let mut tls = rustls::ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        tls.alpn_protocols = protocols
            .iter()
            .map(|protocol| protocol.as_bytes().to_vec())
            .collect();
        let listener = rebind(SocketAddr::from(([127, 0, 0, 1], 0)));
        let state = Arc::new(State {
            address: listener.local_addr().unwrap(),
            authority,
            acceptor: TlsAcceptor::from(Arc::new(tls)),
            objects: Mutex::default(),
            asked: Mutex::default(),
            hook: Mutex::default(),
            connections: AtomicUsize::new(0),
            frozen: Arc::default(),
            open: Mutex::new(CancellationToken::new()),
        });
        let server = Self { state };
        server.put("/api/v1/namespaces/kube-system", json!({"metadata": {}}));
        server.serve(listener);
        server
    }

    pub fn url(&self) -> String {
        format!("https://{}", self.state.address)
    }

    pub fn authority_pem(&self) -> String {
        self.state.authority.pem()
    }

    pub fn kubeconfig(&self, context: &str) -> String {
        self.kubeconfig_with(context, "tok")
    }

    pub fn kubeconfig_with(&self, context: &str, token: &str) -> String {
        kubeconfig(context, &self.url(), &self.authority_pem(), token)
    }

    pub fn access(&self) -> Access {
        Access::parse(self.kubeconfig("c").as_bytes(), "c").unwrap()
    }

    /// A client without our guards.
    pub fn client(&self, options: &FleetOptions) -> Client {
        Client::new(
            (options.dial)(&self.access(), &options.deadlines).unwrap(),
            "default",
        )
    }

    pub fn put(&self, path: &str, object: Value) {
        self.state.objects.lock().unwrap().put(path, object);
    }

    pub fn delete(&self, path: &str) {
        self.state.objects.lock().unwrap().delete(path);
    }

    pub fn get(&self, path: &str) -> Value {
        self.state
            .objects
            .lock()
            .unwrap()
            .get(path)
            .cloned()
            .unwrap_or_default()
    }

    pub fn uid(&self, path: &str) -> String {
        self.state.objects.lock().unwrap().get(path).unwrap()["metadata"]["uid"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    pub fn watchers(&self, collection: &str) -> usize {
        self.state.objects.lock().unwrap().watchers(collection)
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.state.asked.lock().unwrap().clone()
    }

    pub fn forget_asked(&self) {
        self.state.asked.lock().unwrap().clear();
    }

    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }

    /// From now on `hook` answers what it has an answer for.
    pub fn answer(&self, hook: impl Fn(&Asked) -> Option<Answer> + Send + Sync + 'static) {
        self.answer_slowly(move |asked| {
            let answer = hook(asked)?;
            Some(Box::pin(async { answer }))
        });
    }

    pub fn answer_slowly(&self, hook: impl Fn(&Asked) -> Option<Answering> + Send + Sync + 'static) {
        *self.state.hook.lock().unwrap() = Some(Arc::new(hook));
    }

    /// Answers by itself again.
    pub fn behave(&self) {
        *self.state.hook.lock().unwrap() = None;
    }

    /// Connections stay and are silent; new ones are taken and are silent.
    pub fn freeze(&self) {
        self.state.frozen.store(true, Ordering::SeqCst);
    }

    /// Silent connections never speak again; new ones do.
    pub fn thaw(&self) {
        self.close_connections();
        self.state.frozen.store(false, Ordering::SeqCst);
        let socket = rebind(self.state.address);
        self.serve(socket);
    }

    /// Closes the address and every connection.
    pub fn refuse(&self) {
        self.close_connections();
    }

    pub fn accept_again(&self) {
        self.serve(rebind(self.state.address));
    }

    /// Ends every open watch, as a server does after some minutes.
    pub fn end_watches(&self) {
        self.state.objects.lock().unwrap().end_watches();
    }

    fn close_connections(&self) {
        let mut open = self.state.open.lock().unwrap();
        open.cancel();
        *open = CancellationToken::new();
        self.state.objects.lock().unwrap().end_watches();
    }

    fn serve(&self, listener: TcpListener) {
        let open = self.state.open.lock().unwrap().clone();
        let state = Arc::clone(&self.state);
        let accepting = async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                let open = state.open.lock().unwrap().clone();
                tokio::spawn(open.run_until_cancelled_owned(converse(Arc::clone(&state), socket)));
            }
        };
        tokio::spawn(open.run_until_cancelled_owned(accepting));
    }
}

/// The former listener is dropped by its task a moment later than it is cancelled.
fn rebind(address: SocketAddr) -> TcpListener {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.set_reuseport(true).unwrap();
    socket.bind(address).unwrap();
    socket.listen(64).unwrap()
}

async fn converse(state: Arc<State>, socket: tokio::net::TcpStream) {
    let connection = state.connections.fetch_add(1, Ordering::SeqCst);
    let socket = Stalling {
        socket,
        frozen: Arc::clone(&state.frozen),
    };
    let Ok(tls) = state.acceptor.accept(socket).await else {
        return;
    };
    let is_h2 = tls.get_ref().1.alpn_protocol() == Some(b"h2");
    let service = service_fn(move |request: Request<Incoming>| {
        let state = Arc::clone(&state);
        async move { Ok::<_, Infallible>(answer(&state, request, connection).await) }
    });
    let io = TokioIo::new(tls);
    if is_h2 {
        let mut server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        let _ = server
            .max_concurrent_streams(100)
            .serve_connection(io, service)
            .await;
    } else {
        let _ = hyper::server::conn::http1::Builder::new()
            .serve_connection(io, service)
            .await;
    }
}

async fn answer(state: &State, request: Request<Incoming>, connection: usize) -> Answer {
    let (request, body) = request.into_parts();
    let body = body.collect().await.map(Collected::to_bytes).unwrap_or_default();
    let header = |name: &str| {
        request
            .headers
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
    };
    let asked = Asked {
        method: request.method.clone(),
        path: request.uri.path().to_owned(),
        query: request.uri.query().unwrap_or_default().to_owned(),
        version: request.version,
        connection,
        token: header("authorization"),
        user_agent: header("user-agent"),
        body,
    };
    state.asked.lock().unwrap().push(asked.clone());
    let hook = state.hook.lock().unwrap().clone();
    if let Some(answering) = hook.and_then(|hook| hook(&asked)) {
        return answering.await;
    }
    let mut objects = state.objects.lock().unwrap();
    if let (&Method::PATCH, Some(path)) = (&asked.method, asked.path.strip_suffix("/status")) {
        return objects.put_status(path, &asked.body);
    }
    if asked.method == Method::POST {
        return json(201, &serde_json::from_slice::<Value>(&asked.body).unwrap());
    }
    let name = asked
        .query
        .split('&')
        .find_map(|pair| pair.strip_prefix("fieldSelector=metadata.name%3D"));
    if asked.path == "/version" {
        return json(200, &json!({"gitVersion": "v1.35.4"}));
    }
    if asked.is_watch() {
        let (sender, receiver) = mpsc::unbounded_channel();
        let since = asked
            .query
            .split('&')
            .find_map(|pair| pair.strip_prefix("resourceVersion=")?.parse().ok());
        objects.watch(&asked.path, name, since.unwrap_or_default(), sender);
        return streamed(receiver);
    }
    if let Some(object) = objects.get(&asked.path) {
        return json(200, object);
    }
    if is_collection(&asked.path) {
        return json(200, &objects.list(&asked.path, name));
    }
    let (_, name) = names(&asked.path);
    let kind = asked.path.rsplit('/').nth(1).unwrap_or_default();
    json(404, &status(404, "NotFound", kind, name))
}

/// Every kind is known here.
fn is_collection(path: &str) -> bool {
    let segments: Vec<_> = path.split('/').skip(1).collect();
    let rest = if segments[0] == "api" {
        &segments[2..]
    } else {
        &segments[3..]
    };
    rest.len() == 1 || (rest.len() == 3 && rest[0] == "namespaces")
}

impl Objects {
    /// Takes the status of a patch that was made for the version that there is.
    fn put_status(&mut self, path: &str, body: &[u8]) -> Answer {
        let applied: Value = serde_json::from_slice(body).unwrap();
        let Some(mut object) = self.get(path).cloned() else {
            return json(404, &status(404, "NotFound", "clientconfigs", names(path).1));
        };
        if object["metadata"]["resourceVersion"] != applied["metadata"]["resourceVersion"] {
            return json(409, &status(409, "Conflict", "clientconfigs", names(path).1));
        }
        object["status"] = applied["status"].clone();
        self.put(path, object);
        json(200, self.get(path).unwrap())
    }
}
