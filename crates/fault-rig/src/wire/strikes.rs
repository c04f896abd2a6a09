//! Whether a fault strikes here and now.

use std::time::Duration;

use tokio::time::Instant;

use super::switchboard::Asked;
use crate::plan::{Fault, Place};
use crate::program::Name;
use crate::run::AWAY;

/// What has come of a fault so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Strikes {
    pub(super) count: u32,
    pub(super) last: Option<Instant>,
    /// The call that is struck again when it is made again.
    again: Option<(Name, String)>,
    /// Calls that could have been struck.
    seen: u64,
}

impl Strikes {
    pub(super) fn at_call(&mut self, fault: &Fault, asked: &Asked, now: Duration, seed: u64) -> bool {
        let within = |from: u32, until: u32| (u64::from(from)..u64::from(until)).contains(&now.as_secs());
        match fault.place {
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
            Place::Event { .. } | Place::After { .. } => false,
            Place::Span { plane, from, until } => plane == asked.plane && within(from, until),
            Place::Some {
                plane,
                verb,
                percent,
                from,
                until,
            } => {
                if plane != asked.plane || asked.verb != Some(verb) || !within(from, until) {
                    return false;
                }
                self.seen += 1;
                let drawn = fake_datacenter::pace::fnv(format!("{seed}/{verb}/{}", self.seen).as_bytes());
                drawn % 100 < u64::from(percent)
            }
        }
    }

    /// Whether it has begun to strike and is not over: it lasts, or waits for the same call to be made again.
    pub(super) fn go_on(&self, fault: &Fault, now: Instant) -> bool {
        let Some(last) = self.last else { return false };
        let lasts = fault.what.lasts();
        let waits = matches!(fault.place, Place::Call { .. }) && self.count < fault.times;
        waits || (!lasts.is_zero() && now < last + AWAY + lasts)
    }

    pub(super) fn at_event(fault: &Fault, event: (Name, &'static str, u32)) -> bool {
        let Place::Event {
            program,
            plane,
            number,
        } = fault.place
        else {
            return false;
        };
        let (to, from, this) = event;
        (program, plane) == (to, from) && (number..number + fault.times).contains(&this)
    }
}
