//! Client of the management API for Apache Cassandra, as cass-operator's pods serve it.
//!
//! * [`Node`]: one pod to ask.
//! * [`ManagementApi`]: the calls; [`Client`] makes them over HTTP, tests may answer them without a socket.
//! * [`Options`]: TLS, time and size limits, and where to dial.
//! * [`first_answer`]: the same call on one pod after the other until one answers.
//! * [`Replication`], [`EndpointState`]: what the answers mean.
//! * [`Error`]: what can go wrong, by class.
//!
//! Every call uses a connection of its own, is limited in time (connecting and the whole body included) and in
//! bytes, follows no redirect and is never repeated behind the caller's back. A pod that hangs, lies or floods costs
//! its own call and nothing else.

mod api;
mod client;
mod endpoints;
mod error;
mod exchange;
mod first;
mod node;
mod options;
mod replication;
mod request;
mod tls;

pub use api::{ManagementApi, UNREACHABLE};
pub use client::Client;
pub use endpoints::EndpointState;
pub use error::{Call, Error, MAX_REMOTE_TEXT};
pub use first::{NoAnswer, first_answer};
pub use node::Node;
pub use options::{ClientTls, Dial, Options, OptionsError, Through};
pub use replication::{Factor, NETWORK_TOPOLOGY_STRATEGY, Replication};
