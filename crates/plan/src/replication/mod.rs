//! ReplicatedSecret → copies in planes: what is written, left alone, and deleted.
//!
//! | file | idea |
//! | --- | --- |
//! | [`facts`] | what was seen: sources and copies without one byte of their data |
//! | [`selector`] | which Secrets are meant |
//! | [`copy`] | what a copy looks like, beside its data |
//! | [`judge`](mod@judge) | one source against one Secret of the copy's name |
//! | [`acts`] | every target: what has to be done there |
//! | [`prune`](mod@prune) | copies that have to go |
//! | [`status`] | one condition for each target |
//!
//! Contents are compared by keyed marks ([`facts::Mark`]) that are made while a Secret is decoded and live as long as
//! the process. What lasts (annotation `ringspan.io/content-mark`, `contentMark` of a status) is the uid and the
//! resourceVersion of the source that was copied: it says which version a copy has, and nothing about its content.

pub mod acts;
pub mod copy;
pub mod facts;
pub mod judge;
pub mod prune;
pub mod selector;
pub mod status;

#[cfg(test)]
mod fixtures;

pub use acts::{CopyAct, Held, Step, TargetPlan, plan};
pub use facts::{Identity, Mark, PlaneFacts, ReplicationFacts, SecretView};
pub use judge::{Verdict, judge};
pub use prune::{Prune, Pruning, prune};
pub use selector::Selector;
pub use status::{Outcome, conditions, is_copy_of};
