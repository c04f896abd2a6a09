//! The same call on one pod after the other.

use std::fmt;

use crate::{Call, Error, Node};

/// Nobody answered a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoAnswer {
    /// What was called.
    pub call: Call,
    /// How many pods were asked.
    pub pods: usize,
    /// What the last one's failure was; none where there was no pod to ask.
    pub last: Option<Error>,
}

impl NoAnswer {
    /// Whether the same call may succeed later unchanged: always where there was no pod, else as the last failure.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.last.as_ref().is_none_or(Error::is_retryable)
    }

    /// The class of the last failure ([`Error::class`]), `NoPods` where there was none to ask.
    #[must_use]
    pub fn class(&self) -> &'static str {
        self.last.as_ref().map_or("NoPods", Error::class)
    }
}

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.last {
            None => write!(f, "cannot {}: there is no pod to ask", self.call),
            Some(last) => write!(
                f,
                "cannot {}: all {} pods failed, the last with {}: {last}",
                self.call,
                self.pods,
                last.class()
            ),
        }
    }
}

impl std::error::Error for NoAnswer {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.last.as_ref().map(|last| last as _)
    }
}

/// Asks the nodes in order until one answers, each once and none at the same time as another.
///
/// It may take the time limit of the call for every node, so the caller sets a deadline over it. A failed write is
/// asked of the next node too: create and alter are idempotent.
///
/// # Errors
/// [`NoAnswer`] when every node failed, or there is none.
pub async fn first_answer<T, Ask, Asked>(call: Call, nodes: &[Node], mut ask: Ask) -> Result<T, NoAnswer>
where
    Ask: FnMut(Node) -> Asked,
    Asked: Future<Output = Result<T, Error>>,
{
    let mut last = None;
    for node in nodes {
        match ask(*node).await {
            Ok(answer) => return Ok(answer),
            Err(error) => {
                tracing::debug!(%error, "a pod did not answer");
                last = Some(error);
            }
        }
    }
    Err(NoAnswer {
        call,
        pods: nodes.len(),
        last,
    })
}
