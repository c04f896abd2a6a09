//! What goes wrong.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::{NoPlan, parsed};

/// What happens at a call. Programs live on after those that do not say otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
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
    /// The call is done this much virtual time later.
    Delay(Duration),
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            What::Reply(code) => write!(f, "Reply:{code}"),
            What::Delay(time) => write!(f, "Delay:{}", Seconds(*time)),
            other => write!(f, "{other:?}"),
        }
    }
}

impl FromStr for What {
    type Err = NoPlan;

    fn from_str(text: &str) -> Result<Self, NoPlan> {
        Ok(match text.split_once(':') {
            Some(("Reply", code)) => What::Reply(parsed("status", code)?),
            Some(("Delay", time)) => What::Delay(seconds(time)?),
            None if text == "CrashBefore" => What::CrashBefore,
            None if text == "CrashAfter" => What::CrashAfter,
            None if text == "LostReply" => What::LostReply,
            None if text == "FailBefore" => What::FailBefore,
            None if text == "Hang" => What::Hang,
            _ => return Err(NoPlan(format!("{text:?} is no fault"))),
        })
    }
}

/// Whole seconds, or milliseconds where there are some.
struct Seconds(Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.subsec_millis() {
            0 => write!(f, "{}", self.0.as_secs()),
            _ => write!(f, "{}ms", self.0.as_millis()),
        }
    }
}

fn seconds(text: &str) -> Result<Duration, NoPlan> {
    match text.strip_suffix("ms") {
        Some(text) => Ok(Duration::from_millis(parsed("time", text)?)),
        None => Ok(Duration::from_secs(parsed("time", text)?)),
    }
}
