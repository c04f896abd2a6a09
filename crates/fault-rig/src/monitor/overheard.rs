//! What a run does beside writing: calls of the programs, and how their lives begin and end.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::{Method, Request};

use crate::program::{Life, Name};

/// One call, as it leaves a program.
#[derive(Debug)]
pub(crate) struct Heard<'a> {
    pub program: &'a str,
    pub plane: &'a str,
    pub method: &'a Method,
    pub path: &'a str,
    pub query: &'a str,
    /// How long the program's life has been over, if it is.
    pub dead_for: Option<Duration>,
}

impl Heard<'_> {
    /// A parameter of the query, as it is written there.
    pub fn parameter(&self, key: &str) -> Option<&str> {
        let mut parts = self.query.split('&').filter_map(|part| part.split_once('='));
        parts.find(|(name, _)| *name == key).map(|(_, value)| value)
    }

    /// The path taken apart: namespace, plural name, name; empty where there is none.
    pub fn object(&self) -> (&str, &str, &str) {
        let mut parts = self.path.split('/').skip(1);
        let version = if parts.next() == Some("api") { 1 } else { 2 };
        let mut parts = parts.skip(version).peekable();
        let namespace = if parts.peek() == Some(&"namespaces") {
            parts.next();
            parts.next().unwrap_or_default()
        } else {
            ""
        };
        match (parts.next(), parts.next()) {
            // What has a namespace comes after it.
            (None, _) => ("", "namespaces", namespace),
            (Some(plural), name) => (namespace, plural, name.unwrap_or_default()),
        }
    }
}

type Ear = Box<dyn Fn(&Heard<'_>) + Send>;

/// Told by wires and programs, listened to by monitors.
#[derive(Default)]
pub struct Overheard(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    ear: Option<Ear>,
    lives: BTreeMap<Name, (Life, u32)>,
    endings: Vec<String>,
}

impl fmt::Debug for Overheard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Overheard")
    }
}

impl Overheard {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call leaves a program.
    pub fn call<B>(&self, program: Name, plane: &str, life: &Life, request: &Request<B>) {
        if let Some(ear) = &self.lock().ear {
            ear(&Heard {
                program: program.as_str(),
                plane,
                method: request.method(),
                path: request.uri().path(),
                query: request.uri().query().unwrap_or_default(),
                dead_for: life.dead_for(),
            });
        }
    }

    /// A program begins a life.
    pub fn begins(&self, program: Name, life: &Life) {
        let mut inner = self.lock();
        let lives = inner.lives.get(&program).map_or(0, |(_, lives)| *lives);
        inner.lives.insert(program, (life.clone(), lives + 1));
    }

    /// A program has come to its end, by itself or because its life was over.
    pub fn ends(&self, program: Name, life: &Life, how: &str) {
        if life.is_alive() {
            self.lock()
                .endings
                .push(format!("P13: {program} {how} by itself"));
        }
    }

    /// Ends the present life of every program.
    pub(super) fn end_all(&self) {
        let lives: Vec<_> = self.lock().lives.values().map(|(life, _)| life.clone()).collect();
        for life in lives {
            life.end();
        }
    }

    /// Whether any program has more than one life behind it.
    #[must_use]
    pub fn has_restarted(&self) -> bool {
        self.lock().lives.values().any(|(_, lives)| *lives > 1)
    }

    /// How many lives began so far.
    pub(super) fn lives(&self) -> u32 {
        self.lock().lives.values().map(|(_, lives)| lives).sum()
    }

    /// The programs that ended by themselves.
    pub(super) fn endings(&self) -> Vec<String> {
        self.lock().endings.clone()
    }

    /// Somebody listens from now on, or nobody any more.
    pub(super) fn listen(&self, ear: Option<Ear>) {
        self.lock().ear = ear;
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::heard;
    use super::*;

    #[test]
    fn a_path_is_taken_apart() {
        for (path, object) in [
            ("/api/v1/namespaces/db/secrets/s", ("db", "secrets", "s")),
            ("/api/v1/secrets", ("", "secrets", "")),
            (
                "/api/v1/namespaces/kube-system",
                ("", "namespaces", "kube-system"),
            ),
            (
                "/apis/apps/v1/namespaces/db/statefulsets",
                ("db", "statefulsets", ""),
            ),
            (
                "/apis/k8ssandra.io/v1alpha1/k8ssandraclusters",
                ("", "k8ssandraclusters", ""),
            ),
        ] {
            assert_eq!(
                heard("client-registry", "east", path, "").object(),
                object,
                "{path}"
            );
        }
    }

    #[test]
    fn a_program_that_ends_while_its_life_goes_on_ended_by_itself() {
        let overheard = Overheard::default();
        let life = Life::begin();
        overheard.begins(Name::StatusRollup, &life);
        overheard.end_all();
        overheard.ends(Name::StatusRollup, &life, "ended");
        assert_eq!(overheard.endings(), [""; 0]);
        overheard.ends(Name::StatusRollup, &Life::begin(), "panicked");
        assert_eq!(overheard.endings(), ["P13: status-rollup panicked by itself"]);
    }
}
