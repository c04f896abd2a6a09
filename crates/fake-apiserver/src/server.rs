//! The server itself: one state behind a lock, asked synchronously.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::Method;
use serde_json::Value;

use crate::answer::Answer;
use crate::ask::Ask;
use crate::definitions::Kind;
use crate::failure::Failure;
use crate::journal::{Observers, OnWrite, Write};
use crate::kinds::events::in_version;
use crate::object::Object;
use crate::options::{Chores, Options, User};
use crate::paths::{self, Objects, Path};
use crate::query::Query;
use crate::rbac::{self, Roles};
use crate::service::Service;
use crate::state::{State, key};
use crate::{beginning, chores, discovery, read, reviews, write};

/// An API server in memory. Clones are the same server.
#[derive(Clone)]
pub struct Server(Arc<Inner>);

struct Inner {
    options: Options,
    state: Mutex<State>,
    observers: Mutex<Observers>,
    roles: Mutex<Roles>,
}

impl fmt::Debug for Server {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Server")
            .field("version", &self.version())
            .finish()
    }
}

/// An object in the version of a kind.
fn shown(kind: &Kind, object: &Object) -> Arc<Value> {
    match in_version(kind, &object.value) {
        Cow::Borrowed(_) => Arc::clone(&object.value),
        Cow::Owned(shown) => Arc::new(shown),
    }
}

impl Server {
    /// A server with its system namespaces and the CRDs of its definitions.
    #[must_use]
    pub fn new(options: Options) -> Server {
        let mut state = State::new(&options);
        beginning::fill(&mut state, &options);
        Server(Arc::new(Inner {
            options,
            state: Mutex::new(state),
            observers: Mutex::default(),
            roles: Mutex::default(),
        }))
    }

    /// Answers one request.
    #[must_use]
    pub fn answer(&self, user: &User, request: &http::Request<Bytes>) -> Answer {
        self.answer_as_of(None, user, request)
    }

    /// Answers one request; what is read is as it was at a version, what is written is written now.
    #[must_use]
    pub fn answer_as_of(&self, version: Option<u64>, user: &User, request: &http::Request<Bytes>) -> Answer {
        let mut state = self.lock();
        let known = state.writes.len();
        let answer = self.dispatch(&mut state, version, user, request);
        self.chores(&mut state);
        self.tell(state, known);
        answer.unwrap_or_else(Answer::from)
    }

    /// The server as a service for a user, for instance for `kube::Client::new`.
    #[must_use]
    pub fn service(&self, user: User) -> Service {
        Service::new(self.clone(), user, None)
    }

    /// As [`Server::service`], but what is read is as it was at a version: gets, lists and watches see nothing later.
    #[must_use]
    pub fn stale(&self, version: u64, user: User) -> Service {
        Service::new(self.clone(), user, Some(version))
    }

    /// The version of the last change to anything.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.lock().version
    }

    /// Whose token it is: that of a `ServiceAccount` that is still there, given by a `TokenRequest`, and not past its end.
    #[must_use]
    pub fn user_of_token(&self, token: &str) -> Option<User> {
        let state = self.lock();
        let holder = state.tokens.holder(token, state.clock.seconds())?;
        let kind = state.served.find("v1", "serviceaccounts")?;
        let account = state.get(kind.table, &key(&holder.namespace, &holder.name))?;
        (account.uid() == holder.uid).then(|| User::service_account(&holder.namespace, &holder.name))
    }

    /// Every object, ordered by kind, namespace and name.
    #[must_use]
    pub fn snapshot(&self) -> Vec<Arc<Value>> {
        let state = self.lock();
        let tables = state.tables.iter();
        tables
            .flat_map(|table| table.objects.values())
            .map(|object| Arc::clone(&object.value))
            .collect()
    }

    /// One object. `api_version` is `v1` or `group/version`; the namespace of what has none is empty.
    #[must_use]
    pub fn get(&self, api_version: &str, plural: &str, namespace: &str, name: &str) -> Option<Arc<Value>> {
        let state = self.lock();
        let kind = state.served.find(api_version, plural)?;
        let object = state.get(kind.table, &key(namespace, name))?;
        Some(shown(kind, object))
    }

    /// The objects of one kind in all namespaces, ordered by namespace and name.
    #[must_use]
    pub fn all(&self, api_version: &str, plural: &str) -> Vec<Arc<Value>> {
        let state = self.lock();
        let Some(kind) = state.served.find(api_version, plural) else {
            return Vec::new();
        };
        let objects = state.table(kind.table).objects.values();
        objects.map(|object| shown(kind, object)).collect()
    }

    /// The accepted writes from number `cursor` on. The number of all is the next cursor.
    #[must_use]
    pub fn writes_since(&self, cursor: usize) -> Vec<Arc<Write>> {
        let state = self.lock();
        state.writes.get(cursor..).unwrap_or_default().to_vec()
    }

    /// Tells somebody of each accepted write, before its answer goes out and outside of any lock: the observer may ask
    /// the server.
    pub fn on_write(&self, observer: OnWrite) {
        let mut observers = self.0.observers.lock().unwrap_or_else(PoisonError::into_inner);
        observers.0.push(observer);
    }

    /// Does what garbage collection, namespaces and definitions wait for. Whether there was anything to do.
    #[expect(clippy::must_use_candidate, reason = "what it does counts")]
    pub fn collect(&self) -> bool {
        let mut state = self.lock();
        let known = state.writes.len();
        chores::run(&mut state);
        let worked = state.writes.len() > known;
        self.tell(state, known);
        worked
    }

    /// Forgets for clients every version up to this one: lists at it, continued lists and watches from it are answered 410.
    pub fn compact(&self, version: u64) {
        let mut state = self.lock();
        state.compacted = state.compacted.max(version.min(state.version));
    }

    /// Ends every watch, as a restart of a server does.
    pub fn cut_watches(&self) {
        let mut state = self.lock();
        state.cuts += 1;
        state.wake_all();
    }

    /// Restores all objects as they were at a version, as a backup of etcd does: later versions have never been, and are
    /// counted again. Watches end. The journal of writes stays.
    pub fn rewind(&self, version: u64) {
        let mut state = self.lock();
        state.rewind(version);
    }

    /// The objects as they were at a version, by kind, namespace and name; only kinds that are served now.
    #[must_use]
    pub fn snapshot_at(&self, version: u64) -> Vec<Arc<Value>> {
        let state = self.lock();
        let tables = state.tables.iter().map(|table| table.at(version));
        tables
            .flat_map(BTreeMap::into_values)
            .map(|object| Arc::clone(&object.value))
            .collect()
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn options(&self) -> &Options {
        &self.0.options
    }

    fn dispatch(
        &self,
        state: &mut State,
        as_of: Option<u64>,
        user: &User,
        request: &http::Request<Bytes>,
    ) -> Result<Answer, Failure> {
        match paths::parse(request.uri().path()) {
            Path::Health => Ok(Answer::text(200, "ok")),
            Path::Unknown if self.options().authorize && !user.is_master() => {
                Err(rbac::refused_path(user, request.method(), request.uri().path()))
            }
            Path::Objects(objects) => {
                state.compact();
                self.about_objects(state, as_of, user, request, &objects)
            }
            Path::Core | Path::Groups | Path::Group(_) | Path::Resources(_)
                if self.options().authorize && user.is_anonymous() =>
            {
                Err(rbac::refused_path(user, request.method(), request.uri().path()))
            }
            other => discovery::answer(&state.served, &other, &self.0.options.version),
        }
    }

    fn about_objects(
        &self,
        state: &mut State,
        as_of: Option<u64>,
        user: &User,
        request: &http::Request<Bytes>,
        objects: &Objects<'_>,
    ) -> Result<Answer, Failure> {
        let built_in = state.served.builds_in(objects.api_version);
        let unknown = || {
            if built_in {
                Failure::no_such_resource()
            } else {
                Failure::plain(404, "404 page not found\n")
            }
        };
        let kind = state.served.find(objects.api_version, objects.plural).cloned();
        let verb = rbac::verb(request.method(), objects, Query::of(request.uri()));
        self.authorize(state, user, verb, objects)?;
        let kind = kind.ok_or_else(unknown)?;
        let misplaced = kind.namespaced != objects.namespace.is_some()
            && !(kind.namespaced && objects.name.is_none() && matches!(verb, "list" | "watch"));
        if misplaced {
            return Err(unknown());
        }
        let mut ask = Ask::new(user, request, kind);
        ask.namespace = objects.namespace.unwrap_or_default();
        ask.name = objects.name.unwrap_or_default();
        ask.subresource = objects.subresource.unwrap_or_default();
        ask.as_of = as_of;
        if !ask.subresource.is_empty() && !ask.kind.has(ask.subresource) {
            return Err(if ask.kind.built_in {
                Failure::no_such_resource()
            } else {
                Failure::not_found(&ask.kind, ask.name)
            });
        }
        if !ask.accepts_json() {
            return Err(Failure::not_acceptable());
        }
        ask.check_options()?;
        if ask.kind.group == "authorization.k8s.io" || ask.kind.group == "authentication.k8s.io" {
            return reviews::answer(self, state, &ask);
        }
        match (request.method(), verb) {
            (&Method::GET, "watch") => read::watch(self, state, &ask),
            (&Method::GET, "list") => read::list(state, &ask),
            (&Method::GET, _) => read::get(state, &ask),
            _ => write::answer(self, state, &ask, request.method()),
        }
    }

    fn authorize(
        &self,
        state: &State,
        user: &User,
        verb: &str,
        objects: &Objects<'_>,
    ) -> Result<(), Failure> {
        let may = self.may(
            state,
            user,
            &rbac::Request {
                verb,
                group: objects.api_version.split_once('/').map_or("", |(group, _)| group),
                plural: objects.plural,
                subresource: objects.subresource.unwrap_or_default(),
                namespace: rbac::place(objects).unwrap_or_default(),
                name: objects.name.unwrap_or_default(),
            },
        );
        if may.is_some() {
            return Ok(());
        }
        Err(rbac::refusal(user, verb, objects))
    }

    /// Why somebody may do something; nothing: it may not.
    pub(crate) fn may(&self, state: &State, user: &User, request: &rbac::Request<'_>) -> Option<String> {
        if !self.0.options.authorize || user.is_master() {
            return Some(String::new());
        }
        let mut roles = self.0.roles.lock().unwrap_or_else(PoisonError::into_inner);
        roles.allow(state, user, request)
    }

    /// Does the chores when the options want them done.
    fn chores(&self, state: &mut State) {
        if state.is_idle() {
            return;
        }
        match self.0.options.chores {
            Chores::AtOnce => chores::run(state),
            Chores::ByHand => {}
            Chores::After(delay) => {
                if !chores::anything(state) {
                    return;
                }
                let Ok(runtime) = tokio::runtime::Handle::try_current() else {
                    return;
                };
                let server = Arc::downgrade(&self.0);
                runtime.spawn(async move {
                    tokio::time::sleep(delay).await;
                    if let Some(inner) = server.upgrade() {
                        Server(inner).collect();
                    }
                });
            }
        }
    }

    fn tell(&self, state: MutexGuard<'_, State>, known: usize) {
        if state.writes.len() == known {
            return;
        }
        let observers = self
            .0
            .observers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let new = if observers.0.is_empty() {
            Vec::new()
        } else {
            state.writes[known..].to_vec()
        };
        drop(state);
        for write in new {
            for observer in &observers.0 {
                observer(&write);
            }
        }
    }
}
