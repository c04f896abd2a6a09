//! The client against real sockets on the loopback address.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "in a fixture, too, a failed step is a failed test"
)]

mod failures;
mod pod;
mod tls;
mod wire;
