//! One fault as one line of text: `scenario=S02 seed=7 fault=CrashAfter program=cluster-reconciler write=3`.

use std::fmt;
use std::str::FromStr;

use crate::program::Name;
use crate::scenario::Scenario;

/// What happens at a call. Programs live on after those that do not say otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Nothing.
    Pass,
    /// The program ends before the call is sent.
    CrashBefore,
    /// The program ends after the call was done, before it hears of it.
    CrashAfter,
    /// The call is done and its answer lost: the connection breaks.
    LostReply,
    /// The connection breaks before the call is done.
    FailBefore,
    /// The server answers this status and does nothing.
    Reply(u16),
    /// The server does nothing and never answers.
    Hang,
    /// The call is done this many virtual seconds later.
    Delay(u16),
}

/// What a program asks of API servers, counted apart over all its lives and all planes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Call {
    /// Whatever changes an object, but for Events, which tell of acts.
    Write,
    /// A get, or a page of a list.
    Read,
    /// The opening of a watch.
    Watch,
}

impl Call {
    /// All kinds.
    pub const ALL: [Call; 3] = [Call::Write, Call::Read, Call::Watch];

    fn key(self) -> &'static str {
        match self {
            Call::Write => "write",
            Call::Read => "read",
            Call::Watch => "watch",
        }
    }
}

/// Where and what: one fault in one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What the user does.
    pub scenario: Scenario,
    /// Seed of delays, uids, host ids and random bytes.
    pub seed: u64,
    /// What happens.
    pub fault: Fault,
    /// To whom.
    pub program: Name,
    /// At a call of this kind.
    pub call: Call,
    /// At which of them, counted from 1.
    pub number: u32,
}

impl Plan {
    /// A run without a fault.
    #[must_use]
    pub fn without_fault(scenario: Scenario, seed: u64) -> Self {
        Self {
            scenario,
            seed,
            fault: Fault::Pass,
            program: Name::ClientRegistry,
            call: Call::Write,
            number: 0,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Reply(code) => write!(f, "Reply:{code}"),
            Fault::Delay(seconds) => write!(f, "Delay:{seconds}"),
            other => write!(f, "{other:?}"),
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Plan {
            scenario,
            seed,
            fault,
            program,
            call,
            number,
        } = self;
        write!(
            f,
            "scenario={scenario} seed={seed} fault={fault} program={program} {}={number}",
            call.key()
        )
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

impl FromStr for Fault {
    type Err = NoPlan;

    fn from_str(text: &str) -> Result<Self, NoPlan> {
        let number = |text: &str| text.parse().map_err(|_| NoPlan(format!("{text:?} is no number")));
        Ok(match text.split_once(':') {
            Some(("Reply", code)) => Fault::Reply(number(code)?),
            Some(("Delay", seconds)) => Fault::Delay(number(seconds)?),
            None if text == "Pass" => Fault::Pass,
            None if text == "CrashBefore" => Fault::CrashBefore,
            None if text == "CrashAfter" => Fault::CrashAfter,
            None if text == "LostReply" => Fault::LostReply,
            None if text == "FailBefore" => Fault::FailBefore,
            None if text == "Hang" => Fault::Hang,
            _ => return Err(NoPlan(format!("{text:?} is no fault"))),
        })
    }
}

impl FromStr for Plan {
    type Err = NoPlan;

    fn from_str(line: &str) -> Result<Self, NoPlan> {
        let value = |key: &str| {
            let found = line
                .split_whitespace()
                .find_map(|part| part.strip_prefix(key)?.strip_prefix('='));
            found.ok_or_else(|| NoPlan(format!("it has no {key}")))
        };
        let no = |key: &str| NoPlan(format!("its {key} is none"));
        let scenario = Scenario::named(value("scenario")?).ok_or_else(|| no("scenario"))?;
        let seed = value("seed")?.parse().map_err(|_| no("seed"))?;
        let fault = value("fault")?.parse()?;
        let program = Name::named(value("program")?).ok_or_else(|| no("program"))?;
        let named = Call::ALL.into_iter().find(|call| value(call.key()).is_ok());
        let call = named.ok_or_else(|| NoPlan("it has no write, read or watch".to_owned()))?;
        Ok(Plan {
            scenario,
            seed,
            fault,
            program,
            call,
            number: value(call.key())?.parse().map_err(|_| no(call.key()))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_read_back_from_its_line() {
        for fault in [
            Fault::CrashBefore,
            Fault::Reply(409),
            Fault::Delay(30),
            Fault::Hang,
        ] {
            let plan = Plan {
                fault,
                program: Name::TopologyReconciler,
                call: Call::Watch,
                number: 4,
                ..Plan::without_fault(Scenario::Three, 9)
            };
            assert_eq!(plan.to_string().parse(), Ok(plan));
        }
    }

    #[test]
    fn a_line_that_is_no_plan_says_what_is_missing() {
        let said = "scenario=S02 seed=7".parse::<Plan>().unwrap_err().to_string();
        assert!(said.contains("it has no fault"), "{said}");
    }
}
