//! The five controllers, a control plane, several data planes and a Cassandra ring in one process and in virtual time,
//! with a fault at any call. The same plan gives the same run, write for write.
//!
//! | module | idea |
//! | --- | --- |
//! | [`World`] | API servers in memory, the stand-in in each plane, credentials |
//! | [`program`] | one of the five, as it is started, killed and started again |
//! | `roles` | the rights that are shipped |
//! | [`wire`] | what stands between a program and API servers and nodes: tells of calls and events, does what the plan says |
//! | [`plan`] | what goes wrong, as one line of text |
//! | [`scenario`] | what the user does |
//! | `user`, `sight` | what the user does and sees |
//! | [`weather`], [`doors`] | planes that are cut off, or reached in another way |
//! | [`partition`], [`stranger`] | rows of planes that are cut off and of somebody who interferes |
//! | `haste` | whoever writes without pause |
//! | [`normal`] | the state of all API servers without what differs from run to run |
//! | [`monitor`] | what must hold at every write, and when all is done |
//! | [`mod@run`] | a scenario under a plan, and what came of it |
//! | [`mod@sweep`] | rows of the fault matrix: plans from a run without faults, and what came of them |

pub mod doors;
mod haste;
pub mod monitor;
pub mod normal;
pub mod partition;
pub mod plan;
pub mod program;
mod roles;
pub mod run;
pub mod scenario;
mod sight;
pub mod stranger;
pub mod sweep;
mod user;
pub mod weather;
pub mod wire;
mod world;

pub use plan::Plan;
pub use run::{Report, run};
pub use scenario::Scenario;
pub use world::World;
