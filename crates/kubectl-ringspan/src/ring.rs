//! `kubectl ringspan ring`: what the nodes of a ring say of it.
//!
//! * [`verify`]: whether the ring is whole
//! * [`expected`]: what it should be; [`view`]: how one node sees it; `status_text` and `endpoints`: where views are read from
//! * [`judge`]: the conditions of a whole ring; `zones`: where its pods run; [`findings`]: what is wrong, and what to do

mod endpoints;
pub mod expected;
pub mod findings;
pub mod judge;
mod status_text;
mod table;
pub mod verify;
pub mod view;
mod zones;

/// What to do with a ring.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Tell whether the ring is whole, from what its nodes say: `nodetool status` of a node of each datacenter
    Verify(verify::Args),
}

/// What was given cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadInput(String);

impl BadInput {
    /// In a file, with what to do about it.
    pub(crate) fn of(source: &str, what: impl std::fmt::Display) -> Self {
        BadInput(format!("{source}: {what}"))
    }

    /// In a line of a file; the first is 1.
    pub(crate) fn at(source: &str, line: usize, what: impl std::fmt::Display) -> Self {
        BadInput(format!("{source}, line {line}: {what}"))
    }
}
