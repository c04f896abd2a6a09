//! What all wires of a run share: it counts calls and events, and says which of them the plan strikes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fake_apiserver::Server;
use tokio::time::Instant;

use super::strikes::Strikes;
use crate::plan::{Call, Fault, Place, Plan, Verb, What};
use crate::program::{Life, Name};

/// How many calls there were, by program and kind.
pub type Called = BTreeMap<(Name, Call), u32>;

/// Plane of the calls of nodes, which all planes have.
pub const NODES: &str = "nodes";

/// One call of a program, as it is made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Asked {
    /// Who asks.
    pub program: Name,
    /// What kind of call it is.
    pub call: Call,
    /// What it does; no verb for a call of a node.
    pub verb: Option<Verb>,
    /// Which of its kind, counted from 1.
    pub number: u32,
    /// Whom it asks.
    pub plane: &'static str,
    /// Method and path, without the query: what is the same when the call is made again.
    pub line: String,
}

/// One event that a watch shows to a program.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shown {
    /// To whom.
    pub program: Name,
    /// Where the object is.
    pub plane: &'static str,
    /// Which of those from there, counted from 1.
    pub number: u32,
    /// Path of the watch.
    pub path: String,
}

/// Shared by all lives and planes of a run.
#[derive(Debug)]
pub struct Switchboard {
    plan: Plan,
    began: Instant,
    servers: BTreeMap<&'static str, Server>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    called: Called,
    events: BTreeMap<(Name, &'static str), u32>,
    /// For each fault of the plan.
    strikes: Vec<Strikes>,
    asked: Vec<Asked>,
    shown: Vec<Shown>,
    /// Deletions that were asked for, whatever came of them.
    deletions: BTreeSet<String>,
    lives: BTreeMap<Name, Life>,
    /// Versions of all servers at a write of a program that a plan refers to.
    past: BTreeMap<(Name, u32), BTreeMap<&'static str, u64>>,
    stale: BTreeMap<Name, Stale>,
    frozen: BTreeMap<(&'static str, String), Instant>,
    dropped: Vec<Dropped>,
    gone_on_continue: BTreeSet<(Name, &'static str, String)>,
}

/// What a program reads is as it was at these versions.
#[derive(Clone, Debug)]
struct Stale {
    versions: BTreeMap<&'static str, u64>,
    until: Instant,
}

/// An event that was not shown, and has not been made up for.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Dropped {
    program: Name,
    plane: &'static str,
    path: String,
    object: String,
}

/// Watches of one collection of one plane, as one program has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Watched {
    pub(super) program: Name,
    pub(super) plane: &'static str,
    pub(super) path: String,
}

impl State {
    /// From now on a program reads what was.
    fn look_back(&mut self, program: Name, since: u32, time: Duration) {
        if let Some(versions) = self.past.get(&(program, since)).cloned() {
            let until = Instant::now() + crate::run::AWAY + time;
            self.stale.insert(program, Stale { versions, until });
        }
    }
}

impl Switchboard {
    /// Begins now, as the servers are.
    #[must_use]
    pub fn new(plan: &Plan, servers: &BTreeMap<&'static str, Server>) -> Self {
        let state = State {
            strikes: vec![Strikes::default(); plan.faults.len()],
            ..State::default()
        };
        Self {
            plan: plan.clone(),
            began: Instant::now(),
            servers: servers.clone(),
            state: Mutex::new(state),
        }
    }

    /// A program lives anew.
    pub(super) fn begins(&self, program: Name, life: &Life) {
        self.state().lives.insert(program, life.clone());
    }

    /// Counts a call and says what happens at it.
    pub(super) fn ask(
        &self,
        (program, plane): (Name, &'static str),
        (call, verb): (Call, Option<Verb>),
        line: String,
    ) -> Option<What> {
        let mut state = self.state();
        let number = state.called.entry((program, call)).or_default();
        *number += 1;
        let asked = Asked {
            program,
            call,
            verb,
            number: *number,
            plane,
            line,
        };
        if verb == Some(Verb::Delete) {
            state.deletions.insert(format!("{plane} {}", asked.line));
        }
        if call == Call::Write {
            self.remember(&mut state, program, asked.number);
        }
        let seed = self.plan.seed;
        let now = self.began.elapsed();
        let what = strike(&self.plan.faults, &mut state.strikes, |fault, strikes| {
            strikes.at_call(fault, &asked, now, seed)
        });
        if let Some(What::Stale { since, time }) = what {
            state.look_back(program, since, time);
        }
        // What rows are made from is a run without faults.
        if self.plan.faults.is_empty() {
            state.asked.push(asked);
        }
        what
    }

    /// Counts an event and says what happens to it.
    pub(super) fn show(&self, watched: &Watched) -> Option<What> {
        let mut state = self.state();
        let Watched { program, plane, path } = watched;
        let number = state.events.entry((*program, *plane)).or_default();
        *number += 1;
        let number = *number;
        let what = strike(&self.plan.faults, &mut state.strikes, |fault, _| {
            Strikes::at_event(fault, (*program, *plane, number))
        });
        if let Some(What::Freeze(time)) = what {
            state.frozen.insert((*plane, path.clone()), Instant::now() + time);
        }
        if self.plan.faults.is_empty() {
            state.shown.push(Shown {
                program: *program,
                plane,
                number,
                path: path.clone(),
            });
        }
        what
    }

    /// Keeps the versions of all servers at a write that the plan wants to go back to; 0 is the beginning.
    fn remember(&self, state: &mut State, program: Name, number: u32) {
        for fault in &self.plan.faults {
            let (What::Stale { since, .. }, Place::Call { program: who, .. }) = (fault.what, fault.place)
            else {
                continue;
            };
            let here = since == 0 || (who, since) == (program, number);
            if here && !state.past.contains_key(&(who, since)) {
                let servers = self.servers.iter();
                let versions = servers.map(|(plane, server)| (*plane, server.version()));
                state.past.insert((who, since), versions.collect());
            }
        }
    }

    /// As of which version a program reads a plane now, and until when.
    pub(super) fn stale(&self, program: Name, plane: &str) -> Option<(u64, Instant)> {
        let state = self.state();
        let lie = state.stale.get(&program)?;
        let version = *lie.versions.get(plane)?;
        // A plane that was restored from a backup has forgotten what came after that.
        let is_known = self
            .servers
            .get(plane)
            .is_some_and(|server| version <= server.version());
        (is_known && Instant::now() < lie.until).then_some((version, lie.until))
    }

    /// Until when the watches of a collection show nothing.
    pub(super) fn frozen(&self, watched: &Watched) -> Option<Instant> {
        let state = self.state();
        let until = state.frozen.get(&(watched.plane, watched.path.clone()))?;
        (Instant::now() < *until).then_some(*until)
    }

    /// An event of an object is not shown.
    pub(super) fn drop_event(&self, watched: &Watched, object: String) {
        self.state().dropped.push(Dropped {
            program: watched.program,
            plane: watched.plane,
            path: watched.path.clone(),
            object,
        });
    }

    /// Whether something of this collection was not shown yet; `object` shows it now, no object: all is shown now.
    pub(super) fn makes_up(&self, watched: &Watched, object: Option<&str>) -> bool {
        let mut state = self.state();
        let before = state.dropped.len();
        state.dropped.retain(|dropped| {
            let here = (dropped.program, dropped.plane, &dropped.path)
                == (watched.program, watched.plane, &watched.path);
            !(here && object.is_none_or(|object| object == dropped.object))
        });
        state.dropped.len() < before
    }

    /// Whether anything of this collection was not shown yet.
    pub(super) fn hides(&self, watched: &Watched) -> bool {
        let state = self.state();
        state
            .dropped
            .iter()
            .any(|dropped| (dropped.program, dropped.plane, &dropped.path) == watched.parts())
    }

    /// The next page of this collection is answered 410.
    pub(super) fn gone_on_continue(&self, watched: Watched) {
        self.state()
            .gone_on_continue
            .insert((watched.program, watched.plane, watched.path));
    }

    /// Whether it is this page.
    pub(super) fn is_gone(&self, watched: &Watched) -> bool {
        let key = (watched.program, watched.plane, watched.path.clone());
        self.state().gone_on_continue.remove(&key)
    }

    /// Ends a program.
    pub(super) fn end(&self, program: Name) {
        if let Some(life) = self.state().lives.get(&program) {
            life.end();
        }
    }

    /// How many calls there were.
    #[must_use]
    pub fn called(&self) -> Called {
        self.state().called.clone()
    }

    /// Every call, in order; of a run without faults only.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        self.state().asked.clone()
    }

    /// Every event, in order; of a run without faults only.
    #[must_use]
    pub fn shown(&self) -> Vec<Shown> {
        self.state().shown.clone()
    }

    /// Deletions that were asked for, each with its plane.
    #[must_use]
    pub fn deletions(&self) -> BTreeSet<String> {
        self.state().deletions.clone()
    }

    /// How often each fault of the plan has struck.
    #[must_use]
    pub fn struck(&self) -> Vec<u32> {
        // A list of one page has no second one.
        let state = self.state();
        let waits = u32::try_from(state.gone_on_continue.len()).unwrap_or(u32::MAX);
        let strikes = self.plan.faults.iter().zip(&state.strikes);
        strikes
            .map(|(fault, strikes)| match fault.what {
                What::GoneOnContinue => strikes.count.saturating_sub(waits),
                _ => strikes.count,
            })
            .collect()
    }

    /// Whether what the plan says is not over yet.
    #[must_use]
    pub fn goes_on(&self) -> bool {
        let now = Instant::now();
        let span = self.plan.faults.iter().map(|fault| fault.place.until()).max();
        let state = self.state();
        self.began.elapsed() < span.unwrap_or_default()
            || !state.dropped.is_empty()
            || self
                .plan
                .faults
                .iter()
                .zip(&state.strikes)
                .any(|(fault, strikes)| strikes.go_on(fault, now))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watched {
    fn parts(&self) -> (Name, &'static str, &String) {
        (self.program, self.plane, &self.path)
    }
}

/// Every fault looks at every call and event; the first that strikes counts.
fn strike(
    faults: &[Fault],
    strikes: &mut [Strikes],
    here: impl Fn(&Fault, &mut Strikes) -> bool,
) -> Option<What> {
    let mut what = None;
    for (fault, strikes) in faults.iter().zip(strikes) {
        if what.is_none() && here(fault, strikes) {
            strikes.count += 1;
            strikes.last = Some(Instant::now());
            what = Some(fault.what);
        }
    }
    what
}
