//! `K8ssandraCluster`: one Cassandra ring over datacenters in many planes.

mod cluster;
mod datacenter_options;
mod jvm_options;
mod metadata;
mod rules;
mod status;

pub mod addons;

pub use cluster::*;
pub use datacenter_options::*;
pub use jvm_options::*;
pub use metadata::*;
pub use status::*;
