//! A Kubernetes API server in memory, for tests.
//!
//! It answers requests of a `kube::Client` in the same process, without sockets and without a clock of its own: under
//! tokio's paused clock hours cost milliseconds, and the same requests always give the same bytes. It uses no crate of the
//! product, so that it cannot share its mistakes; it is held to recorded answers of a real server instead.
//!
//! ```
//! use fake_apiserver::{Options, Server, User};
//!
//! let server = Server::new(Options::default());
//! let client = server.service(User::admin()); // for kube::Client::new(client, "default")
//! assert!(server.get("v1", "namespaces", "", "kube-system").is_some());
//! # drop(client);
//! ```
//!
//! What it does not do: ask who somebody is (a user is given to a service; [`Server::user_of_token`] knows whose token one is),
//! hold creators of roles to their own rights, limit what CEL rules cost, convert custom resources between versions beyond their
//! `apiVersion`, default or refuse everything that a real server does in built-in kinds (only what somebody here reads), `/openapi`,
//! protobuf, and tables of built-in kinds. Controllers are three: garbage collection, namespaces and root certificates; nothing
//! schedules pods or makes anything of a StatefulSet.
//!
//! | module | idea |
//! | --- | --- |
//! | [`conformance`] | what a real server answered, and how an answer is held against it |
//! | `server` | the server itself: one state behind a lock, asked synchronously |
//! | `service`, `answer` | as a tower service, and what is answered |
//! | `paths`, `query`, `ask` | a request, understood |
//! | `definitions`, `schema` | kinds: built-in ones and CRDs; pruning, defaults, validation, CEL |
//! | `state`, `object` | tables of objects, and every change to them |
//! | `read`, `watch`, `selectors` | get, list in pages, watch |
//! | `write`, `apply` | create, update, patches, deletion; who owns which field |
//! | `kinds` | what is particular to one kind or another |
//! | `chores` | garbage collection, namespaces, definitions |
//! | `rbac`, `reviews`, `discovery` | who may do what; which kinds there are |
//! | `tokens` | what ServiceAccounts show |
//! | `attributes` | what a request is about, for those who record requests |
//! | `journal` | every accepted write, with the object before and after |

mod answer;
mod apply;
mod ask;
mod attributes;
mod beginning;
mod chores;
mod clock;
pub mod conformance;
mod definitions;
mod discovery;
mod failure;
mod identity;
mod journal;
mod kinds;
mod object;
mod options;
mod paths;
mod place;
mod query;
mod rbac;
mod read;
mod reviews;
mod schema;
mod selectors;
mod server;
mod service;
mod state;
mod tokens;
mod watch;
mod write;

pub use answer::{Answer, Body, ServerBody};
pub use attributes::Attributes;
pub use definitions::{DefinitionError, Definitions};
pub use journal::{OnWrite, Write};
pub use options::{Chores, Compaction, Options, User};
pub use server::Server;
pub use service::Service;
pub use watch::WatchStream;
