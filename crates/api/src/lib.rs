//! The API types of Ringspan and every name that goes over the wire.
//!
//! * [`k8ssandra_cluster`], [`client_config`], [`replicated_secret`], [`k8ssandra_task`]: the kinds that are ours to
//!   define. They are supersets of those of K8ssandra: every document that is valid there is valid here.
//! * [`cass_operator`], [`medusa_configuration`], [`addons`]: kinds of cass-operator, of Medusa and of other add-ons, which we
//!   do not define.
//! * [`embedded`]: parts of Kubernetes' own API inside ours, carried as they are.
//! * [`conditions`]: conditions and how they change. [`grants`]: whom the owner of a plane lets in.
//!
//! Nothing here runs: no client, no clock.

mod all_optional;
mod custom_object;
mod stored_schemas;
mod wire;

pub mod addons;
pub mod cass_operator;
pub mod cassandra_task;
pub mod client_config;
pub mod conditions;
pub mod definitions;
pub mod embedded;
pub mod grants;
pub mod k8ssandra_cluster;
pub mod k8ssandra_task;
pub mod medusa_configuration;
pub mod names;
pub mod record;
pub mod references;
pub mod replicated_secret;
pub mod reports;
pub mod schema_facts;
pub mod seen;
pub mod server_schemas;
