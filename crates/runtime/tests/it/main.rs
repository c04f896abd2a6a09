//! The runtime against servers without sockets, under a paused clock: hours of failures in milliseconds.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]
#![expect(
    clippy::needless_pass_by_value,
    reason = "json! values are made where they are handed over"
)]

mod broken_watches;
mod events;
mod guard;
mod queue;
mod server;
mod watches;
mod world;
mod writes;
