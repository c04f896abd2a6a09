//! Where a fault strikes.

use std::fmt;

use super::{NoPlan, Words, parsed};
use crate::program::Name;
use crate::world::{CONTROL_PLANE, PLANES};

/// What a program asks of API servers and nodes, counted apart over all its lives and all planes.
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

/// Where a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A call of a program.
    Call {
        /// Whose.
        program: Name,
        /// Of this kind.
        call: Call,
        /// Which of them, counted from 1.
        number: u32,
    },
    /// Every call of any program to a plane, over a span of time. Watches that are open stay so.
    Span {
        /// Which plane.
        plane: &'static str,
        /// Virtual seconds since the beginning.
        from: u32,
        /// Virtual seconds since the beginning; from here on all is well.
        until: u32,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Call {
                program,
                call,
                number,
            } => write!(f, "program={program} {}={number}", call.key()),
            Place::Span { plane, from, until } => write!(f, "plane={plane} from={from} until={until}"),
        }
    }
}

impl Place {
    pub(super) fn read(words: &mut Words<'_>) -> Result<Self, NoPlan> {
        let program = words.take("program").map(program).transpose()?;
        let plane = words.take("plane").map(plane).transpose()?;
        if let (None, Some(plane)) = (program, plane) {
            return Ok(Place::Span {
                plane,
                from: parsed("from", words.need("from")?)?,
                until: parsed("until", words.need("until")?)?,
            });
        }
        let call = Call::ALL
            .into_iter()
            .find_map(|call| Some((call, words.take(call.key())?)));
        let (call, number) = call.ok_or_else(|| NoPlan("it has no write, read or watch".to_owned()))?;
        Ok(Place::Call {
            program: program.ok_or_else(|| NoPlan("it has no program".to_owned()))?,
            call,
            number: parsed(call.key(), number)?,
        })
    }
}

pub(super) fn program(name: &str) -> Result<Name, NoPlan> {
    Name::named(name).ok_or_else(|| NoPlan(format!("{name:?} is no program")))
}

fn plane(name: &str) -> Result<&'static str, NoPlan> {
    let known = [CONTROL_PLANE].into_iter().chain(PLANES);
    let mut found = known.filter(|known| *known == name);
    found
        .next()
        .ok_or_else(|| NoPlan(format!("{name:?} is no plane")))
}
