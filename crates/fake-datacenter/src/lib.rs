//! Plays cass-operator and a Cassandra ring on any API server, for tests and the demo.
//!
//! * [`plane::Plane`]: one API server. Its watches wake an actor for each datacenter ([`datacenter`]), which is operator,
//!   StatefulSet controller and kubelet in one; what it writes is made in [`objects`].
//! * [`cassandra::Cassandra`]: the Cassandra behind the pods, shared by all planes: [`ring::Rings`] models it (who founded, who
//!   joined, who has which data), [`real::Real`] runs it.
//! * [`server::serve`]: the management API of every node ([`management`]) and the state of the rings, on loopback.
//! * [`pace::Pace`]: how long everything takes. [`clock::Clock`]: wall time from tokio's clock.
//! * [`crds`]: the two kinds, when the real ones are not installed.
//!
//! It uses no crate of the product, so that it does not share its bugs, and no clock but tokio's.

pub mod apiserver;
pub mod cassandra;
pub mod clock;
pub mod crds;
pub mod datacenter;
pub mod json;
pub mod management;
pub mod names;
pub mod objects;
pub mod pace;
pub mod plane;
pub mod real;
pub mod ring;
pub mod server;
mod watches;
mod whole;
