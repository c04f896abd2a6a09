//! Stories with real nodes: each pod is a process of Cassandra, and what is shown is what the nodes themselves say.

mod data;
mod ring;

pub(super) use data::data;
pub(super) use ring::two;
