//! A pod that records requests byte for byte and answers what it is told to.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use management_api::{Client, Dial, Node, Options};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// What a pod does with a connection.
pub enum Act {
    /// Reads the request, writes these bytes and closes.
    Say(Vec<u8>),
    /// Reads the request, writes these bytes and keeps the connection open for ever.
    SayAndHang(Vec<u8>),
    /// Reads the request and writes the second bytes again and again after the first, until the client has enough.
    Flood(Vec<u8>, Vec<u8>),
}

/// One request as it came.
#[derive(Debug)]
pub struct Request {
    pub line: String,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

/// A listening pod. It stops when the test's runtime does.
pub struct Pod {
    pub address: SocketAddr,
    requests: mpsc::UnboundedReceiver<Request>,
}

impl Pod {
    /// Serves one connection after the other, each with the next act, then stops listening.
    pub async fn start(acts: Vec<Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (seen, requests) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            for act in acts {
                let (mut socket, _) = listener.accept().await.unwrap();
                let Some(request) = read_request(&mut socket).await else {
                    continue;
                };
                seen.send(request).ok();
                tokio::spawn(async move { perform(&mut socket, act).await });
            }
        });
        Self { address, requests }
    }

    /// A pod with one good answer.
    pub async fn answering(body: &str) -> Self {
        Self::start(vec![Act::Say(ok(body))]).await
    }

    /// The next request; the test fails if none was made.
    pub async fn request(&mut self) -> Request {
        self.requests.recv().await.expect("no request came")
    }

    /// The requests that came and were not looked at yet.
    pub fn more_requests(&mut self) -> usize {
        std::iter::from_fn(|| self.requests.try_recv().ok()).count()
    }

    pub fn options(&self) -> Options {
        Options {
            dial: Dial::Via(self.address),
            ..Options::default()
        }
    }

    /// A client with the default limits that is diverted to this pod.
    pub fn client(&self) -> Client {
        Client::new(self.options()).unwrap()
    }

    /// A client that gives up soon.
    pub fn impatient(&self) -> Client {
        let soon = Duration::from_millis(80);
        Client::new(Options {
            read_timeout: soon,
            write_timeout: soon * 2,
            ..self.options()
        })
        .unwrap()
    }
}

/// The node that all tests ask: not on this machine, so the client must be diverted.
pub fn node() -> Node {
    Node::new([10, 1, 2, 3].into())
}

pub fn ok(body: &str) -> Vec<u8> {
    status("200 OK", body)
}

pub fn status(status: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// None where the client went away before its request was complete.
pub async fn read_request(socket: &mut (impl AsyncRead + Unpin)) -> Option<Request> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        (socket.read_buf(&mut bytes).await.ok()? > 0).then_some(())?;
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let line = lines.next()?.to_owned();
    let headers: BTreeMap<_, _> = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers
        .get("content-length")
        .map_or(0, |length| length.parse().unwrap());
    let mut body = bytes.split_off(end + 4);
    while body.len() < length {
        (socket.read_buf(&mut body).await.ok()? > 0).then_some(())?;
    }
    Some(Request {
        line,
        headers,
        body: String::from_utf8(body).unwrap(),
    })
}

pub async fn perform(socket: &mut (impl AsyncWrite + Unpin), act: Act) {
    match act {
        Act::Say(bytes) => {
            socket.write_all(&bytes).await.ok();
            socket.shutdown().await.ok();
        }
        Act::SayAndHang(bytes) => {
            socket.write_all(&bytes).await.ok();
            std::future::pending::<()>().await;
        }
        Act::Flood(first, again) => {
            let mut alive = socket.write_all(&first).await.is_ok();
            while alive {
                alive = socket.write_all(&again).await.is_ok();
            }
        }
    }
}
