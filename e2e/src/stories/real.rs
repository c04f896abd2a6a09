//! Stories with real nodes: each pod is a process of Cassandra, and what is shown is what the nodes themselves say.
//!
//! * `ring`, `data`: a ring is made, grows and shrinks
//! * `restart`, `dead`: it heals; `healing` and `rows` are what they look at

mod bad;
mod data;
mod dead;
mod healing;
mod restart;
mod ring;
mod rows;

pub(super) use bad::{join as bad_join, node as bad_node, password as bad_password};
pub(super) use data::data;
pub(super) use dead::dead;
pub(super) use restart::restart;
pub(super) use ring::two;
