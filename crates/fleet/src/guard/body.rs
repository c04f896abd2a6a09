//! A body that ends with an error where it would become too large, too long or too late.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep, sleep_until};
use tower::BoxError;

use super::{GuardError, WireBody};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bound {
    /// All bytes.
    Body(usize),
    /// Bytes since the last line break.
    Line(usize),
}

/// A body with its bound, its deadline and the slot that it holds until it ends.
pub(super) struct Bounded {
    body: WireBody,
    bound: Bound,
    counted: usize,
    deadline: Option<(Pin<Box<Sleep>>, Duration)>,
    slot: Option<OwnedSemaphorePermit>,
    suspect: Arc<dyn Fn() + Send + Sync>,
}

impl Bounded {
    pub fn new(
        body: WireBody,
        bound: Bound,
        end: Option<(Instant, Duration)>,
        slot: Option<OwnedSemaphorePermit>,
        suspect: Arc<dyn Fn() + Send + Sync>,
    ) -> Self {
        let deadline = end.map(|(end, within)| (Box::pin(sleep_until(end)), within));
        Self {
            body,
            bound,
            counted: 0,
            deadline,
            slot,
            suspect,
        }
    }

    fn count(&mut self, data: &[u8]) -> Result<(), GuardError> {
        match self.bound {
            Bound::Body(most) => {
                self.counted += data.len();
                if self.counted > most {
                    Err(GuardError::TooLarge(most))
                } else {
                    Ok(())
                }
            }
            Bound::Line(most) => {
                for line in data.split_inclusive(|byte| *byte == b'\n') {
                    self.counted += line.len();
                    if self.counted > most {
                        return Err(GuardError::LineTooLong(most));
                    }
                    if line.ends_with(b"\n") {
                        self.counted = 0;
                    }
                }
                Ok(())
            }
        }
    }

    fn fail(&mut self, error: impl Into<BoxError>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.slot = None;
        (self.suspect)();
        Poll::Ready(Some(Err(error.into())))
    }
}

impl Body for Bounded {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Some((sleep, within)) = &mut self.deadline
            && sleep.as_mut().poll(context).is_ready()
        {
            let late = GuardError::Deadline(*within);
            return self.fail(late);
        }
        match ready!(Pin::new(&mut self.body).poll_frame(context)) {
            None => {
                self.slot = None;
                Poll::Ready(None)
            }
            Some(Err(error)) => self.fail(error),
            Some(Ok(frame)) => match frame.data_ref().map_or(Ok(()), |data| self.count(&data.clone())) {
                Ok(()) => Poll::Ready(Some(Ok(frame))),
                Err(error) => self.fail(error),
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
