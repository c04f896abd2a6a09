//! Clients of other Kubernetes clusters, built so that no cluster can hurt another one or us.
//!
//! | module | what it gives |
//! | --- | --- |
//! | [`kubeconfig`], [`refusal`] | what we take over from a kubeconfig, and a closed list of why not |
//! | [`Fleet`] | the planes there are, engaged and disengaged while the program runs |
//! | [`Once`] | the planes there are, for a program that looks once and ends |
//! | [`PlaneLink`], [`PlaneCache`] | watches of one plane, with its health in every answer |
//! | [`Plane`] | its client, its identity, and live reads that say what they know |
//! | [`Health`] | whether a plane answers; noticed within 12 s, both ways within 15 s |
//! | [`guard`], [`limits`] | time, size and number of calls: nothing from a plane is unbounded |
//! | [`dial`] | the connections themselves |
//! | [`quote`] | text from elsewhere in our messages |

mod cache;
mod certificate;
mod claim;
pub mod dial;
mod engage;
pub mod guard;
mod health;
mod identity;
pub mod kubeconfig;
pub mod limits;
mod link;
mod live;
mod once;
mod options;
mod plane;
pub mod quote;
pub mod refusal;
mod registry;
mod rules;
mod settle;
mod sources;
mod trouble;
mod who;

pub use cache::PlaneCache;
pub use health::Health;
pub use limits::{Deadlines, Limits};
pub use link::PlaneLink;
pub use once::Once;
pub use options::{FleetOptions, Home};
pub use plane::Plane;
pub use refusal::{Refusal, RefusalReason};
pub use registry::{Fleet, Verdict};
pub use rules::RULES;
pub use trouble::reasons;
