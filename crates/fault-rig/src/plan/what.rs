//! What goes wrong.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::place::program;
use super::{NoPlan, parsed};
use crate::program::Name;
use crate::scenario::Cut;

/// What happens. Programs live on after those that do not say otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// The program ends before the call is sent.
    CrashBefore,
    /// The program ends after the call was done, before it hears of it.
    CrashAfter,
    /// Another program ends when this call has been done.
    Crash(Name),
    /// The program ends after the call was done. When it starts again, all that it reads is as it was at an earlier write of its
    /// own (0: at the beginning of the run), and after a while as it is.
    Stale {
        /// The number of that write.
        since: u32,
        /// How long.
        time: Duration,
    },
    /// The call is done and its answer lost: the connection breaks.
    LostReply,
    /// There is no connection.
    Refuse,
    /// The connection breaks before the call is done.
    FailBefore,
    /// The plane is cut off from all programs, open watches too.
    Partition(Cut),
    /// Somebody deletes an object that the programs made.
    DeleteAny,
    /// Somebody puts an object of his own into the place of one that the programs made.
    Recreate,
    /// The server answers this status and does nothing.
    Reply(u16),
    /// The server does nothing and never answers.
    Hang,
    /// The call is done, and its answer stops after the head.
    HalfOpen,
    /// The call is done this much virtual time later.
    Delay(Duration),
    /// A list is given in pages of one object, and its second page is answered 410.
    GoneOnContinue,
    /// An event is not shown. What was missed is shown by the object's next event, or by a new list, which the server asks for
    /// when the watch is opened again.
    Drop,
    /// An event is shown so much later; those that come meanwhile are shown before.
    Hold(Duration),
    /// An event is shown twice.
    Duplicate,
    /// An event is shown after the one that follows it.
    Swap,
    /// The watch breaks off in the middle of an event.
    Truncate,
    /// A line that is no event comes before one.
    Garbage,
    /// The server closes the watch before an event.
    End,
    /// The connection breaks before an event.
    Reset,
    /// The watch is silent for so long, and then goes on.
    Silent(Duration),
    /// Instead of an event the watch says that its version is too old.
    Expired,
    /// From an event on nothing is shown for so long, and then a new list is needed: what happened meanwhile is never seen.
    Unseen(Duration),
    /// All watches of this kind in this plane, of all programs, show nothing for so long, also those that are opened meanwhile.
    Freeze(Duration),
}

impl What {
    /// For how long after it struck it is not over.
    #[must_use]
    pub fn lasts(self) -> Duration {
        match self {
            What::Stale { time, .. }
            | What::Delay(time)
            | What::Hold(time)
            | What::Silent(time)
            | What::Unseen(time)
            | What::Freeze(time) => time,
            // A watch lives for less than five minutes.
            What::Drop => Duration::from_mins(5),
            _ => Duration::ZERO,
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            What::Reply(code) => write!(f, "Reply:{code}"),
            What::Crash(program) => write!(f, "Crash:{program}"),
            What::Stale { since, time } => write!(f, "Stale:{since}:{}", Seconds(*time)),
            What::Partition(cut) => write!(f, "Partition:{cut:?}"),
            What::Delay(time) => write!(f, "Delay:{}", Seconds(*time)),
            What::Hold(time) => write!(f, "Hold:{}", Seconds(*time)),
            What::Silent(time) => write!(f, "Silent:{}", Seconds(*time)),
            What::Unseen(time) => write!(f, "Unseen:{}", Seconds(*time)),
            What::Freeze(time) => write!(f, "Freeze:{}", Seconds(*time)),
            other => write!(f, "{other:?}"),
        }
    }
}

impl FromStr for What {
    type Err = NoPlan;

    fn from_str(text: &str) -> Result<Self, NoPlan> {
        let plain = [
            What::CrashBefore,
            What::CrashAfter,
            What::LostReply,
            What::Refuse,
            What::FailBefore,
            What::DeleteAny,
            What::Recreate,
            What::Hang,
            What::HalfOpen,
            What::GoneOnContinue,
            What::Drop,
            What::Duplicate,
            What::Swap,
            What::Truncate,
            What::Garbage,
            What::End,
            What::Reset,
            What::Expired,
        ];
        let no = || NoPlan(format!("{text:?} is no fault"));
        let Some((word, rest)) = text.split_once(':') else {
            let mut plain = plain.into_iter().filter(|what| what.to_string() == text);
            return plain.next().ok_or_else(no);
        };
        Ok(match word {
            "Reply" => What::Reply(parsed("status", rest)?),
            "Crash" => What::Crash(program(rest)?),
            "Stale" => {
                let (since, time) = rest.split_once(':').ok_or_else(no)?;
                What::Stale {
                    since: parsed("write", since)?,
                    time: seconds(time)?,
                }
            }
            "Partition" => What::Partition(cut(rest).ok_or_else(no)?),
            "Delay" => What::Delay(seconds(rest)?),
            "Hold" => What::Hold(seconds(rest)?),
            "Silent" => What::Silent(seconds(rest)?),
            "Unseen" => What::Unseen(seconds(rest)?),
            "Freeze" => What::Freeze(seconds(rest)?),
            _ => return Err(no()),
        })
    }
}

fn cut(text: &str) -> Option<Cut> {
    let mut all = Cut::ALL.into_iter();
    all.find(|cut| format!("{cut:?}") == text)
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
