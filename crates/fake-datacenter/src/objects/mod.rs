//! The objects that cass-operator makes of a CassandraDatacenter, as plain JSON.

mod dc;
mod pod;
mod services;
mod slices;
mod stateful_set;
mod template;
#[cfg(test)]
mod tests;

pub use dc::{Dc, Rack};
pub use pod::{claim_name, claim_of, lacks_an_image, pod_of, ready_status, running_status, waiting_status};
pub use services::{budget, services};
pub use slices::{Endpoint, additional_seed_slices, service_slice};
pub use stateful_set::{revision, stateful_set, wanted_hash};
