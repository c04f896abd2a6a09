//! User stories on real kube-apiservers or on ones in memory, and what they need: processes, credentials, fault proxies.
//!
//! | file | idea |
//! | --- | --- |
//! | `provider` | [`Provider`]: real API servers, or ones in memory |
//! | `binaries` | where etcd, kube-apiserver, kube-controller-manager and kubectl come from |
//! | `cassandra` | [`Cassandra`]: Java and the jars that real nodes are run with |
//! | `cluster` | [`ApiServer`]: one Kubernetes API, with its credentials, audit log and proxy |
//! | `embedded` | an API server in memory, served as a real one is |
//! | `planes` | [`Planes`]: a control plane and its data planes, started together |
//! | `audit` | [`AuditLog`]: who read and wrote what, counted |
//! | `proxy` | [`FaultProxy`]: a plane that refuses, is silent, or answers 500 |
//! | `program` | [`Program`]: one of the shipped programs as a child process |
//! | `apply` | manifests to any API server by server-side apply |
//! | `world` | [`World`]: a whole installation, with the five shipped programs as processes |
//! | `conformance` | what the API server in memory is held to, recorded here |
//! | `wait` | [`eventually`]: conditions awaited with a deadline |
//! | `authority`, `kubeconfig`, `command_lines`, `process`, `leash`, `ports` | what the above are made of |
//!
//! Nothing here outlives the process that started it: see `leash`.

pub mod apply;
pub mod audit;
mod authority;
mod binaries;
mod cassandra;
mod cluster;
mod command_lines;
pub mod conformance;
mod embedded;
mod kubeconfig;
mod leash;
mod planes;
mod ports;
mod process;
mod program;
mod provider;
mod proxy;
pub mod stories;
mod wait;
pub mod world;

pub use audit::AuditLog;
pub use binaries::{Binaries, Origin, Source};
pub use cassandra::{Cassandra, NoCassandra, Nodes, NodesChoice};
pub use cluster::{ApiServer, Options, connect};
pub use planes::Planes;
pub use ports::free_port;
pub use program::{Launch, Program, scratch_folder};
pub use provider::{Choice, Provider, Way};
pub use proxy::{FaultProxy, Mode};
pub use wait::eventually;
pub use world::World;
