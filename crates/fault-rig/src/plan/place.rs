//! Where a fault strikes.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

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
    /// A call of a node's management API.
    Management,
}

impl Call {
    /// All kinds.
    pub const ALL: [Call; 4] = [Call::Write, Call::Read, Call::Watch, Call::Management];

    fn key(self) -> &'static str {
        match self {
            Call::Write => "write",
            Call::Read => "read",
            Call::Watch => "watch",
            Call::Management => "management",
        }
    }
}

/// What a call of an API server does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// Reads one object.
    Get,
    /// Reads a page of a collection.
    List,
    /// Opens a watch.
    Watch,
    /// Makes an object.
    Create,
    /// Changes one.
    Patch,
    /// Deletes one.
    Delete,
}

impl Verb {
    /// All of them.
    pub const ALL: [Verb; 6] = [
        Verb::Get,
        Verb::List,
        Verb::Watch,
        Verb::Create,
        Verb::Patch,
        Verb::Delete,
    ];
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format!("{self:?}").to_lowercase())
    }
}

impl FromStr for Verb {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut all = Verb::ALL.into_iter();
        all.find(|verb| verb.to_string() == text).ok_or(())
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
    /// An event that a watch shows to a program. Bookmarks are none.
    Event {
        /// To whom.
        program: Name,
        /// Of an object in this plane.
        plane: &'static str,
        /// Which of those that this plane shows to this program, counted from 1 over all its lives.
        number: u32,
    },
    /// After a number of writes of all programs together, counted from 1, at one of the objects that they have made by
    /// then: this one in the order of their places, counted from 0 and around.
    After {
        /// So many writes that changed something.
        write: u32,
        /// Which of the objects.
        object: u32,
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
    /// Some of the calls of any program to a plane that do this, over a span of time.
    Some {
        /// Which plane.
        plane: &'static str,
        /// What they do.
        verb: Verb,
        /// So many of a hundred, as the seed has it.
        percent: u8,
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
            Place::Event {
                program,
                plane,
                number,
            } => write!(f, "program={program} plane={plane} event={number}"),
            Place::After { write, object } => write!(f, "after={write} object={object}"),
            Place::Span { plane, from, until } => write!(f, "plane={plane} from={from} until={until}"),
            Place::Some {
                plane,
                verb,
                percent,
                from,
                until,
            } => write!(
                f,
                "plane={plane} verb={verb} percent={percent} from={from} until={until}"
            ),
        }
    }
}

impl Place {
    /// When it is over at the latest; no time for a place that is no span.
    #[must_use]
    pub fn until(&self) -> Duration {
        match self {
            Place::Span { until, .. } | Place::Some { until, .. } => Duration::from_secs((*until).into()),
            Place::Call { .. } | Place::Event { .. } | Place::After { .. } => Duration::ZERO,
        }
    }

    pub(super) fn read(words: &mut Words<'_>) -> Result<Self, NoPlan> {
        if let Some(write) = words.take("after") {
            return Ok(Place::After {
                write: parsed("after", write)?,
                object: parsed("object", words.need("object")?)?,
            });
        }
        let known = words.take("program").map(program).transpose()?;
        let plane = words.take("plane").map(plane).transpose()?;
        match (known, plane) {
            (None, Some(plane)) => Place::read_span(plane, words),
            (Some(program), Some(plane)) => Ok(Place::Event {
                program,
                plane,
                number: parsed("event", words.need("event")?)?,
            }),
            (program, None) => Place::read_call(program, words),
        }
    }

    fn read_span(plane: &'static str, words: &mut Words<'_>) -> Result<Self, NoPlan> {
        let from = parsed("from", words.need("from")?)?;
        let until = parsed("until", words.need("until")?)?;
        let Some(verb) = words.take("verb") else {
            return Ok(Place::Span { plane, from, until });
        };
        Ok(Place::Some {
            plane,
            verb: parsed("verb", verb)?,
            percent: parsed("percent", words.need("percent")?)?,
            from,
            until,
        })
    }

    fn read_call(program: Option<Name>, words: &mut Words<'_>) -> Result<Self, NoPlan> {
        let call = Call::ALL
            .into_iter()
            .find_map(|call| Some((call, words.take(call.key())?)));
        let (call, number) =
            call.ok_or_else(|| NoPlan("it has no write, read, watch or management".to_owned()))?;
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
