//! What all wires of a run share: it counts the calls and says which of them the plan strikes.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::plan::{Call, Fault, Place, Plan, What};
use crate::program::Name;

/// How many calls there were, by program and kind.
pub type Called = BTreeMap<(Name, Call), u32>;

/// One call of a program, as it is made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Asked {
    /// Who asks.
    pub program: Name,
    /// What kind of call it is.
    pub call: Call,
    /// Which of them, counted from 1.
    pub number: u32,
    /// Whom it asks.
    pub plane: &'static str,
    /// Method and path, without the query: what is the same when the call is made again.
    pub line: String,
}

/// Shared by all lives and planes of a run.
#[derive(Debug)]
pub struct Switchboard {
    faults: Vec<Fault>,
    began: Instant,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    called: Called,
    /// For each fault of the plan.
    strikes: Vec<Strikes>,
    asked: Vec<Asked>,
}

/// What has come of a fault so far.
#[derive(Clone, Debug, Default)]
struct Strikes {
    count: u32,
    /// The call that is struck again when it is made again.
    again: Option<(Name, String)>,
}

impl Switchboard {
    /// Begins now.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        let state = State {
            strikes: vec![Strikes::default(); plan.faults.len()],
            ..State::default()
        };
        Self {
            faults: plan.faults.clone(),
            began: Instant::now(),
            state: Mutex::new(state),
        }
    }

    /// Counts a call and says what happens at it.
    pub(super) fn ask(
        &self,
        program: Name,
        call: Call,
        plane: &'static str,
        line: impl FnOnce() -> String,
    ) -> Option<What> {
        let mut state = self.state();
        let number = state.called.entry((program, call)).or_default();
        *number += 1;
        let asked = Asked {
            program,
            call,
            number: *number,
            plane,
            line: line(),
        };
        let now = self.began.elapsed();
        let mut what = None;
        for (fault, strikes) in self.faults.iter().zip(&mut state.strikes) {
            if what.is_none() && strikes.strike(fault, &asked, now) {
                what = Some(fault.what);
            }
        }
        // What rows are made from is a run without faults.
        if self.faults.is_empty() {
            state.asked.push(asked);
        }
        what
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

    /// How often each fault of the plan has struck.
    #[must_use]
    pub fn struck(&self) -> Vec<u32> {
        self.state().strikes.iter().map(|strikes| strikes.count).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Strikes {
    fn strike(&mut self, fault: &Fault, asked: &Asked, now: Duration) -> bool {
        let here = match fault.place {
            Place::Call {
                program,
                call,
                number,
            } => {
                let first = (program, call, number) == (asked.program, asked.call, asked.number);
                if first {
                    self.again = Some((asked.program, asked.line.clone()));
                }
                let same =
                    |(program, line): &(Name, String)| *program == asked.program && *line == asked.line;
                first || (self.count < fault.times && self.again.as_ref().is_some_and(same))
            }
            Place::Span { plane, from, until } => {
                plane == asked.plane && (u64::from(from)..u64::from(until)).contains(&now.as_secs())
            }
        };
        self.count += u32::from(here);
        here
    }
}
