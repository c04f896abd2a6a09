//! Stories with real nodes: each pod is a process of Cassandra, and what is shown is what the nodes themselves say.
//!
//! * `ring`, `data`: a ring is made, grows and shrinks; `tokens`: what nodes begin with
//! * `restart`, `dead`, `alone`, `rebuild_crash`: it heals; `healing` and `rows` are what they look at

mod alone;
mod bad;
mod data;
mod dead;
mod healing;
mod rebuild_crash;
mod restart;
mod ring;
mod rows;
mod tokens;

pub(super) use alone::alone;
pub(super) use bad::{join as bad_join, node as bad_node, password as bad_password};
pub(super) use data::data;
pub(super) use dead::dead;
pub(super) use rebuild_crash::rebuild_crash;
pub(super) use restart::restart;
pub(super) use ring::two;
