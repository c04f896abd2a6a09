//! Every decision of Ringspan, as pure functions from what was seen to what shall be done.

pub mod change;
pub mod cluster;
pub mod consent;
pub mod datacenter;
pub mod foresight;
pub mod grants;
pub mod hash;
pub mod images;
pub mod merge;
pub mod naming;
pub mod normalize;
pub mod objects;
pub mod own_secrets;
pub mod quantity;
pub mod registry;
pub mod replication;
pub mod rollup;
pub mod superuser;
pub mod topology;
pub mod validate;
pub mod version;

mod value;
mod yaml;

#[cfg(test)]
mod fixtures;
