//! Stories with real nodes: each pod is a process of Cassandra, and what is shown is what the nodes themselves say.

mod bad;
mod data;
mod ring;

pub(super) use bad::{join as bad_join, node as bad_node, password as bad_password};
pub(super) use data::data;
pub(super) use ring::two;
