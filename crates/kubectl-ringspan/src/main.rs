//! kubectl ringspan: what a cluster is doing, why, and what would be done.
fn main() {}
