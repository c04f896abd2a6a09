//! What is to go wrong in a run, as one line of text: `scenario=S02 seed=7 fault=CrashAfter program=cluster-reconciler write=3`.
//!
//! A line names what the user does, the seed, and then any number of faults, each from its `fault=` to the next: what
//! happens, and where. A run without faults has none.

mod place;
mod what;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

pub use place::{Call, Place, Verb};
pub use what::What;

use crate::scenario::Scenario;

/// One thing that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// What happens.
    pub what: What,
    /// Where.
    pub place: Place,
    /// How often: when the same program makes the very same call again, it fails again until it has failed so often.
    pub times: u32,
}

impl Fault {
    /// Once.
    #[must_use]
    pub fn once(what: What, place: Place) -> Self {
        Self {
            what,
            place,
            times: 1,
        }
    }
}

/// A run: what the user does, chance, and what goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What the user does.
    pub scenario: Scenario,
    /// Seed of delays, uids, host ids and random bytes.
    pub seed: u64,
    /// What goes wrong.
    pub faults: Vec<Fault>,
}

impl Plan {
    /// A run without a fault.
    #[must_use]
    pub fn without_fault(scenario: Scenario, seed: u64) -> Self {
        Self {
            scenario,
            seed,
            faults: Vec::new(),
        }
    }

    /// The same run with these faults and no others.
    #[must_use]
    pub fn with(&self, faults: impl IntoIterator<Item = Fault>) -> Self {
        Self {
            faults: faults.into_iter().collect(),
            ..*self
        }
    }

    /// How long its faults last together, at most.
    #[must_use]
    pub fn lasts(&self) -> Duration {
        let each = self
            .faults
            .iter()
            .map(|fault| fault.what.lasts() * fault.times + fault.place.until());
        each.sum()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "fault={} {}", self.what, self.place)?;
        if self.times == 1 {
            Ok(())
        } else {
            write!(f, " times={}", self.times)
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "scenario={} seed={}", self.scenario, self.seed)?;
        self.faults.iter().try_for_each(|fault| write!(f, " {fault}"))
    }
}

/// A line that is no plan.
#[derive(Debug, PartialEq, Eq)]
pub struct NoPlan(String);

impl fmt::Display for NoPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "no plan: {}; wanted is: scenario=S02 seed=7 fault=CrashAfter program=cluster-reconciler write=3",
            self.0
        )
    }
}

impl std::error::Error for NoPlan {}

/// Words `key=value` of a part of a line; what is not asked for is too much.
struct Words<'l>(Vec<(&'l str, &'l str)>);

impl<'l> Words<'l> {
    fn take(&mut self, key: &str) -> Option<&'l str> {
        let at = self.0.iter().position(|(known, _)| *known == key)?;
        Some(self.0.remove(at).1)
    }

    fn need(&mut self, key: &str) -> Result<&'l str, NoPlan> {
        self.take(key).ok_or_else(|| NoPlan(format!("it has no {key}")))
    }

    fn end(self) -> Result<(), NoPlan> {
        match self.0.first() {
            None => Ok(()),
            Some((key, value)) => Err(NoPlan(format!("{key}={value} means nothing here"))),
        }
    }
}

fn parsed<T: FromStr>(key: &str, value: &str) -> Result<T, NoPlan> {
    value
        .parse()
        .map_err(|_| NoPlan(format!("{value:?} is no {key}")))
}

impl Fault {
    fn read(mut words: Words<'_>) -> Result<Self, NoPlan> {
        let what = words.need("fault")?.parse()?;
        let times = words
            .take("times")
            .map_or(Ok(1), |value| parsed("times", value))?;
        let place = Place::read(&mut words)?;
        words.end()?;
        Ok(Fault { what, place, times })
    }
}

impl FromStr for Plan {
    type Err = NoPlan;

    fn from_str(line: &str) -> Result<Self, NoPlan> {
        let mut parts = vec![Vec::new()];
        for word in line.split_whitespace() {
            let pair = word.split_once('=');
            let pair = pair.ok_or_else(|| NoPlan(format!("{word:?} has no =")))?;
            if pair.0 == "fault" {
                parts.push(Vec::new());
            }
            if let Some(part) = parts.last_mut() {
                part.push(pair);
            }
        }
        let mut parts = parts.into_iter().map(Words);
        let mut head = parts.next().unwrap_or(Words(Vec::new()));
        let scenario = head.need("scenario")?;
        let scenario =
            Scenario::named(scenario).ok_or_else(|| NoPlan(format!("{scenario:?} is no scenario")))?;
        let seed = parsed("seed", head.need("seed")?)?;
        head.end()?;
        Ok(Plan {
            scenario,
            seed,
            faults: parts.map(Fault::read).collect::<Result<_, _>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::Name;

    #[test]
    fn a_plan_is_read_back_from_its_line() {
        let nothing = Plan::without_fault(Scenario::Three, 9);
        let call = Place::Call {
            program: Name::TopologyReconciler,
            call: Call::Watch,
            number: 4,
        };
        let span = Place::Span {
            plane: "east",
            from: 30,
            until: 3600,
        };
        let crash = Fault::once(What::CrashBefore, call);
        let conflict = Fault {
            times: 5,
            ..Fault::once(What::Reply(409), call)
        };
        let slow = Fault::once(What::Delay(Duration::from_millis(100)), span);
        let lie = What::Stale {
            since: 3,
            time: Duration::from_mins(10),
        };
        let event = Place::Event {
            program: Name::StatusRollup,
            plane: "control-plane",
            number: 12,
        };
        let some = Place::Some {
            plane: "west",
            verb: Verb::Patch,
            percent: 50,
            from: 0,
            until: 3600,
        };
        let others = [
            Fault::once(What::Crash(Name::SecretReplicator), call),
            Fault::once(lie, call),
            Fault::once(What::Swap, event),
            Fault::once(What::Freeze(Duration::from_secs(5)), event),
            Fault::once(What::Reply(503), some),
        ];
        for faults in [vec![], vec![crash], vec![conflict, slow], others.to_vec()] {
            let plan = nothing.with(faults);
            assert_eq!(plan.to_string().parse().as_ref(), Ok(&plan));
        }
    }

    #[test]
    fn a_line_that_is_no_plan_says_what_is_missing() {
        let no = |line: &str| line.parse::<Plan>().unwrap_err().to_string();
        let said = no("scenario=S02 seed=7 fault=Hang");
        assert!(said.contains("it has no write, read"), "{said}");
        let said = no("scenario=S02 seed=7 fault=Hang program=nobody write=1");
        assert!(said.contains("\"nobody\" is no program"), "{said}");
        let said = no("scenario=S02 sed=7");
        assert!(said.contains("it has no seed"), "{said}");
    }
}
