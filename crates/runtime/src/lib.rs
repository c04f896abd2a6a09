//! A process that hosts one controller: queue, caches, metrics, admin server, logs, graceful stop.
//!
//! | module | what it gives |
//! | --- | --- |
//! | [`Key`] | the name of a root object |
//! | [`Queue`], [`work`] | passes: one per key at a time, debounced, with back-off, panics isolated |
//! | [`watch`], [`Cache`], [`Graveyard`] | one task per watch, slim values, states, our own writes and deletions |
//! | [`connect`], [`tls`], [`Bearer`] | connections to an API server, of the own cluster or another |
//! | [`Guard`] | deadline, size and count of every call of a client |
//! | [`write`](mod@write) | creates, applies, patches and deletes that cannot hit another object of the same name |
//! | [`Events`] | Kubernetes Events, off the pass's path |
//! | [`Metrics`], [`Readiness`] | `/metrics`, `/readyz`, `/livez` |
//! | [`rbac`] | what a program may do, next to the code that does it |
//! | [`Outside`] | the time of day and randomness, of the system or of a test |
//! | [`run`], [`Process`], [`ProcessArgs`] | `main` of every program |

mod admin;
mod args;
mod backoff;
mod bearer;
mod cache;
mod client;
mod connection;
mod contents;
mod decode;
mod events;
mod field_owners;
mod follow;
mod graves;
mod graveyard;
mod guard;
mod heart;
mod intake;
mod key;
mod logs;
mod metrics;
mod negotiate;
mod outside;
mod own_cluster;
mod process;
mod queue;
mod queue_metrics;
pub mod rbac;
mod readiness;
mod renewed;
mod schedule;
pub mod tls;
mod transport;
mod watch;
mod watch_error;
mod watch_metrics;
mod work;
pub mod write;
mod write_error;

pub use args::{GrantArgs, LogFormat, ProcessArgs};
pub use bearer::Bearer;
pub use cache::{Cache, CacheState};
pub use connection::{Endpoint, Patience, Wire, WireBody, connect};
pub use events::{EventType, Events};
pub use graveyard::Graveyard;
pub use guard::{CALL_DEADLINE, Guard, Guarded, MOST_ANSWER, TimedOut, TooLarge, timed_out, too_large};
pub use key::Key;
pub use metrics::Metrics;
pub use outside::{Clock, NoRandomness, Outside, Random};
pub use process::{Process, run};
pub use queue::{DEBOUNCE, Failure, Next, Queue, Retry};
pub use readiness::{Gate, Readiness};
pub use watch::{OnState, Roots, WatchSpec, watch};
pub use watch_error::{WatchError, WatchErrorKind};
pub use work::{WorkOptions, work};
pub use write_error::{Target, WriteError};

pub use prometheus::{GaugeVec, HistogramVec, IntCounterVec, IntGaugeVec};
pub use tokio_util::sync::CancellationToken;
