//! A script on any server, exchange by exchange.

use std::collections::BTreeMap;
use std::fmt::Display;

use bytes::Bytes;
use http::Request;
use http::header::{ACCEPT, CONTENT_TYPE, USER_AGENT};
use serde_json::{Value, json};

use super::placeholders::Placeholders;
use super::references::{References, edited};
use super::{Answer, Exchange, Script};

/// Requests without `fieldManager` are known by this.
const AGENT: &str = "conformance/1";
/// How often a request with `until` is made at most.
const REPEATS: usize = 400;

/// A request to a server.
#[derive(Debug)]
pub struct Asked {
    /// Who asks; `None`: a member of `system:masters`.
    pub user: Option<String>,
    /// The request. Its URI is path and query.
    pub request: Request<Bytes>,
    /// Whether the answer is expected to be a watch. A refusal is whole in any case.
    pub watch: bool,
}

/// What a server answers.
#[derive(Debug)]
pub enum Reply<S> {
    /// All of it.
    Whole {
        /// HTTP status.
        code: u16,
        /// `Warning` headers.
        warnings: Vec<String>,
        /// The body.
        body: Bytes,
    },
    /// A watch, with status 200.
    Stream(S),
}

/// What comes next in a watch.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// An event.
    Event(Value),
    /// Nothing, for as long as it makes sense to wait.
    Quiet,
    /// The server has closed it.
    Ended,
}

/// A server that scripts are played on.
pub trait Server {
    /// An open watch.
    type Stream;
    /// Why there is no answer.
    type Error: Display;

    /// Answers a request.
    fn answer(&self, asked: Asked) -> impl Future<Output = Result<Reply<Self::Stream>, Self::Error>>;

    /// The next event of a watch. `awaited`: one must come; else it is only looked whether one does.
    fn next(&self, stream: &mut Self::Stream, awaited: bool) -> impl Future<Output = Next>;

    /// Lets time pass before a request is made again.
    fn pause(&self) -> impl Future<Output = ()>;
}

/// Plays a script: one answer for each exchange.
///
/// # Errors
/// The first request without any answer, and why.
pub async fn play<S: Server>(script: &Script, server: &S) -> Result<Vec<Answer>, String> {
    let mut run = Run {
        server,
        references: References::default(),
        placeholders: Placeholders::default(),
        watches: BTreeMap::new(),
    };
    let mut answers = vec![];
    for (place, exchange) in script.exchanges.iter().enumerate() {
        let told = |error: String| format!("exchange {} ({}): {error}", place + 1, exchange.ask);
        answers.push(run.exchange(place + 1, exchange).await.map_err(told)?);
    }
    Ok(answers)
}

struct Run<'a, S: Server> {
    server: &'a S,
    references: References,
    placeholders: Placeholders,
    watches: BTreeMap<String, S::Stream>,
}

/// An answer as it came.
struct Raw {
    code: u16,
    warnings: Vec<String>,
    /// For a watch `{"events": [...]}`.
    body: Value,
    ended: bool,
}

impl<S: Server> Run<'_, S> {
    async fn exchange(&mut self, number: usize, exchange: &Exchange) -> Result<Answer, String> {
        let mut raw = self.once(exchange).await?;
        for _ in 0..REPEATS {
            if has_come(exchange, &raw) {
                break;
            }
            self.server.pause().await;
            raw = self.once(exchange).await?;
        }
        Ok(self.told(number, exchange, raw))
    }

    fn told(&mut self, number: usize, exchange: &Exchange, raw: Raw) -> Answer {
        let mut body = self.placeholders.replaced(number, &exchange.ask, &raw.body);
        if let Some(id) = &exchange.id {
            self.references.keep(id, raw.body);
        }
        if !exchange.only.is_empty() {
            let parts = exchange
                .only
                .iter()
                .filter_map(|pointer| Some((pointer.clone(), body.pointer(pointer)?.clone())));
            body = Value::Object(parts.collect());
        }
        let events = body.get_mut("events").filter(|_| exchange.events.is_some());
        let events = events.map(Value::take).and_then(|events| match events {
            Value::Array(events) => Some(events),
            _ => None,
        });
        Answer {
            code: raw.code,
            warnings: raw.warnings,
            body: events.is_none().then_some(body),
            events,
            ended: raw.ended,
        }
    }

    async fn once(&mut self, exchange: &Exchange) -> Result<Raw, String> {
        let (method, path) = exchange.ask.split_once(' ').ok_or("no method and path")?;
        if method == "FOLLOW" {
            let Some(stream) = self.watches.remove(path) else {
                // It was refused here, and was not when it was recorded.
                return Ok(whole(0, vec![], &Bytes::new()));
            };
            return Ok(self
                .events(path, stream, exchange.events.unwrap_or_default())
                .await);
        }
        let asked = Asked {
            user: exchange.user.clone(),
            request: self.request(exchange, method, path)?,
            watch: exchange.events.is_some(),
        };
        match self.server.answer(asked).await {
            Err(error) => Err(error.to_string()),
            Ok(Reply::Whole { code, warnings, body }) => Ok(whole(code, warnings, &body)),
            Ok(Reply::Stream(stream)) => {
                let id = exchange.id.clone().unwrap_or_default();
                Ok(self
                    .events(&id, stream, exchange.events.unwrap_or_default())
                    .await)
            }
        }
    }

    fn request(&self, exchange: &Exchange, method: &str, path: &str) -> Result<Request<Bytes>, String> {
        let body = match (&exchange.body, &exchange.raw) {
            (Some(body), _) => {
                let edit = self.references.value(&exchange.edit.clone().into());
                let edit = edit.as_object().cloned().unwrap_or_default();
                edited(self.references.value(body), &edit).to_string()
            }
            (None, Some(raw)) => self.references.text(raw),
            (None, None) => String::new(),
        };
        let json = "application/json";
        let mut request = Request::builder()
            .method(method)
            .uri(self.references.text(path))
            .header(USER_AGENT, AGENT)
            .header(ACCEPT, exchange.accept.as_deref().unwrap_or(json));
        if !body.is_empty() {
            request = request.header(CONTENT_TYPE, exchange.content_type.as_deref().unwrap_or(json));
        }
        request.body(body.into()).map_err(|error| error.to_string())
    }

    /// As many events as are awaited, and those that should not have come.
    async fn events(&mut self, id: &str, mut stream: S::Stream, awaited: usize) -> Raw {
        let mut events = vec![];
        let ended = loop {
            match self.server.next(&mut stream, events.len() < awaited).await {
                Next::Event(event) if comes_at_any_time(&event) => {}
                Next::Event(event) => events.push(event),
                Next::Quiet => break false,
                Next::Ended => break true,
            }
        };
        if !ended {
            self.watches.insert(id.to_owned(), stream);
        }
        Raw {
            code: 200,
            warnings: vec![],
            body: json!({"events": events}),
            ended,
        }
    }
}

/// Bookmarks come when a server likes, but for the one that ends the state that a watch began with.
fn comes_at_any_time(event: &Value) -> bool {
    event["type"] == "BOOKMARK"
        && event["object"]["metadata"]["annotations"]
            .get("k8s.io/initial-events-end")
            .is_none()
}

fn whole(code: u16, warnings: Vec<String>, body: &Bytes) -> Raw {
    let text = || String::from_utf8_lossy(body).into_owned().into();
    Raw {
        code,
        warnings,
        body: serde_json::from_slice(body).unwrap_or_else(|_| text()),
        ended: false,
    }
}

fn has_come(exchange: &Exchange, raw: &Raw) -> bool {
    let answer = json!({"code": raw.code, "body": raw.body});
    exchange
        .until
        .iter()
        .all(|(pointer, value)| answer.pointer(pointer) == Some(value))
}
